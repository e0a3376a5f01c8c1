//! Faults at every offset of every golden transcript: an octet doubled, a bit flipped, a CR, LF or NUL put in. Nothing panics, nothing
//! spins, and nothing is completed that was not.

use crate::replay::{Actor, Feed, Outcome, Script, replay, scripts};

fn matrix<A: Actor>(role: &str, check: impl Fn(&[u8], &Script, &Outcome)) {
    for script in scripts(role) {
        let octets = script.peer_octets();
        for at in 0..octets.len() {
            let (before, behind) = octets.split_at(at);
            let put = [octets[at], b'\r', b'\n', 0].map(|octet| [before, &[octet], behind].concat());
            let flipped = [1_u8, 0x20, 0x80].map(|bit| {
                let mut octets = octets.clone();
                octets[at] ^= bit;
                octets
            });
            for octets in put.into_iter().chain(flipped) {
                let cuts = if at % 4 == 0 { (1..octets.len()).collect() } else { Vec::new() };
                let feed = Feed { cuts, octets, eof: true };
                check(&feed.octets, &script, &replay::<A>(&script, &feed));
            }
        }
    }
}

fn count(outcome: &Outcome, what: &[&str]) -> usize {
    outcome.events.iter().filter(|event| what.iter().any(|word| event.starts_with(word))).count()
}

#[test]
fn a_client_completes_no_more_than_it_has_sent() {
    matrix::<crate::client::Application>("client", |_, script, outcome| {
        let sent = outcome.sent.iter().filter(|octet| **octet == b'\n').count();
        assert!(count(outcome, &["reply "]) <= sent, "{}: {outcome:?}", script.name);
        let data = outcome.sent.windows(5).filter(|window| *window == b"DATA\r").count();
        assert!(count(outcome, &["wanted "]) <= data, "{}: {outcome:?}", script.name);
    });
}

#[test]
fn a_server_completes_a_message_at_its_end_alone() {
    matrix::<crate::server::Application>("server", |octets, script, outcome| {
        let dots = octets.windows(4).filter(|window| *window == b"\n.\r\n").count();
        let last = octets.windows(5).filter(|window| window.eq_ignore_ascii_case(b" LAST")).count();
        let complete = count(outcome, &["end-of-body"]);
        assert!(complete <= dots + last, "{}: {outcome:?}", script.name);
        let bodies = count(outcome, &["body"]);
        assert!(complete + count(outcome, &["abort "]) <= bodies, "{}: {outcome:?}", script.name);
        // The answers never get ahead of the questions.
        let asked = octets.iter().filter(|octet| **octet == b'\n').count() + 1;
        let multi = |line: &&[u8]| line.len() > 3 && line[3] == b'-';
        let lines = outcome.sent.split(|octet| *octet == b'\n');
        let answered = lines.filter(|line| !line.is_empty() && !multi(line)).count();
        assert!(answered <= asked + 2, "{}: {outcome:?}", script.name);
    });
}
