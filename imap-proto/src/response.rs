//! What a server says, as a client reads it.

use crate::types::{
    Capabilities, Condition, ESearch, Flags, ListItem, MailboxStatus, Namespaces, Numbers, SequenceSet,
    ServerId, Status, Threads,
};

pub use crate::types::fetch_data::{
    Content, FetchItem, FetchItems, FetchPart, LiteralHead, MalformedItem, Target,
};

/// An untagged response, but FETCH, whose pieces are [`FetchPart`]s.
///
/// It can come at any time, and need not have to do with the command in flight (RFC 9051 §7).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Untagged<'i> {
    /// OK, NO, BAD or BYE without a tag.
    Status(Status<'i>),
    /// `CAPABILITY`: what the server can do, from now on.
    Capability(Capabilities<'i>),
    /// `ENABLED`: what ENABLE has switched on (RFC 9051 §7.2.1).
    Enabled(Capabilities<'i>),
    /// `LIST`, and `XLIST`, which some servers had for special mailboxes before LIST told them (RFC 6154).
    List(ListItem<'i>),
    /// `LSUB` (RFC 3501 §7.2.3).
    Lsub(ListItem<'i>),
    /// `STATUS`.
    MailboxStatus(MailboxStatus<'i>),
    /// `NAMESPACE`.
    Namespace(Namespaces<'i>),
    /// `FLAGS`: the flags that can be used in the mailbox.
    Flags(Flags<'i>),
    /// `EXISTS`: so many messages are in the mailbox.
    Exists(u32),
    /// `RECENT` (RFC 3501 §7.3.2).
    Recent(u32),
    /// `EXPUNGE`: this message is gone, and the numbers of all behind it are one less.
    Expunge(u32),
    /// `VANISHED`: these UIDs are gone (RFC 7162 §3.2.10).
    Vanished {
        /// They went before; numbers of messages do not move by it.
        earlier: bool,
        /// The UIDs.
        uids: SequenceSet<'i>,
    },
    /// `SEARCH`, with the highest modification sequence of what was found (RFC 7162 §3.1.6).
    Search(Numbers<'i>, Option<u64>),
    /// `SORT` (RFC 5256), with the same.
    Sort(Numbers<'i>, Option<u64>),
    /// `THREAD` (RFC 5256).
    Thread(Threads<'i>),
    /// `ESEARCH`.
    ESearch(ESearch<'i>),
    /// `ID`.
    Id(ServerId<'i>),
    /// Any other response, as it came.
    Other {
        /// The number before the name, if there is one.
        number: Option<u32>,
        /// The name.
        name: &'i [u8],
        /// What stands behind it, without the space. Literals are in it as they came.
        args: &'i [u8],
    },
}

impl Untagged<'_> {
    /// Whether it is about mailboxes or messages, which nobody may speak of before the log-in.
    pub(crate) const fn is_mailbox_data(&self) -> bool {
        !matches!(
            self,
            Self::Status(_) | Self::Capability(_) | Self::Enabled(_) | Self::Id(_) | Self::Other { .. }
        )
    }

    /// Whether it is about messages of the mailbox that is selected. An ESEARCH may be about others (RFC 7377 §2).
    pub(crate) const fn is_message_data(&self) -> bool {
        matches!(
            self,
            Self::Flags(_)
                | Self::Exists(_)
                | Self::Recent(_)
                | Self::Expunge(_)
                | Self::Vanished { .. }
                | Self::Search(..)
                | Self::Sort(..)
                | Self::Thread(_)
        )
    }

    /// Whether it is BYE.
    pub(crate) const fn is_bye(&self) -> bool {
        matches!(self, Self::Status(Status { condition: Condition::Bye, .. }))
    }
}
