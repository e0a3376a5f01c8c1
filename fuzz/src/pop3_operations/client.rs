//! The client machine, and an application that tries everything.

use super::{HEAP, MANUAL, OPERATION, ROOM, output, parts, public, stays, written};
use crate::machine::{IMPLICIT, OURS, TLS};
use crate::reads::{WHOLE, reads};
use bytes::Buf;
use mail_pop3_proto::client::{AuthTurn, Client, Config, Event, Ticket, TlsGrant};
use mail_pop3_proto::{Allow, Command, Grammar, OtherCommand, Policy, Shape, Tls, Verb, Violation};
use mail_wire::line::LineEnd;
use mail_wire::{Closing, End, Framed, Handover, Input, Machine, Misuse, Output, Pause, Returned};
use std::collections::VecDeque;

/// Commands by their number, so that a mutation is one octet.
const LINES: &[&[u8]] = &[
    b"CAPA",
    b"USER u",
    b"PASS s3cret",
    b"STLS",
    b"AUTH PLAIN",
    b"AUTH PLAIN AHUAczNjcmV0",
    b"AUTH",
    b"UTF8",
    b"LANG",
    b"LANG en",
    b"QUIT",
    b"STAT",
    b"LIST",
    b"LIST 1",
    b"RETR 1",
    b"DELE 1",
    b"NOOP",
    b"RSET",
    b"TOP 1 0",
    b"UIDL",
    b"UIDL 1",
    b"APOP u 0123456789abcdef0123456789abcdef",
    b"AUTH SCRAM-SHA-256 bix5",
    b"AUTH X =",
];
/// Lines of a server, likewise.
const REPLIES: &[&[u8]] = &[
    b"+OK\r\n",
    b"-ERR\r\n",
    b"+ \r\n",
    b".\r\n",
    b"+OK 2 320\r\n",
    b"+OK 1 120\r\n",
    b"1 120\r\n2 200\r\n.\r\n",
    b"+OK\r\nPIPELINING\r\nSTLS\r\nUIDL\r\nTOP\r\nUSER\r\nSASL PLAIN\r\nRESP-CODES\r\nUTF8 USER\r\n.\r\n",
    b"+OK\r\n..a\r\n\r\nb\r\n.\r\n",
    b"+OK ready <1.2@example.com>\r\n",
    b"-ERR [AUTH] no\r\n",
    b"+ eA==\r\n",
    b"+ !\r\n",
    b"+OK 1 abc\r\n",
    b"+OK\r\n1 abc\r\n2 def\r\n.\r\n",
    b"+ok\r\n",
    b"+\r\n",
    b"+OK\n",
    b"+OK\na\n.\n",
];

/// A command whose answer is awaited.
#[derive(Clone, Copy)]
struct Flight {
    ticket: Ticket,
    verb: Option<Verb>,
    shape: Shape,
    /// AUTH with a mechanism.
    exchange: bool,
}

/// What the application has been told.
#[derive(Default)]
struct Told {
    flight: VecDeque<Flight>,
    /// Of the answer that is being read.
    head: Option<Ticket>,
    turn: Option<AuthTurn>,
    grant: Option<TlsGrant>,
    greeted: bool,
    /// The exchange has been cancelled.
    cancelled: bool,
    authenticated: bool,
}

/// The machine with its buffers, what is known of it from outside, and how the application behaves.
struct Asking {
    client: Client,
    input: Input,
    output: Output,
    told: Told,
    how: u8,
    manual: bool,
    /// Whether a password may go out in the clear, and whether nothing may.
    allowed: bool,
    required: bool,
    /// Octets are fed and not framed.
    idle: bool,
    ended: bool,
    closed: bool,
    /// The hand-over was refused, and the machine is no more.
    gone: bool,
    over: Option<Result<(), Violation>>,
    /// Calls of `frame` that are left. A loop that makes no progress uses them up.
    left: usize,
}

/// Settings: the lowest two bits are 0 tolerant, 1 strict, 2 lines that LF alone may end, 3 TLS required; bit 2: no password in the clear.
pub(super) fn run(settings: u8, how: u8, script: &[u8]) {
    let mut asking = Asking::new(settings, how);
    asking.left += 8 * script.len();
    for (marker, octets) in parts(script) {
        asking.part(marker, octets);
    }
    asking.finish();
}

