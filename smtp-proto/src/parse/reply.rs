//! Replies: one or more lines with one code (RFC 5321 §4.2).
//!
//! Much is let through in the text, which is for people: UTF-8 (RFC 6531 §3.7.4), other octets, nothing at all. Nothing is in code and
//! separator, by which a client knows what to do, and where the next reply begins.

use super::Fixes;
use crate::error::{Rule, Violation};
use crate::policy::Repair;
use crate::reply::Reply;
use crate::types::octets;
use crate::types::{Code, EnhancedCode};
use mail_wire::{Span, Tape, View};

/// Reads a reply of one or more lines with their line ends, and writes a span for the text of each line to `tape`.
///
/// # Errors
/// [`Violation::Reply`] for a line that is none, [`Violation::CodesDiffer`]: the pairing of replies with commands is lost.
pub fn reply<'i>(octets: &'i [u8], tape: &'i mut Tape, fixes: &Fixes<'_>) -> Result<Reply<'i>, Violation> {
    let (mut from, mut code, mut more) = (0_usize, None, true);
    while from < octets.len() {
        let rest = octets::cut(octets, from).1;
        let lf = memchr::memchr(b'\n', rest).ok_or(Violation::Reply(Rule::ReplyLine))?;
        let line = octets::cut(rest, lf).0;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !more {
            return Err(Violation::Reply(Rule::ReplyLine));
        }
        let (number, separator, text) = parts(line).ok_or(Violation::Reply(Rule::ReplyLine))?;
        // Each code alone would be a different answer, so neither is taken (RFC 5321 §4.2.1).
        if *code.get_or_insert(number) != number {
            return Err(Violation::CodesDiffer);
        }
        more = separator == Some(b'-');
        check(text, fixes)?;
        let start = from.saturating_add(line.len()).saturating_sub(text.len());
        let span = Span::new(start, from.saturating_add(line.len()));
        tape.push(span).map_err(|_| Violation::Reply(Rule::ReplyLine))?;
        from = from.saturating_add(lf).saturating_add(1);
    }
    let code = code.filter(|_| !more).ok_or(Violation::Reply(Rule::ReplyLine))?;
    if code.is_odd() && !fixes.take(Repair::OddCode) {
        return Err(Violation::Malformed(Rule::Code));
    }
    let view = View::new(octets, tape.spans());
    Ok(Reply::parsed(code, enhanced(code, view, fixes), view))
}

/// The code, the separator and the text. A code that is not in the standard's list is judged by its first digit, and one whose first digit
/// is none of 2 to 5 is no reply (RFC 5321 §4.2). Only a space or a hyphen may follow, else `2500` would be read as 250; `250` alone is
/// legal for who reads.
fn parts(line: &[u8]) -> Option<(Code, Option<u8>, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let number = digits.iter().try_fold(0_u16, |sum, octet| {
        let digit = octet.is_ascii_digit().then(|| u16::from(octet.saturating_sub(b'0')))?;
        Some(sum.saturating_mul(10).saturating_add(digit))
    })?;
    let code = Code::new(number).ok()?;
    match rest.split_first() {
        None => Some((code, None, rest)),
        Some((separator @ (b' ' | b'-'), text)) => Some((code, Some(*separator), text)),
        Some(_) => None,
    }
}

/// Controls in a text could steer the terminal of whoever reads the log (RFC 5321 §4.2 has the tab alone).
fn check(text: &[u8], fixes: &Fixes<'_>) -> Result<(), Violation> {
    let odd = text.iter().any(|octet| octet.is_ascii_control() && *octet != b'\t');
    if odd && !fixes.take(Repair::ControlInText) {
        return Err(Violation::Malformed(Rule::Control));
    }
    Ok(())
}

/// The enhanced code of the first line that has one: of the class of the reply, and never in a 3yz (RFC 2034 §3, §4).
fn enhanced(code: Code, view: View<'_>, fixes: &Fixes<'_>) -> Option<EnhancedCode> {
    let text = view.get(view.span(0)?);
    let (found, _) = EnhancedCode::at_front(text)?;
    if code.is_intermediate() {
        return None;
    }
    if found.class() != code.class() {
        fixes.take(Repair::ClassDiffers);
        return None;
    }
    Some(found)
}
