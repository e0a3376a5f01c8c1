//! Checks what was seen against `want`, key by key.

use serde_json::{Map, Value};

use crate::octets::{contains, latin1, show};
use crate::record::{Record, Role};
use crate::seen::{Over, Seen};
use crate::value::Val;

/// Verbs that a server machine may answer by itself: they are dropped on both sides.
const SELF_ANSWERED: &[&str] = &["NOOP", "HELP", "CAPA", "CAPABILITY"];

/// What does not hold, each as `key: wanted .., got ..`. Empty: the record passes.
pub(crate) fn judge(record: &Record, seen: &Seen, replies: &[String]) -> Vec<String> {
    let mut judge = Judge { record, want: &record.want, seen, complaints: Vec::new() };
    judge.lists(replies);
    judge.end();
    judge.output();
    judge.octets();
    judge.malformed_and_repairs();
    judge.has();
    judge.complaints
}

struct Judge<'r> {
    record: &'r Record,
    want: &'r Map<String, Value>,
    seen: &'r Seen,
    complaints: Vec<String>,
}

impl Judge<'_> {
    fn wanted(&mut self, key: &str, want: impl std::fmt::Display, got: impl std::fmt::Display) {
        self.complaints.push(format!("{key}: wanted {want}, got {got}"));
    }

    fn lists(&mut self, replies: &[String]) {
        let replies: Vec<&str> = replies.iter().map(String::as_str).collect();
        self.list("replies", &replies, |want, got| got.starts_with(want));
        self.list("completes", &self.seen.completes(), |want, got| want == got);
        let dropped = |verb: &&str| !SELF_ANSWERED.contains(verb);
        let mut commands: Vec<&str> = self.seen.commands().into_iter().filter(dropped).collect();
        let listed = self.want.get("commands").is_some_and(|want| want.to_string().contains("abort"));
        if !listed {
            commands.retain(|verb| *verb != "abort");
        }
        // `body` without a number is a complete message of any length.
        self.list("commands", &commands, |want, got| {
            want == got || (want == "body" && got.starts_with("body:"))
        });
    }

    fn list(&mut self, key: &str, got: &[&str], same: fn(&str, &str) -> bool) {
        let Some(want) = self.want.get(key).and_then(Value::as_array) else { return };
        let items: Vec<Item> = want
            .iter()
            .map(Item::read)
            .filter(|item| {
                key != "commands" || !item.alternatives.iter().any(|a| SELF_ANSWERED.contains(&a.as_str()))
            })
            .collect();
        if !Item::all_match(&items, got, same) {
            self.wanted(key, Value::from(want.clone()), format!("{got:?}"));
        }
    }

    fn end(&mut self) {
        let seen = self.seen;
        let fatal = seen.fatal.is_some();
        let error = seen.fatal.as_deref().unwrap_or("no error").to_owned();
        if let Some(want) = self.want.get("fatal").and_then(Value::as_bool) {
            if want != fatal {
                self.wanted("fatal", want, format!("{fatal} ({error})"));
            }
        }
        let ends = self.want.get("ends").and_then(Value::as_bool).unwrap_or(false);
        if ends && (fatal && self.is_false("fatal") || !matches!(seen.over, Over::Ended | Over::Eof)) {
            self.wanted("ends", true, format!("{:?} ({error})", seen.over));
        }
        match self.want.get("closes").and_then(Value::as_bool) {
            Some(true) if !(fatal || matches!(seen.over, Over::Closed | Over::Eof)) => {
                self.wanted("closes", true, format!("{:?}", seen.over));
            }
            Some(false) if !ends && seen.over != Over::Open => {
                self.wanted("closes", false, format!("{:?}", seen.over))
            }
            Some(false) if ends && seen.over == Over::Closed => self.wanted("closes", false, "Closed"),
            _ => {}
        }
        if let Some(want) = self.want.get("needs_more").and_then(Value::as_bool) {
            if want != seen.needs_more {
                self.wanted("needs_more", want, seen.needs_more);
            }
        }
    }

    fn output(&mut self) {
        if let Some(want) = self.want.get("output").and_then(Value::as_str) {
            if !same_output(want, &self.seen.output) {
                self.wanted("output", format!("{want:?}"), show(&self.seen.output));
            }
        }
        if let Some(any) = self.want.get("output_any").and_then(Value::as_array) {
            if !any.iter().filter_map(Value::as_str).any(|want| same_output(want, &self.seen.output)) {
                self.wanted("output_any", Value::from(any.clone()), show(&self.seen.output));
            }
        }
    }

    fn octets(&mut self) {
        for (key, with_events) in [("never", true), ("not_echoed", false)] {
            let list = self.want.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let events = if with_events && !list.is_empty() { self.seen.event_octets() } else { Vec::new() };
            for needle in list.iter().filter_map(Value::as_str) {
                let octets = latin1(needle).unwrap_or_else(|_| needle.as_bytes().to_vec());
                if contains(&self.seen.output, &octets) {
                    self.wanted(key, format!("no {needle:?}"), "it in the output");
                } else if contains(&events, &octets) {
                    self.wanted(key, format!("no {needle:?}"), "it in an event");
                }
            }
        }
    }

    fn malformed_and_repairs(&mut self) {
        let names = self.seen.malformed_names();
        // What a server refuses is reported malformed as well; there the replies are judged.
        let legal = self.record.verdict == "accept" && self.record.role == Role::Client;
        match self.want.get("malformed") {
            Some(Value::Array(want)) => {
                let mut wanted: Vec<&str> = want.iter().filter_map(Value::as_str).collect();
                let mut got = names.clone();
                wanted.sort_unstable();
                got.sort_unstable();
                if wanted != got {
                    self.wanted("malformed", Value::from(want.clone()), format!("{names:?}"));
                }
            }
            None if legal && !names.is_empty() => self.wanted("malformed", "[]", format!("{names:?}")),
            _ => {}
        }
        if self.want.get("repairs") == Some(&Value::Bool(true)) && self.seen.repairs == 0 {
            self.wanted("repairs", true, 0);
        }
    }

    fn has(&mut self) {
        let Some(has) = self.want.get("has").and_then(Value::as_object) else { return };
        for (key, want) in has {
            if let Err(got) = holds(self.seen, key, want) {
                self.wanted(&format!("has.{key}"), want, got);
            }
        }
    }

    fn is_false(&self, key: &str) -> bool {
        self.want.get(key).and_then(Value::as_bool) == Some(false)
    }
}

