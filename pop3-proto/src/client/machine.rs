//! The client machine: finding units, reading them, and what they change.

use super::Client;
use super::event::{AuthTurn, Event, Ticket, TlsGrant};
use super::flight::Asked;
use crate::command::Shape;
use crate::error::Violation;
use crate::ext::capa::Capabilities;
use crate::parse::status;
use crate::policy::{Repair, Tls};
use crate::reply::{DataHead, Head, Status, StatusLine};
use crate::types::MsgId;
use core::time::Duration;
use mail_wire::dot::{Dot, DotDecoder};
use mail_wire::line::Line;
use mail_wire::{
    Class, Closing, End, Framed, Handover, HandoverError, HandoverResult, Input, Machine, Mask, Output,
    Pause, Role, Secured, Span, Unit, View, base64,
};

/// What the next octets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The first line of the server, which no command asks for.
    Greeting,
    /// A status line, or nothing while no command is in flight.
    Status,
    /// Lines of a listing.
    Listing(Shape),
    /// A message.
    Body,
    /// A challenge was given to the application.
    Turn,
    /// TLS is due.
    Upgrade,
}

impl Place {
    /// Whether a command could be sent, as far as the place goes.
    pub(crate) fn is_up(self) -> bool {
        matches!(self, Self::Status | Self::Listing(_) | Self::Body)
    }
}

/// What the unit framed last is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nothing is framed, or it has been decoded.
    Nothing,
    /// A line with its text's length.
    Status(Line),
    /// The same, where no command in flight can be what it answers.
    Unasked(Line),
    /// Whole lines of a listing, as many as have come.
    Items,
    /// The terminator of a listing.
    ItemsEnd,
    /// Octets of a message, at least one.
    Chunk,
    /// The terminator of a message.
    BodyEnd,
}

/// What is written at the next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// All is written.
    Nothing,
    /// A challenge that is not base64 was read.
    Cancel,
}

impl Machine for Client {
    type Event<'i> = Event<'i>;
    type Upgrade = TlsGrant;
    type Error = Violation;
    const ROLE: Role = Role::Client;

    fn frame(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if let Some(violation) = self.fatal {
            return Err(violation);
        }
        if self.closed {
            return Ok(Framed::Closed);
        }
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        self.mask = None;
        self.arrived = self.used.saturating_add(octets(input.pending().len()));
        // An event has been given for what stood before the fault; the fault itself comes now.
        if let Some(violation) = self.after.take() {
            return Err(self.fail(violation));
        }
        if core::mem::replace(&mut self.due, Due::Nothing) == Due::Cancel {
            output.put(Class::Public, b"*\r\n");
        }
        match self.find(input, output) {
            Ok(framed) => Ok(framed),
            Err(violation) => Err(self.fail(violation)),
        }
    }

    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        // Looked at before the unit is taken, as its octets are still in front.
        let behind = input.pending().len().saturating_sub(input.peek().len());
        let (unit, _) = input.unit(unit)?;
        self.arrived = self.used.saturating_add(octets(behind));
        let framing = core::mem::replace(&mut self.framing, Framing::Nothing);
        match self.read(framing, unit) {
            Ok(event) => Ok(event),
            Err(violation) => Err(self.fail(violation)),
        }
    }

    fn masks(&self) -> &[Mask] {
        self.mask.as_slice()
    }

    /// What was owed when the octets ended is told by the next frame: an answer that is cut is never a shorter one.
    fn eof(&mut self, _: End) {
        self.eof = true;
    }

    /// A client says nothing at its end: QUIT would commit what has been marked, and that is the application's to decide (RFC 1939 §6).
    fn close(&mut self, why: Closing, _: &mut Output) {
        if self.is_over() {
            return;
        }
        match why {
            Closing::Expired => self.fatal = Some(Violation::Expired),
            Closing::Shutdown => self.closed = true,
        }
    }

    fn patience(&self) -> Duration {
        self.limits.reply_wait
    }

    fn start_tls(self, token: TlsGrant, input: Input, _: &mut Output) -> HandoverResult<Self> {
        if self.place != Place::Upgrade || self.is_over() || !self.source.is_latest(token.0) {
            return Err(HandoverError::NotOwed);
        }
        Ok(Handover::new(self, input)?)
    }

    /// RFC 2595 §4 and §9: what a server said before TLS may have been said by somebody else. The name that USER gave goes with it, as the
    /// server has forgotten it too.
    fn secured(&mut self, _: Secured) {
        self.secure = true;
        self.learn(Capabilities::new());
        self.told = false;
        self.stamp = None;
        self.utf8 = false;
        self.last_sent = None;
        if self.place == Place::Upgrade {
            self.place = Place::Status;
        }
    }
}

