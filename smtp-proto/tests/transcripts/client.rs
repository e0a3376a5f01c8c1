//! The client's side of a transcript.

use crate::replay::{Actor, Link, Script, escape, unescape};
use bytes::Bytes;
use mail_smtp_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, Ticket, TlsGrant};
use mail_smtp_proto::types::Mechanism;
use mail_smtp_proto::{Allow, Command, Extension, Grammar, Reply, Tls};
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;
use mail_wire::{Handover, Input, Machine, Misuse, Returned};

#[derive(Default)]
pub(crate) struct Application {
    tickets: Vec<Ticket>,
    turn: Option<AuthTurn>,
    tls: Option<TlsGrant>,
    grant: Option<BodyGrant>,
}

impl Application {
    fn number(&self, ticket: Ticket) -> usize {
        1 + self.tickets.iter().position(|other| *other == ticket).expect("a ticket that was given")
    }
}

fn shown(reply: Reply<'_>) -> String {
    let lines: Vec<_> = reply.lines().map(escape).collect();
    let enhanced = reply.enhanced().map_or(String::new(), |code| format!(" ({code})"));
    format!("{}{enhanced} {}", reply.code(), lines.join(" / "))
}

impl Actor for Application {
    type Machine = Client;
    const PIPELINES: bool = false;

    fn new(script: &Script) -> (Self, Client) {
        let mut config = Config::default();
        for (key, value) in &script.settings {
            let policy = &mut config.policy;
            match (key.as_str(), value.as_str()) {
                ("grammar", "strict") => policy.grammar = Grammar::strict(),
                ("line", "tolerant") => policy.line = LineEnd::Tolerant,
                ("plaintext", "allow") => policy.plaintext_auth = Allow::Allow,
                ("tls", "required") => policy.tls = Tls::Required,
                ("eol", "normalise") => policy.body_eol = BodyEol::Normalise,
                ("lmtp", _) => config.lmtp = true,
                ("reply-line", n) => config.limits.reply_line = n.parse().unwrap(),
                ("reply-lines", n) => config.limits.reply_lines = n.parse().unwrap(),
                ("reply-total", n) => config.limits.reply_total = n.parse().unwrap(),
                ("in-flight", n) => config.limits.in_flight = n.parse().unwrap(),
                ("link", "tls") => {}
                other => panic!("{other:?}"),
            }
        }
        let client = Client::new(config);
        let secure = script.has("link", "tls");
        let client = if secure { Handover::implicit(client).secured() } else { client };
        (Self::default(), client)
    }

    fn event(&mut self, event: Event<'_>) -> String {
        match event {
            Event::Greeting(reply) => format!("greeting {}", shown(reply)),
            Event::Reply(ticket, reply) => format!("reply {} {}", self.number(ticket), shown(reply)),
            Event::EhloRefused(ticket, reply) => {
                format!("ehlo-refused {} {}", self.number(ticket), shown(reply))
            }
            Event::BodyWanted(ticket, reply, grant) => {
                self.grant = Some(grant);
                format!("wanted {} {}", self.number(ticket), shown(reply))
            }
            Event::NoRecipients(ticket, reply) => {
                format!("no-recipients {} {}", self.number(ticket), shown(reply))
            }
            Event::Challenge(challenge, turn) => {
                self.turn = Some(turn);
                format!("challenge \"{}\"", escape(challenge.expose()))
            }
            Event::BadChallenge(ticket) => format!("bad-challenge {}", self.number(ticket)),
            Event::StartTls(grant) => {
                self.tls = Some(grant);
                "starttls".into()
            }
            Event::Closing(reply) => format!("closing {}", shown(reply)),
            other => format!("{other:?}"),
        }
    }

    fn act(&mut self, action: &str, mut link: Link<Client>) -> Result<Link<Client>, String> {
        fn why<T>(back: Returned<T>) -> String {
            back.why.to_string()
        }
        let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
        let (client, output) = (&mut link.machine, &mut link.output);
        match verb {
            "send" => {
                let line = unescape(rest);
                let command = Command::parse(&line).unwrap();
                let ticket = client.send(&command, output).map_err(|why: Misuse| why.to_string())?;
                self.tickets.push(ticket);
            }
            // The call is refused and nothing is written.
            "misuse" => {
                let (expected, rest) = rest.split_once(" | ").unwrap();
                let line = unescape(rest);
                let before = output.len();
                let got = client.send(&Command::parse(&line).unwrap(), output).unwrap_err();
                assert_eq!((got.to_string().as_str(), output.len()), (expected, before), "{rest}");
            }
            "auth" => {
                let (name, initial) = match rest.split_once(' ') {
                    Some((name, initial)) => (name, Some(unescape(initial))),
                    None => (rest, None),
                };
                let mechanism = Mechanism::try_from(name).unwrap();
                let sent = client.auth(mechanism, initial.as_deref(), output);
                self.tickets.push(sent.map_err(|why| why.to_string())?);
            }
            "respond" => {
                client.respond(self.turn.take().unwrap(), &unescape(rest), output).map_err(why)?;
            }
            "cancel" => client.cancel(self.turn.take().unwrap(), output).map_err(why)?,
            "body" => {
                let mut piece = Bytes::from(unescape(rest));
                let grant = self.grant.as_mut().unwrap();
                client.body(grant, &mut piece, output).map_err(|why| why.to_string())?;
                assert!(piece.is_empty());
            }
            "end" => client.end_body(self.grant.take().unwrap(), output).map_err(why)?,
            "chunk" => {
                let (octets, last) = rest.split_once(' ').unwrap_or((rest, ""));
                let sent = client.chunk(octets.parse().unwrap(), last == "last", output);
                let (ticket, grant) = sent.map_err(|why| why.to_string())?;
                self.tickets.push(ticket);
                self.grant = Some(grant);
            }
            "offers" => {
                let all = rest.split(' ').filter(|word| !word.is_empty());
                let wanted: Vec<_> = all.map(|word| Extension::of(word.as_bytes()).unwrap()).collect();
                let got: Vec<_> =
                    Extension::ALL.into_iter().filter(|extension| client.offers(*extension)).collect();
                assert_eq!(got, wanted);
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
