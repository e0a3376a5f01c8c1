//! What SASL exchanges carry: standard base64 with padding (RFC 4648 §4), strictly.

use crate::secret::SecretBuf;
use crate::span::Span;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Octets of text that are decoded at once: a multiple of 4.
const BLOCK: usize = 256;

/// The octets are not base64: a foreign octet, wrong padding, or bits set behind the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64 (RFC 4648 §4)")]
pub struct NotBase64;

/// The length of `octets` octets when encoded, saturating.
#[must_use]
pub const fn encoded_len(octets: usize) -> usize {
    octets.div_ceil(3).saturating_mul(4)
}

/// Encodes secret octets. The result is overwritten when dropped.
#[must_use]
pub fn encode(octets: &[u8]) -> SecretBuf {
    // Filled in place: a buffer that grew would leave copies behind.
    let mut text = Zeroizing::new(Vec::new());
    text.resize(encoded_len(octets.len()), 0);
    let written = STANDARD.encode_slice(octets, &mut text).unwrap_or(0);
    text.truncate(written);
    SecretBuf::new(text)
}

/// Decodes to secret octets, which are overwritten when dropped.
///
/// # Errors
/// [`NotBase64`]. Neither the error nor its text holds an octet of the input.
pub fn decode(text: &[u8]) -> Result<SecretBuf, NotBase64> {
    let mut octets = Zeroizing::new(Vec::new());
    octets.resize(base64::decoded_len_estimate(text.len()), 0);
    let written = STANDARD.decode_slice(text, &mut octets).map_err(|_| NotBase64)?;
    octets.truncate(written);
    Ok(SecretBuf::new(octets))
}

/// Decodes where the text stands and gives the octets, which are the front of it. Takes no memory; to overwrite them is up to
/// the caller.
///
/// # Errors
/// [`NotBase64`]: the text is then worth nothing any more.
pub fn decode_in_place(text: &mut [u8]) -> Result<&mut [u8], NotBase64> {
    let mut block = Zeroizing::new([0_u8; BLOCK]);
    let (mut from, mut to) = (0_usize, 0_usize);
    while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
        let piece = rest.get(..BLOCK).unwrap_or(rest);
        let written = STANDARD.decode_slice(piece, block.as_mut_slice()).map_err(|_| NotBase64)?;
        let last = piece.len() == rest.len();
        // Padding ends the text.
        if !last && written != BLOCK / 4 * 3 {
            return Err(NotBase64);
        }
        from = from.saturating_add(piece.len());
        let end = to.saturating_add(written);
        let (Some(place), Some(octets)) = (text.get_mut(to..end), block.get(..written)) else {
            return Err(NotBase64);
        };
        place.copy_from_slice(octets);
        to = end;
    }
    text.get_mut(..to).ok_or(NotBase64)
}

/// Decodes a part of a unit where it stands, as [`decode_in_place`] does: gives what is before it, and the octets. A lone `=` stands
/// for none (RFC 4954 §4, RFC 4959 §3, RFC 5034 §4).
///
/// # Errors
/// [`NotBase64`].
pub fn decode_part(unit: &mut [u8], part: Span) -> Result<(&[u8], &[u8]), NotBase64> {
    let (before, text) = unit.split_at_mut_checked(part.start()).ok_or(NotBase64)?;
    match text.get_mut(..part.len()).ok_or(NotBase64)? {
        [b'='] => Ok((before, &[])),
        text => Ok((before, decode_in_place(text)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10.
    const PAIRS: [(&[u8], &[u8]); 5] =
        [(b"", b""), (b"f", b"Zg=="), (b"fo", b"Zm8="), (b"foo", b"Zm9v"), (b"foobar", b"Zm9vYmFy")];

    #[test]
    fn the_examples_of_the_standard_hold_both_ways() {
        for (octets, text) in PAIRS {
            assert_eq!(encode(octets).expose().as_slice(), text);
            assert_eq!(encoded_len(octets.len()), text.len());
            assert_eq!(decode(text).unwrap().expose().as_slice(), octets);
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in [&b"Zg="[..], b"Zg", b"Zh==", b"Z g=", b"Zg==\r\n", b"====", b"Zg==Zg=="] {
            assert_eq!(decode(text).unwrap_err(), NotBase64, "{text:?}");
        }
    }

    #[test]
    fn a_part_is_decoded_where_it_stands() {
        let unit = || b"AUTH PLAIN Zm9v\r\n".to_vec();
        assert_eq!(decode_part(&mut unit(), Span::new(11, 15)), Ok((&b"AUTH PLAIN "[..], &b"foo"[..])));
        assert_eq!(decode_part(&mut b"a = b".to_vec(), Span::new(2, 3)), Ok((&b"a "[..], &b""[..])));
        assert_eq!(decode_part(&mut unit(), Span::new(11, 17)), Err(NotBase64));
        assert_eq!(decode_part(&mut unit(), Span::new(16, 20)), Err(NotBase64));
        assert_eq!(decode_part(&mut unit(), Span::new(18, 18)), Err(NotBase64));
        let octets = unit();
        assert_eq!(Span::locate(&octets[11..15], &octets), Span::new(11, 15));
    }

    /// The oracle is the decoder that takes memory, at lengths around the blocks and with each octet spoilt.
    #[test]
    fn in_place_gives_what_a_copy_gives() {
        for len in (0..20).chain(185..200).chain(380..390) {
            let octets: Vec<u8> = (0..len).map(|n: u32| (n * 7 % 256) as u8).collect();
            let mut text = encode(&octets).expose().to_vec();
            let spoilt = text.clone();
            assert_eq!(decode_in_place(&mut text).unwrap(), octets);
            for at in 0..spoilt.len() {
                for octet in [b'=', b'\n', b'A'] {
                    let mut text = spoilt.clone();
                    text[at] = octet;
                    let wanted = decode(&text).map(|octets| octets.expose().to_vec());
                    assert_eq!(
                        decode_in_place(&mut text).map(|octets| octets.to_vec()),
                        wanted,
                        "{len} {at}"
                    );
                }
            }
        }
    }
}
