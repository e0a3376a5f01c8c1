//! POP3 through the client machine: listings by entry, and a message by octet.

use bytes::{Buf, Bytes};
use mail_benches::{Row, alloc::Counting, inputs};
use mail_pop3_proto::client::{Client, Config, Event};
use mail_pop3_proto::types::{MessageNumber, Password, UserName};
use mail_pop3_proto::{Command, Item, Malformed};
use mail_wire::dot::{Dot, DotDecoder};
use mail_wire::{Framed, Handover, Input, Machine, Output};
use memchr::memchr;
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const READ: usize = 16 * 1024;

fn main() {
    for messages in [100_000, 200_000] {
        let (list, uidl) = inputs::pop3_listings(messages);
        listing(&format!("LIST, {messages} entries"), &Command::List(None), &list, messages);
        listing(&format!("UIDL, {messages} entries"), &Command::Uidl(None), &uidl, messages);
    }
    let wire = inputs::stuffed(&inputs::text(64 << 20));
    retr(&wire);
}

/// What a session is fed: its own answers first, then the measured one.
struct Session {
    client: Client,
    input: Input,
    output: Output,
}

impl Session {
    fn in_transaction() -> Self {
        let client = Handover::implicit(Client::new(Config::default())).secured();
        let mut session = Self { client, input: Input::new(), output: Output::new() };
        session.feed(b"+OK ready\r\n");
        let (user, password) = (UserName::try_from("user"), Password::try_from("password"));
        session.send(&Command::User(user.expect("a name")));
        session.feed(b"+OK\r\n");
        session.send(&Command::Pass(password.expect("a password")));
        session.feed(b"+OK\r\n");
        session
    }

    fn send(&mut self, command: &Command<'_>) {
        self.client.send(command, &mut self.output).expect("may be sent");
        self.output.advance(self.output.remaining());
    }

    /// Feeds all of `wire` in reads of 16 KiB; the sum of what was told.
    fn feed(&mut self, wire: &[u8]) -> u64 {
        let mut told = 0;
        for mut read in wire.chunks(READ) {
            while !read.is_empty() {
                let n = self.input.feed(read);
                read = &read[n..];
                while let Framed::Ready(unit) =
                    self.client.frame(&mut self.input, &mut self.output).expect("a good answer")
                {
                    told += match self.client.decode(unit, &mut self.input).expect("a good answer") {
                        Event::Items(_, items) => items.iter().map(entry).sum(),
                        Event::Chunk(octets) => black_box(octets).len() as u64,
                        _ => 0,
                    };
                }
            }
        }
        told
    }
}

fn entry(item: Result<Item<'_>, Malformed<'_>>) -> u64 {
    match item {
        Ok(Item::Scan { message, octets }) => u64::from(message.get()) + octets,
        Ok(Item::UniqueId { id, .. }) => black_box(id.octets()).len() as u64,
        _ => 0,
    }
}

fn listing(name: &str, command: &Command<'_>, wire: &[u8], entries: usize) {
    Row::new(name, wire.len(), entries)
        .with("mail-pop3-proto: client machine, 16 KiB reads", || {
            let mut session = Session::in_transaction();
            session.send(command);
            session.feed(wire)
        })
        .with("memchr for each line alone", || {
            let (mut rest, mut lines) = (wire, 0);
            while let Some(at) = memchr(b'\n', rest) {
                rest = &rest[at + 1..];
                lines += 1;
            }
            lines
        })
        .measure();
}

fn retr(wire: &[u8]) {
    let answer = Bytes::from([b"+OK\r\n", wire].concat());
    Row::new("RETR, 64 MiB in reads of 16 KiB", wire.len(), 1)
        .with("mail-pop3-proto: client machine", || {
            let mut session = Session::in_transaction();
            session.send(&Command::Retr(MessageNumber::new(1).expect("1")));
            session.feed(&answer)
        })
        .with("mail-wire: the decoder alone, copied into Input", || {
            let (mut input, mut decoder, mut body) = (Input::new(), DotDecoder::crlf(), 0);
            for mut read in wire.chunks(READ) {
                while !read.is_empty() {
                    let n = input.feed(read);
                    read = &read[n..];
                    loop {
                        let used = match decoder.step(input.pending()) {
                            Dot::Data(n) => {
                                body += black_box(&input.pending()[..n]).len() as u64;
                                n
                            }
                            Dot::Stuffing => 1,
                            Dot::End(_) | Dot::Need => break,
                        };
                        input.skip(used);
                    }
                }
            }
            body
        })
        .measure();
}
