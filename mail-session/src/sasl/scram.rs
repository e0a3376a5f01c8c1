//! SCRAM-SHA-256 (RFC 5802, RFC 7677): the computation both sides share.

use super::crypto::{Crypto, Digest};
use super::{NoRandomness, SaslError};
use mail_wire::base64;
use std::fmt;
use std::num::NonZeroU32;
use zeroize::{Zeroize, Zeroizing};

/// The bounds of the iteration count.
pub(crate) const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;
/// The GS2 header of a client without channel binding (RFC 5802 §7).
pub(crate) const GS2: &str = "n,,";

/// What a server keeps of a password (RFC 5802 §3): enough to check a proof, not to log in elsewhere.
#[derive(Clone)]
pub struct ScramSecret {
    /// Random, for each user.
    pub salt: Vec<u8>,
    /// At least 4,096 (RFC 7677 §4).
    pub iterations: NonZeroU32,
    /// `StoredKey`.
    pub stored_key: Digest,
    /// `ServerKey`.
    pub server_key: Digest,
}

impl ScramSecret {
    /// Derives it from a password, with a fresh salt and 4,096 iterations. That takes some milliseconds: keep it.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn derive(password: &[u8], crypto: &dyn Crypto) -> Result<Self, NoRandomness> {
        let mut salt = vec![0; 16];
        crypto.random(&mut salt)?;
        Ok(Self::with_salt(password, salt, least_iterations(), crypto))
    }

    /// The same with a salt and an iteration count of the caller's.
    #[must_use]
    pub fn with_salt(password: &[u8], salt: Vec<u8>, iterations: NonZeroU32, crypto: &dyn Crypto) -> Self {
        let salted = Zeroizing::new(crypto.pbkdf2_sha256(password, &salt, iterations));
        let client_key = Zeroizing::new(crypto.hmac_sha256(&*salted, b"Client Key"));
        Self {
            salt,
            iterations,
            stored_key: crypto.sha256(&*client_key),
            server_key: crypto.hmac_sha256(&*salted, b"Server Key"),
        }
    }

    /// A secret that no password fits, for a user who does not exist: the salt is the same at every attempt, so that an exchange does not
    /// tell who exists. `key` is a secret of the server.
    #[must_use]
    pub fn decoy(user: &str, key: &[u8], crypto: &dyn Crypto) -> Self {
        let salt = crypto.hmac_sha256(key, user.as_bytes());
        let stored_key = crypto.hmac_sha256(key, &salt);
        let server_key = crypto.hmac_sha256(key, &stored_key);
        let salt = salt.iter().copied().take(16).collect();
        Self { salt, iterations: least_iterations(), stored_key, server_key }
    }
}

impl Drop for ScramSecret {
    fn drop(&mut self) {
        self.stored_key.zeroize();
        self.server_key.zeroize();
    }
}

impl fmt::Debug for ScramSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramSecret(..)")
    }
}

fn least_iterations() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(*ITERATIONS.start() - 1)
}

/// The attributes of a SCRAM message, `n=user,r=nonce` (RFC 5802 §5.1), which must come in this order. What follows them is an
/// optional extension and ignored.
pub(crate) fn attributes<'m, const N: usize>(
    message: &'m str,
    names: [&str; N],
) -> Result<[&'m str; N], SaslError> {
    let mut parts = message.split(',');
    let mut values = [""; N];
    for (value, name) in values.iter_mut().zip(names) {
        let part = parts.next().ok_or(SaslError::Malformed)?;
        *value =
            part.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).ok_or(SaslError::Malformed)?;
    }
    Ok(values)
}

/// A fresh nonce: 18 random octets in base64, which has no comma.
pub(crate) fn nonce(crypto: &dyn Crypto) -> Result<String, NoRandomness> {
    let mut octets = [0; 18];
    crypto.random(&mut octets)?;
    Ok(text(&octets))
}

pub(crate) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(base64::encode(octets).expose()).into_owned()
}

pub(crate) fn digest(text: &str) -> Result<Digest, SaslError> {
    let octets = base64::decode(text.as_bytes()).map_err(|_| SaslError::Malformed)?;
    Digest::try_from(octets.expose().as_slice()).map_err(|_| SaslError::Malformed)
}

pub(crate) fn xor(a: &Digest, b: &Digest) -> Digest {
    let mut sum = *a;
    for (to, from) in sum.iter_mut().zip(b) {
        *to ^= from;
    }
    sum
}

/// A name with `,` and `=` made safe (RFC 5802 §5.1).
pub(crate) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

/// The reverse; any other `=` is malformed.
pub(crate) fn unescape(name: &str) -> Result<String, SaslError> {
    let mut parts = name.split('=');
    let mut plain = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (octet, rest) = match (part.strip_prefix("2C"), part.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return Err(SaslError::Malformed),
        };
        plain.push(octet);
        plain.push_str(rest);
    }
    Ok(plain)
}
