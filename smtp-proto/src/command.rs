//! What a client says. One type for both roles: a server reads it, a client writes it.

use crate::error::{Invalid, Rule};
use crate::ext::Params;
use crate::parse::{self, Fixes};
use crate::types::{CommandText, EhloName, EsmtpKeyword, ForwardPath, Mechanism, ReversePath, VrfyArgument};
use core::fmt;
use mail_wire::{Secret, SecretBuf};

/// A verb that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// RFC 5321 §4.1.1.1.
    Ehlo,
    /// RFC 5321 §4.1.1.1.
    Helo,
    /// RFC 2033 §4.1.
    Lhlo,
    /// RFC 5321 §4.1.1.2.
    Mail,
    /// RFC 5321 §4.1.1.3.
    Rcpt,
    /// RFC 5321 §4.1.1.4.
    Data,
    /// RFC 3030 §2.
    Bdat,
    /// RFC 5321 §4.1.1.5.
    Rset,
    /// RFC 5321 §4.1.1.6.
    Vrfy,
    /// RFC 5321 §4.1.1.7.
    Expn,
    /// RFC 5321 §4.1.1.8.
    Help,
    /// RFC 5321 §4.1.1.9.
    Noop,
    /// RFC 5321 §4.1.1.10.
    Quit,
    /// RFC 4954 §4.
    Auth,
    /// RFC 3207 §4.
    StartTls,
    /// RFC 1985 §5.
    Etrn,
    /// RFC 4468 §3.2.
    Burl,
    /// Postfix's XCLIENT.
    XClient,
}

impl Verb {
    /// The verb of a word, without case. The length is looked at first, then all letters at once.
    #[inline]
    #[must_use]
    pub fn of(word: &[u8]) -> Option<Self> {
        if let [a, b, c, d] = *word {
            // Clearing this bit makes letters upper-case, and makes no other octet a letter.
            let upper = u32::from_be_bytes([a, b, c, d]) & 0xdfdf_dfdf;
            return Some(match &upper.to_be_bytes() {
                b"MAIL" => Self::Mail,
                b"RCPT" => Self::Rcpt,
                b"DATA" => Self::Data,
                b"BDAT" => Self::Bdat,
                b"EHLO" => Self::Ehlo,
                b"HELO" => Self::Helo,
                b"LHLO" => Self::Lhlo,
                b"RSET" => Self::Rset,
                b"QUIT" => Self::Quit,
                b"NOOP" => Self::Noop,
                b"AUTH" => Self::Auth,
                b"VRFY" => Self::Vrfy,
                b"EXPN" => Self::Expn,
                b"HELP" => Self::Help,
                b"ETRN" => Self::Etrn,
                b"BURL" => Self::Burl,
                _ => return None,
            });
        }
        if word.eq_ignore_ascii_case(b"STARTTLS") {
            return Some(Self::StartTls);
        }
        word.eq_ignore_ascii_case(b"XCLIENT").then_some(Self::XClient)
    }

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ehlo => "EHLO",
            Self::Helo => "HELO",
            Self::Lhlo => "LHLO",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Bdat => "BDAT",
            Self::Rset => "RSET",
            Self::Vrfy => "VRFY",
            Self::Expn => "EXPN",
            Self::Help => "HELP",
            Self::Noop => "NOOP",
            Self::Quit => "QUIT",
            Self::Auth => "AUTH",
            Self::StartTls => "STARTTLS",
            Self::Etrn => "ETRN",
            Self::Burl => "BURL",
            Self::XClient => "XCLIENT",
        }
    }
}

/// MAIL: a transaction begins (RFC 5321 §4.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mail<'a> {
    from: ReversePath<'a>,
    params: Params<'a>,
}

impl<'a> Mail<'a> {
    /// A MAIL with parameters, or with [`Params::NONE`].
    ///
    /// # Errors
    /// [`Rule::NotAscii`]: the path or a parameter needs SMTPUTF8, which is not among the parameters.
    pub fn new(from: ReversePath<'a>, params: Params<'a>) -> Result<Self, Invalid> {
        let utf8 = from.mailbox().is_some_and(|mailbox| mailbox.is_utf8()) || !params.is_ascii();
        if utf8 && !params.is_utf8() {
            return Err(Invalid { rule: Rule::NotAscii, at: 0 });
        }
        Ok(Self { from, params })
    }

    pub(crate) const fn parsed(from: ReversePath<'a>, params: Params<'a>) -> Self {
        Self { from, params }
    }

    /// Where the mail comes from.
    #[must_use]
    pub const fn from(&self) -> ReversePath<'a> {
        self.from
    }

    /// The parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// Whether something in it is beyond ASCII: then SMTPUTF8 is needed.
    pub(crate) fn needs_utf8(&self) -> bool {
        self.from.mailbox().is_some_and(|mailbox| mailbox.is_utf8()) || !self.params.is_ascii()
    }
}

/// RCPT: one more recipient (RFC 5321 §4.1.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rcpt<'a> {
    to: ForwardPath<'a>,
    params: Params<'a>,
}

impl<'a> Rcpt<'a> {
    /// A RCPT with parameters, or with [`Params::NONE`].
    #[must_use]
    pub const fn new(to: ForwardPath<'a>, params: Params<'a>) -> Self {
        Self { to, params }
    }

    pub(crate) const fn parsed(to: ForwardPath<'a>, params: Params<'a>) -> Self {
        Self { to, params }
    }

