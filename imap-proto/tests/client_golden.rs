//! The golden transcripts of the client machine (`tests/golden/client`), replayed cut and faulty in every way.
//!
//! | settings | |
//! |---|---|
//! | `literal-inline N` | literals above so many octets are streamed |
//! | `tls required` | the policy |
//!
//! | the application | |
//! |---|---|
//! | `send LINE` | sends the command of this line, literals inside it included; the tag is the line's |
//! | `body N OCTETS` | the message that is wanted, in pieces of N octets |
//! | `done` | IDLE ends |
//! | `respond OCTETS`, `cancel` | answers a challenge |

mod common;

use bytes::Bytes;
use common::{Tokens, take};
use mail_imap_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, IdleGrant, TlsGrant};
use mail_imap_proto::types::Tag;
use mail_imap_proto::{Command, Limits, Tls};
use mail_testkit::{Actor, Held, Script, escape, faults, unescape, why};
use mail_wire::Output;

#[derive(Default)]
struct Application {
    grant: Held<BodyGrant>,
    idle: Held<IdleGrant>,
    turn: Held<AuthTurn>,
    tls: Held<TlsGrant>,
}

impl Actor for Application {
    type Machine = Client;
    const TRUNCATED: &'static str = "the connection ended inside a unit or with commands in flight";

    fn machine(script: &Script) -> Client {
        let mut config = Config::default();
        for (key, value) in script.settings() {
            match key {
                "literal-inline" => config.limits.literal_inline = value.parse().unwrap(),
                "tls" => config.policy.tls = Tls::Required,
                other => panic!("{other}"),
            }
        }
        Client::new(config)
    }

    fn upgrade(&mut self) -> TlsGrant {
        self.tls.take()
    }

    fn event(&mut self, event: Event<'_>) -> String {
        if let Event::Chunk(octets) = event {
            return format!("chunk {}", escape(octets));
        }
        let (words, tokens) = take(event);
        let words = words.trim_end();
        match tokens {
            Tokens::None => words.into(),
            Tokens::Body(grant) => self.grant.keep(grant, words),
            Tokens::Idle(grant) => self.idle.keep(grant, words),
            Tokens::Turn(turn) => self.turn.keep(turn, words),
            Tokens::Tls(grant) => self.tls.keep(grant, words),
        }
    }

    fn act(&mut self, words: &str, client: &mut Client, output: &mut Output) -> Result<(), String> {
        let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
        let octets = unescape(rest);
        match verb {
            "send" => {
                let (tag, command) = Command::parse(&octets, &Limits::default(), true).expect("a command");
                client.set_next_tag(Tag::new(tag.as_bytes()).expect("a tag")).expect("a free tag");
                client.send(&command, output).map(drop).map_err(|misuse| misuse.to_string())
            }
            "body" => {
                let (size, octets) = rest.split_once(' ').expect("a size and octets");
                let mut grant = self.grant.take();
                for piece in unescape(octets).chunks(size.parse().expect("a number")) {
                    let mut piece = Bytes::copy_from_slice(piece);
                    client.body(&mut grant, &mut piece, output).map_err(|misuse| misuse.to_string())?;
                    assert!(piece.is_empty());
                }
                Ok(())
            }
            "respond" => client.respond(self.turn.take(), &octets, output).map_err(why),
            "cancel" => client.cancel(self.turn.take(), output).map_err(why),
            "done" => client.done(self.idle.take(), output).map_err(why),
            other => panic!("{other}"),
        }
    }
}

mail_testkit::golden!(client: crate::Application);

/// Whatever the octets are: no more is completed than was sent, and what a command alone can grant is not granted without it.
#[test]
fn a_client_completes_no_more_than_it_has_sent() {
    faults::matrix::<Application>(env!("CARGO_MANIFEST_DIR"), |script, _, outcome| {
        let sent = |what: &[u8]| outcome.sent.windows(what.len()).filter(|window| *window == what).count();
        let told = [
            ("Completed ", sent(b"\n")),
            ("BodyWanted", sent(b" APPEND ")),
            ("Idling", sent(b" IDLE\r")),
            ("StartTls", sent(b" STARTTLS\r")),
        ];
        for (event, most) in told {
            assert!(outcome.count(&[event]) <= most, "{}: {outcome:?}", script.name);
        }
    });
}
