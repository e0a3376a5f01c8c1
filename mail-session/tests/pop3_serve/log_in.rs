//! Who gets in, and what those are told who do not.

use crate::peer::{Meeting, Peer, ask, good, open_config, open_service, opening, say};
use crate::shelf::{PASSWORD, Shelf, USER};
use crate::tls;
use mail_session::memory::{self, Clock, End};
use mail_session::open::Security;
use mail_session::pop3::Opening;
use mail_session::pop3::serve::{Denied, Ended, Service};
use mail_session::proto::pop3::client::{Client, Config};
use mail_session::proto::pop3::types::{InitialResponse, Mechanism, Password, UserName};
use mail_session::proto::pop3::{Allow, Command};
use mail_session::sasl::client::{Credentials, Mechanism as Sasl};
use mail_session::wire::SecretBuf;
use mail_session::{Session, proto};
use std::future::pending;
use std::time::Duration;

/// A session that has only been greeted.
async fn greeted(end: End, clock: Clock) -> Peer {
    let mut config = Config::default();
    config.policy.plaintext_auth = Allow::Allow;
    let mut peer = Session::over(Client::new(config), end, clock);
    assert!(peer.next().await.unwrap().is_some());
    // Response codes are read where they are announced.
    good(&mut peer, &Command::Capa).await;
    peer
}

/// Meets a service with a session that has only been greeted.
fn strangers<T>(service: &Service, shelf: &Shelf, clock: &Clock, act: impl AsyncFnOnce(Peer) -> T) -> T {
    let (left, right) = memory::link(Default::default(), Default::default());
    let session = Session::over(service.machine(), right, clock.clone());
    let a = async { act(greeted(left, clock.clone()).await).await };
    let (done, _) = memory::run(clock, a, service.serve(session, shelf, pending())).unwrap();
    done
}

async fn user_pass(peer: &mut Peer, user: &str, password: &str) -> (String, Option<String>) {
    let (said, _) = ask(peer, &Command::User(UserName::try_from(user).unwrap())).await;
    assert!(said.ok, "USER tells nothing");
    let (said, _) = ask(peer, &Command::Pass(Password::try_from(password).unwrap())).await;
    assert!(!said.ok);
    (said.text, said.code)
}

async fn plain(peer: &mut Peer, message: &str) -> crate::peer::Said {
    let mechanism = Mechanism::try_from("PLAIN").unwrap();
    let initial = Some(InitialResponse::new(message.as_bytes()));
    ask(peer, &Command::Auth { mechanism, initial }).await.0
}

#[test]
fn every_way_in() {
    let with_scram = open_service().scram(SecretBuf::from(&b"0123456789abcdef"[..]));
    let mut bare = open_config();
    std::sync::Arc::make_mut(&mut bare.offer).capabilities =
        proto::pop3::ext::capa::Capabilities::new().with("USER").unwrap().with("SASL LOGIN").unwrap();
    let ways = [
        (with_scram.clone(), Some(Sasl::ScramSha256), 1),
        (open_service(), Some(Sasl::Plain), 1),
        (Service::new(bare), Some(Sasl::Login), 1),
    ];
    for (service, least, attempts) in ways {
        let shelf = Shelf::new(&["x\r\n"]);
        let meeting = Meeting { service, ..Meeting::new(&shelf) };
        let opening = match least {
            Some(least) => opening().at_least(least),
            None => opening(),
        };
        let (_, ended) = meeting.meet_until(opening, pending(), async |mut peer| {
            assert_eq!(good(&mut peer, &Command::Stat).await.text, "1 3");
            good(&mut peer, &Command::Quit).await;
        });
        assert!(matches!(ended, Ok(Ended::Committed(0))), "{ended:?}");
        let asked = shelf.asked();
        assert_eq!(asked.iter().filter(|what| *what == "log in alice -").count(), attempts, "{asked:?}");
    }
}

#[test]
fn a_name_that_is_not_known_and_a_wrong_password_are_told_alike() {
    let (service, shelf, clock) = (open_service(), Shelf::new(&["x\r\n"]), Clock::new());
    strangers(&service, &shelf, &clock, async |mut peer| {
        let wrong = user_pass(&mut peer, USER, "guess").await;
        assert_eq!(wrong.1.as_deref(), Some("AUTH"));
        assert_eq!(user_pass(&mut peer, "nobody", PASSWORD).await, wrong);
        for message in ["\0alice\0guess", "\0nobody\0guess", "no message at all"] {
            let said = plain(&mut peer, message).await;
            assert_eq!((said.text, said.code), wrong, "{message:?}");
        }
    });
    assert!(!shelf.is_locked());
}

