//! The kernel of ENVELOPE: one pass, eleven entries on the tape, and four for each address behind them.
//! It is what mail programs ask for most, and is written for speed: a string without escapes is looked at eight octets at a time, and an
//! address goes on the tape with one check of its limit.

use super::leaf::Parse;
use super::reader::Reader;
use crate::error::Rule;
use crate::policy::Repair;
use crate::types::envelope::{ADDRESS, field};
use mail_wire::Span;

impl Reader<'_, '_> {
    /// `envelope`. Its entries stand from the index that `tape.len()` is at the call; positions of address lists count from `base`.
    ///
    /// # Errors
    /// The entries that were written are good: what the envelope had before the fault.
    pub(crate) fn envelope(&mut self, base: usize) -> Parse<()> {
        let first = self.reserve::<{ field::COUNT }>()?;
        let mut fields = [Span::default(); field::COUNT];
        let result = self.fields(base, &mut fields);
        self.tape.write(first, &fields);
        result
    }

    /// The fields in the order of the standard (RFC 9051 §7.5.2), into `fields` as far as they can be read.
    fn fields(&mut self, base: usize, fields: &mut [Span; field::COUNT]) -> Parse<()> {
        let [date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id, whole] = fields;
        let start = self.cur.at();
        self.cur.expect(b'(', Rule::Envelope)?;
        *date = self.nstring()?;
        self.next_field()?;
        *subject = self.nstring()?;
        for list in [from, sender, reply_to, to, cc, bcc] {
            self.next_field()?;
            *list = self.addresses(base)?;
        }
        self.next_field()?;
        *in_reply_to = self.nstring()?;
        self.next_field()?;
        *message_id = self.nstring()?;
        self.more_spaces()?;
        self.cur.expect(b')', Rule::Envelope)?;
        *whole = Span::new(start, self.cur.at());
        Ok(())
    }

    #[inline]
    /// A space; an envelope that ends early lacks fields, and nobody can know which.
    fn next_field(&mut self) -> Parse<()> {
        if self.cur.peek() == Some(b')') {
            return self.cur.fail(Rule::Envelope);
        }
        self.space()
    }

    /// `NIL` or `"(" 1*address ")"`: where the first stands, and how many there are.
    fn addresses(&mut self, base: usize) -> Parse<Span> {
        if self.cur.peek() != Some(b'(') {
            return if self.cur.nil() { Ok(Span::default()) } else { self.cur.fail(Rule::Address) };
        }
        if self.empty_list()? {
            return Ok(Span::default());
        }
        self.cur.bump(1);
        let first = self.tape.len();
        let mut count = 0_u32;
        loop {
            match self.cur.peek() {
                Some(b'(') => {
                    self.address()?;
                    count = count.saturating_add(1);
                }
                Some(b')') => {
                    self.cur.bump(1);
                    let at = u32::try_from(first.saturating_sub(base)).unwrap_or(u32::MAX);
                    return Ok(Span::cell(at, count));
                }
                Some(b' ') => {
                    // Not in the grammar, and in the standard's own examples: counted, and taken by the strict grammar too.
                    self.repairs.count(Repair::AddressSpace, 1);
                    self.cur.while_in(|octet| octet == b' ');
                }
                _ if self.cur.nil() => self.repair(Repair::NilAddress, Rule::Address)?,
                _ => return self.cur.fail(Rule::Address),
            }
        }
    }

    #[inline]
    /// `address`: four strings, each perhaps NIL. Marks of groups are written like addresses.
    fn address(&mut self) -> Parse<()> {
        self.cur.bump(1);
        let name = self.nstring()?;
        self.space()?;
        let route = self.nstring()?;
        self.space()?;
        let mailbox = self.nstring()?;
        self.space()?;
        let host = self.nstring()?;
        let fields: [Span; ADDRESS] = [name, route, mailbox, host];
        self.extend(&fields)?;
        self.cur.expect(b')', Rule::Address)
    }
}
