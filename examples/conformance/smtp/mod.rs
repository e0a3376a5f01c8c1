//! The adapter of SMTP and LMTP.

mod client;
mod server;
mod values;

use mail_smtp_proto::policy::{Allow, Grammar, Policy, Sync, Tls};
use mail_smtp_proto::types::{
    Code, EhloName, EnhancedCode, EsmtpKeyword, Mailbox, ReplyText, VrfyArgument, Xtext,
};
use mail_smtp_proto::{Command, Limits, ReplyBuf};
use mail_wire::Output;
use mail_wire::line::LineEnd;

use crate::adapter::{Adapter, Encoded, Session};
use crate::encoders::{body_eol, dot_body, take};
use crate::octets::latin1;
use crate::record::{Policy as Wanted, Record, Role, Setup};
use crate::replies;
use crate::transcript::{self, Unit};

/// SMTP and LMTP.
pub(crate) struct Smtp;

/// Extensions that the server of an RFC's transcript offers: all that have a parameter or a verb.
const ALL: &[&str] = &[
    "PIPELINING",
    "SIZE 10485760",
    "8BITMIME",
    "ENHANCEDSTATUSCODES",
    "CHUNKING",
    "BINARYMIME",
    "DSN",
    "SMTPUTF8",
    "HELP",
    "VRFY",
    "EXPN",
    "ETRN",
    "DELIVERBY",
    "FUTURERELEASE",
    "MT-PRIORITY",
    "RRVS",
    "REQUIRETLS",
    "NO-SOLICITING",
    "MTRK",
    "CONPERM",
    "CONNEG",
    "BURL",
    "CHECKPOINT",
    "SUBMITTER",
    "STARTTLS",
];

impl Adapter for Smtp {
    fn session(&self, role: Role, setup: &Setup) -> Result<Box<dyn Session>, String> {
        if role == Role::Server { server::session(setup) } else { client::session(setup) }
    }

    fn replies(&self, output: &[u8]) -> Vec<String> {
        replies::smtp(output)
    }

    fn encode(&self, record: &Record) -> Encoded {
        encode(record)
    }

    fn ready_for(&self, unit: &Unit, tolerant: bool) -> Result<Option<Box<dyn Session>>, String> {
        if unit.family == "sasl" {
            return Ok(None);
        }
        let mut session = self.before(unit.reader(), std::slice::from_ref(unit), tolerant)?;
        if unit.kind != "command" && unit.from_client {
            transcript::converse(session.as_mut(), unit)?;
        }
        Ok(Some(session))
    }

    fn reencode(&self, unit: &Unit, _tolerant: bool) -> Option<Result<Vec<u8>, String>> {
        if unit.kind != "command" {
            return None;
        }
        Some(command(&unit.octets).map(|command| {
            let mut output = Output::new();
            mail_smtp_proto::encode::command(&command, &mut output);
            let mut octets = Vec::new();
            take(&mut output, &mut octets);
            octets
        }))
    }

    fn before(&self, role: Role, block: &[Unit], tolerant: bool) -> Result<Box<dyn Session>, String> {
        let mut setup = Setup::plain(role);
        setup.policy.grammar_tolerant = tolerant || role == Role::Client;
        setup.policy.plaintext_auth = true;
        let starts_tls = block.iter().any(|unit| verb(&unit.octets) == "STARTTLS" || unit.cmd == "STARTTLS");
        setup.lmtp = block.iter().any(|unit| unit.family == "lmtp");
        setup.offer = ALL.iter().map(|line| (*line).to_owned()).collect();
        setup.offer.push(mechanisms(block));
        if let Some(responses) = transcript::responses(block) {
            setup.app.insert("responses".into(), responses.into());
        }
        for (key, verb) in [("mail", "MAIL"), ("rcpt", "RCPT"), ("auth", "AUTH")] {
            let answers = transcript::answers(block, verb);
            if block.len() > 1 && !answers.is_empty() {
                setup.app.insert(key.into(), answers.into());
            }
        }
        if block.len() > 1 {
            setup.app.insert("end_of_data".into(), transcript::answers_to_bodies(block).into());
        }
        let mut session = self.session(role, &setup)?;
        if !starts_tls {
            session.tls()?;
        }
        let Some(first) = block.first() else { return Ok(session) };
        if is_greeting(first) {
            return Ok(session);
        }
        if role == Role::Client {
            session.peer(b"220 mx.example ESMTP\r\n");
        }
        let verb = match first.kind.as_str() {
            "command" => verb(&first.octets),
            "data" | "bdat-data" | "auth-data" => verb(&first.asked),
            _ => verb_of_reply(first),
        };
        for line in stage(&verb, setup.lmtp) {
            exchange(session.as_mut(), role, line, &setup.offer)?;
        }
        if role == Role::Client && !first.from_client {
            let mut asked = first.clone();
            if asked.asked.is_empty() || command(&asked.asked).is_err() {
                asked.asked = stand_in(&verb);
                asked.since.clear();
            }
            transcript::converse(session.as_mut(), &asked)?;
        }
        Ok(session)
    }
}

