//! Two tasks on one thread and one clock.
//!
//! A task is polled only when it was woken, so a driver that forgets to be woken is found: it ends in [`Deadlock`].

use super::clock::Clock;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Both tasks wait and no deadline is set: they would wait for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("both tasks wait for each other")]
pub struct Deadlock;

#[derive(Debug)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls two tasks in turn until both are done. When neither was woken, `clock` jumps to the next deadline.
///
/// # Errors
/// [`Deadlock`].
pub fn run<A: Future, B: Future>(clock: &Clock, a: A, b: B) -> Result<(A::Output, B::Output), Deadlock> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (woken_a, woken_b) = (Arc::new(Woken(AtomicBool::new(true))), Arc::new(Woken(AtomicBool::new(true))));
    let (waker_a, waker_b) = (Waker::from(Arc::clone(&woken_a)), Waker::from(Arc::clone(&woken_b)));
    let (mut done_a, mut done_b) = (None, None);
    loop {
        let mut moved = false;
        if done_a.is_none() && woken_a.0.swap(false, Ordering::SeqCst) {
            moved = true;
            if let Poll::Ready(output) = a.as_mut().poll(&mut Context::from_waker(&waker_a)) {
                done_a = Some(output);
            }
        }
        if done_b.is_none() && woken_b.0.swap(false, Ordering::SeqCst) {
            moved = true;
            if let Poll::Ready(output) = b.as_mut().poll(&mut Context::from_waker(&waker_b)) {
                done_b = Some(output);
            }
        }
        match (done_a, done_b) {
            (Some(a), Some(b)) => return Ok((a, b)),
            (a, b) => (done_a, done_b) = (a, b),
        }
        if !moved && !clock.jump() {
            return Err(Deadlock);
        }
    }
}
