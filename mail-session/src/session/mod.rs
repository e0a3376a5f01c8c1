//! Sessions on any runtime: one driver over the traits of `futures-io`, for clients and servers of all three protocols.
//!
//! Commands and answers are queued by synchronous calls; only [`Session::next`] and its kin await. All of them may be dropped at any
//! await and called again: nothing is lost and nothing is sent twice. Only [`Session::start_tls`] and [`Session::over_tls`] may not: dropping
//! them ends the connection.
//!
//! An event may be held over an await, and answered by its turn; but not over the next [`Session::next`]:
//!
//! ```
//! # use mail_session::{Session, memory::{Clock, End}, wire::Machine};
//! async fn two<M: Machine>(session: &mut Session<M, End, Clock>) {
//!     let one = session.next().await;
//!     drop(one);
//!     let _ = session.next().await;
//! }
//! ```
//! ```compile_fail,E0499
//! # use mail_session::{Session, memory::{Clock, End}, wire::Machine};
//! async fn two<M: Machine>(session: &mut Session<M, End, Clock>) {
//!     let one = session.next().await;
//!     let _ = session.next().await;
//!     drop(one);
//! }
//! ```
//!
//! The hand-over to TLS consumes the session:
//!
//! ```
//! # use mail_session::{Error, Session, memory::{Clock, End}, tls::Tls, wire::Machine};
//! async fn upgrade<M: Machine>(session: Session<M, End, Clock>, token: M::Upgrade, tls: Tls) -> Result<(), Error<M::Error>> {
//!     let mut secured = session.start_tls(token, tls).await?;
//!     secured.shutdown();
//!     Ok(())
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_session::{Error, Session, memory::{Clock, End}, tls::Tls, wire::Machine};
//! async fn upgrade<M: Machine>(mut session: Session<M, End, Clock>, token: M::Upgrade, tls: Tls) -> Result<(), Error<M::Error>> {
//!     let _secured = session.start_tls(token, tls).await?;
//!     session.shutdown();
//!     Ok(())
//! }
//! ```

mod link;

use crate::drive::{Drive, Turned, shake};
use crate::engine::{self, Engine, Handshake, Pipe};
use crate::error::Error;
use crate::flow::{Failure, Flow, FlowError, Parts, Progress};
use crate::open::Opening;
use crate::sasl::client::Mechanism;
use crate::tap::Tap;
use crate::timer::Timer;
use crate::tls::Tls;
use crate::turn::{self, Turn};
use crate::waits;
use futures_io::{AsyncRead, AsyncWrite};
use link::Polled;
use mail_wire::{Closing, Machine, Output, Unit};
use std::convert::Infallible;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// A session on an asynchronous connection.
#[derive(Debug)]
pub struct Session<M: Machine, S, T> {
    engine: Engine<M>,
    io: S,
    timer: T,
    drive: Drive,
}

/// What [`Session::next_or_room`] found.
pub type Next<'a, M, S, T> = turn::Next<'a, M, Writer<'a, S, T>>;

/// What [`Session::next_within`] found.
pub type Within<'a, M, S, T> = turn::Within<'a, M, Writer<'a, S, T>>;

/// An event and its turn, or the end.
pub type Event<'a, M, S, T> = Option<(<M as Machine>::Event<'a>, Turn<'a, M, Writer<'a, S, T>>)>;

impl<M: Machine, S: AsyncRead + AsyncWrite + Unpin, T: Timer> Session<M, S, T> {
    /// A session that begins in plain text.
    pub fn over(machine: M, io: S, timer: T) -> Self {
        Self { engine: Engine::plain(machine), io, timer, drive: Drive::default() }
    }

    /// A session that begins with TLS. Ready when TLS stands, after 30 seconds at the most.
    ///
    /// # Errors
    /// [`Error::Tls`], [`Error::HandshakeCut`], [`Error::Timeout`], [`Error::Io`].
    pub async fn over_tls(machine: M, io: S, timer: T, tls: Tls) -> Result<Self, Error<M::Error>> {
        Self::shake(Handshake::implicit(machine, tls), io, timer).await
    }

