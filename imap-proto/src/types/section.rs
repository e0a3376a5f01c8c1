//! Parts of a message (RFC 9051 §6.4.5, `section`).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::astring::AString;
use super::chars::is_label;
use super::invalid::Invalid;
use crate::error::Rule;
use crate::parse::cursor::{Bounds, Cursor};
use crate::parse::leaf::Parse;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

/// The deepest part number that is taken: as deep as a body structure may be.
const PART_DEPTH: usize = 128;

/// The number of a body part, such as `1.2`; the empty one is the whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Part<'a>(&'a str);

impl<'a> Part<'a> {
    /// The whole message.
    pub const WHOLE: Part<'static> = Part("");

    /// Checks a part number: numbers above 0 with dots between them; nothing for the whole message.
    ///
    /// # Errors
    /// [`Invalid`] where it is none, or has more than 128 numbers.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        let text = core::str::from_utf8(octets).map_err(|_| Invalid::Number)?;
        if text.is_empty() {
            return Ok(Self::WHOLE);
        }
        let mut depth = 0_usize;
        for number in text.split('.') {
            depth = depth.saturating_add(1);
            let digits = number.bytes().all(|octet| octet.is_ascii_digit()) && !number.starts_with('0');
            if !digits || number.parse::<NonZeroU32>().is_err() {
                return Err(Invalid::Number);
            }
        }
        if depth > PART_DEPTH { Err(Invalid::TooMany { limit: PART_DEPTH }) } else { Ok(Self(text)) }
    }

    /// The numbers from the outermost inwards.
    pub fn numbers(self) -> impl Iterator<Item = u32> + Clone + 'a {
        self.0.split('.').filter_map(|number| number.parse().ok())
    }

    /// Whether it is the whole message.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.0.is_empty()
    }

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

/// The names of header fields.
#[derive(Clone, Copy)]
pub struct HeaderNames<'a>(Names<'a>);

#[derive(Clone, Copy)]
enum Names<'a> {
    Wire(&'a [u8]),
    Slice(&'a [AString<'a>]),
}

impl<'a> HeaderNames<'a> {
    /// The names of a slice.
    ///
    /// # Errors
    /// [`Invalid::Empty`] without any, [`Invalid::Octet`] at a control, a space or a colon, which no field name holds (RFC 5322 §2.2).
    pub fn of(names: &'a [AString<'a>]) -> Result<Self, Invalid> {
        for name in names {
            is_field_name(*name)?;
        }
        if names.is_empty() { Err(Invalid::Empty) } else { Ok(Self(Names::Slice(names))) }
    }

    fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        cursor.expect(b'(', Rule::Section)?;
        let from = cursor.at();
        loop {
            let before = *cursor;
            if is_field_name(cursor.astring()?).is_err() {
                return before.fail(Rule::Section);
            }
            if cursor.peek() == Some(b')') {
                break;
            }
            cursor.space()?;
        }
        let names = cursor.since(from);
        cursor.bump(1);
        Ok(Self(Names::Wire(names)))
    }

    /// The names in the order and the case that they were asked for.
    pub fn iter(self) -> impl Iterator<Item = AString<'a>> + Clone + 'a {
        let (wire, slice) = match self.0 {
            Names::Wire(octets) => (octets, &[][..]),
            Names::Slice(names) => (&b""[..], names),
        };
        let mut cursor = Cursor::again(wire);
        let wire = core::iter::from_fn(move || {
            cursor.eat(b' ');
            cursor.astring().ok()
        });
        wire.chain(slice.iter().copied())
    }

    /// Whether the field is named, in any case.
    #[must_use]
    pub fn contains(self, field: &[u8]) -> bool {
        self.iter().any(|name| name.eq_ignore_ascii_case(field))
    }
}

