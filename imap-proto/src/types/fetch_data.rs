//! FETCH responses: what a server says of one message (RFC 9051 §7.5.2).

use super::body_structure::BodyStructure;
use super::date_time::DateTime;
use super::envelope::Envelope;
use super::flag::Flags;
use super::section::Section;
use super::text::Text;
use crate::error::{Malformed, Rule};
use core::fmt;
use mail_wire::{Span, View, Viewed};

/// How an attribute stands on the tape: a span over all of it with its kind, a cell with the number of entries that follow, and these.
pub(crate) mod item {
    pub(crate) const FLAGS: u8 = 0;
    pub(crate) const UID: u8 = 1;
    pub(crate) const DATE: u8 = 2;
    pub(crate) const SIZE: u8 = 3;
    pub(crate) const MODSEQ: u8 = 4;
    pub(crate) const ENVELOPE: u8 = 5;
    pub(crate) const BODY: u8 = 6;
    pub(crate) const BODYSTRUCTURE: u8 = 7;
    /// Name, section, origin (two cells), data.
    pub(crate) const CONTENT: u8 = 8;
    /// Name, value.
    pub(crate) const OTHER: u8 = 9;
    /// Whatever was read, then name, and a cell with the place and the rule.
    pub(crate) const MALFORMED: u8 = 10;

    /// Entries before the payload.
    pub(crate) const HEAD: usize = 2;
    /// Entries of a content item.
    pub(crate) const CONTENT_LEN: usize = 5;
}

/// A number of 64 bits in two cells.
pub(crate) fn wide(view: View<'_>, index: usize) -> u64 {
    let half = |index| view.span(index).map_or(0, |cell| cell.start() as u64);
    half(index) | half(index.saturating_add(1)) << 32
}

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A message by its number: FETCH.
    Seq(u32),
    /// A message by its UID: UIDFETCH (RFC 9586 §3.3).
    Uid(u32),
}

/// A FETCH response, or a piece of one that holds large literals: pieces and [`Chunk`](crate::client::Event::Chunk)s alternate, and the last
/// piece ends it.
///
/// A FETCH can come at any time, for any message, with attributes that nobody asked for (RFC 9051 §7.5.2): bind it to the message, never
/// to the command in flight.
#[derive(Clone, Copy)]
pub struct FetchPart<'i> {
    view: View<'i>,
    head: FetchHead,
}

/// What a [`FetchPart`] is besides octets and spans.
#[derive(Clone, Copy, Debug)]
pub struct FetchHead {
    pub(crate) target: Target,
    pub(crate) first: bool,
    /// The streamed literal that follows: the span of its attribute's name, its size, and whether it may hold NUL.
    pub(crate) literal: Option<(Span, u64, bool)>,
}

impl<'i> FetchPart<'i> {
    pub(crate) const fn new(view: View<'i>, head: FetchHead) -> Self {
        Self { view, head }
    }

    /// The message.
    #[must_use]
    pub const fn target(&self) -> Target {
        self.head.target
    }

    /// The number of the message; `None` in a UIDFETCH.
    #[must_use]
    pub const fn seq(&self) -> Option<u32> {
        match self.head.target {
            Target::Seq(seq) => Some(seq),
            Target::Uid(_) => None,
        }
    }

    /// The UID: of a UIDFETCH, or the UID attribute where this piece holds one.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        match self.head.target {
            Target::Uid(uid) => Some(uid),
            Target::Seq(_) => self.items().find_map(|item| match item {
                FetchItem::Uid(uid) => Some(uid),
                _ => None,
            }),
        }
    }

    /// The attributes of this piece.
    #[must_use]
    pub const fn items(&self) -> FetchItems<'i> {
        FetchItems { view: self.view, at: 0 }
    }

    /// The literal whose octets follow as chunks.
    #[must_use]
    pub fn literal(&self) -> Option<LiteralHead<'i>> {
        let (name, octets, binary) = self.head.literal?;
        Some(LiteralHead { name: self.view.get(name), octets, binary })
    }

    /// Whether it is the first piece of its response.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.head.first
    }

    /// Whether it is the last: no literal follows.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.head.literal.is_none()
    }
}

