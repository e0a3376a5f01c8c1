//! What the machine tells, and how the session goes on and ends.

use super::{For, LETTER, Serving, Token, text};
use crate::pop3_operations::replies::Expected;
use crate::pop3_operations::{stays, written};
use crate::reads::{WHOLE, reads};
use bytes::{Buf, Bytes};
use mail_pop3_proto::server::{Event, Maildrop, Phase, Server};
use mail_pop3_proto::types::{MessageNumber, UniqueId};
use mail_pop3_proto::{Command, Reply, Violation};
use mail_wire::{Closing, End, Framed, Input, Machine, Pause};

/// A maildrop with a message for each octet, at most eight: some of them very large.
pub(super) fn maildrop(sizes: &[u8]) -> (Maildrop, Vec<(u64, bool)>) {
    let (mut drop, mut mail) = (Maildrop::new(), Vec::new());
    for size in sizes.iter().take(8) {
        let size = u64::from(*size).pow(8);
        let id = id(mail.len() + 1);
        drop.push(size, UniqueId::try_from(id.as_str()).expect("an id")).expect("a few fit");
        mail.push((size, false));
    }
    (drop, mail)
}

/// Of the message with this number.
fn id(number: usize) -> String {
    format!("id-{number}")
}

impl Serving {
    /// No more octets come. What has come is answered all the same.
    pub(super) fn end(&mut self, end: End) {
        self.ended = true;
        self.server.eof(end);
    }

    /// The driver ends the session: by the autologout timer, or to shut down.
    pub(super) fn close(&mut self, why: Closing) {
        let before = self.output.len();
        self.server.close(why, &mut self.output);
        assert_eq!(self.output.len(), before, "neither has a reply (RFC 1939 §3)");
        // After a shutdown the command in flight is answered.
        self.closed |= why == Closing::Expired;
        self.ended = true;
    }

    /// So many octets are sent.
    pub(super) fn sent(&mut self, octets: usize) {
        let octets = self.output.copy_to_bytes(octets.min(self.output.remaining()));
        self.replies.hear(&octets);
    }

    /// A unit of another input, or of an earlier look: refused, and nothing is lost.
    pub(super) fn stale(&mut self, which: usize) {
        if self.over.is_some() {
            return;
        }
        let mut other = Input::new();
        other.feed(b"QUIT\r\n");
        let mut stale = other.take(6);
        if which % 2 == 1 {
            match self.frame() {
                Ok(Framed::Ready(unit)) => stale = unit,
                _ => return,
            }
            // Framed again, and by that the first look is stale.
            let again = self.server.frame(&mut self.input, &mut self.output);
            assert!(matches!(again, Ok(Framed::Ready(_))), "a unit is lost: {again:?}");
        }
        let decoded = self.server.decode(stale, &mut self.input);
        assert!(matches!(decoded, Err(Violation::Stale(_))), "{decoded:?}");
    }

