//! FETCH: attributes one after the other, each dispatched on the length of its name, and what is done where one is malformed.
//!
//! After a malformed attribute reading goes on at the end of its balanced value, and never before the furthest octet that was
//! looked at. So each octet is read at most twice, whatever a server sends.

use super::leaf::{Cursor, Fault, Parse, form};
use super::plain::Plain;
use super::reader::Reader;
use crate::error::Rule;
use crate::policy::Repair;
use crate::types::chars::{is_astring, is_atom};
use crate::types::date_time::DateTime;
use crate::types::envelope::field;
use crate::types::fetch_data::item;
use crate::types::section::Section;
use mail_wire::{Class, Mask, Span};

impl Reader<'_, '_> {
    /// Attributes up to the `)` that closes the list, or to the end of the octets. Says whether the list was closed.
    ///
    /// # Errors
    /// Only [`Rule::Tape`]: everything else is an item.
    pub(crate) fn attributes(&mut self) -> Parse<bool> {
        // An empty list is in no grammar and says nothing: it is taken. One space stands between two attributes; more are a repair, and none at all
        // is a fault beside two attributes that are good.
        let mut spaced = true;
        loop {
            match self.cur.peek() {
                None => return Ok(false),
                Some(b')') => {
                    self.cur.bump(1);
                    return Ok(true);
                }
                Some(b' ') => {
                    if spaced && !self.tape.is_empty() || matches!(self.cur.peek_at(1), Some(b' ' | b')')) {
                        if let Err(fault) = self.repair(Repair::ExtraSpace, Rule::Space) {
                            self.note(fault);
                        }
                    }
                    self.cur.while_in(|octet| octet == b' ');
                    spaced = true;
                }
                // Two attributes that stand together are read both: only the space between them is missing.
                Some(_) => {
                    if !spaced {
                        self.note(self.cur.fault(Rule::Space));
                    }
                    // A full tape ends the list: what was written of the last attribute would be taken for a whole one.
                    let kept = self.tape.len();
                    if let Err(fault) = self.attribute_item() {
                        self.tape.truncate(kept);
                        return Err(fault);
                    }
                    spaced = false;
                }
            }
        }
    }

    /// One attribute with its head, or what is malformed in its place.
    fn attribute_item(&mut self) -> Parse<()> {
        // The small attributes are most of what a client asks for, and nearly all servers write them alike.
        let start = self.cur.at();
        if let Some(plain) = plain_item(self.cur.octets(), start) {
            self.cur.go(plain.end);
            let head = [Span::new(start, plain.end).tagged(plain.kind), Span::cell(plain.words, 0)];
            let [one, other] = plain.payload;
            let [kind, words] = head;
            return match plain.words {
                1 => self.extend(&[kind, words, one]).map(|_| ()),
                _ => self.extend(&[kind, words, one, other]).map(|_| ()),
            };
        }
        // The head is filled in when the end is known: the length of the payload is what lets a reader step over what it does not want.
        let head = self.reserve::<{ item::HEAD }>()?;
        // Whatever goes wrong inside stays inside: the attributes before it are on the tape, and those behind it will be.
        let kind = match self.attribute().and_then(|kind| self.value_end(kind)) {
            Ok(kind) => kind,
            // No attribute of this response is to blame, and none behind it could be written down.
            Err(Fault { rule: Rule::Tape, .. }) => return self.cur.fail(Rule::Tape),
            Err(fault) => {
                self.recover(start, head, fault)?;
                item::MALFORMED
            }
        };
        let words = self.tape.len().saturating_sub(head.saturating_add(item::HEAD));
        self.tape.set(head, Span::new(start, self.cur.at()).tagged(kind));
        self.tape.set(head + 1, Span::cell(u32::try_from(words).unwrap_or(u32::MAX), 0));
        Ok(())
    }

    /// A value ends at a space, at the end of the list or of the octets.
    ///
    /// Without this `UID 3x` would be UID 3 beside an attribute called x.
    fn value_end(&self, kind: u8) -> Parse<u8> {
        match self.cur.peek() {
            None | Some(b' ' | b')') => Ok(kind),
            Some(_) => self.cur.fail(Rule::Space),
        }
    }

