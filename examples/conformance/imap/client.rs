//! The client machine of IMAP: what its events mean, and how a step of a script is sent.

use bytes::Bytes;
use mail_imap_proto::client::{
    AuthTurn, BodyGrant, Client, Config, Event, IdleGrant, State, Ticket, TlsGrant,
};
use mail_imap_proto::response::Untagged;
use mail_imap_proto::types::{Condition, Status};
use mail_imap_proto::{Command, Limits};
use mail_session::sasl::client::{Credentials, Exchange, Mechanism};
use mail_wire::Output;

use super::fetch::Fetches;
use super::responses::{note_status, note_untagged};
use crate::adapter::Session;
use crate::link::{Link, Observer};
use crate::octets::{contains, sasl_message};
use crate::record::Setup;
use crate::seen::Seen;
use crate::value::Val;

/// A client on a fresh connection.
pub(crate) fn session(setup: &Setup) -> Result<Box<dyn Session>, String> {
    let config =
        Config { limits: super::limits(setup)?, policy: super::policy(&setup.policy), ..Config::default() };
    let (exchange, nonce) = match &setup.sasl {
        None => (None, String::new()),
        Some(sasl) if sasl.mechanism == "SCRAM-SHA-256" => {
            let credentials = Credentials::password(&sasl.user, &sasl.password);
            let exchange = Exchange::by(Mechanism::ScramSha256, credentials, mail_session::sasl::crypto());
            (Some(exchange), sasl.nonce.clone())
        }
        Some(sasl) => return Err(format!("no exchange of {}", sasl.mechanism)),
    };
    let observer =
        ClientObserver { transcript: setup.transcript, exchange, nonce, ..ClientObserver::default() };
    Ok(Box::new(Link::new(Client::new(config), observer, Output::new())))
}

#[derive(Default)]
struct ClientObserver {
    transcript: bool,
    /// The tag of each command in flight.
    tags: Vec<(Ticket, Vec<u8>)>,
    /// The exchange as our side computes it, and the nonce that the script gives it.
    exchange: Option<Exchange>,
    nonce: String,
    /// The script is over: our side answers for itself.
    live: bool,
    /// A challenge whose answer the script gives, or nobody.
    turn: Option<AuthTurn>,
    idle: Option<IdleGrant>,
    /// The message of an APPEND, and what of it the script has given.
    append: Option<BodyGrant>,
    message: Option<Bytes>,
    fetches: Fetches,
    /// Messages in the mailbox.
    messages: Option<u64>,
    logout: bool,
}

impl Observer<Client> for ClientObserver {
    fn event<'i>(
        &mut self,
        event: Event<'i>,
        client: &mut Client,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<TlsGrant> {
        match event {
            Event::Greeting(status) => {
                note_status(&status, seen);
                seen.complete(status.condition.name());
            }
            Event::Untagged(untagged) => {
                self.count(&untagged, seen);
                note_untagged(&untagged, client.is_utf8(), seen);
            }
            Event::Fetch(part) => self.fetches.part(&part, seen),
            Event::Chunk(octets) => self.fetches.chunk(octets),
            Event::Completed(ticket, status) => self.completed(ticket, &status, seen),
            Event::Continued(_, text) => seen.value("continue", Val::octets(text.bytes())),
            Event::BodyWanted(grant, text) => {
                seen.value("continue", Val::octets(text.bytes()));
                self.append = Some(grant);
                if !self.transcript {
                    // The script ends with the announcement: the message is so many `x`.
                    let octets = usize::try_from(client.body_left().unwrap_or(0)).unwrap_or(0);
                    self.message = Some(Bytes::from(vec![b'x'; octets]));
                }
            }
            Event::Idling(grant, text) => {
                seen.value("continue", Val::octets(text.bytes()));
                self.idle = Some(grant);
            }
            Event::Challenge(challenge, turn) => {
                seen.value("challenge", Val::octets(challenge.expose()));
                self.challenged(challenge.expose(), turn, client, output, seen);
            }
            Event::BadChallenge(_) => seen.malformed("challenge"),
            Event::StartTls(grant) => {
                seen.complete("OK");
                seen.value("starttls", Val::True);
                return Some(grant);
            }
            Event::Malformed(malformed) => {
                seen.malformed("line");
                seen.shown(malformed.raw);
            }
            other => seen.value("unknown event", Val::Name(format!("{other:?}"))),
        }
        None
    }

