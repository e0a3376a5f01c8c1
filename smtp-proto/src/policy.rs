//! How strict a machine is, and what it lets pass before TLS.

use mail_wire::dot::BodyEol;
use mail_wire::line::LineEnd;

pub use mail_wire::{Allow, Tls};

/// How the grammar is read; see [`mail_wire::Grammar`].
pub type Grammar = mail_wire::Grammar<Repair>;

/// What is done with octets that arrive behind a command that ends a pipelining group: EHLO, DATA, AUTH (RFC 2920 §3.1).
///
/// Octets behind STARTTLS end the connection whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Sync {
    /// They end the connection.
    Strict,
    /// They end the connection of a client that has not authenticated.
    #[default]
    StrictUntilAuthenticated,
    /// They wait until the command is answered.
    Loose,
}

/// How a machine behaves towards its peer.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The grammar of commands and replies. What a client cannot read under [`Grammar::strict`] is a [`Violation`](crate::Violation).
    pub grammar: Grammar,
    /// What ends a command or a reply line. Never what ends a message: that is CRLF.CRLF alone.
    pub line: LineEnd,
    /// Bare CR, bare LF and NUL in a body that is taken or sent.
    pub body_eol: BodyEol,
    /// Octets behind a synchronisation point. Servers only.
    pub sync: Sync,
    /// STARTTLS. Under [`Tls::Required`] a client sends neither mail nor credentials before TLS, and a server without STARTTLS is a
    /// violation; a server answers 530 to all but EHLO, NOOP, RSET, HELP, STARTTLS and QUIT (RFC 3207 §4).
    pub tls: Tls,
    /// AUTH before TLS (RFC 4954 §4: 538). Also on the client's side: whether it hands out credentials there.
    pub plaintext_auth: Allow,
    /// A client that speaks before the greeting: under [`Allow::Refuse`] it is answered 554 and closed (RFC 5321 §3.1).
    pub early_talker: Allow,
    /// MAIL, VRFY, EXPN and ETRN only after AUTH (RFC 6409 §4.3, RFC 4954 §6: 530). Servers only.
    pub require_auth: bool,
    /// XCLIENT. Servers only.
    pub xclient: Allow,
    /// Parameters that this crate does not know: refused by 555, or given to the application as they are.
    pub unknown_parameters: Allow,
    /// Whether a client whose EHLO is refused falls back to HELO by itself (RFC 5321 §3.2). Never where TLS is required, nor in LMTP.
    pub helo_fallback: bool,
}

impl Policy {
    /// The default of servers.
    #[must_use]
    pub fn server() -> Self {
        let mut grammar = Grammar::strict();
        grammar.repairs.set(Repair::TrailingSpaces, true);
        Self {
            grammar,
            line: LineEnd::Strict,
            body_eol: BodyEol::Reject,
            sync: Sync::StrictUntilAuthenticated,
            tls: Tls::Opportunistic,
            plaintext_auth: Allow::Refuse,
            early_talker: Allow::Allow,
            require_auth: false,
            xclient: Allow::Refuse,
            unknown_parameters: Allow::Refuse,
            helo_fallback: true,
        }
    }

    /// The default of clients.
    #[must_use]
    pub fn client() -> Self {
        Self { grammar: Grammar::tolerant(), ..Self::server() }
    }
}

/// The repairs of the tolerant grammar. None of them moves the end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repair {
    /// LF alone ended a command or reply line (switched by [`Policy::line`]).
    BareLf,
    /// Spaces where there should be none, or two for one: `FROM: <a@b>`; spaces at the end of an EHLO line.
    Spaces,
    /// Spaces and tabs before the CRLF of a command. Who receives should tolerate them (RFC 5321 §4.1.1), so that [`Policy::server`] begins
    /// with this repair on, though its grammar is strict.
    TrailingSpaces,
    /// A path without its angle brackets.
    NoBrackets,
    /// An underscore in a domain.
    Underscore,
    /// A dot at the end of a domain.
    TrailingDot,
    /// Dots at the ends of a local part, or two in a row.
    OddDots,
    /// A local part over 64 octets.
    LongLocal,
    /// An IPv6 address literal without its tag.
    UntaggedIpv6,
    /// Lower-case hexadecimal in xtext.
    LowerHex,
    /// A reply code whose second digit is above 5.
    OddCode,
    /// A control octet in the text of a reply.
    ControlInText,
    /// A line of the EHLO reply that is no keyword line: passed over.
    EhloLine,
    /// `AUTH=` in an EHLO reply.
    AuthEquals,
    /// An enhanced code of another class than the reply's: ignored.
    ClassDiffers,
}

impl mail_wire::Repair for Repair {
    const ALL: &'static [Self] = &[
        Self::BareLf,
        Self::Spaces,
        Self::TrailingSpaces,
        Self::NoBrackets,
        Self::Underscore,
        Self::TrailingDot,
        Self::OddDots,
        Self::LongLocal,
        Self::UntaggedIpv6,
        Self::LowerHex,
        Self::OddCode,
        Self::ControlInText,
        Self::EhloLine,
        Self::AuthEquals,
        Self::ClassDiffers,
    ];

    fn index(self) -> u8 {
        self as u8
    }
}
