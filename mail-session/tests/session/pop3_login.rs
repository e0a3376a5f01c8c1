//! Log-ins of POP3, line by line against a script: what goes over the wire, and in which order.

use crate::flows::pop3_opening;
use crate::toy::tls;
use futures::{AsyncBufReadExt as _, AsyncWriteExt as _, io::BufReader};
use mail_session::flow::{Failure, FlowError};
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::open::Security;
use mail_session::pop3::Opening;
use mail_session::proto::pop3::Violation;
use mail_session::proto::pop3::types::MessageNumber;
use mail_session::sasl::SaslError;
use mail_session::sasl::client::Credentials;
use mail_session::wire::SecretBuf;
use mail_session::{Session, wire::base64};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Says the greeting, then answers each line of the script. The lines that did come.
pub async fn script(end: End, greeting: &str, lines: &[(&str, &str)]) -> Vec<String> {
    let mut end = BufReader::new(end);
    end.get_mut().write_all(format!("{greeting}\r\n").as_bytes()).await.unwrap();
    let mut came = Vec::new();
    for (expected, answer) in lines {
        let mut line = String::new();
        end.read_line(&mut line).await.unwrap();
        came.push(line.trim_end().to_owned());
        if came.last().map(String::as_str) != Some(*expected) {
            break;
        }
        end.get_mut().write_all(answer.as_bytes()).await.unwrap();
    }
    came
}

/// Opens against the script, which must be followed to its last line.
fn open(
    opening: Opening,
    greeting: &str,
    lines: &[(&str, &str)],
) -> Result<Vec<String>, FlowError<Violation>> {
    let clock = Clock::new();
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let client = async {
        let mut session = Session::open(opening, left, clock.clone()).await?;
        let known: Vec<String> = session
            .turn()
            .machine
            .capabilities()
            .raw()
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        session.close().await;
        Ok(known)
    };
    let (opened, came) = memory::run(&clock, client, script(right, greeting, lines)).unwrap();
    let expected: Vec<&str> = lines.iter().map(|(line, _)| *line).collect();
    assert_eq!(came, expected);
    opened
}

pub fn plain(user: Credentials) -> Opening {
    Opening::new(tls::HOST, Security::InsecurePlain).log_in(user)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(base64::encode(octets).expose().to_vec()).unwrap()
}

/// RFC 7628 §3.1, and the form of XOAUTH2 in wide use. The token is asked for once, and only when it is sent.
#[test]
fn a_token_is_asked_for_when_it_is_sent() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let user = Credentials::token_from("u@h", move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Some(SecretBuf::from(&b"t0ken"[..]))
    });
    for (mechanism, message) in [
        ("XOAUTH2", &b"user=u@h\x01auth=Bearer t0ken\x01\x01"[..]),
        ("OAUTHBEARER", b"n,a=u@h,\x01auth=Bearer t0ken\x01\x01"),
    ] {
        let capa = format!("+OK\r\nSASL {mechanism}\r\n.\r\n");
        let auth = format!("AUTH {mechanism} {}", text(message));
        let lines = [("CAPA", capa.as_str()), (&auth, "+OK\r\n"), ("CAPA", "+OK\r\nPIPELINING\r\n.\r\n")];
        assert_eq!(open(plain(user.clone()), "+OK", &lines).unwrap(), ["PIPELINING"]);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);

    let none = Credentials::token_from("u@h", || None);
    let refused = open(plain(none), "+OK", &[("CAPA", "+OK\r\nSASL XOAUTH2\r\n.\r\n")]);
    assert!(matches!(refused, Err(FlowError::Flow(Failure::Sasl(SaslError::NoToken)))), "{refused:?}");
}

/// What the server says of a token that it does not take is answered, so that it can end the exchange (RFC 7628 §3.2.3).
#[test]
fn a_refused_token_is_a_refusal_of_the_log_in() {
    let auth = format!("AUTH OAUTHBEARER {}", text(b"n,a=u@h,\x01auth=Bearer old\x01\x01"));
    let why = format!("+ {}\r\n", text(b"{\"status\":\"invalid_token\"}"));
    let lines = [
        ("CAPA", "+OK\r\nSASL OAUTHBEARER\r\nRESP-CODES\r\n.\r\n"),
        (&auth, &why),
        (&text(b"\x01"), "-ERR [AUTH] expired\r\n"),
    ];
    let Err(FlowError::Flow(Failure::LogIn(refusal))) =
        open(plain(Credentials::token("u@h", "old")), "+OK", &lines)
    else {
        panic!()
    };
    assert_eq!((refusal.name(), refusal.is_permanent()), (Some(&b"AUTH"[..]), Some(true)));
    assert_eq!(refusal.text(), b"expired");
}

