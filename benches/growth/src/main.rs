//! How the cost of reading grows with what is read, at reads of every size: t(2n)/t(n), counted in instructions, so that neither the
//! machine nor its load matters. What is looked at twice, moved for each read or parsed again shows as a ratio towards four.
//!
//! `cargo run --release -p mail-growth` runs each row at two sizes under valgrind's instruction counter, prints a table, and fails where a
//! ratio is beyond 2.2. With `PART=8` in the environment the sizes are an eighth. `mail-growth ROW READ N` is one run; reads of 0 octets only
//! make what would be read.
#![allow(clippy::print_stdout, clippy::print_stderr, unreachable_pub)]

mod feed;
mod rows;

use rows::ROWS;
use std::hint::black_box;
use std::process::{Command, ExitCode};

/// The most that doubling may cost.
const MOST: f64 = 2.2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => all(),
        [name, read, n] => one(name, read, n).map_or(ExitCode::FAILURE, |told| {
            println!("{told}");
            ExitCode::SUCCESS
        }),
        _ => {
            eprintln!("mail-growth [ROW READ N]");
            ExitCode::FAILURE
        }
    }
}

fn one(name: &str, read: &str, n: &str) -> Option<u64> {
    let row = ROWS.iter().find(|row| row.name == name)?;
    let wire = black_box((row.wire)(n.parse().ok()?));
    match read.parse().ok()? {
        0 => Some(0),
        read => Some((row.run)(read, &wire)),
    }
}

fn all() -> ExitCode {
    let part = std::env::var("PART").ok().and_then(|part| part.parse().ok()).unwrap_or(1_u64).max(1);
    println!("| what is read | in reads of | n | instructions for each | t(2n)/t(n) |");
    println!("|---|---|---|---|---|");
    let mut good = true;
    for row in ROWS {
        for (read, largest) in row.sizes {
            let (n, twice) = (largest / part / 2, largest / part / 2 * 2);
            let Some((once, double)) = count(row.name, *read, n).zip(count(row.name, *read, twice)) else {
                eprintln!("{}: no count: is valgrind there?", row.name);
                return ExitCode::FAILURE;
            };
            let ratio = double as f64 / once.max(1) as f64;
            good &= ratio <= MOST;
            println!("| {} | {read} | {n} | {:.1} | {ratio:.2} |", row.name, double as f64 / twice as f64);
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        eprintln!("doubling costs more than {MOST}");
        ExitCode::FAILURE
    }
}

/// The instructions of reading alone: without those that make the octets.
fn count(name: &str, read: usize, n: u64) -> Option<u64> {
    Some(instructions(name, read, n)?.saturating_sub(instructions(name, 0, n)?))
}

/// The instructions of one run.
fn instructions(name: &str, read: usize, n: u64) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(std::env::current_exe().ok()?)
        .args([name, &read.to_string(), &n.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        eprintln!("{text}");
        return None;
    }
    let line = text.lines().find(|line| line.contains("refs:"))?;
    line.rsplit(':').next()?.trim().replace(',', "").parse().ok()
}
