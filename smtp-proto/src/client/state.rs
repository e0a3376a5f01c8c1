//! What the machine remembers of what it has sent.

use super::Ticket;
use alloc::boxed::Box;
use mail_wire::dot::{BareScan, DotEncoder};

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The greeting is awaited.
    Greeting,
    /// The greeting was a refusal.
    Rejected,
    Ready,
    /// Nothing more is read.
    Over,
}

/// A command whose reply is awaited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) ticket: Ticket,
    pub(super) kind: Kind,
    /// The number of the transaction that was open when it was sent.
    pub(super) transaction: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Hello {
        extended: bool,
    },
    Mail,
    Rcpt,
    /// The 354 is awaited.
    Data,
    /// The reply to the body; in LMTP one for each recipient: so many are left.
    DataEnd {
        left: Option<u32>,
    },
    /// BDAT, or BURL. In LMTP the last has a reply for each recipient, of which so many are left once the first has come.
    Chunk {
        last: bool,
        left: Option<u32>,
        /// BURL.
        fetched: bool,
    },
    Auth,
    StartTls,
    Rset,
    Quit,
    /// Its 220 begins the session again.
    XClient,
    /// Ends a pipelining group, as every command does of which no standard says otherwise (RFC 2920 §3.1).
    Lone,
}

impl Kind {
    /// Whether nothing may be sent before the reply has come. A body that has been sent may begin a group (RFC 2920 §3.1); in LMTP the
    /// last chunk may not, for its replies are counted by what is accepted.
    pub(super) const fn ends_group(self, lmtp: bool) -> bool {
        match self {
            Self::Hello { .. }
            | Self::Data
            | Self::Auth
            | Self::StartTls
            | Self::Quit
            | Self::XClient
            | Self::Lone => true,
            Self::Chunk { last, .. } => last && lmtp,
            Self::DataEnd { .. } | Self::Mail | Self::Rcpt | Self::Rset => false,
        }
    }
}

/// What the machine sends by itself at the next turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mine {
    /// HELO in place of the EHLO that was refused.
    Helo,
    /// `*`.
    Cancel,
    /// The body of a mail without recipients.
    EmptyBody,
}

/// A body on its way out.
#[derive(Debug)]
pub(super) enum Grant {
    Data(Box<DotEncoder>),
    Chunk { left: u64, last: bool },
}

/// The open transaction, as far as it has been sent and answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Transaction {
    /// Tells it apart from one that is pipelined behind it.
    pub(super) number: u32,
    pub(super) utf8: bool,
    pub(super) binary: bool,
    /// RCPTs sent.
    pub(super) sent: u32,
    /// RCPTs that have been answered by a 2yz.
    pub(super) accepted: u32,
    /// A chunk was sent: no DATA, no RCPT any more.
    pub(super) chunked: bool,
    /// The last chunk was sent, or DATA.
    pub(super) complete: bool,
    /// A part came by BURL.
    pub(super) fetched: bool,
    /// A chunk was refused: nothing but RSET or EHLO ends this.
    pub(super) failed: bool,
    pub(super) scan: BareScan,
}
