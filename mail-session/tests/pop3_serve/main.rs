//! Serving POP3: a host in memory, the driver, and the client machine of this suite at the other end.
#![cfg(feature = "ring")]
#![allow(unreachable_pub)]

#[cfg(feature = "legacy-md5")]
mod apop;
mod ends;
mod languages;
mod log_in;
mod messages;
mod peer;
mod shelf;
mod sizes;
mod stops;
#[allow(dead_code)]
#[path = "../toy/tls.rs"]
mod tls;
mod twins;
