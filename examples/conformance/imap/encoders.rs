//! The encoder types of IMAP.

use mail_imap_proto::Command;
use mail_imap_proto::types::{
    AString, Atom, Code, Flag, HeaderNames, IdFields, Mailbox, ResponseText, Search, Section, SectionText,
    SequenceSet, Tag, utf7,
};
use mail_wire::Output;
use serde_json::Value;

use crate::adapter::Encoded;
use crate::encoders::take;
use crate::record::Record;

/// Builds the value that `setup.encode` names.
pub(crate) fn encode(record: &Record) -> Encoded {
    let input = record.input.as_slice();
    let octets = |octets: &[u8]| Encoded::Octets(octets.to_vec());
    match record.setup.encode.as_str() {
        "ImapTag" => Tag::new(input).map_or(Encoded::Refused, |tag| octets(tag.as_bytes())),
        "ImapAtom" => Atom::new(input).map_or(Encoded::Refused, |atom| octets(atom.as_str().as_bytes())),
        "ImapFlag" => Flag::new(input).map_or(Encoded::Refused, |flag| octets(flag.to_string().as_bytes())),
        "ImapKeyword" => match Flag::new(input) {
            Ok(flag) if flag.is_keyword() => octets(flag.to_string().as_bytes()),
            _ => Encoded::Refused,
        },
        "ImapMailbox" => match Mailbox::new(input) {
            Ok(mailbox) => argument(&Command::Delete(mailbox), " DELETE "),
            Err(_) => Encoded::Refused,
        },
        "ImapAstring" => match (AString::new(input), Mailbox::new(b"x")) {
            (Ok(string), Ok(reference)) => {
                argument(&Command::Lsub { reference, pattern: string }, " LSUB x ")
            }
            _ => Encoded::Refused,
        },
        "SequenceSet" => match SequenceSet::new(input) {
            Ok(set) => octets(set.canonical().as_str().as_bytes()),
            Err(_) => Encoded::Refused,
        },
        "ImapSection" => match Section::parse(input) {
            Ok(section) => octets(super::commands::section_name(section).as_bytes()),
            Err(_) => Encoded::Refused,
        },
        "ImapHeaderList" => header_list(input),
        "ImapId" => id(record),
        "ImapIdField" => id_field(input),
        "ImapSearch" => match Search::parse(input) {
            Ok(keys) => {
                let options = mail_imap_proto::types::Options::NONE;
                argument(&Command::Search { uid: false, options, charset: None, keys }, " SEARCH ")
            }
            Err(_) => Encoded::Refused,
        },
        "ImapText" => ResponseText::new(input).map_or(Encoded::Refused, |text| octets(text.bytes())),
        "ImapCode" => code(input),
        "MailboxUtf7Decode" => utf7::decode(input).map_or(Encoded::Refused, Encoded::Text),
        _ => Encoded::NoSuchType,
    }
}

/// What stands behind the name of a command when it is written. Literals are written as non-synchronising ones.
fn argument(command: &Command<'_>, name: &str) -> Encoded {
    let written = whole(command, b"A1");
    let prefix = [b"A1", name.as_bytes()].concat();
    match written.strip_prefix(prefix.as_slice()).and_then(|rest| rest.strip_suffix(b"\r\n")) {
        Some(argument) => Encoded::Octets(argument.to_vec()),
        None => Encoded::Octets(written),
    }
}

fn whole(command: &Command<'_>, tag: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    if let Ok(tag) = Tag::new(tag) {
        let mut output = Output::new();
        command.encode(tag, false, &mut output);
        take(&mut output, &mut octets);
    }
    octets
}

/// Names of header fields, with blanks between them: as the section that a FETCH asks for.
fn header_list(input: &[u8]) -> Encoded {
    let names: Result<Vec<AString<'_>>, _> = input.split(|octet| *octet == b' ').map(AString::new).collect();
    let Ok(names) = names else { return Encoded::Refused };
    let Ok(names) = HeaderNames::of(&names) else { return Encoded::Refused };
    let Ok(section) = Section::new(mail_imap_proto::types::Part::WHOLE, SectionText::Fields(names)) else {
        return Encoded::Refused;
    };
    let atts = [mail_imap_proto::types::FetchAtt::Section { peek: true, section, partial: None }];
    let Ok(set) = SequenceSet::new(b"1") else { return Encoded::Refused };
    let atts = mail_imap_proto::types::FetchAtts::of(&atts);
    let modifiers = mail_imap_proto::types::Options::NONE;
    match argument(&Command::Fetch { uid: false, set, atts, modifiers }, " FETCH 1 ") {
        Encoded::Octets(octets) => {
            let inner = octets.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
            Encoded::Octets(inner.unwrap_or(&octets).to_vec())
        }
        other => other,
    }
}

/// A whole ID command; the input holds names and values in turn, a line each.
fn id(record: &Record) -> Encoded {
    let lines: Vec<&[u8]> =
        record.input.split(|octet| *octet == b'\n').filter(|line| !line.is_empty()).collect();
    let mut fields = Vec::new();
    for pair in lines.chunks(2) {
        let (Some(name), value) = (pair.first(), pair.get(1)) else { continue };
        let (Ok(name), Ok(value)) = (AString::new(name), value.map(|value| AString::new(value)).transpose())
        else {
            return Encoded::Refused;
        };
        fields.push((name, value));
    }
    let tag = record.setup.arg.get("tag").and_then(Value::as_str).unwrap_or("A1");
    IdFields::of(&fields)
        .map_or(Encoded::Refused, |fields| Encoded::Octets(whole(&Command::Id(fields), tag.as_bytes())))
}

fn id_field(input: &[u8]) -> Encoded {
    let (Ok(name), Ok(value)) = (AString::new(b"name"), AString::new(input)) else { return Encoded::Refused };
    let fields = [(name, Some(value))];
    IdFields::of(&fields).map_or(Encoded::Refused, |fields| argument(&Command::Id(fields), " ID "))
}

/// A response code: its name and its argument. One that would end the line is not written by the server machine.
fn code(input: &[u8]) -> Encoded {
    let at = input.iter().position(|octet| *octet == b' ').unwrap_or(input.len());
    let (name, args) = input.split_at(at);
    let code = Code::Other { name, args: args.strip_prefix(b" ").unwrap_or(args) };
    super::server::written_code(code).map_or(Encoded::Refused, Encoded::Octets)
}
