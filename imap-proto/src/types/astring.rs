//! Strings: an atom, a quoted string or a literal, which mean the same (RFC 9051 §4.3).

use super::chars::is_astring;
use super::invalid::Invalid;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use memchr::{memchr, memchr2};

/// Octets that a command or a response carries as an argument, without NUL.
///
/// It is read from any of the three forms and written in the shortest that holds it. Two of them are equal when
/// their octets are, whatever their forms.
///
/// ```
/// use mail_imap_proto::types::AString;
/// let name = AString::new(b"a \"b\"").unwrap();
/// assert_eq!(name.bytes(), &b"a \"b\""[..]);
/// ```
#[derive(Clone, Copy)]
pub struct AString<'a> {
    raw: &'a [u8],
    /// `raw` is the inside of a quoted string that holds at least one escape.
    escaped: bool,
}

impl<'a> AString<'a> {
    /// Takes octets as they are.
    ///
    /// # Errors
    /// [`Invalid::Octet`] at a NUL: neither a quoted string nor a literal may hold one.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        match memchr(0, octets) {
            Some(at) => Err(Invalid::Octet { at }),
            None => Ok(Self::plain(octets)),
        }
    }

    /// Octets that are known to hold no NUL.
    pub(crate) const fn plain(octets: &'a [u8]) -> Self {
        Self { raw: octets, escaped: false }
    }

    /// The inside of a quoted string that is known to be well formed.
    pub(crate) const fn quoted(inside: &'a [u8], escaped: bool) -> Self {
        Self { raw: inside, escaped }
    }

    /// The octets. They are copied only where a quoted string held an escape.
    #[must_use]
    pub fn bytes(self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(self.octets().collect()) } else { Cow::Borrowed(self.raw) }
    }

    /// The octets as text, where they are UTF-8.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.bytes() {
            Cow::Borrowed(octets) => core::str::from_utf8(octets).ok().map(Cow::Borrowed),
            Cow::Owned(octets) => alloc::string::String::from_utf8(octets).ok().map(Cow::Owned),
        }
    }

    /// The octets one by one, without a copy.
    pub fn octets(self) -> impl Iterator<Item = u8> + Clone + 'a {
        let mut escape = false;
        self.raw.iter().copied().filter(move |octet| {
            escape = self.escaped && !escape && *octet == b'\\';
            !escape
        })
    }

    /// As they stood on the wire: the inside of the quotes, still escaped, or the plain octets.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Whether [`AString::raw`] holds escapes.
    #[must_use]
    pub const fn is_escaped(self) -> bool {
        self.escaped
    }

    /// Whether there is no octet.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// Compares without regard to ASCII case.
    #[must_use]
    pub fn eq_ignore_ascii_case(self, other: &[u8]) -> bool {
        if self.escaped {
            let folded = self.octets().map(|octet| octet.to_ascii_lowercase());
            folded.eq(other.iter().map(u8::to_ascii_lowercase))
        } else {
            self.raw.eq_ignore_ascii_case(other)
        }
    }

    /// The shortest form that holds the octets.
    pub(crate) fn form(self, utf8: bool) -> Form {
        if self.escaped {
            return if self.raw.is_ascii() || utf8 { Form::QuotedRaw } else { Form::Literal };
        }
        let raw = self.raw;
        if raw.is_empty() || raw.eq_ignore_ascii_case(b"NIL") {
            return Form::QuotedRaw;
        }
        if raw.len() <= ATOM_MAX && raw.iter().all(|octet| is_astring(*octet)) {
            return Form::Atom;
        }
        let quotable = raw.len() <= QUOTED_MAX
            && memchr2(b'\r', b'\n', raw).is_none()
            && (raw.is_ascii() || utf8 && core::str::from_utf8(raw).is_ok());
        match (quotable, memchr2(b'"', b'\\', raw).is_some()) {
            (false, _) => Form::Literal,
            (true, false) => Form::QuotedRaw,
            (true, true) => Form::QuotedEscape,
        }
    }
}

