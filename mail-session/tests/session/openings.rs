//! What an opening tells besides the session: the wire from its first octet, and the mechanism of the log-in.

use crate::flows::{Opened, PASSWORD, imap_opening, meet, pop3_opening, smtp_opening};
use crate::servers::{self, Serve};
use crate::toy::tls;
use mail_session::memory::Plan;
use mail_session::open::Security;
use mail_session::proto::{imap, pop3, smtp};
use mail_session::sasl::client::Mechanism;
use mail_session::{Error, Transcript, blocking};

/// Opens a session of each protocol; gives the three pages and the mechanisms.
fn open(serve: &Serve, security: &Security) -> [(String, Option<Mechanism>); 3] {
    macro_rules! opened {
        ($machine:ty, $opening:expr, $server:path) => {{
            let (page, serve) = (Transcript::of_client(), serve.clone());
            let (mechanism, _) = meet(
                $opening.tap(page.clone()),
                (Plan::default(), Plan::default()),
                async |opened: Opened<$machine>| opened.unwrap().mechanism(),
                async |end, clock| drop($server(serve, end, clock).await),
            )
            .unwrap();
            (page.text(), mechanism)
        }};
    }
    [
        opened!(smtp::Client, smtp_opening(security.clone()), servers::smtp),
        opened!(imap::Client, imap_opening(security.clone()), servers::imap),
        opened!(pop3::client::Client, pop3_opening(security.clone()), servers::pop3),
    ]
}

#[test]
fn a_tap_on_an_opening_sees_the_log_in_from_the_first_octet_and_no_secret() {
    let serve = Serve { mechanisms: &["PLAIN"], ..Serve::new(PASSWORD) };
    let encoded = mail_session::wire::base64::encode(format!("\0alice\0{PASSWORD}").as_bytes());
    let encoded = String::from_utf8(encoded.expose().to_vec()).unwrap();
    let first = ["S: 220 ", "S: * OK ", "S: +OK "];
    let auth = ["C: AUTH PLAIN [secret: ", "C: A", "C: AUTH PLAIN"];
    for (page, at) in open(&serve, &Security::StartTls(tls::pair().0)).map(|(page, _)| page).iter().zip(0..) {
        assert!(page.starts_with(first[at]), "{page}");
        let (plain, secure) = page.split_once("-- TLS handshake\n").unwrap();
        assert!(!plain.contains("AUTH PLAIN") && secure.contains("-- TLS stands\n"), "{page}");
        assert!(secure.contains(auth[at]) && secure.contains("[secret: "), "{page}");
        assert!(!page.contains(PASSWORD) && !page.contains(&encoded), "{page}");
    }
    let implicit = Serve { implicit: true, ..serve };
    for (page, at) in
        open(&implicit, &Security::Implicit(tls::pair().0)).map(|(page, _)| page).iter().zip(0..)
    {
        let head = format!("-- TLS handshake\n-- TLS stands\n{}", first[at]);
        assert!(page.starts_with(&head) && page.contains("[secret: "), "{page}");
        assert!(!page.contains(PASSWORD) && !page.contains(&encoded), "{page}");
    }
}

#[test]
fn a_session_tells_the_mechanism_of_its_log_in() {
    let security = Security::StartTls(tls::pair().0);
    for (mechanisms, used) in [
        (&["PLAIN", "SCRAM-SHA-256"][..], Mechanism::ScramSha256),
        (&["LOGIN", "PLAIN"], Mechanism::Plain),
        (&["LOGIN"], Mechanism::Login),
    ] {
        let serve = Serve { mechanisms, ..Serve::new(PASSWORD) };
        assert_eq!(open(&serve, &security).map(|(_, mechanism)| mechanism), [Some(used); 3]);
    }
    // LOGIN of IMAP, USER and PASS of POP3: no SASL.
    let serve = Serve { mechanisms: &[], ..Serve::new(PASSWORD) };
    macro_rules! without {
        ($machine:ty, $opening:expr, $server:path) => {{
            let serve = serve.clone();
            let open = async |opened: Opened<$machine>| opened.unwrap().mechanism();
            let server = async |end, clock| drop($server(serve, end, clock).await);
            meet($opening, (Plan::default(), Plan::default()), open, server).unwrap().0
        }};
    }
    assert_eq!(without!(imap::Client, imap_opening(security.clone()), servers::imap), None);
    assert_eq!(without!(pop3::client::Client, pop3_opening(security.clone()), servers::pop3), None);
}

/// The same on the blocking driver, whose reads wait: behind the log-in it holds no buffer.
#[test]
fn a_blocking_session_tells_the_same() {
    use mail_session::memory::{self, Clock};
    for implicit in [false, true] {
        let security = if implicit { Security::Implicit } else { Security::StartTls }(tls::pair().0);
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let serve = Serve { implicit, ..Serve::new(PASSWORD) };
        let server = std::thread::spawn(move || {
            futures::executor::block_on(servers::imap(serve, right, Clock::new()))
        });
        let page = Transcript::of_client();
        let opening = imap_opening(security).tap(page.clone());
        let session = blocking::Session::open(opening, left.blocking()).unwrap();
        assert_eq!(session.mechanism(), Some(Mechanism::ScramSha256));
        assert!(
            page.text().contains("-- TLS stands\n")
                && page.text().contains("AUTHENTICATE SCRAM-SHA-256 [secret: ")
        );
        session.close();
        let served = server.join().unwrap();
        assert!(matches!(served, Ok(_) | Err(Error::Unclean)), "{served:?}");
    }
}
