//! Dot-stuffing, both ways, over 64 MiB of mail text in pieces of 16 KiB.

use bytes::{Buf, Bytes};
use mail_benches::{Row, alloc::Counting, inputs};
use mail_wire::Output;
use mail_wire::dot::{BareScan, BodyEol, Dot, DotDecoder, DotEncoder};
use memchr::memmem::Finder;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PIECE: usize = 16 * 1024;

fn main() {
    let text = inputs::text(64 << 20);
    let wire = inputs::stuffed(&text);
    unstuffing(&wire);
    stuffing(&Bytes::from(text));
}

fn unstuffing(wire: &[u8]) {
    let ours = |mut scan: Option<BareScan>| {
        let (mut decoder, mut body) = (DotDecoder::crlf(), 0_u64);
        for mut piece in wire.chunks(PIECE) {
            loop {
                let used = match decoder.step(piece) {
                    Dot::Data(n) => {
                        if let Some(scan) = &mut scan {
                            black_box(scan.piece(&piece[..n]));
                        }
                        body += black_box(&piece[..n]).len() as u64;
                        n
                    }
                    Dot::Stuffing => 1,
                    Dot::End(_) | Dot::Need => break,
                };
                piece = &piece[used..];
            }
        }
        body
    };
    let mut collected = Vec::with_capacity(64 << 10);
    Row::new("un-stuffing, 64 MiB in pieces of 16 KiB", wire.len(), 1)
        .with("mail-wire: slices", move || ours(None))
        .with("mail-wire: slices, bare line ends looked for", move || ours(Some(BareScan::new())))
        .with("memmem CRLF. alone", || {
            let finder = Finder::new(b"\r\n.");
            wire.chunks(PIECE).map(|piece| finder.find_iter(piece).count() as u64).sum()
        })
        .with("smtp-proto 0.2: DataReceiver into a reused Vec", || {
            let mut receiver = smtp_proto::request::receiver::DataReceiver::new();
            wire.chunks(PIECE).for_each(|piece| {
                collected.clear();
                black_box(receiver.ingest(&mut piece.iter(), &mut collected));
            });
            collected.len() as u64
        })
        .measure();
}

fn stuffing(text: &Bytes) {
    let ours = |eol| {
        let (mut encoder, mut output, mut sent) = (DotEncoder::new(eol), Output::new(), 0);
        let mut text = text.clone();
        while !text.is_empty() {
            let mut piece = text.split_to(text.len().min(PIECE));
            while !piece.is_empty() {
                encoder.push(&mut piece, &mut output).expect("clean text");
                sent += output.remaining() as u64;
                output.advance(output.remaining());
            }
        }
        encoder.end(&mut output).expect("clean text");
        sent
    };
    Row::new("stuffing, 64 MiB in pieces of 16 KiB", text.len(), 1)
        .with("mail-wire: reject bare line ends", || ours(BodyEol::Reject))
        .with("mail-wire: pass", || ours(BodyEol::Pass))
        .with("mail-wire: normalise", || ours(BodyEol::Normalise))
        .with("mail-send 0.7: write_message to a sink", || {
            let mut client =
                mail_send::SmtpClient { stream: Sink(0), timeout: std::time::Duration::from_secs(60) };
            futures::executor::block_on(client.write_message(text)).expect("a sink takes all");
            client.stream.0
        })
        .measure();
}

/// Takes everything and counts it.
struct Sink(u64);

impl tokio::io::AsyncWrite for Sink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.0 += black_box(octets).len() as u64;
        Poll::Ready(Ok(octets.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl tokio::io::AsyncRead for Sink {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
