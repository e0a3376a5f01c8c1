//! A message of any size passes in constant memory, in and out, with a peer that stalls.

use bytes::{Buf, Bytes};
use mail_smtp_proto::server::{self, Server};
use mail_smtp_proto::{Command, ReplyBuf, client};
use mail_testkit::heap::{Heap, Meter};
use mail_wire::{Framed, Input, Machine, Output};

#[global_allocator]
static HEAP: Heap = Heap;

/// The most heap that `work` held at once, beyond what was held before.
fn heap(work: impl FnOnce()) -> usize {
    let meter = Meter::begin();
    work();
    meter.most()
}

const PIECE: usize = 16 * 1024;
static LINE: &[u8] = b".a line of a message that begins with a dot, as one in some does....\r\n";

fn ok(code: u16) -> ReplyBuf {
    ReplyBuf::line(code, "ok").unwrap()
}

/// The octets of a body on the wire, dot-stuffed: a piece that repeats, which is a whole number of lines.
fn wire() -> Vec<u8> {
    let line = [b".", LINE].concat();
    line.repeat(PIECE / line.len())
}

/// Feeds a server a message of about `total` octets. Gives the octets that came out.
fn receive(total: u64, head: &str, piece: &[u8], tail: &[u8]) -> (u64, usize) {
    let mut given = 0;
    let most = heap(|| {
        let mut config = server::Config::default();
        config.limits.message = u64::MAX;
        let mut server = Server::new(config);
        let (mut input, mut output) = (Input::new(), Output::new());
        let mut steps = head.split_inclusive('\n').map(str::as_bytes);
        let (mut left, mut ended, mut done) = (total, false, false);
        while !done {
            match server.frame(&mut input, &mut output).unwrap() {
                Framed::Ready(unit) => match server.decode(unit, &mut input).unwrap() {
                    server::Event::Connected(answer) => server.answer(answer, &ok(220), &mut output).unwrap(),
                    server::Event::Command(_, answer) => {
                        server.answer(answer, &ok(250), &mut output).unwrap()
                    }
                    server::Event::Body(offer) => server.accept_body(offer, &mut output).unwrap(),
                    server::Event::Chunk(octets) => given += octets.len() as u64,
                    server::Event::BodyEnd(answer) => {
                        server.answer(answer, &ok(250), &mut output).unwrap();
                        done = true;
                    }
                    _ => {}
                },
                Framed::NeedInput => {
                    output.advance(output.remaining());
                    if let Some(step) = steps.next() {
                        assert_eq!(input.feed(step), step.len());
                    } else if left > 0 {
                        // Reads as large as there is room for, up to 16 KiB.
                        let mut rest = piece;
                        while !rest.is_empty() {
                            let n = input.feed(rest);
                            rest = &rest[n..];
                            while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
                                match server.decode(unit, &mut input).unwrap() {
                                    server::Event::Chunk(octets) => given += octets.len() as u64,
                                    server::Event::BodyEnd(answer) => {
                                        server.answer(answer, &ok(250), &mut output).unwrap();
                                        done = true;
                                    }
                                    other => panic!("{other:?}"),
                                }
                            }
                        }
                        left = left.saturating_sub(piece.len() as u64);
                    } else {
                        assert!(!ended, "the end was not seen");
                        input.feed(tail);
                        ended = true;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    });
    (given, most)
}

fn send(total: u64, chunked: bool) -> (u64, usize) {
    let body = Bytes::from(LINE.repeat(PIECE / LINE.len()));
    let mut sent = 0;
    let most = heap(|| {
        let mut client = client::Client::new(client::Config::default());
        let (mut input, mut output) = (Input::new(), Output::new());
        let mut replies =
            ["220 mx\r\n", "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"]
                .into_iter();
        let pieces = total / body.len() as u64;
        let mut grant = None;
        let mut stage = 0;
        while grant.is_none() {
            input.feed(replies.next().unwrap_or_default().as_bytes());
            while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
                if let client::Event::BodyWanted(_, _, leave) = client.decode(unit, &mut input).unwrap() {
                    grant = Some(leave);
                }
            }
            let commands: &[&str] = match stage {
                0 => &["EHLO c"],
                1 if chunked => &["MAIL FROM:<a@b>", "RCPT TO:<c@d>"],
                1 => &["MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA"],
                _ => &[],
            };
            for line in commands {
                client.send(&Command::parse(line.as_bytes()).unwrap(), &mut output).unwrap();
            }
            if stage == 1 && chunked {
                grant = Some(client.chunk(pieces * body.len() as u64, true, &mut output).unwrap().1);
            }
            stage += 1;
        }
        output.advance(output.remaining());
        let mut grant = grant.unwrap();
        for index in 0..pieces {
            let mut piece = body.clone();
            while !piece.is_empty() {
                client.body(&mut grant, &mut piece, &mut output).unwrap();
                // The receiver stalls once, until nothing more is taken; then it reads 16 KiB at a time.
                if index > 3 || output.is_full() {
                    while output.has_remaining() {
                        let n = output.chunk().len().min(PIECE);
                        sent += n as u64;
                        output.advance(n);
                    }
                }
            }
        }
        client.end_body(grant, &mut output).unwrap();
        sent += output.remaining() as u64;
    });
    (sent, most)
}

fn bodies(total: u64) {
    const HEAD: &str = "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    let piece = wire();
    let pieces = total.div_ceil(piece.len() as u64);
    let (given, most) = receive(total, &format!("{HEAD}DATA\r\n"), &piece, b".\r\n");
    let stuffing = (piece.len() / (LINE.len() + 1)) as u64;
    assert_eq!(given, pieces * (piece.len() as u64 - stuffing));
    assert!(most <= 64 * 1024, "DATA in: {most}");

    let octets = pieces * piece.len() as u64;
    let (given, most) = receive(total, &format!("{HEAD}BDAT {octets} LAST\r\n"), &piece, b"");
    assert_eq!(given, octets);
    assert!(most <= 64 * 1024, "BDAT in: {most}");

    let lines = PIECE / LINE.len();
    let pieces = total / (lines * LINE.len()) as u64;
    let (sent, most) = send(total, false);
    assert_eq!(sent, pieces * (lines * (LINE.len() + 1)) as u64 + 3);
    assert!(most <= 64 * 1024, "DATA out: {most}");
    let (sent, most) = send(total, true);
    assert_eq!(sent, pieces * (lines * LINE.len()) as u64);
    assert!(most <= 64 * 1024, "BDAT out: {most}");
}

fn bodies_of_16_mib_pass_in_constant_memory() {
    bodies(16 << 20);
}

#[test]
#[ignore = "large"]
fn large_bodies_of_1_gib_pass_in_constant_memory() {
    bodies(1 << 30);
}

/// 2 KiB is what an idle connection may hold.
fn an_idle_connection_holds_little() {
    let meter = Meter::begin();
    let mut server = Server::new(server::Config::default());
    let (mut input, mut output) = (Input::new(), Output::new());
    input.feed(b"EHLO c\r\n");
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        if let server::Event::Connected(answer) = server.decode(unit, &mut input).unwrap() {
            server.answer(answer, &ok(220), &mut output).unwrap();
        }
    }
    output.advance(output.remaining());
    input.idle();
    output.idle();
    assert!(meter.most() > 0 && meter.held() <= 2048, "{}", meter.held());
    drop((server, input, output));
}

/// One test for all: the allocator counts for the whole process, and a test that ends beside another gives memory back.
#[test]
fn memory_is_bounded() {
    bodies_of_16_mib_pass_in_constant_memory();
    an_idle_connection_holds_little();
}
