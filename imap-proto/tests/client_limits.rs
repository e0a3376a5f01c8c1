//! Every limit of the client bites, and framing survives what it refuses.

mod common;

use common::{Cuts, Session, Step, replay};
use mail_imap_proto::client::Config;
use mail_imap_proto::types::{Invalid, SequenceSet};
use mail_imap_proto::{Limits, Violation};
use mail_wire::line::LineFault;
use mail_wire::{Machine, Misuse};
use std::time::Duration;

const HELLO: Step = Step::Peer(b"* PREAUTH hi\r\n");
/// A mailbox is about to be selected: what is told of messages has its place.
const SELECT: Step = Step::Send(b"s SELECT x\r\n");

fn session(limits: Limits) -> Session {
    Session::secure(Config { limits, ..Config::default() })
}

/// The last event, and that it is the same at every cut.
fn last(limits: &Limits, steps: &[Step]) -> String {
    let whole = replay(session(limits.clone()), steps, Cuts::Whole);
    assert_eq!(whole, replay(session(limits.clone()), steps, Cuts::Single));
    whole.last().unwrap().clone()
}

fn violation(violation: Violation) -> String {
    format!("Violation {violation:?}")
}

#[test]
fn a_line_before_authentication() {
    let limits = Limits { line_before_auth: 20, ..Limits::default() };
    assert_eq!(last(&limits, &[Step::Peer(b"* OK 3456789012345\r\n")]), "Greeting OK 3456789012345");
    let long = violation(LineFault::TooLong { limit: 20 }.into());
    assert_eq!(last(&limits, &[Step::Peer(b"* OK 34567890123456\r\n")]), long);
    assert_eq!(last(&limits, &[Step::Peer(b"* OK 345678901234567")]), long);
    assert_eq!(last(&limits, &[Step::Peer(b"* OK hi\r\n"), Step::Peer(b"* OK 34567890123456\r\n")]), long);
}

/// Before the log-in literals take of the line: a server that has proved nothing makes a client hold one line, and no more.
#[test]
fn a_line_before_authentication_with_its_literals() {
    let limits = Limits { line_before_auth: 30, ..Limits::default() };
    let id = |octets: &'static [u8]| last(&limits, &[Step::Peer(b"* OK hi\r\n"), Step::Peer(octets)]);
    assert!(id(b"* ID (\"a\" {10}\r\n0123456789)\r\n").starts_with("* Id"));
    let long = violation(LineFault::TooLong { limit: 30 }.into());
    assert_eq!(id(b"* ID (\"abc\" {10}\r\n0123456789)\r\n"), long);
    assert_eq!(id(b"* ID (\"a\" {10}\r\n0123456789 \"bc"), long);
    assert_eq!(id(b"* ID (\"a\" {31}\r\n"), violation(Violation::LiteralsTooLarge { limit: 30 }));
}

/// What a server says of messages before the log-in is not even read.
#[test]
fn before_the_log_in_no_message_is_read_into_memory() {
    let mut line = b"* 1 FETCH (ENVELOPE (".to_vec();
    line.extend_from_slice(&b"NIL ".repeat(10_000));
    line.extend_from_slice(b"\r\n* CAPABILITY IMAP4rev1\r\n");
    let mut session = session(Limits::default());
    session.feed(b"* OK hi\r\n");
    session.feed(&line);
    let log = session.log();
    assert!(log[1].starts_with("Malformed State"), "{}", &log[1][..40]);
    assert!(log[2].starts_with("* Capability"));
}

#[test]
fn a_line_in_every_state_behind_the_log_in() {
    let limits = Limits { line_before_auth: 20, line: 30, ..Limits::default() };
    let selected = [HELLO, Step::Send(b"a SELECT x\r\n"), Step::Peer(b"a OK x\r\n")];
    let idle = [selected[0], selected[1], selected[2], Step::Send(b"b IDLE\r\n"), Step::Peer(b"+ x\r\n")];
    let waiting = [HELLO, Step::Send(b"a APPEND x {3}\r\n")];
    let states: [&[Step]; 4] = [&[HELLO], &selected, &idle, &waiting];
    for state in states {
        let with = |octets| last(&limits, &[state, &[Step::Peer(octets)]].concat());
        assert_eq!(with(b"* OK 3456789012345678901234\r\n* LIST () NIL x\r\n"), "* List(() None \"x\")");
        let long = violation(LineFault::TooLong { limit: 30 }.into());
        assert_eq!(with(b"* OK 345678901234567890123456\r\n"), long);
        assert_eq!(with(b"* OK 3456789012345678901234567"), long);
    }
}

