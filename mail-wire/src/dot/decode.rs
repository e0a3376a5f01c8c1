//! From the wire: which octets are the body, which are stuffing, and where it ends.

use memchr::memmem::Finder;

/// What stands at the front of the octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dot {
    /// The first so many octets are body, at least one.
    Data(usize),
    /// The first octet is stuffing: drop it.
    Stuffing,
    /// The first so many octets are the terminator. The body is complete; the line end before belongs to it.
    End(usize),
    /// More octets are needed; at most two are pending.
    Need,
}

/// Finds the parts of a dot-stuffed body. It holds back no octet but those of a possible terminator, so the
/// buffer stays as small as the reads.
///
/// ```
/// use mail_wire::dot::{Dot, DotDecoder};
/// let (mut decoder, mut wire, mut body) = (DotDecoder::crlf(), &b"one\r\n..two\r\n.\r\n"[..], Vec::new());
/// loop {
///     match decoder.step(wire) {
///         Dot::Data(n) => { body.extend_from_slice(&wire[..n]); wire = &wire[n..]; }
///         Dot::Stuffing => wire = &wire[1..],
///         Dot::End(n) => { wire = &wire[n..]; break; }
///         Dot::Need => unreachable!("all of it is there"),
///     }
/// }
/// assert_eq!((body.as_slice(), wire), (&b"one\r\n.two\r\n"[..], &b""[..]));
/// ```
#[derive(Clone, Debug)]
pub struct DotDecoder {
    place: Place,
    /// Finds the next place where stuffing or a terminator can stand. Built once for a body, not for a read.
    finder: Finder<'static>,
    lf: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    /// Behind a stuffing dot or inside a line.
    Inside,
    /// Behind a CR inside a line: a LF here ends it, in either form.
    Cr,
}

impl DotDecoder {
    /// A decoder at the start of a body whose lines end in CRLF.
    #[must_use]
    pub fn crlf() -> Self {
        Self { place: Place::LineStart, finder: Finder::new(b"\r\n."), lf: false }
    }

    /// A decoder at the start of a body all of whose lines end in LF, the terminator's too: for a POP3 server whose status
    /// line ended so, and never for SMTP.
    #[must_use]
    pub fn lf() -> Self {
        Self { place: Place::LineStart, finder: Finder::new(b"\n."), lf: true }
    }

    /// Tells what stands at the front. The caller uses it up before the next call.
    pub fn step(&mut self, octets: &[u8]) -> Dot {
        let Some(first) = octets.first() else { return Dot::Need };
        match (self.place, first) {
            (Place::LineStart, b'.') => self.dot(octets),
            // The CR came in an earlier piece.
            (Place::Cr, b'\n') => {
                self.place = Place::LineStart;
                Dot::Data(1)
            }
            _ => self.data(octets),
        }
    }

    fn dot(&mut self, octets: &[u8]) -> Dot {
        let end: &[u8] = if self.lf { b".\n" } else { b".\r\n" };
        if octets.starts_with(end) {
            return Dot::End(end.len());
        }
        if end.starts_with(octets) {
            return Dot::Need;
        }
        self.place = Place::Inside;
        Dot::Stuffing
    }

    fn data(&mut self, octets: &[u8]) -> Dot {
        if let Some(at) = self.finder.find(octets) {
            self.place = Place::LineStart;
            return Dot::Data(at.saturating_add(self.finder.needle().len().saturating_sub(1)));
        }
        self.place = match octets {
            [.., b'\n'] if self.lf => Place::LineStart,
            [.., b'\r', b'\n'] => Place::LineStart,
            [.., b'\r'] => Place::Cr,
            _ => Place::Inside,
        };
        Dot::Data(octets.len())
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
