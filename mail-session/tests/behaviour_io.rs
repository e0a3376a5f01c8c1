//! Vectors of input and output that are told in words. Each test names its own.
#![allow(unreachable_pub)]

#[allow(unused_imports)]
mod toy;

use bytes::Buf as _;
use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use mail_session::engine::{Engine, Handshake, Step};
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::proto::imap::server::{Config, Event, Offer, Server as Imap};
use mail_session::proto::imap::types::{Condition, ResponseText, Status};
use mail_session::proto::imap::{Command as ImapCommand, Violation};
use mail_session::wire::{End as Ended, Framed, Handover, Input, Machine, Output};
use mail_session::{Error, Session};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use toy::{Client, ClientEvent, Command, Server, tls};

/// The golden transcript of these tests, by hand: commands, and the events that they are to give.
const GOLDEN: [(&[u8], &[&str]); 5] = [
    (b"a LOGIN alice {6+}\r\npencil\r\n", &["LOGIN"]),
    (b"b SELECT {5+}\r\ninbox\r\n", &["SELECT"]),
    (b"c APPEND x {9+}\r\nhi\r\n.\r\nho\r\n", &["APPEND", "chunk hi\\r\\n.\\r\\nho", "end"]),
    (b"d IDLE\r\nDONE\r\n", &["IDLE", "done"]),
    (b"e NOOP\r\n", &["NOOP"]),
];

fn golden() -> (Vec<u8>, Vec<String>) {
    let events = GOLDEN.iter().flat_map(|(_, events)| events.iter().map(|&event| event.to_owned()));
    (GOLDEN.iter().flat_map(|(octets, _)| octets.to_vec()).collect(), events.collect())
}

struct Bench {
    server: Imap,
    input: Input,
    output: Output,
    log: Vec<String>,
    over: Option<Result<(), Violation>>,
}

impl Bench {
    fn new() -> Self {
        let offer = Arc::new(Offer::new("IMAP4rev1 LITERAL+ IDLE").unwrap());
        let server = Imap::new(Config { offer, ..Config::default() });
        let server = Handover::implicit(server).secured();
        let mut bench =
            Self { server, input: Input::new(), output: Output::new(), log: Vec::new(), over: None };
        bench.run();
        bench
    }

    fn fed(octets: &[u8], cuts: &[usize]) -> Self {
        let (mut bench, mut from) = (Self::new(), 0);
        for &cut in cuts.iter().chain([&octets.len()]) {
            bench.say(&octets[from..cut]);
            from = cut;
        }
        bench
    }

    fn say(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let n = self.input.feed(octets);
            octets = &octets[n..];
            self.run();
            if self.over.is_some() {
                return;
            }
            assert!(n > 0 || octets.is_empty(), "the server takes no more");
        }
    }

    /// Runs until the server wants octets. What is owed is always answered, so that nothing else can stop it.
    fn run(&mut self) {
        let ok = Status::new(Condition::Ok, ResponseText::new(b"done").unwrap());
        let Self { server, input, output, log, over } = self;
        for _ in 0..1000 {
            output.advance(output.remaining());
            let unit = match server.frame(input, output) {
                Ok(Framed::Ready(unit)) => unit,
                Ok(Framed::NeedInput) => return,
                Ok(Framed::Closed) => return *over = Some(Ok(())),
                Ok(other) => panic!("{other:?}"),
                Err(violation) => return *over = Some(Err(violation)),
            };
            match server.decode(unit, input).unwrap() {
                Event::Connected(answer) => server.answer(answer, &ok, output).unwrap(),
                Event::Command(ImapCommand::Idle, answer) => {
                    log.push("IDLE".into());
                    let _ = server.idle(answer, output).unwrap();
                }
                Event::Command(command, answer) => {
                    log.push(command.name().into());
                    server.answer(answer, &ok, output).unwrap();
                }
                Event::Append(_, offer) => {
                    log.push("APPEND".into());
                    server.accept_body(offer, output).unwrap();
                }
                Event::Chunk(octets) => {
                    let text = octets.escape_ascii().to_string();
                    match log.last_mut() {
                        Some(last) if last.starts_with("chunk ") => last.push_str(&text),
                        _ => log.push(format!("chunk {text}")),
                    }
                }
                Event::BodyEnd(answer) => {
                    log.push("end".into());
                    server.answer(answer, &ok, output).unwrap();
                }
                Event::IdleDone(answer) => {
                    log.push("done".into());
                    server.answer(answer, &ok, output).unwrap();
                }
                Event::Malformed(malformed, answer) => {
                    log.push(format!("malformed {:?}", malformed.rule));
                    server.refuse(answer, output).unwrap();
                }
                other => log.push(format!("{other:?}")),
            }
        }
        panic!("no end");
    }

    fn eof(mut self) -> (Vec<String>, Result<(), Violation>) {
        if self.over.is_none() {
            self.server.eof(Ended::Fin);
            self.run();
        }
        (self.log, self.over.expect("an end"))
    }
}

