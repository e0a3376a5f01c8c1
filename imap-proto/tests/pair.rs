//! What the server writes, the client reads; what it has read, a server hands on.

use bytes::{Buf, Bytes};
use mail_imap_proto::client::{self, Client};
use mail_imap_proto::response::FetchItem;
use mail_imap_proto::server::{
    AddressFields, BodyNode, BodyShape, BodyTree, Config, Disposition, EnvelopeFields, Event, FetchWriter,
    Server,
};
use mail_imap_proto::types::{
    AString, Condition, DateTime, FetchAtt, FetchAtts, Flag, Flags, Mailbox, NodeKind, Options, ResponseText,
    SequenceSet, Status,
};
use mail_imap_proto::{Command, server};
use mail_wire::{Framed, Handover, Input, Machine, Output, Secret};

fn text(octets: &str) -> AString<'_> {
    AString::new(octets.as_bytes()).unwrap()
}

fn some(octets: &str) -> Option<AString<'_>> {
    Some(text(octets))
}

/// A server that answers every FETCH as it is told, and the client that it answers.
struct Pair {
    server: Server,
    client: Client,
    up: (Output, Input),
    down: (Output, Input),
    /// The octets of the last FETCH.
    wire: Vec<u8>,
}

impl Pair {
    fn new() -> Self {
        let mut pair = Self {
            server: Handover::implicit(Server::new(Config::default())).secured(),
            client: Handover::implicit(Client::new(client::Config::default())).secured(),
            up: (Output::new(), Input::new()),
            down: (Output::new(), Input::new()),
            wire: Vec::new(),
        };
        pair.turn(&mut |fetch| fetch.end(), &mut |_| ());
        let login = Command::Login { user: text("u"), password: Secret::new(text("p \"q\"")) };
        let select = Command::Select { mailbox: Mailbox::INBOX, params: Options::NONE };
        for command in [login, select] {
            pair.client.send(&command, &mut pair.up.0).unwrap();
            pair.turn(&mut |fetch| fetch.end(), &mut |_| ());
        }
        pair
    }

    fn fetch(&mut self, mut write: impl FnMut(FetchWriter<'_>), mut read: impl FnMut(FetchItem<'_>)) {
        let command = Command::Fetch {
            uid: false,
            set: SequenceSet::ALL,
            atts: FetchAtts::ALL,
            modifiers: Options::NONE,
        };
        self.client.send(&command, &mut self.up.0).unwrap();
        self.turn(&mut write, &mut read);
    }

    fn turn(&mut self, write: &mut impl FnMut(FetchWriter<'_>), read: &mut impl FnMut(FetchItem<'_>)) {
        for _ in 0..20 {
            self.serve(write);
            self.wire = self.down.0.copy_to_bytes(self.down.0.remaining()).to_vec();
            assert_eq!(self.down.1.feed(&self.wire), self.wire.len());
            while let Framed::Ready(unit) = self.client.frame(&mut self.down.1, &mut self.up.0).unwrap() {
                match self.client.decode(unit, &mut self.down.1).unwrap() {
                    client::Event::Fetch(part) => {
                        assert_eq!(part.items().malformed().count(), 0);
                        part.items().for_each(&mut *read);
                        return;
                    }
                    client::Event::Malformed(malformed) => panic!("{malformed}"),
                    _ => {}
                }
            }
            let sent = self.up.0.copy_to_bytes(self.up.0.remaining());
            self.up.1.feed(&sent);
            if sent.is_empty() && self.down.1.is_empty() {
                return;
            }
        }
        panic!("no end");
    }

