//! The kernel of ENVELOPE: one pass, eleven entries on the tape, and four for each address behind them.
//! It is what mail programs ask for most, and is written for speed: a string without escapes is looked at eight octets at a time, and an
//! address goes on the tape with one check of its limit.

use super::leaf::Parse;
use super::plain::Plain;
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
        // No list may be left away: a header without the field is NIL (RFC 9051 §7.5.2), so that a list that is missing shifts all
        // behind it, and the envelope is malformed from there on.
        let mut last = (Span::default(), Span::default());
        for list in [from, sender, reply_to, to, cc, bcc] {
            self.next_field()?;
            *list = self.addresses(base, &mut last)?;
        }
        self.next_field()?;
        *in_reply_to = self.nstring()?;
        self.next_field()?;
        *message_id = self.nstring()?;
        self.more_spaces()?;
        self.cur.expect(b')', Rule::Envelope)?;
        // Only what was read to its end may be handed on by a proxy.
        *whole = Span::new(start, self.cur.at());
        Ok(())
    }

    /// A space; an envelope that ends early lacks fields, and nobody can know which.
    #[inline]
    ///
    /// What was read up to there is kept: date, subject and authors are what a list of messages shows, and they come first.
    fn next_field(&mut self) -> Parse<()> {
        if self.cur.peek() == Some(b')') {
            return self.cur.fail(Rule::Envelope);
        }
        self.space()
    }

    /// `NIL` or `"(" 1*address ")"`: where the first stands, and how many there are.
    ///
    /// `last` is the list before it, its octets and what was read of them. A server repeats From where there is no Sender and
    /// no Reply-To (RFC 9051 §7.5.2), as in most messages: what stands there octet for octet is not read again.
    fn addresses(&mut self, base: usize, last: &mut (Span, Span)) -> Parse<Span> {
        if self.cur.peek() != Some(b'(') {
            return if self.cur.nil() { Ok(Span::default()) } else { self.cur.fail(Rule::Address) };
        }
        // Compared, not guessed: a server may list others as senders than as authors.
        if last.0.len() > 0 && self.cur.rest().starts_with(self.cur.get(last.0)) {
            self.cur.bump(last.0.len());
            return Ok(last.1);
        }
        if self.empty_list()? {
            return Ok(Span::default());
        }
        let start = self.cur.at();
        self.cur.bump(1);
        let first = self.tape.len();
        let (mut count, mut plain) = (0_u32, true);
        loop {
            match self.cur.peek() {
                Some(b'(') => {
                    plain &= self.address()?;
                    count = count.saturating_add(1);
                }
                Some(b')') => {
                    self.cur.bump(1);
                    let at = u32::try_from(first.saturating_sub(base)).unwrap_or(u32::MAX);
                    let list = Span::cell(at, count);
                    if plain {
                        *last = (Span::new(start, self.cur.at()), list);
                    }
                    return Ok(list);
                }
                Some(b' ') => {
                    plain = false;
                    // Not in the grammar, and in the standard's own examples: counted, and taken by the strict grammar too.
                    self.repairs.count(Repair::AddressSpace, 1);
                    self.cur.while_in(|octet| octet == b' ');
                }
                _ if self.cur.nil() => {
                    plain = false;
                    self.repair(Repair::NilAddress, Rule::Address)?;
                }
                _ => return self.cur.fail(Rule::Address),
            }
        }
    }

    /// `address`: four strings, each perhaps NIL. Marks of groups are written like addresses. Says whether it was written as nearly
    /// all are, so that no repair was counted.
    #[inline]
    fn address(&mut self) -> Parse<bool> {
        if let Some((fields, behind)) = plain_address(self.cur.octets(), self.cur.at()) {
            self.extend(&fields)?;
            self.cur.go(behind);
            return Ok(true);
        }
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
        self.cur.expect(b')', Rule::Address)?;
        Ok(false)
    }
}

/// An address as nearly all are written, and what stands behind it.
#[inline(always)]
fn plain_address(unit: &[u8], at: usize) -> Option<([Span; ADDRESS], usize)> {
    let mut plain = Plain::new(unit, at)?;
    plain.take(b'(')?;
    let name = plain.nstring()?;
    plain.take(b' ')?;
    let route = plain.nstring()?;
    plain.take(b' ')?;
    let mailbox = plain.nstring()?;
    plain.take(b' ')?;
    let host = plain.nstring()?;
    plain.take(b')')?;
    Some(([name, route, mailbox, host], plain.at() as usize))
}
