//! What a server begins with.

use super::Offer;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::types::EhloName;
use alloc::sync::Arc;

/// How a server machine is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What a client may spend.
    pub limits: Limits,
    /// How strict the machine is.
    pub policy: Policy,
    /// What is offered: shared by all connections. What is not in it is refused.
    pub offer: Arc<Offer>,
    /// LMTP: LHLO in place of EHLO, and a reply for each recipient after a body (RFC 2033 §4).
    pub lmtp: bool,
}

impl Config {
    /// The defaults, with the name of the server.
    #[must_use]
    pub fn new(name: EhloName<'_>) -> Self {
        let offer = Arc::new(Offer::new(name));
        Self { limits: Limits::default(), policy: Policy::server(), offer, lmtp: false }
    }
}

impl Default for Config {
    /// Named `localhost`.
    fn default() -> Self {
        Self::new(EhloName::parsed(b"localhost"))
    }
}
