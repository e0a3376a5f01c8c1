//! Replays vector files through the six machines and checks what comes out, key by key.
//!
//! ```text
//! cargo run --release --example conformance -- [--verbose] [--protocol smtp|imap|pop3] [FILE.jsonl...]
//! ```
//!
//! Without files it runs those of the project, `testdata/vectors/*.jsonl`; their README tells what the keys mean. Each input is
//! fed whole, octet by octet and at every single cut (up to 2 KiB; a longer one at random cuts), and must give the
//! same events each time. One line tells of each record that does not hold or is not run, then come the totals. The
//! exit status is 0 only if none failed.

mod adapter;
mod app;
mod encoders;
mod imap;
mod judge;
mod link;
mod octets;
mod overturned;
mod pop3;
mod record;
mod replies;
mod report;
mod rfc;
mod run;
mod schedule;
mod seen;
mod smtp;
#[cfg(test)]
mod tests;
mod transcript;
mod value;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use crate::adapter::Adapter;
use crate::record::{Protocol, Record};
use crate::report::Report;
use crate::run::Outcome;
use crate::transcript::Unit;

/// What the command line asks for.
struct Options {
    verbose: bool,
    protocol: Option<Protocol>,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}\nusage: conformance [--verbose] [--protocol smtp|imap|pop3] [FILE.jsonl...]");
            return ExitCode::from(2);
        }
    };
    // A panic inside a record is a line of the report, not of the standard error.
    std::panic::set_hook(Box::new(|_| {}));
    let mut report = Report::new(options.verbose);
    for path in &options.files {
        if let Err(why) = file(path, &options, &mut report) {
            eprintln!("{}: {why}", path.display());
            return ExitCode::from(2);
        }
    }
    if report.finish() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { verbose: false, protocol: None, files: Vec::new() };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--verbose" => options.verbose = true,
            "--protocol" => {
                options.protocol = Some(Protocol::of(&args.next().ok_or("--protocol of what?")?)?)
            }
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}")),
            path => options.files.push(path.into()),
        }
    }
    if options.files.is_empty() {
        options.files = own_files().map_err(|why| format!("the vectors of the project: {why}"))?;
    }
    Ok(options)
}

/// The vector files of the project. A missing one is an error.
fn own_files() -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors");
    let mut files = Vec::new();
    for name in ["quirks.jsonl", "security.jsonl", "rfc-examples.jsonl"] {
        let path = folder.join(name);
        std::fs::metadata(&path)?;
        files.push(path);
    }
    Ok(files)
}

/// The adapter of a protocol; records about the session around the machines have none and are tests elsewhere.
fn adapter_of(protocol: Protocol) -> Option<&'static dyn Adapter> {
    match protocol {
        Protocol::Smtp => Some(&smtp::Smtp),
        Protocol::Imap => Some(&imap::Imap),
        Protocol::Pop3 => Some(&pop3::Pop3),
        Protocol::Any => None,
    }
}

/// Runs one file. A line that cannot be read ends the run: what it held would go unnoticed.
fn file(path: &Path, options: &Options, report: &mut Report) -> Result<(), String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let content = std::fs::read_to_string(path).map_err(|why| why.to_string())?;
    let mut units: Vec<Unit> = Vec::new();
    for (number, line) in content.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let at = |why: String| format!("line {}: {why}", number + 1);
        let line: Value = serde_json::from_str(line).map_err(|why| at(why.to_string()))?;
        if line.get("rfc").is_some() {
            let unit = Unit::read(&line).map_err(at)?;
            if options.protocol.is_none_or(|only| only == unit.protocol) {
                units.push(unit);
            }
            continue;
        }
        let record = Record::read(&line).map_err(at)?;
        if options.protocol.is_none_or(|only| only == record.protocol) {
            one(&name, &record, report);
        }
    }
    transcript::chain(&mut units);
    for protocol in [Protocol::Smtp, Protocol::Imap, Protocol::Pop3] {
        let of_protocol: Vec<Unit> = units.iter().filter(|unit| unit.protocol == protocol).cloned().collect();
        let outcomes = match adapter_of(protocol) {
            Some(adapter) => rfc::run(adapter, &of_protocol),
            None => of_protocol.iter().map(|_| Outcome::Skipped("no adapter".into())).collect(),
        };
        for (unit, outcome) in of_protocol.iter().zip(&outcomes) {
            match overturned::reason(&unit.id) {
                Some(reason) => report.take_overturned(&name, protocol, &unit.id, reason),
                None => report.take(&name, protocol, &unit.id, outcome),
            }
        }
    }
    Ok(())
}

fn one(file: &str, record: &Record, report: &mut Report) {
    if let Some(reason) = overturned::reason(&record.id) {
        return report.take_overturned(file, record.protocol, &record.id, reason);
    }
    let outcome = match adapter_of(record.protocol) {
        Some(adapter) => run::run(adapter, record),
        None if record.protocol == Protocol::Any => {
            Outcome::Skipped("behaviour: a test of its own names it".into())
        }
        None => Outcome::Skipped("no adapter".into()),
    };
    report.take(file, record.protocol, &record.id, &outcome);
}
