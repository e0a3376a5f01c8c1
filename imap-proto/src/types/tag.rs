//! The tag of a command (RFC 9051 §2.2.1).

use super::chars::is_tag;
use super::invalid::Invalid;
use core::fmt;

/// What a client puts before a command, and a server repeats octet for octet with the completion.
///
/// At least one octet, all of them `ASTRING-CHAR` but `+` (RFC 9051 §9); `]` is one of them.
///
/// ```
/// use mail_imap_proto::types::Tag;
/// assert_eq!(Tag::new(b"A1").unwrap().as_str(), "A1");
/// assert!(Tag::new(b"A+1").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag<'a>(&'a [u8]);

impl<'a> Tag<'a> {
    /// Checks a tag.
    ///
    /// # Errors
    /// [`Invalid::Empty`], or [`Invalid::Octet`] at the first octet that no tag holds.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        if let Some(at) = octets.iter().position(|octet| !is_tag(*octet)) {
            return Err(Invalid::Octet { at });
        }
        if octets.is_empty() { Err(Invalid::Empty) } else { Ok(Self(octets)) }
    }

    /// Octets that were checked: at least one, all of them [`is_tag`].
    pub(crate) const fn checked(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The tag as text, which is ASCII.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        // All of it is ASCII.
        match core::str::from_utf8(self.0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    /// The octets of the tag.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> TryFrom<&'a [u8]> for Tag<'a> {
    type Error = Invalid;
    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::new(octets)
    }
}

impl fmt::Debug for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.as_str())
    }
}

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_may_stand_in_a_tag_and_a_plus_may_not() {
        for good in [&b"A1"[..], b"a]b", b".", b"0", b"}", b"!#$&'"] {
            assert_eq!(Tag::new(good).unwrap().as_bytes(), good);
        }
        for bad in [
            &b""[..],
            b"+",
            b"*",
            b"a b",
            b"a\r\n",
            b"a\0",
            b"a(",
            b"a{",
            b"a\"",
            b"\\",
            b"\x7f",
            b"\xc3\xa9",
        ] {
            assert!(Tag::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Tag::new(b"A1\r\nA2 DELETE INBOX"), Err(Invalid::Octet { at: 2 }));
    }
}
