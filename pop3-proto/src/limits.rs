//! What a peer may spend. One set for both roles; none is zero.

use core::time::Duration;

/// Limits of one connection. Octets unless another unit is named; line limits count the line end.
///
/// Nothing is allocated by these numbers: they only bound what arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A command line, but AUTH. RFC 2449 §4 asks clients to stay within 255 octets; 512.
    pub command: usize,
    /// The AUTH command and each line of its exchange, in both directions (RFC 5034 §4 sets no limit; RFC 4954 §4.3 asks
    /// for 12,288). 12,288.
    pub auth_line: usize,
    /// A status line or a line of a listing that a client reads (RFC 2449 §4: 512 octets; servers send more). 4,096.
    pub status_line: usize,
    /// Rounds of one SASL exchange. No mechanism in use needs ten; 32.
    pub auth_rounds: u32,
    /// Commands that a server refuses before it closes the link. 10.
    pub bad_commands: u32,
    /// Commands that a server takes before a log-in, good ones too. 100.
    pub early_commands: u32,
    /// Log-ins that a server refuses before it closes the link (RFC 1939 §13 asks for such a bound). 5.
    pub logins: u32,
    /// Octets of over-long lines that a server discards before it closes the link. 1 MiB.
    pub discard: u64,
    /// Entries of one listing that a client reads. They are not kept. 10,000,000.
    pub entries: u32,
    /// Capabilities that a client keeps of one answer. 128.
    pub capabilities: u32,
    /// The body of one message that a client reads. It is not kept. 1 TiB.
    pub message: u64,
    /// Commands that a client has in flight where the server announces PIPELINING (RFC 2449 §6.6); 1 where it does not. 64.
    pub window: usize,
    /// Octets of answers that a client waits for at once, by the sizes that [`Client::expect`](crate::client::Client::expect)
    /// was told; one command is always let through. 1 MiB.
    pub window_octets: u64,
    /// How long a server waits for a command before a log-in. RFC 1939 §3 has ten minutes for any session; here no maildrop is held yet. 3 minutes.
    pub login_wait: Duration,
    /// How long a server waits for the next command after log-in (RFC 1939 §3: at least 10 minutes). 10 minutes.
    pub autologout: Duration,
    /// How long a client waits for a reply, or for the next octets of one. 5 minutes.
    pub reply_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command: 512,
            auth_line: 12_288,
            status_line: 4096,
            auth_rounds: 32,
            bad_commands: 10,
            early_commands: 100,
            logins: 5,
            discard: 1024 * 1024,
            entries: 10_000_000,
            capabilities: 128,
            message: 1024 * 1024 * 1024 * 1024,
            window: 64,
            window_octets: 1024 * 1024,
            login_wait: Duration::from_secs(3 * 60),
            autologout: Duration::from_secs(10 * 60),
            reply_wait: Duration::from_secs(5 * 60),
        }
    }
}
