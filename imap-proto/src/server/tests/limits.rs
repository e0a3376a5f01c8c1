//! Every limit bites, and the session goes on or says why not.

use super::desk::Desk;
use crate::Limits;
use crate::server::{Config, Offer};

fn with(limits: Limits) -> Desk {
    Desk::selected(Config { limits, ..Config::default() })
}

fn sent(desk: Desk) -> String {
    String::from_utf8(desk.sent).unwrap()
}

#[test]
fn a_line_has_a_limit_before_and_after_the_log_in() {
    for (limit, mut desk) in
        [(8192, Desk::secure(Config::default())), (65_536, Desk::selected(Config::default()))]
    {
        desk.sent.clear();
        let line = |octets: usize| [&b"a NOOP "[..], &vec![b'x'; octets - 9], b"\r\n"].concat();
        desk.say(&line(limit));
        assert!(!desk.is_over());
        desk.say(&line(limit + 1));
        assert!(desk.log.ends_with(&format!("violation line longer than {limit} octets\n")));
        assert!(sent(desk).ends_with("a BAD line too long\r\n* BYE line too long\r\n"));
    }
}

#[test]
fn a_line_without_an_end_is_held_no_longer_than_its_limit() {
    for start in ["", "a ", "a LOGIN \"", "a LOGIN {", "a FETCH 1 (", "a AUTHENTICATE PLAIN "] {
        let mut desk = Desk::secure(Config::default());
        desk.say(start.as_bytes());
        for _ in 0..100 {
            desk.say(&[b'1'; 1000]);
        }
        assert!(desk.is_over(), "{start}");
        assert!(desk.input.capacity() <= 16 * 1024);
    }
}

#[test]
fn literals_are_counted() {
    let mut desk = with(Limits { command_literals: 2, ..Limits::default() });
    desk.say(b"a SEARCH TO {1+}\r\nx CC {1+}\r\ny\r\nb SEARCH TO {1+}\r\nx CC {1+}\r\ny BCC {1+}\r\nz TEXT {9+}\r\nb LOGOUT\n\r\nc NOOP\r\n");
    assert_eq!(
        sent(desk),
        "* SEARCH 1\r\na OK done\r\nb BAD [TOOBIG] too many literals\r\n* 2 EXISTS\r\nc OK done\r\n"
    );
    let mut desk = with(Limits { command_literals: 1, ..Limits::default() });
    desk.say(b"b SEARCH TO {1+}\r\nx CC {1}\r\nc NOOP\r\n");
    assert_eq!(sent(desk), "b BAD [TOOBIG] too many literals\r\n* 2 EXISTS\r\nc OK done\r\n");
}

#[test]
fn the_octets_of_literals_are_counted() {
    let mut desk = with(Limits { command_literal_octets: 10, ..Limits::default() });
    desk.say(b"a SEARCH TO {5}\r\nxxxxx CC {5}\r\nyyyyy\r\nb SEARCH TO {5}\r\nxxxxx CC {6}\r\nc SEARCH TO {11}\r\nd NOOP\r\n");
    assert_eq!(
        sent(desk),
        "+ go ahead\r\n+ go ahead\r\n* SEARCH 1\r\na OK done\r\n+ go ahead\r\nb BAD [TOOBIG] too many literals\r\n\
         c NO [TOOBIG] literal too large\r\n* 2 EXISTS\r\nd OK done\r\n"
    );
}

#[test]
fn before_the_log_in_fewer_octets_are_taken() {
    let mut desk = Desk::secure(Config::default());
    desk.sent.clear();
    desk.say(b"a LOGIN {4294967295}\r\nb LOGIN {8193}\r\nc LOGIN {8192}\r\n");
    assert_eq!(
        sent(desk),
        "a NO [TOOBIG] literal too large\r\nb NO [TOOBIG] literal too large\r\n+ go ahead\r\n"
    );
}

