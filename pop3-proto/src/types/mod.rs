//! The validated values that commands and replies are made of. Whatever is made here can stand on the wire: none
//! holds CR, LF or NUL. What belongs here is one value and its rule; what is put together of them does not.

mod code;
mod login;
mod message;
mod sasl;
mod text;

pub use code::Code;
pub use login::{Digest, MsgId, Password, UserName};
pub use message::{MessageNumber, UniqueId};
pub use sasl::{InitialResponse, Mechanism};
pub use text::{LanguageRange, LanguageTag, ReplyText};

use crate::error::{Invalid, Rule};

/// No CR, LF or NUL, and not empty.
fn one_line(octets: &[u8]) -> Result<(), Invalid> {
    // CR or LF would begin another command, and NUL ends a string elsewhere (RFC 1939 §3).
    match octets {
        [] => Err(Invalid(Rule::Missing)),
        _ if memchr::memchr3(b'\r', b'\n', 0, octets).is_some() => Err(Invalid(Rule::Octet)),
        _ => Ok(()),
    }
}
