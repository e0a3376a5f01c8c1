//! A message of any size passes the server in constant memory, both ways. Its own file: the allocator counts for the whole process.

use bytes::{Buf, Bytes};
use mail_imap_proto::Limits;
use mail_imap_proto::server::{AuthTurn, BodyGrant, Config, Event, Offer, Server};
use mail_imap_proto::types::{Condition, FetchAtt, ResponseText, Status};
use mail_testkit::heap::{Heap, LINES, Meter};
use mail_wire::{Framed, Handover, Input, Machine, Output};
use std::sync::Arc;

#[global_allocator]
static HEAP: Heap = Heap;

const READ: usize = LINES.len();
const HEAP_MAX: usize = 64 * 1024;

struct Bench {
    server: Server,
    input: Input,
    output: Output,
    sent: u64,
    taken: u64,
}

impl Bench {
    fn new(message: u64) -> Self {
        let limits = Limits { append: message, ..Limits::default() };
        let server = Server::new(Config { limits, ..Config::default() });
        let server = Handover::implicit(server).secured();
        let mut bench = Self { server, input: Input::new(), output: Output::new(), sent: 0, taken: 0 };
        bench.say(b"");
        bench.say(b"a LOGIN u p\r\nb SELECT INBOX\r\n");
        bench
    }

    fn say(&mut self, octets: &[u8]) {
        let mut rest = octets;
        loop {
            let n = self.input.feed(rest);
            rest = &rest[n..];
            self.run();
            if rest.is_empty() {
                return;
            }
        }
    }

    fn run(&mut self) {
        loop {
            match self.server.frame(&mut self.input, &mut self.output).unwrap() {
                Framed::Ready(unit) => self.turn(unit),
                Framed::NeedInput => break,
                other => panic!("{other:?}"),
            }
        }
        self.flush();
    }

    /// A receiver that takes what there is.
    fn flush(&mut self) {
        self.sent += self.output.remaining() as u64;
        self.output.advance(self.output.remaining());
    }

