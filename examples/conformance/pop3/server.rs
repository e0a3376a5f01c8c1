//! The server machine of POP3, and the application stub behind it.

use std::sync::Arc;

use bytes::Bytes;
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{
    Answer, AuthTurn, BodyGrant, Config, Event, Maildrop, Offer, Server, Stamp, TlsOffer,
};
use mail_pop3_proto::types::{LanguageRange, ReplyText, UniqueId};
use mail_pop3_proto::{Command, Limits, Reply};
use mail_wire::Output;

use crate::adapter::Session;
use crate::app::App;
use crate::link::{Link, Observer};
use crate::record::Setup;
use crate::seen::Seen;
use crate::value::Val;

/// A server on a fresh connection.
pub(crate) fn session(setup: &Setup) -> Result<Box<dyn Session>, String> {
    if let Some(limit) = setup.limits.keys().next() {
        return Err(format!("no limit {limit}"));
    }
    let mut capabilities = Capabilities::new();
    for line in &setup.offer {
        capabilities.add(line.as_bytes()).map_err(|invalid| format!("cannot offer {line}: {invalid}"))?;
    }
    let stamp =
        Stamp::try_from("<1896.697170952@dbc.mtview.ca.us>").map_err(|invalid| invalid.to_string())?;
    let config = Config {
        limits: Limits::default(),
        policy: super::policy(&setup.policy),
        offer: Arc::new(Offer { capabilities, languages: Vec::new() }),
        stamp: setup.policy.apop.then_some(stamp),
    };
    let observer = ServerObserver { app: App::read(&setup.app)?, ..ServerObserver::default() };
    Ok(Box::new(Link::new(Server::new(config), observer, Output::new())))
}

