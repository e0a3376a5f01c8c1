//! The server machine: commands in, responses out.
//!
//! ```text
//! Greeting         --OK--> NotAuthenticated   --PREAUTH--> Authenticated   --BYE--> Logout
//! NotAuthenticated --LOGIN or AUTHENTICATE, OK--> Authenticated
//!                  --STARTTLS--> the hand-over --> NotAuthenticated
//! Authenticated    --SELECT or EXAMINE, OK--> Selected
//! Selected         --SELECT or EXAMINE, OK--> Selected   --NO--> Authenticated   --BAD--> Selected
//!                  --CLOSE or UNSELECT, OK--> Authenticated
//! Authenticated, Selected --UNAUTHENTICATE, OK--> NotAuthenticated
//! any              --LOGOUT, answered--> Logout
//! ```
//!
//! One command is in flight: what a client sends ahead waits. Each command is an [`Event`] with a token that its answer is
//! given for. The state check precedes the grammar, and both precede the application. Before the answer, and during IDLE,
//! [`Server::untagged`] tells what is new.
//!
//! Every literal but the message of an APPEND stays in its command: the machine lets it through, or refuses it and goes on behind it. The
//! message is streamed whatever its size.
//!
//! # What does not compile
//!
//! A command is answered once:
//!
//! ```compile_fail,E0382
//! # use mail_imap_proto::{server::{Answer, Server}, types::Status};
//! # use mail_wire::Output;
//! fn twice(server: &mut Server, answer: Answer, status: &Status<'_>, output: &mut Output) {
//!     let _ = server.answer(answer, status, output);
//!     let _ = server.answer(answer, status, output);
//! }
//! ```
//! ```
//! # use mail_imap_proto::{server::{Answer, Server}, types::Status};
//! # use mail_wire::Output;
//! fn once(server: &mut Server, answer: Answer, status: &Status<'_>, output: &mut Output) {
//!     let _ = server.answer(answer, status, output);
//!     let _ = status;
//! }
//! ```
//!
//! Octets of a message are sent with the grant that announced them, and with no other token:
//!
//! ```compile_fail,E0308
//! # use mail_imap_proto::server::{Answer, BodyGrant, Server};
//! # use mail_wire::Output;
//! # use bytes::Bytes;
//! fn ungranted(server: &mut Server, mut answer: Answer, _grant: BodyGrant, piece: &mut Bytes, output: &mut Output) {
//!     let _ = server.body(&mut answer, piece, output);
//! }
//! ```
//! ```
//! # use mail_imap_proto::server::{Answer, BodyGrant, Server};
//! # use mail_wire::Output;
//! # use bytes::Bytes;
//! fn granted(server: &mut Server, _answer: Answer, mut grant: BodyGrant, piece: &mut Bytes, output: &mut Output) {
//!     let _ = server.body(&mut grant, piece, output);
//! }
//! ```
//!
//! The input is not refilled while an event borrows from it:
//!
//! ```compile_fail,E0499
//! # use mail_imap_proto::server::Server;
//! # use mail_wire::{Input, Machine, Unit};
//! fn refilled(server: &mut Server, unit: Unit, input: &mut Input) {
//!     let event = server.decode(unit, input);
//!     input.feed(b"more");
//!     drop(event);
//! }
//! ```
//! ```
//! # use mail_imap_proto::server::Server;
//! # use mail_wire::{Input, Machine, Unit};
//! fn refilled(server: &mut Server, unit: Unit, input: &mut Input) {
//!     let event = server.decode(unit, input);
//!     drop(event);
//!     input.feed(b"more");
//! }
//! ```
//!
//! Neither the machine nor its input outlives the hand-over:
//!
//! ```compile_fail,E0382
//! # use mail_imap_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn kept(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let handover = server.start_tls(offer, input, output);
//!     let _ = server.phase();
//!     drop(handover);
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_imap_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn kept(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let handover = server.start_tls(offer, input, output);
//!     let _ = input.len();
//!     drop(handover);
//! }
//! ```
//! ```
//! # use mail_imap_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn kept(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let _ = (server.phase(), input.len());
//!     let handover = server.start_tls(offer, input, output);
//!     drop(handover);
//! }
//! ```
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod answer;
mod append;
mod body_writer;
mod config;
mod enable;
mod envelope_writer;
mod event;
mod fetch_writer;
mod literal;
mod machine;
mod offered;
mod read;
mod reply;
mod section_scan;
mod table;
mod write;

pub use body_writer::{BodyNode, BodyShape, BodyTree, Disposition};
pub use config::{Config, Offer};
pub use envelope_writer::{AddressFields, EnvelopeFields};
pub use event::{Answer, AuthTurn, BodyGrant, BodyOffer, Event, IdleTurn, Refusal, TlsOffer, Turn};
pub use fetch_writer::FetchWriter;
pub use table::Phase;
pub use write::{NamespaceEntry, SearchResult, Writer};

use crate::error::Violation;
use crate::frame::Lines;
use crate::limits::Limits;
use crate::policy::{Allow, Policy, Repair, Tls};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use enable::Enabled;
use machine::{Mode, What};
use mail_wire::dot::BareScan;
use mail_wire::{Budget, Mask, Repairs, Source};
use reply::Due;

/// The server machine. It answers CAPABILITY by itself, and everything that it refuses.
pub struct Server {
    limits: Limits,
    policy: Policy,
    offer: Arc<Offer>,
    source: Source,
    /// Of [`BodyGrant`]: apart, so that the answer stays owed beside it.
    grants: Source,
    phase: Phase,
    owed: Owed,
    mode: Mode,
    lines: Lines,
    what: What,
    /// The tag of the command in flight, empty if it has none.
    tag: Vec<u8>,
    due: Option<Due>,
    masks: Vec<Mask>,
    scan: BareScan,
    /// A FETCH response whose literal is being sent.
    open: Option<Open>,
    bad: Budget,
    discard: Budget,
    enabled: Enabled,
    secure: bool,
    bye: bool,
    eof: bool,
    shutdown: bool,
    ending: Option<Violation>,
    fatal: Option<Violation>,
}

/// What the application owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Nothing,
    Greeting,
    Answer(Kind),
    /// The answer to a message that is offered; whether the client waits before it sends.
    Body {
        sync: bool,
        octets: u64,
    },
    Auth,
    Upgrade,
}

