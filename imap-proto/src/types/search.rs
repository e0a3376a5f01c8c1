//! Search keys as prefix tokens (RFC 9051 §6.4.4): no tree, no recursion.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::invalid::Invalid;
use super::search_key::Key;
use crate::error::Rule;
use crate::parse::cursor::{Bounds, Cursor};
use crate::parse::leaf::Parse;
use core::fmt;

/// The deepest nesting of NOT, OR and parentheses that any limit allows.
pub const SEARCH_DEPTH_MAX: usize = 128;

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

/// Where the keys stand. Neither is copied: a search of many keys costs what its octets cost.
#[derive(Clone, Copy)]
enum Keys<'a> {
    /// As they came, checked.
    Wire(&'a [u8]),
    /// As an application has put them together.
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

// What a frame of the stack is, and what is known of it: an octet each, so that the deepest nesting costs no more than its limit.
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

    /// Never full: no [`Search`] is deeper than [`Shape`] has let it be.
    fn push(&mut self, frame: u8) {
        if let Some(slot) = self.frames.get_mut(self.depth) {
            *slot = frame;
            self.depth = self.depth.saturating_add(1);
        }
    }

    /// Whether the next operand changes nothing any more. An application is spared the reading of a message for it.
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

    /// The keys in parentheses must all hold (RFC 9051 §6.4.4); then they are one operand of what stands around them.
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

/// Checks that every operator gets its operands, as the keys come: a command that nests deeper than the limit is refused there, and nothing of it is kept.
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

    /// An operand is complete: it may complete the operators around it.
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

/// By their keys: the same search may stand as octets on one side and as keys on the other.
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
