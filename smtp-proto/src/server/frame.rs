//! Where units end: lines, bodies, and what the machine has to say between them.
//!
//! A command is a line; a body is none, and its octets must never be taken for commands (RFC 5321 §4.5.2, RFC 3030 §2). Which of the two
//! comes next is known only once the command before is answered, so there is one command at a time, and what a client has sent ahead
//! (RFC 2920 §3.2) waits in the input, where it is neither lost nor looked at.

use super::state::{Cost, Framing, Mine, Owed, Phase};
use super::{Abort, Server, replies};
use crate::command::Verb;
use crate::encode;
use crate::error::{Foreign, Violation};
use crate::parse::split;
use crate::policy::Repair;
use crate::reply::ReplyBuf;
use mail_wire::line::{LineFault, LineFramer};
use mail_wire::{Closing, Framed, Input, Output, Pause};

/// The first octet of a TLS record that begins a handshake: a client that was told the port of implicit TLS (RFC 8314 §3) for this one. No
/// command begins with a control octet.
const CLIENT_HELLO: u8 = 0x16;

impl Server {
    /// The next unit. In this order: what the machine has to say of the last one, a message that is off, the end, what the
    /// application owes, what the driver wants, and only then the octets.
    ///
    /// So a reply is out before the next command is framed, and replies keep the order of the commands (RFC 2920 §3.2, item 1).
    pub(super) fn next_unit(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        self.speak(output);
        match self.next_or_end(input, output) {
            // Before any end the application learns that the message which was begun is off.
            Err(_) if self.abort.is_some() => Ok(self.frame_abort(input)),
            other => other,
        }
    }

    /// A unit of no octets: there is something to tell, and nothing to read.
    fn frame_abort(&mut self, input: &mut Input) -> Framed {
        self.framing = Framing::Abort;
        Framed::Ready(input.take(0))
    }

    /// Goes on until there is a unit, or a reason to wait: a line may be dropped and a chunk swallowed on the way, which are no events.
    fn next_or_end(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        loop {
            if self.abort.is_some() {
                return Ok(self.frame_abort(input));
            }
            self.fatal = self.fatal.or(self.doom.take());
            if let Some(fatal) = self.fatal {
                return Err(fatal);
            }
            if self.phase == Phase::Over {
                return Ok(Framed::Closed);
            }
            if self.owed != Owed::Nothing {
                return self.paused(input, output);
            }
            // The last unit is answered: what is said from here on is no answer to it.
            self.codeless &= self.phase == Phase::Fresh;
            if self.ending(output) {
                continue;
            }
            // A client that sends and does not read makes no replies pile up. A body has none until it ends.
            if output.is_full() && self.phase != Phase::Body {
                return Ok(Framed::Paused(Pause::OutputFull));
            }
            let framed = match self.phase {
                Phase::Fresh => {
                    self.framing = Framing::Connected;
                    Some(Framed::Ready(input.take(0)))
                }
                Phase::Ready | Phase::Exchange => self.frame_line(input, output)?,
                Phase::LongLine { exchange, auth } => self.skip_line(exchange, auth, input)?,
                Phase::Body => self.frame_body(input, output)?,
                Phase::Swallow => self.swallow(input, output)?,
                Phase::Over => Some(Framed::Closed),
            };
            if let Some(framed) = framed {
                return Ok(framed);
            }
        }
    }

    /// Says what the machine has to say about the unit decoded last.
    fn speak(&mut self, output: &mut Output) {
        match self.mine.take() {
            None => {}
            Some(Mine::Reply(reply)) => self.say(reply, output),
            Some(Mine::Charged(cost, reply)) => self.charge(cost, reply, output),
            Some(Mine::Hello { extended }) => self.say_hello(extended, output),
            Some(Mine::Help) => self.say_help(output),
        }
    }

    /// While something is owed, nothing is read. Who speaks before the greeting does not listen, and most likely sends what it was told to
    /// whatever is said (RFC 5321 §3.1, §4.3.1): by policy it is turned away.
    fn paused(&mut self, input: &Input, output: &mut Output) -> Result<Framed, Violation> {
        let early = self.owed == Owed::Greeting && !self.policy.early_talker.is_allowed();
        if early && !input.pending().is_empty() {
            self.say(&replies::EARLY, output);
            return Err(self.fail(Violation::EarlyTalker));
        }
        Ok(Framed::Paused(if self.owed == Owed::Tls { Pause::Upgrade } else { Pause::AnswerOwed }))
    }

