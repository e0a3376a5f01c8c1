//! Tokens, and what is not taken.

use super::desk::{MESSAGE, ok, status};
use crate::command::Command;
use crate::server::*;
use crate::types::{
    AString, Code, Condition, FetchAtt, Mailbox, Part, Partial, ResponseText, Section, Status,
};
use bytes::{Buf as _, Bytes};
use core::num::NonZeroU64;
use mail_wire::{Framed, Handover, Input, Machine as _, Misuse, Output, Pause};

struct Bench {
    server: Server,
    input: Input,
    output: Output,
}

impl Bench {
    fn new() -> Self {
        let server = Handover::implicit(Server::new(Config::default())).secured();
        Self { server, input: Input::new(), output: Output::new() }
    }

    fn next(&mut self) -> Event<'_> {
        match self.server.frame(&mut self.input, &mut self.output).unwrap() {
            Framed::Ready(unit) => self.server.decode(unit, &mut self.input).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, octets: &[u8]) -> Answer {
        self.input.feed(octets);
        match self.next() {
            Event::Connected(answer) | Event::Command(_, answer) | Event::IdleDone(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    fn pause(&mut self) -> Pause {
        match self.server.frame(&mut self.input, &mut self.output).unwrap() {
            Framed::Paused(pause) => pause,
            other => panic!("{other:?}"),
        }
    }

    fn sent(&mut self) -> String {
        String::from_utf8(self.output.copy_to_bytes(self.output.remaining()).to_vec()).unwrap()
    }

    fn selected() -> Self {
        let mut bench = Self::new();
        for line in [&b""[..], b"a LOGIN u p\r\n", b"b SELECT x\r\n"] {
            let answer = bench.answer(line);
            bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
        }
        bench.sent();
        bench
    }
}

#[test]
fn a_dropped_answer_shows_at_the_next_frame() {
    let mut bench = Bench::selected();
    drop(bench.answer(b"c NOOP\r\n"));
    assert_eq!(bench.pause(), Pause::AnswerOwed);
    assert_eq!(bench.pause(), Pause::AnswerOwed);
}

#[test]
fn a_token_of_another_machine_comes_back() {
    let (mut one, mut other) = (Bench::selected(), Bench::selected());
    let (mine, theirs) = (one.answer(b"c NOOP\r\n"), other.answer(b"c NOOP\r\n"));
    let returned = one.server.answer(theirs, &ok(), &mut one.output).unwrap_err();
    assert_eq!(returned.why, Misuse::NotOwed);
    assert!(one.output.is_empty());
    one.server.answer(mine, &ok(), &mut one.output).unwrap();
    other.server.answer(returned.token, &ok(), &mut other.output).unwrap();
}

#[test]
fn a_condition_that_cannot_stand_is_not_taken() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c NOOP\r\n");
    let returned = bench.server.answer(answer, &status(Condition::Bye, "x"), &mut bench.output).unwrap_err();
    assert_eq!(returned.why, Misuse::NotInState);
    let wrong = [
        Code::Other { name: b"X", args: b"]\r\n* BYE" },
        Code::Other { name: b"X Y", args: b"" },
        Code::Referral(b"x]\r\n"),
        Code::BadCharset(b"a\nb"),
        Code::MailboxId(b"]"),
        Code::BadUrl(AString::new(b"a\r\nb").unwrap()),
    ];
    let mut token = returned.token;
    for code in wrong {
        let returned = bench.server.answer(token, &ok().with_code(code), &mut bench.output).unwrap_err();
        assert_eq!(returned.why, Misuse::Invalid("response code or text"), "{code:?}");
        token = returned.token;
    }
    assert!(bench.output.is_empty());
    let code = Code::Other { name: b"X", args: b"1 (2)" };
    bench.server.answer(token, &ok().with_code(code), &mut bench.output).unwrap();
    assert_eq!(bench.sent(), "c OK [X 1 (2)] done\r\n");
}

#[test]
fn preauth_needs_tls() {
    let mut bench = Bench { server: Server::new(Config::default()), ..Bench::new() };
    let answer = bench.answer(b"");
    let preauth = status(Condition::PreAuth, "hello");
    let returned = bench.server.answer(answer, &preauth, &mut bench.output).unwrap_err();
    assert!(matches!(returned.why, Misuse::Forbidden(_)));
    let mut bench = Bench::new();
    let answer = bench.answer(b"");
    bench.server.answer(answer, &preauth, &mut bench.output).unwrap();
    assert_eq!(bench.server.phase(), Phase::Authenticated);
}

#[test]
fn a_greeting_of_bye_ends_the_session() {
    let mut bench = Bench::new();
    let answer = bench.answer(b"a NOOP\r\n");
    bench.server.refuse(answer, &mut bench.output).unwrap();
    assert_eq!(bench.sent(), "* BYE not now\r\n");
    assert!(matches!(bench.server.frame(&mut bench.input, &mut bench.output), Ok(Framed::Closed)));
}

#[test]
fn a_message_is_sent_to_its_last_octet_and_not_beyond() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c FETCH 1 BODY[]\r\n");
    let fetch = bench.server.untagged(&answer, &mut bench.output).unwrap();
    let mut fetch = fetch;
    let mut grant = fetch.fetch(1).body(FetchAtt::MESSAGE, 20).unwrap();
    // Nothing else before the message is out.
    assert_eq!(bench.server.untagged(&answer, &mut bench.output).unwrap_err(), Misuse::MustWait);
    let returned = bench.server.answer(answer, &ok(), &mut bench.output).unwrap_err();
    assert_eq!(returned.why, Misuse::MustWait);
    let mut long = Bytes::from_static(b"123456789012345678901");
    assert_eq!(bench.server.body(&mut grant, &mut long, &mut bench.output), Err(Misuse::WrongLength));
    assert_eq!(long.len(), 21);
    let mut message = Bytes::from_static(MESSAGE);
    let mut half = message.split_to(7);
    bench.server.body(&mut grant, &mut half, &mut bench.output).unwrap();
    assert_eq!((half.len(), grant.left()), (0, 13));
    bench.server.body(&mut grant, &mut message, &mut bench.output).unwrap();
    assert_eq!(grant.left(), 0);
    let mut more = Bytes::from_static(b"x");
    assert_eq!(bench.server.body(&mut grant, &mut more, &mut bench.output), Err(Misuse::NotOwed));
    bench.server.answer(returned.token, &ok(), &mut bench.output).unwrap();
    assert_eq!(bench.sent(), "* 1 FETCH (BODY[] {20}\r\nSubject: x\r\n\r\nbody\r\n)\r\nc OK done\r\n");
}

/// RFC 9051 §6.3.2: the mailbox is left before another is attempted, and the client is told so first.
#[test]
fn a_select_leaves_the_mailbox_whatever_comes_of_it() {
    const CLOSED: &str = "* OK [CLOSED] the mailbox is left\r\n";
    for (condition, word, phase) in
        [(Condition::Ok, "OK", Phase::Selected), (Condition::No, "NO", Phase::Authenticated)]
    {
        for told in [false, true] {
            for command in ["SELECT", "EXAMINE"] {
                let mut bench = Bench::selected();
                let answer = bench.answer(format!("c {command} y\r\n").as_bytes());
                assert_eq!(bench.server.phase(), Phase::Selected);
                let mut data = "";
                if told {
                    bench.server.untagged(&answer, &mut bench.output).unwrap().exists(3);
                    assert_eq!(bench.server.phase(), Phase::Authenticated);
                    data = "* 3 EXISTS\r\n";
                }
                bench.server.answer(answer, &status(condition, "x"), &mut bench.output).unwrap();
                assert_eq!(bench.server.phase(), phase);
                assert_eq!(bench.sent(), format!("{CLOSED}{data}c {word} x\r\n"));
            }
        }
    }
    // What was not attempted has left nothing; and where nothing was selected nothing is left.
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c SELECT y\r\n");
    bench.server.answer(answer, &status(Condition::Bad, "x"), &mut bench.output).unwrap();
    assert_eq!(bench.server.phase(), Phase::Selected);
    let answer = bench.answer(b"d UNSELECT\r\n");
    bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
    let answer = bench.answer(b"e SELECT y\r\n");
    bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
    assert_eq!(bench.sent(), "c BAD x\r\nd OK done\r\ne OK done\r\n");
}

/// The policy for bodies on the way out: what is refused may be given anew.
#[test]
fn a_section_holds_no_bare_line_end_and_no_nul() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c FETCH 1 BODY[]\r\n");
    let mut fetch = bench.server.untagged(&answer, &mut bench.output).unwrap();
    let returned = fetch.fetch(1).text(FetchAtt::MESSAGE, b"a\nb").unwrap_err();
    assert!(matches!(returned, Misuse::Invalid(_)));
    let mut grant = fetch.fetch(1).body(FetchAtt::MESSAGE, 6).unwrap();
    let before = bench.output.len();
    for bad in [&b"a\nbcde"[..], b"a\rb", b"a\0b", b"12345\r"] {
        let mut piece = Bytes::from_static(bad);
        let refused = bench.server.body(&mut grant, &mut piece, &mut bench.output);
        assert!(matches!(refused, Err(Misuse::Invalid(_))), "{bad:?}");
        assert_eq!((piece.len(), grant.left(), bench.output.len()), (bad.len(), 6, before));
    }
    for good in [&b"a\r"[..], b"\nbcd"] {
        bench.server.body(&mut grant, &mut Bytes::from_static(good), &mut bench.output).unwrap();
    }
    bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
    assert_eq!(bench.sent(), "* 1 FETCH (BODY[] {6}\r\na\r\nbcd)\r\nc OK done\r\n");

