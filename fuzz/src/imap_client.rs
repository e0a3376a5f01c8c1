//! An IMAP client that sends what the script says, literals and messages included, and reads whatever comes.

use crate::machine::{Party, Seen};
use bytes::Bytes;
use mail_imap_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, IdleGrant, Ticket, TlsGrant};
use mail_imap_proto::response::FetchPart;
use mail_imap_proto::{Allow, Command, Grammar, Limits, Policy};
use mail_wire::line::LineEnd;
use mail_wire::{Output, Owned};

/// Small, so that inputs reach streamed literals.
const INLINE: u64 = 64;

/// The application: settings 0 tolerant, 1 strict, 2 tolerant with lines that LF alone may end, 3 tolerant with PREAUTH before TLS.
#[derive(Default)]
pub struct Reader {
    turn: Option<AuthTurn>,
    idle: Option<IdleGrant>,
    grant: Option<BodyGrant>,
    /// Octets of ours that are no whole command yet.
    command: Vec<u8>,
    /// What was said of the message of an APPEND and not given yet.
    message: Vec<u8>,
    /// Octets of the message that are still to be said.
    unsaid: u64,
    /// Commands whose completion has not come, with their tags.
    flight: Vec<(Ticket, String)>,
    /// Octets that are left of a literal that is streamed.
    literal: Option<u64>,
}

/// The target.
pub fn run(data: &[u8]) {
    crate::machine::run::<Reader>(data);
}

/// Whether the octets end in the announcement of a literal.
fn announces(octets: &[u8]) -> bool {
    let inside = octets.strip_suffix(b"}\r\n").map(|octets| octets.strip_suffix(b"+").unwrap_or(octets));
    let digits =
        inside.map_or(0, |inside| inside.iter().rev().take_while(|octet| octet.is_ascii_digit()).count());
    digits > 0 && inside.is_some_and(|inside| inside[..inside.len() - digits].ends_with(b"{"))
}

impl Reader {
    /// Gives what has been said of the message.
    fn give(&mut self, client: &mut Client, output: &mut Output, seen: &mut Seen) {
        let Some(mut grant) = self.grant.take() else { return };
        let mut piece = Bytes::from(std::mem::take(&mut self.message));
        let given = client.body(&mut grant, &mut piece, output);
        seen.note(format!("message {given:?}"));
        if client.body_left().is_some() {
            self.grant = Some(grant);
        }
    }

    fn part(&mut self, part: &FetchPart<'_>, seen: &mut Seen) {
        // A literal comes whole, and the piece behind it goes on with its response.
        let goes_on =
            self.literal.take().inspect(|left| assert_eq!(*left, 0, "a literal was cut short")).is_some();
        assert_eq!(goes_on, !part.is_first(), "pieces and literals alternate");
        self.literal = part.literal().map(|literal| literal.octets());
        assert_eq!(self.literal.is_none(), part.is_last());
        assert_eq!(
            format!("{part:?}"),
            format!("{:?}", Owned::<FetchPart<'static>>::new(*part).get()),
            "an owned copy is the same"
        );
        seen.note(format!("fetch {part:?} {:?}", part.items().malformed().count()));
    }

    fn whole(&mut self, client: &mut Client, output: &mut Output, seen: &mut Seen) {
        let octets = std::mem::take(&mut self.command);
        let (tag, command) = match Command::parse(&octets, &Limits::default(), client.is_utf8()) {
            Ok(parsed) => parsed,
            Err(_) if announces(&octets) => {
                self.command = octets;
                return;
            }
            Err(malformed) => return seen.note(format!("ours {malformed:?}")),
        };
        let set = client.set_next_tag(tag);
        match client.send(&command, output) {
            Ok(ticket) => {
                let tag = if set.is_ok() { format!("{tag:?}") } else { "of the source".to_owned() };
                self.flight.push((ticket, tag));
                if let Command::Append(append) = command {
                    self.unsaid = append.octets;
                }
            }
            Err(misuse) => seen.note(format!("{misuse:?}")),
        }
    }
}

impl Party for Reader {
    type Machine = Client;

