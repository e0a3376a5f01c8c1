//! Every state of the client machine against every command that may be sent, and every answer that is awaited against every line that
//! a server may say.
//!
//! The rows are written by hand from RFC 1939 §3 to §7, RFC 2449 §5 and §6.6, RFC 2595 §4, RFC 5034 §4 and RFC 6856 §2 and §3. No match here
//! has a wildcard: a command or a state that is new does not compile until it has its place.

use super::*;
use crate::OtherCommand;
use crate::command::{Command, Shape};
use crate::policy::Allow;
use alloc::vec::Vec;
use mail_wire::{End, Framed, Input, Machine, Misuse, Output, Pause};

/// The states in which the table says what may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not logged in, in the clear, nothing in flight.
    Fresh,
    /// Directly behind a USER that was accepted.
    User,
    /// Behind UTF8.
    Utf8,
    /// Under TLS, by STLS.
    Secure,
    /// Logged in.
    Open,
    /// Not logged in; PIPELINING is announced and a CAPA in flight.
    Piped,
    /// The same with USER and PASS in flight: taken to succeed.
    LoggingIn,
}

const STATES: [State; 7] =
    [State::Fresh, State::User, State::Utf8, State::Secure, State::Open, State::Piped, State::LoggingIn];

/// `None`: it goes out.
type Cell = Option<Misuse>;
const GOES: Cell = None;
/// It belongs to the other state, or to another place in this one.
const STATE: Cell = Some(Misuse::NotInState);
/// What is in flight must be answered first.
const WAIT: Cell = Some(Misuse::MustWait);
/// Under TLS there is no stamp left.
const STAMP: Cell = Some(Misuse::NotOffered("APOP"));

/// What may be sent, where the policy allows all of it.
fn may_send(command: &Command<'_>) -> [Cell; 7] {
    match command {
        //                        Fresh  User   Utf8   Secure Open   Piped  LoggingIn
        // One log-in for each session, and STLS before it (RFC 1939 §4, RFC 5034 §4).
        Command::User(_) => [GOES, GOES, GOES, GOES, STATE, GOES, STATE],
        Command::Pass(_) => [STATE, GOES, STATE, STATE, STATE, STATE, STATE],
        Command::Apop { .. } => [GOES, GOES, GOES, STAMP, STATE, GOES, STATE],
        // Neither may have another command before it that is not answered, nor behind it (RFC 2595 §4, RFC 5034 §4).
        Command::Auth { .. } => [GOES, GOES, GOES, GOES, STATE, WAIT, WAIT],
        Command::Stls => [GOES, GOES, STATE, STATE, STATE, WAIT, WAIT],
        Command::AuthList => [GOES, GOES, GOES, GOES, STATE, GOES, STATE],
        Command::Utf8 => [GOES, GOES, GOES, GOES, STATE, GOES, STATE],
        // These belong to both states (RFC 2449 §5, RFC 6856 §3, RFC 1939 §4 and §5).
        Command::Capa | Command::Lang(_) | Command::Quit | Command::Other(_) => [GOES; 7],
        Command::Stat
        | Command::List(_)
        | Command::Retr(_)
        | Command::Dele(_)
        | Command::Noop
        | Command::Rset
        | Command::Top { .. }
        | Command::Uidl(_) => [STATE, STATE, STATE, STATE, GOES, STATE, GOES],
    }
}

/// What a line of the server is told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// The whole answer.
    Reply,
    /// And somebody is logged in.
    LogIn,
    /// The first line of several.
    Head,
    /// The application's turn in an exchange.
    Challenge,
    /// The machine cancels the exchange by itself.
    BadChallenge,
    /// The hand-over to TLS is due.
    Tls,
    /// Why the server goes away.
    Closing,
    /// It ends the session.
    Fails(Violation),
}

/// What a server may say.
const ANSWERS: [&str; 6] = ["+OK", "-ERR no", "+ eA==", "+ ", "+ !", "what?"];

/// A line that is no status line and no challenge that is awaited.
const NONE: Told = Told::Fails(Violation::Status);

