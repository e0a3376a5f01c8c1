//! Servers of POP3 that refuse, fall silent, go away or count wrongly: what each operation makes of it, by type.

use crate::flows::pop3_opening;
use crate::pop3_login::{plain, script};
use crate::toy::tls;
use mail_session::flow::{Failure, FlowError, Refusal};
use mail_session::memory::{self, Clock, End, Fault, Plan};
use mail_session::open::Security;
use mail_session::pop3::{Committed, Opening, Part};
use mail_session::proto::pop3::Violation;
use mail_session::proto::pop3::client::Client;
use mail_session::proto::pop3::types::MessageNumber;
use mail_session::sasl::client::Credentials;
use mail_session::{Error, Session, blocking};

type Open = Session<Client, End, Clock>;
type Failed = mail_session::pop3::Error;

/// What there is to be said before anything else, with these lines in the list of capabilities.
const CAPA: &str = "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\nRESP-CODES\r\n.\r\n";
const LOG_IN: [(&str, &str); 4] =
    [("CAPA", CAPA), ("USER u", "+OK\r\n"), ("PASS p", "+OK\r\n"), ("CAPA", CAPA)];

fn number(n: u32) -> MessageNumber {
    MessageNumber::new(n).unwrap()
}

fn user() -> Opening {
    plain(Credentials::password("u", "p"))
}

/// What a client does on a session that is open. The server follows the script to its last line, and then closes.
fn with<T>(lines: &[(&str, &str)], client: impl AsyncFnOnce(Open) -> T) -> T {
    with_plan(lines, Plan::default(), client)
}

fn with_plan<T>(lines: &[(&str, &str)], from_server: Plan, client: impl AsyncFnOnce(Open) -> T) -> T {
    let clock = Clock::new();
    let (left, right) = memory::link(Plan::default(), from_server);
    let opened = async { client(Session::open(user(), left, clock.clone()).await.unwrap()).await };
    let lines = [&LOG_IN, lines].concat();
    let (done, came) = memory::run(&clock, opened, script(right, "+OK", &lines)).unwrap();
    assert_eq!(came, lines.iter().map(|(line, _)| *line).collect::<Vec<_>>());
    done
}

/// The same on a blocking session, with the server in a thread.
fn blocking_with<T>(
    lines: &'static [(&str, &str)],
    client: impl FnOnce(blocking::Session<Client, memory::BlockingEnd>) -> T,
) -> T {
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let server = std::thread::spawn(move || {
        futures::executor::block_on(script(right, "+OK", &[&LOG_IN, lines].concat()))
    });
    let done = client(blocking::Session::open(user(), left.blocking()).unwrap());
    server.join().unwrap();
    done
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Failed>) -> Refusal {
    match outcome {
        Err(FlowError::Flow(Failure::Refused(refusal) | Failure::LogIn(refusal))) => refusal,
        other => panic!("{other:?}"),
    }
}

fn open(lines: &[(&str, &str)], opening: Opening) -> Result<(), Failed> {
    let clock = Clock::new();
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let client = async { Session::open(opening, left, clock.clone()).await.map(drop) };
    let (opened, came) = memory::run(&clock, client, script(right, "+OK", lines)).unwrap();
    assert_eq!(came, lines.iter().map(|(line, _)| *line).collect::<Vec<_>>());
    opened
}

