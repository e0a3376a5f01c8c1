//! Rules that stand between commands: each test has the octets of both sides, and names where the rule is from.

mod client;
mod server;
