//! Values: checked when they are made, so that what is written can always be read.
//!
//! Values that both roles build and read are one type. What only a server builds and only a client reads (an envelope,
//! a body structure) is a view here, and a writer in [`server`](crate::server).

pub mod astring;
pub mod atom;
pub mod atoms;
pub(crate) mod chars;
pub mod date_time;
pub mod fetch;
pub mod flag;
pub mod id;
pub mod invalid;
pub mod mailbox;
pub mod raw;
pub mod search;
pub mod section;
pub mod sequence;
pub mod tag;
pub mod utf7;

pub use astring::AString;
pub use atom::Atom;
pub use atoms::Atoms;
pub use date_time::{Date, DateTime};
pub use fetch::{FetchAtt, FetchAtts};
pub use flag::{Flag, Flags};
pub use id::{IdField, IdFields};
pub use invalid::Invalid;
pub use mailbox::Mailbox;
pub use raw::{Options, Raw};
pub use search::{Key, Search};
pub use section::{HeaderNames, Part, Partial, Section, SectionText};
pub use sequence::{Bound, SeqRange, SequenceSet, SequenceSetBuf};
pub use tag::Tag;
