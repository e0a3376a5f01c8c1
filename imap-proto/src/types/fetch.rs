//! What FETCH asks for (RFC 9051 §6.4.5).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::atom::Atom;
use super::chars::is_label;
use super::section::{Part, Partial, Section, SectionText, part};
use crate::error::Rule;
use crate::parse::cursor::{Bounds, Cursor};
use crate::parse::leaf::Parse;
use core::fmt;

/// One attribute that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchAtt<'a> {
    /// `ENVELOPE`.
    Envelope,
    /// `FLAGS`.
    Flags,
    /// `INTERNALDATE`.
    InternalDate,
    /// `RFC822.SIZE`.
    Size,
    /// `UID`.
    Uid,
    /// `BODY` without brackets: the structure without its extensions.
    Body,
    /// `BODYSTRUCTURE`.
    BodyStructure,
    /// `RFC822`: the whole message, which is then read (RFC 3501 §6.4.5).
    Rfc822,
    /// `RFC822.HEADER`: the header.
    Rfc822Header,
    /// `RFC822.TEXT`: the body, which is then read.
    Rfc822Text,
    /// `BODY[...]`, or `BODY.PEEK[...]`, which leaves `\Seen` alone.
    Section {
        /// Whether `\Seen` is left alone.
        peek: bool,
        /// What of the message.
        section: Section<'a>,
        /// The window of it.
        partial: Option<Partial>,
    },
    /// `BINARY[...]`: a part with its transfer encoding undone.
    Binary {
        /// Whether `\Seen` is left alone.
        peek: bool,
        /// The part.
        part: Part<'a>,
        /// The window of it.
        partial: Option<Partial>,
    },
    /// `BINARY.SIZE[...]`.
    BinarySize(Part<'a>),
    /// `MODSEQ` (RFC 7162 §3.1.4.2).
    ModSeq,
    /// `PREVIEW`: some words of the message (RFC 8970 §3).
    Preview {
        /// `LAZY`: only if they are at hand.
        lazy: bool,
    },
    /// An attribute that this crate has no type for.
    Other(Atom<'a>),
}

impl<'a> FetchAtt<'a> {
    /// `BODY.PEEK[]`: the whole message, left unread.
    pub const MESSAGE: FetchAtt<'static> =
        FetchAtt::Section { peek: true, section: Section::WHOLE, partial: None };

    /// One attribute: its name in capitals, and brackets where the name wants them.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let before = *cursor;
        let name = cursor.run(is_label);
        let bracket = cursor.peek() == Some(b'[');
        // Longer than any known name, and short enough to be compared as an array: no name is tried in turn.
        let mut upper = [0_u8; 16];
        let Some(place) = upper.get_mut(..name.len()) else { return Self::other(name, bracket, before) };
        place.copy_from_slice(name);
        place.make_ascii_uppercase();
        let place: &[u8] = place;
        Ok(match (place.len(), bracket, place) {
            (3, false, b"UID") => Self::Uid,
            (4, true, b"BODY") => section(cursor, false)?,
            (4, false, b"BODY") => Self::Body,
            (5, false, b"FLAGS") => Self::Flags,
            (6, true, b"BINARY") => binary(cursor, false)?,
            (6, false, b"RFC822") => Self::Rfc822,
            (6, false, b"MODSEQ") => Self::ModSeq,
            (7, false, b"PREVIEW") => Self::Preview { lazy: eat_lazy(cursor) },
            (8, false, b"ENVELOPE") => Self::Envelope,
            (9, true, b"BODY.PEEK") => section(cursor, true)?,
            (11, false, b"RFC822.SIZE") => Self::Size,
            (11, false, b"RFC822.TEXT") => Self::Rfc822Text,
            (11, true, b"BINARY.PEEK") => binary(cursor, true)?,
            (11, true, b"BINARY.SIZE") => Self::BinarySize(bracketed(cursor)?),
            (12, false, b"INTERNALDATE") => Self::InternalDate,
            (13, false, b"BODYSTRUCTURE") => Self::BodyStructure,
            (13, false, b"RFC822.HEADER") => Self::Rfc822Header,
            // These names need their brackets.
            (6, false, b"BINARY") | (9, false, b"BODY.PEEK") => return before.fail(Rule::Fetch),
            (11, false, b"BINARY.PEEK" | b"BINARY.SIZE") => return before.fail(Rule::Fetch),
            _ => return Self::other(name, bracket, before),
        })
    }

    /// An attribute of an extension: a name without brackets. A macro stands alone and for its attributes: in a list it is none
    /// (RFC 9051 §6.4.5).
    fn other(name: &'a [u8], bracket: bool, before: Cursor<'a>) -> Parse<Self> {
        let is_macro = ["ALL", "FAST", "FULL"].iter().any(|one| name.eq_ignore_ascii_case(one.as_bytes()));
        if bracket || name.is_empty() || is_macro {
            return before.fail(Rule::Fetch);
        }
        Ok(Self::Other(Atom::checked(name)))
    }

    /// The name on the wire, without brackets.
    #[must_use]
    pub const fn name(self) -> &'a str {
        match self {
            Self::Envelope => "ENVELOPE",
            Self::Flags => "FLAGS",
            Self::InternalDate => "INTERNALDATE",
            Self::Size => "RFC822.SIZE",
            Self::Uid => "UID",
            Self::Body | Self::Section { .. } => "BODY",
            Self::BodyStructure => "BODYSTRUCTURE",
            Self::Rfc822 => "RFC822",
            Self::Rfc822Header => "RFC822.HEADER",
            Self::Rfc822Text => "RFC822.TEXT",
            Self::Binary { .. } => "BINARY",
            Self::BinarySize(_) => "BINARY.SIZE",
            Self::ModSeq => "MODSEQ",
            Self::Preview { .. } => "PREVIEW",
            Self::Other(name) => name.as_str(),
        }
    }

    /// Whether answering it sets `\Seen`.
    #[must_use]
    pub const fn marks_seen(self) -> bool {
        matches!(
            self,
            Self::Rfc822
                | Self::Rfc822Text
                | Self::Section { peek: false, .. }
                | Self::Binary { peek: false, .. }
        )
    }

    /// The section that the attribute stands for, with its window: that of the RFC822 names too.
    #[must_use]
    pub fn section(self) -> Option<(Section<'a>, Option<Partial>)> {
        let of = |text| Section::new(Part::WHOLE, text).ok().map(|section| (section, None));
        match self {
            Self::Section { section, partial, .. } => Some((section, partial)),
            Self::Rfc822 => of(SectionText::Full),
            Self::Rfc822Header => of(SectionText::Header),
            Self::Rfc822Text => of(SectionText::Text),
            _ => None,
        }
    }
}

