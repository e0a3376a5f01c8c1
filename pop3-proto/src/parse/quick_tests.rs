//! What is plain is held against the grammar, which reads it with no repair on, and against what the standard library makes of its numbers.

use super::*;
use crate::parse::listing;
use crate::policy::Switches;
use alloc::format;
use alloc::vec::Vec;

/// What a plain line says: its number, and its size or id.
type Said<'i> = (u32, Result<u64, &'i [u8]>);

/// Whether a line is of LIST or of UIDL.
const KINDS: [bool; 2] = [true, false];

/// The rule, by the grammar: what the lines at the front say that are plain.
fn reference(mut lines: &[u8], scan: bool) -> (Vec<Said<'_>>, &[u8]) {
    let mut said = Vec::new();
    while let Some(lf) = lines.iter().position(|octet| *octet == b'\n') {
        let Some(line) = lines[..lf].strip_suffix(b"\r") else { break };
        // Without a repair, and with no more digits than are looked at.
        let (digits, value) = line.split_at(line.iter().position(|octet| *octet == b' ').unwrap_or(0));
        let (message, read) = if scan {
            let Ok((message, size)) = listing::scan(line, &mut Switches::default()) else { break };
            (message, Ok(size))
        } else {
            let Ok((message, id)) = listing::unique_id(line, &mut Switches::default()) else { break };
            (message, Err(id.octets()))
        };
        // What may follow a size is not plain.
        if digits.len() > 7 || scan && (value.len() > 9 || value[1..].contains(&b' ')) {
            break;
        }
        said.push((message.get(), read));
        lines = &lines[lf + 1..];
    }
    (said, lines)
}

/// What is found plain, and what is then told of each line.
fn told(lines: &[u8], scan: bool) -> (Vec<Said<'_>>, &[u8]) {
    let pass = if scan { plain_scans } else { plain_unique_ids };
    let (count, rest) = pass(lines, u32::MAX);
    let (mut said, mut at) = (Vec::new(), lines);
    for _ in 0..count {
        let message;
        let value = if scan {
            let size;
            (message, size, at) = super::scan(at).unwrap();
            Ok(size)
        } else {
            let id;
            (message, id, at) = super::unique_id(at).unwrap();
            Err(id.octets())
        };
        said.push((message.get(), value));
    }
    assert_eq!(at, rest, "{}", lines.escape_ascii());
    (said, rest)
}

fn hold(lines: &[u8]) {
    for scan in KINDS {
        assert_eq!(told(lines, scan), reference(lines, scan), "{} {scan}", lines.escape_ascii());
    }
}

/// Up to six octets that steer, alone, as a line, and as one with as much behind it as is looked at together.
#[test]
fn in_small_scope_plain_is_what_the_grammar_takes() {
    const ALPHABET: &[u8] = b"\r\n 07a\xFF";
    let behind = format!("12 34567\r\n{}", "x".repeat(96));
    let mut lines = Vec::new();
    for len in 0..=6 {
        for mut code in 0..ALPHABET.len().pow(len) {
            lines.clear();
            for _ in 0..len {
                lines.push(ALPHABET[code % ALPHABET.len()]);
                code /= ALPHABET.len();
            }
            hold(&lines);
            lines.extend_from_slice(b"\r\n");
            hold(&lines);
            lines.extend_from_slice(behind.as_bytes());
            hold(&lines);
        }
    }
}

/// Every octet at every place of lines of every length.
#[test]
fn one_octet_that_is_foreign_is_seen_wherever_it_stands() {
    let behind = "x".repeat(96);
    for digits in [1, 2, 6, 7, 8] {
        for len in [0, 1, 6, 7, 8, 9, 15, 16, 70, 71] {
            let line = format!("{}{} {}\r\n", "0".repeat(digits - 1), 7, "9".repeat(len));
            let lines = [line.as_bytes(), behind.as_bytes()].concat();
            hold(&lines);
            for at in 0..line.len() {
                for octet in 0..=255 {
                    let mut lines = lines.clone();
                    lines[at] = octet;
                    hold(&lines);
                }
            }
        }
    }
}

/// With every number of up to three digits and the ends of all ranges, at either place. The oracle is the standard library.
#[test]
fn numbers_are_read_as_the_standard_library_reads_them() {
    let powers = (3..8).flat_map(|n| [10_u64.pow(n) - 1, 10_u64.pow(n), 10_u64.pow(n) + 1]);
    let numbers: Vec<u64> = (1..=999).chain(powers).chain([1_234_567, 12_345_678, 99_999_999]).collect();
    for number in numbers {
        for zeros in ["", "0", "000"] {
            let text = format!("{zeros}{number}");
            let line = format!("1 {text}\r\n");
            let plain = text.len() <= 8;
            let wanted = plain.then(|| (1, Ok(text.parse().unwrap())));
            assert_eq!(told(line.as_bytes(), true).0, Vec::from_iter(wanted), "{line}");
            let line = format!("{text} id\r\n");
            let plain = text.len() <= 7;
            let wanted = plain.then(|| (text.parse().unwrap(), Err(&b"id"[..])));
            assert_eq!(told(line.as_bytes(), false).0, Vec::from_iter(wanted), "{line}");
        }
    }
}

/// An id of 70 octets is plain, and is in the longest line that is; 71 are a repair (RFC 1939 §7).
#[test]
fn the_longest_line_is_as_long_as_it_is_said_to_be() {
    for (len, count) in [(1, 1), (70, 1), (71, 0), (0, 0)] {
        let line = format!("1234567 {}\r\n", "~".repeat(len));
        assert_eq!(plain_unique_ids(line.as_bytes(), 9).0, count, "{len}");
        assert!(count == 0 || line.len() <= LONGEST);
        assert_eq!(len == 70, line.len() == LONGEST);
    }
}

#[test]
fn no_more_lines_are_passed_than_may_be() {
    for lines in ["1 2\r\n".repeat(3), "1 2\r\n".repeat(300)] {
        for most in 0..5 {
            for pass in [plain_scans, plain_unique_ids] {
                let (count, rest) = pass(lines.as_bytes(), most);
                assert_eq!(count as usize * 5 + rest.len(), lines.len());
                assert_eq!(count, most.min(lines.len() as u32 / 5));
            }
        }
    }
}
