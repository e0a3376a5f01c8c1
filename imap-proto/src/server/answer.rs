//! What an application calls.

use super::event::{Answer, AuthTurn, BodyGrant, BodyOffer, IdleTurn, TlsOffer, Turn};
use super::fetch_writer::FetchWriter;
use super::machine::Mode;
use super::reply::{check, known, put, put_status};
use super::table::Phase;
use super::write::Writer;
use super::{Kind, Open, Owed, Server};
use crate::policy::Allow;
use crate::types::status::{Condition, Status};
use bytes::Bytes;
use mail_wire::{Class, Misuse, Output, Returned, base64};

/// What is wrong with a section that is refused.
pub(super) const UNFIT: &str = "a bare CR or LF or a NUL in the section";

/// Answers.
impl Server {
    /// Completes a command: OK, NO or BAD with its tag. The greeting is OK, PREAUTH or BYE.
    ///
    /// An OK changes the state as the command says (SELECT, CLOSE, LOGIN, ...). Where the status has no code, the machine adds what
    /// belongs there: the capabilities to the greeting and to the OK of a log-in, `* ENABLED` before the OK of ENABLE, `* BYE` before
    /// that of LOGOUT.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::MustWait`] while octets of a message are owed; [`Misuse::NotInState`] for a condition that
    /// cannot stand here; [`Misuse::Invalid`] for a code or text that would end the line; [`Misuse::Forbidden`] for PREAUTH
    /// before TLS, unless the policy allows it; [`Misuse::Over`].
    pub fn answer(
        &mut self,
        answer: Answer,
        status: &Status<'_>,
        output: &mut Output,
    ) -> Result<(), Returned<Answer>> {
        match self.may_answer(&answer, status) {
            Ok(Owed::Greeting) => self.greet(status, output),
            Ok(Owed::Answer(kind)) => self.complete(kind, status, output),
            Ok(_) => return Err(Returned::new(answer, Misuse::NotOwed)),
            Err(why) => return Err(Returned::new(answer, why)),
        }
        Ok(())
    }

    /// Refuses with the standard's reply: BAD for what cannot be read or is not known, which is counted, and BYE for a client that is not
    /// wanted.
    ///
    /// # Errors
    /// As [`Server::answer`].
    pub fn refuse(&mut self, answer: Answer, output: &mut Output) -> Result<(), Returned<Answer>> {
        if self.owed == Owed::Greeting {
            return self.answer(answer, &known(Condition::Bye, "not now"), output);
        }
        let malformed = self.owed == Owed::Answer(Kind::Malformed);
        let text = if malformed { "cannot read this" } else { "not supported" };
        self.answer(answer, &known(Condition::Bad, text), output)?;
        self.count_bad(output);
        Ok(())
    }

    fn may_answer(&self, answer: &Answer, status: &Status<'_>) -> Result<Owed, Misuse> {
        self.may(answer)?;
        check(status)?;
        let greeting = self.owed == Owed::Greeting;
        let fits = match status.condition {
            Condition::Ok => true,
            Condition::No | Condition::Bad => !greeting,
            Condition::PreAuth | Condition::Bye => greeting,
        };
        let preauth = status.condition == Condition::PreAuth && !self.secure;
        if !fits {
            return Err(Misuse::NotInState);
        }
        if preauth && self.policy.preauth == Allow::Refuse {
            return Err(Misuse::Forbidden("PREAUTH before TLS"));
        }
        Ok(self.owed)
    }

    /// Whether a token is the one that is owed, and no message stands between.
    fn may(&self, turn: &impl Turn) -> Result<(), Misuse> {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        if !self.source.is_latest(turn.stamp()) {
            return Err(Misuse::NotOwed);
        }
        if self.open.is_some() { Err(Misuse::MustWait) } else { Ok(()) }
    }

    /// Whether a message may be told to be gone now (RFC 9051 §7.5.1). While the message of an APPEND is offered its command is not yet
    /// in progress.
    pub(super) fn may_expunge(&self) -> Result<(), Misuse> {
        let told_when = match self.owed {
            Owed::Answer(kind) => kind != Kind::Numbers,
            Owed::Nothing => self.mode == Mode::Idle,
            _ => false,
        };
        if told_when && self.phase == Phase::Selected { Ok(()) } else { Err(Misuse::NotInState) }
    }

