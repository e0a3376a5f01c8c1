//! Commands that await their completion, and what the next `+` of the server means.

use super::config::Tags;
use super::event::Ticket;
use crate::command::{AppendForm, Command};
use crate::types::Key;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::ToString as _;
use mail_wire::dot::BareScan;
use mail_wire::{Class, Output, SecretBuf, Stamp};

/// A command in flight.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) ticket: Ticket,
    pub(super) tag: FlightTag,
    pub(super) kind: Kind,
    /// While it is in flight the server may tell that messages are gone, and the numbers of all behind them change.
    pub(super) moves_numbers: bool,
}

/// Its tag: a number of the source, or one that was set.
#[derive(Debug)]
pub(super) enum FlightTag {
    Number(u32),
    Set(Box<[u8]>),
}

impl FlightTag {
    pub(super) fn is(&self, tag: &[u8], number: Option<u32>) -> bool {
        match self {
            Self::Number(own) => number == Some(*own),
            Self::Set(own) => **own == *tag,
        }
    }

    pub(super) fn write<'b>(&'b self, tags: &Tags, buffer: &'b mut [u8; 24]) -> &'b [u8] {
        match self {
            Self::Number(number) => tags.write(*number, buffer),
            Self::Set(own) => own,
        }
    }
}

/// What the end of a command changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// LOGIN and AUTHENTICATE.
    Auth,
    StartTls,
    Enable,
    Select,
    /// CLOSE and UNSELECT.
    Close,
    Logout,
    Idle,
    /// UNAUTHENTICATE (RFC 8437).
    Unauthenticate,
    Other,
}

impl Kind {
    pub(super) fn of(command: &Command<'_>) -> Self {
        match command {
            Command::Login { .. } | Command::Authenticate { .. } => Self::Auth,
            Command::StartTls => Self::StartTls,
            Command::Enable(_) => Self::Enable,
            Command::Select { .. } | Command::Examine { .. } => Self::Select,
            Command::Close | Command::Unselect => Self::Close,
            Command::Logout => Self::Logout,
            Command::Idle => Self::Idle,
            Command::Other { uid: false, name, .. } if name.is("UNAUTHENTICATE") => Self::Unauthenticate,
            _ => Self::Other,
        }
    }
}

/// Whether EXPUNGE may come while the command is in flight: during all but FETCH, STORE and SEARCH by message numbers
/// (RFC 9051 §5.5, §7.5.1).
pub(super) const fn moves_numbers(command: &Command<'_>) -> bool {
    !matches!(
        command,
        Command::Fetch { uid: false, .. }
            | Command::Store { uid: false, .. }
            | Command::Search { uid: false, .. }
    )
}

/// Whether the command names messages by their numbers. The saved result of a search does not: the server keeps it true.
pub(super) fn names_numbers(command: &Command<'_>) -> bool {
    match command {
        Command::Fetch { uid: false, set, .. }
        | Command::Store { uid: false, set, .. }
        | Command::Copy { uid: false, set, .. }
        | Command::Move { uid: false, set, .. } => !set.is_saved(),
        Command::Search { keys, .. } => {
            keys.iter().any(|key| matches!(key, Key::Set(set) if !set.is_saved()))
        }
        _ => false,
    }
}

/// What the next `+` means. One at a time: nothing can be sent before it is settled.
#[derive(Debug)]
pub(super) enum Wait {
    /// Nothing awaits a `+`.
    Free,
    /// It releases the held rest of a command, up to the next literal or the end; then this.
    Held(Ticket, Then),
    /// It asks for the message of an APPEND.
    Append(Ticket, Message),
    /// No `+` was needed: the grant is an event of no octets.
    GrantDue(Ticket, Message),
    /// The message is being sent.
    Streaming(Stamp, Message),
    /// It starts IDLE.
    Idle(Ticket),
    /// IDLE is on.
    Idling(Ticket, Stamp),
    /// It is a SASL challenge.
    Sasl(Ticket),
    /// The answer to a challenge is owed by the application.
    Turn(Ticket, Stamp),
    /// A challenge could not be read: `*` is to be sent.
    Cancel(Ticket),
    /// STARTTLS is in flight.
    Tls,
    /// It was granted.
    Upgrade(Stamp),
}

impl Wait {
    /// The command that waits and whose refusal settles the wait.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Held(ticket, _)
            | Self::Append(ticket, _)
            | Self::GrantDue(ticket, _)
            | Self::Idle(ticket)
            | Self::Idling(ticket, _)
            | Self::Sasl(ticket)
            | Self::Turn(ticket, _)
            | Self::Cancel(ticket) => Some(*ticket),
            Self::Free | Self::Streaming(..) | Self::Tls | Self::Upgrade(_) => None,
        }
    }
}

/// What follows when nothing of a command is held any more.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    Free,
    Append(Message),
    Sasl,
}

/// The message of an APPEND: how much of it is still due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) left: u64,
    pub(super) form: AppendForm,
    pub(super) sync: bool,
    pub(super) scan: BareScan,
}

/// The rest of a command behind a synchronising literal.
#[derive(Debug, Default)]
pub(super) struct Held(VecDeque<Piece>);

#[derive(Debug)]
enum Piece {
    /// Wiped when it goes.
    Octets(Class, SecretBuf),
    Plus,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn put(&mut self, class: Class, octets: &[u8]) {
        self.0.push_back(Piece::Octets(class, octets.into()));
    }

    pub(super) fn wait(&mut self) {
        self.0.push_back(Piece::Plus);
    }

    /// A `+` has come: writes up to the next place that waits for one.
    pub(super) fn release(&mut self, output: &mut Output) {
        if matches!(self.0.front(), Some(Piece::Plus)) {
            self.0.pop_front();
        }
        while let Some(Piece::Octets(class, octets)) = self.0.front() {
            output.put(*class, octets.expose());
            self.0.pop_front();
        }
    }

    /// The command was refused: nothing of it may go out any more (RFC 9051 §4.3).
    pub(super) fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}

/// Which literals go out without waiting (RFC 7888).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NonSync {
    None,
    /// LITERAL-, IMAP4rev2: at most 4,096 octets.
    Small,
    /// LITERAL+.
    All,
}

impl NonSync {
    /// RFC 7888 §5.
    const SMALL: u64 = 4096;

    pub(super) const fn takes(self, octets: u64) -> bool {
        match self {
            Self::None => false,
            Self::Small => octets <= Self::SMALL,
            Self::All => true,
        }
    }
}

/// Where a command is written: to the output up to the first literal that waits, and behind it to what is held.
pub(super) struct Sink<'c> {
    pub(super) output: &'c mut Output,
    pub(super) held: &'c mut Held,
    pub(super) non_sync: NonSync,
    pub(super) utf8: bool,
}

impl crate::encode::Sink for Sink<'_> {
    fn put(&mut self, class: Class, octets: &[u8]) {
        if self.held.is_empty() { self.output.put(class, octets) } else { self.held.put(class, octets) }
    }

    fn literal(&mut self, class: Class, octets: &[u8]) {
        self.put(Class::Public, b"{");
        self.put(Class::Public, octets.len().to_string().as_bytes());
        if self.non_sync.takes(octets.len() as u64) {
            self.put(Class::Public, b"+}\r\n");
        } else {
            self.put(Class::Public, b"}\r\n");
            self.held.wait();
        }
        self.put(class, octets);
    }

    fn utf8(&self) -> bool {
        self.utf8
    }
}
