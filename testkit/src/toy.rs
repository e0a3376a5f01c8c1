//! A machine with faults to choose from: what the replay holds must catch each.
//!
//! It is a server that knows lines and nothing else. The setting `fault` of a transcript chooses what is wrong with it:
//!
//! | `set fault` | what must be caught |
//! |---|---|
//! | `cuts` | a read that ends inside a line is taken for a line |
//! | `end` | an end inside a line is taken for the line's |
//! | `spin` | it finds units where no octets are |
//! | `mind` | after the end it goes on |
//! | `mask` | a log-in is shown as if it were public |

use crate::golden::{cut_everywhere, end_everywhere};
use crate::{Actor, Feed, Held, Script, escape, replay};
use mail_wire::line::{LineEnd, LineFramer};
use mail_wire::{
    Class, Closing, End, Framed, Handover, HandoverError, Input, Machine, Mask, Output, Pause, Role, Secured,
    Span, Unit,
};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// A unit ends where a read ends.
    ShowsCuts,
    /// Octets that end inside a line are a line.
    Completes,
    /// It finds units for ever.
    Spins,
    /// Another answer each time after the end.
    ChangesItsMind,
    /// The log-in is not masked.
    Unmasked,
}

/// Echoes lines. `LOGIN x` is secret, `STLS` asks for TLS, `QUIT` ends the session.
struct Echo {
    fault: Fault,
    framer: LineFramer,
    masks: Vec<Mask>,
    /// QUIT was read, or the octets ended between lines.
    over: bool,
    /// The octets ended inside a line.
    truncated: bool,
    /// STLS was read.
    upgrade: bool,
    /// No more octets will come.
    ended: bool,
    /// TLS stands.
    secure: bool,
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("truncated")]
struct Truncated;

enum Event<'i> {
    /// A line without its end, and whether TLS stood.
    Line(&'i [u8], bool),
    /// STLS.
    StartTls(Token),
}

/// For the hand-over.
struct Token;

impl Machine for Echo {
    const ROLE: Role = Role::Server;
    type Event<'i> = Event<'i>;
    type Error = Truncated;
    type Upgrade = Token;

    fn frame(&mut self, input: &mut Input, _: &mut Output) -> Result<Framed, Truncated> {
        if self.truncated {
            return Err(Truncated);
        }
        if self.over {
            self.over = self.fault != Fault::ChangesItsMind;
            return Ok(Framed::Closed);
        }
        if let Some(unit) = input.begin() {
            return Ok(Framed::Ready(unit));
        }
        if self.upgrade {
            return Ok(Framed::Paused(Pause::Upgrade));
        }
        let pending = input.pending().len();
        let whole = match self.framer.step(input.pending(), LineEnd::Tolerant, 1000) {
            Ok(Some(line)) => Some(line.len),
            _ if pending == 0 && self.fault == Fault::Spins => Some(0),
            _ if pending > 0 && self.fault == Fault::ShowsCuts => Some(pending),
            _ if pending > 0 && self.ended && self.fault == Fault::Completes => Some(pending),
            _ => None,
        };
        match whole {
            Some(len) => {
                self.framer = LineFramer::new();
                Ok(Framed::Ready(input.take(len)))
            }
            None if self.ended && pending > 0 => {
                self.truncated = true;
                Err(Truncated)
            }
            None if self.ended => {
                self.over = true;
                Ok(Framed::Closed)
            }
            None => Ok(Framed::NeedInput),
        }
    }

    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<Event<'i>, Truncated> {
        let (octets, _) = input.unit(unit).map_err(|_| Truncated)?;
        let line = octets.trim_ascii_end();
        self.masks.clear();
        if line.starts_with(b"LOGIN ") && self.fault != Fault::Unmasked {
            self.masks.push(Mask { span: Span::new(6, line.len()), class: Class::Secret });
        }
        self.over = line == b"QUIT";
        self.upgrade = line == b"STLS";
        Ok(if self.upgrade { Event::StartTls(Token) } else { Event::Line(line, self.secure) })
    }

    fn masks(&self) -> &[Mask] {
        &self.masks
    }

    fn eof(&mut self, _: End) {
        self.ended = true;
    }

    fn close(&mut self, _: Closing, _: &mut Output) {
        self.over = true;
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn start_tls(
        mut self,
        _: Token,
        input: Input,
        output: &mut Output,
    ) -> Result<Handover<Self>, HandoverError> {
        output.put(Class::Public, b"go\r\n");
        self.upgrade = false;
        Ok(Handover::new(self, input)?)
    }

    fn secured(&mut self, _: Secured) {
        self.secure = true;
    }
}

