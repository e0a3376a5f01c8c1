//! The client's end: one command and its answer at a time.

use crate::shelf::{PASSWORD, Shelf, USER};
use crate::tls;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use mail_session::flow::FlowError;
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::open::Security;
use mail_session::pop3::Opening;
use mail_session::pop3::serve::{AsyncHost, Ended, ServeError, Service};
use mail_session::proto::pop3::client::{Client, Event};
use mail_session::proto::pop3::server::Config;
use mail_session::proto::pop3::{Allow, Command, Violation};
use mail_session::sasl::client::Credentials;
use mail_session::{Error, Session};
use std::future::{Future, pending};

pub type Peer = Session<Client, End, Clock>;

/// What came for a command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub ok: bool,
    /// The text of the first line.
    pub text: String,
    pub code: Option<String>,
    /// The lines of a listing, or the message.
    pub rest: String,
    /// Whether the end of the answer came.
    pub whole: bool,
}

/// Sends a command, and gives what comes for it, whole or not.
pub async fn ask(peer: &mut Peer, command: &Command<'_>) -> (Said, Result<(), Error<Violation>>) {
    let mut said = Said::default();
    peer.turn().send(command).unwrap();
    loop {
        match peer.next().await {
            Ok(Some((event, _))) => match event {
                Event::Reply(_, line) | Event::Head(_, line) => {
                    said.ok = line.is_ok();
                    said.text = String::from_utf8_lossy(line.text()).into_owned();
                    said.code = line.code().map(|code| String::from_utf8_lossy(code.name()).into_owned());
                    if matches!(event, Event::Reply(..)) {
                        said.whole = true;
                        return (said, Ok(()));
                    }
                }
                Event::Items(_, items) => {
                    for item in items {
                        said.rest += &format!("{:?} ", item.unwrap());
                    }
                }
                Event::Chunk(octets) => said.rest += std::str::from_utf8(octets).unwrap(),
                Event::End(_) => {
                    said.whole = true;
                    return (said, Ok(()));
                }
                other => panic!("{other:?}"),
            },
            Ok(None) => return (said, Ok(())),
            Err(error) => return (said, Err(error)),
        }
    }
}

/// The same for an answer that must be positive and whole.
pub async fn good(peer: &mut Peer, command: &Command<'_>) -> Said {
    let (said, outcome) = ask(peer, command).await;
    assert!(said.ok && said.whole && outcome.is_ok(), "{command:?}: {said:?} {outcome:?}");
    said
}

/// Says all of it at once, and reads to the end.
pub async fn say(mut end: End, script: impl AsRef<[u8]>) -> String {
    // The link may be cut in the middle.
    let _ = end.write_all(script.as_ref()).await;
    let mut said = Vec::new();
    let _ = end.read_to_end(&mut said).await;
    String::from_utf8(said).unwrap()
}

/// The same, and counts what comes.
pub async fn count(mut end: End, script: &str) -> u64 {
    end.write_all(script.as_bytes()).await.unwrap();
    futures::io::copy(&mut end, &mut futures::io::sink()).await.unwrap()
}

/// Waits for the end of the session.
pub async fn over(mut peer: Peer) {
    assert!(peer.next().await.unwrap().is_none());
}

/// A configuration without TLS.
pub fn open_config() -> Config {
    let mut config = Config::default();
    config.policy.plaintext_auth = Allow::Allow;
    config
}

/// A service without TLS.
pub fn open_service() -> Service {
    Service::new(open_config())
}

/// An opening without TLS.
pub fn opening() -> Opening {
    Opening::new(tls::HOST, Security::InsecurePlain).log_in(Credentials::password(USER, PASSWORD))
}

/// What a test is made of.
pub struct Meeting {
    pub service: Service,
    pub shelf: Shelf,
    /// What the client writes through, and the server.
    pub plans: (Plan, Plan),
    pub clock: Clock,
}

impl Meeting {
    pub fn new(shelf: &Shelf) -> Self {
        Self {
            service: open_service(),
            shelf: shelf.clone(),
            plans: (Plan::default(), Plan::default()),
            clock: Clock::new(),
        }
    }

    /// Opens a session, does something with it, and gives what both sides came to.
    pub fn meet<T>(self, client: impl AsyncFnOnce(Peer) -> T) -> (T, Result<Ended, ServeError>) {
        self.meet_until(opening(), pending(), client)
    }

    pub fn meet_until<T>(
        self,
        opening: Opening,
        stop: impl Future<Output = ()>,
        client: impl AsyncFnOnce(Peer) -> T,
    ) -> (T, Result<Ended, ServeError>) {
        let shelf = self.shelf.clone();
        self.open(&shelf, opening, stop, async |opened| client(opened.unwrap()).await)
    }

    /// The same with another host, and whether or not the session opens.
    pub fn open<H: AsyncHost, T>(
        self,
        host: &H,
        opening: Opening,
        stop: impl Future<Output = ()>,
        client: impl AsyncFnOnce(Result<Peer, FlowError<Violation>>) -> T,
    ) -> (T, Result<Ended, ServeError>) {
        let (left, right) = memory::link(self.plans.0, self.plans.1);
        let clock = self.clock.clone();
        let a = async { client(Session::open(opening, left, clock.clone()).await).await };
        let session = Session::over(self.service.machine(), right, clock.clone());
        let b = self.service.serve(session, host, stop);
        memory::run(&clock, a, b).unwrap()
    }

    /// The client's end as it is, with nothing said.
    pub fn raw<T>(self, client: impl AsyncFnOnce(End) -> T) -> (T, Result<Ended, ServeError>) {
        self.raw_until(pending(), client)
    }

    pub fn raw_until<T>(
        self,
        stop: impl Future<Output = ()>,
        client: impl AsyncFnOnce(End) -> T,
    ) -> (T, Result<Ended, ServeError>) {
        let (left, right) = memory::link(self.plans.0, self.plans.1);
        let session = Session::over(self.service.machine(), right, self.clock.clone());
        let b = self.service.serve(session, &self.shelf, stop);
        memory::run(&self.clock, client(left), b).unwrap()
    }
}
