//! Both machines against each other: a whole session over octets in memory.

use bytes::{Buf, Bytes};
use mail_pop3_proto::types::{MessageNumber, Password, ReplyText, UniqueId, UserName};
use mail_pop3_proto::{Allow, Command, Data, Item, Reply, client, server};
use mail_wire::{Framed, Handover, Input, Machine, Output};

const MESSAGES: [&[u8]; 3] = [b"Subject: a\r\n\r\n.dot\r\n..\r\nend\r\n", b"", b"Subject: c\r\n\r\n1\r\n2"];

fn text(text: &str) -> ReplyText<'_> {
    ReplyText::try_from(text).unwrap()
}

fn maildrop() -> server::Maildrop {
    let mut drop = server::Maildrop::new();
    for (index, message) in MESSAGES.iter().enumerate() {
        let id = format!("id-{index}");
        drop.push(message.len() as u64, UniqueId::try_from(id.as_str()).unwrap()).unwrap();
    }
    drop
}

/// The server's application: one user, three messages.
fn serve(server: &mut server::Server, input: &mut Input, output: &mut Output, log: &mut Vec<String>) {
    for _ in 0..10_000 {
        let Framed::Ready(unit) = server.frame(input, output).unwrap() else { return };
        match server.decode(unit, input).unwrap() {
            server::Event::Connected(answer) => {
                server.answer(answer, &Reply::ok(text("ready")), output).unwrap();
            }
            server::Event::Command(Command::Pass(password), answer) => {
                assert!(password.matches(b"pass word"));
                server.accept(answer, maildrop(), &Reply::ok(text("in")), output).unwrap();
            }
            server::Event::Command(Command::Retr(n) | Command::Top { message: n, .. }, answer) => {
                let mut grant = server.answer_body(answer, text("follows"), output).unwrap();
                let mut piece = Bytes::from_static(MESSAGES[n.get() as usize - 1]);
                server.body(&mut grant, &mut piece, output).unwrap();
                assert!(piece.is_empty());
                server.end_body(grant, output).unwrap();
            }
            server::Event::Command(_, answer) => server.answer(answer, &Reply::ok(text("")), output).unwrap(),
            server::Event::Malformed(_, answer) => server.refuse(answer, output).unwrap(),
            server::Event::Commit(deletions, answer) => {
                log.push(format!("commit {:?}", deletions.numbers().collect::<Vec<_>>()));
                server.answer(answer, &Reply::ok(text("bye")), output).unwrap();
            }
            event => log.push(format!("{event:?}")),
        }
    }
    panic!("spins");
}

/// What the client hears until it wants more.
fn hear(client: &mut client::Client, input: &mut Input, log: &mut Vec<String>) {
    let mut output = Output::new();
    for _ in 0..10_000 {
        let Framed::Ready(unit) = client.frame(input, &mut output).unwrap() else { return };
        match client.decode(unit, input).unwrap() {
            client::Event::Greeting(line, _) => log.push(format!("greeting {}", line.is_ok())),
            client::Event::Reply(_, line) => match line.data() {
                Data::None => log.push(format!("{:?}", line.status())),
                data => log.push(format!("{data:?}")),
            },
            client::Event::Head(..) => log.push("head".into()),
            client::Event::Items(_, items) => log.extend(items.iter().map(|item| match item.unwrap() {
                Item::Scan { message, octets } => format!("{message}={octets}"),
                Item::UniqueId { message, id } => {
                    format!("{message}={}", String::from_utf8_lossy(id.octets()))
                }
                Item::Capability(capability) => String::from_utf8_lossy(capability.name()).into(),
                item => panic!("{item:?}"),
            })),
            client::Event::Chunk(octets) => {
                let chunk = String::from_utf8_lossy(octets);
                match log.last_mut() {
                    Some(last) if last.starts_with("body ") => last.push_str(&chunk),
                    _ => log.push(format!("body {chunk}")),
                }
            }
            client::Event::End(_) => log.push("end".into()),
            event => panic!("{event:?}"),
        }
    }
    panic!("spins");
}

fn carry(from: &mut Output, to: &mut Input) {
    while from.has_remaining() {
        let n = to.feed(from.chunk());
        from.advance(n);
    }
}