#[test]
fn a_non_synchronising_literal_has_its_own_limit() {
    let mut desk = Desk::selected(Config::default());
    desk.say(b"a CREATE {4096+}\r\n");
    desk.say(&[b'x'; 4096]);
    desk.say(b"\r\nb CREATE {4097+}\r\n");
    desk.say(&[b'x'; 4097]);
    desk.say(b" {3+}\r\nabc\r\nc NOOP\r\n");
    assert_eq!(sent(desk), "a OK done\r\nb NO [TOOBIG] literal too large\r\n* 2 EXISTS\r\nc OK done\r\n");
    let offer = Offer::new("IMAP4rev1 LITERAL+").unwrap();
    let mut desk = Desk::selected(Config { offer: offer.into(), ..Config::default() });
    desk.say(b"b CREATE {4097+}\r\n");
    desk.say(&[b'x'; 4097]);
    desk.say(b"\r\n");
    assert_eq!(sent(desk), "b OK done\r\n");
}

#[test]
fn what_is_discarded_has_a_budget() {
    let mut desk = Desk::secure(Config::default());
    desk.sent.clear();
    desk.say(b"a LOGIN {4294967295+}\r\n");
    assert!(desk.log.ends_with("violation more than 1048576 octets to discard\n"), "{}", desk.log);
    assert_eq!(sent(desk), "a NO [TOOBIG] literal too large\r\n* BYE too much to discard\r\n");

    let mut desk = with(Limits { discard: 10_000, append: 5, bad_commands: 100, ..Limits::default() });
    for _ in 0..100 {
        desk.say(b"a APPEND x {6+}\r\nxxxxxx\r\n");
    }
    assert!(!desk.is_over());
    desk.say(b"a APPEND x {10000+}\r\n");
    assert!(desk.is_over());

    let mut desk = Desk { refuse_appends: true, ..with(Limits { discard: 5, ..Limits::default() }) };
    desk.say(b"a APPEND x {6+}\r\n");
    assert!(desk.log.ends_with("violation more than 5 octets to discard\n"));
    assert_eq!(sent(desk), "a NO not this\r\n* BYE too much to discard\r\n");
}

#[test]
fn bad_commands_are_counted() {
    let mut desk = with(Limits { bad_commands: 3, ..Limits::default() });
    desk.say(b"a X\r\nb LOGIN a b\r\nc CREATE {9999+}\r\n");
    desk.say(&[b'x'; 9999]);
    desk.say(b"\r\n");
    assert!(!desk.is_over());
    desk.say(b"d NOOP\r\ne (\r\nf NOOP\r\n");
    assert!(desk.log.ends_with("violation more than 3 bad commands\n"), "{}", desk.log);
    assert!(sent(desk).ends_with("e BAD cannot read this\r\n* BYE too many bad commands\r\n"));
}

#[test]
fn sets_and_nesting_have_limits() {
    let mut desk = Desk::selected(Config::default());
    let set = |items: usize| (0..items).map(|_| "1").collect::<Vec<_>>().join(",");
    desk.say(format!("a FETCH {} UID\r\nb FETCH {} UID\r\n", set(8192), set(8193)).as_bytes());
    desk.say(
        format!("c SEARCH {}ALL\r\nd SEARCH {}ALL\r\n", "NOT ".repeat(64), "NOT ".repeat(65)).as_bytes(),
    );
    let lists = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
    desk.say(format!("e XX {}\r\nf XX {}\r\n", lists(32), lists(33)).as_bytes());
    assert_eq!(
        sent(desk),
        "* 1 FETCH (UID 7 FLAGS (\\Seen))\r\na OK done\r\nb BAD cannot read this\r\n* SEARCH 1\r\nc OK done\r\n\
         d BAD cannot read this\r\ne BAD not supported\r\nf BAD cannot read this\r\n"
    );
}

#[test]
fn a_long_tag_is_not_repeated() {
    let mut desk = Desk::selected(Config::default());
    desk.say(&[&[b'a'; 256][..], b" NOOP\r\n", &[b'b'; 257], b" NOOP\r\n"].concat());
    let sent = sent(desk);
    assert!(
        sent.contains(&format!("\r\n{} OK done", "a".repeat(256))) && sent.ends_with("\r\n* OK done\r\n")
    );
}

#[test]
fn a_sasl_line_has_its_own_limit() {
    let offer = Offer::new("IMAP4rev1 AUTH=X").unwrap();
    let mut desk = Desk::secure(Config { offer: offer.into(), ..Config::default() });
    desk.say(b"a AUTHENTICATE X\r\n");
    desk.say(&[b'A'; 12_287]);
    assert!(!desk.is_over());
    desk.say(b"A");
    assert!(desk.log.ends_with("violation line longer than 12288 octets\n"));
}
