//! What the application of a server owes, and how it pays: what does not fit is handed back, and nothing has changed (RFC 1939 §3 to §7,
//! RFC 2449 §6.4, RFC 5034 §4).

use bytes::{Buf, Bytes};
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{Answer, AuthTurn, Config, Deletions, Event, Maildrop, Offer, Server};
use mail_pop3_proto::types::{Code, ReplyText, UniqueId};
use mail_pop3_proto::{Limits, Reply};
use mail_wire::{Framed, Handover, Input, Machine, Misuse, Output, Pause};

struct Session {
    server: Server,
    input: Input,
    output: Output,
}

/// What an event left to pay with.
#[derive(Debug)]
enum Token {
    Answer(Answer),
    Turn(AuthTurn),
    Commit(Deletions, Answer),
    Nothing,
}

fn ok() -> Reply<'static> {
    Reply::ok(ReplyText::EMPTY)
}

fn no() -> Reply<'static> {
    Reply::err(ReplyText::EMPTY)
}

fn maildrop() -> Maildrop {
    let mut maildrop = Maildrop::new();
    for id in ["a", "b"] {
        maildrop.push(5, UniqueId::try_from(id).unwrap()).unwrap();
    }
    maildrop
}

fn offer(lines: &[&str]) -> Offer {
    let mut offer = Offer { capabilities: Capabilities::new(), ..Offer::default() };
    for line in lines {
        offer.capabilities.add(line.as_bytes()).unwrap();
    }
    offer
}

impl Session {
    /// Under TLS, before the greeting.
    fn with(offer: Offer, limits: Limits) -> Self {
        let config = Config { offer: offer.into(), limits, ..Config::default() };
        let server = Handover::implicit(Server::new(config)).secured();
        Self { server, input: Input::new(), output: Output::new() }
    }

    /// Behind these lines, all of them answered positively but the last.
    fn owing(lines: &[&str]) -> (Self, Token) {
        let session =
            Self::with(offer(&["USER", "TOP", "UIDL", "SASL EXTERNAL", "RESP-CODES"]), Limits::default());
        session.behind(lines)
    }

    fn behind(mut self, lines: &[&str]) -> (Self, Token) {
        let mut token = self.next();
        for line in lines {
            self.pay(token);
            (self, token) = self.then(line);
        }
        self.output.advance(self.output.remaining());
        (self, token)
    }

    /// One line more, where nothing is owed.
    fn then(mut self, line: &str) -> (Self, Token) {
        self.input.feed(line.as_bytes());
        self.input.feed(b"\r\n");
        let token = self.next();
        (self, token)
    }

    fn next(&mut self) -> Token {
        let Framed::Ready(unit) = self.server.frame(&mut self.input, &mut self.output).unwrap() else {
            panic!()
        };
        match self.server.decode(unit, &mut self.input).unwrap() {
            Event::Connected(answer) | Event::Command(_, answer) => Token::Answer(answer),
            Event::Auth { turn, .. } => Token::Turn(turn),
            Event::Commit(deletions, answer) => Token::Commit(deletions, answer),
            _ => Token::Nothing,
        }
    }

    fn pay(&mut self, token: Token) {
        let Self { server, output, .. } = self;
        match token {
            Token::Answer(answer) => {
                if let Err(back) = server.answer(answer, &ok(), output) {
                    server.accept(back.token, maildrop(), &ok(), output).unwrap();
                }
            }
            Token::Turn(turn) => server.accept_auth(turn, maildrop(), &ok(), output).unwrap(),
            Token::Commit(..) | Token::Nothing => {}
        }
    }

    fn written(&mut self) -> String {
        String::from_utf8(self.output.copy_to_bytes(self.output.remaining()).to_vec()).unwrap()
    }
}

const LOG_IN: [&str; 2] = ["USER u", "PASS p"];

