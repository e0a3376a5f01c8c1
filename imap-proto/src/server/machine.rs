//! The server machine: finding units, and what ends a session.

use super::event::{Answer, Event, Refusal, TlsOffer};
use super::reply::{known, put_status};
use super::table::Phase;
use super::{Kind, Owed, Server};
use crate::error::Violation;
use crate::frame::{Lines, Step, Whole};
use crate::types::status::Condition;
use core::time::Duration;
use mail_wire::line::LineFault;
use mail_wire::{
    Closing, End, Framed, Handover, HandoverError, Input, Machine, Mask, Output, Pause, Role, Secured, Unit,
};

/// Octets of answers that wait to be sent, from which on nothing more is read of a client that is not known yet.
const AHEAD_BEFORE_AUTH: usize = 512;

/// What comes next from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A command.
    Line,
    /// A SASL response.
    Sasl,
    /// DONE.
    Idle,
    /// The message of an APPEND: so many octets are left.
    Message { left: u64, utf8: bool, scan: bool, bad: bool },
    /// What stands behind the message.
    Tail { utf8: bool, bad: bool },
    /// A refused command that goes on: so many octets of a literal are left, then its line. `why` is told at its end, if it was
    /// not told before.
    Discard { left: u64, why: Option<Refusal> },
}

/// What the unit framed last is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Nothing,
    Connected,
    Command(Whole),
    /// The head of an APPEND, up to its message.
    Append {
        sync: bool,
        octets: u64,
    },
    Chunk,
    Tail(Whole),
    Sasl(Whole),
    Idle(Whole),
    Refused(Refusal),
}

impl Machine for Server {
    const ROLE: Role = Role::Server;
    type Event<'i> = Event<'i>;
    type Error = Violation;
    type Upgrade = TlsOffer;

    /// What is due is written first; what the application owes comes next; then octets are looked at.
    ///
    /// Nothing of the client is read before the greeting is answered.
    fn frame(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if let Some(violation) = &self.fatal {
            return Err(violation.clone());
        }
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        if !self.is_known() {
            // What a client that nobody knows makes us hold is bounded by the input itself, whatever it announces.
            input.allow_only(self.room_before_auth());
        }
        self.masks.clear();
        self.settle(output);
        if let Some(violation) = self.ending.take() {
            self.fatal = Some(violation.clone());
            return Err(violation);
        }
        if self.phase == Phase::Logout {
            return Ok(Framed::Closed);
        }
        // One command at a time: the next is not looked at before this one is answered, so that no ambiguity can arise between two
        // (RFC 9051 §5.5).
        match self.owed {
            Owed::Nothing => {}
            Owed::Upgrade => return Ok(Framed::Paused(Pause::Upgrade)),
            _ if self.open.is_some() && self.is_full(output) => return Ok(Framed::Paused(Pause::OutputFull)),
            _ => return Ok(Framed::Paused(Pause::AnswerOwed)),
        }
        if self.shutdown && matches!(self.mode, Mode::Line | Mode::Idle | Mode::Sasl) {
            self.say_bye("shutting down", output);
            self.phase = Phase::Logout;
            return Ok(Framed::Closed);
        }
        // The greeting is an answer that nobody has asked for: an event without octets.
        if self.phase == Phase::Greeting {
            return Ok(self.take(input, What::Connected, 0));
        }
        self.find(input, output)
    }

