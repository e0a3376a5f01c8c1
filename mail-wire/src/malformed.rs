//! A unit that does not parse: the second of the three families of errors.

use core::fmt;

/// A unit, or a part of one, that does not parse. It is an event: the link goes on, and the octets are there for who can
/// make something of them. `R` names the rules of a protocol's grammar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Malformed<'i, R> {
    /// The octets, without the line end. They may hold a secret: [`Machine::masks`](crate::Machine::masks) tells.
    pub raw: &'i [u8],
    /// Where the rule broke, counted from the start of `raw`.
    pub at: usize,
    /// The rule that broke.
    pub rule: R,
}

impl<'i, R> Malformed<'i, R> {
    /// A rule that broke in `raw` where only the octets of `left` were left to read.
    #[must_use]
    pub fn before(raw: &'i [u8], left: usize, rule: R) -> Self {
        Self { raw, at: raw.len().saturating_sub(left), rule }
    }
}

impl<R: fmt::Display> fmt::Display for Malformed<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {} of {}", self.rule, self.at, self.raw.len())
    }
}

impl<R: fmt::Display> fmt::Debug for Malformed<'_, R> {
    /// Shows no octets: they may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Malformed({self})")
    }
}

impl<R: fmt::Debug + fmt::Display> core::error::Error for Malformed<'_, R> {}
