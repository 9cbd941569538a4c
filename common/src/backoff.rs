//! How long to wait before trying again, and the dice it takes.

use crate::time::Millis;

/// A small generator of numbers for jitter (SplitMix64, Steele et al. 2014), seeded from outside so
/// that a run can be repeated. Not for ids or secrets.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same way for the same seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `most`, both included.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        if most == u64::MAX { z } else { z % (most + 1) }
    }
}

/// Exponential backoff with full jitter: a wait between nothing and the doubled bound, so that
/// many clients cut off at once do not come back at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Millis,
    most: Millis,
    failures: u32,
}

impl Backoff {
    /// Bounds: `first` after one failure, doubled with each further one, never above `most`.
    #[must_use]
    pub const fn new(first: Millis, most: Millis) -> Self {
        Self { first, most, failures: 0 }
    }

    /// The wait after one more failure.
    pub fn next(&mut self, dice: &mut Dice) -> Millis {
        let doubled = self.first.0.checked_shl(self.failures.min(32)).unwrap_or(u64::MAX);
        self.failures = self.failures.saturating_add(1);
        Millis(dice.up_to(doubled.min(self.most.0)))
    }

    /// After a success the next failure counts as the first.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_spread_below_a_bound_that_doubles_and_ends() {
        let mut dice = Dice::new(7);
        let mut backoff = Backoff::new(Millis(100), Millis(1_000));
        for bound in [100, 200, 400, 800, 1_000, 1_000] {
            assert!(backoff.next(&mut dice).0 <= bound);
        }
        let first: Vec<_> =
            (0..200).map(|_| Backoff::new(Millis(100), Millis(1_000)).next(&mut dice).0).collect();
        assert!(first.iter().any(|wait| *wait < 25) && first.iter().any(|wait| *wait > 75));
        for _ in 0..100 {
            backoff.next(&mut dice);
        }
        backoff.succeeded();
        assert!(backoff.next(&mut dice).0 <= 100);
    }
}