    /// One attribute. Writes its payload and gives its kind.
    fn attribute(&mut self) -> Parse<u8> {
        // As the standard spells them, which is how nearly all come: no name is read before it is known.
        if self.cur.rest().starts_with(b"ENVELOPE (") {
            self.cur.bump(9);
            self.envelope(self.tape.len())?;
            return Ok(item::ENVELOPE);
        }
        if self.cur.rest().starts_with(b"BODYSTRUCTURE (") {
            self.cur.bump(14);
            self.body()?;
            return Ok(item::BODYSTRUCTURE);
        }
        if self.cur.rest().starts_with(b"BODY[") {
            let start = self.cur.at();
            self.cur.bump(4);
            return self.content(Span::new(start, self.cur.at()));
        }
        // `[` is an octet of atoms, and here it begins a section.
        let name = self.cur.while_in(|octet| is_atom(octet) && octet != b'[');
        let word = self.cur.get(name);
        let is = |other: &[u8]| word.eq_ignore_ascii_case(other);
        match word.len() {
            3 if is(b"UID") => {
                self.space()?;
                let uid = self.cur.nz_number()?;
                self.push_wide(u64::from(uid))?;
                Ok(item::UID)
            }
            // BODY alone is the structure, BODY[..] a text: nothing but the bracket tells them apart (RFC 9051 §7.5.2).
            4 if is(b"BODY") && self.cur.peek() != Some(b'[') => {
                self.space()?;
                self.body()?;
                Ok(item::BODY)
            }
            5 if is(b"FLAGS") => {
                self.space()?;
                let flags = self.flag_list()?;
                self.push(flags)?;
                Ok(item::FLAGS)
            }
            6 if is(b"MODSEQ") => {
                self.space()?;
                self.cur.expect(b'(', Rule::List)?;
                // Zero is what a store without sequences says, against the grammar (RFC 7162 §7, `permsg-modsequence`).
                let number = self.cur.number64()?;
                if number == 0 {
                    self.repair(Repair::ZeroModSeq, Rule::NonZero)?;
                }
                self.cur.expect(b')', Rule::List)?;
                self.push_wide(number)?;
                Ok(item::MODSEQ)
            }
            8 if is(b"ENVELOPE") => {
                self.space()?;
                self.envelope(self.tape.len())?;
                Ok(item::ENVELOPE)
            }
            11 if is(b"RFC822.SIZE") => {
                self.space()?;
                // 32 bits in IMAP4rev1 and 63 in the newer version: who reads the wider form reads both (RFC 9051 appendix D).
                let size = self.cur.number64()?;
                self.push_wide(size)?;
                Ok(item::SIZE)
            }
            12 if is(b"INTERNALDATE") => {
                self.space()?;
                let date = self.cur.quoted()?;
                let octets = self.cur.get(date);
                // The strict form first: a date that can be read two ways is read as the standard has it.
                let date = match DateTime::parse(octets) {
                    Ok(read) => read,
                    Err(_) => match DateTime::loose(octets) {
                        Ok(read) if self.repairs.take(Repair::LooseDate) => read,
                        _ => return Err(Fault::new(date.start(), Rule::Date)),
                    },
                };
                self.push_wide(date.packed())?;
                Ok(item::DATE)
            }
            13 if is(b"BODYSTRUCTURE") => {
                self.space()?;
                self.body()?;
                Ok(item::BODYSTRUCTURE)
            }
            4 if is(b"BODY") => self.content(name),
            // The names of IMAP4rev1 for what has sections now: their answers are texts of the same kind (RFC 3501 §7.4.2).
            6 if is(b"RFC822") || is(b"BINARY") => self.content(name),
            11 if is(b"RFC822.TEXT") => self.content(name),
            13 if is(b"RFC822.HEADER") => self.content(name),
            // Where no name stands something does: recovery goes behind it and keeps its octets.
            0 => self.cur.fail(Rule::Fetch),
            // An extension's attribute may come unasked, once the extension is enabled by another command (RFC 7162 §3.1).
            _ => self.other(name),
        }
    }

    /// A number of 64 bits, in two entries: an entry holds two halves of 32, and the upper bits of one of them are its tag.
    fn push_wide(&mut self, number: u64) -> Parse<()> {
        self.push(Span::cell(number as u32, 0))?;
        self.push(Span::cell((number >> 32) as u32, 0))?;
        Ok(())
    }

