//! The server machine: SMTP, submission, and LMTP.
//!
//! ```text
//!   Fresh -> Connected(answer) --220--> Ready <-------------------------------------------+
//!                              --554--> Rejected (QUIT alone is taken)                     |
//!                              --421--> Over                                               |
//!   Ready: a command line -> one event                                                     |
//!     Answered(..)   EHLO HELO LHLO NOOP RSET HELP QUIT: the machine answers --------------+
//!     Refused(..)    out of order, not offered, over a limit: the machine refuses ---------+
//!     Malformed(..)  -> answer() or refuse() ----------------------------------------------+
//!     Command(..)    MAIL RCPT VRFY EXPN ETRN ..: -> answer() -----------------------------+
//!     Auth(..)       -> accept_auth() or refuse_auth() ------------------------------------+
//!                    -> challenge() -> Exchange: a line -> AuthResponse(..) -> the same    |
//!                                               `*` or no base64 -> AuthCancelled ---------+
//!     StartTls(..)   -> refuse_tls() ------------------------------------------------------+
//!                    -> start_tls() -> Handover -> secured: Ready, all forgotten           |
//!     Body(..)       -> refuse_body() -> (a chunk's octets are dropped) -------------------+
//!                    -> accept_body() -> Body: Chunk(..)* -> BodyEnd(answer) -> answer() --+
//!                                              Abort(..), the rest dropped, refused -------+
//!   QUIT answered, or a 421 -> Over
//! ```
//!
//! What becomes of each command in each state, where all is offered and no policy is in the way: before EHLO, after it, after an
//! accepted MAIL, after an accepted RCPT, between chunks, and after a greeting that was a refusal. A number is the code of a refusal.
//!
//! ```text
//! command   greeted   hello     mail      rcpt      chunks    rejected
//! EHLO      answered  answered  answered  answered  answered  503
//! HELO      answered  answered  answered  answered  answered  503
//! LHLO      500       500       500       500       500       503
//! MAIL      503       command   503       503       503       503
//! RCPT      503       503       command   command   503       503
//! DATA      503       503       503       body      503       503
//! BDAT      503       503       503       body      body      503
//! BURL      503       503       503       command   command   503
//! RSET      answered  answered  answered  answered  answered  503
//! NOOP      answered  answered  answered  answered  answered  503
//! HELP      answered  answered  answered  answered  answered  503
//! VRFY      command   command   command   command   command   503
//! EXPN      command   command   command   command   command   503
//! ETRN      command   command   503       503       503       503
//! XCLIENT   command   command   503       503       503       503
//! AUTH      503       auth      503       503       503       503
//! STARTTLS  503       starttls  starttls  starttls  starttls  503
//! QUIT      answered  answered  answered  answered  answered  answered
//! ```
//!
//! A mail transaction is open from an accepted MAIL to the answer after its body, or to RSET, EHLO, or the end (RFC 5321 §4.1.4). The machine
//! keeps of it what it needs for order and limits; senders and recipients are the application's to remember.
//!
//! In LMTP the answer after the body goes out once for each accepted recipient: [`Server::answer`] repeats one reply,
//! [`Server::answer_each`] takes a reply for each.
//!
//! # What does not compile
//!
//! While an event is held, the input is not refilled:
//! ```
//! # use mail_smtp_proto::Server;
//! # use mail_wire::{Input, Machine, StaleUnit, Unit};
//! fn hold(server: &mut Server, unit: Unit, input: &mut Input) {
//!     let event = server.decode(unit, input);
//!     drop(event);
//!     input.feed(b"NOOP\r\n");
//! }
//! ```
//! ```compile_fail,E0499
//! # use mail_smtp_proto::Server;
//! # use mail_wire::{Input, Machine, StaleUnit, Unit};
//! fn hold(server: &mut Server, unit: Unit, input: &mut Input) {
//!     let event = server.decode(unit, input);
//!     input.feed(b"NOOP\r\n");
//!     drop(event);
//! }
//! ```
//! A body is taken once:
//! ```
//! # use mail_smtp_proto::server::{BodyOffer, Server};
//! # use mail_wire::Output;
//! fn take(server: &mut Server, offer: BodyOffer, output: &mut Output) {
//!     let _ = server.accept_body(offer, output);
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_smtp_proto::server::{BodyOffer, Server};
//! # use mail_wire::Output;
//! fn take(server: &mut Server, offer: BodyOffer, output: &mut Output) {
//!     let _ = server.accept_body(offer, output);
//!     let _ = server.accept_body(offer, output);
//! }
//! ```
//! During the handshake the machine is out of reach:
//! ```
//! # use mail_smtp_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn upgrade(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let handover = server.start_tls(offer, input, output).unwrap();
//!     let patience = handover.secured().patience();
//! }
//! ```
//! ```compile_fail,E0599
//! # use mail_smtp_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn upgrade(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let handover = server.start_tls(offer, input, output).unwrap();
//!     let patience = handover.patience();
//! }
//! ```

