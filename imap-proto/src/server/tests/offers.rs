//! What is read only where it is offered.

use super::desk::Desk;
use crate::server::{Config, Offer};

/// What a server that offers this answers to a command of a client that has a mailbox selected.
fn answered(offer: &str, command: &str) -> String {
    let offer = Offer::new(&format!("{offer} AUTH=X")).unwrap();
    let mut desk = Desk::selected(Config { offer: offer.into(), ..Config::default() });
    desk.say(format!("a {command}\r\n").as_bytes());
    let sent = String::from_utf8(desk.sent).unwrap();
    sent.lines().last().unwrap().to_owned()
}

/// RFC 4731 §3.1, RFC 5182 §2; and the strings and names beside them that only look like it.
#[test]
fn return_and_saved_results_are_read_where_they_are_offered() {
    for (command, extension) in [
        ("SEARCH RETURN (COUNT) ALL", "ESEARCH"),
        ("UID SEARCH RETURN () ALL", "ESEARCH"),
        ("SEARCH RETURN (SAVE) ALL", "SEARCHRES ESEARCH"),
        ("SEARCH RETURN (MIN SAVE) ALL", "SEARCHRES ESEARCH"),
        ("SEARCH $", "SEARCHRES"),
        ("SEARCH OR ALL NOT UID $", "SEARCHRES"),
        ("FETCH $ FLAGS", "SEARCHRES"),
        ("UID STORE $ FLAGS ()", "SEARCHRES"),
        ("COPY $ x", "SEARCHRES"),
        ("UID MOVE $ x", "SEARCHRES"),
        ("UID EXPUNGE $", "SEARCHRES"),
    ] {
        assert_eq!(answered("IMAP4rev1", command), "a BAD cannot read this", "{command}");
        for offer in [&format!("IMAP4rev1 {extension}"), "IMAP4rev2"] {
            assert_eq!(answered(offer, command), "a OK done", "{offer}: {command}");
        }
    }
    assert_eq!(answered("IMAP4rev1 ESEARCH", "SEARCH RETURN (SAVE) ALL"), "a BAD cannot read this");
    for command in
        ["SEARCH SUBJECT \"$\"", "SEARCH KEYWORD $Junk", "STORE 1 FLAGS ($Junk)", "COPY 1 $", "SEARCH SAVE"]
    {
        let bad = command == "SEARCH SAVE";
        assert_eq!(answered("IMAP4rev1", command) == "a BAD cannot read this", bad, "{command}");
    }
}

/// RFC 4959 §3: without the extension the line has to end behind the mechanism.
#[test]
fn an_initial_response_is_read_where_it_is_offered() {
    for (offer, told) in [
        ("IMAP4rev1 AUTH=X", "malformed: the end of the line at 16 of a AUTHENTICATE X AAAA\n"),
        ("IMAP4rev1 SASL-IR AUTH=X", "auth X Some(\"\\\\x00\\\\x00\\\\x00\")\n"),
        ("IMAP4rev2 AUTH=X", "auth X Some(\"\\\\x00\\\\x00\\\\x00\")\n"),
    ] {
        let mut desk = Desk::secure(Config { offer: Offer::new(offer).unwrap().into(), ..Config::default() });
        desk.say(b"a AUTHENTICATE X AAAA\r\n");
        assert_eq!(desk.log, told);
        assert_eq!(desk.sent.ends_with(b"a BAD cannot read this\r\n"), told.starts_with("malformed"));
    }
}

/// A key that a server does not offer is none to it: an application that did not know it would say that nothing is found.
#[test]
fn keys_of_extensions_are_read_where_they_are_offered() {
    for (keys, extension) in [
        ("MODSEQ 5", "CONDSTORE"),
        ("NOT (SEEN MODSEQ 5)", "QRESYNC"),
        ("FUZZY SUBJECT x", "SEARCH=FUZZY"),
        ("FILTER x", "FILTERS"),
        ("EMAILID M1", "OBJECTID"),
        ("OR SEEN THREADID T1", "OBJECTID"),
        ("SAVEDON 1-Feb-1994", "SAVEDATE"),
    ] {
        for (offer, answer) in [
            ("IMAP4rev1", "a BAD cannot read this"),
            ("IMAP4rev2", "a BAD cannot read this"),
            (&format!("IMAP4rev1 {extension}"), "a OK done"),
        ] {
            assert_eq!(answered(offer, &format!("SEARCH {keys}")), answer, "{offer}: {keys}");
        }
    }
}

#[test]
fn a_preview_is_read_where_it_is_offered() {
    for (command, extension) in [
        ("FETCH 1 (UID PREVIEW (LAZY))", "PREVIEW"),
        ("FETCH 1 PREVIEW (LAZY)", "PREVIEW"),
        ("UID FETCH 1 PREVIEW", "PREVIEW"),
    ] {
        assert_eq!(answered("IMAP4rev1", command), "a BAD cannot read this");
        assert_eq!(answered(&format!("IMAP4rev1 {extension}"), command), "a OK done");
    }
    assert_eq!(answered("IMAP4rev1 PREVIEW", "FETCH 1 PREVIEW (CHANGEDSINCE 5)"), "a OK done");
}
