//! A message on its way to the client: all of it for RETR, the header and some lines for TOP.

use crate::types::MessageNumber;
use bytes::{Buf, Bytes};
use mail_wire::Output;
use mail_wire::dot::{BodyEol, BodyFault, DotEncoder};
use memchr::memchr;

/// A body that is being sent.
#[derive(Debug)]
pub(crate) struct Body {
    /// Stuffs, and holds the policy on line ends.
    encoder: DotEncoder,
    /// What TOP still wants; `None` for RETR, which wants all.
    top: Option<TopScan>,
    /// Octets of the message as the maildrop lists them.
    listed: u64,
}

impl Body {
    /// A body at its first octet; with a count of lines for TOP.
    pub(crate) fn new(eol: BodyEol, lines: Option<u32>, listed: u64) -> Self {
        Self { encoder: DotEncoder::new(eol), top: lines.map(TopScan::new), listed }
    }

    /// Takes what there is room for. Gives whether TOP has all it wants; then the rest of `piece` is dropped.
    pub(crate) fn push(&mut self, piece: &mut Bytes, output: &mut Output) -> Result<bool, BodyFault> {
        let Some(top) = self.top else {
            self.encoder.push(piece, output)?;
            return Ok(false);
        };
        // No more is scanned than goes out: what is left in `piece` comes again, and must be counted then.
        let room = piece.len().min(output.room());
        let mut scan = top;
        let keep = scan.scan(piece.get(..room).unwrap_or_default());
        self.encoder.push(&mut piece.slice(..keep), output)?;
        self.top = Some(scan);
        if scan.done {
            piece.clear();
        } else {
            piece.advance(keep);
        }
        Ok(scan.done)
    }

    /// By how many octets the message would fall short of what was listed if it ended here. A line end that is added counts where it makes
    /// up for all that is missing: else it would hide that the last octet of a message is gone.
    pub(crate) fn missing(&self) -> u64 {
        if self.top.is_some_and(|top| top.done) {
            return 0;
        }
        match self.listed.saturating_sub(self.encoder.octets()) {
            missing if missing == self.encoder.line_end() => 0,
            missing => missing,
        }
    }

    /// The terminator, with a line end before it where the last line has none (RFC 1939 §3).
    pub(crate) fn end(&mut self, output: &mut Output) -> Result<(), BodyFault> {
        self.encoder.end(output)
    }
}

/// Counts the lines of the body behind the blank line that ends the header (RFC 1939 §7, TOP).
#[derive(Clone, Copy, Debug)]
struct TopScan {
    /// Lines of the body that are still wanted.
    left: u32,
    /// Whether the blank line behind the header has been.
    in_body: bool,
    /// The line so far: nothing, or a CR alone.
    empty: bool,
    /// Whether there is nothing left to want.
    done: bool,
}

impl TopScan {
    /// At the start of the header.
    fn new(lines: u32) -> Self {
        Self { left: lines, in_body: false, empty: true, done: false }
    }

    /// How many of the octets belong to what is wanted.
    fn scan(&mut self, octets: &[u8]) -> usize {
        let mut at = 0_usize;
        while !self.done {
            let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) else { break };
            let Some(lf) = memchr(b'\n', rest) else {
                self.empty &= rest == b"\r";
                return octets.len();
            };
            let blank = self.empty && matches!(rest.get(..lf), Some(b"" | b"\r"));
            at = at.saturating_add(lf).saturating_add(1);
            self.line(blank);
        }
        at
    }

    /// One more line is over. Lines of the header are free; the blank one behind it is where counting begins.
    fn line(&mut self, blank: bool) {
        self.empty = true;
        if self.in_body {
            self.left = self.left.saturating_sub(1);
        } else if blank {
            self.in_body = true;
        }
        self.done = self.in_body && self.left == 0;
    }
}

/// What RETR or TOP asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) message: MessageNumber,
    /// `None` for RETR.
    pub(crate) lines: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `text` that TOP wants, cut with `split` alone.
    fn reference(text: &str, lines: usize) -> String {
        let mut rest = lines;
        let mut body = false;
        text.split_inclusive('\n')
            .take_while(|line| {
                let wanted = !body || rest > 0;
                if body {
                    rest = rest.saturating_sub(1);
                }
                body |= line.trim_end_matches(['\r', '\n']).is_empty();
                wanted
            })
            .collect()
    }

    /// Cut at every place, against `split` and `take_while`; LF alone counts too, as some maildrops have it so.
    #[test]
    fn top_takes_the_header_and_so_many_lines_at_every_cut() {
        for text in
            ["A: b\r\n\r\nl1\r\nl2\r\n", "A: b\r\nC: d\r\n", "\r\nl1\r\n\r\nl3", "A\n\nb\n\nc", "", "\r\n"]
        {
            for lines in 0..4 {
                let expected = reference(text, lines);
                for cut in 0..=text.len() {
                    let mut scan = TopScan::new(u32::try_from(lines).unwrap());
                    let (a, b) = text.as_bytes().split_at(cut);
                    let mut got = a[..scan.scan(a)].to_vec();
                    got.extend_from_slice(&b[..scan.scan(b)]);
                    assert_eq!(String::from_utf8(got).unwrap(), expected, "{text:?} {lines} {cut}");
                }
            }
        }
    }
}
