//! No secret in any Debug, Display or error, nor among the octets that are public, on either side: raw, in base64 or in hexadecimal.

use bytes::Buf;
use mail_pop3_proto::server::{Config, Event, Maildrop, Offer, Server, Stamp};
use mail_pop3_proto::types::{Digest, InitialResponse, Mechanism, Password, ReplyText, UserName};
use mail_pop3_proto::{Allow, Command, Reply, client};
use mail_wire::{Class, Framed, Handover, Input, Machine, Output, base64};
use proptest::prelude::*;

/// The forms in which a secret could show.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    let list = format!("{secret:?}");
    vec![
        secret.to_vec(),
        base64::encode(secret).expose().to_vec(),
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
        list.trim_matches(['[', ']']).as_bytes().to_vec(),
    ]
}

fn holds(octets: &[u8], secret: &[u8]) -> bool {
    forms(secret).iter().any(|form| octets.windows(form.len()).any(|window| window == form))
}

/// What a tap may see of what is queued.
fn public(output: &Output) -> Vec<u8> {
    output
        .runs()
        .filter(|(class, _)| *class == Class::Public)
        .flat_map(|(_, octets)| octets.to_vec())
        .collect()
}

fn server() -> Server {
    let mut offer = Offer::default();
    offer.capabilities.add(b"SASL PLAIN EXTERNAL").unwrap();
    let mut config =
        Config { offer: offer.into(), stamp: Some(Stamp::try_from("<1@x>").unwrap()), ..Config::default() };
    config.policy.apop = Allow::Allow;
    config.limits.bad_commands = 1000;
    config.limits.logins = 1000;
    Handover::implicit(Server::new(config)).secured()
}

/// All that a server shows of these octets: events and machine in words, and the octets of each unit that no mask covers.
fn shown(octets: &[u8]) -> Vec<u8> {
    let (mut server, mut input, mut output) = (server(), Input::new(), Output::new());
    input.feed(octets);
    let (mut shown, mut start) = (Vec::new(), 0);
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        let whole = input.peek().to_vec();
        let event = server.decode(unit, &mut input).unwrap();
        shown.extend(format!("{event:?}").bytes());
        let mut answer_with = None;
        match event {
            Event::Connected(answer) => {
                server.answer(answer, &Reply::ok(ReplyText::EMPTY), &mut output).unwrap()
            }
            Event::Command(Command::User(_), answer) => {
                server.answer(answer, &Reply::ok(ReplyText::EMPTY), &mut output).unwrap();
            }
            Event::Command(_, answer) | Event::Malformed(_, answer) => {
                server.refuse(answer, &mut output).unwrap()
            }
            Event::Auth { turn, initial: None, .. } => answer_with = Some(turn),
            Event::Auth { turn, .. } | Event::AuthResponse(_, turn) => {
                server.refuse_auth(turn, &Reply::err(ReplyText::EMPTY), &mut output).unwrap();
            }
            _ => {}
        }
        if let Some(turn) = answer_with {
            server.challenge(turn, b"", &mut output).unwrap();
        }
        let mut at = 0;
        for mask in server.masks() {
            shown.extend_from_slice(&whole[at..mask.span.start()]);
            at = mask.span.end();
        }
        shown.extend_from_slice(&whole[at..]);
        start += whole.len();
    }
    assert_eq!(start, octets.len());
    shown.extend(format!("{server:?} {input:?} {output:?}").bytes());
    shown.extend(output.copy_to_bytes(output.remaining()));
    shown
}