#[test]
fn scram_does_not_tell_who_exists() {
    let service = open_service().scram(SecretBuf::from(&b"0123456789abcdef"[..]));
    let first = |user: &str| {
        let (shelf, clock) = (Shelf::new(&["x\r\n"]), Clock::new());
        strangers(&service, &shelf, &clock, async |mut peer| {
            let initial = format!("n,,n={user},r=abcdefgh");
            let mechanism = Mechanism::try_from("SCRAM-SHA-256").unwrap();
            let initial = Some(InitialResponse::new(initial.as_bytes()));
            peer.turn().send(&Command::Auth { mechanism, initial }).unwrap();
            match peer.next().await.unwrap() {
                Some((proto::pop3::client::Event::Challenge(challenge, auth), mut turn)) => {
                    let said = String::from_utf8(challenge.expose().to_vec()).unwrap();
                    turn.cancel(auth).unwrap();
                    said.split_once(",s=").unwrap().1.to_owned()
                }
                other => panic!("{other:?}"),
            }
        })
    };
    assert_eq!(first("nobody"), first("nobody"), "salt and count stay the same");
    assert_ne!(first("nobody"), first("somebody"));
    let shape = |text: String| (text.len(), text.split_once(',').unwrap().1.to_owned());
    assert_eq!(shape(first("nobody")), shape(first(USER)));
    // The exchange with a decoy ends like one with a wrong password.
    for (user, password) in [("nobody", PASSWORD), (USER, "guess")] {
        let shelf = Shelf::new(&["x\r\n"]);
        let (left, right) = memory::link(Default::default(), Default::default());
        let clock = Clock::new();
        let opening = Opening::new(tls::HOST, Security::InsecurePlain)
            .log_in(Credentials::password(user, password))
            .at_least(Sasl::ScramSha256);
        let session = Session::over(service.machine(), right, clock.clone());
        let a = Session::open(opening, left, clock.clone());
        let (opened, _) = memory::run(&clock, a, service.serve(session, &shelf, pending())).unwrap();
        match opened {
            Err(mail_session::flow::FlowError::Flow(mail_session::flow::Failure::LogIn(refusal))) => {
                assert_eq!(refusal.text(), b"wrong user or password");
            }
            other => panic!("{other:?}"),
        }
        assert!(shelf.asked().is_empty(), "what is not proved is not asked");
    }
}

#[test]
fn every_denial_has_its_code() {
    let codes = [
        (Denied::Credentials, "AUTH"),
        (Denied::InUse, "IN-USE"),
        (Denied::LoginDelay, "LOGIN-DELAY"),
        (Denied::Temporary, "SYS/TEMP"),
        (Denied::Permanent, "SYS/PERM"),
    ];
    for (denied, code) in codes {
        let (service, clock) = (open_service(), Clock::new());
        let shelf = Shelf::new(&["x\r\n"]).denying(denied);
        strangers(&service, &shelf, &clock, async |mut peer| {
            assert_eq!(user_pass(&mut peer, USER, PASSWORD).await.1.as_deref(), Some(code));
            assert_eq!(plain(&mut peer, "\0alice\0correct horse").await.code.as_deref(), Some(code));
        });
    }
}

/// What a host writes with `?`.
#[test]
fn what_is_wrong_with_a_store_denies_the_log_in() {
    use mail_session::proto::pop3::types::UniqueId;
    let listed = || -> Result<(), Denied> {
        UniqueId::try_from("no id")?;
        Ok(())
    };
    let read = || -> Result<(), Denied> { Err(std::io::Error::from(std::io::ErrorKind::NotFound))? };
    assert_eq!((listed(), read()), (Err(Denied::Permanent), Err(Denied::Temporary)));
}

#[test]
fn one_session_holds_the_maildrop() {
    let shelf = Shelf::new(&["x\r\n"]);
    let (_, ended) = Meeting::new(&shelf).meet(async |mut peer| {
        let (service, clock) = (open_service(), Clock::new());
        strangers(&service, &shelf, &clock, async |mut second| {
            assert_eq!(user_pass(&mut second, USER, PASSWORD).await.1.as_deref(), Some("IN-USE"));
        });
        assert!(shelf.is_locked(), "the second did not release it");
        good(&mut peer, &Command::Quit).await;
    });
    assert!(matches!(ended, Ok(Ended::Committed(0))), "{ended:?}");
    let (_, again) = Meeting::new(&shelf).meet(async |mut peer| good(&mut peer, &Command::Quit).await);
    assert!(matches!(again, Ok(Ended::Committed(0))), "{again:?}");
}

#[test]
fn wrong_credentials_are_answered_late_and_others_at_once() {
    let late = Duration::from_secs(3);
    for (denied, waited) in [(Denied::Credentials, late), (Denied::InUse, Duration::ZERO)] {
        let (service, clock) = (open_service().delay(late), Clock::new());
        let shelf = Shelf::new(&["x\r\n"]).denying(denied);
        strangers(&service, &shelf, &clock, async |mut peer| {
            for rounds in 1..4 {
                user_pass(&mut peer, USER, "guess").await;
                assert_eq!(clock.elapsed(), waited * rounds);
            }
        });
    }
}

#[test]
fn the_fifth_refusal_ends_the_session() {
    let (service, shelf, clock) = (open_service(), Shelf::new(&["x\r\n"]), Clock::new());
    strangers(&service, &shelf, &clock, async |mut peer| {
        for _ in 0..5 {
            user_pass(&mut peer, USER, "guess").await;
        }
        assert!(!matches!(peer.next().await, Ok(Some(_))));
    });
}

