//! Which command belongs to which state (RFC 1939 §4 to §7 and §9, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2 and §3).

use crate::command::Verb;

/// The state of a session. UPDATE takes no commands (RFC 1939 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nobody has logged in.
    Authorization,
    /// The maildrop is locked.
    Transaction,
    /// QUIT was given in TRANSACTION.
    Update,
}

/// Whether a command may be given in a state, whatever its argument.
pub(crate) const fn belongs(phase: Phase, verb: Verb) -> bool {
    use Phase::{Authorization, Transaction};
    matches!(
        (phase, verb),
        (Authorization | Transaction, Verb::Capa | Verb::Lang | Verb::Quit)
            | (Authorization, Verb::User | Verb::Pass | Verb::Apop | Verb::Auth | Verb::Stls | Verb::Utf8)
            | (Transaction, Verb::Stat | Verb::List | Verb::Retr | Verb::Dele | Verb::Noop)
            | (Transaction, Verb::Rset | Verb::Top | Verb::Uidl)
    )
}
