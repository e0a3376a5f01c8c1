//! The message of an APPEND: offered, streamed, ended (RFC 9051 §6.3.12).

use super::event::{BodyOffer, Event, Refusal};
use super::machine::{Mode, What};
use super::{Kind, Owed, Server};
use crate::command::{AppendForm, Command};
use crate::error::{Malformed, Rule, Violation};
use crate::frame::{Header, Lines, Step, Whole};
use mail_wire::dot::{BareScan, BodyEol};
use mail_wire::{Class, Framed, Input, Mask, Output, Span};
use memchr::memchr;

/// The most octets of what stands behind a message, literals apart.
const TAIL_MAX: usize = 4096;

impl Server {
    /// The message is announced.
    pub(crate) fn message(
        &mut self,
        header: Header,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        if header.octets > self.limits.append {
            return self.refuse_literal(header, Refusal::LiteralTooLarge, input, output);
        }
        self.lines = Lines::new();
        let what = What::Append { sync: header.sync, octets: header.octets };
        Ok(Some(self.take(input, what, header.line)))
    }

    /// The head of an APPEND. If it cannot be read, the message that follows it is dropped: the client that did not wait sends it all
    /// the same.
    pub(crate) fn read_append<'i>(&mut self, octets: &'i [u8], sync: bool, announced: u64) -> Event<'i> {
        self.see_tag(octets);
        match Command::parse(octets, &self.limits, self.is_utf8()) {
            // A literal8 is told by its `~` alone, so that a client which guesses that it is taken loses its message here and not in the store.
            Ok((_, Command::Append(append))) if self.takes(append.form) => {
                let scan = append.form == AppendForm::Literal;
                let utf8 = append.form == AppendForm::Utf8;
                self.scan = BareScan::new();
                self.mode = Mode::Message { left: announced, utf8, scan, bad: false };
                self.owed = Owed::Body { sync, octets: announced };
                Event::Append(append, BodyOffer(self.source.issue()))
            }
            other => {
                let text = octets.strip_suffix(b"\n").unwrap_or(octets);
                let raw = text.strip_suffix(b"\r").unwrap_or(text);
                let malformed = other.err().unwrap_or(Malformed { raw, at: 0, rule: Rule::Literal });
                // The client sends the message all the same, unless it waits for us.
                // The budget of what is discarded is spent as its octets come, not here: they are not here yet.
                if !sync {
                    self.mode = Mode::Discard { left: announced, why: None };
                }
                Event::Malformed(malformed, self.owe(Kind::Malformed))
            }
        }
    }

    /// Whether a message may be announced so (RFC 3516 §4.4, RFC 6855 §4). IMAP4rev2 brings neither form (RFC 9051 appendix B).
    fn takes(&self, form: AppendForm) -> bool {
        match form {
            AppendForm::Literal => true,
            AppendForm::Literal8 => self.is_enabled("UTF8=ACCEPT") || self.offer.capabilities().has("BINARY"),
            AppendForm::Utf8 => self.is_enabled("UTF8=ACCEPT"),
        }
    }

    /// Octets of the message, as many as have arrived.
    pub(crate) fn find_chunk(&mut self, left: u64, input: &mut Input) -> Result<Framed, Violation> {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(input.pending().len());
        if n == 0 {
            return self.need(input);
        }
        Ok(self.take(input, What::Chunk, n))
    }

    /// Every octet is passed on, also where the message is already lost: what an application sees must not depend on how the octets
    /// were cut into reads.
    pub(crate) fn read_chunk<'i>(&mut self, octets: &'i [u8]) -> Event<'i> {
        self.masks.push(Mask { span: Span::new(0, octets.len()), class: Class::Body });
        if let Mode::Message { left, utf8, scan, bad } = self.mode {
            let left = left.saturating_sub(octets.len() as u64);
            let bad = bad || scan && self.is_bad(octets, left == 0);
            self.mode = Mode::Message { left, utf8, scan, bad };
        }
        Event::Chunk(octets)
    }

    /// Whether the piece breaks the policy for bodies. It is asked for literals alone: a literal8 may hold any octet.
    fn is_bad(&mut self, octets: &[u8], last: bool) -> bool {
        if self.policy.body_eol != BodyEol::Reject {
            // A literal never holds NUL, whatever the policy (RFC 9051 §9, `CHAR8`).
            return memchr(0, octets).is_some();
        }
        self.scan.piece(octets).is_some() || last && self.scan.end().is_some()
    }

    /// The line behind the message. Only its end may stand there, or `)` behind a message in UTF8 (RFC 6855 §4).
    pub(crate) fn find_tail(
        &mut self,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        match self.step(TAIL_MAX, false, input, output)? {
            Step::Need => self.need(input).map(Some),
            Step::Line(line) => Ok(Some(self.take(input, What::Tail(line), line.len))),
            // A second message or another literal: MULTIAPPEND and CATENATE are not offered.
            Step::Literal(header) => self.refuse_literal(header, Refusal::LiteralForm, input, output),
        }
    }

    /// The message is whole, if nothing but the end of the command stands behind it and no octet broke the policy.
    pub(crate) fn read_tail<'i>(&mut self, octets: &'i [u8], line: Whole) -> Event<'i> {
        let text = octets.get(..line.text).unwrap_or(&[]);
        let Mode::Tail { utf8, bad } = core::mem::replace(&mut self.mode, Mode::Line) else {
            return Event::Malformed(
                Malformed { raw: text, at: 0, rule: Rule::End },
                self.owe(Kind::Malformed),
            );
        };
        // A message counts once its command has ended as its head began: what stands behind the literal would else be
        // lost without a word, be it a second message (RFC 3502) or the `)` that was forgotten.
        let wanted: &[u8] = if utf8 { b")" } else { b"" };
        let rule = if text != wanted { Some(Rule::End) } else { bad.then_some(Rule::Message) };
        match rule {
            Some(rule) => Event::Malformed(Malformed { raw: text, at: 0, rule }, self.owe(Kind::Malformed)),
            None => Event::BodyEnd(self.owe(Kind::Plain)),
        }
    }
}
