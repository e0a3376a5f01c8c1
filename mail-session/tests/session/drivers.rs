//! The asynchronous driver on links in memory: the same events for every way of cutting the octets, plain and under TLS.

use crate::toy::{Client, ClientEvent, Command, Server, ServerEvent, Violation, tls};
use bytes::Bytes;
use mail_session::memory::{self, Chunks, Clock, End, Plan};
use mail_session::session::Next;
use mail_session::{Error, Session, Transcript};
use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

pub type Log = Vec<String>;
pub type Outcome = Result<Log, Error<Violation>>;

fn note(log: &mut Log, event: &impl std::fmt::Debug) {
    let text = format!("{event:?}");
    // Tokens carry numbers that differ from run to run.
    log.push(text.split("Token(").next().unwrap_or_default().to_owned());
}

/// Adjacent chunks of a body are one: how a body is cut is the link's business.
fn chunk(log: &mut Log, octets: &[u8]) {
    let text = octets.escape_ascii().to_string();
    match log.last_mut() {
        Some(last) if last.starts_with("chunk ") => last.push_str(&text),
        _ => log.push(format!("chunk {text}")),
    }
}

/// When the futures of a session are dropped: at no poll that is pending, at each, or at one.
#[derive(Clone, Copy, Debug)]
pub enum Drops {
    Never,
    Always,
    At(usize),
}

/// Counts polls that are pending.
#[derive(Clone, Debug)]
pub struct Polls {
    drops: Drops,
    count: Rc<Cell<usize>>,
}

impl Polls {
    pub fn new(drops: Drops) -> Self {
        Self { drops, count: Rc::default() }
    }

    pub fn count(&self) -> usize {
        self.count.get()
    }

    /// Awaits `future`, or drops it at a poll that is pending: then `None`, when something has woken the task.
    pub async fn on<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = Some(Box::pin(future));
        std::future::poll_fn(|context| {
            let Some(inner) = &mut future else { return Poll::Ready(None) };
            let poll = inner.as_mut().poll(context).map(Some);
            if poll.is_pending() {
                let count = self.count.replace(self.count.get() + 1);
                match self.drops {
                    Drops::Always => future = None,
                    Drops::At(at) if at == count => future = None,
                    _ => {}
                }
            }
            poll
        })
        .await
    }
}

pub async fn server(mut session: Session<Server, End, Clock>, polls: &Polls) -> Outcome {
    let mut log = Log::new();
    loop {
        let Some(next) = polls.on(session.next()).await else { continue };
        let Some((event, mut turn)) = next? else { return Ok(log) };
        if let ServerEvent::Chunk(octets) = &event {
            chunk(&mut log, octets);
            continue;
        }
        note(&mut log, &event);
        match event {
            ServerEvent::Echo(text, token) => turn.machine.answer(token, text, turn.output).unwrap(),
            ServerEvent::Login(_, token) => turn.machine.answer(token, b"welcome", turn.output).unwrap(),
            ServerEvent::Get(n, mut token) => {
                turn.machine.body_head(n, turn.output);
                let mut piece = Bytes::from(vec![b'.'; n as usize]);
                while !piece.is_empty() {
                    turn.machine.body(&mut token, &mut piece, turn.output);
                    while polls.on(turn.flush()).await.transpose()?.is_none() {}
                }
                turn.machine.end_body(token, turn.output).unwrap();
            }
            ServerEvent::Put(token) => turn.machine.accept(token, turn.output).unwrap(),
            ServerEvent::BodyEnd(token) => turn.machine.answer(token, b"stored", turn.output).unwrap(),
            ServerEvent::Malformed(token) => turn.machine.refuse(token, turn.output).unwrap(),
            ServerEvent::Chunk(_) => unreachable!("taken above"),
            ServerEvent::StartTls(token) => {
                session = session.start_tls(token, tls::pair().1.begin().unwrap()).await?;
                assert!(session.turn().machine.is_secured());
            }
        }
    }
}

