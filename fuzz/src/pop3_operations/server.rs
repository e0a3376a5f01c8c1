//! The server machine, and an application that tries everything.

mod turn;

use super::replies::{Expected, Replies, top};
use super::{HEAP, MANUAL, OPERATION, ROOM, output, parts, public};
use crate::machine::{IMPLICIT, OURS, TLS};
use bytes::Bytes;
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{
    Answer, AuthTurn, BodyGrant, Config, Language, Offer, Phase, Server, Stamp, TlsOffer,
};
use mail_pop3_proto::types::{Code, LanguageTag, ReplyText};
use mail_pop3_proto::{Allow, Policy, Reply, Violation};
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;
use mail_wire::{Closing, End, Handover, Input, Machine, Misuse, Output, Returned};
use std::sync::{Arc, LazyLock};
use turn::maildrop;

/// Lines of a client by their number, so that a mutation is one octet.
const LINES: &[&[u8]] = &[
    b"USER u\r\n",
    b"PASS s3cret\r\n",
    b"CAPA\r\n",
    b"STLS\r\n",
    b"AUTH PLAIN\r\n",
    b"AUTH PLAIN AHUAczNjcmV0\r\n",
    b"AHUAczNjcmV0\r\n",
    b"AUTH\r\n",
    b"UTF8\r\n",
    b"LANG\r\n",
    b"LANG en\r\n",
    b"QUIT\r\n",
    b"STAT\r\n",
    b"LIST\r\n",
    b"LIST 1\r\n",
    b"RETR 1\r\n",
    b"DELE 1\r\n",
    b"DELE 2\r\n",
    b"NOOP\r\n",
    b"RSET\r\n",
    b"TOP 1 0\r\n",
    b"TOP 2 1\r\n",
    b"UIDL\r\n",
    b"UIDL 2\r\n",
    b"*\r\n",
    b"XTND\r\n",
    b"=\r\n",
    b"APOP u 0123456789abcdef0123456789abcdef\r\n",
    b"RETR 2\r\n",
];

/// A message for an application that pays by itself.
const LETTER: &[u8] = b"Subject: a\r\n\r\n.dot\r\n..\r\nend\r\n";

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Greeting,
    /// USER or LANG.
    Command,
    LogIn,
    /// How many lines; all for RETR.
    Message(Option<u32>),
    Malformed,
    Commit,
}

/// What the application owes.
enum Token {
    Answer(Answer, For),
    Turn(AuthTurn),
    Offer(TlsOffer),
    /// What has been taken of the message so far, and how many lines are wanted.
    Body(BodyGrant, Vec<u8>, Option<u32>),
}

/// The machine with its buffers, what is known of it from outside, and how the application behaves.
struct Serving {
    server: Server,
    input: Input,
    output: Output,
    how: u8,
    manual: bool,
    eol: BodyEol,
    token: Option<Token>,
    replies: Replies,
    /// Sizes of the messages, and which are marked: while the maildrop is locked.
    mail: Option<Vec<(u64, bool)>>,
    locked: usize,
    commits: usize,
    aborts: usize,
    idle: bool,
    ended: bool,
    /// The session is ended from this side, and nothing is owed any more.
    closed: bool,
    /// The hand-over was refused, and the machine is no more.
    gone: bool,
    over: Option<Result<(), Violation>>,
    /// Calls of `frame` that are left. A loop that makes no progress uses them up.
    left: usize,
}

/// Settings: the lowest two bits are 0 strict, 1 lines that LF alone may end, 2 no password in the clear, 3 bodies as they are; bit 2: APOP, bit 3:
/// bodies are mended.
pub(super) fn run(settings: u8, how: u8, script: &[u8]) {
    let mut serving = Serving::new(settings, how);
    serving.left += 8 * script.len();
    for (marker, octets) in parts(script) {
        serving.part(marker, octets);
    }
    serving.finish();
}

/// All that a server can offer and the machine then answers; made once, as all connections share it.
static OFFER: LazyLock<Arc<Offer>> = LazyLock::new(|| {
    let mut offer = Offer { capabilities: Capabilities::new(), languages: Vec::new() };
    for line in
        ["TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES", "STLS", "SASL PLAIN X", "UTF8 USER", "LANG"]
    {
        offer.capabilities.add(line.as_bytes()).expect("a capability");
    }
    offer.languages.push(Language::new(LanguageTag::try_from("en").expect("a tag"), text("English")));
    offer.into()
});

/// Words of a reply.
fn text(text: &str) -> ReplyText<'_> {
    ReplyText::try_from(text).expect("plain words")
}

