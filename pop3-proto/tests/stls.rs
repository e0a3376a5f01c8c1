//! STLS in both roles: octets in the clear behind it end the connection and are told to nobody, and what was known before TLS is gone
//! (RFC 2595 §4 and §9, RFC 5034 §4 and §6).

use bytes::Buf;
use mail_pop3_proto::client::{self, Client, TlsGrant};
use mail_pop3_proto::server::{self, Event, Maildrop, Offer, Refusal, Refused, Server, Stamp, TlsOffer};
use mail_pop3_proto::types::ReplyText;
use mail_pop3_proto::{Allow, Command, Reply, Tls, Verb, Violation};
use mail_wire::{
    Closing, Framed, Handover, HandoverError, Input, Machine, Misuse, Output, Pause, PlaintextLeft,
};

const STAMP: &str = "<1896.697170952@dbc.mtview.ca.us>";
const APOP: &[u8] = b"APOP mrose c4c9334bac560ecc979e58001b3e22fb";

/// What an attacker puts behind STLS: a whole line, a part of one, one octet.
const BEHIND: [&[u8]; 5] = [b"+OK\r\nUSER\r\n.\r\n", b"NOOP\r\n", b"USER mal", b"\n", b"\0"];

/// How the surplus arrives.
#[derive(Clone, Copy, Debug)]
enum Arrives {
    /// In the read that ends STLS.
    Together,
    /// Octet by octet, all of it before the application acts.
    Dripped,
    /// Once the application has been told of STLS.
    Later,
}

const ARRIVALS: [Arrives; 3] = [Arrives::Together, Arrives::Dripped, Arrives::Later];

fn ok() -> Reply<'static> {
    Reply::ok(ReplyText::EMPTY)
}

fn written(output: &mut Output) -> String {
    String::from_utf8(output.copy_to_bytes(output.remaining()).to_vec()).unwrap()
}

// ---- the client

/// All events until more is needed, in words.
fn hear(client: &mut Client, octets: &[u8]) -> Vec<String> {
    let (mut input, mut output, mut told) = (Input::new(), Output::new(), Vec::new());
    input.feed(octets);
    while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
        told.push(format!("{:?}", client.decode(unit, &mut input).unwrap()));
    }
    told
}

fn send(client: &mut Client, line: &[u8]) -> Result<(), Misuse> {
    client.send(&Command::parse(line).unwrap(), &mut Output::new()).map(|_| ())
}

/// A client that has heard a greeting with a stamp, and what the server can do.
fn informed() -> Client {
    let mut config = client::Config::default();
    config.policy.apop = Allow::Allow;
    config.policy.plaintext_auth = Allow::Allow;
    let mut client = Client::new(config);
    hear(&mut client, format!("+OK ready {STAMP}\r\n").as_bytes());
    send(&mut client, b"CAPA").unwrap();
    hear(&mut client, b"+OK\r\nUSER\r\nSTLS\r\nPIPELINING\r\nRESP-CODES\r\n.\r\n");
    assert!(client.stamp().is_some() && client.capabilities().len() == 4);
    client
}

/// Sends STLS and hears the go-ahead, with octets behind it.
fn granted(mut client: Client, behind: &[u8], arrives: Arrives) -> (Client, Input, TlsGrant) {
    send(&mut client, b"STLS").unwrap();
    let (mut input, mut output) = (Input::new(), Output::new());
    let answer = [&b"+OK begin\r\n"[..], behind].concat();
    let now = if let Arrives::Later = arrives { &answer[..11] } else { &answer };
    let mut grant = None;
    for piece in now.chunks(if let Arrives::Dripped = arrives { 1 } else { now.len() }) {
        input.feed(piece);
        while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
            let client::Event::StartTls(token) = client.decode(unit, &mut input).unwrap() else { panic!() };
            assert!(grant.replace(token).is_none());
        }
    }
    input.feed(&answer[now.len()..]);
    // However often it is asked, no octet behind the upgrade is looked at.
    for _ in 0..3 {
        let framed = client.frame(&mut input, &mut output).unwrap();
        assert!(matches!(framed, Framed::Paused(Pause::Upgrade)), "{framed:?}");
    }
    assert!(output.is_empty());
    (client, input, grant.unwrap())
}

fn secured(client: Client) -> Client {
    let (client, input, grant) = granted(client, b"", Arrives::Together);
    client.start_tls(grant, input, &mut Output::new()).unwrap().secured()
}

