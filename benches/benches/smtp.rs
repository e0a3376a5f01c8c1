//! SMTP commands: the grammar alone, and the server machine with its replies.

use bytes::Buf;
use mail_benches::{Row, alloc::Counting, inputs};
use mail_smtp_proto::server::{Config, Event, Offer, Server};
use mail_smtp_proto::types::EhloName;
use mail_smtp_proto::{Command, Extension, ReplyBuf};
use mail_wire::line::{LineEnd, LineFramer};
use mail_wire::{Framed, Input, Machine, Output};
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TRANSACTIONS: usize = 10_000;
const COMMANDS: usize = TRANSACTIONS * 6;

fn main() {
    for (parameters, name) in [(true, "commands with DSN parameters"), (false, "commands with BODY alone")] {
        grammar(name, &inputs::smtp_commands(TRANSACTIONS, parameters));
    }
    machine(&inputs::smtp_commands(TRANSACTIONS, false));
}

fn grammar(name: &str, wire: &[u8]) {
    Row::new(name, wire.len(), COMMANDS)
        .with("mail-smtp-proto: framed and parsed", || {
            let (mut framer, mut rest, mut commands) = (LineFramer::new(), wire, 0);
            while let Ok(Some(line)) = framer.step(rest, LineEnd::Strict, 4096) {
                black_box(Command::parse(&rest[..line.text]).expect("a good command"));
                rest = &rest[line.len..];
                commands += 1;
            }
            commands
        })
        .with("smtp-proto 0.2: RequestReceiver", || {
            let (mut octets, mut commands) = (wire.iter(), 0);
            let mut receiver = smtp_proto::request::receiver::RequestReceiver::default();
            while !octets.as_slice().is_empty() {
                black_box(receiver.ingest(&mut octets).expect("a good command"));
                commands += 1;
            }
            commands
        })
        .measure();
}

/// The server machine, every command answered; DATA is refused, so that the commands follow each other.
fn machine(wire: &[u8]) {
    let reply = |code, text| ReplyBuf::line(code, text).expect("a reply");
    let (greeting, ok, no) = (reply(220, "ready"), reply(250, "ok"), reply(451, "not now"));
    Row::new("server machine, replies written, 16 KiB reads", wire.len(), COMMANDS)
        .with("mail-smtp-proto: server machine", || {
            let mut config = Config::new(EhloName::new(b"mx.example").expect("a name"));
            config.offer = Offer::clone(&config.offer).without(Extension::StartTls).into();
            config.limits.idle_commands = u32::MAX;
            config.policy.sync = mail_smtp_proto::policy::Sync::Loose;
            let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
            let (mut rest, mut sent) = (wire, 0);
            loop {
                match server.frame(&mut input, &mut output).expect("good commands") {
                    Framed::Ready(unit) => match server.decode(unit, &mut input).expect("good commands") {
                        Event::Connected(answer) => server.answer(answer, &greeting, &mut output),
                        Event::Command(command, answer) => {
                            black_box(command);
                            server.answer(answer, &ok, &mut output)
                        }
                        Event::Body(offer) => {
                            server.refuse_body(offer, &no, &mut output).expect("is owed");
                            Ok(())
                        }
                        _ => Ok(()),
                    }
                    .expect("is owed"),
                    Framed::NeedInput if rest.is_empty() => break,
                    Framed::NeedInput => rest = &rest[input.feed(rest)..],
                    Framed::Paused(_) => {}
                    Framed::Closed => panic!("closed"),
                }
                sent += output.remaining() as u64;
                output.advance(output.remaining());
            }
            sent
        })
        .measure();
}
