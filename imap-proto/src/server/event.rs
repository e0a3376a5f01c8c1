//! What a server is told, and the tokens that come with it.

use crate::command::{Append, Command};
use crate::error::Malformed;
use crate::types::Atom;
use core::fmt;
use mail_wire::{Secret, Stamp};

/// An event of the server machine. It borrows from the input alone.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'i> {
    /// A client is there: the answer is the greeting. `OK` goes on, `PREAUTH` skips the log-in, `BYE` ends the session.
    Connected(Answer),
    /// A command for the application to act on. NOOP and CHECK are among them: they are where a client hears what is new.
    Command(Command<'i>, Answer),
    /// A command that the machine has answered by itself, CAPABILITY: nothing is owed.
    Answered(Command<'i>),
    /// A command that the machine has refused by itself: nothing is owed.
    Refused(Refusal),
    /// A unit that does not parse. [`refuse`](super::Server::refuse) gives it the standard's reply. Behind an
    /// [`Event::Append`] it means that the message is not whole, or is not one: what was taken of it is to be dropped.
    Malformed(Malformed<'i>, Answer),
    /// AUTHENTICATE: a SASL exchange begins (RFC 9051 §6.2.2).
    Auth {
        /// One of the mechanisms that are offered.
        mechanism: Atom<'i>,
        /// The initial response, decoded where it stood (RFC 4959). It is overwritten with the rest of the unit.
        initial: Option<Secret<&'i [u8]>>,
        /// What is owed: a challenge, acceptance or refusal.
        turn: AuthTurn,
    },
    /// The response to a challenge, decoded where it stood.
    AuthResponse(Secret<&'i [u8]>, AuthTurn),
    /// The exchange is over without the application: cancelled by the client, or a response that is not base64. It is refused, and
    /// nothing is owed.
    AuthCancelled(Refusal),
    /// STARTTLS: [`start_tls`](mail_wire::Machine::start_tls) or [`refuse_tls`](super::Server::refuse_tls) is due.
    StartTls(TlsOffer),
    /// APPEND, and its message is announced. [`accept_body`](super::Server::accept_body) or
    /// [`refuse_body`](super::Server::refuse_body) is due. Until [`Event::BodyEnd`] nothing has arrived: whatever else comes behind its
    /// octets, be it a [refusal](Event::Refused) of the machine's own, says that there is no message.
    Append(Append<'i>, BodyOffer),
    /// Octets of the message. They are worth something when [`Event::BodyEnd`] has come.
    Chunk(&'i [u8]),
    /// The message has arrived whole: the answer to the APPEND is owed.
    BodyEnd(Answer),
    /// DONE: IDLE ends, and its answer is owed (RFC 9051 §6.3.13). The [`IdleTurn`] is void.
    IdleDone(Answer),
}

/// Why the machine refuses a command by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The command belongs to another state (RFC 9051 §3).
    State,
    /// The policy wants TLS first (RFC 5530 §3, `PRIVACYREQUIRED`).
    TlsFirst,
    /// It is not offered.
    NotOffered,
    /// A literal above its limit.
    LiteralTooLarge,
    /// More literals in one command than the limit, or more octets in them.
    TooManyLiterals,
    /// A literal8 or a second message where none may stand.
    LiteralForm,
    /// A SASL response that is not base64.
    NotBase64,
    /// The client has cancelled the exchange.
    Cancelled,
}

mail_wire::tokens! {
    /// The answer to a command is owed.
    Answer "the client waits for its answer",
    /// The next step of a SASL exchange is owed.
    AuthTurn "the client waits for a challenge or the outcome",
    /// The client asks for TLS.
    TlsOffer "the client waits for the go-ahead or a refusal",
    /// A message is offered.
    BodyOffer "the client waits to be let through or refused",
    /// IDLE is on: what is new may be told at any time. It obliges to nothing and ends with DONE.
    IdleTurn "what is new is told with it",
}

/// Octets of a message are owed to the client.
#[must_use = "the client waits for the octets that were announced"]
pub struct BodyGrant {
    pub(crate) stamp: Stamp,
    pub(crate) left: u64,
}

impl BodyGrant {
    /// The octets that are still owed. At 0 the grant is done and may be dropped.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }
}

impl fmt::Debug for BodyGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyGrant({} octets left)", self.left)
    }
}

/// A token that untagged responses may be sent with: while it is held, a command is in progress.
pub trait Turn: sealed::Sealed {}

impl Turn for Answer {}
impl Turn for IdleTurn {}
impl Turn for BodyOffer {}

pub(crate) mod sealed {
    use mail_wire::Stamp;

    pub trait Sealed {
        fn stamp(&self) -> Stamp;
    }

    impl Sealed for super::Answer {
        fn stamp(&self) -> Stamp {
            self.0
        }
    }

    impl Sealed for super::IdleTurn {
        fn stamp(&self) -> Stamp {
            self.0
        }
    }

    impl Sealed for super::BodyOffer {
        fn stamp(&self) -> Stamp {
            self.0
        }
    }
}
