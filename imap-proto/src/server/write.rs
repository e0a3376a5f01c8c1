//! Untagged responses (RFC 9051 §7).

use super::Server;
use super::fetch_writer::FetchWriter;
use super::reply::{check, put, put_status};
use crate::encode::{self, Sink};
use crate::types::astring::{Form, escape};
use crate::types::status::{Condition, Status};
use crate::types::{AString, Atom, Flags, IdFields, Mailbox, Raw, SequenceSet};
use mail_wire::{Class, Misuse, Output};

/// Writes untagged responses. Each is written whole by its call.
///
/// It writes as much as it is told: an application that has much to tell looks at [`Output::is_full`] in between.
#[derive(Debug)]
pub struct Writer<'s> {
    server: &'s mut Server,
    output: &'s mut Output,
}

/// What a search has found (RFC 9051 §7.3.4). What is `None` is left away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchResult<'a> {
    /// The least number.
    pub min: Option<u32>,
    /// The largest.
    pub max: Option<u32>,
    /// All of them.
    pub all: Option<SequenceSet<'a>>,
    /// How many.
    pub count: Option<u32>,
    /// The highest modification sequence of what was found (RFC 7162 §3.1.10).
    pub mod_seq: Option<u64>,
}

/// A namespace (RFC 2342 §5): the prefix of its mailboxes, and the delimiter of their hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamespaceEntry<'a> {
    /// The prefix, perhaps empty.
    pub prefix: AString<'a>,
    /// The delimiter: printable ASCII, or none where the names are flat.
    pub delimiter: Option<u8>,
}

impl<'s> Writer<'s> {
    pub(crate) fn new(server: &'s mut Server, output: &'s mut Output) -> Self {
        Self { server, output }
    }

    /// `* n EXISTS`: the number of messages (§7.4.1).
    pub fn exists(&mut self, messages: u32) -> &mut Self {
        self.counted(messages, "EXISTS")
    }

    /// `* n RECENT` (RFC 3501 §7.3.2).
    pub fn recent(&mut self, messages: u32) -> &mut Self {
        self.counted(messages, "RECENT")
    }

    /// `* n EXPUNGE`: the message is gone, and those behind it count one less (§7.5.1).
    ///
    /// # Errors
    /// [`Misuse::NotInState`] during FETCH, STORE and SEARCH without UID, while the message of an APPEND is offered, and where no mailbox is
    /// selected: the numbers that the client counts by would not be the server's any more. [`Misuse::Invalid`] for message 0.
    pub fn expunge(&mut self, message: u32) -> Result<&mut Self, Misuse> {
        self.server.may_expunge()?;
        if message == 0 {
            return Err(Misuse::Invalid("message 0"));
        }
        Ok(self.counted(message, "EXPUNGE"))
    }

    /// `* VANISHED`: these UIDs are gone. `earlier`: they went before, and no number of a message moves by it (RFC 7162 §3.2.10).
    ///
    /// # Errors
    /// As [`Writer::expunge`], whose place it takes behind ENABLE QRESYNC; earlier ones may be told at any time. [`Misuse::Invalid`] for
    /// a set with `*` or `$`.
    pub fn vanished(&mut self, earlier: bool, uids: SequenceSet<'_>) -> Result<&mut Self, Misuse> {
        if !earlier {
            self.server.may_expunge()?;
        }
        if !uids.is_fixed() {
            return Err(Misuse::Invalid("a set with * or $"));
        }
        put(self.output, if earlier { "* VANISHED (EARLIER) " } else { "* VANISHED " });
        put(self.output, uids.as_str());
        put(self.output, "\r\n");
        Ok(self)
    }

    /// `* n WHAT`.
    fn counted(&mut self, number: u32, what: &str) -> &mut Self {
        put(self.output, "* ");
        self.output.put_decimal(number.into());
        put(self.output, " ");
        put(self.output, what);
        put(self.output, "\r\n");
        self
    }

    /// `* FLAGS`: those that the mailbox knows (§7.3.5).
    pub fn flags(&mut self, list: Flags<'_>) -> &mut Self {
        put(self.output, "* FLAGS ");
        flags(list, self.output);
        put(self.output, "\r\n");
        self
    }

    /// `* OK`, `* NO`, `* BAD` or `* BYE`, perhaps with a code (§7.1).
    ///
    /// # Errors
    /// [`Misuse::Invalid`] for a code or text that would end the line; [`Misuse::NotInState`] for PREAUTH.
    pub fn status(&mut self, status: &Status<'_>) -> Result<&mut Self, Misuse> {
        check(status)?;
        match status.condition {
            Condition::PreAuth => return Err(Misuse::NotInState),
            Condition::Bye => self.server.bye = true,
            _ => {}
        }
        put_status("*", status, self.output);
        Ok(self)
    }

