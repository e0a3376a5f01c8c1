//! Inputs, made from fixed seeds: the same in every run.

use std::fmt::Write as _;

/// A small generator (xorshift64*).
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn words(&mut self, n: u64) -> String {
        (0..n).map(|_| self.of(WORDS)).collect::<Vec<_>>().join(" ")
    }
}

const WORDS: &[&str] = &[
    "report",
    "meeting",
    "invoice",
    "the",
    "quarterly",
    "draft",
    "of",
    "update",
    "Re:",
    "please",
    "review",
    "and",
    "server",
    "migration",
    "holiday",
    "plan",
    "contract",
    "signed",
    "question",
    "about",
    "mail",
    "delivery",
    "for",
    "next",
    "week",
    "budget",
    "numbers",
    "attached",
    "list",
    "digest",
];
const NAMES: &[&str] = &[
    "Anna Schmidt",
    "John Doe",
    "Mary-Jane O'Neill",
    "Wei Chen",
    "Carlos Diaz",
    "Olga Ivanova",
    "Kenji Sato",
];
const DOMAINS: &[&str] = &["example.org", "mail.example.com", "lists.example.net", "corp.example.co.uk"];

/// Text of a message: prose and base64 lines; one line in about 400 begins with a dot.
pub fn text(len: usize) -> Vec<u8> {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = Random(4242);
    let mut text = b"From: Anna <anna@example.org>\r\nSubject: test\r\nMIME-Version: 1.0\r\n\r\n".to_vec();
    while text.len() < len {
        let base64 = random.below(10) < 5;
        for _ in 0..20 {
            if base64 {
                text.extend((0..76).map(|_| random.of(BASE64)));
            } else {
                if random.below(400) == 0 {
                    text.push(b'.');
                }
                let n = 6 + random.below(6);
                text.extend_from_slice(random.words(n).as_bytes());
            }
            text.extend_from_slice(b"\r\n");
        }
    }
    text.truncate(len.saturating_sub(2));
    while matches!(text.last(), Some(b'\r' | b'\n')) {
        text.pop();
    }
    text.resize(len.saturating_sub(2), b'x');
    text.extend_from_slice(b"\r\n");
    text
}

/// The same dot-stuffed and ended, line by line.
pub fn stuffed(text: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(text.len() + text.len() / 64);
    for line in text.split_inclusive(|o| *o == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// Transactions of six SMTP commands each, with DSN parameters or without.
pub fn smtp_commands(transactions: usize, parameters: bool) -> Vec<u8> {
    let (mut random, mut wire) = (Random(11), String::new());
    for i in 0..transactions {
        let domain = random.of(DOMAINS);
        let user = random.below(1000);
        write!(wire, "EHLO client{i}.{domain}\r\nMAIL FROM:<user{user}@{domain}> ").unwrap();
        if parameters {
            let (size, envid) = (random.below(9_000_000), random.below(99_999));
            write!(wire, "SIZE={size} BODY=8BITMIME RET=HDRS ENVID=QQ{envid}\r\n").unwrap();
        } else {
            wire.push_str("BODY=8BITMIME\r\n");
        }
        for k in 0..3 {
            let (n, domain) = (random.below(100_000), random.of(DOMAINS));
            let notify = if parameters { " NOTIFY=SUCCESS,FAILURE" } else { "" };
            write!(wire, "RCPT TO:<rcpt.{k}.{n}@{domain}>{notify}\r\n").unwrap();
        }
        wire.push_str("DATA\r\n");
    }
    wire.into_bytes()
}

fn addresses(random: &mut Random, n: u64) -> String {
    if n == 0 {
        return "NIL".into();
    }
    let one = |random: &mut Random| {
        let (name, domain, number) = (random.of(NAMES), random.of(DOMAINS), random.below(1000));
        let local = name.split(' ').next().unwrap().to_lowercase();
        format!("(\"{name}\" NIL \"{local}.{number}\" \"{domain}\")")
    };
    format!("({})", (0..n).map(|_| one(random)).collect::<String>())
}

/// FETCH lines with UID, FLAGS, INTERNALDATE, RFC822.SIZE and ENVELOPE, about 550 octets each.
pub fn fetch_envelope(lines: usize) -> Vec<u8> {
    const FLAGS: &[&str] =
        &["\\Seen", "\\Seen \\Answered", "", "\\Flagged \\Seen $Forwarded", "\\Seen NonJunk"];
    let (mut random, mut wire) = (Random(0x1234_5678_9abc_def1), String::new());
    for i in 1..=lines {
        let flags = random.of(FLAGS);
        let (day, hour, minute) = (1 + random.below(28), random.below(24), random.below(60));
        let words = 3 + random.below(7);
        let subject = random.words(words);
        let from = addresses(&mut random, 1);
        let (to, cc) = (1 + random.below(3), random.below(3));
        let (to, cc) = (addresses(&mut random, to), addresses(&mut random, cc));
        let reply = if random.below(2) == 0 {
            "NIL".to_string()
        } else {
            format!("\"<{:x}.{:x}@mx.example.org>\"", random.next(), random.next() & 0xffff)
        };
        let (size, a, b) = (500 + random.below(200_000), random.next(), random.next() & 0xffff);
        write!(
            wire,
            "* {i} FETCH (UID {} FLAGS ({flags}) INTERNALDATE \"{day:02}-Mar-2024 {hour:02}:{minute:02}:07 +0100\" \
             RFC822.SIZE {size} ENVELOPE (\"Tue, {day:02} Mar 2024 {hour:02}:{minute:02}:05 +0100\" \"{subject}\" \
             {from} {from} {from} {to} {cc} NIL {reply} \"<{a:x}.{b:x}@mail.example.com>\"))\r\n",
            1000 + i * 3
        )
        .unwrap();
    }
    wire.into_bytes()
}

/// FETCH lines with BODY[] as a literal of `size` octets.
pub fn fetch_body(lines: usize, size: usize) -> Vec<u8> {
    let (text, mut wire) = (text(size), Vec::with_capacity(lines * (size + 64)));
    for i in 1..=lines {
        wire.extend_from_slice(format!("* {i} FETCH (UID {} BODY[] {{{size}}}\r\n", 1000 + i).as_bytes());
        wire.extend_from_slice(&text);
        wire.extend_from_slice(b")\r\n");
    }
    wire
}

/// A scan listing and a unique-id listing of so many messages, behind their status line, with the terminator.
pub fn pop3_listings(messages: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut random, mut list, mut uidl) = (Random(8), String::from("+OK\r\n"), String::from("+OK\r\n"));
    for i in 1..=messages {
        write!(list, "{i} {}\r\n", 400 + random.below(200_000)).unwrap();
        write!(uidl, "{i} {:016x}{i:08x}\r\n", random.next()).unwrap();
    }
    list.push_str(".\r\n");
    uidl.push_str(".\r\n");
    (list.into_bytes(), uidl.into_bytes())
}
