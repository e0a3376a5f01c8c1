//! The client machine, an application that tries everything, and the reference at the other end of the link.

use crate::reference::{Answer, Server};
use crate::{break_once, drained, split};
use mail_pop3_proto::client::{self, AuthTurn, Client, Ticket};
use mail_pop3_proto::{Allow, Command, Data, Item, Tls, Violation};
use mail_wire::{End, Framed, Input, Machine, Output, base64};
use std::collections::VecDeque;

/// What an application does, and what the link does.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Send(Vec<u8>),
    /// So many octets arrive.
    Deliver(usize),
    /// All that is on the way arrives, and a challenge is answered.
    Respond(bool),
    Cancel,
}

/// The machine, the reference behind it, and what is on the way.
pub(crate) struct Asking {
    client: Client,
    input: Input,
    output: Output,
    model: Server,
    /// Whether the caller has allowed a secret in the clear.
    allowed: bool,
    /// What the server has said, and how much of it has arrived.
    wire: Vec<u8>,
    arrived: usize,
    fault: Option<(usize, usize)>,
    /// Whether the fault has arrived: from there on the reference knows no more than what can never be.
    faulty: bool,
    /// Answers that are awaited, in order.
    awaited: VecDeque<(Ticket, Answer)>,
    auth: Option<Ticket>,
    turn: Option<AuthTurn>,
    /// Of the answer that is being read.
    head: Option<Vec<u8>>,
    sent: usize,
    ended: usize,
    pub(crate) over: Option<Result<(), Violation>>,
}

impl Asking {
    pub(crate) fn new(model: Server, allowed: bool, required: bool, fault: Option<(usize, usize)>) -> Self {
        let mut config = client::Config::default();
        config.policy.plaintext_auth = if allowed { Allow::Allow } else { Allow::Refuse };
        config.policy.tls = if required { Tls::Required } else { Tls::Opportunistic };
        Self {
            client: Client::new(config),
            input: Input::new(),
            output: Output::new(),
            model,
            allowed: allowed && !required,
            wire: b"+OK ready\r\n".to_vec(),
            arrived: 0,
            fault,
            faulty: false,
            awaited: VecDeque::new(),
            auth: None,
            turn: None,
            head: None,
            sent: 0,
            ended: 0,
            over: None,
        }
    }

    pub(crate) fn act(&mut self, op: Op) {
        match op {
            Op::Send(line) => {
                let Ok(command) = Command::parse(&line) else { return };
                let before = self.client.in_flight();
                match self.client.send(&command, &mut self.output) {
                    Ok(ticket) => {
                        self.sent += 1;
                        if let Command::Auth { .. } = command {
                            self.auth = Some(ticket);
                        }
                        self.carry(ticket);
                    }
                    Err(_) => assert_eq!((self.client.in_flight(), self.output.len()), (before, 0)),
                }
            }
            Op::Deliver(octets) => self.deliver(octets),
            Op::Respond(right) => {
                self.deliver(usize::MAX);
                if let (Some(turn), Some(ticket)) = (self.turn.take(), self.auth) {
                    let response: &[u8] = if right { b"\0u\0s3cret right" } else { b"\0u\0s3cret wrong" };
                    self.client.respond(turn, response, &mut self.output).unwrap();
                    self.carry(ticket);
                }
            }
            Op::Cancel => {
                if let (Some(turn), Some(ticket)) = (self.turn.take(), self.auth) {
                    self.client.cancel(turn, &mut self.output).unwrap();
                    self.carry(ticket);
                }
            }
        }
    }

    /// Carries what the client has written to the server, and its answers onto the wire.
    fn carry(&mut self, ticket: Ticket) {
        let octets = drained(&mut self.output);
        let (lines, bare) = split(&octets);
        assert!(!bare && octets.ends_with(b"\r\n"), "{octets:?}");
        for line in lines {
            if !self.client.is_secure() && !self.allowed {
                assert!(!tells(line), "a secret in the clear: {}", line.escape_ascii());
            }
            let answer = if self.model.over { Answer::default() } else { self.model.line(line) };
            self.wire.extend(answer.wire());
            self.awaited.push_back((ticket, answer));
        }
    }

    fn deliver(&mut self, octets: usize) {
        if let Some((at, kind)) = self.fault.filter(|(at, _)| *at < self.wire.len() && *at >= self.arrived) {
            if at - self.arrived < octets {
                break_once(&mut self.wire, (at, kind));
                (self.fault, self.faulty) = (None, true);
            }
        }
        let mut end = self.arrived.saturating_add(octets).min(self.wire.len());
        while self.arrived < end && self.over.is_none() && self.turn.is_none() {
            self.arrived += self.input.feed(&self.wire[self.arrived..end]);
            self.hear();
            end = end.min(self.wire.len());
        }
    }

    fn hear(&mut self) {
        for _ in 0..10_000 {
            let unit = match self.client.frame(&mut self.input, &mut self.output) {
                Ok(Framed::Ready(unit)) => unit,
                Ok(Framed::NeedInput | Framed::Paused(_)) => return self.released(),
                Ok(Framed::Closed) => return self.over = Some(Ok(())),
                Err(violation) => return self.over = Some(Err(violation)),
            };
            let Self { client, input, awaited, .. } = self;
            let grant = match client.decode(unit, input) {
                Ok(client::Event::StartTls(grant)) => grant,
                Ok(event) => {
                    let strict = !self.faulty;
                    let mut told = Told { awaited, head: &mut self.head, ended: &mut self.ended, strict };
                    self.turn = told.event(event).or(self.turn.take());
                    continue;
                }
                Err(violation) => return self.over = Some(Err(violation)),
            };
            let awaited = self.awaited.pop_front();
            self.ended += 1;
            assert!(
                self.faulty
                    || awaited.is_some_and(|(_, answer)| answer == Answer { ok: true, ..Answer::default() })
            );
            let fresh = Client::new(client::Config::default());
            let client = std::mem::replace(&mut self.client, fresh);
            match client.start_tls(grant, std::mem::take(&mut self.input), &mut self.output) {
                Ok(handover) => self.client = handover.secured(),
                Err(_) => {
                    assert!(self.faulty);
                    self.over = Some(Err(Violation::Unsolicited));
                    return;
                }
            }
        }
        panic!("it spins");
    }

