//! POP3 over the store: log-in, messages and the commit. The rest is that of the library.

use crate::Failure;
use crate::host::{Connection, Host, Stop};
use crate::store::{INBOX, MaildropLock, Message, Store};
use bytes::Bytes;
use mail_session::pop3::serve::{
    self, Attempt, Config, Deletions, Denied, LockedMaildrop, Maildrop, Service,
};
use mail_session::pop3::{MessageNumber, UniqueId};
use mail_session::proto::pop3::server::Server;
use mail_session::proto::pop3::types::ReplyText;
use mail_session::sasl::server::Identity;
use mail_session::sasl::{ScramSecret, crypto};
use mail_session::tls::ServerTls;
use mail_session::wire::SecretBuf;
use std::io;
use std::sync::Arc;

/// The settings of every connection.
pub fn service(tls: ServerTls) -> Service {
    let mut config = Config::default();
    Arc::make_mut(&mut config.offer).capabilities.add(b"EXPIRE NEVER").expect("a capability");
    let service =
        Service::new(config).tls(tls).greeting(ReplyText::try_from("mailhost ready").expect("a text"));
    // A host that strangers reach keeps the key to itself: with it one can tell who exists.
    service.scram(SecretBuf::from(&b"mailhost"[..]))
}

/// Serves one connection to its end.
pub async fn serve(session: Connection<Server>, host: &Host, mut stop: Stop) -> Result<(), Failure> {
    host.pop3.serve(session, &host.store, stop.told()).await?;
    Ok(())
}

impl serve::Host for Store {
    type Locked = Taken;

    fn log_in(&self, attempt: Attempt) -> Result<(Taken, Maildrop), Denied> {
        let known = self.password(attempt.user()).ok_or(Denied::Credentials)?;
        if !attempt.proves(known.as_bytes()) {
            return Err(Denied::Credentials);
        }
        let lock = self.lock_maildrop(attempt.user()).ok_or(Denied::InUse)?;
        let inbox = self.mailbox(attempt.user(), INBOX).ok_or(Denied::Permanent)?;
        let mut maildrop = Maildrop::new();
        for message in &inbox.messages {
            let id = format!("{}.{}", inbox.uid_validity, message.uid);
            maildrop.push(message.octets.len() as u64, UniqueId::try_from(id.as_str())?)?;
        }
        let user = attempt.identity.user;
        Ok((Taken { _lock: lock, store: self.clone(), user, messages: inbox.messages }, maildrop))
    }

    fn scram_secret(&self, identity: &Identity) -> Option<ScramSecret> {
        ScramSecret::derive(self.password(&identity.user)?.as_bytes(), crypto()).ok()
    }
}

/// A maildrop that a session holds: its lock, and the messages as they were at log-in.
pub struct Taken {
    _lock: MaildropLock,
    store: Store,
    user: String,
    messages: Vec<Message>,
}

impl Taken {
    fn message(&self, number: MessageNumber) -> Option<&Message> {
        self.messages.get(number.index())
    }
}

impl LockedMaildrop for Taken {
    fn read(&mut self, message: MessageNumber, offset: u64) -> io::Result<Bytes> {
        let octets = &self.message(message).ok_or(io::ErrorKind::NotFound)?.octets;
        Ok(octets.slice((offset as usize).min(octets.len())..))
    }

    fn commit(self, deletions: Deletions) -> io::Result<()> {
        let gone: Vec<u32> =
            deletions.numbers().filter_map(|number| self.message(number)).map(|m| m.uid).collect();
        self.store.remove(&self.user, INBOX, |message| gone.contains(&message.uid));
        Ok(())
    }
}
