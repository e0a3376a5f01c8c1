//! Small servers of the three protocols, one user each, and what they have taken.

use crate::toy::tls;
use mail_session::memory::{Clock, End};
use mail_session::proto::{imap, pop3, smtp};
use mail_session::sasl::server::{Exchange, Step};
use mail_session::sasl::{ScramSecret, crypto};
use mail_session::{Error, Session, Transcript};
use std::sync::Arc;

pub const USER: &str = "alice";

/// What an exchange comes to.
pub enum Then {
    Challenge(mail_session::wire::SecretBuf),
    Accept,
    Refuse,
}

/// One user, one password.
pub fn decide(exchange: &mut Exchange, mut step: Step, password: &str) -> Then {
    loop {
        step = match step {
            Step::Challenge(challenge) => return Then::Challenge(challenge),
            Step::Password { identity, password: given } => {
                let good = identity.user == USER && given.expose().as_slice() == password.as_bytes();
                return if good { Then::Accept } else { Then::Refuse };
            }
            Step::Secret(_) => exchange.secret(ScramSecret::derive(password.as_bytes(), crypto()).unwrap()),
            Step::Proved(identity) if identity.user == USER => return Then::Accept,
            _ => return Then::Refuse,
        };
    }
}

fn begin(mechanism: &str) -> Exchange {
    Exchange::begin(mechanism, crypto()).expect("one of those that are offered")
}

/// What a server is to do.
#[derive(Clone)]
pub struct Serve {
    pub password: String,
    pub mechanisms: &'static [&'static str],
    pub implicit: bool,
    pub starttls: bool,
    /// Passwords in clear are taken without TLS.
    pub open: bool,
    pub tap: Option<Transcript>,
    /// What is in the maildrop.
    pub messages: Vec<bytes::Bytes>,
}

impl Serve {
    pub fn new(password: &str) -> Self {
        let mechanisms = &["SCRAM-SHA-256", "PLAIN", "LOGIN"];
        Self {
            password: password.into(),
            mechanisms,
            implicit: false,
            starttls: true,
            open: false,
            tap: None,
            messages: vec![bytes::Bytes::from_static(MESSAGE)],
        }
    }

    async fn session<M: mail_session::wire::Machine>(
        &self,
        machine: M,
        end: End,
        clock: Clock,
    ) -> Result<Session<M, End, Clock>, Error<M::Error>> {
        let session = if self.implicit {
            Session::over_tls(machine, end, clock, tls::pair().1.begin().unwrap()).await?
        } else {
            Session::over(machine, end, clock)
        };
        Ok(match &self.tap {
            Some(tap) => session.tap(tap.clone()),
            None => session,
        })
    }

    fn plaintext(&self) -> mail_session::wire::Allow {
        if self.open { mail_session::wire::Allow::Allow } else { mail_session::wire::Allow::Refuse }
    }
}

