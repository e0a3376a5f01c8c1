//! Every limit once more, in every state in which it applies: it bites, and the next command is read.

use super::desk::{Desk, ok};
use crate::Limits;
use crate::server::{Config, Event, Offer, Phase, Server};
use core::time::Duration;
use mail_wire::{Framed, Input, Machine as _, Misuse, Output};

/// A desk in the state that these lines lead to, its log and what it has sent begun anew.
fn in_state(limits: &Limits, lines: &[u8]) -> Desk {
    let offer = Offer::new("IMAP4rev1 LITERAL- SASL-IR IDLE AUTH=X").unwrap();
    let mut desk = Desk::secure(Config { limits: limits.clone(), offer: offer.into(), ..Config::default() });
    desk.say(lines);
    desk.log.clear();
    desk.sent.clear();
    desk
}

const BEFORE: &[u8] = b"";
const AUTHENTICATED: &[u8] = b"l LOGIN u p\r\n";
const SELECTED: &[u8] = b"l LOGIN u p\r\ns SELECT INBOX\r\n";

fn sent(desk: &Desk) -> &str {
    core::str::from_utf8(&desk.sent).unwrap()
}

/// What no machine can find the end of within the limit ends the session, with a last word.
#[test]
fn a_line_that_is_too_long_ends_the_session_in_every_state() {
    let limits =
        Limits { command_line_before_auth: 40, command_line: 60, auth_line: 50, ..Limits::default() };
    let idle = [SELECTED, b"i IDLE\r\n"].concat();
    let message = [SELECTED, b"a APPEND x {3}\r\nabc"].concat();
    let discarding = [SELECTED, b"a CREATE {5000+}\r\n", &[b'x'; 5000][..]].concat();
    let states: [(&[u8], usize); 7] = [
        (BEFORE, 40),
        (AUTHENTICATED, 60),
        (SELECTED, 60),
        (b"a AUTHENTICATE X\r\n", 50),
        (&idle, 60),
        // What stands behind a message has a limit of its own.
        (&message, 4096),
        (&discarding, 60),
    ];
    for (lines, limit) in states {
        for end in [&b""[..], b"\r\n", b" {5}\r\n"] {
            let mut desk = in_state(&limits, lines);
            desk.say(&vec![b'x'; limit - 1]);
            assert!(!desk.is_over(), "{}", lines.escape_ascii());
            desk.say(&[b"x", end].concat());
            let told = format!("violation line longer than {limit} octets\n");
            assert!(desk.log.ends_with(&told), "{}: {}", lines.escape_ascii(), desk.log);
            assert!(sent(&desk).ends_with("* BYE line too long\r\n"), "{}", sent(&desk));
        }
    }
}

#[test]
fn literals_have_their_limits_before_the_log_in_too() {
    let limits = Limits { command_literals: 3, command_literal_octets_before_auth: 10, ..Limits::default() };
    let mut desk = in_state(&limits, BEFORE);
    desk.say(b"a LOGIN {5+}\r\nsmith {5+}\r\nxxxxx\r\n");
    assert_eq!(desk.server().phase(), Phase::Authenticated);
    for (lines, told) in [
        (&b"a LOGIN {5+}\r\nsmith {6+}\r\nxxxxxx\r\n"[..], "a BAD [TOOBIG] too many literals\r\n"),
        (b"a LOGIN {5+}\r\nsmith {6}\r\n", "a BAD [TOOBIG] too many literals\r\n"),
        (b"a LOGIN {11+}\r\nxxxxxxxxxxx p\r\n", "a NO [TOOBIG] literal too large\r\n"),
        (
            b"a LOGIN {1+}\r\nx{1+}\r\nx{1+}\r\nx {1+}\r\nx {1+}\r\nx\r\n",
            "a BAD [TOOBIG] too many literals\r\n",
        ),
    ] {
        let mut desk = in_state(&limits, BEFORE);
        desk.say(&[lines, b"b NOOP\r\n"].concat());
        assert_eq!(sent(&desk), format!("{told}* 2 EXISTS\r\nb OK done\r\n"), "{}", lines.escape_ascii());
    }
}

