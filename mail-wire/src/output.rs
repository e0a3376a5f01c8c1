//! Octets to send. The machine puts them in, the driver takes them off the front.
//!
//! Between the two stands one queue, so that answers which come together go out together (RFC 2920 §3.2 asks servers for that, and a segment for
//! each short reply is what makes pipelining slow), and so that nobody has to wait for a socket in order to go on.
//!
//! Two kinds of octets want opposite things of it. Commands and replies are short and many: they are copied into one buffer. Bodies are long
//! and few: they are queued as they are, for to copy a message once more would cost as much as all the rest together.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use bytes::{Buf, Bytes};
use core::fmt;
use zeroize::Zeroize;

/// From this many octets on, a piece of a body is queued as it is and not copied. Below it a copy is cheaper than one more slice in each write.
const UNCOPIED: usize = 1024;

/// What octets on the wire are, decided where they are made: only there is it known, and whoever looks for passwords later misses one. A log
/// shows [`Class::Public`] octets alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Commands, replies, names: may be shown.
    Public,
    /// Passwords, tokens, SASL messages: only their length may be shown. Overwritten once sent.
    Secret,
    /// Content of messages: only its length is shown.
    Body,
}

/// Octets queued for the peer, in order, each run with its [`Class`].
///
/// Short writes are put together in one buffer; a large [`Bytes`] is queued without a copy. Above the
/// high-water mark [`Output::is_full`] says so, and goes on saying so until half is free: else a slow link would cut a body
/// into pieces too small to queue uncopied.
///
/// It is a [`Buf`], so it goes to vectored writes as it stands. [`Buf::advance`] beyond the end stops at the end.
pub struct Output {
    /// Copied octets, in the order of the `Copied` pieces; what stands before `head` has been sent.
    buffer: Vec<u8>,
    head: usize,
    pieces: VecDeque<Piece>,
    queued: usize,
    high: usize,
    full: bool,
    secret: bool,
}

enum Piece {
    Copied { len: usize, class: Class },
    Shared { octets: Bytes, class: Class },
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Copied { len, .. } => *len,
            Self::Shared { octets, .. } => octets.len(),
        }
    }
}

impl Output {
    /// The default high-water mark in octets.
    pub const HIGH_WATER: usize = 32 * 1024;

    /// An output that holds no memory yet, with the default high-water mark.
    #[must_use]
    pub fn new() -> Self {
        Self::with_high_water(Self::HIGH_WATER)
    }

    /// An output with another high-water mark, at least 1 KiB.
    #[must_use]
    pub fn with_high_water(octets: usize) -> Self {
        Self {
            buffer: Vec::new(),
            head: 0,
            pieces: VecDeque::new(),
            queued: 0,
            high: octets.max(1024),
            full: false,
            secret: false,
        }
    }

    /// Copies `octets` to the end.
    #[inline]
    pub fn put(&mut self, class: Class, octets: &[u8]) {
        // The common case, kept short: the run goes on and the buffer has room.
        match self.pieces.back_mut() {
            Some(Piece::Copied { len, class: last })
                if *last == class
                    && self.buffer.capacity().saturating_sub(self.buffer.len()) >= octets.len() =>
            {
                self.buffer.extend_from_slice(octets);
                *len = len.saturating_add(octets.len());
                self.grown(octets.len());
            }
            _ => self.put_run(class, octets),
        }
    }

    /// A run of another class, or one for which the buffer must grow. Runs are kept apart by class and never by call, so that a log is told what
    /// was one line as one line.
    fn put_run(&mut self, class: Class, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        self.secret |= class == Class::Secret;
        self.reserve(octets.len());
        self.buffer.extend_from_slice(octets);
        match self.pieces.back_mut() {
            Some(Piece::Copied { len, class: last }) if *last == class => {
                *len = len.saturating_add(octets.len());
            }
            _ => self.pieces.push_back(Piece::Copied { len: octets.len(), class }),
        }
        self.grown(octets.len());
    }

    /// Puts a number in decimal, as [`Class::Public`].
    pub fn put_decimal(&mut self, number: u64) {
        self.put(Class::Public, decimal(number, &mut [0; 20]));
    }

    /// Queues `octets` at the end; large ones are not copied. Secrets always are: what the caller shares could not be overwritten here.
    pub fn queue(&mut self, class: Class, octets: Bytes) {
        if octets.len() < UNCOPIED || class == Class::Secret {
            return self.put(class, &octets);
        }
        let len = octets.len();
        self.pieces.push_back(Piece::Shared { octets, class });
        self.grown(len);
    }

