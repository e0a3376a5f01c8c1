//! Balanced octets that are kept as they came: what an extension adds and this crate has no type for.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::astring::AString;
use super::atom::Atom;
use super::chars::{is_label, is_list};
use crate::error::Rule;
use crate::parse::cursor::{Bounds, Cursor};
use crate::parse::leaf::Parse;
use core::fmt;

/// Checked octets: words, strings and balanced parentheses with single spaces between them. A string follows a space or `(`, as every string of
/// the standard does: a literal that stood elsewhere would not be taken for one, and its octets would be read as a command.
///
/// It is written again token by token, so that a literal in it is announced as the connection asks for.
#[derive(Clone, Copy)]
pub struct Raw<'a>(&'a [u8]);

/// A token of [`Raw`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawToken<'a> {
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// One space.
    Space,
    /// A bare word: an atom, a flag, a number, a set, or a word with brackets.
    Word(&'a str),
    /// A quoted string or a literal.
    String(AString<'a>),
}

impl<'a> Raw<'a> {
    /// Nothing.
    pub const EMPTY: Raw<'static> = Raw(b"");

    /// Checks octets.
    ///
    /// # Errors
    /// [`Invalid::Shape`](super::Invalid::Shape) where parentheses do not balance or nest deeper than 32, a string does not end, or an
    /// octet stands that no command holds.
    pub fn new(octets: &'a [u8]) -> Result<Self, super::Invalid> {
        let mut cursor = Cursor::new(octets, Bounds::USUAL);
        let raw = Self::rest_of(&mut cursor).map_err(|_| super::Invalid::Shape)?;
        if cursor.is_end() { Ok(raw) } else { Err(super::Invalid::Shape) }
    }

    /// Octets that were checked.
    pub(crate) const fn checked(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// All that is left of a command.
    pub(crate) fn rest_of(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let from = cursor.at();
        let mut depth = 0_usize;
        while !cursor.is_end() {
            step(cursor, &mut depth)?;
        }
        if depth > 0 { cursor.fail(Rule::List) } else { Ok(Self(cursor.since(from))) }
    }

    /// One value: a word, a string, or a list in parentheses.
    /// One value is enough for an option: a second is the name of the next (RFC 4466 §3, `tagged-ext-val`).
    pub(crate) fn value(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let from = cursor.at();
        let mut depth = 0_usize;
        if matches!(cursor.peek(), None | Some(b' ' | b')')) {
            return cursor.fail(Rule::List);
        }
        loop {
            step(cursor, &mut depth)?;
            if depth == 0 {
                return Ok(Self(cursor.since(from)));
            }
        }
    }

    /// The tokens in order.
    pub fn tokens(self) -> impl Iterator<Item = RawToken<'a>> + Clone + 'a {
        let mut cursor = Cursor::again(self.0);
        core::iter::from_fn(move || if cursor.is_end() { None } else { token(&mut cursor).ok() })
    }

    /// The octets as they came, literals with their announcements.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// One token, with the balance of parentheses.
fn step<'a>(cursor: &mut Cursor<'a>, depth: &mut usize) -> Parse<RawToken<'a>> {
    let before = *cursor;
    let token = token(cursor)?;
    let behind = before.at().checked_sub(1).and_then(|at| cursor.octets().get(at));
    match token {
        RawToken::String(_) if !matches!(behind, None | Some(b' ' | b'(')) => return before.fail(Rule::List),
        RawToken::Open if *depth >= cursor.bounds().list_depth => return before.fail(Rule::Depth),
        RawToken::Open => *depth = depth.saturating_add(1),
        RawToken::Close => match depth.checked_sub(1) {
            Some(less) => *depth = less,
            None => return before.fail(Rule::List),
        },
        _ => {}
    }
    Ok(token)
}

/// One token. A word is an atom, a flag, a number, a set, or a name with wildcards.
fn token<'a>(cursor: &mut Cursor<'a>) -> Parse<RawToken<'a>> {
    match cursor.peek() {
        Some(b'(') => {
            cursor.bump(1);
            Ok(RawToken::Open)
        }
        Some(b')') => {
            cursor.bump(1);
            Ok(RawToken::Close)
        }
        Some(b' ') => {
            cursor.bump(1);
            Ok(RawToken::Space)
        }
        // A string is read for what it says: the literal of one side may be the quoted string of the other.
        Some(b'"' | b'{') => Ok(RawToken::String(cursor.text()?)),
        _ => {
            // The backslash of a flag, and the wildcards of a pattern: an extension may take either.
            let word = cursor.run(|octet| is_list(octet) || octet == b'\\');
            match core::str::from_utf8(word) {
                Ok("") | Err(_) => cursor.fail(Rule::List),
                Ok(word) => Ok(RawToken::Word(word)),
            }
        }
    }
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.tokens().eq(other.tokens())
    }
}

impl Eq for Raw<'_> {}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raw(")?;
        for token in self.tokens() {
            match token {
                RawToken::Open => f.write_str("(")?,
                RawToken::Close => f.write_str(")")?,
                RawToken::Space => f.write_str(" ")?,
                RawToken::Word(word) => f.write_str(word)?,
                RawToken::String(string) => string.fmt(f)?,
            }
        }
        f.write_str(")")
    }
}

