//! The server's side.

use super::{CryptoProvider, Tls, TlsError, certificates};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use std::sync::Arc;

/// How a server makes TLS: its certificate and key.
#[derive(Clone, Debug)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
}

impl ServerTls {
    /// From PEM texts: the certificate chain, the server's own first, and its key (PKCS #8, PKCS #1 or SEC 1). One text may
    /// hold both.
    ///
    /// # Errors
    /// [`TlsError`] where one of them is missing, cannot be read, or does not fit the other.
    pub fn from_pem(chain: &[u8], key: &[u8], provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::from_pem_slice(key)?;
        Ok(ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates(chain)?, key)?
            .into())
    }

    /// One side of one connection.
    ///
    /// # Errors
    /// Those of rustls for a configuration that does not do.
    pub fn begin(&self) -> Result<Tls, TlsError> {
        Ok(Tls::server(Arc::clone(&self.config))?)
    }
}

/// A configuration made by hand: several names, client certificates, ALPN.
impl From<Arc<ServerConfig>> for ServerTls {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self { config }
    }
}

impl From<ServerConfig> for ServerTls {
    fn from(config: ServerConfig) -> Self {
        Arc::new(config).into()
    }
}
