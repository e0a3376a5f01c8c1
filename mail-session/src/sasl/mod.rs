//! SASL (RFC 4422): the mechanisms, for clients and servers, without a socket. The machines carry the exchange, this module makes its
//! messages.
//!
//! | mechanism | standard | client | server |
//! |---|---|---|---|
//! | SCRAM-SHA-256 | RFC 5802, RFC 7677 | yes | yes |
//! | PLAIN | RFC 4616 | yes | yes |
//! | LOGIN | none; still met | yes | yes |
//! | XOAUTH2 | none; in wide use | yes | no |
//! | OAUTHBEARER | RFC 7628 | yes | no |
//!
//! User names and passwords go as they are: preparing them (RFC 8265) is left to the caller, and changes nothing for ASCII.
//!
//! # One exchange
//!
//! A client begins with [`client::Exchange::choose`], sends [`initial`](client::Exchange::initial), answers each challenge with
//! [`step`](client::Exchange::step), and believes a success only if [`verify`](client::Exchange::verify) does. A server begins with
//! [`server::Exchange::begin`] and does what each [`server::Step`] says.

pub mod client;
mod crypto;
mod scram;
pub mod server;

#[cfg(feature = "ring")]
pub use crypto::crypto;
pub use crypto::{Crypto, Digest, NoRandomness};
pub use scram::ScramSecret;

/// Why an exchange cannot go on. Holds no octet of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaslError {
    /// A message that is none of the mechanism.
    #[error("the message is not one of the mechanism")]
    Malformed,
    /// A message where none is due.
    #[error("no message is due")]
    Unexpected,
    /// The iteration count is outside 4,096 to 1,000,000 (RFC 7677 §4; more would let a server burn our time).
    #[error("iteration count out of bounds")]
    Iterations,
    /// A SCRAM nonce that does not continue ours.
    #[error("the nonce is not a continuation")]
    Nonce,
    /// The proof is wrong: the password is.
    #[error("the proof does not match")]
    Proof,
    /// The server has not proved that it knows the password: success must not be believed (RFC 5802 §5).
    #[error("the server has not proved itself")]
    ServerUnproved,
    /// The server refused inside the exchange.
    #[error("the server refuses")]
    Refused,
    /// A user name or password that cannot be carried: a NUL in PLAIN, for one.
    #[error("credentials that cannot be carried")]
    Credentials,
    /// The source of the token gave none.
    #[error("no token")]
    NoToken,
    /// No random octets for a nonce.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

#[cfg(all(test, feature = "ring"))]
mod tests;
