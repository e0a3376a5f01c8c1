//! Typed values of SMTP commands, under the names of the vectors.

use mail_smtp_proto::ext::{AuthIdentity, Params};
use mail_smtp_proto::types::{ForwardPath, Mailbox, ReversePath};
use mail_smtp_proto::{Command, Mail, Rcpt};

use crate::seen::Seen;
use crate::value::Val;

/// Logs a command with its arguments.
pub(crate) fn note(command: &Command<'_>, seen: &mut Seen) {
    seen.command(command.name());
    match command {
        Command::Ehlo(name) | Command::Helo(name) | Command::Lhlo(name) => {
            seen.value(format!("{}.name", command.name()), Val::octets(name.as_bytes()));
        }
        Command::Mail(mail) => note_mail(mail, seen),
        Command::Rcpt(rcpt) => note_rcpt(rcpt, seen),
        Command::Vrfy(vrfy) | Command::Expn(vrfy) => {
            seen.value(command.name(), Val::octets(vrfy.argument.as_bytes()));
        }
        Command::Etrn(text) => seen.value("ETRN", Val::octets(text.as_bytes())),
        Command::Burl(burl) => seen.value("BURL", Val::octets(burl.url.as_bytes())),
        Command::XClient(attributes) => {
            for (keyword, value) in attributes.iter() {
                let value = Val::or_null(value.map(|value| Val::octets(value.as_bytes())));
                seen.value(format!("XCLIENT.{}", keyword.as_str().to_ascii_uppercase()), value);
            }
        }
        _ => {}
    }
}

fn note_mail(mail: &Mail<'_>, seen: &mut Seen) {
    match mail.from() {
        ReversePath::Null => seen.value("MAIL.from", Val::octets("")),
        ReversePath::Mailbox(mailbox) => note_mailbox("MAIL", "from", &mailbox, seen),
    }
    let params = mail.params();
    note_params("MAIL", params, seen);
    seen.value("MAIL.SIZE", Val::or_null(params.size().map(Val::Num)));
    seen.value("MAIL.BODY", Val::or_null(params.body().map(|body| Val::name(body.as_str()))));
    seen.value("MAIL.RET", Val::or_null(params.ret().map(|ret| Val::name(ret.as_str()))));
    seen.value("MAIL.ENVID", Val::or_null(params.envid().map(|envid| Val::octets(envid.decode()))));
    seen.value("MAIL.SMTPUTF8", if params.is_utf8() { Val::True } else { Val::Null });
    let identity = params.auth().map(|identity| match identity {
        AuthIdentity::Nobody => Val::octets("<>"),
        AuthIdentity::Mailbox(text) => Val::octets(text.decode()),
    });
    seen.value("MAIL.AUTH", Val::or_null(identity));
}

fn note_rcpt(rcpt: &Rcpt<'_>, seen: &mut Seen) {
    match rcpt.to() {
        ForwardPath::Postmaster => seen.value("RCPT.postmaster", Val::True),
        ForwardPath::Mailbox(mailbox) => note_mailbox("RCPT", "to", &mailbox, seen),
    }
    let params = rcpt.params();
    note_params("RCPT", params, seen);
    if let Some(orcpt) = params.orcpt() {
        seen.value("RCPT.ORCPT.type", Val::name(orcpt.kind().as_bytes()));
        seen.value("RCPT.ORCPT", Val::octets(orcpt.address()));
    }
    if let Some(notify) = params.notify() {
        seen.value("RCPT.NOTIFY", Val::name(format!("{notify}")));
    }
}

fn note_mailbox(verb: &str, key: &str, mailbox: &Mailbox<'_>, seen: &mut Seen) {
    seen.value(format!("{verb}.{key}"), Val::octets(mailbox.as_bytes()));
    seen.value(format!("{verb}.local"), Val::octets(mailbox.local()));
    seen.value(format!("{verb}.domain"), Val::octets(mailbox.domain().as_bytes()));
    let ip = mailbox.domain().ip().map(|ip| Val::name(ip.to_string()));
    seen.value(format!("{verb}.ip"), Val::or_null(ip));
}

fn note_params(verb: &str, params: Params<'_>, seen: &mut Seen) {
    seen.value(format!("{verb}.params"), Val::Num(params.len() as u64));
    for (keyword, value) in params.iter() {
        let value = value.map_or(Val::True, |value| Val::octets(value.as_bytes()));
        seen.value(format!("{verb}.raw.{}", keyword.as_str().to_ascii_uppercase()), value);
    }
}
