//! What the application does: commands, bodies, answers to challenges.

use super::event::{AuthTurn, BodyGrant, IdleGrant, Ticket};
use super::flight::{
    Flight, FlightTag, Kind, Message, NonSync, Sink, Then, Wait, moves_numbers, names_numbers,
};
use super::{Client, State};
use crate::command::{AppendForm, Command};
use crate::encode;
use crate::policy::{Allow, Tls};
use crate::types::{FetchAtt, FetchAtts, Flag, Flags, Key, Search, Tag};
use bytes::Bytes;
use mail_wire::dot::{BareScan, BodyEol};
use mail_wire::{Class, Misuse, Output, Returned, base64};

impl Client {
    /// Sends a command. It may be sent before those in flight are complete, but for one that names messages by their numbers:
    /// it waits for all but FETCH, STORE and SEARCH that were sent while a mailbox was selected, since an EXPUNGE on its way would make
    /// it mean other messages (RFC 9051 §5.5). Behind commands with UIDs, by UIDs, nothing waits.
    ///
    /// Of an APPEND the message is asked for by [`Event::BodyWanted`](super::Event::BodyWanted). A literal goes out at once where the
    /// server takes it so (LITERAL+, LITERAL-), and else waits for the server's `+`; while it waits, nothing else can be sent.
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been written.
    pub fn send(&mut self, command: &Command<'_>, output: &mut Output) -> Result<Ticket, Misuse> {
        self.may_send(command)?;
        let non_sync = self.non_sync();
        let ticket = Ticket(self.source.issue());
        let tag = match self.next_tag.take() {
            Some(tag) => FlightTag::Set(tag),
            None => FlightTag::Number(self.free_number()),
        };
        let mut then = Then::Free;
        let mut initial = None;
        let mut command = *command;
        match &mut command {
            Command::Append(append) => {
                append.sync |= !non_sync.takes(append.octets);
                let message = Message {
                    left: append.octets,
                    form: append.form,
                    sync: append.sync,
                    scan: BareScan::new(),
                };
                then = Then::Append(message);
            }
            Command::Authenticate { initial: first, .. } => {
                then = Then::Sasl;
                if !self.has("SASL-IR") && !self.has("IMAP4rev2") {
                    initial = first.take();
                }
            }
            _ => {}
        }
        let mut buffer = [0; 24];
        let Ok(written) = Tag::new(tag.write(&self.tags, &mut buffer)) else {
            return Err(Misuse::Invalid("tag"));
        };
        let utf8 = self.is_utf8();
        let mut sink = Sink { output, held: &mut self.held, non_sync, utf8 };
        encode::command(written, &command, &mut sink);
        if let Some(initial) = initial {
            // Without SASL-IR the initial response answers an empty challenge (RFC 9051 §6.2.2).
            self.held.wait();
            let octets = *initial.expose();
            self.held.put(Class::Secret, if octets == b"=" { b"" } else { octets });
            self.held.put(Class::Public, b"\r\n");
        }
        let kind = Kind::of(&command);
        self.fresh &= kind != Kind::Auth;
        self.logout_sent |= kind == Kind::Logout;
        self.has_selected |= kind == Kind::Select;
        self.unsolicited = 0;
        // Where no mailbox is selected there is no number that an EXPUNGE could move; behind a SELECT there is one when the server comes
        // to this command.
        let moves_numbers = (self.state == State::Selected || self.is_selecting()) && moves_numbers(&command);
        self.flight.push_back(Flight { ticket, tag, kind, moves_numbers });
        self.wait = match kind {
            Kind::Idle => Wait::Idle(ticket),
            Kind::StartTls => Wait::Tls,
            _ if self.held.is_empty() => Self::next_wait(ticket, then),
            _ => Wait::Held(ticket, then),
        };
        Ok(ticket)
    }

    /// The number of the next tag: none that is in flight, be it by a tag that was set or after the numbers have begun anew.
    fn free_number(&mut self) -> u32 {
        loop {
            let number = self.tags.next();
            let mut buffer = [0; 24];
            let tag = self.tags.write(number, &mut buffer);
            if !self.flight.iter().any(|flight| flight.tag.is(tag, Some(number))) {
                return number;
            }
        }
    }

