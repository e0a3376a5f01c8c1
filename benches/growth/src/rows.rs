//! What is read: bodies by the octet, listings by the entry, commands by the line.

use crate::feed::Fed;
use mail_imap_proto as imap;
use mail_pop3_proto as pop3;
use mail_smtp_proto as smtp;
use mail_wire::Handover;
use std::hint::black_box;

/// Something that is read.
pub struct Row {
    pub name: &'static str,
    /// The octets of `n` octets or entries.
    pub wire: fn(u64) -> Vec<u8>,
    /// Reads them in reads of a size, and gives what it was told.
    pub run: fn(usize, &[u8]) -> u64,
    /// The sizes of the reads, and the largest `n` for each.
    pub sizes: &'static [(usize, u64)],
}

const MIB: u64 = 1 << 20;
const OCTETS: &[(usize, u64)] = &[(1, MIB), (1_460, 64 * MIB), (16_384, 64 * MIB)];
const ENTRIES: &[(usize, u64)] = &[(1, 40_000), (1_460, 1_000_000), (16_384, 1_000_000)];
const LINES: &[(usize, u64)] = &[(1, 10_000), (1_460, 200_000), (16_384, 200_000)];

pub const ROWS: &[Row] = &[
    Row { name: "pop3-retr", wire: pop3_message, run: pop3_retr, sizes: OCTETS },
    Row { name: "pop3-list", wire: pop3_sizes, run: pop3_list, sizes: ENTRIES },
    Row { name: "pop3-uidl", wire: pop3_ids, run: pop3_uidl, sizes: ENTRIES },
    Row { name: "pop3-commands", wire: noops, run: pop3_commands, sizes: LINES },
    Row { name: "smtp-data", wire: smtp_message, run: smtp_server, sizes: OCTETS },
    Row { name: "smtp-commands", wire: smtp_mails, run: smtp_server, sizes: LINES },
    Row { name: "smtp-replies", wire: smtp_replies, run: smtp_client, sizes: LINES },
    Row { name: "imap-literal", wire: imap_message, run: imap_literal, sizes: OCTETS },
    Row { name: "imap-append", wire: imap_append, run: imap_server, sizes: OCTETS },
    Row {
        name: "imap-search",
        wire: imap_numbers,
        run: imap_search,
        sizes: &[(1, 100_000), (1_460, 1_000_000), (16_384, 1_000_000)],
    },
    Row {
        name: "imap-fetch",
        wire: imap_envelopes,
        run: imap_fetch,
        sizes: &[(1, 4_000), (1_460, 40_000), (16_384, 40_000)],
    },
    Row { name: "imap-commands", wire: imap_statuses, run: imap_server, sizes: LINES },
];

/// Lines of a message, every eighth one with a dot in front, of at least `n` octets; on the wire it is stuffed.
fn text(n: u64, stuffed: bool) -> Vec<u8> {
    let mut text = Vec::new();
    let mut line = 0;
    while (text.len() as u64) < n {
        if line % 8 == 0 {
            text.extend_from_slice(if stuffed { b".." } else { b"." });
        }
        text.extend_from_slice(b"a line of a message as long as lines of messages are, or nearly so\r\n");
        line += 1;
    }
    text
}

fn pop3_client(read: usize) -> Fed<pop3::client::Client> {
    use pop3::types::{Password, UserName};
    let machine = Handover::implicit(pop3::client::Client::new(pop3::client::Config::default())).secured();
    let mut fed = Fed::new(machine, read);
    fed.feed(b"+OK\r\n", |_, _, _| 0);
    let user = pop3::Command::User(UserName::try_from("me").expect("a name"));
    let pass = pop3::Command::Pass(Password::try_from("pass").expect("a password"));
    for command in [user, pass] {
        fed.machine.send(&command, &mut fed.output).expect("may be sent");
        fed.feed(b"+OK\r\n", |_, _, _| 0);
    }
    fed
}

fn pop3_answer(command: &pop3::Command<'_>, read: usize, wire: &[u8]) -> u64 {
    use pop3::client::Event;
    let mut fed = pop3_client(read);
    fed.machine.send(command, &mut fed.output).expect("may be sent");
    fed.feed(wire, |event, _, _| match event {
        Event::Chunk(octets) => black_box(octets).len() as u64,
        Event::Items(_, items) => items.iter().filter(|item| black_box(item).is_ok()).count() as u64,
        _ => 0,
    })
}

