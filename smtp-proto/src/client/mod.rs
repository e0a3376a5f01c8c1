//! The client machine: SMTP, submission, and LMTP.
//!
//! ```text
//!   Greeting: a reply -> Greeting(..) --220--> Ready
//!                                     --4yz, 5yz--> Rejected (QUIT alone may be sent)
//!   Ready: send(..), auth(..), chunk(..) queue commands, by the rules of pipelining (RFC 2920 §3.1);
//!          a reply -> one event, for the oldest command in flight
//!     Reply(ticket, ..)          the command is done
//!     EhloRefused(ticket, ..)    the machine says HELO in its place, for the same ticket
//!     BodyWanted(ticket, ..)     354: body()*, end_body() -> Reply(ticket, ..), in LMTP one for each recipient
//!     NoRecipients(ticket, ..)   354 though none was accepted: the machine sends an empty body -> Reply(ticket, ..)
//!     Challenge(..)              334: respond() or cancel()
//!     BadChallenge(ticket)       334 without base64: the machine cancels
//!     StartTls(grant)            220: start_tls() -> Handover -> secured: Ready, all forgotten
//!     Closing(..)                a 421 that answers nothing -> Over
//!   221 to QUIT, or a 421 -> Over
//! ```
//!
//! What may be sent in each state, where all is offered, every command before is answered, and no policy is in the way: before the
//! greeting, after one that was a refusal, after the greeting, after EHLO, MAIL, RCPT, and between chunks. `wait` is
//! [`Misuse::MustWait`](mail_wire::Misuse::MustWait), `-` is [`Misuse::NotInState`](mail_wire::Misuse::NotInState).
//!
//! ```text
//! command   begin  rejected  greeted  hello  mail  rcpt  chunks
//! EHLO      wait   -         sent     sent   sent  sent  sent
//! HELO      wait   -         sent     sent   sent  sent  sent
//! LHLO      wait   -         -        -      -     -     -
//! MAIL      wait   -         -        sent   -     -     -
//! RCPT      wait   -         -        -      sent  sent  -
//! DATA      wait   -         -        -      -     sent  -
//! BDAT      wait   -         -        -      -     sent  sent
//! BURL      wait   -         -        -      -     sent  sent
//! RSET      wait   -         sent     sent   sent  sent  sent
//! NOOP      wait   -         sent     sent   sent  sent  sent
//! HELP      wait   -         sent     sent   sent  sent  sent
//! VRFY      wait   -         sent     sent   sent  sent  sent
//! EXPN      wait   -         sent     sent   sent  sent  sent
//! ETRN      wait   -         -        sent   -     -     -
//! XCLIENT   wait   -         -        sent   -     -     -
//! AUTH      wait   -         -        sent   -     -     -
//! STARTTLS  wait   -         -        sent   sent  sent  sent
//! QUIT      wait   sent      sent     sent   sent  sent  sent
//! ```
//!
//! A DATA that was refused leaves the transaction open: RCPT and DATA may follow, MAIL not before RSET (RFC 5321 §4.1.4). Behind a chunk that
//! was refused RSET or EHLO must come first (RFC 3030 §2). In LMTP the last chunk waits until every command before it is answered and a
//! recipient is accepted, for so many replies it will have (RFC 2033 §4.3).
//!
//! A reply that nothing awaits, lines with different codes, a code that the command does not know: a
//! [`Violation`], because the pairing of replies with commands is lost.
//!
//! # What does not compile
//!
//! A body goes out by the grant that came with the 354:
//! ```
//! # use mail_smtp_proto::client::{Client, Event};
//! # use mail_wire::Output;
//! # use bytes::Bytes;
//! fn go(client: &mut Client, event: Event<'_>, piece: &mut Bytes, output: &mut Output) {
//!     if let Event::BodyWanted(_, _, mut grant) = event {
//!         let _ = client.body(&mut grant, piece, output);
//!     }
//! }
//! ```
//! The ticket of the DATA is no grant:
//! ```compile_fail,E0308
//! # use mail_smtp_proto::client::{Client, Event};
//! # use mail_wire::Output;
//! # use bytes::Bytes;
//! fn go(client: &mut Client, event: Event<'_>, piece: &mut Bytes, output: &mut Output) {
//!     if let Event::Reply(mut grant, _) = event {
//!         let _ = client.body(&mut grant, piece, output);
//!     }
//! }
//! ```
//! A body is ended once:
//! ```
//! # use mail_smtp_proto::client::{BodyGrant, Client};
//! # use mail_wire::Output;
//! fn end(client: &mut Client, grant: BodyGrant, output: &mut Output) {
//!     let _ = client.end_body(grant, output);
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_smtp_proto::client::{BodyGrant, Client};
//! # use mail_wire::Output;
//! fn end(client: &mut Client, grant: BodyGrant, output: &mut Output) {
//!     let _ = client.end_body(grant, output);
//!     let _ = client.end_body(grant, output);
//! }
//! ```
//! The machine and the input of before are gone after the hand-over:
//! ```
//! # use mail_smtp_proto::client::{Client, TlsGrant};
//! # use mail_wire::{Input, Machine, Output};
//! fn upgrade(client: Client, grant: TlsGrant, input: Input, output: &mut Output) {
//!     let handover = client.start_tls(grant, input, output);
//!     let client = handover.map(|handover| handover.secured());
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_smtp_proto::client::{Client, TlsGrant};
//! # use mail_wire::{Input, Machine, Output};
//! fn upgrade(client: Client, grant: TlsGrant, mut input: Input, output: &mut Output) {
//!     let handover = client.start_tls(grant, input, output);
//!     input.feed(b"250 injected");
//! }
//! ```

mod config;
mod decode;
mod event;
mod frame;
mod send;
mod state;