#[test]
fn a_line_after_authentication_without_its_literals() {
    let limits = Limits { line_before_auth: 20, line: 40, ..Limits::default() };
    let fits = Step::Peer(b"* LIST () \"/\" {30}\r\n012345678901234567890123456789\r\n");
    assert!(last(&limits, &[HELLO, fits]).starts_with("* List"));
    let long = Step::Peer(b"* LIST () \"/\" {3}\r\n012 0123456789012345678\r\n");
    assert_eq!(last(&limits, &[HELLO, long]), violation(LineFault::TooLong { limit: 40 }.into()));
}

#[test]
fn an_inline_literal_above_the_limit_is_streamed_where_it_is_a_message() {
    let limits = Limits { literal_inline: 3, ..Limits::default() };
    let body = Step::Peer(b"* 1 FETCH (BODY[] {4}\r\nabcd UID 2)\r\n* 3 EXISTS\r\n");
    let log = replay(session(limits.clone()), &[HELLO, SELECT, body], Cuts::Whole);
    assert!(log.contains(&"Chunk \"abcd\"".to_string()), "{log:?}");
    assert_eq!(log.last().unwrap(), "* Exists(3)");
    for foreign in [
        &b"* LIST () \"/\" {4}\r\n"[..],
        b"* 1 FETCH (ENVELOPE (NIL {4}\r\n",
        b"* 1 FETCH (BODY[HEADER.FIELDS ({4}\r\n",
        b"* 1 FETCH (X-BODY[] {4}\r\n",
        b"* 1 FETCH (BODY[] (a) {4}\r\n",
        b"* 1 FETCH (UID 3 BODY {4}\r\n",
        b"* 1 FETCH ((BODY[] {4}\r\n",
        b"* 1 FETCH (X \"BODY[] \" {4}\r\n",
        b"* 1 STORE (BODY[] {4}\r\n",
    ] {
        let foreign = Step::Peer(foreign);
        assert_eq!(
            last(&limits, &[HELLO, SELECT, foreign]),
            violation(Violation::LiteralTooLarge { limit: 3 })
        );
    }
    for body in [
        &b"* 1 FETCH (UID 3 BODY[HEADER.FIELDS (A \"]\" {2}\r\n)])]<9> {4}\r\n"[..],
        b"* 1 FETCH (X (BODY[] {2}\r\n))) BINARY[1.2] ~{4}\r\n",
        b"* 1 FETCH (RFC822.HEADER {4}\r\n",
        b"* 1 UIDFETCH (rfc822 {4}\r\n",
        b"* 1 FETCH (FLAGS (\\Seen) body[]  {4}\r\n",
    ] {
        let log = replay(
            session(limits.clone()),
            &[HELLO, SELECT, Step::Peer(body), Step::Peer(b"wxyz)\r\n")],
            Cuts::Single,
        );
        assert_eq!(log[log.len() - 2], "Chunk \"wxyz\"", "{log:?}");
    }
}

#[test]
fn inline_literals_together() {
    let limits = Limits { literal_inline: 4, literals_inline: 10, ..Limits::default() };
    let list = Step::Peer(b"* LIST () {3}\r\n\"/\" {4}\r\nabcd ({4}\r\n");
    let large = violation(Violation::LiteralsTooLarge { limit: 10 });
    assert_eq!(last(&limits, &[HELLO, SELECT, list]), large);
    // A message is streamed whatever its size, and the count begins anew behind it.
    let fetch = Step::Peer(
        b"* 1 FETCH (BODY[1] {4}\r\naaaa BODY[2] {4}\r\nbbbb BODY[3] {3}\r\nccc BODY[4] {4}\r\ndddd BODY[5] {0}\r\n UID 9)\r\n",
    );
    let log = replay(session(limits.clone()), &[HELLO, SELECT, fetch], Cuts::Single);
    assert_eq!(log[2], "Chunk \"ccc\"");
    assert!(log[3].contains("\"dddd\"") && log[3].ends_with("Uid(9)."), "{log:?}");
    assert_eq!(log, replay(session(limits), &[HELLO, SELECT, fetch], Cuts::Whole));
}

