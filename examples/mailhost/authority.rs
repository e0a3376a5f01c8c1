//! A certificate authority that lives as long as the process, and one certificate of it for `localhost`.

use mail_session::tls::{ServerTls, provider};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use std::error::Error;

/// What a server shows, and what a client has to trust.
pub struct Identity {
    /// The server's side.
    pub tls: ServerTls,
    /// The authority's certificate in PEM, for clients.
    pub ca: String,
}

/// Makes an authority and a certificate for `localhost`, `127.0.0.1` and `::1`.
pub fn make() -> Result<Identity, Box<dyn Error + Send + Sync>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "mailhost authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &authority)?;

    let tls = ServerTls::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes(), provider())?;
    Ok(Identity { tls, ca: authority.pem() })
}
