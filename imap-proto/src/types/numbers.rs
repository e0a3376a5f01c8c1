//! Lists of numbers: SEARCH, SORT, THREAD, ESEARCH. They are read number by number and write nothing down, so that a
//! million of them cost no memory.

use super::sequence::SequenceSet;
use super::text::Text;
use crate::error::Rule;
use crate::parse::leaf::Cursor;
use core::fmt;

/// Message numbers or UIDs in the order of the server: SEARCH and SORT.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Numbers<'i>(&'i [u8]);

/// An entry of a number list that is no number above 0 of 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message number: \"{}\"", self.raw.escape_ascii())]
pub struct BadNumber<'i> {
    /// What stands in its place. A number that is left out would make a search seem to have found less.
    pub raw: &'i [u8],
}

impl fmt::Debug for BadNumber<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BadNumber({})", self.raw.escape_ascii())
    }
}

impl<'i> Numbers<'i> {
    /// Octets whose numbers nobody has looked at.
    pub(crate) const fn wire(octets: &'i [u8]) -> Self {
        Self(octets)
    }

    /// The numbers. Each is converted when it is reached; one that is none is an error of its own.
    #[must_use]
    pub const fn iter(self) -> NumberIter<'i> {
        NumberIter { rest: self.0 }
    }

    /// As they stand on the wire.
    #[must_use]
    pub const fn octets(self) -> &'i [u8] {
        self.0
    }
}

impl<'i> IntoIterator for Numbers<'i> {
    type Item = Result<u32, BadNumber<'i>>;
    type IntoIter = NumberIter<'i>;
    fn into_iter(self) -> NumberIter<'i> {
        self.iter()
    }
}

impl fmt::Debug for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The numbers of [`Numbers`].
#[derive(Clone, Copy, Debug)]
pub struct NumberIter<'i> {
    rest: &'i [u8],
}

impl<'i> Iterator for NumberIter<'i> {
    type Item = Result<u32, BadNumber<'i>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // Spaces were counted as a repair when the response was read.
        while let Some((b' ', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
        if let Some((number, len)) = self.rest.first_chunk().and_then(short_number) {
            self.rest = self.rest.get(len..)?;
            return Some(Ok(number));
        }
        let (mut number, mut len) = (0_u64, 0_usize);
        for octet in self.rest {
            let digit = octet.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            len = len.wrapping_add(1);
        }
        let (word, rest) = self.rest.split_at_checked(len)?;
        // Ten digits do not wrap.
        let whole = matches!(rest.first(), None | Some(b' ')) && (1..=10).contains(&len);
        match u32::try_from(number) {
            Ok(number) if whole && number > 0 => {
                self.rest = rest;
                Some(Ok(number))
            }
            _ => self.odd(word.len()),
        }
    }
}

/// A number above 0 of at most seven digits with a space behind it, and how many digits it has: all eight octets at once.
#[inline]
fn short_number(octets: &[u8; 8]) -> Option<(u32, usize)> {
    const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let digits = u64::from_le_bytes(*octets) ^ ZEROS;
    // Adding this sets the highest bit of each octet above 9. A carry comes from one that is found already, and goes up, so the
    // lowest that is found is exact.
    let others = (digits.wrapping_add(u64::from_ne_bytes([0x76; 8])) | digits) & HIGH;
    let len = (others.trailing_zeros() / 8) as usize;
    if !(1..8).contains(&len) || octets.get(len) != Some(&b' ') {
        return None;
    }
    // The digits go to the upper end, with zeros before them; then neighbours are put together: ones, twos, fours.
    let digits = digits.wrapping_shl(64_u32.wrapping_sub(len as u32 * 8));
    let twos = (digits.wrapping_mul(0x0a01) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(0x0064_0001) >> 16) & 0x0000_ffff_0000_ffff;
    let number = (fours.wrapping_mul(0x2710_0000_0001) >> 32) as u32;
    (number > 0).then_some((number, len))
}

impl<'i> NumberIter<'i> {
    /// What begins with so many digits and is no number, up to the next space.
    #[cold]
    fn odd(&mut self, digits: usize) -> Option<Result<u32, BadNumber<'i>>> {
        let behind = self.rest.get(digits..).unwrap_or(&[]);
        let len = digits.saturating_add(behind.iter().take_while(|octet| **octet != b' ').count());
        let (raw, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        if raw.is_empty() {
            return None;
        }
        // Leading zeros may make it longer than ten digits and leave it a number.
        let mut cur = Cursor::new(raw);
        match cur.nz_number() {
            Ok(number) if cur.is_end() => Some(Ok(number)),
            _ => Some(Err(BadNumber { raw })),
        }
    }
}

/// The answer to THREAD (RFC 5256 §4): threads as parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Threads<'i>(&'i [u8]);

/// A token of [`Threads`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadToken<'i> {
    /// A thread, or a branch of one, begins.
    Open,
    /// A message: the reply to the one before it.
    Number(Result<u32, BadNumber<'i>>),
    /// It ends.
    Close,
}

impl<'i> Threads<'i> {
    pub(crate) const fn wire(octets: &'i [u8]) -> Self {
        Self(octets)
    }

