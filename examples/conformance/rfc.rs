//! Units cut out of the RFCs: decoded, asked for more at every proper prefix, encoded again, replayed by block.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use crate::adapter::{Adapter, Session};
use crate::octets::{latin1, show};
use crate::record::{Protocol, Role, text};
use crate::run::{Outcome, guarded};
use crate::seen::{Over, Seen};

/// Lines of a SASL exchange: whether by the client, and the octets.
type Exchange = Vec<(bool, Vec<u8>)>;

/// One command, reply or body of an RFC.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    /// `rfcN-line`.
    pub(crate) id: String,
    /// The name in the file: `smtp`, `lmtp`, `sasl`, `imap` or `pop3`.
    pub(crate) family: String,
    /// The protocol it counts under.
    pub(crate) protocol: Protocol,
    /// Units of one transcript share it.
    pub(crate) block: (u64, u64),
    /// The line of the RFC where it begins.
    pub(crate) line: u64,
    /// Sent by the client.
    pub(crate) from_client: bool,
    /// What kind of unit it is.
    pub(crate) kind: String,
    /// The command that a reply answers, or empty.
    pub(crate) cmd: String,
    /// Its octets.
    pub(crate) octets: Vec<u8>,
    /// It is to be parsed as it stands.
    pub(crate) exact: bool,
    /// It must pass in the tolerant mode.
    pub(crate) lenient: bool,
    /// Why it is not exact.
    pub(crate) inexact: String,
    /// The command line that came last before it in its block, or empty.
    pub(crate) asked: Vec<u8>,
    /// What was said since in a SASL exchange: whether by the client, and the octets.
    pub(crate) since: Exchange,
    /// A command that the server of the transcript refuses.
    pub(crate) is_refused: bool,
}

impl Unit {
    /// Reads one line of the file.
    pub(crate) fn read(line: &Value) -> Result<Unit, String> {
        let number = |key| line.get(key).and_then(Value::as_u64).ok_or_else(|| format!("no {key}"));
        let yes = |key| line.get(key).and_then(Value::as_bool).unwrap_or(false);
        Ok(Unit {
            id: text(line, "id")?.to_owned(),
            family: text(line, "protocol")?.to_owned(),
            protocol: Protocol::of(text(line, "protocol")?)?,
            block: (number("rfc")?, number("block")?),
            line: number("line")?,
            from_client: text(line, "direction")? == "C",
            kind: text(line, "kind")?.to_owned(),
            cmd: text(line, "cmd").unwrap_or_default().to_owned(),
            octets: latin1(text(line, "bytes")?)?,
            exact: yes("exact"),
            lenient: yes("lenient"),
            inexact: line.get("inexact").map(Value::to_string).unwrap_or_default(),
            asked: Vec::new(),
            since: Vec::new(),
            is_refused: false,
        })
    }

    /// The machine that reads it.
    pub(crate) fn reader(&self) -> Role {
        if self.from_client { Role::Server } else { Role::Client }
    }

    /// Its first word: of an IMAP completion the tag.
    pub(crate) fn tag(&self) -> &[u8] {
        self.octets.split(|octet| *octet == b' ').next().unwrap_or_default()
    }

    /// Whether a client awaits the continuation that this is, whatever form it gives its arguments.
    pub(crate) fn is_awaited(&self) -> bool {
        let asked = String::from_utf8_lossy(&self.asked).to_ascii_uppercase();
        let word = asked.split_ascii_whitespace().nth(1).unwrap_or_default();
        self.protocol != Protocol::Imap || ["AUTHENTICATE", "APPEND", "IDLE"].contains(&word)
    }

    /// Its octets, or for a body that an RFC shortens, one that can stand in its place.
    fn stand_in(&self) -> Vec<u8> {
        match self.kind.as_str() {
            "data" if !self.is_parsed() => b"Subject: x\r\n\r\nx\r\n.\r\n".to_vec(),
            "bdat-data" if !self.is_parsed() => {
                let asked = String::from_utf8_lossy(&self.asked);
                let octets = asked.split_ascii_whitespace().nth(1).and_then(|octets| octets.parse().ok());
                vec![b'x'; octets.unwrap_or(0)]
            }
            "reply" if !self.is_parsed() && self.family == "smtp" => self.whole_reply(),
            "tagged" if !self.is_parsed() => [self.tag(), b" OK done\r\n"].concat(),
            _ => self.octets.clone(),
        }
    }

    /// An SMTP reply that an RFC shortens, with a code and a last line.
    fn whole_reply(&self) -> Vec<u8> {
        let coded = self.octets.get(..3).is_some_and(|code| code.iter().all(u8::is_ascii_digit));
        let mut reply = if coded { self.octets.clone() } else { [b"250 ", self.octets.as_slice()].concat() };
        let before_last = reply.strip_suffix(b"\r\n").unwrap_or(&reply);
        let last = before_last.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
        if let Some(separator) = reply.get_mut(last + 3) {
            *separator = b' ';
        }
        reply
    }

    /// Whether it is to be parsed at all.
    fn is_parsed(&self) -> bool {
        self.exact || self.lenient
    }
}

