//! What a server puts on its lines besides what the application says: the stamp, codes, and nothing beyond ASCII for a client that reads ASCII.

use bytes::Buf;
use mail_pop3_proto::client::{self, Client};
use mail_pop3_proto::server::{Answer, Config, Event, Language, Maildrop, Offer, Server, Stamp};
use mail_pop3_proto::types::{Code, LanguageTag, ReplyText, UniqueId};
use mail_pop3_proto::{Allow, Invalid, Reply, Rule, Tls};
use mail_wire::{Framed, Handover, Input, Machine, Misuse, Output};

const STAMP: &str = "<1896.697170952@dbc.mtview.ca.us>";

struct Session {
    server: Server,
    input: Input,
    output: Output,
}

impl Session {
    /// Before the greeting.
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut offer = Offer::default();
        for line in ["SASL PLAIN", "UTF8", "LANG"] {
            offer.capabilities.add(line.as_bytes()).unwrap();
        }
        for (tag, name) in [("en", "English"), ("de-AT", "Österreichisch")] {
            let tag = LanguageTag::try_from(tag).unwrap();
            offer.languages.push(Language::new(tag, ReplyText::try_from(name).unwrap()));
        }
        let mut config = Config { offer: offer.into(), ..Config::default() };
        config.policy.apop = Allow::Allow;
        config.policy.plaintext_auth = Allow::Allow;
        config.stamp = Some(Stamp::try_from(STAMP).unwrap());
        change(&mut config);
        Self { server: Server::new(config), input: Input::new(), output: Output::new() }
    }

    fn secure(self) -> Self {
        Self { server: Handover::implicit(self.server).secured(), ..self }
    }

    /// The one event of a line, and the answer that is owed.
    fn owed(&mut self, line: &str) -> Answer {
        self.input.feed(line.as_bytes());
        let Framed::Ready(unit) = self.server.frame(&mut self.input, &mut self.output).unwrap() else {
            panic!("no event of {line:?}")
        };
        match self.server.decode(unit, &mut self.input).unwrap() {
            Event::Connected(answer) | Event::Command(_, answer) | Event::Malformed(_, answer) => answer,
            event => panic!("{event:?}"),
        }
    }

    /// What is said to a line where the application says this.
    fn say(&mut self, line: &str, reply: &Reply<'_>) -> String {
        let answer = self.owed(line);
        self.server.answer(answer, reply, &mut self.output).unwrap();
        self.written()
    }

    /// What the machine says by itself.
    fn alone(&mut self, line: &str) -> String {
        self.input.feed(line.as_bytes());
        let Framed::Ready(unit) = self.server.frame(&mut self.input, &mut self.output).unwrap() else {
            panic!("no event of {line:?}")
        };
        drop(self.server.decode(unit, &mut self.input).unwrap());
        assert!(matches!(self.server.frame(&mut self.input, &mut self.output), Ok(Framed::NeedInput)));
        self.written()
    }

    fn written(&mut self) -> String {
        let octets = self.output.copy_to_bytes(self.output.remaining()).to_vec();
        assert!(octets.len() <= 512 && octets.ends_with(b"\r\n"));
        String::from_utf8(octets).unwrap()
    }
}

fn text(text: &str) -> ReplyText<'_> {
    ReplyText::try_from(text).unwrap()
}

fn ok(words: &str) -> Reply<'_> {
    Reply::ok(text(words))
}