/// A reply that answers no command.
fn is_greeting(unit: &Unit) -> bool {
    !unit.from_client && verb_of_reply(unit).is_empty()
}

/// The command that a reply answers: the one before it, the one that the file names, or one that its code tells of.
fn verb_of_reply(unit: &Unit) -> String {
    match unit.octets.get(..3) {
        _ if !unit.asked.is_empty() => verb(&unit.asked),
        _ if !unit.cmd.is_empty() => unit.cmd.clone(),
        Some(b"235") => "AUTH".into(),
        Some(b"250") => "NOOP".into(),
        _ => String::new(),
    }
}

/// The commands that must have gone before.
fn stage(verb: &str, lmtp: bool) -> Vec<&'static [u8]> {
    let hello: &[u8] = if lmtp { b"LHLO client.example\r\n" } else { b"EHLO client.example\r\n" };
    let transaction: [&[u8]; 3] = [hello, b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n"];
    let count = match verb {
        "EHLO" | "HELO" | "LHLO" => 0,
        "RCPT" => 2,
        "DATA" | "BDAT" | "BURL" => 3,
        _ => 1,
    };
    transaction.into_iter().take(count).collect()
}

/// One command and its positive answer.
fn exchange(session: &mut dyn Session, role: Role, line: &[u8], offer: &[String]) -> Result<(), String> {
    if role == Role::Server {
        session.peer(line);
        return Ok(());
    }
    session.us(line)?;
    if matches!(verb(line).as_str(), "EHLO" | "LHLO") {
        let lines: String = offer.iter().map(|line| format!("250-{line}\r\n")).collect();
        session.peer(format!("250-mx.example\r\n{lines}250 OK\r\n").as_bytes());
    } else {
        session.peer(b"250 2.0.0 ok\r\n");
    }
    Ok(())
}

/// A command with this verb, for a reply whose own command does not come right before it.
fn stand_in(verb: &str) -> Vec<u8> {
    let argument = match verb {
        "EHLO" | "HELO" | "LHLO" => " client.example",
        "MAIL" => " FROM:<a@b.example>",
        "RCPT" => " TO:<c@d.example>",
        "VRFY" | "EXPN" | "ETRN" => " x",
        "AUTH" => " PLAIN AGEAYg==",
        "BDAT" => " 0 LAST",
        _ => "",
    };
    format!("{verb}{argument}\r\n").into_bytes()
}

/// The AUTH line for the mechanisms that a block names, and PLAIN.
fn mechanisms(block: &[Unit]) -> String {
    let mut line = "AUTH PLAIN".to_owned();
    for unit in block {
        let text = if unit.from_client && unit.kind == "command" { &unit.octets } else { &unit.asked };
        let text = String::from_utf8_lossy(text);
        let mut words = text.split_ascii_whitespace();
        if words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH")) {
            line.extend(words.next().iter().flat_map(|name| [" ", *name]));
        }
    }
    line
}

fn verb(line: &[u8]) -> String {
    let word = line.split(|octet| b" \r\n".contains(octet)).next().unwrap_or_default();
    String::from_utf8_lossy(word).to_ascii_uppercase()
}

/// A command line of a script, read as a server reads it.
fn command(line: &[u8]) -> Result<Command<'_>, String> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    Command::parse(line).map_err(|invalid| format!("the step is malformed: {invalid}"))
}

