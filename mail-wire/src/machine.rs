//! The contract between a protocol machine and whatever drives it.
//!
//! ```text
//!             +----------------------------- frame() --------------------------+
//!             v                                                               |
//!   Ready(unit) -> decode(unit) -> event ... answer it, or not ---------------+
//!   NeedInput   -> read into Input, or eof() ---------------------------------+
//!   Paused(AnswerOwed) -> the application answers ----------------------------+
//!   Paused(OutputFull) -> write Output -------------------------------------- +
//!   Paused(Upgrade)    -> start_tls(token) -> Handover -> TLS stands -> machine
//!   Closed      -> write what is left in Output, close the connection
//!   Err(violation) -> the same, and the same error for ever after
//! ```

use crate::input::{Input, Unit};
use crate::output::{Class, Output};
use crate::span::Span;
use core::time::Duration;

/// Which side of a connection a machine plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It sends commands. It listens at all times, also while its output is full.
    Client,
    /// It answers them. It frames no new command while its output is full.
    Server,
}

/// What [`Machine::frame`] found.
#[must_use]
#[derive(Debug)]
pub enum Framed {
    /// A complete unit: decode it.
    Ready(Unit),
    /// No complete unit: read more, or report the end by [`Machine::eof`].
    NeedInput,
    /// More input would not help yet.
    Paused(Pause),
    /// The session is over in the ordinary way: write what is left, then close.
    Closed,
}

/// Why nothing more is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pause {
    /// The application owes the answer to a command, or the acceptance of a body. Shown at the next wait, a dropped
    /// token is an error, never a hang.
    AnswerOwed,
    /// The output is full: the peer does not read our answers.
    OutputFull,
    /// The hand-over to TLS is due. Octets behind this point are not looked at.
    Upgrade,
}

/// How the octets ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The peer said so: close_notify under TLS, or FIN on a plain link.
    Fin,
    /// FIN under TLS without close_notify: somebody may have cut the connection (RFC 8446 §6.1).
    Cut,
}

/// Why the driver ends a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// [`Machine::patience`] has run out.
    Expired,
    /// The application shuts down.
    Shutdown,
}

/// A span of the unit just decoded that is not [`Class::Public`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Where, counted from the start of the unit.
    pub span: Span,
    /// What it holds.
    pub class: Class,
}

/// A protocol machine: one role of one protocol, with no socket and no clock.
///
/// **Frame, then decode.** [`frame`](Machine::frame) finds the next boundary, charges the limits and looks at no grammar
/// beyond that. [`decode`](Machine::decode) runs the grammar once over a complete unit and gives one event that
/// borrows from the [`Input`] alone, so that the machine and the [`Output`] are free to answer it. They are two
/// calls because a loop that returns a borrow from one of its rounds is refused by the borrow checker.
///
/// The events that a machine gives are the same for every way of cutting the octets into reads.
pub trait Machine: Sized {
    /// The side it plays.
    const ROLE: Role;
    /// What it tells the application.
    type Event<'i>;
    /// A violation: fatal, and the same from then on.
    type Error: core::error::Error + Clone + Send + Sync + 'static;
    /// The token that the hand-over to TLS consumes.
    type Upgrade;

    /// Finds the next unit. Absorbs units that serve the machine alone. May write to `output`: a continuation, the
    /// held rest of a command, the answer to what the application need not see.
    ///
    /// # Errors
    /// The violation that ended the session. `output` may hold a last reply: write it, then close.
    fn frame(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Self::Error>;

    /// Reads the unit that was framed last.
    ///
    /// # Errors
    /// A stale unit or another input's; a violation that only the grammar can see.
    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Self::Event<'i>, Self::Error>;

    /// The spans of the unit just decoded that are secret or body, in order and without overlap. All else is public.
    fn masks(&self) -> &[Mask];

    /// No more octets will come. What follows is told by [`frame`](Machine::frame): the complete units that are left, what the
    /// application must still learn, then [`Framed::Closed`] if nothing was owed, or a truncation error.
    fn eof(&mut self, end: End);

    /// The driver ends the session: a server writes what its standard asks for (a 421, a `* BYE`, or nothing) at the next point
    /// where it may, answers the command in flight first, and then is [`Framed::Closed`] (after
    /// [`Closing::Shutdown`]) or fails (after [`Closing::Expired`]).
    fn close(&mut self, why: Closing, output: &mut Output);

    /// The longest wait for the peer that the standard allows in this state.
    fn patience(&self) -> Duration;

    /// Hands the connection over to TLS. A server writes its go-ahead to `output`, where it keeps its place before the first TLS
    /// record.
    ///
    /// # Errors
    /// [`HandoverError`]: plaintext behind the upgrade, or a token that is not owed. The connection is over.
    fn start_tls(self, token: Self::Upgrade, input: Input, output: &mut Output) -> HandoverResult<Self>;

    /// TLS stands. All that was learnt before it is forgotten.
    fn secured(&mut self, proof: Secured);
}

/// Proof that TLS stands; made by [`Handover`] alone.
#[derive(Debug)]
pub struct Secured(());

/// A machine that is out of reach until TLS stands.
#[must_use = "the machine is inside"]
#[derive(Debug)]
pub struct Handover<M> {
    machine: M,
}

impl<M: Machine> Handover<M> {
    /// For machines, at the end of their checks in [`Machine::start_tls`].
    ///
    /// # Errors
    /// [`PlaintextLeft`] if `input` holds even one octet behind the upgrade: it was not protected and would be taken for protected
    /// (RFC 3207 §6, RFC 2595 §9, RFC 9051 §11.1).
    pub fn new(machine: M, mut input: Input) -> Result<Self, PlaintextLeft> {
        // The unit that carried the upgrade may still be at the front, decoded.
        match input.len() {
            0 => {
                input.idle();
                Ok(Self { machine })
            }
            octets => Err(PlaintextLeft { octets }),
        }
    }

    /// For connections that begin with TLS (RFC 8314 §3).
    pub fn implicit(machine: M) -> Self {
        Self { machine }
    }

    /// The handshake is done: gives the machine back, with nothing known from before.
    ///
    /// To call this is to vouch for the handshake and the check of the peer's certificate.
    pub fn secured(mut self) -> M {
        self.machine.secured(Secured(()));
        self.machine
    }
}

/// Octets arrived behind the upgrade and before TLS: an injection. The connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{octets} octets of plaintext behind the upgrade to TLS")]
pub struct PlaintextLeft {
    /// How many had arrived.
    pub octets: usize,
}

/// A machine that waits for TLS, or why it will get none.
pub type HandoverResult<M> = Result<Handover<M>, HandoverError>;

/// Why a hand-over failed. The connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// Plaintext behind the upgrade.
    #[error(transparent)]
    PlaintextLeft(#[from] PlaintextLeft),
    /// The token is another machine's.
    #[error("the upgrade is not the one that is due")]
    NotOwed,
}
