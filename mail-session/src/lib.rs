// The README is the front page, where its examples can be built.
#![cfg_attr(all(feature = "ring", feature = "platform-verifier"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "ring", feature = "platform-verifier")),
    doc = "SMTP, IMAP and POP3 sessions over TLS, on any runtime or on none."
)]
//!
//! # Modules
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`] | [`Engine`]: octets to events and back, with TLS, without a socket or a clock |
//! | [`session`] | [`Session`]: the asynchronous driver, over the traits of `futures-io` |
//! | [`blocking`] | the same on blocking sockets |
//! | [`smtp`], [`imap`], [`pop3`] | opening a client session, and what a turn can do, for each protocol |
//! | [`pop3::serve`] | a POP3 server over two traits of the application |
//! | [`open`], [`flow`] | operations of several steps, written once for all drivers |
//! | [`memory`] | connections in memory with a virtual clock and faults, for tests |
//! | [`sasl`] | log-in mechanisms, for clients and servers |
//! | [`tls`] | what TLS is made with |
//! | [`tap`](mod@tap) | looking at the wire without seeing a secret |
//! | [`timer`] | clocks |
//! | `body` | bodies as `Stream` and `AsyncRead` (feature `futures`) |
//! | `tokio` | an adapter and a timer (feature `tokio`) |
//! | [`proto`] | the protocol crates; [`wire`]: what they share |
#![deny(missing_docs)]

pub mod blocking;
#[cfg(feature = "futures")]
pub mod body;
mod drive;
pub mod engine;
pub mod error;
pub mod flow;
pub mod imap;
pub mod memory;
pub mod open;
pub mod pop3;
pub mod sasl;
pub mod session;
pub mod smtp;
pub mod tap;
pub mod timer;
pub mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;
pub mod turn;
mod waits;

pub use engine::Engine;
pub use error::Error;
pub use session::Session;
pub use tap::{Tap, Transcript};
pub use timer::Timer;
pub use turn::Turn;

pub use bytes::Bytes;
pub use mail_wire as wire;

/// The protocol crates: the machines and their values.
pub mod proto {
    pub use mail_imap_proto as imap;
    pub use mail_pop3_proto as pop3;
    pub use mail_smtp_proto as smtp;
}
