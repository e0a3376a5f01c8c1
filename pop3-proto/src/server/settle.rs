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
    Ok(&'static str),
    Refuse(Refusal),
    Stat,
    Scan(MessageNumber),
    UniqueId(MessageNumber),
    /// The listing of LIST or UIDL; `None` before its first line, then the place from where to go on.
    Listing {
        ids: bool,
        from: Option<usize>,
    },
    Capabilities,
    Mechanisms,
    Languages,
    Quit,
}

impl Server {
    /// Writes what is due. `false`: the output is full and there is more.
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
            Refusal::TooMany => {
                let most = self.limits.early_commands.into();
                self.ending = Some(Ending::Failed(Violation::Limit("commands before log-in", most)));
            }
            // To ask for what is not there, and to cancel, is no fault.
            Refusal::NoSuchMessage | Refusal::Cancelled => {}
            _ => self.count_bad(Rule::Keyword),
        }
    }

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

    fn put_capabilities(&self, output: &mut Output) {
        output.put(Class::Public, b"+OK\r\n");
        for (capability, line) in self.offer.capabilities.iter().zip(self.offer.capabilities.raw()) {
            match capability {
                Capability::Stls if !self.may_start_tls() => {}
                Capability::User if self.needs_tls(true) => {}
                Capability::Sasl(mechanisms) if !self.secure => {
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

    fn put_mechanisms(&self, output: &mut Output) {
        output.put(Class::Public, b"+OK\r\n");
        let mechanisms = self.offer.capabilities.mechanisms();
        for mechanism in mechanisms.iter().filter(|mechanism| !self.needs_tls(mechanism.is_plaintext())) {
            put_line(mechanism.name().as_bytes(), output);
        }
        output.put(Class::Public, b".\r\n");
    }

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

fn put_pair(a: u64, b: u64, output: &mut Output) {
    output.put_decimal(a);
    output.put(Class::Public, b" ");
    output.put_decimal(b);
    output.put(Class::Public, b"\r\n");
}
