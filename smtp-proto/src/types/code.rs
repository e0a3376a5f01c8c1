//! Reply codes and enhanced status codes.

use crate::error::{Invalid, Rule};
use crate::types::octets;
use core::fmt;

/// A reply code: three digits, the first from 2 to 5 (RFC 5321 §4.2).
///
/// The second digit is at most 5 in the standard; a code above it is judged by its first digit (§4.2.1), and [`Code::is_odd`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// A code from 200 to 599.
    ///
    /// # Errors
    /// [`Rule::Code`].
    pub const fn new(code: u16) -> Result<Self, Invalid> {
        if code >= 200 && code <= 599 { Ok(Self(code)) } else { Err(Invalid { rule: Rule::Code, at: 0 }) }
    }

    /// For the codes of this crate, all of which are known to be good.
    pub(crate) const fn known(code: u16) -> Self {
        Self(code)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The first digit: 2 done, 3 go on, 4 not now, 5 not so.
    #[must_use]
    pub const fn class(self) -> u8 {
        (self.0 / 100) as u8
    }

    /// 2yz.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.class() == 2
    }

    /// 3yz.
    #[must_use]
    pub const fn is_intermediate(self) -> bool {
        self.class() == 3
    }

    /// 4yz: the same may succeed later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        self.class() == 4
    }

    /// 5yz.
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        self.class() == 5
    }

    /// Whether the second digit is none of the standard's.
    #[must_use]
    pub const fn is_odd(self) -> bool {
        self.0 / 10 % 10 > 5
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An enhanced status code: class, subject, detail (RFC 3463 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl EnhancedCode {
    /// A code of class 2, 4 or 5, with a subject and a detail up to 999.
    ///
    /// # Errors
    /// [`Rule::EnhancedCode`].
    pub const fn new(class: u8, subject: u16, detail: u16) -> Result<Self, Invalid> {
        if matches!(class, 2 | 4 | 5) && subject <= 999 && detail <= 999 {
            Ok(Self { class, subject, detail })
        } else {
            Err(Invalid { rule: Rule::EnhancedCode, at: 0 })
        }
    }

    /// For the codes of this crate.
    pub(crate) const fn known(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// The class: 2, 4 or 5.
    #[must_use]
    pub const fn class(self) -> u8 {
        self.class
    }

    /// The subject: address, mailbox, system, network, protocol, content, policy.
    #[must_use]
    pub const fn subject(self) -> u16 {
        self.subject
    }

    /// The detail.
    #[must_use]
    pub const fn detail(self) -> u16 {
        self.detail
    }

    /// Reads a code at the front of a reply text. It ends at a space or at the end of the text; a part with a leading zero is
    /// no code. Gives the number of octets with it.
    pub(crate) fn at_front(text: &[u8]) -> Option<(Self, usize)> {
        let class = match text {
            [b'2', b'.', ..] => 2,
            [b'4', b'.', ..] => 4,
            [b'5', b'.', ..] => 5,
            _ => return None,
        };
        let (subject, used) = part(octets::cut(text, 2).1)?;
        let dot = used.saturating_add(2);
        if text.get(dot) != Some(&b'.') {
            return None;
        }
        let from = dot.saturating_add(1);
        let (detail, used) = part(octets::cut(text, from).1)?;
        let end = from.saturating_add(used);
        matches!(text.get(end), None | Some(b' ')).then_some((Self { class, subject, detail }, end))
    }
}

/// One to three digits without a leading zero.
fn part(octets: &[u8]) -> Option<(u16, usize)> {
    let digits = octets.iter().take(4).take_while(|octet| octet.is_ascii_digit()).count();
    if digits == 0 || digits > 3 || (digits > 1 && octets.first() == Some(&b'0')) {
        return None;
    }
    let number = octets.iter().take(digits).fold(0_u16, |sum, octet| {
        sum.saturating_mul(10).saturating_add(u16::from(octet.saturating_sub(b'0')))
    });
    Some((number, digits))
}

impl TryFrom<&[u8]> for EnhancedCode {
    type Error = Invalid;

    fn try_from(text: &[u8]) -> Result<Self, Invalid> {
        match Self::at_front(text) {
            Some((code, used)) if used == text.len() => Ok(code),
            _ => Err(Invalid { rule: Rule::EnhancedCode, at: 0 }),
        }
    }
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}
