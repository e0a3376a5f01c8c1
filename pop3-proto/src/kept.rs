//! Commands, lines of listings and capabilities that own their octets, to be kept after the input has gone on.
//!
//! A status line and a batch of lines are one stretch of the input, and are kept as [`mail_wire::Owned`]. The values here are made of up
//! to two stretches that may stand anywhere: both are copied behind each other, and put together again without being read anew.

use crate::command::{Command, OtherCommand, Shape};
use crate::ext::capa::{Capability, Mechanisms};
use crate::reply::Item;
use crate::types::{
    Digest, InitialResponse, LanguageRange, LanguageTag, Mechanism, MessageNumber, Password, UniqueId,
    UserName,
};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use mail_wire::SecretBuf;

/// A value that can be kept: what it holds of text and octets, and a small rest without a lifetime.
///
/// It is implemented for the `'static` form and stands for all lifetimes. Nothing outside this crate implements it.
pub trait Keep: sealed::Sealed + 'static {
    /// The value with the lifetime `'a`.
    type Of<'a>: Copy;
    /// What it holds besides text and octets.
    #[doc(hidden)]
    type Head: Copy;
    #[doc(hidden)]
    fn split<'a>(value: Self::Of<'a>) -> Parts<'a, Self::Head>;
    #[doc(hidden)]
    fn join<'a>(parts: Parts<'a, Self::Head>) -> Self::Of<'a>;
}

/// A value taken apart.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a, H> {
    pub(crate) head: H,
    pub(crate) text: &'a str,
    pub(crate) octets: &'a [u8],
    pub(crate) more: &'a [u8],
}

/// A value that owns its octets; they are overwritten when it is dropped, as a command may hold a password.
///
/// ```
/// use mail_pop3_proto::Command;
/// let kept = { let line = b"TOP 1 5".to_vec(); Command::parse(&line).unwrap().into_owned() };
/// assert!(matches!(kept.get(), Command::Top { lines: 5, .. }));
/// ```
pub struct Kept<V: Keep> {
    head: V::Head,
    text: Box<str>,
    octets: SecretBuf,
    /// Where the second stretch begins.
    cut: usize,
}

/// A [`Command`] that owns its octets.
pub type OwnedCommand = Kept<Command<'static>>;
/// An [`Item`] that owns its octets. To keep many, keep their [`Items`](crate::client::Items).
pub type OwnedItem = Kept<Item<'static>>;
/// A [`Capability`] that owns its octets. To keep all of a server, keep its [`Capabilities`](crate::ext::capa::Capabilities).
pub type OwnedCapability = Kept<Capability<'static>>;

impl<V: Keep> Kept<V> {
    pub(crate) fn new(value: V::Of<'_>) -> Self {
        let parts = V::split(value);
        // As large as it will be: one that grew would leave a copy of a secret behind.
        let mut octets = Vec::with_capacity(parts.octets.len().saturating_add(parts.more.len()));
        octets.extend_from_slice(parts.octets);
        octets.extend_from_slice(parts.more);
        let cut = parts.octets.len();
        Self { head: parts.head, text: parts.text.into(), octets: SecretBuf::from(octets), cut }
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> V::Of<'_> {
        let (octets, more) = self.octets.expose().split_at_checked(self.cut).unwrap_or_default();
        V::join(Parts { head: self.head, text: &self.text, octets, more })
    }
}

impl<V: Keep> Clone for Kept<V> {
    fn clone(&self) -> Self {
        Self::new(self.get())
    }
}

impl<V: Keep> fmt::Debug for Kept<V>
where
    for<'a> V::Of<'a>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

mod sealed {
    /// Keeps the trait inside this crate: a head names private parts.
    pub trait Sealed {}
    impl Sealed for super::Command<'static> {}
    impl Sealed for super::Item<'static> {}
    impl Sealed for super::Capability<'static> {}
}

