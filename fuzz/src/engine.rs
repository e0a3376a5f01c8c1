//! The engine of `mail-session` around each of the six machines: over a plain link and over a TLS connection that is really made, in reads and
//! writes of any size, it gives what the machine gives alone.
//!
//! rustls draws random numbers and reads a clock here, so records differ from run to run; what the octets mean does not.

use crate::machine::{self, IMPLICIT, OURS, Party, Seen, TLS, parts};
use crate::reads::{WHOLE, reads};
use crate::seeds::Seed;
use crate::{imap_client, imap_server, pop3_client, pop3_server, smtp_client, smtp_server};
use mail_session::engine::{Engine, Handshake, Step};
use mail_session::tls::rustls::pki_types::pem::PemObject;
use mail_session::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use mail_session::tls::rustls::{self, ClientConfig, Connection, RootCertStore, ServerConfig};
use mail_session::tls::{ClientTls, ServerTls, Tls, provider};
use mail_session::{Error, wire};
use std::io::{self, Read, Write};
use std::sync::{Arc, LazyLock};
use wire::{Machine, Pause, Role};

/// Shorter than what an input takes at least, so that a peer which talks on while its answer is owed is never held up.
const MOST: usize = 4 * 1024;

/// The target. The first octet chooses the machine; the rest is an input for it, as [`machine::run`] takes it.
pub fn run(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which % 6 {
        0 => same::<smtp_client::Sender>(data),
        1 => same::<smtp_server::Host>(data),
        2 => same::<imap_client::Reader>(data),
        3 => same::<imap_server::Host>(data),
        4 => same::<pop3_client::Reader>(data),
        _ => same::<pop3_server::Host>(data),
    }
}

/// The octet that chooses the machine which reads a seed.
#[must_use]
pub fn which(seed: &Seed) -> &'static [u8] {
    match (seed.protocol.as_str(), seed.server) {
        ("imap", false) => &[2],
        ("imap", true) => &[3],
        ("pop3", false) => &[4],
        ("pop3", true) => &[5],
        (_, false) => &[0],
        (_, true) => &[1],
    }
}

fn same<P: Party>(data: &[u8]) {
    let data = &data[..data.len().min(MOST)];
    let Some((&settings, rest)) = data.split_first() else { return };
    let whole = [&[WHOLE], rest.get(1..).unwrap_or(&[])].concat();
    assert_eq!(machine::drive::<P>(settings, &whole), drive::<P>(settings, rest), "settings {settings}");
}

/// The end of the link that is not ours.
struct Peer {
    how: u8,
    /// What it has put on the link and we have not read.
    link: Vec<u8>,
    /// It has said all that it will.
    ended: bool,
    tls: Option<Connection>,
    /// What it has understood.
    heard: Vec<u8>,
}

