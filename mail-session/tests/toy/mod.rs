//! A line protocol that is small and has everything that a session must carry: pipelined commands, a secret, bodies both ways, an upgrade
//! to TLS. It is the reference that engine and drivers are tested with; the protocol crates are run through the same tests.
//!
//! ```text
//! C: ECHO text      S: +text
//! C: LOGIN secret   S: +welcome
//! C: GET n          S: +n, then a dot-stuffed body
//! C: PUT            S: >        C: a dot-stuffed body   S: +n
//! C: STLS           S: ^, then TLS
//! C: QUIT           S: +bye, closed
//! anything else     S: -text
//! ```
#![allow(dead_code, unreachable_pub)]

mod client;
mod server;
pub mod tls;

pub use client::{Client, ClientEvent, Command};
pub use server::{Server, ServerEvent};

use mail_session::wire::line::{Line, LineEnd, LineFramer};
use mail_session::wire::{Class, End, Input, Mask, Source, Span, Stamp};

pub const LINE: usize = 8192;

#[must_use]
#[derive(Debug)]
pub struct Token(pub(self) Stamp);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("a line that does not end")]
    Line,
    #[error("a reply that nothing awaits")]
    Unawaited,
    #[error("the connection ended too soon")]
    Truncated,
    #[error("out of time")]
    Expired,
    #[error("stale unit")]
    Stale,
}

/// What both sides need.
#[derive(Debug, Default)]
struct Common {
    framer: LineFramer,
    source: Source,
    owed: Option<Stamp>,
    upgrade: Option<Stamp>,
    fatal: Option<Violation>,
    end: Option<End>,
    closed: bool,
    masks: Vec<Mask>,
    secured: bool,
}

impl Common {
    fn issue(&mut self) -> Token {
        let stamp = self.source.issue();
        self.owed = Some(stamp);
        Token(stamp)
    }

    fn redeem(&mut self, token: &Token) -> bool {
        let owed = self.owed == Some(token.0);
        if owed {
            self.owed = None;
        }
        owed
    }

    fn line(&mut self, input: &mut Input) -> Result<Option<Line>, Violation> {
        input.allow(LINE);
        self.framer.step(input.pending(), LineEnd::Strict, LINE).map_err(|_| self.fail(Violation::Line))
    }

    fn fail(&mut self, violation: Violation) -> Violation {
        self.fatal = Some(violation);
        violation
    }

    fn mask(&mut self, class: Class, start: usize, end: usize) {
        self.masks.clear();
        self.masks.push(Mask { span: Span::new(start, end), class });
    }
}
