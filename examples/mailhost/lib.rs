//! A mail host: the three protocols over one in-memory store. The example `mailhost` serves it on given ports, the
//! example `roundtrip` sends mail through it.

pub mod samples;
pub mod store;
