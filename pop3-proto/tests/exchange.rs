//! SASL exchanges of the client: who speaks when, what is withheld, and what no server can make it believe (RFC 5034 §4).

use bytes::Buf;
use mail_pop3_proto::client::{AuthTurn, Client, Config, Event};
use mail_pop3_proto::types::{InitialResponse, Mechanism};
use mail_pop3_proto::{Command, Grammar, Repair, Violation};
use mail_wire::{Closing, Framed, Handover, Input, Machine, Misuse, Output, base64};

/// What a read has led to.
#[derive(Debug)]
enum Heard {
    /// No event: the machine has acted by itself, or waits.
    Nothing,
    Challenge(Vec<u8>, AuthTurn),
    BadChallenge,
    Reply(bool),
    Fails(Violation),
}

struct Session {
    client: Client,
    input: Input,
    output: Output,
}

impl Session {
    /// Under TLS, behind the greeting.
    fn new(grammar: Grammar) -> Self {
        let mut config = Config::default();
        config.policy.grammar = grammar;
        let client = Handover::implicit(Client::new(config)).secured();
        let mut session = Self { client, input: Input::new(), output: Output::new() };
        session.hear(b"+OK\r\n");
        session
    }

    fn auth(&mut self, initial: Option<&[u8]>) {
        let initial = initial.map(InitialResponse::new);
        let auth = Command::Auth { mechanism: Mechanism::PLAIN, initial };
        self.client.send(&auth, &mut self.output).unwrap();
    }

    fn hear(&mut self, octets: &[u8]) -> Heard {
        let Self { client, input, output } = self;
        input.feed(octets);
        let unit = match client.frame(input, output) {
            Ok(Framed::Ready(unit)) => unit,
            Ok(_) => return Heard::Nothing,
            Err(violation) => return Heard::Fails(violation),
        };
        match client.decode(unit, input) {
            Ok(Event::Challenge(octets, turn)) => Heard::Challenge(octets.expose().to_vec(), turn),
            Ok(Event::BadChallenge(_)) => Heard::BadChallenge,
            Ok(Event::Reply(_, line)) => Heard::Reply(line.is_ok()),
            Ok(Event::Greeting(..)) => Heard::Nothing,
            Ok(event) => panic!("{event:?}"),
            Err(violation) => Heard::Fails(violation),
        }
    }

    fn written(&mut self) -> Vec<u8> {
        self.output.copy_to_bytes(self.output.remaining()).to_vec()
    }

    /// Hears a challenge, and holds it against what it must say.
    fn turn(&mut self, octets: &[u8], challenge: &[u8]) -> AuthTurn {
        let Heard::Challenge(heard, turn) = self.hear(octets) else { panic!("no challenge") };
        assert_eq!(heard, challenge);
        turn
    }
}

/// Too long for the command line: 255 octets with AUTH, its mechanism and the line end.
const LONG: [u8; 200] = [b'x'; 200];

fn held(grammar: Grammar) -> Session {
    let mut session = Session::new(grammar);
    session.auth(Some(&LONG));
    assert_eq!(session.written(), b"AUTH PLAIN\r\n");
    session
}

#[test]
fn a_long_initial_response_waits_for_the_empty_challenge() {
    let mut session = held(Grammar::strict());
    assert!(matches!(session.hear(b"+ \r\n"), Heard::Nothing));
    assert_eq!(session.written(), [base64::encode(&LONG).expose(), &b"\r\n"[..]].concat());
    assert!(matches!(session.hear(b"+OK\r\n"), Heard::Reply(true)));
    assert!(session.client.is_authenticated());
}

/// That the blank is missing is a repair here as for any other challenge.
#[test]
fn a_plus_alone_releases_it_where_the_repair_is_on() {
    let mut tolerant = held(Grammar::tolerant());
    assert!(matches!(tolerant.hear(b"+\r\n"), Heard::Nothing));
    assert!(!tolerant.written().is_empty());
    assert_eq!(tolerant.client.repairs().hits(Repair::PlusWithoutBlank), 1);
    let mut strict = held(Grammar::strict());
    assert!(matches!(strict.hear(b"+\r\n"), Heard::Fails(Violation::Status)));
    assert!(strict.written().is_empty());
}