    /// Sets the tag of the next command. The tags of the source go on behind it, and pass over what is in flight.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] if a command with this tag is in flight.
    pub fn set_next_tag(&mut self, tag: Tag<'_>) -> Result<(), Misuse> {
        let number = self.tags.number(tag.as_bytes());
        if self.flight.iter().any(|flight| flight.tag.is(tag.as_bytes(), number)) {
            return Err(Misuse::Invalid("a tag that is in flight"));
        }
        self.next_tag = Some(tag.as_bytes().into());
        Ok(())
    }

    /// Gives octets of the message of an APPEND: takes from the front of `piece` what the output has room for. With the last octet the
    /// command ends and the grant is spent.
    ///
    /// Under [`BodyEol::Reject`] and [`BodyEol::Normalise`] (which would change the announced length) a message with a bare CR or LF
    /// or a NUL is refused; octets announced as literal8 pass.
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been taken. [`Misuse::WrongLength`]: more than was announced.
    pub fn body(
        &mut self,
        grant: &mut BodyGrant,
        piece: &mut Bytes,
        output: &mut Output,
    ) -> Result<(), Misuse> {
        let Wait::Streaming(stamp, message) = &mut self.wait else { return Err(Misuse::NotOwed) };
        if *stamp != grant.0 {
            return Err(Misuse::NotOwed);
        }
        if self.closed || self.fatal.is_some() || self.state == State::Logout {
            return Err(Misuse::Over);
        }
        if piece.len() as u64 > message.left {
            return Err(Misuse::WrongLength);
        }
        let n = piece.len().min(output.room());
        let left = message.left.saturating_sub(n as u64);
        if message.form == AppendForm::Literal && self.policy.body_eol != BodyEol::Pass {
            let mut scan = message.scan;
            let fault = scan.piece(piece.get(..n).unwrap_or(&[]));
            if fault.is_some() || left == 0 && scan.end().is_some() {
                return Err(Misuse::Invalid("a bare CR or LF or a NUL in the message"));
            }
            message.scan = scan;
        }
        message.left = left;
        let form = message.form;
        output.queue(Class::Body, piece.split_to(n));
        if left == 0 {
            output.put(Class::Public, encode::append_tail(form).as_bytes());
            self.wait = Wait::Free;
        }
        Ok(())
    }

    /// Ends IDLE. The completion of the command follows.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] if the server has ended it already; the grant comes back.
    pub fn done(&mut self, grant: IdleGrant, output: &mut Output) -> Result<(), Returned<IdleGrant>> {
        match self.wait {
            Wait::Idling(_, stamp) if stamp == grant.0 && !self.is_over() => {
                output.put(Class::Public, b"DONE\r\n");
                self.wait = Wait::Free;
                Ok(())
            }
            _ => Err(Returned::new(grant, Misuse::NotOwed)),
        }
    }

    /// Answers a challenge. The octets are sent in base64.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::TooLong`]; the turn comes back.
    pub fn respond(
        &mut self,
        turn: AuthTurn,
        octets: &[u8],
        output: &mut Output,
    ) -> Result<(), Returned<AuthTurn>> {
        let Some(ticket) = self.turn(&turn) else { return Err(Returned::new(turn, Misuse::NotOwed)) };
        if base64::encoded_len(octets.len()).saturating_add(2) > self.limits.auth_line {
            return Err(Returned::new(turn, Misuse::TooLong(self.limits.auth_line)));
        }
        output.put(Class::Secret, base64::encode(octets).expose());
        output.put(Class::Public, b"\r\n");
        self.wait = Wait::Sasl(ticket);
        Ok(())
    }

    /// Gives the exchange up (RFC 9051 §6.2.2). The refusal comes as the completion of the command.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; the turn comes back.
    pub fn cancel(&mut self, turn: AuthTurn, output: &mut Output) -> Result<(), Returned<AuthTurn>> {
        let Some(ticket) = self.turn(&turn) else { return Err(Returned::new(turn, Misuse::NotOwed)) };
        output.put(Class::Public, b"*\r\n");
        self.wait = Wait::Sasl(ticket);
        Ok(())
    }

