//! Reads responses: the cursor of the leaves, the tape, and the repairs.

use crate::error::Rule;
use crate::parse::leaf::{Cursor, Fault, Parse, form};
use crate::parse::plain::Plain;
use crate::policy::Repair;
use crate::types::chars::is_astring;
use alloc::vec::Vec;
use mail_wire::{Mask, Repairs, Span, Tape, TapeFull};

/// One pass over the octets of a unit, which writes its spans on the tape.
pub(crate) struct Reader<'a, 't> {
    pub(crate) cur: Cursor<'a>,
    pub(crate) tape: &'t mut Tape,
    pub(crate) repairs: &'t mut Repairs<Repair>,
    /// How deep a body structure may nest.
    pub(crate) depth: usize,
    /// How deep any other list may nest.
    pub(crate) list_depth: usize,
    /// Nobody has logged in: what is said of messages is not read.
    pub(crate) early: bool,
    /// The first piece that is malformed beside good ones.
    pub(crate) fault: Option<Fault>,
    /// Content of messages.
    pub(crate) masks: &'t mut Vec<Mask>,
}

impl From<TapeFull> for Fault {
    fn from(_: TapeFull) -> Self {
        Self::new(0, Rule::Tape)
    }
}

impl<'a> Reader<'a, '_> {
    /// A piece is malformed; the rest is good.
    pub(crate) fn note(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some(fault));
    }

    /// Writes an entry and gives its index.
    pub(crate) fn push(&mut self, span: Span) -> Parse<usize> {
        self.tape.push(span).map_err(|_| self.cur.fault(Rule::Tape))
    }

    /// Writes `N` empty entries and gives the index of the first.
    #[inline]
    pub(crate) fn reserve<const N: usize>(&mut self) -> Parse<usize> {
        self.extend(&[Span::default(); N])
    }

    /// Writes entries and gives the index of the first.
    #[inline]
    pub(crate) fn extend(&mut self, spans: &[Span]) -> Parse<usize> {
        self.tape.extend(spans).map_err(|_| self.cur.fault(Rule::Tape))
    }

    /// Takes one space; more than one is a repair.
    #[inline]
    pub(crate) fn space(&mut self) -> Parse<()> {
        self.cur.space()?;
        if self.cur.peek() == Some(b' ') {
            return self.more_spaces();
        }
        Ok(())
    }

    /// Takes spaces where none belong.
    pub(crate) fn more_spaces(&mut self) -> Parse<()> {
        if self.cur.peek() == Some(b' ') {
            self.repair(Repair::ExtraSpace, Rule::Space)?;
            self.cur.while_in(|octet| octet == b' ');
        }
        Ok(())
    }

    /// Counts a repair, or fails where it is not switched on.
    pub(crate) fn repair(&mut self, repair: Repair, rule: Rule) -> Parse<()> {
        if self.repairs.take(repair) { Ok(()) } else { self.cur.fail(rule) }
    }

    /// A quoted string, with its repair.
    pub(crate) fn quoted(&mut self) -> Parse<Span> {
        let (span, odd) = self.cur.loose_quoted()?;
        if odd.is_some() {
            self.repair(Repair::OddEscape, Rule::Quoted)?;
        }
        Ok(span)
    }

    /// `nstring`.
    pub(crate) fn nstring(&mut self) -> Parse<Span> {
        if let Some(mut plain) = Plain::new(self.cur.octets(), self.cur.at()) {
            if let Some(span) = plain.nstring() {
                self.cur.go(plain.at() as usize);
                return Ok(span);
            }
        }
        match self.cur.peek() {
            Some(b'N' | b'n') if self.cur.nil() => Ok(Span::default()),
            Some(b'"') => self.quoted(),
            _ => self.odd_nstring(),
        }
    }

    #[cold]
    fn odd_nstring(&mut self) -> Parse<Span> {
        match self.cur.peek() {
            Some(b'{' | b'~') => self.cur.literal(),
            Some(octet) if is_astring(octet) => {
                self.repair(Repair::AtomForString, Rule::String)?;
                Ok(self.cur.while_in(is_astring).tagged(form::ATOM))
            }
            _ => self.cur.fail(Rule::String),
        }
    }

    /// `string`: NIL is a repair and gives an absent one.
    pub(crate) fn string(&mut self) -> Parse<Span> {
        let span = self.nstring()?;
        if span.tag() == form::NIL {
            self.repair(Repair::NilValue, Rule::String)?;
        }
        Ok(span)
    }

    /// `astring`.
    pub(crate) fn astring(&mut self) -> Parse<Span> {
        if self.cur.peek() == Some(b'"') { self.quoted() } else { self.cur.astring() }
    }

    /// `nstring` where some servers write `()` for nothing.
    pub(crate) fn nstring_or_empty_list(&mut self) -> Parse<Span> {
        if self.empty_list()? { Ok(Span::default()) } else { self.nstring() }
    }

    /// Takes `()`, a repair.
    pub(crate) fn empty_list(&mut self) -> Parse<bool> {
        if self.cur.peek() != Some(b'(') || self.cur.peek_at(1) != Some(b')') {
            return Ok(false);
        }
        self.repair(Repair::EmptyList, Rule::List)?;
        self.cur.bump(2);
        Ok(true)
    }
}
