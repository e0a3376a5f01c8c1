//! base64, strict both ways: what decodes is the one text of its octets.

use mail_wire::base64::{decode, encode, encoded_len};

/// Any octets survive the round trip, and any text that decodes is what encoding gives.
pub fn run(data: &[u8]) {
    let text = encode(data);
    assert_eq!(text.expose().len(), encoded_len(data.len()));
    assert!(text.expose().iter().all(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(octet)));
    assert_eq!(decode(text.expose()).expect("our own text").expose().as_slice(), data);
    if let Ok(octets) = decode(data) {
        assert_eq!(encode(octets.expose()).expose().as_slice(), data);
    }
}
