//! The policy for bodies, on the octets of a section that a server sends.

use crate::types::FetchAtt;
use mail_wire::dot::{BareScan, BodyEol};
use memchr::memchr;

/// Looks for what has no place in a literal of a FETCH response, over its pieces.
///
/// A section is a part of a message that was taken by the same policy, so its line ends are whole; but a window of it
/// (`<origin.count>`) may begin behind the CR of one and end before the LF of another (RFC 9051 §6.4.5).
#[derive(Clone, Copy, Debug)]
pub(super) struct SectionScan {
    scan: BareScan,
    /// The first octet may be a LF.
    open_front: bool,
    /// The last octet may be a CR.
    open_end: bool,
}

impl SectionScan {
    /// The scan for an attribute; none for one that goes out as a literal8, which may hold any octet (RFC 3516 §4.2).
    pub(super) fn of(att: FetchAtt<'_>) -> Option<Self> {
        let partial = match att {
            FetchAtt::Binary { .. } => return None,
            FetchAtt::Section { partial, .. } => partial,
            _ => None,
        };
        let open_front = partial.is_some_and(|partial| partial.offset > 0);
        Some(Self { scan: BareScan::new(), open_front, open_end: partial.is_some() })
    }

    /// Whether the next piece may be sent; `last` says that the section ends with it.
    pub(super) fn takes(&mut self, octets: &[u8], last: bool, policy: BodyEol) -> bool {
        if policy == BodyEol::Pass {
            // No literal holds a NUL, whatever the policy (RFC 9051 §9, `CHAR8`).
            return memchr(0, octets).is_none();
        }
        // Pieces may be empty: the front stays open until an octet has come.
        let begun = !octets.is_empty();
        let octets = match octets {
            [b'\n', rest @ ..] if self.open_front => rest,
            _ => octets,
        };
        self.open_front &= !begun;
        // An end inside a line end is allowed to a window alone: its other half is in the next window that the client asks for.
        let clean = self.scan.piece(octets).is_none();
        clean && (!last || self.open_end || self.scan.end().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Partial, Section};

    fn att(offset: Option<u64>) -> FetchAtt<'static> {
        let partial = offset.map(|offset| Partial { offset, count: core::num::NonZeroU64::MIN });
        FetchAtt::Section { peek: false, section: Section::WHOLE, partial }
    }

    /// Every text of up to five octets, whole and in single octets, beside a reader that looks at each octet and its neighbours.
    #[test]
    fn it_finds_what_a_plain_reader_finds() {
        let alphabet = [b'\r', b'\n', 0, b'x'];
        for len in 0..=5_u32 {
            for n in 0..4_usize.pow(len) {
                let text: Vec<u8> = (0..len).map(|at| alphabet[n / 4_usize.pow(at) % 4]).collect();
                for offset in [None, Some(0), Some(7)] {
                    let good = is_good(&text, offset);
                    let of = || SectionScan::of(att(offset)).unwrap();
                    assert_eq!(of().takes(&text, true, BodyEol::Reject), good, "{text:?} {offset:?}");
                    let mut scan = of();
                    let last = text.len().saturating_sub(1);
                    let single = text
                        .chunks(1)
                        .enumerate()
                        .all(|(at, octet)| scan.takes(octet, at == last, BodyEol::Normalise));
                    assert_eq!(single, good, "{text:?} {offset:?}");
                    assert_eq!(of().takes(&text, true, BodyEol::Pass), !text.contains(&0));
                }
            }
        }
    }

    fn is_good(text: &[u8], offset: Option<u64>) -> bool {
        text.iter().enumerate().all(|(at, octet)| match octet {
            0 => false,
            b'\r' => text.get(at + 1).map_or(offset.is_some(), |next| *next == b'\n'),
            b'\n' if at == 0 => offset.is_some_and(|offset| offset > 0),
            b'\n' => text[at - 1] == b'\r',
            _ => true,
        })
    }
}
