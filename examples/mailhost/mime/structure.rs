//! BODY and BODYSTRUCTURE (RFC 9051 §7.5.2): the parts of a message in one list, each before those inside it.

use super::envelope::{Envelope, Lists};
use super::{body, first, header, string};
use mail_session::proto::imap::server::{BodyNode, BodyShape, BodyTree, Disposition, EnvelopeFields};
use mail_session::proto::imap::types::{AString, Invalid};
use mailparse::{DispositionType, parse_content_disposition, parse_mail};
use std::collections::BTreeMap;

/// Parts deeper than this are shown as octets of no known type.
const DEPTH: usize = 100;

/// The structure of a message.
#[derive(Debug)]
pub struct Structure(Vec<Part>);

#[derive(Debug)]
struct Part {
    shape: Shape,
    subtype: String,
    params: Strings,
    id: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    encoding: Option<Vec<u8>>,
    octets: u64,
    lines: u64,
    md5: Option<Vec<u8>>,
    disposition: Option<(String, Strings)>,
    language: Vec<String>,
    location: Option<Vec<u8>>,
}

type Strings = BTreeMap<String, String>;

#[derive(Debug)]
enum Shape {
    Multipart(usize),
    Text,
    Message(Box<Envelope>),
    Basic(String),
}

/// Lists of a part as the writer takes them.
struct Lent<'a> {
    params: Vec<(AString<'a>, AString<'a>)>,
    disposition: Vec<(AString<'a>, AString<'a>)>,
    language: Vec<AString<'a>>,
    lists: Option<Lists<'a>>,
}

impl Structure {
    /// From a whole message.
    pub fn of(message: &[u8]) -> Self {
        let mut parts = Vec::new();
        // Not by recursion: how deep it goes is the sender's choice.
        let mut left = vec![(message, 0, false)];
        while let Some((entity, depth, in_digest)) = left.pop() {
            let (part, inside) = Part::of(entity, depth, in_digest);
            let in_digest = part.subtype == "digest";
            parts.push(part);
            left.extend(inside.into_iter().rev().map(|entity| (entity, depth + 1, in_digest)));
        }
        Self(parts)
    }

