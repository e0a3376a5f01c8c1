//! Units cut out of the RFCs: decoded, asked for more at every proper prefix, encoded again, replayed by block.

use std::collections::BTreeMap;

use crate::adapter::Adapter;
use crate::octets::show;
use crate::record::Role;
use crate::run::{Outcome, guarded};
use crate::seen::{Over, Seen};
use crate::transcript::{Unit, is_refusal};

/// Runs all units of one file. The outcomes stand in the order of the units.
pub(crate) fn run(adapter: &dyn Adapter, units: &[Unit]) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = units.iter().map(|unit| guarded(|| alone(adapter, unit))).collect();
    let mut blocks: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    let mut skipping: BTreeMap<(u64, u64), bool> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate().filter(|(_, unit)| unit.family != "sasl") {
        // What is not for parsing stands in no replay either, nor do the replies to it; bodies and replies have stand-ins.
        let skip = skipping.entry(unit.block).or_default();
        let body = matches!(unit.kind.as_str(), "data" | "bdat-data")
            || (unit.kind == "reply" && unit.family == "smtp")
            || unit.kind == "tagged";
        if unit.from_client && !body {
            *skip = !unit.is_parsed();
        }
        let awaited = unit.kind != "continuation" || unit.is_awaited();
        if !*skip && awaited && (unit.is_parsed() || body) {
            blocks.entry(unit.block).or_default().push(at);
        }
    }
    for members in blocks.values() {
        for role in [Role::Server, Role::Client] {
            let stand_in = |at: &usize| Unit { octets: units[*at].stand_in(), ..units[*at].clone() };
            let block: Vec<Unit> = members.iter().map(stand_in).collect();
            let outcome = guarded(|| match replay(adapter, role, &block) {
                Ok(()) => Outcome::Passed(String::new()),
                Err((at, why)) => Outcome::Skipped(format!("{at} {why}")),
            });
            let (at, why) = match &outcome {
                Outcome::Passed(_) => continue,
                Outcome::Failed(panic) => (0, panic.as_str()),
                Outcome::Skipped(why) => {
                    let (at, why) = why.split_once(' ').unwrap_or(("0", why));
                    (at.parse().unwrap_or(0), why)
                }
            };
            let slot = &mut outcomes[members[at]];
            if matches!(slot, Outcome::Passed(_)) {
                *slot = Outcome::Failed(format!("replay of the block by the {}: {why}", role_name(role)));
            }
        }
    }
    outcomes
}

/// One unit by itself.
fn alone(adapter: &dyn Adapter, unit: &Unit) -> Outcome {
    if !unit.is_parsed() {
        return Outcome::Skipped(format!("not for parsing: {}", unit.inexact));
    }
    let tolerant = !unit.exact;
    let seen = match read(adapter, unit, tolerant) {
        Ok(Some(seen)) => seen,
        Ok(None) => return Outcome::Skipped(format!("no machine reads a bare {}", unit.kind)),
        Err(why) => return Outcome::Failed(why),
    };
    match adapter.reencode(unit, tolerant) {
        None => {}
        Some(Err(why)) => return Outcome::Failed(format!("encoded again: {why}")),
        Some(Ok(octets)) => {
            let again = Unit { octets, ..unit.clone() };
            match read(adapter, &again, tolerant) {
                Ok(Some(second)) if second.log == seen.log => {}
                Ok(second) => {
                    let difference = second.and_then(|second| seen.differs(&second)).unwrap_or_default();
                    return Outcome::Failed(format!(
                        "encoded again as {}: {difference}",
                        show(&again.octets)
                    ));
                }
                Err(why) => {
                    return Outcome::Failed(format!("encoded again as {}: {why}", show(&again.octets)));
                }
            }
        }
    }
    Outcome::Passed(seen.show())
}

/// Feeds a unit octet by octet: nothing completes before the last octet, and all of it is typed with that.
fn read(adapter: &dyn Adapter, unit: &Unit, tolerant: bool) -> Result<Option<Seen>, String> {
    let ready = adapter.ready_for(unit, tolerant).map_err(|why| format!("setup: {why}"))?;
    let Some(mut session) = ready else { return Ok(None) };
    let session = session.as_mut();
    session.peer(b"");
    session.mark();
    let last = unit.octets.len().saturating_sub(1);
    let mut whole_output = Vec::new();
    for (at, octet) in unit.octets.iter().enumerate() {
        session.peer(std::slice::from_ref(octet));
        let seen = session.seen();
        if let Some(error) = &seen.fatal {
            return Err(format!("wanted {}, got fatal ({error}) after {} octets", unit.kind, at + 1));
        }
        if let Some(fault) = &seen.fault {
            return Err(format!("{fault} after {} octets", at + 1));
        }
        if at < last && early(unit, seen) {
            return Err(format!("wanted more input after {} octets, got {}", at + 1, seen.show()));
        }
        whole_output.clone_from(&seen.output);
    }
    let seen = session.seen();
    if let [name, ..] = seen.malformed_names().as_slice() {
        return Err(format!("wanted {}, got malformed {name}", unit.kind));
    }
    if unit.from_client && !unit.is_refused {
        if let Some(reply) = adapter.replies(&whole_output).iter().find(|reply| is_refusal(reply)) {
            return Err(format!("wanted {}, got the refusal {reply:?}", unit.kind));
        }
    }
    if seen.log.is_empty() && seen.output.is_empty() {
        return Err(format!("wanted {}, got no event", unit.kind));
    }
    Ok(Some(std::mem::take(seen)))
}

/// Whether something came before the last octet that may not: a completed event, or a reply. A continuation for a literal
/// and the pieces of a body may.
fn early(unit: &Unit, seen: &Seen) -> bool {
    let continuation = seen.output.starts_with(b"+ ");
    let streamed =
        matches!(unit.kind.as_str(), "data" | "bdat-data" | "multiline") || unit.octets.contains(&b'{');
    (seen.completions() > 0 && !streamed) || (!seen.output.is_empty() && !continuation)
}

/// Replays a block on one machine. The error names the position of the unit at which it stops.
fn replay(adapter: &dyn Adapter, role: Role, block: &[Unit]) -> Result<(), (usize, String)> {
    let tolerant = block.iter().any(|unit| unit.lenient);
    let mut session = adapter.before(role, block, tolerant).map_err(|why| (0, format!("setup: {why}")))?;
    let session = session.as_mut();
    session.peer(b"");
    session.mark();
    for (at, unit) in block.iter().enumerate() {
        if session.is_upgrading() {
            session.tls().map_err(|why| (at, why))?;
        }
        let before = session.seen().completions();
        let written = session.seen().output.len();
        if role == Role::Client && at > 0 && unit.kind == "tagged" && unit.asked.is_empty() {
            // The transcript begins behind the command.
            session.us(&[unit.tag(), b" NOOP\r\n"].concat()).map_err(|why| (at, why))?;
        }
        if unit.reader() == role {
            session.peer(&unit.octets);
        } else if role == Role::Client {
            session.us(&unit.octets).map_err(|why| (at, why))?;
        }
        let seen = session.seen();
        if let Some(error) = &seen.fatal {
            return Err((at, format!("fatal ({error})")));
        }
        if let Some(fault) = &seen.fault {
            return Err((at, fault.clone()));
        }
        let came = seen.completions() > before || seen.output.len() > written;
        if unit.reader() == role && !came && seen.over == Over::Open {
            return Err((at, "no event".into()));
        }
    }
    Ok(())
}

fn role_name(role: Role) -> &'static str {
    if role == Role::Server { "server" } else { "client" }
}
