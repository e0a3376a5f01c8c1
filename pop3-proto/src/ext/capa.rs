//! Capabilities (RFC 2449 §5 and §6): one type for the server that offers them and the client that learns them.

use crate::error::{Invalid, Malformed, Rule};
use crate::kept::{Kept, OwnedCapability};
use crate::parse;
use crate::policy::Switches;
use crate::types::Mechanism;
use alloc::vec::Vec;
use core::fmt;
use mail_wire::{Class, Output};

/// One capability (RFC 2449 §6). What it does not know it keeps as it was written.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability<'a> {
    /// TOP: the command (RFC 2449 §6.1).
    Top,
    /// UIDL: the command (RFC 2449 §6.8).
    Uidl,
    /// USER: the commands USER and PASS (RFC 2449 §6.2).
    User,
    /// SASL: the command AUTH and its mechanisms (RFC 2449 §6.3, RFC 5034 §3).
    Sasl(Mechanisms<'a>),
    /// RESP-CODES: a text that begins with `[` is an extended response code (RFC 2449 §6.4).
    RespCodes,
    /// AUTH-RESP-CODE: failures of log-in are told apart by code (RFC 3206 §4).
    AuthRespCode,
    /// LOGIN-DELAY: how long to wait between log-ins (RFC 2449 §6.5).
    LoginDelay {
        /// Seconds.
        seconds: u32,
        /// Whether it differs from user to user, and CAPA after log-in tells more.
        user: bool,
    },
    /// PIPELINING: commands may be sent before earlier ones are answered (RFC 2449 §6.6).
    Pipelining,
    /// EXPIRE: how long messages are kept at least (RFC 2449 §6.7).
    Expire {
        /// How long.
        expire: Expire,
        /// Whether it differs from user to user, and CAPA after log-in tells more.
        user: bool,
    },
    /// IMPLEMENTATION: for logs alone (RFC 2449 §6.9).
    Implementation(&'a [u8]),
    /// STLS: the command (RFC 2595 §4).
    Stls,
    /// UTF8: the command (RFC 6856 §2).
    Utf8 {
        /// Whether names and passwords may be UTF-8 too.
        user: bool,
    },
    /// LANG: the command (RFC 6856 §3).
    Lang,
    /// Any other.
    Other {
        /// Its tag as it was written.
        name: &'a [u8],
        /// What follows the blank.
        arguments: &'a [u8],
    },
}

impl fmt::Debug for Capability<'_> {
    /// As a line of CAPA.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name().escape_ascii())?;
        let user = match self {
            Self::Sasl(mechanisms) => return write!(f, " {}", mechanisms.0.escape_ascii()),
            Self::Implementation(text) => return write!(f, " {}", text.escape_ascii()),
            Self::Other { arguments, .. } => return write!(f, " {}", arguments.escape_ascii()),
            Self::LoginDelay { seconds, user } => {
                write!(f, " {seconds}")?;
                user
            }
            Self::Expire { expire: Expire::Never, user } => {
                f.write_str(" NEVER")?;
                user
            }
            Self::Expire { expire: Expire::Days(days), user } => {
                write!(f, " {days}")?;
                user
            }
            Self::Utf8 { user } => user,
            _ => return Ok(()),
        };
        f.write_str(if *user { " USER" } else { "" })
    }
}

/// How long messages are kept (RFC 2449 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expire {
    /// Days; with 0 a message that was retrieved may be gone after QUIT.
    Days(u32),
    /// For ever.
    Never,
}

/// The mechanisms of a SASL capability, set apart by blanks (RFC 5034 §3). May be none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Mechanisms<'a>(&'a [u8]);

impl<'a> Mechanisms<'a> {
    pub(crate) fn read(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// As they stand on the wire.
    pub(crate) const fn octets(self) -> &'a [u8] {
        self.0
    }

    /// Those that have the form of a mechanism name.
    pub fn iter(self) -> impl Iterator<Item = Mechanism<'a>> {
        self.0.split(|octet| *octet == b' ').filter_map(|name| Mechanism::try_from(name).ok())
    }

    /// Whether a mechanism is among them; case does not count.
    #[must_use]
    pub fn contains(self, mechanism: Mechanism<'_>) -> bool {
        self.iter().any(|other| other == mechanism)
    }
}

