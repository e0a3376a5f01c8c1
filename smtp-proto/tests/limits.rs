//! Every limit bites, in each state where it applies, and the framing holds.

use bytes::{Buf, Bytes};
use mail_smtp_proto::server::{Abort, BodyForm, Event, Refused, Server};
use mail_smtp_proto::types::Mechanism;
use mail_smtp_proto::{Allow, Command, Limits, ReplyBuf, Violation, client, server};
use mail_wire::line::LineFault;
use mail_wire::{Closing, Framed, Input, Machine, Misuse, Output};
use std::time::Duration;

/// What came of a run: events in words, replies by code, the end, and the most that the input held.
#[derive(Debug, Default)]
struct Run {
    events: Vec<String>,
    replies: String,
    end: Option<Result<(), Violation>>,
    most: usize,
}

fn ok(code: u16) -> ReplyBuf {
    ReplyBuf::line(code, "ok").unwrap()
}

fn drain(output: &mut Output) -> String {
    String::from_utf8(output.copy_to_bytes(output.remaining()).to_vec()).unwrap()
}

/// An application that says yes to all; `greet` is no event.
fn yes(server: &mut Server, event: Event<'_>, output: &mut Output) -> Option<String> {
    Some(match event {
        Event::Connected(answer) => {
            server.answer(answer, &ok(220), output).unwrap();
            return None;
        }
        Event::Command(command, answer) => {
            server.answer(answer, &ok(250), output).unwrap();
            command.name().to_owned()
        }
        Event::Answered(command) => command.name().to_owned(),
        Event::Refused(Refused { code, .. }) => format!("refused {code}"),
        Event::Malformed(malformed, answer) => {
            server.refuse(answer, output).unwrap();
            format!("malformed {:?}", malformed.rule)
        }
        Event::Auth { turn, .. } | Event::AuthResponse(_, turn) => {
            server.refuse_auth(turn, &ok(535), output).unwrap();
            "auth".into()
        }
        Event::Body(offer) => {
            let words = if offer.form() == BodyForm::Data { "DATA" } else { "BDAT" };
            server.accept_body(offer, output).unwrap();
            words.into()
        }
        Event::Chunk(octets) => format!("+{}", octets.len()),
        Event::BodyEnd(answer) => {
            server.answer(answer, &ok(250), output).unwrap();
            "end".into()
        }
        Event::Abort(why) => format!("{why:?}"),
        other => format!("{other:?}"),
    })
}

fn serve(change: impl Fn(&mut server::Config), octets: &[u8], size: usize) -> Run {
    let mut config = server::Config::default();
    config.policy.sync = mail_smtp_proto::policy::Sync::Loose;
    config.policy.plaintext_auth = Allow::Allow;
    config.offer = server::Offer::clone(&config.offer).with_mechanism(Mechanism::PLAIN).into();
    change(&mut config);
    let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
    let (mut run, mut at) = (Run::default(), 0);
    loop {
        run.most = run.most.max(input.capacity());
        match server.frame(&mut input, &mut output) {
            Ok(Framed::Ready(unit)) => {
                let event = server.decode(unit, &mut input).unwrap();
                let words = yes(&mut server, event, &mut output);
                match (words, run.events.last_mut()) {
                    // Chunks of a body are added up.
                    (Some(more), Some(last)) if more.starts_with('+') && last.starts_with('+') => {
                        let sum: u64 = last.parse::<u64>().unwrap() + more.parse::<u64>().unwrap();
                        *last = format!("+{sum}");
                    }
                    (words, _) => run.events.extend(words),
                }
            }
            Ok(Framed::NeedInput) if at < octets.len() => {
                let n = input.feed(&octets[at..octets.len().min(at.saturating_add(size))]);
                assert!(n > 0, "more is needed and there is no room");
                at += n;
            }
            Ok(Framed::NeedInput) => return run,
            Ok(Framed::Closed) => {
                run.end = Some(Ok(()));
                run.replies += &drain(&mut output);
                return run;
            }
            Ok(Framed::Paused(pause)) => panic!("{pause:?}"),
            Err(error) => {
                run.end = Some(Err(error));
                run.replies += &drain(&mut output);
                return run;
            }
        }
        run.replies += &drain(&mut output);
    }
}

/// The same in reads of every kind; the events and replies are those of the first.
fn serve_all(change: impl Fn(&mut server::Config), octets: &[u8]) -> Run {
    let whole = serve(&change, octets, usize::MAX);
    for size in [1, 2, 7, 1000] {
        let cut = serve(&change, octets, size);
        assert_eq!(
            (&cut.events, &cut.replies, &cut.end),
            (&whole.events, &whole.replies, &whole.end),
            "reads of {size}"
        );
    }
    whole
}

