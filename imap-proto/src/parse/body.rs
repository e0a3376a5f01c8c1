//! The kernel of BODY and BODYSTRUCTURE: one pass without recursion. The nodes on the tape are the stack.
//! A node is written when its parenthesis opens and filled in when its fields have been read; a multipart's subtype stands behind its parts. Each
//! node knows its parent, so that closing one leads back to what was open around it: depth costs neither stack nor memory of its own, and
//! the limit on it only keeps applications safe that walk the tree by recursion.
//!
//! What real servers leave away or add is taken by named repairs; a number that is none is malformed by itself, and the rest of the structure is
//! good.

use super::leaf::{Fault, Parse, form};
use super::reader::Reader;
use crate::error::Rule;
use crate::policy::Repair;
use crate::types::body_structure::node;
use crate::types::chars::is_astring;
use mail_wire::Span;

/// What follows the fields of a part that is no multipart.
enum Then {
    /// The part is closed.
    Closed,
    /// The body of an embedded message.
    Child,
}

impl Reader<'_, '_> {
    /// `body`. Its nodes count from the index that `tape.len()` is at the call.
    pub(crate) fn body(&mut self) -> Parse<()> {
        // Links count from here, so that the value can be moved to another tape as it is.
        let base = self.tape.len();
        let start = self.cur.at();
        let (mut parent, mut depth) = (None, 0_usize);
        loop {
            self.cur.expect(b'(', Rule::Body)?;
            if depth > self.depth {
                return self.cur.fail(Rule::Depth);
            }
            // What comes behind the parenthesis tells the kind: a list is the first part of a multipart, anything else a single part's type
            // (RFC 9051 §9, `body`).
            let mut at = self.open(base, parent, depth)?;
            let descend = if self.cur.peek() == Some(b'(') {
                self.set_kind(at, node::MULTIPART);
                true
            } else {
                matches!(self.single(base, at)?, Then::Child)
            };
            if descend {
                (parent, depth) = (Some(at), depth + 1);
                continue;
            }
            // A part has closed: its parents may go on to the next child, or close as well.
            loop {
                let Some(up) = parent else {
                    // No child will follow: the place of the last one is free.
                    self.tape.set(base + node::LAST, Span::new(start, self.cur.at()));
                    return Ok(());
                };
                // An embedded message has one body and then its number of lines; a multipart has parts and then its subtype.
                if self.cell(up + node::KIND).0 == node::MULTIPART {
                    if self.next_child()? {
                        break;
                    }
                    self.space()?;
                    let subtype = self.string()?;
                    self.tape.set(up + node::SUBTYPE, subtype);
                    self.multipart_tail(base, up)?;
                } else {
                    self.space()?;
                    self.number_field(up + node::LINES)?;
                    self.single_tail(base, up)?;
                }
                at = up;
                depth = depth.saturating_sub(1);
                parent = self.parent_of(base, at);
            }
        }
    }

    /// Writes an empty node and links it into its parent.
    fn open(&mut self, base: usize, parent: Option<usize>, depth: usize) -> Parse<usize> {
        let at = self.reserve::<{ node::COUNT }>()?;
        let link =
            |index: usize| u32::try_from(index.saturating_sub(base)).unwrap_or(u32::MAX).saturating_add(1);
        let depth = u32::try_from(depth).unwrap_or(u32::MAX);
        self.tape.set(at + node::SIZE, Span::cell(depth, 0));
        let Some(up) = parent else { return Ok(at) };
        self.tape.set(at + node::KIND, Span::cell(node::BASIC, link(up)));
        // The last child is remembered while its parent is open: to look for it would be quadratic in the number of parts.
        let (last, _) = self.cell(up + node::LAST);
        if last == 0 {
            let (sibling, _) = self.cell(up + node::LINKS);
            self.tape.set(up + node::LINKS, Span::cell(sibling, link(at)));
        } else {
            let before = base + last as usize - 1;
            let (_, child) = self.cell(before + node::LINKS);
            self.tape.set(before + node::LINKS, Span::cell(link(at), child));
        }
        self.tape.set(up + node::LAST, Span::cell(link(at), 0));
        let (depth_up, children) = self.cell(up + node::SIZE);
        self.tape.set(up + node::SIZE, Span::cell(depth_up, children.saturating_add(1)));
        Ok(at)
    }

