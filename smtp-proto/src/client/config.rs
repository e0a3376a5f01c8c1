//! What a client begins with.

use crate::limits::Limits;
use crate::policy::Policy;

/// How a client machine is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// What a server may spend.
    pub limits: Limits,
    /// How strict the machine is.
    pub policy: Policy,
    /// LMTP: LHLO in place of EHLO, and a reply for each recipient after a body (RFC 2033 §4).
    pub lmtp: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { limits: Limits::default(), policy: Policy::client(), lmtp: false }
    }
}
