//! The grammar, run once over a complete unit. Leaves are written by hand and used as [`nom`] parsers; nothing recurses.

pub(crate) mod capability;
pub(crate) mod command;
pub(crate) mod listing;
pub(crate) mod quick;
pub(crate) mod status;

use crate::error::{Malformed, Rule};
use crate::types::MessageNumber;
use nom::IResult;
use nom::error::{ErrorKind, ParseError};

/// The rule that broke and how many octets were left there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What was expected.
    pub(crate) rule: Rule,
    /// Counted from the end, as a parser knows only what is in front of it.
    left: usize,
}

/// What a parser gives.
pub(crate) type Parsed<'i, T> = IResult<&'i [u8], T, Fault>;

impl Fault {
    /// The rule broke in front of what is left.
    pub(crate) fn at<T>(rest: &[u8], rule: Rule) -> Result<T, nom::Err<Self>> {
        Err(nom::Err::Error(Self { rule, left: rest.len() }))
    }

    /// The fault as an event's part, told against the whole of the octets.
    pub(crate) fn of(fault: nom::Err<Self>, raw: &[u8]) -> Malformed<'_> {
        match fault {
            nom::Err::Error(fault) | nom::Err::Failure(fault) => {
                Malformed::before(raw, fault.left, fault.rule)
            }
            nom::Err::Incomplete(_) => Malformed { raw, at: raw.len(), rule: Rule::Missing },
        }
    }
}

/// What nom's own combinators ask for. The rule that broke last is the one that is told: it stands furthest.
impl<'i> ParseError<&'i [u8]> for Fault {
    fn from_error_kind(input: &'i [u8], _: ErrorKind) -> Self {
        Self { rule: Rule::Octet, left: input.len() }
    }

    fn append(_: &'i [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// One blank.
pub(crate) fn blank(input: &[u8]) -> Parsed<'_, ()> {
    match input.split_first() {
        Some((b' ', rest)) => Ok((rest, ())),
        Some(_) => Fault::at(input, Rule::Blank),
        None => Fault::at(input, Rule::Missing),
    }
}

/// The end of the unit.
pub(crate) fn end(input: &[u8]) -> Parsed<'_, ()> {
    if input.is_empty() { Ok((input, ())) } else { Fault::at(input, Rule::Surplus) }
}

/// Everything up to the next blank, at least one octet.
pub(crate) fn word(input: &[u8]) -> Parsed<'_, &[u8]> {
    let end = memchr::memchr(b' ', input).unwrap_or(input.len());
    match input.split_at_checked(end) {
        Some((word, rest)) if !word.is_empty() => Ok((rest, word)),
        _ => Fault::at(input, Rule::Missing),
    }
}

/// A number: one digit at least, no sign, at most 2⁶⁴-1.
pub(crate) fn number64(input: &[u8]) -> Parsed<'_, u64> {
    let mut rest = input;
    let mut value = 0_u64;
    // Checked at each digit: a number of the peer never wraps, and leading zeros cost nothing but time.
    while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
        let digit = u64::from(digit.wrapping_sub(b'0'));
        match value.checked_mul(10).and_then(|tens| tens.checked_add(digit)) {
            Some(sum) => value = sum,
            None => return Fault::at(input, Rule::Number),
        }
        rest = behind;
    }
    match (input, rest.len() < input.len()) {
        (_, true) => Ok((rest, value)),
        ([], _) => Fault::at(input, Rule::Missing),
        _ => Fault::at(input, Rule::Number),
    }
}

/// A number of at most 2³²-1.
pub(crate) fn number32(input: &[u8]) -> Parsed<'_, u32> {
    let (rest, value) = number64(input)?;
    match u32::try_from(value) {
        Ok(value) => Ok((rest, value)),
        Err(_) => Fault::at(input, Rule::Number),
    }
}

/// A message number.
pub(crate) fn message_number(input: &[u8]) -> Parsed<'_, MessageNumber> {
    let (rest, value) = number32(input)?;
    match MessageNumber::new(value) {
        Some(number) => Ok((rest, number)),
        None => Fault::at(input, Rule::MessageNumber),
    }
}

/// All digits, and as many lines as fit: more lines than 2³²-1 are as many as there are (RFC 1939 §7, TOP).
pub(crate) fn lines(input: &[u8]) -> Parsed<'_, u32> {
    let digits = input.iter().take_while(|octet| octet.is_ascii_digit()).count();
    match (number32(input), input.split_at_checked(digits)) {
        (Err(_), Some((digits, rest))) if !digits.is_empty() => Ok((rest, u32::MAX)),
        (result, _) => result,
    }
}
