//! The main job, refusals, the hand-over.

use super::desk::{Desk, Golden};
use crate::server::{Config, Offer};

fn plain() -> Desk {
    Desk::new(Config::default())
}

fn secure() -> Desk {
    let offer =
        Offer::new("IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE STARTTLS UTF8=ACCEPT AUTH=PLAIN AUTH=X")
            .unwrap();
    Desk::secure(Config { offer: offer.into(), ..Config::default() })
}

fn selected() -> Desk {
    Desk::selected(Config::default())
}

#[test]
fn a_session_from_greeting_to_logout() {
    Golden {
        make: secure,
        client: b"a1 CAPABILITY\r\na2 LOGIN {5}\r\nsmith {6+}\r\nsesame\r\na3 SELECT inbox\r\na4 NOOP\r\n\
                  a5 FETCH 1 (FLAGS BODY.PEEK[])\r\na6 UID SEARCH SEEN\r\na7 SEARCH RETURN (COUNT) SUBJECT {3}\r\na b\r\n\
                  a8 STORE 1 +FLAGS (\\Deleted)\r\na9 EXPUNGE\r\na10 CLOSE\r\na11 LIST \"\" *\r\na12 NAMESPACE\r\na13 LOGOUT\r\n",
        log: "Answered(Capability)\n\
              Login { user: \"smith\", password: Secret(..) }\n\
              Select { mailbox: Mailbox(\"INBOX\"), params: {} }\n\
              Noop\n\
              Fetch { uid: false, set: SequenceSet(1), atts: [Flags, Section { peek: true, section: Section { part: Part(\"\"), \
              text: Full }, partial: None }], modifiers: {} }\n\
              Search { uid: true, options: {}, charset: None, keys: [Seen] }\n\
              Search { uid: false, options: {COUNT: None}, charset: None, keys: [Subject(\"a b\")] }\n\
              Store { uid: false, set: SequenceSet(1), modifiers: {}, mode: Add, silent: false, flags: [\\Deleted] }\n\
              Expunge { uids: None }\n\
              Close\n\
              List(ListArgs { select: {}, reference: Mailbox(\"\"), patterns: One(\"*\"), returns: {} })\n\
              Namespace\n\
              Logout\n\
              closed\n",
        server: "* OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT AUTH=PLAIN AUTH=X] ready\r\n\
                 * CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT AUTH=PLAIN AUTH=X\r\n\
                 a1 OK CAPABILITY completed\r\n\
                 + go ahead\r\n\
                 a2 OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT] done\r\n\
                 * FLAGS (\\Seen \\Deleted)\r\n* 1 EXISTS\r\na3 OK done\r\n\
                 * 2 EXISTS\r\na4 OK done\r\n\
                 * 1 FETCH (UID 7 FLAGS (\\Seen) BODY[] {20}\r\nSubject: x\r\n\r\nbody\r\n)\r\na5 OK done\r\n\
                 * SEARCH 7 9\r\na6 OK done\r\n\
                 + go ahead\r\n* ESEARCH (TAG \"a7\") COUNT 3\r\na7 OK done\r\n\
                 a8 OK done\r\n\
                 * 1 EXPUNGE\r\na9 OK done\r\n\
                 a10 OK done\r\n\
                 * LIST () \"/\" INBOX\r\na11 OK done\r\n\
                 * NAMESPACE ((\"\" \"/\")) NIL NIL\r\na12 OK done\r\n\
                 * BYE logging out\r\na13 OK done\r\n",
    }
    .check();
}

#[test]
fn messages_are_appended_in_every_form() {
    Golden {
        make: secure,
        client: b"l LOGIN u p\r\na APPEND Sent (\\Seen) {5}\r\nhello\r\nb APPEND {3+}\r\nbox {0+}\r\n\r\n\
                  e ENABLE UTF8=ACCEPT X\r\nc APPEND x UTF8 (~{4+}\r\nA5 \xc3)\r\nd SELECT \"\xc3\xa9\"\r\n",
        log: "Login { user: \"u\", password: Secret(..) }\n\
              Append { mailbox: Mailbox(\"Sent\"), flags: [\\Seen], date: None, octets: 5, form: Literal, sync: true }\n\
              chunk hello\nbody end\n\
              Append { mailbox: Mailbox(\"box\"), flags: [], date: None, octets: 0, form: Literal, sync: false }\n\
              body end\n\
              Enable([UTF8=ACCEPT, X])\n\
              Append { mailbox: Mailbox(\"x\"), flags: [], date: None, octets: 4, form: Utf8, sync: false }\n\
              chunk A5 \\xc3\nbody end\n\
              Select { mailbox: Mailbox(\"\\xc3\\xa9\"), params: {} }\n",
        server: "* OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT AUTH=PLAIN AUTH=X] ready\r\n\
                 l OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT] done\r\n\
                 + go ahead\r\na OK done\r\nb OK done\r\n* ENABLED UTF8=ACCEPT\r\ne OK done\r\nc OK done\r\n\
                 * FLAGS (\\Seen \\Deleted)\r\n* 1 EXISTS\r\nd OK done\r\n",
    }
    .check();
}

#[test]
fn idle_pushes_and_ends_with_done_alone() {
    Golden {
        make: selected,
        client: b"a IDLE\r\ndone\r\nb IDLE\r\nc NOOP\r\nd NOOP\r\n",
        log: "Idle\nidle done\nIdle\nmalformed: DONE at 0 of c NOOP\nNoop\n",
        server: "+ idling\r\n* 3 EXISTS\r\na OK done\r\n+ idling\r\n* 3 EXISTS\r\nb BAD cannot read this\r\n\
                 * 2 EXISTS\r\nd OK done\r\n",
    }
    .check();
}

