//! Sessions, by a small protocol that has all that a session must carry, and by the real ones.
#![allow(unreachable_pub)]

#[path = "../toy/mod.rs"]
mod toy;

mod blocking;
#[cfg(feature = "futures")]
mod bodies;
mod deadlines;
mod drivers;
mod ends;
mod flows;
mod forgotten;
mod handshake;
mod openings;
mod pitfalls;
mod pop3;
mod pop3_given_up;
mod pop3_login;
mod pop3_servers;
mod security;
mod servers;
