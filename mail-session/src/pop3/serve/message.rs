//! A message on its way to the client: pieces from the application, until the message is whole or given up.
//!
//! A client that takes a part of a message for the whole deletes it. So a message ends in one way alone: the application has said that it
//! ends, and it has the octets that the maildrop lists. In every other case the terminator is never written, and the connection ends, which is
//! the one way to say so behind a `+OK` (RFC 1939 §3 has no reply for it).

use super::ended::ServeError;
use super::log_in::Owed;
use super::serving::{Serving, Want, err, text};
use crate::turn::Turn;
use bytes::Bytes;
use mail_pop3_proto::server::{BodyGrant, Server};
use mail_pop3_proto::types::{Code, MessageNumber};
use mail_wire::{Misuse, Returned};
use std::io;

/// A message on its way.
pub(super) struct Body {
    grant: BodyGrant,
    message: MessageNumber,
    /// Behind the last piece.
    offset: u64,
    rest: Bytes,
}

impl<D> Serving<'_, D> {
    /// The octets that [`Want::Read`] asks for: none at the end of the message.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] where none were asked for.
    pub fn read(&mut self, piece: io::Result<Bytes>, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        match (std::mem::take(&mut self.owed), piece) {
            (Owed::Message(answer, message), Ok(piece)) if !piece.is_empty() || is_empty(message, &turn) => {
                let grant = turn.answer_body(answer, text("the message follows"))?;
                self.take(Body { grant, message, offset: 0, rest: Bytes::new() }, piece, turn)
            }
            // Nothing is said yet, so that it can still be refused.
            (Owed::Message(answer, _), _) => {
                turn.answer(answer, &err("the message cannot be read").with(Code::SysTemp))?;
                Ok(Want::Event)
            }
            (Owed::Piece, piece) => match (self.body.take().ok_or(Misuse::NotOwed)?, piece) {
                (body, Ok(piece)) => self.take(body, piece, turn),
                (body, Err(error)) => {
                    let why = ServeError::Read(body.message, error);
                    self.break_off(body, why, turn)
                }
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
        match turn.body(&mut body.grant, &mut body.rest) {
            Ok(()) => {}
            // The session has ended meanwhile, and nothing is owed to anybody any more. The next event says how.
            Err(Misuse::Over) => return Ok(Want::Event),
            Err(misuse) => {
                let why = ServeError::Message(body.message, misuse);
                return self.break_off(body, why, turn);
            }
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

    /// Ends the message, if it is whole.
    fn end_body(&mut self, body: Body, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        let missing = turn.machine.missing(&body.grant);
        if missing > 0 {
            let why = ServeError::Short(body.message, missing);
            return self.break_off(body, why, turn);
        }
        match turn.end_body(body.grant) {
            Ok(()) => Ok(Want::Event),
            // Its last octet is a CR.
            Err(Returned { token, why }) => {
                let why = ServeError::Message(body.message, why);
                self.break_off(Body { grant: token, ..body }, why, turn)
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

/// Whether a message is listed as one of no octets.
fn is_empty(message: MessageNumber, turn: &Turn<'_, Server>) -> bool {
    turn.machine.maildrop().is_some_and(|maildrop| maildrop.size(message) == Some(0))
}
