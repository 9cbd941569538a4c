//! The clock by which jobs are due and leases run out.
//!
//! It goes with the steady clock of the process, and the driver reads that at the beginning of each
//! batch that it commits, and at least every second. A longer step than [`STEADY`] between two looks
//! is a *gap*: the process or the machine stood still, or the disk did, and nobody could have
//! extended a lease. The clock goes on by all of it, so that delayed jobs come in time; leases are
//! [given](super::Job::give) what is more than a step.
//!
//! Nor can anybody extend a lease while nothing can be written, as on a full disk, however often the
//! driver looks: from a batch that [failed](StoreClock::failed) to one that [wrote](StoreClock::wrote)
//! all of the time is a gap.
//!
//! The wall clock is asked once, at the start: how long the store was closed. Whatever it does
//! while the process runs, it does nothing to a lease.

use super::StoreTime;
use crate::{
    planted::{Planted, planted},
    time::{Instant, Millis, Timestamp},
};

/// The longest step between two looks that is no gap.
pub const STEADY: Millis = Millis(2_000);

/// The longest time for which a store is taken to have been closed; a wall clock that says more is
/// wrong.
pub const LONGEST_CLOSED: Millis = Millis(400 * 24 * 3_600 * 1_000);

/// What is kept of the clock while the store is closed. It is written in each batch that gives a gap,
/// and often enough otherwise: what a kill makes it forget counts as time in which the store was
/// closed, so leases are longer by it and never shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// What the store's clock said.
    pub at: StoreTime,
    /// What the wall clock said at the same moment.
    pub wall: Timestamp,
}

/// What the clock says at the beginning of a batch. All that the batch decides is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// The store's time.
    pub now: StoreTime,
    /// What the batch gives every lease before anything else. It is observed again and again until
    /// it is [given](StoreClock::given).
    pub gap: Option<Millis>,
}

/// The clock.
#[derive(Debug, Clone)]
pub struct StoreClock {
    at: StoreTime,
    /// When the driver last looked.
    seen: Instant,
    /// What leases have not been given yet.
    owed: Millis,
    /// The last batch that was to write something is not committed.
    failing: bool,
}

impl StoreClock {
    /// Of a store that is new.
    #[must_use]
    pub const fn new(steady: Instant) -> Self {
        Self { at: StoreTime(0), seen: steady, owed: Millis(0), failing: false }
    }

    /// Of a store that was closed. All of the time since is a gap; there was none if the wall clock
    /// was set back meanwhile.
    #[must_use]
    pub fn open(kept: Kept, wall: Timestamp, steady: Instant) -> Self {
        let closed = Millis(wall.0.saturating_sub(kept.wall.0)).min(LONGEST_CLOSED);
        Self { at: kept.at + closed, seen: steady, owed: closed, failing: false }
    }

    /// Looks at the clock.
    pub fn observe(&mut self, steady: Instant) -> Observed {
        let step = steady - self.seen;
        self.seen = self.seen.max(steady);
        self.at = self.at + step;
        let counts = if self.failing { Millis(0) } else { STEADY };
        self.owed.0 += step.0.saturating_sub(counts.0);
        Observed { now: self.at, gap: Some(self.owed).filter(|gap| *gap > Millis(0)) }
    }

    /// A batch is not committed, as is known now. What has gone by until now counts as ever: who only
    /// reads may have been told of it.
    pub fn failed(&mut self, steady: Instant) {
        self.observe(steady);
        self.failing = true;
    }

    /// A batch that has written something is committed. One that had nothing to write says nothing
    /// about the disk.
    pub const fn wrote(&mut self) {
        self.failing = false;
    }

    /// Whether nothing was written since a batch [failed](Self::failed).
    #[must_use]
    pub const fn fails(&self) -> bool {
        self.failing
    }

    /// A batch that gave this gap to the leases is committed.
    pub fn given(&mut self, gap: Millis) {
        self.owed.0 = self.owed.0.saturating_sub(gap.0);
    }

