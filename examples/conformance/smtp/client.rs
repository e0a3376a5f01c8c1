//! The client machine of SMTP: what its events mean, and how a step of a script is sent.

use bytes::Bytes;
use mail_smtp_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, Ticket, TlsGrant};
use mail_smtp_proto::command::Initial;
use mail_smtp_proto::{Command, EhloReply, Extension, Reply};
use mail_wire::Output;

use crate::adapter::Session;
use crate::link::{Link, Observer};
use crate::octets::sasl_message;
use crate::record::{Role, Setup};
use crate::seen::Seen;
use crate::value::Val;

/// A client on a fresh connection.
pub(crate) fn session(setup: &Setup) -> Result<Box<dyn Session>, String> {
    let mut policy = super::policy(&setup.policy, Role::Client);
    policy.helo_fallback &= !setup.transcript;
    let config = Config { limits: super::limits(setup)?, policy, lmtp: setup.lmtp };
    Ok(Box::new(Link::new(Client::new(config), ClientObserver::default(), Output::new())))
}

#[derive(Default)]
struct ClientObserver {
    /// A body or chunk that may be sent.
    grant: Option<BodyGrant>,
    /// Octets that the chunk announced; `None`: a body up to its terminator.
    chunk: Option<u64>,
    /// The body that is being sent.
    sending: Option<(BodyGrant, Bytes)>,
    /// The machine has sent an empty body in place of one that no recipient was accepted for.
    no_body: bool,
    /// A challenge whose answer the script gives, or nobody.
    turn: Option<AuthTurn>,
    /// Responses that the mechanism still has; `None`: no end is known.
    responses: Option<u32>,
    /// The EHLO or LHLO in flight.
    hello: Option<Ticket>,
    quit: bool,
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
            Event::Greeting(reply) => complete(&reply, seen),
            Event::Reply(ticket, reply) => {
                complete(&reply, seen);
                if self.hello == Some(ticket) {
                    self.hello = None;
                    if let Some(hello) = client.hello().filter(|_| reply.code().is_positive()) {
                        note_hello(&hello, seen);
                    }
                }
            }
            Event::EhloRefused(_, reply) => complete(&reply, seen),
            Event::NoRecipients(_, reply) => {
                complete(&reply, seen);
                self.no_body = true;
            }
            Event::BodyWanted(_, reply, grant) => {
                complete(&reply, seen);
                (self.grant, self.chunk) = (Some(grant), None);
            }
            Event::Challenge(challenge, turn) => {
                seen.value("challenge", Val::octets(challenge.expose()));
                self.challenged(turn, client, output, seen);
            }
            Event::StartTls(grant) => {
                seen.complete("220");
                seen.value("starttls", Val::True);
                return Some(grant);
            }
            Event::BadChallenge(_) => seen.malformed("challenge"),
            Event::Closing(reply) => note_reply(&reply, seen),
            other => seen.value("unknown event", Val::Name(format!("{other:?}"))),
        }
        None
    }

    fn us(&mut self, octets: &[u8], client: &mut Client, output: &mut Output) -> Result<(), String> {
        if let Some(turn) = self.turn.take() {
            if octets == b"*\r\n" {
                return client.cancel(turn, output).map_err(|returned| returned.to_string());
            }
            self.responses = self.responses.map(|responses| responses.saturating_sub(1));
            let response = sasl_message(octets)?;
            return client.respond(turn, &response, output).map_err(|returned| returned.to_string());
        }
        if let Some(grant) = self.grant.take() {
            let body = if self.chunk.is_some() { octets.to_vec() } else { unstuffed(octets) };
            self.sending = Some((grant, Bytes::from(body)));
            return Ok(());
        }
        if std::mem::take(&mut self.no_body) && octets.ends_with(b".\r\n") {
            // The machine has ended the body that nobody was to get.
            return Ok(());
        }
        let command = super::command(octets)?;
        let ticket = match &command {
            Command::Bdat(bdat) => {
                let (ticket, grant) =
                    client.chunk(bdat.octets, bdat.last, output).map_err(|misuse| misuse.to_string())?;
                if bdat.octets == 0 {
                    client.end_body(grant, output).map_err(|returned| returned.to_string())?;
                } else {
                    (self.grant, self.chunk) = (Some(grant), Some(bdat.octets));
                }
                ticket
            }
            command => client.send(command, output).map_err(|misuse| misuse.to_string())?,
        };
        match &command {
            Command::Ehlo(_) | Command::Lhlo(_) | Command::Helo(_) => self.hello = Some(ticket),
            Command::Quit => self.quit = true,
            Command::Auth(auth) => {
                let initial = u32::from(!matches!(auth.initial, Initial::None));
                let name = auth.mechanism.as_str();
                self.responses = match name {
                    _ if name.eq_ignore_ascii_case("PLAIN") => Some(1 - initial),
                    _ if name.eq_ignore_ascii_case("LOGIN") => Some(2 - initial),
                    _ => None,
                };
            }
            _ => {}
        }
        Ok(())
    }

    fn turn(&mut self, client: &mut Client, output: &mut Output, seen: &mut Seen) -> bool {
        let Some((mut grant, mut piece)) = self.sending.take() else { return false };
        let sent = client.body(&mut grant, &mut piece, output).map_err(|misuse| misuse.to_string());
        let done = sent.and_then(|()| {
            if piece.is_empty() {
                client.end_body(grant, output).map_err(|returned| returned.to_string())
            } else {
                self.sending = Some((grant, piece));
                Ok(())
            }
        });
        if let Err(why) = done {
            seen.fault(format!("the body of the script is not taken: {why}"));
        }
        true
    }

    fn inside(&self, _client: &Client) -> bool {
        false
    }

    fn holds(&self) -> bool {
        self.turn.is_some() || self.grant.is_some()
    }

    fn ended(&self, _client: &Client) -> bool {
        self.quit
    }

    fn repairs(&self, client: &Client) -> u64 {
        client.repairs().total().into()
    }
}

