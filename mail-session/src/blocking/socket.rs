//! Sockets that can wait for a while.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A connection whose reads and writes can be given a longest wait.
///
/// A read or write that runs out of time fails with [`io::ErrorKind::WouldBlock`] or [`io::ErrorKind::TimedOut`] and has moved nothing.
pub trait Socket: Read + Write {
    /// The longest wait of a read, never zero.
    ///
    /// # Errors
    /// Those of the system.
    fn read_within(&mut self, wait: Duration) -> io::Result<()>;

    /// The longest wait of a write, never zero.
    ///
    /// # Errors
    /// Those of the system.
    fn write_within(&mut self, wait: Duration) -> io::Result<()>;

    /// Ends our direction (FIN).
    ///
    /// # Errors
    /// Those of the system.
    fn finish(&mut self) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn read_within(&mut self, wait: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(wait))
    }

    fn write_within(&mut self, wait: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(wait))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

#[cfg(unix)]
impl Socket for std::os::unix::net::UnixStream {
    fn read_within(&mut self, wait: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(wait))
    }

    fn write_within(&mut self, wait: Duration) -> io::Result<()> {
        self.set_write_timeout(Some(wait))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}