    /// A token of another machine: refused, and good where it belongs.
    pub(super) fn foreign(&mut self, which: usize) {
        let lines: &[&[u8]] = match which % 4 {
            0 => &[b"USER u\r\n", b"PASS x\r\n"],
            1 => &[b"AUTH PLAIN\r\n"],
            2 => &[b"STLS\r\n"],
            _ => &[b"USER u\r\n", b"PASS x\r\n", b"RETR 1\r\n"],
        };
        let mut other = Self::new(0, WHOLE);
        lines.iter().for_each(|line| other.hear(line));
        if which % 4 == 3 {
            other.answer_body();
        }
        let before = self.state();
        let (server, output) = (&mut self.server, &mut self.output);
        let (yes, no) = (Reply::ok(text("in")), Reply::err(text("no")));
        let returned = match other.token.take().expect("something is owed") {
            Token::Answer(answer, what) => {
                let returned = match which / 4 % 4 {
                    0 => server.answer(answer, &no, output).err(),
                    1 => server.refuse(answer, output).err(),
                    2 => server.answer_body(answer, text("in"), output).err(),
                    _ => server.accept(answer, Maildrop::new(), &yes, output).err(),
                };
                returned.map(|returned| Token::Answer(returned.token, what))
            }
            Token::Turn(turn) => {
                let returned = match which / 4 % 3 {
                    0 => server.challenge(turn, b"x", output).err(),
                    1 => server.refuse_auth(turn, &no, output).err(),
                    _ => server.accept_auth(turn, Maildrop::new(), &yes, output).err(),
                };
                returned.map(|returned| Token::Turn(returned.token))
            }
            Token::Offer(offer) if which / 4 % 4 == 3 => {
                let server = std::mem::replace(server, Server::new(Default::default()));
                let handed = server.start_tls(offer, Input::new(), output);
                assert!(handed.is_err() && self.output.len() == before.0, "an offer of another machine");
                self.gone = true;
                return;
            }
            Token::Offer(offer) => {
                server.refuse_tls(offer, output).err().map(|returned| Token::Offer(returned.token))
            }
            Token::Body(mut grant, sent, lines) => {
                let mut piece = Bytes::from_static(b"x");
                assert!(server.body(&mut grant, &mut piece, output).is_err() && piece == "x");
                let returned = if (which / 4).is_multiple_of(2) {
                    server.end_body(grant, output).err()
                } else {
                    server.break_off(grant).err()
                };
                returned.map(|returned| Token::Body(returned.token, sent, lines))
            }
        };
        assert_eq!(before, self.state(), "a misuse changes nothing");
        other.token = Some(returned.expect("a token of another machine"));
        other.finish();
    }

