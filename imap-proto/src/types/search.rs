//! Search keys as prefix tokens (RFC 9051 §6.4.4): no tree, no recursion.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::astring::AString;
use super::atom::Atom;
use super::capability::Capabilities;
use super::chars::{is_atom, is_label};
use super::date_time::Date;
use super::invalid::Invalid;
use super::sequence::SequenceSet;
use crate::error::Rule;
use crate::parse::cursor::{Bounds, Cursor};
use crate::parse::leaf::Parse;
use core::fmt;

/// The deepest nesting of NOT, OR and parentheses that any limit allows.
pub const SEARCH_DEPTH_MAX: usize = 128;

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

    fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
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

fn interval(cursor: &mut Cursor<'_>) -> Parse<u32> {
    match cursor.number()? {
        0 => cursor.fail(Rule::NonZero),
        seconds => Ok(seconds),
    }
}

/// Search keys that must all hold, with arity and depth checked.
///
/// ```
/// use mail_imap_proto::types::{Key, Search};
/// let search = Search::parse(b"OR SEEN NOT (FLAGGED DRAFT)").unwrap();
/// let only_flagged = |key| matches!(key, Key::Flagged);
/// assert!(search.matches(only_flagged));
/// assert!(!search.matches(|key| matches!(key, Key::Flagged | Key::Draft)));
/// ```
#[derive(Clone, Copy)]
pub struct Search<'a>(Keys<'a>);

#[derive(Clone, Copy)]
enum Keys<'a> {
    Wire(&'a [u8]),
    Slice(&'a [Key<'a>]),
}

impl<'a> Search<'a> {
    /// Every message.
    pub const ALL: Search<'static> = Search(Keys::Slice(&[Key::All]));

    /// Checks tokens: each operator with its operands, each parenthesis closed, nesting at most 64.
    ///
    /// # Errors
    /// [`Invalid::Shape`], or [`Invalid::Empty`] without any key.
    pub fn of(keys: &'a [Key<'a>]) -> Result<Self, Invalid> {
        let mut shape = Shape::new(Bounds::USUAL.search_depth);
        for key in keys {
            shape.take(*key).map_err(|_| Invalid::Shape)?;
        }
        match shape.is_complete() {
            _ if keys.is_empty() => Err(Invalid::Empty),
            true => Ok(Self(Keys::Slice(keys))),
            false => Err(Invalid::Shape),
        }
    }

    /// Checks keys as they stand on the wire.
    ///
    /// # Errors
    /// [`Invalid::Shape`].
    pub fn parse(octets: &'a [u8]) -> Result<Self, Invalid> {
        let mut cursor = Cursor::new(octets, Bounds::USUAL);
        let search = Self::read(&mut cursor).map_err(|_| Invalid::Shape)?;
        if cursor.is_end() { Ok(search) } else { Err(Invalid::Shape) }
    }

    /// All that is left of a command.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Parse<Self> {
        let from = cursor.at();
        let mut shape = Shape::new(cursor.bounds().search_depth.min(SEARCH_DEPTH_MAX));
        let mut spaced = false;
        loop {
            let before = *cursor;
            let key = Key::read(cursor)?;
            if spaced && key == Key::Close {
                return before.fail(Rule::Search);
            }
            if let Err(rule) = shape.take(key) {
                return before.fail(rule);
            }
            // One space between two keys, none inside the parentheses.
            spaced = !matches!((key, cursor.peek()), (Key::Open, _) | (_, Some(b')')));
            match (key, cursor.peek()) {
                _ if !spaced => {}
                (_, None) if shape.is_complete() => return Ok(Self(Keys::Wire(cursor.since(from)))),
                _ => cursor.space()?,
            }
        }
    }

    /// The tokens in order.
    pub fn iter(self) -> impl Iterator<Item = Key<'a>> + Clone + 'a {
        let (wire, slice) = match self.0 {
            Keys::Wire(octets) => (octets, &[][..]),
            Keys::Slice(keys) => (&b""[..], keys),
        };
        let mut cursor = Cursor::again(wire);
        let wire = core::iter::from_fn(move || {
            cursor.eat(b' ');
            if cursor.is_end() { None } else { Key::read(&mut cursor).ok() }
        });
        wire.chain(slice.iter().copied())
    }

    /// Whether a message is found, where `leaf` tells it for one key. `leaf` sees no operator and no parenthesis, and is not asked
    /// where the answer no longer matters.
    pub fn matches(self, mut leaf: impl FnMut(Key<'a>) -> bool) -> bool {
        let mut stack = Stack::new();
        for key in self.iter() {
            match key {
                Key::Not => stack.push(NOT),
                Key::Fuzzy => stack.push(SAME),
                Key::Or => stack.push(OR),
                Key::Open => stack.push(ALL_SO_FAR),
                Key::Close => stack.close(),
                _ => {
                    let holds = !stack.is_settled() && leaf(key);
                    stack.value(holds);
                }
            }
        }
        stack.result()
    }
}

