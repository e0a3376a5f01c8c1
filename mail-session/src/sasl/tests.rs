use super::client::{Credentials, Exchange as ClientExchange, Mechanism};
use super::server::{Exchange as ServerExchange, Identity, Step};
use super::*;
use mail_wire::SecretBuf;
use std::num::NonZeroU32;

const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const SERVER_FIRST: &str =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn client(mechanism: Mechanism) -> ClientExchange {
    ClientExchange::by(mechanism, Credentials::password("user", "pencil"), crypto())
}

fn kept() -> ScramSecret {
    let salt = mail_wire::base64::decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let iterations = NonZeroU32::new(4096).unwrap();
    ScramSecret::with_salt(b"pencil", salt.expose().to_vec(), iterations, crypto())
}

fn text(octets: &SecretBuf) -> &str {
    std::str::from_utf8(octets.expose()).unwrap()
}

/// RFC 7677 §3, message by message, both sides.
#[test]
fn the_example_of_the_standard_holds_on_both_sides() {
    let mut client = client(Mechanism::ScramSha256);
    assert_eq!(text(&client.scram_first(NONCE.into()).unwrap()), FIRST);
    assert_eq!(text(&client.step(SERVER_FIRST.as_bytes()).unwrap()), FINAL);
    assert_eq!(text(&client.step(SERVER_FINAL.as_bytes()).unwrap()), "");
    assert_eq!(client.verify(None), Ok(()));

    let mut server = ServerExchange::begin("scram-sha-256", crypto()).unwrap();
    let Step::Secret(identity) = server.start(Some(FIRST.as_bytes())) else { panic!() };
    assert_eq!(identity, Identity { user: "user".into(), authorize_as: None });
    let Step::Challenge(challenge) = server.secret_with(kept(), SERVER_NONCE) else { panic!() };
    assert_eq!(text(&challenge), SERVER_FIRST);
    let Step::Challenge(challenge) = server.step(FINAL.as_bytes()) else { panic!() };
    assert_eq!(text(&challenge), SERVER_FINAL);
    assert!(matches!(server.step(b""), Step::Proved(proved) if proved == identity));
}

#[test]
fn success_is_not_believed_without_the_servers_proof() {
    let mut silent = client(Mechanism::ScramSha256);
    silent.scram_first(NONCE.into()).unwrap();
    silent.step(SERVER_FIRST.as_bytes()).unwrap();
    assert_eq!(silent.verify(None), Err(SaslError::ServerUnproved));
    let mut lying = client(Mechanism::ScramSha256);
    lying.scram_first(NONCE.into()).unwrap();
    lying.step(SERVER_FIRST.as_bytes()).unwrap();
    let forged = SERVER_FINAL.replace("6rri", "6rrj");
    assert_eq!(lying.step(forged.as_bytes()).unwrap_err(), SaslError::ServerUnproved);
    assert_eq!(lying.verify(None), Err(SaslError::ServerUnproved));
}

