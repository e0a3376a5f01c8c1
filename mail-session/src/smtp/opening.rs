//! Greeting, EHLO, STARTTLS, EHLO, AUTH (RFC 5321 §3.1, RFC 3207 §4, RFC 4954 §4).

use crate::flow::{Failure, Flow, Progress, Refusal};
use crate::open::{self, Base, Security, invalid};
use crate::tls::Tls;
use crate::turn::Turn;
use mail_smtp_proto::Command;
use mail_smtp_proto::client::{Client, Config, Event, Ticket, TlsGrant};
use mail_smtp_proto::error::Invalid;
use mail_smtp_proto::ext::Extension;
use mail_smtp_proto::reply::Reply;
use mail_smtp_proto::types::{EhloName, Mechanism};
use mail_wire::Allow;

/// Opens a session of a client: to send mail, by default to the submission ports, 465 and 587.
///
/// EHLO is said again under TLS, and what it told before is gone (RFC 3207 §4.2). A server that does not know EHLO is talked to by HELO; it
/// then offers neither TLS nor a log-in.
///
/// A relay that takes mail without a log-in is opened at its own port:
///
/// ```
/// use mail_session::{open::Security, smtp};
/// let opening = smtp::Opening::new("mx.example.org", Security::InsecurePlain).port(25).hello("client.example.org");
/// assert!(opening.is_ok());
/// ```
///
/// The name that EHLO says is `[127.0.0.1]` unless [`Opening::hello`] gives another: submission servers do not mind.
#[derive(Debug)]
pub struct Opening {
    base: Base,
    config: Config,
    name: String,
    state: State,
}

/// What is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    /// The reply to EHLO, or to the HELO behind it.
    Hello(Ticket),
    /// The go-ahead for TLS, or its refusal.
    Tls(Ticket),
    /// The end of AUTH, and challenges before it.
    Auth(Ticket),
    Done,
}

impl Opening {
    /// To the server of this name.
    #[must_use]
    pub fn new(host: &str, security: Security) -> Self {
        let (tls, mut plaintext_auth) = security.policy();
        if matches!(security, Security::InsecureIfOffered(_)) {
            // The machine would hold back SCRAM as well; which mechanism goes without TLS is chosen here.
            plaintext_auth = Allow::Allow;
        }
        let mut config = Config::default();
        (config.policy.tls, config.policy.plaintext_auth) = (tls, plaintext_auth);
        let base = Base::new(host, security, (465, 587));
        Self { base, config, name: "[127.0.0.1]".into(), state: State::Greeting }
    }

    crate::open::builder!();

    /// The name of this host for EHLO: a domain or an address literal.
    ///
    /// # Errors
    /// [`Invalid`] for what is neither.
    pub fn hello(mut self, name: &str) -> Result<Self, Invalid> {
        self.name = EhloName::new(name.as_bytes())?.as_str().into();
        Ok(self)
    }

    crate::open::config!();

    /// Says EHLO, or LHLO where the configuration is that of LMTP (RFC 2033 §4.1).
    fn say_hello(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        let name = EhloName::new(self.name.as_bytes()).map_err(invalid)?;
        let command = if self.config.lmtp { Command::Lhlo(name) } else { Command::Ehlo(name) };
        self.state = State::Hello(turn.machine.send(&command, turn.output)?);
        Ok(Progress::More)
    }

    /// EHLO is answered: TLS, the log-in, or nothing more. What is offered before TLS decides about the upgrade alone, where one is due.
    fn go_on(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        let secure = turn.machine.is_secure();
        if self.base.upgrade(secure, turn.machine.offers(Extension::StartTls))? {
            self.state = State::Tls(turn.machine.send(&Command::StartTls, turn.output)?);
            return Ok(Progress::More);
        }
        let hello = turn.machine.hello();
        let offered = hello.iter().flat_map(|hello| hello.mechanisms()).map(|name| name.as_bytes());
        match self.base.choose(offered, secure, true)? {
            None => Ok(self.done()),
            Some((name, initial)) => {
                let mechanism = Mechanism::new(name.as_bytes()).map_err(invalid)?;
                let initial = initial.as_ref().map(|secret| secret.expose().as_slice());
                self.state = State::Auth(turn.machine.auth(mechanism, initial, turn.output)?);
                Ok(Progress::More)
            }
        }
    }

    /// Events behind this belong to the caller.
    fn done(&mut self) -> Progress<(), TlsGrant> {
        self.state = State::Done;
        Progress::Done(())
    }
}

/// The first line tells; the others are for people (RFC 5321 §4.2.1).
fn refusal(reply: &Reply<'_>) -> Refusal {
    Refusal::new(Some(reply.code().get()), reply.lines().next().unwrap_or_default())
}

impl Flow<Client> for Opening {
    type Output = ();
    type Upgrade = TlsGrant;

    fn begin(&mut self, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        // Nothing of ours stands before the greeting (RFC 5321 §4.3.1).
        // The first time the greeting is awaited; under a fresh TLS the client speaks first (RFC 3207 §4.2).
        match self.state {
            State::Greeting => Ok(Progress::More),
            _ => self.say_hello(turn),
        }
    }

    /// A reply counts for the command of its ticket alone.
    fn on(&mut self, event: Event<'_>, turn: Turn<'_, Client>) -> Result<Progress<(), TlsGrant>, Failure> {
        match (event, self.state) {
            (Event::Greeting(reply), State::Greeting) if reply.code().get() == 220 => self.say_hello(turn),
            (Event::Greeting(reply) | Event::Closing(reply), _) => Err(Failure::Refused(refusal(&reply))),
            (Event::EhloRefused(..), _) => Ok(Progress::More),
            (Event::Reply(ticket, reply), State::Hello(mine)) if ticket == mine => {
                if reply.code().is_positive() {
                    self.go_on(turn)
                } else {
                    Err(Failure::Refused(refusal(&reply)))
                }
            }
            (Event::Reply(ticket, reply), State::Tls(mine)) if ticket == mine => {
                Err(Failure::Refused(refusal(&reply)))
            }
            (Event::StartTls(grant), State::Tls(_)) => Ok(Progress::StartTls(grant)),
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
            (Event::BadChallenge(_), State::Auth(_)) => Ok(Progress::More),
            (Event::Reply(ticket, reply), State::Auth(mine)) if ticket == mine => {
                if !reply.code().is_positive() {
                    return Err(Failure::LogIn(refusal(&reply)));
                }
                self.base.verify()?;
                Ok(self.done())
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
