//! APOP (RFC 1939 §7), where a service offers it.

use crate::messages::LETTERS;
use crate::peer::{Meeting, good, open_config, open_service, opening, over};
use crate::shelf::{PASSWORD, Shelf, USER};
use crate::tls;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use mail_session::flow::{Failure, FlowError};
use mail_session::memory::End;
use mail_session::open::Security;
use mail_session::pop3::serve::{Attempt, Denied, Ended, Host, LockedMaildrop, Proof, Service};
use mail_session::proto::pop3::Command;
use mail_session::proto::pop3::ext::apop::digest;
use mail_session::proto::pop3::ext::capa::Capabilities;
use mail_session::proto::pop3::server::{Deletions, Maildrop, Offer};
use mail_session::proto::pop3::types::{Digest, MessageNumber, MsgId};
use mail_session::sasl::client::Credentials;
use mail_session::{Bytes, pop3};
use std::collections::HashSet;
use std::future::pending;
use std::sync::Mutex;
use std::{fmt::Write as _, io};

/// A service where APOP is the one way in.
fn service() -> Service {
    let mut config = open_config();
    // Bounded to a mechanism that is not there: else SASL would be preferred.
    let capabilities = Capabilities::new().with("SASL X-NONE").unwrap();
    config.offer = Offer { capabilities, ..Offer::default() }.into();
    Service::new(config).insecure_apop()
}

/// Reads a line.
async fn hear(end: &mut End) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut octet = [0];
        end.read_exact(&mut octet).await.unwrap();
        line.push(octet[0]);
    }
    String::from_utf8(line).unwrap()
}

fn stamp(greeting: &str) -> Option<&str> {
    Some(&greeting[greeting.find('<')?..=greeting.find('>')?])
}

fn hex(stamp: &str, password: &str) -> String {
    let digest = digest(MsgId::try_from(stamp.as_bytes()).unwrap(), password.as_bytes());
    digest.expose().iter().fold(String::new(), |mut hex, octet| {
        write!(hex, "{octet:02x}").unwrap();
        hex
    })
}

/// Meets a service by hand: the greeting, then what is said for each line.
fn by_hand(service: Service, shelf: &Shelf, lines: impl Fn(&str) -> Vec<String>) -> (String, Vec<String>) {
    let meeting = Meeting { service, ..Meeting::new(shelf) };
    let (said, _) = meeting.raw(async |mut end| {
        let greeting = hear(&mut end).await;
        let mut answers = Vec::new();
        for line in lines(&greeting) {
            end.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
            answers.push(hear(&mut end).await);
        }
        (greeting, answers)
    });
    said
}

#[test]
fn a_client_of_this_suite_gets_in() {
    let shelf = Shelf::new(&LETTERS);
    let meeting = Meeting { service: service(), ..Meeting::new(&shelf) };
    let (_, ended) = meeting.meet_until(opening().insecure_apop(), pending(), async |mut peer| {
        assert_eq!(good(&mut peer, &Command::Quit).await.text, "bye");
        over(peer).await;
    });
    assert!(matches!(ended, Ok(Ended::Committed(0))), "{ended:?}");
    assert_eq!(shelf.asked()[0], "log in alice -");
}

#[test]
fn a_wrong_digest_and_a_name_that_is_not_known_are_told_alike() {
    let shelf = Shelf::new(&LETTERS);
    let (_, answers) = by_hand(service(), &shelf, |greeting| {
        let stamp = stamp(greeting).unwrap();
        let another = stamp.replace("@localhost", "@elsewhere");
        vec![
            format!("APOP {USER} {}", hex(stamp, "guess")),
            format!("APOP nobody {}", hex(stamp, PASSWORD)),
            format!("APOP {USER} {}", hex(&another, PASSWORD)),
            format!("APOP {USER} {}", hex(stamp, PASSWORD)),
        ]
    });
    let wrong = "-ERR wrong user or password\r\n";
    assert_eq!(answers, [wrong, wrong, wrong, "+OK logged in\r\n"]);
}