    /// What the machine has written by itself: the rest of an AUTH, or that it is cancelled.
    fn released(&mut self) {
        if let (false, Some(ticket)) = (self.output.is_empty(), self.auth) {
            if !self.faulty {
                // The challenge that asked for it is no event.
                assert!(self.awaited.pop_front().is_some_and(|(_, answer)| answer.challenge));
            }
            self.carry(ticket);
        }
    }

    /// Lets all arrive that is on the way. An exchange that is still going on is cancelled.
    pub(crate) fn finish(mut self) {
        for _ in 0..1000 {
            self.act(Op::Cancel);
            if self.over.is_some() || self.arrived == self.wire.len() {
                break;
            }
            self.deliver(usize::MAX);
        }
        assert!(self.ended <= self.sent, "more answers than commands");
        if self.faulty {
            return;
        }
        assert!(self.output.is_empty());
        assert_eq!(self.over, self.model.over.then_some(Ok(())));
        assert!(self.awaited.is_empty() && self.client.in_flight() == 0 && self.ended == self.sent);
        assert!(self.client.is_authenticated() == (self.model.open || self.model.removed.is_some()));
        self.client.eof(End::Fin);
        assert!(matches!(self.client.frame(&mut self.input, &mut self.output), Ok(Framed::Closed)));
    }
}

/// Holds events against what is awaited.
pub(crate) struct Told<'a> {
    awaited: &'a mut VecDeque<(Ticket, Answer)>,
    head: &'a mut Option<Vec<u8>>,
    ended: &'a mut usize,
    strict: bool,
}

impl Told<'_> {
    fn next(&mut self, ticket: Ticket) -> Answer {
        let (due, answer) = self.awaited.pop_front().unwrap_or((ticket, Answer::default()));
        assert!(!self.strict || due == ticket, "answers come in the order of the commands");
        answer
    }

    fn event(&mut self, event: client::Event<'_>) -> Option<AuthTurn> {
        match event {
            client::Event::Greeting(..) => {}
            client::Event::Reply(ticket, line) => {
                let answer = self.next(ticket);
                *self.ended += 1;
                if self.strict {
                    assert!(!answer.challenge && (!answer.ok || answer.lines.is_none()));
                    let said = line.is_ok().then(|| String::from_utf8_lossy(line.text()).into_owned());
                    let said = said.filter(|text| !text.is_empty());
                    assert_eq!((line.is_ok(), said), (answer.ok, answer.says));
                    let unread = matches!(line.data(), Data::Malformed(_));
                    assert!(!unread);
                }
            }
            client::Event::Head(..) => assert_eq!(self.head.replace(Vec::new()), None),
            client::Event::Items(_, items) => {
                let lines = self.head.as_mut().expect("a head comes first");
                for item in items {
                    match item {
                        Ok(Item::Scan { message, octets }) => {
                            lines.extend(format!("{message} {octets}").bytes())
                        }
                        Ok(Item::UniqueId { message, id }) => {
                            lines.extend([format!("{message} ").as_bytes(), id.octets()].concat());
                        }
                        Ok(Item::Capability(capability)) => lines.extend(format!("{capability:?}").bytes()),
                        Ok(Item::Mechanism(mechanism)) => lines.extend(mechanism.name().bytes()),
                        Ok(Item::Language { tag, .. }) => lines.extend(tag.as_str().bytes()),
                        other => assert!(!self.strict, "{other:?}"),
                    }
                    lines.extend(b"\r\n");
                }
            }
            client::Event::Chunk(octets) => self.head.as_mut().expect("a head comes first").extend(octets),
            client::Event::End(ticket) => {
                let told = self.head.take().expect("a head comes first");
                let answer = self.next(ticket);
                *self.ended += 1;
                if self.strict {
                    let lines = answer
                        .lines
                        .expect("several lines")
                        .iter()
                        .flat_map(|l| [l, &b"\r\n"[..]].concat())
                        .collect::<Vec<_>>();
                    assert_eq!(told.escape_ascii().to_string(), lines.escape_ascii().to_string());
                }
            }
            client::Event::Challenge(octets, turn) => {
                if self.strict {
                    assert!(self.awaited.pop_front().is_some_and(|(_, answer)| answer.challenge));
                    assert!(octets.expose().is_empty());
                }
                return Some(turn);
            }
            client::Event::BadChallenge(_) => assert!(!self.strict),
            event => panic!("{event:?}"),
        }
        None
    }
}

/// Whether a line holds the secret, as it is or in base64.
pub(crate) fn tells(line: &[u8]) -> bool {
    let holds = |octets: &[u8]| octets.windows(6).any(|window| window == b"s3cret");
    holds(line)
        || line
            .split(|octet| *octet == b' ')
            .any(|word| base64::decode(word).is_ok_and(|text| holds(text.expose())))
}