    /// The machine and the output: to queue commands between events. They are written by the next wait.
    pub fn turn(&mut self) -> Turn<'_, M, Writer<'_, S, T>> {
        let Self { engine, io, timer, drive } = self;
        let writer = Writer { pipe: &mut engine.pipe, io, timer, drive };
        Turn::new(&mut engine.machine, &mut engine.output, writer)
    }

    waits::waits!([async] [.await] [M, S, T] " Cancel-safe.");

    /// Hands the connection over to TLS. Ready when TLS stands, after 30 seconds at the most. Dropping the future ends the
    /// connection.
    ///
    /// # Errors
    /// [`Error::Handover`], [`Error::Tls`], [`Error::HandshakeCut`], [`Error::Timeout`], [`Error::Io`]. The connection is over.
    pub async fn start_tls(self, token: M::Upgrade, tls: Tls) -> Result<Self, Error<M::Error>> {
        Self::shake(self.engine.start_tls(token, tls)?, self.io, self.timer).await
    }

    /// Writes what is queued and closes, whatever the state of the session, within five seconds. Gives the connection back.
    pub async fn close(mut self) -> S {
        poll_fn(|context| {
            loop {
                let mut link = Polled { io: &mut self.io, context };
                if self.drive.end(&mut self.engine, &mut link) {
                    return Poll::Ready(());
                }
                ready!(self.poll_deadline(context, None));
            }
        })
        .await;
        self.io
    }

    /// Opens a session on a connection that stands: TLS and the log-in.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn open<O: Opening<Machine = M>>(
        mut opening: O,
        io: S,
        timer: T,
    ) -> Result<Self, FlowError<M::Error>> {
        let (machine, tap) = (opening.machine(), opening.take_tap());
        let session = match (opening.implicit_tls()?, tap) {
            (Some(tls), None) => Self::over_tls(machine, io, timer, tls).await?,
            (Some(tls), Some(tap)) => {
                Self::shake(Handshake::implicit(machine, tls).tap(tap), io, timer).await?
            }
            (None, None) => Self::over(machine, io, timer),
            (None, Some(tap)) => Self::over(machine, io, timer).tap(tap),
        };
        let (mut session, ()) = session.run(&mut opening).await?;
        session.drive.mechanism = opening.mechanism();
        session.idle();
        Ok(session)
    }

    /// Gives the memory of the buffers back as far as nothing is held in them, and ends the overwriting of what was received, which a
    /// machine begins where a password may come. A session does so by itself whenever it waits.
    pub fn idle(&mut self) {
        self.engine.idle();
    }

    /// The connection, to ask for addresses. Reading or writing would break the session.
    pub fn connection(&self) -> &S {
        &self.io
    }

    /// Lets time pass by the clock of the session. Nothing is read or written meanwhile.
    pub(crate) async fn pause(&mut self, time: Duration) {
        let now = self.timer.now();
        let until = now.checked_add(time).unwrap_or(now);
        poll_fn(|context| self.timer.poll_until(until, context)).await;
    }

    fn now(&self) -> Instant {
        self.timer.now()
    }

    /// `None`: the caller's time is up.
    async fn wait(&mut self, room: bool, time: Option<Duration>) -> Result<Option<Turned>, Error<M::Error>> {
        let until = time.and_then(|time| self.now().checked_add(time));
        poll_fn(|context| self.poll(context, room, until)).await
    }

    /// `None`: it is `until`.
    #[allow(clippy::type_complexity)]
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        room: bool,
        until: Option<Instant>,
    ) -> Poll<Result<Option<Turned>, Error<M::Error>>> {
        loop {
            let mut link = Polled { io: &mut self.io, context };
            match self.drive.turn(&mut self.engine, &mut link, room)? {
                Turned::Blocked => {
                    if !ready!(self.poll_deadline(context, until)) {
                        return Poll::Ready(Ok(None));
                    }
                }
                other => return Poll::Ready(Ok(Some(other))),
            }
        }
    }

    /// The next unit, or `None` at the end of the session.
    #[cfg(feature = "futures")]
    pub(crate) fn poll_unit(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Unit>, Error<M::Error>>> {
        self.poll(context, false, None).map_ok(|turned| match turned {
            Some(Turned::Unit(unit)) => Some(unit),
            _ => None,
        })
    }

    #[cfg(feature = "futures")]
    pub(crate) fn engine(&mut self) -> &mut Engine<M> {
        &mut self.engine
    }

    /// Ready when the deadline has passed, and the session has been told; or with `false` when it is `until` before.
    fn poll_deadline(&mut self, context: &mut Context<'_>, until: Option<Instant>) -> Poll<bool> {
        let deadline = self.drive.deadline(self.timer.now(), self.engine.patience());
        let early = until.filter(|until| *until < deadline);
        ready!(self.timer.poll_until(early.unwrap_or(deadline), context));
        if early.is_none() {
            self.drive.expire(&mut self.engine);
        }
        Poll::Ready(early.is_none())
    }

    #[allow(clippy::type_complexity)]
    async fn event(
        &mut self,
        unit: Unit,
    ) -> Result<(M::Event<'_>, Turn<'_, M, Writer<'_, S, T>>), Error<M::Error>> {
        let Self { engine, io, timer, drive } = self;
        let Engine { machine, input, output, pipe, .. } = engine;
        match engine::decode(machine, input, pipe, unit) {
            Ok(event) => Ok((event, Turn::new(machine, output, Writer { pipe, io, timer, drive }))),
            Err(error) => {
                pipe.closing = true;
                // The last reply goes out; that it cannot is told by nothing but the error itself.
                let _ = Writer { pipe, io, timer, drive }.write(output, crate::drive::GRACE).await;
                Err(Error::Machine(error))
            }
        }
    }

    async fn shake(mut handshake: Handshake<M>, mut io: S, mut timer: T) -> Result<Self, Error<M::Error>> {
        let until = timer.now() + Handshake::<M>::PATIENCE;
        poll_fn(|context| {
            if shake(&mut handshake, &mut Polled { io: &mut io, context })? {
                return Poll::Ready(Ok(()));
            }
            ready!(timer.poll_until(until, context));
            Poll::Ready(Err(Error::Timeout))
        })
        .await?;
        let engine = handshake.finish().map_err(|_| Error::HandshakeCut)?;
        Ok(Self { engine, io, timer, drive: Drive::default() })
    }
}

