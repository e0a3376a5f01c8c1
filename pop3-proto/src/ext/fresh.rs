//! What is new in a maildrop: leave-on-server by unique-ids (RFC 1939 §7 and §8).

use crate::types::{MessageNumber, UniqueId};
use alloc::vec::Vec;

/// The messages of a UIDL listing whose unique-ids were not `known`, in the order of the listing.
///
/// Ids compare as octets. Two messages may have one id (RFC 1939 §7): where an id is listed more often than it was known, the later ones
/// are new. Takes time in proportion to n log n.
///
/// ```
/// use mail_pop3_proto::ext::fresh::fresh;
/// use mail_pop3_proto::types::{MessageNumber, UniqueId};
/// let id = |text| UniqueId::try_from(text).unwrap();
/// let number = |n| MessageNumber::new(n).unwrap();
/// let listed = [(number(1), id("a")), (number(2), id("b")), (number(3), id("a"))];
/// assert_eq!(fresh(&["a", "gone"], listed), [number(2), number(3)]);
/// ```
#[must_use]
pub fn fresh<'i, K: AsRef<[u8]>>(
    known: &[K],
    listed: impl IntoIterator<Item = (MessageNumber, UniqueId<'i>)>,
) -> Vec<MessageNumber> {
    let mut known: Vec<&[u8]> = known.iter().map(AsRef::as_ref).collect();
    known.sort_unstable();
    let mut used = alloc::vec![0_usize; known.len()];
    let mut new = Vec::new();
    for (number, id) in listed {
        let first = known.partition_point(|other| *other < id.octets());
        let end = known.partition_point(|other| *other <= id.octets());
        match used.get_mut(first).filter(|used| **used < end.saturating_sub(first)) {
            Some(used) => *used = used.saturating_add(1),
            None => new.push(number),
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_id_covers_one_message() {
        let number = |n| MessageNumber::new(n).unwrap();
        let listed = |ids: &[&'static str]| -> Vec<(MessageNumber, UniqueId<'static>)> {
            ids.iter()
                .enumerate()
                .map(|(i, id)| (number(i as u32 + 1), UniqueId::try_from(*id).unwrap()))
                .collect()
        };
        assert_eq!(fresh::<&[u8]>(&[], listed(&["a", "b"])), [number(1), number(2)]);
        assert_eq!(fresh(&["b", "a"], listed(&["a", "b"])), []);
        assert_eq!(fresh(&["a", "a"], listed(&["a", "a", "a", "A"])), [number(3), number(4)]);
        assert_eq!(fresh(&["z"], listed(&[])), []);
    }
}