    /// The two numbers of a cell that was written before.
    fn cell(&self, index: usize) -> (u32, u32) {
        let cell = self.tape.spans().get(index).copied().unwrap_or_default();
        (cell.start() as u32, cell.len() as u32)
    }

    /// The kind shares its cell with the link to the parent.
    /// Set when it is known: a node is written before its type has been read.
    fn set_kind(&mut self, at: usize, kind: u32) {
        let (_, parent) = self.cell(at + node::KIND);
        self.tape.set(at + node::KIND, Span::cell(kind, parent));
    }

    /// The stack of the parser: where it goes on when a node closes.
    fn parent_of(&self, base: usize, at: usize) -> Option<usize> {
        let (_, parent) = self.cell(at + node::KIND);
        parent.checked_sub(1).map(|relative| base + relative as usize)
    }

    /// Whether another part of a multipart follows. Parts stand side by side; a space between them is a repair.
    fn next_child(&mut self) -> Parse<bool> {
        if self.cur.peek() == Some(b' ') && matches!(self.cur.peek_at(1), Some(b'(')) {
            self.more_spaces()?;
        }
        Ok(self.cur.peek() == Some(b'('))
    }

    /// `body-type-basic`, `body-type-text` or `body-type-msg` behind the parenthesis, or a multipart without parts.
    fn single(&mut self, base: usize, at: usize) -> Parse<Then> {
        // Three shapes of a multipart without parts are known, and each is told by its second field: `("MIXED")`, `(NIL "MIXED" ..)`,
        // `("MIXED" ("BOUNDARY" ..) ..)`. A part that is one always has a string for its subtype (RFC 9051 §9, `media-basic`).
        let media = self.nstring()?;
        if self.cur.peek() == Some(b')') {
            return self.no_parts(base, at, media);
        }
        self.space()?;
        let has_type = media.tag() != form::NIL;
        let next_is_string = matches!(self.cur.peek(), Some(b'"' | b'{'));
        // `(NIL "ALTERNATIVE" ..)`: NIL in place of the parts.
        if !has_type && next_is_string {
            let subtype = self.nstring()?;
            return self.no_parts(base, at, subtype);
        }
        // `("RELATED" (..) ..)` or `("RELATED" NIL ..)`: no parts, and the fields of a multipart behind its subtype. Whether a NIL is the
        // parameters of one or the subtype of a part is told by what cannot be: a subtype is never NIL.
        if has_type && !next_is_string {
            let mut ahead = self.cur;
            if ahead.peek() == Some(b'(') || ahead.nil() {
                self.tape.set(at + node::SUBTYPE, media);
                return self.no_parts_fields(base, at);
            }
        }
        if !has_type {
            self.repair(Repair::NilValue, Rule::String)?;
        }
        // From here on the order of the standard, and nothing may be left away (RFC 9051 §7.5.2): what is missing would shift the rest.
        self.tape.set(at + node::TYPE, media);
        let subtype = self.string()?;
        self.tape.set(at + node::SUBTYPE, subtype);
        self.space()?;
        let params = self.params(base)?;
        self.tape.set(at + node::PARAMS, params);
        for field in [node::ID, node::DESCRIPTION] {
            self.space()?;
            let span = self.nstring()?;
            self.tape.set(at + field, span);
        }
        self.space()?;
        // Never NIL in the grammar, and NIL where a server read no such field: 7BIT is then what MIME says (RFC 2045 §6.1).
        let encoding = self.string()?;
        self.tape.set(at + node::ENCODING, encoding);
        self.space()?;
        self.number_field(at + node::OCTETS)?;
        self.kind_fields(base, at, media, subtype)
    }