    /// The tokens in order. Parentheses balance.
    pub fn tokens(self) -> impl Iterator<Item = ThreadToken<'i>> + Clone + 'i {
        let mut cur = Cursor::new(self.0);
        core::iter::from_fn(move || {
            cur.while_in(|octet| octet == b' ');
            // Threads stand side by side without a space, the messages of one with a space (RFC 5256 §4).
            match cur.peek()? {
                b'(' => {
                    cur.bump(1);
                    Some(ThreadToken::Open)
                }
                b')' => {
                    cur.bump(1);
                    Some(ThreadToken::Close)
                }
                _ => {
                    let word = cur.while_in(|octet| !matches!(octet, b' ' | b'(' | b')'));
                    Numbers(cur.get(word)).iter().next().map(ThreadToken::Number)
                }
            }
        })
    }

    /// As they stand on the wire.
    #[must_use]
    pub const fn octets(self) -> &'i [u8] {
        self.0
    }
}

impl fmt::Debug for Threads<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// The answer to SEARCH in IMAP4rev2, and to SEARCH RETURN (RFC 9051 §7.3.4, RFC 4731).
#[derive(Clone, Copy)]
pub struct ESearch<'i> {
    pub(crate) correlator: &'i [u8],
    pub(crate) uid: bool,
    pub(crate) items: &'i [u8],
}

/// An item of an ESEARCH answer. Without a hit there is neither MIN, MAX nor ALL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ESearchItem<'i> {
    /// `MIN`: the lowest.
    Min(u32),
    /// `MAX`: the highest.
    Max(u32),
    /// `ALL`: all of them.
    All(SequenceSet<'i>),
    /// `COUNT`: how many.
    Count(u64),
    /// `MODSEQ`: the highest of those found (RFC 7162 §3.1.10).
    ModSeq(u64),
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

impl<'i> ESearch<'i> {
    /// The tag of the command that it answers. The server need not give it for searches that it repeats on its own.
    #[must_use]
    pub fn tag(&self) -> Option<Text<'i>> {
        self.correlated(b"TAG")
    }

    /// The mailbox that was searched, where several were (RFC 7377 §2.1).
    #[must_use]
    pub fn mailbox(&self) -> Option<Text<'i>> {
        self.correlated(b"MAILBOX")
    }

    /// The UIDVALIDITY of that mailbox.
    #[must_use]
    pub fn uid_validity(&self) -> Option<u32> {
        let digits = self.correlated(b"UIDVALIDITY")?;
        Cursor::new(digits.raw()).nz_number().ok()
    }

    /// A value of the search correlator (RFC 7377 §2.1): names and values in turn.
    ///
    /// What cannot be read ends the list: which value belongs to which name is not known behind it.
    fn correlated(&self, name: &[u8]) -> Option<Text<'i>> {
        let mut cur = Cursor::new(self.correlator);
        loop {
            let key = cur.astring().ok()?;
            cur.space().ok()?;
            let value = cur.astring().ok()?;
            if cur.get(key).eq_ignore_ascii_case(name) {
                return Text::of(cur.octets(), value);
            }
            cur.space().ok()?;
        }
    }

    /// Whether the numbers are UIDs.
    #[must_use]
    pub const fn is_uid(&self) -> bool {
        self.uid
    }

    /// The items in order.
    pub fn items(&self) -> impl Iterator<Item = ESearchItem<'i>> + Clone + 'i {
        let mut cur = Cursor::new(self.items);
        core::iter::from_fn(move || {
            cur.while_in(|octet| matches!(octet, b' '));
            // The names are open: an extension adds its own (RFC 4466 §2.6.2, `search-return-data`).
            // Some servers put parentheses around MODSEQ, as SEARCH has them.
            let inside = cur.eat(b'(');
            let name = cur.atom().ok()?;
            cur.while_in(|octet| octet == b' ');
            let start = cur.at();
            cur.skip_value().ok()?;
            let value = cur.since(start);
            if inside {
                cur.eat(b')');
            }
            Some(ESearchItem::read(cur.get(name), value))
        })
    }

    /// The items as they stand on the wire.
    #[must_use]
    pub const fn raw(&self) -> &'i [u8] {
        self.items
    }
}