    /// Whether no more of a body should be queued, and no new command framed, until half is free again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// How many octets of a body may be queued now: nothing while full.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.full { 0 } else { self.high.saturating_sub(self.queued) }
    }

    /// Whether everything has been sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// The octets queued.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queued
    }

    /// The runs that are queued, from the front, each with its class. Adjacent runs of one class may come apart.
    pub fn runs(&self) -> impl Iterator<Item = (Class, &[u8])> + '_ {
        let mut at = self.head;
        self.pieces.iter().map(move |piece| match piece {
            Piece::Copied { len, class } => {
                let end = at.saturating_add(*len);
                let octets = self.buffer.get(at..end).unwrap_or(&[]);
                at = end;
                (*class, octets)
            }
            Piece::Shared { octets, class } => (*class, octets.as_ref()),
        })
    }

    /// Gives the memory back if all is sent. For connections that wait: most of them do, most of the time.
    ///
    /// What was secret has been overwritten by then.
    pub fn idle(&mut self) {
        if self.is_empty() {
            self.buffer = Vec::new();
            self.pieces = VecDeque::new();
        }
    }

    /// The memory held, in octets, without that of queued [`Bytes`].
    #[must_use]
    pub fn capacity(&self) -> usize {
        let piece = core::mem::size_of::<Piece>();
        self.buffer.capacity().saturating_add(self.pieces.capacity().saturating_mul(piece))
    }

    /// Full is a state and no comparison: it begins at the mark, and ends at half of it.
    fn grown(&mut self, by: usize) {
        self.queued = self.queued.saturating_add(by);
        self.full |= self.queued >= self.high;
    }

    fn sent(&mut self, n: usize) {
        self.queued = self.queued.saturating_sub(n);
        if self.queued <= self.high / 2 {
            self.full = false;
        }
    }

    /// Makes room for `n` octets. Where the buffer must grow, no copy of a secret stays in the memory given back.
    fn reserve(&mut self, n: usize) {
        let held = self.buffer.len();
        let (capacity, short) = (self.buffer.capacity(), held.saturating_add(n) > self.buffer.capacity());
        // What has been sent is moved away only where that is cheap, or where the buffer would otherwise grow beyond what a full output needs:
        // moving at every put would cost the square of what is queued.
        let worth = self.head == held || self.head >= capacity / 2 || (short && capacity > self.high);
        if self.head > 0 && worth {
            self.buffer.copy_within(self.head.., 0);
            let left = held.saturating_sub(self.head);
            if self.secret {
                if let Some(rest) = self.buffer.get_mut(left..) {
                    rest.zeroize();
                }
            }
            self.buffer.truncate(left);
            self.head = 0;
        }
        let needed = self.buffer.len().saturating_add(n);
        if needed <= self.buffer.capacity() {
            return;
        }
        let size = self.size_for(needed);
        if !self.secret {
            return self.buffer.reserve_exact(size.saturating_sub(self.buffer.len()));
        }
        let mut buffer = Vec::with_capacity(size);
        buffer.extend_from_slice(&self.buffer);
        self.buffer.zeroize();
        self.buffer = buffer;
    }

    /// Doubles while that is small, then takes in one step all that a full output needs: the old and the new memory together stay
    /// below twice the high-water mark.
    fn size_for(&self, needed: usize) -> usize {
        let doubled = self.buffer.capacity().saturating_mul(2).max(64);
        let full = self.high.saturating_add(self.high / 8);
        match needed {
            needed if needed.max(doubled) <= self.high / 2 => needed.max(doubled),
            needed if needed <= full => full,
            needed => needed.max(doubled),
        }
    }

    /// Takes octets of the first piece alone. A secret is overwritten as it leaves, not when the buffer is dropped: a connection may live long.
    fn advance_front(&mut self, n: usize) -> usize {
        let Some(piece) = self.pieces.front_mut() else { return 0 };
        let n = n.min(piece.len());
        let done = n == piece.len();
        match piece {
            Piece::Copied { len, class } => {
                *len = len.saturating_sub(n);
                let to = self.head.saturating_add(n);
                if *class == Class::Secret {
                    if let Some(octets) = self.buffer.get_mut(self.head..to) {
                        octets.zeroize();
                    }
                }
                self.head = to;
            }
            Piece::Shared { octets, .. } => octets.advance(n),
        }
        if done {
            self.pieces.pop_front();
        }
        if self.head == self.buffer.len() {
            self.head = 0;
            self.buffer.clear();
            self.secret = false;
        }
        n
    }
}

/// The trait of what goes to a socket in slices. None of its calls fails, so a count too large is cut: a driver that reports more than it wrote
/// must not make a machine panic.
impl Buf for Output {
    fn remaining(&self) -> usize {
        self.queued
    }

    fn chunk(&self) -> &[u8] {
        self.runs().next().map_or(&[], |(_, octets)| octets)
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        // Pieces that stand side by side in the buffer go out as one slice, whatever their class.
        let (mut filled, mut at) = (0, self.head);
        let mut pieces = self.pieces.iter().peekable();
        while let Some(slot) = slices.get_mut(filled) {
            let octets = match pieces.next() {
                None => break,
                Some(Piece::Shared { octets, .. }) => octets.as_ref(),
                Some(Piece::Copied { len, .. }) => {
                    let start = at;
                    at = at.saturating_add(*len);
                    while let Some(Piece::Copied { len, .. }) = pieces.peek() {
                        at = at.saturating_add(*len);
                        pieces.next();
                    }
                    self.buffer.get(start..at).unwrap_or(&[])
                }
            };
            *slot = std::io::IoSlice::new(octets);
            filled = filled.saturating_add(1);
        }
        filled
    }

    fn advance(&mut self, count: usize) {
        let mut left = count.min(self.queued);
        while left > 0 {
            let n = self.advance_front(left);
            if n == 0 {
                break;
            }
            left = left.saturating_sub(n);
            self.sent(n);
        }
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Output {
    /// A connection may end before its password has left.
    fn drop(&mut self) {
        if self.secret {
            self.buffer.zeroize();
        }
    }
}

impl fmt::Debug for Output {
    /// Shows sizes alone: the octets may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Output({} octets in {} pieces)", self.queued, self.pieces.len())
    }
}

/// The digits of a number in decimal, without leading zeros.
pub fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0'.saturating_add((number % 10) as u8);
        number /= 10;
        first = index;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
