//! Faults that were made once, each as a test of its name; and octets that nobody would send.

mod common;

use common::{Cuts, Session, Step, replay};
use mail_imap_proto::client::{Config, Event};
use mail_imap_proto::response::{FetchItem, FetchPart, Untagged};
use mail_imap_proto::types::{Envelope, Status};
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn secure() -> Session {
    let mut session = Session::secure(Config::default());
    session.feed(b"* PREAUTH hi\r\n");
    session
}

/// Feeds a line and gives the time that it took; the line is read to its end.
fn time(line: &[u8]) -> Duration {
    let mut session = secure();
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
        Step::Peer(b"* 1 FETCH (BODY[1] {6}\r\n \r\n \r\n BODY[2] {9}\r\n123456789 BODY[3] {2}\r\n\r\n)\r\n"),
    ];
    let log = replay(Session::secure(config), &steps, Cuts::Single);
    assert!(log[1].contains(r#"=Some(" \\r\\n \\r\\n") BODY[2] {9}"#), "{}", log[1]);
    assert!(log[3].ends_with(r#"=Some("\\r\\n")."#), "{}", log[3]);
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
            session.send(b"a NOOP\r\n");
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
