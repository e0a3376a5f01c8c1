//! The server machine: commands in, replies out.
//!
//! ```text
//! connected --> AUTHORIZATION --------> TRANSACTION --------> UPDATE --> closed
//!     |          |     ^   |   log-in    |              QUIT:
//!  refused       |     |   +-- QUIT -->  |             Commit
//!     |          v     |      closed     +-- loss, autologout, violation, shutdown: Abort --> closed, or failed
//!   closed      STLS: TLS
//! ```
//!
//! What becomes of each command (RFC 1939 §4 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2 and §3), by a test the truth:
//! *asks* the application and owes its answer, *answers* by itself, *refuses* by itself; behind `->` the state that a positive answer
//! leads to.
//!
//! ```text
//! command     in AUTHORIZATION            in TRANSACTION
//! USER u      asks                        refuses
//! PASS p      asks -> TRANSACTION         refuses
//! APOP        asks -> TRANSACTION         refuses
//! AUTH PLAIN  asks -> TRANSACTION         refuses
//! AUTH        answers                     refuses
//! CAPA        answers                     answers
//! STLS        asks -> TLS                 refuses
//! UTF8        answers                     refuses
//! LANG en     asks                        asks
//! LANG        answers                     answers
//! QUIT        answers -> closed           asks -> UPDATE
//! STAT        refuses                     answers
//! LIST        refuses                     answers
//! LIST 1      refuses                     answers
//! RETR 1      refuses                     asks
//! DELE 1      refuses                     answers
//! NOOP        refuses                     answers
//! RSET        refuses                     answers
//! TOP 1 0     refuses                     asks
//! UIDL        refuses                     answers
//! UIDL 1      refuses                     answers
//! ```
//!
//! PASS is refused where no accepted USER stands directly before it, STLS under TLS and after UTF8, and what the
//! [`Offer`] does not name is refused in every state. In UPDATE nothing is read.
//!
//! # Example
//!
//! ```
//! use bytes::{Buf, Bytes};
//! use mail_pop3_proto::server::{Config, Event, Maildrop, Server};
//! use mail_pop3_proto::types::{ReplyText, UniqueId};
//! use mail_pop3_proto::{Allow, Command, Reply};
//! use mail_wire::{Framed, Input, Machine, Output};
//!
//! let message = "Subject: hello\r\n\r\n.\r\n";
//! let mut config = Config::default();
//! config.policy.plaintext_auth = Allow::Allow; // an example without TLS
//! let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
//! input.feed(b"USER me\r\nPASS it is me\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n"); // what came over the socket
//! let ok = Reply::ok(ReplyText::EMPTY);
//! while let Framed::Ready(unit) = server.frame(&mut input, &mut output)? {
//!     match server.decode(unit, &mut input)? {
//!         Event::Command(Command::Pass(password), answer) if password.matches(b"it is me") => {
//!             let mut maildrop = Maildrop::new();
//!             maildrop.push(message.len() as u64, UniqueId::try_from("a1")?)?;
//!             server.accept(answer, maildrop, &ok, &mut output)?;
//!         }
//!         Event::Command(Command::Retr(_) | Command::Top { .. }, answer) => {
//!             let mut grant = server.answer_body(answer, ReplyText::EMPTY, &mut output)?;
//!             server.body(&mut grant, &mut Bytes::from(message), &mut output)?;
//!             server.end_body(grant, &mut output)?;
//!         }
//!         Event::Command(Command::User(_), answer) | Event::Connected(answer) => server.answer(answer, &ok, &mut output)?,
//!         Event::Command(_, answer) | Event::Malformed(_, answer) => server.refuse(answer, &mut output)?,
//!         Event::Commit(deletions, answer) => {
//!             assert_eq!(deletions.numbers().count(), 1); // remove them, release the lock
//!             server.answer(answer, &ok, &mut output)?;
//!         }
//!         Event::Abort(_) => {} // release the lock, remove nothing
//!         _ => {}
//!     }
//! }
//! let sent = output.copy_to_bytes(output.remaining()); // what goes to the socket
//! assert_eq!(sent, "+OK\r\n+OK\r\n+OK\r\n+OK\r\nSubject: hello\r\n\r\n..\r\n.\r\n+OK deleted\r\n+OK\r\n");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # What does not compile
//!
//! Answering twice, next to the twin that compiles:
//!
//! ```compile_fail,E0382
//! # use mail_pop3_proto::{Reply, server::{Answer, Server}, types::ReplyText};
//! fn twice(server: &mut Server, answer: Answer, output: &mut mail_wire::Output) {
//!     let _ = server.answer(answer, &Reply::ok(ReplyText::EMPTY), output);
//!     let _ = server.refuse(answer, output);
//! }
//! ```
//! ```
//! # use mail_pop3_proto::{Reply, server::{Answer, Server}, types::ReplyText};
//! fn twice(server: &mut Server, answer: Answer, output: &mut mail_wire::Output) {
//!     let _ = server.answer(answer, &Reply::ok(ReplyText::EMPTY), output);
//!     let _ = output;
//! }
//! ```
//!
//! Sending a body before it is granted:
//!
//! ```compile_fail,E0308
//! # use mail_pop3_proto::{server::{Answer, Server}, types::ReplyText};
//! fn early(server: &mut Server, answer: Answer, piece: &mut bytes::Bytes, output: &mut mail_wire::Output) {
//!     let mut grant = answer;
//!     let _ = server.body(&mut grant, piece, output);
//! }
//! ```
//! ```
//! # use mail_pop3_proto::{server::{Answer, Server}, types::ReplyText};
//! fn early(server: &mut Server, answer: Answer, piece: &mut bytes::Bytes, output: &mut mail_wire::Output) {
//!     let Ok(mut grant) = server.answer_body(answer, ReplyText::EMPTY, output) else { return };
//!     let _ = server.body(&mut grant, piece, output);
//! }
//! ```
//!
//! Ending a body and going on with it:
//!
//! ```compile_fail,E0382
//! # use mail_pop3_proto::server::{BodyGrant, Server};
//! fn on(server: &mut Server, mut grant: BodyGrant, piece: &mut bytes::Bytes, output: &mut mail_wire::Output) {
//!     let _ = server.end_body(grant, output);
//!     let _ = server.body(&mut grant, piece, output);
//! }
//! ```
//! ```
//! # use mail_pop3_proto::server::{BodyGrant, Server};
//! fn on(server: &mut Server, mut grant: BodyGrant, piece: &mut bytes::Bytes, output: &mut mail_wire::Output) {
//!     let _ = server.body(&mut grant, piece, output);
//!     let _ = server.end_body(grant, output);
//! }
//! ```
//!
//! Using the machine, or the input, after the hand-over:
//!
//! ```compile_fail,E0382
//! # use mail_pop3_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn after(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let _ = server.start_tls(offer, input, output);
//!     let _ = input.len();
//! }
//! ```
//! ```compile_fail,E0382
//! # use mail_pop3_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn after(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let _ = server.start_tls(offer, input, output);
//!     let _ = server.phase();
//! }
//! ```
//! ```
//! # use mail_pop3_proto::server::{Server, TlsOffer};
//! # use mail_wire::{Input, Machine, Output};
//! fn after(server: Server, offer: TlsOffer, input: Input, output: &mut Output) {
//!     let Ok(handover) = server.start_tls(offer, input, output) else { return };
//!     let _ = handover.secured().phase();
//! }
//! ```

