//! Capability lines (RFC 2449 §3 and §6): a tag, and arguments behind one blank each.

use super::{Fault, Parsed, blank, end, number32, word};
use crate::error::{Malformed, Rule};
use crate::ext::capa::{Capability, Expire, Mechanisms};
use crate::policy::{Mend, Repair};
use nom::Parser;
use nom::combinator::opt;
use nom::sequence::preceded;

/// A line without stuffing and line end.
pub(crate) fn capability<'i>(
    line: &'i [u8],
    repairs: &mut impl Mend,
) -> Result<Capability<'i>, Malformed<'i>> {
    read(line, repairs).map_err(|fault| Fault::of(fault, line))
}

fn read<'i>(line: &'i [u8], repairs: &mut impl Mend) -> Result<Capability<'i>, nom::Err<Fault>> {
    let (rest, name) = word(line)?;
    // `cchar` leaves out the dot alone (RFC 2449 §3).
    if !name.iter().all(|octet| octet.is_ascii_graphic() && *octet != b'.') {
        return Fault::at(line, Rule::Capability);
    }
    if rest.iter().any(u8::is_ascii_control) {
        return Fault::at(rest, Rule::Octet);
    }
    let mut upper = [0_u8; 16];
    let Some(known) = upper.get_mut(..name.len()) else { return Ok(other(name, rest)) };
    known.copy_from_slice(name);
    known.make_ascii_uppercase();
    if known == b"RESP_CODES" || known == b"AUTH_RESP_CODE" || known == b"LOGIN_DELAY" {
        if !repairs.mend(Repair::UnderscoreForHyphen) {
            return Ok(other(name, rest));
        }
        known.iter_mut().filter(|octet| **octet == b'_').for_each(|octet| *octet = b'-');
    }
    Ok(match &*known {
        b"TOP" => bare(rest, Capability::Top)?,
        b"UIDL" => bare(rest, Capability::Uidl)?,
        b"USER" => bare(rest, Capability::User)?,
        b"RESP-CODES" => bare(rest, Capability::RespCodes)?,
        b"AUTH-RESP-CODE" => bare(rest, Capability::AuthRespCode)?,
        b"PIPELINING" => bare(rest, Capability::Pipelining)?,
        b"STLS" => bare(rest, Capability::Stls)?,
        b"LANG" => bare(rest, Capability::Lang)?,
        b"SASL" => Capability::Sasl(Mechanisms::read(rest.get(1..).unwrap_or_default())),
        b"UTF8" => Capability::Utf8 { user: user(rest)? },
        b"LOGIN-DELAY" => {
            let (rest, seconds) = preceded(blank, number32).parse(rest)?;
            Capability::LoginDelay { seconds, user: user(rest)? }
        }
        b"EXPIRE" => {
            let (rest, expire) = preceded(blank, expire).parse(rest)?;
            Capability::Expire { expire, user: user(rest)? }
        }
        b"IMPLEMENTATION" => Capability::Implementation(rest.get(1..).unwrap_or_default()),
        _ => other(name, rest),
    })
}

fn bare<'i>(rest: &'i [u8], capability: Capability<'i>) -> Result<Capability<'i>, nom::Err<Fault>> {
    end(rest).map(|_| capability)
}

fn other<'i>(name: &'i [u8], rest: &'i [u8]) -> Capability<'i> {
    Capability::Other { name, arguments: rest.get(1..).unwrap_or_default() }
}

/// `NEVER`, or a number of days.
fn expire(input: &[u8]) -> Parsed<'_, Expire> {
    let (rest, text) = word(input)?;
    if text.eq_ignore_ascii_case(b"NEVER") {
        return Ok((rest, Expire::Never));
    }
    let (rest, days) = number32(input)?;
    Ok((rest, Expire::Days(days)))
}

/// Whether ` USER` stands at the end.
fn user(input: &[u8]) -> Result<bool, nom::Err<Fault>> {
    let (rest, user) = opt(preceded(blank, word)).parse(input)?;
    match user {
        None => end(rest).map(|_| false),
        Some(word) if word.eq_ignore_ascii_case(b"USER") => end(rest).map(|_| true),
        Some(_) => Fault::at(input, Rule::Surplus),
    }
}
