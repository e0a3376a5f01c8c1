//! Sets of message numbers or UIDs (RFC 9051 §9, `sequence-set`).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::invalid::Invalid;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::num::NonZeroU32;
use core::ops::RangeInclusive;

/// The most items one set may have: each costs a comparison for every message.
pub const SET_ITEMS_MAX: usize = 8192;

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// A number.
    Number(NonZeroU32),
    /// `*`: the largest number in use.
    Last,
}

impl Bound {
    /// A number; `None` for 0, which no message has.
    #[must_use]
    pub const fn number(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self::Number(number)),
            None => None,
        }
    }

    const fn or(self, last: u32) -> u32 {
        match self {
            Self::Number(number) => number.get(),
            Self::Last => last,
        }
    }
}

/// An item of a set, its smaller end first: `4:2` and `2:4` are the same (RFC 9051 §9, `seq-range`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeqRange {
    low: Bound,
    high: Bound,
}

impl SeqRange {
    /// The numbers from one end to the other, in either order.
    #[must_use]
    pub fn new(one: Bound, other: Bound) -> Self {
        Self { low: one.min(other), high: one.max(other) }
    }

    /// The smaller end, where `*` counts as larger than every number.
    #[must_use]
    pub const fn low(self) -> Bound {
        self.low
    }

    /// The larger end.
    #[must_use]
    pub const fn high(self) -> Bound {
        self.high
    }

    /// The numbers where `*` stands for `last`: `5:*` with `last` 3 is `3:5`, so that it always holds the last.
    #[must_use]
    pub fn resolve(self, last: u32) -> RangeInclusive<u32> {
        let (one, other) = (self.low.or(last), self.high.or(last));
        one.min(other)..=one.max(other)
    }
}

/// A checked set as it stands on the wire, or `$` for the saved result of a search (RFC 9051 §6.4.4.1).
///
/// It is read range by range and never expanded: `1:4294967295` costs what `1:2` costs.
///
/// ```
/// use mail_imap_proto::types::SequenceSet;
/// let set = SequenceSet::new(b"9,4:2,7:*").unwrap();
/// assert!(set.contains(3, 20) && !set.contains(5, 20) && set.contains(20, 20));
/// assert_eq!(set.canonical().as_str(), "2:4,7:*");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SequenceSet<'a>(&'a [u8]);

impl<'a> SequenceSet<'a> {
    /// The saved result of the last search.
    pub const SAVED: SequenceSet<'static> = SequenceSet(b"$");
    /// Every message.
    pub const ALL: SequenceSet<'static> = SequenceSet(b"1:*");

    /// Checks a set of at most [`SET_ITEMS_MAX`] items.
    ///
    /// # Errors
    /// [`Invalid::Octet`] where it is no set, [`Invalid::Number`] for 0, a leading zero or more than 32 bits,
    /// [`Invalid::TooMany`] above the limit.
    pub fn new(octets: &'a [u8]) -> Result<Self, Invalid> {
        Self::with_limit(octets, SET_ITEMS_MAX)
    }

    /// The same with another limit on the number of items.
    ///
    /// # Errors
    /// As [`SequenceSet::new`].
    pub fn with_limit(octets: &'a [u8], limit: usize) -> Result<Self, Invalid> {
        let (set, rest) = Self::front(octets, limit)?;
        if rest.is_empty() { Ok(set) } else { Err(octet(octets, rest)) }
    }

    /// The set at the front of `octets`, and what stands behind it.
    pub(crate) fn front(octets: &'a [u8], limit: usize) -> Result<(Self, &'a [u8]), Invalid> {
        let rest = match octets.split_first() {
            None => return Err(Invalid::Empty),
            Some((b'$', rest)) => rest,
            Some(_) => check(octets, limit)?,
        };
        let len = octets.len().saturating_sub(rest.len());
        Ok((Self(octets.get(..len).unwrap_or(octets)), rest))
    }

    /// Whether it is `$`. Such a set has no ranges of its own.
    #[must_use]
    pub fn is_saved(self) -> bool {
        self.0 == b"$"
    }

    /// Whether every number of it is written out: neither `*` nor `$`, which mean something to a server alone (RFC 9051 §9, `uid-set`).
    pub(crate) fn is_fixed(self) -> bool {
        !self.is_saved() && memchr::memchr(b'*', self.0).is_none()
    }

