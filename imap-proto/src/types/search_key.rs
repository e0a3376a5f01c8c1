//! One search key (RFC 9051 §6.4.4 and the extensions that add some): its name, its arguments, and who knows it.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::astring::AString;
use super::atom::Atom;
use super::capability::Capabilities;
use super::chars::{is_atom, is_label};
use super::date_time::Date;
use super::invalid::Invalid;
use super::search::Search;
use super::sequence::SequenceSet;
use crate::error::Rule;
use crate::parse::cursor::Cursor;
use crate::parse::leaf::Parse;

/// A search key, or an operator that takes the keys behind it.
///
/// `OR NOT SEEN (FROM x TO y)` is the tokens Or, Not, Seen, Open, From, To, Close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// `NOT`: one key follows.
    Not,
    /// `OR`: two keys follow.
    Or,
    /// `(`: keys that must all hold follow, up to [`Key::Close`].
    Open,
    /// `)`.
    Close,
    /// `ALL`.
    All,
    /// `ANSWERED`.
    Answered,
    /// `BCC`.
    Bcc(AString<'a>),
    /// `BEFORE`: the internal date.
    Before(Date),
    /// `BODY`.
    Body(AString<'a>),
    /// `CC`.
    Cc(AString<'a>),
    /// `DELETED`.
    Deleted,
    /// `DRAFT`.
    Draft,
    /// `EMAILID`: the identity of the message (RFC 8474 §6).
    EmailId(Atom<'a>),
    /// `FILTER`: a search that is kept under a name (RFC 5466 §3.1).
    Filter(Atom<'a>),
    /// `FLAGGED`.
    Flagged,
    /// `FROM`.
    From(AString<'a>),
    /// `FUZZY`: one key follows, of which something alike is enough (RFC 6203 §3).
    Fuzzy,
    /// `HEADER`: the name of a field, and what it holds; nothing means that the field is there.
    Header(AString<'a>, AString<'a>),
    /// `KEYWORD`.
    Keyword(Atom<'a>),
    /// `LARGER` than so many octets.
    Larger(u64),
    /// `MODSEQ`: changed since, with a modification sequence of at least so much (RFC 7162 §3.1.5).
    ModSeq {
        /// What of the message has changed, such as `/flags/\\draft`, and for whom; without it, anything.
        entry: Option<(AString<'a>, EntryType)>,
        /// The least sequence, perhaps 0.
        sequence: u64,
    },
    /// `NEW`: `RECENT UNSEEN` (RFC 3501 §6.4.4).
    New,
    /// `OLD`: `NOT RECENT` (RFC 3501 §6.4.4).
    Old,
    /// `OLDER` than so many seconds (RFC 5032).
    Older(u32),
    /// `ON`: the internal date.
    On(Date),
    /// `RECENT` (RFC 3501 §6.4.4).
    Recent,
    /// `SAVEDATESUPPORTED`: the mailbox knows when its messages came (RFC 8514 §4.3).
    SaveDateSupported,
    /// `SAVEDBEFORE`: the day on which the message came into the mailbox.
    SavedBefore(Date),
    /// `SAVEDON`.
    SavedOn(Date),
    /// `SAVEDSINCE`.
    SavedSince(Date),
    /// `SEEN`.
    Seen,
    /// `SENTBEFORE`: the Date field.
    SentBefore(Date),
    /// `SENTON`.
    SentOn(Date),
    /// `SENTSINCE`.
    SentSince(Date),
    /// `SINCE`: the internal date.
    Since(Date),
    /// `SMALLER` than so many octets.
    Smaller(u64),
    /// `SUBJECT`.
    Subject(AString<'a>),
    /// `TEXT`: header or body.
    Text(AString<'a>),
    /// `THREADID`: the identity of the thread (RFC 8474 §6).
    ThreadId(Atom<'a>),
    /// `TO`.
    To(AString<'a>),
    /// `UID`.
    Uid(SequenceSet<'a>),
    /// `UNANSWERED`.
    Unanswered,
    /// `UNDELETED`.
    Undeleted,
    /// `UNDRAFT`.
    Undraft,
    /// `UNFLAGGED`.
    Unflagged,
    /// `UNKEYWORD`.
    Unkeyword(Atom<'a>),
    /// `UNSEEN`.
    Unseen,
    /// `YOUNGER` than so many seconds (RFC 5032).
    Younger(u32),
    /// Message numbers.
    Set(SequenceSet<'a>),
}

/// For whom what MODSEQ names has changed (RFC 7162 §7, `entry-type-req`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryType {
    /// `priv`: for the user.
    Private,
    /// `shared`: for all users.
    Shared,
    /// `all`: for either.
    All,
}

impl EntryType {
    const ALL: [Self; 3] = [Self::Private, Self::Shared, Self::All];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Private => "priv",
            Self::Shared => "shared",
            Self::All => "all",
        }
    }
}

impl<'a> Key<'a> {
    /// The capability of who reads this key, where it is an extension's: to any other server it is no key. `CONDSTORE` comes with `QRESYNC`
    /// too (RFC 7162 §3.2.3).
    #[must_use]
    pub const fn extension(self) -> Option<&'static str> {
        match self {
            Self::EmailId(_) | Self::ThreadId(_) => Some("OBJECTID"),
            Self::Filter(_) => Some("FILTERS"),
            Self::Fuzzy => Some("SEARCH=FUZZY"),
            Self::ModSeq { .. } => Some("CONDSTORE"),
            Self::SaveDateSupported | Self::SavedBefore(_) | Self::SavedOn(_) | Self::SavedSince(_) => {
                Some("SAVEDATE")
            }
            _ => None,
        }
    }

    /// The first of the keys that is an extension's which `offer` lacks: the name of what is missing.
    pub(crate) fn missing(keys: Search<'_>, offer: Capabilities<'_>) -> Option<&'static str> {
        let lacks = |name: &&str| !(offer.has(name) || *name == "CONDSTORE" && offer.has("QRESYNC"));
        keys.iter().filter_map(Key::extension).find(lacks)
    }

    /// The name on the wire; nothing for a set and for parentheses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Not => "NOT",
            Self::Or => "OR",
            Self::All => "ALL",
            Self::Answered => "ANSWERED",
            Self::Bcc(_) => "BCC",
            Self::Before(_) => "BEFORE",
            Self::Body(_) => "BODY",
            Self::Cc(_) => "CC",
            Self::Deleted => "DELETED",
            Self::Draft => "DRAFT",
            Self::EmailId(_) => "EMAILID",
            Self::Filter(_) => "FILTER",
            Self::Flagged => "FLAGGED",
            Self::From(_) => "FROM",
            Self::Fuzzy => "FUZZY",
            Self::Header(..) => "HEADER",
            Self::Keyword(_) => "KEYWORD",
            Self::Larger(_) => "LARGER",
            Self::ModSeq { .. } => "MODSEQ",
            Self::New => "NEW",
            Self::Old => "OLD",
            Self::Older(_) => "OLDER",
            Self::On(_) => "ON",
            Self::Recent => "RECENT",
            Self::SaveDateSupported => "SAVEDATESUPPORTED",
            Self::SavedBefore(_) => "SAVEDBEFORE",
            Self::SavedOn(_) => "SAVEDON",
            Self::SavedSince(_) => "SAVEDSINCE",
            Self::Seen => "SEEN",
            Self::SentBefore(_) => "SENTBEFORE",
            Self::SentOn(_) => "SENTON",
            Self::SentSince(_) => "SENTSINCE",
            Self::Since(_) => "SINCE",
            Self::Smaller(_) => "SMALLER",
            Self::Subject(_) => "SUBJECT",
            Self::Text(_) => "TEXT",
            Self::ThreadId(_) => "THREADID",
            Self::To(_) => "TO",
            Self::Uid(_) => "UID",
            Self::Unanswered => "UNANSWERED",
            Self::Undeleted => "UNDELETED",
            Self::Undraft => "UNDRAFT",
            Self::Unflagged => "UNFLAGGED",
            Self::Unkeyword(_) => "UNKEYWORD",
            Self::Unseen => "UNSEEN",
            Self::Younger(_) => "YOUNGER",
            Self::Set(_) | Self::Open | Self::Close => "",
        }
    }

    /// The key at the front, with its arguments; operators and parentheses without what they hold.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let before = *cursor;
        match cursor.peek() {
            Some(b'(') => {
                cursor.bump(1);
                return Ok(Self::Open);
            }
            Some(b')') => {
                cursor.bump(1);
                return Ok(Self::Close);
            }
            Some(b'0'..=b'9' | b'*' | b'$') => return Ok(Self::Set(cursor.set()?)),
            _ => {}
        }
        let name = cursor.run(is_label);
        let mut upper = [0_u8; 17];
        let Some(place) = upper.get_mut(..name.len()) else { return before.fail(Rule::Search) };
        place.copy_from_slice(name);
        place.make_ascii_uppercase();
        let name: &[u8] = place;
        Ok(match (name.len(), name) {
            (3, b"NOT") => Self::Not,
            (2, b"OR") => Self::Or,
            (3, b"ALL") => Self::All,
            (3, b"NEW") => Self::New,
            (3, b"OLD") => Self::Old,
            (4, b"SEEN") => Self::Seen,
            (5, b"DRAFT") => Self::Draft,
            (5, b"FUZZY") => Self::Fuzzy,
            (6, b"RECENT") => Self::Recent,
            (6, b"UNSEEN") => Self::Unseen,
            (7, b"DELETED") => Self::Deleted,
            (7, b"FLAGGED") => Self::Flagged,
            (7, b"UNDRAFT") => Self::Undraft,
            (8, b"ANSWERED") => Self::Answered,
            (9, b"UNDELETED") => Self::Undeleted,
            (9, b"UNFLAGGED") => Self::Unflagged,
            (10, b"UNANSWERED") => Self::Unanswered,
            (17, b"SAVEDATESUPPORTED") => Self::SaveDateSupported,
            _ => {
                cursor.space()?;
                match (name.len(), name) {
                    (2, b"CC") => Self::Cc(cursor.astring()?),
                    (2, b"TO") => Self::To(cursor.astring()?),
                    (2, b"ON") => Self::On(cursor.date()?),
                    (3, b"BCC") => Self::Bcc(cursor.astring()?),
                    (3, b"UID") => Self::Uid(cursor.set()?),
                    (4, b"BODY") => Self::Body(cursor.astring()?),
                    (4, b"FROM") => Self::From(cursor.astring()?),
                    (4, b"TEXT") => Self::Text(cursor.astring()?),
                    (5, b"OLDER") => Self::Older(interval(cursor)?),
                    (5, b"SINCE") => Self::Since(cursor.date()?),
                    (6, b"BEFORE") => Self::Before(cursor.date()?),
                    (6, b"FILTER") => Self::Filter(filter_name(cursor)?),
                    (6, b"MODSEQ") => mod_seq(cursor)?,
                    (6, b"HEADER") => {
                        let field = cursor.astring()?;
                        cursor.space()?;
                        Self::Header(field, cursor.astring()?)
                    }
                    (6, b"LARGER") => Self::Larger(cursor.number64()?),
                    (6, b"SENTON") => Self::SentOn(cursor.date()?),
                    (7, b"EMAILID") => Self::EmailId(object_id(cursor)?),
                    (7, b"SAVEDON") => Self::SavedOn(cursor.date()?),
                    (8, b"THREADID") => Self::ThreadId(object_id(cursor)?),
                    (10, b"SAVEDSINCE") => Self::SavedSince(cursor.date()?),
                    (11, b"SAVEDBEFORE") => Self::SavedBefore(cursor.date()?),
                    (7, b"KEYWORD") => Self::Keyword(cursor.name()?),
                    (7, b"SMALLER") => Self::Smaller(cursor.number64()?),
                    (7, b"SUBJECT") => Self::Subject(cursor.astring()?),
                    (7, b"YOUNGER") => Self::Younger(interval(cursor)?),
                    (9, b"SENTSINCE") => Self::SentSince(cursor.date()?),
                    (9, b"UNKEYWORD") => Self::Unkeyword(cursor.name()?),
                    (10, b"SENTBEFORE") => Self::SentBefore(cursor.date()?),
                    _ => return before.fail(Rule::Search),
                }
            }
        })
    }
}

/// `[SP entry-name SP entry-type-req] SP mod-sequence-valzer`, behind the first space (RFC 7162 §7).
fn mod_seq<'a>(cursor: &mut Cursor<'a>) -> Parse<Key<'a>> {
    let mut entry = None;
    if matches!(cursor.peek(), Some(b'"' | b'{')) {
        let name = cursor.text()?;
        cursor.space()?;
        let Some(kind) = EntryType::ALL.into_iter().find(|kind| cursor.eat_name(kind.name())) else {
            return cursor.fail(Rule::Search);
        };
        cursor.space()?;
        entry = Some((name, kind));
    }
    Ok(Key::ModSeq { entry, sequence: cursor.number64()? })
}

/// `filter-name`: an atom without `/`, which parts the names of METADATA entries (RFC 5466 §3.1).
fn filter_name<'a>(cursor: &mut Cursor<'a>) -> Parse<Atom<'a>> {
    cursor.word(Rule::Search, |octet| is_atom(octet) && octet != b'/', Atom::new)
}

/// `objectid`: at most 255 letters, digits, `_` and `-` (RFC 8474 §7).
fn object_id<'a>(cursor: &mut Cursor<'a>) -> Parse<Atom<'a>> {
    let class = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-');
    cursor.word(Rule::Search, class, |octets| match octets.len() {
        0..=255 => Atom::new(octets),
        _ => Err(Invalid::Shape),
    })
}

/// `nz-number` seconds: an interval of none finds nothing (RFC 5032 §3).
fn interval(cursor: &mut Cursor<'_>) -> Parse<u32> {
    match cursor.number()? {
        0 => cursor.fail(Rule::NonZero),
        seconds => Ok(seconds),
    }
}