    /// Nobody could say whether the batch of this observation is committed, and what is kept was read
    /// again since: a batch that gives a gap keeps the clock. Without it the leases would be given the
    /// gap twice. It is asked before the observation of the next batch.
    pub fn read(&mut self, kept: Kept, of: Observed) {
        let there = kept.at == of.now && !planted(Planted::GapTwice);
        if let Some(gap) = of.gap.filter(|_| there) {
            self.given(gap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Kept = Kept { at: StoreTime(50_000), wall: Timestamp(1_000_000) };

    #[test]
    fn it_goes_with_the_steady_clock() {
        let mut clock = StoreClock::new(Instant(7));
        for (steady, now) in [(7, 0), (1_007, 1_000), (3_007, 3_000), (3_007, 3_000)] {
            let observed = clock.observe(Instant(steady));
            assert_eq!(observed, Observed { now: StoreTime(now), gap: None });
        }
    }

    #[test]
    fn what_is_more_than_a_step_is_a_gap_that_the_leases_are_given() {
        let mut clock = StoreClock::new(Instant(0));
        let observed = clock.observe(Instant(62_000));
        assert_eq!(observed, Observed { now: StoreTime(62_000), gap: Some(Millis(60_000)) });
    }

    #[test]
    fn a_gap_is_seen_until_a_batch_that_gave_it_is_committed() {
        let mut clock = StoreClock::new(Instant(0));
        assert_eq!(clock.observe(Instant(5_000)).gap, Some(Millis(3_000)));
        assert_eq!(clock.observe(Instant(5_001)).gap, Some(Millis(3_000)), "the batch has failed");
        assert_eq!(clock.observe(Instant(9_001)).gap, Some(Millis(5_000)), "and here is one more");
        clock.given(Millis(5_000));
        assert_eq!(clock.observe(Instant(9_002)).gap, None);
    }

    #[test]
    fn a_gap_that_comes_while_another_one_is_committed_is_not_lost() {
        let mut clock = StoreClock::new(Instant(0));
        let first = clock.observe(Instant(5_000)).gap;
        clock.observe(Instant(10_000));
        clock.given(first.unwrap());
        assert_eq!(clock.observe(Instant(10_000)).gap, Some(Millis(3_000)));
    }

    #[test]
    fn a_gap_is_given_once_by_a_batch_that_nobody_can_say_is_committed() {
        for written in [true, false] {
            let mut clock = StoreClock::new(Instant(0));
            let of = clock.observe(Instant(5_000));
            let kept = if written { Kept { at: of.now, ..KEPT } } else { KEPT };
            clock.read(kept, of);
            let gap = clock.observe(Instant(5_001)).gap;
            assert_eq!(gap, if written { None } else { Some(Millis(3_000)) });
        }
    }

    #[test]
    fn all_of_the_time_in_which_nothing_could_be_written_is_a_gap() {
        let mut clock = StoreClock::new(Instant(0));
        assert_eq!(clock.observe(Instant(1_000)).gap, None);
        clock.failed(Instant(1_100));
        for second in 1..60 {
            let observed = clock.observe(Instant(1_100 + second * 1_000));
            assert_eq!(observed.gap, Some(Millis(second * 1_000)), "the batch fails, too");
            assert_eq!(observed.now, StoreTime(1_100 + second * 1_000), "delays go on");
        }
        clock.wrote();
        clock.given(Millis(59_000));
        let observed = clock.observe(Instant(62_000));
        assert_eq!(observed, Observed { now: StoreTime(62_000), gap: None });
    }

    #[test]
    fn a_batch_that_stands_still_and_then_fails_is_a_gap_as_one_that_is_committed() {
        let mut clock = StoreClock::new(Instant(0));
        clock.failed(Instant(10_000));
        assert_eq!(clock.observe(Instant(10_500)).gap, Some(Millis(8_500)));
    }

    #[test]
    fn the_time_in_which_the_store_was_closed_is_given_to_leases_whole() {
        let mut clock = StoreClock::open(KEPT, Timestamp(1_090_000), Instant(3));
        let observed = clock.observe(Instant(3));
        assert_eq!(observed, Observed { now: StoreTime(140_000), gap: Some(Millis(90_000)) });
    }

    #[test]
    fn a_wall_clock_that_was_set_back_or_far_ahead_meanwhile_moves_it_within_bounds() {
        let mut back = StoreClock::open(KEPT, Timestamp(400), Instant(0));
        assert_eq!(back.observe(Instant(0)), Observed { now: KEPT.at, gap: None });
        let mut ahead = StoreClock::open(KEPT, Timestamp(u64::MAX), Instant(0));
        let observed = ahead.observe(Instant(0));
        assert_eq!(observed.now, KEPT.at + LONGEST_CLOSED);
        assert_eq!(observed.gap, Some(LONGEST_CLOSED));
    }

    #[test]
    fn it_never_goes_back() {
        let mut clock = StoreClock::new(Instant(1_000));
        assert_eq!(clock.observe(Instant(2_000)).now, StoreTime(1_000));
        assert_eq!(clock.observe(Instant(500)).now, StoreTime(1_000));
        assert_eq!(clock.observe(Instant(2_001)).now, StoreTime(1_001));
    }
}
