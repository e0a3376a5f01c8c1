//! What a client begins with.

use crate::limits::Limits;
use crate::policy::Policy;

/// The settings of one client connection.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the server may spend.
    pub limits: Limits,
    /// The policies; [`Policy::client`] by default.
    pub policy: Policy,
}

impl Default for Config {
    fn default() -> Self {
        Self { limits: Limits::default(), policy: Policy::client() }
    }
}
