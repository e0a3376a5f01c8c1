//! Mailboxes and paths.

use crate::error::{Invalid, Rule};
use crate::parse::Fixes;
use crate::policy::Repair;
use crate::types::octets::{self, ATEXT, HIGH, QTEXT};
use crate::types::{Domain, domain};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

/// The longest local part in octets, quotes included (RFC 5321 §4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// The longest path in octets without its brackets (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// `local-part@domain` (RFC 5321 §4.1.2).
///
/// ```
/// use mail_smtp_proto::types::Mailbox;
/// let mailbox = Mailbox::try_from(r#""a> SIZE=1"@b.example"#)?;
/// assert_eq!(mailbox.local().as_ref(), b"a> SIZE=1");
/// assert_eq!(mailbox.domain().as_str(), "b.example");
/// assert!(Mailbox::try_from("a@b.example> SIZE=1").is_err());
/// # Ok::<(), mail_smtp_proto::error::Invalid>(())
/// ```
#[derive(Clone, Copy)]
pub struct Mailbox<'a> {
    octets: &'a [u8],
    at: u32,
    quoted: bool,
    utf8: bool,
}

impl<'a> Mailbox<'a> {
    /// A mailbox in ASCII.
    ///
    /// # Errors
    /// The rule that it breaks; [`Rule::NotAscii`] beyond ASCII: use [`Mailbox::utf8`] and the SMTPUTF8 parameter.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        let mailbox = Self::utf8(octets)?;
        match octets.iter().position(|octet| !octet.is_ascii()) {
            Some(at) => Err(Invalid { rule: Rule::NotAscii, at }),
            None => Ok(mailbox),
        }
    }

    /// A mailbox that may be UTF-8 (RFC 6531 §3.3). It can be sent only with the SMTPUTF8 parameter.
    ///
    /// # Errors
    /// As [`Mailbox::new`]; [`Rule::NotAscii`] if it is no UTF-8.
    pub fn utf8(octets: &'a [u8]) -> Result<Self, Invalid> {
        let (mailbox, used) = mailbox(octets, &Fixes::none()).map_err(|(rule, at)| Invalid { rule, at })?;
        if used != octets.len() {
            return Err(Invalid { rule: Rule::Path, at: used });
        }
        Ok(mailbox)
    }

    /// All of it as it stands on the wire, without brackets.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.octets
    }

    /// The same as text.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        core::str::from_utf8(self.octets).unwrap_or_default()
    }

    /// The local part as it stands on the wire, with its quotes.
    #[must_use]
    pub fn raw_local(&self) -> &'a [u8] {
        octets::cut(self.octets, self.at as usize).0
    }

    /// The local part without quotes and backslashes: its value (RFC 5321 §4.1.2). Case is part of it.
    #[must_use]
    pub fn local(&self) -> Cow<'a, [u8]> {
        let raw = self.raw_local();
        if !self.quoted {
            return Cow::Borrowed(raw);
        }
        let inside = raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or_default();
        if !inside.contains(&b'\\') {
            return Cow::Borrowed(inside);
        }
        let mut value = Vec::with_capacity(inside.len());
        let mut escaped = false;
        for octet in inside {
            if *octet == b'\\' && !escaped {
                escaped = true;
            } else {
                value.push(*octet);
                escaped = false;
            }
        }
        Cow::Owned(value)
    }

    /// Whether the local part is a quoted string.
    #[must_use]
    pub const fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> Domain<'a> {
        Domain::parsed(octets::cut(self.octets, (self.at as usize).saturating_add(1)).1)
    }

    /// Whether it needs SMTPUTF8.
    #[must_use]
    pub const fn is_utf8(&self) -> bool {
        self.utf8
    }
}

impl PartialEq for Mailbox<'_> {
    /// The local parts have one value, whatever their quoting, and the domains are equal without case (RFC 5321 §2.4).
    fn eq(&self, other: &Self) -> bool {
        self.local() == other.local()
            && self.domain().as_bytes().eq_ignore_ascii_case(other.domain().as_bytes())
    }
}

impl Eq for Mailbox<'_> {}

impl<'a> TryFrom<&'a [u8]> for Mailbox<'a> {
    type Error = Invalid;
    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::new(octets)
    }
}

impl<'a> TryFrom<&'a str> for Mailbox<'a> {
    type Error = Invalid;
    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        Self::new(text.as_bytes())
    }
}

