//! What a server says that no command has asked for: it is never an answer, whenever the command goes out; and a negative line is told as the
//! reason for which the server goes away (RFC 1939 §3).

use mail_pop3_proto::client::{AuthTurn, Client, Config, Event};
use mail_pop3_proto::types::{InitialResponse, Mechanism};
use mail_pop3_proto::{Allow, Command, Grammar, Repair, Violation};
use mail_wire::line::LineEnd;
use mail_wire::{Closing, End, Framed, Handover, Input, Machine, Misuse, Output};

/// A line for each command that may be sent in one of the states.
const NOT_LOGGED_IN: [&str; 9] = [
    "USER u",
    "APOP u c4c9334bac560ecc979e58001b3e22fb",
    "AUTH PLAIN =",
    "AUTH",
    "CAPA",
    "UTF8",
    "LANG en",
    "LANG",
    "QUIT",
];
const LOGGED_IN: [&str; 12] = [
    "CAPA", "QUIT", "STAT", "LIST", "LIST 1", "RETR 1", "DELE 1", "NOOP", "RSET", "TOP 1 0", "UIDL", "UIDL 1",
];

/// What may be there before it was asked for: answers, parts of them, and what is none.
const EARLY: [&str; 9] = [
    "+OK\r\n",
    "+OK 1 5\r\n",
    "+OK\r\n1 5\r\n.\r\n",
    "+",
    "+ \r\n",
    "+ eA==\r\n",
    "\r\n",
    "* BYE down\r\n",
    "-ERROR\r\n",
];

struct Session {
    client: Client,
    input: Input,
    output: Output,
    turn: Option<AuthTurn>,
}

impl Session {
    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.policy.apop = Allow::Allow;
        change(&mut config);
        let client = Handover::implicit(Client::new(config)).secured();
        Self { client, input: Input::new(), output: Output::new(), turn: None }
    }

    /// Behind the greeting.
    fn new() -> Self {
        let mut session = Self::with(|_| {});
        session.hear("+OK <1.2@x>\r\n");
        session
    }

    /// Behind a log-in.
    fn logged_in() -> Self {
        let mut session = Self::new();
        session.send("AUTH PLAIN =").unwrap();
        session.hear("+OK\r\n");
        assert!(session.client.is_authenticated());
        session
    }

    /// The same with PIPELINING.
    fn pipelining() -> Self {
        let mut session = Self::logged_in();
        session.send("CAPA").unwrap();
        session.hear("+OK\r\nPIPELINING\r\nRESP-CODES\r\n.\r\n");
        session
    }

    fn send(&mut self, line: &str) -> Result<(), Misuse> {
        self.client.send(&Command::parse(line.as_bytes()).unwrap(), &mut self.output).map(|_| ())
    }

    /// All that follows from some octets.
    fn hear(&mut self, octets: &str) -> Vec<String> {
        self.hear_and(octets, |_, _| {})
    }

    /// The same; the application acts on each event while octets stand behind it.
    fn hear_and(&mut self, octets: &str, mut act: impl FnMut(&mut Client, &mut Output)) -> Vec<String> {
        assert_eq!(self.input.feed(octets.as_bytes()), octets.len());
        let Self { client, input, output, turn } = self;
        let mut told = Vec::new();
        loop {
            let unit = match client.frame(input, output) {
                Ok(Framed::Ready(unit)) => unit,
                Ok(Framed::NeedInput | Framed::Paused(_)) => return told,
                Ok(Framed::Closed) => {
                    told.push("closed".into());
                    return told;
                }
                Err(violation) => {
                    told.push(format!("{violation:?}"));
                    return told;
                }
            };
            match client.decode(unit, input) {
                Ok(Event::Challenge(_, owed)) => {
                    told.push("challenge".into());
                    *turn = Some(owed);
                }
                Ok(Event::Closing(line)) => {
                    let code = line.code().map(|code| String::from_utf8_lossy(code.name()).into_owned());
                    told.push(format!("closing {code:?} {}", String::from_utf8_lossy(line.text())));
                }
                Ok(Event::Reply(_, line)) => told.push(format!("reply {}", line.is_ok())),
                Ok(event) => told.push(format!("{event:?}").split('(').next().unwrap().to_owned()),
                Err(violation) => {
                    told.push(format!("{violation:?}"));
                    return told;
                }
            }
            act(client, output);
        }
    }
}