/// A log-in needs a maildrop and RETR a message: `+OK` alone would promise what is not there.
#[test]
fn a_positive_answer_that_needs_more_comes_back() {
    for lines in [&LOG_IN[..], &["USER u", "PASS p", "RETR 1"], &["USER u", "PASS p", "TOP 1 0"]] {
        let (mut session, Token::Answer(answer)) = Session::owing(lines) else { panic!("{lines:?}") };
        let back = session.server.answer(answer, &ok(), &mut session.output).unwrap_err();
        assert_eq!((back.why, session.output.len()), (Misuse::NotInState, 0), "{lines:?}");
        // It is still good for a negative one.
        session.server.answer(back.token, &no(), &mut session.output).unwrap();
        assert_eq!(session.written(), "-ERR\r\n");
    }
}

#[test]
fn a_log_in_is_accepted_positively_and_where_there_is_one() {
    let (mut session, Token::Answer(answer)) = Session::owing(&LOG_IN) else { panic!() };
    let back = session.server.accept(answer, maildrop(), &no(), &mut session.output).unwrap_err();
    assert!(matches!(back.why, Misuse::Invalid(_)), "{back}");
    session.server.accept(back.token, maildrop(), &ok(), &mut session.output).unwrap();
    assert_eq!(session.written(), "+OK\r\n");
    for reply in [ok(), no()] {
        // Whoever is no log-in has no maildrop, whatever the words are.
        let (mut session, Token::Answer(answer)) = Session::owing(&["USER u"]) else { panic!() };
        let back = session.server.accept(answer, maildrop(), &reply, &mut session.output).unwrap_err();
        assert_eq!((back.why, session.output.len()), (Misuse::NotInState, 0));
        session.server.answer(back.token, &ok(), &mut session.output).unwrap();
    }
}

#[test]
fn an_exchange_is_accepted_positively_and_refused_negatively() {
    let (mut session, Token::Turn(turn)) = Session::owing(&["AUTH EXTERNAL"]) else { panic!() };
    let back = session.server.accept_auth(turn, maildrop(), &no(), &mut session.output).unwrap_err();
    assert!(matches!(back.why, Misuse::Invalid(_)), "{back}");
    let back = session.server.refuse_auth(back.token, &ok(), &mut session.output).unwrap_err();
    assert!(matches!(back.why, Misuse::Invalid(_)), "{back}");
    assert!(session.output.is_empty());
    session.server.refuse_auth(back.token, &no(), &mut session.output).unwrap();
    assert_eq!(session.written(), "-ERR\r\n");
}

/// The name that a PASS belongs to is that of the line before, and nothing is said to stand that does not.
#[test]
fn a_server_tells_what_stands() {
    let (mut session, token) = Session::owing(&["USER u"]);
    assert_eq!(session.server.user(), Some(&b"u"[..]));
    session.pay(token);
    let (session, _) = session.then("CAPA");
    assert_eq!(session.server.user(), None);
    let capabilities = offer(&["UTF8"]);
    let clear = Server::new(Config { offer: capabilities.into(), ..Config::default() });
    let session = Session { server: clear, input: Input::new(), output: Output::new() };
    let (session, _) = session.behind(&[]);
    assert!(!session.server.is_secure() && !session.server.is_utf8());
    let (session, _) = Session::with(offer(&["UTF8"]), Limits::default()).behind(&["UTF8"]);
    assert!(session.server.is_secure() && session.server.is_utf8());
}

