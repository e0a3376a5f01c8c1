//! The server machine of IMAP, and the application stub behind it.

use std::sync::Arc;

use mail_imap_proto::Command;
use mail_imap_proto::server::{Answer, AuthTurn, Config, Event, IdleTurn, Offer, Server, TlsOffer};
use mail_imap_proto::types::{Code, Condition, ResponseText, Status};
use mail_wire::{Framed, Input, Machine as _, Output, Returned};

use super::commands::{note, note_append};
use crate::adapter::Session;
use crate::app::App;
use crate::encoders::take;
use crate::link::{Link, Observer};
use crate::record::Setup;
use crate::seen::Seen;
use crate::value::Val;

/// A server on a fresh connection.
pub(crate) fn session(setup: &Setup) -> Result<Box<dyn Session>, String> {
    let mut offer = setup.offer.join(" ");
    if !setup.offer.iter().any(|name| name.to_ascii_uppercase().starts_with("IMAP4")) {
        offer = format!("IMAP4rev1 {offer}").trim_end().to_owned();
    }
    let config = Config {
        limits: super::limits(setup)?,
        policy: super::policy(&setup.policy),
        offer: Arc::new(Offer::new(&offer).map_err(|invalid| format!("cannot offer {offer}: {invalid}"))?),
    };
    let observer = ServerObserver { app: App::read(&setup.app)?, ..ServerObserver::default() };
    Ok(Box::new(Link::new(Server::new(config), observer, Output::new())))
}

#[derive(Default)]
struct ServerObserver {
    app: App,
    /// A greeting that is held back.
    held: Option<Answer>,
    idle: Option<IdleTurn>,
    responses: u32,
    /// Octets of the message so far; `None` outside of one.
    body: Option<u64>,
    logout: bool,
}

impl Observer<Server> for ServerObserver {
    fn event<'i>(
        &mut self,
        event: Event<'i>,
        server: &mut Server,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<TlsOffer> {
        let done = match event {
            Event::Connected(answer) if self.app.greeting_held => {
                self.held = Some(answer);
                Ok(())
            }
            Event::Connected(answer) => settled(server.answer(answer, &ok("ready"), output)),
            Event::Command(command, answer) => {
                note(&command, seen);
                self.command(&command, answer, server, output)
            }
            Event::Answered(command) => {
                note(&command, seen);
                Ok(())
            }
            Event::Refused(_) | Event::AuthCancelled(_) => Ok(()),
            Event::Malformed(malformed, answer) => {
                if self.body.take().is_some() {
                    seen.command("abort");
                }
                seen.shown(malformed.raw);
                settled(server.refuse(answer, output))
            }
            Event::Auth { mechanism, initial, turn } => {
                seen.command("AUTHENTICATE");
                seen.value("AUTH.mechanism", Val::name(mechanism.as_str()));
                self.responses = self.app.responses(mechanism.as_str(), initial.is_some());
                if let Some(initial) = initial {
                    seen.value("AUTH.initial", Val::octets(initial.expose()));
                }
                self.turn(turn, server, output)
            }
            Event::AuthResponse(response, turn) => {
                seen.command(format!("response:{}", response.expose().len()));
                self.responses = self.responses.saturating_sub(1);
                self.turn(turn, server, output)
            }
            Event::StartTls(offer) => {
                seen.command("STARTTLS");
                return Some(offer);
            }
            Event::Append(append, offer) => {
                note_append(&append, seen);
                if self.app.append.next() {
                    self.body = Some(0);
                    settled(server.accept_body(offer, output))
                } else {
                    settled(server.refuse_body(offer, &no("not here"), output))
                }
            }
            Event::Chunk(octets) => {
                seen.chunk(octets);
                self.body = self.body.map(|body| body.saturating_add(octets.len() as u64));
                Ok(())
            }
            Event::BodyEnd(answer) => {
                seen.command(format!("body:{}", self.body.take().unwrap_or(0)));
                settled(server.answer(answer, &ok("appended"), output))
            }
            Event::IdleDone(answer) => {
                seen.command("DONE");
                self.idle = None;
                settled(server.answer(answer, &ok("done"), output))
            }
            other => Err(format!("unknown event {other:?}")),
        };
        if let Err(why) = done {
            seen.fault(format!("the stub's answer is not taken: {why}"));
        }
        None
    }

    fn us(&mut self, _octets: &[u8], _server: &mut Server, _output: &mut Output) -> Result<(), String> {
        Err("the server's side follows from its stub".into())
    }

    fn inside(&self, _server: &Server) -> bool {
        self.body.is_some()
    }

    fn holds(&self) -> bool {
        self.held.is_some()
    }

    fn ended(&self, _server: &Server) -> bool {
        self.logout
    }

    fn repairs(&self, server: &Server) -> u64 {
        server.repairs().total().into()
    }
}

impl ServerObserver {
    fn command(
        &mut self,
        command: &Command<'_>,
        answer: Answer,
        server: &mut Server,
        output: &mut Output,
    ) -> Result<(), String> {
        match command {
            Command::Login { .. } if !self.app.auth.next() => {
                settled(server.answer(answer, &no("log-in failed"), output))
            }
            Command::Idle => {
                self.idle = Some(server.idle(answer, output).map_err(|returned| returned.to_string())?);
                Ok(())
            }
            // No application can put in a layer that this library does not have.
            Command::Other { name, .. } if name.is("COMPRESS") => {
                settled(server.answer(answer, &no("no"), output))
            }
            Command::Logout => {
                self.logout = true;
                settled(server.answer(answer, &ok("bye"), output))
            }
            _ => settled(server.answer(answer, &ok("done"), output)),
        }
    }

    /// The next step of an exchange: another challenge, or its end.
    fn turn(&mut self, turn: AuthTurn, server: &mut Server, output: &mut Output) -> Result<(), String> {
        if self.responses > 0 {
            settled(server.challenge(turn, b"", output))
        } else if self.app.auth.next() {
            settled(server.accept_auth(turn, &ok("logged in"), output))
        } else {
            settled(server.refuse_auth(turn, &no("log-in failed"), output))
        }
    }
}

/// What a server writes for a response code in its greeting; `None`: it is refused and nothing is written.
pub(super) fn written_code(code: Code<'_>) -> Option<Vec<u8>> {
    let (mut server, mut input, mut output) = (Server::new(Config::default()), Input::new(), Output::new());
    let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) else { return None };
    let Ok(Event::Connected(answer)) = server.decode(unit, &mut input) else { return None };
    server.answer(answer, &ok("ready").with_code(code), &mut output).ok()?;
    let mut octets = Vec::new();
    take(&mut output, &mut octets);
    Some(octets)
}

/// A call that gives its token back where it is not taken.
fn settled<T>(result: Result<(), Returned<T>>) -> Result<(), String> {
    result.map_err(|returned| returned.to_string())
}

/// A status with a text of this file.
fn ok(text: &'static str) -> Status<'static> {
    status(Condition::Ok, text)
}

fn no(text: &'static str) -> Status<'static> {
    status(Condition::No, text)
}

fn status(condition: Condition, text: &'static str) -> Status<'static> {
    // The texts of this file can all be written.
    let text = ResponseText::new(text.as_bytes()).or_else(|_| ResponseText::new(b"x"));
    Status::new(condition, text.expect("a text that can be written"))
}
