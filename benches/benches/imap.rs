//! IMAP through the client machine: FETCH with ENVELOPE, every field visited, and literals.

use bytes::Buf;
use mail_benches::{Row, alloc::Counting, inputs};
use mail_imap_proto::Command;
use mail_imap_proto::client::{Client, Config, Event};
use mail_imap_proto::response::{FetchItem, Untagged};
use mail_imap_proto::types::{Addresses, Envelope, Mailbox, Options, Text};
use mail_wire::{Framed, Handover, Input, Machine, Output};
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const READ: usize = 16 * 1024;

fn main() {
    envelope(10_000);
    literals("BODY[] of 1 KiB", 10_000, 1 << 10);
    literals("BODY[] of 1 MiB, streamed", 64, 1 << 20);
    list(10_000);
    search(100_000);
}

/// A client that has a mailbox selected, and what it is fed.
struct Session {
    client: Client,
    input: Input,
    output: Output,
}

impl Session {
    fn selected() -> Self {
        let client = Handover::implicit(Client::new(Config::default())).secured();
        let mut session = Self { client, input: Input::new(), output: Output::new() };
        session.feed(b"* PREAUTH ready\r\n", READ);
        let select = Command::Select { mailbox: Mailbox::INBOX, params: Options::NONE };
        session.client.send(&select, &mut session.output).expect("may be sent");
        session.feed(b"A1 OK selected\r\n", READ);
        session
    }

    /// Feeds all of `wire`; the sum of what was visited.
    fn feed(&mut self, wire: &[u8], read: usize) -> u64 {
        let mut visited = 0;
        for mut octets in wire.chunks(read) {
            while !octets.is_empty() {
                let n = self.input.feed(octets);
                octets = &octets[n..];
                while let Framed::Ready(unit) =
                    self.client.frame(&mut self.input, &mut self.output).expect("good responses")
                {
                    visited += match self.client.decode(unit, &mut self.input).expect("good responses") {
                        Event::Fetch(part) => part.items().map(visit).sum(),
                        Event::Chunk(octets) => black_box(octets).len() as u64,
                        Event::Untagged(untagged) => visit_untagged(untagged),
                        _ => 0,
                    };
                }
            }
        }
        self.output.advance(self.output.remaining());
        visited
    }
}

fn visit(item: FetchItem<'_>) -> u64 {
    match item {
        FetchItem::Envelope(envelope) => visit_envelope(envelope),
        FetchItem::Flags(flags) => flags.iter().map(|flag| black_box(flag.name()).len() as u64).sum(),
        FetchItem::Content(content) => text(content.data()),
        FetchItem::Malformed(_) => panic!("malformed"),
        other => {
            black_box(other);
            1
        }
    }
}

fn visit_untagged(untagged: Untagged<'_>) -> u64 {
    match untagged {
        Untagged::List(item) => {
            let attributes = item.attributes().iter().map(|flag| black_box(flag.name()).len() as u64);
            attributes.sum::<u64>() + black_box(item.name().raw()).len() as u64
        }
        Untagged::Search(numbers, _) => numbers.iter().map(|number| black_box(number.is_ok()) as u64).sum(),
        _ => 0,
    }
}

fn visit_envelope(envelope: Envelope<'_>) -> u64 {
    let lists = [
        envelope.from(),
        envelope.sender(),
        envelope.reply_to(),
        envelope.to(),
        envelope.cc(),
        envelope.bcc(),
    ];
    let texts = [envelope.date(), envelope.subject(), envelope.in_reply_to(), envelope.message_id()];
    texts.into_iter().map(text).sum::<u64>() + lists.into_iter().map(addresses).sum::<u64>()
}

fn addresses(list: Addresses<'_>) -> u64 {
    list.iter().map(|a| text(a.name()) + text(a.route()) + text(a.mailbox()) + text(a.host())).sum()
}

fn text(text: Option<Text<'_>>) -> u64 {
    text.map_or(0, |text| black_box(text.raw()).len() as u64)
}

