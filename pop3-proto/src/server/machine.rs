//! The server machine: finding units, and what ends a session.

use super::Server;
use super::answer::Owed;
use super::event::{Abort, Answer, Event, Refusal, Refused, TlsOffer};
use super::settle::Due;
use super::table::Phase;
use crate::error::Violation;
use crate::policy::Repair;
use crate::reply::Reply;
use crate::types::ReplyText;
use core::time::Duration;
use mail_wire::line::{Line, LineFault, LineFramer};
use mail_wire::{
    Closing, End, Framed, Handover, HandoverError, HandoverResult, Input, Machine, Mask, Output, Pause, Role,
    Secured, Unit,
};

/// What the unit framed last is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nothing is framed, or it has been decoded.
    Nothing,
    /// The first one, of no octets: the greeting is due.
    Connected,
    /// A line, whatever it says.
    Line(Line),
    /// The end of an over-long line.
    TooLong,
    /// One of no octets: the application holds a lock, and must learn that it ends.
    Abort(Abort),
}

/// How the session ends once the application knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In order: QUIT, or a greeting that refuses.
    Closed,
    /// The driver shuts down.
    Shutdown,
    /// The client has gone.
    Lost,
    /// By a fault of the client, a limit or a deadline.
    Failed(Violation),
}

impl Machine for Server {
    type Event<'i> = Event<'i>;
    type Upgrade = TlsOffer;
    type Error = Violation;
    const ROLE: Role = Role::Server;

    fn frame(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if let Some(violation) = self.fatal {
            return Err(violation);
        }
        // The end stays the end: no octet behind it is looked at.
        if self.closed {
            return Ok(Framed::Closed);
        }
        // A unit that was framed and not decoded is framed again: nothing is lost by asking twice.
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        // Of the unit before: what it hid is gone with it.
        self.mask = None;
        if !self.settle(output) && !matches!(self.ending, Some(Ending::Failed(_))) {
            return Ok(Framed::Paused(Pause::OutputFull));
        }
        match self.ending {
            // After a shutdown the command in flight is answered first.
            Some(Ending::Shutdown) if self.owed != Owed::Nothing && self.owed != Owed::Upgrade => {}
            // Everything else that ends a session does so at once: what is owed then is owed to nobody.
            Some(ending) => return self.end(ending, input),
            None => {}
        }
        match self.owed {
            // One command at a time: what is pipelined waits in the input, where reading stops when it is full (RFC 2449 §6.6).
            Owed::Nothing => {}
            Owed::Upgrade => return Ok(Framed::Paused(Pause::Upgrade)),
            Owed::Body if output.is_full() => return Ok(Framed::Paused(Pause::OutputFull)),
            _ => return Ok(Framed::Paused(Pause::AnswerOwed)),
        }
        // A client that does not read its answers is given no new ones: this bounds what an idle reader can make a server hold.
        if output.is_full() {
            return Ok(Framed::Paused(Pause::OutputFull));
        }
        if !self.greeted {
            return Ok(self.take(input, Framing::Connected, 0));
        }
        self.find(input, output)
    }

    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        let (octets, _) = input.unit_mut(unit)?;
        Ok(match core::mem::replace(&mut self.framing, Framing::Nothing) {
            Framing::Connected | Framing::Nothing => {
                self.owed = Owed::Greeting;
                Event::Connected(Answer(self.source.issue()))
            }
            Framing::Line(line) => {
                if line.is_bare() {
                    self.policy.grammar.repairs.count(Repair::BareLf, 1);
                }
                self.line(octets.get_mut(..line.text).unwrap_or_default())
            }
            // The rest of a response is no command: the exchange is over, and the line with it.
            Framing::TooLong if core::mem::take(&mut self.exchange) => {
                self.due = Due::Refuse(Refusal::TooLong);
                Event::AuthCancelled(Refusal::TooLong)
            }
            Framing::TooLong => {
                self.user = None;
                self.due = Due::Refuse(Refusal::TooLong);
                Event::Refused(Refused { verb: None, why: Refusal::TooLong })
            }
            Framing::Abort(why) => Event::Abort(why),
        })
    }

    fn masks(&self) -> &[Mask] {
        self.mask.as_slice()
    }

    fn eof(&mut self, _: End) {
        self.eof = true;
    }

    fn close(&mut self, why: Closing, _: &mut Output) {
        if self.is_over() {
            return;
        }
        // Neither has a reply of its own (RFC 1939 §3).
        self.ending = Some(match why {
            // Autologout: the connection is closed without a word and without UPDATE (RFC 1939 §3).
            Closing::Expired => Ending::Failed(Violation::Expired),
            Closing::Shutdown => Ending::Shutdown,
        });
    }

    /// RFC 1939 §3 wants ten minutes at least between two commands; before a log-in nobody is owed that much.
    fn patience(&self) -> Duration {
        match self.phase {
            Phase::Authorization => self.limits.login_wait,
            _ => self.limits.autologout,
        }
    }

    /// The go-ahead is written here and nowhere else, in front of the first TLS record: nothing can come between.
    fn start_tls(mut self, token: TlsOffer, input: Input, output: &mut Output) -> HandoverResult<Self> {
        if self.owed != Owed::Upgrade || self.is_over() || !self.source.is_latest(token.0) {
            return Err(HandoverError::NotOwed);
        }
        self.owed = Owed::Nothing;
        // No go-ahead where plaintext stands behind STLS: the client would begin a handshake that nobody answers (RFC 2595 §4).
        let clean = input.is_empty();
        let (good, bad) = (ReplyText::known("begin TLS"), ReplyText::known("octets behind STLS"));
        self.put(&if clean { Reply::ok(good) } else { Reply::err(bad) }, output);
        Ok(Handover::new(self, input)?)
    }

    /// Nothing from before TLS may count (RFC 2595 §4). Who the client said it was has gone with STLS, which is no PASS, and an exchange
    /// would have read STLS as its response. What is left is a stamp that anybody on the way has read and may have changed; with TLS from
    /// the start the greeting is yet to come, and its stamp with it.
    fn secured(&mut self, _: Secured) {
        self.secure = true;
        self.localised = false;
        if self.greeted {
            self.stamp = None;
        }
    }
}

