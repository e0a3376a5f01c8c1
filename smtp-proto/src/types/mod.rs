//! Validated values. What can be built can be written: none of them holds CR, LF, NUL or an unescaped quote.
//!
//! A limit of the standard is part of the type (RFC 5321 §4.5.3.1), so that what is built here is not refused elsewhere for its size. What
//! may go beyond ASCII says so by its constructor, for it can be sent only where the server offers SMTPUTF8 (RFC 6531 §3.2).
//!
//! They borrow, so that the same type serves an event and an encoder: `Mailbox::try_from("a@b.example")` and the mailbox of a RCPT that
//! arrived are one type. What belongs here is used by more than one command or reply; parameters of
//! extensions are in [`ext`](crate::ext).

mod code;
mod domain;
mod keyword;
mod mailbox;
mod mechanism;
pub(crate) mod octets;
mod text;
mod xtext;

pub use code::{Code, EnhancedCode};
pub use domain::{Domain, DomainKind, EhloName};
pub use keyword::{EsmtpKeyword, EsmtpValue};
pub use mailbox::{ForwardPath, Mailbox, ReversePath};
pub use mechanism::Mechanism;
pub use text::{CommandText, EhloText, ReplyText, VrfyArgument};
pub use xtext::{AddressType, Xtext};

pub(crate) use domain::domain;
pub(crate) use keyword::keyword;
pub(crate) use mailbox::mailbox;
pub(crate) use xtext::unicode_address;

/// Writes what every newtype over octets has: the octets, the text, `Debug`, `Display`, `TryFrom`.
macro_rules! newtype {
    ($name:ident) => {
        impl<'a> $name<'a> {
            /// The octets as they stand on the wire.
            #[must_use]
            pub const fn as_bytes(&self) -> &'a [u8] {
                self.0
            }

            /// The same as text. Empty if it is no UTF-8, which only a tolerant parser lets through.
            #[must_use]
            pub fn as_str(&self) -> &'a str {
                core::str::from_utf8(self.0).unwrap_or_default()
            }
        }

        impl<'a> TryFrom<&'a [u8]> for $name<'a> {
            type Error = $crate::error::Invalid;
            fn try_from(octets: &'a [u8]) -> Result<Self, $crate::error::Invalid> {
                Self::new(octets)
            }
        }

        impl<'a> TryFrom<&'a str> for $name<'a> {
            type Error = $crate::error::Invalid;
            fn try_from(text: &'a str) -> Result<Self, $crate::error::Invalid> {
                Self::new(text.as_bytes())
            }
        }

        impl core::fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&self.0.escape_ascii(), f)
            }
        }

        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "(\"{}\")"), self.0.escape_ascii())
            }
        }
    };
}
pub(crate) use newtype;

#[cfg(test)]
mod tests;
