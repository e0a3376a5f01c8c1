//! What is decided for a connection when it begins, and the named repairs.

use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;
pub use mail_wire::{Allow, Tls};

/// How the grammar is read.
pub type Grammar = mail_wire::Grammar<Repair>;

/// The policies of one connection.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How the grammar is read.
    pub grammar: Grammar,
    /// What ends a line of a command or a response. Strict in both roles.
    pub line: LineEnd,
    /// What is done with a bare CR or LF or a NUL in a message that a client appends or a server takes or sends. What a client
    /// receives it passes on as it is.
    pub body_eol: BodyEol,
    /// How the connection stands to TLS. [`Tls::Required`]: nothing but CAPABILITY, NOOP, ID, STARTTLS and LOGOUT before it; for a client
    /// a refused STARTTLS and mailbox data before it are violations (RFC 9051 §11.1).
    pub tls: Tls,
    /// A password or token that goes over the wire as it is, before TLS (RFC 9051 §11.3).
    pub plaintext_auth: Allow,
    /// A greeting that says we are logged in already, before TLS (RFC 9051 §7.1.4).
    pub preauth: Allow,
}

impl Policy {
    /// What a server begins with: strict grammar.
    #[must_use]
    pub fn server() -> Self {
        Self { grammar: Grammar::strict(), ..Self::client() }
    }

    /// What a client begins with: tolerant grammar.
    #[must_use]
    pub fn client() -> Self {
        Self {
            grammar: Grammar::tolerant(),
            line: LineEnd::Strict,
            body_eol: BodyEol::Reject,
            tls: Tls::Opportunistic,
            plaintext_auth: Allow::Refuse,
            preauth: Allow::Refuse,
        }
    }
}

macro_rules! repairs {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What real peers get wrong and can be read all the same. None of them moves the end of a message body.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Repair {
            $($(#[$doc])* $name,)*
        }

        impl mail_wire::Repair for Repair {
            const ALL: &'static [Self] = &[$(Self::$name),*];

            fn index(self) -> u8 {
                self as u8
            }
        }
    };
}

repairs! {
    /// LF alone at the end of a line. Switched by [`Policy::line`] and counted here.
    BareLf,
    /// Two spaces or more for one, or spaces at the start or the end of a list.
    ExtraSpace,
    /// Spaces at the end of a line.
    TrailingSpace,
    /// A status without text, or a response code without the space and the text behind it.
    MissingText,
    /// A response code without its status: read as an untagged OK.
    MissingStatus,
    /// Text that begins with `[` and is no response code.
    BracketInText,
    /// Spaces between the addresses of a list. The standard's own examples have them (RFC 9051 §8): taken whatever the switch
    /// says, and counted.
    AddressSpace,
    /// NIL among the addresses of a list.
    NilAddress,
    /// `()` where NIL is the standard's word for nothing.
    EmptyList,
    /// NIL as the value of a parameter, or as a string that may not be absent.
    NilValue,
    /// An atom where a string is due.
    AtomForString,
    /// A multipart without parts.
    NoParts,
    /// A disposition without parentheses and parameters.
    BareDisposition,
    /// A flag or attribute with octets that no flag has, or a backslash alone.
    OddFlag,
    /// A modification sequence of 0.
    ZeroModSeq,
    /// The modification sequence of an ESEARCH response in parentheses.
    ParenModSeq,
    /// A backslash before another octet than `"` and `\` in a quoted string: kept.
    OddEscape,
    /// A list that ends with its line.
    Unclosed,
    /// A literal one octet short: its last octet is the CR of the line end that follows.
    ShortLiteral,
    /// A `+` without the space that belongs to it.
    BarePlus,
    /// The length of a window in the answer to it, `BODY[]<0.10>`, where its origin alone belongs (RFC 9051 §7.5.2).
    WindowInAnswer,
    /// A date without its leading space or zero, or a zone that is missing.
    LooseDate,
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_wire::Repair as _;

    #[test]
    fn every_repair_has_a_number_of_its_own() {
        for (index, repair) in Repair::ALL.iter().enumerate() {
            assert_eq!(usize::from(repair.index()), index);
        }
        assert!(Repair::ALL.len() <= 32);
        assert_eq!(Grammar::strict().repairs.total(), 0);
        assert!(Repair::ALL.iter().all(|repair| Grammar::tolerant().repairs.is_on(*repair)));
    }
}
