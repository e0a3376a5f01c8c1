//! Octets received. The driver fills them in, the machine takes units off the front.

use crate::span::Tape;
use crate::stamp::{Source, Stamp};
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroize;

/// The first allocation, in octets.
const FIRST: usize = 1024;
/// What the buffer grows to without an unfinished unit that needs more, in octets.
const USUAL: usize = 16 * 1024;
/// Entries of the tape that are kept from unit to unit.
const TAPE_KEPT: usize = 1024;

/// Octets received and not yet used.
///
/// Starts empty and takes 1 KiB at the first read. It doubles when reads fill it, up to 16 KiB; beyond that only
/// for a unit that is not complete, and never past the limit that the machine has set for it. For a peer that nobody knows yet the
/// machine may set less than 16 KiB, and that is then taken in one step ([`Input::allow_only`]). Octets are
/// moved only when the front half is free or no more room may be taken. [`Input::idle`] gives all memory back.
///
/// What the last event borrowed is dropped at the next call of
/// [`Machine::frame`](crate::Machine::frame), not before.
pub struct Input {
    /// All of it is initialised; `start..end` are the octets held.
    octets: Vec<u8>,
    start: usize,
    end: usize,
    unit: Taken,
    room: usize,
    /// All the room is taken in one step.
    tight: bool,
    /// The last read took all the room it was given: the next is given twice as much.
    eager: bool,
    secret: bool,
    offset: u64,
    source: Source,
    tape: Tape,
}

/// What stands at the front of the input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Nothing,
    /// A unit that was framed and whose decoding is awaited.
    Framed(usize),
    /// A unit that an event may borrow from until the next frame.
    Decoded(usize),
}

/// A framed unit: proof that its octets have arrived and where they end. It is decoded once, at once.
///
/// It borrows nothing, so that a loop over `frame` holds no borrow of the input.
#[must_use = "a unit that is not decoded is framed again"]
#[derive(Debug)]
pub struct Unit(Stamp);

/// The unit is not the one framed last, or is another input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the unit is stale or belongs to another input")]
pub struct StaleUnit;

/// More octets were reported than there was room for. Nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more octets reported than the room held")]
pub struct Overfilled;

/// For the driver.
impl Input {
    /// An input that holds no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            octets: Vec::new(),
            start: 0,
            end: 0,
            unit: Taken::Nothing,
            room: USUAL,
            tight: false,
            eager: false,
            secret: false,
            offset: 0,
            source: Source::new(),
            tape: Tape::new(),
        }
    }

    /// Room to read into. Report what was read by [`Input::filled`].
    ///
    /// Empty only when a unit fills all the room that the machine allows it: frame first.
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.make_room();
        self.octets.get_mut(self.end..).unwrap_or_default()
    }

    /// Takes the first `n` octets of what [`Input::spare_mut`] gave.
    ///
    /// # Errors
    /// [`Overfilled`] if there was no such room; the input is unchanged.
    pub fn filled(&mut self, n: usize) -> Result<(), Overfilled> {
        let end = self.end.checked_add(n).filter(|end| *end <= self.octets.len()).ok_or(Overfilled)?;
        self.end = end;
        self.eager = n > 0 && end == self.octets.len();
        Ok(())
    }

    /// Copies in as many of `octets` as there is room for and says how many.
    pub fn feed(&mut self, octets: &[u8]) -> usize {
        let spare = self.spare_mut();
        let n = spare.len().min(octets.len());
        if let (Some(to), Some(from)) = (spare.get_mut(..n), octets.get(..n)) {
            to.copy_from_slice(from);
            self.end = self.end.saturating_add(n);
            self.eager = n > 0 && self.end == self.octets.len();
        }
        n
    }

    /// Whether no octet is held besides those of the unit that was decoded last.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The octets held besides those of the unit that was decoded last.
    #[must_use]
    pub fn len(&self) -> usize {
        let used = if let Taken::Decoded(n) = self.unit { n } else { 0 };
        self.end.saturating_sub(self.start).saturating_sub(used)
    }

    /// Gives the memory back if nothing is held. For connections that wait.
    pub fn idle(&mut self) {
        self.settle();
        if self.start == self.end && self.unit == Taken::Nothing {
            self.clear_secret();
            self.octets = Vec::new();
            (self.start, self.end) = (0, 0);
            self.eager = false;
            self.tape.shrink(0);
        }
    }

    /// The memory held, in octets.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let span = core::mem::size_of::<crate::Span>();
        self.octets.capacity().saturating_add(self.tape.capacity().saturating_mul(span))
    }

    fn make_room(&mut self) {
        let held = self.octets.len();
        // A body is used up as it arrives, so that the buffer is empty before each read: what tells that more comes at
        // once is that the last read was full.
        if self.eager && !self.tight && self.start == self.end && held < USUAL.min(self.room) {
            self.eager = false;
            return self.grow(self.more());
        }
        if self.end < held {
            return;
        }
        if held == 0 {
            self.octets.resize(FIRST.min(self.room), 0);
        } else if self.start >= held.div_ceil(2) {
            self.move_down();
        } else if held < self.room {
            self.grow(self.more());
        } else if self.start > 0 {
            self.move_down();
        }
    }

    /// The size to grow to. While it grows the old memory is held beside the new, so where memory is counted the step is one: what
    /// is held at once is then the first allocation and the room, and not the room and half of it.
    fn more(&self) -> usize {
        if self.tight { self.room } else { self.octets.len().saturating_mul(2).min(self.room) }
    }

    fn move_down(&mut self) {
        self.octets.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        self.wipe_behind_end();
    }

    /// Not `Vec::resize`: that would leave a copy of a secret in the memory given back.
    fn grow(&mut self, size: usize) {
        let mut octets = Vec::with_capacity(size);
        octets.extend_from_slice(&self.octets);
        octets.resize(size, 0);
        if self.secret {
            self.octets.zeroize();
        }
        self.octets = octets;
    }

    fn clear_secret(&mut self) {
        self.end = self.start;
        self.wipe_behind_end();
        self.secret = false;
    }

    fn wipe_behind_end(&mut self) {
        if self.secret {
            if let Some(rest) = self.octets.get_mut(self.end..) {
                rest.zeroize();
            }
        }
    }
}

