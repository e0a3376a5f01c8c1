//! `PASSWORD=.. cargo run --example drain -- pop3s://USER@HOST[:PORT] [--ca FILE] [--delete] [--into FOLDER] [--insecure-apop]`
//!
//! Lists a maildrop and downloads it into a folder, on a blocking socket: a file for each unique-id, and those that are there already are
//! passed over. With `--delete` the messages are removed from the server once they are all in the folder.

use mail_session::blocking::{self, Session, Socket};
use mail_session::pop3::{self, Client, Listed, UniqueId};
use mailhost::Failure;
use mailhost::client::target::{Arguments, Target};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Arguments::of_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("drain: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Arguments) -> Result<(), Failure> {
    let ca = arguments.option("--ca");
    let delete = arguments.switch("--delete");
    let apop = arguments.switch("--insecure-apop");
    let folder = arguments.option("--into").map(PathBuf::from);
    let rest = arguments.rest()?;
    let [url] = rest.as_slice() else { return Err("pop3s://USER@HOST [--delete] [--into FOLDER]".into()) };
    let target = Target::parse(url, "pop3")?;

    let mut opening = pop3::Opening::new(&target.host, target.security(ca.as_deref())?);
    if let Some(port) = target.port {
        opening = opening.port(port);
    }
    if apop {
        opening = opening.insecure_apop();
    }
    let mut session = blocking::connect(opening.log_in(target.credentials()?))?;
    let messages = session.list()?;
    // UIDL is optional (RFC 1939 §7); without it there is nothing that names a message in the next session.
    let ids = session.uidl()?;
    for listed in &messages {
        let name = ids.get(listed.message).map(file_name).ok_or("a message without a unique-id")?;
        println!("{} {} octets {name}", listed.message, listed.octets);
        let path = folder.as_ref().map(|folder| folder.join(&name));
        if let Some(path) = path.filter(|path| !path.exists()) {
            download(&mut session, *listed, &path)?;
        }
    }
    if delete && folder.is_some() {
        let refused = session.dele_many(&messages)?;
        refused.iter().for_each(|(message, refusal)| eprintln!("{message}: {refusal}"));
    }
    session.quit()?;
    Ok(())
}

/// A unique-id may hold any visible octet: it is the server's, and no path. Octets that are no letters and digits are told by their numbers, so that no
/// two ids get one name.
fn file_name(id: UniqueId<'_>) -> String {
    let safe = |octet: &u8| match octet {
        letter if letter.is_ascii_alphanumeric() => char::from(*letter).to_string(),
        other => format!("_{other:02x}"),
    };
    format!("{}.eml", id.octets().iter().map(safe).collect::<String>())
}

/// Only a whole message gets its name.
fn download<S: Socket>(session: &mut Session<Client, S>, listed: Listed, path: &Path) -> Result<(), Failure> {
    let part = path.with_extension("part");
    let mut file = File::create(&part)?;
    std::io::copy(&mut session.retr(listed)?, &mut file)?;
    file.sync_all()?;
    Ok(std::fs::rename(part, path)?)
}
