//! An application for tests: it says yes to everything, and writes down what it is told.

use crate::command::Command;
use crate::server::*;
use crate::types::{AString, Condition, FetchAtt, Flag, Flags, Mailbox, ResponseText, Status};
use bytes::{Buf as _, Bytes};
use core::fmt::Write as _;
use mail_wire::{End, Framed, Input, Machine as _, Output, Pause};

pub(super) const MESSAGE: &[u8] = b"Subject: x\r\n\r\nbody\r\n";

pub(super) struct Desk {
    pub(super) server: Option<Server>,
    pub(super) input: Input,
    pub(super) output: Output,
    /// What was told, a line each; neighbouring chunks are one.
    pub(super) log: String,
    pub(super) sent: Vec<u8>,
    pub(super) refuse_appends: bool,
    /// UNAUTHENTICATE is one of the commands that it knows.
    pub(super) unauthenticates: bool,
    pub(super) idle: Option<IdleTurn>,
    pub(super) chunk: bool,
}

pub(super) fn status(condition: Condition, text: &str) -> Status<'_> {
    Status::new(condition, ResponseText::new(text.as_bytes()).unwrap())
}

pub(super) fn ok() -> Status<'static> {
    status(Condition::Ok, "done")
}

impl Desk {
    pub(super) fn new(config: Config) -> Self {
        let mut desk = Self {
            server: Some(Server::new(config)),
            input: Input::new(),
            output: Output::new(),
            log: String::new(),
            sent: Vec::new(),
            refuse_appends: false,
            unauthenticates: false,
            idle: None,
            chunk: false,
        };
        desk.run();
        desk
    }

    /// A desk whose link is TLS from the first octet.
    pub(super) fn secure(config: Config) -> Self {
        let mut desk = Self::new(config.clone());
        desk.server = Some(mail_wire::Handover::implicit(Server::new(config)).secured());
        desk.log.clear();
        desk.sent.clear();
        desk.output = Output::new();
        desk.run();
        desk
    }

    /// A desk of a client that is logged in, and has a mailbox selected.
    pub(super) fn selected(config: Config) -> Self {
        let mut desk = Self::secure(config);
        desk.say(b"l LOGIN u p\r\ns SELECT INBOX\r\n");
        desk.log.clear();
        desk.sent.clear();
        desk
    }

    pub(super) fn server(&mut self) -> &mut Server {
        self.server.as_mut().unwrap()
    }

    /// Feeds octets as they come.
    pub(super) fn say(&mut self, octets: &[u8]) {
        let mut rest = octets;
        for _ in 0..100_000 {
            let n = self.input.feed(rest);
            rest = &rest[n..];
            self.run();
            if rest.is_empty() || self.is_over() {
                return;
            }
        }
        panic!("no end");
    }

    pub(super) fn is_over(&mut self) -> bool {
        self.log.ends_with("closed\n") || self.log.contains("violation")
    }

    pub(super) fn end(&mut self, end: End) {
        self.server().eof(end);
        self.run();
    }

    pub(super) fn shut(&mut self, why: mail_wire::Closing) {
        self.server.as_mut().unwrap().close(why, &mut self.output);
        self.run();
    }

    pub(super) fn run(&mut self) {
        if self.is_over() {
            return;
        }
        for _ in 0..1_000_000 {
            let framed = match &mut self.server {
                Some(server) => server.frame(&mut self.input, &mut self.output),
                None => return,
            };
            self.flush();
            match framed {
                Ok(Framed::Ready(unit)) => self.turn(unit),
                Ok(Framed::NeedInput) => return,
                Ok(Framed::Paused(Pause::OutputFull)) => {}
                Ok(Framed::Paused(pause)) => return self.tell(&format!("paused {pause:?}")),
                Ok(Framed::Closed) => return self.tell("closed"),
                Err(violation) => {
                    let again = self.server().frame(&mut Input::new(), &mut Output::new());
                    assert_eq!(again.unwrap_err(), violation);
                    return self.tell(&format!("violation {violation}"));
                }
            }
        }
        panic!("no end");
    }

    fn flush(&mut self) {
        self.sent.extend_from_slice(&self.output.copy_to_bytes(self.output.remaining()));
    }

    fn tell(&mut self, line: &str) {
        self.chunk = false;
        writeln!(self.log, "{line}").unwrap();
    }

