//! Human-readable text, and its languages (RFC 6856 §3).

use crate::error::{Invalid, Rule};

/// The text of a reply: UTF-8 without controls, at most 400 octets, so that the reply stays within 512 (RFC 1939 §3).
///
/// It does not begin with `[`: where RESP-CODES is announced that is an extended response code (RFC 2449 §8), and
/// [`Reply`](crate::Reply) has a place for it. It may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ReplyText<'a>(&'a str);

impl<'a> ReplyText<'a> {
    /// The longest text, in octets.
    pub const MAX: usize = 400;
    /// No text.
    pub const EMPTY: ReplyText<'static> = ReplyText("");

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// A text of this crate, known to fit.
    pub(crate) const fn known(text: &'static str) -> ReplyText<'static> {
        ReplyText(text)
    }
}

impl<'a> TryFrom<&'a str> for ReplyText<'a> {
    type Error = Invalid;

    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        if text.len() > Self::MAX {
            return Err(Invalid(Rule::TooLong));
        }
        if text.starts_with('[') || text.chars().any(char::is_control) {
            return Err(Invalid(Rule::Octet));
        }
        Ok(Self(text))
    }
}

/// A language tag, such as `en` or `en-boont` (RFC 5646): parts of 1 to 8 letters and digits, set apart by `-`, 35 octets at most
/// (RFC 5646 §4.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LanguageTag<'a>(&'a str);

impl<'a> LanguageTag<'a> {
    /// The longest tag, in octets.
    pub const MAX: usize = 35;

    /// From the text of one.
    pub(crate) const fn known(tag: &'a str) -> Self {
        Self(tag)
    }

    /// The tag.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl<'a> TryFrom<&'a [u8]> for LanguageTag<'a> {
    type Error = Invalid;

    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        let part = |part: &[u8]| (1..=8).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric);
        match core::str::from_utf8(octets) {
            Ok(tag) if octets.len() <= Self::MAX && octets.split(|octet| *octet == b'-').all(part) => {
                Ok(Self(tag))
            }
            _ => Err(Invalid(Rule::Language)),
        }
    }
}

impl<'a> TryFrom<&'a str> for LanguageTag<'a> {
    type Error = Invalid;

    fn try_from(tag: &'a str) -> Result<Self, Invalid> {
        Self::try_from(tag.as_bytes())
    }
}

/// What LANG asks for: a basic language range (RFC 4647 §2.1), or `*` for the server's own choice (RFC 6856 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LanguageRange<'a> {
    /// `*`.
    Preferred,
    /// A language.
    Tag(LanguageTag<'a>),
}

impl<'a> LanguageRange<'a> {
    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        match self {
            Self::Preferred => "*",
            Self::Tag(tag) => tag.as_str(),
        }
    }
}

impl<'a> TryFrom<&'a [u8]> for LanguageRange<'a> {
    type Error = Invalid;

    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        if octets == b"*" { Ok(Self::Preferred) } else { LanguageTag::try_from(octets).map(Self::Tag) }
    }
}