/// What the answer to a command changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Idle,
    Malformed,
    Login,
    Select,
    Leave,
    Enable(Enabled),
    Logout,
    /// UNAUTHENTICATE (RFC 8437).
    Unauthenticate,
    /// FETCH, STORE or SEARCH by numbers: none may change meanwhile.
    Numbers,
}

/// A literal in a FETCH response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    left: u64,
    /// The octets are looked at by the policy for bodies.
    scan: Option<section_scan::SectionScan>,
    /// More attributes may follow: the application closes the response.
    more: bool,
}

impl Server {
    /// A machine on a fresh connection. Its first event is [`Event::Connected`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            source: Source::new(),
            grants: Source::new(),
            phase: Phase::Greeting,
            owed: Owed::Nothing,
            mode: Mode::Line,
            lines: Lines::new(),
            what: What::Nothing,
            tag: Vec::new(),
            due: None,
            masks: Vec::new(),
            scan: BareScan::new(),
            open: None,
            bad: Budget::new(config.limits.bad_commands.into()),
            discard: Budget::new(config.limits.discard),
            enabled: Enabled::default(),
            secure: false,
            bye: false,
            eof: false,
            shutdown: false,
            ending: None,
            fatal: None,
            limits: config.limits,
            policy: config.policy,
            offer: config.offer,
        }
    }

    /// The state of the session.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether TLS stands.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the client has enabled UTF-8, or IMAP4rev2 alone is offered: names are then UTF-8 in both directions (RFC 9755 §3,
    /// RFC 9051 §5.1).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.enabled.is_utf8() || self.offer.capabilities().are_utf8()
    }

    /// Whether the client has enabled an extension, such as `CONDSTORE`.
    #[must_use]
    pub fn is_enabled(&self, name: &str) -> bool {
        self.enabled.has(name)
    }

    /// The repairs that are on, and how often each was used.
    #[must_use]
    pub fn repairs(&self) -> &Repairs<Repair> {
        &self.policy.grammar.repairs
    }

    /// Whether a log-in that shows the password must wait for TLS.
    fn hides_passwords(&self) -> bool {
        !self.secure && (self.policy.plaintext_auth == Allow::Refuse || self.policy.tls == Tls::Required)
    }

    fn is_over(&self) -> bool {
        self.phase == Phase::Logout || self.fatal.is_some() || self.ending.is_some()
    }

    /// Whether the client has logged in.
    fn is_known(&self) -> bool {
        !matches!(self.phase, Phase::Greeting | Phase::NotAuthenticated)
    }

    fn limit(&self) -> usize {
        if self.is_known() { self.limits.command_line } else { self.limits.command_line_before_auth }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("phase", &self.phase).field("owed", &self.owed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
