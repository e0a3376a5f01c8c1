//! Greeting, CAPA, STLS, CAPA, AUTH or USER and PASS (RFC 1939 §4, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4).
//!
//! ```text
//! greeting --> CAPA --------> [UTF8] --> AUTH | APOP | USER --> PASS --> CAPA --> done
//!               ^  |                       |                               (where the first was understood)
//!               |  v                       +--> a refusal: the link is closed
//!       handshake<-STLS
//! ```
//!
//! One command is in flight at a time: what each step does hangs on the answer before it, and nothing may overtake STLS and AUTH.
//! A server that does not know CAPA is asked for STLS all the same, and logged in to by USER and PASS.

use super::ask::{refusal, still_there};
use crate::flow::{Failure, Flow, Progress};
use crate::open::{self, Base, Security, invalid};
use crate::sasl::client::Proof;
use crate::tls::Tls;
use crate::turn::Turn;
use mail_pop3_proto::Command;
use mail_pop3_proto::client::{Client, Config, Event, Ticket, TlsGrant};
use mail_pop3_proto::types::{InitialResponse, Mechanism, Password, UserName};

/// Opens a session of a client, by default at the ports 995 and 110.
#[derive(Debug)]
pub struct Opening {
    base: Base,
    config: Config,
    state: State,
    /// UTF-8 mode is asked for.
    utf8: bool,
    /// APOP may be used.
    #[cfg(feature = "legacy-md5")]
    apop: bool,
}

/// What is awaited. The ticket tells the answer to the last command from one that a server says twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    /// CAPA, before TLS and again behind it.
    Capa(Ticket),
    /// STLS.
    Tls(Ticket),
    Utf8(Ticket),
    Auth(Ticket),
    /// USER; the password goes only when the name was taken.
    User(Ticket),
    /// PASS or APOP.
    Pass(Ticket),
    /// CAPA behind the log-in: what is offered then may be other than before (RFC 2449 §5).
    CapaAgain(Ticket),
    Done,
}

impl Opening {
    /// To the server of this name.
    #[must_use]
    pub fn new(host: &str, security: Security) -> Self {
        let (tls, plaintext_auth) = security.policy();
        let mut config = Config::default();
        (config.policy.tls, config.policy.plaintext_auth) = (tls, plaintext_auth);
        Self {
            base: Base::new(host, security, (995, 110)),
            config,
            state: State::Greeting,
            utf8: false,
            #[cfg(feature = "legacy-md5")]
            apop: false,
        }
    }

    crate::open::builder!();

    crate::open::config!();

    /// Asks for UTF-8 mode before the log-in, where the server offers it (RFC 6856 §2.1): messages with UTF-8 in their headers then come as
    /// they are. A server that offers it and refuses it ends the opening, for it may keep such messages back.
    #[must_use]
    pub fn utf8(mut self) -> Self {
        self.utf8 = true;
        self
    }

    /// Logs in by APOP where no SASL mechanism fits and the greeting has a stamp (RFC 1939 §7). **Insecure**: MD5 is broken for this use
    /// (RFC 6151 §2).
    #[cfg(feature = "legacy-md5")]
    #[must_use]
    pub fn insecure_apop(mut self) -> Self {
        self.apop = true;
        self
    }

    /// CAPA, behind the greeting and again behind STLS: what was told before TLS is worth nothing behind it (RFC 2595 §4).
    fn ask(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        self.state = State::Capa(turn.machine.send(&Command::Capa, turn.output)?);
        Ok(Progress::More)
    }

    /// The capabilities are known, or the server knows none: TLS, the log-in, or nothing more.
    fn go_on(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        let (secure, known) = (turn.machine.is_secure(), turn.machine.capabilities());
        // A server without CAPA may have STLS all the same: asking tells.
        if self.base.upgrade(secure, known.is_empty() || known.has("STLS"))? {
            self.state = State::Tls(turn.machine.send(&Command::Stls, turn.output)?);
            return Ok(Progress::More);
        }
        // Only now, for STLS is forbidden behind it (RFC 6856 §2.1).
        if self.utf8 && known.has("UTF8") {
            self.state = State::Utf8(turn.machine.send(&Command::Utf8, turn.output)?);
            return Ok(Progress::More);
        }
        self.log_on(turn)
    }

    /// The best SASL mechanism (RFC 5034), or what there was before SASL.
    fn log_on(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        let (secure, known) = (turn.machine.is_secure(), turn.machine.capabilities());
        let names: Vec<&str> = known.mechanisms().iter().map(Mechanism::name).collect();
        match self.base.choose(names.iter().map(|name| name.as_bytes()), secure, true) {
            Ok(None) => Ok(self.done()),
            Ok(Some((name, initial))) => {
                // It saves a round trip; where the line would be too long the machine holds it back (RFC 5034 §4).
                let initial = initial.as_ref().map(|secret| InitialResponse::new(secret.expose()));
                let mechanism = Mechanism::try_from(name).map_err(invalid)?;
                let auth = Command::Auth { mechanism, initial };
                self.state = State::Auth(turn.machine.send(&auth, turn.output)?);
                Ok(Progress::More)
            }
            // A least mechanism is asked for: then `Downgrade`, and nothing older is tried.
            Err(Failure::NoMechanism) => self.name_user(turn, secure),
            Err(failure) => Err(failure),
        }
    }

