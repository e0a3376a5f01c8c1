//! Atoms: names that stand bare (RFC 9051 §9, `atom`).

use super::chars::is_atom;
use super::invalid::Invalid;
use core::fmt;

/// At least one `ATOM-CHAR`: printable ASCII without specials, and without `]`.
///
/// Capabilities, mechanisms, charsets and keywords are atoms. They compare without regard to case.
#[derive(Clone, Copy)]
pub struct Atom<'a>(&'a [u8]);

impl<'a> Atom<'a> {
    /// Checks an atom.
    ///
    /// # Errors
    /// [`Invalid::Empty`], or [`Invalid::Octet`] at the first octet that no atom holds.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        if let Some(at) = octets.iter().position(|octet| !is_atom(*octet)) {
            return Err(Invalid::Octet { at });
        }
        if octets.is_empty() { Err(Invalid::Empty) } else { Ok(Self(octets)) }
    }

    /// Octets that were checked: at least one, all of them [`is_atom`].
    pub(crate) const fn checked(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The atom as text, in the case that it was given in.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        // All of it is ASCII.
        match core::str::from_utf8(self.0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    /// The octets of the atom.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether it is `name`, in any case.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        self.0.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl PartialEq for Atom<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Atom<'_> {}

impl<'a> TryFrom<&'a [u8]> for Atom<'a> {
    type Error = Invalid;
    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::new(octets)
    }
}

impl<'a> TryFrom<&'a str> for Atom<'a> {
    type Error = Invalid;
    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        Self::new(text.as_bytes())
    }
}

impl fmt::Debug for Atom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Atom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specials_are_no_atom() {
        assert!(Atom::new(b"IMAP4rev2").unwrap().is("imap4REV2"));
        for bad in [&b""[..], b"a]", b"a b", b"a{3}", b"\\Seen", b"a%", b"a\r\n", b"\x80"] {
            assert!(Atom::new(bad).is_err(), "{bad:?}");
        }
    }
}