/// One item of the three lists.
struct Item {
    alternatives: Vec<String>,
    optional: bool,
    any: bool,
    rest: bool,
}

impl Item {
    fn read(item: &Value) -> Item {
        let text = item.as_str().unwrap_or_default();
        let (text, optional) = text.strip_suffix('?').map_or((text, false), |text| (text, true));
        Item {
            alternatives: text.split('|').map(str::to_owned).collect(),
            optional,
            any: item.is_null(),
            rest: text == "...",
        }
    }

    /// Whether the whole of `got` is what the items describe. The reachable positions are kept, so that the cost is
    /// bounded by their product.
    fn all_match(items: &[Item], got: &[&str], same: fn(&str, &str) -> bool) -> bool {
        let mut reached = vec![false; got.len() + 1];
        reached[0] = true;
        for item in items {
            let mut next = vec![false; got.len() + 1];
            for at in 0..=got.len() {
                if !reached[at] {
                    continue;
                }
                if item.rest {
                    next[at..].fill(true);
                    continue;
                }
                if item.optional {
                    next[at] = true;
                }
                if at < got.len() && (item.any || item.alternatives.iter().any(|want| same(want, got[at]))) {
                    next[at + 1] = true;
                }
            }
            reached = next;
        }
        reached[got.len()]
    }
}

/// Output compares line by line; behind a status or a code the text is free.
fn same_output(want: &str, got: &[u8]) -> bool {
    let Ok(want) = latin1(want) else { return false };
    let (want, got): (Vec<_>, Vec<_>) =
        (want.split(|o| *o == b'\n').collect(), got.split(|o| *o == b'\n').collect());
    want.len() == got.len()
        && want.iter().zip(&got).all(|(want, got)| {
            want == got || status(want).is_some_and(|status| got.starts_with(status) && got.ends_with(b"\r"))
        })
}

/// The status at the start of a reply line.
fn status(line: &[u8]) -> Option<&[u8]> {
    let digits =
        line.get(..4).filter(|code| code[..3].iter().all(u8::is_ascii_digit) && b" -".contains(&code[3]));
    digits.or_else(|| [b"+OK".as_slice(), b"-ERR"].into_iter().find(|status| line.starts_with(status)))
}

