//! Vectors that are told in words. Each test names its own.

use bytes::{Buf, Bytes};
use mail_smtp_proto::client::{self, Client};
use mail_smtp_proto::server::{self, Event, Server};
use mail_smtp_proto::types::Mechanism;
use mail_smtp_proto::{Command, Extension, ReplyBuf};
use mail_testkit::hear;
use mail_wire::{Framed, Input, Machine, Misuse, Output};
use proptest::prelude::*;
use std::time::Duration;

fn send(client: &mut Client, line: &str, output: &mut Output) -> Result<(), Misuse> {
    client.send(&Command::parse(line.as_bytes()).unwrap(), output).map(|_| ())
}

/// Feeds octets of the server and gives the last token that came.
fn told(
    client: &mut Client,
    input: &mut Input,
    output: &mut Output,
    octets: &str,
) -> Option<client::TlsGrant> {
    let mut grant = None;
    hear(client, input, output, octets.as_bytes(), |event| {
        if let client::Event::StartTls(leave) = event {
            grant = Some(leave);
        }
    });
    grant
}

/// TLS05-01.
#[test]
fn a_client_forgets_what_was_offered_before_tls() {
    let (mut client, mut input, mut output) =
        (Client::new(client::Config::default()), Input::new(), Output::new());
    told(&mut client, &mut input, &mut output, "220 mx\r\n");
    send(&mut client, "EHLO c", &mut output).unwrap();
    told(&mut client, &mut input, &mut output, "250-mx\r\n250-SIZE 10\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n");
    assert_eq!(client.hello().unwrap().size(), Some(10));
    send(&mut client, "STARTTLS", &mut output).unwrap();
    let grant = told(&mut client, &mut input, &mut output, "220 go\r\n").unwrap();
    let mut client = client.start_tls(grant, input, &mut output).unwrap().secured();
    assert!(client.hello().is_none() && !client.offers(Extension::Auth));
    output.advance(output.remaining());
    let auth = client.auth(Mechanism::PLAIN, Some(b"\0a\0b"), &mut output);
    assert_eq!(auth, Err(Misuse::NotOffered("AUTH")));
    assert_eq!(send(&mut client, "MAIL FROM:<a@b>", &mut output), Err(Misuse::NotInState));
    assert!(output.is_empty());
    send(&mut client, "EHLO c", &mut output).unwrap();
}

/// TLS06-02: the failed logins of before count on.
#[test]
fn a_server_forgets_all_but_what_was_spent_before_tls() {
    let mut config = server::Config::default();
    config.limits.auth_failures = 1;
    config.policy.plaintext_auth = mail_smtp_proto::Allow::Allow;
    config.offer = server::Offer::clone(&config.offer).with_mechanism(Mechanism::PLAIN).into();
    let (mut server, mut input, mut output) = (Server::new(config), Input::new(), Output::new());
    let reply = |code| ReplyBuf::line(code, "x").unwrap();
    let mut offer = None;
    for line in
        ["", "EHLO c\r\n", "AUTH PLAIN =\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "STARTTLS\r\n"]
    {
        input.feed(line.as_bytes());
        while let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) {
            match server.decode(unit, &mut input).unwrap() {
                Event::Connected(answer) => server.answer(answer, &reply(220), &mut output).unwrap(),
                Event::Command(_, answer) => server.answer(answer, &reply(250), &mut output).unwrap(),
                Event::Auth { turn, .. } => server.refuse_auth(turn, &reply(535), &mut output).unwrap(),
                Event::StartTls(token) => offer = Some(token),
                _ => {}
            }
        }
    }
    assert_eq!(server.recipients(), 1);
    let mut server = server.start_tls(offer.unwrap(), input, &mut output).unwrap().secured();
    assert_eq!(server.recipients(), 0);
    let mut input = Input::new();
    output.advance(output.remaining());
    for line in ["DATA\r\n", "EHLO c\r\n", "AUTH PLAIN =\r\n"] {
        input.feed(line.as_bytes());
        while let Ok(Framed::Ready(unit)) = server.frame(&mut input, &mut output) {
            if let Event::Auth { turn, .. } = server.decode(unit, &mut input).unwrap() {
                server.refuse_auth(turn, &reply(535), &mut output).unwrap();
            }
        }
    }
    let said = String::from_utf8(output.copy_to_bytes(output.remaining()).to_vec()).unwrap();
    assert!(said.starts_with("503 ") && said.contains("\r\n421 ") && !said.contains("535"), "{said}");
}

/// SMUG03-13.
#[test]
fn a_client_sends_no_chunk_that_is_not_offered() {
    let (mut client, mut input, mut output) =
        (Client::new(client::Config::default()), Input::new(), Output::new());
    told(&mut client, &mut input, &mut output, "220 mx\r\n");
    for (line, reply) in
        [("EHLO c", "250 mx\r\n"), ("MAIL FROM:<a@b>", "250 ok\r\n"), ("RCPT TO:<c@d>", "250 ok\r\n")]
    {
        send(&mut client, line, &mut output).unwrap();
        told(&mut client, &mut input, &mut output, reply);
    }
    output.advance(output.remaining());
    assert_eq!(client.chunk(5, true, &mut output).unwrap_err(), Misuse::NotOffered("CHUNKING"));
    assert!(output.is_empty());
}

/// TIME-01, TIME-02: how long a driver waits, counted from the start of the wait. That no octet moves it is the driver's to hold.
#[test]
fn the_waits_are_those_of_the_standard() {
    let server = Server::new(server::Config::default());
    assert_eq!(server.patience(), Duration::from_secs(300));
    let client = Client::new(client::Config::default());
    assert_eq!(client.patience(), Duration::from_secs(300));
}

/// How many messages a reader sees that takes these for line ends.
fn messages(wire: &[u8], ends: &[&[u8]]) -> usize {
    let (mut rest, mut line, mut count) = (wire, Vec::new(), 0);
    while !rest.is_empty() {
        match ends.iter().find(|end| rest.starts_with(end)) {
            Some(end) => {
                count += usize::from(line == b".");
                line.clear();
                rest = &rest[end.len()..];
            }
            None => {
                line.push(rest[0]);
                rest = &rest[1..];
            }
        }
    }
    count
}

proptest! {
    /// SMUG02-07: what our server accepts, our client passes on so that no reader, strict or lax, sees more than one message.
    #[test]
    fn a_relayed_body_is_one_message_to_every_reader(
        wire in prop::collection::vec(prop::sample::select(b"\r\n..ab".to_vec()), 0..40),
    ) {
        let (mut scan, body) = (mail_wire::dot::BareScan::new(), wire);
        // Under `reject` a server accepts what has no bare line end; a client of ours refuses to send the rest.
        let accepted = scan.piece(&body).is_none() && scan.end().is_none();
        let mut encoder = mail_wire::dot::DotEncoder::new(mail_smtp_proto::Policy::client().body_eol);
        let mut output = Output::new();
        let sent = encoder.push(&mut Bytes::from(body.clone()), &mut output).and_then(|()| encoder.end(&mut output));
        prop_assert_eq!(sent.is_ok(), accepted);
        if accepted {
            let wire = output.copy_to_bytes(output.remaining());
            for ends in [&[&b"\r\n"[..]][..], &[b"\r\n", b"\n"], &[b"\r\n", b"\n", b"\r"]] {
                prop_assert_eq!(messages(&wire, ends), 1, "{:?}", wire);
            }
        }
    }
}
