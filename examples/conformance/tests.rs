//! Tests of the runner itself, with records written by hand and a toy protocol whose faults are known.

use std::time::Duration;

use mail_wire::{
    Closing, Framed, Handover, HandoverError, Input, Machine, Mask, Output, PlaintextLeft, Role as Side,
    Secured, Unit as Framing,
};
use serde_json::{Value, json};

use crate::adapter::{Adapter, Encoded, Session};
use crate::judge::judge;
use crate::link::{Link, Observer};
use crate::record::{Record, Role, Setup};
use crate::run::{Outcome, run};
use crate::schedule::Schedule;
use crate::seen::{Over, Seen};
use crate::transcript::Unit;
use crate::value::Val;

/// A line protocol. Some lines make the machine break a rule on purpose.
#[derive(Default)]
struct Toy {
    failed: u32,
    quit: bool,
    spin: bool,
    tls: bool,
    end: bool,
}

#[derive(Clone, Debug)]
struct ToyError(u32);

impl std::fmt::Display for ToyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "toy error {}", self.0)
    }
}

impl std::error::Error for ToyError {}

enum ToyEvent<'i> {
    Line(&'i [u8]),
    Upgrade,
}

impl Machine for Toy {
    const ROLE: Side = Side::Server;
    type Event<'i> = ToyEvent<'i>;
    type Error = ToyError;
    type Upgrade = ();

    fn frame(&mut self, input: &mut Input, _output: &mut Output) -> Result<Framed, ToyError> {
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        if self.failed > 0 {
            return Err(ToyError(self.failed));
        }
        if self.quit {
            return Ok(Framed::Closed);
        }
        if self.spin {
            return Ok(Framed::Ready(input.take(0)));
        }
        match input.pending().iter().position(|octet| *octet == b'\n') {
            Some(at) => Ok(Framed::Ready(input.take(at + 1))),
            None if self.end && input.is_empty() => Ok(Framed::Closed),
            None if self.end => Err(ToyError(99)),
            None => Ok(Framed::NeedInput),
        }
    }

    fn decode<'i>(&mut self, unit: Framing, input: &'i mut Input) -> Result<ToyEvent<'i>, ToyError> {
        let behind = input.pending().len();
        let (octets, _) = input.unit(unit).map_err(|_| ToyError(1))?;
        let line = octets.strip_suffix(b"\r\n").unwrap_or(octets);
        match line {
            b"fail" => self.failed = 7,
            b"quit" => self.quit = true,
            b"spin" => self.spin = true,
            b"panic" => panic!("as asked"),
            b"starttls" => return Ok(ToyEvent::Upgrade),
            // What a read brought besides the line must not show in the event.
            b"leak" if behind > line.len() + 2 => return Ok(ToyEvent::Line(b"leaked")),
            _ => {}
        }
        if self.failed > 0 { Err(ToyError(7)) } else { Ok(ToyEvent::Line(line)) }
    }

    fn masks(&self) -> &[Mask] {
        &[]
    }

    fn eof(&mut self, _end: mail_wire::End) {
        self.end = true;
    }

    fn close(&mut self, _why: Closing, _output: &mut Output) {}

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn start_tls(
        self,
        _token: (),
        input: Input,
        output: &mut Output,
    ) -> Result<Handover<Toy>, HandoverError> {
        output.put(mail_wire::Class::Public, b"220 go\r\n");
        Handover::new(self, input).map_err(|PlaintextLeft { octets }| PlaintextLeft { octets }.into())
    }

    fn secured(&mut self, _proof: Secured) {
        self.tls = true;
    }
}

struct ToyObserver;

impl Observer<Toy> for ToyObserver {
    fn event<'i>(
        &mut self,
        event: ToyEvent<'i>,
        toy: &mut Toy,
        output: &mut Output,
        seen: &mut Seen,
    ) -> Option<()> {
        let ToyEvent::Line(line) = event else { return Some(()) };
        let word = String::from_utf8_lossy(line).into_owned();
        if toy.quit {
            output.put(mail_wire::Class::Public, b"221 bye\r\n");
        } else if !toy.spin {
            output.put(mail_wire::Class::Public, format!("250 {word}\r\n").as_bytes());
        }
        seen.value("tls", if toy.tls { Val::True } else { Val::Null });
        seen.value("word", Val::octets(line));
        seen.command(word);
        None
    }

    fn us(&mut self, _octets: &[u8], _toy: &mut Toy, _output: &mut Output) -> Result<(), String> {
        Ok(())
    }

    fn inside(&self, _toy: &Toy) -> bool {
        false
    }

    fn ended(&self, toy: &Toy) -> bool {
        toy.quit
    }

    fn repairs(&self, _toy: &Toy) -> u64 {
        0
    }
}

