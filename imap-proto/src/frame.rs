//! Lines and literals: where a unit ends, for both roles.
//!
//! A line that ends in `{n}` goes on behind the n octets that follow it (RFC 9051 §4.3). The framer looks for line ends
//! alone, and at what stands before them only where that is a `}`; the octets of a literal are passed over, never looked at.
//!
//! `{n}` announces a literal only where one can stand: behind a space or `(`, or where the line begins anew behind a
//! literal, and not in text for humans, which a server may end as it likes. If the quotes before it do not balance, nobody can know
//! what it is, and the session ends: to guess either way would let the text of a message steer the boundary.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use crate::error::Violation;
use mail_wire::line::{Line, LineEnd, LineFault, LineFramer};
use memchr::memchr2;

/// Finds the end of the unit at the front of the octets, and remembers how far it has looked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lines {
    framer: LineFramer,
    /// Where the line goes on behind the last literal.
    segment: usize,
    /// Octets of the literals passed so far.
    literals: u64,
    /// Their number.
    count: usize,
}

/// What [`Lines::step`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing yet.
    Need,
    /// The unit is complete.
    Line(Whole),
    /// A literal is announced. The framer stands where it stood: pass it, or begin anew behind the line.
    Literal(Header),
}

/// A complete unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Octets with the last line end.
    pub(crate) len: usize,
    /// Octets without it.
    pub(crate) text: usize,
    /// LF alone ended it.
    pub(crate) bare: bool,
    /// The CR of its line end was announced as the last octet of a literal.
    pub(crate) short: bool,
}

/// The announcement of a literal at the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Where the `{` stands, or the `~` before it, counted from the start of the unit.
    pub(crate) at: usize,
    /// Octets of the unit up to the first octet of the literal.
    pub(crate) line: usize,
    /// The announced length; saturates.
    pub(crate) octets: u64,
    /// Whether the sender waits for a `+`.
    pub(crate) sync: bool,
    /// Whether it may hold NUL.
    pub(crate) binary: bool,
    /// LF alone ended the line.
    pub(crate) bare: bool,
}

impl Lines {
    /// A framer at the start of a unit.
    pub(crate) const fn new() -> Self {
        Self { framer: LineFramer::new(), segment: 0, literals: 0, count: 0 }
    }

    /// Looks at the octets behind those it has seen. `unit` begins where the unit begins, at every call. `limit` counts
    /// octets without those of literals. `is_text` is asked only about a line that seems to announce a literal: whether
    /// it is text for humans.
    ///
    /// # Errors
    /// A line fault, or [`Violation::OpenQuote`].
    pub(crate) fn step(
        &mut self,
        unit: &[u8],
        end: LineEnd,
        limit: usize,
        is_text: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Step, Violation> {
        let passed = usize::try_from(self.literals).unwrap_or(usize::MAX);
        let line = match self.framer.step(unit, end, limit.saturating_add(passed)) {
            Ok(None) => return Ok(Step::Need),
            Ok(Some(line)) => line,
            Err(LineFault::TooLong { .. }) => return Err(LineFault::TooLong { limit }.into()),
            Err(LineFault::BareLf { at }) if self.is_short(unit, at) => {
                let len = at.saturating_add(1);
                return Ok(Step::Line(Whole { len, text: at, bare: false, short: true }));
            }
            Err(fault) => return Err(fault.into()),
        };
        let text = unit.get(..line.text).unwrap_or(&[]);
        if text.last() == Some(&b'}') && line.text > self.segment {
            if let Some(header) = self.header(text, line) {
                if self.count > 0 || !is_text(text) {
                    let before = text.get(self.segment..header.at).unwrap_or(&[]);
                    if has_open_quote(before) {
                        return Err(Violation::OpenQuote);
                    }
                    return Ok(Step::Literal(header));
                }
            }
        }
        Ok(Step::Line(Whole { len: line.len, text: line.text, bare: line.is_bare(), short: false }))
    }

    /// The announced literal stays inside the unit: goes on behind it.
    pub(crate) fn pass(&mut self, header: &Header) {
        let octets = usize::try_from(header.octets).unwrap_or(usize::MAX);
        self.segment = header.line.saturating_add(octets);
        self.framer = LineFramer::new();
        self.framer.pass(self.segment);
        self.literals = self.literals.saturating_add(header.octets);
        self.count = self.count.saturating_add(1);
    }

    /// Octets of the literals passed so far.
    pub(crate) fn literals(&self) -> u64 {
        self.literals
    }

    /// The number of literals passed so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// A LF directly behind a literal whose last octet is a CR: the sender has counted the CR of its line end in.
    fn is_short(&self, unit: &[u8], lf: usize) -> bool {
        lf == self.segment && self.count > 0 && lf.checked_sub(1).and_then(|at| unit.get(at)) == Some(&b'\r')
    }

    fn header(&self, text: &[u8], line: Line) -> Option<Header> {
        let inside = text.get(self.segment..)?.strip_suffix(b"}")?;
        let (inside, sync) = match inside.strip_suffix(b"+") {
            Some(inside) => (inside, false),
            None => (inside, true),
        };
        let digits = inside.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
        let (before, number) = inside.split_at_checked(inside.len().saturating_sub(digits))?;
        let before = before.strip_suffix(b"{").filter(|_| digits > 0)?;
        let (before, binary) = match before.strip_suffix(b"~") {
            Some(before) => (before, true),
            None => (before, false),
        };
        let placed = match before.last() {
            None => self.count > 0,
            Some(octet) => matches!(octet, b' ' | b'('),
        };
        placed.then(|| Header {
            at: self.segment.saturating_add(before.len()),
            line: line.len,
            octets: saturating(number),
            sync,
            binary,
            bare: line.is_bare(),
        })
    }
}

/// A decimal number; above 64 bits it is the largest. Leading zeros are fine (RFC 9051 §9, `number64`).
fn saturating(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit.wrapping_sub(b'0'))))
}

/// Whether a quoted string that begins in `segment` does not end in it.
fn has_open_quote(segment: &[u8]) -> bool {
    let (mut open, mut rest) = (false, segment);
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        // Outside of quotes a backslash is an octet of a flag.
        let escape = rest.get(at) == Some(&b'\\');
        open ^= !escape;
        let step = if escape && open { 2 } else { 1 };
        rest = rest.get(at.saturating_add(step)..).unwrap_or(&[]);
    }
    open
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
