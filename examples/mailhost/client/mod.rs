//! What clients do once a session is open: one file for each protocol that needs more than the session gives. `send`, `fetch` and `drain` are command lines around it.

pub mod imap;
pub mod smtp;
pub mod target;

use bytes::Bytes;

/// A message as the protocols carry it: every line ends in CRLF, the last one too. A file may have LF.
pub fn canonical(file: &[u8]) -> Bytes {
    let mut message = Vec::with_capacity(file.len() + file.len() / 32);
    for line in file.split_inclusive(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        message.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        message.extend_from_slice(b"\r\n");
    }
    message.into()
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn every_line_ends_in_crlf() {
        for (file, message) in [("a\nb", "a\r\nb\r\n"), ("a\r\n\nb\r\n", "a\r\n\r\nb\r\n"), ("", "")] {
            assert_eq!(canonical(file.as_bytes()), message.as_bytes());
        }
    }
}
