//! How connections end: every way has its rule, and none hangs.

use crate::drivers::{plan, talk};
use crate::toy::{Client, ClientEvent, Command, Server, ServerEvent, Violation, tls};
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use mail_session::memory::{self, Chunks, Clock, End, Fault, Plan};
use mail_session::{Error, Session, Turn};

/// A client and a server under TLS, on links of this plan.
fn secured(plan: Plan) -> (Clock, Session<Client, End, Clock>, Session<Server, End, Clock>) {
    let clock = Clock::new();
    let (left, right) = memory::link(plan.clone(), plan);
    let client = Session::over_tls(Client::new(), left, clock.clone(), tls::pair().0.to(tls::HOST).unwrap());
    let server = Session::over_tls(Server::new(), right, clock.clone(), tls::pair().1.begin().unwrap());
    let (client, server) = memory::run(&clock, client, server).unwrap();
    (clock, client.unwrap(), server.unwrap())
}

async fn serve(session: &mut Session<Server, End, Clock>) -> Result<(), Error<Violation>> {
    while let Some((event, turn)) = session.next().await? {
        match event {
            ServerEvent::Echo(text, token) => turn.machine.answer(token, text, turn.output).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

/// Pitfall: an alert that overtakes the last reply cuts it off.
#[test]
fn close_notify_never_overtakes_the_last_reply() {
    let (clock, mut client, mut server) = secured(plan(5, Chunks::Whole));
    let text = vec![b'x'; 3000];
    let a = async {
        let turn = client.turn();
        turn.machine.send(Command::Echo(&text), turn.output).unwrap();
        turn.machine.send(Command::Quit, turn.output).unwrap();
        assert!(matches!(client.next().await, Ok(Some((ClientEvent::Reply(reply), _))) if reply == text));
        assert!(matches!(client.next().await, Ok(Some((ClientEvent::Reply(b"bye"), _)))));
        assert!(client.next().await.unwrap().is_none());
    };
    let (_, served) = memory::run(&clock, a, serve(&mut server)).unwrap();
    served.unwrap();
}

/// Pitfall: two peers that both close and do not read wait for each other.
#[test]
fn both_sides_closing_at_once_ends() {
    for capacity in [1, 10, 65_536] {
        let (clock, mut client, mut server) = secured(plan(capacity, Chunks::Whole));
        // Both have something to write still.
        let turn = client.turn();
        for _ in 0..50 {
            turn.machine.send(Command::Echo(&[b'x'; 500]), turn.output).unwrap();
        }
        let turn = server.turn();
        turn.machine.body_head(5_000_000_000, turn.output);
        let close = (async { drop(client.close().await) }, async { drop(server.close().await) });
        memory::run(&clock, close.0, close.1).unwrap();
        assert!(clock.elapsed().is_zero(), "and waits for no deadline");
    }
}

/// Pitfall: to write close_notify to a peer that has gone is no error after a session that was whole.
#[test]
fn a_peer_that_is_gone_at_the_end_is_no_error() {
    let (clock, mut client, mut server) = secured(Plan::default());
    let a = async {
        let turn = client.turn();
        turn.machine.send(Command::Quit, turn.output).unwrap();
        assert!(matches!(client.next().await, Ok(Some((ClientEvent::Reply(b"bye"), _)))));
        client
    };
    let b = async {
        serve(&mut server).await.unwrap();
        drop(server);
    };
    let (mut client, ()) = memory::run(&clock, a, b).unwrap();
    let (last, ()) =
        memory::run(&clock, async { client.next().await.map(|next| next.is_none()) }, async {}).unwrap();
    assert!(last.unwrap());
}

/// Pitfall: a FIN under TLS is known only if TLS was told of the empty read.
#[test]
fn a_cut_is_no_end() {
    // With something owed it is a truncation.
    let (clock, mut client, server) = secured(Plan::default());
    let turn = client.turn();
    turn.machine.send(Command::Echo(b"hello"), turn.output).unwrap();
    let (error, ()) =
        memory::run(&clock, async { client.next().await.unwrap_err() }, async { drop(server) }).unwrap();
    assert!(matches!(error, Error::Machine(Violation::Truncated) | Error::Io(_)), "{error:?}");
    // With nothing owed it is an end, but not a clean one.
    let (clock, client, mut server) = secured(Plan::default());
    let (result, ()) = memory::run(&clock, serve(&mut server), async { drop(client) }).unwrap();
    assert!(matches!(result, Err(Error::Unclean)), "{result:?}");
    // And close_notify with nothing owed is a clean one.
    let (clock, client, mut server) = secured(Plan::default());
    let (result, _) = memory::run(&clock, serve(&mut server), client.close()).unwrap();
    result.unwrap();
}

#[test]
fn a_plain_fin_is_an_end_unless_something_is_owed() {
    for (said, clean) in [(&b""[..], true), (b"ECHO one\r\n", true), (b"ECHO one\r\nECHO tw", false)] {
        let clock = Clock::new();
        let (mut left, right) = memory::link(Plan::default(), Plan::default());
        let mut session = Session::over(Server::new(), right, clock.clone());
        let client = async {
            left.write_all(said).await.unwrap();
            left.close().await.unwrap();
            let mut answers = Vec::new();
            left.read_to_end(&mut answers).await.unwrap();
            answers
        };
        let server = async {
            let result = serve(&mut session).await;
            session.close().await;
            result
        };
        let (answers, result) = memory::run(&clock, client, server).unwrap();
        assert_eq!(answers, if said.is_empty() { &b""[..] } else { b"+one\r\n" });
        assert_eq!(result.is_ok(), clean, "{result:?}");
    }
}

/// Cut after every octet of both directions: no hang, no spin, and never an event beyond those of the uncut run.
#[test]
fn a_cut_at_every_octet_ends() {
    let seen = talk(Plan::default(), Plan::default(), false).logs();
    for fault in [Fault::Cut, Fault::Fin] {
        for at in 0..150 {
            let bad = Plan { fault: Some((at, fault)), ..Plan::default() };
            for (forth, back) in [(bad.clone(), Plan::default()), (Plan::default(), bad)] {
                let end = talk(forth, back, false);
                let whole = |log: &[String], seen: &[String]| {
                    log.iter().zip(seen).all(|(a, b)| b.starts_with(a.as_str()))
                };
                if let Ok(log) = &end.client {
                    assert!(whole(log, &seen.0), "{at} {log:?}");
                }
                if let Ok(log) = &end.server {
                    assert!(whole(log, &seen.1), "{at} {log:?}");
                }
            }
        }
    }
    for at in (6..2200).step_by(23) {
        let bad = Plan { fault: Some((at, Fault::Cut)), ..Plan::default() };
        let end = talk(bad.clone(), Plan::default(), true);
        let whole = talk(Plan::default(), Plan::default(), true).server.unwrap();
        assert!(end.server.is_err() || end.server.unwrap() == whole, "a cut under TLS is no clean end: {at}");
        let _ = talk(Plan::default(), bad, true);
    }
}

/// What the peer said before it went is told before the broken pipe.
#[test]
fn a_last_word_is_heard_though_writing_fails() {
    let clock = Clock::new();
    let (left, mut right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Client::new(), left, clock.clone());
    let turn = session.turn();
    turn.machine.send(Command::Echo(b"hello"), turn.output).unwrap();
    let server = async move {
        right.write_all(b"-going down\r\n").await.unwrap();
    };
    let client = async {
        // The server has gone before the command is written.
        let Some((ClientEvent::Refused(b"going down"), _)) = session.next().await.unwrap() else { panic!() };
        let turn = session.turn();
        turn.machine.send(Command::Quit, turn.output).unwrap();
        session.next().await.map(|next| next.is_none())
    };
    let ((), last) = memory::run(&clock, server, client).unwrap();
    assert!(last.is_err());
}

#[test]
fn shutdown_answers_the_command_in_flight_first() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), right, clock.clone());
    let client = async {
        left.write_all(b"ECHO one\r\n").await.unwrap();
        let mut answers = Vec::new();
        left.read_to_end(&mut answers).await.unwrap();
        answers
    };
    let server = async {
        let Some((ServerEvent::Echo(_, token), _)) = session.next().await.unwrap() else { panic!() };
        session.shutdown();
        let turn = session.turn();
        turn.machine.answer(token, b"one", turn.output).unwrap();
        assert!(session.next().await.unwrap().is_none());
    };
    let (answers, ()) = memory::run(&clock, client, server).unwrap();
    assert_eq!(answers, b"+one\r\n-going down\r\n");
}

