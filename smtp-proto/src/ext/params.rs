//! The parameters behind a path: read in one pass, kept as they stand.

use super::delivery::{DeliverBy, Hold, Priority, RequireValid};
use super::dsn::{Notify, Orcpt, Ret};
use super::parameter::{AuthIdentity, Parameter, Raw, size};
use super::{BodyType, Extension, Extensions};
use crate::error::{Invalid, Rule};
use crate::parse::Fixes;
use crate::policy::Repair;
use crate::types::octets::{self, HIGH, VALUE};
use crate::types::{EsmtpKeyword, EsmtpValue, Xtext, keyword};
use alloc::vec::Vec;
use core::fmt;
use core::fmt::Write as _;

/// Parameters that nobody knows, in one command. More are malformed, so that looking for doubles stays cheap.
const MOST_UNKNOWN: u8 = 16;

/// The length of the one value of BODY that is so long; the value has been checked by then.
const BINARYMIME: usize = BodyType::BinaryMime.as_str().len();

/// Whose parameters: a keyword may mean one thing to MAIL and nothing to RCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Mail,
    Rcpt,
}

/// The parameters of one MAIL or RCPT: no keyword twice, each known value of the right form (RFC 5321 §4.1.1.11).
#[derive(Clone, Copy)]
pub struct Params<'a> {
    octets: &'a [u8],
    /// SIZE, if it is among the known.
    size: u64,
    known: u32,
    needs: Extensions,
    unknown: u8,
}

impl<'a> Params<'a> {
    /// No parameter.
    pub const NONE: Params<'static> =
        Params { octets: &[], size: 0, known: 0, needs: Extensions::NONE, unknown: 0 };

    /// Each keyword with its value, in order.
    pub fn iter(self) -> impl Iterator<Item = (EsmtpKeyword<'a>, Option<EsmtpValue<'a>>)> {
        self.octets.split(|octet| *octet == b' ').filter(|word| !word.is_empty()).map(raw)
    }

    /// How many.
    #[must_use]
    pub fn len(self) -> usize {
        (self.known.count_ones().saturating_add(u32::from(self.unknown))) as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.known == 0 && self.unknown == 0
    }

    /// Whether a known parameter is there.
    #[must_use]
    pub const fn has(self, parameter: Parameter) -> bool {
        self.known & parameter.bit() != 0
    }

    /// How many this crate does not know.
    #[must_use]
    pub const fn unknown(self) -> u32 {
        self.unknown as u32
    }

    /// The value behind a keyword, compared without case; `Some(None)` if it has none.
    #[must_use]
    pub fn get(self, keyword: &str) -> Option<Option<EsmtpValue<'a>>> {
        self.iter()
            .find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(keyword.as_bytes()))
            .map(|(_, value)| value)
    }

    fn value(self, parameter: Parameter, keyword: &str) -> Option<&'a [u8]> {
        if !self.has(parameter) {
            return None;
        }
        self.get(keyword).flatten().map(|value| value.as_bytes())
    }

    /// SIZE in octets; beyond 64 bits the largest number (RFC 1870 §4).
    #[must_use]
    pub const fn size(self) -> Option<u64> {
        if self.has(Parameter::Size) { Some(self.size) } else { None }
    }

    /// BODY.
    #[must_use]
    pub fn body(self) -> Option<BodyType> {
        self.value(Parameter::Body, "BODY").and_then(BodyType::read)
    }

    /// SMTPUTF8.
    #[must_use]
    pub const fn is_utf8(self) -> bool {
        self.has(Parameter::SmtpUtf8)
    }

    /// REQUIRETLS.
    #[must_use]
    pub const fn require_tls(self) -> bool {
        self.has(Parameter::RequireTls)
    }

    /// RET.
    #[must_use]
    pub fn ret(self) -> Option<Ret> {
        self.value(Parameter::Ret, "RET").and_then(Ret::read)
    }

    /// ENVID.
    #[must_use]
    pub fn envid(self) -> Option<Xtext<'a>> {
        self.value(Parameter::Envid, "ENVID").and_then(|value| Xtext::parse(value, &Fixes::silent()).ok())
    }

    /// AUTH.
    #[must_use]
    pub fn auth(self) -> Option<AuthIdentity<'a>> {
        self.value(Parameter::Auth, "AUTH").and_then(|value| AuthIdentity::read(value, &Fixes::silent()).ok())
    }

    /// BY.
    #[must_use]
    pub fn by(self) -> Option<DeliverBy> {
        self.value(Parameter::By, "BY").and_then(DeliverBy::read)
    }

    /// HOLDFOR or HOLDUNTIL.
    #[must_use]
    pub fn hold(self) -> Option<Hold<'a>> {
        match self.value(Parameter::HoldFor, "HOLDFOR") {
            Some(value) => Hold::read_for(value),
            None => self.value(Parameter::HoldUntil, "HOLDUNTIL").and_then(Hold::read_until),
        }
    }

    /// MT-PRIORITY.
    #[must_use]
    pub fn priority(self) -> Option<Priority> {
        self.value(Parameter::MtPriority, "MT-PRIORITY").and_then(Priority::read)
    }

    /// NOTIFY.
    #[must_use]
    pub fn notify(self) -> Option<Notify> {
        self.value(Parameter::Notify, "NOTIFY").and_then(Notify::read)
    }

    /// ORCPT.
    #[must_use]
    pub fn orcpt(self) -> Option<Orcpt<'a>> {
        self.value(Parameter::Orcpt, "ORCPT").and_then(|value| Orcpt::read(value, &Fixes::silent()).ok())
    }

    /// RRVS.
    #[must_use]
    pub fn rrvs(self) -> Option<RequireValid<'a>> {
        self.value(Parameter::Rrvs, "RRVS").and_then(RequireValid::read)
    }

    /// The extensions that the known parameters need.
    pub(crate) const fn needs(self) -> Extensions {
        self.needs
    }

    /// Whether an octet of them is beyond ASCII.
    pub(crate) fn is_ascii(self) -> bool {
        self.octets.is_ascii()
    }
}

impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params ")?;
        f.debug_map().entries(self.iter()).finish()
    }
}

impl PartialEq for Params<'_> {
    /// The same words in the same order; keywords without case.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Params<'_> {}

fn raw(word: &[u8]) -> Raw<'_> {
    let equals = memchr::memchr(b'=', word).unwrap_or(word.len());
    let (keyword, rest) = octets::cut(word, equals);
    (EsmtpKeyword::parsed(keyword), rest.strip_prefix(b"=").map(EsmtpValue::parsed))
}

/// `*(SP esmtp-param)` up to the end of the octets. On failure the rule and the octets left.
#[inline]
pub(crate) fn params<'a>(octets: &'a [u8], of: Of, fixes: &Fixes<'_>) -> Result<Params<'a>, (Rule, usize)> {
    if !octets.is_ascii() && core::str::from_utf8(octets).is_err() {
        return Err((Rule::NotAscii, octets.len()));
    }
    let mut params = Params { octets, ..Params::NONE };
    let mut rest = octets;
    while let Some((first, behind)) = rest.split_first() {
        if *first != b' ' {
            return Err((Rule::Parameter, rest.len()));
        }
        if matches!(behind.first(), None | Some(b' ')) {
            if !fixes.take(Repair::Spaces) {
                return Err((Rule::Spaces, rest.len()));
            }
            rest = behind;
            continue;
        }
        let (word, behind) = octets::cut(behind, keyword(behind));
        if word.is_empty() {
            return Err((Rule::Parameter, rest.len()));
        }
        let (value, behind) = match behind.strip_prefix(b"=") {
            None => (None, behind),
            Some(value) => {
                let (value, behind) = octets::cut(value, octets::run(value, VALUE | HIGH));
                if value.is_empty() {
                    return Err((Rule::Value, behind.len()));
                }
                (Some(value), behind)
            }
        };
        if !matches!(behind.first(), None | Some(b' ')) {
            return Err((Rule::Parameter, behind.len()));
        }
        params.add(word, value, of, fixes).map_err(|rule| (rule, rest.len()))?;
        rest = behind;
    }
    Ok(params)
}

impl Params<'_> {
    fn add(&mut self, word: &[u8], value: Option<&[u8]>, of: Of, fixes: &Fixes<'_>) -> Result<(), Rule> {
        let Some(parameter) = Parameter::find(word, of) else {
            let same = |(other, _): &Raw<'_>| other.as_bytes().eq_ignore_ascii_case(word);
            if self.unknown >= MOST_UNKNOWN {
                return Err(Rule::Parameter);
            }
            if self.unknown > 0 && self.iter().filter(same).count() > 1 {
                return Err(Rule::Duplicate);
            }
            self.unknown = self.unknown.saturating_add(1);
            return Ok(());
        };
        let other = match parameter {
            // One time to be held until, said in one of two ways (RFC 4865 §3).
            Parameter::HoldFor => Parameter::HoldUntil,
            Parameter::HoldUntil => Parameter::HoldFor,
            own => own,
        };
        if self.has(parameter) || self.has(other) {
            return Err(Rule::Duplicate);
        }
        parameter.check(value, fixes)?;
        if parameter == Parameter::Size {
            self.size = value.and_then(size).unwrap_or(u64::MAX);
        }
        let binary = parameter == Parameter::Body && value.is_some_and(|value| value.len() == BINARYMIME);
        let extension = if binary { Extension::BinaryMime } else { parameter.extension() };
        self.needs = self.needs.with(extension);
        if binary {
            // Such a body has no lines, so only BDAT can end it (RFC 3030 §3).
            self.needs = self.needs.with(Extension::Chunking);
        }
        self.known |= parameter.bit();
        Ok(())
    }
}

