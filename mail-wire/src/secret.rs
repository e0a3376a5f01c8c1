//! Values that no log may show: passwords, tokens, SASL messages.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

/// A value whose `Debug` shows nothing of it. There is no `Display`.
///
/// ```
/// use mail_wire::Secret;
/// let password = Secret::new("wonderland");
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// assert_eq!(password.expose(), &"wonderland");
/// ```
#[derive(Clone, Copy)]
pub struct Secret<T>(T);

/// Owned secret octets, overwritten when dropped.
pub type SecretBuf = Secret<Zeroizing<Vec<u8>>>;

impl<T> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Every call of this is a place to look at in a review.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T: AsRef<[u8]>> Secret<T> {
    /// Compares without telling by the time where the first difference is. The length may show.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        let mine = self.0.as_ref();
        let differs = mine.iter().zip(other).fold(0_u8, |sum, (a, b)| sum | (a ^ b));
        mine.len() == other.len() && core::hint::black_box(differs) == 0
    }
}

impl From<&[u8]> for SecretBuf {
    fn from(octets: &[u8]) -> Self {
        Self(Zeroizing::new(octets.to_vec()))
    }
}

impl From<&str> for SecretBuf {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<String> for SecretBuf {
    /// Takes the memory over, so that nothing of it is left behind.
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<Vec<u8>> for SecretBuf {
    fn from(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_octets_match_and_no_others_do() {
        let secret = SecretBuf::from(&b"abc"[..]);
        let inner = Secret::new(secret.expose().as_slice());
        assert!(inner.matches(b"abc"));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!inner.matches(other));
        }
    }
}
