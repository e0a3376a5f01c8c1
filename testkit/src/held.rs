//! The tokens that an application holds.

use mail_wire::Returned;

/// Why a token came back, in words.
pub fn why<T>(back: Returned<T>) -> String {
    back.why.to_string()
}

/// A token that an event brought, until the transcript spends it.
#[derive(Debug)]
pub struct Held<T>(Option<T>);

impl<T> Held<T> {
    /// Keeps the token, and gives the words of the event that brought it.
    pub fn keep(&mut self, token: T, words: impl Into<String>) -> String {
        self.0 = Some(token);
        words.into()
    }

    /// The token, to be spent.
    ///
    /// # Panics
    /// If there is none: the transcript asks for what no event has brought.
    pub fn take(&mut self) -> T {
        self.0.take().expect("a token that an event has brought")
    }

    /// The token, to be used and kept.
    ///
    /// # Panics
    /// As [`take`](Self::take).
    pub fn lend(&mut self) -> &mut T {
        self.0.as_mut().expect("a token that an event has brought")
    }

    /// Whether one is held.
    pub fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(None)
    }
}
