//! A client that meets servers: what it may say next, and what it says.

use bytes::{Buf, Bytes};
use mail_smtp_proto::client::{AuthTurn, BodyGrant, Client, Config, Event, TlsGrant};
use mail_smtp_proto::types::Mechanism;
use mail_smtp_proto::{Allow, Command, Extension, Tls};
use mail_wire::{Input, Machine, Misuse, Output};

/// A client between the server's octets and its own.
struct Talk {
    client: Client,
    input: Input,
    output: Output,
    events: Vec<String>,
    grant: Option<BodyGrant>,
    turn: Option<AuthTurn>,
    tls: Option<TlsGrant>,
}

impl Talk {
    /// After a greeting, and EHLO answered with these lines.
    fn new(change: impl FnOnce(&mut Config), lines: &[&str]) -> Self {
        let mut config = Config::default();
        config.policy.plaintext_auth = Allow::Allow;
        change(&mut config);
        let hello = if config.lmtp { "LHLO c" } else { "EHLO c" };
        let mut talk = Self {
            client: Client::new(config),
            input: Input::new(),
            output: Output::new(),
            events: Vec::new(),
            grant: None,
            turn: None,
            tls: None,
        };
        talk.hears("220 mx\r\n");
        talk.says(hello).unwrap();
        let lines: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        talk.hears(&format!("250-mx\r\n{lines}250 HELP\r\n"));
        talk.said();
        talk
    }

    fn hears(&mut self, octets: &str) {
        let (mut grant, mut turn, mut tls, events) = (None, None, None, &mut self.events);
        mail_testkit::hear(&mut self.client, &mut self.input, &mut self.output, octets.as_bytes(), |event| {
            events.push(match event {
                Event::Reply(_, reply) => reply.code().to_string(),
                Event::BodyWanted(_, reply, leave) => {
                    grant = Some(leave);
                    reply.code().to_string()
                }
                Event::Challenge(challenge, leave) => {
                    turn = Some(leave);
                    format!("challenge {}", challenge.expose().escape_ascii())
                }
                Event::StartTls(leave) => {
                    tls = Some(leave);
                    "tls".into()
                }
                other => format!("{other:?}"),
            });
        });
        self.grant = grant.or(self.grant.take());
        self.turn = turn.or(self.turn.take());
        self.tls = tls.or(self.tls.take());
    }

    fn says(&mut self, line: &str) -> Result<(), Misuse> {
        self.client.send(&Command::parse(line.as_bytes()).unwrap(), &mut self.output).map(|_| ())
    }

    /// A chunk of one octet.
    fn chunk(&mut self, last: bool) -> Result<(), Misuse> {
        let (_, mut grant) = self.client.chunk(1, last, &mut self.output)?;
        self.client.body(&mut grant, &mut Bytes::from_static(b"x"), &mut self.output)?;
        self.client.end_body(grant, &mut self.output).map_err(Misuse::from)
    }

    /// What has gone out since the last look.
    fn said(&mut self) -> String {
        String::from_utf8(self.output.copy_to_bytes(self.output.remaining()).to_vec()).unwrap()
    }

    /// A mail up to its recipients, each of which the server answers with this code.
    fn mail(&mut self, codes: &[u16]) {
        self.says("MAIL FROM:<a@b>").unwrap();
        self.hears("250 ok\r\n");
        for code in codes {
            self.says("RCPT TO:<c@d>").unwrap();
            self.hears(&format!("{code} x\r\n"));
        }
    }
}

fn lmtp(config: &mut Config) {
    config.lmtp = true;
}

/// RFC 1870 §4: a mail that is declared larger than the server's limit will be refused, so it is not begun.
#[test]
fn a_mail_over_the_size_that_is_offered_is_not_begun() {
    let mut talk = Talk::new(|_| {}, &["SIZE 1000"]);
    assert_eq!(talk.says("MAIL FROM:<a@b> SIZE=1001"), Err(Misuse::TooLong(1000)));
    assert_eq!(talk.said(), "");
    assert_eq!(talk.says("MAIL FROM:<a@b> SIZE=1000"), Ok(()));
    for none in ["SIZE", "SIZE 0", "SIZE 99999999999999999999", "SIZE x"] {
        assert_eq!(Talk::new(|_| {}, &[none]).says("MAIL FROM:<a@b> SIZE=1001"), Ok(()), "{none}");
    }
}

/// RFC 5321 §4.1.4: a command that is refused changes nothing, so the transaction is still there; another MAIL would be nested.
#[test]
fn behind_a_refused_data_the_transaction_is_still_open() {
    let mut talk = Talk::new(|_| {}, &["PIPELINING"]);
    talk.mail(&[550]);
    talk.says("DATA").unwrap();
    talk.hears("554 no valid recipients\r\n");
    assert_eq!(talk.says("MAIL FROM:<a@b>"), Err(Misuse::NotInState));
    // Another recipient may be tried, and DATA again.
    talk.says("RCPT TO:<e@f>").unwrap();
    talk.says("DATA").unwrap();
    talk.hears("250 ok\r\n451 later\r\n");
    talk.says("RSET").unwrap();
    talk.says("MAIL FROM:<a@b>").unwrap();
}

