//! Free text in replies and commands.

use crate::error::{Invalid, Rule};
use crate::types::octets::{self, HIGH, TEXT};

/// The text of one reply line: graphic octets, spaces and tabs, and UTF-8 (RFC 5321 §4.2, RFC 6531 §3.7.4.1). May be empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplyText<'a>(&'a [u8]);
super::newtype!(ReplyText);

impl<'a> ReplyText<'a> {
    /// The longest text in octets: with a code, an enhanced code and the line end it makes the 512 of RFC 5321 §4.5.3.1.5. Who has more to say
    /// says it in several lines.
    pub const LONGEST: usize = 496;

    /// As much of a text as fits into one line, without a character in halves, and the rest.
    pub(crate) fn split(octets: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let is_inside = |at: &usize| octets.get(*at).is_some_and(|octet| octet & 0xc0 == 0x80);
        let most = octets.len().min(Self::LONGEST);
        // Four octets at the most make a character; octets that are no UTF-8 are cut anywhere.
        let at = (most.saturating_sub(3)..=most).rev().find(|at| !is_inside(at)).unwrap_or(most);
        octets::cut(octets, at)
    }

    /// A text.
    ///
    /// # Errors
    /// [`Rule::Control`]; [`Rule::NotAscii`] if it is no UTF-8; [`Rule::TooLong`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        if octets.len() > Self::LONGEST {
            return Err(Invalid { rule: Rule::TooLong, at: Self::LONGEST });
        }
        free_text(octets, true).map(Self)
    }
}

/// What HELP and NOOP take, and the rest of a command line that nobody knows: text without controls, not empty, and without
/// a space at either end, which would not come back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandText<'a>(&'a [u8]);
super::newtype!(CommandText);

impl<'a> CommandText<'a> {
    /// A text.
    ///
    /// # Errors
    /// [`Rule::Argument`] if it is empty, [`Rule::Spaces`] if a space stands at either end, [`Rule::Control`], [`Rule::NotAscii`] if it is no UTF-8.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        if octets.is_empty() {
            return Err(Invalid { rule: Rule::Argument, at: 0 });
        }
        if octets.first() == Some(&b' ') || octets.last() == Some(&b' ') {
            return Err(Invalid { rule: Rule::Spaces, at: 0 });
        }
        free_text(octets, false).map(Self)
    }

    pub(crate) const fn parsed(octets: &'a [u8]) -> Self {
        Self(octets)
    }
}

/// What VRFY and EXPN ask for: a user, a mailbox or a list, as text (RFC 5321 §4.1.1.6).
pub type VrfyArgument<'a> = CommandText<'a>;

/// The parameters of a line of an EHLO reply, without the keyword: graphic octets and spaces (RFC 5321 §4.1.1.1). May be empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EhloText<'a>(&'a [u8]);
super::newtype!(EhloText);

impl<'a> EhloText<'a> {
    /// Parameters.
    ///
    /// # Errors
    /// [`Rule::EhloLine`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        match octets::run(octets, TEXT) {
            len if len == octets.len() && octets.len() < 1000 => Ok(Self(octets)),
            at => Err(Invalid { rule: Rule::EhloLine, at }),
        }
    }
}

fn free_text(octets: &[u8], tab: bool) -> Result<&[u8], Invalid> {
    let good = |octet: &u8| octets::is(*octet, TEXT | HIGH) || (tab && *octet == b'\t');
    if let Some(at) = octets.iter().position(|octet| !good(octet)) {
        return Err(Invalid { rule: Rule::Control, at });
    }
    if core::str::from_utf8(octets).is_err() {
        return Err(Invalid { rule: Rule::NotAscii, at: 0 });
    }
    Ok(octets)
}
