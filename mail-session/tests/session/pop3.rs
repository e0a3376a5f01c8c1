//! The operations of a POP3 client against a server of this suite: on both kinds of sessions, in any chunks, and given up at any point.

use crate::drivers::plan;
use crate::flows::{Opened, PASSWORD, meet, pop3_opening};
use crate::servers::{self, Serve};
use crate::toy::tls;
use bytes::Bytes;
use mail_session::flow::{Failure, FlowError};
use mail_session::memory::{self, Chunks, Clock, End, Plan};
use mail_session::open::Security;
use mail_session::pop3::{Listed, Part, Stat, Wanted};
use mail_session::proto::pop3::client::Client;
use mail_session::proto::pop3::types::MessageNumber;
use mail_session::{Session, Transcript, blocking};
use std::future::poll_fn;
use std::io::Read as _;
use std::pin::pin;
use std::task::Poll;

fn number(n: u32) -> MessageNumber {
    MessageNumber::new(n).unwrap()
}

/// Messages of many sizes; lines that begin with dots, and an empty body.
fn messages() -> Vec<Bytes> {
    let mut messages =
        vec![Bytes::from_static(b"Subject: none\r\n\r\n"), Bytes::from_static(b"\r\n.\r\n..\r\n")];
    for size in [1_000, 40_000, 3, 200_000] {
        let mut message = format!("Subject: {size}\r\n\r\n").into_bytes();
        while message.len() < size {
            message.extend_from_slice(format!(".{} dots\r\n", message.len()).as_bytes());
        }
        messages.push(message.into());
    }
    messages
}

fn serve() -> Serve {
    Serve { messages: messages(), ..Serve::new(PASSWORD) }
}

type Open = Session<Client, End, Clock>;

/// What a client does on a session that is open; and how many messages the server then removes.
fn with<T>(plans: (Plan, Plan), client: impl AsyncFnOnce(Open) -> T) -> (T, usize) {
    let security = Security::StartTls(tls::pair().0);
    let (value, deleted) = meet(
        pop3_opening(security),
        plans,
        async |opened: Opened<Client>| client(opened.unwrap()).await,
        async |end, clock| servers::pop3(serve(), end, clock).await,
    )
    .unwrap();
    (value, deleted.unwrap())
}

fn whole() -> (Plan, Plan) {
    (Plan::default(), Plan::default())
}

fn is_refused(error: &FlowError<mail_session::proto::pop3::Violation>) -> bool {
    matches!(error, FlowError::Flow(Failure::Refused(_)))
}

/// Every operation, each with what the server must have said.
async fn all(mut session: Open) {
    let messages = messages();
    let octets = messages.iter().map(|message| message.len() as u64).sum();
    assert_eq!(session.stat().await.unwrap(), Stat { messages: 6, octets: Some(octets) });
    let listed = session.list().await.unwrap();
    let sizes: Vec<_> =
        (1..).zip(&messages).map(|(n, m)| Listed { message: number(n), octets: m.len() as u64 }).collect();
    assert_eq!((&listed.messages, listed.malformed.count), (&sizes, 0));
    let listing = listed.messages;
    assert_eq!(session.list_message(number(3)).await.unwrap().octets, messages[2].len() as u64);
    assert!(is_refused(&session.list_message(number(7)).await.unwrap_err()));

    let ids = session.uidl().await.unwrap();
    let told: Vec<_> = ids.iter().map(|(message, id)| (message.get(), id.octets().to_vec())).collect();
    assert_eq!(told, (1..7).map(|n| (n, format!("id{}", n - 1).into_bytes())).collect::<Vec<_>>());
    assert_eq!(ids.fresh(&["id0", "id2", "id9"]), [2, 4, 5, 6].map(number));
    assert_eq!(session.uidl_message(number(2)).await.unwrap(), b"id1");

    let message = session.retr(listing[3]).await.unwrap();
    assert_eq!(message.expected(), Some(messages[3].len() as u64));
    assert_eq!(message.to_vec(1 << 20).await.unwrap(), messages[3]);
    assert_eq!(session.retr(number(4)).await.unwrap().expected(), None);
    assert!(is_refused(&session.retr(number(9)).await.unwrap_err()));
    let head = session.top(number(4), 0).await.unwrap().to_vec(100).await.unwrap();
    assert_eq!(head, b"Subject: 40000\r\n\r\n");
    let long = session.retr(number(4)).await.unwrap().to_vec(39_999).await;
    assert!(matches!(long, Err(FlowError::Flow(Failure::TooLong(39_999)))));

    session.dele(number(1)).await.unwrap();
    assert!(is_refused(&session.dele(number(1)).await.unwrap_err()));
    session.reset().await.unwrap();
    session.noop().await.unwrap();
    assert!(session.capa().await.unwrap().has("PIPELINING"));
    assert_eq!(session.dele_many([MessageNumber::FIRST; 0]).await.unwrap(), []);
    let refused = session.dele_many([2, 9, 5].map(number)).await.unwrap();
    assert_eq!(refused.iter().map(|(message, _)| *message).collect::<Vec<_>>(), [number(9)]);
    let _committed = session.quit().await.unwrap();
}

