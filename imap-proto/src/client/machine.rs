//! The client as a [`Machine`]: framing, the end, TLS.
//! Two decisions are made while framing that look at more than line ends, since neither can wait for the grammar: what a `+` means, because the
//! rest of a command goes out by it; and whose octets a literal holds that is too large to stay, because only those of a message are
//! streamed.

use super::event::{Event, Ticket, TlsGrant};
use super::flight::{Message, Wait};
use super::{Client, State, Strings};
use crate::encode;
use crate::error::{Rule, Violation};
use crate::frame::{Header, Lines, Step, Whole};
use crate::parse::leaf::Cursor;
use crate::policy::Repair;
use crate::types::{Condition, Target};
use core::time::Duration;
use mail_wire::line::LineFault;
use mail_wire::{
    Class, Closing, End, Framed, Handover, HandoverError, Input, Machine, Mask, Output, Role, Secured, Unit,
};

/// What is being read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    /// A unit from its start.
    Unit,
    /// Octets of a streamed literal, then the rest of its FETCH.
    Literal(Target, u64),
    /// A FETCH behind a streamed literal.
    Rest(Target),
}

/// What the unit framed last is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Nothing,
    /// A line up to the octet `text`.
    Line {
        text: usize,
    },
    /// A FETCH up to a streamed literal, or between two.
    Fetch(Piece),
    /// The last piece of a FETCH.
    Last {
        target: Target,
        text: usize,
    },
    /// Octets of a streamed literal.
    Chunk,
    /// A `+`, and what it meant.
    Plus {
        text: usize,
        meant: Meant,
    },
    /// A grant that no octets cause.
    Grant,
}

/// A piece of a FETCH that ends with the announcement of a streamed literal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) target: Target,
    pub(super) first: bool,
    /// Where the attribute of the literal begins.
    pub(super) attribute: usize,
    pub(super) header: Header,
}

/// What a `+` meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meant {
    Released(Ticket),
    Body(Message),
    Idle(Ticket),
    Challenge(Ticket),
}

impl Machine for Client {
    const ROLE: Role = Role::Client;
    type Event<'i> = Event<'i>;
    type Error = Violation;
    type Upgrade = TlsGrant;

    fn frame(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        // Nothing is read behind a violation: its octets could be an attacker's (RFC 9051 §11.1).
        if let Some(fatal) = &self.fatal {
            return Err(fatal.clone());
        }
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        // Fused: what has failed once says the same for ever, and nothing that comes is looked at.
        match self.step(input, output) {
            Ok(framed) => Ok(framed),
            Err(violation) => Err(self.fail(violation)),
        }
    }

    /// A violation found by the grammar is latched like one found by framing. A stale unit is the caller's fault and is not.
    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        let result = self.read(unit, input);
        if let Err(violation) = &result {
            if !matches!(violation, Violation::Stale(_)) {
                self.fail(violation.clone());
            }
        }
        result
    }

    fn masks(&self) -> &[Mask] {
        &self.masks
    }

    fn eof(&mut self, _end: End) {
        self.eof = true;
    }

    /// A client owes nobody a farewell: LOGOUT is the application's to send while there is time.
    fn close(&mut self, why: Closing, _output: &mut Output) {
        match why {
            // What is in flight stays open: whether it was done is for a new connection to find out.
            Closing::Shutdown => self.closed = true,
            Closing::Expired if self.closed => {}
            Closing::Expired => {
                self.fail(Violation::Expired);
            }
        }
    }

    /// IDLE is renewed before 30 minutes (RFC 9051 §6.3.13); a command is waited for, and between commands the server.
    fn patience(&self) -> Duration {
        // The state before the log-in comes before what is in flight in it: a server that has proved nothing is waited for less.
        match (&self.wait, self.state) {
            (Wait::Idle(_) | Wait::Idling(..), _) => self.limits.wait_idle,
            (_, State::Greeting | State::NotAuthenticated) => self.limits.wait_login,
            _ if self.flight.is_empty() => self.limits.wait_idle,
            _ => self.limits.wait_command,
        }
    }

    fn start_tls(
        self,
        token: TlsGrant,
        input: Input,
        _output: &mut Output,
    ) -> Result<Handover<Self>, HandoverError> {
        // The token of another connection would hand over one that waits for nothing.
        match self.wait {
            Wait::Upgrade(stamp) if stamp == token.0 => Ok(Handover::new(self, input)?),
            _ => Err(HandoverError::NotOwed),
        }
    }

    /// Nothing that was said before TLS is known behind it (RFC 9051 §6.2.1): capabilities, what was enabled, a unit half read.
    fn secured(&mut self, _proof: Secured) {
        self.secure = true;
        self.capabilities = None;
        self.fresh = false;
        (self.strings, self.enabling) = (Strings::default(), Strings::default());
        self.unsolicited = 0;
        self.eof = false;
        self.wait = Wait::Free;
        self.lines = Lines::new();
        self.kind = Kind::Nothing;
        self.masks.clear();
    }
}

