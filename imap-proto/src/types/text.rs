//! Strings as a server sends them, and the text of its status responses.

use super::invalid::Invalid;
use crate::parse::leaf::form;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use mail_wire::{Span, View};
use memchr::memchr3;

/// How a string stood on the wire. It never changes what the string means (RFC 9051 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// An atom, where a string may be one or a repair took it for one.
    Atom,
    /// A quoted string.
    Quoted,
    /// A literal.
    Literal,
    /// A literal that may hold NUL (RFC 9051 §4.3.1).
    Literal8,
}

/// A string of a response.
#[derive(Clone, Copy)]
pub struct Text<'i> {
    raw: &'i [u8],
    tag: u8,
}

impl<'i> Text<'i> {
    /// The empty string.
    pub(crate) const EMPTY: Text<'static> = Text { raw: b"", tag: form::QUOTED };

    /// The string of a span, or `None` for NIL.
    pub(crate) fn of(octets: &'i [u8], span: Span) -> Option<Self> {
        let tag = span.tag();
        (tag != form::NIL && tag < form::NUMBER).then(|| Self { raw: span.of(octets), tag })
    }

    /// The string at an index of a view, or `None` for NIL.
    pub(crate) fn at(view: View<'i>, index: usize) -> Option<Self> {
        view.span(index).and_then(|span| Self::of(view.octets(), span))
    }

    /// The octets. They are copied only where a quoted string holds an escape.
    #[must_use]
    pub fn bytes(self) -> Cow<'i, [u8]> {
        if self.tag == form::ESCAPED { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    /// The octets as text, where they are UTF-8.
    #[must_use]
    pub fn text(self) -> Option<Cow<'i, str>> {
        match self.bytes() {
            Cow::Borrowed(octets) => core::str::from_utf8(octets).ok().map(Cow::Borrowed),
            Cow::Owned(octets) => alloc::string::String::from_utf8(octets).ok().map(Cow::Owned),
        }
    }

    /// As it stood on the wire, without quotes or the head of the literal; escapes are still in it.
    #[must_use]
    pub const fn raw(self) -> &'i [u8] {
        self.raw
    }

    /// Whether [`Text::raw`] holds escapes.
    #[must_use]
    pub const fn is_escaped(self) -> bool {
        self.tag == form::ESCAPED
    }

    /// How it stood on the wire.
    #[must_use]
    pub const fn form(self) -> Form {
        match self.tag {
            form::ATOM => Form::Atom,
            form::LITERAL => Form::Literal,
            form::LITERAL8 => Form::Literal8,
            _ => Form::Quoted,
        }
    }
}

/// A backslash goes where it stands before `"` or `\`; before anything else it is an octet like others.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(raw.len());
    let mut rest = raw.iter();
    while let Some(octet) = rest.next() {
        match rest.as_slice().first() {
            Some(next @ (b'"' | b'\\')) if *octet == b'\\' => {
                octets.push(*next);
                rest.next();
            }
            _ => octets.push(*octet),
        }
    }
    octets
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Text<'_> {}

impl PartialEq<[u8]> for Text<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        self.bytes() == other
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.raw.escape_ascii())
    }
}

/// The text of a status response, for humans (RFC 9051 §7.1).
///
/// What a server sent may hold control octets: `Debug` and `Display` escape them, so that a log cannot be written to by it.
///
/// ```
/// use mail_imap_proto::types::ResponseText;
/// assert!(ResponseText::new(b"LOGIN completed").is_ok());
/// assert!(ResponseText::new(b"done\r\n* BYE").is_err());
/// assert!(ResponseText::new(b"[ALERT] or so").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResponseText<'a>(&'a [u8]);

impl<'a> ResponseText<'a> {
    /// Text to be sent: UTF-8, not empty, without CR, LF and NUL, and without a `[` at its start, which would be read as a response
    /// code.
    ///
    /// # Errors
    /// [`Invalid`], with the first octet that has no place.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        if octets.is_empty() {
            return Err(Invalid::Empty);
        }
        if octets.first() == Some(&b'[') {
            return Err(Invalid::Octet { at: 0 });
        }
        if let Some(at) = memchr3(b'\r', b'\n', 0, octets) {
            return Err(Invalid::Octet { at });
        }
        match core::str::from_utf8(octets) {
            Ok(_) => Ok(Self(octets)),
            Err(error) => Err(Invalid::Octet { at: error.valid_up_to() }),
        }
    }

    /// Text as it came: the framer has seen to it that it holds no line end.
    pub(crate) const fn wire(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The octets.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether it can be written as it stands: no CR, LF or NUL.
    #[must_use]
    pub fn is_writable(self) -> bool {
        memchr3(b'\r', b'\n', 0, self.0).is_none()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> TryFrom<&'a [u8]> for ResponseText<'a> {
    type Error = Invalid;
    fn try_from(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::new(octets)
    }
}

impl fmt::Debug for ResponseText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for ResponseText<'_> {
    /// UTF-8 as it is; every other octet, and every control, escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter.is_control() {
                    write!(f, "{}", letter.escape_default())?
                } else {
                    write!(f, "{letter}")?
                }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_octets_can_be_escaped() {
        assert_eq!(unescape(br#"a\"b\\c\d\"#), br#"a"b\c\d\"#);
        assert_eq!(unescape(br#"\\\""#), br#"\""#);
    }

    #[test]
    fn controls_never_reach_a_terminal() {
        let text = ResponseText::wire(b"a\x1b]0;pwn\x07b\xff \xc3\xa9");
        assert_eq!(text.to_string(), "a\\u{1b}]0;pwn\\u{7}b\\xff \u{e9}");
        assert_eq!(text.bytes(), b"a\x1b]0;pwn\x07b\xff \xc3\xa9");
    }

    #[test]
    fn text_that_could_be_read_otherwise_is_refused() {
        for bad in [&b""[..], b"[x] y", b"a\rb", b"a\nb", b"a\0b", b"\xff"] {
            assert!(ResponseText::new(bad).is_err(), "{bad:?}");
        }
        assert!(ResponseText::new("caf\u{e9} {5}".as_bytes()).is_ok());
    }
}
