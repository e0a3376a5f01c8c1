//! The two families of errors that a peer causes: a [`Malformed`] unit, after which the link goes on, and a
//! [`Violation`], after which nothing more is read. The third, the caller's, is [`Misuse`](mail_wire::Misuse).
//!
//! No message of these types holds an octet of the peer.

use mail_wire::StaleUnit;
use mail_wire::line::LineFault;

/// Which rule of the grammar a unit or a value breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// The verb is none that this server knows (RFC 5321 §4.2.4: 500).
    #[error("no such command")]
    Verb,
    /// An argument is missing, or is not what the command takes (RFC 5321 §4.1.1: 501).
    #[error("the argument is missing or malformed")]
    Argument,
    /// The command takes no argument (RFC 5321 §4.1.1: 501).
    #[error("the command takes no argument")]
    NoArgument,
    /// Spaces where the grammar has none, or two for one (RFC 5321 §4.1.1.1).
    #[error("a space where the grammar has none")]
    Spaces,
    /// A control octet, or a line end inside a value (RFC 5321 §4.1.2).
    #[error("a control octet")]
    Control,
    /// The path is not `<...>` (RFC 5321 §4.1.2).
    #[error("the path is malformed")]
    Path,
    /// Neither a dot-string nor a quoted string (RFC 5321 §4.1.2).
    #[error("the local part is malformed")]
    LocalPart,
    /// Over 64 octets (RFC 5321 §4.5.3.1.1).
    #[error("the local part is longer than 64 octets")]
    LocalTooLong,
    /// Not a domain (RFC 5321 §4.1.2).
    #[error("the domain is malformed")]
    Domain,
    /// Over 255 octets (RFC 5321 §4.5.3.1.2).
    #[error("the domain is longer than 255 octets")]
    DomainTooLong,
    /// Over 256 octets with its brackets (RFC 5321 §4.5.3.1.3).
    #[error("the path is longer than 256 octets")]
    PathTooLong,
    /// Not an address literal (RFC 5321 §4.1.3).
    #[error("the address literal is malformed")]
    AddressLiteral,
    /// Octets above 127 where SMTPUTF8 is not in force, or that are no UTF-8 (RFC 6531 §3.3).
    #[error("not ASCII, and SMTPUTF8 is not in force")]
    NotAscii,
    /// A parameter that is not `keyword[=value]` (RFC 5321 §4.1.2).
    #[error("a parameter is malformed")]
    Parameter,
    /// A parameter of an extension that is not offered, or one that nobody knows (RFC 5321 §4.1.1.11: 555).
    #[error("the parameter is not recognised")]
    ParameterUnknown,
    /// A parameter given twice (RFC 5321 §4.1.1.11).
    #[error("a parameter is given twice")]
    Duplicate,
    /// A parameter whose value does not fit its extension.
    #[error("the value of a parameter is malformed")]
    Value,
    /// Not xtext, or xtext that hides a control octet (RFC 3461 §4).
    #[error("not xtext")]
    Xtext,
    /// Not a number, or beyond 64 bits.
    #[error("not a number that fits")]
    Number,
    /// The size of a chunk cannot be read, so its end is unknown (RFC 3030 §2).
    #[error("the size of the chunk cannot be read")]
    ChunkSize,
    /// Not the name of a SASL mechanism (RFC 4422 §3.1).
    #[error("the name of the mechanism is malformed")]
    Mechanism,
    /// Not base64 (RFC 4954 §4).
    #[error("not base64")]
    Base64,
    /// A reply line that is not a code, a separator and a text (RFC 5321 §4.2).
    #[error("the reply line is malformed")]
    ReplyLine,
    /// A line of the EHLO reply that is no keyword with parameters (RFC 5321 §4.1.1.1).
    #[error("a line of the EHLO reply is malformed")]
    EhloLine,
    /// Not an enhanced status code (RFC 3463 §2).
    #[error("the enhanced status code is malformed")]
    EnhancedCode,
    /// Not a reply code (RFC 5321 §4.2).
    #[error("the reply code is malformed")]
    Code,
    /// A line beyond its limit.
    #[error("the line is too long")]
    TooLong,
}

/// A value that breaks a rule: it was not built, and nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{rule}, at octet {at}")]
pub struct Invalid {
    /// The rule.
    pub rule: Rule,
    /// Where, counted from the start of the value.
    pub at: usize,
}

/// A unit that does not parse. The link goes on.
pub type Malformed<'i> = mail_wire::Malformed<'i, Rule>;

/// Another protocol that a peer seems to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Foreign {
    /// A request line of HTTP.
    Http,
    /// A TLS record where plain text is due.
    Tls,
    /// A greeting of IMAP.
    Imap,
    /// A greeting of POP3.
    Pop3,
    /// A banner of SSH.
    Ssh,
}

/// Why TLS could not be had though the policy requires it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Downgrade {
    /// The server does not offer STARTTLS.
    NotOffered,
    /// The server refused EHLO, so that nothing is offered.
    EhloRefused(u16),
    /// The server refused STARTTLS with this code.
    Refused(u16),
}

/// The end of a session by a fault. Nothing the peer sent behind it is read, and the machine says the same for ever after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A line without end, or with a bare CR or LF (RFC 5321 §2.3.8).
    #[error("line: {0}")]
    Line(#[from] LineFault),
    /// A reply that cannot be read (RFC 5321 §4.2).
    #[error("reply: {0}")]
    Reply(Rule),
    /// Under the strict grammar, something that a tolerant client would report and pass over.
    #[error("malformed: {0}")]
    Malformed(Rule),
    /// The lines of one reply have different codes (RFC 5321 §4.2.1).
    #[error("the lines of one reply have different codes")]
    CodesDiffer,
    /// A reply that no command awaits.
    #[error("a reply that no command awaits")]
    Unsolicited,
    /// A 3yz reply to a command that has no such answer (RFC 5321 §4.3.2).
    #[error("{0} is no reply to this command")]
    Unexpected(u16),
    /// TLS is required and cannot be had (RFC 3207 §4.1).
    #[error("TLS is required and cannot be had: {0:?}")]
    Downgrade(Downgrade),
    /// Octets behind a synchronisation point (RFC 2920 §3.1).
    #[error("octets behind a command that ends a pipelining group")]
    Synchronisation,
    /// The client spoke before the greeting (RFC 5321 §3.1).
    #[error("the client spoke before the greeting")]
    EarlyTalker,
    /// The peer speaks another protocol.
    #[error("the peer speaks another protocol: {0:?}")]
    ForeignProtocol(Foreign),
    /// The size of a chunk cannot be read, so nobody knows where the next command is (RFC 3030 §2).
    #[error("the end of the chunk is unknown")]
    ChunkLost,
    /// More than a limit of [`Limits`](crate::Limits) allows: its name and its value.
    #[error("beyond the limit of {1} {0}")]
    Limit(&'static str, u64),
    /// The octets ended inside a unit, or with something owed.
    #[error("the octets end before what was owed")]
    Truncated,
    /// The peer was silent longer than [`patience`](mail_wire::Machine::patience).
    #[error("the peer was silent too long")]
    Expired,
    /// The unit is stale or another input's: a fault of the driver.
    #[error(transparent)]
    Stale(#[from] StaleUnit),
}
