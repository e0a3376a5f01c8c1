//! tokio (feature `tokio`): an adapter and a timer, and nothing else.
//!
//! ```no_run
//! use mail_session::sasl::client::Credentials;
//! use mail_session::tls::{ClientTls, provider};
//! use mail_session::{imap, open::Security, tokio};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let security = Security::Implicit(ClientTls::platform(provider())?);
//! let opening = imap::Opening::new("mail.example.org", security).log_in(Credentials::password("me", "secret"));
//! let session = tokio::connect(opening).await?;
//! # Ok(()) }
//! ```

use crate::error::Error;
use crate::flow::FlowError;
use crate::open::Opening;
use crate::session;
use crate::tls::Tls;
use futures_io::{AsyncRead, AsyncWrite};
use mail_wire::Machine;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::ReadBuf;
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::time::Sleep;

/// A session on tokio.
pub type Session<M, S = TcpStream> = session::Session<M, Stream<S>, Timer>;

/// What a turn of such a session writes through.
pub type Writer<'a, S = TcpStream> = session::Writer<'a, Stream<S>, Timer>;

/// How long connecting may take, the look-up of the name and all its addresses together.
const CONNECT: Duration = Duration::from_secs(30);

/// Connects with `TCP_NODELAY`.
async fn dial<E>(address: impl ToSocketAddrs) -> Result<TcpStream, Error<E>> {
    let (mut timer, mut dialling) = (Timer::new(), pin!(TcpStream::connect(address)));
    let until = crate::Timer::now(&timer) + CONNECT;
    let socket = poll_fn(|context| match dialling.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(result.map_err(Error::Io)),
        Poll::Pending => crate::Timer::poll_until(&mut timer, until, context).map(|()| Err(Error::Timeout)),
    })
    .await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Connects to the host of an opening, with `TCP_NODELAY`, makes TLS and logs in. Connecting and TLS may take 30 seconds each; from there on
/// it is the machine's patience.
///
/// # Errors
/// [`FlowError`]; [`Error::Timeout`] in it where the host does not answer.
pub async fn connect<O: Opening>(
    opening: O,
) -> Result<Session<O::Machine>, FlowError<<O::Machine as Machine>::Error>> {
    let socket = dial(opening.address()).await?;
    Session::open(opening, Stream::new(socket), Timer::new()).await
}

/// Runs a task on this thread until it is done, on a runtime of its own: for small programs that name no runtime themselves.
///
/// # Errors
/// Where the system lets no runtime be made.
pub fn block_on<F: Future>(task: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(task))
}

/// A socket that listens, for programs that name no runtime themselves.
pub use tokio::net::TcpListener;

impl<M: Machine> Session<M> {
    /// Connects in plain text, with `TCP_NODELAY`, within 30 seconds.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Timeout`].
    pub async fn connect(machine: M, address: impl ToSocketAddrs) -> Result<Self, Error<M::Error>> {
        Ok(Self::over(machine, Stream::new(dial(address).await?), Timer::new()))
    }

    /// Connects with TLS from the first octet, with `TCP_NODELAY`. Each of the two may take 30 seconds.
    ///
    /// # Errors
    /// As [`Session::over_tls`].
    pub async fn connect_tls(
        machine: M,
        address: impl ToSocketAddrs,
        tls: Tls,
    ) -> Result<Self, Error<M::Error>> {
        Self::over_tls(machine, Stream::new(dial(address).await?), Timer::new(), tls).await
    }

    /// The next connection of a listener, in plain text, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// Those of the listener.
    pub async fn accept(machine: M, listener: &TcpListener) -> io::Result<Self> {
        Self::on(machine, listener.accept().await?.0)
    }

    /// A session on a socket of the caller's, which gets `TCP_NODELAY`.
    ///
    /// # Errors
    /// Those of the system.
    pub fn on(machine: M, socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self::over(machine, Stream::new(socket), Timer::new()))
    }

    /// A session on a socket of the caller's, which gets `TCP_NODELAY`, with TLS from the first octet. To be awaited in the task of the
    /// connection, not where connections are accepted: the peer may take 30 seconds.
    ///
    /// # Errors
    /// As [`Session::over_tls`].
    pub async fn on_tls(machine: M, socket: TcpStream, tls: Tls) -> Result<Self, Error<M::Error>> {
        socket.set_nodelay(true)?;
        Self::over_tls(machine, Stream::new(socket), Timer::new(), tls).await
    }
}

/// A tokio stream as one of `futures-io`.
#[derive(Debug)]
pub struct Stream<S>(S);

impl<S> Stream<S> {
    /// Wraps a stream.
    pub const fn new(stream: S) -> Self {
        Self(stream)
    }

    /// The stream.
    pub const fn get(&self) -> &S {
        &self.0
    }

    /// The stream again.
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: tokio::io::AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(octets);
        ready!(Pin::new(&mut self.0).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl<S: tokio::io::AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// tokio's clock. It follows `tokio::time::pause`.
#[derive(Debug, Default)]
pub struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// A timer that has not been set.
    #[must_use]
    pub const fn new() -> Self {
        Self { sleep: None }
    }
}

impl crate::Timer for Timer {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn poll_until(&mut self, at: Instant, context: &mut Context<'_>) -> Poll<()> {
        let at = tokio::time::Instant::from_std(at);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(context)
    }
}
