//! What AUTH carries (RFC 5034 §4).

use crate::error::{Invalid, Rule};
use core::fmt;
use mail_wire::SecretBuf;
use mail_wire::base64::{self, NotBase64};

/// The name of a SASL mechanism: 1 to 20 letters, digits, `-` and `_` (RFC 4422 §3.1). Compares without case.
#[derive(Clone, Copy, Debug)]
pub struct Mechanism<'a>(&'a str);

impl<'a> Mechanism<'a> {
    /// Takes a password as it is (RFC 4616).
    pub const PLAIN: Mechanism<'static> = Mechanism("PLAIN");

    /// From the name of one.
    pub(crate) const fn known(name: &'a str) -> Self {
        Self(name)
    }

    /// The name as it was written.
    #[must_use]
    pub const fn name(self) -> &'a str {
        self.0
    }

    /// Whether what it sends is good for a listener: a password or a bearer token as it is (RFC 8314 §3).
    #[must_use]
    pub fn is_plaintext(self) -> bool {
        ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"].iter().any(|name| name.eq_ignore_ascii_case(self.0))
    }
}

impl PartialEq for Mechanism<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name().eq_ignore_ascii_case(other.name())
    }
}

impl Eq for Mechanism<'_> {}

impl<'a> TryFrom<&'a [u8]> for Mechanism<'a> {
    type Error = Invalid;

    fn try_from(name: &'a [u8]) -> Result<Self, Invalid> {
        let good = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
        match core::str::from_utf8(name) {
            Ok(text) if (1..=20).contains(&name.len()) && name.iter().all(good) => Ok(Self(text)),
            _ => Err(Invalid(Rule::Mechanism)),
        }
    }
}

impl<'a> TryFrom<&'a str> for Mechanism<'a> {
    type Error = Invalid;

    fn try_from(name: &'a str) -> Result<Self, Invalid> {
        Self::try_from(name.as_bytes())
    }
}

/// The initial response of AUTH. May be empty, which stands on the wire as `=` (RFC 5034 §4). A secret.
#[derive(Clone, Copy)]
pub struct InitialResponse<'a>(Form<'a>);

#[derive(Clone, Copy)]
enum Form<'a> {
    /// The octets of the mechanism.
    Octets(&'a [u8]),
    /// Base64 as it was read, or `=`.
    Text(&'a [u8]),
}

impl<'a> InitialResponse<'a> {
    /// From the octets of the mechanism, which are sent as base64.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self(Form::Octets(octets))
    }

    /// From the wire: not empty, without blanks. Whether it is base64 shows when it is decoded.
    pub(crate) fn read(text: &'a [u8]) -> Self {
        Self(Form::Text(text))
    }

    /// Whether it is base64 already, and the octets.
    pub(crate) const fn parts(self) -> (bool, &'a [u8]) {
        match self.0 {
            Form::Octets(octets) => (false, octets),
            Form::Text(text) => (true, text),
        }
    }

    /// From the parts of one.
    pub(crate) const fn known(coded: bool, octets: &'a [u8]) -> Self {
        Self(if coded { Form::Text(octets) } else { Form::Octets(octets) })
    }

    /// The octets of the mechanism.
    ///
    /// # Errors
    /// [`NotBase64`] if it came from a peer and is not.
    pub fn decode(&self) -> Result<SecretBuf, NotBase64> {
        match self.0 {
            Form::Octets(octets) => Ok(SecretBuf::from(octets)),
            Form::Text(b"=") => Ok(SecretBuf::from(&b""[..])),
            Form::Text(text) => base64::decode(text),
        }
    }

    /// As it stands on the wire.
    pub(crate) fn encode(&self) -> SecretBuf {
        match self.0 {
            Form::Octets([]) => SecretBuf::from(&b"="[..]),
            Form::Octets(octets) => base64::encode(octets),
            Form::Text(text) => SecretBuf::from(text),
        }
    }
}

impl fmt::Debug for InitialResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InitialResponse(..)")
    }
}
