//! The vectors that a design choice of this project overturns, each with the reason. They are counted in every run.

/// Identifier and reason.
pub(crate) const OVERTURNED: &[(&str, &str)] = &[
    ("rfc821-3257", OBSOLETE),
    ("rfc821-3260", OBSOLETE),
    ("rfc821-3319", OBSOLETE),
    ("rfc821-3322", OBSOLETE),
    ("rfc821-3373", OBSOLETE),
    ("rfc821-3376", OBSOLETE),
    ("rfc1730-1991", OLD_IMAP),
    ("rfc1730-1995", TAGS),
    ("rfc1730-3897", OLD_IMAP),
    ("rfc1730-3927", OLD_IMAP),
    ("rfc1734-131", TWO_SESSIONS),
    ("rfc2062-119", OLD_IMAP),
    ("rfc2222-624", TWO_SESSIONS),
    ("rfc2222-638", NO_SASL_IR),
    ("rfc2821-4211", OBSOLETE),
    ("rfc2821-4213", OBSOLETE),
    ("rfc3865-489", "the transcript leaves out the reply to MAIL, which no client may pass over"),
    ("rfc4141-947", "a path without angle brackets (RFC 5321 section 4.1.2); smtp-q-31a wants it refused"),
    ("rfc4314-324", TAGS),
    ("rfc4505-184", TAGS),
    ("rfc4954-404", NOTE),
    ("rfc4954-407", NOTE),
    ("rfc4954-408", NOTE),
    ("rfc4978-202", "COMPRESS before any log-in, where RFC 4978 section 3 does not have it"),
    ("rfc5259-925", TAGS),
    ("rfc6237-186", TAGS),
    ("rfc7162-2321", TAGS),
    ("rfc8474-440", TAGS),
    ("rfc9051-6216", NO_SASL_IR),
];

const OBSOLETE: &str =
    "SEND, SOML and SAML are obsolete and answered 502, so that no RCPT follows (RFC 5321, appendix F.6)";
const OLD_IMAP: &str = "a form of IMAP4 or IMAP2bis that is obsolete since RFC 2060";
const TWO_SESSIONS: &str =
    "two sessions one behind the other: no client logs in twice (RFC 1939 section 4, RFC 9051 section 3)";
const NOTE: &str = "a remark of the RFC's author stands in the AUTH command of this exchange";
const TAGS: &str = "the transcript completes another tag than its command has, or uses a tag twice";
const NO_SASL_IR: &str = "an initial response where no SASL-IR is announced, or not since TLS: the client holds it back (RFC 4959 section 3)";

/// The reason, if a record is overturned.
pub(crate) fn reason(id: &str) -> Option<&'static str> {
    OVERTURNED.iter().find(|(overturned, _)| *overturned == id).map(|(_, reason)| *reason)
}
