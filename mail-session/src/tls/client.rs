//! The client's side.

use super::{CryptoProvider, Tls, TlsError, certificates};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use std::sync::Arc;

/// How a client makes TLS: whom it trusts. Certificates and names are always checked.
#[derive(Clone, Debug)]
pub struct ClientTls {
    config: Arc<ClientConfig>,
}

impl ClientTls {
    /// Trusts what the operating system trusts.
    ///
    /// # Errors
    /// [`TlsError::Rustls`] where the platform's store cannot be read.
    #[cfg(feature = "platform-verifier")]
    pub fn platform(provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        use rustls_platform_verifier::BuilderVerifierExt;
        Ok(builder(provider)?.with_platform_verifier()?.with_no_client_auth().into())
    }

    /// Trusts the certificate authorities of a PEM text and no others.
    ///
    /// # Errors
    /// [`TlsError`] where there is none, or one that cannot be read.
    pub fn with_roots(pem: &[u8], provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate)?;
        }
        Ok(builder(provider)?.with_root_certificates(roots).with_no_client_auth().into())
    }

    /// One side of one connection, to the server of this name or address.
    ///
    /// # Errors
    /// [`TlsError::Name`] for what is neither a domain name nor an address.
    pub fn to(&self, host: &str) -> Result<Tls, TlsError> {
        let name = ServerName::try_from(host).map_err(|_| TlsError::Name)?.to_owned();
        Ok(Tls::client(Arc::clone(&self.config), name)?)
    }
}

/// A configuration made by hand: client certificates, ALPN, pinning.
impl From<Arc<ClientConfig>> for ClientTls {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self { config }
    }
}

impl From<ClientConfig> for ClientTls {
    fn from(config: ClientConfig) -> Self {
        Arc::new(config).into()
    }
}

fn builder(provider: Arc<CryptoProvider>) -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    Ok(ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?)
}
