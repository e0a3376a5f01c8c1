//! APOP (RFC 1939 §7), for hosts that cannot do without. Feature `legacy-md5`.
//!
//! The password stays with the host: what leaves the library is what the client has proved, to be compared there.

use crate::sasl::Crypto;
use mail_pop3_proto::ext::apop::digest;
use mail_pop3_proto::server::Stamp;
use mail_pop3_proto::types::{Digest, MsgId};
use std::fmt;

/// What a client gives for its password: the digest of the greeting's stamp and the password (RFC 1939 §7).
pub struct Apop {
    stamp: Box<[u8]>,
    digest: Digest,
}

impl Apop {
    pub(super) fn new(stamp: &[u8], digest: Digest) -> Self {
        Self { stamp: stamp.into(), digest }
    }

    /// Whether it is made with this password. The time taken does not tell where a wrong one differs.
    #[must_use]
    pub fn is_of(&self, password: &[u8]) -> bool {
        // The stamp is the server's own, which is one.
        MsgId::try_from(&*self.stamp).is_ok_and(|stamp| digest(stamp, password).matches(&self.digest))
    }

    /// The stamp of the greeting, its brackets included: for hosts that have the digest made elsewhere.
    #[must_use]
    pub fn stamp(&self) -> &[u8] {
        &self.stamp
    }

    /// The digest of the client. Compare it by [`Digest::matches`].
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

impl fmt::Debug for Apop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Apop(..)")
    }
}

/// A stamp that no greeting had before and nobody can foretell: whoever knew it in advance could have it answered by the client beforehand.
/// The name behind it says nothing, for it is the digits that make it unique.
pub(super) fn stamp(crypto: &dyn Crypto) -> Option<Stamp> {
    let mut octets = [0; 16];
    crypto.random(&mut octets).ok()?;
    let mut stamp = String::from("<");
    for octet in octets {
        stamp.push_str(&format!("{octet:02x}"));
    }
    stamp.push_str("@localhost>");
    Stamp::try_from(stamp.as_str()).ok()
}
