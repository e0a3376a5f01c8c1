//! A naive POP3: what a server answers, line by line, and how a client reads an answer. Nothing of the crate under test is used; it holds
//! whole messages, copies at will, and knows no octets that are still to come (RFC 1939, 2449, 2595, 5034, 6856).

use mail_wire::base64;

/// What a server says to one line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    /// What stands behind the status, where a client reads it.
    pub(crate) says: Option<String>,
    /// The lines behind the first one, without stuffing.
    pub(crate) lines: Option<Vec<Vec<u8>>>,
    /// An empty challenge, and no status.
    pub(crate) challenge: bool,
}

const NO: Answer = Answer { ok: false, says: None, lines: None, challenge: false };
const YES: Answer = Answer { ok: true, ..NO };

fn says(text: String) -> Answer {
    Answer { says: Some(text), ..YES }
}

fn several(lines: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Answer {
    Answer { lines: Some(lines.into_iter().map(Into::into).collect()), ..YES }
}

/// Yes, and a mark that it leaves.
fn yes(mark: &mut bool) -> Answer {
    *mark = true;
    YES
}

impl Answer {
    /// As it stands on the wire.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let status = if self.ok { "+OK" } else { "-ERR no" };
        let text = self.says.iter().map(|text| format!(" {text}")).collect::<String>();
        let mut wire = format!("{}{text}\r\n", if self.challenge { "+ " } else { status }).into_bytes();
        for line in self.lines.iter().flatten() {
            wire.extend([if line.starts_with(b".") { b"." } else { &b""[..] }, line, b"\r\n"].concat());
        }
        wire.extend(self.lines.iter().flat_map(|_| *b".\r\n"));
        wire
    }

    /// Reads the answer at the front of the wire as one of the shape that is `expected`.
    pub(crate) fn read(wire: &mut Vec<u8>, expected: &Self) -> Self {
        let mut line = || {
            let end = wire.windows(2).position(|pair| pair == b"\r\n").expect("a line");
            let line: Vec<u8> = wire.drain(..end + 2).collect();
            line[..end].to_vec()
        };
        let status = line();
        let ok = status.starts_with(b"+OK");
        let text = status.strip_prefix(b"+OK ").map(|text| String::from_utf8_lossy(text).into_owned());
        let several = ok && expected.lines.is_some();
        let lines = std::iter::repeat_with(line).take_while(|line| line != b".");
        let lines = lines.map(|line| line.strip_prefix(b".").unwrap_or(&line).to_vec());
        Self {
            ok,
            says: text.filter(|_| expected.says.is_some()),
            lines: several.then(|| lines.collect()),
            challenge: status == b"+ ",
        }
    }
}

/// A server with one maildrop. It takes every name that does not begin with `no`, and what ends in `right` for a password.
#[derive(Clone, Debug, Default)]
pub(crate) struct Server {
    /// Lines of each message, and whether it is marked.
    pub(crate) mail: Vec<(Vec<Vec<u8>>, bool)>,
    /// Whether log-ins with a password are taken in the clear.
    pub(crate) allowed: bool,
    pub(crate) offers_tls: bool,
    pub(crate) secure: bool,
    utf8: bool,
    user: bool,
    exchange: bool,
    /// TRANSACTION.
    pub(crate) open: bool,
    /// What QUIT has removed.
    pub(crate) removed: Option<Vec<u32>>,
    /// QUIT was answered.
    pub(crate) over: bool,
}

pub(crate) fn size(lines: &[Vec<u8>]) -> usize {
    lines.iter().map(|line| line.len() + 2).sum()
}

fn is_right(text: &[u8]) -> bool {
    base64::decode(text).is_ok_and(|text| text.expose().ends_with(b"right"))
}