    /// Where the mail goes.
    #[must_use]
    pub const fn to(&self) -> ForwardPath<'a> {
        self.to
    }

    /// The parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// Whether something in it is beyond ASCII: then the MAIL must have had SMTPUTF8.
    pub(crate) fn needs_utf8(&self) -> bool {
        self.to.mailbox().is_some_and(|mailbox| mailbox.is_utf8()) || !self.params.is_ascii()
    }
}

/// BDAT: so many octets follow the line (RFC 3030 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bdat {
    /// The octets of the chunk.
    pub octets: u64,
    /// Whether it ends the message.
    pub last: bool,
}

/// VRFY or EXPN (RFC 5321 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vrfy<'a> {
    /// What is asked for.
    pub argument: VrfyArgument<'a>,
    /// Whether the answer may be UTF-8 (RFC 6531 §3.7.4.2).
    pub utf8: bool,
}

/// BURL: the message, or a part of it, is to be fetched from there (RFC 4468 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burl<'a> {
    /// The address.
    pub url: CommandText<'a>,
    /// Whether it ends the message.
    pub last: bool,
}

/// AUTH (RFC 4954 §4).
#[derive(Clone, Copy, Debug)]
pub struct Auth<'a> {
    /// The SASL mechanism.
    pub mechanism: Mechanism<'a>,
    /// What the client says first.
    pub initial: Initial<'a>,
}

/// The initial response of AUTH, as it stands on the wire.
#[derive(Clone, Copy, Debug)]
pub enum Initial<'a> {
    /// None: the server speaks first.
    None,
    /// `=`: an empty one.
    Empty,
    /// Octets of the base64 alphabet.
    Base64(Secret<&'a [u8]>),
}

/// A command line.
///
/// What is unknown is kept: [`Command::Unknown`]. `Debug` and `Display` show no secret.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// EHLO with the client's name.
    Ehlo(EhloName<'a>),
    /// HELO with the client's name.
    Helo(EhloName<'a>),
    /// LHLO with the client's name.
    Lhlo(EhloName<'a>),
    /// MAIL.
    Mail(Mail<'a>),
    /// RCPT.
    Rcpt(Rcpt<'a>),
    /// DATA.
    Data,
    /// BDAT.
    Bdat(Bdat),
    /// RSET.
    Rset,
    /// VRFY.
    Vrfy(Vrfy<'a>),
    /// EXPN.
    Expn(Vrfy<'a>),
    /// HELP, about something or nothing.
    Help(Option<CommandText<'a>>),
    /// NOOP, with a text that means nothing.
    Noop(Option<CommandText<'a>>),
    /// QUIT.
    Quit,
    /// AUTH.
    Auth(Auth<'a>),
    /// STARTTLS.
    StartTls,
    /// ETRN with a node, `@domain` or `#queue`.
    Etrn(CommandText<'a>),
    /// BURL.
    Burl(Burl<'a>),
    /// XCLIENT with its attributes, each value xtext.
    XClient(Params<'a>),
    /// A verb that this crate does not know.
    Unknown {
        /// The verb.
        verb: EsmtpKeyword<'a>,
        /// What stands behind it.
        text: Option<CommandText<'a>>,
    },
}

impl<'a> Command<'a> {
    /// Reads a command line without its line end, by the strict grammar.
    ///
    /// # Errors
    /// The rule that is broken, and where.
    pub fn parse(line: &'a [u8]) -> Result<Self, Invalid> {
        parse::command(line, &Fixes::none())
    }

    /// The verb, if this crate knows it.
    #[must_use]
    pub const fn verb(&self) -> Option<Verb> {
        Some(match self {
            Self::Ehlo(_) => Verb::Ehlo,
            Self::Helo(_) => Verb::Helo,
            Self::Lhlo(_) => Verb::Lhlo,
            Self::Mail(_) => Verb::Mail,
            Self::Rcpt(_) => Verb::Rcpt,
            Self::Data => Verb::Data,
            Self::Bdat(_) => Verb::Bdat,
            Self::Rset => Verb::Rset,
            Self::Vrfy(_) => Verb::Vrfy,
            Self::Expn(_) => Verb::Expn,
            Self::Help(_) => Verb::Help,
            Self::Noop(_) => Verb::Noop,
            Self::Quit => Verb::Quit,
            Self::Auth(_) => Verb::Auth,
            Self::StartTls => Verb::StartTls,
            Self::Etrn(_) => Verb::Etrn,
            Self::Burl(_) => Verb::Burl,
            Self::XClient(_) => Verb::XClient,
            Self::Unknown { .. } => return None,
        })
    }

    /// The verb as text, also of an unknown command.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self {
            Self::Unknown { verb, .. } => verb.as_str(),
            known => known.verb().map_or("", Verb::as_str),
        }
    }

    /// A copy that owns its octets, in the form in which a client would write it.
    #[must_use]
    pub fn to_buf(&self) -> CommandBuf {
        CommandBuf { line: SecretBuf::from(crate::encode::command_line(self)) }
    }
}

impl fmt::Display for Command<'_> {
    /// The verb alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A command that owns its octets, which are overwritten when it is dropped.
pub struct CommandBuf {
    /// It may hold what AUTH says first.
    line: SecretBuf,
}

impl CommandBuf {
    /// The command. It is read again from the octets that were written for it.
    #[must_use]
    pub fn get(&self) -> Command<'_> {
        // A line that was written from a command can be read; NOOP stands for what cannot be.
        parse::command(self.line.expose(), &Fixes::silent()).unwrap_or(Command::Noop(None))
    }
}

impl fmt::Debug for CommandBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
