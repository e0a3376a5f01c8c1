//! Sessions on blocking sockets, with the standard library alone.
//!
//! A write waits 20 milliseconds at the most before what the peer sends is read in between: two peers that both send bulk get on.

mod socket;

pub use socket::Socket;

use crate::drive::{Drive, Link, Turned, shake};
use crate::engine::{self, Engine, Handshake, Pipe};
use crate::error::Error;
use crate::flow::{Failure, Flow, FlowError, Parts, Progress};
use crate::open::Opening;
use crate::sasl::client::Mechanism;
use crate::tap::Tap;
use crate::tls::Tls;
use crate::turn::{self, Turn};
use crate::waits;
use mail_wire::{Closing, Machine, Output};
use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The longest that a write waits before the other direction is looked at.
const WRITE: Duration = Duration::from_millis(20);
/// The longest that a read waits before the clock is looked at.
const READ: Duration = Duration::from_secs(3600);

/// A session on a blocking socket.
#[derive(Debug)]
pub struct Session<M: Machine, S> {
    engine: Engine<M>,
    io: Waiting<S>,
    drive: Drive,
}

/// What [`Session::next_or_room`] found.
pub type Next<'a, M, S> = turn::Next<'a, M, Writer<'a, S>>;

/// What [`Session::next_within`] found.
pub type Within<'a, M, S> = turn::Within<'a, M, Writer<'a, S>>;

/// An event and its turn, or the end.
pub type Event<'a, M, S> = Option<(<M as Machine>::Event<'a>, Turn<'a, M, Writer<'a, S>>)>;

impl<M: Machine, S: Socket> Session<M, S> {
    /// A session that begins in plain text.
    ///
    /// # Errors
    /// [`Error::Io`] where the socket takes no time-out.
    pub fn over(machine: M, io: S) -> Result<Self, Error<M::Error>> {
        Ok(Self { engine: Engine::plain(machine), io: Waiting::new(io)?, drive: Drive::default() })
    }

    /// A session that begins with TLS. Returns when TLS stands, after 30 seconds at the most.
    ///
    /// # Errors
    /// [`Error::Tls`], [`Error::HandshakeCut`], [`Error::Timeout`], [`Error::Io`].
    pub fn over_tls(machine: M, io: S, tls: Tls) -> Result<Self, Error<M::Error>> {
        Self::shake(Handshake::implicit(machine, tls), Waiting::new(io)?)
    }

    /// The machine and the output: to queue commands between events. They are written by the next wait.
    pub fn turn(&mut self) -> Turn<'_, M, Writer<'_, S>> {
        let Self { engine, io, drive } = self;
        Turn::new(&mut engine.machine, &mut engine.output, Writer { pipe: &mut engine.pipe, io, drive })
    }

    waits::waits!([] [] [M, S] "");

