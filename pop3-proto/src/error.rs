//! The errors that a peer causes: [`Malformed`] is a value and the link goes on, [`Violation`] ends it. What the caller
//! does wrong is [`Misuse`](mail_wire::Misuse), or [`Invalid`] where a value is made.

use mail_wire::line::LineFault;
use mail_wire::{Spent, StaleUnit, TapeFull};

/// A fatal fault of the peer or the link. The machine gives the same one for ever after. Holds no octet of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Octets that are no line, by the policy in force (RFC 1939 §3).
    #[error(transparent)]
    Line(#[from] LineFault),
    /// A reply that begins with neither `+OK` nor `-ERR`, nor with a `+` that is awaited (RFC 1939 §3).
    #[error("no status indicator at the start of a reply")]
    Status,
    /// The server refused the connection in its greeting.
    #[error("the greeting refuses the connection")]
    GreetingRefused,
    /// Octets of the server that no command has asked for (RFC 1939 §3). Behind an [`Event::Closing`](crate::client::Event::Closing) too.
    #[error("octets that no command has asked for")]
    Unsolicited,
    /// The server refused STLS, and the policy requires TLS.
    #[error("TLS is required and the server refuses it")]
    Downgrade,
    /// A malformed unit, where the grammar of this connection is strict.
    #[error("malformed: {0}")]
    Malformed(Rule),
    /// The octets ended inside a unit, or while something was owed.
    #[error("the octets end before what was owed")]
    Truncated,
    /// The peer took longer than [`patience`](mail_wire::Machine::patience).
    #[error("the peer took too long")]
    Expired,
    /// The unit is not the one framed last. This one alone is not latched: the unit is framed again.
    #[error(transparent)]
    Stale(#[from] StaleUnit),
    /// More than a limit allows.
    #[error("beyond the limit of {1} {0}")]
    Limit(&'static str, u64),
    /// The peer speaks another protocol, such as HTTP.
    #[error("the peer speaks another protocol")]
    ForeignProtocol,
    /// The application could not send a body to its end; the client sees a cut answer, never a shorter message.
    #[error("a body was broken off")]
    BrokenOff,
}

impl From<Spent> for Violation {
    fn from(spent: Spent) -> Self {
        Self::Limit("octets discarded", spent.whole)
    }
}

/// A unit, or a part of one, that does not parse. The link goes on.
pub type Malformed<'i> = mail_wire::Malformed<'i, Rule>;

/// The rules of the grammar that octets can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// No keyword that this side knows (RFC 1939 §3, RFC 2449 §4).
    #[error("unknown command")]
    Keyword,
    /// Arguments are set apart by one blank (RFC 1939 §3).
    #[error("one blank expected")]
    Blank,
    /// An argument that the command needs is missing.
    #[error("argument missing")]
    Missing,
    /// Octets behind the last argument.
    #[error("octets behind the last argument")]
    Surplus,
    /// A number: decimal digits alone, in range (RFC 1939 §4).
    #[error("not a number in range")]
    Number,
    /// A message number: at least 1 (RFC 1939 §4).
    #[error("not a message number")]
    MessageNumber,
    /// A reply that speaks of another message than the one asked for.
    #[error("another message than the one asked for")]
    OtherMessage,
    /// A unique-id: 1 to 70 octets from 0x21 to 0x7E (RFC 1939 §7).
    #[error("not a unique-id")]
    UniqueId,
    /// A SASL mechanism name (RFC 4422 §3.1).
    #[error("not a mechanism name")]
    Mechanism,
    /// Base64 (RFC 5034 §4).
    #[error("not base64")]
    Base64,
    /// An APOP digest: 32 hexadecimal digits in lower case (RFC 1939 §7).
    #[error("not a digest")]
    Digest,
    /// A language tag or range (RFC 6856 §3.2).
    #[error("not a language")]
    Language,
    /// A capability line (RFC 2449 §3).
    #[error("not a capability")]
    Capability,
    /// An octet that may not stand here: NUL, CR, LF, a control.
    #[error("an octet that may not stand here")]
    Octet,
    /// UTF-8 that is not well-formed (RFC 6856 §2.2).
    #[error("not UTF-8")]
    Utf8,
    /// More parts than the tape holds.
    #[error("too many parts")]
    TooMany,
    /// A line over its limit. Its end was found and the link goes on.
    #[error("line too long")]
    TooLong,
    /// The first word of another protocol, such as HTTP: answered, and the link is closed.
    #[error("another protocol")]
    ForeignProtocol,
}

impl From<TapeFull> for Rule {
    fn from(_: TapeFull) -> Self {
        Self::TooMany
    }
}

/// A value that may not stand on the wire. Nothing of the value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub Rule);
