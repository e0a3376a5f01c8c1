//! The leaves of the grammar, for both roles: a cursor over one complete unit.
//!
//! Whatever it reads, the cursor ends behind the furthest octet that it has looked at, also when it fails: that is
//! where recovery may go on without reading an octet a third time.

use crate::error::Rule;
use crate::types::chars::{is_astring, is_atom};
use mail_wire::Span;

/// The form of a string, as the tag of its span.
pub(crate) mod form {
    /// Absent: `NIL`, or not there at all.
    pub(crate) const NIL: u8 = 0;
    /// An atom.
    pub(crate) const ATOM: u8 = 1;
    /// The inside of a quoted string.
    pub(crate) const QUOTED: u8 = 2;
    /// The same, with at least one escape.
    pub(crate) const ESCAPED: u8 = 3;
    /// The octets of a literal.
    pub(crate) const LITERAL: u8 = 4;
    /// The octets of a literal8.
    pub(crate) const LITERAL8: u8 = 5;
    /// A number, by its digits.
    pub(crate) const NUMBER: u8 = 6;
    /// What stands where a number is due and is none.
    pub(crate) const BAD: u8 = 7;
}

/// What was expected, and where. Eight octets, so that results stay small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: u32,
    pub(crate) rule: Rule,
}

impl Fault {
    pub(crate) fn new(at: usize, rule: Rule) -> Self {
        Self { at: u32::try_from(at).unwrap_or(u32::MAX), rule }
    }
}

/// What a parser gives.
pub(crate) type Parse<T> = Result<T, Fault>;

/// A place in the octets of a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

/// Moving about.
impl<'a> Cursor<'a> {
    /// A cursor at the first octet.
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0 }
    }

    /// A cursor at octet `at`.
    pub(crate) const fn from(octets: &'a [u8], at: usize) -> Self {
        Self { octets, at }
    }

    /// All octets.
    pub(crate) const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Where it stands.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Goes to octet `at`.
    pub(crate) fn go(&mut self, at: usize) {
        self.at = at;
    }

    /// Whether no octet is left.
    pub(crate) const fn is_end(&self) -> bool {
        self.at >= self.octets.len()
    }

    /// The octets from here on.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or(&[])
    }

    /// The octets of a span.
    pub(crate) fn get(&self, span: Span) -> &'a [u8] {
        span.of(self.octets)
    }

    /// The octets from `start` to here.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.octets.get(start..self.at).unwrap_or(&[])
    }

    /// The next octet.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    /// The octet `n` places on.
    pub(crate) fn peek_at(&self, n: usize) -> Option<u8> {
        self.octets.get(self.at.saturating_add(n)).copied()
    }

    /// Goes `n` octets on.
    #[inline]
    pub(crate) fn bump(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }

    /// A fault here.
    pub(crate) fn fault(&self, rule: Rule) -> Fault {
        Fault::new(self.at, rule)
    }

    /// A failure here.
    pub(crate) fn fail<T>(&self, rule: Rule) -> Parse<T> {
        Err(self.fault(rule))
    }

    /// Takes the octet if it is the next.
    #[inline]
    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// Takes the octet, which must be the next.
    #[inline]
    pub(crate) fn expect(&mut self, octet: u8, rule: Rule) -> Parse<()> {
        if self.eat(octet) { Ok(()) } else { self.fail(rule) }
    }

    /// Takes one space.
    #[inline]
    pub(crate) fn space(&mut self) -> Parse<()> {
        self.expect(b' ', Rule::Space)
    }

    /// Takes octets that are the same without regard to case.
    pub(crate) fn eat_word(&mut self, word: &[u8]) -> bool {
        let next = self.octets.get(self.at..self.at.saturating_add(word.len())).unwrap_or(&[]);
        let found = next.eq_ignore_ascii_case(word) && !word.is_empty();
        self.at += if found { word.len() } else { 0 };
        found
    }

    /// No octet may be left.
    pub(crate) fn end(&self) -> Parse<()> {
        if self.is_end() { Ok(()) } else { self.fail(Rule::End) }
    }
}

