//! What went wrong, in three families that are never mixed.
//!
//! - [`Misuse`](mail_wire::Misuse): our caller. Nothing has changed.
//! - [`Malformed`]: a unit that could be delimited and not be read. An event; the link goes on.
//! - [`Violation`]: the session is over, with the same error for ever after.
//!
//! None of them holds octets of a message in its text.

use core::fmt;
use mail_wire::StaleUnit;
use mail_wire::line::LineFault;

/// A unit, or a part of one, that could not be read.
pub type Malformed<'i> = mail_wire::Malformed<'i, Rule>;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The rule of the grammar, of a limit or of the state that octets did not follow. Productions are those of RFC 9051 §9.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The rule in words.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

rules! {
    /// `tag`.
    Tag = "a tag",
    /// The name of a command.
    Command = "a command",
    /// `atom`.
    Atom = "an atom",
    /// `astring`.
    AString = "an atom or a string",
    /// `string` or `nstring`.
    String = "a string",
    /// `quoted`: a foreign escape, or no end.
    Quoted = "a quoted string",
    /// `literal` or `literal8`.
    Literal = "a literal",
    /// `number` or `number64`: none, or out of its range.
    Number = "a number",
    /// `nz-number`: the number is 0.
    NonZero = "a number above 0",
    /// `sequence-set`.
    Set = "a set of numbers",
    /// `flag`, `flag-list`, `mbx-list-flags`.
    Flag = "a flag",
    /// `date` or `date-time`.
    Date = "a date",
    /// `section`.
    Section = "a section",
    /// `search-key` and what stands around it.
    Search = "a search key",
    /// `fetch-att` or `msg-att`.
    Fetch = "a fetch attribute",
    /// `store-att-flags`.
    Store = "flags to store",
    /// `status-att` or `status-att-list`.
    Status = "a status attribute",
    /// `envelope`.
    Envelope = "an envelope",
    /// `address`.
    Address = "an address",
    /// `body`.
    Body = "a body structure",
    /// Parentheses, or what stands between them.
    List = "a list",
    /// `mailbox` or `list-mailbox`.
    Mailbox = "a mailbox",
    /// `resp-text-code`.
    Code = "a response code",
    /// `resp-text`.
    Text = "text",
    /// `SP`.
    Space = "one space",
    /// The end of the line: octets stand behind the unit.
    End = "the end of the line",
    /// `capability`.
    Capability = "a capability",
    /// `base64`.
    Base64 = "base64",
    /// A keyword that this place does not know.
    Keyword = "a keyword",
    /// `tagged-ext`.
    Extension = "an extended argument",
    /// Nested deeper than the limit.
    Depth = "less nesting",
    /// More items than the limit, or a line or literal above it.
    TooMany = "fewer items",
    /// Parts of a unit beyond the limit of the tape.
    Tape = "fewer parts",
    /// The line is complete by itself and has no place in the state of the session.
    State = "something that this state allows",
    /// Octets that are not UTF-8 where UTF-8 is enabled.
    Utf8 = "UTF-8",
    /// `DONE`: anything else during IDLE (RFC 9051 §6.3.13).
    Done = "DONE",
    /// A message with a bare CR, a bare LF or a NUL, which the policy refuses.
    Message = "a message with whole line ends",
}

impl Rule {
    /// The rule with this number: how a rule is kept on the tape.
    pub(crate) fn from_index(index: usize) -> Self {
        Self::ALL.get(index).copied().unwrap_or(Self::End)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A line without its end.
    #[error(transparent)]
    Line(#[from] LineFault),
    /// The octets ended inside a unit, or with something owed.
    #[error("the connection ended inside a unit or with commands in flight")]
    Truncated,
    /// The peer was waited for as long as the standard allows.
    #[error("the peer took longer than the standard allows")]
    Expired,
    /// The unit was framed by another input, or decoded twice.
    #[error(transparent)]
    Stale(#[from] StaleUnit),
    /// A literal larger than the limit for its place.
    #[error("a literal of more than {limit} octets")]
    LiteralTooLarge {
        /// The limit in octets.
        limit: u64,
    },
    /// The literals of one unit together are larger than the limit, and none of them can be streamed.
    #[error("literals of more than {limit} octets in one unit")]
    LiteralsTooLarge {
        /// The limit in octets.
        limit: u64,
    },
    /// A literal of a form that the peer's role must not send (RFC 7888 §3: `{n+}` is the client's alone).
    #[error("a literal of a form that is not the peer's to send")]
    LiteralForm,
    /// Quotes are open before a trailing `{n}`: what follows could be either, and to guess would let the text of a
    /// message steer the boundary.
    #[error("a quoted string is open before what looks like a literal")]
    OpenQuote,
    /// The first line is no greeting (RFC 9051 §7.1).
    #[error("the first line is no greeting")]
    Greeting,
    /// A greeting after the greeting.
    #[error("a greeting where none is due")]
    SecondGreeting,
    /// The server says that we are logged in already, so that TLS can no longer be had (RFC 9051 §7.1.4).
    #[error("PREAUTH before TLS")]
    PreauthBeforeTls,
    /// TLS is required, and the server refuses STARTTLS.
    #[error("the server refuses the TLS that the policy requires")]
    Downgrade,
    /// Data of a mailbox before TLS, where TLS is required.
    #[error("mailbox data before the TLS that the policy requires")]
    DataBeforeTls,
    /// A completion with a tag that is not in flight.
    #[error("a completion of a command that is not in flight")]
    UnknownTag,
    /// A completion whose status is not OK, NO or BAD.
    #[error("a completion with an unknown status")]
    UnknownStatus,
    /// A continuation request that nothing awaits (RFC 9051 §7.6).
    #[error("a continuation request that nothing awaits")]
    Continuation,
    /// More untagged lines than the limit while no command is in flight.
    #[error("more than {limit} lines that nobody asked for")]
    Unsolicited {
        /// The limit in lines.
        limit: u32,
    },
    /// A unit that cannot be read, where the grammar is strict.
    #[error("{rule} expected at octet {at}")]
    Malformed {
        /// What was expected.
        rule: Rule,
        /// Counted from the start of what is malformed.
        at: usize,
    },
    /// More commands that cannot be read or are out of place than the limit.
    #[error("more than {limit} bad commands")]
    BadCommands {
        /// The limit in commands.
        limit: u32,
    },
    /// More octets to discard after refusals than the budget.
    #[error("more than {limit} octets to discard")]
    Discard {
        /// The limit in octets.
        limit: u64,
    },
}

impl From<Malformed<'_>> for Violation {
    fn from(malformed: Malformed<'_>) -> Self {
        Self::Malformed { rule: malformed.rule, at: malformed.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_survives_the_tape() {
        for (index, rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(*rule as usize, index);
            assert_eq!(Rule::from_index(index), *rule);
            assert!(!rule.as_str().is_empty());
        }
        assert_eq!(Rule::from_index(9999), Rule::End);
    }
}
