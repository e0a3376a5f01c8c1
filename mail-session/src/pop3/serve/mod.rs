//! Serving maildrops: an application says who may log in and what is in a maildrop, [`Service`] does the rest.
//!
//! A [`Host`] decides on log-ins and locks a maildrop; a [`LockedMaildrop`] gives octets of messages and removes at QUIT what was marked. Both
//! know nothing of the protocol. Where they have to await there are [`AsyncHost`] and [`AsyncLockedMaildrop`]; whatever is one of the blocking
//! traits is one of these too. [`Service::serve`] drives them on any runtime, [`Service::serve_blocking`] on a thread; what both
//! drive, [`Serving`], has no socket and no store, and asks [questions](Want).
//!
//! | the client | the application |
//! |---|---|
//! | USER and PASS, AUTH (RFC 1939 §7, RFC 5034) | [`Host::log_in`]; before it [`Host::scram_secret`] for SCRAM |
//! | RETR, TOP (RFC 1939 §5, §7) | [`LockedMaildrop::read`], until it gives nothing or TOP has its lines |
//! | QUIT after a log-in (RFC 1939 §6) | [`LockedMaildrop::commit`] |
//! | an end without QUIT | the [`LockedMaildrop`] is dropped |
//! | all else | nothing: it is answered by the machine |
//!
//! A log-in in clear is refused before TLS, unless [`plaintext_auth`](mail_pop3_proto::Policy::plaintext_auth) allows it. APOP is refused,
//! unless the feature `legacy-md5` is on and the service offers it.
//!
//! A message is complete for the client only if the application has said that it ends and it has the octets that were listed; else the
//! connection ends in the middle of it, for a client that takes a part for the whole deletes the message.
//!
//! In memory are, of a message, at most the pieces of which the output still holds octets, and one more: two, where a piece is 32 KiB or
//! more.
//!
//! # Example
//!
//! ```
//! use mail_session::pop3::serve::{Attempt, Config, Deletions, Denied, Ended, Host, LockedMaildrop, Maildrop, Service};
//! use mail_session::pop3::{MessageNumber, UniqueId};
//! use mail_session::{Bytes, blocking::Session, memory, wire::Allow};
//! use std::io::{self, Read, Write};
//!
//! #[derive(Clone)]
//! struct Letter(&'static str);
//!
//! impl Host for Letter {
//!     type Locked = Self;
//!     fn log_in(&self, attempt: Attempt) -> Result<(Self, Maildrop), Denied> {
//!         if attempt.user() != "alice" || !attempt.proves(b"wonderland") {
//!             return Err(Denied::Credentials);
//!         }
//!         let mut maildrop = Maildrop::new();
//!         maildrop.push(self.0.len() as u64, UniqueId::try_from("one")?)?;
//!         Ok((self.clone(), maildrop))
//!     }
//! }
//!
//! impl LockedMaildrop for Letter {
//!     fn read(&mut self, _: MessageNumber, offset: u64) -> io::Result<Bytes> {
//!         Ok(Bytes::from_static(self.0.as_bytes()).slice(offset as usize..))
//!     }
//!     fn commit(self, deletions: Deletions) -> io::Result<()> {
//!         assert_eq!(deletions.numbers().count(), 1); // remove them here
//!         Ok(())
//!     }
//! }
//!
//! let mut config = Config::default();
//! config.policy.plaintext_auth = Allow::Allow; // an example without TLS
//! let service = Service::new(config);
//! let (client, server) = memory::link(Default::default(), Default::default());
//! let mut client = client.blocking();
//! client.write_all(b"USER alice\r\nPASS wonderland\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")?;
//! let session = Session::over(service.machine(), server.blocking())?;
//! let ended = service.serve_blocking(session, &Letter("Subject: hello\r\n\r\n.\r\n"), &false.into())?;
//! assert!(matches!(ended, Ended::Committed(1)));
//! let mut said = String::new();
//! client.read_to_string(&mut said)?;
//! assert!(said.ends_with("Subject: hello\r\n\r\n..\r\n.\r\n+OK deleted\r\n+OK bye\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "legacy-md5")]
mod apop;
mod drivers;
mod ended;
mod host;
mod language;
mod log_in;
mod message;
mod service;
mod serving;
mod source;

#[cfg(feature = "legacy-md5")]
pub use apop::Apop;
pub use ended::{Ended, ServeError};
pub use host::{AsyncHost, AsyncLockedMaildrop, Attempt, Denied, Host, LockedMaildrop, Proof};
pub use mail_pop3_proto::server::{Config, Deletions, Maildrop};
pub use service::Service;
pub use serving::{Serving, Want};
pub use source::Source;
