//! Typed values of IMAP responses but FETCH, under the names of the vectors.

use mail_imap_proto::response::Untagged;
use mail_imap_proto::types::{
    Capabilities, Code, ESearch, ESearchItem, ListItem, MailboxStatus, Namespace, Numbers, Status,
    StatusItem, Text, ThreadToken,
};

use super::client::is_bye;
use super::commands::flag_names;
use crate::seen::Seen;
use crate::value::Val;

/// Logs a status with its code and text.
pub(crate) fn note_status(status: &Status<'_>, seen: &mut Seen) {
    if is_bye(status) {
        seen.value("BYE", Val::True);
    }
    seen.value("text", Val::octets(status.text.bytes()));
    if let Some(code) = status.code {
        note_code(&code, seen);
    }
}

/// Logs an untagged response.
pub(crate) fn note_untagged(untagged: &Untagged<'_>, utf8: bool, seen: &mut Seen) {
    let number = |number: u32| Val::Num(number.into());
    match untagged {
        Untagged::Status(status) => note_status(status, seen),
        Untagged::Capability(list) => seen.value("CAPABILITY", names(*list)),
        Untagged::Enabled(list) => seen.value("ENABLED", names(*list)),
        Untagged::List(item) => note_list("LIST", item, utf8, seen),
        Untagged::Lsub(item) => note_list("LSUB", item, utf8, seen),
        Untagged::MailboxStatus(status) => note_mailbox_status(status, seen),
        Untagged::Namespace(namespaces) => {
            seen.value("NAMESPACE.personal", Val::List(namespaces.personal().map(namespace).collect()));
            seen.value("NAMESPACE.other", Val::List(namespaces.other().map(namespace).collect()));
            seen.value("NAMESPACE.shared", Val::List(namespaces.shared().map(namespace).collect()));
        }
        Untagged::Flags(flags) => seen.value("mailbox.FLAGS", flag_names(*flags)),
        Untagged::Exists(messages) => seen.value("EXISTS", number(*messages)),
        Untagged::Recent(messages) => seen.value("RECENT", number(*messages)),
        Untagged::Expunge(message) => seen.value("EXPUNGE", number(*message)),
        Untagged::Vanished { earlier, uids } => {
            seen.value("VANISHED", Val::Set(uids.as_str().to_owned()));
            if *earlier {
                seen.value("VANISHED.EARLIER", Val::True);
            }
        }
        Untagged::Search(found, modseq) => note_numbers("SEARCH", *found, *modseq, seen),
        Untagged::Sort(found, modseq) => note_numbers("SORT", *found, *modseq, seen),
        Untagged::Thread(threads) => {
            let tokens = threads.tokens().map(|token| match token {
                ThreadToken::Open => Val::name("("),
                ThreadToken::Close => Val::name(")"),
                ThreadToken::Number(Ok(message)) => number(message),
                ThreadToken::Number(Err(_)) => Val::Null,
            });
            seen.value("THREAD", Val::List(tokens.collect()));
        }
        Untagged::ESearch(esearch) => note_esearch(esearch, seen),
        Untagged::Id(id) => {
            let fields = id.fields().map(|(name, value)| (lossy(name), Val::or_null(value.map(text))));
            seen.value("ID", Val::Map(fields.collect()));
        }
        Untagged::Other { number, name, args } => {
            seen.value("unknown", Val::name(name));
            if let Some(number) = number {
                seen.value("unknown.number", Val::Num((*number).into()));
            }
            seen.value("unknown.raw", Val::octets(args));
        }
        other => seen.value("unknown response", Val::Name(format!("{other:?}"))),
    }
}

/// A string of the server.
pub(crate) fn text(text: Text<'_>) -> Val {
    Val::octets(text.bytes())
}

fn lossy(text: Text<'_>) -> String {
    String::from_utf8_lossy(&text.bytes()).into_owned()
}

fn names(list: Capabilities<'_>) -> Val {
    Val::Names(list.iter().map(str::to_owned).collect())
}

fn namespace(namespace: Namespace<'_>) -> Val {
    let delimiter = namespace.delimiter().map(|delimiter| Val::octets([delimiter]));
    Val::List(vec![text(namespace.prefix()), Val::or_null(delimiter)])
}

fn note_code(code: &Code<'_>, seen: &mut Seen) {
    let name = String::from_utf8_lossy(code.name()).to_ascii_uppercase();
    let number = |number: u32| Val::Num(number.into());
    let value = match code {
        Code::Malformed { .. } => return seen.malformed(format!("code.{name}")),
        Code::Capability(list) => {
            seen.value("CAPABILITY", names(*list));
            names(*list)
        }
        Code::BadCharset(b"") => Val::True,
        Code::BadCharset(args) | Code::MailboxId(args) | Code::Referral(args) => Val::octets(args),
        Code::BadUrl(url) => Val::octets(url.bytes()),
        Code::PermanentFlags(flags) => flag_names(*flags),
        Code::UidNext(value) | Code::UidValidity(value) | Code::Unseen(value) => number(*value),
        Code::AppendUid { validity, uids } => {
            Val::List(vec![number(*validity), Val::Set(uids.as_str().to_owned())])
        }
        Code::CopyUid { validity, from, to } => Val::List(vec![
            number(*validity),
            Val::Set(from.as_str().to_owned()),
            Val::Set(to.as_str().to_owned()),
        ]),
        Code::HighestModSeq(value) => Val::Num(*value),
        Code::Modified(set) => Val::Set(set.as_str().to_owned()),
        Code::Other { args, .. } if !args.is_empty() => Val::octets(args),
        _ => Val::True,
    };
    seen.value(format!("code.{name}"), value);
}

