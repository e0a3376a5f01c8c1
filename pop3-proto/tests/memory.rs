//! Messages of any size pass in constant memory, in and out: reads and pieces of 16 KiB, and a receiver that stalls once.

use bytes::{Buf, Bytes};
use mail_pop3_proto::client::{self, Client};
use mail_pop3_proto::server::{self, BodyGrant, Event, Maildrop, Server};
use mail_pop3_proto::types::{MessageNumber, ReplyText, UniqueId};
use mail_pop3_proto::{Command, Reply};
use mail_testkit::heap::{Heap, Meter};
use mail_wire::{Framed, Handover, Input, Machine, Output};
use std::sync::LazyLock;

#[global_allocator]
static HEAP: Heap = Heap;

const PIECE: usize = 16 * 1024;

fn ok() -> Reply<'static> {
    Reply::ok(ReplyText::EMPTY)
}

/// Lines of every kind that stuffing knows, of a length that divides no read. It is there before anything is counted.
static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let line = b"..a line with a dot before it, or two\r\n.\r\nand one of the usual length without anything special in it\r\n";
    line.iter().copied().cycle().take(line.len() * (PIECE / line.len())).collect()
});

/// The same as it is on the wire.
static STUFFED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let text = String::from_utf8(TEXT.clone()).unwrap();
    let stuffed = |line: &str| if line.starts_with('.') { format!(".{line}") } else { line.to_owned() };
    text.split_inclusive("\r\n").map(stuffed).collect::<String>().into()
});

fn serve_octets(octets: u64) -> usize {
    LazyLock::force(&TEXT);
    let meter = Meter::begin();
    let mut server = Handover::implicit(Server::new(server::Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    input.feed(b"USER u\r\nPASS p\r\nRETR 1\r\nNOOP\r\n");
    let mut grant: Option<BodyGrant> = None;
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        match server.decode(unit, &mut input).unwrap() {
            Event::Command(Command::Pass(_), answer) => {
                let mut maildrop = Maildrop::new();
                maildrop.push(octets, UniqueId::try_from("x").unwrap()).unwrap();
                server.accept(answer, maildrop, &ok(), &mut output).unwrap();
            }
            Event::Command(Command::Retr(_), answer) => {
                grant = Some(server.answer_body(answer, ReplyText::EMPTY, &mut output).unwrap());
            }
            Event::Command(_, answer) | Event::Connected(answer) => {
                server.answer(answer, &ok(), &mut output).unwrap()
            }
            event => panic!("{event:?}"),
        }
    }
    let (mut grant, mut given, mut sent, mut stalled) = (grant.unwrap(), 0_u64, 0_u64, false);
    while given < octets {
        let mut piece = Bytes::from_static(&TEXT);
        given += piece.len() as u64;
        while !piece.is_empty() {
            let left = piece.len();
            server.body(&mut grant, &mut piece, &mut output).unwrap();
            if given > octets / 2 && !stalled {
                // The receiver stalls: nothing more is taken, nothing more is held.
                stalled = output.is_full();
                if !stalled {
                    continue;
                }
                let held = output.len();
                server.body(&mut grant, &mut piece, &mut output).unwrap();
                assert_eq!(output.len(), held);
            }
            if output.is_full() || piece.len() == left {
                sent += output.remaining() as u64;
                output.advance(output.remaining());
            }
        }
    }
    server.end_body(grant, &mut output).unwrap();
    sent += output.remaining() as u64;
    assert!(stalled && sent > given);
    meter.most()
}

fn fetch_octets(octets: u64) -> usize {
    let wire = LazyLock::force(&STUFFED);
    let meter = Meter::begin();
    let mut client = Handover::implicit(Client::new(client::Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    let (mut got, mut ends) = (0_u64, 0);
    let mut feed = |client: &mut Client, mut read: &[u8]| {
        while !read.is_empty() {
            let n = input.feed(read);
            read = &read[n..];
            while let Framed::Ready(unit) = client.frame(&mut input, &mut Output::new()).unwrap() {
                match client.decode(unit, &mut input).unwrap() {
                    client::Event::Chunk(octets) => got += octets.len() as u64,
                    client::Event::End(_) => ends += 1,
                    _ => {}
                }
            }
        }
    };
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::parse(b"USER u").unwrap(), &mut output).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::parse(b"PASS u").unwrap(), &mut output).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::Retr(MessageNumber::FIRST), &mut output).unwrap();
    feed(&mut client, b"+OK\r\n");
    let mut fed = 0;
    while fed < octets {
        wire.chunks(PIECE).for_each(|read| feed(&mut client, read));
        fed += TEXT.len() as u64;
    }
    feed(&mut client, b".\r\n");
    assert_eq!((got, ends), (fed, 1));
    meter.most()
}

