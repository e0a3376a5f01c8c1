//! How commands are written.
//!
//! Everything here is made of checked values, so nothing is checked again and nothing can fail. A command is written in the form that the most
//! servers read, not in the shortest: INBOX in capitals, flags in parentheses, strings as atoms only where they are short and hold nothing else. What
//! depends on the connection (which literals go out at once, whether quoted strings hold UTF-8) is the sink's to say.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use crate::command::{Append, AppendForm, Command, ListArgs, Patterns};
use crate::types::astring::{Form, escape};
use crate::types::raw::RawToken;
use crate::types::{
    AString, FetchAtt, FetchAtts, Flags, HeaderNames, IdFields, Key, Mailbox, Options, Part, Partial, Raw,
    Search, Section, SectionText, Tag,
};
use alloc::string::ToString as _;
use mail_wire::{Class, Output};
use memchr::memchr;

/// What a command is written to. It decides how a literal is announced, and what waits for the server's `+`.
pub(crate) trait Sink {
    /// Octets that stand as they are.
    fn put(&mut self, class: Class, octets: &[u8]);
    /// The announcement of a literal, and the literal.
    fn literal(&mut self, class: Class, octets: &[u8]);
    /// Whether a quoted string may hold UTF-8.
    fn utf8(&self) -> bool;
}

/// Writes every literal at once, as a non-synchronising one (RFC 7888 §4). For replays and tests: a client asks first whether
/// the server takes them.
pub(crate) struct AtOnce<'o> {
    pub(crate) output: &'o mut Output,
    pub(crate) utf8: bool,
}

impl Sink for AtOnce<'_> {
    /// As it stands.
    fn put(&mut self, class: Class, octets: &[u8]) {
        self.output.put(class, octets);
    }

    fn literal(&mut self, class: Class, octets: &[u8]) {
        self.output.put(Class::Public, b"{");
        self.output.put_decimal(octets.len() as u64);
        self.output.put(Class::Public, b"+}\r\n");
        self.output.put(class, octets);
    }

    fn utf8(&self) -> bool {
        self.utf8
    }
}

impl Command<'_> {
    /// Writes the command with its tag and its line end, every literal non-synchronising. `utf8` says whether UTF-8 is enabled.
    ///
    /// An APPEND is written up to the announcement of its message, line end included. This is for replays and tests: a
    /// [`Client`](crate::client::Client) writes commands as its server takes them.
    pub fn encode(&self, tag: Tag<'_>, utf8: bool, output: &mut Output) {
        command(tag, self, &mut AtOnce { output, utf8 });
    }
}

/// The command with its tag and its line end. An APPEND ends behind the announcement of its message.
pub(crate) fn command(tag: Tag<'_>, command: &Command<'_>, sink: &mut impl Sink) {
    put(sink, tag.as_str());
    // UID is a prefix and no part of the name, so that each command stands once (RFC 9051 §6.4.9).
    put(sink, if command.is_uid() { " UID " } else { " " });
    put(sink, command.name());
    arguments(command, sink);
    put(sink, "\r\n");
}

/// What stands behind the message of an APPEND.
pub(crate) const fn append_tail(form: AppendForm) -> &'static str {
    match form {
        AppendForm::Utf8 => ")\r\n",
        AppendForm::Literal | AppendForm::Literal8 => "\r\n",
    }
}