    /// What only text and messages have.
    fn kind_fields(&mut self, base: usize, at: usize, media: Span, subtype: Span) -> Parse<Then> {
        let media = self.cur.get(media);
        if media.eq_ignore_ascii_case(b"TEXT") {
            self.set_kind(at, node::TEXT);
            // Only text has lines; of other types the same place holds MD5 (RFC 9051 §7.5.2).
            // Some servers leave the lines away: what follows is then a string, a list or NIL.
            let mut ahead = self.cur;
            ahead.bump(1);
            let lines = !matches!(ahead.peek(), None | Some(b'"' | b'(' | b'{')) && !ahead.nil();
            if self.cur.peek() == Some(b' ') && lines {
                self.space()?;
                self.number_field(at + node::LINES)?;
            }
        } else if media.eq_ignore_ascii_case(b"MESSAGE") && self.cur.rest().starts_with(b" (") {
            // A list behind the size can only be the envelope: MD5, which would else come next, is none. Servers leave it away where they
            // could not read the message, and the part is then one like others. GLOBAL is RFC822 with UTF-8 (RFC 6532 §3.7).
            let subtype = self.cur.get(subtype);
            if subtype.eq_ignore_ascii_case(b"RFC822") || subtype.eq_ignore_ascii_case(b"GLOBAL") {
                self.set_kind(at, node::MESSAGE);
                self.space()?;
                let relative = u32::try_from(self.tape.len().saturating_sub(base)).unwrap_or(u32::MAX);
                self.tape.set(at + node::ENVELOPE, Span::cell(relative.saturating_add(1), 0));
                self.envelope(base)?;
                self.space()?;
                return Ok(Then::Child);
            }
        }
        self.single_tail(base, at)?;
        Ok(Then::Closed)
    }

    /// A multipart that holds nothing, which servers write for messages that they could not read: `("MIXED")`.
    fn no_parts(&mut self, base: usize, at: usize, subtype: Span) -> Parse<Then> {
        self.tape.set(at + node::SUBTYPE, subtype);
        if self.cur.peek() == Some(b' ') {
            self.space()?;
            return self.no_parts_fields(base, at);
        }
        // A multipart all the same: an application that counts on parts finds none, and does not take it for a text.
        self.repair(Repair::NoParts, Rule::Body)?;
        self.set_kind(at, node::MULTIPART);
        self.cur.expect(b')', Rule::Body)?;
        Ok(Then::Closed)
    }

    /// The same with what may follow its subtype.
    fn no_parts_fields(&mut self, base: usize, at: usize) -> Parse<Then> {
        self.repair(Repair::NoParts, Rule::Body)?;
        self.set_kind(at, node::MULTIPART);
        let params = self.params(base)?;
        self.tape.set(at + node::PARAMS, params);
        self.disposition_on(base, at)?;
        Ok(Then::Closed)
    }

    /// `body-ext-mpart` and the end.
    ///
    /// BODY ends here, BODYSTRUCTURE goes on; a server may stop behind any field (RFC 9051 §7.5.2).
    fn multipart_tail(&mut self, base: usize, at: usize) -> Parse<()> {
        if self.cur.eat(b')') {
            return Ok(());
        }
        self.space()?;
        let params = self.params(base)?;
        self.tape.set(at + node::PARAMS, params);
        self.disposition_on(base, at)
    }

    /// `body-ext-1part` and the end.
    fn single_tail(&mut self, base: usize, at: usize) -> Parse<()> {
        if self.cur.eat(b')') {
            return Ok(());
        }
        self.space()?;
        // Some servers write `()` for nothing wherever a list could stand, and here too.
        let md5 = self.nstring_or_empty_list()?;
        self.tape.set(at + node::MD5, md5);
        self.disposition_on(base, at)
    }

    /// Disposition, language, location, extensions, each of which may be the last, and the end.
    fn disposition_on(&mut self, base: usize, at: usize) -> Parse<()> {
        if self.cur.eat(b')') {
            return Ok(());
        }
        self.space()?;
        self.disposition(base, at)?;
        if self.cur.eat(b')') {
            return Ok(());
        }
        self.space()?;
        self.languages(base, at)?;
        if self.cur.eat(b')') {
            return Ok(());
        }
        self.space()?;
        let location = self.nstring_or_empty_list()?;
        self.tape.set(at + node::LOCATION, location);
        if self.cur.eat(b')') {
            return Ok(());
        }
        // What a later standard adds behind the location must be taken: NIL, strings, numbers, lists in lists (RFC 9051 §7.5.2).
        self.space()?;
        let start = self.cur.at();
        loop {
            if self.cur.skip_value()? > self.depth {
                return self.cur.fail(Rule::Depth);
            }
            if self.cur.peek() != Some(b' ') {
                break;
            }
            self.space()?;
        }
        self.tape.set(at + node::EXTENSION, Span::new(start, self.cur.at()));
        self.cur.expect(b')', Rule::Body)
    }

