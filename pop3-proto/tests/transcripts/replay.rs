//! Replays transcripts with hand-written events through a machine, cut in every way.
//!
//! A transcript has one step a line. Octets are written with `\r \n \\ \xNN`.
//!
//! | line | meaning |
//! |---|---|
//! | `set key value` | a setting of the machine |
//! | `peer octets` | the peer sends |
//! | `event words` | the machine tells; secret spans stand behind it as `{4..9}` |
//! | `do words` | the application acts, once all events above have come |
//! | `sent octets` | the machine has written, in order |
//! | `end closed` or `end error words` or `end open` | how it ends when the peer closes behind the last octet, or before |

use bytes::Buf;
use mail_wire::{Class, Framed, Input, Machine, Mask, Output};

/// A transcript.
pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
    pub(crate) end: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Peer(Vec<u8>),
    Event(String),
    Do(String),
    Sent(Vec<u8>),
}

/// One role: a machine, and the application that a transcript describes.
pub(crate) trait Actor: Sized {
    type Machine: Machine;

    /// Whether the peer may send on before the application has acted: a server holds back what is pipelined.
    const PIPELINES: bool;

    fn new(script: &Script) -> (Self, Self::Machine);
    /// Puts an event into words and keeps its token.
    fn event(&mut self, event: <Self::Machine as Machine>::Event<'_>) -> String;
    /// Acts. `Err` is a misuse, or the end of the session at a hand-over, in words.
    fn act(&mut self, words: &str, link: Link<Self::Machine>) -> Result<Link<Self::Machine>, String>;
}

/// A machine and its buffers.
pub(crate) struct Link<M> {
    pub(crate) machine: M,
    pub(crate) input: Input,
    pub(crate) output: Output,
}

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Outcome {
    pub(crate) events: Vec<String>,
    pub(crate) sent: Vec<u8>,
    pub(crate) end: String,
}

impl Script {
    pub(crate) fn parse(name: &str, text: &str) -> Self {
        let mut script =
            Self { name: name.into(), settings: Vec::new(), steps: Vec::new(), end: "open".into() };
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "set" => {
                    let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
                    script.settings.push((key.into(), value.into()));
                }
                "peer" => script.steps.push(Step::Peer(unescape(rest))),
                "event" => script.steps.push(Step::Event(rest.into())),
                "do" => script.steps.push(Step::Do(rest.into())),
                "sent" => script.steps.push(Step::Sent(unescape(rest))),
                "end" => script.end = rest.into(),
                other => panic!("{name}: {other}"),
            }
        }
        script
    }

    pub(crate) fn has(&self, key: &str, value: &str) -> bool {
        self.settings.iter().any(|(k, v)| k == key && v == value)
    }

    pub(crate) fn peer_octets(&self) -> Vec<u8> {
        let peer = |step: &Step| if let Step::Peer(octets) = step { octets.clone() } else { Vec::new() };
        self.steps.iter().flat_map(peer).collect()
    }

    /// What the transcript says, adjacent chunks joined.
    pub(crate) fn expected(&self) -> Outcome {
        let mut outcome = Outcome { end: self.end.clone(), ..Outcome::default() };
        for step in &self.steps {
            match step {
                Step::Event(words) => outcome.events.push(words.clone()),
                Step::Sent(octets) => outcome.sent.extend_from_slice(octets),
                _ => {}
            }
        }
        outcome
    }
}

/// How the octets of the peer come.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    /// Where reads end, counted over all octets of the peer, in order.
    pub(crate) cuts: Vec<usize>,
    /// The octets that come in place of those of the transcript.
    pub(crate) octets: Vec<u8>,
    pub(crate) eof: bool,
}

impl Feed {
    pub(crate) fn whole(script: &Script) -> Self {
        Self { cuts: Vec::new(), octets: script.peer_octets(), eof: true }
    }
}