    /// Octets of the client, in reads. A read that finds no room is held up by what is owed or not yet sent, and by nothing else: one command
    /// is in flight, and the rest waits (RFC 2449 §6.6).
    pub(super) fn hear(&mut self, octets: &[u8]) {
        // Each octet may be a read, and its answer a turn of its own.
        self.left += 64 + 8 * octets.len();
        let read = [&[self.how], octets].concat();
        for mut read in reads(&read) {
            while !read.is_empty() && self.over.is_none() && !self.ended && !self.gone {
                self.turn();
                if !self.manual {
                    self.pay();
                }
                let taken = self.input.feed(read);
                if taken == 0 {
                    let waits = self.token.is_some() || self.idle || self.output.is_full();
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

    /// Pays what is owed, as an application that lets everybody in.
    pub(super) fn pay(&mut self) {
        // A message that is refused is broken off; there is nothing that takes three steps.
        for _ in 0..4 {
            match &self.token {
                None => return,
                Some(Token::Answer(_, For::LogIn)) => self.accept(&[1, 2, 3], true),
                Some(Token::Answer(_, For::Message(_))) => self.answer_body(),
                Some(Token::Answer(..)) => self.answer(true, 0),
                Some(Token::Turn(_)) => self.accept_auth(&[3, 2], true),
                Some(Token::Offer(_)) => self.refuse_tls(),
                Some(Token::Body(_, sent, _)) => {
                    if sent.is_empty() {
                        self.body(LETTER);
                    }
                    self.end_body();
                    if self.token.is_some() {
                        self.break_off();
                    }
                }
            }
            self.turn();
        }
    }

    /// Frames until more input is needed, or an answer.
    pub(super) fn turn(&mut self) {
        while !self.idle && self.over.is_none() {
            self.left = self.left.checked_sub(1).expect("no progress");
            if !self.manual {
                self.sent(usize::MAX);
            }
            let framed = self.frame();
            let line = self.input.peek().to_vec();
            match framed {
                Ok(Framed::NeedInput) => {
                    assert!(!self.ended, "it waits for input after the end");
                    assert!(self.token.is_none(), "it reads on, and its answer is owed");
                    if !self.manual {
                        self.sent(usize::MAX);
                        self.replies.balanced();
                    }
                    return;
                }
                Ok(Framed::Paused(Pause::OutputFull)) => {
                    assert!(!self.output.is_empty(), "the output is said to be full");
                    if self.manual {
                        return;
                    }
                }
                Ok(Framed::Paused(Pause::AnswerOwed)) => {
                    return assert!(self.token.is_some(), "nothing is owed");
                }
                Ok(Framed::Paused(Pause::Upgrade)) => {
                    return assert!(matches!(self.token, Some(Token::Offer(_))));
                }
                Ok(Framed::Closed) => self.over = Some(Ok(())),
                Ok(Framed::Ready(unit)) => {
                    // What is told borrows the input; what is looked at beside it is the machine.
                    let mut input = std::mem::take(&mut self.input);
                    match self.server.decode(unit, &mut input) {
                        Ok(event) => self.on(event, &line),
                        Err(violation) => self.over = Some(Err(violation)),
                    }
                    self.input = input;
                }
                Err(_) => {}
            }
        }
    }

    /// Frames once. A fault ends the session, at once or behind an abort, and of a CR or LF alone the client is told (RFC 1939 §3).
    fn frame(&mut self) -> Result<Framed, Violation> {
        let before = self.output.len();
        let framed = self.server.frame(&mut self.input, &mut self.output);
        let ends = match &framed {
            Ok(Framed::Ready(_)) => self.input.peek().is_empty(),
            Ok(_) => false,
            Err(violation) => {
                self.over = Some(Err(*violation));
                matches!(violation, Violation::Line(_))
            }
        };
        if ends && written(&self.output, before).ends_with(b"-ERR CR or LF alone\r\n") {
            self.replies.expect(Expected::Line(Some(false)));
        }
        framed
    }

    /// What the machine has just told; `line`: the octets that it read.
    fn on(&mut self, event: Event<'_>, line: &[u8]) {
        assert!(self.token.is_none() || matches!(event, Event::Abort(_)), "{event:?}, and an answer is owed");
        let early = self.server.phase() == Phase::Authorization;
        assert_eq!(self.mail.is_none(), early || self.commits + self.aborts > 0, "{event:?}");
        match event {
            Event::Connected(answer) => self.token = Some(Token::Answer(answer, For::Greeting)),
            Event::Command(command, answer) => {
                let what = match command {
                    Command::User(_) => For::Command,
                    Command::Lang(Some(_)) => For::Command,
                    Command::Pass(_) | Command::Apop { .. } => For::LogIn,
                    Command::Retr(number) => self.message(number, None),
                    Command::Top { message, lines } => self.message(message, Some(lines)),
                    command => panic!("{command:?} is no command for an application"),
                };
                assert!(early || matches!(command, Command::Lang(_)) || matches!(what, For::Message(_)));
                self.token = Some(Token::Answer(answer, what));
            }
            Event::Malformed(malformed, answer) => {
                assert!(malformed.at <= malformed.raw.len());
                self.token = Some(Token::Answer(answer, For::Malformed));
            }
            Event::Answered(command) => self.answered(command, early),
            Event::Refused(_) | Event::AuthCancelled(_) => self.replies.expect(Expected::Line(Some(false))),
            Event::StartTls(offer) => {
                assert!(early && !self.server.is_secure());
                self.token = Some(Token::Offer(offer));
            }
            Event::Auth { turn, .. } | Event::AuthResponse(_, turn) => {
                assert!(early);
                self.token = Some(Token::Turn(turn));
            }
            Event::Commit(deletions, answer) => {
                let text = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
                assert!(text.is_some_and(|text| text.eq_ignore_ascii_case(b"QUIT")), "a commit without QUIT");
                let mail = self.mail.take().expect("a commit without a maildrop");
                let marked = (1_usize..).zip(&mail).filter(|(_, mail)| mail.1).map(|(number, _)| number);
                let told = deletions.numbers().map(|number| number.get() as usize);
                assert!(told.eq(marked), "other messages than those that are marked");
                self.commits += 1;
                self.token = Some(Token::Answer(answer, For::Commit));
            }
            Event::Abort(_) => {
                assert!(self.mail.take().is_some(), "an abort without a maildrop");
                self.aborts += 1;
                self.closed = true;
            }
            event => panic!("{event:?} is not known here"),
        }
    }

    /// A message that is there.
    fn message(&self, number: MessageNumber, lines: Option<u32>) -> For {
        let size = self.size(number);
        assert!(size.is_some(), "{number} is not there");
        assert_eq!(self.server.maildrop().and_then(|drop| drop.size(number)), size);
        For::Message(lines)
    }

    /// The octets of a message that is there and not marked.
    fn size(&self, number: MessageNumber) -> Option<u64> {
        let mail = self.mail.as_ref()?.get(number.get() as usize - 1)?;
        (!mail.1).then_some(mail.0)
    }

    /// What the machine answers by itself, and what it must say.
    fn answered(&mut self, command: Command<'_>, early: bool) {
        let mail = self.mail.clone().unwrap_or_default();
        let live =
            || (1_usize..).zip(&mail).filter(|(_, mail)| !mail.1).map(|(number, mail)| (number, mail.0));
        let transaction = match command {
            Command::Capa | Command::AuthList | Command::Lang(None) => {
                self.replies.expect(Expected::Lines);
                !early
            }
            Command::Utf8 | Command::Quit => {
                self.replies.expect(Expected::Line(Some(true)));
                assert!(early);
                false
            }
            Command::Noop => {
                self.replies.expect(Expected::Line(Some(true)));
                true
            }
            Command::Rset => {
                self.mail.iter_mut().flatten().for_each(|mail| mail.1 = false);
                self.replies.expect(Expected::Line(Some(true)));
                true
            }
            Command::Dele(number) => {
                assert!(self.size(number).is_some(), "{number} is marked twice");
                self.mail.iter_mut().flatten().nth(number.get() as usize - 1).expect("it is there").1 = true;
                self.replies.expect(Expected::Line(Some(true)));
                true
            }
            Command::Stat => {
                let octets = live().fold(0_u64, |sum, (_, size)| sum.saturating_add(size));
                let said = format!("+OK {} {octets}\r\n", live().count());
                self.replies.expect(Expected::Octets(said.into_bytes()));
                true
            }
            Command::List(Some(number)) => {
                let size = self.size(number).expect("it is there");
                self.replies.expect(Expected::Octets(format!("+OK {number} {size}\r\n").into_bytes()));
                true
            }
            Command::Uidl(Some(number)) => {
                let id = id(number.get() as usize);
                assert!(self.size(number).is_some());
                self.replies.expect(Expected::Octets(format!("+OK {number} {id}\r\n").into_bytes()));
                true
            }
            Command::List(None) => {
                let lines: String = live().map(|(number, size)| format!("{number} {size}\r\n")).collect();
                self.replies.expect(Expected::Octets(format!("+OK\r\n{lines}.\r\n").into_bytes()));
                true
            }
            Command::Uidl(None) => {
                let lines: String =
                    live().map(|(number, _)| format!("{number} {}\r\n", id(number))).collect();
                self.replies.expect(Expected::Octets(format!("+OK\r\n{lines}.\r\n").into_bytes()));
                true
            }
            command => panic!("{command:?} is not the machine's to answer"),
        };
        assert_eq!(transaction, !early, "{command:?} in the other state");
    }

    /// The octets end. Whatever is owed is paid, and then the end is told, and stays.
    pub(super) fn finish(mut self) {
        if self.gone {
            return;
        }
        self.idle = false;
        self.end(End::Fin);
        self.left += 64 * self.input.len();
        // What is held are commands of four octets and more; a listing and a message may each take several rounds.
        for _ in 0..64 + self.input.len() {
            if self.over.is_some() {
                break;
            }
            self.sent(usize::MAX);
            self.turn();
            self.pay();
        }
        let over = self.over.expect("it waits for input after the end");
        self.sent(usize::MAX);
        assert_eq!(self.commits + self.aborts, self.locked, "a lock that is not given back, or twice");
        for _ in 0..2 {
            self.pay();
            self.close(Closing::Shutdown);
            self.close(Closing::Expired);
            stays(over, &mut self.server, &mut self.input, &mut self.output);
        }
    }
}