/// What a turn of an asynchronous session writes through.
#[derive(Debug)]
pub struct Writer<'a, S, T> {
    pipe: &'a mut Pipe,
    io: &'a mut S,
    timer: &'a mut T,
    drive: &'a mut Drive,
}

impl<S: AsyncRead + AsyncWrite + Unpin, T: Timer> Writer<'_, S, T> {
    async fn write(&mut self, output: &mut Output, patience: Duration) -> std::io::Result<()> {
        poll_fn(|context| {
            loop {
                let mut link = Polled { io: &mut *self.io, context };
                match self.pipe.transmit(output, &mut link) {
                    Ok(0) => match std::io::Write::flush(&mut link) {
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        result => {
                            self.drive.drained();
                            return Poll::Ready(result);
                        }
                    },
                    Ok(_) => continue,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Err(error)),
                }
                let deadline = self.drive.deadline(self.timer.now(), patience);
                ready!(self.timer.poll_until(deadline, context));
                return Poll::Ready(Err(ErrorKind::TimedOut.into()));
            }
        })
        .await
    }
}

impl<M: Machine, S: AsyncRead + AsyncWrite + Unpin, T: Timer> Turn<'_, M, Writer<'_, S, T>> {
    /// Writes what is queued while the event is held. It only writes: nothing can be read while an event borrows the input, so a client that
    /// sends bulk lets go of the event and loops over [`Session::next_or_room`]. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the peer does not read for as long as the machine's patience lasts, [`Error::Io`].
    pub async fn flush(&mut self) -> Result<(), Error<M::Error>> {
        match self.link.write(self.output, self.machine.patience()).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                self.machine.close(Closing::Expired, self.output);
                self.link.drive.expired();
                Err(Error::Timeout)
            }
            Err(error) => Err(Error::Io(error)),
        }
    }
}
