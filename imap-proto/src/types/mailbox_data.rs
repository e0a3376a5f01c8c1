//! What a server says of mailboxes: LIST, STATUS, NAMESPACE (RFC 9051 §7.3).

use super::astring::AString;
use super::flag::Flags;
use super::invalid::Invalid;
use super::mailbox::Mailbox;
use super::text::Text;
use crate::parse::leaf::{Cursor, form};
use core::fmt;

/// A mailbox in a list: LIST, LSUB and XLIST.
#[derive(Clone, Copy)]
pub struct ListItem<'i> {
    pub(crate) attributes: &'i [u8],
    pub(crate) name: &'i [u8],
    pub(crate) escaped: bool,
    pub(crate) delimiter: Option<u8>,
    pub(crate) extended: &'i [u8],
}

impl<'i> ListItem<'i> {
    /// The attributes, such as `\Noselect` and `\Sent`. They are written like flags.
    #[must_use]
    pub const fn attributes(&self) -> Flags<'i> {
        Flags::wire(self.attributes)
    }

    /// Whether it has the attribute, without regard to case.
    #[must_use]
    pub fn has(&self, attribute: &str) -> bool {
        let mut words = self.attributes.split(|octet| *octet == b' ');
        words.any(|word| word.eq_ignore_ascii_case(attribute.as_bytes()))
    }

    /// What stands between the levels of the name. `None`: the namespace is flat.
    #[must_use]
    pub const fn delimiter(&self) -> Option<u8> {
        self.delimiter
    }

    /// The mailbox. Its name is the peer's: as a path of files it can lead anywhere.
    ///
    /// # Errors
    /// The [name](ListItem::name) holds what no command may send back.
    pub fn mailbox(&self) -> Result<Mailbox<'i>, Invalid> {
        Mailbox::from_string(self.name())
    }

    /// The name as a string: empty where only the delimiter was asked for.
    #[must_use]
    pub const fn name(&self) -> AString<'i> {
        if self.escaped { AString::quoted(self.name, true) } else { AString::plain(self.name) }
    }

    /// What extended LIST adds, without its parentheses, as it came (RFC 9051 §6.3.9.7, `mbox-list-extended`).
    #[must_use]
    pub const fn extended(&self) -> &'i [u8] {
        self.extended
    }

    /// The name that the mailbox had before (RFC 9051 §6.3.9.7, `OLDNAME`).
    #[must_use]
    pub fn old_name(&self) -> Option<AString<'i>> {
        let mut cur = Cursor::new(self.extended);
        while !cur.is_end() {
            let key = cur.astring().ok()?;
            let found = cur.get(key).eq_ignore_ascii_case(b"OLDNAME");
            cur.space().ok()?;
            if found {
                cur.eat(b'(');
                let name = cur.astring().ok()?;
                return Some(AString::quoted(cur.get(name), name.tag() == form::ESCAPED));
            }
            cur.skip_value().ok()?;
            cur.eat(b' ');
        }
        None
    }
}

impl fmt::Debug for ListItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "({}) {:?} {:?}",
            self.attributes.escape_ascii(),
            self.delimiter.map(char::from),
            self.name()
        )?;
        if self.extended.is_empty() { Ok(()) } else { write!(f, " ({})", self.extended.escape_ascii()) }
    }
}

/// The answer to STATUS.
#[derive(Clone, Copy)]
pub struct MailboxStatus<'i> {
    pub(crate) name: AString<'i>,
    pub(crate) items: &'i [u8],
}

