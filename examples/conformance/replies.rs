//! The replies in what a server wrote, as the README of the vectors counts them.

/// SMTP: every reply, by its first line.
pub(crate) fn smtp(output: &[u8]) -> Vec<String> {
    let mut replies = Vec::new();
    let mut first = true;
    for line in lines(output) {
        if first {
            replies.push(line.clone());
        }
        first = line.as_bytes().get(3) != Some(&b'-');
    }
    replies
}

/// POP3: status lines, not the lines of a listing or of a message, and no challenges.
pub(crate) fn pop3(output: &[u8]) -> Vec<String> {
    lines(output).filter(|line| line.starts_with("+OK") || line.starts_with("-ERR")).collect()
}

/// IMAP: tagged lines, `+`, `* BAD` and `* BYE`; literals are stepped over.
pub(crate) fn imap(output: &[u8]) -> Vec<String> {
    let mut replies = Vec::new();
    let mut rest = output;
    let mut starts = true;
    while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
        let (line, behind) = rest.split_at(end + 1);
        rest = behind;
        let line: String = line.iter().map(|octet| char::from(*octet)).collect();
        let line = line.trim_end_matches(['\r', '\n']);
        if starts && (!line.starts_with('*') || line.starts_with("* BAD") || line.starts_with("* BYE")) {
            replies.push(line.to_owned());
        }
        let literal = line.strip_suffix('}').and_then(|line| line.rsplit_once('{'));
        let octets = literal.and_then(|(_, digits)| digits.parse::<usize>().ok());
        starts = octets.is_none();
        rest = rest.get(octets.unwrap_or(0)..).unwrap_or_default();
    }
    replies
}

/// The lines of an output, without their ends, one character for one octet.
fn lines(output: &[u8]) -> impl Iterator<Item = String> + '_ {
    output
        .split_inclusive(|octet| *octet == b'\n')
        .map(|line| line.iter().map(|octet| char::from(*octet)).collect::<String>())
        .map(|line| line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{imap, pop3, smtp};

    #[test]
    fn an_smtp_reply_counts_once() {
        let output = b"220 a\r\n250-b\r\n250-SIZE\r\n250 HELP\r\n354 go\r\n";
        assert_eq!(smtp(output), ["220 a", "250-b", "354 go"]);
        assert_eq!(smtp(b""), [""; 0]);
    }

    #[test]
    fn a_pop3_listing_does_not_count() {
        assert_eq!(pop3(b"+OK 2\r\n1 2\r\n2 3\r\n.\r\n+ \r\n-ERR no\r\n"), ["+OK 2", "-ERR no"]);
    }

    #[test]
    fn imap_literals_are_no_lines() {
        let output =
            b"* OK x\r\n* 1 FETCH (BODY[] {6}\r\na OK\r\n)\r\n+ go\r\na OK done\r\n* BYE x\r\n* BAD y\r\n";
        assert_eq!(imap(output), ["+ go", "a OK done", "* BYE x", "* BAD y"]);
    }
}
