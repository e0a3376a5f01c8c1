//! A host in memory that writes down what it is asked, and fails where it is told to.

use mail_session::Bytes;
use mail_session::pop3::serve::{Attempt, Denied, Host, LockedMaildrop};
use mail_session::proto::pop3::server::{Deletions, Maildrop};
use mail_session::proto::pop3::types::{MessageNumber, UniqueId};
use mail_session::sasl::server::Identity;
use mail_session::sasl::{ScramSecret, crypto};
use std::io;
use std::sync::{Arc, Mutex};

pub const USER: &str = "alice";
pub const PASSWORD: &str = "correct horse";

/// One user's mail. Clones share it.
#[derive(Clone, Default)]
pub struct Shelf(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    messages: Vec<(String, Bytes)>,
    locked: bool,
    asked: Vec<String>,
    piece: usize,
    broken: Option<(u64, usize)>,
    commit_fails: bool,
    denied: Option<Denied>,
    listed: Option<u64>,
}

impl Shelf {
    pub fn new(messages: &[&str]) -> Self {
        let shelf = Self::default();
        shelf.with(|state| {
            state.piece = usize::MAX;
            state.messages = (messages.iter().zip('a'..))
                .map(|(text, id)| (id.to_string(), Bytes::copy_from_slice(text.as_bytes())))
                .collect();
        });
        shelf
    }

    /// Gives messages in pieces of so many octets.
    pub fn in_pieces(self, octets: usize) -> Self {
        self.with(|state| state.piece = octets);
        self
    }

    /// Fails to read from this offset on, so many times.
    pub fn broken_at(self, offset: u64, times: usize) -> Self {
        self.with(|state| state.broken = Some((offset, times)));
        self
    }

    /// Lists each message with so many octets, whatever it has.
    pub fn listing(self, octets: u64) -> Self {
        self.with(|state| state.listed = Some(octets));
        self
    }

    pub fn failing_to_commit(self) -> Self {
        self.with(|state| state.commit_fails = true);
        self
    }

    pub fn denying(self, denied: Denied) -> Self {
        self.with(|state| state.denied = Some(denied));
        self
    }

    /// The unique-ids that are left.
    pub fn left(&self) -> String {
        self.with(|state| state.messages.iter().map(|(id, _)| id.as_str()).collect())
    }

    pub fn is_locked(&self) -> bool {
        self.with(|state| state.locked)
    }

    /// What was asked, in order.
    pub fn asked(&self) -> Vec<String> {
        self.with(|state| state.asked.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }
}

impl Host for Shelf {
    type Locked = Taken;

    fn log_in(&self, attempt: Attempt) -> Result<(Taken, Maildrop), Denied> {
        self.with(|state| {
            let on_behalf = attempt.identity.authorize_as.as_deref().unwrap_or("-");
            let mode = if attempt.utf8 { " utf8" } else { "" };
            state.asked.push(format!("log in {} {on_behalf}{mode}", attempt.user()));
            if let Some(denied) = state.denied {
                return Err(denied);
            }
            if attempt.user() != USER || !attempt.proves(PASSWORD.as_bytes()) {
                return Err(Denied::Credentials);
            }
            if std::mem::replace(&mut state.locked, true) {
                return Err(Denied::InUse);
            }
            let mut list = Maildrop::new();
            for (id, octets) in &state.messages {
                let size = state.listed.unwrap_or(octets.len() as u64);
                list.push(size, UniqueId::try_from(id.as_str()).unwrap()).unwrap();
            }
            Ok((Taken(self.clone()), list))
        })
    }

    fn scram_secret(&self, identity: &Identity) -> Option<ScramSecret> {
        let salt = b"0123456789abcdef".to_vec();
        (identity.user == USER).then(|| {
            let few = std::num::NonZeroU32::new(4096).unwrap();
            ScramSecret::with_salt(PASSWORD.as_bytes(), salt, few, crypto())
        })
    }
}

/// The lock.
pub struct Taken(Shelf);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.with(|state| state.locked = false);
    }
}

impl LockedMaildrop for Taken {
    fn read(&mut self, message: MessageNumber, offset: u64) -> io::Result<Bytes> {
        self.0.with(|state| {
            state.asked.push(format!("read {message} {offset}"));
            if let Some((_, left)) = state.broken.as_mut().filter(|(at, left)| offset >= *at && *left > 0) {
                *left -= 1;
                return Err(io::Error::other("a bad sector"));
            }
            let (_, octets) = &state.messages[message.get() as usize - 1];
            let rest = octets.slice(offset as usize..);
            Ok(rest.slice(..rest.len().min(state.piece)))
        })
    }

    fn commit(self, deletions: Deletions) -> io::Result<()> {
        let numbers: Vec<usize> = deletions.numbers().map(|number| number.get() as usize).collect();
        self.0.with(|state| {
            state.asked.push(format!("commit {numbers:?}"));
            if state.commit_fails {
                return Err(io::Error::other("read-only"));
            }
            let mut number = 0;
            state.messages.retain(|_| {
                number += 1;
                !numbers.contains(&number)
            });
            Ok(())
        })
    }
}
