//! Every limit bites, in each state where it applies, and the framing holds.

use bytes::{Buf, Bytes};
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{Abort, Event, Maildrop, Offer, Refusal, Server};
use mail_pop3_proto::types::{InitialResponse, Mechanism, MessageNumber, ReplyText, UniqueId};
use mail_pop3_proto::{Command, Limits, OtherCommand, Reply, Shape, Violation, client, server};
use mail_wire::line::LineFault;
use mail_wire::{Closing, Framed, Handover, Input, Machine, Misuse, Output};
use std::time::Duration;

fn output_text(output: &mut Output) -> String {
    String::from_utf8(output.copy_to_bytes(output.remaining()).to_vec()).unwrap()
}

/// Feeds in reads of `size` and lets the machine run after each.
fn run<M: Machine>(
    machine: &mut M,
    octets: &[u8],
    size: usize,
    mut event: impl FnMut(&mut M, M::Event<'_>, &mut Output),
) -> (Result<bool, M::Error>, String, usize) {
    let (mut input, mut output, mut most) = (Input::new(), Output::new(), 0);
    let mut written = String::new();
    let mut at = 0;
    loop {
        loop {
            let framed = match machine.frame(&mut input, &mut output) {
                Ok(framed) => framed,
                Err(error) => return (Err(error), written + &output_text(&mut output), most),
            };
            match framed {
                Framed::Ready(unit) => match machine.decode(unit, &mut input) {
                    Ok(told) => event(machine, told, &mut output),
                    Err(error) => return (Err(error), written + &output_text(&mut output), most),
                },
                Framed::NeedInput => break,
                Framed::Paused(_) if !output.is_empty() => {}
                Framed::Paused(pause) => panic!("{pause:?}"),
                Framed::Closed => return (Ok(true), written + &output_text(&mut output), most),
            }
            written += &output_text(&mut output);
        }
        most = most.max(input.capacity());
        if at == octets.len() {
            return (Ok(false), written + &output_text(&mut output), most);
        }
        let n = input.feed(&octets[at..octets.len().min(at.saturating_add(size))]);
        assert!(n > 0, "more is needed and there is no room");
        at += n;
    }
}

fn tls_server(change: impl FnOnce(&mut server::Config)) -> Server {
    let mut config = server::Config::default();
    let mut offer = Offer::default();
    offer.capabilities.add(b"SASL PLAIN").unwrap();
    config.offer = offer.into();
    change(&mut config);
    Handover::implicit(Server::new(config)).secured()
}

fn ok() -> Reply<'static> {
    Reply::ok(ReplyText::EMPTY)
}

fn maildrop(messages: u32) -> Maildrop {
    let mut maildrop = Maildrop::new();
    for n in 1..=messages {
        maildrop.push(u64::from(n), UniqueId::try_from(format!("id{n}").as_str()).unwrap()).unwrap();
    }
    maildrop
}

/// Says yes to everything but a password that begins with `bad`.
fn yes(server: &mut Server, event: Event<'_>, output: &mut Output) {
    match event {
        Event::Connected(answer) => server.answer(answer, &ok(), output).unwrap(),
        Event::Command(Command::Pass(password), answer) if password.expose().starts_with(b"bad") => {
            server.refuse(answer, output).unwrap();
        }
        Event::Command(Command::Pass(_), answer) => {
            server.accept(answer, maildrop(3), &ok(), output).unwrap()
        }
        Event::Command(_, answer) => server.answer(answer, &ok(), output).unwrap(),
        Event::Malformed(_, answer) => server.refuse(answer, output).unwrap(),
        Event::Auth { turn, .. } | Event::AuthResponse(_, turn) => {
            server.challenge(turn, b"", output).unwrap();
        }
        _ => {}
    }
}

const LOG_IN: &str = "USER u\r\nPASS p\r\n";

