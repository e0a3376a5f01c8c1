//! Typed values of IMAP commands, under the names of the vectors.

use mail_imap_proto::Command;
use mail_imap_proto::command::{Append, ListArgs};
use mail_imap_proto::types::raw::{Raw, RawToken};
use mail_imap_proto::types::{
    FetchAtt, FetchAtts, Flags, Key, Options, Part, Partial, Search, Section, SectionText,
};

use crate::seen::Seen;
use crate::value::Val;

/// Logs a command with its arguments.
pub(crate) fn note(command: &Command<'_>, seen: &mut Seen) {
    let uid = if command.is_uid() { "UID " } else { "" };
    seen.command(format!("{uid}{}", command.name().to_ascii_uppercase()));
    match command {
        Command::Login { user, password } => {
            seen.value("LOGIN.user", Val::octets(user.bytes()));
            seen.value("LOGIN.password", Val::octets(password.expose().bytes()));
        }
        Command::Select { mailbox, params } | Command::Examine { mailbox, params } => {
            seen.value(format!("{}.mailbox", command.name()), Val::octets(mailbox.name()));
            note_options(&format!("{}.params", command.name()), *params, seen);
        }
        Command::Create { mailbox, .. } => seen.value("CREATE.mailbox", Val::octets(mailbox.name())),
        Command::Delete(mailbox) | Command::Subscribe(mailbox) | Command::Unsubscribe(mailbox) => {
            seen.value(format!("{}.mailbox", command.name()), Val::octets(mailbox.name()));
        }
        Command::Rename { from, to } => {
            seen.value("RENAME.from", Val::octets(from.name()));
            seen.value("RENAME.to", Val::octets(to.name()));
        }
        Command::List(args) => note_list(args, seen),
        Command::Lsub { reference, pattern } => {
            seen.value("LSUB.reference", Val::octets(reference.name()));
            seen.value("LSUB.pattern", Val::octets(pattern.bytes()));
        }
        Command::Status { mailbox, items } => {
            seen.value("STATUS.mailbox", Val::octets(mailbox.name()));
            seen.value(
                "STATUS.items",
                Val::Names(items.iter().map(|atom| atom.as_str().to_owned()).collect()),
            );
        }
        Command::Id(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let name = String::from_utf8_lossy(&name.bytes()).into_owned();
                (name, Val::or_null(value.map(|value| Val::octets(value.bytes()))))
            });
            seen.value("ID", Val::Map(fields.collect()));
        }
        Command::Enable(names) => {
            seen.value("ENABLE", Val::Names(names.iter().map(|atom| atom.as_str().to_owned()).collect()));
        }
        Command::Search { options, charset, keys, .. } => {
            if options.is_present() {
                // An empty RETURN stands for ALL (RFC 4731 section 3.1).
                let mut names: Vec<String> =
                    options.iter().map(|(name, _)| name.as_str().to_owned()).collect();
                if names.is_empty() {
                    names.push("ALL".into());
                }
                seen.value("SEARCH.RETURN", Val::Names(names));
            }
            seen.value("SEARCH.CHARSET", Val::or_null(charset.map(|name| Val::octets(name.bytes()))));
            note_keys(*keys, seen);
        }
        Command::Fetch { set, atts, modifiers, .. } => {
            seen.value("FETCH.set", Val::Set(set.as_str().to_owned()));
            seen.value("FETCH.items", Val::Names(fetch_items(*atts)));
            note_options("FETCH.modifiers", *modifiers, seen);
        }
        Command::Store { set, modifiers, mode, silent, flags, .. } => {
            let silent = if *silent { ".SILENT" } else { "" };
            seen.value("STORE.set", Val::Set(set.as_str().to_owned()));
            seen.value("STORE.mode", Val::Name(format!("{}{silent}", mode.name())));
            seen.value("STORE.flags", flag_names(*flags));
            note_options("STORE.modifiers", *modifiers, seen);
        }
        Command::Copy { set, mailbox, .. } | Command::Move { set, mailbox, .. } => {
            seen.value(format!("{}.set", command.name()), Val::Set(set.as_str().to_owned()));
            seen.value(format!("{}.mailbox", command.name()), Val::octets(mailbox.name()));
        }
        Command::Expunge { uids: Some(set) } => seen.value("EXPUNGE.set", Val::Set(set.as_str().to_owned())),
        Command::Other { name, args, .. } => {
            seen.value(format!("{}.raw", name.as_str().to_ascii_uppercase()), raw(*args));
        }
        _ => {}
    }
}

/// Logs an APPEND up to its message.
pub(crate) fn note_append(append: &Append<'_>, seen: &mut Seen) {
    seen.command("APPEND");
    seen.value("APPEND.mailbox", Val::octets(append.mailbox.name()));
    seen.value("APPEND.flags", flag_names(append.flags));
    seen.value("APPEND.date", Val::or_null(append.date.map(|date| Val::octets(date.to_string()))));
    seen.value("APPEND.octets", Val::Num(append.octets));
    seen.value("APPEND.form", Val::Name(format!("{:?}", append.form)));
}

