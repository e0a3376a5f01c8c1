//! Bodies as streams (feature `futures`): a message that arrives is a [`Stream`] of [`Bytes`] and an [`AsyncRead`].
//!
//! Each part is copied once, out of the input. Where that matters, take the chunks of [`Session::next`], which borrow.

use crate::engine;
use crate::error::Error;
use crate::session::Session;
use crate::timer::Timer;
use bytes::{Buf, Bytes};
use futures::Stream;
use futures_io::{AsyncRead, AsyncWrite};
use mail_imap_proto as imap;
use mail_pop3_proto as pop3;
use mail_smtp_proto as smtp;
use mail_wire::{Machine, Owned};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What an event is to a body.
#[derive(Debug)]
pub enum Part<'i, E> {
    /// Octets of it.
    Chunk(&'i [u8]),
    /// Its end.
    End(E),
    /// Nothing.
    Other,
}

/// A machine that receives bodies.
pub trait Receives: Machine {
    /// What comes with the end of a body.
    type End;

    /// What an event is to a body.
    fn part(event: Self::Event<'_>) -> Part<'_, Self::End>;
}

/// The end is the answer that is owed for the message, or why it will not be completed.
impl Receives for smtp::server::Server {
    type End = Result<smtp::server::Answer, smtp::server::Abort>;

    fn part(event: Self::Event<'_>) -> Part<'_, Self::End> {
        match event {
            smtp::server::Event::Chunk(octets) => Part::Chunk(octets),
            smtp::server::Event::BodyEnd(answer) => Part::End(Ok(answer)),
            smtp::server::Event::Abort(abort) => Part::End(Err(abort)),
            _ => Part::Other,
        }
    }
}

/// The end names the command whose answer is complete.
impl Receives for pop3::client::Client {
    type End = pop3::client::Ticket;

    fn part(event: Self::Event<'_>) -> Part<'_, Self::End> {
        match event {
            pop3::client::Event::Chunk(octets) => Part::Chunk(octets),
            pop3::client::Event::End(ticket) => Part::End(ticket),
            _ => Part::Other,
        }
    }
}

/// The end is the answer that is owed for the APPEND.
impl Receives for imap::server::Server {
    type End = imap::server::Answer;

    fn part(event: Self::Event<'_>) -> Part<'_, Self::End> {
        match event {
            imap::server::Event::Chunk(octets) => Part::Chunk(octets),
            imap::server::Event::BodyEnd(answer) => Part::End(answer),
            _ => Part::Other,
        }
    }
}

/// The end is the piece of the FETCH behind the literal. It may announce another.
impl Receives for imap::client::Client {
    type End = Owned<imap::types::FetchPart<'static>>;

    fn part(event: Self::Event<'_>) -> Part<'_, Self::End> {
        match event {
            imap::client::Event::Chunk(octets) => Part::Chunk(octets),
            imap::client::Event::Fetch(part) => Part::End(Owned::new(part)),
            _ => Part::Other,
        }
    }
}

/// The body that a session receives now: behind the event that announced it, and behind the acceptance where one is due.
///
/// It is cancel-safe, and may be dropped and made again in the middle of the body.
#[derive(Debug)]
pub struct Body<'s, M: Receives, S, T> {
    session: &'s mut Session<M, S, T>,
    /// Octets that a read had no room for.
    rest: Bytes,
    end: Option<M::End>,
    /// There is nothing more: the end was taken before this was made.
    over: bool,
}

impl<M: Receives, S: AsyncRead + AsyncWrite + Unpin, T: Timer> Session<M, S, T> {
    /// The body that is being received, as a stream.
    pub fn body(&mut self) -> Body<'_, M, S, T> {
        self.body_unless(false)
    }

    pub(crate) fn body_unless(&mut self, over: bool) -> Body<'_, M, S, T> {
        Body { session: self, rest: Bytes::new(), end: None, over }
    }
}

impl<M: Receives, S: AsyncRead + AsyncWrite + Unpin, T: Timer> Body<'_, M, S, T> {
    /// What came with the end; reads and drops what is left of the body before.
    ///
    /// # Errors
    /// As [`Session::next`]; [`Error::NoBody`].
    pub async fn end(mut self) -> Result<M::End, Error<M::Error>> {
        loop {
            if let Some(end) = self.end.take() {
                return Ok(end);
            }
            if poll_fn(|context| self.poll_part(context)).await?.is_none() && self.end.is_none() {
                return Err(Error::NoBody);
            }
        }
    }

    /// The next octets, or `None` behind the last.
    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error<M::Error>>> {
        if self.over || self.end.is_some() {
            return Poll::Ready(Ok(None));
        }
        let Some(unit) = ready!(self.session.poll_unit(context))? else {
            return Poll::Ready(Err(Error::NoBody));
        };
        let engine::Engine { machine, input, pipe, .. } = self.session.engine();
        let event = engine::decode(machine, input, pipe, unit).map_err(Error::Machine)?;
        Poll::Ready(match M::part(event) {
            Part::Chunk(octets) => Ok(Some(Bytes::copy_from_slice(octets))),
            Part::End(end) => {
                self.end = Some(end);
                Ok(None)
            }
            Part::Other => Err(Error::NoBody),
        })
    }
}

impl<M: Receives, S: AsyncRead + AsyncWrite + Unpin, T: Timer + Unpin> Stream for Body<'_, M, S, T>
where
    M::End: Unpin,
{
    type Item = Result<Bytes, Error<M::Error>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.rest))));
        }
        self.poll_part(context).map(Result::transpose)
    }
}

/// Errors are those of the session, inside an [`io::Error`].
impl<M: Receives, S: AsyncRead + AsyncWrite + Unpin, T: Timer + Unpin> AsyncRead for Body<'_, M, S, T>
where
    M::End: Unpin,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if self.rest.is_empty() {
            match ready!(self.poll_part(context)) {
                Ok(None) => return Poll::Ready(Ok(0)),
                Ok(Some(part)) => self.rest = part,
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
        let n = self.rest.len().min(octets.len());
        if let Some(to) = octets.get_mut(..n) {
            self.rest.copy_to_slice(to);
        }
        Poll::Ready(Ok(n))
    }
}