/// What stands behind the name, each argument with the space before it.
fn arguments(command: &Command<'_>, sink: &mut impl Sink) {
    match command {
        Command::Capability
        | Command::Noop
        | Command::Logout
        | Command::StartTls
        | Command::Namespace
        | Command::Idle
        | Command::Check
        | Command::Close
        | Command::Unselect
        | Command::Expunge { uids: None } => {}
        Command::Id(fields) => id(*fields, sink),
        Command::Authenticate { mechanism, initial } => {
            word(sink, mechanism.as_str());
            // In base64 already, `=` for no octets (RFC 4959 §3): a client withholds it where the server does not take it.
            if let Some(initial) = initial {
                put(sink, " ");
                sink.put(Class::Secret, initial.expose());
            }
        }
        Command::Login { user, password } => {
            // Each by itself may be an atom, quoted or a literal: a password with 8 bits must be a literal (RFC 6855 §5).
            string(sink, Class::Public, *user);
            string(sink, Class::Secret, *password.expose());
        }
        Command::Enable(names) => names.iter().for_each(|name| word(sink, name.as_str())),
        Command::Select { mailbox: name, params }
        | Command::Examine { mailbox: name, params }
        | Command::Create { mailbox: name, params } => {
            mailbox(sink, *name);
            options(sink, *params);
        }
        Command::Delete(name) | Command::Subscribe(name) | Command::Unsubscribe(name) => mailbox(sink, *name),
        Command::Rename { from, to } => {
            mailbox(sink, *from);
            mailbox(sink, *to);
        }
        Command::List(args) => list(args, sink),
        Command::Lsub { reference, pattern } => {
            mailbox(sink, *reference);
            put(sink, " ");
            wildcards(sink, *pattern);
        }
        Command::Status { mailbox: name, items } => {
            mailbox(sink, *name);
            // There is at least one: a list of atoms is never empty (RFC 9051 §9, `status`).
            items.iter().enumerate().for_each(|(index, item)| {
                put(sink, if index == 0 { " (" } else { " " });
                put(sink, item.as_str());
            });
            put(sink, ")");
        }
        Command::Append(head) => append(head, sink),
        Command::Expunge { uids: Some(set) } => word(sink, set.as_str()),
        Command::Search { options: returns, charset, keys, .. } => search(*returns, *charset, *keys, sink),
        Command::Fetch { set, atts, modifiers, .. } => {
            word(sink, set.as_str());
            fetch(*atts, sink);
            options(sink, *modifiers);
        }
        // Modifiers of STORE stand before what they modify, those of FETCH behind it (RFC 4466 §2.4, §2.5).
        Command::Store { set, modifiers, mode, silent, flags: values, .. } => {
            word(sink, set.as_str());
            options(sink, *modifiers);
            word(sink, mode.name());
            put(sink, if *silent { ".SILENT " } else { " " });
            flags(sink, *values);
        }
        Command::Copy { set, mailbox: name, .. } | Command::Move { set, mailbox: name, .. } => {
            word(sink, set.as_str());
            mailbox(sink, *name);
        }
        Command::Other { args, .. } => {
            if !args.is_empty() {
                put(sink, " ");
                raw(sink, *args);
            }
        }
    }
}

/// Octets that are no secret.
fn put(sink: &mut impl Sink, text: &str) {
    sink.put(Class::Public, text.as_bytes());
}

/// A space and a word.
fn word(sink: &mut impl Sink, text: &str) {
    put(sink, " ");
    put(sink, text);
}

/// A space and a string.
fn string(sink: &mut impl Sink, class: Class, value: AString<'_>) {
    put(sink, " ");
    let form = value.form(sink.utf8());
    as_form(sink, class, value, form);
}

/// A string that must not be an atom.
fn quoted(sink: &mut impl Sink, value: AString<'_>) {
    let form = match value.form(sink.utf8()) {
        // What the grammar calls a string is never an atom: ID, entries of METADATA, a pattern that a wildcard would change.
        Form::Atom => Form::QuotedRaw,
        form => form,
    };
    as_form(sink, Class::Public, value, form);
}

/// A string in a form that was chosen for it. All of a secret is secret, its quotes too.
fn as_form(sink: &mut impl Sink, class: Class, value: AString<'_>, form: Form) {
    match form {
        Form::Atom => sink.put(class, value.raw()),
        Form::QuotedRaw => quotes(sink, class, value.raw()),
        // Only where nothing else does: most strings go out as they lie in memory.
        Form::QuotedEscape => {
            // The copy of a secret is wiped when it is dropped.
            let inside = mail_wire::SecretBuf::from(escape(value.raw()));
            quotes(sink, class, inside.expose());
        }
        // 8 bits before UTF-8 is enabled, line ends, and what is too long for a line (RFC 9051 §4.3, RFC 2683 §3.2.1.5).
        Form::Literal => sink.literal(class, &value.bytes()),
    }
}

