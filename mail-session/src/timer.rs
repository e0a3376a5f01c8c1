//! Clocks.

use std::task::{Context, Poll};
use std::time::Instant;

/// A clock that can wake a task. One type does both: a deadline set by one clock and awaited by another would tear.
pub trait Timer {
    /// The time.
    fn now(&self) -> Instant;
    /// Ready when it is `at` or later; else the task is woken then. Only the last call counts.
    fn poll_until(&mut self, at: Instant, context: &mut Context<'_>) -> Poll<()>;
}

/// A clock that wakes nobody: a session with it waits for ever. For programs that bound each wait themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patient;

impl Timer for Patient {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn poll_until(&mut self, _at: Instant, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}