#[test]
fn a_command_line_may_have_512_octets_and_not_one_more() {
    for (before, state) in [("", "-ERR not in this state"), (LOG_IN, "+OK")] {
        for (len, last) in [(512, "-ERR"), (513, "-ERR line too long"), (5000, "-ERR line too long")] {
            let long = format!("{before}{}\r\nNOOP\r\n", "x".repeat(len - 2));
            for size in [1, 7, 512, 513, 100_000] {
                let (end, written, most) = run(&mut tls_server(|_| {}), long.as_bytes(), size, yes);
                assert_eq!(end, Ok(false));
                let lines: Vec<_> = written.lines().collect();
                assert!(lines[lines.len() - 2].starts_with(last), "{len} {size}: {lines:?}");
                assert!(last != "-ERR" || lines[lines.len() - 2] != "-ERR line too long");
                assert_eq!(lines[lines.len() - 1], state);
                assert!(most <= 16 * 1024, "{most} held");
            }
        }
    }
}

#[test]
fn an_auth_line_may_have_12288_octets() {
    let response = |octets: usize| "A".repeat(octets);
    for (octets, taken) in [(12_284, true), (12_288, false), (50_000, false)] {
        // Of the command and of a response.
        let command = format!("AUTH PLAIN {}\r\nNOOP\r\n", response(octets - 12));
        let exchange = format!("AUTH PLAIN\r\n{}\r\nNOOP\r\n", response(octets));
        for (feed, size) in [(&command, 1), (&command, 100_000), (&exchange, 1), (&exchange, 4096)] {
            let (mut told, mut cancelled) = (false, false);
            let (end, written, most) =
                run(&mut tls_server(|_| {}), feed.as_bytes(), size, |server, event, output| {
                    told |= matches!(event, Event::Auth { initial: Some(_), .. } | Event::AuthResponse(..));
                    cancelled |= matches!(event, Event::AuthCancelled(Refusal::TooLong | Refusal::NotBase64));
                    match event {
                        // The exchange goes on until the line that is no base64: NOOP is.
                        Event::Auth { initial: None, turn, .. } => {
                            server.challenge(turn, b"", output).unwrap()
                        }
                        Event::Auth { turn, .. } | Event::AuthResponse(_, turn) => {
                            server.refuse_auth(turn, &Reply::err(ReplyText::EMPTY), output).unwrap();
                        }
                        other => yes(server, other, output),
                    }
                });
            assert_eq!(end, Ok(false));
            assert_eq!(told, taken, "{octets} {size} {written}");
            assert!(taken || written.contains("-ERR line too long"), "{written}");
            assert!(written.ends_with("-ERR not in this state\r\n"), "{written}");
            assert!(most <= 16 * 1024 + 8, "{most} held");
            assert!(feed == &command || cancelled != taken);
        }
    }
}

#[test]
fn over_long_lines_are_discarded_up_to_the_budget() {
    for (octets, fails) in [(1000, false), (1100, true)] {
        let mut server = tls_server(|config| config.limits.discard = 1024);
        let feed = format!("{LOG_IN}{}\r\nNOOP\r\n", "x".repeat(octets));
        let mut aborted = None;
        let (end, written, _) = run(&mut server, feed.as_bytes(), 100, |server, event, output| {
            if let Event::Abort(why) = event {
                aborted = Some(why);
            } else {
                yes(server, event, output);
            }
        });
        if fails {
            let violation = Violation::Limit("octets discarded", 1024);
            assert_eq!(end, Err(violation));
            assert_eq!(aborted, Some(Abort::Violation(violation)));
        } else {
            assert_eq!(end, Ok(false));
            assert!(written.ends_with("-ERR line too long\r\n+OK\r\n"));
        }
    }
}

#[test]
fn refused_log_ins_are_counted() {
    let feed = "USER u\r\nPASS bad\r\n".repeat(6);
    let (end, written, _) = run(&mut tls_server(|_| {}), feed.as_bytes(), 10, yes);
    assert_eq!(end, Err(Violation::Limit("log-ins", 5)));
    assert_eq!(written.matches("-ERR log-in failed").count(), 5);
}

#[test]
fn bad_commands_are_counted_in_both_states() {
    for before in ["", LOG_IN] {
        let feed = format!("{before}{}", "FROB\r\nUSER\r\n".repeat(6));
        let (end, written, _) = run(&mut tls_server(|_| {}), feed.as_bytes(), 10, yes);
        assert_eq!(end, Err(Violation::Limit("bad commands", 10)));
        assert_eq!(written.matches("-ERR").count(), 10);
    }
}

#[test]
fn what_is_not_there_is_no_bad_command() {
    let feed = format!("{LOG_IN}{}", "RETR 9\r\n".repeat(100));
    let (end, written, _) = run(&mut tls_server(|_| {}), feed.as_bytes(), 10, yes);
    assert_eq!(end, Ok(false));
    assert_eq!(written.matches("-ERR no such message").count(), 100);
}

