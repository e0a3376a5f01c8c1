//! What the machine remembers, and which commands that allows.

use super::{Server, replies};
use crate::command::Verb;
use crate::ext::{Extension, Extensions};
use crate::limits::Limits;
use crate::policy::{Sync, Tls};
use crate::reply::ReplyBuf;
use mail_wire::dot::BareScan;

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nobody has been told of the connection.
    Fresh,
    /// Command lines.
    Ready,
    /// A line of an AUTH exchange.
    Exchange,
    /// A body.
    Body,
    /// The octets of a chunk that was refused.
    Swallow,
    /// A line over its limit, up to its end.
    LongLine { exchange: bool, auth: bool },
    /// Nothing more is read.
    Over,
}

/// What the unit is that was framed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Connected,
    Line { text: usize },
    AuthLine { text: usize },
    LongLine { exchange: bool },
    Chunk,
    Inserted(&'static [u8]),
    BodyEnd,
    Abort,
}

/// What the application owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owed {
    Nothing,
    Greeting,
    Plain,
    /// Of which command, if its verb is known.
    Malformed {
        verb: Option<Verb>,
        rule: crate::error::Rule,
    },
    Mail(Transaction0),
    Rcpt,
    Burl {
        last: bool,
    },
    XClient,
    Auth,
    Tls,
    Body,
    BodyEnd,
}

impl Owed {
    /// Whether the answer takes or refuses a whole message: in LMTP there is then one for each recipient (RFC 2033 §4.2, §4.3).
    pub(super) const fn ends_message(self) -> bool {
        matches!(self, Self::BodyEnd | Self::Burl { last: true })
    }
}

/// What a MAIL would open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transaction0 {
    pub(super) utf8: bool,
    pub(super) binary: bool,
}

/// What the machine itself has to say about the unit decoded last.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mine {
    Reply(&'static ReplyBuf),
    /// A refusal that has a price.
    Charged(Cost, &'static ReplyBuf),
    Hello {
        extended: bool,
    },
    Help,
}

/// Which budget a refusal is charged to. When it is spent, a 421 stands for the refusal and the session is over: else who guesses, or
/// speaks another protocol, could go on for ever.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cost {
    /// [`Limits::bad_commands`](crate::Limits::bad_commands).
    Bad,
    /// [`Limits::refused_recipients`](crate::Limits::refused_recipients).
    Recipient,
    /// [`Limits::idle_commands`](crate::Limits::idle_commands).
    Idle,
}

/// How the client has introduced itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hello {
    None,
    /// HELO: no extension is in force.
    Plain,
    /// EHLO or LHLO.
    Extended,
}

/// An open mail transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) utf8: bool,
    pub(super) binary: bool,
    pub(super) recipients: u32,
    /// A BDAT was accepted: no DATA, no RCPT any more.
    pub(super) chunked: bool,
    pub(super) chunks: u32,
    /// Octets of the message so far.
    pub(super) octets: u64,
    pub(super) scan: BareScan,
    /// Octets that `scan` has seen.
    pub(super) scanned: u64,
}

impl Transaction {
    pub(super) fn new(from: Transaction0) -> Self {
        Self {
            utf8: from.utf8,
            binary: from.binary,
            recipients: 0,
            chunked: false,
            chunks: 0,
            octets: 0,
            scan: BareScan::new(),
            scanned: 0,
        }
    }
}

impl Transaction {
    /// Counts one more chunk of so many octets. Small ones are the cheapest way to make a server work, so they have an end, and large ones
    /// have none but that of the message.
    pub(super) fn has_room_for(&mut self, octets: u64, most: u32) -> bool {
        self.chunks = self.chunks.saturating_add(1);
        let mean = u64::from(self.chunks).saturating_mul(Limits::MEAN_CHUNK);
        self.chunks <= most || self.octets.saturating_add(octets) >= mean
    }
}

impl Server {
    /// Whether octets behind a synchronisation point end the connection.
    pub(super) fn is_sync_strict(&self) -> bool {
        match self.policy.sync {
            Sync::Strict => true,
            Sync::StrictUntilAuthenticated => !self.authenticated,
            Sync::Loose => false,
        }
    }

    /// What may be used at the moment.
    pub(super) fn in_force(&self) -> Extensions {
        let mut now = self.offer.extensions();
        if self.secure || self.policy.tls == Tls::Off {
            now = now.without(Extension::StartTls);
        }
        if !self.secure {
            // What asks for TLS all the way must have come by TLS (RFC 8689 §2).
            now = now.without(Extension::RequireTls);
        }
        if self.authenticated || !(self.secure || self.policy.plaintext_auth.is_allowed()) {
            now = now.without(Extension::Auth);
        }
        if !self.policy.xclient.is_allowed() {
            now = now.without(Extension::XClient);
        }
        now
    }