    fn serve(&mut self, write: &mut impl FnMut(FetchWriter<'_>)) {
        let done = Status::new(Condition::Ok, ResponseText::new(b"done").unwrap());
        let (output, input) = (&mut self.down.0, &mut self.up.1);
        while let Framed::Ready(unit) = self.server.frame(input, output).unwrap() {
            match self.server.decode(unit, input).unwrap() {
                Event::Command(Command::Fetch { .. }, answer) => {
                    write(self.server.untagged(&answer, output).unwrap().fetch(1));
                    self.server.answer(answer, &done, output).unwrap();
                }
                Event::Connected(answer) | Event::Command(_, answer) => {
                    self.server.answer(answer, &done, output).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn an_envelope_arrives_as_it_was_pushed_and_is_handed_on_as_it_came() {
    let from = [AddressFields {
        name: some("A \"quoted\" name"),
        mailbox: some("a"),
        host: some("x.org"),
        ..Default::default()
    }];
    let to = [
        AddressFields { mailbox: some("friends"), ..Default::default() },
        AddressFields {
            name: some("J\u{fc}rgen"),
            mailbox: some("j\r\nk"),
            host: some("y.org"),
            ..Default::default()
        },
        AddressFields::default(),
    ];
    let envelope = EnvelopeFields {
        date: some("Mon, 7 Feb 1994 21:52:25 -0800"),
        subject: some(""),
        from: &from,
        to: &to,
        message_id: some("<1@x>"),
        ..Default::default()
    };
    let (mut one, mut other) = (Pair::new(), Pair::new());
    let mut seen = 0;
    let mut kept = None;
    one.fetch(
        |fetch| fetch.uid(9).envelope(&envelope).size(77).end(),
        |item| match item {
            FetchItem::Envelope(envelope) => {
                assert_eq!(&*envelope.date().unwrap().bytes(), b"Mon, 7 Feb 1994 21:52:25 -0800");
                assert!(envelope.subject().unwrap().bytes().is_empty());
                assert!(envelope.in_reply_to().is_none() && envelope.cc().is_empty());
                // Sender and Reply-To are those of From, where the message has none.
                for list in [envelope.from(), envelope.sender(), envelope.reply_to()] {
                    assert_eq!(list.len(), 1);
                    assert_eq!(&*list.iter().next().unwrap().name().unwrap().bytes(), b"A \"quoted\" name");
                }
                let to: Vec<_> = envelope.to().iter().collect();
                assert_eq!(to.len(), 3);
                assert!(to[0].host().is_none() && to[2].mailbox().is_none());
                assert_eq!(&*to[1].mailbox().unwrap().bytes(), b"j\r\nk");
                assert_eq!(to[1].name().unwrap().text().unwrap(), "J\u{fc}rgen");
                kept = Some(mail_wire::Owned::<mail_imap_proto::types::Envelope<'static>>::new(envelope));
                seen += 1;
            }
            FetchItem::Uid(_) | FetchItem::Size(_) => seen += 1,
            other => panic!("{other:?}"),
        },
    );
    assert_eq!(seen, 3);
    let kept = kept.unwrap();
    other.fetch(|fetch| fetch.uid(9).envelope_from(kept.get()).unwrap().size(77).end(), |_| ());
    assert_eq!(other.wire.escape_ascii().to_string(), one.wire.escape_ascii().to_string());
}

#[test]
fn a_body_structure_arrives_as_it_was_pushed() {
    let params = [(text("charset"), text("utf-8")), (text("name"), text("a\r\nb"))];
    let languages = [text("de"), text("en")];
    let inner = EnvelopeFields { subject: some("inner"), ..Default::default() };
    let attachment = Disposition { kind: text("attachment"), params: &params };
    let nodes = [
        BodyNode { params: &params, ..BodyNode::new(BodyShape::Multipart { parts: 3 }, text("mixed")) },
        BodyNode {
            octets: 12,
            params: &params,
            encoding: some("QUOTED-PRINTABLE"),
            language: &languages,
            ..BodyNode::new(BodyShape::Text { lines: 2 }, text("plain"))
        },
        BodyNode {
            octets: 99,
            ..BodyNode::new(BodyShape::Message { envelope: &inner, lines: 7 }, text("rfc822"))
        },
        BodyNode::new(BodyShape::Multipart { parts: 1 }, text("alternative")),
        BodyNode::new(BodyShape::Text { lines: 0 }, text("html")),
        BodyNode {
            id: some("<i>"),
            description: some("d"),
            md5: some("m"),
            disposition: Some(attachment),
            location: some("http://x"),
            octets: 5,
            ..BodyNode::new(BodyShape::Basic { media_type: text("image") }, text("png"))
        },
    ];
    let tree = BodyTree::new(&nodes).unwrap();
    for extended in [true, false] {
        let (mut one, mut other) = (Pair::new(), Pair::new());
        let mut kept = None;
        one.fetch(
            |fetch| fetch.body_structure(tree, extended).end(),
            |item| {
                let body = match item {
                    FetchItem::BodyStructure(body) | FetchItem::Body(body) => body,
                    other => panic!("{other:?}"),
                };
                let kinds: Vec<_> = body.nodes().map(|node| (node.kind(), node.depth())).collect();
                let expected = [
                    (NodeKind::Multipart, 0),
                    (NodeKind::Text, 1),
                    (NodeKind::Message, 1),
                    (NodeKind::Multipart, 2),
                    (NodeKind::Text, 3),
                    (NodeKind::Basic, 1),
                ];
                assert_eq!(kinds, expected);
                let plain = body.part(&[1]).unwrap();
                assert!(plain.is("text", "plain"));
                assert_eq!((plain.octets(), plain.lines(), plain.params().len()), (Some(12), Some(2), 2));
                assert_eq!(plain.languages().count(), if extended { 2 } else { 0 });
                assert!(body.part(&[2, 1]).unwrap().is("text", "html"));
                let message = body.part(&[2]).unwrap();
                assert_eq!(&*message.envelope().unwrap().subject().unwrap().bytes(), b"inner");
                assert_eq!((message.lines(), message.octets()), (Some(7), Some(99)));
                let image = body.part(&[3]).unwrap();
                assert_eq!(image.disposition().is_some(), extended);
                assert_eq!(image.location().is_some(), extended);
                assert_eq!(&*image.id().unwrap().bytes(), b"<i>");
                kept = Some(mail_wire::Owned::<mail_imap_proto::types::BodyStructure<'static>>::new(body));
            },
        );
        let kept = kept.unwrap();
        other.fetch(|fetch| fetch.body_structure_from(kept.get(), extended).unwrap().end(), |_| ());
        assert_eq!(other.wire.escape_ascii().to_string(), one.wire.escape_ascii().to_string());
    }
}

#[test]
fn what_is_no_tree_is_not_written() {
    let leaf = || BodyNode::new(BodyShape::Text { lines: 0 }, text("plain"));
    let multi = |parts| BodyNode::new(BodyShape::Multipart { parts }, text("mixed"));
    assert!(BodyTree::new(&[]).is_err());
    assert!(BodyTree::new(&[multi(0)]).is_err());
    assert!(BodyTree::new(&[multi(2), leaf()]).is_err());
    assert!(BodyTree::new(&[leaf(), leaf()]).is_err());
    assert!(BodyTree::new(&[multi(1), leaf(), leaf()]).is_err());
    let deep = |n: usize| (0..n).map(|_| multi(1)).chain([leaf()]).collect::<Vec<_>>();
    assert!(BodyTree::new(&deep(127)).is_ok());
    assert!(BodyTree::new(&deep(128)).is_err());
}

#[test]
fn small_attributes_arrive() {
    let mut pair = Pair::new();
    let date = DateTime::parse(b"17-Jul-1996 02:44:25 -0700").unwrap();
    let flags = [Flag::Seen, Flag::new(b"$Junk").unwrap()];
    let mut items = Vec::new();
    pair.fetch(
        |fetch| {
            fetch
                .flags(Flags::of(&flags))
                .internal_date(date)
                .mod_seq(5)
                .text(FetchAtt::MESSAGE, b"a\r\nb")
                .unwrap()
                .end();
        },
        |item| items.push(format!("{item:?}")),
    );
    assert_eq!(items.len(), 4, "{items:?}");
    assert!(items[0].contains("\\Seen") && items[0].contains("$Junk"), "{items:?}");
    assert_eq!(
        pair.wire.escape_ascii().to_string(),
        "* 1 FETCH (FLAGS (\\\\Seen $Junk) INTERNALDATE \\\"17-Jul-1996 02:44:25 -0700\\\" MODSEQ (5) BODY[] {4}\\r\\na\\r\\nb)\\r\\n\
         0003 OK done\\r\\n"
            .replace("0003", std::str::from_utf8(tag_of(&pair.wire)).unwrap())
    );
    let _ = (Bytes::new(), server::Phase::Selected);
}

/// The tag of the last line.
fn tag_of(wire: &[u8]) -> &[u8] {
    let line = wire.split(|octet| *octet == b'\n').rev().nth(1).unwrap();
    line.split(|octet| *octet == b' ').next().unwrap()
}