/// IO-01.
#[test]
fn an_end_at_every_octet_is_a_boundary_or_a_truncation() {
    let (octets, events) = golden();
    let mut boundaries = vec![0];
    for (octets, _) in GOLDEN {
        boundaries.push(boundaries[boundaries.len() - 1] + octets.len());
    }
    for at in 0..=octets.len() {
        let (seen, over) = Bench::fed(&octets[..at], &[]).eof();
        let expected = if boundaries.contains(&at) { Ok(()) } else { Err(Violation::Truncated) };
        assert_eq!(over, expected, "{at}");
        let known =
            seen.len() <= events.len() && seen.iter().zip(&events).all(|(a, b)| b.starts_with(a.as_str()));
        assert!(known, "{at}: {seen:?}");
        assert_eq!(seen == events, at == octets.len(), "{at}");
    }
}

/// IO-02.
#[test]
fn every_pair_of_cuts_gives_the_same_events() {
    let (octets, events) = golden();
    for one in 0..=octets.len() {
        for two in one..=octets.len() {
            assert_eq!(Bench::fed(&octets, &[one, two]).eof(), (events.clone(), Ok(())), "{one} {two}");
        }
    }
}

/// IO-05: in bounded steps and memory, and the same whether it comes whole or octet by octet.
#[test]
fn an_octet_that_is_changed_lost_or_doubled_does_no_harm() {
    let (octets, _) = golden();
    for at in 0..octets.len() {
        let mut variants = vec![octets.clone(); 4];
        variants[0][at] ^= 1;
        variants[1][at] ^= 0x80;
        variants[2].remove(at);
        variants[3].insert(at, octets[at]);
        for variant in variants {
            let whole = Bench::fed(&variant, &[]);
            assert!(whole.input.capacity() <= 64 * 1024);
            let cuts: Vec<usize> = (0..variant.len()).collect();
            let single = Bench::fed(&variant, &cuts).eof();
            let whole = whole.eof();
            assert_eq!(whole, single, "{}", variant.escape_ascii());
        }
    }
}

/// IO-06.
#[test]
fn behind_an_error_there_is_the_same_error_and_nothing_else() {
    let (mut left, mut right) = memory::link(Plan::default(), Plan::default());
    let offer = Arc::new(Offer::new("IMAP4rev1").unwrap());
    let mut engine = Engine::plain(Imap::new(Config { offer, ..Config::default() }));
    let Ok(Step::Ready(unit)) = engine.step() else { panic!() };
    let Ok((Event::Connected(answer), turn)) = engine.decode(unit) else { panic!() };
    let ok = Status::new(Condition::Ok, ResponseText::new(b"hi").unwrap());
    turn.machine.answer(answer, &ok, turn.output).unwrap();
    io::Write::write_all(&mut left, b"a NO\rOP\r\n").unwrap();
    engine.receive(&mut right).unwrap();
    let Err(Error::Machine(first)) = engine.step() else { panic!() };
    assert!(matches!(first, Violation::Line(_)), "{first:?}");
    while engine.transmit(&mut right).unwrap() > 0 {}
    for _ in 0..3 {
        io::Write::write_all(&mut left, b"x\r\n").unwrap();
        let _ = engine.receive(&mut right);
        assert!(matches!(engine.step(), Err(Error::Machine(again)) if again == first));
        assert!(!engine.wants_write() && engine.turn().output.is_empty());
    }
}

