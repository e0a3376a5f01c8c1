//! Pitfalls of sessions over TLS, each of which has made a test fail once. What each says, and the test that stands for it:
//!
//! | pitfall | test |
//! |---|---|
//! | close_notify is queued while answers wait: it overtakes the last reply | [`close_notify_never_overtakes_the_last_reply`](crate::ends) |
//! | records are sealed whenever there is a little room: they get one octet each | [`a_slow_socket_makes_no_tiny_records`](crate::handshake) |
//! | both sides close, neither reads | [`both_sides_closing_at_once_ends`](crate::ends) |
//! | close_notify to a peer that has gone is taken for an error | [`a_peer_that_is_gone_at_the_end_is_no_error`](crate::ends) |
//! | a bare FIN under TLS looks like "no data yet" | [`a_cut_is_no_end`](crate::ends) |
//! | a resumed handshake is shorter, so splits of a full one miss it | [`splits_and_transcripts_need_resumption_off`] |
//! | the system's clock beside a virtual one tears deadlines | [`a_session_knows_no_clock_but_its_timer`] |
//! | buffers shrink to their least size, and not to nothing | [`a_session_that_waits_holds_no_buffer`] |
//! | interior mutability in the input takes `Send` away | [`sessions_their_events_and_their_futures_are_send`](crate::handshake) |
//! | the link of the tests does not model FIN: a finished side leaves the other hanging | [`a_link_in_memory_models_fin`] |
//! | a secret leaves copies where the output's buffer grows | [`a_secret_keeps_its_class_where_the_output_grows`]; that it is overwritten is seen beside the buffer, in mail-wire |

use crate::toy::{Client, ClientEvent, Command, Server, ServerEvent, tls};
use bytes::Buf as _;
use futures::{AsyncReadExt, AsyncWriteExt};
use mail_session::engine::{Engine, Handshake, Step};
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::tls::rustls::client::Resumption;
use mail_session::tls::{ClientTls, ServerTls};
use mail_session::wire::{Class, Machine, Output};
use mail_session::{Error, Session};
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

/// How many octets a server sends up to its first answer under TLS, twice with the same configurations.
fn flights(client: &ClientTls, server: &ServerTls) -> [u64; 2] {
    [(); 2].map(|()| {
        let clock = Clock::new();
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let client = async {
            let tls = client.to(tls::HOST).unwrap();
            let mut session = Session::over_tls(Client::new(), left, clock.clone(), tls).await.unwrap();
            let turn = session.turn();
            turn.machine.send(Command::Echo(b"hello"), turn.output).unwrap();
            assert!(matches!(session.next().await, Ok(Some((ClientEvent::Reply(b"hello"), _)))));
            session.connection().received()
        };
        let server = async {
            let tls = server.begin().unwrap();
            let mut session = Session::over_tls(Server::new(), right, clock.clone(), tls).await.unwrap();
            while let Ok(Some((ServerEvent::Echo(text, token), turn))) = session.next().await {
                turn.machine.answer(token, text, turn.output).unwrap();
            }
        };
        memory::run(&clock, client, server).unwrap().0
    })
}

#[test]
fn splits_and_transcripts_need_resumption_off() {
    let (client, server) = tls::configs();
    let [first, second] = flights(&tls::pair().0, &tls::pair().1);
    // A signature takes an octet or two more or less.
    assert!(first.abs_diff(second) <= 8, "{first}, {second}");
    let mut resuming = (*client).clone();
    resuming.resumption = Resumption::in_memory_sessions(8);
    let [first, second] = flights(&resuming.into(), &server.into());
    assert!(second + 200 < first, "what the pitfall is: {first}, {second}");
}

/// The timer of the session is a hundred days ahead, and time passes by it alone: the deadline comes by it, and not before.
#[test]
fn a_session_knows_no_clock_but_its_timer() {
    for ahead in [0, 100 * 24 * 3600] {
        let clock = Clock::new();
        clock.advance(Duration::from_secs(ahead));
        let (left, _right) = memory::link(Plan::default(), Plan::default());
        let mut server = Session::over(Server::new(), left, clock.clone());
        // Real time passes; the session's does not.
        std::thread::sleep(Duration::from_millis(20));
        let waiting = async { server.next().await.unwrap_err() };
        let (error, ()) = memory::run(&clock, waiting, async {}).unwrap();
        assert!(matches!(error, Error::Timeout), "{error:?}");
        assert_eq!(clock.elapsed().as_secs() - ahead, 300, "the machine's patience");

        let clock = Clock::new();
        clock.advance(Duration::from_secs(ahead));
        let (left, _right) = memory::link(Plan::default(), Plan::default());
        let shaking =
            Session::over_tls(Client::new(), left, clock.clone(), tls::pair().0.to(tls::HOST).unwrap());
        let (result, ()) = memory::run(&clock, shaking, async {}).unwrap();
        assert!(matches!(result, Err(Error::Timeout)));
        assert_eq!(clock.elapsed().as_secs() - ahead, 30);
    }
}

