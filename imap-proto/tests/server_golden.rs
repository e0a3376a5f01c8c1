//! The golden transcripts of the server machine (`tests/golden/server`), replayed cut and faulty in every way.
//!
//! | settings | |
//! |---|---|
//! | `offer CAPABILITIES` | what is offered; else the default |
//! | `append N` | the largest message |
//!
//! | the application | |
//! |---|---|
//! | `answer CONDITION TEXT` | answers what is in flight, be it a command, the greeting or a SASL exchange |
//! | `refuse` | the standard's refusal |
//! | `exists N`, `expunge N`, `flags FLAGS`, `search NUMBERS`, `count N`, `list NAME`, `namespace` | tells what is new, or what was asked for |
//! | `fetch N UID OCTETS` | a FETCH with the message, streamed |
//! | `idle` | lets IDLE begin |
//! | `accept`, `drop CONDITION TEXT` | the message of an APPEND |
//! | `challenge OCTETS` | the next step of a SASL exchange |
//! | `refuse-tls` | no TLS |

use bytes::Bytes;
use mail_imap_proto::Limits;
use mail_imap_proto::server::{
    Answer, AuthTurn, BodyOffer, Config, Event, IdleTurn, NamespaceEntry, Offer, SearchResult, Server,
    TlsOffer, Writer,
};
use mail_imap_proto::types::{AString, Condition, FetchAtt, Flags, Mailbox, ResponseText, Status};
use mail_testkit::{Actor, Held, Script, escape, faults, unescape, why};
use mail_wire::{Misuse, Output};

#[derive(Default)]
struct Application {
    answer: Held<Answer>,
    idle: Held<IdleTurn>,
    turn: Held<AuthTurn>,
    body: Held<BodyOffer>,
    tls: Held<TlsOffer>,
}

/// `CONDITION TEXT`.
fn status(words: &str) -> Status<'_> {
    let (condition, text) = words.split_once(' ').expect("a condition and text");
    let condition = Condition::from_name(condition.as_bytes()).expect("a condition");
    Status::new(condition, ResponseText::new(text.as_bytes()).expect("text"))
}

fn number(words: &str) -> u32 {
    words.parse().expect("a number")
}

/// Says what is new, with the token of the command in flight or of IDLE.
fn tell(writer: &mut Writer<'_>, verb: &str, rest: &str) -> Result<(), Misuse> {
    match verb {
        "exists" => writer.exists(number(rest)),
        "expunge" => writer.expunge(number(rest))?,
        "flags" => writer.flags(Flags::new(rest.as_bytes()).expect("flags")),
        "search" => writer.search(rest.split_whitespace().map(number)),
        "count" => {
            writer.esearch(false, SearchResult { count: Some(number(rest)), ..SearchResult::default() })
        }
        "list" => writer.list(Flags::NONE, Some(b'/'), Mailbox::new(rest.as_bytes()).expect("a name")),
        "namespace" => {
            let own = NamespaceEntry { prefix: AString::new(b"").expect("a prefix"), delimiter: Some(b'/') };
            writer.namespace(&[own], &[], &[])
        }
        other => panic!("{other}"),
    };
    Ok(())
}

impl Application {
    /// `N UID OCTETS`: the message goes out as a literal.
    fn fetch(&mut self, rest: &str, server: &mut Server, output: &mut Output) -> Result<(), Misuse> {
        let mut words = rest.splitn(3, ' ');
        let mut next = || words.next().expect("a number, a UID and octets");
        let (message, uid, mut octets) = (number(next()), number(next()), Bytes::from(unescape(next())));
        let mut writer = server.untagged(self.answer.lend(), output)?;
        let fetch = writer.fetch(message).uid(uid);
        let mut grant = fetch.body(FetchAtt::MESSAGE, octets.len() as u64)?;
        server.body(&mut grant, &mut octets, output)
    }
}

impl Actor for Application {
    type Machine = Server;
    const TRUNCATED: &'static str = "the connection ended inside a unit or with commands in flight";

    fn machine(script: &Script) -> Server {
        let mut config = Config { limits: Limits::default(), ..Config::default() };
        for (key, value) in script.settings() {
            match key {
                "offer" => config.offer = Offer::new(value).unwrap().into(),
                "append" => config.limits.append = value.parse().unwrap(),
                other => panic!("{other}"),
            }
        }
        Server::new(config)
    }

    fn upgrade(&mut self) -> TlsOffer {
        self.tls.take()
    }

