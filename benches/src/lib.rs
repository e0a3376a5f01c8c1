//! The harness: rows that are run interleaved in one process, thread CPU time, a counting allocator.
//!
//! Clocks of shared machines drift, so absolute figures mean little: read the ratios of one run, and the
//! allocations. `cargo bench -p mail-benches --bench dot` runs one file; `ROUNDS=n` sets the rounds.
#![allow(clippy::print_stdout)]

pub mod alloc;
pub mod inputs;

use std::hint::black_box;

/// One thing that is measured: it does the whole work once and returns what it counted, so that nothing is optimised away.
pub type Run<'a> = Box<dyn FnMut() -> u64 + 'a>;

/// A row: the same work done by us and by others.
pub struct Row<'a> {
    name: &'a str,
    octets: usize,
    items: usize,
    runs: Vec<(&'a str, Run<'a>)>,
}

impl<'a> Row<'a> {
    /// A row whose work covers so many octets in so many items.
    pub fn new(name: &'a str, octets: usize, items: usize) -> Self {
        Self { name, octets, items, runs: Vec::new() }
    }

    /// Adds a runner. The first one is ours: ratios are given to it.
    pub fn with(mut self, name: &'a str, run: impl FnMut() -> u64 + 'a) -> Self {
        self.runs.push((name, Box::new(run)));
        self
    }

    /// Runs all interleaved and prints a table: median time, rate, ratio, allocations.
    pub fn measure(mut self) {
        let rounds = std::env::var("ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(9_usize).max(1);
        let mut plans = Vec::new();
        for (_, run) in &mut self.runs {
            let start = cpu_time();
            let counted = run();
            let once = cpu_time() - start;
            let memory = alloc::measure(&mut **run);
            let times = if once > 0.5 { 1 } else { ((0.02 / once).ceil() as u32).clamp(1, 100_000) };
            plans.push((times, Vec::with_capacity(rounds), memory, counted));
        }
        for _ in 0..rounds {
            for ((_, run), (times, medians, ..)) in self.runs.iter_mut().zip(&mut plans) {
                let start = cpu_time();
                for _ in 0..*times {
                    black_box(run());
                }
                medians.push((cpu_time() - start) / f64::from(*times));
            }
        }
        println!("\n## {} ({} octets, {} items)", self.name, self.octets, self.items);
        println!("| runner | ns/item | MB/s | time, ours = 1 | allocations/item | peak octets |");
        println!("|---|---|---|---|---|---|");
        let median = |times: &[f64]| {
            let mut times = times.to_vec();
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let ours = plans.first().map_or(1.0, |plan| median(&plan.1));
        for ((name, _), (_, times, memory, _)) in self.runs.iter().zip(&plans) {
            let time = median(times);
            println!(
                "| {name} | {:.1} | {:.0} | {:.2} | {:.2} | {} |",
                time * 1e9 / self.items as f64,
                self.octets as f64 / time / 1e6,
                time / ours,
                memory.allocations as f64 / self.items as f64,
                memory.peak
            );
        }
    }
}

/// Thread CPU time in seconds, so that other load on the machine counts less than with the wall clock.
fn cpu_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec that the call fills in.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