impl Server {
    /// The next line, and what it costs where it is none. Before a log-in octets are overwritten when they are dropped, whatever they are.
    fn find(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if self.phase == Phase::Authorization {
            // A password may be in any line, also in one that is not complete.
            input.hold_secret();
        }
        if self.discarding {
            return self.skip_line(input);
        }
        let limit = self.limit(input.pending());
        input.allow(limit.saturating_add(2));
        match self.framer.step(input.pending(), self.policy.line, limit) {
            Ok(Some(line)) => Ok(self.take(input, Framing::Line(line), line.len)),
            Ok(None) => self.need(input),
            // Its end is looked for: the line is refused and the link goes on.
            Err(LineFault::TooLong { .. }) => {
                self.discarding = true;
                self.skip_line(input)
            }
            // A CR or LF alone could be a line end to somebody else on the way: nothing behind it can be trusted (RFC 1939 §3).
            Err(fault) => {
                self.put(&Reply::err(ReplyText::known("CR or LF alone")), output);
                self.end(Ending::Failed(Violation::Line(fault)), input)
            }
        }
    }

    /// An AUTH line may hold a long initial response although the standard says 255 octets; clients do send them.
    fn limit(&self, pending: &[u8]) -> usize {
        let auth = pending.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"AUTH "));
        if self.phase == Phase::Authorization && (auth || self.exchange) {
            self.limits.auth_line.max(self.limits.command)
        } else {
            self.limits.command
        }
    }

    /// Drops an over-long line. What it cost is charged; its end is found again.
    fn skip_line(&mut self, input: &mut Input) -> Result<Framed, Violation> {
        let (len, done) = LineFramer::skip(input.pending(), self.policy.line);
        if let Err(spent) = self.discard.spend(u64::try_from(len).unwrap_or(u64::MAX)) {
            return self.end(Ending::Failed(spent.into()), input);
        }
        input.skip(len);
        if done {
            self.discarding = false;
            return Ok(self.take(input, Framing::TooLong, 0));
        }
        self.need(input)
    }

    /// No whole line. If no more octets will come, a session may end between two lines and nowhere else (RFC 1939 §6: then nothing is removed).
    fn need(&mut self, input: &mut Input) -> Result<Framed, Violation> {
        if !self.eof {
            return Ok(Framed::NeedInput);
        }
        // In an exchange the client owes a response, so that its end comes too early there.
        let clean = input.pending().is_empty() && !self.discarding && !self.exchange;
        self.end(if clean { Ending::Lost } else { Ending::Failed(Violation::Truncated) }, input)
    }

    /// Frames the first so many octets, and remembers what they are.
    fn take(&mut self, input: &mut Input, framing: Framing, len: usize) -> Framed {
        self.framing = framing;
        Framed::Ready(input.take(len))
    }

    /// Ends the session, and tells an application that holds the lock of a maildrop before that.
    fn end(&mut self, ending: Ending, input: &mut Input) -> Result<Framed, Violation> {
        // Taken, so that it is told once; QUIT has taken it before and gets no abort on top of its commit (RFC 1939 §6).
        if self.maildrop.take().is_some() {
            self.ending = Some(ending);
            self.owed = Owed::Nothing;
            self.due = Due::Nothing;
            self.body = None;
            let why = match ending {
                Ending::Failed(Violation::Truncated) | Ending::Lost | Ending::Closed => Abort::Lost,
                Ending::Shutdown => Abort::Shutdown,
                Ending::Failed(violation) => Abort::Violation(violation),
            };
            return Ok(self.take(input, Framing::Abort(why), 0));
        }
        match ending {
            Ending::Failed(violation) => {
                self.fatal = Some(violation);
                Err(violation)
            }
            _ => {
                self.closed = true;
                Ok(Framed::Closed)
            }
        }
    }
}
