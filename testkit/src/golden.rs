//! The transcripts of a role, cut in every way.

use crate::{Actor, Feed, Outcome, Script, escape, replay};

/// The tests of both roles of a protocol: each transcript whole, octet by octet, at every cut and at random cuts; and with the end of
/// the octets at every offset.
///
/// `golden!(client: crate::client::Application, server: crate::server::Application);`
#[macro_export]
macro_rules! golden {
    ($($role:ident: $actor:ty),+) => {
        mod golden {
            $(mod $role {
                #[test]
                fn transcripts_at_every_cut() {
                    $crate::golden::at_every_cut::<$actor>(env!("CARGO_MANIFEST_DIR"));
                }

                #[test]
                fn transcripts_with_the_end_at_every_offset() {
                    $crate::golden::with_the_end_at_every_offset::<$actor>(env!("CARGO_MANIFEST_DIR"));
                }
            })+
        }
    };
}

/// Each transcript tells the same whole, octet by octet, at every single cut, and at random cuts.
///
/// # Panics
/// If what the machine tells or writes is not what the transcript says.
pub fn at_every_cut<A: Actor>(manifest: &str) {
    Script::all::<A::Machine>(manifest).iter().for_each(cut_everywhere::<A>);
}

/// Octets that end early tell no more than what the transcript told so far, and end cleanly or as truncated.
///
/// # Panics
/// If a machine takes the end for more than it is.
pub fn with_the_end_at_every_offset<A: Actor>(manifest: &str) {
    Script::all::<A::Machine>(manifest).iter().for_each(end_everywhere::<A>);
}

pub(crate) fn cut_everywhere<A: Actor>(script: &Script) {
    let whole = Feed::whole(script);
    let len = whole.octets.len();
    let singles = (1..len).map(|cut| vec![cut]);
    let mut random = Random(0x2545_f491);
    let randoms = (0..32).map(|_| {
        let mut cuts: Vec<usize> = (0..len / 8 + 1).map(|_| 1 + random.below(len)).collect();
        cuts.sort_unstable();
        cuts
    });
    for cuts in [vec![], (1..len).collect()].into_iter().chain(singles).chain(randoms) {
        let feed = Feed { cuts, ..whole.clone() };
        same(script, &feed, &replay::<A>(script, &feed));
    }
}

fn same(script: &Script, feed: &Feed, got: &Outcome) {
    let (expected, name, cuts) = (script.expected(), &script.name, &feed.cuts);
    for (index, event) in expected.events.iter().enumerate() {
        assert_eq!(got.events.get(index), Some(event), "{name}: event {index}, cuts {cuts:?}");
    }
    assert_eq!(got.events.len(), expected.events.len(), "{name}: cuts {cuts:?}");
    assert_eq!(escape(&got.sent), escape(&expected.sent), "{name}: cuts {cuts:?}");
    assert_eq!(got.end, expected.end, "{name}: cuts {cuts:?}");
}

/// A small generator of our own: the cuts are the same in every run.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % limit
    }
}

pub(crate) fn end_everywhere<A: Actor>(script: &Script) {
    let octets = script.peer_octets();
    for at in 0..octets.len() {
        let feed = Feed { cuts: Vec::new(), octets: octets[..at].to_vec() };
        cut_off::<A>(script, at, &replay::<A>(script, &feed));
    }
}

/// What must hold of a replay that was cut off: only events of the transcript, in order, the last chunk perhaps shorter, and an abort
/// in place of what would have followed.
fn cut_off<A: Actor>(script: &Script, at: usize, got: &Outcome) {
    let name = &script.name;
    let events = match got.events.split_last() {
        Some((last, events)) if last.starts_with("abort ") => events,
        _ => &got.events,
    };
    let expected = script.expected().events;
    assert!(events.len() <= expected.len(), "{name} at {at}: {events:?}");
    for (index, (event, golden)) in events.iter().zip(&expected).enumerate() {
        let shorter =
            index + 1 == events.len() && event.starts_with("chunk ") && golden.starts_with(event.as_str());
        assert!(event == golden || shorter, "{name} at {at}: {event} for {golden}");
    }
    let truncated = got.end.strip_prefix("error ") == Some(A::TRUNCATED);
    let good = truncated || got.end == script.end || ["closed", "owed"].contains(&got.end.as_str());
    assert!(good, "{name} at {at}: {}", got.end);
}
