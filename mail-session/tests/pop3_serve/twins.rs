//! The two drivers: the same octets, the same memory; and hosts that await.

use crate::messages::LETTERS;
use crate::peer::{Meeting, count, open_config, open_service, say};
use crate::shelf::{PASSWORD, Shelf, USER};
use crate::stops::{long, narrow};
use mail_session::engine::Step;
use mail_session::memory::{self, Chunks, Clock, Plan};
use mail_session::pop3::serve::{
    AsyncHost, AsyncLockedMaildrop, Attempt, Denied, Ended, Host, LockedMaildrop, ServeError, Service,
    Serving, Want,
};
use mail_session::proto::pop3::server::{Deletions, Maildrop};
use mail_session::proto::pop3::types::{MessageNumber, UniqueId};
use mail_session::wire::{Misuse, Output};
use mail_session::{Bytes, Engine, Error, Session, blocking};
use std::future::{pending, poll_fn};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

pub const LOG_IN: &str = "USER alice\r\nPASS correct horse\r\n";
pub const HEAD: &str = "+OK ready\r\n+OK send PASS\r\n+OK logged in\r\n";

/// What a client says, and what it is told.
fn dialogues() -> Vec<(&'static str, String)> {
    let log_in = |rest: &str| format!("{HEAD}{rest}");
    vec![
        ("QUIT\r\n", "+OK ready\r\n+OK bye\r\n".into()),
        (
            "USER alice\r\nPASS guess\r\nUSER bob\r\nPASS guess\r\nPASS x\r\nQUIT\r\n",
            "+OK ready\r\n+OK send PASS\r\n-ERR [AUTH] wrong user or password\r\n+OK send PASS\r\n\
             -ERR [AUTH] wrong user or password\r\n-ERR USER first\r\n+OK bye\r\n"
                .into(),
        ),
        (
            "AUTH PLAIN\r\nAGFsaWNlAGNvcnJlY3QgaG9yc2U=\r\nSTAT\r\nQUIT\r\n",
            "+OK ready\r\n+ \r\n+OK logged in\r\n+OK 3 56\r\n+OK bye\r\n".into(),
        ),
        (
            "AUTH LOGIN YWxpY2U=\r\n*\r\nAUTH SCRAM-SHA-256\r\nSTLS\r\nQUIT\r\n",
            "+OK ready\r\n+ UGFzc3dvcmQ6\r\n-ERR cancelled\r\n-ERR not offered\r\n-ERR not offered\r\n+OK bye\r\n"
                .into(),
        ),
        (
            "USER alice\r\nPASS correct horse\r\nRETR 1\r\nTOP 2 0\r\nRETR 4\r\nDELE 1\r\nRETR 1\r\nWHAT\r\n\
             QUIT\r\n",
            log_in(
                "+OK the message follows\r\nSubject: a\r\n\r\n..dot\r\n...\r\nend\r\n.\r\n\
                 +OK the message follows\r\nSubject: b\r\n\r\n.\r\n-ERR no such message\r\n+OK deleted\r\n\
                 -ERR no such message\r\n-ERR unknown command\r\n+OK bye\r\n",
            ),
        ),
    ]
}

pub fn awaiting(script: &str, shelf: &Shelf, chunks: Chunks) -> (String, Result<Ended, ServeError>) {
    let plans = (Plan { chunks, ..Plan::default() }, Plan::default());
    Meeting { plans, ..Meeting::new(shelf) }.raw(async |end| say(end, script).await)
}

pub fn blocked(script: &str, shelf: &Shelf, chunks: Chunks) -> (String, Result<Ended, ServeError>) {
    let (left, right) = memory::link(Plan { chunks, ..Plan::default() }, Plan::default());
    let (mut left, service) = (left.blocking(), open_service());
    left.write_all(script.as_bytes()).unwrap();
    let session = blocking::Session::over(service.machine(), right.blocking()).unwrap();
    let ended = service.serve_blocking(session, shelf, &AtomicBool::new(false));
    let mut said = String::new();
    left.read_to_string(&mut said).unwrap();
    (said, ended)
}

