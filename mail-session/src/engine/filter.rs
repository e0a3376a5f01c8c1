//! TLS between the socket and the machine.
//!
//! Everything of rustls' connection surface is in this file. Plaintext is moved to the machine's input only as far as there is room, and
//! records are taken only when the plaintext of the last is gone: so TLS holds a record or two in each direction and no more.

use crate::tap::Tapped;
use bytes::Buf;
use mail_wire::{End, Input, Output};
use rustls::Connection;
use std::io::{self, BufRead, IoSlice, Read, Write};

/// Octets read from the socket at once.
const READ: usize = 16 * 1024;
/// Octets of plaintext sealed at once: two full records.
const SEAL: usize = 32 * 1024;

/// A TLS connection, boxed: it is larger than everything else in an engine.
#[derive(Debug)]
pub(crate) struct Filter {
    tls: Box<Connection>,
    /// Octets from the socket that TLS has not taken yet, because the machine must take plaintext first.
    rest: Vec<u8>,
    at: usize,
    /// The socket has ended, and TLS was told.
    fin: bool,
    /// Our close_notify is queued.
    closing: bool,
    failed: Option<rustls::Error>,
}

impl Filter {
    /// A connection whose handshake is still to come.
    pub(crate) fn new(tls: Connection) -> Self {
        Self { tls: Box::new(tls), rest: Vec::new(), at: 0, fin: false, closing: false, failed: None }
    }

    /// Whether octets for the machine may not be asked for yet.
    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    /// Why TLS is over, if it has failed. Its alert is still to be written.
    pub(crate) fn failure(&self) -> Option<&rustls::Error> {
        self.failed.as_ref()
    }

    /// Whether a read from the socket has a place to go.
    pub(crate) fn can_read(&self) -> bool {
        self.rest.is_empty() && !self.fin && self.failed.is_none()
    }

    /// Reads from the socket. `Ok(0)` is its end.
    pub(crate) fn receive(&mut self, from: &mut dyn Read) -> io::Result<usize> {
        let mut octets = [0_u8; READ];
        let n = from.read(&mut octets)?;
        if n == 0 {
            self.fin = true;
            // Without this empty read a cut would look like "no data yet".
            let _ = self.tls.read_tls(&mut io::empty());
            return Ok(0);
        }
        let taken = self.take(octets.get(..n).unwrap_or(&[]));
        self.rest.extend_from_slice(octets.get(taken..n).unwrap_or(&[]));
        Ok(n)
    }

    /// Moves plaintext to `input` and lets TLS take more of what was read, until something was moved. `false`: there is nothing.
    pub(crate) fn open(&mut self, input: &mut Input) -> bool {
        loop {
            let moved = match self.tls.reader().fill_buf() {
                Ok(chunk) if !chunk.is_empty() => input.feed(chunk),
                _ => 0,
            };
            if moved > 0 {
                self.tls.reader().consume(moved);
                return true;
            }
            let rest = std::mem::take(&mut self.rest);
            let taken = self.take(rest.get(self.at..).unwrap_or(&[]));
            self.at = self.at.saturating_add(taken);
            if self.at < rest.len() {
                self.rest = rest;
            } else {
                self.at = 0;
            }
            if taken == 0 {
                return false;
            }
        }
    }

    /// Whether plaintext waits that the input had no room for.
    pub(crate) fn has_plaintext(&mut self) -> bool {
        matches!(self.tls.reader().fill_buf(), Ok(chunk) if !chunk.is_empty())
    }

    /// How the octets ended, once all of them have been given.
    pub(crate) fn end(&mut self) -> Option<End> {
        match self.tls.reader().fill_buf() {
            Ok([]) => Some(End::Fin),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(End::Cut),
            Err(_) => None,
        }
    }

    /// Gives records to TLS until plaintext comes out, none are left, or it fails. How many octets it took.
    fn take(&mut self, octets: &[u8]) -> usize {
        let mut left = octets;
        while !left.is_empty() && self.failed.is_none() && !self.has_plaintext() {
            match self.tls.read_tls(&mut left) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            // After every read: TLS holds 16 KiB of plaintext and refuses to read beyond.
            if let Err(error) = self.tls.process_new_packets() {
                self.failed = Some(error);
            }
        }
        if self.failed.is_some() {
            return octets.len();
        }
        octets.len().saturating_sub(left.len())
    }

    /// Whether records wait to be written.
    pub(crate) fn wants_write(&self) -> bool {
        self.tls.wants_write()
    }

    /// Seals the next octets of `output` if all records made before are gone: sealing into a queue that is nearly full makes records of
    /// one octet.
    pub(crate) fn seal(&mut self, output: &mut Output, tap: Option<&mut Tapped>) -> io::Result<()> {
        if self.tls.wants_write() || output.is_empty() || self.closing || self.failed.is_some() {
            return Ok(());
        }
        let sealed = {
            let mut slices = [IoSlice::new(&[]); 32];
            let (mut used, mut room) = (0_usize, SEAL);
            for ((_, octets), slot) in output.runs().zip(&mut slices) {
                let octets = octets.get(..room).unwrap_or(octets);
                *slot = IoSlice::new(octets);
                used = used.saturating_add(1);
                room = room.saturating_sub(octets.len());
                if room == 0 {
                    break;
                }
            }
            self.tls.writer().write_vectored(slices.get(..used).unwrap_or(&[]))?
        };
        if let Some(tap) = tap {
            tap.sent(output.runs(), sealed);
        }
        output.advance(sealed);
        Ok(())
    }

    /// Queues close_notify, once. Only when `Output` is empty: else the alert would overtake the last reply.
    pub(crate) fn close(&mut self) {
        if !self.closing && self.failed.is_none() {
            self.closing = true;
            self.tls.send_close_notify();
        }
    }

    /// Writes records, once.
    pub(crate) fn transmit(&mut self, to: &mut dyn Write) -> io::Result<usize> {
        self.tls.write_tls(to)
    }
}