#[test]
fn a_client_refuses_what_a_false_server_may_try() {
    let cases = [
        (SERVER_FIRST.replace("rOpr", "xOpr"), SaslError::Nonce),
        (format!("r={NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), SaslError::Nonce),
        (SERVER_FIRST.replace("i=4096", "i=4095"), SaslError::Iterations),
        (SERVER_FIRST.replace("i=4096", "i=1000001"), SaslError::Iterations),
        (SERVER_FIRST.replace("i=4096", "i=99999999999"), SaslError::Iterations),
        (SERVER_FIRST.replace("s=W22", "s=!22"), SaslError::Malformed),
        (String::new(), SaslError::Malformed),
    ];
    for (challenge, error) in cases {
        let mut client = client(Mechanism::ScramSha256);
        client.scram_first(NONCE.into()).unwrap();
        assert_eq!(client.step(challenge.as_bytes()).unwrap_err(), error, "{challenge}");
        assert_eq!(client.step(SERVER_FIRST.as_bytes()).unwrap_err(), SaslError::Unexpected);
    }
}

#[test]
fn a_server_refuses_a_wrong_proof_and_a_foreign_nonce() {
    for (message, error) in [
        (FINAL.replace("p=dHzb", "p=eHzb"), SaslError::Proof),
        (FINAL.replace("hNlF$k0", "hNlF$k1"), SaslError::Nonce),
        (FINAL.replace("c=biws", "c=eSws"), SaslError::Malformed),
        (FINAL.replace(",p=", ",q="), SaslError::Malformed),
    ] {
        let mut server = ServerExchange::begin("SCRAM-SHA-256", crypto()).unwrap();
        server.start(Some(FIRST.as_bytes()));
        server.secret_with(kept(), SERVER_NONCE);
        assert!(matches!(server.step(message.as_bytes()), Step::Failed(e) if e == error), "{message}");
    }
}

#[test]
fn every_mechanism_of_the_server_is_carried_through_by_the_client() {
    for mechanism in [Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login] {
        for with_initial in [true, false] {
            for password in ["pencil", "pen,cil=\u{e9}", "wrong"] {
                let user = "us=er,";
                let credentials = Credentials::password(user, password);
                let mut client = ClientExchange::by(mechanism, credentials, crypto());
                let mut server = ServerExchange::begin(mechanism.name(), crypto()).unwrap();
                let initial = if with_initial { client.initial().unwrap() } else { None };
                let mut step = server.start(initial.as_ref().map(|octets| octets.expose().as_slice()));
                let mut accepted = None;
                for _ in 0..5 {
                    step = match step {
                        Step::Challenge(challenge) => match client.step(challenge.expose()) {
                            Ok(response) => server.step(response.expose()),
                            Err(_) => break,
                        },
                        Step::Secret(_) => {
                            server.secret(ScramSecret::derive(password_kept(password), crypto()).unwrap())
                        }
                        Step::Password { identity, password: given } => {
                            assert_eq!(identity.user, user);
                            accepted = Some(given.expose().as_slice() == password_kept(password));
                            break;
                        }
                        Step::Proved(identity) => {
                            accepted = Some(identity.user == user);
                            break;
                        }
                        Step::Failed(error) => {
                            assert_eq!(error, SaslError::Proof);
                            accepted = Some(false);
                            break;
                        }
                    };
                }
                assert_eq!(accepted, Some(password != "wrong"), "{mechanism:?} {with_initial} {password}");
                assert_eq!(client.verify(None).is_ok(), password != "wrong" || mechanism.is_plaintext());
            }
        }
    }
}

/// What the server has for a client that gives this password.
fn password_kept(given: &str) -> &[u8] {
    if given == "wrong" { b"right" } else { given.as_bytes() }
}

#[test]
fn the_best_mechanism_is_chosen_and_none_that_sends_the_password_in_clear_before_tls() {
    let password = Credentials::password("user", "pencil");
    let token = Credentials::token("user", "t0ken");
    let choose = |offered: &[&str], credentials: &Credentials, secure| {
        let offered = offered.iter().map(|name| name.as_bytes());
        ClientExchange::choose(offered, credentials, secure, crypto()).map(|e| e.mechanism())
    };
    let all = ["LOGIN", "plain", "XOAUTH2", "Scram-Sha-256", "GSSAPI"];
    assert_eq!(choose(&all, &password, true), Some(Mechanism::ScramSha256));
    assert_eq!(choose(&all, &token, true), Some(Mechanism::XOAuth2));
    assert_eq!(choose(&all, &token, false), None);
    assert_eq!(choose(&["LOGIN", "PLAIN"], &password, true), Some(Mechanism::Plain));
    assert_eq!(choose(&["LOGIN", "PLAIN"], &password, false), None);
    assert_eq!(choose(&["GSSAPI"], &password, true), None);
}

#[test]
fn tokens_are_carried_as_their_definitions_say() {
    let first = |mechanism| {
        let mut exchange = ClientExchange::by(mechanism, Credentials::token("u@h", "t0ken"), crypto());
        exchange.initial().unwrap().unwrap().expose().to_vec()
    };
    assert_eq!(first(Mechanism::XOAuth2), b"user=u@h\x01auth=Bearer t0ken\x01\x01");
    assert_eq!(first(Mechanism::OAuthBearer), b"n,a=u@h,\x01auth=Bearer t0ken\x01\x01");
}

#[test]
fn credentials_that_would_break_the_frame_are_refused() {
    for (mechanism, credentials) in [
        (Mechanism::Plain, Credentials::password("us\0er", "pencil")),
        (Mechanism::Plain, Credentials::password("user", "pen\0cil")),
        (Mechanism::XOAuth2, Credentials::token("user\x01auth=Bearer other", "t")),
        (Mechanism::ScramSha256, Credentials::password("us\0er", "pencil")),
    ] {
        let mut exchange = ClientExchange::by(mechanism, credentials, crypto());
        assert_eq!(exchange.initial().unwrap_err(), SaslError::Credentials);
    }
}

#[test]
fn a_decoy_has_the_same_salt_at_every_attempt_and_fits_no_password() {
    let (one, two) = (ScramSecret::decoy("x", b"key", crypto()), ScramSecret::decoy("x", b"key", crypto()));
    assert_eq!(one.salt, two.salt);
    assert_ne!(one.salt, ScramSecret::decoy("y", b"key", crypto()).salt);
    assert!(!format!("{one:?} {:?}", Credentials::password("u", "pencil")).contains("pencil"));
}
