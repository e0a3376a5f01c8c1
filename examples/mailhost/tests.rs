//! What a host does beside carrying mail: refusals, news, its end.

use crate::client::imap::Reader;
use crate::client::{self, canonical};
use crate::host::{Host, Service};
use crate::store::{INBOX, Store};
use crate::{Failure, authority};
use bytes::Bytes;
use mail_session::flow::{Failure as Refused, FlowError};
use mail_session::open::Security;
use mail_session::sasl::client::Credentials;
use mail_session::tls::{ClientTls, provider};
use mail_session::{blocking, imap, pop3, smtp, tokio as on_tokio};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

struct Site {
    host: Arc<Host>,
    tls: ClientTls,
}

impl Site {
    fn new() -> Self {
        let identity = authority::make().unwrap();
        let users = [("alice", "wonderland"), ("bob", "builder")];
        let store = Store::new(users.map(|(user, password)| (user.into(), password.into())));
        let tls = ClientTls::with_roots(identity.ca.as_bytes(), provider()).unwrap();
        Self { host: Arc::new(Host::new(store, &identity)), tls }
    }

    async fn port(&self, service: Service) -> u16 {
        self.host.listen(service, ("127.0.0.1", 0)).await.unwrap().port()
    }

    fn security(&self) -> Security {
        Security::Implicit(self.tls.clone())
    }

    async fn reader(&self, port: u16) -> Reader {
        let opening = imap::Opening::new("localhost", self.security()).port(port);
        let opening = opening.log_in(Credentials::password("alice", "wonderland"));
        Reader::new(on_tokio::connect(opening).await.unwrap())
    }

    fn deliver(&self, text: &str) {
        let message = canonical(text.as_bytes());
        self.host.store.append("alice", INBOX, Vec::new(), SystemTime::now(), message).unwrap();
    }
}

/// Whether it is the log-in that failed.
fn is_log_in<T, E>(opened: Result<T, FlowError<E>>) -> bool {
    matches!(opened, Err(FlowError::Flow(Refused::LogIn(_))))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_user_get_in_nowhere() {
    let site = Site::new();
    let ports =
        [site.port(Service::Smtps).await, site.port(Service::Imaps).await, site.port(Service::Pop3s).await];
    for (user, password) in [("alice", "builder"), ("nobody", "wonderland")] {
        let credentials = || Credentials::password(user, password);
        let opening = imap::Opening::new("localhost", site.security()).port(ports[1]).log_in(credentials());
        assert!(is_log_in(on_tokio::connect(opening).await));
        let opening = smtp::Opening::new("localhost", site.security()).port(ports[0]).log_in(credentials());
        assert!(spawn_blocking(|| is_log_in(blocking::connect(opening))).await.unwrap());
        let opening = pop3::Opening::new("localhost", site.security()).port(ports[2]).log_in(credentials());
        assert!(spawn_blocking(|| is_log_in(blocking::connect(opening))).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_reaches_those_who_are_here_and_its_sender_learns_of_the_others() {
    let site = Site::new();
    let opening = smtp::Opening::new("localhost", site.security()).port(site.port(Service::Smtps).await);
    let opening = opening.log_in(Credentials::password("bob", "builder"));
    let message = canonical("From: bob@mail.test\n\n.\n..\n".as_bytes());
    let sent = message.clone();
    let (refused, none) = spawn_blocking(move || {
        let mut session = blocking::connect(opening)?;
        let to = ["alice@mail.test", "nobody@mail.test", "ALICE@elsewhere.test"].map(String::from);
        let sent_to = client::smtp::submit(&mut session, "bob@mail.test", &to, &sent)?;
        let none = client::smtp::submit(&mut session, "bob@mail.test", &["x@mail.test".into()], &sent);
        Ok::<_, Failure>((sent_to.refused, none.is_err()))
    })
    .await
    .unwrap()
    .unwrap();
    assert_eq!(refused.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), ["nobody@mail.test"]);
    assert!(refused[0].1.starts_with("550") && none);
    // One copy, though two recipients are the same user.
    let inbox = site.host.store.mailbox("alice", INBOX).unwrap();
    assert_eq!(inbox.messages.iter().map(|message| &message.octets).collect::<Vec<_>>(), [&message]);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_tells_what_arrives_and_what_goes() {
    let site = Site::new();
    let port = site.port(Service::Imaps).await;
    let mut reader = site.reader(port).await;
    site.deliver("Subject: 1\n\none\n");
    assert_eq!(reader.select("INBOX").await.unwrap(), 1);
    site.deliver("Subject: 2\n\ntwo\n");
    assert!(timeout(Duration::from_secs(20), reader.idle(1)).await.unwrap().unwrap());
    // The first message goes: the second gets its number.
    site.host.store.remove("alice", INBOX, |message| message.uid == 1);
    site.deliver("Subject: 3\n\nthree\n");
    site.deliver("Subject: 4\n\nfour\n");
    assert!(timeout(Duration::from_secs(20), reader.idle(2)).await.unwrap().unwrap());
    let mut octets = Vec::new();
    reader.message(1, |piece| Ok(octets.write_all(piece)?)).await.unwrap();
    assert_eq!(octets, b"Subject: 2\r\n\r\ntwo\r\n");
    assert!(reader.message(9, |_| Ok(())).await.is_err());
    assert_eq!(reader.list().await.unwrap(), ["INBOX"]);
    reader.append("INBOX", &Bytes::from_static(b"a\r\n\r\nb")).await.unwrap();
    assert_eq!(reader.exists(), 4);
    assert!(reader.append("nowhere", &Bytes::from_static(b"a\r\n")).await.is_err());
    reader.logout().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_every_session_and_waits_for_it() {
    let site = Site::new();
    let port = site.port(Service::Imaps).await;
    let mut idler = site.reader(port).await;
    idler.select("INBOX").await.unwrap();
    let mut quiet = site.reader(port).await;
    let waiting = tokio::spawn(async move { idler.idle(0).await.is_err() });
    // However far the idler is by then, it is told.
    tokio::task::yield_now().await;
    timeout(Duration::from_secs(20), site.host.shutdown()).await.unwrap();
    assert!(timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap());
    assert!(quiet.select("INBOX").await.is_err());
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
}