/// Atoms and numbers.
impl<'a> Cursor<'a> {
    /// Takes octets while `is` holds for them; there may be none.
    #[inline]
    pub(crate) fn while_in(&mut self, is: impl Fn(u8) -> bool) -> Span {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.iter().position(|octet| !is(*octet)).unwrap_or(rest.len());
        Span::new(start, self.at)
    }

    /// `atom`.
    pub(crate) fn atom(&mut self) -> Parse<Span> {
        let span = self.while_in(is_atom);
        if span.len() == 0 { self.fail(Rule::Atom) } else { Ok(span.tagged(form::ATOM)) }
    }

    /// `number64`: digits, at most 63 bits (RFC 9051 §9). Leading zeros are fine.
    pub(crate) fn number64(&mut self) -> Parse<u64> {
        let start = self.at;
        let mut number = 0_u64;
        while let Some(digit) = self.peek().map(|octet| octet.wrapping_sub(b'0')).filter(|digit| *digit < 10)
        {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        match self.at - start {
            // Eighteen digits are below 63 bits.
            1..=18 => Ok(number),
            0 => Err(Fault::new(start, Rule::Number)),
            _ => self.long_number(start),
        }
    }

    #[cold]
    fn long_number(&self, start: usize) -> Parse<u64> {
        let number = self.since(start).iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0')))
        });
        let number = number.filter(|number| *number <= i64::MAX as u64);
        number.ok_or(Fault::new(start, Rule::Number))
    }

    /// `number`: 32 bits.
    pub(crate) fn number(&mut self) -> Parse<u32> {
        let start = self.at;
        u32::try_from(self.number64()?).map_err(|_| Fault::new(start, Rule::Number))
    }

    /// `nz-number`: 32 bits, not 0.
    pub(crate) fn nz_number(&mut self) -> Parse<u32> {
        let start = self.at;
        match self.number()? {
            0 => Err(Fault::new(start, Rule::NonZero)),
            number => Ok(number),
        }
    }
}

/// Strings. The tag of the span is its [`form`].
impl<'a> Cursor<'a> {
    /// `quoted`. The span is the inside. Octets above 127 pass: it is for the caller to know whether UTF-8 is on.
    pub(crate) fn quoted(&mut self) -> Parse<Span> {
        let (span, odd) = self.loose_quoted()?;
        match odd {
            Some(at) => Err(Fault::new(at, Rule::Quoted)),
            None => Ok(span),
        }
    }

    /// `quoted`, with any octet behind a backslash. Tells where the first escape stands that is none.
    pub(crate) fn loose_quoted(&mut self) -> Parse<(Span, Option<usize>)> {
        self.expect(b'"', Rule::String)?;
        let start = self.at;
        let (mut tag, mut odd) = (form::QUOTED, None);
        loop {
            self.at += special(self.rest());
            match self.peek() {
                Some(b'"') => {
                    let span = Span::new(start, self.at).tagged(tag);
                    self.at += 1;
                    return Ok((span, odd));
                }
                Some(b'\\') => {
                    match self.peek_at(1) {
                        Some(b'"' | b'\\') => tag = form::ESCAPED,
                        Some(0 | b'\r' | b'\n') | None => return self.fail(Rule::Quoted),
                        Some(_) => {
                            tag = form::ESCAPED;
                            odd = odd.or(Some(self.at));
                        }
                    }
                    self.at += 2;
                }
                None | Some(0 | b'\r' | b'\n') => return self.fail(Rule::Quoted),
                Some(_) => self.at += 1,
            }
        }
    }

