//! IMAP over the store: the session loop. Commands are in `commands`, what a client knows of its mailbox in `selected`.

mod commands;
mod fetch;
mod list;
mod search;
mod selected;

use crate::Failure;
use crate::host::{Connection, Host, Stop};
use crate::login::{LogIn, Step};
use crate::store::Store;
use bytes::Bytes;
use commands::no;
use mail_session::proto::imap::Command;
use mail_session::proto::imap::command::Append;
use mail_session::proto::imap::server::{AuthTurn, Config, Event, IdleTurn, Offer, Server};
use mail_session::proto::imap::types::{Code, Condition, Mailbox, ResponseText, SequenceSetBuf, Status};
use mail_session::tokio::Writer;
use selected::Selected;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is free while an event is held.
type Turn<'a> = mail_session::Turn<'a, Server, Writer<'a>>;

/// The settings of every connection.
pub fn config() -> Config {
    let offer = Offer::new(
        "IMAP4rev1 LITERAL- SASL-IR ENABLE ID IDLE NAMESPACE UNSELECT UIDPLUS MOVE ESEARCH STARTTLS \
         AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN",
    );
    Config { offer: Arc::new(offer.expect("capabilities")), ..Config::default() }
}

/// One client.
struct Client<'h> {
    store: &'h Store,
    /// Who is logged in. The machine lets nothing through that needs to know before.
    user: String,
    selected: Option<Selected>,
    login: Option<LogIn>,
    /// A message on its way into a mailbox.
    arriving: Option<Arriving>,
}

struct Arriving {
    mailbox: String,
    flags: Vec<String>,
    date: SystemTime,
    message: Vec<u8>,
}

/// Serves one connection to its end.
pub async fn serve(mut session: Connection<Server>, host: &Host, mut stop: Stop) -> Result<(), Failure> {
    let mut changes = host.store.changes();
    let mut client =
        Client { store: &host.store, user: String::new(), selected: None, login: None, arriving: None };
    let mut idle: Option<IdleTurn> = None;
    loop {
        let next = tokio::select! {
            next = session.next() => next?,
            () = stop.told() => {
                session.shutdown();
                continue;
            }
            // `next` may be dropped and called again: so the mailbox is watched while the client is.
            changed = changes.changed(), if idle.is_some() => {
                changed?;
                if let Some(idle) = &idle {
                    client.tell(&mut session.turn().untagged(idle)?, true);
                }
                continue;
            }
        };
        let Some((event, mut turn)) = next else { return Ok(()) };
        match event {
            Event::Connected(answer) => turn.answer(answer, &ok("mailhost ready"))?,
            Event::StartTls(offer) => session = session.start_tls(offer, host.tls.begin()?).await?,
            Event::Auth { mechanism, initial, turn: owed } => {
                let mut begun = LogIn::new(&host.store, mechanism.as_str());
                let step = begun.start(initial.map(|initial| *initial.expose()));
                client.login = Some(begun);
                client.settle(&mut turn, owed, step)?;
            }
            Event::AuthResponse(response, owed) => {
                let step = client.login.as_mut().map_or(Step::Failed, |login| login.step(response.expose()));
                client.settle(&mut turn, owed, step)?;
            }
            Event::Command(Command::Idle, answer) => {
                let held = turn.idle(answer)?;
                changes.mark_unchanged();
                client.tell(&mut turn.untagged(&held)?, true);
                idle = Some(held);
            }
            Event::IdleDone(answer) => {
                idle = None;
                turn.answer(answer, &ok("IDLE done"))?;
            }
            Event::Append(append, offer) => match client.announced(&append) {
                Ok(()) => turn.accept_body(offer)?,
                Err(status) => turn.refuse_body(offer, &status)?,
            },
            Event::Chunk(octets) => {
                if let Some(arriving) = &mut client.arriving {
                    arriving.message.extend_from_slice(octets);
                }
            }
            Event::BodyEnd(answer) => {
                let done = client.arrived();
                if client.selected.is_some() {
                    client.tell(&mut turn.untagged(&answer)?, true);
                }
                match &done {
                    Ok((validity, uids)) => {
                        let code = Code::AppendUid { validity: *validity, uids: uids.as_set() };
                        turn.answer(answer, &ok("appended").with_code(code))?;
                    }
                    Err(status) => turn.answer(answer, status)?,
                }
            }
            Event::Command(command, answer) => client.command(command, answer, &mut turn).await?,
            Event::Malformed(_, answer) => {
                client.arriving = None;
                turn.refuse(answer)?;
            }
            _ => {}
        }
    }
}

impl Client<'_> {
    /// Does what a step of a log-in says.
    fn settle(&mut self, turn: &mut Turn<'_>, owed: AuthTurn, step: Step) -> Result<(), Failure> {
        match step {
            Step::Challenge(challenge) => turn.challenge(owed, challenge.expose())?,
            Step::Done(user) => {
                self.user = user;
                turn.accept_auth(owed, &ok("logged in"))?;
            }
            Step::Failed => {
                let status = no("wrong user or password").with_code(Code::AuthenticationFailed);
                turn.refuse_auth(owed, &status)?;
            }
        }
        Ok(())
    }

    /// APPEND begins: whether there is a place for the message.
    fn announced(&mut self, append: &Append<'_>) -> Result<(), Status<'static>> {
        let mailbox = name(append.mailbox)?;
        if self.store.mailbox(&self.user, &mailbox).is_none() {
            return Err(no("no such mailbox").with_code(Code::TryCreate));
        }
        let seconds = append.date.and_then(|date| u64::try_from(date.unix()).ok());
        let date = seconds.map_or_else(SystemTime::now, |seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        let flags =
            append.flags.iter().filter(|flag| flag.is_settable()).map(|flag| flag.to_string()).collect();
        self.arriving = Some(Arriving { mailbox, flags, date, message: Vec::new() });
        Ok(())
    }

    /// The message is whole: where it is now.
    fn arrived(&mut self) -> Result<(u32, SequenceSetBuf), Status<'static>> {
        let Arriving { mailbox, flags, date, message } = self.arriving.take().ok_or(no("no message"))?;
        let appended = self.store.append(&self.user, &mailbox, flags, date, Bytes::from(message));
        let (validity, uid) = appended.map_err(|_| no("no such mailbox").with_code(Code::TryCreate))?;
        let uids = SequenceSetBuf::from_numbers([uid]).map_err(|_| no("no UID left"))?;
        Ok((validity, uids))
    }
}

/// The name of a mailbox as the store has it: decoded.
fn name(mailbox: Mailbox<'_>) -> Result<String, Status<'static>> {
    mailbox.decoded().map_err(|_| no("not a name in modified UTF-7").with_code(Code::Cannot))
}

fn ok(text: &'static str) -> Status<'static> {
    status(Condition::Ok, text)
}

fn status(condition: Condition, text: &'static str) -> Status<'static> {
    Status::new(condition, ResponseText::new(text.as_bytes()).expect("a text for people"))
}
