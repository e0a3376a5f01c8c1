//! However a session ends: without QUIT nothing is removed, and the lock is always released.

use crate::messages::{LETTERS, number};
use crate::peer::{Meeting, ask, good, over, say};
use crate::shelf::Shelf;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use mail_session::Error;
use mail_session::memory::{Fault, Plan};
use mail_session::pop3::serve::{Ended, ServeError};
use mail_session::proto::pop3::Command;
use std::time::Duration;

const SCRIPT: &str =
    "USER alice\r\nPASS correct horse\r\nDELE 1\r\nRETR 2\r\nDELE 3\r\nTOP 2 1\r\nLIST\r\nQUIT\r\n";

/// What is left fits how the server says that it ended.
fn check(shelf: &Shelf, ended: &Result<Ended, ServeError>, place: (&str, u64)) {
    let committed = matches!(ended, Ok(Ended::Committed(2)));
    assert!(committed || !matches!(ended, Ok(Ended::Committed(_))), "{place:?}: {ended:?}");
    assert_eq!(shelf.left(), if committed { "b" } else { "abc" }, "{place:?}: {ended:?}");
    assert!(!shelf.is_locked(), "{place:?}: {ended:?}");
}

#[test]
fn cut_at_every_octet_of_the_client() {
    for fault in [Fault::Cut, Fault::Fin] {
        for at in 0..=SCRIPT.len() as u64 {
            let shelf = Shelf::new(&LETTERS).in_pieces(10);
            let from_client = Plan { fault: Some((at, fault)), ..Plan::default() };
            let meeting = Meeting { plans: (from_client, Plan::default()), ..Meeting::new(&shelf) };
            let (_, ended) = meeting.raw(async |end| say(end, SCRIPT).await);
            check(&shelf, &ended, ("client", at));
            assert_eq!(
                matches!(ended, Ok(Ended::Committed(_))),
                at == SCRIPT.len() as u64,
                "{at}: {ended:?}"
            );
        }
    }
}

#[test]
fn cut_at_every_octet_of_the_server() {
    let whole = {
        let shelf = Shelf::new(&LETTERS);
        Meeting::new(&shelf).raw(async |end| say(end, SCRIPT).await).0
    };
    assert!(whole.ends_with("+OK bye\r\n"));
    for at in 0..=whole.len() as u64 {
        let shelf = Shelf::new(&LETTERS).in_pieces(10);
        let from_server = Plan { capacity: 7, fault: Some((at, Fault::Cut)), ..Plan::default() };
        let meeting = Meeting { plans: (Plan::default(), from_server), ..Meeting::new(&shelf) };
        let (said, ended) = meeting.raw(async |end| say(end, SCRIPT).await);
        assert!(whole.starts_with(&said));
        check(&shelf, &ended, ("server", at));
    }
}

#[test]
fn a_client_that_leaves_without_quit() {
    let shelf = Shelf::new(&LETTERS);
    let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
        good(&mut peer, &Command::Dele(number(1))).await;
    });
    assert!(matches!(ended, Ok(Ended::Aborted(_))), "{ended:?}");
    check(&shelf, &ended, ("left", 0));
    assert!(!shelf.asked().iter().any(|what| what.starts_with("commit")));
}

#[test]
fn a_commit_that_fails_is_told() {
    let shelf = Shelf::new(&LETTERS).failing_to_commit();
    let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
        good(&mut peer, &Command::Dele(number(1))).await;
        let (said, _) = ask(&mut peer, &Command::Quit).await;
        assert_eq!((said.ok, said.code.as_deref()), (false, Some("SYS/TEMP")));
        over(peer).await;
    });
    assert!(matches!(ended, Ok(Ended::NotCommitted(error)) if error.to_string() == "read-only"));
    assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("abc", false));
}

#[test]
fn the_autologout_timer_removes_nothing() {
    let shelf = Shelf::new(&LETTERS);
    let meeting = Meeting::new(&shelf);
    let clock = meeting.clock.clone();
    let (_, ended) = meeting.raw(async |mut end| {
        end.write_all(b"USER alice\r\nPASS correct horse\r\nDELE 1\r\n").await.unwrap();
        let mut said = String::new();
        end.read_to_string(&mut said).await.unwrap();
        // Nothing is said when it runs out (RFC 1939 §3).
        assert!(said.ends_with("+OK deleted\r\n"), "{said}");
    });
    assert!(matches!(ended, Err(ServeError::Session(Error::Timeout))), "{ended:?}");
    assert_eq!(clock.elapsed(), Duration::from_secs(600));
    check(&shelf, &ended, ("autologout", 0));
}

#[test]
fn a_violation_removes_nothing() {
    let shelf = Shelf::new(&LETTERS);
    let (said, ended) = Meeting::new(&shelf)
        .raw(async |end| say(end, "USER alice\r\nPASS correct horse\r\nDELE 1\r\nNO\nOP\r\nQUIT\r\n").await);
    assert!(said.ends_with("-ERR CR or LF alone\r\n"), "{said}");
    assert!(matches!(ended, Err(ServeError::Session(Error::Machine(_)))), "{ended:?}");
    check(&shelf, &ended, ("violation", 0));
}

#[test]
fn a_future_that_is_dropped_releases_the_lock() {
    let shelf = Shelf::new(&LETTERS);
    let meeting = Meeting::new(&shelf);
    let (mut left, right) = mail_session::memory::link(Plan::default(), Plan::default());
    let session = mail_session::Session::over(meeting.service.machine(), right, meeting.clock.clone());
    let mut serving = Box::pin(meeting.service.serve(session, &shelf, std::future::pending()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    futures::executor::block_on(left.write_all(b"USER alice\r\nPASS correct horse\r\nDELE 1\r\n")).unwrap();
    assert!(serving.as_mut().poll(&mut context).is_pending());
    assert!(shelf.is_locked());
    drop(serving);
    assert_eq!((shelf.left().as_str(), shelf.is_locked()), ("abc", false));
}

/// What a server writes into its log.
#[test]
fn an_end_is_shown_in_words() {
    use mail_session::proto::pop3::Violation;
    use mail_session::proto::pop3::server::Abort;
    for (ended, shown) in [
        (Ended::BeforeLogIn, "over before a log-in"),
        (Ended::Committed(2), "2 messages removed"),
        (Ended::NotCommitted(std::io::Error::other("read-only")), "marked messages not removed: read-only"),
        (Ended::Aborted(Abort::Lost), "the client has gone; nothing removed"),
        (Ended::Aborted(Abort::Shutdown), "shut down; nothing removed"),
    ] {
        assert_eq!(ended.to_string(), shown);
    }
    let violation = Ended::Aborted(Abort::Violation(Violation::Expired)).to_string();
    assert_eq!(violation, format!("{}; nothing removed", Violation::Expired));
}
