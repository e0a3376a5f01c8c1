//! Octets to events and back: a machine, its buffers, and TLS, with no socket and no clock.
//!
//! ```text
//!   Engine::plain(machine) ----+                 +---> Engine (under TLS) ---> ...
//!                              v                 |
//!   step() -> Ready(unit) -> decode(unit) -> (event, turn)
//!          -> Wait        -> transmit / receive
//!          -> Paused      -> answer; start_tls(token) -> Handshake -> finish()
//!          -> Closed      -> transmit until Ok(0), close the socket
//! ```
//!
//! Every driver of this crate is a loop around an engine. It is also what a fuzzer or a simulation drives.
//!
//! # What does not compile
//!
//! The hand-over consumes the engine, so that nothing learnt before TLS can be used behind it:
//!
//! ```
//! # use mail_session::{Engine, Error, engine::Handshake, tls::Tls, wire::Machine};
//! fn upgrade<M: Machine>(engine: Engine<M>, token: M::Upgrade, tls: Tls) -> Result<Handshake<M>, Error<M::Error>> {
//!     engine.start_tls(token, tls)
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_session::{Engine, Error, engine::Handshake, tls::Tls, wire::Machine};
//! fn upgrade<M: Machine>(mut engine: Engine<M>, token: M::Upgrade, tls: Tls) -> Result<Handshake<M>, Error<M::Error>> {
//!     let handshake = engine.start_tls(token, tls);
//!     let _ = engine.turn(); // the machine from before
//!     handshake
//! }
//! ```
//!
//! While the handshake goes on, the machine is out of reach:
//!
//! ```
//! # use mail_session::{engine::Handshake, wire::Machine};
//! fn wait<M: Machine>(handshake: &mut Handshake<M>) -> bool {
//!     handshake.wants_write()
//! }
//! ```
//! ```compile_fail,E0616
//! # use mail_session::{engine::Handshake, wire::Machine};
//! fn wait<M: Machine>(handshake: &mut Handshake<M>) -> bool {
//!     let _ = &mut handshake.handover;
//!     handshake.wants_write()
//! }
//! ```
//!
//! While an event is held, the input that it borrows from cannot be filled:
//!
//! ```
//! # use mail_session::{Engine, wire::{Machine, Unit}};
//! fn hold<M: Machine>(engine: &mut Engine<M>, unit: Unit, mut link: impl std::io::Read) {
//!     let event = engine.decode(unit);
//!     drop(event);
//!     let _ = engine.receive(&mut link);
//! }
//! ```
//! ```compile_fail,E0499
//! # use mail_session::{Engine, wire::{Machine, Unit}};
//! fn hold<M: Machine>(engine: &mut Engine<M>, unit: Unit, mut link: impl std::io::Read) {
//!     let event = engine.decode(unit);
//!     let _ = engine.receive(&mut link);
//!     drop(event);
//! }
//! ```

mod filter;
mod handshake;
mod pipe;

pub use handshake::Handshake;
pub(crate) use pipe::Pipe;

use crate::error::Error;
use crate::tap::{Note, Tap, Tapped};
use crate::tls::Tls;
use crate::turn::Turn;
use mail_wire::{Closing, End, Framed, Input, Machine, Output, Pause, Unit};
use std::io::{self, Read, Write};
use std::time::Duration;

/// What an engine found.
#[must_use]
#[derive(Debug)]
pub enum Step {
    /// A complete unit: decode it.
    Ready(Unit),
    /// Nothing more without octets of the peer: transmit, receive.
    NeedInput,
    /// More octets of the peer would not help yet: transmit, and see to what is owed.
    Paused(Pause),
    /// The session is over in the ordinary way: transmit what is left, then close.
    Closed,
}

/// A machine, its buffers, and TLS if it stands.
#[derive(Debug)]
pub struct Engine<M: Machine> {
    pub(crate) machine: M,
    pub(crate) input: Input,
    pub(crate) output: Output,
    pub(crate) pipe: Pipe,
    /// The end that the machine was told of.
    told: Option<End>,
    over: bool,
}

impl<M: Machine> Engine<M> {
    /// An engine on a connection that begins in plain text.
    #[must_use]
    pub fn plain(machine: M) -> Self {
        Self::resume(machine, Output::new(), Pipe::default())
    }

    fn resume(machine: M, output: Output, pipe: Pipe) -> Self {
        Self { machine, input: Input::new(), output, pipe, told: None, over: false }
    }

    /// Lets `tap` look at the octets of the session.
    #[must_use]
    pub fn tap(mut self, tap: impl Tap + 'static) -> Self {
        self.pipe.tap = Some(Tapped::new(Box::new(tap)));
        self
    }

    /// Whether TLS stands.
    #[must_use]
    pub fn is_secured(&self) -> bool {
        self.pipe.filter.is_some()
    }

