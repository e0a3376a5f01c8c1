//! The server's side of a transcript.
//!
//! | settings | |
//! |---|---|
//! | `offer none`, `offer LINE` | what CAPA says |
//! | `language TAG TEXT`, `stamp <...>` | what LANG offers, the stamp of the greeting |
//! | `grammar tolerant`, `line tolerant`, `plaintext allow`, `apop allow`, `eol normalise` | the policy |
//! | `bad N`, `logins N` | the limits |
//!
//! | the application | |
//! |---|---|
//! | `answer REPLY`, `refuse` | answers the command: `+OK text` or `-ERR [CODE] text` |
//! | `accept REPLY \| OCTETS=ID ...` | the log-in has succeeded, with this maildrop |
//! | `challenge OCTETS`, `refuse-auth REPLY` | a turn of AUTH |
//! | `body TEXT \| OCTETS` | the message, whole |
//! | `break-off TEXT` | the message has begun and cannot go on |
//! | `refuse-tls` | refuses STLS |

use bytes::{Buf, Bytes};
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{
    Answer, AuthTurn, Config, Event, Language, Maildrop, Offer, Server, Stamp, TlsOffer,
};
use mail_pop3_proto::types::{Code, LanguageTag, ReplyText, UniqueId};
use mail_pop3_proto::{Allow, Command, Grammar, Reply, Status};
use mail_testkit::{Actor, Held, Script, escape, unescape, why};
use mail_wire::Output;
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;

#[derive(Default)]
pub(crate) struct Application {
    answer: Held<Answer>,
    turn: Held<AuthTurn>,
    tls: Held<TlsOffer>,
}

/// `+OK text` or `-ERR [CODE] text`.
pub(crate) fn reply(words: &str) -> Reply<'_> {
    let (status, text) = words.split_once(' ').unwrap_or((words, ""));
    let status = if status == "+OK" { Status::Ok } else { Status::Err };
    let (code, text) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((code, text)) => (Some(Code::try_from(code.as_bytes()).unwrap()), text.trim_start()),
        None => (None, text),
    };
    Reply { status, code, text: ReplyText::try_from(text).unwrap() }
}

/// `100=a 200=b`: sizes and unique-ids.
pub(crate) fn maildrop(words: &str) -> Maildrop {
    let mut maildrop = Maildrop::new();
    for word in words.split_whitespace() {
        let (octets, id) = word.split_once('=').unwrap();
        maildrop.push(octets.parse().unwrap(), UniqueId::try_from(id).unwrap()).unwrap();
    }
    maildrop
}

/// The command as it stands on the wire.
pub(crate) fn words(command: &Command<'_>) -> String {
    let mut output = Output::new();
    let withheld = command.encode(20_000, &mut output).unwrap();
    assert!(withheld.is_none());
    let mut octets = output.copy_to_bytes(output.remaining()).to_vec();
    assert!(octets.ends_with(b"\r\n"));
    octets.truncate(octets.len() - 2);
    escape(&octets)
}

fn config(script: &Script) -> Config {
    let mut config = Config::default();
    let mut offer = Offer::default();
    for setting in script.settings() {
        match setting {
            ("offer", "none") => offer.capabilities = Capabilities::new(),
            ("offer", line) => offer.capabilities.add(line.as_bytes()).unwrap(),
            ("language", line) => {
                let (tag, text) = line.split_once(' ').unwrap_or((line, ""));
                let tag = LanguageTag::try_from(tag).unwrap();
                offer.languages.push(Language::new(tag, ReplyText::try_from(text).unwrap()));
            }
            ("stamp", stamp) => config.stamp = Some(Stamp::try_from(stamp).unwrap()),
            ("grammar", "tolerant") => config.policy.grammar = Grammar::tolerant(),
            ("line", "tolerant") => config.policy.line = LineEnd::Tolerant,
            ("plaintext", "allow") => config.policy.plaintext_auth = Allow::Allow,
            ("apop", "allow") => config.policy.apop = Allow::Allow,
            ("eol", "normalise") => config.policy.body_eol = BodyEol::Normalise,
            ("bad", n) => config.limits.bad_commands = n.parse().unwrap(),
            ("logins", n) => config.limits.logins = n.parse().unwrap(),
            other => panic!("{other:?}"),
        }
    }
    config.offer = offer.into();
    config
}

impl Actor for Application {
    type Machine = Server;

    fn machine(script: &Script) -> Server {
        Server::new(config(script))
    }

    fn event(&mut self, event: Event<'_>) -> String {
        match event {
            Event::Connected(answer) => self.answer.keep(answer, "connected"),
            Event::Command(command, answer) => {
                self.answer.keep(answer, format!("command {}", words(&command)))
            }
            Event::Answered(command) => format!("answered {}", words(&command)),
            Event::Refused(refused) => {
                format!("refused {} {:?}", refused.verb.map_or("-", |verb| verb.name()), refused.why)
            }
            Event::Malformed(malformed, answer) => self.answer.keep(answer, format!("malformed {malformed}")),
            Event::Auth { mechanism, initial, turn } => {
                let initial = initial.map_or("-".into(), |octets| quoted(octets.expose()));
                self.turn.keep(turn, format!("auth {} {initial}", mechanism.name()))
            }
            Event::AuthResponse(response, turn) => {
                self.turn.keep(turn, format!("response {}", quoted(response.expose())))
            }
            Event::AuthCancelled(why) => format!("cancelled {why:?}"),
            Event::StartTls(offer) => self.tls.keep(offer, "starttls"),
            Event::Commit(deletions, answer) => {
                self.answer.keep(answer, format!("commit {:?}", deletions.numbers().collect::<Vec<_>>()))
            }
            Event::Abort(why) => format!("abort {why:?}"),
            other => format!("{other:?}"),
        }
    }

    fn act(&mut self, step: &str, server: &mut Server, output: &mut Output) -> Result<(), String> {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        match verb {
            "answer" => server.answer(self.answer.take(), &reply(rest), output).map_err(why),
            "refuse" => server.refuse(self.answer.take(), output).map_err(why),
            "accept" => {
                let (text, drop) = rest.split_once('|').unwrap();
                let (reply, drop) = (reply(text.trim()), maildrop(drop));
                if self.turn.is_some() {
                    return server.accept_auth(self.turn.take(), drop, &reply, output).map_err(why);
                }
                server.accept(self.answer.take(), drop, &reply, output).map_err(why)
            }
            "refuse-auth" => server.refuse_auth(self.turn.take(), &reply(rest), output).map_err(why),
            "challenge" => server.challenge(self.turn.take(), &unescape(rest), output).map_err(why),
            "refuse-tls" => server.refuse_tls(self.tls.take(), output).map_err(why),
            "body" => {
                let (text, body) = rest.split_once('|').unwrap();
                let text = ReplyText::try_from(text.trim()).unwrap();
                let mut grant = server.answer_body(self.answer.take(), text, output).map_err(why)?;
                let mut piece = Bytes::from(unescape(body.strip_prefix(' ').unwrap_or(body)));
                server.body(&mut grant, &mut piece, output).unwrap();
                assert!(piece.is_empty());
                server.end_body(grant, output).map_err(why)
            }
            "break-off" => {
                let text = ReplyText::try_from(rest).unwrap();
                let grant = server.answer_body(self.answer.take(), text, output).map_err(why)?;
                server.break_off(grant).map_err(why)
            }
            other => panic!("{other}"),
        }
    }

    fn upgrade(&mut self) -> TlsOffer {
        self.tls.take()
    }
}

fn quoted(octets: &[u8]) -> String {
    format!("\"{}\"", escape(octets))
}
