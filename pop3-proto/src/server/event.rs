//! What a server is told, and the tokens that come with it.

use super::maildrop::Maildrop;
use crate::command::{Command, Verb};
use crate::error::{Malformed, Violation};
use crate::types::{Mechanism, MessageNumber};
use alloc::boxed::Box;
use core::fmt;
use mail_wire::{Secret, Stamp};

/// An event of the server machine. It borrows from the input alone.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'i> {
    /// A client is there: the answer is the greeting, or a refusal, which ends the session.
    Connected(Answer),
    /// A command for the application to act on: USER, PASS, APOP, RETR, TOP, or LANG with a language.
    Command(Command<'i>, Answer),
    /// A line that does not parse. [`refuse`](super::Server::refuse) gives it the standard's reply.
    Malformed(Malformed<'i>, Answer),
    /// A command that the machine answers by itself: nothing is owed.
    Answered(Command<'i>),
    /// A command that the machine refuses by itself: nothing is owed.
    Refused(Refused),
    /// STLS: [`start_tls`](mail_wire::Machine::start_tls) or [`refuse_tls`](super::Server::refuse_tls) is due.
    StartTls(TlsOffer),
    /// AUTH: a SASL exchange begins (RFC 5034 §4).
    Auth {
        /// One of the mechanisms that are offered.
        mechanism: Mechanism<'i>,
        /// The initial response, decoded where it stood. It is overwritten with the rest of the unit.
        initial: Option<Secret<&'i [u8]>>,
        /// What is owed: a challenge, acceptance or refusal.
        turn: AuthTurn,
    },
    /// The exchange is over without the application: cancelled by the client, or a response that is not base64. It is refused, and
    /// nothing is owed.
    AuthCancelled(Refusal),
    /// The response to a challenge, decoded where it stood.
    AuthResponse(Secret<&'i [u8]>, AuthTurn),
    /// QUIT in TRANSACTION: the session is in UPDATE (RFC 1939 §6). The messages marked in the maildrop are to be removed and its lock
    /// released, then the answer says whether that was done. This comes once at the most, and in no other way.
    Commit(Deletions, Answer),
    /// The session ends without QUIT: nothing is removed, the lock is to be released (RFC 1939 §6).
    Abort(Abort),
}

/// The maildrop at QUIT, with its deletion marks (RFC 1939 §6).
#[derive(Debug)]
pub struct Deletions(pub(crate) Box<Maildrop>);

impl Deletions {
    /// The numbers of the messages to remove, in order.
    pub fn numbers(&self) -> impl Iterator<Item = MessageNumber> + '_ {
        self.0.deleted()
    }

    /// The maildrop, for sizes and unique-ids.
    #[must_use]
    pub fn maildrop(&self) -> &Maildrop {
        &self.0
    }
}

/// Why a session in TRANSACTION ends without QUIT (RFC 1939 §3 and §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abort {
    /// The client has gone.
    Lost,
    /// The driver shuts down.
    Shutdown,
    /// A fault of the client, or the autologout timer (RFC 1939 §3). The session fails with it.
    Violation(Violation),
}

/// A command that the machine has refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its keyword; `None` for an over-long line.
    pub verb: Option<Verb>,
    /// Why.
    pub why: Refusal,
}

/// Why the machine refuses a command by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The command belongs to the other state (RFC 1939 §3).
    State,
    /// PASS that does not follow a successful USER (RFC 1939 §7).
    UserFirst,
    /// It is not offered.
    NotOffered,
    /// A log-in that the policy wants under TLS (RFC 5034 §4).
    TlsFirst,
    /// There is no such message, or it is marked as deleted (RFC 1939 §5).
    NoSuchMessage,
    /// The line is longer than the limit.
    TooLong,
    /// More commands before a log-in than the limit: the session ends.
    TooMany,
    /// A SASL response that is not base64 (RFC 5034 §4).
    NotBase64,
    /// The client has cancelled the exchange (RFC 5034 §4).
    Cancelled,
    /// A name or password that is not UTF-8 where `UTF8 USER` is offered (RFC 6856 §2.2).
    NotUtf8,
}

mail_wire::tokens! {
    /// The answer to a command is owed.
    Answer "the client waits for its answer",
    /// The next step of a SASL exchange is owed.
    AuthTurn "the client waits for a challenge or the outcome",
    /// The client asks for TLS.
    TlsOffer "the client waits for the go-ahead or a refusal",
}

/// A message is being sent: its body, then its end. Dropped, it never ends the body.
#[must_use = "the client waits for the end of the message"]
pub struct BodyGrant {
    pub(crate) stamp: Stamp,
    pub(crate) done: bool,
}

impl BodyGrant {
    /// Whether more of the message is wanted: `false` once TOP has its lines. What is given then is dropped.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        !self.done
    }
}

impl fmt::Debug for BodyGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyGrant(..)")
    }
}