fn pop3_message(n: u64) -> Vec<u8> {
    [b"+OK\r\n", text(n, true).as_slice(), b".\r\n"].concat()
}

fn pop3_retr(read: usize, wire: &[u8]) -> u64 {
    pop3_answer(&pop3::Command::Retr(pop3::types::MessageNumber::FIRST), read, wire)
}

fn pop3_sizes(n: u64) -> Vec<u8> {
    let lines: String = (1..=n).map(|n| format!("{n} {}\r\n", n * 37 % 100_000)).collect();
    format!("+OK\r\n{lines}.\r\n").into()
}

fn pop3_list(read: usize, wire: &[u8]) -> u64 {
    pop3_answer(&pop3::Command::List(None), read, wire)
}

fn pop3_ids(n: u64) -> Vec<u8> {
    let lines: String = (1..=n).map(|n| format!("{n} {:016x}\r\n", n * 0x9E37_79B9)).collect();
    format!("+OK\r\n{lines}.\r\n").into()
}

fn pop3_uidl(read: usize, wire: &[u8]) -> u64 {
    pop3_answer(&pop3::Command::Uidl(None), read, wire)
}

fn noops(n: u64) -> Vec<u8> {
    ["USER me\r\nPASS pass\r\n", &"NOOP\r\n".repeat(n as usize)].concat().into()
}

fn pop3_commands(read: usize, wire: &[u8]) -> u64 {
    use pop3::server::{Config, Event, Maildrop, Server};
    use pop3::{Command, Reply, types::ReplyText};
    let mut fed = Fed::new(Handover::implicit(Server::new(Config::default())).secured(), read);
    fed.feed(wire, |event, server, output| {
        let ok = Reply::ok(ReplyText::EMPTY);
        match event {
            Event::Connected(answer) | Event::Command(Command::User(_), answer) => {
                server.answer(answer, &ok, output).expect("owed");
            }
            Event::Command(Command::Pass(_), answer) => {
                server.accept(answer, Maildrop::new(), &ok, output).expect("owed");
            }
            _ => {}
        }
        1
    })
}

fn smtp_server(read: usize, wire: &[u8]) -> u64 {
    use smtp::ReplyBuf;
    use smtp::server::{Config, Event, Server};
    let mut config = Config::default();
    (config.limits.message, config.limits.idle_commands) = (u64::MAX, u32::MAX);
    config.policy.sync = smtp::policy::Sync::Loose;
    let ok = |code| ReplyBuf::line(code, "ok").expect("a reply");
    Fed::new(Server::new(config), read).feed(wire, |event, server, output| match event {
        Event::Connected(answer) => {
            server.answer(answer, &ok(220), output).expect("owed");
            0
        }
        Event::Command(_, answer) | Event::BodyEnd(answer) => {
            server.answer(answer, &ok(250), output).expect("owed");
            1
        }
        Event::Body(offer) => {
            server.accept_body(offer, output).expect("owed");
            0
        }
        Event::Chunk(octets) => black_box(octets).len() as u64,
        _ => 0,
    })
}

fn smtp_message(n: u64) -> Vec<u8> {
    let head = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";
    [head.as_slice(), &text(n, true), b".\r\nQUIT\r\n"].concat()
}

fn smtp_mails(n: u64) -> Vec<u8> {
    let mail = "MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nRSET\r\n";
    ["EHLO c\r\n", &mail.repeat(n as usize / 3)].concat().into()
}

const REPLY: &[u8] = b"250-2.0.0 fine\r\n250 2.0.0 still fine\r\n";

fn smtp_replies(n: u64) -> Vec<u8> {
    REPLY.repeat(n as usize)
}

fn smtp_client(read: usize, wire: &[u8]) -> u64 {
    use smtp::client::{Client, Config, Event};
    let mut fed = Fed::new(Client::new(Config::default()), read);
    fed.feed(b"220 mx\r\n", |_, _, _| 0);
    let noop = smtp::Command::parse(b"NOOP").expect("a command");
    let mut told = 0;
    for reply in wire.chunks(REPLY.len()) {
        fed.machine.send(&noop, &mut fed.output).expect("nothing is in flight");
        told += fed.feed(reply, |event, _, _| match event {
            Event::Reply(_, reply) => black_box(reply.lines().count()) as u64,
            _ => 0,
        });
    }
    told
}

