//! Many messages, downloaded from a real server over STLS: octet by octet, and against the clock.
//!
//! What is timed is a process from its start to its end, so that each client pays for its own beginning: this program with `--retrieve`, once
//! on a blocking socket and once on tokio, which compares every octet, and one curl that fetches the same messages over one connection.

use crate::letters::{COUNT, Check, Letters, OCTETS};
use crate::relay::Relay;
use crate::server::{Server, Way};
use mail_session::{blocking, tokio as on_tokio};
use mailhost::Failure;
use mailhost::client::imap::Reader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The delay of each direction.
const DELAY: Duration = Duration::from_millis(10);
/// What a race is run with.
struct Terms {
    /// Rounds of all clients.
    rounds: usize,
    /// Where a median misses the bound, so many times as many rounds are run, all of them counted: on a machine that does something else as
    /// well, few rounds prove little. The bound stays.
    tries: usize,
    /// How many times as fast as curl.
    bound: f64,
}

const NEAR: Terms = Terms { rounds: 7, tries: 4, bound: 1.0 };
/// A round takes curl the delays of all messages, ten seconds.
const FAR: Terms = Terms { rounds: 3, tries: 2, bound: 5.0 };

/// In this order they run in each round. The first is what the others are measured by.
const CLIENTS: [&str; 3] = ["curl", "blocking", "tokio"];

/// Fills the maildrop, which is empty, and lets the clients race.
pub(crate) async fn fill(dovecot: &Server) -> Result<(), Failure> {
    let letters = Letters::new();
    let mut reader = Reader::new(on_tokio::connect(dovecot.imap(Way::Implicit)?).await?);
    for number in 1..=COUNT {
        reader.append("INBOX", &letters.octets(number).into()).await?;
    }
    reader.logout().await
}

/// Downloads all and compares: what `--retrieve` does.
pub(crate) fn retrieve(dovecot: &Server, port: u16, client: &str) -> Result<(), Failure> {
    let letters = Letters::new();
    let mut check = letters.check();
    match client {
        "blocking" => block(dovecot, port, &mut check)?,
        "tokio" => on_tokio::block_on(in_task(dovecot, port, &mut check))??,
        _ => return Err(format!("--retrieve {client}").into()),
    }
    check.all()
}

/// On a blocking socket.
fn block(dovecot: &Server, port: u16, check: &mut Check<'_>) -> Result<(), Failure> {
    let mut session = blocking::connect(dovecot.pop3_at(port, Way::StartTls)?)?;
    let listing = session.list()?;
    let mut download = session.retr_many(&listing.messages);
    // The commands go out as the window of the machine allows, and the parts come as they arrive.
    while let Some(part) = download.next()? {
        check.part(&part)?;
    }
    session.quit()?;
    Ok(())
}

/// On tokio.
async fn in_task(dovecot: &Server, port: u16, check: &mut Check<'_>) -> Result<(), Failure> {
    let mut session = on_tokio::connect(dovecot.pop3_at(port, Way::StartTls)?).await?;
    let listing = session.list().await?;
    let mut download = session.retr_many(&listing.messages);
    while let Some(part) = download.next().await? {
        check.part(&part)?;
    }
    session.quit().await?;
    Ok(())
}

/// The races. `file` is the ports file of the server.
pub(crate) fn races(dovecot: &Server, file: &str) -> Result<(), Failure> {
    let port = dovecot.port("POP3", Way::StartTls)?;
    // It is also what fills the caches of the server, so that nobody pays for being the first.
    compare_curl(dovecot, port)?;
    race("no delay", NEAR, |client| time(dovecot, file, port, client))?;
    let relay = Relay::start(port, DELAY)?;
    let name = format!("{} ms each way", DELAY.as_millis());
    race(&name, FAR, |client| {
        let before = relay.connections();
        let time = time(dovecot, file, relay.port(), client)?;
        // One connection for all messages, or it is another race.
        match relay.connections() - before {
            1 => Ok(time),
            several => Err(format!("{client}: {several} connections").into()),
        }
    })
}

/// The same messages by curl, once into files: what the others are measured by is the same work.
fn compare_curl(dovecot: &Server, port: u16) -> Result<(), Failure> {
    let folder = Folder::new()?;
    run(&mut curl(dovecot, port, &folder.0.join("#1"))?)?;
    let letters = Letters::new();
    for number in 1..=COUNT {
        if std::fs::read(folder.0.join(number.to_string()))? != letters.octets(number) {
            return Err(format!("curl: letter {number} differs").into());
        }
    }
    Ok(())
}

