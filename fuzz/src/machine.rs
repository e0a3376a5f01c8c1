//! Drives any machine over any octets, and holds what must be true of all of them: the same events for every cut, no hang, no growth,
//! an end that is told once and an error that stays the same.

use crate::reads::{WHOLE, reads};
use bytes::Buf;
use mail_wire::{End, Framed, Handover, Input, Machine, Output, Pause};
use std::fmt::Debug;

/// Begins octets of the peer. It is no octet of UTF-8, so none is lost for what matters.
pub const PEER: u8 = 0xFF;
/// Begins lines for [`Party::say`].
pub const OURS: u8 = 0xFE;
/// TLS stands from here on, where the hand-over was due.
pub const TLS: u8 = 0xFD;

/// The bit of the settings for TLS from the start.
pub const IMPLICIT: u8 = 0x80;

/// Longer inputs are not worth their time.
const MOST: usize = 16 * 1024;
/// Octets that an `Input` may hold, whatever the peer sends: above any unit that these inputs can make.
const ROOM: usize = 64 * 1024;

/// The application beside a machine: answers every event at once, and notes what it saw.
pub trait Party: Sized {
    /// What it drives.
    type Machine: Machine<Error: Debug, Upgrade: Debug>;

    /// A fresh application and its machine, for a choice of policies. Only such as make no event depend on which octets came together
    /// (so `sync` is loose), and no clock and no random numbers.
    fn new(settings: u8) -> (Self, Self::Machine);

    /// Acts on an event. Gives the token of a hand-over to TLS when it is due.
    fn on(
        &mut self,
        machine: &mut Self::Machine,
        event: <Self::Machine as Machine>::Event<'_>,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<<Self::Machine as Machine>::Upgrade>;

    /// For a client: sends what the line says, or does nothing. Called only where the peer pauses, so that what was in flight when
    /// an octet came does not depend on how it was read.
    fn say(&mut self, _machine: &mut Self::Machine, _line: &[u8], _output: &mut Output, _seen: &mut Seen) {}

    /// Whether it holds a token that the next line will answer. Until then the machine may pause.
    fn owes(&self) -> bool {
        false
    }

    /// Goes on with what did not fit into the output: called whenever the output is empty again.
    fn pump(&mut self, _machine: &mut Self::Machine, _output: &mut Output, _seen: &mut Seen) {}
}

/// What an application saw, comparable between two runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    notes: Vec<String>,
    body: Vec<u8>,
}

impl Seen {
    /// An event, as its `Debug` or anything else that says what it held.
    pub fn note(&mut self, event: impl Into<String>) {
        self.flush();
        self.notes.push(event.into());
    }

    /// A piece of a body. Pieces that follow each other are joined: where they are cut is nobody's business.
    pub fn chunk(&mut self, octets: &[u8]) {
        self.body.extend_from_slice(octets);
    }

    /// The events so far.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &str> {
        self.notes.iter().map(String::as_str)
    }

    pub(crate) fn flush(&mut self) {
        if !self.body.is_empty() {
            let body = std::mem::take(&mut self.body);
            self.notes.push(format!("body {:?}", body.escape_ascii().to_string()));
        }
    }
}

/// The first octet of `data` chooses the policies, with its highest bit TLS from the start; the second one the reads. The rest is what the
/// peer sends, parted by [`PEER`], [`OURS`] and [`TLS`].
pub fn run<P: Party>(data: &[u8]) {
    let Some((&settings, data)) = data.split_first() else { return };
    let data = &data[..data.len().min(MOST)];
    let whole = [&[WHOLE], data.get(1..).unwrap_or(&[])].concat();
    let (want, got) = (drive::<P>(settings, &whole), drive::<P>(settings, data));
    assert_eq!(want, got, "settings {settings}, reads {:?}", data.first());
}

/// The parts of a script, each with its marker. What stands before the first marker is the peer's.
pub(crate) fn parts(script: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut marker = PEER;
    script.split_inclusive(|octet| *octet >= TLS).map(move |part| {
        let (next, octets) = match part.split_last() {
            Some((&next, octets)) if next >= TLS => (next, octets),
            _ => (PEER, part),
        };
        (std::mem::replace(&mut marker, next), octets)
    })
}

struct Drive<P: Party> {
    party: P,
    machine: Option<P::Machine>,
    input: Input,
    output: Output,
    seen: Seen,
    sent: Vec<u8>,
    /// The hand-over is due; nothing is framed until it is made.
    granted: Option<<P::Machine as Machine>::Upgrade>,
    /// Calls of `frame` that are left. A loop that makes no progress uses them up.
    left: usize,
}

/// How the octets were taken.
enum Turn {
    /// All framed; more may come.
    More,
    /// Nothing more will be looked at.
    Over,
}

pub(crate) fn drive<P: Party>(settings: u8, data: &[u8]) -> (Seen, Vec<u8>) {
    let (party, machine) = P::new(settings & !IMPLICIT);
    let machine = if settings & IMPLICIT == 0 { machine } else { Handover::implicit(machine).secured() };
    let mut drive = Drive {
        party,
        machine: Some(machine),
        input: Input::new(),
        output: Output::new(),
        seen: Seen::default(),
        sent: Vec::new(),
        granted: None,
        left: 256 + 8 * data.len(),
    };
    drive.all(data);
    drive.seen.flush();
    (drive.seen, drive.sent)
}

