//! The log-in of a connection: PASS (RFC 1939 §7), and the exchanges of AUTH (RFC 5034 §4, RFC 4422 §3).
//!
//! Wrong credentials are told in the same words however they were given, and whether or not the user exists: a client that guesses learns
//! nothing from the answer.

#[cfg(feature = "legacy-md5")]
use super::apop::Apop;
use super::host::{Attempt, Denied, Proof};
use super::serving::{Serving, Want, err, ok};
use crate::sasl::server::{Exchange, Identity, Step};
use crate::sasl::{SaslError, ScramSecret};
use crate::turn::Turn;
use mail_pop3_proto::server::{Answer, AuthTurn, Maildrop, Server};
use mail_pop3_proto::types::{Code, MessageNumber, Password};
#[cfg(feature = "legacy-md5")]
use mail_pop3_proto::types::{Digest, UserName};
use mail_wire::{Misuse, SecretBuf};

/// What is owed to the client while a question is open.
#[derive(Debug, Default)]
pub(super) enum Owed {
    #[default]
    Nothing,
    /// The answer to PASS or APOP.
    Pass(Answer),
    /// A challenge, or the outcome of an exchange.
    Auth(AuthTurn),
    /// The first piece of a message, so that one that cannot be read is refused.
    Message(Answer, MessageNumber),
    /// A further piece.
    Piece,
    /// The answer to QUIT.
    Commit(Answer),
}

