//! Command lines (RFC 5321 §4.1).
//!
//! Verbs and keywords are read without case, arguments are kept octet for octet: the case of a local part is its receiver's (RFC 5321 §2.4).
//! Where the grammar has one space there is one: two readers that are liberal in different ways see two commands. Each liberty that is taken
//! all the same has a name, a switch and a count ([`Repair`]).

use super::path::{forward_path, reverse_path};
use super::{Fault, Fixes, Parsed, fail};
use crate::command::{Auth, Bdat, Burl, Command, Initial, Mail, Rcpt, Verb, Vrfy};
use crate::error::{Invalid, Rule};
use crate::ext::{Of, Params, params};
use crate::policy::Repair;
use crate::types::octets;
use crate::types::{CommandText, EhloName, EsmtpKeyword, Mechanism, domain, keyword};
use mail_wire::Secret;
use nom::Parser as _;

/// Reads a command line without its line end. A verb that this crate does not know is [`Command::Unknown`].
///
/// ```
/// use mail_smtp_proto::parse::{self, Fixes};
/// use mail_smtp_proto::{Command, Rule};
/// let line = b"MAIL FROM:<a@b.example> SIZE=500";
/// let Ok(Command::Mail(mail)) = parse::command(line, &Fixes::none()) else { panic!() };
/// assert_eq!(mail.params().size(), Some(500));
/// let wrong = parse::command(b"MAIL FROM:<a@b", &Fixes::none()).unwrap_err();
/// assert_eq!((wrong.rule, wrong.at), (Rule::Path, 14));
/// ```
///
/// # Errors
/// The rule that is broken, and where.
pub fn command<'i>(line: &'i [u8], fixes: &Fixes<'_>) -> Result<Command<'i>, Invalid> {
    let (word, rest) = split(line);
    let verb = Verb::of(word);
    match arguments(verb, word, rest, fixes) {
        Ok((_, command)) => Ok(command),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(at(line, fault)),
        Err(nom::Err::Incomplete(_)) => Err(at(line, Fault { rule: Rule::Argument, left: 0 })),
    }
}

fn at(line: &[u8], fault: Fault) -> Invalid {
    Invalid { rule: fault.rule, at: line.len().saturating_sub(fault.left) }
}

/// The verb, and what stands behind it with its first space. A tab ends the verb as well, so that `AUTH` before one is known to bring a
/// secret, and one at the end of the line is no part of the verb.
#[inline]
pub(crate) fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let end = match line {
        // Most verbs have four letters.
        [_, _, _, _, b' ', ..] | [_, _, _, _] => 4,
        _ => memchr::memchr2(b' ', b'\t', line).unwrap_or(line.len()),
    };
    octets::cut(line, end)
}

/// Verbs of RFC 821 that no server needs (RFC 5321 Appendix F.6): 502, not 500.
pub(crate) fn is_obsolete(word: &[u8]) -> bool {
    let four: &[&[u8]] = &[b"SEND", b"SOML", b"SAML", b"TURN"];
    four.iter().any(|verb| verb.eq_ignore_ascii_case(word))
}

/// Each verb has a grammar of its own (RFC 5321 §4.1.1), so nothing is split into words before the verb is known: a quoted local part may
/// hold spaces, and `>` as well.
#[inline]
fn arguments<'i>(
    verb: Option<Verb>,
    word: &'i [u8],
    rest: &'i [u8],
    fixes: &Fixes<'_>,
) -> Parsed<'i, Command<'i>> {
    let Some(verb) = verb else { return unknown(word, rest) };
    match verb {
        Verb::Mail => {
            let (rest, (_, from, params)) = (
                |input| colon(input, b" FROM:", fixes),
                |input| reverse_path(input, fixes),
                |input| parameters(input, Of::Mail, fixes),
            )
                .parse(rest)?;
            Ok((rest, Command::Mail(Mail::parsed(from, params))))
        }
        Verb::Rcpt => {
            let (rest, (_, to, params)) = (
                |input| colon(input, b" TO:", fixes),
                |input| forward_path(input, fixes),
                |input| parameters(input, Of::Rcpt, fixes),
            )
                .parse(rest)?;
            Ok((rest, Command::Rcpt(Rcpt::parsed(to, params))))
        }
        Verb::Ehlo => name(rest, fixes).map(|(rest, name)| (rest, Command::Ehlo(name))),
        Verb::Helo => name(rest, fixes).map(|(rest, name)| (rest, Command::Helo(name))),
        Verb::Lhlo => name(rest, fixes).map(|(rest, name)| (rest, Command::Lhlo(name))),
        Verb::Data => alone(rest, Command::Data, fixes),
        Verb::Rset => alone(rest, Command::Rset, fixes),
        Verb::Quit => alone(rest, Command::Quit, fixes),
        Verb::StartTls => alone(rest, Command::StartTls, fixes),
        Verb::Noop => optional(rest, fixes).map(|(rest, text)| (rest, Command::Noop(text))),
        Verb::Help => optional(rest, fixes).map(|(rest, text)| (rest, Command::Help(text))),
        Verb::Vrfy => vrfy(rest, fixes).map(|(rest, vrfy)| (rest, Command::Vrfy(vrfy))),
        Verb::Expn => vrfy(rest, fixes).map(|(rest, vrfy)| (rest, Command::Expn(vrfy))),
        Verb::Etrn => required(rest, fixes).map(|(rest, node)| (rest, Command::Etrn(node))),
        Verb::Bdat => bdat(rest, fixes),
        Verb::Burl => burl(rest, fixes),
        Verb::Auth => auth(rest, fixes),
        Verb::XClient => {
            let (rest, params) = attributes(rest, fixes)?;
            Ok((rest, Command::XClient(params)))
        }
    }
}

