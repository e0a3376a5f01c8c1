//! What a peer may spend. One struct for both roles; no limit is zero.

use core::time::Duration;

/// Limits in octets, if nothing else is said. Nothing is allocated by an announced size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Client: a line with its literals, before authentication. 64 KiB: no greeting or capability list comes near. It is also all
    /// the memory that a server can make a client hold before the log-in, but for 10 KiB.
    pub line_before_auth: usize,
    /// Client: a line without its literals, after authentication. 16 MiB: a SEARCH of a million messages.
    pub line: usize,
    /// Client: a literal that stays inside its unit; a larger one is streamed. 64 KiB.
    pub literal_inline: u64,
    /// Client: all such literals of one unit. Beyond it a FETCH body is streamed whatever its size. 1 MiB.
    pub literals_inline: u64,
    /// Client: a literal that is streamed. 1 TiB.
    pub literal_streamed: u64,
    /// Client: untagged lines while no command is in flight, in a row. None by default: a server may push (RFC 9051 §7).
    pub unsolicited: Option<u32>,

    /// Server: a line without its literals, before authentication. 8,192 (RFC 9051 §4, RFC 7162 §4).
    pub command_line_before_auth: usize,
    /// Server: a line without its literals, after authentication. 65,536: a set of 8,192 items fits.
    pub command_line: usize,
    /// Server: literals of one command. 1,000.
    pub command_literals: usize,
    /// Server: all literals of one command, but the message of APPEND. 1 MiB.
    pub command_literal_octets: u64,
    /// Server: the same before authentication. 8 KiB: a user name and a password.
    pub command_literal_octets_before_auth: u64,
    /// Server: a non-synchronising literal, but the message of APPEND. 4,096 (RFC 7888 §5). The message has the limit of its own however it
    /// is announced: it is streamed, so that a client which should have waited costs nothing and is served.
    pub non_sync_literal: u64,
    /// Server: the message of APPEND. 64 MiB.
    pub append: u64,
    /// Server: commands that cannot be read or are out of place, in one session. 10 before the link is closed.
    pub bad_commands: u32,
    /// Server: octets discarded after refusals. 1 MiB.
    pub discard: u64,

    /// Both: a SASL line (RFC 4954 §4 gives the number that mail uses). 12,288.
    pub auth_line: usize,
    /// Both: nesting of a BODYSTRUCTURE, and of a THREAD. 128: known servers write up to 110.
    pub body_depth: usize,
    /// Both: nesting of SEARCH keys. 64.
    pub search_depth: usize,
    /// Both: nesting of all other lists. 32.
    pub list_depth: usize,
    /// Server: items of a sequence set of a command. 8,192; a set is never expanded. One that a client sends has the limit that it was made
    /// with ([`SequenceSet::new`](crate::types::SequenceSet::new)); one that it is told is bounded by the line.
    pub set_items: usize,

    /// Both: the longest wait before the log-in is complete. 3 minutes.
    pub wait_login: Duration,
    /// Client: the longest wait for the answer to a command. 5 minutes.
    pub wait_command: Duration,
    /// Both: the longest silence while IDLE is on, and on a server between commands. 30 minutes (RFC 9051 §5.4).
    pub wait_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_before_auth: 64 * 1024,
            line: 16 * 1024 * 1024,
            literal_inline: 64 * 1024,
            literals_inline: 1024 * 1024,
            literal_streamed: 1 << 40,
            unsolicited: None,
            command_line_before_auth: 8192,
            command_line: 65_536,
            command_literals: 1000,
            command_literal_octets: 1024 * 1024,
            command_literal_octets_before_auth: 8192,
            non_sync_literal: 4096,
            append: 64 * 1024 * 1024,
            bad_commands: 10,
            discard: 1024 * 1024,
            auth_line: 12_288,
            body_depth: 128,
            search_depth: 64,
            list_depth: 32,
            set_items: 8192,
            wait_login: Duration::from_secs(3 * 60),
            wait_command: Duration::from_secs(5 * 60),
            wait_idle: Duration::from_secs(30 * 60),
        }
    }
}
