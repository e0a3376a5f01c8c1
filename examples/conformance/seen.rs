//! The observation log: what a machine said and wrote, in words that all protocols share.

use crate::octets::{DIGEST_SEED, digest, show};
use crate::value::Val;

/// Octets of a body that are kept for comparison; of what is longer, length and digest are.
const KEPT: usize = 1 << 20;

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Role server: what the application is asked to act on.
    Command(String),
    /// Role client: how a command or the greeting ended.
    Complete(String),
    /// A typed value under the name that the README of the vectors gives it.
    Value(String, Val),
    /// The name of something reported malformed.
    Malformed(String),
    /// Octets of a body that arrived in pieces.
    Body(Body),
    /// Octets that an event showed besides its typed values.
    Shown(Vec<u8>),
}

/// A run of body octets: adjacent pieces are one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// The first octets, up to a bound.
    pub(crate) head: Vec<u8>,
    /// How many there were.
    pub(crate) octets: u64,
    /// Digest of all of them.
    pub(crate) digest: u64,
}

/// How far the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Over {
    /// It goes on.
    #[default]
    Open,
    /// Our side closes because of a fault or a final reply.
    Closed,
    /// Over in the ordinary way: QUIT, LOGOUT, BYE.
    Ended,
    /// The peer has closed and nothing was owed.
    Eof,
}

/// Everything that came out of one replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Observations in order.
    pub(crate) log: Vec<Entry>,
    /// Octets that our side wrote.
    pub(crate) output: Vec<u8>,
    /// Named repairs that were counted.
    pub(crate) repairs: u64,
    /// The fatal error, in words.
    pub(crate) fatal: Option<String>,
    /// How far the session is.
    pub(crate) over: Over,
    /// The input ended inside a unit.
    pub(crate) needs_more: bool,
    /// What no machine may do: spin, change its error, speak after its end.
    pub(crate) fault: Option<String>,
}

impl Seen {
    /// Notes what the application is asked to act on.
    pub(crate) fn command(&mut self, verb: impl Into<String>) {
        self.log.push(Entry::Command(verb.into()));
    }

    /// Notes how a command or the greeting ended.
    pub(crate) fn complete(&mut self, status: impl Into<String>) {
        self.log.push(Entry::Complete(status.into()));
    }

    /// Notes a typed value.
    pub(crate) fn value(&mut self, key: impl Into<String>, value: Val) {
        self.log.push(Entry::Value(key.into(), value));
    }

    /// Notes the name of something reported malformed.
    pub(crate) fn malformed(&mut self, name: impl Into<String>) {
        self.log.push(Entry::Malformed(name.into()));
    }

    /// Notes octets that an event showed besides its typed values.
    pub(crate) fn shown(&mut self, octets: &[u8]) {
        self.log.push(Entry::Shown(octets.to_vec()));
    }

    /// Notes a piece of a body; it joins the piece before it.
    pub(crate) fn chunk(&mut self, octets: &[u8]) {
        if let Some(Entry::Body(body)) = self.log.last_mut() {
            body.push(octets);
        } else if !octets.is_empty() {
            let mut body = Body { head: Vec::new(), octets: 0, digest: DIGEST_SEED };
            body.push(octets);
            self.log.push(Entry::Body(body));
        }
    }

    /// Notes what no machine may do. The first fault stays.
    pub(crate) fn fault(&mut self, what: impl Into<String>) {
        self.fault.get_or_insert_with(|| what.into());
    }

    /// Forgets what was seen so far: from here on the input of the record counts.
    pub(crate) fn mark(&mut self) {
        let (fatal, over, fault) = (self.fatal.take(), self.over, self.fault.take());
        *self = Seen { fatal, over, fault, ..Seen::default() };
    }

    /// How many observations tell that a unit is complete (pieces of a body do not).
    pub(crate) fn completions(&self) -> usize {
        self.log.iter().filter(|entry| !matches!(entry, Entry::Body(_))).count()
    }

    /// All verbs of [`Entry::Command`], in order.
    pub(crate) fn commands(&self) -> Vec<&str> {
        self.log
            .iter()
            .filter_map(|entry| if let Entry::Command(verb) = entry { Some(verb.as_str()) } else { None })
            .collect()
    }

    /// All ends of commands, in order.
    pub(crate) fn completes(&self) -> Vec<&str> {
        self.log
            .iter()
            .filter_map(|entry| if let Entry::Complete(how) = entry { Some(how.as_str()) } else { None })
            .collect()
    }

