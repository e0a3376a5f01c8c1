//! Serving POP3: a host in memory, the driver, and the client machine of this suite at the other end.
#![cfg(feature = "ring")]
#![allow(unreachable_pub)]

mod ends;
mod log_in;
mod messages;
mod peer;
mod shelf;
#[allow(dead_code)]
#[path = "../toy/tls.rs"]
mod tls;
mod twins;
