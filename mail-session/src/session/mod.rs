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
use crate::turn::Turn;
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
#[derive(Debug)]
pub enum Next<'a, M: Machine, S, T> {
    /// An event and what is free while it is held.
    Event(M::Event<'a>, Turn<'a, M, Writer<'a, S, T>>),
    /// More can be queued.
    Room,
    /// The session is over, and all is written.
    Closed,
}

/// What [`Session::next_within`] found.
#[derive(Debug)]
pub enum Within<'a, M: Machine, S, T> {
    /// An event and what is free while it is held.
    Event(M::Event<'a>, Turn<'a, M, Writer<'a, S, T>>),
    /// The time is up. The peer's own deadline goes on.
    Elapsed,
    /// The session is over, and all is written.
    Closed,
}

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

    /// Lets `tap` look at the octets of the session.
    #[must_use]
    pub fn tap(mut self, tap: impl Tap + 'static) -> Self {
        self.engine = self.engine.tap(tap);
        self
    }

    /// The machine and the output: to queue commands between events. They are written by the next wait.
    pub fn turn(&mut self) -> Turn<'_, M, Writer<'_, S, T>> {
        let Self { engine, io, timer, drive } = self;
        let writer = Writer { pipe: &mut engine.pipe, io, timer, drive };
        Turn::new(&mut engine.machine, &mut engine.output, writer)
    }

    /// The next event, or `None` at the end of the session. Cancel-safe.
    ///
    /// The deadline is the start of the wait and the machine's patience; neither a slow drip of octets nor a cancelled and repeated
    /// call moves it.
    ///
    /// # Errors
    /// The end of the session in another way, after what was due to the peer has been written; or [`Error::AnswerOwed`] and
    /// [`Error::UpgradeOwed`], which change nothing.
    pub async fn next(&mut self) -> Result<Event<'_, M, S, T>, Error<M::Error>> {
        match poll_fn(|context| self.poll(context, false, None)).await? {
            Some(Turned::Unit(unit)) => Ok(Some(self.event(unit).await?)),
            _ => Ok(None),
        }
    }

    /// The next event, or room to queue more. Bulk senders loop over it. Cancel-safe.
    ///
    /// # Errors
    /// As [`Session::next`].
    pub async fn next_or_room(&mut self) -> Result<Next<'_, M, S, T>, Error<M::Error>> {
        match poll_fn(|context| self.poll(context, true, None)).await? {
            Some(Turned::Unit(unit)) => {
                let (event, turn) = self.event(unit).await?;
                Ok(Next::Event(event, turn))
            }
            Some(Turned::Room) => Ok(Next::Room),
            _ => Ok(Next::Closed),
        }
    }

    /// The next event within a time of the caller's, such as the pause between two looks at a mailbox. A time of zero looks at what
    /// has arrived. The time is that of the session's timer, begins at the call, and moves no deadline of the peer. Cancel-safe.
    ///
    /// # Errors
    /// As [`Session::next`].
    pub async fn next_within(&mut self, time: Duration) -> Result<Within<'_, M, S, T>, Error<M::Error>> {
        let until = self.timer.now().checked_add(time);
        match poll_fn(|context| self.poll(context, false, until)).await? {
            Some(Turned::Unit(unit)) => {
                let (event, turn) = self.event(unit).await?;
                Ok(Within::Event(event, turn))
            }
            None => Ok(Within::Elapsed),
            Some(_) => Ok(Within::Closed),
        }
    }

    /// Hands the connection over to TLS. Ready when TLS stands, after 30 seconds at the most. Dropping the future ends the
    /// connection.
    ///
    /// # Errors
    /// [`Error::Handover`], [`Error::Tls`], [`Error::HandshakeCut`], [`Error::Timeout`], [`Error::Io`]. The connection is over.
    pub async fn start_tls(self, token: M::Upgrade, tls: Tls) -> Result<Self, Error<M::Error>> {
        Self::shake(self.engine.start_tls(token, tls)?, self.io, self.timer).await
    }

    /// Ends the session as the standard asks for: a server says so after the command in flight. Then call [`Session::next`] until the
    /// end.
    pub fn shutdown(&mut self) {
        self.engine.close(Closing::Shutdown);
    }

    /// The same, and what is in flight may take no longer than this: a peer that does not go on, or does not read, is cut then, and the
    /// session ends with [`Error::Timeout`]. Its last octets have five seconds on top. Of several calls the first counts.
    pub fn shutdown_within(&mut self, time: Duration) {
        self.drive.stop(self.timer.now(), time);
        self.shutdown();
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

    /// Runs a flow that may make TLS, to its end. Where it fails, what is due is written and the connection closed.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn run<F: Flow<M, Upgrade = M::Upgrade>>(
        mut self,
        flow: &mut F,
    ) -> Result<(Self, F::Output), FlowError<M::Error>> {
        let mut progress = flow.begin(self.turn().bare());
        loop {
            progress = match progress {
                Err(failure) => {
                    self.close().await;
                    return Err(failure.into());
                }
                Ok(Progress::Done(output)) => return Ok((self, output)),
                Ok(Progress::StartTls(token)) => {
                    self = self.start_tls(token, flow.tls()?).await?;
                    flow.begin(self.turn().bare())
                }
                Ok(Progress::More) => match self.next().await? {
                    Some((event, turn)) => flow.on(event, turn.bare()),
                    None => Err(Failure::Ended),
                },
            };
        }
    }

    /// Runs a flow that makes no TLS, to its end. Where it fails the session stays as it is. Dropping the future gives the flow up: what
    /// it has sent is sent.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn perform<F: Flow<M, Upgrade = Infallible>>(
        &mut self,
        flow: &mut F,
    ) -> Result<F::Output, FlowError<M::Error>> {
        let mut progress = flow.begin(self.turn().bare())?;
        loop {
            progress = match progress {
                Progress::Done(output) => return Ok(output),
                Progress::StartTls(never) => match never {},
                Progress::More => match self.next().await? {
                    Some((event, turn)) => flow.on(event, turn.bare())?,
                    None => return Err(Failure::Ended.into()),
                },
            };
        }
    }

    /// The next part of an operation, or `None` when it is over. Cancel-safe.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn part<P: Parts<M>>(
        &mut self,
        parts: &mut P,
    ) -> Result<Option<P::Part<'_>>, FlowError<M::Error>> {
        parts.fill(self.turn().bare())?;
        if parts.is_over() {
            return Ok(None);
        }
        match self.next().await? {
            Some((event, _)) => Ok(Some(parts.part(event)?)),
            None => Err(Failure::Ended.into()),
        }
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

    /// The mechanism of the log-in that [`Session::open`] did. `None` where nobody logged in, or without SASL.
    #[must_use]
    pub fn mechanism(&self) -> Option<Mechanism> {
        self.drive.mechanism
    }

    /// Gives the memory of the buffers back as far as nothing is held in them, and ends the overwriting of what was received, which a
    /// machine begins where a password may come. A session does so by itself whenever it waits.
    pub fn idle(&mut self) {
        self.engine.idle();
    }

    /// Whether TLS stands.
    #[must_use]
    pub fn is_secured(&self) -> bool {
        self.engine.is_secured()
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
