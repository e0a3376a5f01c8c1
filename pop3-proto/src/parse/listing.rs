//! Lines of listings (RFC 1939 §5 and §7, RFC 6856 §3.2), without stuffing and line end.

use super::{Fault, Parsed, blank, end, message_number, number64};
use crate::error::{Malformed, Rule};
use crate::policy::{Mend, Repair};
use crate::reply::Item;
use crate::types::{LanguageTag, Mechanism, MessageNumber, UniqueId};

/// The message that a line is of, and what it says.
type Entry<T> = Result<(MessageNumber, T), nom::Err<Fault>>;

/// `n size`, and what may follow behind a blank.
///
/// Repairs are counted by the caller's own counters, or not at all where lines are read a second time.
pub(crate) fn scan(line: &[u8], repairs: &mut impl Mend) -> Entry<u64> {
    // RFC 1939 §5: the number, one blank, the size; what a server adds behind another blank is not looked at.
    let (rest, indented) = indent(line, repairs);
    let (rest, message) = message_number(rest)?;
    let (rest, extra) = gap(rest, repairs)?;
    let (rest, octets) = number64(rest)?;
    end(rest).or_else(|_| blank(rest))?;
    count(indented || extra, repairs);
    Ok((message, octets))
}

/// `n id`, and nothing behind it.
pub(crate) fn unique_id<'i>(line: &'i [u8], repairs: &mut impl Mend) -> Entry<UniqueId<'i>> {
    let (rest, indented) = indent(line, repairs);
    let (rest, message) = message_number(rest)?;
    let (rest, mut extra) = gap(rest, repairs)?;
    // Blanks at the end are no part of an id, which has none (RFC 1939 §7).
    let mut octets = rest;
    if octets.last() == Some(&b' ') && repairs.is_on(Repair::ExtraBlanks) {
        octets = octets.trim_ascii_end();
        extra = true;
    }
    // How long it is is looked at below, where a repair may let it pass.
    let Ok(id) = UniqueId::of_any_length(octets) else {
        return Fault::at(rest, if octets.is_empty() { Rule::Missing } else { Rule::UniqueId });
    };
    // 70 octets is the standard's bound; servers exceed it, and a client that refused would see all mail as new each time.
    if id.is_long() && !repairs.mend(Repair::LongUniqueId) {
        return Fault::at(rest, Rule::UniqueId);
    }
    count(indented || extra, repairs);
    Ok((message, id))
}

/// The one blank between number and value, or more of them.
fn gap<'i>(input: &'i [u8], repairs: &impl Mend) -> Parsed<'i, bool> {
    let (rest, ()) = blank(input)?;
    Ok(indent(rest, repairs))
}

/// Passes over blanks where there should be none, and says whether there were any.
fn indent<'i>(input: &'i [u8], repairs: &impl Mend) -> (&'i [u8], bool) {
    // Switched on it takes any number of them; it is counted once for a line.
    if input.first() == Some(&b' ') && repairs.is_on(Repair::ExtraBlanks) {
        return (input.trim_ascii_start(), true);
    }
    (input, false)
}

/// A repair is counted once the line is known to be good: one that fails is no repair.
fn count(extra: bool, repairs: &mut impl Mend) {
    if extra {
        repairs.mend(Repair::ExtraBlanks);
    }
}

/// A line of LIST.
pub(crate) fn scan_item<'i>(line: &'i [u8], repairs: &mut impl Mend) -> Result<Item<'i>, Malformed<'i>> {
    let (message, octets) = scan(line, repairs).map_err(|fault| Fault::of(fault, line))?;
    Ok(Item::Scan { message, octets })
}

/// A line of UIDL.
pub(crate) fn unique_id_item<'i>(line: &'i [u8], repairs: &mut impl Mend) -> Result<Item<'i>, Malformed<'i>> {
    let (message, id) = unique_id(line, repairs).map_err(|fault| Fault::of(fault, line))?;
    Ok(Item::UniqueId { message, id })
}

/// A line of AUTH.
pub(crate) fn mechanism_item(line: &[u8]) -> Result<Item<'_>, Malformed<'_>> {
    // A server that lists what is no name has a mechanism that cannot be asked for (RFC 4422 §3.1).
    Mechanism::try_from(line).map(Item::Mechanism).map_err(|invalid| Malformed {
        raw: line,
        at: 0,
        rule: invalid.0,
    })
}

/// A line of LANG: a tag, and its name behind a blank.
pub(crate) fn language_item(line: &[u8]) -> Result<Item<'_>, Malformed<'_>> {
    let end = memchr::memchr(b' ', line).unwrap_or(line.len());
    // The description may hold anything, and be missing (RFC 6856 §3.2).
    let (tag, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    match LanguageTag::try_from(tag) {
        Ok(tag) => Ok(Item::Language { tag, description: rest.get(1..).unwrap_or_default() }),
        Err(invalid) => Err(Malformed { raw: line, at: 0, rule: invalid.0 }),
    }
}
