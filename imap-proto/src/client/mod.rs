//! The client machine: commands out, responses in.
//!
//! ```text
//!  Greeting --* OK--> NotAuthenticated --LOGIN, AUTHENTICATE: OK--> Authenticated <--SELECT, EXAMINE--> Selected
//!     |                  |        ^                                      ^   (NO, `[CLOSED]`, CLOSE, UNSELECT: back)
//!     |                  +STARTTLS+ (nothing from before is known)       |
//!     +--* PREAUTH------------------------------------------------------+
//!     |                  +<--UNAUTHENTICATE: OK-- Authenticated, Selected (nothing from before is enabled)
//!     +--* BYE--> Logout <--* BYE, LOGOUT-- any state        Logout --completion of LOGOUT, or the end of the octets--> closed
//! ```
//!
//! A `+` of the server means what the command in flight made it mean, and nothing else can be sent before it is settled:
//!
//! ```text
//!  Free --literal that waits----> Held -----+--> the rest of the command goes out --> Held | Free | Append | Sasl
//!  Free --APPEND----------------> Append ---+--> BodyWanted: Streaming --all given--> Free
//!  Free --APPEND, LITERAL+------------------------> BodyWanted: Streaming
//!  Free --IDLE------------------> Idle -----+--> Idling: done() --> Free
//!  Free --AUTHENTICATE----------> Sasl -----+--> Challenge: respond(), cancel() --> Sasl
//!  Free --STARTTLS--------------> Tls --OK--> StartTls: start_tls()
//!  any but Streaming --completion of the command--> Free, and what was held is forgotten
//! ```
//!
//! # What does not compile
//!
//! A challenge is answered once:
//!
//! ```
//! # use mail_imap_proto::client::{AuthTurn, Client};
//! # use mail_wire::Output;
//! fn answer(client: &mut Client, turn: AuthTurn, output: &mut Output) {
//!     let _ = client.respond(turn, b"token", output);
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_imap_proto::client::{AuthTurn, Client};
//! # use mail_wire::Output;
//! fn answer(client: &mut Client, turn: AuthTurn, output: &mut Output) {
//!     let _ = client.respond(turn, b"token", output);
//!     let _ = client.cancel(turn, output);
//! }
//! ```
//!
//! A message goes out when it is granted:
//!
//! ```
//! # use mail_imap_proto::client::{BodyGrant, Client};
//! # use mail_wire::Output;
//! fn give(client: &mut Client, mut grant: BodyGrant, mut piece: bytes::Bytes, output: &mut Output) {
//!     let _ = client.body(&mut grant, &mut piece, output);
//! }
//! ```
//! ```compile_fail,E0061
//! # use mail_imap_proto::client::{BodyGrant, Client};
//! # use mail_wire::Output;
//! fn give(client: &mut Client, mut piece: bytes::Bytes, output: &mut Output) {
//!     let _ = client.body(&mut piece, output);
//! }
//! ```
//!
//! Nothing is read while an event is held; to send is fine:
//!
//! ```
//! # use mail_imap_proto::{Command, client::{Client, Event}};
//! # use mail_wire::{Input, Machine, Output, Unit};
//! fn turn(client: &mut Client, unit: Unit, input: &mut Input, output: &mut Output) {
//!     let event = client.decode(unit, input);
//!     let _ = client.send(&Command::Noop, output);
//!     drop(event);
//!     input.feed(b"more");
//! }
//! ```
//! ```compile_fail,E0499
//! # use mail_imap_proto::{Command, client::{Client, Event}};
//! # use mail_wire::{Input, Machine, Output, Unit};
//! fn turn(client: &mut Client, unit: Unit, input: &mut Input, output: &mut Output) {
//!     let event = client.decode(unit, input);
//!     let _ = client.send(&Command::Noop, output);
//!     input.feed(b"more");
//!     drop(event);
//! }
//! ```
//!
//! Behind the hand-over to TLS there is neither the machine nor the input from before it:
//!
//! ```
//! # use mail_imap_proto::client::{Client, TlsGrant};
//! # use mail_wire::{Input, Machine, Output};
//! fn upgrade(client: Client, grant: TlsGrant, input: Input, output: &mut Output) {
//!     let handover = client.start_tls(grant, input, output);
//!     let input = Input::new();
//!     drop((handover, input.len()));
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_imap_proto::client::{Client, TlsGrant};
//! # use mail_wire::{Input, Machine, Output};
//! fn upgrade(client: Client, grant: TlsGrant, input: Input, output: &mut Output) {
//!     let handover = client.start_tls(grant, input, output);
//!     drop((handover, input.len()));
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_imap_proto::client::{Client, TlsGrant};
//! # use mail_wire::{Input, Machine, Output};
//! fn upgrade(client: Client, grant: TlsGrant, input: Input, output: &mut Output) {
//!     let handover = client.start_tls(grant, input, output);
//!     drop((handover, client.state()));
//! }
//! ```

mod config;
mod event;
mod flight;
mod machine;
mod read;
mod send;

pub use config::{Config, Tags};
pub use event::{AuthTurn, BodyGrant, Event, IdleGrant, Ticket, TlsGrant};