fn is_field_name(name: AString<'_>) -> Result<(), Invalid> {
    match name.octets().position(|octet| octet <= b' ' || octet == b':' || octet >= 0x7f) {
        Some(at) => Err(Invalid::Octet { at }),
        None if name.is_empty() => Err(Invalid::Empty),
        None => Ok(()),
    }
}

impl PartialEq for HeaderNames<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for HeaderNames<'_> {}

impl fmt::Debug for HeaderNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What of a part is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionText<'a> {
    /// All of it.
    Full,
    /// The header, with the empty line behind it.
    Header,
    /// The named fields of the header.
    Fields(HeaderNames<'a>),
    /// The header without the named fields.
    FieldsNot(HeaderNames<'a>),
    /// The body without the header.
    Text,
    /// The MIME header of a part; never of the whole message.
    Mime,
}

/// What stands in the brackets of `BODY[...]`.
///
/// ```
/// use mail_imap_proto::types::{Section, SectionText};
/// let section = Section::parse(b"1.2.HEADER.FIELDS (From To)").unwrap();
/// assert_eq!(section.part().as_str(), "1.2");
/// assert!(matches!(section.text(), SectionText::Fields(names) if names.contains(b"to")));
/// assert!(Section::parse(b"MIME").is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    part: Part<'a>,
    text: SectionText<'a>,
}

impl<'a> Section<'a> {
    /// The whole message: `BODY[]`.
    pub const WHOLE: Section<'static> = Section { part: Part::WHOLE, text: SectionText::Full };

    /// Puts a section together.
    ///
    /// # Errors
    /// [`Invalid::Value`] for MIME without a part number (RFC 9051 §9, `section-text`).
    pub fn new(part: Part<'a>, text: SectionText<'a>) -> Result<Self, Invalid> {
        if part.is_whole() && text == SectionText::Mime {
            return Err(Invalid::Value("MIME needs a part number"));
        }
        Ok(Self { part, text })
    }

    /// Reads what stands between the brackets.
    ///
    /// # Errors
    /// [`Invalid::Shape`] where it is no section.
    pub fn parse(octets: &'a [u8]) -> Result<Self, Invalid> {
        let mut cursor = Cursor::new(octets, Bounds::USUAL);
        let section = Self::inside(&mut cursor).map_err(|_| Invalid::Shape)?;
        if cursor.is_end() { Ok(section) } else { Err(Invalid::Shape) }
    }

    /// `[`, section, `]`.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        cursor.expect(b'[', Rule::Section)?;
        let section = Self::inside(cursor)?;
        cursor.expect(b']', Rule::Section)?;
        Ok(section)
    }

    fn inside(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let before = *cursor;
        let part = part(cursor)?;
        let text = match cursor.peek() {
            None | Some(b']') => SectionText::Full,
            _ if part.is_whole() => text(cursor)?,
            Some(b'.') => {
                cursor.bump(1);
                text(cursor)?
            }
            Some(_) => return cursor.fail(Rule::Section),
        };
        Self::new(part, text).or_else(|_| before.fail(Rule::Section))
    }

    /// The part.
    #[must_use]
    pub const fn part(self) -> Part<'a> {
        self.part
    }

    /// What of the part.
    #[must_use]
    pub const fn text(self) -> SectionText<'a> {
        self.text
    }
}

