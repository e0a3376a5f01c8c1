//! The operations as methods of both kinds of sessions. They are written once: what differs is whether a wait is awaited.

use super::Error;
use super::ask::{Ask, Clear, Deletions};
use super::retrieval::{Part, Retrieval};
use super::values::{Committed, Kept, Listed, Listing, Stat, UniqueIds, Wanted};
use crate::blocking::{self, Socket};
use crate::flow::{Failure, Refusal};
use crate::session;
use crate::timer::Timer;
use bytes::Bytes;
use futures_io::{AsyncRead, AsyncWrite};
use mail_pop3_proto::Command;
use mail_pop3_proto::client::Client;
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::types::MessageNumber;
use std::iter::{Once, once};

type Result<T> = std::result::Result<T, Error>;

/// Messages that are being downloaded, one behind the other. It may be dropped at any time: the next operation reads what is still
/// under way, and drops it.
#[derive(Debug)]
pub struct Download<'s, S, I> {
    session: &'s mut S,
    retrieval: Retrieval<I>,
    cleared: bool,
}

impl<'s, S, I> Download<'s, S, I> {
    #[cfg(feature = "futures")]
    pub(super) fn into_session(self) -> &'s mut S {
        self.session
    }
}

impl<S, I: Iterator<Item: Into<Wanted>>> Download<'_, S, I> {
    /// Octets of the message that is being received, so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.retrieval.received()
    }

    /// Octets of the message that is being received, as LIST has told them.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.retrieval.expected()
    }

    /// Octets of all messages so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.retrieval.total()
    }
}

/// One message that is being downloaded: octets as they were before they were stuffed. It may be dropped at any time: the next
/// operation reads what is still under way, and drops it.
///
/// On a blocking socket it is a [`Read`](std::io::Read); with the feature `futures` an asynchronous one becomes a `Stream` and an `AsyncRead` by
/// `into_body`.
#[derive(Debug)]
pub struct Message<'s, S> {
    pub(super) download: Download<'s, S, Once<Wanted>>,
    expected: Option<u64>,
    pub(super) ended: bool,
    /// Octets that a `Read` had no room for.
    pub(super) rest: Bytes,
}

impl<S> Message<'_, S> {
    /// Octets so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.download.received()
    }

    /// Its octets as LIST has told them, where it was asked for by what LIST gave. Servers are often wrong.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// Whether all of it has been received.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.ended
    }
}

