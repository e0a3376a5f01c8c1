//! What a server can do (RFC 9051 §7.2.2).

use super::chars::is_atom;
use super::invalid::Invalid;
use core::fmt;

/// A list of capabilities, in the order of the server. Unknown ones are kept.
///
/// ```
/// use mail_imap_proto::types::Capabilities;
/// let list = Capabilities::new(b"IMAP4rev2 IDLE AUTH=PLAIN").unwrap();
/// assert!(list.has("idle") && !list.has("ID"));
/// assert!(list.auth().eq(["PLAIN"]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Capabilities<'a>(&'a [u8]);

impl<'a> Capabilities<'a> {
    /// No capability.
    pub const NONE: Capabilities<'static> = Capabilities(b"");

    /// Checks atoms with single spaces between them.
    ///
    /// # Errors
    /// [`Invalid::Octet`] at the first octet that stands wrong.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        let mut space = true;
        for (at, octet) in octets.iter().enumerate() {
            let is_space = *octet == b' ';
            if is_space && space || !is_space && !is_atom(*octet) {
                return Err(Invalid::Octet { at });
            }
            space = is_space;
        }
        if space && !octets.is_empty() {
            return Err(Invalid::Octet { at: octets.len().saturating_sub(1) });
        }
        Ok(Self(octets))
    }

    /// Atoms with spaces between them, checked.
    pub(crate) const fn wire(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The names, each as it came.
    pub fn iter(self) -> impl Iterator<Item = &'a str> + Clone + 'a {
        let words = self.0.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        words.filter_map(|word| core::str::from_utf8(word).ok())
    }

    /// Whether `name` is among them, without regard to case.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.iter().any(|one| one.eq_ignore_ascii_case(name))
    }

    /// The values of a capability that is written `name=value`, such as the mechanisms of AUTH.
    pub fn values(self, name: &'a str) -> impl Iterator<Item = &'a str> + Clone + 'a {
        self.iter().filter_map(move |one| {
            let (key, value) = one.split_once('=')?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Whether names and quoted strings are UTF-8 from the first command on: IMAP4rev2 without the older version beside it, which else has
    /// to be left by ENABLE (RFC 9051 §5.1, appendix A).
    pub(crate) fn are_utf8(self) -> bool {
        self.has("IMAP4rev2") && !self.has("IMAP4rev1")
    }

    /// The SASL mechanisms.
    pub fn auth(self) -> impl Iterator<Item = &'a str> + Clone + 'a {
        self.values("AUTH")
    }

    /// As they stand on the wire.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Capabilities<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_atoms_is_refused() {
        for bad in [&b" IDLE"[..], b"IDLE ", b"IDLE  ID", b"ID]LE", b"A(", b"A\r\nB", b"\"A\"", b" "] {
            assert!(Capabilities::new(bad).is_err(), "{bad:?}");
        }
        assert!(Capabilities::new(b"").is_ok());
        assert!(Capabilities::new(b"LITERAL + IDLE").unwrap().iter().eq(["LITERAL", "+", "IDLE"]));
    }
}
