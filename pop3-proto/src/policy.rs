//! What is decided for a connection when it begins, and the named repairs.

use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;
use mail_wire::{Repair as WireRepair, Repairs};

/// Whether something that is dangerous is let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Allow {
    /// It is let through.
    Allow,
    /// It is refused.
    #[default]
    Refuse,
}

/// How a connection stands to TLS (RFC 8314 §3, RFC 2595 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Tls {
    /// Nothing but CAPA, STLS and QUIT before TLS. A refused STLS ends the session of a client.
    Required,
    /// STLS is there for who asks.
    #[default]
    Opportunistic,
    /// STLS is not offered and not sent.
    Off,
}

/// The policies of one connection.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The repairs that are on. A client that has any on is tolerant: what it cannot read is [`Malformed`](crate::Malformed) and the
    /// link goes on. With none on its grammar is strict: that is a [`Violation`](crate::Violation).
    pub grammar: Grammar,
    /// What ends a line of a command or reply. Strict in both roles.
    pub line: LineEnd,
    /// What a server does with a bare CR or LF or a NUL in a body that it sends. What a client receives it passes on as it is.
    pub body_eol: BodyEol,
    /// Whether TLS must stand.
    pub tls: Tls,
    /// A password or token that goes over the wire as it is, before TLS (RFC 5034 §4, RFC 8314 §3).
    pub plaintext_auth: Allow,
    /// APOP: its digest is MD5, and a false server learns from it (RFC 6151 §2).
    pub apop: Allow,
}

impl Policy {
    /// What a server begins with: strict grammar.
    #[must_use]
    pub fn server() -> Self {
        Self { grammar: Grammar::strict(), ..Self::client() }
    }

    /// What a client begins with: tolerant grammar.
    #[must_use]
    pub fn client() -> Self {
        Self {
            grammar: Grammar::tolerant(),
            line: LineEnd::Strict,
            body_eol: BodyEol::Reject,
            tls: Tls::Opportunistic,
            plaintext_auth: Allow::Refuse,
            apop: Allow::Refuse,
        }
    }
}

/// How the grammar is read: a set of named repairs, and whether a malformed unit ends a client's session.
#[derive(Clone, Debug)]
pub struct Grammar {
    /// The repairs, switchable one by one.
    pub repairs: Repairs<Repair>,
    /// Whether a malformed unit is a violation for a client.
    pub strict: bool,
}

impl Grammar {
    /// No repairs; for a client, every malformed unit is a violation.
    #[must_use]
    pub fn strict() -> Self {
        Self { repairs: Repairs::none(), strict: true }
    }

    /// Every repair that [`Repair::usual`] names; a malformed unit is a value.
    #[must_use]
    pub fn tolerant() -> Self {
        let mut repairs = Repairs::none();
        for repair in Repair::ALL {
            repairs.set(*repair, repair.usual());
        }
        Self { repairs, strict: false }
    }
}

/// What real peers get wrong and can be read all the same. None of them moves the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repair {
    /// A challenge that is a `+` without the blank (RFC 5034 §4).
    PlusWithoutBlank,
    /// `+OK` where the first challenge is due: read as an empty one, never as success.
    OkForChallenge,
    /// More than one blank, or blanks at the end, in a line of a listing.
    ExtraBlanks,
    /// A reply to LIST n or UIDL n without its message number: that of the command is taken.
    MissingNumber,
    /// A unique-id of more than 70 octets.
    LongUniqueId,
    /// A negative size in the reply to STAT: the size is unknown.
    NegativeSize,
    /// A status indicator in lower case (RFC 1939 §3 wants upper case).
    LowerCaseStatus,
    /// `_` for `-` in the name of a known capability, such as RESP_CODES. Off unless switched on: `_` is legal in a name.
    UnderscoreForHyphen,
    /// LF alone at the end of a line. Switched by [`Policy::line`] and counted here.
    BareLf,
}

impl Repair {
    /// Whether the tolerant grammar begins with it on.
    #[must_use]
    pub fn usual(self) -> bool {
        !matches!(self, Self::UnderscoreForHyphen)
    }
}

impl WireRepair for Repair {
    const ALL: &'static [Self] = &[
        Self::PlusWithoutBlank,
        Self::OkForChallenge,
        Self::ExtraBlanks,
        Self::MissingNumber,
        Self::LongUniqueId,
        Self::NegativeSize,
        Self::LowerCaseStatus,
        Self::UnderscoreForHyphen,
        Self::BareLf,
    ];

    fn index(self) -> u8 {
        self as u8
    }
}
