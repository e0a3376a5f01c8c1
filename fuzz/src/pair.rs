//! A client and a server of ours against each other, over whatever an application says: each reads what the other writes, at any cut.

use crate::machine::{PEER, Party, Seen, parts};
use crate::reads::reads;
use crate::seeds::Seed;
use crate::{imap_client, imap_server, pop3_client, pop3_server, smtp_client, smtp_server};
use bytes::Buf;
use mail_wire::{Framed, Input, Machine, Output, Pause};

/// Longer inputs are not worth their time.
const MOST: usize = 4 * 1024;

/// The target. The first octet chooses the protocol, the next one the settings of both, the third how what is written is cut. The rest is a script
/// as [`crate::machine`] takes it for a server: what the peer says there is said by our client here.
pub fn run(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which % 3 {
        0 => talk::<smtp_client::Sender, smtp_server::Host>(data),
        1 => talk::<imap_client::Reader, imap_server::Host>(data),
        _ => talk::<pop3_client::Reader, pop3_server::Host>(data),
    }
}

/// The octet that chooses the protocol of a seed.
#[must_use]
pub fn which(seed: &Seed) -> &'static [u8] {
    match seed.protocol.as_str() {
        "imap" => &[1],
        "pop3" => &[2],
        _ => &[0],
    }
}

/// One side, with its buffers.
struct Side<P: Party> {
    party: P,
    machine: Option<P::Machine>,
    input: Input,
    output: Output,
    seen: Seen,
}

impl<P: Party> Side<P> {
    fn new(settings: u8) -> Self {
        let (party, machine) = P::new(settings);
        let (input, output) = (Input::new(), Output::new());
        Self { party, machine: Some(machine), input, output, seen: Seen::default() }
    }

    /// Frames until more input is needed. Whether the session goes on; an error is said.
    fn turn(&mut self) -> Result<bool, String> {
        loop {
            let Some(machine) = &mut self.machine else { return Ok(false) };
            match machine.frame(&mut self.input, &mut self.output) {
                Ok(Framed::NeedInput | Framed::Paused(Pause::OutputFull)) => return Ok(true),
                Ok(Framed::Closed) => return Ok(false),
                Ok(Framed::Paused(pause)) => {
                    assert!(self.party.owes(), "{pause:?}, though every event was answered: {:?}", self.seen);
                    return Ok(true);
                }
                Ok(Framed::Ready(unit)) => {
                    let event =
                        machine.decode(unit, &mut self.input).map_err(|error| format!("{error:?}"))?;
                    let token = self.party.on(machine, event, &mut self.output, &mut self.seen);
                    let Some(token) = token else { continue };
                    if let Some(machine) = self.machine.take() {
                        let input = std::mem::take(&mut self.input);
                        let handed = machine.start_tls(token, input, &mut self.output);
                        self.machine = Some(handed.expect("nobody talks on before TLS").secured());
                    }
                }
                Err(error) => return Err(format!("{error:?}")),
            }
        }
    }
}

/// Moves what one has written to the other, a piece at a time. Whether anything was moved.
fn carry(how: u8, from: &mut Output, to: &mut Input) -> bool {
    let written =
        [&[how], &from.runs().flat_map(|(_, octets)| octets.to_vec()).collect::<Vec<_>>()[..]].concat();
    let piece = reads(&written).next().unwrap_or_default();
    let taken = to.feed(piece);
    from.advance(taken);
    taken > 0
}

fn talk<C: Party, S: Party>(data: &[u8]) {
    let data = &data[..data.len().min(MOST)];
    let [settings, how, script @ ..] = data else { return };
    // The same choice for both: what one does, the other allows.
    let (mut client, mut server) = (Side::<C>::new(settings & 3), Side::<S>::new(settings & 3));
    let lines = parts(script)
        .filter(|(marker, _)| *marker == PEER)
        .flat_map(|(_, octets)| octets.split_inclusive(|octet| *octet == b'\n'));
    for line in std::iter::once(&b""[..]).chain(lines) {
        if let (false, Some(machine)) = (line.is_empty(), &mut client.machine) {
            client.party.say(machine, line, &mut client.output, &mut client.seen);
        }
        // Each turn moves an octet at least, and answers are not much longer than what they answer.
        for turns in 0.. {
            assert!(turns < 1 << 20, "they talk for ever: {:?} {:?}", client.seen, server.seen);
            let served = server.turn();
            let back = carry(*how, &mut server.output, &mut client.input);
            let heard = match client.turn() {
                Ok(goes_on) => goes_on,
                // One that insists on TLS, and has said HELO.
                Err(error) if error.contains("Downgrade") => return,
                Err(error) => panic!("{error}: {:?} {:?}", client.seen, server.seen),
            };
            let there = carry(*how, &mut client.output, &mut server.input);
            match served {
                // What it said last is still read.
                Ok(false) | Err(_) if back => {}
                Ok(false) => return,
                // A limit is reached, or the script says GET.
                Err(error) if error.to_lowercase().contains("limit") || error.contains("Foreign") => return,
                Err(error) => panic!("{error}: {:?} {:?}", client.seen, server.seen),
                Ok(true) if !heard => return,
                Ok(true) if !back && !there => break,
                Ok(true) => {}
            }
        }
    }
    for seen in [&client.seen, &server.seen] {
        // What is written and not known, or takes a literal of a kind that is not enabled, is no fault of the writer.
        let known = |note: &&str| !note.contains("no such command") && !note.contains("a literal");
        let bad = seen.notes().filter(known).find(|note| note.starts_with("Malformed"));
        assert_eq!(bad, None, "{:?} {:?}", client.seen, server.seen);
    }
}