/// Octets that need no escape, or are escaped, between quotes.
fn quotes(sink: &mut impl Sink, class: Class, inside: &[u8]) {
    sink.put(class, b"\"");
    sink.put(class, inside);
    sink.put(class, b"\"");
}

/// A space and the name of a mailbox. INBOX is always written so (RFC 9051 §5.1).
///
/// Any other name goes out octet for octet as it came, in whatever encoding: it is how the server knows the mailbox.
fn mailbox(sink: &mut impl Sink, name: Mailbox<'_>) {
    if name.is_inbox() { word(sink, "INBOX") } else { string(sink, Class::Public, name.raw()) }
}

/// A name with wildcards, which stand bare where nothing else needs quotes.
fn wildcards(sink: &mut impl Sink, pattern: AString<'_>) {
    // `*` and `%` are what `list-mailbox` may hold and `astring` may not (RFC 9051 §9).
    let bare = !pattern.is_escaped() && !pattern.is_empty();
    if bare && pattern.raw().iter().all(|octet| crate::types::chars::is_list(*octet)) {
        sink.put(Class::Public, pattern.raw());
    } else {
        quoted(sink, pattern);
    }
}

/// Flags in parentheses: the form that every server reads.
fn flags(sink: &mut impl Sink, flags: Flags<'_>) {
    put(sink, "(");
    // From checked flags, whether they were read from a peer or made by hand: none can end the list.
    for (index, flag) in flags.iter().enumerate() {
        put(sink, if index > 0 { " " } else { "" });
        put(sink, if flag.is_keyword() { "" } else { "\\" });
        put(sink, flag.name());
    }
    put(sink, ")");
}

/// A space and options in parentheses, if there are any (RFC 4466 §2.1).
fn options(sink: &mut impl Sink, options: Options<'_>) {
    // Empty parentheses are written where they were read: RETURN () is not the same as no RETURN.
    if options.is_present() {
        put(sink, " (");
        for (index, (name, value)) in options.iter().enumerate() {
            put(sink, if index > 0 { " " } else { "" });
            put(sink, name.as_str());
            if let Some(value) = value {
                put(sink, " ");
                raw(sink, value);
            }
        }
        put(sink, ")");
    }
}

/// Tokens that were kept as they came. A string is quoted or a literal, as this connection wants it.
pub(crate) fn raw(sink: &mut impl Sink, raw: Raw<'_>) {
    // Balanced and checked when it was made, so that the arguments of a command without a type cannot become a second command.
    for token in raw.tokens() {
        match token {
            RawToken::Open => put(sink, "("),
            RawToken::Close => put(sink, ")"),
            RawToken::Space => put(sink, " "),
            RawToken::Word(word) => put(sink, word),
            RawToken::String(string) => quoted(sink, string),
        }
    }
}

/// Pairs, or NIL for none: `()` is not in the grammar (RFC 2971 §4).
fn id(fields: IdFields<'_>, sink: &mut impl Sink) {
    // Values may be NIL and names may not: both are strings and never atoms (RFC 2971 §4).
    let mut first = true;
    for (name, value) in fields.iter() {
        put(sink, if first { " (" } else { " " });
        first = false;
        quoted(sink, name);
        put(sink, " ");
        // A field without a value is told, not left away: the server asked for what there is.
        match value {
            Some(value) => quoted(sink, value),
            None => put(sink, "NIL"),
        }
    }
    put(sink, if first { " NIL" } else { ")" });
}