    /// `"(" [flag *(SP flag)] ")"`. The span is what stands between the parentheses.
    pub(crate) fn flag_list(&mut self) -> Parse<Span> {
        self.cur.expect(b'(', Rule::Flag)?;
        // Keywords are made by clients, and servers keep what they were given: an octet that no flag has spoils its flag and not the list
        // (RFC 9051 §2.3.2).
        let start = self.cur.at();
        loop {
            let flag = self.cur.at();
            if self.cur.eat(b'\\') {
                self.cur.eat(b'*');
            }
            let name = self.cur.while_in(is_atom);
            let end = self.cur.at();
            // `\` alone is written for an attribute that the server has no name for.
            let lone = name.len() == 0 && self.cur.since(flag) == b"\\";
            match self.cur.peek() {
                Some(b')' | b' ') if !lone => {}
                Some(b'(') | None => return self.cur.fail(Rule::Flag),
                Some(_) => {
                    self.repair(Repair::OddFlag, Rule::Flag)?;
                    self.cur.while_in(|octet| !matches!(octet, b' ' | b')' | b'('));
                }
            }
            // A space before the parenthesis ends a list that has no further flag.
            if self.cur.peek() == Some(b')') {
                if end == flag && flag > start {
                    self.repair(Repair::ExtraSpace, Rule::Space)?;
                }
                let span = Span::new(start, self.cur.at());
                self.cur.bump(1);
                return Ok(span);
            }
            if self.cur.at() == flag {
                self.repair(Repair::ExtraSpace, Rule::Space)?;
            }
            self.cur.expect(b' ', Rule::Flag)?;
        }
    }

    /// `BODY[..]<..>`, `BINARY[..]<..>`, RFC822 and its kin, with the octets inside the unit.
    fn content(&mut self, name: Span) -> Parse<u8> {
        // Five entries whatever is there, so that each has its place: an answer has a section or none, an origin or none (RFC 9051 §7.5.2).
        let first = self.reserve::<{ item::CONTENT_LEN }>()?;
        self.tape.set(first, name);
        if self.cur.peek() == Some(b'[') {
            let section = self.section()?;
            self.tape.set(first + 1, section.tagged(form::ATOM));
            if self.cur.eat(b'<') {
                let origin = self.cur.number64()?;
                if self.cur.peek() == Some(b'.') {
                    self.repair(Repair::WindowInAnswer, Rule::Section)?;
                    self.cur.bump(1);
                    self.cur.number64()?;
                }
                self.cur.expect(b'>', Rule::Section)?;
                self.tape.set(first + 2, Span::cell(origin as u32, 1));
                self.tape.set(first + 3, Span::cell((origin >> 32) as u32, 0));
            }
        }
        // Short texts may come quoted, and NIL is a section that is not there, which is not the same as an empty one (RFC 9051 §4.5).
        self.space()?;
        let data = self.nstring()?;
        self.tape.set(first + 4, data);
        // What users wrote is shown to no tap, however small it is.
        if data.len() > 0 {
            self.masks.push(Mask { span: data.tagged(0), class: Class::Body });
        }
        Ok(item::CONTENT)
    }

    /// `"[" section "]"`. The span is the inside.
    fn section(&mut self) -> Parse<Span> {
        let inside = section_span(&mut self.cur)?;
        // A section that nobody can have asked for is malformed, and its octets with it: whose they are is not known.
        match Section::parse(self.cur.get(inside)) {
            Ok(_) => Ok(inside),
            Err(_) => Err(Fault::new(inside.start(), Rule::Section)),
        }
    }

    /// An attribute that is not known: its name may have a section, and its value is one of any kind.
    /// How deep it nests is bounded like any list that nobody has a type for; what is deeper is malformed by itself.
    fn other(&mut self, name: Span) -> Parse<u8> {
        if self.cur.peek() == Some(b'[') {
            section_span(&mut self.cur)?;
        }
        let name = Span::new(name.start(), self.cur.at());
        self.space()?;
        let start = self.cur.at();
        if self.cur.skip_value()? > self.list_depth {
            return self.cur.fail(Rule::Depth);
        }
        // A name without a value would take the next name for it.
        if self.cur.at() == start {
            return self.cur.fail(Rule::Fetch);
        }
        self.push(name)?;
        self.push(Span::new(start, self.cur.at()))?;
        Ok(item::OTHER)
    }

