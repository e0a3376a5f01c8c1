//! Faults that were made once while this shape was tried out, each as a test of its name; and octets that nobody would send.
//!
//! Of the machines:
//! - recovery behind a malformed attribute that reads the rest of the line each time: `recovery_is_linear`;
//! - a long pending unit that is moved at every read: `many_small_literals_are_linear`, and in mail-wire
//!   `what_is_moved_stays_in_proportion_to_what_is_read`;
//! - a slow link that cuts a body into pieces too small to be queued uncopied: `a_slow_link_does_not_make_bodies_be_copied`;
//! - a literal of no octets that makes an empty chunk: `a_literal_of_no_octets_makes_no_chunk_in_either_role`;
//! - a grant that no octets cause: `a_grant_without_a_plus_comes_without_input`;
//! - the meanings of `+`: `each_plus_means_what_the_command_in_flight_made_it_mean`, `a_plus_that_nothing_awaits_ends_the_session`;
//! - a refused literal that leaves the rest of its command behind: `a_refused_synchronising_literal_takes_the_rest_of_its_command_along`,
//!   `a_refused_literal_that_comes_all_the_same_is_swallowed_with_its_line`;
//! - errors so large that every result grows: `events_are_small`, and in the crate `a_fault_is_small`;
//! - white space that was trimmed off a literal: `a_literal_that_ends_in_spaces_and_line_ends_is_whole`;
//! - keywords that are tried in turn, `NIL` before each string: `keywords_are_told_by_length_and_never_tried_in_turn`; what it costs, the benchmarks
//!   count.
//!
//! Of what drives them:
//! - a farewell that overtakes an answer: `bye_stands_behind_the_answer_that_was_owed`;
//! - a cut that looks like an end: `a_cut_is_no_end`;
//! - memory kept by a connection that waits: `an_idle_connection_holds_little` in `client_memory`, and its like in `server_memory`;
//! - an input that cannot be sent to another thread: `machines_and_buffers_go_to_other_threads`;
//! - a secret that leaves copies where a buffer grows: `a_password_held_for_a_plus_stays_a_secret`, and in mail-wire
//!   `a_secret_is_overwritten_once_sent_and_where_the_buffer_grows`.
//!
//! What is left of them concerns TLS records, timers and sockets, which no machine sees; their tests stand in mail-session.

mod common;

use bytes::{Buf, Bytes};
use common::{Cuts, Session, Step, replay};
use mail_imap_proto::client::{Client, Config, Event};
use mail_imap_proto::response::{FetchItem, FetchPart, Untagged};
use mail_imap_proto::server::{self, Server};
use mail_imap_proto::types::{Condition, Envelope, FetchAtt, ResponseText, Status};
use mail_imap_proto::{Command, Limits, Violation};
use mail_testkit::hear;
use mail_wire::{Closing, End, Framed, Handover, Input, Machine, Output};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn secure() -> Session {
    let mut session = Session::secure(Config::default());
    session.feed(b"* PREAUTH hi\r\n");
    session
}

/// The same with a mailbox selected.
fn selected() -> Session {
    let mut session = secure();
    session.send(b"s SELECT x\r\n");
    session.feed(b"s OK in\r\n");
    session
}

/// Feeds a line and gives the time that it took; the line is read to its end.
fn time(line: &[u8]) -> Duration {
    let mut session = selected();
    let start = Instant::now();
    session.feed(line);
    session.feed(b"\r\n* 7 EXISTS\r\n");
    let time = start.elapsed();
    assert_eq!(session.log().last().unwrap(), "* Exists(7)");
    time
}

/// Recovery behind a malformed attribute never reads an octet a third time. Squared, each of these took minutes.
#[test]
fn recovery_is_linear() {
    for piece in [
        "BODY[ ",
        "BODY[\" ",
        "ENVELOPE (",
        "ENVELOPE (NIL ((",
        "BODYSTRUCTURE ((\"a\" ",
        "X (",
        "\"",
        "(",
        "{9",
        "FLAGS (a ",
    ] {
        let line = format!("* 1 FETCH ({}", piece.repeat(1_000_000 / piece.len()));
        assert!(time(line.as_bytes()) < Duration::from_secs(5), "{piece}");
    }
}

