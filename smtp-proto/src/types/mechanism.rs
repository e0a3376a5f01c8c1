//! Names of SASL mechanisms.

use crate::error::{Invalid, Rule};
use crate::types::octets::{self, ALNUM};

/// 1 to 20 letters, digits, `-` and `_` (RFC 4422 §3.1). Compared without case.
#[derive(Clone, Copy, Eq)]
pub struct Mechanism<'a>(&'a [u8]);
super::newtype!(Mechanism);

impl<'a> Mechanism<'a> {
    /// `PLAIN` (RFC 4616).
    pub const PLAIN: Mechanism<'static> = Mechanism(b"PLAIN");
    /// `LOGIN`.
    pub const LOGIN: Mechanism<'static> = Mechanism(b"LOGIN");
    /// `SCRAM-SHA-256` (RFC 7677).
    pub const SCRAM_SHA_256: Mechanism<'static> = Mechanism(b"SCRAM-SHA-256");
    /// `EXTERNAL` (RFC 4422 Appendix A).
    pub const EXTERNAL: Mechanism<'static> = Mechanism(b"EXTERNAL");

    /// A name. Lower case is taken too: the names are compared without case.
    ///
    /// # Errors
    /// [`Rule::Mechanism`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        let good = |octet: &u8| octets::is(*octet, ALNUM) || matches!(octet, b'-' | b'_');
        match octets.iter().position(|octet| !good(octet)) {
            None if (1..=20).contains(&octets.len()) => Ok(Self(octets)),
            at => Err(Invalid { rule: Rule::Mechanism, at: at.unwrap_or(0) }),
        }
    }
}

impl PartialEq for Mechanism<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}
