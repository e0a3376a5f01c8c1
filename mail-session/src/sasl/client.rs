//! The client's side.

use super::SaslError;
use super::crypto::{Crypto, Digest};
use super::scram::{self, GS2, ITERATIONS};
use mail_wire::{Secret, SecretBuf};
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Who logs in, and how that is proved.
#[derive(Clone)]
pub struct Credentials {
    /// The name of the user.
    pub user: String,
    /// On whose behalf, if not the user's own (RFC 4422 §3.4.1).
    pub authorize_as: Option<String>,
    /// The proof.
    pub proof: Proof,
}

/// A password or a token.
#[derive(Clone, Debug)]
pub enum Proof {
    /// For PLAIN, LOGIN and SCRAM.
    Password(SecretBuf),
    /// An OAuth 2.0 bearer token, for XOAUTH2 and OAUTHBEARER.
    Token(SecretBuf),
    /// One that is asked for when it is sent: tokens are short-lived, credentials are kept.
    TokenFrom(TokenSource),
}

/// Gives bearer tokens, fresh ones each time. It is called once for each log-in by a token mechanism.
#[derive(Clone)]
pub struct TokenSource(Arc<dyn Fn() -> Option<SecretBuf> + Send + Sync>);

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource(..)")
    }
}

impl Credentials {
    /// A user with a password.
    #[must_use]
    pub fn password(user: &str, password: &str) -> Self {
        let proof = Proof::Password(SecretBuf::from(password.as_bytes()));
        Self { user: user.into(), authorize_as: None, proof }
    }

    /// A user with a bearer token.
    #[must_use]
    pub fn token(user: &str, token: &str) -> Self {
        let proof = Proof::Token(SecretBuf::from(token.as_bytes()));
        Self { user: user.into(), authorize_as: None, proof }
    }

    /// A user whose bearer token is asked for when it is to be sent. `None` from `source` ends the log-in with [`SaslError::NoToken`]. It is
    /// called on the thread of the session: what takes long is better fetched before, for [`Self::token`].
    #[must_use]
    pub fn token_from(user: &str, source: impl Fn() -> Option<SecretBuf> + Send + Sync + 'static) -> Self {
        let proof = Proof::TokenFrom(TokenSource(Arc::new(source)));
        Self { user: user.into(), authorize_as: None, proof }
    }

    /// Asks the source for the token.
    fn resolve(&mut self) -> Result<(), SaslError> {
        if let Proof::TokenFrom(TokenSource(source)) = &self.proof {
            self.proof = Proof::Token(source().ok_or(SaslError::NoToken)?);
        }
        Ok(())
    }

    fn secret(&self) -> &[u8] {
        match &self.proof {
            Proof::Password(secret) | Proof::Token(secret) => secret.expose(),
            Proof::TokenFrom(_) => b"",
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A mechanism that this side can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// SCRAM-SHA-256: the password is not sent, and the server proves that it knows it.
    ScramSha256,
    /// PLAIN: the password in clear.
    Plain,
    /// LOGIN: the password in clear.
    Login,
    /// OAUTHBEARER: the token in clear.
    OAuthBearer,
    /// XOAUTH2: the token in clear.
    XOAuth2,
}

impl Mechanism {
    /// All of them, the best first.
    pub const ALL: [Self; 5] =
        [Self::ScramSha256, Self::OAuthBearer, Self::XOAuth2, Self::Plain, Self::Login];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
        }
    }

    /// Whether what it sends is as good as the password to whoever reads it: not for a link without TLS.
    #[must_use]
    pub const fn is_plaintext(self) -> bool {
        !matches!(self, Self::ScramSha256)
    }

    fn fits(self, proof: &Proof) -> bool {
        matches!(self, Self::OAuthBearer | Self::XOAuth2) != matches!(proof, Proof::Password(_))
    }
}

/// One exchange. It is used up by one log-in.
pub struct Exchange {
    mechanism: Mechanism,
    credentials: Credentials,
    crypto: &'static dyn Crypto,
    state: State,
}

enum State {
    /// Nothing has been sent.
    Fresh,
    /// LOGIN: the name has been sent.
    Named,
    /// SCRAM: the first message has been sent, without its GS2 header.
    First {
        bare: Zeroizing<String>,
        nonce: String,
    },
    /// SCRAM: the proof has been sent; the server's signature is awaited.
    Proved {
        signature: Digest,
    },
    /// Nothing more is due.
    Done,
    Failed,
}

