//! Status responses and their codes.
//! A status is what a session hangs on, so little of it can be malformed: the condition decides, text is whatever stands behind it, and a
//! code that cannot be read is kept with its octets beside them (RFC 9051 §7.1, RFC 5530).

use super::leaf::{Cursor, Fault, Parse};
use crate::error::Rule;
use crate::policy::Repair;
use crate::types::capability::Capabilities;
use crate::types::chars::is_atom;
use crate::types::code::Code;
use crate::types::flag::Flags;
use crate::types::sequence::SequenceSet;
use crate::types::status::{Condition, Status};
use crate::types::text::ResponseText;
use mail_wire::Repairs;

/// What stands behind the condition: `[SP resp-text]`. Says besides which fault a malformed code has.
pub(crate) fn resp_text<'a>(
    cur: &mut Cursor<'a>,
    condition: Condition,
    repairs: &mut Repairs<Repair>,
) -> Parse<(Status<'a>, Option<Fault>)> {
    let mut status = Status::new(condition, ResponseText::wire(b""));
    // `A1 OK` and nothing more: not in the grammar of either version, and common.
    if cur.is_end() {
        return if repairs.take(Repair::MissingText) { Ok((status, None)) } else { cur.fail(Rule::Text) };
    }
    // One space: what follows it is text, which may begin with spaces of its own.
    cur.space()?;
    let mut fault = None;
    if cur.peek() == Some(b'[') {
        match code_end(cur.rest()) {
            // A code that cannot be read does not make the status one that cannot: the condition has been read, and the command is over.
            Some(end) => {
                let start = cur.at();
                let inside = cur.rest().get(1..end).unwrap_or(&[]);
                let code = code(inside, repairs);
                if matches!(code, Code::Malformed { .. }) {
                    fault = Some(Fault::new(start, Rule::Code));
                }
                status.code = Some(code);
                // Text behind the code may be missing, and with it the space (some of the standards' own examples leave it away).
                cur.bump(end.saturating_add(1));
                if cur.is_end() && !repairs.take(Repair::MissingText) {
                    return cur.fail(Rule::Text);
                }
                cur.eat(b' ');
            }
            // Text may begin with `[` in what servers write, though a code is then meant (RFC 9051 §7.1).
            None if repairs.take(Repair::BracketInText) => {}
            None => return cur.fail(Rule::Code),
        }
    }
    status.text = ResponseText::wire(cur.rest());
    cur.bump(cur.rest().len());
    Ok((status, fault))
}

/// Where the `]` of a code stands: the first outside of quotes and parentheses (RFC 9051 §9, `resp-text-code`). Quotes that do not
/// balance mean nothing: the first `]` of all is then taken.
pub(crate) fn code_end(octets: &[u8]) -> Option<usize> {
    // BADURL and REFERRAL hold URLs, PERMANENTFLAGS keywords that should not have been made: a `]` in them is none of the grammar's.
    let (mut quoted, mut depth, mut escape) = (false, 0_usize, false);
    for (at, octet) in octets.iter().enumerate() {
        match octet {
            _ if escape => escape = false,
            b'\\' if quoted => escape = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            b']' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    memchr::memchr(b']', octets)
}

/// The code between the brackets.
pub(crate) fn code<'a>(inside: &'a [u8], repairs: &mut Repairs<Repair>) -> Code<'a> {
    let (name, args) = match memchr::memchr(b' ', inside) {
        Some(at) => (inside.get(..at).unwrap_or(&[]), inside.get(at.saturating_add(1)..)),
        None => (inside, None),
    };
    if let Some(word) = Code::word(name) {
        // `[TRYCREATE ]`: a space that nothing stands behind.
        if args.is_none() || args.is_some_and(is_blank) && repairs.take(Repair::ExtraSpace) {
            return word;
        }
    }
    // What an unknown code means is open, so its arguments are not looked at (RFC 9051 §7.1: to be ignored, and here kept).
    let known = Known::of(name);
    let args = args.unwrap_or(&[]);
    match known.map(|known| known.read(&mut Cursor::new(args), repairs)) {
        None => Code::Other { name, args },
        Some(Ok(code)) => code,
        Some(Err(_)) => Code::Malformed { name, args },
    }
}

/// Codes that have arguments. With none, or with others, the name alone means nothing more than an unknown one's.
#[derive(Clone, Copy)]
enum Known {
    BadCharset,
    BadUrl,
    Capability,
    PermanentFlags,
    UidNext,
    UidValidity,
    Unseen,
    AppendUid,
    CopyUid,
    HighestModSeq,
    Modified,
    MailboxId,
    Referral,
}

