//! BODY and BODYSTRUCTURE, written from the parts of a store (RFC 9051 §7.5.2): flat, without recursion.

use super::envelope_writer::{self, EnvelopeFields, nstring};
use super::reply;
use super::write::text;
use crate::types::{AString, Invalid};
use mail_wire::Output;

/// The deepest nesting that is written.
const DEPTH_MAX: usize = 128;

/// A parameter: name and value.
type Param<'a> = (AString<'a>, AString<'a>);

/// One part of a message. The parts stand in order, each before those inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyNode<'a> {
    /// What it is made of.
    pub shape: BodyShape<'a>,
    /// The subtype, such as `plain` or `mixed`.
    pub subtype: AString<'a>,
    /// Parameters of the content type; of a multipart part they are extension data.
    pub params: &'a [Param<'a>],
    /// Content-ID; not of a multipart.
    pub id: Option<AString<'a>>,
    /// Content-Description; not of a multipart.
    pub description: Option<AString<'a>>,
    /// Content-Transfer-Encoding; `None` is 7BIT. Not of a multipart.
    pub encoding: Option<AString<'a>>,
    /// The octets of the part in its transfer encoding; not of a multipart.
    pub octets: u64,
    /// Content-MD5 (extension data); not of a multipart.
    pub md5: Option<AString<'a>>,
    /// Content-Disposition (extension data).
    pub disposition: Option<Disposition<'a>>,
    /// Content-Language (extension data).
    pub language: &'a [AString<'a>],
    /// Content-Location (extension data).
    pub location: Option<AString<'a>>,
}

/// What a part is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyShape<'a> {
    /// A multipart: so many parts stand directly inside it, at least one.
    Multipart {
        /// How many.
        parts: usize,
    },
    /// A `text` part.
    Text {
        /// Its lines.
        lines: u64,
    },
    /// `message/rfc822` or `message/global`: one part stands inside it.
    Message {
        /// The envelope of the message.
        envelope: &'a EnvelopeFields<'a>,
        /// Its lines.
        lines: u64,
    },
    /// Any other part.
    Basic {
        /// The media type, such as `image`.
        media_type: AString<'a>,
    },
}

/// A disposition and its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition<'a> {
    /// `attachment`, `inline` or another word.
    pub kind: AString<'a>,
    /// Such as the file name.
    pub params: &'a [Param<'a>],
}

impl<'a> BodyNode<'a> {
    /// A part with nothing but its shape and subtype.
    #[must_use]
    pub const fn new(shape: BodyShape<'a>, subtype: AString<'a>) -> Self {
        Self {
            shape,
            subtype,
            params: &[],
            id: None,
            description: None,
            encoding: None,
            octets: 0,
            md5: None,
            disposition: None,
            language: &[],
            location: None,
        }
    }

    const fn parts(&self) -> usize {
        match self.shape {
            BodyShape::Multipart { parts } => parts,
            BodyShape::Message { .. } => 1,
            BodyShape::Text { .. } | BodyShape::Basic { .. } => 0,
        }
    }
}

/// The parts of a whole message, checked.
#[derive(Clone, Copy, Debug)]
pub struct BodyTree<'a>(&'a [BodyNode<'a>]);

impl<'a> BodyTree<'a> {
    /// Checks that the parts are one tree, at most 128 deep.
    ///
    /// # Errors
    /// [`Invalid::Shape`] for parts too many or too few, or a multipart without any; [`Invalid::TooMany`] for depth.
    pub fn new(nodes: &'a [BodyNode<'a>]) -> Result<Self, Invalid> {
        let mut open = Stack::new();
        let mut done = false;
        for node in nodes {
            let empty = matches!(node.shape, BodyShape::Multipart { parts: 0 });
            if done || empty {
                return Err(Invalid::Shape);
            }
            open.push(node.parts())?;
            while open.is_full() {
                open.pop();
                done = open.depth == 0;
                if done {
                    break;
                }
            }
        }
        if done { Ok(Self(nodes)) } else { Err(Invalid::Shape) }
    }
}

/// For each part that is not complete, how many inside it are still to come.
struct Stack {
    left: [usize; DEPTH_MAX],
    /// The index of each part that is open.
    node: [usize; DEPTH_MAX],
    depth: usize,
}

impl Stack {
    const fn new() -> Self {
        Self { left: [0; DEPTH_MAX], node: [0; DEPTH_MAX], depth: 0 }
    }

