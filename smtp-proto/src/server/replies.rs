//! The replies that the machine gives by itself (RFC 5321 §4.2.3, RFC 5248).
//!
//! A client acts on the code, and on its first digit if it knows no more: 4 means try again later, 5 give up (RFC 5321 §4.2.1). So a fault of
//! the client's is 5yz, and what ends the session for its own sake is 421, behind which a mail is kept and tried again (§3.8). The enhanced
//! code says the same in finer steps: X.1 addresses, X.3 the system, X.5 the protocol, X.7 policy (RFC 3463 §3).
//!
//! No text repeats an octet of the client's: a browser that was made to talk to a mail server would take it for a page.

use crate::command::Verb;
use crate::error::Rule;
use crate::reply::ReplyBuf;

macro_rules! replies {
    ($($name:ident = $code:literal $class:literal $subject:literal $detail:literal $text:literal;)*) => {
        $(pub(super) static $name: ReplyBuf = ReplyBuf::fixed($code, Some(($class, $subject, $detail)), $text);)*
    };
}

replies! {
    OK = 250 2 0 0 "OK";
    BYE = 221 2 0 0 "closing connection";
    READY_FOR_TLS = 220 2 0 0 "ready to start TLS";
    TLS_NOT_NOW = 454 4 7 0 "TLS not available at the moment";
    CANNOT_VRFY = 252 2 5 2 "cannot verify, but will take mail and try";
    CHUNK = 250 2 0 0 "chunk received";

    // 421 may stand for any reply. 4.7.0 where the client spends too much: it is policy, and another connection may do better.
    CLOSING = 421 4 3 2 "service closing";
    TIMEOUT = 421 4 4 2 "no command for too long";
    TOO_MANY_BAD = 421 4 7 0 "too many bad commands";
    TOO_MANY_IDLE = 421 4 7 0 "too many commands without a mail";
    TOO_MANY_REFUSED = 421 4 7 0 "too many refused recipients";
    TOO_MANY_CHUNKS = 421 4 7 0 "too many small chunks";
    TOO_MANY_AUTH = 421 4 7 0 "too many failed logins";
    TOO_MANY_RCPT = 452 4 5 3 "too many recipients";

    // 500 to 504: the command itself, by the table of RFC 5321 §4.2.2; 5.5.6 is RFC 4954's, 503 for AUTH too (RFC 4954 §4).
    LINE_TOO_LONG = 500 5 5 2 "line too long";
    AUTH_TOO_LONG = 500 5 5 6 "line too long";
    BARE_LINE_END = 500 5 5 2 "line ends with CRLF alone";
    UNKNOWN = 500 5 5 1 "command not recognized";
    SYNTAX = 501 5 5 2 "syntax error";
    ARGUMENTS = 501 5 5 4 "syntax error in parameters or arguments";
    BAD_SENDER = 501 5 1 7 "syntax error in the reverse path";
    BAD_RECIPIENT = 501 5 1 3 "syntax error in the forward path";
    BAD_CHUNK = 501 5 5 4 "chunk size cannot be read, closing";
    AUTH_CANCELLED = 501 5 7 0 "authentication cancelled";
    AUTH_BASE64 = 501 5 5 2 "cannot decode base64";
    NOT_IMPLEMENTED = 502 5 5 1 "command not implemented";
    SEQUENCE = 503 5 5 1 "bad sequence of commands";
    NO_RECIPIENTS = 503 5 5 1 "no valid recipients";
    ALREADY_AUTH = 503 5 5 1 "already authenticated";
    ALREADY_TLS = 503 5 5 1 "TLS is in use already";
    MECHANISM = 504 5 5 4 "mechanism not supported";
    NO_PARAMETER = 504 5 5 4 "parameter not implemented";
    // 530 and 538 tell what must come first (RFC 3207 §4, RFC 4954 §6): a client can mend that by itself.
    NEED_TLS = 530 5 7 0 "must issue a STARTTLS command first";
    NEED_AUTH = 530 5 7 0 "authentication required";
    AUTH_NEEDS_TLS = 538 5 7 11 "encryption required for authentication";
    // 550 to 555: the mail, or who sends it (RFC 1870 §6.1 for 552, RFC 6531 §3.5 for 553, RFC 5321 §3.1 for 554, §4.1.1.11 for 555).
    XCLIENT_LOGIN = 550 5 7 0 "the attribute LOGIN is not taken";
    BODY_FAULT = 550 5 6 0 "bare CR, bare LF or NUL in the message";
    TOO_LARGE = 552 5 3 4 "message exceeds the size limit";
    UTF8_ADDRESS = 553 5 6 7 "address needs SMTPUTF8";
    NO_SERVICE = 554 5 7 0 "no SMTP service here";
    FOREIGN = 554 5 5 1 "this is a mail server";
    EARLY = 554 5 5 1 "the client spoke before the greeting";
    PIPELINED = 554 5 5 0 "improper pipelining";
    PARAMETER = 555 5 5 4 "parameter not recognized or not implemented";
}

/// The standard's reply to a command that breaks a rule.
///
/// A verb that nobody knows is 500 whatever stands behind it (RFC 5321 §4.2.4). The codes for addresses and for SMTPUTF8 (RFC 3463 §3.2,
/// RFC 6531 §3.5) belong to the commands that have an address: of a name in EHLO they would tell a lie.
pub(super) fn to_rule(rule: Rule, verb: Option<Verb>) -> &'static ReplyBuf {
    let Some(verb) = verb else { return &UNKNOWN };
    match rule {
        Rule::Verb => &UNKNOWN,
        Rule::TooLong => &LINE_TOO_LONG,
        Rule::NotAscii if matches!(verb, Verb::Mail | Verb::Rcpt | Verb::Vrfy | Verb::Expn) => &UTF8_ADDRESS,
        Rule::ParameterUnknown => &PARAMETER,
        Rule::Mechanism => &MECHANISM,
        Rule::Base64 => &AUTH_BASE64,
        Rule::Path
        | Rule::LocalPart
        | Rule::LocalTooLong
        | Rule::Domain
        | Rule::DomainTooLong
        | Rule::PathTooLong
        | Rule::AddressLiteral => match verb {
            Verb::Mail => &BAD_SENDER,
            Verb::Rcpt => &BAD_RECIPIENT,
            _ => &ARGUMENTS,
        },
        Rule::Control => &SYNTAX,
        _ => &ARGUMENTS,
    }
}