#[test]
fn each_greeting_has_a_stamp_of_its_own() {
    let (service, shelf, mut stamps) = (service(), Shelf::new(&LETTERS), HashSet::new());
    for _ in 0..100 {
        let (greeting, _) = by_hand(service.clone(), &shelf, |_| Vec::new());
        assert!(greeting.starts_with("+OK ready <"), "{greeting}");
        assert!(MsgId::find(greeting.as_bytes()).is_some(), "{greeting}");
        assert!(stamps.insert(stamp(&greeting).unwrap().to_owned()), "{greeting} twice");
    }
}

/// Off by default, and whatever the configuration has: its stamp would greet more than one client.
#[test]
fn nobody_is_asked_to_who_has_not_offered_it() {
    let mut config = open_config();
    config.policy.apop = mail_session::wire::Allow::Allow;
    config.stamp = Some("<1@x>".try_into().unwrap());
    for service in [open_service(), Service::new(config)] {
        let shelf = Shelf::new(&LETTERS);
        let (greeting, answers) =
            by_hand(service, &shelf, |_| vec![format!("APOP {USER} {}", hex("<1@x>", PASSWORD))]);
        assert_eq!((stamp(&greeting), answers[0].as_str()), (None, "-ERR not offered\r\n"));
        assert!(shelf.asked().is_empty());
    }
}

/// A stamp of before TLS may be anybody's.
#[test]
fn behind_stls_it_is_refused() {
    let (client, server) = tls::pair();
    let shelf = Shelf::new(&LETTERS);
    let mut config = open_config();
    let capabilities = Capabilities::new().with("STLS").unwrap().with("SASL X-NONE").unwrap();
    config.offer = Offer { capabilities, ..Offer::default() }.into();
    let meeting =
        Meeting { service: Service::new(config).tls(server).insecure_apop(), ..Meeting::new(&shelf) };
    let opening = pop3::Opening::new(tls::HOST, Security::StartTls(client))
        .log_in(Credentials::password(USER, PASSWORD))
        .insecure_apop();
    let (failed, _) = meeting.open(&shelf, opening, pending(), async |opened| opened.err());
    assert!(matches!(failed, Some(FlowError::Flow(Failure::LogIn(_)))), "{failed:?}");
    assert!(shelf.asked().is_empty());
}

/// A host that has the digest made elsewhere is given all that is needed for it, and nothing of it is shown.
struct Elsewhere(Mutex<Vec<String>>);

struct Nothing;

impl Host for Elsewhere {
    type Locked = Nothing;

    fn log_in(&self, attempt: Attempt) -> Result<(Nothing, Maildrop), Denied> {
        let Proof::Apop(apop) = &attempt.proof else { return Err(Denied::Permanent) };
        let stamp = std::str::from_utf8(apop.stamp()).unwrap();
        let expected = Digest::try_from(hex(stamp, PASSWORD).as_bytes()).unwrap();
        let shown = format!("{attempt:?}");
        assert!(!shown.contains(&hex(stamp, PASSWORD)) && shown.contains("Apop(..)"), "{shown}");
        self.0.lock().unwrap().push(attempt.user().to_owned());
        match apop.digest().matches(&expected) && apop.is_of(PASSWORD.as_bytes()) && !apop.is_of(b"guess") {
            true => Ok((Nothing, Maildrop::new())),
            false => Err(Denied::Credentials),
        }
    }
}

impl LockedMaildrop for Nothing {
    fn read(&mut self, _: MessageNumber, _: u64) -> io::Result<Bytes> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn commit(self, _: Deletions) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_host_may_compare_by_itself() {
    let host = Elsewhere(Mutex::default());
    let meeting = Meeting { service: service(), ..Meeting::new(&Shelf::default()) };
    let (_, ended) = meeting.open(&host, opening().insecure_apop(), pending(), async |opened| {
        good(&mut opened.unwrap(), &Command::Quit).await;
    });
    assert!(matches!(ended, Ok(Ended::Committed(0))), "{ended:?}");
    assert_eq!(*host.0.lock().unwrap(), [USER]);
}
