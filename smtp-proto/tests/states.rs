//! Every state and command of both machines, against the tables in their module docs.

use mail_smtp_proto::server::{Event, Refused};
use mail_smtp_proto::types::Mechanism;
use mail_smtp_proto::{Allow, Client, Command, Extension, ReplyBuf, Server, Verb, client, server};
use mail_wire::{Framed, Input, Machine, Misuse, Output};

/// The rows of a table: a command, and a cell for each state.
fn rows(source: &str) -> (Vec<String>, Vec<(String, Vec<String>)>) {
    let table = source.split("//! command ").nth(1).expect("a table").split("//! ```").next().unwrap();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = table.lines();
    let states = words(lines.next().unwrap());
    let rows = lines.filter_map(|line| line.strip_prefix("//! ")).map(|line| {
        let mut cells = words(line);
        let command = cells.remove(0);
        assert_eq!(cells.len(), states.len(), "{command}");
        assert!(Verb::of(command.as_bytes()).is_some(), "{command}");
        (command, cells)
    });
    let rows: Vec<_> = rows.collect();
    assert_eq!(rows.len(), 18, "a row for each verb");
    (states, rows)
}

/// A line with the command of a row.
fn line(command: &str) -> String {
    let rest = match command {
        "EHLO" | "HELO" | "LHLO" => " c.example",
        "MAIL" => " FROM:<a@b.example>",
        "RCPT" => " TO:<c@d.example>",
        "BDAT" => " 0",
        "BURL" => " imap://x",
        "VRFY" | "EXPN" | "ETRN" => " x",
        "XCLIENT" => " ADDR=192.0.2.1",
        "AUTH" => " PLAIN",
        _ => "",
    };
    format!("{command}{rest}")
}

/// How each state is reached.
fn path(state: &str) -> &'static [&'static str] {
    match state {
        "hello" => &["EHLO"],
        "mail" => &["EHLO", "MAIL"],
        "rcpt" => &["EHLO", "MAIL", "RCPT"],
        "chunks" => &["EHLO", "MAIL", "RCPT", "BDAT"],
        _ => &[],
    }
}

fn reply(code: u16) -> ReplyBuf {
    ReplyBuf::line(code, "ok").unwrap()
}

/// One event in the words of the table, answered positively.
fn next(server: &mut Server, input: &mut Input, output: &mut Output, greeting: u16) -> Option<String> {
    let Framed::Ready(unit) = server.frame(input, output).unwrap() else { return None };
    Some(match server.decode(unit, input).unwrap() {
        Event::Connected(answer) => {
            server.answer(answer, &reply(greeting), output).unwrap();
            "connected".into()
        }
        Event::Command(_, answer) => {
            server.answer(answer, &reply(250), output).unwrap();
            "command".into()
        }
        Event::Answered(_) => "answered".into(),
        Event::Refused(Refused { code, .. }) => code.to_string(),
        Event::Body(offer) => {
            server.accept_body(offer, output).unwrap();
            "body".into()
        }
        Event::Auth { .. } => "auth".into(),
        Event::StartTls(_) => "starttls".into(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn the_server_keeps_to_its_table() {
    let (states, rows) = rows(include_str!("../src/server/mod.rs"));
    for (command, cells) in rows {
        for (state, cell) in states.iter().zip(cells) {
            let mut config = server::Config::default();
            config.policy.plaintext_auth = Allow::Allow;
            config.policy.xclient = Allow::Allow;
            config.offer = server::Offer::clone(&config.offer).with_mechanism(Mechanism::PLAIN).into();
            for extension in
                [Extension::Vrfy, Extension::Expn, Extension::Etrn, Extension::Burl, Extension::XClient]
            {
                config.offer = server::Offer::clone(&config.offer).with(extension).into();
            }
            let greeting = if state == "rejected" { 554 } else { 220 };
            let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
            while next(&mut server, &mut input, &mut output, greeting).is_some() {}
            for command in path(state) {
                input.feed(format!("{}\r\n", line(command)).as_bytes());
                while next(&mut server, &mut input, &mut output, greeting).is_some() {}
            }
            input.feed(format!("{}\r\n", line(&command)).as_bytes());
            let got = next(&mut server, &mut input, &mut output, greeting);
            assert_eq!(got.as_deref(), Some(&*cell), "{command} in {state}");
        }
    }
}

fn run(client: &mut Client, input: &mut Input, output: &mut Output, octets: &str) {
    input.feed(octets.as_bytes());
    while let Framed::Ready(unit) = client.frame(input, output).unwrap() {
        drop(client.decode(unit, input).unwrap());
    }
}

/// Sends one; a chunk by its own call.
fn send(client: &mut Client, command: &str, output: &mut Output) -> Result<(), Misuse> {
    if command == "BDAT" {
        let (_, grant) = client.chunk(0, false, output)?;
        return client.end_body(grant, output).map_err(Misuse::from);
    }
    client.send(&Command::parse(line(command).as_bytes()).unwrap(), output).map(|_| ())
}

#[test]
fn the_client_keeps_to_its_table() {
    const HELLO: &str = "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-BURL\r\n250-ETRN\r\n250-XCLIENT\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n";
    let (states, rows) = rows(include_str!("../src/client/mod.rs"));
    for (command, cells) in rows {
        for (state, cell) in states.iter().zip(cells) {
            let mut config = client::Config::default();
            config.policy.plaintext_auth = Allow::Allow;
            let (mut client, mut input, mut output) = (Client::new(config), Input::new(), Output::new());
            match state.as_str() {
                "begin" => {}
                "rejected" => run(&mut client, &mut input, &mut output, "554 no\r\n"),
                _ => run(&mut client, &mut input, &mut output, "220 mx\r\n"),
            }
            for command in path(state) {
                send(&mut client, command, &mut output).unwrap();
                let answer = if *command == "EHLO" { HELLO } else { "250 ok\r\n" };
                run(&mut client, &mut input, &mut output, answer);
            }
            let before = output.len();
            let got = match send(&mut client, &command, &mut output) {
                Ok(()) => "sent".to_owned(),
                Err(Misuse::MustWait) => "wait".into(),
                // Before EHLO nothing is offered.
                Err(Misuse::NotInState | Misuse::NotOffered(_)) => "-".into(),
                Err(other) => format!("{other:?}"),
            };
            assert_eq!(got, *cell, "{command} in {state}");
            assert_eq!(output.len() > before, cell == "sent", "a refused call writes nothing");
        }
    }
}
