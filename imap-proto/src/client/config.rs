//! What a client begins with.

use crate::limits::Limits;
use crate::policy::Policy;
use crate::types::{Invalid, Tag};

/// The settings of one client connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the server may spend.
    pub limits: Limits,
    /// The policies; [`Policy::client`] by default.
    pub policy: Policy,
    /// Where the tags of commands come from.
    pub tags: Tags,
}

impl Default for Config {
    fn default() -> Self {
        Self { limits: Limits::default(), policy: Policy::client(), tags: Tags::default() }
    }
}

/// The most octets of a prefix.
const PREFIX_MAX: usize = 8;

/// The source of tags: a prefix, and a number that counts up from 1. A single tag can be set by
/// [`Client::set_next_tag`](super::Client::set_next_tag).
#[derive(Clone, Debug)]
pub struct Tags {
    prefix: [u8; PREFIX_MAX],
    len: usize,
    last: u32,
}

impl Tags {
    /// Tags that begin with `prefix`, at most 8 octets.
    ///
    /// # Errors
    /// [`Invalid::TooMany`] if it is longer.
    pub fn with_prefix(prefix: Tag<'_>) -> Result<Self, Invalid> {
        let octets = prefix.as_bytes();
        let mut tags = Self { prefix: [0; PREFIX_MAX], len: octets.len(), last: 0 };
        match tags.prefix.get_mut(..octets.len()) {
            Some(place) => place.copy_from_slice(octets),
            None => return Err(Invalid::TooMany { limit: PREFIX_MAX }),
        }
        Ok(tags)
    }

    /// The number of the next tag.
    pub(super) fn next(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    /// What every tag of the source begins with.
    fn prefix(&self) -> &[u8] {
        self.prefix.get(..self.len).unwrap_or(&[])
    }

    /// Writes the tag of a number into `buffer` and gives it.
    pub(super) fn write<'b>(&self, number: u32, buffer: &'b mut [u8; 24]) -> &'b [u8] {
        let mut at = buffer.len();
        let mut rest = number;
        loop {
            at = at.saturating_sub(1);
            if let Some(place) = buffer.get_mut(at) {
                *place = b'0'.wrapping_add((rest % 10) as u8);
            }
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let start = at.saturating_sub(self.len);
        if let Some(place) = buffer.get_mut(start..at) {
            place.copy_from_slice(self.prefix());
        }
        buffer.get(start..).unwrap_or(&[])
    }

    /// The number of a tag of this source.
    pub(super) fn number(&self, tag: &[u8]) -> Option<u32> {
        let digits = tag.strip_prefix(self.prefix())?;
        if digits.is_empty() || digits.len() > 10 || digits.first() == Some(&b'0') && digits.len() > 1 {
            return None;
        }
        let number = digits.iter().try_fold(0_u64, |sum, digit| {
            digit.is_ascii_digit().then(|| sum.wrapping_mul(10).wrapping_add(u64::from(digit & 15)))
        });
        number.and_then(|number| u32::try_from(number).ok())
    }
}

impl Default for Tags {
    /// `A1`, `A2` and so on.
    fn default() -> Self {
        Self { prefix: [b'A', 0, 0, 0, 0, 0, 0, 0], len: 1, last: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_from_its_tag_and_from_no_other() {
        let tags = Tags::with_prefix(Tag::new(b"a.b]").unwrap()).unwrap();
        for number in [0, 1, 9, 10, 4_294_967_295] {
            let mut buffer = [0; 24];
            let tag = tags.write(number, &mut buffer);
            assert_eq!(tag, format!("a.b]{number}").as_bytes());
            assert_eq!(tags.number(tag), Some(number));
        }
        for other in
            [&b"a.b]"[..], b"a.b]01", b"A.b]1", b"1", b"a.b]4294967296", b"a.b]1x", b"a.b]00000000001"]
        {
            assert_eq!(tags.number(other), None, "{other:?}");
        }
        assert!(Tags::with_prefix(Tag::new(b"123456789").unwrap()).is_err());
    }
}
