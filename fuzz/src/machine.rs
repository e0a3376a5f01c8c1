//! Drives any machine over any octets, and holds what must be true of all of them: the same events for every cut, no hang, no growth,
//! an end that is told once and an error that stays the same.

use crate::reads::{WHOLE, reads};
use bytes::Buf;
use mail_wire::{End, Framed, Handover, Input, Machine, Output, Pause};
use std::fmt::Debug;

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

    fn flush(&mut self) {
        if !self.body.is_empty() {
            let body = std::mem::take(&mut self.body);
            self.notes.push(format!("body {:?}", body.escape_ascii().to_string()));
        }
    }
}

/// The first octet of `data` chooses the policies, with its highest bit TLS from the start; the second one the reads.
pub fn run<P: Party>(data: &[u8]) {
    let Some((&settings, data)) = data.split_first() else { return };
    let data = &data[..data.len().min(MOST)];
    let whole = [&[WHOLE], data.get(1..).unwrap_or(&[])].concat();
    let (want, got) = (drive::<P>(settings, &whole), drive::<P>(settings, data));
    assert_eq!(want, got, "settings {settings}, reads {:?}", data.first());
}

struct Drive<P: Party> {
    party: P,
    machine: Option<P::Machine>,
    input: Input,
    output: Output,
    seen: Seen,
    sent: Vec<u8>,
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

fn drive<P: Party>(settings: u8, data: &[u8]) -> (Seen, Vec<u8>) {
    let (party, machine) = P::new(settings & 0x7F);
    let machine = if settings & 0x80 == 0 { machine } else { Handover::implicit(machine).secured() };
    let mut drive = Drive {
        party,
        machine: Some(machine),
        input: Input::new(),
        output: Output::new(),
        seen: Seen::default(),
        sent: Vec::new(),
        left: 256 + 8 * data.len(),
    };
    drive.all(data);
    drive.seen.flush();
    (drive.seen, drive.sent)
}

impl<P: Party> Drive<P> {
    fn all(&mut self, data: &[u8]) {
        for mut read in reads(data) {
            while !read.is_empty() {
                // A client begins to listen before the first octet, a server greets.
                if let Turn::Over = self.turn() {
                    return;
                }
                let taken = self.input.feed(read);
                assert!(taken > 0, "there is no room, and the machine waits for input");
                read = &read[taken..];
                assert!(self.input.capacity() <= ROOM, "the input has grown to {}", self.input.capacity());
            }
        }
        if let Turn::Over = self.turn() {
            return;
        }
        if let Some(machine) = &mut self.machine {
            machine.eof(End::Fin);
        }
        let Turn::Over = self.turn() else {
            panic!("the machine waits for input after the end: {:?}", self.seen)
        };
    }

    /// Frames until more input is needed.
    fn turn(&mut self) -> Turn {
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
                        Ok(Some(token)) => return self.upgrade(token),
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

    /// Behind the hand-over nothing is compared: octets that came along with the command are an injection, later ones are not.
    fn upgrade(&mut self, token: <P::Machine as Machine>::Upgrade) -> Turn {
        if let Some(machine) = self.machine.take() {
            let held = self.input.len();
            let handed = machine.start_tls(token, std::mem::take(&mut self.input), &mut self.output);
            assert_eq!(handed.is_err(), held > 0, "{held} octets of plaintext at the hand-over");
            self.sent.clear();
        }
        self.seen.note("upgrade");
        Turn::Over
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
