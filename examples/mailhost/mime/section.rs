//! `BODY[...]`: which octets a section means (RFC 9051 §6.4.5).

use super::{body, fields, header, name};
use bytes::Bytes;
use mail_session::proto::imap::types::{HeaderNames, Section, SectionText};
use mailparse::{ParsedMail, parse_mail};

/// The octets of a section, shared with the message where they stand in it as they are. `None`: there is no such part.
pub fn section(message: &Bytes, section: Section<'_>) -> Option<Bytes> {
    let part = part(message, section.part().numbers())?;
    // HEADER and TEXT of a part are those of the message that the part holds.
    let inner = || match part {
        Part::Message(entity) => Some(entity),
        Part::Of(entity) => is_message(&parse_mail(entity).ok()?).then(|| body(entity)),
    };
    let octets = match (section.text(), part) {
        (SectionText::Full, Part::Message(entity)) => entity,
        (SectionText::Full, Part::Of(entity)) => body(entity),
        (SectionText::Mime, Part::Of(entity)) => header(entity),
        (SectionText::Mime, Part::Message(_)) => return None,
        (SectionText::Header, _) => header(inner()?),
        (SectionText::Text, _) => body(inner()?),
        (SectionText::Fields(names), _) => return Some(only(header(inner()?), names, true)),
        (SectionText::FieldsNot(names), _) => return Some(only(header(inner()?), names, false)),
    };
    Some(message.slice_ref(octets))
}

/// What a part number leads to.
#[derive(Clone, Copy)]
enum Part<'m> {
    /// The whole message.
    Message(&'m [u8]),
    /// A part with its MIME header.
    Of(&'m [u8]),
}

/// The part that the numbers lead to, from the outermost inwards.
fn part(message: &[u8], numbers: impl Iterator<Item = u32>) -> Option<Part<'_>> {
    let mut at = Part::Message(message);
    for number in numbers {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        at = Part::Of(match at {
            Part::Message(entity) => inside_message(entity, index)?,
            Part::Of(entity) => {
                let parsed = parse_mail(entity).ok()?;
                if is_message(&parsed) {
                    inside_message(body(entity), index)?
                } else {
                    parsed.subparts.get(index)?.raw_bytes
                }
            }
        });
    }
    Some(at)
}

/// A part of a message. One that is no multipart has itself as its only part.
fn inside_message(message: &[u8], index: usize) -> Option<&[u8]> {
    let parsed = parse_mail(message).ok()?;
    if parsed.ctype.mimetype.starts_with("multipart/") {
        return Some(parsed.subparts.get(index)?.raw_bytes);
    }
    (index == 0).then_some(message)
}

fn is_message(parsed: &ParsedMail<'_>) -> bool {
    matches!(parsed.ctype.mimetype.as_str(), "message/rfc822" | "message/global")
}

/// The fields that are named, or those that are not, and an empty line.
fn only(header: &[u8], names: HeaderNames<'_>, named: bool) -> Bytes {
    let wanted = fields(header).filter(|field| names.contains(name(field)) == named);
    let mut octets = wanted.collect::<Vec<_>>().concat();
    octets.extend_from_slice(b"\r\n");
    octets.into()
}