impl Peer {
    fn says(&mut self, octets: &[u8]) {
        match &mut self.tls {
            None => self.link.extend_from_slice(octets),
            Some(tls) => {
                tls.writer().write_all(octets).expect("rustls takes them all");
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() {
                tls.write_tls(&mut self.link).expect("memory");
            }
        }
    }

    fn ends(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        self.flush();
        self.ended = true;
    }
}

impl Write for Peer {
    /// Takes as much as a link takes that is as slow as the reads are short.
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let all = [&[self.how], octets].concat();
        let Some(octets) = reads(&all).next() else { return Ok(0) };
        match &mut self.tls {
            None => self.heard.extend_from_slice(octets),
            Some(tls) => {
                let mut records = octets;
                while !records.is_empty() {
                    tls.read_tls(&mut records)?;
                    tls.process_new_packets().expect("our records are good");
                    // What has come to an end is noticed by the reader too.
                    let _ = tls.reader().read_to_end(&mut self.heard);
                }
                self.flush();
            }
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Peer {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.link.is_empty() {
            return if self.ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        let all = [&[self.how], &self.link[..]].concat();
        let octets = reads(&all).next().unwrap_or_default();
        let n = octets.len().min(into.len());
        into[..n].copy_from_slice(&octets[..n]);
        self.link.drain(..n);
        Ok(n)
    }
}

struct Drive<P: Party> {
    party: P,
    engine: Option<Engine<P::Machine>>,
    /// The hand-over is made, and the peer has not begun its handshake.
    shaking: Option<Handshake<P::Machine>>,
    peer: Peer,
    seen: Seen,
    /// Steps that are left. A loop that makes no progress uses them up.
    left: usize,
}

/// As [`machine::drive`].
fn drive<P: Party>(settings: u8, data: &[u8]) -> (Seen, Vec<u8>) {
    let (party, machine) = P::new(settings & !IMPLICIT);
    let (&how, rest) = data.split_first().unwrap_or((&WHOLE, &[]));
    let peer = Peer { how, link: Vec::new(), ended: false, tls: None, heard: Vec::new() };
    let left = 4096 + 64 * data.len();
    let mut drive = Drive::<P> { party, engine: None, shaking: None, peer, seen: Seen::default(), left };
    if settings & IMPLICIT == 0 {
        drive.engine = Some(Engine::plain(machine));
    } else {
        drive.shake(Handshake::implicit(machine, ours(P::Machine::ROLE)));
    }
    drive.all(rest);
    drive.seen.flush();
    (drive.seen, drive.peer.heard)
}

impl<P: Party> Drive<P> {
    fn all(&mut self, script: &[u8]) {
        for (marker, octets) in parts(script) {
            let goes_on = match marker {
                OURS => self.ours(octets),
                TLS => self.handed_over() && self.peer(octets),
                _ => self.peer(octets),
            };
            if !goes_on {
                return;
            }
        }
        if !self.read() {
            return;
        }
        if self.shaking.is_some() || self.party.owes() {
            return self.seen.note("ends with a token in hand");
        }
        self.peer.ends();
        assert!(!self.read(), "the engine waits for input after the end: {:?}", self.seen);
    }

    fn ours(&mut self, lines: &[u8]) -> bool {
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            if let Some(engine) = &mut self.engine {
                let turn = engine.turn();
                self.party.say(turn.machine, line, turn.output, &mut self.seen);
            }
        }
        self.read()
    }

    fn peer(&mut self, octets: &[u8]) -> bool {
        if octets.is_empty() {
            return self.read();
        }
        // Before the first octet a client begins to listen, and a server greets.
        if !self.read() {
            return false;
        }
        if self.shaking.is_some() {
            self.seen.note("plaintext behind the hand-over");
            return false;
        }
        self.peer.says(octets);
        self.read()
    }

    /// Whether TLS stands now. Without a hand-over that is due the marker means nothing, and the input is over.
    fn handed_over(&mut self) -> bool {
        let Some(handshake) = self.shaking.take() else { return false };
        self.shake(handshake);
        self.seen.note("TLS");
        true
    }

    fn shake(&mut self, mut handshake: Handshake<P::Machine>) {
        // The go-ahead of a server comes before all of TLS.
        if P::Machine::ROLE == Role::Server {
            while handshake.transmit(&mut self.peer).expect("memory") > 0 {}
        }
        self.peer.tls = Some(theirs(P::Machine::ROLE));
        loop {
            self.spend();
            self.peer.flush();
            while handshake.transmit(&mut self.peer).expect("memory") > 0 {}
            if handshake.is_done().expect("both are good") {
                self.engine = handshake.finish().ok();
                return;
            }
            handshake.receive(&mut self.peer).expect("the peer goes on");
        }
    }

    fn spend(&mut self) {
        self.left = self.left.checked_sub(1).unwrap_or_else(|| panic!("no progress: {:?}", self.seen));
    }

    /// Steps and reads until the link is empty.
    fn read(&mut self) -> bool {
        loop {
            if !self.steps() {
                return false;
            }
            let Some(engine) = &mut self.engine else { return true };
            match engine.receive(&mut self.peer) {
                Ok(0) if !engine.can_read() => {}
                Ok(0) => panic!("the end was not noted"),
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    return true;
                }
            }
        }
    }

