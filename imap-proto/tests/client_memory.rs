//! A message of any size passes the client in constant memory, both ways. Its own file: the allocator counts for the whole process.

use bytes::{Buf, Bytes};
use mail_imap_proto::client::{BodyGrant, Client, Config, Event};
use mail_imap_proto::types::Tag;
use mail_imap_proto::{Command, Limits};
use mail_testkit::heap::{Heap, LINES, Meter};
use mail_wire::{Framed, Handover, Input, Machine, Output};

#[global_allocator]
static HEAP: Heap = Heap;

const READ: usize = LINES.len();
const HEAP_MAX: usize = 64 * 1024;

struct Bench {
    client: Client,
    input: Input,
    output: Output,
    sent: u64,
    taken: u64,
    completed: u32,
    grant: Option<BodyGrant>,
}

impl Bench {
    fn new() -> Self {
        let client = Handover::implicit(Client::new(Config::default())).secured();
        let (input, output) = (Input::new(), Output::new());
        let mut bench = Self { client, input, output, sent: 0, taken: 0, completed: 0, grant: None };
        bench.hear(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ IDLE] hi\r\n");
        bench.client.set_next_tag(Tag::new(b"s").unwrap()).unwrap();
        bench.send(b"s SELECT x\r\n");
        bench.hear(b"s OK in\r\n");
        bench.output.advance(bench.output.remaining());
        bench.completed = 0;
        bench
    }

    fn hear(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !rest.is_empty() {
            let n = self.input.feed(rest);
            rest = &rest[n..];
            self.run();
        }
    }

    fn run(&mut self) {
        loop {
            match self.client.frame(&mut self.input, &mut self.output).unwrap() {
                Framed::Ready(unit) => match self.client.decode(unit, &mut self.input).unwrap() {
                    Event::Chunk(octets) => self.taken += octets.len() as u64,
                    Event::BodyWanted(grant, _) => self.grant = Some(grant),
                    Event::Completed(_, status) => {
                        assert!(status.is_ok());
                        self.completed += 1;
                    }
                    _ => {}
                },
                _ => return,
            }
        }
    }