/// Parameters that are being put together. Each method gives the set back with one more.
///
/// ```
/// use mail_smtp_proto::ext::{BodyType, ParamsBuf};
/// let buf = ParamsBuf::new().size(500)?.body(BodyType::EightBitMime)?;
/// assert_eq!(buf.for_mail()?.size(), Some(500));
/// # Ok::<(), mail_smtp_proto::error::Invalid>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ParamsBuf {
    octets: Vec<u8>,
}

impl ParamsBuf {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One that this crate does not know, or one that it knows in its own form.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn other(
        mut self,
        keyword: EsmtpKeyword<'_>,
        value: Option<EsmtpValue<'_>>,
    ) -> Result<Self, Invalid> {
        let same = |word: &[u8]| raw(word).0 == keyword;
        if self.octets.split(|octet| *octet == b' ').any(same) {
            return Err(Invalid { rule: Rule::Duplicate, at: 0 });
        }
        self.octets.push(b' ');
        self.octets.extend_from_slice(keyword.as_bytes());
        if let Some(value) = value {
            self.octets.push(b'=');
            self.octets.extend_from_slice(value.as_bytes());
        }
        Ok(self)
    }

    fn known(self, keyword: &'static str, value: Option<&[u8]>) -> Result<Self, Invalid> {
        self.other(EsmtpKeyword::new(keyword.as_bytes())?, value.map(EsmtpValue::new).transpose()?)
    }

    fn shown(self, keyword: &'static str, value: impl fmt::Display) -> Result<Self, Invalid> {
        let mut text = alloc::string::String::new();
        let written = write!(text, "{value}");
        debug_assert!(written.is_ok(), "a String takes all");
        self.known(keyword, Some(text.as_bytes()))
    }

    /// SIZE.
    ///
    /// # Errors
    /// [`Rule::Duplicate`], as with all of these.
    pub fn size(self, octets: u64) -> Result<Self, Invalid> {
        self.shown("SIZE", octets)
    }

    /// BODY.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn body(self, body: BodyType) -> Result<Self, Invalid> {
        self.known("BODY", Some(body.as_str().as_bytes()))
    }

    /// SMTPUTF8.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn utf8(self) -> Result<Self, Invalid> {
        self.known("SMTPUTF8", None)
    }

    /// REQUIRETLS.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn require_tls(self) -> Result<Self, Invalid> {
        self.known("REQUIRETLS", None)
    }

    /// RET.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn ret(self, ret: Ret) -> Result<Self, Invalid> {
        self.known("RET", Some(ret.as_str().as_bytes()))
    }

    /// ENVID.
    ///
    /// # Errors
    /// [`Rule::Duplicate`]; [`Rule::Value`] if it is empty.
    pub fn envid(self, envid: Xtext<'_>) -> Result<Self, Invalid> {
        self.known("ENVID", Some(envid.as_bytes()))
    }

    /// AUTH.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn auth(self, identity: AuthIdentity<'_>) -> Result<Self, Invalid> {
        match identity {
            AuthIdentity::Nobody => self.known("AUTH", Some(b"<>")),
            AuthIdentity::Mailbox(mailbox) => self.known("AUTH", Some(mailbox.as_bytes())),
        }
    }

    /// MT-PRIORITY.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn priority(self, priority: Priority) -> Result<Self, Invalid> {
        self.shown("MT-PRIORITY", priority.get())
    }

    /// NOTIFY.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn notify(self, notify: Notify) -> Result<Self, Invalid> {
        self.shown("NOTIFY", notify)
    }

    /// ORCPT.
    ///
    /// # Errors
    /// [`Rule::Duplicate`].
    pub fn orcpt(self, orcpt: Orcpt<'_>) -> Result<Self, Invalid> {
        let value = [orcpt.kind().as_bytes(), b";", orcpt.encoded()].concat();
        self.known("ORCPT", Some(&value))
    }

    /// The parameters, for a MAIL.
    ///
    /// # Errors
    /// A value that [`ParamsBuf::other`] took and that a known parameter does not allow.
    pub fn for_mail(&self) -> Result<Params<'_>, Invalid> {
        self.read(Of::Mail)
    }

    /// The parameters, for a RCPT.
    ///
    /// # Errors
    /// As [`ParamsBuf::for_mail`].
    pub fn for_rcpt(&self) -> Result<Params<'_>, Invalid> {
        self.read(Of::Rcpt)
    }

    fn read(&self, of: Of) -> Result<Params<'_>, Invalid> {
        let len = self.octets.len();
        params(&self.octets, of, &Fixes::none())
            .map_err(|(rule, left)| Invalid { rule, at: len.saturating_sub(left) })
    }
}
