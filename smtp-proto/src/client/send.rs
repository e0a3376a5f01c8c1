//! The application's side: commands, bodies, responses.
//!
//! What cannot be in order is refused before it is written: once it is on the wire there is no taking it back, and a reply to it would come
//! where another is awaited. A refused call has changed nothing, and may be made again when its reason is gone.

use super::state::{Flight, Grant, Kind, Phase, Transaction};
use super::{AuthTurn, BodyGrant, Client, Ticket};
use crate::command::{Auth, Bdat, Burl, Command, Initial, Mail, Rcpt, Vrfy};
use crate::encode;
use crate::ext::{BodyType, Extension};
use crate::policy::Tls;
use crate::types::Mechanism;
use bytes::{Buf, Bytes};
use mail_wire::dot::BodyEol;
use mail_wire::{Class, Done, Misuse, Output, Redeemed, Returned, Secret, SecretBuf, base64};

/// What a body may not hold under [`BodyEol::Reject`]: a server further on might see the end of the message there (RFC 5321 §4.1.1.4).
const BODY_FAULT: &str = "a bare CR, a bare LF or a NUL in the body";

/// The octets of an AUTH command, beyond which its initial response must wait: it is a command like any other, and the 12,288 are those of the
/// exchange (RFC 4954 §4, RFC 5321 §4.5.3.1.4).
const AUTH_COMMAND: usize = 512;

impl Client {
    /// Queues a command. Where the server offers PIPELINING it may be sent before those in flight are answered, unless one of them ends a
    /// group: EHLO, DATA, VRFY, EXPN, NOOP, QUIT, and all whose extension does not say that it need not (RFC 2920 §3.1).
    ///
    /// # Errors
    /// Nothing was written. [`Misuse::MustWait`]: something must be answered first. [`Misuse::NotInState`]: the order of RFC 5321 §4.1.4.
    /// [`Misuse::NotOffered`]: a parameter or verb of an extension that the server does not offer. [`Misuse::Forbidden`]: by policy.
    /// [`Misuse::Invalid`]: an address beyond ASCII without SMTPUTF8; BDAT, for which there is [`Client::chunk`]. [`Misuse::TooLong`]: the
    /// line, or the message that MAIL declares by SIZE is larger than the server takes (RFC 1870 §4).
    pub fn send(&mut self, command: &Command<'_>, output: &mut Output) -> Result<Ticket, Misuse> {
        if matches!(command, Command::Bdat(_)) {
            return Err(Misuse::Invalid("a chunk goes by Client::chunk"));
        }
        self.check(command)?;
        self.note(command);
        let ticket = self.launch(kind_of(command));
        match command {
            Command::Auth(Auth { mechanism, initial: Initial::Base64(text) })
                if encode::command_len(command) > AUTH_COMMAND =>
            {
                self.held = Some(SecretBuf::from(text.expose().to_vec()));
                let bare = Auth { mechanism: *mechanism, initial: Initial::None };
                encode::command(&Command::Auth(bare), output);
            }
            command => encode::command(command, output),
        }
        Ok(ticket)
    }

    /// Queues an AUTH command. The initial response is encoded, and written as a secret; an empty one goes as `=` (RFC 4954 §4). One that would
    /// make the line longer than 512 octets is held back, and the machine sends it when the server asks for it by an empty challenge.
    ///
    /// # Errors
    /// As [`Client::send`]; [`Misuse::TooLong`] beyond [`Limits::auth_line`](crate::Limits::auth_line).
    pub fn auth(
        &mut self,
        mechanism: Mechanism<'_>,
        initial: Option<&[u8]>,
        output: &mut Output,
    ) -> Result<Ticket, Misuse> {
        let text = initial.map(base64::encode);
        let initial = match &text {
            None => Initial::None,
            Some(text) if text.expose().is_empty() => Initial::Empty,
            Some(text) => Initial::Base64(Secret::new(text.expose())),
        };
        self.send(&Command::Auth(Auth { mechanism, initial }), output)
    }