    /// The ranges in the order of the wire.
    #[must_use]
    pub fn ranges(self) -> Ranges<'a> {
        Ranges(if self.is_saved() { &[] } else { self.0 })
    }

    /// Whether `number` is in the set where `*` stands for `last`.
    #[must_use]
    pub fn contains(self, number: u32, last: u32) -> bool {
        self.ranges().any(|range| range.resolve(last).contains(&number))
    }

    /// The ranges of message numbers from 1 to `exists`; what lies outside is cut off.
    pub fn within(self, exists: u32) -> impl Iterator<Item = RangeInclusive<u32>> + 'a {
        self.ranges().filter_map(move |range| {
            let range = range.resolve(exists);
            let (low, high) = (*range.start().max(&1), *range.end().min(&exists));
            (low <= high).then_some(low..=high)
        })
    }

    /// The same set written ascending, with what overlaps or touches merged.
    #[must_use]
    pub fn canonical(self) -> SequenceSetBuf {
        if self.is_saved() {
            return SequenceSetBuf(String::from("$"));
        }
        SequenceSetBuf(join(self.ranges().collect()))
    }

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        // All of it is ASCII.
        match core::str::from_utf8(self.0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

impl fmt::Debug for SequenceSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SequenceSet({})", self.as_str())
    }
}

/// The ranges of a [`SequenceSet`].
#[derive(Clone, Copy, Debug)]
pub struct Ranges<'a>(&'a [u8]);

impl Iterator for Ranges<'_> {
    type Item = SeqRange;

    fn next(&mut self) -> Option<SeqRange> {
        let (low, rest) = bound(self.0)?;
        let (range, rest) = match rest.split_first() {
            Some((b':', rest)) => {
                let (high, rest) = bound(rest)?;
                (SeqRange::new(low, high), rest)
            }
            _ => (SeqRange::new(low, low), rest),
        };
        self.0 = rest.split_first().map_or(&[], |(_comma, rest)| rest);
        Some(range)
    }
}

/// Reads one end of a range of a set that was checked.
fn bound(octets: &[u8]) -> Option<(Bound, &[u8])> {
    if let Some((b'*', rest)) = octets.split_first() {
        return Some((Bound::Last, rest));
    }
    let (mut number, mut rest) = (0_u32, octets);
    while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
        number = number.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0')));
        rest = behind;
    }
    Some((Bound::number(number)?, rest))
}

/// Checks the set at the front of `octets` and gives what stands behind it.
fn check(octets: &[u8], limit: usize) -> Result<&[u8], Invalid> {
    let (mut items, mut rest) = (0_usize, octets);
    loop {
        items = items.saturating_add(1);
        if items > limit {
            return Err(Invalid::TooMany { limit });
        }
        rest = check_bound(octets, rest)?;
        if let Some((b':', behind)) = rest.split_first() {
            rest = check_bound(octets, behind)?;
        }
        match rest.split_first() {
            Some((b',', behind)) => rest = behind,
            _ => return Ok(rest),
        }
    }
}

fn octet(octets: &[u8], rest: &[u8]) -> Invalid {
    Invalid::Octet { at: octets.len().saturating_sub(rest.len()) }
}

fn check_bound<'a>(octets: &[u8], at: &'a [u8]) -> Result<&'a [u8], Invalid> {
    let mut rest = at;
    match at.split_first() {
        Some((b'*', rest)) => return Ok(rest),
        Some((b'0', _)) => return Err(Invalid::Number),
        _ => {}
    }
    let mut number = 0_u32;
    while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        number = number.checked_mul(10).and_then(|n| n.checked_add(digit)).ok_or(Invalid::Number)?;
        rest = behind;
    }
    if number == 0 { Err(octet(octets, rest)) } else { Ok(rest) }
}

/// A set that is built: ascending and merged, at least one number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SequenceSetBuf(String);

impl SequenceSetBuf {
    /// A set of ranges.
    ///
    /// # Errors
    /// [`Invalid::Empty`] without any range, [`Invalid::TooMany`] if more than [`SET_ITEMS_MAX`] are left after merging.
    pub fn from_ranges(ranges: impl IntoIterator<Item = SeqRange>) -> Result<Self, Invalid> {
        let text = join(ranges.into_iter().collect());
        let items = memchr::memchr_iter(b',', text.as_bytes()).count();
        match text.is_empty() {
            true => Err(Invalid::Empty),
            false if items >= SET_ITEMS_MAX => Err(Invalid::TooMany { limit: SET_ITEMS_MAX }),
            false => Ok(Self(text)),
        }
    }

    /// A set of single numbers.
    ///
    /// # Errors
    /// As [`SequenceSetBuf::from_ranges`], and [`Invalid::Number`] for a 0.
    pub fn from_numbers(numbers: impl IntoIterator<Item = u32>) -> Result<Self, Invalid> {
        let mut ranges = Vec::new();
        for number in numbers {
            let bound = Bound::number(number).ok_or(Invalid::Number)?;
            ranges.push(SeqRange::new(bound, bound));
        }
        Self::from_ranges(ranges)
    }

