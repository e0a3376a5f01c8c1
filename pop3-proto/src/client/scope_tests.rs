//! Answers of several lines in small scope: every answer over the octets that steer, against a reader of twenty lines, whole, octet by
//! octet, and in two pieces (RFC 1939 §3).
//!
//! The walk goes depth first over machines that are copied, so that answers which begin alike cost their beginning once. What it walks is the
//! client itself, from [`Machine::frame`] to the event.

use super::*;
use crate::command::{Command, Shape};
use crate::policy::Allow;
use crate::reply::Item;
use crate::types::MessageNumber;
use crate::{Grammar, OtherCommand};
use alloc::vec::Vec;
use mail_wire::line::LineEnd;
use mail_wire::{Framed, Input, Machine, Output};

/// The octets that steer, a sign of each sort of status line, one that means nothing, and one that strings end with elsewhere.
const ALPHABET: [u8; 8] = *b"\r\n.A +-\0";

/// What has been told of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Now {
    /// More is awaited.
    Open,
    /// It is complete, and nothing stands behind it.
    Ended,
    /// The session has failed: octets that are no line, or that nobody has asked for.
    Failed,
}

/// The rule, line by line: what is told of these octets. A message is told as far as it has come, but for what may yet be the terminator; the
/// lines of a listing are told when they are whole.
fn reference(mut octets: &[u8], kind: Kind, told: &mut Vec<u8>) -> Now {
    let eol = kind.eol();
    while !octets.is_empty() {
        let at = octets.windows(eol.len()).position(|window| window == eol);
        let (line, rest) = octets.split_at(at.map_or(octets.len(), |at| at + eol.len()));
        octets = rest;
        let text = line.strip_suffix(eol).unwrap_or(line);
        if kind.lines && eol == b"\r\n" && line.contains(&b'\n') && text.iter().any(|o| b"\r\n".contains(o)) {
            return Now::Failed;
        } else if at.is_some() && text == b"." {
            // What may become the reason why the server goes away is waited for.
            return if b"-".starts_with(rest) { Now::Ended } else { Now::Failed };
        } else if at.is_none() && (kind.lines || [b".", eol].concat().starts_with(line)) {
            return Now::Open;
        }
        told.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    Now::Open
}

/// Which answer is read.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// Lines of a listing, or a message.
    lines: bool,
    /// Whether LF alone ends the lines of this server (RFC 1939 §3 has CRLF).
    lf: bool,
}

/// A message and a listing, with either line end.
const KINDS: [Kind; 4] = [
    Kind { lines: false, lf: false },
    Kind { lines: true, lf: false },
    Kind { lines: false, lf: true },
    Kind { lines: true, lf: true },
];

impl Kind {
    fn eol(self) -> &'static [u8] {
        if self.lf { b"\n" } else { b"\r\n" }
    }

    /// The same way as an application would go: nothing is set from outside.
    /// A client that has read the status line of such an answer.
    fn client(self) -> Client {
        let mut config = Config::default();
        config.policy.grammar = Grammar::tolerant();
        config.policy.plaintext_auth = Allow::Allow;
        config.policy.line = if self.lf { LineEnd::Tolerant } else { LineEnd::Strict };
        let (mut client, mut input, mut output) = (Client::new(config), Input::new(), Output::new());
        let lines = OtherCommand::new(b"XTND", Shape::Lines).unwrap();
        let asks = if self.lines { Command::Other(lines) } else { Command::Retr(MessageNumber::FIRST) };
        let commands = [Command::parse(b"AUTH PLAIN =").unwrap(), asks];
        let mut commands = commands.iter();
        for _ in 0..3 {
            input.feed(b"+OK");
            input.feed(self.eol());
            let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() else { panic!() };
            drop(client.decode(unit, &mut input).unwrap());
            commands.next().map(|command| client.send(command, &mut output).unwrap());
        }
        client
    }
}

/// A copy at the same place inside an answer. Tokens of the one are not good for the other.
fn fork(client: &Client) -> Client {
    let flight = client.flight.iter();
    // What was asked does not matter once the head of the answer is there: the place says how its lines are read.
    let flight = flight.map(|flight| Flight { asked: flight::Asked::Several(Shape::Lines), ..*flight });
    Client {
        place: client.place,
        framing: client.framing,
        framer: client.framer,
        flight: flight.collect(),
        lf: client.lf,
        dot: client.dot.clone(),
        octets: client.octets,
        entries: client.entries,
        scanned: client.scanned,
        after: client.after,
        used: client.used,
        arrived: client.arrived,
        closed: client.closed,
        fatal: client.fatal,
        ..Client::new(Config { limits: client.limits, policy: client.policy.clone() })
    }
}

