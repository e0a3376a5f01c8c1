//! What a message is short of: the octets that the maildrop lists, against those that went out.

use bytes::{Buf, Bytes};
use mail_pop3_proto::server::{BodyGrant, Config, Event, Maildrop, Server};
use mail_pop3_proto::types::{ReplyText, UniqueId};
use mail_pop3_proto::{Command, Reply};
use mail_wire::dot::BodyEol;
use mail_wire::{Framed, Handover, Input, Machine, Output};

/// A server that has answered RETR or TOP of a message that it lists with so many octets.
fn sending(command: &str, listed: u64, eol: BodyEol) -> (Server, BodyGrant, Output) {
    let mut config = Config::default();
    config.policy.body_eol = eol;
    let mut server = Handover::implicit(Server::new(config)).secured();
    let (mut input, mut output, ok) = (Input::new(), Output::new(), Reply::ok(ReplyText::EMPTY));
    input.feed(format!("USER u\r\nPASS p\r\n{command}\r\n").as_bytes());
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        match server.decode(unit, &mut input).unwrap() {
            Event::Command(Command::Retr(_) | Command::Top { .. }, answer) => {
                let grant = server.answer_body(answer, ReplyText::EMPTY, &mut output).unwrap();
                output.advance(output.remaining());
                return (server, grant, output);
            }
            Event::Command(Command::Pass(_), answer) => {
                let mut maildrop = Maildrop::new();
                maildrop.push(listed, UniqueId::try_from("x").unwrap()).unwrap();
                server.accept(answer, maildrop, &ok, &mut output).unwrap();
            }
            Event::Command(_, answer) | Event::Connected(answer) => {
                server.answer(answer, &ok, &mut output).unwrap();
            }
            event => panic!("{event:?}"),
        }
    }
    panic!("the command was not read")
}

/// What is told to be missing behind all of `given`.
fn missing(command: &str, listed: u64, eol: BodyEol, given: &str, piece: usize) -> u64 {
    let (mut server, mut grant, mut output) = sending(command, listed, eol);
    for piece in given.as_bytes().chunks(piece) {
        server.body(&mut grant, &mut Bytes::copy_from_slice(piece), &mut output).unwrap();
    }
    let missing = server.missing(&grant);
    server.end_body(grant, &mut output).unwrap();
    missing
}

#[test]
fn what_is_listed_is_measured_as_the_client_has_it() {
    use BodyEol::{Normalise, Pass, Reject};
    let cases = [
        // Stuffing and the terminator are no part of it; more than is listed is nothing missing.
        ("RETR 1", 6, Reject, ".a\r\n\r\n", 0),
        ("RETR 1", 0, Reject, "", 0),
        ("RETR 1", 3, Reject, "a\r\nb\r\n", 0),
        ("RETR 1", 6, Reject, "a\r\n", 3),
        ("RETR 1", 1, Reject, "", 1),
        // The line end that is added makes up for its own want, listed or not, and for no other.
        ("RETR 1", 4, Reject, "abcd", 0),
        ("RETR 1", 6, Reject, "abcd", 0),
        ("RETR 1", 5, Reject, "abcd", 1),
        ("RETR 1", 7, Reject, "abcd", 3),
        // A store with LF alone lists what goes out.
        ("RETR 1", 8, Normalise, "a\nb\n\r\n", 0),
        ("RETR 1", 9, Normalise, "a\nb\n\r\n", 1),
        ("RETR 1", 3, Normalise, "a\r", 0),
        ("RETR 1", 6, Pass, "a\nb\n\r\n", 0),
        ("RETR 1", 7, Pass, "a\nb\n\r\n", 1),
        // TOP has all it wants, or has not.
        ("TOP 1 1", 99, Reject, "A: b\r\n\r\nc\r\nd\r\n", 0),
        ("TOP 1 3", 99, Reject, "A: b\r\n\r\nc\r\nd\r\n", 85),
        ("TOP 1 3", 14, Reject, "A: b\r\n\r\nc\r\nd\r\n", 0),
    ];
    for (command, listed, eol, given, expected) in cases {
        for piece in 1..=given.len().max(1) {
            assert_eq!(
                missing(command, listed, eol, given, piece),
                expected,
                "{command} {listed} {eol:?} {given:?}"
            );
        }
    }
}

/// A grant of another connection learns nothing.
#[test]
fn another_grant_misses_nothing() {
    let (server, mine, _) = sending("RETR 1", 9, BodyEol::Reject);
    let (_, other, _) = sending("RETR 1", 9, BodyEol::Reject);
    assert_eq!((server.missing(&mine), server.missing(&other)), (9, 0));
}
