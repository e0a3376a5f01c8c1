//! One command and the whole of its answer, as a flow.

use crate::flow::{Failure, Flow, Progress, Refusal};
use crate::turn::Turn;
use mail_pop3_proto::Command;
use mail_pop3_proto::client::{Client, Event, Items, Ticket};
use mail_pop3_proto::reply::StatusLine;
use mail_pop3_proto::types::{Code, MessageNumber};
use std::collections::VecDeque;
use std::convert::Infallible;

/// What is made of an answer. A flow gives it the parts as they come, and gives it away when the answer is complete.
pub(crate) trait Collect: Default {
    /// The first line, which is positive.
    fn status(&mut self, _: StatusLine<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// Lines behind the first.
    fn items(&mut self, _: Items<'_>) -> Result<(), Failure> {
        Err(Failure::Unexpected)
    }
}

/// An answer of which nothing is kept but that it is positive.
impl Collect for () {}

/// A command and its answer.
///
/// Of an operation before that was given up (its future was dropped, its download was), the answers are still under way: they are read and dropped
/// first, for POP3 has no way to call off a command.
pub(crate) struct Ask<'c, C> {
    command: Command<'c>,
    /// `None` until it is sent.
    ticket: Option<Ticket>,
    answer: C,
}

impl<'c, C: Collect> Ask<'c, C> {
    /// Sends nothing yet: the drivers begin.
    pub(crate) fn new(command: Command<'c>) -> Self {
        Self { command, ticket: None, answer: C::default() }
    }

    fn done(&mut self) -> Progress<C, Infallible> {
        Progress::Done(std::mem::take(&mut self.answer))
    }
}

impl<C: Collect> Flow<Client> for Ask<'_, C> {
    type Output = C;
    type Upgrade = Infallible;

    /// While an answer is under way that nobody waits for, nothing is sent: its parts could not be told from ours.
    fn begin(&mut self, turn: Turn<'_, Client>) -> Result<Progress<C, Infallible>, Failure> {
        if turn.machine.in_flight() == 0 {
            self.ticket = Some(turn.machine.send(&self.command, turn.output)?);
        }
        Ok(Progress::More)
    }

    fn on(&mut self, event: Event<'_>, turn: Turn<'_, Client>) -> Result<Progress<C, Infallible>, Failure> {
        still_there(&event)?;
        // Not sent yet: this is a part of an answer that was given up.
        let Some(mine) = self.ticket else { return self.begin(turn) };
        match event {
            // A refusal leaves the session as it is (RFC 1939 §3).
            Event::Reply(ticket, line) | Event::Head(ticket, line) if ticket == mine && !line.is_ok() => {
                Err(Failure::Refused(refusal(&line)))
            }
            Event::Reply(ticket, line) if ticket == mine => {
                self.answer.status(line)?;
                Ok(self.done())
            }
            Event::Head(ticket, line) if ticket == mine => {
                self.answer.status(line)?;
                Ok(Progress::More)
            }
            Event::Items(ticket, items) if ticket == mine => {
                self.answer.items(items)?;
                Ok(Progress::More)
            }
            Event::End(ticket) if ticket == mine => Ok(self.done()),
            _ => Err(Failure::Unexpected),
        }
    }
}

/// DELE for several messages, as many at once as the window takes.
///
/// A mark is no deletion: what was marked before the operation was given up is removed by QUIT alone (RFC 1939 §6).
pub(crate) struct Deletions<I> {
    messages: I,
    /// In the order of the commands, which is that of the answers (RFC 2449 §6.6).
    asked: VecDeque<(Ticket, MessageNumber)>,
    refused: Vec<(MessageNumber, Refusal)>,
}

impl<I: Iterator<Item = MessageNumber>> Deletions<I> {
    pub(crate) fn new(messages: I) -> Self {
        Self { messages, asked: VecDeque::new(), refused: Vec::new() }
    }

    /// As many commands as the window has room for; done when there are none left and all are answered.
    fn fill(
        &mut self,
        turn: Turn<'_, Client>,
    ) -> Result<Progress<Vec<(MessageNumber, Refusal)>, Infallible>, Failure> {
        // A machine without room and without a command in flight takes none any more: sending tells why.
        while turn.machine.has_room() || turn.machine.in_flight() == 0 {
            let Some(message) = self.messages.next() else {
                let done = self.asked.is_empty();
                return Ok(if done {
                    Progress::Done(std::mem::take(&mut self.refused))
                } else {
                    Progress::More
                });
            };
            self.asked.push_back((turn.machine.send(&Command::Dele(message), turn.output)?, message));
        }
        Ok(Progress::More)
    }
}

impl<I: Iterator<Item = MessageNumber>> Flow<Client> for Deletions<I> {
    /// Those that the server does not mark, and why.
    type Output = Vec<(MessageNumber, Refusal)>;
    type Upgrade = Infallible;

    fn begin(&mut self, turn: Turn<'_, Client>) -> Result<Progress<Self::Output, Infallible>, Failure> {
        if turn.machine.in_flight() == 0 { self.fill(turn) } else { Ok(Progress::More) }
    }

    fn on(
        &mut self,
        event: Event<'_>,
        turn: Turn<'_, Client>,
    ) -> Result<Progress<Self::Output, Infallible>, Failure> {
        still_there(&event)?;
        // Nothing of ours is under way: this is a part of an answer that was given up.
        if self.asked.is_empty() {
            return self.begin(turn);
        }
        match (event, self.asked.pop_front()) {
            (Event::Reply(ticket, line), Some((mine, message))) if ticket == mine => {
                if !line.is_ok() {
                    self.refused.push((message, refusal(&line)));
                }
                self.fill(turn)
            }
            _ => Err(Failure::Unexpected),
        }
    }
}

/// Reads and drops what is left of answers to commands that nobody waits for any more.
#[derive(Debug)]
pub(crate) struct Clear;

impl Flow<Client> for Clear {
    type Output = ();
    type Upgrade = Infallible;

    fn begin(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), Infallible>, Failure> {
        Ok(if turn.machine.in_flight() == 0 { Progress::Done(()) } else { Progress::More })
    }

    fn on(&mut self, event: Event<'_>, turn: Turn<'_, Client>) -> Result<Progress<(), Infallible>, Failure> {
        still_there(&event)?;
        self.begin(turn)
    }
}

/// Fails where the server has said unasked that it goes away: what is awaited will not come.
pub(super) fn still_there(event: &Event<'_>) -> Result<(), Failure> {
    if let Event::Closing(line) = event { Err(Failure::Closing(refusal(line))) } else { Ok(()) }
}

/// A negative answer. Servers write response codes without announcing them too; here that does no harm.
pub(crate) fn refusal(line: &StatusLine<'_>) -> Refusal {
    let code = line.unannounced_code();
    Refusal::new(None, line.text()).named(code.map(Code::name), code.and_then(Code::is_permanent))
}
