//! Laws of the grammar and the encoders, over random values.

use bytes::{Buf, Bytes};
use mail_smtp_proto::command::{Auth, Bdat, Burl, Initial, Vrfy};
use mail_smtp_proto::ext::{BodyType, Notify, Orcpt, Params, ParamsBuf, Priority, Ret};
use mail_smtp_proto::parse::{self, Fixes};
use mail_smtp_proto::server::{Config, Event, Server};
use mail_smtp_proto::types::{
    AddressType, Code, CommandText, Domain, EhloName, EnhancedCode, EsmtpKeyword, EsmtpValue, ForwardPath,
    Mailbox, Mechanism, ReplyText, ReversePath, Xtext,
};
use mail_smtp_proto::{Command, EhloReply, Mail, Rcpt, ReplyBuf, Verb, client, encode};
use mail_wire::dot::BodyEol;
use mail_wire::{Framed, Input, Machine, Output, Secret, Tape};
use proptest::prelude::*;

fn drained(output: &mut Output) -> Vec<u8> {
    output.copy_to_bytes(output.remaining()).to_vec()
}

fn line(command: &Command<'_>) -> Vec<u8> {
    let mut output = Output::new();
    encode::command(command, &mut output);
    drained(&mut output)
}

/// Octets that steer a line, among others.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let steering = prop::sample::select(b"\r\n\0 <>@\".,:;=+\\[]abAB01_-\xc3\xa9\xff\t".to_vec());
    prop::collection::vec(steering, 0..24)
}

/// One line, and no line end inside.
fn is_one_line(wire: &[u8]) -> bool {
    wire.ends_with(b"\r\n") && !wire[..wire.len() - 2].iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0))
}

/// Every command that can be made of these octets.
fn commands<'a>(octets: &'a [u8], params: Params<'a>, number: u64) -> Vec<Command<'a>> {
    let mut all = vec![Command::Data, Command::Rset, Command::Quit, Command::StartTls];
    all.push(Command::Bdat(Bdat { octets: number, last: number % 2 == 0 }));
    if let Ok(name) = EhloName::new(octets) {
        all.extend([Command::Ehlo(name), Command::Helo(name), Command::Lhlo(name)]);
    }
    for mailbox in [Mailbox::new(octets), Mailbox::utf8(octets)].into_iter().flatten() {
        all.extend(Mail::new(ReversePath::Mailbox(mailbox), params).map(Command::Mail));
        all.push(Command::Rcpt(Rcpt::new(ForwardPath::Mailbox(mailbox), Params::NONE)));
    }
    all.extend(Mail::new(ReversePath::Null, params).map(Command::Mail));
    if let Ok(text) = CommandText::new(octets) {
        all.extend([Command::Noop(Some(text)), Command::Help(Some(text)), Command::Etrn(text)]);
        all.push(Command::Vrfy(Vrfy { argument: text, utf8: true }));
        if !octets.contains(&b' ') && octets.is_ascii() {
            all.push(Command::Burl(Burl { url: text, last: true }));
        }
    }
    if let (Ok(verb), Ok(text)) = (EsmtpKeyword::new(octets), CommandText::new(octets)) {
        if Verb::of(octets).is_none() {
            all.push(Command::Unknown { verb, text: Some(text) });
        }
    }
    if let Ok(mechanism) = Mechanism::new(octets) {
        all.push(Command::Auth(Auth { mechanism, initial: Initial::Empty }));
        let initial = Initial::Base64(Secret::new(&b"AGEAYg=="[..]));
        all.push(Command::Auth(Auth { mechanism, initial }));
    }
    all
}

