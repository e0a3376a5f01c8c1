//! `* n FETCH (...)` (RFC 9051 §7.5.2).

use super::answer::UNFIT;
use super::body_writer::{self, BodyTree};
use super::envelope_writer::{self, EnvelopeFields};
use super::event::BodyGrant;
use super::reply::put;
use super::section_scan::SectionScan;
use super::write::{Response, flags, literal};
use super::{Open, Server};
use crate::encode;
use crate::types::{Atom, BodyStructure, DateTime, Envelope, FetchAtt, Flags, Raw};
use alloc::string::ToString as _;
use mail_wire::{Class, Misuse, Output};
use memchr::memchr;

/// Writes one FETCH response, attribute by attribute. It is closed when it is dropped.
#[derive(Debug)]
#[must_use = "it is closed when it is dropped"]
pub struct FetchWriter<'s> {
    server: &'s mut Server,
    output: &'s mut Output,
    message: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is written: a response without attributes is none.
    New,
    Begun,
    /// The literal closes it, or the application does.
    Left,
}

impl<'s> FetchWriter<'s> {
    pub(crate) fn new(server: &'s mut Server, output: &'s mut Output, message: u32) -> Self {
        Self { server, output, message, state: State::New }
    }

    /// Behind a literal.
    pub(crate) fn again(server: &'s mut Server, output: &'s mut Output) -> Self {
        Self { server, output, message: 0, state: State::Begun }
    }

    fn item(&mut self, name: &str) {
        if self.state == State::New {
            put(self.output, "* ");
            self.output.put_decimal(self.message.into());
            put(self.output, " FETCH (");
        } else {
            put(self.output, " ");
        }
        self.state = State::Begun;
        put(self.output, name);
    }

    /// `UID`.
    pub fn uid(mut self, uid: u32) -> Self {
        self.item("UID ");
        self.output.put_decimal(uid.into());
        self
    }

    /// `FLAGS`.
    pub fn flags(mut self, list: Flags<'_>) -> Self {
        self.item("FLAGS ");
        flags(list, self.output);
        self
    }

    /// `INTERNALDATE`.
    pub fn internal_date(mut self, date: DateTime) -> Self {
        self.item("INTERNALDATE \"");
        put(self.output, &date.to_string());
        put(self.output, "\"");
        self
    }

    /// `RFC822.SIZE`: the octets of the message.
    pub fn size(mut self, octets: u64) -> Self {
        self.item("RFC822.SIZE ");
        self.output.put_decimal(octets);
        self
    }

    /// `MODSEQ` (RFC 7162 §3.1.4.2).
    pub fn mod_seq(mut self, sequence: u64) -> Self {
        self.item("MODSEQ (");
        self.output.put_decimal(sequence);
        put(self.output, ")");
        self
    }

    /// Any other attribute by its name: what an extension adds and this crate has no type for, such as PREVIEW or EMAILID.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] without a value.
    pub fn other(mut self, name: Atom<'_>, value: Raw<'_>) -> Result<Self, Misuse> {
        if value.is_empty() {
            return Err(Misuse::Invalid("an attribute without a value"));
        }
        self.item(name.as_str());
        put(self.output, " ");
        encode::raw(&mut Response(self.output, self.server.is_utf8()), value);
        Ok(self)
    }

    /// `ENVELOPE`, from the fields of a store.
    pub fn envelope(mut self, envelope: &EnvelopeFields<'_>) -> Self {
        self.item("ENVELOPE ");
        envelope_writer::put(envelope, self.server.is_utf8(), self.output);
        self
    }

    /// `ENVELOPE` as another server has told it, copied as it stands, with what the repairs of that connection let through.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] if it could not be read to its end.
    pub fn envelope_from(mut self, envelope: Envelope<'_>) -> Result<Self, Misuse> {
        if envelope.raw().is_empty() {
            return Err(Misuse::Invalid("envelope"));
        }
        self.item("ENVELOPE ");
        self.output.put(Class::Public, envelope.raw());
        Ok(self)
    }

    /// `BODYSTRUCTURE` as another server has told it, or `BODY` if that was asked for, copied as it stands.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] if it could not be read to its end.
    pub fn body_structure_from(mut self, body: BodyStructure<'_>, extended: bool) -> Result<Self, Misuse> {
        if body.raw().is_empty() {
            return Err(Misuse::Invalid("body structure"));
        }
        self.item(if extended { "BODYSTRUCTURE " } else { "BODY " });
        self.output.put(Class::Public, body.raw());
        Ok(self)
    }