/// What the units of a block have said so far.
#[derive(Default)]
struct Told {
    /// Commands that wait for their replies, by their places.
    waiting: VecDeque<usize>,
    /// The command whose reply came last.
    last: Option<usize>,
    /// What was said since each command.
    since: BTreeMap<usize, Exchange>,
    /// The body that was sent last.
    body: Option<usize>,
}

/// Puts the units into the order of their RFCs, in which a continuation stands behind the first line of its command, and
/// pairs replies with commands: tells each reply what was asked, each command and body whether it is refused.
pub(crate) fn chain(units: &mut [Unit]) {
    units.sort_by_key(|unit| (unit.block, unit.line));
    let mut blocks: BTreeMap<(u64, u64), Told> = BTreeMap::new();
    for at in 0..units.len() {
        let told = blocks.entry(units[at].block).or_default();
        if units[at].from_client {
            chain_client(units, at, told);
        } else {
            chain_server(units, at, told);
        }
    }
}

fn chain_client(units: &mut [Unit], at: usize, told: &mut Told) {
    if units[at].kind == "command" && units[at].octets != b".\r\n" {
        told.waiting.push_back(at);
        return;
    }
    // A body or a response belongs to the command that was sent last.
    told.body = Some(at);
    let Some(command) = told.waiting.back().copied().or(told.last) else { return };
    units[at].asked = units[command].octets.clone();
    let since = told.since.entry(command).or_default();
    units[at].since.clone_from(since);
    since.push((true, units[at].stand_in()));
}

fn chain_server(units: &mut [Unit], at: usize, told: &mut Told) {
    let reply = String::from_utf8_lossy(&units[at].octets).into_owned();
    let tagged = units[at].kind == "tagged";
    let tag = |line: &[u8]| line.split(|octet| *octet == b' ').next().unwrap_or_default().to_vec();
    let same_tag = |command: &&usize| !tagged || tag(&units[**command].octets) == tag(reply.as_bytes());
    let command = told.waiting.iter().find(same_tag).copied();
    let answers = matches!(units[at].kind.as_str(), "reply" | "tagged" | "multiline");
    let goes_on = ["+ ", "+\r", "334", "354"].iter().any(|start| reply.starts_with(start));
    let Some(command) = command else {
        let asked = told.last.map(|command| units[command].octets.clone()).unwrap_or_default();
        units[at].asked = asked;
        return;
    };
    units[at].asked = units[command].octets.clone();
    let since = told.since.entry(command).or_default();
    units[at].since.clone_from(since);
    if goes_on {
        since.push((false, units[at].octets.clone()));
    } else if answers {
        let refused = if since.iter().any(|(by_client, _)| *by_client) { told.body } else { Some(command) };
        if let Some(refused) = refused.filter(|_| is_refusal(&reply)) {
            units[refused].is_refused = true;
        }
        told.waiting.retain(|waiting| *waiting != command);
        told.last = Some(command);
    }
}

/// What the application of a transcript answers to the commands with a verb: a list for `setup.app`.
pub(crate) fn answers(block: &[Unit], verb: &str) -> Vec<&'static str> {
    let asked = |unit: &&Unit| {
        let word = unit.octets.split(|octet| b" \r\n".contains(octet)).next().unwrap_or_default();
        unit.from_client && unit.kind == "command" && word.eq_ignore_ascii_case(verb.as_bytes())
    };
    block.iter().filter(asked).map(|unit| if unit.is_refused { "refuse" } else { "accept" }).collect()
}

/// Brings a machine to where a unit comes: says what was asked before it, and what was said since.
///
/// # Errors
/// In words, when a step of our side is not taken.
pub(crate) fn converse(session: &mut dyn Session, unit: &Unit) -> Result<(), String> {
    let since = unit.since.iter().map(|(by_client, octets)| (*by_client, octets));
    for (by_client, octets) in std::iter::once((true, &unit.asked)).chain(since) {
        match (by_client, unit.reader()) {
            (true, Role::Server) | (false, Role::Client) => session.peer(octets),
            (true, _) => session.us(octets)?,
            // The stub of the server has answered in its own way.
            (false, _) => {}
        }
    }
    Ok(())
}

/// How many responses the exchange of a block takes, or of the exchange that a single unit belongs to; `None` where there is none.
pub(crate) fn responses(block: &[Unit]) -> Option<u32> {
    let earlier =
        block.first().map_or(0, |unit| unit.since.iter().filter(|(by_client, _)| *by_client).count());
    let here = block.iter().filter(|unit| unit.kind == "auth-data").count();
    u32::try_from(earlier + here).ok().filter(|responses| *responses > 0)
}

/// What the application of a transcript answers to complete bodies.
pub(crate) fn answers_to_bodies(block: &[Unit]) -> Vec<&'static str> {
    let body = |unit: &&Unit| unit.kind == "data";
    block.iter().filter(body).map(|unit| if unit.is_refused { "refuse" } else { "accept" }).collect()
}

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

/// Whether a reply refuses.
fn is_refusal(reply: &str) -> bool {
    reply.starts_with(['4', '5'])
        || reply.starts_with("-ERR")
        || matches!(reply.split(' ').nth(1), Some("BAD" | "NO"))
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
