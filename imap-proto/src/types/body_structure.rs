//! BODY and BODYSTRUCTURE: how a message is built of parts (RFC 9051 §7.5.2).

use super::envelope::Envelope;
use super::text::Text;
use crate::parse::leaf::form;
use core::fmt;
use mail_wire::{Span, View, Viewed};

/// Where each field of a node stands on the tape, counted from the first of the node. A number is an index from the start of the
/// value's tape plus one, so that 0 is none.
pub(crate) mod node {
    /// Cell: kind, and the parent.
    pub(crate) const KIND: usize = 0;
    /// Cell: the next sibling, and the first child.
    pub(crate) const LINKS: usize = 1;
    /// Cell: depth, and the number of children.
    pub(crate) const SIZE: usize = 2;
    /// Cell: the last child while the node is open. Of the outermost one, once it is closed, all octets of the value.
    pub(crate) const LAST: usize = 3;
    pub(crate) const TYPE: usize = 4;
    pub(crate) const SUBTYPE: usize = 5;
    /// Cell: first pair, number of pairs.
    pub(crate) const PARAMS: usize = 6;
    pub(crate) const ID: usize = 7;
    pub(crate) const DESCRIPTION: usize = 8;
    pub(crate) const ENCODING: usize = 9;
    pub(crate) const OCTETS: usize = 10;
    pub(crate) const LINES: usize = 11;
    /// Cell: the envelope.
    pub(crate) const ENVELOPE: usize = 12;
    pub(crate) const MD5: usize = 13;
    pub(crate) const DISPOSITION: usize = 14;
    /// Cell: first pair, number of pairs.
    pub(crate) const DISPOSITION_PARAMS: usize = 15;
    /// Cell: first tag, number of tags.
    pub(crate) const LANGUAGE: usize = 16;
    pub(crate) const LOCATION: usize = 17;
    /// What a later standard adds, as it came.
    pub(crate) const EXTENSION: usize = 18;
    /// Their number.
    pub(crate) const COUNT: usize = 19;

    pub(crate) const BASIC: u32 = 0;
    pub(crate) const TEXT: u32 = 1;
    pub(crate) const MESSAGE: u32 = 2;
    pub(crate) const MULTIPART: u32 = 3;
}

/// The tree of the parts of a message, as flat nodes: it is walked without recursion, whatever its depth.
#[derive(Clone, Copy)]
pub struct BodyStructure<'i>(View<'i>);

impl<'i> BodyStructure<'i> {
    pub(crate) const fn new(view: View<'i>) -> Self {
        Self(view)
    }

    /// The outermost node.
    #[must_use]
    pub fn root(self) -> Node<'i> {
        Node { view: self.0, at: 0 }
    }

    /// All of it as it came, for a proxy that hands it on.
    #[must_use]
    pub fn raw(self) -> &'i [u8] {
        self.0.span(node::LAST).map_or(&[], |span| self.0.get(span))
    }

    /// All nodes, each before its children.
    pub fn nodes(self) -> impl Iterator<Item = Node<'i>> + Clone + 'i {
        core::iter::successors(Some(self.root()), |node| node.next())
    }

    /// The node of a part number such as `1.2` (RFC 9051 §6.4.5.1): a message inside a message is gone through, and part 1 of what is no
    /// multipart is that itself. No numbers: the root.
    #[must_use]
    pub fn part(self, numbers: &[u32]) -> Option<Node<'i>> {
        let mut node = self.root();
        for (index, number) in numbers.iter().enumerate() {
            if index > 0 && node.kind() == NodeKind::Message {
                node = node.children().next()?;
            }
            let wanted = usize::try_from(number.checked_sub(1)?).ok()?;
            node = match node.kind() {
                NodeKind::Multipart => node.children().nth(wanted)?,
                // The only part of a single body is the body.
                _ if wanted == 0 && (index == 0 || self.is_message_body(node)) => node,
                _ => return None,
            };
        }
        Some(node)
    }

    fn is_message_body(self, node: Node<'i>) -> bool {
        node.parent().is_some_and(|parent| parent.kind() == NodeKind::Message)
    }

    /// Values inside that are malformed, each beside what is good: a number that is none.
    pub fn faults(self) -> impl Iterator<Item = (BodyField, &'i [u8])> + 'i {
        let of = |node: Node<'i>, field, index| node.bad(index).map(|raw| (field, raw));
        self.nodes().flat_map(move |node| {
            let octets = of(node, BodyField::Octets, node::OCTETS);
            octets.into_iter().chain(of(node, BodyField::Lines, node::LINES))
        })
    }
}