/// RFC 6856 §2.1: UTF8 comes before the log-in, and only where it is offered.
#[test]
fn utf_8_mode_is_asked_for_before_the_log_in() {
    let user = || Credentials::password("u", "p");
    let offered = [
        ("CAPA", "+OK\r\nUSER\r\nUTF8\r\n.\r\n"),
        ("UTF8", "+OK\r\n"),
        ("USER u", "+OK\r\n"),
        ("PASS p", "+OK\r\n"),
        ("CAPA", "-ERR not now\r\n"),
    ];
    open(plain(user()).utf8(), "+OK", &offered).unwrap();
    let not_offered = [("CAPA", "-ERR what?\r\n"), ("USER u", "+OK\r\n"), ("PASS p", "+OK\r\n")];
    open(plain(user()).utf8(), "+OK", &not_offered).unwrap();
    open(
        pop3_opening(Security::InsecurePlain).utf8(),
        "+OK",
        &[("CAPA", "+OK\r\nUTF8\r\n.\r\n"), ("UTF8", "-ERR\r\n")],
    )
    .unwrap_err();
}

/// The example of RFC 1939 §7; without a stamp in the greeting, USER and PASS.
#[cfg(feature = "legacy-md5")]
#[test]
fn apop_answers_the_stamp_of_the_greeting() {
    let user = || Credentials::password("mrose", "tanstaaf");
    let apop = [("CAPA", "-ERR\r\n"), ("APOP mrose c4c9334bac560ecc979e58001b3e22fb", "+OK\r\n")];
    open(plain(user()).insecure_apop(), "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>", &apop)
        .unwrap();
    let bare = [("CAPA", "-ERR\r\n"), ("USER mrose", "+OK\r\n"), ("PASS tanstaaf", "+OK\r\n")];
    open(plain(user()).insecure_apop(), "+OK POP3 server ready", &bare).unwrap();
    open(plain(user()), "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>", &bare).unwrap();
}

/// Why a server goes away, such as autologout, is told as that: by the opening, by an operation that begins behind it, and by a download.
#[test]
fn a_server_that_goes_away_says_why() {
    const GOES: &str = "-ERR [SYS/TEMP] shutting down\r\n";
    let why = |error: FlowError<Violation>| match error {
        FlowError::Flow(Failure::Closing(reason)) => {
            assert_eq!(reason.name(), Some(&b"SYS/TEMP"[..]));
            assert!(reason.text().ends_with(b"shutting down"));
        }
        other => panic!("{other:?}"),
    };
    let capa = format!("+OK\r\n.\r\n{GOES}");
    let user = plain(Credentials::password("u", "p"));
    let script_of = |lines: &[(&str, &str)]| open(plain(Credentials::password("u", "p")), "+OK", lines);
    why(script_of(&[("CAPA", &capa)]).unwrap_err());
    why(open(user, &format!("+OK\r\n{}", GOES.trim_end()), &[]).unwrap_err());

    for operation in 0..4 {
        let clock = Clock::new();
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let client = async {
            let mut session =
                Session::open(plain(Credentials::password("u", "p")), left, clock.clone()).await.unwrap();
            session.noop().await.unwrap();
            let one = [MessageNumber::FIRST];
            let failed = match operation {
                0 => session.stat().await.map(drop),
                1 => session.dele_many(one).await.map(drop),
                2 => session.retr(one[0]).await.map(drop),
                _ => session.quit().await.map(drop),
            };
            why(failed.unwrap_err());
        };
        let noop = format!("+OK\r\n{GOES}");
        let lines = [("CAPA", "-ERR\r\n"), ("USER u", "+OK\r\n"), ("PASS p", "+OK\r\n"), ("NOOP", &noop)];
        memory::run(&clock, client, script(right, "+OK", &lines)).unwrap();
    }
}
