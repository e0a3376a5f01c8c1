//! A POP3 server with three messages that lets everybody in.

use crate::machine::{Party, Seen};
use bytes::Bytes;
use mail_pop3_proto::server::{AuthTurn, Config, Event, Maildrop, Server, TlsOffer};
use mail_pop3_proto::types::{ReplyText, UniqueId};
use mail_pop3_proto::{Allow, Command, Policy, Reply};
use mail_wire::Output;
use mail_wire::line::LineEnd;

const MESSAGES: [&[u8]; 3] = [b"Subject: a\r\n\r\n.dot\r\n..\r\nend\r\n", b"", b"Subject: c\r\n\r\n1\r\n2"];

/// The application: settings 0 strict, 1 with lines that LF alone may end, 2 without plain-text log-in.
#[derive(Default)]
pub struct Host {
    ended: bool,
}

/// The target.
pub fn run(data: &[u8]) {
    crate::machine::run::<Host>(data);
}

fn text(text: &str) -> ReplyText<'_> {
    ReplyText::try_from(text).expect("plain words")
}

fn maildrop() -> Maildrop {
    let mut drop = Maildrop::new();
    for (message, id) in MESSAGES.iter().zip(["one", "two", "three"]) {
        drop.push(message.len() as u64, UniqueId::try_from(id).expect("an id")).expect("three fit");
    }
    drop
}

impl Host {
    /// RFC 1939 §6: a session in TRANSACTION ends once, by QUIT or without it.
    fn end(&mut self) {
        assert!(!std::mem::replace(&mut self.ended, true), "ended twice");
    }

    /// One challenge, then the client is in.
    fn turn(&self, server: &mut Server, turn: AuthTurn, first: bool, output: &mut Output) {
        let done = if first {
            server.challenge(turn, b"more", output)
        } else {
            server.accept_auth(turn, maildrop(), &Reply::ok(text("in")), output)
        };
        done.expect("the turn is due");
    }
}

impl Party for Host {
    type Machine = Server;

    fn new(settings: u8) -> (Self, Server) {
        let mut policy = Policy { plaintext_auth: Allow::Allow, ..Policy::server() };
        match settings % 3 {
            1 => policy.line = LineEnd::Tolerant,
            2 => policy.plaintext_auth = Allow::Refuse,
            _ => {}
        }
        (Self::default(), Server::new(Config { policy, ..Config::default() }))
    }

    fn on(
        &mut self,
        server: &mut Server,
        event: Event<'_>,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<TlsOffer> {
        let ok = Reply::ok(text("en"));
        match event {
            Event::Connected(answer) => server.answer(answer, &ok, output).expect("the greeting is due"),
            Event::Command(command, answer) => {
                seen.note(format!("{command:?}"));
                match command {
                    Command::Pass(_) | Command::Apop { .. } => {
                        server.accept(answer, maildrop(), &ok, output).expect("the answer is due");
                    }
                    Command::Retr(number) | Command::Top { message: number, .. } => {
                        let mut piece = Bytes::from_static(MESSAGES[number.get() as usize - 1]);
                        let mut grant =
                            server.answer_body(answer, text("follows"), output).expect("the answer is due");
                        server.body(&mut grant, &mut piece, output).expect("the grant is due");
                        assert!(piece.is_empty(), "a small message fits");
                        server.end_body(grant, output).expect("the grant is due");
                    }
                    _ => server.answer(answer, &ok, output).expect("the answer is due"),
                }
            }
            Event::Malformed(malformed, answer) => {
                seen.note(format!("{malformed:?}"));
                server.refuse(answer, output).expect("the answer is due");
            }
            Event::Auth { mechanism, initial, turn } => {
                seen.note(format!("{mechanism:?} {:?}", initial.as_ref().map(|octets| &octets.expose()[..])));
                self.turn(server, turn, initial.is_none(), output);
            }
            Event::AuthResponse(octets, turn) => {
                seen.note(format!("response {:?}", &octets.expose()[..]));
                self.turn(server, turn, false, output);
            }
            Event::StartTls(offer) => return Some(offer),
            Event::Commit(deletions, answer) => {
                self.end();
                seen.note(format!("commit {:?}", deletions.numbers().collect::<Vec<_>>()));
                server.answer(answer, &ok, output).expect("the answer is due");
            }
            Event::Abort(why) => {
                self.end();
                seen.note(format!("{why:?}"));
            }
            Event::Answered(command) => seen.note(format!("answered {command:?}")),
            Event::Refused(refused) => seen.note(format!("{refused:?}")),
            Event::AuthCancelled(why) => seen.note(format!("{why:?}")),
            _ => seen.note("another event"),
        }
        None
    }
}
