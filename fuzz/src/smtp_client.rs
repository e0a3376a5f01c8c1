//! An SMTP client that sends what the script says, bodies included, and reads whatever comes.

use crate::machine::{Party, Seen};
use bytes::Bytes;
use mail_smtp_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, TlsGrant};
use mail_smtp_proto::{Allow, Command, Grammar, Policy, Reply};
use mail_wire::Output;
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;

/// The application: settings 0 tolerant, 1 strict, 2 LMTP with lines that LF alone may end, 3 only after TLS.
#[derive(Default)]
pub struct Sender {
    turn: Option<AuthTurn>,
    grant: Option<BodyGrant>,
    /// Octets that are left of a chunk; none for a body up to its dot.
    left: Option<u64>,
}

/// The target.
pub fn run(data: &[u8]) {
    crate::machine::run::<Sender>(data);
}

/// A reply that was written anew from its values reads the same.
fn reply(reply: Reply<'_>, seen: &mut Seen) {
    assert_eq!(format!("{reply:?}"), format!("{:?}", reply.into_owned().get()));
    let raw: Vec<_> = reply.raw_lines().map(|line| line.escape_ascii().to_string()).collect();
    seen.note(format!("{reply:?} {raw:?}"));
}

impl Sender {
    /// Lines of the script are octets of the message while one is due: as on the wire, with dots stuffed and a dot at the end.
    fn body(
        &mut self,
        mut grant: BodyGrant,
        line: &[u8],
        client: &mut Client,
        output: &mut Output,
        seen: &mut Seen,
    ) {
        let ends = match &mut self.left {
            None if line == b".\r\n" => true,
            None => {
                let line = line.strip_prefix(b".").unwrap_or(line);
                seen.note(format!(
                    "body {:?}",
                    client.body(&mut grant, &mut Bytes::copy_from_slice(line), output)
                ));
                false
            }
            Some(left) => {
                let part = &line[..line.len().min(usize::try_from(*left).unwrap_or(usize::MAX))];
                let mut piece = Bytes::copy_from_slice(part);
                seen.note(format!("chunk {:?}", client.body(&mut grant, &mut piece, output)));
                *left -= (part.len() - piece.len()) as u64;
                *left == 0
            }
        };
        if ends {
            let ended = client.end_body(grant, output);
            seen.note(format!("end {:?}", ended.as_ref().map_err(|returned| returned.why)));
            self.grant = ended.err().map(|returned| returned.token);
        } else {
            self.grant = Some(grant);
        }
    }
}

impl Party for Sender {
    type Machine = Client;

    fn new(settings: u8) -> (Self, Client) {
        let mut policy = Policy { plaintext_auth: Allow::Allow, ..Policy::client() };
        match settings % 4 {
            1 => policy.grammar = Grammar::strict(),
            2 => {
                policy.line = LineEnd::Tolerant;
                policy.body_eol = BodyEol::Normalise;
            }
            3 => policy.tls = mail_smtp_proto::Tls::Required,
            _ => {}
        }
        let config = Config { policy, lmtp: settings % 4 == 2, ..Config::default() };
        (Self::default(), Client::new(config))
    }

    fn on(
        &mut self,
        client: &mut Client,
        event: Event<'_>,
        _: &mut Output,
        seen: &mut Seen,
    ) -> Option<TlsGrant> {
        match event {
            Event::Greeting(greeting) => reply(greeting, seen),
            Event::Reply(ticket, answer) => {
                seen.note(format!("{ticket:?}"));
                reply(answer, seen);
                if let Some(hello) = client.hello() {
                    seen.note(format!("{hello:?}"));
                }
            }
            Event::EhloRefused(ticket, answer) | Event::NoRecipients(ticket, answer) => {
                seen.note(format!("no {ticket:?}"));
                reply(answer, seen);
            }
            Event::BodyWanted(ticket, answer, grant) => {
                assert!(self.grant.is_none(), "one body at a time");
                seen.note(format!("wanted {ticket:?}"));
                reply(answer, seen);
                (self.grant, self.left) = (Some(grant), None);
            }
            Event::Challenge(challenge, turn) => {
                seen.note(format!("challenge {:?}", challenge.expose().as_slice()));
                self.turn = Some(turn);
            }
            Event::StartTls(grant) => return Some(grant),
            Event::BadChallenge(ticket) => seen.note(format!("bad challenge {ticket:?}")),
            Event::Closing(answer) => {
                seen.note("closing");
                reply(answer, seen);
            }
            _ => seen.note("another event"),
        }
        None
    }

    fn owes(&self) -> bool {
        self.turn.is_some() || self.grant.is_some()
    }

    fn say(&mut self, client: &mut Client, line: &[u8], output: &mut Output, seen: &mut Seen) {
        if let Some(grant) = self.grant.take() {
            return self.body(grant, line, client, output, seen);
        }
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        if let Some(turn) = self.turn.take() {
            let answered = match line {
                b"*" => client.cancel(turn, output),
                response => client.respond(turn, response, output),
            };
            // A turn that comes back is still owed.
            self.turn = answered.err().map(|returned| returned.token);
            return;
        }
        match Command::parse(line) {
            Ok(Command::Bdat(bdat)) => match client.chunk(bdat.octets, bdat.last, output) {
                Ok((ticket, grant)) if bdat.octets == 0 => {
                    let ended = client.end_body(grant, output);
                    seen.note(format!("{ticket:?} {:?}", ended.as_ref().map_err(|returned| returned.why)));
                    (self.grant, self.left) = (ended.err().map(|returned| returned.token), Some(0));
                }
                Ok((ticket, grant)) => {
                    seen.note(format!("{ticket:?}"));
                    (self.grant, self.left) = (Some(grant), Some(bdat.octets));
                }
                Err(misuse) => seen.note(format!("{misuse:?}")),
            },
            Ok(command) => seen.note(format!("sent {:?}", client.send(&command, output))),
            Err(invalid) => seen.note(format!("{invalid:?}")),
        }
    }
}