fn imap_client(read: usize, command: &[u8], wire: &[u8]) -> u64 {
    use imap::client::{Client, Config, Event};
    let limits = imap::Limits::default();
    let mut fed = Fed::new(Handover::implicit(Client::new(Config::default())).secured(), read);
    fed.feed(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n", |_, _, _| 0);
    for (line, answer) in [(&b"x SELECT y\r\n"[..], &b"A1 OK in\r\n"[..]), (command, b"")] {
        let (_, command) = imap::Command::parse(line, &limits, false).expect("a command");
        fed.machine.send(&command, &mut fed.output).expect("may be sent");
        fed.feed(answer, |_, _, _| 0);
    }
    fed.feed(wire, |event, _, _| match event {
        Event::Chunk(octets) => black_box(octets).len() as u64,
        Event::Fetch(part) => black_box(part.items().count()) as u64,
        Event::Untagged(untagged) => {
            black_box(untagged);
            1
        }
        _ => 0,
    })
}

fn imap_message(n: u64) -> Vec<u8> {
    let text = text(n, false);
    let head = format!("* 1 FETCH (UID 4 BODY[] {{{}}}\r\n", text.len());
    [head.as_bytes(), &text, b")\r\n"].concat()
}

fn imap_literal(read: usize, wire: &[u8]) -> u64 {
    imap_client(read, b"x FETCH 1 BODY.PEEK[]\r\n", wire)
}

fn imap_numbers(n: u64) -> Vec<u8> {
    let numbers: String = (1..=n).map(|n| format!(" {n}")).collect();
    format!("* SEARCH{numbers}\r\n").into()
}

fn imap_search(read: usize, wire: &[u8]) -> u64 {
    imap_client(read, b"x SEARCH ALL\r\n", wire)
}

const ENVELOPE: &str = concat!(
    r#"("Mon, 7 Feb 1994 21:52:25 -0800" "a subject" (("A" NIL "a" "b.example")) NIL NIL "#,
    r#"((NIL NIL "c" "d")) NIL NIL NIL "<1@b>")"#
);

fn imap_envelopes(n: u64) -> Vec<u8> {
    let line = |n| format!("* {n} FETCH (UID {n} FLAGS (\\Seen) ENVELOPE {ENVELOPE})\r\n");
    (1..=n).map(line).collect::<String>().into()
}

fn imap_fetch(read: usize, wire: &[u8]) -> u64 {
    imap_client(read, b"x FETCH 1:* (UID FLAGS ENVELOPE)\r\n", wire)
}

fn imap_server(read: usize, wire: &[u8]) -> u64 {
    use imap::server::{Config, Event, Server};
    use imap::types::{Condition, ResponseText, Status};
    let limits = imap::Limits { append: u64::MAX, ..imap::Limits::default() };
    let server = Server::new(Config { limits, ..Config::default() });
    let mut fed = Fed::new(Handover::implicit(server).secured(), read);
    let done = Status::new(Condition::Ok, ResponseText::new(b"done").expect("a text"));
    fed.feed(wire, |event, server, output| match event {
        Event::Connected(answer) | Event::Command(_, answer) | Event::BodyEnd(answer) => {
            server.answer(answer, &done, output).expect("owed");
            1
        }
        Event::Append(_, offer) => {
            server.accept_body(offer, output).expect("owed");
            0
        }
        Event::Chunk(octets) => black_box(octets).len() as u64,
        _ => 0,
    })
}

fn imap_append(n: u64) -> Vec<u8> {
    let text = text(n, false);
    let head = format!("a LOGIN u p\r\nb APPEND INBOX {{{}+}}\r\n", text.len());
    [head.as_bytes(), &text, b"\r\n"].concat()
}

fn imap_statuses(n: u64) -> Vec<u8> {
    ["a LOGIN u p\r\n", &"t STATUS \"a mailbox\" (MESSAGES UIDNEXT)\r\n".repeat(n as usize)].concat().into()
}
