//! Reading the units that were framed.

use super::enable::Enabled;
use super::event::{AuthTurn, Event, Refusal, TlsOffer};
use super::machine::Mode;
use super::reply::{Due, shows_password};
use super::{Kind, Owed, Server};
use crate::command::Command;
use crate::error::{Malformed, Rule};
use crate::frame::Whole;
use crate::policy::Repair;
use crate::types::chars::{is_atom, is_tag};
use crate::types::{AString, Atom};
use mail_wire::{Class, Mask, Secret, Span, base64};

/// The longest tag that is kept; a command with a longer one is answered with `*`.
const TAG_MAX: usize = 256;

/// The first words of a command, looked at before its grammar is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub(crate) tag: &'a [u8],
    pub(crate) name: &'a [u8],
    /// Where the arguments begin.
    pub(crate) args: usize,
}

impl Head<'_> {
    /// Whether the command has this name, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Looks at the first words of a line, whatever stands behind them.
///
/// A tag counts as seen where a space or the line end follows it, so that the answer to a broken line carries it (RFC 9051 §7.1).
pub(crate) fn head(octets: &[u8]) -> Head<'_> {
    let word = |from: usize, is: fn(u8) -> bool| {
        let rest = octets.get(from..).unwrap_or(&[]);
        let n = rest.iter().position(|octet| !is(*octet)).unwrap_or(rest.len());
        rest.get(..n).unwrap_or(&[])
    };
    let tag = word(0, is_tag);
    let behind = octets.get(tag.len());
    let spaced = !tag.is_empty() && behind == Some(&b' ');
    let name = if spaced { word(tag.len().saturating_add(1), is_atom) } else { &[] };
    let args = tag.len().saturating_add(name.len()).saturating_add(2);
    let whole = matches!(behind, Some(b' ' | b'\r' | b'\n')) && tag.len() <= TAG_MAX;
    Head { tag: if whole { tag } else { &[] }, name, args }
}

impl Server {
    /// Remembers the tag of a command, if it has one.
    pub(crate) fn see_tag(&mut self, octets: &[u8]) {
        self.tag.clear();
        self.tag.extend_from_slice(head(octets).tag);
    }