proptest! {
    #[test]
    fn a_server_shows_no_secret(secret in "[a-zA-Z0-9]{12,24}", junk in 0_usize..6) {
        let text = secret.as_bytes();
        let coded = String::from_utf8(base64::encode(text).expose().to_vec()).unwrap();
        let junk = ["PASS", "pass", "PASSx", " PASS", "PAS", "PASS\t"][junk];
        for line in [
            format!("USER u\r\nPASS {secret}\r\n"),
            format!("USER u\r\nPASS  {secret} {secret}\r\n"),
            format!("PASS {secret}\r\n"),
            format!("USER u\r\n{junk} {secret}\r\n"),
            format!("USER u\r\nPASS {secret}\0\r\n"),
            format!("{secret}\r\n"),
            format!("{coded}\r\n"),
            format!("AUTH PLAIN {coded}\r\n"),
            format!("AUTH PLAIN {coded} x\r\n"),
            format!("AUTH PLAIN {coded}!\r\n"),
            format!("AUTH GSSAPI {coded}\r\n"),
            format!("AUTH EXTERNAL\r\n{coded}\r\n"),
            format!("AUTH EXTERNAL\r\n{secret}!\r\n"),
            format!("APOP u {secret}\r\n"),
            format!("APOP {secret}\r\n"),
        ] {
            let shown = shown(line.as_bytes());
            prop_assert!(!holds(&shown, text), "{line}: {}", String::from_utf8_lossy(&shown));
        }
        let digest = format!("{:032x}", u128::from_le_bytes(text[..12].iter().chain(&[7; 4]).copied().collect::<Vec<_>>().try_into().unwrap()));
        let shown = shown(format!("APOP u {digest}\r\n").as_bytes());
        prop_assert!(!holds(&shown, digest.as_bytes()));
    }

    #[test]
    fn a_client_shows_no_secret(secret in "[a-zA-Z0-9]{12,24}") {
        let octets = secret.as_bytes();
        let mut config = client::Config::default();
        config.policy.apop = Allow::Allow;
        let mut client = Handover::implicit(client::Client::new(config)).secured();
        let (mut input, mut output) = (Input::new(), Output::new());
        let coded = base64::encode(octets);
        let challenge = [b"+ ", coded.expose().as_slice(), b"\r\n"].concat();
        let commands = [
            Command::User(UserName::try_from("u").unwrap()),
            Command::Pass(Password::try_from(&*secret).unwrap()),
            Command::Apop { name: UserName::try_from("u").unwrap(), digest: Digest::new(octets[..12].iter().chain(&[1; 4]).copied().collect::<Vec<_>>().try_into().unwrap()) },
            Command::Auth { mechanism: Mechanism::PLAIN, initial: Some(InitialResponse::new(octets)) },
        ];
        let mut shown = Vec::new();
        for (index, answer) in [&b"+OK <1@x>\r\n"[..], b"+OK\r\n", b"-ERR\r\n", b"-ERR\r\n", &challenge].iter().enumerate() {
            input.feed(answer);
            while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
                let whole = input.peek().to_vec();
                let event = client.decode(unit, &mut input).unwrap();
                shown.extend(format!("{event:?}").bytes());
                if let client::Event::Challenge(_, turn) = event {
                    client.respond(turn, octets, &mut output).unwrap();
                }
                let masks = client.masks();
                prop_assert!(index < 4 || masks.len() == 1);
                let cut = masks.first().map_or(whole.len(), |mask| mask.span.start());
                shown.extend_from_slice(&whole[..cut]);
            }
            if let Some(command) = commands.get(index) {
                shown.extend(format!("{command:?}").bytes());
                client.send(command, &mut output).unwrap();
            }
        }
        shown.extend(format!("{client:?} {input:?} {output:?}").bytes());
        shown.extend(public(&output));
        prop_assert!(!holds(&shown, octets), "{}", String::from_utf8_lossy(&shown));
        prop_assert!(!holds(&shown, &octets[..12]));
    }
}

/// Nothing of it stays in the memory that the next read goes to, whatever became of the line.
#[test]
fn what_was_read_is_overwritten_where_it_may_be_secret() {
    let left = |input: &mut Input| {
        assert!(input.pending().is_empty());
        let room = input.spare_mut();
        assert!(!room.is_empty());
        ["wonder", "d29uZGVy"]
            .iter()
            .any(|secret| room.windows(secret.len()).any(|octets| octets == secret.as_bytes()))
    };
    for lines in ["USER u\r\nPASS wonder\r\n", "PASS wonder\r\n", "wonder\r\n", "AUTH PLAIN d29uZGVy\r\n"] {
        let (mut server, mut input, mut output) = (server(), Input::new(), Output::new());
        input.feed(lines.as_bytes());
        while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
            match server.decode(unit, &mut input).unwrap() {
                Event::Command(Command::Pass(_), answer) | Event::Malformed(_, answer) => {
                    server.refuse(answer, &mut output).unwrap();
                }
                Event::Connected(answer) | Event::Command(_, answer) => {
                    server.answer(answer, &Reply::ok(ReplyText::EMPTY), &mut output).unwrap();
                }
                Event::Auth { turn, .. } => {
                    server.refuse_auth(turn, &Reply::err(ReplyText::EMPTY), &mut output).unwrap();
                }
                _ => {}
            }
        }
        assert!(!left(&mut input), "{lines}");
    }
    let mut client = Handover::implicit(client::Client::new(client::Config::default())).secured();
    let (mut input, mut output) = (Input::new(), Output::new());
    for line in ["+OK\r\n", "+ d29uZGVy\r\n"] {
        input.feed(line.as_bytes());
        let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() else { panic!() };
        match client.decode(unit, &mut input).unwrap() {
            client::Event::Challenge(_, turn) => client.respond(turn, b"", &mut output).unwrap(),
            _ => {
                let auth = Command::Auth { mechanism: Mechanism::PLAIN, initial: None };
                client.send(&auth, &mut output).unwrap();
            }
        }
    }
    assert!(matches!(client.frame(&mut input, &mut output), Ok(Framed::NeedInput)));
    assert!(!left(&mut input));
}

/// What is shown of a server whose maildrop is open is no secret, and is not empty.
#[test]
fn what_is_no_secret_is_shown() {
    let shown = shown(b"CAPA\r\nUSER me\r\n");
    assert!(holds(&shown, b"USER me") && holds(&shown, b"CAPA"));
    // A machine says where it stands.
    assert!(holds(&shown, b"phase: Authorization"));
    let client = client::Client::new(client::Config::default());
    assert!(format!("{client:?}").starts_with("Client { place: Greeting, in_flight: 0"));
    assert_eq!(Maildrop::new().len(), 0);
}
