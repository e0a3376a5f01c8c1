//! Capability lines (RFC 2449 §3 and §6): a tag, and arguments behind one blank each.

use super::{Fault, Parsed, blank, end, number32, word};
use crate::error::{Malformed, Rule};
use crate::ext::capa::{Capability, Expire, Mechanisms};
use crate::policy::{Mend, Repair};
use nom::Parser;
use nom::combinator::opt;
use nom::sequence::preceded;

/// A line without stuffing and line end. One that is malformed is told beside the others: a server with one bad line still has the rest.
pub(crate) fn capability<'i>(
    line: &'i [u8],
    repairs: &mut impl Mend,
) -> Result<Capability<'i>, Malformed<'i>> {
    read(line, repairs).map_err(|fault| Fault::of(fault, line))
}

/// A known tag has its own form; any other is kept as it was written, so that a server may announce what this crate has yet to learn
/// (RFC 2449 §5).
fn read<'i>(line: &'i [u8], repairs: &mut impl Mend) -> Result<Capability<'i>, nom::Err<Fault>> {
    let (rest, name) = word(line)?;
    // `cchar` leaves out the dot alone (RFC 2449 §3).
    if !name.iter().all(|octet| octet.is_ascii_graphic() && *octet != b'.') {
        return Fault::at(line, Rule::Capability);
    }
    if rest.iter().any(u8::is_ascii_control) {
        return Fault::at(rest, Rule::Octet);
    }
    // The longest tag that is known has 14 octets: what does not fit here is another one.
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
    // Mechanisms are read one by one when they are asked for; a server may have none left to offer. An implementation is a text for logs, whose
    // blanks are its own (RFC 2449 §6.9).
    match &*known {
        b"SASL" => return Ok(Capability::Sasl(Mechanisms::read(rest.get(1..).unwrap_or_default()))),
        b"IMPLEMENTATION" => return Ok(Capability::Implementation(rest.get(1..).unwrap_or_default())),
        _ => {}
    }
    let lenient = repairs.is_on(Repair::ExtraBlanks);
    let arguments = if lenient { rest.trim_ascii_end() } else { rest };
    let extra = arguments.len() < rest.len() || memchr::memmem::find(arguments, b"  ").is_some();
    let capability = match &*known {
        b"TOP" => bare(arguments, Capability::Top)?,
        b"UIDL" => bare(arguments, Capability::Uidl)?,
        b"USER" => bare(arguments, Capability::User)?,
        b"RESP-CODES" => bare(arguments, Capability::RespCodes)?,
        b"AUTH-RESP-CODE" => bare(arguments, Capability::AuthRespCode)?,
        b"PIPELINING" => bare(arguments, Capability::Pipelining)?,
        b"STLS" => bare(arguments, Capability::Stls)?,
        b"LANG" => bare(arguments, Capability::Lang)?,
        b"UTF8" => Capability::Utf8 { user: user(arguments, lenient)? },
        b"LOGIN-DELAY" => {
            let (rest, seconds) = preceded(gap(lenient), number32).parse(arguments)?;
            Capability::LoginDelay { seconds, user: user(rest, lenient)? }
        }
        b"EXPIRE" => {
            let (rest, expire) = preceded(gap(lenient), expire).parse(arguments)?;
            Capability::Expire { expire, user: user(rest, lenient)? }
        }
        _ => return Ok(other(name, rest)),
    };
    // Only now is the line known to be good.
    if extra {
        repairs.mend(Repair::ExtraBlanks);
    }
    Ok(capability)
}

/// One blank, or more of them where that repair is on: a capability that is not seen, such as STLS, costs more than a blank too many.
// Counted by the caller, once for the line.
fn gap<'i>(lenient: bool) -> impl Parser<&'i [u8], Output = (), Error = Fault> {
    move |input: &'i [u8]| {
        let (rest, ()) = blank(input)?;
        Ok((if lenient { rest.trim_ascii_start() } else { rest }, ()))
    }
}

/// A tag without arguments. One that has some all the same is malformed, and not another capability.
fn bare<'i>(rest: &'i [u8], capability: Capability<'i>) -> Result<Capability<'i>, nom::Err<Fault>> {
    end(rest).map(|_| capability)
}

/// Any other tag, and what follows its blank: octets, of which only whoever knows the capability can say what they are (RFC 2449 §3).
fn other<'i>(name: &'i [u8], rest: &'i [u8]) -> Capability<'i> {
    Capability::Other { name, arguments: rest.get(1..).unwrap_or_default() }
}

/// `NEVER`, or a number of days (RFC 2449 §6.7): after none at all a message is gone as soon as it was retrieved.
fn expire(input: &[u8]) -> Parsed<'_, Expire> {
    let (rest, text) = word(input)?;
    if text.eq_ignore_ascii_case(b"NEVER") {
        return Ok((rest, Expire::Never));
    }
    let (rest, days) = number32(input)?;
    Ok((rest, Expire::Days(days)))
}

/// Whether ` USER` stands at the end.
fn user(input: &[u8], lenient: bool) -> Result<bool, nom::Err<Fault>> {
    // USER says that the value differs from user to user, for LOGIN-DELAY and EXPIRE (RFC 2449 §6.5 and §6.7), and that names may be
    // UTF-8, for UTF8 (RFC 6856 §2.2).
    let (rest, user) = opt(preceded(gap(lenient), word)).parse(input)?;
    match user {
        None => end(rest).map(|_| false),
        Some(word) if word.eq_ignore_ascii_case(b"USER") => end(rest).map(|_| true),
        Some(_) => Fault::at(input, Rule::Surplus),
    }
}
