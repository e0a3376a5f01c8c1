//! The EHLO reply: what the server offers (RFC 5321 §4.1.1.1).

use super::{Extension, Extensions};
use crate::error::{Invalid, Rule};
use crate::parse::Fixes;
use crate::policy::Repair;
use crate::reply::Reply;
use crate::types::octets;
use crate::types::{EhloText, EsmtpKeyword, Mechanism, keyword};
use core::fmt;

/// Mechanisms looked at, so that naming each once stays cheap.
const MOST_MECHANISMS: usize = 64;

/// One line of an EHLO reply behind the first: a keyword with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EhloLine<'a> {
    keyword: EsmtpKeyword<'a>,
    text: EhloText<'a>,
}

impl<'a> EhloLine<'a> {
    /// A line.
    #[must_use]
    pub const fn new(keyword: EsmtpKeyword<'a>, text: EhloText<'a>) -> Self {
        Self { keyword, text }
    }

    /// Reads `KEYWORD[ parameters]`.
    ///
    /// # Errors
    /// [`Rule::EhloLine`].
    pub fn parse(line: &'a [u8]) -> Result<Self, Invalid> {
        read(line, &Fixes::none()).ok_or(Invalid { rule: Rule::EhloLine, at: 0 })
    }

    /// The keyword.
    #[must_use]
    pub const fn keyword(&self) -> EsmtpKeyword<'a> {
        self.keyword
    }

    /// All parameters as they stand.
    #[must_use]
    pub const fn text(&self) -> EhloText<'a> {
        self.text
    }

    /// The parameters, one by one.
    pub fn words(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.text.as_bytes().split(|octet| *octet == b' ').filter(|word| !word.is_empty())
    }

    /// The extension, if this crate knows it.
    #[must_use]
    pub fn extension(&self) -> Option<Extension> {
        Extension::of(self.keyword.as_bytes())
    }
}

/// Reads a line. `AUTH=LOGIN PLAIN`, the form before RFC 2554, is read as `AUTH LOGIN PLAIN`.
fn read<'a>(line: &'a [u8], fixes: &Fixes<'_>) -> Option<EhloLine<'a>> {
    let (word, rest) = octets::cut(line, keyword(line));
    let text = match rest.split_first() {
        _ if word.is_empty() => return None,
        None => rest,
        Some((b' ', text)) => text,
        Some((b'=', text)) if word.eq_ignore_ascii_case(b"AUTH") && fixes.take(Repair::AuthEquals) => text,
        Some(_) => return None,
    };
    let ends = text.trim_ascii();
    if (ends.len() != text.len() || (text.is_empty() && rest.len() == 1)) && !fixes.take(Repair::Spaces) {
        return None;
    }
    Some(EhloLine { keyword: EsmtpKeyword::parsed(word), text: EhloText::new(ends).ok()? })
}

/// A positive reply to EHLO or LHLO, or one to HELO, which names no extension.
///
/// The first line is never read for keywords; a line that is none is passed over (and was counted, or refused, when the reply came).
#[derive(Clone, Copy)]
pub struct EhloReply<'i> {
    reply: Reply<'i>,
    extended: bool,
}

impl<'i> EhloReply<'i> {
    /// The positive reply to an EHLO or LHLO.
    #[must_use]
    pub const fn read(reply: Reply<'i>) -> Self {
        Self::new(reply, true)
    }

    pub(crate) const fn new(reply: Reply<'i>, extended: bool) -> Self {
        Self { reply, extended }
    }

    /// Looks at every line once: the first that is malformed fails under the strict grammar, and is counted under the tolerant one.
    pub(crate) fn check(self, fixes: &Fixes<'_>) -> Result<Extensions, Rule> {
        let mut found = Extensions::NONE;
        for line in self.raw() {
            match read(line, fixes) {
                Some(line) => {
                    if let Some(extension) = line.extension() {
                        found = found.with(extension);
                    }
                }
                None if fixes.take(Repair::EhloLine) => {}
                None => return Err(Rule::EhloLine),
            }
        }
        Ok(found)
    }

    fn raw(self) -> impl Iterator<Item = &'i [u8]> + use<'i> {
        let lines = if self.extended { usize::MAX } else { 1 };
        self.reply.raw_lines().take(lines).skip(1)
    }

    /// The reply itself.
    #[must_use]
    pub const fn reply(&self) -> Reply<'i> {
        self.reply
    }

    /// The name that the server gives of itself, as octets: the first word of the first line.
    #[must_use]
    pub fn name(&self) -> &'i [u8] {
        let first = self.reply.raw_lines().next().unwrap_or_default();
        octets::cut(first, memchr::memchr(b' ', first).unwrap_or(first.len())).0
    }

    /// The lines that name an extension, in order, unknown ones too.
    pub fn extensions(&self) -> impl Iterator<Item = EhloLine<'i>> + use<'i> {
        self.raw().filter_map(|line| read(line, &Fixes::silent()))
    }

    /// The first line of an extension.
    #[must_use]
    pub fn get(&self, extension: Extension) -> Option<EhloLine<'i>> {
        self.extensions().find(|line| line.extension() == Some(extension))
    }

    /// The largest message in octets. `None` if SIZE is not offered, names no number, names zero, or one beyond 64 bits
    /// (RFC 1870 §4).
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        let line = self.get(Extension::Size)?;
        let word = line.words().next()?;
        super::digits_of(word, 20).filter(|size| *size > 0)
    }

    /// The SASL mechanisms of all AUTH lines, each once; the first 64 names are looked at.
    pub fn mechanisms(&self) -> impl Iterator<Item = Mechanism<'i>> + use<'i> {
        let all = *self;
        let words = move || {
            all.extensions()
                .filter(|line| line.extension() == Some(Extension::Auth))
                .flat_map(|line| line.words().filter_map(|word| Mechanism::new(word).ok()))
                .take(MOST_MECHANISMS)
        };
        words()
            .enumerate()
            .filter(move |(index, mechanism)| !words().take(*index).any(|other| other == *mechanism))
            .map(|(_, mechanism)| mechanism)
    }

    /// A number of LIMITS, such as `RCPTMAX` (RFC 9422 §3). Limits are `name=value` words.
    #[must_use]
    pub fn limit(&self, name: &str) -> Option<&'i [u8]> {
        let line = self.get(Extension::Limits)?;
        line.words().find_map(|word| {
            let equals = memchr::memchr(b'=', word)?;
            let (key, value) = octets::cut(word, equals);
            key.eq_ignore_ascii_case(name.as_bytes()).then(|| octets::cut(value, 1).1)
        })
    }

    /// The shortest time of DELIVERBY in seconds, where one is named (RFC 2852 §3).
    #[must_use]
    pub fn deliver_by(&self) -> Option<u64> {
        let line = self.get(Extension::DeliverBy)?;
        line.words().next().and_then(|word| super::digits_of(word, 9))
    }
}

impl fmt::Debug for EhloReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.extensions()).finish()
    }
}
