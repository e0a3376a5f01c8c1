//! A machine that is fed in reads of one size.

use bytes::Buf;
use mail_wire::{Framed, Input, Machine, Output};

/// A machine, its buffers, and the size of its reads.
pub struct Fed<M> {
    pub machine: M,
    pub input: Input,
    pub output: Output,
    read: usize,
}

impl<M: Machine> Fed<M> {
    pub fn new(machine: M, read: usize) -> Self {
        Self { machine, input: Input::new(), output: Output::new(), read }
    }

    /// Feeds all of `wire` and takes every event; the sum of what `on` makes of them. What is written is thrown away.
    pub fn feed(&mut self, wire: &[u8], mut on: impl FnMut(M::Event<'_>, &mut M, &mut Output) -> u64) -> u64 {
        let mut told = self.take(&mut on);
        for mut read in wire.chunks(self.read) {
            while !read.is_empty() {
                let n = self.input.feed(read);
                read = read.get(n..).unwrap_or_default();
                told += self.take(&mut on);
            }
        }
        told
    }

    fn take(&mut self, on: &mut impl FnMut(M::Event<'_>, &mut M, &mut Output) -> u64) -> u64 {
        let mut told = 0;
        loop {
            match self.machine.frame(&mut self.input, &mut self.output) {
                Ok(Framed::Ready(unit)) => match self.machine.decode(unit, &mut self.input) {
                    Ok(event) => told += on(event, &mut self.machine, &mut self.output),
                    Err(error) => panic!("{error}"),
                },
                Ok(Framed::Paused(_)) if !self.output.is_empty() => {
                    self.output.advance(self.output.remaining())
                }
                Ok(_) => break,
                Err(error) => panic!("{error}"),
            }
        }
        self.output.advance(self.output.remaining());
        told
    }
}
