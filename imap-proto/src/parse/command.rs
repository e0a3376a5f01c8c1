//! The grammar of commands (RFC 9051 §9, `command`), strictly and in one pass.
//!
//! A server is strict: a command that is read otherwise than its client meant it may delete the wrong mailbox, and there is always BAD to say so.
//! One space stands where one belongs (note 2), and octets that are left over make the whole command none. What extensions add is read where
//! RFC 4466 gave it a place: parameters in parentheses, with names that nobody needs to know.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::cursor::{Bounds, Cursor};
use super::leaf::Parse;
use crate::command::{Append, AppendForm, Command, ListArgs, Patterns, StoreMode};
use crate::error::{Malformed, Rule};
use crate::limits::Limits;
use crate::types::chars::{is_atom, is_base64, is_tag};
use crate::types::{Atom, Atoms, FetchAtts, Flags, IdFields, Options, Raw, Search, Tag};
use mail_wire::Secret;

/// A command line with its line end.
pub(crate) fn line<'a>(
    octets: &'a [u8],
    limits: &Limits,
    utf8: bool,
) -> Result<(Tag<'a>, Command<'a>), Malformed<'a>> {
    // The line end was found by framing; which of the two it is has been judged there by the policy.
    let text = octets.strip_suffix(b"\n").map_or(octets, |text| text.strip_suffix(b"\r").unwrap_or(text));
    let mut cursor = Cursor::new(text, Bounds::new(limits, utf8));
    tagged(&mut cursor).map_err(|fault| Malformed { raw: text, at: fault.at as usize, rule: fault.rule })
}

/// A command that was written by this crate, for its own keeping.
pub(crate) fn again(octets: &[u8]) -> Option<Command<'_>> {
    let text = octets.strip_suffix(b"\r\n")?;
    let mut cursor = Cursor::new(text, Bounds { utf8: false, ..Bounds::AGAIN });
    tagged(&mut cursor).ok().map(|(_, command)| command)
}

/// `tag SP command`. What stands behind the command is an error: nothing is skipped (RFC 9051 §9, note 2).
fn tagged<'a>(cursor: &mut Cursor<'a>) -> Parse<(Tag<'a>, Command<'a>)> {
    let tag = cursor.run(is_tag);
    if tag.is_empty() {
        return cursor.fail(Rule::Tag);
    }
    cursor.space()?;
    let command = command(cursor)?;
    cursor.end()?;
    Ok((Tag::checked(tag), command))
}

/// The name of a command.
fn verb<'a>(cursor: &mut Cursor<'a>) -> Parse<Atom<'a>> {
    let name = cursor.run(is_atom);
    if name.is_empty() { cursor.fail(Rule::Command) } else { Ok(Atom::checked(name)) }
}

/// `command-any`, `command-auth`, `command-nonauth` and `command-select`, without regard to the state: that is checked before.
///
/// Names are compared in capitals: they have no case (RFC 9051 §9, note 1).
fn command<'a>(cursor: &mut Cursor<'a>) -> Parse<Command<'a>> {
    let name = verb(cursor)?;
    let mut upper = [0_u8; 12];
    // No name of the standard is longer than AUTHENTICATE: a longer one belongs to an extension.
    let Some(place) = upper.get_mut(..name.as_bytes().len()) else { return other(cursor, name, false) };
    place.copy_from_slice(name.as_bytes());
    place.make_ascii_uppercase();
    let place: &[u8] = place;
    // No command is the beginning of another here: UID alone takes a second name, and that is read apart.
    // The length first: it leaves few names to compare with.
    Ok(match (place.len(), place) {
        (10, b"CAPABILITY") => Command::Capability,
        (4, b"NOOP") => Command::Noop,
        (6, b"LOGOUT") => Command::Logout,
        (8, b"STARTTLS") => Command::StartTls,
        (9, b"NAMESPACE") => Command::Namespace,
        (4, b"IDLE") => Command::Idle,
        (5, b"CHECK") => Command::Check,
        (5, b"CLOSE") => Command::Close,
        (8, b"UNSELECT") => Command::Unselect,
        (7, b"EXPUNGE") => Command::Expunge { uids: None },
        (5, b"FETCH") => fetch(cursor, false)?,
        (5, b"STORE") => store(cursor, false)?,
        (6, b"SEARCH") => search(cursor, false)?,
        (4, b"COPY") => copy(cursor, false)?,
        (4, b"MOVE") => moved(cursor, false)?,
        (3, b"UID") => uid(cursor)?,
        (6, b"SELECT") => select(cursor, |mailbox, params| Command::Select { mailbox, params })?,
        (7, b"EXAMINE") => select(cursor, |mailbox, params| Command::Examine { mailbox, params })?,
        (6, b"CREATE") => select(cursor, |mailbox, params| Command::Create { mailbox, params })?,
        (6, b"DELETE") => Command::Delete(mailbox(cursor)?),
        (9, b"SUBSCRIBE") => Command::Subscribe(mailbox(cursor)?),
        (11, b"UNSUBSCRIBE") => Command::Unsubscribe(mailbox(cursor)?),
        (6, b"RENAME") => Command::Rename { from: mailbox(cursor)?, to: mailbox(cursor)? },
        (4, b"LIST") => Command::List(list(cursor)?),
        (4, b"LSUB") => lsub(cursor)?,
        (6, b"STATUS") => status(cursor)?,
        (6, b"APPEND") => Command::Append(append(cursor)?),
        (5, b"LOGIN") => login(cursor)?,
        (12, b"AUTHENTICATE") => authenticate(cursor)?,
        (6, b"ENABLE") => {
            cursor.space()?;
            Command::Enable(Atoms::read(cursor)?)
        }
        (2, b"ID") => {
            cursor.space()?;
            Command::Id(IdFields::read(cursor)?)
        }
        _ => return other(cursor, name, false),
    })
}

