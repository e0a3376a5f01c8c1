//! What a peer may spend before the link is closed.

/// A count that only goes down: octets discarded, bad commands, replies that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    whole: u64,
    left: u64,
}

/// The budget does not cover what was asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the budget of {whole} is spent")]
pub struct Spent {
    /// The size of the whole budget.
    pub whole: u64,
}

impl Budget {
    /// A budget of `whole` units.
    #[must_use]
    pub const fn new(whole: u64) -> Self {
        Self { whole, left: whole }
    }

    /// Takes `n` from what is left.
    ///
    /// # Errors
    /// [`Spent`] when less than `n` is left; the rest is then gone too, so that the error stays.
    pub fn spend(&mut self, n: u64) -> Result<(), Spent> {
        match self.left.checked_sub(n) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Spent { whole: self.whole })
            }
        }
    }

    /// What is left.
    #[must_use]
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Makes the budget whole again.
    pub fn renew(&mut self) {
        self.left = self.whole;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_to_the_last_unit_and_not_beyond() {
        let mut budget = Budget::new(3);
        assert_eq!(budget.spend(2), Ok(()));
        assert_eq!(budget.left(), 1);
        assert_eq!(budget.spend(2), Err(Spent { whole: 3 }));
        assert_eq!(budget.spend(1), Err(Spent { whole: 3 }));
        budget.renew();
        assert_eq!(budget.spend(3), Ok(()));
    }
}
