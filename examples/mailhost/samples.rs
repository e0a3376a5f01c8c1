//! Messages that have given mail software trouble. All are legal; `SMTPUTF8` is needed for none, `8BITMIME` for one.

use bytes::Bytes;

/// A message with the words that describe it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What is special about it.
    pub name: String,
    /// Header and body, lines ending in CRLF.
    pub octets: Bytes,
}

/// All samples, addressed from `from` to `to`.
pub fn all(from: &str, to: &str) -> Vec<Sample> {
    let message = |number: usize, name: &str, fields: &str, body: &str| {
        let octets = format!(
            "From: {from}\r\nTo: {to}\r\nDate: Sun, 1 Mar 2026 10:0{number}:00 +0000\r\nMessage-ID: \
             <sample-{number}@mail.test>\r\nSubject: {name}\r\n{fields}\r\n{body}"
        );
        Sample { name: name.into(), octets: octets.into() }
    };
    let text = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
    let eight_bit = format!("{text}Content-Transfer-Encoding: 8bit\r\n");
    let (multipart, attachment) = multipart(2 * 1024 * 1024 + 77);
    vec![
        message(1, "lines that begin with dots", "", ".\r\n..\r\n...\r\n.leading\r\nnot.leading\r\n.\r\n"),
        message(2, "a multipart with a large attachment", &multipart, &attachment),
        message(3, "8-bit UTF-8", &eight_bit, "Grüße aus Zürich, 日本語, Ελληνικά, 🙂\r\n"),
        message(4, "a line of 998 octets", text, &format!("{}\r\nshort\r\n", "x".repeat(998))),
        message(5, "an empty body", "", ""),
    ]
}

/// The header fields and the body of a multipart with a text and an attachment of at least `octets` octets, base64-encoded.
fn multipart(octets: usize) -> (String, String) {
    const BOUNDARY: &str = "=_sample_boundary";
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let fields = format!("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\r\n");
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n--{BOUNDARY}\r\nContent-Type: \
         application/octet-stream; name=noise.bin\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: \
         attachment; filename=noise.bin\r\n\r\n"
    );
    // Lines of 76 digits carry 57 octets each; a linear congruence makes them differ.
    let mut state = 12_345_u32;
    for _ in 0..octets.div_ceil(57) {
        for _ in 0..76 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            body.push(char::from(DIGITS[(state >> 26) as usize]));
        }
        body.push_str("\r\n");
    }
    body.push_str(&format!("--{BOUNDARY}--\r\n"));
    (fields, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_a_legal_message() {
        for sample in all("alice@mail.test", "bob@mail.test") {
            let text = std::str::from_utf8(&sample.octets).unwrap();
            let (header, _) = text.split_once("\r\n\r\n").unwrap();
            for field in ["From: ", "Date: ", "Message-ID: "] {
                assert!(header.contains(field), "{}: {field}", sample.name);
            }
            assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
            assert!(text.split("\r\n").all(|line| line.len() <= 998), "{}", sample.name);
        }
    }

    #[test]
    fn the_attachment_is_read_by_a_mime_parser_and_large() {
        let samples = all("alice@mail.test", "bob@mail.test");
        let parsed = mailparse::parse_mail(&samples[1].octets).unwrap();
        assert_eq!(parsed.subparts.len(), 2);
        assert!(parsed.subparts[1].get_body_raw().unwrap().len() >= 2 * 1024 * 1024);
    }
}