impl Exchange {
    /// An exchange by the best mechanism that is offered and fits the credentials. On a link without TLS (`secure` is false) one that
    /// sends the password or token in clear is not taken. `None`: there is none.
    pub fn choose<'o>(
        offered: impl IntoIterator<Item = &'o [u8]>,
        credentials: &Credentials,
        secure: bool,
        crypto: &'static dyn Crypto,
    ) -> Option<Self> {
        let offered: Vec<&[u8]> = offered.into_iter().collect();
        let is_offered =
            |m: &Mechanism| offered.iter().any(|name| name.eq_ignore_ascii_case(m.name().as_bytes()));
        Mechanism::ALL
            .into_iter()
            .filter(|m| m.fits(&credentials.proof) && (secure || !m.is_plaintext()))
            .find(is_offered)
            .map(|mechanism| Self::by(mechanism, credentials.clone(), crypto))
    }

    /// An exchange by this mechanism.
    #[must_use]
    pub fn by(mechanism: Mechanism, credentials: Credentials, crypto: &'static dyn Crypto) -> Self {
        Self { mechanism, credentials, crypto, state: State::Fresh }
    }

    /// The mechanism.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The initial response; `None` where the server speaks first. Send it with the command, or as the answer to an empty challenge.
    ///
    /// # Errors
    /// [`SaslError::Credentials`], [`SaslError::NoToken`], [`SaslError::NoRandomness`]; [`SaslError::Unexpected`] the second time.
    pub fn initial(&mut self) -> Result<Option<SecretBuf>, SaslError> {
        if !matches!(self.state, State::Fresh) {
            return Err(SaslError::Unexpected);
        }
        match self.mechanism {
            Mechanism::Login => Ok(None),
            Mechanism::ScramSha256 => {
                let nonce = scram::nonce(self.crypto)?;
                self.scram_first(nonce).map(Some)
            }
            _ => {
                self.credentials.resolve()?;
                let message = self.single()?;
                self.state = State::Done;
                Ok(Some(message))
            }
        }
    }

    /// The answer to a challenge.
    ///
    /// # Errors
    /// A [`SaslError`]: cancel the exchange.
    pub fn step(&mut self, challenge: &[u8]) -> Result<SecretBuf, SaslError> {
        let state = std::mem::replace(&mut self.state, State::Failed);
        match (self.mechanism, state) {
            (Mechanism::Login, State::Fresh) => {
                self.state = State::Named;
                Ok(SecretBuf::from(self.credentials.user.as_bytes()))
            }
            (Mechanism::Login, State::Named) => {
                self.state = State::Done;
                Ok(SecretBuf::from(self.credentials.secret()))
            }
            // The initial response was withheld: the empty challenge asks for it (RFC 4422 §5, RFC 5034 §4).
            (_, State::Fresh) if challenge.is_empty() => {
                self.state = State::Fresh;
                self.initial()?.ok_or(SaslError::Unexpected)
            }
            (_, State::First { bare, nonce }) => self.scram_final(challenge, &bare, &nonce),
            (_, State::Proved { signature }) => {
                verify_signature(challenge, &signature)?;
                self.state = State::Done;
                Ok(SecretBuf::from(&b""[..]))
            }
            // The server tells why it refuses; the answer lets it end the exchange (RFC 7628 §3.2.3).
            (Mechanism::OAuthBearer, State::Done) => Ok(SecretBuf::from(&b"\x01"[..])),
            (Mechanism::XOAuth2, State::Done) => Ok(SecretBuf::from(&b""[..])),
            _ => Err(SaslError::Unexpected),
        }
    }

    /// The server says that the log-in has succeeded: whether that may be believed. `data` is what came with it, if the protocol carries
    /// such (IMAP, POP3 and SMTP do not).
    ///
    /// # Errors
    /// [`SaslError::ServerUnproved`] where the mechanism lets the server prove itself and it has not.
    pub fn verify(self, data: Option<&[u8]>) -> Result<(), SaslError> {
        match (self.state, data) {
            (State::Done, _) => Ok(()),
            (State::Proved { signature }, Some(data)) => verify_signature(data, &signature),
            _ => Err(SaslError::ServerUnproved),
        }
    }

    /// The message of a mechanism that has but one.
    fn single(&self) -> Result<SecretBuf, SaslError> {
        let Credentials { user, authorize_as, .. } = &self.credentials;
        let (behalf, secret) = (authorize_as.as_deref().unwrap_or_default(), self.credentials.secret());
        let parts: Vec<&[u8]> = match self.mechanism {
            // RFC 4616 §2.
            Mechanism::Plain => vec![behalf.as_bytes(), b"\0", user.as_bytes(), b"\0", secret],
            Mechanism::XOAuth2 => vec![b"user=", user.as_bytes(), b"\x01auth=Bearer ", secret, b"\x01\x01"],
            // RFC 7628 §3.1.
            _ => vec![b"n,a=", user.as_bytes(), b",\x01auth=Bearer ", secret, b"\x01\x01"],
        };
        let foreign: &[u8] = if self.mechanism == Mechanism::Plain { b"\0" } else { b"\0\x01," };
        let values = [behalf.as_bytes(), user.as_bytes(), secret];
        if values.iter().any(|value| value.iter().any(|octet| foreign.contains(octet))) {
            return Err(SaslError::Credentials);
        }
        // Sized before it is filled: a buffer that grew would leave copies.
        let mut message = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| message.extend_from_slice(part));
        Ok(Secret::new(message))
    }

    /// RFC 5802 §7: `client-first-message`.
    pub(super) fn scram_first(&mut self, nonce: String) -> Result<SecretBuf, SaslError> {
        let Credentials { user, authorize_as, .. } = &self.credentials;
        if user.contains('\0') {
            return Err(SaslError::Credentials);
        }
        let bare = Zeroizing::new(format!("n={},r={nonce}", scram::escape(user)));
        let message = format!("{}{}", gs2(authorize_as.as_deref()), *bare);
        self.state = State::First { bare, nonce };
        Ok(SecretBuf::from(message.into_bytes()))
    }

    /// RFC 5802 §3 and §7: `client-final-message`.
    fn scram_final(&mut self, challenge: &[u8], bare: &str, nonce: &str) -> Result<SecretBuf, SaslError> {
        let server_first = std::str::from_utf8(challenge).map_err(|_| SaslError::Malformed)?;
        let [server_nonce, salt, iterations] = scram::attributes(server_first, ["r", "s", "i"])?;
        if !server_nonce.starts_with(nonce) || server_nonce.len() == nonce.len() {
            return Err(SaslError::Nonce);
        }
        let salt = mail_wire::base64::decode(salt.as_bytes()).map_err(|_| SaslError::Malformed)?;
        let iterations: NonZeroU32 = iterations.parse().map_err(|_| SaslError::Iterations)?;
        if !ITERATIONS.contains(&iterations.get()) {
            return Err(SaslError::Iterations);
        }
        let header = scram::text(gs2(self.credentials.authorize_as.as_deref()).as_bytes());
        let without_proof = format!("c={header},r={server_nonce}");
        let auth_message = Zeroizing::new(format!("{bare},{server_first},{without_proof}"));
        let crypto = self.crypto;
        let salted =
            Zeroizing::new(crypto.pbkdf2_sha256(self.credentials.secret(), salt.expose(), iterations));
        let client_key = Zeroizing::new(crypto.hmac_sha256(&*salted, b"Client Key"));
        let stored_key = crypto.sha256(&*client_key);
        let client_signature = crypto.hmac_sha256(&stored_key, auth_message.as_bytes());
        let proof = scram::text(&scram::xor(&client_key, &client_signature));
        let server_key = crypto.hmac_sha256(&*salted, b"Server Key");
        self.state = State::Proved { signature: crypto.hmac_sha256(&server_key, auth_message.as_bytes()) };
        Ok(SecretBuf::from(format!("{without_proof},p={proof}").into_bytes()))
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

fn gs2(authorize_as: Option<&str>) -> String {
    match authorize_as {
        None => GS2.into(),
        Some(name) => format!("n,a={},", scram::escape(name)),
    }
}

/// RFC 5802 §7: `server-final-message`.
fn verify_signature(message: &[u8], signature: &Digest) -> Result<(), SaslError> {
    let message = std::str::from_utf8(message).map_err(|_| SaslError::Malformed)?;
    if message.starts_with("e=") {
        return Err(SaslError::Refused);
    }
    let [verifier] = scram::attributes(message, ["v"])?;
    let told = scram::digest(verifier)?;
    if Secret::new(signature.as_slice()).matches(&told) { Ok(()) } else { Err(SaslError::ServerUnproved) }
}
