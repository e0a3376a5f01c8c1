//! What names a message: a number within a session, a unique-id from one session to the next.

use crate::error::{Invalid, Rule};
use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;

/// A message number: its place in the maildrop when the session entered TRANSACTION, from 1 (RFC 1939 §4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(NonZeroU32);

impl MessageNumber {
    /// The first message.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0: messages count from 1 (RFC 1939 §4). The standard has no upper bound; beyond 2³²-1 there is no maildrop.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The place counted from 0, as of a slice that holds the messages in order.
    #[must_use]
    pub fn index(self) -> usize {
        usize::try_from(self.get()).unwrap_or(usize::MAX).saturating_sub(1)
    }

    /// The number of the place counted from 0.
    pub(crate) fn at(index: usize) -> Option<Self> {
        u32::try_from(index.checked_add(1)?).ok().and_then(Self::new)
    }
}

/// What [`MessageNumber::new`] does, for `?`.
impl TryFrom<u32> for MessageNumber {
    type Error = Invalid;

    fn try_from(number: u32) -> Result<Self, Invalid> {
        Self::new(number).ok_or(Invalid(Rule::MessageNumber))
    }
}

/// For what takes numbers from a list that is lent.
impl From<&MessageNumber> for MessageNumber {
    fn from(number: &MessageNumber) -> Self {
        *number
    }
}

impl FromStr for MessageNumber {
    type Err = Invalid;

    /// Digits alone, of any length (RFC 1939 §3 has no sign), as an operator or a URL would give one. What comes from a peer is read by the
    /// machines.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.bytes().all(|octet| octet.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits).ok_or(Invalid(Rule::MessageNumber))?;
        Self::new(number).ok_or(Invalid(Rule::MessageNumber))
    }
}

/// In short, as lists of them are long.
impl fmt::Debug for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A unique-id: 1 to 70 octets from 0x21 to 0x7E, the same for a message in every session (RFC 1939 §7).
///
/// Compares as octets: ids that differ in case alone are two. A server may give one id to copies of the same message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId<'a>(&'a [u8]);

impl<'a> UniqueId<'a> {
    /// The longest that the standard allows, in octets.
    pub const MAX: usize = 70;

    /// The octets.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }

    /// The same as text: all octets of one are visible ASCII.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        core::str::from_utf8(self.0).unwrap_or_default()
    }

    /// Whether it is longer than the standard allows: taken from a server by
    /// [`Repair::LongUniqueId`](crate::Repair::LongUniqueId).
    #[must_use]
    pub const fn is_long(self) -> bool {
        self.0.len() > Self::MAX
    }

    /// One that a server has given, longer than the standard allows perhaps: for ids that were taken from a listing and kept. `None` where it is
    /// empty or not all visible.
    #[must_use]
    pub fn of_server(octets: &'a [u8]) -> Option<Self> {
        Self::of_any_length(octets).ok()
    }

    /// From the octets of one.
    pub(crate) const fn known(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// One of octets that are known to be visible.
    #[inline]
    pub(crate) fn plain(octets: &'a [u8]) -> Option<Self> {
        (1..=Self::MAX).contains(&octets.len()).then_some(Self(octets))
    }

    /// One of any length.
    pub(crate) fn of_any_length(octets: &'a [u8]) -> Result<Self, Invalid> {
        if octets.is_empty() || !octets.iter().all(u8::is_ascii_graphic) {
            return Err(Invalid(Rule::UniqueId));
        }
        Ok(Self(octets))
    }
}

impl<'a> TryFrom<&'a [u8]> for UniqueId<'a> {
    type Error = Invalid;

    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::of_any_length(octets)
            .and_then(|id| if id.is_long() { Err(Invalid(Rule::UniqueId)) } else { Ok(id) })
    }
}

impl<'a> TryFrom<&'a str> for UniqueId<'a> {
    type Error = Invalid;

    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        Self::try_from(text.as_bytes())
    }
}

/// So that what is known can be kept in any form of octets; see [`fresh`](crate::ext::fresh).
impl AsRef<[u8]> for UniqueId<'_> {
    fn as_ref(&self) -> &[u8] {
        self.0
    }
}

impl fmt::Display for UniqueId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UniqueId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UniqueId({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_number_is_read_as_it_is_written() {
        for number in [1, 7, u32::MAX].map(|n| MessageNumber::new(n).unwrap()) {
            assert_eq!(number.to_string().parse(), Ok(number));
        }
        assert_eq!("007".parse(), Ok(MessageNumber::new(7).unwrap()));
        for text in ["", "0", "+1", "-1", " 1", "1 ", "4294967296", "\u{663}"] {
            assert_eq!(text.parse::<MessageNumber>(), Err(Invalid(Rule::MessageNumber)), "{text:?}");
        }
        let letters = ["a", "b"];
        assert_eq!(letters[MessageNumber::new(2).unwrap().index()], "b");
    }

    #[test]
    fn a_unique_id_is_shown_as_it_is() {
        let id = UniqueId::try_from("~!\"x").unwrap();
        assert_eq!(
            (id.to_string().as_bytes(), id.as_str(), id.as_ref()),
            (id.octets(), "~!\"x", &b"~!\"x"[..])
        );
    }
}
