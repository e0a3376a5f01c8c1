//! Rules that bad clients break and careless applications would break, and what the machine makes of it.

use super::desk::{Desk, status};
use crate::Policy;
use crate::server::reply::{check, put_status};
use crate::server::{Config, Event, Offer, Phase, SearchResult, Server, Turn};
use crate::types::{AString, Atom, Code, Condition, Raw, ResponseText, SequenceSet, Status};
use bytes::Buf as _;
use mail_wire::{Framed, Machine as _, Output};

fn selected() -> Desk {
    Desk::selected(Config::default())
}

/// What is said to a client that is logged in and has a mailbox selected.
fn answers(octets: &[u8]) -> String {
    let mut desk = selected();
    desk.say(octets);
    String::from_utf8(desk.sent).unwrap()
}

/// Behind a literal that ends in a CR a LF alone is no line end: what relays the command may read its end elsewhere.
#[test]
fn a_literal_does_not_lend_its_last_octet_to_the_line_end() {
    let mut desk = selected();
    desk.say(b"a SEARCH SUBJECT {4+}\r\nabc\r\nb LOGOUT\r\n");
    assert!(desk.log.starts_with("violation LF without CR"), "{}", desk.log);
    assert!(answers(b"a SEARCH SUBJECT {4+}\r\nabc\r\r\nb NOOP\r\n").ends_with("b OK done\r\n"));
}

/// Two labels for one string: the server refuses them (RFC 6855 §3). IMAP4rev2 sets no such rule.
#[test]
fn a_search_names_no_charset_once_strings_are_utf8() {
    let told = |enable: &str| {
        let offer = Offer::new("IMAP4rev1 IMAP4rev2 ENABLE UTF8=ACCEPT").unwrap();
        let mut desk = Desk::secure(Config { offer: offer.into(), ..Config::default() });
        desk.say(format!("a LOGIN u p\r\nb ENABLE {enable}\r\nc SELECT x\r\n").as_bytes());
        desk.sent.clear();
        desk.say(b"d SEARCH CHARSET UTF-8 TEXT x\r\ne SEARCH TEXT \"\xc3\xa9\"\r\n");
        String::from_utf8(desk.sent).unwrap()
    };
    assert_eq!(told("UTF8=ACCEPT"), "d BAD cannot read this\r\n* SEARCH 1\r\ne OK done\r\n");
    assert_eq!(told("IMAP4rev2"), "* SEARCH 1\r\nd OK done\r\n* SEARCH 1\r\ne OK done\r\n");
}

/// RFC 8437 §3: another user may log in, and finds nothing enabled.
#[test]
fn a_user_who_has_gone_leaves_nothing_behind() {
    let offer = Offer::new("IMAP4rev1 ENABLE UTF8=ACCEPT UNAUTHENTICATE").unwrap();
    let mut desk = Desk::secure(Config { offer: offer.into(), ..Config::default() });
    desk.unauthenticates = true;
    desk.say(b"a LOGIN u p\r\nb ENABLE UTF8=ACCEPT\r\nc SELECT x\r\nd UNAUTHENTICATE\r\n");
    assert_eq!(desk.server().phase(), Phase::NotAuthenticated);
    assert!(!desk.server().is_utf8());
    desk.sent.clear();
    desk.say(b"e FETCH 1 FLAGS\r\nf LOGIN v q\r\ng FETCH 1 FLAGS\r\n");
    let sent = String::from_utf8(desk.sent).unwrap();
    let lines: Vec<_> = sent.lines().map(|line| line.split_at(5).0).collect();
    assert_eq!(lines, ["e BAD", "f OK ", "g BAD"], "{sent}");
}

/// RFC 8474 §4: what the client reads is what the server was given.
#[test]
fn the_identity_of_a_mailbox_stands_in_parentheses() {
    let code = Code::MailboxId(b"F2212ea87");
    let mut output = Output::new();
    put_status("a", &status(Condition::Ok, "done").with_code(code), &mut output);
    let sent = output.copy_to_bytes(output.remaining());
    assert_eq!(sent, &b"a OK [MAILBOXID (F2212ea87)] done\r\n"[..]);
    assert_eq!(crate::parse::status::code(&sent[6..27], &mut Policy::client().grammar.repairs), code);
}

