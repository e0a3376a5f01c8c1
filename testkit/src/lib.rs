//! What the tests of the protocol crates share: they replay transcripts through a machine, put faults into them, and count its heap.
//!
//! Nothing here knows a verb, a tag or a reply code: an [`Actor`] of each protocol's tests puts events into words and words into
//! calls. This package is not published; the libraries name it among their dev-dependencies, by its path alone, so that their
//! packages leave it out.
//!
//! | module | what it holds |
//! |---|---|
//! | [`script`] | a transcript, and octets written as text |
//! | [`replay`](mod@replay) | a transcript through a machine, the octets cut as one likes |
//! | [`golden`](mod@golden) | all transcripts of a role at every cut, and with the end at every offset |
//! | [`faults`] | the same transcripts with a fault at every offset |
//! | [`held`] | the tokens that an application holds meanwhile |
//! | [`heap`] | how much memory a piece of work holds at the most |
#![deny(missing_docs)]

pub mod faults;
pub mod golden;
pub mod heap;
pub mod held;
pub mod replay;
pub mod script;
#[cfg(test)]
mod toy;

pub use held::{Held, why};
pub use replay::{Actor, Feed, Outcome, hear, replay};
pub use script::{Script, escape, unescape};
