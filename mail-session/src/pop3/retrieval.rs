//! Messages, one behind the other, as they come.

use super::ask::{refusal, still_there};
use super::values::Wanted;
use crate::flow::{Failure, Parts, Refusal};
use crate::turn::Turn;
use mail_pop3_proto::Command;
use mail_pop3_proto::client::{Client, Event, Ticket};
use mail_pop3_proto::types::MessageNumber;
use mail_wire::Machine;
use std::collections::VecDeque;

/// A part of a download.
#[derive(Debug)]
#[non_exhaustive]
pub enum Part<'i> {
    /// A message follows.
    Begin(MessageNumber),
    /// Octets of it, at least one, as they were before they were stuffed. They may come apart anywhere.
    Octets(&'i [u8]),
    /// It is complete, and only now.
    End(MessageNumber),
    /// The server does not give this one. The others come all the same.
    Refused(MessageNumber, Refusal),
}

/// A download of several messages, without a socket: as many commands are under way as the window of the machine allows
/// ([`Limits::window`](mail_pop3_proto::Limits), RFC 2449 §6.6), and one where the server has not announced PIPELINING.
#[derive(Debug)]
pub struct Retrieval<I> {
    wanted: I,
    /// `wanted` has given its last.
    exhausted: bool,
    /// In the order of the commands, which is that of the answers.
    asked: VecDeque<(Ticket, Wanted)>,
    /// Octets of the message at the front.
    received: u64,
    /// Octets of all messages.
    total: u64,
}

impl<I: Iterator<Item: Into<Wanted>>> Retrieval<I> {
    /// Of these, in this order.
    pub fn new(wanted: I) -> Self {
        Self { wanted, exhausted: false, asked: VecDeque::new(), received: 0, total: 0 }
    }

    /// Octets of the message at the front, if LIST has told them.
    pub(super) fn expected(&self) -> Option<u64> {
        self.asked.front().and_then(|(_, wanted)| wanted.octets)
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The message that an answer belongs to: answers come in the order of the commands.
    fn current(&self, ticket: Ticket) -> Result<MessageNumber, Failure> {
        match self.asked.front() {
            Some((mine, wanted)) if *mine == ticket => Ok(wanted.message),
            _ => Err(Failure::Unexpected),
        }
    }
}

impl<I: Iterator<Item: Into<Wanted>>> Parts<Client> for Retrieval<I> {
    type Part<'i> = Part<'i>;

    fn fill(&mut self, turn: Turn<'_, Client>) -> Result<(), Failure> {
        // A machine without room and without a command in flight takes none any more: sending tells why.
        while !self.exhausted && (turn.machine.has_room() || turn.machine.in_flight() == 0) {
            let Some(wanted) = self.wanted.next().map(Into::into) else {
                self.exhausted = true;
                break;
            };
            let Wanted { message, octets, lines } = wanted;
            let command = lines.map_or(Command::Retr(message), |lines| Command::Top { message, lines });
            let ticket = turn.machine.send(&command, turn.output)?;
            // The window counts octets too, so that not everything that is wanted is on the way at once.
            if let Some(octets) = octets {
                turn.machine.expect(ticket, octets);
            }
            self.asked.push_back((ticket, wanted));
        }
        Ok(())
    }

    fn part<'i>(&mut self, event: <Client as Machine>::Event<'i>) -> Result<Part<'i>, Failure> {
        still_there(&event)?;
        match event {
            // A status line is no part of the message.
            Event::Head(ticket, _) => {
                self.received = 0;
                Ok(Part::Begin(self.current(ticket)?))
            }
            Event::Chunk(octets) => {
                self.received = self.received.saturating_add(octets.len() as u64);
                self.total = self.total.saturating_add(octets.len() as u64);
                Ok(Part::Octets(octets))
            }
            Event::End(ticket) => {
                let message = self.current(ticket)?;
                self.asked.pop_front();
                Ok(Part::End(message))
            }
            // There is no such message, or it is marked (RFC 1939 §5).
            Event::Reply(ticket, line) if !line.is_ok() => {
                let message = self.current(ticket)?;
                self.asked.pop_front();
                Ok(Part::Refused(message, refusal(&line)))
            }
            _ => Err(Failure::Unexpected),
        }
    }

    fn is_over(&self) -> bool {
        self.exhausted && self.asked.is_empty()
    }
}
