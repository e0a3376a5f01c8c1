//! Status lines (RFC 1939 §3) and what those say that answer STAT, LIST n, UIDL n and LANG x.
//!
//! A status decides what becomes of the session, and is read strictly but for its case. What a line says behind it is the reply's own matter: a fault
//! there costs that one value and no more.

use super::listing::{scan, unique_id};
use super::{Fault, blank, end, number32, number64};
use crate::error::Rule;
use crate::policy::{Mend, Repair};
use crate::reply::{DataHead, Status};
use crate::types::{LanguageTag, MessageNumber, UniqueId};
use mail_wire::{Repairs, Span};

/// The status and the text behind it. `None`: no status indicator, and then nothing tells what the line answers: the session cannot go on.
pub(crate) fn status(line: &[u8], repairs: &mut impl Mend) -> Option<(Status, Span)> {
    // `+OK` and `-ERR` are whole words: `+OKAY` is neither (RFC 1939 §3).
    let (status, len) = match line {
        [b'+', a, b, ..] if [*a, *b].eq_ignore_ascii_case(b"OK") => (Status::Ok, 3),
        [b'-', a, b, c, ..] if [*a, *b, *c].eq_ignore_ascii_case(b"ERR") => (Status::Err, 4),
        _ => return None,
    };
    let word = line.get(..len)?;
    // The standard has them in upper case; some servers write them as they speak.
    if word.iter().any(u8::is_ascii_lowercase) && !repairs.mend(Repair::LowerCaseStatus) {
        return None;
    }
    // The text is for people, and may be missing; a blank alone stands before it (RFC 1939 §3, RFC 2449 §3).
    match line.get(len) {
        None => Some((status, Span::new(len, len))),
        Some(b' ') => Some((status, Span::new(len.saturating_add(1), line.len()))),
        Some(_) => None,
    }
}

/// Whether octets that may be cut anywhere can become a negative line. [`status`] tells whether they have.
pub(crate) fn may_refuse(octets: &[u8]) -> bool {
    let (word, rest) = octets.split_at_checked(4).unwrap_or((octets, &[]));
    let good = word.iter().zip(b"-ERR").all(|(octet, sign)| octet.eq_ignore_ascii_case(sign));
    good && matches!(rest.first(), None | Some(b' ' | b'\r' | b'\n'))
}

/// What an awaited `+` line carries: the base64 text of a challenge. `None`: it is no challenge.
pub(crate) fn challenge<'i>(line: &'i [u8], repairs: &mut impl Mend) -> Option<&'i [u8]> {
    match line {
        [b'+', b' ', text @ ..] => Some(text),
        // A server that leaves the blank out may mean either. Behind the sign base64 alone may stand, and no status indicator.
        [b'+', text @ ..] if status(line, &mut Repairs::<Repair>::all()).is_none() => {
            let good = text.iter().all(|o| o.is_ascii_alphanumeric() || matches!(o, b'+' | b'/' | b'='));
            (good && repairs.mend(Repair::PlusWithoutBlank)).then_some(text)
        }
        _ => None,
    }
}

/// What broke, told against the whole line. The reply stands all the same: its status is known, and only what it says is not.
fn place(text: &[u8], fault: nom::Err<Fault>, start: usize) -> DataHead {
    let malformed = Fault::of(fault, text);
    DataHead::Malformed { at: malformed.at.saturating_add(start), rule: malformed.rule }
}

/// The text without blanks in front of it, where that repair is on; and whether there were any, which is counted once the rest is good.
fn led(line: &[u8], text: Span, repairs: &impl Mend) -> (Span, bool) {
    let blanks = text.of(line).iter().take_while(|octet| **octet == b' ').count();
    if blanks == 0 || !repairs.is_on(Repair::ExtraBlanks) {
        return (text, false);
    }
    (Span::new(text.start().saturating_add(blanks), text.end()), true)
}

