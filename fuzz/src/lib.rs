//! The bodies of the fuzz targets. Each takes any octets, drives one part of the suite with them and holds it against an
//! oracle; a fault is a panic. `tests/replay.rs` runs the same bodies over the seeds on stable, without a fuzzer.
//!
//! A target is a module here, a line in [`TARGETS`], a file in `fuzz_targets/` and a `[[bin]]` in the manifest; a test holds
//! the four together.

pub mod base64;
pub mod dot;
pub mod line;
pub mod reads;
pub mod seeds;

use seeds::Seed;

/// A fuzz target.
pub struct Target {
    /// Of the module, the binary and the corpus folder.
    pub name: &'static str,
    /// The body.
    pub run: fn(&[u8]),
    /// Which of the seeds are fed to it.
    pub wants: fn(&Seed) -> bool,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    Target { name: "base64", run: base64::run, wants: |_| true },
    Target { name: "dot", run: dot::run, wants: |_| true },
    Target { name: "line", run: line::run, wants: |_| true },
];

/// The corpus of a target: each seed that it wants, read whole and one octet at a time.
#[must_use]
pub fn corpus(target: &Target, seeds: &[Seed]) -> Vec<Vec<u8>> {
    let wanted = seeds.iter().filter(|seed| (target.wants)(seed));
    wanted
        .flat_map(|seed| [reads::WHOLE, reads::OCTETS].map(|how| [&[how], &seed.octets[..]].concat()))
        .collect()
}