    fn greet(&mut self, status: &Status<'_>, output: &mut Output) {
        self.owed = Owed::Nothing;
        self.phase = match status.condition {
            Condition::PreAuth => Phase::Authenticated,
            Condition::Bye => Phase::Logout,
            _ => Phase::NotAuthenticated,
        };
        if status.code.is_none() && status.condition != Condition::Bye {
            self.put_with_capabilities("*", status, output);
        } else {
            put_status("*", status, output);
        }
    }

    fn complete(&mut self, kind: Kind, status: &Status<'_>, output: &mut Output) {
        self.owed = Owed::Nothing;
        let ok = status.is_ok();
        match kind {
            Kind::Enable(enabled) if ok => {
                put(output, "* ENABLED");
                for name in enabled.names() {
                    put(output, " ");
                    put(output, name);
                }
                put(output, "\r\n");
                self.enabled.add(enabled);
            }
            Kind::Logout if ok => {
                self.say_bye("logging out", output);
                self.put_tagged(status, output);
                self.phase = Phase::Logout;
                return;
            }
            Kind::Login if ok => return self.logged_in(status, output),
            // BAD says that it was not attempted.
            Kind::Select if status.condition != Condition::Bad => {
                self.leave(output);
                self.phase = if ok { Phase::Selected } else { Phase::Authenticated };
            }
            Kind::Leave if ok => self.phase = Phase::Authenticated,
            // Nothing of the user is left but TLS (RFC 8437 §3, §4.1).
            Kind::Unauthenticate if ok => {
                self.phase = Phase::NotAuthenticated;
                self.enabled = super::enable::Enabled::default();
            }
            _ => {}
        }
        self.put_tagged(status, output);
    }

    /// SELECT leaves the mailbox that is selected before it attempts another, and says so: whatever comes of it, what is told from
    /// here on is not about the old one (RFC 9051 §6.3.2, §7.1).
    fn leave(&mut self, output: &mut Output) {
        if self.phase == Phase::Selected {
            self.phase = Phase::Authenticated;
            put(output, "* OK [CLOSED] the mailbox is left\r\n");
        }
    }

    fn logged_in(&mut self, status: &Status<'_>, output: &mut Output) {
        self.phase = Phase::Authenticated;
        if status.code.is_some() {
            return self.put_tagged(status, output);
        }
        let tag = core::mem::take(&mut self.tag);
        let text = core::str::from_utf8(&tag).unwrap_or("*");
        self.put_with_capabilities(if text.is_empty() { "*" } else { text }, status, output);
        self.tag = tag;
    }
}