    /// Room to queue more or the next event, within a time of the caller's; `None` when it is up.
    pub(crate) fn room_within(&mut self, time: Duration) -> Result<Option<Next<'_, M, S>>, Error<M::Error>> {
        Ok(match self.wait(true, Some(time))? {
            Some(Turned::Unit(unit)) => {
                let (event, turn) = self.event(unit)?;
                Some(Next::Event(event, turn))
            }
            Some(Turned::Room) => Some(Next::Room),
            None => None,
            Some(_) => Some(Next::Closed),
        })
    }

    /// Hands the connection over to TLS. Returns when TLS stands, after 30 seconds at the most.
    ///
    /// # Errors
    /// [`Error::Handover`], [`Error::Tls`], [`Error::HandshakeCut`], [`Error::Timeout`], [`Error::Io`]. The connection is over.
    pub fn start_tls(self, token: M::Upgrade, tls: Tls) -> Result<Self, Error<M::Error>> {
        Self::shake(self.engine.start_tls(token, tls)?, self.io)
    }

    /// Writes what is queued and closes, whatever the state of the session. Gives the socket back.
    pub fn close(mut self) -> S {
        let limit = self.drive_deadline_of_end();
        loop {
            self.io.until = limit;
            if self.drive.end(&mut self.engine, &mut self.io) || Instant::now() >= limit {
                return self.io.socket;
            }
        }
    }

    /// Opens a session on a connection that stands: TLS and the log-in.
    ///
    /// # Errors
    /// [`FlowError`].
    pub fn open<O: Opening<Machine = M>>(mut opening: O, io: S) -> Result<Self, FlowError<M::Error>> {
        let (machine, tap) = (opening.machine(), opening.take_tap());
        let session = match (opening.implicit_tls()?, tap) {
            (Some(tls), None) => Self::over_tls(machine, io, tls)?,
            (Some(tls), Some(tap)) => {
                Self::shake(Handshake::implicit(machine, tls).tap(tap), Waiting::new(io)?)?
            }
            (None, None) => Self::over(machine, io)?,
            (None, Some(tap)) => Self::over(machine, io)?.tap(tap),
        };
        let (mut session, ()) = session.run(&mut opening)?;
        session.drive.mechanism = opening.mechanism();
        session.idle();
        Ok(session)
    }

    /// Gives the memory of the buffers back as far as nothing is held in them, and ends the overwriting of what was received, which a
    /// machine begins where a password may come. Reads wait here, so a session does
    /// it by itself only behind the log-in of [`Session::open`]: a server calls it when a log-in has succeeded.
    pub fn idle(&mut self) {
        self.engine.idle();
    }

    /// The socket, to ask for addresses. Reading or writing would break the session.
    pub fn socket(&self) -> &S {
        &self.io.socket
    }

    /// Lets time pass. Nothing is read or written meanwhile.
    pub(crate) fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn drive_deadline_of_end(&self) -> Instant {
        Instant::now() + crate::drive::GRACE
    }

    /// The clock of a session: here there is but one.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// `None`: the caller's time is up.
    fn wait(&mut self, room: bool, time: Option<Duration>) -> Result<Option<Turned>, Error<M::Error>> {
        // A time of zero looks at what has arrived.
        let until = time.and_then(|time| Instant::now().checked_add(time.max(Duration::from_millis(1))));
        loop {
            let now = Instant::now();
            let deadline = self.drive.deadline(now, self.engine.patience());
            let limit = until.map_or(deadline, |until| deadline.min(until));
            self.io.until = limit;
            match self.drive.turn(&mut self.engine, &mut self.io, room)? {
                Turned::Blocked => {}
                other => return Ok(Some(other)),
            }
            let now = Instant::now();
            if now >= self.drive.deadline(now, self.engine.patience()) {
                self.drive.expire(&mut self.engine);
            } else if until.is_some_and(|until| now >= until) {
                return Ok(None);
            }
        }
    }

    #[allow(clippy::type_complexity)]
    fn event(
        &mut self,
        unit: mail_wire::Unit,
    ) -> Result<(M::Event<'_>, Turn<'_, M, Writer<'_, S>>), Error<M::Error>> {
        let Self { engine, io, drive } = self;
        let Engine { machine, input, output, pipe, .. } = engine;
        match engine::decode(machine, input, pipe, unit) {
            Ok(event) => Ok((event, Turn::new(machine, output, Writer { pipe, io, drive }))),
            Err(error) => {
                pipe.closing = true;
                // The last reply goes out; that it cannot is told by nothing but the error itself.
                let _ = Writer { pipe, io, drive }.write(output, crate::drive::GRACE);
                Err(Error::Machine(error))
            }
        }
    }

    fn shake(mut handshake: Handshake<M>, mut io: Waiting<S>) -> Result<Self, Error<M::Error>> {
        let until = Instant::now() + Handshake::<M>::PATIENCE;
        loop {
            io.until = until;
            if shake(&mut handshake, &mut io)? {
                let engine = handshake.finish().map_err(|_| Error::HandshakeCut)?;
                return Ok(Self { engine, io, drive: Drive::default() });
            }
            if Instant::now() >= until {
                return Err(Error::Timeout);
            }
        }
    }
}

/// Connects to the host of an opening, with `TCP_NODELAY`, makes TLS and logs in.
///
/// # Errors
/// [`FlowError`].
#[allow(clippy::type_complexity)] // All of it is the machine of the opening.
pub fn connect<O: Opening>(
    opening: O,
) -> Result<Session<O::Machine, TcpStream>, FlowError<<O::Machine as Machine>::Error>> {
    let socket = open(opening.address())?;
    Session::open(opening, socket)
}

