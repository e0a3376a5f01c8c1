//! Log-in by SASL, the same for the three protocols: the store knows the passwords, the exchange asks for what it needs.

use crate::store::Store;
use mail_session::sasl::server::{Exchange, Step as Sasl};
use mail_session::sasl::{ScramSecret, crypto};
use mail_session::wire::SecretBuf;

/// What to do next.
pub enum Step {
    /// Send this challenge.
    Challenge(SecretBuf),
    /// This user is logged in.
    Done(String),
    /// Nobody is.
    Failed,
}

/// One exchange.
pub struct LogIn {
    exchange: Option<Exchange>,
    store: Store,
}

impl LogIn {
    /// Begins an exchange by the mechanism of this name.
    pub fn new(store: &Store, mechanism: &str) -> Self {
        Self { exchange: Exchange::begin(mechanism, crypto()), store: store.clone() }
    }

    /// The first step.
    pub fn start(&mut self, initial: Option<&[u8]>) -> Step {
        let step = self.exchange.as_mut().map(|exchange| exchange.start(initial));
        self.settle(step)
    }

    /// The step that a response leads to.
    pub fn step(&mut self, response: &[u8]) -> Step {
        let step = self.exchange.as_mut().map(|exchange| exchange.step(response));
        self.settle(step)
    }

    /// Gives the exchange what it asks for. Nobody logs in on another's behalf here.
    fn settle(&mut self, step: Option<Sasl>) -> Step {
        match step {
            Some(Sasl::Challenge(challenge)) => Step::Challenge(challenge),
            Some(Sasl::Secret(identity)) => {
                let secret = match self.store.password(&identity.user) {
                    Some(password) => ScramSecret::derive(password.as_bytes(), crypto()).ok(),
                    // A host that strangers reach keeps the key to itself: with it one can tell who exists.
                    None => Some(ScramSecret::decoy(&identity.user, b"mailhost", crypto())),
                };
                let step =
                    self.exchange.as_mut().zip(secret).map(|(exchange, secret)| exchange.secret(secret));
                match step {
                    Some(Sasl::Challenge(challenge)) => Step::Challenge(challenge),
                    _ => Step::Failed,
                }
            }
            Some(Sasl::Password { identity, password }) if identity.authorize_as.is_none() => {
                let known = self.store.password(&identity.user);
                let good = known.is_some_and(|known| secret_eq(&password, known));
                if good { Step::Done(identity.user) } else { Step::Failed }
            }
            Some(Sasl::Proved(identity)) if identity.authorize_as.is_none() => Step::Done(identity.user),
            _ => Step::Failed,
        }
    }
}

/// Compares without telling by the time where the first difference is.
pub fn secret_eq(given: &SecretBuf, known: &str) -> bool {
    mail_session::wire::Secret::new(given.expose().as_slice()).matches(known.as_bytes())
}
