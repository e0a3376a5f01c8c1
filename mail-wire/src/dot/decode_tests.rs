use super::*;

/// The rule said line by line (RFC 1939 §3): `None` while the terminator has not come, else the body and the rest.
fn reference(wire: &[u8], eol: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut body, mut rest) = (Vec::new(), wire);
    loop {
        let at = rest.windows(eol.len()).position(|w| w == eol)?;
        let (line, behind) = rest.split_at(at + eol.len());
        rest = behind;
        if line == [b".", eol].concat() {
            return Some((body, rest.to_vec()));
        }
        body.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
}

/// Feeds `wire` in the given pieces; body so far, and the rest if the end was seen.
fn decode<'a>(mut decoder: DotDecoder, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Option<Vec<u8>>) {
    let (mut pending, mut body, mut rest) = (Vec::new(), Vec::new(), None);
    for piece in pieces {
        pending.extend_from_slice(piece);
        while rest.is_none() {
            match decoder.step(&pending) {
                Dot::Data(n) => body.extend(pending.drain(..n)),
                Dot::Stuffing => drop(pending.drain(..1)),
                Dot::End(n) => {
                    rest = Some(pending.split_off(n));
                    pending.clear();
                }
                Dot::Need => break,
            }
        }
        if let Some(rest) = &mut rest {
            rest.append(&mut pending);
        }
    }
    (body, rest)
}

/// Every input over the octets that matter, whole and octet by octet, against the reference reader.
fn exhaustive(len: u32) {
    const ALPHABET: [u8; 8] = *b"\r\n.A +-\0";
    for code in 0..8_usize.pow(len) {
        let wire: Vec<u8> = (0..len).map(|i| ALPHABET[code / 8_usize.pow(i) % 8]).collect();
        for (decoder, eol) in [(DotDecoder::crlf(), &b"\r\n"[..]), (DotDecoder::lf(), b"\n")] {
            let whole = decode(decoder.clone(), std::iter::once(wire.as_slice()));
            let dripped = decode(decoder, wire.chunks(1));
            match reference(&wire, eol) {
                Some((body, rest)) => {
                    assert_eq!((&whole.0, whole.1.as_ref()), (&body, Some(&rest)), "{wire:?}");
                    assert_eq!((&dripped.0, dripped.1.as_ref()), (&body, Some(&rest)), "{wire:?}");
                }
                None => {
                    assert_eq!((whole.1, dripped.1), (None, None), "{wire:?}");
                    assert_eq!(whole.0, dripped.0, "{wire:?}");
                }
            }
        }
    }
}

/// In two pieces at every cut: a line end that is whole in one piece is what neither a drip nor all at once has before a dot.
#[test]
fn exhaustive_cuts() {
    const ALPHABET: [u8; 4] = *b"\r\n.A";
    for len in 2..=7_u32 {
        for code in 0..4_usize.pow(len) {
            let wire: Vec<u8> = (0..len).map(|i| ALPHABET[code / 4_usize.pow(i) % 4]).collect();
            for (decoder, eol) in [(DotDecoder::crlf(), &b"\r\n"[..]), (DotDecoder::lf(), b"\n")] {
                let whole = decode(decoder.clone(), std::iter::once(wire.as_slice()));
                let expected = reference(&wire, eol);
                for cut in 1..wire.len() {
                    let (a, b) = wire.split_at(cut);
                    let got = decode(decoder.clone(), [a, b].into_iter());
                    assert_eq!(got, whole, "{wire:?} at {cut}");
                    assert_eq!(got.1.as_ref(), expected.as_ref().map(|(_, rest)| rest), "{wire:?} at {cut}");
                }
            }
        }
    }
}

#[test]
fn exhaustive_small_scope() {
    (0..=6).for_each(exhaustive);
}

#[test]
#[ignore = "large"]
fn large_exhaustive_scope() {
    (7..=8).for_each(exhaustive);
}

#[test]
fn a_body_without_leading_dots_is_one_piece() {
    let body = "x".repeat(70) + "\r\n";
    let wire = body.repeat(100);
    assert_eq!(DotDecoder::crlf().step(wire.as_bytes()), Dot::Data(wire.len()));
}

#[test]
fn no_bare_line_end_ends_a_body() {
    for wire in [&b"\n.\n"[..], b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"a\n.\r\n", b"\r\r\n.\n\r\n"]
    {
        assert_eq!(decode(DotDecoder::crlf(), std::iter::once(wire)).1, None, "{wire:?}");
    }
}