const UNASKED: &str = "Unsolicited";

/// Behind the last answer stands more, and the application sends before that is looked at.
#[test]
fn octets_that_were_there_before_a_command_are_not_its_answer() {
    for early in EARLY {
        for (line, logged_in) in
            NOT_LOGGED_IN.iter().map(|line| (*line, false)).chain(LOGGED_IN.iter().map(|line| (*line, true)))
        {
            let mut session = if logged_in { Session::logged_in() } else { Session::new() };
            session.send("CAPA").unwrap();
            let command = Command::parse(line.as_bytes()).unwrap();
            let told = session.hear_and(&format!("-ERR\r\n{early}"), |client, output| {
                client.send(&command, output).unwrap();
            });
            assert_eq!(told, ["reply false", UNASKED], "{early:?} before {line}");
            // And it stays so.
            assert_eq!(session.hear("+OK\r\n"), [UNASKED]);
            assert_eq!(session.send("CAPA"), Err(Misuse::Over));
        }
    }
}

/// Read while nothing is in flight, it fails at the first octet that can be nothing else.
#[test]
fn octets_that_come_while_nothing_is_in_flight_end_the_session() {
    for early in EARLY {
        for size in [1, early.len()] {
            let mut session = Session::logged_in();
            let mut told = Vec::new();
            for octets in early.as_bytes().chunks(size) {
                told.extend(session.hear(std::str::from_utf8(octets).unwrap()));
            }
            told.dedup();
            assert_eq!(told, [UNASKED], "{early:?} in reads of {size}");
            assert_eq!(session.send("NOOP"), Err(Misuse::Over));
        }
    }
}

/// Behind whatever ends an answer.
#[test]
fn it_does_not_matter_how_the_answer_before_it_ended() {
    for (before, answer) in [
        ("LIST", "+OK\r\n1 5\r\n.\r\n"),
        ("LIST", "+OK\r\n.\r\n"),
        ("RETR 1", "+OK\r\nx\r\n.\r\n"),
        ("RETR 1", "+OK\r\n.\r\n"),
        ("STAT", "+OK 1 5\r\n"),
    ] {
        let mut session = Session::logged_in();
        session.send(before).unwrap();
        let mut asked = false;
        let told = session.hear_and(&format!("{answer}+OK\r\n"), |client, output| {
            asked |= client.in_flight() == 0 && client.send(&Command::Noop, output).is_ok();
        });
        assert!(asked, "{before}");
        assert_eq!(told.last().unwrap(), UNASKED, "{before}");
        assert!(!told.iter().skip(1).any(|event| event.starts_with("reply")), "{told:?}");
    }
    let mut session = Session::with(|_| {});
    let told = session.hear_and("+OK\r\n+OK\r\n", |client, output| {
        client.send(&Command::Capa, output).unwrap();
    });
    assert_eq!(told, ["Greeting", UNASKED]);
}

/// With PIPELINING too: each answer stands behind what had arrived when its own command went out.
#[test]
fn a_pipelined_command_is_not_answered_in_advance() {
    let mut session = Session::pipelining();
    session.send("NOOP").unwrap();
    session.send("NOOP").unwrap();
    let mut sent = 0;
    let told = session.hear_and("+OK\r\n+OK\r\n+OK\r\n", |client, output| {
        client.send(&Command::Noop, output).unwrap();
        sent += 1;
    });
    assert_eq!((told, sent), (vec!["reply true".into(), "reply true".into(), UNASKED.to_owned()], 2));
    // What comes later is.
    let mut session = Session::pipelining();
    session.send("NOOP").unwrap();
    session.send("NOOP").unwrap();
    let told = session.hear_and("+OK\r\n+OK\r\n", |client, output| {
        client.send(&Command::Noop, output).unwrap();
    });
    assert_eq!(told, ["reply true", "reply true"]);
    assert_eq!(session.hear("+OK\r\n+OK\r\n"), ["reply true", "reply true"]);
}