    // A literal8 holds any octet; a window begins and ends anywhere.
    let answer = bench.answer(b"c FETCH 1 BINARY[1]\r\n");
    let any = FetchAtt::Binary { peek: false, part: Part::WHOLE, partial: None };
    let window = Partial { offset: 3, count: NonZeroU64::MIN };
    let window = FetchAtt::Section { peek: false, section: Section::WHOLE, partial: Some(window) };
    let mut fetch = bench.server.untagged(&answer, &mut bench.output).unwrap();
    fetch.fetch(1).text(window, b"\nb\r").unwrap().end();
    let mut grant = fetch.fetch(1).body(any, 3).unwrap();
    bench.server.body(&mut grant, &mut Bytes::from_static(b"\n\0\r"), &mut bench.output).unwrap();
    bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
    let sent = "* 1 FETCH (BODY[]<3> {3}\r\n\nb\r)\r\n* 1 FETCH (BINARY[] ~{3}\r\n\n\0\r)\r\nc OK done\r\n";
    assert_eq!(bench.sent(), sent);
}

#[test]
fn a_full_output_takes_no_more_of_a_message() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c FETCH 1 BODY[]\r\n");
    let mut grant = bench
        .server
        .untagged(&answer, &mut bench.output)
        .unwrap()
        .fetch(1)
        .body(FetchAtt::MESSAGE, 100_000)
        .unwrap();
    let mut message = Bytes::from(vec![b'x'; 100_000]);
    let mut turns = 0;
    while grant.left() > 0 {
        bench.server.body(&mut grant, &mut message, &mut bench.output).unwrap();
        assert!(bench.output.len() <= Output::HIGH_WATER + 64);
        if grant.left() > 0 {
            assert_eq!(bench.pause(), Pause::OutputFull);
        }
        bench.sent();
        turns += 1;
    }
    assert_eq!(turns, 4);
    assert_eq!(bench.pause(), Pause::AnswerOwed);
    bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
}

