//! To the wire. Every octet gets its class where it is made.

use crate::command::Command;
use crate::reply::{Reply, Status};
use crate::types::{Code, InitialResponse};
use mail_wire::{Class, Misuse, Output, SecretBuf};

/// The longest AUTH command with an initial response, line end included (RFC 5034 §4, RFC 2449 §4).
pub(crate) const AUTH_WITH_INITIAL: usize = 255;
/// The most lines of TOP that are written: servers read no more than eight digits everywhere.
const MOST_LINES: u32 = 99_999_999;

impl Command<'_> {
    /// Writes the command and its line end.
    ///
    /// An initial response that would make the line longer than 255 octets is not written but given back: it is
    /// what the first, empty challenge gets (RFC 5034 §4). [`Client::send`](crate::client::Client::send) does all of this.
    ///
    /// # Errors
    /// [`Misuse::TooLong`] if the line would be longer than `limit` octets, line end included; nothing is written.
    pub fn encode(&self, limit: usize, output: &mut Output) -> Result<Option<SecretBuf>, Misuse> {
        self.write(limit, AUTH_WITH_INITIAL, output)
    }

    /// The same, where AUTH has an initial response only up to so many octets of line; with 0 it has none.
    pub(crate) fn write(
        &self,
        limit: usize,
        auth_limit: usize,
        output: &mut Output,
    ) -> Result<Option<SecretBuf>, Misuse> {
        if self.encoded_len() > limit {
            return Err(Misuse::TooLong(limit));
        }
        let public = |output: &mut Output, octets: &[u8]| output.put(Class::Public, octets);
        public(output, self.verb().map_or("", super::command::Verb::name).as_bytes());
        // Nothing is written before the length is known to be good, so that a refused command leaves no half of a line.
        let mut withheld = None;
        match self {
            Self::User(name) => {
                public(output, b" ");
                public(output, name.octets());
            }
            // The name is public and the password is not: each run has its own class.
            Self::Pass(password) => {
                public(output, b" ");
                output.put(Class::Secret, password.expose());
            }
            Self::Apop { name, digest } => {
                public(output, b" ");
                public(output, name.octets());
                public(output, b" ");
                output.put(Class::Secret, &digest.hex());
            }
            Self::Auth { mechanism, initial } => {
                public(output, b" ");
                public(output, mechanism.name().as_bytes());
                withheld =
                    initial.and_then(|initial| auth(mechanism.name().len(), &initial, auth_limit, output));
            }
            // A range is checked to be ASCII without blanks.
            Self::Lang(Some(range)) => {
                public(output, b" ");
                public(output, range.as_str().as_bytes());
            }
            Self::List(Some(message))
            | Self::Uidl(Some(message))
            | Self::Retr(message)
            | Self::Dele(message) => {
                public(output, b" ");
                output.put_decimal(message.get().into());
            }
            Self::Top { message, lines } => {
                public(output, b" ");
                output.put_decimal(message.get().into());
                public(output, b" ");
                output.put_decimal((*lines).min(MOST_LINES).into());
            }
            Self::Other(other) => public(output, other.line()),
            _ => {}
        }
        public(output, b"\r\n");
        Ok(withheld)
    }

    /// An upper bound of the line, line end included, for those whose length is the caller's.
    fn encoded_len(&self) -> usize {
        match self {
            Self::User(name) => name.octets().len().saturating_add(7),
            Self::Pass(password) => password.expose().len().saturating_add(7),
            Self::Apop { name, .. } => name.octets().len().saturating_add(40),
            Self::Other(other) => other.line().len().saturating_add(2),
            _ => 0,
        }
    }
}

/// The initial response, where it fits; else it is given back (RFC 5034 §4).
fn auth(
    mechanism: usize,
    initial: &InitialResponse<'_>,
    limit: usize,
    output: &mut Output,
) -> Option<SecretBuf> {
    let text = initial.encode();
    // AUTH, two blanks and the line end are eight.
    let line = text.expose().len().saturating_add(mechanism).saturating_add(8);
    if line > limit {
        return Some(text);
    }
    output.put(Class::Public, b" ");
    output.put(Class::Secret, text.expose());
    None
}

impl Reply<'_> {
    /// Octets of text and of what stands behind it that a line of 512 has room for, whatever the code.
    pub(crate) const MOST_TAIL: usize = 512 - "+OK [] ".len() - Code::MAX - " \r\n".len();

    /// Writes the reply and its line end: at most 512 octets (RFC 1939 §3).
    pub fn encode(&self, output: &mut Output) {
        self.write(b"", output);
    }

    /// The same with something behind the text.
    pub(crate) fn write(&self, tail: &[u8], output: &mut Output) {
        output.put(Class::Public, if self.status == Status::Ok { b"+OK" } else { b"-ERR" });
        if let Some(code) = self.code {
            output.put(Class::Public, b" [");
            output.put(Class::Public, code.name());
            output.put(Class::Public, b"]");
        }
        // No blank stands at the end of a line without text.
        for part in [self.text.as_str().as_bytes(), tail].into_iter().filter(|part| !part.is_empty()) {
            output.put(Class::Public, b" ");
            output.put(Class::Public, part);
        }
        output.put(Class::Public, b"\r\n");
    }
}
