//! What drives a [`Serving`]: a session and a host, awaiting or blocking.
//!
//! Neither driver knows the protocol. What differs is how they wait: where the one awaits an event or the word to stop, the other looks up once
//! a second.

use super::ended::{Ended, ServeError};
use super::host::{AsyncHost, AsyncLockedMaildrop, Host, LockedMaildrop};
use super::service::Service;
use super::serving::{Serving, Want};
use crate::blocking::{self, Socket, Within};
use crate::session::{self, Session};
use crate::timer::Timer;
use futures_io::{AsyncRead, AsyncWrite};
use mail_pop3_proto::server::Server;
use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

/// How often a blocking driver looks whether it is to stop.
const LOOK: Duration = Duration::from_secs(1);

/// Carries a question to the host and its answer to the serving, by `.await` or without. Gives what is wanted then.
macro_rules! put {
    ($question:ident, $serving:ident, $session:ident, $host:ident, [$($await:tt)*]) => {
        match $question {
            Want::LogIn(attempt) => {
                let opened = $host.log_in(attempt)$($await)*;
                $serving.logged_in(opened, $session.turn().bare())
            }
            Want::Secret(identity) => {
                let secret = $host.scram_secret(&identity)$($await)*;
                $serving.secret(secret, $session.turn().bare())
            }
            Want::Delay => {
                $session.pause($serving.service.delay)$($await)*;
                $serving.resume($session.turn().bare())
            }
            Want::Read(message, offset) => {
                let piece = match $serving.locked() {
                    Some(locked) => locked.read(message, offset)$($await)*,
                    None => Err(ErrorKind::NotFound.into()),
                };
                $serving.read(piece, $session.turn().bare())
            }
            Want::Commit(locked, deletions) => {
                let outcome = locked.commit(deletions)$($await)*;
                $serving.committed(outcome, $session.turn().bare())
            }
            Want::StartTls(offer, tls) => {
                $session = $session.start_tls(offer, *tls)$($await)*?;
                Ok(Want::Event)
            }
            Want::Event | Want::Room => $serving.room($session.turn().bare()),
        }
    };
}

impl Service {
    /// Serves a connection to its end. The session is one of [`Service::machine`], in plain text or under TLS.
    ///
    /// When `stop` is ready the command in flight is finished, and the session ends without a word, as RFC 1939 §3 has it for a timer that
    /// runs out: nothing is removed. A client that has asked for a message and does not read it holds that up no longer than
    /// [`Service::grace`], and a host no longer than its own call takes; then the session ends with [`Error::Timeout`](crate::Error::Timeout),
    /// and the message without its end. Dropping the future ends the connection at once, and drops the maildrop. Where nothing ever stops
    /// it, pass [`std::future::pending`].
    ///
    /// # Errors
    /// [`ServeError`]: the connection is over.
    pub async fn serve<H, S, T>(
        &self,
        mut session: Session<Server, S, T>,
        host: &H,
        stop: impl Future<Output = ()>,
    ) -> Result<Ended, ServeError>
    where
        H: AsyncHost,
        S: AsyncRead + AsyncWrite + Unpin,
        T: Timer,
    {
        let mut serving = Serving::new(self);
        let mut stop = Stop { future: pin!(stop), told: false };
        let mut want: Want<H::Locked> = Want::Event;
        loop {
            // `None`: there is room, or it is time to stop.
            let next = match want {
                Want::Event => match stop.or(session.next()).await {
                    Some(Ok(Some((event, turn)))) => Some(serving.on(event, turn.bare())),
                    Some(Ok(None)) => return serving.end(Ok(())),
                    Some(Err(error)) => return serving.end(Err(error)),
                    None => None,
                },
                Want::Room => match stop.or(session.next_or_room()).await {
                    Some(Ok(session::Next::Event(event, turn))) => Some(serving.on(event, turn.bare())),
                    Some(Ok(session::Next::Closed)) => return serving.end(Ok(())),
                    Some(Err(error)) => return serving.end(Err(error)),
                    Some(Ok(session::Next::Room)) | None => None,
                },
                question => Some(put!(question, serving, session, host, [.await])),
            };
            if stop.told {
                session.shutdown_within(self.grace);
            }
            want = match next.unwrap_or_else(|| serving.room(session.turn().bare())) {
                Ok(want) => want,
                Err(misuse) => {
                    session.close().await;
                    return Err(misuse.into());
                }
            };
        }
    }

    /// Serves a connection to its end, on a blocking socket. The session is one of [`Service::machine`], in plain text or under TLS.
    ///
    /// `stop` is looked at once a second; when it is set, all is as with [`Service::serve`]. What the client may take its time with, by the
    /// limits of the configuration, this call does too; a server gives each connection a thread.
    ///
    /// # Errors
    /// [`ServeError`]: the connection is over.
    pub fn serve_blocking<H: Host, S: Socket>(
        &self,
        mut session: blocking::Session<Server, S>,
        host: &H,
        stop: &AtomicBool,
    ) -> Result<Ended, ServeError> {
        let mut serving = Serving::new(self);
        let mut want: Want<H::Locked> = Want::Event;
        loop {
            // `None`: there is room, or it is time to look.
            let next = match want {
                Want::Event => match session.next_within(LOOK) {
                    Ok(Within::Event(event, turn)) => Some(serving.on(event, turn.bare())),
                    Ok(Within::Closed) => return serving.end(Ok(())),
                    Err(error) => return serving.end(Err(error)),
                    Ok(Within::Elapsed) => None,
                },
                Want::Room => match session.room_within(LOOK) {
                    Ok(Some(blocking::Next::Event(event, turn))) => Some(serving.on(event, turn.bare())),
                    Ok(Some(blocking::Next::Closed)) => return serving.end(Ok(())),
                    Err(error) => return serving.end(Err(error)),
                    Ok(Some(blocking::Next::Room) | None) => None,
                },
                question => Some(put!(question, serving, session, host, [])),
            };
            if stop.load(Ordering::Relaxed) {
                session.shutdown_within(self.grace);
            }
            want = match next.unwrap_or_else(|| serving.room(session.turn().bare())) {
                Ok(want) => want,
                Err(misuse) => {
                    session.close();
                    return Err(misuse.into());
                }
            };
        }
    }
}

/// What ends a session from outside. It is not asked again once it has told.
struct Stop<'f, F> {
    future: Pin<&'f mut F>,
    /// Whether it has.
    told: bool,
}

impl<F: Future<Output = ()>> Stop<'_, F> {
    /// What `act` gives, or `None`: it is time to stop. Then `act` is dropped, which the waits of a session allow.
    async fn or<A: Future>(&mut self, act: A) -> Option<A::Output> {
        let mut act = pin!(act);
        poll_fn(|context| {
            if !self.told && self.future.as_mut().poll(context).is_ready() {
                self.told = true;
                return Poll::Ready(None);
            }
            act.as_mut().poll(context).map(Some)
        })
        .await
    }
}