    /// The driver ends the session: now, unless a body is still on its way that a shutdown lets in. Says whether it has.
    ///
    /// A server does not just go: it says 421, so that the client knows to keep the mail and to try again (RFC 5321 §3.8).
    fn ending(&mut self, output: &mut Output) -> bool {
        match self.closing {
            Some(Closing::Shutdown) if self.phase != Phase::Body && self.phase != Phase::Swallow => {
                self.say(&replies::CLOSING, output);
                self.phase = Phase::Over;
                self.reset(Abort::Ended);
                true
            }
            Some(Closing::Expired) => {
                self.say(&replies::TIMEOUT, output);
                self.end_by(Violation::Expired);
                true
            }
            _ => false,
        }
    }

    /// Fails, after the application has learnt that the message which was begun is off.
    fn end_by(&mut self, why: Violation) {
        let begun = self.phase == Phase::Body && !self.body.is_off();
        self.reset_if(begun);
        self.phase = Phase::Over;
        self.doom = Some(why);
    }

    /// A message by DATA is one that was begun as soon as its body is; one by chunks is known by its transaction.
    fn reset_if(&mut self, begun: bool) {
        if begun {
            self.abort = Some(Abort::Ended);
            self.transaction = None;
        } else {
            self.reset(Abort::Ended);
        }
    }

    /// No complete unit is there: more is needed, or this was the end. Between two commands a client may hang up, though it should say QUIT
    /// (RFC 5321 §4.1.1.10); inside a command, a body or a message by chunks it has not said all, and nothing of it counts.
    pub(super) fn starve(&mut self, input: &mut Input, unit: usize) -> Result<Option<Framed>, Violation> {
        if self.end.is_none() {
            input.allow(unit.saturating_add(2));
            return Ok(Some(Framed::NeedInput));
        }
        let between = self.phase == Phase::Ready && input.pending().is_empty();
        let begun = self.transaction.as_ref().is_some_and(|transaction| transaction.chunked);
        if between && !begun {
            self.phase = Phase::Over;
            return Ok(Some(Framed::Closed));
        }
        self.end_by(Violation::Truncated);
        Ok(None)
    }

    /// A command line, or a line of an AUTH exchange, within its limit. A bare CR or LF is refused and ends the session
    /// (RFC 5321 §2.3.8); octets behind the end of a pipelining group by policy.
    fn frame_line(&mut self, input: &mut Input, output: &mut Output) -> Result<Option<Framed>, Violation> {
        let pending = input.pending();
        if pending.first() == Some(&CLIENT_HELLO) {
            self.say(&replies::FOREIGN, output);
            return Err(self.fail(Violation::ForeignProtocol(Foreign::Tls)));
        }
        // By the verb, before the line is complete: the limit must be known by then, and a password must not stay in memory.
        let exchange = self.phase == Phase::Exchange;
        let secret = exchange || begins_auth(pending);
        let limit = if secret { self.limits.auth_line } else { self.limits.command_line };
        let step = self.line.step(pending, self.policy.line, limit);
        let surplus = |len: usize| pending.len() > len;
        match step {
            Ok(None) => {
                if secret {
                    input.hold_secret();
                }
                self.starve(input, limit)
            }
            Ok(Some(line)) => {
                let text = pending.get(..line.text).unwrap_or_default();
                // Who sends on before it can know the answer does not speak SMTP with us: it may be a page that a browser was made to
                // post, or a message sent without waiting for its 354.
                if surplus(line.len) && self.is_sync_strict() && (exchange || ends_group(text)) {
                    self.say(&replies::PIPELINED, output);
                    return Err(self.fail(Violation::Synchronisation));
                }
                if line.is_bare() {
                    self.policy.grammar.repairs.count(Repair::BareLf, 1);
                }
                if secret {
                    input.hold_secret();
                }
                self.framing = if exchange {
                    Framing::AuthLine { text: line.text }
                } else {
                    Framing::Line { text: line.text }
                };
                Ok(Some(Framed::Ready(input.take(line.len))))
            }
            Err(LineFault::TooLong { .. }) => {
                if secret {
                    input.hold_secret();
                }
                self.phase = Phase::LongLine { exchange, auth: secret };
                Ok(None)
            }
            // Where a line ends must not be a matter of opinion: one reader's command is another's text (RFC 5321 §2.3.8).
            Err(fault) => {
                self.say(&replies::BARE_LINE_END, output);
                Err(self.fail(Violation::Line(fault)))
            }
        }
    }

