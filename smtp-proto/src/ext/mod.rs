//! Extensions: their keywords, their parameters, and typed values for them, a file each.
//!
//! A new extension goes here: its keyword into [`Extension`], its parameters into [`Parameter`], its value
//! into a file of its own. Verbs go into [`command`](crate::command). What is unknown stays raw.

mod body;
mod delivery;
mod dsn;
mod ehlo;
mod parameter;
mod params;

pub use body::BodyType;
pub use delivery::{ByMode, DeliverBy, Hold, Priority, RequireValid};
pub use dsn::{Notify, Orcpt, Ret};
pub use ehlo::{EhloLine, EhloReply};
pub use parameter::{AuthIdentity, Parameter};
pub use params::{Params, ParamsBuf};

pub(crate) use delivery::digits_of;
pub(crate) use params::{Of, params};

use core::fmt;

/// An extension that this crate knows, by the keyword of its line in the EHLO reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Extension {
    /// RFC 2920.
    Pipelining,
    /// RFC 1870.
    Size,
    /// RFC 6152.
    EightBitMime,
    /// RFC 2034.
    EnhancedStatusCodes,
    /// RFC 3207.
    StartTls,
    /// RFC 4954.
    Auth,
    /// RFC 3030.
    Chunking,
    /// RFC 3030.
    BinaryMime,
    /// RFC 3461.
    Dsn,
    /// RFC 6531.
    SmtpUtf8,
    /// RFC 5321 §4.1.1.8.
    Help,
    /// RFC 5321 §4.1.1.6.
    Vrfy,
    /// RFC 5321 §4.1.1.7.
    Expn,
    /// RFC 1985.
    Etrn,
    /// RFC 2852.
    DeliverBy,
    /// RFC 4865.
    FutureRelease,
    /// RFC 6710.
    MtPriority,
    /// RFC 7293.
    Rrvs,
    /// RFC 8689.
    RequireTls,
    /// RFC 9422.
    Limits,
    /// RFC 3865.
    NoSoliciting,
    /// RFC 3885.
    Mtrk,
    /// RFC 4141.
    ConPerm,
    /// RFC 4141.
    ConNeg,
    /// RFC 4468.
    Burl,
    /// RFC 1845.
    Checkpoint,
    /// RFC 4405.
    Submitter,
    /// RFC 2645.
    Atrn,
    /// Postfix's XCLIENT.
    XClient,
    /// Postfix's XFORWARD.
    XForward,
}

impl Extension {
    /// All of them, in the order in which an EHLO reply names them.
    pub const ALL: [Self; 30] = [
        Self::Pipelining,
        Self::Size,
        Self::EightBitMime,
        Self::EnhancedStatusCodes,
        Self::StartTls,
        Self::Auth,
        Self::Chunking,
        Self::BinaryMime,
        Self::Dsn,
        Self::SmtpUtf8,
        Self::Help,
        Self::Vrfy,
        Self::Expn,
        Self::Etrn,
        Self::DeliverBy,
        Self::FutureRelease,
        Self::MtPriority,
        Self::Rrvs,
        Self::RequireTls,
        Self::Limits,
        Self::NoSoliciting,
        Self::Mtrk,
        Self::ConPerm,
        Self::ConNeg,
        Self::Burl,
        Self::Checkpoint,
        Self::Submitter,
        Self::Atrn,
        Self::XClient,
        Self::XForward,
    ];

    /// The keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Pipelining => "PIPELINING",
            Self::Size => "SIZE",
            Self::EightBitMime => "8BITMIME",
            Self::EnhancedStatusCodes => "ENHANCEDSTATUSCODES",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Chunking => "CHUNKING",
            Self::BinaryMime => "BINARYMIME",
            Self::Dsn => "DSN",
            Self::SmtpUtf8 => "SMTPUTF8",
            Self::Help => "HELP",
            Self::Vrfy => "VRFY",
            Self::Expn => "EXPN",
            Self::Etrn => "ETRN",
            Self::DeliverBy => "DELIVERBY",
            Self::FutureRelease => "FUTURERELEASE",
            Self::MtPriority => "MT-PRIORITY",
            Self::Rrvs => "RRVS",
            Self::RequireTls => "REQUIRETLS",
            Self::Limits => "LIMITS",
            Self::NoSoliciting => "NO-SOLICITING",
            Self::Mtrk => "MTRK",
            Self::ConPerm => "CONPERM",
            Self::ConNeg => "CONNEG",
            Self::Burl => "BURL",
            Self::Checkpoint => "CHECKPOINT",
            Self::Submitter => "SUBMITTER",
            Self::Atrn => "ATRN",
            Self::XClient => "XCLIENT",
            Self::XForward => "XFORWARD",
        }
    }

    /// The extension of a keyword, compared without case.
    #[must_use]
    pub fn of(keyword: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.keyword().as_bytes().eq_ignore_ascii_case(keyword))
    }

    const fn bit(self) -> u32 {
        1_u32.wrapping_shl(self as u32)
    }
}

/// A set of extensions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Extensions(u32);

impl Extensions {
    /// None.
    pub const NONE: Self = Self(0);

    /// The set with one more.
    #[must_use]
    pub const fn with(self, extension: Extension) -> Self {
        Self(self.0 | extension.bit())
    }

    /// The set without one.
    #[must_use]
    pub const fn without(self, extension: Extension) -> Self {
        Self(self.0 & !extension.bit())
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn has(self, extension: Extension) -> bool {
        self.0 & extension.bit() != 0
    }

    /// Whether all of another set are in this.
    #[must_use]
    pub const fn has_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Those in the set.
    pub fn iter(self) -> impl Iterator<Item = Extension> {
        Extension::ALL.into_iter().filter(move |extension| self.has(*extension))
    }
}

impl FromIterator<Extension> for Extensions {
    fn from_iter<I: IntoIterator<Item = Extension>>(extensions: I) -> Self {
        extensions.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
