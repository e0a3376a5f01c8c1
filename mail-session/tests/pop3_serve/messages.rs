//! A whole session, messages in pieces, and what becomes of one that cannot be read.

use crate::peer::{Meeting, ask, good, opening, over};
use crate::shelf::Shelf;
use futures::task::AtomicWaker;
use mail_session::Error;
use mail_session::pop3::serve::{Ended, ServeError};
use mail_session::proto::pop3::client::Event;
use mail_session::proto::pop3::server::Abort;
use mail_session::proto::pop3::types::MessageNumber;
use mail_session::proto::pop3::{Command, Violation};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

pub const LETTERS: [&str; 3] =
    ["Subject: a\r\n\r\n.dot\r\n..\r\nend\r\n", "Subject: b\r\n\r\nno line end", "\r\n"];

/// A word, and what waits for it.
pub fn oneshot() -> (impl Fn(), impl Future<Output = ()>) {
    let (said, waker) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicWaker::new()));
    let (say, wake) = (Arc::clone(&said), Arc::clone(&waker));
    let told = poll_fn(move |context| {
        waker.register(context.waker());
        if said.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    });
    let tell = move || {
        say.store(true, Ordering::SeqCst);
        wake.wake();
    };
    (tell, told)
}

pub fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

pub fn retr(n: u32) -> Command<'static> {
    Command::Retr(number(n))
}

pub fn top(n: u32, lines: u32) -> Command<'static> {
    Command::Top { message: number(n), lines }
}

#[test]
fn a_whole_session() {
    for octets in [1, 2, 7, usize::MAX] {
        let shelf = Shelf::new(&LETTERS).in_pieces(octets);
        let ((), ended) = Meeting::new(&shelf).meet(async |mut peer| {
            assert_eq!(good(&mut peer, &Command::Stat).await.text, "3 56");
            assert_eq!(good(&mut peer, &Command::List(Some(number(2)))).await.text, "2 25");
            assert_eq!(good(&mut peer, &Command::Uidl(Some(number(3)))).await.text, "3 c");
            assert_eq!(good(&mut peer, &retr(1)).await.rest, LETTERS[0]);
            // The last line of a message gets an end on the wire (RFC 1939 §3).
            assert_eq!(good(&mut peer, &retr(2)).await.rest, format!("{}\r\n", LETTERS[1]));
            assert_eq!(good(&mut peer, &retr(3)).await.rest, LETTERS[2]);
            assert_eq!(good(&mut peer, &top(1, 2)).await.rest, "Subject: a\r\n\r\n.dot\r\n..\r\n");
            good(&mut peer, &Command::Dele(number(1))).await;
            good(&mut peer, &Command::Dele(number(3))).await;
            assert!(!ask(&mut peer, &retr(3)).await.0.ok, "it is marked");
            assert!(shelf.is_locked());
            assert_eq!(shelf.left(), "abc", "nothing goes before QUIT");
            good(&mut peer, &Command::Quit).await;
            over(peer).await;
        });
        assert!(matches!(ended, Ok(Ended::Committed(2))), "{ended:?}");
        assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("b", false));
        assert_eq!(shelf.asked().last().unwrap(), "commit [1, 3]");
    }
}

#[test]
fn a_message_that_holds_nothing_is_one() {
    let shelf = Shelf::new(&[""]);
    let (said, _) = Meeting::new(&shelf).meet(async |mut peer| good(&mut peer, &retr(1)).await.rest);
    assert_eq!(said, "");
}

#[test]
fn top_reads_no_more_than_it_must() {
    let letter = format!("A: 1\r\n\r\n{}", "line\r\n".repeat(1000));
    // (lines, octets of a piece, pieces): the header is 8 octets, a line of the body 6.
    for (lines, octets, pieces) in [(0, 8, 1), (0, 4, 2), (0, 9, 1), (1, 8, 2), (2, 1, 20), (3, 1000, 1)] {
        let shelf = Shelf::new(&[&letter]).in_pieces(octets);
        let (said, _) =
            Meeting::new(&shelf).meet(async |mut peer| good(&mut peer, &top(1, lines)).await.rest);
        assert_eq!(said.len(), 8 + 6 * lines as usize);
        let asked = shelf.asked().iter().filter(|what| what.starts_with("read")).count();
        assert_eq!(asked, pieces, "TOP 1 {lines} in pieces of {octets}");
    }
}

#[test]
fn a_message_that_cannot_be_read_is_refused() {
    let shelf = Shelf::new(&LETTERS).broken_at(0, 1);
    let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
        let (said, _) = ask(&mut peer, &retr(1)).await;
        assert_eq!((said.ok, said.code.as_deref()), (false, Some("SYS/TEMP")));
        assert_eq!(good(&mut peer, &retr(1)).await.rest, LETTERS[0], "the session goes on");
        good(&mut peer, &Command::Quit).await;
    });
    assert!(matches!(ended, Ok(Ended::Committed(0))), "{ended:?}");
}

#[test]
fn a_read_that_fails_in_the_middle_never_ends_the_message() {
    for at in [1, 4, 13, 20, 26] {
        let shelf = Shelf::new(&LETTERS).in_pieces(1).broken_at(at, usize::MAX);
        let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
            good(&mut peer, &Command::Dele(number(3))).await;
            let (said, outcome) = ask(&mut peer, &retr(1)).await;
            assert!(said.ok && !said.whole);
            assert!(LETTERS[0].starts_with(&said.rest) && said.rest.len() <= at as usize);
            assert!(matches!(outcome, Err(Error::Machine(Violation::Truncated))), "{outcome:?}");
        });
        assert!(matches!(&ended, Err(ServeError::Read(_, error)) if error.to_string() == "a bad sector"));
        assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("abc", false));
    }
}

#[test]
fn a_message_with_a_bare_lf_never_ends() {
    let shelf = Shelf::new(&["Subject: a\r\n\r\na\nb\r\n"]);
    let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
        let (said, outcome) = ask(&mut peer, &retr(1)).await;
        assert!(said.ok && !said.whole && outcome.is_err());
    });
    assert!(matches!(ended, Err(ServeError::Message(..))), "{ended:?}");
    assert!(!shelf.is_locked());
}

#[test]
fn a_shutdown_lets_a_message_end() {
    let letter = "a line of the message\r\n".repeat(100_000);
    let shelf = Shelf::new(&[&letter]).in_pieces(5000);
    let (stop, told) = oneshot();
    let (_, ended) = Meeting::new(&shelf).meet_until(opening(), told, async |mut peer| {
        good(&mut peer, &Command::Dele(number(1))).await;
        good(&mut peer, &Command::Rset).await;
        peer.turn().send(&retr(1)).unwrap();
        let mut got = Vec::new();
        let mut whole = false;
        loop {
            match peer.next().await {
                Ok(Some((Event::Chunk(octets), _))) => got.extend_from_slice(octets),
                Ok(Some((Event::End(_), _))) => whole = true,
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
            stop();
        }
        assert!(whole && got == letter.as_bytes());
    });
    assert!(matches!(ended, Ok(Ended::Aborted(Abort::Shutdown))), "{ended:?}");
    assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("a", false));
}

#[test]
fn a_shutdown_ends_a_session_that_waits() {
    let shelf = Shelf::new(&LETTERS);
    let (left, right) = oneshot();
    let (_, ended) = Meeting::new(&shelf).meet_until(opening(), right, async |mut peer| {
        good(&mut peer, &Command::Dele(number(1))).await;
        left();
        over(peer).await;
    });
    assert!(matches!(ended, Ok(Ended::Aborted(Abort::Shutdown))), "{ended:?}");
    assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("abc", false));
}
