//! What a unit is: the state is checked first, then the grammar runs once.
//!
//! The machine refuses by itself what no application could take: what is out of order (RFC 5321 §4.1.4), not offered, or over a limit. The
//! application is asked about the rest, and nothing of a command takes effect before it has answered: a MAIL that it refuses opens no
//! transaction, a RCPT adds no recipient.

use super::state::{Cost, Framing, Hello, Mine, Owed, Phase, Transaction, Transaction0};
use super::{Abort, Answer, AuthTurn, BodyForm, BodyOffer, Event, Refused, Server, TlsOffer, replies};
use crate::command::{Auth, Bdat, Command, Initial, Mail, Rcpt, Verb};
use crate::error::{Foreign, Invalid, Malformed, Rule, Violation};
use crate::ext::{Extension, Params};
use crate::frame::is_http;
use crate::parse::{self, Fixes, is_obsolete};
use crate::reply::ReplyBuf;
use crate::types::{Code, Mechanism};
use mail_wire::{Class, Input, Mask, Secret, Span, Unit, base64};

/// Whether a refusal says that the client made a mistake: a command that is unknown, malformed or out of order (RFC 5321 §4.2.4).
/// What policy refuses is no mistake, and is not counted.
pub(super) fn is_fault(code: Code) -> bool {
    matches!(code.get(), 500..=503)
}

impl Server {
    /// Reads the unit that was framed last. Nothing is written here: what the machine has to say waits for the next frame, because the event
    /// borrows the input until then.
    ///
    /// Octets of a body are masked whole: a log shows their length.
    pub(super) fn read_unit<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Violation> {
        let (octets, _) = input.unit_mut(unit)?;
        self.mask = None;
        self.codeless = self.framing == Framing::Connected;
        Ok(match self.framing {
            Framing::Connected => {
                self.phase = Phase::Ready;
                self.owed = Owed::Greeting;
                Event::Connected(self.answer_due())
            }
            Framing::Line { text } => self.read_line(octets.get_mut(..text).unwrap_or_default()),
            Framing::AuthLine { text } => self.read_response(octets.get_mut(..text).unwrap_or_default()),
            // The exchange is over (500, RFC 4954 §4), and the line is gone: it was a secret.
            Framing::LongLine { exchange: true } => Event::AuthCancelled,
            Framing::LongLine { exchange: false } => {
                let code = replies::LINE_TOO_LONG.code();
                Event::Refused(Refused { verb: None, code })
            }
            // A message may hold anything, and belongs to its reader.
            Framing::Chunk => {
                self.mask = Some(Mask { span: Span::new(0, octets.len()), class: Class::Body });
                Event::Chunk(octets)
            }
            Framing::Inserted(given) => {
                self.mask = Some(Mask { span: Span::new(0, octets.len()), class: Class::Body });
                Event::Chunk(given)
            }
            Framing::BodyEnd => {
                self.owed = Owed::BodyEnd;
                Event::BodyEnd(self.answer_due())
            }
            Framing::Abort => Event::Abort(self.abort.take().unwrap_or(Abort::Ended)),
        })
    }

    /// The token of an answer that is owed from now on: there is never more than one, so replies cannot change places (RFC 2920 §3.2).
    fn answer_due(&mut self) -> Answer {
        Answer(self.source.issue())
    }

    /// The machine refuses. The application learns of it, for a log, and has nothing to answer.
    fn refused<'i>(&mut self, verb: Option<Verb>, mine: Mine) -> Event<'i> {
        let code = match mine {
            Mine::Reply(reply) | Mine::Charged(_, reply) => reply.code(),
            Mine::Hello { .. } | Mine::Help => replies::OK.code(),
        };
        self.mine = Some(mine);
        Event::Refused(Refused { verb, code })
    }

