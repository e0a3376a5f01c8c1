//! An IMAP server with three messages that lets everybody in.

use crate::machine::{Party, Seen};
use bytes::Bytes;
use mail_imap_proto::command::AppendForm;
use mail_imap_proto::server::{Answer, AuthTurn, Config, Event, IdleTurn, Offer, Phase, Server, TlsOffer};
use mail_imap_proto::types::{Condition, FetchAtt, FetchAtts, Flags, ResponseText, Status};
use mail_imap_proto::{Allow, Command, Policy};
use mail_wire::Output;
use mail_wire::line::LineEnd;
use std::sync::Arc;

const MESSAGE: &[u8] = b"Subject: a\r\n\r\n) OK {3}\r\nend\r\n";
const MESSAGES: u32 = 3;
/// Attributes of one message that are answered, so that all fit into the output.
const ATTRIBUTES: usize = 6;
/// Small, so that inputs reach it.
const APPEND: u64 = 4096;

/// The application: settings 0 strict, 1 with lines that LF alone may end, 2 without plain-text log-in, 3 with LITERAL+ and logged in
/// from the start.
#[derive(Default)]
pub struct Host {
    preauth: bool,
    idle: Option<IdleTurn>,
    /// The octets of a message that are to come, and whether they may be any.
    message: Option<(u64, bool)>,
    cr: bool,
    /// It holds a bare CR or LF, or NUL.
    bare: bool,
}

/// The target.
pub fn run(data: &[u8]) {
    crate::machine::run::<Host>(data);
}

fn status(condition: Condition) -> Status<'static> {
    Status::new(condition, ResponseText::new(b"as you say").expect("plain words"))
}

/// RFC 9051 §3: what may be asked in which state.
fn fits(command: &Command<'_>, phase: Phase) -> bool {
    match command {
        Command::Login { .. } => phase == Phase::NotAuthenticated,
        Command::Capability | Command::Noop | Command::Logout | Command::Id(_) | Command::Other { .. } => {
            true
        }
        Command::Check
        | Command::Close
        | Command::Unselect
        | Command::Expunge { .. }
        | Command::Search { .. }
        | Command::Fetch { .. }
        | Command::Store { .. }
        | Command::Copy { .. }
        | Command::Move { .. } => phase == Phase::Selected,
        _ => matches!(phase, Phase::Authenticated | Phase::Selected),
    }
}

impl Host {
    fn command(&mut self, command: Command<'_>, answer: Answer, server: &mut Server, output: &mut Output) {
        let mut condition = Condition::Ok;
        match command {
            Command::Idle => {
                self.idle = Some(server.idle(answer, output).expect("the client may idle"));
                return;
            }
            Command::Select { .. } | Command::Examine { .. } => {
                let mut writer = server.untagged(&answer, output).expect("the answer is due");
                writer.exists(MESSAGES).recent(0).flags(Flags::of(&[]));
            }
            Command::Fetch { set, atts, .. } => {
                for range in set.within(MESSAGES).take(3) {
                    fetch(*range.start(), atts, &answer, server, output);
                }
            }
            Command::Search { keys, .. } => {
                let found =
                    (1..=MESSAGES).filter(|_| keys.matches(|leaf| format!("{leaf:?}").len() % 2 == 0));
                server.untagged(&answer, output).expect("the answer is due").search(found);
            }
            Command::Id(fields) => {
                server.untagged(&answer, output).expect("the answer is due").id(fields);
            }
            Command::List(list) => {
                let mut writer = server.untagged(&answer, output).expect("the answer is due");
                writer.list(Flags::of(&[]), Some(b'/'), list.reference);
            }
            Command::Delete(_) => condition = Condition::No,
            Command::Other { .. } => return server.refuse(answer, output).expect("the answer is due"),
            _ => {}
        }
        server.answer(answer, &status(condition), output).expect("the answer is due");
    }

    /// One challenge, then the client is in.
    fn turn(server: &mut Server, turn: AuthTurn, response: Option<&[u8]>, output: &mut Output) {
        let done = match response {
            None => server.challenge(turn, b"more", output),
            Some(b"no") => server.refuse_auth(turn, &status(Condition::No), output),
            Some(_) => server.accept_auth(turn, &status(Condition::Ok), output),
        };
        done.expect("the turn is due");
    }

    fn chunk(&mut self, octets: &[u8]) {
        let (left, any) = self.message.as_mut().expect("octets of a message that was accepted");
        assert!(!octets.is_empty(), "a chunk of nothing");
        *left = left.checked_sub(octets.len() as u64).expect("more octets than were announced");
        if !*any {
            for octet in octets {
                // Told at the end: a Malformed stands there in place of the BodyEnd.
                self.bare |= *octet == 0 || (*octet == b'\n') != self.cr;
                self.cr = *octet == b'\r';
            }
        }
    }
}