impl fmt::Debug for FetchPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.head.target)?;
        f.debug_list().entries(self.items()).finish()?;
        self.literal().map_or(Ok(()), |literal| write!(f, " {literal:?}"))
    }
}

impl Viewed for FetchPart<'static> {
    type Of<'i> = FetchPart<'i>;
    type Head = FetchHead;

    fn split<'i>(value: Self::Of<'i>) -> (View<'i>, FetchHead) {
        (value.view, value.head)
    }

    fn join<'i>(view: View<'i>, head: FetchHead) -> Self::Of<'i> {
        FetchPart { view, head }
    }
}

/// The announcement of a literal that is streamed. It names the attribute, so that a literal of another one cannot be taken for the body.
#[derive(Clone, Copy)]
pub struct LiteralHead<'i> {
    name: &'i [u8],
    octets: u64,
    binary: bool,
}

impl<'i> LiteralHead<'i> {
    /// The attribute as it came, such as `BODY[HEADER]<0>`.
    #[must_use]
    pub const fn name(&self) -> &'i [u8] {
        self.name
    }

    /// The announced length in octets. It is not yet true: allocate nothing by it.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether it may hold NUL.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        self.binary
    }

    /// The section of `BODY[..]` and `BINARY[..]`; `None` for RFC822 and its kin, and where it cannot be read.
    #[must_use]
    pub fn section(&self) -> Option<Section<'i>> {
        let open = memchr::memchr(b'[', self.name)?;
        let close = memchr::memrchr(b']', self.name)?;
        Section::parse(self.name.get(open.checked_add(1)?..close)?).ok()
    }

    /// Where a partial answer begins, in octets of the section. `None`: with its first octet, and that it is part of it is not said.
    ///
    /// A length behind the origin, which has no place in an answer, is passed over: a part is not to be taken for the whole.
    #[must_use]
    pub fn origin(&self) -> Option<u64> {
        let close = memchr::memrchr(b']', self.name)?;
        let origin = self.name.get(close.checked_add(1)?..)?.strip_prefix(b"<")?.strip_suffix(b">")?;
        let digits = origin.split(|octet| *octet == b'.').next()?;
        core::str::from_utf8(digits).ok()?.parse().ok()
    }
}

impl fmt::Debug for LiteralHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {{{}}}", self.name.escape_ascii(), self.octets)
    }
}

/// The attributes of a piece of a FETCH, in the order of the server.
#[derive(Clone, Copy)]
pub struct FetchItems<'i> {
    view: View<'i>,
    at: usize,
}

impl<'i> FetchItems<'i> {
    /// Those that are malformed; the good ones stand beside them.
    pub fn malformed(self) -> impl Iterator<Item = MalformedItem<'i>> + 'i {
        self.filter_map(|item| match item {
            FetchItem::Malformed(item) => Some(item),
            _ => None,
        })
    }
}

impl<'i> Iterator for FetchItems<'i> {
    type Item = FetchItem<'i>;

    fn next(&mut self) -> Option<FetchItem<'i>> {
        let whole = self.view.span(self.at)?;
        let words = self.view.span(self.at.saturating_add(1))?.start();
        let start = self.at.saturating_add(item::HEAD);
        self.at = start.saturating_add(words);
        Some(FetchItem::read(whole, self.view.window(start, self.at)))
    }
}