/// Whether the marked messages are gone nobody can know then: there is no [`Committed`], and the error is that of the link.
#[test]
fn a_server_that_leaves_quit_unanswered_has_committed_nothing() {
    let unanswered = |outcome: Result<Committed, Failed>| {
        assert!(
            matches!(outcome, Err(FlowError::Session(Error::Machine(Violation::Truncated)))),
            "{outcome:?}"
        );
    };
    const LINES: &[(&str, &str)] = &[("DELE 1", "+OK\r\n"), ("QUIT", "")];
    unanswered(with(LINES, async |mut session| {
        session.dele(number(1)).await.unwrap();
        session.quit().await
    }));
    unanswered(blocking_with(LINES, |mut session| {
        session.dele(number(1)).unwrap();
        session.quit()
    }));
    // Part of an answer is none.
    unanswered(with(&[("QUIT", "+OK by")], async |session| session.quit().await));
    // Nor is silence.
    let silent = Plan { fault: Some((300, Fault::Stall)), ..Plan::default() };
    let long = format!("+OK {}\r\n", "bye ".repeat(70));
    let outcome = with_plan(&[("QUIT", &long)], silent, async |session| session.quit().await);
    assert!(matches!(outcome, Err(FlowError::Session(Error::Timeout))), "{outcome:?}");
}

/// RFC 1939 §6: some messages are not removed.
#[test]
fn a_server_that_refuses_quit_has_not_removed_all() {
    const LINES: &[(&str, &str)] = &[("QUIT", "-ERR [SYS/TEMP] some deleted messages not removed\r\n")];
    for refusal in [
        refusal(with(LINES, async |session| session.quit().await)),
        refusal(blocking_with(LINES, |session| session.quit())),
    ] {
        assert_eq!((refusal.name(), refusal.is_permanent()), (Some(&b"SYS/TEMP"[..]), Some(false)));
    }
}

/// How the link ends behind the answer changes nothing.
#[test]
fn a_server_that_hangs_up_behind_its_answer_to_quit_has_committed() {
    for answer in ["+OK bye\r\n", "+OK\r\n", "+OK bye\r\n-ERR what else\r\n"] {
        with(&[("QUIT", answer)], async |session| session.quit().await).unwrap();
    }
}

const MANY: &[(&str, &str)] = &[
    ("RETR 1", "-ERR [SYS/TEMP] not now\r\n+OK\r\nb\r\n.\r\n-ERR no such message\r\n+OK\r\nd\r\n.\r\n"),
    ("RETR 2", ""),
    ("RETR 3", ""),
    ("RETR 4", ""),
    ("NOOP", "+OK\r\n"),
];

/// What a download has told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    whole: Vec<(u32, String)>,
    refused: Vec<(u32, Option<bool>)>,
}

impl Told {
    fn of(&mut self, part: Part<'_>) {
        match part {
            Part::Begin(message) => self.whole.push((message.get(), String::new())),
            Part::Octets(octets) => self.whole.last_mut().unwrap().1 += std::str::from_utf8(octets).unwrap(),
            Part::End(message) => assert_eq!(self.whole.last().unwrap().0, message.get()),
            Part::Refused(message, refusal) => self.refused.push((message.get(), refusal.is_permanent())),
            other => panic!("{other:?}"),
        }
    }

    fn two_of_four() -> Self {
        Self {
            whole: vec![(2, "b\r\n".into()), (4, "d\r\n".into())],
            refused: vec![(1, Some(false)), (3, None)],
        }
    }
}

#[test]
fn a_refused_message_of_many_leaves_the_others() {
    let wanted = [1, 2, 3, 4].map(number);
    let told = with(MANY, async |mut session| {
        let (mut told, mut download) = (Told::default(), session.retr_many(wanted));
        while let Some(part) = download.next().await.unwrap() {
            told.of(part);
        }
        session.noop().await.unwrap();
        told
    });
    assert_eq!(told, Told::two_of_four());
    let told = blocking_with(MANY, |mut session| {
        let (mut told, mut download) = (Told::default(), session.retr_many(wanted));
        while let Some(part) = download.next().unwrap() {
            told.of(part);
        }
        session.noop().unwrap();
        told
    });
    assert_eq!(told, Told::two_of_four());
}

