//! Encoders that two protocols share.

use bytes::{Buf, Bytes};
use mail_wire::Output;
use mail_wire::dot::{BodyEol as WireEol, DotEncoder};

use crate::adapter::Encoded;
use crate::record::{BodyEol, Record};

/// The policy of the vectors in the library's words.
pub(crate) fn body_eol(eol: BodyEol) -> WireEol {
    match eol {
        BodyEol::Reject => WireEol::Reject,
        BodyEol::Normalise => WireEol::Normalise,
        BodyEol::Pass => WireEol::Pass,
    }
}

/// `DotBody`: a whole message, dot-stuffed and ended.
pub(crate) fn dot_body(record: &Record) -> Encoded {
    let mut encoder = DotEncoder::new(body_eol(record.setup.policy.body_eol));
    let mut output = Output::new();
    let mut body = Bytes::from(record.input.clone());
    let mut octets = Vec::new();
    while !body.is_empty() {
        if encoder.push(&mut body, &mut output).is_err() {
            return Encoded::Refused;
        }
        take(&mut output, &mut octets);
    }
    if encoder.end(&mut output).is_err() {
        return Encoded::Refused;
    }
    take(&mut output, &mut octets);
    Encoded::Octets(octets)
}

/// Moves what was written behind `octets`.
pub(crate) fn take(output: &mut Output, octets: &mut Vec<u8>) {
    while output.has_remaining() {
        octets.extend_from_slice(output.chunk());
        let written = output.chunk().len();
        output.advance(written);
    }
}

/// What an encoder wrote, or its refusal.
pub(crate) fn written<E>(result: Result<Output, E>) -> Encoded {
    match result {
        Ok(mut output) => {
            let mut octets = Vec::new();
            take(&mut output, &mut octets);
            Encoded::Octets(octets)
        }
        Err(_) => Encoded::Refused,
    }
}
