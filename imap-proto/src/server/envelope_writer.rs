//! ENVELOPE, written from the fields of a store (RFC 9051 §7.5.2).

use super::reply;
use super::write::text;
use crate::types::AString;
use mail_wire::Output;

/// The fields of an envelope. `None` is NIL: the header has no such field; a field without content is an empty string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EnvelopeFields<'a> {
    /// The Date field, as it stands.
    pub date: Option<AString<'a>>,
    /// The Subject field.
    pub subject: Option<AString<'a>>,
    /// From.
    pub from: &'a [AddressFields<'a>],
    /// Sender; where the message has none, that of From is told (§7.5.2).
    pub sender: &'a [AddressFields<'a>],
    /// Reply-To; where the message has none, that of From is told.
    pub reply_to: &'a [AddressFields<'a>],
    /// To.
    pub to: &'a [AddressFields<'a>],
    /// Cc.
    pub cc: &'a [AddressFields<'a>],
    /// Bcc.
    pub bcc: &'a [AddressFields<'a>],
    /// The In-Reply-To field.
    pub in_reply_to: Option<AString<'a>>,
    /// The Message-ID field.
    pub message_id: Option<AString<'a>>,
}

/// An address, or the start or end of a group: a group begins without a host, its name in `mailbox`, and ends without either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressFields<'a> {
    /// The display name.
    pub name: Option<AString<'a>>,
    /// The source route, which is out of use.
    pub route: Option<AString<'a>>,
    /// The local part.
    pub mailbox: Option<AString<'a>>,
    /// The domain.
    pub host: Option<AString<'a>>,
}

pub(crate) fn put(envelope: &EnvelopeFields<'_>, utf8: bool, output: &mut Output) {
    let from = envelope.from;
    let sender = if envelope.sender.is_empty() { from } else { envelope.sender };
    let reply_to = if envelope.reply_to.is_empty() { from } else { envelope.reply_to };
    reply::put(output, "(");
    nstring(envelope.date, utf8, output);
    reply::put(output, " ");
    nstring(envelope.subject, utf8, output);
    for list in [from, sender, reply_to, envelope.to, envelope.cc, envelope.bcc] {
        addresses(list, utf8, output);
    }
    reply::put(output, " ");
    nstring(envelope.in_reply_to, utf8, output);
    reply::put(output, " ");
    nstring(envelope.message_id, utf8, output);
    reply::put(output, ")");
}

fn addresses(list: &[AddressFields<'_>], utf8: bool, output: &mut Output) {
    if list.is_empty() {
        return reply::put(output, " NIL");
    }
    reply::put(output, " (");
    for address in list {
        reply::put(output, "(");
        nstring(address.name, utf8, output);
        reply::put(output, " ");
        nstring(address.route, utf8, output);
        reply::put(output, " ");
        nstring(address.mailbox, utf8, output);
        reply::put(output, " ");
        nstring(address.host, utf8, output);
        reply::put(output, ")");
    }
    reply::put(output, ")");
}

pub(crate) fn nstring(value: Option<AString<'_>>, utf8: bool, output: &mut Output) {
    match value {
        Some(value) => text(value, utf8, output),
        None => reply::put(output, "NIL"),
    }
}
