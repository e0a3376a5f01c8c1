//! How a token knows whose it is.
//!
//! Every obligation (an answer owed, a body granted, a unit framed) is a value that is moved. The
//! compiler sees to it that it is used at most once; a [`Stamp`] inside sees to it that it is used on
//! the machine that gave it out, and while it is still owed.

use crate::misuse::{Done, Misuse};
use core::sync::atomic::{AtomicU32, Ordering};

/// The number of sources made so far in this process. It only tells sources apart and steers nothing.
static SOURCES: AtomicU32 = AtomicU32::new(0);

/// Where stamps come from: one for each machine and each input.
#[derive(Debug)]
pub struct Source {
    id: u32,
    next: u32,
}

impl Source {
    /// A source whose stamps equal those of no other source.
    ///
    /// After 2³² sources numbers return; a stamp is then told apart by its serial number alone.
    #[must_use]
    pub fn new() -> Self {
        Self { id: SOURCES.fetch_add(1, Ordering::Relaxed), next: 0 }
    }

    /// The next stamp.
    pub fn issue(&mut self) -> Stamp {
        self.next = self.next.wrapping_add(1);
        Stamp { source: self.id, serial: self.next }
    }

    /// Whether `stamp` is the one that was issued last.
    #[must_use]
    pub fn is_latest(&self, stamp: Stamp) -> bool {
        stamp == Stamp { source: self.id, serial: self.next }
    }

    /// Whether a token may be spent: it is due, and it is the latest of ours.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`].
    pub fn owes(&self, stamp: Stamp, due: bool) -> Done {
        if due && self.is_latest(stamp) { Ok(()) } else { Err(Misuse::NotOwed) }
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::new()
    }
}

/// What a token carries: its source and a serial number.
///
/// A stamp by itself obliges to nothing, so it may be copied; the token around it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    source: u32,
    serial: u32,
}

impl Stamp {
    /// The serial number, for messages and logs.
    #[must_use]
    pub fn serial(self) -> u32 {
        self.serial
    }
}

/// Makes token types: a [`Stamp`] that is moved, never copied, and shows nothing but its name.
///
/// The crate that makes a token reads its stamp; nobody else can make or open one.
///
/// ```
/// mail_wire::tokens! {
///     /// The answer to a command is owed.
///     Answer "the client waits for its answer",
/// }
/// # let token = Answer(mail_wire::Source::new().issue());
/// assert_eq!(format!("{token:?}"), "Answer(..)");
/// ```
#[macro_export]
macro_rules! tokens {
    ($($(#[$doc:meta])* $name:ident $why:literal,)*) => {
        $(
            $(#[$doc])*
            #[must_use = $why]
            pub struct $name(pub(crate) $crate::Stamp);

            impl ::core::fmt::Debug for $name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(::core::concat!(::core::stringify!($name), "(..)"))
                }
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_two_sources_differ_at_equal_serials() {
        let (mut one, mut two) = (Source::new(), Source::new());
        let (a, b) = (one.issue(), two.issue());
        assert_eq!(a.serial(), b.serial());
        assert_ne!(a, b);
        assert!(one.is_latest(a));
        assert!(!one.is_latest(b));
    }

    #[test]
    fn an_older_stamp_is_not_the_latest() {
        let mut source = Source::new();
        let old = source.issue();
        let new = source.issue();
        assert!(!source.is_latest(old));
        assert!(source.is_latest(new));
        assert_eq!(source.owes(old, true), Err(Misuse::NotOwed));
        assert_eq!(source.owes(new, false), Err(Misuse::NotOwed));
        assert_eq!(source.owes(new, true), Ok(()));
    }
}
