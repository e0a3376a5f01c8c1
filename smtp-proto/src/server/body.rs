//! Bodies: DATA up to CRLF.CRLF (RFC 5321 §4.5.2), BDAT up to its count (RFC 3030 §2).
//!
//! Nothing that is wrong with a body moves its end. A server that stopped reading at a bare LF, or at its limit, would take the rest for
//! commands, and who wrote the message would have written the commands. So a body that is refused is read to its real end, and only then
//! answered: the client also listens only then (RFC 5321 §3.3).
//!
//! Where the end is never depends on policy; what is done with octets that have no place in a message (RFC 5321 §2.3.8, RFC 5322 §2.3) does.

use super::answer::CLOSING;
use super::state::{Cost, Framing, Phase, Transaction};
use super::{Abort, Server, replies};
use crate::error::Violation;
use crate::reply::ReplyBuf;
use alloc::boxed::Box;
use mail_wire::dot::{BodyEol, BodyFault, Dot, DotDecoder};
use mail_wire::{Framed, Input, Output};

/// The body that is on its way. It is large where it has to be, by a box: most connections wait between two commands, and hold none.
#[derive(Debug)]
pub(super) struct Body {
    form: Form,
    /// Octets at the front of the input that are known to be body.
    ready: usize,
    /// What is to be put in before the next octet, by [`BodyEol::Normalise`]: a message that ends in a bare CR gets its LF at the end of the
    /// last chunk, once.
    insert: bool,
    /// Why what still comes goes nowhere.
    off: Option<Abort>,
    /// What is said when the octets of a refused chunk are gone, and how often.
    after: Option<Box<(ReplyBuf, u32)>>,
}

#[derive(Debug)]
enum Form {
    None,
    Data(Box<DotDecoder>),
    Chunk { left: u64, last: bool },
}

