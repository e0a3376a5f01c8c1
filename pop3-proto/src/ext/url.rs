//! POP URLs (RFC 2384): `pop://user;AUTH=mechanism@host:port`.

use crate::error::{Invalid, Rule};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A POP URL. It never holds a password (RFC 2384 §3).
///
/// ```
/// use mail_pop3_proto::ext::url::{PopUrl, UrlAuth};
/// let url: PopUrl = "pop://rg;AUTH=+APOP@mail.eudora.com:8110".parse()?;
/// assert_eq!((url.user.as_deref(), url.host.as_str(), url.port), (Some(&b"rg"[..]), "mail.eudora.com", 8110));
/// assert_eq!(url.auth, UrlAuth::Extension("APOP".into()));
/// assert_eq!(url.to_string(), "pop://rg;AUTH=+APOP@mail.eudora.com:8110");
/// # Ok::<(), mail_pop3_proto::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopUrl {
    /// The mailbox, decoded; at least one octet.
    pub user: Option<Vec<u8>>,
    /// How to log in. Without it, and with a user, any way will do (RFC 2384 §4).
    pub auth: UrlAuth,
    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// The port; 110 where none is written.
    pub port: u16,
}

/// How a POP URL asks to log in (RFC 2384 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlAuth {
    /// `;AUTH=*`, or nothing: as the client sees fit.
    Any,
    /// A SASL mechanism.
    Sasl(String),
    /// Behind a `+`: APOP, or an extension.
    Extension(String),
}

impl core::str::FromStr for PopUrl {
    type Err = Invalid;

    /// Reads a URL; the scheme and `;AUTH=` in any case. A path is no part of one (RFC 2384 §5).
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = Invalid(Rule::Octet);
        let (scheme, server) = text.split_once("://").ok_or(bad)?;
        if !scheme.eq_ignore_ascii_case("pop") {
            return Err(bad);
        }
        let (user_auth, hostport) = match server.split_once('@') {
            Some((user_auth, hostport)) => (Some(user_auth), hostport),
            None => (None, server),
        };
        let (mut user, mut auth) = (None, UrlAuth::Any);
        if let Some(user_auth) = user_auth {
            let (name, method) = match user_auth.split_once(';') {
                Some((name, method)) => (name, Some(method)),
                None => (user_auth, None),
            };
            // `;AUTH=` without a name lets the server say who it is, as with a certificate (RFC 2384 §4).
            user = if name.is_empty() { None } else { Some(decode(name)?) };
            match method {
                Some(method) => auth = read_auth(method)?,
                // An `@` with nothing before it is neither a name nor a way to log in.
                None if user.is_none() => return Err(bad),
                None => {}
            }
        }
        let (host, port) = host_port(hostport)?;
        Ok(Self { user, auth, host, port })
    }
}

/// What stands behind `;`: a SASL mechanism, `*`, or `+` and an extension such as APOP (RFC 2384 §4).
fn read_auth(method: &str) -> Result<UrlAuth, Invalid> {
    let bad = Invalid(Rule::Mechanism);
    let (key, value) = method.split_once('=').ok_or(bad)?;
    // The only parameter that there is (RFC 2384 §8).
    if !key.eq_ignore_ascii_case("AUTH") || value.is_empty() {
        return Err(bad);
    }
    if value == "*" {
        return Ok(UrlAuth::Any);
    }
    // The names of mechanisms are ASCII; whether one exists is for who logs in to see.
    let text = |value| String::from_utf8(decode(value)?).map_err(|_| bad);
    match value.strip_prefix('+') {
        Some("") => Err(bad),
        Some(extension) => text(extension).map(UrlAuth::Extension),
        None => text(value).map(UrlAuth::Sasl),
    }
}

/// `host` or `host:port`. A colon inside brackets belongs to an IPv6 address; a port of no digits is no port (RFC 2384 §5).
fn host_port(text: &str) -> Result<(String, u16), Invalid> {
    let bad = Invalid(Rule::Octet);
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let digits = !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit());
            (host, if digits { port.parse().map_err(|_| Invalid(Rule::Number))? } else { return Err(bad) })
        }
        _ => (text, 110),
    };
    // Names are not resolved here: what may stand in one is checked, and no more.
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    // Underscores are no part of a host name, and occur.
    let good = match inner {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|o| o.is_ascii_hexdigit() || matches!(o, b':' | b'.'))
        }
        None => {
            !host.is_empty()
                && host.bytes().all(|o| o.is_ascii_alphanumeric() || matches!(o, b'-' | b'.' | b'_'))
        }
    };
    if good { Ok((host.into(), port)) } else { Err(bad) }
}

