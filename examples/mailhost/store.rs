//! An in-memory store: users, mailboxes, messages. It knows no protocol.
//!
//! One lock around everything: a test server wants to be read, not to scale. What a session takes out is a
//! snapshot; message octets are shared, never copied.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::watch;

/// The mailbox that every user has.
pub const INBOX: &str = "INBOX";

/// A message as it stands in a mailbox.
#[derive(Clone, Debug)]
pub struct Message {
    /// Unique in its mailbox, ascending, never used again.
    pub uid: u32,
    /// System flags with their backslash, and keywords; no two equal without regard to case.
    pub flags: Vec<String>,
    /// When it arrived.
    pub date: SystemTime,
    /// The message, lines ending in CRLF.
    pub octets: Bytes,
}

impl Message {
    /// Whether the flag is set.
    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f.eq_ignore_ascii_case(flag))
    }
}

/// A mailbox at one moment.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// Changes when UIDs lose their meaning.
    pub uid_validity: u32,
    /// The UID that the next message gets.
    pub uid_next: u32,
    /// Whether LSUB lists it.
    pub subscribed: bool,
    /// In order of their UIDs.
    pub messages: Vec<Message>,
}

/// How STORE changes flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// These and no others.
    Replace,
    /// These as well.
    Add,
    /// These no more.
    Remove,
}

/// What a request ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such mailbox.
    Missing,
    /// There is one already.
    Exists,
    /// Not for INBOX, or not a name.
    Invalid,
}

/// Users and their mail. Clones share it.
#[derive(Clone)]
pub struct Store {
    users: Arc<BTreeMap<String, User>>,
    changes: Arc<watch::Sender<u64>>,
    next_validity: Arc<Mutex<u32>>,
}

struct User {
    password: String,
    account: Mutex<Account>,
}

struct Account {
    mailboxes: BTreeMap<String, Mailbox>,
    drained: bool,
}

impl Store {
    /// A store of these users, each with an empty INBOX.
    pub fn new(users: impl IntoIterator<Item = (String, String)>) -> Self {
        let inbox = || Mailbox { uid_validity: 1, uid_next: 1, subscribed: true, messages: Vec::new() };
        let account = || Account { mailboxes: BTreeMap::from([(INBOX.into(), inbox())]), drained: false };
        let user = |password| User { password, account: Mutex::new(account()) };
        let users = users.into_iter().map(|(name, password)| (name, user(password))).collect();
        Self {
            users: Arc::new(users),
            changes: Arc::new(watch::channel(0).0),
            next_validity: Arc::new(Mutex::new(2)),
        }
    }

    /// The password of a user, for those who check it: SASL needs the password, not a yes or no.
    pub fn password(&self, user: &str) -> Option<&str> {
        self.users.get(user).map(|user| user.password.as_str())
    }

    /// The user whom an address means: its local part, whatever the domain.
    pub fn recipient(&self, local_part: &str) -> Option<&str> {
        self.users.keys().find(|name| name.eq_ignore_ascii_case(local_part)).map(String::as_str)
    }

    /// The user who reads what is sent to the postmaster: the first one.
    pub fn postmaster(&self) -> Option<&str> {
        self.users.keys().next().map(String::as_str)
    }

    /// Wakes whoever waits for news, at every change of any mailbox.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A mailbox as it stands now.
    pub fn mailbox(&self, user: &str, name: &str) -> Option<Mailbox> {
        self.account(user)?.mailboxes.get(canonical(name)).cloned()
    }

    /// The names of all mailboxes, INBOX among them, each with whether it is subscribed.
    pub fn mailboxes(&self, user: &str) -> Vec<(String, bool)> {
        self.account(user).map_or_else(Vec::new, |account| {
            account.mailboxes.iter().map(|(name, mailbox)| (name.clone(), mailbox.subscribed)).collect()
        })
    }

    /// Adds a message. Gives UIDVALIDITY and its UID.
    pub fn append(
        &self,
        user: &str,
        name: &str,
        flags: Vec<String>,
        date: SystemTime,
        octets: Bytes,
    ) -> Result<(u32, u32), Refusal> {
        let mut account = self.account(user).ok_or(Refusal::Missing)?;
        let mailbox = account.mailboxes.get_mut(canonical(name)).ok_or(Refusal::Missing)?;
        let uid = mailbox.add(flags, date, octets);
        let validity = mailbox.uid_validity;
        drop(account);
        self.changed();
        Ok((validity, uid))
    }

