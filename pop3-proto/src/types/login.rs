//! Names, passwords, and what APOP needs.

use super::one_line;
use crate::error::{Invalid, Rule};
use core::fmt;

/// The name of a mailbox, of significance to the server alone (RFC 1939 §7): any octets but CR, LF and NUL, at least one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserName<'a>(&'a [u8]);

impl<'a> UserName<'a> {
    /// From the octets of one.
    pub(crate) const fn known(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }

    /// Whether it holds octets beyond ASCII, which a server must have allowed by `UTF8 USER` (RFC 6856 §2.2).
    #[must_use]
    pub fn is_international(self) -> bool {
        !self.0.is_ascii()
    }
}

impl<'a> TryFrom<&'a [u8]> for UserName<'a> {
    type Error = Invalid;

    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        one_line(octets).map(|()| Self(octets))
    }
}

impl<'a> TryFrom<&'a str> for UserName<'a> {
    type Error = Invalid;

    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        Self::try_from(text.as_bytes())
    }
}

/// A password: any octets but CR, LF and NUL, at least one. Blanks are part of it, wherever they stand (RFC 1939 §7, PASS).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password<'a>(&'a [u8]);

impl<'a> Password<'a> {
    /// From the octets of one.
    pub(crate) const fn known(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets. Every call of this is a place to look at in a review.
    #[must_use]
    pub const fn expose(self) -> &'a [u8] {
        self.0
    }

    /// Compares without telling by the time where the first difference is.
    #[must_use]
    pub fn matches(self, other: &[u8]) -> bool {
        mail_wire::Secret::new(self.0).matches(other)
    }
}

impl<'a> TryFrom<&'a [u8]> for Password<'a> {
    type Error = Invalid;

    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        one_line(octets).map(|()| Self(octets))
    }
}

impl<'a> TryFrom<&'a str> for Password<'a> {
    type Error = Invalid;

    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        Self::try_from(text.as_bytes())
    }
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The proof of APOP: the MD5 digest of the stamp, its brackets included, and the shared secret (RFC 1939 §7).
///
/// As good as a password to who can guess at it, so `Debug` shows nothing.
#[derive(Clone, Copy)]
pub struct Digest([u8; 16]);

impl Digest {
    /// From its 16 octets.
    #[must_use]
    pub const fn new(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The octets.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// Compares without telling by the time where the first difference is.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        mail_wire::Secret::new(self.0).matches(&other.0)
    }

    /// As it stands on the wire: 32 hexadecimal digits in lower case.
    pub(crate) fn hex(&self) -> [u8; 32] {
        let mut hex = [0; 32];
        for (pair, octet) in hex.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                (*high, *low) = (digit(octet >> 4), digit(octet & 0xf));
            }
        }
        hex
    }
}

/// A hexadecimal digit in lower case: APOP knows no other (RFC 1939 §7).
fn digit(value: u8) -> u8 {
    char::from_digit(u32::from(value), 16).map_or(b'0', |digit| digit as u8)
}

impl TryFrom<&[u8]> for Digest {
    type Error = Invalid;

    /// From 32 hexadecimal digits in lower case.
    fn try_from(hex: &[u8]) -> Result<Self, Invalid> {
        // Upper case is refused: two forms of one proof could be taken for two proofs.
        let lower = |octet: &u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() != 32 || !hex.iter().all(lower) {
            return Err(Invalid(Rule::Digest));
        }
        let mut octets = [0; 16];
        for (octet, pair) in octets.iter_mut().zip(hex.chunks_exact(2)) {
            *octet = pair.iter().fold(0, |sum: u8, digit| {
                let value = char::from(*digit).to_digit(16).unwrap_or(0) as u8;
                (sum << 4) | value
            });
        }
        Ok(Self(octets))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// The stamp of a greeting: a msg-id, brackets included, different for each connection (RFC 1939 §7, APOP).
///
/// Visible ASCII alone, one `@` with something on both sides: a false server that may choose other octets can make colliding MD5
/// inputs and learn the secret piece by piece (RFC 6151 §2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MsgId<'a>(&'a [u8]);

impl<'a> MsgId<'a> {
    /// The octets, brackets included.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }

    /// The stamp in the text of a greeting: from the first `<` to the next `>` (RFC 2449 §3, `greeting`). `None` where there is none, or
    /// one that is no msg-id.
    #[must_use]
    pub fn find(text: &'a [u8]) -> Option<Self> {
        let from = text.get(memchr::memchr(b'<', text)?..)?;
        let end = memchr::memchr(b'>', from)?.checked_add(1)?;
        Self::try_from(from.get(..end)?).ok()
    }
}

impl<'a> TryFrom<&'a [u8]> for MsgId<'a> {
    type Error = Invalid;

    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        let inner = octets.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
        // The brackets are part of the stamp, and of what is hashed.
        let inner = inner.ok_or(Invalid(Rule::Octet))?;
        if !inner.iter().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>')) {
            return Err(Invalid(Rule::Octet));
        }
        // `local@domain`, each with something in it (RFC 5322 §3.6.4); what else the grammar has is not needed to be safe.
        let mut sides = inner.split(|octet| *octet == b'@');
        match (sides.next(), sides.next(), sides.next()) {
            (Some(left), Some(right), None) if !left.is_empty() && !right.is_empty() => Ok(Self(octets)),
            _ => Err(Invalid(Rule::Octet)),
        }
    }
}

impl fmt::Debug for UserName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({})", self.0.escape_ascii())
    }
}

impl fmt::Debug for MsgId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MsgId({})", self.0.escape_ascii())
    }
}