    /// `literal` or `literal8`, with its octets inside the unit. A `literal` that holds NUL is refused.
    pub(crate) fn literal(&mut self) -> Parse<Span> {
        let start = self.at;
        let tag = if self.eat(b'~') { form::LITERAL8 } else { form::LITERAL };
        self.expect(b'{', Rule::Literal)?;
        let octets = self.number64()?;
        self.eat(b'+');
        self.expect(b'}', Rule::Literal)?;
        self.eat(b'\r');
        self.expect(b'\n', Rule::Literal)?;
        let end = usize::try_from(octets).ok().and_then(|octets| self.at.checked_add(octets));
        let Some(inside) = end.and_then(|end| self.octets.get(self.at..end)) else {
            return Err(Fault::new(start, Rule::Literal));
        };
        let span = Span::new(self.at, self.at + inside.len()).tagged(tag);
        self.at += inside.len();
        if tag == form::LITERAL && memchr::memchr(0, inside).is_some() {
            return Err(Fault::new(span.start(), Rule::Literal));
        }
        Ok(span)
    }

    /// `string`.
    pub(crate) fn string(&mut self) -> Parse<Span> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            _ => self.fail(Rule::String),
        }
    }

    /// `astring`. NIL is an atom here (RFC 9051 §4.5).
    pub(crate) fn astring(&mut self) -> Parse<Span> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            _ => {
                let span = self.while_in(is_astring);
                if span.len() == 0 { self.fail(Rule::AString) } else { Ok(span.tagged(form::ATOM)) }
            }
        }
    }

    /// Takes `NIL` where it stands as a word of its own.
    #[inline]
    pub(crate) fn nil(&mut self) -> bool {
        let rest = self.octets.get(self.at..).unwrap_or(&[]);
        let found = match rest.split_first_chunk::<3>() {
            Some(([n, i, l], behind)) => {
                [n | 0x20, i | 0x20, l | 0x20] == *b"nil"
                    && !behind.first().is_some_and(|next| is_astring(*next))
            }
            None => false,
        };
        self.at += if found { 3 } else { 0 };
        found
    }

    /// Goes behind one value of any kind: an atom, a string, or a list with all that is in it. Nothing is checked but strings
    /// and the balance of parentheses. Gives the deepest nesting. Linear, without recursion.
    ///
    /// # Errors
    /// The octets end inside the value; the cursor then stands at their end.
    pub(crate) fn skip_value(&mut self) -> Parse<usize> {
        let (mut depth, mut deepest) = (0_usize, 0_usize);
        let list = self.peek() == Some(b'(');
        loop {
            match self.peek() {
                None if depth == 0 => return Ok(deepest),
                None => return self.fail(Rule::List),
                Some(b' ') if depth == 0 => return Ok(deepest),
                Some(b')') if depth == 0 => return Ok(deepest),
                Some(b'(') => {
                    depth += 1;
                    deepest = deepest.max(depth);
                    self.at += 1;
                }
                Some(b')') => {
                    depth -= 1;
                    self.at += 1;
                    if list && depth == 0 {
                        return Ok(deepest);
                    }
                }
                Some(b'"') => {
                    if let Err(fault) = self.loose_quoted() {
                        self.at = self.octets.len();
                        return Err(fault);
                    }
                }
                Some(b'{' | b'~') => {
                    let start = self.at;
                    if self.literal().is_err() && self.at <= start {
                        self.at = start + 1;
                    }
                }
                Some(_) => {
                    self.at += 1;
                    self.while_in(|octet| !matches!(octet, b' ' | b'(' | b')' | b'"' | b'{' | b'~'));
                }
            }
        }
    }
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// The first octet that a quoted string may stop at: `"`, `\`, or a control below 16. Eight octets at a time; the
/// lowest bit that is found is exact, and only that one is used.
///
/// A function of its own, so that its constants stay in registers over its rounds.
#[inline(never)]
pub(crate) fn special(octets: &[u8]) -> usize {
    let (mut rest, mut at) = (octets, 0);
    while let Some((word, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        // What is sought is below 128, and the marks leave the highest bit of each octet as it is: one `!word` does for all.
        let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
        let slash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
        let control = word.wrapping_sub(ONES << 4);
        let found = (quote | slash | control) & !word & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
        rest = behind;
    }
    let stop = |octet: &u8| matches!(octet, b'"' | b'\\') || *octet < 16;
    at + rest.iter().position(stop).unwrap_or(rest.len())
}

#[cfg(test)]
#[path = "leaf_tests.rs"]
mod tests;