/// `BODY[...]`, with its window.
fn section<'a>(cursor: &mut Cursor<'a>, peek: bool) -> Parse<FetchAtt<'a>> {
    let section = Section::read(cursor)?;
    Ok(FetchAtt::Section { peek, section, partial: Partial::read(cursor)? })
}

/// `BINARY[...]`, with its window (RFC 3516 §4.2).
fn binary<'a>(cursor: &mut Cursor<'a>, peek: bool) -> Parse<FetchAtt<'a>> {
    let part = bracketed(cursor)?;
    Ok(FetchAtt::Binary { peek, part, partial: Partial::read(cursor)? })
}

/// ` (LAZY)`, the only modifier there is. In a command with one attribute what stands behind it may be the modifiers of FETCH: those of
/// another name are left for them (RFC 8970 §6, RFC 4466 §2.4).
fn eat_lazy(cursor: &mut Cursor<'_>) -> bool {
    cursor.eat_word(b" (LAZY)")
}

/// A part number in brackets.
/// BINARY takes a part and never HEADER or TEXT: what is decoded is a part's body (RFC 3516 §4.2, `section-binary`).
fn bracketed<'a>(cursor: &mut Cursor<'a>) -> Parse<Part<'a>> {
    cursor.expect(b'[', Rule::Section)?;
    let part = part(cursor)?;
    cursor.expect(b']', Rule::Section)?;
    Ok(part)
}