/// A token of another connection is told apart, also where this one owes the same.
#[test]
fn what_another_server_is_owed_is_not_owed_here() {
    let retr = ["USER u", "PASS p", "RETR 1"];
    let (mut one, Token::Answer(own)) = Session::owing(&retr) else { panic!() };
    let (_, Token::Answer(foreign)) = Session::owing(&retr) else { panic!() };
    let back = one.server.answer_body(foreign, ReplyText::EMPTY, &mut one.output).unwrap_err();
    assert_eq!(back.why, Misuse::NotOwed);
    let back = one.server.answer(back.token, &no(), &mut one.output).unwrap_err();
    assert_eq!((back.why, one.output.len()), (Misuse::NotOwed, 0));
    let mut grant = one.server.answer_body(own, ReplyText::EMPTY, &mut one.output).unwrap();
    // The grant of a body is one connection's as well.
    let (mut other, Token::Answer(answer)) = Session::owing(&retr) else { panic!() };
    let foreign = other.server.answer_body(answer, ReplyText::EMPTY, &mut other.output).unwrap();
    let back = one.server.end_body(foreign, &mut one.output).unwrap_err();
    assert_eq!(back.why, Misuse::NotOwed);
    let mut foreign = one.server.break_off(back.token).unwrap_err().token;
    let mut piece = Bytes::from_static(b"x\r\n");
    assert_eq!(one.server.body(&mut foreign, &mut piece, &mut one.output), Err(Misuse::NotOwed));
    assert_eq!((one.written().as_str(), piece.len()), ("+OK\r\n", 3));
    one.server.body(&mut grant, &mut piece, &mut one.output).unwrap();
    one.server.end_body(grant, &mut one.output).unwrap();
    assert_eq!(one.written(), "x\r\n.\r\n");
    let (mut one, Token::Turn(_own)) = Session::owing(&["AUTH EXTERNAL"]) else { panic!() };
    let (_, Token::Turn(foreign)) = Session::owing(&["AUTH EXTERNAL"]) else { panic!() };
    let back = one.server.challenge(foreign, b"", &mut one.output).unwrap_err();
    let back = one.server.refuse_auth(back.token, &no(), &mut one.output).unwrap_err();
    let back = one.server.accept_auth(back.token, maildrop(), &ok(), &mut one.output).unwrap_err();
    assert_eq!((back.why, one.output.len()), (Misuse::NotOwed, 0));
}

/// An answer to a command that is no message's grants no body.
#[test]
fn a_body_goes_with_a_message_alone() {
    let (mut session, Token::Answer(answer)) = Session::owing(&["USER u"]) else { panic!() };
    let back = session.server.answer_body(answer, ReplyText::EMPTY, &mut session.output).unwrap_err();
    assert_eq!((back.why, session.output.len()), (Misuse::NotInState, 0));
    session.server.answer(back.token, &ok(), &mut session.output).unwrap();
}

/// People read these: each says what was refused.
#[test]
fn a_refusal_names_what_it_refuses() {
    let cases: [(&[&str], &str); 6] = [
        (&[], "-ERR service not available\r\n"),
        (&["USER u"], "-ERR refused\r\n"),
        (&LOG_IN, "-ERR log-in failed\r\n"),
        (&["USER u", "PASS p", "RETR 1"], "-ERR message not available\r\n"),
        (&["USER u", "PASS p", "TOP 1 0"], "-ERR message not available\r\n"),
        (&["USER u", "PASS p", "DELE 1", "QUIT"], "-ERR some deleted messages not removed\r\n"),
    ];
    for (lines, words) in cases {
        let (mut session, token) = Session::owing(lines);
        let (Token::Answer(answer) | Token::Commit(_, answer)) = token else { panic!("{lines:?}") };
        session.server.refuse(answer, &mut session.output).unwrap();
        assert!(session.written().ends_with(words), "{words}");
    }
}

/// QUIT hands over all of the maildrop, with the marks in it (RFC 1939 §6).
#[test]
fn a_commit_has_the_maildrop_and_its_marks() {
    let (_, Token::Commit(deletions, _)) = Session::owing(&["USER u", "PASS p", "DELE 2", "QUIT"]) else {
        panic!()
    };
    assert_eq!(deletions.numbers().map(|number| number.get()).collect::<Vec<_>>(), [2]);
    assert_eq!((deletions.maildrop().len(), deletions.maildrop().count()), (2, 1));
    assert!(!deletions.maildrop().is_empty() && Maildrop::new().is_empty());
    let (_, Token::Commit(deletions, _)) = Session::owing(&["USER u", "PASS p", "DELE 2", "RSET", "QUIT"])
    else {
        panic!()
    };
    assert_eq!((deletions.numbers().count(), deletions.maildrop().count()), (0, 2));
}