#[test]
fn a_client_takes_no_plaintext_behind_the_go_ahead() {
    for (behind, arrives) in BEHIND.into_iter().flat_map(|behind| ARRIVALS.map(|arrives| (behind, arrives))) {
        let (client, input, grant) = granted(informed(), behind, arrives);
        let mut output = Output::new();
        let over = client.start_tls(grant, input, &mut output).map(|_| ()).unwrap_err();
        let left = HandoverError::PlaintextLeft(PlaintextLeft { octets: behind.len() });
        assert_eq!((over, output.len()), (left, 0), "{behind:?} {arrives:?}");
    }
    let (client, input, grant) = granted(informed(), b"", Arrives::Together);
    assert!(client.start_tls(grant, input, &mut Output::new()).is_ok());
}

/// The go-ahead is the answer to STLS: one that was there before it cannot be.
#[test]
fn a_client_takes_no_go_ahead_from_before_stls() {
    let (mut client, mut input, mut output) = (informed(), Input::new(), Output::new());
    send(&mut client, b"NOOP").unwrap_err();
    send(&mut client, b"CAPA").unwrap();
    input.feed(b"-ERR\r\n+OK begin\r\n");
    let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() else { panic!() };
    drop(client.decode(unit, &mut input).unwrap());
    client.send(&Command::Stls, &mut output).unwrap();
    // No hand-over is ever due.
    for _ in 0..2 {
        assert_eq!(client.frame(&mut input, &mut output).map(|_| ()), Err(Violation::Unsolicited));
    }
}

#[test]
fn a_client_forgets_the_capabilities() {
    let plain = informed();
    assert!(!plain.is_secure());
    let mut client = secured(plain);
    assert!(client.is_secure() && client.capabilities().is_empty());
    // No code is read and no command pipelined that was announced in the clear (RFC 2449 §6.4 and §6.6).
    send(&mut client, b"USER u").unwrap();
    assert_eq!(send(&mut client, b"PASS p"), Err(Misuse::MustWait));
    let told = hear(&mut client, b"-ERR [IN-USE] no\r\n");
    assert!(told.len() == 1 && told[0].contains("code: None"), "{told:?}");
}

#[test]
fn a_client_forgets_the_stamp() {
    let mut client = secured(informed());
    assert!(client.stamp().is_none());
    assert_eq!(send(&mut client, APOP), Err(Misuse::NotOffered("APOP")));
    assert_eq!(send(&mut informed(), APOP), Ok(()));
}

#[test]
fn a_client_forgets_the_name_of_user() {
    let mut plain = informed();
    send(&mut plain, b"USER u").unwrap();
    assert_eq!(hear(&mut plain, b"+OK\r\n").len(), 1);
    let mut client = secured(plain);
    assert_eq!(send(&mut client, b"PASS p"), Err(Misuse::NotInState));
    send(&mut client, b"USER u").unwrap();
    hear(&mut client, b"+OK\r\n");
    assert_eq!(send(&mut client, b"PASS p"), Ok(()));
}

#[test]
fn a_client_awaits_no_second_greeting() {
    let mut client = secured(informed());
    let (mut input, mut output) = (Input::new(), Output::new());
    assert!(matches!(client.frame(&mut input, &mut output), Ok(Framed::NeedInput)));
    input.feed(format!("+OK ready {STAMP}\r\n").as_bytes());
    assert_eq!(client.frame(&mut input, &mut output).map(|_| ()), Err(Violation::Unsolicited));
}

#[test]
fn a_client_under_tls_gives_no_stls() {
    let mut client = secured(informed());
    assert_eq!(send(&mut client, b"STLS"), Err(Misuse::NotInState));
    // Nor does one behind UTF8, whatever the answer to that was (RFC 6856 §2.1).
    for answer in [&b"+OK\r\n"[..], b"-ERR\r\n"] {
        let mut client = informed();
        send(&mut client, b"UTF8").unwrap();
        hear(&mut client, answer);
        send(&mut client, b"CAPA").unwrap();
        hear(&mut client, b"-ERR\r\n");
        assert_eq!(send(&mut client, b"STLS"), Err(Misuse::NotInState));
    }
}

/// Where the policy has no TLS, STLS alone is ruled out.
#[test]
fn a_client_without_tls_gives_no_stls() {
    let mut config = client::Config::default();
    config.policy.tls = Tls::Off;
    let mut client = Client::new(config);
    hear(&mut client, b"+OK\r\n");
    assert_eq!(send(&mut client, b"STLS"), Err(Misuse::Forbidden("TLS is off")));
    assert_eq!(send(&mut client, b"CAPA"), Ok(()));
}

#[test]
fn the_grant_of_another_client_is_not_owed() {
    let (one, input, _) = granted(informed(), b"", Arrives::Together);
    let (_, _, other) = granted(informed(), b"", Arrives::Together);
    let over = one.start_tls(other, input, &mut Output::new()).map(|_| ()).unwrap_err();
    assert_eq!(over, HandoverError::NotOwed);
}

