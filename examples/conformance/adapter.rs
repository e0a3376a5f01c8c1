//! What an adapter puts between the runner and the machines of one protocol.
//!
//! The runner knows records, schedules and logs; an adapter knows commands, events and answers. An adapter gives
//! [`Session`]s; most of a session is [`Link`](crate::link::Link), which drives any
//! [`mail_wire::Machine`], so that an adapter adds an observer for each role: what an event
//! means in the words of the log, and what the application stub answers.

use crate::record::{Ending, Record, Role, Setup};
use crate::seen::Seen;
use crate::transcript::Unit;

/// One machine from its first octet to its end.
pub(crate) trait Session {
    /// Octets of the peer arrive in one read; everything that follows from them happens.
    fn peer(&mut self, octets: &[u8]);

    /// Role client: our side does what these octets show: one command, one body, one SASL response. They are read by the
    /// server-side parser and sent as typed values.
    ///
    /// # Errors
    /// In words, when the step cannot be read or the machine does not take it.
    fn us(&mut self, octets: &[u8]) -> Result<(), String>;

    /// TLS stands: implicit when nothing has been fed yet, else the hand-over that is due.
    ///
    /// # Errors
    /// In words, when no hand-over is due.
    fn tls(&mut self) -> Result<(), String>;

    /// Whether the hand-over to TLS is under way.
    fn is_upgrading(&self) -> bool;

    /// The peer closes.
    fn eof(&mut self, how: Ending);

    /// No more is fed: fills in what only the end can tell, and checks that an error is latched.
    fn finish(&mut self);

    /// The setup is done: the log starts anew.
    fn mark(&mut self);

    /// The log.
    fn seen(&mut self) -> &mut Seen;
}

/// What an encoder made of an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Encoded {
    /// These octets.
    Octets(Vec<u8>),
    /// This text: the decoder.
    Text(String),
    /// No value, no octets.
    Refused,
    /// The library has no such type.
    NoSuchType,
}

/// One protocol.
pub(crate) trait Adapter {
    /// A fresh connection of a machine that plays `role`.
    ///
    /// # Errors
    /// In words, when the setup asks for what the library does not have.
    fn session(&self, role: Role, setup: &Setup) -> Result<Box<dyn Session>, String>;

    /// The replies in what a server wrote, as the README counts them, each from its first octet, without CRLF.
    fn replies(&self, output: &[u8]) -> Vec<String>;

    /// Builds the value that `setup.encode` names.
    fn encode(&self, record: &Record) -> Encoded;

    /// A machine brought to where this unit of an RFC may come. `None`: no machine reads such a unit alone.
    ///
    /// # Errors
    /// In words, when the machine could not be brought there.
    fn ready_for(&self, unit: &Unit, tolerant: bool) -> Result<Option<Box<dyn Session>>, String>;

    /// The unit decoded and encoded again. `None`: there is nothing to encode.
    ///
    /// # Errors
    /// In words, when it cannot be decoded or encoded.
    fn reencode(&self, unit: &Unit, tolerant: bool) -> Option<Result<Vec<u8>, String>>;

    /// A machine brought to where a block of an RFC begins.
    ///
    /// # Errors
    /// In words, when the machine could not be brought there.
    fn before(&self, role: Role, block: &[Unit], tolerant: bool) -> Result<Box<dyn Session>, String>;
}
