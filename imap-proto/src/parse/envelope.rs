//! The kernel of ENVELOPE: one pass, eleven entries on the tape, and four for each address behind them.

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
        let start = self.cur.at();
        self.cur.expect(b'(', Rule::Envelope)?;
        for index in field::DATE..field::WHOLE {
            if index > field::DATE {
                if self.cur.peek() == Some(b')') {
                    return self.cur.fail(Rule::Envelope);
                }
                self.space()?;
            }
            let entry = match index {
                field::FROM..=field::BCC => self.addresses(base)?,
                _ => self.nstring()?,
            };
            self.tape.set(first + index, entry);
        }
        self.more_spaces()?;
        self.cur.expect(b')', Rule::Envelope)?;
        self.tape.set(first + field::WHOLE, Span::new(start, self.cur.at()));
        Ok(())
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
    fn address(&mut self) -> Parse<()> {
        self.cur.bump(1);
        let mut fields = [Span::default(); ADDRESS];
        for (index, field) in fields.iter_mut().enumerate() {
            if index > 0 {
                self.space()?;
            }
            *field = self.nstring()?;
        }
        self.extend(&fields)?;
        self.cur.expect(b')', Rule::Address)
    }
}