struct ToyAdapter;

impl Adapter for ToyAdapter {
    fn session(&self, _role: Role, _setup: &Setup) -> Result<Box<dyn Session>, String> {
        Ok(Box::new(Link::new(Toy::default(), ToyObserver, Output::new())))
    }

    fn replies(&self, output: &[u8]) -> Vec<String> {
        String::from_utf8_lossy(output).lines().map(str::to_owned).collect()
    }

    fn encode(&self, record: &Record) -> Encoded {
        match record.setup.encode.as_str() {
            "Upper" if record.input.is_ascii() => Encoded::Octets(record.input.to_ascii_uppercase()),
            "Upper" => Encoded::Refused,
            _ => Encoded::NoSuchType,
        }
    }

    fn ready_for(&self, _unit: &Unit, _tolerant: bool) -> Result<Option<Box<dyn Session>>, String> {
        self.session(Role::Server, &Setup::plain(Role::Server)).map(Some)
    }

    fn reencode(&self, unit: &Unit, _tolerant: bool) -> Option<Result<Vec<u8>, String>> {
        Some(Ok(unit.octets.clone()))
    }

    fn before(&self, role: Role, _block: &[Unit], _tolerant: bool) -> Result<Box<dyn Session>, String> {
        self.session(role, &Setup::plain(role))
    }
}

/// A record of the toy protocol.
fn record(input: &str, setup: Value, want: Value) -> Record {
    let mut whole = json!({"kind": "wire", "link": "plain", "script": []});
    for (key, value) in setup.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    let line = json!({"id": "toy", "protocol": "smtp", "role": "server", "verdict": "value",
        "input": input, "setup": whole, "want": want});
    Record::read(&line).expect("a record")
}

fn outcome(input: &str, setup: Value, want: Value) -> Outcome {
    run(&ToyAdapter, &record(input, setup, want))
}

fn failure(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(why) => why,
        other => panic!("wanted a failure, got {other:?}"),
    }
}

fn assert_passes(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Passed(_)), "{outcome:?}");
}

#[test]
fn a_record_that_holds_passes_with_its_typed_result() {
    let want = json!({"replies": ["250", "250 b"], "commands": ["a", "b"], "fatal": false, "closes": false,
        "needs_more": true, "has": {"word": "a"}});
    let Outcome::Passed(result) = outcome("a\r\nb\r\nc", json!({}), want) else { panic!("it fails") };
    assert!(result.contains("command a; "), "{result}");
}

#[test]
fn each_key_of_want_bites() {
    let input = "a\r\nb\r\nc";
    for (want, complaint) in [
        (json!({"replies": ["250"]}), "replies: wanted [\"250\"], got [\"250 a\", \"250 b\"]"),
        (json!({"replies": ["5", "250"]}), "replies: wanted"),
        (json!({"commands": ["a", "x"]}), "commands: wanted [\"a\",\"x\"], got [\"a\", \"b\"]"),
        (json!({"completes": ["OK"]}), "completes: wanted [\"OK\"], got []"),
        (json!({"fatal": true}), "fatal: wanted true, got false (no error)"),
        (json!({"closes": true}), "closes: wanted true, got Open"),
        (json!({"ends": true}), "ends: wanted true, got Open"),
        (json!({"needs_more": false}), "needs_more: wanted false, got true"),
        (json!({"output": ""}), "output: wanted \"\", got \"250 a\\r\\n250 b\\r\\n\""),
        (json!({"output_any": ["", "x"]}), "output_any: wanted"),
        (json!({"never": ["b"]}), "never: wanted no \"b\", got it in the output"),
        (json!({"not_echoed": ["250 a"]}), "not_echoed: wanted no"),
        (json!({"malformed": ["line"]}), "malformed: wanted [\"line\"], got []"),
        (json!({"repairs": true}), "repairs: wanted true, got 0"),
        (json!({"has": {"word": "c"}}), "has.word: wanted \"c\", got \"a\" and \"b\""),
        (json!({"has": {"word": null}}), "has.word: wanted null, got"),
        (json!({"has": {"other": 1}}), "has.other: wanted 1, got nothing"),
    ] {
        let why = failure(outcome(input, json!({}), want.clone()));
        assert!(why.starts_with(complaint), "{want}: {why}");
    }
}

