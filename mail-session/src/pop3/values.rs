//! What the operations of a client give.

use super::ask::Collect;
use crate::flow::Failure;
use mail_pop3_proto::Item;
use mail_pop3_proto::client::Items;
use mail_pop3_proto::error::Malformed;
use mail_pop3_proto::ext::fresh;
use mail_pop3_proto::reply::{Data, StatusLine};
use mail_pop3_proto::types::{MessageNumber, UniqueId};

/// What STAT tells (RFC 1939 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// How many messages there are, without those marked as deleted.
    pub messages: u32,
    /// Their octets; `None` where the server gives no number that can be.
    pub octets: Option<u64>,
}

/// A line of LIST (RFC 1939 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    /// The number of the message in this session.
    pub message: MessageNumber,
    /// Its octets as the server tells them. Servers are often wrong.
    pub octets: u64,
}

/// What LIST tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The messages, in the order of the server.
    pub messages: Vec<Listed>,
    /// The lines that could not be read. They do not spoil the others.
    pub malformed: Skipped,
}

impl Listing {
    /// What is listed for a message.
    #[must_use]
    pub fn get(&self, message: MessageNumber) -> Option<Listed> {
        place(&self.messages, message, |listed| listed.message).map(|(_, listed)| *listed)
    }

    /// The octets of all messages.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.messages.iter().fold(0, |sum, listed| sum.saturating_add(listed.octets))
    }
}

impl<'l> IntoIterator for &'l Listing {
    type Item = &'l Listed;
    type IntoIter = std::slice::Iter<'l, Listed>;

    fn into_iter(self) -> Self::IntoIter {
        self.messages.iter()
    }
}

/// The entry of a message and its place in a list. Nearly every server lists all messages in order, so that the number is the place.
fn place<T>(
    entries: &[T],
    message: MessageNumber,
    number: impl Fn(&T) -> MessageNumber,
) -> Option<(usize, &T)> {
    let guess = entries.get(message.index()).filter(|entry| number(entry) == message);
    match guess {
        Some(entry) => Some((message.index(), entry)),
        None => entries.iter().enumerate().find(|(_, entry)| number(entry) == message),
    }
}

/// What UIDL tells (RFC 1939 §7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UniqueIds {
    /// A message, and where its unique-id ends in `octets`.
    ends: Vec<(MessageNumber, usize)>,
    octets: Vec<u8>,
    /// The lines that could not be read. They do not spoil the others.
    pub malformed: Skipped,
}

impl UniqueIds {
    /// The messages and their unique-ids, in the order of the server.
    pub fn iter(&self) -> impl Iterator<Item = (MessageNumber, UniqueId<'_>)> {
        let mut from = 0;
        self.ends.iter().filter_map(move |&(message, end)| {
            let id = self.octets.get(std::mem::replace(&mut from, end)..end)?;
            Some((message, UniqueId::of_server(id)?))
        })
    }

    /// The unique-id of a message; `None` where the server has listed none. One of them, if it has listed several.
    #[must_use]
    pub fn get(&self, message: MessageNumber) -> Option<UniqueId<'_>> {
        let (at, &(_, end)) = place(&self.ends, message, |(number, _)| *number)?;
        let from = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        UniqueId::of_server(self.octets.get(from..end)?)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The messages whose unique-ids were not `known`, for clients that leave mail on the server: see
    /// [`fresh`](mail_pop3_proto::ext::fresh::fresh).
    #[must_use]
    pub fn fresh<K: AsRef<[u8]>>(&self, known: &[K]) -> Vec<MessageNumber> {
        fresh::fresh(known, self.iter())
    }

    /// All ids stand in one stretch: a maildrop of a million messages is two allocations, and not a million.
    fn push(&mut self, message: MessageNumber, id: UniqueId<'_>) {
        self.octets.extend_from_slice(id.octets());
        self.ends.push((message, self.octets.len()));
    }
}

/// Lines of a listing that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: usize,
    /// The first of them: what is wrong with it, and the line.
    pub first: Option<(mail_pop3_proto::error::Rule, Box<[u8]>)>,
}

