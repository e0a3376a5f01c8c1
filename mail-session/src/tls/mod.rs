//! What TLS is made with.
//!
//! The crypto provider is always passed explicitly and never taken from the process: `provider` gives the one of the feature
//! `ring`, and any other will do. A session takes a [`ClientTls`] or a [`ServerTls`]; both are cheap to clone and made once
//! for many connections.
//!
//! # Another provider
//!
//! Every function that makes TLS takes a [`CryptoProvider`]. For one that is not rustls' own, such as a crate of the platform's, or
//! `rustls::crypto::aws_lc_rs::default_provider()`, name it in your own manifest and switch the default features of this crate off:
//! then `ring` is neither built nor linked.
//!
//! ```toml
//! mail-session = { version = "0.1", default-features = false, features = ["platform-verifier"] }
//! rustls = { version = "0.23", default-features = false, features = ["aws_lc_rs"] }
//! ```
//!
//! Here a provider is made by hand, of one key exchange and the cipher suites of TLS 1.3:
//!
//! ```
//! # #[cfg(feature = "ring")]
//! # fn main() {
//! use mail_session::tls::{ClientTls, CryptoProvider, ServerTls, TlsError, rustls::crypto::ring};
//! use std::sync::Arc;
//!
//! fn mine() -> CryptoProvider {
//!     let mut provider = ring::default_provider();
//!     provider.kx_groups = vec![ring::kx_group::X25519];
//!     provider.cipher_suites.retain(|suite| suite.tls13().is_some());
//!     provider
//! }
//!
//! fn client(roots: &[u8]) -> Result<ClientTls, TlsError> {
//!     ClientTls::with_roots(roots, Arc::new(mine()))
//! }
//!
//! fn server(chain: &[u8], key: &[u8]) -> Result<ServerTls, TlsError> {
//!     ServerTls::from_pem(chain, key, Arc::new(mine()))
//! }
//!
//! let own = rcgen::generate_simple_self_signed(vec!["mail.example.org".to_owned()]).unwrap();
//! let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
//! assert!(client(chain.as_bytes()).unwrap().to("mail.example.org").is_ok());
//! assert!(server(chain.as_bytes(), key.as_bytes()).unwrap().begin().is_ok());
//! # }
//! # #[cfg(not(feature = "ring"))]
//! # fn main() {}
//! ```
//!
//! SCRAM needs SHA-256 beside TLS: an opening takes it by `log_in_with`, a server's exchange by its argument, both as a
//! [`Crypto`](crate::sasl::Crypto).

mod client;
mod server;

pub use client::ClientTls;
pub use server::ServerTls;

pub use rustls;
pub use rustls::crypto::CryptoProvider;
pub use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConnection, Connection, ServerConnection};
use std::sync::Arc;

/// The crypto provider of the feature `ring`.
#[cfg(feature = "ring")]
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Why no TLS can be made with what was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The text is not PEM, or not PEM of this kind.
    #[error("PEM: {0}")]
    Pem(pem::Error),
    /// There is no certificate in the PEM.
    #[error("no certificate in the PEM")]
    NoCertificate,
    /// A certificate, a key or the provider does not do.
    #[error("{0}")]
    Rustls(rustls::Error),
    /// The host is neither a domain name nor an address.
    #[error("not the name of a server")]
    Name,
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Rustls(error)
    }
}

impl From<pem::Error> for TlsError {
    fn from(error: pem::Error) -> Self {
        Self::Pem(error)
    }
}

/// One side of one TLS connection, not yet begun.
#[derive(Debug)]
pub struct Tls(Connection);

impl Tls {
    /// A client that expects a certificate of `name`.
    ///
    /// # Errors
    /// Those of rustls for a configuration that does not do.
    pub fn client(
        config: Arc<rustls::ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, rustls::Error> {
        Ok(Self(ClientConnection::new(config, name)?.into()))
    }

    /// A server.
    ///
    /// # Errors
    /// Those of rustls for a configuration that does not do.
    pub fn server(config: Arc<rustls::ServerConfig>) -> Result<Self, rustls::Error> {
        Ok(Self(ServerConnection::new(config)?.into()))
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.0
    }
}

/// All certificates of a PEM text.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() { Err(TlsError::NoCertificate) } else { Ok(certificates) }
}
