//! A body of any size through the real machines: both ends as sessions on a link in memory, the heap of each counted apart.
//!
//! Both ends run on one thread, so whatever the heap gains or loses while one of them is polled is that end's: its session (machine, `Input`,
//! `Output`, all of rustls, from before the handshake on), its task, and the pieces that it gives away, each of which is allocated anew. What
//! is no end's is made before and not counted: the buffers of the link, the certificates, the configurations of TLS.

mod imap;
mod pop3;
mod smtp;

use crate::HEAP;
use crate::toy::tls;
use bytes::Bytes;
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::open::Security;
use mail_session::sasl::client::Credentials;
use mail_session::timer::Timer;
use mail_session::wire::Machine;
use mail_session::{Error, Session};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::time::Duration;

/// What is written at once, and what is read at once: no more than this is on the way.
pub const PIECE: usize = 16 * 1024;

/// Lines of 62 octets and their line ends; every fourth begins with a dot.
static TEXT: [u8; PIECE] = {
    let mut octets = [b'x'; PIECE];
    let mut at = 0;
    while at < PIECE {
        if at % 256 == 0 {
            octets[at] = b'.';
        }
        // Each line is another: a piece that is lost or comes twice is seen.
        octets[at + 1] = b'a' + (at / 64 % 16) as u8;
        octets[at + 2] = b'a' + (at / 1024) as u8;
        octets[at + 62] = b'\r';
        octets[at + 63] = b'\n';
        at += 64;
    }
    octets
};

/// The ways that a body can go. Each is one end's way out and the other's way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// SMTP, from the client to the server.
    Data,
    /// IMAP, a literal from the client to the server.
    Append,
    /// IMAP, a literal from the server to the client.
    Fetch,
    /// POP3, from the server to the client.
    Retr,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Data, Self::Append, Self::Fetch, Self::Retr];
}

/// The most heap that each end held at once.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    pub client: usize,
    pub server: usize,
}

/// Lets so many octets pass, and gives what it took. Every octet is compared.
pub fn pass(way: Way, octets: u64, secure: bool) -> Held {
    assert_eq!(octets % PIECE as u64, 0);
    let case = Case { octets, secure, clock: Clock::new() };
    tls::pair();
    let plan = Plan { capacity: PIECE, ..Plan::default() };
    let (mut left, mut right) = memory::link(plan.clone(), plan);
    warm(&mut left, &mut right);
    warm(&mut right, &mut left);
    match way {
        Way::Data => case.run(smtp::send(&case, left), smtp::receive(&case, right)),
        Way::Append => case.run(imap::append(&case, left), imap::keep(&case, right)),
        Way::Fetch => case.run(imap::fetch(&case, left), imap::give(&case, right)),
        Way::Retr => case.run(pop3::retrieve(&case, left), pop3::give(&case, right)),
    }
}

/// Fills one direction and empties it again: it holds its memory from now on.
fn warm(from: &mut End, to: &mut End) {
    assert_eq!(from.write(&TEXT).unwrap(), PIECE);
    let mut octets = [0; PIECE];
    assert_eq!(to.read(&mut octets).unwrap(), PIECE);
}

struct Case {
    octets: u64,
    secure: bool,
    clock: Clock,
}

impl Case {
    fn run(&self, client: impl Future<Output = ()>, server: impl Future<Output = ()>) -> Held {
        let accounts = [Account::default(), Account::default()];
        memory::run(&self.clock, accounts[0].of(client), accounts[1].of(server)).unwrap();
        Held { client: accounts[0].most(), server: accounts[1].most() }
    }

    fn security(&self) -> Security {
        if self.secure { Security::Implicit(tls::pair().0) } else { Security::InsecurePlain }
    }

    fn credentials(&self) -> Credentials {
        Credentials::password("alice", "correct horse")
    }

    async fn serve<M: Machine>(&self, machine: M, end: End) -> Session<M, End, Clock> {
        if !self.secure {
            return Session::over(machine, end, self.clock.clone());
        }
        let tls = tls::pair().1.begin().unwrap();
        Session::over_tls(machine, end, self.clock.clone(), tls)
            .await
            .map_err(|error: Error<_>| error)
            .unwrap()
    }

    /// The body in pieces, each in memory of its own.
    fn pieces(&self) -> impl Iterator<Item = Bytes> {
        (0..self.octets / PIECE as u64).map(|_| Bytes::copy_from_slice(&TEXT))
    }

    fn reader(&self) -> Reader {
        Reader { at: 0, octets: self.octets, clock: self.clock.clone() }
    }
}

/// Bounds the loops that give a piece away: one that is not gone by then never will be.
#[derive(Default)]
struct Turns(u32);

impl Turns {
    fn next(&mut self) {
        self.0 += 1;
        assert!(self.0 < 1000, "a piece that is not taken");
    }
}

/// Compares what arrives.
struct Reader {
    at: u64,
    octets: u64,
    clock: Clock,
}

impl Reader {
    /// Takes a chunk. Behind the first it stands still for a minute of the virtual clock, which passes only when the sender can do
    /// nothing more.
    async fn take(&mut self, chunk: &[u8]) {
        let first = self.at == 0;
        let mut rest = chunk;
        while !rest.is_empty() {
            let text = &TEXT[(self.at % PIECE as u64) as usize..];
            let n = rest.len().min(text.len());
            assert!(rest[..n] == text[..n], "another octet than was sent, behind {}", self.at);
            rest = &rest[n..];
            self.at += n as u64;
        }
        if first {
            let until = self.clock.now() + Duration::from_secs(60);
            poll_fn(|context| self.clock.poll_until(until, context)).await;
        }
    }

    fn is_done(&self) -> bool {
        self.at == self.octets
    }
}

/// The heap of one end.
#[derive(Default)]
struct Account {
    now: Cell<isize>,
    most: Cell<isize>,
}

impl Account {
    /// The same task, in a box of its own, watched.
    async fn of<T>(&self, task: impl Future<Output = T>) -> T {
        let (mut waiting, mut begun) = (Some(task), None);
        poll_fn(|context| {
            let before = HEAP.current_usage();
            HEAP.reset_peak_usage();
            let task = begun.get_or_insert_with(|| Box::pin(waiting.take().unwrap()));
            let polled = task.as_mut().poll(context);
            let (now, peak) = (HEAP.current_usage(), HEAP.peak_usage());
            self.most.set(self.most.get().max(self.now.get() + (peak - before) as isize));
            self.now.set(self.now.get() + now as isize - before as isize);
            polled
        })
        .await
    }

    fn most(&self) -> usize {
        self.most.get().unsigned_abs()
    }
}