/// `achar`: what stands for itself in a user name or mechanism (RFC 2384 §8, RFC 1738 §5).
fn is_achar(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"$-_.+!*'(),&=~".contains(&octet)
}

/// Octets with `%` and two hexadecimal digits for what cannot stand for itself (RFC 1738 §2.2).
fn decode(text: &str) -> Result<Vec<u8>, Invalid> {
    let bad = Invalid(Rule::Octet);
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    // A `%` without two digits behind it stands for nothing, and is refused with all else that may not stand here.
    while let Some((octet, behind)) = rest.split_first() {
        rest = behind;
        let octet = match (*octet, rest.split_at_checked(2)) {
            (b'%', Some((hex, behind))) => {
                rest = behind;
                let digit = |octet: &u8| char::from(*octet).to_digit(16);
                let value = hex.iter().try_fold(0_u32, |sum, octet| Some((sum << 4) | digit(octet)?));
                value.and_then(|value| u8::try_from(value).ok()).ok_or(bad)?
            }
            (octet, _) if is_achar(octet) => octet,
            _ => return Err(bad),
        };
        // A name that holds a line end would be no name (RFC 1939 §3).
        if matches!(octet, b'\r' | b'\n' | 0) {
            return Err(bad);
        }
        octets.push(octet);
    }
    Ok(octets)
}

/// The reverse, with no more escapes than are needed, so that equal URLs are written alike.
fn encode(octets: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for octet in octets {
        if is_achar(*octet) { write!(f, "{}", char::from(*octet))? } else { write!(f, "%{octet:02X}")? }
    }
    Ok(())
}

impl fmt::Display for PopUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("pop://")?;
        if let Some(user) = &self.user {
            encode(user, f)?;
        }
        // Any way is what nothing says too, so nothing is written for it.
        match &self.auth {
            UrlAuth::Any => {}
            UrlAuth::Sasl(name) => {
                f.write_str(";AUTH=")?;
                encode(name.as_bytes(), f)?;
            }
            UrlAuth::Extension(name) => {
                f.write_str(";AUTH=+")?;
                encode(name.as_bytes(), f)?;
            }
        }
        if self.user.is_some() || self.auth != UrlAuth::Any {
            f.write_str("@")?;
        }
        f.write_str(&self.host)?;
        // The default port is not written (RFC 2384 §5).
        if self.port == 110 { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// RFC 2384 §7, and what else the grammar has.
    #[test]
    fn good_urls_are_read_and_written_again() {
        let cases = [
            ("pop://rg@mailsrv.qualcomm.com", Some("rg"), UrlAuth::Any, "mailsrv.qualcomm.com", 110),
            (
                "pop://rg;AUTH=+APOP@mail.eudora.com:8110",
                Some("rg"),
                UrlAuth::Extension("APOP".into()),
                "mail.eudora.com",
                8110,
            ),
            (
                "pop://baz;AUTH=SCRAM-MD5@foo.bar",
                Some("baz"),
                UrlAuth::Sasl("SCRAM-MD5".into()),
                "foo.bar",
                110,
            ),
            ("pop://a%20b%40c@[::1]:1110", Some("a b@c"), UrlAuth::Any, "[::1]", 1110),
            ("pop://[::1]", None, UrlAuth::Any, "[::1]", 110),
            ("pop://;AUTH=PLAIN@x", None, UrlAuth::Sasl("PLAIN".into()), "x", 110),
            ("pop://x", None, UrlAuth::Any, "x", 110),
        ];
        for (text, user, auth, host, port) in cases {
            let url: PopUrl = text.parse().unwrap();
            assert_eq!(url.user.as_deref(), user.map(str::as_bytes), "{text}");
            assert_eq!((&url.auth, url.host.as_str(), url.port), (&auth, host, port), "{text}");
            assert_eq!(url.to_string(), text);
        }
        assert_eq!("POP://u;auth=*@x:110".parse::<PopUrl>().unwrap().to_string(), "pop://u@x");
    }

    /// What lacks a part, has one that belongs to another scheme, or could smuggle a line end into USER.
    #[test]
    fn bad_urls_are_refused() {
        for text in [
            "",
            "pop:",
            "pop://",
            "pop://@x",
            "pop://u@",
            "imap://u@x",
            "pop://u:p@x",
            "pop://u@x/path",
            "pop://u@x:",
            "pop://u@x:65536",
            "pop://u;AUTH=@x",
            "pop://u;AUTH=+@x",
            "pop://u;X=Y@x",
            "pop://%0d%0a@x",
            "pop://%zz@x",
            "pop://%4@x",
            "pop://u@x:-1",
            "pop://u@[]",
            "pop://a b@x",
        ] {
            assert!(text.parse::<PopUrl>().is_err(), "{text}");
        }
    }
}
