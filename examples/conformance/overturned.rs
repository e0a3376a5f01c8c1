//! The vectors that a design choice of this project overturns, each with the reason. They are counted in every run.

/// Identifier and reason.
pub(crate) const OVERTURNED: &[(&str, &str)] = &[(
    "rfc1734-131",
    "the block shows two sessions one behind the other: no client sends AUTH after a log-in (RFC 1939 section 4)",
)];

/// The reason, if a record is overturned.
pub(crate) fn reason(id: &str) -> Option<&'static str> {
    OVERTURNED.iter().find(|(overturned, _)| *overturned == id).map(|(_, reason)| *reason)
}
