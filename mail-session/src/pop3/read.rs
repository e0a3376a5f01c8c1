//! A message as a `Read` of the standard library, and as the body of an asynchronous session.
//!
//! Both copy each octet once, out of the input. Where that matters, take what [`Message::next`] lends.

use super::operations::Message;
use crate::blocking::{self, Socket};
#[cfg(feature = "futures")]
use crate::session;
use bytes::{Buf, Bytes};
use mail_pop3_proto::client::Client;
use std::io::{self, Read};

/// Reads 0 octets when the message is complete, and only then: a connection that ends before is an error. Errors are those of the session,
/// inside an [`io::Error`].
impl<S: Socket> Read for Message<'_, blocking::Session<Client, S>> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && !octets.is_empty() {
            let Some(chunk) = self.next()? else { return Ok(0) };
            // What the reader has no room for is copied aside: the input keeps nothing behind the next event.
            let (now, later) = chunk.split_at(chunk.len().min(octets.len()));
            octets[..now.len()].copy_from_slice(now);
            let n = now.len();
            self.rest = Bytes::copy_from_slice(later);
            return Ok(n);
        }
        let n = self.rest.len().min(octets.len());
        self.rest.copy_to_slice(&mut octets[..n]);
        Ok(n)
    }
}

#[cfg(feature = "futures")]
impl<'s, S, T> Message<'s, session::Session<Client, S, T>>
where
    S: futures_io::AsyncRead + futures_io::AsyncWrite + Unpin,
    T: crate::timer::Timer,
{
    /// The message as a `Stream` and an `AsyncRead`. What has been read of it by [`next`](Self::next) is not part of it.
    #[must_use]
    pub fn into_body(self) -> crate::body::Body<'s, Client, S, T> {
        let ended = self.ended;
        self.download.into_session().body_unless(ended)
    }
}