/// RFC 2449 §6.4: a code is one only where RESP-CODES says that there are codes.
#[test]
fn a_code_goes_out_where_codes_are_offered() {
    let refusal = Reply { code: Some(Code::InUse), ..no() };
    for (lines, written) in [(&["USER", "RESP-CODES"][..], "-ERR [IN-USE]\r\n"), (&["USER"], "-ERR\r\n")] {
        let (mut session, Token::Answer(answer)) =
            Session::with(offer(lines), Limits::default()).behind(&LOG_IN)
        else {
            panic!()
        };
        session.server.answer(answer, &refusal, &mut session.output).unwrap();
        assert_eq!(session.written(), written);
    }
}

#[test]
fn a_challenge_may_have_the_auth_line_and_not_one_octet_more() {
    let limits = Limits { auth_line: 12, ..Limits::default() };
    let (mut session, Token::Turn(turn)) =
        Session::with(offer(&["SASL EXTERNAL"]), limits).behind(&["AUTH EXTERNAL"])
    else {
        panic!()
    };
    let back = session.server.challenge(turn, b"1234567", &mut session.output).unwrap_err();
    assert_eq!((back.why, session.output.len()), (Misuse::TooLong(12), 0));
    session.server.challenge(back.token, b"123456", &mut session.output).unwrap();
    assert_eq!(session.written(), "+ MTIzNDU2\r\n");
}

/// Which octet it is, is told; that piece was not taken, and another may be given.
#[test]
fn a_body_that_is_refused_says_why() {
    for (piece, why) in
        [("a\rb", "CR without LF in a body"), ("a\nb", "LF without CR in a body"), ("a\0b", "NUL in a body")]
    {
        let (mut session, Token::Answer(answer)) = Session::owing(&["USER u", "PASS p", "RETR 1"]) else {
            panic!()
        };
        let mut grant = session.server.answer_body(answer, ReplyText::EMPTY, &mut session.output).unwrap();
        let mut bad = Bytes::from_static(piece.as_bytes());
        let got = session.server.body(&mut grant, &mut bad, &mut session.output);
        assert_eq!((got, bad.len()), (Err(Misuse::Invalid(why)), 3));
        session.server.body(&mut grant, &mut Bytes::from_static(b"good"), &mut session.output).unwrap();
        session.server.end_body(grant, &mut session.output).unwrap();
        assert_eq!(session.written(), "+OK\r\ngood\r\n.\r\n");
    }
}

/// A driver that is told to write rather than to wait for the application does not wait for both.
#[test]
fn a_message_under_way_waits_for_its_reader_or_its_giver() {
    let (mut session, Token::Answer(answer)) = Session::owing(&["USER u", "PASS p", "RETR 1"]) else {
        panic!()
    };
    let mut grant = session.server.answer_body(answer, ReplyText::EMPTY, &mut session.output).unwrap();
    let mut piece = Bytes::from(vec![b'x'; 2 * Output::HIGH_WATER]);
    session.server.body(&mut grant, &mut piece, &mut session.output).unwrap();
    let paused = |session: &mut Session| {
        let framed = session.server.frame(&mut session.input, &mut session.output).unwrap();
        let Framed::Paused(pause) = framed else { panic!("{framed:?}") };
        pause
    };
    assert_eq!(paused(&mut session), Pause::OutputFull);
    session.output.advance(session.output.remaining());
    assert_eq!(paused(&mut session), Pause::AnswerOwed);
    session.server.break_off(grant).unwrap();
}

/// What is read from a store for TOP may stop where the client's wish ends.
#[test]
fn a_grant_says_whether_it_wants_more() {
    for (command, wants) in [("RETR 1", true), ("TOP 1 0", false), ("TOP 1 2", true)] {
        let (mut session, Token::Answer(answer)) = Session::owing(&["USER u", "PASS p", command]) else {
            panic!()
        };
        let mut grant = session.server.answer_body(answer, ReplyText::EMPTY, &mut session.output).unwrap();
        assert!(grant.wants_more());
        session
            .server
            .body(&mut grant, &mut Bytes::from_static(b"A: b\r\n\r\nx\r\n"), &mut session.output)
            .unwrap();
        assert_eq!(grant.wants_more(), wants, "{command}");
        assert!(format!("{grant:?}").starts_with("BodyGrant"));
        session.server.end_body(grant, &mut session.output).unwrap();
    }
}
