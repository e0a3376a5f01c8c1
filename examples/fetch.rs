//! `PASSWORD=.. cargo run --example fetch -- imaps://USER@HOST[:PORT] [--ca FILE] [--mailbox NAME] list | get NUMBER | idle`
//!
//! Reads mail by IMAP, on tokio. `list` names the mailboxes, `get` writes a message to the standard output, `idle` tells of new messages as they
//! arrive.

use mail_session::imap;
use mailhost::Failure;
use mailhost::client::imap::Reader;
use mailhost::client::target::{Arguments, Target};
use std::io::Write as _;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::of_process()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("fetch: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let ca = arguments.option("--ca");
    let mailbox = arguments.option("--mailbox").unwrap_or("INBOX".into());
    let rest = arguments.rest()?;
    let (url, job) = rest.split_first().ok_or("imaps://USER@HOST list | get NUMBER | idle")?;
    let target = Target::parse(url, "imap")?;

    let mut opening = imap::Opening::new(&target.host, target.security(ca.as_deref())?);
    if let Some(port) = target.port {
        opening = opening.port(port);
    }
    let session = mail_session::tokio::connect(opening.log_in(target.credentials()?)).await?;
    let mut reader = Reader::new(session);
    match job.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["list"] => {
            for name in reader.list().await? {
                println!("{}", name.escape_debug());
            }
        }
        ["get", number] => {
            reader.select(&mailbox).await?;
            let mut out = std::io::stdout().lock();
            reader.message(number.parse()?, |octets| Ok(out.write_all(octets)?)).await?;
        }
        ["idle"] => {
            let mut known = reader.select(&mailbox).await?;
            println!("{known} messages");
            loop {
                if reader.idle(known).await? {
                    println!("{} messages", reader.exists());
                }
                known = reader.exists();
            }
        }
        _ => return Err("list | get NUMBER | idle".into()),
    }
    reader.logout().await
}
