//! What an attacker on the line, or a reader of a log, must not get.

use crate::flows::{Opened, imap_opening, meet, pop3_opening, smtp_opening};
use crate::servers::{self, Serve, USER};
use crate::toy::tls;
use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use mail_session::flow::FlowError;
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::open::{Opening, Security};
use mail_session::sasl::client::Credentials;
use mail_session::wire::HandoverError;
use mail_session::wire::base64;
use mail_session::{Error, Session, Transcript};
use std::hash::{BuildHasher, RandomState};

/// Says each part, and hears a line between two of them.
async fn recite(mut end: End, parts: &[&[u8]]) {
    for (index, part) in parts.iter().enumerate() {
        if end.write_all(part).await.is_err() {
            return;
        }
        if index + 1 < parts.len() {
            let mut octet = [0; 1];
            while octet != *b"\n" {
                if end.read(&mut octet).await.unwrap_or(0) == 0 {
                    return;
                }
            }
        }
    }
    // The connection stays open: what ends it is the surplus.
    let mut rest = Vec::new();
    let _ = end.read_to_end(&mut rest).await;
}

#[test]
fn plaintext_behind_the_go_ahead_ends_every_client() {
    fn attack<O: Opening>(opening: O, before: &[&[u8]], go_ahead: &[u8], surplus: &[u8]) {
        let last = [go_ahead, surplus].concat();
        let parts: Vec<&[u8]> = before.iter().copied().chain([last.as_slice()]).collect();
        let (error, ()) = meet(
            opening,
            (Plan::default(), Plan::default()),
            async |opened: Opened<O::Machine>| opened.map(|_| ()).unwrap_err(),
            async |end, _| recite(end, &parts).await,
        )
        .unwrap();
        match error {
            FlowError::Session(Error::Handover(HandoverError::PlaintextLeft(left))) => {
                assert_eq!(left.octets, surplus.len());
            }
            other => panic!("{other:?}"),
        }
    }
    let required = || Security::StartTls(tls::pair().0);
    for surplus in [&b"250 injected\r\n"[..], b"250 inj", b"2"] {
        let before: [&[u8]; 2] = [b"220 mail.example.org\r\n", b"250-mail.example.org\r\n250 STARTTLS\r\n"];
        attack(smtp_opening(required()), &before, b"220 go\r\n", surplus);
    }
    for surplus in [&b"+OK injected\r\n"[..], b"+O", b"+"] {
        attack(pop3_opening(required()), &[b"+OK\r\n", b"+OK\r\nSTLS\r\n.\r\n"], b"+OK go\r\n", surplus);
    }
    for surplus in [&b"* CAPABILITY AUTH=PLAIN\r\n"[..], b"* CAP", b"*"] {
        let before: [&[u8]; 2] = [b"* OK hi\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS\r\nA1 OK done\r\n"];
        attack(imap_opening(required()), &before, b"A2 OK go\r\n", surplus);
    }
}

#[test]
fn plaintext_behind_the_upgrade_ends_every_server() {
    macro_rules! attack {
        ($server:path, $before:expr, $upgrade:expr, $surplus:expr) => {
            for surplus in $surplus {
                let surplus: &[u8] = surplus;
                let clock = Clock::new();
                let (left, right) = memory::link(Plan::default(), Plan::default());
                let tap = Transcript::of_server();
                let serve = Serve { tap: Some(tap.clone()), ..Serve::new("x") };
                let parts: Vec<Vec<u8>> = vec![$before.to_vec(), [$upgrade, surplus].concat()];
                let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                let server = $server(serve, right, clock.clone());
                let (_, result) = memory::run(&clock, recite(left, &parts), server).unwrap();
                assert!(
                    matches!(
                        result,
                        Err(Error::Handover(HandoverError::PlaintextLeft(_)) | Error::Machine(_))
                    ),
                    "{result:?}"
                );
                assert!(!tap.text().contains("injected"), "{}", tap.text());
            }
        };
    }
    attack!(
        servers::smtp,
        b"",
        b"EHLO x\r\nSTARTTLS\r\n",
        [&b"MAIL FROM:<injected@x>\r\n"[..], b"MAI", b"M"]
    );
    attack!(servers::pop3, b"", b"STLS\r\n", [&b"USER injected\r\n"[..], b"USE", b"U"]);
    attack!(servers::imap, b"", b"a STARTTLS\r\n", [&b"b LOGIN injected x\r\n"[..], b"b L", b"b"]);
}