    /// Looks for the next unit in what has arrived.
    ///
    /// # Errors
    /// The end of the session, and the same from then on. A last reply may wait: transmit it, then close.
    pub fn step(&mut self) -> Result<Step, Error<M::Error>> {
        loop {
            let framed = self.machine.frame(&mut self.input, &mut self.output);
            match framed.map_err(|error| self.fatal(Error::Machine(error)))? {
                Framed::Ready(unit) => return Ok(Step::Ready(unit)),
                Framed::Paused(pause) => return Ok(Step::Paused(pause)),
                Framed::Closed => return self.closed(),
                Framed::NeedInput => {}
            }
            if self.pipe.open(&mut self.input) {
                continue;
            }
            match self.pipe.end().map_err(|error| self.fatal(error))? {
                None => return Ok(Step::NeedInput),
                Some(_) if self.told.is_some() => return Err(self.fatal(Error::Stuck)),
                Some(end) => {
                    self.told = Some(end);
                    self.machine.eof(end);
                }
            }
        }
    }

    /// Decodes a unit. The event borrows the input; the turn holds all that is needed to answer it.
    ///
    /// # Errors
    /// [`Error::Machine`]: a stale unit, or a violation. A last reply may wait: transmit it, then close.
    #[allow(clippy::type_complexity)]
    pub fn decode(&mut self, unit: Unit) -> Result<(M::Event<'_>, Turn<'_, M>), Error<M::Error>> {
        let Self { machine, input, output, pipe, .. } = self;
        let event = decode(machine, input, pipe, unit).map_err(Error::Machine)?;
        Ok((event, Turn::new(machine, output, ())))
    }

    /// The machine and the output: to queue commands between events.
    pub fn turn(&mut self) -> Turn<'_, M> {
        Turn::new(&mut self.machine, &mut self.output, ())
    }

    /// Hands the connection over to TLS. It consumes the engine, the machine and the token; nothing has to be awaited before, since what is
    /// queued keeps its place before the first TLS record.
    ///
    /// # Errors
    /// [`Error::Handover`]. The connection is over.
    pub fn start_tls(mut self, token: M::Upgrade, tls: Tls) -> Result<Handshake<M>, Error<M::Error>> {
        let handover = self.machine.start_tls(token, self.input, &mut self.output)?;
        Ok(Handshake::new(handover, self.output, self.pipe, tls))
    }

    /// Ends the session from this side: see [`Machine::close`]. Then step until [`Step::Closed`] or an error.
    pub fn close(&mut self, why: Closing) {
        self.machine.close(why, &mut self.output);
    }

    /// Whether octets wait to be written.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.pipe.wants_write(&self.output)
    }

    /// Whether the output is full: see [`Output::is_full`].
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.output.is_full()
    }

    /// Whether a read has a place to go. `false` once the peer has ended.
    #[must_use]
    pub fn can_read(&self) -> bool {
        self.pipe.can_read()
    }

    /// Writes once. `Ok(0)`: nothing is left to write, close_notify included if the session is over.
    ///
    /// # Errors
    /// Those of the writer; [`io::ErrorKind::WriteZero`] where it takes nothing.
    pub fn transmit(&mut self, to: &mut dyn Write) -> io::Result<usize> {
        self.pipe.transmit(&mut self.output, to)
    }

    /// Reads once. `Ok(0)` is the end of the connection, and has been noted. Where the read would block and nothing is held, the
    /// buffers are given back.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn receive(&mut self, from: &mut dyn Read) -> io::Result<usize> {
        self.pipe.receive(&mut self.input, &mut self.output, from)
    }

    /// Gives the memory of the buffers back as far as nothing is held in them, and ends the overwriting of what was received: a machine
    /// begins it where a password may come, and it goes on until the input is empty and idle. For the time behind a log-in.
    /// [`Engine::receive`] does the same where a read would block; on a connection whose reads wait, this is the way.
    pub fn idle(&mut self) {
        self.input.idle();
        self.output.idle();
    }

    /// The longest wait for the peer that the standard allows in this state.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.machine.patience()
    }

    /// The octets of memory held by the buffers, without TLS.
    #[must_use]
    pub fn held(&self) -> usize {
        self.input.capacity().saturating_add(self.output.capacity())
    }

    fn closed(&mut self) -> Result<Step, Error<M::Error>> {
        self.finish();
        // The machine owed nothing when the connection was cut; that it was cut must not look like an ordinary end.
        if self.told == Some(End::Cut) { Err(Error::Unclean) } else { Ok(Step::Closed) }
    }

    fn fatal(&mut self, error: Error<M::Error>) -> Error<M::Error> {
        self.finish();
        error
    }

    /// Nothing more will be queued.
    pub(crate) fn finish(&mut self) {
        if !self.over {
            self.over = true;
            self.pipe.closing = true;
            self.pipe.note(Note::Closed);
        }
    }
}

/// Decodes a unit and shows it to the tap. The event borrows the input alone, so that a driver can still write when this fails.
pub(crate) fn decode<'i, M: Machine>(
    machine: &mut M,
    input: &'i mut Input,
    pipe: &mut Pipe,
    unit: Unit,
) -> Result<M::Event<'i>, M::Error> {
    let Some(tap) = &mut pipe.tap else { return machine.decode(unit, input) };
    tap.keep(input.peek());
    match machine.decode(unit, input) {
        Ok(event) => {
            tap.decoded(machine.masks());
            Ok(event)
        }
        Err(error) => {
            tap.undecoded();
            Err(error)
        }
    }
}