/// Neither a success nor another challenge can have been meant for a response that was yet to go out.
#[test]
fn nothing_answers_a_response_before_it_was_given() {
    for early in ["+OK\r\n", "+ \r\n", "+", "x"] {
        for cancels in [false, true] {
            let mut session = Session::new();
            session.send("AUTH PLAIN").unwrap();
            assert_eq!(session.hear(&format!("+ \r\n{early}")), ["challenge"]);
            let turn = session.turn.take().unwrap();
            if cancels {
                session.client.cancel(turn, &mut session.output).unwrap();
            } else {
                session.client.respond(turn, b"\0u\0p", &mut session.output).unwrap();
            }
            assert_eq!(session.hear(""), [UNASKED], "{early:?} {cancels}");
            assert!(!session.client.is_authenticated());
        }
    }
}

/// Servers that go away at autologout or when they are shut down say so; the reason reaches the application, and no command is answered by it.
#[test]
fn a_negative_line_that_nobody_asked_for_is_why_the_server_goes_away() {
    let line = "-ERR [SYS/TEMP] autologout; idle for too long\r\n";
    let whole = ["closing Some(\"SYS/TEMP\") autologout; idle for too long", UNASKED];
    // While nothing is in flight, in two reads at every cut, and octet by octet.
    for cut in 0..line.len() {
        let mut session = Session::pipelining();
        let mut told = session.hear(&line[..cut]);
        assert!(told.is_empty(), "{told:?}");
        // However much of it is there, a command that is sent now is not refused by it.
        if cut % 2 == 1 {
            session.send("DELE 1").unwrap();
        }
        told.extend(session.hear(&line[cut..]));
        assert_eq!(told, whole, "cut at {cut}");
        assert_eq!((session.client.in_flight(), session.send("NOOP")), (0, Err(Misuse::Over)));
    }
    let mut session = Session::pipelining();
    let told: Vec<String> = line.chars().flat_map(|octet| session.hear(&octet.to_string())).collect();
    assert_eq!(told, whole);
    // Behind an answer, with a command sent before it is looked at, and with all that is pipelined lost.
    let mut session = Session::pipelining();
    session.send("NOOP").unwrap();
    let told = session.hear_and(&format!("+OK\r\n{line}+OK\r\n"), |client, output| {
        let _ = client.send(&Command::Quit, output);
    });
    assert_eq!(told, [&["reply true"][..], &whole].concat());
    // To a command in flight it is the answer: which of the two it was meant for cannot be told.
    let mut session = Session::pipelining();
    session.send("NOOP").unwrap();
    assert_eq!(session.hear(line), ["reply false"]);
}

/// An exchange that the server has given up while the application thinks about its response.
#[test]
fn a_negative_line_in_place_of_a_response_is_why_the_server_goes_away() {
    let mut session = Session::new();
    session.send("AUTH PLAIN").unwrap();
    assert_eq!(session.hear("+ \r\n-ERR timeout\r\n"), ["challenge"]);
    let turn = session.turn.take().unwrap();
    session.client.respond(turn, b"x", &mut session.output).unwrap();
    assert_eq!(session.hear(""), ["closing None timeout", UNASKED]);
}

