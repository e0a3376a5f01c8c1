//! Runs one record: every schedule, every way of ending, the same log each time, and the judge.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use crate::adapter::{Adapter, Encoded, Session};
use crate::judge::judge;
use crate::octets::{latin1, show};
use crate::record::{Ending, Kind, Record, Role, Step};
use crate::schedule::Schedule;
use crate::seen::{Over, Seen};

/// How one record or unit came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It holds; the typed result in words.
    Passed(String),
    /// It does not; what was wanted and what came.
    Failed(String),
    /// It was not run, and why.
    Skipped(String),
}

/// Runs a record. A panic inside it is its failure alone.
pub(crate) fn run(adapter: &dyn Adapter, record: &Record) -> Outcome {
    guarded(|| match record.setup.kind {
        Kind::Behaviour => Outcome::Skipped("behaviour: a test of its own names it".into()),
        Kind::Encode => encode(adapter, record),
        Kind::Wire if record.role == Role::Other => Outcome::Failed("a wire record for no machine".into()),
        Kind::Wire => wire(adapter, record),
    })
}

/// Runs something and turns a panic into a failure.
pub(crate) fn guarded(what: impl FnOnce() -> Outcome) -> Outcome {
    catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("of an unknown kind");
        Outcome::Failed(format!("panic: {message}"))
    })
}

fn wire(adapter: &dyn Adapter, record: &Record) -> Outcome {
    let endings: Vec<Option<Ending>> = match record.setup.eof.as_slice() {
        [] => vec![None],
        some => some.iter().copied().map(Some).collect(),
    };
    let mut result = String::new();
    for ending in endings {
        let mut first: Option<Seen> = None;
        for schedule in Schedule::all(record.input.len(), record.setup.feed_whole) {
            let seen = match replay(adapter, record, schedule, ending) {
                Ok(seen) => seen,
                Err(complaint) => return Outcome::Failed(complaint),
            };
            if let Some(fault) = &seen.fault {
                return Outcome::Failed(format!("{fault} ({})", schedule.name()));
            }
            let Some(first) = &first else {
                let replies = adapter.replies(&seen.output);
                let complaints = judge(record, &seen, &replies);
                if !complaints.is_empty() {
                    return Outcome::Failed(complaints.join("; "));
                }
                if result.is_empty() {
                    result = seen.show();
                }
                first = Some(seen);
                continue;
            };
            if let Some(difference) = first.differs(&seen) {
                return Outcome::Failed(format!(
                    "wanted the same events for every cut, got with {}: {difference}",
                    schedule.name()
                ));
            }
        }
    }
    Outcome::Passed(result)
}

/// One replay from a fresh connection.
fn replay(
    adapter: &dyn Adapter,
    record: &Record,
    schedule: Schedule,
    ending: Option<Ending>,
) -> Result<Seen, String> {
    let mut session = adapter.session(record.role, &record.setup).map_err(|why| format!("setup: {why}"))?;
    let session = session.as_mut();
    for (at, step) in record.setup.script.iter().enumerate() {
        take_step(adapter, record.role, session, step).map_err(|why| format!("setup, step {at}: {why}"))?;
        let seen = session.seen();
        if let Some(fault) = &seen.fault {
            return Err(format!("setup, step {at}: {fault}"));
        }
        if let Some(error) = &seen.fatal {
            return Err(format!("setup, step {at}: fatal ({error})"));
        }
        if seen.over != Over::Open {
            return Err(format!("setup, step {at}: {:?}", seen.over));
        }
    }
    session.mark();
    for read in schedule.reads(&record.input) {
        session.peer(read);
    }
    if let Some(how) = ending {
        session.eof(how);
    }
    session.finish();
    Ok(std::mem::take(session.seen()))
}

fn take_step(
    adapter: &dyn Adapter,
    role: Role,
    session: &mut dyn Session,
    step: &Step,
) -> Result<(), String> {
    match (step, role) {
        (Step::Peer(octets), _) => {
            session.peer(octets);
            Ok(())
        }
        (Step::Us(octets), Role::Server) => {
            // A server speaks first.
            session.peer(b"");
            let want = adapter.replies(octets);
            let got = adapter.replies(&std::mem::take(&mut session.seen().output));
            let same =
                want.len() == got.len() && want.iter().zip(&got).all(|(want, got)| code(want) == code(got));
            if same { Ok(()) } else { Err(format!("wanted {want:?}, got {got:?}")) }
        }
        (Step::Us(octets), _) => session.us(octets),
        (Step::Tls, _) => session.tls(),
    }
}

/// What of a reply a script stands for: the class of a code, a status word, a tag and its status.
fn code(reply: &str) -> String {
    if reply.as_bytes().get(..3).is_some_and(|code| code.iter().all(u8::is_ascii_digit)) {
        return reply.chars().take(1).collect();
    }
    let words = if reply.starts_with(['+', '-']) { 1 } else { 2 };
    reply.split(' ').take(words).collect::<Vec<_>>().join(" ")
}

/// A record of kind `encode`.
fn encode(adapter: &dyn Adapter, record: &Record) -> Outcome {
    let want = |key| record.want.get(key);
    let octets = match adapter.encode(record) {
        Encoded::NoSuchType => {
            return Outcome::Failed(format!("wanted a type {}, got none", record.setup.encode));
        }
        Encoded::Refused => {
            let refused = want("refused").and_then(Value::as_bool) != Some(false);
            return if refused {
                Outcome::Passed("refused".into())
            } else {
                Outcome::Failed("refused: wanted false, got true".into())
            };
        }
        Encoded::Text(text) => {
            return match want("value").and_then(Value::as_str) {
                Some(value) if value == text => Outcome::Passed(format!("{text:?}")),
                Some(value) => Outcome::Failed(format!("value: wanted {value:?}, got {text:?}")),
                None => Outcome::Failed(format!("refused: wanted true, got {text:?}")),
            };
        }
        Encoded::Octets(octets) => octets,
    };
    if want("refused").and_then(Value::as_bool) == Some(true) {
        return Outcome::Failed(format!("refused: wanted true, got {}", show(&octets)));
    }
    let mut wanted: Vec<&str> = want("output").and_then(Value::as_str).into_iter().collect();
    let any = want("output_any").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    wanted.extend(any.iter().filter_map(Value::as_str));
    if wanted.is_empty() || wanted.iter().any(|want| latin1(want).is_ok_and(|want| want == octets)) {
        Outcome::Passed(show(&octets))
    } else {
        Outcome::Failed(format!("output: wanted {wanted:?}, got {}", show(&octets)))
    }
}
