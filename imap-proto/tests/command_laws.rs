//! Laws of commands: what is written reads back the same, and is then written the same; nothing that is read can panic.

use bytes::Buf;
use mail_imap_proto::command::{Append, AppendForm, ListArgs, Patterns, StoreMode};
use mail_imap_proto::types::{
    AString, Atom, Atoms, Bound, Date, DateTime, EntryType, FetchAtt, FetchAtts, Flag, Flags, HeaderNames,
    IdFields, Key, Mailbox, Options, Part, Partial, Raw, Search, Section, SectionText, SeqRange,
    SequenceSetBuf, Tag,
};
use mail_imap_proto::{Command, Limits};
use mail_wire::{Output, Secret};
use proptest::prelude::*;
use std::num::NonZeroU64;

fn written(command: &Command<'_>, utf8: bool) -> Vec<u8> {
    let mut output = Output::new();
    command.encode(Tag::new(b"t]1").unwrap(), utf8, &mut output);
    output.copy_to_bytes(output.remaining()).to_vec()
}

/// A password does not show in `Debug`: it is compared apart.
fn shown(command: &Command<'_>) -> String {
    let password = match command {
        Command::Login { password, .. } => password.expose().bytes().into_owned(),
        _ => Vec::new(),
    };
    format!("{command:?} {password:?}")
}

fn holds(command: &Command<'_>) {
    for utf8 in [false, true] {
        let octets = written(command, utf8);
        let read = Command::parse(&octets, &Limits::default(), utf8);
        let (tag, again) =
            read.unwrap_or_else(|malformed| panic!("{malformed} in {}", octets.escape_ascii()));
        assert_eq!(tag.as_str(), "t]1");
        assert_eq!(shown(&again), shown(command), "{}", octets.escape_ascii());
        assert_eq!(written(&again, utf8), octets);
        assert_eq!(shown(&again.into_owned().get()), shown(command));
        let keeps_line = octets.ends_with(b"\r\n")
            && octets.iter().filter(|octet| **octet == b'\n').count() == lines(&octets);
        assert!(keeps_line, "{}", octets.escape_ascii());
    }
}

/// The line ends that literals account for, and the last one.
fn lines(octets: &[u8]) -> usize {
    let (mut lines, mut at) = (0, 0);
    while let Some(lf) = octets[at..].iter().position(|octet| *octet == b'\n') {
        lines += 1;
        let line = &octets[at..at + lf - 1];
        at += lf + 1;
        let announced = line.strip_suffix(b"+}").and_then(|line| {
            let digits = line.iter().rev().take_while(|octet| octet.is_ascii_digit()).count();
            std::str::from_utf8(&line[line.len() - digits..]).ok()?.parse::<usize>().ok()
        });
        if let Some(octets_of_literal) = announced {
            let end = (at + octets_of_literal).min(octets.len());
            lines += octets[at..end].iter().filter(|octet| **octet == b'\n').count();
            at = end;
        }
    }
    lines
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(1..=255_u8, 0..24),
        "[ -~]{0,24}".prop_map(String::into_bytes),
        "[^\\x00]{0,12}".prop_map(String::into_bytes),
        Just(b"NIL".to_vec()),
        Just(b"{5}".to_vec()),
    ]
}

/// Text that is UTF-8, for what must be so once UTF-8 is on.
fn name() -> impl Strategy<Value = Vec<u8>> {
    "[^\\x00-\\x1f\\x7f]{0,16}".prop_map(String::into_bytes)
}

fn atom() -> impl Strategy<Value = String> {
    "[A-Za-z0-9$_.=-]{1,12}"
}

