//! Octets as the vector files write them: one character at or below U+00FF is one octet.

/// Turns a string of the vector files into octets.
///
/// # Errors
///
/// A character above U+00FF stands for no octet.
pub(crate) fn latin1(text: &str) -> Result<Vec<u8>, String> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).map_err(|_| format!("U+{:04X} is no octet", u32::from(c))))
        .collect()
}

/// Octets in a form that fits on one line of a report: printable ASCII as it is, the rest escaped,
/// and no more than the first 160 octets.
pub(crate) fn show(octets: &[u8]) -> String {
    let shown: String = octets.iter().take(160).flat_map(|o| o.escape_ascii()).map(char::from).collect();
    if octets.len() > 160 {
        format!("\"{shown}\".. ({} octets)", octets.len())
    } else {
        format!("\"{shown}\"")
    }
}

/// Whether `needle` stands somewhere in `hay`. An empty needle stands nowhere.
pub(crate) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && hay.windows(needle.len()).any(|window| window == needle)
}

/// A digest that tells two long runs of octets apart (FNV-1a, 64 bits).
pub(crate) fn digest(seed: u64, octets: &[u8]) -> u64 {
    octets.iter().fold(seed, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The start value of [`digest`].
pub(crate) const DIGEST_SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// Standard base64 with padding, decoded. `None` where it is not canonical.
pub(crate) fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() % 4 != 0 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let padding = text.iter().rev().take_while(|o| **o == b'=').count();
    let body = text.get(..text.len() - padding)?;
    let (mut bits, mut held) = (0u32, 0u32);
    for octet in body {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    (padding <= 2 && held & ((1 << bits) - 1) == 0).then_some(out)
}