    /// Makes a mailbox.
    pub fn create(&self, user: &str, name: &str) -> Result<(), Refusal> {
        let name = canonical(name).trim_end_matches('/');
        if name.is_empty() || name.contains("//") {
            return Err(Refusal::Invalid);
        }
        let mut account = self.account(user).ok_or(Refusal::Missing)?;
        if account.mailboxes.contains_key(name) {
            return Err(Refusal::Exists);
        }
        let mut next = self.next_validity.lock().unwrap_or_else(PoisonError::into_inner);
        let mailbox = Mailbox { uid_validity: *next, uid_next: 1, subscribed: false, messages: Vec::new() };
        *next += 1;
        account.mailboxes.insert(name.into(), mailbox);
        Ok(())
    }

    /// Removes a mailbox and what it holds.
    pub fn delete(&self, user: &str, name: &str) -> Result<(), Refusal> {
        if canonical(name) == INBOX {
            return Err(Refusal::Invalid);
        }
        let mut account = self.account(user).ok_or(Refusal::Missing)?;
        account.mailboxes.remove(name).ok_or(Refusal::Missing)?;
        drop(account);
        self.changed();
        Ok(())
    }

    /// Gives a mailbox, and those below it, another name. From INBOX the messages move and INBOX stays (RFC 9051 §6.3.6).
    pub fn rename(&self, user: &str, from: &str, to: &str) -> Result<(), Refusal> {
        self.create(user, to)?;
        let mut account = self.account(user).ok_or(Refusal::Missing)?;
        let mailboxes = &mut account.mailboxes;
        let (from, to) = (canonical(from), canonical(to).trim_end_matches('/'));
        let below = format!("{from}/");
        let inferior = mailboxes.keys().filter(|name| from != INBOX && name.as_str() != to);
        let inferior: Vec<(String, String)> = inferior
            .filter_map(|name| Some((name.clone(), format!("{to}/{}", name.strip_prefix(&below)?))))
            .collect();
        let refusal = match mailboxes.get(from) {
            None => Some(Refusal::Missing),
            Some(_) if inferior.iter().any(|(_, new)| mailboxes.contains_key(new)) => Some(Refusal::Exists),
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            mailboxes.remove(to);
            return Err(refusal);
        }
        let moved = match mailboxes.get_mut(from) {
            Some(inbox) if from == INBOX => std::mem::take(&mut inbox.messages),
            _ => mailboxes.remove(from).map_or_else(Vec::new, |mailbox| mailbox.messages),
        };
        if let Some(target) = mailboxes.get_mut(to) {
            target.uid_next = moved.last().map_or(1, |message| message.uid + 1);
            target.messages = moved;
        }
        for (name, new) in inferior {
            if let Some(mailbox) = mailboxes.remove(&name) {
                mailboxes.insert(new, mailbox);
            }
        }
        drop(account);
        self.changed();
        Ok(())
    }

    /// Sets whether LSUB lists a mailbox.
    pub fn subscribe(&self, user: &str, name: &str, subscribed: bool) -> Result<(), Refusal> {
        let mut account = self.account(user).ok_or(Refusal::Missing)?;
        account.mailboxes.get_mut(canonical(name)).ok_or(Refusal::Missing)?.subscribed = subscribed;
        Ok(())
    }

    /// Changes the flags of the messages with these UIDs; unknown ones are passed over.
    pub fn flag(&self, user: &str, name: &str, uids: &[u32], change: Change, flags: &[String]) {
        let Some(mut account) = self.account(user) else { return };
        let Some(mailbox) = account.mailboxes.get_mut(canonical(name)) else { return };
        for message in mailbox.messages.iter_mut().filter(|message| uids.contains(&message.uid)) {
            let named = |flag: &String| flags.iter().any(|f| f.eq_ignore_ascii_case(flag));
            match change {
                Change::Replace => message.flags.clear(),
                Change::Add | Change::Remove => message.flags.retain(|flag| !named(flag)),
            }
            if change != Change::Remove {
                message.flags.extend_from_slice(flags);
            }
        }
        drop(account);
        self.changed();
    }

    /// Copies messages to another mailbox. Gives its UIDVALIDITY, and each UID with the new one.
    pub fn copy(
        &self,
        user: &str,
        from: &str,
        uids: &[u32],
        to: &str,
    ) -> Result<(u32, Vec<(u32, u32)>), Refusal> {
        let source = self.mailbox(user, from).ok_or(Refusal::Missing)?;
        let mut account = self.account(user).ok_or(Refusal::Missing)?;
        let target = account.mailboxes.get_mut(canonical(to)).ok_or(Refusal::Missing)?;
        let wanted = source.messages.into_iter().filter(|message| uids.contains(&message.uid));
        let pairs = wanted.map(|m| (m.uid, target.add(m.flags, m.date, m.octets))).collect();
        let validity = target.uid_validity;
        drop(account);
        self.changed();
        Ok((validity, pairs))
    }

