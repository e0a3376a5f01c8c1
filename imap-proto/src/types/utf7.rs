//! Modified UTF-7, in which mailbox names are written before UTF-8 is enabled (RFC 3501 §5.1.3).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::invalid::Invalid;
use alloc::string::String;
use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Writes a name in modified UTF-7.
///
/// Control characters are encoded too; whether a mailbox may be named so is for [`Mailbox`](super::Mailbox) to say.
///
/// ```
/// use mail_imap_proto::types::utf7;
/// assert_eq!(utf7::encode("~peter/mail/台北/日本語"), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
/// assert_eq!(utf7::encode("Q&A"), "Q&-A");
/// ```
#[must_use]
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut units: Vec<u16> = Vec::new();
    for letter in name.chars() {
        if matches!(letter, ' '..='~') {
            flush(&mut units, &mut out);
            out.push(letter);
            if letter == '&' {
                out.push('-');
            }
        } else {
            units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
        }
    }
    flush(&mut units, &mut out);
    out
}

/// Writes what was held back as one shift: UTF-16 in six bits a letter, the last ones filled with zeros.
fn flush(units: &mut Vec<u16>, out: &mut String) {
    if units.is_empty() {
        return;
    }
    out.push('&');
    let (mut bits, mut held) = (0_u32, 0_u32);
    for unit in units.drain(..) {
        bits = (bits << 16) | u32::from(unit);
        held = held.saturating_add(16);
        while held >= 6 {
            held = held.saturating_sub(6);
            out.push(letter(bits >> held));
        }
        bits &= below(held);
    }
    if held > 0 {
        out.push(letter(bits << 6_u32.saturating_sub(held)));
    }
    out.push('-');
}

/// So many bits, all set.
const fn below(bits: u32) -> u32 {
    !(u32::MAX << bits)
}

/// The letter of six bits.
fn letter(bits: u32) -> char {
    ALPHABET.get((bits & 63) as usize).map_or('A', |octet| char::from(*octet))
}

/// Reads a name in modified UTF-7, and takes only what [`encode`] writes: one name has one form.
///
/// # Errors
/// [`Invalid::Encoding`] for 8-bit octets, controls, a shift without its end, padding, wrong bits, lone surrogates, or a shift that
/// was not needed. The raw name is still good to name the mailbox by.
///
/// ```
/// use mail_imap_proto::types::utf7;
/// assert_eq!(utf7::decode(b"&Jjo-!&Jjo-").unwrap(), "\u{263a}!\u{263a}");
/// assert!(utf7::decode(b"&Jjo!").is_err());
/// ```
pub fn decode(name: &[u8]) -> Result<String, Invalid> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((octet, behind)) = rest.split_first() {
        rest = behind;
        match octet {
            b'&' => {
                let end = rest.iter().position(|octet| *octet == b'-').ok_or(Invalid::Encoding)?;
                let (shifted, behind) = rest.split_at_checked(end).ok_or(Invalid::Encoding)?;
                rest = behind.split_first().map_or(&[], |(_minus, rest)| rest);
                if shifted.is_empty() { out.push('&') } else { unshift(shifted, &mut out)? }
            }
            b' '..=b'~' => out.push(char::from(*octet)),
            _ => return Err(Invalid::Encoding),
        }
    }
    // Two shifts in a row, or one around a letter that needed none, decode but are never written.
    if encode(&out).as_bytes() == name { Ok(out) } else { Err(Invalid::Encoding) }
}

/// Reads the inside of a shift. Controls have no place in a name.
fn unshift(shifted: &[u8], out: &mut String) -> Result<(), Invalid> {
    let mut units: Vec<u16> = Vec::with_capacity(shifted.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for octet in shifted {
        let value = ALPHABET.iter().position(|letter| letter == octet).ok_or(Invalid::Encoding)?;
        bits = (bits << 6) | value as u32;
        held = held.saturating_add(6);
        if held >= 16 {
            held = held.saturating_sub(16);
            units.push((bits >> held) as u16);
            bits &= below(held);
        }
    }
    for letter in char::decode_utf16(units) {
        let letter = letter.map_err(|_| Invalid::Encoding)?;
        if letter.is_control() {
            return Err(Invalid::Encoding);
        }
        out.push(letter);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_standard_hold() {
        assert_eq!(encode("台北"), "&U,BTFw-");
        assert_eq!(decode(b"~peter/mail/&U,BTFw-/&ZeVnLIqe-").unwrap(), "~peter/mail/台北/日本語");
        assert_eq!(decode(b"&-").unwrap(), "&");
        assert_eq!(decode(b"&2D3eAA-").unwrap(), "\u{1f600}");
    }

    #[test]
    fn what_the_encoder_never_writes_is_refused() {
        let bad: [&[u8]; 15] = [
            b"&AGE-",
            b"&",
            b"&A-",
            b"&2AA-",
            b"&3AA-",
            b"&AAA-",
            b"&AA0ACg-",
            b"a&b",
            b"\xc3\xa9",
            b"&Jj==-",
            b"&Jjo!",
            b"&Jjo",
            b"&Jjo-&Jjo-",
            b"&Jjp-",
            b"a\x7f",
        ];
        for name in bad {
            assert_eq!(decode(name), Err(Invalid::Encoding), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(name in "[^\\p{Cc}]{0,40}") {
            prop_assert_eq!(decode(encode(&name).as_bytes()).unwrap(), name);
        }

        #[test]
        fn what_reads_is_written_back(name in "[&,A-Za-z0-9+/ -]{0,24}") {
            if let Ok(decoded) = decode(name.as_bytes()) {
                prop_assert_eq!(encode(&decoded), name);
            }
        }
    }
}