    /// Enters a part with so many inside it, and counts it in the one around it.
    fn push(&mut self, parts: usize) -> Result<(), Invalid> {
        if let Some(around) = self.depth.checked_sub(1).and_then(|top| self.left.get_mut(top)) {
            *around = around.saturating_sub(1);
        }
        let slot = self.left.get_mut(self.depth).ok_or(Invalid::TooMany { limit: DEPTH_MAX })?;
        *slot = parts;
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    fn mark(&mut self, index: usize) {
        if let Some(slot) = self.depth.checked_sub(1).and_then(|top| self.node.get_mut(top)) {
            *slot = index;
        }
    }

    /// Whether nothing more comes inside the innermost part.
    fn is_full(&self) -> bool {
        self.depth.checked_sub(1).and_then(|top| self.left.get(top)) == Some(&0)
    }

    /// Leaves the innermost part and gives its index.
    fn pop(&mut self) -> usize {
        self.depth = self.depth.saturating_sub(1);
        self.node.get(self.depth).copied().unwrap_or(0)
    }
}

pub(crate) fn put(tree: BodyTree<'_>, extended: bool, utf8: bool, output: &mut Output) {
    let out = &mut Out { extended, utf8, output };
    let mut open = Stack::new();
    for (index, node) in tree.0.iter().enumerate() {
        out.begin(node);
        if open.push(node.parts()).is_err() {
            return;
        }
        open.mark(index);
        while open.depth > 0 && open.is_full() {
            if let Some(node) = tree.0.get(open.pop()) {
                out.end(node);
            }
        }
    }
}

struct Out<'o> {
    extended: bool,
    utf8: bool,
    output: &'o mut Output,
}

impl Out<'_> {
    /// What stands before the parts inside.
    fn begin(&mut self, node: &BodyNode<'_>) {
        self.put("(");
        match node.shape {
            BodyShape::Multipart { .. } => return,
            BodyShape::Text { .. } => self.put("\"TEXT\""),
            BodyShape::Message { .. } => self.put("\"MESSAGE\""),
            BodyShape::Basic { media_type } => text(media_type, self.utf8, self.output),
        }
        self.put(" ");
        text(node.subtype, self.utf8, self.output);
        self.params(node.params);
        self.nstring(node.id);
        self.nstring(node.description);
        match node.encoding {
            None => self.put(" \"7BIT\""),
            encoding => self.nstring(encoding),
        }
        self.number(node.octets);
        match node.shape {
            BodyShape::Text { lines } => self.number(lines),
            BodyShape::Message { envelope, .. } => {
                self.put(" ");
                envelope_writer::put(envelope, self.utf8, self.output);
                self.put(" ");
            }
            BodyShape::Multipart { .. } | BodyShape::Basic { .. } => {}
        }
    }

    /// What stands behind them.
    fn end(&mut self, node: &BodyNode<'_>) {
        match node.shape {
            BodyShape::Multipart { .. } => {
                self.put(" ");
                text(node.subtype, self.utf8, self.output);
            }
            BodyShape::Message { lines, .. } => self.number(lines),
            BodyShape::Text { .. } | BodyShape::Basic { .. } => {}
        }
        if self.extended {
            match node.shape {
                BodyShape::Multipart { .. } => self.params(node.params),
                _ => self.nstring(node.md5),
            }
            self.disposition(node.disposition);
            self.language(node.language);
            self.nstring(node.location);
        }
        self.put(")");
    }

    fn put(&mut self, octets: &str) {
        reply::put(self.output, octets);
    }

    fn nstring(&mut self, value: Option<AString<'_>>) {
        self.put(" ");
        nstring(value, self.utf8, self.output);
    }

    fn number(&mut self, number: u64) {
        self.put(" ");
        self.output.put_decimal(number);
    }

    fn params(&mut self, params: &[Param<'_>]) {
        if params.is_empty() {
            return self.put(" NIL");
        }
        for (index, (name, value)) in params.iter().enumerate() {
            self.put(if index == 0 { " (" } else { " " });
            text(*name, self.utf8, self.output);
            self.put(" ");
            text(*value, self.utf8, self.output);
        }
        self.put(")");
    }

    fn disposition(&mut self, disposition: Option<Disposition<'_>>) {
        let Some(disposition) = disposition else { return self.put(" NIL") };
        self.put(" (");
        text(disposition.kind, self.utf8, self.output);
        self.params(disposition.params);
        self.put(")");
    }

    fn language(&mut self, languages: &[AString<'_>]) {
        if languages.is_empty() {
            return self.put(" NIL");
        }
        for (index, language) in languages.iter().enumerate() {
            self.put(if index == 0 { " (" } else { " " });
            text(*language, self.utf8, self.output);
        }
        self.put(")");
    }
}