impl Skipped {
    fn note(&mut self, malformed: &Malformed<'_>) {
        self.count = self.count.saturating_add(1);
        self.first.get_or_insert_with(|| (malformed.rule, malformed.raw.into()));
    }
}

/// The server has said that it has removed what was marked (RFC 1939 §6). Only [`quit`](crate::blocking::Session::quit) gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed(());

impl Committed {
    pub(super) fn by_answer() -> Self {
        Self(())
    }
}

/// A message to download: its number, and what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Which.
    pub message: MessageNumber,
    /// Its octets, if LIST has told: the window in octets counts them, and [`Download::expected`](super::Download::expected) tells them.
    pub octets: Option<u64>,
    /// By TOP, the header and so many lines of the body; else by RETR, all of it.
    pub lines: Option<u32>,
}

impl From<MessageNumber> for Wanted {
    fn from(message: MessageNumber) -> Self {
        Self { message, octets: None, lines: None }
    }
}

impl From<&MessageNumber> for Wanted {
    fn from(message: &MessageNumber) -> Self {
        Self::from(*message)
    }
}

impl From<Listed> for Wanted {
    fn from(listed: Listed) -> Self {
        Self { message: listed.message, octets: Some(listed.octets), lines: None }
    }
}

impl From<&Listed> for Wanted {
    fn from(listed: &Listed) -> Self {
        Self::from(*listed)
    }
}

impl From<Listed> for MessageNumber {
    fn from(listed: Listed) -> Self {
        listed.message
    }
}

impl From<&Listed> for MessageNumber {
    fn from(listed: &Listed) -> Self {
        listed.message
    }
}

impl Collect for Stat {
    fn status(&mut self, line: StatusLine<'_>) -> Result<(), Failure> {
        let Data::Stat { messages, octets } = line.data() else { return Err(unreadable(line)) };
        *self = Self { messages, octets };
        Ok(())
    }
}

/// An answer of another message than the one asked for does not come here: the machine gives it as malformed.
impl Collect for Option<Listed> {
    fn status(&mut self, line: StatusLine<'_>) -> Result<(), Failure> {
        let Data::Scan { message, octets } = line.data() else { return Err(unreadable(line)) };
        *self = Some(Listed { message, octets });
        Ok(())
    }
}

/// The unique-id of one message.
impl Collect for Vec<u8> {
    fn status(&mut self, line: StatusLine<'_>) -> Result<(), Failure> {
        let Data::UniqueId { id, .. } = line.data() else { return Err(unreadable(line)) };
        self.extend_from_slice(id.octets());
        Ok(())
    }
}

/// A bad line costs its message alone: who would give up the listing for it would never get at the others.
impl Collect for Listing {
    fn items(&mut self, items: Items<'_>) -> Result<(), Failure> {
        for item in items {
            match item {
                Ok(Item::Scan { message, octets }) => self.messages.push(Listed { message, octets }),
                Ok(_) => return Err(Failure::Unexpected),
                Err(malformed) => self.malformed.note(&malformed),
            }
        }
        Ok(())
    }
}

impl Collect for UniqueIds {
    fn items(&mut self, items: Items<'_>) -> Result<(), Failure> {
        for item in items {
            match item {
                Ok(Item::UniqueId { message, id }) => self.push(message, id),
                Ok(_) => return Err(Failure::Unexpected),
                Err(malformed) => self.malformed.note(&malformed),
            }
        }
        Ok(())
    }
}

/// What a CAPA tells is kept by the machine.
#[derive(Debug, Default)]
pub(crate) struct Kept;

impl Collect for Kept {
    fn items(&mut self, _: Items<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

/// The answer is positive, and does not say what it should.
fn unreadable(line: StatusLine<'_>) -> Failure {
    match line.data() {
        Data::Malformed(malformed) => {
            Failure::Malformed { rule: malformed.rule.to_string(), at: malformed.at }
        }
        _ => Failure::Unexpected,
    }
}
