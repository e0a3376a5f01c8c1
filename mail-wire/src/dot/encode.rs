//! To the wire: stuffing, and the terminator.

use super::bare::{BareScan, BodyEol, BodyFault};
use crate::output::{Class, Output};
use bytes::{Buf, Bytes};
use memchr::memchr2;
use memchr::memmem::Finder;

/// Writes one body dot-stuffed, from raw octets in pieces of any size.
///
/// ```
/// use bytes::{Buf, Bytes};
/// use mail_wire::{Output, dot::{BodyEol, DotEncoder}};
/// let (mut encoder, mut output) = (DotEncoder::new(BodyEol::Reject), Output::new());
/// encoder.push(&mut Bytes::from_static(b".one\r\ntwo"), &mut output)?;
/// encoder.end(&mut output)?;
/// assert_eq!(output.copy_to_bytes(output.remaining()), "..one\r\ntwo\r\n.\r\n");
/// # Ok::<(), mail_wire::dot::BodyFault>(())
/// ```
#[derive(Clone, Debug)]
pub struct DotEncoder {
    place: Place,
    finder: Finder<'static>,
    eol: BodyEol,
    scan: BareScan,
    /// Octets of the body as the peer will have it.
    octets: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    Inside,
    Cr,
}

impl DotEncoder {
    /// An encoder at the start of a body.
    #[must_use]
    pub fn new(eol: BodyEol) -> Self {
        Self { place: Place::LineStart, finder: Finder::new(b"\r\n."), eol, scan: BareScan::new(), octets: 0 }
    }

    /// Octets of the body so far as the peer will have it: its line ends as they go out, no stuffing, no terminator.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Octets that [`end`](Self::end) would add to it now: the line end that its last line is without.
    #[must_use]
    pub const fn line_end(&self) -> u64 {
        match (self.place, self.eol) {
            (Place::LineStart, _) => 0,
            (Place::Cr, BodyEol::Normalise) => 1,
            _ => 2,
        }
    }

    /// Takes from the front of `piece` what the output has room for. What is left in `piece` goes in again when
    /// [`Output::is_full`] is over. Large stretches are queued uncopied.
    ///
    /// # Errors
    /// [`BodyFault`] under [`BodyEol::Reject`]; then nothing was taken from `piece`.
    pub fn push(&mut self, piece: &mut Bytes, output: &mut Output) -> Result<(), BodyFault> {
        let n = piece.len().min(output.room());
        if n == 0 {
            return Ok(());
        }
        let mut part = piece.slice(..n);
        match self.eol {
            BodyEol::Reject => {
                let mut scan = self.scan;
                if let Some(fault) = scan.piece(&part) {
                    return Err(fault);
                }
                self.scan = scan;
                self.stuff(&mut part, output);
            }
            BodyEol::Pass => self.stuff(&mut part, output),
            BodyEol::Normalise => self.normalise(&mut part, output),
        }
        piece.advance(n);
        Ok(())
    }

    /// Ends the body: a line end if the last line has none, and the terminator. The encoder is then at the start of another body.
    ///
    /// # Errors
    /// [`BodyFault`] under [`BodyEol::Reject`] if the body's last octet is a CR; nothing was written.
    pub fn end(&mut self, output: &mut Output) -> Result<(), BodyFault> {
        if self.eol == BodyEol::Reject {
            if let Some(fault) = self.scan.end() {
                return Err(fault);
            }
        }
        let end: &[u8] = match self.line_end() {
            0 => b".\r\n",
            1 => b"\n.\r\n",
            _ => b"\r\n.\r\n",
        };
        output.put(Class::Body, end);
        self.place = Place::LineStart;
        self.scan = BareScan::new();
        self.octets = 0;
        Ok(())
    }

    /// Queues all of `part`, with a dot before each dot at the start of a line.
    fn stuff(&mut self, part: &mut Bytes, output: &mut Output) {
        self.count(part.len());
        loop {
            match (self.place, part.first()) {
                (_, None) => return,
                (Place::LineStart, Some(b'.')) => output.put(Class::Body, b"."),
                (Place::Cr, Some(b'\n')) => {
                    output.queue(Class::Body, part.split_to(1));
                    self.place = Place::LineStart;
                    continue;
                }
                _ => {}
            }
            if let Some(at) = self.finder.find(part) {
                output.queue(Class::Body, part.split_to(at.saturating_add(2).min(part.len())));
                self.place = Place::LineStart;
                continue;
            }
            self.place = match part.as_ref() {
                [.., b'\r', b'\n'] => Place::LineStart,
                [.., b'\r'] => Place::Cr,
                _ => Place::Inside,
            };
            return output.queue(Class::Body, core::mem::take(part));
        }
    }

    /// The same with every bare CR or LF made CRLF.
    fn normalise(&mut self, part: &mut Bytes, output: &mut Output) {
        while let Some(first) = part.first().copied() {
            if self.place == Place::Cr {
                // The LF of the pair, or the one that is missing.
                output.put(Class::Body, b"\n");
                self.count(1);
                self.place = Place::LineStart;
                if first == b'\n' {
                    part.advance(1);
                }
                continue;
            }
            if self.place == Place::LineStart && first == b'.' {
                output.put(Class::Body, b".");
            }
            let at = memchr2(b'\r', b'\n', part).unwrap_or(part.len());
            let line_end = part.get(at).copied();
            output.queue(Class::Body, part.split_to(at));
            self.count(at);
            self.place = match line_end {
                None => Place::Inside,
                Some(octet) => {
                    part.advance(1);
                    let end: &[u8] = if octet == b'\r' { b"\r" } else { b"\r\n" };
                    output.put(Class::Body, end);
                    self.count(end.len());
                    if octet == b'\r' { Place::Cr } else { Place::LineStart }
                }
            };
        }
    }

    fn count(&mut self, octets: usize) {
        self.octets = self.octets.saturating_add(octets as u64);
    }
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
