//! Transcripts of RFCs: their units, and which reply answers which command.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use crate::adapter::Session;
use crate::octets::latin1;
use crate::record::{Protocol, Role, text};

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
    pub(crate) fn stand_in(&self) -> Vec<u8> {
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
    pub(crate) fn is_parsed(&self) -> bool {
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

/// Whether a reply refuses.
pub(crate) fn is_refusal(reply: &str) -> bool {
    reply.starts_with(['4', '5'])
        || reply.starts_with("-ERR")
        || matches!(reply.split(' ').nth(1), Some("BAD" | "NO"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Units of one block: direction, kind and octets; a unit whose octets begin with `!` is not for parsing.
    fn block(family: &str, lines: &[(&str, &str, &str)]) -> Vec<Unit> {
        let unit = |(line, (direction, kind, octets)): (usize, &(&str, &str, &str))| {
            let exact = !octets.starts_with('!');
            let octets = octets.trim_start_matches('!');
            Unit::read(&json!({"id": "x", "rfc": 1, "line": line, "protocol": family, "block": 1,
                "direction": direction, "kind": kind, "bytes": octets, "exact": exact}))
            .expect("a unit")
        };
        let mut units = lines.iter().enumerate().map(unit).collect::<Vec<_>>();
        chain(&mut units);
        units
    }

    #[test]
    fn pipelined_replies_belong_to_their_commands_in_order() {
        let units = block(
            "smtp",
            &[
                ("C", "command", "MAIL FROM:<a@b>\r\n"),
                ("C", "command", "RCPT TO:<c@d>\r\n"),
                ("C", "command", "DATA\r\n"),
                ("S", "reply", "250 ok\r\n"),
                ("S", "reply", "550 no\r\n"),
                ("S", "reply", "354 go\r\n"),
                ("C", "data", "!Blah ...\r\n"),
                ("S", "reply", "554 no\r\n"),
            ],
        );
        let asked: Vec<&[u8]> = units.iter().map(|unit| unit.asked.get(..4).unwrap_or_default()).collect();
        assert_eq!(asked, [b"".as_slice(), b"", b"", b"MAIL", b"RCPT", b"DATA", b"DATA", b"DATA"]);
        let refused: Vec<bool> = units.iter().map(|unit| unit.is_refused).collect();
        assert_eq!(refused, [false, true, false, false, false, false, true, false]);
        assert_eq!(units[7].since.len(), 2, "the 354 and the body");
        assert!(units[6].stand_in().ends_with(b"\r\n.\r\n"));
        assert_eq!(answers(&units, "RCPT"), ["refuse"]);
        assert_eq!(answers_to_bodies(&units), ["refuse"]);
    }

    #[test]
    fn completions_belong_to_the_command_with_their_tag() {
        let units = block(
            "imap",
            &[
                ("C", "command", "a1 NOOP\r\n"),
                ("C", "command", "a2 SELECT x\r\n"),
                ("S", "tagged", "a2 NO none\r\n"),
                ("S", "tagged", "!a1 OK ...\r\n"),
            ],
        );
        assert_eq!(units[2].asked, b"a2 SELECT x\r\n");
        assert_eq!(units[3].asked, b"a1 NOOP\r\n");
        assert!(units[1].is_refused && !units[0].is_refused);
        assert_eq!(units[3].stand_in(), b"a1 OK done\r\n");
    }

    #[test]
    fn an_exchange_is_told_up_to_the_unit() {
        let units = block(
            "pop3",
            &[
                ("C", "command", "AUTH X\r\n"),
                ("S", "reply", "+ \r\n"),
                ("C", "auth-data", "eA==\r\n"),
                ("S", "reply", "+OK\r\n"),
            ],
        );
        assert_eq!(units[2].since, [(false, b"+ \r\n".to_vec())]);
        assert_eq!(units[3].since.len(), 2);
        assert_eq!(responses(&units), Some(1));
        assert_eq!(responses(&units[3..]), Some(1));
    }

    #[test]
    fn a_reply_that_an_rfc_shortens_has_a_last_line() {
        let units = block("smtp", &[("S", "reply", "!250-a\r\n250-b\r\n"), ("S", "reply", "!OK\r\n")]);
        assert_eq!(units[0].stand_in(), b"250-a\r\n250 b\r\n");
        assert_eq!(units[1].stand_in(), b"250 OK\r\n");
    }
}
