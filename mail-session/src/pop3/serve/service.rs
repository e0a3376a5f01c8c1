//! The settings that all connections share.

use crate::sasl::Crypto;
use crate::sasl::server::Exchange;
use crate::tls::ServerTls;
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{Config, Offer, Server};
use mail_pop3_proto::types::{Mechanism, ReplyText};
use mail_wire::{Allow, SecretBuf};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How connections are served. Cheap to clone.
///
/// What is offered is what can be kept: STLS where there is a certificate, SCRAM-SHA-256 where there is a key for decoys, the mechanisms
/// of SASL where there is cryptography for them. Of the capabilities of the [`Config`] all others are told as they are.
#[derive(Clone)]
pub struct Service {
    config: Config,
    /// What is told: computed from that of the configuration.
    offer: Arc<Offer>,
    greeting: Arc<str>,
    pub(super) tls: Option<ServerTls>,
    pub(super) crypto: Option<&'static dyn Crypto>,
    pub(super) decoys: Option<Arc<SecretBuf>>,
    pub(super) delegation: Allow,
    pub(super) delay: Duration,
}

impl Service {
    /// Limits, policies and capabilities. Where its offer has a SASL line, that bounds the mechanisms.
    ///
    /// Its stamp is not used: one that greets more than one client proves nothing, so APOP is refused (RFC 1939 §7).
    #[must_use]
    pub fn new(mut config: Config) -> Self {
        config.stamp = None;
        #[cfg(feature = "ring")]
        let crypto = Some(crate::sasl::crypto());
        #[cfg(not(feature = "ring"))]
        let crypto = None;
        let service = Self {
            offer: Arc::clone(&config.offer),
            config,
            greeting: "ready".into(),
            tls: None,
            crypto,
            decoys: None,
            delegation: Allow::Refuse,
            delay: Duration::ZERO,
        };
        service.offering()
    }

    /// The text of the greeting; "ready" without.
    #[must_use]
    pub fn greeting(mut self, text: ReplyText<'_>) -> Self {
        self.greeting = text.as_str().into();
        self
    }

    /// Offers STLS (RFC 2595 §4), where the capabilities of the configuration have it, as they do by default.
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self.offering()
    }

    /// Another cryptography than that of the feature `ring`. Without either there is no SASL, but USER and PASS alone.
    #[must_use]
    pub fn crypto(mut self, crypto: &'static dyn Crypto) -> Self {
        self.crypto = Some(crypto);
        self.offering()
    }

    /// Offers SCRAM-SHA-256 (RFC 7677), for hosts that give a [`scram_secret`](super::Host::scram_secret).
    ///
    /// `decoys` is a secret of the server, at least 16 random octets that outlive a restart: from it come the salts of users who do not
    /// exist, which must look like those of others and stay the same.
    #[must_use]
    pub fn scram(mut self, decoys: SecretBuf) -> Self {
        self.decoys = Some(Arc::new(decoys));
        self.offering()
    }

    /// Whether a user may log in on another's behalf (RFC 4422 §3.4.1). Refused by default; where it is allowed,
    /// [`Host::log_in`](super::Host::log_in) must look at [`Identity::authorize_as`](crate::sasl::server::Identity::authorize_as).
    #[must_use]
    pub fn delegation(mut self, allow: Allow) -> Self {
        self.delegation = allow;
        self
    }

    /// How long a client waits for the answer to wrong credentials, which slows guessing down (RFC 1939 §13). None by default. Other
    /// refusals are answered at once; [`Limits::logins`](mail_pop3_proto::Limits::logins) bounds how many there are.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// A machine for a fresh connection.
    #[must_use]
    pub fn machine(&self) -> Server {
        Server::new(Config { offer: Arc::clone(&self.offer), ..self.config.clone() })
    }

    pub(super) fn greeting_text(&self) -> ReplyText<'_> {
        ReplyText::try_from(&*self.greeting).unwrap_or_default()
    }

    /// The capabilities that can be kept.
    fn offering(mut self) -> Self {
        let given = &self.config.offer;
        let mut capabilities = Capabilities::new();
        let of_others = |line: &&[u8]| {
            let tag = line.split(|octet| *octet == b' ').next().unwrap_or_default();
            !(tag == b"SASL" || tag == b"STLS" && self.tls.is_none())
        };
        for line in given.capabilities.raw().filter(of_others) {
            // It was one when it was given.
            let _ = capabilities.add(line);
        }
        let bound = given.capabilities.has("SASL");
        let mechanisms = Exchange::MECHANISMS.into_iter().filter(|name| {
            let known = Mechanism::try_from(*name).ok();
            let given = known.is_some_and(|name| !bound || given.capabilities.mechanisms().contains(name));
            given && self.crypto.is_some() && (*name != "SCRAM-SHA-256" || self.decoys.is_some())
        });
        let line = mechanisms.fold("SASL".to_owned(), |line, name| line + " " + name);
        if line != "SASL" {
            // Three names are a capability.
            let _ = capabilities.add(line.as_bytes());
        }
        self.offer = Arc::new(Offer { capabilities, languages: given.languages.clone() });
        self
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("config", &self.config)
            .field("offer", &self.offer)
            .finish_non_exhaustive()
    }
}
