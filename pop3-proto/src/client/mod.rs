//! The client machine: commands out, replies in.

mod config;
mod event;
mod flight;
mod machine;
mod send;

pub use config::Config;
pub use event::{AuthTurn, Event, Ticket, TlsGrant};

use crate::command::Verb;
use crate::error::Violation;
use crate::ext::capa::Capabilities;
use crate::limits::Limits;
use crate::policy::{Policy, Repair};
use crate::types::MsgId;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;
use flight::Flight;
use machine::{Due, Framing, Place};
use mail_wire::dot::DotDecoder;
use mail_wire::line::LineFramer;
use mail_wire::{Mask, Repairs, Source};

/// The client machine. It sends nothing by itself but what an exchange needs: no CAPA, no QUIT.
pub struct Client {
    limits: Limits,
    policy: Policy,
    /// Of the tokens; tickets have their own.
    source: Source,
    tickets: Source,
    place: Place,
    framing: Framing,
    framer: LineFramer,
    flight: VecDeque<Flight>,
    /// Of the answer that is being read.
    lf: bool,
    dot: Option<DotDecoder>,
    octets: u64,
    entries: u32,
    learning: Capabilities,
    mask: Option<Mask>,
    due: Due,
    /// What the next frame fails with.
    after: Option<Violation>,
    capabilities: Capabilities,
    pipelining: bool,
    codes: bool,
    stamp: Option<Box<[u8]>>,
    last_sent: Option<Verb>,
    secure: bool,
    authenticated: bool,
    utf8: bool,
    quit: bool,
    eof: bool,
    surplus: bool,
    closed: bool,
    fatal: Option<Violation>,
}

impl Client {
    /// A machine on a fresh connection, which waits for the greeting.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            limits: config.limits,
            policy: config.policy,
            source: Source::new(),
            tickets: Source::new(),
            place: Place::Greeting,
            framing: Framing::Nothing,
            framer: LineFramer::new(),
            flight: VecDeque::new(),
            lf: false,
            dot: None,
            octets: 0,
            entries: 0,
            learning: Capabilities::new(),
            mask: None,
            due: Due::Nothing,
            after: None,
            capabilities: Capabilities::new(),
            pipelining: false,
            codes: false,
            stamp: None,
            last_sent: None,
            secure: false,
            authenticated: false,
            utf8: false,
            quit: false,
            eof: false,
            surplus: false,
            closed: false,
            fatal: None,
        }
    }

    /// What the last CAPA told; empty until then, and again after STLS (RFC 2449 §5).
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The stamp of the greeting, where there was one that APOP can be safe with (RFC 1939 §7). Gone after STLS.
    #[must_use]
    pub fn stamp(&self) -> Option<MsgId<'_>> {
        self.stamp.as_deref().and_then(|octets| MsgId::try_from(octets).ok())
    }

    /// Whether TLS stands.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a log-in has succeeded: the session is in TRANSACTION.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// How many commands await their answers.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// The repairs that are on, and how often each was used.
    #[must_use]
    pub fn repairs(&self) -> &Repairs<Repair> {
        &self.policy.grammar.repairs
    }

    fn is_over(&self) -> bool {
        self.closed || self.fatal.is_some() || self.after.is_some() || (self.quit && self.flight.is_empty())
    }

    /// Takes what a CAPA has told, or forgets it all.
    fn learn(&mut self, capabilities: Capabilities) {
        self.pipelining = capabilities.has("PIPELINING");
        self.codes = capabilities.has("RESP-CODES");
        self.capabilities = capabilities;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("place", &self.place)
            .field("in_flight", &self.flight.len())
            .finish_non_exhaustive()
    }
}