    /// All names reported malformed, in order.
    pub(crate) fn malformed_names(&self) -> Vec<&str> {
        self.log
            .iter()
            .filter_map(|entry| if let Entry::Malformed(name) = entry { Some(name.as_str()) } else { None })
            .collect()
    }

    /// All values under a key, in order. Keys compare without regard to ASCII case.
    pub(crate) fn values(&self, key: &str) -> Vec<&Val> {
        self.log
            .iter()
            .filter_map(|entry| match entry {
                Entry::Value(k, value) if k.eq_ignore_ascii_case(key) => Some(value),
                _ => None,
            })
            .collect()
    }

    /// Whether a value stands under a key or under one that begins with the key and a dot.
    pub(crate) fn has_under(&self, key: &str) -> bool {
        self.log.iter().any(|entry| match entry {
            Entry::Value(k, value) if *value != Val::Null => {
                k.get(..key.len()).is_some_and(|head| head.eq_ignore_ascii_case(key))
                    && matches!(k.as_bytes().get(key.len()), None | Some(b'.'))
            }
            _ => false,
        })
    }

    /// The runs of body octets, in order.
    pub(crate) fn bodies(&self) -> Vec<&Body> {
        self.log
            .iter()
            .filter_map(|entry| if let Entry::Body(body) = entry { Some(body) } else { None })
            .collect()
    }

    /// All octets that events showed.
    pub(crate) fn event_octets(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for entry in &self.log {
            match entry {
                Entry::Value(_, value) => value.shown_octets(&mut all),
                Entry::Body(body) => all.extend_from_slice(&body.head),
                Entry::Shown(octets) => all.extend_from_slice(octets),
                Entry::Command(_) | Entry::Complete(_) | Entry::Malformed(_) => {}
            }
            // Two values that stand side by side never make up what is looked for.
            all.push(0xff);
        }
        all
    }

    /// The log on one line of a report.
    pub(crate) fn show(&self) -> String {
        let mut parts: Vec<String> = self.log.iter().map(Entry::show).collect();
        if !self.output.is_empty() {
            parts.push(format!("wrote {}", show(&self.output)));
        }
        if self.repairs > 0 {
            parts.push(format!("repairs {}", self.repairs));
        }
        if let Some(error) = &self.fatal {
            parts.push(format!("fatal ({error})"));
        }
        if self.over != Over::Open {
            parts.push(format!("{:?}", self.over).to_lowercase());
        }
        if self.needs_more {
            parts.push("needs more".into());
        }
        parts.join("; ")
    }

    /// The first place where two logs part, in words, or `None` where they are the same.
    pub(crate) fn differs(&self, other: &Seen) -> Option<String> {
        let none = "nothing".to_owned();
        for at in 0..self.log.len().max(other.log.len()) {
            let (a, b) = (self.log.get(at), other.log.get(at));
            if a != b {
                let a = a.map_or_else(|| none.clone(), Entry::show);
                let b = b.map_or_else(|| none.clone(), Entry::show);
                return Some(format!("{a} against {b}"));
            }
        }
        if self.output != other.output {
            return Some(format!("wrote {} against {}", show(&self.output), show(&other.output)));
        }
        let rest = |s: &Seen| {
            format!("repairs {}, fatal {:?}, {:?}, needs more {}", s.repairs, s.fatal, s.over, s.needs_more)
        };
        (self != other).then(|| format!("{} against {}", rest(self), rest(other)))
    }
}

impl Body {
    fn push(&mut self, octets: &[u8]) {
        let room = KEPT.saturating_sub(self.head.len()).min(octets.len());
        self.head.extend_from_slice(octets.get(..room).unwrap_or_default());
        self.octets = self.octets.saturating_add(octets.len() as u64);
        self.digest = digest(self.digest, octets);
    }
}

impl Entry {
    /// The observation in a report.
    pub(crate) fn show(&self) -> String {
        match self {
            Entry::Command(verb) => format!("command {verb}"),
            Entry::Complete(how) => format!("complete {how}"),
            Entry::Value(key, value) => format!("{key}={}", value.show()),
            Entry::Malformed(name) => format!("malformed {name}"),
            Entry::Body(body) => format!("body {}", show(&body.head)),
            Entry::Shown(octets) => format!("shown {}", show(octets)),
        }
    }
}