/// Finding units.
impl Client {
    /// Goes on from the place the last unit has led to. What serves the machine alone is used up on the way: stuffing, and the challenge that a
    /// withheld response waits for.
    fn find(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        loop {
            match self.place {
                Place::Turn if self.eof => return Err(Violation::Truncated),
                Place::Turn => return Ok(Framed::Paused(Pause::AnswerOwed)),
                Place::Upgrade => return Ok(Framed::Paused(Pause::Upgrade)),
                Place::Status if !self.is_awaited(input) => return self.unasked(input),
                Place::Greeting | Place::Status => match self.status_line(input)? {
                    Some(line) if self.release(input.pending(), line, output) => self.skip(input, line.len),
                    Some(line) => return Ok(self.take(input, Framing::Status(line), line.len)),
                    None => return self.need(),
                },
                Place::Listing(_) => return self.lines(input),
                Place::Body => match self.body(input)? {
                    Some(framed) => return Ok(framed),
                    None => self.skip(input, 1),
                },
            }
        }
    }

    /// Whether what comes next answers the command at the front. What had arrived before that was sent does not: a server that is out of step,
    /// or somebody in between, would be believed to have answered what it has never heard.
    fn is_awaited(&self, input: &Input) -> bool {
        let front = self.flight.front();
        front.is_some_and(|flight| flight.since <= self.used || input.pending().is_empty())
    }

    /// What no command has asked for. RFC 1939 §3 gives a server nothing to say there, and yet many say by a negative line why they go away,
    /// such as at autologout: that one is told, and the session is over with it.
    fn unasked(&mut self, input: &mut Input) -> Result<Framed, Violation> {
        let pending = input.pending();
        // Behind the answer to QUIT nothing is looked at.
        if self.quit || pending.is_empty() {
            if self.quit || self.eof {
                self.closed = true;
                return Ok(Framed::Closed);
            }
            return Ok(Framed::NeedInput);
        }
        if !status::may_refuse(pending) {
            return Err(Violation::Unsolicited);
        }
        let limit = self.limits.status_line;
        let line = self.framer.step(pending, self.policy.line, limit);
        input.allow(limit.saturating_add(2));
        match line {
            Ok(Some(line)) => Ok(self.take(input, Framing::Unasked(line), line.len)),
            Ok(None) => self.need(),
            Err(_) => Err(Violation::Unsolicited),
        }
    }

    /// The application says something more for the command at the front: what answers it comes behind all that has arrived so far. What the machine
    /// writes by itself follows from the octets alone, however they were cut, and moves nothing.
    pub(crate) fn spoke(&mut self) {
        if let Some(flight) = self.flight.front_mut() {
            flight.since = self.arrived;
        }
    }

    /// No whole unit. An end here is too early: an answer is awaited.
    pub(crate) fn need(&self) -> Result<Framed, Violation> {
        if self.eof { Err(Violation::Truncated) } else { Ok(Framed::NeedInput) }
    }

    /// Frames the first so many octets, and remembers what they are.
    pub(crate) fn take(&mut self, input: &mut Input, framing: Framing, len: usize) -> Framed {
        self.framing = framing;
        self.used = self.used.saturating_add(octets(len));
        Framed::Ready(input.take(len))
    }

    /// Drops the first so many octets, which are no event.
    fn skip(&mut self, input: &mut Input, len: usize) {
        self.used = self.used.saturating_add(octets(len));
        input.skip(len);
    }

