//! Every repair by itself: what it lets in, that it is counted, and that nothing but its own switch lets it in.

use mail_pop3_proto::client::{Client, Config, Event};
use mail_pop3_proto::{Command, Data, Grammar, Repair};
use mail_wire::line::LineEnd;
use mail_wire::{Framed, Handover, Input, Machine, Output};

/// A client under TLS that may give `line`, and has given it.
fn asked(line: &str, grammar: &Grammar) -> Client {
    let mut config = Config::default();
    config.policy.grammar = grammar.clone();
    let mut client = Handover::implicit(Client::new(config)).secured();
    let in_transaction = ["STAT", "LIST", "UIDL", "NOOP"].iter().any(|verb| line.starts_with(verb));
    let before = [Some("+OK\r\n"), in_transaction.then_some("+OK\r\n")];
    for (step, answer) in before.into_iter().flatten().enumerate() {
        if step == 1 {
            client.send(&Command::parse(b"AUTH PLAIN =").unwrap(), &mut Output::new()).unwrap();
        }
        assert!(!hear(&mut client, answer, 1).is_empty());
    }
    client.send(&Command::parse(line.as_bytes()).unwrap(), &mut Output::new()).unwrap();
    client
}

/// What is told, in words, in reads of so many octets.
fn hear(client: &mut Client, octets: &str, size: usize) -> Vec<String> {
    let (mut input, mut output, mut told) = (Input::new(), Output::new(), Vec::new());
    for read in octets.as_bytes().chunks(size) {
        input.feed(read);
        while let Ok(Framed::Ready(unit)) = client.frame(&mut input, &mut output) {
            match client.decode(unit, &mut input) {
                Ok(Event::Items(_, items)) => {
                    told.extend(items.iter().map(|item| match item {
                        Ok(item) => format!("{item:?}"),
                        Err(_) => "malformed".into(),
                    }));
                }
                Ok(Event::Reply(_, line)) => told.push(match line.data() {
                    Data::Malformed(_) => "malformed".into(),
                    data => format!("{} {data:?}", line.is_ok()),
                }),
                Ok(Event::Challenge(octets, _)) => told.push(format!("challenge {}", octets.expose().len())),
                Ok(Event::Head(..) | Event::End(_)) => {}
                Ok(event) => told.push(format!("{event:?}")),
                Err(_) => told.push("failed".into()),
            }
        }
    }
    told
}

/// A command, what a server answers, the repair that it takes, and what is told then.
const CASES: [(&str, &str, Repair, &str); 34] = [
    ("AUTH PLAIN", "+\r\n", Repair::PlusWithoutBlank, "challenge 0"),
    ("AUTH PLAIN", "+eA==\r\n", Repair::PlusWithoutBlank, "challenge 1"),
    ("AUTH PLAIN", "+OK\r\n", Repair::OkForChallenge, "challenge 0"),
    ("AUTH PLAIN", "+ok \r\n", Repair::OkForChallenge, "challenge 0"),
    ("NOOP", "+ok\r\n", Repair::LowerCaseStatus, "true None"),
    ("NOOP", "-Err no\r\n", Repair::LowerCaseStatus, "false None"),
    ("STAT", "+OK 2 -5\r\n", Repair::NegativeSize, "true Stat { messages: 2, octets: None }"),
    ("STAT", "+OK  2 320\r\n", Repair::ExtraBlanks, "true Stat { messages: 2, octets: Some(320) }"),
    ("STAT", "+OK 2   320\r\n", Repair::ExtraBlanks, "true Stat { messages: 2, octets: Some(320) }"),
    ("LIST 1", "+OK  1 120\r\n", Repair::ExtraBlanks, "true Scan { message: 1, octets: 120 }"),
    ("LIST 1", "+OK 1  120\r\n", Repair::ExtraBlanks, "true Scan { message: 1, octets: 120 }"),
    ("LIST 1", "+OK  1  120\r\n", Repair::ExtraBlanks, "true Scan { message: 1, octets: 120 }"),
    ("UIDL 1", "+OK  1  a \r\n", Repair::ExtraBlanks, "true UniqueId { message: 1, id: UniqueId(a) }"),
    ("LIST 1", "+OK 120\r\n", Repair::MissingNumber, "true Scan { message: 1, octets: 120 }"),
    ("LIST", "+OK\r\n1  120\r\n.\r\n", Repair::ExtraBlanks, "Scan { message: 1, octets: 120 }"),
    ("LIST", "+OK\r\n 1 120\r\n.\r\n", Repair::ExtraBlanks, "Scan { message: 1, octets: 120 }"),
    ("LIST", "+OK\r\n  1  120\r\n.\r\n", Repair::ExtraBlanks, "Scan { message: 1, octets: 120 }"),
    ("UIDL", "+OK\r\n  1  a \r\n.\r\n", Repair::ExtraBlanks, "UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL 1", "+OK  1 a\r\n", Repair::ExtraBlanks, "true UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL 1", "+OK 1  a\r\n", Repair::ExtraBlanks, "true UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL 1", "+OK 1 a \r\n", Repair::ExtraBlanks, "true UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL 1", "+OK a\r\n", Repair::MissingNumber, "true UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL 1", "+OK a \r\n", Repair::MissingNumber, "true UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL 1", "+OK a \r\n", Repair::ExtraBlanks, "true UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL", "+OK\r\n1  a\r\n.\r\n", Repair::ExtraBlanks, "UniqueId { message: 1, id: UniqueId(a) }"),
    ("UIDL", "+OK\r\n1 a  \r\n.\r\n", Repair::ExtraBlanks, "UniqueId { message: 1, id: UniqueId(a) }"),
    ("CAPA", "+OK\r\nPIPELINING \r\n.\r\n", Repair::ExtraBlanks, "Capability(PIPELINING)"),
    ("CAPA", "+OK\r\nutf8  user\r\n.\r\n", Repair::ExtraBlanks, "Capability(UTF8 USER)"),
    ("CAPA", "+OK\r\nUTF8 USER \r\n.\r\n", Repair::ExtraBlanks, "Capability(UTF8 USER)"),
    ("CAPA", "+OK\r\nEXPIRE  30  USER \r\n.\r\n", Repair::ExtraBlanks, "Capability(EXPIRE 30 USER)"),
    ("CAPA", "+OK\r\nEXPIRE NEVER \r\n.\r\n", Repair::ExtraBlanks, "Capability(EXPIRE NEVER)"),
    ("CAPA", "+OK\r\nLOGIN-DELAY  900\r\n.\r\n", Repair::ExtraBlanks, "Capability(LOGIN-DELAY 900)"),
    ("CAPA", "+OK\r\nRESP_CODES\r\n.\r\n", Repair::UnderscoreForHyphen, "Capability(RESP-CODES)"),
    ("CAPA", "+OK\r\nLOGIN_DELAY 9\r\n.\r\n", Repair::UnderscoreForHyphen, "Capability(LOGIN-DELAY 9)"),
];

