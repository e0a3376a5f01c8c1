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
    count(extra, repairs);
    Ok((message, id))
}

/// The one blank between number and value, or more of them.
fn gap<'i>(input: &'i [u8], repairs: &impl Mend) -> Parsed<'i, bool> {
    let (rest, ()) = blank(input)?;
    // Switched on it takes any number of them; it is counted once for a line.
    if rest.first() == Some(&b' ') && repairs.is_on(Repair::ExtraBlanks) {
        return Ok((rest.trim_ascii_start(), true));
    }
    Ok((rest, false))
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

/// What the lines are that most servers send: found without looking for the line end first. `None`: not such a line, or one to look
/// at closer. For LIST.
#[inline]
pub(crate) fn plain_scan(octets: &[u8]) -> Option<(MessageNumber, u64, usize)> {
    let (message, behind) = digits(octets, 0, b' ')?;
    let (size, behind) = digits(octets, behind, b'\r')?;
    let end = behind.checked_add(1)?;
    // A CR alone is no line end: the grammar proper says what is wrong (RFC 1939 §3).
    if octets.get(behind) != Some(&b'\n') {
        return None;
    }
    Some((MessageNumber::new(u32::try_from(message).ok()?)?, size, end))
}

/// The same for UIDL: the number, and where the id stands.
#[inline]
pub(crate) fn plain_unique_id(octets: &[u8]) -> Option<(MessageNumber, UniqueId<'_>, usize)> {
    // The number of digits is bounded, so that no line is looked at twice from its start.
    let (message, start) = digits(octets, 0, b' ')?;
    let rest = octets.get(start..)?;
    // One octet more than an id may have is enough to know that it is too long.
    let len = visible(rest, UniqueId::MAX.saturating_add(1));
    let id = UniqueId::plain(rest.get(..len)?)?;
    let end = start.checked_add(len)?.checked_add(2)?;
    if octets.get(end.checked_sub(2)?..end) != Some(b"\r\n") {
        return None;
    }
    Some((MessageNumber::new(u32::try_from(message).ok()?)?, id, end))
}

/// Up to 18 digits from `at` on with `mark` behind them, and the place behind that.
/// Leading zeros count as digits, as the grammar lets them.
#[inline(always)]
fn digits(octets: &[u8], at: usize, mark: u8) -> Option<(u64, usize)> {
    let rest = octets.get(at..)?;
    // Most numbers end within eight octets: all of them at once.
    if let Some(word) = rest.first_chunk::<8>() {
        // The first octet is the lowest, so that trailing zeros count octets from the front.
        let word = u64::from_le_bytes(*word);
        let values = word ^ EACH.wrapping_mul(0x30);
        // What is above 9 carries into the highest bit of its octet. What it carries into the octets behind it is not looked at.
        let foreign = (values | values.wrapping_add(EACH.wrapping_mul(0x76))) & EACH.wrapping_mul(0x80);
        if foreign != 0 {
            let before = foreign.trailing_zeros() & !7;
            let value = eight(values.checked_shl(64_u32.wrapping_sub(before))?);
            let found = (word >> before) & 0xFF;
            let len = usize::try_from(before / 8).ok()?;
            return (found == u64::from(mark)).then_some((value, at.wrapping_add(len).wrapping_add(1)));
        }
    }
    more_digits(rest, mark).map(|(value, len)| (value, at.wrapping_add(len)))
}

/// The number of eight digits of which the first is the lowest octet.
#[inline(always)]
const fn eight(values: u64) -> u64 {
    // Two, four and eight digits in each step, side by side.
    let pairs = (values.wrapping_mul(10 * 256 + 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100 * 65_536 + 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000 * 4_294_967_296 + 1) >> 32
}

/// The same octet by octet.
fn more_digits(octets: &[u8], mark: u8) -> Option<(u64, usize)> {
    let (mut value, mut place) = (0_u64, 0_usize);
    for octet in octets.iter().take(19) {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            let some = place > 0 && *octet == mark;
            return some.then_some((value, place.wrapping_add(1)));
        }
        // 18 digits and one more cannot pass 2⁶⁴.
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        place = place.wrapping_add(1);
    }
    None
}

/// How many octets from 0x21 to 0x7E stand at the front; where there are more than `most`, some number above it.
#[inline]
fn visible(octets: &[u8], most: usize) -> usize {
    // Ids are the longest part of the longest listings: what is done for each octet of them is what UIDL costs.
    let mut len = 0_usize;
    // Eight at a time: in each octet of `foreign` the highest bit tells whether that of the word is outside.
    while let Some(word) = octets.get(len..).and_then(|rest| rest.first_chunk::<8>()) {
        // The first octet is the lowest, so that trailing zeros count octets from the front.
        let word = u64::from_le_bytes(*word);
        let over = word | word.wrapping_add(EACH);
        let under = !(word | EACH.wrapping_mul(0x80)).wrapping_sub(EACH.wrapping_mul(0x21));
        let foreign = (over | under) & EACH.wrapping_mul(0x80);
        if foreign != 0 {
            let before = foreign.trailing_zeros() / 8;
            return len.saturating_add(usize::try_from(before).unwrap_or(0));
        }
        len = len.saturating_add(8);
        if len > most {
            return len;
        }
    }
    let rest = octets.get(len..).unwrap_or_default();
    len.saturating_add(rest.iter().take_while(|octet| octet.is_ascii_graphic()).count())
}