#[test]
fn a_literal_of_no_octets_is_streamed_without_a_chunk() {
    let limits = Limits { literal_inline: 1, literals_inline: 1, ..Limits::default() };
    let fetch = Step::Peer(b"* 1 FETCH (BODY[1] {1}\r\na BODY[2] {1}\r\nb BODY[3] {0}\r\n UID 9)\r\n");
    let log = replay(session(limits), &[HELLO, SELECT, fetch], Cuts::Single);
    assert_eq!(log[2], "Chunk \"b\"");
    assert!(log.last().unwrap().contains("Some(\"\") Uid(9)."), "{log:?}");
}

#[test]
fn a_streamed_literal() {
    let limits = Limits { literal_inline: 3, literal_streamed: 5, ..Limits::default() };
    let five = Step::Peer(b"* 1 FETCH (BODY[] {5}\r\nabcde)\r\n");
    assert_eq!(last(&limits, &[HELLO, SELECT, five]), "Seq(1).");
    let six = Step::Peer(b"* 1 FETCH (BODY[] {6}\r\nabcdef)\r\n");
    assert_eq!(last(&limits, &[HELLO, SELECT, six]), violation(Violation::LiteralTooLarge { limit: 5 }));
    let wrap = Step::Peer(b"* 1 FETCH (BODY[] {18446744073709551616}\r\n)\r\n");
    assert_eq!(last(&limits, &[HELLO, SELECT, wrap]), violation(Violation::LiteralTooLarge { limit: 5 }));
}

#[test]
fn lines_that_nobody_asked_for() {
    let limits = Limits { unsolicited: Some(2), ..Limits::default() };
    let three = Step::Peer(b"* 1 EXISTS\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n");
    assert_eq!(last(&limits, &[HELLO, three]), violation(Violation::Unsolicited { limit: 2 }));
    let asked = [HELLO, Step::Send(b"a SELECT x\r\n"), three, Step::Peer(b"a OK done\r\n* 4 EXISTS\r\n")];
    assert_eq!(last(&limits, &asked), "* Exists(4)");
}

#[test]
fn a_sasl_line_in_both_directions() {
    let limits = Limits { auth_line: 30, ..Limits::default() };
    let start = [Step::Peer(b"* OK hi\r\n"), Step::Send(b"a AUTHENTICATE X\r\n")];
    let fits = [start[0], start[1], Step::Peer(b"+ QUFBQUFBQUFBQUFBQUFBQUFB\r\n")];
    assert!(last(&limits, &fits).starts_with("Challenge"));
    let long = [start[0], start[1], Step::Peer(b"+ QUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n")];
    assert_eq!(last(&limits, &long), violation(LineFault::TooLong { limit: 30 }.into()));
    let mut session = session(limits);
    fits.iter().for_each(|step| session.step(*step, Cuts::Whole));
    let returned = session.respond(&[b'x'; 22]).unwrap_err();
    assert_eq!(returned.why, Misuse::TooLong(30));
}

#[test]
fn nesting() {
    let limits = Limits { body_depth: 2, list_depth: 1, ..Limits::default() };
    let text = "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)";
    let body = |depth: usize| {
        let (open, close) = ("(".repeat(depth), " \"MIXED\")".repeat(depth));
        let line = format!("* 1 FETCH (BODYSTRUCTURE {open}{text}{close} UID 7)\r\n");
        last(&limits, &[HELLO, SELECT, Step::Peer(line.leak().as_bytes())])
    };
    assert!(body(2).contains("2t"));
    assert_eq!(body(3), "Seq(1) ?BODYSTRUCTURE:Depth@18 Uid(7).");
    let extension =
        "* 1 FETCH (BODYSTRUCTURE (\"A\" \"B\" NIL NIL NIL \"7BIT\" 1 NIL NIL NIL NIL (((1)))) UID 7)\r\n";
    assert!(
        last(&limits, &[HELLO, SELECT, Step::Peer(extension.as_bytes())]).contains("?BODYSTRUCTURE:Depth")
    );
    let fetch = Step::Peer(b"* 1 FETCH (X (a) Y ((b)) UID 7)\r\n");
    assert_eq!(last(&limits, &[HELLO, SELECT, fetch]), "Seq(1) X=(a) ?Y:Depth@7 Uid(7).");
    for line in [
        &b"* LIST () \"/\" a (x ((y)))\r\n"[..],
        b"* STATUS a (X ((1)))\r\n",
        b"* THREAD (1 (2 (3)(4)))\r\n",
        b"* ESEARCH X ((1))\r\n",
        b"* NAMESPACE (((\"a\" \"/\"))) NIL NIL\r\n",
    ] {
        assert!(last(&limits, &[HELLO, SELECT, Step::Peer(line)]).starts_with("Malformed Depth"), "{line:?}");
    }
}