impl<'i> ESearchItem<'i> {
    fn read(name: &'i [u8], value: &'i [u8]) -> Self {
        Self::known(name, value).unwrap_or(Self::Malformed { name, value })
    }

    fn known(name: &'i [u8], value: &'i [u8]) -> Option<Self> {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        // MIN and MAX are messages that were found, and none has the number 0; COUNT may be 0 (RFC 9051 §9, `ret-data-star`).
        let mut cur = Cursor::new(value);
        let item = match name.len() {
            3 if is(b"MIN") => Self::Min(cur.nz_number().ok()?),
            3 if is(b"MAX") => Self::Max(cur.nz_number().ok()?),
            // As many items as the line holds: every other message of a large mailbox may have been found.
            3 if is(b"ALL") => return SequenceSet::with_limit(value, usize::MAX).ok().map(Self::All),
            5 if is(b"COUNT") => Self::Count(cur.number64().ok()?),
            6 if is(b"MODSEQ") => Self::ModSeq(cur.number64().ok()?),
            _ => return Some(Self::Other { name, value }),
        };
        cur.is_end().then_some(item)
    }
}

impl fmt::Debug for ESearch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.tag(), if self.uid { "UID " } else { "" })?;
        f.debug_list().entries(self.items()).finish()
    }
}

/// Parentheses balance, and nest no deeper than `limit`.
///
/// THREAD nests as deep as a discussion goes on, so its limit is that of body structures, and the check takes no memory for it.
pub(crate) fn check_parentheses(octets: &[u8], limit: usize) -> Result<(), (usize, Rule)> {
    let mut depth = 0_usize;
    for at in memchr::memchr2_iter(b'(', b')', octets) {
        if octets.get(at) == Some(&b'(') {
            depth = depth.saturating_add(1);
            if depth > limit {
                return Err((at, Rule::Depth));
            }
        } else {
            depth = depth.checked_sub(1).ok_or((at, Rule::List))?;
        }
    }
    if depth == 0 { Ok(()) } else { Err((octets.len(), Rule::List)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard library reads the same digits.
    #[test]
    fn numbers_of_every_length_are_read() {
        let mut n = 0_u64;
        let mut texts =
            vec!["0".to_owned(), "00".into(), "007".into(), "0000000001".into(), "4294967296".into()];
        while n < 1 << 33 {
            texts.extend([n.to_string(), (n * 7 / 3).to_string()]);
            n = n * 3 / 2 + 1;
        }
        for text in texts {
            let wanted = text.parse().ok().filter(|number: &u32| *number > 0);
            for behind in ["", " ", " 5", " 1234567", " 99999999 1"] {
                let line = format!("{text}{behind}");
                let mut numbers = Numbers::wire(line.as_bytes()).iter();
                assert_eq!(numbers.next().unwrap().ok(), wanted, "{line}");
                let rest: Vec<_> = numbers.map(|number| number.unwrap().to_string()).collect();
                assert_eq!(rest.join(" "), behind.trim(), "{line}");
            }
        }
    }

    #[test]
    fn what_is_no_number_is_an_error_beside_the_good_ones() {
        for bad in
            ["x", "1x", "1,2", "12345x", "1234567x", "-1", "*", "\u{7f}", "1:2", "9999999999", "\u{e9}"]
        {
            let line = format!("1 {bad} 2");
            let read: Vec<_> = Numbers::wire(line.as_bytes()).iter().collect();
            assert_eq!(read, [Ok(1), Err(BadNumber { raw: bad.as_bytes() }), Ok(2)], "{bad}");
        }
    }

    /// Every octet at each place of eight, beside the reader of one octet at a time.
    #[test]
    fn eight_octets_at_once_are_read_like_one_at_a_time() {
        for place in 0..8 {
            for octet in 0..=255 {
                for filler in *b"0159" {
                    let mut octets = [filler; 8];
                    octets[place] = octet;
                    let word: Vec<u8> = octets.iter().copied().take_while(u8::is_ascii_digit).collect();
                    let number = String::from_utf8(word).unwrap();
                    let wanted = number.parse().ok().filter(|n: &u32| *n > 0).map(|n| (n, number.len()));
                    let wanted = wanted.filter(|_| octets.get(number.len()) == Some(&b' '));
                    assert_eq!(short_number(&octets), wanted, "{octets:?}");
                }
            }
        }
    }
}
