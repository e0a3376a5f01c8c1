//! Operations of several steps, written once, without a socket: events in, commands out. The drivers only drive them.

use crate::error::Error;
use crate::sasl::SaslError;
use crate::tls::{Tls, TlsError};
use crate::turn::Turn;
use mail_pop3_proto::types::Code;
use mail_wire::{Machine, Misuse, Returned};
use std::fmt;

/// What a flow wants next.
#[must_use]
#[derive(Debug)]
pub enum Progress<T, U> {
    /// The next event.
    More,
    /// The hand-over to TLS, by [`Flow::tls`]; then [`Flow::begin`] is called again.
    StartTls(U),
    /// It is done.
    Done(T),
}

/// An operation of several steps on a machine.
///
/// A driver runs it to its end: `run` where it may make TLS, `perform` where it never does.
pub trait Flow<M: Machine> {
    /// What it gives.
    type Output;
    /// The token of the hand-over to TLS: [`Machine::Upgrade`], or [`Infallible`](std::convert::Infallible) where none is ever made.
    type Upgrade;

    /// Queues what is due at the beginning, and again when TLS stands.
    ///
    /// # Errors
    /// A [`Failure`] ends the flow.
    fn begin(&mut self, turn: Turn<'_, M>) -> Result<Progress<Self::Output, Self::Upgrade>, Failure>;

    /// Takes an event and queues what follows from it.
    ///
    /// # Errors
    /// A [`Failure`] ends the flow.
    fn on(
        &mut self,
        event: M::Event<'_>,
        turn: Turn<'_, M>,
    ) -> Result<Progress<Self::Output, Self::Upgrade>, Failure>;

    /// What TLS is made with. A flow that never asks for the hand-over has none.
    ///
    /// # Errors
    /// [`Failure::Tls`].
    fn tls(&mut self) -> Result<Tls, Failure> {
        Err(Failure::NoTls)
    }
}

/// An operation that gives its result in parts, as it arrives: each event of the machine is one part, so that a part may borrow.
pub trait Parts<M: Machine> {
    /// A part.
    type Part<'i>;

    /// Queues what is due. The drivers call it before each wait, so that it also fills what room there is again.
    ///
    /// # Errors
    /// A [`Failure`] ends the operation.
    fn fill(&mut self, turn: Turn<'_, M>) -> Result<(), Failure>;

    /// What an event is to the operation.
    ///
    /// # Errors
    /// A [`Failure`] ends the operation.
    fn part<'i>(&mut self, event: M::Event<'i>) -> Result<Self::Part<'i>, Failure>;

    /// Whether there is no part any more.
    fn is_over(&self) -> bool;
}

/// A refusal by the server, in the words of its protocol.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    code: Option<u16>,
    name: Option<Box<[u8]>>,
    permanent: Option<bool>,
    text: Vec<u8>,
}

impl Refusal {
    pub(crate) fn new(code: Option<u16>, text: &[u8]) -> Self {
        Self { code, name: None, permanent: None, text: text.to_vec() }
    }

    /// The same with a response code, and whether it says that the same will fail again.
    pub(crate) fn named(self, name: Option<&[u8]>, permanent: Option<bool>) -> Self {
        Self { name: name.map(Box::from), permanent, ..self }
    }

    /// The reply code of SMTP.
    #[must_use]
    pub const fn code(&self) -> Option<u16> {
        self.code
    }

    /// The extended response code of POP3 (RFC 2449 §8), such as `IN-USE`, as it stands between the brackets.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        self.name.as_deref()
    }

    /// Whether the same command will fail again until somebody does something: by the code of SMTP (RFC 5321 §4.2.1) and the response code
    /// of POP3 (RFC 3206). `None` where the server does not tell.
    #[must_use]
    pub fn is_permanent(&self) -> Option<bool> {
        match self.code {
            Some(400..=499) => Some(false),
            Some(500..=599) => Some(true),
            _ => self.permanent,
        }
    }

    /// The response code, where it is one that a standard has: another one may repeat what was sent.
    fn known(&self) -> Option<Code<'_>> {
        let code = self.name().and_then(|name| Code::try_from(name).ok());
        code.filter(|code| !matches!(code, Code::Other(_)))
    }

    /// What the server says. Nothing stops a server from repeating what it was sent: it is not shown by `Debug` and `Display`.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self}, {} octets of text)", self.text.len())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server refuses")?;
        match (self.code, self.known()) {
            (Some(code), _) => write!(f, ": {code}"),
            (None, Some(code)) => write!(f, ": {code}"),
            (None, None) => Ok(()),
        }
    }
}

