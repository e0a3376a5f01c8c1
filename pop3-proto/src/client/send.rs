//! What a client may send, and when.

use super::Client;
use super::event::{AuthTurn, Ticket};
use super::flight::{Asked, Flight};
use super::machine::Place;
use crate::command::{Command, Verb};
use crate::encode::AUTH_WITH_INITIAL;
use crate::policy::Tls;
use mail_wire::{Class, Done, Misuse, Output, Redeemed, Returned, base64};

impl Client {
    /// Sends a command. Its answer is told with the ticket that is given back.
    ///
    /// The initial response of AUTH is withheld until the server's first, empty challenge where the line would be too long, or where CAPA was
    /// answered without a SASL capability (RFC 5034 §3 and §4).
    ///
    /// # Errors
    /// - [`Misuse::MustWait`]: the greeting, or an answer that nothing may overtake, is awaited; or the window is full: 1 command
    ///   until the server has announced PIPELINING (RFC 2449 §6.6).
    /// - [`Misuse::NotInState`]: the command belongs to the other state (RFC 1939 §4 and §5), PASS does not follow a USER that was not
    ///   refused, STLS follows UTF8 (RFC 6856 §2.1) or stands under TLS (RFC 2595 §4).
    /// - [`Misuse::Forbidden`]: the policy wants TLS first, or no APOP.
    /// - [`Misuse::NotOffered`]: APOP where the greeting has no stamp; a name or password beyond ASCII without `UTF8 USER` where the
    ///   capabilities are known.
    /// - [`Misuse::TooLong`], [`Misuse::Over`].
    pub fn send(&mut self, command: &Command<'_>, output: &mut Output) -> Result<Ticket, Misuse> {
        self.check(command)?;
        // A server that has told its capabilities without SASL may know AUTH of old, and then no initial response (RFC 5034 §3).
        let old = self.told && !self.capabilities.has("SASL");
        let held = command.write(self.limits.command, if old { 0 } else { AUTH_WITH_INITIAL }, output)?;
        let mut asked = Asked::by(command);
        if let (Asked::Auth(auth), Some(held)) = (&mut asked, held) {
            auth.held = Some(held);
            auth.responded = false;
        }
        let ticket = Ticket(self.tickets.issue());
        self.flight.push_back(Flight { ticket, asked, octets: 0, since: self.arrived });
        self.last_sent = command.verb();
        self.utf8 |= matches!(command, Command::Utf8);
        Ok(ticket)
    }

    /// Tells how many octets of answer a command in flight will bring, such as the size of a message that LIST has told: the window
    /// in octets counts them. A ticket that is not in flight is ignored.
    pub fn expect(&mut self, ticket: Ticket, octets: u64) {
        if let Some(flight) = self.flight.iter_mut().find(|flight| flight.ticket == ticket) {
            flight.octets = octets;
        }
    }