    /// Whether the session goes on.
    fn run_to_end(&mut self) -> bool {
        loop {
            match self.client.frame(&mut self.input, &mut self.output) {
                Ok(Framed::Ready(unit)) => drop(self.client.decode(unit, &mut self.input)),
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }

    fn send(&mut self, line: &[u8]) {
        let (_, command) = Command::parse(line, &Limits::default(), false).unwrap();
        self.client.send(&command, &mut self.output).unwrap();
        self.run();
    }

    fn flush(&mut self) {
        self.sent += self.output.remaining() as u64;
        self.output.advance(self.output.remaining());
    }

    fn fetch(&mut self, octets: u64) {
        self.send(b"x FETCH 1 BODY.PEEK[]\r\n");
        self.hear(format!("* 1 FETCH (UID 4 BODY[] {{{octets}}}\r\n").as_bytes());
        let mut left = octets;
        while left > 0 {
            let n = left.min(READ as u64) as usize;
            self.hear(&LINES[..n]);
            left -= n as u64;
        }
        self.hear(b" FLAGS ())\r\nA1 OK done\r\n");
        assert_eq!((self.taken, self.completed), (octets, 1));
    }

    fn append(&mut self, octets: u64) {
        self.send(format!("x APPEND INBOX {{{octets}+}}\r\n").as_bytes());
        self.flush();
        let head = self.sent;
        let mut grant = self.grant.take().unwrap();
        let mut left = octets;
        let mut round = 0_u32;
        while left > 0 {
            let mut piece = Bytes::from_static(&LINES[..left.min(READ as u64) as usize]);
            let before = piece.len();
            self.client.body(&mut grant, &mut piece, &mut self.output).unwrap();
            left -= (before - piece.len()) as u64;
            round += 1;
            // A receiver that stalls once, and then takes what there is.
            if !(10..20).contains(&round) {
                self.flush();
            }
        }
        self.flush();
        assert_eq!(self.sent - head, octets + 2);
        assert_eq!(self.client.body_left(), None);
        self.hear(b"A1 OK done\r\n");
        assert_eq!(self.completed, 1);
    }
}

/// The most heap that `work` holds over what was held before it, the input and the output counted in.
fn heap_of(work: impl FnOnce(&mut Bench)) -> usize {
    let meter = Meter::begin();
    let mut bench = Bench::new();
    work(&mut bench);
    meter.most()
}

fn a_fetch_of_16_mebibytes() {
    let heap = heap_of(|bench| bench.fetch(16 << 20));
    assert!(heap <= HEAP_MAX, "{heap} octets");
}

fn an_append_of_16_mebibytes() {
    let heap = heap_of(|bench| bench.append(16 << 20));
    assert!(heap <= HEAP_MAX, "{heap} octets");
}

#[test]
#[ignore = "large"]
fn large_fetch_of_a_gibibyte() {
    let heap = heap_of(|bench| bench.fetch(1 << 30));
    assert!(heap <= HEAP_MAX, "{heap} octets");
}

#[test]
#[ignore = "large"]
fn large_append_of_a_gibibyte() {
    let heap = heap_of(|bench| bench.append(1 << 30));
    assert!(heap <= HEAP_MAX, "{heap} octets");
}

/// An idle connection holds 4 KiB at the most, also after a large unit.
fn an_idle_connection_holds_little() {
    let meter = Meter::begin();
    let mut bench = Bench::new();
    let mut line = b"* SEARCH".to_vec();
    line.extend_from_slice(&b" 1234567".repeat(100_000));
    line.extend_from_slice(b"\r\n");
    bench.hear(&line);
    bench.send(b"x IDLE\r\n");
    bench.hear(b"+ idling\r\n");
    bench.flush();
    drop(line);
    let _ = bench.client.frame(&mut bench.input, &mut bench.output);
    bench.input.idle();
    bench.output.idle();
    let heap = meter.held();
    assert!(heap <= 4096, "{heap} octets");
}

/// Nothing is allocated by an announced size.
fn a_literal_is_not_believed() {
    let heap = heap_of(|bench| {
        bench.hear(b"* 1 FETCH (BODY[] {1099511627776}\r\nabc");
        bench.hear(b"def");
        assert_eq!(bench.taken, 6);
    });
    assert!(heap <= HEAP_MAX, "{heap} octets");
    let heap = heap_of(|bench| bench.hear(b"* LIST () \"/\" {65536}\r\nabc"));
    assert!(heap <= HEAP_MAX, "{heap} octets");
}

/// Before the log-in a server makes a client hold one line, with its literals, and 10 KiB beside it: 74 KiB as the limits are,
/// 20 KiB for who sets the limit of the line so.
fn a_server_that_is_not_known_makes_a_client_hold_little() {
    let x = |n: usize| "x".repeat(n);
    let greeting = format!("* OK {}", x(100_000));
    let list =
        format!("* OK [CAPABILITY{}] hi\r\n* CAPABILITY{}", " AB".repeat(2400), " ABCDEFG".repeat(9000));
    let id = format!("* OK hi\r\n* ID (\"a\" {{9000}}\r\n{} \"b\" {{60000}}\r\n{}", x(9000), x(60_000));
    let envelopes = format!("* OK hi\r\n* 1 FETCH ({}", "ENVELOPE ((())) ".repeat(8000));
    for script in [greeting, list, id, envelopes] {
        for (line, most) in [(64 * 1024, 74 * 1024), (10 * 1024, 20 * 1024)] {
            for read in [1, 1460, 65_536] {
                let script = script.as_bytes();
                let held = heap_of(|bench| {
                    let limits = Limits { line_before_auth: line, ..Limits::default() };
                    let client = Client::new(Config { limits, ..Config::default() });
                    bench.client = Handover::implicit(client).secured();
                    bench.input = Input::new();
                    let mut taken = 0;
                    while bench.run_to_end() {
                        taken += bench.input.feed(&script[taken..script.len().min(taken + read)]);
                    }
                    assert!(taken > 1024 && taken < script.len(), "{taken}");
                });
                assert!(held <= most, "{held} octets: {}", script[..60].escape_ascii());
            }
        }
    }
}

/// One test for all: the allocator counts for the whole process, and a test that ends beside another gives memory back.
#[test]
fn memory_is_bounded() {
    a_fetch_of_16_mebibytes();
    an_append_of_16_mebibytes();
    an_idle_connection_holds_little();
    a_literal_is_not_believed();
    a_server_that_is_not_known_makes_a_client_hold_little();
}