#[test]
fn two_messages_in_one_response() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c FETCH 1 (BODY[HEADER] BODY[TEXT] UID)\r\n");
    let header = FetchAtt::Section {
        peek: false,
        section: crate::types::Section::parse(b"HEADER").unwrap(),
        partial: None,
    };
    let mut writer = bench.server.untagged(&answer, &mut bench.output).unwrap();
    let mut grant = writer.fetch(1).body_and_more(header, 2).unwrap();
    let returned = bench.server.fetch_on(grant, &mut bench.output).unwrap_err();
    assert_eq!(returned.why, Misuse::MustWait);
    grant = returned.token;
    bench.server.body(&mut grant, &mut Bytes::from_static(b"\r\n"), &mut bench.output).unwrap();
    let fetch = bench.server.fetch_on(grant, &mut bench.output).unwrap();
    let empty = fetch.uid(4).body(FetchAtt::Rfc822Text, 0).unwrap();
    assert_eq!(empty.left(), 0);
    bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
    assert_eq!(
        bench.sent(),
        "* 1 FETCH (BODY[HEADER] {2}\r\n\r\n UID 4 RFC822.TEXT {0}\r\n)\r\nc OK done\r\n"
    );
}

#[test]
fn a_section_is_a_section() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c FETCH 1 UID\r\n");
    let mut writer = bench.server.untagged(&answer, &mut bench.output).unwrap();
    assert!(writer.fetch(1).body(FetchAtt::Uid, 5).is_err());
    assert!(writer.fetch(1).text(FetchAtt::MESSAGE, b"a\0b").is_err());
    let binary = FetchAtt::Binary { peek: true, part: crate::types::Part::WHOLE, partial: None };
    writer.fetch(2).text(binary, b"a\0b").unwrap().nil(FetchAtt::MESSAGE).unwrap().end();
    writer.fetch(3).end();
    assert_eq!(bench.sent(), "* 2 FETCH (BINARY[] ~{3}\r\na\0b BODY[] NIL)\r\n");
}

