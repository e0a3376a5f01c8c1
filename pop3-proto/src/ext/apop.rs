//! APOP (RFC 1939 §7): a digest of the greeting's stamp and a shared secret. Feature `legacy-md5`.
//!
//! MD5 is broken for this use (RFC 6151 §2): a false server that chooses the stamps learns from the answers. A [`MsgId`] is held to what
//! makes that hard, and the policy refuses APOP unless it is switched on. Prefer SCRAM, or PLAIN under TLS.

use crate::client::{Client, Ticket};
use crate::command::Command;
use crate::types::{Digest, MsgId, UserName};
use mail_wire::{Misuse, Output};
use md5::Digest as _;

/// The digest of a stamp, brackets included, and a secret of any octets.
#[must_use]
pub fn digest(stamp: MsgId<'_>, secret: &[u8]) -> Digest {
    let mut hash = md5::Md5::new();
    hash.update(stamp.octets());
    hash.update(secret);
    Digest::new(hash.finalize().into())
}

impl Client {
    /// Logs in by APOP with the stamp of the greeting.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Misuse::NotOffered`] where the greeting had no stamp that is a msg-id.
    pub fn apop(&mut self, name: UserName<'_>, secret: &[u8], output: &mut Output) -> Result<Ticket, Misuse> {
        let digest = digest(self.stamp().ok_or(Misuse::NotOffered("APOP"))?, secret);
        self.send(&Command::Apop { name, digest }, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Config;
    use crate::policy::Allow;
    use mail_wire::{Framed, Input, Machine};

    #[test]
    fn the_example_of_the_standard_holds() {
        let stamp = MsgId::try_from(&b"<1896.697170952@dbc.mtview.ca.us>"[..]).unwrap();
        let expected = Digest::try_from(&b"c4c9334bac560ecc979e58001b3e22fb"[..]).unwrap();
        assert!(digest(stamp, b"tanstaaf").matches(&expected));
        assert!(!digest(stamp, b"tanstaag").matches(&expected));
    }

    /// SASL-22 of the vectors: without a stamp that is a msg-id there is no APOP, and without the policy's leave neither.
    #[test]
    fn apop_needs_a_good_stamp_and_leave() {
        let cases: [(&[u8], Allow, Result<(), Misuse>); 4] = [
            (b"+OK ready\r\n", Allow::Allow, Err(Misuse::NotOffered("APOP"))),
            (b"+OK <\x80@x>\r\n", Allow::Allow, Err(Misuse::NotOffered("APOP"))),
            (b"+OK <1.2@x>\r\n", Allow::Refuse, Err(Misuse::Forbidden("APOP"))),
            (b"+OK <1.2@x>\r\n", Allow::Allow, Ok(())),
        ];
        for (greeting, apop, expected) in cases {
            let mut config = Config::default();
            config.policy.apop = apop;
            let (mut client, mut input, mut output) = (Client::new(config), Input::new(), Output::new());
            input.feed(greeting);
            let Ok(Framed::Ready(unit)) = client.frame(&mut input, &mut output) else { panic!() };
            drop(client.decode(unit, &mut input).unwrap());
            let name = UserName::try_from("a").unwrap();
            assert_eq!(client.apop(name, b"s", &mut output).map(|_| ()), expected, "{greeting:?}");
            assert_eq!(output.is_empty(), expected.is_err());
        }
    }
}
