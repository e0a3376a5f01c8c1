//! Response codes: what a status says to programs (RFC 9051 §7.1, RFC 5530).

use super::astring::AString;
use super::capability::Capabilities;
use super::flag::Flags;
use super::sequence::SequenceSet;
use core::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A response code. One that is not known, or known with other arguments, is [`Code::Other`] and round-trips.
        #[derive(Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Code<'a> {
            $($(#[$doc])* $name,)*
            /// `BADCHARSET`: the charsets that SEARCH takes, as they came; perhaps none.
            BadCharset(&'a [u8]),
            /// `BADURL`: the URL that could not be used (RFC 4469 §4.1).
            BadUrl(AString<'a>),
            /// `CAPABILITY`: it need not be asked for.
            Capability(Capabilities<'a>),
            /// `PERMANENTFLAGS`: what a client may change for good. [`Flag::Any`](super::Flag::Any): and new keywords.
            PermanentFlags(Flags<'a>),
            /// `UIDNEXT`: the next message will have at least this UID.
            UidNext(u32),
            /// `UIDVALIDITY`: UIDs known under another number mean nothing (RFC 9051 §2.3.1.1).
            UidValidity(u32),
            /// `UNSEEN`: the first message without `\Seen`, by its number (RFC 3501 §7.1).
            Unseen(u32),
            /// `APPENDUID`: where the appended messages are.
            AppendUid {
                /// The UIDVALIDITY of the mailbox.
                validity: u32,
                /// The UIDs, in the order of the messages.
                uids: SequenceSet<'a>,
            },
            /// `COPYUID`: where the copies are. Both sets stand for equally many messages, in the same order.
            CopyUid {
                /// The UIDVALIDITY of the target.
                validity: u32,
                /// The UIDs that were copied.
                from: SequenceSet<'a>,
                /// The UIDs of the copies.
                to: SequenceSet<'a>,
            },
            /// `HIGHESTMODSEQ` (RFC 7162 §3.1.2.1).
            HighestModSeq(u64),
            /// `MODIFIED`: messages that a conditional STORE left alone (RFC 7162 §3.1.3).
            Modified(SequenceSet<'a>),
            /// `MAILBOXID`: the identity of a mailbox (RFC 8474 §4).
            MailboxId(&'a [u8]),
            /// `REFERRAL`: the mailbox is elsewhere (RFC 2193). Following it is for the application to decide.
            Referral(&'a [u8]),
            /// Any other code.
            Other {
                /// The name, up to the first space.
                name: &'a [u8],
                /// What stands behind that space.
                args: &'a [u8],
            },
            /// A known code whose arguments break its rule.
            Malformed {
                /// The name.
                name: &'a [u8],
                /// What stands behind the space.
                args: &'a [u8],
            },
        }

        impl<'a> Code<'a> {
            /// The code that is this word and nothing else.
            pub(crate) fn word(name: &[u8]) -> Option<Code<'static>> {
                const WORDS: &[(&[u8], Code<'static>)] = &[$(($text.as_bytes(), Code::$name)),*];
                WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map(|(_, code)| *code)
            }

            /// The name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'a [u8] {
                match self {
                    $(Self::$name => $text.as_bytes(),)*
                    Self::BadCharset(_) => b"BADCHARSET",
                    Self::BadUrl(_) => b"BADURL",
                    Self::Capability(_) => b"CAPABILITY",
                    Self::PermanentFlags(_) => b"PERMANENTFLAGS",
                    Self::UidNext(_) => b"UIDNEXT",
                    Self::UidValidity(_) => b"UIDVALIDITY",
                    Self::Unseen(_) => b"UNSEEN",
                    Self::AppendUid { .. } => b"APPENDUID",
                    Self::CopyUid { .. } => b"COPYUID",
                    Self::HighestModSeq(_) => b"HIGHESTMODSEQ",
                    Self::Modified(_) => b"MODIFIED",
                    Self::MailboxId(_) => b"MAILBOXID",
                    Self::Referral(_) => b"REFERRAL",
                    Self::Other { name, .. } | Self::Malformed { name, .. } => name,
                }
            }
        }
    };
}

codes! {
    /// `ALERT`: the user must see the text. From before TLS it may be anybody's.
    Alert = "ALERT",
    /// `ALREADYEXISTS`: there is such a mailbox.
    AlreadyExists = "ALREADYEXISTS",
    /// `AUTHENTICATIONFAILED`: the credentials are wrong, or nothing more shall be said.
    AuthenticationFailed = "AUTHENTICATIONFAILED",
    /// `AUTHORIZATIONFAILED`: right credentials for another identity.
    AuthorizationFailed = "AUTHORIZATIONFAILED",
    /// `CANNOT`: it can never be done.
    Cannot = "CANNOT",
    /// `CLIENTBUG`: the server thinks that the client errs.
    ClientBug = "CLIENTBUG",
    /// `CLOSED`: what follows is about the mailbox that is being selected (RFC 7162 §3.2.11).
    Closed = "CLOSED",
    /// `COMPRESSIONACTIVE` (RFC 4978 §3).
    CompressionActive = "COMPRESSIONACTIVE",
    /// `CONTACTADMIN`: an administrator can help.
    ContactAdmin = "CONTACTADMIN",
    /// `CORRUPTION`: the server has found damage.
    Corruption = "CORRUPTION",
    /// `EXPIRED`: the credentials are out of date.
    Expired = "EXPIRED",
    /// `EXPUNGEISSUED`: messages are gone.
    ExpungeIssued = "EXPUNGEISSUED",
    /// `HASCHILDREN`: a mailbox with children cannot be deleted.
    HasChildren = "HASCHILDREN",
    /// `INUSE`: try again later.
    InUse = "INUSE",
    /// `LIMIT`: more than the server allows.
    Limit = "LIMIT",
    /// `NOMODSEQ`: the mailbox has no modification sequences (RFC 7162 §3.1.2.2).
    NoModSeq = "NOMODSEQ",
    /// `NONEXISTENT`: there is no such mailbox.
    NonExistent = "NONEXISTENT",
    /// `NOPERM`: not allowed.
    NoPerm = "NOPERM",
    /// `NOTIFICATIONOVERFLOW` (RFC 5465 §5.8).
    NotificationOverflow = "NOTIFICATIONOVERFLOW",
    /// `NOTSAVED`: the result of the search could not be saved.
    NotSaved = "NOTSAVED",
    /// `OVERQUOTA`: a quota is or would be exceeded.
    OverQuota = "OVERQUOTA",
    /// `PARSE`: a message that the server could not read.
    Parse = "PARSE",
    /// `PRIVACYREQUIRED`: not without TLS.
    PrivacyRequired = "PRIVACYREQUIRED",
    /// `READ-ONLY`: the mailbox is selected for reading.
    ReadOnly = "READ-ONLY",
    /// `READ-WRITE`: the mailbox is selected for writing.
    ReadWrite = "READ-WRITE",
    /// `SERVERBUG`: the server errs and knows it.
    ServerBug = "SERVERBUG",
    /// `TOOBIG`: the message is larger than the server takes (RFC 4469 §4.2).
    TooBig = "TOOBIG",
    /// `TRYCREATE`: create the mailbox and try again.
    TryCreate = "TRYCREATE",
    /// `UIDNOTSTICKY`: the mailbox has no persistent UIDs.
    UidNotSticky = "UIDNOTSTICKY",
    /// `UIDREQUIRED`: message numbers are off (RFC 9586 §3.2).
    UidRequired = "UIDREQUIRED",
    /// `UNAVAILABLE`: a part of the server is down.
    Unavailable = "UNAVAILABLE",
    /// `UNKNOWN-CTE`: the transfer encoding of the part cannot be decoded.
    UnknownCte = "UNKNOWN-CTE",
    /// `USEATTR`: the special use of CREATE was refused (RFC 6154 §3).
    UseAttr = "USEATTR",
}

impl fmt::Debug for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.name().escape_ascii())?;
        match self {
            Self::BadCharset(args) | Self::MailboxId(args) | Self::Referral(args) => {
                write!(f, " {}", args.escape_ascii())?
            }
            Self::BadUrl(url) => write!(f, " {url:?}")?,
            Self::Capability(list) => write!(f, " {list:?}")?,
            Self::PermanentFlags(flags) => write!(f, " {flags:?}")?,
            Self::UidNext(n) | Self::UidValidity(n) | Self::Unseen(n) => write!(f, " {n}")?,
            Self::AppendUid { validity, uids } => write!(f, " {validity} {uids:?}")?,
            Self::CopyUid { validity, from, to } => write!(f, " {validity} {from:?} {to:?}")?,
            Self::HighestModSeq(n) => write!(f, " {n}")?,
            Self::Modified(set) => write!(f, " {set:?}")?,
            Self::Other { args, .. } => write!(f, " {}", args.escape_ascii())?,
            Self::Malformed { args, .. } => write!(f, " ?{}", args.escape_ascii())?,
            _ => {}
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_fits_an_event() {
        assert!(core::mem::size_of::<Code<'_>>() <= 40);
        assert!(core::mem::size_of::<Option<super::super::status::Status<'_>>>() <= 64);
    }

    #[test]
    fn words_read_back() {
        for name in ["ALERT", "READ-WRITE", "unknown-cte", "UseAttr"] {
            let code = Code::word(name.as_bytes()).unwrap();
            assert!(code.name().eq_ignore_ascii_case(name.as_bytes()));
        }
        assert_eq!(Code::word(b"ALERTS"), None);
    }
}
