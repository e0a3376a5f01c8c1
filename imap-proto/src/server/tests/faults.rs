//! Literals that are refused, messages that are not whole, ends.

use super::desk::{Desk, Golden};
use crate::server::{Config, Offer};
use crate::{Limits, Policy};
use mail_wire::dot::BodyEol;
use mail_wire::{Closing, End};

fn selected() -> Desk {
    Desk::selected(Config::default())
}

fn small() -> Desk {
    let limits = Limits { append: 16, ..Limits::default() };
    Desk::selected(Config { limits, ..Config::default() })
}

fn refusing() -> Desk {
    Desk { refuse_appends: true, ..selected() }
}

#[test]
fn a_message_above_the_limit_is_never_read_as_commands() {
    Golden {
        make: small,
        client: b"a APPEND INBOX {30+}\r\nA9 LOGOUT\r\nA9 DELETE INBOX\r\n\r\n\r\nb APPEND INBOX {17}\r\nc NOOP\r\n",
        log: "Refused(LiteralTooLarge)\nRefused(LiteralTooLarge)\nNoop\n",
        server: "a NO [TOOBIG] literal too large\r\nb NO [TOOBIG] literal too large\r\n* 2 EXISTS\r\nc OK done\r\n",
    }
    .check();
}

#[test]
fn a_message_that_the_application_refuses_is_dropped() {
    Golden {
        make: refusing,
        client: b"a APPEND INBOX {3}\r\nabc (\r\nb APPEND INBOX {9+}\r\nx LOGOUT\r\r\nc APPEND INBOX {2+}\r\nxx {2+}\r\nyy\r\nd NOOP\r\n",
        log: "Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 3, form: Literal, sync: true }\n\
              malformed: a command at 4 of abc (\n\
              Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 9, form: Literal, sync: false }\n\
              Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 2, form: Literal, sync: false }\n\
              Noop\n",
        server: "a NO not this\r\nabc BAD cannot read this\r\nb NO not this\r\nc NO not this\r\n* 2 EXISTS\r\nd OK done\r\n",
    }
    .check();
}

#[test]
fn a_message_that_is_not_whole_ends_in_no_body_end() {
    Golden {
        make: selected,
        client: b"a APPEND INBOX {3+}\r\na\0b\r\nb APPEND INBOX {3+}\r\na\nb\r\nc APPEND INBOX {2+}\r\na\r\r\n\
                  d APPEND INBOX {1+}\r\nx y\r\ne APPEND INBOX {1+}\r\nx {2+}\r\nyy\r\nf APPEND INBOX ~{1+}\r\nx\r\n\
                  g APPEND INBOX (\\Recent) {5+}\r\nLOGOU\r\nh NOOP\r\n",
        log: "Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 3, form: Literal, sync: false }\n\
              chunk a\\x00b\nmalformed: a message with whole line ends at 0 of \n\
              Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 3, form: Literal, sync: false }\n\
              chunk a\\nb\nmalformed: a message with whole line ends at 0 of \n\
              Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 2, form: Literal, sync: false }\n\
              chunk a\\r\nmalformed: a message with whole line ends at 0 of \n\
              Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 1, form: Literal, sync: false }\n\
              chunk x\nmalformed: the end of the line at 0 of  y\n\
              Append { mailbox: Mailbox(\"INBOX\"), flags: [], date: None, octets: 1, form: Literal, sync: false }\n\
              chunk x\nRefused(LiteralForm)\n\
              malformed: a literal at 0 of f APPEND INBOX ~{1+}\n\
              malformed: a flag at 16 of g APPEND INBOX (\\\\Recent) {5+}\n\
              Noop\n",
        server: "a BAD cannot read this\r\nb BAD cannot read this\r\nc BAD cannot read this\r\nd BAD cannot read this\r\n\
                 e BAD no such literal here\r\nf BAD cannot read this\r\ng BAD cannot read this\r\n* 2 EXISTS\r\nh OK done\r\n",
    }
    .check();
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