    /// Reads what `frame` has found; the kind of the unit is remembered from there.
    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        let (octets, _) = input.unit_mut(unit)?;
        Ok(match core::mem::replace(&mut self.what, What::Nothing) {
            What::Nothing | What::Connected => {
                self.owed = Owed::Greeting;
                Event::Connected(Answer(self.source.issue()))
            }
            What::Command(line) => self.read_command(octets, line),
            What::Append { sync, octets: announced } => self.read_append(octets, sync, announced),
            What::Chunk => self.read_chunk(octets),
            What::Tail(line) => self.read_tail(octets, line),
            What::Sasl(line) => self.read_sasl(octets, line),
            What::Idle(line) => self.read_done(octets, line),
            What::Refused(why) => Event::Refused(why),
        })
    }

    /// Passwords and SASL messages are secret, messages are bodies.
    fn masks(&self) -> &[Mask] {
        &self.masks
    }

    /// What it means is told by `frame`.
    fn eof(&mut self, _: End) {
        self.eof = true;
    }

    /// A shutdown waits for the command in flight, and for a message that is on its way. An expired wait ends at once, with BYE
    /// (RFC 9051 §5.4).
    fn close(&mut self, why: Closing, output: &mut Output) {
        if self.is_over() {
            return;
        }
        match why {
            Closing::Shutdown => self.shutdown = true,
            Closing::Expired => {
                self.fail(Violation::Expired, "too long idle", output);
                // Nobody will be told the answer any more.
                self.owed = Owed::Nothing;
            }
        }
    }

    /// Three minutes up to the log-in, five inside a command, thirty between commands and during IDLE (RFC 9051 §5.4).
    fn patience(&self) -> Duration {
        match self.mode {
            _ if matches!(self.phase, Phase::Greeting | Phase::NotAuthenticated) => self.limits.wait_login,
            Mode::Message { .. } | Mode::Tail { .. } | Mode::Discard { .. } | Mode::Sasl => {
                self.limits.wait_command
            }
            Mode::Line | Mode::Idle => self.limits.wait_idle,
        }
    }

    /// The go-ahead, or BAD and BYE where octets stand behind STARTTLS already: they were not protected and would be read as if
    /// they had been (RFC 9051 §11.1).
    fn start_tls(
        mut self,
        token: TlsOffer,
        input: Input,
        output: &mut Output,
    ) -> Result<Handover<Self>, HandoverError> {
        if self.owed != Owed::Upgrade || self.is_over() || !self.source.is_latest(token.0) {
            return Err(HandoverError::NotOwed);
        }
        self.owed = Owed::Nothing;
        if input.is_empty() {
            self.put_tagged(&known(Condition::Ok, "begin TLS now"), output);
        } else {
            self.put_tagged(&known(Condition::Bad, "octets behind STARTTLS"), output);
            self.say_bye("octets behind STARTTLS", output);
        }
        Ok(Handover::new(self, input)?)
    }

    /// What was enabled before TLS is forgotten (RFC 9051 §6.2.1); the phase is what it was.
    fn secured(&mut self, _: Secured) {
        self.secure = true;
        self.enabled = super::enable::Enabled::default();
        self.tag = alloc::vec::Vec::new();
    }
}

impl Server {
    /// Looks for the next unit, by what is awaited. A round that only serves the machine is followed by another.
    fn find(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if self.phase == Phase::NotAuthenticated {
            // A password may be in any line, also in one that is not complete.
            input.hold_secret();
        }
        loop {
            if self.is_full(output) {
                return Ok(Framed::Paused(Pause::OutputFull));
            }
            match self.mode {
                Mode::Line => {
                    if let Some(framed) = self.find_command(input, output)? {
                        return Ok(framed);
                    }
                }
                Mode::Sasl => return self.find_line(What::Sasl, self.limits.auth_line, input, output),
                Mode::Idle => return self.find_line(What::Idle, self.limits.command_line, input, output),
                Mode::Message { left: 0, utf8, bad, .. } => self.mode = Mode::Tail { utf8, bad },
                Mode::Message { left, .. } => return self.find_chunk(left, input),
                Mode::Tail { .. } => {
                    if let Some(framed) = self.find_tail(input, output)? {
                        return Ok(framed);
                    }
                }
                Mode::Discard { left, why } => {
                    if let Some(framed) = self.find_discarded(left, why, input, output)? {
                        return Ok(framed);
                    }
                }
            }
        }
    }

