//! An SMTP server that takes mail, and refuses some of it by what it is called.

use crate::machine::{Party, Seen};
use mail_smtp_proto::server::{AuthTurn, BodyForm, BodyOffer, Config, Event, Offer, Server, TlsOffer};
use mail_smtp_proto::types::{EhloName, Mechanism};
use mail_smtp_proto::{Allow, Command, Extension, Grammar, Policy, ReplyBuf, policy};
use mail_wire::Output;
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;

/// Small, so that inputs reach it.
const MESSAGE: u64 = 4096;

/// The application: settings 0 strict, 1 tolerant with lines that LF alone may end and bodies set right, 2 LMTP, 3 with all extensions and
/// bodies as they come.
pub struct Host {
    body_eol: BodyEol,
    message: Message,
}

/// What of a message has come.
#[derive(Default)]
struct Message {
    /// A body was accepted, and has neither ended nor been called off.
    open: bool,
    /// The octets that its chunks have announced, and whether the last one has been.
    announced: Option<u64>,
    last: bool,
    octets: u64,
    /// Whether the last octet was a CR.
    cr: bool,
}

/// The target.
pub fn run(data: &[u8]) {
    crate::machine::run::<Host>(data);
}

fn line(code: u16, text: &str) -> ReplyBuf {
    ReplyBuf::line(code, text).expect("plain words")
}

impl Host {
    /// What begins with `no` is refused.
    fn reply(command: &Command<'_>) -> ReplyBuf {
        let refused = match command {
            Command::Mail(mail) => format!("{:?}", mail.from()).contains("no"),
            Command::Rcpt(rcpt) => format!("{:?}", rcpt.to()).contains("no"),
            _ => false,
        };
        if refused { line(550, "no") } else { line(250, "ok") }
    }

    /// A challenge, then the client is in, or not.
    fn turn(server: &mut Server, turn: AuthTurn, response: Option<&[u8]>, output: &mut Output) {
        let done = match response {
            None => server.challenge(turn, b"more", output),
            Some(b"no") => server.refuse_auth(turn, &line(535, "no"), output),
            Some(_) => server.accept_auth(turn, &line(235, "in"), output),
        };
        done.expect("the turn is due");
    }

    fn offered(&mut self, offer: BodyOffer, server: &mut Server, output: &mut Output) {
        let form = offer.form();
        if let BodyForm::Chunk { octets: 13, .. } = form {
            // A message of which chunks were taken is called off by an event of its own.
            return server.refuse_body(offer, &line(554, "no"), output).expect("the body is offered");
        }
        server.accept_body(offer, output).expect("the body is offered");
        match form {
            BodyForm::Data => self.message = Message { open: true, ..Message::default() },
            BodyForm::Chunk { octets, first, last } => {
                if first {
                    self.message = Message { open: true, announced: Some(0), ..Message::default() };
                }
                assert!(self.message.open, "a chunk goes on with a message that is open");
                let announced = self.message.announced.as_mut().expect("a message is DATA or chunks");
                *announced += octets;
                self.message.last = last;
            }
        }
    }

    /// Octets of the message came from elsewhere (RFC 4468 §3).
    fn fetched(&mut self, last: bool) {
        if last {
            self.message = Message::default();
        } else if !self.message.open {
            self.message = Message { open: true, announced: Some(0), ..Message::default() };
        }
    }

    fn chunk(&mut self, octets: &[u8]) {
        let message = &mut self.message;
        assert!(message.open && !octets.is_empty(), "octets of a message that is open");
        message.octets += octets.len() as u64;
        assert!(message.octets <= MESSAGE, "over the limit");
        if self.body_eol == BodyEol::Reject {
            for octet in octets {
                assert!(
                    *octet != 0 && (*octet == b'\n') == message.cr,
                    "a bare CR or LF, or NUL, was let in"
                );
                message.cr = *octet == b'\r';
            }
        }
    }