/// What may be done with octets of a body. What is given has passed, but for a CR: it is given before its LF is known, so that cuts between
/// the two do not show.
enum Gate {
    Give(usize),
    /// The first octet is replaced.
    Replace(&'static [u8]),
    Insert(&'static [u8]),
    Off(Abort),
}

impl Body {
    pub(super) const fn new() -> Self {
        Self { form: Form::None, ready: 0, insert: false, off: None, after: None }
    }

    /// CRLF.CRLF alone ends it, whatever ends a command line by policy.
    pub(super) fn data() -> Self {
        Self { form: Form::Data(Box::new(DotDecoder::crlf())), ..Self::new() }
    }

    /// Its octets are counted and not looked at: no dot is stuffed, and none ends it (RFC 3030 §2).
    pub(super) fn chunk(left: u64, last: bool) -> Self {
        Self { form: Form::Chunk { left, last }, ..Self::new() }
    }

    /// Octets of a chunk that go nowhere, and what is said behind them.
    pub(super) fn refused(left: u64, reply: ReplyBuf, times: u32) -> Self {
        Self { after: Some(Box::new((reply, times))), ..Self::chunk(left, true) }
    }

    pub(super) const fn is_off(&self) -> bool {
        self.off.is_some()
    }

    /// The octets that the chunk still has: what stands before the next command line.
    ///
    /// None of DATA, whose end is looked for.
    pub(super) const fn left(&self) -> u64 {
        match self.form {
            Form::Chunk { left, .. } => left,
            _ => 0,
        }
    }
}

impl Server {
    /// The next piece of a body, as large as it has arrived: up to a fault, a stuffing dot or the end. Lines are not waited for: a message may be
    /// one line of any length, and is held nowhere.
    pub(super) fn frame_body(
        &mut self,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        if self.body.ready == 0 {
            let (pending, body) = (input.pending(), &mut self.body);
            match &mut body.form {
                Form::None => {
                    self.phase = Phase::Ready;
                    return Ok(None);
                }
                Form::Data(decoder) => match decoder.step(pending) {
                    Dot::Data(n) => body.ready = n,
                    Dot::Stuffing => {
                        input.skip(1);
                        return Ok(None);
                    }
                    Dot::End(n) => return Ok(self.end_of_data(n, input, output)),
                    Dot::Need => return self.starve(input, 0),
                },
                Form::Chunk { left: 0, last } => {
                    let last = *last;
                    return Ok(self.end_of_chunk(last, input, output));
                }
                Form::Chunk { left, .. } => {
                    body.ready = pending.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    if body.ready == 0 {
                        return self.starve(input, 0);
                    }
                }
            }
        }
        // What is read in vain has a limit, which an honest client of the announced SIZE does not come near.
        if self.body.is_off() {
            let n = self.body.ready;
            if self.discard.spend(n as u64).is_err() {
                self.say(self.refusal_of_body(), output);
                return Err(self.fail(Violation::Limit("discard", self.limits.discard)));
            }
            input.skip(n);
            self.use_up(n);
            return Ok(None);
        }
        let data = input.pending().get(..self.body.ready).unwrap_or_default();
        match self.gate(data) {
            Gate::Give(n) => {
                self.use_up(n);
                self.framing = Framing::Chunk;
                Ok(Some(Framed::Ready(input.take(n))))
            }
            Gate::Replace(octets) => {
                self.use_up(1);
                self.framing = Framing::Inserted(octets);
                Ok(Some(Framed::Ready(input.take(1))))
            }
            Gate::Insert(octets) => {
                self.framing = Framing::Inserted(octets);
                Ok(Some(Framed::Ready(input.take(0))))
            }
            Gate::Off(why) => {
                self.body.off = Some(why);
                self.abort = Some(why);
                Ok(None)
            }
        }
    }

    /// Octets of the body are taken or dropped: a chunk has so many less before the next command line.
    fn use_up(&mut self, n: usize) {
        self.body.ready = self.body.ready.saturating_sub(n);
        if let Form::Chunk { left, .. } = &mut self.body.form {
            *left = left.saturating_sub(n as u64);
        }
    }

    /// How much of `data`, which is not empty, is given; the same octets whatever the cuts.
    ///
    /// What counts for the limit is the message as the application gets it, without stuffing (RFC 1870 §5). A body declared BINARYMIME has no
    /// lines (RFC 3030 §3), so no line end in it is bare.
    fn gate(&mut self, data: &[u8]) -> Gate {
        let Some(transaction) = &mut self.transaction else { return Gate::Off(Abort::Reset) };
        let room = self.limits.message.saturating_sub(transaction.octets);
        if room == 0 {
            return Gate::Off(Abort::TooLarge);
        }
        let data =
            data.get(..data.len().min(usize::try_from(room).unwrap_or(usize::MAX))).unwrap_or_default();
        let gate = match self.policy.body_eol {
            _ if transaction.binary => Gate::Give(data.len()),
            BodyEol::Pass => Gate::Give(data.len()),
            BodyEol::Reject => transaction.strict(data),
            BodyEol::Normalise => transaction.normal(data),
        };
        let given = match &gate {
            Gate::Give(n) => data.get(..*n).unwrap_or_default(),
            Gate::Replace(octets) | Gate::Insert(octets) => octets,
            Gate::Off(_) => &[],
        };
        if !transaction.binary && self.policy.body_eol != BodyEol::Pass {
            // A NUL that passes is a fault to the scan, which goes on behind it all the same.
            let _fault = transaction.scan.piece(given);
            transaction.scanned = transaction.scanned.saturating_add(given.len() as u64);
        }
        transaction.octets = transaction.octets.saturating_add(given.len() as u64);
        gate
    }

    /// What ends the body holds no body: the CRLF before the dot belongs to it and has been given (RFC 5321 §4.1.1.4). So a message always ends
    /// in CRLF, and `.` directly behind the 354 is an empty one.
    fn end_of_data(&mut self, n: usize, input: &mut Input, output: &mut Output) -> Option<Framed> {
        self.body.form = Form::None;
        if self.body.is_off() {
            input.skip(n);
            let times = if self.lmtp { self.recipients().max(1) } else { 1 };
            self.refuse_message(times, output);
            return None;
        }
        self.framing = Framing::BodyEnd;
        Some(Framed::Ready(input.take(n)))
    }

    /// A chunk is complete. One that is not the last is answered here; the last ends the message (RFC 3030 §2).
    ///
    /// A CR at the end of a chunk may have its LF in the next, so only the last chunk tells whether it is bare.
    fn end_of_chunk(&mut self, last: bool, input: &mut Input, output: &mut Output) -> Option<Framed> {
        if self.body.is_off() {
            self.refuse_message(self.replies_to_chunk(last), output);
            return None;
        }
        if !last {
            self.say(&replies::CHUNK, output);
            self.phase = Phase::Ready;
            return None;
        }
        // A CR that was the last octet of all.
        let bare = self.transaction.as_ref().filter(|transaction| !transaction.binary);
        match (bare.and_then(|transaction| transaction.scan.end()), self.policy.body_eol) {
            (Some(fault), BodyEol::Reject) => {
                self.body.off = Some(Abort::Fault(fault));
                self.abort = self.body.off;
                None
            }
            (Some(_), BodyEol::Normalise) if !self.body.insert => {
                self.body.insert = true;
                self.framing = Framing::Inserted(b"\n");
                Some(Framed::Ready(input.take(0)))
            }
            _ => {
                self.body.form = Form::None;
                self.framing = Framing::BodyEnd;
                Some(Framed::Ready(input.take(0)))
            }
        }
    }

    /// The message is off and its octets are gone: the reply, and the end of the transaction, which a refused message concludes as well as
    /// one that is taken (RFC 5321 §4.1.1.4).
    fn refuse_message(&mut self, times: u32, output: &mut Output) {
        let reply = self.refusal_of_body();
        for _ in 0..times {
            self.say(reply, output);
        }
        self.transaction = None;
        self.body = Body::new();
        self.phase = Phase::Ready;
    }

    /// How many replies a chunk of the open transaction has. In LMTP the last has one for each recipient, and none where there is none; any
    /// other has one (RFC 2033 §4.3). A client that counts otherwise takes the reply to its next command for one of these.
    pub(super) fn replies_to_chunk(&self, last: bool) -> u32 {
        match &self.transaction {
            Some(transaction) if self.lmtp && last => transaction.recipients,
            _ => 1,
        }
    }

    /// Why the message is refused: too large (552, RFC 1870 §6.3), or octets that have no place in it (550). Both are for good: the same octets
    /// would be no better later.
    fn refusal_of_body(&self) -> &'static ReplyBuf {
        match self.body.off {
            Some(Abort::TooLarge) => &replies::TOO_LARGE,
            _ => &replies::BODY_FAULT,
        }
    }

    /// The octets of a chunk that was refused, up to its end: they are no commands. The client sent them with the BDAT and did not wait, which
    /// is why the refusal comes behind them (RFC 3030 §2).
    pub(super) fn swallow(
        &mut self,
        input: &mut Input,
        output: &mut Output,
    ) -> Result<Option<Framed>, Violation> {
        let left = self.body.left();
        let n = input.pending().len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if left > 0 && n == 0 {
            return self.starve(input, 0);
        }
        if self.discard.spend(n as u64).is_err() {
            if let Some(after) = self.body.after.take() {
                self.say(&after.0, output);
            }
            return Err(self.fail(Violation::Limit("discard", self.limits.discard)));
        }
        input.skip(n);
        self.use_up(n);
        if self.body.left() == 0 {
            self.phase = Phase::Ready;
            if let Some(after) = core::mem::replace(&mut self.body, Body::new()).after {
                self.refuse_chunk(&after.0, after.1, output);
            }
            if let Some(fatal) = self.fatal {
                return Err(fatal);
            }
        }
        Ok(None)
    }

    /// The octets of a refused chunk are gone: now the refusal may be said (RFC 3030 §2).
    fn refuse_chunk(&mut self, reply: &ReplyBuf, times: u32, output: &mut Output) {
        // Out of order is a fault of the client's; a full disk is none.
        if super::decode::is_fault(reply.code()) && !self.covers(Cost::Bad, output) {
            return;
        }
        let closing = reply.code() == CLOSING;
        for _ in 0..if closing { 1 } else { times } {
            self.say(reply, output);
        }
        if closing {
            self.leave();
        }
    }
}

impl Transaction {
    /// Up to the first fault; at the fault, off. What stood before it has been given by then: a body streams, and is called off.
    fn strict(&self, data: &[u8]) -> Gate {
        let mut scan = self.scan;
        match scan.piece(data) {
            None => Gate::Give(data.len()),
            Some(fault) => match self.before(fault) {
                0 => Gate::Off(Abort::Fault(fault)),
                n => Gate::Give(n),
            },
        }
    }

    /// Up to the first bare CR or LF; there, CRLF in its place. A dot behind it was no stuffing when it came and is none now, so that what is
    /// mended here ends no message, here or at the next host, where dots are stuffed anew.
    fn normal(&self, data: &[u8]) -> Gate {
        let mut scan = self.scan;
        match scan.piece(data) {
            None => Gate::Give(data.len()),
            Some(fault) => match (self.before(fault), fault) {
                (n, BodyFault::Nul { .. }) => Gate::Give(n.saturating_add(1)),
                (0, BodyFault::BareCr { .. }) => Gate::Insert(b"\n"),
                (0, _) => Gate::Replace(b"\r\n"),
                (n, _) => Gate::Give(n),
            },
        }
    }

    /// How many octets of the data stand before what cannot be known to be good: a CR is given before its LF is awaited, so that the cuts
    /// do not show.
    fn before(&self, fault: BodyFault) -> usize {
        let at = match fault {
            BodyFault::BareCr { at } => at.saturating_add(1),
            BodyFault::BareLf { at } | BodyFault::Nul { at } => at,
            _ => self.scanned,
        };
        usize::try_from(at.saturating_sub(self.scanned)).unwrap_or(usize::MAX)
    }
}
