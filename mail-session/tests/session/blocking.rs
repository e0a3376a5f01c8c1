//! The blocking driver, on links in memory and on real sockets.

use crate::toy::{Client, ClientEvent, Command, Server, ServerEvent, tls};
use bytes::Bytes;
use mail_session::Error;
use mail_session::blocking::{Next, Session, Socket, Within};
use mail_session::memory::{self, Plan};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

/// Serves one session to its end; how many octets of bodies came in.
fn serve<S: Socket>(mut session: Session<Server, S>) -> usize {
    let mut sum = 0;
    while let Some((event, mut turn)) = session.next().unwrap() {
        match event {
            ServerEvent::Echo(text, token) => turn.machine.answer(token, text, turn.output).unwrap(),
            ServerEvent::Login(_, token) => turn.machine.answer(token, b"welcome", turn.output).unwrap(),
            ServerEvent::Get(n, mut token) => {
                turn.machine.body_head(n, turn.output);
                let mut piece = Bytes::from(vec![b'y'; n as usize]);
                while !piece.is_empty() {
                    turn.machine.body(&mut token, &mut piece, turn.output);
                    turn.flush().unwrap();
                }
                turn.machine.end_body(token, turn.output).unwrap();
            }
            ServerEvent::Put(token) => turn.machine.accept(token, turn.output).unwrap(),
            ServerEvent::Chunk(octets) => sum += octets.len(),
            ServerEvent::BodyEnd(token) => turn.machine.answer(token, b"stored", turn.output).unwrap(),
            ServerEvent::Malformed(token) => turn.machine.refuse(token, turn.output).unwrap(),
            ServerEvent::StartTls(token) => {
                session = session.start_tls(token, tls::pair().1.begin().unwrap()).unwrap();
            }
        }
    }
    sum
}

/// Many pipelined commands, large answers, then a large body, without waiting for a reply.
fn bulk<S: Socket>(session: &mut Session<Client, S>, echoes: usize, get: u64, put: usize) {
    let text = [b'e'; 1000];
    let (mut open, mut got) = (echoes + 2, 0);
    let turn = session.turn();
    for _ in 0..echoes {
        turn.machine.send(Command::Echo(&text), turn.output).unwrap();
    }
    turn.machine.send(Command::Get(get), turn.output).unwrap();
    turn.machine.send(Command::Put, turn.output).unwrap();
    let mut grant = None;
    while grant.is_none() {
        match session.next().unwrap().expect("an answer").0 {
            ClientEvent::Reply(_) => open -= 1,
            ClientEvent::Chunk(octets) => got += octets.len() as u64,
            ClientEvent::BodyEnd => open -= 1,
            ClientEvent::BodyWanted(token) => grant = Some(token),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((open, got), (0, get + 2));
    let (mut grant, mut body) = (grant.unwrap(), Bytes::from(vec![b'x'; put]));
    while !body.is_empty() {
        match session.next_or_room().unwrap() {
            Next::Room => {
                let turn = session.turn();
                turn.machine.body(&mut grant, &mut body, turn.output);
            }
            _ => panic!("nothing but room"),
        }
    }
    let turn = session.turn();
    turn.machine.end_body(grant, turn.output).unwrap();
    assert!(matches!(session.next().unwrap(), Some((ClientEvent::Reply(b"stored"), _))));
}

fn quit<S: Socket>(mut session: Session<Client, S>) {
    let turn = session.turn();
    turn.machine.send(Command::Quit, turn.output).unwrap();
    assert!(matches!(session.next().unwrap(), Some((ClientEvent::Reply(b"bye"), _))));
    assert!(session.next().unwrap().is_none());
    assert!(session.next().unwrap().is_none(), "and it stays so");
}

#[test]
fn bulk_both_ways_through_narrow_links_ends() {
    for (capacity, implicit) in [(64, false), (1, false), (64, true)] {
        let plan = Plan { capacity, ..Plan::default() };
        let (left, right) = memory::link(plan.clone(), plan);
        let server = thread::spawn(move || {
            serve(if implicit {
                let tls = tls::pair().1.begin().unwrap();
                Session::over_tls(Server::new(), right.blocking(), tls).unwrap()
            } else {
                Session::over(Server::new(), right.blocking()).unwrap()
            })
        });
        let mut session = if implicit {
            let tls = tls::pair().0.to(tls::HOST).unwrap();
            Session::over_tls(Client::new(), left.blocking(), tls).unwrap()
        } else {
            Session::over(Client::new(), left.blocking()).unwrap()
        };
        let scale = if capacity == 1 { 1 } else { 20 };
        bulk(&mut session, 2 * scale, 3000 * scale as u64, 5000 * scale);
        quit(session);
        assert_eq!(server.join().unwrap(), 5000 * scale + 2);
    }
}

#[test]
fn megabytes_over_sockets_plain_and_under_tls() {
    for upgrade in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            serve(Session::over(Server::new(), stream).unwrap())
        });
        let mut session = Session::connect(Client::new(), address).unwrap();
        assert!(session.socket().nodelay().unwrap());
        if upgrade {
            let turn = session.turn();
            turn.machine.send(Command::Stls, turn.output).unwrap();
            let Some((ClientEvent::StartTls(token), _)) = session.next().unwrap() else { panic!() };
            session = session.start_tls(token, tls::pair().0.to(tls::HOST).unwrap()).unwrap();
            assert!(session.is_secured());
        }
        bulk(&mut session, 2000, 4_000_000, 8_000_000);
        quit(session);
        assert_eq!(server.join().unwrap(), 8_000_002);
    }
}

