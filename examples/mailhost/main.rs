//! `cargo run --example mailhost -- --smtp ADDRESS --smtps ADDRESS --imap ADDRESS --imaps ADDRESS --pop3 ADDRESS --pop3s ADDRESS
//! --user NAME:PASSWORD... --ca-out FILE [--ports-out FILE] [--transcript]`
//!
//! Serves SMTP submission, IMAP and POP3 over one store in memory, with a certificate for `localhost` by an authority of its own. An address may
//! have port 0; the ports file tells which it became. Mail for a user at any domain reaches that user. Ends at Ctrl-C or SIGTERM, after the
//! commands in flight.

use mailhost::client::target::Arguments;
use mailhost::host::{Host, Service};
use mailhost::store::Store;
use mailhost::{Failure, authority};
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::of_process()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mailhost: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let mut users = Vec::new();
    for user in arguments.options("--user") {
        let (name, password) = user.split_once(':').ok_or("--user wants NAME:PASSWORD")?;
        users.push((name.to_string(), password.to_string()));
    }
    let (name, password) = users.first().cloned().ok_or("at least one --user NAME:PASSWORD")?;
    let identity = authority::make()?;
    let ca = arguments.option("--ca-out").ok_or("--ca-out FILE, for the certificate to trust")?;
    std::fs::write(&ca, &identity.ca)?;

    let mut host = Host::new(Store::new(users), &identity);
    host.transcripts = arguments.switch("--transcript");
    let host = Arc::new(host);
    let mut ports = String::new();
    for service in Service::ALL {
        if let Some(address) = arguments.option(&format!("--{}", service.name())) {
            let address = host.listen(service, address).await?;
            println!("{} on {address}", service.name());
            writeln!(ports, "{}={}", service.name().to_uppercase(), address.port())?;
        }
    }
    let file = arguments.option("--ports-out");
    if !arguments.rest()?.is_empty() {
        return Err("arguments without a name".into());
    }
    if let Some(file) = file {
        let ca = std::fs::canonicalize(&ca)?;
        // PASS is the last line: who waits for the file knows by it that it is whole.
        writeln!(ports, "CA={}\nUSER={name}\nPASS={password}", ca.display())?;
        std::fs::write(file, ports)?;
    }
    asked_to_end().await?;
    host.shutdown().await;
    Ok(())
}

#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn asked_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
