//! Golden values by hand.

use super::*;
use crate::types::{AString, Date, DateTime, FetchAtt, Flag, Key, Mailbox, SequenceSet};

fn parse(text: &[u8]) -> Command<'_> {
    let (tag, command) = line(text, &Limits::default(), false).unwrap();
    assert_eq!(tag.as_str(), "a");
    command
}

fn fault(text: &[u8]) -> (usize, Rule) {
    let malformed = line(text, &Limits::default(), false).expect_err("is refused");
    assert_eq!(malformed.raw, text.strip_suffix(b"\r\n").unwrap());
    (malformed.at, malformed.rule)
}

#[test]
fn strings_are_read_in_all_three_forms() {
    for text in [
        &b"a LOGIN fred fat\r\n"[..],
        b"a login \"fred\" \"fat\"\r\n",
        b"a LOGIN {4}\r\nfred {3+}\r\nfat\r\n",
    ] {
        let Command::Login { user, password } = parse(text) else { panic!("{text:?}") };
        assert_eq!(user, &b"fred"[..]);
        assert_eq!(*password.expose(), &b"fat"[..]);
    }
    let Command::Login { user, password } = parse(b"a LOGIN \"a\\\"b\" {0}\r\n\r\n") else { panic!() };
    assert_eq!(user, &b"a\"b"[..]);
    assert!(password.expose().is_empty());
}

#[test]
fn a_literal_that_ends_in_a_line_end_keeps_it() {
    let Command::Login { password, .. } = parse(b"a LOGIN u {4}\r\n\r\n\r\n\r\n") else { panic!() };
    assert_eq!(*password.expose(), &b"\r\n\r\n"[..]);
}

#[test]
fn commands_of_the_selected_state_are_typed() {
    let Command::Fetch { uid: true, set, atts, modifiers } =
        parse(b"a UID FETCH 4:2,9 (FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.10>) (CHANGEDSINCE 12)\r\n")
    else {
        panic!()
    };
    assert_eq!(set.canonical().as_str(), "2:4,9");
    assert_eq!(atts.iter().count(), 2);
    assert!(atts.contains(FetchAtt::Flags));
    assert_eq!(modifiers.get("changedsince").unwrap().unwrap().octets(), b"12");

    let Command::Store { uid: false, set, mode: StoreMode::Add, silent: true, flags, modifiers } =
        parse(b"a STORE 1:* +FLAGS.SILENT (\\Deleted $x)\r\n")
    else {
        panic!()
    };
    assert_eq!(set, SequenceSet::ALL);
    assert!(flags.contains(Flag::Deleted) && !modifiers.is_present());
    let Command::Store { flags, mode: StoreMode::Replace, .. } = parse(b"a STORE 1 FLAGS \\Seen a\r\n")
    else {
        panic!()
    };
    assert_eq!(flags.iter().count(), 2);
    let Command::Store { flags, modifiers, .. } = parse(b"a STORE 1 (UNCHANGEDSINCE 0) FLAGS ()\r\n") else {
        panic!()
    };
    assert!(flags.is_empty() && modifiers.has("UNCHANGEDSINCE"));

    let Command::Search { uid: false, options, charset, keys } =
        parse(b"a SEARCH RETURN () CHARSET UTF-8 OR SEEN SINCE 1-Feb-1994\r\n")
    else {
        panic!()
    };
    assert!(options.is_present() && charset.is_some());
    assert_eq!(
        keys.iter().collect::<Vec<_>>(),
        [Key::Or, Key::Seen, Key::Since(Date::new(1994, 2, 1).unwrap())]
    );

    let Command::Copy { uid: true, mailbox, .. } = parse(b"a uid copy 1 inbox\r\n") else { panic!() };
    assert_eq!(mailbox, Mailbox::INBOX);
    assert!(matches!(parse(b"a UID EXPUNGE 3:5\r\n"), Command::Expunge { uids: Some(_) }));
    assert!(matches!(parse(b"a EXPUNGE\r\n"), Command::Expunge { uids: None }));
}

#[test]
fn an_append_is_read_up_to_its_message() {
    let Command::Append(append) = parse(b"a APPEND Sent (\\Seen) \" 1-Feb-1994 21:52:25 -0800\" {310}\r\n")
    else {
        panic!()
    };
    assert_eq!(append.mailbox, Mailbox::new(b"Sent").unwrap());
    assert_eq!(append.flags, Flags::of(&[Flag::Seen]));
    assert_eq!(append.date, Some(DateTime::parse(b" 1-Feb-1994 21:52:25 -0800").unwrap()));
    assert_eq!((append.octets, append.form, append.sync), (310, AppendForm::Literal, true));
    let Command::Append(append) = parse(b"a APPEND {3+}\r\nbox UTF8 (~{19+}\r\n") else { panic!() };
    assert_eq!((append.octets, append.form, append.sync), (19, AppendForm::Utf8, false));
    assert_eq!(append.mailbox, Mailbox::new(b"box").unwrap());
}