/// Octets without a type, token by token: a string is the same in every form.
fn raw(raw: Raw<'_>) -> Val {
    let tokens = raw.tokens().map(|token| match token {
        RawToken::Open => Val::name("("),
        RawToken::Close => Val::name(")"),
        RawToken::Space => Val::name(" "),
        RawToken::Word(word) => Val::octets(word),
        RawToken::String(string) => Val::Text(String::from_utf8_lossy(&string.bytes()).into_owned()),
    });
    Val::List(tokens.collect())
}

/// Flags as names.
pub(crate) fn flag_names(flags: Flags<'_>) -> Val {
    Val::Names(flags.iter().map(|flag| flag.to_string()).collect())
}

/// `HEADER.FIELDS (SUBJECT)`: a section as the vectors write it.
pub(crate) fn section_name(section: Section<'_>) -> String {
    let names = |names: mail_imap_proto::types::HeaderNames<'_>| {
        let names: Vec<String> =
            names.iter().map(|name| String::from_utf8_lossy(&name.bytes()).to_ascii_uppercase()).collect();
        names.join(" ")
    };
    let text = match section.text() {
        SectionText::Full => String::new(),
        SectionText::Header => "HEADER".into(),
        SectionText::Fields(list) => format!("HEADER.FIELDS ({})", names(list)),
        SectionText::FieldsNot(list) => format!("HEADER.FIELDS.NOT ({})", names(list)),
        SectionText::Text => "TEXT".into(),
        SectionText::Mime => "MIME".into(),
    };
    let part = section.part().as_str();
    if part.is_empty() || text.is_empty() { format!("{part}{text}") } else { format!("{part}.{text}") }
}

fn note_list(args: &ListArgs<'_>, seen: &mut Seen) {
    seen.value("LIST.reference", Val::octets(args.reference.name()));
    let patterns = args.patterns.iter().map(|pattern| Val::octets(pattern.bytes())).collect();
    seen.value("LIST.patterns", Val::List(patterns));
    note_options("LIST.select", args.select, seen);
    note_options("LIST.return", args.returns, seen);
}

fn note_options(key: &str, options: Options<'_>, seen: &mut Seen) {
    if !options.is_present() {
        return;
    }
    let options = options.iter().map(|(name, value)| {
        (name.as_str().to_ascii_uppercase(), value.map_or(Val::True, |value| Val::octets(value.octets())))
    });
    seen.value(key, Val::Map(options.collect()));
}

/// Search keys by name, and the argument of each.
fn note_keys(keys: Search<'_>, seen: &mut Seen) {
    seen.value("SEARCH.keys", Val::Names(keys.iter().map(|key| key.name().to_owned()).collect()));
    for key in keys.iter() {
        let argument = match key {
            Key::Bcc(text) | Key::Body(text) | Key::Cc(text) | Key::From(text) | Key::Subject(text) => {
                Val::octets(text.bytes())
            }
            Key::Text(text) | Key::To(text) => Val::octets(text.bytes()),
            Key::Header(name, text) => Val::List(vec![Val::octets(name.bytes()), Val::octets(text.bytes())]),
            Key::Before(date) | Key::On(date) | Key::Since(date) => Val::octets(date.to_string()),
            Key::SentBefore(date) | Key::SentOn(date) | Key::SentSince(date) => Val::octets(date.to_string()),
            Key::Keyword(flag) | Key::Unkeyword(flag) => Val::name(flag.as_str()),
            Key::Larger(octets) | Key::Smaller(octets) => Val::Num(octets),
            Key::Older(seconds) | Key::Younger(seconds) => Val::Num(seconds.into()),
            Key::Uid(set) | Key::Set(set) => Val::Set(set.as_str().to_owned()),
            _ => continue,
        };
        seen.value(format!("SEARCH.{}", key.name()), argument);
    }
}

fn fetch_items(atts: FetchAtts<'_>) -> Vec<String> {
    atts.iter().map(fetch_item).collect()
}

fn fetch_item(att: FetchAtt<'_>) -> String {
    let window = |partial: Option<Partial>| {
        partial.map_or(String::new(), |partial| format!("<{}.{}>", partial.offset, partial.count))
    };
    let part = |part: Part<'_>| part.as_str().to_owned();
    match att {
        FetchAtt::Section { peek, section, partial } => {
            let peek = if peek { ".PEEK" } else { "" };
            format!("BODY{peek}[{}]{}", section_name(section), window(partial))
        }
        FetchAtt::Binary { peek, part: number, partial } => {
            let peek = if peek { ".PEEK" } else { "" };
            format!("BINARY{peek}[{}]{}", part(number), window(partial))
        }
        FetchAtt::BinarySize(number) => format!("BINARY.SIZE[{}]", part(number)),
        other => other.name().to_owned(),
    }
}