impl<P: Party> Drive<P> {
    fn all(&mut self, data: &[u8]) {
        let (&how, rest) = data.split_first().unwrap_or((&WHOLE, &[]));
        for (marker, octets) in parts(rest) {
            let turn = match marker {
                OURS => self.ours(octets),
                TLS if self.handed_over() => self.peer(how, octets),
                TLS => Turn::Over,
                _ => self.peer(how, octets),
            };
            if let Turn::Over = turn {
                return;
            }
        }
        if let Turn::Over = self.turn() {
            return;
        }
        if self.granted.is_some() || self.party.owes() {
            return self.seen.note("ends with a token in hand");
        }
        if let Some(machine) = &mut self.machine {
            machine.eof(End::Fin);
        }
        let Turn::Over = self.turn() else {
            panic!("the machine waits for input after the end: {:?}", self.seen)
        };
    }

    fn ours(&mut self, lines: &[u8]) -> Turn {
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            if let (Some(machine), None) = (&mut self.machine, &self.granted) {
                self.party.say(machine, line, &mut self.output, &mut self.seen);
            }
            self.left += 64;
        }
        self.turn()
    }

    fn peer(&mut self, how: u8, octets: &[u8]) -> Turn {
        for mut read in reads(&[&[how], octets].concat()) {
            while !read.is_empty() {
                // A client begins to listen before the first octet, a server greets.
                if let Turn::Over = self.turn() {
                    return Turn::Over;
                }
                if self.granted.is_some() {
                    return self.injected();
                }
                let taken = self.input.feed(read);
                if taken == 0 && self.party.owes() {
                    return self.over("the peer talks on, and its answer is owed".to_owned());
                }
                assert!(taken > 0, "there is no room, and the machine waits for input");
                read = &read[taken..];
                assert!(self.input.capacity() <= ROOM, "the input has grown to {}", self.input.capacity());
            }
        }
        let turn = self.turn();
        if self.granted.is_some() && !self.input.is_empty() { self.injected() } else { turn }
    }

    /// Octets of the same breath behind the command or reply that hands over: none of them is read.
    fn injected(&mut self) -> Turn {
        if let (Some(machine), Some(token)) = (self.machine.take(), self.granted.take()) {
            let held = self.input.len();
            let handed = machine.start_tls(token, std::mem::take(&mut self.input), &mut self.output);
            assert_eq!(handed.is_err(), held > 0, "{held} octets of plaintext at the hand-over");
        }
        self.output = Output::new();
        self.over("plaintext behind the hand-over".to_owned());
        Turn::Over
    }

    /// Whether TLS stands now. Without a hand-over that is due the marker means nothing, and the input is over.
    fn handed_over(&mut self) -> bool {
        let (Some(machine), Some(token)) = (self.machine.take(), self.granted.take()) else { return false };
        let handed = machine.start_tls(token, std::mem::take(&mut self.input), &mut self.output);
        self.machine = Some(handed.expect("nothing was left").secured());
        self.drain();
        self.seen.note("TLS");
        true
    }

    /// Frames until more input is needed.
    fn turn(&mut self) -> Turn {
        if self.granted.is_some() {
            return Turn::More;
        }
        loop {
            self.left = self.left.checked_sub(1).unwrap_or_else(|| panic!("no progress: {:?}", self.seen));
            self.drain();
            let Some(machine) = &mut self.machine else { return Turn::Over };
            match machine.frame(&mut self.input, &mut self.output) {
                Ok(Framed::NeedInput) => {
                    self.drain();
                    return Turn::More;
                }
                Ok(Framed::Closed) => return self.over("closed".to_owned()),
                Ok(Framed::Paused(Pause::OutputFull)) => {
                    assert!(!self.output.is_empty(), "the output is said to be full");
                }
                Ok(Framed::Paused(Pause::AnswerOwed)) if self.party.owes() => return Turn::More,
                Ok(Framed::Paused(pause)) => {
                    panic!("{pause:?}, though every event was answered: {:?}", self.seen)
                }
                Ok(Framed::Ready(unit)) => {
                    let acted = match machine.decode(unit, &mut self.input) {
                        Ok(event) => Ok(self.party.on(machine, event, &mut self.output, &mut self.seen)),
                        Err(error) => Err(error),
                    };
                    let masks = machine.masks();
                    assert!(
                        masks.windows(2).all(|pair| pair[0].span.end() <= pair[1].span.start()),
                        "{masks:?}"
                    );
                    match acted {
                        Ok(None) => {}
                        Ok(Some(token)) => {
                            self.granted = Some(token);
                            self.drain();
                            return Turn::More;
                        }
                        Err(error) => return self.fatal(&error),
                    }
                }
                Err(error) => return self.fatal(&error),
            }
        }
    }

    /// The peer reads everything; then the application goes on.
    fn drain(&mut self) {
        while !self.output.is_empty() {
            for (_, octets) in self.output.runs() {
                self.sent.extend_from_slice(octets);
            }
            self.output.advance(self.output.remaining());
            if let Some(machine) = &mut self.machine {
                self.party.pump(machine, &mut self.output, &mut self.seen);
            }
        }
    }

    /// An error is for ever.
    fn fatal(&mut self, error: &<P::Machine as Machine>::Error) -> Turn {
        let said = format!("{error:?}");
        self.drain();
        if let Some(machine) = &mut self.machine {
            for _ in 0..2 {
                let again = machine.frame(&mut self.input, &mut self.output);
                assert!(
                    matches!(&again, Err(again) if format!("{again:?}") == said),
                    "after {said}: {again:?}"
                );
            }
            assert!(self.output.is_empty(), "written after the end");
        }
        self.over(said)
    }

    fn over(&mut self, how: String) -> Turn {
        self.drain();
        self.seen.note(how);
        Turn::Over
    }
}
