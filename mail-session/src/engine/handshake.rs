//! TLS is being made.

use super::Engine;
use super::filter::Filter;
use super::pipe::Pipe;
use crate::error::Error;
use crate::tap::{Note, Tap, Tapped};
use crate::tls::Tls;
use mail_wire::{Handover, Input, Machine, Output};
use std::io::{self, Read, Write};
use std::time::Duration;

/// A connection whose TLS handshake is under way. It can only move octets: the machine is out of reach until
/// [`Handshake::finish`].
///
/// What a STARTTLS server had still to write, its go-ahead, goes out before the first TLS record.
#[must_use = "the machine is inside"]
#[derive(Debug)]
pub struct Handshake<M: Machine> {
    handover: Handover<M>,
    output: Output,
    pipe: Pipe,
    cut: bool,
}

impl<M: Machine> Handshake<M> {
    /// How long a handshake may take.
    pub const PATIENCE: Duration = Duration::from_secs(30);

    /// For connections that begin with TLS (RFC 8314 §3).
    pub fn implicit(machine: M, tls: Tls) -> Self {
        Self::new(Handover::implicit(machine), Output::new(), Pipe::default(), tls)
    }

    pub(super) fn new(handover: Handover<M>, output: Output, mut pipe: Pipe, tls: Tls) -> Self {
        pipe.note(Note::TlsBegins);
        pipe.filter = Some(Filter::new(tls.into_connection()));
        Self { handover, output, pipe, cut: false }
    }

    /// Lets `tap` look at the octets of the session, in place of another, and tells it that a handshake begins.
    pub fn tap(mut self, tap: impl Tap + 'static) -> Self {
        self.pipe.tap = Some(Tapped::new(Box::new(tap)));
        self.pipe.note(Note::TlsBegins);
        self
    }

    /// Whether TLS stands: then [`Handshake::finish`] gives the engine.
    ///
    /// # Errors
    /// [`Error::Tls`] when it cannot be made; write what is left (an alert), then close. [`Error::HandshakeCut`].
    pub fn is_done(&mut self) -> Result<bool, Error<M::Error>> {
        // No plaintext is taken here: it belongs to the machine.
        let Some(filter) = &self.pipe.filter else { return Err(Error::HandshakeCut) };
        if let Some(error) = filter.failure() {
            return Err(Error::Tls(error.clone()));
        }
        if !filter.is_handshaking() {
            return Ok(self.output.is_empty());
        }
        if self.cut { Err(Error::HandshakeCut) } else { Ok(false) }
    }

    /// The engine, now under TLS, with nothing known from before. What the handshake had still to write, it writes.
    ///
    /// # Errors
    /// The handshake itself while TLS does not stand.
    #[allow(clippy::result_large_err)] // It is moved once in the life of a connection.
    pub fn finish(mut self) -> Result<Engine<M>, Self> {
        if !matches!(self.is_done(), Ok(true)) {
            return Err(self);
        }
        self.pipe.note(Note::TlsStands);
        Ok(Engine::resume(self.handover.secured(), self.output, self.pipe))
    }

    /// Whether octets wait to be written.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.pipe.wants_write(&self.output)
    }

    /// Writes once. `Ok(0)`: nothing is left to write.
    ///
    /// # Errors
    /// Those of the writer; [`io::ErrorKind::WriteZero`] where it takes nothing.
    pub fn transmit(&mut self, to: &mut dyn Write) -> io::Result<usize> {
        match self.pipe.transmit_plain(&mut self.output, to)? {
            0 => self.pipe.transmit(&mut self.output, to),
            n => Ok(n),
        }
    }

    /// Reads once. `Ok(0)` is the end of the connection, and has been noted.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn receive(&mut self, from: &mut dyn Read) -> io::Result<usize> {
        // TLS takes all octets: there is no plaintext before the handshake ends, and none is asked for here.
        let n = self.pipe.receive(&mut Input::new(), &mut Output::new(), from)?;
        self.cut |= n == 0;
        Ok(n)
    }
}