    /// The rest of a line over its limit is dropped, within the budget, so that what follows it is a command again (500, RFC 5321
    /// §4.5.3.1.9). Beyond the budget the client is told all the same before the link is closed.
    fn skip_line(
        &mut self,
        exchange: bool,
        auth: bool,
        input: &mut Input,
    ) -> Result<Option<Framed>, Violation> {
        let reply = if auth { &replies::AUTH_TOO_LONG } else { &replies::LINE_TOO_LONG };
        let (n, done) = LineFramer::skip(input.pending(), self.policy.line);
        if self.discard.spend(n as u64).is_err() {
            self.mine = Some(Mine::Reply(reply));
            self.doom = Some(Violation::Limit("discard", self.limits.discard));
            self.framing = Framing::LongLine { exchange };
            return Ok(Some(Framed::Ready(input.take(0))));
        }
        input.skip(n);
        if !done {
            return self.starve(input, 0);
        }
        self.mine = Some(Mine::Charged(Cost::Bad, reply));
        self.framing = Framing::LongLine { exchange };
        self.phase = Phase::Ready;
        Ok(Some(Framed::Ready(input.take(0))))
    }

    /// Ends the session for good, and with it a message of which chunks were given.
    pub(super) fn fail(&mut self, why: Violation) -> Violation {
        self.reset(Abort::Ended);
        self.fatal = Some(why);
        why
    }

    /// Writes a reply, with its enhanced code where that is offered, and has a place (RFC 2034 §3).
    pub(super) fn say(&self, reply: &ReplyBuf, output: &mut Output) {
        let offered = self.offer.extensions().has(crate::ext::Extension::EnhancedStatusCodes);
        let enhanced = offered && !self.codeless;
        encode::reply(reply, enhanced, output);
    }

    /// Refuses, or ends the session if the refusals have cost too much.
    pub(super) fn charge(&mut self, cost: Cost, reply: &ReplyBuf, output: &mut Output) {
        if self.covers(cost, output) {
            self.say(reply, output);
        }
    }

    /// Takes the price of a refusal. If it is not covered, the last words have been said. They are 421, which may answer any command
    /// (RFC 5321 §3.8).
    pub(super) fn covers(&mut self, cost: Cost, output: &mut Output) -> bool {
        let limits = &self.limits;
        let (budget, last, name, limit) = match cost {
            Cost::Bad => (&mut self.bad, &replies::TOO_MANY_BAD, "bad_commands", limits.bad_commands),
            Cost::Idle => (&mut self.idle, &replies::TOO_MANY_IDLE, "idle_commands", limits.idle_commands),
            Cost::Recipient => {
                let limit = limits.refused_recipients;
                (&mut self.refused, &replies::TOO_MANY_REFUSED, "refused_recipients", limit)
            }
        };
        if budget.spend(1).is_ok() {
            return true;
        }
        self.say(last, output);
        self.fail(Violation::Limit(name, limit.into()));
        false
    }

    /// The reply to EHLO, LHLO or HELO. Who says HELO knows no extensions, and gets none (RFC 5321 §4.1.1.1). SIZE always names the limit that
    /// is in force (RFC 1870 §3), so that it cannot be set in two places.
    fn say_hello(&self, extended: bool, output: &mut Output) {
        let now = if extended { self.in_force() } else { crate::ext::Extensions::NONE };
        let size = alloc::format!("{}", self.limits.message);
        let auth = self.offer.mechanisms();
        let lines = self.offer.lines(now, size.as_bytes(), &auth);
        let most = if extended { usize::MAX } else { 0 };
        encode::ehlo(self.offer.name(), lines.take(most), output);
    }

    /// The reply to HELP: the commands that every server of this crate takes. It is for people (214, RFC 5321 §4.1.1.8).
    fn say_help(&self, output: &mut Output) {
        let first = if self.lmtp { "LHLO" } else { "EHLO HELO" };
        let text = alloc::format!("Commands: {first} MAIL RCPT DATA RSET NOOP HELP QUIT");
        if let Ok(reply) = ReplyBuf::line(214, &text) {
            self.say(&reply.with_enhanced(crate::types::EnhancedCode::known(2, 0, 0)), output);
        }
    }
}

/// Whether the line, as far as it has arrived, may bring a password.
fn begins_auth(pending: &[u8]) -> bool {
    matches!(pending, [b'A' | b'a', b'U' | b'u', b'T' | b't', b'H' | b'h', b' ' | b'\t', ..])
}

/// Whether the command ends a pipelining group, so that nothing may stand behind it (RFC 2920 §3.1). The standard's list is longer; these are
/// the ones whose answer changes what the next octets mean.
fn ends_group(line: &[u8]) -> bool {
    let verb = Verb::of(split(line).0);
    matches!(verb, Some(Verb::Ehlo | Verb::Helo | Verb::Lhlo | Verb::Data | Verb::Auth))
}
