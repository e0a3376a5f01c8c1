//! Every state of the server machine against every command, and against every way in which a session ends.
//!
//! The rows are written by hand from RFC 1939 §4 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4 and RFC 6856 §2 and §3. No match here has a
//! wildcard: a command or a state that is new does not compile until it has its place.

use super::answer::Owed;
use super::body::Wanted;
use super::*;
use crate::command::Command;
use crate::error::Rule;
use crate::policy::Allow;
use crate::reply::Reply;
use crate::types::{LanguageTag, MessageNumber, ReplyText, UniqueId};
use alloc::vec::Vec;
use bytes::Buf;
use mail_wire::line::LineFault;
use mail_wire::{Closing, End, Framed, Input, Machine, Output, Pause};

/// The states in which a line is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// AUTHORIZATION, in the clear.
    Fresh,
    /// Directly behind a USER that was accepted.
    User,
    /// Behind UTF8.
    Utf8,
    /// Under TLS, by STLS.
    Secure,
    /// A challenge of a SASL exchange was sent.
    Exchange,
    /// TRANSACTION.
    Open,
    /// TRANSACTION, message 1 marked as deleted.
    Marked,
}
use State::{Exchange, Fresh, Marked, Open, Secure, User, Utf8};

/// In the order of the columns.
const STATES: [State; 7] = [Fresh, User, Utf8, Secure, Exchange, Open, Marked];

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    /// The application is asked: USER, LANG.
    Asks,
    /// It is asked whether somebody is logged in.
    LogIn,
    /// An exchange begins.
    Begins,
    /// The line is a response of an exchange.
    Response,
    /// The line ends an exchange: it is no base64 (RFC 5034 §4).
    Breaks,
    /// The application is asked for a message.
    Message,
    /// The hand-over to TLS is due.
    Tls,
    /// The machine answers by itself.
    Answers,
    /// QUIT without UPDATE.
    Bye,
    /// QUIT with UPDATE.
    Commit,
    /// No command that a server knows.
    Malformed,
    /// The machine refuses by itself.
    No(Refusal),
}
use Cell::{Answers, Asks, Begins, Breaks, Bye, Commit, LogIn, Malformed, Message, No, Response, Tls};

/// What RFC 1939 §3 says of a command in the wrong state: it is refused, and nothing else comes of it.
const STATE: Cell = No(Refusal::State);
/// PASS without a USER directly before it.
const FIRST: Cell = No(Refusal::UserFirst);
/// No such message, or one that is marked.
const ABSENT: Cell = No(Refusal::NoSuchMessage);