proptest! {
    /// Whatever makes a value makes one line, which reads as the same command, by the strict grammar.
    #[test]
    fn what_is_encoded_is_one_line_and_reads_back(octets in octets(), number in any::<u64>(), utf8 in any::<bool>()) {
        let buf = ParamsBuf::new().size(number).unwrap().body(BodyType::EightBitMime).unwrap();
        let buf = if utf8 { buf.utf8().unwrap() } else { buf };
        for command in commands(&octets, buf.for_mail().unwrap(), number) {
            let wire = line(&command);
            prop_assert!(is_one_line(&wire), "{wire:?}");
            let text = &wire[..wire.len() - 2];
            let again = parse::command(text, &Fixes::none());
            prop_assert!(again.is_ok(), "{command:?}: {again:?}");
            if let Ok(again) = again {
                prop_assert!(line(&again) == wire, "{wire:?}");
                prop_assert_eq!(again.verb(), command.verb());
            }
            prop_assert_eq!(command.to_buf().get().verb(), command.verb());
        }
    }

    /// No octets make the parser panic; what it takes strictly is canonical after one turn.
    #[test]
    fn what_is_read_is_written_the_same_twice(
        verb in prop::sample::select(vec!["MAIL FROM:<", "RCPT TO:<", "RCPT TO:<a@b> ORCPT=", "MAIL FROM:<> AUTH=", "EHLO ", "AUTH ", "BDAT ", "VRFY "]),
        octets in octets(),
        close in any::<bool>(),
    ) {
        let mut text = [verb.as_bytes(), &octets].concat();
        if close {
            text.push(b'>');
        }
        let mut repairs = mail_smtp_proto::Grammar::tolerant().repairs;
        for fixes in [Fixes::none(), Fixes::counted(&mut repairs)] {
            match parse::command(&text, &fixes) {
                Ok(command) => {
                    let wire = line(&command);
                    prop_assert!(is_one_line(&wire), "{wire:?}");
                    let again = parse::command(&wire[..wire.len() - 2], &Fixes::none());
                    if let Ok(again) = again {
                        prop_assert!(line(&again) == wire, "{wire:?}");
                    }
                }
                Err(invalid) => prop_assert!(invalid.at <= text.len()),
            }
        }
    }

    #[test]
    fn a_mailbox_is_its_parts(octets in octets()) {
        if let Ok(mailbox) = Mailbox::utf8(&octets) {
            let whole = [mailbox.raw_local(), b"@", mailbox.domain().as_bytes()].concat();
            prop_assert_eq!(whole, octets.clone());
            prop_assert!(Domain::utf8(mailbox.domain().as_bytes()).is_ok());
            prop_assert!(mailbox.raw_local().len() <= 64);
        }
    }

    #[test]
    fn xtext_comes_back(octets in prop::collection::vec(any::<u8>(), 0..40)) {
        match Xtext::encode(&octets) {
            Ok(text) => prop_assert_eq!(Xtext::new(&text).unwrap().decode().into_owned(), octets.clone()),
            Err(_) => prop_assert!(octets.iter().any(u8::is_ascii_control)),
        }
        if let Ok(xtext) = Xtext::new(&octets) {
            prop_assert!(!xtext.decode().iter().any(u8::is_ascii_control));
        }
    }

    #[test]
    fn parameters_come_back(
        size in any::<u64>(), priority in -9_i8..=9, envid in "[a-zA-Z0-9.]{1,50}", address in "[a-z]{1,9}@[a-z]{1,9}",
        (success, failure, delay) in any::<(bool, bool, bool)>(), keyword in "X[A-Z0-9-]{1,9}", value in "[!-<>-~]{1,20}",
    ) {
        let mail = ParamsBuf::new().size(size).unwrap().ret(Ret::Headers).unwrap()
            .priority(Priority::new(priority).unwrap()).unwrap()
            .envid(Xtext::try_from(&*envid).unwrap()).unwrap()
            .other(EsmtpKeyword::try_from(&*keyword).unwrap(), Some(EsmtpValue::try_from(&*value).unwrap())).unwrap();
        let mail = mail.for_mail().unwrap();
        prop_assert_eq!((mail.size(), mail.ret(), mail.priority().unwrap().get()), (Some(size), Some(Ret::Headers), priority));
        prop_assert_eq!(mail.envid().unwrap().as_str(), envid);
        prop_assert_eq!(mail.get(&keyword.to_lowercase()).flatten().unwrap().as_str(), value);
        prop_assert_eq!((mail.len(), mail.unknown()), (5, 1));
        let notify = Notify::on(success, failure, delay);
        let orcpt = Orcpt::new(AddressType::RFC822, Xtext::try_from(&*address).unwrap());
        let rcpt = ParamsBuf::new().notify(notify).unwrap().orcpt(orcpt).unwrap();
        let rcpt = rcpt.for_rcpt().unwrap();
        prop_assert_eq!((rcpt.notify(), rcpt.orcpt()), (Some(notify), Some(orcpt)));
    }

    /// A reply of any lines reads as it was written, with its enhanced code on every line.
    #[test]
    fn a_reply_comes_back(code in 200_u16..600, lines in prop::collection::vec("[ -~]{0,40}", 1..5), enhanced in any::<bool>()) {
        let code = Code::new(code).unwrap();
        let mut texts = lines.iter().map(|text| ReplyText::try_from(&**text).unwrap());
        let mut reply = ReplyBuf::new(code, texts.next().unwrap());
        for text in texts {
            reply = reply.with_line(text);
        }
        if let Ok(class) = EnhancedCode::new(code.class(), 7, 509) {
            reply = reply.with_enhanced(class);
        }
        let mut output = Output::new();
        encode::reply(&reply, enhanced, &mut output);
        let wire = drained(&mut output);
        let mut tape = Tape::new();
        let mut repairs = mail_smtp_proto::Grammar::tolerant().repairs;
        let read = parse::reply(&wire, &mut tape, &Fixes::counted(&mut repairs)).unwrap();
        prop_assert_eq!((read.code(), read.len()), (code, lines.len()));
        if enhanced && reply.enhanced().is_some() {
            prop_assert_eq!(read.enhanced(), reply.enhanced());
            prop_assert!(read.lines().eq(lines.iter().map(|text| text.as_bytes())));
            prop_assert_eq!(&read.to_buf(), &reply);
        }
        let kept = read.into_owned();
        prop_assert_eq!(kept.get().octets(), &wire[..]);
    }

    /// What our client sends, our server gets, and every reader that takes CRLF.CRLF for the end sees one message.
    #[test]
    fn a_body_passes_from_machine_to_machine(parts in prop::collection::vec(0_usize..6, 0..30), cut in 1_usize..40) {
        const PARTS: [&[u8]; 6] = [b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"a", b"text of some length"];
        let body: Vec<u8> = parts.iter().flat_map(|part| PARTS[*part].to_vec()).collect();
        let wire = written(&body, cut);
        prop_assert_eq!(wire.windows(5).filter(|window| window == b"\r\n.\r\n").count() + usize::from(wire.starts_with(b".\r\n")), 1);
        let mut expected = body.clone();
        if !expected.is_empty() && !expected.ends_with(b"\r\n") {
            expected.extend_from_slice(b"\r\n");
        }
        prop_assert_eq!(received(&wire, cut), expected);
    }
}