fn random() -> String {
    let number = || RandomState::new().hash_one(0_u8);
    format!("{:016x}{:016x}", number(), number()).chars().map(|c| if c == '0' { 'Q' } else { c }).collect()
}

/// Every form in which `secret` could stand in a text: as it is, in hex, and in base64 at the three alignments.
fn forms(secret: &[u8]) -> Vec<String> {
    let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    let mut forms = vec![String::from_utf8(secret.to_vec()).unwrap(), hex.clone(), hex.to_uppercase()];
    forms.push(format!("{secret:?}").trim_matches(['[', ']']).to_owned());
    for skip in 0..3 {
        let text = base64::encode(&[&[0; 3][..skip], secret].concat());
        let text = String::from_utf8(text.expose().to_vec()).unwrap();
        // What its neighbours have no part in.
        forms.push(text[4..text.len() - 4].to_owned());
    }
    forms
}

#[test]
fn no_tap_no_debug_and_no_error_shows_a_secret() {
    fn search(what: &str, text: &str, secret: &str) {
        for form in forms(secret.as_bytes()) {
            assert!(!text.contains(&form), "{what} shows {form}:\n{text}");
        }
    }
    macro_rules! check {
        ($opening:ty, $server:path) => {
            for mechanisms in [&["SCRAM-SHA-256"][..], &["PLAIN"], &["LOGIN"], &[]] {
                for wrong in [false, true] {
                    let secret = random();
                    let credentials = Credentials::password(USER, &secret);
                    search("credentials", &format!("{credentials:?}"), &secret);
                    // In plain text: what a tap shows is what stands on the wire.
                    let mut opening = <$opening>::new(tls::HOST, Security::InsecurePlain).log_in(credentials);
                    search("opening", &format!("{opening:?}"), &secret);
                    let taps = [Transcript::of_client(), Transcript::of_server()];
                    let password = if wrong { "another".to_owned() } else { secret.clone() };
                    let tap = Some(taps[1].clone());
                    let serve =
                        Serve { mechanisms, open: true, starttls: false, tap, ..Serve::new(&password) };
                    let clock = Clock::new();
                    let (left, right) = memory::link(Plan::default(), Plan::default());
                    let session = Session::over(opening.machine(), left, clock.clone()).tap(taps[0].clone());
                    let client = async {
                        let (text, session) = match session.run(&mut opening).await {
                            Ok((session, ())) => (format!("{session:?}"), Some(session)),
                            Err(error) => (format!("{error:?} {error}"), None),
                        };
                        search("client", &text, &secret);
                        let opened = session.is_some();
                        if let Some(session) = session {
                            session.close().await;
                        }
                        opened
                    };
                    let (opened, served) =
                        memory::run(&clock, client, $server(serve, right, clock.clone())).unwrap();
                    let known = !(mechanisms.is_empty() && stringify!($server).contains("smtp"));
                    assert_eq!(opened, !wrong && known, "{mechanisms:?} {}", taps[1].text());
                    search("server", &format!("{served:?}"), &secret);
                    for tap in taps {
                        search("tap", &tap.text(), &secret);
                        assert!(!known || tap.text().contains("[secret: "), "{}", tap.text());
                    }
                }
            }
        };
    }
    check!(mail_session::smtp::Opening, servers::smtp);
    check!(mail_session::pop3::Opening, servers::pop3);
    check!(mail_session::imap::Opening, servers::imap);
}
