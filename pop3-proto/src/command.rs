//! Commands: what a client sends and a server reads.

use crate::error::{Invalid, Malformed, Rule};
use crate::kept::{Kept, OwnedCommand};
use crate::parse;
use crate::types::{Digest, InitialResponse, LanguageRange, Mechanism, MessageNumber, Password, UserName};

/// A command (RFC 1939 §3, RFC 2449 §4). Every value of it can stand on the wire.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// USER (RFC 1939 §7): the name of the mailbox.
    User(UserName<'a>),
    /// PASS (RFC 1939 §7): the password, blanks and all.
    Pass(Password<'a>),
    /// APOP (RFC 1939 §7).
    Apop {
        /// The name of the mailbox.
        name: UserName<'a>,
        /// The proof.
        digest: Digest,
    },
    /// AUTH (RFC 5034 §4).
    Auth {
        /// The SASL mechanism.
        mechanism: Mechanism<'a>,
        /// The initial response. Withheld until the server's first challenge where the line would pass 255 octets.
        initial: Option<InitialResponse<'a>>,
    },
    /// AUTH without an argument: which mechanisms there are. No RFC has it; many servers do.
    AuthList,
    /// CAPA (RFC 2449 §5).
    Capa,
    /// STLS (RFC 2595 §4).
    Stls,
    /// UTF8 (RFC 6856 §2.1).
    Utf8,
    /// LANG (RFC 6856 §3): which languages there are, or which one to speak.
    Lang(Option<LanguageRange<'a>>),
    /// QUIT (RFC 1939 §5 and §6).
    Quit,
    /// STAT (RFC 1939 §5).
    Stat,
    /// LIST (RFC 1939 §5): the sizes of all messages, or of one.
    List(Option<MessageNumber>),
    /// RETR (RFC 1939 §5).
    Retr(MessageNumber),
    /// DELE (RFC 1939 §5).
    Dele(MessageNumber),
    /// NOOP (RFC 1939 §5).
    Noop,
    /// RSET (RFC 1939 §5).
    Rset,
    /// TOP (RFC 1939 §7).
    Top {
        /// Whose.
        message: MessageNumber,
        /// How many lines of the body behind the header; 0 is the header alone. At most 99,999,999 are written.
        lines: u32,
    },
    /// UIDL (RFC 1939 §7): the unique-ids of all messages, or of one.
    Uidl(Option<MessageNumber>),
    /// A command that this crate does not know. A server never gives it: what it does not know is
    /// [`Malformed`].
    Other(OtherCommand<'a>),
}

impl<'a> Command<'a> {
    /// Reads a command line as a server does, without its line end.
    ///
    /// # Errors
    /// The rule that broke, and where. The raw octets of it may hold a secret.
    pub fn parse(line: &'a [u8]) -> Result<Self, Malformed<'a>> {
        parse::command::command(line)
    }

    /// Copies the command, to be kept after the input has gone on.
    #[must_use]
    pub fn into_owned(self) -> OwnedCommand {
        Kept::new(self)
    }

    /// Its keyword; `None` for one that this crate does not know.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        Some(match self {
            Self::User(_) => Verb::User,
            Self::Pass(_) => Verb::Pass,
            Self::Apop { .. } => Verb::Apop,
            Self::Auth { .. } | Self::AuthList => Verb::Auth,
            Self::Capa => Verb::Capa,
            Self::Stls => Verb::Stls,
            Self::Utf8 => Verb::Utf8,
            Self::Lang(_) => Verb::Lang,
            Self::Quit => Verb::Quit,
            Self::Stat => Verb::Stat,
            Self::List(_) => Verb::List,
            Self::Retr(_) => Verb::Retr,
            Self::Dele(_) => Verb::Dele,
            Self::Noop => Verb::Noop,
            Self::Rset => Verb::Rset,
            Self::Top { .. } => Verb::Top,
            Self::Uidl(_) => Verb::Uidl,
            Self::Other(_) => return None,
        })
    }

    /// What a positive reply to it looks like. It depends on the command and on its argument (RFC 1939 §3 and §5); a negative one is
    /// always one line.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match self {
            Self::Retr(_) | Self::Top { .. } => Shape::Message,
            Self::List(None) => Shape::Scan,
            Self::Uidl(None) => Shape::UniqueIds,
            Self::Capa => Shape::Capabilities,
            Self::AuthList => Shape::Mechanisms,
            Self::Lang(None) => Shape::Languages,
            Self::Other(other) => other.shape,
            _ => Shape::Single,
        }
    }
}

