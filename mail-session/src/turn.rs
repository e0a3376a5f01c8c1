//! What is free while an event is held.

use mail_wire::{Machine, Output};

/// Everything that is needed to answer an event while it is held: the machine and the output. The input is frozen, so nothing can be
/// read.
///
/// `L` is what the driver adds: nothing for an [`Engine`](crate::Engine), a way to flush for the others.
#[derive(Debug)]
pub struct Turn<'a, M: Machine, L = ()> {
    /// The machine.
    pub machine: &'a mut M,
    /// Where it writes.
    pub output: &'a mut Output,
    pub(crate) link: L,
}

impl<'a, M: Machine, L> Turn<'a, M, L> {
    pub(crate) fn new(machine: &'a mut M, output: &'a mut Output, link: L) -> Self {
        Self { machine, output, link }
    }

    /// The same without what the driver adds.
    pub fn bare(self) -> Turn<'a, M> {
        Turn { machine: self.machine, output: self.output, link: () }
    }
}

/// What `next_or_room` of a session found. `L` is what the turn writes through.
#[derive(Debug)]
pub enum Next<'a, M: Machine, L> {
    /// An event and what is free while it is held.
    Event(M::Event<'a>, Turn<'a, M, L>),
    /// More can be queued.
    Room,
    /// The session is over, and all is written.
    Closed,
}

/// What `next_within` of a session found. `L` is what the turn writes through.
#[derive(Debug)]
pub enum Within<'a, M: Machine, L> {
    /// An event and what is free while it is held.
    Event(M::Event<'a>, Turn<'a, M, L>),
    /// The time is up. The peer's own deadline goes on.
    Elapsed,
    /// The session is over, and all is written.
    Closed,
}

/// Writes methods of turns that lend a method of the machine its output.
macro_rules! lend {
    ($machine:ty { $($(#[$doc:meta])* fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)* }) => {
        impl<L> crate::turn::Turn<'_, $machine, L> {
            $($(#[$doc])*
            pub fn $name(&mut self, $($arg: $type),*) -> $result {
                self.machine.$name($($arg,)* self.output)
            })*
        }
    };
}
pub(crate) use lend;