/// The drop listing (RFC 1939 §5): two numbers; what follows is ignored.
pub(crate) fn stat(line: &[u8], text: Span, repairs: &mut impl Mend) -> DataHead {
    let (text, mut extra) = led(line, text, repairs);
    let octets = text.of(line);
    // Nothing has to follow the two numbers, and no client may be hurt by what does: servers put text there (RFC 1939 §5).
    let numbers = number32(octets).and_then(|(rest, messages)| {
        let (rest, ()) = blank(rest)?;
        let (gap, more) = led(rest, Span::new(0, rest.len()), repairs);
        let rest = gap.of(rest);
        extra |= more;
        // A sum that has overflowed at the server is no size at all, and the count of messages is good all the same.
        if let [b'-', digits @ ..] = rest {
            let (behind, _) = number64(digits)?;
            if repairs.mend(Repair::NegativeSize) {
                return Ok((behind, DataHead::Stat { messages, octets: None }));
            }
        }
        let (rest, octets) = number64(rest)?;
        end(rest).or_else(|_| blank(rest))?;
        Ok((rest, DataHead::Stat { messages, octets: Some(octets) }))
    });
    match numbers {
        Ok((_, data)) => counted(data, extra, repairs),
        Err(fault) => place(octets, fault, text.start()),
    }
}

/// What was read of a text that may have had too many blanks. They are a repair only where the rest is good, and one however many there are.
fn counted(data: DataHead, extra: bool, repairs: &mut impl Mend) -> DataHead {
    if extra && !matches!(data, DataHead::Malformed { .. }) {
        repairs.mend(Repair::ExtraBlanks);
    }
    data
}

/// The scan listing that answers LIST n (RFC 1939 §5).
pub(crate) fn one_scan(line: &[u8], text: Span, asked: MessageNumber, repairs: &mut impl Mend) -> DataHead {
    let octets = text.of(line);
    match scan(octets, repairs) {
        Ok((message, octets)) if message == asked => DataHead::Scan { message, octets },
        // An answer about another message than the one that was asked for is an answer to nothing.
        Ok(_) => DataHead::Malformed { at: text.start(), rule: Rule::OtherMessage },
        // A bare size can only be of the message that was asked for.
        Err(fault) => {
            let (bare, extra) = led(line, text, repairs);
            match number64(bare.of(line)) {
                Ok(([], octets)) if repairs.mend(Repair::MissingNumber) => {
                    counted(DataHead::Scan { message: asked, octets }, extra, repairs)
                }
                _ => place(octets, fault, text.start()),
            }
        }
    }
}

/// The unique-id listing that answers UIDL n (RFC 1939 §7).
pub(crate) fn one_unique_id(
    line: &[u8],
    text: Span,
    asked: MessageNumber,
    repairs: &mut impl Mend,
) -> DataHead {
    let octets = text.of(line);
    // The id is the last word of the line, blanks at the end apart.
    let behind = octets.len().saturating_sub(octets.trim_ascii_end().len());
    let end = text.end().saturating_sub(behind);
    match unique_id(octets, repairs) {
        Ok((message, id)) if message == asked => {
            DataHead::UniqueId { message, id: Span::new(end.saturating_sub(id.octets().len()), end) }
        }
        Ok(_) => DataHead::Malformed { at: text.start(), rule: Rule::OtherMessage },
        // The same for a bare id.
        Err(fault) => {
            let (bare, led) = led(line, text, repairs);
            let trims = behind > 0 && repairs.is_on(Repair::ExtraBlanks);
            let id = if trims { Span::new(bare.start(), end) } else { bare };
            match UniqueId::of_any_length(id.of(line)) {
                Ok(long) if long.is_long() && !repairs.is_on(Repair::LongUniqueId) => {
                    place(octets, fault, text.start())
                }
                Ok(read) if repairs.mend(Repair::MissingNumber) => {
                    if read.is_long() {
                        repairs.mend(Repair::LongUniqueId);
                    }
                    counted(DataHead::UniqueId { message: asked, id }, led || trims, repairs)
                }
                _ => place(octets, fault, text.start()),
            }
        }
    }
}

/// The language tag at the start of a positive reply to LANG x (RFC 6856 §3.2).
pub(crate) fn language(line: &[u8], text: Span) -> DataHead {
    let octets = text.of(line);
    // Behind the tag stands text in that language (RFC 6856 §3.2).
    let end = memchr::memchr(b' ', octets).unwrap_or(octets.len());
    let tag = Span::new(text.start(), text.start().saturating_add(end));
    match LanguageTag::try_from(tag.of(line)) {
        Ok(_) => DataHead::Language(tag),
        Err(invalid) => DataHead::Malformed { at: text.start(), rule: invalid.0 },
    }
}