#[test]
fn both_drivers_say_the_same() {
    for (script, expected) in dialogues() {
        for chunks in [Chunks::Whole, Chunks::Each(1)] {
            for octets in [1, 10, usize::MAX] {
                let shelf = || Shelf::new(&LETTERS).in_pieces(octets);
                let (one, other) = (shelf(), shelf());
                let (said, ended) = awaiting(script, &one, chunks.clone());
                assert_eq!(said, expected);
                let (again, ended_too) = blocked(script, &other, chunks.clone());
                assert_eq!(again, expected);
                assert_eq!(format!("{ended:?}"), format!("{ended_too:?}"));
                assert_eq!((one.asked(), one.left()), (other.asked(), other.left()));
            }
        }
    }
}

#[test]
fn both_drivers_cut_a_message_that_cannot_be_read() {
    let script = format!("{LOG_IN}RETR 1\r\nQUIT\r\n");
    let shelf = || Shelf::new(&LETTERS).in_pieces(5).broken_at(15, 9);
    let expected = format!("{HEAD}+OK the message follows\r\nSubject: a\r\n\r\n..");
    for (said, ended) in
        [awaiting(&script, &shelf(), Chunks::Whole), blocked(&script, &shelf(), Chunks::Whole)]
    {
        assert_eq!(said, expected);
        assert!(matches!(ended, Err(ServeError::Read(..))), "{ended:?}");
    }
}

/// A client logs in and says the rest of `script`; once it has heard so, the server is to stop. What the client does `then`, how its connection
/// ends, and how long that took.
fn stopped(
    service: &Service,
    shelf: &Shelf,
    (client, server): (Plan, Plan),
    script: &str,
    then: impl FnOnce(&mut dyn Read),
) -> (Result<Ended, ServeError>, Duration) {
    let (stop, begun) = (AtomicBool::new(false), Instant::now());
    let (left, right) = memory::link(client, server);
    let mut left = left.blocking();
    left.write_all(format!("{LOG_IN}{script}").as_bytes()).unwrap();
    let ended = thread::scope(|scope| {
        let server = scope.spawn(|| {
            let session = blocking::Session::over(service.machine(), right.blocking()).unwrap();
            service.serve_blocking(session, shelf, &stop)
        });
        let mut said = vec![0; HEAD.len()];
        left.read_exact(&mut said).unwrap();
        assert_eq!(said, HEAD.as_bytes());
        stop.store(true, Ordering::Relaxed);
        then(&mut left);
        server.join().unwrap()
    });
    assert!(!shelf.is_locked());
    (ended, begun.elapsed())
}

