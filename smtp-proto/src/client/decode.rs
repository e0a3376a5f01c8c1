//! What a reply means: it is paired with the oldest command in flight.
//!
//! Nothing in a reply tells which command it answers. Replies come in the order of the commands and are counted, and neither code nor text
//! may help (RFC 2920 §3.1). So one reply too many, or one that cannot be read, makes every later one answer the wrong command: a refused
//! recipient would pass for accepted, a lost mail for delivered. That is why faults end the session here and not in other protocols.
//!
//! What is done depends on the code alone, and where the code is unknown on its first digit (RFC 5321 §4.2, §4.2.1).

use super::state::{Flight, Grant, Kind, Mine, Phase};
use super::{AuthTurn, BodyGrant, Client, Event, TlsGrant};
use crate::error::{Downgrade, Rule, Violation};
use crate::ext::{EhloReply, Extension, Extensions};
use crate::frame::foreign_greeting;
use crate::parse::{self, Fixes};
use crate::policy::Tls;
use crate::reply::Reply;
use alloc::boxed::Box;
use mail_wire::dot::DotEncoder;
use mail_wire::{Class, Input, Mask, Span, Unit, base64};

/// The server closes the connection (RFC 5321 §3.8).
const SERVICE_CLOSING: u16 = 421;
/// The answer to a MAIL whose transaction the server remembers (RFC 1845 §3).
const CHECKPOINT: u16 = 355;

