//! What a server is told, and the tokens that come with it.

use crate::command::{Command, Verb};
use crate::error::Malformed;
use crate::types::{Code, Mechanism};
use core::fmt;
use mail_wire::dot::BodyFault;
use mail_wire::{Secret, Stamp};

/// What the machine tells the application.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'i> {
    /// A client has connected: answer with the greeting (220), or with a refusal (554, 421).
    Connected(Answer),
    /// A command to be answered: MAIL, RCPT, VRFY, EXPN, ETRN, BURL, XCLIENT. A positive answer to MAIL opens the transaction.
    Command(Command<'i>, Answer),
    /// A command that the machine answers: EHLO, HELO, LHLO, NOOP, HELP, RSET, QUIT. The first three, and RSET, end the transaction.
    Answered(Command<'i>),
    /// A command that the machine refuses.
    Refused(Refused),
    /// A command line that does not parse, or a verb that this crate does not know.
    Malformed(Malformed<'i>, Answer),
    /// AUTH: a SASL exchange begins (RFC 4954 §4).
    Auth {
        /// One of those that are offered.
        mechanism: Mechanism<'i>,
        /// The initial response, decoded where it stood. It is overwritten with the rest of the unit.
        initial: Option<Secret<&'i [u8]>>,
        /// What is owed: a challenge, acceptance or refusal.
        turn: AuthTurn,
    },
    /// The client's answer to a challenge, decoded where it stood.
    AuthResponse(Secret<&'i [u8]>, AuthTurn),
    /// The exchange is over without a result: the client cancelled it, or sent what is no base64. The machine answers.
    AuthCancelled,
    /// STARTTLS: hand over by [`start_tls`](mail_wire::Machine::start_tls), or refuse by [`Server::refuse_tls`](super::Server::refuse_tls).
    StartTls(TlsOffer),
    /// DATA or BDAT: [`Server::accept_body`](super::Server::accept_body) or [`Server::refuse_body`](super::Server::refuse_body).
    Body(BodyOffer),
    /// Octets of the message, as the sender meant them.
    Chunk(&'i [u8]),
    /// The message is complete: the answer takes responsibility for it, or refuses it (RFC 5321 §4.2.5).
    BodyEnd(Answer),
    /// The message that was begun will not be completed. The machine answers, if there is anybody to answer to.
    Abort(Abort),
}

/// A command that the machine refuses by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The verb, where it is one of this crate's.
    pub verb: Option<Verb>,
    /// The code of the reply. In LMTP a BDAT LAST without a recipient has none at all (RFC 2033 §4.3), and 503 stands here.
    pub code: Code,
}

/// Why a message that was begun is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Abort {
    /// An octet that has no place in a body, under [`BodyEol::Reject`](mail_wire::dot::BodyEol::Reject).
    Fault(BodyFault),
    /// Over [`Limits::message`](crate::Limits::message).
    TooLarge,
    /// RSET, EHLO, or a chunk that was refused, between the chunks of a message.
    Reset,
    /// The connection ends.
    Ended,
}

/// The form of a body that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// DATA: the whole message follows the 354.
    Data,
    /// BDAT: so many octets follow at once. The message goes on with the next chunk unless this one is the last (RFC 3030 §2).
    Chunk {
        /// The octets of this chunk.
        octets: u64,
        /// Whether the message has had a chunk before.
        first: bool,
        /// Whether it ends the message.
        last: bool,
    },
}

mail_wire::tokens! {
    /// An answer that is owed. Good for one [`Server::answer`](super::Server::answer) or [`Server::refuse`](super::Server::refuse).
    ///
    /// ```
    /// # use mail_smtp_proto::{Server, ReplyBuf, server::Answer};
    /// # use mail_wire::Output;
    /// fn once(server: &mut Server, answer: Answer, reply: &ReplyBuf, output: &mut Output) {
    ///     let _ = server.answer(answer, reply, output);
    /// }
    /// ```
    /// It cannot be given twice:
    /// ```compile_fail,E0382
    /// # use mail_smtp_proto::{Server, ReplyBuf, server::Answer};
    /// # use mail_wire::Output;
    /// fn once(server: &mut Server, answer: Answer, reply: &ReplyBuf, output: &mut Output) {
    ///     let _ = server.answer(answer, reply, output);
    ///     let _ = server.answer(answer, reply, output);
    /// }
    /// ```
    Answer "it is owed: while it is held, no command is read",
    /// The server's turn in an AUTH exchange.
    AuthTurn "it is owed: while it is held, no command is read",
    /// A STARTTLS that waits for the hand-over.
    TlsOffer "it is owed: while it is held, no command is read",
}

/// A body that a client offers.
#[must_use = "it is owed: while it is held, nothing is read"]
pub struct BodyOffer {
    pub(super) stamp: Stamp,
    pub(super) form: BodyForm,
}

impl BodyOffer {
    /// DATA, or a chunk.
    #[must_use]
    pub const fn form(&self) -> BodyForm {
        self.form
    }
}

impl fmt::Debug for BodyOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyOffer({:?})", self.form)
    }
}