/// A status that a client would read otherwise than it was meant is refused, and the answer is owed as before.
#[test]
fn a_status_is_read_as_it_was_meant() {
    let long = vec![b'x'; 1001];
    let one = SequenceSet::new(b"1").unwrap();
    let codes = [
        Code::BadUrl(AString::new(b"imap://\xc3\xa9").unwrap()),
        Code::BadUrl(AString::new(&long).unwrap()),
        Code::AppendUid { validity: 1, uids: SequenceSet::ALL },
        Code::CopyUid { validity: 1, from: one, to: SequenceSet::SAVED },
        Code::Modified(SequenceSet::new(b"1,*").unwrap()),
    ];
    for code in codes {
        assert!(check(&status(Condition::No, "x").with_code(code)).is_err(), "{code:?}");
    }
    let text = ResponseText::wire(b"[ALERT] pay");
    assert!(check(&Status::new(Condition::Ok, text)).is_err());
    assert!(check(&Status::new(Condition::Ok, text).with_code(Code::Closed)).is_ok());
    let good = Code::BadUrl(AString::new(b"imap://a/b;uid=1").unwrap());
    assert!(check(&status(Condition::No, "x").with_code(good)).is_ok());
    assert!(
        check(&status(Condition::Ok, "x").with_code(Code::CopyUid { validity: 1, from: one, to: one }))
            .is_ok()
    );
}

/// RFC 7162 §3.2.3: QRESYNC brings CONDSTORE along, offered by its name or not; what is told is what was asked for.
#[test]
fn who_enables_qresync_has_condstore() {
    for (ask, told, qresync) in [
        ("QRESYNC", " QRESYNC", true),
        ("CONDSTORE", " CONDSTORE", false),
        ("QRESYNC CONDSTORE", " CONDSTORE QRESYNC", true),
    ] {
        let offer = Offer::new("IMAP4rev1 ENABLE QRESYNC").unwrap();
        let mut desk = Desk::secure(Config { offer: offer.into(), ..Config::default() });
        desk.say(format!("a LOGIN u p\r\nb ENABLE {ask}\r\n").as_bytes());
        assert!(desk.server().is_enabled("CONDSTORE"), "{ask}");
        assert_eq!(desk.server().is_enabled("QRESYNC"), qresync);
        let sent = String::from_utf8(desk.sent).unwrap();
        assert!(sent.ends_with(&format!("* ENABLED{told}\r\nb OK done\r\n")), "{sent}");
    }
}

/// RFC 9051 §7.5.1: the client counts by the numbers that it has.
#[test]
fn a_message_is_not_told_to_be_gone_while_numbers_are_in_use() {
    for (line, may) in [
        ("FETCH 1 FLAGS", false),
        ("STORE 1 FLAGS ()", false),
        ("SEARCH ALL", false),
        ("APPEND x {1}", false),
        ("SELECT y", false),
        ("UID FETCH 1 FLAGS", true),
        ("UID STORE 1 FLAGS ()", true),
        ("UID SEARCH ALL", true),
        ("NOOP", true),
        ("COPY 1 x", true),
        ("EXPUNGE", true),
        ("LIST \"\" *", true),
    ] {
        let mut desk = selected();
        desk.input.feed(format!("a {line}\r\n").as_bytes());
        let server = desk.server.as_mut().unwrap();
        let Ok(Framed::Ready(unit)) = server.frame(&mut desk.input, &mut desk.output) else { panic!() };
        let all = match server.decode(unit, &mut desk.input).unwrap() {
            Event::Command(_, answer) => expunges(server, &answer, &mut Output::new()),
            Event::Append(_, offer) => expunges(server, &offer, &mut Output::new()),
            other => panic!("{other:?}"),
        };
        assert_eq!(all, [may, may, true], "{line}");
    }
}

/// Whether EXPUNGE, VANISHED and VANISHED (EARLIER) are taken.
fn expunges(server: &mut Server, turn: &impl Turn, output: &mut Output) -> Vec<bool> {
    let uids = SequenceSet::new(b"7:9").unwrap();
    let mut writer = server.untagged(turn, output).unwrap();
    assert!(writer.expunge(0).is_err() && writer.vanished(true, SequenceSet::ALL).is_err());
    let told = [
        writer.expunge(1).is_ok(),
        writer.vanished(false, uids).is_ok(),
        writer.vanished(true, uids).is_ok(),
    ];
    let sent = output.copy_to_bytes(output.remaining());
    let lines = sent
        .split(|octet| *octet == b'\n')
        .filter(|line| line.starts_with(b"* 1 EX") || line.starts_with(b"* VAN"));
    assert_eq!(lines.count(), told.iter().filter(|told| **told).count());
    told.to_vec()
}