impl Server {
    /// The answer to a line without its end, and what comes of it.
    pub(crate) fn line(&mut self, line: &[u8]) -> Answer {
        if std::mem::take(&mut self.exchange) {
            return self.log_in(is_right(line));
        }
        let user = std::mem::take(&mut self.user);
        let keyword = line.split(|octet| *octet == b' ').next().unwrap().to_ascii_uppercase();
        let rest = line.get(keyword.len() + 1..);
        let words: Vec<&[u8]> = rest.iter().flat_map(|rest| rest.split(|octet| *octet == b' ')).collect();
        let text = rest.filter(|rest| !rest.is_empty() && !line.contains(&0));
        let early = !self.open && !line.contains(&0);
        let by_password = early && (self.allowed || self.secure);
        match (&keyword[..], &words[..]) {
            (b"USER", _) if by_password && text.is_some_and(|name| !name.starts_with(b"no")) => {
                yes(&mut self.user)
            }
            (b"PASS", _) if user && text.is_none() => Answer { ok: false, ..yes(&mut self.user) },
            (b"PASS", _) if user => self.log_in(text.unwrap().ends_with(b"right")),
            (b"AUTH", []) if early => several(by_password.then_some("PLAIN")),
            (b"AUTH", [name, initial @ ..]) if by_password && name.eq_ignore_ascii_case(b"PLAIN") => {
                match initial {
                    [] => {
                        self.exchange = true;
                        Answer { challenge: true, ..NO }
                    }
                    [initial] if !initial.is_empty() => self.log_in(is_right(initial)),
                    _ => NO,
                }
            }
            (b"CAPA", []) => {
                let password = if self.allowed || self.secure { "USER SASL=PLAIN" } else { "" };
                let tls = if self.may_start_tls() { "STLS" } else { "" };
                let all = format!("TOP UIDL PIPELINING UTF8 LANG {password} {tls}");
                several(all.split_whitespace().map(|name| name.replace('=', " ")))
            }
            (b"STLS", []) if self.may_start_tls() => yes(&mut self.secure),
            (b"UTF8", []) if early => yes(&mut self.utf8),
            (b"LANG", []) => several(["en"]),
            (b"LANG", [b"en"]) => says("en".into()),
            (b"QUIT", []) => {
                self.over = true;
                self.removed = self.open.then(|| self.numbers(true));
                self.open = false;
                YES
            }
            (_, words) if self.open => self.transaction(&keyword, words),
            _ => NO,
        }
    }

    fn may_start_tls(&self) -> bool {
        self.offers_tls && !self.open && !self.secure && !self.utf8
    }

    fn log_in(&mut self, right: bool) -> Answer {
        self.open = right;
        Answer { ok: right, ..NO }
    }

    /// The messages that are marked, or those that are not.
    fn numbers(&self, marked: bool) -> Vec<u32> {
        (1..).zip(&self.mail).filter(|(_, mail)| mail.1 == marked).map(|(number, _)| number).collect()
    }

    fn entry(&self, keyword: &[u8], number: u32) -> String {
        let size = size(&self.mail[number as usize - 1].0);
        if keyword == b"LIST" { format!("{number} {size}") } else { format!("{number} id-{number}") }
    }

    fn transaction(&mut self, keyword: &[u8], words: &[&[u8]]) -> Answer {
        let number = |word: &&[u8]| {
            let digits = !word.is_empty() && word.iter().all(u8::is_ascii_digit);
            digits.then(|| String::from_utf8_lossy(word).parse::<u32>().unwrap_or(u32::MAX))
        };
        let live = self.numbers(false);
        let first = words.first().and_then(number).filter(|number| live.contains(number));
        let message = first.map(|number| number as usize - 1);
        match (keyword, words, message) {
            (b"NOOP", [], _) => YES,
            (b"RSET", [], _) => {
                self.mail.iter_mut().for_each(|mail| mail.1 = false);
                YES
            }
            (b"STAT", [], _) => {
                let octets: usize = self.mail.iter().filter(|mail| !mail.1).map(|mail| size(&mail.0)).sum();
                says(format!("{} {octets}", live.len()))
            }
            (b"LIST" | b"UIDL", [], _) => several(live.iter().map(|number| self.entry(keyword, *number))),
            (b"LIST" | b"UIDL", [_], Some(_)) => says(self.entry(keyword, first.unwrap())),
            (b"DELE", [_], Some(message)) => yes(&mut self.mail[message].1),
            (b"RETR", [_], Some(message)) => several(self.mail[message].0.clone()),
            (b"TOP", [_, lines], Some(message)) if number(lines).is_some() => {
                let mail = &self.mail[message].0;
                let header = mail.iter().position(|line| line.is_empty()).map_or(mail.len(), |at| at + 1);
                let lines = number(lines).unwrap() as usize;
                several(mail[..mail.len().min(header.saturating_add(lines))].to_vec())
            }
            _ => NO,
        }
    }
}