/// An item of a STATUS answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusItem<'i> {
    /// `MESSAGES`: their number.
    Messages(u64),
    /// `RECENT` (RFC 3501 §6.3.10).
    Recent(u64),
    /// `UIDNEXT`.
    UidNext(u32),
    /// `UIDVALIDITY`.
    UidValidity(u32),
    /// `UNSEEN`: how many messages have no `\Seen`.
    Unseen(u64),
    /// `DELETED`: how many have `\Deleted`.
    Deleted(u64),
    /// `SIZE`: octets of all messages.
    Size(u64),
    /// `HIGHESTMODSEQ` (RFC 7162 §3.1.7).
    HighestModSeq(u64),
    /// `APPENDLIMIT` in octets; `None`: no limit of its own (RFC 7889 §4).
    AppendLimit(Option<u64>),
    /// Any other item, as it came.
    Other {
        /// Its name.
        name: &'i [u8],
        /// Its value.
        value: &'i [u8],
    },
    /// A known item whose value cannot be read.
    Malformed {
        /// Its name.
        name: &'i [u8],
        /// What stands for its value.
        value: &'i [u8],
    },
}

impl<'i> StatusItem<'i> {
    fn read(name: &'i [u8], value: &'i [u8]) -> Self {
        Self::known(name, value).unwrap_or(Self::Malformed { name, value })
    }

    fn known(name: &'i [u8], value: &'i [u8]) -> Option<Self> {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        let wide = || {
            let mut cur = Cursor::new(value);
            cur.number64().ok().filter(|_| cur.is_end())
        };
        // No UID is 0: a client that kept one would ask for what cannot be (RFC 9051 §9, `nz-number`).
        let narrow = || wide().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
        Some(match name.len() {
            4 if is(b"SIZE") => Self::Size(wide()?),
            6 if is(b"RECENT") => Self::Recent(wide()?),
            6 if is(b"UNSEEN") => Self::Unseen(wide()?),
            7 if is(b"UIDNEXT") => Self::UidNext(narrow()?),
            7 if is(b"DELETED") => Self::Deleted(wide()?),
            8 if is(b"MESSAGES") => Self::Messages(wide()?),
            11 if is(b"UIDVALIDITY") => Self::UidValidity(narrow()?),
            11 if is(b"APPENDLIMIT") && value.eq_ignore_ascii_case(b"NIL") => Self::AppendLimit(None),
            11 if is(b"APPENDLIMIT") => Self::AppendLimit(Some(wide()?)),
            13 if is(b"HIGHESTMODSEQ") => Self::HighestModSeq(wide()?),
            _ => Self::Other { name, value },
        })
    }
}

impl<'i> MailboxStatus<'i> {
    /// The mailbox. A server may write it in another form or, for INBOX, in another case than it was asked.
    ///
    /// # Errors
    /// The [name](MailboxStatus::name) holds what no command may send back.
    pub fn mailbox(&self) -> Result<Mailbox<'i>, Invalid> {
        Mailbox::from_string(self.name)
    }

    /// The name as a string.
    #[must_use]
    pub const fn name(&self) -> AString<'i> {
        self.name
    }

    /// The items in order.
    pub fn items(&self) -> impl Iterator<Item = StatusItem<'i>> + Clone + 'i {
        let mut cur = Cursor::new(self.items);
        core::iter::from_fn(move || {
            cur.while_in(|octet| octet == b' ');
            let name = cur.atom().ok()?;
            cur.while_in(|octet| octet == b' ');
            let start = cur.at();
            cur.skip_value().ok()?;
            Some(StatusItem::read(cur.get(name), cur.since(start)))
        })
    }

    /// What stands between the parentheses.
    #[must_use]
    pub const fn raw(&self) -> &'i [u8] {
        self.items
    }
}

impl fmt::Debug for MailboxStatus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.name)?;
        f.debug_list().entries(self.items()).finish()
    }
}

/// The answer to NAMESPACE (RFC 2342, RFC 9051 §7.3.2). An empty list is NIL: there is no such namespace.
#[derive(Clone, Copy)]
pub struct Namespaces<'i> {
    pub(crate) personal: &'i [u8],
    pub(crate) other: &'i [u8],
    pub(crate) shared: &'i [u8],
}

impl<'i> Namespaces<'i> {
    /// Those of the user.
    pub fn personal(&self) -> impl Iterator<Item = Namespace<'i>> + Clone + 'i {
        namespaces(self.personal)
    }

