//! `cargo run --release --example interop -- --dovecot PORTS.env --postfix PORTS.env`
//!
//! The suite's clients against real servers, over STARTTLS and over implicit TLS with certificates checked: sample messages are submitted through
//! Postfix and compared in the Maildir, appended to and fetched from Dovecot by IMAP, downloaded from it by POP3. Then many messages are downloaded
//! at once, in a race with curl. `interop/run.sh` starts the servers.
//!
//! A ports file has a line `NAME=VALUE` for each listener, for the authority to trust and for the user: see `interop/README.md`. The race
//! runs this program again for each time that it takes: `--dovecot PORTS.env --port PORT --retrieve blocking`, or `tokio`.

mod bulk;
mod letters;
mod relay;
mod server;

use bytes::Bytes;
use mail_session::flow::FlowError;
use mail_session::tls::{ClientTls, provider};
use mail_session::{Error, blocking, tokio as on_tokio};
use mailhost::client::imap::Reader;
use mailhost::client::target::Arguments;
use mailhost::client::{self, canonical};
use mailhost::samples::Sample;
use mailhost::{Failure, authority, samples};
use server::{Server, WAYS, Way};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    match run(Arguments::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("interop: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The legs, one after the other. With `--retrieve` it is the process that a race times, and does nothing else.
fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let usage = "--dovecot PORTS.env --postfix PORTS.env";
    let dovecot_file = arguments.option("--dovecot").ok_or(usage)?;
    let dovecot = Server::read(&dovecot_file)?;
    if let Some(client) = arguments.option("--retrieve") {
        let port = arguments.option("--port").ok_or("--retrieve CLIENT --port PORT")?.parse()?;
        arguments.rest()?;
        return bulk::retrieve(&dovecot, port, &client);
    }
    let postfix = Server::read(&arguments.option("--postfix").ok_or(usage)?)?;
    arguments.rest()?;
    let messages = samples::all("bob@mail.test", "alice@mail.test");
    // Each way empties the maildrop again.
    for (way, name) in WAYS {
        leg("Postfix, submission", name, &messages, || submit(&postfix, way, &messages))?;
        leg("Dovecot, IMAP APPEND and FETCH", name, &messages, || {
            empty(&dovecot, way)?;
            on_tokio::block_on(append_and_fetch(&dovecot, way, &messages))?
        })?;
        leg("Dovecot, POP3", name, &messages, || download(&dovecot, way, &messages))?;
        distrust(&postfix, &dovecot, way)?;
        println!("ok an unknown authority is refused by all clients, {name}");
    }
    // The maildrop is empty again, so that message numbers are known.
    let begun = Instant::now();
    on_tokio::block_on(bulk::fill(&dovecot))??;
    bulk::races(&dovecot, &dovecot_file)?;
    empty(&dovecot, Way::StartTls)?;
    println!("ok Dovecot, {} messages by POP3, STLS: {} s", letters::COUNT, begun.elapsed().as_secs());
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
    // Of the messages, once: what was carried, whatever it took.
    let octets: usize = messages.iter().map(|message| message.octets.len()).sum();
    let (count, time) = (messages.len(), begun.elapsed().as_millis());
    println!("ok {what}, {way}: {count} messages, {octets} octets, {time} ms");
    Ok(())
}

/// Submits each message and waits for it in the Maildir.
fn submit(postfix: &Server, way: Way, messages: &[Sample]) -> Result<(), Failure> {
    // What was there before is none of ours.
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

/// What has been delivered; the folder comes with the first delivery.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Waits for a file that is not known yet.
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
    // On tokio: so both drivers are at work here.
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
    // One after the other: what is read here is a `Read` of each message. The race has them all at once.
    let mut session = blocking::connect(dovecot.pop3(way)?)?;
    // As many as were put there, and in their order.
    let listed = session.list()?.messages;
    same_count(listed.len(), messages)?;
    for (listed, message) in listed.iter().zip(messages) {
        let mut octets = Vec::new();
        session.retr(listed.message)?.read_to_end(&mut octets)?;
        same("POP3", message, &octets)?;
    }
    session.quit()?;
    empty(dovecot, way)
}

/// Removes all messages.
fn empty(dovecot: &Server, way: Way) -> Result<(), Failure> {
    let mut session = blocking::connect(dovecot.pop3(way)?)?;
    // Marked one by one, gone by the QUIT (RFC 1939 §6): an error before leaves all of them.
    for listed in session.list()?.messages {
        session.dele(listed.message)?;
    }
    session.quit()?;
    Ok(())
}

/// With another authority to trust, no client may get through.
fn distrust(postfix: &Server, dovecot: &Server, way: Way) -> Result<(), Failure> {
    // An authority of our own, made now: it has signed nothing that a server shows.
    let tls = ClientTls::with_roots(authority::make()?.ca.as_bytes(), provider())?;
    let (postfix, dovecot) = (postfix.trusting(tls.clone()), dovecot.trusting(tls));
    let imap = on_tokio::block_on(on_tokio::connect(dovecot.imap(way)?))?.map(drop);
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

/// Says where octets differ, and never shows them.
fn same(place: &str, message: &Sample, octets: &[u8]) -> Result<(), Failure> {
    if octets == message.octets {
        return Ok(());
    }
    let expected: &Bytes = &message.octets;
    let at = octets.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let (got, wanted) = (octets.len(), expected.len());
    Err(format!("{place}: {}: {got} octets for {wanted}, they differ from {at} on", message.name).into())
}

/// Nothing may be missing, and nothing be there twice.
fn same_count(count: usize, messages: &[Sample]) -> Result<(), Failure> {
    if count == messages.len() {
        return Ok(());
    }
    Err(format!("{count} messages, {} are expected", messages.len()).into())
}
