//! Commands in flight, in the order of their answers (RFC 2449 §6.6).

use super::event::Ticket;
use crate::command::{Command, Shape};
use crate::types::MessageNumber;
use mail_wire::SecretBuf;

/// A command whose answer is awaited.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) ticket: Ticket,
    pub(crate) asked: Asked,
    /// Octets of answer that the caller expects.
    pub(crate) octets: u64,
    /// How many octets of the server had arrived when it was sent. The answer stands behind them.
    pub(crate) since: u64,
}

/// What must be known of a command to read its answer.
#[derive(Debug)]
pub(crate) enum Asked {
    /// One line, text alone.
    Plain,
    Stat,
    List(MessageNumber),
    Uidl(MessageNumber),
    Language,
    /// Several lines.
    Several(Shape),
    /// PASS or APOP: success is a log-in.
    LogIn,
    Auth(Auth),
    Stls,
    User,
    Quit,
}

/// A SASL exchange.
#[derive(Debug, Default)]
pub(crate) struct Auth {
    /// The initial response that was too long for the command line, as base64.
    pub(crate) held: Option<SecretBuf>,
    /// Whether the server has had a response: before that, no `+OK` is a success.
    pub(crate) responded: bool,
    /// Whether `*` was sent: what is left is the refusal.
    pub(crate) cancelled: bool,
    pub(crate) rounds: u32,
}

impl Asked {
    pub(crate) fn by(command: &Command<'_>) -> Self {
        match command {
            Command::Stat => Self::Stat,
            Command::List(Some(message)) => Self::List(*message),
            Command::Uidl(Some(message)) => Self::Uidl(*message),
            Command::Lang(Some(_)) => Self::Language,
            Command::Pass(_) | Command::Apop { .. } => Self::LogIn,
            Command::Auth { initial, .. } => {
                Self::Auth(Auth { responded: initial.is_some(), ..Auth::default() })
            }
            Command::Stls => Self::Stls,
            Command::User(_) => Self::User,
            Command::Quit => Self::Quit,
            other => match other.shape() {
                Shape::Single => Self::Plain,
                shape => Self::Several(shape),
            },
        }
    }

    /// Whether nothing may be sent behind it before its answer is there (RFC 2449 §6.6; RFC 2595 §4; RFC 5034 §4).
    pub(crate) fn is_last(&self) -> bool {
        matches!(self, Self::Auth(_) | Self::Stls | Self::Quit)
    }
}