/// RFC 3030 §2: a failed BDAT leaves a state that nobody knows; RSET comes before anything more.
#[test]
fn behind_a_failed_chunk_there_is_rset_first() {
    for last in [false, true] {
        let mut talk = Talk::new(|_| {}, &["PIPELINING", "CHUNKING"]);
        talk.mail(&[250]);
        talk.chunk(last).unwrap();
        talk.hears("452 full\r\n");
        for line in ["MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA"] {
            assert_eq!(talk.says(line), Err(Misuse::NotInState), "{line}");
        }
        assert_eq!(talk.chunk(true), Err(Misuse::NotInState));
        talk.says("RSET").unwrap();
        talk.says("MAIL FROM:<a@b>").unwrap();
    }
    // A mail that was sent behind it in the same group is another matter.
    let mut talk = Talk::new(|_| {}, &["PIPELINING", "CHUNKING"]);
    talk.mail(&[250]);
    talk.chunk(true).unwrap();
    talk.says("MAIL FROM:<a@b>").unwrap();
    talk.hears("452 full\r\n250 ok\r\n");
    talk.says("RCPT TO:<c@d>").unwrap();
}

/// RFC 5321 §4.1.4: an EHLO that is refused changes nothing.
#[test]
fn a_refused_ehlo_leaves_the_transaction() {
    let mut talk = Talk::new(|config| config.policy.helo_fallback = false, &[]);
    talk.mail(&[250]);
    talk.says("EHLO d").unwrap();
    talk.hears("550 no\r\n");
    assert_eq!(talk.says("MAIL FROM:<a@b>"), Err(Misuse::NotInState));
    talk.says("EHLO c").unwrap();
    talk.hears("250 mx\r\n");
    talk.says("MAIL FROM:<a@b>").unwrap();
}

/// RFC 2033 §4.3: BDAT LAST has as many replies as there are recipients, none if there are none. So their number must be known.
#[test]
fn in_lmtp_the_last_chunk_waits_until_its_replies_can_be_counted() {
    let mut talk = Talk::new(lmtp, &["PIPELINING", "CHUNKING"]);
    talk.mail(&[250]);
    talk.says("RCPT TO:<e@f>").unwrap();
    assert_eq!(talk.chunk(true), Err(Misuse::MustWait));
    talk.hears("250 ok\r\n");
    talk.chunk(false).unwrap();
    assert_eq!(talk.chunk(true), Err(Misuse::MustWait));
    talk.hears("250 ok\r\n");
    talk.chunk(true).unwrap();
    talk.hears("250 ok\r\n");
    assert_eq!(talk.says("MAIL FROM:<a@b>"), Err(Misuse::MustWait));
    talk.hears("452 full\r\n");
    talk.says("MAIL FROM:<a@b>").unwrap();
    // Nobody has been accepted: no reply would come.
    let mut talk = Talk::new(lmtp, &["PIPELINING", "CHUNKING"]);
    talk.mail(&[550]);
    assert_eq!(talk.chunk(true), Err(Misuse::NotInState));
}

/// RFC 4954 §4: the line of AUTH itself is no longer than any command; what does not fit waits for the first challenge.
#[test]
fn an_initial_response_that_does_not_fit_waits_for_the_challenge() {
    let auth = |size: usize| {
        let mut talk = Talk::new(|_| {}, &["AUTH XOAUTH2"]);
        let token = vec![b'a'; size];
        talk.client.auth(Mechanism::try_from("XOAUTH2").unwrap(), Some(&token), &mut talk.output).unwrap();
        talk
    };
    // `AUTH XOAUTH2 `, 496 octets of base64, CRLF.
    assert_eq!(auth(372).said().len(), 511);
    let mut talk = auth(373);
    assert_eq!(talk.said(), "AUTH XOAUTH2\r\n");
    talk.hears("334 \r\n");
    assert_eq!(talk.said().len(), 502);
    talk.hears("235 ok\r\n");
    assert_eq!(talk.events[2..], ["235"]);
    assert!(talk.client.is_authenticated());
    // Refused before it was asked for: it is forgotten.
    let mut talk = auth(373);
    talk.hears("504 no\r\n");
    talk.client.auth(Mechanism::try_from("XOAUTH2").unwrap(), None, &mut talk.output).unwrap();
    talk.said();
    talk.hears("334 \r\n");
    assert_eq!((talk.said().as_str(), talk.events.last().unwrap().as_str()), ("", "challenge "));
    // A server that speaks first does not know the mechanism as we do.
    let mut talk = auth(373);
    talk.said();
    talk.hears("334 aGVsbG8=\r\n");
    assert_eq!((talk.said().as_str(), talk.events.last().unwrap().as_str()), ("", "challenge hello"));
    assert!(talk.turn.is_some());
}

