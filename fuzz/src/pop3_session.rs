//! The POP3 of `mail-session` over a blocking socket in memory, against any peer: the operations of a client, and a server that is served.
//!
//! An input is an octet that chooses the side, one for the settings, one for how reads and writes are cut, and then a script as
//! [`crate::machine`] takes it. What the peer says up to the next marker comes at once, and the rest when that has been read. Our side's lines are
//! commands, each of which becomes the operation that gives it.

use crate::machine::{OURS, PEER, parts};
use crate::reads::{WHOLE, reads};
use crate::seeds::Seed;
use bytes::Bytes;
use mail_session::blocking::{Session, Socket};
use mail_session::flow::{Failure, FlowError};
use mail_session::pop3::serve::{Attempt, Denied, Ended, Host, LockedMaildrop, ServeError, Service};
use mail_session::pop3::{Part, Wanted};
use mail_session::proto::pop3::client::{self, Client};
use mail_session::proto::pop3::ext::capa::Capabilities;
use mail_session::proto::pop3::server::{self, Deletions, Maildrop, Offer};
use mail_session::proto::pop3::types::{MessageNumber, UniqueId};
use mail_session::proto::pop3::{Allow, Command, Policy, Violation};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Longer inputs are not worth their time.
const MOST: usize = 4 * 1024;
/// A message longer than that is not wanted.
const LIMIT: usize = 1024;

/// The target.
pub fn run(data: &[u8]) {
    let [which, settings, how, script @ ..] = data else { return };
    let script = &script[..script.len().min(MOST)];
    if which % 2 == 0 {
        ask(*settings, *how, script);
    } else {
        // What was said and done hangs on the octets, and not on how they came.
        assert_eq!(serve(*settings, WHOLE, script), serve(*settings, *how, script));
    }
}

/// The octet that chooses the side which reads a seed.
#[must_use]
pub fn which(seed: &Seed) -> &'static [u8] {
    if seed.server { &[1] } else { &[0] }
}

/// The end of the link that is not ours: what is left to be said, and what it has said and heard.
struct Peer {
    how: u8,
    left: VecDeque<Vec<u8>>,
    seen: Rc<RefCell<Seen>>,
}

#[derive(Default)]
/// What has passed, in each direction.
struct Seen {
    said: Vec<u8>,
    heard: Vec<u8>,
}

/// A link on which the peer says this, and what passes on it.
fn link(how: u8, said: impl Iterator<Item = Vec<u8>>) -> (Peer, Rc<RefCell<Seen>>) {
    let seen = Rc::default();
    (Peer { how, left: said.filter(|said| !said.is_empty()).collect(), seen: Rc::clone(&seen) }, seen)
}

/// How much of it moves at once.
fn piece(how: u8, octets: &[u8]) -> usize {
    let all = [&[how], octets].concat();
    reads(&all).next().map_or(0, <[u8]>::len)
}

impl Read for Peer {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(front) = self.left.front_mut() else { return Ok(0) };
        let n = piece(self.how, front).min(into.len());
        into[..n].copy_from_slice(&front[..n]);
        self.seen.borrow_mut().said.extend(front.drain(..n));
        if front.is_empty() {
            self.left.pop_front();
        }
        Ok(n)
    }
}

