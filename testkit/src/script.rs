//! A transcript: one step a line. Octets are written with `\r \n \\ \xNN`.
//!
//! | line | meaning |
//! |---|---|
//! | `# words` | a comment |
//! | `set key value` | a setting of the machine; `set link tls` is a connection that begins with TLS |
//! | `peer octets` | the peer sends |
//! | `event words` | the machine tells; secret spans stand behind it as `{4..9}` |
//! | `do words` | the application acts, once all events above have come; `do tls` is the hand-over and the handshake |
//! | `sent octets` | the machine has written, in order |
//! | `end closed` or `end error words` or `end open` | how it ends when the peer closes behind the last octet, or before |

use crate::Outcome;
use mail_wire::{Machine, Role};
use std::path::Path;

/// A transcript.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The file's, without its extension.
    pub name: String,
    /// How it ends.
    pub end: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) secure: bool,
    settings: Vec<(String, String)>,
}

/// A line of a transcript.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Peer(Vec<u8>),
    Event(String),
    Do(String),
    Sent(Vec<u8>),
}

impl Script {
    /// Reads a transcript.
    ///
    /// # Panics
    /// If a line is none of those that the module tells.
    pub fn parse(name: &str, text: &str) -> Self {
        let mut script = Self { name: name.into(), end: "open".into(), ..Self::default() };
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "set" if rest == "link tls" => script.secure = true,
                "set" => {
                    let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    script.settings.push((key.into(), value.into()));
                }
                "peer" => script.steps.push(Step::Peer(unescape(rest))),
                "event" => script.steps.push(Step::Event(rest.into())),
                "do" => script.steps.push(Step::Do(rest.into())),
                "sent" => script.steps.push(Step::Sent(unescape(rest))),
                "end" => script.end = rest.into(),
                other => panic!("{name}: {other}"),
            }
        }
        script
    }

    /// All transcripts of a machine's role, in the order of their names: `tests/golden/client` or `server` beside the manifest.
    ///
    /// # Panics
    /// If there are fewer than four, or one cannot be read.
    pub fn all<M: Machine>(manifest: &str) -> Vec<Self> {
        let role = if M::ROLE == Role::Client { "client" } else { "server" };
        let folder = format!("{manifest}/tests/golden/{role}");
        let entries = Path::new(&folder).read_dir().unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(paths.len() >= 4, "{folder}: too few transcripts");
        let read = |path: &std::path::PathBuf| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Self::parse(&name, &std::fs::read_to_string(path).unwrap())
        };
        paths.iter().map(read).collect()
    }

    /// The settings, key and value, in their order. That of the link is none of them: the replay sees to it.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// All octets that the peer sends.
    pub fn peer_octets(&self) -> Vec<u8> {
        let peer = |step: &Step| if let Step::Peer(octets) = step { octets.clone() } else { Vec::new() };
        self.steps.iter().flat_map(peer).collect()
    }

    /// What the transcript says.
    pub fn expected(&self) -> Outcome {
        let mut outcome = Outcome { end: self.end.clone(), ..Outcome::default() };
        for step in &self.steps {
            match step {
                Step::Event(words) => outcome.events.push(words.clone()),
                Step::Sent(octets) => outcome.sent.extend_from_slice(octets),
                Step::Peer(_) | Step::Do(_) => {}
            }
        }
        outcome
    }
}

/// Octets as they stand in a transcript.
pub fn escape(octets: &[u8]) -> String {
    octets.escape_ascii().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

/// The octets that a transcript writes so.
///
/// # Panics
/// If the text ends in a backslash, or what follows `\x` is not two hexadecimal digits.
pub fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((octet, behind)) = rest.split_first() {
        let (octet, behind) = match (octet, behind) {
            (b'\\', [b'r', behind @ ..]) => (b'\r', behind),
            (b'\\', [b'n', behind @ ..]) => (b'\n', behind),
            (b'\\', [b't', behind @ ..]) => (b'\t', behind),
            (b'\\', [b'x', high, low, behind @ ..]) => {
                let digit = |digit: &u8| (*digit as char).to_digit(16).expect("a hexadecimal digit") as u8;
                (digit(high) << 4 | digit(low), behind)
            }
            (b'\\', [other, behind @ ..]) => (*other, behind),
            (b'\\', []) => panic!("a backslash at the end of {text}"),
            (octet, behind) => (*octet, behind),
        };
        octets.push(octet);
        rest = behind;
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::{Script, escape, unescape};

    #[test]
    fn what_is_escaped_is_unescaped() {
        let octets: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape(&escape(&octets)), octets);
        assert_eq!(unescape(r#"a\\b\r\n\x0fé"'"#), "a\\b\r\n\x0fé\"'".as_bytes());
    }

    #[test]
    fn a_transcript_is_read_line_by_line() {
        let text = "# words\nset link tls\nset a b c\n\npeer x\\r\\n\nevent e\nsent y\npeer z\nend closed\n";
        let script = Script::parse("name", text);
        assert!(script.secure);
        assert_eq!(script.settings().collect::<Vec<_>>(), [("a", "b c")]);
        assert_eq!(script.peer_octets(), b"x\r\nz");
        let expected = script.expected();
        assert_eq!(
            (expected.events, expected.sent, expected.end),
            (vec!["e".into()], b"y".to_vec(), "closed".into())
        );
    }

    #[test]
    #[should_panic(expected = "name: pear")]
    fn a_line_that_says_nothing_is_an_error() {
        Script::parse("name", "pear x\n");
    }
}