/// The keywords that this crate knows (RFC 1939 §9 and its extensions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// USER
    User,
    /// PASS
    Pass,
    /// APOP
    Apop,
    /// AUTH
    Auth,
    /// CAPA
    Capa,
    /// STLS
    Stls,
    /// UTF8
    Utf8,
    /// LANG
    Lang,
    /// QUIT
    Quit,
    /// STAT
    Stat,
    /// LIST
    List,
    /// RETR
    Retr,
    /// DELE
    Dele,
    /// NOOP
    Noop,
    /// RSET
    Rset,
    /// TOP
    Top,
    /// UIDL
    Uidl,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::User,
        Self::Pass,
        Self::Apop,
        Self::Auth,
        Self::Capa,
        Self::Stls,
        Self::Utf8,
        Self::Lang,
        Self::Quit,
        Self::Stat,
        Self::List,
        Self::Retr,
        Self::Dele,
        Self::Noop,
        Self::Rset,
        Self::Top,
        Self::Uidl,
    ];

    /// The keyword in upper case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Pass => "PASS",
            Self::Apop => "APOP",
            Self::Auth => "AUTH",
            Self::Capa => "CAPA",
            Self::Stls => "STLS",
            Self::Utf8 => "UTF8",
            Self::Lang => "LANG",
            Self::Quit => "QUIT",
            Self::Stat => "STAT",
            Self::List => "LIST",
            Self::Retr => "RETR",
            Self::Dele => "DELE",
            Self::Noop => "NOOP",
            Self::Rset => "RSET",
            Self::Top => "TOP",
            Self::Uidl => "UIDL",
        }
    }

    /// The keyword at the start of a line, whatever follows it. Case does not count (RFC 1939 §3).
    #[must_use]
    pub fn of(line: &[u8]) -> Option<Self> {
        let end = memchr::memchr(b' ', line).unwrap_or(line.len());
        let mut word = [0_u8; 4];
        let keyword = line.get(..end)?;
        word.get_mut(..end)?.copy_from_slice(keyword);
        word.make_ascii_uppercase();
        Some(match &word {
            b"USER" => Self::User,
            b"PASS" => Self::Pass,
            b"APOP" => Self::Apop,
            b"AUTH" => Self::Auth,
            b"CAPA" => Self::Capa,
            b"STLS" => Self::Stls,
            b"UTF8" => Self::Utf8,
            b"LANG" => Self::Lang,
            b"QUIT" => Self::Quit,
            b"STAT" => Self::Stat,
            b"LIST" => Self::List,
            b"RETR" => Self::Retr,
            b"DELE" => Self::Dele,
            b"NOOP" => Self::Noop,
            b"RSET" => Self::Rset,
            b"TOP\0" => Self::Top,
            b"UIDL" => Self::Uidl,
            _ => return None,
        })
    }

    /// Whether its argument is secret.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Pass | Self::Apop | Self::Auth)
    }
}

/// What a positive reply looks like (RFC 1939 §3). A client must know it before the reply comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// One line.
    Single,
    /// A message: streamed as chunks.
    Message,
    /// Scan listings: one entry a line.
    Scan,
    /// Unique-id listings: one entry a line.
    UniqueIds,
    /// Capabilities: one a line.
    Capabilities,
    /// SASL mechanisms: one a line.
    Mechanisms,
    /// Languages: one a line.
    Languages,
    /// Lines of which nothing more is known.
    Lines,
}

/// A command that this crate does not know (RFC 2449 §4), with the shape of its reply. All of it is public: a tap sees it, so it is no place for
/// a secret.
#[derive(Clone, Copy, Debug)]
pub struct OtherCommand<'a> {
    line: &'a [u8],
    shape: Shape,
}

impl<'a> OtherCommand<'a> {
    /// A command line without its line end: a keyword of 3 octets or more that this crate does not know, and arguments, in
    /// visible octets set apart by single blanks (RFC 2449 §4).
    ///
    /// # Errors
    /// [`Rule::Keyword`] for one that has a variant of its own or is no keyword, [`Rule::Octet`] for octets that may not stand there.
    pub fn new(line: &'a [u8], shape: Shape) -> Result<Self, Invalid> {
        let keyword = line.split(|octet| *octet == b' ').next().unwrap_or_default();
        if keyword.len() < 3 || Verb::of(line).is_some() {
            return Err(Invalid(Rule::Keyword));
        }
        let visible = |octet: &u8| octet.is_ascii_graphic() || *octet >= 0x80;
        if line.split(|octet| *octet == b' ').all(|word| !word.is_empty() && word.iter().all(visible)) {
            Ok(Self { line, shape })
        } else {
            Err(Invalid(Rule::Octet))
        }
    }

    /// From the line of one.
    pub(crate) const fn known(line: &'a [u8], shape: Shape) -> Self {
        Self { line, shape }
    }

    /// The line without its line end.
    #[must_use]
    pub const fn line(&self) -> &'a [u8] {
        self.line
    }
}