/// The policies of a record in the library's words.
fn policy(wanted: &Wanted, role: Role) -> Policy {
    let allow = |yes| if yes { Allow::Allow } else { Allow::Refuse };
    Policy {
        grammar: if wanted.grammar_tolerant { Grammar::tolerant() } else { Grammar::strict() },
        line: if wanted.line_tolerant { LineEnd::Tolerant } else { LineEnd::Strict },
        body_eol: body_eol(wanted.body_eol),
        sync: if wanted.sync_strict { Sync::Strict } else { Sync::Loose },
        tls: if wanted.tls_required { Tls::Required } else { Tls::Opportunistic },
        plaintext_auth: allow(wanted.plaintext_auth),
        early_talker: allow(!wanted.early_talker_close),
        xclient: allow(wanted.xclient),
        ..if role == Role::Server { Policy::server() } else { Policy::client() }
    }
}

/// The limits of a record in the library's words.
fn limits(setup: &Setup) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for (name, limit) in &setup.limits {
        let small = u32::try_from(*limit).unwrap_or(u32::MAX);
        match name.as_str() {
            "message" => limits.message = *limit,
            "recipients" => limits.recipients = small,
            "chunks" => limits.chunks = small,
            "bad_commands" => limits.bad_commands = small,
            "idle_commands" => limits.idle_commands = small,
            _ => return Err(format!("no limit {name}")),
        }
    }
    Ok(limits)
}

fn encode(record: &Record) -> Encoded {
    let input = record.input.as_slice();
    let octets = |octets: &[u8]| Encoded::Octets(octets.to_vec());
    match record.setup.encode.as_str() {
        "SmtpMailbox" => Mailbox::new(input).map_or(Encoded::Refused, |mailbox| octets(mailbox.as_bytes())),
        "SmtpDomain" => mail_smtp_proto::types::Domain::new(input)
            .map_or(Encoded::Refused, |domain| octets(domain.as_bytes())),
        "EhloName" => EhloName::new(input).map_or(Encoded::Refused, |name| octets(name.as_bytes())),
        "EsmtpKeyword" => EsmtpKeyword::new(input).map_or(Encoded::Refused, |word| octets(word.as_bytes())),
        "VrfyArgument" => VrfyArgument::new(input).map_or(Encoded::Refused, |word| octets(word.as_bytes())),
        "Xtext" => Xtext::encode(input).map_or(Encoded::Refused, Encoded::Octets),
        "EnhancedCode" => EnhancedCode::try_from(input)
            .map_or(Encoded::Refused, |code| Encoded::Octets(code.to_string().into_bytes())),
        "SmtpReply" => reply(record).map_or(Encoded::Refused, Encoded::Octets),
        "EhloReply" => ehlo_reply(record).map_or(Encoded::Refused, Encoded::Octets),
        "DotBody" => dot_body(record),
        _ => Encoded::NoSuchType,
    }
}

/// One line of reply, with the code of `arg`.
fn reply(record: &Record) -> Option<Vec<u8>> {
    let code = record.setup.arg.get("code").and_then(serde_json::Value::as_u64);
    let code = Code::new(u16::try_from(code?).ok()?).ok()?;
    let reply = ReplyBuf::new(code, ReplyText::new(&record.input).ok()?);
    let mut output = Output::new();
    mail_smtp_proto::encode::reply(&reply, false, &mut output);
    let mut octets = Vec::new();
    take(&mut output, &mut octets);
    Some(octets)
}

/// The reply that a server with this name and these extension lines gives to EHLO.
fn ehlo_reply(record: &Record) -> Option<Vec<u8>> {
    let mut setup = Setup::plain(Role::Server);
    setup.offer = String::from_utf8(record.input.clone()).ok()?.lines().map(str::to_owned).collect();
    let name = latin1(record.setup.arg.get("name")?.as_str()?).ok()?;
    let mut session = server::session_named(&name, &setup).ok()?;
    session.peer(b"");
    session.mark();
    session.peer(b"EHLO client.example\r\n");
    Some(std::mem::take(&mut session.seen().output))
}
