//! Bare CR, bare LF and NUL in a body: looked for at the speed of memory, told where.

/// What a server does with a bare CR, a bare LF or a NUL in a body that it takes, and a writer in one that it sends. No value
/// moves the end of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum BodyEol {
    /// The body is refused (RFC 5321 §2.3.8; RFC 5322 §2.3).
    #[default]
    Reject,
    /// A bare CR or LF becomes CRLF. A NUL passes.
    Normalise,
    /// Everything passes as it is.
    Pass,
}

/// An octet that has no place in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BodyFault {
    /// A CR without LF.
    #[error("CR without LF at octet {at} of the body")]
    BareCr {
        /// Counted from the start of the body.
        at: u64,
    },
    /// A LF without CR.
    #[error("LF without CR at octet {at} of the body")]
    BareLf {
        /// Counted from the start of the body.
        at: u64,
    },
    /// A NUL.
    #[error("NUL at octet {at} of the body")]
    Nul {
        /// Counted from the start of the body.
        at: u64,
    },
}

/// Looks for bare line ends over the pieces of one body.
///
/// ```
/// use mail_wire::dot::{BareScan, BodyFault};
/// let mut scan = BareScan::new();
/// assert_eq!(scan.piece(b"good\r"), None);
/// assert_eq!(scan.piece(b"\nbad\n"), Some(BodyFault::BareLf { at: 9 }));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct BareScan {
    at: u64,
    /// The last octet was a CR whose LF has not come yet.
    cr: bool,
}

impl BareScan {
    /// A scan at the start of a body.
    #[must_use]
    pub const fn new() -> Self {
        Self { at: 0, cr: false }
    }

    /// Looks at the next piece and tells the first fault in it. The scan has then seen the whole piece all the same.
    pub fn piece(&mut self, octets: &[u8]) -> Option<BodyFault> {
        let fault = if self.is_clean(octets) { None } else { self.find(octets) };
        if let Some(last) = octets.last() {
            self.cr = *last == b'\r';
        }
        self.at = self.at.saturating_add(octets.len() as u64);
        fault
    }

    /// The body has ended: a CR that was its last octet is bare.
    #[must_use]
    pub fn end(&self) -> Option<BodyFault> {
        self.cr.then(|| BodyFault::BareCr { at: self.at.saturating_sub(1) })
    }

    /// Counts, without a branch for each octet: every LF has its CR and every CR its LF.
    fn is_clean(&self, octets: &[u8]) -> bool {
        let Some(first) = octets.first() else { return true };
        if self.cr != (*first == b'\n') || *first == 0 {
            return false;
        }
        let here = octets.get(1..).unwrap_or(&[]);
        let (pairs, before) = (here.chunks_exact(BLOCK), octets.chunks_exact(BLOCK));
        let tail = pairs.remainder();
        let tail_before = octets.get(here.len().saturating_sub(tail.len())..).unwrap_or(&[]);
        before.zip(pairs).all(|(before, here)| block_is_clean(before, here))
            && block_is_clean(tail_before, tail)
    }

    fn find(&self, octets: &[u8]) -> Option<BodyFault> {
        let mut cr = self.cr;
        for (index, octet) in octets.iter().enumerate() {
            let at = self.at.saturating_add(index as u64);
            match (cr, octet) {
                (true, b'\n') => {}
                (true, _) => return Some(BodyFault::BareCr { at: at.saturating_sub(1) }),
                (false, b'\n') => return Some(BodyFault::BareLf { at }),
                (false, 0) => return Some(BodyFault::Nul { at }),
                (false, _) => {}
            }
            cr = *octet == b'\r';
        }
        None
    }
}

/// Octets that are looked at before the answer is asked for: long enough for vectors, short enough for a cache line.
const BLOCK: usize = 256;

/// Pairs of neighbours: "CR before" and "LF here" come together or not at all, and no octet is NUL. One straight loop that
/// compilers turn into vector instructions.
fn block_is_clean(before: &[u8], here: &[u8]) -> bool {
    let faults = before.iter().zip(here).fold(0_u8, |faults, (a, b)| {
        faults | (u8::from(*a == b'\r') ^ u8::from(*b == b'\n')) | u8::from(*b == 0)
    });
    faults == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every body over a small alphabet, in two pieces at every cut, against the slow path alone. The fast path takes all that is good, or it
    /// would only cost.
    #[test]
    fn the_fast_path_agrees_with_the_slow_one() {
        const ALPHABET: [u8; 4] = [b'\r', b'\n', b'a', 0];
        for code in 0..4_usize.pow(7) {
            let octets: Vec<u8> = (0..7).map(|i| ALPHABET[code / 4_usize.pow(i) % 4]).collect();
            let expected = BareScan::new().find(&octets);
            assert_eq!(BareScan::new().is_clean(&octets), expected.is_none(), "{octets:?}");
            for cut in 0..=octets.len() {
                let mut scan = BareScan::new();
                let first = scan.piece(&octets[..cut]);
                let second = scan.piece(&octets[cut..]);
                assert_eq!(first.or(second), expected, "{octets:?} at {cut}");
                let bare_end = octets.last() == Some(&b'\r');
                assert_eq!(scan.end().is_some(), bare_end);
            }
        }
    }

    #[test]
    fn a_fault_is_found_in_any_block() {
        for at in [1, 255, 256, 257, 511, 512, 513, 12_000] {
            let mut octets = vec![b'x'; 12_001];
            octets[at] = b'\n';
            assert_eq!(BareScan::new().piece(&octets), Some(BodyFault::BareLf { at: at as u64 }));
            octets[at] = 0;
            assert_eq!(BareScan::new().piece(&octets), Some(BodyFault::Nul { at: at as u64 }));
        }
    }
}