impl ClientObserver {
    /// A mechanism that has said everything cancels the exchange.
    fn challenged(&mut self, turn: AuthTurn, client: &mut Client, output: &mut Output, seen: &mut Seen) {
        if self.responses != Some(0) {
            self.turn = Some(turn);
        } else if let Err(returned) = client.cancel(turn, output) {
            seen.fault(format!("the stub's answer is not taken: {returned}"));
        }
    }
}

/// A body of a script without its terminator and its stuffing.
fn unstuffed(octets: &[u8]) -> Vec<u8> {
    let body = octets.strip_suffix(b".\r\n").unwrap_or(octets);
    let lines = body.split_inclusive(|octet| *octet == b'\n');
    lines.flat_map(|line| line.strip_prefix(b".").unwrap_or(line)).copied().collect()
}

fn complete(reply: &Reply<'_>, seen: &mut Seen) {
    note_reply(reply, seen);
    seen.complete(reply.code().get().to_string());
}

fn note_reply(reply: &Reply<'_>, seen: &mut Seen) {
    seen.value("code", Val::Num(reply.code().get().into()));
    seen.value("enhanced", Val::or_null(reply.enhanced().map(|code| Val::name(code.to_string()))));
    seen.value("lines", Val::Num(reply.len() as u64));
    seen.value("text", Val::List(reply.lines().map(Val::octets).collect()));
}

fn note_hello(hello: &EhloReply<'_>, seen: &mut Seen) {
    let words = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    seen.value("EHLO.name", Val::octets(hello.name()));
    let keywords = hello.extensions().map(|line| words(line.keyword().as_bytes())).collect();
    seen.value("EHLO.keywords", Val::Names(keywords));
    let mechanisms = hello.mechanisms().map(|mechanism| words(mechanism.as_bytes())).collect();
    seen.value("EHLO.AUTH", Val::Names(mechanisms));
    seen.value("EHLO.SIZE", Val::or_null(hello.size().map(Val::Num)));
    seen.value("EHLO.DELIVERBY", Val::or_null(hello.deliver_by().map(Val::Num)));
    if let Some(line) = hello.get(Extension::Limits) {
        let limits = line.words().filter_map(|word| {
            let equals = word.iter().position(|octet| *octet == b'=')?;
            let name = words(word.get(..equals)?);
            let value = hello.limit(&name)?;
            Some((name, Val::octets(value)))
        });
        seen.value("EHLO.LIMITS", Val::Map(limits.collect()));
    }
}