    /// `body-fld-dsp`: NIL, or a kind with its parameters (RFC 2183). Some servers leave the parentheses away.
    fn disposition(&mut self, base: usize, at: usize) -> Parse<()> {
        if self.cur.nil() || self.empty_list()? {
            return Ok(());
        }
        // Attachments are told by it, so what can be saved of it is.
        let bare = !self.cur.eat(b'(');
        if bare {
            self.repair(Repair::BareDisposition, Rule::Body)?;
        }
        let kind = self.nstring()?;
        self.tape.set(at + node::DISPOSITION, kind);
        if bare {
            return Ok(());
        }
        if self.cur.peek() == Some(b')') {
            self.repair(Repair::BareDisposition, Rule::Body)?;
        } else {
            self.space()?;
            let params = self.params(base)?;
            self.tape.set(at + node::DISPOSITION_PARAMS, params);
        }
        self.cur.expect(b')', Rule::Body)
    }

    /// `body-fld-lang`: a string, or several in parentheses (RFC 3282).
    fn languages(&mut self, base: usize, at: usize) -> Parse<()> {
        if self.empty_list()? {
            return Ok(());
        }
        // One language comes as a string and several in parentheses; one in parentheses is taken as well.
        let first = self.tape.len();
        if self.cur.eat(b'(') {
            loop {
                let tag = self.string()?;
                self.push(tag)?;
                if self.cur.eat(b')') {
                    break;
                }
                self.space()?;
            }
        } else {
            let tag = self.nstring()?;
            if tag.tag() == form::NIL {
                return Ok(());
            }
            self.push(tag)?;
        }
        let cell = relative_cell(base, first, self.tape.len().saturating_sub(first));
        self.tape.set(at + node::LANGUAGE, cell);
        Ok(())
    }

    /// `body-fld-param`: where the first pair stands, and how many there are.
    fn params(&mut self, base: usize) -> Parse<Span> {
        if self.cur.peek() != Some(b'(') {
            return if self.cur.nil() { Ok(Span::default()) } else { self.cur.fail(Rule::List) };
        }
        if self.empty_list()? {
            return Ok(Span::default());
        }
        self.cur.bump(1);
        let first = self.tape.len();
        // Pairs: a name alone has no value that could be made up for it, and the structure is malformed.
        loop {
            let name = self.string()?;
            self.push(name)?;
            self.space()?;
            let value = self.string()?;
            self.push(value)?;
            if self.cur.eat(b')') {
                return Ok(relative_cell(base, first, self.tape.len().saturating_sub(first) / 2));
            }
            self.space()?;
        }
    }

    /// A number, or what stands in its place: that is malformed by itself, and the rest is good.
    fn number_field(&mut self, index: usize) -> Parse<()> {
        let start = self.cur.at();
        // Up to 63 bits for either: lines have them (RFC 9051 §9, `body-fld-lines`), and who has a part of more than 4 GiB cannot say it
        // otherwise (appendix D). A number that goes on as a word, such as 9.3e6, is none.
        if self.cur.number64().is_ok() && !self.cur.peek().is_some_and(is_astring) {
            self.tape.set(index, Span::new(start, self.cur.at()).tagged(form::NUMBER));
            return Ok(());
        }
        if self.cur.at() == start && self.cur.nil() {
            return self.repair(Repair::NilValue, Rule::Number);
        }
        // What stands in its place is a word, whose end is certain: -1 and sizes in scientific notation are known.
        self.cur.while_in(is_astring);
        let span = Span::new(start, self.cur.at());
        if span.len() == 0 {
            return self.cur.fail(Rule::Number);
        }
        self.note(Fault::new(start, Rule::Number));
        self.tape.set(index, span.tagged(form::BAD));
        Ok(())
    }
}

/// Where something begins, counted from the first entry of the value, and how many of it there are.
fn relative_cell(base: usize, first: usize, count: usize) -> Span {
    let first = u32::try_from(first.saturating_sub(base)).unwrap_or(u32::MAX);
    Span::cell(first, u32::try_from(count).unwrap_or(u32::MAX))
}
