//! Atoms: names that stand bare (RFC 9051 §9, `atom`).

use super::chars::is_atom;
use super::invalid::Invalid;
use core::fmt;

/// A word: at least one octet of a class, all of them ASCII.
/// Atoms and tags are checked alike and differ in the class alone, so one macro holds what must hold of both.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident of $is:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'a>(&'a [u8]);

        impl<'a> $name<'a> {
            /// Checks the octets.
            ///
            /// # Errors
            /// [`Invalid::Empty`], or [`Invalid::Octet`] at the first octet that has no place here.
            pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
                if let Some(at) = octets.iter().position(|octet| !$is(*octet)) {
                    return Err(Invalid::Octet { at });
                }
                if octets.is_empty() { Err(Invalid::Empty) } else { Ok(Self(octets)) }
            }

            /// Octets that were checked.
            pub(crate) const fn checked(octets: &'a [u8]) -> Self {
                Self(octets)
            }

            /// The word as text, in the case that it was given in.
            #[must_use]
            pub const fn as_str(self) -> &'a str {
                // All of it is ASCII.
                match core::str::from_utf8(self.0) {
                    Ok(text) => text,
                    Err(_) => "",
                }
            }

            /// The octets of the word.
            #[must_use]
            pub const fn as_bytes(self) -> &'a [u8] {
                self.0
            }
        }

        impl<'a> TryFrom<&'a [u8]> for $name<'a> {
            type Error = Invalid;
            fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
                Self::new(octets)
            }
        }

        impl<'a> TryFrom<&'a str> for $name<'a> {
            type Error = Invalid;
            fn try_from(text: &'a str) -> Result<Self, Invalid> {
                Self::new(text.as_bytes())
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use word;

word! {
    /// At least one `ATOM-CHAR`: printable ASCII without specials, and without `]`.
    ///
    /// Capabilities, mechanisms, charsets and keywords are atoms. They compare without regard to case.
    Atom of is_atom
}

impl Atom<'_> {
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

impl fmt::Debug for Atom<'_> {
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