    /// A challenge may be longer than a status line, and is a secret (RFC 5034 §4).
    fn status_line(&mut self, input: &mut Input) -> Result<Option<Line>, Violation> {
        let auth = matches!(self.flight.front().map(|flight| &flight.asked), Some(Asked::Auth(_)));
        let limit =
            if auth { self.limits.auth_line.max(self.limits.status_line) } else { self.limits.status_line };
        if auth {
            input.hold_secret();
        }
        input.allow(limit.saturating_add(2));
        Ok(self.framer.step(input.pending(), self.policy.line, limit)?)
    }

    /// The first, empty challenge releases the initial response that was too long for the command line (RFC 5034 §4). It is no event:
    /// the application has given its response already.
    fn release(&mut self, pending: &[u8], line: Line, output: &mut Output) -> bool {
        let Some(Asked::Auth(auth)) = self.flight.front_mut().map(|flight| &mut flight.asked) else {
            return false;
        };
        // A blank more than there should be is let through; a blank less is a repair.
        let repairs = &mut self.policy.grammar.repairs;
        let empty = match pending.get(..line.text) {
            Some(text @ ([b'+'] | [b'+', b' ', ..])) if text.trim_ascii_end() == b"+" => text,
            _ => return false,
        };
        if auth.held.is_none() || status::challenge(empty, repairs).is_none() {
            return false;
        }
        if line.is_bare() {
            repairs.count(Repair::BareLf, 1);
        }
        if let Some(held) = auth.held.take() {
            output.put(Class::Secret, held.expose());
            output.put(Class::Public, b"\r\n");
        }
        auth.rounds = auth.rounds.saturating_add(1);
        auth.responded = true;
        true
    }

    /// `None`: the first octet is stuffing.
    fn body(&mut self, input: &mut Input) -> Result<Option<Framed>, Violation> {
        let Some(dot) = &mut self.dot else { return Err(Violation::Status) };
        match dot.step(input.pending()) {
            Dot::Data(len) => {
                // Counted, and never taken from what the server has announced: sizes are often wrong.
                self.octets = self.octets.saturating_add(octets(len));
                if self.octets > self.limits.message {
                    return Err(Violation::Limit("octets of a message", self.limits.message));
                }
                Ok(Some(self.take(input, Framing::Chunk, len)))
            }
            Dot::Stuffing => Ok(None),
            Dot::End(len) => Ok(Some(self.take(input, Framing::BodyEnd, len))),
            Dot::Need => self.need().map(Some),
        }
    }
}