/// For machines: how units are framed and decoded.
impl Input {
    /// Begins a call of `frame`: drops what the last decoded unit used, or gives the unit again that was framed
    /// and never decoded.
    pub fn begin(&mut self) -> Option<Unit> {
        if matches!(self.unit, Taken::Framed(_)) {
            return Some(Unit(self.source.issue()));
        }
        self.settle();
        None
    }

    /// The octets that no unit has taken yet.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or(&[])
    }

    /// Frames the first `len` pending octets, at most all of them. A unit of no octets is fine.
    pub fn take(&mut self, len: usize) -> Unit {
        self.settle();
        self.unit = Taken::Framed(len.min(self.end.saturating_sub(self.start)));
        self.tape.clear();
        Unit(self.source.issue())
    }

    /// Drops the first `n` pending octets without an event.
    pub fn skip(&mut self, n: usize) {
        self.settle();
        self.drop_front(n);
    }

    /// How many octets an unfinished unit may take. Below 16 KiB it changes nothing.
    pub fn allow(&mut self, unit: usize) {
        self.room = unit.max(USUAL);
        self.tight = false;
    }

    /// How many octets an unfinished unit may take, and all that stands behind it: no more is read ahead, also below 16 KiB.
    ///
    /// For a peer that is not known yet. The memory held is then never above 1 KiB and `octets`, growing included. What is held
    /// already is kept. Ends with [`Input::allow`].
    pub fn allow_only(&mut self, octets: usize) {
        self.room = octets;
        self.tight = true;
    }

    /// The octets of a unit, and the cleared tape to write its spans on.
    ///
    /// # Errors
    /// [`StaleUnit`] if it is not the unit that this input framed last.
    pub fn unit(&mut self, unit: Unit) -> Result<(&[u8], &mut Tape), StaleUnit> {
        let (octets, tape) = self.unit_mut(unit)?;
        Ok((octets, tape))
    }

    /// As [`Input::unit`], with octets that may be changed: what is transfer-encoded is decoded where it stands, and an event
    /// borrows it.
    ///
    /// # Errors
    /// [`StaleUnit`] if it is not the unit that this input framed last.
    pub fn unit_mut(&mut self, unit: Unit) -> Result<(&mut [u8], &mut Tape), StaleUnit> {
        let Taken::Framed(len) = self.unit else { return Err(StaleUnit) };
        if !self.source.is_latest(unit.0) {
            return Err(StaleUnit);
        }
        self.unit = Taken::Decoded(len);
        let octets = self.octets.get_mut(self.start..self.start.saturating_add(len)).unwrap_or(&mut []);
        Ok((octets, &mut self.tape))
    }

    /// The octets of the unit framed last, to look at before it is decoded; empty if there is none.
    #[must_use]
    pub fn peek(&self) -> &[u8] {
        let Taken::Framed(len) = self.unit else { return &[] };
        self.octets.get(self.start..self.start.saturating_add(len)).unwrap_or(&[])
    }

    /// From now on octets are overwritten when they are dropped: the input holds, or is about to hold, a secret.
    /// Ends when all memory is given back.
    pub fn hold_secret(&mut self) {
        self.secret = true;
    }

    /// The number of octets dropped so far: the offset of the current unit in the stream since the input was made.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Drops the unit that was decoded.
    fn settle(&mut self) {
        if let Taken::Decoded(n) = self.unit {
            self.unit = Taken::Nothing;
            self.drop_front(n);
        }
    }

    fn drop_front(&mut self, n: usize) {
        let n = n.min(self.end.saturating_sub(self.start));
        let to = self.start.saturating_add(n);
        if self.secret {
            if let Some(used) = self.octets.get_mut(self.start..to) {
                used.zeroize();
            }
        }
        self.start = to;
        self.offset = self.offset.saturating_add(n as u64);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.octets.len() > USUAL {
                self.octets = Vec::new();
            }
        }
        self.tape.shrink(TAPE_KEPT);
    }
}

impl Default for Input {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if self.secret {
            self.octets.zeroize();
        }
    }
}

impl fmt::Debug for Input {
    /// Shows sizes alone: the octets may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input({} octets, capacity {})", self.len(), self.capacity())
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