    /// Begins a chunk of a message: BDAT goes out at once, and exactly `octets` octets must follow by [`Client::body`] (RFC 3030 §2).
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn chunk(
        &mut self,
        octets: u64,
        last: bool,
        output: &mut Output,
    ) -> Result<(Ticket, BodyGrant), Misuse> {
        let command = Command::Bdat(Bdat { octets, last });
        self.check(&command)?;
        self.note(&command);
        let ticket = self.launch(kind_of(&command));
        encode::command(&command, output);
        self.grant = Some(Grant::Chunk { left: octets, last });
        Ok((ticket, BodyGrant(self.source.issue())))
    }

    /// Sends octets of the body: takes from the front of `piece` what the output has room for. What is left goes in again when
    /// [`Output::is_full`] is over. Lines end in CRLF; dots are stuffed here.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::Invalid`] for a bare CR, a bare LF or a NUL under [`BodyEol::Reject`];
    /// [`Misuse::WrongLength`] beyond the size of a chunk. Nothing was taken.
    pub fn body(&mut self, grant: &mut BodyGrant, piece: &mut Bytes, output: &mut Output) -> Done {
        self.check_grant(grant)?;
        let eol = self.policy.body_eol;
        match &mut self.grant {
            Some(Grant::Data(encoder)) => {
                encoder.push(piece, output).map_err(|_| Misuse::Invalid(BODY_FAULT))
            }
            Some(Grant::Chunk { left, .. }) => {
                if piece.len() as u64 > *left {
                    return Err(Misuse::WrongLength);
                }
                let part = piece.slice(..piece.len().min(output.room()));
                if let Some(transaction) = self.transaction.as_mut().filter(|transaction| !transaction.binary)
                {
                    let mut scan = transaction.scan;
                    // A chunk's size is announced, so nothing can be put in: only refuse or pass.
                    if scan.piece(&part).is_some() && eol != BodyEol::Pass {
                        return Err(Misuse::Invalid(BODY_FAULT));
                    }
                    transaction.scan = scan;
                }
                *left = left.saturating_sub(part.len() as u64);
                piece.advance(part.len());
                output.queue(Class::Body, part);
                Ok(())
            }
            None => Err(Misuse::NotOwed),
        }
    }

    /// Ends the body, or the chunk. The reply comes for the ticket of the DATA, or of the chunk.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::WrongLength`] for a chunk with octets left; [`Misuse::Invalid`] for a body that ends in a CR.
    pub fn end_body(&mut self, grant: BodyGrant, output: &mut Output) -> Redeemed<BodyGrant> {
        let done = self.check_grant(&grant).and_then(|()| match &mut self.grant {
            Some(Grant::Data(encoder)) => encoder.end(output).map_err(|_| Misuse::Invalid(BODY_FAULT)),
            Some(Grant::Chunk { left: 0, last }) => {
                let bare = self.transaction.filter(|transaction| !transaction.binary && *last);
                let bare = bare.is_some_and(|transaction| transaction.scan.end().is_some());
                if bare && self.policy.body_eol != BodyEol::Pass {
                    return Err(Misuse::Invalid(BODY_FAULT));
                }
                Ok(())
            }
            Some(Grant::Chunk { .. }) => Err(Misuse::WrongLength),
            None => Err(Misuse::NotOwed),
        });
        match done {
            Ok(()) => {
                self.grant = None;
                Ok(())
            }
            Err(why) => Err(Returned::new(grant, why)),
        }
    }

    /// Answers a challenge. The response is encoded, and written as a secret.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::TooLong`] where the line would not fit into [`Limits::auth_line`](crate::Limits::auth_line).
    pub fn respond(&mut self, turn: AuthTurn, response: &[u8], output: &mut Output) -> Redeemed<AuthTurn> {
        let most = self.limits.auth_line;
        let why = if !self.has_turn(&turn) {
            Some(Misuse::NotOwed)
        } else if base64::encoded_len(response.len()).saturating_add(2) > most {
            Some(Misuse::TooLong(most))
        } else {
            None
        };
        if let Some(why) = why {
            return Err(Returned::new(turn, why));
        }
        self.turn = false;
        output.put(Class::Secret, base64::encode(response).expose());
        output.put(Class::Public, b"\r\n");
        Ok(())
    }