impl fmt::Display for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match core::str::from_utf8(self.octets) {
            Ok(text) => f.write_str(text),
            Err(_) => fmt::Display::fmt(&self.octets.escape_ascii(), f),
        }
    }
}

impl fmt::Debug for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox(\"{}\")", self.octets.escape_ascii())
    }
}

/// A mailbox at the front of `octets`, and how many it takes. On failure the rule, and the octet at which it is broken.
#[inline]
pub(crate) fn mailbox<'a>(
    octets: &'a [u8],
    fixes: &Fixes<'_>,
) -> Result<(Mailbox<'a>, usize), (Rule, usize)> {
    let quoted = octets.first() == Some(&b'"');
    let at = if quoted { quoted_string(octets)? } else { dot_string(octets, fixes)? };
    if octets.get(at) != Some(&b'@') {
        return Err((Rule::LocalPart, at));
    }
    if at > LONGEST_LOCAL && !fixes.take(Repair::LongLocal) {
        return Err((Rule::LocalTooLong, LONGEST_LOCAL));
    }
    let from = at.saturating_add(1);
    let found = domain(octets::cut(octets, from).1, fixes).map_err(|rule| (rule, from))?;
    let end = from.saturating_add(found.len);
    if end > LONGEST && !fixes.take(Repair::LongLocal) {
        return Err((Rule::PathTooLong, LONGEST));
    }
    let whole = octets::cut(octets, end).0;
    let utf8 = !whole.is_ascii();
    if utf8 && core::str::from_utf8(whole).is_err() {
        return Err((Rule::NotAscii, 0));
    }
    Ok((Mailbox { octets: whole, at: u32::try_from(at).unwrap_or(u32::MAX), quoted, utf8 }, end))
}

/// `Atom *("." Atom)`: its length.
#[inline]
fn dot_string(octets: &[u8], fixes: &Fixes<'_>) -> Result<usize, (Rule, usize)> {
    let (mut before, mut odd) = (b'.', None);
    let mut len = octets.len();
    for (at, octet) in octets.iter().enumerate() {
        if *octet == b'.' {
            if before == b'.' {
                odd = odd.or(Some(at));
            }
        } else if !octets::is(*octet, ATEXT | HIGH) {
            len = at;
            break;
        }
        before = *octet;
    }
    if before == b'.' {
        odd = odd.or(Some(len));
    }
    match odd {
        Some(at) if len == 0 || !fixes.take(Repair::OddDots) => Err((Rule::LocalPart, at)),
        _ => Ok(len),
    }
}

/// `DQUOTE *QcontentSMTP DQUOTE`: its length.
fn quoted_string(octets: &[u8]) -> Result<usize, (Rule, usize)> {
    let mut at = 1_usize;
    loop {
        match octets.get(at) {
            Some(b'"') => return Ok(at.saturating_add(1)),
            // quoted-pairSMTP takes graphic octets and the space alone.
            Some(b'\\') if octets.get(at.saturating_add(1)).is_some_and(|next| matches!(next, 32..=126)) => {
                at = at.saturating_add(2);
            }
            Some(octet) if octets::is(*octet, QTEXT | HIGH) => at = at.saturating_add(1),
            _ => return Err((Rule::LocalPart, at)),
        }
    }
}

/// Where a mail comes from: `<>` for notifications, else a mailbox (RFC 5321 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReversePath<'a> {
    /// `<>`: nobody wants an answer (RFC 5321 §4.5.5).
    Null,
    /// A mailbox. A source route before it was dropped (RFC 5321 Appendix C).
    Mailbox(Mailbox<'a>),
}

impl<'a> ReversePath<'a> {
    /// The mailbox, if there is one.
    #[must_use]
    pub const fn mailbox(self) -> Option<Mailbox<'a>> {
        match self {
            Self::Null => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }
}

/// Where a mail goes (RFC 5321 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardPath<'a> {
    /// `<Postmaster>` without a domain, which every server takes (RFC 5321 §4.1.1.3, §4.5.1).
    Postmaster,
    /// A mailbox. A source route before it was dropped.
    Mailbox(Mailbox<'a>),
}

impl<'a> ForwardPath<'a> {
    /// The mailbox, if it is one.
    #[must_use]
    pub const fn mailbox(self) -> Option<Mailbox<'a>> {
        match self {
            Self::Postmaster => None,
            Self::Mailbox(mailbox) => Some(mailbox),
        }
    }
}
