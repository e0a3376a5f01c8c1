//! Untagged responses: dispatched on the length of their names (RFC 9051 §9, `response-data`).
//! A response is read in one pass. What has few parts is a view of the octets (a LIST, a STATUS); what has many, and could be asked for
//! in any order, is written on the tape (the attributes of a FETCH); a list of numbers is neither looked at nor written, but for its end.
//!
//! The names are those of RFC 9051, of RFC 3501 where they live on, and of extensions whose answers come unasked. Any other keeps its octets.

use super::leaf::{Cursor, Fault, Parse, form};
use super::plain::Plain;
use super::reader::Reader;
use super::status;
use crate::error::Rule;
use crate::policy::Repair;
use crate::response::Untagged;
use crate::types::fetch_data::{FetchHead, FetchPart, Target};
use crate::types::mailbox_data::{ListItem, MailboxStatus, Namespaces, delimiter, read_namespaces};
use crate::types::numbers::{ESearch, Numbers, Threads, check_parentheses};
use crate::types::text::ResponseText;
use crate::types::{AString, Capabilities, Condition, Flags, ServerId, Status};
use mail_wire::{Span, View};

/// What an untagged unit holds, by its spans: the tape is still being written.
pub(crate) enum Unit<'a> {
    Untagged(Untagged<'a>),
    /// FETCH or UIDFETCH: the tape holds the attributes.
    Fetch(Target),
}

/// Makes the event of a piece of a FETCH from what stands on the tape.
pub(crate) fn fetch_part<'i>(octets: &'i [u8], tape: &'i [Span], head: FetchHead) -> FetchPart<'i> {
    FetchPart::new(View::new(octets, tape), head)
}

