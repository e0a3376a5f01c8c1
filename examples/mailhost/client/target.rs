//! Command lines: `smtps://USER@HOST:PORT --ca FILE`, and the password in the environment, where no list of processes shows it.

use crate::Failure;
use mail_session::open::Security;
use mail_session::sasl::client::Credentials;
use mail_session::tls::{ClientTls, provider};

/// The arguments of a program, taken one after the other.
pub struct Arguments(Vec<String>);

impl Arguments {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Whether a switch is there.
    pub fn switch(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() < before
    }

    /// The value behind an option.
    pub fn option(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|argument| argument == name)?;
        self.0.remove(at);
        (at < self.0.len()).then(|| self.0.remove(at))
    }

    /// The values behind an option that may come more than once.
    pub fn options(&mut self, name: &str) -> Vec<String> {
        std::iter::from_fn(|| self.option(name)).collect()
    }

    /// What is left, unless it is an option that nobody has taken.
    pub fn rest(self) -> Result<Vec<String>, Failure> {
        match self.0.iter().find(|argument| argument.starts_with("--")) {
            Some(unknown) => Err(format!("{unknown} is not known, or has no value").into()),
            None => Ok(self.0),
        }
    }
}

/// A server and who logs in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Who.
    pub user: String,
    /// The name that its certificate must have.
    pub host: String,
    /// The port, if not the usual one.
    pub port: Option<u16>,
    /// TLS from the first octet; else STARTTLS, without which nothing goes on.
    pub implicit: bool,
}

impl Target {
    /// Reads `SCHEME://USER@HOST[:PORT]`, or with an `s` behind the scheme.
    pub fn parse(url: &str, scheme: &str) -> Result<Self, Failure> {
        let wrong = || format!("{url} is not {scheme}[s]://USER@HOST[:PORT]");
        let (name, rest) = url.split_once("://").ok_or_else(wrong)?;
        let implicit =
            name.strip_prefix(scheme).filter(|rest| matches!(*rest, "" | "s")).ok_or_else(wrong)?;
        let (user, place) = rest.trim_end_matches('/').rsplit_once('@').ok_or_else(wrong)?;
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
            None => (place, None),
        };
        Ok(Self { user: user.into(), host: host.into(), port, implicit: implicit == "s" })
    }

    /// TLS by the authorities of a PEM file, or by those that the system trusts.
    pub fn security(&self, ca: Option<&str>) -> Result<Security, Failure> {
        let tls = match ca {
            Some(file) => ClientTls::with_roots(&std::fs::read(file)?, provider())?,
            None => ClientTls::platform(provider())?,
        };
        Ok(if self.implicit { Security::Implicit(tls) } else { Security::StartTls(tls) })
    }

    /// The user with the password of the environment variable `PASSWORD`.
    pub fn credentials(&self) -> Result<Credentials, Failure> {
        let password = std::env::var("PASSWORD").map_err(|_| "the variable PASSWORD holds no password")?;
        Ok(Credentials::password(&self.user, &password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_may_hold_an_at_sign_and_a_port_may_be_missing() {
        let target = Target::parse("imaps://me@example.org@mail.example.org", "imap").unwrap();
        assert_eq!((target.user.as_str(), target.host.as_str()), ("me@example.org", "mail.example.org"));
        assert_eq!((target.port, target.implicit), (None, true));
        assert_eq!(Target::parse("smtp://me@localhost:587", "smtp").unwrap().port, Some(587));
        for bad in ["smtp://localhost", "imap://me@localhost", "smtpx://me@h", "me@h", "smtp://me@h:x"] {
            assert!(Target::parse(bad, "smtp").is_err(), "{bad}");
        }
    }

    #[test]
    fn what_nobody_takes_is_refused() {
        let mut arguments = Arguments(["--to", "a", "x", "--to", "b", "--all"].map(String::from).into());
        assert_eq!(arguments.options("--to"), ["a", "b"]);
        assert!(arguments.switch("--all") && !arguments.switch("--all"));
        assert_eq!(arguments.rest().unwrap(), ["x"]);
        assert!(Arguments(vec!["--ca".into()]).rest().is_err());
    }
}
