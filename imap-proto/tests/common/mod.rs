//! Replays transcripts through the client machine at any cut, and writes down what it tells.
#![allow(dead_code)]

use bytes::{Buf, Bytes};
use mail_imap_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, IdleGrant, TlsGrant};
use mail_imap_proto::response::{FetchItem, FetchPart, Untagged};
use mail_imap_proto::types::{
    AddressKind, Addresses, BodyStructure, Envelope, NodeKind, Status, StatusItem, Tag,
};
use mail_imap_proto::{Command, Limits, Violation};
use mail_wire::{End, Framed, Handover, Input, Machine, Output, Returned};

/// One step of a transcript.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// The server sends these octets.
    Peer(&'static [u8]),
    /// We send the command of this line, literals inside it included. The tag is the line's.
    Send(&'static [u8]),
    /// What the client has written since the last look.
    Wrote(&'static [u8]),
    /// The message that is wanted, in pieces of this size.
    Body(&'static [u8], usize),
    /// IDLE ends.
    Done,
    /// The hand-over to TLS, and the handshake done.
    Tls,
}

/// How the octets of the server come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cuts {
    /// Each step whole.
    Whole,
    /// Octet by octet.
    Single,
}

/// A session under way.
pub(crate) struct Session {
    client: Option<Client>,
    input: Input,
    output: Output,
    log: Vec<String>,
    grant: Option<BodyGrant>,
    idle: Option<IdleGrant>,
    turn: Option<AuthTurn>,
    tls: Option<TlsGrant>,
    chunk: Vec<u8>,
    over: bool,
}

impl Session {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            client: Some(Client::new(config)),
            input: Input::new(),
            output: Output::new(),
            log: Vec::new(),
            grant: None,
            idle: None,
            turn: None,
            tls: None,
            chunk: Vec::new(),
            over: false,
        }
    }

    /// A connection that begins with TLS.
    pub(crate) fn secure(config: Config) -> Self {
        let mut session = Self::new(config);
        session.client = session.client.map(|client| Handover::implicit(client).secured());
        session
    }

    /// The log begins anew, and so does what has been written.
    pub(crate) fn mark(&mut self) {
        self.flush_chunk();
        self.log.clear();
        self.written();
    }

    /// The repairs that were used.
    pub(crate) fn repairs(&self) -> String {
        self.client.as_ref().map(|client| format!("{:?}", client.repairs())).unwrap_or_default()
    }

    pub(crate) fn client(&mut self) -> &mut Client {
        self.client.as_mut().expect("the client is there")
    }

    pub(crate) fn log(mut self) -> Vec<String> {
        self.flush_chunk();
        self.log
    }

    /// Feeds octets in one read, and takes every event.
    pub(crate) fn feed(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            let n = self.input.feed(octets);
            assert!(n > 0 || self.over, "no room: the input is full and nothing is framed");
            octets = &octets[n..];
            if !self.drive() {
                return;
            }
        }
    }

    /// Takes events until more input is needed. False: the session is over.
    pub(crate) fn drive(&mut self) -> bool {
        for _ in 0..10_000_000 {
            if self.over {
                return false;
            }
            let Some(client) = self.client.as_mut() else { return false };
            match client.frame(&mut self.input, &mut self.output) {
                Ok(Framed::Ready(unit)) => {
                    let (text, tokens) = match client.decode(unit, &mut self.input) {
                        Ok(Event::Chunk(octets)) => {
                            self.chunk.extend_from_slice(octets);
                            continue;
                        }
                        Ok(event) => take(event),
                        Err(violation) => {
                            self.ended(&violation);
                            return false;
                        }
                    };
                    self.flush_chunk();
                    self.log.push(text);
                    self.keep(tokens);
                }
                Ok(Framed::NeedInput) | Ok(Framed::Paused(_)) => return true,
                Ok(Framed::Closed) => {
                    self.flush_chunk();
                    self.log.push("Closed".into());
                    self.over = true;
                    return false;
                }
                Err(violation) => {
                    self.ended(&violation);
                    return false;
                }
            }
        }
        panic!("the machine spins");
    }

    fn ended(&mut self, violation: &Violation) {
        self.flush_chunk();
        self.log.push(format!("Violation {violation:?}"));
        self.over = true;
        let again = self.client().frame_again();
        assert_eq!(again.as_ref(), Some(violation), "the same for ever after");
    }

    fn keep(&mut self, tokens: Tokens) {
        match tokens {
            Tokens::None => {}
            Tokens::Body(grant) => self.grant = Some(grant),
            Tokens::Idle(grant) => self.idle = Some(grant),
            Tokens::Turn(turn) => self.turn = Some(turn),
            Tokens::Tls(grant) => self.tls = Some(grant),
        }
    }

    fn flush_chunk(&mut self) {
        if !self.chunk.is_empty() {
            let text = if self.chunk.len() > 60 {
                format!("Chunk {} octets", self.chunk.len())
            } else {
                format!("Chunk {:?}", self.chunk.escape_ascii().to_string())
            };
            self.log.push(text);
            self.chunk.clear();
        }
    }

    /// Answers the challenge.
    pub(crate) fn respond(&mut self, octets: &[u8]) -> Result<(), Returned<AuthTurn>> {
        let turn = self.turn.take().expect("a challenge");
        let client = self.client.as_mut().expect("the client");
        client.respond(turn, octets, &mut self.output)
    }

    pub(crate) fn written(&mut self) -> Vec<u8> {
        let octets = self.output.copy_to_bytes(self.output.remaining());
        octets.to_vec()
    }

    pub(crate) fn eof(&mut self) {
        if let Some(client) = self.client.as_mut() {
            client.eof(End::Fin);
        }
        self.drive();
    }

    fn tls(&mut self) {
        let token = self.tls.take().expect("a grant");
        let client = self.client.take().expect("the client");
        let input = std::mem::take(&mut self.input);
        match client.start_tls(token, input, &mut self.output) {
            Ok(handover) => self.client = Some(handover.secured()),
            Err(error) => {
                self.log.push(format!("Handover {error:?}"));
                self.over = true;
            }
        }
    }

    /// One step; octets of the server are cut as the schedule says.
    pub(crate) fn step(&mut self, step: Step, cuts: Cuts) {
        if self.over {
            return;
        }
        match step {
            Step::Peer(octets) => self.peer(octets, cuts),
            Step::Send(line) => self.send(line),
            Step::Wrote(wanted) => {
                let wrote = self.written();
                assert_eq!(wrote.escape_ascii().to_string(), wanted.escape_ascii().to_string());
            }
            Step::Body(octets, size) => {
                let mut grant = self.grant.take().expect("a message is wanted");
                for piece in octets.chunks(size) {
                    let mut piece = Bytes::from_static(piece);
                    let (client, output) = (self.client.as_mut().expect("the client"), &mut self.output);
                    client.body(&mut grant, &mut piece, output).expect("the message is taken");
                    assert!(piece.is_empty());
                }
            }
            Step::Done => {
                let grant = self.idle.take().expect("IDLE is on");
                let (client, output) = (self.client.as_mut().expect("the client"), &mut self.output);
                client.done(grant, output).expect("IDLE is on");
            }
            Step::Tls => self.tls(),
        }
    }

    fn peer(&mut self, octets: &[u8], cuts: Cuts) {
        let read = if matches!(cuts, Cuts::Whole) { octets.len().max(1) } else { 1 };
        octets.chunks(read).for_each(|octets| self.feed(octets));
    }

    pub(crate) fn send(&mut self, line: &[u8]) {
        let (tag, command) = Command::parse(line, &Limits::default(), true).expect("a command of the test");
        let (client, output) = (self.client.as_mut().expect("the client"), &mut self.output);
        client.set_next_tag(Tag::new(tag.as_bytes()).expect("a tag")).expect("a free tag");
        client.send(&command, output).expect("the command is taken");
        // A grant may be due without input.
        self.drive();
    }
}

