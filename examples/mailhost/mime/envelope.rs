//! ENVELOPE (RFC 9051 §7.5.2).

use super::{first, string};
use mail_session::proto::imap::server::{AddressFields, EnvelopeFields};
use mailparse::{MailAddr, SingleInfo, addrparse};

/// The fields of a header that make an envelope.
#[derive(Debug, Default)]
pub struct Envelope {
    date: Option<Vec<u8>>,
    subject: Option<Vec<u8>>,
    in_reply_to: Option<Vec<u8>>,
    message_id: Option<Vec<u8>>,
    /// From, Sender, Reply-To, To, Cc, Bcc.
    lists: [Vec<Address>; 6],
}

/// An address, or the start or end of a group.
#[derive(Debug, Default)]
struct Address {
    name: Option<String>,
    mailbox: Option<String>,
    host: Option<String>,
}

/// The addresses as the writer takes them.
pub(crate) struct Lists<'a>([Vec<AddressFields<'a>>; 6]);

impl Envelope {
    /// From the header of a message.
    pub fn of(header: &[u8]) -> Self {
        Self {
            date: first(header, "Date"),
            subject: first(header, "Subject"),
            in_reply_to: first(header, "In-Reply-To"),
            message_id: first(header, "Message-ID"),
            lists: ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"].map(|name| {
                let value = first(header, name).unwrap_or_default();
                addresses(&String::from_utf8_lossy(&value))
            }),
        }
    }

    /// Lends itself to the writer of a FETCH response.
    pub fn with<T>(&self, write: impl FnOnce(&EnvelopeFields<'_>) -> T) -> T {
        let lists = self.lists();
        write(&self.fields(&lists))
    }

    pub(crate) fn lists(&self) -> Lists<'_> {
        Lists(self.lists.each_ref().map(|list| list.iter().map(Address::fields).collect()))
    }

    pub(crate) fn fields<'a>(&'a self, lists: &'a Lists<'_>) -> EnvelopeFields<'a> {
        let [from, sender, reply_to, to, cc, bcc] = lists.0.each_ref().map(Vec::as_slice);
        let field = |value: &'a Option<Vec<u8>>| value.as_deref().map(string);
        EnvelopeFields {
            date: field(&self.date),
            subject: field(&self.subject),
            from,
            sender,
            reply_to,
            to,
            cc,
            bcc,
            in_reply_to: field(&self.in_reply_to),
            message_id: field(&self.message_id),
        }
    }
}

impl Address {
    fn single(single: SingleInfo) -> Self {
        let (mailbox, host) = match single.addr.rsplit_once('@') {
            Some((mailbox, host)) => (mailbox.into(), host.into()),
            None => (single.addr, String::new()),
        };
        Self { name: single.display_name, mailbox: Some(mailbox), host: Some(host) }
    }

    fn fields(&self) -> AddressFields<'_> {
        let [name, mailbox, host] = [&self.name, &self.mailbox, &self.host]
            .map(|part| part.as_ref().map(|part| string(part.as_bytes())));
        AddressFields { name, route: None, mailbox, host }
    }
}

/// The addresses of a field; none where it cannot be read.
fn addresses(value: &str) -> Vec<Address> {
    let mut all = Vec::new();
    for address in addrparse(value).map_or_else(|_| Vec::new(), |list| list.into_inner()) {
        match address {
            MailAddr::Single(single) => all.push(Address::single(single)),
            MailAddr::Group(group) => {
                // A group is its name, its addresses and an end.
                all.push(Address { mailbox: Some(group.group_name), ..Address::default() });
                all.extend(group.addrs.into_iter().map(Address::single));
                all.push(Address::default());
            }
        }
    }
    all
}
