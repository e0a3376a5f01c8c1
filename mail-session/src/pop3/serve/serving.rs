//! One connection, without a socket and without a store: events in, replies and questions out.

use super::ended::{Ended, ServeError};
use super::host::{Attempt, Denied};
use super::log_in::Owed;
use super::service::Service;
use crate::error::Error;
use crate::sasl::server::{Exchange, Identity};
use crate::tls::Tls;
use crate::turn::Turn;
use bytes::Bytes;
use mail_pop3_proto::server::{Answer, BodyGrant, Deletions, Event, Server, TlsOffer};
use mail_pop3_proto::types::{Code, MessageNumber, ReplyText};
use mail_pop3_proto::{Command, Reply, Violation};
use mail_wire::{Misuse, Returned};
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
    body: Option<Body>,
    removed: usize,
    failed: Option<ServeError>,
    ended: Ended,
}

/// A message on its way.
struct Body {
    grant: BodyGrant,
    message: MessageNumber,
    /// Behind the last piece.
    offset: u64,
    rest: Bytes,
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

    /// The octets that [`Want::Read`] asks for: none at the end of the message.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] where none were asked for.
    pub fn read(&mut self, piece: io::Result<Bytes>, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        match (std::mem::take(&mut self.owed), piece) {
            (Owed::Message(answer, _), Err(_)) => {
                turn.answer(answer, &err("the message cannot be read").with(Code::SysTemp))?;
                Ok(Want::Event)
            }
            (Owed::Message(answer, message), Ok(piece)) => {
                let grant = turn.answer_body(answer, text("the message follows"))?;
                self.take(Body { grant, message, offset: 0, rest: Bytes::new() }, piece, turn)
            }
            (Owed::Piece, piece) => match (self.body.take().ok_or(Misuse::NotOwed)?, piece) {
                (body, Ok(piece)) => self.take(body, piece, turn),
                (body, Err(error)) => self.break_off(body, ServeError::Read(error), turn),
            },
            (owed, _) => {
                self.owed = owed;
                Err(Misuse::NotOwed)
            }
        }
    }

    /// There is room for more of the message, if one is being sent.
    ///
    /// # Errors
    /// [`Misuse`] of the machine.
    pub fn room(&mut self, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        let Some(mut body) = self.body.take() else { return Ok(Want::Event) };
        if let Err(misuse) = turn.body(&mut body.grant, &mut body.rest) {
            return self.break_off(body, ServeError::Message(misuse), turn);
        }
        if !body.grant.wants_more() {
            return self.end_body(body, turn);
        }
        let want = match body.rest.is_empty() && !turn.output.is_full() {
            true => {
                self.owed = Owed::Piece;
                Want::Read(body.message, body.offset)
            }
            false => Want::Room,
        };
        self.body = Some(body);
        Ok(want)
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

    /// The next piece of a message, or its end.
    fn take(&mut self, mut body: Body, piece: Bytes, turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        if piece.is_empty() {
            return self.end_body(body, turn);
        }
        body.offset = body.offset.saturating_add(piece.len() as u64);
        body.rest = piece;
        self.body = Some(body);
        self.room(turn)
    }

    fn end_body(&mut self, body: Body, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        match turn.end_body(body.grant) {
            Ok(()) => Ok(Want::Event),
            // Its last octet is a CR.
            Err(Returned { token, why }) => {
                self.break_off(Body { grant: token, ..body }, ServeError::Message(why), turn)
            }
        }
    }

    /// Ends the session without the end of the message.
    fn break_off(&mut self, body: Body, why: ServeError, turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        turn.machine.break_off(body.grant)?;
        self.failed = Some(why);
        Ok(Want::Event)
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

fn text(words: &'static str) -> ReplyText<'static> {
    ReplyText::try_from(words).unwrap_or_default()
}
