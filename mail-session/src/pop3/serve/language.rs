//! LANG (RFC 6856 §3): the one language that there are words in.
//!
//! A server that names a language must say everything in it from there on, and all words of this library are English. So that is what is
//! offered, where the configuration offers LANG at all, and what the server prefers; every other language is refused, which leaves
//! the client with English (RFC 6856 §3.2).

use mail_pop3_proto::server::Language;
use mail_pop3_proto::types::{LanguageRange, LanguageTag, ReplyText};

const ENGLISH: &str = "en";

/// What is listed: the kinds of English that were given, or English.
pub(super) fn kept(given: &[Language]) -> Vec<Language> {
    let mut kept: Vec<_> = given.iter().filter(|given| is_in(given.tag(), ENGLISH)).cloned().collect();
    if let (true, Ok(tag), Ok(name)) =
        (kept.is_empty(), LanguageTag::try_from(ENGLISH), ReplyText::try_from("English"))
    {
        kept.push(Language::new(tag, name));
    }
    kept
}

/// The first that a range matches, by basic filtering (RFC 4647 §3.3.1).
pub(super) fn choose<'l>(listed: &'l [Language], range: LanguageRange<'_>) -> Option<&'l str> {
    let mut tags = listed.iter().map(Language::tag);
    match range {
        LanguageRange::Preferred => tags.next(),
        LanguageRange::Tag(range) => tags.find(|tag| is_in(tag, range.as_str())),
    }
}

/// Whether a tag is the range, or begins with it and a hyphen. Case does not count (RFC 4647 §2.1).
fn is_in(tag: &str, range: &str) -> bool {
    match tag.as_bytes().split_at_checked(range.len()) {
        Some((first, rest)) => {
            first.eq_ignore_ascii_case(range.as_bytes()) && matches!(rest.first(), None | Some(b'-'))
        }
        None => false,
    }
}