/// Parts without octets.
fn bare<'a, H>(head: H) -> Parts<'a, H> {
    Parts { head, text: "", octets: &[], more: &[] }
}

/// What a [`Command`] holds besides its octets.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum CommandHead {
    /// One without octets of the peer.
    Whole(Command<'static>),
    /// A name.
    User,
    /// A password.
    Pass,
    /// A name, and the proof itself.
    Apop(Digest),
    /// Whether there is an initial response, and whether it is base64 already.
    Auth(Option<bool>),
    /// The tag of a language.
    Lang,
    /// A whole line, and what its answer looks like.
    Other(Shape),
}

/// One arm for each command, so that a new one cannot be forgotten.
impl Keep for Command<'static> {
    type Of<'a> = Command<'a>;
    type Head = CommandHead;

    fn split<'a>(value: Self::Of<'a>) -> Parts<'a, CommandHead> {
        use CommandHead as Head;
        let whole = |command| bare(Head::Whole(command));
        match value {
            Command::User(name) => Parts { octets: name.octets(), ..bare(Head::User) },
            Command::Pass(password) => Parts { octets: password.expose(), ..bare(Head::Pass) },
            Command::Apop { name, digest } => Parts { octets: name.octets(), ..bare(Head::Apop(digest)) },
            Command::Auth { mechanism, initial } => {
                let (coded, octets) = initial.map(|initial| initial.parts()).unzip();
                let octets = octets.unwrap_or_default();
                Parts { text: mechanism.name(), octets, ..bare(Head::Auth(coded)) }
            }
            Command::Lang(Some(LanguageRange::Tag(tag))) => Parts { text: tag.as_str(), ..bare(Head::Lang) },
            Command::Lang(Some(LanguageRange::Preferred)) => {
                whole(Command::Lang(Some(LanguageRange::Preferred)))
            }
            Command::Other(other) => {
                Parts { octets: other.line(), ..bare(Head::Other(Command::Other(other).shape())) }
            }
            Command::Lang(None) => whole(Command::Lang(None)),
            Command::AuthList => whole(Command::AuthList),
            Command::Capa => whole(Command::Capa),
            Command::Stls => whole(Command::Stls),
            Command::Utf8 => whole(Command::Utf8),
            Command::Quit => whole(Command::Quit),
            Command::Stat => whole(Command::Stat),
            Command::List(message) => whole(Command::List(message)),
            Command::Retr(message) => whole(Command::Retr(message)),
            Command::Dele(message) => whole(Command::Dele(message)),
            Command::Noop => whole(Command::Noop),
            Command::Rset => whole(Command::Rset),
            Command::Top { message, lines } => whole(Command::Top { message, lines }),
            Command::Uidl(message) => whole(Command::Uidl(message)),
        }
    }

    fn join<'a>(parts: Parts<'a, CommandHead>) -> Command<'a> {
        match parts.head {
            CommandHead::Whole(command) => command,
            CommandHead::User => Command::User(UserName::known(parts.octets)),
            CommandHead::Pass => Command::Pass(Password::known(parts.octets)),
            CommandHead::Apop(digest) => Command::Apop { name: UserName::known(parts.octets), digest },
            CommandHead::Auth(coded) => Command::Auth {
                mechanism: Mechanism::known(parts.text),
                initial: coded.map(|coded| InitialResponse::known(coded, parts.octets)),
            },
            CommandHead::Lang => Command::Lang(Some(LanguageRange::Tag(LanguageTag::known(parts.text)))),
            CommandHead::Other(shape) => Command::Other(OtherCommand::known(parts.octets, shape)),
        }
    }
}

/// What an [`Item`] holds besides its octets.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum ItemHead {
    Scan {
        message: MessageNumber,
        octets: u64,
    },
    /// Of which message the id is.
    UniqueId(MessageNumber),
    /// What the capability itself holds besides its octets.
    Capability(CapabilityHead),
    /// A name.
    Mechanism,
    /// A tag, and its description as octets.
    Language,
    Line,
}

