//! Plain lines of LIST and UIDL, which are nearly all lines that servers send: looked at eight octets at a time.
//!
//! A plain line is a number of up to seven digits, one blank, a value, and CRLF. The value is up to eight digits in LIST, and an id of up to 70 octets in
//! UIDL. What is plain is well-formed, and nothing in it is to be repaired; all else is the grammar's, be it right or wrong.
//!
//! A listing is gone through twice. When it is decoded, it is told how far it is plain; when its lines are looked at, those that were found plain are
//! taken apart and not checked again. Either way the end of a line is looked for from its start, not from behind its number: a processor then finds the
//! next line while it still works on this one.

use crate::types::{MessageNumber, UniqueId};

/// The longest plain line, in octets, line end included.
pub(crate) const LONGEST: usize = 8 + UniqueId::MAX + 2;

/// The octets from the start of a line on: more than a plain line has, so that no bounds are checked where one is read.
type Window = [u8; 96];
const _: () = assert!(LONGEST <= size_of::<Window>());

/// How many plain lines of LIST stand at the front, at most so many, and what stands behind them.
pub(crate) fn plain_scans(lines: &[u8], most: u32) -> (u32, &[u8]) {
    pass(lines, most, no_digit, 8)
}

/// The same for UIDL.
pub(crate) fn plain_unique_ids(lines: &[u8], most: u32) -> (u32, &[u8]) {
    pass(lines, most, invisible, UniqueId::MAX)
}

/// The line at the front, of LIST, and what stands behind it: the first of some that were found plain.
#[inline]
pub(crate) fn scan(lines: &[u8]) -> Option<(MessageNumber, u64, &[u8])> {
    let (message, octets, end) = match lines.first_chunk() {
        Some(window) => two_numbers(window),
        None => padded(lines, two_numbers),
    }?;
    Some((message, octets, lines.get(end..)?))
}

/// The same for UIDL.
#[inline]
pub(crate) fn unique_id(lines: &[u8]) -> Option<(MessageNumber, UniqueId<'_>, &[u8])> {
    let (message, start, end) = match lines.first_chunk() {
        Some(window) => apart(window),
        None => padded(lines, apart),
    }?;
    Some((message, UniqueId::plain(lines.get(start..end)?)?, lines.get(end.wrapping_add(2)..)?))
}

/// The numbers of a plain line of LIST, and the length of the line.
#[inline(always)]
fn two_numbers(window: &Window) -> Option<(MessageNumber, u64, usize)> {
    let (message, start, end) = apart(window)?;
    let bits = u32::try_from(end.wrapping_sub(start)).ok()?.wrapping_mul(8);
    Some((message, number(word(window, start)?, bits)?, end.wrapping_add(2)))
}

/// Goes over plain lines with values of at most so many octets.
#[inline(always)]
fn pass(mut lines: &[u8], most: u32, foreign: impl Fn(u64) -> u64 + Copy, longest: usize) -> (u32, &[u8]) {
    let mut count = 0_u32;
    while count < most {
        let len = match lines.first_chunk() {
            Some(window) => plain(window, foreign, longest),
            None => padded(lines, |window| plain(window, foreign, longest)),
        };
        let Some(behind) = len.and_then(|len| lines.get(len..)) else { break };
        lines = behind;
        count = count.wrapping_add(1);
    }
    (count, lines)
}

/// Reads in the window of the last lines, which NULs fill: they are in no plain line.
#[cold]
#[inline(never)]
fn padded<T>(lines: &[u8], read: impl Fn(&Window) -> Option<T>) -> Option<T> {
    let mut window: Window = [0; 96];
    for (to, from) in window.iter_mut().zip(lines) {
        *to = *from;
    }
    read(&window)
}