#[test]
fn lists_of_mailboxes() {
    let Command::List(args) = parse(b"a LIST \"\" %\r\n") else { panic!() };
    assert_eq!(args.patterns.iter().collect::<Vec<_>>(), [AString::plain(b"%")]);
    assert!(!args.select.is_present() && !args.returns.is_present());
    let Command::List(args) =
        parse(b"a LIST (SUBSCRIBED) \"\" (INBOX \"a b\" c*) RETURN (CHILDREN STATUS (MESSAGES))\r\n")
    else {
        panic!()
    };
    assert_eq!(args.patterns.iter().count(), 3);
    assert!(args.select.has("SUBSCRIBED") && args.returns.has("STATUS"));
    let Command::Lsub { pattern, .. } = parse(b"a LSUB \"#news.\" \"comp.*\"\r\n") else { panic!() };
    assert_eq!(pattern, &b"comp.*"[..]);
}

#[test]
fn an_unknown_command_keeps_its_octets() {
    let Command::Other { uid: false, name, args } = parse(b"a XPIG-LATIN (a {1+}\r\nb) \"c\"\r\n") else {
        panic!()
    };
    assert!(name.is("xpig-latin"));
    assert_eq!(args.octets(), b"(a {1+}\r\nb) \"c\"");
}

#[test]
fn each_fault_names_its_place_and_its_rule() {
    assert_eq!(fault(b"\r\n"), (0, Rule::Tag));
    assert_eq!(fault(b" \r\n"), (0, Rule::Tag));
    assert_eq!(fault(b"a+b NOOP\r\n"), (1, Rule::Space));
    assert_eq!(fault(b"a\r\n"), (1, Rule::Space));
    assert_eq!(fault(b"a  NOOP\r\n"), (2, Rule::Command));
    assert_eq!(fault(b"a NOOP x\r\n"), (6, Rule::End));
    assert_eq!(fault(b"a SELECT \"Entw\xc3\xbcrfe\"\r\n"), (10, Rule::Quoted));
    assert_eq!(fault(b"a SELECT \"i\\nbox\"\r\n").1, Rule::Quoted);
    assert_eq!(fault(b"a CREATE {11}\r\nx\r\ny DELETE\r\n").1, Rule::Mailbox);
    assert_eq!(fault(b"a STORE 1 +FLAGS (\\Recent)\r\n").1, Rule::Flag);
    assert_eq!(fault(b"a STORE 1 +FLAGS (a]b)\r\n").1, Rule::Flag);
    assert_eq!(fault(b"a STORE 1 FLAGS\r\n").1, Rule::Space);
    assert_eq!(fault(b"a STORE 1 FLAGSX (a)\r\n").1, Rule::Store);
    assert_eq!(fault(b"a FETCH 0:5 FLAGS\r\n").1, Rule::Set);
    assert_eq!(fault(b"a FETCH 1 BODY[]<0.0>\r\n").1, Rule::Number);
    assert_eq!(fault(b"a UID (\r\n").1, Rule::Command);
    assert_eq!(fault(b"a LOGIN {3}\r\na\0b x\r\n").1, Rule::Literal);
    assert_eq!(fault(b"a APPEND INBOX \"32-Foo-9999 99:99:99 +9999\" {1}\r\n").1, Rule::Date);
    assert_eq!(fault(b"a APPEND INBOX\r\n").1, Rule::Space);
    assert_eq!(fault(b"a AUTHENTICATE PLAIN a b\r\n").1, Rule::End);
    assert_eq!(fault(b"a LIST \"\" () \r\n").1, Rule::AString);
}

#[test]
fn utf8_is_read_once_it_is_enabled() {
    let utf8 = |text| line(text, &Limits::default(), true);
    assert!(utf8("a SELECT \"Entwürfe\"\r\n".as_bytes()).is_ok());
    assert_eq!(utf8(b"a SELECT \"Entw\xfcrfe\"\r\n").unwrap_err().rule, Rule::Utf8);
    assert_eq!(utf8(b"a SELECT {2+}\r\n\xff\xfe\r\n").unwrap_err().rule, Rule::Utf8);
}

#[test]
fn limits_of_items_and_depth_hold() {
    let limits = Limits { set_items: 2, search_depth: 2, list_depth: 2, ..Limits::default() };
    let rule = |text: &[u8]| line(text, &limits, false).map(|_| ()).map_err(|malformed| malformed.rule);
    assert_eq!(rule(b"a FETCH 1,2 FLAGS\r\n"), Ok(()));
    assert_eq!(rule(b"a FETCH 1,2,3 FLAGS\r\n"), Err(Rule::TooMany));
    assert_eq!(rule(b"a SEARCH NOT NOT ALL\r\n"), Ok(()));
    assert_eq!(rule(b"a SEARCH NOT NOT NOT ALL\r\n"), Err(Rule::Depth));
    assert_eq!(rule(b"a X ((b))\r\n"), Ok(()));
    assert_eq!(rule(b"a X (((b)))\r\n"), Err(Rule::Depth));
}
