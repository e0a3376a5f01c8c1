//! Domains, address literals and the name in EHLO.

use crate::error::{Invalid, Rule};
use crate::parse::Fixes;
use crate::policy::Repair;
use crate::types::octets::{self, ALNUM, DTEXT};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest domain in octets (RFC 5321 §4.5.3.1.2).
const LONGEST: usize = 255;

/// What a [`Domain`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DomainKind {
    /// A name. Its labels may be UTF-8 under SMTPUTF8 (RFC 6531 §3.3).
    Name,
    /// `[192.0.2.1]`.
    Ipv4,
    /// `[IPv6:2001:db8::1]`.
    Ipv6,
    /// `[tag:content]` with another tag (RFC 5321 §4.1.3).
    General,
}

/// A domain or an address literal, at most 255 octets (RFC 5321 §4.1.2, §4.1.3).
///
/// ```
/// use mail_smtp_proto::types::{Domain, DomainKind};
/// let domain = Domain::try_from("[IPv6:2001:db8::1]")?;
/// assert_eq!(domain.kind(), DomainKind::Ipv6);
/// assert!(Domain::try_from("mx.example\r\nQUIT").is_err());
/// # Ok::<(), mail_smtp_proto::error::Invalid>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Domain<'a>(&'a [u8]);
super::newtype!(Domain);

impl<'a> Domain<'a> {
    /// A domain in ASCII, or an address literal.
    ///
    /// # Errors
    /// [`Rule::Domain`], [`Rule::AddressLiteral`], [`Rule::DomainTooLong`], [`Rule::NotAscii`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        let domain = Self::utf8(octets)?;
        match octets.iter().position(|octet| !octet.is_ascii()) {
            Some(at) => Err(Invalid { rule: Rule::NotAscii, at }),
            None => Ok(domain),
        }
    }

    /// A domain whose labels may be UTF-8. It can be sent only where SMTPUTF8 is in force.
    ///
    /// # Errors
    /// As [`Domain::new`]; [`Rule::NotAscii`] if it is no UTF-8.
    pub fn utf8(octets: &'a [u8]) -> Result<Self, Invalid> {
        match domain(octets, &Fixes::none()) {
            Ok(found) if found.len == octets.len() => Ok(Self(octets)),
            Ok(found) => Err(Invalid { rule: Rule::Domain, at: found.len }),
            Err(rule) => Err(Invalid { rule, at: 0 }),
        }
    }

    pub(crate) const fn parsed(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> DomainKind {
        match self.0 {
            [b'[', ..] => literal_kind(inside(self.0)).unwrap_or(DomainKind::General),
            _ => DomainKind::Name,
        }
    }

    /// The address of a literal.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        let text = core::str::from_utf8(inside(self.0)).ok()?;
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(IpAddr::V4(address));
        }
        let address =
            strip_tag(text.as_bytes()).map_or(Some(text), |rest| core::str::from_utf8(rest).ok())?;
        address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    }

    /// Whether it needs SMTPUTF8.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        !self.0.is_ascii()
    }
}

/// What was found at the front of the octets.
pub(crate) struct Found {
    pub(crate) len: usize,
}

/// A domain or an address literal at the front of `octets`.
pub(crate) fn domain(octets: &[u8], fixes: &Fixes<'_>) -> Result<Found, Rule> {
    let len = if octets.first() == Some(&b'[') { literal(octets, fixes)? } else { name(octets, fixes)? };
    if len > LONGEST { Err(Rule::DomainTooLong) } else { Ok(Found { len }) }
}

/// `sub-domain *("." sub-domain)`. One pass; what a label may not begin or end with is seen at its dot.
#[inline]
fn name(octets: &[u8], fixes: &Fixes<'_>) -> Result<usize, Rule> {
    let (mut before, mut high, mut underscore) = (b'.', false, false);
    let mut len = octets.len();
    for (at, octet) in octets.iter().enumerate() {
        let good = match *octet {
            octet if octets::is(octet, ALNUM) => true,
            b'.' => before != b'.' && before != b'-',
            b'-' => before != b'.',
            b'_' => {
                underscore = true;
                true
            }
            octet if octet >= 128 => {
                high = true;
                true
            }
            _ => {
                len = at;
                break;
            }
        };
        if !good {
            return Err(Rule::Domain);
        }
        before = *octet;
    }
    if len == 0 || before == b'-' || (before == b'.' && (len < 2 || !fixes.take(Repair::TrailingDot))) {
        return Err(Rule::Domain);
    }
    if underscore && !fixes.take(Repair::Underscore) {
        return Err(Rule::Domain);
    }
    if high && core::str::from_utf8(octets::cut(octets, len).0).is_err() {
        return Err(Rule::NotAscii);
    }
    Ok(len)
}

fn literal(octets: &[u8], fixes: &Fixes<'_>) -> Result<usize, Rule> {
    let close = memchr::memchr(b']', octets).ok_or(Rule::AddressLiteral)?;
    let content = octets.get(1..close).unwrap_or_default();
    let good = match literal_kind(content) {
        Some(_) => true,
        None => is_ipv6(content) && fixes.take(Repair::UntaggedIpv6),
    };
    if good { Ok(close.saturating_add(1)) } else { Err(Rule::AddressLiteral) }
}

/// What stands between the brackets.
fn literal_kind(content: &[u8]) -> Option<DomainKind> {
    if let Some(address) = strip_tag(content) {
        return is_ipv6(address).then_some(DomainKind::Ipv6);
    }
    if core::str::from_utf8(content).is_ok_and(|text| text.parse::<Ipv4Addr>().is_ok()) {
        return Some(DomainKind::Ipv4);
    }
    let colon = memchr::memchr(b':', content)?;
    let (tag, rest) = octets::cut(content, colon);
    let tagged = tag.iter().all(|octet| octets::is(*octet, ALNUM) || *octet == b'-')
        && tag.last().is_some_and(|octet| octets::is(*octet, ALNUM));
    (tagged && rest.len() > 1 && octets::all(rest, DTEXT) && !is_ipv6(content)).then_some(DomainKind::General)
}

fn is_ipv6(address: &[u8]) -> bool {
    core::str::from_utf8(address).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// The tag is without case (RFC 5321 §2.4, §4.1.3).
fn strip_tag(content: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = octets::cut(content, 5);
    tag.eq_ignore_ascii_case(b"IPv6:").then_some(rest)
}

fn inside(octets: &[u8]) -> &[u8] {
    octets.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or_default()
}

/// The name that a client gives of itself, or a server of itself: a domain or an address literal (RFC 5321 §4.1.1.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EhloName<'a>(&'a [u8]);
super::newtype!(EhloName);

impl<'a> EhloName<'a> {
    /// A name in ASCII.
    ///
    /// # Errors
    /// As [`Domain::new`].
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        Domain::new(octets).map(|domain| Self(domain.0))
    }

    pub(crate) const fn parsed(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The same as a domain.
    #[must_use]
    pub const fn domain(&self) -> Domain<'a> {
        Domain(self.0)
    }
}
