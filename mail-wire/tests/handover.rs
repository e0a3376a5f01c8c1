//! The hand-over to TLS: one octet behind the upgrade is one too many, and what was learnt before TLS is gone.

use core::time::Duration;
use mail_wire::{
    Closing, End, Framed, Handover, HandoverError, Input, Machine, Mask, Output, PlaintextLeft, Role,
    Secured, StaleUnit, Unit,
};

/// A machine that knows one thing.
struct Toy {
    learnt: bool,
}

impl Machine for Toy {
    const ROLE: Role = Role::Client;
    type Event<'i> = &'i [u8];
    type Error = StaleUnit;
    type Upgrade = ();

    fn frame(&mut self, input: &mut Input, _: &mut Output) -> Result<Framed, StaleUnit> {
        Ok(input.begin().map_or(Framed::NeedInput, Framed::Ready))
    }
    fn decode<'i>(&mut self, unit: Unit, input: &'i mut Input) -> Result<&'i [u8], StaleUnit> {
        input.unit(unit).map(|(octets, _)| octets)
    }
    fn masks(&self) -> &[Mask] {
        &[]
    }
    fn eof(&mut self, _: End) {}
    fn close(&mut self, _: Closing, _: &mut Output) {}
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
    fn start_tls(self, (): (), input: Input, _: &mut Output) -> Result<Handover<Self>, HandoverError> {
        Ok(Handover::new(self, input)?)
    }
    fn secured(&mut self, _: Secured) {
        self.learnt = false;
    }
}

/// An input whose first nine octets, the upgrade, were decoded.
fn upgraded(behind: &[u8]) -> Input {
    let mut input = Input::new();
    input.feed(b"STARTTLS\n");
    let unit = input.take(9);
    input.unit(unit).unwrap();
    input.feed(behind);
    input
}

#[test]
fn one_octet_behind_the_upgrade_ends_the_connection() {
    for behind in [&b"x"[..], b"\n", b"\0", b"NOOP\r\n"] {
        let over = Toy { learnt: true }.start_tls((), upgraded(behind), &mut Output::new());
        let left = HandoverError::PlaintextLeft(PlaintextLeft { octets: behind.len() });
        assert_eq!(over.map(|_| ()).unwrap_err(), left, "{behind:?}");
    }
}

#[test]
fn the_machine_comes_back_knowing_nothing() {
    let over = Toy { learnt: true }.start_tls((), upgraded(b""), &mut Output::new());
    assert!(!over.ok().unwrap().secured().learnt);
}