mod answer;
mod body;
mod config;
mod decode;
mod event;
mod frame;
mod offer;
mod replies;
mod state;

pub use config::Config;
pub use event::{Abort, Answer, AuthTurn, BodyForm, BodyOffer, Event, Refused, TlsOffer};
pub use offer::Offer;

use crate::error::Violation;
use crate::limits::Limits;
use crate::policy::{Policy, Repair};
use alloc::sync::Arc;
use body::Body;
use core::time::Duration;
use mail_wire::line::LineFramer;
use mail_wire::{
    Budget, Closing, End, Framed, Handover, HandoverError, HandoverResult, Input, Machine, Mask, Output,
    PlaintextLeft, Repairs, Role, Secured, Source, Unit,
};
use state::{Framing, Hello, Mine, Owed, Phase, Transaction};

/// A server's side of one connection. See the [module](self) for its states.
#[derive(Debug)]
pub struct Server {
    limits: Limits,
    policy: Policy,
    offer: Arc<Offer>,
    lmtp: bool,
    source: Source,
    phase: Phase,
    /// The greeting was a refusal: QUIT alone is taken (RFC 5321 §3.1).
    rejected: bool,
    framing: Framing,
    line: LineFramer,
    owed: Owed,
    /// What the machine says before it frames anything more.
    mine: Option<Mine>,
    /// What ends the session once that is said.
    doom: Option<Violation>,
    fatal: Option<Violation>,
    abort: Option<Abort>,
    closing: Option<Closing>,
    end: Option<End>,
    mask: Option<Mask>,
    hello: Hello,
    /// What is said now is the greeting, or answers EHLO or HELO: without an enhanced code (RFC 2034 §3, item 4).
    codeless: bool,
    /// The last command was AUTH: a line that is none may be what it was to bring.
    stray: bool,
    secure: bool,
    authenticated: bool,
    transaction: Option<Transaction>,
    body: Body,
    bad: Budget,
    idle: Budget,
    refused: Budget,
    failures: Budget,
    discard: Budget,
}

impl Server {
    /// A machine for a connection that has been accepted.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let limits = config.limits.sane();
        Self {
            limits,
            policy: config.policy,
            offer: config.offer,
            lmtp: config.lmtp,
            source: Source::new(),
            phase: Phase::Fresh,
            rejected: false,
            framing: Framing::Connected,
            line: LineFramer::new(),
            owed: Owed::Nothing,
            mine: None,
            doom: None,
            fatal: None,
            abort: None,
            closing: None,
            end: None,
            mask: None,
            hello: Hello::None,
            codeless: true,
            stray: false,
            secure: false,
            authenticated: false,
            transaction: None,
            body: Body::new(),
            bad: Budget::new(u64::from(limits.bad_commands)),
            idle: Budget::new(u64::from(limits.idle_commands)),
            refused: Budget::new(u64::from(limits.refused_recipients)),
            failures: Budget::new(u64::from(limits.auth_failures)),
            discard: Budget::new(limits.discard),
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

    /// What is offered.
    #[must_use]
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// Offers something else from the next EHLO on.
    pub fn set_offer(&mut self, offer: Arc<Offer>) {
        self.offer = offer;
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

    /// Recipients accepted in the open transaction.
    #[must_use]
    pub fn recipients(&self) -> u32 {
        self.transaction.as_ref().map_or(0, |transaction| transaction.recipients)
    }
}

impl Machine for Server {
    type Error = Violation;
    type Event<'i> = Event<'i>;
    type Upgrade = TlsOffer;
    const ROLE: Role = Role::Server;

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

    /// Five minutes for a command, ten for a block of a body (RFC 5321 §4.5.3.2.7, §4.5.3.2.5).
    fn patience(&self) -> Duration {
        let minutes: u64 = if self.phase == Phase::Body { 10 } else { 5 };
        Duration::from_secs(minutes.saturating_mul(60))
    }

    fn start_tls(self, token: TlsOffer, input: Input, output: &mut Output) -> HandoverResult<Self> {
        if self.owed != Owed::Tls || !self.source.is_latest(token.0) {
            return Err(HandoverError::NotOwed);
        }
        // Before the go-ahead: a client that has spoken already gets none.
        if !input.is_empty() {
            return Err(PlaintextLeft { octets: input.len() }.into());
        }
        self.say(&replies::READY_FOR_TLS, output);
        Ok(Handover::new(self, input)?)
    }

    /// What the client said before is forgotten (RFC 3207 §4.2); what it has spent is not.
    fn secured(&mut self, _: Secured) {
        self.secure = true;
        self.owed = Owed::Nothing;
        self.hello = Hello::None;
        self.transaction = None;
        self.authenticated = false;
        self.line = LineFramer::new();
        if self.phase != Phase::Fresh {
            self.phase = Phase::Ready;
        }
    }
}