#[test]
fn only_an_idle_can_idle_and_its_turn_ends_with_it() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c NOOP\r\n");
    let returned = bench.server.idle(answer, &mut bench.output).unwrap_err();
    assert_eq!(returned.why, Misuse::NotOwed);
    bench.server.answer(returned.token, &ok(), &mut bench.output).unwrap();
    let answer = bench.answer(b"d IDLE\r\n");
    let turn = bench.server.idle(answer, &mut bench.output).unwrap();
    assert!(matches!(bench.server.frame(&mut bench.input, &mut bench.output), Ok(Framed::NeedInput)));
    bench.server.untagged(&turn, &mut bench.output).unwrap().exists(4).recent(1);
    let done = bench.answer(b"DONE\r\n");
    assert_eq!(bench.server.untagged(&turn, &mut bench.output).unwrap_err(), Misuse::NotOwed);
    bench.server.answer(done, &ok(), &mut bench.output).unwrap();
    assert_eq!(bench.sent(), "c OK done\r\n+ idling\r\n* 4 EXISTS\r\n* 1 RECENT\r\nd OK done\r\n");
}

#[test]
fn passwords_are_masked_wherever_they_stand() {
    let lines: [(&[u8], &[u8]); 6] = [
        (b"a LOGIN u sesame\r\n", b"a LOGIN u ######\r\n"),
        (b"a LOGIN u \"ses\\\"me\"\r\n", b"a LOGIN u \"#######\"\r\n"),
        (b"a LOGIN {1+}\r\nu {6+}\r\nsesame\r\n", b"a LOGIN {1+}\r\nu {6+}\r\n######\r\n"),
        (b"a LOGIN u sesame x\r\n", b"a LOGIN ##########\r\n"),
        (b"a LOGIN sesame\r\n", b"a LOGIN ######\r\n"),
        (b"a AUTHENTICATE PLAIN c2VzYW1l\r\n", b"a AUTHENTICATE PLAIN ########\r\n"),
    ];
    for (line, masked) in lines {
        let mut bench = Bench::new();
        let answer = bench.answer(b"");
        bench.server.answer(answer, &ok(), &mut bench.output).unwrap();
        bench.input.feed(line);
        let shown = format!("{:?}", bench.next());
        assert!(!shown.contains("sesame") && !shown.contains("c2VzYW1l"), "{shown}");
        let mut octets = line.to_vec();
        for mask in bench.server.masks() {
            octets[mask.span.start()..mask.span.end()].fill(b'#');
        }
        assert_eq!(octets.escape_ascii().to_string(), masked.escape_ascii().to_string());
    }
}

#[test]
fn responses_are_written_as_the_grammar_wants_them() {
    let mut bench = Bench::selected();
    let answer = bench.answer(b"c NOOP\r\n");
    let mut writer = bench.server.untagged(&answer, &mut bench.output).unwrap();
    let atom = |name: &'static str| crate::types::Atom::try_from(name).unwrap();
    writer
        .mailbox_status(Mailbox::new(b"a b").unwrap(), [(atom("MESSAGES"), 3), (atom("SIZE"), u64::MAX)])
        .list(crate::types::Flags::NONE, None, Mailbox::new(b"a\"b").unwrap())
        .lsub(crate::types::Flags::NONE, Some(b'\\'), Mailbox::new(b"x").unwrap())
        .id(crate::types::IdFields::of(&[(AString::new(b"name").unwrap(), None)]).unwrap())
        .search([])
        .status(&Status::new(Condition::Ok, ResponseText::new(b"hi").unwrap()).with_code(Code::UidNext(5)))
        .unwrap();
    writer.esearch(
        true,
        SearchResult { all: Some(crate::types::SequenceSet::ALL), min: Some(1), ..SearchResult::default() },
    );
    assert_eq!(
        bench.sent(),
        "* STATUS \"a b\" (MESSAGES 3 SIZE 18446744073709551615)\r\n* LIST () NIL \"a\\\"b\"\r\n* LSUB () \"\\\\\" x\r\n\
         * ID (\"name\" NIL)\r\n* SEARCH\r\n* OK [UIDNEXT 5] hi\r\n* ESEARCH (TAG \"c\") UID MIN 1 ALL 1:*\r\n"
    );
    let _ = Command::Noop;
}