mod answer;
mod body;
mod config;
mod event;
mod line;
mod machine;
mod maildrop;
mod settle;
mod table;
#[cfg(test)]
mod table_tests;

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
    /// Of a USER that was not refused, until a line that is no PASS.
    user: Option<Box<[u8]>>,
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
    /// Whether LANG has chosen a language: texts are UTF-8 from there on (RFC 6856 §3.2).
    localised: bool,
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
            localised: false,
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

    /// The name of the USER directly before, which a PASS belongs to (RFC 1939 §7). Forgotten at any other command and after a refused
    /// log-in.
    #[must_use]
    pub fn user(&self) -> Option<&[u8]> {
        self.user.as_deref()
    }

    /// Whether TLS stands.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The maildrop of a session in TRANSACTION.
    #[must_use]
    pub fn maildrop(&self) -> Option<&Maildrop> {
        self.maildrop.as_deref()
    }

    /// Whether the client has asked for UTF-8 mode: messages may go out as they are (RFC 6856 §2.1).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// The stamp of the greeting, for the check of an APOP digest (RFC 1939 §7). Gone after STLS, and none where APOP is not taken.
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
        let mut shown = f.debug_struct("Server");
        shown.field("phase", &self.phase).field("owed", &self.owed).field("secure", &self.secure);
        shown.finish_non_exhaustive()
    }
}
