//! A server that meets clients: what it says, and what it tells its application.

use bytes::Buf;
use mail_smtp_proto::policy::Sync;
use mail_smtp_proto::server::{Abort, Config, Event, Offer, Server};
use mail_smtp_proto::types::{EnhancedCode, Mechanism};
use mail_smtp_proto::{Allow, Command, Extension, ReplyBuf, Violation};
use mail_wire::{Framed, Input, Machine, Misuse, Output};

/// An application that takes everything but what its fields say.
struct Host {
    greeting: ReplyBuf,
    /// A refusal for each body that is offered, in order; then all are taken.
    bodies: Vec<ReplyBuf>,
    /// What is said at the end of a message, for each recipient in LMTP.
    ends: Vec<ReplyBuf>,
    /// Answers malformed commands in words of its own.
    own_words: bool,
}

impl Default for Host {
    fn default() -> Self {
        Self { greeting: reply(220, None), bodies: Vec::new(), ends: Vec::new(), own_words: false }
    }
}

/// What a session came to.
#[derive(Debug)]
struct Seen {
    said: String,
    aborts: Vec<Abort>,
    end: Option<Violation>,
    authenticated: bool,
}

impl Seen {
    /// The codes of the replies, continuation lines aside.
    fn codes(&self) -> Vec<u16> {
        let last = |line: &&str| line.as_bytes().get(3) == Some(&b' ');
        self.said.lines().filter(last).map(|line| line[..3].parse().unwrap()).collect()
    }

    fn last(&self) -> &str {
        self.said.lines().last().unwrap()
    }
}

fn reply(code: u16, enhanced: Option<(u16, u16)>) -> ReplyBuf {
    let reply = ReplyBuf::line(code, "x").unwrap();
    match enhanced {
        Some((subject, detail)) => {
            reply.with_enhanced(EnhancedCode::new((code / 100) as u8, subject, detail).unwrap())
        }
        None => reply,
    }
}

