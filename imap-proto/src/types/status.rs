//! Status responses: how a command ended, and what the server says besides (RFC 9051 §7.1).

use super::code::Code;
use super::text::ResponseText;
use core::fmt;

/// What a status response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Tagged: done. Untagged: something to know.
    Ok,
    /// Tagged: it failed. Untagged: a warning.
    No,
    /// Tagged: the command was not understood. Untagged: so was something else.
    Bad,
    /// The greeting of a connection that is logged in already.
    PreAuth,
    /// The server is about to close the connection.
    Bye,
}

impl Condition {
    /// The condition of this name, without regard to case.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let all = [Self::Ok, Self::No, Self::Bad, Self::PreAuth, Self::Bye];
        all.into_iter().find(|one| name.eq_ignore_ascii_case(one.name().as_bytes()))
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Bad => "BAD",
            Self::PreAuth => "PREAUTH",
            Self::Bye => "BYE",
        }
    }

    /// Whether it can complete a command.
    #[must_use]
    pub const fn is_completion(self) -> bool {
        matches!(self, Self::Ok | Self::No | Self::Bad)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A condition, perhaps with a code for programs, and text for humans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// The condition.
    pub condition: Condition,
    /// The response code.
    pub code: Option<Code<'a>>,
    /// The text. A server may leave it away, against the standard.
    pub text: ResponseText<'a>,
}

impl<'a> Status<'a> {
    /// A status without a code.
    #[must_use]
    pub const fn new(condition: Condition, text: ResponseText<'a>) -> Self {
        Self { condition, code: None, text }
    }

    /// The same with a code.
    #[must_use]
    pub const fn with_code(self, code: Code<'a>) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Whether the condition is OK.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        matches!(self.condition, Condition::Ok)
    }
}