/// Whether a typed value was seen; the error says what was.
fn holds(seen: &Seen, key: &str, want: &Value) -> Result<(), String> {
    if key == "body" || key == "body.octets" {
        return body_holds(seen, key, want);
    }
    let values = seen.values(key);
    if want.is_null() {
        let absent =
            values.iter().all(|value| **value == Val::Null) && !(key == "code" && seen.has_under(key));
        return if absent { Ok(()) } else { Err(shown(&values)) };
    }
    if values.iter().any(|value| value.is(want)) {
        return Ok(());
    }
    if let Some(prefix) = key.strip_suffix(".missing") {
        let (missing, listed) = (want.as_array().ok_or("no list wanted")?, names(seen, prefix));
        let there = missing
            .iter()
            .filter_map(Value::as_str)
            .find(|name| listed.iter().any(|n| n.eq_ignore_ascii_case(name)));
        return there.map_or(Ok(()), |name| Err(name.to_owned()));
    }
    if let Some(prefix) = key.strip_suffix(".keywords") {
        let (wanted, listed) = (want.as_array().ok_or("no list wanted")?, names(seen, prefix));
        let missing = wanted
            .iter()
            .filter_map(Value::as_str)
            .find(|name| !listed.iter().any(|n| n.eq_ignore_ascii_case(name)));
        return missing.map_or(Ok(()), |name| Err(format!("{listed:?} without {name}")));
    }
    if let Some(prefix) = key.strip_suffix(".count") {
        let mut counted = seen.values(prefix);
        if counted.is_empty() {
            counted = seen.values(&format!("{prefix}.keywords"));
        }
        // Occurrences count one by one; a single list counts by its items.
        let count = match counted.as_slice() {
            [one @ (Val::Names(_) | Val::List(_) | Val::Map(_))] => one.count(),
            [] => seen.values(&format!("{prefix}.name")).len() as u64,
            many => many.len() as u64,
        };
        return if want.as_u64() == Some(count) { Ok(()) } else { Err(count.to_string()) };
    }
    if let Some(prefix) = key.strip_suffix(".octets") {
        let lengths: Vec<_> = seen.values(prefix).iter().filter_map(|value| value.length()).collect();
        return if lengths.iter().any(|n| want.as_u64() == Some(*n)) {
            Ok(())
        } else {
            Err(format!("{lengths:?}"))
        };
    }
    if let Value::Array(list) = want {
        // Several occurrences, one value each.
        if list.len() == values.len() && values.iter().zip(list).all(|(value, want)| value.is(want)) {
            return Ok(());
        }
    }
    Err(shown(&values))
}

/// The names in the lists under a prefix, or under its keywords.
fn names(seen: &Seen, prefix: &str) -> Vec<String> {
    let mut values = seen.values(prefix);
    values.extend(seen.values(&format!("{prefix}.keywords")));
    let mut names = Vec::new();
    for value in values {
        match value {
            Val::Names(list) => names.extend(list.iter().cloned()),
            Val::List(list) => names.extend(list.iter().map(Val::show)),
            Val::Map(list) => names.extend(list.iter().map(|(key, _)| key.clone())),
            _ => {}
        }
    }
    names
}

/// The body that was streamed, whole; several messages stand one after another.
fn body_holds(seen: &Seen, key: &str, want: &Value) -> Result<(), String> {
    let bodies = seen.bodies();
    if key == "body.octets" {
        let octets: u64 = bodies.iter().map(|body| body.octets).sum();
        return if want.as_u64() == Some(octets) { Ok(()) } else { Err(octets.to_string()) };
    }
    let want = match want {
        Value::Null => return if bodies.is_empty() { Ok(()) } else { Err("a body".into()) },
        want => latin1(want.as_str().ok_or("no octets wanted")?)?,
    };
    let all: Vec<u8> = bodies.iter().flat_map(|body| body.head.iter().copied()).collect();
    if all == want || bodies.iter().any(|body| body.head == want) { Ok(()) } else { Err(show(&all)) }
}

fn shown(values: &[&Val]) -> String {
    match values {
        [] => "nothing".into(),
        many => many.iter().map(|value| value.show()).collect::<Vec<_>>().join(" and "),
    }
}
