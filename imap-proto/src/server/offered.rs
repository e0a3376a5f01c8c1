//! What a client may ask for only where it is offered: extensions that change the grammar of a command that everybody has.
//!
//! IMAP4rev2 has them in it (RFC 9051 appendix E). To a server that does not offer them they are arguments that cannot be read, so that a
//! client which guesses is told BAD, and an application never meets what it has not promised.

use crate::command::Command;
use crate::error::Rule;
use crate::types::{Capabilities, FetchAtt, Key, SequenceSet};
use memchr::memchr;

/// The rule that a command breaks where its extension is not offered, and where in the unit it does.
pub(super) fn broken(
    command: &Command<'_>,
    unit: &[u8],
    args: usize,
    offer: Capabilities<'_>,
) -> Option<(usize, Rule)> {
    if let Command::Search { keys, .. } = command {
        // A key that an application does not know would find nothing, and say so as if it had looked.
        if Key::missing(*keys, offer).is_some() {
            return Some((args, Rule::Search));
        }
    }
    if let Command::Fetch { atts, .. } = command {
        let previews = atts.iter().any(|att| matches!(att, FetchAtt::Preview { .. }));
        if previews && !offer.has("PREVIEW") {
            return Some((args, Rule::Fetch));
        }
    }
    // Most commands hold none of this, and are let go on without a look at the offer.
    let saved = memchr(b'$', unit).filter(|_| names_saved(command));
    let options = match command {
        Command::Search { options, .. } if options.is_present() => Some(*options),
        _ => None,
    };
    let saves = options.is_some_and(|options| options.has("SAVE"));
    if saved.is_none() && options.is_none() || offer.has("IMAP4rev2") {
        return None;
    }
    if (saved.is_some() || saves) && !offer.has("SEARCHRES") {
        // RFC 5182 §2.
        return Some(saved.map_or((args, Rule::Search), |at| (at, Rule::Set)));
    }
    // RFC 4731 §3.
    let bare = options.is_some() && !offer.has("ESEARCH");
    bare.then_some((args, Rule::Search))
}

/// Whether `$`, the saved result of a search, is among the sets of a command (RFC 5182 §2.1).
fn names_saved(command: &Command<'_>) -> bool {
    match command {
        Command::Fetch { set, .. }
        | Command::Store { set, .. }
        | Command::Copy { set, .. }
        | Command::Move { set, .. } => set.is_saved(),
        Command::Expunge { uids } => uids.is_some_and(SequenceSet::is_saved),
        Command::Search { keys, .. } => {
            keys.iter().any(|key| matches!(key, Key::Set(set) | Key::Uid(set) if set.is_saved()))
        }
        _ => false,
    }
}
