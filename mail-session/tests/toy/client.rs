use super::{Common, Token, Violation};
use bytes::Bytes;
use mail_session::wire::dot::{BodyEol, Dot, DotDecoder, DotEncoder};
use mail_session::wire::{
    Class, Closing, End, Framed, Handover, HandoverError, Input, Machine, Mask, Misuse, Output, Pause,
    Returned, Role, Secured, Unit,
};
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub enum Command<'a> {
    Echo(&'a [u8]),
    Login(&'a [u8]),
    Get(u64),
    Put,
    Stls,
    Quit,
}

#[derive(Debug)]
pub enum ClientEvent<'i> {
    Reply(&'i [u8]),
    Refused(&'i [u8]),
    Chunk(&'i [u8]),
    BodyEnd,
    BodyWanted(Token),
    StartTls(Token),
}

#[derive(Debug)]
pub struct Client {
    common: Common,
    awaited: VecDeque<Awaited>,
    body: Option<DotDecoder>,
    unit: Kind,
    encoder: DotEncoder,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Awaited {
    Line,
    Body,
    Grant,
    Upgrade,
    Bye,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Reply(Awaited),
    Chunk,
    BodyEnd,
}

impl Client {
    pub fn new() -> Self {
        Self {
            common: Common::default(),
            awaited: VecDeque::new(),
            body: None,
            unit: Kind::Chunk,
            encoder: DotEncoder::new(BodyEol::Pass),
        }
    }

    pub fn is_secured(&self) -> bool {
        self.common.secured
    }

    pub fn send(&mut self, command: Command<'_>, output: &mut Output) -> Result<(), Misuse> {
        if self.common.closed {
            return Err(Misuse::Over);
        }
        if self.common.owed.is_some()
            || self.awaited.iter().any(|a| matches!(a, Awaited::Grant | Awaited::Upgrade))
        {
            return Err(Misuse::MustWait);
        }
        let mut put = |class, octets: &[u8]| output.put(class, octets);
        let awaited = match command {
            Command::Echo(text) => {
                put(Class::Public, b"ECHO ");
                put(Class::Public, text);
                Awaited::Line
            }
            Command::Login(secret) => {
                put(Class::Public, b"LOGIN ");
                put(Class::Secret, secret);
                Awaited::Line
            }
            Command::Get(n) => {
                put(Class::Public, b"GET ");
                output.put_decimal(n);
                Awaited::Body
            }
            Command::Put => {
                put(Class::Public, b"PUT");
                Awaited::Grant
            }
            Command::Stls => {
                put(Class::Public, b"STLS");
                Awaited::Upgrade
            }
            Command::Quit => {
                put(Class::Public, b"QUIT");
                Awaited::Bye
            }
        };
        output.put(Class::Public, b"\r\n");
        self.awaited.push_back(awaited);
        Ok(())
    }

    pub fn body(&mut self, _: &mut Token, piece: &mut Bytes, output: &mut Output) {
        self.encoder.push(piece, output).expect("nothing is rejected");
    }

    pub fn end_body(&mut self, token: Token, output: &mut Output) -> Result<(), Returned<Token>> {
        if !self.common.redeem(&token) {
            return Err(Returned::new(token, Misuse::NotOwed));
        }
        self.encoder.end(output).expect("nothing is rejected");
        self.awaited.push_front(Awaited::Line);
        Ok(())
    }

    fn need(&mut self, input: &Input) -> Result<Framed, Violation> {
        let owed = self.body.is_some()
            || !self.awaited.is_empty()
            || self.common.owed.is_some()
            || !input.is_empty();
        match self.common.end {
            None => Ok(Framed::NeedInput),
            Some(_) if owed => Err(self.common.fail(Violation::Truncated)),
            Some(_) => {
                self.common.closed = true;
                Ok(Framed::Closed)
            }
        }
    }
}

impl Machine for Client {
    const ROLE: Role = Role::Client;
    type Event<'i> = ClientEvent<'i>;
    type Error = Violation;
    type Upgrade = Token;

    fn frame(&mut self, input: &mut Input, _: &mut Output) -> Result<Framed, Violation> {
        if let Some(fatal) = self.common.fatal {
            return Err(fatal);
        }
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        if self.common.upgrade.is_some() {
            return Ok(Framed::Paused(Pause::Upgrade));
        }
        if self.common.closed {
            return Ok(Framed::Closed);
        }
        if let Some(decoder) = &mut self.body {
            loop {
                match decoder.step(input.pending()) {
                    Dot::Data(n) => {
                        self.unit = Kind::Chunk;
                        return Ok(Framed::Ready(input.take(n)));
                    }
                    Dot::Stuffing => input.skip(1),
                    Dot::End(n) => {
                        self.body = None;
                        self.unit = Kind::BodyEnd;
                        return Ok(Framed::Ready(input.take(n)));
                    }
                    Dot::Need => return self.need(input),
                }
            }
        }
        let Some(line) = self.common.line(input)? else { return self.need(input) };
        let Some(awaited) = self.awaited.pop_front() else {
            return Err(self.common.fail(Violation::Unawaited));
        };
        self.unit = Kind::Reply(awaited);
        Ok(Framed::Ready(input.take(line.len)))
    }

    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<ClientEvent<'i>, Violation> {
        let (octets, _) = input.unit(unit).map_err(|_| Violation::Stale)?;
        self.common.masks.clear();
        let awaited = match self.unit {
            Kind::Chunk => {
                self.common.mask(Class::Body, 0, octets.len());
                return Ok(ClientEvent::Chunk(octets));
            }
            Kind::BodyEnd => return Ok(ClientEvent::BodyEnd),
            Kind::Reply(awaited) => awaited,
        };
        match (octets.strip_suffix(b"\r\n").unwrap_or(octets), awaited) {
            ([b'+', text @ ..], Awaited::Line) => Ok(ClientEvent::Reply(text)),
            ([b'+', text @ ..], Awaited::Bye) => {
                self.common.closed = true;
                Ok(ClientEvent::Reply(text))
            }
            ([b'+', text @ ..], Awaited::Body) => {
                self.body = Some(DotDecoder::crlf());
                Ok(ClientEvent::Reply(text))
            }
            (b">", Awaited::Grant) => Ok(ClientEvent::BodyWanted(self.common.issue())),
            (b"^", Awaited::Upgrade) => {
                let token = self.common.issue();
                self.common.upgrade = self.common.owed.take();
                Ok(ClientEvent::StartTls(token))
            }
            ([b'-', text @ ..], _) => Ok(ClientEvent::Refused(text)),
            _ => Err(self.common.fail(Violation::Unawaited)),
        }
    }

    fn masks(&self) -> &[Mask] {
        &self.common.masks
    }

    fn eof(&mut self, end: End) {
        self.common.end = Some(end);
    }

    fn close(&mut self, why: Closing, _: &mut Output) {
        match why {
            Closing::Expired => {
                self.common.fatal.get_or_insert(Violation::Expired);
            }
            Closing::Shutdown => self.common.closed = true,
        }
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(300)
    }

    fn start_tls(
        mut self,
        token: Token,
        input: Input,
        _: &mut Output,
    ) -> Result<Handover<Self>, HandoverError> {
        if self.common.upgrade.take() != Some(token.0) {
            return Err(HandoverError::NotOwed);
        }
        Ok(Handover::new(self, input)?)
    }

    fn secured(&mut self, _: Secured) {
        self.common.secured = true;
    }
}
