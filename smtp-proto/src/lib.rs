//! SMTP without sockets: grammar, typed values, and the two state machines, for SMTP, submission and LMTP.
//!
//! A machine takes octets from an [`Input`](mail_wire::Input), gives typed events, and puts octets into an
//! [`Output`](mail_wire::Output). Sockets, TLS and time are the driver's. See [`server`] and [`client`] for the state graphs.
//!
//! | module | what it holds |
//! |---|---|
//! | [`command`] | [`Command`]: what a client says, for both roles |
//! | [`reply`] | [`Reply`]: what a server says; [`ReplyBuf`]: one to be written |
//! | [`types`] | validated values: mailboxes, domains, codes, texts |
//! | [`parse`] | the grammar over complete lines |
//! | [`encode`] | how commands and replies are written |
//! | [`frame`] | where a reply of several lines ends |
//! | [`ext`] | extensions: keywords and parameters, a file each |
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
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]
#![deny(missing_docs)]

extern crate alloc;

pub mod client;
pub mod command;
pub mod encode;
pub mod error;
pub mod ext;
pub mod frame;
pub mod limits;
pub mod parse;
pub mod policy;
pub mod reply;
pub mod server;
pub mod types;

pub use client::Client;
pub use command::{Command, CommandBuf, Mail, Rcpt, Verb};
pub use error::{Malformed, Rule, Violation};
pub use ext::{EhloReply, Extension, Extensions};
pub use limits::Limits;
pub use policy::{Allow, Grammar, Policy, Repair, Tls};
pub use reply::{Reply, ReplyBuf};
pub use server::Server;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