/// What the lines of [`ANSWERS`] are told as where they answer a command (RFC 1939 §3, RFC 5034 §4).
fn hears(command: &Command<'_>) -> [Told; 6] {
    // `-ERR` is one line, whatever was asked (RFC 1939 §3).
    let single = [Told::Reply, Told::Reply, NONE, NONE, NONE, NONE];
    let several = [Told::Head, Told::Reply, NONE, NONE, NONE, NONE];
    match command {
        Command::Pass(_) | Command::Apop { .. } => [Told::LogIn, Told::Reply, NONE, NONE, NONE, NONE],
        Command::Auth { .. } => {
            [Told::LogIn, Told::Reply, Told::Challenge, Told::Challenge, Told::BadChallenge, NONE]
        }
        Command::Stls => [Told::Tls, Told::Reply, NONE, NONE, NONE, NONE],
        Command::AuthList | Command::Capa | Command::Retr(_) | Command::Top { .. } => several,
        Command::Lang(None) | Command::List(None) | Command::Uidl(None) => several,
        Command::User(_) | Command::Utf8 | Command::Quit | Command::Stat | Command::Dele(_) => single,
        Command::Noop | Command::Rset => single,
        Command::Lang(Some(_)) | Command::List(Some(_)) | Command::Uidl(Some(_)) => single,
        Command::Other(_) => match command.shape() {
            Shape::Single => single,
            Shape::Message
            | Shape::Scan
            | Shape::UniqueIds
            | Shape::Capabilities
            | Shape::Mechanisms
            | Shape::Languages
            | Shape::Lines => several,
        },
    }
}

/// One line for each row, and whether it belongs to the state behind a log-in.
const LINES: [(&str, bool); 21] = [
    ("USER u", false),
    ("PASS p", false),
    ("APOP u c4c9334bac560ecc979e58001b3e22fb", false),
    ("AUTH PLAIN =", false),
    ("AUTH", false),
    ("CAPA", false),
    ("STLS", false),
    ("UTF8", false),
    ("LANG en", false),
    ("LANG", false),
    ("QUIT", false),
    ("STAT", true),
    ("LIST", true),
    ("LIST 1", true),
    ("RETR 1", true),
    ("DELE 1", true),
    ("NOOP", true),
    ("RSET", true),
    ("TOP 1 0", true),
    ("UIDL", true),
    ("UIDL 1", true),
];

/// All commands, also one that this crate does not know in two shapes.
fn commands() -> Vec<(Command<'static>, bool)> {
    let known = LINES.iter().map(|(line, open)| (Command::parse(line.as_bytes()).unwrap(), *open));
    let shapes = [Shape::Single, Shape::Message, Shape::Scan, Shape::UniqueIds, Shape::Capabilities];
    let more = [Shape::Mechanisms, Shape::Languages, Shape::Lines];
    let other = |shape| (Command::Other(OtherCommand::new(b"XTND x", shape).unwrap()), false);
    known.chain(shapes.into_iter().chain(more).map(other)).collect()
}

/// A client in memory, and the tokens that it has given out.
struct Session {
    client: Client,
    input: Input,
    output: Output,
    /// Owed until it is used.
    turn: Option<AuthTurn>,
    grant: Option<TlsGrant>,
}

impl Session {
    /// On a fresh connection, before the greeting.
    /// The policy allows everything, so that the state alone decides.
    fn new() -> Self {
        let mut config = Config::default();
        config.policy.apop = Allow::Allow;
        config.policy.plaintext_auth = Allow::Allow;
        Self {
            client: Client::new(config),
            input: Input::new(),
            output: Output::new(),
            turn: None,
            grant: None,
        }
    }

    /// Behind the greeting and an exchange of lines: `>` is sent, what else there is is heard, `tls` is the hand-over.
    fn behind(script: &str) -> Self {
        let mut session = Self::new();
        session.hear("+OK <1.2@example.com>");
        for line in script.split('|').filter(|line| !line.is_empty()) {
            match line.strip_prefix('>') {
                Some(line) => drop(session.send(&Command::parse(line.as_bytes()).unwrap()).unwrap()),
                None if line == "tls" => session = session.secure(),
                None => assert!(!matches!(session.hear(line)[..], [Told::Fails(_)]), "{line}"),
            }
        }
        session.output = Output::new();
        session
    }

    /// In a state, by the shortest way.
    fn at(state: State) -> Self {
        Self::behind(match state {
            State::Fresh => "",
            State::User => ">USER u|+OK",
            State::Utf8 => ">UTF8|+OK",
            State::Secure => ">STLS|+OK|tls",
            State::Open => ">USER u|+OK|>PASS p|+OK",
            State::Piped => ">CAPA|+OK|PIPELINING|.|>CAPA",
            State::LoggingIn => ">CAPA|+OK|PIPELINING|.|>USER u|>PASS p",
        })
    }

