//! Paths: `<...>`, with or without a source route (RFC 5321 §4.1.2).
//!
//! The mailbox is read first and says itself where it ends: a quoted local part may hold `>` and `@`, so a search for either would split one
//! address into an address and parameters of the sender's choice.

use super::{Fixes, Parsed, fail};
use crate::error::Rule;
use crate::policy::Repair;
use crate::types::octets;
use crate::types::{ForwardPath, Mailbox, ReversePath, domain, mailbox};

/// The longest path in octets, with its brackets and its route (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 256;

/// `Reverse-path = Path / "<>"`.
#[inline]
pub(super) fn reverse_path<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, ReversePath<'i>> {
    if let Some(rest) = input.strip_prefix(b"<>") {
        return Ok((rest, ReversePath::Null));
    }
    let (rest, mailbox) = path(input, fixes)?;
    Ok((rest, ReversePath::Mailbox(mailbox)))
}

/// `"<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path`.
#[inline]
pub(super) fn forward_path<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, ForwardPath<'i>> {
    const BARE: &[u8] = b"<Postmaster>";
    let (front, rest) = octets::cut(input, BARE.len());
    if front.eq_ignore_ascii_case(BARE) {
        return Ok((rest, ForwardPath::Postmaster));
    }
    let (rest, mailbox) = path(input, fixes)?;
    Ok((rest, ForwardPath::Mailbox(mailbox)))
}

/// `"<" [ A-d-l ":" ] Mailbox ">"`.
#[inline]
fn path<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Mailbox<'i>> {
    let Some(inside) = input.strip_prefix(b"<") else {
        if input.is_empty() || !fixes.take(Repair::NoBrackets) {
            return fail(input, Rule::Path);
        }
        return bare(input, fixes);
    };
    let routed = inside.first() == Some(&b'@');
    let inside = if routed { route(inside, fixes)?.0 } else { inside };
    let (rest, mailbox) = bare(inside, fixes)?;
    let Some(rest) = rest.strip_prefix(b">") else { return fail(rest, Rule::Path) };
    // A mailbox by itself has been measured where it was read.
    if routed && input.len().saturating_sub(rest.len()) > LONGEST && !fixes.take(Repair::LongLocal) {
        return fail(input, Rule::PathTooLong);
    }
    Ok((rest, mailbox))
}

#[inline]
fn bare<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Mailbox<'i>> {
    match mailbox(input, fixes) {
        Ok((mailbox, used)) => Ok((octets::cut(input, used).1, mailbox)),
        Err((rule, at)) => fail(octets::cut(input, at).1, rule),
    }
}

/// `"@" Domain *( "," "@" Domain ) ":"`. A server takes it and drops it (RFC 5321 §3.6.1, Appendix C).
///
/// In ASCII alone: a route is older than SMTPUTF8, nothing may write one any more, and what is dropped here could not be checked against the
/// parameter later.
fn route<'i>(mut input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, ()> {
    loop {
        let Some(rest) = input.strip_prefix(b"@") else { return fail(input, Rule::Path) };
        let found = match domain(rest, fixes) {
            Ok(found) => found,
            Err(rule) => return fail(rest, rule),
        };
        let (name, rest) = octets::cut(rest, found.len);
        if !name.is_ascii() {
            return fail(input, Rule::NotAscii);
        }
        match rest.split_first() {
            Some((b':', rest)) => return Ok((rest, ())),
            Some((b',', rest)) => input = rest,
            _ => return fail(rest, Rule::Path),
        }
    }
}
