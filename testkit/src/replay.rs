//! A transcript through a machine, its octets cut as one likes.

use crate::script::{Script, Step};
use bytes::Buf;
use mail_wire::{Class, End, Framed, Handover, Input, Machine, Mask, Output, Role};

/// One role of a protocol: a machine, and the application that a transcript describes. It keeps the tokens of events.
pub trait Actor: Default {
    /// The machine that is driven.
    type Machine: Machine;
    /// The words of the violation that tells of octets which end too early.
    const TRUNCATED: &'static str = "the octets end before what was owed";

    /// A machine with the settings of a transcript.
    fn machine(script: &Script) -> Self::Machine;

    /// Puts an event into words: one line for each of what it holds, where how much comes at once is open. The pieces of a body are
    /// `chunk octets`: adjacent ones are joined.
    fn event(&mut self, event: <Self::Machine as Machine>::Event<'_>) -> String;

    /// Does what the words after `do` say.
    ///
    /// # Errors
    /// A misuse, in words: the transcript ends with it as its error.
    fn act(&mut self, words: &str, machine: &mut Self::Machine, output: &mut Output) -> Result<(), String>;

    /// The token of the hand-over to TLS, for `do tls`.
    fn upgrade(&mut self) -> <Self::Machine as Machine>::Upgrade;
}

/// How the octets of the peer come.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Where reads end, counted over all octets of the peer, in order.
    pub cuts: Vec<usize>,
    /// The octets that come, be they those of the transcript or others.
    pub octets: Vec<u8>,
}

impl Feed {
    /// The octets of the transcript, each step whole.
    pub fn whole(script: &Script) -> Self {
        Self { cuts: Vec::new(), octets: script.peer_octets() }
    }
}

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Outcome {
    /// What the machine told, in words, the pieces of one body joined.
    pub events: Vec<String>,
    /// What it wrote.
    pub sent: Vec<u8>,
    /// `closed`; `error` and its words; `owed`, if it waits for the application; `open`, if the octets led away from the transcript.
    pub end: String,
}

impl Outcome {
    /// How many events begin with one of these words.
    pub fn count(&self, words: &[&str]) -> usize {
        self.events.iter().filter(|event| words.iter().any(|word| event.starts_with(word))).count()
    }
}

/// Replays a transcript with these octets; the peer closes behind the last one.
///
/// A step of the application waits until all events above it have come. The peer of a client waits for the application too; that of a
/// server sends on, as a client that pipelines. Once over, the machine is asked again and must say the same.
///
/// # Panics
/// If the machine spins (every loop is bounded), or changes its mind after the end.
pub fn replay<A: Actor>(script: &Script, feed: &Feed) -> Outcome {
    let machine = A::machine(script);
    let machine = if script.secure { Handover::implicit(machine).secured() } else { machine };
    let replay = Replay {
        script,
        steps: &script.steps,
        actor: A::default(),
        machine: Some(machine),
        input: Input::new(),
        output: Output::new(),
        outcome: Outcome::default(),
        seen: 0,
        due: 0,
        budget: 400 + 40 * feed.octets.len(),
    };
    replay.run(feed)
}

/// Feeds octets in one read, and hands over each event that they make, until the machine waits, ends or fails.
///
/// # Panics
/// If there is no room for the octets, or `decode` fails.
pub fn hear<M: Machine>(
    machine: &mut M,
    input: &mut Input,
    output: &mut Output,
    octets: &[u8],
    mut each: impl FnMut(M::Event<'_>),
) {
    assert_eq!(input.feed(octets), octets.len(), "no room");
    while let Ok(Framed::Ready(unit)) = machine.frame(input, output) {
        each(machine.decode(unit, input).expect("an event"));
    }
}

/// A replay under way.
struct Replay<'s, A: Actor> {
    script: &'s Script,
    /// The steps to come.
    steps: &'s [Step],
    actor: A,
    /// None: lost in a hand-over that failed.
    machine: Option<A::Machine>,
    input: Input,
    output: Output,
    outcome: Outcome,
    /// How many events the transcript has named so far.
    seen: usize,
    /// How many octets the peer may send by now.
    due: usize,
    /// How many turns there may be before it is called a spin.
    budget: usize,
}

enum Turn {
    Event,
    Waits,
    Over,
}