/// The stamp says that APOP would be taken (RFC 1939 §7), so it is given where it would be, and nowhere else.
#[test]
fn a_stamp_is_given_where_apop_would_be_taken() {
    let apop = "APOP u c4c9334bac560ecc979e58001b3e22fb\r\n";
    for (allow, tls, secure, given) in [
        (Allow::Allow, Tls::Opportunistic, false, true),
        (Allow::Allow, Tls::Opportunistic, true, true),
        (Allow::Allow, Tls::Required, true, true),
        (Allow::Allow, Tls::Required, false, false),
        (Allow::Refuse, Tls::Opportunistic, false, false),
        (Allow::Refuse, Tls::Opportunistic, true, false),
    ] {
        let session = Session::new(|config| {
            config.policy.apop = allow;
            config.policy.tls = tls;
        });
        let mut session = if secure { session.secure() } else { session };
        let said = session.say("", &ok("ready"));
        assert_eq!(said, if given { format!("+OK ready {STAMP}\r\n") } else { "+OK ready\r\n".into() });
        assert_eq!(session.server.stamp().is_some(), given);
        if given {
            let answer = session.owed(apop);
            session.server.accept(answer, Maildrop::new(), &ok(""), &mut session.output).unwrap();
        } else {
            assert!(session.alone(apop).starts_with("-ERR"));
        }
    }
}

/// The client finds the stamp behind the first `<` (RFC 2449 §3), in a line of 512 octets (RFC 2449 §4).
#[test]
fn no_text_of_a_greeting_hides_the_stamp() {
    let long = "y".repeat(400);
    for (words, shown) in
        [("mail <host> ready", false), ("<a@b>", false), ("a > b", true), ("", false), (&long[..], true)]
    {
        let words = text(words);
        let mut session = Session::new(|_| {});
        let said = session.say("", &Reply::ok(words));
        assert_eq!(said.contains(words.as_str()) && !words.as_str().is_empty(), shown, "{said}");
        let mut client = Client::new(client::Config::default());
        let (mut input, mut output) = (Input::new(), Output::new());
        input.feed(said.as_bytes());
        let Ok(Framed::Ready(unit)) = client.frame(&mut input, &mut output) else { panic!("{said}") };
        drop(client.decode(unit, &mut input).unwrap());
        assert_eq!(client.stamp().map(|stamp| stamp.octets()), Some(STAMP.as_bytes()));
    }
    // A stamp that leaves no room for the text stands alone.
    let stamp = format!("<{}@x>", "1".repeat(300));
    let mut session = Session::new(|config| config.stamp = Some(Stamp::try_from(stamp.as_str()).unwrap()));
    assert_eq!(session.say("", &ok(&long)), format!("+OK {stamp}\r\n"));
    // The longest that there is leaves room for the longest code; a longer one is none.
    let long_stamp = |octets: usize| Stamp::try_from(&*format!("<{}@x>", "1".repeat(octets - 4)));
    let code = Code::try_from(&[b'X'; Code::MAX][..]).unwrap();
    let mut session = Session::new(|config| config.stamp = Some(long_stamp(Stamp::MAX).unwrap()));
    let len = "+OK [] \r\n".len() + Code::MAX + Stamp::MAX;
    assert_eq!(session.say("", &ok(&long).with(code)).len(), len);
    assert_eq!(long_stamp(Stamp::MAX + 1), Err(Invalid(Rule::TooLong)));
    // The longest code, the longest text and a stamp fill the line to its last octet.
    for (octets, len) in [(42, 512), (43, 512 - 401 + 1)] {
        let stamp = format!("<{}@x>", "1".repeat(octets - 4));
        let mut session = Session::new(|config| config.stamp = Some(Stamp::try_from(&*stamp).unwrap()));
        assert_eq!(session.say("", &ok(&long).with(code)).len(), len);
    }
}

/// Codes stand in a greeting too (RFC 2449 §3), where RESP-CODES is offered.
#[test]
fn a_greeting_may_carry_a_code() {
    let code = Code::try_from(&b"X-NODE/3"[..]).unwrap();
    let mut session = Session::new(|_| {});
    assert_eq!(session.say("", &ok("ready").with(code)), format!("+OK [X-NODE/3] ready {STAMP}\r\n"));
    let mut without = Session::new(|config| {
        config.offer =
            Offer { capabilities: mail_pop3_proto::ext::capa::Capabilities::new(), languages: Vec::new() }
                .into()
    });
    assert_eq!(without.say("", &ok("ready").with(code)), format!("+OK ready {STAMP}\r\n"));
}

