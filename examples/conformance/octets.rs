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

/// Base64 of a script without its line end: the octets of a SASL message.
///
/// # Errors
/// In words, when it is none.
pub(crate) fn sasl_message(line: &[u8]) -> Result<Vec<u8>, String> {
    let text = line.trim_ascii_end();
    mail_wire::base64::decode(text).map(|octets| octets.expose().to_vec()).map_err(|why| why.to_string())
}