    fn event(&mut self, event: Event<'_>) -> String {
        // Whatever comes ends IDLE, and its turn is void.
        self.idle = Held::default();
        match event {
            Event::Connected(answer) => self.answer.keep(answer, "connected"),
            Event::Command(command, answer) => self.answer.keep(answer, format!("{command:?}")),
            Event::Answered(command) => format!("answered {command:?}"),
            Event::Refused(why) => format!("refused {why:?}"),
            Event::Malformed(malformed, answer) => {
                self.answer.keep(answer, format!("malformed {} at {}", malformed.rule, malformed.at))
            }
            Event::Auth { mechanism, initial, turn } => {
                let initial = initial.map(|octets| escape(octets.expose()));
                self.turn.keep(turn, format!("auth {mechanism} {initial:?}"))
            }
            Event::AuthResponse(octets, turn) => {
                self.turn.keep(turn, format!("response {}", escape(octets.expose())).trim_end())
            }
            Event::AuthCancelled(why) => format!("cancelled {why:?}"),
            Event::StartTls(offer) => self.tls.keep(offer, "starttls"),
            Event::Append(append, offer) => self.body.keep(offer, format!("{append:?}")),
            Event::Chunk(octets) => format!("chunk {}", escape(octets)),
            Event::BodyEnd(answer) => self.answer.keep(answer, "body-end"),
            Event::IdleDone(answer) => self.answer.keep(answer, "idle-done"),
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self, words: &str, server: &mut Server, output: &mut Output) -> Result<(), String> {
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        let text = |misuse: Misuse| misuse.to_string();
        match verb {
            "answer" if self.turn.is_some() => {
                let (turn, status) = (self.turn.take(), status(rest));
                match status.is_ok() {
                    true => server.accept_auth(turn, &status, output).map_err(why),
                    false => server.refuse_auth(turn, &status, output).map_err(why),
                }
            }
            "answer" => server.answer(self.answer.take(), &status(rest), output).map_err(why),
            "refuse" => server.refuse(self.answer.take(), output).map_err(why),
            "challenge" => server.challenge(self.turn.take(), &unescape(rest), output).map_err(why),
            "accept" => server.accept_body(self.body.take(), output).map_err(why),
            "drop" => server.refuse_body(self.body.take(), &status(rest), output).map_err(why),
            "refuse-tls" => server.refuse_tls(self.tls.take(), output).map_err(why),
            "idle" => {
                self.idle.keep(server.idle(self.answer.take(), output).map_err(why)?, "");
                Ok(())
            }
            "fetch" => self.fetch(rest, server, output).map_err(text),
            _ if self.idle.is_some() => {
                tell(&mut server.untagged(self.idle.lend(), output).map_err(text)?, verb, rest).map_err(text)
            }
            _ => tell(&mut server.untagged(self.answer.lend(), output).map_err(text)?, verb, rest)
                .map_err(text),
        }
    }
}

mail_testkit::golden!(server: crate::Application);

/// Whatever the octets are: no message is whole that was not let through, no log-in is told that was not asked for, and no literal is
/// granted but one that was announced.
#[test]
fn a_server_tells_no_more_than_was_said() {
    faults::matrix::<Application>(env!("CARGO_MANIFEST_DIR"), |script, octets, outcome| {
        let said = |what: &[u8]| {
            octets.windows(what.len()).filter(|window| window.eq_ignore_ascii_case(what)).count()
        };
        let told = [
            ("body-end", said(b"APPEND")),
            ("Append", said(b"APPEND")),
            ("Login", said(b"LOGIN")),
            ("auth", said(b"AUTHENTICATE")),
            ("starttls", said(b"STARTTLS")),
            ("idle-done", said(b"DONE")),
        ];
        for (event, most) in told {
            assert!(outcome.count(&[event]) <= most, "{}: {outcome:?}", script.name);
        }
        let sent = |what: &[u8]| outcome.sent.windows(what.len()).filter(|window| *window == what).count();
        assert!(sent(b"+ go ahead\r\n") <= said(b"}\r\n") + said(b"}\n"), "{}: {outcome:?}", script.name);
        let ends = outcome.sent.split(|octet| *octet == b'\n');
        let tagged = |line: &&[u8]| {
            let words: Vec<_> = line.splitn(3, |octet| *octet == b' ').collect();
            words.len() == 3 && words[0] != b"*" && [&b"OK"[..], b"NO", b"BAD"].contains(&words[1])
        };
        let lines = octets.iter().filter(|octet| **octet == b'\n').count();
        // A line that is cut off may be answered too.
        assert!(ends.filter(tagged).count() <= lines + 1, "{}: {outcome:?}", script.name);
    });
}