    /// `BODYSTRUCTURE` if `extended`, otherwise `BODY` without extension data.
    pub fn body_structure(mut self, tree: BodyTree<'_>, extended: bool) -> Self {
        self.item(if extended { "BODYSTRUCTURE " } else { "BODY " });
        body_writer::put(tree, extended, self.server.is_utf8(), self.output);
        self
    }

    /// `BINARY.SIZE`.
    pub fn binary_size(mut self, part: crate::types::Part<'_>, octets: u64) -> Self {
        self.item("BINARY.SIZE[");
        put(self.output, part.as_str());
        put(self.output, "] ");
        self.output.put_decimal(octets);
        self
    }

    /// The name of the attribute as a response says it: PEEK is gone, of a window only its origin is left (§7.5.2).
    fn section(&mut self, att: FetchAtt<'_>) {
        let (name, partial) = match att {
            FetchAtt::Section { section, partial, .. } => {
                self.item("BODY");
                encode::section(section, &mut Response(self.output, self.server.is_utf8()));
                ("", partial)
            }
            FetchAtt::Binary { part, partial, .. } => {
                self.item("BINARY[");
                put(self.output, part.as_str());
                ("]", partial)
            }
            _ => {
                self.item(att.name());
                ("", None)
            }
        };
        put(self.output, name);
        if let Some(partial) = partial {
            put(self.output, "<");
            self.output.put_decimal(partial.offset);
            put(self.output, ">");
        }
        put(self.output, " ");
    }

    /// A section of the message whose octets are at hand, copied at once. What holds a NUL goes out as a literal8, which only
    /// BINARY may be.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] for an attribute that is no section, or octets that may not stand there ([`Server::body`] tells which).
    /// Nothing was written of it.
    pub fn text(mut self, att: FetchAtt<'_>, octets: &[u8]) -> Result<Self, Misuse> {
        if !is_section(att) {
            return Err(Misuse::Invalid("section"));
        }
        let policy = self.server.policy.body_eol;
        if SectionScan::of(att).is_some_and(|mut scan| !scan.takes(octets, true, policy)) {
            return Err(Misuse::Invalid(UNFIT));
        }
        let nul = memchr(0, octets).is_some();
        self.section(att);
        if nul {
            put(self.output, "~");
        }
        literal(octets, Class::Body, self.output);
        Ok(self)
    }

    /// A section that the message does not have: NIL.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] for an attribute that is no section.
    pub fn nil(mut self, att: FetchAtt<'_>) -> Result<Self, Misuse> {
        if !is_section(att) {
            return Err(Misuse::Invalid("section"));
        }
        self.section(att);
        put(self.output, "NIL");
        Ok(self)
    }

    /// A section that is streamed: `octets` of it, to be sent by [`Server::body`]. With the last of them the response is closed.
    /// BINARY goes out as a literal8.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] for an attribute that is no section; the response is then closed.
    pub fn body(self, att: FetchAtt<'_>, octets: u64) -> Result<BodyGrant, Misuse> {
        self.begin(att, octets, false)
    }

    /// The same; behind the octets [`Server::fetch_on`] goes on with the response.
    ///
    /// # Errors
    /// As [`FetchWriter::body`].
    pub fn body_and_more(self, att: FetchAtt<'_>, octets: u64) -> Result<BodyGrant, Misuse> {
        self.begin(att, octets, true)
    }

    fn begin(mut self, att: FetchAtt<'_>, octets: u64, more: bool) -> Result<BodyGrant, Misuse> {
        if !is_section(att) {
            return Err(Misuse::Invalid("section"));
        }
        self.section(att);
        put(self.output, if matches!(att, FetchAtt::Binary { .. }) { "~{" } else { "{" });
        self.output.put_decimal(octets);
        put(self.output, "}\r\n");
        if octets > 0 || more {
            self.state = State::Left;
            self.server.open = Some(Open { left: octets, scan: SectionScan::of(att), more });
        }
        Ok(BodyGrant { stamp: self.server.grants.issue(), left: octets })
    }

    /// Closes the response. Without an attribute nothing is written at all.
    pub fn end(self) {}
}

const fn is_section(att: FetchAtt<'_>) -> bool {
    matches!(
        att,
        FetchAtt::Section { .. }
            | FetchAtt::Binary { .. }
            | FetchAtt::Rfc822
            | FetchAtt::Rfc822Header
            | FetchAtt::Rfc822Text
    )
}

impl Drop for FetchWriter<'_> {
    fn drop(&mut self) {
        if self.state == State::Begun {
            put(self.output, ")\r\n");
        }
    }
}
