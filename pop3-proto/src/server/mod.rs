//! The server machine: commands in, replies out.

mod answer;
mod body;
mod config;
mod event;
mod line;
mod machine;
mod maildrop;
mod settle;
mod table;

pub use config::{Config, Language, Offer, Stamp};
pub use event::{Abort, Answer, AuthTurn, BodyGrant, Deletions, Event, Refusal, Refused, TlsOffer};
pub use maildrop::Maildrop;
pub use table::Phase;

use crate::error::Violation;
use crate::limits::Limits;
use crate::policy::{Policy, Repair, Tls};
use alloc::boxed::Box;
use alloc::sync::Arc;
use answer::Owed;
use body::Body;
use core::fmt;
use machine::{Ending, Framing};
use mail_wire::line::LineFramer;
use mail_wire::{Budget, Mask, Repairs, Source};
use settle::Due;

/// The server machine. It answers by itself what needs no application: STAT, LIST, UIDL, DELE, RSET, NOOP, CAPA, UTF8, a bare
/// AUTH or LANG, QUIT before log-in, and everything that it refuses.
pub struct Server {
    limits: Limits,
    policy: Policy,
    offer: Arc<Offer>,
    /// Whether RESP-CODES is offered.
    codes: bool,
    stamp: Option<Stamp>,
    source: Source,
    owed: Owed,
    phase: Phase,
    framing: Framing,
    framer: LineFramer,
    mask: Option<Mask>,
    due: Due,
    /// Of the last USER, kept once that is answered positively.
    user: Option<Box<[u8]>>,
    user_accepted: bool,
    exchange: bool,
    maildrop: Option<Box<Maildrop>>,
    body: Option<Body>,
    bad: Budget,
    logins: Budget,
    early: Budget,
    discard: Budget,
    discarding: bool,
    greeted: bool,
    secure: bool,
    utf8: bool,
    eof: bool,
    ending: Option<Ending>,
    closed: bool,
    fatal: Option<Violation>,
}

impl Server {
    /// A machine on a fresh connection. Its first event is [`Event::Connected`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            source: Source::new(),
            owed: Owed::Nothing,
            phase: Phase::Authorization,
            framing: Framing::Nothing,
            framer: LineFramer::new(),
            mask: None,
            due: Due::Nothing,
            user: None,
            user_accepted: false,
            exchange: false,
            maildrop: None,
            body: None,
            bad: Budget::new(config.limits.bad_commands.into()),
            logins: Budget::new(config.limits.logins.into()),
            early: Budget::new(config.limits.early_commands.into()),
            discard: Budget::new(config.limits.discard),
            discarding: false,
            greeted: false,
            secure: false,
            utf8: false,
            eof: false,
            ending: None,
            closed: false,
            fatal: None,
            limits: config.limits,
            policy: config.policy,
            codes: config.offer.capabilities.has("RESP-CODES"),
            offer: config.offer,
            stamp: config.stamp,
        }
    }

    /// The state of the session.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The name of the last USER: that which a PASS belongs to (RFC 1939 §7). Forgotten at STLS and after a refused log-in.
    #[must_use]
    pub fn user(&self) -> Option<&[u8]> {
        self.user.as_deref()
    }

    /// Whether TLS stands.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the client has asked for UTF-8 mode: messages may go out as they are (RFC 6856 §2.1).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// The maildrop of a session in TRANSACTION.
    #[must_use]
    pub fn maildrop(&self) -> Option<&Maildrop> {
        self.maildrop.as_deref()
    }

    /// The stamp of the greeting, for the check of an APOP digest.
    #[must_use]
    pub fn stamp(&self) -> Option<&[u8]> {
        self.stamp.as_ref().map(Stamp::octets)
    }

    /// The repairs that are on, and how often each was used.
    #[must_use]
    pub fn repairs(&self) -> &Repairs<Repair> {
        &self.policy.grammar.repairs
    }

    fn is_over(&self) -> bool {
        // After a shutdown the command in flight is answered all the same.
        self.closed || self.fatal.is_some() || self.ending.is_some_and(|ending| ending != Ending::Shutdown)
    }

    /// Whether a log-in must wait for TLS.
    fn needs_tls(&self, plaintext: bool) -> bool {
        let refused = plaintext && !self.policy.plaintext_auth.is_allowed();
        !self.secure && (refused || self.policy.tls == Tls::Required)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("phase", &self.phase).field("owed", &self.owed).finish_non_exhaustive()
    }
}