impl Write for Peer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let n = piece(self.how, octets);
        self.seen.borrow_mut().heard.extend_from_slice(&octets[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket for Peer {
    fn read_within(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn write_within(&mut self, _: Duration) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lines of what a peer has said, of which the given one is counted: never fewer than a naive reader of it needs.
fn count(octets: &[u8], is: impl Fn(&[u8]) -> bool) -> usize {
    octets.split(|octet| *octet == b'\n').filter(|line| is(line)).count()
}

/// What operations have brought to a good end.
#[derive(Default)]
struct Done {
    answers: usize,
    listings: usize,
}

/// Operations against any octets: each gives what the peer has said, or an error.
fn ask(settings: u8, how: u8, script: &[u8]) {
    let said = parts(script).filter(|(marker, _)| *marker != OURS).map(|(_, octets)| octets.to_vec());
    let (peer, seen) = link(how, said);
    let policy = Policy { plaintext_auth: Allow::Allow, ..Policy::client() };
    let machine = Client::new(client::Config { policy, ..client::Config::default() });
    let mut session = Session::over(machine, peer).expect("a socket with time-outs");
    if !matches!(session.next(), Ok(Some(_))) {
        return;
    }
    let mut done = Done::default();
    let mut failed = false;
    let lines = parts(script)
        .filter(|(marker, _)| *marker == OURS)
        .flat_map(|(_, octets)| octets.split_inclusive(|octet| *octet == b'\n'));
    for line in lines {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        if line.eq_ignore_ascii_case(b"QUIT") {
            done.answers += usize::from(session.quit().is_ok());
            break;
        }
        match operation(&mut session, line, settings, &mut done) {
            // A session that has failed does so for ever.
            Err(FlowError::Session(_)) => failed = true,
            Ok(()) if line.is_empty() => {}
            other => assert!(!failed || other.is_err(), "{} behind the end", line.escape_ascii()),
        }
    }
    let seen = seen.borrow();
    let positive =
        count(&seen.said, |line| line.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"+OK")));
    assert!(done.answers <= positive, "{} answers of {positive}", done.answers);
    let ends = count(&seen.said, |line| line == b".\r");
    assert!(done.listings <= ends, "{} of {ends} are whole", done.listings);
    for line in seen.heard.split_inclusive(|octet| *octet == b'\n') {
        assert!(line.ends_with(b"\r\n"), "{}", line.escape_ascii());
    }
}

/// What an operation has come to, its result left out.
type Outcome = Result<(), FlowError<Violation>>;

/// The operation that gives a command; anything that has none is sent as it is.
fn operation(session: &mut Session<Client, Peer>, line: &[u8], settings: u8, done: &mut Done) -> Outcome {
    let Ok(command) = Command::parse(line) else { return many(session, line, done) };
    match command {
        Command::Stat => session.stat().map(|_| done.answers += 1),
        Command::Noop => session.noop().map(|()| done.answers += 1),
        Command::Rset => session.reset().map(|()| done.answers += 1),
        Command::Dele(number) => session.dele(number).map(|()| done.answers += 1),
        Command::List(Some(number)) => session.list_message(number).map(|_| done.answers += 1),
        Command::Uidl(Some(number)) => session.uidl_message(number).map(|_| done.answers += 1),
        Command::List(None) => session.list().map(|list| {
            assert!(list.malformed.count == 0 || list.malformed.first.is_some());
            done.listings += 1;
        }),
        Command::Uidl(None) => session.uidl().map(|ids| {
            assert!(ids.iter().count() == ids.len() && ids.fresh(&[b"a"]).len() <= ids.len());
            done.listings += 1;
        }),
        Command::Capa => session.capa().map(|_| done.listings += 1),
        Command::Retr(_) | Command::Top { .. } => {
            let mut message = match command {
                Command::Top { message, lines } => session.top(message, lines)?,
                Command::Retr(number) => session.retr(number)?,
                _ => return Ok(()),
            };
            match settings % 4 {
                // It is given up in the middle: the next operation is answered all the same.
                1 => message.next().map(|_| ()),
                2 => {
                    let mut all = Vec::new();
                    let read = message.read_to_end(&mut all);
                    assert_eq!(read.is_ok(), message.is_whole());
                    done.listings += usize::from(read.is_ok());
                    // What it was is told by the next operation.
                    Ok(())
                }
                _ => {
                    let all = message.to_vec(LIMIT)?;
                    assert!(all.len() <= LIMIT);
                    done.listings += 1;
                    Ok(())
                }
            }
        }
        command => {
            // Whatever its answer: mixed with operations, while nothing is in flight.
            if session.turn().machine.in_flight() == 0 {
                session.turn().send(&command).map_err(Failure::from)?;
            }
            while session.turn().machine.in_flight() > 0 {
                match session.next()? {
                    Some((client::Event::Challenge(_, turn), mut link)) => {
                        link.respond(turn, b"x").expect("it is due");
                    }
                    Some((client::Event::StartTls(_), _)) | None => return Ok(()),
                    Some(_) => {}
                }
            }
            Ok(())
        }
    }
}

/// Numbers of messages, to be fetched or to be marked.
fn many(session: &mut Session<Client, Peer>, line: &[u8], done: &mut Done) -> Outcome {
    let Some((which, numbers)) = line.split_first() else { return Ok(()) };
    let numbers: Vec<_> = numbers.iter().filter_map(|octet| MessageNumber::new(u32::from(*octet))).collect();
    if which % 2 == 0 {
        let refused = session.dele_many(numbers.iter().copied())?;
        done.answers += numbers.len() - refused.len();
        return Ok(());
    }
    let expected = |message: &MessageNumber| Wanted { octets: Some(400_000), ..Wanted::from(*message) };
    let mut download = session.retr_many(numbers.iter().map(expected));
    let (mut told, mut open, mut received) = (Vec::new(), None, 0);
    while let Some(part) = download.next()? {
        match part {
            Part::Begin(message) => assert_eq!(open.replace(message), None),
            Part::Octets(octets) => {
                assert!(open.is_some() && !octets.is_empty());
                received += octets.len() as u64;
            }
            Part::End(message) => {
                assert_eq!(open.take(), Some(message));
                told.push(message);
                done.listings += 1;
            }
            Part::Refused(message, _) => {
                assert_eq!(open, None);
                told.push(message);
            }
            _ => panic!("a part that is not known here"),
        }
    }
    assert!(open.is_none() && told == numbers, "each is told once, and in order");
    assert_eq!(download.total(), received);
    Ok(())
}

/// A maildrop of three messages, for everybody who knows the password.
struct Shelf {
    /// The longest piece that it gives, and where it fails to read, if anywhere.
    piece: usize,
    broken: Option<u64>,
    /// Octets that it lists of each message and does not have.
    missing: u64,
    commit_fails: bool,
    locked: Rc<Cell<usize>>,
    released: Rc<Cell<usize>>,
    removed: Rc<RefCell<Option<usize>>>,
}

/// As they are sent: with CRLF, a dot at the start of a line, none at all, no line end at the end.
const LETTERS: [&str; 3] = ["Subject: a\r\n\r\n.dot\r\n..\r\nend\r\n", "", "Subject: c\r\n\r\n1\r\n2"];

/// It must be given back once, however the session ends (RFC 1939 §6).
struct Locked<'s>(&'s Shelf);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.released.set(self.0.released.get() + 1);
    }
}