/// The argument of an operation that has none is 0.
fn number(octet: Option<&u8>) -> usize {
    octet.copied().map_or(0, usize::from)
}

impl Serving {
    /// A fresh connection, before the greeting, under TLS where the settings say so.
    fn new(settings: u8, how: u8) -> Self {
        let mut policy = Policy { plaintext_auth: Allow::Allow, ..Policy::server() };
        match settings % 4 {
            1 => policy.line = LineEnd::Tolerant,
            2 => policy.plaintext_auth = Allow::Refuse,
            3 => policy.body_eol = BodyEol::Pass,
            _ => {}
        }
        if settings & 4 != 0 {
            policy.apop = Allow::Allow;
        }
        if settings & 8 != 0 {
            policy.body_eol = BodyEol::Normalise;
        }
        let eol = policy.body_eol;
        let stamp = Stamp::try_from("<1.2@example.com>").ok();
        let server = Server::new(Config { policy, offer: Arc::clone(&OFFER), stamp, ..Config::default() });
        let server = if settings & IMPLICIT == 0 { server } else { Handover::implicit(server).secured() };
        Self {
            server,
            input: Input::new(),
            output: output(settings),
            how,
            manual: settings & MANUAL != 0,
            eol,
            token: None,
            replies: Replies::default(),
            mail: None,
            locked: 0,
            commits: 0,
            aborts: 0,
            idle: false,
            ended: false,
            closed: false,
            gone: false,
            over: None,
            left: 512,
        }
    }

    /// One part of the script. Whatever it is, buffers stay bounded: an output that is full is no reason to read on.
    fn part(&mut self, marker: u8, octets: &[u8]) {
        match marker {
            _ if self.gone => return,
            // What the application says is its own affair here.
            OURS => {}
            TLS => {
                self.hand_over();
                self.hear(octets);
            }
            OPERATION => {
                if let Some((operation, argument)) = octets.split_first() {
                    self.operate(*operation, argument);
                }
            }
            _ => self.hear(octets),
        }
        assert!(self.input.capacity() <= ROOM && self.output.len() <= HEAP, "it grows");
    }

    /// An operation by its number, whether it makes sense now or not: that is the machine's to say.
    fn operate(&mut self, operation: u8, argument: &[u8]) {
        self.left += 64;
        let first = number(argument.first());
        match operation % 20 {
            0 => argument.iter().for_each(|line| self.hear(LINES[usize::from(*line) % LINES.len()])),
            1 => self.answer(first % 2 == 0, first),
            2 => self.refuse(),
            3 => self.accept(argument, true),
            4 => self.accept(argument, false),
            5 => self.challenge(argument),
            6 => self.accept_auth(argument, first % 4 != 3),
            7 => self.refuse_auth(first % 4 == 3),
            8 => self.answer_body(),
            9 => self.body(argument),
            10 => self.end_body(),
            11 => self.break_off(),
            12 => self.hand_over(),
            13 => self.refuse_tls(),
            14 => self.foreign(first),
            15 => self.end(if first % 2 == 0 { End::Fin } else { End::Cut }),
            16 => self.close(if first % 2 == 0 { Closing::Shutdown } else { Closing::Expired }),
            17 => self.sent(first),
            18 => self.idle = !self.idle,
            _ => self.stale(first),
        }
        if !self.gone {
            self.turn();
        }
    }

    /// Everything that can be seen of the machine.
    fn state(&self) -> (usize, Phase, Option<Vec<u8>>, usize, String) {
        let marked = self.server.maildrop().map_or(0, |drop| drop.deleted().count());
        let user = self.server.user().map(<[u8]>::to_vec);
        (self.output.len(), self.server.phase(), user, marked, format!("{:?}", self.server))
    }

    /// Whether the machine still takes what is owed.
    fn takes(&self) -> bool {
        self.over.is_none() && !self.closed
    }

    /// Spends an answer. `good`: it is one that this call takes.
    fn with_answer<T>(
        &mut self,
        good: impl FnOnce(For) -> bool,
        spend: impl FnOnce(&mut Server, Answer, &mut Output) -> Result<T, Returned<Answer>>,
    ) -> Option<(T, For)> {
        let (answer, what) = match self.token.take() {
            Some(Token::Answer(answer, what)) => (answer, what),
            other => {
                self.token = other;
                return None;
            }
        };
        let (before, good) = (self.state(), good(what) && self.takes());
        match spend(&mut self.server, answer, &mut self.output) {
            Ok(got) => {
                assert!(good, "{what:?} was answered by what does not answer it");
                Some((got, what))
            }
            Err(returned) => {
                assert!(!good, "{what:?}: {}", returned.why);
                assert_eq!(before, self.state(), "a misuse changes nothing");
                self.token = Some(Token::Answer(returned.token, what));
                None
            }
        }
    }

