//! The server's side of a transcript.

use crate::replay::{Actor, Link, Script, escape, unescape};
use bytes::{Buf, Bytes};
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{
    Answer, AuthTurn, Config, Event, Language, Maildrop, Offer, Server, Stamp, TlsOffer,
};
use mail_pop3_proto::types::{Code, LanguageTag, ReplyText, UniqueId};
use mail_pop3_proto::{Allow, Command, Grammar, Reply, Status};
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;
use mail_wire::{Handover, Input, Machine, Output, Returned};

#[derive(Default)]
pub(crate) struct Application {
    answer: Option<Answer>,
    turn: Option<AuthTurn>,
    tls: Option<TlsOffer>,
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

impl Actor for Application {
    type Machine = Server;
    const PIPELINES: bool = true;

    fn new(script: &Script) -> (Self, Server) {
        let mut config = Config::default();
        let mut offer = Offer::default();
        for (key, value) in &script.settings {
            match (key.as_str(), value.as_str()) {
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
                ("link", "tls") => {}
                other => panic!("{other:?}"),
            }
        }
        config.offer = offer.into();
        let server = Server::new(config);
        let secure = script.has("link", "tls");
        let server = if secure { Handover::implicit(server).secured() } else { server };
        (Self::default(), server)
    }

    fn event(&mut self, event: Event<'_>) -> String {
        match event {
            Event::Connected(answer) => {
                self.answer = Some(answer);
                "connected".into()
            }
            Event::Command(command, answer) => {
                self.answer = Some(answer);
                format!("command {}", words(&command))
            }
            Event::Answered(command) => format!("answered {}", words(&command)),
            Event::Refused(refused) => {
                format!("refused {} {:?}", refused.verb.map_or("-", |verb| verb.name()), refused.why)
            }
            Event::Malformed(malformed, answer) => {
                self.answer = Some(answer);
                format!("malformed {malformed}")
            }
            Event::Auth { mechanism, initial, turn } => {
                self.turn = Some(turn);
                let initial =
                    initial.map_or("-".into(), |initial| format!("\"{}\"", escape(initial.expose())));
                format!("auth {} {initial}", mechanism.name())
            }
            Event::AuthResponse(response, turn) => {
                self.turn = Some(turn);
                format!("response \"{}\"", escape(response.expose()))
            }
            Event::AuthCancelled(why) => format!("cancelled {why:?}"),
            Event::StartTls(offer) => {
                self.tls = Some(offer);
                "starttls".into()
            }
            Event::Commit(deletions, answer) => {
                self.answer = Some(answer);
                format!("commit {:?}", deletions.numbers().collect::<Vec<_>>())
            }
            Event::Abort(why) => format!("abort {why:?}"),
            other => format!("{other:?}"),
        }
    }

    fn act(&mut self, action: &str, mut link: Link<Server>) -> Result<Link<Server>, String> {
        fn why<T>(back: Returned<T>) -> String {
            back.why.to_string()
        }
        let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
        let (server, output) = (&mut link.machine, &mut link.output);
        match verb {
            "answer" => server.answer(self.answer.take().unwrap(), &reply(rest), output).map_err(why)?,
            "refuse" => server.refuse(self.answer.take().unwrap(), output).map_err(why)?,
            "accept" => {
                let (text, drop) = rest.split_once('|').unwrap();
                let (reply, drop) = (reply(text.trim()), maildrop(drop));
                match self.turn.take() {
                    Some(turn) => server.accept_auth(turn, drop, &reply, output).map_err(why)?,
                    None => server.accept(self.answer.take().unwrap(), drop, &reply, output).map_err(why)?,
                }
            }
            "refuse-auth" => {
                server.refuse_auth(self.turn.take().unwrap(), &reply(rest), output).map_err(why)?
            }
            "challenge" => {
                server.challenge(self.turn.take().unwrap(), &unescape(rest), output).map_err(why)?
            }
            "refuse-tls" => server.refuse_tls(self.tls.take().unwrap(), output).map_err(why)?,
            "body" => {
                let (text, body) = rest.split_once('|').unwrap();
                let text = ReplyText::try_from(text.trim()).unwrap();
                let answer = self.answer.take().unwrap();
                let mut grant = server.answer_body(answer, text, output).map_err(why)?;
                let mut piece = Bytes::from(unescape(body.strip_prefix(' ').unwrap_or(body)));
                server.body(&mut grant, &mut piece, output).unwrap();
                assert!(piece.is_empty());
                server.end_body(grant, output).map_err(why)?;
            }
            "break-off" => {
                let text = ReplyText::try_from(rest).unwrap();
                let answer = self.answer.take().unwrap();
                let grant = server.answer_body(answer, text, output).map_err(why)?;
                server.break_off(grant).map_err(why)?;
            }
            "tls" => {
                let offer = self.tls.take().unwrap();
                let handover = link.machine.start_tls(offer, link.input, &mut link.output);
                let machine = handover.map_err(|error| error.to_string())?.secured();
                return Ok(Link { machine, input: Input::new(), output: link.output });
            }
            other => panic!("{other}"),
        }
        Ok(link)
    }
}
