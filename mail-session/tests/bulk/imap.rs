//! Literals: APPEND from the client, FETCH from the server.

use super::{Case, Turns};
use crate::toy::tls;
use mail_session::Session;
use mail_session::imap::Opening;
use mail_session::memory::{Clock, End};
use mail_session::proto::imap::client::{Client, Event};
use mail_session::proto::imap::server::{self, Config, Offer, Server};
use mail_session::proto::imap::types::{Condition, FetchAtt, ResponseText, Status};
use mail_session::proto::imap::{Command, Limits};
use mail_session::session::Next;
use mail_session::wire::Allow;
use std::sync::Arc;

async fn open(case: &Case, end: End) -> Session<Client, End, Clock> {
    let opening = Opening::new(tls::HOST, case.security()).log_in(case.credentials());
    Session::open(opening, end, case.clock.clone()).await.unwrap()
}

/// Sends a command by its line.
fn send(session: &mut Session<Client, End, Clock>, line: &str) {
    let (_, command) = Command::parse(line.as_bytes(), &Limits::default(), false).unwrap();
    session.turn().send(&command).unwrap();
}

/// LOGOUT, to the end.
async fn leave(mut session: Session<Client, End, Clock>) {
    send(&mut session, "x LOGOUT\r\n");
    while session.next().await.unwrap().is_some() {}
}

pub async fn append(case: &Case, end: End) {
    let mut session = open(case, end).await;
    send(&mut session, &format!("x APPEND INBOX {{{}}}\r\n", case.octets));
    let mut grant = loop {
        match session.next().await.unwrap() {
            Some((Event::BodyWanted(grant, _), _)) => break grant,
            Some((Event::Untagged(_), _)) => {}
            _ => panic!("not what was asked for"),
        }
    };
    for mut piece in case.pieces() {
        let mut turns = Turns::default();
        while !piece.is_empty() {
            turns.next();
            let Next::Room = session.next_or_room().await.unwrap() else { panic!("an event") };
            session.turn().body(&mut grant, &mut piece).unwrap();
        }
    }
    loop {
        match session.next().await.unwrap() {
            Some((Event::Completed(_, status), _)) => break assert!(status.is_ok()),
            Some((Event::Untagged(_), _)) => {}
            _ => panic!("not what was asked for"),
        }
    }
    leave(session).await;
}

pub async fn fetch(case: &Case, end: End) {
    let mut session = open(case, end).await;
    send(&mut session, "x SELECT INBOX\r\n");
    send(&mut session, "x FETCH 1 BODY.PEEK[]\r\n");
    let (mut reader, mut completed) = (case.reader(), 0);
    while completed < 2 {
        match session.next().await.unwrap() {
            Some((Event::Chunk(octets), _)) => reader.take(octets).await,
            Some((Event::Completed(_, status), _)) => {
                assert!(status.is_ok());
                completed += 1;
            }
            Some(_) => {}
            None => panic!("the end"),
        }
    }
    assert!(reader.is_done());
    leave(session).await;
}

fn status() -> Status<'static> {
    Status::new(Condition::Ok, ResponseText::new(b"fine").unwrap())
}

async fn serve(case: &Case, end: End) -> Session<Server, End, Clock> {
    let mut config = Config { offer: Arc::new(Offer::new("IMAP4rev1").unwrap()), ..Config::default() };
    config.policy.plaintext_auth = Allow::Allow;
    config.limits.append = u64::MAX;
    case.serve(Server::new(config), end).await
}

/// A server that takes messages.
pub async fn keep(case: &Case, end: End) {
    let mut session = serve(case, end).await;
    let mut reader = case.reader();
    while let Some((event, mut turn)) = session.next().await.unwrap() {
        match event {
            server::Event::Append(_, offer) => turn.accept_body(offer).unwrap(),
            server::Event::Chunk(octets) => reader.take(octets).await,
            server::Event::BodyEnd(answer) => {
                assert!(reader.is_done());
                turn.answer(answer, &status()).unwrap();
            }
            server::Event::Connected(answer) | server::Event::Command(_, answer) => {
                turn.answer(answer, &status()).unwrap();
            }
            _ => {}
        }
    }
}

/// A server that gives a message.
pub async fn give(case: &Case, end: End) {
    let mut session = serve(case, end).await;
    while let Some((event, mut turn)) = session.next().await.unwrap() {
        match event {
            server::Event::Command(Command::Fetch { .. }, answer) => {
                let mut writer = turn.untagged(&answer).unwrap();
                let mut grant = writer.fetch(1).body(FetchAtt::MESSAGE, case.octets).unwrap();
                for mut piece in case.pieces() {
                    let mut turns = Turns::default();
                    while !piece.is_empty() {
                        turns.next();
                        turn.body(&mut grant, &mut piece).unwrap();
                        turn.flush().await.unwrap();
                    }
                }
                turn.answer(answer, &status()).unwrap();
            }
            server::Event::Connected(answer) | server::Event::Command(_, answer) => {
                turn.answer(answer, &status()).unwrap();
            }
            _ => {}
        }
    }
}