/// The table. In an exchange every line is a response (RFC 5034 §4): a keyword of four letters by itself is base64, and one with an
/// argument is not.
fn row(command: &Command<'_>) -> [Cell; 7] {
    match command {
        //                        Fresh    User     Utf8     Secure   Exchange  Open     Marked
        Command::User(_) => [Asks, Asks, Asks, Asks, Breaks, STATE, STATE],
        Command::Pass(_) => [FIRST, LogIn, FIRST, FIRST, Breaks, STATE, STATE],
        // The stamp of a greeting in the clear is void under TLS.
        Command::Apop { .. } => [LogIn, LogIn, LogIn, No(Refusal::NotOffered), Breaks, STATE, STATE],
        Command::Auth { .. } => [Begins, Begins, Begins, Begins, Breaks, STATE, STATE],
        Command::AuthList => [Answers, Answers, Answers, Answers, Response, STATE, STATE],
        Command::Capa => [Answers, Answers, Answers, Answers, Response, Answers, Answers],
        // Neither behind UTF8 (RFC 6856 §2.1) nor under TLS (RFC 2595 §4).
        Command::Stls => [Tls, Tls, STATE, STATE, Response, STATE, STATE],
        Command::Utf8 => [Answers, Answers, Answers, Answers, Response, STATE, STATE],
        Command::Lang(Some(_)) => [Asks, Asks, Asks, Asks, Breaks, Asks, Asks],
        Command::Lang(None) => [Answers, Answers, Answers, Answers, Response, Answers, Answers],
        // UPDATE comes of QUIT in TRANSACTION alone (RFC 1939 §6).
        Command::Quit => [Bye, Bye, Bye, Bye, Response, Commit, Commit],
        // The maildrop is there once somebody is logged in (RFC 1939 §5).
        Command::Stat => [STATE, STATE, STATE, STATE, Response, Answers, Answers],
        Command::List(None) => [STATE, STATE, STATE, STATE, Response, Answers, Answers],
        // What is marked is gone for whoever names it (RFC 1939 §5, DELE).
        Command::List(Some(_)) => [STATE, STATE, STATE, STATE, Breaks, Answers, ABSENT],
        Command::Retr(_) => [STATE, STATE, STATE, STATE, Breaks, Message, ABSENT],
        Command::Dele(_) => [STATE, STATE, STATE, STATE, Breaks, Answers, ABSENT],
        Command::Noop => [STATE, STATE, STATE, STATE, Response, Answers, Answers],
        Command::Rset => [STATE, STATE, STATE, STATE, Response, Answers, Answers],
        Command::Top { .. } => [STATE, STATE, STATE, STATE, Breaks, Message, ABSENT],
        Command::Uidl(None) => [STATE, STATE, STATE, STATE, Response, Answers, Answers],
        Command::Uidl(Some(_)) => [STATE, STATE, STATE, STATE, Breaks, Answers, ABSENT],
        // The application may know it: it is asked, as for all that does not parse (RFC 2449 §4).
        Command::Other(_) => [Malformed, Malformed, Malformed, Malformed, Breaks, Malformed, Malformed],
    }
}

/// One line for each row; all of them speak of message 1.
const LINES: [&str; 22] = [
    "USER u",
    "PASS p",
    "APOP u c4c9334bac560ecc979e58001b3e22fb",
    "AUTH PLAIN",
    "AUTH",
    "CAPA",
    "STLS",
    "UTF8",
    "LANG en",
    "LANG",
    "QUIT",
    "STAT",
    "LIST",
    "LIST 1",
    "RETR 1",
    "DELE 1",
    "NOOP",
    "RSET",
    "TOP 1 0",
    "UIDL",
    "UIDL 1",
    "XTND x",
];

/// The state behind a line, where the application says yes or no. `None`: the session is over.
fn behind(state: State, command: &Command<'_>, cell: Cell, yes: bool) -> Option<State> {
    // Whatever is no PASS makes an accepted USER void (RFC 1939 §7), and so does a log-in that failed.
    let stays = if state == User { Fresh } else { state };
    Some(match (cell, yes) {
        (Asks, true) if matches!(command, Command::User(_)) => User,
        (Asks, _) => stays,
        (LogIn, true) => Open,
        // The answer to AUTH is a challenge here; to a response it is the outcome.
        (Begins, true) => Exchange,
        (Response, true) => Open,
        (LogIn | Begins, false) => stays,
        (Response, false) | (Breaks, _) => Fresh,
        (Tls, true) => Secure,
        (Tls, false) => stays,
        (Answers, _) => match command {
            Command::Utf8 => Utf8,
            Command::Dele(_) => Marked,
            Command::Rset => Open,
            _ => stays,
        },
        (Bye | Commit, _) => return None,
        (Message | Malformed | No(_), _) => stays,
    })
}

/// The command of a line; one that a server does not know stands for all of those.
fn command(line: &str) -> Command<'_> {
    match Command::parse(line.as_bytes()) {
        Ok(command) => command,
        Err(_) => Command::Other(
            crate::OtherCommand::new(line.as_bytes(), crate::Shape::Single).expect("a command"),
        ),
    }
}

