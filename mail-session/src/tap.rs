//! Looking at the wire without seeing a secret.
//!
//! A tap on an opening sees the session from its first octet, the log-in included, which shows as a length:
//!
//! ```no_run
//! # #[cfg(all(feature = "ring", feature = "platform-verifier"))]
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mail_session::sasl::client::Credentials;
//! use mail_session::tls::{ClientTls, provider};
//! use mail_session::{Transcript, blocking, open::Security, smtp};
//! let page = Transcript::of_client();
//! let security = Security::StartTls(ClientTls::platform(provider())?);
//! let opening = smtp::Opening::new("mail.example.org", security)
//!     .log_in(Credentials::password("me", "secret"))
//!     .tap(page.clone());
//! let session = blocking::connect(opening)?;
//! print!("{}", page.text());
//! # Ok(()) }
//! ```

use mail_wire::{Class, Mask};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::{Zeroize, Zeroizing};

/// The way that octets go, seen from this side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the peer.
    In,
    /// To the peer.
    Out,
}

/// What happened to the connection between octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Note {
    /// The TLS handshake begins.
    TlsBegins,
    /// TLS stands: the octets after this are protected.
    TlsStands,
    /// The machine says that the session is over.
    Closed,
}

/// Looks at what a session sends and receives.
///
/// Public octets are shown as they are. Of secret octets and of message bodies only the class and the length are shown, decided where the
/// octets are made and never searched for, so that no tap can leak. Octets are shown when they are handed to the socket or to TLS, and when a
/// unit from the peer is decoded.
pub trait Tap: Send + Sync {
    /// Octets that may be shown.
    fn public(&mut self, direction: Direction, octets: &[u8]);
    /// So many octets that may not.
    fn masked(&mut self, direction: Direction, class: Class, octets: usize);
    /// An event of the connection.
    fn note(&mut self, _note: Note) {}
}

impl<T: Tap + ?Sized> Tap for Box<T> {
    fn public(&mut self, direction: Direction, octets: &[u8]) {
        (**self).public(direction, octets);
    }

    fn masked(&mut self, direction: Direction, class: Class, octets: usize) {
        (**self).masked(direction, class, octets);
    }

    fn note(&mut self, note: Note) {
        (**self).note(note);
    }
}

/// A tap that writes a readable transcript: `C: ` and `S: ` lines, `[secret: 24 octets]` and `[body: 1024 octets]`.
///
/// Clones share the text.
#[derive(Clone, Debug)]
pub struct Transcript {
    text: Arc<Mutex<Page>>,
    mine: &'static str,
    theirs: &'static str,
}

#[derive(Debug, Default)]
struct Page {
    text: String,
    /// Who wrote the line that is not ended, and octets of a body or a secret of which more may come.
    line: Option<Direction>,
    mask: Option<(Direction, Class, usize)>,
}

impl Transcript {
    /// For the client's side.
    #[must_use]
    pub fn of_client() -> Self {
        Self { text: Arc::default(), mine: "C: ", theirs: "S: " }
    }

    /// For the server's side.
    #[must_use]
    pub fn of_server() -> Self {
        Self { text: Arc::default(), mine: "S: ", theirs: "C: " }
    }

    /// Everything so far.
    #[must_use]
    pub fn text(&self) -> String {
        let mut page = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        page.unmask();
        page.text.clone()
    }

    fn with(&self, direction: Direction, write: impl FnOnce(&mut Page, &'static str)) {
        let name = if direction == Direction::Out { self.mine } else { self.theirs };
        write(&mut self.text.lock().unwrap_or_else(PoisonError::into_inner), name);
    }
}

impl Page {
    fn begin(&mut self, direction: Direction, name: &str) {
        if self.line == Some(direction) {
            return;
        }
        self.end_line();
        self.text.push_str(name);
        self.line = Some(direction);
    }

    fn end_line(&mut self) {
        if self.line.take().is_some() {
            self.text.push('\n');
        }
    }

