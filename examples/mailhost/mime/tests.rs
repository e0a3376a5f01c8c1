//! Sections and structures of messages written by hand.

use super::{Envelope, Structure, header, section};
use bytes::Bytes;
use mail_session::proto::imap::server::{BodyNode, BodyShape};
use mail_session::proto::imap::types::{AString, Section};

/// A multipart that holds a text, a message with a multipart of its own, and an image.
const NESTED: &str = "From: Ann Example <ann@a.test>, b@b.test\r\nTo: friends: c@c.test, \"D D\" <d@d.test>;\r\n\
    Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n folded\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=out\r\n\r\npreamble\r\n\
    --out\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Language: de, en\r\n\r\none\r\ntwo\r\n\
    --out\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nX-Y: z\r\n\
    Content-Type: multipart/alternative; boundary=in\r\n\r\n\
    --in\r\n\r\nplain\r\n--in\r\nContent-Type: text/html\r\n\r\n<p>\r\n--in--\r\n\
    --out\r\nContent-Type: image/png; name=\"a b\"\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=a.png\r\nContent-ID: <i@i>\r\n\r\nAAAA\r\n--out--\r\n";

const PLAIN: &str = "Subject: s\r\nTo: t@t\r\n\r\nbody\r\n";

fn cut(message: &'static str, name: &str) -> Option<String> {
    let message = Bytes::from_static(message.as_bytes());
    let octets = section(&message, Section::parse(name.as_bytes()).unwrap())?;
    Some(String::from_utf8(octets.to_vec()).unwrap())
}

#[test]
fn sections_of_a_message_without_parts() {
    for (name, expected) in [
        ("", Some(PLAIN)),
        ("HEADER", Some("Subject: s\r\nTo: t@t\r\n\r\n")),
        ("TEXT", Some("body\r\n")),
        ("1", Some("body\r\n")),
        ("1.MIME", Some("Subject: s\r\nTo: t@t\r\n\r\n")),
        ("HEADER.FIELDS (to)", Some("To: t@t\r\n\r\n")),
        ("HEADER.FIELDS.NOT (TO)", Some("Subject: s\r\n\r\n")),
        ("HEADER.FIELDS (X)", Some("\r\n")),
        ("2", None),
        ("1.1", None),
        ("1.TEXT", None),
    ] {
        assert_eq!(cut(PLAIN, name).as_deref(), expected, "{name}");
    }
}

#[test]
fn sections_of_nested_parts() {
    let inner = "Subject: inner\r\nX-Y: z\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n";
    for (name, expected) in [
        ("1", Some("one\r\ntwo")),
        ("2.HEADER", Some(inner)),
        ("2.HEADER.FIELDS (x-y)", Some("X-Y: z\r\n\r\n")),
        ("2.1", Some("plain")),
        ("2.2", Some("<p>")),
        ("2.2.MIME", Some("Content-Type: text/html\r\n\r\n")),
        ("2.MIME", Some("Content-Type: message/rfc822\r\n\r\n")),
        ("3", Some("AAAA")),
        ("2.3", None),
        ("3.1", None),
        ("1.HEADER", None),
        ("4", None),
        ("HEADER.FIELDS (Subject)", Some("Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n folded\r\n\r\n")),
    ] {
        assert_eq!(cut(NESTED, name).as_deref(), expected, "{name}");
    }
    let text = cut(NESTED, "2.TEXT").unwrap();
    assert!(text.starts_with("--in\r\n") && cut(NESTED, "2").unwrap().ends_with(&text));
}

#[test]
fn an_envelope_keeps_encoded_words_and_unfolds() {
    let envelope = Envelope::of(header(NESTED.as_bytes()));
    let text =
        |value: Option<AString<'_>>| value.map(|value| String::from_utf8(value.bytes().to_vec()).unwrap());
    envelope.with(|fields| {
        assert_eq!(text(fields.subject).as_deref(), Some("=?utf-8?q?gr=C3=BC=C3=9Fe?= folded"));
        assert_eq!(fields.date, None);
        let [ann, b] = fields.from else { panic!("{:?}", fields.from) };
        assert_eq!(text(ann.name).as_deref(), Some("Ann Example"));
        assert_eq!((text(b.mailbox).as_deref(), text(b.host).as_deref()), (Some("b"), Some("b.test")));
        // A group: its start, its addresses, its end.
        let names: Vec<_> = fields.to.iter().map(|address| text(address.mailbox)).collect();
        let expected = [Some("friends"), Some("c"), Some("d"), None];
        assert_eq!(names, expected.map(|name| name.map(String::from)));
        assert!(fields.to[0].host.is_none() && fields.to[3].host.is_none());
    });
}

#[test]
fn a_structure_lists_each_part_before_those_inside_it() {
    let structure = Structure::of(NESTED.as_bytes());
    let mut shapes = Vec::new();
    structure.with_nodes(|nodes: &[BodyNode<'_>]| {
        for node in nodes {
            let shape = match node.shape {
                BodyShape::Multipart { parts } => format!("multipart of {parts}"),
                BodyShape::Text { lines } => format!("text of {lines}"),
                BodyShape::Message { lines, .. } => format!("message of {lines}"),
                BodyShape::Basic { .. } => "basic".into(),
            };
            let subtype = String::from_utf8(node.subtype.bytes().to_vec()).unwrap();
            shapes.push(format!("{shape} {subtype} {}", node.octets));
        }
        let image = nodes.last().unwrap();
        assert_eq!(image.params.len(), 1);
        assert!(image.params[0].1 == b"a b"[..]);
        assert!(image.disposition.unwrap().params[0].1 == b"a.png"[..]);
        assert_eq!(nodes[1].language.len(), 2);
    });
    let inner = cut(NESTED, "2").unwrap();
    let expected = [
        format!("multipart of 3 mixed {}", super::body(NESTED.as_bytes()).len()),
        "text of 2 plain 8".into(),
        format!("message of {} rfc822 {}", inner.lines().count(), inner.len()),
        format!("multipart of 2 alternative {}", cut(NESTED, "2.TEXT").unwrap().len()),
        "text of 1 plain 5".into(),
        "text of 1 html 3".into(),
        "basic png 4".into(),
    ];
    assert_eq!(shapes, expected);
    assert!(structure.with(|_| ()).is_ok());
}

#[test]
fn whatever_a_message_is_it_has_a_structure() {
    let mut deep = String::new();
    for level in 0..300 {
        deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
    }
    let embedded = "Content-Type: message/rfc822\r\n\r\n".repeat(300);
    for message in
        ["", "\r\n", "x", "Content-Type: multipart/mixed\r\n\r\n", deep.as_str(), &embedded, NESTED]
    {
        assert!(Structure::of(message.as_bytes()).with(|_| ()).is_ok(), "{:.40}", message);
    }
}
