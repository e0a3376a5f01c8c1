//! What can be done while an event is held: the methods of the machines, with the output of the turn.

use crate::turn::lend;
use bytes::Bytes;
use mail_pop3_proto::client::{self, Client, Ticket};
use mail_pop3_proto::server::{self, Answer, BodyGrant, Maildrop, Server, TlsOffer};
use mail_pop3_proto::types::ReplyText;
use mail_pop3_proto::{Command, Reply};
use mail_wire::{Misuse, Returned};

lend!(Client {
    /// Sends a command: see [`Client::send`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been written.
    fn send(command: &Command<'_>) -> Result<Ticket, Misuse>;
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
    fn answer(answer: Answer, reply: &Reply<'_>) -> Result<(), Returned<Answer>>;
    /// Refuses in the words of the standard: see [`Server::refuse`].
    ///
    /// # Errors
    /// The answer comes back.
    fn refuse(answer: Answer) -> Result<(), Returned<Answer>>;
    /// The log-in has succeeded: see [`Server::accept`].
    ///
    /// # Errors
    /// The answer comes back.
    fn accept(answer: Answer, maildrop: Maildrop, reply: &Reply<'_>) -> Result<(), Returned<Answer>>;
    /// Goes on with a log-in: see [`Server::challenge`].
    ///
    /// # Errors
    /// The turn comes back.
    fn challenge(turn: server::AuthTurn, challenge: &[u8]) -> Result<(), Returned<server::AuthTurn>>;
    /// The log-in has succeeded: see [`Server::accept_auth`].
    ///
    /// # Errors
    /// The turn comes back.
    fn accept_auth(turn: server::AuthTurn, maildrop: Maildrop, reply: &Reply<'_>) -> Result<(), Returned<server::AuthTurn>>;
    /// It has not: see [`Server::refuse_auth`].
    ///
    /// # Errors
    /// The turn comes back.
    fn refuse_auth(turn: server::AuthTurn, reply: &Reply<'_>) -> Result<(), Returned<server::AuthTurn>>;
    /// A message follows: see [`Server::answer_body`].
    ///
    /// # Errors
    /// The answer comes back.
    fn answer_body(answer: Answer, text: ReplyText<'_>) -> Result<BodyGrant, Returned<Answer>>;
    /// Gives octets of the message, as many as there is room for: see [`Server::body`].
    ///
    /// # Errors
    /// [`Misuse`]; nothing has been taken.
    fn body(grant: &mut BodyGrant, piece: &mut Bytes) -> Result<(), Misuse>;
    /// Ends the message: see [`Server::end_body`].
    ///
    /// # Errors
    /// The grant comes back.
    fn end_body(grant: BodyGrant) -> Result<(), Returned<BodyGrant>>;
    /// Makes no TLS: see [`Server::refuse_tls`].
    ///
    /// # Errors
    /// The offer comes back.
    fn refuse_tls(offer: TlsOffer) -> Result<(), Returned<TlsOffer>>;
});
