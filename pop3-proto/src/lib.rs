//! Sans-IO POP3 (RFC 1939 and its extensions): a client machine and a server machine that own no socket and no clock.
//!
//! What belongs here is POP3 alone; buffers, line and dot framing and the machine contract are [`mail_wire`]'s, sockets, TLS and
//! SASL mechanisms are those of the session above. The other two protocol crates have the same files under the same names.
//!
//! | module | what it holds |
//! |---|---|
//! | [`client`] | [`client::Client`]: sends commands, reads replies |
//! | [`server`] | [`server::Server`]: reads commands, sends replies |
//! | [`command`] | [`Command`]: one type for both roles |
//! | [`reply`] | [`Reply`] as a server builds it, [`reply::StatusLine`] as a client reads it |
//! | [`types`] | the validated values they are made of |
//! | [`kept`] | what of these can be kept after the input has gone on |
//! | [`ext`] | what is not RFC 1939: one file for each extension |
//! | [`limits`], [`policy`], [`error`] | what a peer may spend, what is decided for a connection, what can go wrong |
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]
#![deny(missing_docs)]

extern crate alloc;

pub mod client;
pub mod command;
#[cfg(test)]
mod doc_table;
mod encode;
pub mod error;
pub mod ext;
pub mod kept;
pub mod limits;
mod parse;
pub mod policy;
pub mod reply;
pub mod server;
pub mod types;

pub use command::{Command, OtherCommand, Shape, Verb};
pub use error::{Invalid, Malformed, Rule, Violation};
pub use kept::{OwnedCapability, OwnedCommand, OwnedItem};
pub use limits::Limits;
pub use policy::{Allow, Grammar, Policy, Repair, Tls};
pub use reply::{Data, Item, Reply, Status, StatusLine};
