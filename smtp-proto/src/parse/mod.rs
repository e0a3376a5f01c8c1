//! The grammar, over complete lines: sequence and choice by nom, leaves by table. A failure tells its rule and its place.
//!
//! [`command`] reads a command line without its CRLF, [`reply`] a reply of one or more lines with theirs.

mod command;
mod path;
mod reply;

pub use command::command;
pub use reply::reply;

pub(crate) use command::{is_obsolete, split};

use crate::error::Rule;
use crate::policy::Repair;
use core::cell::RefCell;
use mail_wire::Repairs;

/// Which repairs a parser may make, and where it counts them.
pub struct Fixes<'r>(Inner<'r>);

enum Inner<'r> {
    None,
    Silent,
    Counted(RefCell<&'r mut Repairs<Repair>>),
}

impl<'r> Fixes<'r> {
    /// No repair: the strict grammar.
    #[must_use]
    pub const fn none() -> Self {
        Self(Inner::None)
    }

    /// Every repair, and no count: for values that were read and counted before.
    pub(crate) const fn silent() -> Self {
        Self(Inner::Silent)
    }

    /// The repairs that are on in `repairs`, counted there.
    pub fn counted(repairs: &'r mut Repairs<Repair>) -> Self {
        Self(Inner::Counted(RefCell::new(repairs)))
    }

    /// Whether the repair may be made; counts it.
    #[cold]
    pub(crate) fn take(&self, repair: Repair) -> bool {
        match &self.0 {
            Inner::None => false,
            Inner::Silent => true,
            Inner::Counted(repairs) => repairs.try_borrow_mut().is_ok_and(|mut repairs| repairs.take(repair)),
        }
    }
}

/// Why a parser failed: the rule, and how many octets were left where it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    pub(crate) left: usize,
}

impl<'i> nom::error::ParseError<&'i [u8]> for Fault {
    fn from_error_kind(input: &'i [u8], _: nom::error::ErrorKind) -> Self {
        Self { rule: Rule::Argument, left: input.len() }
    }

    fn append(_: &'i [u8], _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

pub(crate) type Parsed<'i, T> = nom::IResult<&'i [u8], T, Fault>;

/// A failure at the front of `input`.
#[cold]
pub(crate) fn fail<T>(input: &[u8], rule: Rule) -> Parsed<'_, T> {
    Err(nom::Err::Error(Fault { rule, left: input.len() }))
}

#[cfg(test)]
mod tests;
