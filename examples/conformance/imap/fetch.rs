//! Typed values of FETCH responses, under the names of the vectors.

use mail_imap_proto::response::{Content, FetchItem, FetchPart, LiteralHead, Target};
use mail_imap_proto::types::raw::{Raw, RawToken};
use mail_imap_proto::types::{
    AddressKind, Addresses, BodyField, BodyStructure, Envelope, Node, NodeKind, Text,
};

use super::commands::{flag_names, section_name};
use super::responses::{text, upper};
use crate::seen::Seen;
use crate::value::Val;

/// Puts the pieces of each response together.
#[derive(Default)]
pub(crate) struct Fetches {
    open: Option<Vec<(String, Val)>>,
    /// The literal that is being streamed: its attribute and its octets so far.
    literal: Option<(String, Vec<u8>)>,
}

impl Fetches {
    /// Whether a response has begun and not ended.
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Octets of the literal.
    pub(crate) fn chunk(&mut self, octets: &[u8]) {
        if let Some((_, literal)) = &mut self.literal {
            literal.extend_from_slice(octets);
        }
    }

    /// A piece of a response; the last one logs it.
    pub(crate) fn part(&mut self, part: &FetchPart<'_>, seen: &mut Seen) {
        let mut values = self.open.take().unwrap_or_default();
        if part.is_first() {
            values = match part.target() {
                Target::Seq(seq) => vec![("seq".into(), Val::Num(seq.into()))],
                Target::Uid(uid) => vec![("UIDFETCH".into(), Val::Num(uid.into()))],
            };
        }
        if let Some((name, octets)) = self.literal.take() {
            values.push((name, Val::Octets(octets)));
        }
        for item in part.items() {
            note_item(&item, &mut values, seen);
        }
        if let Some(head) = part.literal() {
            self.literal = Some((literal_name(&head), Vec::new()));
            self.open = Some(values);
            return;
        }
        for (key, value) in &values {
            seen.value(key.clone(), value.clone());
        }
        seen.value("FETCH", Val::Map(values));
    }
}

fn literal_name(head: &LiteralHead<'_>) -> String {
    let name = head.name();
    let Some(section) = head.section() else { return upper(name) };
    let word = name.split(|octet| *octet == b'[').next().unwrap_or_default();
    let origin = head.origin().map_or(String::new(), |origin| format!("<{origin}>"));
    format!("{}[{}]{origin}", upper(word), section_name(section))
}

fn content_name(content: Content<'_>) -> String {
    let section = content.section().map_or(String::new(), |section| format!("[{}]", section_name(section)));
    let origin = content.origin().map_or(String::new(), |origin| format!("<{origin}>"));
    format!("{}{section}{origin}", upper(content.name()))
}

fn note_item(item: &FetchItem<'_>, values: &mut Vec<(String, Val)>, seen: &mut Seen) {
    let mut put = |key: String, value: Val| values.push((key, value));
    match item {
        FetchItem::Flags(flags) => put("FLAGS".into(), flag_names(*flags)),
        FetchItem::Uid(uid) => put("UID".into(), Val::Num((*uid).into())),
        FetchItem::InternalDate(date) => put("INTERNALDATE".into(), Val::octets(date.to_string())),
        FetchItem::Size(octets) => put("RFC822.SIZE".into(), Val::Num(*octets)),
        FetchItem::ModSeq(modseq) => put("MODSEQ".into(), Val::Num(*modseq)),
        FetchItem::Envelope(envelope) => note_envelope(*envelope, &mut put),
        FetchItem::Body(body) => note_body("BODY", *body, &mut put, seen),
        FetchItem::BodyStructure(body) => note_body("BODYSTRUCTURE", *body, &mut put, seen),
        FetchItem::Content(content) => put(content_name(*content), Val::or_null(content.data().map(text))),
        FetchItem::Other { name, value } => note_other(upper(name), value, &mut put),
        FetchItem::Malformed(item) => {
            seen.malformed(upper(item.name()));
            seen.shown(item.malformed().raw);
            if let Some(envelope) = item.envelope() {
                note_envelope(envelope, &mut put);
            }
        }
        other => put("unknown item".into(), Val::Name(format!("{other:?}"))),
    }
}

/// An attribute that the library keeps as it came: read word by word, so that it can be compared. A list of one is also its item.
fn note_other(name: String, value: &[u8], put: &mut impl FnMut(String, Val)) {
    let Ok(raw) = Raw::new(value) else { return put(name, Val::octets(value)) };
    let mut list = false;
    let mut words = Vec::new();
    for token in raw.tokens() {
        match token {
            RawToken::Open => list = true,
            RawToken::Word(word) if !list && word.eq_ignore_ascii_case("NIL") => words.push(Val::Null),
            RawToken::Word(word) => words.push(Val::octets(word)),
            RawToken::String(string) => words.push(Val::octets(string.bytes())),
            RawToken::Close | RawToken::Space => {}
        }
    }
    if let [word] = words.as_slice() {
        put(name.clone(), word.clone());
    }
    if list {
        put(name, Val::List(words));
    }
}