#[test]
fn literals_have_their_limits_in_both_states_behind_the_log_in() {
    let limits =
        Limits { command_literals: 1, command_literal_octets: 10, non_sync_literal: 8, ..Limits::default() };
    for lines in [AUTHENTICATED, SELECTED] {
        for (command, told) in [
            (&b"a RENAME {1+}\r\nx {1+}\r\ny\r\n"[..], "a BAD [TOOBIG] too many literals\r\n"),
            (b"a CREATE {11}\r\n", "a NO [TOOBIG] literal too large\r\n"),
            (b"a CREATE {9+}\r\nxxxxxxxxx\r\n", "a NO [TOOBIG] literal too large\r\n"),
            (b"a CREATE {8+}\r\nxxxxxxxx\r\n", "a OK done\r\n"),
            (b"a CREATE {10}\r\nxxxxxxxxxx\r\n", "+ go ahead\r\na OK done\r\n"),
        ] {
            let mut desk = in_state(&limits, lines);
            desk.say(&[command, b"b NOOP\r\n"].concat());
            assert_eq!(sent(&desk), format!("{told}* 2 EXISTS\r\nb OK done\r\n"));
        }
    }
}

#[test]
fn a_message_has_its_limit_in_both_states_and_both_forms() {
    let limits = Limits { append: 5, ..Limits::default() };
    for lines in [AUTHENTICATED, SELECTED] {
        for (command, told) in [
            (&b"a APPEND x {6}\r\n"[..], "a NO [TOOBIG] literal too large\r\n"),
            (b"a APPEND x {6+}\r\nxxxxxx\r\n", "a NO [TOOBIG] literal too large\r\n"),
            (b"a APPEND x {5}\r\nxxxxx\r\n", "+ go ahead\r\na OK done\r\n"),
            (b"a APPEND x {5+}\r\nxxxxx\r\n", "a OK done\r\n"),
        ] {
            let mut desk = in_state(&limits, lines);
            desk.say(&[command, b"b NOOP\r\n"].concat());
            assert_eq!(sent(&desk), format!("{told}* 2 EXISTS\r\nb OK done\r\n"));
        }
    }
}

/// The set of each command that has one, and those of SEARCH.
#[test]
fn sets_have_a_limit_wherever_one_stands() {
    let limits = Limits { set_items: 3, bad_commands: 100, ..Limits::default() };
    let mut desk = in_state(&limits, SELECTED);
    for command in [
        "FETCH # UID",
        "UID FETCH # UID",
        "STORE # FLAGS ()",
        "UID STORE # FLAGS ()",
        "COPY # x",
        "UID COPY # x",
        "MOVE # x",
        "UID MOVE # x",
        "UID EXPUNGE #",
        "SEARCH #",
        "SEARCH UID #",
        "UID SEARCH OR ALL NOT #",
    ] {
        for (set, good) in [("1,2:3,*", true), ("1,2:3,*,9", false)] {
            desk.sent.clear();
            desk.say(format!("a {}\r\n", command.replace('#', set)).as_bytes());
            assert_eq!(sent(&desk).ends_with("a OK done\r\n"), good, "{command}");
            assert!(good || sent(&desk) == "a BAD cannot read this\r\n", "{command}");
        }
    }
}

