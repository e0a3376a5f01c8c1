//! What stands between a machine's buffers and a socket: TLS, and the tap.
//!
//! Outgoing octets are shown to the tap when they leave the output, in clear, by their classes: to the socket on a plain link, to TLS on
//! another. Incoming ones are shown when their unit is decoded, which is the engine's.

use super::filter::Filter;
use crate::error::Error;
use crate::tap::{Note, Tapped};
use bytes::Buf;
use mail_wire::{End, Input, Output};
use std::io::{self, IoSlice, Read, Write};

/// Everything of a connection but the machine and its buffers, so that it stays free while an event borrows the input and a turn the output.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    /// TLS, once it is begun.
    pub(crate) filter: Option<Filter>,
    /// Who looks on.
    pub(crate) tap: Option<Tapped>,
    /// A plain link has ended.
    fin: bool,
    /// Nothing more will be queued: under TLS, close_notify follows the last octet.
    pub(crate) closing: bool,
}

impl Pipe {
    /// Tells the tap what happened between octets.
    pub(crate) fn note(&mut self, note: Note) {
        if let Some(tap) = &mut self.tap {
            tap.note(note);
        }
    }

    /// Moves plaintext to the machine's input; `false` if none waits.
    pub(crate) fn open(&mut self, input: &mut Input) -> bool {
        self.filter.as_mut().is_some_and(|filter| filter.open(input))
    }

    /// How the octets ended, once all of them have been given.
    pub(crate) fn end<E>(&mut self) -> Result<Option<End>, Error<E>> {
        let Some(filter) = &mut self.filter else { return Ok(self.fin.then_some(End::Fin)) };
        if filter.has_plaintext() {
            return Err(Error::Stuck);
        }
        match filter.failure() {
            Some(error) => Err(Error::Tls(error.clone())),
            None => Ok(filter.end()),
        }
    }

    /// Whether a read from the socket has a place to go.
    pub(crate) fn can_read(&self) -> bool {
        self.filter.as_ref().map_or(!self.fin, Filter::can_read)
    }

    /// Reads once. `Ok(0)` is the end of the socket's octets, and has been noted.
    pub(crate) fn receive(
        &mut self,
        input: &mut Input,
        output: &mut Output,
        from: &mut dyn Read,
    ) -> io::Result<usize> {
        let read = match &mut self.filter {
            Some(filter) => filter.receive(from),
            None => {
                let spare = input.spare_mut();
                if spare.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::OutOfMemory, "no room for a unit"));
                }
                from.read(spare).inspect(|n| {
                    self.fin = *n == 0;
                    let _ = input.filled(*n);
                })
            }
        };
        if matches!(&read, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            // A connection that waits holds no memory.
            input.idle();
            output.idle();
        }
        read
    }

    /// Whether octets wait to be written.
    pub(crate) fn wants_write(&self, output: &Output) -> bool {
        !output.is_empty() || self.filter.as_ref().is_some_and(|filter| filter.wants_write())
    }

    /// Writes once. `Ok(0)`: nothing is left to write, close_notify included if the pipe is closing.
    pub(crate) fn transmit(&mut self, output: &mut Output, to: &mut dyn Write) -> io::Result<usize> {
        let Some(filter) = &mut self.filter else { return self.transmit_plain(output, to) };
        filter.seal(output, self.tap.as_mut())?;
        if self.closing && output.is_empty() {
            filter.close();
        }
        if !filter.wants_write() {
            return Ok(0);
        }
        match filter.transmit(to)? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            n => Ok(n),
        }
    }

    /// Writes from the output as it stands, past the filter.
    pub(crate) fn transmit_plain(&mut self, output: &mut Output, to: &mut dyn Write) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        let n = {
            let mut slices = [IoSlice::new(&[]); 16];
            let filled = output.chunks_vectored(&mut slices);
            to.write_vectored(slices.get(..filled).unwrap_or(&[]))?
        };
        if n == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        if let Some(tap) = &mut self.tap {
            tap.sent(output.runs(), n);
        }
        output.advance(n);
        Ok(n)
    }

    /// Reads and drops what still arrives after the end. `Ok(0)` is the end of it.
    pub(crate) fn discard(&mut self, from: &mut dyn Read) -> io::Result<usize> {
        let n = from.read(&mut [0_u8; 4096])?;
        if n == 0 {
            self.fin = true;
        }
        Ok(n)
    }
}