    /// Writes out what was masked so far as one run.
    fn unmask(&mut self) {
        if let Some((_, class, octets)) = self.mask.take() {
            let class = if class == Class::Body { "body" } else { "secret" };
            self.text.push_str(&format!("[{class}: {octets} octets]"));
            if class == "body" {
                self.end_line();
            }
        }
    }
}

impl Tap for Transcript {
    fn public(&mut self, direction: Direction, octets: &[u8]) {
        self.with(direction, |page, name| {
            page.unmask();
            for line in octets.split_inclusive(|octet| *octet == b'\n') {
                page.begin(direction, name);
                let (text, ended) = match line {
                    [text @ .., b'\r', b'\n'] | [text @ .., b'\n'] => (text, true),
                    text => (text, false),
                };
                page.text
                    .push_str(&text.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'"));
                if ended {
                    page.end_line();
                }
            }
        });
    }

    fn masked(&mut self, direction: Direction, class: Class, octets: usize) {
        self.with(direction, |page, name| {
            match &mut page.mask {
                Some((way, kind, sum)) if *way == direction && *kind == class => {
                    *sum = sum.saturating_add(octets);
                    return;
                }
                _ => page.unmask(),
            }
            page.begin(direction, name);
            page.mask = Some((direction, class, octets));
        });
    }

    fn note(&mut self, note: Note) {
        self.with(Direction::Out, |page, _| {
            page.unmask();
            page.end_line();
            page.text.push_str(match note {
                Note::TlsBegins => "-- TLS handshake\n",
                Note::TlsStands => "-- TLS stands\n",
                Note::Closed => "-- closed\n",
            });
        });
    }
}

/// A tap in use, with the octets of the unit that is being decoded.
pub(crate) struct Tapped {
    tap: Box<dyn Tap>,
    /// A copy of the unit: an event borrows the input exclusively while its masks are read. Overwritten after use.
    unit: Zeroizing<Vec<u8>>,
}

/// A copy larger than this is not kept from unit to unit.
const KEPT: usize = 4096;

impl Tapped {
    pub(crate) fn new(tap: Box<dyn Tap>) -> Self {
        Self { tap, unit: Zeroizing::new(Vec::new()) }
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.tap.note(note);
    }

    /// Copies a unit before it is decoded.
    pub(crate) fn keep(&mut self, unit: &[u8]) {
        self.forget();
        // A buffer that grew in place would leave a copy of the last unit behind; this one is empty and overwritten.
        if self.unit.capacity() < unit.len() {
            self.unit = Zeroizing::new(Vec::with_capacity(unit.len()));
        }
        self.unit.extend_from_slice(unit);
    }

    /// The unit was decoded: shows it by its masks.
    pub(crate) fn decoded(&mut self, masks: &[Mask]) {
        let mut at = 0_usize;
        for mask in masks {
            let start = mask.span.start().clamp(at, self.unit.len());
            let end = mask.span.end().clamp(start, self.unit.len());
            self.shown(at, start);
            if end > start {
                match mask.class {
                    Class::Public => self.shown(start, end),
                    class => self.tap.masked(Direction::In, class, end.saturating_sub(start)),
                }
            }
            at = end;
        }
        self.shown(at, self.unit.len());
        self.forget();
    }

    /// The unit could not be decoded: nobody knows what is secret in it.
    pub(crate) fn undecoded(&mut self) {
        if !self.unit.is_empty() {
            self.tap.masked(Direction::In, Class::Secret, self.unit.len());
        }
        self.forget();
    }

    /// The first `n` octets of these runs go out.
    pub(crate) fn sent<'a>(&mut self, runs: impl Iterator<Item = (Class, &'a [u8])>, n: usize) {
        let mut left = n;
        for (class, octets) in runs {
            let octets = octets.get(..left).unwrap_or(octets);
            if octets.is_empty() {
                break;
            }
            match class {
                Class::Public => self.tap.public(Direction::Out, octets),
                class => self.tap.masked(Direction::Out, class, octets.len()),
            }
            left = left.saturating_sub(octets.len());
        }
    }

    fn shown(&mut self, from: usize, to: usize) {
        match self.unit.get(from..to) {
            Some(octets) if !octets.is_empty() => self.tap.public(Direction::In, octets),
            _ => {}
        }
    }

    fn forget(&mut self) {
        self.unit.zeroize();
        if self.unit.capacity() > KEPT {
            self.unit = Zeroizing::new(Vec::new());
        }
    }
}

impl std::fmt::Debug for Tapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tapped(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_wire::Span;

    #[test]
    fn a_transcript_shows_public_octets_and_the_length_of_the_rest() {
        let page = Transcript::of_client();
        let mut tapped = Tapped::new(Box::new(page.clone()));
        let out =
            [(Class::Public, &b"AUTH PLAIN "[..]), (Class::Secret, b"c2VjcmV0"), (Class::Public, b"\r\n")];
        tapped.sent(out.into_iter(), 21);
        tapped.keep(b"+OK hello\r\n");
        tapped.decoded(&[]);
        for piece in [&b"one"[..], b"three"] {
            tapped.keep(piece);
            tapped.decoded(&[Mask { span: Span::new(0, piece.len()), class: Class::Body }]);
        }
        tapped.note(Note::Closed);
        assert_eq!(
            page.text(),
            "C: AUTH PLAIN [secret: 8 octets]\nS: +OK hello\nS: [body: 8 octets]\n-- closed\n"
        );
    }

    #[test]
    fn masks_outside_their_unit_and_units_without_masks_hide_and_show_what_is_there() {
        let page = Transcript::of_server();
        let mut tapped = Tapped::new(Box::new(page.clone()));
        tapped.keep(b"PASS x\r\n");
        tapped.decoded(&[Mask { span: Span::new(5, 900), class: Class::Secret }]);
        tapped.keep(b"rubbish");
        tapped.undecoded();
        assert_eq!(page.text(), "C: PASS [secret: 10 octets]");
    }
}
