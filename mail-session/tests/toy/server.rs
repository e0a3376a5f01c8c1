use super::{Common, Token, Violation};
use bytes::Bytes;
use mail_session::wire::dot::{BodyEol, Dot, DotDecoder, DotEncoder};
use mail_session::wire::{
    Class, Closing, End, Framed, Handover, HandoverError, Input, Machine, Mask, Misuse, Output, Pause,
    Returned, Role, Secured, Unit,
};
use std::time::Duration;

#[derive(Debug)]
pub enum ServerEvent<'i> {
    Echo(&'i [u8], Token),
    Login(&'i [u8], Token),
    Get(u64, Token),
    Put(Token),
    Chunk(&'i [u8]),
    BodyEnd(Token),
    StartTls(Token),
    Malformed(Token),
}

#[derive(Debug)]
pub struct Server {
    common: Common,
    body: Option<DotDecoder>,
    unit: Kind,
    encoder: DotEncoder,
    quit: bool,
    shutdown: bool,
    patience: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Line,
    Chunk,
    BodyEnd,
}

impl Server {
    pub fn new() -> Self {
        Self {
            common: Common::default(),
            body: None,
            unit: Kind::Line,
            encoder: DotEncoder::new(BodyEol::Pass),
            quit: false,
            shutdown: false,
            patience: Duration::from_secs(300),
        }
    }

    pub fn with_patience(patience: Duration) -> Self {
        Self { patience, ..Self::new() }
    }

    pub fn is_secured(&self) -> bool {
        self.common.secured
    }

    pub fn answer(&mut self, token: Token, text: &[u8], output: &mut Output) -> Result<(), Returned<Token>> {
        self.redeem(token)?;
        output.put(Class::Public, b"+");
        output.put(Class::Public, text);
        output.put(Class::Public, b"\r\n");
        Ok(())
    }

    pub fn refuse(&mut self, token: Token, output: &mut Output) -> Result<(), Returned<Token>> {
        self.redeem(token)?;
        output.put(Class::Public, b"-no\r\n");
        Ok(())
    }

    pub fn accept(&mut self, token: Token, output: &mut Output) -> Result<(), Returned<Token>> {
        self.redeem(token)?;
        output.put(Class::Public, b">\r\n");
        self.body = Some(DotDecoder::crlf());
        Ok(())
    }

    pub fn body_head(&mut self, n: u64, output: &mut Output) {
        output.put(Class::Public, b"+");
        output.put_decimal(n);
        output.put(Class::Public, b"\r\n");
    }

    pub fn body(&mut self, _: &mut Token, piece: &mut Bytes, output: &mut Output) {
        self.encoder.push(piece, output).expect("nothing is rejected");
    }

    pub fn end_body(&mut self, token: Token, output: &mut Output) -> Result<(), Returned<Token>> {
        self.redeem(token)?;
        self.encoder.end(output).expect("nothing is rejected");
        Ok(())
    }

    fn redeem(&mut self, token: Token) -> Result<(), Returned<Token>> {
        if self.common.redeem(&token) { Ok(()) } else { Err(Returned::new(token, Misuse::NotOwed)) }
    }

    fn need(&mut self, input: &Input) -> Result<Framed, Violation> {
        match self.common.end {
            None => Ok(Framed::NeedInput),
            Some(_) if self.body.is_some() || !input.is_empty() => {
                Err(self.common.fail(Violation::Truncated))
            }
            Some(_) => {
                self.common.closed = true;
                Ok(Framed::Closed)
            }
        }
    }
}

impl Machine for Server {
    const ROLE: Role = Role::Server;
    type Event<'i> = ServerEvent<'i>;
    type Error = Violation;
    type Upgrade = Token;

    fn frame(&mut self, input: &mut Input, output: &mut Output) -> Result<Framed, Violation> {
        if let Some(fatal) = self.common.fatal {
            return Err(fatal);
        }
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        if self.common.upgrade.is_some() {
            return Ok(Framed::Paused(Pause::Upgrade));
        }
        if self.common.owed.is_some() {
            return Ok(Framed::Paused(Pause::AnswerOwed));
        }
        if self.shutdown && !self.common.closed && self.body.is_none() {
            output.put(Class::Public, b"-going down\r\n");
            self.common.closed = true;
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
        if output.is_full() {
            return Ok(Framed::Paused(Pause::OutputFull));
        }
        let Some(line) = self.common.line(input)? else { return self.need(input) };
        if input.pending().starts_with(b"QUIT\r\n") {
            input.skip(line.len);
            output.put(Class::Public, b"+bye\r\n");
            self.common.closed = true;
            return Ok(Framed::Closed);
        }
        self.unit = Kind::Line;
        Ok(Framed::Ready(input.take(line.len)))
    }

    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<ServerEvent<'i>, Violation> {
        let (octets, _) = input.unit(unit).map_err(|_| Violation::Stale)?;
        self.common.masks.clear();
        match self.unit {
            Kind::Chunk => {
                self.common.mask(Class::Body, 0, octets.len());
                return Ok(ServerEvent::Chunk(octets));
            }
            Kind::BodyEnd => return Ok(ServerEvent::BodyEnd(self.common.issue())),
            Kind::Line => {}
        }
        let text = octets.strip_suffix(b"\r\n").unwrap_or(octets);
        if text == b"STLS" && !self.common.secured {
            let token = self.common.issue();
            self.common.upgrade = self.common.owed.take();
            return Ok(ServerEvent::StartTls(token));
        }
        let token = self.common.issue();
        if let Some(text) = text.strip_prefix(b"ECHO ") {
            return Ok(ServerEvent::Echo(text, token));
        }
        if let Some(secret) = text.strip_prefix(b"LOGIN ") {
            self.common.mask(Class::Secret, 6, text.len());
            return Ok(ServerEvent::Login(secret, token));
        }
        let number = text.strip_prefix(b"GET ").and_then(|n| std::str::from_utf8(n).ok()?.parse().ok());
        match (number, text) {
            (Some(n), _) => Ok(ServerEvent::Get(n, token)),
            (None, b"PUT") => Ok(ServerEvent::Put(token)),
            _ => Ok(ServerEvent::Malformed(token)),
        }
    }

    fn masks(&self) -> &[Mask] {
        &self.common.masks
    }

    fn eof(&mut self, end: End) {
        self.common.end = Some(end);
    }

    fn close(&mut self, why: Closing, output: &mut Output) {
        match why {
            Closing::Expired => {
                output.put(Class::Public, b"-too slow\r\n");
                self.common.fatal.get_or_insert(Violation::Expired);
            }
            Closing::Shutdown => self.shutdown = true,
        }
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn start_tls(
        mut self,
        token: Token,
        input: Input,
        output: &mut Output,
    ) -> Result<Handover<Self>, HandoverError> {
        if self.common.upgrade.take() != Some(token.0) {
            return Err(HandoverError::NotOwed);
        }
        let handover = Handover::new(self, input)?;
        output.put(Class::Public, b"^\r\n");
        Ok(handover)
    }

    fn secured(&mut self, _: Secured) {
        self.common.secured = true;
    }
}
