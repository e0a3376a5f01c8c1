//! Rules of the standards that bad servers break, and what the client makes of it.

mod common;

use bytes::Buf;
use common::{Cuts, Session, Step, replay};
use mail_imap_proto::Command;
use mail_imap_proto::client::{Client, Config, Event};
use mail_imap_proto::response::{FetchItem, Untagged};
use mail_imap_proto::types::{
    AString, ESearchItem, FetchAtt, FetchAtts, HeaderNames, Mailbox, Options, Part, Section, SectionText,
    SequenceSet, Tag,
};
use mail_testkit::hear;
use mail_wire::{Handover, Input, Output};

/// A session with a mailbox selected.
const SELECTED: [Step; 3] =
    [Step::Peer(b"* PREAUTH hi\r\n"), Step::Send(b"s SELECT x\r\n"), Step::Peer(b"s OK in\r\n")];

/// Each event of these octets, in a session with a mailbox selected.
fn hear_selected(octets: &[u8], mut take: impl FnMut(Event<'_>)) {
    let mut client = Handover::implicit(Client::new(Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    hear(&mut client, &mut input, &mut output, b"* PREAUTH hi\r\n", |_| ());
    let select = Command::Select { mailbox: Mailbox::INBOX, params: Options::NONE };
    client.send(&select, &mut output).unwrap();
    hear(&mut client, &mut input, &mut output, b"A1 OK in\r\n", |_| ());
    let mut rest = octets;
    while !rest.is_empty() {
        rest = &rest[input.feed(rest)..];
        hear(&mut client, &mut input, &mut output, b"", &mut take);
    }
}

/// What comes of these octets behind the steps, the same whole and octet by octet.
fn told_behind(steps: &[Step], octets: &'static [u8]) -> Vec<String> {
    let config = || {
        let mut config = Config::default();
        config.limits.literal_inline = 16;
        config
    };
    let before = replay(Session::secure(config()), steps, Cuts::Whole).len();
    let steps = [steps, &[Step::Peer(octets)]].concat();
    let whole = replay(Session::secure(config()), &steps, Cuts::Whole);
    assert_eq!(whole, replay(Session::secure(config()), &steps, Cuts::Single));
    whole[before..].to_vec()
}

/// A number of a message means nothing without its mailbox, and a client that took it for one of the mailbox before would change the
/// wrong message (RFC 9051 §3.2, §7.1 `CLOSED`).
#[test]
fn data_of_messages_have_no_place_where_no_mailbox_is_selected() {
    let open = [SELECTED[0]];
    let selecting = [SELECTED[0], SELECTED[1]];
    let closed =
        [SELECTED[0], SELECTED[1], SELECTED[2], Step::Send(b"c CLOSE\r\n"), Step::Peer(b"c OK x\r\n")];
    let moving = [
        SELECTED[0],
        SELECTED[1],
        SELECTED[2],
        Step::Send(b"t SELECT y\r\n"),
        Step::Peer(b"* OK [CLOSED] x\r\n"),
    ];
    let taken = [SELECTED[0], SELECTED[1], SELECTED[2], Step::Peer(b"* OK [CLOSED] gone\r\n")];
    let outside: [&[Step]; 3] = [&open, &closed, &taken];
    let inside: [&[Step]; 3] = [&selecting, &SELECTED, &moving];
    for line in [
        &b"* 3 EXISTS\r\n"[..],
        b"* 0 RECENT\r\n",
        b"* 1 EXPUNGE\r\n",
        b"* VANISHED 7\r\n",
        b"* VANISHED (EARLIER) 7\r\n",
        b"* FLAGS (\\Seen)\r\n",
        b"* SEARCH 1\r\n",
        b"* 1 FETCH (FLAGS ())\r\n",
        b"* 7 UIDFETCH (FLAGS ())\r\n",
    ] {
        for state in outside {
            let told = told_behind(state, line);
            assert!(told.len() == 1 && told[0].starts_with("Malformed State"), "{told:?}");
        }
        for state in inside {
            assert!(!told_behind(state, line)[0].starts_with("Malformed"), "{}", line.escape_ascii());
        }
    }
    for line in [&b"* LIST () \"/\" x\r\n"[..], b"* STATUS x (MESSAGES 1)\r\n", b"* ESEARCH (TAG \"a\")\r\n"]
    {
        assert!(outside.iter().all(|state| told_behind(state, line)[0].starts_with("* ")));
    }
}

/// Where a message comes that has no place, its octets are passed over: they are neither told nor read as lines.
#[test]
fn a_message_that_has_no_place_is_passed_over() {
    let fetch = b"* 1 FETCH (BODY[] {20}\r\n* BYE\r\n1 OK done\r\n\r\n UID 2 BODY[1] {17}\r\n01234567890123456)\r\n* LIST () \"/\" x\r\n";
    let told = told_behind(&[SELECTED[0]], fetch);
    let stray = |told: &str| told.starts_with("Malformed State");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[..3].iter().all(|told| stray(told)) && told[3].starts_with("* List"), "{told:?}");
    let told = told_behind(&SELECTED, fetch);
    assert!(told[0].starts_with("Seq(1)") && told[1].starts_with("Chunk"), "{told:?}");
    // Before the log-in too, where TLS need not come first.
    let told = told_behind(&[Step::Peer(b"* OK hi\r\n")], fetch);
    assert!(told.len() == 4 && told.iter().all(|told| stray(told)), "{told:?}");
}

/// RFC 7377 §3 sets no order among the parts of the correlator.
#[test]
fn an_answer_to_a_search_names_its_command_in_any_order() {
    for line in [
        &b"* ESEARCH (TAG \"t\" MAILBOX \"a b\" UIDVALIDITY 7) UID ALL 1:3\r\n"[..],
        b"* ESEARCH (MAILBOX {3}\r\na b TAG t UIDVALIDITY 7) UID ALL 1:3\r\n",
        b"* ESEARCH (uidvalidity 7 mailbox \"a b\" tag \"t\") UID ALL 1:3\r\n",
    ] {
        let mut found = 0;
        hear_selected(line, |event| {
            let Event::Untagged(Untagged::ESearch(answer)) = event else { panic!("{event:?}") };
            assert_eq!(answer.tag().unwrap().raw(), b"t");
            assert_eq!(answer.mailbox().unwrap().raw(), b"a b");
            assert_eq!((answer.uid_validity(), answer.is_uid()), (Some(7), true));
            assert!(matches!(answer.items().next(), Some(ESearchItem::All(set)) if set.as_str() == "1:3"));
            found += 1;
        });
        assert_eq!(found, 1, "{}", line.escape_ascii());
    }
    // The item in parentheses stays one.
    let told = told_behind(&SELECTED, b"* ESEARCH (MODSEQ 9)\r\n* ESEARCH (TAG \"t\") (MODSEQ 9)\r\n");
    assert!(told.iter().all(|line| line.contains("ModSeq(9)")), "{told:?}");
}

/// What a response of the same name survives, a code survives too: a client would else take a server for less than it is.
#[test]
fn codes_with_odd_arguments_say_what_they_can() {
    for (line, shown) in [
        (
            &b"* OK [PERMANENTFLAGS (\\Seen OIB-[Gmail]/All \\*)] x\r\n"[..],
            r"* OK [PERMANENTFLAGS [\Seen, \*]] x",
        ),
        (b"* OK [PERMANENTFLAGS ( \\Seen)] x\r\n", r"* OK [PERMANENTFLAGS [\Seen]] x"),
        (b"* OK [PERMANENTFLAGS ()] x\r\n", r"* OK [PERMANENTFLAGS []] x"),
        (b"* OK [PERMANENTFLAGS ((\\Seen))] x\r\n", r"* OK [PERMANENTFLAGS ?((\\Seen))] x"),
        (b"* OK [CAPABILITY IMAP4rev1  IDLE ] x\r\n", r#"* OK [CAPABILITY ["IMAP4rev1", "IDLE"]] x"#),
        (b"* OK [CAPABILITY (IDLE)] x\r\n", "* OK [CAPABILITY ?(IDLE)] x"),
        (b"* OK [CAPABILITY ] x\r\n", "* OK [CAPABILITY []] x"),
        (b"* NO [TRYCREATE ] x\r\n", "* NO [TRYCREATE] x"),
        (b"* NO [TRYCREATE x] x\r\n", "* NO [TRYCREATE x] x"),
    ] {
        assert_eq!(told_behind(&SELECTED, line), [shown]);
    }
    // The list is learnt, whatever its spaces.
    let mut session = Session::secure(Config::default());
    session.feed(b"* PREAUTH [CAPABILITY IMAP4rev1  LITERAL+ ] hi\r\n");
    assert!(session.client().capabilities().unwrap().has("LITERAL+"));
}

#[test]
fn a_status_of_zero_is_no_uid() {
    let told = told_behind(&SELECTED, b"* STATUS x (UIDVALIDITY 0 UIDNEXT 0 MESSAGES 0 UNSEEN 0)\r\n");
    assert_eq!(told, [r#"* STATUS "x" ?UIDVALIDITY 0 ?UIDNEXT 0 Messages(0) Unseen(0)"#]);
}

/// A namespace that cannot be read is told of: an application that saw none would look for folders in the wrong place.
#[test]
fn no_namespace_is_missing_silently() {
    for (line, shown) in [
        (
            &b"* NAMESPACE ((INBOX. \".\")(\"a\" NIL)) NIL NIL\r\n"[..],
            r#"* [("INBOX." Some('.')), ("a" None)][][]"#,
        ),
        (
            b"* NAMESPACE ((\"\" \"/\")) NIL ((\"Public/\" \"/\" \"X\" (\"y\")))\r\n",
            r#"* [("" Some('/'))][][("Public/" Some('/'))]"#,
        ),
    ] {
        let told = told_behind(&SELECTED, line);
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].replace("Namespace(", "").trim_end_matches(')'),
            shown.trim_end_matches(')'),
            "{told:?}"
        );
    }
    for line in [
        &b"* NAMESPACE ((\"a\" \"/\") x) NIL NIL\r\n"[..],
        b"* NAMESPACE ((\"a\" /)) NIL NIL\r\n",
        b"* NAMESPACE NIL ((NIL NIL)) NIL\r\n",
        b"* NAMESPACE ((\"a\" \"/\")(\"b\")) NIL NIL\r\n",
    ] {
        assert!(told_behind(&SELECTED, line)[0].starts_with("Malformed List"), "{}", line.escape_ascii());
    }
}

/// What stands behind the numbers is read to its end, and a fault tells where it stands in the line (RFC 7162 §3.1.6).
#[test]
fn a_modification_sequence_behind_numbers_is_whole() {
    for (line, shown) in [
        (&b"* SEARCH 1 2 (MODSEQ 9)\r\n"[..], "* Search([Ok(1), Ok(2)], Some(9))"),
        (b"* SEARCH (MODSEQ 9)\r\n", "* Search([], Some(9))"),
        (b"* SORT 2 (MODSEQ 9) \r\n", "* Sort([Ok(2)], Some(9))"),
        (b"* SEARCH 1 2 (MODSEQ 9))\r\n", "Malformed End at 23: * SEARCH 1 2 (MODSEQ 9))"),
        (b"* SEARCH 1 2 (MODSEQ x)\r\n", "Malformed Number at 21: * SEARCH 1 2 (MODSEQ x)"),
        (b"* SEARCH 1 2 (COUNT 9)\r\n", "Malformed Keyword at 13: * SEARCH 1 2 (COUNT 9)"),
    ] {
        assert_eq!(told_behind(&SELECTED, line), [shown]);
    }
}

/// A field's name may hold a `]` (RFC 5322 §2.2, RFC 9051 §9 `header-fld-name`); and one that belongs to no name ends the section wherever it
/// stands, so that the attributes behind it are not lost.
#[test]
fn a_bracket_in_the_name_of_a_field_does_not_end_its_section() {
    let names =
        |told: &[String]| told[0].contains("x]y") && told[0].contains("Uid(3)") && !told[0].contains('?');
    for line in [
        &b"* 1 FETCH (BODY[HEADER.FIELDS (x]y)] {2}\r\nab UID 3)\r\n"[..],
        b"* 1 FETCH (BODY[HEADER.FIELDS (a x]y])]<0> \"ab\" UID 3)\r\n",
        b"* 1 FETCH (BODY[1.HEADER.FIELDS.NOT (\"x]y\")] NIL UID 3)\r\n",
    ] {
        let told = told_behind(&SELECTED, line);
        assert!(names(&told), "{told:?}");
    }
    for line in [
        &b"* 1 FETCH (BODY[HEADER.FIELDS (a b] \"c\" UID 3)\r\n"[..],
        b"* 1 FETCH (BODY[HEADER.FIELDS (a b]<0> \"c\" UID 3)\r\n",
    ] {
        let told = told_behind(&SELECTED, line);
        assert!(told[0].contains("?BODY[") && told[0].contains("Uid(3)"), "{told:?}");
    }
    // What one of us asks for and answers, the other reads.
    let names = [AString::new(b"x]y").unwrap()];
    let section = Section::new(Part::WHOLE, SectionText::Fields(HeaderNames::of(&names).unwrap())).unwrap();
    let atts = [FetchAtt::Section { peek: true, section, partial: None }];
    let command = Command::Fetch {
        uid: false,
        set: SequenceSet::ALL,
        atts: FetchAtts::of(&atts),
        modifiers: Options::NONE,
    };
    let mut output = Output::new();
    command.encode(Tag::new(b"a").unwrap(), false, &mut output);
    assert_eq!(
        output.copy_to_bytes(output.remaining()),
        &b"a FETCH 1:* BODY.PEEK[HEADER.FIELDS (\"x]y\")]\r\n"[..]
    );
}

/// A server that repeats the length of the window has sent a part all the same.
#[test]
fn a_window_is_not_taken_for_the_whole() {
    let mut origins = Vec::new();
    let long =
        [b"* 1 FETCH (BODY[]<7.70000> {65537}\r\n".to_vec(), vec![b'x'; 65537], b")\r\n".to_vec()].concat();
    for line in
        [&b"* 1 FETCH (BODY[]<4.9> {2}\r\nab)\r\n"[..], b"* 1 FETCH (BODY[TEXT]<0> {2}\r\nab)\r\n", &long]
    {
        hear_selected(line, |event| {
            let Event::Fetch(part) = event else { return };
            origins.extend(part.literal().map(|literal| literal.origin()));
            origins.extend(part.items().map(|item| match item {
                FetchItem::Content(content) => content.origin(),
                other => panic!("{other:?}"),
            }));
        });
    }
    assert_eq!(origins, [Some(4), Some(0), Some(7)]);
}

/// Before RFC 6154 special mailboxes were told by a response of their own, and what it tells is what LIST does.
#[test]
fn an_xlist_is_a_list() {
    let told = told_behind(&[SELECTED[0]], b"* XLIST (\\HasNoChildren \\Inbox) \"/\" \"Posteingang\"\r\n");
    assert_eq!(told, [r#"* List((\\HasNoChildren \\Inbox) Some('/') "Posteingang")"#]);
}

/// The first line is the greeting or nothing, however long it is (RFC 9051 §7.1).
#[test]
fn a_message_is_no_greeting() {
    for line in [
        &b"* 1 FETCH (BODY[] {3}\r\nabc)\r\n"[..],
        b"* 1 FETCH (BODY[] {17}\r\n01234567890123456)\r\n* OK hi\r\n",
    ] {
        assert_eq!(told_behind(&[], line), ["Violation Greeting"], "{}", line.escape_ascii());
    }
}