/// Reading them.
impl Client {
    /// Runs the grammar over what was framed. Whatever is learnt from it changes the machine here, and not before.
    fn read<'i>(&mut self, framing: Framing, octets: &'i [u8]) -> Result<Event<'i>, Violation> {
        match framing {
            Framing::Nothing => Err(Violation::Status),
            Framing::Status(line) => {
                if line.is_bare() {
                    self.policy.grammar.repairs.count(Repair::BareLf, 1);
                }
                self.lf = line.is_bare();
                self.status(octets.get(..line.text).unwrap_or_default())
            }
            Framing::Unasked(line) => {
                if line.is_bare() {
                    self.policy.grammar.repairs.count(Repair::BareLf, 1);
                }
                self.dismissed(octets.get(..line.text).unwrap_or_default())
            }
            Framing::Items => self.items(octets),
            Framing::Chunk => {
                self.mask = Some(Mask { span: Span::new(0, octets.len()), class: Class::Body });
                Ok(Event::Chunk(octets))
            }
            Framing::ItemsEnd => {
                if self.place == Place::Listing(Shape::Capabilities) {
                    let learnt = core::mem::take(&mut self.learning);
                    self.learn(learnt);
                }
                Ok(Event::End(self.landed()?))
            }
            Framing::BodyEnd => {
                self.dot = None;
                Ok(Event::End(self.landed()?))
            }
        }
    }

    /// The command at the front is answered.
    fn landed(&mut self) -> Result<Ticket, Violation> {
        self.place = Place::Status;
        self.flight.pop_front().map(|flight| flight.ticket).ok_or(Violation::Unsolicited)
    }

    /// A line where one is due: the greeting, a challenge, or the status of the command at the front (RFC 1939 §3).
    fn status<'i>(&mut self, line: &'i [u8]) -> Result<Event<'i>, Violation> {
        if self.place == Place::Greeting {
            return self.greeting(line);
        }
        if let Some(text) = self.challenge(line) {
            return self.challenged(line, text);
        }
        let (status, text) =
            status::status(line, &mut self.policy.grammar.repairs).ok_or(Violation::Status)?;
        let Some(flight) = self.flight.front() else { return Err(Violation::Unsolicited) };
        let repairs = &mut self.policy.grammar.repairs;
        // What a positive answer says hangs on the command alone; a negative one is text for people (RFC 1939 §9).
        let data = match (&flight.asked, status) {
            (Asked::Stat, Status::Ok) => status::stat(line, text, repairs),
            (Asked::List(message), Status::Ok) => status::one_scan(line, text, *message, repairs),
            (Asked::Uidl(message), Status::Ok) => status::one_unique_id(line, text, *message, repairs),
            (Asked::Language, Status::Ok) => status::language(line, text),
            _ => DataHead::None,
        };
        if let (DataHead::Malformed { rule, .. }, true) = (data, self.policy.grammar.strict) {
            return Err(Violation::Malformed(rule));
        }
        // A text that begins with a bracket is no code unless the server has said that it gives codes (RFC 2449 §6.4).
        let codes = self.codes;
        let reply = StatusLine::new(View::new(line, &[]), Head { status, text, codes, data });
        self.answered(reply)
    }

    /// Positive, with the stamp of APOP where there is one that is a msg-id, or negative, which ends the session (RFC 1939 §4 and §7).
    fn greeting<'i>(&mut self, line: &'i [u8]) -> Result<Event<'i>, Violation> {
        let (status, text) =
            status::status(line, &mut self.policy.grammar.repairs).ok_or(Violation::Status)?;
        let head = Head { status, text, codes: false, data: DataHead::None };
        let greeting = StatusLine::new(View::new(line, &[]), head);
        self.place = Place::Status;
        if status == Status::Err {
            self.after = Some(Violation::GreetingRefused);
            return Ok(Event::Greeting(greeting, None));
        }
        // One that is no msg-id is left out: APOP would then help whoever made it up (RFC 6151 §2).
        let stamp = MsgId::find(text.of(line));
        self.stamp = stamp.map(|stamp| stamp.octets().into());
        Ok(Event::Greeting(greeting, stamp))
    }

    /// The server goes away and says why. Commands that it has not heard are answered by nobody.
    fn dismissed<'i>(&mut self, line: &'i [u8]) -> Result<Event<'i>, Violation> {
        let (status, text) = status::status(line, &mut self.policy.grammar.repairs)
            .filter(|(status, _)| *status == Status::Err)
            .ok_or(Violation::Unsolicited)?;
        self.flight.clear();
        self.after = Some(Violation::Unsolicited);
        let head = Head { status, text, codes: self.codes, data: DataHead::None };
        Ok(Event::Closing(StatusLine::new(View::new(line, &[]), head)))
    }

    /// What the line carries if it is a challenge that is awaited.
    fn challenge<'i>(&mut self, line: &'i [u8]) -> Option<&'i [u8]> {
        let Some(Asked::Auth(auth)) = self.flight.front().map(|flight| &flight.asked) else { return None };
        let repairs = &mut self.policy.grammar.repairs;
        if let Some(text) = status::challenge(line, repairs) {
            return Some(text);
        }
        // Before the server has had a response its `+OK` cannot be a success (RFC 5034 §4).
        // Some servers say so for an empty challenge. With text behind it is taken for what it says, and refused.
        let early = !auth.responded && line.trim_ascii_end().eq_ignore_ascii_case(b"+OK");
        (early && repairs.take(Repair::OkForChallenge)).then_some(&[][..])
    }

    /// A challenge is the application's to answer. One that is not base64 is cancelled without asking (RFC 5034 §4), and an exchange without end
    /// is cut off.
    fn challenged<'i>(&mut self, line: &'i [u8], text: &'i [u8]) -> Result<Event<'i>, Violation> {
        let most = self.limits.auth_rounds;
        let Some(flight) = self.flight.front_mut() else { return Err(Violation::Unsolicited) };
        let Asked::Auth(auth) = &mut flight.asked else { return Err(Violation::Unsolicited) };
        if auth.cancelled {
            return Err(Violation::Status);
        }
        // An initial response that the server has not asked for is never sent: it belongs to the first, empty challenge alone.
        auth.held = None;
        auth.rounds = auth.rounds.saturating_add(1);
        if auth.rounds > most {
            return Err(Violation::Limit("rounds of authentication", most.into()));
        }
        let start = line.len().saturating_sub(text.len());
        if !text.is_empty() {
            self.mask = Some(Mask { span: Span::new(start, line.len()), class: Class::Secret });
        }
        match base64::decode(text) {
            Ok(challenge) => {
                self.place = Place::Turn;
                Ok(Event::Challenge(challenge, AuthTurn(self.source.issue())))
            }
            Err(_) => {
                auth.cancelled = true;
                self.due = Due::Cancel;
                Ok(Event::BadChallenge(flight.ticket))
            }
        }
    }

    /// What a status line changes.
    fn answered<'i>(&mut self, reply: StatusLine<'i>) -> Result<Event<'i>, Violation> {
        let Some(flight) = self.flight.front() else { return Err(Violation::Unsolicited) };
        match (&flight.asked, reply.status()) {
            // Octets of a message are never lines to this machine: they are passed on as they come.
            (Asked::Several(Shape::Message), Status::Ok) => {
                self.dot = Some(if self.lf { DotDecoder::lf() } else { DotDecoder::crlf() });
                self.octets = 0;
                self.place = Place::Body;
                return Ok(Event::Head(flight.ticket, reply));
            }
            (Asked::Several(shape), Status::Ok) => {
                self.place = Place::Listing(*shape);
                self.entries = 0;
                self.scanned = 0;
                self.learning = Capabilities::new();
                return Ok(Event::Head(flight.ticket, reply));
            }
            // A server that refuses CAPA has none: what an earlier one told is void (RFC 2449 §5).
            (Asked::Several(Shape::Capabilities), Status::Err) => {
                self.learn(Capabilities::new());
            }
            // The go-ahead is the last octet in the clear: what follows is for TLS alone (RFC 2595 §4).
            (Asked::Stls, Status::Ok) => {
                self.flight.pop_front();
                self.place = Place::Upgrade;
                return Ok(Event::StartTls(TlsGrant(self.source.issue())));
            }
            // Somebody in between can refuse in the server's name: where TLS is required this is the end (RFC 2595 §9).
            (Asked::Stls, Status::Err) if self.policy.tls == Tls::Required => {
                self.after = Some(Violation::Downgrade);
            }
            // No mechanism ends before the client has spoken, and `*` is always refused (RFC 5034 §4): whoever says otherwise is not to
            // be believed that anybody is logged in.
            (Asked::Auth(auth), Status::Ok) if !auth.responded || auth.cancelled => {
                return Err(Violation::Status);
            }
            (Asked::LogIn | Asked::Auth(_), Status::Ok) => self.authenticated = true,
            // PASS may only follow a USER that was accepted (RFC 1939 §7). Where something was sent behind it, that is what PASS would follow.
            (Asked::User, Status::Err) if self.flight.len() == 1 => self.last_sent = None,
            // Also a refusal is the last word (RFC 1939 §6): some messages may not have been removed, and the
            // session is over all the same.
            (Asked::Quit, _) => self.quit = true,
            _ => {}
        }
        Ok(Event::Reply(self.landed()?, reply))
    }

    /// Ends the session. A unit of another input is the driver's fault and ends nothing.
    pub(crate) fn fail(&mut self, violation: Violation) -> Violation {
        if !matches!(violation, Violation::Stale(_)) {
            self.fatal = Some(violation);
        }
        violation
    }
}

/// A count of octets in memory as one of the stream.
fn octets(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