impl Asking {
    /// A fresh connection, before the greeting, under TLS where the settings say so.
    fn new(settings: u8, how: u8) -> Self {
        let mut policy = Policy { plaintext_auth: Allow::Allow, apop: Allow::Allow, ..Policy::client() };
        match settings % 4 {
            1 => policy.grammar = Grammar::strict(),
            2 => policy.line = LineEnd::Tolerant,
            3 => policy.tls = Tls::Required,
            _ => {}
        }
        let allowed = settings & 4 == 0;
        if !allowed {
            policy.plaintext_auth = Allow::Refuse;
        }
        let client = Client::new(Config { policy, ..Config::default() });
        let client = if settings & IMPLICIT == 0 { client } else { Handover::implicit(client).secured() };
        Self {
            client,
            input: Input::new(),
            output: output(settings),
            told: Told::default(),
            how,
            manual: settings & MANUAL != 0,
            allowed,
            required: settings % 4 == 3,
            idle: false,
            ended: false,
            closed: false,
            gone: false,
            over: None,
            left: 512,
        }
    }

    /// One part of the script. Whatever it is, buffers stay bounded: nothing is allocated by what a peer announces.
    fn part(&mut self, marker: u8, octets: &[u8]) {
        if self.gone {
            return;
        }
        match marker {
            OURS => octets.split_inclusive(|octet| *octet == b'\n').for_each(|line| self.say(line)),
            TLS => {
                self.hand_over();
                if !self.gone {
                    self.hear(octets);
                }
            }
            OPERATION => {
                if let Some((operation, argument)) = octets.split_first() {
                    self.operate(*operation, argument);
                }
            }
            _ => self.hear(octets),
        }
        assert!(self.input.capacity() <= ROOM && self.output.len() <= HEAP, "it grows");
        if !self.manual {
            self.sent(usize::MAX);
        }
    }

    /// An operation by its number, whether it makes sense now or not: that is the machine's to say.
    fn operate(&mut self, operation: u8, argument: &[u8]) {
        self.left += 64;
        let number = argument.first().copied().map_or(0, usize::from);
        match operation % 16 {
            0 => argument.iter().for_each(|line| self.send(LINES[usize::from(*line) % LINES.len()], 0)),
            1 => argument.iter().for_each(|reply| self.hear(REPLIES[usize::from(*reply) % REPLIES.len()])),
            2 => self.respond(argument),
            3 => self.cancel(),
            4 => self.hand_over(),
            5 => self.end(End::Fin),
            6 => self.end(End::Cut),
            7 => self.close(Closing::Expired),
            8 => self.close(Closing::Shutdown),
            9 => {
                let ticket = self.told.flight.get(number % 4).map(|flight| flight.ticket);
                // One that is not in flight, of another machine too, is ignored.
                let ticket = ticket.unwrap_or_else(ticket_of_another);
                self.client.expect(ticket, (number as u64) << 14);
            }
            10 => self.sent(number),
            11 => self.idle = !self.idle,
            12 => self.stale(number),
            13 => self.foreign(number),
            14 => self.send(argument.get(1..).unwrap_or_default(), number),
            _ => self.sent(usize::MAX),
        }
        if !self.gone {
            self.turn();
        }
    }

    /// A line of ours: the answer to a challenge, or a command.
    fn say(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        match (&self.told.turn, line) {
            (Some(_), b"*") => self.cancel(),
            (Some(_), response) => self.respond(response),
            (None, line) => self.send(line, 0),
        }
        self.turn();
    }

    /// All that can be seen of the machine.
    fn state(&self) -> (usize, usize, bool, bool, bool, String) {
        let client = &self.client;
        let seen = (client.in_flight(), client.is_authenticated(), client.is_secure(), client.has_room());
        (self.output.len(), seen.0, seen.1, seen.2, seen.3, format!("{client:?}"))
    }

    /// `shape` is of a command that is not known.
    fn send(&mut self, line: &[u8], shape: usize) {
        let shapes = [Shape::Single, Shape::Message, Shape::Lines, Shape::Scan, Shape::Capabilities];
        let other = || OtherCommand::new(line, shapes[shape % shapes.len()]).map(Command::Other);
        let Some(command) = Command::parse(line).ok().or_else(|| other().ok()) else { return };
        let before = self.state();
        let sent = self.client.send(&command, &mut self.output);
        let Ok(ticket) = sent else {
            return assert_eq!(before, self.state(), "a misuse changes nothing: {sent:?}");
        };
        let (verb, flight) = (command.verb(), &self.told.flight);
        let exchange = matches!(command, Command::Auth { .. });
        assert!(before.4, "there was no room");
        assert!(self.over.is_none() && self.told.turn.is_none() && self.told.grant.is_none());
        assert!(flight.iter().all(|flight| flight.ticket != ticket), "two tickets are the same");
        // RFC 2449 §6.6, RFC 2595 §4, RFC 5034 §4: what stands alone, and behind what nothing stands.
        let last = |flight: &Flight| flight.exchange || matches!(flight.verb, Some(Verb::Stls | Verb::Quit));
        assert!(!flight.iter().any(last), "{verb:?} behind what is last");
        let alone = exchange || verb == Some(Verb::Stls) || !self.client.capabilities().has("PIPELINING");
        assert!(!alone || flight.is_empty(), "{verb:?} is pipelined");
        self.may_send(&command);
        let octets = written(&self.output, before.0);
        assert!(octets.ends_with(b"\r\n") && octets.iter().filter(|octet| **octet == b'\n').count() == 1);
        // A password is for nobody's eyes (RFC 1939 §13), and neither is its length.
        if verb == Some(Verb::Pass) {
            assert_eq!(public(&self.output, before.0), b"PASS \r\n");
        }
        self.told.flight.push_back(Flight { ticket, verb, shape: command.shape(), exchange });
        self.told.cancelled = false;
        assert_eq!(self.client.in_flight(), self.told.flight.len());
    }