/// Above this many octets a string is not written as an atom.
const ATOM_MAX: usize = 256;
/// Above this many octets a string is written as a literal (RFC 2683 §3.2.1.5 asks for short lines).
const QUOTED_MAX: usize = 1000;

/// How a string is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Bare.
    Atom,
    /// The raw octets between quotes.
    QuotedRaw,
    /// Between quotes, with a `\` before each `"` and `\`.
    QuotedEscape,
    /// `{n}`, CRLF, the octets.
    Literal,
}

/// The inside of a quoted string, escaped.
pub(crate) fn escape(octets: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(octets.len().saturating_add(8));
    for octet in octets {
        if matches!(octet, b'"' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(*octet);
    }
    escaped
}

impl PartialEq for AString<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.escaped, other.escaped) {
            (false, false) => self.raw == other.raw,
            _ => self.octets().eq(other.octets()),
        }
    }
}

impl Eq for AString<'_> {}

impl PartialEq<[u8]> for AString<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        *self == AString::plain(other)
    }
}

impl PartialEq<&[u8]> for AString<'_> {
    fn eq(&self, other: &&[u8]) -> bool {
        *self == AString::plain(other)
    }
}

impl<'a> TryFrom<&'a [u8]> for AString<'a> {
    type Error = Invalid;
    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::new(octets)
    }
}

impl<'a> TryFrom<&'a str> for AString<'a> {
    type Error = Invalid;
    fn try_from(text: &'a str) -> Result<Self, Invalid> {
        Self::new(text.as_bytes())
    }
}

impl fmt::Debug for AString<'_> {
    /// Shows the octets escaped, so that none of them reaches a terminal as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_when_the_octets_are_asked_for() {
        let name = AString::quoted(br#"a\"b\\\\c"#, true);
        assert_eq!(name.bytes(), Cow::<[u8]>::Owned(br#"a"b\\c"#.to_vec()));
        assert_eq!(name, AString::new(br#"a"b\\c"#).unwrap());
        assert_eq!(name, &br#"a"b\\c"#[..]);
        assert!(name.eq_ignore_ascii_case(br#"A"B\\C"#));
        assert_ne!(name, AString::plain(br#"a\"b\\\\c"#));
    }

    #[test]
    fn the_shortest_form_that_holds_the_octets() {
        let form = |octets| AString::new(octets).unwrap().form(false);
        assert_eq!(form(b"INBOX"), Form::Atom);
        assert_eq!(form(b"a]b"), Form::Atom);
        assert_eq!(form(b""), Form::QuotedRaw);
        assert_eq!(form(b"nil"), Form::QuotedRaw);
        assert_eq!(form(b"a{5}"), Form::QuotedRaw);
        assert_eq!(form(b"a*"), Form::QuotedRaw);
        assert_eq!(form(b"a\"b"), Form::QuotedEscape);
        assert_eq!(form(b"a\r\nb"), Form::Literal);
        assert_eq!(form("é".as_bytes()), Form::Literal);
        assert_eq!(form(&[b'x'; 257]), Form::QuotedRaw);
        assert_eq!(form(&[b'x'; 1001]), Form::Literal);
        assert_eq!(AString::new("é".as_bytes()).unwrap().form(true), Form::QuotedRaw);
        assert_eq!(AString::new(b"\xff").unwrap().form(true), Form::Literal);
    }

    #[test]
    fn a_nul_has_no_form() {
        assert_eq!(AString::new(b"a\0b").unwrap_err(), Invalid::Octet { at: 1 });
    }

    #[test]
    fn debug_shows_no_octet_that_a_terminal_would_act_on() {
        assert_eq!(format!("{:?}", AString::plain(b"a\r\n\x1b[2J")), "\"a\\r\\n\\x1b[2J\"");
    }
}
