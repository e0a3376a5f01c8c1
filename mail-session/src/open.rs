//! Opening a client session: connect, make TLS, log in. One builder for each protocol
//! ([`smtp::Opening`](crate::smtp::Opening), [`imap::Opening`](crate::imap::Opening), [`pop3::Opening`](crate::pop3::Opening)), each a
//! [`Flow`] that any driver runs.

use crate::flow::{Failure, Flow};
use crate::sasl::Crypto;
use crate::sasl::client::{Credentials, Exchange, Mechanism};
use crate::tap::Tap;
use crate::tls::{ClientTls, Tls};
use mail_wire::{Allow, Machine, Misuse, SecretBuf, policy};
use std::fmt;

/// How a connection is protected. Where nothing is named insecure, no credentials and no mail go out before TLS.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Security {
    /// TLS from the first octet (RFC 8314 §3).
    Implicit(ClientTls),
    /// An upgrade by STARTTLS or STLS, without which nothing goes on.
    StartTls(ClientTls),
    /// An upgrade if the server offers one. **Insecure**: whoever sits on the line can take the offer away. Passwords still go
    /// under TLS alone.
    InsecureIfOffered(ClientTls),
    /// No TLS at all, and passwords in clear. **Insecure**: for tests, and for links that are protected in another way.
    InsecurePlain,
}

impl Security {
    pub(crate) fn policy(&self) -> (policy::Tls, Allow) {
        match self {
            Self::Implicit(_) | Self::StartTls(_) => (policy::Tls::Required, Allow::Refuse),
            Self::InsecureIfOffered(_) => (policy::Tls::Opportunistic, Allow::Refuse),
            Self::InsecurePlain => (policy::Tls::Off, Allow::Allow),
        }
    }
}

/// A flow that opens a session: what a driver needs to know before there is one.
pub trait Opening: Flow<Self::Machine, Output = (), Upgrade = <Self::Machine as Machine>::Upgrade> {
    /// The machine of the session.
    type Machine: Machine;

    /// A fresh machine, with policies by the [`Security`].
    fn machine(&self) -> Self::Machine;
    /// The host and the port.
    fn address(&self) -> (&str, u16);
    /// What TLS is made with where it comes first.
    ///
    /// # Errors
    /// [`Failure::Tls`].
    fn implicit_tls(&self) -> Result<Option<Tls>, Failure>;

    /// Gives away the tap that is to look at the session from its first octet, if there is one.
    fn take_tap(&mut self) -> Option<Box<dyn Tap>> {
        None
    }

    /// The mechanism that the log-in was done by. `None` before it, and where it was done without SASL.
    fn mechanism(&self) -> Option<Mechanism> {
        None
    }
}

/// What the openings of all protocols hold.
pub(crate) struct Base {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    log_in: Option<(Credentials, &'static dyn Crypto)>,
    /// Nothing that comes behind it in [`Mechanism::ALL`] is taken.
    least: Option<Mechanism>,
    exchange: Option<Exchange>,
    /// The initial response, where the server is to ask for it by an empty challenge.
    held: Option<SecretBuf>,
    tap: Option<Box<dyn Tap>>,
    /// The mechanism of a log-in that is done.
    used: Option<Mechanism>,
}

impl Base {
    /// `ports`: of implicit TLS, and of the rest.
    pub(crate) fn new(host: &str, security: Security, ports: (u16, u16)) -> Self {
        let port = if matches!(security, Security::Implicit(_)) { ports.0 } else { ports.1 };
        Self {
            host: host.into(),
            port,
            security,
            log_in: None,
            least: None,
            exchange: None,
            held: None,
            tap: None,
            used: None,
        }
    }

    pub(crate) fn log_in(&mut self, credentials: Credentials, crypto: &'static dyn Crypto) {
        self.log_in = Some((credentials, crypto));
    }

    pub(crate) fn tap(&mut self, tap: Box<dyn Tap>) {
        self.tap = Some(tap);
    }

    pub(crate) fn take_tap(&mut self) -> Option<Box<dyn Tap>> {
        self.tap.take()
    }

    pub(crate) fn mechanism(&self) -> Option<Mechanism> {
        self.used
    }

    pub(crate) fn at_least(&mut self, mechanism: Mechanism) {
        self.least = Some(mechanism);
    }

    /// Whether the mechanism of this name is good enough.
    fn allows(&self, name: &[u8]) -> bool {
        let Some(least) = self.least else { return true };
        let good = Mechanism::ALL.iter().position(|mechanism| *mechanism == least).unwrap_or_default();
        Mechanism::ALL
            .iter()
            .take(good.saturating_add(1))
            .any(|m| name.eq_ignore_ascii_case(m.name().as_bytes()))
    }

    pub(crate) fn tls(&self) -> Result<Tls, Failure> {
        match &self.security {
            Security::StartTls(tls) | Security::InsecureIfOffered(tls) => Ok(tls.to(&self.host)?),
            _ => Err(Failure::NoTls),
        }
    }

    pub(crate) fn implicit_tls(&self) -> Result<Option<Tls>, Failure> {
        match &self.security {
            Security::Implicit(tls) => Ok(Some(tls.to(&self.host)?)),
            _ => Ok(None),
        }
    }

