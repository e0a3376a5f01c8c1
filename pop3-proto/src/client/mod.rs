//! The client machine: commands out, replies in.
//!
//! ```text
//! greeting --> not logged in ------------> logged in --> closed
//!    |          |      ^     PASS, APOP,       QUIT
//!  refused      v      |     AUTH: +OK
//!    |         STLS: TLS
//!  failed
//!
//! an answer:    status line --> Reply                                  one line, or negative
//!                    |--------> Head --> Items .. -----------> End     LIST, UIDL, CAPA, AUTH, LANG without argument
//!                    |--------> Head --> Chunk .. -----------> End     RETR, TOP
//!                    |--------> Challenge --> respond, cancel --+      AUTH
//!                    +<-----------------------------------------+
//! ```
//!
//! What may be sent, and what a positive answer looks like (RFC 1939 §3 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2 and §3), by
//! a test the truth. `-` is [`Misuse::NotInState`](mail_wire::Misuse). PASS goes behind USER alone, and not behind a
//! refused one; STLS goes neither under TLS nor behind UTF8.
//!
//! ```text
//! command     not logged in   logged in
//! USER u      Reply           -
//! PASS p      Reply           -
//! APOP        Reply           -
//! AUTH PLAIN  Challenge       -
//! AUTH        Head            -
//! CAPA        Head            Head
//! STLS        StartTls        -
//! UTF8        Reply           -
//! LANG en     Reply           Reply
//! LANG        Head            Head
//! QUIT        Reply           Reply
//! STAT        -               Reply
//! LIST        -               Head
//! LIST 1      -               Reply
//! RETR 1      -               Head
//! DELE 1      -               Reply
//! NOOP        -               Reply
//! RSET        -               Reply
//! TOP 1 0     -               Head
//! UIDL        -               Head
//! UIDL 1      -               Reply
//! ```
//!
//! Commands are in flight one at a time until the server has announced PIPELINING (RFC 2449 §6.6), and then as many as
//! [`Limits::window`] says. An answer begins behind all that had arrived when its command was sent. What the server sends that no command has
//! asked for ends the session: by a [`Closing`](Event::Closing) that tells why where it is a negative line.
//!
//! # Example
//!
//! ```
//! use mail_pop3_proto::client::{Client, Config, Event};
//! use mail_pop3_proto::types::{MessageNumber, Password, UserName};
//! use mail_pop3_proto::{Allow, Command};
//! use mail_wire::{Framed, Input, Machine, Output};
//!
//! let mut config = Config::default();
//! config.policy.plaintext_auth = Allow::Allow; // an example without TLS
//! let (mut client, mut input, mut output) = (Client::new(config), Input::new(), Output::new());
//! let mut commands = [
//!     Command::User(UserName::try_from("me")?),
//!     Command::Pass(Password::try_from("it is me")?),
//!     Command::Retr(MessageNumber::FIRST),
//!     Command::Quit,
//! ]
//! .into_iter();
//! // What comes over the socket, one read after the other.
//! let reads = ["+OK\r\n", "+OK\r\n", "+OK\r\n", "+OK 25 octets\r\nSubject: hello\r\n\r\n..\r\n.\r\n", "+OK\r\n"];
//! let mut message = Vec::new();
//! for read in reads {
//!     input.feed(read.as_bytes());
//!     while let Framed::Ready(unit) = client.frame(&mut input, &mut output)? {
//!         match client.decode(unit, &mut input)? {
//!             Event::Chunk(octets) => message.extend_from_slice(octets),
//!             Event::Greeting(..) | Event::Reply(..) | Event::End(_) => {
//!                 if let Some(command) = commands.next() {
//!                     client.send(&command, &mut output)?; // then write `output` to the socket
//!                 }
//!             }
//!             _ => {}
//!         }
//!     }
//! }
//! assert_eq!(message, b"Subject: hello\r\n\r\n.\r\n");
//! assert!(matches!(client.frame(&mut input, &mut output)?, Framed::Closed));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What does not compile
//!
//! Refilling the input while an event is held, next to the twin that compiles:
//!
//! ```compile_fail,E0499
//! # use mail_pop3_proto::client::Client;
//! # use mail_wire::{Framed, Input, Machine, Output};
//! fn refill(client: &mut Client, input: &mut Input, output: &mut Output) {
//!     if let Ok(Framed::Ready(unit)) = client.frame(input, output) {
//!         let event = client.decode(unit, input);
//!         input.feed(b"+OK\r\n");
//!         drop(event);
//!     }
//! }
//! ```
//! ```
//! # use mail_pop3_proto::client::Client;
//! # use mail_wire::{Framed, Input, Machine, Output};
//! fn refill(client: &mut Client, input: &mut Input, output: &mut Output) {
//!     if let Ok(Framed::Ready(unit)) = client.frame(input, output) {
//!         let event = client.decode(unit, input);
//!         drop(event);
//!         input.feed(b"+OK\r\n");
//!     }
//! }
//! ```
//!
//! Answering a challenge twice:
//!
//! ```compile_fail,E0382
//! # use mail_pop3_proto::client::{AuthTurn, Client};
//! fn twice(client: &mut Client, turn: AuthTurn, output: &mut mail_wire::Output) {
//!     let _ = client.respond(turn, b"", output);
//!     let _ = client.cancel(turn, output);
//! }
//! ```
//! ```
//! # use mail_pop3_proto::client::{AuthTurn, Client};
//! fn twice(client: &mut Client, turn: AuthTurn, output: &mut mail_wire::Output) {
//!     let _ = client.cancel(turn, output);
//! }
//! ```
//!
//! Sending on the old machine after the hand-over:
//!
//! ```compile_fail,E0382
//! # use mail_pop3_proto::{Command, client::{Client, TlsGrant}};
//! # use mail_wire::{Input, Machine, Output};
//! fn after(mut client: Client, grant: TlsGrant, input: Input, output: &mut Output) {
//!     let handover = client.start_tls(grant, input, output);
//!     let _ = client.send(&Command::Capa, output);
//! }
//! ```
//! ```compile_fail,E0599
//! # use mail_pop3_proto::{Command, client::{Client, TlsGrant}};
//! # use mail_wire::{Input, Machine, Output};
//! fn during(client: Client, grant: TlsGrant, input: Input, output: &mut Output) {
//!     let Ok(mut handover) = client.start_tls(grant, input, output) else { return };
//!     let _ = handover.send(&Command::Capa, output);
//! }
//! ```
//! ```
//! # use mail_pop3_proto::{Command, client::{Client, TlsGrant}};
//! # use mail_wire::{Input, Machine, Output};
//! fn after(client: Client, grant: TlsGrant, input: Input, output: &mut Output) {
//!     let Ok(handover) = client.start_tls(grant, input, output) else { return };
//!     let _ = handover.secured().send(&Command::Capa, output);
//! }
//! ```

