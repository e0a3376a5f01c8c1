//! `PASSWORD=.. cargo run --example drain -- pop3s://USER@HOST[:PORT] [--ca FILE] [--delete] [--into FOLDER]`
//!
//! Lists a maildrop and downloads it into a folder, on a blocking socket: a file for each unique-id, and those that are there already are
//! passed over. With `--delete` the messages are removed from the server once they are all in the folder.

use mail_session::{blocking, pop3};
use mailhost::Failure;
use mailhost::client::pop3::{self as client, Listed};
use mailhost::client::target::{Arguments, Target};
use std::fs::File;
use std::io::Write as _;
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
    let folder = arguments.option("--into").map(PathBuf::from);
    let rest = arguments.rest()?;
    let [url] = rest.as_slice() else { return Err("pop3s://USER@HOST [--delete] [--into FOLDER]".into()) };
    let target = Target::parse(url, "pop3")?;

    let mut opening = pop3::Opening::new(&target.host, target.security(ca.as_deref())?);
    if let Some(port) = target.port {
        opening = opening.port(port);
    }
    let mut session = blocking::connect(opening.log_in(target.credentials()?))?;
    let messages = client::list(&mut session)?;
    for message in &messages {
        println!("{} {} octets {}", message.number, message.octets, message.id.escape_debug());
        let Some(folder) = &folder else { continue };
        let path = folder.join(file_name(message));
        if !path.exists() {
            download(&mut session, message, &path)?;
        }
    }
    if delete && folder.is_some() {
        for message in &messages {
            client::delete(&mut session, message.number)?;
        }
    }
    client::quit(session)
}

/// A unique-id may hold any visible octet: it is the server's, and no path.
fn file_name(message: &Listed) -> String {
    let id = if message.id.is_empty() { message.number.to_string() } else { message.id.clone() };
    let safe = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    format!("{}.eml", id.chars().map(safe).collect::<String>())
}

/// Only a whole message gets its name.
fn download<S: blocking::Socket>(
    session: &mut client::Session<S>,
    message: &Listed,
    path: &Path,
) -> Result<(), Failure> {
    let part = path.with_extension("part");
    let mut file = File::create(&part)?;
    client::retrieve(session, message.number, |octets| Ok(file.write_all(octets)?))?;
    file.sync_all()?;
    Ok(std::fs::rename(part, path)?)
}