impl<M: Machine> Session<M, TcpStream> {
    /// Connects in plain text, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn connect(machine: M, address: impl ToSocketAddrs) -> Result<Self, Error<M::Error>> {
        Self::over(machine, open(address)?)
    }

    /// Connects with TLS from the first octet, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// As [`Session::over_tls`].
    pub fn connect_tls(machine: M, address: impl ToSocketAddrs, tls: Tls) -> Result<Self, Error<M::Error>> {
        Self::over_tls(machine, open(address)?, tls)
    }
}

/// How long an address may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// Opens a socket with `TCP_NODELAY`: sessions write whole turns, so that nothing is gained by waiting for more. Each address of a
/// name is tried for 30 seconds at the most.
///
/// # Errors
/// That of the last address tried.
pub fn open(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What a turn of a blocking session writes through.
#[derive(Debug)]
pub struct Writer<'a, S> {
    pipe: &'a mut Pipe,
    io: &'a mut Waiting<S>,
    drive: &'a mut Drive,
}

impl<S: Socket> Writer<'_, S> {
    fn write(&mut self, output: &mut Output, patience: Duration) -> io::Result<()> {
        let mut until = Instant::now() + patience;
        loop {
            match self.pipe.transmit(output, self.io) {
                Ok(0) => {
                    self.drive.drained();
                    return self.io.flush();
                }
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                        until = until.min(self.drive.deadline(Instant::now(), patience));
                        if Instant::now() >= until {
                            return Err(io::ErrorKind::TimedOut.into());
                        }
                    }
                    _ => return Err(error),
                },
            }
        }
    }
}

impl<M: Machine, S: Socket> Turn<'_, M, Writer<'_, S>> {
    /// Writes what is queued while the event is held. It only writes: nothing can be read while an event borrows the input, so a client that
    /// sends bulk lets go of the event and loops over [`Session::next_or_room`].
    ///
    /// # Errors
    /// [`Error::Timeout`] when the peer does not read for as long as the machine's patience lasts, [`Error::Io`].
    pub fn flush(&mut self) -> Result<(), Error<M::Error>> {
        match self.link.write(self.output, self.machine.patience()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.machine.close(Closing::Expired, self.output);
                self.link.drive.expired();
                Err(Error::Timeout)
            }
            Err(error) => Err(Error::Io(error)),
        }
    }
}

/// A socket as a link: writes wait shortly, reads as long as the limit says, or shortly where a write waits too.
#[derive(Debug)]
struct Waiting<S> {
    socket: S,
    /// When reads end to wait. A point in time: a drip of octets makes many reads, and must not make many waits.
    until: Instant,
    /// The last write ran out of time.
    stalled: bool,
    /// A read has succeeded since: the next write gives way to another read. Else two peers that both write would each wait out their
    /// time for every few octets.
    reading: bool,
    set: Duration,
}

impl<S: Socket> Waiting<S> {
    fn new(mut socket: S) -> io::Result<Self> {
        socket.write_within(WRITE)?;
        Ok(Self { socket, until: Instant::now(), stalled: false, reading: false, set: Duration::ZERO })
    }

    fn write_by<T>(&mut self, write: impl FnOnce(&mut S) -> io::Result<T>) -> io::Result<T> {
        if self.stalled && std::mem::take(&mut self.reading) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = write(&mut self.socket);
        match &result {
            Ok(_) => self.stalled = false,
            Err(error) => {
                self.stalled = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
            }
        }
        result
    }
}

impl<S: Socket> Read for Waiting<S> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let limit = left.min(if self.stalled { WRITE } else { READ }).max(Duration::from_millis(1));
        if self.set != limit {
            self.socket.read_within(limit)?;
            self.set = limit;
        }
        let result = self.socket.read(octets);
        self.reading = result.is_ok();
        result
    }
}

impl<S: Socket> Write for Waiting<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.write_by(|socket| socket.write(octets))
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.write_by(|socket| socket.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl<S: Socket> Link for Waiting<S> {
    const WAITS: bool = true;

    fn finish(&mut self) -> io::Result<()> {
        self.socket.finish()
    }
}
