//! The vectors that a design choice of this project overturns, each with the reason. They are counted in every run.

/// Identifier and reason.
pub(crate) const OVERTURNED: &[(&str, &str)] = &[
    ("rfc1734-131", TWO_SESSIONS),
    ("rfc821-3257", OBSOLETE),
    ("rfc821-3319", OBSOLETE),
    ("rfc821-3373", OBSOLETE),
    ("rfc821-3260", OBSOLETE),
    ("rfc821-3322", OBSOLETE),
    ("rfc821-3376", OBSOLETE),
    ("rfc2821-4211", OBSOLETE),
    ("rfc2821-4213", OBSOLETE),
    ("rfc3865-489", "the transcript leaves out the reply to MAIL, which no client may"),
    ("rfc4141-947", "a path without angle brackets (RFC 5321 section 4.1.2); smtp-q-31a wants it refused"),
    ("rfc4954-404", NOTE),
    ("rfc4954-407", NOTE),
    ("rfc4954-408", NOTE),
];

const TWO_SESSIONS: &str = "the block shows two sessions one behind the other: no client sends AUTH after a log-in (RFC 1939 section 4)";
const OBSOLETE: &str =
    "SEND, SOML and SAML are obsolete and answered 502, so that no RCPT follows (RFC 5321, appendix F.6)";
const NOTE: &str = "a remark of the RFC's author stands in the AUTH command of this exchange";

/// The reason, if a record is overturned.
pub(crate) fn reason(id: &str) -> Option<&'static str> {
    OVERTURNED.iter().find(|(overturned, _)| *overturned == id).map(|(_, reason)| *reason)
}
