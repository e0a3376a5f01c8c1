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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::Duration;

    /// Two messages, of 1 February 1994 and of now.
    fn messages() -> Vec<Message> {
        let old = "From: Fred Foobar <foobar@Blurdybloop.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
            Date: Mon, 7 Feb 1994 23:59:00 -0800\r\nCc: x@y\r\n\r\nan afternoon meeting\r\n";
        let new = "From: b@c.test\r\nBcc: z@y\r\nTo: d@e\r\n\r\nshort\r\n";
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let message = |uid, flags: &[&str], date, text: &'static str| Message {
            uid,
            flags: flags.iter().map(|flag| flag.to_string()).collect(),
            date,
            octets: Bytes::from_static(text.as_bytes()),
        };
        vec![
            message(7, &["\\Seen", "$Work"], at(760_112_000), old),
            message(9, &["\\Flagged", "\\Deleted"], SystemTime::now(), new),
        ]
    }

    #[test]
    fn every_key_finds_what_it_should() {
        let messages = messages();
        for (keys, found) in [
            ("ALL", &[0, 1][..]),
            ("1", &[0]),
            ("*", &[1]),
            ("UID 9:*", &[1]),
            ("UID 8", &[]),
            ("SEEN", &[0]),
            ("UNSEEN", &[1]),
            ("FLAGGED", &[1]),
            ("UNFLAGGED", &[0]),
            ("DELETED", &[1]),
            ("UNDELETED", &[0]),
            ("ANSWERED", &[]),
            ("UNANSWERED", &[0, 1]),
            ("DRAFT", &[]),
            ("UNDRAFT", &[0, 1]),
            ("RECENT", &[]),
            ("NEW", &[]),
            ("OLD", &[0, 1]),
            ("KEYWORD $work", &[0]),
            ("UNKEYWORD $work", &[1]),
            ("LARGER 100", &[0]),
            ("SMALLER 100", &[1]),
            ("BEFORE 2-Feb-1994", &[0]),
            ("BEFORE 1-Feb-1994", &[]),
            ("ON 1-Feb-1994", &[0]),
            ("SINCE 2-Feb-1994", &[1]),
            ("SENTON 7-Feb-1994", &[0]),
            ("SENTBEFORE 7-Feb-1994", &[]),
            ("SENTSINCE 7-Feb-1994", &[0]),
            ("YOUNGER 3600", &[1]),
            ("OLDER 3600", &[0]),
            ("FROM fred", &[0]),
            ("FROM BLURDYBLOOP", &[0]),
            ("TO d@e", &[1]),
            ("CC x@y", &[0]),
            ("BCC z@y", &[1]),
            ("SUBJECT \"GR\u{dc}\u{df}\"", &[0]),
            ("HEADER Date \"\"", &[0]),
            ("HEADER DATE 1994", &[0]),
            ("BODY AFTERNOON", &[0]),
            ("BODY fred", &[]),
            ("TEXT fred", &[0]),
            ("TEXT short", &[1]),
            ("OR SEEN FLAGGED", &[0, 1]),
            ("NOT SEEN", &[1]),
            ("SEEN FLAGGED", &[]),
            ("OR (SEEN TEXT fred) (NOT 2 ALL)", &[0]),
        ] {
            // A string beyond ASCII is a literal on the wire.
            let wire = match keys.split_once('"').filter(|_| !keys.is_ascii()) {
                Some((key, text)) => {
                    format!("{key}{{{}+}}\r\n{}", text.len() - 1, text.trim_end_matches('"'))
                }
                None => keys.to_string(),
            };
            let parsed = Search::parse(wire.as_bytes()).unwrap_or_else(|error| panic!("{keys}: {error}"));
            assert_eq!(search(&messages, parsed), found, "{keys}");
        }
    }
}
