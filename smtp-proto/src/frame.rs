//! Where a reply ends: the first line whose code is not followed by `-` (RFC 5321 §4.2.1).

use crate::error::{Foreign, Rule, Violation};
use crate::limits::Limits;
use mail_wire::line::{LineEnd, LineFramer};

/// A reply that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FramedReply {
    /// Octets with all line ends.
    pub len: usize,
    /// Lines that LF alone ended.
    pub bare: u32,
}

/// Finds the end of the reply at the front of the octets, and remembers how far it has looked. The code is not looked at: a line that is no
/// reply line ends the reply, and the grammar then says what is wrong with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplyFramer {
    line: LineFramer,
    from: usize,
    lines: usize,
    bare: u32,
}

impl ReplyFramer {
    /// A framer at the start of a reply.
    #[must_use]
    pub const fn new() -> Self {
        Self { line: LineFramer::new(), from: 0, lines: 0, bare: 0 }
    }

    /// Looks at the octets behind those it has seen. `octets` begins where the reply begins, at every call.
    ///
    /// # Errors
    /// A line fault, or a limit: [`Limits::reply_line`], [`Limits::reply_lines`], [`Limits::reply_total`].
    pub fn step(
        &mut self,
        octets: &[u8],
        end: LineEnd,
        limits: &Limits,
    ) -> Result<Option<FramedReply>, Violation> {
        loop {
            let rest = octets.get(self.from..).unwrap_or_default();
            let Some(line) = self.line.step(rest, end, limits.reply_line)? else {
                let full = octets.len() >= limits.reply_total;
                return if full {
                    Err(Violation::Limit("reply_total", limits.reply_total as u64))
                } else {
                    Ok(None)
                };
            };
            self.from = self.from.saturating_add(line.len);
            self.lines = self.lines.saturating_add(1);
            self.bare = self.bare.saturating_add(u32::from(line.is_bare()));
            if self.lines > limits.reply_lines {
                return Err(Violation::Limit("reply_lines", limits.reply_lines as u64));
            }
            if self.from > limits.reply_total {
                return Err(Violation::Limit("reply_total", limits.reply_total as u64));
            }
            let text = rest.get(..line.text).unwrap_or_default();
            if !matches!(text, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..]) {
                let framed = FramedReply { len: self.from, bare: self.bare };
                *self = Self::new();
                return Ok(Some(framed));
            }
        }
    }

    /// Whether part of a reply has been seen.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        self.lines > 0
    }
}

/// What a greeting that is none looks like: tells an operator which port was dialled.
pub(crate) fn foreign_greeting(octets: &[u8]) -> Violation {
    let foreign = match octets {
        [b'*', b' ', ..] => Foreign::Imap,
        [b'+', b'O', b'K', ..] | [b'-', b'E', b'R', b'R', ..] => Foreign::Pop3,
        [b'S', b'S', b'H', b'-', ..] => Foreign::Ssh,
        [b'H', b'T', b'T', b'P', ..] => Foreign::Http,
        [0x15 | 0x16, 3, ..] => Foreign::Tls,
        _ => return Violation::Reply(Rule::ReplyLine),
    };
    Violation::ForeignProtocol(foreign)
}

/// Request methods of HTTP: a page in a browser can make one send a form to a mail port.
pub(crate) fn is_http(word: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] =
        [b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"CONNECT", b"PATCH", b"DELETE", b"TRACE"];
    METHODS.contains(&word)
}