/// Reads and writes until neither end has anything to do, and gives what came.
fn settle(
    client: &mut Engine<Client>,
    server: &mut Engine<Server>,
    left: &mut End,
    right: &mut End,
) -> usize {
    fn once<M: Machine>(
        engine: &mut Engine<M>,
        end: &mut End,
        take: impl FnOnce(&mut Engine<M>, Step),
    ) -> bool {
        match engine.step().unwrap() {
            step @ Step::Ready(_) => {
                take(engine, step);
                return true;
            }
            Step::NeedInput => {}
            other => panic!("{other:?}"),
        }
        let mut moved = false;
        while engine.wants_write() {
            match engine.transmit(end) {
                Ok(n) => moved |= n > 0,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        moved | engine.receive(end).is_ok()
    }
    let mut replies = 0;
    for _ in 0..100_000 {
        let served = once(server, right, |engine, step| {
            let Step::Ready(unit) = step else { unreachable!() };
            let (ServerEvent::Echo(text, token), turn) = engine.decode(unit).unwrap() else { panic!() };
            turn.machine.answer(token, text, turn.output).unwrap();
        });
        let heard = once(client, left, |engine, step| {
            let Step::Ready(unit) = step else { unreachable!() };
            assert!(matches!(engine.decode(unit).unwrap().0, ClientEvent::Reply(_)));
            replies += 1;
        });
        if !served && !heard {
            return replies;
        }
    }
    panic!("it never comes to rest");
}

#[test]
fn a_session_that_waits_holds_no_buffer() {
    for secure in [false, true] {
        let (mut left, mut right) = memory::link(Plan::default(), Plan::default());
        let (mut client, mut server) = if secure {
            let mut client = Handshake::implicit(Client::new(), tls::pair().0.to(tls::HOST).unwrap());
            let mut server = Handshake::implicit(Server::new(), tls::pair().1.begin().unwrap());
            for _ in 0..4 {
                while client.transmit(&mut left).unwrap() > 0 {}
                let _ = server.receive(&mut right);
                while server.transmit(&mut right).unwrap() > 0 {}
                let _ = client.receive(&mut left);
            }
            (client.finish().unwrap(), server.finish().unwrap())
        } else {
            (Engine::plain(Client::new()), Engine::plain(Server::new()))
        };
        for _ in 0..3 {
            for _ in 0..30 {
                let turn = client.turn();
                turn.machine.send(Command::Echo(&[b'x'; 1500]), turn.output).unwrap();
            }
            assert!(client.held() > 0);
            assert_eq!(settle(&mut client, &mut server, &mut left, &mut right), 30);
            assert_eq!((client.held(), server.held()), (0, 0), "secure {secure}");
        }
    }
}

#[test]
fn a_link_in_memory_models_fin() {
    // A side that closes, and one that is dropped: what it sent is read first, then the end, again and again.
    for drops in [false, true] {
        let (mut left, mut right) = memory::link(Plan::default(), Plan::default());
        Write::write_all(&mut left, b"last words").unwrap();
        if drops {
            drop(left);
        } else {
            futures::executor::block_on(AsyncWriteExt::close(&mut left)).unwrap();
            // The other direction stays.
            Write::write_all(&mut right, b"heard").unwrap();
            let mut octets = [0; 5];
            Read::read_exact(&mut left, &mut octets).unwrap();
            assert_eq!(&octets, b"heard");
        }
        let mut octets = Vec::new();
        Read::read_to_end(&mut right, &mut octets).unwrap();
        assert_eq!(octets, b"last words");
        assert_eq!(Read::read(&mut right, &mut [0; 9]).unwrap(), 0);
        if drops {
            assert_eq!(
                Write::write(&mut right, b"anybody there?").unwrap_err().kind(),
                ErrorKind::BrokenPipe
            );
        }
    }
    // And who waits for octets is woken by it.
    let clock = Clock::new();
    let (left, mut right) = memory::link(Plan::default(), Plan::default());
    let waiting = async { AsyncReadExt::read(&mut right, &mut [0; 9]).await.unwrap() };
    assert_eq!(memory::run(&clock, waiting, async { drop(left) }).unwrap().0, 0);
}

/// Secrets of many sizes behind octets that wait: the buffer grows under them, and again, and gives them in their order and class. That the
/// place where they were is overwritten can be seen from inside alone, by a test beside the buffer.
#[test]
fn a_secret_keeps_its_class_where_the_output_grows() {
    let mut output = Output::new();
    let mut classes = Vec::new();
    for n in 1..40_usize {
        let secret = vec![b's'; n * 37];
        output.put(Class::Public, b"AUTH ");
        output.put(Class::Secret, &secret);
        classes.push(secret.len());
    }
    let seen: Vec<usize> = output
        .runs()
        .filter(|(class, octets)| {
            assert!((*class == Class::Secret) == octets.iter().all(|octet| *octet == b's'));
            *class == Class::Secret
        })
        .map(|(_, octets)| octets.len())
        .collect();
    assert_eq!(seen, classes);
    // Sent and idle, nothing of them is held.
    output.advance(output.remaining());
    output.idle();
    assert_eq!(output.capacity(), 0);
}
