//! The parameters of MAIL and RCPT that this crate knows.

use super::delivery::{DeliverBy, Hold, Priority, RequireValid, digits_of};
use super::dsn::{LONGEST_ENVID, Notify, Orcpt, Ret};
use super::{BodyType, Extension, Of};
use crate::error::Rule;
use crate::parse::Fixes;
use crate::types::{EsmtpKeyword, Xtext};

/// The longest value of AUTH (RFC 4954 §3 item 6).
const LONGEST_AUTH: usize = 500;
/// Digits of SIZE (RFC 1870 §4).
const SIZE_DIGITS: usize = 20;

/// A parameter that this crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Parameter {
    /// MAIL `SIZE` (RFC 1870 §4).
    Size,
    /// MAIL `BODY` (RFC 6152 §2, RFC 3030 §3).
    Body,
    /// MAIL `SMTPUTF8` (RFC 6531 §3.4).
    SmtpUtf8,
    /// MAIL `RET` (RFC 3461 §4.3).
    Ret,
    /// MAIL `ENVID` (RFC 3461 §4.4).
    Envid,
    /// MAIL `AUTH` (RFC 4954 §5).
    Auth,
    /// MAIL `BY` (RFC 2852 §4).
    By,
    /// MAIL `HOLDFOR` (RFC 4865 §4).
    HoldFor,
    /// MAIL `HOLDUNTIL` (RFC 4865 §4).
    HoldUntil,
    /// MAIL `MT-PRIORITY` (RFC 6710 §4.1).
    MtPriority,
    /// MAIL `REQUIRETLS` (RFC 8689 §2).
    RequireTls,
    /// MAIL `SOLICIT` (RFC 3865 §2), kept as text.
    Solicit,
    /// MAIL `MTRK` (RFC 3885 §3), kept as text.
    Mtrk,
    /// MAIL `CONPERM` (RFC 4141 §4).
    ConPerm,
    /// MAIL `TRANSID` (RFC 1845 §4), kept as text.
    TransId,
    /// MAIL `SUBMITTER` (RFC 4405 §4.2), kept as text.
    Submitter,
    /// RCPT `NOTIFY` (RFC 3461 §4.1).
    Notify,
    /// RCPT `ORCPT` (RFC 3461 §4.2).
    Orcpt,
    /// RCPT `RRVS` (RFC 7293 §3.1).
    Rrvs,
    /// RCPT `CONNEG` (RFC 4141 §5).
    ConNeg,
}

impl Parameter {
    /// The parameter of a keyword, for MAIL or for RCPT. The length is looked at first.
    pub(crate) fn find(keyword: &[u8], of: Of) -> Option<Self> {
        if of == Of::Rcpt {
            return Self::find_rcpt(keyword);
        }
        let table: &[(&str, Self)] = match keyword.len() {
            2 => &[("BY", Self::By)],
            3 => &[("RET", Self::Ret)],
            4 => &[("SIZE", Self::Size), ("BODY", Self::Body), ("AUTH", Self::Auth), ("MTRK", Self::Mtrk)],
            5 => &[("ENVID", Self::Envid)],
            7 => &[
                ("HOLDFOR", Self::HoldFor),
                ("SOLICIT", Self::Solicit),
                ("CONPERM", Self::ConPerm),
                ("TRANSID", Self::TransId),
            ],
            8 => &[("SMTPUTF8", Self::SmtpUtf8)],
            9 => &[("HOLDUNTIL", Self::HoldUntil), ("SUBMITTER", Self::Submitter)],
            10 => &[("REQUIRETLS", Self::RequireTls)],
            11 => &[("MT-PRIORITY", Self::MtPriority)],
            _ => &[],
        };
        let same = |(name, _): &&(&str, Self)| name.as_bytes().eq_ignore_ascii_case(keyword);
        table.iter().find(same).map(|(_, parameter)| *parameter)
    }

    fn find_rcpt(keyword: &[u8]) -> Option<Self> {
        let (name, parameter) = match (keyword.len(), keyword.first()?) {
            (6, b'N' | b'n') => ("NOTIFY", Self::Notify),
            (6, _) => ("CONNEG", Self::ConNeg),
            (5, _) => ("ORCPT", Self::Orcpt),
            (4, _) => ("RRVS", Self::Rrvs),
            _ => return None,
        };
        name.as_bytes().eq_ignore_ascii_case(keyword).then_some(parameter)
    }

