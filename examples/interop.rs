//! `cargo run --release --example interop -- --dovecot PORTS.env --postfix PORTS.env`
//!
//! The suite's clients against real servers, over STARTTLS and over implicit TLS with certificates checked: sample messages are submitted through
//! Postfix and compared in the Maildir, appended to and fetched from Dovecot by IMAP, downloaded from it by POP3. `interop/run.sh` starts
//! the servers.

use bytes::Bytes;
use mail_session::flow::FlowError;
use mail_session::open::Security;
use mail_session::sasl::client::Credentials;
use mail_session::tls::{ClientTls, provider};
use mail_session::{Error, blocking, imap, pop3, smtp, tokio as on_tokio};
use mailhost::client::imap::Reader;
use mailhost::client::target::Arguments;
use mailhost::client::{self, canonical};
use mailhost::samples::Sample;
use mailhost::{Failure, authority, samples};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Which of the two ways to TLS.
#[derive(Clone, Copy)]
enum Way {
    StartTls,
    Implicit,
}

const WAYS: [(Way, &str); 2] = [(Way::StartTls, "STARTTLS"), (Way::Implicit, "implicit TLS")];

/// A server, as its ports file tells.
struct Server {
    values: BTreeMap<String, String>,
    tls: ClientTls,
}

fn main() -> ExitCode {
    match run(Arguments::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("interop: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let usage = "--dovecot PORTS.env --postfix PORTS.env";
    let dovecot = Server::read(&arguments.option("--dovecot").ok_or(usage)?)?;
    let postfix = Server::read(&arguments.option("--postfix").ok_or(usage)?)?;
    arguments.rest()?;
    let messages = samples::all("bob@mail.test", "alice@mail.test");
    for (way, name) in WAYS {
        leg("Postfix, submission", name, &messages, || submit(&postfix, way, &messages))?;
        leg("Dovecot, IMAP APPEND and FETCH", name, &messages, || {
            empty(&dovecot, way)?;
            runtime()?.block_on(append_and_fetch(&dovecot, way, &messages))
        })?;
        leg("Dovecot, POP3", name, &messages, || download(&dovecot, way, &messages))?;
        distrust(&postfix, &dovecot, way)?;
        println!("ok an unknown authority is refused by all clients, {name}");
    }
    Ok(())
}

/// Runs a leg and prints its line.
fn leg(
    what: &str,
    way: &str,
    messages: &[Sample],
    run: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    run().map_err(|failure| format!("{what}, {way}: {failure}"))?;
    let octets: usize = messages.iter().map(|message| message.octets.len()).sum();
    let (count, time) = (messages.len(), begun.elapsed().as_millis());
    println!("ok {what}, {way}: {count} messages, {octets} octets, {time} ms");
    Ok(())
}

impl Server {
    fn read(file: &str) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let values: BTreeMap<String, String> = pairs.map(|(key, value)| (key.into(), value.into())).collect();
        let ca = values.get("CA").ok_or("the ports file names no CA")?;
        let tls = ClientTls::with_roots(&std::fs::read(ca)?, provider())?;
        Ok(Self { values, tls })
    }

    fn value(&self, key: &str) -> Result<&str, Failure> {
        self.values.get(key).map(String::as_str).ok_or_else(|| format!("the ports file has no {key}").into())
    }

    /// The port of a service: its name has an S behind it where TLS comes first.
    fn port(&self, service: &str, way: Way) -> Result<u16, Failure> {
        let suffix = if matches!(way, Way::Implicit) { "S" } else { "" };
        Ok(self.value(&format!("{service}{suffix}"))?.parse()?)
    }

    fn security(&self, way: Way) -> Security {
        match way {
            Way::StartTls => Security::StartTls(self.tls.clone()),
            Way::Implicit => Security::Implicit(self.tls.clone()),
        }
    }

    fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(Credentials::password(self.value("USER")?, self.value("PASS")?))
    }

    fn smtp(&self, way: Way) -> Result<smtp::Opening, Failure> {
        let opening = smtp::Opening::new("localhost", self.security(way));
        Ok(opening.port(self.port("SUBMISSION", way)?).log_in(self.credentials()?))
    }

    fn imap(&self, way: Way) -> Result<imap::Opening, Failure> {
        let opening = imap::Opening::new("localhost", self.security(way));
        Ok(opening.port(self.port("IMAP", way)?).log_in(self.credentials()?))
    }

    fn pop3(&self, way: Way) -> Result<pop3::Opening, Failure> {
        let opening = pop3::Opening::new("localhost", self.security(way));
        Ok(opening.port(self.port("POP3", way)?).log_in(self.credentials()?))
    }
}

