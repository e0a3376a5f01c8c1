//! LANG (RFC 6856 §3): what is said is English, and that is what is offered.

use crate::messages::LETTERS;
use crate::peer::{Meeting, open_config, open_service, say};
use crate::shelf::Shelf;
use crate::twins::LOG_IN;
use mail_session::pop3::serve::Service;
use mail_session::proto::pop3::server::Language;
use mail_session::proto::pop3::types::{LanguageTag, ReplyText};
use std::sync::Arc;

/// A service that offers LANG, with these languages in its configuration.
fn service(languages: &[(&str, &str)]) -> Service {
    let mut config = open_config();
    let offer = Arc::make_mut(&mut config.offer);
    offer.capabilities.add(b"LANG").unwrap();
    offer.languages = (languages.iter())
        .map(|(tag, name)| {
            Language::new(LanguageTag::try_from(*tag).unwrap(), ReplyText::try_from(*name).unwrap())
        })
        .collect();
    Service::new(config)
}

/// What a client is told behind the greeting, by each line; the answer to QUIT left out.
fn told(service: Service, script: &str) -> Vec<String> {
    let shelf = Shelf::new(&LETTERS);
    let meeting = Meeting { service, ..Meeting::new(&shelf) };
    let (said, _) = meeting.raw(async |end| say(end, format!("{script}QUIT\r\n")).await);
    let mut lines: Vec<String> = said.lines().skip(1).map(str::to_owned).collect();
    assert_eq!(lines.pop().unwrap(), "+OK bye");
    lines
}

#[test]
fn english_is_the_one_language() {
    let lines =
        told(service(&[]), "LANG\r\nLANG en\r\nLANG *\r\nLANG EN\r\nLANG de\r\nLANG en-GB\r\nLANG e\r\n");
    let english = "+OK en is spoken";
    let refused = "-ERR no words in that language";
    assert_eq!(lines, ["+OK", "en English", ".", english, english, english, refused, refused, refused]);
}

/// It may be named before the log-in and behind it (RFC 6856 §3).
#[test]
fn in_both_states() {
    let lines = told(service(&[]), &format!("LANG en\r\n{LOG_IN}LANG de\r\nLANG *\r\n"));
    assert_eq!(lines[0], "+OK en is spoken");
    assert_eq!(lines[3..], ["-ERR no words in that language", "+OK en is spoken"]);
}

/// What there are no words for is not listed, whatever the configuration says.
#[test]
fn no_other_language_is_offered() {
    let given = [("de", "Deutsch"), ("en-boont", "Boontling"), ("en-GB", "English"), ("enx", "no English")];
    let lines = told(service(&given), "LANG\r\nLANG en\r\nLANG en-gb\r\nLANG de\r\n");
    let english = ["+OK", "en-boont Boontling", "en-GB English", "."];
    assert_eq!(lines[..4], english);
    assert_eq!(lines[4..6], ["+OK en-boont is spoken", "+OK en-GB is spoken"]);
    assert!(lines[6].starts_with("-ERR"));
}

#[test]
fn where_it_is_not_offered_it_is_refused() {
    assert_eq!(told(open_service(), "LANG\r\nLANG en\r\n"), ["-ERR not offered", "-ERR not offered"]);
}