    fn turn(&mut self, unit: mail_wire::Unit) {
        let server = self.server.as_mut().unwrap();
        let event = server.decode(unit, &mut self.input).unwrap();
        let was_chunk = core::mem::take(&mut self.chunk);
        let output = &mut self.output;
        match event {
            Event::Connected(answer) => {
                server.answer(answer, &status(Condition::Ok, "ready"), output).unwrap()
            }
            Event::Command(command, answer) => {
                writeln!(self.log, "{command:?}").unwrap();
                if self.unauthenticates && command.name() == "UNAUTHENTICATE" {
                    return server.answer(answer, &ok(), output).unwrap();
                }
                command_turn(server, command, answer, output, &mut self.idle);
            }
            Event::Append(append, offer) => {
                writeln!(self.log, "{append:?}").unwrap();
                if self.refuse_appends {
                    server.refuse_body(offer, &status(Condition::No, "not this"), output).unwrap();
                } else {
                    server.accept_body(offer, output).unwrap();
                }
            }
            Event::Chunk(octets) => {
                if was_chunk {
                    self.log.pop();
                }
                writeln!(self.log, "{}{}", if was_chunk { "" } else { "chunk " }, octets.escape_ascii())
                    .unwrap();
                self.chunk = true;
            }
            Event::BodyEnd(answer) => {
                self.log.push_str("body end\n");
                server.answer(answer, &ok(), output).unwrap();
            }
            Event::IdleDone(answer) => {
                self.log.push_str("idle done\n");
                let turn = self.idle.take().unwrap();
                assert!(server.untagged(&turn, output).is_err());
                server.answer(answer, &ok(), output).unwrap();
            }
            Event::Malformed(malformed, answer) => {
                writeln!(
                    self.log,
                    "malformed: {} at {} of {}",
                    malformed.rule,
                    malformed.at,
                    malformed.raw.escape_ascii()
                )
                .unwrap();
                server.refuse(answer, output).unwrap();
            }
            Event::Auth { mechanism, initial, turn } => {
                let initial = initial.map(|octets| octets.expose().escape_ascii().to_string());
                writeln!(self.log, "auth {mechanism} {initial:?}").unwrap();
                match initial {
                    Some(_) => server.accept_auth(turn, &ok(), output).unwrap(),
                    None => server.challenge(turn, b"who?", output).unwrap(),
                }
            }
            Event::AuthResponse(response, turn) => {
                writeln!(self.log, "response {}", response.expose().escape_ascii()).unwrap();
                match *response.expose() {
                    b"wrong" => server.refuse_auth(turn, &status(Condition::No, "wrong"), output).unwrap(),
                    b"more" => server.challenge(turn, b"and?", output).unwrap(),
                    _ => server.accept_auth(turn, &ok(), output).unwrap(),
                }
            }
            Event::StartTls(offer) => {
                self.log.push_str("start tls\n");
                self.upgrade(offer);
            }
            other => writeln!(self.log, "{other:?}").unwrap(),
        }
    }

    fn upgrade(&mut self, offer: TlsOffer) {
        let input = core::mem::take(&mut self.input);
        match self.server.take().unwrap().start_tls(offer, input, &mut self.output) {
            Ok(handover) => self.server = Some(handover.secured()),
            Err(error) => self.log.push_str(&format!("violation {error}\n")),
        }
        self.flush();
    }
}

fn command_turn(
    server: &mut Server,
    command: Command<'_>,
    answer: Answer,
    output: &mut Output,
    idle: &mut Option<IdleTurn>,
) {
    let mut writer = server.untagged(&answer, output).unwrap();
    match command {
        Command::Select { .. } | Command::Examine { .. } => {
            writer.flags(Flags::of(&[Flag::Seen, Flag::Deleted])).exists(1);
        }
        Command::Noop => {
            writer.exists(2);
        }
        Command::List(_) => {
            writer.list(Flags::NONE, Some(b'/'), Mailbox::INBOX);
        }
        Command::Search { options, .. } if options.is_present() => {
            writer.esearch(false, SearchResult { count: Some(3), ..SearchResult::default() });
        }
        Command::Search { uid, .. } => {
            writer.search(if uid { vec![7, 9] } else { vec![1] });
        }
        Command::Namespace => {
            let own = NamespaceEntry { prefix: AString::new(b"").unwrap(), delimiter: Some(b'/') };
            writer.namespace(&[own], &[], &[]);
        }
        Command::Expunge { .. } => {
            writer.expunge(1).unwrap();
        }
        Command::Fetch { atts, .. } => return fetch(server, atts, answer, output),
        Command::Idle => {
            let turn = server.idle(answer, output).unwrap();
            server.untagged(&turn, output).unwrap().exists(3);
            *idle = Some(turn);
            return;
        }
        Command::Other { .. } => return server.refuse(answer, output).unwrap(),
        _ => {}
    }
    server.answer(answer, &ok(), output).unwrap();
}

fn fetch(server: &mut Server, atts: crate::types::FetchAtts<'_>, answer: Answer, output: &mut Output) {
    let mut sections = atts.iter().filter(|att| matches!(att, FetchAtt::Section { .. }));
    let writer = server.untagged(&answer, output).unwrap();
    let mut writer = writer;
    let fetch = writer.fetch(1).uid(7).flags(Flags::of(&[Flag::Seen]));
    match sections.next() {
        None => fetch.end(),
        Some(section) => {
            let mut grant = fetch.body(section, MESSAGE.len() as u64).unwrap();
            let mut message = Bytes::from_static(MESSAGE);
            server.body(&mut grant, &mut message, output).unwrap();
            assert_eq!(grant.left(), 0);
        }
    }
    server.answer(answer, &ok(), output).unwrap();
}