/// Replays. Every loop is bounded: a spin is a failure.
pub(crate) fn replay<A: Actor>(script: &Script, feed: &Feed) -> Outcome {
    let (mut actor, machine) = A::new(script);
    let mut link = Link { machine, input: Input::new(), output: Output::new() };
    let mut outcome = Outcome::default();
    let mut steps = script.steps.iter().peekable();
    let mut seen = 0;
    let (mut at, mut barrier) = (0, 0);
    let mut budget = 400 + 40 * feed.octets.len();
    let mut over = false;
    loop {
        // Everything that follows from the octets so far.
        let mut quiet = false;
        while !quiet {
            budget = budget.checked_sub(1).unwrap_or_else(|| panic!("{}: spins: {outcome:?}", script.name));
            let (back, framed) = turn(&mut actor, link, &mut outcome);
            link = back;
            over = matches!(framed, Turn::Over);
            quiet = !matches!(framed, Turn::Event) || over;
            take(&mut link.output, &mut outcome.sent);
            // Steps whose events have come.
            while let Some(step) = steps.peek() {
                match step {
                    Step::Event(words)
                        if outcome.events.get(seen).is_some_and(|event| matches(event, words)) =>
                    {
                        seen += 1
                    }
                    Step::Do(words) if !over && seen == outcome.events.len() => {
                        link = match actor.act(words, link) {
                            Ok(link) => link,
                            Err(words) => {
                                outcome.end = format!("error {words}");
                                return outcome;
                            }
                        };
                        take(&mut link.output, &mut outcome.sent);
                        quiet = false;
                    }
                    Step::Sent(_) => {}
                    Step::Peer(octets) if A::PIPELINES || seen == outcome.events.len() => {
                        barrier += octets.len()
                    }
                    _ => break,
                }
                steps.next();
            }
        }
        if over {
            break;
        }
        if steps.peek().is_none() {
            barrier = usize::MAX;
        }
        let limit = barrier.min(feed.octets.len());
        let stop = feed.cuts.iter().copied().find(|cut| *cut > at).unwrap_or(usize::MAX).min(limit);
        if at < stop {
            at += link.input.feed(&feed.octets[at..stop]);
        } else if at == feed.octets.len() && feed.eof {
            link.machine.eof(mail_wire::End::Fin);
            let left = outcome.events.len() + 40;
            loop {
                let (back, turn) = turn(&mut actor, link, &mut outcome);
                link = back;
                take(&mut link.output, &mut outcome.sent);
                match turn {
                    Turn::Event => assert!(outcome.events.len() < left, "{}: spins at the end", script.name),
                    Turn::Over => break,
                    // What the application owes is owed still.
                    Turn::Waits => {
                        outcome.end = "owed".into();
                        break;
                    }
                }
            }
            break;
        } else {
            // A fault has led away from the transcript, or it leaves the connection open.
            outcome.end = "open".into();
            break;
        }
    }
    fused::<A>(&mut link, &mut outcome);
    outcome
}

enum Turn {
    Event,
    Waits,
    Over,
}

fn turn<A: Actor>(
    actor: &mut A,
    mut link: Link<A::Machine>,
    outcome: &mut Outcome,
) -> (Link<A::Machine>, Turn) {
    let result = match link.machine.frame(&mut link.input, &mut link.output) {
        Ok(Framed::Ready(unit)) => match link.machine.decode(unit, &mut link.input) {
            Ok(event) => {
                let words = actor.event(event) + &secrets(link.machine.masks());
                match outcome.events.last_mut() {
                    Some(last) if last.starts_with("chunk ") && words.starts_with("chunk ") => {
                        last.push_str(&words[6..])
                    }
                    // The lines of a listing are events of their own here: how many come at once is open.
                    _ => outcome.events.extend(words.split('\n').map(str::to_owned)),
                }
                Turn::Event
            }
            Err(error) => {
                outcome.end = format!("error {error}");
                Turn::Over
            }
        },
        Ok(Framed::NeedInput | Framed::Paused(_)) => Turn::Waits,
        Ok(Framed::Closed) => {
            outcome.end = "closed".into();
            Turn::Over
        }
        Err(error) => {
            outcome.end = format!("error {error}");
            Turn::Over
        }
    };
    (link, result)
}

/// The end stays the end, whatever comes.
fn fused<A: Actor>(link: &mut Link<A::Machine>, outcome: &mut Outcome) {
    if outcome.end == "open" || outcome.end == "owed" {
        return;
    }
    for _ in 0..3 {
        link.input.feed(b"+OK 1 2\r\nQUIT\r\n.\r\n");
        let again = match link.machine.frame(&mut link.input, &mut link.output) {
            Ok(Framed::Closed) => "closed".to_owned(),
            Err(error) => format!("error {error}"),
            other => format!("{other:?}"),
        };
        assert_eq!(again, outcome.end);
    }
}

fn secrets(masks: &[Mask]) -> String {
    masks
        .iter()
        .filter(|mask| mask.class == Class::Secret)
        .map(|mask| format!(" {{{}..{}}}", mask.span.start(), mask.span.end()))
        .collect()
}

/// A chunk may not be complete yet.
fn matches(event: &str, words: &str) -> bool {
    event == words
}

fn take(output: &mut Output, sent: &mut Vec<u8>) {
    while output.has_remaining() {
        let chunk = output.chunk();
        sent.extend_from_slice(chunk);
        let len = chunk.len();
        output.advance(len);
    }
}

pub(crate) fn escape(octets: &[u8]) -> String {
    octets.escape_ascii().to_string().replace("\\'", "'").replace("\\\"", "\"")
}

pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            octets.extend(c.to_string().bytes());
            continue;
        }
        match chars.next() {
            Some('r') => octets.push(b'\r'),
            Some('n') => octets.push(b'\n'),
            Some('x') => {
                let hex: String = chars.by_ref().take(2).collect();
                octets.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            Some(other) => octets.push(other as u8),
            None => panic!("a backslash at the end"),
        }
    }
    octets
}

/// All transcripts of a role.
pub(crate) fn scripts(role: &str) -> Vec<Script> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(role);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 4);
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Script::parse(&name, &std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}
