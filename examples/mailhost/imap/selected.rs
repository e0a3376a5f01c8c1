//! What a client knows of the mailbox that it has selected, and what it has to be told.
//!
//! Message numbers are places in this view. They change only when the client is told, so the view lags behind the store between commands.

use super::Client;
use crate::store::{Mailbox, Message};
use mail_session::proto::imap::server::Writer;
use mail_session::proto::imap::types::{Flag, Flags, SequenceSet};

/// A mailbox as its client sees it.
pub(super) struct Selected {
    pub(super) name: String,
    pub(super) read_only: bool,
    /// As the client was told last.
    pub(super) messages: Vec<Message>,
}

impl Selected {
    pub(super) fn new(name: String, read_only: bool, mailbox: Mailbox) -> Self {
        Self { name, read_only, messages: mailbox.messages }
    }

    /// The places of the messages of a set, counted from 0.
    pub(super) fn places(&self, set: SequenceSet<'_>, uid: bool) -> Vec<usize> {
        let last = if uid { self.messages.last().map_or(0, |message| message.uid) } else { self.exists() };
        let number = |place: usize| if uid { self.messages[place].uid } else { seq(place) };
        (0..self.messages.len()).filter(|place| set.contains(number(*place), last)).collect()
    }

    /// The UIDs of messages by their places.
    pub(super) fn uids(&self, places: &[usize]) -> Vec<u32> {
        places.iter().map(|place| self.messages[*place].uid).collect()
    }

    pub(super) fn exists(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }
}

/// The message number of a place.
pub(super) fn seq(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

/// Lends the flags of a message to a writer.
pub(super) fn with_flags<T>(message: &Message, write: impl FnOnce(Flags<'_>) -> T) -> T {
    let flags: Vec<Flag<'_>> =
        message.flags.iter().filter_map(|flag| Flag::new(flag.as_bytes()).ok()).collect();
    write(Flags::of(&flags))
}

impl Client<'_> {
    /// Tells what has changed since the client was told last. EXPUNGE has no place before the answer to FETCH, STORE and SEARCH, whose numbers
    /// it would move (RFC 9051 §7.5.1).
    pub(super) fn tell(&mut self, writer: &mut Writer<'_>, expunge: bool) {
        let Some(selected) = &mut self.selected else { return };
        // A mailbox that was deleted has lost all its messages.
        let now = self.store.mailbox(&self.user, &selected.name).map_or_else(Vec::new, |now| now.messages);
        let in_store = |uid: u32| now.binary_search_by_key(&uid, |message| message.uid).ok();
        for place in (0..selected.messages.len()).rev() {
            let known = &mut selected.messages[place];
            match in_store(known.uid) {
                Some(at) if known.flags != now[at].flags => {
                    known.flags.clone_from(&now[at].flags);
                    with_flags(known, |flags| writer.fetch(seq(place)).uid(known.uid).flags(flags).end());
                }
                // Where none may be told to be gone it stays, and is told with the next command.
                None if expunge && writer.expunge(seq(place)).is_ok() => {
                    selected.messages.remove(place);
                }
                _ => {}
            }
        }
        let last = selected.messages.last().map_or(0, |message| message.uid);
        let new = now.iter().filter(|message| message.uid > last);
        let before = selected.messages.len();
        selected.messages.extend(new.cloned());
        if selected.messages.len() > before {
            writer.exists(selected.exists());
        }
    }
}
