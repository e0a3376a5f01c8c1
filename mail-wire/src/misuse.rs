//! What a caller did wrong. State is unchanged, and a token that was handed in comes back.

use core::fmt;

/// A call that the machine does not take now.
///
/// This is the first of the three families of errors: the caller's. Nothing was written and nothing
/// changed, so the call may be made again when its reason is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The token is not the one that is owed: stale, or of another machine.
    #[error("the token is not the one that is owed")]
    NotOwed,
    /// Something in flight must end first: a hand-over, an exchange, a body, an IDLE.
    #[error("what is in flight must end first")]
    MustWait,
    /// The state of the session does not allow it.
    #[error("not possible in this state")]
    NotInState,
    /// The peer does not offer the extension, or we do not.
    #[error("the extension {0} is not offered")]
    NotOffered(&'static str),
    /// The policy of this connection forbids it, such as a password before TLS.
    #[error("the policy forbids it: {0}")]
    Forbidden(&'static str),
    /// The encoded form would be longer than this limit, in octets.
    #[error("longer than the limit of {0} octets")]
    TooLong(usize),
    /// A body was given more octets than were announced, or was ended with fewer.
    #[error("the octets given differ from those announced")]
    WrongLength,
    /// The value cannot stand on the wire here.
    #[error("the value does not fit: {0}")]
    Invalid(&'static str),
    /// The session is over.
    #[error("the session is over")]
    Over,
}

/// What a call gives that may be a misuse: nothing, or why nothing was done.
pub type Done = Result<(), Misuse>;

/// What a call gives that spends a token: nothing, or the token back with the reason.
pub type Redeemed<T> = Result<(), Returned<T>>;

/// A misuse by a call that takes a token: the token comes back with the reason.
#[must_use]
pub struct Returned<T> {
    /// What was handed in, still good for what it was made for.
    pub token: T,
    /// Why the call was not taken.
    pub why: Misuse,
}

impl<T> Returned<T> {
    /// Puts a token and a reason together.
    pub fn new(token: T, why: Misuse) -> Self {
        Self { token, why }
    }
}

impl<T> fmt::Debug for Returned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").field("why", &self.why).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Returned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<T> core::error::Error for Returned<T> {}

impl<T> From<Returned<T>> for Misuse {
    fn from(returned: Returned<T>) -> Self {
        returned.why
    }
}