    /// A whole command: its state is checked, then its grammar, then it is an event.
    ///
    /// The tag is kept whatever comes of it, so that the refusal carries it.
    pub(crate) fn read_command<'i>(&mut self, octets: &'i mut [u8], line: Whole) -> Event<'i> {
        if line.bare {
            self.policy.grammar.repairs.count(Repair::BareLf, 1);
        }
        let head = head(octets);
        self.tag.clear();
        self.tag.extend_from_slice(head.tag);
        // Who may not send it is not told how it should have been written, and whatever stands there may be a secret that was sent to
        // the wrong state.
        if let Some(why) = self.out_of_place(&head) {
            self.mask_from(head.args, line.text);
            return self.refuse_later(why);
        }
        if head.is("AUTHENTICATE") {
            return self.read_auth(octets, line);
        }
        let octets: &'i [u8] = octets;
        let parsed = Command::parse(octets, &self.limits, self.is_utf8());
        let command = match parsed {
            Ok((_, Command::Append(_))) => {
                // Its message was not announced where a literal can stand.
                let at = line.text;
                return self.malformed(octets, line, at, Rule::Literal);
            }
            Ok((_, command)) => command,
            Err(malformed) => return self.malformed(octets, line, malformed.at, malformed.rule),
        };
        if let Some((at, rule)) =
            super::offered::broken(&command, octets, head.args, self.offer.capabilities())
        {
            return self.malformed(octets, line, at, rule);
        }
        if let Command::Search { charset: Some(_), .. } = command {
            if self.is_enabled("UTF8=ACCEPT") {
                // Its strings would bear two labels (RFC 6855 §3).
                return self.malformed(octets, line, head.args, Rule::Search);
            }
        }
        self.command(command, octets)
    }

    /// What a command that was read makes the machine do or owe.
    fn command<'i>(&mut self, command: Command<'i>, octets: &'i [u8]) -> Event<'i> {
        let kind = match command {
            Command::Capability => {
                self.due = Some(Due::Capability);
                return Event::Answered(command);
            }
            Command::StartTls if !self.offers_tls() => return self.refuse_later(Refusal::State),
            Command::StartTls => {
                self.owed = Owed::Upgrade;
                return Event::StartTls(TlsOffer(self.source.issue()));
            }
            Command::Login { password, .. } => {
                self.mask_string(*password.expose(), octets);
                Kind::Login
            }
            Command::Select { .. } | Command::Examine { .. } => Kind::Select,
            Command::Close | Command::Unselect => Kind::Leave,
            Command::Enable(names) => Kind::Enable(Enabled::of(names, self.offer.capabilities())),
            Command::Logout => Kind::Logout,
            Command::Idle => Kind::Idle,
            Command::Fetch { uid: false, .. }
            | Command::Store { uid: false, .. }
            | Command::Search { uid: false, .. } => Kind::Numbers,
            Command::Other { uid: false, name, .. } if name.is("UNAUTHENTICATE") => Kind::Unauthenticate,
            _ => Kind::Plain,
        };
        Event::Command(command, self.owe(kind))
    }

    /// AUTHENTICATE: mechanisms that are not offered, or show a password before TLS, end here (RFC 9051 §6.2.2).
    ///
    /// The initial response is decoded where it stands, so that who is not known yet makes us hold nothing but the line.
    fn read_auth<'i>(&mut self, octets: &'i mut [u8], line: Whole) -> Event<'i> {
        let (name, initial) = match Command::parse(octets, &self.limits, self.is_utf8()) {
            Ok((_, Command::Authenticate { mechanism, initial })) => {
                let name = Span::locate(mechanism.as_bytes(), octets);
                (name, initial.map(|initial| Span::locate(initial.expose(), octets)))
            }
            Ok(_) => return self.malformed(octets, line, 0, Rule::Command),
            Err(Malformed { at, rule, .. }) => return self.malformed(octets, line, at, rule),
        };
        if let Some(span) = initial {
            self.mask_from(span.start(), span.end());
            let offer = self.offer.capabilities();
            if !offer.has("SASL-IR") && !offer.has("IMAP4rev2") {
                // Who does not offer it reads a line that goes on where it should end (RFC 4959 §3).
                return self.malformed(octets, line, span.start().saturating_sub(1), Rule::End);
            }
        }
        let mechanism = Atom::checked(name.of(octets));
        // That TLS comes first is said before whether the mechanism is known: a client that shows its password learns the one thing it
        // must change (RFC 9051 §6.2.2, §11.3).
        if self.hides_passwords() && shows_password(mechanism.as_str()) {
            return self.refuse_later(Refusal::TlsFirst);
        }
        if !self.offer.capabilities().auth().any(|name| mechanism.is(name)) {
            return self.refuse_later(Refusal::NotOffered);
        }
        let (before, initial): (&'i [u8], _) = match initial {
            None => (octets, None),
            Some(span) => match base64::decode_part(octets, span) {
                Ok((before, octets)) => (before, Some(Secret::new(octets))),
                Err(_) => return self.refuse_later(Refusal::NotBase64),
            },
        };
        self.owed = Owed::Auth;
        let mechanism = Atom::checked(name.of(before));
        Event::Auth { mechanism, initial, turn: AuthTurn(self.source.issue()) }
    }

    /// The answer to a challenge: base64, or `*` to give up, which is answered with BAD (RFC 9051 §6.2.2).
    ///
    /// Nothing else that the client may send here is ever read as a command.
    pub(crate) fn read_sasl<'i>(&mut self, octets: &'i mut [u8], line: Whole) -> Event<'i> {
        self.mask_from(0, line.text);
        // The exchange is over unless the application goes on with it: a line that is no response has ended it.
        self.mode = Mode::Line;
        let text = octets.get_mut(..line.text).unwrap_or_default();
        let why = match *text {
            [b'*'] => Refusal::Cancelled,
            _ => match base64::decode_in_place(text) {
                Err(_) => Refusal::NotBase64,
                Ok(response) => {
                    self.owed = Owed::Auth;
                    return Event::AuthResponse(Secret::new(response), AuthTurn(self.source.issue()));
                }
            },
        };
        self.due = Some(Due::Refuse(why));
        Event::AuthCancelled(why)
    }

    /// DONE in any case, without a tag. Anything else ends IDLE too, with BAD, and is not run (RFC 9051 §6.3.13).
    pub(crate) fn read_done<'i>(&mut self, octets: &'i [u8], line: Whole) -> Event<'i> {
        self.mode = Mode::Line;
        let text = octets.get(..line.text).unwrap_or(&[]);
        // The tag that is answered is that of IDLE: DONE has none, and that of a command in its place was not read.
        if text.eq_ignore_ascii_case(b"DONE") {
            return Event::IdleDone(self.owe(Kind::Plain));
        }
        let malformed = Malformed { raw: text, at: 0, rule: Rule::Done };
        Event::Malformed(malformed, self.owe(Kind::Malformed))
    }

    /// A line that cannot be read: the application refuses it, or makes something of it.
    fn malformed<'i>(&mut self, octets: &'i [u8], line: Whole, at: usize, rule: Rule) -> Event<'i> {
        let head = head(octets);
        // A password may be anywhere in a line that cannot be read.
        if self.phase == super::table::Phase::NotAuthenticated {
            self.mask_from(head.args, line.text);
        }
        let raw = octets.get(..line.text).unwrap_or(&[]);
        Event::Malformed(Malformed { raw, at, rule }, self.owe(Kind::Malformed))
    }

    /// A refusal of the machine's own: written before anything else is looked for.
    fn refuse_later<'i>(&mut self, why: Refusal) -> Event<'i> {
        self.due = Some(Due::Refuse(why));
        Event::Refused(why)
    }

    /// From `from` to before `to` the unit is secret.
    fn mask_from(&mut self, from: usize, to: usize) {
        if from < to {
            self.masks.push(Mask { span: Span::new(from, to), class: Class::Secret });
        }
    }

    /// Masks a string by the place that it has in the unit.
    fn mask_string(&mut self, string: AString<'_>, octets: &[u8]) {
        let span = Span::locate(string.raw(), octets);
        self.mask_from(span.start(), span.end());
    }
}