/// RFC 6531 §3.7.4.2: beyond ASCII there is the parameter.
#[test]
fn vrfy_beyond_ascii_goes_with_its_parameter() {
    use mail_smtp_proto::command::Vrfy;
    use mail_smtp_proto::types::CommandText;
    let mut talk = Talk::new(|_| {}, &["SMTPUTF8"]);
    let argument = CommandText::try_from("\u{e9}").unwrap();
    let bare = Command::Vrfy(Vrfy { argument, utf8: false });
    assert!(matches!(talk.client.send(&bare, &mut talk.output), Err(Misuse::Invalid(_))));
    let bare = Command::Expn(Vrfy { argument, utf8: false });
    assert!(matches!(talk.client.send(&bare, &mut talk.output), Err(Misuse::Invalid(_))));
    assert_eq!(talk.said(), "");
    let marked = Command::Vrfy(Vrfy { argument, utf8: true });
    assert!(talk.client.send(&marked, &mut talk.output).is_ok());
}

/// RFC 8689 §2: REQUIRETLS is for sessions under TLS.
#[test]
fn requiretls_is_not_asked_for_before_tls() {
    let mut talk = Talk::new(|_| {}, &["STARTTLS", "REQUIRETLS"]);
    assert!(matches!(talk.says("MAIL FROM:<a@b> REQUIRETLS"), Err(Misuse::Forbidden(_))));
    talk.says("STARTTLS").unwrap();
    talk.hears("220 go\r\n");
    let grant = talk.tls.take().unwrap();
    let input = core::mem::take(&mut talk.input);
    talk.said();
    let client = talk.client.start_tls(grant, input, &mut talk.output).unwrap().secured();
    let mut talk = Talk { client, input: Input::new(), ..talk };
    talk.says("EHLO c").unwrap();
    talk.hears("250-mx\r\n250 REQUIRETLS\r\n");
    talk.says("MAIL FROM:<a@b> REQUIRETLS").unwrap();
}

/// RFC 4468 §3.2: nothing of the next mail before the last BURL is answered.
#[test]
fn behind_the_last_burl_a_mail_waits() {
    let mut talk = Talk::new(|_| {}, &["PIPELINING", "BURL", "CHUNKING"]);
    talk.mail(&[250]);
    talk.says("BURL imap://x").unwrap();
    talk.chunk(true).unwrap();
    assert_eq!(talk.says("MAIL FROM:<a@b>"), Err(Misuse::MustWait));
    talk.hears("250 ok\r\n250 ok\r\n");
    talk.says("MAIL FROM:<a@b>").unwrap();
}

/// RFC 4468 §3.2: a BURL that fails takes the transaction with it.
#[test]
fn behind_a_failed_burl_there_is_no_transaction() {
    let mut talk = Talk::new(|_| {}, &["PIPELINING", "BURL"]);
    talk.mail(&[250]);
    talk.says("BURL imap://x").unwrap();
    talk.hears("554 no\r\n");
    assert_eq!(talk.says("BURL imap://x LAST"), Err(Misuse::NotInState));
    talk.says("MAIL FROM:<a@b>").unwrap();
}

/// RFC 2920 §3.1: a command of an extension ends a group, unless its standard says otherwise; that of ETRN does not.
#[test]
fn behind_etrn_nothing_is_sent_before_its_reply() {
    let mut talk = Talk::new(|_| {}, &["PIPELINING", "ETRN"]);
    talk.says("RSET").unwrap();
    talk.says("ETRN x").unwrap();
    assert_eq!(talk.says("RSET"), Err(Misuse::MustWait));
    talk.hears("250 ok\r\n250 ok\r\n");
    talk.says("RSET").unwrap();
}

/// RFC 3030 §3: a binary body goes by BDAT alone, so it is not begun where there is none.
#[test]
fn a_binary_mail_is_not_begun_without_chunking() {
    let mut talk = Talk::new(|_| {}, &["BINARYMIME"]);
    assert_eq!(talk.says("MAIL FROM:<a@b> BODY=BINARYMIME"), Err(Misuse::NotOffered("CHUNKING")));
    let mut talk = Talk::new(|_| {}, &["BINARYMIME", "CHUNKING"]);
    talk.says("MAIL FROM:<a@b> BODY=BINARYMIME").unwrap();
}

/// The session behind XCLIENT begins again with EHLO.
#[test]
fn behind_xclient_the_server_is_asked_anew() {
    let mut talk = Talk::new(|_| {}, &["XCLIENT ADDR", "SIZE"]);
    talk.says("XCLIENT ADDR=192.0.2.1").unwrap();
    talk.hears("220 mx\r\n");
    assert!(talk.client.hello().is_none() && !talk.client.offers(Extension::Size));
    assert_eq!(talk.says("MAIL FROM:<a@b>"), Err(Misuse::NotInState));
    talk.says("EHLO c").unwrap();
    // A refusal leaves all as it was.
    let mut talk = Talk::new(|config| config.policy.tls = Tls::Off, &["XCLIENT ADDR", "SIZE"]);
    talk.says("XCLIENT ADDR=192.0.2.1").unwrap();
    talk.hears("550 no\r\n");
    assert!(talk.client.offers(Extension::Size));
}