/// Texts are for people: the table has none. That of LANG alone names its language (RFC 6856 §3.2).
fn ok() -> Reply<'static> {
    Reply::ok(ReplyText::known("en"))
}

fn no() -> Reply<'static> {
    Reply::err(ReplyText::EMPTY)
}

/// Two messages: one to mark, and one that is left.
fn maildrop() -> Maildrop {
    let mut maildrop = Maildrop::new();
    for id in ["a", "b"] {
        maildrop.push(5, UniqueId::try_from(id).unwrap()).unwrap();
    }
    maildrop
}

/// A server in memory.
struct Session {
    server: Server,
    input: Input,
    output: Output,
}

/// The tokens that an application may owe, kept so that they stay owed.
enum Token {
    Nothing,
    Answer(Answer),
    Turn(AuthTurn),
    Offer(TlsOffer),
}

impl Session {
    /// On a fresh connection, before the greeting.
    /// Everything is offered and allowed, so that the state alone decides.
    fn new() -> Self {
        let mut offer = Offer::default();
        for line in ["SASL PLAIN", "UTF8", "LANG"] {
            offer.capabilities.add(line.as_bytes()).unwrap();
        }
        offer.languages.push(Language::new(LanguageTag::try_from("en").unwrap(), ReplyText::EMPTY));
        let mut config = Config { offer: offer.into(), ..Config::default() };
        config.policy.apop = Allow::Allow;
        config.policy.plaintext_auth = Allow::Allow;
        config.stamp = Some(Stamp::try_from("<1.2@example.com>").unwrap());
        Self { server: Server::new(config), input: Input::new(), output: Output::new() }
    }

    /// In a state, by the shortest way.
    fn at(state: State) -> Self {
        let mut session = Self::new();
        let (cell, token) = session.next().expect("the greeting is due");
        assert_eq!(cell, Asks);
        session = session.answer(Asks, token, true).unwrap();
        let way: &[&str] = match state {
            Fresh => &[],
            User => &["USER u"],
            Utf8 => &["UTF8"],
            Secure => &["STLS"],
            Exchange => &["AUTH PLAIN"],
            Open => &["USER u", "PASS p"],
            Marked => &["USER u", "PASS p", "DELE 1"],
        };
        for line in way {
            session.feed(line);
            let (cell, token) = session.next().unwrap();
            session = session.answer(cell, token, true).unwrap();
        }
        assert_eq!(session.state(), state);
        session.output.advance(session.output.remaining());
        session
    }

    /// A line with its end.
    fn feed(&mut self, line: &str) {
        self.input.feed(line.as_bytes());
        self.input.feed(b"\r\n");
    }

    /// The state that the machine is in, once nothing is owed.
    fn state(&self) -> State {
        let server = &self.server;
        assert_eq!(server.owed, Owed::Nothing);
        match server.phase {
            Phase::Authorization if server.exchange => Exchange,
            Phase::Authorization if server.user.is_some() => User,
            Phase::Authorization if server.utf8 => Utf8,
            Phase::Authorization if server.secure => Secure,
            Phase::Authorization => Fresh,
            Phase::Transaction if server.maildrop().is_some_and(|drop| drop.deleted().count() > 0) => Marked,
            Phase::Transaction => Open,
            Phase::Update => panic!("UPDATE reads no line"),
        }
    }