pub async fn client(mut session: Session<Client, End, Clock>, upgrade: bool, polls: &Polls) -> Outcome {
    let mut log = Log::new();
    let mut script = Vec::new();
    if upgrade {
        script.push(vec![Command::Stls]);
    }
    script.push(vec![
        Command::Login(b"open sesame"),
        Command::Echo(b"one"),
        Command::Get(5),
        Command::Echo(b"two"),
    ]);
    script.push(vec![Command::Put]);
    script.push(vec![Command::Quit]);
    for group in script {
        let mut open = group.len();
        for command in group {
            let turn = session.turn();
            turn.machine.send(command, turn.output).unwrap();
            open += usize::from(matches!(command, Command::Get(_)));
        }
        while open > 0 {
            let Some(next) = polls.on(session.next()).await else { continue };
            let Some((event, turn)) = next? else { return Ok(log) };
            if let ClientEvent::Chunk(octets) = event {
                chunk(&mut log, octets);
                continue;
            }
            note(&mut log, &event);
            open -= 1;
            match event {
                ClientEvent::StartTls(token) => {
                    session = session.start_tls(token, tls::pair().0.to(tls::HOST).unwrap()).await?;
                    assert!(session.turn().machine.is_secured());
                }
                ClientEvent::BodyWanted(mut token) => {
                    let mut piece = Bytes::from_static(b".first\r\n..\r\nlast");
                    turn.machine.body(&mut token, &mut piece, turn.output);
                    turn.machine.end_body(token, turn.output).unwrap();
                    open += 1;
                }
                _ => {}
            }
        }
    }
    loop {
        let Some(next) = polls.on(session.next()).await else { continue };
        assert!(next?.is_none());
        return Ok(log);
    }
}

/// What both sides have seen, and what a tap of each shows.
#[derive(Debug)]
pub struct Talk {
    pub client: Outcome,
    pub server: Outcome,
    pub taps: [String; 2],
}

impl Talk {
    pub fn logs(self) -> (Log, Log) {
        (self.client.unwrap(), self.server.unwrap())
    }
}

pub fn talk(forth: Plan, back: Plan, upgrade: bool) -> Talk {
    talk_with(forth, back, upgrade, &Polls::new(Drops::Never))
}

pub fn talk_with(forth: Plan, back: Plan, upgrade: bool, polls: &Polls) -> Talk {
    let clock = Clock::new();
    let (left, right) = memory::link(forth, back);
    let taps = [Transcript::of_client(), Transcript::of_server()];
    let a = Session::over(Client::new(), left, clock.clone()).tap(taps[0].clone());
    let b = Session::over(Server::new(), right, clock.clone()).tap(taps[1].clone());
    let (client, server) =
        memory::run(&clock, client(a, upgrade, polls), server(b, polls)).expect("no deadlock");
    Talk { client, server, taps: taps.map(|tap| tap.text()) }
}

pub fn plan(capacity: usize, chunks: Chunks) -> Plan {
    Plan { capacity, chunks, ..Plan::default() }
}

#[test]
fn a_session_reads_as_it_was_written_down() {
    let (client, server) = talk(Plan::default(), Plan::default(), false).logs();
    assert_eq!(
        server,
        [
            "Login([111, 112, 101, 110, 32, 115, 101, 115, 97, 109, 101], ",
            "Echo([111, 110, 101], ",
            "Get(5, ",
            "Echo([116, 119, 111], ",
            "Put(",
            "chunk .first\\r\\n..\\r\\nlast\\r\\n",
            "BodyEnd(",
        ]
    );
    assert_eq!(
        client,
        [
            "Reply([119, 101, 108, 99, 111, 109, 101])",
            "Reply([111, 110, 101])",
            "Reply([53])",
            "chunk .....\\r\\n",
            "BodyEnd",
            "Reply([116, 119, 111])",
            "BodyWanted(",
            "Reply([115, 116, 111, 114, 101, 100])",
            "Reply([98, 121, 101])",
        ]
    );
}

#[test]
fn every_schedule_gives_the_same_events() {
    for upgrade in [false, true] {
        let seen = talk(Plan::default(), Plan::default(), upgrade).logs();
        let schedules = [
            plan(1, Chunks::Whole),
            plan(7, Chunks::Whole),
            plan(64, Chunks::Whole),
            plan(65_536, Chunks::Each(1)),
            plan(65_536, Chunks::Random(1)),
            plan(300, Chunks::Random(2)),
            plan(65_536, Chunks::Random(3)),
        ];
        for schedule in schedules {
            let again = talk(schedule.clone(), schedule.clone(), upgrade).logs();
            assert_eq!(again, seen, "{schedule:?}");
        }
    }
}