#[test]
fn a_blocking_server_looks_whether_it_is_to_stop() {
    let (shelf, service) = (Shelf::new(&LETTERS), open_service());
    let (ended, took) = stopped(&service, &shelf, (Plan::default(), Plan::default()), "", |left| {
        let mut said = Vec::new();
        left.read_to_end(&mut said).unwrap();
        assert_eq!(said, b"", "it ends without a word");
    });
    assert!(matches!(ended, Ok(Ended::Aborted(_))), "{ended:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

/// By the real clock: it looks for the word to stop also where it waits for the client to read.
#[test]
fn a_blocking_server_is_not_held_up_either() {
    let (shelf, mut config) = (Shelf::new(&[&long()]), open_config());
    config.limits.autologout = Duration::from_secs(600);
    let service = Service::new(config).grace(Duration::from_millis(300));
    let (ended, took) = stopped(&service, &shelf, narrow(), "RETR 1\r\n", |_| {});
    assert!(matches!(ended, Err(ServeError::Session(Error::Timeout))), "{ended:?}");
    // A look each second, and five for the last octets.
    assert!(took < Duration::from_secs(20), "{took:?}");
}

/// That it looks does not move the deadline of the client.
#[test]
fn a_blocking_server_logs_out_in_time() {
    let (shelf, mut config) = (Shelf::new(&LETTERS), open_config());
    config.limits.autologout = Duration::from_millis(1500);
    let service = Service::new(config);
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let mut left = left.blocking();
    left.write_all(LOG_IN.as_bytes()).unwrap();
    let begun = Instant::now();
    let session = blocking::Session::over(service.machine(), right.blocking()).unwrap();
    let ended = service.serve_blocking(session, &shelf, &AtomicBool::new(false));
    assert!(matches!(ended, Err(ServeError::Session(Error::Timeout))), "{ended:?}");
    assert!(begun.elapsed() >= Duration::from_millis(1500) && begun.elapsed() < Duration::from_secs(10));
    assert!(!shelf.is_locked());
}

/// The same without either: an engine, and the octets by hand.
#[test]
fn a_serving_needs_no_driver() {
    for (script, expected) in dialogues() {
        let (service, shelf) = (open_service(), Shelf::new(&LETTERS).in_pieces(4));
        let (mut engine, mut serving) = (Engine::plain(service.machine()), Serving::new(&service));
        let (mut from, mut said, mut want) = (script.as_bytes(), Vec::new(), Want::Event);
        let ended = loop {
            want = match want {
                Want::Event | Want::Room if engine.wants_write() => {
                    engine.transmit(&mut said).unwrap();
                    want
                }
                Want::Room => serving.room(engine.turn()).unwrap(),
                Want::Event => match engine.step() {
                    Ok(Step::Ready(unit)) => {
                        let (event, turn) = engine.decode(unit).unwrap();
                        serving.on(event, turn).unwrap()
                    }
                    Ok(Step::Closed) => break serving.end(Ok(())),
                    Ok(_) => {
                        engine.receive(&mut from).unwrap();
                        Want::Event
                    }
                    Err(error) => break serving.end(Err(error)),
                },
                Want::LogIn(attempt) => {
                    serving.logged_in(Host::log_in(&shelf, attempt), engine.turn()).unwrap()
                }
                Want::Secret(user) => {
                    serving.secret(Host::scram_secret(&shelf, &user), engine.turn()).unwrap()
                }
                Want::Read(message, offset) => {
                    let piece = LockedMaildrop::read(serving.locked().unwrap(), message, offset);
                    serving.read(piece, engine.turn()).unwrap()
                }
                Want::Commit(locked, deletions) => {
                    serving.committed(LockedMaildrop::commit(locked, deletions), engine.turn()).unwrap()
                }
                _ => panic!("a question of another kind"),
            };
        };
        while engine.transmit(&mut said).unwrap() > 0 {}
        assert_eq!(String::from_utf8(said).unwrap(), expected);
        assert!(ended.is_ok() && !shelf.is_locked());
    }
}

/// A piece is asked for when there is room for it, and not before.
#[test]
fn nothing_is_read_ahead_of_a_full_output() {
    let (service, shelf) = (open_service(), Shelf::new(&LETTERS));
    let (mut engine, mut serving) = (Engine::plain(service.machine()), Serving::new(&service));
    let (mut from, mut said) = (&b"USER alice\r\nPASS correct horse\r\nRETR 1\r\n"[..], Vec::new());
    loop {
        while engine.transmit(&mut said).unwrap() > 0 {}
        let Step::Ready(unit) = engine.step().unwrap() else {
            engine.receive(&mut from).unwrap();
            continue;
        };
        let (event, turn) = engine.decode(unit).unwrap();
        match serving.on(event, turn).unwrap() {
            Want::LogIn(attempt) => {
                let opened = Host::log_in(&shelf, attempt);
                assert!(matches!(serving.logged_in(opened, engine.turn()), Ok(Want::Event)));
            }
            Want::Read(_, 0) => break,
            want => assert!(matches!(want, Want::Event)),
        }
    }
    let fits = Output::HIGH_WATER - "+OK the message follows\r\n".len();
    let piece = Ok(Bytes::from(vec![b'x'; fits]));
    assert!(matches!(serving.read(piece, engine.turn()), Ok(Want::Room)));
    assert!(engine.is_full());
    assert!(matches!(serving.room(engine.turn()), Ok(Want::Room)), "still");
    while engine.transmit(&mut said).unwrap() > 0 {}
    assert!(matches!(serving.room(engine.turn()), Ok(Want::Read(_, offset)) if offset == fits as u64));
}

/// An answer to what was not asked is the caller's mistake, and changes nothing.
#[test]
fn an_answer_that_nobody_wants() {
    let service = open_service();
    let mut engine = Engine::plain(service.machine());
    let mut serving: Serving<'_, <Shelf as Host>::Locked> = Serving::new(&service);
    for _ in 0..2 {
        assert!(matches!(serving.read(Ok(Bytes::new()), engine.turn()), Err(Misuse::NotOwed)));
        assert!(matches!(serving.committed(Ok(()), engine.turn()), Err(Misuse::NotOwed)));
        assert!(matches!(serving.logged_in(Err(Denied::InUse), engine.turn()), Err(Misuse::NotOwed)));
        assert!(matches!(serving.secret(None, engine.turn()), Err(Misuse::NotOwed)));
        assert!(matches!(serving.resume(engine.turn()), Err(Misuse::NotOwed)));
        assert!(matches!(serving.room(engine.turn()), Ok(Want::Event)));
    }
    assert!(!engine.wants_write() && serving.locked().is_none());
    assert!(matches!(serving.end(Ok(())), Ok(Ended::BeforeLogIn)));
}

/// A host of one long message, which counts the pieces that are held anywhere.
#[derive(Clone)]
struct Long {
    octets: u64,
    piece: usize,
    held: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct Piece(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Host for Long {
    type Locked = Self;

    fn log_in(&self, _: Attempt) -> Result<(Self, Maildrop), Denied> {
        let mut list = Maildrop::new();
        list.push(self.octets, UniqueId::try_from("long").unwrap()).unwrap();
        Ok((self.clone(), list))
    }
}

impl LockedMaildrop for Long {
    fn read(&mut self, _: MessageNumber, offset: u64) -> io::Result<Bytes> {
        let len = (self.octets - offset).min(self.piece as u64) as usize;
        let held = self.held.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(held, Ordering::SeqCst);
        Ok(Bytes::from_owner(Piece(vec![b'x'; len], Arc::clone(&self.held))))
    }

    fn commit(self, _: Deletions) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_long_message_is_never_held() {
    const OCTETS: u64 = 64 * 1024 * 1024;
    let script = format!("{LOG_IN}RETR 1\r\nQUIT\r\n");
    let expected =
        HEAD.len() as u64 + OCTETS + "+OK the message follows\r\n\r\n.\r\n+OK bye\r\n".len() as u64;
    // Pieces, and how many may be held: those the output has octets of, and one more.
    for (piece, most) in [(4096, 9), (65_536, 2), (1_000_000, 2)] {
        let long = || Long { octets: OCTETS, piece, held: Arc::default(), most: Arc::default() };
        let service = open_service();
        let (awaited, clock) = (long(), Clock::new());
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let session = Session::over(service.machine(), right, clock.clone());
        let server = service.serve(session, &awaited, pending());
        let (read, ended) = memory::run(&clock, count(left, &script), server).unwrap();
        assert_eq!(read, expected);
        assert!(matches!(ended, Ok(Ended::Committed(0))));
        let waited = long();
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let mut left = left.blocking();
        left.write_all(script.as_bytes()).unwrap();
        thread::scope(|scope| {
            let server = scope.spawn(|| {
                let session = blocking::Session::over(service.machine(), right.blocking()).unwrap();
                service.serve_blocking(session, &waited, &AtomicBool::new(false))
            });
            assert_eq!(io::copy(&mut left, &mut io::sink()).unwrap(), expected);
            assert!(matches!(server.join().unwrap(), Ok(Ended::Committed(0))));
        });
        for long in [awaited, waited] {
            assert_eq!(long.held.load(Ordering::SeqCst), 0);
            assert!(long.most.load(Ordering::SeqCst) <= most, "{piece}: {:?}", long.most);
        }
    }
}

/// A host that can only await: each call waits once.
struct Far(Shelf);

struct FarTaken<D>(D);

async fn wait() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl AsyncHost for Far {
    type Locked = FarTaken<<Shelf as Host>::Locked>;

    async fn log_in(&self, attempt: Attempt) -> Result<(Self::Locked, Maildrop), Denied> {
        wait().await;
        Host::log_in(&self.0, attempt).map(|(taken, list)| (FarTaken(taken), list))
    }
}

impl<D: LockedMaildrop + Send> AsyncLockedMaildrop for FarTaken<D> {
    async fn read(&mut self, message: MessageNumber, offset: u64) -> io::Result<Bytes> {
        wait().await;
        LockedMaildrop::read(&mut self.0, message, offset)
    }

    async fn commit(self, deletions: Deletions) -> io::Result<()> {
        wait().await;
        LockedMaildrop::commit(self.0, deletions)
    }
}

#[test]
fn a_host_may_await() {
    fn is_send<F: Future + Send>(future: F) -> F {
        future
    }
    for (script, expected) in dialogues() {
        let (far, service, clock) = (Far(Shelf::new(&LETTERS).in_pieces(3)), open_service(), Clock::new());
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let session = Session::over(service.machine(), right, clock.clone());
        let server = is_send(service.serve(session, &far, pending()));
        assert_eq!(memory::run(&clock, say(left, script), server).unwrap().0, expected);
        assert!(!far.0.is_locked());
    }
    assert_eq!((USER, PASSWORD), ("alice", "correct horse"), "the dialogues have them");
}
