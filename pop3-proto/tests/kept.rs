//! What is kept says the same as what was heard, after the octets it came from are gone.

use bytes::Buf;
use mail_pop3_proto::client::{self, Client, Event};
use mail_pop3_proto::ext::capa::{Capability, Expire};
use mail_pop3_proto::types::{InitialResponse, Mechanism};
use mail_pop3_proto::{Command, Item, OtherCommand, OwnedCapability, OwnedCommand, OwnedItem, Shape};
use mail_wire::{Framed, Handover, Input, Machine, Output};

/// One of each command that reads octets of its own, and of those that hold numbers alone.
const LINES: [&str; 24] = [
    "USER a b",
    "PASS  two blanks ",
    "APOP a b c4c9334bac560ecc979e58001b3e22fb",
    "AUTH PLAIN",
    "AUTH X-1 =",
    "AUTH PLAIN AGEAYg==",
    "AUTH",
    "CAPA",
    "STLS",
    "UTF8",
    "LANG",
    "LANG *",
    "LANG en-boont",
    "QUIT",
    "STAT",
    "LIST",
    "LIST 7",
    "RETR 1",
    "DELE 4294967295",
    "NOOP",
    "RSET",
    "TOP 3 99999999",
    "UIDL",
    "UIDL 2",
];

fn wire(command: &Command<'_>) -> (Vec<u8>, bool, Shape) {
    let mut output = Output::new();
    let withheld = command.encode(20_000, &mut output).unwrap().is_some();
    (output.copy_to_bytes(output.remaining()).to_vec(), withheld, command.shape())
}

#[test]
fn a_kept_command_is_the_same_command() {
    let kept = |line: &str| -> OwnedCommand {
        let octets = line.as_bytes().to_vec();
        Command::parse(&octets).unwrap().into_owned()
    };
    for line in LINES {
        let owned = kept(line);
        assert_eq!(wire(&owned.get()), wire(&Command::parse(line.as_bytes()).unwrap()), "{line}");
        assert_eq!(wire(&owned.clone().get()).0, format!("{line}\r\n").into_bytes());
        assert_eq!(format!("{owned:?}"), format!("{:?}", owned.get()));
    }
    for shape in [Shape::Single, Shape::Lines, Shape::Message] {
        let line = b"XTND a b".to_vec();
        let owned = Command::Other(OtherCommand::new(&line, shape).unwrap()).into_owned();
        drop(line);
        assert_eq!(wire(&owned.get()), (b"XTND a b\r\n".to_vec(), false, shape));
    }
    // Octets that are yet to be made base64, empty and too long for the line.
    for octets in [&b""[..], b"\0u\0p", &[b'x'; 300]] {
        let initial = Some(InitialResponse::new(octets));
        let auth = Command::Auth { mechanism: Mechanism::PLAIN, initial };
        assert_eq!(wire(&auth.into_owned().get()), wire(&auth));
    }
    assert!(!format!("{:?}", kept("PASS s3cret")).contains("s3cret"));
    assert!(!format!("{:?}", kept("AUTH PLAIN czNjcmV0")).contains("czNjcmV0"));
}

#[test]
fn a_kept_capability_is_the_same_capability() {
    let lines = "TOP|UIDL|USER|SASL|SASL PLAIN X|RESP-CODES|AUTH-RESP-CODE|LOGIN-DELAY 5|LOGIN-DELAY 5 USER|PIPELINING|\
        EXPIRE NEVER|EXPIRE 0 USER|IMPLEMENTATION a b|STLS|UTF8|UTF8 USER|LANG|X-A|X-A b c";
    for line in lines.split('|') {
        let owned: OwnedCapability = {
            let octets = line.as_bytes().to_vec();
            Capability::parse(&octets).unwrap().into_owned()
        };
        assert_eq!(owned.get(), Capability::parse(line.as_bytes()).unwrap());
        assert_eq!(format!("{:?}", owned.clone()).trim_end(), line);
    }
    assert_eq!(
        Capability::Expire { expire: Expire::Days(3), user: true }.into_owned().get().name(),
        b"EXPIRE"
    );
}

/// The lines of an answer, kept one by one while the input goes on.
fn items(command: &Command<'_>, lines: &str) -> Vec<OwnedItem> {
    let mut client = Handover::implicit(Client::new(client::Config::default())).secured();
    let (mut input, mut output, mut kept) = (Input::new(), Output::new(), Vec::new());
    let auth = Command::parse(b"AUTH PLAIN =").unwrap();
    let answers = ["+OK\r\n".to_owned(), "+OK\r\n".to_owned(), format!("+OK\r\n{lines}.\r\n")];
    let bare = matches!(command, Command::AuthList);
    let mut commands = if bare { vec![*command] } else { vec![auth, *command] }.into_iter();
    for answer in &answers[usize::from(bare)..] {
        input.feed(answer.as_bytes());
        while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
            if let Event::Items(_, items) = client.decode(unit, &mut input).unwrap() {
                kept.extend(items.iter().map(|item| item.unwrap().into_owned()));
            }
        }
        if let Some(command) = commands.next() {
            client.send(&command, &mut output).unwrap();
        }
    }
    kept
}

#[test]
fn a_kept_item_is_the_same_item() {
    let words = |command: &Command<'_>, lines: &str| -> Vec<String> {
        items(command, lines)
            .iter()
            .map(|item| match item.clone().get() {
                Item::Scan { message, octets } => format!("{message} {octets}"),
                Item::UniqueId { message, id } => format!("{message} {}", id.octets().escape_ascii()),
                Item::Capability(capability) => format!("{capability:?}"),
                Item::Mechanism(mechanism) => mechanism.name().to_owned(),
                Item::Language { tag, description } => {
                    format!("{} {}", tag.as_str(), description.escape_ascii())
                }
                Item::Line(line) => line.escape_ascii().to_string(),
                item => panic!("{item:?}"),
            })
            .collect()
    };
    assert_eq!(words(&Command::List(None), "1 5\r\n2 10\r\n"), ["1 5", "2 10"]);
    assert_eq!(words(&Command::Uidl(None), "1 a\r\n2 ~b\r\n"), ["1 a", "2 ~b"]);
    assert_eq!(words(&Command::Capa, "TOP\r\nX-A b\r\nSASL PLAIN\r\n"), ["TOP", "X-A b", "SASL PLAIN"]);
    assert_eq!(words(&Command::Lang(None), "en English\r\nfr\r\n"), ["en English", "fr "]);
    assert_eq!(words(&Command::AuthList, "PLAIN\r\nX-1\r\n"), ["PLAIN", "X-1"]);
    let lines = Command::Other(OtherCommand::new(b"XTND", Shape::Lines).unwrap());
    assert_eq!(words(&lines, "\r\n..\r\nx y\r\n"), ["", ".", "x y"]);
}
