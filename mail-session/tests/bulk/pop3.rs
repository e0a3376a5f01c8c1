//! RETR: dot-stuffed by the server, un-stuffed by the client.

use super::{Case, Turns};
use crate::toy::tls;
use mail_session::Session;
use mail_session::memory::End;
use mail_session::pop3::Opening;
use mail_session::proto::pop3::client::Event;
use mail_session::proto::pop3::server::{self, Config, Maildrop, Server};
use mail_session::proto::pop3::types::{MessageNumber, ReplyText, UniqueId};
use mail_session::proto::pop3::{Command, Reply};
use mail_session::wire::Allow;

pub async fn retrieve(case: &Case, end: End) {
    let opening = Opening::new(tls::HOST, case.security()).log_in(case.credentials());
    let mut session = Session::open(opening, end, case.clock.clone()).await.unwrap();
    session.turn().send(&Command::Retr(MessageNumber::FIRST)).unwrap();
    let mut reader = case.reader();
    while let Some((event, mut turn)) = session.next().await.unwrap() {
        match event {
            Event::Chunk(octets) => reader.take(octets).await,
            Event::End(_) => drop(turn.send(&Command::Quit).unwrap()),
            Event::Head(_, line) | Event::Reply(_, line) => assert!(line.is_ok()),
            other => panic!("{other:?}"),
        }
    }
    assert!(reader.is_done());
}

pub async fn give(case: &Case, end: End) {
    let mut config = Config::default();
    config.policy.plaintext_auth = Allow::Allow;
    let mut session = case.serve(Server::new(config), end).await;
    let fine = || Reply::ok(ReplyText::EMPTY);
    while let Some((event, mut turn)) = session.next().await.unwrap() {
        match event {
            server::Event::Command(Command::Pass(_), answer) => {
                let mut maildrop = Maildrop::new();
                maildrop.push(case.octets, UniqueId::try_from("one").unwrap()).unwrap();
                turn.accept(answer, maildrop, &fine()).unwrap();
            }
            server::Event::Command(Command::Retr(_), answer) => {
                let mut grant = turn.answer_body(answer, ReplyText::EMPTY).unwrap();
                for mut piece in case.pieces() {
                    let mut turns = Turns::default();
                    while !piece.is_empty() {
                        turns.next();
                        turn.body(&mut grant, &mut piece).unwrap();
                        turn.flush().await.unwrap();
                    }
                }
                turn.end_body(grant).unwrap();
            }
            server::Event::Connected(answer)
            | server::Event::Command(_, answer)
            | server::Event::Commit(_, answer) => turn.answer(answer, &fine()).unwrap(),
            _ => {}
        }
    }
}
