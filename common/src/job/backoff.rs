//! How long a job waits after a failed attempt.

use super::limits::{LONGEST_BACKOFF, LONGEST_DOUBLED};
use crate::{backoff::Dice, time::Millis};

/// The wait after the failure of the attempt of this number, which counts from 1: `first` after the
/// first, doubled with each further one up to [`LONGEST_DOUBLED`], never above [`LONGEST_BACKOFF`]. Of
/// that the second half is drawn by `chance`, so that jobs which failed together do not all come back
/// together, and none at once.
#[must_use]
pub fn wait(first: Millis, attempt: u32, chance: u64) -> Millis {
    let doublings = attempt.saturating_sub(1).min(63);
    let bound = first.clamp(LONGEST_DOUBLED, LONGEST_BACKOFF);
    let most = first.0.saturating_mul(1 << doublings).min(bound.0);
    let least = most / 2;
    Millis(least + Dice::new(chance).up_to(most - least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_doubles_with_each_attempt_up_to_half_a_day() {
        for (attempt, most) in [(1, 1_000), (2, 2_000), (3, 4_000), (10, 512_000)] {
            for chance in 0..200 {
                let wait = wait(Millis(1_000), attempt, chance).0;
                assert!((most / 2..=most).contains(&wait), "attempt {attempt}: {wait}");
            }
        }
        for attempt in [40, 64, 65, u32::MAX] {
            let half = LONGEST_DOUBLED.0 / 2;
            assert!((half..=2 * half).contains(&wait(Millis(3), attempt, 7).0));
            let longer = Millis(LONGEST_DOUBLED.0 + 2);
            assert!(wait(longer, attempt, 7) <= longer, "it stays as it is");
            assert!(wait(longer, attempt, 7) > Millis(half));
            assert!(wait(Millis(u64::MAX), attempt, 7) <= LONGEST_BACKOFF);
        }
    }

    #[test]
    fn waits_of_jobs_that_failed_together_are_spread() {
        let waits: Vec<u64> = (0..200).map(|chance| wait(Millis(1_000), 1, chance).0).collect();
        assert!(waits.iter().any(|wait| *wait < 600) && waits.iter().any(|wait| *wait > 900));
    }

    #[test]
    fn without_a_backoff_the_next_attempt_may_begin_at_once() {
        assert_eq!(wait(Millis(0), 7, 7), Millis(0));
    }
}
