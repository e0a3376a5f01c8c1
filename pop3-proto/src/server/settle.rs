//! What the machine answers by itself. It is written at the frame that follows the event.

use super::Server;
use super::event::Refusal;
use super::machine::Ending;
use super::table::Phase;
use crate::error::{Rule, Violation};
use crate::ext::capa::{Capability, put_line};
use crate::policy::Tls;
use crate::reply::Reply;
use crate::types::{Code, MessageNumber, ReplyText};
use mail_wire::{Class, Output};

/// An answer that the machine writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// A positive reply with a text of this crate.
    Ok(&'static str),
    /// A negative one; which text and code, and whether it is counted, hangs on why.
    Refuse(Refusal),
    /// The drop listing: how many messages and octets there are that are not marked (RFC 1939 §5).
    Stat,
    /// The scan listing of one message, known to be there.
    Scan(MessageNumber),
    /// The unique-id listing of one message, known to be there.
    UniqueId(MessageNumber),
    /// The listing of LIST or UIDL; `None` before its first line, then the place from where to go on.
    Listing {
        ids: bool,
        from: Option<usize>,
    },
    /// What CAPA tells: it hangs on the state of the connection, so it is put together anew each time (RFC 2449 §5).
    Capabilities,
    /// The mechanisms that AUTH would take now.
    Mechanisms,
    /// The language listings of a bare LANG (RFC 6856 §3.2).
    Languages,
    /// The answer to QUIT before a log-in: the last one, and no UPDATE comes of it (RFC 1939 §6).
    Quit,
}

impl Server {
    /// Writes what is due. `false`: the output is full and there is more.
    /// An answer comes after its event, so that a tap sees them in this order; one of any length waits for the client to read.
    pub(crate) fn settle(&mut self, output: &mut Output) -> bool {
        match core::mem::replace(&mut self.due, Due::Nothing) {
            Due::Nothing => {}
            Due::Ok(text) => self.put(&Reply::ok(ReplyText::known(text)), output),
            Due::Refuse(why) => self.put_refusal(why, output),
            Due::Stat => {
                let (count, octets) = self.maildrop().map_or((0, 0), |drop| (drop.count(), drop.octets()));
                output.put(Class::Public, b"+OK ");
                put_pair(count.into(), octets, output);
            }
            Due::Scan(message) => {
                output.put(Class::Public, b"+OK ");
                self.put_entry(message, false, output);
            }
            Due::UniqueId(message) => {
                output.put(Class::Public, b"+OK ");
                self.put_entry(message, true, output);
            }
            Due::Listing { ids, from } => return self.put_listing(ids, from, output),
            Due::Capabilities => self.put_capabilities(output),
            Due::Mechanisms => self.put_mechanisms(output),
            Due::Languages => self.put_languages(output),
            Due::Quit => {
                self.put(&Reply::ok(ReplyText::known("bye")), output);
                self.ending = Some(Ending::Closed);
            }
        }
        true
    }

    /// One place for all that the machine refuses: the words, the code where there is one, and the price. A client that asks for what its
    /// state rules out is charged, since it may go on like that for ever; one that asks for a message that is gone is not.
    fn put_refusal(&mut self, why: Refusal, output: &mut Output) {
        let (text, code) = match why {
            Refusal::State => ("not in this state", None),
            Refusal::UserFirst => ("USER first", None),
            Refusal::NotOffered => ("not offered", None),
            Refusal::TlsFirst => ("TLS first", None),
            Refusal::NoSuchMessage => ("no such message", None),
            Refusal::TooLong => ("line too long", None),
            Refusal::TooMany => ("too many commands", None),
            Refusal::NotBase64 => ("not base64", None),
            Refusal::Cancelled => ("cancelled", None),
            Refusal::NotUtf8 => ("not UTF-8", Some(Code::Auth)),
        };
        self.put(&Reply { code, ..Reply::err(ReplyText::known(text)) }, output);
        match why {
            // The refusal goes out, and then the connection ends.
            Refusal::TooMany => {
                let most = self.limits.early_commands.into();
                self.ending = Some(Ending::Failed(Violation::Limit("commands before log-in", most)));
            }
            // To ask for what is not there, and to cancel, is no fault.
            Refusal::NoSuchMessage | Refusal::Cancelled => {}
            _ => self.count_bad(Rule::Keyword),
        }
    }