pub use config::Config;
pub use event::{AuthTurn, BodyGrant, Event, Ticket, TlsGrant};

use crate::error::Violation;
use crate::ext::{EhloReply, Extension, Extensions};
use crate::frame::ReplyFramer;
use crate::limits::Limits;
use crate::policy::{Policy, Repair};
use crate::reply::Reply;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;
use mail_wire::{
    Closing, End, Framed, Handover, HandoverError, HandoverResult, Input, Machine, Mask, Output, Owned,
    PlaintextLeft, Repairs, Role, SecretBuf, Secured, Source, Unit,
};
use state::{Flight, Grant, Kind, Mine, Phase, Transaction};

/// A client's side of one connection. See the [module](self) for its states.
#[derive(Debug)]
pub struct Client {
    limits: Limits,
    policy: Policy,
    lmtp: bool,
    source: Source,
    tickets: Source,
    phase: Phase,
    framer: ReplyFramer,
    flights: VecDeque<Flight>,
    /// The body or chunk that is being sent.
    grant: Option<Grant>,
    /// An AUTH turn is the application's.
    turn: bool,
    /// An initial response in base64 that waits for the server's empty challenge.
    held: Option<SecretBuf>,
    /// The go-ahead for TLS is the application's.
    upgrade: bool,
    mine: Option<Mine>,
    fatal: Option<Violation>,
    closing: Option<Closing>,
    end: Option<End>,
    mask: Option<Mask>,
    name: Vec<u8>,
    hello: Option<Owned<Reply<'static>>>,
    extended: bool,
    extensions: Extensions,
    secure: bool,
    authenticated: bool,
    transaction: Option<Transaction>,
    transactions: u32,
}

impl Client {
    /// A machine for a connection that has been made.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            limits: config.limits.sane(),
            policy: config.policy,
            lmtp: config.lmtp,
            source: Source::new(),
            tickets: Source::new(),
            phase: Phase::Greeting,
            framer: ReplyFramer::new(),
            flights: VecDeque::new(),
            grant: None,
            turn: false,
            held: None,
            upgrade: false,
            mine: None,
            fatal: None,
            closing: None,
            end: None,
            mask: None,
            name: Vec::new(),
            hello: None,
            extended: false,
            extensions: Extensions::NONE,
            secure: false,
            authenticated: false,
            transaction: None,
            transactions: 0,
        }
    }

    /// The repairs made so far.
    #[must_use]
    pub const fn repairs(&self) -> &Repairs<Repair> {
        &self.policy.grammar.repairs
    }

    /// Switches single repairs.
    pub fn repairs_mut(&mut self) -> &mut Repairs<Repair> {
        &mut self.policy.grammar.repairs
    }

    /// What the server has said of itself; `None` before EHLO is answered, and again after a hand-over to TLS.
    #[must_use]
    pub fn hello(&self) -> Option<EhloReply<'_>> {
        self.hello.as_ref().map(|reply| EhloReply::new(reply.get(), self.extended))
    }

    /// Whether the server offers an extension.
    #[must_use]
    pub const fn offers(&self, extension: Extension) -> bool {
        self.extensions.has(extension)
    }

    /// Does without an extension, such as PIPELINING where a server offers it and fails at it. EHLO brings it back.
    pub fn mask_extension(&mut self, extension: Extension) {
        self.extensions = self.extensions.without(extension);
    }

    /// Whether TLS stands.
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether an AUTH exchange has succeeded.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        self.authenticated
    }

    /// Commands whose replies are awaited.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Recipients accepted in the open transaction.
    #[must_use]
    pub fn recipients(&self) -> u32 {
        self.transaction.as_ref().map_or(0, |transaction| transaction.accepted)
    }
}

impl Client {
    /// The session begins again with EHLO: under TLS, and behind XCLIENT, where the server has begun again as well.
    fn forget(&mut self) {
        self.authenticated = false;
        self.hello = None;
        self.extended = false;
        self.extensions = Extensions::NONE;
        self.transaction = None;
    }
}

impl Machine for Client {
    type Error = Violation;
    type Event<'i> = Event<'i>;
    type Upgrade = TlsGrant;
    const ROLE: Role = Role::Client;

    fn frame(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        self.next_unit(input, output)
    }

    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        self.read_unit(unit, input)
    }

    fn masks(&self) -> &[Mask] {
        self.mask.as_slice()
    }

    fn eof(&mut self, end: End) {
        self.end = self.end.or(Some(end));
    }

    fn close(&mut self, why: Closing, _: &mut Output) {
        self.closing = self.closing.or(Some(why));
    }

    /// By what is awaited: ten minutes after a body, three while it goes out, two for the 354, else five (RFC 5321 §4.5.3.2).
    fn patience(&self) -> Duration {
        let minutes: u64 = match self.flights.front().map(|flight| flight.kind) {
            _ if self.grant.is_some() => 3,
            Some(Kind::DataEnd { .. } | Kind::Chunk { last: true, .. }) => 10,
            Some(Kind::Data) => 2,
            _ => 5,
        };
        Duration::from_secs(minutes.saturating_mul(60))
    }

    fn start_tls(self, token: TlsGrant, input: Input, _: &mut Output) -> HandoverResult<Self> {
        if !self.upgrade || !self.source.is_latest(token.0) {
            return Err(HandoverError::NotOwed);
        }
        if !input.is_empty() {
            return Err(PlaintextLeft { octets: input.len() }.into());
        }
        Ok(Handover::new(self, input)?)
    }

    /// What the server said before is forgotten: EHLO must be sent again (RFC 3207 §4.2).
    fn secured(&mut self, _: Secured) {
        self.secure = true;
        self.upgrade = false;
        self.forget();
        self.framer = ReplyFramer::new();
    }
}
