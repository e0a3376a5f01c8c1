//! Laws of the grammar and the encoders, over random values.

use bytes::{Buf, Bytes};
use mail_pop3_proto::client::{self, Client};
use mail_pop3_proto::ext::capa::{Capabilities, Capability};
use mail_pop3_proto::server::{self, Event, Maildrop, Server};
use mail_pop3_proto::types::{
    Code, Digest, InitialResponse, LanguageRange, LanguageTag, Mechanism, MessageNumber, MsgId, Password,
    ReplyText, UniqueId, UserName,
};
use mail_pop3_proto::{Command, Reply, Verb};
use mail_wire::dot::BodyEol;
use mail_wire::{Framed, Handover, Input, Machine, Output};
use proptest::prelude::*;

fn drained(output: &mut Output) -> Vec<u8> {
    output.copy_to_bytes(output.remaining()).to_vec()
}

fn line(command: &Command<'_>) -> Vec<u8> {
    let mut output = Output::new();
    let _ = command.encode(usize::MAX, &mut output).unwrap();
    drained(&mut output)
}

/// What steers the framing of a message, and what does not.
const PARTS: [&[u8]; 6] = [b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"a", b"text of some length"];

proptest! {
    /// Whatever makes a command stays one line on the wire, and reads as the same command.
    #[test]
    fn what_is_encoded_is_one_line_and_reads_back(
        octets in prop::collection::vec(any::<u8>(), 0..80),
        text in "[a-zA-Z0-9*-]{0,12}",
        number in any::<u32>(),
        lines in any::<u32>(),
        verb in 0_usize..17,
    ) {
        let message = MessageNumber::new(number);
        let command = match Verb::ALL[verb] {
            Verb::User => UserName::try_from(&octets[..]).ok().map(Command::User),
            Verb::Pass => Password::try_from(&octets[..]).ok().map(Command::Pass),
            Verb::Apop => UserName::try_from(&octets[..]).ok().map(|name| Command::Apop {
                name,
                digest: Digest::new(u128::from(number).wrapping_mul(0x1234_5678_9abc_def1).to_be_bytes()),
            }),
            Verb::Auth => Mechanism::try_from(&*text).ok().map(|mechanism| Command::Auth {
                mechanism,
                initial: (number % 2 == 0).then(|| InitialResponse::new(&octets)),
            }),
            Verb::Lang if number == 0 => Some(Command::Lang(None)),
            Verb::Lang => LanguageRange::try_from(text.as_bytes()).ok().map(|range| Command::Lang(Some(range))),
            Verb::List => Some(Command::List(message)),
            Verb::Uidl => Some(Command::Uidl(message)),
            Verb::Retr => message.map(Command::Retr),
            Verb::Dele => message.map(Command::Dele),
            Verb::Top => message.map(|message| Command::Top { message, lines }),
            other => Command::parse(other.name().as_bytes()).ok(),
        };
        prop_assume!(command.is_some());
        let octets = line(&command.unwrap());
        let text = octets.strip_suffix(b"\r\n").unwrap();
        prop_assert!(!text.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)));
        let again = Command::parse(text).expect("it reads back");
        prop_assert_eq!(&line(&again), &octets);
        prop_assert_eq!(again.verb(), Some(Verb::ALL[verb]));
    }

    /// No line panics, and what parses is encoded to a line that parses.
    #[test]
    fn any_line_is_read(octets in prop::collection::vec(any::<u8>(), 0..60), verb in 0_usize..17, blank in any::<bool>()) {
        let mut text = Verb::ALL[verb].name().as_bytes().to_vec();
        text.extend(blank.then_some(b' '));
        text.extend(&octets);
        for text in [&octets, &text] {
            match Command::parse(text) {
                Ok(command) => {
                    let encoded = line(&command);
                    prop_assert!(Command::parse(&encoded[..encoded.len() - 2]).is_ok());
                }
                Err(malformed) => prop_assert!(malformed.at <= text.len()),
            }
        }
    }

    /// Values take what the standards allow, and nothing else.
    #[test]
    fn values_keep_to_their_rules(octets in prop::collection::vec(prop_oneof![any::<u8>(), 0x20_u8..0x7f], 0..80)) {
        let no_line_end = !octets.is_empty() && !octets.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0));
        prop_assert_eq!(UserName::try_from(&octets[..]).is_ok(), no_line_end);
        prop_assert_eq!(Password::try_from(&octets[..]).is_ok(), no_line_end);
        let id = (1..=70).contains(&octets.len()) && octets.iter().all(|octet| (0x21..=0x7e).contains(octet));
        prop_assert_eq!(UniqueId::try_from(&octets[..]).is_ok(), id);
        if let Ok(text) = std::str::from_utf8(&octets) {
            let good = !text.starts_with('[') && !text.chars().any(char::is_control);
            prop_assert_eq!(ReplyText::try_from(text).is_ok(), good);
            prop_assert!(LanguageTag::try_from(text).is_err() || text.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-'));
        }
        if MsgId::try_from(&octets[..]).is_ok() {
            prop_assert!(octets.starts_with(b"<") && octets.ends_with(b">") && octets.is_ascii());
            prop_assert_eq!(octets.iter().filter(|octet| **octet == b'@').count(), 1);
        }
        if let Ok(code) = Code::try_from(&octets[..]) {
            prop_assert!(code.name().eq_ignore_ascii_case(&octets));
        }
        if let Ok(capability) = Capability::parse(&octets) {
            let mut kept = Capabilities::new();
            kept.add(&octets).unwrap();
            prop_assert_eq!(kept.iter().next(), Some(capability));
        }
    }

    /// A reply is one line of at most 512 octets and reads back.
    #[test]
    fn a_reply_reads_back(text in "[ -Z\\]-~é]{0,100}", code in "[A-Z-]{1,8}(/[A-Z-]{1,8}){0,2}", ok in any::<bool>()) {
        let (text, code) = (ReplyText::try_from(&*text).unwrap(), Code::try_from(code.as_bytes()).unwrap());
        let reply = if ok { Reply::ok(text) } else { Reply::err(text) }.with(code);
        let mut output = Output::new();
        reply.encode(&mut output);
        let octets = drained(&mut output);
        prop_assert!(octets.len() <= 512);
        let mut client = logged_in();
        client.send(&Command::Noop, &mut output).unwrap();
        let mut input = Input::new();
        input.feed(&octets);
        let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() else { panic!() };
        let client::Event::Reply(_, line) = client.decode(unit, &mut input).unwrap() else { panic!() };
        prop_assert_eq!(line.is_ok(), ok);
        prop_assert_eq!(line.code(), Some(code));
        prop_assert_eq!(line.text(), text.as_str().as_bytes());
        let kept = line.into_owned();
        prop_assert_eq!(kept.get().text(), text.as_str().as_bytes());
    }

    /// What a server sends of a message, a client receives, whatever the pieces and the reads.
    #[test]
    fn a_message_comes_as_it_went(
        parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..40),
        piece in 1_usize..50,
        read in 1_usize..50,
    ) {
        let message = parts.concat();
        let mut wire = served(&message, piece);
        prop_assert!(wire.ends_with(b".\r\n"));
        let mut client = logged_in();
        let mut output = Output::new();
        let ticket = client.send(&Command::Retr(MessageNumber::FIRST), &mut output).unwrap();
        let (mut got, mut ended, mut input) = (Vec::new(), false, Input::new());
        while !wire.is_empty() {
            let n = input.feed(&wire[..read.min(wire.len())]);
            wire.drain(..n);
            while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
                match client.decode(unit, &mut input).unwrap() {
                    client::Event::Chunk(octets) => got.extend_from_slice(octets),
                    client::Event::End(end) => {
                        prop_assert!(end == ticket && wire.is_empty());
                        ended = true;
                    }
                    client::Event::Head(..) => {}
                    event => panic!("{event:?}"),
                }
            }
        }
        let mut expected = message;
        if !expected.is_empty() && !expected.ends_with(b"\r\n") {
            expected.extend_from_slice(b"\r\n");
        }
        prop_assert!(ended);
        prop_assert_eq!(got, expected);
    }
}

