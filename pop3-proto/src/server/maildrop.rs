//! The maildrop of a session, as it stood at log-in, and its deletion marks (RFC 1939 §4 to §6).

use crate::error::{Invalid, Rule};
use crate::types::{MessageNumber, UniqueId};
use alloc::vec::Vec;

/// Sizes and unique-ids of the messages, in order, and which are marked as deleted.
///
/// Message numbers are places in it, and never change during a session.
#[derive(Clone, Debug, Default)]
pub struct Maildrop {
    messages: Vec<Message>,
    /// The unique-ids one behind the other.
    ids: Vec<u8>,
    /// Of the messages that are not marked.
    count: u32,
    /// Wide enough for any sum: one that had been cut off would be wrong again with each DELE.
    octets: u128,
}

#[derive(Clone, Copy, Debug)]
struct Message {
    octets: u64,
    /// Where its unique-id ends; it begins where that of the message before ends.
    id_end: u32,
    deleted: bool,
}

impl Maildrop {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { messages: Vec::new(), ids: Vec::new(), count: 0, octets: 0 }
    }

    /// Adds the next message: its octets as they will be sent, with CRLF line ends and without stuffing (RFC 1939 §11), and its
    /// unique-id.
    ///
    /// # Errors
    /// [`Rule::TooMany`] beyond 2³²-1 messages or octets of unique-ids; [`Rule::UniqueId`] for an id of more than 70 octets, such as only a
    /// server that breaks the standard gives.
    pub fn push(&mut self, octets: u64, id: UniqueId<'_>) -> Result<MessageNumber, Invalid> {
        if id.is_long() {
            return Err(Invalid(Rule::UniqueId));
        }
        let too_many = Invalid(Rule::TooMany);
        let number = MessageNumber::at(self.messages.len()).ok_or(too_many)?;
        let id_end = self.ids.len().checked_add(id.octets().len()).and_then(|end| u32::try_from(end).ok());
        let id_end = id_end.ok_or(too_many)?;
        self.ids.extend_from_slice(id.octets());
        self.messages.push(Message { octets, id_end, deleted: false });
        self.count = self.count.saturating_add(1);
        self.octets = self.octets.saturating_add(octets.into());
        Ok(number)
    }

    /// How many messages there are, those marked included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are none, not even marked ones.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// How many messages are not marked: the first number of STAT.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Their octets, 2⁶⁴-1 where they are more: the second number of STAT.
    #[must_use]
    pub fn octets(&self) -> u64 {
        u64::try_from(self.octets).unwrap_or(u64::MAX)
    }

    /// The octets of a message that exists and is not marked.
    #[must_use]
    pub fn size(&self, message: MessageNumber) -> Option<u64> {
        self.messages.get(message.index()).filter(|message| !message.deleted).map(|message| message.octets)
    }

    /// The unique-id of a message that exists, marked or not.
    #[must_use]
    pub fn unique_id(&self, message: MessageNumber) -> Option<UniqueId<'_>> {
        let index = message.index();
        let end = self.messages.get(index)?.id_end;
        let start = index
            .checked_sub(1)
            .and_then(|before| self.messages.get(before))
            .map_or(0, |before| before.id_end);
        let octets = self.ids.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
        UniqueId::of_any_length(octets).ok()
    }

    /// The numbers of the messages that are marked, in order.
    pub fn deleted(&self) -> impl Iterator<Item = MessageNumber> + '_ {
        self.messages
            .iter()
            .enumerate()
            .filter(|(_, message)| message.deleted)
            .filter_map(|(index, _)| MessageNumber::at(index))
    }

    /// Marks a message. `false` if it does not exist or is marked already (RFC 1939 §5, DELE).
    pub(crate) fn delete(&mut self, message: MessageNumber) -> bool {
        let Some(message) = self.messages.get_mut(message.index()).filter(|message| !message.deleted) else {
            return false;
        };
        message.deleted = true;
        self.count = self.count.saturating_sub(1);
        self.octets = self.octets.saturating_sub(message.octets.into());
        true
    }

    /// Takes all marks away (RFC 1939 §5, RSET).
    pub(crate) fn reset(&mut self) {
        for message in &mut self.messages {
            message.deleted = false;
        }
        self.count = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        self.octets = self.messages.iter().fold(0, |sum, message| sum.saturating_add(message.octets.into()));
    }

    /// The first message from this place on that is not marked.
    pub(crate) fn next_live(&self, from: usize) -> Option<MessageNumber> {
        let behind = self.messages.get(from..)?.iter().position(|message| !message.deleted)?;
        MessageNumber::at(from.checked_add(behind)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes are the application's, and may be anything: what DELE takes from their sum RSET puts back.
    #[test]
    fn a_sum_beyond_64_bits_is_right_again_below() {
        let mut maildrop = Maildrop::new();
        let [first, second, third] = [u64::MAX, u64::MAX - 2, 7].map(|octets| {
            let id = UniqueId::try_from("x").unwrap();
            maildrop.push(octets, id).unwrap()
        });
        assert_eq!((maildrop.count(), maildrop.octets()), (3, u64::MAX));
        for (message, left) in [(first, u64::MAX), (third, u64::MAX - 2), (second, 0)] {
            assert!(maildrop.delete(message) && !maildrop.delete(message));
            assert_eq!(maildrop.octets(), left);
        }
        maildrop.reset();
        assert_eq!((maildrop.count(), maildrop.octets()), (3, u64::MAX));
    }
}
