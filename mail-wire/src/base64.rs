//! What SASL exchanges carry: standard base64 with padding (RFC 4648 §4), strictly.

use crate::secret::SecretBuf;
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

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
}