/// A command that has no type here: its arguments must balance, so that its end is certain, and are kept as they came.
///
/// Extensions that a server does not offer come this way; so do those that it offers and that have no type yet.
fn other<'a>(cursor: &mut Cursor<'a>, name: Atom<'a>, uid: bool) -> Parse<Command<'a>> {
    if cursor.is_end() {
        return Ok(Command::Other { uid, name, args: Raw::EMPTY });
    }
    cursor.space()?;
    Ok(Command::Other { uid, name, args: Raw::rest_of(cursor)? })
}

/// `uid`: the commands that name messages by UID (RFC 9051 §6.4.9), and any other name kept as it came.
fn uid<'a>(cursor: &mut Cursor<'a>) -> Parse<Command<'a>> {
    cursor.space()?;
    let name = verb(cursor)?;
    let is = |other: &str| name.is(other);
    match name.as_bytes().len() {
        5 if is("FETCH") => fetch(cursor, true),
        5 if is("STORE") => store(cursor, true),
        6 if is("SEARCH") => search(cursor, true),
        4 if is("COPY") => copy(cursor, true),
        4 if is("MOVE") => moved(cursor, true),
        7 if is("EXPUNGE") => {
            cursor.space()?;
            Ok(Command::Expunge { uids: Some(cursor.set()?) })
        }
        _ => other(cursor, name, true),
    }
}

/// A space and a mailbox.
fn mailbox<'a>(cursor: &mut Cursor<'a>) -> Parse<crate::types::Mailbox<'a>> {
    cursor.space()?;
    cursor.mailbox()
}

/// A space and a list of options, if they come next.
fn options<'a>(cursor: &mut Cursor<'a>) -> Parse<Options<'a>> {
    if !cursor.rest().starts_with(b" (") {
        return Ok(Options::NONE);
    }
    cursor.bump(1);
    Options::read(cursor)
}

/// A mailbox, and parameters in parentheses (RFC 4466 §2.1, `select-params` and `create-params`).
fn select<'a>(
    cursor: &mut Cursor<'a>,
    make: impl FnOnce(crate::types::Mailbox<'a>, Options<'a>) -> Command<'a>,
) -> Parse<Command<'a>> {
    let mailbox = mailbox(cursor)?;
    Ok(make(mailbox, options(cursor)?))
}

/// `list` (RFC 9051 §9): selection options before the reference, patterns, and RETURN with its options.
///
/// The plain form of RFC 3501 §6.3.8 is the one without any of the three.
fn list<'a>(cursor: &mut Cursor<'a>) -> Parse<ListArgs<'a>> {
    // Empty parentheses are a list of no options, and still make the command an extended one (RFC 5258 §3).
    let select = options(cursor)?;
    let reference = mailbox(cursor)?;
    cursor.space()?;
    let patterns =
        if cursor.peek() == Some(b'(') { patterns(cursor)? } else { Patterns::One(cursor.list_mailbox()?) };
    let returns = if cursor.is_end() {
        Options::NONE
    } else {
        cursor.space()?;
        if !cursor.eat_name("RETURN") {
            return cursor.fail(Rule::Keyword);
        }
        cursor.space()?;
        Options::read(cursor)?
    };
    Ok(ListArgs { select, reference, patterns, returns })
}

