//! Bodies as streams and readers, on links that give a few octets at a time.

use crate::drivers::plan;
use crate::flows::{Opened, meet, pop3_opening};
use crate::servers::{self, MESSAGE, Serve};
use futures::{AsyncReadExt as _, StreamExt as _};
use mail_session::memory::{Chunks, Clock, End};
use mail_session::open::Security;
use mail_session::proto::{pop3, smtp};
use mail_session::{Error, Session};

#[test]
fn a_client_reads_a_message_as_a_reader() {
    use pop3::client::Event;
    let plans = (plan(65_536, Chunks::Each(3)), plan(65_536, Chunks::Each(3)));
    let serve = Serve { open: true, ..Serve::new(crate::flows::PASSWORD) };
    let (message, deleted) = meet(
        pop3_opening(Security::InsecurePlain),
        plans,
        async |opened: Opened<pop3::client::Client>| {
            let mut session = opened.unwrap();
            let mine = session.turn().send(&pop3::Command::Retr(pop3::types::MessageNumber::FIRST)).unwrap();
            assert!(
                matches!(session.next().await.unwrap(), Some((Event::Head(ticket, _), _)) if ticket == mine)
            );
            let mut message = Vec::new();
            let mut body = session.body();
            body.read_to_end(&mut message).await.unwrap();
            assert_eq!(body.end().await.unwrap(), mine);
            session.turn().send(&pop3::Command::Quit).unwrap();
            while session.next().await.unwrap().is_some() {}
            message
        },
        async |end, clock| servers::pop3(serve, end, clock).await,
    )
    .unwrap();
    assert_eq!((message.as_slice(), deleted.unwrap()), (MESSAGE, 0));
}

#[test]
fn a_server_takes_a_message_as_a_stream() {
    use smtp::ReplyBuf;
    use smtp::server::{Config, Event, Server};
    async fn take(end: End, clock: Clock) -> Result<Vec<u8>, Error<smtp::Violation>> {
        let name = smtp::types::EhloName::new(b"mail.example.org").unwrap();
        let mut session = Session::over(Server::new(Config::new(name)), end, clock);
        let fine = ReplyBuf::line(250, "fine").unwrap();
        let mut message = Vec::new();
        while let Some((event, mut turn)) = session.next().await? {
            match event {
                Event::Connected(answer) => turn.answer(answer, &ReplyBuf::line(220, "hi").unwrap()).unwrap(),
                Event::Command(_, answer) => turn.answer(answer, &fine).unwrap(),
                Event::Body(offer) => {
                    turn.accept_body(offer).unwrap();
                    let mut body = session.body();
                    while let Some(part) = body.next().await {
                        message.extend_from_slice(&part?);
                    }
                    let answer = body.end().await?.expect("it is whole");
                    session.turn().answer(answer, &fine).unwrap();
                }
                _ => {}
            }
        }
        Ok(message)
    }
    let plans = (plan(65_536, Chunks::Each(3)), plan(65_536, Chunks::Each(3)));
    let opening = mail_session::smtp::Opening::new("mail.example.org", Security::InsecurePlain);
    let ((), taken) =
        meet(opening, plans, async |opened| crate::flows::mail(opened.unwrap()).await, take).unwrap();
    assert_eq!(taken.unwrap(), MESSAGE);
}