/// Both sides queue more than any socket holds before either reads: what breaks the tie is that a write waits shortly.
#[test]
fn a_stalled_write_reads_in_between() {
    const ECHOES: usize = 12_000;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server =
        thread::spawn(move || serve(Session::over(Server::new(), listener.accept().unwrap().0).unwrap()));
    let mut session = Session::connect(Client::new(), address).unwrap();
    let turn = session.turn();
    for _ in 0..ECHOES {
        turn.machine.send(Command::Echo(&[b'z'; 1500]), turn.output).unwrap();
    }
    for _ in 0..ECHOES {
        assert!(matches!(session.next().unwrap(), Some((ClientEvent::Reply(_), _))));
    }
    quit(session);
    server.join().unwrap();
}

#[test]
fn next_within_comes_back_and_loses_nothing() {
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let mut client = Session::over(Client::new(), left.blocking()).unwrap();
    let mut server = Session::over(Server::new(), right.blocking()).unwrap();
    assert!(matches!(server.next_within(Duration::from_millis(5)).unwrap(), Within::Elapsed));
    let turn = client.turn();
    turn.machine.send(Command::Echo(b"hello"), turn.output).unwrap();
    assert!(matches!(client.next_within(Duration::from_millis(5)).unwrap(), Within::Elapsed));
    match server.next_within(Duration::from_millis(5)).unwrap() {
        Within::Event(ServerEvent::Echo(text, token), turn) => {
            turn.machine.answer(token, text, turn.output).unwrap();
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(server.next_within(Duration::from_millis(5)).unwrap(), Within::Elapsed));
    match client.next_within(Duration::from_secs(5)).unwrap() {
        Within::Event(ClientEvent::Reply(b"hello"), _) => {}
        other => panic!("{other:?}"),
    };
}

/// The clock is real here: a short patience, and a drip that never completes a line.
#[test]
fn a_drip_moves_no_deadline_and_the_last_word_goes_out() {
    let patience = Duration::from_millis(300);
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let drip = thread::spawn(move || {
        let (mut left, mut told) = (left.blocking(), Vec::new());
        while left.write_all(b"E").is_ok() && told.is_empty() {
            left.read_within(Duration::from_millis(20)).unwrap();
            let mut octets = [0; 64];
            if let Ok(n) = left.read(&mut octets) {
                told.extend_from_slice(&octets[..n]);
            }
        }
        told
    });
    let mut session = Session::over(Server::with_patience(patience), right.blocking()).unwrap();
    let begun = Instant::now();
    assert!(matches!(session.next(), Err(Error::Timeout)));
    assert!(begun.elapsed() >= patience && begun.elapsed() < Duration::from_secs(5));
    assert!(matches!(session.next(), Err(Error::Timeout)), "and it stays so");
    drop(session);
    assert_eq!(drip.join().unwrap(), b"-too slow\r\n");
}

#[test]
fn a_peer_that_goes_away_ends_a_blocking_session() {
    for (said, clean) in [(&b"ECHO one\r\n"[..], true), (b"ECHO one\r\nECHO tw", false)] {
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let mut left = left.blocking();
        left.write_all(said).unwrap();
        left.finish().unwrap();
        let mut session = Session::over(Server::new(), right.blocking()).unwrap();
        let Some((ServerEvent::Echo(text, token), turn)) = session.next().unwrap() else { panic!() };
        turn.machine.answer(token, text, turn.output).unwrap();
        let end = session.next();
        assert_eq!(end.is_ok_and(|end| end.is_none()), clean);
    }
}