/// Before UTF8 and LANG a client reads ASCII (RFC 6856 §2.1 and §3.2); the status and the code say the rest.
#[test]
fn text_beyond_ascii_waits_for_utf8_or_lang() {
    let said = |session: &mut Session| {
        let reply = Reply::err(text("größer")).with(Code::SysTemp);
        session.say("USER u\r\n", &reply)
    };
    let mut session = Session::new(|_| {});
    assert_eq!(session.say("", &ok("grüß Gott")), format!("+OK {STAMP}\r\n"));
    assert_eq!(said(&mut session), "-ERR [SYS/TEMP]\r\n");
    // A refused LANG changes nothing.
    assert_eq!(session.say("LANG fr\r\n", &Reply::err(text("désolé"))), "-ERR\r\n");
    assert_eq!(said(&mut session), "-ERR [SYS/TEMP]\r\n");
    assert_eq!(session.say("LANG de\r\n", &ok("de-AT grüß Gott")), "+OK de-AT grüß Gott\r\n");
    assert_eq!(said(&mut session), "-ERR [SYS/TEMP] größer\r\n");
    let mut session = Session::new(|_| {});
    session.say("", &ok(""));
    assert_eq!(session.alone("UTF8\r\n"), "+OK UTF-8\r\n");
    assert_eq!(said(&mut session), "-ERR [SYS/TEMP] größer\r\n");
    // What was asked for in the clear is void under TLS (RFC 2595 §4).
    let mut session = Session::new(|_| {});
    session.say("", &ok(""));
    session.say("LANG de\r\n", &ok("de-AT"));
    session.input.feed(b"STLS\r\n");
    let Framed::Ready(unit) = session.server.frame(&mut session.input, &mut session.output).unwrap() else {
        panic!()
    };
    let Ok(Event::StartTls(offer)) = session.server.decode(unit, &mut session.input) else { panic!() };
    let server = session.server.start_tls(offer, session.input, &mut session.output).unwrap().secured();
    let mut session = Session { server, input: Input::new(), output: Output::new() };
    assert_eq!(said(&mut session), "-ERR [SYS/TEMP]\r\n");
}

/// A client reads the first word of a positive answer to LANG as the language (RFC 6856 §3.2).
#[test]
fn an_answer_to_lang_names_its_language() {
    let mut session = Session::new(|_| {});
    session.say("", &ok(""));
    for words in ["", "done", "fr oui", "english", "en-US x", " en", "en\u{a0}x"] {
        let answer = session.owed("LANG en\r\n");
        let returned = session.server.answer(answer, &ok(words), &mut session.output).unwrap_err();
        assert!(matches!(returned.why, Misuse::Invalid(_)), "{words:?}");
        assert!(session.output.is_empty());
        // The token came back, and is good.
        session.server.refuse(returned.token, &mut session.output).unwrap();
        assert_eq!(session.written(), "-ERR refused\r\n");
    }
    for words in ["en", "EN English it is", "de-at ja"] {
        assert_eq!(session.say("LANG *\r\n", &ok(words)), format!("+OK {words}\r\n"));
    }
    // A server may have languages that it does not list.
    let mut session = Session::new(|config| {
        let capabilities = config.offer.capabilities.clone();
        config.offer = Offer { capabilities, languages: Vec::new() }.into();
    });
    session.say("", &ok(""));
    assert_eq!(session.say("LANG *\r\n", &ok("fr oui")), "+OK fr oui\r\n");
    let answer = session.owed("LANG *\r\n");
    assert!(session.server.answer(answer, &ok("languages-are-many"), &mut session.output).is_err());
}

/// A unique-id on the wire has 70 octets at the most (RFC 1939 §7), wherever it was taken from.
#[test]
fn a_maildrop_takes_no_unique_id_that_may_not_be_sent() {
    let long = [b'y'; 71];
    let id = UniqueId::of_server(&long).unwrap();
    let mut maildrop = Maildrop::new();
    assert_eq!(maildrop.push(5, id), Err(Invalid(Rule::UniqueId)));
    assert!(maildrop.is_empty());
    assert!(maildrop.push(5, UniqueId::try_from(&long[..70]).unwrap()).is_ok());
}