/// A word of eight octets that are 1.
const EACH: u64 = 0x0101_0101_0101_0101;

#[cfg(test)]
mod tests {
    use super::*;

    /// The word-wise count against the plain one, for every foreign octet at every place.
    #[test]
    fn what_is_visible_is_found_eight_at_a_time_as_one_by_one() {
        for foreign in 0..=255_u8 {
            for (len, at) in (0..40).flat_map(|len| (0..=len).map(move |at| (len, at))) {
                let mut octets = vec![b'x'; len];
                if let Some(octet) = octets.get_mut(at) {
                    *octet = foreign;
                }
                let expected = octets.iter().take_while(|octet| octet.is_ascii_graphic()).count();
                assert_eq!(visible(&octets, 71), expected, "{octets:?}");
            }
        }
    }

    /// As many digits as there can be, none, too many, and what stands beside the digits in ASCII.
    #[test]
    fn digits_are_read_alike_few_and_many() {
        for number in (0..3000).chain([9_999_999, 10_000_000, 99_999_999, 123_456_789_012_345_678]) {
            let text = format!("{number}\r........");
            assert_eq!(digits(text.as_bytes(), 0, b'\r'), Some((number, text.len() - 8)), "{number}");
            let bare = format!("{number}\r");
            assert_eq!(digits(bare.as_bytes(), 0, b'\r'), Some((number, bare.len())), "{number}");
        }
        for text in [
            "",
            "\r",
            "x1\r.......",
            "1x\r.......",
            "1234567890123456789\r....",
            ":\r........",
            "/\r........",
        ] {
            assert_eq!(digits(text.as_bytes(), 0, b'\r'), None, "{text:?}");
        }
    }

    /// The quick readers may give up at any time; what they do say is what the grammar says.
    #[test]
    fn a_plain_line_says_the_same_as_the_grammar() {
        let mut none = crate::policy::Switches::default();
        let values = [
            "",
            "1",
            "0",
            "12",
            "4294967295",
            "4294967296",
            "999999999999999999",
            "1000000000000000000",
            "x",
            "-1",
        ];
        let ids = ["", "a", "a b", "\u{7f}", "~!", &"y".repeat(70), &"y".repeat(71), &"y".repeat(90)];
        for (a, b) in values.iter().flat_map(|a| values.iter().chain(&ids).map(move |b| (a, b))) {
            for gap in ["", " ", "  ", "\t"] {
                let line = format!("{a}{gap}{b}");
                let wire = format!("{line}\r\n7 7\r\n");
                if let Some((message, octets, len)) = plain_scan(wire.as_bytes()) {
                    assert_eq!(scan(line.as_bytes(), &mut none).ok(), Some((message, octets)), "{line:?}");
                    assert_eq!(len, line.len() + 2);
                }
                if let Some((message, id, len)) = plain_unique_id(wire.as_bytes()) {
                    assert_eq!(unique_id(line.as_bytes(), &mut none).ok(), Some((message, id)), "{line:?}");
                    assert_eq!(len, line.len() + 2);
                }
            }
        }
        assert!(plain_scan(b"1 2\r\n").is_some() && plain_unique_id(b"1 2\r\n").is_some());
        assert!(plain_scan(b"1 2\n").is_none() && plain_unique_id(b"1 2\rx").is_none());
    }

    /// The oracle is the standard library; behind the number stands what may come, and what may not.
    #[test]
    fn digits_are_read_as_the_standard_library_reads_them() {
        let numbers = ["", "0", "7", "42", "007", "1234567", "12345678", "123456789", "999999999999999999"];
        for number in numbers {
            for behind in [
                &b" "[..],
                b" 1 2 3 4 5 6",
                b"\r\n",
                b"x",
                b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                b"/1234567",
                b":1234567",
                b"",
            ] {
                let octets = [b"..", number.as_bytes(), behind].concat();
                let good = behind.first() == Some(&b' ') && !number.is_empty();
                let wanted = good.then(|| (number.parse().unwrap(), 2 + number.len() + 1));
                assert_eq!(digits(&octets, 2, b' '), wanted, "{number:?} {behind:?}");
            }
        }
        assert_eq!(digits(b"1234567890123456789 ", 0, b' '), None);
    }
}
