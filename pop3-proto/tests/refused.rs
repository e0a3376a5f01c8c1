//! What a server refuses by itself, by what is offered, by the policy and by the octets; and what it leaves to the application (RFC 1939 §3,
//! RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2.2 and §3).

use bytes::Buf;
use mail_pop3_proto::ext::capa::Capabilities;
use mail_pop3_proto::server::{Config, Event, Offer, Refusal, Server, Stamp};
use mail_pop3_proto::types::ReplyText;
use mail_pop3_proto::{Allow, Reply, Tls};
use mail_wire::{Framed, Handover, Input, Machine, Output};

/// A server that offers this, in the clear unless it is `tls`.
fn server(offer: &[&str], tls: bool, change: impl FnOnce(&mut Config)) -> Server {
    let mut capabilities = Capabilities::new();
    for line in offer {
        capabilities.add(line.as_bytes()).unwrap();
    }
    let offer = Offer { capabilities, ..Offer::default() };
    let mut config = Config { offer: offer.into(), ..Config::default() };
    config.policy.apop = Allow::Allow;
    config.stamp = Some(Stamp::try_from("<1.2@example.com>").unwrap());
    change(&mut config);
    let server = Server::new(config);
    if tls { Handover::implicit(server).secured() } else { server }
}

/// Why the last of these lines is refused; `None` where the application is asked, which says yes to all. And all that was written behind
/// the greeting.
fn say(mut server: Server, lines: &[&[u8]]) -> (Option<Refusal>, String) {
    let (mut input, mut output, ok) = (Input::new(), Output::new(), Reply::ok(ReplyText::EMPTY));
    for line in lines {
        input.feed(line);
        input.feed(b"\r\n");
    }
    let mut why = None;
    while let Framed::Ready(unit) = server.frame(&mut input, &mut output).unwrap() {
        why = None;
        match server.decode(unit, &mut input).unwrap() {
            Event::Connected(answer) => {
                server.answer(answer, &ok, &mut output).unwrap();
                output.advance(output.remaining());
            }
            Event::Command(_, answer) => match server.answer(answer, &ok, &mut output) {
                Ok(()) => {}
                // A log-in: that it was asked for is all that counts here.
                Err(back) => server.refuse(back.token, &mut output).unwrap(),
            },
            Event::Auth { turn, .. } => {
                server.refuse_auth(turn, &Reply::err(ReplyText::EMPTY), &mut output).unwrap();
            }
            Event::Refused(refused) => why = Some(refused.why),
            Event::Answered(_) => {}
            event => panic!("{event:?}"),
        }
    }
    (why, String::from_utf8(output.copy_to_bytes(output.remaining()).to_vec()).unwrap())
}

const APOP: &[u8] = b"APOP u c4c9334bac560ecc979e58001b3e22fb";

/// CAPA and what is taken tell the same.
#[test]
fn what_is_not_offered_is_refused() {
    let cases: [(&[&str], &[u8], bool); 12] = [
        (&[], b"USER u", false),
        (&["USER"], b"USER u", true),
        (&[], b"PASS p", false),
        (&[], b"AUTH PLAIN", false),
        (&["SASL PLAIN"], b"AUTH PLAIN", true),
        (&["SASL EXTERNAL"], b"AUTH PLAIN", false),
        (&[], b"AUTH", false),
        (&[], b"UTF8", false),
        (&["UTF8"], b"UTF8", true),
        (&[], b"LANG en", false),
        (&["LANG"], b"LANG en", true),
        // A capability without a language to list would be an empty promise.
        (&["LANG"], b"LANG", false),
    ];
    for (offer, line, taken) in cases {
        let (why, written) = say(server(offer, true, |_| {}), &[line]);
        let expected = if taken { None } else { Some(Refusal::NotOffered) };
        assert_eq!(why, expected, "{offer:?} {}", line.escape_ascii());
        assert!(taken || written == "-ERR not offered\r\n", "{written}");
    }
}

/// A password waits for TLS unless the policy allows it in the clear; where TLS is required every log-in waits.
#[test]
fn a_log_in_waits_for_tls_where_it_must() {
    let offer = ["USER", "SASL PLAIN SCRAM-SHA-256", "STLS"];
    let lines: [(&[u8], bool); 4] =
        [(b"USER u", true), (b"AUTH PLAIN", true), (b"AUTH SCRAM-SHA-256", false), (APOP, false)];
    for (line, plaintext) in lines {
        for (tls, allow, waits) in [
            (Tls::Required, Allow::Refuse, true),
            (Tls::Required, Allow::Allow, true),
            (Tls::Opportunistic, Allow::Refuse, plaintext),
            (Tls::Opportunistic, Allow::Allow, false),
        ] {
            for secure in [false, true] {
                let server = server(&offer, secure, |config| {
                    config.policy.tls = tls;
                    config.policy.plaintext_auth = allow;
                });
                let expected = (waits && !secure).then_some(Refusal::TlsFirst);
                assert_eq!(say(server, &[line]).0, expected, "{} {tls:?} {allow:?}", line.escape_ascii());
            }
        }
    }
    // TLS would not help where APOP is not taken at all.
    let never = server(&offer, false, |config| {
        config.policy.tls = Tls::Required;
        config.policy.apop = Allow::Refuse;
    });
    assert_eq!(say(never, &[APOP]).0, Some(Refusal::NotOffered));
}

/// Where names and passwords may be UTF-8 they must be, and elsewhere nobody can say what they are.
#[test]
fn a_name_that_must_be_utf8_is_refused_where_it_is_not() {
    for (offer, refused) in [(["USER", "UTF8 USER"], true), (["USER", "UTF8"], false)] {
        for (octets, good) in [(&b"u"[..], true), ("\u{e9}".as_bytes(), true), (b"\xe9", false)] {
            let lines: [&[&[u8]]; 3] = [
                &[&[b"USER ", octets].concat()],
                &[b"USER u", &[b"PASS ", octets].concat()],
                &[&[b"APOP ", octets, &APOP[6..]].concat()],
            ];
            for lines in lines {
                let (why, written) = say(server(&offer, true, |_| {}), lines);
                let expected = (refused && !good).then_some(Refusal::NotUtf8);
                assert_eq!(why, expected, "{offer:?} {written}");
                assert_eq!(written.ends_with("-ERR not UTF-8\r\n"), refused && !good, "{written}");
            }
        }
    }
}