    /// Goes to where the next attribute can begin.
    fn recover(&mut self, start: usize, head: usize, fault: Fault) -> Parse<()> {
        // From the name again, since the fault may stand anywhere inside of the value: its end is that of a balanced value, whatever is wrong in it.
        let furthest = self.cur.at();
        self.cur.go(start);
        self.cur.while_in(|octet| is_atom(octet) && octet != b'[');
        if self.cur.peek() == Some(b'[') {
            let _ = section_span(&mut self.cur);
            if self.cur.eat(b'<') {
                self.cur.while_in(|octet| octet.is_ascii_digit());
                self.cur.eat(b'>');
            }
        }
        let name = Span::new(start, self.cur.at());
        // The value is gone over by its balance alone, since what it should have been is not known any more.
        self.cur.eat(b' ');
        // The end of the octets inside the value: nothing behind it can be told apart.
        let _ = self.cur.skip_value();
        // Never back: an octet that made one attribute malformed would be read again for each that follows.
        if self.cur.at() < furthest {
            self.cur.go(furthest);
        }
        // At least one octet is passed, so that recovery ends: what cannot begin an attribute cannot be one.
        if self.cur.at() == start {
            self.cur.bump(1);
        }
        // Half an envelope is worth showing, half of anything else is not.
        let payload = head.saturating_add(item::HEAD);
        if !self.cur.get(name).eq_ignore_ascii_case(b"ENVELOPE")
            || self.tape.len() < payload.saturating_add(field::COUNT)
        {
            self.tape.truncate(payload);
        }
        self.note(fault);
        self.push(name)?;
        self.push(Span::cell(fault.at, fault.rule as u32))?;
        Ok(())
    }
}

/// A small attribute as nearly all servers write it: what goes on the tape, and where it ends.
struct PlainItem {
    kind: u8,
    payload: [Span; 2],
    /// How many entries the payload has.
    words: u32,
    end: usize,
}

/// UID, FLAGS, INTERNALDATE, RFC822.SIZE and MODSEQ, in capitals and with nothing that a repair or a fault would be told of. `None`: anything
/// else, for the grammar to read.
#[inline]
fn plain_item(unit: &[u8], at: usize) -> Option<PlainItem> {
    // Capitals, one space, nothing behind the value but a space or the end of the list: whatever else stands here is given back untouched,
    // so that this path can never read anything otherwise than the grammar does.
    let mut plain = Plain::new(unit, at)?;
    let number = |number: u64| [Span::cell(number as u32, 0), Span::cell((number >> 32) as u32, 0)];
    let (kind, payload, words) = match plain.rest().first()? {
        b'U' => {
            plain.take_all(b"UID ")?;
            let uid = plain.number().filter(|uid| (1..=u64::from(u32::MAX)).contains(uid))?;
            (item::UID, number(uid), 2)
        }
        b'F' => {
            plain.take_all(b"FLAGS (")?;
            (item::FLAGS, [plain.flags()?, Span::default()], 1)
        }
        b'R' => {
            plain.take_all(b"RFC822.SIZE ")?;
            (item::SIZE, number(plain.number()?), 2)
        }
        b'I' => {
            plain.take_all(b"INTERNALDATE \"")?;
            let date = DateTime::parse(plain.take_some(DateTime::LEN)?).ok()?;
            plain.take(b'"')?;
            (item::DATE, number(date.packed()), 2)
        }
        b'M' => {
            plain.take_all(b"MODSEQ (")?;
            let sequence = plain.number().filter(|sequence| *sequence > 0)?;
            plain.take(b')')?;
            (item::MODSEQ, number(sequence), 2)
        }
        _ => return None,
    };
    matches!(plain.rest().first(), Some(b' ' | b')')).then_some(PlainItem {
        kind,
        payload,
        words,
        end: plain.at() as usize,
    })
}

/// From `[` to the `]` that closes it. The name of a header field may hold one, as `astring`s do; it is none of the name where a value or
/// an origin can follow it. That is decided by the octet behind it: to look for the parenthesis that ends the names would be to
/// read the line again for each section that lacks one.
pub(crate) fn section_span(cur: &mut Cursor<'_>) -> Parse<Span> {
    cur.expect(b'[', Rule::Section)?;
    let is_name = |next| next == b')' || next != b'<' && is_astring(next);
    let start = cur.at();
    let mut names = false;
    loop {
        cur.while_in(|octet| !matches!(octet, b']' | b'"' | b'{' | b'(' | b')'));
        match cur.peek() {
            Some(mark @ (b'(' | b')')) => {
                names = mark == b'(';
                cur.bump(1);
            }
            Some(b']') if names && cur.peek_at(1).is_some_and(is_name) => {
                cur.bump(1);
            }
            Some(b']') => {
                let span = Span::new(start, cur.at());
                cur.bump(1);
                return Ok(span);
            }
            // The name of a field comes in any of the three forms (RFC 9051 §9, `header-fld-name`): a literal inside of a section is not the
            // text that is waited for.
            Some(b'"') => {
                cur.loose_quoted()?;
            }
            Some(_) => {
                cur.literal()?;
            }
            None => return cur.fail(Rule::Section),
        }
    }
}