    /// Removes the messages for which `gone` holds.
    pub fn remove(&self, user: &str, name: &str, mut gone: impl FnMut(&Message) -> bool) {
        let Some(mut account) = self.account(user) else { return };
        let Some(mailbox) = account.mailboxes.get_mut(canonical(name)) else { return };
        mailbox.messages.retain(|message| !gone(message));
        drop(account);
        self.changed();
    }

    /// Takes the lock that a POP3 session holds on its maildrop (RFC 1939 §4), if nobody has it.
    pub fn lock_maildrop(&self, user: &str) -> Option<MaildropLock> {
        let mut account = self.account(user)?;
        let free = !account.drained;
        account.drained = true;
        free.then(|| MaildropLock { store: self.clone(), user: user.into() })
    }

    fn account(&self, user: &str) -> Option<MutexGuard<'_, Account>> {
        Some(self.users.get(user)?.account.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Mailbox {
    fn add(&mut self, flags: Vec<String>, date: SystemTime, octets: Bytes) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.messages.push(Message { uid, flags, date, octets });
        uid
    }
}

/// The exclusive right to a maildrop, given back when dropped.
pub struct MaildropLock {
    store: Store,
    user: String,
}

impl Drop for MaildropLock {
    fn drop(&mut self) {
        if let Some(mut account) = self.store.account(&self.user) {
            account.drained = false;
        }
    }
}

/// INBOX in any case is INBOX; other names are themselves (RFC 9051 §5.1).
fn canonical(name: &str) -> &str {
    if name.eq_ignore_ascii_case(INBOX) { INBOX } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        let store = Store::new([("alice".to_string(), "wonderland".to_string())]);
        for text in ["one", "two", "three"] {
            store.append("alice", "inbox", vec![], SystemTime::UNIX_EPOCH, text.into()).unwrap();
        }
        store
    }

    fn uids(store: &Store, name: &str) -> Vec<u32> {
        store.mailbox("alice", name).unwrap().messages.iter().map(|m| m.uid).collect()
    }

    #[test]
    fn uids_ascend_and_are_never_used_again() {
        let store = store();
        store.remove("alice", INBOX, |m| m.uid == 3);
        store.append("alice", INBOX, vec![], SystemTime::UNIX_EPOCH, "four".into()).unwrap();
        assert_eq!(uids(&store, INBOX), [1, 2, 4]);
    }

    #[test]
    fn flags_are_compared_without_regard_to_case() {
        let store = store();
        store.flag("alice", INBOX, &[1], Change::Add, &["\\Seen".into(), "work".into()]);
        store.flag("alice", INBOX, &[1], Change::Add, &["\\SEEN".into()]);
        assert_eq!(store.mailbox("alice", INBOX).unwrap().messages[0].flags, ["work", "\\SEEN"]);
        store.flag("alice", INBOX, &[1], Change::Remove, &["WORK".into()]);
        assert_eq!(store.mailbox("alice", INBOX).unwrap().messages[0].flags, ["\\SEEN"]);
    }

    #[test]
    fn renaming_inbox_moves_its_messages_and_keeps_it() {
        let store = store();
        store.rename("alice", "INBOX", "Old").unwrap();
        assert_eq!(uids(&store, INBOX), []);
        assert_eq!(uids(&store, "Old"), [1, 2, 3]);
        assert_eq!(store.rename("alice", "Nowhere", "New"), Err(Refusal::Missing));
        assert_eq!(store.mailbox("alice", "New").map(|_| ()), None);
    }

    #[test]
    fn what_is_below_a_mailbox_is_renamed_with_it_and_nothing_is_lost() {
        let store = store();
        for name in ["a", "a/x", "ab", "c/x"] {
            store.create("alice", name).unwrap();
        }
        store.append("alice", "a/x", Vec::new(), SystemTime::now(), Bytes::from_static(b"x")).unwrap();
        assert_eq!(store.rename("alice", "a", "c"), Err(Refusal::Exists));
        store.rename("alice", "a", "b").unwrap();
        let names: Vec<String> = store.mailboxes("alice").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["INBOX", "ab", "b", "b/x", "c/x"]);
        assert_eq!(uids(&store, "b/x"), [1]);
    }

    #[test]
    fn a_maildrop_is_locked_by_one_session() {
        let store = store();
        let lock = store.lock_maildrop("alice");
        assert!(lock.is_some());
        assert!(store.lock_maildrop("alice").is_none());
        drop(lock);
        assert!(store.lock_maildrop("alice").is_some());
    }
}