#[test]
fn open_keys_are_not_judged() {
    for want in [
        json!({"replies": null, "commands": null, "fatal": null, "closes": null, "needs_more": null, "malformed": null}),
        json!({"repairs": null, "has": {"tls": null}}),
        json!({}),
    ] {
        assert_passes(&outcome("a\r\nb\r\nc", json!({}), want));
    }
}

#[test]
fn the_lists_know_alternatives_options_and_the_rest() {
    for (want, holds) in [
        (json!(["a", "b"]), true),
        (json!(["x|a", "b|y"]), true),
        (json!(["a", "x?", "b", "y|z?"]), true),
        (json!(["a?", "a", "b"]), true),
        (json!(["..."]), true),
        (json!(["a", "..."]), true),
        (json!(["...", "b"]), true),
        (json!([null, null]), true),
        (json!([null]), false),
        (json!(["...", "a"]), false),
        (json!(["b", "a"]), false),
        (json!([]), false),
    ] {
        let passed =
            matches!(outcome("a\r\nb\r\n", json!({}), json!({"commands": want})), Outcome::Passed(_));
        assert_eq!(passed, holds, "{want}");
    }
}

#[test]
fn a_violation_is_fatal_and_a_quit_ends() {
    assert_passes(&outcome(
        "fail\r\nb\r\n",
        json!({}),
        json!({"commands": [], "fatal": true, "closes": null}),
    ));
    assert_passes(&outcome(
        "quit\r\nb\r\n",
        json!({}),
        json!({"replies": ["221"], "ends": true, "closes": false}),
    ));
    let why = failure(outcome("quit\r\n", json!({}), json!({"closes": false})));
    assert_eq!(why, "closes: wanted false, got Ended");
}

#[test]
fn the_peer_closes_both_ways_and_each_is_judged() {
    let eof = json!({"eof": true});
    assert_passes(&outcome("a\r\n", eof.clone(), json!({"ends": true, "fatal": false})));
    assert_passes(&outcome("a\r\nb", eof.clone(), json!({"fatal": true, "needs_more": null})));
    assert!(failure(outcome("a\r\nb", eof, json!({"fatal": false}))).starts_with("fatal: wanted false"));
}

#[test]
fn events_that_depend_on_the_cut_fail() {
    let why = failure(outcome("leak\r\nbbbbbbbbbbbb\r\n", json!({}), json!({"fatal": false})));
    assert!(why.starts_with("wanted the same events for every cut, got with one octet at a time"), "{why}");
    let whole = json!({"feed": "whole"});
    assert_passes(&outcome("leak\r\nbbbbbbbbbbbb\r\n", whole, json!({"commands": ["leaked", null]})));
}

#[test]
fn a_spin_and_a_panic_are_failures_of_their_record_alone() {
    assert!(failure(outcome("spin\r\n", json!({}), json!({}))).starts_with("spins"));
    let why = failure(outcome("panic\r\n", json!({}), json!({})));
    assert_eq!(why, "panic: as asked");
    assert_passes(&outcome("a\r\n", json!({}), json!({})));
}

#[test]
fn a_script_is_checked_on_the_way() {
    let script = json!({"script": [["peer", "a\r\n"], ["us", "250 whatever\r\n"], ["peer", "b\r\n"], ["us", "250 x\r\n"]]});
    assert_passes(&outcome("c\r\n", script, json!({"commands": ["c"], "replies": ["250 c"]})));
    let script = json!({"script": [["peer", "a\r\n"], ["us", "550 no\r\n"]]});
    let why = failure(outcome("c\r\n", script, json!({})));
    assert_eq!(why, "setup, step 1: wanted [\"550 no\"], got [\"250 a\"]");
    let script = json!({"script": [["peer", "fail\r\n"]]});
    assert_eq!(failure(outcome("", script, json!({}))), "setup, step 0: fatal (toy error 7)");
}