    /// What the caller has forbidden does not go out.
    fn may_send(&self, command: &Command<'_>) {
        let verb = command.verb();
        if self.client.is_secure() {
            assert!(verb != Some(Verb::Stls), "STLS under TLS");
            return;
        }
        let plaintext = match command {
            Command::User(_) | Command::Pass(_) => true,
            Command::Auth { mechanism, .. } => mechanism.is_plaintext(),
            _ => false,
        };
        assert!(self.allowed || !plaintext, "a password in the clear");
        let early = matches!(verb, Some(Verb::Capa | Verb::Stls | Verb::Quit));
        assert!(!self.required || early, "{verb:?} before TLS");
    }

    /// Answers a challenge. The response goes out as base64, as a secret (RFC 5034 §4).
    fn respond(&mut self, response: &[u8]) {
        let Some(turn) = self.told.turn.take() else { return };
        let before = self.state();
        let done = self.client.respond(turn, response, &mut self.output);
        self.answered(done, before);
    }

    /// Cancels the exchange: `*`, and the server must refuse then (RFC 5034 §4).
    fn cancel(&mut self) {
        let Some(turn) = self.told.turn.take() else { return };
        let before = self.state();
        let done = self.client.cancel(turn, &mut self.output);
        self.told.cancelled |= done.is_ok();
        self.answered(done, before);
    }

    /// What a turn was spent on, or the turn again. A turn that is due is refused for the length of its response alone, and where the
    /// session ends meanwhile.
    fn answered(
        &mut self,
        done: Result<(), Returned<AuthTurn>>,
        before: (usize, usize, bool, bool, bool, String),
    ) {
        let may = self.over.is_none();
        match done {
            Ok(()) => {
                assert!(may, "an answer behind the end");
                let shown = public(&self.output, before.0);
                assert!(shown == b"\r\n" || shown == b"*\r\n", "a response is shown");
            }
            Err(returned) => {
                assert_eq!(before, self.state(), "a misuse changes nothing");
                assert!(!may || self.ended || matches!(returned.why, Misuse::TooLong(_)), "{}", returned.why);
                self.told.turn = Some(returned.token);
            }
        }
    }

    /// The hand-over to TLS, which one octet of plaintext behind the go-ahead refuses (RFC 2595 §4). Of what was said before it nothing is
    /// believed any more (§9).
    fn hand_over(&mut self) {
        let Some(grant) = self.told.grant.take() else { return };
        let (held, may) = (self.input.len(), self.over.is_none() && !self.closed);
        let client = std::mem::replace(&mut self.client, Client::new(Config::default()));
        let before = self.output.len();
        let handed = client.start_tls(grant, std::mem::take(&mut self.input), &mut self.output);
        assert_eq!(handed.is_ok(), held == 0 && may, "{held} octets of plaintext at the hand-over");
        assert_eq!(self.output.len(), before, "a client says nothing at the hand-over");
        match handed {
            Ok(handover) => {
                self.client = handover.secured();
                assert!(self.client.is_secure() && self.client.capabilities().is_empty());
                assert_eq!(self.client.stamp(), None, "a stamp of before TLS");
            }
            Err(_) => self.gone = true,
        }
    }

    /// No more octets come. What has come is read all the same.
    fn end(&mut self, end: End) {
        self.ended = true;
        self.client.eof(end);
    }

    /// The driver ends the session. A client has no last words: QUIT would remove messages (RFC 1939 §6).
    fn close(&mut self, why: Closing) {
        let before = self.output.len();
        self.client.close(why, &mut self.output);
        assert_eq!(self.output.len(), before, "a client says nothing at its end");
        (self.ended, self.closed) = (true, true);
    }