/// Writes the operations for one kind of session: `async` and `.await`, or neither.
macro_rules! operations {
    ([$($generics:tt)*] $session:ty, [$($async:tt)?] [$($await:tt)*]) => {
        /// The operations of a client that is logged in.
        ///
        /// What a server refuses is [`Failure::Refused`], and the session goes on. What could not be brought to its end leaves its answer under
        /// way: the next operation reads that first, and drops it. So all of them may be given up at any time; what a command has done to
        /// the maildrop by then is done, and [`reset`](Self::reset) or an end without [`quit`](Self::quit) undoes it.
        impl<$($generics)*> $session {
            /// How many messages there are, and their octets (STAT, RFC 1939 §5).
            ///
            /// # Errors
            /// [`Error`]; [`Failure::Malformed`] where the answer holds no number.
            pub $($async)? fn stat(&mut self) -> Result<Stat> {
                self.perform(&mut Ask::new(Command::Stat))$($await)*
            }

            /// The messages and their octets (LIST, RFC 1939 §5).
            ///
            /// # Errors
            /// [`Error`].
            pub $($async)? fn list(&mut self) -> Result<Listing> {
                self.perform(&mut Ask::new(Command::List(None)))$($await)*
            }

            /// The octets of one message (LIST, RFC 1939 §5).
            ///
            /// # Errors
            /// [`Error`]; [`Failure::Malformed`] where the answer holds no number.
            pub $($async)? fn list_message(&mut self, message: MessageNumber) -> Result<Listed> {
                let mut ask = Ask::<Option<Listed>>::new(Command::List(Some(message)));
                Ok(self.perform(&mut ask)$($await)*?.ok_or(Failure::Unexpected)?)
            }

            /// The messages and their unique-ids, which name them in every session (UIDL, RFC 1939 §7). Servers may lack it.
            ///
            /// # Errors
            /// [`Error`].
            pub $($async)? fn uidl(&mut self) -> Result<UniqueIds> {
                self.perform(&mut Ask::new(Command::Uidl(None)))$($await)*
            }

            /// The octets of the unique-id of one message (UIDL, RFC 1939 §7).
            ///
            /// # Errors
            /// [`Error`]; [`Failure::Malformed`] where the answer holds none.
            pub $($async)? fn uidl_message(&mut self, message: MessageNumber) -> Result<Vec<u8>> {
                self.perform(&mut Ask::new(Command::Uidl(Some(message))))$($await)*
            }

            /// Marks a message as deleted (DELE, RFC 1939 §5). It is removed by [`quit`](Self::quit), and not before.
            ///
            /// # Errors
            /// [`Error`].
            pub $($async)? fn dele(&mut self, message: MessageNumber) -> Result<()> {
                self.perform(&mut Ask::new(Command::Dele(message)))$($await)*
            }

            /// Marks several messages as deleted (DELE, RFC 1939 §5), without waiting for each answer where the server has PIPELINING: message
            /// numbers, or what [`Self::list`] gives. Gives those that the server refuses to mark, and why.
            ///
            /// # Errors
            /// [`Error`].
            pub $($async)? fn dele_many<I>(&mut self, messages: I) -> Result<Vec<(MessageNumber, Refusal)>>
            where
                I: IntoIterator<Item: Into<MessageNumber>>,
            {
                self.perform(&mut Deletions::new(messages.into_iter().map(Into::into)))$($await)*
            }

            /// Takes the marks from all messages (RSET, RFC 1939 §5).
            ///
            /// # Errors
            /// [`Error`].
            pub $($async)? fn reset(&mut self) -> Result<()> {
                self.perform(&mut Ask::new(Command::Rset))$($await)*
            }

            /// Does nothing, so that the server does not log us out (NOOP, RFC 1939 §5).
            ///
            /// # Errors
            /// [`Error`].
            pub $($async)? fn noop(&mut self) -> Result<()> {
                self.perform(&mut Ask::new(Command::Noop))$($await)*
            }

            /// Asks for the capabilities again (CAPA, RFC 2449 §5). Opening a session has asked already.
            ///
            /// # Errors
            /// [`Error`].
            pub $($async)? fn capa(&mut self) -> Result<&Capabilities> {
                self.perform(&mut Ask::<Kept>::new(Command::Capa))$($await)*?;
                Ok(self.turn().machine.capabilities())
            }

            /// Downloads a message (RETR, RFC 1939 §5), streamed: a message number, or what [`Self::list`] gives, and then
            /// [`Message::expected`] tells its size.
            ///
            /// # Errors
            /// [`Error`]; [`Failure::Refused`] where there is no such message.
            pub $($async)? fn retr(&mut self, message: impl Into<Wanted>) -> Result<Message<'_, Self>> {
                self.message(message.into())$($await)*
            }

            /// Downloads the header of a message and so many lines of its body (TOP, RFC 1939 §7), streamed. Servers may lack it.
            ///
            /// # Errors
            /// [`Error`]; [`Failure::Refused`] where there is no such message.
            pub $($async)? fn top(&mut self, message: MessageNumber, lines: u32) -> Result<Message<'_, Self>> {
                // What LIST tells is the size of the whole.
                self.message(Wanted { lines: Some(lines), ..Wanted::from(message) })$($await)*
            }

            /// Downloads several messages, streamed, one behind the other: what [`Self::list`] gives, or message numbers. With PIPELINING
            /// the commands do not wait for each other's answers, so that the way to the server is paid for once and not for each.
            pub fn retr_many<I>(&mut self, wanted: I) -> Download<'_, Self, I::IntoIter>
            where
                I: IntoIterator<Item: Into<Wanted>>,
            {
                Download { session: self, retrieval: Retrieval::new(wanted.into_iter()), cleared: false }
            }

            /// Ends the session; the server removes what is marked (QUIT, RFC 1939 §6).
            ///
            /// # Errors
            /// [`Failure::Refused`]: the server could not remove all of it. Any other [`Error`]: whether it has, is not known.
            pub $($async)? fn quit(mut self) -> Result<Committed> {
                self.perform(&mut Ask::<()>::new(Command::Quit))$($await)*?;
                // The answer stands; how the link then ends changes nothing.
                self.close()$($await)*;
                Ok(Committed::by_answer())
            }

            $($async)? fn message(&mut self, wanted: Wanted) -> Result<Message<'_, Self>> {
                let mut download = Download { session: self, retrieval: Retrieval::new(once(wanted)), cleared: false };
                match download.next()$($await)*? {
                    Some(Part::Begin(_)) => {}
                    Some(Part::Refused(_, refusal)) => return Err(Failure::Refused(refusal).into()),
                    _ => return Err(Failure::Unexpected.into()),
                }
                Ok(Message { download, expected: wanted.octets, ended: false, rest: Bytes::new() })
            }
        }

        impl<I: Iterator<Item: Into<Wanted>>, $($generics)*> Download<'_, $session, I> {
            /// The next part, or `None` behind the last. Cancel-safe.
            ///
            /// # Errors
            /// [`Error`]. A message is whole only with its [`Part::End`].
            // An iterator could not lend the octets.
            #[allow(clippy::should_implement_trait)]
            pub $($async)? fn next(&mut self) -> Result<Option<Part<'_>>> {
                if !self.cleared {
                    self.session.perform(&mut Clear)$($await)*?;
                    self.cleared = true;
                }
                self.session.part(&mut self.retrieval)$($await)*
            }
        }

        impl<$($generics)*> Message<'_, $session> {
            /// The next octets, or `None` when the message is complete. Cancel-safe.
            ///
            /// # Errors
            /// [`Error`]: the message is not whole.
            // An iterator could not lend the octets.
            #[allow(clippy::should_implement_trait)]
            pub $($async)? fn next(&mut self) -> Result<Option<&[u8]>> {
                if self.ended {
                    return Ok(None);
                }
                match self.download.next()$($await)*? {
                    Some(Part::Octets(octets)) => Ok(Some(octets)),
                    Some(Part::End(_)) => {
                        self.ended = true;
                        Ok(None)
                    }
                    _ => Err(Failure::Unexpected.into()),
                }
            }

            /// All of it, or what is left of it, if that is no more than `limit` octets.
            ///
            /// # Errors
            /// [`Failure::TooLong`] beyond the limit; [`Error`].
            pub $($async)? fn to_vec(mut self, limit: usize) -> Result<Vec<u8>> {
                let mut all = self.rest.to_vec();
                while let Some(octets) = self.next()$($await)*? {
                    if octets.len() > limit.saturating_sub(all.len()) {
                        return Err(Failure::TooLong(limit).into());
                    }
                    all.extend_from_slice(octets);
                }
                Ok(all)
            }
        }
    };
}

operations!([S: Socket] blocking::Session<Client, S>, [] []);
operations!([S: AsyncRead + AsyncWrite + Unpin, T: Timer] session::Session<Client, S, T>, [async] [.await]);