#[test]
fn tls_comes_at_once_or_by_a_hand_over() {
    let tls = json!({"has": {"tls": true}});
    assert_passes(&outcome("a\r\n", json!({"script": [["tls", ""]]}), tls.clone()));
    let steps = json!([["peer", "starttls\r\n"], ["us", "220 go\r\n"], ["tls", ""]]);
    assert_passes(&outcome("a\r\n", json!({"script": steps}), tls));
    let why = failure(outcome(
        "a\r\n",
        json!({"script": [["peer", "a\r\n"], ["us", "250"], ["tls", ""]]}),
        json!({}),
    ));
    assert_eq!(why, "setup, step 2: no hand-over is due");
    let whole = json!({"feed": "whole"});
    assert_passes(&outcome("starttls\r\nb", whole, json!({"commands": [], "fatal": null, "closes": true})));
}

#[test]
fn encoders_are_run_through_the_table() {
    let wanted = |output| json!({"refused": false, "output": output});
    let setup = json!({"kind": "encode", "encode": "Upper"});
    assert_passes(&outcome("ab", setup.clone(), wanted("AB")));
    assert!(failure(outcome("ab", setup.clone(), wanted("ab"))).starts_with("output: wanted"));
    assert!(
        failure(outcome("ab", setup.clone(), json!({"refused": true}))).starts_with("refused: wanted true")
    );
    assert_passes(&outcome("\u{e9}", setup.clone(), json!({"refused": true})));
    assert_passes(&outcome("\u{e9}", setup, json!({"refused": null, "output_any": ["x"]})));
    let other = json!({"kind": "encode", "encode": "Other"});
    assert_eq!(failure(outcome("ab", other, json!({}))), "wanted a type Other, got none");
}

#[test]
fn typed_values_compare_in_their_own_way() {
    for (value, want, same) in [
        (Val::Octets(vec![0xff]), json!("\u{ff}"), true),
        (Val::Octets(b"7".to_vec()), json!(7), true),
        (Val::octets("a"), json!("A"), false),
        (Val::name("\\SEEN"), json!("\\Seen"), true),
        (Val::Text("\u{1f600}".into()), json!("\u{1f600}"), true),
        (Val::Num(20), json!("20"), true),
        (Val::Num(20), json!(21), false),
        (Val::Set("5,1:3,4".into()), json!("1:5"), true),
        (Val::Set("4:2".into()), json!("2:4"), true),
        (Val::Set("5:*".into()), json!("*:5"), true),
        (Val::Set("1:*".into()), json!("1,*"), false),
        (Val::Names(vec!["A".into(), "B".into()]), json!(["b", "a"]), true),
        (Val::Names(vec!["A".into()]), json!(["a", "b"]), false),
        (Val::List(vec![Val::Num(1), Val::octets("x")]), json!([1, "x"]), true),
        (Val::List(vec![Val::Num(2), Val::Num(1)]), json!([1, 2]), false),
        (
            Val::Map(vec![("A".into(), Val::Num(1)), ("B".into(), Val::Null)]),
            json!({"a": 1, "b": null}),
            true,
        ),
        (Val::Map(vec![("A".into(), Val::Num(1))]), json!({"A": null}), false),
        (Val::Null, json!(0), false),
        (Val::True, json!(true), true),
    ] {
        assert_eq!(value.is(&want), same, "{} against {want}", value.show());
    }
}

#[test]
fn has_counts_measures_and_misses() {
    let mut seen = Seen::default();
    seen.value("EHLO.keywords", Val::Names(vec!["SIZE".into(), "DSN".into()]));
    seen.value("EXPUNGE", Val::Num(3));
    seen.value("EXPUNGE", Val::Num(3));
    seen.value("code.ALERT", Val::True);
    seen.value("text", Val::octets("four"));
    seen.chunk(b"ab");
    seen.chunk(b"cd");
    for (has, holds) in [
        (json!({"EHLO.keywords": ["DSN"]}), true),
        (json!({"EHLO.keywords": ["AUTH"]}), false),
        (json!({"EHLO.missing": ["AUTH"]}), true),
        (json!({"EHLO.missing": ["AUTH", "dsn"]}), false),
        (json!({"EHLO.count": 2}), true),
        (json!({"LIST.count": 0}), true),
        (json!({"EXPUNGE": [3, 3]}), true),
        (json!({"EXPUNGE": [3]}), false),
        (json!({"EXPUNGE.count": 2}), true),
        (json!({"code": null}), false),
        (json!({"text.octets": 4}), true),
        (json!({"body": "abcd", "body.octets": 4}), true),
        (json!({"body": null}), false),
    ] {
        let complaints = judge(&record("", json!({}), json!({"has": has})), &seen, &[]);
        assert_eq!(complaints.is_empty(), holds, "{has}: {complaints:?}");
    }
}