/// What the peer's parser gives, visited the same way.
fn visit_peer(response: &imap_proto::Response<'_>) -> u64 {
    let attributes = match response {
        imap_proto::Response::Fetch(_, attributes) => attributes,
        imap_proto::Response::MailboxData(imap_proto::MailboxDatum::List(item)) => {
            black_box(item);
            return 1;
        }
        imap_proto::Response::MailboxData(imap_proto::MailboxDatum::Search(numbers)) => {
            return numbers.iter().map(|number| u64::from(*black_box(number) > 0)).sum();
        }
        _ => return 0,
    };
    let len = |text: &Option<std::borrow::Cow<'_, [u8]>>| {
        text.as_deref().map_or(0, |octets| black_box(octets).len() as u64)
    };
    attributes
        .iter()
        .map(|attribute| match attribute {
            imap_proto::AttributeValue::Envelope(e) => {
                let lists = [&e.from, &e.sender, &e.reply_to, &e.to, &e.cc, &e.bcc];
                let of = |list: &Option<Vec<imap_proto::Address<'_>>>| -> u64 {
                    let all = list.iter().flatten();
                    all.map(|a| len(&a.name) + len(&a.adl) + len(&a.mailbox) + len(&a.host)).sum()
                };
                lists.into_iter().map(of).sum::<u64>()
                    + [&e.date, &e.subject, &e.in_reply_to, &e.message_id].into_iter().map(len).sum::<u64>()
            }
            imap_proto::AttributeValue::Flags(flags) => {
                flags.iter().map(|flag| black_box(flag.as_ref()).len() as u64).sum()
            }
            imap_proto::AttributeValue::BodySection { data, .. } => len(data),
            other => {
                black_box(other);
                1
            }
        })
        .sum()
}

fn peer_parser(wire: &[u8]) -> u64 {
    let (mut rest, mut visited) = (wire, 0);
    while !rest.is_empty() {
        let Ok((left, response)) = imap_proto::Response::parse(rest) else { panic!("good responses") };
        visited += visit_peer(&response);
        rest = left;
    }
    visited
}

fn peer_machine(wire: &[u8]) -> u64 {
    use imap_next::client::{Client, Event, Options};
    use imap_next::{Interrupt, Io, State};
    let mut options = Options::default();
    options.discard_greeting = true;
    options.max_response_size = 200 << 20;
    let (mut client, mut reads, mut responses) = (Client::new(options), wire.chunks(READ), 0);
    loop {
        match client.next() {
            Ok(Event::DataReceived { data }) => {
                black_box(&data);
                responses += 1;
            }
            Ok(_) | Err(Interrupt::Io(Io::Output(_))) => {}
            Err(Interrupt::Io(Io::NeedMoreInput)) => match reads.next() {
                Some(read) => client.enqueue_input(read),
                None => return responses,
            },
            Err(Interrupt::Error(error)) => panic!("{error:?}"),
        }
    }
}

fn envelope(lines: usize) {
    let wire = inputs::fetch_envelope(lines);
    Row::new("FETCH with ENVELOPE, every field visited", wire.len(), lines)
        .with("mail-imap-proto: client machine, 16 KiB reads", || Session::selected().feed(&wire, READ))
        .with("mail-imap-proto: client machine, reads of 1,460", || Session::selected().feed(&wire, 1460))
        .with("imap-proto 0.17: parser, all at hand", || peer_parser(&wire))
        .with("imap-next 0.3: client machine, 16 KiB reads", || peer_machine(&wire))
        .measure();
}

fn literals(name: &str, count: usize, size: usize) {
    let wire = inputs::fetch_body(count, size);
    let mut row = Row::new(name, wire.len(), count)
        .with("mail-imap-proto: client machine, 16 KiB reads", || Session::selected().feed(&wire, READ));
    if size < READ {
        // A larger literal never is at hand as a whole: the parser alone would only skip it.
        row = row.with("imap-proto 0.17: parser, all at hand", || peer_parser(&wire));
    }
    row.with("imap-next 0.3: client machine, 16 KiB reads", || peer_machine(&wire)).measure();
}

fn list(lines: usize) {
    let line = |n: usize| format!("* LIST (\\HasNoChildren \\Sent) \"/\" \"Archive/2024/{}\"\r\n", n % 1000);
    let wire = (0..lines).map(line).collect::<String>().into_bytes();
    Row::new("LIST", wire.len(), lines)
        .with("mail-imap-proto: client machine, 16 KiB reads", || Session::selected().feed(&wire, READ))
        .with("imap-proto 0.17: parser, all at hand", || peer_parser(&wire))
        .with("imap-next 0.3: client machine, 16 KiB reads", || peer_machine(&wire))
        .measure();
}

fn search(numbers: usize) {
    let number = |n: usize| format!(" {}", 100_000 + n * 7);
    let wire = format!("* SEARCH{}\r\n", (0..numbers).map(number).collect::<String>()).into_bytes();
    Row::new("SEARCH, each number read", wire.len(), numbers)
        .with("mail-imap-proto: client machine, 16 KiB reads", || Session::selected().feed(&wire, READ))
        .with("mail-imap-proto: client machine, reads of 1,460", || Session::selected().feed(&wire, 1460))
        .with("imap-proto 0.17: parser, all at hand", || peer_parser(&wire))
        .with("imap-next 0.3: client machine, 16 KiB reads", || peer_machine(&wire))
        .measure();
}
