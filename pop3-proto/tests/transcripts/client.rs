//! The client's side of a transcript.

use crate::replay::{Actor, Link, Script, escape};
use mail_pop3_proto::client::{AuthTurn, Client, Config, Event, Ticket, TlsGrant};
use mail_pop3_proto::{Allow, Command, Data, Grammar, Item, Malformed, OtherCommand, Shape, StatusLine, Tls};
use mail_wire::line::LineEnd;
use mail_wire::{Handover, Input, Machine, Misuse};

#[derive(Default)]
pub(crate) struct Application {
    tickets: Vec<Ticket>,
    turn: Option<AuthTurn>,
    tls: Option<TlsGrant>,
}

impl Application {
    fn number(&self, ticket: Ticket) -> usize {
        1 + self.tickets.iter().position(|other| *other == ticket).expect("a ticket that was given")
    }
}

fn line(line: StatusLine<'_>) -> String {
    let mut words = if line.is_ok() { "+OK".to_owned() } else { "-ERR".to_owned() };
    if let Some(code) = line.code() {
        words += &format!(" [{}]", escape(code.name()));
    }
    if !line.text().is_empty() {
        words += &format!(" {}", escape(line.text()));
    }
    words += &match line.data() {
        Data::None => String::new(),
        Data::Stat { messages, octets } => format!(" = {messages} {octets:?}"),
        Data::Scan { message, octets } => format!(" = {message} {octets}"),
        Data::UniqueId { message, id } => format!(" = {message} {}", escape(id.octets())),
        Data::Language(tag) => format!(" = {}", tag.as_str()),
        Data::Malformed(malformed) => format!(" = malformed {malformed}"),
        other => format!(" = {other:?}"),
    };
    words
}

fn item(item: Item<'_>) -> String {
    match item {
        Item::Scan { message, octets } => format!("{message} {octets}"),
        Item::UniqueId { message, id } => format!("{message} {}", escape(id.octets())),
        Item::Capability(capability) => format!("{capability:?}"),
        Item::Mechanism(mechanism) => mechanism.name().to_owned(),
        Item::Language { tag, description } => format!("{} {}", tag.as_str(), escape(description)),
        Item::Line(line) => escape(line),
        other => format!("{other:?}"),
    }
}

impl Actor for Application {
    type Machine = Client;
    const PIPELINES: bool = false;

    fn new(script: &Script) -> (Self, Client) {
        let mut config = Config::default();
        let policy = &mut config.policy;
        if script.has("grammar", "strict") {
            policy.grammar = Grammar::strict();
        }
        if script.has("line", "tolerant") {
            policy.line = LineEnd::Tolerant;
        }
        if script.has("tls", "required") {
            policy.tls = Tls::Required;
        }
        if script.has("plaintext", "allow") {
            policy.plaintext_auth = Allow::Allow;
        }
        if script.has("apop", "allow") {
            policy.apop = Allow::Allow;
        }
        let client = Client::new(config);
        let secure = script.has("link", "tls");
        let client = if secure { Handover::implicit(client).secured() } else { client };
        (Self::default(), client)
    }

    fn event(&mut self, event: Event<'_>) -> String {
        match event {
            Event::Greeting(status, stamp) => {
                let stamp = stamp.map_or(String::new(), |stamp| format!(" stamp {}", escape(stamp.octets())));
                format!("greeting {}{stamp}", line(status))
            }
            Event::Reply(ticket, status) => format!("reply #{} {}", self.number(ticket), line(status)),
            Event::Head(ticket, status) => format!("head #{} {}", self.number(ticket), line(status)),
            Event::Items(ticket, items) => {
                let number = self.number(ticket);
                let line = |entry: Result<Item<'_>, Malformed<'_>>| match entry {
                    Ok(value) => format!("item #{number} {}", item(value)).trim_end().to_owned(),
                    Err(malformed) => format!("malformed #{number} {malformed}"),
                };
                items.iter().map(line).collect::<Vec<_>>().join("\n")
            }
            Event::Chunk(octets) => format!("chunk {}", escape(octets)),
            Event::End(ticket) => format!("end #{}", self.number(ticket)),
            Event::Challenge(challenge, turn) => {
                self.turn = Some(turn);
                format!("challenge {}", escape(challenge.expose())).trim_end().to_owned()
            }
            Event::BadChallenge(ticket) => format!("bad challenge #{}", self.number(ticket)),
            Event::StartTls(grant) => {
                self.tls = Some(grant);
                "starttls".into()
            }
            other => format!("{other:?}"),
        }
    }

    fn act(&mut self, words: &str, mut link: Link<Client>) -> Result<Link<Client>, String> {
        let misuse = |misuse: Misuse| misuse.to_string();
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        match verb {
            "send" => {
                let octets = crate::replay::unescape(rest);
                let command = Command::parse(&octets).expect("a command");
                self.tickets.push(link.machine.send(&command, &mut link.output).map_err(misuse)?);
            }
            "other" => {
                let (shape, line) = rest.split_once(' ').unwrap();
                let shape = if shape == "lines" { Shape::Lines } else { Shape::Single };
                let command = Command::Other(OtherCommand::new(line.as_bytes(), shape).unwrap());
                self.tickets.push(link.machine.send(&command, &mut link.output).map_err(misuse)?);
            }
            "refused" => {
                let command = Command::parse(rest.as_bytes()).expect("a command");
                link.machine.send(&command, &mut link.output).expect_err("it may not be sent");
            }
            "respond" => {
                let turn = self.turn.take().unwrap();
                link.machine
                    .respond(turn, &crate::replay::unescape(rest), &mut link.output)
                    .map_err(|back| misuse(back.why))?;
            }
            "cancel" => {
                let turn = self.turn.take().unwrap();
                link.machine.cancel(turn, &mut link.output).map_err(|back| misuse(back.why))?;
            }
            "tls" => {
                let grant = self.tls.take().unwrap();
                let handover = link.machine.start_tls(grant, link.input, &mut link.output);
                let machine = handover.map_err(|error| error.to_string())?.secured();
                return Ok(Link { machine, input: Input::new(), output: link.output });
            }
            other => panic!("{other}"),
        }
        Ok(link)
    }
}
