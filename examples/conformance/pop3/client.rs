//! The client machine of POP3: what its events mean, and how a step of a script is sent.

use mail_pop3_proto::client::{AuthTurn, Client, Config, Event, Ticket, TlsGrant};
use mail_pop3_proto::ext::capa::{Capability, Expire};
use mail_pop3_proto::{Data, Item, Limits, StatusLine};
use mail_wire::Output;

use crate::adapter::Session;
use crate::link::{Link, Observer};
use crate::octets::sasl_message;
use crate::record::Setup;
use crate::seen::Seen;
use crate::value::Val;

/// A client on a fresh connection.
pub(crate) fn session(setup: &Setup) -> Result<Box<dyn Session>, String> {
    if let Some(limit) = setup.limits.keys().next() {
        return Err(format!("no limit {limit}"));
    }
    let config = Config { limits: Limits::default(), policy: super::policy(&setup.policy) };
    Ok(Box::new(Link::new(Client::new(config), ClientObserver::default(), Output::new())))
}

#[derive(Default)]
struct ClientObserver {
    /// A challenge whose answer the script gives, or nobody.
    turn: Option<AuthTurn>,
    /// The listing that is being read, by its key.
    listing: Option<(&'static str, Vec<Val>)>,
    /// An answer of several lines has begun.
    inside: bool,
    /// QUIT was sent.
    quit: bool,
}

impl Observer<Client> for ClientObserver {
    fn event<'i>(
        &mut self,
        event: Event<'i>,
        _client: &mut Client,
        _output: &mut Output,
        seen: &mut Seen,
    ) -> Option<TlsGrant> {
        match event {
            Event::Greeting(line, stamp) => {
                seen.value("stamp", Val::or_null(stamp.map(|stamp| Val::octets(stamp.octets()))));
                status(&line, seen);
                seen.complete(word(&line));
            }
            Event::Reply(_, line) => {
                status(&line, seen);
                data(&line, seen);
                seen.complete(word(&line));
            }
            Event::Head(_, line) => {
                status(&line, seen);
                self.inside = true;
            }
            Event::Items(_, items) => {
                for item in items {
                    match item {
                        Ok(item) => self.item(item, seen),
                        Err(malformed) => {
                            seen.malformed("line");
                            seen.shown(malformed.raw);
                        }
                    }
                }
            }
            Event::Chunk(octets) => seen.chunk(octets),
            Event::End(_) => {
                self.inside = false;
                self.end_of_listing(seen);
                seen.complete("+OK");
            }
            Event::Challenge(challenge, turn) => {
                seen.value("challenge", Val::octets(challenge.expose()));
                self.turn = Some(turn);
            }
            Event::BadChallenge(_) => seen.malformed("challenge"),
            Event::Closing(line) => status(&line, seen),
            Event::StartTls(grant) => {
                seen.complete("+OK");
                seen.value("starttls", Val::True);
                return Some(grant);
            }
            other => seen.value("unknown event", Val::Name(format!("{other:?}"))),
        }
        None
    }

    fn us(&mut self, octets: &[u8], client: &mut Client, output: &mut Output) -> Result<(), String> {
        if let Some(turn) = self.turn.take() {
            if octets == b"*\r\n" {
                return client.cancel(turn, output).map_err(|returned| returned.to_string());
            }
            let response = sasl_message(octets)?;
            return client.respond(turn, &response, output).map_err(|returned| returned.to_string());
        }
        let command = super::command(octets)?;
        self.quit |= matches!(command, mail_pop3_proto::Command::Quit);
        let _: Ticket = client.send(&command, output).map_err(|misuse| misuse.to_string())?;
        Ok(())
    }

    fn inside(&self, _client: &Client) -> bool {
        self.inside
    }

    fn holds(&self) -> bool {
        self.turn.is_some()
    }

    fn ended(&self, _client: &Client) -> bool {
        self.quit
    }

    fn repairs(&self, client: &Client) -> u64 {
        client.repairs().total().into()
    }
}

impl ClientObserver {
    fn item(&mut self, item: Item<'_>, seen: &mut Seen) {
        let (key, value) = match item {
            Item::Scan { message, octets } => {
                ("LIST", Val::List(vec![Val::Num(message.get().into()), Val::Num(octets)]))
            }
            Item::UniqueId { message, id } => {
                ("UIDL", Val::List(vec![Val::Num(message.get().into()), Val::octets(id.octets())]))
            }
            Item::Capability(capability) => {
                arguments(&capability, seen);
                ("CAPA", Val::name(capability.name()))
            }
            Item::Mechanism(mechanism) => ("AUTH", Val::name(mechanism.name())),
            Item::Language { tag, .. } => ("LANG", Val::name(tag.as_str())),
            Item::Line(line) => ("line", Val::octets(line)),
            other => ("unknown item", Val::Name(format!("{other:?}"))),
        };
        self.listing.get_or_insert((key, Vec::new())).1.push(value);
    }

    fn end_of_listing(&mut self, seen: &mut Seen) {
        let Some((key, items)) = self.listing.take() else { return };
        let value = match key {
            "CAPA" | "AUTH" => Val::Names(items.iter().map(Val::show).collect()),
            _ => Val::List(items),
        };
        seen.value(key, value);
    }
}

fn word(line: &StatusLine<'_>) -> &'static str {
    if line.is_ok() { "+OK" } else { "-ERR" }
}

fn status(line: &StatusLine<'_>, seen: &mut Seen) {
    seen.value("text", Val::octets(line.text()));
    seen.value("code", Val::or_null(line.code().map(|code| Val::name(code.name()))));
}

fn data(line: &StatusLine<'_>, seen: &mut Seen) {
    match line.data() {
        Data::None => {}
        Data::Stat { messages, octets } => {
            seen.value("STAT.messages", Val::Num(messages.into()));
            seen.value("STAT.octets", Val::or_null(octets.map(Val::Num)));
        }
        Data::Scan { message, octets } => {
            let entry = Val::List(vec![Val::Num(message.get().into()), Val::Num(octets)]);
            seen.value("LIST", Val::List(vec![entry]));
        }
        Data::UniqueId { message, id } => {
            let entry = Val::List(vec![Val::Num(message.get().into()), Val::octets(id.octets())]);
            seen.value("UIDL", Val::List(vec![entry]));
        }
        Data::Language(tag) => seen.value("LANG", Val::name(tag.as_str())),
        Data::Malformed(_) => seen.malformed("line"),
        other => seen.value("unknown data", Val::Name(format!("{other:?}"))),
    }
}

fn arguments(capability: &Capability<'_>, seen: &mut Seen) {
    match capability {
        Capability::Sasl(mechanisms) => {
            let names = mechanisms.iter().map(|mechanism| mechanism.name().to_owned()).collect();
            seen.value("CAPA.SASL", Val::Names(names));
        }
        Capability::Expire { expire: Expire::Days(days), .. } => {
            seen.value("CAPA.EXPIRE", Val::Num((*days).into()));
        }
        Capability::Expire { expire: Expire::Never, .. } => seen.value("CAPA.EXPIRE", Val::name("NEVER")),
        Capability::LoginDelay { seconds, .. } => seen.value("CAPA.LOGIN-DELAY", Val::Num((*seconds).into())),
        _ => {}
    }
}
