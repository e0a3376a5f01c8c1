//! The asynchronous driver on links in memory: the same events for every way of cutting the octets, plain and under TLS.

use crate::toy::{Client, ClientEvent, Command, Server, ServerEvent, Violation, tls};
use bytes::Bytes;
use mail_session::memory::{self, Chunks, Clock, End, Plan};
use mail_session::session::Next;
use mail_session::{Error, Session};

type Log = Vec<String>;
type Outcome = Result<Log, Error<Violation>>;

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

async fn server(mut session: Session<Server, End, Clock>) -> Outcome {
    let mut log = Log::new();
    while let Some((event, mut turn)) = session.next().await? {
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
                    turn.flush().await?;
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
    Ok(log)
}

async fn client(mut session: Session<Client, End, Clock>, upgrade: bool) -> Outcome {
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
            let Some((event, turn)) = session.next().await? else { return Ok(log) };
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
    assert!(session.next().await?.is_none());
    Ok(log)
}

fn talk(forth: Plan, back: Plan, upgrade: bool) -> (Outcome, Outcome) {
    let clock = Clock::new();
    let (left, right) = memory::link(forth, back);
    let a = client(Session::over(Client::new(), left, clock.clone()), upgrade);
    let b = server(Session::over(Server::new(), right, clock.clone()));
    memory::run(&clock, a, b).expect("no deadlock")
}

fn plan(capacity: usize, chunks: Chunks) -> Plan {
    Plan { capacity, chunks, ..Plan::default() }
}

#[test]
fn a_session_reads_as_it_was_written_down() {
    let (client, server) = talk(Plan::default(), Plan::default(), false);
    assert_eq!(
        server.unwrap(),
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
        client.unwrap(),
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
        let (client, server) = talk(Plan::default(), Plan::default(), upgrade);
        let (client, server) = (client.unwrap(), server.unwrap());
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
            let (again, served) = talk(schedule.clone(), schedule.clone(), upgrade);
            assert_eq!(again.unwrap(), client, "{schedule:?}");
            assert_eq!(served.unwrap(), server, "{schedule:?}");
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
