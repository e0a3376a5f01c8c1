//! The line framer against a reader that looks at every octet from the start each time.

use mail_wire::line::{Line, LineEnd, LineFault, LineFramer};

/// Octets beyond which an input is not worth its time: the reference is quadratic.
const MOST: usize = 1024;

/// Whatever the reads, the framer says what the reference says about all that has arrived.
pub fn run(data: &[u8]) {
    let data = &data[..data.len().min(MOST)];
    for end in [LineEnd::Strict, LineEnd::Tolerant] {
        for limit in [usize::MAX, 64] {
            drive(data, end, limit);
        }
    }
}

fn drive(data: &[u8], end: LineEnd, limit: usize) {
    let mut framer = LineFramer::new();
    let mut held = Vec::new();
    for read in crate::reads::reads(data) {
        held.extend_from_slice(read);
        loop {
            let said = framer.step(&held, end, limit);
            assert_eq!(said, reference(&held, end, limit), "{end:?}, limit {limit}, {held:?}");
            match said {
                Ok(None) => break,
                Ok(Some(line)) => drop(held.drain(..line.len)),
                Err(_) => return,
            }
        }
    }
}

fn reference(octets: &[u8], end: LineEnd, limit: usize) -> Result<Option<Line>, LineFault> {
    let mut found = Ok(None);
    for at in 0..octets.len() {
        let before = at.checked_sub(1).map(|i| octets[i]);
        found = match (end, octets[at], before) {
            (_, b'\n', Some(b'\r')) => Ok(Some(Line { len: at + 1, text: at - 1 })),
            (LineEnd::Tolerant, b'\n', _) => Ok(Some(Line { len: at + 1, text: at })),
            (LineEnd::Strict, b'\n', _) => Err(LineFault::BareLf { at }),
            (LineEnd::Strict, _, Some(b'\r')) => Err(LineFault::BareCr { at: at - 1 }),
            _ => continue,
        };
        break;
    }
    match found {
        Ok(Some(line)) if line.len > limit => Err(LineFault::TooLong { limit }),
        Ok(None) if octets.len() >= limit => Err(LineFault::TooLong { limit }),
        Err(LineFault::BareLf { at }) if at >= limit => Err(LineFault::TooLong { limit }),
        Err(LineFault::BareCr { at }) if at + 1 >= limit => Err(LineFault::TooLong { limit }),
        other => other,
    }
}
