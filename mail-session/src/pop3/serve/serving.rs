//! One connection, without a socket and without a store: events in, replies and questions out.

use super::ended::{Ended, ServeError};
use super::host::{Attempt, Denied};
use super::language;
use super::log_in::Owed;
use super::message::Body;
use super::service::Service;
use crate::error::Error;
use crate::sasl::server::{Exchange, Identity};
use crate::tls::Tls;
use crate::turn::Turn;
use mail_pop3_proto::server::{Answer, Deletions, Event, Server, TlsOffer};
use mail_pop3_proto::types::{Code, LanguageRange, MessageNumber, ReplyText};
use mail_pop3_proto::{Command, Reply, Violation};
use mail_wire::Misuse;
use std::fmt;
use std::io;

/// What a [`Serving`] wants next. While a question is open, nothing of the connection is held, so the answer may take its time.
#[must_use]
#[derive(Debug)]
#[non_exhaustive]
pub enum Want<D> {
    /// The next event, by [`Serving::on`].
    Event,
    /// Room for more of a message, by [`Serving::room`], or the next event.
    Room,
    /// The hand-over to TLS; then events.
    StartTls(TlsOffer, Box<Tls>),
    /// The decision on a log-in, by [`Serving::logged_in`].
    LogIn(Attempt),
    /// What is kept for this user, by [`Serving::secret`].
    Secret(Identity),
    /// That [`Service::delay`] passes; then [`Serving::resume`].
    Delay,
    /// Octets of a message of [`Serving::locked`] from this offset on, by [`Serving::read`].
    Read(MessageNumber, u64),
    /// That marked messages are removed and the lock is released, by [`Serving::committed`].
    Commit(D, Deletions),
}

/// One connection, without a socket and without a store: what [`Service::serve`] and [`Service::serve_blocking`] drive. Only for drivers of
/// another kind it is needed by itself, such as around an [`Engine`](crate::Engine).
///
/// `D` is a maildrop that is locked. It is dropped where the session ends without QUIT (RFC 1939 §6).
pub struct Serving<'s, D> {
    pub(super) service: &'s Service,
    pub(super) exchange: Option<Exchange>,
    /// The user whose secret was asked for.
    pub(super) asked: String,
    pub(super) owed: Owed,
    /// A refusal that is held back.
    pub(super) denied: Option<Denied>,
    pub(super) locked: Option<D>,
    pub(super) body: Option<Body>,
    removed: usize,
    pub(super) failed: Option<ServeError>,
    ended: Ended,
}

impl<'s, D> Serving<'s, D> {
    /// On a fresh connection, whose machine is [`Service::machine`].
    #[must_use]
    pub fn new(service: &'s Service) -> Self {
        Self {
            service,
            exchange: None,
            asked: String::new(),
            owed: Owed::Nothing,
            denied: None,
            locked: None,
            body: None,
            removed: 0,
            failed: None,
            ended: Ended::BeforeLogIn,
        }
    }

    /// The maildrop of a session in TRANSACTION.
    pub fn locked(&mut self) -> Option<&mut D> {
        self.locked.as_mut()
    }

    /// Takes an event.
    ///
    /// # Errors
    /// [`Misuse`] of the machine: the event is not of its connection.
    pub fn on(&mut self, event: Event<'_>, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        match event {
            Event::Connected(answer) => turn.answer(answer, &Reply::ok(self.service.greeting_text()))?,
            // Whether there is such a user is told only together with the password.
            Event::Command(Command::User(_), answer) => turn.answer(answer, &ok("send PASS"))?,
            Event::Command(Command::Pass(password), answer) => return self.pass(password, answer, turn),
            #[cfg(feature = "legacy-md5")]
            Event::Command(Command::Apop { name, digest }, answer) => {
                return self.apop(name, digest, answer, turn);
            }
            Event::Command(Command::Lang(Some(range)), answer) => self.speak(range, answer, turn)?,
            Event::Auth { mechanism, initial, turn: owed } => {
                return self.auth(mechanism.name(), initial.map(|initial| *initial.expose()), owed, turn);
            }
            Event::AuthResponse(response, owed) => return self.response(response.expose(), owed, turn),
            Event::AuthCancelled(_) => self.exchange = None,
            Event::Command(Command::Retr(message) | Command::Top { message, .. }, answer) => {
                self.owed = Owed::Message(answer, message);
                return Ok(Want::Read(message, 0));
            }
            Event::Commit(deletions, answer) => return self.commit(deletions, answer, turn),
            Event::Abort(why) => {
                (self.locked, self.body) = (None, None);
                self.ended = Ended::Aborted(why);
            }
            Event::StartTls(offer) => {
                self.exchange = None;
                match self.service.tls.as_ref().and_then(|tls| tls.begin().ok()) {
                    Some(tls) => return Ok(Want::StartTls(offer, Box::new(tls))),
                    None => turn.refuse_tls(offer)?,
                }
            }
            Event::Command(_, answer) | Event::Malformed(_, answer) => turn.refuse(answer)?,
            _ => {}
        }
        Ok(Want::Event)
    }

    /// The outcome of [`Want::Commit`].
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] where no commit is due.
    pub fn committed(
        &mut self,
        outcome: io::Result<()>,
        mut turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        let answer = match std::mem::take(&mut self.owed) {
            Owed::Commit(answer) => answer,
            owed => {
                self.owed = owed;
                return Err(Misuse::NotOwed);
            }
        };
        match outcome {
            Ok(()) => {
                turn.answer(answer, &ok("bye"))?;
                self.ended = Ended::Committed(self.removed);
            }
            Err(error) => {
                turn.answer(answer, &err("some deleted messages not removed").with(Code::SysTemp))?;
                self.ended = Ended::NotCommitted(error);
            }
        }
        Ok(Want::Event)
    }

    /// How the connection has ended, once the session says that it is over.
    ///
    /// # Errors
    /// Why a message was cut; else the failure of the session, if it has failed.
    pub fn end(self, session: Result<(), Error<Violation>>) -> Result<Ended, ServeError> {
        match (self.failed, session) {
            (Some(failed), _) => Err(failed),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(())) => Ok(self.ended),
        }
    }

    /// A language: the one that all is said in, or none (RFC 6856 §3.2).
    fn speak(
        &self,
        range: LanguageRange<'_>,
        answer: Answer,
        mut turn: Turn<'_, Server>,
    ) -> Result<(), Misuse> {
        let chosen = language::choose(self.service.languages(), range);
        // The tag that was taken stands before the words.
        let words = chosen.map(|tag| format!("{tag} is spoken"));
        match words.as_deref().map(ReplyText::try_from) {
            Some(Ok(words)) => turn.answer(answer, &Reply::ok(words))?,
            _ => turn.answer(answer, &err("no words in that language"))?,
        }
        Ok(())
    }

    fn commit(
        &mut self,
        deletions: Deletions,
        answer: Answer,
        mut turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        let Some(locked) = self.locked.take() else {
            turn.refuse(answer)?;
            return Ok(Want::Event);
        };
        self.removed = deletions.numbers().count();
        self.owed = Owed::Commit(answer);
        Ok(Want::Commit(locked, deletions))
    }
}

impl<D> fmt::Debug for Serving<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("owed", &self.owed)
            .field("locked", &self.locked.is_some())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

pub(super) fn ok(words: &'static str) -> Reply<'static> {
    Reply::ok(text(words))
}

pub(super) fn err(words: &'static str) -> Reply<'static> {
    Reply::err(text(words))
}

pub(super) fn text(words: &'static str) -> ReplyText<'static> {
    ReplyText::try_from(words).unwrap_or_default()
}
