//! What a client is told, and the tokens that come with it.

use crate::reply::Reply;
use core::fmt;
use mail_wire::{SecretBuf, Stamp};

/// Which command a reply is for. An id, no obligation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub(super) Stamp);

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({})", self.0.serial())
    }
}

/// What the machine tells the application.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'i> {
    /// The greeting. Anything but 220 is a refusal: only QUIT may follow.
    Greeting(Reply<'i>),
    /// The reply to a command. In LMTP a body has one for each accepted recipient, in the order of their RCPTs (RFC 2033 §4.2).
    Reply(Ticket, Reply<'i>),
    /// EHLO is refused. The machine falls back to HELO, whose reply comes for the same ticket (RFC 5321 §3.2).
    EhloRefused(Ticket, Reply<'i>),
    /// The server waits for the message (354).
    BodyWanted(Ticket, Reply<'i>, BodyGrant),
    /// The server waits for the message though it refused every recipient. The machine sends an empty one (RFC 2920 §3.1).
    NoRecipients(Ticket, Reply<'i>),
    /// A challenge, decoded (334).
    Challenge(SecretBuf, AuthTurn),
    /// The server is ready for TLS (220): hand over by [`start_tls`](mail_wire::Machine::start_tls).
    StartTls(TlsGrant),
    /// A challenge that is no base64. The machine cancels the exchange (RFC 4954 §4); the refusal comes as its reply.
    BadChallenge(Ticket),
    /// A 421 while nothing is in flight: the server goes away (RFC 5321 §3.8).
    Closing(Reply<'i>),
}

mail_wire::tokens! {
    /// Leave to send one body, or one chunk. Dropped, it never ends the body: the connection must then be closed.
    BodyGrant "the server waits for it",
    /// The client's turn in an AUTH exchange.
    AuthTurn "the server waits for it",
    /// The server's go-ahead for TLS.
    TlsGrant "the server waits for it",
}