/// Answers what is asked of one message, with literals inside and streamed ones by turns.
fn fetch(number: u32, atts: FetchAtts<'_>, answer: &Answer, server: &mut Server, output: &mut Output) {
    let begun = output.len();
    let mut untagged = server.untagged(answer, output).expect("the answer is due");
    let mut writer = untagged.fetch(number).uid(number);
    for (index, att) in atts.iter().take(ATTRIBUTES).enumerate() {
        writer = match att {
            FetchAtt::Flags => writer.flags(Flags::of(&[])),
            FetchAtt::Size => writer.size(MESSAGE.len() as u64),
            FetchAtt::BinarySize(part) => writer.binary_size(part, 1),
            att if att.section().is_none() && !matches!(att, FetchAtt::Binary { .. }) => writer,
            att if index % 3 == 0 => writer.nil(att).expect("a section"),
            att if index % 3 == 1 => writer.text(att, MESSAGE).expect("a section without NUL"),
            att => {
                let octets = MESSAGE.len() as u64;
                let mut grant = writer.body_and_more(att, octets).expect("a section");
                let mut piece = Bytes::from_static(MESSAGE);
                server.body(&mut grant, &mut piece, output).expect("the octets are due");
                assert!(piece.is_empty() && grant.left() == 0, "a small message fits");
                server.fetch_on(grant, output).expect("all octets are there")
            }
        };
    }
    writer.end();
    assert!(output.len() > begun, "a response was written");
}

impl Party for Host {
    type Machine = Server;

    fn new(settings: u8) -> (Self, Server) {
        let mut policy = Policy { plaintext_auth: Allow::Allow, ..Policy::server() };
        // What a command of everybody may name is offered: what is not is malformed to a server.
        let mut offer = "IMAP4rev1 LITERAL- SASL-IR ENABLE ID IDLE NAMESPACE UNSELECT ESEARCH SEARCHRES STARTTLS AUTH=PLAIN";
        let mut host = Self::default();
        match settings % 4 {
            1 => policy.line = LineEnd::Tolerant,
            2 => policy.plaintext_auth = Allow::Refuse,
            3 => {
                offer =
                    "IMAP4rev2 LITERAL+ BINARY CONDSTORE UTF8=ACCEPT ENABLE MOVE ESEARCH UIDPLUS AUTH=PLAIN";
                policy.preauth = Allow::Allow;
                host.preauth = true;
            }
            _ => {}
        }
        let offer = Arc::new(Offer::new(offer).expect("capabilities"));
        let mut config = Config { policy, offer, ..Config::default() };
        config.limits.append = APPEND;
        config.limits.discard = APPEND;
        config.limits.command_literals = 8;
        config.limits.command_literal_octets = 2048;
        config.limits.set_items = 64;
        (host, Server::new(config))
    }

    fn on(
        &mut self,
        server: &mut Server,
        event: Event<'_>,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<TlsOffer> {
        match event {
            Event::Connected(answer) => {
                let condition = if self.preauth { Condition::PreAuth } else { Condition::Ok };
                server.answer(answer, &status(condition), output).expect("the greeting is due");
            }
            Event::Command(command, answer) => {
                let phase = server.phase();
                assert!(fits(&command, phase), "{command:?} in {phase:?}");
                seen.note(format!("{command:?}"));
                self.command(command, answer, server, output);
            }
            Event::Answered(command) => seen.note(format!("answered {command:?}")),
            Event::Refused(refusal) => seen.note(format!("{refusal:?}")),
            Event::Malformed(malformed, answer) => {
                self.message = None;
                seen.note(format!("{malformed:?}"));
                server.refuse(answer, output).expect("the answer is due");
            }
            Event::Auth { mechanism, initial, turn } => {
                let initial = initial.map(|octets| *octets.expose());
                seen.note(format!("{mechanism:?} {initial:?}"));
                Self::turn(server, turn, initial, output);
            }
            Event::AuthResponse(octets, turn) => {
                seen.note(format!("response {:?}", octets.expose()));
                Self::turn(server, turn, Some(octets.expose()), output);
            }
            Event::AuthCancelled(refusal) => seen.note(format!("cancelled {refusal:?}")),
            Event::StartTls(offer) => return Some(offer),
            Event::Append(append, offer) => {
                seen.note(format!("{append:?}"));
                assert!(fits(&Command::Append(append), server.phase()) && append.octets <= APPEND);
                if append.octets == 13 {
                    server
                        .refuse_body(offer, &status(Condition::No), output)
                        .expect("the message is offered");
                } else {
                    server.accept_body(offer, output).expect("the message is offered");
                    self.message = Some((append.octets, append.form != AppendForm::Literal));
                    (self.cr, self.bare) = (false, false);
                }
            }
            Event::Chunk(octets) => {
                self.chunk(octets);
                seen.chunk(octets);
            }
            Event::BodyEnd(answer) => {
                let (left, _) = self.message.take().expect("the end of a message that was accepted");
                assert_eq!(left, 0, "ended before its announced length");
                assert!(!self.bare && !self.cr, "a bare CR or LF, or NUL, was let in");
                seen.note("end of the message");
                server.answer(answer, &status(Condition::Ok), output).expect("the answer is due");
            }
            Event::IdleDone(answer) => {
                assert!(self.idle.take().is_some(), "DONE without IDLE");
                server.answer(answer, &status(Condition::Ok), output).expect("the answer is due");
            }
            _ => seen.note("another event"),
        }
        if let Some(turn) = self.idle.as_ref().filter(|_| server.phase() == Phase::Selected) {
            // Told to a client that idles. Without a mailbox there is nothing to count (RFC 9051 §7.4.1).
            if let Ok(mut writer) = server.untagged(turn, output) {
                writer.exists(MESSAGES);
            }
        }
        None
    }
}