    /// Steps until more input is needed.
    fn steps(&mut self) -> bool {
        loop {
            self.spend();
            self.write();
            let Some(engine) = &mut self.engine else { return true };
            let acted = match engine.step() {
                Ok(Step::NeedInput) => {
                    self.write();
                    return true;
                }
                Ok(Step::Closed) => return self.over("closed".to_owned()),
                Ok(Step::Paused(Pause::OutputFull)) => {
                    assert!(engine.wants_write(), "the output is said to be full");
                    continue;
                }
                Ok(Step::Paused(Pause::AnswerOwed)) if self.party.owes() => return true,
                Ok(Step::Paused(pause)) => {
                    panic!("{pause:?}, though every event was answered: {:?}", self.seen)
                }
                Ok(Step::Ready(unit)) => engine
                    .decode(unit)
                    .map(|(event, turn)| self.party.on(turn.machine, event, turn.output, &mut self.seen)),
                Err(error) => Err(error),
            };
            match acted {
                Ok(None) => {}
                Ok(Some(token)) => return self.hand_over(token),
                Err(Error::Machine(error)) => return self.fatal(&format!("{error:?}")),
                Err(error) => panic!("{error:?}: {:?}", self.seen),
            }
        }
    }

    /// What had been sent with the command or reply that hands over is there before the hand-over is made.
    fn hand_over(&mut self, token: <P::Machine as Machine>::Upgrade) -> bool {
        self.write();
        let Some(mut engine) = self.engine.take() else { return true };
        while engine.receive(&mut self.peer).is_ok_and(|read| read > 0) {}
        match engine.start_tls(token, ours(P::Machine::ROLE)) {
            Ok(handshake) => {
                self.shaking = Some(handshake);
                true
            }
            Err(Error::Handover(_)) => {
                self.seen.note("plaintext behind the hand-over");
                false
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    /// The peer reads everything; then the application goes on.
    fn write(&mut self) {
        while let Some(engine) = self.engine.as_mut().filter(|engine| engine.wants_write()) {
            while engine.transmit(&mut self.peer).expect("the peer takes all") > 0 {}
            let turn = engine.turn();
            self.party.pump(turn.machine, turn.output, &mut self.seen);
        }
    }

    /// An error is for ever.
    fn fatal(&mut self, said: &str) -> bool {
        for _ in 0..2 {
            let again = self.engine.as_mut().map(Engine::step);
            assert!(
                matches!(&again, Some(Err(Error::Machine(again))) if format!("{again:?}") == said),
                "after {said}: {again:?}"
            );
        }
        self.over(said.to_owned())
    }

    fn over(&mut self, how: String) -> bool {
        if let Some(engine) = &mut self.engine {
            while engine.transmit(&mut self.peer).expect("the peer takes all") > 0 {}
        }
        self.seen.note(how);
        false
    }
}

/// A certificate for `localhost`, and those who trust its authority: that of the user's crate.
struct Trust {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

const AUTHORITY: &[u8] = include_bytes!("../../.ci/consumer/pem/ca.pem");
const CHAIN: &[u8] = include_bytes!("../../.ci/consumer/pem/chain.pem");
const KEY: &[u8] = include_bytes!("../../.ci/consumer/pem/key.pem");

static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let read = |pem| CertificateDer::from_pem_slice(pem).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(read(AUTHORITY)).expect("a certificate");
    let client = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let server = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let client = client.expect("versions").with_root_certificates(roots).with_no_client_auth();
    let server = server.expect("versions").with_no_client_auth();
    let server = server.with_single_cert(vec![read(CHAIN)], key).expect("the key fits");
    Trust { client: Arc::new(client), server: Arc::new(server) }
});

fn ours(role: Role) -> Tls {
    let tls = match role {
        Role::Client => ClientTls::from(Arc::clone(&TRUST.client)).to("localhost"),
        Role::Server => ServerTls::from(Arc::clone(&TRUST.server)).begin(),
    };
    tls.expect("a configuration that does")
}

fn theirs(role: Role) -> Connection {
    let name = rustls::pki_types::ServerName::try_from("localhost").expect("a name");
    match role {
        Role::Client => rustls::ServerConnection::new(Arc::clone(&TRUST.server)).map(Connection::from),
        Role::Server => rustls::ClientConnection::new(Arc::clone(&TRUST.client), name).map(Connection::from),
    }
    .expect("a configuration that does")
}
