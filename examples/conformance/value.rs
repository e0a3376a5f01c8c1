//! Typed values: what an adapter saw, and how it compares with a value of `want.has`.

use serde_json::Value;

use crate::octets::{latin1, show};

/// One typed value out of an event. The variant says how it compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Val {
    /// NIL, missing or unknown.
    Null,
    /// Present, and without a value of its own.
    True,
    /// A number.
    Num(u64),
    /// Octets of the peer: equal octet by octet.
    Octets(Vec<u8>),
    /// Unicode text, the result of a decoding.
    Text(String),
    /// A name of the protocol (code, type, keyword, flag): equal without regard to ASCII case.
    Name(String),
    /// A sequence set: equal when both denote the same numbers.
    Set(String),
    /// Names whose order says nothing.
    Names(Vec<String>),
    /// A list in order.
    List(Vec<Val>),
    /// Named values.
    Map(Vec<(String, Val)>),
}

impl Val {
    /// Octets of the peer.
    pub(crate) fn octets(octets: impl AsRef<[u8]>) -> Val {
        Val::Octets(octets.as_ref().to_vec())
    }

    /// A name of the protocol; octets that are not UTF-8 are kept readable.
    pub(crate) fn name(name: impl AsRef<[u8]>) -> Val {
        Val::Name(String::from_utf8_lossy(name.as_ref()).into_owned())
    }

    /// [`Val::Null`] for `None`.
    pub(crate) fn or_null(value: Option<Val>) -> Val {
        value.unwrap_or(Val::Null)
    }

    /// How many there are: of a list, of named values, of a set of names; one of anything else.
    pub(crate) fn count(&self) -> u64 {
        let count = match self {
            Val::Null => 0,
            Val::Names(names) => names.len(),
            Val::List(items) => items.len(),
            Val::Map(items) => items.len(),
            _ => 1,
        };
        count as u64
    }

    /// How many octets the value is long.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Val::Octets(octets) => Some(octets.len() as u64),
            Val::Text(text) | Val::Name(text) | Val::Set(text) => Some(text.len() as u64),
            Val::List(items) => items.iter().map(Val::length).sum(),
            _ => None,
        }
    }

    /// All octets that the value shows, for the keys `never` and `not_echoed`.
    pub(crate) fn shown_octets(&self, into: &mut Vec<u8>) {
        match self {
            Val::Null | Val::True => {}
            Val::Num(number) => into.extend_from_slice(number.to_string().as_bytes()),
            Val::Octets(octets) => into.extend_from_slice(octets),
            Val::Text(text) | Val::Name(text) | Val::Set(text) => into.extend_from_slice(text.as_bytes()),
            Val::Names(names) => names.iter().for_each(|name| {
                into.extend_from_slice(name.as_bytes());
                into.push(b'\n');
            }),
            Val::List(items) => items.iter().for_each(|item| {
                item.shown_octets(into);
                into.push(b'\n');
            }),
            Val::Map(items) => items.iter().for_each(|(key, item)| {
                into.extend_from_slice(key.as_bytes());
                into.push(b'\n');
                item.shown_octets(into);
                into.push(b'\n');
            }),
        }
    }

    /// Whether this is the value that a record wants.
    pub(crate) fn is(&self, want: &Value) -> bool {
        match (self, want) {
            (Val::Null, Value::Null) | (Val::True, Value::Bool(true)) => true,
            (Val::Num(number), Value::Number(want)) => want.as_u64() == Some(*number),
            (Val::Num(number), Value::String(want)) => number.to_string() == *want,
            // An attribute that the library does not know is kept as octets, a number too.
            (Val::Octets(octets), Value::Number(want)) => octets == want.to_string().as_bytes(),
            (Val::Octets(octets), Value::String(want)) => latin1(want).is_ok_and(|want| want == *octets),
            (Val::Text(text), Value::String(want)) => text == want,
            (Val::Name(name), Value::String(want)) => name.eq_ignore_ascii_case(want),
            (Val::Name(name), Value::Number(want)) => *name == want.to_string(),
            (Val::Set(set), Value::String(want)) => canonical_set(set) == canonical_set(want),
            (Val::Set(set), Value::Number(want)) => canonical_set(set) == canonical_set(&want.to_string()),
            (Val::Names(names), Value::Array(want)) => {
                names.len() == want.len()
                    && want
                        .iter()
                        .all(|w| names.iter().any(|n| w.as_str().is_some_and(|w| n.eq_ignore_ascii_case(w))))
            }
            (Val::List(items), Value::Array(want)) => {
                items.len() == want.len() && items.iter().zip(want).all(|(item, want)| item.is(want))
            }
            (Val::Map(items), Value::Object(want)) => want.iter().all(|(key, want)| {
                let mut same = items.iter().filter(|(k, _)| k.eq_ignore_ascii_case(key));
                if want.is_null() {
                    same.all(|(_, v)| *v == Val::Null)
                } else {
                    same.any(|(_, v)| v.is(want))
                }
            }),
            // The count of a list or of the parameters that a record asks for under the list's own name.
            (Val::Names(_) | Val::List(_) | Val::Map(_), Value::Number(want)) => {
                want.as_u64() == Some(self.count())
            }
            _ => false,
        }
    }

    /// The value on one line of a report.
    pub(crate) fn show(&self) -> String {
        match self {
            Val::Null => "null".into(),
            Val::True => "true".into(),
            Val::Num(number) => number.to_string(),
            Val::Octets(octets) => show(octets),
            Val::Text(text) => format!("{text:?}"),
            Val::Name(name) => name.clone(),
            Val::Set(set) => canonical_set(set),
            Val::Names(names) => format!("{{{}}}", names.join(" ")),
            Val::List(items) => format!("[{}]", items.iter().map(Val::show).collect::<Vec<_>>().join(", ")),
            Val::Map(items) => {
                let shown: Vec<_> =
                    items.iter().map(|(key, item)| format!("{key}: {}", item.show())).collect();
                format!("{{{}}}", shown.join(", "))
            }
        }
    }
}

/// A sequence set in one form: ranges ascending, sorted, joined where they touch. What is no set stays as it is.
fn canonical_set(set: &str) -> String {
    fn number(text: &str) -> Option<u64> {
        if text == "*" { Some(u64::MAX) } else { text.parse().ok() }
    }
    let mut ranges = Vec::new();
    for item in set.split(',') {
        let (a, b) = item.split_once(':').unwrap_or((item, item));
        let (Some(a), Some(b)) = (number(a), number(b)) else { return set.to_owned() };
        ranges.push((a.min(b), a.max(b)));
    }
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (low, high) in ranges {
        match joined.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) && low != u64::MAX => last.1 = last.1.max(high),
            _ => joined.push((low, high)),
        }
    }
    let shown = |n: u64| if n == u64::MAX { "*".to_owned() } else { n.to_string() };
    let items: Vec<_> = joined
        .into_iter()
        .map(|(low, high)| if low == high { shown(low) } else { format!("{}:{}", shown(low), shown(high)) })
        .collect();
    items.join(",")
}