mod config;
mod event;
mod flight;
mod items;
mod listing;
mod machine;
#[cfg(test)]
mod scope_tests;
mod send;
#[cfg(test)]
mod table_tests;

pub use config::Config;
pub use event::{AuthTurn, Event, Ticket, TlsGrant};
pub use items::{Items, Iter};

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
    /// Octets of a line of a listing that hold no line end.
    scanned: usize,
    learning: Capabilities,
    mask: Option<Mask>,
    due: Due,
    /// What the next frame fails with.
    after: Option<Violation>,
    fatal: Option<Violation>,
    closed: bool,
    capabilities: Capabilities,
    /// Whether a CAPA was answered, be it by a refusal.
    told: bool,
    pipelining: bool,
    codes: bool,
    stamp: Option<Box<[u8]>>,
    last_sent: Option<Verb>,
    secure: bool,
    authenticated: bool,
    /// Whether UTF8 was sent, whatever the answer: STLS may not follow it (RFC 6856 §2.1).
    utf8: bool,
    quit: bool,
    eof: bool,
    /// Octets of the server that units have taken.
    used: u64,
    /// Octets of the server that had arrived when the input was looked at last.
    arrived: u64,
}

impl Client {
    /// A machine on a fresh connection, which waits for the greeting.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            source: Source::new(),
            tickets: Source::new(),
            limits: config.limits,
            policy: config.policy,
            place: Place::Greeting,
            framing: Framing::Nothing,
            framer: LineFramer::new(),
            flight: VecDeque::new(),
            lf: false,
            dot: None,
            octets: 0,
            entries: 0,
            scanned: 0,
            learning: Capabilities::new(),
            mask: None,
            due: Due::Nothing,
            after: None,
            capabilities: Capabilities::new(),
            told: false,
            pipelining: false,
            codes: false,
            stamp: None,
            last_sent: None,
            secure: false,
            authenticated: false,
            utf8: false,
            quit: false,
            eof: false,
            used: 0,
            arrived: 0,
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
        self.told = true;
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