impl<D> Serving<'_, D> {
    /// The decision that [`Want::LogIn`] asks for.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] where none is due.
    pub fn logged_in(
        &mut self,
        outcome: Result<(D, Maildrop), Denied>,
        mut turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        let (locked, maildrop) = match outcome {
            Ok(opened) => opened,
            Err(denied) => return self.deny(denied, turn),
        };
        let welcome = ok("logged in");
        match std::mem::take(&mut self.owed) {
            Owed::Pass(answer) => turn.accept(answer, maildrop, &welcome)?,
            Owed::Auth(owed) => turn.accept_auth(owed, maildrop, &welcome)?,
            owed => {
                self.owed = owed;
                return Err(Misuse::NotOwed);
            }
        }
        self.locked = Some(locked);
        Ok(Want::Event)
    }

    /// What [`Want::Secret`] asks for: for a user who is not known, or has none, `None`.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] where none is due.
    pub fn secret(&mut self, secret: Option<ScramSecret>, turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        let (Owed::Auth(_), Some(exchange), Some(crypto)) =
            (&self.owed, &mut self.exchange, self.service.crypto)
        else {
            return Err(Misuse::NotOwed);
        };
        // A decoy is made also where the host was quick to say that there is no such user: what follows takes as long as with one.
        let secret = secret.or_else(|| {
            let decoys = self.service.decoys.as_deref()?;
            Some(ScramSecret::decoy(&self.asked, decoys.expose(), crypto))
        });
        let step = match secret {
            Some(secret) => exchange.secret(secret),
            None => Step::Failed(SaslError::Proof),
        };
        self.settle(step, turn)
    }

    /// The time of [`Want::Delay`] has passed.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] where nothing is held back.
    pub fn resume(&mut self, turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        let denied = self.denied.take().ok_or(Misuse::NotOwed)?;
        self.refuse(denied, turn)
    }

    /// PASS: its user is the one of the USER before it, whom the machine keeps. Names are UTF-8 here (RFC 6856 §2.2), so another one
    /// is nobody's.
    pub(super) fn pass(
        &mut self,
        password: Password<'_>,
        answer: Answer,
        turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        self.owed = Owed::Pass(answer);
        let user = turn.machine.user().and_then(|name| std::str::from_utf8(name).ok());
        let Some(user) = user.map(str::to_owned) else { return self.deny(Denied::Credentials, turn) };
        let identity = Identity { user, authorize_as: None };
        self.attempt(identity, Proof::Password(SecretBuf::from(password.expose())), turn)
    }

    /// APOP: the host compares, for it alone knows the password (RFC 1939 §7). The machine lets it through only where the greeting had a stamp
    /// and nothing came between.
    #[cfg(feature = "legacy-md5")]
    pub(super) fn apop(
        &mut self,
        name: UserName<'_>,
        digest: Digest,
        answer: Answer,
        turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        self.owed = Owed::Pass(answer);
        let (Ok(user), Some(stamp)) = (std::str::from_utf8(name.octets()), turn.machine.stamp()) else {
            return self.deny(Denied::Credentials, turn);
        };
        let identity = Identity { user: user.to_owned(), authorize_as: None };
        let proof = Proof::Apop(Apop::new(stamp, digest));
        self.attempt(identity, proof, turn)
    }

    /// AUTH: an exchange begins. The machine has refused what is not offered.
    pub(super) fn auth(
        &mut self,
        mechanism: &str,
        initial: Option<&[u8]>,
        owed: AuthTurn,
        turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        self.owed = Owed::Auth(owed);
        let begun = self.service.crypto.and_then(|crypto| Exchange::begin(mechanism, crypto));
        let Some(mut exchange) = begun else { return self.deny(Denied::Permanent, turn) };
        let step = exchange.start(initial);
        self.exchange = Some(exchange);
        self.settle(step, turn)
    }

    /// The response to a challenge.
    pub(super) fn response(
        &mut self,
        response: &[u8],
        owed: AuthTurn,
        turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        self.owed = Owed::Auth(owed);
        let step = match &mut self.exchange {
            Some(exchange) => exchange.step(response),
            None => Step::Failed(SaslError::Unexpected),
        };
        self.settle(step, turn)
    }

    /// Does what a step of an exchange says.
    fn settle(&mut self, step: Step, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        match step {
            Step::Challenge(challenge) => match std::mem::take(&mut self.owed) {
                Owed::Auth(owed) => {
                    turn.challenge(owed, challenge.expose())?;
                    Ok(Want::Event)
                }
                owed => {
                    self.owed = owed;
                    Err(Misuse::NotOwed)
                }
            },
            Step::Secret(identity) => {
                self.asked = identity.user.clone();
                Ok(Want::Secret(identity))
            }
            Step::Password { identity, password } => self.attempt(identity, Proof::Password(password), turn),
            Step::Proved(identity) => self.attempt(identity, Proof::Scram, turn),
            Step::Failed(SaslError::NoRandomness(_)) => self.deny(Denied::Temporary, turn),
            Step::Failed(_) => self.deny(Denied::Credentials, turn),
        }
    }

    /// Asks for the decision, unless the attempt is on another's behalf and that is not allowed.
    fn attempt(
        &mut self,
        mut identity: Identity,
        proof: Proof,
        turn: Turn<'_, Server>,
    ) -> Result<Want<D>, Misuse> {
        self.exchange = None;
        // Some clients name themselves twice (RFC 4616 §2): that is no delegation.
        if identity.authorize_as.as_ref() == Some(&identity.user) {
            identity.authorize_as = None;
        }
        if identity.authorize_as.is_some() && !self.service.delegation.is_allowed() {
            return self.deny(Denied::Credentials, turn);
        }
        Ok(Want::LogIn(Attempt { identity, proof, utf8: turn.machine.is_utf8() }))
    }

    /// Refuses a log-in, at once or after the delay. What was said in its exchange is overwritten now.
    fn deny(&mut self, denied: Denied, turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        self.exchange = None;
        if denied == Denied::Credentials && !self.service.delay.is_zero() {
            self.denied = Some(denied);
            return Ok(Want::Delay);
        }
        self.refuse(denied, turn)
    }

    /// Tells the client (RFC 3206, RFC 2449 §8.1). The machine leaves the code out where RESP-CODES is not offered.
    fn refuse(&mut self, denied: Denied, mut turn: Turn<'_, Server>) -> Result<Want<D>, Misuse> {
        let (words, code) = match denied {
            Denied::Credentials => ("wrong user or password", Code::Auth),
            Denied::InUse => ("another session has the maildrop", Code::InUse),
            Denied::LoginDelay => ("too soon after the last log-in", Code::LoginDelay),
            Denied::Temporary => ("not possible now", Code::SysTemp),
            Denied::Permanent => ("not possible", Code::SysPerm),
        };
        let reply = err(words).with(code);
        match std::mem::take(&mut self.owed) {
            Owed::Pass(answer) => turn.answer(answer, &reply)?,
            Owed::Auth(owed) => turn.refuse_auth(owed, &reply)?,
            owed => {
                self.owed = owed;
                return Err(Misuse::NotOwed);
            }
        }
        Ok(Want::Event)
    }
}