    fn turn(&mut self, client: &mut Client, output: &mut Output, seen: &mut Seen) -> bool {
        let (Some(mut grant), Some(mut piece)) = (self.append.take(), self.message.take()) else {
            return false;
        };
        if let Err(misuse) = client.body(&mut grant, &mut piece, output) {
            seen.fault(format!("the message of the script is not taken: {misuse}"));
        } else if client.body_left().is_some() && !piece.is_empty() {
            (self.append, self.message) = (Some(grant), Some(piece));
        }
        true
    }

    fn us(&mut self, octets: &[u8], client: &mut Client, output: &mut Output) -> Result<(), String> {
        if let Some(turn) = self.turn.take() {
            if octets == b"*\r\n" {
                return client.cancel(turn, output).map_err(|returned| returned.to_string());
            }
            let response = sasl_message(octets)?;
            if !contains(&response, self.nonce.as_bytes()) && self.exchange.is_some() {
                return Err("the response of the script does not hold its nonce".into());
            }
            return client.respond(turn, &response, output).map_err(|returned| returned.to_string());
        }
        if octets.trim_ascii_end().eq_ignore_ascii_case(b"DONE") {
            let grant = self.idle.take().ok_or("DONE without IDLE")?;
            return client.done(grant, output).map_err(|returned| returned.to_string());
        }
        let (line, message) = super::split_append(octets);
        let typed = super::command(line, client.is_utf8());
        let (tag, command) = typed.or_else(|why| super::untyped(octets).ok_or(why))?;
        client.set_next_tag(tag).map_err(|misuse| misuse.to_string())?;
        let kept = tag.as_bytes().to_vec();
        let ticket = client.send(&command, output).map_err(|misuse| misuse.to_string())?;
        self.tags.push((ticket, kept));
        self.logout |= matches!(command, Command::Logout);
        self.message = message.map(|message| Bytes::from(message.to_vec()));
        Ok(())
    }

    fn marked(&mut self) {
        self.live = true;
    }

    fn inside(&self, _client: &Client) -> bool {
        self.fetches.is_open()
    }

    fn holds(&self) -> bool {
        self.turn.is_some() || self.append.is_some()
    }

    fn ended(&self, client: &Client) -> bool {
        self.logout || client.state() == State::Logout
    }

    fn repairs(&self, client: &Client) -> u64 {
        client.repairs().total().into()
    }
}

impl ClientObserver {
    /// The script answers its challenges; behind it the exchange does, or cancels what it cannot go on with.
    fn challenged(
        &mut self,
        challenge: &[u8],
        turn: AuthTurn,
        client: &mut Client,
        output: &mut Output,
        seen: &mut Seen,
    ) {
        let step = self.exchange.as_mut().map(|exchange| exchange.step(challenge));
        let done = match step {
            Some(Ok(response)) if self.live => client.respond(turn, response.expose(), output),
            Some(Err(_)) if self.live => client.cancel(turn, output),
            _ => {
                self.turn = Some(turn);
                Ok(())
            }
        };
        if let Err(returned) = done {
            seen.fault(format!("the stub's answer is not taken: {returned}"));
        }
    }

    fn completed(&mut self, ticket: Ticket, status: &Status<'_>, seen: &mut Seen) {
        note_status(status, seen);
        if let Some(at) = self.tags.iter().position(|(flight, _)| *flight == ticket) {
            let (_, tag) = self.tags.remove(at);
            seen.value("tags", Val::Octets(tag));
        }
        seen.complete(status.condition.name());
        // A success is believed only if the server has proved itself.
        if let Some(exchange) = self.exchange.take_if(|_| self.live && status.is_ok()) {
            seen.fatal = exchange.verify(None).err().map(|error| error.to_string());
        }
    }

    /// Counts the messages of the mailbox.
    fn count(&mut self, untagged: &Untagged<'_>, seen: &mut Seen) {
        let before = self.messages;
        match untagged {
            Untagged::Exists(messages) => self.messages = Some((*messages).into()),
            Untagged::Expunge(_) => self.messages = self.messages.map(|messages| messages.saturating_sub(1)),
            Untagged::Vanished { earlier: false, uids } => {
                let gone = uids.ranges().map(|range| {
                    let range = range.resolve(u32::MAX);
                    u64::from(range.end() - range.start()) + 1
                });
                let gone: u64 = gone.sum();
                self.messages = self.messages.map(|messages| messages.saturating_sub(gone));
            }
            _ => return,
        }
        if let Some(messages) = self.messages.or(before) {
            seen.value("messages", Val::Num(messages));
        }
    }
}

/// The limits that script commands are read by.
pub(super) fn script_limits() -> Limits {
    Limits::default()
}

/// Whether a status says goodbye.
pub(super) fn is_bye(status: &Status<'_>) -> bool {
    status.condition == Condition::Bye
}
