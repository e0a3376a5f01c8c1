//! What a client says (RFC 9051 §6). One type for both roles: a client builds it, a server gets it.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use crate::encode::{self, Sink};
use crate::error::Malformed;
use crate::limits::Limits;
use crate::parse;
use crate::types::{
    AString, Atom, Atoms, DateTime, FetchAtts, Flags, IdFields, Mailbox, Options, Raw, Search, SequenceSet,
    Tag,
};
use alloc::vec::Vec;
use core::fmt;
use mail_wire::{Class, Secret, SecretBuf};

/// A command, without its tag. It holds slices and copies nothing.
///
/// Lists in it were checked when it was made and are read item by item; nothing is expanded.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Command<'a> {
    /// `CAPABILITY` (§6.1.1).
    Capability,
    /// `NOOP` (§6.1.2): a chance for the server to tell what is new.
    Noop,
    /// `LOGOUT` (§6.1.3).
    Logout,
    /// `ID` (RFC 2971 §3.1).
    Id(IdFields<'a>),
    /// `STARTTLS` (§6.2.1).
    StartTls,
    /// `AUTHENTICATE` (§6.2.2).
    Authenticate {
        /// The SASL mechanism.
        mechanism: Atom<'a>,
        /// The initial response in base64, `=` for one of no octets (RFC 4959 §3).
        initial: Option<Secret<&'a [u8]>>,
    },
    /// `LOGIN` (§6.2.3).
    Login {
        /// Who.
        user: AString<'a>,
        /// The password.
        password: Secret<AString<'a>>,
    },
    /// `ENABLE` (§6.3.1).
    Enable(Atoms<'a>),
    /// `SELECT` (§6.3.2).
    Select {
        /// Which mailbox.
        mailbox: Mailbox<'a>,
        /// Parameters (RFC 4466 §2.4), such as CONDSTORE.
        params: Options<'a>,
    },
    /// `EXAMINE` (§6.3.3): as SELECT, and nothing may change.
    Examine {
        /// Which mailbox.
        mailbox: Mailbox<'a>,
        /// Parameters.
        params: Options<'a>,
    },
    /// `CREATE` (§6.3.4).
    Create {
        /// Which mailbox. A delimiter at its end says that it will hold others.
        mailbox: Mailbox<'a>,
        /// Parameters (RFC 4466 §2.2), such as USE.
        params: Options<'a>,
    },
    /// `DELETE` (§6.3.5).
    Delete(Mailbox<'a>),
    /// `RENAME` (§6.3.6).
    Rename {
        /// The name that it has.
        from: Mailbox<'a>,
        /// The name that it gets.
        to: Mailbox<'a>,
    },
    /// `SUBSCRIBE` (§6.3.7).
    Subscribe(Mailbox<'a>),
    /// `UNSUBSCRIBE` (§6.3.8).
    Unsubscribe(Mailbox<'a>),
    /// `LIST` (§6.3.9).
    List(ListArgs<'a>),
    /// `LSUB` (RFC 3501 §6.3.9).
    Lsub {
        /// The name that the pattern is read behind.
        reference: Mailbox<'a>,
        /// A name with wildcards.
        pattern: AString<'a>,
    },
    /// `NAMESPACE` (§6.3.10).
    Namespace,
    /// `STATUS` (§6.3.11).
    Status {
        /// Which mailbox.
        mailbox: Mailbox<'a>,
        /// What is asked for.
        items: Atoms<'a>,
    },
    /// `APPEND` (§6.3.12), up to the message.
    Append(Append<'a>),
    /// `IDLE` (§6.3.13).
    Idle,
    /// `CHECK` (RFC 3501 §6.4.1).
    Check,
    /// `CLOSE` (§6.4.1): expunges and leaves the mailbox.
    Close,
    /// `UNSELECT` (§6.4.2): leaves it as it is.
    Unselect,
    /// `EXPUNGE` (§6.4.3), or `UID EXPUNGE` (§6.4.9) of a set.
    Expunge {
        /// The UIDs that alone may go.
        uids: Option<SequenceSet<'a>>,
    },
    /// `SEARCH` or `UID SEARCH` (§6.4.4).
    Search {
        /// Whether the answer names UIDs.
        uid: bool,
        /// What the answer shall hold (RFC 4731 §3.1): absent without RETURN, empty stands for ALL.
        options: Options<'a>,
        /// The charset of the strings.
        charset: Option<AString<'a>>,
        /// What is looked for.
        keys: Search<'a>,
    },
    /// `FETCH` or `UID FETCH` (§6.4.5).
    Fetch {
        /// Whether the set is one of UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet<'a>,
        /// What of them.
        atts: FetchAtts<'a>,
        /// Modifiers (RFC 4466 §2.4), such as CHANGEDSINCE.
        modifiers: Options<'a>,
    },
    /// `STORE` or `UID STORE` (§6.4.6).
    Store {
        /// Whether the set is one of UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet<'a>,
        /// Modifiers (RFC 4466 §2.5), such as UNCHANGEDSINCE.
        modifiers: Options<'a>,
        /// What is done with the flags.
        mode: StoreMode,
        /// Whether the client does not want to be told the new flags.
        silent: bool,
        /// The flags.
        flags: Flags<'a>,
    },
    /// `COPY` or `UID COPY` (§6.4.7).
    Copy {
        /// Whether the set is one of UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet<'a>,
        /// Where to.
        mailbox: Mailbox<'a>,
    },
    /// `MOVE` or `UID MOVE` (§6.4.8).
    Move {
        /// Whether the set is one of UIDs.
        uid: bool,
        /// Which messages.
        set: SequenceSet<'a>,
        /// Where to.
        mailbox: Mailbox<'a>,
    },
    /// A command that this crate has no type for.
    Other {
        /// Whether `UID` stands before the name.
        uid: bool,
        /// Its name.
        name: Atom<'a>,
        /// What stands behind the name and the space, checked for balance alone.
        args: Raw<'a>,
    },
}

/// What STORE does with the flags (§6.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreMode {
    /// `FLAGS`: these and no others.
    Replace,
    /// `+FLAGS`.
    Add,
    /// `-FLAGS`.
    Remove,
}

impl StoreMode {
    /// The name on the wire, without `.SILENT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replace => "FLAGS",
            Self::Add => "+FLAGS",
            Self::Remove => "-FLAGS",
        }
    }
}

/// The arguments of LIST (§6.3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListArgs<'a> {
    /// Selection options (RFC 5258 §3.1).
    pub select: Options<'a>,
    /// The name that the patterns are read behind.
    pub reference: Mailbox<'a>,
    /// Names with wildcards.
    pub patterns: Patterns<'a>,
    /// Return options (RFC 5258 §3.2); absent without RETURN.
    pub returns: Options<'a>,
}

/// One name with wildcards, or several in parentheses, which makes the command an extended LIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patterns<'a> {
    /// One.
    One(AString<'a>),
    /// Several, or one in parentheses: strings with spaces between them.
    Several(Raw<'a>),
}

impl<'a> Patterns<'a> {
    /// The patterns in order.
    pub fn iter(self) -> impl Iterator<Item = AString<'a>> + Clone + 'a {
        use crate::types::raw::RawToken;
        let (one, several) = match self {
            Self::One(one) => (Some(one), Raw::EMPTY),
            Self::Several(raw) => (None, raw),
        };
        let several = several.tokens().filter_map(|token| match token {
            RawToken::Word(word) => Some(AString::plain(word.as_bytes())),
            RawToken::String(string) => Some(string),
            _ => None,
        });
        one.into_iter().chain(several)
    }
}

/// The arguments of APPEND up to the message, and what the literal says of it (§6.3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Append<'a> {
    /// Where to.
    pub mailbox: Mailbox<'a>,
    /// The flags it gets.
    pub flags: Flags<'a>,
    /// Its internal date.
    pub date: Option<DateTime>,
    /// The length of the message in octets.
    pub octets: u64,
    /// How the message is announced.
    pub form: AppendForm,
    /// Whether the client waits for the server before it sends the message.
    pub sync: bool,
}

/// How the message of an APPEND is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum AppendForm {
    /// `{n}`: no NUL.
    #[default]
    Literal,
    /// `~{n}`: any octets (RFC 3516 §4.4).
    Literal8,
    /// `UTF8 (~{n}`: the header holds UTF-8 (RFC 6855 §4).
    Utf8,
}

impl<'a> Command<'a> {
    /// Reads a whole command line, literals inside it included, as a server does: strictly. The line end
    /// belongs to it.
    ///
    /// `utf8` says whether UTF-8 is enabled. An APPEND is read up to the announcement of its message, where the octets must end.
    ///
    /// # Errors
    /// [`Malformed`] with the place and the rule.
    pub fn parse(octets: &'a [u8], limits: &Limits, utf8: bool) -> Result<(Tag<'a>, Self), Malformed<'a>> {
        parse::command::line(octets, limits, utf8)
    }

    /// Copies the command, to be kept after the input has gone on.
    #[must_use]
    pub fn into_owned(self) -> OwnedCommand {
        let mut keep = Keep { octets: Vec::new(), needed: 0 };
        encode::command(Tag::checked(b"k"), &self, &mut keep);
        // Filled in a buffer that is large enough: one that grew would leave copies of a secret behind.
        keep.octets.reserve_exact(keep.needed);
        encode::command(Tag::checked(b"k"), &self, &mut keep);
        OwnedCommand(SecretBuf::from(keep.octets))
    }

    /// The name on the wire; `UID` is put before it where [`Command::is_uid`] holds.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        match self {
            Self::Capability => "CAPABILITY",
            Self::Noop => "NOOP",
            Self::Logout => "LOGOUT",
            Self::Id(_) => "ID",
            Self::StartTls => "STARTTLS",
            Self::Authenticate { .. } => "AUTHENTICATE",
            Self::Login { .. } => "LOGIN",
            Self::Enable(_) => "ENABLE",
            Self::Select { .. } => "SELECT",
            Self::Examine { .. } => "EXAMINE",
            Self::Create { .. } => "CREATE",
            Self::Delete(_) => "DELETE",
            Self::Rename { .. } => "RENAME",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::List(_) => "LIST",
            Self::Lsub { .. } => "LSUB",
            Self::Namespace => "NAMESPACE",
            Self::Status { .. } => "STATUS",
            Self::Append(_) => "APPEND",
            Self::Idle => "IDLE",
            Self::Check => "CHECK",
            Self::Close => "CLOSE",
            Self::Unselect => "UNSELECT",
            Self::Expunge { .. } => "EXPUNGE",
            Self::Search { .. } => "SEARCH",
            Self::Fetch { .. } => "FETCH",
            Self::Store { .. } => "STORE",
            Self::Copy { .. } => "COPY",
            Self::Move { .. } => "MOVE",
            Self::Other { name, .. } => name.as_str(),
        }
    }

    /// Whether it is a UID command.
    #[must_use]
    pub const fn is_uid(&self) -> bool {
        match self {
            Self::Search { uid, .. }
            | Self::Fetch { uid, .. }
            | Self::Store { uid, .. }
            | Self::Copy { uid, .. }
            | Self::Move { uid, .. }
            | Self::Other { uid, .. } => *uid,
            Self::Expunge { uids } => uids.is_some(),
            _ => false,
        }
    }
}

/// A command that owns its octets; they are overwritten when it is dropped.
#[derive(Clone)]
pub struct OwnedCommand(SecretBuf);

impl OwnedCommand {
    /// The command. Its octets are read again.
    #[must_use]
    pub fn get(&self) -> Command<'_> {
        // What a command writes reads back the same: the laws of this crate's tests hold it to that.
        parse::command::again(self.0.expose()).unwrap_or(Command::Noop)
    }
}

impl fmt::Debug for OwnedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// Commands that are kept have their literals in them. What does not fit is counted alone.
struct Keep {
    octets: Vec<u8>,
    needed: usize,
}

impl Sink for Keep {
    fn put(&mut self, _: Class, octets: &[u8]) {
        self.needed = self.needed.saturating_add(octets.len());
        if self.octets.capacity().saturating_sub(self.octets.len()) >= octets.len() {
            self.octets.extend_from_slice(octets);
        }
    }

    fn literal(&mut self, class: Class, octets: &[u8]) {
        self.put(class, alloc::format!("{{{}+}}\r\n", octets.len()).as_bytes());
        self.put(class, octets);
    }

    fn utf8(&self) -> bool {
        false
    }
}
