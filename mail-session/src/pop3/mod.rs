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
//! let mut download = session.retr_many(fresh.iter().copied());
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

pub use opening::Opening;
pub use operations::{Download, Message};
pub use retrieval::{Part, Retrieval};
pub use values::{Committed, Listed, Listing, Skipped, Stat, UniqueIds, Wanted};
