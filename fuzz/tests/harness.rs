//! The driver of machines finds what it is there to find: a toy machine passes, and each way to break it is seen.

use mail_fuzz::machine::{Party, Seen, run};
use mail_wire::line::{LineEnd, LineFramer};
use mail_wire::{
    Class, Closing, End, Framed, Handover, HandoverError, Input, Machine, Mask, Output, Pause, Role, Secured,
    StaleUnit, Unit,
};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// A line is what one read brought.
    ByRead,
    /// Says that the output is full when it is not.
    Spins,
    /// Waits for input after the end.
    Hangs,
    /// An error goes away.
    Forgets,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct Violation(&'static str);

impl From<StaleUnit> for Violation {
    fn from(_: StaleUnit) -> Self {
        Self("stale")
    }
}

/// Echoes lines; `STARTTLS` hands over.
struct Toy {
    fault: Fault,
    framer: LineFramer,
    ended: bool,
    failed: Option<Violation>,
}

impl Machine for Toy {
    const ROLE: Role = Role::Server;
    type Event<'i> = &'i [u8];
    type Error = Violation;
    type Upgrade = ();

    fn frame(&mut self, input: &mut Input, _: &mut Output) -> Result<Framed, Violation> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(unit) = input.begin() else {
            if self.fault == Fault::ByRead && !input.pending().is_empty() {
                return Ok(Framed::Ready(input.take(input.pending().len())));
            }
            let line = self.framer.step(input.pending(), LineEnd::Strict, 512);
            return match line {
                Ok(Some(line)) => Ok(Framed::Ready(input.take(line.len))),
                Ok(None) if self.fault == Fault::Spins => Ok(Framed::Paused(Pause::OutputFull)),
                Ok(None) if self.ended && self.fault != Fault::Hangs => Ok(Framed::Closed),
                Ok(None) => Ok(Framed::NeedInput),
                Err(_) => {
                    input.skip(input.pending().len());
                    self.failed = (self.fault != Fault::Forgets).then_some(Violation("line"));
                    Err(Violation("line"))
                }
            };
        };
        Ok(Framed::Ready(unit))
    }

    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<&'i [u8], Violation> {
        Ok(input.unit(unit)?.0)
    }

    fn masks(&self) -> &[Mask] {
        &[]
    }

    fn eof(&mut self, _: End) {
        self.ended = true;
    }

    fn close(&mut self, _: Closing, _: &mut Output) {}

    fn patience(&self) -> Duration {
        Duration::from_secs(300)
    }

    fn start_tls(self, (): (), input: Input, _: &mut Output) -> Result<Handover<Self>, HandoverError> {
        Ok(Handover::new(self, input)?)
    }

    fn secured(&mut self, _: Secured) {}
}

struct Echo;

impl Party for Echo {
    type Machine = Toy;

    fn new(settings: u8) -> (Self, Toy) {
        let fault =
            [Fault::None, Fault::ByRead, Fault::Spins, Fault::Hangs, Fault::Forgets][usize::from(settings)];
        (Self, Toy { fault, framer: LineFramer::new(), ended: false, failed: None })
    }

    fn on(&mut self, _: &mut Toy, line: &[u8], output: &mut Output, seen: &mut Seen) -> Option<()> {
        seen.note(line.escape_ascii().to_string());
        output.put(Class::Public, line);
        (line == b"STARTTLS\r\n").then_some(())
    }
}

fn input(settings: u8, how: u8, octets: &[u8]) -> Vec<u8> {
    [&[settings, how], octets].concat()
}

#[test]
fn a_sound_machine_passes() {
    let transcripts: [&[u8]; 5] =
        [b"", b"one\r\ntwo\r\n", b"one\r\ntw", b"bad\rline\r\nmore\r\n", b"STARTTLS\r\ninjected\r\n"];
    for octets in transcripts {
        for how in [0, 1, 2, 3, 7, 255] {
            run::<Echo>(&input(0, how, octets));
            run::<Echo>(&input(0x80, how, octets));
        }
    }
}

#[test]
#[should_panic(expected = "settings 1")]
fn events_that_follow_the_reads_are_seen() {
    run::<Echo>(&input(1, 1, b"one\r\n"));
}

#[test]
#[should_panic(expected = "said to be full")]
fn a_spin_is_seen() {
    run::<Echo>(&input(2, 0, b"one\r\n"));
}

#[test]
#[should_panic(expected = "waits for input after the end")]
fn a_hang_is_seen() {
    run::<Echo>(&input(3, 0, b"one\r\n"));
}

#[test]
#[should_panic(expected = "after Violation")]
fn an_error_that_goes_away_is_seen() {
    run::<Echo>(&input(4, 0, b"bad\rline\r\n"));
}