#[test]
fn behind_a_status_the_text_of_an_output_is_free() {
    let seen = |output: &[u8]| Seen { output: output.to_vec(), ..Seen::default() };
    for (want, output, holds) in [
        ("+OK\r\na\r\n.\r\n", b"+OK 1 octet\r\na\r\n.\r\n".as_slice(), true),
        ("+OK\r\na\r\n.\r\n", b"+OK\r\nb\r\n.\r\n", false),
        ("250 ok\r\n", b"250 2.0.0 fine\r\n", true),
        ("250 ok\r\n", b"251 ok\r\n", false),
        ("250 ok\r\n", b"250 ok\r\n250 ok\r\n", false),
        ("*\r\n", b"*\r\n", true),
    ] {
        let complaints = judge(&record("", json!({}), json!({"output": want})), &seen(output), &[]);
        assert_eq!(complaints.is_empty(), holds, "{want:?}: {complaints:?}");
    }
}

#[test]
fn what_is_dropped_or_free_in_commands() {
    let mut seen = Seen::default();
    ["BDAT", "body:3", "NOOP", "abort"].into_iter().for_each(|verb| seen.command(verb));
    for (want, holds) in [
        (json!(["BDAT", "body:3"]), true),
        (json!(["BDAT", "body", "NOOP"]), true),
        (json!(["BDAT", "body:4"]), false),
        (json!(["BDAT", "body:3", "abort"]), true),
        (json!(["BDAT", "body|abort"]), false),
    ] {
        let complaints = judge(&record("", json!({}), json!({"commands": want})), &seen, &[]);
        assert_eq!(complaints.is_empty(), holds, "{want}: {complaints:?}");
    }
    assert_eq!(seen.over, Over::Open);
}

#[test]
fn a_schedule_gives_every_octet_once() {
    for len in [0, 1, 2, 5, 2048, 2049, 200_000] {
        let input: Vec<u8> = (0..len).map(|n: u32| n.to_le_bytes()[0]).collect();
        for schedule in Schedule::all(input.len(), false).into_iter().take(64) {
            let joined: Vec<u8> = schedule.reads(&input).flatten().copied().collect();
            assert!(joined == input, "{} of {len}", schedule.name());
        }
    }
    assert_eq!(Schedule::all(5, false).len(), 2 + 4);
    assert_eq!(Schedule::all(5, true), [Schedule::Whole]);
}

#[test]
fn a_record_with_an_unknown_key_is_refused() {
    let line = |setup: Value, want: Value| {
        json!({"id": "x", "protocol": "pop3", "role": "client", "verdict": "value", "input": "",
            "setup": setup, "want": want})
    };
    let good = json!({"kind": "wire", "script": []});
    assert!(Record::read(&line(good.clone(), json!({}))).is_ok());
    assert!(Record::read(&line(good.clone(), json!({"whatever": 1}))).is_err());
    assert!(Record::read(&line(json!({"kind": "wire", "speed": 3}), json!({}))).is_err());
    assert!(Record::read(&line(json!({"kind": "wire", "policy": {"line": "maybe"}}), json!({}))).is_err());
    let parts = json!({"id": "x", "protocol": "pop3", "role": "client", "verdict": "value", "input": null,
        "parts": [["ab", 2], ["\u{ff}", 1]], "setup": good, "want": {}});
    assert_eq!(Record::read(&parts).expect("a record").input, b"abab\xff");
}

#[test]
fn units_of_an_rfc_are_asked_for_more_at_every_prefix() {
    let unit = |id: &str, octets: &str, exact: bool| {
        Unit::read(
            &json!({"id": id, "rfc": 1, "section": "1", "line": 1, "protocol": "smtp", "block": 1, "step": 0,
            "direction": "C", "kind": "command", "bytes": octets, "exact": exact}),
        )
        .expect("a unit")
    };
    let units = [
        unit("a", "a\r\n", true),
        unit("b", "b\r\nc\r\n", true),
        unit("c", "c", true),
        unit("d", "d", false),
    ];
    let outcomes = crate::rfc::run(&ToyAdapter, &units);
    assert!(matches!(outcomes[0], Outcome::Passed(_)), "{:?}", outcomes[0]);
    assert!(failure(outcomes[1].clone()).starts_with("wanted more input after 3 octets"));
    assert_eq!(failure(outcomes[2].clone()), "wanted command, got no event");
    assert!(matches!(outcomes[3], Outcome::Skipped(_)));
}