/// ` FROM:` or ` TO:`; no space may follow, though many clients have put one there, which is why the standard says so twice
/// (RFC 5321 §3.3, §4.1.1.2).
#[inline]
fn colon<'i>(input: &'i [u8], word: &[u8], fixes: &Fixes<'_>) -> Parsed<'i, ()> {
    let (front, mut rest) = octets::cut(input, word.len());
    if !front.eq_ignore_ascii_case(word) {
        return fail(input, Rule::Argument);
    }
    while let Some(behind) = rest.strip_prefix(b" ") {
        if !fixes.take(Repair::Spaces) {
            return fail(rest, Rule::Spaces);
        }
        rest = behind;
    }
    Ok((rest, ()))
}

/// What stands behind a path. A path that is not followed by a space is not followed by a parameter: `<a@b>SIZE=1` is malformed
/// (RFC 5321 §4.1.2).
#[inline]
fn parameters<'i>(input: &'i [u8], of: Of, fixes: &Fixes<'_>) -> Parsed<'i, Params<'i>> {
    let (input, ()) = trimmed(input, fixes)?;
    if input.is_empty() {
        return Ok((input, Params::NONE));
    }
    match params(input, of, fixes) {
        Ok(params) => Ok((&[], params)),
        Err((rule, left)) => Err(nom::Err::Error(Fault { rule, left })),
    }
}

/// What stands before the spaces and tabs at the end of a line, which a server should tolerate (RFC 5321 §4.1.1).
#[inline]
fn trimmed<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, ()> {
    let blanks = input.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    let rest = octets::cut(input, input.len().saturating_sub(blanks)).0;
    if blanks == 0 || fixes.take(Repair::TrailingSpaces) {
        return Ok((rest, ()));
    }
    fail(octets::cut(input, rest.len()).1, Rule::Spaces)
}

/// A command without an argument: with one it is 501, and is not carried out (RFC 5321 §4.1.1, §4.3.2). A `QUIT now` may be text that was
/// never meant for a command.
fn alone<'i>(input: &'i [u8], command: Command<'i>, fixes: &Fixes<'_>) -> Parsed<'i, Command<'i>> {
    let (rest, ()) = trimmed(input, fixes)?;
    if rest.is_empty() { Ok((rest, command)) } else { fail(rest, Rule::NoArgument) }
}

/// The one space between verb and argument.
fn space<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, ()> {
    let Some(mut rest) = input.strip_prefix(b" ") else { return fail(input, Rule::Argument) };
    while let Some(behind) = rest.strip_prefix(b" ") {
        if !fixes.take(Repair::Spaces) {
            return fail(rest, Rule::Spaces);
        }
        rest = behind;
    }
    Ok((rest, ()))
}

/// The client's name: a domain or an address literal (RFC 5321 §4.1.1.1), in ASCII since SMTPUTF8 is not known to be in force yet
/// (RFC 6531 §3.7.1). Whether it is the client's true name is not to be held against it (§4.1.4).
fn name<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, EhloName<'i>> {
    let (input, ()) = space(input, fixes)?;
    let len = match domain(input, fixes) {
        Ok(found) => found.len,
        Err(rule) => return fail(input, rule),
    };
    let (name, rest) = octets::cut(input, len);
    if !name.is_ascii() {
        return fail(input, Rule::NotAscii);
    }
    let (left, ()) = trimmed(rest, fixes)?;
    if left.is_empty() { Ok((left, EhloName::parsed(name))) } else { fail(left, Rule::Domain) }
}

/// Text behind a verb that may take one.
fn optional<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Option<CommandText<'i>>> {
    if input.is_empty() {
        return Ok((input, None));
    }
    let (input, ()) = trimmed(input, fixes)?;
    if input.is_empty() {
        return Ok((input, None));
    }
    required(input, fixes).map(|(rest, text)| (rest, Some(text)))
}

/// Text that a verb must have. It may be UTF-8: what it stands for decides whether it may be so here.
fn required<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, CommandText<'i>> {
    let (text, ()) = space(input, fixes)?;
    let (text, ()) = trimmed(text, fixes)?;
    match CommandText::new(text) {
        Ok(text) => Ok((&[], text)),
        Err(invalid) => fail(octets::cut(text, invalid.at).1, invalid.rule),
    }
}