fn sixteen_mebibytes_out_and_in() {
    let (out, into) = (serve_octets(16 << 20), fetch_octets(16 << 20));
    assert!(out <= 64 * 1024 && into <= 64 * 1024, "{out} out, {into} in");
}

#[test]
#[ignore = "large"]
fn large_one_gibibyte_out_and_in() {
    let (out, into) = (serve_octets(1 << 30), fetch_octets(1 << 30));
    assert!(out <= 64 * 1024 && into <= 64 * 1024, "{out} out, {into} in");
}

fn a_connection_that_waits_holds_two_kibibytes() {
    let meter = Meter::begin();
    let mut server = Handover::implicit(Server::new(server::Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    let before = meter.most();
    input.feed(b"USER u\r\nPASS p\r\nSTAT\r\n");
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        match server.decode(unit, &mut input).unwrap() {
            Event::Command(Command::Pass(_), answer) => {
                server.accept(answer, Maildrop::new(), &ok(), &mut output).unwrap()
            }
            Event::Command(_, answer) | Event::Connected(answer) => {
                server.answer(answer, &ok(), &mut output).unwrap()
            }
            _ => {}
        }
    }
    output.advance(output.remaining());
    output.idle();
    input.idle();
    let held = meter.held();
    assert!(held <= 2048, "the server holds {held}, at its start {before}");
    drop((server, input, output, meter));
    let meter = Meter::begin();
    let mut client = Handover::implicit(Client::new(client::Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    for answer in ["+OK\r\n", "+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN\r\nPIPELINING\r\n.\r\n"] {
        input.feed(answer.as_bytes());
        while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
            drop(client.decode(unit, &mut input).unwrap());
        }
        client.send(&Command::Capa, &mut output).unwrap();
    }
    output.advance(output.remaining());
    output.idle();
    input.idle();
    let held = meter.held();
    assert!(held <= 2048, "the client holds {held}");
}

fn a_hostile_client_makes_a_server_hold_no_more_before_log_in() {
    for (begins, goes_on, most) in [(&b""[..], b'x', 5 * 1024), (b"AUTH PLAIN ", b'A', 28 * 1024)] {
        let meter = Meter::begin();
        let mut server = Handover::implicit(Server::new(server::Config::default())).secured();
        let (mut input, mut output) = (Input::new(), Output::new());
        let read = [goes_on; 1460];
        for read in std::iter::once(begins).chain(std::iter::repeat_n(&read[..], 70)) {
            input.feed(read);
            while let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) {
                if let Event::Connected(answer) = server.decode(unit, &mut input).unwrap() {
                    server.answer(answer, &ok(), &mut output).unwrap();
                }
            }
        }
        assert!(meter.most() <= most, "{} held", meter.most());
    }
}

/// One test for all: the allocator counts for the whole process, and a test that ends beside another gives memory back.
#[test]
fn memory_is_bounded() {
    sixteen_mebibytes_out_and_in();
    a_connection_that_waits_holds_two_kibibytes();
    a_hostile_client_makes_a_server_hold_no_more_before_log_in();
}