impl fmt::Debug for BodyStructure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.nodes()).finish()
    }
}

impl Viewed for BodyStructure<'static> {
    type Of<'i> = BodyStructure<'i>;
    type Head = ();

    fn split<'i>(value: Self::Of<'i>) -> (View<'i>, ()) {
        (value.0, ())
    }

    fn join<'i>(view: View<'i>, (): ()) -> Self::Of<'i> {
        BodyStructure(view)
    }
}

/// A field of a node that holds a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyField {
    /// The size.
    Octets,
    /// The number of lines.
    Lines,
}

/// What kind of part a node is: each has other fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// A part of any type that is none of the following.
    Basic,
    /// `text/*`: has lines.
    Text,
    /// A message: has an envelope, lines and one child.
    Message,
    /// Several parts: its children.
    Multipart,
}

/// One part.
#[derive(Clone, Copy)]
pub struct Node<'i> {
    view: View<'i>,
    at: u32,
}

impl<'i> Node<'i> {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> NodeKind {
        match self.cell(node::KIND).0 {
            node::TEXT => NodeKind::Text,
            node::MESSAGE => NodeKind::Message,
            node::MULTIPART => NodeKind::Multipart,
            _ => NodeKind::Basic,
        }
    }

    /// How many nodes it lies in.
    #[must_use]
    pub fn depth(self) -> usize {
        self.cell(node::SIZE).0 as usize
    }