    /// Spends a turn; see [`Self::with_answer`].
    fn with_turn(
        &mut self,
        good: bool,
        spend: impl FnOnce(&mut Server, AuthTurn, &mut Output) -> Result<(), Returned<AuthTurn>>,
    ) -> bool {
        let turn = match self.token.take() {
            Some(Token::Turn(turn)) => turn,
            other => {
                self.token = other;
                return false;
            }
        };
        let (before, good) = (self.state(), good && self.takes());
        match spend(&mut self.server, turn, &mut self.output) {
            Ok(()) => assert!(good, "a turn was answered by what does not answer it"),
            Err(returned) => {
                assert!(!good, "{}", returned.why);
                assert_eq!(before, self.state(), "a misuse changes nothing");
                self.token = Some(Token::Turn(returned.token));
            }
        }
        good
    }

    /// A reply. Positive to a log-in it needs a maildrop, and to RETR and TOP a message: then it is none.
    fn answer(&mut self, ok: bool, code: usize) {
        let code = [None, Some(Code::InUse), Some(Code::SysTemp)][code / 2 % 3];
        let reply = if ok { Reply::ok(text("en")) } else { Reply::err(text("no")) };
        let reply = Reply { code, ..reply };
        let good = |what| !ok || !matches!(what, For::LogIn | For::Message(_));
        let done = self.with_answer(good, |server, answer, output| server.answer(answer, &reply, output));
        if done.is_some() {
            self.replies.expect(Expected::Line(Some(ok)));
        }
    }

    /// The standard's refusal fits everything that is owed.
    fn refuse(&mut self) {
        if self.with_answer(|_| true, Server::refuse).is_some() {
            self.replies.expect(Expected::Line(Some(false)));
        }
    }

    /// A log-in by PASS or APOP, into a maildrop with messages of these sizes. What is no log-in is not accepted.
    fn accept(&mut self, sizes: &[u8], ok: bool) {
        let (drop, mail) = maildrop(sizes);
        let reply = if ok { Reply::ok(text("in")) } else { Reply::err(text("in")) };
        let good = |what| what == For::LogIn && ok;
        let done =
            self.with_answer(good, |server, answer, output| server.accept(answer, drop, &reply, output));
        if done.is_some() {
            self.logged_in(mail);
        }
    }

    /// A log-in by AUTH.
    fn accept_auth(&mut self, sizes: &[u8], ok: bool) {
        let (drop, mail) = maildrop(sizes);
        let reply = if ok { Reply::ok(text("in")) } else { Reply::err(text("in")) };
        if self.with_turn(ok, |server, turn, output| server.accept_auth(turn, drop, &reply, output)) {
            self.logged_in(mail);
        }
    }

    /// RFC 1939 §4: the lock is held from here on, until QUIT or an abort.
    fn logged_in(&mut self, mail: Vec<(u64, bool)>) {
        assert_eq!(self.server.phase(), Phase::Transaction);
        self.replies.expect(Expected::Line(Some(true)));
        self.mail = Some(mail);
        self.locked += 1;
    }

    /// The exchange fails, and the client may try again (RFC 5034 §4).
    fn refuse_auth(&mut self, ok: bool) {
        let reply = if ok { Reply::ok(text("no")) } else { Reply::err(text("no")) };
        if self.with_turn(!ok, |server, turn, output| server.refuse_auth(turn, &reply, output)) {
            self.replies.expect(Expected::Line(Some(false)));
        }
    }

    /// One more round. What is in it may help to guess a password, and is not shown.
    fn challenge(&mut self, octets: &[u8]) {
        let before = self.output.len();
        if self.with_turn(true, |server, turn, output| server.challenge(turn, octets, output)) {
            assert_eq!(public(&self.output, before), b"+ \r\n", "a challenge is shown");
            self.replies.expect(Expected::Challenge);
        }
    }

    /// RETR and TOP alone are answered by a message (RFC 1939 §5 and §7).
    fn answer_body(&mut self) {
        let good = |what| matches!(what, For::Message(_));
        let granted = self
            .with_answer(good, |server, answer, output| server.answer_body(answer, text("follows"), output));
        if let Some((grant, For::Message(lines))) = granted {
            self.replies.expect(Expected::Message(None));
            self.token = Some(Token::Body(grant, Vec::new(), lines));
        }
    }