fn last_code(run: &Run) -> &str {
    &run.replies.trim_end().rsplit("\r\n").next().unwrap()[..3]
}

const OPEN: &str = "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";

fn with(head: &str, tail: &[u8]) -> Vec<u8> {
    [head.as_bytes(), tail].concat()
}

#[test]
fn a_command_line_has_an_end() {
    for (len, good) in [(4096, true), (4097, false)] {
        let line = format!("NOOP {}\r\nQUIT\r\n", "x".repeat(len - 7));
        let run = serve_all(|_| {}, line.as_bytes());
        assert_eq!(run.events, [if good { "NOOP" } else { "refused 500" }, "QUIT"]);
        assert!(run.most <= 16 * 1024);
    }
    let endless = vec![b'x'; 3 << 20];
    let run = serve_all(|config| config.limits.discard = 100_000, &endless);
    assert_eq!(run.events, ["refused 500"]);
    assert_eq!(run.end, Some(Err(Violation::Limit("discard", 100_000))));
}

#[test]
fn an_auth_line_may_be_longer_and_has_an_end() {
    for (len, event) in [(12_288, "auth"), (12_289, "refused 500")] {
        let spare = len - "AUTH PLAIN \r\n".len();
        let line = format!("EHLO c\r\nAUTH PLAIN {}\r\nQUIT\r\n", "A".repeat(spare));
        // Base64 comes in fours; what is left over is no base64, but the line is not too long.
        let event = if event == "auth" && spare % 4 != 0 { "refused 501" } else { event };
        let run = serve_all(|_| {}, line.as_bytes());
        assert_eq!(run.events, ["EHLO", event, "QUIT"]);
        assert!(run.most <= 16 * 1024);
    }
}

#[test]
fn recipients_are_counted_and_the_mail_goes_on() {
    let octets = with(OPEN, b"RCPT TO:<e@d>\r\nRCPT TO:<g@d>\r\nDATA\r\n.\r\nQUIT\r\n");
    let run = serve_all(|config| config.limits.recipients = 2, &octets);
    assert_eq!(run.events, ["EHLO", "MAIL", "RCPT", "RCPT", "refused 452", "DATA", "end", "QUIT"]);
}

#[test]
fn bad_commands_are_counted_whoever_refuses() {
    let octets = b"FOO\r\nDATA\r\nRSET x\r\nEHLO c\r\nBDAT 1\r\nxBAR\r\nQUIT\r\n";
    let run = serve_all(|config| config.limits.bad_commands = 4, octets);
    assert_eq!(run.end, Some(Err(Violation::Limit("bad_commands", 4))));
    assert_eq!(last_code(&run), "421");
    assert!(!run.events.contains(&"QUIT".to_owned()));
}

#[test]
fn commands_without_a_mail_are_counted_until_there_is_one() {
    let noops = "NOOP\r\n".repeat(3);
    let octets = format!("{noops}{OPEN}DATA\r\n.\r\n{noops}HELP\r\nVRFY x\r\nNOOP\r\n");
    let run = serve_all(|config| config.limits.idle_commands = 5, octets.as_bytes());
    assert_eq!(run.events.iter().filter(|event| *event == "NOOP").count(), 6);
    assert_eq!(run.events.last().unwrap(), "refused 421");
    assert_eq!(run.end, Some(Err(Violation::Limit("idle_commands", 5))));
}

#[test]
fn failed_logins_are_counted() {
    let octets = format!("EHLO c\r\n{}", "AUTH PLAIN AGEAYg==\r\n".repeat(4));
    let run = serve_all(|config| config.limits.auth_failures = 2, octets.as_bytes());
    assert_eq!(run.events, ["EHLO", "auth", "auth", "auth"]);
    assert_eq!(run.end, Some(Err(Violation::Limit("auth_failures", 2))));
}

#[test]
fn a_message_is_counted_as_it_streams() {
    for (len, event) in [(100, "end"), (101, "TooLarge")] {
        let body = format!("DATA\r\n.{}\r\n.\r\nQUIT\r\n", "x".repeat(len - 2));
        let run = serve_all(|config| config.limits.message = 100, &with(OPEN, body.as_bytes()));
        assert_eq!(&run.events[3..], ["DATA", "+100", event, "QUIT"]);
    }
    let run = serve_all(
        |config| (config.limits.message, config.limits.discard) = (100, 5000),
        &with(OPEN, &with("DATA\r\n", &vec![b'x'; 20_000])),
    );
    assert_eq!(&run.events[3..], ["DATA", "+100", "TooLarge"]);
    assert_eq!((run.end.as_ref(), last_code(&run)), (Some(&Err(Violation::Limit("discard", 5000))), "552"));
}

