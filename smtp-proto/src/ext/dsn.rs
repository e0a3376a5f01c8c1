//! DSN: what notifications the sender wants (RFC 3461).
//!
//! A server that offers DSN may refuse a mail for a malformed one of these alone, never for what it asks (RFC 3461 §5.1).

use crate::error::Rule;
use crate::parse::Fixes;
use crate::types::octets;
use crate::types::{AddressType, Xtext};
use alloc::borrow::Cow;
use core::fmt;

/// The longest ENVID, decoded or not (RFC 3461 §4.4).
pub(crate) const LONGEST_ENVID: usize = 100;
/// The longest ORCPT, type and all, as it stands (RFC 3461 §4.2).
pub(crate) const LONGEST_ORCPT: usize = 500;

/// RET: what a notification of failure returns (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// `FULL`: the whole message.
    Full,
    /// `HDRS`: its header.
    Headers,
}

impl Ret {
    /// The value on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        }
    }

    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        [Self::Full, Self::Headers]
            .into_iter()
            .find(|ret| ret.as_str().as_bytes().eq_ignore_ascii_case(value))
    }
}

/// NOTIFY: when to notify (RFC 3461 §4.1). `NEVER` stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Notify {
    success: bool,
    failure: bool,
    delay: bool,
}

impl Notify {
    /// `NEVER`.
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };

    /// The conditions that are wanted; none at all is `NEVER`.
    #[must_use]
    pub const fn on(success: bool, failure: bool, delay: bool) -> Self {
        Self { success, failure, delay }
    }

    /// Whether it is `NEVER`.
    #[must_use]
    pub const fn is_never(self) -> bool {
        !self.success && !self.failure && !self.delay
    }

    /// On delivery.
    #[must_use]
    pub const fn success(self) -> bool {
        self.success
    }

    /// On failure.
    #[must_use]
    pub const fn failure(self) -> bool {
        self.failure
    }

    /// On delay.
    #[must_use]
    pub const fn delay(self) -> bool {
        self.delay
    }

    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        if value.eq_ignore_ascii_case(b"NEVER") {
            return Some(Self::NEVER);
        }
        let mut notify = Self::NEVER;
        for word in value.split(|octet| *octet == b',') {
            let wanted = match word.len() {
                7 if word.eq_ignore_ascii_case(b"SUCCESS") => &mut notify.success,
                7 if word.eq_ignore_ascii_case(b"FAILURE") => &mut notify.failure,
                5 if word.eq_ignore_ascii_case(b"DELAY") => &mut notify.delay,
                _ => return None,
            };
            *wanted = true;
        }
        Some(notify)
    }
}

impl fmt::Display for Notify {
    /// The value on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("NEVER");
        }
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let mut separator = "";
        for (_, word) in words.into_iter().filter(|(wanted, _)| *wanted) {
            write!(f, "{separator}{word}")?;
            separator = ",";
        }
        Ok(())
    }
}

/// ORCPT: the recipient that the sender gave (RFC 3461 §4.2, RFC 6533 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orcpt<'a> {
    kind: AddressType<'a>,
    address: &'a [u8],
}

impl<'a> Orcpt<'a> {
    /// An address as xtext.
    #[must_use]
    pub const fn new(kind: AddressType<'a>, address: Xtext<'a>) -> Self {
        Self { kind, address: address.as_bytes() }
    }

    /// The type of the address.
    #[must_use]
    pub const fn kind(&self) -> AddressType<'a> {
        self.kind
    }

    /// The address as it stands on the wire.
    #[must_use]
    pub const fn encoded(&self) -> &'a [u8] {
        self.address
    }

    /// The address, decoded.
    #[must_use]
    pub fn address(&self) -> Cow<'a, [u8]> {
        if self.kind == AddressType::UTF8 {
            if let Some(address) = crate::types::unicode_address(self.address) {
                return address;
            }
        }
        Xtext::new(self.address).map_or(Cow::Borrowed(self.address), |xtext| xtext.decode())
    }

    /// Whether it needs SMTPUTF8: raw UTF-8 (RFC 6533 §3).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        !self.address.is_ascii()
    }

    pub(crate) fn read(value: &'a [u8], fixes: &Fixes<'_>) -> Result<Self, Rule> {
        let semicolon = memchr::memchr(b';', value).ok_or(Rule::Value)?;
        let (kind, address) = octets::cut(value, semicolon);
        let kind = AddressType::new(kind).map_err(|invalid| invalid.rule)?;
        let address = octets::cut(address, 1).1;
        if address.is_empty() || value.len() > LONGEST_ORCPT {
            return Err(Rule::Value);
        }
        let unicode = kind == AddressType::UTF8 && crate::types::unicode_address(address).is_some();
        if !unicode {
            let plain = Xtext::parse(address, fixes).map_err(|invalid| invalid.rule)?;
            // Hidden or not, it is ASCII: it goes into a notification as it is (RFC 3461 §4.2).
            if !plain.decode().is_ascii() {
                return Err(Rule::Xtext);
            }
        }
        Ok(Self { kind, address })
    }
}