#[test]
fn bulk_senders_loop_over_room() {
    const SIZE: usize = 3_000_000;
    for capacity in [64, 65_536] {
        let clock = Clock::new();
        let (left, right) = memory::link(plan(capacity, Chunks::Whole), plan(capacity, Chunks::Whole));
        let clock_a = clock.clone();
        let send = async move {
            let mut session = Session::over(Client::new(), left, clock_a);
            let turn = session.turn();
            turn.machine.send(Command::Put, turn.output).unwrap();
            let Some((ClientEvent::BodyWanted(mut grant), _)) = session.next().await.unwrap() else {
                panic!()
            };
            let mut body = Bytes::from(vec![b'x'; SIZE]);
            while !body.is_empty() {
                match session.next_or_room().await.unwrap() {
                    Next::Room => {
                        let turn = session.turn();
                        turn.machine.body(&mut grant, &mut body, turn.output);
                    }
                    _ => panic!("nothing but room"),
                }
            }
            let turn = session.turn();
            turn.machine.end_body(grant, turn.output).unwrap();
            let Some((ClientEvent::Reply(b"stored"), _)) = session.next().await.unwrap() else { panic!() };
            let turn = session.turn();
            turn.machine.send(Command::Quit, turn.output).unwrap();
            while session.next().await.unwrap().is_some() {}
        };
        let clock_b = clock.clone();
        let receive = async move {
            let mut session = Session::over(Server::new(), right, clock_b);
            let mut sum = 0;
            while let Some((event, turn)) = session.next().await.unwrap() {
                match event {
                    ServerEvent::Put(token) => turn.machine.accept(token, turn.output).unwrap(),
                    ServerEvent::Chunk(octets) => sum += octets.len(),
                    ServerEvent::BodyEnd(token) => {
                        turn.machine.answer(token, b"stored", turn.output).unwrap()
                    }
                    _ => panic!(),
                }
            }
            sum
        };
        let (_, sum) = memory::run(&clock, send, receive).unwrap();
        assert_eq!(sum, SIZE + 2);
    }
}

/// All but `start_tls` may be dropped at any poll: the same events and the same octets.
#[test]
fn a_dropped_future_changes_nothing() {
    for (capacity, upgrade) in [(7, false), (37, false), (1000, false), (37, true), (1000, true)] {
        let narrow = || plan(capacity, Chunks::Whole);
        let polls = Polls::new(Drops::Never);
        let calm = talk_with(narrow(), narrow(), upgrade, &polls);
        let (pending, taps) = (polls.count(), calm.taps.clone());
        let seen = calm.logs();
        let step = if upgrade { 7 } else { 1 };
        let singles = (0..pending).step_by(step).map(Drops::At);
        for drops in std::iter::once(Drops::Always).chain(singles) {
            let again = talk_with(narrow(), narrow(), upgrade, &Polls::new(drops));
            assert_eq!(again.taps, taps, "{capacity} {drops:?}");
            assert_eq!(again.logs(), seen, "{capacity} {drops:?}");
        }
    }
}

/// Everything at once and nothing awaited in between: many commands, a large answer, a large body, through links that hold almost nothing.
#[test]
fn bulk_in_both_directions_ends() {
    for (capacity, upgrade, scale) in [(1, false, 1), (64, false, 40), (1, true, 1), (64, true, 40)] {
        let clock = Clock::new();
        let narrow = plan(capacity, Chunks::Whole);
        let (left, right) = memory::link(narrow.clone(), narrow);
        let polls = Polls::new(Drops::Never);
        let (get, put, echoes) = (3000 * scale, 2500 * scale, 4 * scale);
        let clock_a = clock.clone();
        let send = async {
            let mut session = Session::over(Client::new(), left, clock_a);
            if upgrade {
                let turn = session.turn();
                turn.machine.send(Command::Stls, turn.output).unwrap();
                let Some((ClientEvent::StartTls(token), _)) = session.next().await.unwrap() else { panic!() };
                session = session.start_tls(token, tls::pair().0.to(tls::HOST).unwrap()).await.unwrap();
            }
            let turn = session.turn();
            for _ in 0..echoes {
                turn.machine.send(Command::Echo(&[b'e'; 700]), turn.output).unwrap();
            }
            turn.machine.send(Command::Get(get as u64), turn.output).unwrap();
            turn.machine.send(Command::Put, turn.output).unwrap();
            let (mut got, mut body) = (0, Bytes::from(vec![b'b'; put]));
            while let Some((event, _)) = session.next().await.unwrap() {
                match event {
                    ClientEvent::Chunk(octets) => got += octets.len(),
                    ClientEvent::BodyWanted(mut grant) => {
                        while !body.is_empty() {
                            let Next::Room = session.next_or_room().await.unwrap() else { panic!() };
                            let turn = session.turn();
                            turn.machine.body(&mut grant, &mut body, turn.output);
                        }
                        let turn = session.turn();
                        turn.machine.end_body(grant, turn.output).unwrap();
                        turn.machine.send(Command::Quit, turn.output).unwrap();
                    }
                    _ => {}
                }
            }
            got
        };
        let serve = server(Session::over(Server::new(), right, clock.clone()), &polls);
        let (got, served) = memory::run(&clock, send, serve).expect("no deadlock");
        assert_eq!(got, get + 2);
        let log = served.unwrap();
        assert_eq!(log.iter().filter(|line| line.starts_with("Echo")).count(), echoes);
        assert!(log.iter().any(|line| line.len() == "chunk ".len() + put + "\\r\\n".len()));
        assert!(clock.elapsed().is_zero(), "nobody ran out of time");
    }
}