/// RFC 3206 §3: who is told so tries again later, and asks nobody for another password.
#[test]
fn a_fault_of_the_system_is_no_wrong_password() {
    let plain = "AUTH PLAIN AHUAcA==";
    for (lines, permanent, name) in [
        (vec![("CAPA", CAPA), ("USER u", "-ERR [SYS/TEMP] busy\r\n")], Some(false), Some("SYS/TEMP")),
        (
            vec![("CAPA", CAPA), ("USER u", "+OK\r\n"), ("PASS p", "-ERR [SYS/TEMP] busy\r\n")],
            Some(false),
            Some("SYS/TEMP"),
        ),
        (
            vec![("CAPA", CAPA), ("USER u", "+OK\r\n"), ("PASS p", "-ERR [IN-USE] locked\r\n")],
            Some(false),
            Some("IN-USE"),
        ),
        (
            vec![("CAPA", CAPA), ("USER u", "+OK\r\n"), ("PASS p", "-ERR [AUTH] no\r\n")],
            Some(true),
            Some("AUTH"),
        ),
        (vec![("CAPA", CAPA), ("USER u", "+OK\r\n"), ("PASS p", "-ERR no\r\n")], None, None),
        (
            vec![("CAPA", "+OK\r\nSASL PLAIN\r\n.\r\n"), (plain, "-ERR [SYS/TEMP] busy\r\n")],
            Some(false),
            Some("SYS/TEMP"),
        ),
    ] {
        let failed = open(&lines, user());
        assert!(matches!(failed, Err(FlowError::Flow(Failure::LogIn(_)))), "{failed:?}");
        let refusal = refusal(failed);
        assert_eq!((refusal.is_permanent(), refusal.name()), (permanent, name.map(str::as_bytes)));
    }
}

/// RFC 2449 §5 is younger than many servers. Where TLS is required, asking for it tells; and nothing is said without it.
#[test]
fn a_server_without_capa_is_logged_in_to_and_asked_for_tls() {
    open(&[("CAPA", "-ERR what?\r\n"), ("USER u", "+OK\r\n"), ("PASS p", "+OK\r\n")], user()).unwrap();
    let secure = pop3_opening(Security::StartTls(tls::pair().0));
    let failed = open(&[("CAPA", "-ERR what?\r\n"), ("STLS", "-ERR what?\r\n")], secure);
    assert!(matches!(failed, Err(FlowError::Flow(Failure::NoTls))), "{failed:?}");
}

/// Autologout (RFC 1939 §3): without a word, or with one.
#[test]
fn a_server_that_has_logged_us_out_is_told_by_the_next_operation() {
    let idle: &[(&str, &str)] = &[("NOOP", "+OK\r\n")];
    let failed = with(idle, async |mut session| {
        session.noop().await.unwrap();
        session.stat().await
    });
    // It had ended before the command was sent, or did not answer it.
    assert!(
        matches!(
            failed,
            Err(FlowError::Session(Error::Machine(Violation::Truncated)) | FlowError::Flow(Failure::Ended))
        ),
        "{failed:?}"
    );
    let failed = with(&[("NOOP", "+OK\r\n-ERR idle for too long\r\n")], async |mut session| {
        session.noop().await.unwrap();
        session.stat().await
    });
    let Err(FlowError::Flow(Failure::Closing(why))) = failed else { panic!("{failed:?}") };
    assert_eq!(why.text(), b"idle for too long");
}