    /// The next event as a cell of the table.
    fn next(&mut self) -> Option<(Cell, Token)> {
        let Framed::Ready(unit) = self.server.frame(&mut self.input, &mut self.output).unwrap() else {
            return None;
        };
        Some(match self.server.decode(unit, &mut self.input).unwrap() {
            Event::Connected(answer) => (Asks, Token::Answer(answer)),
            Event::Command(Command::Pass(_) | Command::Apop { .. }, answer) => (LogIn, Token::Answer(answer)),
            Event::Command(Command::Retr(_) | Command::Top { .. }, answer) => {
                (Message, Token::Answer(answer))
            }
            Event::Command(_, answer) => (Asks, Token::Answer(answer)),
            Event::Answered(Command::Quit) => (Bye, Token::Nothing),
            Event::Answered(_) => (Answers, Token::Nothing),
            Event::Refused(refused) => (No(refused.why), Token::Nothing),
            Event::Malformed(_, answer) => (Malformed, Token::Answer(answer)),
            Event::Auth { turn, .. } => (Begins, Token::Turn(turn)),
            Event::AuthResponse(_, turn) => (Response, Token::Turn(turn)),
            Event::AuthCancelled(why) => {
                assert_eq!(why, Refusal::NotBase64);
                (Breaks, Token::Nothing)
            }
            Event::StartTls(offer) => (Tls, Token::Offer(offer)),
            Event::Commit(_, answer) => (Commit, Token::Answer(answer)),
            Event::Abort(why) => panic!("{why:?}"),
        })
    }

    /// Pays with yes or no. `None`: the session is over.
    fn answer(mut self, cell: Cell, token: Token, yes: bool) -> Option<Self> {
        let Self { server, input, output } = &mut self;
        let reply = if yes { ok() } else { no() };
        match (cell, token) {
            (LogIn, Token::Answer(answer)) if yes => {
                server.accept(answer, maildrop(), &ok(), output).unwrap();
            }
            (Message, Token::Answer(answer)) if yes => {
                let grant = server.answer_body(answer, ReplyText::EMPTY, output).unwrap();
                server.end_body(grant, output).unwrap();
            }
            (_, Token::Answer(answer)) => server.answer(answer, &reply, output).unwrap(),
            (_, Token::Turn(turn)) if !yes => server.refuse_auth(turn, &no(), output).unwrap(),
            // The empty challenge: the client has given no initial response (RFC 5034 §4).
            (Begins, Token::Turn(turn)) => server.challenge(turn, b"", output).unwrap(),
            (_, Token::Turn(turn)) => server.accept_auth(turn, maildrop(), &ok(), output).unwrap(),
            (_, Token::Offer(offer)) if yes => {
                let handover = self.server.start_tls(offer, self.input, &mut self.output).unwrap();
                self = Self { server: handover.secured(), input: Input::new(), output: self.output };
                return Some(self);
            }
            (_, Token::Offer(offer)) => server.refuse_tls(offer, output).unwrap(),
            (_, Token::Nothing) => {}
        }
        // What the machine answers by itself is written now.
        match server.frame(input, output).unwrap() {
            // What else could be framed here would be an event that no line has asked for.
            Framed::Closed => None,
            Framed::NeedInput => Some(self),
            other => panic!("{other:?}"),
        }
    }
}

/// For both answers of the application: what is told, that there is an answer, and where it leads.
#[test]
fn every_state_does_with_every_command_what_the_table_says() {
    assert!(crate::Verb::ALL.iter().all(|verb| LINES.iter().any(|line| command(line).verb() == Some(*verb))));
    for line in LINES {
        let command = command(line);
        for (state, cell) in STATES.into_iter().zip(row(&command)) {
            for yes in [true, false] {
                let mut session = Session::at(state);
                session.feed(line);
                let (got, token) = session.next().expect("an event");
                assert_eq!(got, cell, "{line} in {state:?}");
                let state_after = session.answer(got, token, yes).map(|session| {
                    // A command without an answer would leave the client waiting for ever.
                    let answered = session.output.has_remaining();
                    assert!(answered, "{line} in {state:?} has no answer");
                    session.state()
                });
                assert_eq!(state_after, behind(state, &command, cell, yes), "{line} in {state:?}, {yes}");
            }
        }
    }
}