impl Client {
    /// Latches a violation.
    pub(super) fn fail(&mut self, violation: Violation) -> Violation {
        self.held.clear();
        self.fatal.get_or_insert(violation).clone()
    }

    /// What the next unit is. Before input is looked at: the end, the hand-over that is due, what must be written, the grant that no
    /// octets cause; and the octets of a literal that is being streamed.
    fn step(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        self.masks.clear();
        self.kind = Kind::Nothing;
        // Behind LOGOUT the octets need not end: some servers leave that to us (RFC 9051 §6.1.3).
        if self.closed || self.state == State::Logout && self.logout_sent && self.flight.is_empty() {
            self.closed = true;
            return Ok(Framed::Closed);
        }
        match self.wait {
            // Octets behind the go-ahead are TLS or an attack, and never lines.
            Wait::Upgrade(_) => return Ok(Framed::Paused(mail_wire::Pause::Upgrade)),
            // Decoding has found that the challenge cannot be answered, and may not write (RFC 9051 §6.2.2).
            Wait::Cancel(ticket) => {
                output.put(Class::Public, b"*\r\n");
                self.wait = Wait::Sasl(ticket);
            }
            Wait::GrantDue(ticket, message) => {
                if let Some(framed) = self.grant(ticket, message, input, output) {
                    return Ok(framed);
                }
            }
            // A challenge may hold what proves the server, and sits in the input until it is whole.
            Wait::Sasl(_) | Wait::Turn(..) => input.hold_secret(),
            _ => {}
        }
        if let Reading::Literal(target, left) = self.reading {
            let left = if self.stray { self.pass_over(target, left, input) } else { left };
            if left > 0 {
                return self.chunk(target, left, input);
            }
            self.reading = Reading::Rest(target);
        }
        self.line(input, output)
    }

    /// The message of an APPEND is due without a `+`. A message of no octets needs nobody's help.
    fn grant(
        &mut self,
        _ticket: Ticket,
        message: Message,
        input: &mut Input,
        output: &mut Output,
    ) -> Option<Framed> {
        if message.left == 0 {
            output.put(Class::Public, encode::append_tail(message.form).as_bytes());
            self.wait = Wait::Free;
            return None;
        }
        self.wait = Wait::Streaming(self.source.issue(), message);
        self.kind = Kind::Grant;
        Some(Framed::Ready(input.take(0)))
    }

    /// As much of a streamed literal as has arrived. No octet of it is looked at.
    fn chunk(&mut self, target: Target, left: u64, input: &mut Input) -> Result<Framed, Violation> {
        // One read is as much as is ever held of it.
        let here = input.pending().len();
        if here == 0 {
            input.allow(0);
            return if self.eof { Err(Violation::Truncated) } else { Ok(Framed::NeedInput) };
        }
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(here);
        self.reading = Reading::Literal(target, left.saturating_sub(n as u64));
        self.kind = Kind::Chunk;
        Ok(Framed::Ready(input.take(n)))
    }

    /// Drops as much of a literal as has arrived, and says what is left: nobody is told of it.
    fn pass_over(&mut self, target: Target, left: u64, input: &mut Input) -> u64 {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(input.pending().len());
        input.skip(n);
        let left = left.saturating_sub(n as u64);
        self.reading = Reading::Literal(target, left);
        left
    }

