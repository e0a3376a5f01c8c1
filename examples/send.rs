//! `PASSWORD=.. cargo run --example send -- smtps://USER@HOST[:PORT] --from ADDRESS --to ADDRESS... [--ca FILE] FILE.eml...`
//!
//! Submits messages, on a blocking socket. `smtps` is TLS from the first octet, `smtp` is STARTTLS, without which nothing goes on. The best
//! log-in that the server offers is taken.

use mail_session::{blocking, smtp};
use mailhost::Failure;
use mailhost::client::target::{Arguments, Target};
use mailhost::client::{self, canonical};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Arguments::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("send: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let ca = arguments.option("--ca");
    let from = arguments.option("--from").ok_or("--from ADDRESS")?;
    let to = arguments.options("--to");
    let rest = arguments.rest()?;
    let (url, files) = rest.split_first().ok_or("smtps://USER@HOST --from ADDRESS --to ADDRESS FILE.eml")?;
    let target = Target::parse(url, "smtp")?;

    let mut opening = smtp::Opening::new(&target.host, target.security(ca.as_deref())?);
    if let Some(port) = target.port {
        opening = opening.port(port);
    }
    let mut session = blocking::connect(opening.log_in(target.credentials()?))?;
    for file in files {
        let message = canonical(&std::fs::read(file)?);
        let sent = client::smtp::submit(&mut session, &from, &to, &message)?;
        println!("{file}: {}", sent.reply);
        for (recipient, reply) in sent.refused {
            println!("{file}: not to {recipient}: {reply}");
        }
    }
    client::smtp::quit(session)
}