/// The table in the documentation says the same as the one above, where nothing special came before.
#[test]
fn the_documentation_has_the_same_table() {
    let rows = crate::doc_table::rows(include_str!("mod.rs"));
    for (line, cells) in &rows {
        let command = command(line);
        let [fresh, user, _, _, _, open, _] = row(&command);
        // PASS is told as it is behind its USER.
        let first = if matches!(command, Command::Pass(_)) { user } else { fresh };
        let words = [first, open].map(|cell| match cell {
            Asks | Message => "asks",
            LogIn | Begins => "asks -> TRANSACTION",
            Tls => "asks -> TLS",
            Answers => "answers",
            Bye => "answers -> closed",
            Commit => "asks -> UPDATE",
            No(_) => "refuses",
            Response | Breaks | Malformed => "-",
        });
        assert_eq!(words, *cells, "{line}");
    }
    assert!(LINES.iter().all(|line| *line == "XTND x" || rows.iter().any(|(row, _)| row == line)));
}

/// What is owed, and the lines that lead to it.
const OWED: [(Owed, &[&str], Pause); 9] = [
    (Owed::Command(crate::Verb::User), &["USER u"], Pause::AnswerOwed),
    (Owed::Command(crate::Verb::Lang), &["LANG en"], Pause::AnswerOwed),
    (Owed::LogIn, &["USER u", "PASS p"], Pause::AnswerOwed),
    (
        Owed::Message(Wanted { message: MessageNumber::FIRST, lines: None }),
        &["USER u", "PASS p", "RETR 1"],
        Pause::AnswerOwed,
    ),
    (
        Owed::Message(Wanted { message: MessageNumber::FIRST, lines: Some(0) }),
        &["USER u", "PASS p", "TOP 1 0"],
        Pause::AnswerOwed,
    ),
    (Owed::Malformed(Rule::Keyword), &["XTND x"], Pause::AnswerOwed),
    (Owed::Turn, &["AUTH PLAIN"], Pause::AnswerOwed),
    (Owed::Upgrade, &["STLS"], Pause::Upgrade),
    (Owed::Commit, &["USER u", "PASS p", "QUIT"], Pause::AnswerOwed),
];

/// Whether the state has its row: all but the two that [`OWED`] cannot lead to by lines.
fn is_listed(owed: Owed) -> bool {
    match owed {
        Owed::Nothing | Owed::Greeting | Owed::Body => false,
        Owed::Command(_)
        | Owed::LogIn
        | Owed::Message(_)
        | Owed::Malformed(_)
        | Owed::Turn
        | Owed::Upgrade
        | Owed::Commit => true,
    }
}

/// One command is in flight: what is pipelined behind it waits, whatever it says.
#[test]
fn no_state_that_owes_looks_at_a_command() {
    // Asked twice, as a state must not wear off by being asked.
    let waits = |session: &mut Session, line: &str, pause: Pause| {
        let before = session.output.len();
        session.feed(line);
        for _ in 0..2 {
            let framed = session.server.frame(&mut session.input, &mut session.output).unwrap();
            assert!(matches!(framed, Framed::Paused(why) if why == pause), "{line}: {framed:?}");
        }
        assert_eq!((session.output.len(), session.input.len()), (before, line.len() + 2), "{line}");
    };
    for line in LINES {
        let mut session = Session::new();
        let (_, _token) = session.next().unwrap();
        assert_eq!(session.server.owed, Owed::Greeting);
        waits(&mut session, line, Pause::AnswerOwed);
        for (owed, way, pause) in OWED {
            // The way there is the application's: all but the last step is answered.
            assert!(is_listed(owed));
            let mut session = Session::at(Fresh);
            let mut kept = Token::Nothing;
            for step in way {
                assert!(matches!(kept, Token::Nothing));
                session.feed(step);
                let (cell, token) = session.next().unwrap();
                if *step == way[way.len() - 1] {
                    kept = token;
                } else {
                    session = session.answer(cell, token, true).unwrap();
                }
            }
            assert_eq!(session.server.owed, owed);
            waits(&mut session, line, pause);
        }
        let mut session = Session::at(Open);
        session.feed("RETR 1");
        let (_, Token::Answer(answer)) = session.next().unwrap() else { panic!() };
        // A message is being sent: its end is what the client waits for.
        let _grant = session.server.answer_body(answer, ReplyText::EMPTY, &mut session.output).unwrap();
        assert_eq!(session.server.owed, Owed::Body);
        waits(&mut session, line, Pause::AnswerOwed);
    }
}

