//! Policies for bodies and line ends, shutdowns, ends.

use super::desk::Desk;
use crate::Policy;
use crate::server::{Config, Offer};
use mail_wire::dot::BodyEol;
use mail_wire::{Closing, End};

fn selected() -> Desk {
    Desk::selected(Config::default())
}

#[test]
fn the_policy_lets_bare_line_ends_pass_and_nul_never() {
    let policy = Policy { body_eol: BodyEol::Pass, ..Policy::server() };
    let mut desk = Desk::selected(Config { policy, ..Config::default() });
    desk.say(b"a APPEND INBOX {3+}\r\na\nb\r\nb APPEND INBOX {3+}\r\na\0b\r\n");
    assert_eq!(String::from_utf8(desk.sent).unwrap(), "a OK done\r\nb BAD cannot read this\r\n");
}

#[test]
fn a_binary_message_may_hold_nul_where_it_is_offered() {
    let offer = Offer::new("IMAP4rev1 BINARY").unwrap();
    let mut desk = Desk::selected(Config { offer: offer.into(), ..Config::default() });
    desk.say(b"a APPEND INBOX ~{5+}\r\na\0b\0c\r\nb NOOP\r\n");
    assert!(desk.log.contains("chunk a\\x00b\\x00c\nbody end\n"));
}

#[test]
fn octets_behind_starttls_end_the_connection() {
    for surplus in [&b"b"[..], b"b NOOP\r\n", b"b APPEND INBOX {5}\r\n", b"\x16\x03\x01"] {
        let mut desk = Desk::new(Config::default());
        desk.say(&[b"a STARTTLS\r\n", surplus].concat());
        assert!(desk.log.starts_with("start tls\nviolation "), "{}", desk.log);
        let sent = String::from_utf8(desk.sent).unwrap();
        assert!(sent.ends_with("a BAD octets behind STARTTLS\r\n* BYE octets behind STARTTLS\r\n"), "{sent}");
    }
}

#[test]
fn quotes_that_are_open_before_a_literal_end_the_session() {
    let mut desk = selected();
    desk.say(b"a SELECT \"x {5}\r\n");
    assert!(desk.log.starts_with("violation a quoted string is open"), "{}", desk.log);
    assert_eq!(
        String::from_utf8(desk.sent).unwrap(),
        "a BAD quotes open before a literal\r\n* BYE quotes open before a literal\r\n"
    );
}

#[test]
fn a_bare_line_end_is_fatal_unless_the_policy_takes_it() {
    let mut desk = selected();
    desk.say(b"a NOOP\nb NOOP\r\n");
    assert!(desk.log.starts_with("violation LF without CR"), "{}", desk.log);
    let policy = Policy { line: mail_wire::line::LineEnd::Tolerant, ..Policy::server() };
    let mut desk = Desk::selected(Config { policy, ..Config::default() });
    desk.say(b"a NOOP\nb NOOP\r\n");
    assert_eq!(desk.log, "Noop\nNoop\n");
    assert_eq!(desk.server().repairs().hits(crate::Repair::BareLf), 1);
}

#[test]
fn a_shutdown_answers_what_is_in_flight_and_says_bye() {
    let mut desk = selected();
    desk.say(b"a APPEND INBOX {3+}\r\nab");
    desk.shut(Closing::Shutdown);
    assert!(!desk.is_over());
    desk.say(b"c\r\n");
    assert_eq!(String::from_utf8(desk.sent).unwrap(), "a OK done\r\n* BYE shutting down\r\n");
    assert!(desk.log.ends_with("body end\nclosed\n"));

    let mut desk = selected();
    desk.say(b"a IDLE\r\n");
    desk.shut(Closing::Shutdown);
    assert_eq!(String::from_utf8(desk.sent).unwrap(), "+ idling\r\n* 3 EXISTS\r\n* BYE shutting down\r\n");

    let mut desk = selected();
    desk.shut(Closing::Expired);
    assert_eq!(String::from_utf8(desk.sent).unwrap(), "* BYE too long idle\r\n");
    assert!(desk.log.starts_with("violation the peer took longer"));
}

#[test]
fn an_end_between_commands_is_clean_and_any_other_is_not() {
    let cases: [(&[u8], bool); 6] = [
        (b"", true),
        (b"a NOOP\r\n", true),
        (b"a NOOP\r", false),
        (b"a IDLE\r\n", false),
        (b"a APPEND INBOX {1}\r\n", false),
        (b"a APPEND INBOX {1}\r\nx", false),
    ];
    for (octets, clean) in cases {
        let mut desk = selected();
        desk.say(octets);
        desk.end(End::Fin);
        assert_eq!(desk.log.ends_with("closed\n"), clean, "{}", octets.escape_ascii());
    }
}