/// A host is asked by reference, and lives as long as the connection.
struct Hosted<'s>(&'s Shelf);

impl<'s> Host for Hosted<'s> {
    type Locked = Locked<'s>;

    fn log_in(&self, attempt: Attempt) -> Result<(Locked<'s>, Maildrop), Denied> {
        if attempt.proves(b"wrong") {
            return Err(Denied::Credentials);
        }
        let mut drop = Maildrop::new();
        for (letter, id) in LETTERS.iter().zip(["a", "b", "c"]) {
            drop.push(letter.len() as u64 + self.0.missing, UniqueId::try_from(id).expect("an id"))
                .expect("three fit");
        }
        self.0.locked.set(self.0.locked.get() + 1);
        Ok((Locked(self.0), drop))
    }
}

impl LockedMaildrop for Locked<'_> {
    fn read(&mut self, message: MessageNumber, offset: u64) -> io::Result<Bytes> {
        if self.0.broken == Some(offset) {
            return Err(io::ErrorKind::Other.into());
        }
        let rest = &LETTERS[message.get() as usize - 1].as_bytes()[offset as usize..];
        Ok(Bytes::from_static(&rest[..rest.len().min(self.0.piece)]))
    }

    fn commit(self, deletions: Deletions) -> io::Result<()> {
        let before = self.0.removed.replace(Some(deletions.numbers().count()));
        assert_eq!(before, None, "two commits");
        if self.0.commit_fails { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    }
}

/// Serves any octets. Gives what was said, and how it ended.
fn serve(settings: u8, how: u8, script: &[u8]) -> (String, String) {
    let said = parts(script).filter(|(marker, _)| *marker == PEER).map(|(_, octets)| octets.to_vec());
    let (peer, seen) = link(how, said);
    let mut config = server::Config::default();
    config.policy.plaintext_auth = if settings & 4 == 0 { Allow::Allow } else { Allow::Refuse };
    let mut capabilities = Capabilities::new();
    for line in ["TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES", "UTF8 USER", "STLS"] {
        capabilities.add(line.as_bytes()).expect("a capability");
    }
    config.offer = Offer { capabilities, languages: Vec::new() }.into();
    let service = Service::new(config);
    let shelf = Shelf {
        piece: [usize::MAX, 1, 7, 16][usize::from(settings % 4)],
        broken: (settings & 8 != 0).then_some(u64::from(settings >> 5)),
        missing: u64::from(settings & 72 == 64),
        commit_fails: settings & 16 != 0,
        locked: Rc::default(),
        released: Rc::default(),
        removed: Rc::default(),
    };
    let session = Session::over(service.machine(), peer).expect("a socket with time-outs");
    let ended = service.serve_blocking(session, &Hosted(&shelf), &AtomicBool::new(false));
    let removed = shelf.removed.take();
    let seen = seen.borrow();
    assert!(shelf.locked.get() <= 1 && shelf.released == shelf.locked, "a lock that is not given back");
    let quit = count(&seen.said, |line| line.trim_ascii_end().eq_ignore_ascii_case(b"QUIT"));
    assert!(removed.is_none() || quit > 0, "a commit without QUIT");
    match &ended {
        Ok(Ended::Committed(number)) => assert!(removed == Some(*number) && !shelf.commit_fails),
        Ok(Ended::NotCommitted(_)) => assert!(removed.is_some() && shelf.commit_fails),
        Ok(Ended::BeforeLogIn) => assert_eq!(shelf.locked.get(), 0),
        Err(ServeError::Misuse(misuse)) => panic!("{misuse}"),
        Err(ServeError::Short(_, missing)) => {
            assert!(removed.is_none() && *missing == shelf.missing && !seen.heard.ends_with(b"\r\n.\r\n"));
        }
        Ok(_) | Err(_) => assert_eq!(removed, None),
    }
    (seen.heard.escape_ascii().to_string(), format!("{ended:?}"))
}