    /// Sends, and keeps what is written apart from what the way has written.
    fn send(&mut self, command: &Command<'_>) -> Result<Ticket, Misuse> {
        self.client.send(command, &mut self.output)
    }

    /// What a line is told as; the parts of an answer of several lines behind its head are left out.
    fn hear(&mut self, line: &str) -> Vec<Told> {
        self.input.feed(line.as_bytes());
        self.input.feed(b"\r\n");
        let mut told = Vec::new();
        loop {
            let unit = match self.client.frame(&mut self.input, &mut self.output) {
                Ok(Framed::Ready(unit)) => unit,
                Ok(Framed::NeedInput | Framed::Paused(_) | Framed::Closed) => return told,
                Err(violation) => {
                    told.push(Told::Fails(violation));
                    return told;
                }
            };
            let before = self.client.is_authenticated();
            match self.client.decode(unit, &mut self.input) {
                Ok(Event::Reply(..)) if self.client.is_authenticated() != before => told.push(Told::LogIn),
                Ok(Event::Reply(..)) => told.push(Told::Reply),
                Ok(Event::Head(..)) => told.push(Told::Head),
                Ok(Event::Challenge(_, turn)) => {
                    self.turn = Some(turn);
                    told.push(Told::Challenge);
                }
                Ok(Event::BadChallenge(_)) => told.push(Told::BadChallenge),
                Ok(Event::StartTls(grant)) => {
                    self.grant = Some(grant);
                    told.push(Told::Tls);
                }
                Ok(Event::Closing(_)) => told.push(Told::Closing),
                Ok(Event::Greeting(..) | Event::Items(..) | Event::Chunk(_) | Event::End(_)) => {}
                Err(violation) => {
                    told.push(Told::Fails(violation));
                    return told;
                }
            }
        }
    }

    /// The hand-over.
    fn secure(mut self) -> Self {
        let grant = self.grant.take().expect("the go-ahead was heard");
        let handover = self.client.start_tls(grant, self.input, &mut self.output).unwrap();
        Self { client: handover.secured(), input: Input::new(), output: self.output, turn: None, grant: None }
    }
}

/// What does not go out changes nothing: not a token, not an octet.
#[test]
fn every_state_lets_those_commands_out_that_the_table_says() {
    let known = |verb: &Verb| commands().iter().any(|(command, _)| command.verb() == Some(*verb));
    assert!(Verb::ALL.iter().all(known));
    for (command, _) in commands() {
        for (state, cell) in STATES.into_iter().zip(may_send(&command)) {
            let mut session = Session::at(state);
            let before = session.client.in_flight();
            match session.send(&command) {
                Ok(_) => {
                    assert_eq!(cell, GOES, "{command:?} in {state:?}");
                    assert_eq!(session.client.in_flight(), before + 1);
                    assert!(!session.output.is_empty());
                }
                Err(misuse) => {
                    assert_eq!(cell, Some(misuse), "{command:?} in {state:?}");
                    assert_eq!((session.client.in_flight(), session.output.len()), (before, 0));
                }
            }
        }
    }
}

/// The table in the documentation says the same as those above, where nothing special came before.
#[test]
fn the_documentation_has_the_same_table() {
    let rows = crate::doc_table::rows(include_str!("mod.rs"));
    for (line, cells) in &rows {
        let command = Command::parse(line.as_bytes()).unwrap();
        let [fresh, user, _, _, open, _, _] = may_send(&command);
        // PASS is told as it is behind its USER, and AUTH by its challenge.
        let first = if matches!(command, Command::Pass(_)) { user } else { fresh };
        let [positive, _, challenge, ..] = hears(&command);
        let told = if matches!(command, Command::Auth { .. }) { challenge } else { positive };
        let words = [first, open].map(|cell| match (cell, told) {
            (STATE, _) => "-",
            (GOES, Told::Reply | Told::LogIn) => "Reply",
            (GOES, Told::Head) => "Head",
            (GOES, Told::Challenge) => "Challenge",
            (GOES, Told::Tls) => "StartTls",
            other => panic!("{other:?}"),
        });
        assert_eq!(words, *cells, "{line}");
    }
    assert!(
        Verb::ALL.iter().all(|verb| rows.iter().any(|(line, _)| Verb::of(line.as_bytes()) == Some(*verb)))
    );
}

