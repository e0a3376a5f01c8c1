//! Lines and totals.

use std::collections::BTreeMap;

use crate::record::Protocol;
use crate::run::Outcome;

/// How many passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Held.
    pub(crate) passed: u64,
    /// Did not hold.
    pub(crate) failed: u64,
    /// Were not run.
    pub(crate) skipped: u64,
}

/// Prints each outcome and counts it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    verbose: bool,
    totals: BTreeMap<(String, Protocol), Totals>,
    overturned: u64,
}

impl Totals {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Passed(_) => self.passed += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Skipped(_) => self.skipped += 1,
        }
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TOTAL passed {} failed {} skipped {}", self.passed, self.failed, self.skipped)
    }
}

impl Report {
    /// A report that has a line for each record that holds, too, if `verbose`.
    pub(crate) fn new(verbose: bool) -> Report {
        Report { verbose, ..Report::default() }
    }

    /// Takes the outcome of one record.
    pub(crate) fn take(&mut self, file: &str, protocol: Protocol, id: &str, outcome: &Outcome) {
        match outcome {
            Outcome::Passed(result) if self.verbose => println!("PASS {id}: {result}"),
            Outcome::Passed(_) => {}
            Outcome::Failed(why) => println!("FAIL {id}: {why}"),
            Outcome::Skipped(why) => println!("SKIP {id}: {why}"),
        }
        self.totals.entry((file.to_owned(), protocol)).or_default().add(outcome);
    }

    /// Takes a record that a design choice overturns.
    pub(crate) fn take_overturned(&mut self, file: &str, protocol: Protocol, id: &str, reason: &str) {
        self.overturned += 1;
        self.take(file, protocol, id, &Outcome::Skipped(format!("overturned: {reason}")));
    }

    /// Prints the totals for each file and protocol, and last for all. Says whether nothing failed.
    pub(crate) fn finish(&self) -> bool {
        let mut all = Totals::default();
        for ((file, protocol), totals) in &self.totals {
            println!("{totals} | {file} {}", protocol.name());
            all.passed += totals.passed;
            all.failed += totals.failed;
            all.skipped += totals.skipped;
        }
        println!("OVERTURNED {} (counted as skipped)", self.overturned);
        println!("{all}");
        all.failed == 0
    }
}