/// What is listed is told, and nothing else: who needs each message to have an id looks for it.
#[test]
fn a_listing_of_another_count_is_told_as_it_is() {
    let stat = ("STAT", "+OK 3 300\r\n");
    for (listing, ids, malformed) in [
        ("1 a\r\n3 c\r\n", &[(1, "a"), (3, "c")][..], 0),
        ("", &[], 0),
        ("1 a\r\n2 b\r\n3 c\r\n4 d\r\n", &[(1, "a"), (2, "b"), (3, "c"), (4, "d")], 0),
        ("1 a\r\n2 a\r\n3 a\r\n", &[(1, "a"), (2, "a"), (3, "a")], 0),
        ("2 b\r\n2 c\r\n", &[(2, "b"), (2, "c")], 0),
        ("1 a\r\n2\r\n0 z\r\n3 c\r\n", &[(1, "a"), (3, "c")], 2),
    ] {
        let answer = format!("+OK\r\n{listing}.\r\n");
        let (messages, told) = with(&[stat, ("UIDL", &answer)], async |mut session| {
            (session.stat().await.unwrap().messages, session.uidl().await.unwrap())
        });
        let got: Vec<_> = (told.iter())
            .map(|(message, id)| (message.get(), std::str::from_utf8(id.octets()).unwrap()))
            .collect();
        assert_eq!((messages, got.as_slice(), told.malformed.count), (3, ids, malformed), "{listing:?}");
        for message in 1..6 {
            let id = told.get(number(message)).map(|id| (message, id.as_str()));
            assert_eq!(id.is_some(), ids.iter().any(|(number, _)| *number == message), "{listing:?}");
            assert!(id.is_none_or(|id| ids.contains(&id)), "{listing:?}: {id:?}");
        }
    }
}

/// The same of sizes, in any order and with gaps.
#[test]
fn sizes_are_looked_up_by_message() {
    let answer = "+OK\r\n3 30\r\n1 10\r\n7 18446744073709551615\r\n.\r\n";
    let listing = with(&[("LIST", answer)], async |mut session| session.list().await.unwrap());
    let got = [1, 2, 3, 7, 8].map(|n| listing.get(number(n)).map(|listed| listed.octets));
    assert_eq!(got, [Some(10), None, Some(30), Some(u64::MAX), None]);
    assert_eq!(listing.octets(), u64::MAX, "no sum that goes round");
    assert_eq!((&listing).into_iter().map(MessageNumber::from).collect::<Vec<_>>(), [3, 1, 7].map(number));
}

/// What an application shows: the code where a standard has it, and nothing that a server may have repeated.
#[test]
fn a_refusal_is_shown_without_the_words_of_the_server() {
    for (answer, shown) in [
        ("-ERR [IN-USE] s3cret\r\n", "the server refuses: IN-USE"),
        ("-ERR [sys/temp] s3cret\r\n", "the server refuses: SYS/TEMP"),
        ("-ERR [S3CRET] s3cret\r\n", "the server refuses"),
        ("-ERR s3cret\r\n", "the server refuses"),
    ] {
        let failed = with(&[("NOOP", answer)], async |mut session| session.noop().await.unwrap_err());
        assert_eq!(
            (failed.to_string().as_str(), failed.refusal().unwrap().to_string().as_str()),
            (shown, shown)
        );
        assert!(!format!("{failed:?}").to_lowercase().contains("s3cret"), "{failed:?}");
        let as_io = std::io::Error::from(failed);
        assert_eq!(as_io.to_string(), shown);
        assert!(as_io.get_ref().unwrap().is::<Failed>());
    }
}

/// An error of the socket is given as it is.
#[test]
fn an_error_of_the_socket_stays_what_it_is() {
    let failed = Failed::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset));
    assert!(failed.refusal().is_none());
    assert_eq!(std::io::Error::from(failed).kind(), std::io::ErrorKind::ConnectionReset);
}

/// A message without an end is never one, however long it is waited for.
#[test]
fn a_server_that_falls_silent_in_a_message_is_a_timeout() {
    let silent = Plan { fault: Some((200, Fault::Stall)), ..Plan::default() };
    let letter = format!("+OK\r\n{}.\r\n", "a line\r\n".repeat(100));
    let outcome = with_plan(&[("RETR 1", &letter)], silent, async |mut session| {
        session.retr(number(1)).await.unwrap().to_vec(10_000).await
    });
    assert!(matches!(outcome, Err(FlowError::Session(Error::Timeout))), "{outcome:?}");
}
