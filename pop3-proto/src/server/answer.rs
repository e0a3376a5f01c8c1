//! What the application owes, and how it pays.

use super::body::Wanted;
use super::event::{Answer, AuthTurn, BodyGrant, TlsOffer};
use super::machine::Ending;
use super::maildrop::Maildrop;
use super::table::Phase;
use super::{Body, Server};
use crate::command::Verb;
use crate::error::{Rule, Violation};
use crate::reply::{Reply, Status};
use crate::types::{LanguageTag, ReplyText};
use alloc::boxed::Box;
use bytes::Bytes;
use mail_wire::dot::BodyFault;
use mail_wire::{Class, Done, Misuse, Output, Redeemed, Returned, Stamp, base64};

/// What is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owed {
    Nothing,
    Greeting,
    /// The answer to USER or LANG.
    Command(Verb),
    /// The answer to PASS or APOP.
    LogIn,
    Message(Wanted),
    Malformed(Rule),
    Turn,
    Upgrade,
    Body,
    Commit,
}

impl Server {
    /// Answers what an [`Answer`] is for. A positive answer to a log-in needs a maildrop and one to RETR or TOP a body:
    /// [`accept`](Self::accept), [`answer_body`](Self::answer_body).
    ///
    /// - An extended response code is left out where RESP-CODES is not offered (RFC 2449 §6.4).
    /// - A text beyond ASCII is left out before the client has asked for UTF-8 by UTF8, or for a language by LANG (RFC 6856 §2.1 and §3.2).
    /// - A positive answer to LANG begins its text with the tag of a language: one of those that are listed, or any if none are (RFC 6856 §3.2).
    /// - The stamp is put behind the text of the greeting, where APOP would be taken (RFC 1939 §7). A text that holds `<` (RFC 2449 §3) or
    ///   leaves no room for the stamp is left out there.
    /// - A negative greeting ends the session.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] for a token that is not due, [`Misuse::NotInState`] for a positive answer that needs more, [`Misuse::Invalid`] for one to
    /// LANG that names no language, [`Misuse::Over`]; the token comes back.
    pub fn answer(&mut self, answer: Answer, reply: &Reply<'_>, output: &mut Output) -> Redeemed<Answer> {
        if let Err(why) = self.may_answer(&answer) {
            return Err(Returned::new(answer, why));
        }
        let ok = reply.status == Status::Ok;
        match self.owed {
            Owed::LogIn | Owed::Message(_) if ok => return Err(Returned::new(answer, Misuse::NotInState)),
            Owed::Command(Verb::Lang) if ok => {
                if !self.names_language(reply) {
                    return Err(Returned::new(
                        answer,
                        Misuse::Invalid("a reply to LANG without its language"),
                    ));
                }
                self.localised = true;
                self.put(reply, output);
            }
            Owed::Greeting => self.greet(reply, output),
            Owed::Commit => {
                self.put(reply, output);
                self.ending = Some(Ending::Closed);
            }
            Owed::LogIn => self.log_in_failed(reply, output),
            Owed::Command(Verb::User) => {
                self.put(reply, output);
                if !ok {
                    self.user = None;
                }
            }
            Owed::Malformed(rule) => {
                self.put(reply, output);
                if !ok {
                    self.count_bad(rule);
                }
            }
            _ => self.put(reply, output),
        }
        self.owed = Owed::Nothing;
        Ok(())
    }