#[test]
fn the_upgrade_that_is_due_and_the_answer_that_is_owed_are_told_and_change_nothing() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Server::new(), right, clock.clone());
    let client = async { left.write_all(b"ECHO one\r\nSTLS\r\n").await.unwrap() };
    let server = async {
        let Some((ServerEvent::Echo(_, token), _)) = session.next().await.unwrap() else { panic!() };
        for _ in 0..2 {
            let error = session.next().await.map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::AnswerOwed) && error.is_recoverable());
        }
        let turn = session.turn();
        turn.machine.answer(token, b"one", turn.output).unwrap();
        let Some((ServerEvent::StartTls(_), _)) = session.next().await.unwrap() else { panic!() };
        assert!(matches!(session.next().await, Err(Error::UpgradeOwed)));
    };
    memory::run(&clock, client, server).unwrap();
}

/// What each standard has a server say when it shuts down (RFC 5321 §3.8, RFC 9051 §7.1.5); POP3 has no word for it.
#[test]
fn shutdown_says_what_the_standard_has_for_it() {
    use mail_session::proto::{imap, pop3, smtp};
    fn told<M: mail_session::wire::Machine>(machine: M, greet: impl Fn(M::Event<'_>, Turn<'_, M>)) -> String {
        let clock = Clock::new();
        let (mut left, right) = memory::link(Plan::default(), Plan::default());
        let mut session = Session::over(machine, right, clock.clone());
        let client = async {
            let mut heard = String::new();
            left.read_to_string(&mut heard).await.unwrap();
            heard
        };
        let server = async {
            let (event, turn) = session.next().await.unwrap().expect("a client is there");
            greet(event, turn.bare());
            session.shutdown();
            while session.next().await.unwrap().is_some() {}
        };
        memory::run(&clock, client, server).unwrap().0
    }
    let heard = told(smtp::server::Server::new(smtp::server::Config::default()), |event, mut turn| {
        let smtp::server::Event::Connected(answer) = event else { panic!() };
        turn.answer(answer, &smtp::ReplyBuf::line(220, "hello").unwrap()).unwrap();
    });
    assert!(heard.starts_with("220 hello\r\n421 "), "{heard}");
    let heard = told(pop3::server::Server::new(pop3::server::Config::default()), |event, mut turn| {
        let pop3::server::Event::Connected(answer) = event else { panic!() };
        turn.answer(answer, &pop3::Reply::ok(pop3::types::ReplyText::EMPTY)).unwrap();
    });
    assert!(heard.starts_with("+OK"), "{heard}");
    let heard = told(imap::server::Server::new(imap::server::Config::default()), |event, mut turn| {
        use imap::types::{Condition, ResponseText, Status};
        let imap::server::Event::Connected(answer) = event else { panic!() };
        turn.answer(answer, &Status::new(Condition::Ok, ResponseText::new(b"hello").unwrap())).unwrap();
    });
    assert!(heard.starts_with("* OK ") && heard.contains("\r\n* BYE "), "{heard}");
}

/// TLS 1.2 has another order of flights and no tickets behind them.
#[test]
fn tls_1_2_works_and_ends_cleanly() {
    let (client_tls, server_tls) = tls::pair_1_2();
    for capacity in [1, 65_536] {
        let clock = Clock::new();
        let (left, right) = memory::link(plan(capacity, Chunks::Whole), plan(capacity, Chunks::Whole));
        let client = async {
            let tls = client_tls.to(tls::HOST).unwrap();
            let mut session = Session::over_tls(Client::new(), left, clock.clone(), tls).await.unwrap();
            let turn = session.turn();
            turn.machine.send(Command::Echo(b"hello"), turn.output).unwrap();
            assert!(matches!(session.next().await.unwrap(), Some((ClientEvent::Reply(b"hello"), _))));
            session.close().await;
        };
        let server = async {
            let tls = server_tls.begin().unwrap();
            let mut session = Session::over_tls(Server::new(), right, clock.clone(), tls).await.unwrap();
            serve(&mut session).await
        };
        memory::run(&clock, client, server).unwrap().1.unwrap();
    }
}
