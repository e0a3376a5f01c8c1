//! Flags and keywords (RFC 9051 §2.3.2).

use super::atom::Atom;
use super::invalid::Invalid;
use core::fmt;

/// A flag of a message, or an attribute that is written like one.
///
/// Flags compare without regard to case; an unknown one is kept as it came.
///
/// ```
/// use mail_imap_proto::types::Flag;
/// assert_eq!(Flag::new(b"\\seen").unwrap(), Flag::Seen);
/// assert_eq!(Flag::new(b"$Forwarded").unwrap().to_string(), "$Forwarded");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flag<'a> {
    /// `\Seen`: it was read.
    Seen,
    /// `\Answered`.
    Answered,
    /// `\Flagged`: it asks for attention.
    Flagged,
    /// `\Deleted`: EXPUNGE will remove it.
    Deleted,
    /// `\Draft`.
    Draft,
    /// `\Recent`: only a server of IMAP4rev1 says so; no client stores it (RFC 3501 §2.3.2).
    Recent,
    /// `\*` in PERMANENTFLAGS: new keywords may be made.
    Any,
    /// `\` and an atom that is none of the above.
    Extension(Atom<'a>),
    /// A keyword: an atom.
    Keyword(Atom<'a>),
}

impl<'a> Flag<'a> {
    /// Checks a flag as it stands on the wire, with its backslash.
    ///
    /// # Errors
    /// [`Invalid`] where neither an atom nor a backslash and an atom stands. `\*` is [`Flag::Any`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        // As the standard spells them, which is how nearly all come: no look at their octets is needed.
        let name = match octets {
            b"\\Seen" => return Ok(Self::Seen),
            b"\\Answered" => return Ok(Self::Answered),
            b"\\Flagged" => return Ok(Self::Flagged),
            b"\\Deleted" => return Ok(Self::Deleted),
            b"\\*" => return Ok(Self::Any),
            [b'\\', name @ ..] => Atom::new(name)?,
            _ => return Ok(Self::Keyword(Atom::new(octets)?)),
        };
        let known: &[Self] = match name.as_bytes().len() {
            4 => &[Self::Seen],
            5 => &[Self::Draft],
            6 => &[Self::Recent],
            7 => &[Self::Flagged, Self::Deleted],
            8 => &[Self::Answered],
            _ => &[],
        };
        let known = known.iter().find(|flag| name.is(flag.name()));
        Ok(known.copied().unwrap_or(Self::Extension(name)))
    }

    /// The name without the backslash.
    #[must_use]
    pub const fn name(self) -> &'a str {
        match self {
            Self::Seen => "Seen",
            Self::Answered => "Answered",
            Self::Flagged => "Flagged",
            Self::Deleted => "Deleted",
            Self::Draft => "Draft",
            Self::Recent => "Recent",
            Self::Any => "*",
            Self::Extension(name) | Self::Keyword(name) => name.as_str(),
        }
    }

    /// Whether it has no backslash.
    #[must_use]
    pub const fn is_keyword(self) -> bool {
        matches!(self, Self::Keyword(_))
    }

    /// Whether a client may store it: all but `\Recent` and `\*` (RFC 9051 §9, `flag`).
    #[must_use]
    pub const fn is_settable(self) -> bool {
        !matches!(self, Self::Recent | Self::Any)
    }
}

impl<'a> TryFrom<&'a [u8]> for Flag<'a> {
    type Error = Invalid;
    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::new(octets)
    }
}

impl fmt::Display for Flag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backslash = if self.is_keyword() { "" } else { "\\" };
        write!(f, "{backslash}{}", self.name())
    }
}

impl fmt::Debug for Flag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A list of flags: checked octets as they came, or a slice that the caller holds.
#[derive(Clone, Copy)]
pub struct Flags<'a>(List<'a>);

#[derive(Clone, Copy)]
enum List<'a> {
    /// Flags with single spaces between them, checked.
    Wire(&'a [u8]),
    Slice(&'a [Flag<'a>]),
}

impl<'a> Flags<'a> {
    /// No flag.
    pub const NONE: Flags<'static> = Flags(List::Wire(b""));

    /// The flags of a slice.
    #[must_use]
    pub const fn of(flags: &'a [Flag<'a>]) -> Self {
        Self(List::Slice(flags))
    }

    /// Checks flags with single spaces between them, without parentheses.
    ///
    /// # Errors
    /// [`Invalid`] at the first that is no flag.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        if octets.is_empty() {
            return Ok(Self::NONE);
        }
        for flag in octets.split(|octet| *octet == b' ') {
            Flag::new(flag)?;
        }
        Ok(Self::wire(octets))
    }

    /// Octets that were checked.
    pub(crate) const fn wire(octets: &'a [u8]) -> Self {
        Self(List::Wire(octets))
    }

    /// The flags in order. One that cannot be read, which a repair has let through, is passed over.
    pub fn iter(self) -> impl Iterator<Item = Flag<'a>> + Clone + 'a {
        let (wire, slice) = match self.0 {
            List::Wire(octets) => (octets, &[][..]),
            List::Slice(flags) => (&b""[..], flags),
        };
        let wire = wire.split(|octet| *octet == b' ').filter_map(|flag| Flag::new(flag).ok());
        wire.chain(slice.iter().copied())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }

    /// Whether `flag` is among them.
    #[must_use]
    pub fn contains(self, flag: Flag<'_>) -> bool {
        self.iter().any(|one| one == flag)
    }
}

impl PartialEq for Flags<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Flags<'_> {}

impl fmt::Debug for Flags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_read_and_written() {
        for text in [
            "\\Seen",
            "\\Answered",
            "\\Flagged",
            "\\Deleted",
            "\\Draft",
            "\\Recent",
            "\\*",
            "\\Foo",
            "$Junk",
            "a}",
        ] {
            assert_eq!(Flag::new(text.as_bytes()).unwrap().to_string(), text);
        }
        assert_eq!(Flag::new(b"\\SEEN").unwrap(), Flag::Seen);
        assert_eq!(Flag::new(b"$junk").unwrap(), Flag::new(b"$Junk").unwrap());
        assert_ne!(Flag::new(b"Seen").unwrap(), Flag::Seen);
    }

    #[test]
    fn what_would_break_the_line_is_no_flag() {
        for bad in
            [&b""[..], b"\\", b"a]b", b"\\Seen\r\nX", b"KEY {3}", b"\\\\Seen", b"\\a*", b"*", b"\xc3\xa9"]
        {
            assert!(Flag::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_list_reads_the_same_from_octets_and_from_a_slice() {
        let wire = Flags::new(b"\\Seen $Junk").unwrap();
        let slice = [Flag::Seen, Flag::new(b"$Junk").unwrap()];
        assert_eq!(wire, Flags::of(&slice));
        assert!(wire.contains(Flag::Seen) && !wire.contains(Flag::Draft));
        assert!(Flags::new(b"").unwrap().is_empty());
        assert!(Flags::new(b"\\Seen  a").is_err());
    }
}