/// SASL and TLS.
impl Server {
    /// Sends a challenge, in base64. Its response is the next [`Event::AuthResponse`](super::Event::AuthResponse).
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`]; [`Misuse::TooLong`] above the limit of a SASL line.
    pub fn challenge(
        &mut self,
        turn: AuthTurn,
        octets: &[u8],
        output: &mut Output,
    ) -> Result<(), Returned<AuthTurn>> {
        if let Err(why) = self.may_turn(&turn) {
            return Err(Returned::new(turn, why));
        }
        if base64::encoded_len(octets.len()) > self.limits.auth_line {
            return Err(Returned::new(turn, Misuse::TooLong(self.limits.auth_line)));
        }
        self.owed = Owed::Nothing;
        self.mode = Mode::Sasl;
        put(output, "+ ");
        output.put(Class::Secret, base64::encode(octets).expose());
        put(output, "\r\n");
        Ok(())
    }

    /// Ends the exchange with OK: the client is authenticated.
    ///
    /// # Errors
    /// As [`Server::challenge`]; [`Misuse::NotInState`] for another condition; [`Misuse::Invalid`].
    pub fn accept_auth(
        &mut self,
        turn: AuthTurn,
        status: &Status<'_>,
        output: &mut Output,
    ) -> Result<(), Returned<AuthTurn>> {
        let condition = if status.is_ok() { Ok(()) } else { Err(Misuse::NotInState) };
        if let Err(why) = self.may_turn(&turn).and(condition).and_then(|()| check(status)) {
            return Err(Returned::new(turn, why));
        }
        self.owed = Owed::Nothing;
        self.logged_in(status, output);
        Ok(())
    }

    /// Ends the exchange with NO or BAD. The text should not say what was wrong (RFC 9051 §11.7).
    ///
    /// # Errors
    /// As [`Server::accept_auth`].
    pub fn refuse_auth(
        &mut self,
        turn: AuthTurn,
        status: &Status<'_>,
        output: &mut Output,
    ) -> Result<(), Returned<AuthTurn>> {
        let refused = matches!(status.condition, Condition::No | Condition::Bad);
        let condition = if refused { Ok(()) } else { Err(Misuse::NotInState) };
        if let Err(why) = self.may_turn(&turn).and(condition).and_then(|()| check(status)) {
            return Err(Returned::new(turn, why));
        }
        self.owed = Owed::Nothing;
        self.put_tagged(status, output);
        Ok(())
    }

    fn may_turn(&self, turn: &AuthTurn) -> Result<(), Misuse> {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        if self.owed == Owed::Auth && self.source.is_latest(turn.0) { Ok(()) } else { Err(Misuse::NotOwed) }
    }

    /// Refuses STARTTLS with NO; the session goes on without TLS.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`].
    pub fn refuse_tls(&mut self, offer: TlsOffer, output: &mut Output) -> Result<(), Returned<TlsOffer>> {
        if self.is_over() {
            return Err(Returned::new(offer, Misuse::Over));
        }
        if self.owed != Owed::Upgrade || !self.source.is_latest(offer.0) {
            return Err(Returned::new(offer, Misuse::NotOwed));
        }
        self.owed = Owed::Nothing;
        self.put_tagged(&known(Condition::No, "TLS is not available"), output);
        Ok(())
    }
}

