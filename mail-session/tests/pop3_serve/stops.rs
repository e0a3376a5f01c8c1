//! A shutdown has an end, whatever the client does.

use crate::messages::oneshot;
use crate::peer::open_service;
use crate::shelf::Shelf;
use crate::twins::{HEAD, LOG_IN};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use mail_session::memory::{self, Clock, Plan};
use mail_session::pop3::serve::{Ended, ServeError};
use mail_session::proto::pop3::server::Abort;
use mail_session::{Error, Session, Timer as _};
use std::future::poll_fn;
use std::time::Duration;

const GRACE: Duration = Duration::from_secs(7);
/// What a session that is over has for its last octets.
const LAST: Duration = Duration::from_secs(5);

pub fn long() -> String {
    "a line of the message\r\n".repeat(50_000)
}

/// A link that holds little, so that a client that does not read holds the server up.
pub fn narrow() -> (Plan, Plan) {
    (Plan::default(), Plan { capacity: 100, ..Plan::default() })
}

/// Lets time pass for one side.
async fn wait(clock: &mut Clock, time: Duration) {
    let until = clock.now() + time;
    poll_fn(|context| clock.poll_until(until, context)).await;
}

/// When and how a server ends that is stopped in the middle of a message, against a client that reads so many octets each second.
fn stopped(octets: usize) -> (Duration, Result<Ended, ServeError>) {
    let (shelf, clock, (stop, told)) = (Shelf::new(&[&long()]), Clock::new(), oneshot());
    let service = open_service().grace(GRACE);
    let (from_client, from_server) = narrow();
    let (mut left, right) = memory::link(from_client, from_server);
    let session = Session::over(service.machine(), right, clock.clone());
    let server = async {
        let ended = service.serve(session, &shelf, told).await;
        (clock.elapsed(), ended)
    };
    let client = async {
        let mut clock = clock.clone();
        left.write_all(format!("{LOG_IN}RETR 1\r\n").as_bytes()).await.unwrap();
        let mut some = vec![0; HEAD.len() + octets];
        left.read_exact(&mut some).await.unwrap();
        stop();
        for _ in 0..60 {
            wait(&mut clock, Duration::from_secs(1)).await;
            if left.read_exact(&mut some[..octets]).await.is_err() {
                break;
            }
        }
    };
    let ((), ended) = memory::run(&clock, client, server).unwrap();
    assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("a", false));
    ended
}

/// A drip of octets moves the end no further than silence does.
#[test]
fn a_client_that_reads_nothing_or_little_does_not_hold_it_up() {
    // The last of them gets so far that the server looks again whether it is to stop, more than once.
    for octets in [1, 50, 2_000, 5_000] {
        let (ended_at, ended) = stopped(octets);
        assert!(matches!(ended, Err(ServeError::Session(Error::Timeout))), "{octets}: {ended:?}");
        assert!((GRACE..=GRACE + LAST).contains(&ended_at), "{octets}: {ended_at:?}");
        // What was queued has its own time on top, also where none of it moves.
        assert!(octets > 1 || ended_at == GRACE + LAST, "{ended_at:?}");
    }
}

/// One that reads is given the rest of its message within the time.
#[test]
fn a_client_that_reads_gets_its_message() {
    let (ended_at, ended) = stopped(400_000);
    assert!(matches!(ended, Ok(Ended::Aborted(Abort::Shutdown))), "{ended:?}");
    assert!(ended_at < GRACE, "{ended_at:?}");
}
