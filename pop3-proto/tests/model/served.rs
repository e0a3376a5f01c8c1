//! The server machine, and an application that decides as the reference does.

use crate::reference::size;
use crate::{Mail, text};
use bytes::Bytes;
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{self, Event, Language, Maildrop, Offer, TlsOffer};
use mail_pop3_proto::types::{LanguageTag, ReplyText, UniqueId};
use mail_pop3_proto::{Allow, Command, Reply};
use mail_wire::{Framed, Input, Machine, Output};

/// The machine, and an application that decides as the reference does.
pub(crate) struct Served {
    pub(crate) server: server::Server,
    input: Input,
    pub(crate) output: Output,
    mail: Mail,
    pub(crate) removed: Option<Vec<u32>>,
    pub(crate) aborts: usize,
    /// Closed, or failed.
    pub(crate) over: bool,
}

impl Served {
    pub(crate) fn new(mail: &Mail, allowed: bool, offers_tls: bool) -> Self {
        let mut offer = Offer { capabilities: Capabilities::new(), languages: Vec::new() };
        let stls = if offers_tls { "STLS" } else { "" };
        for line in ["TOP", "UIDL", "PIPELINING", "UTF8", "LANG", "USER", "SASL PLAIN", stls] {
            assert_eq!(offer.capabilities.add(line.as_bytes()).is_ok(), !line.is_empty());
        }
        offer.languages.push(Language::new(LanguageTag::try_from("en").unwrap(), ReplyText::EMPTY));
        let mut config = server::Config { offer: offer.into(), ..server::Config::default() };
        config.policy.plaintext_auth = if allowed { Allow::Allow } else { Allow::Refuse };
        (config.limits.bad_commands, config.limits.logins) = (1000, 1000);
        let server = server::Server::new(config);
        let (input, output) = (Input::new(), Output::new());
        Self { server, input, output, mail: mail.clone(), removed: None, aborts: 0, over: false }
    }

    fn maildrop(&self) -> Maildrop {
        let mut maildrop = Maildrop::new();
        for (number, lines) in (1..).zip(&self.mail) {
            let id = format!("id-{number}");
            maildrop.push(size(lines) as u64, UniqueId::try_from(id.as_str()).unwrap()).unwrap();
        }
        maildrop
    }

    /// Serves what has come. Gives the token of STLS.
    pub(crate) fn serve(&mut self) -> Option<TlsOffer> {
        for _ in 0..10_000 {
            let drop = self.maildrop();
            let Self { server, input, output, .. } = self;
            let unit = match server.frame(input, output) {
                Ok(Framed::Ready(unit)) => unit,
                Ok(Framed::NeedInput) => return None,
                Ok(Framed::Closed) | Err(_) => {
                    self.over = true;
                    return None;
                }
                Ok(Framed::Paused(pause)) => panic!("{pause:?}"),
            };
            let (yes, no) = (Reply::ok(ReplyText::EMPTY), Reply::err(text("no")));
            match server.decode(unit, input).unwrap() {
                Event::Connected(answer) => server.answer(answer, &yes, output).unwrap(),
                Event::Command(Command::User(name), answer) => {
                    let reply = if name.octets().starts_with(b"no") { no } else { yes };
                    server.answer(answer, &reply, output).unwrap();
                }
                Event::Command(Command::Pass(password), answer) if password.expose().ends_with(b"right") => {
                    server.accept(answer, drop, &yes, output).unwrap();
                }
                Event::Command(Command::Lang(Some(range)), answer) if range.as_str() == "en" => {
                    server.answer(answer, &Reply::ok(text("en")), output).unwrap();
                }
                Event::Command(Command::Retr(message) | Command::Top { message, .. }, answer) => {
                    let mut grant = server.answer_body(answer, ReplyText::EMPTY, output).unwrap();
                    for line in &self.mail[message.get() as usize - 1] {
                        let mut piece = Bytes::from([line, &b"\r\n"[..]].concat());
                        server.body(&mut grant, &mut piece, output).unwrap();
                    }
                    server.end_body(grant, output).unwrap();
                }
                Event::Command(_, answer) | Event::Malformed(_, answer) => {
                    server.refuse(answer, output).unwrap()
                }
                Event::Auth { initial: None, turn, .. } => server.challenge(turn, b"", output).unwrap(),
                Event::Auth { initial: Some(octets), turn, .. } | Event::AuthResponse(octets, turn) => {
                    if octets.expose().ends_with(b"right") {
                        server.accept_auth(turn, drop, &yes, output).unwrap();
                    } else {
                        server.refuse_auth(turn, &no, output).unwrap();
                    }
                }
                Event::StartTls(offer) => return Some(offer),
                Event::Commit(deletions, answer) => {
                    let numbers = deletions.numbers().map(|number| number.get()).collect();
                    assert_eq!(self.removed.replace(numbers), None, "a second commit");
                    server.answer(answer, &yes, output).unwrap();
                }
                Event::Abort(_) => self.aborts += 1,
                Event::Answered(_) | Event::Refused(_) | Event::AuthCancelled(_) => {}
                event => panic!("{event:?}"),
            }
        }
        panic!("it spins");
    }

    /// Reads octets in pieces, and hands over at STLS, behind which nothing stands.
    pub(crate) fn hear(&mut self, mut octets: &[u8], cuts: &mut impl Iterator<Item = usize>) {
        while !octets.is_empty() {
            let n = self.input.feed(&octets[..cuts.next().unwrap().min(octets.len())]);
            octets = &octets[n..];
            if let Some(offer) = self.serve() {
                assert!(octets.is_empty());
                let next = Self::new(&self.mail, false, false);
                let Self { server, input, mut output, .. } = std::mem::replace(self, next);
                self.server = server.start_tls(offer, input, &mut output).unwrap().secured();
                self.output = output;
            }
        }
    }
}
