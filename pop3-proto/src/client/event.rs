//! What a client is told, and the tokens that come with it.

use super::items::Items;
use crate::reply::StatusLine;
use crate::types::MsgId;
use mail_wire::{SecretBuf, Stamp};

/// An event of the client machine. It borrows from the input alone.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'i> {
    /// The first line of the server. If it is negative the session ends with
    /// [`Violation::GreetingRefused`](crate::Violation::GreetingRefused).
    Greeting(StatusLine<'i>, Option<MsgId<'i>>),
    /// The whole answer to a command.
    Reply(Ticket, StatusLine<'i>),
    /// The first line of an answer of several lines. [`Event::Items`] or [`Event::Chunk`]s follow, then [`Event::End`].
    Head(Ticket, StatusLine<'i>),
    /// Lines of the answer, at least one: as many as have arrived. Two such events say the same as one with the lines of both.
    Items(Ticket, Items<'i>),
    /// A part of a message, without stuffing, at least one octet. Parts that stand side by side may come apart anywhere.
    Chunk(&'i [u8]),
    /// The answer is complete. What has been told before is a whole message or listing only now.
    End(Ticket),
    /// A challenge of a SASL exchange, decoded: the answer to it is owed.
    Challenge(SecretBuf, AuthTurn),
    /// A challenge that is not base64. The exchange is cancelled for you (RFC 5034 §4); the refusal comes as its reply.
    BadChallenge(Ticket),
    /// The server is ready for TLS: [`start_tls`](mail_wire::Machine::start_tls) is due.
    StartTls(TlsGrant),
    /// A negative line that no command has asked for: the server goes away, and this is why, such as autologout. No RFC has it; many servers
    /// do it. The session ends with [`Violation::Unsolicited`](crate::Violation::Unsolicited), and what was sent meanwhile is answered by nobody.
    Closing(StatusLine<'i>),
}

/// Names a command in flight. It obliges to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) Stamp);

mail_wire::tokens! {
    /// The answer to a challenge is owed: by [`respond`](super::Client::respond) or [`cancel`](super::Client::cancel).
    AuthTurn "the server waits for the answer to its challenge",
    /// The hand-over to TLS is due.
    TlsGrant "the server waits for the handshake",
}
