//! Which command belongs to which state (RFC 9051 §3, §6).

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The greeting is owed.
    Greeting,
    /// The client is not known yet (§3.1).
    NotAuthenticated,
    /// No mailbox is selected (§3.2).
    Authenticated,
    /// A mailbox is selected (§3.3).
    Selected,
    /// The session is over (§3.4).
    Logout,
}

/// The states that a command belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Every state.
    Any,
    /// Before the log-in alone.
    NotAuthenticated,
    /// After the log-in.
    Authenticated,
    /// With a mailbox selected.
    Selected,
}

/// Every command with the states that it belongs to.
pub(crate) const TABLE: &[(&str, Place)] = &[
    ("CAPABILITY", Place::Any),
    ("NOOP", Place::Any),
    ("LOGOUT", Place::Any),
    ("ID", Place::Any),
    ("STARTTLS", Place::NotAuthenticated),
    ("AUTHENTICATE", Place::NotAuthenticated),
    ("LOGIN", Place::NotAuthenticated),
    ("CHECK", Place::Selected),
    ("CLOSE", Place::Selected),
    ("UNSELECT", Place::Selected),
    ("EXPUNGE", Place::Selected),
    ("SEARCH", Place::Selected),
    ("FETCH", Place::Selected),
    ("STORE", Place::Selected),
    ("COPY", Place::Selected),
    ("MOVE", Place::Selected),
    ("UID", Place::Selected),
];

impl Place {
    /// Where `name` belongs: a command that is not in the table, known or not, comes after the log-in.
    pub(crate) fn of(name: &[u8]) -> Self {
        let row = TABLE.iter().find(|(row, _)| row.as_bytes().eq_ignore_ascii_case(name));
        row.map_or(Self::Authenticated, |(_, place)| *place)
    }

    pub(crate) const fn allows(self, phase: Phase) -> bool {
        match self {
            Self::Any => true,
            Self::NotAuthenticated => matches!(phase, Phase::NotAuthenticated),
            Self::Authenticated => matches!(phase, Phase::Authenticated | Phase::Selected),
            Self::Selected => matches!(phase, Phase::Selected),
        }
    }
}
