//! The one loop that all drivers share: take units, write, read, end.
//!
//! Three rules keep two peers from waiting for each other: units before octets, both directions in one turn, and after the end reading goes on
//! as long as writing does. A driver adds to it only how it waits.

use crate::engine::{Engine, Handshake, Step};
use crate::error::Error;
use crate::sasl::client::Mechanism;
use mail_wire::{Closing, Machine, Pause, Role, Unit};
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// How long a session that is over may take to write its last octets.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
/// Octets read and dropped while the last octets are written.
const DISCARD: usize = 1024 * 1024;

/// A connection that says [`ErrorKind::WouldBlock`] where it cannot go on. (Also after a short wait.)
pub(crate) trait Link: Read + Write {
    /// Whether a read waits: then none is made while there is something else to do.
    const WAITS: bool;
    /// Ends our direction.
    fn finish(&mut self) -> io::Result<()>;
}

/// How far a turn came.
pub(crate) enum Turned {
    /// A unit is framed: decode it.
    Unit(Unit),
    /// More can be queued.
    Room,
    /// Nothing moves: wait for the link or the deadline, and turn again.
    Blocked,
    /// The session is over and all is written.
    Closed,
}

/// What a driver remembers between calls, so that a call that is dropped and made again changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Drive {
    /// The start of the wait for the next event. Neither a drip of octets nor a repeated call moves it.
    since: Option<Instant>,
    /// The start of the last octets' grace.
    ending: Option<Instant>,
    is_ending: bool,
    /// When a session that shuts down is cut, whatever the peer does until then.
    stop: Option<Instant>,
    /// The deadline has passed: every turn from now on says so.
    expired: bool,
    /// The last octet and the FIN are out, or are given up.
    finished: bool,
    /// Octets dropped since the end.
    discarded: usize,
    /// Something was written and not flushed.
    unflushed: bool,
    /// Writing failed. What the peer said before it went is still read.
    broken: Option<ErrorKind>,
    /// The mechanism of the log-in that the session was opened with.
    pub(crate) mechanism: Option<Mechanism>,
}

impl Drive {
    /// Takes the next unit, or else writes and reads in the same turn until neither goes on.
    ///
    /// Units come first: that batches the replies. Nothing is ever written with the ear closed, but for a server whose machine takes
    /// no more until its answers drain; this is what excludes a deadlock of two peers that both write.
    pub(crate) fn turn<M: Machine, L: Link>(
        &mut self,
        engine: &mut Engine<M>,
        link: &mut L,
        room: bool,
    ) -> Result<Turned, Error<M::Error>> {
        loop {
            let step = if self.expired { Err(Error::Timeout) } else { engine.step() };
            let paused = match step {
                Ok(Step::Ready(unit)) => {
                    self.since = None;
                    return Ok(Turned::Unit(unit));
                }
                Ok(Step::Closed) if self.end(engine, link) => return Ok(Turned::Closed),
                Err(error) if self.end(engine, link) => return Err(error),
                Ok(Step::Closed) | Err(_) => return Ok(Turned::Blocked),
                Ok(Step::Paused(Pause::Upgrade)) => return Err(Error::UpgradeOwed),
                Ok(Step::Paused(Pause::AnswerOwed)) if !room => return Err(Error::AnswerOwed),
                Ok(Step::Paused(pause)) => Some(pause),
                Ok(Step::NeedInput) => None,
            };
            if room && !engine.is_full() {
                self.since = None;
                return Ok(Turned::Room);
            }
            let wrote = self.write(engine, link);
            if L::WAITS && room && wrote && !engine.is_full() {
                continue;
            }
            if paused.is_none() && engine.can_read() {
                match engine.receive(link) {
                    Ok(_) => continue,
                    Err(error) => match error.kind() {
                        ErrorKind::Interrupted => continue,
                        ErrorKind::WouldBlock | ErrorKind::TimedOut => {}
                        ErrorKind::OutOfMemory => return Err(Error::Stuck),
                        _ => return Err(Error::Io(error)),
                    },
                }
            }
            if let Some(kind) = self.broken {
                return Err(Error::Io(kind.into()));
            }
            if wrote && (paused.is_some() || room) && !engine.is_full() {
                continue;
            }
            self.flush(link);
            return Ok(Turned::Blocked);
        }
    }