#[test]
fn each_repair_lets_in_what_it_names_and_is_counted_once() {
    for (line, answer, repair, told) in CASES {
        let mut on = Grammar::tolerant();
        on.repairs.set(repair, true);
        let mut off = on.clone();
        off.repairs.set(repair, false);
        for size in [1, answer.len()] {
            let mut client = asked(line, &on);
            assert_eq!(hear(&mut client, answer, size), [told], "{answer:?} to {line}");
            assert_eq!(client.repairs().hits(repair), 1, "{answer:?} to {line}");
            let mut client = asked(line, &off);
            assert_ne!(hear(&mut client, answer, size), [told], "{answer:?} to {line} without {repair:?}");
            assert_eq!(client.repairs().hits(repair), 0);
        }
    }
}

/// What a repair has let in is known to the machine as what it is, and can be asked for like any other.
#[test]
fn a_capability_that_was_repaired_counts() {
    let mut client = asked("CAPA", &Grammar::tolerant());
    hear(
        &mut client,
        "+OK\r\nPIPELINING \r\nUTF8  USER\r\nSASL  PLAIN   X \r\nIMPLEMENTATION a  b \r\n.\r\n",
        9,
    );
    let known = client.capabilities();
    assert!(known.has("PIPELINING") && known.utf8_user());
    let lines: Vec<_> = known.raw().collect();
    assert_eq!(lines, [&b"PIPELINING"[..], b"UTF8 USER", b"SASL PLAIN X", b"IMPLEMENTATION a  b "]);
    assert_eq!(known.iter().count(), lines.len());
    // Two may be in flight now.
    client.send(&Command::Capa, &mut Output::new()).unwrap();
    assert!(client.has_room());
}

/// An id that is both long and alone takes two repairs, and neither helps without the other.
#[test]
fn two_faults_take_two_repairs() {
    let answer = format!("+OK {}\r\n", "y".repeat(71));
    for (without, told) in [
        (None, "true UniqueId"),
        (Some(Repair::LongUniqueId), "malformed"),
        (Some(Repair::MissingNumber), "malformed"),
    ] {
        let mut grammar = Grammar::tolerant();
        without.into_iter().for_each(|repair| grammar.repairs.set(repair, false));
        let mut client = asked("UIDL 1", &grammar);
        let heard = hear(&mut client, &answer, 100);
        assert!(heard.len() == 1 && heard[0].starts_with(told), "{heard:?}");
        assert_eq!(client.repairs().total(), if without.is_none() { 2 } else { 0 });
    }
}

/// No repair makes the answer of one message that of another.
#[test]
fn an_answer_about_another_message_is_malformed() {
    for (line, answer) in [("LIST 1", "+OK 2 120\r\n"), ("UIDL 1", "+OK 2 a\r\n")] {
        let mut client = asked(line, &Grammar::tolerant());
        assert_eq!(hear(&mut client, answer, 100), ["malformed"], "{answer:?}");
        assert_eq!(client.repairs().total(), 0);
    }
}

/// LF alone is a matter of the line policy, and counted with the repairs.
#[test]
fn a_bare_lf_is_let_in_by_the_line_policy_alone() {
    for line in [LineEnd::Strict, LineEnd::Tolerant] {
        let mut config = Config::default();
        config.policy.line = line;
        let mut client = Client::new(config);
        let told = hear(&mut client, "+OK hi\n", 1);
        assert_eq!(told.is_empty(), line == LineEnd::Strict);
        assert_eq!(client.repairs().hits(Repair::BareLf), u32::from(line == LineEnd::Tolerant));
    }
}
