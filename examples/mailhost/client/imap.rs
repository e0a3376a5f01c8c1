//! Reading mail on tokio: list, select, fetch, append, idle.

use crate::Failure;
use bytes::Bytes;
use mail_session::proto::imap::Command;
use mail_session::proto::imap::client::{BodyGrant, Client, Event};
use mail_session::proto::imap::command::{Append, AppendForm, ListArgs, Patterns};
use mail_session::proto::imap::response::{FetchItem, FetchPart, Untagged};
use mail_session::proto::imap::types::{
    AString, FetchAtt, FetchAtts, Flags, Mailbox, Options, Section, SequenceSetBuf, Status, utf7,
};
use mail_session::session::Next;
use std::time::Duration;

/// A session that is logged in, as `mail_session::tokio::connect` gives it.
pub type Session = mail_session::tokio::Session<Client>;

/// How long an IDLE lasts at the most: servers may hang up after 30 minutes (RFC 9051 §6.3.13).
const IDLE: Duration = Duration::from_secs(28 * 60);

/// A client that keeps count of the messages in its mailbox: a server tells that whenever it likes.
pub struct Reader {
    session: Session,
    exists: u32,
}

impl Reader {
    /// Over a session that is logged in.
    pub fn new(session: Session) -> Self {
        Self { session, exists: 0 }
    }

    /// How many messages the selected mailbox has, as far as the server has told.
    pub fn exists(&self) -> u32 {
        self.exists
    }

