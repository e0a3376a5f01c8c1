//! Commands with literals: which are let through, and how the session goes on behind those that are not.

use super::Server;
use super::event::Refusal;
use super::machine::{Mode, What};
use super::read::{Head, head};
use super::table::Phase;
use crate::error::Violation;
use crate::frame::{Header, Lines, Step};
use mail_wire::{Framed, Input, Output};

impl Server {
    /// Looks for a whole command; literals inside it are let through or refused. `None`: look again.
    pub(crate) fn find_command(
        &mut self,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        // Text is only what a server says: in a command a `{n}` at the end of a line always announces something.
        match self.step(self.limit(), false, input, output)? {
            Step::Need => self.need(input).map(Some),
            Step::Line(line) => Ok(Some(self.take(input, What::Command(line), line.len))),
            Step::Literal(header) => self.literal(header, input, output),
        }
    }

    /// A literal is announced: the state is checked, then the limits, and only then the client is let go on. Nothing is allocated by the
    /// announced length.
    fn literal(
        &mut self,
        header: Header,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        let head = head(input.pending());
        // A client that is not known is not let send what will be refused: the state is told in place of the `+`.
        if let Some(why) = self.out_of_place(&head) {
            return self.refuse_literal(header, why, input, output);
        }
        // The literal of APPEND that is its first argument is the name of a mailbox; any behind that is the message, since neither flags nor
        // the date can be one (RFC 9051 §9, `append`).
        if head.is("APPEND") && header.at > head.args {
            return self.message(header, input, output);
        }
        // Each literal by itself and all of a command together: many small ones are as much memory as one that is large.
        let (sync, octets) = (header.sync, header.octets);
        // A user name and a password are all that a stranger has to say (RFC 9051 §6.2.3).
        let before_auth = self.phase == Phase::NotAuthenticated;
        let total = match before_auth {
            true => self.limits.command_literal_octets_before_auth,
            false => self.limits.command_literal_octets,
        };
        // What one literal may have follows from what was offered:
        // LITERAL+ takes what a synchronising literal may have; LITERAL- stops at 4,096 (RFC 7888 §5).
        let plus = self.offer.capabilities().has("LITERAL+");
        let one = if sync || plus { total } else { total.min(self.limits.non_sync_literal) };
        // A literal8 belongs to messages alone (RFC 9051 §9, `append-data` of extensions): everywhere else NUL has no place.
        let why = if header.binary {
            Some(Refusal::LiteralForm)
        } else if octets > one {
            Some(Refusal::LiteralTooLarge)
        } else if self.lines.count() >= self.limits.command_literals
            || self.lines.literals().saturating_add(octets) > total
        {
            Some(Refusal::TooManyLiterals)
        } else {
            None
        };
        if let Some(why) = why {
            return self.refuse_literal(header, why, input, output);
        }
        // Written while framing, since the rest of the command comes only behind it (RFC 9051 §4.3).
        if sync {
            super::reply::put(output, "+ go ahead\r\n");
        }
        self.lines.pass(&header);
        Ok(None)
    }

    /// Refuses a command at the announcement of a literal. A synchronising one will not come: the client has its answer in place of the
    /// `+`. Another one comes all the same, and the rest of the line behind it (RFC 7888 §4).
    pub(crate) fn refuse_literal(
        &mut self,
        header: Header,
        why: Refusal,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        if self.mode == Mode::Line {
            self.see_tag(input.pending());
        }
        self.lines = Lines::new();
        input.skip(header.line);
        // Where the octets come whatever is answered, the answer waits for their end: a client that reads it before it has sent them all may
        // stop in the middle, and what it then sends would be taken for the rest of them.
        if !header.sync {
            self.discard_octets(header.octets, Some(why), output)?;
            return Ok(None);
        }
        self.mode = Mode::Line;
        self.refuse_as(why, output);
        Ok(Some(self.take(input, What::Refused(why), 0)))
    }

    /// Begins to discard a literal and what stands behind it.
    pub(crate) fn discard_octets(
        &mut self,
        octets: u64,
        why: Option<Refusal>,
        output: &mut Output,
    ) -> Result<(), Violation> {
        if octets > self.discard.left() {
            // More will come than may be dropped, whatever is said now.
            if let Some(why) = why {
                self.refuse_as(why, output);
            }
            return Err(self.out_of_budget(output));
        }
        self.mode = Mode::Discard { left: octets, why };
        Ok(())
    }

    /// The session ends: what would have to be dropped is more than may be.
    ///
    /// The last word is BYE (RFC 9051 §7.1.5); the same violation comes from then on.
    fn out_of_budget(&mut self, output: &mut Output) -> Violation {
        let violation = Violation::Discard { limit: self.limits.discard };
        self.fail(violation, "too much to discard", output);
        let violation = self.ending.take().unwrap_or(Violation::Discard { limit: self.limits.discard });
        self.fatal = Some(violation.clone());
        violation
    }

    /// Drops what is left of a refused command.
    pub(crate) fn find_discarded(
        &mut self,
        left: u64,
        why: Option<Refusal>,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        if left > 0 {
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(input.pending().len());
            if n == 0 {
                return self.need(input).map(Some);
            }
            let n64 = n as u64;
            // Each octet is charged when it comes: an announcement costs nothing, and cannot be made to overflow the sum.
            if self.discard.spend(n64).is_err() {
                return Err(self.out_of_budget(output));
            }
            input.skip(n);
            self.mode = Mode::Discard { left: left.saturating_sub(n64), why };
            return Ok(None);
        }
        match self.step(self.limit(), false, input, output)? {
            Step::Need => self.need(input).map(Some),
            Step::Line(line) => {
                input.skip(line.len);
                self.end_discard(why, input, output)
            }
            // A refused command may go on with further literals (RFC 9051 §4.3): one that waits ends it here, any other is dropped as well.
            Step::Literal(header) => {
                self.lines = Lines::new();
                input.skip(header.line);
                if header.sync {
                    return self.end_discard(why, input, output);
                }
                self.discard_octets(header.octets, why, output)?;
                Ok(None)
            }
        }
    }

    /// A refused command has ended. Its answer is told now, if it was not told at its head.
    fn end_discard(
        &mut self,
        why: Option<Refusal>,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        // Here another command begins, whatever the refused one was.
        self.mode = Mode::Line;
        let Some(why) = why else { return Ok(None) };
        self.refuse_as(why, output);
        Ok(Some(self.take(input, What::Refused(why), 0)))
    }

    /// Whether a command is refused before its grammar is looked at.
    pub(crate) fn out_of_place(&self, head: &Head<'_>) -> Option<Refusal> {
        use crate::policy::Tls;
        let place = super::table::Place::of(head.name);
        if head.name.is_empty() {
            // No command: what is wrong is for the grammar to say.
            return None;
        }
        if !place.allows(self.phase) {
            return Some(Refusal::State);
        }
        // What is left open before TLS either leads there or says nothing of anybody (RFC 9051 §6.2.1, §11.1).
        let leads_to_tls =
            ["CAPABILITY", "NOOP", "ID", "STARTTLS", "LOGOUT"].iter().any(|name| head.is(name));
        if !self.secure && self.policy.tls == Tls::Required && !leads_to_tls {
            return Some(Refusal::TlsFirst);
        }
        if head.is("LOGIN") && self.hides_passwords() {
            return Some(Refusal::TlsFirst);
        }
        None
    }
}
