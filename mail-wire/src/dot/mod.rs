//! Dot-stuffing both ways: how SMTP and POP3 carry a message of any length behind a line (RFC 5321 §4.5.2,
//! RFC 1939 §3).
//!
//! Slices in, slices out: a body is searched for `CRLF .` and never cut into lines, and a large piece that
//! is to be sent is queued uncopied.
//!
//! The end of a body is `CRLF . CRLF` and nothing else, whatever the policy: a bare CR or LF ends no line of a
//! body, so that no two servers can see the end of one message at two places. POP3 alone may be told that
//! LF ends all lines of an answer, the terminator's included ([`DotDecoder::lf`]).

mod bare;
mod decode;
mod encode;

pub use bare::{BareScan, BodyEol, BodyFault};
pub use decode::{Dot, DotDecoder};
pub use encode::DotEncoder;