    /// Gives the exchange up: `*`. The server's reply, a 501, comes for the ticket of the AUTH (RFC 4954 §4).
    ///
    /// # Errors
    /// [`Misuse::NotOwed`].
    pub fn cancel(&mut self, turn: AuthTurn, output: &mut Output) -> Redeemed<AuthTurn> {
        if !self.has_turn(&turn) {
            return Err(Returned::new(turn, Misuse::NotOwed));
        }
        self.turn = false;
        output.put(Class::Public, b"*\r\n");
        Ok(())
    }

    /// Whether the turn is the one that the last challenge gave. Each challenge has one answer, or the server takes the second for a command.
    fn has_turn(&self, turn: &AuthTurn) -> bool {
        self.fatal.is_none() && self.phase != Phase::Over && self.turn && self.source.is_latest(turn.0)
    }

    /// Whether the grant is that of the body which is on its way: octets of another would stand in the middle of it.
    fn check_grant(&self, grant: &BodyGrant) -> Done {
        if self.fatal.is_some() || self.phase == Phase::Over {
            return Err(Misuse::Over);
        }
        if self.grant.is_some() && self.source.is_latest(grant.0) { Ok(()) } else { Err(Misuse::NotOwed) }
    }

    /// A command is in flight from now on. It remembers its transaction: by the time it is answered, another may have been begun behind it.
    fn launch(&mut self, kind: Kind) -> Ticket {
        let ticket = Ticket(self.tickets.issue());
        let transaction = self.transaction.as_ref().map_or(0, |transaction| transaction.number);
        self.flights.push_back(Flight { ticket, kind, transaction });
        ticket
    }

    /// All that a command is checked for before anything is written.
    fn check(&self, command: &Command<'_>) -> Done {
        if self.fatal.is_some() || self.phase == Phase::Over {
            return Err(Misuse::Over);
        }
        self.check_turn(command)?;
        self.check_policy(command)?;
        self.check_order(command)?;
        let limit = match command {
            Command::Auth(_) => self.limits.auth_line,
            _ => self.limits.command_line,
        };
        if encode::command_len(command) > limit { Err(Misuse::TooLong(limit)) } else { Ok(()) }
    }

    /// Whether anything may be sent now. Without PIPELINING that is one command at a time (RFC 2920 §2): a server that does not offer it may
    /// throw away what it has not asked for.
    fn check_turn(&self, command: &Command<'_>) -> Done {
        let busy =
            self.phase == Phase::Greeting || self.grant.is_some() || self.upgrade || self.mine.is_some();
        if busy {
            return Err(Misuse::MustWait);
        }
        if self.phase == Phase::Rejected && !matches!(command, Command::Quit) {
            return Err(Misuse::NotInState);
        }
        let Some(last) = self.flights.back() else { return Ok(()) };
        // The last chunk of LMTP has as many replies as recipients were accepted by then, and none if its chunks have failed
        // (RFC 2033 §4.3): nothing may be open that could change their number.
        let counted = self.lmtp && is_last(command);
        let alone = counted || matches!(command, Command::StartTls);
        let pipelining = self.extensions.has(Extension::Pipelining);
        if last.kind.ends_group(self.lmtp)
            || alone
            || !pipelining
            || self.flights.len() >= self.limits.in_flight
        {
            return Err(Misuse::MustWait);
        }
        Ok(())
    }

