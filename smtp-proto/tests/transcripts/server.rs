//! The server's side of a transcript.
//!
//! | settings | |
//! |---|---|
//! | `offer none`, `offer LINE`, `without KEYWORD` | what EHLO says |
//! | `grammar tolerant`, `line tolerant`, `plaintext allow`, `xclient allow`, `early refuse` | the policy |
//! | `tls required`, `auth required`, `sync strict`, `eol normalise`, `eol pass` | the policy |
//! | `message N`, `discard N`, `recipients N`, `bad N`, `idle N`, `failures N`, `chunks N` | the limits, by their names |
//! | `command-line N`, `auth-line N` | the limits of lines |
//! | `lmtp` | the protocol is LMTP |
//!
//! | the application | |
//! |---|---|
//! | `answer REPLY`, `answer-each REPLY \| REPLY` | answers the command or the message |
//! | `refuse` | the standard's reply to a malformed command |
//! | `challenge OCTETS`, `accept-auth REPLY`, `refuse-auth REPLY` | a turn of AUTH |
//! | `accept`, `refuse-body REPLY` | takes the body, or not |
//! | `refuse-tls` | refuses STARTTLS |
//! | `shutdown`, `expire` | the driver ends the session |

use bytes::Buf;
use mail_smtp_proto::policy::Sync;
use mail_smtp_proto::server::{
    Answer, AuthTurn, BodyForm, BodyOffer, Config, Event, Offer, Server, TlsOffer,
};
use mail_smtp_proto::types::{EhloName, EnhancedCode};
use mail_smtp_proto::{Allow, Command, Extension, Grammar, ReplyBuf, Tls, encode};
use mail_testkit::{Actor, Held, Script, escape, unescape, why};
use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;
use mail_wire::{Closing, Machine, Output};

#[derive(Default)]
pub(crate) struct Application {
    answer: Held<Answer>,
    turn: Held<AuthTurn>,
    tls: Held<TlsOffer>,
    body: Held<BodyOffer>,
}

/// `250 2.1.0 text`.
fn reply(words: &str) -> ReplyBuf {
    let (code, text) = words.split_once(' ').unwrap_or((words, ""));
    let (enhanced, rest) = text.split_once(' ').unwrap_or((text, ""));
    match EnhancedCode::try_from(enhanced.as_bytes()) {
        Ok(enhanced) => ReplyBuf::line(code.parse().unwrap(), rest).unwrap().with_enhanced(enhanced),
        Err(_) => ReplyBuf::line(code.parse().unwrap(), text).unwrap(),
    }
}

/// A command in the form in which a client writes it.
fn line(command: &Command<'_>) -> String {
    let mut output = Output::new();
    encode::command(command, &mut output);
    escape(&output.copy_to_bytes(output.remaining())).trim_end_matches("\\r\\n").to_owned()
}

impl Actor for Application {
    type Machine = Server;

    fn machine(script: &Script) -> Server {
        let mut config = Config::new(EhloName::try_from("mx.example").unwrap());
        config.policy.sync = Sync::Loose;
        for setting in script.settings() {
            let policy = &mut config.policy;
            let limits = &mut config.limits;
            match setting {
                ("offer", "none") => {
                    config.offer = Offer::bare(EhloName::try_from("mx.example").unwrap()).into()
                }
                ("offer", line) => config.offer = Offer::clone(&config.offer).with_text(line).unwrap().into(),
                ("without", line) => {
                    let without = Extension::of(line.as_bytes()).unwrap();
                    config.offer = Offer::clone(&config.offer).without(without).into();
                }
                ("grammar", "tolerant") => policy.grammar = Grammar::tolerant(),
                ("line", "tolerant") => policy.line = LineEnd::Tolerant,
                ("plaintext", "allow") => policy.plaintext_auth = Allow::Allow,
                ("xclient", "allow") => policy.xclient = Allow::Allow,
                ("early", "refuse") => policy.early_talker = Allow::Refuse,
                ("tls", "required") => policy.tls = Tls::Required,
                ("auth", "required") => policy.require_auth = true,
                ("sync", "strict") => policy.sync = Sync::Strict,
                ("eol", "normalise") => policy.body_eol = BodyEol::Normalise,
                ("eol", "pass") => policy.body_eol = BodyEol::Pass,
                ("message", n) => limits.message = n.parse().unwrap(),
                ("discard", n) => limits.discard = n.parse().unwrap(),
                ("recipients", n) => limits.recipients = n.parse().unwrap(),
                ("bad", n) => limits.bad_commands = n.parse().unwrap(),
                ("idle", n) => limits.idle_commands = n.parse().unwrap(),
                ("failures", n) => limits.auth_failures = n.parse().unwrap(),
                ("chunks", n) => limits.chunks = n.parse().unwrap(),
                ("command-line", n) => limits.command_line = n.parse().unwrap(),
                ("auth-line", n) => limits.auth_line = n.parse().unwrap(),
                ("lmtp", _) => config.lmtp = true,
                other => panic!("{other:?}"),
            }
        }
        Server::new(config)
    }