    /// The next line, with the literals that stay inside it. The limit counts the line alone (RFC 9051 §4.3 sets none); literals have
    /// their own.
    fn line(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        let known = !matches!(self.state, State::Greeting | State::NotAuthenticated);
        let limit = if known { self.limits.line } else { self.limits.line_before_auth };
        // A server that has proved nothing yet makes us hold no more than a line: literals take of the same.
        let literals =
            if known { self.limits.literals_inline } else { self.limits.literals_inline.min(limit as u64) };
        // Behind a streamed literal the line goes on inside of a FETCH: nothing of it is text for humans.
        let rest = matches!(self.reading, Reading::Rest(_));
        loop {
            let unit = input.pending();
            // Before the log-in literals are charged to the line.
            let spent = if known { 0 } else { usize::try_from(self.lines.literals()).unwrap_or(usize::MAX) };
            let step = self
                .lines
                .step(unit, self.policy.line, limit.saturating_sub(spent), |text| !rest && is_text(text));
            let step = step.map_err(|violation| match violation {
                Violation::Line(LineFault::TooLong { .. }) => LineFault::TooLong { limit }.into(),
                other => other,
            })?;
            match step {
                Step::Need => {
                    if self.eof {
                        return self.ended(unit.is_empty());
                    }
                    match known {
                        true => {
                            input.allow(limit.saturating_add(usize::try_from(literals).unwrap_or(usize::MAX)))
                        }
                        false => input.allow_only(limit),
                    }
                    return Ok(Framed::NeedInput);
                }
                Step::Line(whole) => return self.whole(whole, input, output),
                Step::Literal(header) => {
                    // `{n+}` belongs to clients (RFC 7888 §3): whoever writes it is no server, or lets a client speak in its name.
                    if !header.sync {
                        return Err(Violation::LiteralForm);
                    }
                    self.count_bare(header.bare);
                    let total = self.lines.literals().saturating_add(header.octets);
                    // Small ones stay, so that most answers are one event; large ones cost no memory, wherever they can be told in pieces.
                    let inline = header.octets <= self.limits.literal_inline;
                    if inline && total <= literals {
                        self.lines.pass(&header);
                        continue;
                    }
                    return self.stream(header, inline, literals, input);
                }
            }
        }
    }

    /// LF alone is let through by [`Policy::line`](crate::Policy), and counted.
    fn count_bare(&mut self, bare: bool) {
        if bare {
            self.policy.grammar.repairs.count(Repair::BareLf, 1);
        }
    }

    /// A literal that is too large to stay: the octets of a message are streamed, others end the session.
    fn stream(
        &mut self,
        header: Header,
        inline: bool,
        total: u64,
        input: &mut Input,
    ) -> Result<Framed, Violation> {
        let rest = match self.reading {
            Reading::Rest(target) => Some(target),
            _ => None,
        };
        // The only grammar that framing knows: whose octets these are has to be known before they are let through, or the literal of one
        // attribute could be taken for the body of another.
        let head = input.pending().get(..header.at).unwrap_or(&[]);
        let found = match rest {
            Some(target) => streamable(Cursor::new(head)).map(|at| (target, at)),
            None => fetch_head(head).and_then(|(target, cur)| Some((target, streamable(cur)?))),
        };
        let Some((target, attribute)) = found else {
            return Err(if inline {
                Violation::LiteralsTooLarge { limit: total }
            } else {
                Violation::LiteralTooLarge { limit: self.limits.literal_inline }
            });
        };
        // No memory is at stake, but time: nobody waits for a message that never ends.
        if header.octets > self.limits.literal_streamed {
            return Err(Violation::LiteralTooLarge { limit: self.limits.literal_streamed });
        }
        self.lines = Lines::new();
        self.reading = Reading::Literal(target, header.octets);
        self.kind = Kind::Fetch(Piece { target, first: rest.is_none(), attribute, header });
        Ok(Framed::Ready(input.take(header.line)))
    }

    /// A unit is complete: what kind of unit it is, by its first octet and by what was read before.
    fn whole(&mut self, whole: Whole, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        self.lines = Lines::new();
        self.count_bare(whole.bare);
        if whole.short && !self.policy.grammar.repairs.take(Repair::ShortLiteral) {
            return Err(LineFault::BareLf { at: whole.text }.into());
        }
        let text = whole.text;
        // What was being read decides first: behind a literal even a line that begins with `+` goes on with its FETCH.
        self.kind = match self.reading {
            Reading::Rest(target) | Reading::Literal(target, _) => {
                self.reading = Reading::Unit;
                Kind::Last { target, text }
            }
            // A `+` where the greeting is due is none: it would be answered by a machine that has sent nothing.
            Reading::Unit if self.state != State::Greeting && input.pending().first() == Some(&b'+') => {
                let meant = self.plus(&whole, input, output)?;
                Kind::Plus { text, meant }
            }
            Reading::Unit => Kind::Line { text },
        };
        Ok(Framed::Ready(input.take(whole.len)))
    }

