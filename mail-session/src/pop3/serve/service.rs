//! The settings that all connections share.

use super::language;
use crate::sasl::Crypto;
use crate::sasl::server::Exchange;
use crate::tls::ServerTls;
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{Config, Language, Offer, Server};
use mail_pop3_proto::types::{Mechanism, ReplyText};
use mail_wire::{Allow, SecretBuf};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How connections are served. Cheap to clone.
///
/// What is offered is what can be kept: STLS where there is a certificate, SCRAM-SHA-256 where there is a key for decoys, the mechanisms
/// of SASL where there is cryptography for them; with LANG English alone, as all is said in it. Of the capabilities of the [`Config`] all
/// others are told as they are.
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
    pub(super) grace: Duration,
    /// Greetings have a stamp.
    #[cfg(feature = "legacy-md5")]
    apop: bool,
}

impl Service {
    /// Limits, policies and capabilities. Where its offer has a SASL line, that bounds the mechanisms.
    ///
    /// Its stamp is not used: one that greets more than one client proves nothing (RFC 1939 §7), so that each connection would need its own.
    /// With the feature `legacy-md5`, `insecure_apop` makes them.
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
            grace: Duration::from_secs(30),
            #[cfg(feature = "legacy-md5")]
            apop: false,
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

    /// How long a command in flight may go on when the server is to stop, whether or not the client reads: 30 seconds by default.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Offers APOP (RFC 1939 §7): each greeting has a stamp of 128 random bits. **Insecure**: MD5 is broken for this use (RFC 6151 §2), and the
    /// host must know the password in clear. It is refused behind STLS, where the stamp would be one from before TLS, and where there is no
    /// cryptography to draw stamps from.
    #[cfg(feature = "legacy-md5")]
    #[must_use]
    pub fn insecure_apop(mut self) -> Self {
        self.apop = true;
        self
    }

    /// A machine for a fresh connection.
    #[must_use]
    pub fn machine(&self) -> Server {
        #[allow(unused_mut)]
        let mut config = Config { offer: Arc::clone(&self.offer), ..self.config.clone() };
        #[cfg(feature = "legacy-md5")]
        if self.apop {
            config.policy.apop = Allow::Allow;
            config.stamp = self.crypto.and_then(super::apop::stamp);
        }
        Server::new(config)
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
        self.offer = Arc::new(Offer { capabilities, languages: language::kept(&given.languages) });
        self
    }

    pub(super) fn languages(&self) -> &[Language] {
        &self.offer.languages
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
