//! Command lines (RFC 1939 §3, RFC 2449 §4): a keyword, and arguments behind one blank each.

use super::{Fault, Parsed, blank, end, lines, message_number, word};
use crate::command::{Command, Verb};
use crate::error::{Invalid, Malformed, Rule};
use crate::types::{Digest, InitialResponse, LanguageRange, Mechanism, MessageNumber, Password, UserName};
use nom::Parser;
use nom::combinator::opt;
use nom::sequence::{preceded, separated_pair, terminated};

/// First words of protocols that browsers and scanners speak. They are refused and the link is closed, so that no
/// web page can make a browser give commands line by line.
const FOREIGN: [&[u8]; 9] =
    [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT", b"DELETE", b"TRACE", b"PATCH"];

/// A line without its line end.
pub(crate) fn command(line: &[u8]) -> Result<Command<'_>, Malformed<'_>> {
    // Framing has taken the line end; whoever calls this with other octets gets the same rule.
    if let Some(at) = memchr::memchr3(b'\r', b'\n', 0, line) {
        return Err(Malformed { raw: line, at, rule: Rule::Octet });
    }
    // What is not a keyword is not looked at further, but for the words of protocols that have no business here.
    let Some(verb) = Verb::of(line) else {
        let keyword = line.split(|octet| *octet == b' ').next().unwrap_or_default();
        let foreign = FOREIGN.iter().any(|word| word.eq_ignore_ascii_case(keyword));
        let rule = if foreign { Rule::ForeignProtocol } else { Rule::Keyword };
        return Err(Malformed { raw: line, at: 0, rule });
    };
    let arguments = line.get(verb.name().len()..).unwrap_or_default();
    match read(verb, arguments) {
        Ok((_, command)) => Ok(command),
        Err(fault) => Err(Fault::of(fault, line)),
    }
}

/// The arguments of a known keyword. Nothing is skipped and nothing guessed: one blank before each, and nothing behind the last.
fn read(verb: Verb, input: &[u8]) -> Parsed<'_, Command<'_>> {
    match verb {
        // A name and a password take all of the rest, blanks included (RFC 1939 §7, PASS).
        Verb::User => preceded(blank, valid(UserName::try_from)).map(Command::User).parse(input),
        Verb::Pass => preceded(blank, valid(Password::try_from)).map(Command::Pass).parse(input),
        Verb::Apop => apop(input),
        Verb::Auth => auth(input),
        Verb::Capa => bare(input, Command::Capa),
        Verb::Stls => bare(input, Command::Stls),
        Verb::Utf8 => bare(input, Command::Utf8),
        Verb::Lang => opt_argument(input, valid(LanguageRange::try_from)).map(|(i, l)| (i, Command::Lang(l))),
        Verb::Quit => bare(input, Command::Quit),
        Verb::Stat => bare(input, Command::Stat),
        Verb::List => opt_argument(input, message_number).map(|(i, n)| (i, Command::List(n))),
        Verb::Retr => number(input).map(|(i, n)| (i, Command::Retr(n))),
        Verb::Dele => number(input).map(|(i, n)| (i, Command::Dele(n))),
        Verb::Noop => bare(input, Command::Noop),
        Verb::Rset => bare(input, Command::Rset),
        Verb::Top => top(input),
        Verb::Uidl => opt_argument(input, message_number).map(|(i, n)| (i, Command::Uidl(n))),
    }
}

/// No argument at all, not even a blank (RFC 1939 §3).
fn bare<'i>(input: &'i [u8], command: Command<'i>) -> Parsed<'i, Command<'i>> {
    end(input).map(|(rest, ())| (rest, command))
}

/// One message number and nothing behind it.
fn number(input: &[u8]) -> Parsed<'_, MessageNumber> {
    terminated(preceded(blank, message_number), end).parse(input)
}

/// An argument that may be missing altogether, but not be empty.
fn opt_argument<'i, T>(
    input: &'i [u8],
    argument: impl Parser<&'i [u8], Output = T, Error = Fault>,
) -> Parsed<'i, Option<T>> {
    if input.is_empty() {
        return Ok((input, None));
    }
    terminated(preceded(blank, argument), end).map(Some).parse(input)
}

/// TOP wants both numbers (RFC 1939 §7).
fn top(input: &[u8]) -> Parsed<'_, Command<'_>> {
    terminated(preceded(blank, separated_pair(message_number, blank, lines)), end)
        .map(|(message, lines)| Command::Top { message, lines })
        .parse(input)
}

/// The digest is the last word; the name is all before it.
fn apop(input: &[u8]) -> Parsed<'_, Command<'_>> {
    let (input, ()) = blank(input)?;
    let Some(at) = memchr::memrchr(b' ', input) else { return Fault::at(input, Rule::Missing) };
    // A name may hold blanks, and the digest is 32 octets without one (RFC 1939 §7).
    let (name, digest) = input.split_at(at);
    let (_, name) = valid(UserName::try_from).parse(name)?;
    let (_, digest) = preceded(blank, valid(|octets: &[u8]| Digest::try_from(octets))).parse(digest)?;
    Ok((&[], Command::Apop { name, digest }))
}

/// AUTH without anything, with a mechanism, or with an initial response too. Whether that is base64 is seen when it is decoded: here it
/// is one word (RFC 5034 §4).
fn auth(input: &[u8]) -> Parsed<'_, Command<'_>> {
    if input.is_empty() {
        return Ok((input, Command::AuthList));
    }
    let (rest, mechanism) = preceded(blank, word).parse(input)?;
    let (_, mechanism) = valid(Mechanism::try_from).parse(mechanism)?;
    let (rest, initial) = opt(preceded(blank, word)).parse(rest)?;
    let (rest, ()) = end(rest)?;
    Ok((rest, Command::Auth { mechanism, initial: initial.map(InitialResponse::read) }))
}

/// All of the octets, as a value that checks itself.
fn valid<'i, T>(
    read: impl Fn(&'i [u8]) -> Result<T, Invalid>,
) -> impl Parser<&'i [u8], Output = T, Error = Fault> {
    move |input: &'i [u8]| match read(input) {
        Ok(value) => Ok((input.get(input.len()..).unwrap_or_default(), value)),
        Err(Invalid(rule)) => Fault::at(input, rule),
    }
}