/// Nothing is handed over once the session has ended, whatever it was that ended it.
#[test]
fn a_grant_is_worth_nothing_behind_the_end() {
    for why in [Closing::Shutdown, Closing::Expired] {
        let (mut client, input, grant) = granted(informed(), b"", Arrives::Together);
        client.close(why, &mut Output::new());
        let over = client.start_tls(grant, input, &mut Output::new()).map(|_| ()).unwrap_err();
        assert_eq!(over, HandoverError::NotOwed, "{why:?}");
    }
}

// ---- the server

fn server() -> Server {
    let mut offer = Offer::default();
    for line in ["SASL PLAIN EXTERNAL", "UTF8"] {
        offer.capabilities.add(line.as_bytes()).unwrap();
    }
    let mut config = server::Config { offer: offer.into(), ..server::Config::default() };
    config.policy.apop = Allow::Allow;
    config.policy.plaintext_auth = Allow::Allow;
    config.stamp = Some(Stamp::try_from(STAMP).unwrap());
    Server::new(config)
}

/// Answers positively what can be; gives what was refused, and the token of STLS.
fn serve(
    server: &mut Server,
    input: &mut Input,
    output: &mut Output,
) -> (Vec<String>, Vec<Refused>, Option<TlsOffer>) {
    let (mut told, mut refusals, mut offer) = (Vec::new(), Vec::new(), None);
    while let Framed::Ready(unit) = server.frame(input, output).unwrap() {
        let event = server.decode(unit, input).unwrap();
        told.push(format!("{event:?}"));
        match event {
            Event::Connected(answer) => server.answer(answer, &ok(), output).unwrap(),
            Event::Command(Command::Pass(_) | Command::Apop { .. }, answer) => {
                server.accept(answer, Maildrop::new(), &ok(), output).unwrap();
            }
            Event::Command(_, answer) => server.answer(answer, &ok(), output).unwrap(),
            Event::Malformed(_, answer) => server.refuse(answer, output).unwrap(),
            Event::StartTls(token) => assert!(offer.replace(token).is_none()),
            Event::Refused(refused) => refusals.push(refused),
            Event::Answered(_) => {}
            event => panic!("{event:?}"),
        }
    }
    (told, refusals, offer)
}

/// Hears some lines in the clear, then STLS with octets behind it.
fn offered(before: &str, behind: &[u8], arrives: Arrives) -> (Server, Input, Output, TlsOffer) {
    let (mut server, mut input, mut output) = (server(), Input::new(), Output::new());
    input.feed(before.as_bytes());
    serve(&mut server, &mut input, &mut output);
    output.advance(output.remaining());
    let octets = [&b"STLS\r\n"[..], behind].concat();
    let now = if let Arrives::Later = arrives { &octets[..6] } else { &octets };
    let mut offer = None;
    for piece in now.chunks(if let Arrives::Dripped = arrives { 1 } else { now.len() }) {
        input.feed(piece);
        let (told, _, token) = serve(&mut server, &mut input, &mut output);
        assert!(told.is_empty() || token.is_some(), "{told:?}");
        offer = offer.or(token);
    }
    input.feed(&octets[now.len()..]);
    for _ in 0..3 {
        let framed = server.frame(&mut input, &mut output).unwrap();
        assert!(matches!(framed, Framed::Paused(Pause::Upgrade)), "{framed:?}");
    }
    assert!(output.is_empty());
    (server, input, output, offer.unwrap())
}

/// A server under TLS that has heard some lines before it; what it says to some more.
fn under_tls(before: &str, behind: &str) -> (Server, Vec<Refused>, String) {
    let (server, input, mut output, offer) = offered(before, b"", Arrives::Together);
    let mut server = server.start_tls(offer, input, &mut output).unwrap().secured();
    assert_eq!(written(&mut output), "+OK begin TLS\r\n");
    let mut input = Input::new();
    input.feed(behind.as_bytes());
    let (_, refused, _) = serve(&mut server, &mut input, &mut output);
    (server, refused, written(&mut output))
}

#[test]
fn a_server_takes_no_plaintext_behind_stls() {
    for (behind, arrives) in BEHIND.into_iter().flat_map(|behind| ARRIVALS.map(|arrives| (behind, arrives))) {
        let (server, input, mut output, offer) = offered("", behind, arrives);
        let over = server.start_tls(offer, input, &mut output).map(|_| ()).unwrap_err();
        let left = HandoverError::PlaintextLeft(PlaintextLeft { octets: behind.len() });
        assert_eq!(over, left, "{behind:?} {arrives:?}");
        // No go-ahead: the client does not begin a handshake that nobody answers.
        assert_eq!(written(&mut output), "-ERR octets behind STLS\r\n");
    }
}

