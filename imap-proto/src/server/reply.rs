//! What the machine says by itself.

use super::Server;
use super::event::Refusal;
use super::table::Phase;
use crate::error::Violation;
use crate::policy::Tls;
use crate::types::astring::Form;
use crate::types::code::Code;
use crate::types::status::{Condition, Status};
use crate::types::text::ResponseText;
use mail_wire::{Class, Misuse, Output};

/// A reply that a decoded unit has caused: it is written when the next one is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    Refuse(Refusal),
    Capability,
}

/// Mechanisms that show the password, or something as good, to who listens (RFC 9051 §11.3).
const PLAIN_MECHANISMS: [&str; 4] = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];

/// Whether the mechanism must wait for TLS.
///
/// The others either prove the password without showing it, or use none.
pub(crate) fn shows_password(mechanism: &str) -> bool {
    PLAIN_MECHANISMS.iter().any(|name| name.eq_ignore_ascii_case(mechanism))
}

impl Refusal {
    /// The words of a refusal. Codes are those of RFC 5530 and, for what is too large, of RFC 7889 §4 and RFC 4469 §4.2.
    const fn status(self) -> Status<'static> {
        let (condition, code, text) = match self {
            Self::State => (Condition::Bad, None, "not in this state"),
            Self::TlsFirst => (Condition::No, Some(Code::PrivacyRequired), "not without TLS"),
            Self::NotOffered => (Condition::No, Some(Code::Cannot), "not offered"),
            Self::LiteralTooLarge => (Condition::No, Some(Code::TooBig), "literal too large"),
            Self::TooManyLiterals => (Condition::Bad, Some(Code::TooBig), "too many literals"),
            Self::LiteralForm => (Condition::Bad, None, "no such literal here"),
            Self::NotBase64 => (Condition::Bad, None, "not base64"),
            Self::Cancelled => (Condition::Bad, None, "cancelled"),
        };
        Status { condition, code, text: ResponseText::wire(text.as_bytes()) }
    }
}

impl Server {
    /// Writes what is due.
    pub(crate) fn settle(&mut self, output: &mut Output) {
        match self.due.take() {
            None => {}
            Some(Due::Refuse(why)) => self.refuse_as(why, output),
            // Told at last, when all that came before it has been answered: the state may have changed since it was asked for.
            Some(Due::Capability) => {
                put(output, "* CAPABILITY");
                self.put_capabilities(" ", output);
                put(output, "\r\n");
                self.put_tagged(&known(Condition::Ok, "CAPABILITY completed"), output);
            }
        }
    }

    /// Refuses the command in flight and counts it.
    pub(crate) fn refuse_as(&mut self, why: Refusal, output: &mut Output) {
        self.put_tagged(&why.status(), output);
        // Each of the others costs the client one of its few mistakes: who probes for commands is let go.
        // A cancelled exchange is no fault, and who is told to ask for TLS first may have to be told.
        if !matches!(why, Refusal::Cancelled | Refusal::TlsFirst) {
            self.count_bad(output);
        }
    }

    /// One more bad command; beyond the limit the session ends.
    pub(crate) fn count_bad(&mut self, output: &mut Output) {
        if self.bad.spend(1).is_err() {
            self.fail(
                Violation::BadCommands { limit: self.limits.bad_commands },
                "too many bad commands",
                output,
            );
        }
    }

    /// Ends the session with a last word. The violation is told by the next `frame`.
    pub(crate) fn fail(&mut self, violation: Violation, text: &'static str, output: &mut Output) {
        if !self.bye {
            self.bye = true;
            put_status("*", &known(Condition::Bye, text), output);
        }
        self.ending = self.ending.take().or(Some(violation));
    }

    /// The status, with the tag of the command in flight, or `*` if none was seen (RFC 9051 §7.1.3).
    pub(crate) fn put_tagged(&mut self, status: &Status<'_>, output: &mut Output) {
        // Octet for octet what the client wrote, since it finds its command by nothing else (RFC 9051 §2.2.1).
        let tag = core::str::from_utf8(&self.tag).unwrap_or("");
        put_status(if tag.is_empty() { "*" } else { tag }, status, output);
    }

    /// The capabilities that hold in this state, each behind `before`.
    pub(crate) fn put_capabilities(&self, before: &str, output: &mut Output) {
        // A list is a promise for this state and no other: a client must ask again behind STARTTLS and the log-in
        // (RFC 9051 §6.1.1, §6.2.1).
        let open = matches!(self.phase, Phase::Greeting | Phase::NotAuthenticated);
        for name in self.offer.capabilities().iter() {
            let mechanism = name.split_once('=').filter(|(key, _)| key.eq_ignore_ascii_case("AUTH"));
            let holds = match mechanism {
                _ if name.eq_ignore_ascii_case("STARTTLS") => self.offers_tls(),
                _ if name.eq_ignore_ascii_case("LOGINDISABLED") => false,
                Some((_, mechanism)) => open && !(self.hides_passwords() && shows_password(mechanism)),
                None => true,
            };
            if holds {
                put(output, before);
                put(output, name);
            }
        }
        // The machine tells it and nobody else: whether LOGIN is refused is its own decision (RFC 9051 §6.2.3).
        if open && self.hides_passwords() {
            put(output, before);
            put(output, "LOGINDISABLED");
        }
    }

