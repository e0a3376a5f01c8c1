//! The golden transcripts of both machines (`tests/golden`), replayed cut and faulty in every way.

mod client;
mod faults;
mod golden;
mod replay;
mod server;
