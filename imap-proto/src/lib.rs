//! IMAP without sockets: grammar, typed values, and the two state machines, for IMAP4rev1 and IMAP4rev2.
//!
//! A machine takes octets from an [`Input`](mail_wire::Input), gives typed events, and puts octets into an
//! [`Output`](mail_wire::Output). Sockets, TLS and time are the driver's. See [`server`] and [`client`] for the state graphs.
//!
//! | module | what it holds |
//! |---|---|
//! | [`command`] | [`Command`]: what a client says, for both roles |
//! | [`response`] | [`Untagged`](response::Untagged), [`FetchPart`](response::FetchPart): what a server says |
//! | [`types`] | validated values and views: flags, sets, sections, envelopes, body structures |
//! | [`parse`] | the grammar over complete units |
//! | [`encode`] | how commands are written |
//! | `frame` | where a unit ends: lines and literals |
//! | [`limits`], [`policy`] | what a peer may spend; how strict a machine is |
//! | [`error`] | [`Violation`], [`Malformed`] and their [`Rule`]s |
//! | [`server`], [`client`] | the machines |
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice
    )
)]
#![deny(missing_docs)]

extern crate alloc;

pub mod client;
pub mod command;
pub mod encode;
pub mod error;
pub(crate) mod frame;
pub mod limits;
pub mod parse;
pub mod policy;
pub mod response;
pub mod server;
pub mod types;

pub use client::Client;
pub use command::Command;
pub use error::{Malformed, Rule, Violation};
pub use limits::Limits;
pub use policy::{Allow, Grammar, Policy, Repair, Tls};

/// The example of the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
