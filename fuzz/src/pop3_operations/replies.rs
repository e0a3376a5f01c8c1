//! What a POP3 server writes, read by somebody who knows what must come: one reply for each command, in order, and no more.

use std::collections::VecDeque;

/// A reply that must come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// One line, with this status, if it is known.
    Line(Option<bool>),
    /// These octets.
    Octets(Vec<u8>),
    /// A positive reply and lines up to the terminator.
    Lines,
    /// A challenge.
    Challenge,
    /// A positive reply and a message. `None` while it is being sent; then all of it, if it is known.
    Message(Option<Option<Vec<u8>>>),
}

/// The octets that were sent and belong to no reply yet, and the replies that must come.
#[derive(Debug, Default)]
pub(super) struct Replies {
    said: Vec<u8>,
    expected: VecDeque<Expected>,
}

impl Replies {
    /// One more must come.
    pub(super) fn expect(&mut self, reply: Expected) {
        self.expected.push_back(reply);
    }

    /// The last one that must come is a message, and has ended.
    pub(super) fn ended(&mut self, text: Option<Vec<u8>>) {
        assert_eq!(self.expected.back(), Some(&Expected::Message(None)), "the end of no message");
        self.expected.pop_back();
        self.expected.push_back(Expected::Message(Some(text)));
    }

    /// Octets were sent.
    pub(super) fn hear(&mut self, octets: &[u8]) {
        self.said.extend_from_slice(octets);
        while let Some(reply) = self.expected.front() {
            let Some(len) = complete(&self.said, reply) else { return };
            let octets: Vec<u8> = self.said.drain(..len).collect();
            check(&octets, reply);
            self.expected.pop_front();
        }
        assert!(self.said.is_empty(), "nobody asked for {}", self.said.escape_ascii());
    }

    /// Everything that must come has come, and nothing else.
    pub(super) fn balanced(&self) {
        assert!(self.expected.is_empty() && self.said.is_empty(), "{self:?}");
    }
}

/// The length of the line at the front.
fn line(octets: &[u8]) -> Option<usize> {
    octets.windows(2).position(|pair| pair == b"\r\n").map(|at| at + 2)
}

/// The length of the reply at the front, once all of it is there.
fn complete(said: &[u8], reply: &Expected) -> Option<usize> {
    let first = line(said)?;
    match reply {
        Expected::Lines | Expected::Message(_) => {
            let mut at = first;
            loop {
                let rest = &said[at..];
                let len = line(rest)?;
                at += len;
                if &rest[..len] == b".\r\n" {
                    break;
                }
            }
            // Half a message must not look like a whole one.
            assert_ne!(reply, &Expected::Message(None), "a message ends that was not ended");
            Some(at)
        }
        Expected::Octets(octets) => (said.len() >= octets.len()).then_some(octets.len()),
        Expected::Line(_) | Expected::Challenge => Some(first),
    }
}

/// Whether it is the one that must come.
fn check(octets: &[u8], reply: &Expected) {
    let shown = octets.escape_ascii();
    match reply {
        Expected::Line(Some(true)) | Expected::Lines | Expected::Message(_) => {
            assert!(octets.starts_with(b"+OK"), "{shown}");
        }
        Expected::Line(Some(false)) => assert!(octets.starts_with(b"-ERR"), "{shown}"),
        Expected::Line(None) => assert!(octets.starts_with(b"-ERR") || octets.starts_with(b"+OK"), "{shown}"),
        Expected::Challenge => assert!(octets.starts_with(b"+ "), "{shown}"),
        Expected::Octets(expected) => {
            assert_eq!(octets.escape_ascii().to_string(), expected.escape_ascii().to_string());
        }
    }
    if let Expected::Message(Some(Some(text))) = reply {
        let (head, body) = octets.split_at(line(octets).unwrap_or(0));
        assert!(!head.is_empty());
        assert_eq!(body.escape_ascii().to_string(), stuffed(text).escape_ascii().to_string());
    }
}

/// A text as it is sent (RFC 1939 §3), its last line ended.
fn stuffed(text: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (now, behind) = rest.split_at(line(rest).unwrap_or(rest.len()));
        sent.extend_from_slice(if now.starts_with(b".") { b"." } else { b"" });
        sent.extend_from_slice(now);
        sent.extend_from_slice(if now.ends_with(b"\r\n") { b"" } else { b"\r\n" });
        rest = behind;
    }
    sent.extend_from_slice(b".\r\n");
    sent
}

/// The header of a text and so many lines behind it (RFC 1939 §7).
pub(super) fn top(text: &[u8], lines: u32) -> Vec<u8> {
    let (mut taken, mut rest, mut left) = (Vec::new(), text, None);
    while left != Some(0) && !rest.is_empty() {
        let (now, behind) = rest.split_at(line(rest).unwrap_or(rest.len()));
        taken.extend_from_slice(now);
        left = match left {
            None if now == b"\r\n" => Some(lines),
            None => None,
            Some(left) => Some(left - 1),
        };
        rest = behind;
    }
    taken
}