/// Options, reference, patterns, RETURN: only what is there.
fn list(args: &ListArgs<'_>, sink: &mut impl Sink) {
    options(sink, args.select);
    mailbox(sink, args.reference);
    // One in parentheses asks for the extended form, and the same one bare does not (RFC 5258 §3).
    match args.patterns {
        Patterns::One(pattern) => {
            put(sink, " ");
            wildcards(sink, pattern);
        }
        Patterns::Several(several) => {
            put(sink, " (");
            raw(sink, several);
            put(sink, ")");
        }
    }
    if args.returns.is_present() {
        put(sink, " RETURN");
        options(sink, args.returns);
    }
}

/// The head of an APPEND, with the announcement of its message. Empty flags are left away.
fn append(append: &Append<'_>, sink: &mut impl Sink) {
    // The message is none of it: it is streamed, and its `+` awaited, by the machine.
    mailbox(sink, append.mailbox);
    put(sink, " ");
    if !append.flags.is_empty() {
        flags(sink, append.flags);
        put(sink, " ");
    }
    // The day has two places here and one in a search (RFC 9051 §9, `date-day-fixed`): each type writes its own.
    if let Some(date) = append.date {
        quotes(sink, Class::Public, date.to_string().as_bytes());
        put(sink, " ");
    }
    put(
        sink,
        match append.form {
            AppendForm::Literal => "{",
            AppendForm::Literal8 => "~{",
            AppendForm::Utf8 => "UTF8 (~{",
        },
    );
    put(sink, &append.octets.to_string());
    put(sink, if append.sync { "}" } else { "+}" });
}

/// RETURN, CHARSET, keys. No space stands inside parentheses.
fn search(returns: Options<'_>, charset: Option<AString<'_>>, keys: Search<'_>, sink: &mut impl Sink) {
    if returns.is_present() {
        put(sink, " RETURN");
        options(sink, returns);
    }
    // Behind RETURN and before the keys, and nowhere else (RFC 9051 §9, `search-program`).
    if let Some(charset) = charset {
        put(sink, " CHARSET");
        string(sink, Class::Public, charset);
    }
    // Operators stand before their operands, so that tokens in a row are the command as it is written (RFC 9051 §6.4.4).
    let mut open = false;
    for key in keys.iter() {
        put(sink, if open || key == Key::Close { "" } else { " " });
        open = key == Key::Open;
        put(sink, key.name());
        key_argument(key, sink);
    }
}

/// What follows the name of a key, with the space before it.
fn key_argument(key: Key<'_>, sink: &mut impl Sink) {
    match key {
        Key::Open => put(sink, "("),
        Key::Close => put(sink, ")"),
        Key::Bcc(text)
        | Key::Body(text)
        | Key::Cc(text)
        | Key::From(text)
        | Key::Subject(text)
        | Key::Text(text)
        | Key::To(text) => string(sink, Class::Public, text),
        Key::Header(field, text) => {
            string(sink, Class::Public, field);
            string(sink, Class::Public, text);
        }
        Key::Keyword(name)
        | Key::Unkeyword(name)
        | Key::Filter(name)
        | Key::EmailId(name)
        | Key::ThreadId(name) => word(sink, name.as_str()),
        Key::ModSeq { entry, sequence } => {
            if let Some((name, kind)) = entry {
                put(sink, " ");
                quoted(sink, name);
                word(sink, kind.name());
            }
            word(sink, &sequence.to_string());
        }
        Key::SavedBefore(date)
        | Key::SavedOn(date)
        | Key::SavedSince(date)
        | Key::Before(date)
        | Key::On(date)
        | Key::SentBefore(date)
        | Key::SentOn(date)
        | Key::SentSince(date)
        | Key::Since(date) => word(sink, &date.to_string()),
        // 63 bits, as sizes have them (RFC 9051 §9, `search-key`).
        Key::Larger(octets) | Key::Smaller(octets) => word(sink, &octets.to_string()),
        Key::Older(seconds) | Key::Younger(seconds) => word(sink, &seconds.to_string()),
        Key::Uid(set) => word(sink, set.as_str()),
        Key::Set(set) => put(sink, set.as_str()),
        _ => {}
    }
}