    fn turn(&mut self, unit: mail_wire::Unit) {
        let done = Status::new(Condition::Ok, ResponseText::new(b"done").unwrap());
        match self.server.decode(unit, &mut self.input).unwrap() {
            Event::Append(_, offer) => self.server.accept_body(offer, &mut self.output).unwrap(),
            Event::Chunk(octets) => self.taken += octets.len() as u64,
            Event::Connected(answer) | Event::Command(_, answer) | Event::BodyEnd(answer) => {
                self.server.answer(answer, &done, &mut self.output).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What is held above the start, at the most.
fn peak(measured: impl FnOnce()) -> usize {
    let meter = Meter::begin();
    measured();
    meter.most()
}

fn append(octets: u64) {
    let announced = format!("c APPEND INBOX {{{octets}+}}\r\n");
    let mut taken = 0;
    let peak = peak(|| {
        let mut bench = Bench::new(octets);
        bench.say(announced.as_bytes());
        for _ in 0..octets / READ as u64 {
            bench.say(&LINES);
        }
        bench.say(b"\r\nd NOOP\r\n");
        taken = bench.taken;
    });
    assert_eq!(taken, octets);
    assert!(peak <= HEAP_MAX, "{peak} octets of heap");
}

fn fetch(octets: u64) {
    let mut sent = 0;
    let peak = peak(|| {
        let mut bench = Bench::new(octets);
        let before = bench.sent;
        bench.input.feed(b"c FETCH 1 BODY[]\r\n");
        let unit = match bench.server.frame(&mut bench.input, &mut bench.output).unwrap() {
            Framed::Ready(unit) => unit,
            other => panic!("{other:?}"),
        };
        let Event::Command(_, answer) = bench.server.decode(unit, &mut bench.input).unwrap() else {
            panic!()
        };
        let mut writer = bench.server.untagged(&answer, &mut bench.output).unwrap();
        let mut grant = writer.fetch(1).body(FetchAtt::MESSAGE, octets).unwrap();
        let mut turns = 0_u64;
        while grant.left() > 0 {
            send(&mut bench, &mut grant);
            turns += 1;
            // The receiver stalls once, then takes it all.
            if turns != 3 {
                bench.flush();
            }
        }
        let done = Status::new(Condition::Ok, ResponseText::new(b"done").unwrap());
        bench.server.answer(answer, &done, &mut bench.output).unwrap();
        bench.run();
        sent = bench.sent - before;
    });
    let frame = "* 1 FETCH (BODY[] {})\r\n\r\nc OK done\r\n".len() + octets.to_string().len();
    assert_eq!(sent, octets + frame as u64);
    assert!(peak <= HEAP_MAX, "{peak} octets of heap");
}

fn send(bench: &mut Bench, grant: &mut BodyGrant) {
    let n = usize::try_from(grant.left()).unwrap().min(READ);
    let mut piece = Bytes::from_static(&LINES[..n]);
    while !piece.is_empty() {
        bench.server.body(grant, &mut piece, &mut bench.output).unwrap();
        if bench.output.is_full() {
            bench.flush();
        }
    }
}

fn sixteen_mebibytes_in() {
    append(16 << 20);
}

fn sixteen_mebibytes_out() {
    fetch(16 << 20);
}

#[test]
#[ignore = "large"]
fn large_append_of_a_gibibyte() {
    append(1 << 30);
}

#[test]
#[ignore = "large"]
fn large_fetch_of_a_gibibyte() {
    fetch(1 << 30);
}

/// A connection that waits holds next to nothing.
fn an_idle_connection_is_small() {
    let meter = Meter::begin();
    let mut bench = Bench::new(1 << 20);
    bench.say(b"c NOOP\r\n");
    bench.input.idle();
    bench.output.idle();
    let held = meter.held() + size_of::<Server>();
    assert!(held <= 4096, "{held} octets");
}

/// What a client may make a server hold before it has logged in.
const BEFORE_LOG_IN: usize = 20 * 1024;

/// A client that nobody knows: it sends as much as is taken, in reads of `read` octets, and reads nothing of what it is told.
struct Hostile {
    server: Server,
    input: Input,
    output: Output,
    /// The exchange that is held while more octets come.
    turn: Option<AuthTurn>,
    over: bool,
}

impl Hostile {
    fn new() -> Self {
        let offer = Arc::new(Offer::new("IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN STARTTLS").unwrap());
        let server = Handover::implicit(Server::new(Config { offer, ..Config::default() })).secured();
        Self { server, input: Input::new(), output: Output::new(), turn: None, over: false }
    }

    /// Takes the octets until no more are taken. How many were.
    fn say(&mut self, octets: &[u8], read: usize) -> usize {
        let mut taken = 0;
        loop {
            self.run();
            let rest = &octets[taken..];
            let n = self.input.feed(&rest[..rest.len().min(read)]);
            taken += n;
            if n == 0 {
                return taken;
            }
        }
    }

    fn run(&mut self) {
        while !self.over {
            match self.server.frame(&mut self.input, &mut self.output) {
                Ok(Framed::Ready(unit)) => self.turn(unit),
                Ok(Framed::Closed) | Err(_) => self.over = true,
                Ok(_) => return,
            }
        }
    }

    fn turn(&mut self, unit: mail_wire::Unit) {
        let no = Status::new(Condition::No, ResponseText::new(b"no").unwrap());
        let ok = Status::new(Condition::Ok, ResponseText::new(b"hello").unwrap());
        match self.server.decode(unit, &mut self.input).unwrap() {
            Event::Connected(answer) => self.server.answer(answer, &ok, &mut self.output).unwrap(),
            Event::Command(_, answer) => self.server.answer(answer, &no, &mut self.output).unwrap(),
            Event::Malformed(_, answer) => self.server.refuse(answer, &mut self.output).unwrap(),
            Event::Auth { turn, initial: None, .. } => {
                self.server.challenge(turn, b"who?", &mut self.output).unwrap();
            }
            // The application is slow.
            Event::Auth { turn, .. } | Event::AuthResponse(_, turn) => self.turn = Some(turn),
            _ => {}
        }
    }
}

/// The worst that a client can do with lines, literals, SASL and what it sends ahead, while it takes no answer.
fn a_client_that_is_not_known_makes_a_server_hold_little() {
    let long = |octet: u8, n: usize| vec![octet; n];
    let line = [b"a LOGIN \"".to_vec(), long(b'x', 20_000)].concat();
    let literal =
        [b"a LOGIN ".to_vec(), long(b'u', 8170), b" {8192+}\r\n".to_vec(), long(b'p', 9000)].concat();
    let literals = [b"a LOGIN".to_vec(), b" {1}\r\nx".repeat(2000)].concat();
    let initial = [b"a AUTHENTICATE PLAIN ".to_vec(), long(b'A', 8168), b"\r\n".to_vec()].concat();
    let response = [b"a AUTHENTICATE PLAIN\r\n".to_vec(), long(b'A', 12_284), b"\r\n".to_vec()].concat();
    let ahead = b"a CAPABILITY\r\n".repeat(5000);
    // Every one also where the memory has been taken already by the largest command, and with octets behind it.
    let large = [b"b LOGIN u {8192+}\r\n".to_vec(), long(b'p', 8192), b"\r\n".to_vec()].concat();
    let behind = b"b NOOP\r\n".repeat(5000);
    for script in [line, literal, literals, initial, response, ahead] {
        for read in [1, 1460, 65_536] {
            for first in [&b""[..], &large] {
                let script = [first, &script, &behind].concat();
                let peak = peak(|| {
                    let mut hostile = Hostile::new();
                    let taken = hostile.say(&script, read);
                    assert!(taken > 1024 && taken < script.len(), "{taken}");
                    let exchange = script[first.len()..].starts_with(b"a AUTHENTICATE");
                    assert_eq!(hostile.turn.is_some(), exchange, "{}", script[..60].escape_ascii());
                });
                let held = peak + size_of::<Server>() + size_of::<Input>() + size_of::<Output>();
                assert!(held <= BEFORE_LOG_IN, "{held} octets: {}", script[..60].escape_ascii());
            }
        }
    }
}

/// One test for all: the allocator counts for the whole process, and a test that ends beside another gives memory back.
#[test]
fn memory_is_bounded() {
    sixteen_mebibytes_in();
    sixteen_mebibytes_out();
    an_idle_connection_is_small();
    a_client_that_is_not_known_makes_a_server_hold_little();
}