impl Known {
    /// The code of this name, without regard to case.
    fn of(name: &[u8]) -> Option<Self> {
        const ALL: [(&[u8], Known); 13] = [
            (b"BADCHARSET", Known::BadCharset),
            (b"BADURL", Known::BadUrl),
            (b"CAPABILITY", Known::Capability),
            (b"PERMANENTFLAGS", Known::PermanentFlags),
            (b"UIDNEXT", Known::UidNext),
            (b"UIDVALIDITY", Known::UidValidity),
            (b"UNSEEN", Known::Unseen),
            (b"APPENDUID", Known::AppendUid),
            (b"COPYUID", Known::CopyUid),
            (b"HIGHESTMODSEQ", Known::HighestModSeq),
            (b"MODIFIED", Known::Modified),
            (b"MAILBOXID", Known::MailboxId),
            (b"REFERRAL", Known::Referral),
        ];
        ALL.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, known)| known)
    }

    /// The arguments, to the end of the code.
    fn read<'a>(self, cur: &mut Cursor<'a>, repairs: &mut Repairs<Repair>) -> Parse<Code<'a>> {
        let code = match self {
            Self::BadCharset => Code::BadCharset(all(cur)),
            Self::BadUrl => Code::BadUrl(url(cur)?),
            Self::Capability => Code::Capability(capabilities(cur, repairs)?),
            Self::PermanentFlags => Code::PermanentFlags(flags(cur, repairs)?),
            // No message, no UID and no validity is 0: a code with one is malformed, so that nobody keeps it (RFC 9051 §2.3.1.1).
            Self::UidNext => Code::UidNext(cur.nz_number()?),
            Self::UidValidity => Code::UidValidity(cur.nz_number()?),
            Self::Unseen => Code::Unseen(cur.nz_number()?),
            Self::AppendUid => {
                let validity = cur.nz_number()?;
                cur.space()?;
                Code::AppendUid { validity, uids: set(cur)? }
            }
            Self::CopyUid => {
                let validity = cur.nz_number()?;
                cur.space()?;
                let from = set(cur)?;
                cur.space()?;
                let to = set(cur)?;
                // The first UID of one set is the copy of the first of the other, and so on: sets that differ in length pair nothing
                // (RFC 4315 §3, RFC 9051 §7.1 `COPYUID`).
                if count(from) != count(to) {
                    return cur.fail(Rule::Set);
                }
                Code::CopyUid { validity, from, to }
            }
            // Zero is not in the grammar (`mod-sequence-value`), and says no more than that nothing has changed (RFC 7162 §7).
            Self::HighestModSeq => Code::HighestModSeq(cur.number64()?),
            Self::Modified => Code::Modified(set(cur)?),
            Self::MailboxId => {
                let inside = all(cur).strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
                Code::MailboxId(inside.ok_or(cur.fault(Rule::List))?)
            }
            Self::Referral => Code::Referral(all(cur)),
        };
        cur.end()?;
        Ok(code)
    }
}

/// Whether it is spaces, or nothing at all.
fn is_blank(octets: &[u8]) -> bool {
    octets.iter().all(|octet| *octet == b' ')
}

/// `capability-data` without its name. Spaces too many are repaired here as in the response of this name: a client that did not learn the
/// list would do without what the server can.
fn capabilities<'a>(cur: &mut Cursor<'a>, repairs: &mut Repairs<Repair>) -> Parse<Capabilities<'a>> {
    let octets = all(cur);
    let atoms = !is_blank(octets) && octets.iter().all(|octet| *octet == b' ' || is_atom(*octet));
    match Capabilities::new(octets) {
        Err(_) if atoms && repairs.take(Repair::ExtraSpace) => Ok(Capabilities::wire(octets)),
        list => list.map_err(|_| cur.fault(Rule::Capability)),
    }
}

/// `"(" [flag-perm *(SP flag-perm)] ")"`. Flags that are none are passed over as in FLAGS: a keyword that somebody once made with octets that
/// it must not have does not hide what may be changed.
fn flags<'a>(cur: &mut Cursor<'a>, repairs: &mut Repairs<Repair>) -> Parse<Flags<'a>> {
    let inside = all(cur).strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
    let inside = inside.ok_or(cur.fault(Rule::List))?;
    let flat = !inside.iter().any(|octet| matches!(octet, b'(' | b')'));
    match Flags::new(inside) {
        Err(_) if flat && repairs.take(Repair::OddFlag) => Ok(Flags::wire(inside)),
        flags => flags.map_err(|_| cur.fault(Rule::Flag)),
    }
}

/// All that is left.
fn all<'a>(cur: &mut Cursor<'a>) -> &'a [u8] {
    let rest = cur.rest();
    cur.bump(rest.len());
    rest
}

/// A URL in quotes, or as it is.
fn url<'a>(cur: &mut Cursor<'a>) -> Parse<crate::types::AString<'a>> {
    use crate::types::AString;
    // RFC 4469 §4.1 has it bare in its grammar and quoted in its examples; servers follow either.
    if cur.peek() == Some(b'"') {
        let span = cur.quoted()?;
        return Ok(AString::quoted(cur.get(span), span.tag() == super::leaf::form::ESCAPED));
    }
    AString::new(all(cur)).map_err(|_| cur.fault(Rule::AString))
}

/// A set without `*`: the numbers of messages that exist (RFC 9051 §9, `uid-set`).
///
/// How many items it has is bounded by the line alone. What is gone from a mailbox of a million messages is told in one set, and a client that
/// refused it would keep what is gone for ever (RFC 7162 §3.2.5).
pub(crate) fn set<'a>(cur: &mut Cursor<'a>) -> Parse<SequenceSet<'a>> {
    let start = cur.at();
    let span = cur.while_in(|octet| octet.is_ascii_digit() || matches!(octet, b':' | b','));
    SequenceSet::with_limit(cur.get(span), usize::MAX).map_err(|_| Fault::new(start, Rule::Set))
}

/// How many numbers a set stands for. It is not expanded.
fn count(set: SequenceSet<'_>) -> u64 {
    set.ranges().fold(0_u64, |sum, range| {
        let numbers = range.resolve(0);
        sum.saturating_add(u64::from(numbers.end().saturating_sub(*numbers.start()))).saturating_add(1)
    })
}