    /// Whether the upgrade is to be asked for now.
    pub(crate) fn upgrade(&self, secure: bool, offered: bool) -> Result<bool, Failure> {
        match self.security {
            _ if secure => Ok(false),
            Security::StartTls(_) if !offered => Err(Failure::NoTls),
            Security::StartTls(_) => Ok(true),
            Security::InsecureIfOffered(_) => Ok(offered),
            _ => Ok(false),
        }
    }

    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.log_in.as_ref().map(|(credentials, _)| credentials)
    }

    /// Whether a password may go over the link as it is.
    pub(crate) fn may_expose(&self, secure: bool) -> bool {
        secure || matches!(self.security, Security::InsecurePlain)
    }

    /// Begins the log-in by the best mechanism: its name and the initial response, which is held back unless it may go `inline`. `None`:
    /// nobody is to log in.
    pub(crate) fn choose<'o>(
        &mut self,
        offered: impl IntoIterator<Item = &'o [u8]>,
        secure: bool,
        inline: bool,
    ) -> Result<Option<(&'static str, Option<SecretBuf>)>, Failure> {
        let Some((credentials, crypto)) = &self.log_in else { return Ok(None) };
        let offered = offered.into_iter().filter(|name| self.allows(name));
        let exchange = Exchange::choose(offered, credentials, self.may_expose(secure), *crypto);
        let none = if self.least.is_some() { Failure::Downgrade } else { Failure::NoMechanism };
        let mut exchange = exchange.ok_or(none)?;
        let initial = exchange.initial()?;
        let name = exchange.mechanism().name();
        self.exchange = Some(exchange);
        if inline {
            return Ok(Some((name, initial)));
        }
        self.held = initial;
        Ok(Some((name, None)))
    }

    /// The answer to a challenge. An error means: cancel.
    pub(crate) fn answer(&mut self, challenge: &[u8]) -> Result<SecretBuf, Failure> {
        if let Some(held) = self.held.take() {
            return if challenge.is_empty() { Ok(held) } else { Err(Failure::Unexpected) };
        }
        let exchange = self.exchange.as_mut().ok_or(Failure::Unexpected)?;
        Ok(exchange.step(challenge)?)
    }

    /// The server says that we are logged in: whether to believe it.
    pub(crate) fn verify(&mut self) -> Result<(), Failure> {
        if let Some(exchange) = self.exchange.take() {
            let mechanism = exchange.mechanism();
            exchange.verify(None)?;
            self.used = Some(mechanism);
        }
        Ok(())
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("credentials", &self.credentials())
            .finish_non_exhaustive()
    }
}

/// Writes what the builders of all protocols have.
macro_rules! builder {
    () => {
        /// Another port than the protocol's own.
        #[must_use]
        pub fn port(mut self, port: u16) -> Self {
            self.base.port = port;
            self
        }

        /// Logs in, by the best mechanism that the server offers and that the link allows.
        #[cfg(feature = "ring")]
        #[must_use]
        pub fn log_in(self, credentials: crate::sasl::client::Credentials) -> Self {
            self.log_in_with(credentials, crate::sasl::crypto())
        }

        /// The same with a cryptography of the caller's, for SCRAM.
        #[must_use]
        pub fn log_in_with(
            mut self,
            credentials: crate::sasl::client::Credentials,
            crypto: &'static dyn crate::sasl::Crypto,
        ) -> Self {
            self.base.log_in(credentials, crypto);
            self
        }

        /// Lets `tap` look at the octets of the session from the first one on: the greeting, the handshake, the log-in. Of secrets it is
        /// told the length.
        #[must_use]
        pub fn tap(mut self, tap: impl crate::tap::Tap + 'static) -> Self {
            self.base.tap(Box::new(tap));
            self
        }

        /// Takes no mechanism that stands behind this one in
        /// [`Mechanism::ALL`](crate::sasl::client::Mechanism::ALL), and no log-in without SASL: what a server has offered once is
        /// not given up because the offer is gone. The failure is [`Failure::Downgrade`](crate::flow::Failure::Downgrade).
        #[must_use]
        pub fn at_least(mut self, mechanism: crate::sasl::client::Mechanism) -> Self {
            self.base.at_least(mechanism);
            self
        }
    };
}

/// Writes the builder for what the machine's own `Config` holds.
macro_rules! config {
    () => {
        /// Limits and policies. Those on TLS and passwords stay as the [`Security`] has them.
        #[must_use]
        pub fn config(mut self, config: Config) -> Self {
            let (tls, auth) = (self.config.policy.tls, self.config.policy.plaintext_auth);
            self.config = config;
            (self.config.policy.tls, self.config.policy.plaintext_auth) = (tls, auth);
            self
        }
    };
}

/// Writes what an [`Opening`] tells out of its [`Base`].
macro_rules! told_by_base {
    () => {
        fn address(&self) -> (&str, u16) {
            (&self.base.host, self.base.port)
        }

        fn implicit_tls(&self) -> Result<Option<crate::tls::Tls>, Failure> {
            self.base.implicit_tls()
        }

        fn take_tap(&mut self) -> Option<Box<dyn crate::tap::Tap>> {
            self.base.take_tap()
        }

        fn mechanism(&self) -> Option<crate::sasl::client::Mechanism> {
            self.base.mechanism()
        }
    };
}

pub(crate) use {builder, config, told_by_base};

/// A value that cannot stand on the wire.
pub(crate) fn invalid<E>(_: E) -> Failure {
    Failure::Misuse(Misuse::Invalid("a name or a password that cannot stand on the wire"))
}