#[test]
fn many_small_literals_are_linear() {
    let mut line = b"* 1 FETCH (FLAGS (a)".to_vec();
    line.extend_from_slice(&b" BODY[1] {1}\r\nx".repeat(9000));
    line.extend_from_slice(b")");
    assert!(time(&line) < Duration::from_secs(5));
}

/// The span of the attributes before a streamed literal was once trimmed, and with it a literal that ended in CRLF.
#[test]
fn a_literal_that_ends_in_spaces_and_line_ends_is_whole() {
    let mut config = Config::default();
    config.limits.literal_inline = 8;
    let steps = [
        Step::Peer(b"* PREAUTH hi\r\n"),
        Step::Send(b"s SELECT x\r\n"),
        Step::Peer(b"* 1 FETCH (BODY[1] {6}\r\n \r\n \r\n BODY[2] {9}\r\n123456789 BODY[3] {2}\r\n\r\n)\r\n"),
    ];
    let log = replay(Session::secure(config), &steps, Cuts::Single);
    assert!(log[1].contains(r#"=Some(" \\r\\n \\r\\n") BODY[2] {9}"#), "{}", log[1]);
    assert!(log[3].ends_with(r#"=Some("\\r\\n")."#), "{}", log[3]);
}

/// A server and an application that says yes.
struct Desk {
    server: Server,
    input: Input,
    output: Output,
    log: Vec<String>,
    /// An answer that is held back.
    held: Option<server::Answer>,
    hold: bool,
}

impl Desk {
    fn new() -> Self {
        let server = Handover::implicit(Server::new(server::Config::default())).secured();
        let (input, output) = (Input::new(), Output::new());
        let mut desk = Self { server, input, output, log: Vec::new(), held: None, hold: false };
        desk.say(b"l LOGIN u p\r\ns SELECT x\r\n");
        desk.written();
        desk.log.clear();
        desk
    }

    fn say(&mut self, octets: &[u8]) {
        for octet in octets.chunks(1).chain([&b""[..]]) {
            self.input.feed(octet);
            while let Ok(Framed::Ready(unit)) = self.server.frame(&mut self.input, &mut self.output) {
                self.turn(unit);
            }
        }
    }

    fn turn(&mut self, unit: mail_wire::Unit) {
        let event = self.server.decode(unit, &mut self.input).unwrap();
        self.log.push(format!("{event:?}"));
        let output = &mut self.output;
        match event {
            server::Event::Append(_, offer) => self.server.accept_body(offer, output).unwrap(),
            server::Event::Command(_, answer) if self.hold => self.held = Some(answer),
            server::Event::Connected(answer)
            | server::Event::Command(_, answer)
            | server::Event::BodyEnd(answer) => self.server.answer(answer, &done(), output).unwrap(),
            _ => {}
        }
    }

    fn written(&mut self) -> String {
        String::from_utf8(self.output.copy_to_bytes(self.output.remaining()).to_vec()).unwrap()
    }
}

fn done() -> Status<'static> {
    Status::new(Condition::Ok, ResponseText::new(b"done").unwrap())
}

/// Without the hysteresis of the output each turn of such a link frees 1,460 octets, and pieces of that size are copied one by one.
#[test]
fn a_slow_link_does_not_make_bodies_be_copied() {
    const MESSAGE: usize = 1 << 20;
    let mut desk = Desk::new();
    desk.hold = true;
    desk.say(b"a FETCH 1 BODY[]\r\n");
    let answer = desk.held.take().unwrap();
    let mut writer = desk.server.untagged(&answer, &mut desk.output).unwrap();
    let mut grant = writer.fetch(1).body(FetchAtt::MESSAGE, MESSAGE as u64).unwrap();
    let message = Bytes::from(vec![b'x'; MESSAGE]);
    let (mut left, mut pieces) = (message.clone(), 0);
    while !left.is_empty() {
        let before = left.len();
        desk.server.body(&mut grant, &mut left, &mut desk.output).unwrap();
        pieces += usize::from(left.len() < before);
        // Nothing of the message is in the memory of the output.
        assert!(desk.output.capacity() <= 2048, "{:?}", desk.output);
        let n = desk.output.remaining().min(1460);
        desk.output.advance(n);
    }
    assert!(pieces <= 2 * MESSAGE / Output::HIGH_WATER + 2, "{pieces} pieces");
}

#[test]
fn a_literal_of_no_octets_makes_no_chunk_in_either_role() {
    let mut config = Config::default();
    (config.limits.literal_inline, config.limits.literals_inline) = (1, 1);
    let fetch = Step::Peer(b"* 1 FETCH (BODY[1] {1}\r\na BODY[2] {2}\r\nbb BODY[3] {0}\r\n)\r\n");
    let select = [Step::Peer(b"* PREAUTH hi\r\n"), Step::Send(b"s SELECT x\r\n")];
    let log = replay(Session::secure(config), &[select[0], select[1], fetch], Cuts::Single);
    assert_eq!(log.iter().filter(|line| line.starts_with("Chunk")).count(), 1, "{log:?}");

    for announced in ["{0}", "{0+}"] {
        let mut desk = Desk::new();
        desk.say(format!("a APPEND x {announced}\r\n\r\nb NOOP\r\n").as_bytes());
        assert_eq!(desk.log.len(), 3, "{:?}", desk.log);
        assert!(desk.log[0].starts_with("Append") && desk.log[1].starts_with("BodyEnd"), "{:?}", desk.log);
    }
}

/// LITERAL+: nothing is awaited, and yet the grant is an event.
#[test]
fn a_grant_without_a_plus_comes_without_input() {
    let mut session = Session::secure(Config::default());
    session.feed(b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n");
    session.send(b"a APPEND x {3+}\r\n");
    session.step(Step::Body(b"abc", 2), Cuts::Whole);
    assert_eq!(session.written(), b"a APPEND x {3+}\r\nabc\r\n");
    assert!(session.log().last().unwrap().starts_with("BodyWanted"));
}

#[test]
fn each_plus_means_what_the_command_in_flight_made_it_mean() {
    for (line, meant) in [
        (&b"a CREATE {2}\r\n\xc3\xa9\r\n"[..], "Continued"),
        (b"a APPEND x {3}\r\n", "BodyWanted"),
        (b"a IDLE\r\n", "Idling"),
    ] {
        let mut session = secure();
        session.send(line);
        session.feed(b"+ go on\r\n");
        assert!(session.log().last().unwrap().starts_with(meant), "{meant}");
    }
    let mut session = Session::secure(Config::default());
    session.feed(b"* OK hi\r\n");
    session.send(b"a AUTHENTICATE X\r\n");
    session.feed(b"+ Z28gb24=\r\n");
    assert!(session.log().last().unwrap().starts_with("Challenge"));
}

/// What was held behind the literal belonged to the refused command, and goes out with no other.
#[test]
fn a_refused_synchronising_literal_takes_the_rest_of_its_command_along() {
    let mut session = secure();
    session.send(b"a RENAME {2}\r\n\xc3\xa9 {2}\r\n\xc3\xa8\r\n");
    session.feed(b"+ go on\r\n");
    assert_eq!(session.written(), b"a RENAME {2}\r\n\xc3\xa9 {2}\r\n");
    session.feed(b"a NO too many\r\n");
    session.send(b"b CREATE {2}\r\n\xc3\xa9\r\n");
    session.feed(b"+ go on\r\nb OK done\r\n");
    assert_eq!(session.written(), b"b CREATE {2}\r\n\xc3\xa9\r\n");

    // The server does not take for a literal what the client does not send any more.
    let mut desk = Desk::new();
    desk.say(b"a CREATE {9999999}\r\nb NOOP\r\n");
    assert_eq!(desk.written(), "a NO [TOOBIG] literal too large\r\nb OK done\r\n");
}

#[test]
fn a_refused_literal_that_comes_all_the_same_is_swallowed_with_its_line() {
    let mut desk = Desk::new();
    let body = "x LOGOUT\r\n".repeat(500);
    desk.say(
        format!("a RENAME {{5000+}}\r\n{body} {{12+}}\r\nb LOGOUT\r\n\r\n \"x\"\r\nc NOOP\r\n").as_bytes(),
    );
    assert_eq!(desk.written(), "a NO [TOOBIG] literal too large\r\nc OK done\r\n");
}

#[test]
fn bye_stands_behind_the_answer_that_was_owed() {
    let mut desk = Desk::new();
    desk.hold = true;
    desk.say(b"a NOOP\r\nb NOOP\r\n");
    desk.server.close(Closing::Shutdown, &mut desk.output);
    let answer = desk.held.take().unwrap();
    assert!(matches!(desk.server.frame(&mut desk.input, &mut desk.output), Ok(Framed::Paused(_))));
    desk.server.answer(answer, &done(), &mut desk.output).unwrap();
    assert!(matches!(desk.server.frame(&mut desk.input, &mut desk.output), Ok(Framed::Closed)));
    assert_eq!(desk.written(), "a OK done\r\n* BYE shutting down\r\n");
}

#[test]
fn a_cut_is_no_end() {
    for end in [End::Fin, End::Cut] {
        let mut desk = Desk::new();
        desk.say(b"a NO");
        desk.server.eof(end);
        let told = desk.server.frame(&mut desk.input, &mut desk.output).unwrap_err();
        assert_eq!(told, Violation::Truncated);

        let mut client = Handover::implicit(Client::new(Config::default())).secured();
        let (mut input, mut output) = (Input::new(), Output::new());
        input.feed(b"* OK hi\r\n* BY");
        while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
            client.decode(unit, &mut input).unwrap();
        }
        client.eof(end);
        assert_eq!(client.frame(&mut input, &mut output).unwrap_err(), Violation::Truncated);
    }
}

#[test]
fn machines_and_buffers_go_to_other_threads() {
    const fn is_send_and_sync<T: Send + Sync>() {}
    const {
        is_send_and_sync::<Client>();
        is_send_and_sync::<Server>();
        is_send_and_sync::<Input>();
        is_send_and_sync::<Output>();
        is_send_and_sync::<Event<'static>>();
        is_send_and_sync::<server::Event<'static>>();
    }
}

/// What is held for a `+` is a secret there too.
#[test]
fn a_password_held_for_a_plus_stays_a_secret() {
    let mut client = Handover::implicit(Client::new(Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    let mut hear = |client: &mut Client, output: &mut Output, octets: &[u8]| {
        input.feed(octets);
        while let Framed::Ready(unit) = client.frame(&mut input, output).unwrap() {
            client.decode(unit, &mut input).unwrap();
        }
    };
    hear(&mut client, &mut output, b"* OK hi\r\n");
    let line = b"a LOGIN u {7}\r\ns\xc3\xa9same\r\n";
    let (_, command) = Command::parse(line, &Limits::default(), false).unwrap();
    client.send(&command, &mut output).unwrap();
    assert!(!format!("{client:?}{output:?}{command:?}").contains("same"));
    hear(&mut client, &mut output, b"+ go on\r\n");
    let secret: Vec<&[u8]> = output
        .runs()
        .filter(|(class, _)| *class == mail_wire::Class::Secret)
        .map(|(_, octets)| octets)
        .collect();
    assert_eq!(secret, [b"s\xc3\xa9same"]);
    assert!(!format!("{client:?}{output:?}").contains("same"));
}

/// A continuation request means nothing while nothing waits for one.
#[test]
fn a_plus_that_nothing_awaits_ends_the_session() {
    let mut session = secure();
    session.feed(b"+ go ahead\r\n* 1 EXISTS\r\n");
    assert_eq!(session.log().last().unwrap(), "Violation Continuation");
}

#[test]
fn events_are_small() {
    assert!(size_of::<FetchItem<'_>>() <= 64, "{}", size_of::<FetchItem<'_>>());
    assert!(size_of::<Untagged<'_>>() <= 72, "{}", size_of::<Untagged<'_>>());
    assert!(size_of::<FetchPart<'_>>() <= 80, "{}", size_of::<FetchPart<'_>>());
    assert!(size_of::<Event<'_>>() <= 80, "{}", size_of::<Event<'_>>());
    assert!(size_of::<Envelope<'_>>() <= 40);
    assert!(size_of::<Status<'_>>() <= 64);
}

/// Pieces that a server could send, and pieces of them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"* ",
        b"1 ",
        b"FETCH (",
        b"UID 3",
        b" ",
        b"ENVELOPE (",
        b"BODY[",
        b"]",
        b"BODYSTRUCTURE (",
        b"(",
        b")",
        b"\"",
        b"\\",
        b"NIL",
        b"{3}\r\n",
        b"~{1}\r\n",
        b"{20}\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"+ ",
        b"a OK ",
        b"a NO [",
        b"* OK [",
        b"LIST () \"/\" x",
        b"SEARCH 1 2",
        b"FLAGS (\\Seen)",
        b"\0",
        b"\xff",
        b"\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1",
        b"STATUS x (",
        b"ESEARCH (TAG \"a\") UID ",
        b"99999999999999999999",
        b"THREAD (1 ",
        b"NAMESPACE ",
        b"ID (",
        b"BYE ",
        b"EXPUNGE",
        b"<0>",
    ];
    prop_oneof![
        8 => prop::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    /// Whatever a server sends: no panic, no spin, and the same events at every read size.
    #[test]
    fn any_octets_give_the_same_events_at_every_cut(pieces in prop::collection::vec(piece(), 0..40), line in any::<bool>()) {
        let octets: Vec<u8> = pieces.concat();
        let session = || {
            let mut config = Config::default();
            config.limits.literal_inline = 10;
            config.limits.literals_inline = 30;
            if line {
                config.policy.line = mail_wire::line::LineEnd::Tolerant;
            }
            let mut session = Session::secure(config);
            session.feed(b"* PREAUTH hi\r\n");
            session.send(b"a SELECT x\r\n");
            session
        };
        let mut whole = session();
        whole.feed(&octets);
        let mut single = session();
        for octet in &octets {
            single.feed(&[*octet]);
        }
        whole.eof();
        single.eof();
        prop_assert_eq!(whole.log(), single.log());
    }
}

/// Names are told apart by their length and all of their letters, whatever their case, and none is tried as the beginning of another: with a
/// letter more, less or other, an attribute is one that is kept as it is. What that saves is counted by the benchmarks.
#[test]
fn keywords_are_told_by_length_and_never_tried_in_turn() {
    let kind = |name: &str, value: &str| {
        let (mut client, mut input, mut output) =
            (Handover::implicit(Client::new(Config::default())).secured(), Input::new(), Output::new());
        hear(&mut client, &mut input, &mut output, b"* PREAUTH hi\r\n", |_| ());
        let (_, select) = Command::parse(b"a SELECT x\r\n", &Limits::default(), false).unwrap();
        client.send(&select, &mut output).unwrap();
        input.feed(format!("* 1 FETCH ({name} {value})\r\n").as_bytes());
        let mut kinds = Vec::new();
        while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
            if let Event::Fetch(part) = client.decode(unit, &mut input).unwrap() {
                kinds.extend(part.items().map(|item| {
                    format!("{item:?}")
                        .split(|letter: char| !letter.is_alphanumeric())
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                }));
            }
        }
        assert_eq!(kinds.len(), 1, "{name} {value}");
        kinds.remove(0)
    };
    let unknown = kind("X-UNKNOWN", "1");
    let known = [
        ("FLAGS", "()"),
        ("UID", "4"),
        ("RFC822.SIZE", "5"),
        ("MODSEQ", "(6)"),
        ("INTERNALDATE", "\"17-Jul-1996 02:44:25 -0700\""),
    ];
    assert_eq!(unknown, "Other");
    let mut kinds = vec![unknown.clone()];
    for (name, value) in known {
        let mine = kind(name, value);
        assert!(!kinds.contains(&mine), "{name}");
        assert_eq!(kind(&name.to_lowercase(), value), mine, "{name}");
        kinds.push(mine);
        let other = name.replacen(&name[1..2], "Z", 1);
        for near in [format!("{name}S"), name[..name.len() - 1].into(), format!("X{name}"), other] {
            assert_eq!(kind(&near, "1"), unknown, "{near}");
        }
    }
}
