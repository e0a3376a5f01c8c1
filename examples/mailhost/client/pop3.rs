//! Downloading on a blocking socket.

use crate::Failure;
use mail_session::blocking::{self, Socket};
use mail_session::proto::pop3::client::{Client, Event};
use mail_session::proto::pop3::types::MessageNumber;
use mail_session::proto::pop3::{Command, Item};

/// A session that is logged in.
pub type Session<S> = blocking::Session<Client, S>;

/// A message in the maildrop.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its number in this session.
    pub number: MessageNumber,
    /// Its octets, as the server tells them.
    pub octets: u64,
    /// What names it in every session; empty if the server has no UIDL.
    pub id: String,
}

/// A piece of an answer.
enum Piece<'i> {
    Line(Item<'i>),
    Octets(&'i [u8]),
}

/// All messages, with their sizes and unique-ids.
pub fn list<S: Socket>(session: &mut Session<S>) -> Result<Vec<Listed>, Failure> {
    let mut messages = Vec::new();
    ask(session, &Command::List(None), |piece| {
        if let Piece::Line(Item::Scan { message, octets }) = piece {
            messages.push(Listed { number: message, octets, id: String::new() });
        }
        Ok(())
    })?;
    let ids = ask(session, &Command::Uidl(None), |piece| {
        if let Piece::Line(Item::UniqueId { message, id }) = piece {
            let listed = messages.iter_mut().find(|listed| listed.number == message);
            if let Some(listed) = listed {
                listed.id = String::from_utf8_lossy(id.octets()).into_owned();
            }
        }
        Ok(())
    });
    match ids {
        // UIDL is optional (RFC 1939 §7).
        Err(failure) if !failure.is::<Refused>() => Err(failure),
        _ => Ok(messages),
    }
}

/// Downloads a message, piece by piece as it comes. It is whole when this returns without an error.
pub fn retrieve<S: Socket>(
    session: &mut Session<S>,
    message: MessageNumber,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    ask(session, &Command::Retr(message), |piece| match piece {
        Piece::Octets(octets) => take(octets),
        Piece::Line(_) => Ok(()),
    })
}

/// Marks a message. It is gone after [`quit`], and only then.
pub fn delete<S: Socket>(session: &mut Session<S>, message: MessageNumber) -> Result<(), Failure> {
    ask(session, &Command::Dele(message), |_| Ok(()))
}

/// Ends the session. Without an error the server has removed what was marked (RFC 1939 §6).
pub fn quit<S: Socket>(mut session: Session<S>) -> Result<(), Failure> {
    ask(&mut session, &Command::Quit, |_| Ok(()))?;
    while session.next()?.is_some() {}
    Ok(())
}

/// A command and all of its answer.
fn ask<S: Socket>(
    session: &mut Session<S>,
    command: &Command<'_>,
    mut take: impl FnMut(Piece<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let ticket = session.turn().send(command)?;
    while let Some((event, _)) = session.next()? {
        match event {
            Event::Reply(mine, status) | Event::Head(mine, status) if mine == ticket && !status.is_ok() => {
                return Err(Refused(String::from_utf8_lossy(status.text()).into_owned()).into());
            }
            Event::Reply(mine, _) | Event::End(mine) if mine == ticket => return Ok(()),
            Event::Items(_, items) => {
                for item in items {
                    let item =
                        item.map_err(|malformed| format!("a line of the answer: {:?}", malformed.rule))?;
                    take(Piece::Line(item))?;
                }
            }
            Event::Chunk(octets) => take(Piece::Octets(octets))?,
            _ => {}
        }
    }
    Err("the server hung up".into())
}

/// The server said `-ERR`, and why.
#[derive(Debug)]
pub struct Refused(pub String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server refuses: {}", self.0.escape_debug())
    }
}

impl std::error::Error for Refused {}
