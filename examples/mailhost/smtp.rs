//! Submission into the store. The machine keeps the order of commands, the limits and most refusals; what comes here is who logs in, who may be
//! written to, and the mail.

use crate::Failure;
use crate::host::{Connection, Host, Stop};
use crate::login::{LogIn, Step};
use crate::store::{INBOX, Store};
use bytes::Bytes;
use mail_session::Turn;
use mail_session::proto::smtp::server::{AuthTurn, BodyForm, Config, Event, Offer, Server};
use mail_session::proto::smtp::types::{EnhancedCode, ForwardPath, Mechanism};
use mail_session::proto::smtp::{Command, ReplyBuf};
use std::time::SystemTime;

/// The settings of every connection.
pub fn config() -> Config {
    let mut config = Config::default();
    for mechanism in ["SCRAM-SHA-256", "PLAIN", "LOGIN"] {
        let mechanism = Mechanism::try_from(mechanism).expect("the name of a mechanism");
        config.offer = Offer::clone(&config.offer).with_mechanism(mechanism).into();
    }
    // Mail is taken from users alone (RFC 6409 §4.3), and passwords under TLS alone, which is the default.
    config.policy.require_auth = true;
    config
}

/// Serves one connection to its end.
pub async fn serve(mut session: Connection<Server>, host: &Host, mut stop: Stop) -> Result<(), Failure> {
    let store = &host.store;
    let mut login = None;
    let mut mail = Mail::default();
    loop {
        let next = tokio::select! {
            next = session.next() => next?,
            () = stop.told() => {
                session.shutdown();
                continue;
            }
        };
        let Some((event, mut turn)) = next else { return Ok(()) };
        match event {
            Event::Connected(answer) => turn.answer(answer, &greeting())?,
            Event::StartTls(offer) => session = session.start_tls(offer, host.tls.begin()?).await?,
            Event::Auth { mechanism, initial, turn: owed } => {
                let mut begun = LogIn::new(store, mechanism.as_str());
                let step = begun.start(initial.map(|initial| *initial.expose()));
                login = Some(begun);
                settle(&mut turn, owed, step)?;
            }
            Event::AuthResponse(response, owed) => {
                let step =
                    login.as_mut().map_or(Step::Failed, |login: &mut LogIn| login.step(response.expose()));
                settle(&mut turn, owed, step)?;
            }
            Event::Command(Command::Mail(_), answer) => {
                mail = Mail::default();
                turn.answer(answer, &reply(250, (2, 1, 0), "sender OK"))?;
            }
            Event::Command(Command::Rcpt(rcpt), answer) => {
                let known = match user(store, rcpt.to()) {
                    Some(user) => {
                        mail.to(user);
                        reply(250, (2, 1, 5), "recipient OK")
                    }
                    None => reply(550, (5, 1, 1), "no such user"),
                };
                turn.answer(answer, &known)?;
            }
            // Who is here is for those to know who write to them (RFC 5321 §7.3).
            Event::Command(Command::Vrfy(_), answer) => {
                turn.answer(answer, &reply(252, (2, 1, 5), "write and see"))?;
            }
            Event::Body(offer) => {
                if !matches!(offer.form(), BodyForm::Chunk { first: false, .. }) {
                    mail.message.clear();
                }
                turn.accept_body(offer)?;
            }
            // The machine holds the message to its limit.
            Event::Chunk(octets) => mail.message.extend_from_slice(octets),
            Event::BodyEnd(answer) => {
                let delivered = std::mem::take(&mut mail).deliver(store);
                turn.answer(answer, &delivered)?;
            }
            Event::Abort(_) | Event::Answered(Command::Rset | Command::Ehlo(_) | Command::Helo(_)) => {
                mail = Mail::default();
            }
            Event::Command(_, answer) | Event::Malformed(_, answer) => turn.refuse(answer)?,
            _ => {}
        }
    }
}

/// Does what a step of a log-in says.
fn settle<L>(turn: &mut Turn<'_, Server, L>, owed: AuthTurn, step: Step) -> Result<(), Failure> {
    match step {
        Step::Challenge(challenge) => turn.challenge(owed, challenge.expose())?,
        Step::Done(_) => turn.accept_auth(owed, &reply(235, (2, 7, 0), "logged in"))?,
        Step::Failed => turn.refuse_auth(owed, &reply(535, (5, 7, 8), "wrong user or password"))?,
    }
    Ok(())
}

/// A mail on its way in: the machine knows whether it is in order, the application what it is.
#[derive(Default)]
struct Mail {
    to: Vec<String>,
    message: Vec<u8>,
}

impl Mail {
    /// One copy for each user, however often they are named.
    fn to(&mut self, user: &str) {
        if !self.to.iter().any(|known| known == user) {
            self.to.push(user.into());
        }
    }

    /// Puts the message into the mailboxes. A host that passes mail on would put a Received field before it (RFC 5321 §4.4).
    fn deliver(self, store: &Store) -> ReplyBuf {
        let message = Bytes::from(self.message);
        for user in &self.to {
            let delivered = store.append(user, INBOX, Vec::new(), SystemTime::now(), message.clone());
            if delivered.is_err() {
                return reply(451, (4, 3, 0), "cannot deliver at the moment");
            }
        }
        reply(250, (2, 0, 0), "delivered")
    }
}

/// The user whom a path means. The postmaster is the first user (RFC 5321 §4.5.1).
fn user<'s>(store: &'s Store, path: ForwardPath<'_>) -> Option<&'s str> {
    match path.mailbox() {
        Some(mailbox) => store.recipient(&String::from_utf8_lossy(&mailbox.local())),
        None => store.postmaster(),
    }
}

fn greeting() -> ReplyBuf {
    ReplyBuf::line(220, "localhost ESMTP mailhost").expect("a reply")
}

fn reply(code: u16, (class, subject, detail): (u8, u16, u16), text: &str) -> ReplyBuf {
    let enhanced = EnhancedCode::new(class, subject, detail).expect("an enhanced code");
    ReplyBuf::line(code, text).expect("a reply").with_enhanced(enhanced)
}