    /// `* LIST` (§7.3.1). Attributes are written as flags; the delimiter is `None` where names are flat.
    pub fn list(&mut self, attributes: Flags<'_>, delimiter: Option<u8>, name: Mailbox<'_>) -> &mut Self {
        self.listed("* LIST ", attributes, delimiter, name)
    }

    /// `* LSUB` (RFC 3501 §7.2.3).
    pub fn lsub(&mut self, attributes: Flags<'_>, delimiter: Option<u8>, name: Mailbox<'_>) -> &mut Self {
        self.listed("* LSUB ", attributes, delimiter, name)
    }

    /// What LIST and LSUB have in common.
    fn listed(
        &mut self,
        what: &str,
        attributes: Flags<'_>,
        mark: Option<u8>,
        name: Mailbox<'_>,
    ) -> &mut Self {
        put(self.output, what);
        flags(attributes, self.output);
        put(self.output, " ");
        delimiter(mark, self.output);
        put(self.output, " ");
        self.mailbox(name);
        put(self.output, "\r\n");
        self
    }

    /// `* STATUS` (§7.3.3): what was asked for, each with its number.
    pub fn mailbox_status<'a>(
        &mut self,
        name: Mailbox<'_>,
        items: impl IntoIterator<Item = (Atom<'a>, u64)>,
    ) -> &mut Self {
        put(self.output, "* STATUS ");
        self.mailbox(name);
        put(self.output, " (");
        for (index, (item, number)) in items.into_iter().enumerate() {
            put(self.output, if index > 0 { " " } else { "" });
            put(self.output, item.as_str());
            put(self.output, " ");
            self.output.put_decimal(number);
        }
        put(self.output, ")\r\n");
        self
    }

    /// `* SEARCH` with the numbers that were found, perhaps none (RFC 3501 §7.2.5).
    pub fn search(&mut self, numbers: impl IntoIterator<Item = u32>) -> &mut Self {
        self.numbers(numbers, None)
    }

    /// The same with the highest modification sequence of what was found: the answer to a SEARCH that asks for MODSEQ (RFC 7162 §3.1.6).
    pub fn search_mod_seq(&mut self, numbers: impl IntoIterator<Item = u32>, sequence: u64) -> &mut Self {
        self.numbers(numbers, Some(sequence))
    }

    /// Where nothing is found no sequence is told: there is none.
    fn numbers(&mut self, numbers: impl IntoIterator<Item = u32>, sequence: Option<u64>) -> &mut Self {
        put(self.output, "* SEARCH");
        let mut found = false;
        for number in numbers {
            found = true;
            put(self.output, " ");
            self.output.put_decimal(number.into());
        }
        if let Some(sequence) = sequence.filter(|_| found) {
            put(self.output, " (MODSEQ ");
            self.output.put_decimal(sequence);
            put(self.output, ")");
        }
        put(self.output, "\r\n");
        self
    }

    /// Any other response by its name, with the number of a message before it where it is about one: what an extension adds and this crate
    /// has no type for, such as SORT, THREAD or QUOTA. Strings in it are written as this connection wants them.
    ///
    /// # Errors
    /// [`Misuse::Invalid`] for a status, EXPUNGE, VANISHED and FETCH, which change what the machine knows and have calls of their own.
    pub fn other(&mut self, number: Option<u32>, name: Atom<'_>, args: Raw<'_>) -> Result<&mut Self, Misuse> {
        let own = ["EXPUNGE", "VANISHED", "FETCH", "UIDFETCH"].iter().any(|own| name.is(own));
        if own || Condition::from_name(name.as_bytes()).is_some() {
            return Err(Misuse::Invalid("a response with a call of its own"));
        }
        put(self.output, "* ");
        if let Some(number) = number {
            self.output.put_decimal(number.into());
            put(self.output, " ");
        }
        put(self.output, name.as_str());
        if !args.is_empty() {
            put(self.output, " ");
            encode::raw(&mut Response(self.output, self.server.is_utf8()), args);
        }
        put(self.output, "\r\n");
        Ok(self)
    }

    /// `* ESEARCH` with the tag of the command (RFC 9051 §7.3.4): the answer to a SEARCH with RETURN, and to every one in IMAP4rev2.
    pub fn esearch(&mut self, uid: bool, found: SearchResult<'_>) -> &mut Self {
        put(self.output, "* ESEARCH (TAG ");
        quoted(AString::plain(&self.server.tag), self.output);
        put(self.output, if uid { ") UID" } else { ")" });
        let numbers = [(" MIN ", found.min), (" MAX ", found.max), (" COUNT ", found.count)];
        for (name, number) in numbers {
            if let Some(number) = number {
                put(self.output, name);
                self.output.put_decimal(number.into());
            }
        }
        if let Some(all) = found.all {
            put(self.output, " ALL ");
            put(self.output, all.as_str());
        }
        if let Some(sequence) = found.mod_seq {
            put(self.output, " MODSEQ ");
            self.output.put_decimal(sequence);
        }
        put(self.output, "\r\n");
        self
    }

