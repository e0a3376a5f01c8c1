//! One command line: whose it is to answer.

use super::Server;
use super::answer::Owed;
use super::body::Wanted;
use super::event::{Answer, AuthTurn, Deletions, Event, Refusal, Refused, TlsOffer};
use super::settle::Due;
use super::table::{Phase, belongs};
use crate::command::{Command, Verb};
use crate::error::{Malformed, Rule};
use crate::types::{Mechanism, MessageNumber};
use mail_wire::{Class, Mask, Secret, Span, base64};

/// Keywords behind which a secret may stand, also where the line is malformed.
const SECRET: [&[u8]; 3] = [b"PASS", b"APOP", b"AUTH"];

impl Server {
    /// A complete line without its line end.
    ///
    /// In this order: a response of an exchange is nothing else; then what is paid for before a log-in; then whether the command belongs here
    /// (RFC 1939 §3); then what it says.
    pub(crate) fn line<'i>(&mut self, line: &'i mut [u8]) -> Event<'i> {
        if self.exchange {
            self.mask(0, line.len());
            return self.response(line);
        }
        let verb = Verb::of(line);
        self.mask_line(line, verb);
        // PASS follows USER directly or not at all (RFC 1939 §7): whatever else stands between is one line too many. A malformed PASS
        // is still the one that had to follow.
        if verb != Some(Verb::Pass) {
            self.user = None;
        }
        // Also good commands are bounded here: whoever never logs in holds a connection for nothing.
        if self.phase == Phase::Authorization && self.early.spend(1).is_err() {
            return self.refused(verb, Refusal::TooMany);
        }
        // Whether a command belongs here comes before what it says (RFC 1939 §3).
        if let Some(why) = verb.and_then(|verb| self.objection(verb)) {
            return self.refused(verb, why);
        }
        if verb == Some(Verb::Auth) {
            return self.auth(line);
        }
        match Command::parse(line) {
            Ok(command) => self.command(command),
            Err(malformed) => self.malformed(malformed),
        }
    }

    /// What speaks against a command before its argument is looked at.
    fn objection(&self, verb: Verb) -> Option<Refusal> {
        if !belongs(self.phase, verb) {
            return Some(Refusal::State);
        }
        let offered = |name| self.offer.capabilities.has(name);
        match verb {
            Verb::Stls if self.secure || self.utf8 => Some(Refusal::State),
            Verb::Stls if !self.may_start_tls() => Some(Refusal::NotOffered),
            Verb::User | Verb::Pass if !offered("USER") => Some(Refusal::NotOffered),
            Verb::User | Verb::Pass if self.needs_tls(true) => Some(Refusal::TlsFirst),
            Verb::Pass if self.user.is_none() => Some(Refusal::UserFirst),
            Verb::Apop if !self.policy.apop.is_allowed() => Some(Refusal::NotOffered),
            Verb::Apop if self.needs_tls(false) => Some(Refusal::TlsFirst),
            // A greeting without a stamp offers no APOP, and what TLS has made void is none (RFC 1939 §7, RFC 2595 §4).
            Verb::Apop if self.stamp.is_none() => Some(Refusal::NotOffered),
            Verb::Auth if !offered("SASL") => Some(Refusal::NotOffered),
            Verb::Top | Verb::Uidl | Verb::Utf8 | Verb::Lang if !offered(verb.name()) => {
                Some(Refusal::NotOffered)
            }
            _ => None,
        }
    }

    /// The refusal is written at the next frame, so that the event may be looked at first.
    fn refused<'i>(&mut self, verb: Option<Verb>, why: Refusal) -> Event<'i> {
        self.due = Due::Refuse(why);
        Event::Refused(Refused { verb, why })
    }

    /// What does not parse is the application's to answer, as it may know commands that this crate does not.
    fn malformed<'i>(&mut self, malformed: Malformed<'i>) -> Event<'i> {
        self.owed = Owed::Malformed(malformed.rule);
        Event::Malformed(malformed, Answer(self.source.issue()))
    }

    /// A command that parses and belongs here. The application is asked where it alone can know: who somebody is, what a message says, which
    /// languages there are words for. All else the machine answers from the maildrop it was given.
    fn command<'i>(&mut self, command: Command<'i>) -> Event<'i> {
        match command {
            Command::User(name) => {
                if !self.is_good_text(name.octets()) {
                    return self.refused(Some(Verb::User), Refusal::NotUtf8);
                }
                self.user = Some(name.octets().into());
                self.ask(command, Owed::Command(Verb::User))
            }
            // A name or password that is not UTF-8 where it may be is refused before anybody compares it (RFC 6856 §2.2).
            Command::Pass(password) if !self.is_good_text(password.expose()) => {
                self.refused(Some(Verb::Pass), Refusal::NotUtf8)
            }
            Command::Apop { name, .. } if !self.is_good_text(name.octets()) => {
                self.refused(Some(Verb::Apop), Refusal::NotUtf8)
            }
            Command::Pass(_) | Command::Apop { .. } => self.ask(command, Owed::LogIn),
            // What stands behind it is not looked at any more: it is TLS, or it is an attack (RFC 2595 §4).
            Command::Stls => {
                self.owed = Owed::Upgrade;
                Event::StartTls(TlsOffer(self.source.issue()))
            }
            // From here on STLS is refused, and messages may go out as they are (RFC 6856 §2.1).
            Command::Utf8 => {
                self.utf8 = true;
                self.settled(command, Due::Ok("UTF-8"))
            }
            Command::Lang(Some(_)) => self.ask(command, Owed::Command(Verb::Lang)),
            // A capability without a language to list would be an empty promise (RFC 6856 §3.2).
            Command::Lang(None) if self.offer.languages.is_empty() => {
                self.refused(Some(Verb::Lang), Refusal::NotOffered)
            }
            Command::Lang(None) => self.settled(command, Due::Languages),
            // They are read apart, and never come here.
            Command::Auth { .. } | Command::AuthList => self.settled(command, Due::Mechanisms),
            // It is the one way to learn what is there, so it is never out of state (RFC 2449 §5).
            Command::Capa => self.settled(command, Due::Capabilities),
            Command::Quit => self.quit(command),
            Command::Noop => self.settled(command, Due::Ok("")),
            Command::Stat => self.settled(command, Due::Stat),
            Command::List(None) => self.settled(command, Due::Listing { ids: false, from: None }),
            Command::Uidl(None) => self.settled(command, Due::Listing { ids: true, from: None }),
            Command::List(Some(message)) => self.of_message(command, message, Due::Scan(message)),
            Command::Uidl(Some(message)) => self.of_message(command, message, Due::UniqueId(message)),
            // All marks go, also those of earlier commands (RFC 1939 §5).
            Command::Rset => {
                if let Some(maildrop) = &mut self.maildrop {
                    maildrop.reset();
                }
                self.settled(command, Due::Ok(""))
            }
            // It is only marked: what is removed is told at QUIT, all at once (RFC 1939 §6).
            Command::Dele(message) => {
                if self.maildrop.as_mut().is_some_and(|maildrop| maildrop.delete(message)) {
                    self.settled(command, Due::Ok("deleted"))
                } else {
                    self.refused(Some(Verb::Dele), Refusal::NoSuchMessage)
                }
            }
            Command::Retr(message) => self.ask_message(command, Wanted { message, lines: None }),
            Command::Top { message, lines } => {
                self.ask_message(command, Wanted { message, lines: Some(lines) })
            }
            Command::Other(other) => {
                self.malformed(Malformed { raw: other.line(), at: 0, rule: Rule::Keyword })
            }
        }
    }

    /// Owes the application's answer: no further command is framed until it is there (RFC 2449 §6.6: answers keep the order).
    fn ask<'i>(&mut self, command: Command<'i>, owed: Owed) -> Event<'i> {
        self.owed = owed;
        Event::Command(command, Answer(self.source.issue()))
    }

    /// Owes an answer that the machine writes at the next frame.
    fn settled<'i>(&mut self, command: Command<'i>, due: Due) -> Event<'i> {
        self.due = due;
        Event::Answered(command)
    }

    /// A message that is marked is as good as gone until RSET (RFC 1939 §5, DELE).
    fn has(&self, message: MessageNumber) -> bool {
        self.maildrop().is_some_and(|maildrop| maildrop.size(message).is_some())
    }

    /// LIST n and UIDL n: answered, or refused where there is no such message.
    fn of_message<'i>(&mut self, command: Command<'i>, message: MessageNumber, due: Due) -> Event<'i> {
        if self.has(message) {
            self.settled(command, due)
        } else {
            self.refused(command.verb(), Refusal::NoSuchMessage)
        }
    }

    /// RETR and TOP: the machine sees to it that the message is there, the application gives its octets.
    fn ask_message<'i>(&mut self, command: Command<'i>, wanted: Wanted) -> Event<'i> {
        if self.has(wanted.message) {
            self.ask(command, Owed::Message(wanted))
        } else {
            self.refused(command.verb(), Refusal::NoSuchMessage)
        }
    }

    /// QUIT enters UPDATE from TRANSACTION alone (RFC 1939 §6).
    fn quit<'i>(&mut self, command: Command<'i>) -> Event<'i> {
        match self.maildrop.take() {
            Some(maildrop) => {
                self.phase = Phase::Update;
                self.owed = Owed::Commit;
                Event::Commit(Deletions(maildrop), Answer(self.source.issue()))
            }
            None => self.settled(command, Due::Quit),
        }
    }

    /// AUTH: refused before the application hears of it where the mechanism is not offered, would show a password in the clear, or comes with
    /// an initial response that is not base64 (RFC 5034 §4).
    /// AUTH (RFC 5034 §4). The initial response is decoded where it stands, so that who is not known yet makes us hold nothing but the line.
    fn auth<'i>(&mut self, line: &'i mut [u8]) -> Event<'i> {
        let (name, initial) = match Command::parse(line) {
            Ok(Command::Auth { mechanism, initial }) => {
                // A mechanism that is not offered is told so, whatever comes with it.
                if !self.offer.capabilities.mechanisms().contains(mechanism) {
                    return self.refused(Some(Verb::Auth), Refusal::NotOffered);
                }
                if self.needs_tls(mechanism.is_plaintext()) {
                    return self.refused(Some(Verb::Auth), Refusal::TlsFirst);
                }
                let name = Span::locate(mechanism.name().as_bytes(), line);
                (name, initial.map(|initial| Span::locate(initial.parts().1, line)))
            }
            Ok(_) => return self.settled(Command::AuthList, Due::Mechanisms),
            Err(Malformed { at, rule, .. }) => return self.malformed(Malformed { raw: line, at, rule }),
        };
        // `=` is an empty response, and none at all asks for an empty challenge: the two are kept apart (RFC 5034 §4).
        let (before, initial): (&'i [u8], _) = match initial {
            None => (line, None),
            Some(span) => match base64::decode_part(line, span) {
                Ok((before, octets)) => (before, Some(Secret::new(octets))),
                Err(_) => return self.refused(Some(Verb::Auth), Refusal::NotBase64),
            },
        };
        let Ok(mechanism) = Mechanism::try_from(name.of(before)) else {
            return self.refused(Some(Verb::Auth), Refusal::NotOffered);
        };
        self.owed = Owed::Turn;
        Event::Auth { mechanism, initial, turn: AuthTurn(self.source.issue()) }
    }

    /// A line of an exchange (RFC 5034 §4).
    fn response<'i>(&mut self, line: &'i mut [u8]) -> Event<'i> {
        self.exchange = false;
        let why = if *line == *b"*" {
            Refusal::Cancelled
        } else if let Ok(response) = base64::decode_in_place(line) {
            self.owed = Owed::Turn;
            return Event::AuthResponse(Secret::new(response), AuthTurn(self.source.issue()));
        } else {
            Refusal::NotBase64
        };
        self.due = Due::Refuse(why);
        Event::AuthCancelled(why)
    }

    /// Where names and passwords may be UTF-8 they must be (RFC 6856 §2.2).
    fn is_good_text(&self, octets: &[u8]) -> bool {
        octets.is_ascii() || !self.offer.capabilities.utf8_user() || core::str::from_utf8(octets).is_ok()
    }

    /// Which octets of a line no tap may see. A line that is not understood is hidden whole before a log-in: what it is can not be known,
    /// and a secret is the worst that it can be.
    fn mask_line(&mut self, line: &[u8], verb: Option<Verb>) {
        match verb {
            // The name stands in the clear, the digest behind it does not.
            Some(Verb::Apop) => {
                let from = memchr::memrchr(b' ', line).map_or(4, |at| at.saturating_add(1));
                let from = if line.len().saturating_sub(from) == 32 { from } else { 4 };
                self.mask(from, line.len());
            }
            Some(verb) if verb.is_secret() => self.mask(4, line.len()),
            Some(_) => {}
            // A client that is out of step sends passwords and responses as commands.
            None if self.phase == Phase::Authorization => self.mask(0, line.len()),
            None => {
                let start = line.len().saturating_sub(line.trim_ascii_start().len());
                let word = line.get(start..start.saturating_add(4)).unwrap_or_default();
                if SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(word)) {
                    self.mask(start.saturating_add(4), line.len());
                }
            }
        }
    }

    /// Hides a stretch, unless it is empty.
    fn mask(&mut self, from: usize, to: usize) {
        if from < to {
            self.mask = Some(Mask { span: Span::new(from, to), class: Class::Secret });
        }
    }
}
