//! The server's side.

use super::crypto::{Crypto, Digest};
use super::scram::{self, ScramSecret};
use super::{NoRandomness, SaslError};
use mail_wire::{Secret, SecretBuf};
use std::fmt;

/// What a server does next.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step {
    /// Send this challenge, which may be empty.
    Challenge(SecretBuf),
    /// Check the password yourself, then accept or refuse the log-in. The exchange is over.
    Password {
        /// Who logs in.
        identity: Identity,
        /// With what.
        password: SecretBuf,
    },
    /// Look up what is kept for this user, or a [`ScramSecret::decoy`], and go on with [`Exchange::secret`].
    Secret(Identity),
    /// The proof is right: accept the log-in.
    Proved(Identity),
    /// Refuse the log-in. The exchange is over.
    Failed(SaslError),
}

/// Who logs in, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user whose password it is.
    pub user: String,
    /// On whose behalf, if not the user's own: whether that is allowed is the application's decision (RFC 4422 §3.4.1).
    pub authorize_as: Option<String>,
}

/// One exchange. It is used up by one log-in.
///
/// It knows no user: what must be looked up it asks for by a [`Step`], and who may log in as whom is the caller's to decide. Nothing of an
/// exchange is shown by `Debug`.
pub struct Exchange {
    state: State,
    crypto: &'static dyn Crypto,
}

/// What is awaited from the client, or from the caller.
enum State {
    /// PLAIN: its one message.
    Plain,
    /// LOGIN: the name is awaited.
    LoginName,
    /// LOGIN: the password of this name is awaited.
    LoginPassword(String),
    /// SCRAM: the client's first message is awaited.
    Scram,
    /// SCRAM: the secret of the user is awaited.
    ScramSecret(First),
    /// SCRAM: the proof is awaited.
    ScramProof {
        first: First,
        server_first: String,
        nonce: String,
        secret: ScramSecret,
    },
    /// SCRAM: our signature is on its way; the client's empty answer is awaited.
    Signed(Identity),
    Over,
}

/// What the client said first (RFC 5802 §7).
struct First {
    identity: Identity,
    gs2: String,
    bare: String,
    nonce: String,
}

impl Exchange {
    /// The names of the mechanisms, the best first.
    pub const MECHANISMS: [&'static str; 3] = ["SCRAM-SHA-256", "PLAIN", "LOGIN"];

    /// Begins an exchange. `None` for a mechanism that is not one of [`Self::MECHANISMS`].
    #[must_use]
    pub fn begin(mechanism: &str, crypto: &'static dyn Crypto) -> Option<Self> {
        let state = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => State::Plain,
            "LOGIN" => State::LoginName,
            "SCRAM-SHA-256" => State::Scram,
            _ => return None,
        };
        Some(Self { state, crypto })
    }

    /// The first step: with the client's initial response, or without one.
    pub fn start(&mut self, initial: Option<&[u8]>) -> Step {
        match (&self.state, initial) {
            (_, Some(initial)) => self.step(initial),
            (State::LoginName, None) => Step::Challenge(SecretBuf::from(&b"Username:"[..])),
            (_, None) => Step::Challenge(SecretBuf::from(&b""[..])),
        }
    }

    /// The step that a response leads to.
    pub fn step(&mut self, response: &[u8]) -> Step {
        let state = std::mem::replace(&mut self.state, State::Over);
        let step = match state {
            State::Plain => plain(response),
            State::LoginName => self.login_name(response),
            State::LoginPassword(user) => {
                let identity = Identity { user, authorize_as: None };
                Ok(Step::Password { identity, password: SecretBuf::from(response) })
            }
            State::Scram => self.scram_first(response),
            State::ScramProof { first, server_first, nonce, secret } => {
                self.scram_proof(response, first, &server_first, &nonce, &secret)
            }
            State::Signed(identity) if response.is_empty() => Ok(Step::Proved(identity)),
            State::Signed(_) => Err(SaslError::Malformed),
            State::ScramSecret(_) | State::Over => Err(SaslError::Unexpected),
        };
        step.unwrap_or_else(Step::Failed)
    }

    /// What is kept for the user of [`Step::Secret`].
    pub fn secret(&mut self, secret: ScramSecret) -> Step {
        match scram::nonce(self.crypto) {
            Ok(nonce) => self.secret_with(secret, &nonce),
            Err(error) => Step::Failed(SaslError::NoRandomness(error)),
        }
    }

