//! What a server begins with.

use crate::error::{Invalid, Rule};
use crate::ext::capa::Capabilities;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::types::{LanguageTag, MsgId, ReplyText};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// The settings of one server connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the client may spend.
    pub limits: Limits,
    /// The policies; [`Policy::server`] by default.
    pub policy: Policy,
    /// What is offered: shared by all connections. What is not in it is refused.
    pub offer: Arc<Offer>,
    /// The stamp of this connection, for APOP: another one for each greeting (RFC 1939 §7). The greeting has none where the policy
    /// refuses APOP, or wants TLS first. It is forgotten at STLS: APOP is then refused.
    pub stamp: Option<Stamp>,
}

impl Default for Config {
    fn default() -> Self {
        Self { limits: Limits::default(), policy: Policy::server(), offer: Arc::default(), stamp: None }
    }
}

/// What a server offers (RFC 2449 §5).
#[derive(Clone, Debug)]
pub struct Offer {
    /// The capabilities in the order in which CAPA tells them. The machine leaves out what the state of the connection rules
    /// out: STLS under TLS, log-ins by password before it.
    pub capabilities: Capabilities,
    /// The languages that a bare LANG tells, each with its own name in it (RFC 6856 §3.2).
    pub languages: Vec<Language>,
}

impl Default for Offer {
    /// TOP, UIDL, USER, PIPELINING, RESP-CODES, AUTH-RESP-CODE, STLS; SASL and what else there may be is for the caller
    /// to add.
    fn default() -> Self {
        let mut capabilities = Capabilities::new();
        for line in ["TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "STLS"] {
            // None of these can be refused.
            let _ = capabilities.add(line.as_bytes());
        }
        Self { capabilities, languages: Vec::new() }
    }
}

/// A language that replies may be in (RFC 6856 §3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    tag: Box<str>,
    description: String,
}

impl Language {
    /// A language by its tag, and its name in the language itself, which may be empty.
    #[must_use]
    pub fn new(tag: LanguageTag<'_>, description: ReplyText<'_>) -> Self {
        Self { tag: tag.as_str().into(), description: description.as_str().into() }
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Its name in the language itself.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }
}

/// A stamp that a server keeps (RFC 1939 §7, APOP).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Box<[u8]>);

impl Stamp {
    /// The longest, in octets: it fits the 512 of a greeting with any response code (RFC 2449 §4).
    pub const MAX: usize = ReplyText::MAX;

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

/// See [`MsgId`]. Where it leaves no room for the text of the greeting, the text gives way.
impl TryFrom<MsgId<'_>> for Stamp {
    type Error = Invalid;

    fn try_from(id: MsgId<'_>) -> Result<Self, Invalid> {
        if id.octets().len() > Self::MAX {
            return Err(Invalid(Rule::TooLong));
        }
        Ok(Self(id.octets().into()))
    }
}

impl TryFrom<&str> for Stamp {
    type Error = Invalid;

    fn try_from(text: &str) -> Result<Self, Invalid> {
        MsgId::try_from(text.as_bytes()).and_then(Self::try_from)
    }
}
