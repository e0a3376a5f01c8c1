//! Keywords of extensions and of parameters.

use crate::error::{Invalid, Rule};
use crate::types::octets::{self, ALNUM, HIGH, VALUE};

/// `(ALPHA / DIGIT) *(ALPHA / DIGIT / "-")` (RFC 5321 §4.1.1.1, §4.1.2). Compared without case.
#[derive(Clone, Copy, Eq)]
pub struct EsmtpKeyword<'a>(&'a [u8]);
super::newtype!(EsmtpKeyword);

impl<'a> EsmtpKeyword<'a> {
    /// A keyword.
    ///
    /// # Errors
    /// [`Rule::Parameter`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        match keyword(octets) {
            len if len > 0 && len == octets.len() => Ok(Self(octets)),
            at => Err(Invalid { rule: Rule::Parameter, at }),
        }
    }

    pub(crate) const fn parsed(octets: &'a [u8]) -> Self {
        Self(octets)
    }
}

impl PartialEq for EsmtpKeyword<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

/// The length of the keyword at the front of the octets; 0 if there is none.
#[inline]
pub(crate) fn keyword(octets: &[u8]) -> usize {
    match octets.first() {
        Some(first) if octets::is(*first, ALNUM) => octets
            .iter()
            .position(|octet| !octets::is(*octet, ALNUM) && *octet != b'-')
            .unwrap_or(octets.len()),
        _ => 0,
    }
}

/// `1*(%d33-60 / %d62-126)`, and UTF-8 (RFC 5321 §4.1.2, RFC 6531 §3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EsmtpValue<'a>(&'a [u8]);
super::newtype!(EsmtpValue);

impl<'a> EsmtpValue<'a> {
    /// A value.
    ///
    /// # Errors
    /// [`Rule::Value`], [`Rule::NotAscii`] if it is no UTF-8.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        match octets::run(octets, VALUE | HIGH) {
            len if len > 0 && len == octets.len() => {}
            at => return Err(Invalid { rule: Rule::Value, at }),
        }
        if core::str::from_utf8(octets).is_err() {
            return Err(Invalid { rule: Rule::NotAscii, at: 0 });
        }
        Ok(Self(octets))
    }

    pub(crate) const fn parsed(octets: &'a [u8]) -> Self {
        Self(octets)
    }
}
