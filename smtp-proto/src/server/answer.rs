//! The application's side: every call that takes a token gives it back where it is not the one owed.

use super::body::Body;
use super::state::{Cost, Hello, Owed, Phase};
use super::{Abort, Answer, AuthTurn, BodyForm, BodyOffer, Server, TlsOffer, replies};
use crate::error::Violation;
use crate::reply::ReplyBuf;
use crate::types::Code;
use mail_wire::{Class, Done, Misuse, Output, Redeemed, Returned, Stamp, base64};

/// The code behind which a server closes, whatever it answers (RFC 5321 §3.8).
pub(super) const CLOSING: Code = Code::known(421);

/// What a turn in an exchange takes: an AUTH turn, as distinct from an [`Answer`].
const LAST_WORD: &str = "an exchange ends with 235, 4yz or 5yz";

impl Server {
    fn is_owed(&self, stamp: Stamp, owed: bool) -> Done {
        if self.fatal.is_some() { Err(Misuse::Over) } else { self.source.owes(stamp, owed) }
    }

    fn check_answer(&self, answer: &Answer) -> Done {
        let owed = !matches!(self.owed, Owed::Nothing | Owed::Auth | Owed::Tls | Owed::Body);
        self.is_owed(answer.0, owed)
    }

    /// Answers what is owed. A positive answer to MAIL opens the transaction, one to RCPT adds a recipient, one after
    /// a body takes responsibility for the message. A 421 ends the session (RFC 5321 §3.8).
    ///
    /// In LMTP the answer after a body goes out once for each recipient (RFC 2033 §4.2).
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::Invalid`] for a 3yz, which answers none of these, and for a greeting by another 2yz than 220
    /// (RFC 5321 §4.3.2).
    pub fn answer(&mut self, answer: Answer, reply: &ReplyBuf, output: &mut Output) -> Redeemed<Answer> {
        if let Err(why) = self.check_answer(&answer) {
            return Err(Returned::new(answer, why));
        }
        if reply.code().is_intermediate() {
            return Err(Returned::new(answer, Misuse::Invalid("a 3yz answers nothing here")));
        }
        if self.owed == Owed::Greeting && reply.code().is_positive() && reply.code().get() != 220 {
            return Err(Returned::new(answer, Misuse::Invalid("a greeting is 220, 4yz or 5yz")));
        }
        let refused = !reply.code().is_positive();
        match self.owed {
            // A fault is a fault in whatever words the application answers it.
            Owed::Malformed { .. } if refused => self.charge(Cost::Bad, reply, output),
            Owed::Rcpt if refused => self.charge(Cost::Recipient, reply, output),
            owed if owed.ends_message() && self.lmtp && reply.code() != CLOSING => {
                for _ in 0..self.recipients() {
                    self.say(reply, output);
                }
            }
            _ => self.say(reply, output),
        }
        self.answered(reply);
        Ok(())
    }

    /// Answers after a body in LMTP: a reply for each accepted recipient, in the order of their RCPTs (RFC 2033 §4.2).
    ///
    /// # Errors
    /// [`Misuse::WrongLength`] where there are more or fewer replies than recipients; [`Misuse::NotInState`] anywhere else.
    pub fn answer_each(
        &mut self,
        answer: Answer,
        replies: &[ReplyBuf],
        output: &mut Output,
    ) -> Redeemed<Answer> {
        let why = match self.check_answer(&answer) {
            Err(why) => Some(why),
            Ok(()) if !(self.lmtp && self.owed.ends_message()) => Some(Misuse::NotInState),
            Ok(()) if replies.len() != self.recipients() as usize => Some(Misuse::WrongLength),
            Ok(()) if replies.iter().any(|reply| reply.code().is_intermediate()) => {
                Some(Misuse::Invalid("a 3yz answers nothing here"))
            }
            Ok(()) => None,
        };
        if let Some(why) = why {
            return Err(Returned::new(answer, why));
        }
        for reply in replies {
            self.say(reply, output);
        }
        let best = replies.iter().find(|reply| reply.code().is_positive()).or(replies.first());
        self.answered(best.unwrap_or(&replies::OK));
        if replies.iter().any(|reply| reply.code() == CLOSING) {
            self.leave();
        }
        Ok(())
    }

    fn answered(&mut self, reply: &ReplyBuf) {
        let positive = reply.code().is_positive();
        match core::mem::replace(&mut self.owed, Owed::Nothing) {
            Owed::Greeting => self.rejected = !positive,
            Owed::Mail(from) if positive => self.open(from),
            Owed::Rcpt if positive => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.recipients = transaction.recipients.saturating_add(1);
                }
            }
            Owed::Burl { last: false } if positive => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.chunked = true;
                }
            }
            Owed::Burl { last } => {
                self.transaction = None;
                if last && positive {
                    self.mail_taken();
                }
            }
            Owed::XClient if positive => {
                // A new greeting: the session begins again, as that of another client. What the proxy was granted is not its.
                self.hello = Hello::None;
                self.authenticated = false;
                self.transaction = None;
            }
            Owed::BodyEnd => {
                self.transaction = None;
                self.body = Body::new();
                self.phase = Phase::Ready;
                if positive {
                    self.mail_taken();
                }
            }
            _ => {}
        }
        if reply.code() == CLOSING {
            self.leave();
        }
    }

    /// A 421 was the last word.
    pub(super) fn leave(&mut self) {
        self.reset(Abort::Ended);
        self.phase = Phase::Over;
    }

    /// A client that delivers mail has earned the commands that lead to the next.
    fn mail_taken(&mut self) {
        self.idle.renew();
        self.refused.renew();
    }

    /// Refuses with the standard's reply: a malformed command with the one to its rule, which is counted; another command with 502, a
    /// greeting with 554.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`].
    pub fn refuse(&mut self, answer: Answer, output: &mut Output) -> Redeemed<Answer> {
        if let Err(why) = self.check_answer(&answer) {
            return Err(Returned::new(answer, why));
        }
        let reply = match self.owed {
            Owed::Malformed { verb, rule } => {
                self.owed = Owed::Nothing;
                self.charge(Cost::Bad, replies::to_rule(rule, verb), output);
                return Ok(());
            }
            Owed::Greeting => &replies::NO_SERVICE,
            _ => &replies::NOT_IMPLEMENTED,
        };
        match self.owed {
            Owed::Rcpt => self.charge(Cost::Recipient, reply, output),
            _ => self.say(reply, output),
        }
        self.answered(reply);
        Ok(())
    }

    /// Takes the body: for DATA, this is the 354. The octets come as [`Event::Chunk`](super::Event::Chunk).
    ///
    /// # Errors
    /// [`Misuse::NotOwed`].
    pub fn accept_body(&mut self, offer: BodyOffer, output: &mut Output) -> Redeemed<BodyOffer> {
        if let Err(why) = self.is_owed(offer.stamp, self.owed == Owed::Body) {
            return Err(Returned::new(offer, why));
        }
        self.owed = Owed::Nothing;
        self.phase = Phase::Body;
        self.body = match offer.form {
            BodyForm::Data => {
                output.put(Class::Public, b"354 end data with <CRLF>.<CRLF>\r\n");
                Body::data()
            }
            BodyForm::Chunk { octets, last, .. } => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.chunked = true;
                }
                Body::chunk(octets, last)
            }
        };
        Ok(())
    }

    /// Refuses the body with a 4yz or 5yz. The octets of a chunk are dropped before the reply goes out, and the transaction is over
    /// (RFC 3030 §2); after DATA it stays open (RFC 5321 §4.1.4), and as DATA can then be said again, it counts as a command without a mail.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::Invalid`] for another code.
    pub fn refuse_body(
        &mut self,
        offer: BodyOffer,
        reply: &ReplyBuf,
        output: &mut Output,
    ) -> Redeemed<BodyOffer> {
        if let Err(why) = self.is_owed(offer.stamp, self.owed == Owed::Body) {
            return Err(Returned::new(offer, why));
        }
        if reply.code().class() < 4 {
            return Err(Returned::new(offer, Misuse::Invalid("a refusal is a 4yz or 5yz")));
        }
        self.owed = Owed::Nothing;
        match offer.form {
            BodyForm::Data => {
                self.charge(Cost::Idle, reply, output);
                if reply.code() == CLOSING {
                    self.leave();
                }
            }
            BodyForm::Chunk { octets, last, .. } => {
                let times = self.replies_to_chunk(last);
                self.reset(Abort::Reset);
                self.body = Body::refused(octets, reply.clone(), times);
                self.phase = Phase::Swallow;
            }
        }
        Ok(())
    }

    /// The next challenge of an AUTH exchange; empty for a mechanism whose client speaks first. It is written as a secret.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::TooLong`] where the line would not fit into [`Limits::auth_line`](crate::Limits::auth_line).
    pub fn challenge(&mut self, turn: AuthTurn, challenge: &[u8], output: &mut Output) -> Redeemed<AuthTurn> {
        let line = base64::encoded_len(challenge.len()).saturating_add(6);
        let why = match self.is_owed(turn.0, self.owed == Owed::Auth) {
            Err(why) => Some(why),
            Ok(()) if line > self.limits.auth_line => Some(Misuse::TooLong(self.limits.auth_line)),
            Ok(()) => None,
        };
        if let Some(why) = why {
            return Err(Returned::new(turn, why));
        }
        output.put(Class::Public, b"334 ");
        output.put(Class::Secret, base64::encode(challenge).expose());
        output.put(Class::Public, b"\r\n");
        self.owed = Owed::Nothing;
        self.phase = Phase::Exchange;
        Ok(())
    }

    /// The client is who it says: 235 (RFC 4954 §6). Its identity is the application's to remember.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::Invalid`] for another code: clients look for this one.
    pub fn accept_auth(
        &mut self,
        turn: AuthTurn,
        reply: &ReplyBuf,
        output: &mut Output,
    ) -> Redeemed<AuthTurn> {
        let turn = self.check_turn(turn, reply.code().get() == 235)?;
        drop(turn);
        self.say(reply, output);
        self.authenticated = true;
        self.owed = Owed::Nothing;
        Ok(())
    }

    /// The client is not: 535, 454 or the like. After too many of these the session ends with 421 (RFC 4954 §4).
    ///
    /// # Errors
    /// [`Misuse::NotOwed`]; [`Misuse::Invalid`] for a reply that is no 4yz or 5yz.
    pub fn refuse_auth(
        &mut self,
        turn: AuthTurn,
        reply: &ReplyBuf,
        output: &mut Output,
    ) -> Redeemed<AuthTurn> {
        let turn = self.check_turn(turn, reply.code().class() >= 4)?;
        drop(turn);
        self.owed = Owed::Nothing;
        if self.failures.spend(1).is_err() {
            self.say(&replies::TOO_MANY_AUTH, output);
            self.fail(Violation::Limit("auth_failures", self.limits.auth_failures.into()));
            return Ok(());
        }
        self.say(reply, output);
        if reply.code() == CLOSING {
            self.leave();
        }
        Ok(())
    }

    fn check_turn(&self, turn: AuthTurn, fits: bool) -> Result<AuthTurn, Returned<AuthTurn>> {
        match self.is_owed(turn.0, self.owed == Owed::Auth) {
            Err(why) => Err(Returned::new(turn, why)),
            Ok(()) if !fits => Err(Returned::new(turn, Misuse::Invalid(LAST_WORD))),
            Ok(()) => Ok(turn),
        }
    }

    /// TLS cannot be had at the moment: 454 (RFC 3207 §4). The session goes on in plain text.
    ///
    /// # Errors
    /// [`Misuse::NotOwed`].
    pub fn refuse_tls(&mut self, offer: TlsOffer, output: &mut Output) -> Redeemed<TlsOffer> {
        if let Err(why) = self.is_owed(offer.0, self.owed == Owed::Tls) {
            return Err(Returned::new(offer, why));
        }
        self.owed = Owed::Nothing;
        self.say(&replies::TLS_NOT_NOW, output);
        Ok(())
    }
}
