//! What SCRAM computes with. The crypto provider in use has it already, so that no crate is added.

use std::num::NonZeroU32;

/// Octets of a SHA-256.
pub type Digest = [u8; 32];

/// The functions of SCRAM-SHA-256 (RFC 7677 §4), to be filled by whatever cryptography a program uses.
pub trait Crypto: Send + Sync {
    /// SHA-256 of `octets`.
    fn sha256(&self, octets: &[u8]) -> Digest;
    /// HMAC-SHA-256 of `octets` (RFC 2104).
    fn hmac_sha256(&self, key: &[u8], octets: &[u8]) -> Digest;
    /// PBKDF2 with HMAC-SHA-256, one block (RFC 8018 §5.2): `Hi` of RFC 5802 §2.2.
    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Digest;
    /// Fills `octets` from the system's source of randomness.
    ///
    /// # Errors
    /// [`NoRandomness`] where the system has none to give.
    fn random(&self, octets: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The system gave no random octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random octets")]
pub struct NoRandomness;

/// The functions of the feature `ring`.
#[cfg(feature = "ring")]
#[must_use]
pub fn crypto() -> &'static dyn Crypto {
    &Ring
}

#[cfg(feature = "ring")]
#[derive(Debug)]
struct Ring;

#[cfg(feature = "ring")]
impl Crypto for Ring {
    fn sha256(&self, octets: &[u8]) -> Digest {
        digest(ring::digest::digest(&ring::digest::SHA256, octets).as_ref())
    }

    fn hmac_sha256(&self, key: &[u8], octets: &[u8]) -> Digest {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        digest(ring::hmac::sign(&key, octets).as_ref())
    }

    fn pbkdf2_sha256(&self, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Digest {
        let mut derived = Digest::default();
        ring::pbkdf2::derive(ring::pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, password, &mut derived);
        derived
    }

    fn random(&self, octets: &mut [u8]) -> Result<(), NoRandomness> {
        use ring::rand::SecureRandom as _;
        ring::rand::SystemRandom::new().fill(octets).map_err(|_| NoRandomness)
    }
}

#[cfg(feature = "ring")]
fn digest(octets: &[u8]) -> Digest {
    let mut digest = Digest::default();
    for (to, from) in digest.iter_mut().zip(octets) {
        *to = *from;
    }
    digest
}
