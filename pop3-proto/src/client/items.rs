//! Lines of a listing, read when they are looked at.

use crate::command::Shape;
use crate::error::Malformed;
use crate::parse::{capability, listing, quick};
use crate::policy::{Mend, Switches};
use crate::reply::Item;
use core::fmt;
use core::iter::FusedIterator;
use mail_wire::{Owned, View, Viewed};

/// Lines of an answer to LIST, UIDL, CAPA, AUTH or LANG, or to a command that this crate does not know.
///
/// What is malformed stands beside what is good.
#[derive(Clone, Copy)]
pub struct Items<'i> {
    view: View<'i>,
    head: Head,
}

/// How the lines are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose answer it is, and so what each line must be.
    pub(crate) shape: Shape,
    /// Whether LF alone ends them.
    pub(crate) lf: bool,
    /// Whether each of them is plain, by [`quick`]. Then they are taken apart and not checked again.
    pub(crate) plain: bool,
    /// Which repairs are on. They were counted when the lines came, and are not counted again.
    pub(crate) repairs: Switches,
}

impl<'i> Items<'i> {
    /// Whole lines with their ends, which have been checked.
    pub(crate) fn new(octets: &'i [u8], head: Head) -> Self {
        Self { view: View::new(octets, &[]), head }
    }

    /// The lines, each read as what it is.
    #[must_use]
    pub fn iter(self) -> Iter<'i> {
        Iter { octets: self.view.octets(), head: self.head }
    }

    /// The lines as they were received, with their ends and their stuffing.
    #[must_use]
    pub fn octets(self) -> &'i [u8] {
        self.view.octets()
    }

    /// A copy that owns its octets.
    #[must_use]
    pub fn into_owned(self) -> Owned<Items<'static>> {
        Owned::new(self)
    }
}

/// Lines of one stretch, so that a batch is kept by one copy however many lines it holds.
impl Viewed for Items<'static> {
    type Of<'i> = Items<'i>;
    type Head = Head;

    fn split<'i>(value: Self::Of<'i>) -> (View<'i>, Head) {
        (value.view, value.head)
    }

    fn join<'i>(view: View<'i>, head: Head) -> Items<'i> {
        Items { view, head }
    }
}

impl<'i> IntoIterator for Items<'i> {
    type Item = Result<Item<'i>, Malformed<'i>>;
    type IntoIter = Iter<'i>;

    fn into_iter(self) -> Iter<'i> {
        self.iter()
    }
}

impl fmt::Debug for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The lines of [`Items`], one by one.
#[derive(Clone, Debug)]
pub struct Iter<'i> {
    /// What has not been looked at.
    octets: &'i [u8],
    head: Head,
}

impl<'i> Iterator for Iter<'i> {
    type Item = Result<Item<'i>, Malformed<'i>>;

    /// The lines have been checked for their ends, so what is left always begins at the start of one.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (item, rest) = match plain(self.octets, self.head) {
            Some((item, rest)) => (Ok(item), rest),
            None => any(self.octets, self.head)?,
        };
        self.octets = rest;
        Some(item)
    }
}

impl FusedIterator for Iter<'_> {}

/// The line at the front, where all are plain, and what stands behind it. A mark for the whole batch is enough: where one line is special, reading the
/// others once more by the grammar is what they would have cost without a short path.
#[inline]
fn plain(lines: &[u8], head: Head) -> Option<(Item<'_>, &[u8])> {
    match head.shape {
        Shape::Scan if head.plain => {
            quick::scan(lines).map(|(message, octets, rest)| (Item::Scan { message, octets }, rest))
        }
        Shape::UniqueIds if head.plain => {
            quick::unique_id(lines).map(|(message, id, rest)| (Item::UniqueId { message, id }, rest))
        }
        _ => None,
    }
}

/// The line at the front, whatever it is, and what stands behind it: not inlined, so that a loop over plain lines stays short.
#[inline(never)]
fn any(lines: &[u8], mut head: Head) -> Option<(Result<Item<'_>, Malformed<'_>>, &[u8])> {
    let lf = memchr::memchr(b'\n', lines)?;
    let (text, rest) = (lines.get(..lf)?, lines.get(lf.saturating_add(1)..)?);
    let text = if head.lf { text } else { text.strip_suffix(b"\r").unwrap_or(text) };
    // Switches count nothing: that was done when the line came.
    Some((read(text, head.shape, &mut head.repairs), rest))
}

/// One line without its end.
pub(crate) fn read<'i>(
    line: &'i [u8],
    shape: Shape,
    repairs: &mut impl Mend,
) -> Result<Item<'i>, Malformed<'i>> {
    let line = unstuffed(line);
    match shape {
        Shape::Scan => listing::scan_item(line, repairs),
        Shape::UniqueIds => listing::unique_id_item(line, repairs),
        Shape::Capabilities => capability::capability(line, repairs).map(Item::Capability),
        Shape::Mechanisms => listing::mechanism_item(line),
        Shape::Languages => listing::language_item(line),
        // The lines of a command that is not known here; a message is never read as lines.
        _ => Ok(Item::Line(line)),
    }
}

/// A line that begins with a dot has had another put before it (RFC 1939 §3).
pub(crate) fn unstuffed(line: &[u8]) -> &[u8] {
    line.strip_prefix(b".").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;

    fn head(shape: Shape, lf: bool, plain: bool) -> Head {
        Head { shape, lf, plain, repairs: Switches::default() }
    }

    /// The short path is for what most servers send, or it would only cost; lines that have not been found plain never take it.
    #[test]
    fn the_short_path_takes_lines_that_are_all_plain() {
        for (shape, lines) in
            [(Shape::Scan, "1 120\r\n2 5\r\n"), (Shape::UniqueIds, "1 whqtswO00WBw418f9t5JxYwZ\r\n2 Q\r\n")]
        {
            let [short, long] = [true, false].map(|plain| head(shape, false, plain));
            let (first, behind) = lines.split_once("\r\n").unwrap();
            let item = read(first.as_bytes(), shape, &mut Switches::default());
            assert_eq!(plain(lines.as_bytes(), short), item.ok().map(|item| (item, behind.as_bytes())));
            assert_eq!(plain(lines.as_bytes(), long), None);
            let [short, long] = [short, long].map(|head| Items::new(lines.as_bytes(), head));
            assert_eq!(short.iter().count(), 2);
            assert!(short.iter().eq(long.iter()), "{short:?} {long:?}");
            // Where LF ends the lines, the CR before it is an octet of the line, and none that may stand there.
            let lf = head(shape, true, false);
            let items: Vec<_> = Items::new(lines.as_bytes(), lf).iter().collect();
            assert!(items.len() == 2 && items.iter().all(Result::is_err), "{items:?}");
            let bare = lines.replace('\r', "");
            assert!(Items::new(bare.as_bytes(), lf).iter().all(|item| item.is_ok()));
        }
        // No other listing has one.
        assert_eq!(plain(b"1 120\r\n", head(Shape::Capabilities, false, true)), None);
    }

    #[test]
    fn a_batch_has_its_octets_and_shows_its_lines() {
        let octets = b"1 5\r\nx\r\n";
        let items = Items::new(octets, head(Shape::Scan, false, false));
        assert_eq!(items.octets(), octets);
        let shown = format!("{items:?}");
        assert!(shown.starts_with("[Ok(Scan") && shown.contains("Err(Malformed"), "{shown}");
    }
}