#[test]
fn nesting_has_its_limits_in_both_states() {
    let limits = Limits { search_depth: 2, list_depth: 2, bad_commands: 100, ..Limits::default() };
    for (lines, command, good) in [
        (SELECTED, "SEARCH NOT NOT ALL", true),
        (SELECTED, "SEARCH NOT NOT NOT ALL", false),
        (SELECTED, "UID SEARCH ((ALL))", true),
        (SELECTED, "UID SEARCH (((ALL)))", false),
        (SELECTED, "SEARCH OR OR ALL ALL ALL", true),
        (SELECTED, "SEARCH OR OR OR ALL ALL ALL ALL", false),
        (SELECTED, "FETCH 1 (FLAGS) (X ((1)))", true),
        (SELECTED, "FETCH 1 (FLAGS) (X (((1))))", false),
        (AUTHENTICATED, "SELECT x (X ((1)))", true),
        (AUTHENTICATED, "SELECT x (X (((1))))", false),
        (AUTHENTICATED, "CREATE x (USE ((((1)))))", false),
        (AUTHENTICATED, "LIST (X (((1)))) \"\" *", false),
    ] {
        let mut desk = in_state(&limits, lines);
        desk.say(format!("a {command}\r\nb NOOP\r\n").as_bytes());
        assert_eq!(sent(&desk).contains("a OK done\r\n"), good, "{command}: {}", sent(&desk));
        assert!(sent(&desk).ends_with("b OK done\r\n"), "{command}");
    }
}

#[test]
fn bad_commands_are_counted_in_every_state() {
    let limits = Limits { bad_commands: 2, ..Limits::default() };
    let idle = [SELECTED, b"i IDLE\r\n"].concat();
    for lines in [BEFORE, AUTHENTICATED, SELECTED, b"a AUTHENTICATE X\r\n", &idle] {
        let mut desk = in_state(&limits, lines);
        desk.say(b"(\r\n(\r\n");
        assert!(!desk.is_over(), "{}", lines.escape_ascii());
        desk.say(b"(\r\n");
        assert!(desk.log.ends_with("violation more than 2 bad commands\n"), "{}", desk.log);
        assert!(sent(&desk).ends_with("* BYE too many bad commands\r\n"));
    }
}

#[test]
fn a_challenge_fits_its_line() {
    let limits = Limits { auth_line: 8, ..Limits::default() };
    let offer = Offer::new("IMAP4rev1 AUTH=X").unwrap();
    let config = Config { limits, offer: offer.into(), ..Config::default() };
    let mut server = mail_wire::Handover::implicit(Server::new(config)).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    let mut turn = None;
    input.feed(b"a AUTHENTICATE X\r\n");
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        match server.decode(unit, &mut input).unwrap() {
            Event::Connected(answer) => server.answer(answer, &ok(), &mut output).unwrap(),
            Event::Auth { turn: owed, .. } => turn = Some(owed),
            other => panic!("{other:?}"),
        }
    }
    let before = output.len();
    let returned = server.challenge(turn.unwrap(), b"7 octets", &mut output).unwrap_err();
    assert_eq!((returned.why, output.len()), (Misuse::TooLong(8), before));
    server.challenge(returned.token, b"6 octe", &mut output).unwrap();
}

/// Each state has its wait: the standard's by default, the application's where it says so.
#[test]
fn every_state_has_its_wait() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let seconds = Duration::from_secs;
    let short = Limits {
        wait_login: seconds(1),
        wait_command: seconds(2),
        wait_idle: seconds(3),
        ..Limits::default()
    };
    let idle = [SELECTED, b"i IDLE\r\n"].concat();
    let message = [SELECTED, b"a APPEND x {3}\r\nab"].concat();
    let tail = [SELECTED, b"a APPEND x {3}\r\nabc"].concat();
    let discarding = [SELECTED, b"a CREATE {5000+}\r\nxx"].concat();
    for (lines, usual, set) in [
        (BEFORE, minutes(3), seconds(1)),
        (b"a LOGIN {5}\r\nsm", minutes(3), seconds(1)),
        (b"a AUTHENTICATE X\r\n", minutes(3), seconds(1)),
        (AUTHENTICATED, minutes(30), seconds(3)),
        (SELECTED, minutes(30), seconds(3)),
        (&idle, minutes(30), seconds(3)),
        (&message, minutes(5), seconds(2)),
        (&tail, minutes(5), seconds(2)),
        (&discarding, minutes(5), seconds(2)),
    ] {
        assert_eq!(
            in_state(&Limits::default(), lines).server().patience(),
            usual,
            "{}",
            lines.escape_ascii()
        );
        assert_eq!(in_state(&short, lines).server().patience(), set, "{}", lines.escape_ascii());
    }
}
