//! Faults at every offset of every transcript.

use crate::{Actor, Feed, Outcome, Script, replay};

/// The octets with one fault at an offset, each in turn: the octet there doubled; a CR, LF or NUL put in before it; one of three of its
/// bits flipped.
///
/// # Panics
/// If `at` is behind the last octet.
pub fn at(octets: &[u8], at: usize) -> impl Iterator<Item = Vec<u8>> {
    let (before, behind) = octets.split_at(at);
    let put = [behind[0], b'\r', b'\n', 0].map(|octet| [before, &[octet], behind].concat());
    let flipped = [1_u8, 0x20, 0x80].map(|bit| [before, &[behind[0] ^ bit], &behind[1..]].concat());
    put.into_iter().chain(flipped)
}

/// Replays each transcript of a role with each fault at each offset, every fourth octet by octet, and hands over what came of it: the
/// transcript, the octets, the outcome. What must hold of it is the protocol's own; that nothing panics or spins is held here.
pub fn matrix<A: Actor>(manifest: &str, check: impl Fn(&Script, &[u8], &Outcome)) {
    for script in Script::all::<A::Machine>(manifest) {
        let octets = script.peer_octets();
        for offset in 0..octets.len() {
            for octets in at(&octets, offset) {
                let cuts = if offset % 4 == 0 { (1..octets.len()).collect() } else { Vec::new() };
                let feed = Feed { cuts, octets };
                check(&script, &feed.octets, &replay::<A>(&script, &feed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_fault_stands_at_its_offset() {
        let faults: Vec<_> = super::at(b"ab", 1).collect();
        let wanted: [&[u8]; 7] = [b"abb", b"a\rb", b"a\nb", b"a\0b", b"ac", b"aB", b"a\xe2"];
        assert_eq!(faults, wanted);
    }
}