/// The messages that were taken.
pub async fn smtp(serve: Serve, end: End, clock: Clock) -> Result<Vec<Vec<u8>>, Error<smtp::Violation>> {
    use smtp::ReplyBuf;
    use smtp::server::{Config, Event, Offer, Server};
    let name = smtp::types::EhloName::new(b"mail.example.org").unwrap();
    let mut offer = Offer::new(name);
    for mechanism in serve.mechanisms {
        offer = offer.with_mechanism(smtp::types::Mechanism::new(mechanism.as_bytes()).unwrap());
    }
    if !serve.starttls {
        offer = offer.without(smtp::ext::Extension::StartTls);
    }
    let mut config = Config::new(name);
    config.offer = offer.into();
    config.policy.plaintext_auth = serve.plaintext();
    let mut session = serve.session(Server::new(config), end, clock).await?;
    let reply = |code, text| ReplyBuf::line(code, text).unwrap();
    let (mut exchange, mut taken, mut message) = (None, Vec::new(), Vec::new());
    while let Some((event, mut turn)) = session.next().await? {
        let (auth, step) = match event {
            Event::Connected(answer) => {
                turn.answer(answer, &reply(220, "mail.example.org")).unwrap();
                continue;
            }
            Event::Command(_, answer) => {
                turn.answer(answer, &reply(250, "fine")).unwrap();
                continue;
            }
            Event::StartTls(offer) => {
                session = session.start_tls(offer, tls::pair().1.begin().unwrap()).await?;
                continue;
            }
            Event::Body(offer) => {
                turn.accept_body(offer).unwrap();
                continue;
            }
            Event::Chunk(octets) => {
                message.extend_from_slice(octets);
                continue;
            }
            Event::BodyEnd(answer) => {
                taken.push(std::mem::take(&mut message));
                turn.answer(answer, &reply(250, "taken")).unwrap();
                continue;
            }
            Event::Auth { mechanism, initial, turn: auth } => {
                let exchange = exchange.insert(begin(mechanism.as_str()));
                (auth, exchange.start(initial.as_ref().map(|initial| &initial.expose()[..])))
            }
            Event::AuthResponse(response, auth) => {
                (auth, exchange.as_mut().expect("begun").step(response.expose()))
            }
            _ => continue,
        };
        match decide(exchange.as_mut().expect("begun"), step, &serve.password) {
            Then::Challenge(challenge) => turn.challenge(auth, challenge.expose()).unwrap(),
            Then::Accept => turn.accept_auth(auth, &reply(235, "welcome")).unwrap(),
            Then::Refuse => turn.refuse_auth(auth, &reply(535, "no")).unwrap(),
        }
    }
    Ok(taken)
}

pub const MESSAGE: &[u8] = b"Subject: hello\r\n\r\n.a line\r\n";

/// How many messages were deleted.
pub async fn pop3(serve: Serve, end: End, clock: Clock) -> Result<usize, Error<pop3::Violation>> {
    use pop3::Reply;
    use pop3::server::{Config, Event, Maildrop, Offer, Server};
    use pop3::types::{ReplyText, UniqueId};
    let text = |text| ReplyText::try_from(text).unwrap();
    let mut capabilities = pop3::ext::capa::Capabilities::new();
    for line in ["TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES"] {
        capabilities = capabilities.with(line).unwrap();
    }
    if serve.starttls {
        capabilities = capabilities.with("STLS").unwrap();
    }
    if !serve.mechanisms.is_empty() {
        capabilities = capabilities.with(&format!("SASL {}", serve.mechanisms.join(" "))).unwrap();
    }
    let mut config =
        Config { offer: Arc::new(Offer { capabilities, ..Offer::default() }), ..Config::default() };
    config.policy.plaintext_auth = serve.plaintext();
    let mut session = serve.session(Server::new(config), end, clock).await?;
    let maildrop = || {
        let mut maildrop = Maildrop::new();
        for (place, message) in serve.messages.iter().enumerate() {
            let id = format!("id{place}");
            maildrop.push(message.len() as u64, UniqueId::try_from(id.as_str()).unwrap()).unwrap();
        }
        maildrop
    };
    let (mut exchange, mut deleted) = (None, 0);
    while let Some((event, mut turn)) = session.next().await? {
        let (auth, step) = match event {
            Event::Connected(answer) => {
                turn.answer(answer, &Reply::ok(text("ready"))).unwrap();
                continue;
            }
            Event::Command(pop3::Command::User(_), answer) => {
                turn.answer(answer, &Reply::ok(text("go on"))).unwrap();
                continue;
            }
            Event::Command(pop3::Command::Pass(given), answer) => {
                if given.matches(serve.password.as_bytes()) {
                    turn.accept(answer, maildrop(), &Reply::ok(text("welcome"))).unwrap();
                } else {
                    turn.answer(answer, &Reply::err(text("no"))).unwrap();
                }
                continue;
            }
            Event::Command(pop3::Command::Retr(message) | pop3::Command::Top { message, .. }, answer) => {
                let mut grant = turn.answer_body(answer, text("here it is")).unwrap();
                let mut piece = serve.messages[message.get() as usize - 1].clone();
                while grant.wants_more() && !piece.is_empty() {
                    turn.body(&mut grant, &mut piece).unwrap();
                    turn.flush().await?;
                }
                turn.end_body(grant).unwrap();
                continue;
            }
            Event::Commit(deletions, answer) => {
                deleted = deletions.numbers().count();
                turn.answer(answer, &Reply::ok(text("bye"))).unwrap();
                continue;
            }
            Event::StartTls(offer) => {
                session = session.start_tls(offer, tls::pair().1.begin().unwrap()).await?;
                continue;
            }
            Event::Auth { mechanism, initial, turn: auth } => {
                let exchange = exchange.insert(begin(mechanism.name()));
                (auth, exchange.start(initial.as_ref().map(|initial| &initial.expose()[..])))
            }
            Event::AuthResponse(response, auth) => {
                (auth, exchange.as_mut().expect("begun").step(response.expose()))
            }
            _ => continue,
        };
        match decide(exchange.as_mut().expect("begun"), step, &serve.password) {
            Then::Challenge(challenge) => turn.challenge(auth, challenge.expose()).unwrap(),
            Then::Accept => turn.accept_auth(auth, maildrop(), &Reply::ok(text("welcome"))).unwrap(),
            Then::Refuse => turn.refuse_auth(auth, &Reply::err(text("no"))).unwrap(),
        }
    }
    Ok(deleted)
}