    /// Whether STARTTLS is offered now: only before the log-in, and never twice (RFC 9051 §6.2.1).
    pub(crate) fn offers_tls(&self) -> bool {
        let open = matches!(self.phase, Phase::Greeting | Phase::NotAuthenticated);
        open && !self.secure && self.policy.tls != Tls::Off && self.offer.capabilities().has("STARTTLS")
    }

    /// A status with the capabilities of this state as its code.
    pub(crate) fn put_with_capabilities(&self, tag: &str, status: &Status<'_>, output: &mut Output) {
        put(output, tag);
        put(output, " ");
        put(output, status.condition.name());
        put(output, " [CAPABILITY");
        self.put_capabilities(" ", output);
        put(output, "] ");
        output.put(Class::Public, status.text.bytes());
        put(output, "\r\n");
    }
}

/// A status of the machine's own.
pub(crate) const fn known(condition: Condition, text: &'static str) -> Status<'static> {
    Status::new(condition, ResponseText::wire(text.as_bytes()))
}

/// Octets that are no secret: a machine says nothing of its own that may not stand in a log.
pub(crate) fn put(output: &mut Output, text: &str) {
    output.put(Class::Public, text.as_bytes());
}

/// Whether a status may go out: what it holds as raw octets must not end the line or the code.
pub(crate) fn check(status: &Status<'_>) -> Result<(), Misuse> {
    // A `]` would end the code for whoever looks for the first one, and what stands behind it would be text (RFC 9051 §7.1).
    let clean = |octets: &[u8]| octets.iter().all(|octet| !matches!(octet, b'\r' | b'\n' | 0 | b']'));
    let atom = |octets: &[u8]| crate::types::Atom::new(octets).is_ok();
    let fits = match status.code {
        Some(Code::BadCharset(args) | Code::MailboxId(args) | Code::Referral(args)) => clean(args),
        Some(Code::Other { name, args } | Code::Malformed { name, args }) => atom(name) && clean(args),
        // Nothing that would have to be a literal: a status has none, and who reads it takes its line for the whole.
        Some(Code::BadUrl(url)) => clean(url.raw()) && !matches!(url.form(false), Form::Literal),
        Some(Code::AppendUid { uids, .. } | Code::Modified(uids)) => uids.is_fixed(),
        Some(Code::CopyUid { from, to, .. }) => from.is_fixed() && to.is_fixed(),
        // It would be read as a code.
        None => status.text.bytes().first() != Some(&b'['),
        _ => true,
    };
    let text = status.text.bytes();
    if !fits || text.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
        return Err(Misuse::Invalid("response code or text"));
    }
    Ok(())
}

/// A whole status line. It was checked.
pub(crate) fn put_status(tag: &str, status: &Status<'_>, output: &mut Output) {
    put(output, tag);
    put(output, " ");
    put(output, status.condition.name());
    put(output, " ");
    if let Some(code) = &status.code {
        put(output, "[");
        put_code(code, output);
        put(output, "] ");
    }
    // IMAP4rev1 wants at least one octet (RFC 3501 §9, `text`), and who reads the newer grammar takes them too.
    let text = status.text.bytes();
    output.put(Class::Public, if text.is_empty() { status.condition.name().as_bytes() } else { text });
    put(output, "\r\n");
}

/// A code without its brackets. What it holds as raw octets was checked.
///
/// Numbers and sets are written in their canonical form.
fn put_code(code: &Code<'_>, output: &mut Output) {
    output.put(Class::Public, code.name());
    let argument = |output: &mut Output, octets: &[u8]| {
        if !octets.is_empty() {
            put(output, " ");
            output.put(Class::Public, octets);
        }
    };
    let number = |output: &mut Output, number: u64| {
        put(output, " ");
        output.put_decimal(number);
    };
    // What a code of the older kind left open is written as it is given, without parentheses of our own: BADCHARSET brings its own.
    match code {
        Code::BadCharset(args) | Code::Referral(args) => argument(output, args),
        // The parentheses belong to the grammar and not to the identity (RFC 8474 §4).
        Code::MailboxId(id) => {
            put(output, " (");
            output.put(Class::Public, id);
            put(output, ")");
        }
        Code::Other { args, .. } | Code::Malformed { args, .. } => argument(output, args),
        Code::BadUrl(url) => {
            put(output, " ");
            super::write::quoted(*url, output);
        }
        Code::Capability(list) => argument(output, list.octets()),
        Code::PermanentFlags(flags) => {
            put(output, " ");
            super::write::flags(*flags, output);
        }
        Code::UidNext(n) | Code::UidValidity(n) | Code::Unseen(n) => number(output, (*n).into()),
        Code::HighestModSeq(n) => number(output, *n),
        Code::AppendUid { validity, uids } => {
            number(output, (*validity).into());
            argument(output, uids.as_str().as_bytes());
        }
        Code::CopyUid { validity, from, to } => {
            number(output, (*validity).into());
            argument(output, from.as_str().as_bytes());
            argument(output, to.as_str().as_bytes());
        }
        Code::Modified(set) => argument(output, set.as_str().as_bytes()),
        _ => {}
    }
}