#[test]
fn chunks_add_up_to_a_message() {
    let body = b"BDAT 60\r\n012345678901234567890123456789012345678901234567890123456789BDAT 41\r\n01234567890123456789012345678901234567890QUIT\r\n";
    let run = serve_all(|config| config.limits.message = 100, &with(OPEN, body));
    assert_eq!(&run.events[3..], ["BDAT", "+60", "refused 552", "Reset", "QUIT"]);
    let huge = b"BDAT 18446744073709551615 LAST\r\n";
    let run = serve_all(|_| {}, &with(OPEN, huge));
    assert_eq!(run.end, Some(Err(Violation::Limit("discard", 1 << 20))));
}

#[test]
fn small_chunks_are_counted_large_ones_are_not() {
    let small = "BDAT 1\r\nx".repeat(5);
    let run = serve_all(|config| config.limits.chunks = 4, &with(OPEN, small.as_bytes()));
    assert_eq!(run.events[run.events.len() - 2..], ["refused 421".to_owned(), format!("{:?}", Abort::Ended)]);
    assert_eq!(run.end, Some(Err(Violation::Limit("chunks", 4))));
    let large = format!("BDAT 512\r\n{}", "x".repeat(512)).repeat(9);
    let run = serve_all(|config| config.limits.chunks = 4, &with(OPEN, large.as_bytes()));
    assert_eq!((run.end, run.events.last().unwrap().as_str()), (None, "+512"));
}

#[test]
fn a_tls_record_is_known_by_its_first_octet() {
    let run = serve_all(|_| {}, b"\x16\x03\x01\x00\xc8");
    assert!(matches!(run.end, Some(Err(Violation::ForeignProtocol(_)))));
    assert_eq!(last_code(&run), "554");
}

#[test]
fn octets_behind_a_synchronisation_point_end_an_unauthenticated_session() {
    for line in ["EHLO c\r\nNOOP\r\n", "EHLO c\r\n"] {
        let strict = |config: &mut server::Config| config.policy.sync = mail_smtp_proto::policy::Sync::Strict;
        let run = serve(strict, line.as_bytes(), usize::MAX);
        let behind = line.len() > 8;
        assert_eq!(run.end, behind.then_some(Err(Violation::Synchronisation)));
        assert_eq!(run.events.is_empty(), behind, "{line:?}");
    }
}

#[test]
fn an_expired_session_says_so_and_tells_of_the_message() {
    let mut server = Server::new(server::Config::default());
    let (mut input, mut output) = (Input::new(), Output::new());
    let mut events = Vec::new();
    for step in ["", "EHLO c\r\n", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "half a mess"] {
        input.feed(step.as_bytes());
        while let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) {
            let event = server.decode(unit, &mut input).unwrap();
            events.extend(yes(&mut server, event, &mut output));
        }
    }
    assert_eq!(server.patience(), Duration::from_secs(600));
    server.close(Closing::Expired, &mut output);
    drain(&mut output);
    let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) else { panic!() };
    let event = server.decode(unit, &mut input).unwrap();
    events.extend(yes(&mut server, event, &mut output));
    assert_eq!(events, ["EHLO", "MAIL", "RCPT", "DATA", "+11", "Ended"]);
    assert_eq!(server.frame(&mut input, &mut output).unwrap_err(), Violation::Expired);
    assert!(drain(&mut output).starts_with("421 "));
}

/// A client that has said `EHLO`, and what a server's octets do to it.
fn told(
    change: impl Fn(&mut Limits),
    octets: &[u8],
    size: usize,
) -> (Option<usize>, Option<Violation>, usize) {
    let mut config = client::Config::default();
    change(&mut config.limits);
    let (mut client, mut input, mut output) = (client::Client::new(config), Input::new(), Output::new());
    input.feed(b"220 mx\r\n");
    let (mut lines, mut at, mut most) = (None, 0, 0);
    loop {
        most = most.max(input.capacity());
        match client.frame(&mut input, &mut output) {
            Ok(Framed::Ready(unit)) => match client.decode(unit, &mut input).unwrap() {
                client::Event::Greeting(_) => {
                    client.send(&Command::parse(b"EHLO c").unwrap(), &mut output).unwrap();
                }
                client::Event::Reply(_, reply) => lines = Some(reply.len()),
                other => panic!("{other:?}"),
            },
            Ok(Framed::NeedInput) if at < octets.len() => {
                let n = input.feed(&octets[at..octets.len().min(at.saturating_add(size))]);
                assert!(n > 0, "more is needed and there is no room");
                at += n;
            }
            Ok(_) => return (lines, None, most),
            Err(error) => return (lines, Some(error), most),
        }
    }
}

