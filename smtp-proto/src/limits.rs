//! What a peer may spend.

/// The limits of one connection. None is zero; each has a safe default.
///
/// A limit set to zero counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a command line with its CRLF. Default 4,096: the 512 of RFC 5321 §4.5.3.1.4 and what the extensions add.
    pub command_line: usize,
    /// Octets of an AUTH command or response line with its CRLF. Default 12,288 (RFC 4954 §4).
    pub auth_line: usize,
    /// Octets of one reply line with its CRLF. Default 4,096: servers exceed the 512 of RFC 5321 §4.5.3.1.5.
    pub reply_line: usize,
    /// Lines of one reply. Default 512.
    pub reply_lines: usize,
    /// Octets of one reply, all lines together. Default 65,536.
    pub reply_total: usize,
    /// Recipients accepted for one mail. Default 1,000; RFC 5321 §4.5.3.1.8 asks for 100 at least.
    pub recipients: u32,
    /// Commands that do not parse or are out of order, in one connection. Default 10; the next is answered 421.
    pub bad_commands: u32,
    /// Commands without a mail: MAIL, RSET, NOOP, HELP, VRFY and the like, and each DATA that is refused, since the last message. Default 100.
    pub idle_commands: u32,
    /// RCPTs refused since the last message, by the application or the machine: each tells who guesses that a name is none (RFC 5321 §7.3).
    /// Default 100, what RFC 5321 §4.5.3.1.8 lets every client send for one mail; the next is answered 421. One recipient too many (452) is
    /// not counted: the mail goes on with the others (RFC 5321 §4.5.3.1.10).
    pub refused_recipients: u32,
    /// Failed AUTH exchanges in one connection. Default 5; the next is answered 421 (RFC 4954 §4).
    pub auth_failures: u32,
    /// Octets of one message as the application gets it. Default 50 MiB; also what SIZE announces (RFC 1870 §4).
    pub message: u64,
    /// Chunks of one message (RFC 3030 §2). Default 1,000, and beyond while their mean is at least [`Limits::MEAN_CHUNK`] octets.
    pub chunks: u32,
    /// Octets read and dropped after a refusal, in one connection, before it is closed. Default 1 MiB.
    pub discard: u64,
    /// Commands that a client has in flight. Default 256.
    pub in_flight: usize,
}

impl Limits {
    /// Beyond [`Limits::chunks`], the mean size that chunks must have, in octets.
    pub const MEAN_CHUNK: u64 = 512;

    /// The limits with every zero raised to one.
    #[must_use]
    pub(crate) fn sane(mut self) -> Self {
        self.command_line = self.command_line.max(64);
        self.auth_line = self.auth_line.max(64);
        self.reply_line = self.reply_line.max(64);
        self.reply_total = self.reply_total.max(self.reply_line);
        for count in [&mut self.reply_lines, &mut self.in_flight] {
            *count = (*count).max(1);
        }
        for count in [
            &mut self.recipients,
            &mut self.bad_commands,
            &mut self.idle_commands,
            &mut self.refused_recipients,
            &mut self.auth_failures,
            &mut self.chunks,
        ] {
            *count = (*count).max(1);
        }
        self.message = self.message.max(1);
        self.discard = self.discard.max(1);
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_line: 4096,
            auth_line: 12_288,
            reply_line: 4096,
            reply_lines: 512,
            reply_total: 65_536,
            recipients: 1000,
            bad_commands: 10,
            idle_commands: 100,
            refused_recipients: 100,
            auth_failures: 5,
            message: 50 << 20,
            chunks: 1000,
            discard: 1 << 20,
            in_flight: 256,
        }
    }
}