    /// The exchange whose challenge this turn answers.
    fn turn(&self, turn: &AuthTurn) -> Option<Ticket> {
        match self.wait {
            Wait::Turn(ticket, stamp) if stamp == turn.0 && !self.is_over() => Some(ticket),
            _ => None,
        }
    }

    /// What a command waits for when nothing of it is held any more.
    pub(super) fn next_wait(ticket: Ticket, then: Then) -> Wait {
        match then {
            Then::Free => Wait::Free,
            Then::Sasl => Wait::Sasl(ticket),
            Then::Append(message) if message.sync => Wait::Append(ticket, message),
            Then::Append(message) => Wait::GrantDue(ticket, message),
        }
    }

    /// IMAP4rev2 includes LITERAL- (RFC 9051 appendix E). While nothing is known every literal waits.
    fn non_sync(&self) -> NonSync {
        if self.has("LITERAL+") {
            NonSync::All
        } else if self.has("LITERAL-") || self.has("IMAP4rev2") {
            NonSync::Small
        } else {
            NonSync::None
        }
    }

    /// The state, the policy and what the server offers, in this order.
    fn may_send(&self, command: &Command<'_>) -> Result<(), Misuse> {
        if self.is_over() || self.logout_sent {
            return Err(Misuse::Over);
        }
        if self.state == State::Greeting {
            return Err(Misuse::NotInState);
        }
        if !matches!(self.wait, Wait::Free) {
            return Err(Misuse::MustWait);
        }
        match command {
            Command::Capability | Command::Noop | Command::Logout | Command::Id(_) => Ok(()),
            Command::StartTls => self.may_start_tls(),
            _ if self.policy.tls == Tls::Required && !self.secure => Err(Misuse::Forbidden("before TLS")),
            Command::Login { .. } => {
                self.may_log_in()?;
                if self.has("LOGINDISABLED") {
                    return Err(Misuse::Forbidden("the server disables LOGIN"));
                }
                self.may_show_password()
            }
            Command::Authenticate { mechanism, initial } => {
                self.may_log_in()?;
                let long =
                    initial.as_ref().is_some_and(|initial| initial.expose().len() > self.limits.auth_line);
                if long {
                    return Err(Misuse::TooLong(self.limits.auth_line));
                }
                let plain = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];
                if plain.iter().any(|name| mechanism.as_str().eq_ignore_ascii_case(name)) {
                    self.may_show_password()?;
                }
                Ok(())
            }
            Command::Idle if self.capabilities.is_some() && !self.has("IDLE") && !self.has("IMAP4rev2") => {
                Err(Misuse::NotOffered("IDLE"))
            }
            // The server need not look, and what it then does is open (RFC 9051 §6.3.1).
            Command::Enable(_) if self.has_selected => Err(Misuse::NotInState),
            Command::Append(append) => {
                self.may_use_mailboxes()?;
                may_set(append.flags)?;
                self.may_announce(append.form)
            }
            _ => {
                self.may_use_mailboxes()?;
                match command {
                    Command::Store { flags, .. } => may_set(*flags)?,
                    Command::Search { keys, .. } if self.missing(*keys).is_some() => {
                        return Err(Misuse::NotOffered(self.missing(*keys).unwrap_or_default()));
                    }
                    Command::Search { charset: Some(_), .. } if self.strings.unlabelled => {
                        return Err(Misuse::Forbidden("a charset behind ENABLE UTF8=ACCEPT"));
                    }
                    Command::Fetch { atts, .. } if self.lacks_previews(*atts) => {
                        return Err(Misuse::NotOffered("PREVIEW"));
                    }
                    Command::Fetch { atts, .. } if atts.iter().next().is_none() => {
                        return Err(Misuse::Invalid("a FETCH of nothing"));
                    }
                    _ => {}
                }
                self.may_name(command)
            }
        }
    }

    /// The extension that a key needs and the server lacks. What a server that has told nothing can do is left to the caller.
    fn missing(&self, keys: Search<'_>) -> Option<&'static str> {
        self.capabilities().and_then(|offer| Key::missing(keys, offer))
    }

    /// Whether previews are asked of a server that has told of none (RFC 8970 §6).
    fn lacks_previews(&self, atts: FetchAtts<'_>) -> bool {
        let asked = || atts.iter().any(|att| matches!(att, FetchAtt::Preview { .. }));
        self.capabilities.is_some() && !self.has("PREVIEW") && asked()
    }

    /// A message in UTF-8 needs `ENABLE UTF8=ACCEPT` to be complete (RFC 6855 §4), one with NUL a server that takes literal8
    /// (RFC 3516 §4.4). IMAP4rev2 brings neither (RFC 9051 appendix B). What a server that has told nothing can do is left to the caller.
    fn may_announce(&self, form: AppendForm) -> Result<(), Misuse> {
        match form {
            AppendForm::Literal => Ok(()),
            AppendForm::Utf8 if self.strings.unlabelled => Ok(()),
            AppendForm::Utf8 => Err(Misuse::NotOffered("UTF8=ACCEPT")),
            AppendForm::Literal8
                if self.strings.unlabelled || self.capabilities.is_none() || self.has("BINARY") =>
            {
                Ok(())
            }
            AppendForm::Literal8 => Err(Misuse::NotOffered("BINARY")),
        }
    }

    /// Numbers of messages mean what they mean now only if nothing in flight can change them (RFC 9051 §5.5).
    fn may_name(&self, command: &Command<'_>) -> Result<(), Misuse> {
        let moving = self.flight.iter().any(|flight| flight.moves_numbers);
        if moving && names_numbers(command) { Err(Misuse::MustWait) } else { Ok(()) }
    }

    /// STARTTLS is for a session that is neither protected nor logged in (RFC 9051 §6.2.1).
    fn may_start_tls(&self) -> Result<(), Misuse> {
        if self.secure || self.state != State::NotAuthenticated {
            return Err(Misuse::NotInState);
        }
        if self.policy.tls == Tls::Off {
            return Err(Misuse::Forbidden("STARTTLS"));
        }
        // Nothing may be in flight: a pipelined answer would stand behind the go-ahead (RFC 9051 §6.2.1).
        if !self.flight.is_empty() {
            return Err(Misuse::MustWait);
        }
        // Under `Required` it is tried also where a list that anybody may have cut down does not name it.
        if self.capabilities.is_some() && !self.has("STARTTLS") && self.policy.tls != Tls::Required {
            return Err(Misuse::NotOffered("STARTTLS"));
        }
        Ok(())
    }

    /// Nobody logs in twice (RFC 9051 §6.2).
    fn may_log_in(&self) -> Result<(), Misuse> {
        match self.state {
            State::NotAuthenticated => Ok(()),
            _ => Err(Misuse::NotInState),
        }
    }

    /// A password, or a token that is as good as one, goes over a plain link only if the policy says so (RFC 9051 §11.3).
    fn may_show_password(&self) -> Result<(), Misuse> {
        if self.secure || self.policy.plaintext_auth == Allow::Allow {
            return Ok(());
        }
        Err(Misuse::Forbidden("a password before TLS"))
    }

    /// Whether a SELECT or EXAMINE is in flight.
    pub(super) fn is_selecting(&self) -> bool {
        self.is_in_flight(Kind::Select)
    }

    pub(super) fn is_in_flight(&self, kind: Kind) -> bool {
        self.flight.iter().any(|flight| flight.kind == kind)
    }

    /// After the log-in, or behind one that is in flight.
    fn may_use_mailboxes(&self) -> Result<(), Misuse> {
        if self.state == State::NotAuthenticated && !self.is_in_flight(Kind::Auth) {
            return Err(Misuse::NotInState);
        }
        Ok(())
    }
}

/// `\Recent` is the server's, and `\*` is no flag (RFC 9051 §9, `flag`).
fn may_set(flags: Flags<'_>) -> Result<(), Misuse> {
    match flags.iter().all(Flag::is_settable) {
        true => Ok(()),
        false => Err(Misuse::Invalid("a flag that no client sets")),
    }
}
