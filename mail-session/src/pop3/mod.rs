//! POP3: opening a session, the operations of a client, and what a turn can do.

mod ask;
mod opening;
mod operations;
mod read;
mod retrieval;
mod turn;
mod values;

pub use opening::Opening;
pub use operations::{Download, Message};
pub use retrieval::{Part, Retrieval};
pub use values::{Committed, Listed, Listing, Skipped, Stat, UniqueIds, Wanted};
