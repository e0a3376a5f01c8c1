//! What nearly every server writes, read without a look at the rare forms.
//!
//! Most of an ENVELOPE is strings without escapes with one space between them. This cursor reads those and nothing else: it keeps the octets
//! that are left as a slice, so that a check of a bound is a comparison of registers, and it gives up, with nothing taken, wherever the
//! grammar has more to say: a literal, an escape, a repair, a fault. What it reads the grammar would read alike.

use super::leaf::{form, special};
use crate::types::chars::is_atom;
use mail_wire::Span;

/// The octets that are left of a unit.
#[derive(Clone, Copy)]
pub(crate) struct Plain<'a> {
    rest: &'a [u8],
    /// Where the unit ends. Positions fit, so none is checked on its way into a span.
    end: u32,
}

impl<'a> Plain<'a> {
    /// At the octet `at` of a unit. `None` for one that is longer than a span can tell.
    #[inline(always)]
    pub(crate) fn new(unit: &'a [u8], at: usize) -> Option<Self> {
        let end = u32::try_from(unit.len()).ok()?;
        Some(Self { rest: unit.get(at..)?, end })
    }

    /// Where it stands.
    #[inline(always)]
    pub(crate) fn at(&self) -> u32 {
        self.end.wrapping_sub(self.rest.len() as u32)
    }

    /// The octets that are left.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the octet, which must be the next.
    #[inline(always)]
    pub(crate) fn take(&mut self, octet: u8) -> Option<()> {
        let (first, behind) = self.rest.split_first()?;
        self.rest = behind;
        (*first == octet).then_some(())
    }

    /// Takes octets that must be the next.
    #[inline(always)]
    pub(crate) fn take_all(&mut self, octets: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(octets)?;
        Some(())
    }

    /// Takes so many octets.
    #[inline(always)]
    pub(crate) fn take_some(&mut self, len: usize) -> Option<&'a [u8]> {
        let (octets, behind) = self.rest.split_at_checked(len)?;
        self.rest = behind;
        Some(octets)
    }

    /// Flags with one space between them up to the `)`, which is taken too: atoms, some behind a backslash. The span is what stands before
    /// it.
    #[inline(always)]
    pub(crate) fn flags(&mut self) -> Option<Span> {
        let (start, all) = (self.at(), self.rest);
        let (mut len, mut named, mut escaped) = (0_usize, false, false);
        for octet in all {
            match octet {
                b')' if named || len == 0 => {
                    self.rest = all.get(len.wrapping_add(1)..)?;
                    return Some(Span::cell(start, len as u32));
                }
                b' ' if named => (named, escaped) = (false, false),
                b'\\' if !named && !escaped => escaped = true,
                octet if is_atom(*octet) => named = true,
                _ => return None,
            }
            len = len.wrapping_add(1);
        }
        None
    }

    /// `nstring`: a quoted string without escapes, or NIL in capitals and not as the beginning of an atom.
    #[inline(always)]
    pub(crate) fn nstring(&mut self) -> Option<Span> {
        match self.rest {
            [b'"', inside @ ..] => {
                let len = special(inside);
                let [b'"', behind @ ..] = inside.get(len..)? else { return None };
                let start = self.at().wrapping_add(1);
                self.rest = behind;
                Some(Span::cell(start, len as u32).tagged(form::QUOTED))
            }
            [b'N', b'I', b'L', behind @ ..] if matches!(behind.first(), Some(b' ' | b')')) => {
                self.rest = behind;
                Some(Span::default())
            }
            _ => None,
        }
    }

    /// A number of at most 18 digits.
    #[inline(always)]
    pub(crate) fn number(&mut self) -> Option<u64> {
        let (mut number, mut len) = (0_u64, 0_usize);
        for octet in self.rest.iter().take(19) {
            let digit = octet.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            len = len.wrapping_add(1);
        }
        self.rest = self.rest.get(len..)?;
        (1..=18).contains(&len).then_some(number)
    }
}