    /// So many octets are sent.
    fn sent(&mut self, octets: usize) {
        self.output.advance(octets.min(self.output.remaining()));
    }

    /// A unit of another input, or of an earlier look: refused, and nothing is lost.
    fn stale(&mut self, which: usize) {
        if self.over.is_some() {
            return;
        }
        let stale = if which.is_multiple_of(2) {
            let mut input = Input::new();
            input.feed(b"+OK\r\n");
            Some(input.take(5))
        } else {
            match self.client.frame(&mut self.input, &mut self.output) {
                Ok(Framed::Ready(unit)) => {
                    // Framed again, and by that the first look is stale.
                    let again = self.client.frame(&mut self.input, &mut self.output);
                    assert!(matches!(again, Ok(Framed::Ready(_))), "a unit is lost: {again:?}");
                    Some(unit)
                }
                _ => None,
            }
        };
        if let Some(unit) = stale {
            let decoded = self.client.decode(unit, &mut self.input);
            assert!(matches!(decoded, Err(Violation::Stale(_))), "{decoded:?}");
        }
    }

    /// Tokens of another machine.
    fn foreign(&mut self, which: usize) {
        let mut other = Self::new(0, WHOLE);
        other.hear(b"+OK\r\n");
        other.say(if which.is_multiple_of(2) { b"AUTH PLAIN" } else { b"STLS" });
        other.hear(if which.is_multiple_of(2) { b"+ \r\n" } else { b"+OK\r\n" });
        let before = self.state();
        if let Some(turn) = other.told.turn.take() {
            let returned = if which.is_multiple_of(4) {
                self.client.respond(turn, b"x", &mut self.output)
            } else {
                self.client.cancel(turn, &mut self.output)
            };
            let returned = returned.expect_err("a turn of another machine");
            other.told.turn = Some(returned.token);
            other.cancel();
            assert!(other.told.turn.is_none(), "it is good where it belongs");
        }
        if let Some(grant) = other.told.grant.take().filter(|_| which % 4 == 1) {
            let client = std::mem::replace(&mut self.client, Client::new(Config::default()));
            let handed = client.start_tls(grant, Input::new(), &mut self.output);
            assert!(handed.is_err(), "a grant of another machine");
            assert_eq!(self.output.len(), before.0);
            self.gone = true;
            return;
        }
        assert_eq!(before, self.state(), "a misuse changes nothing");
    }

    /// Octets of the server, in reads. A read that finds no room is held up by something that is owed here, and by nothing else.
    fn hear(&mut self, octets: &[u8]) {
        // Each octet may be a read, and its answer a turn of its own.
        self.left += 64 + 8 * octets.len();
        let read = [&[self.how], octets].concat();
        for mut read in reads(&read) {
            while !read.is_empty() && self.over.is_none() && !self.ended {
                self.turn();
                let taken = self.input.feed(read);
                if taken == 0 {
                    let waits = self.told.turn.is_some() || self.told.grant.is_some() || self.idle;
                    assert!(
                        waits || self.over.is_some(),
                        "there is no room, and the machine waits for input"
                    );
                    return;
                }
                read = &read[taken..];
            }
        }
        self.turn();
    }

    /// Frames until more input is needed.
    fn turn(&mut self) {
        while !self.idle && self.over.is_none() {
            self.left = self.left.checked_sub(1).expect("no progress");
            let before = self.output.len();
            let framed = self.client.frame(&mut self.input, &mut self.output);
            self.released(before);
            let Self { client, input, told, .. } = self;
            match framed {
                Ok(Framed::NeedInput) => return assert!(!self.ended, "it waits for input after the end"),
                Ok(Framed::Paused(Pause::AnswerOwed)) => return assert!(told.turn.is_some()),
                Ok(Framed::Paused(Pause::Upgrade)) => return assert!(told.grant.is_some()),
                Ok(Framed::Paused(pause)) => panic!("{pause:?}"),
                Ok(Framed::Closed) => self.over = Some(Ok(())),
                Ok(Framed::Ready(unit)) => {
                    let whole = input.peek().ends_with(b".\r\n") || input.peek().ends_with(b".\n");
                    match client.decode(unit, input) {
                        Ok(event) => told.on(event, whole),
                        Err(violation) => self.over = Some(Err(violation)),
                    }
                }
                Err(violation) => self.over = Some(Err(violation)),
            }
            self.agrees();
        }
    }

