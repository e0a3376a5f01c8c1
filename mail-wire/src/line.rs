//! The resumable line framer: each octet is looked at once, whatever the reads.

use memchr::{memchr, memchr2};

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum LineEnd {
    /// CRLF alone. A CR or LF by itself is a fault (RFC 5321 §2.3.8, RFC 1939 §3, RFC 9051 §2.2).
    #[default]
    Strict,
    /// CRLF, or LF alone. A CR by itself is an octet of the line.
    Tolerant,
}

/// A line that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Octets with the line end.
    pub len: usize,
    /// Octets without it.
    pub text: usize,
}

impl Line {
    /// Whether LF alone ended it.
    #[must_use]
    pub fn is_bare(self) -> bool {
        self.len.saturating_sub(self.text) == 1
    }
}

/// Octets that are no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// No end within the limit.
    #[error("line longer than {limit} octets")]
    TooLong {
        /// The limit in octets, line end included.
        limit: usize,
    },
    /// A CR without LF.
    #[error("CR without LF at octet {at} of the line")]
    BareCr {
        /// Counted from the start of the line.
        at: usize,
    },
    /// A LF without CR.
    #[error("LF without CR at octet {at} of the line")]
    BareLf {
        /// Counted from the start of the line.
        at: usize,
    },
}

/// Finds the end of the line at the front of the octets, and remembers how far it has looked.
///
/// ```
/// use mail_wire::line::{Line, LineEnd, LineFramer};
/// let mut framer = LineFramer::new();
/// assert_eq!(framer.step(b"NOO", LineEnd::Strict, 512), Ok(None));
/// assert_eq!(framer.step(b"NOOP\r\nQUI", LineEnd::Strict, 512), Ok(Some(Line { len: 6, text: 4 })));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineFramer {
    scanned: usize,
}

impl LineFramer {
    /// A framer at the start of a line.
    #[must_use]
    pub const fn new() -> Self {
        Self { scanned: 0 }
    }

    /// Looks at the octets behind those it has seen. `octets` begins where the line begins, at every call.
    /// After a line the framer stands at the start of the next.
    ///
    /// `limit` counts the line end.
    ///
    /// # Errors
    /// A [`LineFault`]; the framer then stands at the start of a line again. After [`LineFault::TooLong`] use [`LineFramer::skip`].
    pub fn step(&mut self, octets: &[u8], end: LineEnd, limit: usize) -> Result<Option<Line>, LineFault> {
        let result = match end {
            LineEnd::Strict => self.strict(octets),
            LineEnd::Tolerant => self.tolerant(octets),
        };
        let result = match result {
            Ok(Some(line)) if line.len > limit => Err(LineFault::TooLong { limit }),
            Ok(None) if octets.len() >= limit => Err(LineFault::TooLong { limit }),
            // Read octet by octet, the limit would have been met before the fault was seen.
            Err(LineFault::BareLf { at }) if at >= limit => Err(LineFault::TooLong { limit }),
            Err(LineFault::BareCr { at }) if at.saturating_add(1) >= limit => {
                Err(LineFault::TooLong { limit })
            }
            other => other,
        };
        if !matches!(result, Ok(None)) {
            self.scanned = 0;
        }
        result
    }

    /// How many octets have been looked at for the line that is not complete.
    #[must_use]
    pub fn scanned(&self) -> usize {
        self.scanned
    }

    /// Goes on behind `n` octets that are known to hold no line end, such as a literal.
    pub fn pass(&mut self, n: usize) {
        self.scanned = self.scanned.saturating_add(n);
    }

    /// For a line that is being discarded: how many of `octets` belong to it, and whether its end is among them. Keeps no
    /// state; a CR at the very end is not counted, so that it is seen again beside its LF.
    #[must_use]
    pub fn skip(octets: &[u8], end: LineEnd) -> (usize, bool) {
        let mut from = 0_usize;
        while let Some(at) = octets.get(from..).and_then(|rest| memchr(b'\n', rest)) {
            let lf = from.saturating_add(at);
            let after = lf.saturating_add(1);
            let cr = lf.checked_sub(1).and_then(|before| octets.get(before)) == Some(&b'\r');
            if cr || end == LineEnd::Tolerant {
                return (after, true);
            }
            from = after;
        }
        let held = usize::from(octets.last() == Some(&b'\r'));
        (octets.len().saturating_sub(held), false)
    }

    fn strict(&mut self, octets: &[u8]) -> Result<Option<Line>, LineFault> {
        let rest = octets.get(self.scanned..).unwrap_or(&[]);
        let Some(found) = memchr2(b'\r', b'\n', rest) else {
            self.scanned = self.scanned.max(octets.len());
            return Ok(None);
        };
        let at = self.scanned.saturating_add(found);
        if octets.get(at) == Some(&b'\n') {
            return Err(LineFault::BareLf { at });
        }
        match octets.get(at.saturating_add(1)) {
            Some(b'\n') => Ok(Some(Line { len: at.saturating_add(2), text: at })),
            Some(_) => Err(LineFault::BareCr { at }),
            None => {
                self.scanned = at;
                Ok(None)
            }
        }
    }

    fn tolerant(&mut self, octets: &[u8]) -> Result<Option<Line>, LineFault> {
        let rest = octets.get(self.scanned..).unwrap_or(&[]);
        let Some(found) = memchr(b'\n', rest) else {
            self.scanned = self.scanned.max(octets.len());
            return Ok(None);
        };
        let lf = self.scanned.saturating_add(found);
        let before = lf.checked_sub(1).and_then(|at| octets.get(at));
        let text = if before == Some(&b'\r') { lf.saturating_sub(1) } else { lf };
        Ok(Some(Line { len: lf.saturating_add(1), text }))
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
