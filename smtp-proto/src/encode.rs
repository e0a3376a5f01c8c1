//! How commands and replies are written. Every value was validated when it was built, so nothing here can fail.

use crate::command::{Command, Initial, Vrfy};
use crate::ext::Params;
use crate::reply::ReplyBuf;
use crate::types::{EhloName, ForwardPath, ReversePath};
use alloc::vec::Vec;
use mail_wire::output::decimal;
use mail_wire::{Class, Output};

/// Writes a command line with its CRLF. The initial response of AUTH is [`Class::Secret`].
pub fn command(command: &Command<'_>, output: &mut Output) {
    write(command, &mut |class, octets| output.put(class, octets));
    output.put(Class::Public, b"\r\n");
}

/// A command line without its line end. It may hold a secret.
pub(crate) fn command_line(command: &Command<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    write(command, &mut |_, octets| line.extend_from_slice(octets));
    line
}

/// The octets of a command line with its CRLF.
pub(crate) fn command_len(command: &Command<'_>) -> usize {
    let mut len = 2_usize;
    write(command, &mut |_, octets| len = len.saturating_add(octets.len()));
    len
}

/// The parts of a command line, in order, each with its class.
fn write(command: &Command<'_>, put: &mut dyn FnMut(Class, &[u8])) {
    let mut public = |parts: &[&[u8]]| parts.iter().for_each(|part| put(Class::Public, part));
    public(&[command.name().as_bytes()]);
    match command {
        Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => public(&[b" ", name.as_bytes()]),
        Command::Mail(mail) => {
            public(&[b" FROM:<"]);
            if let ReversePath::Mailbox(mailbox) = mail.from() {
                public(&[mailbox.as_bytes()]);
            }
            public(&[b">"]);
            params(mail.params(), &mut public);
        }
        Command::Rcpt(rcpt) => {
            let path = match rcpt.to() {
                ForwardPath::Postmaster => b"Postmaster",
                ForwardPath::Mailbox(mailbox) => mailbox.as_bytes(),
            };
            public(&[b" TO:<", path, b">"]);
            params(rcpt.params(), &mut public);
        }
        Command::Bdat(bdat) => {
            let mut digits = [0_u8; 20];
            public(&[b" ", decimal(bdat.octets, &mut digits)]);
            last(bdat.last, &mut public);
        }
        Command::Vrfy(Vrfy { argument, utf8 }) | Command::Expn(Vrfy { argument, utf8 }) => {
            public(&[b" ", argument.as_bytes(), if *utf8 { b" SMTPUTF8" } else { b"" }]);
        }
        Command::Help(Some(text)) | Command::Noop(Some(text)) | Command::Etrn(text) => {
            public(&[b" ", text.as_bytes()]);
        }
        Command::Burl(burl) => {
            public(&[b" ", burl.url.as_bytes()]);
            last(burl.last, &mut public);
        }
        Command::XClient(attributes) => params(*attributes, &mut public),
        Command::Auth(auth) => {
            public(&[b" ", auth.mechanism.as_bytes()]);
            match auth.initial {
                Initial::None => {}
                Initial::Empty => public(&[b" ="]),
                Initial::Base64(base64) => {
                    public(&[b" "]);
                    put(Class::Secret, base64.expose());
                }
            }
        }
        Command::Unknown { text: Some(text), .. } => public(&[b" ", text.as_bytes()]),
        Command::Data
        | Command::Rset
        | Command::Quit
        | Command::StartTls
        | Command::Help(None)
        | Command::Noop(None)
        | Command::Unknown { text: None, .. } => {}
    }
}

/// ` KEYWORD[=value]` for each.
fn params(params: Params<'_>, public: &mut impl FnMut(&[&[u8]])) {
    for (keyword, value) in params.iter() {
        public(&[b" ", keyword.as_bytes()]);
        if let Some(value) = value {
            public(&[b"=", value.as_bytes()]);
        }
    }
}

fn last(last: bool, public: &mut impl FnMut(&[&[u8]])) {
    if last {
        public(&[b" LAST"]);
    }
}

/// Writes a reply. The enhanced code stands on every line where `enhanced` says that the server offers it, the reply is no 3yz, and the
/// classes agree (RFC 2034 §3, §4).
pub fn reply(reply: &ReplyBuf, enhanced: bool, output: &mut Output) {
    let enhanced = reply.enhanced().filter(|code| enhanced && code.class() == reply.code().class());
    let mut head = Head::new();
    head.decimal(reply.code().get());
    head.push(b" ");
    if let Some(code) = enhanced {
        head.decimal(code.class().into());
        head.push(b".");
        head.decimal(code.subject());
        head.push(b".");
        head.decimal(code.detail());
        head.push(b" ");
    }
    let mut lines = reply.lines().peekable();
    while let Some(line) = lines.next() {
        head.separator(if lines.peek().is_some() { b'-' } else { b' ' });
        output.put(Class::Public, head.octets());
        output.put(Class::Public, line);
        output.put(Class::Public, b"\r\n");
    }
}

/// What stands before the text of each line of one reply: `250 2.1.5 ` and the like, at most 14 octets.
struct Head {
    octets: [u8; 16],
    len: usize,
}

impl Head {
    const fn new() -> Self {
        Self { octets: [0; 16], len: 0 }
    }

    fn push(&mut self, octets: &[u8]) {
        let end = self.len.saturating_add(octets.len());
        if let Some(room) = self.octets.get_mut(self.len..end) {
            room.copy_from_slice(octets);
            self.len = end;
        }
    }

    fn decimal(&mut self, number: u16) {
        let mut digits = [0; 20];
        self.push(decimal(number.into(), &mut digits));
    }

    /// Between the code and what follows it (RFC 5321 §4.2.1).
    fn separator(&mut self, separator: u8) {
        if let Some(octet) = self.octets.get_mut(3) {
            *octet = separator;
        }
    }

    fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

/// Writes the 250 reply to EHLO or LHLO: the server's name, then a line for each extension; to HELO with no extension at all.
pub(crate) fn ehlo<'a>(
    name: EhloName<'_>,
    mut lines: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>,
    output: &mut Output,
) {
    let mut reply = Vec::with_capacity(256);
    let mut put = |octets: &[u8]| reply.extend_from_slice(octets);
    let mut next = lines.next();
    put(if next.is_some() { b"250-" } else { b"250 " });
    put(name.as_bytes());
    put(b"\r\n");
    while let Some((keyword, text)) = next {
        next = lines.next();
        put(if next.is_some() { b"250-" } else { b"250 " });
        put(keyword);
        if let Some(text) = text {
            put(b" ");
            put(text);
        }
        put(b"\r\n");
    }
    output.put(Class::Public, &reply);
}
