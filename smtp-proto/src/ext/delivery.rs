//! When and how a message is to be delivered: DELIVERBY, FUTURERELEASE, MT-PRIORITY, RRVS. Dates are kept as text: to know what time it is
//! belongs to the application.

use crate::types::octets;

/// What happens when the time of [`DeliverBy`] has passed (RFC 2852 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByMode {
    /// `R`: the message is returned.
    Return,
    /// `N`: the sender is told, the message goes on.
    Notify,
}

/// BY (RFC 2852 §4). To return a message whose time has passed already would be to refuse it, so `R` wants a time to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliverBy {
    /// Seconds from now, up to nine digits. Negative: the time has passed, which `N` alone allows.
    pub seconds: i32,
    /// What then.
    pub mode: ByMode,
    /// Whether each relay is to be reported.
    pub trace: bool,
}

impl DeliverBy {
    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let semicolon = memchr::memchr(b';', value)?;
        let (number, mode) = octets::cut(value, semicolon);
        let (negative, digits) = match number {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        let seconds = i32::try_from(digits_of(digits, 9)?).ok()?;
        let (mode, trace) = match octets::cut(mode, 1).1 {
            [b'R' | b'r'] => (ByMode::Return, false),
            [b'N' | b'n'] => (ByMode::Notify, false),
            [b'R' | b'r', b'T' | b't'] => (ByMode::Return, true),
            [b'N' | b'n', b'T' | b't'] => (ByMode::Notify, true),
            _ => return None,
        };
        if mode == ByMode::Return && (negative || seconds == 0) {
            return None;
        }
        Some(Self { seconds: if negative { seconds.saturating_neg() } else { seconds }, mode, trace })
    }
}

/// HOLDFOR or HOLDUNTIL (RFC 4865 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold<'a> {
    /// Seconds.
    For(u32),
    /// A date and time as text (RFC 3339 §5.6).
    Until(&'a str),
}

impl<'a> Hold<'a> {
    /// From 1 on, and without leading zeros: nothing is held for no time at all (RFC 4865 §3).
    pub(crate) fn read_for(value: &[u8]) -> Option<Self> {
        if value.first() == Some(&b'0') {
            return None;
        }
        digits_of(value, 9).and_then(|seconds| u32::try_from(seconds).ok()).map(Hold::For)
    }

    pub(crate) fn read_until(value: &'a [u8]) -> Option<Self> {
        date_time(value).map(Hold::Until)
    }
}

/// MT-PRIORITY: from -9 to 9 (RFC 6710 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(i8);

impl Priority {
    /// A priority, if it is in range.
    #[must_use]
    pub const fn new(priority: i8) -> Option<Self> {
        if priority >= -9 && priority <= 9 { Some(Self(priority)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i8 {
        self.0
    }

    pub(crate) fn read(value: &[u8]) -> Option<Self> {
        let number = |digit: u8| i8::try_from(digit.saturating_sub(b'0')).ok();
        match value {
            [digit @ b'0'..=b'9'] => number(*digit).map(Self),
            [b'-', digit @ b'1'..=b'9'] => number(*digit).map(|number| Self(number.saturating_neg())),
            _ => None,
        }
    }
}

/// RRVS: the recipient must be the same since then (RFC 7293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequireValid<'a> {
    /// Since when: date and time as text (RFC 3339 §5.6).
    pub since: &'a str,
    /// What happens where a next server does not know RRVS: `true` reject, `false` go on.
    pub reject: bool,
}

impl<'a> RequireValid<'a> {
    pub(crate) fn read(value: &'a [u8]) -> Option<Self> {
        let semicolon = memchr::memchr(b';', value).unwrap_or(value.len());
        let (since, action) = octets::cut(value, semicolon);
        let reject = match action {
            [] | [b';', b'R' | b'r'] => true,
            [b';', b'C' | b'c'] => false,
            _ => return None,
        };
        // A fraction of a second has no place here, though RFC 3339 has one.
        Some(Self { since: date_time(since).filter(|since| !since.contains('.'))?, reject })
    }
}

/// One to `most` digits.
pub(crate) fn digits_of(octets: &[u8], most: usize) -> Option<u64> {
    if octets.is_empty() || octets.len() > most {
        return None;
    }
    if !octets.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |octet: &u8| u64::from(octet.wrapping_sub(b'0'));
    if octets.len() < 20 {
        // Nineteen digits fit into 64 bits whatever they are.
        return Some(
            octets.iter().fold(0, |sum: u64, octet| sum.wrapping_mul(10).wrapping_add(digit(octet))),
        );
    }
    octets.iter().try_fold(0_u64, |sum, octet| sum.checked_mul(10)?.checked_add(digit(octet)))
}

/// The shape of RFC 3339 §5.6: `2026-01-31T12:00:00[.123](Z|+01:00)`.
fn date_time(value: &[u8]) -> Option<&str> {
    const SHAPE: &[u8; 19] = b"dddd-dd-ddTdd:dd:dd";
    let (head, rest) = value.split_at_checked(SHAPE.len())?;
    let fits = head.iter().zip(SHAPE).all(|(octet, shape)| match shape {
        b'd' => octet.is_ascii_digit(),
        shape => octet.eq_ignore_ascii_case(shape),
    });
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|octet| octet.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            octets::cut(fraction, digits).1
        }
        rest => rest,
    };
    let zone = match rest {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', a, b, b':', c, d] => [a, b, c, d].into_iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if fits && zone { core::str::from_utf8(value).ok() } else { None }
}