/// A client that has logged in and knows RESP-CODES.
fn logged_in() -> Client {
    let mut client = Handover::implicit(Client::new(client::Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    let commands = [Command::Capa, Command::parse(b"AUTH PLAIN =").unwrap()];
    let mut commands = commands.iter();
    for answer in ["+OK\r\n", "+OK\r\nRESP-CODES\r\nSASL PLAIN\r\n.\r\n", "+OK\r\n"] {
        input.feed(answer.as_bytes());
        while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
            drop(client.decode(unit, &mut input).unwrap());
        }
        if let Some(command) = commands.next() {
            client.send(command, &mut output).unwrap();
        }
    }
    assert!(client.is_authenticated());
    client
}

/// The answer to RETR, the message given in pieces.
fn served(message: &[u8], piece: usize) -> Vec<u8> {
    let mut config = server::Config::default();
    config.policy.body_eol = BodyEol::Pass;
    let mut server = Handover::implicit(Server::new(config)).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    input.feed(b"USER u\r\nPASS p\r\nRETR 1\r\n");
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        match server.decode(unit, &mut input).unwrap() {
            Event::Command(Command::Retr(_), answer) => {
                output.advance(output.remaining());
                let mut grant = server.answer_body(answer, ReplyText::EMPTY, &mut output).unwrap();
                for piece in message.chunks(piece) {
                    let mut piece = Bytes::copy_from_slice(piece);
                    server.body(&mut grant, &mut piece, &mut output).unwrap();
                    assert!(piece.is_empty());
                }
                server.end_body(grant, &mut output).unwrap();
            }
            Event::Command(Command::Pass(_), answer) => {
                let mut maildrop = Maildrop::new();
                maildrop.push(1, UniqueId::try_from("x").unwrap()).unwrap();
                server.accept(answer, maildrop, &Reply::ok(ReplyText::EMPTY), &mut output).unwrap();
            }
            Event::Command(_, answer) | Event::Connected(answer) => {
                server.answer(answer, &Reply::ok(ReplyText::EMPTY), &mut output).unwrap();
            }
            event => panic!("{event:?}"),
        }
    }
    drained(&mut output)
}
