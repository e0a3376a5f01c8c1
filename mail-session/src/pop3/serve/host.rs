//! What an application provides: log-in, and the messages of a maildrop.

#[cfg(feature = "legacy-md5")]
use super::apop::Apop;
use crate::sasl::ScramSecret;
use crate::sasl::server::Identity;
use bytes::Bytes;
use mail_pop3_proto::error::Invalid;
use mail_pop3_proto::server::{Deletions, Maildrop};
use mail_pop3_proto::types::MessageNumber;
use mail_wire::{Secret, SecretBuf};
use std::future::{Future, ready};
use std::io;

/// Who may log in, and what is in whose maildrop. One value serves all connections.
///
/// The calls may block. Every host is an [`AsyncHost`] as well; on an executor its calls hold up the thread that makes them.
pub trait Host {
    /// A maildrop that one session holds.
    type Locked: LockedMaildrop;

    /// Decides on a log-in, takes the exclusive-access lock of the maildrop, and lists it (RFC 1939 §4): the octets of each message as
    /// they will be sent (§11), and its unique-id. The list stands for the session, whatever arrives meanwhile.
    ///
    /// The octets are a promise: a message that [`read`](LockedMaildrop::read) gives fewer of is cut, and one that it gives more of is not.
    /// Who cannot tell them without reading the message, such as one that is kept with LF alone, lists no more than there can be: the
    /// octets of the file.
    ///
    /// # Errors
    /// [`Denied`] says what the client is told. A name that does not exist and a password that is wrong are the same
    /// [`Denied::Credentials`].
    fn log_in(&self, attempt: Attempt) -> Result<(Self::Locked, Maildrop), Denied>;

    /// What is kept of the password of a user, for SCRAM; asked only where [`Service::scram`](super::Service::scram) offers it. For
    /// `None` the exchange goes on with a decoy and fails at its end, so that it does not tell who exists.
    fn scram_secret(&self, identity: &Identity) -> Option<ScramSecret> {
        let _ = identity;
        None
    }
}

/// A maildrop locked for one session. Dropping it releases the lock and removes nothing (RFC 1939 §6).
pub trait LockedMaildrop {
    /// Octets of a message from `offset` on: as many as are at hand, 64 KiB say; none at the end of the message. They go out as they
    /// are, with CRLF line ends and no stuffing. What else the policy does with line ends is in
    /// [`Policy::body_eol`](mail_pop3_proto::Policy::body_eol).
    ///
    /// Pieces are asked for in order, each when the connection has room for it; TOP asks for no more once it has its lines. A
    /// [`Source`](super::Source) gives them from a file.
    ///
    /// # Errors
    /// Whatever keeps the rest of the message from being read, its untimely end too: [`UnexpectedEof`](io::ErrorKind::UnexpectedEof).
    /// At offset 0 the client is told `-ERR [SYS/TEMP]` and the session goes on. Behind it the session ends without the end of the
    /// message: a client that took the part for the whole would delete the rest.
    ///
    /// The same becomes of a message that ends before the octets that were listed for it. (The line end that goes out where its last line has
    /// none may be listed or not.) Octets beyond the listed ones are sent: a size is too small where a store has LF alone.
    fn read(&mut self, message: MessageNumber, offset: u64) -> io::Result<Bytes>;

    /// QUIT (RFC 1939 §6): removes the messages that are marked, and no others, and releases the lock. Called too where none is marked;
    /// never for a session that ends in another way.
    ///
    /// # Errors
    /// The client is told `-ERR [SYS/TEMP]`: some messages are not removed. The lock is released all the same.
    fn commit(self, deletions: Deletions) -> io::Result<()>;
}

/// A [`Host`] whose calls await. Every `Host` is one.
///
/// The futures are dropped where the future of [`Service::serve`](super::Service::serve) is, and in no other way.
pub trait AsyncHost {
    /// A maildrop that one session holds.
    type Locked: AsyncLockedMaildrop;

    /// See [`Host::log_in`].
    fn log_in(
        &self,
        attempt: Attempt,
    ) -> impl Future<Output = Result<(Self::Locked, Maildrop), Denied>> + Send;