    /// The set.
    #[must_use]
    pub fn as_set(&self) -> SequenceSet<'_> {
        SequenceSet(self.0.as_bytes())
    }

    /// The set as it goes on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn join(mut ranges: Vec<SeqRange>) -> String {
    ranges.sort_unstable();
    let mut merged: Vec<SeqRange> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if touches(last.high, range.low) => last.high = last.high.max(range.high),
            _ => merged.push(range),
        }
    }
    let mut text = String::new();
    for range in merged {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = match (range.low, range.high) {
            (Bound::Last, _) => write!(text, "{comma}*"),
            (Bound::Number(low), Bound::Last) => write!(text, "{comma}{low}:*"),
            (Bound::Number(low), Bound::Number(high)) if low == high => write!(text, "{comma}{low}"),
            (Bound::Number(low), Bound::Number(high)) => write!(text, "{comma}{low}:{high}"),
        };
    }
    text
}

/// Whether a range that begins at `low` overlaps or follows at once on one that ends at `high`. `*` touches itself alone: where
/// it lies is not known.
fn touches(high: Bound, low: Bound) -> bool {
    match (high, low) {
        (Bound::Number(high), Bound::Number(low)) => low.get() <= high.get().saturating_add(1),
        (Bound::Last, _) => true,
        (Bound::Number(_), Bound::Last) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(set: &[u8]) -> String {
        SequenceSet::new(set).unwrap().canonical().as_str().into()
    }

    #[test]
    fn a_set_is_sorted_and_merged() {
        assert_eq!(canonical(b"9,7,3:5"), "3:5,7,9");
        assert_eq!(canonical(b"4:2"), "2:4");
        assert_eq!(canonical(b"1,2,3"), "1:3");
        assert_eq!(canonical(b"*:5,1"), "1,5:*");
        assert_eq!(canonical(b"*"), "*");
        assert_eq!(canonical(b"5:*,7:9,*"), "5:*");
        assert_eq!(canonical(b"4294967295:1"), "1:4294967295");
        assert_eq!(canonical(b"$"), "$");
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for bad in [
            &b""[..],
            b"0",
            b"0:5",
            b"1:0",
            b"01",
            b",1",
            b"1,",
            b"1,,2",
            b"1:",
            b":1",
            b"1:2:3",
            b"$,1",
            b"1 2",
            b"a",
            b"-1",
        ] {
            assert!(SequenceSet::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(SequenceSet::new(b"4294967296"), Err(Invalid::Number));
        assert_eq!(SequenceSet::new(b"1:*\r\nA DELETE x"), Err(Invalid::Octet { at: 3 }));
    }

    #[test]
    fn the_limit_counts_items_and_a_range_is_one() {
        assert!(SequenceSet::with_limit(b"1:4294967295,7", 2).is_ok());
        assert_eq!(SequenceSet::with_limit(b"1,2,3", 2), Err(Invalid::TooMany { limit: 2 }));
    }

    /// A table of all sets over a few items against a set of numbers that is expanded.
    #[test]
    fn membership_agrees_with_the_expanded_set() {
        let items: [(&str, &[u32]); 6] = [
            ("1", &[1]),
            ("3:2", &[2, 3]),
            ("*", &[6]),
            ("5:*", &[5, 6]),
            ("*:9", &[6, 7, 8, 9]),
            ("4", &[4]),
        ];
        for (one, first) in items {
            for (two, second) in items {
                let text = format!("{one},{two}");
                let set = SequenceSet::new(text.as_bytes()).unwrap();
                for number in 0..12 {
                    let expected = first.contains(&number) || second.contains(&number);
                    assert_eq!(set.contains(number, 6), expected, "{number} in {text}");
                    let inside = set.within(6).any(|range| range.contains(&number));
                    assert_eq!(inside, expected && number <= 6, "{number} in {text}");
                    // Beyond the last there is no message, so that merging may forget what `*:9` says of it.
                    let canonical = set.canonical().as_set().contains(number, 6);
                    assert!(number > 6 || canonical == expected, "{number} in {text}");
                }
            }
        }
    }

    #[test]
    fn an_empty_mailbox_has_no_member() {
        assert_eq!(SequenceSet::ALL.within(0).count(), 0);
        assert_eq!(SequenceSet::SAVED.ranges().count(), 0);
    }

    #[test]
    fn a_built_set_is_merged_and_never_empty() {
        let set = SequenceSetBuf::from_numbers([9, 1, 2, 3]).unwrap();
        assert_eq!(set.as_str(), "1:3,9");
        assert_eq!(SequenceSetBuf::from_numbers([]), Err(Invalid::Empty));
        assert_eq!(SequenceSetBuf::from_numbers([0]), Err(Invalid::Number));
        let odd = (0..8193).map(|n| 2 * n + 1);
        assert_eq!(SequenceSetBuf::from_numbers(odd), Err(Invalid::TooMany { limit: 8192 }));
    }
}
