//! Any sequence of what an application can do with a POP3 machine, good or wrong, between any octets of a peer.
//!
//! The first octet of an input chooses the machine, the second one the settings, the third how reads are cut. Then come parts, each with its marker:
//! those of [`crate::machine`], so that the same seeds serve, and behind [`OPERATION`] an octet that chooses an operation, and its argument.
//!
//! The oracle knows little and knows it by itself: what is in flight, what is owed, which messages are marked. It holds that there is one
//! answer for each command, in order; that a maildrop changes behind QUIT in TRANSACTION alone; that a misuse leaves
//! everything as it was and gives the token back; that an end stays what it is; and that nothing grows without bound.

mod client;
mod replies;
mod server;

use crate::machine::PEER;
use crate::seeds::Seed;
use mail_pop3_proto::Violation;
use mail_wire::{Class, Framed, Input, Machine, Output};

/// Begins an operation.
pub const OPERATION: u8 = 0xFC;
/// The bit of the settings for an application that pays by its operations alone. Without it, what is owed when the peer goes on is paid.
pub const MANUAL: u8 = 0x40;
/// The bit of the settings for an output that is soon full.
const NARROW: u8 = 0x20;

/// Longer inputs are not worth their time.
const MOST: usize = 8 * 1024;
/// Octets that an `Input` may hold, whatever the peer sends: above any unit that these inputs can make.
const ROOM: usize = 64 * 1024;
/// Octets that an `Output` may hold of which nothing is sent: a window of the longest commands.
const HEAP: usize = 256 * 1024;

/// The target.
pub fn run(data: &[u8]) {
    let [which, settings, how, script @ ..] = data else { return };
    let script = &script[..script.len().min(MOST)];
    match which % 2 {
        0 => client::run(*settings, *how, script),
        _ => server::run(*settings, *how, script),
    }
}

/// The octet that chooses the machine which reads a seed.
#[must_use]
pub fn which(seed: &Seed) -> &'static [u8] {
    if seed.server { &[1] } else { &[0] }
}

/// The parts of a script, each with its marker. What stands before the first marker is the peer's.
fn parts(script: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut marker = PEER;
    script.split_inclusive(|octet| *octet >= OPERATION).map(move |part| {
        let (next, octets) = match part.split_last() {
            Some((&next, octets)) if next >= OPERATION => (next, octets),
            _ => (PEER, part),
        };
        (std::mem::replace(&mut marker, next), octets)
    })
}

/// What is queued behind the first so many octets.
fn written(output: &Output, from: usize) -> Vec<u8> {
    queued(output, from, |_| true)
}

/// What a tap would be shown of it.
fn public(output: &Output, from: usize) -> Vec<u8> {
    queued(output, from, |class| class == Class::Public)
}

fn queued(output: &Output, from: usize, is: impl Fn(Class) -> bool) -> Vec<u8> {
    let (mut queued, mut at) = (Vec::new(), 0);
    for (class, octets) in output.runs() {
        // A run may begin before what is asked for and go on in it.
        let behind = octets.get(from.saturating_sub(at)..).unwrap_or_default();
        queued.extend_from_slice(if is(class) { behind } else { &[] });
        at += octets.len();
    }
    queued
}

/// One that is soon full, or one of the usual size.
fn output(settings: u8) -> Output {
    if settings & NARROW == 0 { Output::new() } else { Output::with_high_water(1024) }
}

/// An end stays what it is, and nothing is written behind it.
fn stays<M: Machine<Error = Violation>>(
    over: Result<(), Violation>,
    machine: &mut M,
    input: &mut Input,
    output: &mut Output,
) {
    let again = machine.frame(input, output);
    let same = match (over, &again) {
        (Ok(()), Ok(Framed::Closed)) => true,
        (Err(violation), Err(again)) => violation == *again,
        _ => false,
    };
    assert!(same, "after {over:?}: {again:?}");
    assert!(output.is_empty(), "written after the end");
}
