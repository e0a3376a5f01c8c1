//! The words that mail protocol machines share: buffers, framing and the machine contract.
//!
//! Nothing here knows a verb, a tag or a reply code. What belongs here is used by at least two of the
//! protocol crates; what one protocol alone needs stays in its crate.
//!
//! | module | what it holds |
//! |---|---|
//! | [`machine`] | [`Machine`]: frame, then decode; the hand-over to TLS |
//! | [`input`] | [`Input`]: octets received, and the tape that decoding writes |
//! | [`output`] | [`Output`]: octets to send, each with a [`Class`] |
//! | [`span`] | [`Span`], [`View`], [`Owned`]: how events borrow and how they are kept |
//! | [`line`](mod@line) | the resumable line framer |
//! | [`dot`] | dot-stuffing both ways, for SMTP and POP3 bodies |
//! | [`base64`] | what SASL exchanges carry |
//! | [`secret`] | values that no log may show |
//! | [`budget`] | what a peer may spend |
//! | [`policy`] | what is decided for a connection when it begins |
//! | [`misuse`], [`malformed`] | two of the three families of errors; violations are each protocol's own |
//! | [`repair`] | named leniency, switchable and counted |
//! | [`stamp`] | how a token knows whose it is |
//!
//! # The order of calls
//!
//! ```
//! # use mail_wire::{Framed, Input, Machine, Output};
//! fn turn<M: Machine>(machine: &mut M, input: &mut Input, output: &mut Output) -> Result<bool, M::Error> {
//!     match machine.frame(input, output)? {
//!         Framed::Ready(unit) => {
//!             let _event = machine.decode(unit, input)?; // borrows `input`; `machine` and `output` stay free
//!             Ok(true)
//!         }
//!         Framed::NeedInput | Framed::Paused(_) | Framed::Closed => Ok(false),
//!     }
//! }
//! ```
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]
#![deny(missing_docs)]

extern crate alloc;

pub mod base64;
pub mod budget;
pub mod dot;
pub mod input;
pub mod line;
pub mod machine;
pub mod malformed;
pub mod misuse;
pub mod output;
pub mod policy;
pub mod repair;
pub mod secret;
pub mod span;
pub mod stamp;

pub use budget::{Budget, Spent};
pub use input::{Input, Overfilled, StaleUnit, Unit};
pub use machine::{
    Closing, End, Framed, Handover, HandoverError, HandoverResult, Machine, Mask, Pause, PlaintextLeft, Role,
    Secured,
};
pub use malformed::Malformed;
pub use misuse::{Done, Misuse, Redeemed, Returned};
pub use output::{Class, Output};
pub use policy::{Allow, Grammar, Tls};
pub use repair::{Repair, Repairs};
pub use secret::{Secret, SecretBuf};
pub use span::{Owned, Span, Tape, TapeFull, View, Viewed};
pub use stamp::{Source, Stamp};
