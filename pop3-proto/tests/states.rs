//! Every state and command of both machines, against the tables in their module docs.

use mail_pop3_proto::server::{Config, Event, Maildrop, Offer, Phase, Server, Stamp};
use mail_pop3_proto::types::{ReplyText, UniqueId};
use mail_pop3_proto::{Allow, Command, Grammar, Reply, Verb, client};
use mail_wire::{Framed, Handover, Input, Machine, Misuse, Output};

const STAMP: &str = "<1.2@example.com>";

/// The rows of the table: command, and a cell for each of two states.
fn rows(source: &str) -> Vec<(String, [String; 2])> {
    let table = source.split("//! command     ").nth(1).expect("a table").split("//! ```").next().unwrap();
    let cell = |line: &str, from: usize, to: usize| {
        line.get(from..to.min(line.len())).unwrap_or("").trim().to_owned()
    };
    let heads = table.lines().next().unwrap();
    // Where the second and third column begin.
    let second = 12;
    let third = second + heads.rfind("  ").unwrap() + 2;
    let rows: Vec<_> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.strip_prefix("//! "))
        .map(|line| (cell(line, 0, second), [cell(line, second, third), cell(line, third, 200)]))
        .collect();
    for verb in Verb::ALL {
        assert!(rows.iter().any(|(command, _)| command.starts_with(verb.name())), "{verb:?} is in no row");
    }
    rows
}

/// The command line of a row.
fn line(command: &str) -> String {
    match command {
        "APOP" => "APOP u c4c9334bac560ecc979e58001b3e22fb".into(),
        other => other.into(),
    }
}

fn ok() -> Reply<'static> {
    Reply::ok(ReplyText::EMPTY)
}

struct Session {
    server: Server,
    input: Input,
    output: Output,
}

fn maildrop() -> Maildrop {
    let mut maildrop = Maildrop::new();
    maildrop.push(5, UniqueId::try_from("x").unwrap()).unwrap();
    maildrop
}

impl Session {
    fn new() -> Self {
        let mut offer = Offer::default();
        for line in ["SASL PLAIN", "UTF8", "LANG"] {
            offer.capabilities.add(line.as_bytes()).unwrap();
        }
        let tag = mail_pop3_proto::types::LanguageTag::try_from("en").unwrap();
        offer.languages.push(mail_pop3_proto::server::Language::new(tag, ReplyText::EMPTY));
        let mut config = Config { offer: offer.into(), ..Config::default() };
        config.policy.apop = Allow::Allow;
        config.policy.plaintext_auth = Allow::Allow;
        config.stamp = Some(Stamp::try_from(STAMP).unwrap());
        let mut session = Self { server: Server::new(config), input: Input::new(), output: Output::new() };
        session.next();
        session
    }

    /// One event in the table's words, answered positively, and where that leads.
    fn next(&mut self) -> Option<String> {
        let Self { server, input, output } = self;
        let Framed::Ready(unit) = server.frame(input, output).unwrap() else { return None };
        let before = server.phase();
        let mut words = match server.decode(unit, input).unwrap() {
            Event::Connected(answer) => {
                server.answer(answer, &ok(), output).unwrap();
                "asks"
            }
            Event::Command(Command::Pass(_) | Command::Apop { .. }, answer) => {
                server.accept(answer, maildrop(), &ok(), output).unwrap();
                "asks"
            }
            Event::Command(Command::Retr(_) | Command::Top { .. }, answer) => {
                let grant = server.answer_body(answer, ReplyText::EMPTY, output).unwrap();
                server.end_body(grant, output).unwrap();
                "asks"
            }
            Event::Commit(_, answer) => {
                assert_eq!(server.phase(), Phase::Update);
                server.answer(answer, &ok(), output).unwrap();
                "asks"
            }
            Event::Command(_, answer) => {
                server.answer(answer, &ok(), output).unwrap();
                "asks"
            }
            Event::Auth { turn, .. } => {
                server.accept_auth(turn, maildrop(), &ok(), output).unwrap();
                "asks"
            }
            Event::StartTls(_) => return Some("asks -> TLS".into()),
            Event::Answered(_) => "answers",
            Event::Refused(_) => "refuses",
            event => panic!("{event:?}"),
        }
        .to_owned();
        let after = server.phase();
        if before != after {
            words += &format!(" -> {}", format!("{after:?}").to_uppercase());
        }
        Some(words)
    }

    fn say(&mut self, line: &str) -> String {
        self.input.feed(format!("{line}\r\n").as_bytes());
        let words = self.next().expect("an event");
        let closed = matches!(self.server.frame(&mut self.input, &mut self.output), Ok(Framed::Closed));
        if closed && self.server.phase() != Phase::Update { words + " -> closed" } else { words }
    }
}

#[test]
fn the_server_does_what_its_table_says() {
    for (command, cells) in rows(include_str!("../src/server/mod.rs")) {
        for (state, cell) in cells.iter().enumerate() {
            let mut session = Session::new();
            if state == 1 {
                session.say("USER u");
                assert_eq!(session.say("PASS p"), "asks -> TRANSACTION");
            } else if command == "PASS p" {
                session.say("USER u");
            }
            assert_eq!(&session.say(&line(&command)), cell, "{command} in state {state}");
        }
    }
}

fn answer(client: &mut client::Client, octets: &str) -> Vec<String> {
    let (mut input, mut output) = (Input::new(), Output::new());
    input.feed(octets.as_bytes());
    let mut told = Vec::new();
    while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
        let event = format!("{:?}", client.decode(unit, &mut input).unwrap());
        told.push(event.split('(').next().unwrap().to_owned());
    }
    told
}