/// The length of the line, if it is plain: with a value of at most so many octets, none of them foreign.
#[inline(always)]
fn plain(window: &Window, foreign: impl Fn(u64) -> u64, most: usize) -> Option<usize> {
    let first = word(window, 0)?;
    let no_digits = no_digit(first);
    // The highest bit of the octet behind the digits alone.
    let mark = no_digits & no_digits.wrapping_neg();
    let digits = values(first) & (mark >> 7).wrapping_sub(1);
    let blank = no_digits.trailing_zeros() & !7;
    // No digits, or no other than 0, name no message.
    if digits == 0 || first.wrapping_shr(blank) & 0xFF != u64::from(b' ') {
        return None;
    }
    // A blank with this bit is a 0, which is foreign to no value: so the end is that of the line.
    let end = end(window, first | mark >> 3, foreign)?;
    let len = end.wrapping_sub(octets(blank)).wrapping_sub(1);
    let good = (1..=most).contains(&len) && window.get(end..)?.starts_with(b"\r\n");
    good.then_some(end.wrapping_add(2))
}

/// The number of a plain line, and where its value starts and ends.
#[inline(always)]
fn apart(window: &Window) -> Option<(MessageNumber, usize, usize)> {
    let first = word(window, 0)?;
    let blank = no_digit(first).trailing_zeros() & !7;
    let message = MessageNumber::new(u32::try_from(number(first, blank)?).ok()?)?;
    Some((message, octets(blank).wrapping_add(1), end(window, first, control)?))
}

/// Where the first foreign octet stands, with this word in place of the first eight octets.
#[inline(always)]
fn end(window: &Window, first: u64, foreign: impl Fn(u64) -> u64) -> Option<usize> {
    let (mut found, mut at) = (foreign(first), 0_usize);
    while found == 0 {
        at = at.wrapping_add(8);
        found = foreign(word(window, at)?);
    }
    Some(at.wrapping_add(octets(found.trailing_zeros())))
}

/// Eight octets as a number of which the first is the lowest part.
#[inline(always)]
fn word(window: &Window, at: usize) -> Option<u64> {
    window.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// How many whole octets so many bits are.
#[inline(always)]
fn octets(bits: u32) -> usize {
    usize::try_from(bits / 8).unwrap_or_default()
}

/// The number whose digits are so many bits at the front of the word, from one digit to eight.
#[inline(always)]
fn number(word: u64, bits: u32) -> Option<u64> {
    // What stands behind the digits falls off, and zeros come in front of them.
    let ones = values(word).checked_shl(64_u32.wrapping_sub(bits))?;
    // Two, four and eight digits in each step, side by side.
    let twos = (ones.wrapping_mul(10 * 256 + 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (twos.wrapping_mul(100 * 65_536 + 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    Some(fours.wrapping_mul(10_000 * 4_294_967_296 + 1) >> 32)
}

/// Each octet that is a digit as its value.
#[inline(always)]
const fn values(word: u64) -> u64 {
    word ^ each(b'0')
}

// These set the highest bit of each octet that is foreign. Carries and borrows come from foreign octets alone and go up, so that what they say of the
// first foreign octet is right, and what they say of those behind it is not to be looked at.

/// Octets that are no digits.
#[inline(always)]
const fn no_digit(word: u64) -> u64 {
    // More than 9 is more than 127 with 118 added; what would be more than 255 has the bit already.
    (values(word) | values(word).wrapping_add(each(118))) & each(0x80)
}

/// Octets that are not from 0x21 to 0x7E.
#[inline(always)]
const fn invisible(word: u64) -> u64 {
    (word.wrapping_sub(each(0x21)) | word.wrapping_add(each(1))) & each(0x80)
}

/// Octets below 0x20, where none is above 0x7F.
#[inline(always)]
const fn control(word: u64) -> u64 {
    word.wrapping_sub(each(0x20)) & each(0x80)
}

/// Eight times this octet.
#[inline(always)]
const fn each(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

#[cfg(test)]
#[path = "quick_tests.rs"]
mod tests;
