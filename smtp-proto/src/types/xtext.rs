//! xtext, and the addresses in ORCPT.

use crate::error::{Invalid, Rule};
use crate::parse::Fixes;
use crate::policy::Repair;
use crate::types::octets::{self, ALNUM, HIGH, XCHAR};
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// xtext: graphic octets, with `+`, `=` and the space as `+HH` (RFC 3461 §4). It never decodes to a control octet.
///
/// ```
/// use mail_smtp_proto::types::Xtext;
/// let xtext = Xtext::try_from("e+3Dmc2")?;
/// assert_eq!(xtext.decode().as_ref(), b"e=mc2");
/// assert_eq!(Xtext::encode(b"e=mc2")?, b"e+3Dmc2");
/// assert!(Xtext::try_from("a+0D+0AQUIT").is_err());
/// # Ok::<(), mail_smtp_proto::error::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Xtext<'a>(&'a [u8]);
super::newtype!(Xtext);

impl<'a> Xtext<'a> {
    /// xtext, encoded.
    ///
    /// # Errors
    /// [`Rule::Xtext`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::parse(octets, &Fixes::none())
    }

    pub(crate) fn parse(octets: &'a [u8], fixes: &Fixes<'_>) -> Result<Self, Invalid> {
        let mut rest = octets;
        loop {
            let plain = octets::run(rest, XCHAR);
            rest = octets::cut(rest, plain).1;
            if rest.is_empty() {
                return Ok(Self(octets));
            }
            let at = octets.len().saturating_sub(rest.len());
            let (code, behind) = octets::cut(rest, 3);
            match code {
                [b'+', high, low]
                    if hidden(*high, *low, fixes).is_some_and(|octet| !octet.is_ascii_control()) => {}
                _ => return Err(Invalid { rule: Rule::Xtext, at }),
            }
            rest = behind;
        }
    }

    /// The octets that it stands for.
    #[must_use]
    pub fn decode(&self) -> Cow<'a, [u8]> {
        if !self.0.contains(&b'+') {
            return Cow::Borrowed(self.0);
        }
        let mut value = Vec::with_capacity(self.0.len());
        let mut rest = self.0;
        while let Some((first, behind)) = rest.split_first() {
            match (first, behind) {
                (b'+', [high, low, behind @ ..]) => {
                    value.extend(hex(*high).zip(hex(*low)).map(|(high, low)| high.wrapping_shl(4) | low));
                    rest = behind;
                }
                _ => {
                    value.push(*first);
                    rest = behind;
                }
            }
        }
        Cow::Owned(value)
    }

    /// Encodes octets.
    ///
    /// # Errors
    /// [`Rule::Control`] for a control octet, which xtext could hide but no reader wants.
    pub fn encode(octets: &[u8]) -> Result<Vec<u8>, Invalid> {
        let mut text = Vec::with_capacity(octets.len());
        for (at, octet) in octets.iter().enumerate() {
            if octet.is_ascii_control() {
                return Err(Invalid { rule: Rule::Control, at });
            }
            if octets::is(*octet, XCHAR) {
                text.push(*octet);
            } else {
                text.push(b'+');
                text.extend([digit(octet >> 4), digit(octet & 15)]);
            }
        }
        Ok(text)
    }
}

/// The octet behind a `+`: upper-case hexadecimal (RFC 3461 §4).
fn hidden(high: u8, low: u8, fixes: &Fixes<'_>) -> Option<u8> {
    if (high.is_ascii_lowercase() || low.is_ascii_lowercase()) && !fixes.take(Repair::LowerHex) {
        return None;
    }
    Some(hex(high)?.wrapping_shl(4) | hex(low)?)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.saturating_sub(b'0')),
        b'A'..=b'F' => Some(digit.saturating_sub(b'A').saturating_add(10)),
        b'a'..=b'f' => Some(digit.saturating_sub(b'a').saturating_add(10)),
        _ => None,
    }
}

fn digit(value: u8) -> u8 {
    match value {
        0..=9 => value.saturating_add(b'0'),
        _ => value.saturating_sub(10).saturating_add(b'A'),
    }
}

/// The type of an original recipient, such as `rfc822` or `utf-8` (RFC 3461 §4.2). Compared without case.
#[derive(Clone, Copy, Eq)]
pub struct AddressType<'a>(&'a [u8]);
super::newtype!(AddressType);

impl<'a> AddressType<'a> {
    /// `rfc822`.
    pub const RFC822: AddressType<'static> = AddressType(b"rfc822");
    /// `utf-8` (RFC 6533 §3).
    pub const UTF8: AddressType<'static> = AddressType(b"utf-8");

    /// A type.
    ///
    /// # Errors
    /// [`Rule::Value`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        let good = |octet: &u8| octets::is(*octet, ALNUM) || matches!(octet, b'-' | b'.' | b'_');
        match octets.iter().position(|octet| !good(octet)) {
            None if !octets.is_empty() => Ok(Self(octets)),
            at => Err(Invalid { rule: Rule::Value, at: at.unwrap_or(0) }),
        }
    }
}

impl PartialEq for AddressType<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

/// Reads one of the three forms of a `utf-8` address: raw UTF-8, and `\x{HEX}` inside it or inside xtext (RFC 6533 §3).
pub(crate) fn unicode_address(octets: &[u8]) -> Option<Cow<'_, [u8]>> {
    let text = core::str::from_utf8(octets).ok()?;
    if !octets.contains(&b'\\') {
        let plain = octets.iter().all(|octet| octets::is(*octet, XCHAR | HIGH));
        return plain.then_some(Cow::Borrowed(octets));
    }
    let mut value = Vec::with_capacity(octets.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('\\') {
        let (code, behind) = behind.strip_prefix("x{")?.split_once('}')?;
        let canonical =
            (2..=6).contains(&code.len()) && !code.bytes().any(|octet| octet.is_ascii_lowercase());
        let character = char::from_u32(u32::from_str_radix(code, 16).ok().filter(|_| canonical)?)?;
        if character.is_control() || !octets::all(before.as_bytes(), XCHAR | HIGH) {
            return None;
        }
        value.extend_from_slice(before.as_bytes());
        value.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = behind;
    }
    if !octets::all(rest.as_bytes(), XCHAR | HIGH) {
        return None;
    }
    value.extend_from_slice(rest.as_bytes());
    Some(Cow::Owned(value))
}
