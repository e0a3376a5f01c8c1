//! How the octets of an input are cut into reads.

/// Inputs up to this length are cut at every place.
const EVERY_CUT: usize = 2048;
/// Inputs up to this length are fed octet by octet.
const OCTET_BY_OCTET: usize = 128 * 1024;
/// How many random ways of cutting a long input gets.
const RANDOM: u64 = 4;

/// One way of cutting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// All octets in one read.
    Whole,
    /// One octet a read.
    Octets,
    /// Two reads, cut here.
    Cut(usize),
    /// Reads of pseudo-random length, the same for the same seed.
    Random(u64),
}

impl Schedule {
    /// All ways of cutting an input of `len` octets.
    pub(crate) fn all(len: usize, whole_only: bool) -> Vec<Schedule> {
        let mut all = vec![Schedule::Whole];
        if whole_only || len < 2 {
            return all;
        }
        if len <= OCTET_BY_OCTET {
            all.push(Schedule::Octets);
        }
        if len <= EVERY_CUT {
            all.extend((1..len).map(Schedule::Cut));
        } else {
            all.extend((1..=RANDOM).map(Schedule::Random));
        }
        all
    }

    /// The input in reads.
    pub(crate) fn reads(self, input: &[u8]) -> Reads<'_> {
        let state =
            if let Schedule::Random(seed) = self { seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) } else { 0 };
        Reads { schedule: self, rest: input, first: true, state }
    }

    /// The schedule in a report.
    pub(crate) fn name(self) -> String {
        match self {
            Schedule::Whole => "whole".into(),
            Schedule::Octets => "one octet at a time".into(),
            Schedule::Cut(at) => format!("cut at {at}"),
            Schedule::Random(seed) => format!("random cuts {seed}"),
        }
    }
}

/// The reads of one schedule.
pub(crate) struct Reads<'o> {
    schedule: Schedule,
    rest: &'o [u8],
    first: bool,
    state: u64,
}

impl<'o> Iterator for Reads<'o> {
    type Item = &'o [u8];

    fn next(&mut self) -> Option<&'o [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let len = match self.schedule {
            Schedule::Whole => self.rest.len(),
            Schedule::Octets => 1,
            Schedule::Cut(at) if self.first => at,
            Schedule::Cut(_) => self.rest.len(),
            Schedule::Random(_) => self.random(),
        };
        self.first = false;
        let (read, rest) = self.rest.split_at(len.clamp(1, self.rest.len()));
        self.rest = rest;
        Some(read)
    }
}

impl Reads<'_> {
    /// A length that is small as often as large (xorshift).
    fn random(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let bits = 1 + (self.state >> 60) % 14;
        usize::try_from(self.state & ((1 << bits) - 1)).unwrap_or(1)
    }
}