/// A connection whose writes are interrupted, wait, and take one octet, in turn. After `zero` octets they take none and say so by `Ok(0)`.
struct Flaky {
    end: End,
    turn: usize,
    zero: usize,
}

impl AsyncRead for Flaky {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.end).poll_read(cx, to)
    }
}

impl AsyncWrite for Flaky {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.turn += 1;
        match self.turn % 3 {
            1 => Poll::Ready(Err(ErrorKind::Interrupted.into())),
            2 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ if self.zero == 0 => Poll::Ready(Ok(0)),
            _ => {
                self.zero -= 1;
                Pin::new(&mut self.end).poll_write(cx, &from[..from.len().min(1)])
            }
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_flush(cx)
    }
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_close(cx)
    }
}

/// IO-03.
#[test]
fn writes_that_stutter_lose_and_double_nothing() {
    const SENT: &[u8] = b"ECHO one\r\nLOGIN sesame\r\nECHO two\r\nQUIT\r\n";
    for zero in (0..SENT.len()).chain([usize::MAX]) {
        let clock = Clock::new();
        let (left, mut right) = memory::link(Plan::default(), Plan::default());
        let mut session = Session::over(Client::new(), Flaky { end: left, turn: 0, zero }, clock.clone());
        let client = async {
            for command in
                [Command::Echo(b"one"), Command::Login(b"sesame"), Command::Echo(b"two"), Command::Quit]
            {
                let turn = session.turn();
                turn.machine.send(command, turn.output).unwrap();
            }
            let mut error = None;
            for _ in 0..5 {
                match session.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(failed) => error = Some(failed),
                }
            }
            drop(session);
            error
        };
        let peer = async {
            let mut octets = vec![0; SENT.len().min(zero)];
            right.read_exact(&mut octets).await.unwrap();
            if zero > SENT.len() {
                right.write_all(b"+one\r\n+in\r\n+two\r\n+bye\r\n").await.unwrap();
            }
            right.read_to_end(&mut octets).await.unwrap();
            octets
        };
        let (error, octets) = memory::run(&clock, client, peer).unwrap();
        assert_eq!(octets, SENT[..zero.min(SENT.len())]);
        match error {
            None => assert_eq!(zero, usize::MAX),
            Some(Error::Io(error)) => assert_eq!(error.kind(), ErrorKind::WriteZero),
            Some(other) => panic!("{other:?}"),
        }
    }
}

/// Awaits `future`, but drops it at the poll that counts `left` down to nothing; then waits to be woken and gives `None`.
async fn dropped_at<F: Future>(left: &mut Option<usize>, future: F) -> Option<F::Output> {
    let mut future = Some(Box::pin(future));
    std::future::poll_fn(|context| {
        let Some(inner) = &mut future else { return Poll::Ready(None) };
        let poll = inner.as_mut().poll(context).map(Some);
        if poll.is_pending() {
            *left = left.and_then(|left| left.checked_sub(1));
            if left.is_none() {
                future = None;
            }
        }
        poll
    })
    .await
}