    /// The names of all mailboxes.
    pub async fn list(&mut self) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        let list = ListArgs {
            select: Options::NONE,
            reference: Mailbox::try_from("")?,
            patterns: Patterns::One(AString::try_from("*")?),
            returns: Options::NONE,
        };
        self.ask(&Command::List(list), |event| {
            if let Event::Untagged(Untagged::List(item)) = event {
                let name = String::from_utf8_lossy(&item.name().bytes()).into_owned();
                // What is not modified UTF-7 is shown as it came.
                names.push(utf7::decode(name.as_bytes()).unwrap_or(name));
            }
            Ok(())
        })
        .await?;
        Ok(names)
    }

    /// Selects a mailbox, and says how many messages are in it.
    pub async fn select(&mut self, name: &str) -> Result<u32, Failure> {
        let name = utf7::encode(name);
        let mailbox = Mailbox::try_from(name.as_str())?;
        self.exists = 0;
        self.ask(&Command::Select { mailbox, params: Options::NONE }, |_| Ok(())).await?;
        Ok(self.exists)
    }

    /// Fetches a message by its number, without marking it as read. Its octets come as they arrive; it is whole when this returns without
    /// an error.
    pub async fn message(
        &mut self,
        number: u32,
        mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let set = SequenceSetBuf::from_numbers([number])?;
        let atts = FetchAtts::of(&[FetchAtt::MESSAGE]);
        let command = Command::Fetch { uid: false, set: set.as_set(), atts, modifiers: Options::NONE };
        let (mut found, mut streaming) = (false, false);
        self.ask(&command, |event| match event {
            // A server may speak of other messages too (RFC 9051 §7.5.2).
            Event::Fetch(part) if part.seq() == Some(number) => {
                if let Some(octets) = whole(&part) {
                    found = true;
                    take(&octets)?;
                }
                streaming = part.literal().is_some_and(|literal| literal.section() == Some(Section::WHOLE));
                found |= streaming;
                Ok(())
            }
            Event::Chunk(octets) if streaming => take(octets),
            _ => Ok(()),
        })
        .await?;
        if found { Ok(()) } else { Err(format!("the server has no message {number}").into()) }
    }

    /// Puts a message into a mailbox.
    pub async fn append(&mut self, mailbox: &str, message: &Bytes) -> Result<(), Failure> {
        let name = utf7::encode(mailbox);
        let append = Append {
            mailbox: Mailbox::try_from(name.as_str())?,
            flags: Flags::NONE,
            date: None,
            octets: message.len() as u64,
            form: AppendForm::Literal,
            sync: false,
        };
        let ticket = self.session.turn().send(&Command::Append(append))?;
        while let Some((event, _)) = self.session.next().await? {
            match event {
                Event::BodyWanted(grant, _) => self.body(grant, message.clone()).await?,
                Event::Completed(mine, status) if mine == ticket => return good(&status),
                event => hear(&mut self.exists, &event),
            }
        }
        Err("the server hung up".into())
    }

    /// The message of an APPEND, as fast as the server reads. What it says meanwhile is listened to.
    async fn body(&mut self, mut grant: BodyGrant, mut message: Bytes) -> Result<(), Failure> {
        loop {
            self.session.turn().body(&mut grant, &mut message)?;
            if message.is_empty() {
                return Ok(());
            }
            match self.session.next_or_room().await? {
                Next::Room => {}
                Next::Event(Event::Completed(_, status), _) => return good(&status),
                Next::Event(event, _) => hear(&mut self.exists, &event),
                Next::Closed => return Err("the server hung up".into()),
            }
        }
    }

    /// Waits in IDLE until the mailbox has more messages than `known`. `false`: half an hour has passed, and none has come.
    pub async fn idle(&mut self, known: u32) -> Result<bool, Failure> {
        if self.exists > known { Ok(true) } else { self.idle_from(known, || {}).await }
    }

    /// The same, where `begun` is told that IDLE is on.
    pub async fn idle_from(&mut self, known: u32, begun: impl FnOnce()) -> Result<bool, Failure> {
        let ticket = self.session.turn().send(&Command::Idle)?;
        let until = tokio::time::Instant::now() + IDLE;
        let (mut on, mut begun) = (None, Some(begun));
        let mut over = false;
        loop {
            // `next` may be dropped at any time: so it can wait for less than the machine's patience.
            let next = match tokio::time::timeout_at(until, self.session.next()).await {
                Ok(next) => next?,
                Err(_) if over => return Err("the server does not end IDLE".into()),
                Err(_) => {
                    over = true;
                    if let Some(grant) = on.take() {
                        self.session.turn().done(grant)?;
                    }
                    continue;
                }
            };
            let Some((event, mut turn)) = next else { return Err("the server hung up".into()) };
            match event {
                Event::Idling(grant, _) => {
                    on = Some(grant);
                    begun.take().into_iter().for_each(|begun| begun());
                }
                Event::Completed(mine, status) if mine == ticket => {
                    good(&status)?;
                    return Ok(self.exists > known);
                }
                event => hear(&mut self.exists, &event),
            }
            if self.exists > known {
                if let Some(grant) = on.take() {
                    turn.done(grant)?;
                }
            }
        }
    }

    /// Ends the session.
    pub async fn logout(mut self) -> Result<(), Failure> {
        self.ask(&Command::Logout, |_| Ok(())).await?;
        while self.session.next().await?.is_some() {}
        Ok(())
    }

    /// A command, and all events up to its completion.
    async fn ask(
        &mut self,
        command: &Command<'_>,
        mut take: impl FnMut(Event<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let ticket = self.session.turn().send(command)?;
        while let Some((event, _)) = self.session.next().await? {
            hear(&mut self.exists, &event);
            match event {
                Event::Completed(mine, status) if mine == ticket => return good(&status),
                event => take(event)?,
            }
        }
        Err("the server hung up".into())
    }
}

/// Keeps count of the messages.
fn hear(exists: &mut u32, event: &Event<'_>) {
    match event {
        Event::Untagged(Untagged::Exists(messages)) => *exists = *messages,
        Event::Untagged(Untagged::Expunge(_)) => *exists = exists.saturating_sub(1),
        _ => {}
    }
}

/// The whole message, where it came inside the response.
fn whole(part: &FetchPart<'_>) -> Option<Vec<u8>> {
    part.items().find_map(|item| match item {
        FetchItem::Content(content) if content.section() == Some(Section::WHOLE) => {
            content.data().map(|data| data.bytes().into_owned())
        }
        _ => None,
    })
}

fn good(status: &Status<'_>) -> Result<(), Failure> {
    if status.is_ok() { Ok(()) } else { Err(format!("{} {}", status.condition, status.text).into()) }
}