/// `patterns`: one is enough to make the command an extended LIST (RFC 5258 §3).
fn patterns<'a>(cursor: &mut Cursor<'a>) -> Parse<Patterns<'a>> {
    // Checked one by one and kept as they stand: how many there are is bounded by the line.
    cursor.bump(1);
    let from = cursor.at();
    cursor.list_mailbox()?;
    while !cursor.eat(b')') {
        cursor.space()?;
        cursor.list_mailbox()?;
    }
    let inside = cursor.since(from);
    Ok(Patterns::Several(Raw::checked(inside.strip_suffix(b")").unwrap_or(inside))))
}

/// `lsub` (RFC 3501 §9): a reference and one name with wildcards.
fn lsub<'a>(cursor: &mut Cursor<'a>) -> Parse<Command<'a>> {
    let reference = mailbox(cursor)?;
    cursor.space()?;
    Ok(Command::Lsub { reference, pattern: cursor.list_mailbox()? })
}

/// `status`: the attributes are kept as atoms, so that those of extensions reach the application (RFC 9051 §9, `status-att`).
fn status<'a>(cursor: &mut Cursor<'a>) -> Parse<Command<'a>> {
    let mailbox = mailbox(cursor)?;
    cursor.space()?;
    Ok(Command::Status { mailbox, items: Atoms::list(cursor)? })
}

/// `login`: both are `astring`, so that 8 bits and line ends can stand in a literal (RFC 9051 §6.2.3).
fn login<'a>(cursor: &mut Cursor<'a>) -> Parse<Command<'a>> {
    cursor.space()?;
    // Nothing is known of either but that they hold no NUL; what a name may be is for the application (RFC 9051 §6.2.3).
    let user = cursor.astring()?;
    cursor.space()?;
    Ok(Command::Login { user, password: Secret::new(cursor.astring()?) })
}

/// `authenticate`: the initial response is base64 or `=` (RFC 4959 §3). It is decoded by the machine, once.
fn authenticate<'a>(cursor: &mut Cursor<'a>) -> Parse<Command<'a>> {
    cursor.space()?;
    let mechanism = cursor.name()?;
    if cursor.is_end() {
        return Ok(Command::Authenticate { mechanism, initial: None });
    }
    cursor.space()?;
    // Kept as it stands: a secret that is decoded here would have to be wiped here.
    let initial = cursor.run(|octet| is_base64(octet) || octet == b'=');
    if initial.is_empty() {
        return cursor.fail(Rule::Base64);
    }
    Ok(Command::Authenticate { mechanism, initial: Some(Secret::new(initial)) })
}

/// Up to the announcement of the message.
fn append<'a>(cursor: &mut Cursor<'a>) -> Parse<Append<'a>> {
    let mailbox = mailbox(cursor)?;
    cursor.space()?;
    // Flags and date may be left away, each with its space, and only in this order (RFC 9051 §6.3.12).
    let flags = if cursor.peek() == Some(b'(') {
        let flags = flag_list(cursor)?;
        cursor.space()?;
        flags
    } else {
        Flags::NONE
    };
    let date = if cursor.peek() == Some(b'"') {
        let date = cursor.date_time()?;
        cursor.space()?;
        Some(date)
    } else {
        None
    };
    let utf8 = cursor.eat_word(b"UTF8 (");
    let form = match (utf8, cursor.eat(b'~')) {
        (false, false) => AppendForm::Literal,
        (false, true) => AppendForm::Literal8,
        (true, true) => AppendForm::Utf8,
        // Inside of UTF8 stands a literal8, so that a server which does not know the item cannot take the message for a plain one.
        (true, false) => return cursor.fail(Rule::Literal),
    };
    cursor.expect(b'{', Rule::Literal)?;
    let octets = cursor.number64()?;
    // Whether the server offers that is judged where the message is let through; here it is only read.
    let sync = !cursor.eat(b'+');
    cursor.expect(b'}', Rule::Literal)?;
    Ok(Append { mailbox, flags, date, octets, form, sync })
}

