//! Lines of listings (RFC 1939 §5 and §7, RFC 6856 §3.2), without stuffing and line end.

use super::{Fault, Parsed, blank, end, message_number, number64};
use crate::error::{Malformed, Rule};
use crate::policy::{Mend, Repair};
use crate::reply::Item;
use crate::types::{LanguageTag, Mechanism, MessageNumber, UniqueId};

type Entry<T> = Result<(MessageNumber, T), nom::Err<Fault>>;

/// `n size`, and what may follow behind a blank.
pub(crate) fn scan(line: &[u8], repairs: &mut impl Mend) -> Entry<u64> {
    let (rest, message) = message_number(line)?;
    let (rest, extra) = gap(rest, repairs)?;
    let (rest, octets) = number64(rest)?;
    end(rest).or_else(|_| blank(rest))?;
    count(extra, repairs);
    Ok((message, octets))
}

/// `n id`, and nothing behind it.
pub(crate) fn unique_id<'i>(line: &'i [u8], repairs: &mut impl Mend) -> Entry<UniqueId<'i>> {
    let (rest, message) = message_number(line)?;
    let (rest, mut extra) = gap(rest, repairs)?;
    let mut octets = rest;
    if octets.last() == Some(&b' ') && repairs.is_on(Repair::ExtraBlanks) {
        octets = octets.trim_ascii_end();
        extra = true;
    }
    let Ok(id) = UniqueId::of_any_length(octets) else {
        return Fault::at(rest, if octets.is_empty() { Rule::Missing } else { Rule::UniqueId });
    };
    if id.is_long() && !repairs.mend(Repair::LongUniqueId) {
        return Fault::at(rest, Rule::UniqueId);
    }
    count(extra, repairs);
    Ok((message, id))
}

/// The one blank between number and value, or more of them.
fn gap<'i>(input: &'i [u8], repairs: &impl Mend) -> Parsed<'i, bool> {
    let (rest, ()) = blank(input)?;
    if rest.first() == Some(&b' ') && repairs.is_on(Repair::ExtraBlanks) {
        return Ok((rest.trim_ascii_start(), true));
    }
    Ok((rest, false))
}

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
    Mechanism::try_from(line).map(Item::Mechanism).map_err(|invalid| Malformed {
        raw: line,
        at: 0,
        rule: invalid.0,
    })
}

/// A line of LANG: a tag, and its name behind a blank.
pub(crate) fn language_item(line: &[u8]) -> Result<Item<'_>, Malformed<'_>> {
    let end = memchr::memchr(b' ', line).unwrap_or(line.len());
    let (tag, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    match LanguageTag::try_from(tag) {
        Ok(tag) => Ok(Item::Language { tag, description: rest.get(1..).unwrap_or_default() }),
        Err(invalid) => Err(Malformed { raw: line, at: 0, rule: invalid.0 }),
    }
}
