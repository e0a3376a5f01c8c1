//! Faults at every offset of every golden transcript: an octet doubled, a bit flipped, a CR, LF or NUL put in. Nothing panics, nothing
//! spins, and nothing is completed that was not.

use crate::replay::{Actor, Feed, Outcome, Script, replay, scripts};

/// The octets with a fault at an offset.
fn faults(octets: &[u8], at: usize) -> Vec<Vec<u8>> {
    let with = |octet: u8| [&octets[..at], &[octet], &octets[at..]].concat();
    let flipped = |bit: u8| {
        let mut octets = octets.to_vec();
        octets[at] ^= bit;
        octets
    };
    vec![with(octets[at]), with(b'\r'), with(b'\n'), with(0), flipped(1), flipped(0x20), flipped(0x80)]
}

fn matrix<A: Actor>(script: &Script, check: impl Fn(&[u8], &Outcome)) {
    let octets = script.peer_octets();
    for at in 0..octets.len() {
        for faulty in faults(&octets, at) {
            let cuts = if at % 4 == 0 { (1..faulty.len()).collect() } else { Vec::new() };
            let feed = Feed { cuts, octets: faulty, eof: true };
            check(&feed.octets, &replay::<A>(script, &feed));
        }
    }
}

fn count(outcome: &Outcome, what: &[&str]) -> usize {
    outcome.events.iter().filter(|event| what.iter().any(|word| event.starts_with(word))).count()
}

#[test]
fn a_client_completes_no_more_than_it_has_sent() {
    for script in scripts("client") {
        matrix::<crate::client::Application>(&script, |_, outcome| {
            let sent = outcome.sent.iter().filter(|octet| **octet == b'\n').count();
            assert!(count(outcome, &["reply ", "end "]) <= sent, "{}: {outcome:?}", script.name);
            assert!(count(outcome, &["end "]) <= count(outcome, &["head "]), "{}: {outcome:?}", script.name);
        });
    }
}

#[test]
fn a_server_commits_after_quit_alone_and_once() {
    for script in scripts("server") {
        matrix::<crate::server::Application>(&script, |octets, outcome| {
            let commits = count(outcome, &["commit "]);
            let quit = octets.windows(5).any(|line| line.eq_ignore_ascii_case(b"\nQUIT"));
            assert!(commits == 0 || (commits == 1 && quit), "{}: {outcome:?}", script.name);
            assert!(commits + count(outcome, &["abort "]) <= 1, "{}: {outcome:?}", script.name);
            // A maildrop that was given is given back, unless the end has not come yet.
            let locked = outcome.events.iter().any(|event| event.starts_with("answered STAT"));
            let over = outcome.end != "open" && outcome.end != "owed";
            assert!(
                !locked || !over || commits + count(outcome, &["abort "]) == 1,
                "{}: {outcome:?}",
                script.name
            );
        });
    }
}