    /// The machine refuses, and that was the last it says: what the client sends next cannot be told from what it did not mean to send.
    fn doomed<'i>(&mut self, verb: Option<Verb>, reply: &'static ReplyBuf, why: Violation) -> Event<'i> {
        self.reset(Abort::Ended);
        self.doom = Some(why);
        self.refused(verb, Mine::Reply(reply))
    }

    /// A command line: first what is no SMTP at all, then whether the state allows the verb, and only then the grammar, so that a flood of
    /// commands out of order costs little.
    fn read_line<'i>(&mut self, line: &'i mut [u8]) -> Event<'i> {
        let (word, rest) = parse::split(line);
        let verb = Verb::of(word);
        self.codeless = matches!(verb, Some(Verb::Ehlo | Verb::Helo | Verb::Lhlo));
        // Anybody's browser can be made to send a form to this port: its header lines are harmless errors, its body would be commands.
        if verb.is_none() && is_http(word) {
            return self.doomed(None, &replies::FOREIGN, Violation::ForeignProtocol(Foreign::Http));
        }
        if verb.is_none() && self.stray {
            // Its client has not waited for a 334, or has not heard a refusal: this is its name or its password.
            self.mask = Some(Mask { span: Span::new(0, line.len()), class: Class::Secret });
        } else {
            self.stray = verb == Some(Verb::Auth);
        }
        // Before anything can refuse the line, and so show it: a password is one also where AUTH is not in order.
        if verb == Some(Verb::Auth) && !rest.is_empty() {
            let span = Span::new(word.len().saturating_add(1), line.len());
            self.mask = Some(Mask { span, class: Class::Secret });
        }
        if let Some(refusal) = verb.and_then(|verb| self.refusal(verb)) {
            if !self.spend_idle(verb) {
                return self.too_idle(verb);
            }
            if verb == Some(Verb::Burl) && self.offer.extensions().has(Extension::Burl) {
                // It fails with the whole transaction, also where nobody is to get the message (RFC 4468 §3.2, §3.4).
                self.reset(Abort::Reset);
            }
            return self.refused(
                verb,
                if is_fault(refusal.code()) {
                    Mine::Charged(Cost::Bad, refusal)
                } else {
                    Mine::Reply(refusal)
                },
            );
        }
        if self.rejected && verb.is_none() {
            return self.refused(None, Mine::Charged(Cost::Bad, &replies::SEQUENCE));
        }
        if verb == Some(Verb::Auth) {
            return self.read_auth(line);
        }
        let line: &'i [u8] = line;
        match parse::command(line, &Fixes::counted(&mut self.policy.grammar.repairs)) {
            Ok(command) => self.read_command(command, line),
            Err(invalid) => self.malformed(verb, line, invalid),
        }
    }

    /// A line that does not parse is the application's to answer, but for two verbs: after BDAT the frame is lost, and AUTH, which is read apart, may
    /// have brought a secret.
    fn malformed<'i>(&mut self, verb: Option<Verb>, line: &'i [u8], invalid: Invalid) -> Event<'i> {
        // Nobody knows how many octets are no commands (RFC 3030 §2).
        if verb == Some(Verb::Bdat) {
            return self.doomed(verb, &replies::BAD_CHUNK, Violation::ChunkLost);
        }
        self.owed = Owed::Malformed { verb, rule: invalid.rule };
        let malformed = Malformed { raw: line, at: invalid.at, rule: invalid.rule };
        Event::Malformed(malformed, self.answer_due())
    }

    /// What the machine answers by itself, and what it asks the application.
    ///
    /// EHLO, NOOP, HELP, RSET and QUIT need nothing that an application knows (RFC 5321 §4.1.1). All of them are told to it, as EHLO and RSET end
    /// what it may have remembered of a transaction (§4.1.4).
    fn read_command<'i>(&mut self, command: Command<'i>, line: &'i [u8]) -> Event<'i> {
        let verb = command.verb();
        if !self.spend_idle(verb) {
            return self.too_idle(verb);
        }
        let mine = match &command {
            Command::Ehlo(_) | Command::Lhlo(_) => self.hello(Hello::Extended),
            Command::Helo(_) => self.hello(Hello::Plain),
            Command::Noop(_) => Mine::Reply(&replies::OK),
            Command::Help(_) => Mine::Help,
            Command::Rset => {
                self.reset(Abort::Reset);
                Mine::Reply(&replies::OK)
            }
            // The transmission channel is closed behind the 221, and not before (RFC 5321 §4.1.1.10).
            Command::Quit => {
                self.reset(Abort::Ended);
                self.phase = Phase::Over;
                Mine::Reply(&replies::BYE)
            }
            Command::Mail(mail) => return self.mail(*mail, command),
            Command::Rcpt(rcpt) => return self.rcpt(*rcpt, command),
            Command::Data => return self.offer_body(Owed::Body, BodyForm::Data),
            Command::Bdat(bdat) => return self.bdat(*bdat),
            Command::Burl(burl) => return self.burl(burl.last, command),
            Command::StartTls => {
                self.owed = Owed::Tls;
                return Event::StartTls(TlsOffer(self.source.issue()));
            }
            Command::XClient(attributes) => {
                // Who says who has logged in must be asked for more than an address.
                if attributes.get("LOGIN").is_some() {
                    return self.refused(verb, Mine::Reply(&replies::XCLIENT_LOGIN));
                }
                return self.ask(Owed::XClient, command);
            }
            // Its parameter is one of SMTPUTF8's (RFC 6531 §3.7.4.2).
            Command::Vrfy(vrfy) | Command::Expn(vrfy) if vrfy.utf8 && !self.speaks_utf8() => {
                return self.refused(verb, Mine::Reply(&replies::NO_PARAMETER));
            }
            Command::Unknown { verb: word, .. } => {
                // A verb of the standard that is not implemented is 502, any other 500 (RFC 5321 §4.2.4).
                if is_obsolete(word.as_bytes()) {
                    return self.refused(None, Mine::Charged(Cost::Bad, &replies::NOT_IMPLEMENTED));
                }
                return self.malformed(None, line, Invalid { rule: Rule::Verb, at: 0 });
            }
            _ => return self.ask(Owed::Plain, command),
        };
        self.mine = Some(mine);
        Event::Answered(command)
    }

    /// The application is asked. While it owes the answer, nothing is read.
    fn ask<'i>(&mut self, owed: Owed, command: Command<'i>) -> Event<'i> {
        self.owed = owed;
        Event::Command(command, self.answer_due())
    }

    /// EHLO and HELO end a transaction as RSET does (RFC 5321 §4.1.4), and the later of them decides whether extensions are in force.
    fn hello(&mut self, hello: Hello) -> Mine {
        self.reset(Abort::Reset);
        self.hello = hello;
        Mine::Hello { extended: hello == Hello::Extended }
    }

    /// MAIL: parameters by what is offered (555), UTF-8 by its parameter (RFC 6531 §3.5: 553), SIZE by the limit (RFC 1870 §6.1: 552). To
    /// refuse a message by its size here spares both sides its octets; that SIZE may be an estimate is why the body is counted too.
    fn mail<'i>(&mut self, mail: Mail<'i>, command: Command<'i>) -> Event<'i> {
        let params = mail.params();
        let refusal = if !self.allows(params) {
            Some(&replies::PARAMETER)
        } else if mail.needs_utf8() && !params.is_utf8() {
            Some(&replies::UTF8_ADDRESS)
        } else if params.size().is_some_and(|size| size > self.limits.message) {
            Some(&replies::TOO_LARGE)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.refused(Some(Verb::Mail), Mine::Reply(refusal));
        }
        let binary = params.body() == Some(crate::ext::BodyType::BinaryMime);
        self.ask(Owed::Mail(Transaction0 { utf8: params.is_utf8(), binary }), command)
    }

    /// RCPT: UTF-8 by the parameter of its MAIL, for RCPT has none of its own (RFC 6531 §3.4, §3.5).
    fn rcpt<'i>(&mut self, rcpt: Rcpt<'i>, command: Command<'i>) -> Event<'i> {
        let utf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.utf8);
        let refusal = if !self.allows(rcpt.params()) {
            Some(&replies::PARAMETER)
        } else if rcpt.needs_utf8() && !utf8 {
            Some(&replies::UTF8_ADDRESS)
        } else {
            None
        };
        match refusal {
            Some(refusal) => self.refused(Some(Verb::Rcpt), Mine::Charged(Cost::Recipient, refusal)),
            None => self.ask(Owed::Rcpt, command),
        }
    }

    /// Whether each parameter belongs to an extension that is offered, and the client has used EHLO (RFC 5321 §4.1.1.11). A parameter changes what
    /// is done with the mail: one that nobody understands must not be passed over.
    fn allows(&self, params: Params<'_>) -> bool {
        if params.is_empty() {
            return true;
        }
        let unknown = params.unknown() > 0 && !self.policy.unknown_parameters.is_allowed();
        // Not what is offered at the moment: AUTH is named before a log-in alone, its parameter goes on (RFC 4954 §5).
        let offered = self.offer.extensions();
        let plain = params.require_tls() && !self.secure;
        self.hello == Hello::Extended && !plain && !unknown && offered.has_all(params.needs())
    }

    /// Whether SMTPUTF8 is in force: offered, and to a client that has asked for what is offered (RFC 6531 §3.2).
    fn speaks_utf8(&self) -> bool {
        self.hello == Hello::Extended && self.offer.extensions().has(Extension::SmtpUtf8)
    }

    /// The application may look at the size, or its disk, before it takes a body.
    fn offer_body<'i>(&mut self, owed: Owed, form: BodyForm) -> Event<'i> {
        self.owed = owed;
        Event::Body(BodyOffer { stamp: self.source.issue(), form })
    }

    /// BDAT: what cannot be taken is refused only when its octets are gone (RFC 3030 §2).
    ///
    /// The order of the refusals is that of what a client has done wrong first. With any of them the transaction is over: the message could
    /// not be whole any more, and chunks that are on their way already must not be taken for another.
    fn bdat<'i>(&mut self, bdat: Bdat) -> Event<'i> {
        let Bdat { octets, last } = bdat;
        let offered = self.hello == Hello::Extended && self.offer.extensions().has(Extension::Chunking);
        let message = self.limits.message;
        let refusal = match &self.transaction {
            _ if self.hello == Hello::None => Some(&replies::SEQUENCE),
            _ if !offered => Some(&replies::NOT_IMPLEMENTED),
            None => Some(&replies::SEQUENCE),
            Some(transaction) if transaction.recipients == 0 => Some(&replies::NO_RECIPIENTS),
            Some(transaction) if transaction.octets.saturating_add(octets) > message => {
                Some(&replies::TOO_LARGE)
            }
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            let times = self.replies_to_chunk(last);
            self.reset(Abort::Reset);
            return self.swallow_chunk(octets, refusal, times);
        }
        let Some(transaction) = &mut self.transaction else {
            return self.refused(Some(Verb::Bdat), Mine::Charged(Cost::Bad, &replies::SEQUENCE));
        };
        let first = !transaction.chunked;
        if !transaction.has_room_for(octets, self.limits.chunks) {
            return self.too_many_chunks(Verb::Bdat);
        }
        self.offer_body(Owed::Body, BodyForm::Chunk { octets, first, last })
    }

    /// BURL is a chunk whose octets come from elsewhere (RFC 4468 §3.2): its size is not known here, so it counts as a small one.
    fn burl<'i>(&mut self, last: bool, command: Command<'i>) -> Event<'i> {
        let most = self.limits.chunks;
        let room = self.transaction.as_mut().is_none_or(|transaction| transaction.has_room_for(0, most));
        if room { self.ask(Owed::Burl { last }, command) } else { self.too_many_chunks(Verb::Burl) }
    }

    /// The client is told why, and goes: with small chunks it could keep a server at work for ever and never be over the size.
    fn too_many_chunks<'i>(&mut self, verb: Verb) -> Event<'i> {
        let why = Violation::Limit("chunks", self.limits.chunks.into());
        self.doomed(Some(verb), &replies::TOO_MANY_CHUNKS, why)
    }

    /// Its octets are on their way in any case, and are no commands. Where they are more than is read in vain, the link is closed at once: to go
    /// on behind them is impossible, and to read them all is what a flood would want.
    fn swallow_chunk<'i>(&mut self, octets: u64, reply: &'static ReplyBuf, times: u32) -> Event<'i> {
        if octets > self.discard.left() {
            return self.doomed(Some(Verb::Bdat), reply, Violation::Limit("discard", self.limits.discard));
        }
        self.body = super::body::Body::refused(octets, reply.clone(), times);
        self.phase = Phase::Swallow;
        Event::Refused(Refused { verb: Some(Verb::Bdat), code: reply.code() })
    }

    /// AUTH for a mechanism that is offered (RFC 4954 §4). The initial response is decoded where it stands, so that who is not known yet makes us
    /// hold nothing but the line.
    fn read_auth<'i>(&mut self, line: &'i mut [u8]) -> Event<'i> {
        let verb = Some(Verb::Auth);
        let (name, initial) = match parse::command(line, &Fixes::counted(&mut self.policy.grammar.repairs)) {
            Ok(Command::Auth(Auth { mechanism, initial })) => {
                let initial = match initial {
                    Initial::None => None,
                    Initial::Empty => Some(None),
                    Initial::Base64(text) => Some(Some(Span::locate(text.expose(), line))),
                };
                (Span::locate(mechanism.as_str().as_bytes(), line), initial)
            }
            Ok(_) => return self.refused(verb, Mine::Charged(Cost::Bad, &replies::SEQUENCE)),
            Err(invalid) => {
                return self.refused(verb, Mine::Charged(Cost::Bad, replies::to_rule(invalid.rule, verb)));
            }
        };
        if !self.spend_idle(verb) {
            return self.too_idle(verb);
        }
        let offered =
            Mechanism::new(name.of(line)).is_ok_and(|mechanism| self.offer.has_mechanism(mechanism));
        // Not announced, not taken: a mechanism that this link would expose is left out of the offer, and must not work all the same.
        if !offered {
            return self.refused(verb, Mine::Charged(Cost::Bad, &replies::MECHANISM));
        }
        let (before, initial): (&'i [u8], _) = match initial {
            None => (line, None),
            Some(None) => (line, Some(Secret::new(&[][..]))),
            Some(Some(span)) => match base64::decode_part(line, span) {
                Ok((before, octets)) => (before, Some(Secret::new(octets))),
                Err(_) => return self.refused(verb, Mine::Charged(Cost::Bad, &replies::AUTH_BASE64)),
            },
        };
        let Ok(mechanism) = Mechanism::new(name.of(before)) else {
            return self.refused(verb, Mine::Charged(Cost::Bad, &replies::MECHANISM));
        };
        self.owed = Owed::Auth;
        Event::Auth { mechanism, initial, turn: AuthTurn(self.source.issue()) }
    }

    /// A line of an exchange: base64, or `*` (RFC 4954 §4). Anything else ends the exchange with 501: a line that is no base64 is refused and not
    /// cleaned, or two readers would see two passwords.
    fn read_response<'i>(&mut self, line: &'i mut [u8]) -> Event<'i> {
        self.mask = Some(Mask { span: Span::new(0, line.len()), class: Class::Secret });
        self.phase = Phase::Ready;
        if *line == *b"*" {
            self.mine = Some(Mine::Reply(&replies::AUTH_CANCELLED));
            return Event::AuthCancelled;
        }
        match base64::decode_in_place(line) {
            Ok(octets) => {
                self.owed = Owed::Auth;
                Event::AuthResponse(Secret::new(octets), AuthTurn(self.source.issue()))
            }
            Err(_) => {
                self.mine = Some(Mine::Charged(Cost::Bad, &replies::AUTH_BASE64));
                Event::AuthCancelled
            }
        }
    }

    /// Charges a command that brings no mail nearer. RCPT, DATA and their like come behind a MAIL that was charged; what of them is refused is
    /// charged where it is refused.
    fn spend_idle(&mut self, verb: Option<Verb>) -> bool {
        let free =
            matches!(verb, None | Some(Verb::Rcpt | Verb::Data | Verb::Bdat | Verb::Burl | Verb::Quit));
        free || self.idle.spend(1).is_ok()
    }

    /// The last that the machine says to a client that only talks: a connection that brings no mail keeps others from bringing theirs.
    fn too_idle<'i>(&mut self, verb: Option<Verb>) -> Event<'i> {
        self.doomed(
            verb,
            &replies::TOO_MANY_IDLE,
            Violation::Limit("idle_commands", self.limits.idle_commands.into()),
        )
    }

    /// A MAIL has been accepted: its transaction begins, with no recipients and no octets of another (RFC 5321 §3.3).
    pub(super) fn open(&mut self, from: Transaction0) {
        self.transaction = Some(Transaction::new(from));
    }
}
