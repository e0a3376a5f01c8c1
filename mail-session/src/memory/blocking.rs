//! An end whose reads and writes wait, for blocking sessions in threads.
//!
//! It waits as a socket does: until something moves, or until the time is up that [`Socket::read_within`] and [`Socket::write_within`] have set;
//! then it says [`ErrorKind::WouldBlock`].

use super::pipe::{End, State, Way};
use crate::blocking::Socket;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// An end that waits, like a socket. Time is real here.
///
/// Dropping it is a FIN to the other end, and wakes it.
#[derive(Debug)]
pub struct BlockingEnd {
    end: End,
    read: Duration,
    write: Duration,
}

impl End {
    /// The same end, waiting: an hour at the most until it is told otherwise. Give it to a [`Session`](crate::blocking::Session) in a thread of
    /// its own.
    #[must_use]
    pub fn blocking(self) -> BlockingEnd {
        BlockingEnd { end: self, read: Duration::from_secs(3600), write: Duration::from_secs(3600) }
    }
}

/// Acts on one direction, again whenever it has moved, until the time is up.
fn wait<T>(way: &Way, most: Duration, mut act: impl FnMut(&mut State) -> io::Result<T>) -> io::Result<T> {
    let until = Instant::now() + most;
    let mut state = way.lock();
    loop {
        match act(&mut state) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            result => {
                // The other end may wait for what has just moved.
                drop(state);
                way.change(|_| ());
                return result;
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::WouldBlock.into());
        }
        (state, _) = way.moved.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
    }
}

impl Read for BlockingEnd {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        wait(&self.end.incoming, self.read, |state| state.read(to))
    }
}

impl Write for BlockingEnd {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        wait(&self.end.outgoing, self.write, |state| state.write(from))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The times hold from the next read or write on.
impl Socket for BlockingEnd {
    fn read_within(&mut self, wait: Duration) -> io::Result<()> {
        self.read = wait;
        Ok(())
    }

    fn write_within(&mut self, wait: Duration) -> io::Result<()> {
        self.write = wait;
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.end.outgoing.change(State::finish);
        Ok(())
    }
}