#[test]
fn every_operation_holds_in_any_chunks() {
    for chunks in [Chunks::Whole, Chunks::Each(1), Chunks::Random(7)] {
        let plans = (plan(4096, chunks.clone()), plan(65_536, chunks));
        assert_eq!(with(plans, all).1, 2);
    }
}

#[test]
fn several_messages_come_whole_and_a_refused_one_spoils_none() {
    let (octets, deleted) = with(whole(), async |mut session: Open| {
        let wanted = [6, 1, 9, 2, 4].map(number);
        let mut download = session.retr_many(wanted);
        let (mut got, mut ends, mut total) = (Vec::new(), Vec::new(), 0);
        while let Some(part) = download.next().await.unwrap() {
            match part {
                Part::Begin(message) => got.push((message, Vec::new())),
                Part::Octets(octets) => got.last_mut().unwrap().1.extend_from_slice(octets),
                Part::End(message) => {
                    ends.push(message.get());
                    total += download.received();
                }
                Part::Refused(message, refusal) => {
                    assert_eq!((message, refusal.is_permanent()), (number(9), None));
                    ends.push(0);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((ends.as_slice(), total), (&[6, 1, 0, 2, 4][..], download.total()));
        session.quit().await.unwrap();
        got
    });
    let messages = messages();
    let expected = [6, 1, 2, 4].map(|n: u32| (number(n), messages[n as usize - 1].to_vec()));
    assert_eq!((octets.as_slice(), deleted), (&expected[..], 0));
}

/// As many commands are under way as the window takes, before the first answer; and never more octets than it is told to wait for.
#[test]
fn the_commands_do_not_wait_for_each_other() {
    let before_first = |sized: bool| {
        let tap = Transcript::of_client();
        let told = tap.clone();
        let (_, deleted) = with(whole(), async move |session: Open| {
            let mut session = session.tap(told);
            let listed = session.list().await.unwrap().messages;
            let wanted: Vec<Wanted> = (0..8)
                .flat_map(|_| &listed)
                .map(|one| if sized { one.into() } else { one.message.into() })
                .collect();
            let mut download = session.retr_many(wanted);
            while download.next().await.unwrap().is_some() {}
            session.quit().await.unwrap();
        });
        assert_eq!(deleted, 0);
        let text = tap.text();
        let from = text.find("RETR").unwrap();
        let upto = text[from..].find("here it is").unwrap();
        text[from..from + upto].matches("RETR").count()
    };
    assert_eq!(before_first(false), 48);
    // 241,000 octets for each round of six: the fifth passes 1 MiB, by its last message.
    assert_eq!(before_first(true), 30);
}

/// What is left of a message that nobody wants any more is read and dropped by the next operation.
#[test]
fn a_download_may_be_dropped_at_any_part() {
    let (rounds, _) = with(whole(), async |mut session: Open| {
        let mut rounds = 0;
        for parts in 0.. {
            let mut download = session.retr_many([3, 9, 5, 1].map(number));
            let mut over = false;
            for _ in 0..parts {
                over = download.next().await.unwrap().is_none();
            }
            assert_eq!(session.stat().await.unwrap().messages, 6);
            if over {
                rounds = parts;
                break;
            }
        }
        session.quit().await.unwrap();
        rounds
    });
    assert!(rounds > 10, "{rounds}");
}

/// An operation may be dropped at any poll: the next one is not mistaken in its answers.
#[test]
fn an_operation_may_be_dropped_at_any_poll() {
    let plans = (plan(4096, Chunks::Each(5)), plan(65_536, Chunks::Each(5)));
    let (rounds, deleted) = with(plans, async |mut session: Open| {
        for polls in 0.. {
            let mut left = polls;
            let listed = {
                let mut list = pin!(session.list());
                poll_fn(|context| match list.as_mut().poll(context) {
                    Poll::Ready(listed) => Poll::Ready(Some(listed.unwrap())),
                    Poll::Pending if left == 0 => Poll::Ready(None),
                    Poll::Pending => {
                        left -= 1;
                        Poll::Pending
                    }
                })
                .await
            };
            assert_eq!(session.uidl_message(number(5)).await.unwrap(), b"id4");
            if let Some(listed) = listed {
                assert_eq!(listed.messages.len(), 6);
                session.quit().await.unwrap();
                return polls;
            }
        }
        0
    });
    assert!(rounds > 0 && deleted == 0, "{rounds}");
}

/// A connection that ends in the middle of a message gives an error, and never an end.
#[test]
fn a_message_that_is_cut_has_no_end() {
    use mail_session::memory::Fault;
    for at in (3_000..30_000).step_by(1_111) {
        let cut = Plan { fault: Some((at, Fault::Cut)), ..plan(65_536, Chunks::Whole) };
        let clock = Clock::new();
        let (left, right) = memory::link(Plan::default(), cut);
        let client = async {
            let opening = pop3_opening(Security::InsecurePlain);
            let mut session = Session::open(opening, left, clock.clone()).await?;
            let message = session.retr(number(4)).await?;
            message.to_vec(1 << 20).await
        };
        let server = servers::pop3(Serve { open: true, ..serve() }, right, clock.clone());
        let (got, _) = memory::run(&clock, client, server).unwrap();
        assert!(matches!(got, Err(FlowError::Session(_))), "{at}: {got:?}");
    }
}

/// The same on blocking sessions, in threads; a message is a `Read` there.
#[test]
fn the_blocking_operations_are_the_same() {
    let (left, right) = memory::link(plan(4096, Chunks::Each(700)), plan(4096, Chunks::Each(700)));
    let server = std::thread::spawn(move || {
        // The server is asynchronous: nothing but its own link wakes it.
        futures::executor::block_on(servers::pop3(serve(), right, Clock::new()))
    });
    let opening = pop3_opening(Security::StartTls(tls::pair().0));
    let mut session = blocking::Session::open(opening, left.blocking()).unwrap();
    let messages = messages();
    assert_eq!(session.stat().unwrap().messages, 6);
    let mut message = Vec::new();
    session.retr(number(6)).unwrap().read_to_end(&mut message).unwrap();
    assert_eq!(message, messages[5]);
    // Octets that a read had no room for come with the next, and are dropped with the message.
    let mut some = [0; 7];
    session.retr(number(4)).unwrap().read_exact(&mut some).unwrap();
    assert_eq!(&some, b"Subject");
    let listed = session.list().unwrap().messages;
    let (mut download, mut all) = (session.retr_many(&listed), Vec::new());
    while let Some(part) = download.next().unwrap() {
        if let Part::Octets(octets) = part {
            all.extend_from_slice(octets);
        }
    }
    assert_eq!(all, messages.concat());
    session.dele(number(2)).unwrap();
    session.quit().unwrap();
    assert_eq!(server.join().unwrap().unwrap(), 1);
}

/// With the feature `futures` a message is an `AsyncRead`.
#[cfg(feature = "futures")]
#[test]
fn a_message_is_an_asynchronous_reader() {
    use futures::AsyncReadExt as _;
    let (message, _) = with(whole(), async |mut session: Open| {
        let mut message = Vec::new();
        session.retr(number(6)).await.unwrap().into_body().read_to_end(&mut message).await.unwrap();
        session.quit().await.unwrap();
        message
    });
    assert_eq!(message, messages()[5]);
}
