//! DATA: dot-stuffed by the client, un-stuffed by the server.

use super::{Case, Reader, Turns};
use crate::toy::tls;
use mail_session::Session;
use mail_session::memory::{Clock, End};
use mail_session::proto::smtp::client::{BodyGrant, Client, Event};
use mail_session::proto::smtp::server::{self, Config, Server};
use mail_session::proto::smtp::types::EhloName;
use mail_session::proto::smtp::{Command, ReplyBuf};
use mail_session::session::Next;
use mail_session::smtp::Opening;

pub async fn send(case: &Case, end: End) {
    let opening = Opening::new(tls::HOST, case.security());
    let mut session = Session::open(opening, end, case.clock.clone()).await.unwrap();
    for line in ["MAIL FROM:<alice@example.org>", "RCPT TO:<bob@example.org>", "DATA"] {
        session.turn().send(&Command::parse(line.as_bytes()).unwrap()).unwrap();
    }
    let grant = loop {
        match session.next().await.unwrap() {
            Some((Event::BodyWanted(_, _, grant), _)) => break grant,
            Some((Event::Reply(_, reply), _)) => assert!(reply.code().is_positive()),
            _ => panic!("not what was asked for"),
        }
    };
    body(case, &mut session, grant).await;
    session.turn().send(&Command::Quit).unwrap();
    let mut replies = 0;
    while let Some((event, _)) = session.next().await.unwrap() {
        let Event::Reply(_, reply) = event else { panic!("{event:?}") };
        assert!(reply.code().is_positive());
        replies += 1;
    }
    assert_eq!(replies, 2);
}

async fn body(case: &Case, session: &mut Session<Client, End, Clock>, mut grant: BodyGrant) {
    for mut piece in case.pieces() {
        let mut turns = Turns::default();
        while !piece.is_empty() {
            turns.next();
            let Next::Room = session.next_or_room().await.unwrap() else { panic!("an event") };
            session.turn().body(&mut grant, &mut piece).unwrap();
        }
    }
    session.turn().end_body(grant).unwrap();
}

pub async fn receive(case: &Case, end: End) {
    let mut config = Config::new(EhloName::new(tls::HOST.as_bytes()).unwrap());
    config.limits.message = u64::MAX;
    let mut session = case.serve(Server::new(config), end).await;
    let reply = |code| ReplyBuf::line(code, "fine").unwrap();
    let mut reader: Reader = case.reader();
    while let Some((event, mut turn)) = session.next().await.unwrap() {
        match event {
            server::Event::Connected(answer) => turn.answer(answer, &reply(220)).unwrap(),
            server::Event::Command(_, answer) => turn.answer(answer, &reply(250)).unwrap(),
            server::Event::Body(offer) => turn.accept_body(offer).unwrap(),
            server::Event::Chunk(octets) => reader.take(octets).await,
            server::Event::BodyEnd(answer) => {
                assert!(reader.is_done());
                turn.answer(answer, &reply(250)).unwrap();
            }
            _ => {}
        }
    }
}