impl Keep for Item<'static> {
    type Of<'a> = Item<'a>;
    type Head = ItemHead;

    fn split<'a>(value: Self::Of<'a>) -> Parts<'a, ItemHead> {
        match value {
            Item::Scan { message, octets } => bare(ItemHead::Scan { message, octets }),
            Item::UniqueId { message, id } => {
                Parts { octets: id.octets(), ..bare(ItemHead::UniqueId(message)) }
            }
            Item::Capability(capability) => {
                let Parts { head, text, octets, more } = <Capability<'static> as Keep>::split(capability);
                Parts { head: ItemHead::Capability(head), text, octets, more }
            }
            Item::Mechanism(mechanism) => Parts { text: mechanism.name(), ..bare(ItemHead::Mechanism) },
            Item::Language { tag, description } => {
                Parts { text: tag.as_str(), octets: description, ..bare(ItemHead::Language) }
            }
            Item::Line(line) => Parts { octets: line, ..bare(ItemHead::Line) },
        }
    }

    fn join<'a>(parts: Parts<'a, ItemHead>) -> Item<'a> {
        let Parts { head, text, octets, more } = parts;
        match head {
            ItemHead::Scan { message, octets } => Item::Scan { message, octets },
            ItemHead::UniqueId(message) => Item::UniqueId { message, id: UniqueId::known(octets) },
            ItemHead::Capability(head) => {
                Item::Capability(<Capability<'static> as Keep>::join(Parts { head, text, octets, more }))
            }
            ItemHead::Mechanism => Item::Mechanism(Mechanism::known(text)),
            ItemHead::Language => Item::Language { tag: LanguageTag::known(text), description: octets },
            ItemHead::Line => Item::Line(octets),
        }
    }
}

/// What a [`Capability`] holds besides its octets.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum CapabilityHead {
    /// One without octets of the peer.
    Whole(Capability<'static>),
    /// Mechanisms as they stand on the wire.
    Sasl,
    /// A text.
    Implementation,
    Other,
}

impl Keep for Capability<'static> {
    type Of<'a> = Capability<'a>;
    type Head = CapabilityHead;

    fn split<'a>(value: Self::Of<'a>) -> Parts<'a, CapabilityHead> {
        use CapabilityHead as Head;
        let whole = |capability| bare(Head::Whole(capability));
        match value {
            Capability::Sasl(mechanisms) => Parts { octets: mechanisms.octets(), ..bare(Head::Sasl) },
            Capability::Implementation(text) => Parts { octets: text, ..bare(Head::Implementation) },
            Capability::Other { name, arguments } => {
                Parts { octets: name, more: arguments, ..bare(Head::Other) }
            }
            Capability::Top => whole(Capability::Top),
            Capability::Uidl => whole(Capability::Uidl),
            Capability::User => whole(Capability::User),
            Capability::RespCodes => whole(Capability::RespCodes),
            Capability::AuthRespCode => whole(Capability::AuthRespCode),
            Capability::LoginDelay { seconds, user } => whole(Capability::LoginDelay { seconds, user }),
            Capability::Pipelining => whole(Capability::Pipelining),
            Capability::Expire { expire, user } => whole(Capability::Expire { expire, user }),
            Capability::Stls => whole(Capability::Stls),
            Capability::Utf8 { user } => whole(Capability::Utf8 { user }),
            Capability::Lang => whole(Capability::Lang),
        }
    }

    fn join<'a>(parts: Parts<'a, CapabilityHead>) -> Capability<'a> {
        match parts.head {
            CapabilityHead::Whole(capability) => capability,
            CapabilityHead::Sasl => Capability::Sasl(Mechanisms::read(parts.octets)),
            CapabilityHead::Implementation => Capability::Implementation(parts.octets),
            CapabilityHead::Other => Capability::Other { name: parts.octets, arguments: parts.more },
        }
    }
}
