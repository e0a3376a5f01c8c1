//! The grammar over complete units: one pass, no recursion.
//!
//! What belongs here reads octets and writes spans. What a value means, and how it is written, is in [`types`](crate::types).

pub(crate) mod body;
pub(crate) mod command;
pub(crate) mod cursor;
pub(crate) mod envelope;
pub(crate) mod fetch;
pub(crate) mod leaf;
pub(crate) mod plain;
pub(crate) mod reader;
pub(crate) mod response;
pub(crate) mod status;
