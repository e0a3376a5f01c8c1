//! Submission on a blocking socket.

use crate::Failure;
use bytes::Bytes;
use mail_session::blocking::{self, Next, Socket};
use mail_session::proto::smtp::client::{BodyGrant, Client, Event};
use mail_session::proto::smtp::ext::{BodyType, Params, ParamsBuf};
use mail_session::proto::smtp::types::{ForwardPath, Mailbox, ReversePath};
use mail_session::proto::smtp::{Command, Extension, Mail, Rcpt};
use mail_session::wire::Misuse;
use std::collections::VecDeque;

/// A session that is logged in.
pub type Session<S> = blocking::Session<Client, S>;

/// What became of a mail that the server has taken.
#[derive(Debug)]
pub struct Sent {
    /// The server's last word.
    pub reply: String,
    /// The recipients that were refused, each with the reason.
    pub refused: Vec<(String, String)>,
}

/// What a reply is about.
#[derive(Clone, Copy, PartialEq)]
enum About<'a> {
    Sender,
    Recipient(&'a str),
    Message,
}

/// Submits a message, lines ending in CRLF. Commands go out together where the server offers PIPELINING.
///
/// After an error the session is good for nothing but to be closed.
pub fn submit<S: Socket>(
    session: &mut Session<S>,
    from: &str,
    to: &[String],
    message: &Bytes,
) -> Result<Sent, Failure> {
    let params = params(session.turn().machine, message)?;
    let from = ReversePath::Mailbox(Mailbox::try_from(from)?);
    let mut commands = VecDeque::from([(About::Sender, Command::Mail(Mail::new(from, params.for_mail()?)?))]);
    for to in to {
        let rcpt = Rcpt::new(ForwardPath::Mailbox(Mailbox::try_from(to.as_str())?), Params::NONE);
        commands.push_back((About::Recipient(to), Command::Rcpt(rcpt)));
    }
    commands.push_back((About::Message, Command::Data));

    let mut in_flight = Vec::new();
    let mut refused = Vec::new();
    let mut last = Err("nothing was sent".into());
    while !(commands.is_empty() && in_flight.is_empty()) {
        let mut turn = session.turn();
        while let Some((about, command)) = commands.front() {
            match turn.send(command) {
                Ok(ticket) => in_flight.push((ticket, *about)),
                // What is in flight must be answered first.
                Err(Misuse::MustWait) => break,
                Err(misuse) => return Err(misuse.into()),
            }
            commands.pop_front();
        }
        let Some((event, _)) = session.next()? else { return Err("the server hung up".into()) };
        match event {
            Event::BodyWanted(_, _, grant) => send_body(session, grant, message.clone())?,
            Event::Reply(ticket, reply) => {
                let Some(at) = in_flight.iter().position(|(awaited, _)| *awaited == ticket) else { continue };
                match in_flight.remove(at).1 {
                    About::Message if reply.code().is_positive() => last = Ok(reply.to_string()),
                    About::Message => return Err(why(refused, &reply.to_string())),
                    _ if reply.code().is_positive() => {}
                    About::Sender => return Err(reply.to_string().into()),
                    About::Recipient(to) => refused.push((to.to_string(), reply.to_string())),
                }
            }
            Event::Closing(reply) => return Err(reply.to_string().into()),
            _ => {}
        }
    }
    last.map(|reply| Sent { reply, refused })
}

/// What the server has to know of the message before it comes.
fn params(client: &Client, message: &Bytes) -> Result<ParamsBuf, Failure> {
    let mut params = ParamsBuf::new();
    if client.offers(Extension::Size) {
        params = params.size(message.len() as u64)?;
    }
    if !message.is_ascii() {
        if !client.offers(Extension::EightBitMime) {
            return Err("the message is 8-bit, which the server does not take".into());
        }
        params = params.body(BodyType::EightBitMime)?;
    }
    Ok(params)
}

/// The message goes out as fast as the server reads; what it says meanwhile is listened to.
fn send_body<S: Socket>(
    session: &mut Session<S>,
    mut grant: BodyGrant,
    mut message: Bytes,
) -> Result<(), Failure> {
    loop {
        let mut turn = session.turn();
        turn.body(&mut grant, &mut message)?;
        if message.is_empty() {
            return Ok(turn.end_body(grant)?);
        }
        match session.next_or_room()? {
            Next::Room => {}
            Next::Event(Event::Closing(reply) | Event::Reply(_, reply), _) => {
                return Err(reply.to_string().into());
            }
            Next::Event(..) => {}
            Next::Closed => return Err("the server hung up".into()),
        }
    }
}

/// A message is refused for the reason that its last recipient was, if there is one.
fn why(mut refused: Vec<(String, String)>, reply: &str) -> Failure {
    match refused.pop() {
        Some((recipient, reason)) => format!("{recipient}: {reason}").into(),
        None => reply.into(),
    }
}

/// Ends the session.
pub fn quit<S: Socket>(mut session: Session<S>) -> Result<(), Failure> {
    let mut turn = session.turn();
    turn.send(&Command::Quit)?;
    while session.next()?.is_some() {}
    Ok(())
}