    /// A `+`: it means what the command in flight made it mean, and nothing is in flight that means nothing.
    fn plus(&mut self, whole: &Whole, input: &Input, output: &mut Output) -> Result<Meant, Violation> {
        if input.pending().get(1) != Some(&b' ') && !self.policy.grammar.repairs.take(Repair::BarePlus) {
            return Err(Violation::Malformed { rule: Rule::Space, at: 1 });
        }
        match self.wait {
            // One at a time: a second literal of the command waits for a second `+` (RFC 9051 §4.3).
            Wait::Held(ticket, then) => {
                self.held.release(output);
                if self.held.is_empty() {
                    self.wait = Self::next_wait(ticket, then);
                }
                Ok(Meant::Released(ticket))
            }
            Wait::Append(ticket, message) => {
                // Nothing is wanted of the application: the command only lacks its end.
                if message.left == 0 {
                    output.put(Class::Public, encode::append_tail(message.form).as_bytes());
                    self.wait = Wait::Free;
                    return Ok(Meant::Released(ticket));
                }
                Ok(Meant::Body(message))
            }
            Wait::Idle(ticket) => Ok(Meant::Idle(ticket)),
            // A challenge is answered by computing with it: its length is bounded before anybody does.
            Wait::Sasl(_) if whole.len > self.limits.auth_line => {
                Err(LineFault::TooLong { limit: self.limits.auth_line }.into())
            }
            Wait::Sasl(ticket) => Ok(Meant::Challenge(ticket)),
            _ => Err(Violation::Continuation),
        }
    }

    /// No more octets will come.
    fn ended(&mut self, clean: bool) -> Result<Framed, Violation> {
        // A clean end of the octets is no answer: a command that is in flight was perhaps not even read. BYE says that none will be.
        let owed = !self.flight.is_empty() || self.state == State::Greeting;
        let bye = self.state == State::Logout;
        if clean && matches!(self.reading, Reading::Unit) && (bye || !owed) {
            self.closed = true;
            return Ok(Framed::Closed);
        }
        Err(Violation::Truncated)
    }
}

/// Whether a line that ends in `{n}` ends in text for humans: a completion, a continuation, or an untagged status. A response
/// code without its status counts as one.
fn is_text(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"*") else { return true };
    // Spaces too many are repaired later; here they must not make text of a FETCH, or a FETCH of text.
    let rest = rest.trim_ascii_start();
    let word = rest.split(|octet| *octet == b' ').next().unwrap_or(&[]);
    rest.first() == Some(&b'[') || Condition::from_name(word).is_some()
}

/// `"*" SP number SP ("FETCH" / "UIDFETCH") SP "("`, and a cursor behind it.
fn fetch_head(unit: &[u8]) -> Option<(Target, Cursor<'_>)> {
    let mut cur = Cursor::new(unit);
    let spaces = |cur: &mut Cursor<'_>| cur.while_in(|octet| octet == b' ');
    cur.expect(b'*', Rule::Fetch).ok()?;
    spaces(&mut cur);
    let number = cur.nz_number().ok()?;
    spaces(&mut cur);
    // Other responses hold no message, whatever an extension puts into them (RFC 9051 §7.5.2, RFC 9586 §3.3).
    let target = if cur.eat_word(b"FETCH") {
        Target::Seq(number)
    } else if cur.eat_word(b"UIDFETCH") {
        Target::Uid(number)
    } else {
        return None;
    };
    spaces(&mut cur);
    cur.expect(b'(', Rule::List).ok()?;
    Some((target, cur))
}

/// Where the attribute begins whose value would stand at the end of the octets, if its values are octets of a message. One
/// walk over the attributes: what is inside of strings, sections and parentheses is gone over, so that no other literal can be taken
/// for a body.
fn streamable(mut cur: Cursor<'_>) -> Option<usize> {
    let mut last = None;
    loop {
        // The literal stands where a value is due: behind a name and a space.
        let spaces = cur.while_in(|octet| octet == b' ');
        if cur.is_end() {
            return last.filter(|_| spaces.len() > 0);
        }
        let start = cur.at();
        let name = cur.while_in(|octet| !matches!(octet, b' ' | b'(' | b')' | b'[' | b'"' | b'{' | b'~'));
        let word = cur.get(name);
        let sectioned = cur.peek() == Some(b'[');
        if sectioned && name.len() > 0 {
            crate::parse::fetch::section_span(&mut cur).ok()?;
            cur.while_in(|octet| !matches!(octet, b' ' | b')'));
        }
        let is = |other: &[u8]| word.eq_ignore_ascii_case(other);
        let body = if sectioned {
            is(b"BODY") || is(b"BINARY")
        } else {
            is(b"RFC822") || is(b"RFC822.TEXT") || is(b"RFC822.HEADER")
        };
        // A name is followed by its value, and a value by a name: only the name that stands directly before the literal counts.
        last = body.then_some(start);
        if name.len() == 0 {
            cur.skip_value().ok()?;
            if cur.at() == start {
                return None;
            }
        }
    }
}
