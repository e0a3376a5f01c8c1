//! `cargo run --example roundtrip -- [--transcript] [FILE.eml...]`
//!
//! Mail from end to end, on free ports of this machine: a client submits sample messages over STARTTLS with SCRAM-SHA-256, a second one sits
//! in IMAP IDLE over implicit TLS, sees them arrive and fetches them, a third downloads and deletes them over POP3 with STLS. Every octet
//! is compared.

use bytes::Bytes;
use mail_session::open::{Opening, Security};
use mail_session::pop3::Part;
use mail_session::sasl::client::Credentials;
use mail_session::tls::{ClientTls, provider};
use mail_session::tokio::Session;
use mail_session::{Transcript, blocking, imap, pop3, smtp};
use mailhost::client::imap::Reader;
use mailhost::client::{self, canonical};
use mailhost::host::{Host, Service};
use mailhost::samples::Sample;
use mailhost::store::Store;
use mailhost::{Failure, authority, samples};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

const FROM: &str = "bob@mail.test";
const TO: &str = "alice@mail.test";

#[tokio::main]
async fn main() -> ExitCode {
    let mut transcript = false;
    let mut messages = samples::all(FROM, TO);
    for argument in std::env::args().skip(1) {
        if argument == "--transcript" {
            transcript = true;
            continue;
        }
        match std::fs::read(&argument) {
            Ok(file) => messages.push(Sample { name: argument, octets: canonical(&file) }),
            Err(error) => {
                eprintln!("{argument}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    match roundtrip(messages).await {
        Ok(legs) => {
            for leg in &legs {
                if transcript {
                    println!("---- {}\n{}", leg.name, leg.transcript.text());
                }
                println!("{leg}");
            }
            println!("every octet is the same");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// What one of the three clients has done.
struct Leg {
    name: &'static str,
    security: &'static str,
    messages: usize,
    octets: usize,
    time: Duration,
    transcript: Transcript,
}

impl Leg {
    fn new(name: &'static str, security: &'static str, messages: &[Sample]) -> Self {
        let octets = messages.iter().map(|message| message.octets.len()).sum();
        let transcript = Transcript::of_client();
        Self { name, security, messages: messages.len(), octets, time: Duration::ZERO, transcript }
    }
}

impl std::fmt::Display for Leg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, security, messages, octets, time, .. } = self;
        write!(f, "{name:5} {security:31} {messages:3} messages {octets:9} octets {:6} ms", time.as_millis())
    }
}

/// Where the host listens, and whom its clients trust.
#[derive(Clone)]
struct Site {
    smtp: u16,
    imaps: u16,
    pop3: u16,
    tls: ClientTls,
}

/// All of it. An error tells what differs, or what went wrong.
async fn roundtrip(messages: Vec<Sample>) -> Result<Vec<Leg>, Failure> {
    let identity = authority::make()?;
    let users = [("alice", "wonderland"), ("bob", "builder")];
    let store = Store::new(users.map(|(user, password)| (user.into(), password.into())));
    let host = Arc::new(Host::new(store, &identity));
    let site = Site {
        smtp: host.listen(Service::Smtp, ("127.0.0.1", 0)).await?.port(),
        imaps: host.listen(Service::Imaps, ("127.0.0.1", 0)).await?.port(),
        pop3: host.listen(Service::Pop3, ("127.0.0.1", 0)).await?.port(),
        tls: ClientTls::with_roots(identity.ca.as_bytes(), provider())?,
    };
    let messages: Arc<[Sample]> = messages.into();

    // The reader is in IDLE before the first message is sent.
    let (ready, is_ready) = oneshot::channel();
    let (at, expected) = (site.clone(), Arc::clone(&messages));
    let reading = tokio::spawn(async move { read(&at, &expected, ready).await });
    let (to, expected) = (site.clone(), Arc::clone(&messages));
    if is_ready.await.is_err() {
        reading.await??;
        return Err("the reader has ended early".into());
    }
    let submitted = spawn_blocking(move || submit(&to, &expected)).await??;
    let fetched = reading.await??;
    let (from, expected) = (site.clone(), Arc::clone(&messages));
    let drained = spawn_blocking(move || drain(&from, &expected)).await??;
    host.shutdown().await;
    Ok(vec![submitted, fetched, drained])
}

/// The first client: SMTP with STARTTLS, on a blocking socket.
fn submit(site: &Site, messages: &[Sample]) -> Result<Leg, Failure> {
    let mut leg = Leg::new("SMTP", "STARTTLS, SCRAM-SHA-256", messages);
    let begun = Instant::now();
    let security = Security::StartTls(site.tls.clone());
    let opening = smtp::Opening::new("localhost", security).port(site.smtp).log_in(bob());
    let mut session = open(opening, &leg.transcript)?;
    for message in messages {
        client::smtp::submit(&mut session, FROM, &[TO.into()], &message.octets)?;
    }
    client::smtp::quit(session)?;
    leg.time = begun.elapsed();
    Ok(leg)
}

/// The second client: IMAP over implicit TLS, on tokio. It sits in IDLE, and fetches what arrives.
async fn read(site: &Site, messages: &[Sample], ready: oneshot::Sender<()>) -> Result<Leg, Failure> {
    let mut leg = Leg::new("IMAP", "implicit TLS, SCRAM-SHA-256", messages);
    let security = Security::Implicit(site.tls.clone());
    let mut opening = imap::Opening::new("localhost", security).port(site.imaps).log_in(alice());
    // With a tap; without one it is `mail_session::tokio::connect(opening)`.
    let socket = TcpStream::connect(opening.address()).await?;
    let tls = site.tls.to("localhost")?;
    let session = Session::on_tls(opening.machine(), socket, tls).await?.tap(leg.transcript.clone());
    let mut reader = Reader::new(session.run(&mut opening).await?.0);
    let mut fetched = reader.select("INBOX").await?;
    same_count("IMAP, at the beginning", fetched as usize, &[])?;
    let begun = Instant::now();
    // Nothing is submitted before IDLE is on. Later messages may arrive at any time: IDLE tells what is new when it begins.
    let begun_to_idle = || {
        // Nobody waits for it where the others have failed.
        let _ = ready.send(());
    };
    reader.idle_from(fetched, begun_to_idle).await?;
    for message in messages {
        while !reader.idle(fetched).await? {}
        fetched += 1;
        let mut comparison = Comparison::new("IMAP", message);
        reader.message(fetched, |octets| comparison.take(octets)).await?;
        comparison.end()?;
    }
    reader.logout().await?;
    leg.time = begun.elapsed();
    Ok(leg)
}

/// The third client: POP3 with STLS, on a blocking socket.
fn drain(site: &Site, messages: &[Sample]) -> Result<Leg, Failure> {
    let mut leg = Leg::new("POP3", "STLS, SCRAM-SHA-256", messages);
    let begun = Instant::now();
    let security = Security::StartTls(site.tls.clone());
    let opening = pop3::Opening::new("localhost", security).port(site.pop3).log_in(alice());
    let mut session = open(opening, &leg.transcript)?;
    let listed = session.list()?.messages;
    same_count("POP3", listed.len(), messages)?;
    let mut comparisons = messages.iter().map(|message| Comparison::new("POP3", message));
    let (mut download, mut comparison) = (session.retr_many(&listed), None);
    while let Some(part) = download.next()? {
        match part {
            Part::Begin(_) => comparison = comparisons.next(),
            Part::Octets(octets) => comparison.as_mut().ok_or("octets of no message")?.take(octets)?,
            Part::End(_) => comparison.take().ok_or("the end of no message")?.end()?,
            Part::Refused(message, refusal) => return Err(format!("message {message}: {refusal}").into()),
            _ => {}
        }
    }
    session.dele_many(listed.iter().map(|listed| listed.message))?;
    session.quit()?;
    let opening = pop3::Opening::new("localhost", Security::StartTls(site.tls.clone()));
    let mut again = blocking::connect(opening.port(site.pop3).log_in(alice()))?;
    same_count("POP3, after QUIT", again.list()?.messages.len(), &[])?;
    again.quit()?;
    leg.time = begun.elapsed();
    Ok(leg)
}

/// Connects, with a tap from the first octet on, makes TLS and logs in. Without a tap it is `blocking::connect(opening)`.
fn open<O: Opening>(
    mut opening: O,
    transcript: &Transcript,
) -> Result<blocking::Session<O::Machine, std::net::TcpStream>, Failure>
where
    <O::Machine as mail_session::wire::Machine>::Error: std::error::Error + Send + Sync + 'static,
{
    let socket = blocking::open(opening.address())?;
    let session = blocking::Session::over(opening.machine(), socket)?.tap(transcript.clone());
    Ok(session.run(&mut opening)?.0)
}

/// Compares a message with what comes of it, piece by piece.
struct Comparison<'m> {
    leg: &'static str,
    name: &'m str,
    left: Bytes,
}

impl<'m> Comparison<'m> {
    fn new(leg: &'static str, message: &'m Sample) -> Self {
        Self { leg, name: &message.name, left: message.octets.clone() }
    }

    fn take(&mut self, octets: &[u8]) -> Result<(), Failure> {
        if !self.left.starts_with(octets) {
            let left = self.left.len();
            return Err(
                format!("{}: {}: differs within {left} octets of its end", self.leg, self.name).into()
            );
        }
        self.left = self.left.slice(octets.len()..);
        Ok(())
    }

    fn end(self) -> Result<(), Failure> {
        if self.left.is_empty() {
            return Ok(());
        }
        Err(format!("{}: {}: the last {} octets are missing", self.leg, self.name, self.left.len()).into())
    }
}

fn same_count(leg: &str, count: usize, messages: &[Sample]) -> Result<(), Failure> {
    if count == messages.len() {
        return Ok(());
    }
    Err(format!("{leg}: {count} messages, {} are expected", messages.len()).into())
}

fn alice() -> Credentials {
    Credentials::password("alice", "wonderland")
}

fn bob() -> Credentials {
    Credentials::password("bob", "builder")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn few() -> Vec<Sample> {
        samples::all(FROM, TO).into_iter().filter(|sample| sample.octets.len() < 10_000).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_leg_carries_every_message_and_no_transcript_a_secret() {
        let messages = few();
        let octets: usize = messages.iter().map(|message| message.octets.len()).sum();
        let legs = roundtrip(messages).await.unwrap();
        assert_eq!(legs.iter().map(|leg| leg.name).collect::<Vec<_>>(), ["SMTP", "IMAP", "POP3"]);
        for leg in &legs {
            assert_eq!((leg.messages, leg.octets), (4, octets), "{}", leg.name);
            let text = leg.transcript.text();
            for secret in ["wonderland", "builder", "n,,n=", "biws", "x".repeat(100).as_str()] {
                assert!(!text.contains(secret), "{}: {secret}", leg.name);
            }
            assert!(text.contains(" SCRAM-SHA-256 [secret: "), "{}", leg.name);
        }
        assert!(legs[0].transcript.text().contains("-- TLS stands\nC: EHLO"));
        assert!(legs[1].transcript.text().contains("IDLE"));
    }

    #[test]
    fn an_octet_that_differs_is_found_wherever_it_stands() {
        let sample = Sample { name: "one".into(), octets: Bytes::from_static(b"0123456789") };
        for at in 0..10 {
            let mut octets = sample.octets.to_vec();
            octets[at] = b'x';
            let mut comparison = Comparison::new("test", &sample);
            let compared = octets.chunks(3).try_for_each(|piece| comparison.take(piece));
            assert!(compared.is_err(), "{at}");
        }
        let mut short = Comparison::new("test", &sample);
        short.take(b"012345678").unwrap();
        assert!(short.end().is_err());
        let mut long = Comparison::new("test", &sample);
        assert!(long.take(b"01234567890").is_err());
    }
}
