//! The client as a [`Machine`](mail_wire::Machine): what a unit says, and what it changes.
//! State that depends on what octets mean changes here and nowhere else; framing has decided where they end, and what a `+` was for.
//!
//! What is malformed stays beside what is good, in three sizes: a value inside a structure (a number), an attribute of a FETCH, a
//! line. Under the strict grammar each of them ends the session. What cannot be malformed is the pairing of completions with
//! commands: a tag that is not in flight, or a status that is none, leaves no doubt that one of the two sides has lost count.

use super::event::{BodyGrant, Event, IdleGrant, TlsGrant};
use super::flight::{Kind as Command, Wait};
use super::machine::{Kind, Meant, Piece};
use super::{Client, State, Strings};
use crate::error::{Malformed, Rule, Violation};
use crate::parse::leaf::{Cursor, Fault, Parse};
use crate::parse::reader::Reader;
use crate::parse::response::{Unit as Parsed, fetch_part};
use crate::parse::status;
use crate::policy::{Allow, Tls};
use crate::response::Untagged;
use crate::types::fetch_data::FetchHead;
use crate::types::{Code, Condition, ResponseText, Status, Target};
use mail_wire::{Class, Input, Mask, Span, Tape, Unit, base64};

impl Client {
    /// Reads the unit that was framed last. What kind of unit it is, framing has remembered.
    ///
    /// # Errors
    /// A stale unit, or a violation that only the grammar can see.
    pub(super) fn read<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        let (octets, tape) = input.unit(unit)?;
        match self.kind {
            Kind::Chunk => {
                self.masks.push(Mask { span: Span::new(0, octets.len()), class: Class::Body });
                Ok(Event::Chunk(octets))
            }
            Kind::Line { text } => self.any_line(line(octets, text), tape),
            Kind::Plus { text, meant } => self.meant(line(octets, text), meant),
            Kind::Fetch(piece) => self.fetch(octets, tape, &piece),
            Kind::Last { target, text } => self.fetch_last(line(octets, text), tape, target),
            Kind::Grant => match self.wait {
                Wait::Streaming(stamp, _) => Ok(Event::BodyWanted(BodyGrant(stamp), ResponseText::wire(b""))),
                _ => Err(Violation::Stale(mail_wire::StaleUnit)),
            },
            Kind::Nothing => Err(Violation::Stale(mail_wire::StaleUnit)),
        }
    }

    /// A unit that is no continuation request and no piece of a FETCH: the greeting, or a tagged or untagged response.
    /// Anything that is neither of the latter two is malformed, and the link goes on (RFC 9051 §2.2.2).
    fn any_line<'i>(&mut self, octets: &'i [u8], tape: &'i mut Tape) -> Result<Event<'i>, Violation> {
        if self.state == State::Greeting {
            return self.greeting(octets);
        }
        // A `*` that no space follows is not `*`: it may be the tag of another implementation, and is none of ours.
        if octets.first() == Some(&b'*') && octets.get(1) == Some(&b' ') {
            return self.untagged(octets, tape);
        }
        self.tagged(octets)
    }

    /// `greeting` (RFC 9051 §7.1).
    fn greeting<'i>(&mut self, octets: &'i [u8]) -> Result<Event<'i>, Violation> {
        // Before the greeting nobody knows that this is IMAP at all: nothing is repaired, nothing is answered (RFC 9051 §7.1).
        let mut cur = Cursor::new(octets);
        if !cur.eat_word(b"* ") {
            return Err(Violation::Greeting);
        }
        let word = cur.while_in(|octet| octet != b' ');
        let condition = match Condition::from_name(cur.get(word)) {
            Some(condition @ (Condition::Ok | Condition::PreAuth | Condition::Bye)) => condition,
            _ => return Err(Violation::Greeting),
        };
        let result = status::resp_text(&mut cur, condition, &mut self.policy.grammar.repairs);
        let (status, fault) = result.map_err(|_| Violation::Greeting)?;
        self.strictly(fault)?;
        self.state = match condition {
            // There is no way from here to STARTTLS, which belongs to the state before: an attacker who can write a greeting could
            // else keep TLS away (RFC 9051 §7.1.4, §11.1).
            Condition::PreAuth => {
                let refused = self.policy.tls == Tls::Required || self.policy.preauth == Allow::Refuse;
                if !self.secure && refused {
                    return Err(Violation::PreauthBeforeTls);
                }
                State::Authenticated
            }
            Condition::Bye => State::Logout,
            _ => State::NotAuthenticated,
        };
        // Before TLS it may be anybody's list, and is forgotten with it (RFC 9051 §6.2.1).
        self.learn_from(&status);
        Ok(Event::Greeting(status))
    }

    /// `response-data` (RFC 9051 §9). FETCH is an event of its own, since it may come in pieces.
    fn untagged<'i>(&mut self, octets: &'i [u8], tape: &'i mut Tape) -> Result<Event<'i>, Violation> {
        self.count_unsolicited()?;
        let mut reader = self.reader(octets, 1, tape);
        let parsed = reader.untagged(false);
        let fault = reader.fault;
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(fault) => return self.malformed(octets, fault),
        };
        self.strictly(fault)?;
        match parsed {
            Parsed::Untagged(untagged) => {
                if self.is_stray(untagged.is_mailbox_data(), untagged.is_message_data())? {
                    return self.malformed(octets, Fault::new(0, Rule::State));
                }
                self.follow(&untagged)?;
                Ok(Event::Untagged(untagged))
            }
            Parsed::Fetch(target) => {
                if self.is_stray(true, true)? {
                    return self.malformed(octets, Fault::new(0, Rule::State));
                }
                let head = FetchHead { target, first: true, literal: None };
                Ok(Event::Fetch(fetch_part(octets, tape.spans(), head)))
            }
        }
    }

    /// A FETCH up to a streamed literal, or between two of them. Its framing has been decided: whatever cannot be read in it is an
    /// item.
    fn fetch<'i>(
        &mut self,
        octets: &'i [u8],
        tape: &'i mut Tape,
        piece: &Piece,
    ) -> Result<Event<'i>, Violation> {
        let Piece { target, first, attribute, header } = *piece;
        let before = octets.get(..attribute).unwrap_or(&[]);
        // The announcement and the space before it are none of the name.
        let name = Span::new(attribute, header.at.saturating_sub(1));
        if first {
            self.count_unsolicited()?;
            self.stray = self.is_stray(true, true)?;
        }
        if self.stray {
            return self.malformed(octets, Fault::new(0, Rule::State));
        }
        let mut reader = self.reader(before, usize::from(first), tape);
        // The list is open: its parenthesis stands behind the literal.
        let parsed: Parse<()> =
            if first { reader.untagged(true).map(|_| ()) } else { reader.fetch_rest(true) };
        // A list that is too long for the tape: what was read of it is good.
        let fault = reader.fault.or(parsed.err());
        self.strictly(fault)?;
        let literal = Some((name, header.octets, header.binary));
        let head = FetchHead { target, first, literal };
        Ok(Event::Fetch(fetch_part(octets, tape.spans(), head)))
    }

    /// The rest of a FETCH behind its last streamed literal.
    fn fetch_last<'i>(
        &mut self,
        octets: &'i [u8],
        tape: &'i mut Tape,
        target: Target,
    ) -> Result<Event<'i>, Violation> {
        if core::mem::take(&mut self.stray) {
            return self.malformed(octets, Fault::new(0, Rule::State));
        }
        let mut reader = self.reader(octets, 0, tape);
        let parsed = reader.fetch_rest(false);
        let fault = reader.fault;
        match parsed {
            Ok(()) => self.strictly(fault)?,
            // The tape is full, or octets stand behind the list: what was read is good.
            Err(fault) => self.strictly(Some(fault))?,
        }
        let head = FetchHead { target, first: false, literal: None };
        Ok(Event::Fetch(fetch_part(octets, tape.spans(), head)))
    }

    /// A reader of `octets` at `at`. Spans count from the start of the unit, of which `octets` are the front.
    fn reader<'a, 't>(&'t mut self, octets: &'a [u8], at: usize, tape: &'t mut Tape) -> Reader<'a, 't> {
        Reader {
            cur: Cursor::from(octets, at),
            tape,
            repairs: &mut self.policy.grammar.repairs,
            depth: self.limits.body_depth,
            list_depth: self.limits.list_depth,
            early: self.state == State::NotAuthenticated,
            fault: None,
            masks: &mut self.masks,
        }
    }

    /// A tagged line, or one that begins with no tag.
    fn tagged<'i>(&mut self, octets: &'i [u8]) -> Result<Event<'i>, Violation> {
        let mut cur = Cursor::new(octets);
        let tag = cur.while_in(|octet| octet != b' ');
        let tag_octets = cur.get(tag);
        // Told by its octets: the server repeats them, and case counts (RFC 9051 §2.2.1).
        let number = self.tags.number(tag_octets);
        let index = self.flight.iter().position(|flight| flight.tag.is(tag_octets, number));
        let known = index.is_some();
        if cur.space().is_err() && !known {
            return self.malformed(octets, cur.fault(Rule::Tag));
        }
        let word = cur.while_in(|octet| octet != b' ');
        let condition = match Condition::from_name(cur.get(word)).filter(|one| one.is_completion()) {
            // A completion of nothing: which of the commands in flight the server has taken for another cannot be known, and whatever
            // comes next could be bound to the wrong one.
            Some(_) if tag.len() > 0 && !known => return Err(Violation::UnknownTag),
            Some(condition) if known => condition,
            _ if known => return Err(Violation::UnknownStatus),
            _ => return self.malformed(octets, Fault::new(0, Rule::Tag)),
        };
        let result = status::resp_text(&mut cur, condition, &mut self.policy.grammar.repairs);
        // What completes a command completes it, whatever its text.
        let (status, fault) = match result {
            Ok(read) => read,
            Err(fault) if self.policy.grammar.strict => return Err(violation(fault)),
            // Without a space, without text: the application waits for the end of its command and not for the words.
            Err(_) => (Status::new(condition, ResponseText::wire(cur.rest())), None),
        };
        self.strictly(fault)?;
        let Some(flight) = index.and_then(|index| self.flight.remove(index)) else {
            return Err(Violation::UnknownTag);
        };
        if self.flight.is_empty() {
            self.flight.shrink_to(4);
        }
        // In place of the `+` that it waited for: what was held of the command is not sent any more (RFC 9051 §4.3, §7.6).
        if self.wait.ticket() == Some(flight.ticket) {
            self.held.clear();
            self.wait = Wait::Free;
        }
        self.complete(flight.kind, &status).map(|grant| match grant {
            Some(grant) => Event::StartTls(grant),
            None => Event::Completed(flight.ticket, status),
        })
    }

    /// What the end of a command changes.
    fn complete(&mut self, command: Command, status: &Status<'_>) -> Result<Option<TlsGrant>, Violation> {
        let ok = status.is_ok();
        match command {
            // Its code is not even looked at: it came without protection (RFC 9051 §6.2.1).
            Command::StartTls if ok => {
                let stamp = self.source.issue();
                self.wait = Wait::Upgrade(stamp);
                return Ok(Some(TlsGrant(stamp)));
            }
            Command::StartTls => {
                self.wait = Wait::Free;
                if self.policy.tls == Tls::Required {
                    return Err(Violation::Downgrade);
                }
            }
            Command::Auth if ok => {
                if self.state == State::NotAuthenticated {
                    self.state = State::Authenticated;
                }
                // The state changes before the code is read: what it tells holds for the user who is logged in now.
                // What was known is not true any more, unless it was told anew (RFC 9051 §6.2.2).
                if !self.fresh {
                    self.capabilities = None;
                }
            }
            Command::Enable => {
                let told = core::mem::take(&mut self.enabling);
                self.strings.add(if ok { told } else { Strings::default() });
            }
            Command::Select if ok => self.select(State::Selected),
            // A CLOSE that failed left nothing: the standard knows no NO for it, and nothing but OK that ends the selected state
            // (RFC 9051 §6.4.1).
            Command::Close if ok => self.select(State::Authenticated),
            Command::Select if status.condition == Condition::No => self.select(State::Authenticated),
            Command::Unauthenticate if ok => self.forget_user(),
            // Whatever the answer is, the server was told and will close (RFC 9051 §6.1.3).
            Command::Logout => self.state = State::Logout,
            _ => {}
        }
        self.learn_from(status);
        Ok(None)
    }

    /// All that the connection was goes with its user, but for TLS (RFC 8437 §3, §4.1).
    fn forget_user(&mut self) {
        self.select(State::NotAuthenticated);
        (self.strings, self.enabling) = (Strings::default(), Strings::default());
        (self.has_selected, self.fresh) = (false, false);
        self.capabilities = None;
    }

    /// SELECT that fails leaves no mailbox selected (RFC 9051 §6.3.2). A session that has ended stays so.
    fn select(&mut self, state: State) {
        if self.state != State::Logout {
            self.state = state;
        }
    }

    /// What an untagged response changes.
    fn follow(&mut self, untagged: &Untagged<'_>) -> Result<(), Violation> {
        match untagged {
            Untagged::Capability(list) => self.learn(*list),
            // What nobody has asked for is not on: the next ENABLE would else complete it (RFC 9051 §7.2.1).
            Untagged::Enabled(list) if self.is_in_flight(Command::Enable) => {
                let accept = list.has("UTF8=ACCEPT");
                self.enabling.add(Strings { utf8: accept || list.has("IMAP4rev2"), unlabelled: accept });
            }
            // A greeting comes once (RFC 9051 §7.1.4): later it would log in by a word of the server.
            Untagged::Status(status) if status.condition == Condition::PreAuth => {
                return Err(Violation::SecondGreeting);
            }
            Untagged::Status(status) => {
                if untagged.is_bye() {
                    self.state = State::Logout;
                }
                if status.code == Some(Code::Closed) && self.state == State::Selected {
                    // A SELECT on its way has left the mailbox, or the server has taken it away (RFC 9051 §7.1).
                    self.state = State::Authenticated;
                }
                self.learn_from(status);
            }
            _ => {}
        }
        Ok(())
    }

    /// A CAPABILITY code is as good as the response (RFC 9051 §7.1).
    fn learn_from(&mut self, status: &Status<'_>) {
        if let Some(Code::Capability(list)) = status.code {
            self.learn(list);
        }
    }

    /// A continuation request that was awaited.
    fn meant<'i>(&mut self, octets: &'i [u8], meant: Meant) -> Result<Event<'i>, Violation> {
        let text = octets.get(1..).unwrap_or(&[]);
        let start = usize::from(text.first() == Some(&b' '));
        let text = text.get(start..).unwrap_or(&[]);
        let said = ResponseText::wire(text);
        // Framing has written what the `+` released; here it is only told.
        match meant {
            Meant::Released(ticket) => Ok(Event::Continued(ticket, said)),
            Meant::Body(message) => {
                let stamp = self.source.issue();
                self.wait = Wait::Streaming(stamp, message);
                Ok(Event::BodyWanted(BodyGrant(stamp), said))
            }
            Meant::Idle(ticket) => {
                let stamp = self.source.issue();
                self.wait = Wait::Idling(ticket, stamp);
                Ok(Event::Idling(IdleGrant(stamp), said))
            }
            Meant::Challenge(ticket) => {
                let span = Span::new(start.saturating_add(1), octets.len());
                self.masks.push(Mask { span, class: Class::Secret });
                // The server may ask for the first response with no octets at all (RFC 9051 §6.2.2).
                match base64::decode(text) {
                    Ok(challenge) => {
                        let stamp = self.source.issue();
                        self.wait = Wait::Turn(ticket, stamp);
                        Ok(Event::Challenge(challenge, super::AuthTurn(stamp)))
                    }
                    Err(_) => {
                        self.wait = Wait::Cancel(ticket);
                        Ok(Event::BadChallenge(ticket))
                    }
                }
            }
        }
    }

    /// Whether data have no place here: those of mailboxes before the log-in, since nobody may speak of them yet, and those of messages
    /// where no mailbox is selected or about to be (RFC 9051 §3, §7). A number of a message means nothing without its mailbox: an
    /// application that took one for the mailbox it had open last would change the wrong message.
    fn is_stray(&self, of_mailboxes: bool, of_messages: bool) -> Result<bool, Violation> {
        match self.state {
            State::NotAuthenticated if of_mailboxes && self.policy.tls == Tls::Required && !self.secure => {
                Err(Violation::DataBeforeTls)
            }
            State::NotAuthenticated => Ok(of_mailboxes),
            State::Authenticated => Ok(of_messages && !self.is_selecting()),
            // Only a message that is streamed comes here: any other first line is read as the greeting that it is not.
            State::Greeting => Err(Violation::Greeting),
            State::Selected | State::Logout => Ok(false),
        }
    }

    /// A server may speak unasked (RFC 9051 §7), but not for ever where the application has set a limit.
    fn count_unsolicited(&mut self) -> Result<(), Violation> {
        // Counted in a row: an answer that is awaited begins anew, and a server that only pushes is one that an application may bound.
        if self.flight.is_empty() {
            self.unsolicited = self.unsolicited.saturating_add(1);
            if let Some(limit) = self.limits.unsolicited.filter(|limit| self.unsolicited > *limit) {
                return Err(Violation::Unsolicited { limit });
            }
        }
        Ok(())
    }

    /// A unit that cannot be read. It may hold anything: all of it is masked.
    fn malformed<'i>(&mut self, octets: &'i [u8], fault: Fault) -> Result<Event<'i>, Violation> {
        if self.policy.grammar.strict {
            return Err(violation(fault));
        }
        self.masks.clear();
        self.masks.push(Mask { span: Span::new(0, octets.len()), class: Class::Body });
        Ok(Event::Malformed(Malformed { raw: octets, at: fault.at as usize, rule: fault.rule }))
    }

    /// A piece that cannot be read beside good ones: under the strict grammar it ends the session.
    fn strictly(&self, fault: Option<Fault>) -> Result<(), Violation> {
        match fault {
            Some(fault) if self.policy.grammar.strict => Err(violation(fault)),
            _ => Ok(()),
        }
    }
}

/// A fault as the end of the session: what is malformed under the strict grammar.
fn violation(fault: Fault) -> Violation {
    Violation::Malformed { rule: fault.rule, at: fault.at as usize }
}

/// A unit without its line end.
fn line(octets: &[u8], text: usize) -> &[u8] {
    octets.get(..text).unwrap_or(octets)
}
