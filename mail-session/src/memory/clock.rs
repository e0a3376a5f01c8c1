//! Time that passes only when it is told to.
//!
//! Deadlines of minutes are tested in no time, and to the second: nothing passes while a task can go on.

use crate::timer::Timer;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A virtual clock. Clones show the same time; give each session a clone.
///
/// It passes when [`Clock::advance`] is called, and by [`run`](super::run) to the next deadline.
#[derive(Clone, Debug)]
pub struct Clock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// What was the time when the clock was made.
    start: Instant,
    now: Instant,
    /// Who waits, and for when.
    sleepers: Vec<(Instant, Waker)>,
}

impl Clock {
    /// A clock that stands at zero.
    #[must_use]
    pub fn new() -> Self {
        let now = Instant::now();
        Self { state: Arc::new(Mutex::new(State { start: now, now, sleepers: Vec::new() })) }
    }

    /// Lets time pass, and wakes those whose time has come.
    pub fn advance(&self, by: Duration) {
        self.with(|state| {
            state.now += by;
            state.wake();
        });
    }

    /// The time since the clock was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.with(|state| state.now.saturating_duration_since(state.start))
    }

    /// Jumps to the next deadline that somebody waits for: what the runner does when no task can go on. `false`: nobody does.
    pub(super) fn jump(&self) -> bool {
        self.with(|state| {
            let Some(at) = state.sleepers.iter().map(|(at, _)| *at).min() else { return false };
            state.now = state.now.max(at);
            state.wake();
            true
        })
    }

    /// A test that panics while it holds the lock does not take the others along.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// Wakes whose time has come, and forgets them.
    fn wake(&mut self) {
        let now = self.now;
        self.sleepers.retain(|(at, waker)| {
            if *at <= now {
                waker.wake_by_ref();
            }
            *at > now
        });
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer for Clock {
    fn now(&self) -> Instant {
        self.with(|state| state.now)
    }

    fn poll_until(&mut self, at: Instant, context: &mut Context<'_>) -> Poll<()> {
        self.with(|state| {
            if state.now >= at {
                return Poll::Ready(());
            }
            let known = |(when, waker): &(Instant, Waker)| *when == at && waker.will_wake(context.waker());
            if !state.sleepers.iter().any(known) {
                state.sleepers.push((at, context.waker().clone()));
            }
            Poll::Pending
        })
    }
}