#[test]
fn the_client_does_what_its_table_says() {
    for (command, cells) in rows(include_str!("../src/client/mod.rs")) {
        for (state, cell) in cells.iter().enumerate() {
            let mut config = client::Config::default();
            config.policy.apop = Allow::Allow;
            config.policy.plaintext_auth = Allow::Allow;
            config.policy.grammar = Grammar::tolerant();
            let mut client = client::Client::new(config);
            let mut output = Output::new();
            answer(&mut client, &format!("+OK {STAMP}\r\n"));
            let send = |client: &mut client::Client, output: &mut Output, line: &str| {
                client.send(&Command::parse(line.as_bytes()).unwrap(), output)
            };
            if state == 1 || command == "PASS p" {
                send(&mut client, &mut output, "USER u").unwrap();
                answer(&mut client, "+OK\r\n");
            }
            if state == 1 {
                send(&mut client, &mut output, "PASS p").unwrap();
                answer(&mut client, "+OK\r\n");
                assert!(client.is_authenticated());
            }
            let before = output.len();
            match send(&mut client, &mut output, &line(&command)) {
                Err(why) => {
                    assert_eq!((why, cell.as_str()), (Misuse::NotInState, "-"), "{command} in state {state}");
                    assert_eq!(output.len(), before);
                }
                Ok(_) => {
                    assert_eq!(answer(&mut client, "+OK\r\n"), [cell.as_str()], "{command} in state {state}")
                }
            }
        }
    }
}

#[test]
fn pass_follows_user_directly_on_both_sides() {
    let mut session = Session::new();
    assert_eq!(session.say("USER u"), "asks");
    assert_eq!(session.server.user(), Some(&b"u"[..]));
    assert_eq!(session.say("CAPA"), "answers");
    assert_eq!(session.server.user(), None);
    assert_eq!(session.say("PASS p"), "refuses");
    let mut client = Handover::implicit(client::Client::new(client::Config::default())).secured();
    let mut output = Output::new();
    answer(&mut client, "+OK\r\n");
    client.send(&Command::parse(b"USER u").unwrap(), &mut output).unwrap();
    answer(&mut client, "+OK\r\n");
    client.send(&Command::Capa, &mut output).unwrap();
    answer(&mut client, "-ERR\r\n");
    let pass = client.send(&Command::parse(b"PASS p").unwrap(), &mut output);
    assert_eq!(pass, Err(Misuse::NotInState));
}

#[test]
fn a_server_tells_what_stands() {
    let mut session = Session::new();
    assert!(!session.server.is_secure() && !session.server.is_utf8());
    assert_eq!(session.say("UTF8"), "answers");
    assert!(!session.server.is_secure() && session.server.is_utf8());
}

/// What ends the session ends it at its event, and not only at the frame behind it.
#[test]
fn nothing_is_sent_behind_what_ends_the_session() {
    for (greeting, quit) in
        [("-ERR too many\r\n", None), ("+OK\r\n", Some("+OK\r\n")), ("+OK\r\n", Some("-ERR\r\n"))]
    {
        let mut client = Handover::implicit(client::Client::new(client::Config::default())).secured();
        let (mut input, mut output) = (Input::new(), Output::new());
        let mut hear = |client: &mut client::Client, line: &str| {
            input.feed(line.as_bytes());
            let Framed::Ready(unit) = client.frame(&mut input, &mut Output::new()).unwrap() else { panic!() };
            drop(client.decode(unit, &mut input).unwrap());
        };
        hear(&mut client, greeting);
        if let Some(answer) = quit {
            client.send(&Command::Quit, &mut output).unwrap();
            hear(&mut client, answer);
        }
        let before = output.len();
        assert_eq!(client.send(&Command::Capa, &mut output), Err(Misuse::Over), "{greeting} {quit:?}");
        assert_eq!(output.len(), before);
    }
}

/// RFC 6856 §2.2: a name or password beyond ASCII needs `UTF8 USER`. Where CAPA was never asked, the caller's word stands.
#[test]
fn a_name_beyond_ascii_goes_where_utf8_user_is_announced() {
    let cases: [(&str, bool); 4] = [
        ("", true),
        ("-ERR\r\n", true),
        ("+OK\r\nUTF8\r\n.\r\n", false),
        ("+OK\r\nUTF8 USER\r\n.\r\n", true),
    ];
    for (capabilities, goes) in cases {
        for command in ["USER \u{e9}", "PASS \u{e9}", "APOP \u{e9} c4c9334bac560ecc979e58001b3e22fb"] {
            let mut config = client::Config::default();
            config.policy.apop = Allow::Allow;
            config.policy.plaintext_auth = Allow::Allow;
            let (mut client, mut output) = (client::Client::new(config), Output::new());
            answer(&mut client, &format!("+OK {STAMP}\r\n"));
            let mut send = |client: &mut client::Client, line: &str| {
                client.send(&Command::parse(line.as_bytes()).unwrap(), &mut output).map(|_| ())
            };
            if !capabilities.is_empty() {
                send(&mut client, "CAPA").unwrap();
                answer(&mut client, capabilities);
            }
            if command.starts_with("PASS") {
                send(&mut client, "USER u").unwrap();
                answer(&mut client, "+OK\r\n");
            }
            let expected = if goes { Ok(()) } else { Err(Misuse::NotOffered("UTF8 USER")) };
            assert_eq!(send(&mut client, command), expected, "{command} behind {capabilities:?}");
        }
    }
}