fn note_list(key: &str, item: &ListItem<'_>, utf8: bool, seen: &mut Seen) {
    seen.value(format!("{key}.name"), Val::octets(item.name().bytes()));
    seen.value(format!("{key}.attributes"), flag_names(item.attributes()));
    let delimiter = item.delimiter().map(|delimiter| Val::octets([delimiter]));
    seen.value(format!("{key}.delimiter"), Val::or_null(delimiter));
    let mailbox = item.mailbox().ok();
    let decoded = mailbox.and_then(|mailbox| if utf8 { mailbox.utf8().ok() } else { mailbox.decoded().ok() });
    seen.value(format!("{key}.decoded"), Val::or_null(decoded.map(Val::Text)));
    if let Some(old) = item.old_name() {
        seen.value(format!("{key}.OLDNAME"), Val::List(vec![Val::octets(old.bytes())]));
    }
    if !item.extended().is_empty() {
        seen.value(format!("{key}.extended"), Val::octets(item.extended()));
    }
}

fn note_mailbox_status(status: &MailboxStatus<'_>, seen: &mut Seen) {
    let name = match status.mailbox() {
        Ok(mailbox) => Val::octets(mailbox.name()),
        Err(_) => Val::octets(status.name().bytes()),
    };
    seen.value("STATUS.mailbox", name);
    for item in status.items() {
        let (name, value) = match item {
            StatusItem::Messages(value) => ("MESSAGES".into(), Val::Num(value)),
            StatusItem::Recent(value) => ("RECENT".into(), Val::Num(value)),
            StatusItem::UidNext(value) => ("UIDNEXT".into(), Val::Num(value.into())),
            StatusItem::UidValidity(value) => ("UIDVALIDITY".into(), Val::Num(value.into())),
            StatusItem::Unseen(value) => ("UNSEEN".into(), Val::Num(value)),
            StatusItem::Deleted(value) => ("DELETED".into(), Val::Num(value)),
            StatusItem::Size(value) => ("SIZE".into(), Val::Num(value)),
            StatusItem::HighestModSeq(value) => ("HIGHESTMODSEQ".into(), Val::Num(value)),
            StatusItem::AppendLimit(value) => ("APPENDLIMIT".into(), Val::or_null(value.map(Val::Num))),
            StatusItem::Other { name, value } => (upper(name), Val::octets(value)),
            StatusItem::Malformed { name, .. } => {
                seen.malformed(format!("STATUS.{}", upper(name)));
                continue;
            }
            other => ("unknown".into(), Val::Name(format!("{other:?}"))),
        };
        seen.value(format!("STATUS.{name}"), value);
    }
}

fn note_numbers(key: &str, found: Numbers<'_>, modseq: Option<u64>, seen: &mut Seen) {
    let mut numbers = Vec::new();
    for number in found {
        match number {
            Ok(number) => numbers.push(Val::Num(number.into())),
            Err(_) => seen.malformed(key),
        }
    }
    seen.value(key, Val::List(numbers));
    if let Some(modseq) = modseq {
        seen.value(format!("{key}.MODSEQ"), Val::Num(modseq));
    }
}

fn note_esearch(esearch: &ESearch<'_>, seen: &mut Seen) {
    seen.value("ESEARCH.tag", Val::or_null(esearch.tag().map(text)));
    if esearch.is_uid() {
        seen.value("ESEARCH.UID", Val::True);
    }
    for item in esearch.items() {
        let (name, value) = match item {
            ESearchItem::Min(value) => ("MIN".into(), Val::Num(value.into())),
            ESearchItem::Max(value) => ("MAX".into(), Val::Num(value.into())),
            ESearchItem::Count(value) => ("COUNT".into(), Val::Num(value)),
            ESearchItem::ModSeq(value) => ("MODSEQ".into(), Val::Num(value)),
            ESearchItem::All(set) => ("ALL".into(), Val::Set(set.as_str().to_owned())),
            ESearchItem::Other { name, value } => (upper(name), Val::octets(value)),
            ESearchItem::Malformed { name, .. } => {
                seen.malformed(format!("ESEARCH.{}", upper(name)));
                continue;
            }
            other => ("unknown".into(), Val::Name(format!("{other:?}"))),
        };
        seen.value(format!("ESEARCH.{name}"), value);
    }
}

/// A name of the server in upper case.
pub(crate) fn upper(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_uppercase()
}
