//! The golden transcripts of both machines: replayed whole, octet by octet, at every single cut, at random cuts, and with the end of the
//! octets at every offset.

use crate::replay::{Actor, Feed, Outcome, Script, replay, scripts};

fn same(script: &Script, feed: &Feed, got: &Outcome) {
    let expected = script.expected();
    for (index, event) in expected.events.iter().enumerate() {
        assert_eq!(
            got.events.get(index),
            Some(event),
            "{}: event {index}, cuts {:?}",
            script.name,
            feed.cuts
        );
    }
    assert_eq!(got.events.len(), expected.events.len(), "{}: cuts {:?}", script.name, feed.cuts);
    assert_eq!(crate::replay::escape(&got.sent), crate::replay::escape(&expected.sent), "{}", script.name);
    assert_eq!(got.end, expected.end, "{}: cuts {:?}", script.name, feed.cuts);
}

fn all_cuts<A: Actor>(script: &Script) {
    let whole = Feed::whole(script);
    same(script, &whole, &replay::<A>(script, &whole));
    let len = whole.octets.len();
    let each = Feed { cuts: (1..len).collect(), ..whole.clone() };
    same(script, &each, &replay::<A>(script, &each));
    for cut in 1..len {
        let feed = Feed { cuts: vec![cut], ..whole.clone() };
        same(script, &feed, &replay::<A>(script, &feed));
    }
    // A small generator of our own: the cuts are the same in every run.
    let mut state = 0x2545_f491_u32;
    for _ in 0..32 {
        let mut cuts: Vec<usize> = (0..len / 8 + 1)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                1 + (state >> 8) as usize % len
            })
            .collect();
        cuts.sort_unstable();
        let feed = Feed { cuts, ..whole.clone() };
        same(script, &feed, &replay::<A>(script, &feed));
    }
}

/// What must hold of a replay that was cut off: only events of the transcript, in order, the last chunk perhaps shorter, and an abort in
/// place of a commit.
fn cut_off(script: &Script, at: usize, got: &Outcome) {
    let mut events = got.events.clone();
    if events.last().is_some_and(|event| event.starts_with("abort ")) {
        events.pop();
    }
    let expected = script.expected().events;
    assert!(events.len() <= expected.len(), "{} at {at}: {events:?}", script.name);
    for (index, (event, golden)) in events.iter().zip(&expected).enumerate() {
        let shorter =
            index + 1 == events.len() && event.starts_with("chunk ") && golden.starts_with(event.as_str());
        assert!(event == golden || shorter, "{} at {at}: {event} for {golden}", script.name);
    }
    let good = got.end == "closed"
        || got.end == script.end
        || got.end == "error the octets end before what was owed";
    assert!(good || got.end == "owed", "{} at {at}: {}", script.name, got.end);
}

fn ends_everywhere<A: Actor>(script: &Script) {
    let octets = script.peer_octets();
    for at in 0..octets.len() {
        let feed = Feed { cuts: vec![], octets: octets[..at].to_vec(), eof: true };
        let got = replay::<A>(script, &feed);
        cut_off(script, at, &got);
    }
}

#[test]
fn client_transcripts_at_every_cut() {
    scripts("client").iter().for_each(all_cuts::<crate::client::Application>);
}

#[test]
fn client_transcripts_with_the_end_at_every_offset() {
    scripts("client").iter().for_each(ends_everywhere::<crate::client::Application>);
}

#[test]
fn server_transcripts_at_every_cut() {
    scripts("server").iter().for_each(all_cuts::<crate::server::Application>);
}

#[test]
fn server_transcripts_with_the_end_at_every_offset() {
    scripts("server").iter().for_each(ends_everywhere::<crate::server::Application>);
}
