//! A polled connection as a link: what is pending would block.
//!
//! The task was registered to be woken by the connection itself when it said that it is pending, for reading and for writing apart.

use crate::drive::Link;
use futures_io::{AsyncRead, AsyncWrite};
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A connection and the task that polls it.
pub(super) struct Polled<'a, 'c, S> {
    pub(super) io: &'a mut S,
    pub(super) context: &'a mut Context<'c>,
}

/// Pending as an error, as for a socket that does not block.
fn now<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl<S: AsyncRead + Unpin> Read for Polled<'_, '_, S> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.io).poll_read(self.context, octets))
    }
}

impl<S: AsyncWrite + Unpin> Write for Polled<'_, '_, S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        now(Pin::new(&mut *self.io).poll_write(self.context, octets))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        now(Pin::new(&mut *self.io).poll_write_vectored(self.context, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.io).poll_flush(self.context))
    }
}

/// Nothing waits here, so both directions are always looked at.
impl<S: AsyncRead + AsyncWrite + Unpin> Link for Polled<'_, '_, S> {
    const WAITS: bool = false;

    /// Closing is flushing and FIN; it may take several calls.
    fn finish(&mut self) -> io::Result<()> {
        now(Pin::new(&mut *self.io).poll_close(self.context))
    }
}
