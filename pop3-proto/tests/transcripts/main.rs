//! The golden transcripts of both machines (`tests/golden`), replayed cut and faulty in every way.

mod client;
mod faults;
mod server;

mail_testkit::golden!(client: crate::client::Application, server: crate::server::Application);