    /// What TLS and the server's offer allow. Verbs and parameters of an extension are for servers that have named it (RFC 5321 §2.2): BDAT
    /// worst of all, for its octets would be commands to one that has not (RFC 3030 §2).
    fn check_policy(&self, command: &Command<'_>) -> Done {
        let harmless = matches!(
            command,
            Command::Ehlo(_)
                | Command::Helo(_)
                | Command::Lhlo(_)
                | Command::StartTls
                | Command::Noop(_)
                | Command::Rset
                | Command::Help(_)
                | Command::Quit
        );
        if self.policy.tls == Tls::Required && !self.secure && !harmless {
            return Err(Misuse::Forbidden("TLS is required"));
        }
        let needs = match command {
            Command::Auth(_) if !self.secure && !self.policy.plaintext_auth.is_allowed() => {
                return Err(Misuse::Forbidden("credentials before TLS"));
            }
            Command::StartTls if self.policy.tls == Tls::Off => {
                return Err(Misuse::Forbidden("STARTTLS is off"));
            }
            Command::Vrfy(Vrfy { utf8: true, .. }) | Command::Expn(Vrfy { utf8: true, .. }) => {
                Extension::SmtpUtf8
            }
            Command::Vrfy(Vrfy { argument, .. }) | Command::Expn(Vrfy { argument, .. })
                if !argument.as_bytes().is_ascii() =>
            {
                return Err(Misuse::Invalid("a name beyond ASCII needs SMTPUTF8"));
            }
            Command::Auth(_) => Extension::Auth,
            Command::StartTls => Extension::StartTls,
            Command::Bdat(_) => Extension::Chunking,
            Command::Etrn(_) => Extension::Etrn,
            Command::Burl(_) => Extension::Burl,
            Command::XClient(_) => Extension::XClient,
            Command::Mail(mail) => {
                self.check_params(mail.params())?;
                return self.check_size(mail.params().size());
            }
            Command::Rcpt(rcpt) => return self.check_params(rcpt.params()),
            _ => return Ok(()),
        };
        self.check_offered(needs)
    }

    fn check_params(&self, params: crate::ext::Params<'_>) -> Done {
        // What asks for TLS all the way must itself go by TLS (RFC 8689 §2).
        if params.require_tls() && !self.secure {
            return Err(Misuse::Forbidden("REQUIRETLS before TLS"));
        }
        for extension in params.needs().iter() {
            self.check_offered(extension)?;
        }
        Ok(())
    }

    /// A message over the limit that the server names with SIZE is refused for good, after it has all been sent if not before (RFC 1870 §4).
    fn check_size(&self, declared: Option<u64>) -> Done {
        let (Some(declared), Some(hello)) = (declared, self.hello()) else { return Ok(()) };
        match hello.size() {
            Some(limit) if declared > limit => {
                Err(Misuse::TooLong(usize::try_from(limit).unwrap_or(usize::MAX)))
            }
            _ => Ok(()),
        }
    }

    /// What was offered before TLS does not count under TLS, nor what another server offers: the last EHLO alone (RFC 3207 §4.2).
    fn check_offered(&self, extension: Extension) -> Done {
        if self.knows().has(extension) { Ok(()) } else { Err(Misuse::NotOffered(extension.keyword())) }
    }

    /// The order of commands (RFC 5321 §4.1.4), by what has been sent and not by what has been answered: in a group the answers come later.
    fn check_order(&self, command: &Command<'_>) -> Done {
        let greeted = self.hello.is_some();
        let open = self.transaction.as_ref();
        let of_mail = matches!(
            command,
            Command::Mail(_) | Command::Rcpt(_) | Command::Data | Command::Bdat(_) | Command::Burl(_)
        );
        if of_mail && open.is_some_and(|transaction| transaction.failed) {
            return Err(Misuse::NotInState);
        }
        // Another message may be begun behind one that is complete, but for one that the server still has to fetch (RFC 4468 §3.2).
        if matches!(command, Command::Mail(_)) && open.is_some_and(|open| open.complete && open.fetched) {
            return Err(Misuse::MustWait);
        }
        let good = match command {
            Command::Ehlo(_) | Command::Helo(_) => !self.lmtp,
            Command::Lhlo(_) => self.lmtp,
            Command::Mail(mail) => {
                check_utf8(mail)?;
                greeted && open.is_none_or(|transaction| transaction.complete)
            }
            Command::Rcpt(rcpt) => match open {
                None => false,
                Some(transaction) => {
                    check_utf8_of(rcpt, transaction)?;
                    !transaction.chunked && !transaction.complete
                }
            },
            Command::Data => open.is_some_and(|transaction| {
                transaction.sent > 0 && !transaction.chunked && !transaction.binary && !transaction.complete
            }),
            Command::Bdat(_) | Command::Burl(_) => open.is_some_and(|transaction| {
                let answered = !(self.lmtp && is_last(command)) || transaction.accepted > 0;
                transaction.sent > 0 && !transaction.complete && answered
            }),
            Command::Auth(_) => greeted && !self.authenticated && open.is_none(),
            Command::StartTls => greeted && !self.secure,
            Command::Etrn(_) | Command::XClient(_) => greeted && open.is_none(),
            _ => true,
        };
        if good { Ok(()) } else { Err(Misuse::NotInState) }
    }

