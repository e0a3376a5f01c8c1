//! Reads a command from left to right, strictly: the leaves, and the typed values that commands are made of.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::leaf::{self, Fault, Parse, form};
use crate::error::Rule;
use crate::limits::Limits;
use crate::types::chars::{is_astring, is_atom, is_list};
use crate::types::sequence::SET_ITEMS_MAX;
use crate::types::{AString, Atom, Date, DateTime, Invalid, Mailbox, SequenceSet};
use core::ops::{Deref, DerefMut};

/// What holds for the commands of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Whether quoted strings and mailbox names are UTF-8 (RFC 9051 §5.1, RFC 9755 §3).
    pub(crate) utf8: bool,
    pub(crate) set_items: usize,
    pub(crate) search_depth: usize,
    pub(crate) list_depth: usize,
}

impl Bounds {
    /// The limits of a connection.
    pub(crate) const fn new(limits: &Limits, utf8: bool) -> Self {
        let Limits { set_items, search_depth, list_depth, .. } = *limits;
        Self { utf8, set_items, search_depth, list_depth }
    }

    /// The usual limits, with UTF-8.
    pub(crate) const USUAL: Self =
        Self { utf8: true, set_items: SET_ITEMS_MAX, search_depth: 64, list_depth: 32 };

    /// For octets that were checked before.
    pub(crate) const AGAIN: Self =
        Self { utf8: true, set_items: usize::MAX, search_depth: usize::MAX, list_depth: usize::MAX };
}

/// A place in the octets of one command, its literals included.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    leaf: leaf::Cursor<'a>,
    bounds: Bounds,
}

impl<'a> Deref for Cursor<'a> {
    type Target = leaf::Cursor<'a>;
    fn deref(&self) -> &Self::Target {
        &self.leaf
    }
}

impl DerefMut for Cursor<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.leaf
    }
}

impl<'a> Cursor<'a> {
    /// At the first octet.
    pub(crate) const fn new(octets: &'a [u8], bounds: Bounds) -> Self {
        Self { leaf: leaf::Cursor::new(octets), bounds }
    }

    /// Over octets that were checked before.
    pub(crate) const fn again(octets: &'a [u8]) -> Self {
        Self::new(octets, Bounds::AGAIN)
    }

    /// What holds here.
    pub(crate) const fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The longest run of what `class` takes, perhaps empty.
    #[inline]
    pub(crate) fn run(&mut self, class: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let n = rest.iter().position(|octet| !class(*octet)).unwrap_or(rest.len());
        self.bump(n);
        rest.get(..n).unwrap_or(rest)
    }

    /// A word made of `class`, given to `make`.
    pub(crate) fn word<T>(
        &mut self,
        rule: Rule,
        class: impl Fn(u8) -> bool,
        make: impl FnOnce(&'a [u8]) -> Result<T, Invalid>,
    ) -> Parse<T> {
        let at = self.at();
        let word = self.run(class);
        make(word).map_err(|invalid| match invalid {
            Invalid::Octet { at: inside } => Fault::new(at.saturating_add(inside), rule),
            Invalid::TooMany { .. } => Fault::new(at, Rule::TooMany),
            _ => Fault::new(at, rule),
        })
    }

    /// An atom by itself.
    #[inline]
    pub(crate) fn name(&mut self) -> Parse<Atom<'a>> {
        let atom = self.run(is_atom);
        if atom.is_empty() { self.fail(Rule::Atom) } else { Ok(Atom::checked(atom)) }
    }

    /// `sequence-set`, or `$`. It is checked in the pass that finds its end, and expanded nowhere.
    pub(crate) fn set(&mut self) -> Parse<SequenceSet<'a>> {
        let octets = self.rest();
        match SequenceSet::front(octets, self.bounds.set_items) {
            Ok((set, rest)) => {
                self.bump(octets.len().saturating_sub(rest.len()));
                Ok(set)
            }
            Err(Invalid::TooMany { .. }) => self.fail(Rule::TooMany),
            Err(Invalid::Octet { at }) => Err(Fault::new(self.at().saturating_add(at), Rule::Set)),
            Err(_) => self.fail(Rule::Set),
        }
    }

    /// A quoted string or a literal.
    pub(crate) fn text(&mut self) -> Parse<AString<'a>> {
        let span = self.leaf.string()?;
        let octets = self.get(span);
        let fault = |rule| Fault::new(span.start(), rule);
        match span.tag() {
            // A literal is octets: in which charset is for SEARCH or for the mailbox to say (RFC 9051 §4.3).
            form::LITERAL => Ok(AString::plain(octets)),
            // 8 bits are UTF-8, once that is enabled, and nothing before.
            _ if !octets.is_ascii() && !self.bounds.utf8 => Err(fault(Rule::Quoted)),
            _ if !octets.is_ascii() && core::str::from_utf8(octets).is_err() => Err(fault(Rule::Utf8)),
            tag => Ok(AString::quoted(octets, tag == form::ESCAPED)),
        }
    }

    /// `astring`: bare, quoted or a literal. Bare `]` is an octet like others (RFC 9051 §9, `ASTRING-CHAR`).
    pub(crate) fn astring(&mut self) -> Parse<AString<'a>> {
        self.text_or(is_astring)
    }

    /// A name with wildcards.
    pub(crate) fn list_mailbox(&mut self) -> Parse<AString<'a>> {
        self.text_or(is_list)
    }

    /// A string, or a word of `class`.
    fn text_or(&mut self, class: impl Fn(u8) -> bool) -> Parse<AString<'a>> {
        match self.peek() {
            Some(b'"' | b'{') => self.text(),
            Some(octet) if class(octet) => Ok(AString::plain(self.run(class))),
            _ => self.fail(Rule::AString),
        }
    }

    /// The name of a mailbox.
    pub(crate) fn mailbox(&mut self) -> Parse<Mailbox<'a>> {
        let at = self.at();
        let name = self.astring()?;
        if self.bounds.utf8 && core::str::from_utf8(name.raw()).is_err() {
            return Err(Fault::new(at, Rule::Utf8));
        }
        Mailbox::from_string(name).map_err(|_| Fault::new(at, Rule::Mailbox))
    }

    /// `date`, bare or quoted.
    /// Quotes around a search date are in the grammar, and old clients write them (RFC 9051 §9, `date`).
    pub(crate) fn date(&mut self) -> Parse<Date> {
        let quoted = self.eat(b'"');
        let class = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
        let date = self.word(Rule::Date, class, Date::parse)?;
        if quoted {
            self.expect(b'"', Rule::Date)?;
        }
        Ok(date)
    }

    /// `date-time`, in its quotes.
    pub(crate) fn date_time(&mut self) -> Parse<DateTime> {
        self.expect(b'"', Rule::Date)?;
        let date = self.word(Rule::Date, |octet| octet != b'"', DateTime::parse)?;
        self.expect(b'"', Rule::Date)?;
        Ok(date)
    }

    /// Whether the next word is `name`, in any case, and ends there.
    /// `ALL` is no macro in `ALLOW`: a name is one by its end as much as by its letters.
    pub(crate) fn eat_name(&mut self, name: &str) -> bool {
        let before = self.leaf;
        if self.eat_word(name.as_bytes()) && !self.peek().is_some_and(is_atom) {
            return true;
        }
        self.leaf = before;
        false
    }
}
