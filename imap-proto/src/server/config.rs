//! What a server begins with.

use crate::limits::Limits;
use crate::policy::Policy;
use crate::types::Invalid;
use crate::types::capability::Capabilities;
use alloc::string::String;
use alloc::sync::Arc;

/// The settings of one server connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the client may spend.
    pub limits: Limits,
    /// The policies; [`Policy::server`] by default.
    pub policy: Policy,
    /// What is offered: shared by all connections.
    pub offer: Arc<Offer>,
}

impl Default for Config {
    fn default() -> Self {
        Self { limits: Limits::default(), policy: Policy::server(), offer: Arc::default() }
    }
}

/// The capabilities of a server, in the order in which it tells them.
///
/// The machine leaves out what the state of a connection rules out: STARTTLS under TLS, mechanisms after the log-in, those that show
/// the password before TLS where the policy refuses them; and then it adds LOGINDISABLED (RFC 9051 §6.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer(String);

impl Offer {
    /// Checks capabilities with single spaces between them. Each `AUTH=` names a mechanism that the application knows.
    ///
    /// # Errors
    /// [`Invalid`] where one is no atom, or there is none.
    pub fn new(capabilities: &str) -> Result<Self, Invalid> {
        Capabilities::new(capabilities.as_bytes())?;
        if capabilities.is_empty() { Err(Invalid::Empty) } else { Ok(Self(capabilities.into())) }
    }

    /// The capabilities, in any state.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::wire(self.0.as_bytes())
    }
}

impl Default for Offer {
    /// What the machine does by itself or hands to any application: IMAP4rev1, LITERAL-, SASL-IR, ENABLE, ID, IDLE, NAMESPACE,
    /// UNSELECT, STARTTLS. Mechanisms are for the caller to add.
    fn default() -> Self {
        Self("IMAP4rev1 LITERAL- SASL-IR ENABLE ID IDLE NAMESPACE UNSELECT STARTTLS".into())
    }
}