    /// Whether another command that may be pipelined would be taken now.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let expected = self.flight.iter().fold(0_u64, |sum, flight| sum.saturating_add(flight.octets));
        let several = self.pipelining
            && self.flight.len() < self.limits.window
            && expected < self.limits.window_octets
            && !self.flight.back().is_some_and(|flight| flight.asked.is_last());
        self.place.is_up() && !self.is_over() && (self.flight.is_empty() || several)
    }

    /// Answers a challenge.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] for a turn that is not due, [`Misuse::TooLong`] beyond [`Limits::auth_line`](crate::Limits); the turn comes back.
    pub fn respond(&mut self, turn: AuthTurn, response: &[u8], output: &mut Output) -> Redeemed<AuthTurn> {
        if !self.is_turn(&turn) {
            return Err(Returned::new(turn, Misuse::NotOwed));
        }
        if base64::encoded_len(response.len()).saturating_add(2) > self.limits.auth_line {
            return Err(Returned::new(turn, Misuse::TooLong(self.limits.auth_line)));
        }
        output.put(Class::Secret, base64::encode(response).expose());
        output.put(Class::Public, b"\r\n");
        if let Some(Asked::Auth(auth)) = self.flight.front_mut().map(|flight| &mut flight.asked) {
            auth.responded = true;
        }
        self.spoke();
        self.place = Place::Status;
        Ok(())
    }

    /// Cancels the exchange (RFC 5034 §4). The server's refusal comes as the reply to AUTH.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] for a turn that is not due; it comes back.
    pub fn cancel(&mut self, turn: AuthTurn, output: &mut Output) -> Redeemed<AuthTurn> {
        if !self.is_turn(&turn) {
            return Err(Returned::new(turn, Misuse::NotOwed));
        }
        output.put(Class::Public, b"*\r\n");
        if let Some(Asked::Auth(auth)) = self.flight.front_mut().map(|flight| &mut flight.asked) {
            auth.cancelled = true;
        }
        self.spoke();
        self.place = Place::Status;
        Ok(())
    }

    fn is_turn(&self, turn: &AuthTurn) -> bool {
        self.place == Place::Turn && !self.is_over() && self.source.is_latest(turn.0)
    }

    fn check(&self, command: &Command<'_>) -> Done {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        if !self.place.is_up() {
            return Err(Misuse::MustWait);
        }
        let alone = matches!(command, Command::Auth { .. } | Command::Stls);
        if !self.has_room() || (alone && !self.flight.is_empty()) {
            return Err(Misuse::MustWait);
        }
        self.check_state(command)?;
        self.check_policy(command)
    }

    /// RFC 1939 §4 to §7, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2.1.
    fn check_state(&self, command: &Command<'_>) -> Done {
        // A log-in in flight is taken to succeed: if it does not, the server refuses what is behind it.
        let logging_in =
            self.flight.iter().any(|flight| matches!(flight.asked, Asked::LogIn | Asked::Auth(_)));
        let transaction = self.authenticated || logging_in;
        let good = match command.verb() {
            Some(Verb::User | Verb::Apop | Verb::Auth) => !transaction,
            Some(Verb::Pass) => !transaction && self.last_sent == Some(Verb::User),
            Some(Verb::Utf8) => !transaction,
            Some(Verb::Stls) => !transaction && !self.secure && !self.utf8,
            Some(Verb::Capa | Verb::Lang | Verb::Quit) | None => true,
            Some(_) => transaction,
        };
        if good { Ok(()) } else { Err(Misuse::NotInState) }
    }

    fn check_policy(&self, command: &Command<'_>) -> Done {
        let early = matches!(command, Command::Capa | Command::Stls | Command::Quit);
        match self.policy.tls {
            Tls::Required if !self.secure && !early => {
                return Err(Misuse::Forbidden("TLS is required first"));
            }
            Tls::Off if command.verb() == Some(Verb::Stls) => return Err(Misuse::Forbidden("TLS is off")),
            _ => {}
        }
        let plaintext = match command {
            Command::User(_) | Command::Pass(_) => true,
            Command::Auth { mechanism, .. } => mechanism.is_plaintext(),
            _ => false,
        };
        if plaintext && !self.secure && !self.policy.plaintext_auth.is_allowed() {
            return Err(Misuse::Forbidden("a password in the clear"));
        }
        if let Command::Apop { .. } = command {
            if !self.policy.apop.is_allowed() {
                return Err(Misuse::Forbidden("APOP"));
            }
            if self.stamp.is_none() {
                return Err(Misuse::NotOffered("APOP"));
            }
        }
        let ascii = match command {
            Command::User(name) | Command::Apop { name, .. } => name.octets().is_ascii(),
            Command::Pass(password) => password.expose().is_ascii(),
            _ => true,
        };
        if !ascii && !self.capabilities.is_empty() && !self.capabilities.utf8_user() {
            return Err(Misuse::NotOffered("UTF8 USER"));
        }
        Ok(())
    }
}