    /// Lends itself to the writer of a FETCH response.
    pub fn with<T>(&self, write: impl FnOnce(BodyTree<'_>) -> T) -> Result<T, Invalid> {
        self.with_nodes(|nodes| BodyTree::new(nodes).map(write))
    }

    pub(crate) fn with_nodes<T>(&self, take: impl FnOnce(&[BodyNode<'_>]) -> T) -> T {
        // The writer takes slices of slices, so that they are made one level after the other.
        let lent: Vec<Lent<'_>> = self.0.iter().map(Part::lend).collect();
        let envelopes: Vec<Option<EnvelopeFields<'_>>> = self
            .0
            .iter()
            .zip(&lent)
            .map(|(part, lent)| match (&part.shape, &lent.lists) {
                (Shape::Message(envelope), Some(lists)) => Some(envelope.fields(lists)),
                _ => None,
            })
            .collect();
        let nodes = self.0.iter().zip(&lent).zip(&envelopes);
        let nodes: Vec<BodyNode<'_>> =
            nodes.map(|((part, lent), envelope)| part.node(lent, envelope.as_ref())).collect();
        take(&nodes)
    }
}

impl Part {
    /// A part, and those directly inside it.
    fn of(entity: &[u8], depth: usize, in_digest: bool) -> (Self, Vec<&[u8]>) {
        let (head, content) = (header(entity), body(entity));
        let parsed = parse_mail(entity).ok();
        let typed = first(head, "Content-Type").is_some();
        let (mime, params) = match &parsed {
            Some(parsed) if typed => (parsed.ctype.mimetype.as_str(), parsed.ctype.params.clone()),
            Some(_) if in_digest => ("message/rfc822", Strings::new()),
            Some(_) => ("text/plain", Strings::new()),
            None => ("application/octet-stream", Strings::new()),
        };
        let (media, subtype) = mime.split_once('/').unwrap_or(("text", "plain"));
        let inside: Vec<&[u8]> = match media {
            _ if depth >= DEPTH => Vec::new(),
            "multipart" => {
                parsed.iter().flat_map(|parsed| &parsed.subparts).map(|part| part.raw_bytes).collect()
            }
            "message" if matches!(subtype, "rfc822" | "global") => vec![content],
            _ => Vec::new(),
        };
        let (shape, subtype) = match media {
            "text" => (Shape::Text, subtype),
            "multipart" if !inside.is_empty() => (Shape::Multipart(inside.len()), subtype),
            "message" if !inside.is_empty() => {
                (Shape::Message(Box::new(Envelope::of(header(content)))), subtype)
            }
            "multipart" | "message" => (Shape::Basic("application".into()), "octet-stream"),
            other => (Shape::Basic(other.into()), subtype),
        };
        let disposition = first(head, "Content-Disposition").map(|value| {
            let parsed = parse_content_disposition(&String::from_utf8_lossy(&value));
            let kind = match parsed.disposition {
                DispositionType::Inline => "inline".into(),
                DispositionType::Attachment => "attachment".into(),
                DispositionType::FormData => "form-data".into(),
                DispositionType::Extension(other) => other,
            };
            (kind, parsed.params)
        });
        let language = first(head, "Content-Language").unwrap_or_default();
        let language = String::from_utf8_lossy(&language);
        let part = Self {
            shape,
            subtype: subtype.into(),
            params,
            id: first(head, "Content-ID"),
            description: first(head, "Content-Description"),
            encoding: first(head, "Content-Transfer-Encoding"),
            octets: content.len() as u64,
            lines: content.split_inclusive(|octet| *octet == b'\n').count() as u64,
            md5: first(head, "Content-MD5"),
            disposition,
            language: language
                .split(',')
                .map(|tag| tag.trim().to_string())
                .filter(|tag| !tag.is_empty())
                .collect(),
            location: first(head, "Content-Location"),
        };
        (part, inside)
    }

    fn lend(&self) -> Lent<'_> {
        Lent {
            params: pairs(&self.params),
            disposition: self.disposition.iter().flat_map(|(_, params)| pairs(params)).collect(),
            language: self.language.iter().map(|tag| string(tag.as_bytes())).collect(),
            lists: if let Shape::Message(envelope) = &self.shape { Some(envelope.lists()) } else { None },
        }
    }

    fn node<'a>(&'a self, lent: &'a Lent<'_>, envelope: Option<&'a EnvelopeFields<'a>>) -> BodyNode<'a> {
        let shape = match (&self.shape, envelope) {
            (Shape::Multipart(parts), _) => BodyShape::Multipart { parts: *parts },
            (Shape::Message(_), Some(envelope)) => BodyShape::Message { envelope, lines: self.lines },
            (Shape::Text | Shape::Message(_), _) => BodyShape::Text { lines: self.lines },
            (Shape::Basic(media), _) => BodyShape::Basic { media_type: string(media.as_bytes()) },
        };
        let field = |value: &'a Option<Vec<u8>>| value.as_deref().map(string);
        BodyNode {
            params: &lent.params,
            id: field(&self.id),
            description: field(&self.description),
            encoding: field(&self.encoding),
            octets: self.octets,
            md5: field(&self.md5),
            disposition: self
                .disposition
                .as_ref()
                .map(|(kind, _)| Disposition { kind: string(kind.as_bytes()), params: &lent.disposition }),
            language: &lent.language,
            location: field(&self.location),
            ..BodyNode::new(shape, string(self.subtype.as_bytes()))
        }
    }
}

fn pairs(params: &Strings) -> Vec<(AString<'_>, AString<'_>)> {
    params.iter().map(|(name, value)| (string(name.as_bytes()), string(value.as_bytes()))).collect()
}