use crate::error::Violation;
use crate::frame::Lines;
use crate::limits::Limits;
use crate::policy::{Policy, Repair};
use crate::types::Capabilities;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use flight::{Flight, Held, Wait};
use machine::{Kind, Reading};
use mail_wire::{Mask, Repairs, Source};

/// Octets of a capability list that are kept; what stands behind them is passed on and not remembered.
const CAPABILITIES_KEPT: usize = 4096;

/// Where the session stands (RFC 9051 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The greeting has not come.
    Greeting,
    /// Nobody is logged in.
    NotAuthenticated,
    /// Somebody is, and no mailbox is selected.
    Authenticated,
    /// A mailbox is selected.
    Selected,
    /// The server has said BYE, or LOGOUT is complete.
    Logout,
}

/// The client machine. It sends nothing by itself but what an exchange needs: no CAPABILITY, no LOGOUT.
pub struct Client {
    limits: Limits,
    policy: Policy,
    tags: Tags,
    next_tag: Option<Box<[u8]>>,
    /// Of tokens and tickets.
    source: Source,
    state: State,
    secure: bool,
    flight: VecDeque<Flight>,
    wait: Wait,
    held: Held,
    lines: Lines,
    reading: Reading,
    /// The FETCH whose pieces are read has no place here: its literals are passed over.
    stray: bool,
    /// What the unit framed last is.
    kind: Kind,
    masks: Vec<Mask>,
    capabilities: Option<Box<[u8]>>,
    /// Capabilities came while a log-in was in flight.
    fresh: bool,
    /// What is in the ENABLED response of a command that is not complete.
    enabling: Strings,
    /// What is enabled.
    strings: Strings,
    unsolicited: u32,
    logout_sent: bool,
    /// A SELECT or EXAMINE was sent.
    has_selected: bool,
    eof: bool,
    closed: bool,
    fatal: Option<Violation>,
}

/// What ENABLE changes about strings.
#[derive(Clone, Copy, Debug, Default)]
struct Strings {
    /// A quoted one may hold UTF-8.
    utf8: bool,
    /// UTF8=ACCEPT is on: all of them are UTF-8, a SEARCH names no charset, and a message may be told to be UTF-8 (RFC 6855 §3, §4).
    unlabelled: bool,
}

impl Strings {
    fn add(&mut self, other: Self) {
        self.utf8 |= other.utf8;
        self.unlabelled |= other.unlabelled;
    }
}

impl Client {
    /// A machine on a fresh connection, which waits for the greeting.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            limits: config.limits,
            policy: config.policy,
            tags: config.tags,
            next_tag: None,
            source: Source::new(),
            state: State::Greeting,
            secure: false,
            flight: VecDeque::new(),
            wait: Wait::Free,
            held: Held::default(),
            lines: Lines::new(),
            reading: Reading::Unit,
            stray: false,
            kind: Kind::Nothing,
            masks: Vec::new(),
            capabilities: None,
            fresh: false,
            enabling: Strings::default(),
            strings: Strings::default(),
            unsolicited: 0,
            logout_sent: false,
            has_selected: false,
            eof: false,
            closed: false,
            fatal: None,
        }
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What the server has said it can do, at most 4 KiB of it. `None`: not known, so that nothing may be taken for granted. Forgotten
    /// when TLS begins, and after a log-in that did not tell it anew (RFC 9051 §6.2.1, §6.2.3).
    #[must_use]
    pub fn capabilities(&self) -> Option<Capabilities<'_>> {
        self.capabilities.as_deref().map(Capabilities::wire)
    }

    /// Whether TLS stands.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether UTF-8 is on: ENABLE of UTF8=ACCEPT or IMAP4rev2 is complete (RFC 9755 §3, RFC 9051 §6.3.1), or the server speaks
    /// IMAP4rev2 alone.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.strings.utf8 || self.capabilities().is_some_and(Capabilities::are_utf8)
    }

    /// How many commands await their completion.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flight.len()
    }

    /// Octets that the message of an APPEND is still short of; `None` while none is being sent.
    #[must_use]
    pub fn body_left(&self) -> Option<u64> {
        match &self.wait {
            Wait::Streaming(_, message) => Some(message.left),
            _ => None,
        }
    }

    /// The repairs that are on, and how often each was used.
    #[must_use]
    pub fn repairs(&self) -> &Repairs<Repair> {
        &self.policy.grammar.repairs
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities().is_some_and(|known| known.has(capability))
    }

    /// Takes what the server says it can do.
    fn learn(&mut self, list: Capabilities<'_>) {
        let octets = list.octets();
        let kept = match octets.get(..CAPABILITIES_KEPT) {
            Some(start) => start.get(..memchr::memrchr(b' ', start).unwrap_or(0)).unwrap_or(&[]),
            None => octets,
        };
        self.capabilities = Some(kept.into());
        self.fresh = true;
    }

    fn is_over(&self) -> bool {
        self.closed || self.fatal.is_some() || self.state == State::Logout
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("state", &self.state)
            .field("secure", &self.secure)
            .field("in_flight", &self.flight.len())
            .field("fatal", &self.fatal)
            .finish_non_exhaustive()
    }
}