/// How a session ends without QUIT.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// Between two lines.
    Eof,
    /// Inside a line: of QUIT, which is not one for lack of its end.
    Cut,
    /// By autologout (RFC 1939 §3).
    Expired,
    /// By the driver.
    Shutdown,
    /// By octets that are no line (RFC 1939 §3).
    BareLf,
}

/// What the application is told, and what the session is then, for AUTHORIZATION, an exchange, and TRANSACTION (RFC 1939 §3 and §6: nothing
/// is removed without QUIT).
fn ends(how: Ends) -> [(Option<Abort>, Result<(), Violation>); 3] {
    let bare = Violation::Line(LineFault::BareLf { at: 0 });
    match how {
        Ends::Eof => [(None, Ok(())), (None, Err(Violation::Truncated)), (Some(Abort::Lost), Ok(()))],
        Ends::Cut => [
            (None, Err(Violation::Truncated)),
            (None, Err(Violation::Truncated)),
            (Some(Abort::Lost), Err(Violation::Truncated)),
        ],
        Ends::Expired => [
            (None, Err(Violation::Expired)),
            (None, Err(Violation::Expired)),
            (Some(Abort::Violation(Violation::Expired)), Err(Violation::Expired)),
        ],
        Ends::Shutdown => [(None, Ok(())), (None, Ok(())), (Some(Abort::Shutdown), Ok(()))],
        Ends::BareLf => [(None, Err(bare)), (None, Err(bare)), (Some(Abort::Violation(bare)), Err(bare))],
    }
}

#[test]
fn every_state_ends_without_a_commit_where_no_quit_was_given() {
    for state in STATES {
        for how in [Ends::Eof, Ends::Cut, Ends::Expired, Ends::Shutdown, Ends::BareLf] {
            let Session { mut server, mut input, mut output } = Session::at(state);
            match how {
                Ends::Eof => server.eof(End::Fin),
                Ends::Cut => {
                    input.feed(b"QUI");
                    server.eof(End::Cut);
                }
                Ends::Expired => server.close(Closing::Expired, &mut output),
                Ends::Shutdown => server.close(Closing::Shutdown, &mut output),
                Ends::BareLf => drop(input.feed(b"\nQUIT\r\n")),
            }
            let (mut aborts, mut over) = (Vec::new(), None);
            while over.is_none() {
                match server.frame(&mut input, &mut output) {
                    Ok(Framed::Ready(unit)) => match server.decode(unit, &mut input).unwrap() {
                        Event::Abort(why) => aborts.push(why),
                        event => panic!("{event:?} in {state:?}"),
                    },
                    Ok(Framed::Closed) => over = Some(Ok(())),
                    Err(violation) => over = Some(Err(violation)),
                    other => panic!("{other:?} in {state:?}"),
                }
            }
            // Where nobody is logged in there is no lock to give back, so that no abort is told.
            let column = match state {
                Fresh | User | Utf8 | Secure => 0,
                Exchange => 1,
                Open | Marked => 2,
            };
            let (abort, end) = ends(how)[column];
            assert_eq!((aborts, over), (Vec::from_iter(abort), Some(end)), "{how:?} in {state:?}");
            // Whatever the client goes on to say.
            // And it stays over.
            for line in LINES {
                input.feed(line.as_bytes());
                input.feed(b"\r\n");
                let again = server.frame(&mut input, &mut output);
                assert_eq!(again.map(|framed| assert!(matches!(framed, Framed::Closed))), end);
            }
        }
    }
}