    /// One line of a listing: the message, and its size or unique-id.
    fn put_entry(&self, message: MessageNumber, ids: bool, output: &mut Output) {
        let Some(drop) = self.maildrop() else { return };
        if !ids {
            return put_pair(message.get().into(), drop.size(message).unwrap_or(0), output);
        }
        output.put_decimal(message.get().into());
        output.put(Class::Public, b" ");
        output.put(Class::Public, drop.unique_id(message).map_or(&[][..], |id| id.octets()));
        output.put(Class::Public, b"\r\n");
    }

    /// As many entries as there is room for; a dot at the start of a line cannot be (RFC 1939 §5 and §7).
    fn put_listing(&mut self, ids: bool, from: Option<usize>, output: &mut Output) -> bool {
        if from.is_none() {
            output.put(Class::Public, b"+OK\r\n");
        }
        let mut at = from.unwrap_or(0);
        // Marked messages are left out, and the others keep their numbers (RFC 1939 §5).
        while let Some(message) = self.maildrop().and_then(|drop| drop.next_live(at)) {
            if output.is_full() {
                self.due = Due::Listing { ids, from: Some(at) };
                return false;
            }
            self.put_entry(message, ids, output);
            at = message.index().saturating_add(1);
        }
        output.put(Class::Public, b".\r\n");
        true
    }

    /// What rules a line out is what would refuse its command: who sees STLS may give it, and no mechanism is named that would be refused
    /// for want of TLS (RFC 2595 §4, RFC 5034 §4).
    fn put_capabilities(&self, output: &mut Output) {
        output.put(Class::Public, b"+OK\r\n");
        for (capability, line) in self.offer.capabilities.iter().zip(self.offer.capabilities.raw()) {
            match capability {
                // Under TLS and behind a log-in it is refused, so it is not there (RFC 2595 §4).
                Capability::Stls if !self.may_start_tls() => {}
                // A password is not asked for where none would be taken (RFC 5034 §4).
                Capability::User if self.needs_tls(true) => {}
                Capability::Sasl(mechanisms) => {
                    // A line without mechanisms would say that AUTH is there and can do nothing (RFC 5034 §3): it is left out.
                    let mut named = false;
                    for mechanism in
                        mechanisms.iter().filter(|mechanism| !self.needs_tls(mechanism.is_plaintext()))
                    {
                        output.put(Class::Public, if named { b" " } else { b"SASL " });
                        output.put(Class::Public, mechanism.name().as_bytes());
                        named = true;
                    }
                    if named {
                        output.put(Class::Public, b"\r\n");
                    }
                }
                _ => put_line(line, output),
            }
        }
        output.put(Class::Public, b".\r\n");
    }

    /// The answer to AUTH without an argument: no RFC has it, and clients that are older than CAPA use it.
    fn put_mechanisms(&self, output: &mut Output) {
        output.put(Class::Public, b"+OK\r\n");
        let mechanisms = self.offer.capabilities.mechanisms();
        for mechanism in mechanisms.iter().filter(|mechanism| !self.needs_tls(mechanism.is_plaintext())) {
            put_line(mechanism.name().as_bytes(), output);
        }
        output.put(Class::Public, b".\r\n");
    }

    /// A tag, and behind a blank the name of the language in itself, which may be missing (RFC 6856 §3.2). Tags never begin with a dot.
    fn put_languages(&self, output: &mut Output) {
        output.put(Class::Public, b"+OK\r\n");
        for language in &self.offer.languages {
            output.put(Class::Public, language.tag().as_bytes());
            if !language.description().is_empty() {
                output.put(Class::Public, b" ");
                output.put(Class::Public, language.description().as_bytes());
            }
            output.put(Class::Public, b"\r\n");
        }
        output.put(Class::Public, b".\r\n");
    }

    /// Whether STLS may be given now (RFC 2595 §4, RFC 6856 §2.1).
    pub(crate) fn may_start_tls(&self) -> bool {
        !self.secure
            && !self.utf8
            && self.phase == Phase::Authorization
            && self.policy.tls != Tls::Off
            && self.offer.capabilities.has("STLS")
    }
}

/// Two numbers and the line end: what STAT says, and a line of LIST.
fn put_pair(a: u64, b: u64, output: &mut Output) {
    output.put_decimal(a);
    output.put(Class::Public, b" ");
    output.put_decimal(b);
    output.put(Class::Public, b"\r\n");
}