/// RFC 9051 §5.1, appendix A: who speaks IMAP4rev2 alone has nothing to be enabled.
#[test]
fn a_server_of_imap4rev2_alone_speaks_utf8() {
    for (offer, utf8) in [("IMAP4rev2", true), ("IMAP4rev1 IMAP4rev2", false), ("IMAP4rev1", false)] {
        let offer = Offer::new(&format!("{offer} ENABLE")).unwrap();
        let mut desk = Desk::secure(Config { offer: offer.into(), ..Config::default() });
        desk.say(b"a LOGIN u p\r\nb SELECT \"\xc3\xa9\"\r\n");
        assert_eq!(desk.server().is_utf8(), utf8);
        assert_eq!(desk.sent.ends_with(b"b OK done\r\n"), utf8);
    }
}

/// What an extension adds goes out as the client reads it, and what has a call of its own does not go out by another.
#[test]
fn responses_of_extensions_are_written() {
    let offer = Offer::new("IMAP4rev1 CONDSTORE").unwrap();
    let mut desk = Desk::selected(Config { offer: offer.into(), ..Config::default() });
    desk.input.feed(b"a UID SEARCH MODSEQ 5\r\n");
    let server = desk.server.as_mut().unwrap();
    let Ok(Framed::Ready(unit)) = server.frame(&mut desk.input, &mut desk.output) else { panic!() };
    let Event::Command(_, answer) = server.decode(unit, &mut desk.input).unwrap() else { panic!() };
    let mut writer = server.untagged(&answer, &mut desk.output).unwrap();
    let atom = |name: &'static str| Atom::new(name.as_bytes()).unwrap();
    let raw = |octets: &'static [u8]| Raw::new(octets).unwrap();
    writer.search_mod_seq([2, 5], 9).search_mod_seq([], 9);
    writer.esearch(true, SearchResult { min: Some(2), mod_seq: Some(9), ..SearchResult::default() });
    writer.other(None, atom("THREAD"), raw(b"(2)(3 6)")).unwrap();
    writer.other(Some(3), atom("X-NEW"), raw(b"(a {2+}\r\n\r\n \"b\")")).unwrap();
    writer.other(None, atom("SORT"), Raw::EMPTY).unwrap();
    let fetch = writer.fetch(1).uid(7).other(atom("EMAILID"), raw(b"(M1)")).unwrap();
    fetch.other(atom("PREVIEW"), raw(b"NIL")).unwrap().end();
    assert!(writer.fetch(1).other(atom("PREVIEW"), Raw::EMPTY).is_err());
    for own in ["OK", "bye", "Expunge", "VANISHED", "FETCH"] {
        assert!(writer.other(Some(1), atom(own), raw(b"x")).is_err(), "{own}");
    }
    let sent = desk.output.copy_to_bytes(desk.output.remaining());
    assert_eq!(
        std::str::from_utf8(&sent).unwrap(),
        "* SEARCH 2 5 (MODSEQ 9)\r\n* SEARCH\r\n* ESEARCH (TAG \"a\") UID MIN 2 MODSEQ 9\r\n* THREAD (2)(3 6)\r\n\
         * 3 X-NEW (a {2}\r\n\r\n \"b\")\r\n* SORT\r\n* 1 FETCH (UID 7 EMAILID (M1) PREVIEW NIL)\r\n"
    );
}

/// RFC 9051 appendix B: neither form of announcing a message came with IMAP4rev2.
#[test]
fn imap4rev2_takes_no_message_of_another_form() {
    for (offer, literal8, utf8) in [
        ("IMAP4rev2", false, false),
        ("IMAP4rev2 BINARY", true, false),
        ("IMAP4rev2 UTF8=ACCEPT", true, true),
    ] {
        let offer = Offer::new(&format!("{offer} ENABLE")).unwrap();
        let mut desk = Desk::secure(Config { offer: offer.into(), ..Config::default() });
        desk.say(b"a LOGIN u p\r\nb ENABLE IMAP4rev2 UTF8=ACCEPT\r\n");
        desk.sent.clear();
        desk.say(b"c APPEND x ~{1+}\r\nx\r\nd APPEND x UTF8 (~{1+}\r\nx)\r\n");
        let sent = String::from_utf8(desk.sent).unwrap();
        assert_eq!((sent.contains("c OK"), sent.contains("d OK")), (literal8, utf8), "{sent}");
    }
}
