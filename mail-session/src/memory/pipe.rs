//! A connection: two directions, each with a capacity, a chunk schedule and faults.
//!
//! It behaves as a TCP connection does: an end that is dropped or closed is a FIN, read behind the last octet; who writes to an end that is gone
//! gets a broken pipe.

use futures_io::{AsyncRead, AsyncWrite};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How one direction of a link behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Octets on the way at once, at least one.
    pub capacity: usize,
    /// How many octets one read gives.
    pub chunks: Chunks,
    /// What goes wrong, and after how many octets.
    pub fault: Option<(u64, Fault)>,
}

impl Default for Plan {
    /// 64 KiB on the way, reads as large as they ask for, no fault.
    fn default() -> Self {
        Self { capacity: 64 * 1024, chunks: Chunks::Whole, fault: None }
    }
}

/// How many octets one read gives at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunks {
    /// As many as there are and the reader has room for.
    Whole,
    /// So many.
    Each(usize),
    /// So many up to the first cut, the rest behind it.
    CutAt(u64),
    /// Between one octet and 99, by a generator that starts here: the same numbers for the same start.
    Random(u64),
}

/// What goes wrong on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing moves any more, and nobody says so.
    Stall,
    /// The reader sees the end of the connection, the writer a broken pipe.
    Cut,
    /// The reader sees the end of the connection; what is written is taken and lost.
    Fin,
}

/// One end of a link. Dropping it is a FIN to the other.
#[derive(Debug)]
pub struct End {
    pub(super) incoming: Arc<Way>,
    pub(super) outgoing: Arc<Way>,
}

/// A connection whose left end writes by the first plan and whose right end writes by the second.
#[must_use]
pub fn link(from_left: Plan, from_right: Plan) -> (End, End) {
    let (a, b) = (Arc::new(Way::new(from_left)), Arc::new(Way::new(from_right)));
    let left = End { incoming: Arc::clone(&b), outgoing: Arc::clone(&a) };
    (left, End { incoming: a, outgoing: b })
}

impl End {
    /// Stops or starts what the other end sends to this one.
    pub fn stall(&self, stalled: bool) {
        self.incoming.change(|state| state.stalled = stalled);
    }

    /// The octets that have arrived and were read here.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.incoming.lock().passed
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.outgoing.change(|state| state.fin = true);
        self.incoming.change(|state| state.gone = true);
    }
}

/// One direction.
#[derive(Debug)]
pub(super) struct Way {
    state: Mutex<State>,
    pub(super) moved: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    plan: Plan,
    /// What is on the way.
    octets: VecDeque<u8>,
    /// How many octets were read: the place of cuts and faults.
    passed: u64,
    stalled: bool,
    /// The writer has ended.
    fin: bool,
    /// The reader has gone.
    gone: bool,
    /// Whoever waits for a change, of either end.
    wakers: Vec<Waker>,
}

impl Way {
    fn new(plan: Plan) -> Self {
        let state = State {
            plan,
            octets: VecDeque::new(),
            passed: 0,
            stalled: false,
            fin: false,
            gone: false,
            wakers: Vec::new(),
        };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// A test that panics while it holds the lock does not take the other end along.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes who waits.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        for waker in state.wakers.drain(..) {
            waker.wake();
        }
        self.moved.notify_all();
        result
    }

    /// The same for a task, which waits where it would block.
    fn poll<T>(
        &self,
        context: &Context<'_>,
        change: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let mut state = self.lock();
        match change(&mut state) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.wakers.push(context.waker().clone());
                }
                Poll::Pending
            }
            result => {
                for waker in state.wakers.drain(..) {
                    waker.wake();
                }
                self.moved.notify_all();
                Poll::Ready(result)
            }
        }
    }
}

impl State {
    /// The fault, once its place is reached.
    fn fault(&self) -> Option<Fault> {
        self.plan.fault.filter(|(at, _)| self.passed >= *at).map(|(_, fault)| fault)
    }

    /// Takes octets off, as many as the schedule gives. `Ok(0)` is the end.
    pub(super) fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.fault() {
            Some(Fault::Cut | Fault::Fin) => return Ok(0),
            Some(Fault::Stall) => return Err(ErrorKind::WouldBlock.into()),
            None if self.stalled => return Err(ErrorKind::WouldBlock.into()),
            None => {}
        }
        if self.octets.is_empty() {
            return if self.fin { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        let most = self.chunk().min(to.len()).min(self.octets.len());
        for (to, from) in to.iter_mut().zip(self.octets.drain(..most)) {
            *to = from;
        }
        self.passed = self.passed.saturating_add(most as u64);
        Ok(most)
    }

    /// Puts octets on, as many as there is room for.
    pub(super) fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self.fault() {
            Some(Fault::Cut) => return Err(ErrorKind::BrokenPipe.into()),
            Some(Fault::Fin) => return Ok(from.len()),
            _ if self.gone || self.fin => return Err(ErrorKind::BrokenPipe.into()),
            _ => {}
        }
        let room = self.plan.capacity.max(1).saturating_sub(self.octets.len()).min(from.len());
        if room == 0 && !from.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.octets.extend(from.iter().take(room));
        Ok(room)
    }

    pub(super) fn finish(&mut self) {
        self.fin = true;
    }

    /// How many octets the next read gives.
    fn chunk(&mut self) -> usize {
        let most = match &mut self.plan.chunks {
            Chunks::Whole => usize::MAX,
            Chunks::Each(n) => (*n).max(1),
            Chunks::CutAt(at) if *at > self.passed => at.saturating_sub(self.passed) as usize,
            Chunks::CutAt(_) => usize::MAX,
            Chunks::Random(seed) => {
                // xorshift64*: enough to vary reads, and the same everywhere.
                let mut x = (*seed).max(1);
                x ^= x >> 12;
                x ^= x << 25;
                x ^= x >> 27;
                *seed = x;
                (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % 99 + 1
            }
        };
        match self.plan.fault {
            Some((at, _)) => most.min(at.saturating_sub(self.passed) as usize).max(1),
            None => most,
        }
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
        self.incoming.poll(cx, |state| state.read(to))
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.outgoing.poll(cx, |state| state.write(from))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.change(State::finish);
        Poll::Ready(Ok(()))
    }
}

/// For engines without a driver: nothing waits, [`ErrorKind::WouldBlock`] says that nothing moves.
impl Read for End {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.incoming.change(|state| state.read(to))
    }
}

impl Write for End {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.outgoing.change(|state| state.write(from))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
