//! FETCH (RFC 9051 §6.4.5): each attribute as it is asked for, the octets of messages streamed.

use super::search::date_time;
use super::selected::{seq, with_flags};
use super::{Client, Turn, ok};
use crate::Failure;
use crate::mime::{self, Envelope, Structure};
use crate::store::{Change, Message};
use bytes::Bytes;
use mail_session::proto::imap::server::Answer;
use mail_session::proto::imap::types::{FetchAtt, FetchAtts, SequenceSet};

impl Client<'_> {
    pub(super) async fn fetch(
        &mut self,
        set: SequenceSet<'_>,
        uid: bool,
        atts: FetchAtts<'_>,
        answer: Answer,
        turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        let (Some(selected), false) = (&mut self.selected, atts.iter().any(is_foreign)) else {
            return Ok(turn.refuse(answer)?);
        };
        let places = selected.places(set, uid);
        let seen = ["\\Seen".to_string()];
        let reads = !selected.read_only && atts.iter().any(FetchAtt::marks_seen);
        for place in places {
            let message = &mut selected.messages[place];
            let now_read = reads && !message.has("\\Seen");
            if now_read {
                self.store.flag(&self.user, &selected.name, &[message.uid], Change::Add, &seen);
                message.flags.extend_from_slice(&seen);
            }
            // What the client has not asked for and has to know.
            let uid = (uid && !atts.contains(FetchAtt::Uid)).then_some(FetchAtt::Uid);
            let flags = (now_read && !atts.contains(FetchAtt::Flags)).then_some(FetchAtt::Flags);
            let all = uid.into_iter().chain(flags).chain(atts.iter());
            write(seq(place), message, all, &answer, turn).await?;
        }
        self.tell(&mut turn.untagged(&answer)?, uid);
        Ok(turn.answer(answer, &ok("fetched"))?)
    }
}

/// One response.
async fn write(
    number: u32,
    message: &Message,
    atts: impl Iterator<Item = FetchAtt<'_>>,
    answer: &Answer,
    turn: &mut Turn<'_>,
) -> Result<(), Failure> {
    // Sections come last: each is a literal, behind which the response goes on.
    let (sections, rest): (Vec<_>, Vec<_>) = atts.partition(|att| att.section().is_some());
    let mut writer = turn.untagged(answer)?;
    let mut response = writer.fetch(number);
    for att in rest {
        response = match att {
            FetchAtt::Flags => with_flags(message, |flags| response.flags(flags)),
            FetchAtt::Uid => response.uid(message.uid),
            FetchAtt::InternalDate => response.internal_date(date_time(message.date)),
            FetchAtt::Size => response.size(message.octets.len() as u64),
            FetchAtt::Envelope => {
                let envelope = Envelope::of(mime::header(&message.octets));
                envelope.with(|fields| response.envelope(fields))
            }
            FetchAtt::Body | FetchAtt::BodyStructure => {
                let extended = att == FetchAtt::BodyStructure;
                Structure::of(&message.octets).with(|tree| response.body_structure(tree, extended))?
            }
            _ => response,
        };
    }
    for att in sections {
        let Some(mut octets) = octets(message, att) else {
            response = response.nil(att)?;
            continue;
        };
        let mut grant = response.body_and_more(att, octets.len() as u64)?;
        while grant.left() > 0 {
            turn.body(&mut grant, &mut octets)?;
            if turn.output.is_full() {
                turn.flush().await?;
            }
        }
        response = turn.machine.fetch_on(grant, turn.output)?;
    }
    response.end();
    Ok(())
}

/// The octets that a section and its window mean.
fn octets(message: &Message, att: FetchAtt<'_>) -> Option<Bytes> {
    let (section, partial) = att.section()?;
    let octets = mime::section(&message.octets, section)?;
    let Some(partial) = partial else { return Some(octets) };
    let (start, end) = partial.of(octets.len() as u64);
    Some(octets.slice(usize::try_from(start).ok()?..usize::try_from(end).ok()?))
}

/// Attributes of extensions that are not offered.
fn is_foreign(att: FetchAtt<'_>) -> bool {
    use FetchAtt::{Binary, BinarySize, ModSeq, Other, Preview};
    matches!(att, Binary { .. } | BinarySize(_) | ModSeq | Preview { .. } | Other(_))
}