fn note_envelope(envelope: Envelope<'_>, put: &mut impl FnMut(String, Val)) {
    let mut field = |name: &str, value: Option<Text<'_>>| {
        put(format!("ENVELOPE.{name}"), Val::or_null(value.map(text)));
    };
    field("date", envelope.date());
    field("subject", envelope.subject());
    field("in-reply-to", envelope.in_reply_to());
    field("message-id", envelope.message_id());
    for (name, list) in [
        ("from", envelope.from()),
        ("sender", envelope.sender()),
        ("reply-to", envelope.reply_to()),
        ("to", envelope.to()),
        ("cc", envelope.cc()),
        ("bcc", envelope.bcc()),
    ] {
        note_addresses(name, list, put);
    }
}

fn note_addresses(field: &str, list: Addresses<'_>, put: &mut impl FnMut(String, Val)) {
    let key = format!("ENVELOPE.{field}");
    if list.is_empty() {
        return put(key, Val::Null);
    }
    let octets = |text: Option<Text<'_>>| text.map(|text| text.bytes().into_owned()).unwrap_or_default();
    let mut mailboxes = Vec::new();
    for address in list.iter() {
        match address.kind() {
            AddressKind::Mailbox => {
                if mailboxes.is_empty() {
                    put(format!("{key}.name"), Val::or_null(address.name().map(text)));
                }
                mailboxes.push(Val::Octets(
                    [&octets(address.mailbox())[..], b"@", &octets(address.host())].concat(),
                ));
            }
            AddressKind::GroupStart(name) => put(format!("{key}.group"), text(name)),
            AddressKind::GroupEnd => {}
        }
    }
    put(key, Val::List(mailboxes));
}

fn note_body(key: &str, body: BodyStructure<'_>, put: &mut impl FnMut(String, Val), seen: &mut Seen) {
    for (field, raw) in body.faults() {
        let name = if field == BodyField::Octets { "octets" } else { "lines" };
        seen.malformed(format!("{key}.{name}"));
        seen.shown(raw);
    }
    // Each node with the key of its part. The list of nodes is flat, so nothing recurses.
    let mut waiting = vec![(key.to_owned(), body.root())];
    while let Some((key, node)) = waiting.pop() {
        note_node(&key, node, put);
        match node.kind() {
            NodeKind::Multipart => {
                waiting.extend(
                    node.children().enumerate().map(|(at, child)| (format!("{key}.{}", at + 1), child)),
                );
            }
            NodeKind::Message => {
                waiting.extend(node.children().map(|child| (format!("{key}.message"), child)))
            }
            _ => {}
        }
    }
}

fn note_node(key: &str, node: Node<'_>, put: &mut impl FnMut(String, Val)) {
    let lower =
        |text: Option<Text<'_>>| text.map(|text| String::from_utf8_lossy(&text.bytes()).to_ascii_lowercase());
    let multipart = node.kind() == NodeKind::Multipart;
    let media_type = lower(node.media_type()).or(multipart.then(|| "multipart".into())).unwrap_or_default();
    let subtype = lower(node.subtype()).unwrap_or_default();
    put(format!("{key}.type"), Val::Name(format!("{media_type}/{subtype}")));
    if multipart {
        put(format!("{key}.parts"), Val::Num(node.child_count() as u64));
    }
    let params = node.params();
    put(format!("{key}.params"), Val::Num(params.iter().len() as u64));
    for (name, value) in params.iter() {
        let name = String::from_utf8_lossy(&name.bytes()).to_ascii_lowercase();
        put(format!("{key}.param.{name}"), Val::or_null(value.map(text)));
    }
    put(format!("{key}.id"), Val::or_null(node.id().map(text)));
    put(format!("{key}.description"), Val::or_null(node.description().map(text)));
    put(format!("{key}.encoding"), Val::or_null(lower(node.encoding()).map(Val::Name)));
    put(format!("{key}.octets"), Val::or_null(node.octets().map(Val::Num)));
    put(format!("{key}.lines"), Val::or_null(node.lines().map(Val::Num)));
    put(format!("{key}.md5"), Val::or_null(node.md5().map(text)));
    put(format!("{key}.disposition"), Val::or_null(lower(node.disposition()).map(Val::Name)));
    put(format!("{key}.location"), Val::or_null(node.location().map(text)));
    put(format!("{key}.languages"), Val::List(node.languages().map(text).collect()));
}
