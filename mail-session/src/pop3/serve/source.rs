//! Messages out of files.

use bytes::Bytes;
use std::io::{self, ErrorKind, Read};

/// A message that is read from a file or any other [`Read`], piece by piece, for [`LockedMaildrop::read`](super::LockedMaildrop::read).
///
/// It knows how long the message is, as the end of a file alone does not tell a message that is whole from one that is cut.
///
/// ```
/// # use mail_session::pop3::serve::Source;
/// let mut source = Source::new(&b"Subject: hello\r\n"[..], 16);
/// assert_eq!(source.piece()?, "Subject: hello\r\n");
/// assert!(source.piece()?.is_empty());
///
/// let mut cut = Source::new(&b"Subject: he"[..], 16);
/// assert_eq!(cut.piece().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Source<R> {
    from: R,
    left: u64,
}

/// Octets of a piece: as many as keep the client busy while the next is read.
const PIECE: u64 = 64 * 1024;

impl<R: Read> Source<R> {
    /// A message of so many octets, as they are in `from`; what stands behind them is not read.
    pub const fn new(from: R, octets: u64) -> Self {
        Self { from, left: octets }
    }

    /// The next octets, 64 KiB at the most; none at the end.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] where `from` ends before, and its own.
    pub fn piece(&mut self) -> io::Result<Bytes> {
        let wanted = self.left.min(PIECE);
        let mut octets = Vec::with_capacity(wanted as usize);
        let n = self.from.by_ref().take(wanted).read_to_end(&mut octets)? as u64;
        if n < wanted {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(n);
        Ok(octets.into())
    }
}