/// A line is what it is by the settings of the connection, as any status line.
#[test]
fn the_reason_is_a_status_line_or_nothing() {
    let long = format!("-ERR {}\r\n", "y".repeat(4096 - 7));
    type Change = fn(&mut Config);
    let cases: [(&str, Change, &[&str]); 9] = [
        ("-ERR\r\n", |_| {}, &["closing None ", UNASKED]),
        ("-err bye\r\n", |_| {}, &["closing None bye", UNASKED]),
        ("-err bye\r\n", |config| config.policy.grammar = Grammar::strict(), &[UNASKED]),
        ("-ERR bye\n", |_| {}, &[UNASKED]),
        ("-ERR b\rye\r\n", |_| {}, &[UNASKED]),
        ("-ERR bye\n", |config| config.policy.line = LineEnd::Tolerant, &["closing None bye", UNASKED]),
        ("-ERRbye\r\n", |_| {}, &[UNASKED]),
        (&long[..], |config| config.limits.status_line = 4096, &["closing", UNASKED]),
        (&long[..], |config| config.limits.status_line = 4095, &[UNASKED]),
    ];
    for (line, change, expected) in cases {
        for size in [1, line.len().min(512)] {
            let mut session = Session::with(change);
            session.hear("+OK\r\n");
            let mut told = Vec::new();
            for octets in line.as_bytes().chunks(size) {
                told.extend(session.hear(std::str::from_utf8(octets).unwrap()));
            }
            told.dedup();
            let same = told.iter().zip(expected).all(|(told, expected)| told.starts_with(expected));
            assert!(same && told.len() == expected.len(), "{line:?} in reads of {size}: {told:?}");
        }
    }
    let mut session = Session::with(|_| {});
    session.hear("+OK\r\n-err bye\r\n");
    assert_eq!(session.client.repairs().hits(Repair::LowerCaseStatus), 1);
}

/// The end of the octets behind it, or inside it, and the end that the driver makes.
#[test]
fn the_end_behind_the_reason_changes_nothing() {
    for end in [End::Fin, End::Cut] {
        let mut session = Session::logged_in();
        session.input.feed(b"-ERR bye\r\n");
        session.client.eof(end);
        assert_eq!(session.hear(""), ["closing None bye", UNASKED]);
        let mut session = Session::logged_in();
        session.input.feed(b"-ERR by");
        session.client.eof(end);
        assert_eq!(session.hear(""), [format!("{:?}", Violation::Truncated)]);
    }
    // Behind the answer to QUIT nothing is looked at.
    let mut session = Session::logged_in();
    session.send("QUIT").unwrap();
    assert_eq!(session.hear("+OK\r\n-ERR bye\r\n"), ["reply true", "closed"]);
    let mut session = Session::logged_in();
    session.hear("-ER");
    session.client.close(Closing::Shutdown, &mut session.output);
    assert_eq!(session.hear("R bye\r\n"), ["closed"]);
}

/// What the machine writes by itself follows from the octets alone, so that the same events come whole and octet by octet.
#[test]
fn what_the_machine_writes_by_itself_hangs_on_no_cut() {
    let long = [b'x'; 300];
    let auth = Command::Auth { mechanism: Mechanism::PLAIN, initial: Some(InitialResponse::new(&long)) };
    let cases: [(bool, &str, &[&str]); 5] = [
        (true, "+ \r\n+OK\r\n", &["reply true"]),
        (true, "+ \r\n-ERR\r\n", &["reply false"]),
        (false, "+ !\r\n+OK\r\n", &["BadChallenge", "Status"]),
        (false, "+ !\r\n+ \r\n", &["BadChallenge", "Status"]),
        (false, "+ !\r\n-ERR\r\n", &["BadChallenge", "reply false"]),
    ];
    for (withheld, octets, expected) in cases {
        for size in [1, octets.len()] {
            let mut session = Session::new();
            if withheld {
                session.client.send(&auth, &mut session.output).unwrap();
            } else {
                session.send("AUTH PLAIN").unwrap();
            }
            let pieces = octets.as_bytes().chunks(size);
            let mut told: Vec<String> =
                pieces.flat_map(|piece| session.hear(std::str::from_utf8(piece).unwrap())).collect();
            told.dedup();
            assert_eq!(told, expected, "{octets:?} in reads of {size}");
        }
    }
}
