//! POP3: opening a session, and what a turn can do.

mod opening;
mod turn;

pub use opening::Opening;
