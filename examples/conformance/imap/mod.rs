//! The adapter of IMAP.

mod client;
mod commands;
mod encoders;
mod fetch;
mod responses;
mod server;

use mail_imap_proto::types::{Atom, Raw, Tag};
use mail_imap_proto::{Allow, Command, Grammar, Limits, Policy, Tls};
use mail_wire::Output;
use mail_wire::line::LineEnd;

use crate::adapter::{Adapter, Encoded, Session};
use crate::encoders::{body_eol, take};
use crate::record::{Policy as Wanted, Record, Role, Setup};
use crate::replies;
use crate::transcript::{self, Unit};

/// IMAP.
pub(crate) struct Imap;

/// Capabilities that the server of an RFC's transcript offers.
const ALL: &str = "IMAP4rev1 LITERAL+ SASL-IR ENABLE ID IDLE NAMESPACE UNSELECT STARTTLS UIDPLUS MOVE ESEARCH SEARCHRES \
    LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE STATUS=SIZE CONDSTORE QRESYNC BINARY UTF8=ACCEPT WITHIN CHILDREN \
    MULTIAPPEND CATENATE ACL RIGHTS=texk QUOTA SORT THREAD=REFERENCES THREAD=ORDEREDSUBJECT METADATA OBJECTID PREVIEW SAVEDATE REPLACE \
    UIDONLY PARTIAL NOTIFY CONTEXT=SEARCH CONTEXT=SORT SEARCH=FUZZY FILTERS LANGUAGE CONVERT URLAUTH COMPRESS=DEFLATE MULTISEARCH";

impl Adapter for Imap {
    fn session(&self, role: Role, setup: &Setup) -> Result<Box<dyn Session>, String> {
        if role == Role::Server { server::session(setup) } else { client::session(setup) }
    }

    fn replies(&self, output: &[u8]) -> Vec<String> {
        replies::imap(output)
    }

    fn encode(&self, record: &Record) -> Encoded {
        encoders::encode(record)
    }

    fn ready_for(&self, unit: &Unit, tolerant: bool) -> Result<Option<Box<dyn Session>>, String> {
        let mut session = self.before(unit.reader(), std::slice::from_ref(unit), tolerant)?;
        if unit.from_client && unit.kind != "command" {
            transcript::converse(session.as_mut(), unit)?;
        }
        Ok(Some(session))
    }

    fn reencode(&self, unit: &Unit, _tolerant: bool) -> Option<Result<Vec<u8>, String>> {
        let (line, message) = split_append(&unit.octets);
        if unit.kind != "command" {
            return None;
        }
        Some(command(line, true).map(|(tag, command)| {
            let mut output = Output::new();
            command.encode(tag, true, &mut output);
            let mut octets = Vec::new();
            take(&mut output, &mut octets);
            if let Some(message) = message {
                octets.extend_from_slice(message);
                octets.extend_from_slice(b"\r\n");
            }
            octets
        }))
    }

    fn before(&self, role: Role, block: &[Unit], tolerant: bool) -> Result<Box<dyn Session>, String> {
        let mut setup = Setup::plain(role);
        setup.policy.grammar_tolerant = tolerant || role == Role::Client;
        setup.policy.plaintext_auth = true;
        let words = |unit: &Unit| verb(if unit.kind == "command" { &unit.octets } else { &unit.asked });
        let starts_tls = block.iter().any(|unit| words(unit) == "STARTTLS");
        setup.offer = offer(block);
        if let Some(responses) = transcript::responses(block) {
            setup.app.insert("responses".into(), responses.into());
        }
        setup.app.insert("exists".into(), 100.into());
        let mut session = self.session(role, &setup)?;
        if !starts_tls {
            session.tls()?;
        }
        let Some(first) = block.first().filter(|unit| unit.kind != "greeting") else { return Ok(session) };
        if role == Role::Client {
            session.peer(format!("* OK [CAPABILITY {}] ready\r\n", setup.offer.join(" ")).as_bytes());
        }
        // The first command tells the state; before any command a mailbox may be selected.
        let anywhere = ["", "CAPABILITY", "NOOP", "ID", "LOGOUT"];
        let told = block.iter().map(words).find(|word| !anywhere.contains(&word.as_str()));
        let capability = block.iter().any(|unit| words(unit) == "CAPABILITY");
        let stage = told.map_or(if capability { 0 } else { 2 }, |word| stage_of(&word));
        if stage > 0 {
            exchange(session.as_mut(), role, "zz1 LOGIN x x", "zz1 OK done")?;
        }
        if stage > 1 {
            exchange(session.as_mut(), role, "zz2 SELECT x", "* 100 EXISTS\r\nzz2 OK [READ-WRITE] done")?;
        }
        if role == Role::Client && !first.from_client {
            ask(session.as_mut(), first)?;
        }
        Ok(session)
    }
}

/// Sends the command that a response answers: the one before it, or one that awaits such a response.
fn ask(session: &mut dyn Session, unit: &Unit) -> Result<(), String> {
    let typed = command(split_append(&unit.asked).0, true).is_ok();
    if unit.kind == "continuation" && (!unit.is_awaited() || !typed) {
        // A client that can write the argument without a literal does, and awaits nothing.
        let in_mailbox = session.us(b"zz9 APPEND x {3}\r\n");
        return in_mailbox.or_else(|_| session.us(b"zz9 LOGIN {2}\r\n\xc3\xa9 x\r\n"));
    }
    if typed {
        let bare = Unit { since: Vec::new(), ..unit.clone() };
        return transcript::converse(session, if unit.is_awaited() { unit } else { &bare });
    }
    if unit.kind == "tagged" {
        return session.us(&[unit.tag(), b" NOOP\r\n"].concat());
    }
    Ok(())
}