    /// A line that no literal is part of.
    fn find_line(
        &mut self,
        what: fn(Whole) -> What,
        limit: usize,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Framed, Violation> {
        match self.step(limit, true, input, output)? {
            Step::Line(line) => Ok(self.take(input, what(line), line.len)),
            // Text throughout: no literal is ever found.
            Step::Need | Step::Literal(_) => self.need(input),
        }
    }

    /// Looks for the end of the line; a fault ends the session with a last word.
    pub(crate) fn step(
        &mut self,
        limit: usize,
        text: bool,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Step, Violation> {
        if self.is_known() {
            let passed = usize::try_from(self.lines.literals()).unwrap_or(usize::MAX);
            input.allow(limit.saturating_add(passed).saturating_add(2));
        }
        let step = match self.lines.step(input.pending(), self.policy.line, limit, |_| text) {
            // That a literal was announced an octet short is a client's guess about a server, never the reverse: what stands here
            // is LF alone, and whoever relays the command may read its end elsewhere (RFC 9051 §4.3).
            Ok(Step::Line(Whole { short: true, text, .. })) => Err(LineFault::BareLf { at: text }.into()),
            other => other,
        };
        match step {
            Ok(Step::Need) => Ok(Step::Need),
            Ok(Step::Line(line)) => {
                self.lines = Lines::new();
                Ok(Step::Line(line))
            }
            Ok(step) => Ok(step),
            Err(violation) => {
                let text = match violation {
                    Violation::Line(LineFault::TooLong { .. }) => "line too long",
                    Violation::Line(_) => "CR or LF alone",
                    _ => "quotes open before a literal",
                };
                // The line cannot be delimited, so nothing behind it can be read either: its tag, if it has one, is told and the session
                // ends (RFC 9051 §7.1.3, §7.1.5).
                if self.mode == Mode::Line {
                    self.see_tag(input.pending());
                }
                self.put_tagged(&known(Condition::Bad, text), output);
                self.fail(violation.clone(), text, output);
                self.fatal = self.ending.take();
                Err(violation)
            }
        }
    }

    /// What may be held of a client that is not known yet: the longest command with its literals, or a SASL line.
    fn room_before_auth(&self) -> usize {
        let literals = usize::try_from(self.limits.command_literal_octets_before_auth).unwrap_or(usize::MAX);
        self.limits.command_line_before_auth.saturating_add(literals).max(self.limits.auth_line)
    }

    /// Whether no more is taken from the client until it has read what it was told. Who is not known yet is
    /// answered a few times ahead, and not as often as the output holds.
    fn is_full(&self, output: &Output) -> bool {
        output.is_full() || !self.is_known() && output.len() >= AHEAD_BEFORE_AUTH
    }

    /// No unit is complete. After the end of the octets the session is over, and truncated if anything was begun.
    pub(crate) fn need(&mut self, input: &Input) -> Result<Framed, Violation> {
        if !self.eof {
            return Ok(Framed::NeedInput);
        }
        // Between two commands a client may go without LOGOUT (RFC 9051 §3.4): nothing was promised to it.
        if self.mode == Mode::Line && input.pending().is_empty() {
            self.phase = Phase::Logout;
            return Ok(Framed::Closed);
        }
        self.fatal = Some(Violation::Truncated);
        Err(Violation::Truncated)
    }

    /// Frames the first `len` octets, and remembers what they are.
    pub(crate) fn take(&mut self, input: &mut Input, what: What, len: usize) -> Framed {
        self.what = what;
        Framed::Ready(input.take(len))
    }

    /// BYE, once.
    pub(crate) fn say_bye(&mut self, text: &'static str, output: &mut Output) {
        if !self.bye {
            self.bye = true;
            put_status("*", &known(Condition::Bye, text), output);
        }
    }

    /// The answer to a command is owed from now on.
    pub(crate) fn owe(&mut self, kind: Kind) -> Answer {
        self.owed = Owed::Answer(kind);
        Answer(self.source.issue())
    }
}
