//! What can be done while an event is held: the methods of the machines, with the output of the turn.

use crate::turn::{Turn, lend};
use bytes::Bytes;
use mail_imap_proto::Command;
use mail_imap_proto::client::{self, Client, Ticket};
use mail_imap_proto::server::{self, Answer, BodyGrant, BodyOffer, IdleTurn, Server, TlsOffer, Writer};
use mail_imap_proto::types::Status;
use mail_wire::{Misuse, Returned};

lend!(Client {
    /// Sends a command: see [`Client::send`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been written.
    fn send(command: &Command<'_>) -> Result<Ticket, Misuse>;
    /// Gives octets of the message of an APPEND, as many as there is room for: see [`Client::body`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been taken.
    fn body(grant: &mut client::BodyGrant, piece: &mut Bytes) -> Result<(), Misuse>;
    /// Ends IDLE: see [`Client::done`].
    ///
    /// # Errors
    /// The grant comes back.
    fn done(grant: client::IdleGrant) -> Result<(), Returned<client::IdleGrant>>;
    /// Answers a challenge: see [`Client::respond`].
    ///
    /// # Errors
    /// The turn comes back.
    fn respond(turn: client::AuthTurn, response: &[u8]) -> Result<(), Returned<client::AuthTurn>>;
    /// Cancels an exchange: see [`Client::cancel`].
    ///
    /// # Errors
    /// The turn comes back.
    fn cancel(turn: client::AuthTurn) -> Result<(), Returned<client::AuthTurn>>;
});

lend!(Server {
    /// Answers: see [`Server::answer`].
    ///
    /// # Errors
    /// The answer comes back.
    fn answer(answer: Answer, status: &Status<'_>) -> Result<(), Returned<Answer>>;
    /// Refuses in the words of the standard: see [`Server::refuse`].
    ///
    /// # Errors
    /// The answer comes back.
    fn refuse(answer: Answer) -> Result<(), Returned<Answer>>;
    /// Goes on with a log-in: see [`Server::challenge`].
    ///
    /// # Errors
    /// The turn comes back.
    fn challenge(turn: server::AuthTurn, challenge: &[u8]) -> Result<(), Returned<server::AuthTurn>>;
    /// The log-in has succeeded: see [`Server::accept_auth`].
    ///
    /// # Errors
    /// The turn comes back.
    fn accept_auth(turn: server::AuthTurn, status: &Status<'_>) -> Result<(), Returned<server::AuthTurn>>;
    /// It has not: see [`Server::refuse_auth`].
    ///
    /// # Errors
    /// The turn comes back.
    fn refuse_auth(turn: server::AuthTurn, status: &Status<'_>) -> Result<(), Returned<server::AuthTurn>>;
    /// Lets IDLE begin: see [`Server::idle`].
    ///
    /// # Errors
    /// The answer comes back.
    fn idle(answer: Answer) -> Result<IdleTurn, Returned<Answer>>;
    /// Takes the message of an APPEND: see [`Server::accept_body`].
    ///
    /// # Errors
    /// The offer comes back.
    fn accept_body(offer: BodyOffer) -> Result<(), Returned<BodyOffer>>;
    /// Takes no message: see [`Server::refuse_body`].
    ///
    /// # Errors
    /// The offer comes back.
    fn refuse_body(offer: BodyOffer, status: &Status<'_>) -> Result<(), Returned<BodyOffer>>;
    /// Gives octets of a literal, as many as there is room for: see [`Server::body`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been taken.
    fn body(grant: &mut BodyGrant, piece: &mut Bytes) -> Result<(), Misuse>;
    /// Makes no TLS: see [`Server::refuse_tls`].
    ///
    /// # Errors
    /// The offer comes back.
    fn refuse_tls(offer: TlsOffer) -> Result<(), Returned<TlsOffer>>;
});

impl<L> Turn<'_, Server, L> {
    /// Writes untagged responses: see [`Server::untagged`].
    ///
    /// # Errors
    /// [`Misuse`] for a token that is not held.
    pub fn untagged<'s>(&'s mut self, turn: &'s impl server::Turn) -> Result<Writer<'s>, Misuse> {
        self.machine.untagged(turn, self.output)
    }
}