/// A part number, which ends before the dot that no number follows.
pub(crate) fn part<'a>(cursor: &mut Cursor<'a>) -> Parse<Part<'a>> {
    let digits = cursor.rest();
    let mut n =
        digits.iter().position(|octet| !octet.is_ascii_digit() && *octet != b'.').unwrap_or(digits.len());
    if n > 0 && n < digits.len() && digits.get(n.wrapping_sub(1)) == Some(&b'.') {
        n = n.wrapping_sub(1);
    }
    let Ok(part) = Part::new(digits.get(..n).unwrap_or(&[])) else { return cursor.fail(Rule::Section) };
    cursor.bump(n);
    Ok(part)
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Parse<SectionText<'a>> {
    let word = cursor.run(is_label);
    match word.len() {
        4 if word.eq_ignore_ascii_case(b"TEXT") => Ok(SectionText::Text),
        4 if word.eq_ignore_ascii_case(b"MIME") => Ok(SectionText::Mime),
        6 if word.eq_ignore_ascii_case(b"HEADER") => Ok(SectionText::Header),
        13 if word.eq_ignore_ascii_case(b"HEADER.FIELDS") => {
            cursor.space()?;
            Ok(SectionText::Fields(HeaderNames::read(cursor)?))
        }
        17 if word.eq_ignore_ascii_case(b"HEADER.FIELDS.NOT") => {
            cursor.space()?;
            Ok(SectionText::FieldsNot(HeaderNames::read(cursor)?))
        }
        _ => cursor.fail(Rule::Section),
    }
}

/// `<offset.count>`: a window of a section, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partial {
    /// The first octet, from 0.
    pub offset: u64,
    /// How many octets at the most.
    pub count: NonZeroU64,
}

impl Partial {
    /// Reads `<offset.count>`, if it comes next.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Parse<Option<Self>> {
        if !cursor.eat(b'<') {
            return Ok(None);
        }
        let offset = cursor.number64()?;
        cursor.expect(b'.', Rule::Section)?;
        let Some(count) = NonZeroU64::new(cursor.number64()?) else { return cursor.fail(Rule::Number) };
        cursor.expect(b'>', Rule::Section)?;
        Ok(Some(Self { offset, count }))
    }

    /// The window of a section of `octets` octets: its start and its end, both at most `octets`.
    #[must_use]
    pub fn of(self, octets: u64) -> (u64, u64) {
        let start = self.offset.min(octets);
        (start, start.saturating_add(self.count.get()).min(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read() {
        let read = |octets| Section::parse(octets).unwrap();
        assert_eq!(read(b""), Section::WHOLE);
        assert_eq!(read(b"text").text(), SectionText::Text);
        assert_eq!(read(b"4.2.2.2").part().numbers().collect::<Vec<_>>(), [4, 2, 2, 2]);
        assert_eq!(read(b"4.1.MIME").text(), SectionText::Mime);
        assert_eq!(read(b"3.HEADER").text(), SectionText::Header);
        let names = [AString::plain(b"From"), AString::plain(b"x]y")];
        let by_hand = SectionText::FieldsNot(HeaderNames::of(&names).unwrap());
        assert_eq!(read(b"HEADER.FIELDS.NOT (From \"x]y\")").text(), by_hand);
        assert_eq!(read(b"HEADER.FIELDS.NOT ({4+}\r\nFrom x]y)").text(), by_hand);
    }

    #[test]
    fn what_is_no_section_is_refused() {
        let bad: [&[u8]; 14] = [
            b"MIME",
            b"0",
            b"1.0",
            b"1.",
            b".1",
            b"1..2",
            b"01",
            b"1.1.1.99999999999",
            b"HEADER.FIELDS",
            b"HEADER.FIELDS ()",
            b"HEADER.FIELDS (X\r\nY)",
            b"HEADER.FIELDS (\"a b\")",
            b"FOO",
            b"1 TEXT",
        ];
        for section in bad {
            assert!(Section::parse(section).is_err(), "{section:?}");
        }
        assert!(HeaderNames::of(&[]).is_err());
        assert!(HeaderNames::of(&[AString::plain(b"a:b")]).is_err());
    }

    #[test]
    fn a_window_never_leaves_the_section() {
        let partial = |offset, count| Partial { offset, count: NonZeroU64::new(count).unwrap() };
        assert_eq!(partial(0, 10).of(4), (0, 4));
        assert_eq!(partial(9, 10).of(4), (4, 4));
        assert_eq!(partial(u64::MAX, u64::MAX).of(u64::MAX), (u64::MAX, u64::MAX));
        assert_eq!(partial(2, 1).of(4), (2, 3));
    }
}
