//! Deadlines on the virtual clock: nothing that a peer or a caller does moves them.

use crate::drivers::plan;
use crate::toy::{Client, Command, Server, ServerEvent, Violation, tls};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use mail_session::memory::{self, Chunks, Clock, Plan};
use mail_session::session::Within;
use mail_session::timer::Timer;
use mail_session::{Error, Session};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

const PATIENCE: u64 = 300;

async fn sleep(clock: &Clock, seconds: u64) {
    let mut clock = clock.clone();
    let until = clock.now() + Duration::from_secs(seconds);
    poll_fn(|context| clock.poll_until(until, context)).await;
}

#[test]
fn a_drip_of_octets_moves_no_deadline() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), right, clock.clone());
    let drip = async {
        for octet in b"ECHO a very slow client".iter().cycle() {
            sleep(&clock, 20).await;
            if left.write_all(&[*octet]).await.is_err() {
                break;
            }
        }
        let mut told = Vec::new();
        left.read_to_end(&mut told).await.unwrap();
        told
    };
    let server = async {
        let error = session.next().await.unwrap_err();
        let at = clock.elapsed();
        // The same from then on, and the link is let go.
        assert!(matches!(session.next().await, Err(Error::Timeout)));
        drop(session);
        (error, at)
    };
    let (told, (error, at)) = memory::run(&clock, drip, server).unwrap();
    assert!(matches!(error, Error::Timeout), "{error:?}");
    assert_eq!(at.as_secs(), PATIENCE);
    assert_eq!(told, b"-too slow\r\n", "the standard's word before the end");
}

#[test]
fn a_cancelled_and_repeated_next_moves_no_deadline() {
    let clock = Clock::new();
    let (_left, right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), right, clock.clone());
    let server = async {
        for round in 0..100 {
            let mut nap = pin!(sleep(&clock, 7));
            let result = {
                let mut next = pin!(session.next());
                poll_fn(|context| {
                    if let Poll::Ready(result) = next.as_mut().poll(context) {
                        return Poll::Ready(Some(result.map(|_| ())));
                    }
                    nap.as_mut().poll(context).map(|()| None)
                })
                .await
            };
            if let Some(result) = result {
                return (round, result.unwrap_err());
            }
        }
        panic!("never");
    };
    let (_, (rounds, error)) = memory::run(&clock, async {}, server).unwrap();
    assert!(matches!(error, Error::Timeout));
    assert_eq!((rounds, clock.elapsed().as_secs()), (42, PATIENCE));
}

/// The caller's time is up again and again; the peer's deadline comes all the same. What arrives is given at once.
#[test]
fn next_within_comes_back_in_time_and_moves_no_deadline() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), right, clock.clone());
    let client = async {
        sleep(&clock, 25).await;
        left.write_all(b"ECHO one\r\nECHO two\r\n").await.unwrap();
    };
    let server = async {
        let mut rounds = Vec::new();
        loop {
            match session.next_within(Duration::from_secs(10)).await {
                Ok(Within::Elapsed) => rounds.push(clock.elapsed().as_secs()),
                Ok(Within::Event(ServerEvent::Echo(text, token), turn)) => {
                    turn.machine.answer(token, text, turn.output).unwrap();
                    rounds.push(1000 + clock.elapsed().as_secs());
                }
                Ok(other) => panic!("{other:?}"),
                Err(error) => return (rounds, error),
            }
        }
    };
    let ((), (rounds, error)) = memory::run(&clock, client, server).unwrap();
    assert!(matches!(error, Error::Timeout));
    assert_eq!(rounds[..5], [10, 20, 1025, 1025, 35]);
    assert_eq!((rounds.len(), clock.elapsed().as_secs()), (4 + 29, 25 + PATIENCE));
}

#[test]
fn next_within_no_time_looks_at_what_has_arrived() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), right, clock.clone());
    let look = async {
        assert!(matches!(session.next_within(Duration::ZERO).await, Ok(Within::Elapsed)));
        left.write_all(b"QUIT\r\n").await.unwrap();
        left.close().await.unwrap();
        assert!(matches!(session.next_within(Duration::ZERO).await, Ok(Within::Closed)));
    };
    memory::run(&clock, look, async {}).unwrap();
    assert!(clock.elapsed().is_zero());
}

#[test]
fn an_event_begins_the_wait_anew() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), right, clock.clone());
    let client = async {
        for _ in 0..5 {
            sleep(&clock, 290).await;
            left.write_all(b"ECHO still here\r\n").await.unwrap();
        }
        left.write_all(b"QUIT\r\n").await.unwrap();
    };
    let server = async {
        let mut events = 0;
        while let Some((event, turn)) = session.next().await.unwrap() {
            let ServerEvent::Echo(text, token) = event else { panic!() };
            turn.machine.answer(token, text, turn.output).unwrap();
            events += 1;
        }
        events
    };
    assert_eq!(memory::run(&clock, client, server).unwrap().1, 5);
}

/// The peer reads nothing: a flush from a turn ends as well, and so does the wait for the next command.
#[test]
fn a_peer_that_does_not_read_runs_out_of_time() {
    for flush in [true, false] {
        let clock = Clock::new();
        let (mut left, right) = memory::link(Plan::default(), plan(16, Chunks::Whole));
        let mut session = Session::over(Server::new(), right, clock.clone());
        let client = async { left.write_all(b"ECHO 0123456789abcdef\r\nECHO 1\r\n").await.unwrap() };
        let server = async {
            let Some((ServerEvent::Echo(text, token), mut turn)) = session.next().await.unwrap() else {
                panic!()
            };
            turn.machine.answer(token, text, turn.output).unwrap();
            if flush {
                let result: Result<(), Error<Violation>> = turn.flush().await;
                assert!(matches!(result, Err(Error::Timeout)));
                assert_eq!(clock.elapsed().as_secs(), PATIENCE);
            } else {
                assert!(session.next().await.unwrap().is_some(), "the second command has arrived");
                // Its token is dropped: an error at once, and no hang.
                assert!(matches!(session.next().await, Err(Error::AnswerOwed)));
                return;
            }
            assert!(matches!(session.next().await, Err(Error::Timeout)));
            assert_eq!(clock.elapsed().as_secs(), PATIENCE + 5, "the last octets have their grace");
        };
        memory::run(&clock, client, server).unwrap();
    }
}

#[test]
fn a_stalled_link_ends_a_handshake_after_thirty_seconds_and_a_session_after_its_patience() {
    let clock = Clock::new();
    let fault = Some((40, memory::Fault::Stall));
    let (left, _right) = memory::link(Plan { fault, ..Plan::default() }, Plan { fault, ..Plan::default() });
    let tls = tls::pair().0.to(tls::HOST).unwrap();
    let session = Session::over_tls(Client::new(), left, clock.clone(), tls);
    let (result, ()) = memory::run(&clock, session, async {}).unwrap();
    assert!(matches!(result, Err(Error::Timeout)));
    assert_eq!(clock.elapsed().as_secs(), 30);

    let clock = Clock::new();
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let mut client = Session::over(Client::new(), left, clock.clone());
    let mut server = Session::over(Server::new(), right, clock.clone());
    server.connection().stall(true);
    let turn = client.turn();
    turn.machine.send(Command::Echo(b"hello?"), turn.output).unwrap();
    let (a, b) = memory::run(&clock, async { client.next().await.unwrap_err() }, async {
        server.next().await.unwrap_err()
    })
    .unwrap();
    assert!(matches!((a, b), (Error::Timeout, Error::Timeout)));
}
