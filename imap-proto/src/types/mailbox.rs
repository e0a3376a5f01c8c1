//! Names of mailboxes (RFC 9051 §5.1).

use super::astring::AString;
use super::invalid::Invalid;
use super::utf7;
use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// The name of a mailbox: INBOX in any case, or octets without controls.
///
/// Before UTF-8 is enabled a name is modified UTF-7, after that it is UTF-8. The octets are kept as they came, so that a name that
/// is neither still names its mailbox.
///
/// ```
/// use mail_imap_proto::types::Mailbox;
/// assert!(Mailbox::new(b"inBoX").unwrap().is_inbox());
/// assert!(!Mailbox::new(b"INBOX/a").unwrap().is_inbox());
/// assert_eq!(Mailbox::new(b"Entw&APw-rfe").unwrap().decoded().unwrap(), "Entwürfe");
/// assert!(Mailbox::new(b"INBOX\r\nA2 DELETE x").is_err());
/// ```
#[derive(Clone, Copy)]
pub struct Mailbox<'a>(AString<'a>);

impl<'a> Mailbox<'a> {
    /// The mailbox that every user has.
    pub const INBOX: Mailbox<'static> = Mailbox(AString::plain(b"INBOX"));

    /// Takes a name as it goes on the wire. [`utf7::encode`] makes one of text.
    ///
    /// # Errors
    /// [`Invalid::Octet`] at a control: no server should make such a name and no listing shows it well.
    pub fn new(name: &'a [u8]) -> Result<Self, Invalid> {
        Self::from_string(AString::plain(name))
    }

    /// A name that was read from one of the three forms of a string.
    ///
    /// # Errors
    /// As [`Mailbox::new`].
    pub fn from_string(name: AString<'a>) -> Result<Self, Invalid> {
        match name.octets().position(|octet| octet < b' ' || octet == 0x7f) {
            Some(at) => Err(Invalid::Octet { at }),
            None => Ok(Self(name)),
        }
    }

    /// Whether it is INBOX, in any case. A name that begins so is another mailbox.
    #[must_use]
    pub fn is_inbox(self) -> bool {
        self.0.eq_ignore_ascii_case(b"INBOX")
    }

    /// The octets, INBOX always in capitals.
    #[must_use]
    pub fn name(self) -> Cow<'a, [u8]> {
        if self.is_inbox() { Cow::Borrowed(b"INBOX") } else { self.0.bytes() }
    }

    /// The octets as they came.
    #[must_use]
    pub const fn raw(self) -> AString<'a> {
        self.0
    }

    /// The name as text, read as modified UTF-7.
    ///
    /// # Errors
    /// [`Invalid::Encoding`] if it is not modified UTF-7 as RFC 3501 §5.1.3 wants it.
    pub fn decoded(self) -> Result<String, Invalid> {
        utf7::decode(&self.name())
    }

    /// The name as text where UTF-8 is enabled (RFC 9755 §3, RFC 9051 §5.1).
    ///
    /// # Errors
    /// [`Invalid::Encoding`] if it is not UTF-8.
    pub fn utf8(self) -> Result<String, Invalid> {
        String::from_utf8(self.name().into_owned()).map_err(|_| Invalid::Encoding)
    }
}

impl PartialEq for Mailbox<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.is_inbox() && other.is_inbox()
    }
}

impl Eq for Mailbox<'_> {}

impl<'a> TryFrom<&'a [u8]> for Mailbox<'a> {
    type Error = Invalid;
    fn try_from(name: &'a [u8]) -> Result<Self, Invalid> {
        Self::new(name)
    }
}

impl<'a> TryFrom<&'a str> for Mailbox<'a> {
    type Error = Invalid;
    fn try_from(name: &'a str) -> Result<Self, Invalid> {
        Self::new(name.as_bytes())
    }
}

impl fmt::Debug for Mailbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox(\"{}\")", self.name().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_is_one_mailbox_and_its_children_keep_their_case() {
        assert_eq!(Mailbox::new(b"inbox").unwrap(), Mailbox::INBOX);
        assert_eq!(&*Mailbox::new(b"iNbOx").unwrap().name(), b"INBOX");
        assert_eq!(&*Mailbox::new(b"inboxes").unwrap().name(), b"inboxes");
        assert_ne!(Mailbox::new(b"INBOX/x").unwrap(), Mailbox::new(b"inbox/x").unwrap());
    }

    #[test]
    fn an_escaped_name_equals_the_plain_one() {
        let escaped = Mailbox::from_string(AString::quoted(br#"a\"b"#, true)).unwrap();
        assert_eq!(escaped, Mailbox::new(br#"a"b"#).unwrap());
        assert_eq!(escaped.decoded().unwrap(), "a\"b");
    }

    #[test]
    fn a_control_is_no_part_of_a_name() {
        for bad in [&b"x\r\ny DELETE"[..], b"a\0", b"\x1b", b"a\x7f", b"\t"] {
            assert!(Mailbox::new(bad).is_err(), "{bad:?}");
        }
    }
}
