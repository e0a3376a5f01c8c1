//! The server machine of SMTP, and the application stub behind it.

use mail_smtp_proto::server::{
    Answer, AuthTurn, BodyForm, BodyOffer, Config, Event, Offer, Server, TlsOffer,
};
use mail_smtp_proto::types::{EhloName, EnhancedCode};
use mail_smtp_proto::{Command, ReplyBuf};
use mail_wire::Output;

use super::values::note;
use crate::adapter::Session;
use crate::app::App;
use crate::link::{Link, Observer};
use crate::record::{Role, Setup};
use crate::seen::Seen;
use crate::value::Val;

/// A server on a fresh connection.
pub(crate) fn session(setup: &Setup) -> Result<Box<dyn Session>, String> {
    session_named(b"mx.example", setup)
}

/// The same with a name.
pub(crate) fn session_named(name: &[u8], setup: &Setup) -> Result<Box<dyn Session>, String> {
    let name = EhloName::new(name).map_err(|invalid| invalid.to_string())?;
    let mut offer = Offer::bare(name);
    for line in &setup.offer {
        offer = offer.with_text(line).map_err(|invalid| format!("cannot offer {line}: {invalid}"))?;
    }
    let config = Config {
        limits: super::limits(setup)?,
        policy: super::policy(&setup.policy, Role::Server),
        offer: offer.into(),
        lmtp: setup.lmtp,
    };
    let observer = ServerObserver::new(App::read(&setup.app)?);
    Ok(Box::new(Link::new(Server::new(config), observer, Output::new())))
}

struct ServerObserver {
    app: App,
    /// A greeting that is held back.
    held: Option<Answer>,
    mechanism: String,
    responses: u32,
    /// What the client has answered, decoded.
    answers: Vec<Val>,
    /// Octets of the message so far.
    body: u64,
    /// So many octets are left of a chunk; `None`: the message is open to its terminator.
    left: Option<u64>,
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
            Event::Connected(answer) => reply(220, "mx.example ESMTP")
                .and_then(|reply| server.answer(answer, &reply, output).map_err(|r| r.to_string())),
            Event::Command(command, answer) => {
                note(&command, seen);
                self.command(&command, answer, server, output)
            }
            Event::Answered(command) => {
                note(&command, seen);
                self.quit |= matches!(command, Command::Quit);
                Ok(())
            }
            Event::Refused(_) | Event::AuthCancelled => Ok(()),
            Event::Malformed(malformed, answer) => {
                seen.shown(malformed.raw);
                server.refuse(answer, output).map_err(|returned| returned.to_string())
            }
            Event::Auth { mechanism, initial, turn } => {
                seen.command("AUTH");
                seen.value("AUTH.mechanism", Val::name(mechanism.as_bytes()));
                self.mechanism = mechanism.as_str().to_ascii_uppercase();
                self.responses = self.app.responses(&self.mechanism, initial.is_some());
                if let Some(initial) = initial {
                    seen.value("AUTH.initial", Val::octets(initial.expose()));
                }
                self.turn(turn, server, output)
            }
            Event::AuthResponse(response, turn) => {
                seen.command(format!("response:{}", response.expose().len()));
                self.answers.push(Val::octets(response.expose()));
                seen.value("AUTH.responses", Val::List(self.answers.clone()));
                self.responses = self.responses.saturating_sub(1);
                self.turn(turn, server, output)
            }
            Event::StartTls(offer) => {
                seen.command("STARTTLS");
                return Some(offer);
            }
            Event::Body(offer) => self.offered(offer, server, output, seen),
            Event::Chunk(octets) => {
                seen.chunk(octets);
                let len = octets.len() as u64;
                self.body = self.body.saturating_add(len);
                self.left = self.left.map(|left| left.saturating_sub(len));
                Ok(())
            }
            Event::BodyEnd(answer) => {
                seen.command(format!("body:{}", self.body));
                (self.body, self.left) = (0, Some(0));
                let accept = self.app.end_of_data.next();
                let reply = if accept { reply(250, "queued") } else { reply(554, "no") };
                reply.and_then(|reply| server.answer(answer, &reply, output).map_err(|r| r.to_string()))
            }
            Event::Abort(_) => {
                seen.command("abort");
                (self.body, self.left) = (0, Some(0));
                Ok(())
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
        self.left.is_none_or(|left| left > 0)
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
    fn new(app: App) -> Self {
        Self {
            app,
            held: None,
            mechanism: String::new(),
            responses: 0,
            answers: Vec::new(),
            body: 0,
            left: Some(0),
            quit: false,
        }
    }

    fn command(
        &mut self,
        command: &Command<'_>,
        answer: Answer,
        server: &mut Server,
        output: &mut Output,
    ) -> Result<(), String> {
        let reply = match command {
            Command::Mail(_) if self.app.mail.next() => enhanced(250, (2, 1, 0), "ok"),
            Command::Mail(_) => enhanced(550, (5, 7, 1), "no"),
            Command::Rcpt(_) if self.app.rcpt.next() => enhanced(250, (2, 1, 5), "ok"),
            Command::Rcpt(_) => enhanced(550, (5, 1, 1), "no such user"),
            Command::XClient(_) => reply(220, "mx.example ESMTP"),
            Command::Vrfy(_) | Command::Expn(_) => reply(252, "send some mail"),
            _ => reply(250, "ok"),
        };
        server.answer(answer, &reply?, output).map_err(|returned| returned.to_string())
    }

    fn offered(
        &mut self,
        offer: BodyOffer,
        server: &mut Server,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Result<(), String> {
        match offer.form() {
            BodyForm::Data => {
                seen.command("DATA");
                self.left = None;
            }
            BodyForm::Chunk { octets, .. } => {
                seen.command("BDAT");
                if !self.app.bdat.next() {
                    self.left = Some(0);
                    let reply = enhanced(554, (5, 0, 0), "refused")?;
                    return server
                        .refuse_body(offer, &reply, output)
                        .map_err(|returned| returned.to_string());
                }
                self.left = Some(octets);
            }
        }
        server.accept_body(offer, output).map_err(|returned| returned.to_string())
    }

    /// The next step of an exchange: another challenge, or its end.
    fn turn(&mut self, turn: AuthTurn, server: &mut Server, output: &mut Output) -> Result<(), String> {
        if self.responses > 0 {
            let challenge: &[u8] = match (self.mechanism.as_str(), self.responses) {
                ("LOGIN", 2) => b"Username:",
                ("LOGIN", 1) => b"Password:",
                _ => b"",
            };
            server.challenge(turn, challenge, output).map_err(|returned| returned.to_string())
        } else if self.app.auth.next() {
            let reply = enhanced(235, (2, 7, 0), "ok")?;
            server.accept_auth(turn, &reply, output).map_err(|returned| returned.to_string())
        } else {
            let reply = enhanced(535, (5, 7, 8), "no")?;
            server.refuse_auth(turn, &reply, output).map_err(|returned| returned.to_string())
        }
    }
}

fn reply(code: u16, text: &str) -> Result<ReplyBuf, String> {
    ReplyBuf::line(code, text).map_err(|invalid| invalid.to_string())
}

fn enhanced(code: u16, enhanced: (u8, u16, u16), text: &str) -> Result<ReplyBuf, String> {
    let (class, subject, detail) = enhanced;
    let enhanced = EnhancedCode::new(class, subject, detail).map_err(|invalid| invalid.to_string())?;
    reply(code, text).map(|reply| reply.with_enhanced(enhanced))
}
