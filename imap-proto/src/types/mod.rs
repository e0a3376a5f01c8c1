//! Values: checked when they are made, so that what is written can always be read.
//!
//! Values that both roles build and read are one type. What only a server builds and only a client reads (an envelope,
//! a body structure) is a view here, and a writer in [`server`](crate::server).
//!
//! A view is `Copy`, holds octets of the unit that it was read from, and is read item by item: a list of a million numbers costs no memory, and
//! a set is never expanded. An extension's value that has no type is kept as it came, and is written again token by token, since it may have
//! been a literal here and must be a quoted string there (RFC 9051 §4.3). Names compare without regard to case, octets of users never do
//! (RFC 9051 §9, note 1): each type says which of the two it is.
//!
//! A file holds one value, or those of one response.

pub mod astring;
pub mod atom;
pub mod atoms;
pub mod body_structure;
pub mod capability;
pub(crate) mod chars;
pub mod code;
pub mod date_time;
pub mod envelope;
pub mod fetch;
pub mod fetch_data;
pub mod flag;
pub mod id;
pub mod invalid;
pub mod mailbox;
pub mod mailbox_data;
pub mod numbers;
pub mod raw;
pub mod search;
pub mod search_key;
pub mod section;
pub mod sequence;
pub mod server_id;
pub mod status;
pub mod tag;
pub mod text;
pub mod utf7;

pub use astring::AString;
pub use atom::Atom;
pub use atoms::Atoms;
pub use body_structure::{BodyField, BodyStructure, Node, NodeKind, Params};
pub use capability::Capabilities;
pub use code::Code;
pub use date_time::{Date, DateTime};
pub use envelope::{Address, AddressKind, Addresses, Envelope};
pub use fetch::{FetchAtt, FetchAtts};
pub use fetch_data::{Content, FetchItem, FetchItems, FetchPart, LiteralHead, MalformedItem, Target};
pub use flag::{Flag, Flags};
pub use id::{IdField, IdFields};
pub use invalid::Invalid;
pub use mailbox::Mailbox;
pub use mailbox_data::{ListItem, MailboxStatus, Namespace, Namespaces, StatusItem};
pub use numbers::{BadNumber, ESearch, ESearchItem, Numbers, ThreadToken, Threads};
pub use raw::{Options, Raw};
pub use search::Search;
pub use search_key::{EntryType, Key};
pub use section::{HeaderNames, Part, Partial, Section, SectionText};
pub use sequence::{Bound, SeqRange, SequenceSet, SequenceSetBuf};
pub use server_id::ServerId;
pub use status::{Condition, Status};
pub use tag::Tag;
pub use text::{Form, ResponseText, Text};