impl Host {
    fn on(&mut self, server: &mut Server, event: Event<'_>, output: &mut Output, seen: &mut Seen) {
        match event {
            Event::Connected(answer) => server.answer(answer, &self.greeting, output).unwrap(),
            Event::Command(Command::Rcpt(rcpt), answer) => {
                let code = match rcpt.to().mailbox().map(|to| to.local().into_owned()).as_deref() {
                    Some(b"no") => 550,
                    Some(b"later") => 451,
                    _ => 250,
                };
                server.answer(answer, &reply(code, None), output).unwrap();
            }
            Event::Command(_, answer) => server.answer(answer, &reply(250, None), output).unwrap(),
            Event::Malformed(_, answer) if self.own_words => {
                server.answer(answer, &reply(500, None), output).unwrap();
            }
            Event::Malformed(_, answer) => server.refuse(answer, output).unwrap(),
            Event::Auth { turn, .. } => server.accept_auth(turn, &reply(235, None), output).unwrap(),
            Event::Body(offer) if self.bodies.is_empty() => server.accept_body(offer, output).unwrap(),
            Event::Body(offer) => server.refuse_body(offer, &self.bodies.remove(0), output).unwrap(),
            Event::BodyEnd(answer) if self.ends.is_empty() => {
                server.answer(answer, &reply(250, None), output).unwrap();
            }
            Event::BodyEnd(answer) => server.answer_each(answer, &self.ends, output).unwrap(),
            Event::Abort(why) => seen.aborts.push(why),
            Event::Answered(_) | Event::Refused(_) | Event::Chunk(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The octets of a client, and what came of them.
fn talk(mut host: Host, change: impl FnOnce(&mut Config), octets: &[u8]) -> Seen {
    let mut config = Config::default();
    config.policy.sync = Sync::Loose;
    change(&mut config);
    let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
    let mut seen = Seen { said: String::new(), aborts: Vec::new(), end: None, authenticated: false };
    let mut rest = octets;
    loop {
        match server.frame(&mut input, &mut output) {
            Ok(Framed::Ready(unit)) => {
                let event = server.decode(unit, &mut input).unwrap();
                host.on(&mut server, event, &mut output, &mut seen);
            }
            Ok(Framed::NeedInput) if !rest.is_empty() => {
                let n = input.feed(rest);
                rest = &rest[n..];
            }
            other => {
                seen.end = other.err();
                seen.said += core::str::from_utf8(&output.copy_to_bytes(output.remaining())).unwrap();
                seen.authenticated = server.is_authenticated();
                return seen;
            }
        }
        seen.said += core::str::from_utf8(&output.copy_to_bytes(output.remaining())).unwrap();
    }
}

const MAIL: &str = "EHLO c\r\nMAIL FROM:<a@b>\r\n";

const RCPT: &str = "EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";

/// Offers more than the default.
fn offer(config: &mut Config, more: impl FnOnce(Offer) -> Offer) {
    config.offer = more(Offer::clone(&config.offer)).into();
}

fn lmtp(config: &mut Config) {
    config.lmtp = true;
}

/// RFC 5321 §7.3: what a server tells of its recipients has a price.
#[test]
fn refused_recipients_are_counted_until_a_mail_is_taken() {
    let few = |config: &mut Config| config.limits.refused_recipients = 2;
    let refused = "RCPT TO:<no@d>\r\n";
    let seen = talk(Host::default(), few, format!("{MAIL}{}QUIT\r\n", refused.repeat(3)).as_bytes());
    assert_eq!(seen.codes(), [220, 250, 250, 550, 550, 421]);
    assert_eq!(seen.end, Some(Violation::Limit("refused_recipients", 2)));
    // The machine's own refusals, and those for now, cost the same.
    let mixed = "RCPT TO:<c@d> FOO\r\nRCPT TO:<later@d>\r\nRCPT TO:<c@d>\r\nRCPT TO:<\u{e9}@d>\r\n";
    let seen = talk(Host::default(), few, format!("{MAIL}{mixed}").as_bytes());
    assert_eq!(seen.codes(), [220, 250, 250, 555, 451, 250, 421]);
    // A mail that is taken pays for all before it; one recipient too many is no fault (RFC 5321 §4.5.3.1.10).
    let two = refused.repeat(2);
    let octets = format!(
        "{MAIL}{two}RCPT TO:<c@d>\r\n{}DATA\r\n.\r\nMAIL FROM:<a@b>\r\n{two}QUIT\r\n",
        "RCPT TO:<e@f>\r\n".repeat(5)
    );
    let one = |config: &mut Config| {
        few(config);
        config.limits.recipients = 1;
    };
    let seen = talk(Host::default(), one, octets.as_bytes());
    assert_eq!(seen.codes()[3..], [550, 550, 250, 452, 452, 452, 452, 452, 354, 250, 250, 550, 550, 221]);
}

/// RFC 5321 §4.3.2: a fault is a fault in whatever words it is answered.
#[test]
fn malformed_commands_are_counted_in_whatever_words_they_are_answered() {
    let host = Host { own_words: true, ..Host::default() };
    let seen = talk(host, |config| config.limits.bad_commands = 2, b"FOO\r\nFOO\r\nFOO\r\nNOOP\r\n");
    assert_eq!(seen.codes(), [220, 500, 500, 421]);
    assert_eq!(seen.end, Some(Violation::Limit("bad_commands", 2)));
}

/// RFC 5321 §4.2.4, RFC 5248: the reply tells of the command that it answers.
#[test]
fn a_malformed_command_is_told_what_is_wrong_with_it() {
    let cases: &[(&[u8], &str)] = &[
        (b"EHLO a b\r\n", "501 syntax error in parameters or arguments"),
        (b"HELO \xc3\xa9\r\n", "501 syntax error in parameters or arguments"),
        (b"NOOP \xff\r\n", "501 5.5.4 syntax error in parameters or arguments"),
        (b"FOO \xff\r\n", "500 5.5.1 command not recognized"),
        (b"FOO \x01\r\n", "500 5.5.1 command not recognized"),
        (b"EHLO c\r\nMAIL FROM:<a@b c>\r\n", "501 5.1.7 syntax error in the reverse path"),
        (b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@@d>\r\n", "501 5.1.3 syntax error in the forward path"),
        (b"EHLO c\r\nMAIL FROM:<\xff@b> SMTPUTF8\r\n", "553 5.6.7 address needs SMTPUTF8"),
    ];
    for (octets, last) in cases {
        assert_eq!(talk(Host::default(), |_| {}, octets).last(), *last, "{}", octets.escape_ascii());
    }
}

/// RFC 2034 §3, item 4: in the greeting and in what answers EHLO or HELO there is no enhanced code, whoever gives it.
#[test]
fn the_greeting_and_what_answers_ehlo_have_no_enhanced_code() {
    let host = Host { greeting: reply(554, Some((7, 1))), ..Host::default() };
    assert_eq!(
        talk(host, |_| {}, b"EHLO c\r\nNOOP\r\n").said,
        "554 x\r\n503 bad sequence of commands\r\n503 5.5.1 bad sequence of commands\r\n"
    );
    let seen = talk(Host::default(), |_| {}, b"LHLO c\r\nEHLO\r\nRSET\r\n");
    assert_eq!(seen.codes(), [220, 500, 501, 250]);
    assert_eq!(
        seen.said,
        "220 x\r\n500 command not recognized\r\n501 syntax error in parameters or arguments\r\n250 2.0.0 OK\r\n"
    );
}

/// RFC 2033 §4.3: BDAT LAST has a reply for each accepted recipient, also where it is refused; any other has one.
#[test]
fn in_lmtp_a_refused_last_chunk_is_answered_for_each_recipient() {
    let two = "LHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nRCPT TO:<no@d>\r\n";
    let codes = |host: Host, tail: &[u8]| {
        let small = |config: &mut Config| {
            lmtp(config);
            config.limits.message = 5;
        };
        talk(host, small, &[two.as_bytes(), tail].concat()).codes()[6..].to_vec()
    };
    let refusing = || Host { bodies: vec![reply(452, None)], ..Host::default() };
    assert_eq!(codes(refusing(), b"BDAT 1 LAST\r\nxNOOP\r\n"), [452, 452, 250]);
    assert_eq!(codes(refusing(), b"BDAT 1\r\nxNOOP\r\n"), [452, 250]);
    assert_eq!(codes(Host::default(), b"BDAT 6 LAST\r\n123456NOOP\r\n"), [552, 552, 250]);
    assert_eq!(codes(Host::default(), b"BDAT 6\r\n123456NOOP\r\n"), [552, 250]);
    assert_eq!(codes(Host::default(), b"BDAT 2\r\n\0xNOOP\r\n"), [550, 250]);
    assert_eq!(codes(Host::default(), b"BDAT 2 LAST\r\n\0xNOOP\r\n"), [550, 550, 250]);
    // Behind a failed chunk there is no transaction whose recipients could count.
    assert_eq!(codes(refusing(), b"BDAT 1\r\nxBDAT 1 LAST\r\nyNOOP\r\n"), [452, 503, 250]);
    // Nobody to answer for, no answer.
    let none = b"LHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<no@d>\r\nBDAT 4 LAST\r\nQUITNOOP\r\n";
    assert_eq!(talk(Host::default(), lmtp, none).codes(), [220, 250, 250, 550, 250]);
}

/// RFC 5321 §4.3.2, RFC 4954 §6: a greeting is 220 or a refusal, and 235 alone says that the client is who it says.
#[test]
fn what_no_client_understands_is_not_said() {
    let mut config = Config::default();
    config.policy.plaintext_auth = Allow::Allow;
    offer(&mut config, |offer| offer.with_mechanism(Mechanism::PLAIN));
    let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
    let mut refused = 0;
    for octets in ["", "EHLO c\r\n", "AUTH PLAIN AGEAYg==\r\n"] {
        input.feed(octets.as_bytes());
        while let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) {
            match server.decode(unit, &mut input).unwrap() {
                Event::Connected(answer) => {
                    let back = server.answer(answer, &reply(250, None), &mut output).unwrap_err();
                    assert!(matches!(back.why, Misuse::Invalid(_)) && output.is_empty());
                    server.answer(back.token, &reply(220, None), &mut output).unwrap();
                    refused += 1;
                }
                Event::Auth { turn, .. } => {
                    output.advance(output.remaining());
                    let back = server.accept_auth(turn, &reply(250, None), &mut output).unwrap_err();
                    assert!(matches!(back.why, Misuse::Invalid(_)) && output.is_empty());
                    assert!(!server.is_authenticated());
                    server.accept_auth(back.token, &reply(235, None), &mut output).unwrap();
                    refused += 1;
                }
                _ => {}
            }
        }
    }
    assert_eq!((refused, server.is_authenticated()), (2, true));
}

/// RFC 5321 §3.8: behind a 421 the server closes, whatever it answers.
#[test]
fn a_421_ends_the_session_also_behind_a_chunk_and_in_lmtp() {
    let host = Host { bodies: vec![reply(421, None)], ..Host::default() };
    let seen = talk(host, |_| {}, format!("{RCPT}BDAT 1\r\nxNOOP\r\n").as_bytes());
    assert_eq!((seen.codes()[4..].to_vec(), seen.end), (vec![421], None));
    let host = Host { ends: vec![reply(451, None), reply(421, None)], ..Host::default() };
    let octets = b"LHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n.\r\nNOOP\r\n";
    let seen = talk(host, lmtp, octets);
    assert_eq!((seen.codes()[6..].to_vec(), seen.end), (vec![451, 421], None));
}

/// RFC 4468 §3.2: BURL LAST ends a message as BDAT LAST does.
#[test]
fn a_mail_by_burl_counts_as_a_mail_and_its_parts_as_chunks() {
    let burl = |config: &mut Config| {
        offer(config, |offer| offer.with(Extension::Burl));
        (config.limits.idle_commands, config.limits.chunks) = (3, 2);
    };
    let mail = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBURL imap://x LAST\r\n".repeat(5);
    let seen = talk(Host::default(), burl, format!("EHLO c\r\n{mail}QUIT\r\n").as_bytes());
    assert_eq!((seen.codes().last(), seen.end), (Some(&221), None));
    let endless = "BURL imap://x\r\n".repeat(3);
    let seen = talk(Host::default(), burl, format!("{RCPT}{endless}").as_bytes());
    assert_eq!(seen.codes()[4..], [250, 250, 421]);
    assert_eq!((seen.aborts, seen.end), (vec![Abort::Ended], Some(Violation::Limit("chunks", 2))));
}

/// RFC 4468 §3.2, §3.4: also where there is nobody to get the message, and the next MAIL is not nested.
#[test]
fn a_failed_burl_takes_the_transaction_with_it() {
    let burl = |config: &mut Config| offer(config, |offer| offer.with(Extension::Burl));
    let octets = format!("{MAIL}RCPT TO:<no@d>\r\nBURL imap://x LAST\r\nMAIL FROM:<a@b>\r\n");
    assert_eq!(talk(Host::default(), burl, octets.as_bytes()).codes(), [220, 250, 250, 550, 503, 250]);
    // Where it is no command at all, it changes nothing.
    let octets = format!("{MAIL}BURL imap://x LAST\r\nRCPT TO:<c@d>\r\n");
    assert_eq!(talk(Host::default(), |_| {}, octets.as_bytes()).codes(), [220, 250, 250, 502, 250]);
}

/// RFC 5321 §4.1.4: a DATA that is refused leaves the transaction open, so that it can be refused without end.
#[test]
fn a_refused_data_costs_as_much_as_a_command_without_a_mail() {
    let host = Host { bodies: vec![reply(451, None); 9], ..Host::default() };
    let few = |config: &mut Config| config.limits.idle_commands = 4;
    let seen = talk(host, few, format!("{RCPT}{}QUIT\r\n", "DATA\r\n".repeat(9)).as_bytes());
    assert_eq!(seen.codes()[4..], [451, 451, 421]);
    assert_eq!(seen.end, Some(Violation::Limit("idle_commands", 4)));
}

/// Whatever ends the session, the application learns of the message that was begun.
#[test]
fn a_message_that_was_begun_is_called_off_by_every_end() {
    let begun = format!("{RCPT}BDAT 1\r\nx");
    let ends: &[(&[u8], Violation)] = &[
        (b"NOOP\n", Violation::Line(mail_wire::line::LineFault::BareLf { at: 4 })),
        (b"FOO\r\nFOO\r\n", Violation::Limit("bad_commands", 1)),
        (b"GET /\r\n", Violation::ForeignProtocol(mail_smtp_proto::error::Foreign::Http)),
        (b"\x16\x03", Violation::ForeignProtocol(mail_smtp_proto::error::Foreign::Tls)),
        (b"BDAT x\r\n", Violation::ChunkLost),
        (b"BDAT 99999999\r\n", Violation::Limit("discard", 1 << 20)),
    ];
    for (octets, end) in ends {
        let one = |config: &mut Config| config.limits.bad_commands = 1;
        let seen = talk(Host::default(), one, &[begun.as_bytes(), octets].concat());
        assert_eq!((seen.aborts.len(), seen.end), (1, Some(*end)), "{}", octets.escape_ascii());
    }
}

/// RFC 4954 §4, RFC 5248: 5.5.6 tells of a line of AUTH alone.
#[test]
fn a_long_line_has_the_code_of_auth_only_in_auth() {
    let short = |config: &mut Config| {
        config.limits = mail_smtp_proto::Limits { command_line: 64, auth_line: 80, ..config.limits };
        config.policy.plaintext_auth = Allow::Allow;
        offer(config, |offer| offer.with_mechanism(Mechanism::PLAIN));
    };
    let long = "x".repeat(90);
    let seen = talk(Host::default(), short, format!("NOOP {long}\r\nAUTH PLAIN {long}\r\n").as_bytes());
    assert_eq!(seen.said, "220 x\r\n500 5.5.2 line too long\r\n500 5.5.6 line too long\r\n");
}

/// A client that does not wait for the 334, or goes on behind a refusal, sends its password as a command. No log shows it.
#[test]
fn what_comes_unasked_behind_auth_is_a_secret() {
    let (mut server, mut input, mut output) = (Server::new(Config::default()), Input::new(), Output::new());
    let mut shown = Vec::new();
    for line in ["", "EHLO c\r\n", "FOO\r\n", "AUTH LOGIN\r\n", "cGFzcw==\r\n", "NOOP\r\n", "FOO\r\n"] {
        input.feed(line.as_bytes());
        while let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) {
            match server.decode(unit, &mut input).unwrap() {
                Event::Connected(answer) => server.answer(answer, &reply(220, None), &mut output).unwrap(),
                Event::Malformed(_, answer) => server.refuse(answer, &mut output).unwrap(),
                _ => {}
            }
            let masked: usize = server.masks().iter().map(|mask| mask.span.len()).sum();
            shown.push(line.trim_end().len() - masked);
        }
    }
    assert_eq!(shown, [0, 6, 3, 5, 0, 4, 3]);
}

/// RFC 8689 §2: REQUIRETLS belongs to sessions under TLS.
#[test]
fn requiretls_is_neither_offered_nor_taken_before_tls() {
    let offered = |config: &mut Config| offer(config, |offer| offer.with(Extension::RequireTls));
    let seen = talk(Host::default(), offered, b"EHLO c\r\nMAIL FROM:<a@b> REQUIRETLS\r\n");
    assert!(!seen.said.contains("REQUIRETLS"), "{}", seen.said);
    assert_eq!(seen.codes(), [220, 250, 555]);
}

/// RFC 5321 §4.1.1: who receives should tolerate white space before the CRLF; no other space.
#[test]
fn blanks_before_the_line_end_are_tolerated_by_default_and_counted() {
    let octets = b"EHLO c \r\nMAIL FROM:<a@b> SIZE=1 \t\r\nRCPT TO:<c@d>  \r\nRSET\t\r\nNOOP \r\nMAIL FROM:<a@b>  SIZE=1\r\nQUIT \r\n";
    assert_eq!(talk(Host::default(), |_| {}, octets).codes(), [220, 250, 250, 250, 250, 250, 501, 221]);
    let chunk = format!("{RCPT}BDAT 1 \r\nxBDAT 0 LAST \r\nBDAT  1\r\n");
    let seen = talk(Host::default(), |_| {}, chunk.as_bytes());
    assert_eq!((seen.codes()[4..].to_vec(), seen.end), (vec![250, 250, 501], Some(Violation::ChunkLost)));
    let strict = |config: &mut Config| config.policy.grammar = mail_smtp_proto::Grammar::strict();
    assert_eq!(talk(Host::default(), strict, b"RSET \r\nMAIL FROM:<a@b> \r\n").codes(), [220, 501, 503]);
}

/// The session behind XCLIENT is another client's: what the proxy was granted is not its.
#[test]
fn xclient_ends_the_login_of_the_proxy() {
    let trusting = |config: &mut Config| {
        config.policy.plaintext_auth = Allow::Allow;
        config.policy.xclient = Allow::Allow;
        config.policy.require_auth = true;
        offer(config, |offer| offer.with_mechanism(Mechanism::PLAIN).with(Extension::XClient));
    };
    let octets = b"EHLO c\r\nAUTH PLAIN AGEAYg==\r\nXCLIENT ADDR=192.0.2.1\r\nEHLO d\r\nMAIL FROM:<a@b>\r\n";
    let seen = talk(Host::default(), trusting, octets);
    assert_eq!(seen.codes(), [220, 250, 235, 250, 250, 530]);
    assert!(!seen.authenticated);
}

/// RFC 4954 §3: the keyword has a list of mechanisms; without one there is nothing to offer.
#[test]
fn auth_without_a_mechanism_is_not_offered() {
    let auth = |config: &mut Config| {
        config.policy.plaintext_auth = Allow::Allow;
        offer(config, |offer| offer.with(Extension::Auth));
    };
    let seen = talk(Host::default(), auth, b"EHLO c\r\nAUTH PLAIN\r\n");
    assert!(!seen.said.contains("AUTH"), "{}", seen.said);
    assert_eq!(seen.codes(), [220, 250, 502]);
}

/// RFC 4954 §6: 530 to all but what leads to a log-in, so that nobody asks for names without one.
#[test]
fn where_a_login_is_required_nobody_asks_for_names_without_one() {
    let required = |config: &mut Config| {
        config.policy.require_auth = true;
        offer(config, |offer| offer.with(Extension::Vrfy).with(Extension::Expn).with(Extension::Etrn));
    };
    let seen = talk(
        Host::default(),
        required,
        b"EHLO c\r\nVRFY a\r\nEXPN a\r\nETRN a\r\nMAIL FROM:<a@b>\r\nNOOP\r\nRSET\r\n",
    );
    assert_eq!(seen.codes(), [220, 250, 530, 530, 530, 530, 250, 250]);
}

/// RFC 6531 §3.7.4.2: the parameter of VRFY and EXPN belongs to SMTPUTF8.
#[test]
fn vrfy_has_its_parameter_only_where_smtputf8_is_offered() {
    let vrfy = |config: &mut Config| offer(config, |offer| offer.with(Extension::Vrfy));
    let octets = "EHLO c\r\nVRFY a SMTPUTF8\r\nVRFY \u{e9} SMTPUTF8\r\nVRFY a\r\n".as_bytes();
    assert_eq!(talk(Host::default(), vrfy, octets).codes(), [220, 250, 504, 504, 250]);
    let both = |config: &mut Config| {
        offer(config, |offer| offer.with(Extension::Vrfy).with(Extension::SmtpUtf8));
    };
    assert_eq!(talk(Host::default(), both, octets).codes(), [220, 250, 250, 250, 250]);
}

/// RFC 3030 §3: without CHUNKING a binary body could not be sent. RFC 6531 §3.1: SMTPUTF8 brings 8BITMIME.
#[test]
fn extensions_that_need_another_go_with_it() {
    let no_chunks = |config: &mut Config| {
        offer(config, |offer| offer.without(Extension::Chunking).with(Extension::BinaryMime));
    };
    let octets = b"EHLO c\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\n";
    let seen = talk(Host::default(), no_chunks, octets);
    assert!(!seen.said.contains("BINARYMIME"), "{}", seen.said);
    assert_eq!(seen.codes(), [220, 250, 555]);
    let both = |config: &mut Config| offer(config, |offer| offer.with(Extension::BinaryMime));
    assert_eq!(talk(Host::default(), both, octets).codes(), [220, 250, 250]);
    let utf8 = |config: &mut Config| {
        offer(config, |offer| offer.without(Extension::EightBitMime).with(Extension::SmtpUtf8));
    };
    let seen = talk(Host::default(), utf8, b"EHLO c\r\nMAIL FROM:<a@b> SMTPUTF8 BODY=8BITMIME\r\n");
    assert!(seen.said.contains("8BITMIME"), "{}", seen.said);
    assert_eq!(seen.codes(), [220, 250, 250]);
}

/// RFC 3461 §4.2, §4.4: what xtext hides is ASCII all the same.
#[test]
fn xtext_of_notifications_hides_no_octet_beyond_ascii() {
    let offered = |config: &mut Config| offer(config, |offer| offer.with(Extension::Dsn));
    let octets = "EHLO c\r\nMAIL FROM:<a@b> ENVID=a+E9\r\nMAIL FROM:<a@b> ENVID=a+2Bb\r\n\
                  RCPT TO:<c@d> ORCPT=rfc822;+C3+A9@d\r\nRCPT TO:<c@d> ORCPT=rfc822;c+40d\r\n";
    assert_eq!(talk(Host::default(), offered, octets.as_bytes()).codes(), [220, 250, 501, 250, 501, 250]);
}

/// RFC 4865 §3: a whole number of seconds from 1 on, or a date, not both. RFC 7293 §3.1: no fraction of a second.
#[test]
fn times_of_delivery_have_the_form_of_their_extension() {
    let offered = |config: &mut Config| {
        offer(config, |offer| offer.with(Extension::FutureRelease).with(Extension::Rrvs));
    };
    let code = |line: &str| {
        *talk(Host::default(), offered, format!("EHLO c\r\n{line}\r\n").as_bytes()).codes().last().unwrap()
    };
    const UNTIL: &str = "HOLDUNTIL=2026-01-31T12:00:00Z";
    assert_eq!(code("MAIL FROM:<a@b> HOLDFOR=1"), 250);
    assert_eq!(code(&format!("MAIL FROM:<a@b> {UNTIL}")), 250);
    assert_eq!(code("MAIL FROM:<a@b> HOLDFOR=0"), 501);
    assert_eq!(code("MAIL FROM:<a@b> HOLDFOR=01"), 501);
    assert_eq!(code(&format!("MAIL FROM:<a@b> HOLDFOR=1 {UNTIL}")), 501);
    assert_eq!(code(&format!("MAIL FROM:<a@b> {UNTIL} HOLDFOR=1")), 501);
    assert_eq!(code("MAIL FROM:<a@b>\r\nRCPT TO:<c@d> RRVS=2026-01-31T12:00:00Z"), 250);
    assert_eq!(code("MAIL FROM:<a@b>\r\nRCPT TO:<c@d> RRVS=2026-01-31T12:00:00.5Z;C"), 501);
}

/// RFC 5321 §4.5.3.1.3: the route counts; RFC 6531 §3.3: its domains too are ASCII without SMTPUTF8.
#[test]
fn a_source_route_is_part_of_the_path() {
    let long = format!("EHLO c\r\nMAIL FROM:<@{}:a@b>\r\n", "x".repeat(250));
    assert_eq!(talk(Host::default(), |_| {}, long.as_bytes()).codes(), [220, 250, 501]);
    let octets = "EHLO c\r\nMAIL FROM:<@\u{e9}:a@b>\r\nMAIL FROM:<@x,@y:a@b>\r\n".as_bytes();
    assert_eq!(talk(Host::default(), |_| {}, octets).codes(), [220, 250, 553, 250]);
}

/// RFC 5321 §4.5.3.1.5: a reply line has 512 octets at the most; what is longer goes on in another.
#[test]
fn no_reply_line_is_longer_than_the_standard_has_it() {
    use mail_smtp_proto::types::ReplyText;
    assert!(ReplyText::new(&[b'x'; 496]).is_ok());
    assert!(ReplyText::new(&[b'x'; 497]).is_err());
    let mut tape = mail_wire::Tape::new();
    let wire = format!("550 5.7.509 {}\r\n", "\u{e9}".repeat(1000));
    let read =
        mail_smtp_proto::parse::reply(wire.as_bytes(), &mut tape, &mail_smtp_proto::parse::Fixes::none());
    let again = read.unwrap().to_buf();
    assert_eq!(again.lines().collect::<Vec<_>>().concat(), "\u{e9}".repeat(1000).as_bytes());
    let mut output = Output::new();
    mail_smtp_proto::encode::reply(&again, true, &mut output);
    let octets = output.copy_to_bytes(output.remaining());
    assert!(octets.split_inclusive(|octet| *octet == b'\n').all(|line| line.len() <= 512));
}
