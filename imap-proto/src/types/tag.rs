//! The tag of a command (RFC 9051 §2.2.1).

use super::atom::word;
use super::chars::is_tag;
use super::invalid::Invalid;
use core::fmt;

word! {
    /// What a client puts before a command, and a server repeats octet for octet with the completion.
    ///
    /// At least one octet, all of them `ASTRING-CHAR` but `+` (RFC 9051 §9); `]` is one of them.
    ///
    /// ```
    /// use mail_imap_proto::types::Tag;
    /// assert_eq!(Tag::new(b"A1").unwrap().as_str(), "A1");
    /// assert!(Tag::new(b"A+1").is_err());
    /// ```
    #[derive(PartialEq, Eq, Hash)]
    Tag of is_tag
}

impl fmt::Debug for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_may_stand_in_a_tag_and_a_plus_may_not() {
        for good in [&b"A1"[..], b"a]b", b".", b"0", b"}", b"!#$&'"] {
            assert_eq!(Tag::new(good).unwrap().as_bytes(), good);
        }
        for bad in [
            &b""[..],
            b"+",
            b"*",
            b"a b",
            b"a\r\n",
            b"a\0",
            b"a(",
            b"a{",
            b"a\"",
            b"\\",
            b"\x7f",
            b"\xc3\xa9",
        ] {
            assert!(Tag::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Tag::new(b"A1\r\nA2 DELETE INBOX"), Err(Invalid::Octet { at: 2 }));
    }
}
