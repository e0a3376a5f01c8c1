//! The client's side of a transcript.
//!
//! | settings | |
//! |---|---|
//! | `grammar strict`, `line tolerant`, `plaintext allow`, `tls required`, `eol normalise` | the policy |
//! | `reply-line N`, `reply-lines N`, `reply-total N`, `in-flight N` | the limits |
//! | `lmtp` | the protocol is LMTP |
//!
//! | the application | |
//! |---|---|
//! | `send COMMAND` | sends it; replies name it by its number, from 1 |
//! | `misuse WHY \| COMMAND` | the command is refused with these words, and nothing is written |
//! | `auth NAME [OCTETS]` | begins AUTH, with an initial response |
//! | `respond OCTETS`, `cancel` | answers a challenge |
//! | `body OCTETS`, `end` | a piece of the body that is wanted, and its end |
//! | `chunk N [last]` | BDAT |
//! | `offers KEYWORDS` | just these extensions are known |

use bytes::Bytes;
use mail_smtp_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, Ticket, TlsGrant};
use mail_smtp_proto::types::Mechanism;
use mail_smtp_proto::{Allow, Command, Extension, Grammar, Reply, Tls};
use mail_testkit::{Actor, Held, Script, escape, unescape, why};
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;
use mail_wire::{Misuse, Output};

#[derive(Default)]
pub(crate) struct Application {
    tickets: Vec<Ticket>,
    turn: Held<AuthTurn>,
    tls: Held<TlsGrant>,
    grant: Held<BodyGrant>,
}

fn shown(reply: Reply<'_>) -> String {
    let lines: Vec<_> = reply.lines().map(escape).collect();
    let enhanced = reply.enhanced().map_or(String::new(), |code| format!(" ({code})"));
    format!("{}{enhanced} {}", reply.code(), lines.join(" / "))
}

impl Actor for Application {
    type Machine = Client;

    fn machine(script: &Script) -> Client {
        let mut config = Config::default();
        for setting in script.settings() {
            let policy = &mut config.policy;
            match setting {
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
                other => panic!("{other:?}"),
            }
        }
        Client::new(config)
    }

    fn event(&mut self, event: Event<'_>) -> String {
        // Commands are numbered in the order in which they were sent, from 1.
        let tickets = &self.tickets;
        let number = |ticket| 1 + tickets.iter().position(|sent| *sent == ticket).expect("one that was sent");
        match event {
            Event::Greeting(reply) => format!("greeting {}", shown(reply)),
            Event::Reply(ticket, reply) => format!("reply {} {}", number(ticket), shown(reply)),
            Event::EhloRefused(ticket, reply) => format!("ehlo-refused {} {}", number(ticket), shown(reply)),
            Event::BodyWanted(ticket, reply, grant) => {
                let words = format!("wanted {} {}", number(ticket), shown(reply));
                self.grant.keep(grant, words)
            }
            Event::NoRecipients(ticket, reply) => {
                format!("no-recipients {} {}", number(ticket), shown(reply))
            }
            Event::Challenge(challenge, turn) => {
                self.turn.keep(turn, format!("challenge \"{}\"", escape(challenge.expose())))
            }
            Event::BadChallenge(ticket) => format!("bad-challenge {}", number(ticket)),
            Event::StartTls(grant) => self.tls.keep(grant, "starttls"),
            Event::Closing(reply) => format!("closing {}", shown(reply)),
            other => format!("{other:?}"),
        }
    }

    fn act(&mut self, action: &str, client: &mut Client, output: &mut Output) -> Result<(), String> {
        let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
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
                client.respond(self.turn.take(), &unescape(rest), output).map_err(why)?;
            }
            "cancel" => client.cancel(self.turn.take(), output).map_err(why)?,
            "body" => {
                let mut piece = Bytes::from(unescape(rest));
                client.body(self.grant.lend(), &mut piece, output).map_err(|why| why.to_string())?;
                assert!(piece.is_empty());
            }
            "end" => client.end_body(self.grant.take(), output).map_err(why)?,
            "chunk" => {
                let (octets, last) = rest.split_once(' ').unwrap_or((rest, ""));
                let sent = client.chunk(octets.parse().unwrap(), last == "last", output);
                let (ticket, grant) = sent.map_err(|why| why.to_string())?;
                self.tickets.push(ticket);
                self.grant.keep(grant, "");
            }
            "offers" => {
                let all = rest.split(' ').filter(|word| !word.is_empty());
                let wanted: Vec<_> = all.map(|word| Extension::of(word.as_bytes()).unwrap()).collect();
                let got: Vec<_> =
                    Extension::ALL.into_iter().filter(|extension| client.offers(*extension)).collect();
                assert_eq!(got, wanted);
            }
            other => panic!("{other}"),
        }
        Ok(())
    }

    fn upgrade(&mut self) -> TlsGrant {
        self.tls.take()
    }
}