#[test]
fn a_server_forgets_the_name_of_user() {
    let (server, refused, said) = under_tls("USER bob\r\n", "PASS secret\r\n");
    assert_eq!(server.user(), None);
    assert_eq!(refused, [Refused { verb: Some(Verb::Pass), why: Refusal::UserFirst }]);
    assert_eq!(said, "-ERR USER first\r\n");
}

#[test]
fn a_server_forgets_the_stamp() {
    let apop = String::from_utf8([APOP, b"\r\n"].concat()).unwrap();
    let (server, refused, _) = under_tls("", &apop);
    assert_eq!(server.stamp(), None);
    assert_eq!(refused, [Refused { verb: Some(Verb::Apop), why: Refusal::NotOffered }]);
    // One that has yet to greet keeps it: with TLS from the start the greeting is under TLS.
    let (mut implicit, mut input, mut output) =
        (Handover::implicit(self::server()).secured(), Input::new(), Output::new());
    input.feed(apop.as_bytes());
    let (_, refused, _) = serve(&mut implicit, &mut input, &mut output);
    assert_eq!((refused, written(&mut output)), (vec![], format!("+OK {STAMP}\r\n+OK\r\n")));
}

#[test]
fn a_server_tells_its_capabilities_anew() {
    let (server, refused, said) = under_tls("CAPA\r\n", "CAPA\r\nSTLS\r\n");
    assert!(server.is_secure());
    assert!(!said.contains("STLS\r\n") && said.contains("SASL PLAIN EXTERNAL\r\n"), "{said}");
    assert_eq!(refused, [Refused { verb: Some(Verb::Stls), why: Refusal::State }]);
}

/// Who sees STLS may give it, and who may give it sees it (RFC 2595 §4, RFC 6856 §2.1).
#[test]
fn a_server_names_stls_where_it_takes_it() {
    for (lines, named) in
        [("CAPA\r\n", true), ("UTF8\r\nCAPA\r\n", false), ("USER u\r\nPASS p\r\nCAPA\r\n", false)]
    {
        let (mut server, mut input, mut output) = (server(), Input::new(), Output::new());
        input.feed(lines.as_bytes());
        serve(&mut server, &mut input, &mut output);
        let said = written(&mut output);
        assert!(said.ends_with(".\r\n"), "{said}");
        assert_eq!(said.contains("\r\nSTLS\r\n"), named, "{said}");
    }
}

#[test]
fn a_server_gives_no_second_greeting() {
    let (_, refused, said) = under_tls("", "QUIT\r\n");
    assert_eq!((refused, said.as_str()), (vec![], "+OK bye\r\n"));
}

#[test]
fn a_refused_offer_leaves_what_is_pipelined_a_command() {
    let (mut server, mut input, mut output, offer) = offered("", b"NOOP\r\nQUIT\r\n", Arrives::Together);
    server.refuse_tls(offer, &mut output).unwrap();
    let (_, refused, _) = serve(&mut server, &mut input, &mut output);
    assert_eq!(refused, [Refused { verb: Some(Verb::Noop), why: Refusal::State }]);
    assert_eq!(written(&mut output), "-ERR TLS not available\r\n-ERR not in this state\r\n+OK bye\r\n");
}

#[test]
fn the_offer_of_another_server_is_not_owed() {
    let (one, input, mut output, _) = offered("", b"", Arrives::Together);
    let (_, _, _, other) = offered("", b"", Arrives::Together);
    let over = one.start_tls(other, input, &mut output).map(|_| ()).unwrap_err();
    assert_eq!((over, output.len()), (HandoverError::NotOwed, 0));
}

#[test]
fn an_offer_is_worth_nothing_behind_the_end() {
    for (why, end) in [(Closing::Shutdown, Ok(())), (Closing::Expired, Err(Violation::Expired))] {
        let (mut server, mut input, mut output, mut offer) = offered("", b"", Arrives::Together);
        server.close(why, &mut output);
        if why == Closing::Expired {
            // A deadline ends it before anybody looks.
            let refused = server.refuse_tls(offer, &mut output).unwrap_err();
            assert_eq!(refused.why, Misuse::Over);
            offer = refused.token;
        }
        let framed = server.frame(&mut input, &mut output);
        assert_eq!(framed.map(|framed| assert!(matches!(framed, Framed::Closed))), end);
        let refused = server.refuse_tls(offer, &mut output).unwrap_err();
        assert_eq!(refused.why, Misuse::Over);
        let over = server.start_tls(refused.token, input, &mut output).map(|_| ()).unwrap_err();
        assert_eq!((over, output.len()), (HandoverError::NotOwed, 0), "{why:?}");
    }
}