/// Whatever is sent between the two, and however it is answered (RFC 1939 §7).
#[test]
fn pass_follows_its_user_directly() {
    let pass = Command::parse(b"PASS p").unwrap();
    for line in ["CAPA", "LANG en", "UTF8"] {
        for answer in ["+OK", "-ERR"] {
            let mut session = Session::at(State::User);
            session.send(&Command::parse(line.as_bytes()).unwrap()).unwrap();
            session.hear(answer);
            if line == "CAPA" && answer == "+OK" {
                session.hear(".");
            }
            assert_eq!(session.send(&pass), Err(Misuse::NotInState), "{line} {answer}");
        }
    }
    let mut other = Session::at(State::User);
    other.send(&Command::Other(OtherCommand::new(b"XTND x", Shape::Single).unwrap())).unwrap();
    other.hear("+OK");
    assert_eq!(other.send(&pass), Err(Misuse::NotInState));
    let mut refused = Session::behind(">USER u|-ERR");
    assert_eq!(refused.send(&pass), Err(Misuse::NotInState));
}

/// The shortest way to where a command may be sent.
fn ready(command: &Command<'_>, open: bool) -> Session {
    Session::at(match command {
        Command::Pass(_) => State::User,
        _ if open => State::Open,
        _ => State::Fresh,
    })
}

/// What is told, who is logged in then, what is still in flight, and what the next line will be.
#[test]
fn every_awaited_answer_is_told_as_the_table_says() {
    for (command, open) in commands() {
        for (answer, cell) in ANSWERS.into_iter().zip(hears(&command)) {
            let mut session = ready(&command, open);
            session.send(&command).unwrap();
            // One line is one event, or the end.
            assert_eq!(session.hear(answer), [cell], "{answer} to {command:?}");
            let client = &session.client;
            assert_eq!(client.is_authenticated(), open || cell == Told::LogIn);
            // QUIT is the last word of both sides (RFC 1939 §6).
            let over = matches!(cell, Told::Closing | Told::Fails(_)) || matches!(command, Command::Quit);
            assert_eq!(client.is_over(), over, "{answer} to {command:?}");
            // An answer is over with its last line and not before.
            let landed = matches!(cell, Told::Reply | Told::LogIn | Told::Tls);
            assert_eq!(client.in_flight(), usize::from(!landed));
            let place = match cell {
                Told::Challenge => Place::Turn,
                Told::Tls => Place::Upgrade,
                Told::Head if command.shape() == Shape::Message => Place::Body,
                Told::Head => Place::Listing(command.shape()),
                Told::Reply | Told::LogIn | Told::BadChallenge => Place::Status,
                Told::Closing | Told::Fails(_) => Place::Status,
            };
            assert_eq!(client.place, place);
        }
    }
}

/// Where nothing may be sent, whatever it is, and why: a command in flight where PIPELINING is not announced, one that nothing may overtake
/// where it is, what is owed, and the end.
const BUSY: [(&str, Misuse); 15] = [
    (">CAPA", Misuse::MustWait),
    (">CAPA|+OK", Misuse::MustWait),
    (">CAPA|+OK|TOP", Misuse::MustWait),
    (">LANG|+OK", Misuse::MustWait),
    (">USER u|+OK|>PASS p|+OK|>RETR 1|+OK", Misuse::MustWait),
    (">USER u|+OK|>PASS p|+OK|>RETR 1|+OK|x", Misuse::MustWait),
    (">USER u|+OK|>PASS p", Misuse::MustWait),
    (">CAPA|+OK|PIPELINING|.|>AUTH PLAIN =", Misuse::MustWait),
    (">CAPA|+OK|PIPELINING|.|>STLS", Misuse::MustWait),
    (">CAPA|+OK|PIPELINING|.|>QUIT", Misuse::MustWait),
    (">CAPA|+OK|PIPELINING|.|>AUTH PLAIN|+ ", Misuse::MustWait),
    (">AUTH PLAIN|+ !", Misuse::MustWait),
    (">CAPA|+OK|PIPELINING|.|>STLS|+OK", Misuse::MustWait),
    (">QUIT|+OK", Misuse::Over),
    (">QUIT|-ERR", Misuse::Over),
];

#[test]
fn nothing_goes_out_where_something_must_end_first() {
    for (command, _) in commands() {
        assert_eq!(Session::new().send(&command), Err(Misuse::MustWait), "{command:?} before the greeting");
        for (script, misuse) in BUSY {
            let mut session = Session::behind(script);
            assert_eq!(session.send(&command), Err(misuse), "{command:?} behind {script}");
            assert!(session.output.is_empty());
        }
        // Nor where the session has failed.
        let mut failed = Session::at(State::Fresh);
        assert_eq!(failed.hear("+OK"), [Told::Fails(Violation::Unsolicited)]);
        assert_eq!(failed.send(&command), Err(Misuse::Over));
    }
}

