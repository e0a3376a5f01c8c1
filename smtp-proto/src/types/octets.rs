//! Which octets may stand where: one table, looked up once for each octet.

/// `atext` (RFC 5322 §3.2.3).
pub(crate) const ATEXT: u8 = 1;
/// Letters and digits.
pub(crate) const ALNUM: u8 = 2;
/// `xchar` without `+` (RFC 3461 §4).
pub(crate) const XCHAR: u8 = 4;
/// `qtextSMTP` (RFC 5321 §4.1.2).
pub(crate) const QTEXT: u8 = 8;
/// `dcontent` (RFC 5321 §4.1.3).
pub(crate) const DTEXT: u8 = 16;
/// `esmtp-value` (RFC 5321 §4.1.2).
pub(crate) const VALUE: u8 = 32;
/// Graphic ASCII and space.
pub(crate) const TEXT: u8 = 64;
/// Octets of UTF-8 beyond ASCII.
pub(crate) const HIGH: u8 = 128;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0_u8; 256];
    let mut index = 0;
    while index < 256 {
        let octet = index as u8;
        let mut class = 0;
        let graphic = octet >= 33 && octet <= 126;
        if octet.is_ascii_alphanumeric() {
            class |= ALNUM;
        }
        if octet.is_ascii_alphanumeric() || is_one_of(octet, b"!#$%&'*+-/=?^_`{|}~") {
            class |= ATEXT;
        }
        if graphic && octet != b'+' && octet != b'=' {
            class |= XCHAR;
        }
        if octet >= 32 && octet <= 126 && octet != b'"' && octet != b'\\' {
            class |= QTEXT;
        }
        if graphic && octet != b'[' && octet != b'\\' && octet != b']' {
            class |= DTEXT;
        }
        if graphic && octet != b'=' {
            class |= VALUE;
        }
        if graphic || octet == b' ' {
            class |= TEXT;
        }
        if octet >= 128 {
            class |= HIGH;
        }
        set(&mut table, index, class);
        index = next(index);
    }
    table
}

// Evaluated by the compiler alone: an index outside would be an error of the build.
#[allow(clippy::indexing_slicing)]
const fn set(table: &mut [u8; 256], index: usize, class: u8) {
    table[index] = class;
}

#[allow(clippy::indexing_slicing)]
const fn is_one_of(octet: u8, set: &[u8]) -> bool {
    let mut index = 0;
    while index < set.len() {
        if set[index] == octet {
            return true;
        }
        index = next(index);
    }
    false
}

const fn next(index: usize) -> usize {
    index.saturating_add(1)
}

/// Whether the octet is in one of the classes.
#[inline]
pub(crate) fn is(octet: u8, classes: u8) -> bool {
    CLASSES.get(usize::from(octet)).is_some_and(|class| class & classes != 0)
}

/// How many octets at the front are in one of the classes.
#[inline]
pub(crate) fn run(octets: &[u8], classes: u8) -> usize {
    octets.iter().position(|octet| !is(*octet, classes)).unwrap_or(octets.len())
}

/// Whether all of them are.
#[inline]
pub(crate) fn all(octets: &[u8], classes: u8) -> bool {
    octets.iter().all(|octet| is(*octet, classes))
}

/// The octets from `at` on, and those before it; nothing where it lies outside.
#[inline]
pub(crate) fn cut(octets: &[u8], at: usize) -> (&[u8], &[u8]) {
    octets.split_at_checked(at).unwrap_or((octets, &[]))
}