#[test]
fn sasl_exchanges_with_and_without_an_initial_response() {
    Golden {
        make: secure,
        client: b"a AUTHENTICATE Y\r\nb AUTHENTICATE x\r\n*\r\nc AUTHENTICATE x\r\nnope\xff\r\nd AUTHENTICATE x !\r\n\
                  e AUTHENTICATE x\r\nd3Jvbmc=\r\nf AUTHENTICATE x\r\nbW9yZQ==\r\n\r\ng AUTHENTICATE x =\r\n",
        log: "Refused(NotOffered)\nauth x None\nAuthCancelled(Cancelled)\nauth x None\nAuthCancelled(NotBase64)\n\
              malformed: base64 at 17 of d AUTHENTICATE x !\nauth x None\nresponse wrong\nauth x None\nresponse more\n\
              response \nRefused(State)\n",
        server: "* OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT AUTH=PLAIN AUTH=X] ready\r\n\
                 a NO [CANNOT] not offered\r\n+ d2hvPw==\r\nb BAD cancelled\r\n+ d2hvPw==\r\nc BAD not base64\r\n\
                 d BAD cannot read this\r\n+ d2hvPw==\r\ne NO wrong\r\n+ d2hvPw==\r\n+ YW5kPw==\r\n\
                 f OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT] done\r\ng BAD not in this state\r\n",
    }
    .check();
}

#[test]
fn nothing_secret_passes_before_tls_and_nothing_is_remembered_after_it() {
    let mut desk = plain();
    desk.say(b"a LOGIN u p\r\nb LOGIN {1}\r\nc LOGIN {1+}\r\nu {1+}\r\np\r\nd AUTHENTICATE PLAIN AA==\r\ne STARTTLS\r\n");
    assert_eq!(
        desk.log,
        "Refused(TlsFirst)\nRefused(TlsFirst)\nRefused(TlsFirst)\nRefused(TlsFirst)\nstart tls\n"
    );
    let sent = String::from_utf8(core::mem::take(&mut desk.sent)).unwrap();
    assert!(sent.starts_with("* OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ID IDLE NAMESPACE UNSELECT STARTTLS LOGINDISABLED]"));
    assert!(sent.ends_with(
        "a NO [PRIVACYREQUIRED] not without TLS\r\nb NO [PRIVACYREQUIRED] not without TLS\r\n\
         c NO [PRIVACYREQUIRED] not without TLS\r\nd NO [PRIVACYREQUIRED] not without TLS\r\ne OK begin TLS now\r\n"
    ));
    desk.say(b"f CAPABILITY\r\ng STARTTLS\r\nh LOGIN u p\r\n");
    let sent = String::from_utf8(desk.sent).unwrap();
    assert_eq!(
        sent,
        "* CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ID IDLE NAMESPACE UNSELECT\r\nf OK CAPABILITY completed\r\n\
         g BAD not in this state\r\n\
         h OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ID IDLE NAMESPACE UNSELECT] done\r\n"
    );
}

#[test]
fn octets_behind_starttls_end_the_connection() {
    for surplus in [&b"b"[..], b"b NOOP\r\n", b"b APPEND INBOX {5}\r\n", b"\x16\x03\x01"] {
        let mut desk = plain();
        desk.say(&[b"a STARTTLS\r\n", surplus].concat());
        assert!(desk.log.starts_with("start tls\nviolation "), "{}", desk.log);
        let sent = String::from_utf8(desk.sent).unwrap();
        assert!(sent.ends_with("a BAD octets behind STARTTLS\r\n* BYE octets behind STARTTLS\r\n"), "{sent}");
    }
}

#[test]
fn a_command_out_of_its_state_is_refused_before_its_grammar_is_read() {
    Golden {
        make: secure,
        client: b"a SELECT\r\nb FETCH {5}\r\nc FETCH {5+}\r\nd NOOP x {3+}\r\nA B\r\ne XYZZY\r\nf LOGIN u p\r\ng FETCH 1 (\r\nh LOGIN a b\r\n",
        log: "Refused(State)\nRefused(State)\nRefused(State)\nRefused(State)\nLogin { user: \"u\", password: Secret(..) }\n\
              Refused(State)\nRefused(State)\n",
        server: "* OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT AUTH=PLAIN AUTH=X] ready\r\n\
                 a BAD not in this state\r\nb BAD not in this state\r\nc BAD not in this state\r\ne BAD not in this state\r\n\
                 f OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ENABLE ESEARCH IDLE UTF8=ACCEPT] done\r\n\
                 g BAD not in this state\r\nh BAD not in this state\r\n",
    }
    .check();
}

#[test]
fn what_cannot_be_read_is_told_and_answered() {
    Golden {
        make: selected,
        client: b"\r\n \r\na\r\n+ NOOP\r\nb NOOP x\r\nc STORE 1 +FLAGS (a]b)\r\nd SELECT \"a\\b\"\r\ne XYZZY\r\n",
        log: "malformed: a tag at 0 of \nmalformed: a tag at 0 of  \nmalformed: one space at 1 of a\n\
              malformed: a tag at 0 of + NOOP\nmalformed: the end of the line at 6 of b NOOP x\n\
              malformed: a flag at 19 of c STORE 1 +FLAGS (a]b)\n\
              malformed: a quoted string at 11 of d SELECT \\\"a\\\\b\\\"\n\
              Other { uid: false, name: XYZZY, args: Raw() }\n",
        server: "* BAD cannot read this\r\n* BAD cannot read this\r\na BAD cannot read this\r\n* BAD cannot read this\r\n\
                 b BAD cannot read this\r\nc BAD cannot read this\r\nd BAD cannot read this\r\ne BAD not supported\r\n",
    }
    .check();
}