#[derive(Default)]
struct ServerObserver {
    app: App,
    /// A greeting that is held back.
    held: Option<Answer>,
    /// The message that is being sent.
    body: Option<(BodyGrant, Bytes)>,
    /// Responses that the exchange still needs.
    responses: u32,
    quit: bool,
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
            Event::Connected(answer) => {
                server.answer(answer, &ok("ready"), output).map_err(|r| r.to_string())
            }
            Event::Command(command, answer) => {
                note(&command, seen);
                self.command(&command, answer, server, output)
            }
            Event::Answered(command) => {
                note(&command, seen);
                self.quit |= matches!(command, Command::Quit);
                Ok(())
            }
            Event::Refused(_) | Event::AuthCancelled(_) => Ok(()),
            Event::Malformed(malformed, answer) => {
                seen.shown(malformed.raw);
                server.refuse(answer, output).map_err(|returned| returned.to_string())
            }
            Event::Auth { mechanism, initial, turn } => {
                seen.command("AUTH");
                seen.value("AUTH.mechanism", Val::name(mechanism.name()));
                self.responses = self.app.responses(mechanism.name(), initial.is_some());
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
                seen.command("STLS");
                return Some(offer);
            }
            Event::Commit(deletions, answer) => {
                seen.command("commit");
                let numbers = deletions.numbers().map(|number| Val::Num(number.get().into())).collect();
                seen.value("commit", Val::List(numbers));
                self.quit = true;
                let reply = if self.app.commit_fails { err("not all removed") } else { ok("bye") };
                server.answer(answer, &reply, output).map_err(|returned| returned.to_string())
            }
            Event::Abort(_) => {
                seen.command("abort");
                Ok(())
            }
            other => Err(format!("unknown event {other:?}")),
        };
        if let Err(why) = done {
            seen.fault(format!("the stub's answer is not taken: {why}"));
        }
        None
    }

    fn turn(&mut self, server: &mut Server, output: &mut Output, seen: &mut Seen) -> bool {
        let Some((mut grant, mut piece)) = self.body.take() else { return false };
        let sent = server.body(&mut grant, &mut piece, output).map_err(|misuse| misuse.to_string());
        let done = sent.and_then(|()| {
            if piece.is_empty() {
                server.end_body(grant, output).map_err(|returned| returned.to_string())
            } else {
                self.body = Some((grant, piece));
                Ok(())
            }
        });
        if let Err(why) = done {
            seen.fault(format!("the stub's body is not taken: {why}"));
        }
        true
    }

    fn us(&mut self, _octets: &[u8], _server: &mut Server, _output: &mut Output) -> Result<(), String> {
        Err("the server's side follows from its stub".into())
    }

    fn inside(&self, _server: &Server) -> bool {
        false
    }

    fn holds(&self) -> bool {
        self.held.is_some()
    }

    fn ended(&self, _server: &Server) -> bool {
        self.quit
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
            Command::Pass(_) | Command::Apop { .. } if self.app.auth.next() => {
                server.accept(answer, self.maildrop()?, &ok("logged in"), output).map_err(|r| r.to_string())
            }
            Command::Pass(_) | Command::Apop { .. } => {
                server.refuse(answer, output).map_err(|r| r.to_string())
            }
            Command::Retr(message) | Command::Top { message, .. } => {
                let index = usize::try_from(message.get()).unwrap_or(0).saturating_sub(1);
                let octets =
                    self.app.messages.get(index).map(|message| message.octets.clone()).unwrap_or_default();
                let grant =
                    server.answer_body(answer, ReplyText::EMPTY, output).map_err(|r| r.to_string())?;
                self.body = Some((grant, Bytes::from(octets)));
                Ok(())
            }
            // What is asked for is spoken.
            Command::Lang(Some(range)) => {
                let tag = if *range == LanguageRange::Preferred { "en" } else { range.as_str() };
                let text = ReplyText::try_from(tag).map_err(|invalid| invalid.to_string())?;
                server.answer(answer, &Reply::ok(text), output).map_err(|returned| returned.to_string())
            }
            _ => server.answer(answer, &ok(""), output).map_err(|returned| returned.to_string()),
        }
    }

    /// The next step of an exchange: another challenge, or its end.
    fn turn(&mut self, turn: AuthTurn, server: &mut Server, output: &mut Output) -> Result<(), String> {
        if self.responses > 0 {
            server.challenge(turn, b"", output).map_err(|returned| returned.to_string())
        } else if self.app.auth.next() {
            server.accept_auth(turn, self.maildrop()?, &ok("logged in"), output).map_err(|r| r.to_string())
        } else {
            server.refuse_auth(turn, &err("log-in failed"), output).map_err(|returned| returned.to_string())
        }
    }

    fn maildrop(&self) -> Result<Maildrop, String> {
        let mut maildrop = Maildrop::new();
        for (index, message) in self.app.messages.iter().enumerate() {
            let id = format!("id{}", index + 1);
            let id = UniqueId::try_from(id.as_str()).map_err(|invalid| invalid.to_string())?;
            maildrop.push(message.octets.len() as u64, id).map_err(|invalid| invalid.to_string())?;
        }
        Ok(maildrop)
    }
}

/// Logs a command with its argument.
fn note(command: &Command<'_>, seen: &mut Seen) {
    let Some(verb) = command.verb() else { return };
    let number = |number: u32| Val::Num(number.into());
    let argument = match command {
        Command::User(name) => Some(Val::octets(name.octets())),
        Command::Pass(password) => Some(Val::octets(password.expose())),
        Command::Apop { name, .. } => Some(Val::octets(name.octets())),
        Command::Lang(Some(range)) => Some(Val::name(range.as_str())),
        Command::List(Some(message)) | Command::Uidl(Some(message)) => Some(number(message.get())),
        Command::Retr(message) | Command::Dele(message) => Some(number(message.get())),
        Command::Top { message, lines } => Some(Val::List(vec![number(message.get()), number(*lines)])),
        _ => None,
    };
    seen.command(verb.name());
    if let Some(argument) = argument {
        seen.value(verb.name(), argument);
    }
}

/// A positive reply with a text of this file.
fn ok(text: &'static str) -> Reply<'static> {
    Reply::ok(ReplyText::try_from(text).unwrap_or_default())
}

fn err(text: &'static str) -> Reply<'static> {
    Reply::err(ReplyText::try_from(text).unwrap_or_default())
}