    /// Refuses what an [`Answer`] is for, in the words of this crate. After [`Rule::ForeignProtocol`] the session ends.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn refuse(&mut self, answer: Answer, output: &mut Output) -> Redeemed<Answer> {
        let text = match self.owed {
            Owed::Malformed(Rule::Keyword) => "unknown command",
            Owed::Malformed(_) => "syntax error",
            Owed::Greeting => "service not available",
            Owed::LogIn => "log-in failed",
            Owed::Message(_) => "message not available",
            Owed::Commit => "some deleted messages not removed",
            _ => "refused",
        };
        self.answer(answer, &Reply::err(ReplyText::known(text)), output)
    }

    /// Accepts the log-in of PASS or APOP: the maildrop is locked and stands for the session (RFC 1939 §4).
    ///
    /// # Errors
    /// As [`answer`](Self::answer); [`Misuse::NotInState`] for an answer that is no log-in's, [`Misuse::Invalid`] for a negative reply.
    pub fn accept(
        &mut self,
        answer: Answer,
        maildrop: Maildrop,
        reply: &Reply<'_>,
        output: &mut Output,
    ) -> Redeemed<Answer> {
        let good = self.may_answer(&answer).and(match (self.owed, reply.status) {
            (Owed::LogIn, Status::Ok) => Ok(()),
            (Owed::LogIn, Status::Err) => {
                Err(Misuse::Invalid("a negative reply to a log-in that is accepted"))
            }
            _ => Err(Misuse::NotInState),
        });
        if let Err(why) = good {
            return Err(Returned::new(answer, why));
        }
        self.logged_in(maildrop, reply, output);
        Ok(())
    }

    /// Accepts the exchange of AUTH.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn accept_auth(
        &mut self,
        turn: AuthTurn,
        maildrop: Maildrop,
        reply: &Reply<'_>,
        output: &mut Output,
    ) -> Redeemed<AuthTurn> {
        let good = self.may_turn(&turn).and(match reply.status {
            Status::Ok => Ok(()),
            Status::Err => Err(Misuse::Invalid("a negative reply to a log-in that is accepted")),
        });
        if let Err(why) = good {
            return Err(Returned::new(turn, why));
        }
        self.logged_in(maildrop, reply, output);
        Ok(())
    }

    /// Refuses the exchange of AUTH: the client may try again (RFC 5034 §4), [`Limits::logins`](crate::Limits) times.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`], [`Misuse::Invalid`] for a positive reply; the turn comes back.
    pub fn refuse_auth(
        &mut self,
        turn: AuthTurn,
        reply: &Reply<'_>,
        output: &mut Output,
    ) -> Redeemed<AuthTurn> {
        let good = self.may_turn(&turn).and(match reply.status {
            Status::Err => Ok(()),
            Status::Ok => Err(Misuse::Invalid("a positive reply to a log-in that is refused")),
        });
        if let Err(why) = good {
            return Err(Returned::new(turn, why));
        }
        self.owed = Owed::Nothing;
        self.log_in_failed(reply, output);
        Ok(())
    }

    /// Sends a challenge, which may be empty.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`], [`Misuse::TooLong`] beyond [`Limits::auth_line`](crate::Limits); the turn comes back.
    pub fn challenge(&mut self, turn: AuthTurn, challenge: &[u8], output: &mut Output) -> Redeemed<AuthTurn> {
        if let Err(why) = self.may_turn(&turn) {
            return Err(Returned::new(turn, why));
        }
        if base64::encoded_len(challenge.len()).saturating_add(4) > self.limits.auth_line {
            return Err(Returned::new(turn, Misuse::TooLong(self.limits.auth_line)));
        }
        output.put(Class::Public, b"+ ");
        output.put(Class::Secret, base64::encode(challenge).expose());
        output.put(Class::Public, b"\r\n");
        self.exchange = true;
        self.owed = Owed::Nothing;
        Ok(())
    }

    /// Refuses STLS; the session goes on without TLS.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`], [`Misuse::Over`]; the offer comes back.
    pub fn refuse_tls(&mut self, offer: TlsOffer, output: &mut Output) -> Redeemed<TlsOffer> {
        if let Err(why) = self.may(self.owed == Owed::Upgrade, offer.0) {
            return Err(Returned::new(offer, why));
        }
        self.owed = Owed::Nothing;
        self.put(&Reply::err(ReplyText::known("TLS not available")), output);
        Ok(())
    }

    /// Answers RETR or TOP with a positive reply; the message follows.
    ///
    /// # Errors
    /// As [`answer`](Self::answer); [`Misuse::NotInState`] for an answer that is no message's.
    pub fn answer_body(
        &mut self,
        answer: Answer,
        text: ReplyText<'_>,
        output: &mut Output,
    ) -> Result<BodyGrant, Returned<Answer>> {
        let wanted = match (self.may_answer(&answer), self.owed) {
            (Ok(()), Owed::Message(wanted)) => wanted,
            (Err(why), _) => return Err(Returned::new(answer, why)),
            _ => return Err(Returned::new(answer, Misuse::NotInState)),
        };
        self.put(&Reply::ok(text), output);
        let listed = self.maildrop().and_then(|maildrop| maildrop.size(wanted.message)).unwrap_or(0);
        self.body = Some(Body::new(self.policy.body_eol, wanted.lines, listed));
        self.owed = Owed::Body;
        Ok(BodyGrant { stamp: self.source.issue(), done: false })
    }

    /// Sends a piece of the message as it is: raw octets with CRLF line ends, no stuffing. Takes from the front of `piece` what the output
    /// has room for; the rest goes in again when [`Output::is_full`] is over. For TOP the whole message may be given: what is not wanted
    /// is dropped.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`] for a grant that is not due; [`Misuse::Invalid`] for line ends that the policy rejects: then nothing was taken.
    pub fn body(&mut self, grant: &mut BodyGrant, piece: &mut Bytes, output: &mut Output) -> Done {
        self.is_body(grant)?;
        let Some(body) = self.body.as_mut() else { return Err(Misuse::NotOwed) };
        if grant.done {
            piece.clear();
            return Ok(());
        }
        grant.done = body.push(piece, output).map_err(invalid)?;
        Ok(())
    }

    /// Ends the message, with a line end if its last line has none.
    ///
    /// # Errors
    /// As [`body`](Self::body); the grant comes back.
    pub fn end_body(&mut self, grant: BodyGrant, output: &mut Output) -> Redeemed<BodyGrant> {
        if let Err(why) = self.is_body(&grant) {
            return Err(Returned::new(grant, why));
        }
        let ended = self.body.as_mut().map_or(Err(Misuse::NotOwed), |body| body.end(output).map_err(invalid));
        if let Err(why) = ended {
            return Err(Returned::new(grant, why));
        }
        self.body = None;
        self.owed = Owed::Nothing;
        Ok(())
    }

    /// By how many octets the message would fall short of what [`Maildrop::push`] was told if it ended now; 0 once TOP has its lines. Whoever
    /// cannot vouch for a store looks at it before [`end_body`](Self::end_body), and else gives the message up: a client
    /// that takes a part for the whole deletes the message (RFC 1939 §8).
    #[must_use]
    pub fn missing(&self, grant: &BodyGrant) -> u64 {
        self.body.as_ref().filter(|_| self.is_body(grant).is_ok()).map_or(0, Body::missing)
    }

    /// Gives up a message that cannot be read to its end. The session ends without the terminator, so that the client sees a cut answer
    /// and not a shorter message.
    ///
    /// # Errors
    /// As [`body`](Self::body); the grant comes back.
    pub fn break_off(&mut self, grant: BodyGrant) -> Redeemed<BodyGrant> {
        if let Err(why) = self.is_body(&grant) {
            return Err(Returned::new(grant, why));
        }
        self.body = None;
        self.owed = Owed::Nothing;
        self.ending = Some(Ending::Failed(Violation::BrokenOff));
        Ok(())
    }

    fn is_body(&self, grant: &BodyGrant) -> Done {
        self.may(self.owed == Owed::Body, grant.stamp)
    }

    fn may_answer(&self, answer: &Answer) -> Done {
        let answers = !matches!(self.owed, Owed::Nothing | Owed::Turn | Owed::Upgrade | Owed::Body);
        self.may(answers, answer.0)
    }

    fn may_turn(&self, turn: &AuthTurn) -> Done {
        self.may(self.owed == Owed::Turn, turn.0)
    }

    /// Whether a token is the one that is owed.
    fn may(&self, owed: bool, stamp: Stamp) -> Done {
        if self.is_over() { Err(Misuse::Over) } else { self.source.owes(stamp, owed) }
    }

    /// The one way a reply goes out.
    pub(crate) fn put(&self, reply: &Reply<'_>, output: &mut Output) {
        self.put_with(reply, b"", output);
    }

    /// The same with something behind the text.
    fn put_with(&self, reply: &Reply<'_>, tail: &[u8], output: &mut Output) {
        let code = reply.code.filter(|_| self.codes);
        // Who has asked for neither UTF-8 nor a language reads ASCII alone (RFC 6856 §2.1). A text is for people: the status and the code say all
        // that a client acts on.
        let readable = self.utf8 || self.localised || reply.text.as_str().is_ascii();
        let text = if readable { reply.text } else { ReplyText::EMPTY };
        Reply { code, text, ..*reply }.write(tail, output);
    }

    fn greet(&mut self, reply: &Reply<'_>, output: &mut Output) {
        self.greeted = true;
        if reply.status == Status::Err {
            self.put(reply, output);
            self.ending = Some(Ending::Closed);
            return;
        }
        // The stamp is the offer of APOP (RFC 1939 §7): none is made where it would be refused.
        if !self.policy.apop.is_allowed() || self.needs_tls(false) {
            self.stamp = None;
        }
        let stamp = self.stamp().unwrap_or_default();
        // A client takes what stands behind the first `<` for the stamp.
        let text = reply.text.as_str();
        let room = Reply::MOST_TAIL.saturating_sub(text.len());
        let text = if text.contains('<') || stamp.len() > room { ReplyText::EMPTY } else { reply.text };
        self.put_with(&Reply { text, ..*reply }, stamp, output);
    }

    /// Whether the text begins with a language, one of those that are listed if any are, in any case; and goes on behind a blank if at all.
    fn names_language(&self, reply: &Reply<'_>) -> bool {
        let tag = reply.text.as_str().split(' ').next().unwrap_or_default();
        let listed = &self.offer.languages;
        let known = listed.is_empty() || listed.iter().any(|known| known.tag().eq_ignore_ascii_case(tag));
        known && LanguageTag::try_from(tag).is_ok()
    }

    fn logged_in(&mut self, maildrop: Maildrop, reply: &Reply<'_>, output: &mut Output) {
        self.put(reply, output);
        self.owed = Owed::Nothing;
        self.exchange = false;
        self.phase = Phase::Transaction;
        self.maildrop = Some(Box::new(maildrop));
    }

    fn log_in_failed(&mut self, reply: &Reply<'_>, output: &mut Output) {
        self.put(reply, output);
        self.user = None;
        self.exchange = false;
        // The last failure that is allowed is the one that ends the session.
        if self.logins.spend(1).is_err() || self.logins.left() == 0 {
            self.ending = Some(Ending::Failed(Violation::Limit("log-ins", self.limits.logins.into())));
        }
    }

    pub(crate) fn count_bad(&mut self, rule: Rule) {
        if rule == Rule::ForeignProtocol {
            self.ending = Some(Ending::Failed(Violation::ForeignProtocol));
        } else if self.bad.spend(1).is_err() || self.bad.left() == 0 {
            self.ending =
                Some(Ending::Failed(Violation::Limit("bad commands", self.limits.bad_commands.into())));
        }
    }
}

fn invalid(fault: BodyFault) -> Misuse {
    Misuse::Invalid(match fault {
        BodyFault::BareCr { .. } => "CR without LF in a body",
        BodyFault::BareLf { .. } => "LF without CR in a body",
        BodyFault::Nul { .. } => "NUL in a body",
        _ => "an octet in a body",
    })
}
