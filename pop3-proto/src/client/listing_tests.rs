//! Whole listings, in reads of any size, against every line read by the grammar alone: plain lines are told from others, and nothing else
//! changes by it.

use super::*;
use crate::client::flight::{Asked, Flight};
use crate::client::{Config, Ticket};
use crate::command::Command;
use crate::policy::{Allow, Grammar};
use crate::{Limits, Malformed, Rule};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use mail_wire::{Machine, Output, Viewed};
use proptest::prelude::*;

/// What is told of a line: what it is, or which rule it breaks and where.
type Told = Result<String, (usize, Rule)>;

fn told(item: Result<Item<'_>, Malformed<'_>>) -> Told {
    item.map(|item| format!("{item:?}")).map_err(|malformed| (malformed.at, malformed.rule))
}

fn config(strict: bool, limits: Limits) -> Config {
    let mut config = Config { limits, ..Config::default() };
    config.policy.grammar = if strict { Grammar::strict() } else { Grammar::tolerant() };
    config.policy.plaintext_auth = Allow::Allow;
    config
}

/// The rule: each line for itself, by the grammar. What is told, how often something is repaired, and what is fatal.
fn reference(lines: &[Vec<u8>], shape: Shape, config: Config) -> (Vec<Told>, u32, Option<Violation>) {
    let (mut all, mut repairs) = (Vec::new(), config.policy.grammar.repairs);
    for line in lines {
        let fatal = match line.iter().position(|octet| b"\r\n".contains(octet)) {
            _ if line.len() > config.limits.status_line => {
                Some(LineFault::TooLong { limit: config.limits.status_line }.into())
            }
            _ if all.len() == config.limits.entries as usize => {
                Some(Violation::Limit("entries", config.limits.entries.into()))
            }
            Some(at) if line[at] == b'\n' => Some(LineFault::BareLf { at }.into()),
            Some(at) if at + 2 < line.len() => Some(LineFault::BareCr { at }.into()),
            _ => None,
        };
        if fatal.is_some() {
            return (all, repairs.total(), fatal);
        }
        match read(line.strip_suffix(b"\r\n").unwrap_or_default(), shape, &mut repairs) {
            Err(malformed) if config.policy.grammar.strict => {
                return (all, repairs.total(), Some(Violation::Malformed(malformed.rule)));
            }
            item => all.push(told(item)),
        }
    }
    (all, repairs.total(), None)
}

/// The same by a client that has logged in, in reads of so many octets.
fn heard(octets: &[u8], uidl: bool, config: Config, size: usize) -> (Vec<Told>, u32, Option<Violation>) {
    let (mut client, mut input, mut output) = (Client::new(config), Input::new(), Output::new());
    let asks = if uidl { Command::Uidl(None) } else { Command::List(None) };
    let commands = [Command::parse(b"AUTH PLAIN =").unwrap(), asks];
    let mut all = Vec::new();
    let mut commands = commands.iter();
    for answer in [b"+OK\r\n", b"+OK\r\n", b"+OK\r\n", octets] {
        for read in answer.chunks(size) {
            assert_eq!(input.feed(read), read.len());
            loop {
                let unit = match client.frame(&mut input, &mut output) {
                    Ok(Framed::Ready(unit)) => unit,
                    Ok(_) => break,
                    Err(violation) => return (all, client.repairs().total(), Some(violation)),
                };
                match client.decode(unit, &mut input) {
                    Ok(Event::Items(_, items)) => all.extend(items.iter().map(told)),
                    Ok(_) => {}
                    Err(violation) => return (all, client.repairs().total(), Some(violation)),
                }
            }
        }
        commands.next().map(|command| client.send(command, &mut output).unwrap());
    }
    (all, client.repairs().total(), None)
}

/// Lines of which most are plain, and the others are nearly so.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![8 => "[1-9][0-9]{0,6}", 1 => "0[0-9]{0,9}", 1 => "[1-9][0-9]{7,10}"];
    let value = prop_oneof![
        4 => "[0-9]{1,8}",
        4 => "[!-~]{1,40}",
        1 => "[0-9]{8,20}",
        1 => "[!-~]{60,80}",
        1 => "[ -~]{0,12}",
        1 => "[\\x00-\\x7f]{0,6}",
    ];
    let blanks = prop_oneof![20 => Just(" "), 1 => Just("  "), 1 => Just(""), 1 => Just("\t")];
    let end = prop_oneof![20 => Just("\r\n"), 1 => Just(" \r\n"), 1 => Just("\n"), 1 => Just("\r\r\n")];
    let parts = (number, blanks, value, end);
    parts.prop_map(|(number, blanks, value, end)| [&number, blanks, &value, end].concat().into_bytes())
}

/// Whether all lines of the one event that this listing gives were found plain.
fn is_plain(lines: &[u8], shape: Shape, limits: Limits, lf: bool) -> bool {
    let mut client = Client::new(config(false, limits));
    let ticket = Ticket(client.source.issue());
    client.flight.push_back(Flight { ticket, asked: Asked::Several(shape), octets: 0, since: 0 });
    (client.place, client.lf) = (Place::Listing(shape), lf);
    match client.items(lines) {
        Ok(Event::Items(_, items)) => Items::split(items).1.plain,
        event => panic!("{event:?}"),
    }
}

/// What most servers send is found plain, or it would only cost; and it is not where plain lines are not what they seem.
#[test]
fn a_listing_is_plain_where_all_of_it_is() {
    let (limits, low) = (Limits::default(), Limits { status_line: 79, ..Limits::default() });
    for (shape, lines) in
        [(Shape::Scan, "1 120\r\n2 5\r\n"), (Shape::UniqueIds, "1 whqtswO00WBw418f\r\n2 Q\r\n")]
    {
        assert!(is_plain(lines.as_bytes(), shape, limits, false));
        assert!(!is_plain(lines.as_bytes(), shape, limits, true));
        assert!(!is_plain(lines.as_bytes(), shape, low, false));
        assert!(!is_plain(lines.as_bytes(), Shape::Lines, limits, false));
        for odd in ["x\r\n", "3  5\r\n", ".3 5\r\n", "00000003 5\r\n"] {
            assert!(!is_plain([lines, odd].concat().as_bytes(), shape, limits, false), "{odd:?}");
            assert!(!is_plain([odd, lines].concat().as_bytes(), shape, limits, false), "{odd:?}");
        }
    }
}

proptest! {
    #[test]
    fn plain_lines_are_told_as_the_grammar_tells_them(
        lines in proptest::collection::vec(line(), 0..40),
        (uidl, strict) in any::<(bool, bool)>(),
        size in prop_oneof![1..40_usize, Just(1000)],
        (entries, status_line) in (prop_oneof![1..40_u32, Just(1000)], prop_oneof![10..100_usize, Just(4096)]),
    ) {
        // What is drawn may hold line ends: the lines are those that stand on the wire.
        let octets = lines.concat();
        prop_assume!(memmem::find(&octets, b"\n.\r\n").is_none());
        let lines: Vec<_> = octets.split_inclusive(|octet| *octet == b'\n').map(<[u8]>::to_vec).collect();
        let limits = Limits { entries, status_line, ..Limits::default() };
        let shape = if uidl { Shape::UniqueIds } else { Shape::Scan };
        let wanted = reference(&lines, shape, config(strict, limits));
        prop_assert_eq!(heard(&octets, uidl, config(strict, limits), size), wanted);
    }
}