#[test]
fn a_session_from_greeting_to_update() {
    let mut client = Handover::implicit(client::Client::new(client::Config::default())).secured();
    let mut server = Handover::implicit(server::Server::new(server::Config::default())).secured();
    let (mut to_client, mut to_server) = (Input::new(), Input::new());
    let (mut from_client, mut from_server) = (Output::new(), Output::new());
    let (mut heard, mut served) = (Vec::new(), Vec::new());
    let n = |n| MessageNumber::new(n).unwrap();
    let commands: Vec<Command<'_>> = vec![
        Command::Capa,
        Command::User(UserName::try_from("user").unwrap()),
        Command::Pass(Password::try_from("pass word").unwrap()),
        Command::Stat,
        Command::List(None),
        Command::Uidl(Some(n(2))),
        Command::Dele(n(2)),
        Command::Uidl(None),
        Command::Retr(n(1)),
        Command::Retr(n(2)),
        Command::Top { message: n(3), lines: 1 },
        Command::Quit,
    ];
    serve(&mut server, &mut to_server, &mut from_server, &mut served);
    carry(&mut from_server, &mut to_client);
    hear(&mut client, &mut to_client, &mut heard);
    for command in commands {
        client.send(&command, &mut from_client).unwrap();
        carry(&mut from_client, &mut to_server);
        serve(&mut server, &mut to_server, &mut from_server, &mut served);
        carry(&mut from_server, &mut to_client);
        hear(&mut client, &mut to_client, &mut heard);
    }
    let expected = [
        "greeting true",
        "head",
        "TOP",
        "UIDL",
        "USER",
        "PIPELINING",
        "RESP-CODES",
        "AUTH-RESP-CODE",
        "end",
        "Ok",
        "Ok",
        "Stat { messages: 3, octets: Some(47) }",
        "head",
        "1=29",
        "2=0",
        "3=18",
        "end",
        "UniqueId { message: 2, id: UniqueId(id-1) }",
        "Ok",
        "head",
        "1=id-0",
        "3=id-2",
        "end",
        "head",
        "body Subject: a\r\n\r\n.dot\r\n..\r\nend\r\n",
        "end",
        "Err",
        "head",
        "body Subject: c\r\n\r\n1\r\n",
        "end",
        "Ok",
    ];
    assert_eq!(heard, expected);
    assert!(served.iter().any(|line| line == "commit [2]"), "{served:?}");
    assert!(matches!(client.frame(&mut to_client, &mut from_client), Ok(Framed::Closed)));
    assert!(matches!(server.frame(&mut to_server, &mut from_server), Ok(Framed::Closed)));
}

#[test]
fn stls_is_handed_over_and_nothing_is_remembered() {
    let config = server::Config::default();
    assert_eq!(config.policy.plaintext_auth, Allow::Refuse);
    let mut client = client::Client::new(client::Config::default());
    let mut server = server::Server::new(config);
    let (mut to_client, mut to_server) = (Input::new(), Input::new());
    let (mut from_client, mut from_server) = (Output::new(), Output::new());
    let (mut heard, mut served) = (Vec::new(), Vec::new());
    serve(&mut server, &mut to_server, &mut from_server, &mut served);
    carry(&mut from_server, &mut to_client);
    hear(&mut client, &mut to_client, &mut heard);
    let user = Command::User(UserName::try_from("user").unwrap());
    assert!(client.send(&user, &mut from_client).is_err());
    client.send(&Command::Stls, &mut from_client).unwrap();
    carry(&mut from_client, &mut to_server);
    let Framed::Ready(unit) = server.frame(&mut to_server, &mut from_server).unwrap() else { panic!() };
    let server::Event::StartTls(offer) = server.decode(unit, &mut to_server).unwrap() else { panic!() };
    let handover = server.start_tls(offer, to_server, &mut from_server).unwrap();
    carry(&mut from_server, &mut to_client);
    let Framed::Ready(unit) = client.frame(&mut to_client, &mut from_client).unwrap() else { panic!() };
    let client::Event::StartTls(grant) = client.decode(unit, &mut to_client).unwrap() else { panic!() };
    let mut client = client.start_tls(grant, to_client, &mut from_client).unwrap().secured();
    let server = handover.secured();
    assert!(client.is_secure() && server.is_secure() && client.capabilities().is_empty());
    client.send(&user, &mut from_client).unwrap();
}
