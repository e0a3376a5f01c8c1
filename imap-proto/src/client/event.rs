//! What a client is told, and the tokens that come with it.

use crate::error::Malformed;
use crate::response::{FetchPart, Untagged};
use crate::types::{ResponseText, Status};
use mail_wire::{SecretBuf, Stamp};

/// An event of the client machine. It borrows from the input alone.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'i> {
    /// The first line of the server: OK, PREAUTH or BYE.
    Greeting(Status<'i>),
    /// A response that belongs to no command, or not by its form.
    Untagged(Untagged<'i>),
    /// A FETCH, or a piece of one that holds large literals.
    Fetch(FetchPart<'i>),
    /// A part of the literal that the last [`Event::Fetch`] announced, at least one octet. Parts may come apart anywhere.
    Chunk(&'i [u8]),
    /// A command has ended: OK, NO or BAD.
    Completed(Ticket, Status<'i>),
    /// The server has let a literal of the command go on. There is nothing to do; the text may say something.
    Continued(Ticket, ResponseText<'i>),
    /// The message of an APPEND is due: give it to [`body`](super::Client::body). The text is empty where no `+` was needed.
    BodyWanted(BodyGrant, ResponseText<'i>),
    /// IDLE is on: the server tells what happens, until [`done`](super::Client::done).
    Idling(IdleGrant, ResponseText<'i>),
    /// A challenge of a SASL exchange, decoded: the answer to it is owed.
    Challenge(SecretBuf, AuthTurn),
    /// A challenge that is not base64. The exchange is cancelled for you; the refusal comes as its completion (RFC 9051 §6.2.2).
    BadChallenge(Ticket),
    /// The server is ready for TLS: [`start_tls`](mail_wire::Machine::start_tls) is due.
    StartTls(TlsGrant),
    /// A line that cannot be read, or that has no place here ([`Rule::State`](crate::Rule::State)): data of mailboxes before the log-in, data
    /// of messages where no mailbox is selected or about to be. The link goes on.
    Malformed(Malformed<'i>),
}

/// Names a command in flight. It obliges to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub(crate) Stamp);

mail_wire::tokens! {
    /// The answer to a challenge is owed: by [`respond`](super::Client::respond) or [`cancel`](super::Client::cancel).
    AuthTurn "the server waits for the answer to its challenge",
    /// The hand-over to TLS is due.
    TlsGrant "the server waits for the handshake",
    /// The octets of a message are due, as many as were announced. A grant that is dropped never ends the message.
    BodyGrant "the server waits for the message",
    /// IDLE is on, and [`done`](super::Client::done) ends it.
    IdleGrant "nothing can be sent before IDLE is done",
}
