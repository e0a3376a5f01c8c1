//! The law: what was read is written so that it reads the same, and then stays the same.

use super::*;
use crate::Limits;
use crate::types::{Flag, SequenceSet};
use bytes::Buf as _;

fn octets(mut output: Output) -> Vec<u8> {
    output.copy_to_bytes(output.remaining()).to_vec()
}

fn again(text: &[u8]) -> Vec<u8> {
    let (tag, command) = Command::parse(text, &Limits::default(), false).unwrap();
    let mut output = Output::new();
    command.encode(tag, false, &mut output);
    octets(output)
}

#[test]
fn commands_in_their_shortest_form_are_written_as_they_were_read() {
    for text in [
        "a NOOP",
        "a1]. CAPABILITY",
        "a ID NIL",
        "a ID (\"name\" \"x\" \"os\" NIL)",
        "a AUTHENTICATE PLAIN",
        "a AUTHENTICATE EXTERNAL =",
        "a AUTHENTICATE PLAIN dGVzdA==",
        "a LOGIN fred \"fat man\"",
        "a LOGIN \"a\\\"b\" \"c\\\\d\"",
        "a ENABLE CONDSTORE UTF8=ACCEPT",
        "a SELECT INBOX",
        "a SELECT b (QRESYNC (1 2 3:4))",
        "a EXAMINE \"a b\"",
        "a CREATE a/ (USE (\\Drafts))",
        "a DELETE a]b",
        "a RENAME a \"\"",
        "a LIST \"\" %",
        "a LIST (SUBSCRIBED) \"\" (INBOX a*) RETURN (CHILDREN STATUS (MESSAGES))",
        "a LSUB \"#news. x\" comp.*",
        "a NAMESPACE",
        "a STATUS INBOX (UIDNEXT MESSAGES)",
        "a APPEND x (\\Seen $a) \" 1-Feb-1994 21:52:25 -0800\" {310}",
        "a APPEND x ~{5+}",
        "a APPEND x UTF8 (~{5}",
        "a IDLE",
        "a CHECK",
        "a CLOSE",
        "a UNSELECT",
        "a EXPUNGE",
        "a UID EXPUNGE 1:3",
        "a SEARCH ALL",
        "a UID SEARCH RETURN (MIN COUNT) CHARSET UTF-8 OR NOT SEEN (FROM x HEADER a \"\") 1:*",
        "a SEARCH SINCE 1-Feb-1994 LARGER 100 OLDER 5 KEYWORD $x UID 3 $",
        "a FETCH 1:* FAST",
        "a FETCH 1 FLAGS",
        "a FETCH 1 (FLAGS)",
        "a UID FETCH 1 (BODY.PEEK[1.2.HEADER.FIELDS.NOT (A \"x(y\")]<0.10> BINARY[1] BINARY.SIZE[1.2] BODY[1.MIME] BODY[TEXT] BODY[2])",
        "a FETCH 1:5 (UID) (CHANGEDSINCE 12 VANISHED)",
        "a STORE 1 +FLAGS.SILENT (\\Deleted)",
        "a STORE 1 (UNCHANGEDSINCE 5) -FLAGS (a)",
        "a COPY 1:* \"a{5}\"",
        "a UID MOVE $ x",
        "a X-THING",
        "a UID X-THING 5",
        "a X-THING (a (b \"c d\")) 5",
    ] {
        let text = format!("{text}\r\n").into_bytes();
        assert_eq!(again(&text).escape_ascii().to_string(), text.escape_ascii().to_string());
    }
}

#[test]
fn other_forms_become_the_shortest() {
    assert_eq!(again(b"a select {5}\r\ninbox\r\n"), b"a SELECT INBOX\r\n");
    assert_eq!(again(b"a login \"fred\" {3+}\r\nfat\r\n"), b"a LOGIN fred fat\r\n");
    assert_eq!(again(b"a LOGIN fred {4}\r\na\r\nb\r\n"), b"a LOGIN fred {4+}\r\na\r\nb\r\n");
    assert_eq!(again(b"a STORE 1 FLAGS \\Seen x\r\n"), b"a STORE 1 FLAGS (\\Seen x)\r\n");
    assert_eq!(again(b"a SEARCH ON \"1-Feb-1994\"\r\n"), b"a SEARCH ON 1-Feb-1994\r\n");
    assert_eq!(again(b"a X {2}\r\n\xc3\xa9\r\n"), b"a X {2+}\r\n\xc3\xa9\r\n");
}

#[test]
fn built_values_are_written() {
    let flags = [Flag::Seen];
    let command = Command::Store {
        uid: true,
        set: SequenceSet::ALL,
        modifiers: Options::NONE,
        mode: crate::command::StoreMode::Add,
        silent: false,
        flags: Flags::of(&flags),
    };
    let mut output = Output::new();
    command.encode(Tag::new(b"t1").unwrap(), false, &mut output);
    assert_eq!(octets(output), b"t1 UID STORE 1:* +FLAGS (\\Seen)\r\n");
}

#[test]
fn a_password_is_secret_in_every_form() {
    for password in ["plain", "with space", "quo\"te", "line\r\nend", "ü"] {
        let password_octets = AString::new(password.as_bytes()).unwrap();
        let command = Command::Login {
            user: AString::new(b"fred").unwrap(),
            password: mail_wire::Secret::new(password_octets),
        };
        let mut output = Output::new();
        command.encode(Tag::new(b"t").unwrap(), false, &mut output);
        let public: Vec<u8> = output
            .runs()
            .filter(|(class, _)| *class == Class::Public)
            .flat_map(|(_, run)| run.to_vec())
            .collect();
        let public = String::from_utf8(public).unwrap();
        assert!(!public.contains(password) && public.starts_with("t LOGIN fred "), "{public}");
        assert!(!format!("{command:?}").contains(password));
    }
}