/// A string, and `SMTPUTF8` behind it (RFC 6531 §3.7.4.2). Without the parameter the string is ASCII, as is the answer.
fn vrfy<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Vrfy<'i>> {
    const FLAG: &[u8] = b" SMTPUTF8";
    let (rest, text) = required(input, fixes)?;
    let octets = text.as_bytes();
    let (argument, flag) = octets::cut(octets, octets.len().saturating_sub(FLAG.len()));
    let utf8 = flag.eq_ignore_ascii_case(FLAG) && !argument.is_empty();
    let argument = if utf8 { CommandText::parsed(argument) } else { text };
    if !utf8 && !octets.is_ascii() {
        return fail(octets, Rule::NotAscii);
    }
    Ok((rest, Vrfy { argument, utf8 }))
}

/// `BDAT SP chunk-size [ SP "LAST" ]` (RFC 3030 §2). No repair but for blanks at the end, which leave no doubt of the size: what cannot be read
/// here loses the frame.
fn bdat<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Command<'i>> {
    let (input, ()) = trimmed(input, fixes)?;
    let Some(rest) = input.strip_prefix(b" ") else { return fail(input, Rule::ChunkSize) };
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let (number, behind) = octets::cut(rest, digits);
    let Some(octets) = crate::ext::digits_of(number, 20) else { return fail(rest, Rule::ChunkSize) };
    let last = match behind {
        [] => false,
        [b' ', word @ ..] if word.eq_ignore_ascii_case(b"LAST") => true,
        _ => return fail(behind, Rule::ChunkSize),
    };
    Ok((&[], Command::Bdat(Bdat { octets, last })))
}

/// `BURL SP absolute-URI [ SP "LAST" ]` (RFC 4468 §3.2).
fn burl<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Command<'i>> {
    let (rest, text) = required(input, fixes)?;
    let octets = text.as_bytes();
    let end = memchr::memchr(b' ', octets).unwrap_or(octets.len());
    let (url, behind) = octets::cut(octets, end);
    let last = match behind {
        [] => false,
        [b' ', word @ ..] if word.eq_ignore_ascii_case(b"LAST") => true,
        _ => return fail(behind, Rule::Argument),
    };
    if !url.is_ascii() {
        return fail(octets, Rule::NotAscii);
    }
    Ok((rest, Command::Burl(Burl { url: CommandText::parsed(url), last })))
}

/// `AUTH SP mechanism [ SP ( base64 / "=" ) ]` (RFC 4954 §4). The base64 is decoded elsewhere, once.
fn auth<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Command<'i>> {
    let (input, ()) = space(input, fixes)?;
    let (input, ()) = trimmed(input, fixes)?;
    let end = memchr::memchr(b' ', input).unwrap_or(input.len());
    let (name, rest) = octets::cut(input, end);
    let mechanism = match Mechanism::new(name) {
        Ok(mechanism) => mechanism,
        Err(invalid) => return fail(octets::cut(input, invalid.at).1, invalid.rule),
    };
    let initial = match rest {
        [] => Initial::None,
        rest => match space(rest, fixes)?.0 {
            [b'='] => Initial::Empty,
            base64 if base64.iter().all(|octet| is_base64(*octet)) => Initial::Base64(Secret::new(base64)),
            base64 => return fail(base64, Rule::Base64),
        },
    };
    Ok((&[], Command::Auth(Auth { mechanism, initial })))
}

/// Whether the octet may stand in base64 at all. Where the padding stands is checked when it is decoded (RFC 4954 §4).
pub(crate) fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=')
}

/// `1*( SP attribute "=" xtext )`: kept as parameters, each value checked as xtext.
fn attributes<'i>(input: &'i [u8], fixes: &Fixes<'_>) -> Parsed<'i, Params<'i>> {
    let (rest, params) = parameters(input, Of::Rcpt, fixes)?;
    if params.is_empty() {
        return fail(input, Rule::Argument);
    }
    for (_, value) in params.iter() {
        // xtext keeps an attribute from holding a line end, which would be a command in the log or session of whoever believes it.
        let good = value.is_some_and(|value| crate::types::Xtext::parse(value.as_bytes(), fixes).is_ok());
        if !good {
            return fail(input, Rule::Xtext);
        }
    }
    Ok((rest, params))
}

/// A verb that this crate does not know is kept with its text: an application may know it (RFC 5321 §4.1.5), and the answer to it is not
/// that of a malformed command (§4.2.4).
fn unknown<'i>(word: &'i [u8], rest: &'i [u8]) -> Parsed<'i, Command<'i>> {
    if keyword(word) != word.len() || word.is_empty() {
        return Err(nom::Err::Error(Fault { rule: Rule::Verb, left: word.len().saturating_add(rest.len()) }));
    }
    let text = match rest {
        rest if rest.trim_ascii().is_empty() => None,
        rest => match CommandText::new(rest.trim_ascii()) {
            Ok(text) => Some(text),
            Err(invalid) => return fail(rest, invalid.rule),
        },
    };
    Ok((&[], Command::Unknown { verb: EsmtpKeyword::parsed(word), text }))
}