    fn new(settings: u8) -> (Self, Client) {
        let mut policy = Policy { plaintext_auth: Allow::Allow, ..Policy::client() };
        match settings % 4 {
            1 => policy.grammar = Grammar::strict(),
            2 => policy.line = LineEnd::Tolerant,
            3 => policy.preauth = Allow::Allow,
            _ => {}
        }
        let mut config = Config { policy, ..Config::default() };
        config.limits.literal_inline = INLINE;
        config.limits.literals_inline = 4 * INLINE;
        (Self::default(), Client::new(config))
    }

    fn on(
        &mut self,
        client: &mut Client,
        event: Event<'_>,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<TlsGrant> {
        if !matches!(event, Event::Chunk(_) | Event::Fetch(_)) {
            assert!(self.literal.is_none(), "inside a FETCH: {event:?}");
        }
        match event {
            Event::Fetch(part) => self.part(&part, seen),
            Event::Chunk(octets) => {
                let left = self.literal.as_mut().expect("octets of a literal that was announced");
                assert!(!octets.is_empty(), "a chunk of nothing");
                *left = left.checked_sub(octets.len() as u64).expect("more octets than were announced");
                seen.chunk(octets);
            }
            Event::Completed(ticket, status) => {
                let at = self.flight.iter().position(|(flight, _)| *flight == ticket);
                let (_, tag) = self.flight.swap_remove(at.expect("a command is completed once"));
                seen.note(format!("completed {tag} {status:?}"));
                if client.body_left().is_none() {
                    (self.grant, self.unsaid) = (None, 0);
                    self.message.clear();
                }
            }
            Event::BodyWanted(grant, text) => {
                seen.note(format!("wanted {text:?}"));
                self.grant = Some(grant);
                self.give(client, output, seen);
            }
            Event::Idling(grant, text) => {
                seen.note(format!("idling {text:?}"));
                self.idle = Some(grant);
            }
            Event::Challenge(challenge, turn) => {
                seen.note(format!("challenge {:?}", challenge.expose().as_slice()));
                self.turn = Some(turn);
            }
            Event::StartTls(grant) => return Some(grant),
            Event::Continued(_, text) => seen.note(format!("continued {text:?}")),
            Event::BadChallenge(_) => seen.note("bad challenge"),
            // `Debug` runs through every list in them.
            Event::Greeting(status) => seen.note(format!("greeting {status:?}")),
            Event::Untagged(untagged) => seen.note(format!("{untagged:?}")),
            Event::Malformed(malformed) => seen.note(format!("{malformed:?}")),
            _ => seen.note("another event"),
        }
        None
    }

    fn owes(&self) -> bool {
        self.turn.is_some() || self.grant.is_some()
    }

    fn say(&mut self, client: &mut Client, line: &[u8], output: &mut Output, seen: &mut Seen) {
        let said = line.len().min(usize::try_from(self.unsaid).unwrap_or(usize::MAX));
        if said > 0 {
            self.unsaid -= said as u64;
            self.message.extend_from_slice(&line[..said]);
            return self.give(client, output, seen);
        }
        if let Some(turn) = self.turn.take() {
            let line = line.strip_suffix(b"\r\n").unwrap_or(line);
            let answered = match line {
                b"*" => client.cancel(turn, output),
                response => client.respond(turn, response, output),
            };
            // A turn that comes back is still owed.
            self.turn = answered.err().map(|returned| returned.token);
            return;
        }
        if line == b"DONE\r\n" {
            if let Some(grant) = self.idle.take() {
                let done = client.done(grant, output);
                return seen.note(format!("done {:?}", done.map_err(|returned| returned.why)));
            }
        }
        self.command.extend_from_slice(line);
        self.whole(client, output, seen);
    }
}
