//! Named leniency: each repair is switchable for a connection, and each hit is counted. To be liberal in what is accepted has made peers that
//! were never corrected: a count tells who they are, and a switch is there for the day on which a liberty turns out to be a hole.

use core::fmt;
use core::marker::PhantomData;

/// The repairs that one protocol knows: a field-less enum, each variant with a number of its own below 32.
pub trait Repair: Copy + fmt::Debug + 'static {
    /// Every repair, in the order of their numbers.
    const ALL: &'static [Self];

    /// The number of this repair, below 32.
    fn index(self) -> u8;

    /// Whether the tolerant grammar begins with it on. A repair that could mistake something legal begins off.
    fn is_usual(self) -> bool {
        true
    }
}

/// Which repairs are on, and how often each was used.
///
/// Nothing that moves the end of a message body can be a repair.
#[derive(Clone)]
pub struct Repairs<R> {
    on: u32,
    hits: [u32; 32],
    kind: PhantomData<R>,
}

impl<R: Repair> Repairs<R> {
    /// No repair is on: the strict grammar.
    #[must_use]
    pub fn none() -> Self {
        Self { on: 0, hits: [0; 32], kind: PhantomData }
    }

    /// Every repair is on: the tolerant grammar.
    #[must_use]
    pub fn all() -> Self {
        let mut repairs = Self::none();
        for repair in R::ALL {
            repairs.set(*repair, true);
        }
        repairs
    }

    /// Switches one repair.
    pub fn set(&mut self, repair: R, on: bool) {
        let bit = Self::bit(repair);
        self.on = if on { self.on | bit } else { self.on & !bit };
    }

    /// Whether the repair is on.
    #[must_use]
    pub fn is_on(&self, repair: R) -> bool {
        self.on & Self::bit(repair) != 0
    }

    /// Counts a hit if the repair is on. Says whether it is.
    pub fn take(&mut self, repair: R) -> bool {
        if !self.is_on(repair) {
            return false;
        }
        self.count(repair, 1);
        true
    }

    /// Counts `hits` of what is passed on whatever the switch says, such as bare line ends in a body received.
    pub fn count(&mut self, repair: R, hits: u32) {
        if let Some(count) = self.hits.get_mut(usize::from(repair.index())) {
            *count = count.saturating_add(hits);
        }
    }

    /// How often the repair was used, saturating.
    #[must_use]
    pub fn hits(&self, repair: R) -> u32 {
        self.hits.get(usize::from(repair.index())).copied().unwrap_or(0)
    }

    /// How often any repair was used, saturating.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.hits.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    /// The repairs that were used, each with its count.
    pub fn used(&self) -> impl Iterator<Item = (R, u32)> + '_ {
        R::ALL.iter().map(|repair| (*repair, self.hits(*repair))).filter(|(_, hits)| *hits > 0)
    }

    fn bit(repair: R) -> u32 {
        1_u32.checked_shl(u32::from(repair.index())).unwrap_or(0)
    }
}

impl<R: Repair> fmt::Debug for Repairs<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.used()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Toy {
        One,
        Last,
    }

    impl Repair for Toy {
        const ALL: &'static [Self] = &[Self::One, Self::Last];
        fn index(self) -> u8 {
            match self {
                Self::One => 0,
                Self::Last => 31,
            }
        }
    }

    #[test]
    fn only_what_is_on_is_taken_and_counted() {
        let mut repairs = Repairs::<Toy>::none();
        assert!(!repairs.take(Toy::One));
        assert_eq!(repairs.total(), 0);
        repairs.set(Toy::Last, true);
        assert!(repairs.take(Toy::Last));
        assert!(repairs.take(Toy::Last));
        assert_eq!(repairs.used().collect::<Vec<_>>(), [(Toy::Last, 2)]);
        let mut all = Repairs::<Toy>::all();
        all.set(Toy::Last, false);
        assert!(all.is_on(Toy::One) && !all.is_on(Toy::Last));
    }
}