/// Submits each message and waits for it in the Maildir.
fn submit(postfix: &Server, way: Way, messages: &[Sample]) -> Result<(), Failure> {
    let folder = Path::new(postfix.value("MAILDIR")?).join("alice/new");
    let mut known = files(&folder)?;
    let mut session = blocking::connect(postfix.smtp(way)?)?;
    for message in messages {
        client::smtp::submit(&mut session, "bob@mail.test", &["alice@mail.test".into()], &message.octets)?;
        let file = arrival(&folder, &known)?;
        let delivered = canonical(&std::fs::read(&file)?);
        // The server puts header fields before the message.
        let added = delivered.len().saturating_sub(message.octets.len());
        same("the Maildir", message, &delivered[added..])?;
        if added > 0 && !delivered[..added].ends_with(b"\r\n") {
            return Err(format!("{}: something in front of the header", message.name).into());
        }
        known.insert(file);
    }
    client::smtp::quit(session)
}

fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn arrival(folder: &Path, known: &BTreeSet<PathBuf>) -> Result<PathBuf, Failure> {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if let Some(file) = files(folder)?.difference(known).next() {
            return Ok(file.clone());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("nothing is delivered".into())
}

/// Appends all messages and fetches them again.
async fn append_and_fetch(dovecot: &Server, way: Way, messages: &[Sample]) -> Result<(), Failure> {
    let mut reader = Reader::new(on_tokio::connect(dovecot.imap(way)?).await?);
    for message in messages {
        reader.append("INBOX", &message.octets).await?;
    }
    let exists = reader.select("INBOX").await?;
    same_count(exists as usize, messages)?;
    for (number, message) in (1..).zip(messages) {
        let mut octets = Vec::new();
        reader.message(number, |piece| Ok(octets.write_all(piece)?)).await?;
        same("IMAP", message, &octets)?;
    }
    reader.logout().await
}

/// Downloads all messages and removes them.
fn download(dovecot: &Server, way: Way, messages: &[Sample]) -> Result<(), Failure> {
    let mut session = blocking::connect(dovecot.pop3(way)?)?;
    let listed = client::pop3::list(&mut session)?;
    same_count(listed.len(), messages)?;
    for (listed, message) in listed.iter().zip(messages) {
        let mut octets = Vec::new();
        client::pop3::retrieve(&mut session, listed.number, |piece| Ok(octets.write_all(piece)?))?;
        same("POP3", message, &octets)?;
    }
    client::pop3::quit(session)?;
    empty(dovecot, way)
}

/// Removes all messages.
fn empty(dovecot: &Server, way: Way) -> Result<(), Failure> {
    let mut session = blocking::connect(dovecot.pop3(way)?)?;
    for listed in client::pop3::list(&mut session)? {
        client::pop3::delete(&mut session, listed.number)?;
    }
    client::pop3::quit(session)
}

/// With another authority to trust, no client may get through.
fn distrust(postfix: &Server, dovecot: &Server, way: Way) -> Result<(), Failure> {
    let tls = ClientTls::with_roots(authority::make()?.ca.as_bytes(), provider())?;
    let wary = |server: &Server| Server { values: server.values.clone(), tls: tls.clone() };
    let (postfix, dovecot) = (wary(postfix), wary(dovecot));
    let imap = runtime()?.block_on(on_tokio::connect(dovecot.imap(way)?)).map(drop);
    refused("IMAP", imap)?;
    refused("SMTP", blocking::connect(postfix.smtp(way)?).map(drop))?;
    refused("POP3", blocking::connect(dovecot.pop3(way)?).map(drop))
}

/// For the certificate, and for nothing else.
fn refused<E>(what: &str, connected: Result<(), FlowError<E>>) -> Result<(), Failure> {
    match connected {
        Err(FlowError::Session(Error::Tls(_))) => Ok(()),
        Ok(()) => Err(format!("{what}: a certificate of an unknown authority was taken").into()),
        Err(_) => Err(format!("{what}: it is not the certificate that was refused").into()),
    }
}

fn same(place: &str, message: &Sample, octets: &[u8]) -> Result<(), Failure> {
    if octets == message.octets {
        return Ok(());
    }
    let expected: &Bytes = &message.octets;
    let at = octets.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let (got, wanted) = (octets.len(), expected.len());
    Err(format!("{place}: {}: {got} octets for {wanted}, they differ from {at} on", message.name).into())
}

fn same_count(count: usize, messages: &[Sample]) -> Result<(), Failure> {
    if count == messages.len() {
        return Ok(());
    }
    Err(format!("{count} messages, {} are expected", messages.len()).into())
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
