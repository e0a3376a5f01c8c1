use super::*;
use crate::dot::{Dot, DotDecoder};
use proptest::prelude::*;

fn encode(body: &[u8], cuts: usize, eol: BodyEol) -> Result<Vec<u8>, BodyFault> {
    let (mut encoder, mut output, mut wire) = (DotEncoder::new(eol), Output::new(), Vec::new());
    for piece in body.chunks(cuts.max(1)) {
        let mut piece = Bytes::copy_from_slice(piece);
        while !piece.is_empty() {
            encoder.push(&mut piece, &mut output)?;
            wire.extend_from_slice(&output.copy_to_bytes(output.remaining()));
        }
    }
    let octets = encoder.octets() + encoder.line_end();
    encoder.end(&mut output)?;
    wire.extend_from_slice(&output.copy_to_bytes(output.remaining()));
    assert_eq!((decode(&wire).len() as u64, encoder.octets()), (octets, 0), "{body:?} {eol:?}");
    Ok(wire)
}

fn decode(mut wire: &[u8]) -> Vec<u8> {
    let (mut decoder, mut body) = (DotDecoder::crlf(), Vec::new());
    loop {
        match decoder.step(wire) {
            Dot::Data(n) => {
                body.extend_from_slice(&wire[..n]);
                wire = &wire[n..];
            }
            Dot::Stuffing => wire = &wire[1..],
            Dot::End(n) => {
                assert_eq!(wire.len(), n, "the terminator is the end");
                return body;
            }
            Dot::Need => panic!("no terminator"),
        }
    }
}

/// What must come out at the other end, said line by line.
fn expected(body: &[u8], eol: BodyEol) -> Vec<u8> {
    let mut body = match eol {
        BodyEol::Normalise => {
            let text: String = body.iter().map(|o| char::from(*o)).collect();
            let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            text.chars().map(|c| c as u8).collect()
        }
        _ => body.to_vec(),
    };
    if !body.is_empty() && !body.ends_with(b"\r\n") {
        body.extend_from_slice(b"\r\n");
    }
    body
}

#[test]
fn exhaustive_small_scope() {
    const ALPHABET: [u8; 4] = *b"\r\n.A";
    for len in 0..=7_u32 {
        for code in 0..4_usize.pow(len) {
            let body: Vec<u8> = (0..len).map(|i| ALPHABET[code / 4_usize.pow(i) % 4]).collect();
            for eol in [BodyEol::Pass, BodyEol::Normalise, BodyEol::Reject] {
                let whole = encode(&body, body.len(), eol);
                assert_eq!(whole, encode(&body, 1, eol), "{body:?} {eol:?}");
                let mut scan = BareScan::new();
                let bare = scan.piece(&body).or(scan.end());
                match whole {
                    Ok(wire) => {
                        assert!(eol != BodyEol::Reject || bare.is_none());
                        assert_eq!(decode(&wire), expected(&body, eol), "{body:?} {eol:?}");
                    }
                    Err(fault) => assert_eq!((eol, Some(fault)), (BodyEol::Reject, bare), "{body:?}"),
                }
            }
        }
    }
}

#[test]
fn a_refused_piece_is_left_as_it_was() {
    let (mut encoder, mut output) = (DotEncoder::new(BodyEol::Reject), Output::new());
    let mut piece = Bytes::from_static(b"a\nb");
    assert_eq!(encoder.push(&mut piece, &mut output), Err(BodyFault::BareLf { at: 1 }));
    assert_eq!((piece.as_ref(), output.len()), (&b"a\nb"[..], 0));
}

#[test]
fn a_large_piece_without_dots_is_queued_as_it_stands() {
    let (mut encoder, mut output) = (DotEncoder::new(BodyEol::Reject), Output::new());
    let mut piece = Bytes::from("line of text\r\n".repeat(1000));
    let at = piece.as_ptr();
    encoder.push(&mut piece, &mut output).unwrap();
    assert!(piece.is_empty());
    assert_eq!(output.chunk().as_ptr(), at);
}

proptest! {
    #[test]
    fn any_body_comes_back(body in prop::collection::vec(prop::sample::select(b"\r\n.ab".to_vec()), 0..3000), cut in 1..2000_usize) {
        let wire = encode(&body, cut, BodyEol::Pass).unwrap();
        prop_assert_eq!(decode(&wire), expected(&body, BodyEol::Pass));
    }
}