#[test]
fn on_anothers_behalf_only_where_it_is_allowed() {
    for (message, allow, asked) in [
        ("alice\0alice\0correct horse", Allow::Refuse, "log in alice -"),
        ("bob\0alice\0correct horse", Allow::Refuse, ""),
        ("bob\0alice\0correct horse", Allow::Allow, "log in alice bob"),
    ] {
        let (service, shelf, clock) =
            (open_service().delegation(allow), Shelf::new(&["x\r\n"]), Clock::new());
        let said = strangers(&service, &shelf, &clock, async |mut peer| plain(&mut peer, message).await);
        assert_eq!(shelf.asked().first().map_or("", String::as_str), asked, "{message:?}");
        assert_eq!(said.ok, !asked.is_empty());
    }
}

#[test]
fn a_name_that_is_not_utf8_is_nobodys() {
    let shelf = Shelf::new(&["x\r\n"]);
    let script = b"USER al\xe9ce\r\nPASS correct horse\r\nQUIT\r\n";
    let (said, _) = Meeting::new(&shelf).raw(async |end| say(end, script).await);
    let refused = "+OK ready\r\n+OK send PASS\r\n-ERR [AUTH] wrong user or password\r\n+OK bye\r\n";
    assert_eq!((said.as_str(), shelf.asked().len()), (refused, 0));
}

#[test]
fn the_host_learns_of_utf8_mode() {
    let mut config = open_config();
    std::sync::Arc::make_mut(&mut config.offer).capabilities.add(b"UTF8").unwrap();
    let (service, shelf, clock) = (Service::new(config), Shelf::new(&["x\r\n"]), Clock::new());
    strangers(&service, &shelf, &clock, async |mut peer| {
        good(&mut peer, &Command::Utf8).await;
        assert!(plain(&mut peer, "\0alice\0correct horse").await.ok);
    });
    assert_eq!(shelf.asked(), ["log in alice - utf8"]);
}

#[test]
fn what_is_offered_can_be_kept() {
    let capa = |service: &Service| {
        let (shelf, clock) = (Shelf::new(&["x\r\n"]), Clock::new());
        strangers(service, &shelf, &clock, async |mut peer| {
            let lines: Vec<_> = peer.turn().machine.capabilities().raw().map(<[u8]>::to_vec).collect();
            String::from_utf8(lines.join(&b' ')).unwrap()
        })
    };
    let closed = Service::new(Default::default());
    let told = capa(&closed);
    assert!(!told.contains("STLS") && !told.contains("USER") && !told.contains("SASL"), "{told}");
    let told = capa(&closed.clone().tls(tls::pair().1));
    assert!(told.contains("STLS") && !told.contains("USER") && !told.contains("SASL"), "{told}");
    let told = capa(&open_service());
    assert!(told.contains("USER") && told.contains("PLAIN LOGIN") && !told.contains("SCRAM"), "{told}");
    let told = capa(&open_service().scram(SecretBuf::from(&b"0123456789abcdef"[..])));
    assert!(told.contains("SCRAM-SHA-256 PLAIN LOGIN"), "{told}");
}

#[test]
fn before_tls_nobody_logs_in() {
    let (service, shelf, clock) = (Service::new(Default::default()), Shelf::new(&["x\r\n"]), Clock::new());
    strangers(&service, &shelf, &clock, async |mut peer| {
        let (said, _) = ask(&mut peer, &Command::User(UserName::try_from(USER).unwrap())).await;
        assert!(!said.ok);
        assert!(!plain(&mut peer, "\0alice\0correct horse").await.ok);
    });
    assert!(shelf.asked().is_empty());
}

#[test]
fn by_stls_and_under_tls() {
    let (client, server) = tls::pair();
    let service = Service::new(Default::default()).tls(server.clone());
    for implicit in [false, true] {
        let (shelf, clock) = (Shelf::new(&["x\r\n"]), Clock::new());
        let (left, right) = memory::link(Default::default(), Default::default());
        let security = match implicit {
            true => Security::Implicit(client.clone()),
            false => Security::StartTls(client.clone()),
        };
        let opening = Opening::new(tls::HOST, security).log_in(Credentials::password(USER, PASSWORD));
        let a = async {
            let mut peer = Session::open(opening, left, clock.clone()).await.unwrap();
            assert!(peer.is_secured());
            good(&mut peer, &Command::Dele(crate::messages::number(1))).await;
            good(&mut peer, &Command::Quit).await;
        };
        let b = async {
            let machine = service.machine();
            let session = match implicit {
                true => Session::over_tls(machine, right, clock.clone(), server.begin().unwrap()).await,
                false => Ok(Session::over(machine, right, clock.clone())),
            };
            service.serve(session.unwrap(), &shelf, pending()).await
        };
        let (_, ended) = memory::run(&clock, a, b).unwrap();
        assert!(matches!(ended, Ok(Ended::Committed(1))), "{ended:?}");
        assert_eq!(shelf.left(), "");
    }
}
