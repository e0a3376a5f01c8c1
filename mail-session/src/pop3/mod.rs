//! POP3: opening a session, the operations of a client, and what a turn can do; a server is in [`serve`].
//!
//! A session that is open has an operation for each command of RFC 1939, the same on [blocking](crate::blocking::Session) and on
//! [asynchronous](crate::Session) sessions:
//!
//! ```no_run
//! use mail_session::pop3::{Opening, Part};
//! use mail_session::sasl::client::Credentials;
//! use mail_session::tls::{ClientTls, provider};
//! use mail_session::{blocking, open::Security};
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let security = Security::StartTls(ClientTls::platform(provider())?);
//! let opening = Opening::new("mail.example.org", security).log_in(Credentials::password("me", "secret"));
//! let mut session = blocking::connect(opening)?;
//!
//! let known = ["an-id-of-the-last-session"];
//! let fresh = session.uidl()?.fresh(&known);
//! let mut download = session.retr_many(&fresh);
//! while let Some(part) = download.next()? {
//!     match part {
//!         Part::Begin(message) => println!("message {message}"),
//!         Part::Octets(octets) => println!("{} octets", octets.len()),
//!         Part::End(message) => println!("message {message} is whole"),
//!         Part::Refused(message, refusal) => println!("message {message}: {refusal}"),
//!         _ => {}
//!     }
//! }
//! session.dele_many(fresh)?;
//! session.quit()?; // and only now they are removed
//! # Ok(()) }
//! ```
//!
//! # What an operation fails with
//!
//! | | what it says |
//! |---|---|
//! | [`FlowError::Flow`](crate::flow::FlowError::Flow) | the session goes on, where it was open before |
//! | ... [`Failure::Refused`](crate::flow::Failure::Refused), [`Failure::LogIn`](crate::flow::Failure::LogIn) | the server refuses; [`Refusal::is_permanent`](crate::flow::Refusal::is_permanent) tells a wrong password from a fault that passes, where the server does (RFC 3206) |
//! | ... [`Failure::Closing`](crate::flow::Failure::Closing) | the server goes away and says why, such as autologout |
//! | [`FlowError::Session`](crate::flow::FlowError::Session) | the link is over. Behind a `quit` nobody knows whether what was marked is gone; behind any other operation it is not |
//!
//! An [`Error`] becomes an [`io::Error`](std::io::Error) by `?`.
//!
//! Below the operations stands the machine: [`turn`](crate::blocking::Session::turn) and [`next`](crate::blocking::Session::next) give
//! every command and every event, and both may be mixed while nothing is in flight.

mod ask;
mod opening;
mod operations;
mod read;
mod retrieval;
pub mod serve;
mod turn;
mod values;

pub use mail_pop3_proto::client::Client;
pub use mail_pop3_proto::types::{MessageNumber, UniqueId};
pub use opening::Opening;
pub use operations::{Download, Message};
pub use retrieval::{Part, Retrieval};
pub use values::{Committed, Listed, Listing, Skipped, Stat, UniqueIds, Wanted};

/// Why an operation or an opening has failed.
pub type Error = crate::flow::FlowError<mail_pop3_proto::Violation>;