    /// Those of other users.
    pub fn other(&self) -> impl Iterator<Item = Namespace<'i>> + Clone + 'i {
        namespaces(self.other)
    }

    /// Those that are shared.
    pub fn shared(&self) -> impl Iterator<Item = Namespace<'i>> + Clone + 'i {
        namespaces(self.shared)
    }
}

impl fmt::Debug for Namespaces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.personal()).finish()?;
        f.debug_list().entries(self.other()).finish()?;
        f.debug_list().entries(self.shared()).finish()
    }
}

/// A namespace: what the names in it begin with.
#[derive(Clone, Copy)]
pub struct Namespace<'i> {
    prefix: Text<'i>,
    delimiter: Option<u8>,
    extension: &'i [u8],
}

impl<'i> Namespace<'i> {
    /// The prefix of its names, the delimiter included.
    #[must_use]
    pub const fn prefix(&self) -> Text<'i> {
        self.prefix
    }

    /// What stands between the levels of a name.
    #[must_use]
    pub const fn delimiter(&self) -> Option<u8> {
        self.delimiter
    }

    /// What an extension adds, as it came.
    #[must_use]
    pub const fn extension(&self) -> &'i [u8] {
        self.extension
    }
}

impl fmt::Debug for Namespace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:?} {:?})", self.prefix, self.delimiter.map(char::from))
    }
}

fn namespaces(octets: &[u8]) -> impl Iterator<Item = Namespace<'_>> + Clone {
    let mut cur = Cursor::new(octets);
    core::iter::from_fn(move || namespace(&mut cur))
}

/// Whether the list can be read to its end, so that no namespace is missing silently; and whether a prefix is an atom.
pub(crate) fn read_namespaces(octets: &[u8]) -> (bool, bool) {
    let (mut cur, mut atoms) = (Cursor::new(octets), false);
    while let Some(namespace) = namespace(&mut cur) {
        atoms |= namespace.prefix.form() == super::text::Form::Atom;
    }
    (cur.is_end(), atoms)
}

fn namespace<'i>(cur: &mut Cursor<'i>) -> Option<Namespace<'i>> {
    let start = cur.at();
    let read = namespace_here(cur);
    if read.is_none() {
        // Nothing was taken: who looks at the place sees that octets are left.
        cur.go(start);
    }
    read
}

/// `"(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) [namespace-response-extensions] ")"` (RFC 9051 §9, `namespace-descr`).
fn namespace_here<'i>(cur: &mut Cursor<'i>) -> Option<Namespace<'i>> {
    cur.while_in(|octet| octet == b' ');
    cur.expect(b'(', crate::error::Rule::List).ok()?;
    let prefix = match cur.peek() {
        Some(b'"' | b'{') => cur.string().ok()?,
        _ if cur.nil() => return None,
        _ => cur.atom().ok()?,
    };
    cur.while_in(|octet| octet == b' ');
    let delimiter = delimiter(cur).ok()?;
    cur.while_in(|octet| octet == b' ');
    let start = cur.at();
    while cur.peek() != Some(b')') {
        cur.skip_value().ok()?;
        if !cur.eat(b' ') && cur.peek() != Some(b')') {
            return None;
        }
    }
    let extension = cur.since(start);
    cur.bump(1);
    Some(Namespace { prefix: Text::of(cur.octets(), prefix)?, delimiter, extension })
}

/// `DQUOTE QUOTED-CHAR DQUOTE` or NIL.
pub(crate) fn delimiter(cur: &mut Cursor<'_>) -> crate::parse::leaf::Parse<Option<u8>> {
    if cur.nil() {
        return Ok(None);
    }
    let span = cur.quoted()?;
    match (cur.get(span), span.tag()) {
        ([octet], form::QUOTED) | ([b'\\', octet], form::ESCAPED) => Ok(Some(*octet)),
        // Some servers write an empty string for a flat namespace.
        ([], _) => Ok(None),
        _ => Err(crate::parse::leaf::Fault::new(span.start(), crate::error::Rule::Quoted)),
    }
}