    /// Why a command may not be given now, before any grammar is looked at. BDAT is looked at later: its octets follow in any case.
    pub(super) fn refusal(&self, verb: Verb) -> Option<&'static ReplyBuf> {
        let offers = |extension| self.offer.extensions().has(extension);
        if self.rejected && !matches!(verb, Verb::Quit | Verb::Bdat) {
            return Some(&replies::SEQUENCE);
        }
        let wrong_variant = match verb {
            Verb::Ehlo | Verb::Helo => self.lmtp,
            Verb::Lhlo => !self.lmtp,
            _ => false,
        };
        if wrong_variant {
            return Some(&replies::UNKNOWN);
        }
        let before_tls = matches!(
            verb,
            Verb::Ehlo
                | Verb::Helo
                | Verb::Lhlo
                | Verb::Noop
                | Verb::Rset
                | Verb::Help
                | Verb::Quit
                | Verb::StartTls
        );
        if self.policy.tls == Tls::Required && !self.secure && !before_tls && verb != Verb::Bdat {
            return Some(&replies::NEED_TLS);
        }
        let extended = self.hello == Hello::Extended;
        match verb {
            Verb::Mail if self.hello == Hello::None || self.transaction.is_some() => Some(&replies::SEQUENCE),
            // All that a stranger could ask for (RFC 4954 §6); what comes behind MAIL is out of order anyhow.
            Verb::Mail | Verb::Vrfy | Verb::Expn | Verb::Etrn
                if self.policy.require_auth && !self.authenticated =>
            {
                Some(&replies::NEED_AUTH)
            }
            Verb::Rcpt => self.rcpt_refusal(),
            Verb::Data => self.data_refusal(),
            Verb::Auth if self.authenticated => Some(&replies::ALREADY_AUTH),
            Verb::Auth if !offers(Extension::Auth) => Some(&replies::NOT_IMPLEMENTED),
            Verb::Auth if !self.in_force().has(Extension::Auth) => Some(&replies::AUTH_NEEDS_TLS),
            Verb::Auth if !extended || self.transaction.is_some() => Some(&replies::SEQUENCE),
            Verb::StartTls if self.secure => Some(&replies::ALREADY_TLS),
            Verb::StartTls if !self.in_force().has(Extension::StartTls) => Some(&replies::NOT_IMPLEMENTED),
            Verb::StartTls if !extended => Some(&replies::SEQUENCE),
            Verb::Vrfy if !offers(Extension::Vrfy) => Some(&replies::CANNOT_VRFY),
            Verb::Expn if !offers(Extension::Expn) => Some(&replies::NOT_IMPLEMENTED),
            Verb::Etrn if !offers(Extension::Etrn) => Some(&replies::NOT_IMPLEMENTED),
            Verb::Etrn if self.transaction.is_some() => Some(&replies::SEQUENCE),
            Verb::Burl if !offers(Extension::Burl) => Some(&replies::NOT_IMPLEMENTED),
            Verb::Burl => self.burl_refusal(),
            Verb::XClient if !self.in_force().has(Extension::XClient) => Some(&replies::NOT_IMPLEMENTED),
            Verb::XClient if self.transaction.is_some() => Some(&replies::SEQUENCE),
            _ => None,
        }
    }

    fn rcpt_refusal(&self) -> Option<&'static ReplyBuf> {
        match &self.transaction {
            None => Some(&replies::SEQUENCE),
            Some(transaction) if transaction.chunked => Some(&replies::SEQUENCE),
            Some(transaction) if transaction.recipients >= self.limits.recipients => {
                Some(&replies::TOO_MANY_RCPT)
            }
            Some(_) => None,
        }
    }

    fn data_refusal(&self) -> Option<&'static ReplyBuf> {
        match &self.transaction {
            None => Some(&replies::SEQUENCE),
            // A body without lines cannot be stuffed (RFC 3030 §3).
            Some(transaction) if transaction.chunked || transaction.binary => Some(&replies::SEQUENCE),
            Some(transaction) if transaction.recipients == 0 => Some(&replies::NO_RECIPIENTS),
            Some(_) => None,
        }
    }

    /// It may stand among chunks (RFC 4468 §3.3).
    fn burl_refusal(&self) -> Option<&'static ReplyBuf> {
        match &self.transaction {
            None => Some(&replies::SEQUENCE),
            Some(transaction) if transaction.recipients == 0 => Some(&replies::NO_RECIPIENTS),
            Some(_) => None,
        }
    }

    /// Ends the transaction. If a message was begun, the application learns that it is off.
    pub(super) fn reset(&mut self, why: super::Abort) {
        // Of a message that is off already, no more is told.
        if self.transaction.take().is_some_and(|transaction| transaction.chunked) && !self.body.is_off() {
            self.abort = self.abort.or(Some(why));
        }
    }
}
