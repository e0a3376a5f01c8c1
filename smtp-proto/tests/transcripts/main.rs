//! The golden transcripts of both machines (`tests/golden`), replayed cut in every way. The replayer is that of all protocols.

mod client;
mod faults;
#[path = "../../../pop3-proto/tests/transcripts/golden.rs"]
mod golden;
#[path = "../../../pop3-proto/tests/transcripts/replay.rs"]
mod replay;
mod server;
