//! The application stub: says yes to everything but what `setup.app` names.

use serde_json::{Map, Value};

use crate::octets::latin1;

/// The answers to one kind of question, in order; after the last one the answer is yes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answers {
    refuse_all: bool,
    list: Vec<bool>,
    next: usize,
}

/// One message of the POP3 maildrop.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Its octets.
    pub(crate) octets: Vec<u8>,
}

/// What the application stub knows and answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct App {
    /// MAIL.
    pub(crate) mail: Answers,
    /// RCPT.
    pub(crate) rcpt: Answers,
    /// A BDAT chunk.
    pub(crate) bdat: Answers,
    /// The end of a message.
    pub(crate) end_of_data: Answers,
    /// A log-in of any kind.
    pub(crate) auth: Answers,
    /// APPEND, before its literal.
    pub(crate) append: Answers,
    /// The greeting is not written yet.
    pub(crate) greeting_held: bool,
    /// The commit of POP3 deletions fails.
    pub(crate) commit_fails: bool,
    /// The POP3 maildrop.
    pub(crate) messages: Vec<Message>,
    /// Messages in the mailbox.
    pub(crate) exists: u32,
    /// Responses that a SASL exchange takes; `None`: by its mechanism. Transcripts of RFCs set it.
    pub(crate) responses: Option<u32>,
    /// The saved search result of RFC 5182.
    pub(crate) saved_search: Vec<u32>,
}

impl Answers {
    /// The next answer.
    pub(crate) fn next(&mut self) -> bool {
        let answer = self.list.get(self.next).copied().unwrap_or(!self.refuse_all);
        self.next += 1;
        answer
    }

    fn read(value: &Value) -> Result<Answers, String> {
        let yes = |value: &Value| match value.as_str() {
            Some("accept") => Ok(true),
            Some("refuse") => Ok(false),
            _ => Err(format!("unknown answer {value}")),
        };
        match value {
            Value::Array(list) => {
                Ok(Answers { list: list.iter().map(yes).collect::<Result<_, _>>()?, ..Answers::default() })
            }
            one => Ok(Answers { refuse_all: !yes(one)?, ..Answers::default() }),
        }
    }
}

impl Message {
    /// A message of exactly `size` octets, its lines ended by CRLF.
    fn of_size(size: u64) -> Message {
        let size = usize::try_from(size).unwrap_or(0);
        let mut octets = b"Subject: x\r\n\r\n".to_vec();
        octets.resize(size.saturating_sub(2).max(octets.len()), b'x');
        octets.extend_from_slice(b"\r\n");
        Message { octets }
    }
}

impl App {
    /// How many responses an exchange still needs after its command.
    pub(crate) fn responses(&self, mechanism: &str, initial: bool) -> u32 {
        match self.responses {
            Some(responses) => responses,
            None if mechanism.eq_ignore_ascii_case("LOGIN") => 2 - u32::from(initial),
            None => 1 - u32::from(initial),
        }
    }

    /// Reads `setup.app`.
    pub(crate) fn read(map: &Map<String, Value>) -> Result<App, String> {
        let mut app = App::default();
        for (key, value) in map {
            match key.as_str() {
                "mail" => app.mail = Answers::read(value)?,
                "rcpt" => app.rcpt = Answers::read(value)?,
                "bdat" => app.bdat = Answers::read(value)?,
                "end_of_data" => app.end_of_data = Answers::read(value)?,
                "auth" => app.auth = Answers::read(value)?,
                "append" => app.append = Answers::read(value)?,
                "greeting" => app.greeting_held = value.as_str() == Some("held"),
                "commit" => app.commit_fails = value.as_str() == Some("fail"),
                "messages" => app.messages = messages(value)?,
                "responses" => app.responses = Some(number(value)?),
                "exists" => app.exists = number(value)?,
                "saved_search" => {
                    let list = value.as_array().ok_or("saved_search is no list")?;
                    app.saved_search = list.iter().map(number).collect::<Result<_, _>>()?;
                }
                _ => return Err(format!("unknown key app.{key}")),
            }
        }
        Ok(app)
    }
}

/// Messages given by their size or by their text.
fn messages(value: &Value) -> Result<Vec<Message>, String> {
    let list = value.as_array().ok_or("messages is no list")?;
    list.iter()
        .map(|message| match message {
            Value::Number(size) => Ok(Message::of_size(size.as_u64().unwrap_or(0))),
            Value::String(text) => Ok(Message { octets: latin1(text)? }),
            other => Err(format!("unknown message {other}")),
        })
        .collect()
}

fn number(value: &Value) -> Result<u32, String> {
    value.as_u64().and_then(|n| u32::try_from(n).ok()).ok_or_else(|| format!("{value} is no number"))
}
