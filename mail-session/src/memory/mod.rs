//! Connections in memory, for tests: a link with a schedule and faults, a virtual clock, and a runner for two tasks.
//!
//! Nothing here sleeps or opens a socket. [`link`] gives the two [`End`]s of a connection, which take every driver of this crate: an asynchronous
//! [`Session`](crate::Session) as they are, a blocking one by [`End::blocking`]. [`run`] polls two tasks in turn until both are done; when neither can
//! go on, the [`Clock`] jumps to the next deadline.
//!
//! ```
//! use mail_session::memory::{self, Clock, Plan};
//! use futures_io::{AsyncRead, AsyncWrite};
//! use std::{future::poll_fn, pin::Pin};
//! let (mut left, mut right) = memory::link(Plan::default(), Plan { capacity: 1, ..Plan::default() });
//! let send = async move { poll_fn(|cx| Pin::new(&mut left).poll_write(cx, b"hello")).await };
//! let receive = async move { let mut octets = [0; 9]; poll_fn(|cx| Pin::new(&mut right).poll_read(cx, &mut octets)).await };
//! let (sent, received) = memory::run(&Clock::new(), send, receive).unwrap();
//! assert_eq!((sent.unwrap(), received.unwrap()), (5, 5));
//! ```

mod blocking;
mod clock;
mod pipe;
mod run;

pub use blocking::BlockingEnd;
pub use clock::Clock;
pub use pipe::{Chunks, End, Fault, Plan, link};
pub use run::{Deadlock, run};