/// Behind a `+` without its blank stands base64 and nothing else, and a whole status word is one.
#[test]
fn a_plus_without_a_blank_carries_base64() {
    let cases: [(&[u8], Option<&[u8]>); 11] = [
        (b"+\r\n", Some(b"")),
        (b"+eA==\r\n", Some(b"x")),
        (b"+/+8=\r\n", Some(b"\xff\xef")),
        // Whole words alone are a status.
        (b"+OKAY\r\n", Some(b"8\xa0\x18")),
        (b"+okOK\r\n", Some(b"\xa2\x43\x8a")),
        (b"+OK x\r\n", None),
        (b"+ok x\r\n", None),
        (b"+eA=!\r\n", None),
        (b"+e A==\r\n", None),
        (b"-eA==\r\n", None),
        (b"-abc x\r\n", None),
    ];
    for (line, challenge) in cases {
        for grammar in [Grammar::tolerant(), Grammar::strict()] {
            let tolerant = !grammar.strict;
            let mut session = Session::new(grammar);
            session.auth(None);
            match session.hear(line) {
                Heard::Challenge(octets, _) => {
                    assert_eq!((Some(&octets[..]), tolerant), (challenge, true), "{}", line.escape_ascii());
                    assert_eq!(session.client.repairs().hits(Repair::PlusWithoutBlank), 1);
                }
                Heard::Fails(Violation::Status) => {
                    assert!(challenge.is_none() || !tolerant, "{}", line.escape_ascii());
                    assert_eq!(session.client.repairs().hits(Repair::PlusWithoutBlank), 0);
                }
                heard => panic!("{heard:?}"),
            }
        }
    }
}

/// A challenge that says something is the application's to answer: what was withheld would answer another question.
#[test]
fn what_is_withheld_is_dropped_at_a_challenge_that_says_something() {
    let mut session = held(Grammar::tolerant());
    let turn = session.turn(b"+ cXVlc3Rpb24=\r\n", b"question");
    session.client.respond(turn, b"", &mut session.output).unwrap();
    let turn = session.turn(b"+ \r\n", b"");
    assert_eq!(session.written(), b"\r\n");
    session.client.cancel(turn, &mut session.output).unwrap();
    assert_eq!(session.written(), b"*\r\n");
    assert!(matches!(session.hear(b"+ \r\n"), Heard::Fails(Violation::Status)));
    assert!(session.written().is_empty());
}

#[test]
fn no_success_comes_before_the_client_has_spoken() {
    for grammar in [Grammar::strict(), Grammar::tolerant()] {
        let mut session = Session::new(grammar);
        session.auth(None);
        assert!(matches!(session.hear(b"+OK welcome\r\n"), Heard::Fails(Violation::Status)));
        assert!(!session.client.is_authenticated());
    }
}

/// The client cancels where it cannot trust the server: what that says of success then is void.
#[test]
fn no_success_comes_after_the_exchange_was_cancelled() {
    for answer in [&b"+OK welcome\r\n"[..], b"+OK\r\n", b"+ \r\n", b"+ eA==\r\n"] {
        let mut session = Session::new(Grammar::tolerant());
        session.auth(Some(b"x"));
        let turn = session.turn(b"+ eA==\r\n", b"x");
        session.client.cancel(turn, &mut session.output).unwrap();
        assert!(matches!(session.hear(answer), Heard::Fails(Violation::Status)), "{answer:?}");
        assert!(!session.client.is_authenticated());
    }
    let mut session = Session::new(Grammar::tolerant());
    session.auth(Some(b"x"));
    assert!(matches!(session.hear(b"+ !\r\n"), Heard::BadChallenge));
    session.written();
    assert!(matches!(session.hear(b"+OK\r\n"), Heard::Fails(Violation::Status)));
    assert_eq!(session.written(), b"*\r\n");
}

/// The client may try again, and is not logged in until then.
#[test]
fn a_cancelled_exchange_ends_in_its_refusal() {
    let mut session = Session::new(Grammar::strict());
    session.auth(None);
    let turn = session.turn(b"+ \r\n", b"");
    session.client.cancel(turn, &mut session.output).unwrap();
    assert!(matches!(session.hear(b"-ERR cancelled\r\n"), Heard::Reply(false)));
    session.written();
    session.auth(Some(b""));
    assert_eq!(session.written(), b"AUTH PLAIN =\r\n");
    assert!(matches!(session.hear(b"+OK\r\n"), Heard::Reply(true)));
    assert!(session.client.is_authenticated());
}