    /// What a command that was sent changes at once, so that those behind it in the group are checked against it.
    fn note(&mut self, command: &Command<'_>) {
        match command {
            // The transaction ends when it is accepted; who refuses it stays where it was (RFC 5321 §4.1.4).
            Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => {
                self.name = name.as_bytes().to_vec();
            }
            Command::Mail(mail) => {
                self.transactions = self.transactions.wrapping_add(1);
                self.transaction = Some(Transaction {
                    number: self.transactions,
                    utf8: mail.params().is_utf8(),
                    binary: mail.params().body() == Some(BodyType::BinaryMime),
                    ..Transaction::default()
                });
            }
            Command::Rset => self.transaction = None,
            _ => {}
        }
        let Some(transaction) = &mut self.transaction else { return };
        match command {
            Command::Rcpt(_) => transaction.sent = transaction.sent.saturating_add(1),
            Command::Data => transaction.complete = true,
            Command::Bdat(Bdat { last, .. }) | Command::Burl(Burl { last, .. }) => {
                transaction.chunked = true;
                transaction.complete = *last;
                transaction.fetched |= matches!(command, Command::Burl(_));
            }
            _ => {}
        }
    }
}

/// Whether it ends a message without a body of its own.
const fn is_last(command: &Command<'_>) -> bool {
    matches!(command, Command::Bdat(Bdat { last: true, .. }) | Command::Burl(Burl { last: true, .. }))
}

/// The parameter of MAIL speaks for the whole mail, its recipients included (RFC 6531 §3.4).
fn check_utf8(mail: &Mail<'_>) -> Done {
    if mail.needs_utf8() && !mail.params().is_utf8() {
        return Err(Misuse::Invalid("an address beyond ASCII needs SMTPUTF8"));
    }
    Ok(())
}

/// The same for a recipient, whose MAIL has gone before.
fn check_utf8_of(rcpt: &Rcpt<'_>, transaction: &Transaction) -> Done {
    if rcpt.needs_utf8() && !transaction.utf8 {
        return Err(Misuse::Invalid("an address beyond ASCII needs SMTPUTF8 in the MAIL"));
    }
    Ok(())
}

/// How the reply to a command is read.
fn kind_of(command: &Command<'_>) -> Kind {
    match command {
        Command::Ehlo(_) | Command::Lhlo(_) => Kind::Hello { extended: true },
        Command::Helo(_) => Kind::Hello { extended: false },
        Command::Mail(_) => Kind::Mail,
        Command::Rcpt(_) => Kind::Rcpt,
        Command::Data => Kind::Data,
        Command::Auth(_) => Kind::Auth,
        Command::StartTls => Kind::StartTls,
        Command::Rset => Kind::Rset,
        Command::Quit => Kind::Quit,
        Command::Noop(_)
        | Command::Vrfy(_)
        | Command::Expn(_)
        | Command::Help(_)
        | Command::Etrn(_)
        | Command::Unknown { .. } => Kind::Lone,
        Command::XClient(_) => Kind::XClient,
        Command::Bdat(bdat) => Kind::Chunk { last: bdat.last, left: None, fetched: false },
        Command::Burl(burl) => Kind::Chunk { last: burl.last, left: None, fetched: true },
    }
}