/// The octets of a body on the wire, as the client machine writes them.
fn written(body: &[u8], cut: usize) -> Vec<u8> {
    let mut config = client::Config::default();
    config.policy.body_eol = BodyEol::Reject;
    let (mut client, mut input, mut output) = (client::Client::new(config), Input::new(), Output::new());
    let steps = [
        ("220 mx\r\n", "EHLO c"),
        ("250 mx\r\n", "MAIL FROM:<a@b>"),
        ("250 ok\r\n", "RCPT TO:<c@d>"),
        ("250 ok\r\n", "DATA"),
    ];
    for (reply, command) in steps {
        input.feed(reply.as_bytes());
        while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
            drop(client.decode(unit, &mut input).unwrap());
        }
        client.send(&Command::parse(command.as_bytes()).unwrap(), &mut output).unwrap();
    }
    drained(&mut output);
    input.feed(b"354 go\r\n");
    let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() else { panic!() };
    let client::Event::BodyWanted(_, _, mut grant) = client.decode(unit, &mut input).unwrap() else {
        panic!()
    };
    for piece in body.chunks(cut) {
        client.body(&mut grant, &mut Bytes::copy_from_slice(piece), &mut output).unwrap();
    }
    client.end_body(grant, &mut output).unwrap();
    drained(&mut output)
}

/// The octets that the server machine gives for a body on the wire.
fn received(wire: &[u8], cut: usize) -> Vec<u8> {
    let mut config = Config::default();
    config.policy.sync = mail_smtp_proto::policy::Sync::Loose;
    let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
    let octets = [b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", wire].concat();
    let (mut pieces, mut body) = (octets.chunks(cut), Vec::new());
    let reply = |code| ReplyBuf::line(code, "ok").unwrap();
    loop {
        match server.frame(&mut input, &mut output).unwrap() {
            Framed::Ready(unit) => match server.decode(unit, &mut input).unwrap() {
                Event::Connected(answer) => server.answer(answer, &reply(220), &mut output).unwrap(),
                Event::Command(_, answer) => server.answer(answer, &reply(250), &mut output).unwrap(),
                Event::Body(offer) => server.accept_body(offer, &mut output).unwrap(),
                Event::Chunk(octets) => body.extend_from_slice(octets),
                Event::BodyEnd(_) => return body,
                Event::Answered(_) => {}
                other => panic!("{other:?}"),
            },
            _ => {
                input.feed(pieces.next().expect("the end is among the octets"));
            }
        }
    }
}

/// Two forms of an EHLO reply name the same.
#[test]
fn an_ehlo_reply_keeps_what_is_unknown() {
    let wire = b"250-mx.example hello\r\n250-SIZE 1000\r\n250-X-FOO a  b\r\n250-AUTH PLAIN plain LOGIN\r\n250 LIMITS RCPTMAX=20\r\n";
    let mut tape = Tape::new();
    let reply = parse::reply(wire, &mut tape, &Fixes::none()).unwrap();
    let ehlo = EhloReply::read(reply);
    assert_eq!((ehlo.name(), ehlo.size()), (&b"mx.example"[..], Some(1000)));
    let mechanisms: Vec<_> = ehlo.mechanisms().map(|mechanism| mechanism.as_str()).collect();
    assert_eq!(mechanisms, ["PLAIN", "LOGIN"]);
    assert_eq!(ehlo.limit("rcptmax"), Some(&b"20"[..]));
    let unknown = ehlo.extensions().find(|line| line.extension().is_none()).unwrap();
    assert_eq!((unknown.keyword().as_str(), unknown.text().as_str()), ("X-FOO", "a  b"));
}