/// IDLE, APPEND, and data before an answer.
impl Server {
    /// Lets an IDLE begin: writes the `+`. Until [`Event::IdleDone`](super::Event::IdleDone) the turn is for
    /// [`Server::untagged`].
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] if the command in flight is no IDLE; as [`Server::answer`].
    pub fn idle(&mut self, answer: Answer, output: &mut Output) -> Result<IdleTurn, Returned<Answer>> {
        let idle = if self.owed == Owed::Answer(Kind::Idle) { Ok(()) } else { Err(Misuse::NotOwed) };
        if let Err(why) = self.may(&answer).and(idle) {
            return Err(Returned::new(answer, why));
        }
        self.owed = Owed::Nothing;
        self.mode = Mode::Idle;
        put(output, "+ idling\r\n");
        Ok(IdleTurn(self.source.issue()))
    }

    /// Lets the message of an APPEND come: [`Event::Chunk`](super::Event::Chunk)s, then
    /// [`Event::BodyEnd`](super::Event::BodyEnd).
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`].
    pub fn accept_body(&mut self, offer: BodyOffer, output: &mut Output) -> Result<(), Returned<BodyOffer>> {
        match (self.may(&offer), self.owed) {
            (Ok(()), Owed::Body { sync, .. }) => {
                self.owed = Owed::Nothing;
                if sync {
                    put(output, "+ go ahead\r\n");
                }
                Ok(())
            }
            (why, _) => Err(Returned::new(offer, why.err().unwrap_or(Misuse::NotOwed))),
        }
    }

    /// Refuses the message of an APPEND with NO or BAD. A client that did not wait sends it all the same: it is dropped, within the
    /// limit of what is discarded.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`]; [`Misuse::NotInState`] for another condition; [`Misuse::Invalid`].
    pub fn refuse_body(
        &mut self,
        offer: BodyOffer,
        status: &Status<'_>,
        output: &mut Output,
    ) -> Result<(), Returned<BodyOffer>> {
        let refused = matches!(status.condition, Condition::No | Condition::Bad);
        let condition = if refused { Ok(()) } else { Err(Misuse::NotInState) };
        let may = self.may(&offer).and(condition).and_then(|()| check(status));
        match (may, self.owed) {
            (Ok(()), Owed::Body { sync, octets }) => {
                self.owed = Owed::Nothing;
                self.mode = Mode::Line;
                self.put_tagged(status, output);
                if !sync {
                    // Above the budget the session is over; the next frame says so.
                    if let Err(violation) = self.discard_octets(octets, None, output) {
                        self.fatal = Some(violation);
                    }
                }
                Ok(())
            }
            (why, _) => Err(Returned::new(offer, why.err().unwrap_or(Misuse::NotOwed))),
        }
    }

    /// Untagged responses, before a command is answered or while IDLE is on. Before those of a SELECT or EXAMINE the machine says that
    /// the mailbox which was selected is left (`CLOSED`).
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`]; [`Misuse::MustWait`] while octets of a message are owed.
    pub fn untagged<'s>(
        &'s mut self,
        turn: &'s impl Turn,
        output: &'s mut Output,
    ) -> Result<Writer<'s>, Misuse> {
        self.may(turn)?;
        if self.owed == Owed::Answer(Kind::Select) {
            self.leave(output);
        }
        Ok(Writer::new(self, output))
    }

    /// Sends octets of a message that a FETCH response has announced, as many as there is room for; `piece` keeps the rest. With the last octet
    /// the response is closed, unless more attributes are to follow.
    ///
    /// Under [`BodyEol::Reject`](mail_wire::dot::BodyEol) and [`BodyEol::Normalise`](mail_wire::dot::BodyEol) (which would change the announced length) octets with a bare CR or LF are
    /// refused, where a window may begin and end inside a line end; a NUL is refused under any policy, since a literal cannot hold one
    /// (RFC 9051 §9, `CHAR8`). What is announced as literal8, BINARY, passes.
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been taken. [`Misuse::NotOwed`] for a grant that is done or another's; [`Misuse::WrongLength`] for more
    /// than was announced; [`Misuse::Invalid`] for octets that may not stand there: others of the same length may still be given.
    pub fn body(
        &mut self,
        grant: &mut BodyGrant,
        piece: &mut Bytes,
        output: &mut Output,
    ) -> Result<(), Misuse> {
        let open = self.open_of(grant)?;
        let left = usize::try_from(open.left).unwrap_or(usize::MAX);
        if piece.len() > left || open.left == 0 {
            return Err(Misuse::WrongLength);
        }
        let n = piece.len().min(output.room());
        let left = open.left.saturating_sub(n as u64);
        let mut scan = open.scan;
        let octets = piece.get(..n).unwrap_or(&[]);
        if scan.as_mut().is_some_and(|scan| !scan.takes(octets, left == 0, self.policy.body_eol)) {
            return Err(Misuse::Invalid(UNFIT));
        }
        output.queue(Class::Body, piece.split_to(n));
        grant.left = left;
        self.open = Some(Open { left, scan, ..open });
        if grant.left == 0 && !open.more {
            self.open = None;
            put(output, ")\r\n");
        }
        Ok(())
    }

    /// Goes on with a FETCH response behind a message, where [`FetchWriter::body_and_more`] began it.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::MustWait`] while octets are left.
    pub fn fetch_on<'s>(
        &'s mut self,
        grant: BodyGrant,
        output: &'s mut Output,
    ) -> Result<FetchWriter<'s>, Returned<BodyGrant>> {
        match self.open_of(&grant) {
            Ok(Open { left: 0, more: true, .. }) => {
                self.open = None;
                Ok(FetchWriter::again(self, output))
            }
            Ok(_) => Err(Returned::new(grant, Misuse::MustWait)),
            Err(why) => Err(Returned::new(grant, why)),
        }
    }

    fn open_of(&self, grant: &BodyGrant) -> Result<Open, Misuse> {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        match self.open {
            Some(open) if self.grants.is_latest(grant.stamp) => Ok(open),
            _ => Err(Misuse::NotOwed),
        }
    }
}
