//! A mail host: the three protocols over one in-memory store. The example `mailhost` serves it on given ports, the
//! example `roundtrip` sends mail through it. Its [`client`] is what the command lines `send`, `fetch` and `drain` are made of.

pub mod authority;
pub mod client;
pub mod host;
pub mod imap;
pub mod login;
pub mod mime;
pub mod pop3;
pub mod samples;
pub mod smtp;
pub mod store;
#[cfg(test)]
mod tests;

// The first program that a reader sees is built like the others.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// Whatever goes wrong.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
