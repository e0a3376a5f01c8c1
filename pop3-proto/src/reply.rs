//! Replies: what a server sends, and how a client reads it.

use crate::error::{Malformed, Rule};
use crate::ext::capa::Capability;
use crate::kept::{Kept, OwnedItem};
use crate::types::{Code, LanguageTag, Mechanism, MessageNumber, ReplyText, UniqueId};
use core::fmt;
use mail_wire::{Owned, Span, View, Viewed};

/// The status indicator (RFC 1939 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// `+OK`
    Ok,
    /// `-ERR`
    Err,
}

/// A reply as a server builds it: one line of at most 512 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The status indicator.
    pub status: Status,
    /// An extended response code. A server that has not announced RESP-CODES leaves it out (RFC 2449 §6.4).
    pub code: Option<Code<'a>>,
    /// The text for people.
    pub text: ReplyText<'a>,
}

impl<'a> Reply<'a> {
    /// A positive reply.
    #[must_use]
    pub const fn ok(text: ReplyText<'a>) -> Self {
        Self { status: Status::Ok, code: None, text }
    }

    /// A negative reply.
    #[must_use]
    pub const fn err(text: ReplyText<'a>) -> Self {
        Self { status: Status::Err, code: None, text }
    }

    /// The same with an extended response code.
    #[must_use]
    pub const fn with(self, code: Code<'a>) -> Self {
        Self { code: Some(code), ..self }
    }
}

/// The first line of an answer as a client reads it; of a single-line answer, all of it.
#[derive(Clone, Copy)]
pub struct StatusLine<'i> {
    view: View<'i>,
    head: Head,
}

/// What a status line holds besides its octets.
#[derive(Clone, Copy)]
pub struct Head {
    pub(crate) status: Status,
    pub(crate) text: Span,
    pub(crate) codes: bool,
    pub(crate) data: DataHead,
}

/// What the text says, as positions.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum DataHead {
    None,
    Stat { messages: u32, octets: Option<u64> },
    Scan { message: MessageNumber, octets: u64 },
    UniqueId { message: MessageNumber, id: Span },
    Language(Span),
    Malformed { at: usize, rule: Rule },
}

/// What the first line of an answer says besides its text, by the command that it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Data<'i> {
    /// Nothing: the text is for people (RFC 1939 §9).
    None,
    /// The drop listing that answers STAT (RFC 1939 §5).
    Stat {
        /// How many messages.
        messages: u32,
        /// Their octets; `None` where the server gave no number that can be.
        octets: Option<u64>,
    },
    /// The scan listing that answers LIST n.
    Scan {
        /// Which message.
        message: MessageNumber,
        /// Its octets as the server tells them. Servers are often wrong.
        octets: u64,
    },
    /// The unique-id listing that answers UIDL n.
    UniqueId {
        /// Which message.
        message: MessageNumber,
        /// Its unique-id.
        id: UniqueId<'i>,
    },
    /// The language that the server speaks from now on (RFC 6856 §3.2).
    Language(LanguageTag<'i>),
    /// The answer is positive, and what it should say cannot be read.
    Malformed(Malformed<'i>),
}

impl<'i> StatusLine<'i> {
    pub(crate) fn new(view: View<'i>, head: Head) -> Self {
        Self { view, head }
    }

    /// The status indicator.
    #[must_use]
    pub fn status(self) -> Status {
        self.head.status
    }

    /// Whether it is positive.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self.head.status == Status::Ok
    }

    /// The line without its line end, as it was received.
    #[must_use]
    pub fn line(self) -> &'i [u8] {
        self.view.octets()
    }

    /// The text behind the status indicator and its blank. An extended response code that the server may send is not part of it.
    #[must_use]
    pub fn text(self) -> &'i [u8] {
        let text = self.view.get(self.head.text);
        if self.head.codes { Code::split(text).map_or(text, |(_, rest)| rest) } else { text }
    }

    /// The extended response code, where the server has announced RESP-CODES (RFC 2449 §6.4).
    #[must_use]
    pub fn code(self) -> Option<Code<'i>> {
        if self.head.codes { self.unannounced_code() } else { None }
    }

    /// What would be the extended response code, announced or not: a hint, for text may begin so too.
    #[must_use]
    pub fn unannounced_code(self) -> Option<Code<'i>> {
        Code::split(self.view.get(self.head.text)).map(|(code, _)| code)
    }

    /// What it says, by the command that it answers.
    #[must_use]
    pub fn data(self) -> Data<'i> {
        match self.head.data {
            DataHead::None => Data::None,
            DataHead::Stat { messages, octets } => Data::Stat { messages, octets },
            DataHead::Scan { message, octets } => Data::Scan { message, octets },
            DataHead::UniqueId { message, id } => match UniqueId::of_any_length(self.view.get(id)) {
                Ok(id) => Data::UniqueId { message, id },
                Err(_) => Data::None,
            },
            DataHead::Language(tag) => {
                LanguageTag::try_from(self.view.get(tag)).map_or(Data::None, Data::Language)
            }
            DataHead::Malformed { at, rule } => Data::Malformed(Malformed { raw: self.line(), at, rule }),
        }
    }

    /// A copy that owns its octets.
    #[must_use]
    pub fn into_owned(self) -> Owned<StatusLine<'static>> {
        Owned::new(self)
    }
}

impl Viewed for StatusLine<'static> {
    type Of<'i> = StatusLine<'i>;
    type Head = Head;

    fn split<'i>(value: Self::Of<'i>) -> (View<'i>, Head) {
        (value.view, value.head)
    }

    fn join<'i>(view: View<'i>, head: Head) -> StatusLine<'i> {
        StatusLine { view, head }
    }
}

impl fmt::Debug for StatusLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = alloc::string::String::from_utf8_lossy(self.text());
        f.debug_struct("StatusLine")
            .field("status", &self.status())
            .field("code", &self.code())
            .field("text", &text)
            .field("data", &self.data())
            .finish()
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status.fmt(f)
    }
}

/// One line of a multi-line answer other than a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item<'i> {
    /// A scan listing, of LIST. What may follow the size is left out (RFC 1939 §5).
    Scan {
        /// Which message.
        message: MessageNumber,
        /// Its octets as the server tells them.
        octets: u64,
    },
    /// A unique-id listing, of UIDL.
    UniqueId {
        /// Which message.
        message: MessageNumber,
        /// Its unique-id.
        id: UniqueId<'i>,
    },
    /// A capability, of CAPA.
    Capability(Capability<'i>),
    /// A mechanism, of AUTH without an argument.
    Mechanism(Mechanism<'i>),
    /// A language, of LANG without an argument (RFC 6856 §3.2).
    Language {
        /// Its tag.
        tag: LanguageTag<'i>,
        /// Its name in the language itself, as a rule UTF-8; may be empty.
        description: &'i [u8],
    },
    /// A line of an answer of which nothing more is known, without its stuffing.
    Line(&'i [u8]),
}

impl Item<'_> {
    /// Copies the line, to be kept after the input has gone on. Many are kept at less cost by
    /// [`Items::into_owned`](crate::client::Items::into_owned).
    #[must_use]
    pub fn into_owned(self) -> OwnedItem {
        Kept::new(self)
    }
}
