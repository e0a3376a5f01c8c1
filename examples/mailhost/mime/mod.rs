//! What IMAP says of the inside of a message. `mailparse` reads MIME; here is what IMAP makes of it.

mod envelope;
mod section;
mod structure;
#[cfg(test)]
mod tests;

pub use envelope::Envelope;
pub use section::section;
pub use structure::Structure;

use mail_session::proto::imap::types::AString;

/// The octets behind the header of a message or a part, and behind the empty line that ends it.
pub(crate) fn body(entity: &[u8]) -> &[u8] {
    entity.get(header(entity).len()..).unwrap_or_default()
}

/// The header, with the empty line that ends it.
pub(crate) fn header(entity: &[u8]) -> &[u8] {
    let mut rest = entity;
    while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
        let (line, behind) = rest.split_at(end + 1);
        rest = behind;
        if matches!(line, b"\r\n" | b"\n") {
            return &entity[..entity.len() - rest.len()];
        }
    }
    entity
}

/// The fields of a header, each with its folded lines and line ends.
pub(crate) fn fields(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let folds = |at: &usize| !matches!(rest.get(at + 1), Some(b' ' | b'\t'));
        let ends = rest.iter().enumerate().filter(|(_, octet)| **octet == b'\n').map(|(at, _)| at);
        let end = ends.into_iter().find(folds).map_or(rest.len(), |at| at + 1);
        let (field, behind) = rest.split_at(end);
        rest = behind;
        (!field.is_empty() && !matches!(field, b"\r\n" | b"\n")).then_some(field)
    })
}

/// The name of a field, without the blanks that some write before the colon.
pub(crate) fn name(field: &[u8]) -> &[u8] {
    field.split(|octet| *octet == b':').next().unwrap_or_default().trim_ascii_end()
}

/// The value of a field on one line (RFC 5322 §2.2.3); encoded words stay as they are.
pub(crate) fn value(field: &[u8]) -> Vec<u8> {
    let value = field.get(name(field).len()..).unwrap_or_default().trim_ascii_start();
    let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
    value.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect()
}

/// The value of the first field with this name.
pub(crate) fn first(header: &[u8], wanted: &str) -> Option<Vec<u8>> {
    fields(header).find(|field| name(field).eq_ignore_ascii_case(wanted.as_bytes())).map(value)
}

/// A string of a message. A NUL, which no message may hold, hides it.
fn string(octets: &[u8]) -> AString<'_> {
    AString::new(octets).or_else(|_| AString::new(b"")).expect("no octets hold no NUL")
}
