//! What a client sends, and what it does not: nothing behind the end, and no octets that the server cannot read (RFC 1939 §6, RFC 6856 §2.2).

use mail_pop3_proto::client::{Client, Config};
use mail_pop3_proto::{Allow, Command};
use mail_wire::{Framed, Handover, Input, Machine, Misuse, Output};

/// Hears all of these octets.
fn answer(client: &mut Client, octets: &str) {
    let (mut input, mut output) = (Input::new(), Output::new());
    input.feed(octets.as_bytes());
    while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
        drop(client.decode(unit, &mut input).unwrap());
    }
}

/// What ends the session ends it at its event, and not only at the frame behind it.
#[test]
fn nothing_is_sent_behind_what_ends_the_session() {
    for (greeting, quit) in
        [("-ERR too many\r\n", None), ("+OK\r\n", Some("+OK\r\n")), ("+OK\r\n", Some("-ERR\r\n"))]
    {
        let mut client = Handover::implicit(Client::new(Config::default())).secured();
        let (mut input, mut output) = (Input::new(), Output::new());
        let mut hear = |client: &mut Client, line: &str| {
            input.feed(line.as_bytes());
            let Framed::Ready(unit) = client.frame(&mut input, &mut Output::new()).unwrap() else { panic!() };
            drop(client.decode(unit, &mut input).unwrap());
        };
        hear(&mut client, greeting);
        if let Some(answer) = quit {
            client.send(&Command::Quit, &mut output).unwrap();
            hear(&mut client, answer);
        }
        let before = output.len();
        assert_eq!(client.send(&Command::Capa, &mut output), Err(Misuse::Over), "{greeting} {quit:?}");
        assert_eq!(output.len(), before);
    }
}

/// RFC 6856 §2.2: a name or password beyond ASCII needs `UTF8 USER`. Where CAPA was never asked, the caller's word stands.
#[test]
fn a_name_beyond_ascii_goes_where_utf8_user_is_announced() {
    let cases: [(&str, bool); 4] = [
        ("", true),
        ("-ERR\r\n", true),
        ("+OK\r\nUTF8\r\n.\r\n", false),
        ("+OK\r\nUTF8 USER\r\n.\r\n", true),
    ];
    for (capabilities, goes) in cases {
        for command in ["USER \u{e9}", "PASS \u{e9}", "APOP \u{e9} c4c9334bac560ecc979e58001b3e22fb"] {
            let mut config = Config::default();
            config.policy.apop = Allow::Allow;
            config.policy.plaintext_auth = Allow::Allow;
            let (mut client, mut output) = (Client::new(config), Output::new());
            answer(&mut client, "+OK <1.2@example.com>\r\n");
            let mut send = |client: &mut Client, line: &str| {
                client.send(&Command::parse(line.as_bytes()).unwrap(), &mut output).map(|_| ())
            };
            if !capabilities.is_empty() {
                send(&mut client, "CAPA").unwrap();
                answer(&mut client, capabilities);
            }
            if command.starts_with("PASS") {
                send(&mut client, "USER u").unwrap();
                answer(&mut client, "+OK\r\n");
            }
            let expected = if goes { Ok(()) } else { Err(Misuse::NotOffered("UTF8 USER")) };
            assert_eq!(send(&mut client, command), expected, "{command} behind {capabilities:?}");
        }
    }
}