/// How many messages were appended.
pub async fn imap(serve: Serve, end: End, clock: Clock) -> Result<usize, Error<imap::Violation>> {
    use imap::server::{Config, Event, Offer, Server};
    use imap::types::{Condition, ResponseText, Status};
    let status =
        |condition, text: &'static str| Status::new(condition, ResponseText::new(text.as_bytes()).unwrap());
    let mut offer = "IMAP4rev1 SASL-IR".to_owned();
    if serve.starttls {
        offer.push_str(" STARTTLS");
    }
    for mechanism in serve.mechanisms {
        offer.push_str(" AUTH=");
        offer.push_str(mechanism);
    }
    let mut config = Config { offer: Arc::new(Offer::new(&offer).unwrap()), ..Config::default() };
    config.policy.plaintext_auth = serve.plaintext();
    let mut session = serve.session(Server::new(config), end, clock).await?;
    let (mut exchange, mut appended) = (None, 0);
    while let Some((event, mut turn)) = session.next().await? {
        let (auth, step) = match event {
            Event::Connected(answer) => {
                turn.answer(answer, &status(Condition::Ok, "ready")).unwrap();
                continue;
            }
            Event::Command(imap::Command::Login { user, password }, answer) => {
                let good = user.bytes().as_ref() == USER.as_bytes()
                    && password.expose().bytes().as_ref() == serve.password.as_bytes();
                let condition = if good { Condition::Ok } else { Condition::No };
                turn.answer(answer, &status(condition, "answered")).unwrap();
                continue;
            }
            Event::Command(_, answer) => {
                turn.answer(answer, &status(Condition::Ok, "done")).unwrap();
                continue;
            }
            Event::Append(_, offer) => {
                turn.accept_body(offer).unwrap();
                continue;
            }
            Event::BodyEnd(answer) => {
                appended += 1;
                turn.answer(answer, &status(Condition::Ok, "kept")).unwrap();
                continue;
            }
            Event::StartTls(offer) => {
                session = session.start_tls(offer, tls::pair().1.begin().unwrap()).await?;
                continue;
            }
            Event::Auth { mechanism, initial, turn: auth } => {
                let exchange = exchange.insert(begin(mechanism.as_str()));
                (auth, exchange.start(initial.as_ref().map(|initial| &initial.expose()[..])))
            }
            Event::AuthResponse(response, auth) => {
                (auth, exchange.as_mut().expect("begun").step(response.expose()))
            }
            _ => continue,
        };
        match decide(exchange.as_mut().expect("begun"), step, &serve.password) {
            Then::Challenge(challenge) => turn.challenge(auth, challenge.expose()).unwrap(),
            Then::Accept => turn.accept_auth(auth, &status(Condition::Ok, "welcome")).unwrap(),
            Then::Refuse => turn.refuse_auth(auth, &status(Condition::No, "no")).unwrap(),
        }
    }
    Ok(appended)
}
