//! POP3 over the store. The machine answers most commands by itself: what comes here is log-in, messages and the commit.

use crate::Failure;
use crate::host::{Connection, Host, Stop};
use crate::login::{LogIn, Step};
use crate::store::{INBOX, MaildropLock, Message, Store};
use mail_session::Turn;
use mail_session::proto::pop3::server::{AuthTurn, Config, Event, Maildrop, Server};
use mail_session::proto::pop3::types::{Code, MessageNumber, ReplyText, UniqueId};
use mail_session::proto::pop3::{Command, Reply};
use std::sync::Arc;

/// The settings of every connection.
pub fn config() -> Config {
    let mut config = Config::default();
    let offer = Arc::make_mut(&mut config.offer);
    for capability in ["SASL SCRAM-SHA-256 PLAIN LOGIN", "EXPIRE NEVER"] {
        offer.capabilities.add(capability.as_bytes()).expect("a capability");
    }
    config
}

/// Serves one connection to its end.
pub async fn serve(mut session: Connection<Server>, host: &Host, mut stop: Stop) -> Result<(), Failure> {
    let store = &host.store;
    let mut named = String::new();
    let mut login = None;
    let mut taken: Option<Taken> = None;
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
            Event::Connected(answer) => turn.answer(answer, &ok("mailhost ready"))?,
            Event::StartTls(offer) => session = session.start_tls(offer, host.tls.begin()?).await?,
            Event::Command(Command::User(name), answer) => {
                named = String::from_utf8_lossy(name.octets()).into_owned();
                // Whether there is such a user is told only together with the password.
                turn.answer(answer, &ok("send PASS"))?;
            }
            Event::Command(Command::Pass(password), answer) => {
                let good = store.password(&named).is_some_and(|known| password.matches(known.as_bytes()));
                match if good { Taken::open(store, &named) } else { Err(wrong()) } {
                    Ok((all, maildrop)) => {
                        taken = Some(all);
                        turn.accept(answer, maildrop, &ok("logged in"))?;
                    }
                    Err(reply) => turn.answer(answer, &reply)?,
                }
            }
            Event::Auth { mechanism, initial, turn: owed } => {
                let mut begun = LogIn::new(store, mechanism.name());
                let step = begun.start(initial.as_ref());
                login = Some(begun);
                taken = settle(&mut turn, owed, step, store)?;
            }
            Event::AuthResponse(response, owed) => {
                let step = login.as_mut().map_or(Step::Failed, |login| login.step(&response));
                taken = settle(&mut turn, owed, step, store)?;
            }
            Event::Command(Command::Retr(number) | Command::Top { message: number, .. }, answer) => {
                let Some(message) = taken.as_ref().and_then(|taken| taken.message(number)) else {
                    turn.refuse(answer)?;
                    continue;
                };
                let mut octets = message.octets.clone();
                let mut grant = turn.answer_body(answer, text("message follows"))?;
                while grant.wants_more() && !octets.is_empty() {
                    turn.body(&mut grant, &mut octets)?;
                    if turn.output.is_full() {
                        turn.flush().await?;
                    }
                }
                turn.end_body(grant)?;
            }
            Event::Commit(deletions, answer) => {
                if let Some(taken) = taken.take() {
                    taken.remove(store, deletions.numbers());
                }
                turn.answer(answer, &ok("bye"))?;
            }
            Event::Abort(_) => taken = None,
            Event::Command(_, answer) | Event::Malformed(_, answer) => turn.refuse(answer)?,
            _ => {}
        }
    }
}

/// Does what a step of a log-in says.
fn settle<L>(
    turn: &mut Turn<'_, Server, L>,
    owed: AuthTurn,
    step: Step,
    store: &Store,
) -> Result<Option<Taken>, Failure> {
    let opened = match step {
        Step::Challenge(challenge) => {
            turn.challenge(owed, challenge.expose())?;
            return Ok(None);
        }
        Step::Done(user) => Taken::open(store, &user),
        Step::Failed => Err(wrong()),
    };
    match opened {
        Ok((taken, maildrop)) => {
            turn.accept_auth(owed, maildrop, &ok("logged in"))?;
            Ok(Some(taken))
        }
        Err(reply) => {
            turn.refuse_auth(owed, &reply)?;
            Ok(None)
        }
    }
}

/// A maildrop that this session holds: its lock, and the messages as they were at log-in.
struct Taken {
    _lock: MaildropLock,
    user: String,
    messages: Vec<Message>,
}

impl Taken {
    /// Locks and lists the maildrop of a user, or gives the reply that tells why not.
    fn open(store: &Store, user: &str) -> Result<(Self, Maildrop), Reply<'static>> {
        let lock = store
            .lock_maildrop(user)
            .ok_or_else(|| Reply::err(text("another session has the maildrop")).with(Code::InUse))?;
        let inbox = store.mailbox(user, INBOX).ok_or_else(wrong)?;
        let mut maildrop = Maildrop::new();
        for message in &inbox.messages {
            let id = format!("{}.{}", inbox.uid_validity, message.uid);
            let id = UniqueId::try_from(id.as_str()).map_err(|_| wrong())?;
            maildrop.push(message.octets.len() as u64, id).map_err(|_| wrong())?;
        }
        Ok((Self { _lock: lock, user: user.into(), messages: inbox.messages }, maildrop))
    }

    fn message(&self, number: MessageNumber) -> Option<&Message> {
        self.messages.get(number.get() as usize - 1)
    }

    fn remove(self, store: &Store, numbers: impl Iterator<Item = MessageNumber>) {
        let gone: Vec<u32> = numbers.filter_map(|number| self.message(number)).map(|m| m.uid).collect();
        store.remove(&self.user, INBOX, |message| gone.contains(&message.uid));
    }
}

fn ok(words: &'static str) -> Reply<'static> {
    Reply::ok(text(words))
}

fn wrong() -> Reply<'static> {
    Reply::err(text("wrong user or password")).with(Code::Auth)
}

fn text(words: &'static str) -> ReplyText<'static> {
    ReplyText::try_from(words).unwrap_or_default()
}
