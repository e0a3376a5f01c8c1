//! How a session fails.

use mail_wire::HandoverError;
use std::io;

/// Why a session gave no event. `E` is the violation type of the machine.
///
/// No message holds an octet of what was sent or received. [`Error::AnswerOwed`] and [`Error::UpgradeOwed`] are the caller's
/// and change nothing; all others are final: the same call fails again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<E> {
    /// The peer broke the protocol, or what it still owed cannot come any more.
    #[error(transparent)]
    Machine(E),
    /// TLS failed: the handshake, the check of the certificate, or a record.
    #[error("TLS: {0}")]
    Tls(rustls::Error),
    /// The hand-over to TLS was refused: plaintext behind the upgrade, or a token that was not due.
    #[error(transparent)]
    Handover(HandoverError),
    /// The connection ended inside the TLS handshake.
    #[error("the connection ended inside the TLS handshake")]
    HandshakeCut,
    /// The connection ended under TLS without close_notify while nothing was owed. Somebody on the way may have cut it
    /// (RFC 8446 §6.1).
    #[error("the connection was cut without close_notify")]
    Unclean,
    /// The peer took longer than the standard allows in this state.
    #[error("the peer took too long")]
    Timeout,
    /// An answer, a body or an exchange is owed by the application, so nothing can arrive. The usual reason is a dropped token.
    #[error("an answer is owed to the peer")]
    AnswerOwed,
    /// The hand-over to TLS is due: call `start_tls` with the token of the event.
    #[error("the hand-over to TLS is due")]
    UpgradeOwed,
    /// No body is being received. The event that came in its place is lost.
    #[error("no body is being received")]
    NoBody,
    /// The machine asks for more octets than it lets the input take. No machine of this suite does so.
    #[error("the machine asks for more than it allows")]
    Stuck,
    /// The socket failed.
    #[error(transparent)]
    Io(io::Error),
}

impl<E> From<io::Error> for Error<E> {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<E> From<HandoverError> for Error<E> {
    fn from(error: HandoverError) -> Self {
        Self::Handover(error)
    }
}

impl<E> From<rustls::Error> for Error<E> {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

/// An error of the socket stays what it is; any other is wrapped, and [`get_ref`](io::Error::get_ref) gives it.
impl<E: std::error::Error + Send + Sync + 'static> From<Error<E>> for io::Error {
    fn from(error: Error<E>) -> Self {
        match error {
            Error::Io(error) => error,
            other => Self::other(other),
        }
    }
}

impl<E> Error<E> {
    /// Whether the session is still good: the caller can make up for what is missing.
    #[must_use]
    pub fn is_recoverable(&self) -> bool {
        matches!(self, Self::AnswerOwed | Self::UpgradeOwed)
    }
}