/// Lets the machine run over what has come, and adds what it tells.
fn run(client: &mut Client, input: &mut Input, output: &mut Output, kind: Kind, told: &mut Vec<u8>) -> Now {
    loop {
        let unit = match client.frame(input, output) {
            Ok(Framed::Ready(unit)) => unit,
            // The answer is over when its command is no longer in flight.
            Ok(_) if client.flight.is_empty() => return Now::Ended,
            Ok(_) => return Now::Open,
            Err(_) => return Now::Failed,
        };
        match client.decode(unit, input) {
            Ok(Event::Chunk(octets)) => {
                assert!(!octets.is_empty(), "a chunk without octets");
                told.extend_from_slice(octets);
            }
            Ok(Event::Items(_, items)) => {
                assert!(items.iter().next().is_some(), "an event without lines");
                for item in items {
                    let Ok(Item::Line(line)) = item else { panic!("{item:?}") };
                    told.extend_from_slice(line);
                    told.extend_from_slice(kind.eol());
                }
            }
            Ok(Event::End(_)) => {}
            Ok(event) => panic!("{event:?}"),
            Err(_) => return Now::Failed,
        }
    }
}

/// The walk: one buffer of each sort for all of it.
struct Walk {
    kind: Kind,
    root: Client,
    /// One input for all machines: what the one has left is dropped before the next.
    input: Input,
    output: Output,
    /// The octets from the status line on, and what the drip has told of them.
    path: Vec<u8>,
    dripped: Vec<u8>,
    whole: Vec<u8>,
    expected: Vec<u8>,
    /// How many answers have been held against the rule.
    visited: u64,
}

impl Walk {
    /// At the status line, with nothing behind it.
    fn new(kind: Kind) -> Self {
        let (input, output) = (Input::new(), Output::new());
        let [path, dripped, whole, expected] = [(); 4].map(|()| Vec::new());
        Self { kind, root: kind.client(), input, output, path, dripped, whole, expected, visited: 0 }
    }

    /// Puts octets where nothing is left of those before.
    fn load(&mut self, octets: &[u8]) {
        let left = self.input.begin().map_or(self.input.pending().len(), |_| 0);
        self.input.skip(left);
        assert_eq!(self.input.feed(octets), octets.len());
    }

    /// All answers that go on from here with up to so many octets. `pending` is what the machine has seen and not used.
    fn from(&mut self, client: &Client, pending: &[u8], depth: usize) {
        if depth == 0 {
            return;
        }
        let told = self.dripped.len();
        for octet in ALPHABET {
            self.path.push(octet);
            self.visited += 1;
            let mut next = fork(client);
            self.load(&[pending, &[octet]].concat());
            let now = run(&mut next, &mut self.input, &mut self.output, self.kind, &mut self.dripped);
            let left = self.input.pending().to_vec();
            self.check(now);
            match now {
                Now::Open => self.from(&next, &left, depth - 1),
                // What stands behind the end was asked for by nobody, whatever follows it.
                Now::Ended => self.from(&next, &left, (depth - 1).min(1)),
                Now::Failed => {}
            }
            self.path.pop();
            self.dripped.truncate(told);
        }
    }

    /// Holds the drip and the whole against the rule; short answers also in two reads at every cut, as a line end that comes whole in front of a
    /// cut is in neither.
    fn check(&mut self, now: Now) {
        self.expected.clear();
        let expected = reference(&self.path, self.kind, &mut self.expected);
        let Self { kind, path, dripped, .. } = self;
        assert_eq!((now, &*dripped), (expected, &self.expected), "{path:?} {kind:?}, octet by octet");
        let most = if self.path.len() <= CUT { self.path.len() } else { 1 };
        for cut in 0..most {
            self.cut(cut, expected);
        }
    }

    /// The answer in two reads; a cut at 0 is the whole.
    fn cut(&mut self, cut: usize, expected: Now) {
        let path = core::mem::take(&mut self.path);
        let (mut client, mut now) = (fork(&self.root), Now::Open);
        self.whole.clear();
        self.load(b"");
        for piece in [&path[..cut], &path[cut..]] {
            if now != Now::Failed && !piece.is_empty() {
                assert_eq!(self.input.feed(piece), piece.len());
                now = run(&mut client, &mut self.input, &mut self.output, self.kind, &mut self.whole);
            }
        }
        assert_eq!((now, &self.whole), (expected, &self.expected), "{path:?} {:?}, cut at {cut}", self.kind);
        self.path = path;
    }
}

/// Up to how many octets an answer is read in two pieces at every cut.
const CUT: usize = 5;

/// All answers of up to so many octets. Where one is over, one octet more is tried and no second.
fn walk(kind: Kind, most: usize) {
    let mut walk = Walk::new(kind);
    let root = fork(&walk.root);
    walk.from(&root, &[], most);
    // Octets that are no line end a listing early; a good share is looked at all the same.
    assert!(walk.visited > 8_u64.pow(most as u32) / 4, "{kind:?}: {} answers", walk.visited);
}

/// All answers of six octets.
#[test]
fn an_answer_ends_where_the_standard_says() {
    std::thread::scope(|scope| {
        for kind in KINDS {
            scope.spawn(move || walk(kind, 6));
        }
    });
}

/// All answers of eight octets.
#[test]
#[ignore = "large"]
fn large_an_answer_ends_where_the_standard_says() {
    std::thread::scope(|scope| {
        for kind in KINDS {
            scope.spawn(move || walk(kind, 8));
        }
    });
}
