use super::*;

/// The rule said again, octet by octet and without memory: what the framer must find in the whole input.
fn reference(octets: &[u8], end: LineEnd, limit: usize) -> Result<Option<Line>, LineFault> {
    for at in 0..octets.len() {
        let next = octets.get(at + 1);
        let line = match (octets[at], end) {
            (b'\r', LineEnd::Strict) if next.is_none() => break,
            (b'\r', LineEnd::Strict) if next != Some(&b'\n') => {
                return Err(if at + 1 < limit {
                    LineFault::BareCr { at }
                } else {
                    LineFault::TooLong { limit }
                });
            }
            (b'\r', _) if next == Some(&b'\n') => Line { len: at + 2, text: at },
            (b'\n', LineEnd::Strict) => {
                return Err(if at < limit { LineFault::BareLf { at } } else { LineFault::TooLong { limit } });
            }
            (b'\n', LineEnd::Tolerant) => Line { len: at + 1, text: at },
            _ => continue,
        };
        return if line.len > limit { Err(LineFault::TooLong { limit }) } else { Ok(Some(line)) };
    }
    if octets.len() >= limit { Err(LineFault::TooLong { limit }) } else { Ok(None) }
}

/// Every input over a small alphabet, whole and octet by octet, against the reference.
#[test]
fn exhaustive_small_scope() {
    const ALPHABET: [u8; 4] = [b'\r', b'\n', b'a', 0];
    const LIMIT: usize = 6;
    for len in 0..=7_u32 {
        for code in 0..4_usize.pow(len) {
            let octets: Vec<u8> = (0..len).map(|i| ALPHABET[code / 4_usize.pow(i) % 4]).collect();
            for end in [LineEnd::Strict, LineEnd::Tolerant] {
                let whole = LineFramer::new().step(&octets, end, LIMIT);
                assert_eq!(whole, reference(&octets, end, LIMIT), "{octets:?} {end:?}");
                let mut framer = LineFramer::new();
                let mut dripped = Ok(None);
                for upto in 0..=octets.len() {
                    dripped = framer.step(&octets[..upto], end, LIMIT);
                    assert_eq!(dripped, reference(&octets[..upto], end, LIMIT), "{octets:?} {upto} {end:?}");
                    if dripped != Ok(None) {
                        break;
                    }
                }
                assert_eq!(dripped, whole, "{octets:?} {end:?}");
            }
        }
    }
}

#[test]
fn a_line_of_exactly_the_limit_passes_and_one_octet_more_does_not() {
    let mut framer = LineFramer::new();
    assert_eq!(framer.step(b"abcd\r\n", LineEnd::Strict, 6), Ok(Some(Line { len: 6, text: 4 })));
    assert_eq!(framer.step(b"abcde\r\n", LineEnd::Strict, 6), Err(LineFault::TooLong { limit: 6 }));
}

#[test]
fn an_octet_is_looked_at_once() {
    let mut framer = LineFramer::new();
    let octets = vec![b'a'; 1000];
    for upto in 0..=1000 {
        framer.step(&octets[..upto], LineEnd::Strict, 4096).unwrap();
        assert_eq!(framer.scanned(), upto);
    }
}

#[test]
fn a_line_tells_whether_its_end_was_bare() {
    let line = |octets: &[u8]| LineFramer::new().step(octets, LineEnd::Tolerant, 99).unwrap().unwrap();
    assert!(line(b"a\n").is_bare() && line(b"\n").is_bare() && line(b"a\rb\n").is_bare());
    assert!(!line(b"a\r\n").is_bare() && !line(b"\r\n").is_bare());
}

/// Octets that are known to be no line are neither looked at nor mistaken for one.
#[test]
fn what_is_passed_is_not_looked_at() {
    let mut framer = LineFramer::new();
    assert_eq!(framer.step(b"x {2", LineEnd::Strict, 99), Ok(None));
    framer.pass(4);
    assert_eq!(framer.scanned(), 8);
    assert_eq!(
        framer.step(b"x {2\r\n\r\nrest\r\n", LineEnd::Strict, 99),
        Ok(Some(Line { len: 14, text: 12 }))
    );
    assert_eq!(framer.scanned(), 0);
}

#[test]
fn skipping_ends_at_the_line_end_and_holds_a_last_cr() {
    assert_eq!(LineFramer::skip(b"rest\r\nNOOP\r\n", LineEnd::Strict), (6, true));
    assert_eq!(LineFramer::skip(b"rest\r", LineEnd::Strict), (4, false));
    assert_eq!(LineFramer::skip(b"\r\n", LineEnd::Strict), (2, true));
    assert_eq!(LineFramer::skip(b"re\nst", LineEnd::Strict), (5, false));
    assert_eq!(LineFramer::skip(b"re\nst", LineEnd::Tolerant), (3, true));
}

/// A fault behind the limit is the limit's, so that the reads make no difference.
#[test]
fn a_fault_beyond_the_limit_is_too_long() {
    for octets in [&b"12345678\n"[..], b"1234567\rx", b"123456789\rx"] {
        let whole = LineFramer::new().step(octets, LineEnd::Strict, 8);
        let mut framer = LineFramer::new();
        let mut steps = (1..=octets.len()).map(|n| framer.step(&octets[..n], LineEnd::Strict, 8));
        assert_eq!(whole, Err(LineFault::TooLong { limit: 8 }), "{octets:?}");
        assert_eq!(steps.find(|step| *step != Ok(None)), Some(whole), "{octets:?}");
    }
    assert_eq!(LineFramer::new().step(b"1234567\n", LineEnd::Strict, 8), Err(LineFault::BareLf { at: 7 }));
    assert_eq!(LineFramer::new().step(b"123456\rx", LineEnd::Strict, 8), Err(LineFault::BareCr { at: 6 }));
}