    /// The node it lies in.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        self.link(self.cell(node::KIND).1)
    }

    /// The nodes that lie directly in it.
    pub fn children(self) -> impl Iterator<Item = Self> + Clone + 'i {
        core::iter::successors(self.link(self.cell(node::LINKS).1), |child| child.sibling())
    }

    /// Their number.
    #[must_use]
    pub fn child_count(self) -> usize {
        self.cell(node::SIZE).1 as usize
    }

    fn sibling(self) -> Option<Self> {
        self.link(self.cell(node::LINKS).0)
    }

    fn next(self) -> Option<Self> {
        if let Some(child) = self.link(self.cell(node::LINKS).1) {
            return Some(child);
        }
        let mut node = self;
        loop {
            if let Some(sibling) = node.sibling() {
                return Some(sibling);
            }
            node = node.parent()?;
        }
    }

    /// The media type, such as `text`; `multipart` is not written on the wire and comes as `None`.
    #[must_use]
    pub fn media_type(self) -> Option<Text<'i>> {
        self.text(node::TYPE)
    }

    /// The subtype, such as `plain` or `mixed`.
    #[must_use]
    pub fn subtype(self) -> Option<Text<'i>> {
        self.text(node::SUBTYPE)
    }

    /// Whether it is of this type, without regard to case.
    #[must_use]
    pub fn is(self, media_type: &str, subtype: &str) -> bool {
        let same = |text: Option<Text<'i>>, name: &str| {
            text.is_some_and(|text| text.bytes().eq_ignore_ascii_case(name.as_bytes()))
        };
        let multipart = self.kind() == NodeKind::Multipart && self.media_type().is_none();
        let type_fits =
            multipart && media_type.eq_ignore_ascii_case("multipart") || same(self.media_type(), media_type);
        type_fits && same(self.subtype(), subtype)
    }

    /// The parameters of the Content-Type field.
    #[must_use]
    pub fn params(self) -> Params<'i> {
        self.pairs(node::PARAMS)
    }

    /// The Content-ID field.
    #[must_use]
    pub fn id(self) -> Option<Text<'i>> {
        self.text(node::ID)
    }

    /// The Content-Description field.
    #[must_use]
    pub fn description(self) -> Option<Text<'i>> {
        self.text(node::DESCRIPTION)
    }

    /// The Content-Transfer-Encoding field.
    #[must_use]
    pub fn encoding(self) -> Option<Text<'i>> {
        self.text(node::ENCODING)
    }

    /// The size in octets, in its transfer encoding. `None`: the kind has none, or it is [malformed](BodyStructure::faults).
    #[must_use]
    pub fn octets(self) -> Option<u64> {
        self.number(node::OCTETS)
    }

    /// The number of lines.
    #[must_use]
    pub fn lines(self) -> Option<u64> {
        self.number(node::LINES)
    }

    /// The envelope of an embedded message.
    #[must_use]
    pub fn envelope(self) -> Option<Envelope<'i>> {
        let at = self.cell(node::ENVELOPE).0;
        at.checked_sub(1).map(|at| Envelope::new(self.view, at as usize))
    }

    /// The Content-MD5 field.
    #[must_use]
    pub fn md5(self) -> Option<Text<'i>> {
        self.text(node::MD5)
    }

    /// The Content-Disposition field, such as `attachment`.
    #[must_use]
    pub fn disposition(self) -> Option<Text<'i>> {
        self.text(node::DISPOSITION)
    }

    /// The parameters of the disposition.
    #[must_use]
    pub fn disposition_params(self) -> Params<'i> {
        self.pairs(node::DISPOSITION_PARAMS)
    }

    /// The Content-Language field.
    pub fn languages(self) -> impl Iterator<Item = Text<'i>> + Clone + 'i {
        let (first, count) = self.cell(node::LANGUAGE);
        let first = first as usize;
        (first..first.saturating_add(count as usize)).filter_map(move |index| Text::at(self.view, index))
    }

    /// The Content-Location field.
    #[must_use]
    pub fn location(self) -> Option<Text<'i>> {
        self.text(node::LOCATION)
    }

    /// What a later standard has added behind the known fields, as it came.
    #[must_use]
    pub fn extension(self) -> &'i [u8] {
        self.span(node::EXTENSION).of(self.view.octets())
    }

    fn span(self, field: usize) -> Span {
        self.view.span((self.at as usize).saturating_add(field)).unwrap_or_default()
    }

    fn cell(self, field: usize) -> (u32, u32) {
        let cell = self.span(field);
        (cell.start() as u32, cell.len() as u32)
    }

    fn link(self, index: u32) -> Option<Self> {
        index.checked_sub(1).map(|at| Self { view: self.view, at })
    }

    fn text(self, field: usize) -> Option<Text<'i>> {
        Text::of(self.view.octets(), self.span(field))
    }

    fn pairs(self, field: usize) -> Params<'i> {
        let (first, count) = self.cell(field);
        let (first, count) = (first as usize, count as usize);
        Params(self.view.window(first, first.saturating_add(count.saturating_mul(2))))
    }

    fn number(self, field: usize) -> Option<u64> {
        let span = self.span(field);
        let digits = span.of(self.view.octets());
        let number =
            || digits.iter().fold(0_u64, |n, digit| n.wrapping_mul(10).wrapping_add(u64::from(digit & 15)));
        (span.tag() == form::NUMBER).then(number)
    }

    fn bad(self, field: usize) -> Option<&'i [u8]> {
        let span = self.span(field);
        (span.tag() == form::BAD).then(|| span.of(self.view.octets()))
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("depth", &self.depth())
            .field("kind", &self.kind())
            .field("type", &self.media_type())
            .field("subtype", &self.subtype())
            .field("params", &self.params())
            .field("id", &self.id())
            .field("description", &self.description())
            .field("encoding", &self.encoding())
            .field("octets", &self.octets())
            .field("lines", &self.lines())
            .field("envelope", &self.envelope())
            .field("md5", &self.md5())
            .field("disposition", &self.disposition())
            .field("disposition_params", &self.disposition_params())
            .field("location", &self.location())
            .finish_non_exhaustive()
    }
}

/// Parameters: names and values.
#[derive(Clone, Copy)]
pub struct Params<'i>(View<'i>);

impl<'i> Params<'i> {
    /// The parameters in order. A value is `None` where a server wrote NIL.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (Text<'i>, Option<Text<'i>>)> + Clone + 'i {
        let octets = self.0.octets();
        self.0.tape().chunks_exact(2).map(move |pair| {
            let span = |index: usize| pair.get(index).copied().unwrap_or_default();
            let name = Text::of(octets, span(0)).unwrap_or(Text::EMPTY);
            (name, Text::of(octets, span(1)))
        })
    }

    /// The value of the first parameter of this name, without regard to case.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Text<'i>> {
        let mut named = self.iter().filter(|(key, _)| key.bytes().eq_ignore_ascii_case(name.as_bytes()));
        named.next().and_then(|(_, value)| value)
    }

    /// Their number.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.tape().len() / 2
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