/// Replays a transcript and gives the log.
pub(crate) fn replay(mut session: Session, steps: &[Step], cuts: Cuts) -> Vec<String> {
    for step in steps {
        session.step(*step, cuts);
    }
    session.log()
}

trait Again {
    fn frame_again(&mut self) -> Option<Violation>;
}

impl Again for Client {
    fn frame_again(&mut self) -> Option<Violation> {
        self.frame(&mut Input::new(), &mut Output::new()).err()
    }
}

pub(crate) enum Tokens {
    None,
    Body(BodyGrant),
    Idle(IdleGrant),
    Turn(AuthTurn),
    Tls(TlsGrant),
}

pub(crate) fn take(event: Event<'_>) -> (String, Tokens) {
    let mut tokens = Tokens::None;
    let text = match event {
        Event::Greeting(status) => format!("Greeting {}", show_status(&status)),
        Event::Completed(_, status) => format!("Completed {}", show_status(&status)),
        Event::Untagged(untagged) => show_untagged(&untagged),
        Event::Fetch(part) => show_fetch(&part),
        Event::Continued(_, text) => format!("Continued {text}"),
        Event::BodyWanted(grant, text) => {
            tokens = Tokens::Body(grant);
            format!("BodyWanted {text}")
        }
        Event::Idling(grant, text) => {
            tokens = Tokens::Idle(grant);
            format!("Idling {text}")
        }
        Event::Challenge(octets, turn) => {
            tokens = Tokens::Turn(turn);
            format!("Challenge {:?}", octets.expose().escape_ascii().to_string())
        }
        Event::BadChallenge(_) => "BadChallenge".into(),
        Event::StartTls(grant) => {
            tokens = Tokens::Tls(grant);
            "StartTls".into()
        }
        Event::Malformed(malformed) => {
            format!("Malformed {:?} at {}: {}", malformed.rule, malformed.at, malformed.raw.escape_ascii())
        }
        other => format!("{other:?}"),
    };
    (text, tokens)
}

