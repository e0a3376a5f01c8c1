//! The grammar over complete units: one pass, no recursion.
//!
//! What belongs here reads octets and writes spans. What a value means, and how it is written, is in [`types`](crate::types).

pub(crate) mod command;
pub(crate) mod cursor;
pub(crate) mod leaf;