/// Options or modifiers in parentheses, each a name that may have a value (RFC 4466 §2): those of SELECT, FETCH, STORE, CREATE,
/// LIST and SEARCH.
#[derive(Clone, Copy, Default)]
pub struct Options<'a>(Option<&'a [u8]>);

impl<'a> Options<'a> {
    /// No parentheses at all.
    pub const NONE: Options<'static> = Options(None);

    /// Checks what stands between the parentheses.
    ///
    /// # Errors
    /// [`Invalid::Shape`](super::Invalid::Shape) where no list of names and values stands.
    pub fn new(inside: &'a [u8]) -> Result<Self, super::Invalid> {
        let mut cursor = Cursor::new(inside, Bounds::USUAL);
        let options = Self::inside(&mut cursor).map_err(|_| super::Invalid::Shape)?;
        if cursor.is_end() { Ok(options) } else { Err(super::Invalid::Shape) }
    }

    /// `(`, options, `)`.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        cursor.expect(b'(', Rule::List)?;
        let options = Self::inside(cursor)?;
        cursor.expect(b')', Rule::List)?;
        Ok(options)
    }

    fn inside(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let from = cursor.at();
        while !matches!(cursor.peek(), None | Some(b')')) {
            if cursor.at() > from {
                cursor.space()?;
            }
            option(cursor)?;
        }
        Ok(Self(Some(cursor.since(from))))
    }

    /// Whether the parentheses are there, perhaps with nothing in them.
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.0.is_some()
    }

    /// The names in order, each with its value.
    pub fn iter(self) -> impl Iterator<Item = (Atom<'a>, Option<Raw<'a>>)> + Clone + 'a {
        let mut cursor = Cursor::again(self.0.unwrap_or(&[]));
        core::iter::from_fn(move || {
            cursor.eat(b' ');
            if cursor.is_end() { None } else { option(&mut cursor).ok() }
        })
    }

    /// The option of that name: `Some(None)` without a value.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Option<Raw<'a>>> {
        self.iter().find(|(one, _)| one.is(name)).map(|(_, value)| value)
    }

    /// Whether the option is there.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// A name, and its value if one stands there.
fn option<'a>(cursor: &mut Cursor<'a>) -> Parse<(Atom<'a>, Option<Raw<'a>>)> {
    // A number would be taken for the value of the option before it when the list is read again.
    if cursor.peek().is_some_and(|octet| octet.is_ascii_digit()) {
        return cursor.fail(Rule::List);
    }
    let name = cursor.run(is_label);
    if name.is_empty() {
        return cursor.fail(Rule::List);
    }
    let name = Atom::checked(name);
    let value = match cursor.rest() {
        // A name never begins with these (RFC 4466 §3, `tagged-ext-label`), save a `-` that no digit follows.
        [b' ', b'(' | b'"' | b'{' | b'*' | b'$' | b'0'..=b'9', ..] | [b' ', b'-', b'0'..=b'9', ..] => {
            cursor.bump(1);
            Some(Raw::value(cursor)?)
        }
        _ => None,
    };
    Ok((name, value))
}

impl PartialEq for Options<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is_present() == other.is_present() && self.iter().eq(other.iter())
    }
}

impl Eq for Options<'_> {}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_values_are_told_apart() {
        let options = Options::new(b"CONDSTORE QRESYNC (67890007 2005 1:5) PARTIAL -1:-100 ALL").unwrap();
        let names: Vec<_> =
            options.iter().map(|(name, value)| (name.as_str(), value.map(Raw::octets))).collect();
        assert_eq!(
            names,
            [
                ("CONDSTORE", None),
                ("QRESYNC", Some(&b"(67890007 2005 1:5)"[..])),
                ("PARTIAL", Some(&b"-1:-100"[..])),
                ("ALL", None)
            ]
        );
        assert!(options.has("qresync") && !options.has("MIN"));
        assert!(Options::new(b"").unwrap().is_present());
        assert!(!Options::NONE.is_present());
    }

    #[test]
    fn what_does_not_balance_is_refused() {
        for bad in [&b"("[..], b")", b"(a))", b"\"open", b"a\r\nb", b"{3}\r\nab", b"\x80", b"\0"] {
            assert!(Raw::new(bad).is_err(), "{bad:?}");
        }
        // A string that a reader would not take for one.
        for bad in [&b"(a){1+}\r\nb"[..], b"a\"b\"", b"~{1+}\r\nb", b"\"a\"{1+}\r\nb", b"a[{1+}\r\nb]"] {
            assert!(Raw::new(bad).is_err(), "{}", bad.escape_ascii());
        }
        assert!(Raw::new(b"({1+}\r\nb) \"c\" X[a (\"b\")]").is_ok());
        for bad in [&b"A  B"[..], b"A (", b"12", b" A", b"A ", b"A (b))"] {
            assert!(Options::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_literal_counts_as_the_string_it_is() {
        assert_eq!(Raw::new(b"(a {1+}\r\nb)").unwrap(), Raw::new(b"(a \"b\")").unwrap());
        assert_ne!(Raw::new(b"(a b)").unwrap(), Raw::new(b"(a \"b\")").unwrap());
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n)).into_bytes();
        assert!(Raw::new(&nested(32)).is_ok());
        assert!(Raw::new(&nested(33)).is_err());
    }
}
