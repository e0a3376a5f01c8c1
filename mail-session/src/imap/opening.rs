//! Greeting, CAPABILITY, STARTTLS, CAPABILITY, AUTHENTICATE or LOGIN (RFC 9051 §6.1.1, §6.2).

use crate::flow::{Failure, Flow, Progress, Refusal};
use crate::open::{self, Base, Security, invalid};
use crate::sasl::client::Proof;
use crate::tls::Tls;
use crate::turn::Turn;
use mail_imap_proto::Command;
use mail_imap_proto::client::{Client, Config, Event, Ticket, TlsGrant};
use mail_imap_proto::types::{AString, Atom, Condition, Status};
use mail_wire::{Secret, base64};

/// Opens a session of a client, by default at the ports 993 and 143 (RFC 8314 §3.2, RFC 9051 §2.1).
///
/// Capabilities are taken from the greeting where it tells them, and asked for anew under TLS (RFC 9051 §6.2.1). The log-in is by SASL; where
/// no mechanism fits, and the server does not forbid it, by LOGIN. A greeting with PREAUTH is taken where the policy
/// on TLS lets it through.
///
/// ```no_run
/// # #[cfg(all(feature = "ring", feature = "platform-verifier"))]
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use mail_session::sasl::client::Credentials;
/// use mail_session::tls::{ClientTls, provider};
/// use mail_session::{blocking, imap, open::Security};
/// let security = Security::Implicit(ClientTls::platform(provider())?);
/// let opening = imap::Opening::new("mail.example.org", security).log_in(Credentials::password("me", "secret"));
/// let session = blocking::connect(opening)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Opening {
    base: Base,
    config: Config,
    state: State,
}

/// What is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    /// The end of CAPABILITY.
    Capability(Ticket),
    /// The go-ahead for TLS, or its refusal.
    Tls(Ticket),
    /// The end of AUTHENTICATE or LOGIN, and challenges before it.
    Auth(Ticket),
    Done,
}

impl Opening {
    /// To the server of this name.
    #[must_use]
    pub fn new(host: &str, security: Security) -> Self {
        let (tls, plaintext_auth) = security.policy();
        let mut config = Config::default();
        (config.policy.tls, config.policy.plaintext_auth) = (tls, plaintext_auth);
        Self { base: Base::new(host, security, (993, 143)), config, state: State::Greeting }
    }

    crate::open::builder!();

    crate::open::config!();

    /// Asks for the capabilities unless the greeting has told them.
    fn ask(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        if turn.machine.capabilities().is_some() {
            return self.go_on(turn);
        }
        self.state = State::Capability(turn.machine.send(&Command::Capability, turn.output)?);
        Ok(Progress::More)
    }

    /// The capabilities are known: TLS, the log-in, or nothing more.
    fn go_on(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        let secure = turn.machine.is_secure();
        let known = turn.machine.capabilities();
        let has = |name| known.is_some_and(|known| known.has(name));
        if self.base.upgrade(secure, has("STARTTLS"))? {
            self.state = State::Tls(turn.machine.send(&Command::StartTls, turn.output)?);
            return Ok(Progress::More);
        }
        // Without SASL-IR the server asks for the initial response by an empty challenge (RFC 4959 §3).
        let (inline, no_login) = (has("SASL-IR"), has("LOGINDISABLED"));
        let names: Vec<String> = known.iter().flat_map(|known| known.auth()).map(Into::into).collect();
        match self.base.choose(names.iter().map(|name| name.as_bytes()), secure, inline) {
            Ok(None) => Ok(self.done()),
            Ok(Some((name, initial))) => {
                let text = initial.map(|secret| base64::encode(secret.expose()));
                let initial = text.as_ref().map(|text| match text.expose().as_slice() {
                    [] => Secret::new(&b"="[..]),
                    text => Secret::new(text),
                });
                let mechanism = Atom::try_from(name).map_err(invalid)?;
                let command = Command::Authenticate { mechanism, initial };
                self.state = State::Auth(turn.machine.send(&command, turn.output)?);
                Ok(Progress::More)
            }
            Err(Failure::NoMechanism) if !no_login => self.login(turn, secure),
            Err(failure) => Err(failure),
        }
    }

    /// LOGIN, which every server has that does not say LOGINDISABLED (RFC 9051 §6.2.3).
    fn login(&mut self, turn: Turn<'_, Client>, secure: bool) -> Result<Progress<(), TlsGrant>, Failure> {
        let Some(credentials) = self.base.credentials() else { return Err(Failure::NoMechanism) };
        match &credentials.proof {
            Proof::Password(password) if self.base.may_expose(secure) => {
                let user = AString::new(credentials.user.as_bytes()).map_err(invalid)?;
                let password = Secret::new(AString::new(password.expose()).map_err(invalid)?);
                let command = Command::Login { user, password };
                self.state = State::Auth(turn.machine.send(&command, turn.output)?);
                Ok(Progress::More)
            }
            _ => Err(Failure::NoMechanism),
        }
    }

    fn done(&mut self) -> Progress<(), TlsGrant> {
        self.state = State::Done;
        Progress::Done(())
    }
}

fn refusal(status: &Status<'_>) -> Refusal {
    Refusal::new(None, status.text.bytes())
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
        match (event, self.state) {
            (Event::Greeting(status), State::Greeting) => match status.condition {
                Condition::Ok => self.ask(turn),
                // Logged in already; the policy lets this through only where TLS stands.
                Condition::PreAuth => Ok(self.done()),
                _ => Err(Failure::Refused(refusal(&status))),
            },
            (Event::Completed(ticket, status), State::Capability(mine)) if ticket == mine => {
                if status.is_ok() { self.go_on(turn) } else { Err(Failure::Refused(refusal(&status))) }
            }
            (Event::StartTls(grant), State::Tls(_)) => Ok(Progress::StartTls(grant)),
            (Event::Completed(_, status), State::Tls(_)) => Err(Failure::Refused(refusal(&status))),
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
            (Event::Completed(ticket, status), State::Auth(mine)) if ticket == mine => {
                if !status.is_ok() {
                    return Err(Failure::LogIn(refusal(&status)));
                }
                self.base.verify()?;
                Ok(self.done())
            }
            // What a server tells without being asked (RFC 9051 §7), and literals that go on.
            (Event::Untagged(_) | Event::Continued(..) | Event::BadChallenge(_) | Event::Malformed(_), _) => {
                Ok(Progress::More)
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
        Client::new(self.config.clone())
    }

    crate::open::told_by_base!();
}