/// `(`, flags that a client may set, `)`.
fn flag_list<'a>(cursor: &mut Cursor<'a>) -> Parse<Flags<'a>> {
    cursor.expect(b'(', Rule::Flag)?;
    let from = cursor.at();
    if cursor.peek() != Some(b')') {
        flag(cursor)?;
    }
    while cursor.peek() == Some(b' ') {
        cursor.bump(1);
        flag(cursor)?;
    }
    let flags = cursor.since(from);
    cursor.expect(b')', Rule::Flag)?;
    Ok(Flags::wire(flags))
}

/// A flag that a client may set: all but `\Recent` and `\*`.
///
/// A flag with a backslash that is not known passes: the mailbox may have it (RFC 9051 §2.3.2).
fn flag(cursor: &mut Cursor<'_>) -> Parse<()> {
    let before = *cursor;
    let system = cursor.eat(b'\\');
    let name = cursor.run(is_atom);
    if name.is_empty() || system && name.eq_ignore_ascii_case(b"Recent") {
        return before.fail(Rule::Flag);
    }
    Ok(())
}

/// `store` and `store-att-flags`: modifiers stand before the flags (RFC 4466 §2.5), and the parentheses of a list may be left away.
fn store<'a>(cursor: &mut Cursor<'a>, uid: bool) -> Parse<Command<'a>> {
    cursor.space()?;
    let set = cursor.set()?;
    // UNCHANGEDSINCE stands here, before what it guards (RFC 7162 §3.1.3).
    let modifiers = options(cursor)?;
    cursor.space()?;
    let mode = match cursor.peek() {
        Some(b'+') => StoreMode::Add,
        Some(b'-') => StoreMode::Remove,
        _ => StoreMode::Replace,
    };
    cursor.bump(usize::from(mode != StoreMode::Replace));
    // The longer name first: `.` is an octet of atoms, so that `FLAGS` alone would not match it anyway.
    let silent = if cursor.eat_name("FLAGS.SILENT") {
        true
    } else if cursor.eat_name("FLAGS") {
        false
    } else {
        return cursor.fail(Rule::Store);
    };
    cursor.space()?;
    // Without parentheses there is at least one; an empty list takes all flags away (RFC 9051 §9, `store-att-flags`).
    let flags = if cursor.peek() == Some(b'(') {
        flag_list(cursor)?
    } else {
        let from = cursor.at();
        flag(cursor)?;
        while cursor.peek() == Some(b' ') {
            cursor.bump(1);
            flag(cursor)?;
        }
        Flags::wire(cursor.since(from))
    };
    Ok(Command::Store { uid, set, modifiers, mode, silent, flags })
}

/// `fetch`: modifiers stand behind the attributes (RFC 4466 §2.4).
fn fetch<'a>(cursor: &mut Cursor<'a>, uid: bool) -> Parse<Command<'a>> {
    cursor.space()?;
    let set = cursor.set()?;
    cursor.space()?;
    let atts = FetchAtts::read(cursor)?;
    Ok(Command::Fetch { uid, set, atts, modifiers: options(cursor)? })
}

/// `copy`: a set and a mailbox (RFC 9051 §6.4.7).
fn copy<'a>(cursor: &mut Cursor<'a>, uid: bool) -> Parse<Command<'a>> {
    cursor.space()?;
    let set = cursor.set()?;
    Ok(Command::Copy { uid, set, mailbox: mailbox(cursor)? })
}

/// `move`: the same (RFC 9051 §6.4.8).
fn moved<'a>(cursor: &mut Cursor<'a>, uid: bool) -> Parse<Command<'a>> {
    cursor.space()?;
    let set = cursor.set()?;
    Ok(Command::Move { uid, set, mailbox: mailbox(cursor)? })
}

/// `search`: RETURN, CHARSET and the keys, each once and in this order (RFC 9051 §9, `search-program`).
///
/// A charset may be quoted or an atom; which ones are taken is for the application to say, by BADCHARSET.
fn search<'a>(cursor: &mut Cursor<'a>, uid: bool) -> Parse<Command<'a>> {
    cursor.space()?;
    // An empty list stands for ALL, and none at all for the answer of IMAP4rev1 (RFC 4731 §3.1).
    let options = if cursor.eat_name("RETURN") {
        cursor.space()?;
        let options = Options::read(cursor)?;
        cursor.space()?;
        options
    } else {
        Options::NONE
    };
    // A key of this name does not exist, so the word cannot be meant otherwise.
    let charset = if cursor.eat_name("CHARSET") {
        cursor.space()?;
        let charset = cursor.astring()?;
        cursor.space()?;
        Some(charset)
    } else {
        None
    };
    Ok(Command::Search { uid, options, charset, keys: Search::read(cursor)? })
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
