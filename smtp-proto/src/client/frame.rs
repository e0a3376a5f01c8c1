//! Where replies end, and what the machine sends by itself between them.
//!
//! A client listens at all times: a server may say 421 whenever it likes (RFC 5321 §3.8), and one that waits for its replies to be read before
//! it reads a body must not be waited for (RFC 2920 §3.1 calls that a deadlock).

use super::Client;
use super::state::{Kind, Mine, Phase};
use crate::command::Command;
use crate::encode;
use crate::error::Violation;
use crate::policy::Repair;
use crate::types::EhloName;
use mail_wire::{Class, Closing, Framed, Input, Output, Pause};

impl Client {
    /// The next reply. What the machine owes goes out first; behind a go-ahead for TLS nothing is looked at, for what stands there in plain text
    /// may be anybody's and would be read as if it had come by TLS (RFC 3207 §4.2, §6).
    pub(super) fn next_unit(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if let Some(fatal) = self.fatal {
            return Err(fatal);
        }
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        self.speak(output);
        if self.phase == Phase::Over {
            return Ok(Framed::Closed);
        }
        match self.closing {
            Some(Closing::Expired) => return Err(self.fail(Violation::Expired)),
            Some(Closing::Shutdown) => {
                self.phase = Phase::Over;
                return Ok(Framed::Closed);
            }
            None => {}
        }
        // The next octet is the first of a TLS record.
        if self.upgrade {
            return Ok(Framed::Paused(Pause::Upgrade));
        }
        loop {
            match self.framer.step(input.pending(), self.policy.line, &self.limits) {
                Ok(Some(reply)) => {
                    self.policy.grammar.repairs.count(Repair::BareLf, reply.bare);
                    if !self.release(input.pending().get(..reply.len).unwrap_or_default(), output) {
                        return Ok(Framed::Ready(input.take(reply.len)));
                    }
                    input.skip(reply.len);
                }
                Ok(None) => return self.starve(input),
                Err(violation) => return Err(self.fail(violation)),
            }
        }
    }

    /// Sends the initial response that was held back, if the reply is the empty challenge that asks for it (RFC 4954 §4). It is no event: to the
    /// application the response has gone out with the command. Whatever else the reply is, the response is not sent any more.
    fn release(&mut self, reply: &[u8], output: &mut Output) -> bool {
        let asked = self.flights.front().is_some_and(|flight| flight.kind == Kind::Auth);
        let Some(held) = self.held.take_if(|_| asked) else { return false };
        let empty = matches!(reply.trim_ascii_end(), b"334");
        if empty {
            output.put(Class::Secret, held.expose());
            output.put(Class::Public, b"\r\n");
        }
        empty
    }

    /// What the machine sends by itself: it has told the application why, by the event before. An empty body is a line with a dot alone, since
    /// the CRLF of the DATA line counts for the first of CRLF.CRLF (RFC 5321 §4.1.1.4).
    fn speak(&mut self, output: &mut Output) {
        match self.mine.take() {
            None => {}
            Some(Mine::Helo) => encode::command(&Command::Helo(EhloName::parsed(&self.name)), output),
            Some(Mine::Cancel) => output.put(Class::Public, b"*\r\n"),
            Some(Mine::EmptyBody) => output.put(Class::Body, b".\r\n"),
        }
    }

    /// No complete reply is there: more is needed, or this was the end. With anything owed it is a truncation: whether the server has taken the
    /// mail is then unknown, and to send it again is the only safe guess (RFC 5321 §4.2.5).
    fn starve(&mut self, input: &mut Input) -> Result<Framed, Violation> {
        if self.end.is_none() {
            input.allow(self.limits.reply_total.saturating_add(2));
            return Ok(Framed::NeedInput);
        }
        let owed = self.phase == Phase::Greeting
            || !self.flights.is_empty()
            || self.grant.is_some()
            || !input.pending().is_empty();
        if owed {
            return Err(self.fail(Violation::Truncated));
        }
        self.phase = Phase::Over;
        Ok(Framed::Closed)
    }

    /// Ends the session for good: the same violation from now on. Behind a reply that could not be paired every other would be as wrong
    /// (RFC 2920 §3.1).
    pub(super) fn fail(&mut self, why: Violation) -> Violation {
        self.fatal = Some(why);
        why
    }
}
