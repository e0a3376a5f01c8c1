//! Operations of POP3 that are given up, each at every place where that can be: the next one is not mistaken in its answers, and QUIT removes what
//! was marked and no more.

use crate::drivers::{Drops, Polls, plan};
use crate::flows::{PASSWORD, pop3_opening};
use crate::servers::{self, Serve};
use bytes::Bytes;
use mail_session::memory::{self, BlockingEnd, Chunks, Clock, End, Plan};
use mail_session::open::Security;
use mail_session::pop3::Part;
use mail_session::proto::pop3::client::Client;
use mail_session::proto::pop3::types::MessageNumber;
use mail_session::{Session, blocking};
use std::io::Read as _;

const MESSAGES: [&str; 4] = [
    "Subject: 1\r\n\r\n.a dot, and a line behind it\r\n",
    "Subject: 2\r\n\r\n",
    "",
    "Subject: 4\r\n\r\n..\r\n.\r\n-ERR no\r\n+OK no\r\n",
];

fn number(n: u32) -> MessageNumber {
    MessageNumber::new(n).unwrap()
}

fn serve() -> Serve {
    let messages = MESSAGES.iter().map(|text| Bytes::from_static(text.as_bytes())).collect();
    Serve { messages, open: true, ..Serve::new(PASSWORD) }
}

type Open = Session<Client, End, Clock>;

/// Operations, each of which marks no more than two messages.
const OPERATIONS: [&str; 11] =
    ["stat", "list", "list one", "uidl", "capa", "retr", "top", "retr many", "body", "dele", "dele many"];

/// Does one of them, to its end.
async fn act(session: &mut Open, operation: &str) {
    match operation {
        "stat" => drop(session.stat().await.unwrap()),
        "list" => assert_eq!(session.list().await.unwrap().messages.len(), 4),
        "list one" => assert_eq!(session.list_message(number(2)).await.unwrap().octets, 14),
        "uidl" => assert_eq!(session.uidl().await.unwrap().len(), 4),
        "capa" => assert!(session.capa().await.unwrap().has("PIPELINING")),
        "retr" => {
            let message = session.retr(number(4)).await.unwrap().to_vec(100).await.unwrap();
            assert_eq!(message, MESSAGES[3].as_bytes());
        }
        "top" => {
            let head = session.top(number(1), 0).await.unwrap().to_vec(100).await.unwrap();
            assert_eq!(head, b"Subject: 1\r\n\r\n");
        }
        "retr many" => {
            let mut download = session.retr_many([4, 9, 1, 3, 2].map(number));
            let mut got = Vec::new();
            while let Some(part) = download.next().await.unwrap() {
                if let Part::Octets(octets) = part {
                    got.extend_from_slice(octets);
                }
            }
            assert_eq!(got, [MESSAGES[3], MESSAGES[0], MESSAGES[2], MESSAGES[1]].concat().as_bytes());
        }
        #[cfg(feature = "futures")]
        "body" => {
            use futures::AsyncReadExt as _;
            let (mut body, mut octets) = (session.retr(number(4)).await.unwrap().into_body(), Vec::new());
            // Some at a time, so that it is dropped with octets in hand.
            let mut some = [0; 3];
            loop {
                match body.read(&mut some).await.unwrap() {
                    0 => break,
                    n => octets.extend_from_slice(&some[..n]),
                }
            }
            assert_eq!(octets, MESSAGES[3].as_bytes());
        }
        "dele" => session.dele(number(2)).await.unwrap(),
        "dele many" => assert_eq!(session.dele_many([number(2), number(3)]).await.unwrap(), []),
        _ => {}
    }
}

/// What follows it, which is not mistaken: QUIT at once, or a listing and a message before.
async fn go_on(mut session: Open, at_once: bool) {
    if !at_once {
        assert_eq!(session.uidl_message(number(4)).await.unwrap(), b"id3");
        let message = session.retr(number(1)).await.unwrap().to_vec(100).await.unwrap();
        assert_eq!(message, MESSAGES[0].as_bytes());
    }
    session.quit().await.unwrap();
}

#[test]
fn an_operation_may_be_dropped_at_any_poll_and_quit_follows() {
    for operation in OPERATIONS {
        for at_once in [true, false] {
            let mut rounds = 0;
            for at in 0.. {
                let plans = (plan(4096, Chunks::Each(9)), plan(65_536, Chunks::Each(9)));
                let (left, right) = memory::link(plans.0, plans.1);
                let (clock, polls) = (Clock::new(), Polls::new(Drops::At(at)));
                let client = async {
                    let opening = pop3_opening(Security::InsecurePlain);
                    let mut session = Session::open(opening, left, clock.clone()).await.unwrap();
                    let done = polls.on(act(&mut session, operation)).await.is_some();
                    go_on(session, at_once).await;
                    done
                };
                let server = servers::pop3(serve(), right, clock.clone());
                let (done, deleted) = memory::run(&clock, client, server).unwrap();
                let (deleted, most) = (
                    deleted.unwrap(),
                    match operation {
                        "dele" => 1,
                        "dele many" => 2,
                        _ => 0,
                    },
                );
                assert!(deleted <= most, "{operation} at {at}: {deleted} messages are gone");
                if done {
                    assert_eq!(deleted, most, "{operation}");
                    rounds = at;
                    break;
                }
            }
            let is_there = operation != "body" || cfg!(feature = "futures");
            assert_eq!(rounds > 0, is_there, "{operation}");
        }
    }
}

/// What a client does on a blocking session that is open, against the same server.
fn blocking<T>(client: impl FnOnce(blocking::Session<Client, BlockingEnd>) -> T) -> (T, usize) {
    let (left, right) = memory::link(Plan::default(), plan(4096, Chunks::Each(9)));
    let server = std::thread::spawn(move || {
        futures::executor::block_on(servers::pop3(serve(), right, Clock::new())).unwrap()
    });
    let opening = pop3_opening(Security::InsecurePlain);
    let done = client(blocking::Session::open(opening, left.blocking()).unwrap());
    (done, server.join().unwrap())
}

#[test]
fn a_blocking_download_may_be_dropped_at_any_part_and_quit_follows() {
    for parts in 0.. {
        let (over, deleted) = blocking(|mut session| {
            session.dele(number(2)).unwrap();
            let mut download = session.retr_many([4, 9, 1, 3].map(number));
            let mut over = false;
            for _ in 0..parts {
                over = download.next().unwrap().is_none();
            }
            session.quit().unwrap();
            over
        });
        assert_eq!(deleted, 1);
        if over {
            assert!(parts > 8, "{parts}");
            break;
        }
    }
}

#[test]
fn a_blocking_message_may_be_dropped_at_any_octet_and_quit_follows() {
    let whole = MESSAGES[3].len();
    for octets in 0..=whole + 1 {
        let (got, deleted) = blocking(|mut session| {
            session.dele(number(1)).unwrap();
            let mut message = session.retr(number(4)).unwrap();
            let mut got = Vec::new();
            (&mut message).take(octets as u64).read_to_end(&mut got).unwrap();
            assert_eq!(message.is_whole(), octets > whole);
            session.quit().unwrap();
            got
        });
        assert_eq!((got.as_slice(), deleted), (&MESSAGES[3].as_bytes()[..octets.min(whole)], 1));
    }
}
