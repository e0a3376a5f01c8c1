//! Vectors that are told in words. Each test names its own.

use bytes::Buf;
use mail_imap_proto::client::{self, Client, TlsGrant};
use mail_imap_proto::response::FetchItem;
use mail_imap_proto::server::{self, Event, Server};
use mail_imap_proto::types::{BodyStructure, Condition, ResponseText, Status};
use mail_imap_proto::{Allow, Command, Limits, Violation};
use mail_testkit::hear;
use mail_wire::{Closing, Framed, Handover, Input, Machine, Misuse, Output, Owned};
use std::time::Duration;

fn send(client: &mut Client, line: &[u8], output: &mut Output) -> Result<(), Misuse> {
    let (_, command) = Command::parse(line, &Limits::default(), true).expect("a command of the test");
    client.send(&command, output).map(|_| ())
}

/// Feeds octets of the server and gives the last token that came.
fn told(client: &mut Client, input: &mut Input, output: &mut Output, octets: &[u8]) -> Option<TlsGrant> {
    let mut last = None;
    hear(client, input, output, octets, |event| {
        if let client::Event::StartTls(grant) = event {
            last = Some(grant);
        }
    });
    last
}

/// TLS04-13: refused for LOGINDISABLED, and without TLS in any case. LOGIN is sent where neither stands in its way.
#[test]
fn a_login_that_is_forbidden_writes_nothing() {
    let before_tls = Misuse::Forbidden("a password before TLS");
    let disabled = Misuse::Forbidden("the server disables LOGIN");
    for (greeting, allow, expected) in [
        (&b"* OK [CAPABILITY IMAP4rev1] hi\r\n"[..], Allow::Refuse, Err(before_tls)),
        (b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", Allow::Refuse, Err(disabled)),
        (b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", Allow::Allow, Err(disabled)),
        (b"* OK [CAPABILITY IMAP4rev1] hi\r\n", Allow::Allow, Ok(())),
    ] {
        let mut config = client::Config::default();
        assert_eq!(config.policy.plaintext_auth, Allow::Refuse, "the default");
        config.policy.plaintext_auth = allow;
        let (mut client, mut input, mut output) = (Client::new(config), Input::new(), Output::new());
        told(&mut client, &mut input, &mut output, greeting);
        assert_eq!(send(&mut client, b"a LOGIN user pencil\r\n", &mut output), expected);
        assert_eq!((output.is_empty(), client.in_flight() == 0), (expected.is_err(), expected.is_err()));
    }
}

/// TLS05-02. That CAPABILITY then goes out first is the opening's to do; `mail-session` tests it under the same name.
#[test]
fn a_client_forgets_the_capabilities_of_before_tls() {
    for go_ahead in [&b"A1 OK go\r\n"[..], b"A1 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN LITERAL+] go\r\n"] {
        let (mut client, mut input, mut output) =
            (Client::new(client::Config::default()), Input::new(), Output::new());
        let greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN LITERAL+] hi\r\n";
        told(&mut client, &mut input, &mut output, greeting);
        assert!(client.capabilities().is_some_and(|known| known.has("LITERAL+")));
        send(&mut client, b"a STARTTLS\r\n", &mut output).unwrap();
        let grant = told(&mut client, &mut input, &mut output, go_ahead).unwrap();
        let mut client = client.start_tls(grant, input, &mut output).unwrap().secured();
        assert!(client.capabilities().is_none(), "{}", go_ahead.escape_ascii());
        // LITERAL+ is forgotten as well: the literal waits to be let through.
        output.advance(output.remaining());
        send(&mut client, b"b LOGIN {2}\r\n\xc3\xa9 pencil\r\n", &mut output).unwrap();
        assert_eq!(output.copy_to_bytes(output.remaining()), &b"A2 LOGIN {2}\r\n"[..]);
    }
}

/// Runs `task` on a small stack: a frame for each level of the body below would overrun it.
fn on_a_small_stack(task: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(128 * 1024).spawn(task).unwrap().join().unwrap();
}

/// NEST01-17, of a BODYSTRUCTURE far deeper than the usual limit.
#[test]
fn a_deep_body_is_cloned_shown_and_dropped_without_recursion() {
    const DEPTH: usize = 3_000;
    on_a_small_stack(|| {
        let mut config = client::Config::default();
        config.limits.body_depth = DEPTH;
        let (client, mut input, mut output) = (Client::new(config), Input::new(), Output::new());
        let mut client = Handover::implicit(client).secured();
        let leaf = "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)";
        told(&mut client, &mut input, &mut output, b"* PREAUTH hi\r\n");
        send(&mut client, b"a SELECT x\r\n", &mut output).unwrap();
        let line = format!(
            "* 1 FETCH (BODYSTRUCTURE {}{leaf}{})\r\n",
            "(".repeat(DEPTH),
            " \"mixed\")".repeat(DEPTH)
        );
        let (mut rest, mut bodies) = (line.as_bytes(), 0);
        while !rest.is_empty() {
            rest = &rest[input.feed(rest)..];
            while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
                let client::Event::Fetch(part) = client.decode(unit, &mut input).unwrap() else { continue };
                for item in part.items() {
                    let FetchItem::BodyStructure(body) = item else { panic!("{item:?}") };
                    let owned = Owned::<BodyStructure<'static>>::new(body);
                    let copy = owned.clone();
                    drop(owned);
                    assert_eq!(copy.get().nodes().map(|node| node.depth()).max(), Some(DEPTH));
                    assert_eq!(format!("{:?}", copy.get()), format!("{body:?}"));
                    bodies += 1;
                }
            }
        }
        assert_eq!(bodies, 1);
    });
}