    fn event(&mut self, event: Event<'_>) -> String {
        match event {
            Event::Connected(answer) => self.answer.keep(answer, "connected"),
            Event::Command(command, answer) => {
                self.answer.keep(answer, format!("command {}", line(&command)))
            }
            Event::Answered(command) => format!("answered {}", line(&command)),
            Event::Refused(refused) => {
                format!("refused {} {}", refused.verb.map_or("-", |verb| verb.as_str()), refused.code)
            }
            Event::Malformed(malformed, answer) => self.answer.keep(answer, format!("malformed {malformed}")),
            Event::Auth { mechanism, initial, turn } => {
                let initial = initial.map_or("-".into(), |text| format!("\"{}\"", escape(text.expose())));
                self.turn.keep(turn, format!("auth {} {initial}", mechanism.as_str()))
            }
            Event::AuthResponse(response, turn) => {
                self.turn.keep(turn, format!("response \"{}\"", escape(response.expose())))
            }
            Event::AuthCancelled => "cancelled".into(),
            Event::StartTls(offer) => self.tls.keep(offer, "starttls"),
            Event::Body(offer) => {
                let words = match offer.form() {
                    BodyForm::Data => "body".to_owned(),
                    BodyForm::Chunk { octets, first, last } => {
                        let first = if first { " first" } else { "" };
                        format!("body {octets}{first}{}", if last { " last" } else { "" })
                    }
                };
                self.body.keep(offer, words)
            }
            Event::Chunk(octets) => format!("chunk {}", escape(octets)),
            Event::BodyEnd(answer) => self.answer.keep(answer, "end-of-body"),
            Event::Abort(why) => format!("abort {why:?}"),
            other => format!("{other:?}"),
        }
    }

    fn act(&mut self, action: &str, server: &mut Server, output: &mut Output) -> Result<(), String> {
        let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
        match verb {
            "answer" => server.answer(self.answer.take(), &reply(rest), output).map_err(why)?,
            "answer-each" => {
                let replies: Vec<_> = rest.split(" | ").map(reply).collect();
                server.answer_each(self.answer.take(), &replies, output).map_err(why)?;
            }
            "refuse" => server.refuse(self.answer.take(), output).map_err(why)?,
            "challenge" => server.challenge(self.turn.take(), &unescape(rest), output).map_err(why)?,
            "accept-auth" => {
                server.accept_auth(self.turn.take(), &reply(rest), output).map_err(why)?;
            }
            "refuse-auth" => {
                server.refuse_auth(self.turn.take(), &reply(rest), output).map_err(why)?;
            }
            "refuse-tls" => server.refuse_tls(self.tls.take(), output).map_err(why)?,
            "accept" => server.accept_body(self.body.take(), output).map_err(why)?,
            "refuse-body" => {
                server.refuse_body(self.body.take(), &reply(rest), output).map_err(why)?;
            }
            "shutdown" => server.close(Closing::Shutdown, output),
            "expire" => server.close(Closing::Expired, output),
            other => panic!("{other}"),
        }
        Ok(())
    }

    fn upgrade(&mut self) -> TlsOffer {
        self.tls.take()
    }
}