/// A macro, one attribute, or a list in parentheses.
fn fetch(atts: FetchAtts<'_>, sink: &mut impl Sink) {
    // A macro is no attribute: in a list it would be the name of one (RFC 9051 §6.4.5).
    if let Some(name) = atts.macro_name() {
        return word(sink, name);
    }
    // One attribute needs no parentheses, and keeps those that it had.
    put(sink, if atts.is_bare() { " " } else { " (" });
    for (index, att) in atts.iter().enumerate() {
        put(sink, if index > 0 { " " } else { "" });
        fetch_att(att, sink);
    }
    put(sink, if atts.is_bare() { "" } else { ")" });
}

/// One attribute, as a command writes it: with PEEK and the length of the window.
pub(crate) fn fetch_att(att: FetchAtt<'_>, sink: &mut impl Sink) {
    match att {
        // PEEK is part of the name in a command and never of a response (RFC 9051 §6.4.5, §7.5.2).
        FetchAtt::Section { peek, section: asked, partial: window } => {
            put(sink, if peek { "BODY.PEEK" } else { "BODY" });
            section(asked, sink);
            partial(window, sink);
        }
        FetchAtt::Binary { peek, part: asked, partial: window } => {
            put(sink, if peek { "BINARY.PEEK" } else { "BINARY" });
            part(asked, sink);
            partial(window, sink);
        }
        FetchAtt::BinarySize(asked) => {
            put(sink, "BINARY.SIZE");
            part(asked, sink);
        }
        FetchAtt::Preview { lazy: true } => put(sink, "PREVIEW (LAZY)"),
        _ => put(sink, att.name()),
    }
}

/// The number of a part in brackets.
fn part(part: Part<'_>, sink: &mut impl Sink) {
    put(sink, "[");
    put(sink, part.as_str());
    put(sink, "]");
}

/// `<offset.count>`, if there is a window.
fn partial(partial: Option<Partial>, sink: &mut impl Sink) {
    // A command says how much, an answer only from where (RFC 9051 §6.4.5, §7.5.2).
    if let Some(partial) = partial {
        put(sink, "<");
        put(sink, &partial.offset.to_string());
        put(sink, ".");
        put(sink, &partial.count.to_string());
        put(sink, ">");
    }
}

/// `[...]`, in commands and in responses.
pub(crate) fn section(section: Section<'_>, sink: &mut impl Sink) {
    // The dot parts a number from what is meant of the part; the whole message has no number and so no dot.
    let part = section.part();
    put(sink, "[");
    put(sink, part.as_str());
    put(sink, if part.is_whole() || section.text() == SectionText::Full { "" } else { "." });
    match section.text() {
        SectionText::Full => {}
        SectionText::Header => put(sink, "HEADER"),
        SectionText::Text => put(sink, "TEXT"),
        SectionText::Mime => put(sink, "MIME"),
        SectionText::Fields(names) => fields("HEADER.FIELDS (", names, sink),
        SectionText::FieldsNot(names) => fields("HEADER.FIELDS.NOT (", names, sink),
    }
    put(sink, "]");
}

/// Names of header fields in parentheses, in the order and case in which they are asked for.
fn fields(word: &str, names: HeaderNames<'_>, sink: &mut impl Sink) {
    // In the order and the case of the caller: a server repeats them, and an answer is matched by them (RFC 9051 §6.4.5.1).
    put(sink, word);
    for (index, name) in names.iter().enumerate() {
        put(sink, if index > 0 { " " } else { "" });
        // Bare, a `]` in a name would end the section for who looks for the first one.
        match name.form(sink.utf8()) {
            Form::Atom if memchr(b']', name.raw()).is_some() => quoted(sink, name),
            form => as_form(sink, Class::Public, name, form),
        }
    }
    put(sink, ")");
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
