//! Certificates made for a test run. Resumption is off: it would make the second handshake shorter than the first.

use mail_session::tls::rustls::client::Resumption;
use mail_session::tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use mail_session::tls::rustls::version::TLS12;
use mail_session::tls::rustls::{
    ALL_VERSIONS, ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
};
use mail_session::tls::{ClientTls, ServerTls, provider};
use std::sync::{Arc, OnceLock};

pub const HOST: &str = "mail.example.org";

pub type Configs = (Arc<ClientConfig>, Arc<ServerConfig>);

pub fn pair() -> (ClientTls, ServerTls) {
    let (client, server) = configs();
    (client.into(), server.into())
}

/// The same, for peers by hand.
pub fn configs() -> Configs {
    static CONFIGS: OnceLock<Configs> = OnceLock::new();
    CONFIGS.get_or_init(|| make(ALL_VERSIONS)).clone()
}

/// Both sides speak TLS 1.2 alone.
pub fn pair_1_2() -> (ClientTls, ServerTls) {
    let (client, server) = make(&[&TLS12]);
    (client.into(), server.into())
}

fn make(versions: &[&'static SupportedProtocolVersion]) -> Configs {
    let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned(), "localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.resumption = Resumption::disabled();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (Arc::new(client), Arc::new(server))
}
