//! STARTTLS: at every split of its flights, and with plaintext behind it.

use crate::drivers::{plan, talk};
use crate::toy::{Client, ClientEvent, Command, Server, ServerEvent, tls};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use mail_session::engine::{Engine, Handshake, Step};
use mail_session::memory::{self, Chunks, Clock, Plan};
use mail_session::wire::{HandoverError, PlaintextLeft};
use mail_session::{Error, Session, Transcript};

fn cut(at: u64) -> Plan {
    plan(65_536, Chunks::CutAt(at))
}

#[test]
fn the_handshake_completes_at_every_split_of_its_flights() {
    let seen = talk(Plan::default(), Plan::default(), true).logs();
    // The flights end where the client says LOGIN under TLS: 6 octets of STLS, hello, finished; the go-ahead, hello to finished.
    for at in 1..620 {
        assert_eq!(talk(cut(at), Plan::default(), true).logs(), seen, "forth, {at}");
    }
    for at in 1..1100 {
        assert_eq!(talk(Plan::default(), cut(at), true).logs(), seen, "back, {at}");
    }
}

/// What the peer of a session writes in plain text.
async fn says(end: &mut memory::End, text: &[u8]) {
    end.write_all(text).await.unwrap();
}

/// A whole line, a part of one, and one octet: in the same read, and in a read of its own.
const SURPLUS: [&[u8]; 4] = [b"ECHO injected\r\n", b"ECH", b"E", b"\0"];

#[test]
fn plaintext_behind_the_upgrade_ends_a_server_without_an_event() {
    for surplus in SURPLUS {
        let clock = Clock::new();
        let (mut left, right) = memory::link(Plan::default(), Plan::default());
        let mut session = Session::over(Server::new(), right, clock.clone());
        let attack = async {
            says(&mut left, b"STLS\r\n").await;
            says(&mut left, surplus).await;
        };
        let server = async {
            let Some((ServerEvent::StartTls(token), _)) = session.next().await.unwrap() else { panic!() };
            session.start_tls(token, tls::pair().1.begin().unwrap()).await.unwrap_err()
        };
        let ((), error) = memory::run(&clock, attack, server).unwrap();
        let expected = HandoverError::PlaintextLeft(PlaintextLeft { octets: surplus.len() });
        assert!(matches!(error, Error::Handover(error) if error == expected), "{error:?}");
    }
}

#[test]
fn plaintext_behind_the_go_ahead_ends_a_client_without_an_event() {
    for surplus in [&b"+injected\r\n"[..], b"+inj", b"+", b"\0"] {
        let clock = Clock::new();
        let (left, mut right) = memory::link(Plan::default(), Plan::default());
        let mut session = Session::over(Client::new(), left, clock.clone());
        let attack = async {
            says(&mut right, b"^\r\n").await;
            says(&mut right, surplus).await;
        };
        let client = async {
            let turn = session.turn();
            turn.machine.send(Command::Stls, turn.output).unwrap();
            let Some((ClientEvent::StartTls(token), _)) = session.next().await.unwrap() else { panic!() };
            session.start_tls(token, tls::pair().0.to(tls::HOST).unwrap()).await.unwrap_err()
        };
        let ((), error) = memory::run(&clock, attack, client).unwrap();
        let expected = HandoverError::PlaintextLeft(PlaintextLeft { octets: surplus.len() });
        assert!(matches!(error, Error::Handover(error) if error == expected), "{error:?}");
    }
}

/// Plaintext that comes after the hand-over is no record, and never reaches the machine.
#[test]
fn plaintext_in_place_of_the_handshake_fails_it() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    let tap = Transcript::of_server();
    let mut session = Session::over(Server::new(), right, clock.clone()).tap(tap.clone());
    let attack = async {
        says(&mut left, b"STLS\r\n").await;
        let mut go_ahead = [0; 3];
        left.read_exact(&mut go_ahead).await.unwrap();
        assert_eq!(&go_ahead, b"^\r\n");
        says(&mut left, b"ECHO injected\r\n").await;
    };
    let server = async {
        let Some((ServerEvent::StartTls(token), _)) = session.next().await.unwrap() else { panic!() };
        session.start_tls(token, tls::pair().1.begin().unwrap()).await.unwrap_err()
    };
    let ((), error) = memory::run(&clock, attack, server).unwrap();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    assert_eq!(tap.text(), "C: STLS\n-- TLS handshake\nS: ^\n");
}

