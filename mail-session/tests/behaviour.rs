//! Vectors that are told in words. Each test names its own.
#![allow(unreachable_pub)]

#[path = "session/servers.rs"]
#[allow(dead_code)]
mod servers;
mod toy;

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use mail_session::engine::{Engine, Handshake, Step};
use mail_session::flow::{Failure, FlowError};
use mail_session::imap::Opening;
use mail_session::memory::{self, Clock, End, Plan};
use mail_session::open::Security;
use mail_session::proto::imap;
use mail_session::sasl::client::{Credentials, Exchange, Mechanism};
use mail_session::sasl::server::{Exchange as ServerExchange, Step as Sasl};
use mail_session::sasl::{Crypto, Digest, NoRandomness, SaslError, ScramSecret, crypto};
use mail_session::tls::rustls::{self, AlertDescription, ClientConfig, ClientConnection, HandshakeKind};
use mail_session::tls::{CertificateDer, PrivateKeyDer, ServerName, ServerTls, provider};
use mail_session::wire::base64;
use mail_session::{Error, Session, Transcript};
use servers::{Serve, USER};
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use toy::{Client, ClientEvent, Command, Server, ServerEvent, tls};

/// Configurations of both sides, made by hand.
fn configs() -> (ClientConfig, rustls::ServerConfig) {
    let made = rcgen::generate_simple_self_signed(vec![tls::HOST.to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = server.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    (client.with_root_certificates(roots).with_no_client_auth(), server)
}

/// A TLS client that does as it likes, and an engine that has made TLS with it.
fn raw_client(
    config: &Arc<ClientConfig>,
    server: &ServerTls,
) -> (ClientConnection, End, Engine<Server>, End) {
    let plan = Plan { capacity: 1 << 20, ..Plan::default() };
    let (mut left, mut right) = memory::link(plan.clone(), plan);
    let name = ServerName::try_from(tls::HOST).unwrap();
    let mut client = ClientConnection::new(Arc::clone(config), name).unwrap();
    let mut handshake = Handshake::implicit(Server::new(), server.begin().unwrap());
    for _ in 0..4 {
        while client.wants_write() {
            client.write_tls(&mut left).unwrap();
        }
        let _ = handshake.receive(&mut right);
        while handshake.transmit(&mut right).unwrap() > 0 {}
        while client.read_tls(&mut left).is_ok_and(|n| n > 0) {
            client.process_new_packets().unwrap();
        }
    }
    (client, left, handshake.finish().unwrap(), right)
}

/// TLS04-17.
#[test]
fn a_certificate_that_is_refused_ends_the_connection() {
    let clock = Clock::new();
    let (left, mut right) = memory::link(Plan::default(), Plan::default());
    let mut session = Session::over(Client::new(), left, clock.clone());
    let client = async {
        let turn = session.turn();
        turn.machine.send(Command::Stls, turn.output).unwrap();
        let Some((ClientEvent::StartTls(token), _)) = session.next().await.unwrap() else { panic!() };
        session.start_tls(token, tls::pair().0.to("other.example.org").unwrap()).await.unwrap_err()
    };
    let server = async {
        right.read_exact(&mut [0; 6]).await.unwrap();
        right.write_all(b"^\r\n").await.unwrap();
        let error =
            Session::over_tls(Server::new(), right, clock.clone(), tls::pair().1.begin().unwrap()).await;
        error.unwrap_err()
    };
    let (client, server) = memory::run(&clock, client, server).unwrap();
    assert!(matches!(client, Error::Tls(rustls::Error::InvalidCertificate(_))), "{client:?}");
    assert!(
        matches!(server, Error::Tls(rustls::Error::AlertReceived(_))),
        "an alert and no plaintext: {server:?}"
    );
}

/// TLS11-02.
#[test]
fn plaintext_behind_close_notify_is_never_read() {
    let (config, server) = configs();
    let (mut client, mut left, mut engine, mut right) = raw_client(&Arc::new(config), &server.into());
    io::Write::write_all(&mut client.writer(), b"ECHO one\r\n").unwrap();
    client.send_close_notify();
    while client.wants_write() {
        client.write_tls(&mut left).unwrap();
    }
    io::Write::write_all(&mut left, b"ECHO two\r\nQUIT\r\n").unwrap();
    let mut echoed = Vec::new();
    let end = loop {
        match engine.step() {
            Ok(Step::Ready(unit)) => {
                let Ok((ServerEvent::Echo(text, token), turn)) = engine.decode(unit) else { panic!() };
                echoed.push(text.to_vec());
                turn.machine.answer(token, text, turn.output).unwrap();
            }
            Ok(Step::NeedInput) => {
                engine.receive(&mut right).unwrap();
            }
            other => break other,
        }
    };
    assert!(matches!(end, Ok(Step::Closed)) && engine.is_secured(), "{end:?}");
    assert_eq!(echoed, [b"one"]);
    while engine.transmit(&mut right).unwrap() > 0 {}
    let mut sent = vec![0; 4096];
    let n = io::Read::read(&mut left, &mut sent).unwrap();
    assert_eq!(sent[..n].first(), Some(&23), "the answer goes out as a record");
}

/// TLS12-05. A client that names no protocol is taken.
#[test]
fn a_client_of_another_protocol_is_refused() {
    for (offered, refused) in [(vec!["h2", "http/1.1"], true), (vec!["h2", "imap"], false), (vec![], false)] {
        let (mut client, mut server) = configs();
        client.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        server.alpn_protocols = vec![b"imap".to_vec()];
        let clock = Clock::new();
        let (left, right) = memory::link(Plan::default(), Plan::default());
        let to = mail_session::tls::ClientTls::from(client).to(tls::HOST).unwrap();
        let client = Session::over_tls(Client::new(), left, clock.clone(), to);
        let tls = ServerTls::from(server).begin().unwrap();
        let server = Session::over_tls(Server::new(), right, clock.clone(), tls);
        let (client, server) = memory::run(&clock, client, server).unwrap();
        assert_eq!((client.is_err(), server.is_err()), (refused, refused), "{offered:?}");
        if let Err(error) = client {
            let alert = AlertDescription::NoApplicationProtocol;
            assert!(
                matches!(error, Error::Tls(rustls::Error::AlertReceived(told)) if told == alert),
                "{error:?}"
            );
        }
    }
}

/// TLS15-01: on a session that is resumed, the servers of this crate offer no early data. One made by hand that does is the control.
#[test]
fn a_server_takes_no_early_data() {
    let made = rcgen::generate_simple_self_signed(vec![tls::HOST.to_owned()]).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert.der().to_vec())).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let ours = ServerTls::from_pem(chain.as_bytes(), key.as_bytes(), provider()).unwrap();
    let (control_client, mut control) = configs();
    control.max_early_data_size = 1000;
    let client =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    for (mut client, server, early) in [(client, ours, false), (control_client, control.into(), true)] {
        client.enable_early_data = true;
        let client = Arc::new(client);
        drop(raw_client(&client, &server));
        let name = ServerName::try_from(tls::HOST).unwrap();
        let mut again = ClientConnection::new(Arc::clone(&client), name).unwrap();
        assert_eq!(again.early_data().is_some(), early);
        let (resumed, ..) = raw_client(&client, &server);
        assert_eq!(resumed.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

/// TIME-05.
#[test]
fn a_handshake_has_thirty_seconds() {
    let clock = Clock::new();
    let (mut left, right) = memory::link(Plan::default(), Plan::default());
    io::Write::write_all(&mut left, b"\x16").unwrap();
    let server = Session::over_tls(Server::new(), right, clock.clone(), tls::pair().1.begin().unwrap());
    let peer = async { left.read_to_end(&mut Vec::new()).await.unwrap() };
    let (server, told) = memory::run(&clock, server, peer).unwrap();
    assert!(matches!(server, Err(Error::Timeout)));
    assert_eq!((clock.elapsed().as_secs(), told), (30, 0));
}

/// Opens an IMAP session against a server that is given as it is, under a tap.
fn open_imap(opening: Opening, serve: Serve) -> (Result<(), FlowError<imap::Violation>>, String) {
    let clock = Clock::new();
    let (left, right) = memory::link(Plan::default(), Plan::default());
    let tap = Transcript::of_server();
    let serve = Serve { tap: Some(tap.clone()), ..serve };
    let client = async {
        let session = Session::open(opening, left, clock.clone()).await?;
        session.close().await;
        Ok(())
    };
    let (result, _) = memory::run(&clock, client, servers::imap(serve, right, clock.clone())).unwrap();
    (result, tap.text())
}

/// TLS05-02: what was told before TLS is not used behind it.
#[test]
fn capability_is_the_first_command_behind_tls() {
    let opening = Opening::new(tls::HOST, Security::StartTls(tls::pair().0));
    let opening = opening.log_in(Credentials::password(USER, "pencil"));
    let (result, told) = open_imap(opening, Serve::new("pencil"));
    result.unwrap();
    let (before, behind) = told.split_once("-- TLS stands\n").unwrap();
    assert!(before.contains("[CAPABILITY ") && !before.contains(" CAPABILITY\n"), "{before}");
    assert!(behind.lines().next().unwrap().ends_with(" CAPABILITY"), "{behind}");
}

/// SASL-11: the order, and that a mechanism once asked for is not given up, neither for a lesser one nor for LOGIN.
#[test]
fn a_lesser_mechanism_is_no_substitute() {
    let all: &[&str] = &["LOGIN", "PLAIN", "SCRAM-SHA-256"];
    for (offered, least, chosen) in [
        (all, None, Some("SCRAM-SHA-256")),
        (all, Some(Mechanism::ScramSha256), Some("SCRAM-SHA-256")),
        (&["LOGIN", "PLAIN"], None, Some("PLAIN")),
        (&["LOGIN", "PLAIN"], Some(Mechanism::Plain), Some("PLAIN")),
        (&["LOGIN", "PLAIN"], Some(Mechanism::ScramSha256), None),
        (&["LOGIN"], Some(Mechanism::Plain), None),
        (&[], Some(Mechanism::ScramSha256), None),
    ] {
        let opening = Opening::new(tls::HOST, Security::StartTls(tls::pair().0));
        let mut opening = opening.log_in(Credentials::password(USER, "pencil"));
        if let Some(least) = least {
            opening = opening.at_least(least);
        }
        let (result, told) = open_imap(opening, Serve { mechanisms: offered, ..Serve::new("pencil") });
        match chosen {
            Some(name) => assert!(result.is_ok() && told.contains(&format!("AUTHENTICATE {name}")), "{told}"),
            None => {
                assert!(matches!(result, Err(FlowError::Flow(Failure::Downgrade))), "{result:?}");
                assert!(!told.contains("AUTHENTICATE") && !told.contains(" LOGIN "), "{told}");
            }
        }
    }
}

/// The first two messages of a SCRAM exchange: the client with its last message made, and the server that waits for it.
fn scram(first: impl Fn(&str) -> String, authorize_as: Option<&str>) -> (String, ServerExchange) {
    let mut credentials = Credentials::password(USER, "pencil");
    credentials.authorize_as = authorize_as.map(Into::into);
    let mut client = Exchange::by(Mechanism::ScramSha256, credentials, crypto());
    let mut server = ServerExchange::begin("SCRAM-SHA-256", crypto()).unwrap();
    let initial = client.initial().unwrap().unwrap();
    let initial = first(std::str::from_utf8(initial.expose()).unwrap());
    let Sasl::Secret(_) = server.start(Some(initial.as_bytes())) else { panic!("{initial}") };
    let secret = ScramSecret::derive(b"pencil", crypto()).unwrap();
    let Sasl::Challenge(challenge) = server.secret(secret) else { panic!() };
    let last = client.step(challenge.expose()).unwrap();
    (String::from_utf8(last.expose().to_vec()).unwrap(), server)
}

/// SASL-16. SCRAM-PLUS is not offered by this crate, so that `y` tells the truth (RFC 5802 §6) and is taken; but what a client has said
/// of it is held against the proof, so that nobody on the way can change it.
#[test]
fn the_flag_of_channel_binding_cannot_be_changed_on_the_way() {
    assert!(ServerExchange::MECHANISMS.iter().all(|name| !name.ends_with("-PLUS")));
    let mut server = ServerExchange::begin("SCRAM-SHA-256", crypto()).unwrap();
    assert!(matches!(server.start(Some(b"p=tls-exporter,,n=bob,r=abc")), Sasl::Failed(SaslError::Malformed)));
    let (last, mut server) = scram(str::to_owned, None);
    assert!(matches!(server.step(last.as_bytes()), Sasl::Challenge(_)));
    let (last, mut server) = scram(|first| first.replace("n,,", "y,,"), None);
    assert!(matches!(server.step(last.as_bytes()), Sasl::Failed(SaslError::Malformed)));
    let (last, mut server) = scram(|first| first.replace("n,,", "y,,"), None);
    let last = last.replace("c=biws", "c=eSws");
    assert!(matches!(server.step(last.as_bytes()), Sasl::Failed(SaslError::Proof)));
}

/// SASL-17: `n,a=xy,` in base64, and what a lax decoder takes for it.
#[test]
fn the_binding_is_the_header_bit_for_bit() {
    for (binding, good) in [
        ("c=bixhPXh5LA==", true),
        ("c=bixhPXh5LB==", false),
        ("c=bixhPXh5LA", false),
        ("c=bixhPXh5LA=", false),
        ("c=bixhPXh5LA===", false),
        ("c=bixhPXh5 LA==", false),
        ("c=biws", false),
    ] {
        let (last, mut server) = scram(str::to_owned, Some("xy"));
        assert!(last.starts_with("c=bixhPXh5LA==,r="), "{last}");
        match server.step(last.replace("c=bixhPXh5LA==", binding).as_bytes()) {
            Sasl::Challenge(_) if good => {}
            Sasl::Failed(SaslError::Malformed) if !good => {}
            other => panic!("{binding} {other:?}"),
        }
    }
}

/// SASL-18.
#[test]
fn an_extension_that_must_be_known_ends_the_exchange() {
    for (extension, good) in [("", true), ("m=ext,", false)] {
        let mut client =
            Exchange::by(Mechanism::ScramSha256, Credentials::password(USER, "pencil"), crypto());
        let first = client.initial().unwrap().unwrap();
        let nonce = std::str::from_utf8(first.expose()).unwrap().split("r=").nth(1).unwrap();
        let challenge = format!("{extension}r={nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        let step = client.step(challenge.as_bytes()).map(|_| ());
        assert_eq!(step, if good { Ok(()) } else { Err(SaslError::Malformed) });
    }
}

/// SASL-25: in clear, in base64, and as the numbers of its octets.
#[test]
fn no_debug_shows_a_secret() {
    let secret = "korrektes pferd";
    let login = format!("a LOGIN alice \"{secret}\"\r\n");
    let (_, login) = imap::Command::parse(login.as_bytes(), &imap::Limits::default(), false).unwrap();
    let plain = base64::encode(format!("\0alice\0{secret}").as_bytes());
    let plain = String::from_utf8(plain.expose().to_vec()).unwrap();
    let authenticate = format!("a AUTHENTICATE PLAIN {plain}\r\n");
    let (_, authenticate) =
        imap::Command::parse(authenticate.as_bytes(), &imap::Limits::default(), false).unwrap();
    let credentials = Credentials::password("alice", secret);
    let mut server = ServerExchange::begin("PLAIN", crypto()).unwrap();
    let step = server.start(Some(format!("\0alice\0{secret}").as_bytes()));
    let exchange = Exchange::by(Mechanism::Plain, credentials.clone(), crypto());
    let shown = format!(
        "{login:?} {login:#?} {authenticate:?} {credentials:?} {:?} {step:?} {exchange:?} {:?}",
        credentials.proof,
        login.into_owned()
    );
    assert!(shown.contains("alice"), "{shown}");
    let numbers = format!("{:?}", &secret.as_bytes()[..4]);
    for form in [&secret[..5], &plain[12..24], numbers.trim_matches(['[', ']'])] {
        assert!(!shown.contains(form), "{form} in {shown}");
    }
}

/// Counts what is computed.
struct Counting(AtomicUsize);

impl Counting {
    fn count(&self) -> &'static dyn Crypto {
        self.0.fetch_add(1, Ordering::Relaxed);
        crypto()
    }
}

impl Crypto for Counting {
    fn sha256(&self, octets: &[u8]) -> Digest {
        self.count().sha256(octets)
    }
    fn hmac_sha256(&self, key: &[u8], octets: &[u8]) -> Digest {
        self.count().hmac_sha256(key, octets)
    }
    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Digest {
        self.0.fetch_add(iterations.get() as usize, Ordering::Relaxed);
        crypto().pbkdf2_sha256(password, salt, iterations)
    }
    fn random(&self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        self.count().random(octets)
    }
}

/// SIDE-01, of SCRAM, where the exchange itself tells something of the user; passwords in clear are the application's to check.
#[test]
fn a_user_who_does_not_exist_looks_like_a_wrong_password() {
    static COUNT: Counting = Counting(AtomicUsize::new(0));
    let known = ScramSecret::derive(b"right", crypto()).unwrap();
    let unknown = ScramSecret::decoy("mallory", b"key of the server", crypto());
    let seen = [known, unknown].map(|secret| {
        COUNT.0.store(0, Ordering::Relaxed);
        let credentials = Credentials::password("mallory", "wrong");
        let mut client = Exchange::by(Mechanism::ScramSha256, credentials, crypto());
        let mut server = ServerExchange::begin("SCRAM-SHA-256", &COUNT).unwrap();
        let Sasl::Secret(_) = server.start(Some(client.initial().unwrap().unwrap().expose())) else {
            panic!()
        };
        let Sasl::Challenge(challenge) = server.secret(secret) else { panic!() };
        let text = std::str::from_utf8(challenge.expose()).unwrap().to_owned();
        // Nonce and salt are random; the lengths and the rest are told.
        let shape: Vec<_> = text.split(',').map(|part| (part[..2].to_owned(), part.len())).collect();
        let iterations = text.split(',').next_back().unwrap().to_owned();
        let last = server.step(client.step(challenge.expose()).unwrap().expose());
        (shape, iterations, format!("{last:?}"), COUNT.0.load(Ordering::Relaxed))
    });
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].2 == "Failed(Proof)" && seen[0].3 > 1, "{seen:?}");
}