    /// USER and PASS, which every server has (RFC 1939 §7), or APOP where that was asked for.
    fn name_user(&mut self, turn: Turn<'_, Client>, secure: bool) -> Result<Progress<(), TlsGrant>, Failure> {
        #[cfg(feature = "legacy-md5")]
        if let (true, true, Some(credentials)) =
            (self.apop, turn.machine.stamp().is_some(), self.base.credentials())
        {
            if let Proof::Password(password) = &credentials.proof {
                let name = UserName::try_from(credentials.user.as_str()).map_err(invalid)?;
                self.state = State::Pass(turn.machine.apop(name, password.expose(), turn.output)?);
                return Ok(Progress::More);
            }
        }
        match self.base.credentials() {
            Some(credentials)
                if self.base.may_expose(secure) && matches!(credentials.proof, Proof::Password(_)) =>
            {
                let user = Command::User(UserName::try_from(credentials.user.as_str()).map_err(invalid)?);
                self.state = State::User(turn.machine.send(&user, turn.output)?);
                Ok(Progress::More)
            }
            _ => Err(Failure::NoMechanism),
        }
    }

    /// The name was taken, which says nothing about whether there is such a user (RFC 1939 §7).
    fn give_password(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        let Some(Proof::Password(password)) = self.base.credentials().map(|credentials| &credentials.proof)
        else {
            return Err(Failure::Unexpected);
        };
        let pass = Command::Pass(Password::try_from(password.expose().as_slice()).map_err(invalid)?);
        self.state = State::Pass(turn.machine.send(&pass, turn.output)?);
        Ok(Progress::More)
    }

    /// The log-in has succeeded. A server that knew CAPA before is asked again.
    fn logged_in(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        if turn.machine.capabilities().is_empty() {
            return Ok(self.done());
        }
        self.state = State::CapaAgain(turn.machine.send(&Command::Capa, turn.output)?);
        Ok(Progress::More)
    }

    fn done(&mut self) -> Progress<(), TlsGrant> {
        self.state = State::Done;
        Progress::Done(())
    }
}

impl Flow<Client> for Opening {
    type Output = ();
    type Upgrade = TlsGrant;

    fn begin(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        match self.state {
            State::Greeting => Ok(Progress::More),
            _ => self.ask(turn),
        }
    }

    fn on(&mut self, event: Event<'_>, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        still_there(&event)?;
        match (event, self.state) {
            (Event::Greeting(line, _), State::Greeting) if line.is_ok() => self.ask(turn),
            // A server that does not want us says so in its greeting (RFC 1939 §4).
            (Event::Greeting(line, _), _) => Err(Failure::Refused(refusal(&line))),
            // The machine keeps the list; it is looked at when it is whole.
            (Event::Head(..) | Event::Items(..), State::Capa(_) | State::CapaAgain(_)) => Ok(Progress::More),
            // The end of the list, or a server that does not know CAPA.
            (Event::End(ticket) | Event::Reply(ticket, _), State::Capa(mine)) if ticket == mine => {
                self.go_on(turn)
            }
            (Event::End(ticket) | Event::Reply(ticket, _), State::CapaAgain(mine)) if ticket == mine => {
                Ok(self.done())
            }
            (Event::Reply(ticket, line), State::Utf8(mine)) if ticket == mine && line.is_ok() => {
                self.log_on(turn)
            }
            (Event::Reply(_, line), State::Utf8(_)) => Err(Failure::Refused(refusal(&line))),
            (Event::StartTls(grant), State::Tls(_)) => Ok(Progress::StartTls(grant)),
            // A refused upgrade is never gone on without (RFC 8314 §3.1).
            (Event::Reply(_, _), State::Tls(_)) => Err(Failure::NoTls),
            (Event::Challenge(challenge, auth), State::Auth(_)) => {
                match self.base.answer(challenge.expose()) {
                    Ok(response) => turn.machine.respond(auth, response.expose(), turn.output)?,
                    Err(failure) => {
                        turn.machine.cancel(auth, turn.output)?;
                        return Err(failure);
                    }
                }
                Ok(Progress::More)
            }
            // The machine has cancelled; the refusal comes as the reply to AUTH.
            (Event::BadChallenge(_), State::Auth(_)) => Ok(Progress::More),
            (Event::Reply(ticket, line), State::User(mine)) if ticket == mine && line.is_ok() => {
                self.give_password(turn)
            }
            (Event::Reply(ticket, line), State::Auth(mine) | State::Pass(mine))
                if ticket == mine && line.is_ok() =>
            {
                // A server that could not prove itself is not believed, whatever it says (RFC 5802 §5).
                self.base.verify()?;
                self.logged_in(turn)
            }
            (Event::Reply(_, line), State::Auth(_) | State::User(_) | State::Pass(_)) => {
                Err(Failure::LogIn(refusal(&line)))
            }
            _ => Err(Failure::Unexpected),
        }
    }

    fn tls(&mut self) -> Result<Tls, Failure> {
        self.base.tls()
    }
}

impl open::Opening for Opening {
    type Machine = Client;

    fn machine(&self) -> Client {
        #[allow(unused_mut)]
        let mut config = self.config.clone();
        #[cfg(feature = "legacy-md5")]
        if self.apop {
            config.policy.apop = mail_wire::Allow::Allow;
        }
        Client::new(config)
    }

    crate::open::told_by_base!();
}
