//! How commands and replies are written. Every value was validated when it was built, so nothing here can fail.
//!
//! One form for each value, the one of the standard's grammar (RFC 5321 §4.1.2): verbs and keywords in upper case, one space where there is
//! one, no space behind `FROM:` and `TO:`, no route before a mailbox. Readers take other forms; who writes them finds the one that does not.

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

/// A command line without its line end. It may hold a secret, so its owner overwrites it when it is done.
pub(crate) fn command_line(command: &Command<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    write(command, &mut |_, octets| line.extend_from_slice(octets));
    line
}

/// The octets of a command line with its CRLF, which is how limits of lines are counted (RFC 5321 §4.5.3.1.4).
pub(crate) fn command_len(command: &Command<'_>) -> usize {
    let mut len = 2_usize;
    write(command, &mut |_, octets| len = len.saturating_add(octets.len()));
    len
}

/// The parts of a command line, in order, each with its class. Measuring, copying and sending go through here, so that a line is never longer
/// than what was measured.
fn write(command: &Command<'_>, put: &mut dyn FnMut(Class, &[u8])) {
    let mut public = |parts: &[&[u8]]| parts.iter().for_each(|part| put(Class::Public, part));
    public(&[command.name().as_bytes()]);
    match command {
        Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => public(&[b" ", name.as_bytes()]),
        Command::Mail(mail) => {
            public(&[b" FROM:<"]);
            // Nothing between the brackets is the path of notifications, to which nobody answers (RFC 5321 §4.5.5).
            if let ReversePath::Mailbox(mailbox) = mail.from() {
                public(&[mailbox.as_bytes()]);
            }
            public(&[b">"]);
            params(mail.params(), &mut public);
        }
        Command::Rcpt(rcpt) => {
            // The one name without a domain (RFC 5321 §4.1.1.3); case is free, so it is written as the grammar has it.
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
        // Attributes have the form of parameters (Postfix's XCLIENT).
        Command::XClient(attributes) => params(*attributes, &mut public),
        Command::Auth(auth) => {
            public(&[b" ", auth.mechanism.as_bytes()]);
            match auth.initial {
                Initial::None => {}
                // Nothing at all would mean that the server speaks first (RFC 4954 §4).
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

/// ` KEYWORD[=value]` for each, in the order in which they were given: it means nothing (RFC 5321 §4.1.2), and what is passed on stays the
/// same.
fn params(params: Params<'_>, public: &mut impl FnMut(&[&[u8]])) {
    for (keyword, value) in params.iter() {
        public(&[b" ", keyword.as_bytes()]);
        if let Some(value) = value {
            public(&[b"=", value.as_bytes()]);
        }
    }
}

/// The end marker of BDAT and BURL (RFC 3030 §2, RFC 4468 §3.5).
fn last(last: bool, public: &mut impl FnMut(&[&[u8]])) {
    if last {
        public(&[b" LAST"]);
    }
}

/// Writes a reply. The enhanced code stands on every line where `enhanced` says that the server offers it, the reply is no 3yz, and the
/// classes agree (RFC 2034 §3, §4).
///
/// A 3yz has no class of its own, for RFC 3463 §2 knows 2, 4 and 5 alone, so the comparison of classes rules it out. A code of
/// another class is left out rather than mended: two numbers that contradict each other would leave the client to choose.
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
    // The hyphen on all lines but the last is the only mark of where a reply ends (RFC 5321 §4.2.1).
    let mut lines = reply.lines().peekable();
    while let Some(line) = lines.next() {
        head.separator(if lines.peek().is_some() { b'-' } else { b' ' });
        output.put(Class::Public, head.octets());
        output.put(Class::Public, line);
        output.put(Class::Public, b"\r\n");
    }
}

/// What stands before the text of each line of one reply: `250 2.1.5 ` and the like, at most 14 octets. It is put together once, since the
/// code must be the same on every line (RFC 5321 §4.2.1).
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
///
/// The name stands alone on the first line, where no client looks for a keyword (RFC 5321 §4.1.1.1), and there is no enhanced code
/// (RFC 2034 §3).
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
