//! What can be done while an event is held: the methods of the machines, with the output of the turn.

use crate::turn::lend;
use bytes::Bytes;
use mail_smtp_proto::Command;
use mail_smtp_proto::client::{self, Client, Ticket};
use mail_smtp_proto::reply::ReplyBuf;
use mail_smtp_proto::server::{self, Answer, BodyOffer, Server, TlsOffer};
use mail_smtp_proto::types::Mechanism;
use mail_wire::{Misuse, Returned};

lend!(Client {
    /// Sends a command: see [`Client::send`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been written.
    fn send(command: &Command<'_>) -> Result<Ticket, Misuse>;
    /// Begins a log-in: see [`Client::auth`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been written.
    fn auth(mechanism: Mechanism<'_>, initial: Option<&[u8]>) -> Result<Ticket, Misuse>;
    /// Announces a chunk: see [`Client::chunk`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been written.
    fn chunk(octets: u64, last: bool) -> Result<(Ticket, client::BodyGrant), Misuse>;
    /// Gives octets of the message, as many as there is room for: see [`Client::body`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been taken.
    fn body(grant: &mut client::BodyGrant, piece: &mut Bytes) -> Result<(), Misuse>;
    /// Ends the message: see [`Client::end_body`].
    ///
    /// # Errors
    /// The grant comes back.
    fn end_body(grant: client::BodyGrant) -> Result<(), Returned<client::BodyGrant>>;
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
    fn answer(answer: Answer, reply: &ReplyBuf) -> Result<(), Returned<Answer>>;
    /// Answers for each recipient, in LMTP: see [`Server::answer_each`].
    ///
    /// # Errors
    /// The answer comes back.
    fn answer_each(answer: Answer, replies: &[ReplyBuf]) -> Result<(), Returned<Answer>>;
    /// Refuses in the words of the standard: see [`Server::refuse`].
    ///
    /// # Errors
    /// The answer comes back.
    fn refuse(answer: Answer) -> Result<(), Returned<Answer>>;
    /// Takes a message: see [`Server::accept_body`].
    ///
    /// # Errors
    /// The offer comes back.
    fn accept_body(offer: BodyOffer) -> Result<(), Returned<BodyOffer>>;
    /// Takes no message: see [`Server::refuse_body`].
    ///
    /// # Errors
    /// The offer comes back.
    fn refuse_body(offer: BodyOffer, reply: &ReplyBuf) -> Result<(), Returned<BodyOffer>>;
    /// Goes on with a log-in: see [`Server::challenge`].
    ///
    /// # Errors
    /// The turn comes back.
    fn challenge(turn: server::AuthTurn, challenge: &[u8]) -> Result<(), Returned<server::AuthTurn>>;
    /// The log-in has succeeded: see [`Server::accept_auth`].
    ///
    /// # Errors
    /// The turn comes back.
    fn accept_auth(turn: server::AuthTurn, reply: &ReplyBuf) -> Result<(), Returned<server::AuthTurn>>;
    /// It has not: see [`Server::refuse_auth`].
    ///
    /// # Errors
    /// The turn comes back.
    fn refuse_auth(turn: server::AuthTurn, reply: &ReplyBuf) -> Result<(), Returned<server::AuthTurn>>;
    /// Makes no TLS: see [`Server::refuse_tls`].
    ///
    /// # Errors
    /// The offer comes back.
    fn refuse_tls(offer: TlsOffer) -> Result<(), Returned<TlsOffer>>;
});