    /// Writes until nothing is left or the link takes no more. Whether anything was written.
    fn write<M: Machine>(&mut self, engine: &mut Engine<M>, link: &mut impl Link) -> bool {
        let mut wrote = false;
        while self.broken.is_none() {
            match engine.transmit(link) {
                Ok(0) => {
                    // All that was queued has gone: the peer's time for what it does next begins anew.
                    if wrote {
                        self.since = None;
                    }
                    break;
                }
                Ok(_) => (wrote, self.unflushed) = (true, true),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => break,
                    kind => self.broken = Some(kind),
                },
            }
        }
        wrote
    }

    /// For connections that buffer what is written to them.
    fn flush(&mut self, link: &mut impl Link) {
        if self.unflushed && self.broken.is_none() {
            match link.flush() {
                Ok(()) => self.unflushed = false,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => self.broken = Some(error.kind()),
            }
        }
    }

    /// The session is over: writes its last octets, close_notify and FIN, and reads and drops what still arrives meanwhile (two peers that both
    /// close and do not read would wait for each other). That the peer is gone already is no error. Whether it is done.
    pub(crate) fn end<M: Machine>(&mut self, engine: &mut Engine<M>, link: &mut impl Link) -> bool {
        engine.finish();
        self.is_ending = true;
        while !self.finished && self.broken.is_none() {
            match engine.transmit(link) {
                Ok(0) => match link.flush().and_then(|()| link.finish()) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                    _ => self.finished = true,
                },
                Ok(_) => {}
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => match engine.pipe.discard(link) {
                        Ok(n) if n > 0 && self.discarded < DISCARD => {
                            self.discarded = self.discarded.saturating_add(n);
                        }
                        Err(error) if is_wait(error.kind()) => return false,
                        // The peer has ended its direction; ours may still drain.
                        Ok(0) => return false,
                        _ => self.finished = true,
                    },
                    _ => self.finished = true,
                },
            }
        }
        true
    }

    /// When the wait that begins or goes on now will be over.
    pub(crate) fn deadline(&mut self, now: Instant, patience: Duration) -> Instant {
        let (since, patience) =
            if self.is_ending { (&mut self.ending, GRACE) } else { (&mut self.since, patience) };
        let since = *since.get_or_insert(now);
        // A patience beyond the clock's range is as good as a century.
        let deadline =
            since.checked_add(patience).unwrap_or_else(|| since + Duration::from_secs(3_153_600_000));
        match self.stop {
            // Progress moves this one not: who takes an octet a minute would hold a shutdown up for ever.
            Some(stop) if !self.is_ending => deadline.min(stop),
            _ => deadline,
        }
    }

    /// The session shuts down, within this time. The first call counts, so that a loop may repeat it.
    pub(crate) fn stop(&mut self, now: Instant, within: Duration) {
        if self.stop.is_none() {
            self.stop = now.checked_add(within);
        }
    }

    /// The deadline has passed.
    pub(crate) fn expire<M: Machine>(&mut self, engine: &mut Engine<M>) {
        if self.is_ending {
            self.finished = true;
            return;
        }
        self.expired = true;
        engine.close(Closing::Expired);
        // Lets the machine write what its standard asks for; that it fails now is what it was told to do.
        let _ = engine.step();
    }

    /// A flush from a turn has run out of time.
    pub(crate) fn expired(&mut self) {
        self.expired = true;
    }

    /// All that was queued was written by a turn.
    pub(crate) fn drained(&mut self) {
        self.since = None;
    }
}

fn is_wait(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Moves a handshake on: `true` when TLS stands, `false` when the link blocks.
pub(crate) fn shake<M: Machine>(
    handshake: &mut Handshake<M>,
    link: &mut impl Link,
) -> Result<bool, Error<M::Error>> {
    loop {
        let done = handshake.is_done();
        while let Err(error) = write_once(handshake, link) {
            match error.kind() {
                ErrorKind::Interrupted => {}
                kind if is_wait(kind) || done.is_err() => break,
                _ => return Err(Error::Io(error)),
            }
        }
        // An alert, if there is one, has been written as far as the link takes it.
        if done? {
            // A client's last flight goes out before: the caller may do something else before it comes back to this session. What a
            // server has left, tickets, nobody waits for.
            return Ok(M::ROLE == Role::Server || !handshake.wants_write());
        }
        match handshake.receive(link) {
            Ok(_) => {}
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                kind if is_wait(kind) => return Ok(false),
                _ => return Err(Error::Io(error)),
            },
        }
    }
}

fn write_once<M: Machine>(handshake: &mut Handshake<M>, link: &mut impl Link) -> io::Result<()> {
    while handshake.transmit(link)? > 0 {}
    link.flush()
}