impl Client {
    /// Reads a reply and pairs it. Every fault here loses the pairing, so every fault is fatal. A greeting that cannot be read may be that of
    /// another protocol, which tells an operator more than its first octets would.
    pub(super) fn read_unit<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        let (octets, tape) = input.unit(unit)?;
        self.mask = None;
        let reply = match parse::reply(octets, tape, &Fixes::counted(&mut self.policy.grammar.repairs)) {
            Ok(reply) => reply,
            Err(Violation::Reply(_)) if self.phase == Phase::Greeting => {
                return Err(self.fail(foreign_greeting(octets)));
            }
            Err(violation) => return Err(self.fail(violation)),
        };
        let event = if self.phase == Phase::Greeting { self.greeting(reply) } else { self.paired(reply) };
        event.map_err(|violation| self.fail(violation))
    }

    /// The greeting: 220, or a refusal, after which QUIT alone may be sent (RFC 5321 §3.1, RFC 7504 §3). Another 2yz is no greeting: a server
    /// that answers something else first was most likely answering somebody else.
    fn greeting<'i>(&mut self, reply: Reply<'i>) -> Result<Event<'i>, Violation> {
        self.phase = match reply.code().get() {
            220 => Phase::Ready,
            SERVICE_CLOSING => Phase::Over,
            code if code >= 400 => Phase::Rejected,
            code => return Err(Violation::Unexpected(code)),
        };
        // A greeting has no enhanced code (RFC 2034 §4): what looks like one is kept as it was read.
        Ok(Event::Greeting(reply))
    }

    /// The reply to the oldest command in flight. A 421 may stand for any reply, and ends the session (RFC 5321 §3.8).
    fn paired<'i>(&mut self, reply: Reply<'i>) -> Result<Event<'i>, Violation> {
        let code = reply.code();
        let Some(flight) = self.flights.front().copied() else {
            if code.get() != SERVICE_CLOSING {
                return Err(Violation::Unsolicited);
            }
            self.phase = Phase::Over;
            return Ok(Event::Closing(reply));
        };
        let Flight { ticket, kind, .. } = flight;
        if code.get() == SERVICE_CLOSING {
            self.flights.pop_front();
            self.phase = Phase::Over;
            return Ok(Event::Reply(ticket, reply));
        }
        if code.get() == CHECKPOINT && kind == Kind::Mail && self.extensions.has(Extension::Checkpoint) {
            return Ok(self.resumed(flight, reply));
        }
        // Whoever says 3yz waits for more, and what that should be only DATA and AUTH know (RFC 5321 §4.3.2).
        if code.is_intermediate() && !matches!(kind, Kind::Data | Kind::Auth) {
            return Err(Violation::Unexpected(code.get()));
        }
        match kind {
            Kind::Hello { extended } => return self.hello_reply(extended, reply),
            Kind::Data => return self.data_reply(reply),
            Kind::Auth => return self.auth_reply(reply),
            Kind::StartTls => return self.tls_reply(reply),
            Kind::DataEnd { .. } | Kind::Chunk { .. } => self.body_reply(flight, reply)?,
            Kind::Mail if !code.is_positive() => {
                self.close_transaction(flight);
                self.flights.pop_front();
            }
            // 250, or 251: the server takes it on; or 252 from one that does not want to say (RFC 5321 §4.3.2).
            Kind::Rcpt if code.is_positive() => {
                let open = self.transaction.as_mut();
                if let Some(transaction) = open.filter(|open| open.number == flight.transaction) {
                    transaction.accepted = transaction.accepted.saturating_add(1);
                }
                self.flights.pop_front();
            }
            // Whatever it is answered: who has said QUIT has no more to say (RFC 5321 §4.1.1.10).
            Kind::Quit => {
                self.flights.pop_front();
                self.phase = Phase::Over;
            }
            Kind::XClient if code.is_positive() => {
                self.flights.pop_front();
                self.forget();
            }
            Kind::Mail | Kind::Rcpt | Kind::Rset | Kind::XClient | Kind::Lone => {
                self.flights.pop_front();
            }
        }
        Ok(Event::Reply(ticket, reply))
    }

    /// The server has kept the transaction, its recipients, and so many octets of the message: DATA may follow at once, with the rest
    /// (RFC 1845 §3).
    fn resumed<'i>(&mut self, flight: Flight, reply: Reply<'i>) -> Event<'i> {
        self.flights.pop_front();
        let open = self.transaction.as_mut();
        if let Some(transaction) = open.filter(|open| open.number == flight.transaction) {
            transaction.sent = transaction.sent.max(1);
            transaction.accepted = transaction.accepted.max(1);
        }
        Event::Reply(flight.ticket, reply)
    }

    /// Unless another has been opened behind it in the same group: MAIL may stand behind a message whose reply has not come (RFC 2920 §3.1).
    fn close_transaction(&mut self, flight: Flight) {
        if self.transaction.is_some_and(|open| open.number == flight.transaction) {
            self.transaction = None;
        }
    }

    /// The reply to EHLO, LHLO or HELO: what is offered from now on, or a fall-back, or under [`Tls::Required`] the end.
    ///
    /// Each reply replaces all that was offered before (RFC 5321 §4.1.4). HELO offers nothing, so where TLS is required there is no falling
    /// back to it: who can change one reply on the way could else take TLS away (RFC 3207 §6).
    fn hello_reply<'i>(&mut self, extended: bool, reply: Reply<'i>) -> Result<Event<'i>, Violation> {
        let Some(Flight { ticket, .. }) = self.flights.pop_front() else {
            return Err(Violation::Unsolicited);
        };
        let code = reply.code();
        let must = self.policy.tls == Tls::Required && !self.secure;
        if code.is_positive() {
            let fixes = Fixes::counted(&mut self.policy.grammar.repairs);
            self.extensions = EhloReply::new(reply, extended).check(&fixes).map_err(Violation::Malformed)?;
            self.extended = extended;
            self.hello = Some(reply.into_owned());
            self.transaction = None;
            if must && !self.extensions.has(Extension::StartTls) {
                return Err(Violation::Downgrade(Downgrade::NotOffered));
            }
            return Ok(Event::Reply(ticket, reply));
        }
        if must {
            return Err(Violation::Downgrade(Downgrade::EhloRefused(code.get())));
        }
        // Who does not know the word may know the older one (RFC 5321 §3.2); not who takes no mail at all, or wants something else first.
        let worthwhile = code.is_permanent() && !matches!(code.get(), 521 | 530 | 554);
        if extended && !self.lmtp && self.policy.helo_fallback && worthwhile {
            self.flights.push_front(Flight { ticket, kind: Kind::Hello { extended: false }, transaction: 0 });
            self.mine = Some(Mine::Helo);
            return Ok(Event::EhloRefused(ticket, reply));
        }
        Ok(Event::Reply(ticket, reply))
    }

    /// The reply to DATA: 354 gives the grant, unless no recipient was accepted. DATA has gone out with the RCPTs by then, and a server that
    /// says 354 all the same reads on until a dot; so it gets an empty message, which it may not deliver (RFC 2920 §3.1, §3.2).
    fn data_reply<'i>(&mut self, reply: Reply<'i>) -> Result<Event<'i>, Violation> {
        let Some(Flight { ticket, transaction, .. }) = self.flights.pop_front() else {
            return Err(Violation::Unsolicited);
        };
        let code = reply.code();
        if code.is_positive() {
            return Err(Violation::Unexpected(code.get()));
        }
        if !code.is_intermediate() {
            // Who refuses a command stays where it was (RFC 5321 §4.1.4): the transaction is still open there, and MAIL would be nested.
            if let Some(open) = self.transaction.as_mut().filter(|open| open.number == transaction) {
                open.complete = false;
            }
            return Ok(Event::Reply(ticket, reply));
        }
        let accepted = self.recipients();
        if accepted == 0 && self.lmtp {
            // No recipient, no reply: nobody could tell when the body is done (RFC 2033 §4.2).
            return Err(Violation::Unexpected(code.get()));
        }
        // Every RCPT has been answered by now, for DATA ends a group: another mail behind the body does not change the count.
        let left = self.lmtp.then_some(accepted);
        self.flights.push_front(Flight { ticket, kind: Kind::DataEnd { left }, transaction });
        if accepted == 0 {
            self.mine = Some(Mine::EmptyBody);
            return Ok(Event::NoRecipients(ticket, reply));
        }
        self.grant = Some(Grant::Data(Box::new(DotEncoder::new(self.policy.body_eol))));
        Ok(Event::BodyWanted(ticket, reply, BodyGrant(self.source.issue())))
    }

    /// The reply to a body, or one of those that LMTP has for it: as many as RCPTs were accepted (RFC 2033 §4.2, §4.3), whatever it says.
    fn body_reply(&mut self, flight: Flight, reply: Reply<'_>) -> Result<(), Violation> {
        let kind = flight.kind;
        let (left, last) = match kind {
            Kind::DataEnd { left } => (left, true),
            Kind::Chunk { last, left, .. } => (left, last),
            _ => (None, true),
        };
        // A server that refuses before it has read all: what it reads next, as body or as commands, nobody knows. A chunk is another matter,
        // since its end is known to both.
        if matches!(kind, Kind::DataEnd { .. }) && matches!(self.grant, Some(Grant::Data(_))) {
            if reply.code().is_positive() {
                return Err(Violation::Unexpected(reply.code().get()));
            }
            self.phase = Phase::Over;
        }
        // At least one: the last chunk is not sent before a recipient is accepted.
        let each = if self.lmtp && last { self.recipients().max(1) } else { 1 };
        let left = left.unwrap_or(each).saturating_sub(1);
        if left > 0 {
            let kind = match kind {
                Kind::Chunk { last, fetched, .. } => Kind::Chunk { last, left: Some(left), fetched },
                _ => Kind::DataEnd { left: Some(left) },
            };
            if let Some(flight) = self.flights.front_mut() {
                flight.kind = kind;
            }
            return Ok(());
        }
        self.flights.pop_front();
        let failed = !reply.code().is_positive();
        match kind {
            // What the server makes of the rest nobody knows: RSET must come before anything more (RFC 3030 §2). In LMTP the last chunk is
            // answered recipient by recipient, and that is no failure of the chunk.
            Kind::Chunk { fetched: false, .. } if failed && !(self.lmtp && last) => {
                if let Some(open) = self.transaction.as_mut().filter(|open| open.number == flight.transaction)
                {
                    open.failed = true;
                }
            }
            // A BURL that fails takes the whole transaction with it (RFC 4468 §3.2).
            _ if last || failed => self.close_transaction(flight),
            _ => {}
        }
        Ok(())
    }

    /// The reply in an AUTH exchange: 334 with a challenge, else the outcome, which the code alone decides (RFC 4954 §4). A challenge is masked:
    /// some mechanisms send in it what a password can be guessed from.
    fn auth_reply<'i>(&mut self, reply: Reply<'i>) -> Result<Event<'i>, Violation> {
        let Some(Flight { ticket, .. }) = self.flights.front().copied() else {
            return Err(Violation::Unsolicited);
        };
        let code = reply.code();
        if !code.is_intermediate() {
            self.flights.pop_front();
            self.turn = false;
            self.authenticated |= code.is_positive();
            return Ok(Event::Reply(ticket, reply));
        }
        // A challenge is one line and nothing but base64 (RFC 4954 §4); one before the last is answered belongs to no exchange of ours.
        if code.get() != 334 || reply.len() != 1 || self.turn {
            return Err(Violation::Unexpected(code.get()));
        }
        let octets = reply.octets();
        self.mask = Some(Mask { span: Span::new(4, octets.len()), class: Class::Secret });
        match base64::decode(reply.raw_lines().next().unwrap_or_default()) {
            Ok(challenge) => {
                self.turn = true;
                Ok(Event::Challenge(challenge, AuthTurn(self.source.issue())))
            }
            Err(_) if self.policy.grammar.strict => Err(Violation::Malformed(Rule::Base64)),
            Err(_) => {
                self.mine = Some(Mine::Cancel);
                Ok(Event::BadChallenge(ticket))
            }
        }
    }

    /// The reply to STARTTLS: behind a 220 nothing is read before the hand-over (RFC 3207 §4.2). Any other 2yz would leave it open whether the
    /// server begins a handshake now.
    fn tls_reply<'i>(&mut self, reply: Reply<'i>) -> Result<Event<'i>, Violation> {
        let Some(Flight { ticket, .. }) = self.flights.pop_front() else {
            return Err(Violation::Unsolicited);
        };
        match reply.code() {
            code if code.get() == 220 => {
                self.upgrade = true;
                Ok(Event::StartTls(TlsGrant(self.source.issue())))
            }
            code if code.is_positive() => Err(Violation::Unexpected(code.get())),
            code if self.policy.tls == Tls::Required => {
                Err(Violation::Downgrade(Downgrade::Refused(code.get())))
            }
            _ => Ok(Event::Reply(ticket, reply)),
        }
    }

    /// What is offered is known only from the reply to EHLO: what a greeting's text says of itself is for people (RFC 5321 §4.2).
    pub(super) const fn knows(&self) -> Extensions {
        self.extensions
    }
}
