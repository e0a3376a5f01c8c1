//! What was said before TLS is gone behind it: for clients and servers of all three protocols (RFC 3207 §4.2, RFC 9051 §6.2.1, RFC 2595 §4).
//!
//! The peer of each test is a script over rustls itself, which says one thing before TLS and another behind it.

use crate::flows::{imap_opening, pop3_opening, smtp_opening};
use crate::toy::tls;
use mail_session::blocking::{Session, Socket};
use mail_session::flow::{Failure, FlowError};
use mail_session::memory::{self, BlockingEnd, Plan};
use mail_session::open::{Opening, Security};
use mail_session::proto::{imap, pop3, smtp};
use mail_session::tls::ServerName;
use mail_session::tls::rustls::{ClientConnection, ServerConnection, StreamOwned};
use mail_session::wire::Machine;
use std::io::{Read, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

fn ends() -> (BlockingEnd, BlockingEnd) {
    let (left, right) = memory::link(Plan::default(), Plan::default());
    (left.blocking(), right.blocking())
}

/// The next line of the other side, without its end. Empty where there is none.
fn hear(link: &mut impl Read) -> String {
    let (mut line, mut octet) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") && link.read(&mut octet).is_ok_and(|n| n == 1) {
        line.push(octet[0]);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

fn say(link: &mut impl Write, text: &str) {
    link.write_all(text.as_bytes()).unwrap();
    link.flush().unwrap();
}

/// How a line of a client begins, and what is said to it; `$` stands for its tag.
type Line = (&'static str, &'static str);

fn recite(link: &mut (impl Read + Write), lines: &[Line]) {
    for (expected, answer) in lines {
        let mut tag = String::new();
        if !expected.is_empty() {
            let mut line = hear(link);
            if answer.contains('$') {
                let (first, rest) = line.split_once(' ').unwrap();
                (tag, line) = (first.to_owned(), rest.to_owned());
            }
            assert!(line.starts_with(expected), "{line:?} in place of {expected:?}");
        }
        say(link, &answer.replace('$', &tag));
    }
}

/// A server that says these things before TLS, the last of them the go-ahead, and those behind it.
fn server(mut end: BlockingEnd, before: &'static [Line], behind: &'static [Line]) -> JoinHandle<()> {
    thread::spawn(move || {
        recite(&mut end, before);
        let mut link = StreamOwned::new(ServerConnection::new(tls::configs().1).unwrap(), end);
        recite(&mut link, behind);
        // Until the client has gone.
        assert_eq!(hear(&mut link), "");
    })
}

const SMTP_BEFORE: &[Line] = &[
    ("", "220 mail.example.org\r\n"),
    ("EHLO", "250-mail.example.org\r\n250-STARTTLS\r\n250-SIZE 1000\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n"),
    ("STARTTLS", "220 go ahead\r\n"),
];

#[test]
fn an_smtp_client_forgets_what_was_offered_before_tls() {
    use smtp::Command;
    use smtp::client::{Client, Config, Event};
    use smtp::ext::Extension::{Chunking, EightBitMime, Size, StartTls};
    let (left, right) = ends();
    let behind = &[("EHLO", "250-mail.example.org\r\n250-8BITMIME\r\n250 AUTH SCRAM-SHA-256\r\n")];
    let server = server(right, SMTP_BEFORE, behind);
    let mechanisms = |client: &Client| -> Vec<String> {
        let hello = client.hello();
        hello.iter().flat_map(|hello| hello.mechanisms()).map(|name| name.as_str().to_owned()).collect()
    };
    let ehlo = Command::parse(b"EHLO client.example.org").unwrap();
    let mut session = Session::over(Client::new(Config::default()), left).unwrap();
    assert!(matches!(session.next(), Ok(Some((Event::Greeting(_), _)))));
    session.turn().send(&ehlo).unwrap();
    assert!(matches!(session.next(), Ok(Some((Event::Reply(..), _)))));
    let client = session.turn().machine;
    assert!(client.offers(Size) && client.offers(Chunking) && client.offers(StartTls));
    assert_eq!(mechanisms(client), ["PLAIN"]);
    session.turn().send(&Command::StartTls).unwrap();
    let Ok(Some((Event::StartTls(grant), _))) = session.next() else { panic!() };
    session = session.start_tls(grant, tls::pair().0.to(tls::HOST).unwrap()).unwrap();
    let client = session.turn().machine;
    assert!(client.hello().is_none());
    assert!(![Size, Chunking, StartTls, EightBitMime].into_iter().any(|extension| client.offers(extension)));
    session.turn().send(&ehlo).unwrap();
    assert!(matches!(session.next(), Ok(Some((Event::Reply(..), _)))));
    let client = session.turn().machine;
    assert!(client.offers(EightBitMime));
    assert!(![Size, Chunking, StartTls].into_iter().any(|extension| client.offers(extension)));
    assert_eq!(mechanisms(client), ["SCRAM-SHA-256"]);
    drop(session);
    server.join().unwrap();
}

const IMAP_BEFORE: &[Line] = &[
    ("", "* OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN] ready\r\n"),
    ("STARTTLS", "$ OK go ahead\r\n"),
];

#[test]
fn an_imap_client_forgets_the_capabilities_of_the_greeting_at_tls() {
    use imap::Command;
    use imap::client::{Client, Config, Event};
    let (left, right) = ends();
    let behind =
        &[("CAPABILITY", "* CAPABILITY IMAP4rev1 UIDPLUS AUTH=SCRAM-SHA-256\r\n$ OK that is all\r\n")];
    let server = server(right, IMAP_BEFORE, behind);
    let has = |client: &Client, name| client.capabilities().is_some_and(|known| known.has(name));
    let mut session = Session::over(Client::new(Config::default()), left).unwrap();
    assert!(matches!(session.next(), Ok(Some((Event::Greeting(_), _)))));
    assert!(has(session.turn().machine, "SASL-IR") && has(session.turn().machine, "AUTH=PLAIN"));
    session.turn().send(&Command::StartTls).unwrap();
    let Ok(Some((Event::StartTls(grant), _))) = session.next() else { panic!() };
    session = session.start_tls(grant, tls::pair().0.to(tls::HOST).unwrap()).unwrap();
    assert!(session.turn().machine.capabilities().is_none());
    session.turn().send(&Command::Capability).unwrap();
    while !matches!(session.next().unwrap(), Some((Event::Completed(..), _))) {}
    let client = session.turn().machine;
    assert!(has(client, "UIDPLUS") && has(client, "AUTH=SCRAM-SHA-256"));
    assert!(!["SASL-IR", "STARTTLS", "AUTH=PLAIN"].into_iter().any(|name| has(client, name)));
    drop(session);
    server.join().unwrap();
}

const POP3_BEFORE: &[Line] = &[
    ("", "+OK ready\r\n"),
    ("CAPA", "+OK\r\nSTLS\r\nUSER\r\nUIDL\r\nSASL PLAIN\r\n.\r\n"),
    ("STLS", "+OK go ahead\r\n"),
];

#[test]
fn a_pop3_client_forgets_the_capabilities_of_before_tls() {
    use pop3::Command;
    use pop3::client::{Client, Config, Event};
    let (left, right) = ends();
    let server = server(right, POP3_BEFORE, &[("CAPA", "+OK\r\nTOP\r\nSASL SCRAM-SHA-256\r\n.\r\n")]);
    let mut session = Session::over(Client::new(Config::default()), left).unwrap();
    assert!(matches!(session.next(), Ok(Some((Event::Greeting(..), _)))));
    session.turn().send(&Command::Capa).unwrap();
    while !matches!(session.next().unwrap(), Some((Event::End(_), _))) {}
    let known = session.turn().machine.capabilities();
    assert!(known.has("STLS") && known.has("UIDL") && known.has("USER"));
    session.turn().send(&Command::Stls).unwrap();
    let Ok(Some((Event::StartTls(grant), _))) = session.next() else { panic!() };
    session = session.start_tls(grant, tls::pair().0.to(tls::HOST).unwrap()).unwrap();
    assert!(session.turn().machine.capabilities().is_empty());
    session.turn().send(&Command::Capa).unwrap();
    while !matches!(session.next().unwrap(), Some((Event::End(_), _))) {}
    let known = session.turn().machine.capabilities();
    assert!(known.has("TOP") && !["STLS", "UIDL", "USER"].into_iter().any(|name| known.has(name)));
    let mechanisms: Vec<_> = known.mechanisms().iter().map(|mechanism| mechanism.name().to_owned()).collect();
    assert_eq!(mechanisms, ["SCRAM-SHA-256"]);
    drop(session);
    server.join().unwrap();
}

/// PLAIN stood in the offer before TLS alone: whoever was on the line may have put it there.
#[test]
fn a_log_in_takes_no_mechanism_that_was_offered_before_tls_alone() {
    fn refused<O: Opening>(opening: O, before: &'static [Line], behind: &'static [Line]) {
        let (left, right) = ends();
        let server = server(right, before, behind);
        let failure = Session::open(opening, left).err().unwrap();
        assert!(matches!(failure, FlowError::Flow(Failure::LogIn(_))), "{failure:?}");
        server.join().unwrap();
    }
    let security = || Security::StartTls(tls::pair().0);
    let smtp = &[
        ("EHLO", "250-mail.example.org\r\n250 AUTH SCRAM-SHA-256\r\n"),
        ("AUTH SCRAM-SHA-256 ", "535 no\r\n"),
    ];
    refused(smtp_opening(security()), SMTP_BEFORE, smtp);
    let imap = &[
        ("CAPABILITY", "* CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256\r\n$ OK that is all\r\n"),
        // Without the initial response: SASL-IR was offered before TLS alone, too.
        ("AUTHENTICATE SCRAM-SHA-256", "$ NO no\r\n"),
    ];
    refused(imap_opening(security()), IMAP_BEFORE, imap);
    let pop3 = &[("CAPA", "+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n"), ("AUTH SCRAM-SHA-256", "-ERR no\r\n")];
    refused(pop3_opening(security()), POP3_BEFORE, pop3);
}

/// Says a line, and hears the answer up to the line that ends it.
fn ask(link: &mut (impl Read + Write), line: &str, last: impl Fn(&str) -> bool) -> Vec<String> {
    if !line.is_empty() {
        say(link, &format!("{line}\r\n"));
    }
    let mut answer = Vec::new();
    while !answer.last().is_some_and(|line: &String| last(line)) {
        answer.push(hear(link));
        assert_ne!(answer.last().unwrap(), "", "the end in the middle of {answer:?}");
    }
    answer
}

/// TLS for a client by hand.
fn secure(end: BlockingEnd) -> StreamOwned<ClientConnection, BlockingEnd> {
    let name = ServerName::try_from(tls::HOST).unwrap();
    StreamOwned::new(ClientConnection::new(tls::configs().0, name).unwrap(), end)
}

/// Runs a server of one of the machines in a thread. `answer` answers an event, or gives the token of the upgrade.
fn serve<M: Machine + Send + 'static>(
    machine: M,
    end: BlockingEnd,
    answer: impl Fn(M::Event<'_>, mail_session::Turn<'_, M>) -> Option<M::Upgrade> + Send + 'static,
) -> JoinHandle<()> {
    fn on<M: Machine, S: Socket>(
        mut session: Session<M, S>,
        answer: impl Fn(M::Event<'_>, mail_session::Turn<'_, M>) -> Option<M::Upgrade>,
    ) {
        loop {
            let token = match session.next() {
                Ok(Some((event, turn))) => answer(event, turn.bare()),
                _ => return,
            };
            if let Some(token) = token {
                session = session.start_tls(token, tls::pair().1.begin().unwrap()).unwrap();
            }
        }
    }
    thread::spawn(move || on(Session::over(machine, end).unwrap(), answer))
}

#[test]
fn an_smtp_server_forgets_the_name_the_mail_and_the_offer_of_before_tls() {
    use smtp::ReplyBuf;
    use smtp::server::{Config, Event, Offer, Server};
    let name = smtp::types::EhloName::new(tls::HOST.as_bytes()).unwrap();
    let mut config = Config::new(name);
    config.offer = Offer::new(name).with_mechanism(smtp::types::Mechanism::new(b"PLAIN").unwrap()).into();
    let (mut left, right) = ends();
    let server = serve(Server::new(config), right, |event, turn| {
        let reply = |code| ReplyBuf::line(code, "fine").unwrap();
        match event {
            Event::Connected(answer) => turn.machine.answer(answer, &reply(220), turn.output).unwrap(),
            Event::Command(_, answer) => turn.machine.answer(answer, &reply(250), turn.output).unwrap(),
            Event::StartTls(offer) => return Some(offer),
            _ => {}
        }
        None
    });
    let last = |line: &str| line.as_bytes().get(3) == Some(&b' ');
    let has = |answer: &[String], keyword: &str| answer.iter().any(|line| line[4..].starts_with(keyword));
    ask(&mut left, "", last);
    let offer = ask(&mut left, "EHLO client.example.org", last);
    assert!(has(&offer, "STARTTLS") && !has(&offer, "AUTH"), "{offer:?}");
    assert_eq!(ask(&mut left, "MAIL FROM:<alice@example.org>", last), ["250 fine"]);
    let go_ahead = ask(&mut left, "STARTTLS", last);
    assert!(go_ahead[0].starts_with("220"));
    let mut link = secure(left);
    // The mail of before has gone: there is none to add a recipient to.
    assert!(ask(&mut link, "RCPT TO:<bob@example.org>", last)[0].starts_with("503"));
    // No name has been given: neither a mail nor a log-in begins.
    assert!(ask(&mut link, "MAIL FROM:<alice@example.org>", last)[0].starts_with("503"));
    assert!(ask(&mut link, "AUTH PLAIN", last)[0].starts_with("503"));
    let offer = ask(&mut link, "EHLO other.example.org", last);
    assert!(!has(&offer, "STARTTLS") && has(&offer, "AUTH PLAIN"), "{offer:?}");
    assert_eq!(ask(&mut link, "MAIL FROM:<alice@example.org>", last), ["250 fine"]);
    assert_eq!(ask(&mut link, "RCPT TO:<bob@example.org>", last), ["250 fine"]);
    drop(link);
    server.join().unwrap();
}

#[test]
fn an_imap_server_offers_anew_behind_tls_and_greets_once() {
    use imap::server::{Config, Event, Offer, Server};
    use imap::types::{Condition, ResponseText, Status};
    let offer = Offer::new("IMAP4rev1 STARTTLS AUTH=PLAIN").unwrap();
    let (mut left, right) = ends();
    let server =
        serve(Server::new(Config { offer: Arc::new(offer), ..Config::default() }), right, |event, turn| {
            let fine = Status::new(Condition::Ok, ResponseText::new(b"fine").unwrap());
            match event {
                Event::Connected(answer) | Event::Command(_, answer) => {
                    turn.machine.answer(answer, &fine, turn.output).unwrap();
                }
                Event::StartTls(offer) => return Some(offer),
                _ => {}
            }
            None
        });
    let has =
        |answer: &[String], name: &str| answer.iter().any(|line| line.split(' ').any(|word| word == name));
    ask(&mut left, "", |line| line.starts_with("* OK"));
    let last = |line: &str| line.starts_with("a ");
    let offer = ask(&mut left, "a CAPABILITY", last);
    assert!(
        has(&offer, "STARTTLS") && has(&offer, "LOGINDISABLED") && !has(&offer, "AUTH=PLAIN"),
        "{offer:?}"
    );
    let refused = ask(&mut left, "a LOGIN alice secret", last);
    assert!(refused[0].starts_with("a NO"), "{refused:?}");
    ask(&mut left, "a STARTTLS", last);
    let mut link = secure(left);
    // The first that is said is the answer: no greeting, no list of before.
    let offer = ask(&mut link, "a CAPABILITY", last);
    assert!(offer[0].starts_with("* CAPABILITY "), "{offer:?}");
    assert!(
        !has(&offer, "STARTTLS") && !has(&offer, "LOGINDISABLED") && has(&offer, "AUTH=PLAIN"),
        "{offer:?}"
    );
    assert!(ask(&mut link, "a SELECT INBOX", last)[0].starts_with("a BAD"), "nobody is logged in");
    let welcome = ask(&mut link, "a LOGIN alice secret", last);
    assert!(welcome[0].starts_with("a OK") && !welcome[0].contains("STARTTLS"), "{welcome:?}");
    drop(link);
    server.join().unwrap();
}

#[test]
fn a_pop3_server_forgets_the_user_and_the_offer_of_before_tls() {
    use pop3::server::{Config, Event, Maildrop, Offer, Server};
    use pop3::types::ReplyText;
    use pop3::{Command, Reply, ext::capa::Capabilities};
    let mut capabilities = Capabilities::new();
    for line in ["USER", "STLS"] {
        capabilities = capabilities.with(line).unwrap();
    }
    let mut config =
        Config { offer: Arc::new(Offer { capabilities, ..Offer::default() }), ..Config::default() };
    // So that USER is taken in clear, and there is something to forget.
    config.policy.plaintext_auth = mail_session::wire::Allow::Allow;
    let (mut left, right) = ends();
    let server = serve(Server::new(config), right, |event, turn| {
        let fine = Reply::ok(ReplyText::EMPTY);
        match event {
            Event::Command(Command::Pass(_), answer) => {
                turn.machine.accept(answer, Maildrop::new(), &fine, turn.output).unwrap();
            }
            Event::Connected(answer) | Event::Command(_, answer) => {
                turn.machine.answer(answer, &fine, turn.output).unwrap();
            }
            Event::StartTls(offer) => return Some(offer),
            _ => {}
        }
        None
    });
    let line = |_: &str| true;
    let end = |line: &str| line == ".";
    ask(&mut left, "", line);
    assert!(ask(&mut left, "CAPA", end).contains(&"STLS".to_owned()));
    assert!(ask(&mut left, "USER alice", line)[0].starts_with("+OK"));
    assert!(ask(&mut left, "STLS", line)[0].starts_with("+OK"));
    let mut link = secure(left);
    let refused = ask(&mut link, "PASS secret", line);
    assert!(refused[0].starts_with("-ERR"), "the user of before TLS is gone: {refused:?}");
    let offer = ask(&mut link, "CAPA", end);
    assert!(!offer.contains(&"STLS".to_owned()) && offer.contains(&"USER".to_owned()), "{offer:?}");
    assert!(ask(&mut link, "USER alice", line)[0].starts_with("+OK"));
    assert!(ask(&mut link, "PASS secret", line)[0].starts_with("+OK"));
    drop(link);
    server.join().unwrap();
}
