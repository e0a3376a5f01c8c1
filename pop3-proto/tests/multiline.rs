//! Multi-line answers in small scope: every answer over a small alphabet against a reader of twenty lines.

use mail_pop3_proto::client::{Client, Config, Event};
use mail_pop3_proto::types::MessageNumber;
use mail_pop3_proto::{Command, Grammar, Item, OtherCommand, Rule, Shape, Violation};
use mail_wire::{Framed, Handover, Input, Machine, Output};

const ALPHABET: [u8; 8] = [b'\r', b'\n', b'.', b'A', b' ', b'+', b'-', 0];

/// What the octets behind the status line are: the body so far, and how many octets the whole answer has, if it is complete.
fn reference(octets: &[u8]) -> (Vec<u8>, Option<usize>) {
    let (mut body, mut at) = (Vec::new(), 0);
    while at < octets.len() {
        let end = octets[at..].windows(2).position(|pair| pair == b"\r\n").map(|found| at + found + 2);
        let line = &octets[at..end.unwrap_or(octets.len())];
        if line == b".\r\n" {
            return (body, Some(at + 3));
        }
        // A dot at the end of what there is may yet be the terminator.
        if end.is_none() && b".\r\n".starts_with(line) {
            break;
        }
        body.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        at += line.len();
    }
    (body, None)
}

fn client(command: &Command<'_>) -> Client {
    let mut client = Handover::implicit(Client::new(Config::default())).secured();
    let mut output = Output::new();
    let say = |client: &mut Client, octets: &[u8]| {
        let mut input = Input::new();
        input.feed(octets);
        while let Framed::Ready(unit) = client.frame(&mut input, &mut Output::new()).unwrap() {
            drop(client.decode(unit, &mut input).unwrap());
        }
    };
    say(&mut client, b"+OK\r\n");
    client.send(&Command::parse(b"AUTH PLAIN =").unwrap(), &mut output).unwrap();
    say(&mut client, b"+OK\r\n");
    client.send(command, &mut output).unwrap();
    say(&mut client, b"+OK\r\n");
    client
}

/// The body, and whether it is complete; `None` once the session has failed.
fn read(client: &mut Client, octets: &[u8], size: usize) -> (Vec<u8>, bool, bool) {
    let (mut input, mut output, mut body, mut ended) = (Input::new(), Output::new(), Vec::new(), false);
    for chunk in octets.chunks(size) {
        input.feed(chunk);
        loop {
            match client.frame(&mut input, &mut output) {
                Ok(Framed::Ready(unit)) => match client.decode(unit, &mut input).unwrap() {
                    Event::Chunk(chunk) => body.extend_from_slice(chunk),
                    Event::End(_) => ended = true,
                    Event::Items(_, items) => {
                        for item in items {
                            let Ok(Item::Line(line)) = item else { panic!("{item:?}") };
                            body.extend_from_slice(line);
                            body.extend_from_slice(b"\r\n");
                        }
                    }
                    event => panic!("{event:?}"),
                },
                Ok(Framed::NeedInput) => break,
                Err(_) => return (body, ended, true),
                other => panic!("{other:?}"),
            }
        }
    }
    (body, ended, false)
}

fn octets(mut code: usize, len: usize) -> Vec<u8> {
    (0..len)
        .map(|_| {
            let octet = ALPHABET[code % ALPHABET.len()];
            code /= ALPHABET.len();
            octet
        })
        .collect()
}

fn all(most: u32) {
    let retr = Command::Retr(MessageNumber::FIRST);
    for len in 0..=most {
        for code in 0..ALPHABET.len().pow(len) {
            let octets = octets(code, len as usize);
            let (body, end) = reference(&octets);
            for size in [1, octets.len().max(1)] {
                let (got, ended, failed) = read(&mut client(&retr), &octets, size);
                assert_eq!((&got, ended), (&body, end.is_some()), "{octets:?} in reads of {size}");
                // What is left over was asked for by nobody. One that may become the reason why the server goes away is waited for.
                let left = end.map_or(&[][..], |end| &octets[end..]);
                assert_eq!(failed, !b"-ERR".starts_with(left), "{octets:?}");
            }
        }
    }
}

/// All messages of up to four octets over those that steer, by a client made anew for each; longer ones and listings stand beside the machine,
/// where it can be copied in the middle of an answer.
#[test]
fn a_message_ends_where_the_standard_says() {
    all(4);
}

/// The lines of a listing end at the same place as a message, where all lines are whole.
#[test]
fn a_listing_ends_where_a_message_does() {
    let lines = Command::Other(OtherCommand::new(b"XTND", Shape::Lines).unwrap());
    for parts in 0..7_usize.pow(5) {
        let parts: Vec<&[u8]> = (0..5)
            .map(|i| [&b"."[..], b"..", b"a", b"", b"+OK", b".a", b" "][parts / 7_usize.pow(i) % 7])
            .collect();
        let octets = parts.join(&b"\r\n"[..]);
        let octets = [&octets[..], b"\r\n"].concat();
        let (body, end) = reference(&octets);
        let (got, ended, _) = read(&mut client(&lines), &octets, octets.len());
        assert_eq!((got, ended), (body, end.is_some()), "{octets:?}");
    }
}

/// A line that does not parse is an error beside the good ones where the grammar is tolerant; where it is strict it ends the session, and those
/// before it have been told.
#[test]
fn a_malformed_line_stands_beside_the_good_ones_or_is_the_end() {
    let answer = b"+OK\r\n1 5\r\nx\r\n2 5\r\n.\r\n";
    for (grammar, told) in
        [(Grammar::tolerant(), vec![vec![Some(5), None, Some(5)]]), (Grammar::strict(), vec![vec![Some(5)]])]
    {
        let strict = grammar.strict;
        let mut config = Config::default();
        config.policy.grammar = grammar;
        let mut client = Handover::implicit(Client::new(config)).secured();
        let (mut input, mut output, mut heard, mut end) = (Input::new(), Output::new(), Vec::new(), None);
        let commands = [Command::parse(b"AUTH PLAIN =").unwrap(), Command::List(None)];
        let mut commands = commands.iter();
        for octets in [&b"+OK\r\n"[..], b"+OK\r\n", answer] {
            input.feed(octets);
            end = loop {
                let unit = match client.frame(&mut input, &mut output) {
                    Ok(Framed::Ready(unit)) => unit,
                    Ok(framed) => break Ok(framed),
                    Err(violation) => break Err(violation),
                };
                if let Event::Items(_, items) = client.decode(unit, &mut input).unwrap() {
                    let size =
                        |item| if let Ok(Item::Scan { octets, .. }) = item { Some(octets) } else { None };
                    heard.push(items.iter().map(size).collect::<Vec<_>>());
                }
            }
            .err();
            commands.next().map(|command| client.send(command, &mut output).unwrap());
        }
        let malformed = Violation::Malformed(Rule::Number);
        assert_eq!((heard, end), (told, strict.then_some(malformed)));
    }
}