const NOT: u8 = 0;
const OR: u8 = 1;
const OR_FALSE: u8 = 2;
const OR_TRUE: u8 = 3;
const ALL_SO_FAR: u8 = 4;
const FAILED: u8 = 5;
const SAME: u8 = 6;

/// Operators whose operands are not complete, the innermost last.
struct Stack {
    frames: [u8; SEARCH_DEPTH_MAX],
    depth: usize,
    /// How many of the frames, and of the whole, are decided already.
    settled: usize,
    all: bool,
}

impl Stack {
    const fn new() -> Self {
        Self { frames: [NOT; SEARCH_DEPTH_MAX], depth: 0, settled: 0, all: true }
    }

    fn push(&mut self, frame: u8) {
        if let Some(slot) = self.frames.get_mut(self.depth) {
            *slot = frame;
            self.depth = self.depth.saturating_add(1);
        }
    }

    fn is_settled(&self) -> bool {
        self.settled > 0 || !self.all
    }

    /// An operand is known: it goes into the innermost operator, whose own value may then be known too.
    fn value(&mut self, mut holds: bool) {
        while let Some(top) = self.depth.checked_sub(1).and_then(|top| self.frames.get_mut(top)) {
            match *top {
                NOT => holds = !holds,
                OR if holds => {
                    *top = OR_TRUE;
                    self.settled = self.settled.saturating_add(1);
                    return;
                }
                OR => {
                    *top = OR_FALSE;
                    return;
                }
                OR_FALSE | SAME => {}
                OR_TRUE => {
                    holds = true;
                    self.settled = self.settled.saturating_sub(1);
                }
                ALL_SO_FAR if !holds => {
                    *top = FAILED;
                    self.settled = self.settled.saturating_add(1);
                    return;
                }
                _ => return,
            }
            self.depth = self.depth.saturating_sub(1);
        }
        self.all &= holds;
    }

    fn close(&mut self) {
        let Some(top) = self.depth.checked_sub(1) else { return };
        let holds = self.frames.get(top) != Some(&FAILED);
        if !holds {
            self.settled = self.settled.saturating_sub(1);
        }
        self.depth = top;
        self.value(holds);
    }

    fn result(&self) -> bool {
        self.all
    }
}

/// Checks that every operator gets its operands.
struct Shape {
    /// Operands still wanted; 0 for a parenthesis that holds nothing yet, [`HOLDS`] once it does.
    frames: [u8; SEARCH_DEPTH_MAX],
    depth: usize,
    limit: usize,
}

const HOLDS: u8 = 0x80;

impl Shape {
    const fn new(limit: usize) -> Self {
        Self { frames: [0; SEARCH_DEPTH_MAX], depth: 0, limit }
    }

    fn take(&mut self, key: Key<'_>) -> Result<(), Rule> {
        let wanted = match key {
            Key::Not | Key::Fuzzy => 1,
            Key::Or => 2,
            Key::Open => 0,
            Key::Close => {
                let top = self.depth.checked_sub(1).ok_or(Rule::Search)?;
                if self.frames.get(top) != Some(&HOLDS) {
                    return Err(Rule::Search);
                }
                self.depth = top;
                self.operand();
                return Ok(());
            }
            _ => {
                self.operand();
                return Ok(());
            }
        };
        if self.depth >= self.limit {
            return Err(Rule::Depth);
        }
        *self.frames.get_mut(self.depth).ok_or(Rule::Depth)? = wanted;
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    fn operand(&mut self) {
        while let Some(top) = self.depth.checked_sub(1).and_then(|top| self.frames.get_mut(top)) {
            match *top {
                0 | HOLDS => {
                    *top = HOLDS;
                    return;
                }
                2 => {
                    *top = 1;
                    return;
                }
                _ => self.depth = self.depth.saturating_sub(1),
            }
        }
    }

    const fn is_complete(&self) -> bool {
        self.depth == 0
    }
}

impl PartialEq for Search<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Search<'_> {}

impl fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