    fn end(&mut self) {
        assert!(self.message.open, "ended, and was not begun");
        if let Some(announced) = self.message.announced {
            assert!(self.message.last, "ended before its last chunk");
            if self.body_eol != BodyEol::Normalise {
                assert_eq!(announced, self.message.octets, "chunks are as long as they say");
            }
        }
        assert!(!self.message.cr, "ends in a CR");
        self.message = Message::default();
    }

    /// What was decoded and written again is the same to the reader.
    fn rewritten(command: &Command<'_>) {
        let written = command.to_buf();
        let again = written.get();
        assert_eq!(format!("{command:?}"), format!("{again:?}"));
    }
}

impl Party for Host {
    type Machine = Server;

    fn new(settings: u8) -> (Self, Server) {
        let name = EhloName::new(b"mx.example").expect("a name");
        let mut offer = Offer::new(name).with_mechanism(Mechanism::new(b"PLAIN").expect("a mechanism"));
        // Which octets come together is what the harness varies, so no policy may look at it.
        let mut policy =
            Policy { plaintext_auth: Allow::Allow, sync: policy::Sync::Loose, ..Policy::server() };
        match settings % 4 {
            1 => {
                policy.grammar = Grammar::tolerant();
                policy.line = LineEnd::Tolerant;
                policy.body_eol = BodyEol::Normalise;
            }
            3 => {
                for extension in Extension::ALL {
                    offer = offer.with(extension);
                }
                policy.body_eol = BodyEol::Pass;
                policy.unknown_parameters = Allow::Allow;
                policy.xclient = Allow::Allow;
            }
            _ => {}
        }
        let mut config = Config { policy, offer: offer.into(), lmtp: settings % 4 == 2, ..Config::default() };
        config.limits.message = MESSAGE;
        config.limits.discard = 2 * MESSAGE;
        config.limits.recipients = 5;
        let host = Self { body_eol: config.policy.body_eol, message: Message::default() };
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
                server.answer(answer, &line(220, "ready"), output).expect("the greeting is due");
            }
            Event::Command(command, answer) => {
                Self::rewritten(&command);
                seen.note(format!("{command:?}"));
                server.answer(answer, &Self::reply(&command), output).expect("the answer is due");
                if let Command::Burl(burl) = command {
                    self.fetched(burl.last);
                }
            }
            Event::Answered(command) => {
                Self::rewritten(&command);
                seen.note(format!("answered {command:?}"));
            }
            Event::Refused(refused) => seen.note(format!("{refused:?}")),
            Event::Malformed(malformed, answer) => {
                seen.note(format!("{malformed:?}"));
                server.refuse(answer, output).expect("the answer is due");
            }
            Event::Auth { mechanism, initial, turn } => {
                let initial = initial.as_ref().map(|octets| &octets.expose()[..]);
                seen.note(format!("{mechanism:?} {initial:?}"));
                Self::turn(server, turn, initial, output);
            }
            Event::AuthResponse(octets, turn) => {
                seen.note(format!("response {:?}", &octets.expose()[..]));
                Self::turn(server, turn, Some(octets.expose()), output);
            }
            Event::AuthCancelled => seen.note("cancelled"),
            Event::StartTls(offer) => return Some(offer),
            Event::Body(offer) => {
                seen.note(format!("{offer:?}"));
                self.offered(offer, server, output);
            }
            Event::Chunk(octets) => {
                self.chunk(octets);
                seen.chunk(octets);
            }
            Event::BodyEnd(answer) => {
                self.end();
                seen.note("end of the body");
                let replies: Vec<_> =
                    (0..server.recipients()).map(|number| line(250 + number as u16 % 2, "taken")).collect();
                let done = if server.recipients() > 1 && replies.len() % 2 == 0 {
                    server.answer_each(answer, &replies, output).or_else(|returned| {
                        // Outside LMTP there is one answer.
                        server.answer(returned.token, &line(250, "taken"), output)
                    })
                } else {
                    server.answer(answer, &line(554, "not this one"), output)
                };
                done.expect("the answer is due");
            }
            Event::Abort(why) => {
                assert!(std::mem::take(&mut self.message).open, "called off, and was not begun");
                seen.note(format!("{why:?}"));
            }
            _ => seen.note("another event"),
        }
        None
    }
}
