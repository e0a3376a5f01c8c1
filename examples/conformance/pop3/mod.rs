//! The adapter of POP3.

mod client;
mod server;

use mail_pop3_proto::types::{Digest, MessageNumber, Password, ReplyText, UniqueId, UserName};
use mail_pop3_proto::{Allow, Command, Grammar, Policy, Tls};
use mail_wire::Output;
use mail_wire::line::LineEnd;

use crate::adapter::{Adapter, Encoded, Session};
use crate::encoders::{body_eol, dot_body, take, written};
use crate::record::{Policy as Wanted, Record, Role, Setup};
use crate::replies;
use crate::transcript::{self, Unit};

/// POP3.
pub(crate) struct Pop3;

impl Adapter for Pop3 {
    fn session(&self, role: Role, setup: &Setup) -> Result<Box<dyn Session>, String> {
        if role == Role::Server { server::session(setup) } else { client::session(setup) }
    }

    fn replies(&self, output: &[u8]) -> Vec<String> {
        replies::pop3(output)
    }

    fn encode(&self, record: &Record) -> Encoded {
        encode(record)
    }

    fn ready_for(&self, unit: &Unit, tolerant: bool) -> Result<Option<Box<dyn Session>>, String> {
        let mut session = self.before(unit.reader(), std::slice::from_ref(unit), tolerant)?;
        let greeting = !unit.from_client && unit.cmd.is_empty();
        let asked = unit.kind == "auth-data" || !unit.from_client;
        if asked && !greeting {
            transcript::converse(session.as_mut(), unit)?;
        }
        Ok(Some(session))
    }

    fn reencode(&self, unit: &Unit, _tolerant: bool) -> Option<Result<Vec<u8>, String>> {
        if unit.kind != "command" {
            return None;
        }
        Some(command(&unit.octets).and_then(|command| {
            let mut output = Output::new();
            command.encode(12_288, &mut output).map_err(|why| why.to_string())?;
            let mut octets = Vec::new();
            take(&mut output, &mut octets);
            Ok(octets)
        }))
    }

    fn before(&self, role: Role, block: &[Unit], tolerant: bool) -> Result<Box<dyn Session>, String> {
        let mut setup = Setup::plain(role);
        setup.policy.grammar_tolerant = tolerant || role == Role::Client;
        setup.policy.plaintext_auth = true;
        setup.policy.apop = true;
        let words = |unit: &Unit| verb(if unit.from_client { &unit.octets } else { &unit.asked });
        let stls = block.iter().any(|unit| words(unit) == "STLS");
        setup.offer = offer(block);
        setup.app.insert("messages".into(), serde_json::json!([120, 200]));
        if let Some(responses) = transcript::responses(block) {
            setup.app.insert("responses".into(), responses.into());
        }
        let mut log_ins = transcript::answers(block, "PASS");
        log_ins.extend(transcript::answers(block, "APOP"));
        if !log_ins.is_empty() {
            setup.app.insert("auth".into(), log_ins.into());
        }
        let mut session = self.session(role, &setup)?;
        if !stls {
            session.tls()?;
        }
        let Some(first) = block.first().filter(|unit| unit.from_client || !unit.cmd.is_empty()) else {
            return Ok(session);
        };
        if role == Role::Client {
            session.peer(b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n");
        }
        let transaction =
            ["STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL"].contains(&words(first).as_str());
        if transaction {
            log_in(session.as_mut(), role)?;
        } else if words(first) == "PASS" {
            exchange(session.as_mut(), role, b"USER x\r\n")?;
        }
        Ok(session)
    }
}

fn log_in(session: &mut dyn Session, role: Role) -> Result<(), String> {
    exchange(session, role, b"USER x\r\n")?;
    exchange(session, role, b"PASS x\r\n")
}

/// One command and its positive answer.
fn exchange(session: &mut dyn Session, role: Role, line: &[u8]) -> Result<(), String> {
    if role == Role::Client {
        session.us(line)?;
        session.peer(b"+OK\r\n");
    } else {
        session.peer(line);
    }
    Ok(())
}

/// What a server must offer for a block: every extension that POP3 has, and the mechanisms that the block names.
fn offer(block: &[Unit]) -> Vec<String> {
    let mut sasl = "SASL".to_owned();
    for unit in block {
        let line = if unit.from_client && unit.kind == "command" { &unit.octets } else { &unit.asked };
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace();
        if words.next() == Some("AUTH") {
            sasl.extend(words.next().iter().flat_map(|name| [" ", *name]));
        }
    }
    ["USER", "TOP", "UIDL", "STLS", "PIPELINING", "RESP-CODES", "UTF8", "LANG", &sasl]
        .map(str::to_owned)
        .to_vec()
}

fn verb(line: &[u8]) -> String {
    let word = line.split(|octet| b" \r\n".contains(octet)).next().unwrap_or_default();
    String::from_utf8_lossy(word).to_ascii_uppercase()
}

/// A command line of a script, read as a server reads it.
fn command(line: &[u8]) -> Result<Command<'_>, String> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    Command::parse(line).map_err(|malformed| format!("the step is malformed: {}", malformed.rule))
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
        apop: allow(wanted.apop),
    }
}

fn encode(record: &Record) -> Encoded {
    let input = record.input.as_slice();
    let text = std::str::from_utf8(input);
    match record.setup.encode.as_str() {
        "Pop3User" => UserName::try_from(input).map_or(Encoded::Refused, |name| line(&Command::User(name))),
        "Pop3Password" => {
            Password::try_from(input).map_or(Encoded::Refused, |word| line(&Command::Pass(word)))
        }
        // The argument is what stands behind the verb; a server reads it into the typed command.
        "Pop3Auth" => {
            let whole = [b"AUTH ", input].concat();
            command(&whole).map_or(Encoded::Refused, |command| line(&command))
        }
        "Pop3Top" => {
            let message = record.setup.arg.get("message").and_then(serde_json::Value::as_u64);
            let message = message.and_then(|n| u32::try_from(n).ok()).and_then(MessageNumber::new);
            match (message, text.ok().and_then(|lines| lines.parse().ok())) {
                (Some(message), Some(lines)) => line(&Command::Top { message, lines }),
                _ => Encoded::Refused,
            }
        }
        "Pop3Digest" => match (UserName::try_from("x"), Digest::try_from(input)) {
            (Ok(name), Ok(digest)) => line(&Command::Apop { name, digest }),
            _ => Encoded::Refused,
        },
        "Pop3UidlId" => match UniqueId::try_from(input) {
            Ok(id) => Encoded::Octets(id.octets().to_vec()),
            Err(_) => Encoded::Refused,
        },
        "Pop3Text" => match text.ok().and_then(|text| ReplyText::try_from(text).ok()) {
            Some(text) => Encoded::Octets(text.as_str().as_bytes().to_vec()),
            None => Encoded::Refused,
        },
        // A listing is made of numbers alone: there is no path for text.
        "Pop3Listing" => {
            let numbers: Option<Vec<u64>> =
                text.ok().and_then(|text| text.split(' ').map(|number| number.parse().ok()).collect());
            match numbers.as_deref() {
                Some([message, octets]) => Encoded::Octets(format!("{message} {octets}\r\n").into_bytes()),
                _ => Encoded::Refused,
            }
        }
        "DotBody" => dot_body(record),
        _ => Encoded::NoSuchType,
    }
}

fn line(command: &Command<'_>) -> Encoded {
    let mut output = Output::new();
    written(command.encode(12_288, &mut output).map(|_| output))
}
