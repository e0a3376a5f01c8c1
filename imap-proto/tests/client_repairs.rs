//! Each repair of the client's grammar: counted where it is used, and malformed where it is switched off. Never both.

use mail_imap_proto::client::{Client, Config, Event};
use mail_imap_proto::{Command, Limits, Policy, Repair};
use mail_testkit::hear;
use mail_wire::{Framed, Handover, Input, Machine, Output};

const NODE: &str = "\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1";

/// A line that needs the repair and no other.
fn lines() -> Vec<(Repair, String)> {
    let envelope =
        |from: &str| format!("* 1 FETCH (ENVELOPE (NIL NIL {from} NIL NIL NIL NIL NIL NIL NIL))\r\n");
    let structure = |body: &str| format!("* 1 FETCH (BODYSTRUCTURE {body})\r\n");
    let plain = |line: &str| format!("{line}\r\n");
    vec![
        (Repair::ExtraSpace, plain("*  3 EXISTS")),
        (Repair::TrailingSpace, plain("* SEARCH 1 2 ")),
        (Repair::MissingText, plain("* OK [UIDNEXT 4]")),
        (Repair::BracketInText, plain("* OK [hello world")),
        (Repair::NilAddress, envelope("((NIL NIL \"a\" \"b\")NIL)")),
        (Repair::EmptyList, envelope("()")),
        (Repair::NilValue, structure("(\"TEXT\" \"PLAIN\" (\"CHARSET\" NIL) NIL NIL \"7BIT\" 5 1)")),
        (Repair::NoParts, structure("(\"MIXED\")")),
        (Repair::BareDisposition, structure(&format!("({NODE} NIL \"INLINE\" NIL NIL)"))),
        (Repair::OddFlag, plain("* 1 FETCH (FLAGS (\\))")),
        (Repair::OddEscape, envelope("((\"a\\b\" NIL \"a\" \"b\"))")),
        (Repair::WindowInAnswer, plain("* 1 FETCH (BODY[]<4.9> \"x\")")),
        (Repair::LooseDate, plain("* 1 FETCH (INTERNALDATE \"1-Feb-1994 21:52:25\")")),
    ]
}

/// How often the repair was used, and how many malformed units or parts there were.
fn read(line: &str, config: Config, repair: Repair) -> (u32, usize) {
    let mut client = Handover::implicit(Client::new(config)).secured();
    let (mut input, mut output, mut malformed) = (Input::new(), Output::new(), 0);
    hear(&mut client, &mut input, &mut output, b"* PREAUTH ready\r\n", |_| ());
    let (_, select) = Command::parse(b"a SELECT x\r\n", &Limits::default(), false).unwrap();
    client.send(&select, &mut output).unwrap();
    input.feed(line.as_bytes());
    while let Framed::Ready(unit) = client.frame(&mut input, &mut output).unwrap() {
        malformed += match client.decode(unit, &mut input).unwrap() {
            Event::Malformed(_) => 1,
            Event::Fetch(part) => {
                let faults = |item| match item {
                    mail_imap_proto::response::FetchItem::BodyStructure(body) => body.faults().count(),
                    _ => 0,
                };
                part.items().malformed().count() + part.items().map(faults).sum::<usize>()
            }
            Event::Untagged(mail_imap_proto::response::Untagged::Search(numbers, _)) => {
                numbers.iter().filter(Result::is_err).count()
            }
            _ => 0,
        };
    }
    (client.repairs().hits(repair), malformed)
}

#[test]
fn each_repair_is_counted_where_it_is_on_and_malformed_where_it_is_off() {
    let mut bad = Vec::new();
    for (repair, line) in lines() {
        let on = read(&line, Config::default(), repair);
        let mut policy = Policy::client();
        policy.grammar.repairs.set(repair, false);
        let off = read(&line, Config { policy, ..Config::default() }, repair);
        if on != (1, 0) || off.0 > 0 || off.1 == 0 {
            bad.push((repair, line, on, off));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
}