#[test]
fn replies_have_an_end() {
    for size in [1, 1000, usize::MAX] {
        let line = |len: usize| format!("250 {}\r\n", "x".repeat(len - 6)).into_bytes();
        assert_eq!(told(|_| {}, &line(4096), size).0, Some(1));
        let fault = Violation::Line(LineFault::TooLong { limit: 4096 });
        assert_eq!(told(|_| {}, &line(4097), size).1, Some(fault));
        let lines = |n: usize| format!("{}250 x\r\n", "250-x\r\n".repeat(n - 1)).into_bytes();
        assert_eq!(told(|_| {}, &lines(512), size).0, Some(512));
        assert_eq!(told(|_| {}, &lines(513), size).1, Some(Violation::Limit("reply_lines", 512)));
        let long = format!("{}250 x\r\n", format!("250-{}\r\n", "x".repeat(1000)).repeat(70)).into_bytes();
        let (_, fault, most) = told(|_| {}, &long, size);
        assert_eq!(fault, Some(Violation::Limit("reply_total", 65_536)));
        assert!(most <= 65_536 + 16_384, "{most}");
    }
}

#[test]
fn a_client_has_so_many_in_flight_and_no_more() {
    let mut config = client::Config::default();
    config.limits.in_flight = 2;
    let (mut client, mut input, mut output) = (client::Client::new(config), Input::new(), Output::new());
    input.feed(b"220 mx\r\n");
    for reply in ["250-mx\r\n250 PIPELINING\r\n", ""] {
        while let Ok(Framed::Ready(unit)) = client.frame(&mut input, &mut output) {
            let greeting = matches!(client.decode(unit, &mut input).unwrap(), client::Event::Greeting(_));
            if greeting {
                client.send(&Command::parse(b"EHLO c").unwrap(), &mut output).unwrap();
            }
        }
        input.feed(reply.as_bytes());
    }
    let mut send = |line: &str| client.send(&Command::parse(line.as_bytes()).unwrap(), &mut output);
    send("MAIL FROM:<a@b>").unwrap();
    send("RCPT TO:<c@d>").unwrap();
    assert_eq!(send("RCPT TO:<e@d>").unwrap_err(), Misuse::MustWait);
}

#[test]
fn a_chunk_takes_what_it_announced() {
    let (mut client, mut input, mut output) =
        (client::Client::new(client::Config::default()), Input::new(), Output::new());
    let replies = ["220 mx\r\n", "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n"];
    for (reply, commands) in replies.iter().zip([&["EHLO c"][..], &["MAIL FROM:<a@b>", "RCPT TO:<c@d>"]]) {
        input.feed(reply.as_bytes());
        while let Ok(Framed::Ready(unit)) = client.frame(&mut input, &mut output) {
            drop(client.decode(unit, &mut input).unwrap());
        }
        for command in commands {
            client.send(&Command::parse(command.as_bytes()).unwrap(), &mut output).unwrap();
        }
    }
    let (_, mut grant) = client.chunk(4, true, &mut output).unwrap();
    let mut piece = Bytes::from_static(b"abcde");
    assert_eq!(client.body(&mut grant, &mut piece, &mut output), Err(Misuse::WrongLength));
    let mut piece = Bytes::from_static(b"ab\n");
    assert!(matches!(client.body(&mut grant, &mut piece, &mut output), Err(Misuse::Invalid(_))));
    let mut piece = Bytes::from_static(b"abc");
    client.body(&mut grant, &mut piece, &mut output).unwrap();
    let back = client.end_body(grant, &mut output).unwrap_err();
    assert_eq!(back.why, Misuse::WrongLength);
    let mut grant = back.token;
    client.body(&mut grant, &mut Bytes::from_static(b"d"), &mut output).unwrap();
    client.end_body(grant, &mut output).unwrap();
    assert!(drain(&mut output).ends_with("BDAT 4 LAST\r\nabcd"));
}