fn set() -> impl Strategy<Value = SequenceSetBuf> {
    let bound = prop_oneof![
        (1..=u32::MAX).prop_map(|n| Bound::number(n).unwrap()),
        (1..=9_u32).prop_map(|n| Bound::number(n).unwrap()),
        Just(Bound::Last),
    ];
    let range = (bound.clone(), bound).prop_map(|(one, other)| SeqRange::new(one, other));
    prop::collection::vec(range, 1..6).prop_map(|ranges| SequenceSetBuf::from_ranges(ranges).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn strings_and_names(a in octets(), b in octets(), one in name(), other in name(), word in atom()) {
        let (a, b) = (AString::new(&a).unwrap(), AString::new(&b).unwrap());
        let (one, other) = (Mailbox::new(&one).unwrap(), Mailbox::new(&other).unwrap());
        let word = Atom::new(word.as_bytes()).unwrap();
        holds(&Command::Login { user: a, password: Secret::new(b) });
        holds(&Command::Rename { from: one, to: other });
        for mailbox in [one, other, Mailbox::INBOX] {
            holds(&Command::Select { mailbox, params: Options::NONE });
            holds(&Command::Create { mailbox, params: Options::new(b"USE (\\Drafts)").unwrap() });
            holds(&Command::Delete(mailbox));
            holds(&Command::Status { mailbox, items: Atoms::of(&[word]).unwrap() });
            holds(&Command::Lsub { reference: mailbox, pattern: a });
            let patterns = Patterns::One(b);
            holds(&Command::List(ListArgs { select: Options::NONE, reference: mailbox, patterns, returns: Options::NONE }));
        }
        holds(&Command::Authenticate { mechanism: word, initial: Some(Secret::new(b"=")) });
        let fields = [(AString::new(b"name").unwrap(), Some(a)), (AString::new(b"os").unwrap(), None)];
        if let Ok(fields) = IdFields::of(&fields) {
            holds(&Command::Id(fields));
        }
        let args = Raw::new(b"(a \"b c\" (d))").unwrap();
        if !KNOWN.iter().any(|known| word.is(known)) && word.as_str() != "UID" {
            holds(&Command::Other { uid: false, name: word, args });
        }
    }

    #[test]
    fn sets_and_flags(set in set(), names in prop::collection::vec(atom(), 0..4), octets in 0..=i64::MAX as u64, seconds in 0..4_000_000_000_i64) {
        let set = set.as_set();
        let mut flags: Vec<_> = names.iter().map(|name| Flag::new(name.as_bytes()).unwrap()).collect();
        flags.extend([Flag::Seen, Flag::Deleted]);
        for mode in [StoreMode::Replace, StoreMode::Add, StoreMode::Remove] {
            let modifiers = Options::new(b"UNCHANGEDSINCE 5").unwrap();
            holds(&Command::Store { uid: true, set, modifiers, mode, silent: octets % 2 == 0, flags: Flags::of(&flags) });
        }
        holds(&Command::Copy { uid: false, set, mailbox: Mailbox::INBOX });
        holds(&Command::Move { uid: true, set, mailbox: Mailbox::INBOX });
        holds(&Command::Expunge { uids: Some(set) });
        let date = Some(DateTime::from_unix(seconds).unwrap());
        for form in [AppendForm::Literal, AppendForm::Literal8, AppendForm::Utf8] {
            let append = Append { mailbox: Mailbox::INBOX, flags: Flags::of(&flags), date, octets, form, sync: true };
            holds(&Command::Append(append));
        }
        let part = Part::new(b"1.2").unwrap();
        let names = [AString::new(b"From").unwrap(), AString::new(b"x(y").unwrap()];
        let header = SectionText::Fields(HeaderNames::of(&names).unwrap());
        let partial = Some(Partial { offset: octets, count: NonZeroU64::new(octets.max(1)).unwrap() });
        let atts = [
            FetchAtt::Preview { lazy: true },
            FetchAtt::Preview { lazy: false },
            FetchAtt::Section { peek: true, section: Section::new(part, header).unwrap(), partial },
            FetchAtt::Binary { peek: false, part, partial: None },
            FetchAtt::MESSAGE,
        ];
        for atts in [FetchAtts::of(&atts), FetchAtts::of(&atts[..1]), FetchAtts::FULL] {
            holds(&Command::Fetch { uid: true, set, atts, modifiers: Options::NONE });
        }
    }

    #[test]
    fn searches(text in octets(), word in atom(), set in set(), day in 1..28_u8, shape in prop::collection::vec(0..16_u8, 1..20)) {
        let text = AString::new(&text).unwrap();
        let word = Atom::new(word.as_bytes()).unwrap();
        let id = Atom::new(b"M6d_9-a").unwrap();
        let date = Date::new(1994, 2, day).unwrap();
        let mut keys = Vec::new();
        for step in shape {
            match step {
                0 => keys.extend([Key::Not, Key::Seen]),
                1 => keys.extend([Key::Or, Key::From(text), Key::Subject(text)]),
                2 => keys.extend([Key::Open, Key::Keyword(word), Key::Since(date), Key::Close]),
                3 => keys.extend([Key::Not, Key::Or, Key::Open, Key::All, Key::Close, Key::Larger(day.into())]),
                4 => keys.push(Key::Header(text, text)),
                5 => keys.push(Key::Uid(set.as_set())),
                6 => keys.push(Key::Set(set.as_set())),
                7 => keys.push(Key::Older(u32::from(day))),
                8 => keys.extend([Key::Fuzzy, Key::Filter(id), Key::EmailId(id), Key::ThreadId(id)]),
                9 => keys.push(Key::ModSeq { entry: Some((text, EntryType::Shared)), sequence: day.into() }),
                10 => keys.push(Key::ModSeq { entry: None, sequence: 0 }),
                11 => keys.extend([Key::Or, Key::SavedSince(date), Key::SaveDateSupported]),
                _ => keys.push(Key::SentOn(date)),
            }
        }
        let keys = Search::of(&keys).unwrap();
        let options = Options::new(b"MIN PARTIAL -1:-100").unwrap();
        holds(&Command::Search { uid: true, options, charset: Some(AString::new(b"UTF-8").unwrap()), keys });
        holds(&Command::Search { uid: false, options: Options::NONE, charset: None, keys });
    }

    /// What is read from pieces of commands in any order is written so that it reads the same.
    #[test]
    fn pieces_in_any_order(pieces in prop::collection::vec(0..PIECES.len(), 0..12)) {
        let mut line = b"t ".to_vec();
        for piece in pieces {
            line.extend_from_slice(PIECES[piece].as_bytes());
        }
        line.extend_from_slice(b"\r\n");
        if let Ok((_, command)) = Command::parse(&line, &Limits::default(), false) {
            holds(&command);
        }
    }

    #[test]
    fn any_octets(line in prop::collection::vec(any::<u8>(), 0..60), utf8 in any::<bool>()) {
        if let Ok((_, command)) = Command::parse(&line, &Limits::default(), utf8) {
            holds(&command);
        }
    }
}

/// Names that have a type of their own.
const KNOWN: [&str; 33] = [
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID",
    "STARTTLS",
    "AUTHENTICATE",
    "LOGIN",
    "ENABLE",
    "SELECT",
    "EXAMINE",
    "CREATE",
    "DELETE",
    "RENAME",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST",
    "LSUB",
    "NAMESPACE",
    "STATUS",
    "APPEND",
    "IDLE",
    "CHECK",
    "CLOSE",
    "UNSELECT",
    "EXPUNGE",
    "SEARCH",
    "FETCH",
    "STORE",
    "COPY",
    "MOVE",
    "UID",
    "NIL",
    "DONE",
];

const PIECES: [&str; 40] = [
    "FETCH",
    "STORE",
    "SEARCH",
    "LIST",
    "LOGIN",
    "UID",
    "XTHING",
    "STATUS",
    " ",
    " ",
    " ",
    " ",
    "(",
    ")",
    "1:*",
    "2,4",
    "$",
    "FLAGS",
    "+FLAGS",
    "\\Seen",
    "BODY[",
    "HEADER.FIELDS",
    "]",
    "<0.5>",
    "NOT",
    "OR",
    "ALL",
    "SEEN",
    "FROM",
    "\"a\\\"b\"",
    "{2+}\r\nab",
    "*",
    "%",
    "RETURN",
    "INBOX",
    "1-Feb-1994",
    "TEXT",
    "{3}\r\n\r\nx",
    "MIME",
    "a]b",
];