impl<'a> Capability<'a> {
    /// Reads a capability line without its line end.
    ///
    /// # Errors
    /// The rule that broke.
    pub fn parse(line: &'a [u8]) -> Result<Self, Malformed<'a>> {
        parse::capability::capability(line, &mut Switches::default())
    }

    /// Copies the capability, to be kept after the input has gone on.
    #[must_use]
    pub fn into_owned(self) -> OwnedCapability {
        Kept::new(self)
    }

    /// The tag in upper case, or as it was written where it is not known.
    #[must_use]
    pub const fn name(&self) -> &'a [u8] {
        match self {
            Self::Top => b"TOP",
            Self::Uidl => b"UIDL",
            Self::User => b"USER",
            Self::Sasl(_) => b"SASL",
            Self::RespCodes => b"RESP-CODES",
            Self::AuthRespCode => b"AUTH-RESP-CODE",
            Self::LoginDelay { .. } => b"LOGIN-DELAY",
            Self::Pipelining => b"PIPELINING",
            Self::Expire { .. } => b"EXPIRE",
            Self::Implementation(_) => b"IMPLEMENTATION",
            Self::Stls => b"STLS",
            Self::Utf8 { .. } => b"UTF8",
            Self::Lang => b"LANG",
            Self::Other { name, .. } => name,
        }
    }
}

/// The capabilities of a server, in their order: what a server offers, or what a client has learnt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Checked lines, each with a LF behind it.
    lines: Vec<u8>,
    count: u32,
}

impl Capabilities {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { lines: Vec::new(), count: 0 }
    }

    /// Adds a capability line without its line end, such as `SASL PLAIN SCRAM-SHA-256` or `EXPIRE 30 USER`.
    ///
    /// # Errors
    /// [`Invalid`] for what is no capability (RFC 2449 §3), or is longer than 510 octets.
    pub fn add(&mut self, line: &[u8]) -> Result<(), Invalid> {
        if line.len() > 510 {
            return Err(Invalid(Rule::TooLong));
        }
        let capability = Capability::parse(line).map_err(|malformed| Invalid(malformed.rule))?;
        self.keep(&capability, line);
        Ok(())
    }

    /// The same, for a chain of them.
    ///
    /// # Errors
    /// As [`Capabilities::add`].
    pub fn with(mut self, line: &str) -> Result<Self, Invalid> {
        self.add(line.as_bytes()).map(|()| self)
    }

    /// Adds a line that was parsed by the rules of the connection: its tag as it is known, and its arguments as the standard sets them apart.
    pub(crate) fn keep(&mut self, capability: &Capability<'_>, line: &[u8]) {
        let name = capability.name();
        let rest = line.get(name.len()..).unwrap_or_default();
        self.lines.extend_from_slice(name);
        match capability {
            Capability::Implementation(_) | Capability::Other { .. } => self.lines.extend_from_slice(rest),
            // One blank between two words: what a repair has let in is not let in twice.
            _ => rest.split(|octet| *octet == b' ').filter(|word| !word.is_empty()).for_each(|word| {
                self.lines.push(b' ');
                self.lines.extend_from_slice(word);
            }),
        }
        self.lines.push(b'\n');
        self.count = self.count.saturating_add(1);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// Whether there are none: not asked for, or refused.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The capabilities.
    pub fn iter(&self) -> impl Iterator<Item = Capability<'_>> {
        self.raw().filter_map(|line| Capability::parse(line).ok())
    }

    /// The lines without line ends, known tags in upper case.
    pub fn raw(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.split(|octet| *octet == b'\n').filter(|line| !line.is_empty())
    }

    /// Whether one with this tag is among them. Case does not count.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.raw()
            .filter_map(|line| line.split(|octet| *octet == b' ').next())
            .any(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The SASL mechanisms; none without a SASL capability.
    #[must_use]
    pub fn mechanisms(&self) -> Mechanisms<'_> {
        let sasl =
            |capability| if let Capability::Sasl(mechanisms) = capability { Some(mechanisms) } else { None };
        self.iter().find_map(sasl).unwrap_or(Mechanisms(b""))
    }

    /// Whether names and passwords may be UTF-8 (RFC 6856 §2.2).
    #[must_use]
    pub fn utf8_user(&self) -> bool {
        self.iter().any(|capability| capability == Capability::Utf8 { user: true })
    }
}

/// Writes one capability line, stuffed where it begins with a dot: a tag never does, so nothing is to do.
pub(crate) fn put_line(line: &[u8], output: &mut Output) {
    output.put(Class::Public, line);
    output.put(Class::Public, b"\r\n");
}

impl fmt::Debug for Mechanisms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mechanisms({})", self.0.escape_ascii())
    }
}