/// A list of attributes, or one of the macros.
#[derive(Clone, Copy)]
pub struct FetchAtts<'a>(Atts<'a>);

#[derive(Clone, Copy)]
enum Atts<'a> {
    /// Checked, without parentheses.
    Wire {
        octets: &'a [u8],
        bare: bool,
    },
    Slice(&'a [FetchAtt<'a>]),
    Macro(&'static str, &'static [FetchAtt<'static>]),
}

impl<'a> FetchAtts<'a> {
    /// `FAST`: flags, date, size.
    pub const FAST: FetchAtts<'static> =
        FetchAtts(Atts::Macro("FAST", &[FetchAtt::Flags, FetchAtt::InternalDate, FetchAtt::Size]));
    /// `ALL`: those of FAST, and the envelope.
    pub const ALL: FetchAtts<'static> = FetchAtts(Atts::Macro(
        "ALL",
        &[FetchAtt::Flags, FetchAtt::InternalDate, FetchAtt::Size, FetchAtt::Envelope],
    ));
    /// `FULL`: those of ALL, and the structure.
    pub const FULL: FetchAtts<'static> = FetchAtts(Atts::Macro(
        "FULL",
        &[FetchAtt::Flags, FetchAtt::InternalDate, FetchAtt::Size, FetchAtt::Envelope, FetchAtt::Body],
    ));

    /// The attributes of a slice. Without any it asks for nothing, and a client does not send it.
    #[must_use]
    pub const fn of(atts: &'a [FetchAtt<'a>]) -> Self {
        Self(Atts::Slice(atts))
    }

    /// Checks attributes as they stand on the wire: one, a list in parentheses, or a macro.
    ///
    /// # Errors
    /// [`Invalid::Shape`](super::Invalid::Shape).
    pub fn parse(octets: &'a [u8]) -> Result<Self, super::Invalid> {
        let mut cursor = Cursor::new(octets, Bounds::USUAL);
        let atts = Self::read(&mut cursor).map_err(|_| super::Invalid::Shape)?;
        if cursor.is_end() { Ok(atts) } else { Err(super::Invalid::Shape) }
    }

    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let bare = !cursor.eat(b'(');
        let from = cursor.at();
        if bare {
            // A macro is one only where it stands alone and ends there.
            for (name, atts) in [("ALL", Self::ALL), ("FAST", Self::FAST), ("FULL", Self::FULL)] {
                if cursor.eat_name(name) {
                    return Ok(atts);
                }
            }
        }
        loop {
            FetchAtt::read(cursor)?;
            if bare {
                return Ok(Self(Atts::Wire { octets: cursor.since(from), bare }));
            }
            if cursor.peek() == Some(b')') {
                break;
            }
            cursor.space()?;
        }
        let octets = cursor.since(from);
        cursor.bump(1);
        Ok(Self(Atts::Wire { octets, bare }))
    }

    /// The attributes in order; those that a macro stands for.
    pub fn iter(self) -> impl Iterator<Item = FetchAtt<'a>> + Clone + 'a {
        let (wire, slice) = match self.0 {
            Atts::Wire { octets, .. } => (octets, &[][..]),
            Atts::Slice(atts) => (&b""[..], atts),
            Atts::Macro(_, atts) => (&b""[..], atts),
        };
        let mut cursor = Cursor::again(wire);
        let wire = core::iter::from_fn(move || {
            cursor.eat(b' ');
            if cursor.is_end() { None } else { FetchAtt::read(&mut cursor).ok() }
        });
        wire.chain(slice.iter().copied())
    }

    /// Whether the attribute is asked for.
    #[must_use]
    pub fn contains(self, att: FetchAtt<'_>) -> bool {
        self.iter().any(|one| one == att)
    }

    /// The name of the macro, if it is one.
    #[must_use]
    pub const fn macro_name(self) -> Option<&'static str> {
        if let Atts::Macro(name, _) = self.0 { Some(name) } else { None }
    }

    /// Whether it is written without parentheses.
    pub(crate) const fn is_bare(self) -> bool {
        match self.0 {
            Atts::Wire { bare, .. } => bare,
            Atts::Slice(atts) => atts.len() == 1,
            Atts::Macro(..) => true,
        }
    }
}