    /// `* NAMESPACE` (§7.3.2); none is NIL.
    pub fn namespace(
        &mut self,
        personal: &[NamespaceEntry<'_>],
        others: &[NamespaceEntry<'_>],
        shared: &[NamespaceEntry<'_>],
    ) -> &mut Self {
        put(self.output, "* NAMESPACE");
        for entries in [personal, others, shared] {
            put(self.output, if entries.is_empty() { " NIL" } else { " (" });
            for entry in entries {
                put(self.output, "(");
                quoted(entry.prefix, self.output);
                put(self.output, " ");
                delimiter(entry.delimiter, self.output);
                put(self.output, ")");
            }
            put(self.output, if entries.is_empty() { "" } else { ")" });
        }
        put(self.output, "\r\n");
        self
    }

    /// `* ID` (RFC 2971 §3.2).
    pub fn id(&mut self, fields: IdFields<'_>) -> &mut Self {
        put(self.output, "* ID");
        let mut first = true;
        for (name, value) in fields.iter() {
            put(self.output, if first { " (" } else { " " });
            first = false;
            quoted(name, self.output);
            put(self.output, " ");
            match value {
                Some(value) => quoted(value, self.output),
                None => put(self.output, "NIL"),
            }
        }
        put(self.output, if first { " NIL\r\n" } else { ")\r\n" });
        self
    }

    /// Begins `* n FETCH`; it is closed by [`FetchWriter::end`], by its drop, or with its message.
    pub fn fetch(&mut self, message: u32) -> FetchWriter<'_> {
        FetchWriter::new(self.server, self.output, message)
    }

    /// INBOX is always written so; other names in their shortest form.
    fn mailbox(&mut self, name: Mailbox<'_>) {
        if name.is_inbox() {
            put(self.output, "INBOX");
        } else {
            string(name.raw(), self.server.is_utf8(), self.output);
        }
    }
}

/// A string in its shortest form.
pub(crate) fn string(value: AString<'_>, utf8: bool, output: &mut Output) {
    as_form(value, value.form(utf8), output);
}

/// A string that must not be an atom, 7 bits quoted.
pub(crate) fn quoted(value: AString<'_>, output: &mut Output) {
    text(value, false, output);
}

/// A string that must not be an atom.
pub(crate) fn text(value: AString<'_>, utf8: bool, output: &mut Output) {
    let form = match value.form(utf8) {
        Form::Atom => Form::QuotedRaw,
        form => form,
    };
    as_form(value, form, output);
}

fn as_form(value: AString<'_>, form: Form, output: &mut Output) {
    match form {
        Form::Atom => output.put(Class::Public, value.raw()),
        Form::QuotedRaw => quotes(value.raw(), output),
        Form::QuotedEscape => quotes(&escape(value.raw()), output),
        Form::Literal => literal(&value.bytes(), Class::Public, output),
    }
}

fn quotes(inside: &[u8], output: &mut Output) {
    put(output, "\"");
    output.put(Class::Public, inside);
    put(output, "\"");
}

/// `{n}`, CRLF, the octets: servers send no other form (RFC 7888 §3).
pub(crate) fn literal(octets: &[u8], class: Class, output: &mut Output) {
    put(output, "{");
    output.put_decimal(octets.len() as u64);
    put(output, "}\r\n");
    output.put(class, octets);
}

/// Flags in parentheses.
pub(crate) fn flags(flags: Flags<'_>, output: &mut Output) {
    put(output, "(");
    for (index, flag) in flags.iter().enumerate() {
        put(output, if index > 0 { " " } else { "" });
        put(output, if flag.is_keyword() { "" } else { "\\" });
        put(output, flag.name());
    }
    put(output, ")");
}

/// A delimiter in quotes. One that cannot stand there is none.
fn delimiter(delimiter: Option<u8>, output: &mut Output) {
    match delimiter {
        Some(mark @ (b'"' | b'\\')) => quotes(&[b'\\', mark], output),
        Some(mark @ b' '..=b'~') => quotes(&[mark], output),
        _ => put(output, "NIL"),
    }
}

/// Sections of responses are written as those of commands, but a literal is always a plain one.
pub(crate) struct Response<'o>(pub(crate) &'o mut Output, pub(crate) bool);

impl Sink for Response<'_> {
    fn put(&mut self, class: Class, octets: &[u8]) {
        self.0.put(class, octets);
    }

    fn literal(&mut self, class: Class, octets: &[u8]) {
        literal(octets, class, self.0);
    }

    fn utf8(&self) -> bool {
        self.1
    }
}