/// PASS goes behind a USER that the server has taken (RFC 1939 §7), or whose answer is not there yet.
#[test]
fn no_password_goes_behind_a_refused_user() {
    let mut session = Session::new(Grammar::strict());
    let user = Command::parse(b"USER u").unwrap();
    let pass = Command::parse(b"PASS p").unwrap();
    session.client.send(&user, &mut session.output).unwrap();
    assert!(matches!(session.hear(b"-ERR unknown\r\n"), Heard::Reply(false)));
    assert_eq!(session.client.send(&pass, &mut session.output), Err(Misuse::NotInState));
    session.client.send(&user, &mut session.output).unwrap();
    assert!(matches!(session.hear(b"+OK\r\n"), Heard::Reply(true)));
    assert!(session.client.send(&pass, &mut session.output).is_ok());
}

/// A second USER is the one that counts: that the first is refused says nothing of it.
#[test]
fn a_password_goes_behind_the_last_of_two_users() {
    let mut session = Session::new(Grammar::strict());
    session.client.send(&Command::Capa, &mut session.output).unwrap();
    session.input.feed(b"+OK\r\nPIPELINING\r\n.\r\n");
    while let Ok(Framed::Ready(unit)) = session.client.frame(&mut session.input, &mut session.output) {
        drop(session.client.decode(unit, &mut session.input).unwrap());
    }
    for user in [&b"USER u"[..], b"USER v"] {
        session.client.send(&Command::parse(user).unwrap(), &mut session.output).unwrap();
    }
    assert!(matches!(session.hear(b"-ERR unknown\r\n"), Heard::Reply(false)));
    let pass = Command::parse(b"PASS p").unwrap();
    assert!(session.client.send(&pass, &mut session.output).is_ok());
}

/// A turn is good for the exchange that it was made for, while that lasts.
#[test]
fn a_turn_that_is_not_due_comes_back() {
    let mut one = Session::new(Grammar::strict());
    let mut other = Session::new(Grammar::strict());
    one.auth(None);
    other.auth(None);
    let (turn, foreign) = (one.turn(b"+ \r\n", b""), other.turn(b"+ \r\n", b""));
    one.written();
    let back = one.client.respond(foreign, b"x", &mut one.output).unwrap_err();
    assert_eq!(back.why, Misuse::NotOwed);
    let back = one.client.cancel(back.token, &mut one.output).unwrap_err();
    assert_eq!(back.why, Misuse::NotOwed);
    one.client.close(Closing::Expired, &mut Output::new());
    let late = one.client.respond(turn, b"x", &mut one.output).unwrap_err();
    assert_eq!(late.why, Misuse::NotOwed);
    assert!(one.written().is_empty());
    // It was the other's, and still is.
    other.client.cancel(back.token, &mut other.output).unwrap();
}

/// RFC 5034 §3: no initial response for a server that has not said it has AUTH as that document knows it. Where CAPA was never asked, nobody
/// knows, and the caller's word stands.
#[test]
fn an_initial_response_is_withheld_where_sasl_is_not_announced() {
    let cases: [(&[u8], &[u8]); 3] = [
        (b"+OK\r\nUSER\r\n.\r\n", b"AUTH PLAIN\r\n"),
        (b"-ERR\r\n", b"AUTH PLAIN\r\n"),
        (b"+OK\r\nSASL PLAIN\r\n.\r\n", b"AUTH PLAIN eA==\r\n"),
    ];
    for (answer, written) in cases {
        let mut session = Session::new(Grammar::strict());
        session.client.send(&Command::Capa, &mut session.output).unwrap();
        session.input.feed(answer);
        while let Ok(Framed::Ready(unit)) = session.client.frame(&mut session.input, &mut session.output) {
            drop(session.client.decode(unit, &mut session.input).unwrap());
        }
        session.written();
        session.auth(Some(b"x"));
        assert_eq!(session.written(), written, "{answer:?}");
        if written == b"AUTH PLAIN\r\n" {
            assert!(matches!(session.hear(b"+OK\r\n"), Heard::Fails(Violation::Status)));
        }
    }
    let mut session = Session::new(Grammar::strict());
    session.auth(Some(b"x"));
    assert_eq!(session.written(), b"AUTH PLAIN eA==\r\n");
}
