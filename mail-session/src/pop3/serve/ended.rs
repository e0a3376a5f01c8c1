//! How a connection ends.

use crate::error::Error;
use mail_pop3_proto::Violation;
use mail_pop3_proto::server::Abort;
use mail_pop3_proto::types::MessageNumber;
use mail_wire::Misuse;
use std::{fmt, io};

/// How a connection has ended that broke no rule.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ended {
    /// Before a log-in.
    BeforeLogIn,
    /// By QUIT: so many messages were marked, and the maildrop says that they are removed.
    Committed(usize),
    /// By QUIT, and the maildrop could not remove them all.
    NotCommitted(io::Error),
    /// Without QUIT: nothing was removed.
    Aborted(Abort),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeLogIn => f.write_str("over before a log-in"),
            Self::Committed(messages) => write!(f, "{messages} messages removed"),
            Self::NotCommitted(error) => write!(f, "marked messages not removed: {error}"),
            Self::Aborted(Abort::Lost) => f.write_str("the client has gone; nothing removed"),
            Self::Aborted(Abort::Shutdown) => f.write_str("shut down; nothing removed"),
            Self::Aborted(Abort::Violation(violation)) => write!(f, "{violation}; nothing removed"),
        }
    }
}

/// How a connection has failed. A maildrop that was locked has been dropped, and nothing was removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The session failed.
    #[error(transparent)]
    Session(Error<Violation>),
    /// The maildrop failed in the middle of this message. The client has seen that it is cut.
    #[error("message {0} cannot be read to its end: {1}")]
    Read(MessageNumber, io::Error),
    /// This message ended by so many octets before the size that was listed. The client has seen that it is cut.
    #[error("message {0} ends {1} octets before its listed size")]
    Short(MessageNumber, u64),
    /// This message holds what the policy keeps from being sent, such as a bare LF. The client has seen that it is cut.
    #[error("message {0} cannot be sent to its end: {1}")]
    Message(MessageNumber, Misuse),
    /// The machine does not take an answer.
    #[error(transparent)]
    Misuse(Misuse),
}

impl From<Error<Violation>> for ServeError {
    fn from(error: Error<Violation>) -> Self {
        Self::Session(error)
    }
}

impl From<Misuse> for ServeError {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}
