//! ENVELOPE: what a server has read from the header of a message (RFC 9051 §7.5.2).

use super::text::Text;
use core::fmt;
use mail_wire::{View, Viewed};

/// Where each field stands on the tape, counted from the first of the envelope.
pub(crate) mod field {
    pub(crate) const DATE: usize = 0;
    pub(crate) const SUBJECT: usize = 1;
    pub(crate) const FROM: usize = 2;
    pub(crate) const SENDER: usize = 3;
    pub(crate) const REPLY_TO: usize = 4;
    pub(crate) const TO: usize = 5;
    pub(crate) const CC: usize = 6;
    pub(crate) const BCC: usize = 7;
    pub(crate) const IN_REPLY_TO: usize = 8;
    pub(crate) const MESSAGE_ID: usize = 9;
    /// All of it, once it has been read to its end.
    pub(crate) const WHOLE: usize = 10;
    /// Their number.
    pub(crate) const COUNT: usize = 11;
}

/// Entries of an address on the tape: name, source route, mailbox, host.
pub(crate) const ADDRESS: usize = 4;

/// The envelope of a message. `None` is NIL: the header has no such field; an empty string is one that is empty.
///
/// Strings are as the header has them: encoded words (RFC 2047) are not decoded.
#[derive(Clone, Copy)]
pub struct Envelope<'i> {
    view: View<'i>,
    at: u32,
}

impl<'i> Envelope<'i> {
    pub(crate) fn new(view: View<'i>, at: usize) -> Self {
        Self { view, at: u32::try_from(at).unwrap_or(u32::MAX) }
    }

    /// The Date field.
    #[must_use]
    pub fn date(self) -> Option<Text<'i>> {
        self.text(field::DATE)
    }

    /// The Subject field.
    #[must_use]
    pub fn subject(self) -> Option<Text<'i>> {
        self.text(field::SUBJECT)
    }

    /// The From field.
    #[must_use]
    pub fn from(self) -> Addresses<'i> {
        self.addresses(field::FROM)
    }

    /// The Sender field, or From where there is none.
    #[must_use]
    pub fn sender(self) -> Addresses<'i> {
        self.addresses(field::SENDER)
    }

    /// The Reply-To field, or From where there is none.
    #[must_use]
    pub fn reply_to(self) -> Addresses<'i> {
        self.addresses(field::REPLY_TO)
    }

    /// The To field.
    #[must_use]
    pub fn to(self) -> Addresses<'i> {
        self.addresses(field::TO)
    }

    /// The Cc field.
    #[must_use]
    pub fn cc(self) -> Addresses<'i> {
        self.addresses(field::CC)
    }

    /// The Bcc field.
    #[must_use]
    pub fn bcc(self) -> Addresses<'i> {
        self.addresses(field::BCC)
    }

    /// The In-Reply-To field.
    #[must_use]
    pub fn in_reply_to(self) -> Option<Text<'i>> {
        self.text(field::IN_REPLY_TO)
    }

    /// The Message-ID field.
    #[must_use]
    pub fn message_id(self) -> Option<Text<'i>> {
        self.text(field::MESSAGE_ID)
    }

    /// All of it as it came, for a proxy that hands it on; empty if it could not be read to its end.
    #[must_use]
    pub fn raw(self) -> &'i [u8] {
        self.view.span(self.index(field::WHOLE)).map_or(&[], |span| self.view.get(span))
    }

    fn index(self, field: usize) -> usize {
        (self.at as usize).saturating_add(field)
    }

    fn text(self, field: usize) -> Option<Text<'i>> {
        Text::at(self.view, self.index(field))
    }

    fn addresses(self, field: usize) -> Addresses<'i> {
        let (first, count) =
            self.view.span(self.index(field)).map_or((0, 0), |cell| (cell.start(), cell.len()));
        let end = first.saturating_add(count.saturating_mul(ADDRESS));
        Addresses(self.view.window(first, end))
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("date", &self.date())
            .field("subject", &self.subject())
            .field("from", &self.from())
            .field("sender", &self.sender())
            .field("reply_to", &self.reply_to())
            .field("to", &self.to())
            .field("cc", &self.cc())
            .field("bcc", &self.bcc())
            .field("in_reply_to", &self.in_reply_to())
            .field("message_id", &self.message_id())
            .finish()
    }
}

impl Viewed for Envelope<'static> {
    type Of<'i> = Envelope<'i>;
    type Head = u32;

    fn split<'i>(value: Self::Of<'i>) -> (View<'i>, u32) {
        (value.view, value.at)
    }

    fn join<'i>(view: View<'i>, at: u32) -> Self::Of<'i> {
        Envelope { view, at }
    }
}

/// A list of addresses; empty where the envelope has NIL.
#[derive(Clone, Copy)]
pub struct Addresses<'i>(View<'i>);

impl<'i> Addresses<'i> {
    /// The addresses as they stand, the marks of groups among them.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Address<'i>> + Clone + 'i {
        (0..self.len()).map(move |index| {
            let at = index.saturating_mul(ADDRESS);
            Address(self.0.window(at, at.saturating_add(ADDRESS)))
        })
    }

    /// The number of addresses, marks of groups counted.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.tape().len() / ADDRESS
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Addresses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One address, or the mark where a group begins or ends.
#[derive(Clone, Copy)]
pub struct Address<'i>(View<'i>);

/// What an entry of an address list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind<'i> {
    /// An address: `mailbox@host`.
    Mailbox,
    /// A group of this name begins: the host is NIL.
    GroupStart(Text<'i>),
    /// The group ends: mailbox and host are NIL.
    GroupEnd,
}

impl<'i> Address<'i> {
    /// The display name.
    #[must_use]
    pub fn name(self) -> Option<Text<'i>> {
        Text::at(self.0, 0)
    }

    /// The source route, which nobody uses any more.
    #[must_use]
    pub fn route(self) -> Option<Text<'i>> {
        Text::at(self.0, 1)
    }

    /// What stands before the `@`, or the name of a group.
    #[must_use]
    pub fn mailbox(self) -> Option<Text<'i>> {
        Text::at(self.0, 2)
    }

    /// What stands behind the `@`.
    #[must_use]
    pub fn host(self) -> Option<Text<'i>> {
        Text::at(self.0, 3)
    }

    /// Whether it is an address or the mark of a group.
    #[must_use]
    pub fn kind(self) -> AddressKind<'i> {
        match (self.mailbox(), self.host()) {
            (Some(name), None) => AddressKind::GroupStart(name),
            (None, None) => AddressKind::GroupEnd,
            _ => AddressKind::Mailbox,
        }
    }
}

impl fmt::Debug for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:?} {:?} {:?} {:?})", self.name(), self.route(), self.mailbox(), self.host())
    }
}