impl PartialEq for FetchAtts<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for FetchAtts<'_> {}

impl fmt::Debug for FetchAtts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::num::NonZeroU64;

    #[test]
    fn attributes_are_read_in_order() {
        let atts = FetchAtts::parse(
            b"(uid Flags BODY.PEEK[1.TEXT]<2.3> BODY BINARY[1.2] BINARY.SIZE[1] X-GM-MSGID)",
        )
        .unwrap();
        let section = Section::parse(b"1.TEXT").unwrap();
        let partial = Some(Partial { offset: 2, count: NonZeroU64::new(3).unwrap() });
        let by_hand = [
            FetchAtt::Uid,
            FetchAtt::Flags,
            FetchAtt::Section { peek: true, section, partial },
            FetchAtt::Body,
            FetchAtt::Binary { peek: false, part: Part::new(b"1.2").unwrap(), partial: None },
            FetchAtt::BinarySize(Part::new(b"1").unwrap()),
            FetchAtt::Other(Atom::new(b"X-GM-MSGID").unwrap()),
        ];
        assert_eq!(atts, FetchAtts::of(&by_hand));
    }

    /// RFC 8970 §6; what is not LAZY belongs to the command.
    #[test]
    fn a_preview_may_be_lazy() {
        let read = |atts| FetchAtts::parse(atts).unwrap();
        let by_hand = [FetchAtt::Uid, FetchAtt::Preview { lazy: true }, FetchAtt::Preview { lazy: false }];
        assert_eq!(read(b"(UID PREVIEW (lazy) PREVIEW)"), FetchAtts::of(&by_hand));
        assert_eq!(read(b"PREVIEW (LAZY)"), FetchAtts::of(&by_hand[1..2]));
        for bad in [&b"PREVIEW (EAGER)"[..], b"(PREVIEW (LAZY LAZY))", b"(PREVIEW(LAZY))", b"PREVIEW[1]"] {
            assert!(FetchAtts::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn a_macro_stands_alone_and_for_its_attributes() {
        let fast = FetchAtts::parse(b"fast").unwrap();
        assert_eq!(fast.macro_name(), Some("FAST"));
        assert_eq!(fast.iter().count(), 3);
        assert_eq!(FetchAtts::parse(b"FULL").unwrap().iter().count(), 5);
        assert_eq!(FetchAtts::parse(b"ALL").unwrap().iter().last(), Some(FetchAtt::Envelope));
        assert!(FetchAtts::parse(b"(ALL)").is_err() && FetchAtts::parse(b"(UID fast)").is_err());
    }

    #[test]
    fn what_is_no_attribute_is_refused() {
        for bad in [
            &b""[..],
            b"()",
            b"BODY[",
            b"BODY[]<0.0>",
            b"BODY[]<1>",
            b"BODY[]<.1>",
            b"BODY.PEEK",
            b"BINARY[TEXT]",
            b"FLAGS[]",
            b"(FLAGS  UID)",
            b"(FLAGS",
            b"FLAGS UID",
            b"BODY[MIME]",
            b"BODY[]<0.1",
            b"BINARY.SIZE",
        ] {
            assert!(FetchAtts::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn peeking_alone_leaves_a_message_unread() {
        let seen = |att: &[u8]| FetchAtts::parse(att).unwrap().iter().any(FetchAtt::marks_seen);
        assert!(seen(b"BODY[]") && seen(b"RFC822") && seen(b"RFC822.TEXT") && seen(b"BINARY[]"));
        assert!(
            !seen(b"BODY.PEEK[]") && !seen(b"RFC822.HEADER") && !seen(b"FULL") && !seen(b"BINARY.PEEK[1]")
        );
    }
}