#[test]
fn commands_before_a_log_in_are_counted_and_behind_it_are_not() {
    let (end, written, _) = run(&mut tls_server(|_| {}), "CAPA\r\n".repeat(200).as_bytes(), 64, yes);
    assert_eq!(end, Err(Violation::Limit("commands before log-in", 100)));
    assert!(written.ends_with("-ERR too many commands\r\n"));
    let feed = LOG_IN.to_owned() + &"CAPA\r\n".repeat(200);
    assert_eq!(run(&mut tls_server(|_| {}), feed.as_bytes(), 64, yes).0, Ok(false));
}

#[test]
fn no_wait_is_longer_than_its_deadline() {
    let mut server = tls_server(|_| {});
    assert_eq!(server.patience(), Duration::from_secs(180));
    let mut aborted = None;
    run(&mut server, LOG_IN.as_bytes(), 10, yes).0.unwrap();
    assert_eq!(server.patience(), Duration::from_secs(600));
    server.close(Closing::Expired, &mut Output::new());
    let (end, written, _) = run(&mut server, b"", 1, |_, event, _| {
        if let Event::Abort(why) = event {
            aborted = Some(why);
        }
    });
    // No message is removed and no reply is sent (RFC 1939 §3).
    assert_eq!((end, written.as_str()), (Err(Violation::Expired), ""));
    assert_eq!(aborted, Some(Abort::Violation(Violation::Expired)));
    let mut client = client::Client::new(client::Config::default());
    assert_eq!(client.patience(), Duration::from_secs(300));
    client.close(Closing::Expired, &mut Output::new());
    assert_eq!(run(&mut client, b"+OK\r\n", 1, |_, _, _| {}).0, Err(Violation::Expired));
}

#[test]
fn a_shutdown_waits_for_the_command_in_flight_and_removes_nothing() {
    let mut server = tls_server(|_| {});
    let (mut commits, mut aborts) = (0, 0);
    let feed = format!("{LOG_IN}DELE 1\r\nRETR 1\r\nRETR 2\r\nNOOP\r\nQUIT\r\n");
    let (end, written, _) = run(&mut server, feed.as_bytes(), 1000, |server, event, output| match event {
        Event::Command(Command::Retr(_), answer) => {
            server.close(Closing::Shutdown, output);
            // It is answered all the same.
            assert!(server.answer(answer, &Reply::err(ReplyText::EMPTY), output).is_ok());
        }
        Event::Commit(..) => commits += 1,
        Event::Abort(why) => {
            assert_eq!(why, Abort::Shutdown);
            aborts += 1;
        }
        other => yes(server, other, output),
    });
    assert_eq!((end, commits, aborts), (Ok(true), 0, 1));
    assert!(written.ends_with("+OK deleted\r\n-ERR no such message\r\n-ERR\r\n"), "{written}");
}

// ---- the client

fn tls_client(limits: Limits) -> client::Client {
    let config = client::Config { limits, ..client::Config::default() };
    Handover::implicit(client::Client::new(config)).secured()
}