    pub(super) fn secret_with(&mut self, secret: ScramSecret, nonce: &str) -> Step {
        let State::ScramSecret(first) = std::mem::replace(&mut self.state, State::Over) else {
            return Step::Failed(SaslError::Unexpected);
        };
        let nonce = format!("{}{nonce}", first.nonce);
        let server_first = format!("r={nonce},s={},i={}", scram::text(&secret.salt), secret.iterations);
        let challenge = SecretBuf::from(server_first.as_bytes());
        self.state = State::ScramProof { first, server_first, nonce, secret };
        Step::Challenge(challenge)
    }

    /// LOGIN has no standard; the prompts are what clients look for.
    fn login_name(&mut self, response: &[u8]) -> Result<Step, SaslError> {
        self.state = State::LoginPassword(utf8(response)?.into());
        Ok(Step::Challenge(SecretBuf::from(&b"Password:"[..])))
    }

    /// RFC 5802 §7: `client-first-message`. Channel binding is not offered, so `p` is refused and `y` is fine.
    fn scram_first(&mut self, response: &[u8]) -> Result<Step, SaslError> {
        let message = utf8(response)?;
        let (flag, rest) = message.split_once(',').ok_or(SaslError::Malformed)?;
        let (behalf, bare) = rest.split_once(',').ok_or(SaslError::Malformed)?;
        if !matches!(flag, "n" | "y") {
            return Err(SaslError::Malformed);
        }
        let authorize_as = match behalf.strip_prefix("a=") {
            Some(name) => Some(scram::unescape(name)?),
            None if behalf.is_empty() => None,
            None => return Err(SaslError::Malformed),
        };
        let [user, nonce] = scram::attributes(bare, ["n", "r"])?;
        if nonce.is_empty() {
            return Err(SaslError::Nonce);
        }
        let identity = Identity { user: scram::unescape(user)?, authorize_as };
        let gs2 = format!("{flag},{behalf},");
        let first = First { identity: identity.clone(), gs2, bare: bare.into(), nonce: nonce.into() };
        self.state = State::ScramSecret(first);
        Ok(Step::Secret(identity))
    }

    /// RFC 5802 §3 and §7: `client-final-message`.
    fn scram_proof(
        &mut self,
        response: &[u8],
        first: First,
        server_first: &str,
        nonce: &str,
        secret: &ScramSecret,
    ) -> Result<Step, SaslError> {
        let message = utf8(response)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(SaslError::Malformed)?;
        let [binding, told_nonce] = scram::attributes(without_proof, ["c", "r"])?;
        let binding = mail_wire::base64::decode(binding.as_bytes()).map_err(|_| SaslError::Malformed)?;
        if binding.expose().as_slice() != first.gs2.as_bytes() {
            return Err(SaslError::Malformed);
        }
        if told_nonce != nonce {
            return Err(SaslError::Nonce);
        }
        let proof = scram::digest(proof)?;
        let auth_message = format!("{},{server_first},{without_proof}", first.bare);
        let signature = self.crypto.hmac_sha256(&secret.stored_key, auth_message.as_bytes());
        let client_key: Digest = scram::xor(&proof, &signature);
        let stored_key = self.crypto.sha256(&client_key);
        if !Secret::new(secret.stored_key.as_slice()).matches(&stored_key) {
            return Err(SaslError::Proof);
        }
        let verifier = self.crypto.hmac_sha256(&secret.server_key, auth_message.as_bytes());
        self.state = State::Signed(first.identity);
        Ok(Step::Challenge(SecretBuf::from(format!("v={}", scram::text(&verifier)).into_bytes())))
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange(..)")
    }
}

impl From<NoRandomness> for Step {
    fn from(error: NoRandomness) -> Self {
        Self::Failed(error.into())
    }
}

/// RFC 4616 §2.
fn plain(response: &[u8]) -> Result<Step, SaslError> {
    let mut parts = response.split(|octet| *octet == 0);
    let (Some(behalf), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Malformed);
    };
    if user.is_empty() || password.is_empty() {
        return Err(SaslError::Malformed);
    }
    let authorize_as = if behalf.is_empty() { None } else { Some(utf8(behalf)?.to_string()) };
    let identity = Identity { user: utf8(user)?.into(), authorize_as };
    Ok(Step::Password { identity, password: SecretBuf::from(password) })
}

/// Names are UTF-8 in every mechanism here.
fn utf8(octets: &[u8]) -> Result<&str, SaslError> {
    std::str::from_utf8(octets).map_err(|_| SaslError::Malformed)
}