    /// What is known here and there is the same.
    fn agrees(&self) {
        if self.over.is_some() {
            return;
        }
        assert_eq!(self.client.in_flight(), self.told.flight.len(), "answers balance commands");
        assert_eq!(self.client.is_authenticated(), self.told.authenticated);
    }

    /// The machine writes by itself what an exchange needs, and nothing else.
    fn released(&self, before: usize) {
        if self.output.len() > before {
            let octets = written(&self.output, before);
            let exchange = self.told.flight.front().is_some_and(|flight| flight.exchange);
            assert!(exchange && octets.ends_with(b"\r\n"), "{}", octets.escape_ascii());
            assert_eq!(octets.iter().filter(|octet| **octet == b'\n').count(), 1);
        }
    }

    /// The octets end. Whatever was going on ends with them, and stays so.
    fn finish(mut self) {
        self.idle = false;
        if !self.gone {
            self.turn();
            self.hand_over();
        }
        if self.gone {
            return;
        }
        self.end(End::Fin);
        self.turn();
        let over = self.over.expect("it waits for input after the end");
        self.sent(usize::MAX);
        for _ in 0..2 {
            self.send(b"QUIT", 0);
            self.send(b"NOOP", 0);
            self.cancel();
            self.close(Closing::Shutdown);
            self.close(Closing::Expired);
            stays(over, &mut self.client, &mut self.input, &mut self.output);
        }
    }
}

/// A ticket obliges to nothing, so that one of another machine can be had at any time.
fn ticket_of_another() -> Ticket {
    let mut other = Asking::new(0, WHOLE);
    other.hear(b"+OK\r\n");
    other.client.send(&Command::Capa, &mut other.output).expect("nothing is in flight")
}

impl Told {
    /// An event. `whole`: its octets end as a terminator does.
    fn on(&mut self, event: Event<'_>, whole: bool) {
        assert_eq!(self.greeted, !matches!(event, Event::Greeting(..)), "one greeting, and first");
        let front = self.flight.front().copied();
        let asked = |ticket: Ticket| {
            let flight = front.expect("an answer that no command has asked for");
            assert_eq!(flight.ticket, ticket, "answers come in order");
            flight
        };
        match event {
            Event::Greeting(line, stamp) => {
                self.greeted = true;
                assert!(stamp.is_none() || line.is_ok());
            }
            Event::Reply(ticket, line) => {
                let flight = asked(ticket);
                assert_eq!(self.head, None, "an answer in an answer");
                assert_eq!(line.into_owned().get().line(), line.line());
                let _ = (line.code(), line.unannounced_code(), line.data());
                if line.is_ok() {
                    assert_eq!(flight.shape, Shape::Single);
                    assert!(flight.verb != Some(Verb::Stls) && !(flight.exchange && self.cancelled));
                    let log_in = matches!(flight.verb, Some(Verb::Pass | Verb::Apop)) || flight.exchange;
                    self.authenticated |= log_in;
                }
                self.flight.pop_front();
            }
            Event::Head(ticket, line) => {
                assert!(asked(ticket).shape != Shape::Single && line.is_ok() && self.head.is_none());
                self.head = Some(ticket);
            }
            Event::Items(ticket, items) => {
                assert!(asked(ticket).shape != Shape::Message && self.head == Some(ticket));
                let lines = items.octets().iter().filter(|octet| **octet == b'\n').count();
                assert!(lines > 0 && items.iter().count() == lines, "one item for each line");
            }
            Event::Chunk(octets) => {
                let flight = front.expect("a message that no command has asked for");
                assert!(
                    flight.shape == Shape::Message && self.head == Some(flight.ticket) && !octets.is_empty()
                );
            }
            Event::End(ticket) => {
                asked(ticket);
                assert!(self.head.take() == Some(ticket) && whole, "the end of no answer");
                self.flight.pop_front();
            }
            Event::Challenge(_, turn) => {
                assert!(
                    front.is_some_and(|flight| flight.exchange) && self.turn.is_none() && !self.cancelled
                );
                self.turn = Some(turn);
            }
            Event::BadChallenge(ticket) => {
                assert!(asked(ticket).exchange && !self.cancelled);
                self.cancelled = true;
            }
            Event::StartTls(grant) => {
                assert_eq!(front.and_then(|flight| flight.verb), Some(Verb::Stls));
                self.flight.pop_front();
                self.grant = Some(grant);
            }
            // What was sent meanwhile is answered by nobody.
            Event::Closing(line) => {
                assert!(!line.is_ok() && self.head.is_none() && self.turn.is_none());
                assert_eq!(line.into_owned().get().line(), line.line());
                self.flight.clear();
            }
            _ => panic!("an event that is not known here"),
        }
    }
}