    /// See [`Host::scram_secret`].
    fn scram_secret(&self, identity: &Identity) -> impl Future<Output = Option<ScramSecret>> + Send {
        let _ = identity;
        ready(None)
    }
}

/// A [`LockedMaildrop`] whose calls await. Every `LockedMaildrop` is one.
pub trait AsyncLockedMaildrop {
    /// See [`LockedMaildrop::read`].
    fn read(&mut self, message: MessageNumber, offset: u64)
    -> impl Future<Output = io::Result<Bytes>> + Send;

    /// See [`LockedMaildrop::commit`].
    fn commit(self, deletions: Deletions) -> impl Future<Output = io::Result<()>> + Send;
}

impl<H: Host> AsyncHost for H
where
    H::Locked: Send,
{
    type Locked = H::Locked;

    fn log_in(
        &self,
        attempt: Attempt,
    ) -> impl Future<Output = Result<(Self::Locked, Maildrop), Denied>> + Send {
        ready(Host::log_in(self, attempt))
    }

    fn scram_secret(&self, identity: &Identity) -> impl Future<Output = Option<ScramSecret>> + Send {
        ready(Host::scram_secret(self, identity))
    }
}

impl<D: LockedMaildrop + Send> AsyncLockedMaildrop for D {
    fn read(
        &mut self,
        message: MessageNumber,
        offset: u64,
    ) -> impl Future<Output = io::Result<Bytes>> + Send {
        ready(LockedMaildrop::read(self, message, offset))
    }

    fn commit(self, deletions: Deletions) -> impl Future<Output = io::Result<()>> + Send {
        ready(LockedMaildrop::commit(self, deletions))
    }
}

/// A client that wants to log in.
#[derive(Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// Who it is. [`Identity::authorize_as`] is none unless [`Service::delegation`](super::Service::delegation) allows it.
    pub identity: Identity,
    /// How the client shows that it knows the password.
    pub proof: Proof,
    /// Whether the client asked for UTF-8 mode before (RFC 6856 §2.1): messages may go out as they are.
    pub utf8: bool,
}

/// How a client shows that it knows a password.
#[derive(Debug)]
#[non_exhaustive]
pub enum Proof {
    /// By saying it, in PASS, PLAIN or LOGIN: whether it is right is for the host to decide.
    Password(SecretBuf),
    /// By SCRAM, against what [`Host::scram_secret`] gave for this user: it is right.
    Scram,
    /// By APOP, where [`Service::insecure_apop`](super::Service::insecure_apop) offers it: whether it is right is for the host to
    /// decide.
    #[cfg(feature = "legacy-md5")]
    Apop(Apop),
}

impl Attempt {
    /// The name of the user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.identity.user
    }

    /// Whether the client knows the password of this user, which the host knows in clear. The time taken does not tell where a wrong one
    /// differs.
    #[must_use]
    pub fn proves(&self, password: &[u8]) -> bool {
        match &self.proof {
            Proof::Password(given) => Secret::new(given.expose().as_slice()).matches(password),
            Proof::Scram => true,
            #[cfg(feature = "legacy-md5")]
            Proof::Apop(apop) => apop.is_of(password),
        }
    }
}

/// Why nobody is logged in: what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Denied {
    /// The name or the password is wrong: `[AUTH]` (RFC 3206 §4).
    Credentials,
    /// Another session holds the maildrop: `[IN-USE]` (RFC 2449 §8.1.2).
    InUse,
    /// The last log-in is too short a time ago: `[LOGIN-DELAY]` (RFC 2449 §8.1.1).
    LoginDelay,
    /// A fault that may pass: `[SYS/TEMP]` (RFC 3206 §3).
    Temporary,
    /// A fault that needs a human: `[SYS/PERM]` (RFC 3206 §3).
    Permanent,
}

/// A store that cannot be read may be read later: [`Denied::Temporary`]. What was wrong is told to nobody; a host writes it down before.
impl From<io::Error> for Denied {
    fn from(_: io::Error) -> Self {
        Self::Temporary
    }
}

/// A maildrop that cannot be listed, such as one with a unique-id that is none, needs a human: [`Denied::Permanent`].
impl From<Invalid> for Denied {
    fn from(_: Invalid) -> Self {
        Self::Permanent
    }
}
