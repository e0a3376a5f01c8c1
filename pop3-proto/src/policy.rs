//! What is decided for a connection when it begins, and the named repairs.

use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;

pub use mail_wire::{Allow, Tls};

/// The policies of one connection.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The repairs that are on. A client that has any on is tolerant: what it cannot read is [`Malformed`](crate::Malformed) and the
    /// link goes on. With none on its grammar is strict: that is a [`Violation`](crate::Violation).
    pub grammar: Grammar,
    /// What ends a line of a command or reply. Strict in both roles.
    pub line: LineEnd,
    /// Whether TLS must stand. Before it, [`Tls::Required`] leaves CAPA, STLS and QUIT (RFC 2595 §2.2, RFC 8314 §3).
    pub tls: Tls,
    /// A password or token that goes over the wire as it is, before TLS (RFC 5034 §4, RFC 8314 §3).
    pub plaintext_auth: Allow,
    /// APOP: its digest is MD5, and a false server learns from it (RFC 6151 §2).
    pub apop: Allow,
    /// What a server does with a bare CR or LF or a NUL in a body that it sends. What a client receives it passes on as it is.
    pub body_eol: BodyEol,
}

impl Policy {
    /// What a server begins with: strict grammar.
    #[must_use]
    pub fn server() -> Self {
        Self::with(Grammar::strict())
    }

    /// What a client begins with: tolerant grammar.
    #[must_use]
    pub fn client() -> Self {
        Self::with(Grammar::tolerant())
    }

    fn with(grammar: Grammar) -> Self {
        Self {
            grammar,
            line: LineEnd::Strict,
            tls: Tls::Opportunistic,
            plaintext_auth: Allow::Refuse,
            apop: Allow::Refuse,
            body_eol: BodyEol::Reject,
        }
    }
}

/// How the grammar is read; see [`mail_wire::Grammar`].
pub type Grammar = mail_wire::Grammar<Repair>;

/// What real peers get wrong and can be read all the same. None of them moves the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repair {
    /// A challenge that is a `+` without the blank (RFC 5034 §4).
    PlusWithoutBlank,
    /// `+OK` where the first challenge is due: read as an empty one, never as success.
    OkForChallenge,
    /// More than one blank, or blanks at either end, in a line of a listing; more than one, or blanks at the end, in one of capabilities; more
    /// than one in front of what the answer to STAT, LIST n or UIDL n says, or in it.
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

impl mail_wire::Repair for Repair {
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

    fn is_usual(self) -> bool {
        !matches!(self, Self::UnderscoreForHyphen)
    }
}

/// Who says whether a repair is made: the counters of a connection, or the bare switches of an event that is read lazily.
pub(crate) trait Mend {
    /// Whether the repair is on.
    fn is_on(&self, repair: Repair) -> bool;
    /// Makes the repair if it is on, and says whether it is.
    fn mend(&mut self, repair: Repair) -> bool;
}

impl Mend for mail_wire::Repairs<Repair> {
    fn is_on(&self, repair: Repair) -> bool {
        Self::is_on(self, repair)
    }

    fn mend(&mut self, repair: Repair) -> bool {
        self.take(repair)
    }
}

/// The switches alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Switches(u16);

impl Switches {
    pub(crate) fn of(repairs: &mail_wire::Repairs<Repair>) -> Self {
        use mail_wire::Repair as _;
        let on =
            |bits, repair: &Repair| if repairs.is_on(*repair) { bits | Self::bit(*repair) } else { bits };
        Self(Repair::ALL.iter().fold(0, on))
    }

    fn bit(repair: Repair) -> u16 {
        1_u16.checked_shl(u32::from(repair as u8)).unwrap_or(0)
    }
}

impl Mend for Switches {
    fn is_on(&self, repair: Repair) -> bool {
        self.0 & Self::bit(repair) != 0
    }

    fn mend(&mut self, repair: Repair) -> bool {
        self.is_on(repair)
    }
}
