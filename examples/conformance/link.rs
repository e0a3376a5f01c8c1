//! Drives any machine over octets in memory and keeps the log.

use mail_wire::{End, Framed, Handover, Input, Machine, Output, Pause};

use crate::adapter::Session;
use crate::record::Ending;
use crate::seen::{Over, Seen};

/// Steps that a read may cost, besides those for its octets.
const STEPS: usize = 4096;
/// Steps for each octet that arrives.
const STEPS_PER_OCTET: usize = 8;
/// What a machine that has failed or closed is fed to see that it stays so.
const PROBE: &[u8] = b"\r\nNOOP\r\n250 ok\r\n* 1 EXISTS\r\nA1 OK x\r\n+OK\r\n.\r\n";

/// What one role of one protocol adds to the drive loop.
pub(crate) trait Observer<M: Machine> {
    /// Logs an event and answers it. Gives the token of a hand-over when one is due.
    fn event<'i>(
        &mut self,
        event: M::Event<'i>,
        machine: &mut M,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<M::Upgrade>;

    /// Does what the application does between two events: bodies to write, commands that follow from an answer. Says whether
    /// it did something.
    fn turn(&mut self, _machine: &mut M, _output: &mut Output, _seen: &mut Seen) -> bool {
        false
    }

    /// Role client: one step of our side.
    fn us(&mut self, octets: &[u8], machine: &mut M, output: &mut Output) -> Result<(), String>;

    /// TLS stands and the machine has forgotten what it knew.
    fn secured(&mut self, _machine: &mut M, _output: &mut Output) {}

    /// Whether a unit has begun and not ended: a body, a literal that is streamed.
    fn inside(&self, machine: &M) -> bool;

    /// Whether an answer that is owed is held back on purpose: a challenge that the record leaves open.
    fn holds(&self) -> bool {
        false
    }

    /// Whether a session that is closed ended in the ordinary way.
    fn ended(&self, machine: &M) -> bool;

    /// Repairs counted so far.
    fn repairs(&self, machine: &M) -> u64;

    /// The log is marked: what was counted so far belongs to the setup.
    fn marked(&mut self) {}
}

/// Where the machine is.
enum Place<M> {
    Up(M),
    Handing(Handover<M>),
    Gone,
}

/// A machine, its buffers, its observer and its log.
pub(crate) struct Link<M: Machine, O> {
    place: Place<M>,
    input: Input,
    output: Output,
    observer: O,
    seen: Seen,
    fresh: bool,
    eof: bool,
    budget: usize,
    repairs_before: u64,
}

impl<M: Machine, O: Observer<M>> Link<M, O> {
    /// A fresh connection. `output` holds what the machine wrote at its start.
    pub(crate) fn new(machine: M, observer: O, output: Output) -> Self {
        let mut link = Link {
            place: Place::Up(machine),
            input: Input::new(),
            output,
            observer,
            seen: Seen::default(),
            fresh: true,
            eof: false,
            budget: STEPS,
            repairs_before: 0,
        };
        link.drain();
        link
    }

    /// Runs the machine until it wants more octets or is over.
    fn drive(&mut self) {
        loop {
            if self.budget == 0 {
                return self.seen.fault("spins");
            }
            self.budget -= 1;
            let Place::Up(machine) = &mut self.place else { return };
            let framed = machine.frame(&mut self.input, &mut self.output);
            match framed {
                Ok(Framed::Ready(unit)) => {
                    let over = self.seen.fatal.is_some() || self.seen.over != Over::Open;
                    let decoded = machine.decode(unit, &mut self.input).map(|event| {
                        if over {
                            self.seen.fault("an event after the end");
                            return None;
                        }
                        self.observer.event(event, machine, &mut self.output, &mut self.seen)
                    });
                    self.drain();
                    match decoded {
                        // The application gives the connection up.
                        Ok(None) if self.seen.fatal.is_some() => {
                            self.place = Place::Gone;
                            return;
                        }
                        Ok(None) => {}
                        Ok(Some(token)) => return self.hand_over(token),
                        Err(error) => return self.fatal(&error),
                    }
                }
                Ok(Framed::NeedInput | Framed::Paused(Pause::AnswerOwed)) => {
                    let owed = matches!(framed, Ok(Framed::Paused(_)));
                    let went_on = self.observer.turn(machine, &mut self.output, &mut self.seen);
                    let wrote = self.drain();
                    if !went_on && !wrote {
                        if owed && !self.observer.holds() {
                            self.seen.fault("an answer is owed and nothing was asked");
                        }
                        return;
                    }
                }
                Ok(Framed::Paused(Pause::OutputFull)) => {
                    if !self.drain() {
                        return self.seen.fault("the output is full and empty");
                    }
                }
                Ok(Framed::Paused(Pause::Upgrade)) => return,
                Ok(Framed::Closed) => return self.closed(),
                Err(error) => return self.fatal(&error),
            }
        }
    }

    /// Takes what was written. Says whether there was something.
    fn drain(&mut self) -> bool {
        let mut wrote = false;
        loop {
            let octets = bytes::Buf::chunk(&self.output);
            if octets.is_empty() {
                return wrote;
            }
            self.seen.output.extend_from_slice(octets);
            let len = octets.len();
            bytes::Buf::advance(&mut self.output, len);
            wrote = true;
        }
    }