/// Sends `commands` as soon as the machine takes them, in order. The server waits at each `|` for what it answers next.
fn hear(
    limits: Limits,
    commands: &[Command<'_>],
    feed: &str,
    size: usize,
) -> (Result<bool, Violation>, usize) {
    let mut client = tls_client(limits);
    let mut commands = commands.iter().peekable();
    let mut out = Output::new();
    let mut most = 0;
    for part in feed.split('|') {
        let (end, _, held) = run(&mut client, part.as_bytes(), size, |client, event, output| {
            if let client::Event::Challenge(_, turn) = event {
                return client.respond(turn, b"", output).unwrap();
            }
            while let Some(command) = commands.peek() {
                if client.send(command, &mut out).is_err() {
                    break;
                }
                commands.next();
            }
        });
        most = most.max(held);
        if end != Ok(false) {
            return (end, most);
        }
    }
    (Ok(false), most)
}

const AUTH: &[u8] = b"AUTH EXTERNAL";

#[test]
fn a_status_line_may_have_4096_octets_and_not_one_more() {
    let auth = Command::parse(AUTH).unwrap();
    for size in [1, 1000, 100_000] {
        for (len, end) in [(4096, Ok(false)), (4097, Err(()))] {
            let text = "y".repeat(len - 6);
            // In the greeting, and in the answer to a command.
            for feed in [format!("+OK {text}\r\n"), format!("+OK\r\n|+OK {text}\r\n")] {
                let (got, most) = hear(Limits::default(), &[Command::Capa], &feed, size);
                let greeting = !feed.contains('|');
                assert_eq!(got.map_err(|_| ()), end, "{len} {size} {greeting}");
                assert!(most <= 16 * 1024);
            }
        }
        // A line of a listing.
        for (len, end) in [(4096, Ok(false)), (4097, Err(()))] {
            let feed = format!("+OK\r\n|+OK\r\nX-{}\r\n.\r\n", "y".repeat(len - 4));
            assert_eq!(hear(Limits::default(), &[Command::Capa], &feed, size).0.map_err(|_| ()), end);
        }
        // A challenge.
        for (len, end) in [(12_288, Ok(false)), (12_289, Err(()))] {
            let feed = format!("+OK\r\n|+ {}\r\n", "A".repeat(len - 4));
            assert_eq!(hear(Limits::default(), &[auth], &feed, size).0.map_err(|_| ()), end, "{len}");
        }
    }
}

/// A line of a listing that is too long and holds a bare CR fails in the same way, whatever the reads are.
#[test]
fn a_fault_behind_the_limit_of_a_line_is_the_limits() {
    let too_long = Violation::Line(LineFault::TooLong { limit: 64 });
    let limits = Limits { status_line: 64, ..Limits::default() };
    let line = |text: &str, len: usize| {
        format!("+OK\r\n|+OK\r\nX-{text}{}\r\n.\r\n", "y".repeat(len - 4 - text.len()))
    };
    for (feed, violation) in [
        (line("a\rb", 65), too_long),
        (line("a\rb", 64), Violation::Line(LineFault::BareCr { at: 3 })),
        (line("a\nb", 65), Violation::Line(LineFault::BareLf { at: 3 })),
        (line("", 65), too_long),
    ] {
        for size in [1, 7, 1000] {
            let got = hear(limits, &[Command::Capa], &feed, size).0;
            assert_eq!(got, Err(violation), "{feed:?} in reads of {size}");
        }
    }
}

#[test]
fn rounds_entries_capabilities_and_bodies_are_bounded() {
    let logged_in = [Command::parse(b"AUTH PLAIN =").unwrap(), Command::List(None)];
    let retr = [logged_in[0], Command::Retr(MessageNumber::FIRST)];
    let limits = Limits { auth_rounds: 3, entries: 3, capabilities: 3, message: 30, ..Limits::default() };
    let auth = [Command::parse(AUTH).unwrap()];
    let list = |n: usize| (1..=n).map(|n| format!("{n} 5\r\n")).collect::<String>();
    type Case<'a> = (&'a [Command<'a>], Box<dyn Fn(usize) -> String + 'a>, usize, Violation);
    let cases: [Case<'_>; 4] = [
        (
            &auth,
            Box::new(|n| ["+ \r\n"].repeat(n).join("|")),
            3,
            Violation::Limit("rounds of authentication", 3),
        ),
        (
            &logged_in,
            Box::new(|n| format!("+OK\r\n|+OK\r\n{}.\r\n", list(n))),
            3,
            Violation::Limit("entries", 3),
        ),
        (
            &[Command::Capa],
            Box::new(|n| format!("+OK\r\n{}.\r\n", "X-Y\r\n".repeat(n))),
            3,
            Violation::Limit("capabilities", 3),
        ),
        (
            &retr,
            Box::new(|n| format!("+OK\r\n|+OK\r\n{}\r\n.\r\n", "x".repeat(n))),
            28,
            Violation::Limit("octets of a message", 30),
        ),
    ];
    for (commands, feed, most, violation) in &cases {
        for size in [1, 1000] {
            for (n, end) in [(*most, Ok(false)), (*most + 1, Err(*violation))] {
                let feed = format!("+OK\r\n|{}", feed(n));
                let got = hear(limits, commands, &feed, size).0;
                assert_eq!(got, end, "{n}");
            }
        }
    }
}

#[test]
fn the_window_is_one_until_pipelining_is_announced() {
    let limits = Limits { window: 3, window_octets: 100, ..Limits::default() };
    let mut client = tls_client(limits);
    let mut output = Output::new();
    assert_eq!(client.send(&Command::Capa, &mut output), Err(Misuse::MustWait));
    run(&mut client, b"+OK\r\n", 1, |_, _, _| {}).0.unwrap();
    client.send(&Command::Capa, &mut output).unwrap();
    assert_eq!(client.send(&Command::Capa, &mut output), Err(Misuse::MustWait));
    run(&mut client, b"+OK\r\nPIPELINING\r\n.\r\n", 1, |_, _, _| {}).0.unwrap();
    client.send(&Command::parse(b"USER u").unwrap(), &mut output).unwrap();
    client.send(&Command::parse(b"PASS p").unwrap(), &mut output).unwrap();
    let ticket = client.send(&Command::Retr(MessageNumber::FIRST), &mut output).unwrap();
    assert!(!client.has_room());
    assert_eq!(client.send(&Command::Stat, &mut output), Err(Misuse::MustWait));
    run(&mut client, b"+OK\r\n+OK\r\n", 1, |_, _, _| {}).0.unwrap();
    assert!(client.has_room());
    client.expect(ticket, 100);
    assert!(!client.has_room());
    run(&mut client, b"+OK\r\nx\r\n.\r\n", 1, |_, _, _| {}).0.unwrap();
    assert!(client.has_room());
}

#[test]
fn a_line_that_is_too_long_to_send_is_a_misuse() {
    let mut client = tls_client(Limits::default());
    run(&mut client, b"+OK\r\n", 1, |_, _, _| {}).0.unwrap();
    let mut output = Output::new();
    let long = format!("USER {}", "x".repeat(506));
    assert_eq!(
        client.send(&Command::parse(long.as_bytes()).unwrap(), &mut output),
        Err(Misuse::TooLong(512))
    );
    assert!(output.is_empty());
    client.send(&Command::parse(&long.as_bytes()[..510]).unwrap(), &mut output).unwrap();
    assert_eq!(output.len(), 512);
}

#[test]
fn a_response_may_have_the_auth_line_and_not_one_octet_more() {
    let mut client = tls_client(Limits { auth_line: 10, ..Limits::default() });
    run(&mut client, b"+OK\r\n", 1, |_, _, _| {}).0.unwrap();
    client.send(&Command::parse(AUTH).unwrap(), &mut Output::new()).unwrap();
    run(&mut client, b"+ \r\n", 100, |client, event, _| {
        let client::Event::Challenge(_, turn) = event else { panic!("{event:?}") };
        let mut output = Output::new();
        let back = client.respond(turn, b"1234567", &mut output).unwrap_err();
        assert_eq!((back.why, output.len()), (Misuse::TooLong(10), 0));
        client.respond(back.token, b"123456", &mut output).unwrap();
        assert_eq!(output.len(), 10);
    })
    .0
    .unwrap();
}

/// What the caller gives counts with its keyword and line end, for each command that may be of any length.
#[test]
fn a_command_is_written_up_to_the_limit_and_not_beyond() {
    let (name, digest) = ("x".repeat(100), "c4c9334bac560ecc979e58001b3e22fb");
    let other = format!("XTND {name}");
    for command in [
        Command::parse(format!("USER {name}").as_bytes()).unwrap(),
        Command::parse(format!("PASS {name}").as_bytes()).unwrap(),
        Command::parse(format!("APOP {name} {digest}").as_bytes()).unwrap(),
        Command::Other(OtherCommand::new(other.as_bytes(), Shape::Single).unwrap()),
    ] {
        let mut output = Output::new();
        assert!(command.encode(1000, &mut output).unwrap().is_none());
        let len = output.len();
        assert!(command.encode(len, &mut output).unwrap().is_none());
        assert_eq!(output.len(), 2 * len);
        assert_eq!(command.encode(len - 1, &mut output).map(|_| ()), Err(Misuse::TooLong(len - 1)));
        assert_eq!(output.len(), 2 * len);
    }
}

/// RFC 5034 §4: 255 octets with the line end.
#[test]
fn an_initial_response_is_written_up_to_255_octets_of_line() {
    let mechanism = Mechanism::try_from(&b"ABC"[..]).unwrap();
    for (octets, written, held) in [(183, 255, false), (184, 10, true)] {
        let response = vec![b'x'; octets];
        let mut output = Output::new();
        let auth = Command::Auth { mechanism, initial: Some(InitialResponse::new(&response)) };
        assert_eq!(auth.encode(512, &mut output).unwrap().is_some(), held);
        assert_eq!(output.len(), written);
    }
}

#[test]
fn a_listing_of_any_length_waits_for_the_client_to_read() {
    let mut server = tls_server(|_| {});
    let (mut input, mut output) = (Input::new(), Output::new());
    input.feed(b"USER u\r\nPASS p\r\nLIST\r\nUIDL\r\nNOOP\r\n");
    let (mut wire, mut most) = (Vec::new(), 0);
    for _ in 0..1_000_000 {
        match server.frame(&mut input, &mut output).unwrap() {
            Framed::Ready(unit) => match server.decode(unit, &mut input).unwrap() {
                Event::Command(Command::Pass(_), answer) => {
                    server.accept(answer, maildrop(50_000), &ok(), &mut output).unwrap();
                }
                event => yes(&mut server, event, &mut output),
            },
            Framed::NeedInput => break,
            Framed::Paused(_) => {
                most = most.max(output.len());
                let n = output.remaining().min(1460);
                wire.extend_from_slice(&output.copy_to_bytes(n));
            }
            Framed::Closed => panic!("closed"),
        }
    }
    wire.extend_from_slice(&output.copy_to_bytes(output.remaining()));
    let text = String::from_utf8(wire).unwrap();
    let list: String = (1..=50_000).map(|n| format!("{n} {n}\r\n")).collect();
    let ids: String = (1..=50_000).map(|n| format!("{n} id{n}\r\n")).collect();
    assert_eq!(text, format!("+OK\r\n+OK\r\n+OK\r\n+OK\r\n{list}.\r\n+OK\r\n{ids}.\r\n+OK\r\n"));
    assert!(most <= Output::HIGH_WATER + 100);
}

#[test]
fn a_capability_line_has_512_octets_at_the_most() {
    let mut capabilities = Capabilities::new();
    assert!(capabilities.add("x".repeat(510).as_bytes()).is_ok());
    assert!(capabilities.add("x".repeat(511).as_bytes()).is_err());
}

/// RFC 2449 §5: 512 octets with the line end. What is longer is told, and is not relied upon.
#[test]
fn a_capability_line_beyond_512_octets_is_told_and_not_kept() {
    for (len, kept) in [(512, 2), (513, 1)] {
        let mut client = tls_client(Limits::default());
        run(&mut client, b"+OK\r\n", 1, |_, _, _| {}).0.unwrap();
        client.send(&Command::Capa, &mut Output::new()).unwrap();
        let feed = format!("+OK\r\nUIDL\r\nX-{}\r\n.\r\n", "y".repeat(len - 4));
        let mut told = 0;
        run(&mut client, feed.as_bytes(), 100, |_, event, _| {
            if let client::Event::Items(_, items) = event {
                told += items.iter().filter(Result::is_ok).count();
            }
        })
        .0
        .unwrap();
        assert_eq!((told, client.capabilities().len()), (2, kept), "{len}");
    }
}

#[test]
fn a_body_takes_what_the_output_has_room_for() {
    let mut server = tls_server(|_| {});
    let (mut input, mut output) = (Input::new(), Output::with_high_water(1024));
    input.feed(b"USER u\r\nPASS p\r\nRETR 1\r\n");
    let mut grant = None;
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        match server.decode(unit, &mut input).unwrap() {
            Event::Command(Command::Retr(_), answer) => {
                grant = Some(server.answer_body(answer, ReplyText::EMPTY, &mut output).unwrap());
            }
            event => yes(&mut server, event, &mut output),
        }
    }
    let (mut grant, mut piece) = (grant.unwrap(), Bytes::from("x\r\n".repeat(1000)));
    server.body(&mut grant, &mut piece, &mut output).unwrap();
    assert!(piece.len() > 1000 && output.is_full());
    while !piece.is_empty() {
        output.advance(output.remaining());
        server.body(&mut grant, &mut piece, &mut output).unwrap();
    }
    server.end_body(grant, &mut output).unwrap();
}