#[test]
fn a_certificate_of_another_name_or_authority_is_refused() {
    for host in ["other.example.org", "127.0.0.1"] {
        let clock = Clock::new();
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let client = Session::over_tls(Client::new(), left, clock.clone(), tls::pair().0.to(host).unwrap());
        let server = Session::over_tls(Server::new(), right, clock.clone(), tls::pair().1.begin().unwrap());
        let (client, server) = memory::run(&clock, client, server).unwrap();
        assert!(matches!(client, Err(Error::Tls(_))), "{host}");
        // The alert has reached the server: it knows why.
        assert!(matches!(server, Err(Error::Tls(_))), "{host}");
    }
}

#[test]
fn a_connection_that_ends_inside_the_handshake_says_so() {
    for after in [0, 1, 100] {
        let clock = Clock::new();
        let fault = Some((after, memory::Fault::Cut));
        let (left, right) = memory::link(Plan::default(), Plan { fault, ..Plan::default() });
        let tls = tls::pair().0.to(tls::HOST).unwrap();
        let client = Session::over_tls(Client::new(), left, clock.clone(), tls);
        let server = Session::over_tls(Server::new(), right, clock.clone(), tls::pair().1.begin().unwrap());
        let (client, _) = memory::run(&clock, client, server).unwrap();
        assert!(matches!(client, Err(Error::HandshakeCut)), "{after}");
    }
}

/// The hand-over is synchronous: what is queued keeps its place before the first record.
#[test]
fn the_go_ahead_goes_out_before_the_first_record() {
    let (mut left, mut right) = memory::link(Plan::default(), Plan::default());
    std::io::Write::write_all(&mut left, b"STLS\r\n").unwrap();
    let mut engine = Engine::plain(Server::new());
    engine.receive(&mut right).unwrap();
    let Step::Ready(unit) = engine.step().unwrap() else { panic!() };
    let (ServerEvent::StartTls(token), _) = engine.decode(unit).unwrap() else { panic!() };
    let mut handshake = engine.start_tls(token, tls::pair().1.begin().unwrap()).unwrap();
    // The client's first flight arrives before the go-ahead was written.
    let mut hello = Handshake::implicit(Client::new(), tls::pair().0.to(tls::HOST).unwrap());
    while hello.transmit(&mut left).unwrap() > 0 {}
    handshake.receive(&mut right).unwrap();
    while handshake.transmit(&mut right).unwrap() > 0 {}
    let mut octets = [0; 4];
    std::io::Read::read_exact(&mut left, &mut octets).unwrap();
    assert_eq!(octets, *b"^\r\n\x16");
    assert!(!handshake.is_done().unwrap());
    assert!(handshake.finish().is_err());
}

/// Both engines, with TLS, and the link between them.
fn engines() -> (Engine<Client>, Engine<Server>, memory::End, memory::End) {
    let (mut left, mut right) = memory::link(Plan::default(), Plan::default());
    let mut client = Handshake::implicit(Client::new(), tls::pair().0.to(tls::HOST).unwrap());
    let mut server = Handshake::implicit(Server::new(), tls::pair().1.begin().unwrap());
    while !(client.is_done().unwrap() && server.is_done().unwrap()) {
        while client.transmit(&mut left).unwrap() > 0 {}
        let _ = server.receive(&mut right);
        while server.transmit(&mut right).unwrap() > 0 {}
        let _ = client.receive(&mut left);
    }
    while client.transmit(&mut left).unwrap() > 0 {}
    (client.finish().unwrap(), server.finish().unwrap(), left, right)
}

/// A socket that takes one octet at a time.
struct Trickle(Vec<u8>);

impl std::io::Write for Trickle {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(&octets[..1]);
        Ok(1)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Pitfall: sealing whenever there is a little room makes records of one octet.
#[test]
fn a_slow_socket_makes_no_tiny_records() {
    let (mut client, _server, ..) = engines();
    let mut trickle = Trickle(Vec::new());
    for _ in 0..100 {
        let turn = client.turn();
        turn.machine.send(Command::Echo(&[b'x'; 1000]), turn.output).unwrap();
        client.transmit(&mut trickle).unwrap();
    }
    while client.transmit(&mut trickle).unwrap() > 0 {}
    let (mut records, mut rest) = (0, trickle.0.as_slice());
    while let [_, _, _, high, low, ..] = rest {
        records += 1;
        rest = &rest[5 + usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    assert!(rest.is_empty());
    assert!(records < 15, "{records} records for 100 KB");
}

/// Pitfall: what cannot move between threads cannot be spawned.
#[test]
fn sessions_their_events_and_their_futures_are_send() {
    fn send<T: Send>(_: &T) {}
    let (left, _right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), left, Clock::new());
    send(&session);
    let task = async move {
        while let Some((event, mut turn)) = session.next().await? {
            turn.flush().await?;
            if let ServerEvent::Echo(text, token) = event {
                turn.machine.answer(token, text, turn.output).unwrap();
            }
        }
        Ok::<(), Error<crate::toy::Violation>>(())
    };
    send(&task);
}