/// NEST01-17, of the deepest search that the usual limit lets through; one more is refused.
#[test]
fn a_deep_search_is_cloned_compared_shown_and_dropped_without_recursion() {
    let depth = Limits::default().search_depth;
    let line = |depth: usize| format!("a SEARCH {}SEEN\r\n", "NOT ".repeat(depth));
    assert!(Command::parse(line(depth + 1).as_bytes(), &Limits::default(), true).is_err());
    on_a_small_stack(move || {
        let line = line(depth);
        let (_, command) = Command::parse(line.as_bytes(), &Limits::default(), true).unwrap();
        let Command::Search { keys: search, .. } = command else { panic!("{command:?}") };
        assert_eq!(search.iter().count(), depth + 1);
        let shown = format!("{search:?}");
        let owned = command.into_owned();
        let copy = owned.clone();
        drop(owned);
        let Command::Search { keys: copy, .. } = copy.get() else { panic!() };
        assert!(copy == search && format!("{copy:?}") == shown);
    });
}

/// A server that has greeted, and what it has said.
fn greeted(condition: Condition) -> (Server, Input, Output) {
    let mut server = Handover::implicit(Server::new(server::Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) else { panic!() };
    let Event::Connected(answer) = server.decode(unit, &mut input).unwrap() else { panic!() };
    server.answer(answer, &status(condition), &mut output).unwrap();
    output.advance(output.remaining());
    (server, input, output)
}

fn status(condition: Condition) -> Status<'static> {
    Status::new(condition, ResponseText::new(b"x").unwrap())
}

/// What the driver does when the patience has run out.
fn expire(mut server: Server, mut input: Input, mut output: Output) -> String {
    server.close(Closing::Expired, &mut output);
    assert_eq!(server.frame(&mut input, &mut output).unwrap_err(), Violation::Expired);
    String::from_utf8(output.copy_to_bytes(output.remaining()).to_vec()).unwrap()
}

/// TIME-03. Octets that are no log-in change nothing; after the log-in, the wait is the one between commands.
#[test]
fn a_server_waits_three_minutes_for_the_log_in() {
    let (mut server, mut input, mut output) = greeted(Condition::Ok);
    assert_eq!(server.patience(), Duration::from_secs(3 * 60));
    input.feed(b"a NOOP\r\n");
    let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) else { panic!() };
    let Event::Command(_, answer) = server.decode(unit, &mut input).unwrap() else { panic!() };
    server.answer(answer, &status(Condition::Ok), &mut output).unwrap();
    assert_eq!(server.patience(), Duration::from_secs(3 * 60));
    let said = expire(server, input, output);
    assert!(said.lines().last().unwrap().starts_with("* BYE "), "{said}");
    assert_eq!(greeted(Condition::PreAuth).0.patience(), Duration::from_secs(30 * 60));
}

/// TIME-04: IDLE is silence like any other. The server can speak meanwhile, to keep the link alive.
#[test]
fn idle_counts_as_inactivity_and_the_server_may_speak() {
    let (mut server, mut input, mut output) = greeted(Condition::PreAuth);
    input.feed(b"a IDLE\r\n");
    let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) else { panic!() };
    let Event::Command(Command::Idle, answer) = server.decode(unit, &mut input).unwrap() else { panic!() };
    let turn = server.idle(answer, &mut output).unwrap();
    assert!(matches!(server.frame(&mut input, &mut output), Ok(Framed::NeedInput)));
    assert_eq!(server.patience(), Duration::from_secs(30 * 60));
    output.advance(output.remaining());
    server.untagged(&turn, &mut output).unwrap().status(&status(Condition::Ok)).unwrap();
    assert_eq!(output.copy_to_bytes(output.remaining()), &b"* OK x\r\n"[..]);
    assert_eq!(server.patience(), Duration::from_secs(30 * 60), "what the server says does not move it");
    let said = expire(server, input, output);
    assert!(said.starts_with("* BYE "), "{said}");
}