#[test]
fn the_tape() {
    // More addresses than the tape has entries: the unit is malformed, and the link goes on.
    let mut line = b"* 1 FETCH (ENVELOPE (NIL NIL (".to_vec();
    line.extend_from_slice(&b"(NIL NIL NIL NIL)".repeat(20_000));
    line.extend_from_slice(b") NIL NIL NIL NIL NIL NIL NIL))\r\n* 3 EXISTS\r\n");
    let mut session = session(Limits::default());
    [HELLO, SELECT].iter().for_each(|step| session.step(*step, Cuts::Whole));
    session.feed(&line);
    let log = session.log();
    assert!(log[1].starts_with("Malformed Tape"), "{}", &log[1][..60]);
    assert_eq!(log[2], "* Exists(3)");
}

/// A set that is sent was checked when it was made. One that is told has as many items as its line holds: what has gone from a large mailbox
/// is told in one.
#[test]
fn items_of_a_set() {
    let items = (1..=20_000).map(|n| (2 * n).to_string()).collect::<Vec<_>>().join(",");
    for line in [
        format!("* VANISHED (EARLIER) {items}\r\n"),
        format!("* OK [MODIFIED {items}] x\r\n"),
        format!("* OK [COPYUID 9 {items} {items}] x\r\n"),
        format!("* ESEARCH (TAG \"a\") UID ALL {items}\r\n"),
    ] {
        let mut session = session(Limits::default());
        [HELLO, SELECT].iter().for_each(|step| session.step(*step, Cuts::Whole));
        session.feed(line.as_bytes());
        let told = session.log().pop().unwrap();
        assert!(told.contains(",40000"), "{}", &told[..60]);
        assert!(!told.starts_with("Malformed") && !told.contains('?'), "{}", &told[..60]);
    }
    let set = |items: usize| vec!["1"; items].join(",");
    assert!(SequenceSet::new(set(8192).as_bytes()).is_ok());
    assert_eq!(SequenceSet::new(set(8193).as_bytes()), Err(Invalid::TooMany { limit: 8192 }));
}

/// Each state has its wait: the standard's by default, the application's where it says so.
#[test]
fn every_state_has_its_wait() {
    let seconds = Duration::from_secs;
    let short = Limits {
        wait_login: seconds(1),
        wait_command: seconds(2),
        wait_idle: seconds(3),
        ..Limits::default()
    };
    const OK: Step = Step::Peer(b"* OK hi\r\n");
    let select = [HELLO, Step::Send(b"a SELECT x\r\n")];
    let selected = [select[0], select[1], Step::Peer(b"a OK x\r\n")];
    let idle = [HELLO, Step::Send(b"a IDLE\r\n")];
    let idling = [idle[0], idle[1], Step::Peer(b"+ x\r\n")];
    let done = [idle[0], idle[1], Step::Peer(b"+ x\r\n"), Step::Done];
    let append = [HELLO, Step::Send(b"a APPEND x {3}\r\n")];
    let challenge = [OK, Step::Send(b"a AUTHENTICATE X\r\n"), Step::Peer(b"+ \r\n")];
    let states: [(&[Step], u64, u64); 10] = [
        (&[], 3, 1),
        (&[OK], 3, 1),
        (&challenge, 3, 1),
        (&[HELLO], 30, 3),
        (&select, 5, 2),
        (&selected, 30, 3),
        (&append, 5, 2),
        (&idle, 30, 3),
        (&idling, 30, 3),
        (&done, 5, 2),
    ];
    for (steps, minutes, set) in states {
        for (limits, wait) in [(Limits::default(), seconds(60 * minutes)), (short.clone(), seconds(set))] {
            let mut session = session(limits);
            steps.iter().for_each(|step| session.step(*step, Cuts::Whole));
            assert_eq!(session.client().patience(), wait, "{}", steps.len());
        }
    }
}