/// IO-04: `next` goes on where it was, at every poll that it may be dropped at; a handshake that is dropped ends the connection.
#[test]
fn a_future_that_is_dropped_is_made_good_or_ends_the_connection() {
    const SENT: &[u8] = b"ECHO one\r\nECHO two\r\nQUIT\r\n";
    let mut drops = 0;
    for at in 0..30 {
        let clock = Clock::new();
        let (left, mut right) = memory::link(Plan { capacity: 2, ..Plan::default() }, Plan::default());
        let mut session = Session::over(Client::new(), left, clock.clone());
        let client = async {
            let (mut count, mut replies) = (Some(at), Vec::new());
            for command in [Command::Echo(b"one"), Command::Echo(b"two"), Command::Quit] {
                let turn = session.turn();
                turn.machine.send(command, turn.output).unwrap();
                loop {
                    match dropped_at(&mut count, session.next()).await {
                        None => count = Some(usize::MAX),
                        Some(Ok(Some((ClientEvent::Reply(text), _)))) => break replies.push(text.to_vec()),
                        Some(other) => panic!("{other:?}"),
                    }
                }
            }
            drops += usize::from(count > Some(30));
            drop(session);
            replies
        };
        let peer = async {
            let mut octets = Vec::new();
            for (length, reply) in [(10, "+one\r\n"), (10, "+two\r\n"), (6, "+bye\r\n")] {
                let from = octets.len();
                octets.resize(from + length, 0);
                right.read_exact(&mut octets[from..]).await.unwrap();
                right.write_all(reply.as_bytes()).await.unwrap();
            }
            right.read_to_end(&mut octets).await.unwrap();
            octets
        };
        let (replies, octets) = memory::run(&clock, client, peer).unwrap();
        assert_eq!(replies, [&b"one"[..], b"two", b"bye"], "{at}");
        assert_eq!(octets, SENT, "{at}");
    }
    assert!(drops > 5, "most of them were dropped: {drops}");

    let (left, mut right) = memory::link(Plan::default(), Plan::default());
    {
        let tls = tls::pair().0.to(tls::HOST).unwrap();
        let mut shaking = pin!(Session::over_tls(Client::new(), left, Clock::new(), tls));
        let waker = futures::task::noop_waker();
        assert!(shaking.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    let mut octets = Vec::new();
    io::Read::read_to_end(&mut right, &mut octets).unwrap();
    assert_eq!((octets[0], usize::from(octets[3]) * 256 + usize::from(octets[4]) + 5), (22, octets.len()));
}

/// IO-08: of a flood under TLS, no more is read than the buffers hold while nothing is taken from them.
#[test]
fn a_flood_under_tls_waits_outside() {
    let plan = Plan { capacity: 8 << 20, ..Plan::default() };
    let (mut left, mut right) = memory::link(plan.clone(), plan);
    let mut client = Handshake::implicit(Client::new(), tls::pair().0.to(tls::HOST).unwrap());
    let mut server = Handshake::implicit(Server::new(), tls::pair().1.begin().unwrap());
    for _ in 0..4 {
        while client.transmit(&mut left).unwrap() > 0 {}
        let _ = server.receive(&mut right);
        while server.transmit(&mut right).unwrap() > 0 {}
        let _ = client.receive(&mut left);
    }
    let (mut client, mut server) = (client.finish().unwrap(), server.finish().unwrap());
    let (before, mut sent) = (right.received(), 0);
    for _ in 0..6000 {
        let turn = client.turn();
        turn.machine.send(Command::Echo(&[b'x'; 700]), turn.output).unwrap();
    }
    loop {
        match client.transmit(&mut left).unwrap() {
            0 => break,
            n => sent += n,
        }
    }
    for _ in 0..1000 {
        if server.can_read() {
            server.receive(&mut right).unwrap();
        }
        let _unit = server.step().unwrap(); // A unit is found, and not decoded.
    }
    let read = right.received() - before;
    assert!(sent > 4_000_000 && !server.can_read());
    assert!(read <= 128 * 1024 && server.held() <= 64 * 1024, "{read} {}", server.held());
}
