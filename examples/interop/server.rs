//! A real server, and how to open sessions with it.

use mail_session::open::Security;
use mail_session::sasl::client::Credentials;
use mail_session::tls::{ClientTls, provider};
use mail_session::{imap, pop3, smtp};
use mailhost::Failure;
use std::collections::BTreeMap;

/// Which of the two ways to TLS.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    StartTls,
    Implicit,
}

/// Both, with their names.
pub(crate) const WAYS: [(Way, &str); 2] = [(Way::StartTls, "STARTTLS"), (Way::Implicit, "implicit TLS")];

/// A server, as its ports file tells.
pub(crate) struct Server {
    values: BTreeMap<String, String>,
    tls: ClientTls,
}

impl Server {
    /// Reads a ports file: lines `NAME=VALUE`.
    pub(crate) fn read(file: &str) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file)?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let values: BTreeMap<String, String> = pairs.map(|(key, value)| (key.into(), value.into())).collect();
        let ca = values.get("CA").ok_or("the ports file names no CA")?;
        let tls = ClientTls::with_roots(&std::fs::read(ca)?, provider())?;
        Ok(Self { values, tls })
    }

    /// The same server, with other authorities to trust.
    pub(crate) fn trusting(&self, tls: ClientTls) -> Self {
        Self { values: self.values.clone(), tls }
    }

    /// A value of the ports file.
    pub(crate) fn value(&self, key: &str) -> Result<&str, Failure> {
        self.values.get(key).map(String::as_str).ok_or_else(|| format!("the ports file has no {key}").into())
    }

    /// The port of a service: its name has an S behind it where TLS comes first.
    pub(crate) fn port(&self, service: &str, way: Way) -> Result<u16, Failure> {
        let suffix = if matches!(way, Way::Implicit) { "S" } else { "" };
        Ok(self.value(&format!("{service}{suffix}"))?.parse()?)
    }

    fn security(&self, way: Way) -> Security {
        match way {
            Way::StartTls => Security::StartTls(self.tls.clone()),
            Way::Implicit => Security::Implicit(self.tls.clone()),
        }
    }

    fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(Credentials::password(self.value("USER")?, self.value("PASS")?))
    }

    /// Opens SMTP, logged in.
    pub(crate) fn smtp(&self, way: Way) -> Result<smtp::Opening, Failure> {
        let opening = smtp::Opening::new("localhost", self.security(way));
        Ok(opening.port(self.port("SUBMISSION", way)?).log_in(self.credentials()?))
    }

    /// Opens IMAP, logged in.
    pub(crate) fn imap(&self, way: Way) -> Result<imap::Opening, Failure> {
        let opening = imap::Opening::new("localhost", self.security(way));
        Ok(opening.port(self.port("IMAP", way)?).log_in(self.credentials()?))
    }

    /// Opens POP3, logged in.
    pub(crate) fn pop3(&self, way: Way) -> Result<pop3::Opening, Failure> {
        self.pop3_at(self.port("POP3", way)?, way)
    }

    /// Opens POP3 at another port, logged in.
    pub(crate) fn pop3_at(&self, port: u16, way: Way) -> Result<pop3::Opening, Failure> {
        let opening = pop3::Opening::new("localhost", self.security(way));
        Ok(opening.port(port).log_in(self.credentials()?))
    }
}