/// One command and its completion.
fn exchange(session: &mut dyn Session, role: Role, command: &str, completion: &str) -> Result<(), String> {
    if role == Role::Client {
        session.us(format!("{command}\r\n").as_bytes())?;
        session.peer(format!("{completion}\r\n").as_bytes());
    } else {
        session.peer(format!("{command}\r\n").as_bytes());
    }
    Ok(())
}

/// 0: nobody is logged in; 1: somebody is; 2: a mailbox is selected.
fn stage_of(verb: &str) -> u8 {
    match verb {
        "STARTTLS" | "LOGIN" | "AUTHENTICATE" => 0,
        "ENABLE" | "SELECT" | "EXAMINE" | "CREATE" | "DELETE" | "RENAME" | "SUBSCRIBE" | "UNSUBSCRIBE"
        | "LIST" | "LSUB" | "NAMESPACE" | "STATUS" | "APPEND" => 1,
        _ => 2,
    }
}

/// The capabilities of [`ALL`], and the mechanisms that a block names.
fn offer(block: &[Unit]) -> Vec<String> {
    let mut offer: Vec<String> = ALL.split_ascii_whitespace().map(str::to_owned).collect();
    offer.push("AUTH=PLAIN".into());
    // A client that may send literals at once awaits no continuation.
    let at_once = |unit: &Unit| unit.octets.windows(3).chain(unit.asked.windows(3)).any(|end| end == b"+}\r");
    if !block.iter().any(at_once) {
        offer.retain(|name| name != "LITERAL+");
    }
    for unit in block {
        let line = if unit.kind == "command" { &unit.octets } else { &unit.asked };
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace().skip(1);
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTHENTICATE")) {
            offer.extend(words.next().map(|name| format!("AUTH={name}")));
        }
    }
    offer
}

fn verb(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_ascii_whitespace().skip(1);
    let word = words.next().unwrap_or_default().to_ascii_uppercase();
    if word == "UID" { words.next().unwrap_or_default().to_ascii_uppercase() } else { word }
}

/// A command of a script, read as a server reads it.
fn command(line: &[u8], utf8: bool) -> Result<(Tag<'_>, Command<'_>), String> {
    Command::parse(line, &client::script_limits(), utf8)
        .map_err(|malformed| format!("the step is malformed: {:?}", malformed.rule))
}

/// A command of a script that has no type, as it stands.
fn untyped(line: &[u8]) -> Option<(Tag<'_>, Command<'_>)> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let mut words = line.splitn(3, |octet| *octet == b' ');
    let (tag, name, args) = (words.next()?, words.next()?, words.next().unwrap_or_default());
    let (uid, name, args) = match name.eq_ignore_ascii_case(b"UID") {
        false => (false, name, args),
        true => {
            let at = args.iter().position(|octet| *octet == b' ')?;
            (true, args.get(..at)?, args.get(at + 1..)?)
        }
    };
    let command = Command::Other { uid, name: Atom::new(name).ok()?, args: Raw::new(args).ok()? };
    Some((Tag::new(tag).ok()?, command))
}

/// An APPEND up to the announcement of its message, and the message; anything else as it is.
fn split_append(octets: &[u8]) -> (&[u8], Option<&[u8]>) {
    if verb(octets) != "APPEND" {
        return (octets, None);
    }
    // The message is the literal whose octets reach to the end of the command.
    let ends: Vec<usize> =
        octets.windows(2).enumerate().filter(|(_, end)| *end == b"\r\n").map(|(at, _)| at).collect();
    for end in ends {
        let line = octets.get(..end).unwrap_or_default();
        let digits = line.strip_suffix(b"}").and_then(|line| line.rsplit(|octet| *octet == b'{').next());
        let digits = digits.map(|digits| digits.strip_suffix(b"+").unwrap_or(digits));
        let length = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
        let behind = octets.get(end + 2..).unwrap_or_default();
        let Some(message) = length.and_then(|length| behind.get(..length)) else { continue };
        let tail = behind.get(message.len()..).unwrap_or_default();
        if matches!(tail, b"\r\n" | b")\r\n" | b"") && !behind.is_empty() {
            return (octets.get(..end + 2).unwrap_or_default(), Some(message));
        }
    }
    (octets, None)
}

/// The policies of a record in the library's words.
fn policy(wanted: &Wanted) -> Policy {
    let allow = |yes| if yes { Allow::Allow } else { Allow::Refuse };
    Policy {
        grammar: if wanted.grammar_tolerant { Grammar::tolerant() } else { Grammar::strict() },
        line: if wanted.line_tolerant { LineEnd::Tolerant } else { LineEnd::Strict },
        body_eol: body_eol(wanted.body_eol),
        tls: if wanted.tls_required { Tls::Required } else { Tls::Opportunistic },
        plaintext_auth: allow(wanted.plaintext_auth),
        preauth: allow(wanted.preauth),
    }
}

/// The limits of a record in the library's words.
fn limits(setup: &Setup) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for (name, limit) in &setup.limits {
        match name.as_str() {
            "append" => limits.append = *limit,
            "unsolicited" => limits.unsolicited = Some(u32::try_from(*limit).unwrap_or(u32::MAX)),
            "sequence_items" => limits.set_items = usize::try_from(*limit).unwrap_or(usize::MAX),
            "bad_commands" => limits.bad_commands = u32::try_from(*limit).unwrap_or(u32::MAX),
            _ => return Err(format!("no limit {name}")),
        }
    }
    Ok(limits)
}