    fn hand_over(&mut self, token: M::Upgrade) {
        let Place::Up(machine) = std::mem::replace(&mut self.place, Place::Gone) else { return };
        self.count_repairs(&machine);
        let input = std::mem::take(&mut self.input);
        match machine.start_tls(token, input, &mut self.output) {
            Ok(handover) => self.place = Place::Handing(handover),
            Err(error) => {
                self.seen.fatal = Some(error.to_string());
                self.seen.over = Over::Closed;
            }
        }
        self.drain();
    }

    fn fatal(&mut self, error: &M::Error) {
        self.drain();
        let error = error.to_string();
        match &self.seen.fatal {
            Some(first) if *first != error => {
                self.seen.fault(format!("the error changed from {first} to {error}"))
            }
            Some(_) => {}
            None => self.seen.fatal = Some(error),
        }
    }

    fn closed(&mut self) {
        self.drain();
        if self.seen.fatal.is_some() {
            self.seen.fault("closed after an error");
        }
        let Place::Up(machine) = &self.place else { return };
        if self.seen.over == Over::Open {
            self.seen.over = if self.observer.ended(machine) {
                Over::Ended
            } else if self.eof {
                Over::Eof
            } else {
                Over::Closed
            };
        }
    }

    fn count_repairs(&mut self, machine: &M) {
        self.seen.repairs = self.observer.repairs(machine).saturating_sub(self.repairs_before);
    }

    fn is_over(&self) -> bool {
        self.seen.fatal.is_some() || self.seen.over != Over::Open
    }
}

impl<M: Machine, O: Observer<M>> Session for Link<M, O> {
    fn peer(&mut self, octets: &[u8]) {
        self.fresh = false;
        self.budget = self.budget.max(STEPS) + octets.len().saturating_mul(STEPS_PER_OCTET);
        let mut rest = octets;
        if rest.is_empty() {
            self.drive();
        }
        while !rest.is_empty() && !matches!(self.place, Place::Gone) && self.seen.fault.is_none() {
            let taken = self.input.feed(rest);
            rest = rest.get(taken..).unwrap_or_default();
            if taken == 0 && !self.is_over() {
                return self.seen.fault("the input is full and no unit is framed");
            }
            // What arrives in one read is in the buffer before the machine looks.
            if rest.is_empty() || self.input.spare_mut().is_empty() || self.input.len() >= 16 * 1024 {
                self.drive();
            }
            if self.is_over() {
                break;
            }
        }
    }

    fn us(&mut self, octets: &[u8]) -> Result<(), String> {
        self.fresh = false;
        self.budget = self.budget.max(STEPS) + octets.len().saturating_mul(STEPS_PER_OCTET);
        let Place::Up(machine) = &mut self.place else {
            return Err("no machine: TLS is being set up".into());
        };
        self.observer.us(octets, machine, &mut self.output)?;
        self.drain();
        self.drive();
        Ok(())
    }

    fn tls(&mut self) -> Result<(), String> {
        let machine = match std::mem::replace(&mut self.place, Place::Gone) {
            Place::Handing(handover) => handover.secured(),
            Place::Up(machine) if self.fresh => {
                // What a server wrote at its start comes after the handshake.
                Handover::implicit(machine).secured()
            }
            place => {
                self.place = place;
                return Err("no hand-over is due".into());
            }
        };
        self.place = Place::Up(machine);
        self.budget = self.budget.max(STEPS);
        if let Place::Up(machine) = &mut self.place {
            self.observer.secured(machine, &mut self.output);
        }
        self.drain();
        self.drive();
        Ok(())
    }

    fn is_upgrading(&self) -> bool {
        matches!(self.place, Place::Handing(_))
    }

    fn eof(&mut self, how: Ending) {
        self.eof = true;
        self.budget = self.budget.max(STEPS);
        let end = if how == Ending::Fin { End::Fin } else { End::Cut };
        if self.is_over() {
            return;
        }
        if let Place::Up(machine) = &mut self.place {
            machine.eof(end);
            self.drive();
            if !self.is_over() && self.seen.fault.is_none() {
                self.seen.fault("neither closed nor truncated after the end of the octets");
            }
        }
    }

    fn finish(&mut self) {
        if let Place::Up(machine) = &self.place {
            let repairs = self.observer.repairs(machine);
            let over = self.is_over();
            self.seen.needs_more = !over && (!self.input.is_empty() || self.observer.inside(machine));
            self.seen.repairs = repairs.saturating_sub(self.repairs_before);
        }
        if !self.is_over() {
            return;
        }
        // An error is the same for ever after, and nothing is read behind it or behind a close.
        let (log, output) = (self.seen.log.len(), self.seen.output.len());
        for probe in [PROBE, b""] {
            self.budget = STEPS;
            // Behind the end of the octets nothing can arrive.
            let _ = self.input.feed(if self.eof { b"" } else { probe });
            self.drive();
        }
        if self.seen.log.len() != log || self.seen.output.len() != output {
            self.seen.fault("something came out after the end");
        }
    }

    fn mark(&mut self) {
        if let Place::Up(machine) = &self.place {
            self.repairs_before = self.observer.repairs(machine);
        }
        self.observer.marked();
        self.seen.mark();
    }

    fn seen(&mut self) -> &mut Seen {
        &mut self.seen
    }
}
