//! How events borrow from the input, and how they are kept.
//!
//! This is the one module that turns positions into octets: a [`Span`] outside its octets gives an empty
//! slice, never a panic.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

const TAG_SHIFT: u32 = 28;
const LEN_MAX: u32 = (1 << TAG_SHIFT) - 1;

/// A position and a length inside one unit, with a tag of four bits whose meaning is the protocol's.
///
/// Positions count from the start of the unit. A span holds at most 2²⁸-1 octets; no unit is longer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    at: u32,
    len: u32,
}

impl Span {
    /// The octets from `start` to before `end`. An `end` before `start` gives an empty span at `start`.
    #[must_use]
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        let len = u32::try_from(end.saturating_sub(start)).unwrap_or(LEN_MAX).min(LEN_MAX);
        Self { at: u32::try_from(start).unwrap_or(u32::MAX), len }
    }

    /// Where a part of some octets stands in them. What is no part of them gives a span of no meaning, within them all the same.
    #[must_use]
    pub fn locate(part: &[u8], octets: &[u8]) -> Self {
        let at = (part.as_ptr() as usize).saturating_sub(octets.as_ptr() as usize);
        Self::new(at.min(octets.len()), at.saturating_add(part.len()).min(octets.len()))
    }

    /// A cell that holds two numbers in place of a position: the tape is also where flat nodes stand.
    /// `b` keeps its lower 28 bits.
    #[must_use]
    pub const fn cell(a: u32, b: u32) -> Self {
        Self { at: a, len: b & LEN_MAX }
    }

    /// The same span with a tag, of which four bits are kept.
    #[must_use]
    pub const fn tagged(self, tag: u8) -> Self {
        Self { at: self.at, len: (self.len & LEN_MAX) | ((tag as u32 & 0xf) << TAG_SHIFT) }
    }

    /// The tag.
    #[must_use]
    pub const fn tag(self) -> u8 {
        (self.len >> TAG_SHIFT) as u8
    }

    /// The first position, or the first number of a cell.
    #[must_use]
    pub const fn start(self) -> usize {
        self.at as usize
    }

    /// The number of octets, or the second number of a cell.
    #[must_use]
    #[allow(clippy::len_without_is_empty)]
    pub const fn len(self) -> usize {
        (self.len & LEN_MAX) as usize
    }

    /// One past the last position.
    #[must_use]
    pub const fn end(self) -> usize {
        self.start().saturating_add(self.len())
    }

    /// The octets of this span in `octets`; empty where it lies outside.
    #[must_use]
    #[inline]
    pub fn of(self, octets: &[u8]) -> &[u8] {
        octets.get(self.start()..self.end()).unwrap_or(&[])
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.start(), self.len())?;
        if self.tag() > 0 { write!(f, "#{}", self.tag()) } else { Ok(()) }
    }
}

/// The tape is full: the unit has more parts than the limit allows, and is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} parts in one unit")]
pub struct TapeFull {
    /// The limit in entries.
    pub limit: usize,
}

/// Scratch memory for the spans of one unit, reused from unit to unit.
#[derive(Debug)]
pub struct Tape {
    spans: Vec<Span>,
    limit: usize,
}

impl Tape {
    /// The most entries that one unit may write.
    pub const LIMIT: usize = 65_536;

    /// An empty tape that takes [`Tape::LIMIT`] entries.
    #[must_use]
    pub const fn new() -> Self {
        Self { spans: Vec::new(), limit: Self::LIMIT }
    }

    /// Adds an entry and gives its index.
    ///
    /// # Errors
    /// [`TapeFull`] at the limit.
    #[inline]
    pub fn push(&mut self, span: Span) -> Result<usize, TapeFull> {
        let index = self.spans.len();
        if index >= self.limit {
            return Err(TapeFull { limit: self.limit });
        }
        self.spans.push(span);
        Ok(index)
    }

    /// Adds entries and gives the index of the first.
    ///
    /// # Errors
    /// [`TapeFull`] if they do not fit below the limit; none is added then.
    #[inline]
    pub fn extend(&mut self, spans: &[Span]) -> Result<usize, TapeFull> {
        let index = self.spans.len();
        if index.saturating_add(spans.len()) > self.limit {
            return Err(TapeFull { limit: self.limit });
        }
        self.spans.extend_from_slice(spans);
        Ok(index)
    }

    /// Replaces entries written before, from `index` on; where they were never all written, none is.
    #[inline]
    pub fn write(&mut self, index: usize, spans: &[Span]) {
        if let Some(entries) = self.spans.get_mut(index..index.saturating_add(spans.len())) {
            entries.copy_from_slice(spans);
        }
    }

    /// Replaces an entry written before; an index that was never written is ignored.
    #[inline]
    pub fn set(&mut self, index: usize, span: Span) {
        if let Some(entry) = self.spans.get_mut(index) {
            *entry = span;
        }
    }

    /// Drops what was written behind the first `len` entries: how a value that proved malformed is unwritten.
    pub fn truncate(&mut self, len: usize) {
        self.spans.truncate(len);
    }

    /// The number of entries.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The entries.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The memory held, in entries.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.spans.capacity()
    }

    pub(crate) fn clear(&mut self) {
        self.spans.clear();
    }

    /// Gives memory back: all of it, or what one large unit took.
    pub(crate) fn shrink(&mut self, to: usize) {
        if self.spans.capacity() > to {
            self.spans.clear();
            self.spans.shrink_to(to);
        }
    }
}

impl Default for Tape {
    fn default() -> Self {
        Self::new()
    }
}

/// Octets of one unit and spans over them: what every event type is made of.
#[derive(Clone, Copy, Default)]
pub struct View<'i> {
    octets: &'i [u8],
    tape: &'i [Span],
}