pub(crate) fn show_status(status: &Status<'_>) -> String {
    let code = status.code.map(|code| format!("{code:?} ")).unwrap_or_default();
    format!("{} {code}{}", status.condition, status.text)
}

fn show_untagged(untagged: &Untagged<'_>) -> String {
    match untagged {
        Untagged::Status(status) => format!("* {}", show_status(status)),
        Untagged::Other { number, name, args } => {
            format!("* {number:?} {} {}", name.escape_ascii(), args.escape_ascii())
        }
        Untagged::MailboxStatus(status) => {
            let items: Vec<String> = status
                .items()
                .map(|item| match item {
                    StatusItem::Malformed { name, value } => {
                        format!("?{} {}", name.escape_ascii(), value.escape_ascii())
                    }
                    other => format!("{other:?}"),
                })
                .collect();
            format!("* STATUS {:?} {}", status.name(), items.join(" "))
        }
        other => format!("* {other:?}"),
    }
}

pub(crate) fn show_fetch(part: &FetchPart<'_>) -> String {
    let mut text = format!("{:?}", part.target());
    for item in part.items() {
        text.push(' ');
        text += &match item {
            FetchItem::Envelope(envelope) => format!("ENVELOPE{{{}}}", show_envelope(envelope)),
            FetchItem::Body(body) => format!("BODY{{{}}}", show_body(body)),
            FetchItem::BodyStructure(body) => format!("BODYSTRUCTURE{{{}}}", show_body(body)),
            FetchItem::Content(content) => {
                let data = content.data().map(|data| data.bytes().escape_ascii().to_string());
                let section = content.section().map(|section| format!("[{section:?}]")).unwrap_or_default();
                let origin = content.origin().map(|origin| format!("<{origin}>")).unwrap_or_default();
                format!("{}{section}{origin}={data:?}", content.name().escape_ascii())
            }
            FetchItem::Malformed(item) => {
                let malformed = item.malformed();
                let kept = item.envelope().map(|e| format!("{{{}}}", show_envelope(e))).unwrap_or_default();
                format!("?{}:{:?}@{}{kept}", item.name().escape_ascii(), malformed.rule, malformed.at)
            }
            FetchItem::Other { name, value } => {
                format!("{}={}", name.escape_ascii(), value.escape_ascii())
            }
            other => format!("{other:?}"),
        };
    }
    if let Some(literal) = part.literal() {
        text += &format!(" {literal:?} {:?}", literal.section());
    }
    text + if part.is_last() { "." } else { ".." }
}

fn show_envelope(envelope: Envelope<'_>) -> String {
    format!(
        "{:?} {:?} from {} sender {} reply-to {} to {} cc {} bcc {} {:?} {:?}",
        envelope.date(),
        envelope.subject(),
        show_addresses(envelope.from()),
        show_addresses(envelope.sender()),
        show_addresses(envelope.reply_to()),
        show_addresses(envelope.to()),
        show_addresses(envelope.cc()),
        show_addresses(envelope.bcc()),
        envelope.in_reply_to(),
        envelope.message_id(),
    )
}

fn show_addresses(addresses: Addresses<'_>) -> String {
    let show = |octets: Option<mail_imap_proto::types::Text<'_>>| {
        octets.map(|text| text.bytes().escape_ascii().to_string()).unwrap_or_default()
    };
    let all: Vec<String> = addresses
        .iter()
        .map(|address| match address.kind() {
            AddressKind::Mailbox => {
                format!("{}<{}@{}>", show(address.name()), show(address.mailbox()), show(address.host()))
            }
            AddressKind::GroupStart(name) => format!("{}:", show(Some(name))),
            AddressKind::GroupEnd => ";".into(),
        })
        .collect();
    all.join(",")
}

fn show_body(body: BodyStructure<'_>) -> String {
    let all: Vec<String> = body
        .nodes()
        .map(|node| {
            let mut text = format!("{}", node.depth());
            text += match node.kind() {
                NodeKind::Basic => "b",
                NodeKind::Text => "t",
                NodeKind::Message => "m",
                NodeKind::Multipart => "*",
            };
            text += &format!("{:?}/{:?}", node.media_type(), node.subtype()).replace("Some", "");
            if !node.params().is_empty() {
                text += &format!(" {:?}", node.params());
            }
            let numbers = (node.octets(), node.lines());
            if numbers != (None, None) {
                text += &format!(" {:?}/{:?}", numbers.0, numbers.1).replace("Some", "");
            }
            if let Some(disposition) = node.disposition() {
                text += &format!(" {disposition:?}{:?}", node.disposition_params());
            }
            if let Some(envelope) = node.envelope() {
                text += &format!(" subject {:?}", envelope.subject());
            }
            text
        })
        .collect();
    let faults: String =
        body.faults().map(|(field, raw)| format!("!{field:?}={}", raw.escape_ascii())).collect();
    all.join("; ") + &faults
}
