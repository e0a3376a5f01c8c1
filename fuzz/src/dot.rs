//! Dot-stuffing: the decoder against a reader that looks octet by octet, and the encoder against the decoder.

use bytes::{Buf, Bytes};
use mail_wire::dot::{BareScan, BodyEol, BodyFault, Dot, DotDecoder, DotEncoder};
use mail_wire::{Class, Output};

/// As wire octets they decode as the reference says; as a body they come back, under every policy and for every cut.
pub fn run(data: &[u8]) {
    let whole = data.get(1..).unwrap_or(&[]);
    for lf in [false, true] {
        assert_eq!(decode(data, lf), reference(whole, lf), "lf {lf}, {whole:?}");
    }
    let fault = BareScan::new().piece(whole).is_some() || whole.last() == Some(&b'\r');
    for eol in [BodyEol::Pass, BodyEol::Normalise, BodyEol::Reject] {
        match encode(data, eol) {
            Err(_) => assert!(eol == BodyEol::Reject && fault),
            Ok(wire) => {
                assert!(eol != BodyEol::Reject || !fault, "a bare octet went out: {whole:?}");
                let want = if eol == BodyEol::Normalise { normalised(whole) } else { whole.to_vec() };
                let (body, rest) = reference(&wire, false);
                assert_eq!(rest, Some(0), "one terminator, at the end: {wire:?}");
                assert_eq!(body, ended(want), "{eol:?}");
            }
        }
    }
}

/// The body, and how many octets are behind the terminator if it has come.
fn decode(data: &[u8], lf: bool) -> (Vec<u8>, Option<usize>) {
    let mut decoder = if lf { DotDecoder::lf() } else { DotDecoder::crlf() };
    let (mut held, mut body) = (Vec::new(), Vec::new());
    let mut reads = crate::reads::reads(data);
    while let Some(read) = reads.next() {
        held.extend_from_slice(read);
        loop {
            match decoder.step(&held) {
                Dot::Data(n) => body.extend(held.drain(..n)),
                Dot::Stuffing => drop(held.drain(..1)),
                Dot::End(n) => return (body, Some(held.len() - n + reads.map(<[u8]>::len).sum::<usize>())),
                Dot::Need => break,
            }
        }
        assert!(held.len() <= 2, "held back: {held:?}");
    }
    (body, None)
}

/// RFC 5321 §4.5.2 by the letter. A possible terminator that is not complete is no body yet.
fn reference(wire: &[u8], lf: bool) -> (Vec<u8>, Option<usize>) {
    let (line_end, end): (&[u8], &[u8]) = if lf { (b"\n", b".\n") } else { (b"\r\n", b".\r\n") };
    let (mut body, mut at, mut line_start) = (Vec::new(), 0, true);
    while at < wire.len() {
        let rest = &wire[at..];
        if line_start && rest.starts_with(end) {
            return (body, Some(rest.len() - end.len()));
        }
        if line_start && end.starts_with(rest) {
            break;
        }
        if line_start && rest[0] == b'.' {
            // The octet behind a stuffing dot is text, whatever it is.
            at += 1;
            line_start = false;
            continue;
        }
        body.push(rest[0]);
        at += 1;
        // A line end is part of what stands on the wire, so a dot that was taken away is not in it.
        line_start = wire[..at].ends_with(line_end);
    }
    (body, None)
}

fn encode(data: &[u8], eol: BodyEol) -> Result<Vec<u8>, BodyFault> {
    let mut encoder = DotEncoder::new(eol);
    let mut output = Output::with_high_water(64);
    let mut wire = Vec::new();
    for read in crate::reads::reads(data) {
        let mut piece = Bytes::copy_from_slice(read);
        while !piece.is_empty() {
            encoder.push(&mut piece, &mut output)?;
            drain(&mut output, &mut wire);
        }
    }
    encoder.end(&mut output)?;
    drain(&mut output, &mut wire);
    Ok(wire)
}

fn drain(output: &mut Output, wire: &mut Vec<u8>) {
    for (class, octets) in output.runs() {
        assert_eq!(class, Class::Body);
        wire.extend_from_slice(octets);
    }
    output.advance(output.remaining());
}

/// Every bare CR and every bare LF as CRLF.
fn normalised(body: &[u8]) -> Vec<u8> {
    let mut made = Vec::new();
    for (at, octet) in body.iter().enumerate() {
        match octet {
            b'\n' if at > 0 && body[at - 1] == b'\r' => {}
            b'\r' | b'\n' => made.extend_from_slice(b"\r\n"),
            other => made.push(*other),
        }
    }
    made
}

/// A body that does not end with a line end gets one; an empty one has none.
fn ended(mut body: Vec<u8>) -> Vec<u8> {
    if !body.is_empty() && !body.ends_with(b"\r\n") {
        body.extend_from_slice(b"\r\n");
    }
    body
}