impl<'i> View<'i> {
    /// A view of `octets` by `tape`.
    #[must_use]
    pub const fn new(octets: &'i [u8], tape: &'i [Span]) -> Self {
        Self { octets, tape }
    }

    /// All octets of the unit.
    #[must_use]
    pub const fn octets(self) -> &'i [u8] {
        self.octets
    }

    /// All spans of the view.
    #[must_use]
    pub const fn tape(self) -> &'i [Span] {
        self.tape
    }

    /// The octets of a span; empty where it lies outside.
    #[must_use]
    #[inline]
    pub fn get(self, span: Span) -> &'i [u8] {
        span.of(self.octets)
    }

    /// The span at `index`, if there is one.
    #[must_use]
    #[inline]
    pub fn span(self, index: usize) -> Option<Span> {
        self.tape.get(index).copied()
    }

    /// The same octets with the spans from `start` to before `end` alone; empty where they lie outside.
    #[must_use]
    #[inline]
    pub fn window(self, start: usize, end: usize) -> Self {
        Self { octets: self.octets, tape: self.tape.get(start..end).unwrap_or(&[]) }
    }
}

impl fmt::Debug for View<'_> {
    /// Shows sizes alone: the octets may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({} octets, {} spans)", self.octets.len(), self.tape.len())
    }
}

/// A type that is a view and a small head, and so can be kept as [`Owned`].
///
/// It is implemented for the `'static` form and stands for all lifetimes:
///
/// ```
/// use mail_wire::{Owned, View, Viewed};
/// #[derive(Clone, Copy)]
/// struct Line<'i> { view: View<'i>, number: u32 }
/// impl Viewed for Line<'static> {
///     type Of<'i> = Line<'i>;
///     type Head = u32;
///     fn split<'i>(value: Self::Of<'i>) -> (View<'i>, u32) { (value.view, value.number) }
///     fn join<'i>(view: View<'i>, number: u32) -> Line<'i> { Line { view, number } }
/// }
/// let kept = { let octets = b"short-lived".to_vec();
///     Owned::<Line<'static>>::new(Line { view: View::new(&octets, &[]), number: 7 }) };
/// assert_eq!(kept.get().view.octets(), b"short-lived");
/// assert_eq!(kept.get().number, 7);
/// ```
pub trait Viewed: 'static {
    /// The view with the lifetime `'i`.
    type Of<'i>: Copy;
    /// What it holds besides octets and spans.
    type Head: Copy + Send + Sync;

    /// Takes a value apart. An implementation names the type as `Self::Of<'i>`.
    fn split<'i>(value: Self::Of<'i>) -> (View<'i>, Self::Head);
    /// Puts it together again over other octets of the same content.
    fn join<'i>(view: View<'i>, head: Self::Head) -> Self::Of<'i>;
}

/// A view that owns its octets: one type for all, whose [`get`](Owned::get) gives the same view again.
pub struct Owned<V: Viewed> {
    octets: Box<[u8]>,
    tape: Box<[Span]>,
    head: V::Head,
}

impl<V: Viewed> Owned<V> {
    /// Copies the octets and the spans of a view.
    #[must_use]
    pub fn new(value: V::Of<'_>) -> Self {
        let (view, head) = V::split(value);
        Self { octets: view.octets.into(), tape: view.tape.into(), head }
    }

    /// The view.
    #[must_use]
    pub fn get(&self) -> V::Of<'_> {
        V::join(View::new(&self.octets, &self.tape), self.head)
    }
}

impl<V: Viewed> Clone for Owned<V> {
    fn clone(&self) -> Self {
        Self { octets: self.octets.clone(), tape: self.tape.clone(), head: self.head }
    }
}

impl<V: Viewed> fmt::Debug for Owned<V>
where
    for<'i> V::Of<'i>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_outside_its_octets_is_empty() {
        assert_eq!(Span::new(1, 3).of(b"abcd"), b"bc");
        assert_eq!(Span::new(1, 9).of(b"abcd"), b"");
        assert_eq!(Span::new(3, 1).of(b"abcd"), b"");
        assert_eq!(Span::new(usize::MAX, usize::MAX).of(b"abcd"), b"");
    }

    #[test]
    fn a_tag_leaves_position_and_length_alone() {
        let span = Span::new(5, 12).tagged(0xf);
        assert_eq!((span.start(), span.len(), span.end(), span.tag()), (5, 7, 12, 0xf));
        assert_eq!(span.tagged(2).tag(), 2);
        assert_eq!(core::mem::size_of::<Span>(), 8);
    }

    #[test]
    fn a_full_tape_says_so_and_can_be_unwritten() {
        let mut tape = Tape { spans: Vec::new(), limit: 2 };
        assert_eq!(tape.push(Span::new(0, 1)), Ok(0));
        assert_eq!(tape.push(Span::new(1, 2)), Ok(1));
        assert_eq!(tape.push(Span::new(2, 3)), Err(TapeFull { limit: 2 }));
        tape.truncate(1);
        assert_eq!(tape.extend(&[Span::default(); 2]), Err(TapeFull { limit: 2 }));
        assert_eq!(tape.extend(&[Span::new(1, 2)]), Ok(1));
        tape.truncate(1);
        assert_eq!(tape.push(Span::new(4, 5)), Ok(1));
        tape.write(1, &[Span::default(); 2]);
        tape.write(0, &[Span::cell(7, 8)]);
        tape.set(0, Span::cell(7, 8));
        assert_eq!(tape.spans(), [Span::cell(7, 8), Span::new(4, 5)]);
    }
}