impl<'a> Reader<'a, '_> {
    /// An untagged response behind its `*`. `open` is where the octets end in a streamed literal, so that the list is not closed.
    ///
    /// The form decides and never the command in flight: a server may tell anything at any time (RFC 9051 §7).
    pub(crate) fn untagged(&mut self, open: bool) -> Parse<Unit<'a>> {
        // Most of what a server says is this, so it is looked for first and nothing is lost where it is something else.
        if let Some((number, behind)) = plain_fetch(self.cur.octets(), self.cur.at()) {
            self.cur.go(behind);
            return self.fetch(Target::Seq(number), open);
        }
        self.space()?;
        // Not in the grammar, and seen behind MOVE, where COPYUID comes untagged (RFC 6851 §4.3).
        if self.cur.peek() == Some(b'[') {
            return self.bare_code();
        }
        // A name never begins with a digit, so the number before it needs no looking ahead (RFC 9051 §9, `message-data`).
        let number = if self.cur.peek().is_some_and(|octet| octet.is_ascii_digit()) {
            let number = self.cur.number()?;
            self.space()?;
            Some(number)
        } else {
            None
        };
        // What an extension may call itself is open: it ends where a value begins.
        let name = self.cur.while_in(|octet| !matches!(octet, b' ' | b'(' | b'"' | b'{'));
        let word = self.cur.get(name);
        if word.is_empty() {
            return self.cur.fail(Rule::Keyword);
        }
        match number {
            Some(number) => self.message_data(name, number, open),
            None => match Condition::from_name(word) {
                Some(condition) => {
                    let (status, fault) = status::resp_text(&mut self.cur, condition, self.repairs)?;
                    self.fault = self.fault.or(fault);
                    Ok(Unit::Untagged(Untagged::Status(status)))
                }
                None => self.named(name).map(Unit::Untagged),
            },
        }
    }

    /// `* [CODE ..] text`: some servers leave the OK away.
    /// Read as OK, since that says nothing but what the code says: it completes no command and refuses none.
    fn bare_code(&mut self) -> Parse<Unit<'a>> {
        let rest = self.cur.rest();
        let end = status::code_end(rest);
        let inside = end.and_then(|end| rest.get(1..end));
        let (Some(end), Some(inside)) = (end, inside) else { return self.cur.fail(Rule::Keyword) };
        self.repair(Repair::MissingStatus, Rule::Keyword)?;
        let text = rest.get(end.saturating_add(1)..).unwrap_or(&[]);
        let text = ResponseText::wire(text.strip_prefix(b" ").unwrap_or(text));
        let status = Status::new(Condition::Ok, text).with_code(status::code(inside, self.repairs));
        Ok(Unit::Untagged(Untagged::Status(status)))
    }

    /// What begins with a number.
    fn message_data(&mut self, name: Span, number: u32, open: bool) -> Parse<Unit<'a>> {
        let word = self.cur.get(name);
        let is = |other: &[u8]| word.eq_ignore_ascii_case(other);
        let data = match word.len() {
            5 if is(b"FETCH") => return self.fetch(Target::Seq(number), open),
            8 if is(b"UIDFETCH") => return self.fetch(Target::Uid(number), open),
            6 if is(b"EXISTS") => Untagged::Exists(number),
            6 if is(b"RECENT") => Untagged::Recent(number),
            7 if is(b"EXPUNGE") => {
                // EXISTS and RECENT may be 0, a message may not: to subtract from its number would wrap (RFC 9051 §9, `nz-number`).
                if number == 0 {
                    return Err(Fault::new(name.start().saturating_sub(2), Rule::NonZero));
                }
                Untagged::Expunge(number)
            }
            _ => return Ok(Unit::Untagged(self.unknown(Some(number), name))),
        };
        self.finish()?;
        Ok(Unit::Untagged(data))
    }

    /// `msg-att` behind the word FETCH. Numbers of messages begin at 1.
    fn fetch(&mut self, target: Target, open: bool) -> Parse<Unit<'a>> {
        // The whole of it is malformed, since whose data they are is not known.
        if matches!(target, Target::Seq(0) | Target::Uid(0)) {
            return self.cur.fail(Rule::NonZero);
        }
        // Before the log-in it has no place whatever it says.
        if self.early {
            // It would be read into memory, and then be refused.
            return Ok(Unit::Fetch(target));
        }
        self.space()?;
        self.cur.expect(b'(', Rule::List)?;
        // Whatever an attribute is, the others are good: only what stands behind the list makes the whole of it malformed.
        let closed = self.attributes()?;
        if closed {
            self.finish()?;
        } else if !open {
            self.unclosed();
        }
        Ok(Unit::Fetch(target))
    }

    /// The rest of a FETCH behind a streamed literal.
    pub(crate) fn fetch_rest(&mut self, open: bool) -> Parse<()> {
        let closed = self.attributes()?;
        if closed {
            self.finish()?;
        } else if !open {
            self.unclosed();
        }
        Ok(())
    }

    /// A list that ends with its line: its attributes are good all the same.
    /// Nothing stands behind it that could have been meant for it.
    fn unclosed(&mut self) {
        if !self.repairs.take(Repair::Unclosed) {
            self.note(self.cur.fault(Rule::List));
        }
    }

    /// The end of the line; spaces before it are a repair.
    fn finish(&mut self) -> Parse<()> {
        let rest = self.cur.rest();
        // Spaces alone mean nothing; anything else could have been meant for the response, which is then malformed.
        if !rest.is_empty() && rest.iter().all(|octet| *octet == b' ') {
            self.repair(Repair::TrailingSpace, Rule::End)?;
            self.cur.bump(rest.len());
        }
        self.cur.end()
    }

    /// A response that this crate has no type for: kept as it came, literals included, since extensions add them freely (RFC 9051 §2.2.2).
    fn unknown(&mut self, number: Option<u32>, name: Span) -> Untagged<'a> {
        // All of it to the end of the line, which framing has found, literals in it included.
        self.cur.eat(b' ');
        let args = self.cur.rest();
        self.cur.bump(args.len());
        Untagged::Other { number, name: self.cur.get(name), args }
    }

    /// What begins with its name.
    fn named(&mut self, name: Span) -> Parse<Untagged<'a>> {
        // Some of these belong to IMAP4rev1 alone (LSUB, RECENT, SEARCH): servers that speak both versions go on sending them
        // (RFC 9051 appendix A).
        let word = self.cur.get(name);
        let is = |other: &[u8]| word.eq_ignore_ascii_case(other);
        let data = match word.len() {
            2 if is(b"ID") => Untagged::Id(self.id()?),
            4 if is(b"LIST") => Untagged::List(self.list()?),
            // How special mailboxes were told before RFC 6154 had them: the same grammar.
            5 if is(b"XLIST") => Untagged::List(self.list()?),
            4 if is(b"LSUB") => Untagged::Lsub(self.list()?),
            4 if is(b"SORT") => {
                let (numbers, modseq) = self.numbers()?;
                Untagged::Sort(numbers, modseq)
            }
            5 if is(b"FLAGS") => {
                self.space()?;
                let flags = self.flag_list()?;
                Untagged::Flags(Flags::wire(self.cur.get(flags)))
            }
            6 if is(b"SEARCH") => {
                let (numbers, modseq) = self.numbers()?;
                Untagged::Search(numbers, modseq)
            }
            6 if is(b"STATUS") => Untagged::MailboxStatus(self.mailbox_status()?),
            6 if is(b"THREAD") => Untagged::Thread(self.threads()?),
            7 if is(b"ENABLED") => Untagged::Enabled(self.capabilities()?),
            7 if is(b"ESEARCH") => Untagged::ESearch(self.esearch()?),
            8 if is(b"VANISHED") => self.vanished()?,
            9 if is(b"NAMESPACE") => Untagged::Namespace(self.namespaces()?),
            10 if is(b"CAPABILITY") => Untagged::Capability(self.capabilities()?),
            _ => self.unknown(None, name),
        };
        self.finish()?;
        Ok(data)
    }

    /// `*(SP capability)`.
    fn capabilities(&mut self) -> Parse<Capabilities<'a>> {
        // `* ENABLED` alone says that nothing was enabled (RFC 5161 §3.2).
        if self.cur.is_end() {
            return Ok(Capabilities::NONE);
        }
        self.space()?;
        let start = self.cur.at();
        loop {
            // An atom each, whatever it says: `LITERAL` and `+` beside each other are two, and not LITERAL+.
            self.cur.atom()?;
            let end = self.cur.at();
            if self.cur.rest().iter().all(|octet| *octet == b' ') {
                return Ok(Capabilities::wire(self.cur.get(Span::new(start, end))));
            }
            self.space()?;
        }
    }

    /// `*(SP nz-number) [SP "(MODSEQ" SP number ")"]`. The numbers are looked at when they are read.
    fn numbers(&mut self) -> Parse<(Numbers<'a>, Option<u64>)> {
        // Nothing found is no error, and the name stands alone (RFC 3501 §7.2.5).
        let rest = self.cur.rest();
        if rest.first().is_some_and(|octet| *octet != b' ') {
            return self.cur.fail(Rule::Space);
        }
        let trimmed = rest.len() - rest.iter().rev().take_while(|octet| **octet == b' ').count();
        if trimmed < rest.len() {
            self.repair(Repair::TrailingSpace, Rule::End)?;
        }
        let mut numbers = rest.get(..trimmed).unwrap_or(&[]);
        // Looked for from the end: the numbers before it are not looked at until they are asked for.
        let mut modseq = None;
        if numbers.last() == Some(&b')') {
            let open = memchr::memrchr(b'(', numbers).unwrap_or(0);
            // A cursor over the unit, so that a fault tells where in it the fault stands.
            let end = self.cur.at().saturating_add(trimmed);
            let unit = self.cur.octets().get(..end).unwrap_or(&[]);
            let mut cur = Cursor::from(unit, self.cur.at().saturating_add(open));
            if !cur.eat_word(b"(MODSEQ ") {
                return cur.fail(Rule::Keyword);
            }
            modseq = Some(cur.number64()?);
            cur.expect(b')', Rule::List)?;
            cur.end()?;
            numbers = numbers.get(..open).unwrap_or(&[]).trim_ascii_end();
        }
        self.cur.bump(rest.len());
        Ok((Numbers::wire(numbers), modseq))
    }

    /// `*thread-list` (RFC 5256 §5). Balance and depth are checked, numbers when they are read.
    fn threads(&mut self) -> Parse<Threads<'a>> {
        if self.cur.is_end() {
            return Ok(Threads::wire(b""));
        }
        self.space()?;
        let start = self.cur.at();
        let rest = self.cur.rest();
        // Balance is all that framing the threads needs; it takes neither stack nor tape, however deep they are.
        check_parentheses(rest, self.depth)
            .map_err(|(at, rule)| Fault::new(start.saturating_add(at), rule))?;
        if let Some(at) = rest.iter().position(|octet| !matches!(octet, b'0'..=b'9' | b' ' | b'(' | b')')) {
            return Err(Fault::new(start.saturating_add(at), Rule::Number));
        }
        self.cur.bump(rest.len());
        Ok(Threads::wire(rest))
    }

    /// What says whose answer it is: TAG and, where several mailboxes are searched, MAILBOX and UIDVALIDITY, in any order (RFC 7377 §3).
    /// Parentheses around MODSEQ are none of it: some servers write that item so.
    fn correlator(&mut self) -> Parse<&'a [u8]> {
        let inside = self.cur.rest().strip_prefix(b" (").unwrap_or(&[]);
        let item = inside.get(..7).is_some_and(|name| name.eq_ignore_ascii_case(b"MODSEQ "));
        if item || inside.is_empty() {
            return Ok(b"");
        }
        self.cur.bump(2);
        let start = self.cur.at();
        self.astring()?;
        while self.cur.peek() == Some(b' ') {
            self.space()?;
            self.astring()?;
        }
        let correlator = self.cur.since(start);
        self.cur.expect(b')', Rule::List)?;
        Ok(correlator)
    }

    /// `[search-correlator] [SP "UID"] *(SP search-return-data)` (RFC 9051 §9, `esearch-response`).
    fn esearch(&mut self) -> Parse<ESearch<'a>> {
        let mut answer = ESearch { correlator: self.correlator()?, uid: false, items: b"" };
        // A word of its own: an item may be called UIDSOMETHING.
        if self.cur.rest().get(..4).is_some_and(|next| next.eq_ignore_ascii_case(b" UID"))
            && matches!(self.cur.peek_at(4), None | Some(b' '))
        {
            self.cur.bump(4);
            answer.uid = true;
        }
        if self.cur.is_end() {
            return Ok(answer);
        }
        self.space()?;
        let start = self.cur.at();
        loop {
            // The form that SEARCH has for it, in the place of the form that ESEARCH has (RFC 7162 §3.1.6, §3.1.10).
            let inside = self.cur.peek() == Some(b'(');
            if inside {
                self.repair(Repair::ParenModSeq, Rule::Keyword)?;
                self.cur.bump(1);
            }
            self.cur.atom()?;
            self.space()?;
            if self.cur.skip_value()? > self.list_depth {
                return self.cur.fail(Rule::Depth);
            }
            if inside {
                self.cur.expect(b')', Rule::List)?;
            }
            answer.items = self.cur.since(start);
            if self.cur.rest().iter().all(|octet| *octet == b' ') {
                break;
            }
            self.space()?;
        }
        // A value that cannot be read is told in its place; under the strict grammar it ends the session as any other does.
        let bad = answer.items().any(|item| matches!(item, crate::types::ESearchItem::Malformed { .. }));
        if bad {
            self.note(Fault::new(start, Rule::Number));
        }
        Ok(answer)
    }

    /// `["(EARLIER)" SP] known-uids` (RFC 7162 §7). A set without `*`.
    ///
    /// EARLIER makes all the difference: with it no number of a message moves (RFC 7162 §3.2.10.1).
    fn vanished(&mut self) -> Parse<Untagged<'a>> {
        self.space()?;
        // A set of UIDs without `*`: it names what was there, and `*` would name what is (RFC 7162 §7, `known-uids`).
        let earlier = self.cur.eat_word(b"(EARLIER) ");
        let uids = status::set(&mut self.cur)?;
        Ok(Untagged::Vanished { earlier, uids })
    }

    /// `mailbox-list` (RFC 9051 §9).
    fn list(&mut self) -> Parse<ListItem<'a>> {
        // Attributes are written like flags and odd ones are taken like odd flags: the name of the mailbox is what matters (RFC 9051 §7.3.1).
        self.space()?;
        let attributes = self.flag_list()?;
        self.space()?;
        let delimiter = delimiter(&mut self.cur)?;
        self.space()?;
        let name = self.mailbox_name()?;
        // Items of extensions keep their octets. What is nested deeper than a list may be makes the line malformed, and not the link.
        let mut extended = Span::default();
        if self.cur.peek() == Some(b' ') && self.cur.peek_at(1) == Some(b'(') {
            self.cur.bump(1);
            let start = self.cur.at();
            if self.cur.skip_value()? > self.list_depth {
                return self.cur.fail(Rule::Depth);
            }
            extended = Span::new(start.saturating_add(1), self.cur.at().saturating_sub(1));
        }
        Ok(ListItem {
            attributes: self.cur.get(attributes),
            name: self.cur.get(name),
            escaped: name.tag() == form::ESCAPED,
            delimiter,
            extended: self.cur.get(extended),
        })
    }

    /// `mailbox`. Octets above 127 and wildcards in an atom are taken too: servers write them, and the end is not in doubt.
    /// A backslash is not among them: unquoted it is the delimiter of some servers, and whether it escapes the next octet cannot be known.
    fn mailbox_name(&mut self) -> Parse<Span> {
        match self.cur.peek() {
            Some(b'"' | b'{') => self.astring(),
            _ => {
                let span = self.cur.while_in(|octet| {
                    octet > b' ' && !matches!(octet, b'(' | b')' | b'{' | b'"' | b'\\' | 0x7f)
                });
                if span.len() == 0 { self.cur.fail(Rule::Mailbox) } else { Ok(span.tagged(form::ATOM)) }
            }
        }
    }

    /// `mailbox SP "(" [status-att-val-list] ")"`.
    fn mailbox_status(&mut self) -> Parse<MailboxStatus<'a>> {
        self.space()?;
        let span = self.mailbox_name()?;
        // INBOX may come in another case than it was asked for, and any name in another form: names are compared as strings, not
        // by how they are written (RFC 9051 §5.1).
        let name = match span.tag() {
            form::ESCAPED => AString::quoted(self.cur.get(span), true),
            _ => AString::plain(self.cur.get(span)),
        };
        self.space()?;
        let start = self.cur.at();
        if self.cur.peek() != Some(b'(') {
            return self.cur.fail(Rule::List);
        }
        if self.cur.skip_value()? > self.list_depth {
            return self.cur.fail(Rule::Depth);
        }
        let inside = Span::new(start.saturating_add(1), self.cur.at().saturating_sub(1));
        // The items are read when they are asked for; here it is only seen to it that a bad one is known of.
        let status = MailboxStatus { name, items: self.cur.get(inside) };
        if status.items().any(|item| matches!(item, crate::types::StatusItem::Malformed { .. })) {
            self.note(Fault::new(start, Rule::Number));
        }
        Ok(status)
    }

    /// Three lists, each of them perhaps NIL (RFC 9051 §9, `namespace-response`).
    fn namespaces(&mut self) -> Parse<Namespaces<'a>> {
        let mut lists = [Span::default(); 3];
        for (index, list) in lists.iter_mut().enumerate() {
            // An example of RFC 5255 §5.3 leaves the space between two lists away.
            if index == 0 || self.cur.peek() != Some(b'(') {
                self.space()?;
            }
            // NIL is a namespace that the server does not have, and is not the same as one without a prefix (RFC 2342 §5).
            if self.cur.nil() {
                continue;
            }
            let start = self.cur.at();
            if self.cur.peek() != Some(b'(') {
                return self.cur.fail(Rule::List);
            }
            if self.cur.skip_value()? > self.list_depth {
                return self.cur.fail(Rule::Depth);
            }
            *list = Span::new(start.saturating_add(1), self.cur.at().saturating_sub(1));
            let (whole, atoms) = read_namespaces(self.cur.get(*list));
            if !whole {
                return Err(Fault::new(start, Rule::List));
            }
            if atoms {
                self.repair(Repair::AtomForString, Rule::String)?;
            }
        }
        let [personal, other, shared] = lists.map(|span| self.cur.get(span));
        Ok(Namespaces { personal, other, shared })
    }

    /// `"(" *(string SP nstring) ")"` or NIL.
    ///
    /// It may be asked for by people who look for faults, so that what servers get wrong here is taken: atoms, and a name that is NIL.
    fn id(&mut self) -> Parse<ServerId<'a>> {
        self.space()?;
        if self.cur.nil() {
            return Ok(ServerId::wire(b""));
        }
        self.cur.expect(b'(', Rule::List)?;
        let start = self.cur.at();
        while self.cur.peek() != Some(b')') {
            if self.cur.at() > start {
                self.space()?;
            }
            self.string()?;
            self.space()?;
            self.nstring()?;
        }
        let inside = self.cur.since(start);
        self.cur.bump(1);
        Ok(ServerId::wire(inside))
    }
}

/// The number and the name of a FETCH as all servers write them: what most units begin with.
#[inline]
fn plain_fetch(unit: &[u8], at: usize) -> Option<(u32, usize)> {
    // Two spaces, another case, UIDFETCH: anything that is not exactly this is read by the grammar.
    let mut plain = Plain::new(unit, at)?;
    plain.take(b' ')?;
    let number = u32::try_from(plain.number()?).ok()?;
    plain.take_all(b" FETCH")?;
    matches!(plain.rest().first(), Some(b' ')).then_some((number, plain.at() as usize))
}