impl<A: Actor> Replay<'_, A> {
    fn run(mut self, feed: &Feed) -> Outcome {
        let mut at = 0;
        while self.settle() {
            if self.steps.is_empty() {
                self.due = usize::MAX;
            }
            let limit = self.due.min(feed.octets.len());
            let stop = feed.cuts.iter().copied().find(|cut| *cut > at).unwrap_or(usize::MAX).min(limit);
            if at < stop {
                at += self.input.feed(&feed.octets[at..stop]);
                continue;
            }
            if at == feed.octets.len() {
                self.eof();
            } else {
                // A fault has led away from the transcript.
                self.outcome.end = "open".into();
            }
            break;
        }
        if self.machine.is_some() && !["open", "owed"].contains(&self.outcome.end.as_str()) {
            self.fused();
        }
        self.outcome
    }

    /// Everything that follows from the octets so far. False: the session is over.
    fn settle(&mut self) -> bool {
        loop {
            self.spend();
            let turn = self.turn();
            let over = matches!(turn, Turn::Over);
            let Some(acted) = self.follow(over) else { return false };
            if over || !acted && matches!(turn, Turn::Waits) {
                return !over;
            }
        }
    }

    fn spend(&mut self) {
        let spins = || panic!("{}: spins: {:?}", self.script.name, self.outcome);
        self.budget = self.budget.checked_sub(1).unwrap_or_else(spins);
    }

    /// Takes the steps whose time has come: whether the application has acted. None: the session ended by it.
    fn follow(&mut self, over: bool) -> Option<bool> {
        let mut acted = false;
        while let Some((step, behind)) = self.steps.split_first() {
            match step {
                Step::Event(words) if self.outcome.events.get(self.seen) == Some(words) => self.seen += 1,
                Step::Do(words) if !over && self.is_told() => {
                    self.act(words)?;
                    acted = true;
                }
                Step::Sent(_) => {}
                Step::Peer(octets) if A::Machine::ROLE == Role::Server || self.is_told() => {
                    self.due += octets.len()
                }
                _ => break,
            }
            self.steps = behind;
        }
        Some(acted)
    }

    /// Whether the transcript names no fewer events than have come.
    fn is_told(&self) -> bool {
        self.seen == self.outcome.events.len()
    }

    /// None: it could not be done, and that is the end.
    fn act(&mut self, words: &str) -> Option<()> {
        let machine = self.machine.take()?;
        let acted = if words == "tls" {
            let input = std::mem::take(&mut self.input);
            let handover = machine.start_tls(self.actor.upgrade(), input, &mut self.output);
            handover.map(Handover::secured).map_err(|error| error.to_string())
        } else {
            let mut machine = machine;
            self.actor.act(words, &mut machine, &mut self.output).map(|()| machine)
        };
        self.write();
        match acted {
            Ok(machine) => {
                self.machine = Some(machine);
                Some(())
            }
            Err(words) => {
                self.outcome.end = format!("error {words}");
                None
            }
        }
    }

    /// One turn of the machine, and what it has written.
    fn turn(&mut self) -> Turn {
        let Some(machine) = &mut self.machine else { return Turn::Over };
        let turn = match machine.frame(&mut self.input, &mut self.output) {
            Ok(Framed::Ready(unit)) => match machine.decode(unit, &mut self.input) {
                Ok(event) => {
                    let words = self.actor.event(event) + &secrets(machine.masks());
                    self.outcome.tell(&words);
                    Turn::Event
                }
                Err(error) => self.outcome.over(format!("error {error}")),
            },
            Ok(Framed::NeedInput | Framed::Paused(_)) => Turn::Waits,
            Ok(Framed::Closed) => self.outcome.over("closed".into()),
            Err(error) => self.outcome.over(format!("error {error}")),
        };
        self.write();
        turn
    }

    /// The peer takes all that is written.
    fn write(&mut self) {
        while self.output.has_remaining() {
            let run = self.output.chunk();
            self.outcome.sent.extend_from_slice(run);
            let len = run.len();
            self.output.advance(len);
        }
    }

    /// The peer closes: what is left is told, a few turns at the most.
    fn eof(&mut self) {
        if let Some(machine) = &mut self.machine {
            machine.eof(End::Fin);
        }
        for _ in 0..40 {
            match self.turn() {
                Turn::Event => {}
                Turn::Over => return,
                // What the application owes is owed still.
                Turn::Waits => {
                    self.outcome.end = "owed".into();
                    return;
                }
            }
        }
        panic!("{}: spins at the end: {:?}", self.script.name, self.outcome);
    }

    /// The end stays the end, whatever comes.
    fn fused(&mut self) {
        let end = std::mem::take(&mut self.outcome.end);
        for _ in 0..3 {
            self.input.feed(b"+OK 1 2\r\n250 ok\r\n* OK\r\nQUIT\r\n.\r\n");
            assert!(matches!(self.turn(), Turn::Over), "{}: goes on after {end}", self.script.name);
            assert_eq!(self.outcome.end, end, "{}", self.script.name);
        }
    }
}

impl Outcome {
    fn tell(&mut self, words: &str) {
        match (self.events.last_mut(), words.strip_prefix("chunk ")) {
            (Some(last), Some(octets)) if last.starts_with("chunk ") => last.push_str(octets),
            _ => self.events.extend(words.split('\n').map(str::to_owned)),
        }
    }

    fn over(&mut self, end: String) -> Turn {
        self.end = end;
        Turn::Over
    }
}

/// The secret spans of the unit.
fn secrets(masks: &[Mask]) -> String {
    let secret = masks.iter().filter(|mask| mask.class == Class::Secret);
    secret.map(|mask| format!(" {{{}..{}}}", mask.span.start(), mask.span.end())).collect()
}