/// Why a flow gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The server refuses to serve us, to make TLS, or to go on.
    #[error("{0}")]
    Refused(Refusal),
    /// The server goes away, which nobody has asked for, and says why: a POP3 server at autologout, for one. What was asked meanwhile is answered
    /// by nobody.
    #[error("the server goes away")]
    Closing(Refusal),
    /// The server refuses the log-in.
    #[error("log-in: {0}")]
    LogIn(Refusal),
    /// TLS is required and the server does not offer it.
    #[error("TLS is required and not offered")]
    NoTls,
    /// The server offers no mechanism that fits the credentials and the security of the link.
    #[error("no log-in mechanism fits")]
    NoMechanism,
    /// The server offers no mechanism as good as the caller asks for.
    #[error("no log-in mechanism is as good as asked for")]
    Downgrade,
    /// The SASL exchange failed on our side.
    #[error("SASL: {0}")]
    Sasl(SaslError),
    /// TLS cannot be made with what was given.
    #[error("TLS: {0}")]
    Tls(TlsError),
    /// The machine does not take a command, such as a name that cannot stand on the wire.
    #[error(transparent)]
    Misuse(Misuse),
    /// An answer is positive, and does not say what it should.
    #[error("the answer cannot be read: {rule} at octet {at}")]
    Malformed {
        /// The rule that broke.
        rule: String,
        /// Where, counted from the start of the line.
        at: usize,
    },
    /// A message is longer than the caller takes.
    #[error("the message is longer than {0} octets")]
    TooLong(usize),
    /// The server does what belongs to nothing that was asked.
    #[error("an answer to nothing that was asked")]
    Unexpected,
    /// The session ended in the middle.
    #[error("the session ended before it was done")]
    Ended,
}

impl From<Misuse> for Failure {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl<T> From<Returned<T>> for Failure {
    fn from(returned: Returned<T>) -> Self {
        Self::Misuse(returned.why)
    }
}

impl From<SaslError> for Failure {
    fn from(error: SaslError) -> Self {
        Self::Sasl(error)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

/// Why a driver could not bring a flow to its end.
#[derive(Debug, thiserror::Error)]
pub enum FlowError<E> {
    /// The session failed.
    #[error(transparent)]
    Session(Error<E>),
    /// The flow failed.
    #[error(transparent)]
    Flow(Failure),
}

impl<E> FlowError<E> {
    /// What the server has said, if it is a refusal: of an operation, of the log-in, or of the session as a whole.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Flow(Failure::Refused(refusal) | Failure::LogIn(refusal) | Failure::Closing(refusal)) => {
                Some(refusal)
            }
            _ => None,
        }
    }
}

/// An error of the socket stays what it is; any other is wrapped, and [`get_ref`](std::io::Error::get_ref) gives it.
impl<E: std::error::Error + Send + Sync + 'static> From<FlowError<E>> for std::io::Error {
    fn from(error: FlowError<E>) -> Self {
        match error {
            FlowError::Session(error) => error.into(),
            other => Self::other(other),
        }
    }
}

impl<E> From<Error<E>> for FlowError<E> {
    fn from(error: Error<E>) -> Self {
        Self::Session(error)
    }
}

impl<E> From<std::io::Error> for FlowError<E> {
    fn from(error: std::io::Error) -> Self {
        Self::Session(Error::Io(error))
    }
}

impl<E> From<Failure> for FlowError<E> {
    fn from(failure: Failure) -> Self {
        Self::Flow(failure)
    }
}