#[derive(Default)]
struct Application {
    tls: Held<Token>,
}

impl Actor for Application {
    type Machine = Echo;
    const TRUNCATED: &'static str = "truncated";

    fn machine(script: &Script) -> Echo {
        let fault = match script.settings().next() {
            None => Fault::None,
            Some(("fault", "cuts")) => Fault::ShowsCuts,
            Some(("fault", "end")) => Fault::Completes,
            Some(("fault", "spin")) => Fault::Spins,
            Some(("fault", "mind")) => Fault::ChangesItsMind,
            Some(("fault", "mask")) => Fault::Unmasked,
            Some(other) => panic!("{other:?}"),
        };
        Echo {
            fault,
            framer: LineFramer::new(),
            masks: Vec::new(),
            over: false,
            truncated: false,
            upgrade: false,
            ended: false,
            secure: false,
        }
    }

    fn event(&mut self, event: Event<'_>) -> String {
        match event {
            Event::Line(line, secure) => format!("{} {}", if secure { "safe" } else { "line" }, escape(line)),
            Event::StartTls(token) => self.tls.keep(token, "starttls"),
        }
    }

    fn act(&mut self, words: &str, _: &mut Echo, output: &mut Output) -> Result<(), String> {
        match words.strip_prefix("say ") {
            Some(words) => {
                output.put(Class::Public, words.as_bytes());
                Ok(())
            }
            None => Err(words.into()),
        }
    }

    fn upgrade(&mut self) -> Token {
        self.tls.take()
    }
}

const LINES: &str = "peer one\\r\\n
event line one
do say 1
sent 1
peer LOGIN secret\\r\\ntwo\\r\\n
event line LOGIN secret {6..12}
event line two
peer QUIT\\r\\n
event line QUIT
end closed";

fn script(head: &str) -> Script {
    Script::parse("toy", &format!("{head}\n{LINES}"))
}

/// No fault, no failure: over TLS too, and where the application ends it.
#[test]
fn a_good_machine_holds() {
    cut_everywhere::<Application>(&script(""));
    end_everywhere::<Application>(&script(""));
    let secure =
        "peer STLS\\r\\n\nevent starttls\ndo tls\nsent go\\r\\n\npeer x\\r\\n\nevent safe x\nend closed";
    cut_everywhere::<Application>(&Script::parse("tls", secure));
    let refused = Script::parse("act", "peer x\\r\\n\nevent line x\ndo nothing\nend error nothing");
    cut_everywhere::<Application>(&refused);
}

#[test]
#[should_panic(expected = "event 0")]
fn cuts_that_show_are_caught() {
    cut_everywhere::<Application>(&script("set fault cuts"));
}

#[test]
#[should_panic(expected = "at 1: line o for line one")]
fn a_completion_by_the_end_is_caught() {
    end_everywhere::<Application>(&script("set fault end"));
}

#[test]
#[should_panic(expected = "open")]
fn a_session_that_goes_on_is_caught() {
    cut_everywhere::<Application>(&Script::parse("toy", "peer x\\r\\n\nevent line x\nend open"));
}

#[test]
#[should_panic(expected = "toy: spins")]
fn a_spin_is_caught() {
    cut_everywhere::<Application>(&script("set fault spin"));
}

#[test]
#[should_panic(expected = "goes on after closed")]
fn a_second_thought_is_caught() {
    cut_everywhere::<Application>(&script("set fault mind"));
}

#[test]
#[should_panic(expected = "event 1")]
fn a_secret_without_a_mask_is_caught() {
    cut_everywhere::<Application>(&script("set fault mask"));
}

#[test]
fn octets_behind_the_upgrade_are_an_error() {
    let script = Script::parse("tls", "peer STLS\\r\\nx\nevent starttls\ndo tls\nend open");
    let outcome = replay::<Application>(&script, &Feed::whole(&script));
    assert_eq!(outcome.end, "error 1 octets of plaintext behind the upgrade to TLS");
}
