//! Extended response codes (RFC 2449 §8, RFC 3206, RFC 6856 §5).

use crate::error::{Invalid, Rule};
use core::fmt;

/// An extended response code: what stands in brackets at the start of the text of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code<'a> {
    /// LOGIN-DELAY: the last log-in is too short a time ago (RFC 2449 §8.1.1).
    LoginDelay,
    /// IN-USE: another session holds the maildrop (RFC 2449 §8.1.2).
    InUse,
    /// SYS/TEMP: a fault of the system that may pass (RFC 3206 §3).
    SysTemp,
    /// SYS/PERM: a fault of the system that needs a human (RFC 3206 §3).
    SysPerm,
    /// AUTH: the credentials are wrong (RFC 3206 §4).
    Auth,
    /// UTF8: the message needs UTF-8 mode (RFC 6856 §5).
    Utf8,
    /// Any other, as it was written, its levels set apart by `/`.
    Other(UnknownCode<'a>),
}

/// The octets of a code that has no name here; checked to be one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownCode<'a>(&'a [u8]);

impl<'a> Code<'a> {
    /// The longest that an encoder takes, in octets.
    pub const MAX: usize = 60;

    const NAMES: [(&'static [u8], Code<'static>); 6] = [
        (b"LOGIN-DELAY", Code::LoginDelay),
        (b"IN-USE", Code::InUse),
        (b"SYS/TEMP", Code::SysTemp),
        (b"SYS/PERM", Code::SysPerm),
        (b"AUTH", Code::Auth),
        (b"UTF8", Code::Utf8),
    ];

    /// The code as it stands between the brackets.
    #[must_use]
    pub fn name(self) -> &'a [u8] {
        match self {
            Self::LoginDelay => b"LOGIN-DELAY",
            Self::InUse => b"IN-USE",
            Self::SysTemp => b"SYS/TEMP",
            Self::SysPerm => b"SYS/PERM",
            Self::Auth => b"AUTH",
            Self::Utf8 => b"UTF8",
            Self::Other(other) => other.0,
        }
    }

    /// Its levels, from the most general (RFC 2449 §8).
    pub fn levels(self) -> impl Iterator<Item = &'a [u8]> {
        self.name().split(|octet| *octet == b'/')
    }

    /// Whether the same command will fail again until a human does something: `Some(true)` for SYS/PERM, AUTH and UTF8, `Some(false)` for what
    /// passes with time, `None` for what is not known.
    #[must_use]
    pub fn is_permanent(self) -> Option<bool> {
        match self {
            Self::SysPerm | Self::Auth | Self::Utf8 => Some(true),
            Self::LoginDelay | Self::InUse | Self::SysTemp => Some(false),
            Self::Other(_) => None,
        }
    }

    /// The code at the start of the text of a reply, and the text behind it. `None` where there is none.
    pub(crate) fn split(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let inner = text.strip_prefix(b"[")?;
        let end = memchr::memchr(b']', inner)?;
        let code = Self::read(inner.get(..end)?).ok()?;
        let rest = inner.get(end.checked_add(1)?..)?;
        Some((code, rest.strip_prefix(b" ").unwrap_or(rest)))
    }

    fn read(name: &'a [u8]) -> Result<Self, Invalid> {
        for (known, code) in Self::NAMES {
            if known.eq_ignore_ascii_case(name) {
                return Ok(code);
            }
        }
        let visible = |octet: &u8| octet.is_ascii_graphic() && *octet != b']';
        let level = |level: &[u8]| !level.is_empty() && level.iter().all(visible);
        if !name.split(|octet| *octet == b'/').all(level) {
            return Err(Invalid(Rule::Octet));
        }
        Ok(Self::Other(UnknownCode(name)))
    }
}

impl<'a> TryFrom<&'a [u8]> for Code<'a> {
    type Error = Invalid;

    /// From what stands between the brackets. Names compare without case.
    fn try_from(name: &'a [u8]) -> Result<Self, Invalid> {
        if name.len() > Self::MAX { Err(Invalid(Rule::TooLong)) } else { Self::read(name) }
    }
}

/// As it stands between the brackets.
impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name().escape_ascii())
    }
}

impl fmt::Debug for UnknownCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownCode({})", self.0.escape_ascii())
    }
}