/// The way to where no status line is awaited: content of an answer, or something owed.
fn elsewhere(place: Place) -> Option<&'static str> {
    match place {
        Place::Greeting | Place::Status => None,
        Place::Listing(_) => Some(">CAPA|+OK"),
        Place::Body => Some(">USER u|+OK|>PASS p|+OK|>RETR 1|+OK"),
        Place::Turn => Some(">AUTH PLAIN|+ "),
        Place::Upgrade => Some(">STLS|+OK"),
    }
}

/// What was not asked for is a violation (RFC 1939 §3: a server speaks when it is spoken to), and the same for ever after.
#[test]
fn a_line_that_no_command_awaits_is_no_answer() {
    for answer in ANSWERS {
        // A server that speaks unasked is out of step: its next line would answer the wrong command. A negative line may say why it goes away.
        // Nothing is in flight.
        for state in [State::Fresh, State::User, State::Utf8, State::Secure, State::Open] {
            let mut session = Session::at(state);
            let closing = answer.starts_with('-').then_some(Told::Closing);
            let told = Vec::from_iter(closing.into_iter().chain([Told::Fails(Violation::Unsolicited)]));
            assert_eq!(session.hear(answer), told, "{answer} in {state:?}");
            assert_eq!(session.hear("+OK"), [Told::Fails(Violation::Unsolicited)]);
        }
        // Inside an answer of several lines a line is what it is there.
        for place in [Place::Listing(Shape::Capabilities), Place::Body] {
            let mut session = Session::behind(elsewhere(place).unwrap());
            assert_eq!((session.hear(answer), session.client.place), (Vec::new(), place), "{answer}");
            assert_eq!((session.hear("."), session.client.place), (Vec::new(), Place::Status));
        }
        // What is owed comes first; what has come is not looked at.
        for (place, pause) in [(Place::Turn, Pause::AnswerOwed), (Place::Upgrade, Pause::Upgrade)] {
            let Session { mut client, mut input, mut output, .. } =
                Session::behind(elsewhere(place).unwrap());
            input.feed(answer.as_bytes());
            input.feed(b"\r\n");
            assert!(matches!(client.frame(&mut input, &mut output), Ok(Framed::Paused(why)) if why == pause));
            assert_eq!((client.place, input.len()), (place, answer.len() + 2));
        }
        let mut over = Session::behind(">QUIT|+OK");
        assert_eq!(over.hear(answer), []);
        assert!(matches!(over.client.frame(&mut over.input, &mut over.output), Ok(Framed::Closed)));
    }
    // A server greets by a status line (RFC 1939 §4).
    let greetings: [(&str, &[Told]); 6] = [
        (ANSWERS[0], &[]),
        (ANSWERS[1], &[Told::Fails(Violation::GreetingRefused)]),
        (ANSWERS[2], &[NONE]),
        (ANSWERS[3], &[NONE]),
        (ANSWERS[4], &[NONE]),
        (ANSWERS[5], &[NONE]),
    ];
    for (answer, told) in greetings {
        assert_eq!(Session::new().hear(answer), told, "{answer}");
    }
}

/// The end of the octets is in order where nothing is owed on either side, and there alone.
#[test]
fn every_place_knows_whether_the_end_comes_too_early() {
    let early = [">CAPA", ">AUTH PLAIN|+ ", ">AUTH PLAIN|+ !", ">QUIT"];
    let inside = [elsewhere(Place::Listing(Shape::Scan)), elsewhere(Place::Body)];
    let mut cut = Vec::from(early.map(Session::behind));
    cut.extend(inside.map(|script| Session::behind(script.unwrap())));
    cut.push(Session::new());
    for mut session in cut {
        session.client.eof(End::Fin);
        let framed = session.client.frame(&mut session.input, &mut session.output);
        assert_eq!(framed.map(|_| ()), Err(Violation::Truncated), "{:?}", session.client);
    }
    // Nothing in flight: a server may hang up, and the client is told in order.
    for script in ["", ">USER u|+OK", ">USER u|+OK|>PASS p|+OK", ">QUIT|+OK", ">STLS|+OK|tls"] {
        let mut session = Session::behind(script);
        session.client.eof(End::Fin);
        let framed = session.client.frame(&mut session.input, &mut session.output);
        assert!(matches!(framed, Ok(Framed::Closed)), "{framed:?} behind {script}");
    }
}