    /// `$` stands for a line end, so that a mutation finds one.
    fn body(&mut self, argument: &[u8]) {
        let octets: Vec<u8> = argument
            .iter()
            .flat_map(|octet| if *octet == b'$' { b"\r\n".to_vec() } else { vec![*octet] })
            .collect();
        let mut piece = Bytes::from(octets.clone());
        let (before, takes) = (self.state(), self.takes());
        let Some(Token::Body(grant, sent, _)) = &mut self.token else { return };
        let wanted = grant.wants_more();
        match self.server.body(grant, &mut piece, &mut self.output) {
            Ok(()) => {
                assert!(takes, "a piece behind the end");
                if wanted {
                    sent.extend_from_slice(&octets[..octets.len() - piece.len()]);
                }
            }
            Err(why) => {
                let bad = matches!(why, Misuse::Invalid(_)) && self.eol == BodyEol::Reject;
                assert!(!takes || bad, "{why}");
                assert_eq!(octets, piece, "nothing is taken");
                assert_eq!(before, self.state(), "a misuse changes nothing");
            }
        }
    }

    /// The end of a message. What the client then has is what was taken here, cut by the naive reading of TOP, stuffed, and no octet besides.
    fn end_body(&mut self) {
        let (before, takes) = (self.state(), self.takes());
        let (grant, sent, lines) = match self.token.take() {
            Some(Token::Body(grant, sent, lines)) => (grant, sent, lines),
            other => return self.token = other,
        };
        match self.server.end_body(grant, &mut self.output) {
            Ok(()) => {
                assert!(takes, "an end behind the end");
                let known = self.eol == BodyEol::Reject;
                let whole = lines.map_or_else(|| sent.clone(), |lines| top(&sent, lines));
                self.replies.ended(known.then_some(whole));
            }
            Err(returned) => {
                let bad = matches!(returned.why, Misuse::Invalid(_)) && self.eol == BodyEol::Reject;
                assert!(!takes || bad, "{}", returned.why);
                assert_eq!(before, self.state(), "a misuse changes nothing");
                self.token = Some(Token::Body(returned.token, sent, lines));
            }
        }
    }

    /// A message that is given up must not look whole: from here on nothing ends it.
    fn break_off(&mut self) {
        let (before, takes) = (self.state(), self.takes());
        let (grant, sent, lines) = match self.token.take() {
            Some(Token::Body(grant, sent, lines)) => (grant, sent, lines),
            other => return self.token = other,
        };
        match self.server.break_off(grant) {
            Ok(()) => {
                assert!(takes);
                self.closed = true;
            }
            Err(returned) => {
                assert!(!takes, "{}", returned.why);
                assert_eq!(before, self.state(), "a misuse changes nothing");
                self.token = Some(Token::Body(returned.token, sent, lines));
            }
        }
    }

    /// The session goes on without TLS.
    fn refuse_tls(&mut self) {
        let (before, takes) = (self.state(), self.takes());
        let offer = match self.token.take() {
            Some(Token::Offer(offer)) => offer,
            other => return self.token = other,
        };
        match self.server.refuse_tls(offer, &mut self.output) {
            Ok(()) => {
                assert!(takes);
                self.replies.expect(Expected::Line(Some(false)));
            }
            Err(returned) => {
                assert!(!takes, "{}", returned.why);
                assert_eq!(before, self.state(), "a misuse changes nothing");
                self.token = Some(Token::Offer(returned.token));
            }
        }
    }

    /// The go-ahead and the hand-over, or a refusal where plaintext stands behind STLS (RFC 2595 §4). Who the client said it was is forgotten.
    fn hand_over(&mut self) {
        let offer = match self.token.take() {
            Some(Token::Offer(offer)) => offer,
            other => return self.token = other,
        };
        let (held, takes) = (self.input.len(), self.takes());
        let server = std::mem::replace(&mut self.server, Server::new(Config::default()));
        let handed = server.start_tls(offer, std::mem::take(&mut self.input), &mut self.output);
        assert_eq!(handed.is_ok(), held == 0 && takes, "{held} octets of plaintext at the hand-over");
        if takes {
            self.replies.expect(Expected::Line(Some(held == 0)));
        }
        match handed {
            Ok(handover) => {
                self.server = handover.secured();
                assert!(self.server.is_secure() && self.server.user().is_none());
                assert_eq!(self.server.stamp(), None, "a stamp of before TLS");
            }
            Err(_) => {
                self.gone = true;
                self.sent(usize::MAX);
                self.replies.balanced();
            }
        }
        if !self.gone {
            self.turn();
        }
    }
}