/// One curl for all messages: it keeps its connection. STLS is demanded and the certificate checked, as by the others.
fn curl(dovecot: &Server, port: u16, output: &Path) -> Result<Command, Failure> {
    let mut command = Command::new("curl");
    command.args(["-sS", "-4", "--max-time", "60", "--ssl-reqd", "--cacert", dovecot.value("CA")?]);
    command.arg("--user").arg(format!("{}:{}", dovecot.value("USER")?, dovecot.value("PASS")?));
    command.arg("--output").arg(output).arg(format!("pop3://localhost:{port}/[1-{COUNT}]"));
    Ok(command)
}

/// Runs a client once, from its start to its end.
fn time(dovecot: &Server, file: &str, port: u16, client: &str) -> Result<Duration, Failure> {
    let mut command = if client == "curl" {
        curl(dovecot, port, Path::new("/dev/null"))?
    } else {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--dovecot", file, "--port", &port.to_string(), "--retrieve", client]);
        command
    };
    // With the start of the process in it, the handshake and the QUIT.
    let begun = Instant::now();
    run(&mut command).map_err(|failure| format!("{client}: {failure}"))?;
    Ok(begun.elapsed())
}

/// Runs a command to its end. What it complains of becomes the failure.
fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// Runs the clients in turns and compares the medians.
fn race(
    way: &str,
    Terms { rounds, tries, bound }: Terms,
    mut time: impl FnMut(&str) -> Result<Duration, Failure>,
) -> Result<(), Failure> {
    let mut times = [const { Vec::new() }; CLIENTS.len()];
    for _ in 0..tries {
        for _ in 0..rounds {
            for (times, client) in times.iter_mut().zip(CLIENTS) {
                times.push(time(client)?);
            }
        }
        if slower(&times, bound).is_none() {
            break;
        }
    }
    // The line is printed also when the race is lost: the figures are what is looked for then.
    let [curl, ours @ ..] = times.each_ref().map(|times| median(times));
    let mut line = format!("{way}: curl {} ms", curl.as_millis());
    for (client, time) in CLIENTS[1..].iter().zip(ours) {
        line += &format!(", {client} {} ms ({:.2} times as fast)", time.as_millis(), ratio(curl, time));
    }
    let megabytes = f64::from(COUNT) * OCTETS as f64 / 1e6;
    println!("   {line}; medians of {} rounds, {megabytes:.1} MB each", times[0].len());
    match slower(&times, bound) {
        None => Ok(()),
        Some(client) => Err(format!("{client} is not {bound} times as fast as curl; {line}").into()),
    }
}

/// The client that misses the bound.
fn slower(times: &[Vec<Duration>; CLIENTS.len()], bound: f64) -> Option<&'static str> {
    let [curl, ours @ ..] = times.each_ref().map(|times| median(times));
    CLIENTS[1..].iter().zip(ours).find(|(_, time)| ratio(curl, *time) < bound).map(|(client, _)| *client)
}

/// How many times as fast as curl.
fn ratio(curl: Duration, ours: Duration) -> f64 {
    curl.as_secs_f64() / ours.as_secs_f64()
}

/// The time in the middle, or the later of the two there.
fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// A folder of this process, removed with what is in it.
struct Folder(PathBuf);

impl Folder {
    /// Made anew: what stands there under this name is not ours.
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("mail-interop-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A race of one round at a time that has to be won twice over, with these times, in the order in which the clients run.
    fn raced(times: &[u64]) -> (Result<(), Failure>, usize) {
        let mut runs = 0;
        let ended = race("a test", Terms { rounds: 1, tries: 4, bound: 2.0 }, |_| {
            runs += 1;
            Ok(Duration::from_millis(times[(runs - 1) % times.len()]))
        });
        (ended, runs)
    }

    /// Four times as many rounds, and the bound is missed in all of them.
    #[test]
    fn the_bound_is_kept_by_both_or_the_race_is_lost() {
        assert!(matches!(raced(&[100, 50, 50]), (Ok(()), 3)));
        assert!(matches!(raced(&[100, 50, 51]), (Err(_), 12)));
        assert!(matches!(raced(&[100, 51, 50]), (Err(_), 12)));
    }

    /// The first round misses; the median of three does not.
    #[test]
    fn one_bad_round_is_outweighed_by_others() {
        let (ended, runs) = raced(&[100, 99, 50, 100, 10, 50, 100, 10, 50]);
        assert!(ended.is_ok());
        assert_eq!(runs, 9);
    }
}
