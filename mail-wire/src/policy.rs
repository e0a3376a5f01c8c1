//! What is decided for a connection when it begins, in the words that all protocols share.

use crate::repair::{Repair, Repairs};

/// Whether something that is dangerous is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Allow {
    /// It is let through.
    Allow,
    /// It is refused.
    #[default]
    Refuse,
}

impl Allow {
    /// Whether it is let through.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allow)
    }
}

/// How a connection stands to TLS (RFC 8314 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tls {
    /// Before TLS nothing is done but what leads to it. A client whose upgrade is refused ends the session.
    Required,
    /// The upgrade is there for who asks.
    #[default]
    Opportunistic,
    /// The upgrade is not offered and not asked for.
    Off,
}

/// How the grammar is read: a set of named repairs, and whether what is malformed all the same ends a client's session.
#[derive(Clone, Debug)]
pub struct Grammar<R: Repair> {
    /// The repairs, switchable one by one.
    pub repairs: Repairs<R>,
    /// Whether a malformed unit is a violation for a client. A server refuses the unit in either case, and goes on.
    pub strict: bool,
}

impl<R: Repair> Grammar<R> {
    /// No repairs; for a client, everything malformed is a violation.
    #[must_use]
    pub fn strict() -> Self {
        Self { repairs: Repairs::none(), strict: true }
    }

    /// Every [usual](Repair::is_usual) repair; what is malformed all the same is a value, and the link goes on.
    #[must_use]
    pub fn tolerant() -> Self {
        let mut repairs = Repairs::none();
        for repair in R::ALL {
            repairs.set(*repair, repair.is_usual());
        }
        Self { repairs, strict: false }
    }
}
