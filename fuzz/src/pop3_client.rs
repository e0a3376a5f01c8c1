//! A POP3 client that sends what the script says and reads whatever comes.

use crate::machine::{Party, Seen};
use mail_pop3_proto::client::{AuthTurn, Client, Config, Event, TlsGrant};
use mail_pop3_proto::{Allow, Command, Grammar, Policy};
use mail_wire::Output;
use mail_wire::line::LineEnd;

/// The application: settings 0 tolerant, 1 strict, 2 tolerant with lines that LF alone may end.
pub struct Reader {
    turn: Option<AuthTurn>,
}

/// The target.
pub fn run(data: &[u8]) {
    crate::machine::run::<Reader>(data);
}

impl Party for Reader {
    type Machine = Client;

    fn new(settings: u8) -> (Self, Client) {
        let mut policy = Policy { plaintext_auth: Allow::Allow, apop: Allow::Allow, ..Policy::client() };
        match settings % 3 {
            1 => policy.grammar = Grammar::strict(),
            2 => policy.line = LineEnd::Tolerant,
            _ => {}
        }
        (Self { turn: None }, Client::new(Config { policy, ..Config::default() }))
    }

    fn on(&mut self, _: &mut Client, event: Event<'_>, _: &mut Output, seen: &mut Seen) -> Option<TlsGrant> {
        match event {
            Event::Chunk(octets) => seen.chunk(octets),
            Event::StartTls(grant) => return Some(grant),
            Event::Challenge(challenge, turn) => {
                seen.note(format!("challenge {:?}", challenge.expose().as_slice()));
                self.turn = Some(turn);
            }
            // A ticket is an id that differs from run to run.
            Event::Greeting(line, stamp) => seen.note(format!("greeting {line:?} {stamp:?}")),
            Event::Reply(_, line) => seen.note(format!("reply {line:?}")),
            Event::Head(_, line) => seen.note(format!("head {line:?}")),
            // How many lines come at once is open.
            Event::Items(_, items) => {
                for item in items {
                    seen.note(format!("item {item:?}"));
                }
            }
            Event::End(_) => seen.note("end"),
            Event::BadChallenge(_) => seen.note("bad challenge"),
            Event::Closing(line) => seen.note(format!("closing {line:?}")),
            _ => seen.note("another event"),
        }
        None
    }

    fn owes(&self) -> bool {
        self.turn.is_some()
    }

    fn say(&mut self, client: &mut Client, line: &[u8], output: &mut Output, seen: &mut Seen) {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        if let Some(turn) = self.turn.take() {
            let answered = match line {
                b"*" => client.cancel(turn, output),
                response => client.respond(turn, response, output),
            };
            // A turn that comes back is still owed.
            self.turn = answered.err().map(|returned| returned.token);
        } else if let Ok(command) = Command::parse(line) {
            let sent = client.send(&command, output);
            seen.note(format!("sent {:?}", sent.map(|_| ())));
        }
    }
}