impl fmt::Debug for FetchItems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum FetchItem<'i> {
    /// `FLAGS`.
    Flags(Flags<'i>),
    /// `UID`.
    Uid(u32),
    /// `INTERNALDATE`: when the message arrived.
    InternalDate(DateTime),
    /// `RFC822.SIZE` in octets. It may be wrong: allocate nothing by it.
    Size(u64),
    /// `MODSEQ` (RFC 7162 §3.1.4).
    ModSeq(u64),
    /// `ENVELOPE`.
    Envelope(Envelope<'i>),
    /// `BODY`: the structure without extension data.
    Body(BodyStructure<'i>),
    /// `BODYSTRUCTURE`.
    BodyStructure(BodyStructure<'i>),
    /// Octets of the message that came inside the unit: `BODY[..]`, `BINARY[..]`, `RFC822` and its kin.
    Content(Content<'i>),
    /// An attribute that is not known, as it came.
    Other {
        /// Its name.
        name: &'i [u8],
        /// Its value: an atom, a string or a list.
        value: &'i [u8],
    },
    /// An attribute that cannot be read.
    Malformed(MalformedItem<'i>),
}

impl<'i> FetchItem<'i> {
    fn read(whole: Span, view: View<'i>) -> Self {
        let get = |index| view.get(view.span(index).unwrap_or_default());
        match whole.tag() {
            item::FLAGS => Self::Flags(Flags::wire(get(0))),
            item::UID => Self::Uid(wide(view, 0) as u32),
            item::DATE => Self::InternalDate(DateTime::unpacked(wide(view, 0))),
            item::SIZE => Self::Size(wide(view, 0)),
            item::MODSEQ => Self::ModSeq(wide(view, 0)),
            item::ENVELOPE => Self::Envelope(Envelope::new(view, 0)),
            item::BODY => Self::Body(BodyStructure::new(view)),
            item::BODYSTRUCTURE => Self::BodyStructure(BodyStructure::new(view)),
            item::CONTENT => Self::Content(Content(view)),
            item::MALFORMED => Self::Malformed(MalformedItem { view, whole }),
            _ => Self::Other { name: get(0), value: get(1) },
        }
    }
}

/// Octets of a message, inside the unit.
#[derive(Clone, Copy)]
pub struct Content<'i>(View<'i>);

impl<'i> Content<'i> {
    /// The attribute without section: `BODY`, `BINARY`, `RFC822`, `RFC822.HEADER` or `RFC822.TEXT`, as it came.
    #[must_use]
    pub fn name(self) -> &'i [u8] {
        self.0.get(self.0.span(0).unwrap_or_default())
    }

    /// The section; `None` for RFC822 and its kin.
    #[must_use]
    pub fn section(self) -> Option<Section<'i>> {
        let span = self.0.span(1).filter(|span| span.tag() != 0)?;
        Section::parse(self.0.get(span)).ok()
    }

    /// Where a partial answer begins, in octets of the section. A server repeats the origin and not the length that was asked for.
    #[must_use]
    pub fn origin(self) -> Option<u64> {
        self.0.span(2).filter(|cell| cell.len() > 0).map(|_| wide(self.0, 2))
    }

    /// The octets; `None` is NIL: there is no such section.
    #[must_use]
    pub fn data(self) -> Option<Text<'i>> {
        Text::at(self.0, 4)
    }
}

impl fmt::Debug for Content<'_> {
    /// Shows the number of octets alone: they are a message's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name().escape_ascii())?;
        self.section().map_or(Ok(()), |section| write!(f, "[{section:?}]"))?;
        self.origin().map_or(Ok(()), |origin| write!(f, "<{origin}>"))?;
        match self.data() {
            Some(data) => write!(f, " {} octets", data.raw().len()),
            None => f.write_str(" NIL"),
        }
    }
}

/// An attribute that cannot be read, beside good ones.
#[derive(Clone, Copy)]
pub struct MalformedItem<'i> {
    view: View<'i>,
    whole: Span,
}

impl<'i> MalformedItem<'i> {
    /// The name, with its section; empty where there is none.
    #[must_use]
    pub fn name(self) -> &'i [u8] {
        self.view.get(self.trailing(2))
    }

    /// The attribute as it came, where it broke and which rule.
    #[must_use]
    pub fn malformed(self) -> Malformed<'i> {
        let cell = self.trailing(1);
        let at = cell.start().saturating_sub(self.whole.start());
        Malformed { raw: self.view.get(self.whole), at, rule: Rule::from_index(cell.len()) }
    }

    /// What was read of an ENVELOPE before the fault; fields behind it are absent.
    #[must_use]
    pub fn envelope(self) -> Option<Envelope<'i>> {
        let kept = self.view.tape().len() > 2 && self.name().eq_ignore_ascii_case(b"ENVELOPE");
        kept.then(|| Envelope::new(self.view, 0))
    }

    fn trailing(self, n: usize) -> Span {
        self.view.tape().len().checked_sub(n).and_then(|index| self.view.span(index)).unwrap_or_default()
    }
}

impl fmt::Debug for MalformedItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name().escape_ascii(), self.malformed())
    }
}
