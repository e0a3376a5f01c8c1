//! The client's side of a transcript.
//!
//! | settings | |
//! |---|---|
//! | `grammar strict`, `line tolerant` | how replies are read |
//! | `tls required`, `plaintext allow`, `apop allow` | the policy |
//!
//! | the application | |
//! |---|---|
//! | `send COMMAND` | sends it; replies name it by its number, from 1 |
//! | `other single LINE`, `other lines LINE` | sends a command that this crate does not know, with the shape of its reply |
//! | `refused COMMAND` | the command may not be sent |
//! | `respond OCTETS`, `cancel` | answers a challenge |
//!
//! A status line with data is told as `words = data`; of a list each line is an event: `item #2 1 120`, or `malformed #2` and the rule.

use mail_pop3_proto::client::{AuthTurn, Client, Config, Event, Ticket, TlsGrant};
use mail_pop3_proto::{Allow, Command, Data, Grammar, Item, Malformed, OtherCommand, Shape, StatusLine, Tls};
use mail_testkit::{Actor, Held, Script, escape, unescape, why};
use mail_wire::Output;
use mail_wire::line::LineEnd;

#[derive(Default)]
pub(crate) struct Application {
    tickets: Vec<Ticket>,
    turn: Held<AuthTurn>,
    tls: Held<TlsGrant>,
}

impl Application {
    fn send(
        &mut self,
        command: &Command<'_>,
        client: &mut Client,
        output: &mut Output,
    ) -> Result<(), String> {
        let ticket = client.send(command, output).map_err(|misuse| misuse.to_string())?;
        self.tickets.push(ticket);
        Ok(())
    }

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

fn config(script: &Script) -> Config {
    let mut config = Config::default();
    let policy = &mut config.policy;
    for setting in script.settings() {
        match setting {
            ("grammar", "strict") => policy.grammar = Grammar::strict(),
            ("line", "tolerant") => policy.line = LineEnd::Tolerant,
            ("tls", "required") => policy.tls = Tls::Required,
            ("plaintext", "allow") => policy.plaintext_auth = Allow::Allow,
            ("apop", "allow") => policy.apop = Allow::Allow,
            other => panic!("{other:?}"),
        }
    }
    config
}

impl Actor for Application {
    type Machine = Client;

    fn machine(script: &Script) -> Client {
        Client::new(config(script))
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
                let words = format!("challenge {}", escape(challenge.expose()));
                self.turn.keep(turn, words.trim_end())
            }
            Event::BadChallenge(ticket) => format!("bad challenge #{}", self.number(ticket)),
            Event::StartTls(grant) => self.tls.keep(grant, "starttls"),
            other => format!("{other:?}"),
        }
    }

    fn act(&mut self, step: &str, client: &mut Client, output: &mut Output) -> Result<(), String> {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "send" => self.send(&Command::parse(&unescape(rest)).expect("a command"), client, output),
            "other" => {
                let (shape, line) = rest.split_once(' ').unwrap();
                let shape = if shape == "lines" { Shape::Lines } else { Shape::Single };
                let command = OtherCommand::new(line.as_bytes(), shape).unwrap();
                self.send(&Command::Other(command), client, output)
            }
            "refused" => {
                let command = Command::parse(rest.as_bytes()).expect("a command");
                client.send(&command, output).map(drop).expect_err("it may not be sent");
                Ok(())
            }
            "respond" => client.respond(self.turn.take(), &unescape(rest), output).map_err(why),
            "cancel" => client.cancel(self.turn.take(), output).map_err(why),
            other => panic!("{other}"),
        }
    }

    fn upgrade(&mut self) -> TlsGrant {
        self.tls.take()
    }
}