    /// The extension that brings it.
    #[must_use]
    pub const fn extension(self) -> Extension {
        match self {
            Self::Size => Extension::Size,
            Self::Body => Extension::EightBitMime,
            Self::SmtpUtf8 => Extension::SmtpUtf8,
            Self::Ret | Self::Envid | Self::Notify | Self::Orcpt => Extension::Dsn,
            Self::Auth => Extension::Auth,
            Self::By => Extension::DeliverBy,
            Self::HoldFor | Self::HoldUntil => Extension::FutureRelease,
            Self::MtPriority => Extension::MtPriority,
            Self::RequireTls => Extension::RequireTls,
            Self::Solicit => Extension::NoSoliciting,
            Self::Mtrk => Extension::Mtrk,
            Self::ConPerm => Extension::ConPerm,
            Self::ConNeg => Extension::ConNeg,
            Self::TransId => Extension::Checkpoint,
            Self::Submitter => Extension::Submitter,
            Self::Rrvs => Extension::Rrvs,
        }
    }

    pub(crate) const fn bit(self) -> u32 {
        1_u32.wrapping_shl(self as u32)
    }

    /// Whether the value is what the extension asks for.
    pub(crate) fn check(self, value: Option<&[u8]>, fixes: &Fixes<'_>) -> Result<(), Rule> {
        let flag = matches!(self, Self::SmtpUtf8 | Self::RequireTls | Self::ConPerm | Self::ConNeg);
        let value = match (flag, value) {
            (true, None) => return Ok(()),
            (true, Some(_)) | (false, None) => return Err(Rule::Value),
            (false, Some(value)) => value,
        };
        let good = match self {
            Self::Size => size(value).is_some(),
            Self::Body => BodyType::read(value).is_some(),
            Self::Ret => Ret::read(value).is_some(),
            Self::Envid => {
                let xtext = Xtext::parse(value, fixes).map_err(|invalid| invalid.rule)?;
                let envid = xtext.decode();
                // It must be able to stand in a header field of a notification (RFC 3461 §4.4).
                envid.is_ascii() && envid.len() <= LONGEST_ENVID
            }
            Self::Auth => return AuthIdentity::read(value, fixes).map(|_| ()),
            Self::By => DeliverBy::read(value).is_some(),
            Self::HoldFor => Hold::read_for(value).is_some(),
            Self::HoldUntil => Hold::read_until(value).is_some(),
            Self::MtPriority => Priority::read(value).is_some(),
            Self::Notify => Notify::read(value).is_some(),
            Self::Orcpt => return Orcpt::read(value, fixes).map(|_| ()),
            Self::Rrvs => RequireValid::read(value).is_some(),
            _ => true,
        };
        if good { Ok(()) } else { Err(Rule::Value) }
    }
}

/// The value of SIZE: up to twenty digits; what does not fit into 64 bits is the largest number that does (RFC 1870 §4).
pub(crate) fn size(value: &[u8]) -> Option<u64> {
    if value.is_empty() || value.len() > SIZE_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits_of(value, SIZE_DIGITS).unwrap_or(u64::MAX))
}

/// MAIL `AUTH`: who submitted the message (RFC 4954 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthIdentity<'a> {
    /// `<>`: not known, or not trusted.
    Nobody,
    /// A mailbox, as xtext.
    Mailbox(Xtext<'a>),
}

impl<'a> AuthIdentity<'a> {
    pub(crate) fn read(value: &'a [u8], fixes: &Fixes<'_>) -> Result<Self, Rule> {
        if value == b"<>" {
            return Ok(Self::Nobody);
        }
        if value.len() > LONGEST_AUTH {
            return Err(Rule::Value);
        }
        Xtext::parse(value, fixes).map(Self::Mailbox).map_err(|invalid| invalid.rule)
    }
}

/// A keyword and its value are one word of a command; this is what a reader of raw parameters gets.
pub(crate) type Raw<'a> = (EsmtpKeyword<'a>, Option<crate::types::EsmtpValue<'a>>);
