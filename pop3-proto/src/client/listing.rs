//! Answers of several lines that are no message: found by their last line end, checked line by line when decoded.

use super::Client;
use super::event::Event;
use super::items::{Head, Items, read, unstuffed};
use super::machine::{Framing, Place};
use crate::command::Shape;
use crate::error::Violation;
use crate::parse::quick;
use crate::policy::{Repair, Switches};
use crate::reply::Item;
use mail_wire::line::LineFault;
use mail_wire::{Framed, Input};
use memchr::{memmem, memrchr};

impl Client {
    /// As many whole lines as there are, or the terminator.
    pub(crate) fn lines(&mut self, input: &mut Input) -> Result<Framed, Violation> {
        let limit = self.limits.status_line;
        input.allow(limit.saturating_add(2));
        // Only what the last read has added is searched for a line end: the cost is linear at any size of reads.
        let pending = input.pending();
        // The line end of the status line is that of the whole answer.
        let dot: &[u8] = if self.lf { b".\n" } else { b".\r\n" };
        if pending.starts_with(dot) {
            // The terminator alone: it says that the listing was whole.
            return Ok(self.take(input, Framing::ItemsEnd, dot.len()));
        }
        let new = pending.get(self.scanned..).unwrap_or_default();
        let Some(last) = memrchr(b'\n', new) else {
            self.scanned = pending.len();
            if self.scanned >= limit {
                return Err(LineFault::TooLong { limit }.into());
            }
            return self.need();
        };
        let end = self.scanned.saturating_add(last).saturating_add(1);
        let lines = pending.get(..end).unwrap_or_default();
        // The lines stop before the terminator, which is a unit of its own; what stands behind it is not theirs.
        // Dots at the start of a line are rare, so that looking for them is quicker than looking for all of the terminator.
        let mut dots = memmem::find_iter(lines, b"\n.").map(|lf| lf.saturating_add(1));
        let end = dots.find(|at| lines.get(*at..).is_some_and(|line| line.starts_with(dot))).unwrap_or(end);
        self.scanned = 0;
        Ok(self.take(input, Framing::Items, end))
    }

    /// Checks the lines, the plain ones at little cost. What is wrong with one of them ends the session after those before it have been told.
    pub(crate) fn items<'i>(&mut self, octets: &'i [u8]) -> Result<Event<'i>, Violation> {
        let (Some(flight), Place::Listing(shape)) = (self.flight.front(), self.place) else {
            return Err(Violation::Unsolicited);
        };
        // What is needed to read the lines again goes with them: they are read when they are looked at.
        let ticket = flight.ticket;
        let repairs = Switches::of(&self.policy.grammar.repairs);
        let mut head = Head { shape, lf: self.lf, plain: true, repairs };
        // Between two lines that are to be looked at closer, a plain stretch costs a few instructions for eight octets.
        let mut rest = self.plain(octets, shape);
        while !rest.is_empty() {
            match self.line(rest, shape) {
                Ok(len) => {
                    head.plain = false;
                    rest = self.plain(rest.get(len..).unwrap_or_default(), shape);
                }
                // An event holds one line at least: where the first is the bad one, there is no event.
                Err(violation) if rest.len() == octets.len() => return Err(violation),
                Err(violation) => {
                    self.after = Some(violation);
                    break;
                }
            }
        }
        let good = octets.len().saturating_sub(rest.len());
        Ok(Event::Items(ticket, Items::new(octets.get(..good).unwrap_or_default(), head)))
    }

    /// Charges the plain lines at the front, which are good whatever the policy is, and gives what stands behind them.
    fn plain<'i>(&mut self, lines: &'i [u8], shape: Shape) -> &'i [u8] {
        if self.lf || self.limits.status_line < quick::LONGEST {
            return lines;
        }
        // The line behind the last that may come is left to be refused.
        let left = self.limits.entries.saturating_sub(self.entries);
        let (count, rest) = match shape {
            Shape::Scan => quick::plain_scans(lines, left),
            Shape::UniqueIds => quick::plain_unique_ids(lines, left),
            _ => return lines,
        };
        self.entries = self.entries.saturating_add(count);
        rest
    }

    /// Charges a line of so many octets.
    fn entry(&mut self, shape: Shape, len: usize) -> Result<(), Violation> {
        if len > self.limits.status_line {
            return Err(LineFault::TooLong { limit: self.limits.status_line }.into());
        }
        // They are counted and never kept, so that no listing costs more memory than a read.
        self.entries = self.entries.saturating_add(1);
        let (name, most) = match shape {
            Shape::Capabilities => ("capabilities", self.limits.capabilities),
            _ => ("entries", self.limits.entries),
        };
        if self.entries > most { Err(Violation::Limit(name, most.into())) } else { Ok(()) }
    }

    /// Checks the line at the front and gives its length, line end included.
    /// The whole grammar is run here, though its values are not kept: a repair is counted once, and CAPA is learnt from.
    fn line(&mut self, octets: &[u8], shape: Shape) -> Result<usize, Violation> {
        // The length comes first: read octet by octet, it would be met before what is wrong inside.
        let len = memchr::memchr(b'\n', octets).map_or(octets.len(), |lf| lf.saturating_add(1));
        self.entry(shape, len)?;
        let text = self.line_end(octets, len)?;
        let text = octets.get(..text).unwrap_or_default();
        match read(text, shape, &mut self.policy.grammar.repairs) {
            // What is longer than the standard allows is told and not kept (RFC 2449 §4).
            Ok(Item::Capability(capability)) if len <= 512 => {
                self.learning.keep(&capability, unstuffed(text))
            }
            // Tolerant: it stands in the listing as what it is, beside the good ones.
            Err(malformed) if self.policy.grammar.strict => return Err(Violation::Malformed(malformed.rule)),
            _ => {}
        }
        Ok(len)
    }

    /// How many octets of the line are text: a line of so many octets, of which LF is the last.
    fn line_end(&mut self, octets: &[u8], len: usize) -> Result<usize, Violation> {
        if self.lf {
            self.policy.grammar.repairs.count(Repair::BareLf, 1);
            return Ok(len.saturating_sub(1));
        }
        match memchr::memchr(b'\r', octets.get(..len).unwrap_or_default()) {
            Some(at) if at.saturating_add(2) == len => Ok(at),
            Some(at) => Err(LineFault::BareCr { at }.into()),
            None => Err(LineFault::BareLf { at: len.saturating_sub(1) }.into()),
        }
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
