//! SEARCH (RFC 9051 §6.4.4): whether a key holds of a message. How keys combine is for `Search::matches`.

use crate::mime;
use crate::store::Message;
use mail_session::proto::imap::types::{AString, Date, DateTime, Key, Search};
use mailparse::{MailHeaderMap, ParsedMail, parse_mail};
use std::time::{SystemTime, UNIX_EPOCH};

/// The numbers, counted from 0, of the messages that are found.
pub(super) fn search(messages: &[Message], keys: Search<'_>) -> Vec<usize> {
    let exists = u32::try_from(messages.len()).unwrap_or(u32::MAX);
    let last_uid = messages.last().map_or(0, |message| message.uid);
    let found = |(index, message): (usize, &Message)| {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        keys.matches(|key| match key {
            Key::Set(set) => set.contains(number, exists),
            Key::Uid(set) => set.contains(message.uid, last_uid),
            key => holds(message, key),
        })
        .then_some(index)
    };
    messages.iter().enumerate().filter_map(found).collect()
}

fn holds(message: &Message, key: Key<'_>) -> bool {
    let octets = message.octets.len() as u64;
    let date = || date_time(message.date).date();
    let age = || message.date.elapsed().map_or(0, |age| age.as_secs());
    match key {
        Key::All => true,
        Key::Answered => message.has("\\Answered"),
        Key::Deleted => message.has("\\Deleted"),
        Key::Draft => message.has("\\Draft"),
        Key::Flagged => message.has("\\Flagged"),
        Key::Seen => message.has("\\Seen"),
        Key::Unanswered => !message.has("\\Answered"),
        Key::Undeleted => !message.has("\\Deleted"),
        Key::Undraft => !message.has("\\Draft"),
        Key::Unflagged => !message.has("\\Flagged"),
        Key::Unseen => !message.has("\\Seen"),
        Key::Keyword(keyword) => message.has(keyword.as_str()),
        Key::Unkeyword(keyword) => !message.has(keyword.as_str()),
        // No message is recent here, so every one is old.
        Key::Recent | Key::New => false,
        Key::Old => true,
        Key::Larger(than) => octets > than,
        Key::Smaller(than) => octets < than,
        Key::Older(seconds) => age() >= seconds.into(),
        Key::Younger(seconds) => age() <= seconds.into(),
        Key::Before(day) => date() < day,
        Key::On(day) => date() == day,
        Key::Since(day) => date() >= day,
        Key::SentBefore(day) => sent(message).is_some_and(|sent| sent < day),
        Key::SentOn(day) => sent(message) == Some(day),
        Key::SentSince(day) => sent(message).is_some_and(|sent| sent >= day),
        Key::Bcc(text) => field(message, "Bcc", text),
        Key::Cc(text) => field(message, "Cc", text),
        Key::From(text) => field(message, "From", text),
        Key::Subject(text) => field(message, "Subject", text),
        Key::To(text) => field(message, "To", text),
        Key::Header(name, text) => field(message, &String::from_utf8_lossy(&name.bytes()), text),
        Key::Body(text) => parse_mail(&message.octets).is_ok_and(|mail| in_body(&mail, &folded(text))),
        Key::Text(text) => parse_mail(&message.octets).is_ok_and(|mail| {
            let text = folded(text);
            let in_field = |value: &str| value.to_lowercase().contains(&text);
            mail.headers.iter().any(|field| in_field(&format!("{}: {}", field.get_key(), field.get_value())))
                || in_body(&mail, &text)
        }),
        // Operators, parentheses and sets are answered before.
        _ => false,
    }
}

/// A moment as INTERNALDATE tells it.
pub(super) fn date_time(time: SystemTime) -> DateTime {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(0),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(0, |seconds| -seconds),
    };
    DateTime::from_unix(seconds).or_else(|_| DateTime::from_unix(0)).expect("the first day of 1970")
}

/// The day of the Date field, in its own zone (RFC 5322 §3.3): a day of the week may stand before it.
fn sent(message: &Message) -> Option<Date> {
    let value = mime::first(mime::header(&message.octets), "Date")?;
    let value = String::from_utf8_lossy(&value).into_owned();
    let date = value.split_once(',').map_or(value.as_str(), |(_, date)| date);
    let words: Vec<&str> = date.split_whitespace().take(3).collect();
    Date::parse(words.join("-").as_bytes()).ok()
}

/// Whether a field of this name holds the text, encoded words decoded and without regard to case.
fn field(message: &Message, name: &str, text: AString<'_>) -> bool {
    let text = folded(text);
    let Ok((headers, _)) = mailparse::parse_headers(&message.octets) else { return false };
    headers.get_all_values(name).iter().any(|value| value.to_lowercase().contains(&text))
}

/// Whether a part that is text holds it.
fn in_body(mail: &ParsedMail<'_>, text: &str) -> bool {
    mail.parts()
        .filter(|part| part.ctype.mimetype.starts_with("text/"))
        .filter_map(|part| part.get_body().ok())
        .any(|body| body.to_lowercase().contains(text))
}

fn folded(text: AString<'_>) -> String {
    String::from_utf8_lossy(&text.bytes()).to_lowercase()
}
