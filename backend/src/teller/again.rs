//! Ends whose telling has failed: each is told again after a while, which grows.

use holdfast_common::id::JobId;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// The first wait; each next one is twice as long.
pub(super) const FIRST: Duration = Duration::from_secs(1);

/// The longest wait.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// Ends whose waits are known. One more is told again in each round.
const KNOWN: usize = 10_000;

/// An end of a job, by the fence of it.
pub(super) type End = (JobId, u64);

#[derive(Debug, Clone, Copy)]
struct Wait {
    until: Instant,
    length: Duration,
}

/// Which ends wait. What is not met in a round is told by then, and forgotten.
#[derive(Debug, Default)]
pub(super) struct Again {
    before: HashMap<End, Wait>,
    now: HashMap<End, Wait>,
}

impl Again {
    /// Whether an end that is met is to be told now.
    pub(super) fn is_due(&mut self, now: Instant, end: End) -> bool {
        let wait = self.before.get(&end).filter(|wait| now < wait.until);
        if let Some(wait) = wait {
            self.now.insert(end, *wait);
        }
        wait.is_none()
    }

    /// It could not be told.
    pub(super) fn failed(&mut self, now: Instant, end: End) {
        let length = self.before.get(&end).map_or(FIRST, |wait| (wait.length * 2).min(LONGEST));
        if self.before.contains_key(&end) || self.before.len().max(self.now.len()) < KNOWN {
            self.now.insert(end, Wait { until: now + length, length });
        }
    }

    /// These are told.
    pub(super) fn told(&mut self, ends: &[End]) {
        for end in ends {
            self.before.remove(end);
        }
    }

    /// Only some ends were met: those that were not still wait.
    pub(super) fn cut(&mut self) {
        self.before.extend(self.now.drain());
    }

    /// All ends were met once.
    pub(super) fn round(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_waits_twice_as_long_each_time_and_what_was_told_is_forgotten() {
        let (mut again, mut now) = (Again::default(), Instant::now());
        let (fails, other) = ((JobId::NIL, 1), (JobId::NIL, 2));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(again.is_due(now, fails) && again.is_due(now, other));
            again.failed(now, fails);
            again.round();
            let wait = Duration::from_secs(seconds);
            assert!(!again.is_due(now + wait - Duration::from_millis(1), fails));
            again.round();
            now += wait;
        }
        assert!(again.is_due(now, fails));
        again.round();
        again.failed(now, fails);
        again.round();
        assert!(again.is_due(now + FIRST, fails), "it had been told in between");
    }

    #[test]
    fn a_round_that_ends_early_forgets_no_wait_but_of_what_was_told() {
        let (mut again, now) = (Again::default(), Instant::now());
        let [met, unmet, told] = [1, 2, 3].map(|fence| (JobId::NIL, fence));
        for end in [met, unmet, told] {
            again.failed(now, end);
        }
        again.round();
        assert!(!again.is_due(now, met));
        again.told(&[told]);
        again.cut();
        assert_eq!([met, unmet, told].map(|end| again.is_due(now, end)), [false, false, true]);
    }

    #[test]
    fn no_more_waits_are_known_than_may_be() {
        let (mut again, now) = (Again::default(), Instant::now());
        for fence in 0..=KNOWN as u64 {
            again.failed(now, (JobId::NIL, fence));
        }
        again.round();
        assert!(!again.is_due(now, (JobId::NIL, 0)));
        assert!(again.is_due(now, (JobId::NIL, KNOWN as u64)));
    }
}
