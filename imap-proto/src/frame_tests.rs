use super::*;

fn step(unit: &[u8]) -> Result<Step, Violation> {
    Lines::new().step(unit, LineEnd::Strict, 1 << 20, |_| false)
}

fn literal(unit: &[u8]) -> Option<Header> {
    match step(unit) {
        Ok(Step::Literal(header)) => Some(header),
        _ => None,
    }
}

/// Literals stay inline; gives the length of the unit, at reads of every size.
fn whole(unit: &[u8]) -> Result<Whole, Violation> {
    let mut results = (1..=unit.len()).map(|read| {
        let (mut lines, mut have) = (Lines::new(), read);
        loop {
            match lines.step(&unit[..have.min(unit.len())], LineEnd::Strict, 1 << 20, |_| false)? {
                Step::Need => have += read,
                Step::Line(whole) => return Ok(whole),
                Step::Literal(header) => lines.pass(&header),
            }
        }
    });
    let first = results.next().unwrap();
    assert!(results.all(|other| other == first));
    first
}

#[test]
fn a_literal_is_announced_behind_a_space_or_a_parenthesis() {
    let header = literal(b"* 1 FETCH (BODY[] {12}\r\n").unwrap();
    assert_eq!(
        (header.at, header.line, header.octets, header.sync, header.binary),
        (18, 24, 12, true, false)
    );
    assert_eq!(literal(b"* 1 FETCH (BINARY[1] ~{4}\r\n").map(|h| (h.at, h.binary)), Some((21, true)));
    assert_eq!(literal(b"a LOGIN {3+}\r\n").map(|h| (h.octets, h.sync)), Some((3, false)));
    assert_eq!(literal(b"* X ({0000000000000000000005}\r\n").map(|h| h.octets), Some(5));
    assert_eq!(literal(b"* X {99999999999999999999}\r\n").map(|h| h.octets), Some(u64::MAX));
    for none in [
        &b"* X a{5}\r\n"[..],
        b"* X \"a\"{5}\r\n",
        b"* X {}\r\n",
        b"* X {+5}\r\n",
        b"* X {5-}\r\n",
        b"{5}\r\n",
        b"}\r\n",
    ] {
        assert!(matches!(step(none), Ok(Step::Line(_))), "{none:?}");
    }
}

#[test]
fn text_for_humans_announces_nothing() {
    let mut asked = Vec::new();
    let found = Lines::new().step(b"* OK see {3}\r\n", LineEnd::Strict, 100, |text| {
        asked.extend_from_slice(text);
        true
    });
    assert_eq!(found, Ok(Step::Line(Whole { len: 14, text: 12, bare: false, short: false })));
    assert_eq!(asked, b"* OK see {3}");
}

#[test]
fn open_quotes_before_an_announcement_end_the_session() {
    assert_eq!(step(b"* LIST () \"/\" \"a {5}\r\n"), Err(Violation::OpenQuote));
    assert_eq!(step(b"* LIST () \"/\" \"a\\\" {5}\r\n"), Err(Violation::OpenQuote));
    assert!(literal(b"* LIST (\\Sent) \"\\\\\" {5}\r\n").is_some());
    // A backslash outside of quotes escapes nothing.
    assert!(literal(b"* X (\\\"a\" {5}\r\n").is_some());
    assert_eq!(step(b"* X (\\\"a {5}\r\n"), Err(Violation::OpenQuote));
}

#[test]
fn octets_of_a_literal_are_never_looked_at() {
    let unit = b"* X {8}\r\na\r\n\"{9}\r ({2}\r\n)) end\r\n";
    assert_eq!(whole(unit), Ok(Whole { len: unit.len(), text: unit.len() - 2, bare: false, short: false }));
    let empty = b"* X {0}\r\n\r\n";
    assert_eq!(whole(empty).map(|w| (w.len, w.text)), Ok((11, 9)));
    // Behind a literal the line may go on with another one at once.
    let next = b"* X {1}\r\na{2}\r\nbc\r\n";
    assert_eq!(whole(next).map(|w| w.len), Ok(next.len()));
}

#[test]
fn a_literal_that_ends_in_the_cr_of_its_line_end_ends_the_line() {
    let unit = b"* 5 FETCH (BODY[HEADER] {4}\r\nabc\r\n";
    assert_eq!(whole(unit), Ok(Whole { len: unit.len(), text: unit.len() - 1, bare: false, short: true }));
    assert_eq!(whole(b"* X {4}\r\nabcd\n"), Err(LineFault::BareLf { at: 13 }.into()));
}

#[test]
fn the_limit_counts_the_line_and_not_its_literals() {
    let unit = b"* X {50}\r\n";
    let mut lines = Lines::new();
    let Ok(Step::Literal(header)) = lines.step(unit, LineEnd::Strict, 16, |_| false) else { panic!() };
    lines.pass(&header);
    let mut full = unit.to_vec();
    full.extend_from_slice(&[b'x'; 50]);
    assert_eq!(lines.step(&full, LineEnd::Strict, 16, |_| false), Ok(Step::Need));
    full.extend_from_slice(b"yyyy\r\n");
    assert!(matches!(lines.step(&full, LineEnd::Strict, 16, |_| false), Ok(Step::Line(_))));
    assert_eq!(lines.literals(), 50);
    assert_eq!(lines.count(), 1);
    let long = Lines::new().step(&[b'x'; 16], LineEnd::Strict, 16, |_| false);
    assert_eq!(long, Err(LineFault::TooLong { limit: 16 }.into()));
}
