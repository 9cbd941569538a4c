//! How many jobs of a queue may begin in a time.

use super::{
    Unfit,
    limits::{LONGEST_DELAY, LONGEST_RATE, RATE_JOBS},
    time::StoreTime,
};
use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// So many jobs in so long, evenly, and `burst` of them at once where none began for a while.
///
/// It is the generic cell rate algorithm (ITU-T I.371), which needs one number a queue however many
/// jobs begin: [`Tat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Jobs, at least 1.
    pub jobs: u32,
    /// In this time, up to a day.
    #[serde(rename = "per_ms")]
    pub per: Millis,
    /// Jobs that may begin at once, at least 1.
    pub burst: u32,
}

/// A queue's *theoretical arrival time*: when its rate would be used up to by what has begun, in
/// nanoseconds of the store's clock, since a job's share of the time need not be whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tat(pub u64);

/// What a [rate](Rate::allow) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// So many may begin now.
    pub jobs: u32,
    /// What to keep once they have.
    pub tat: Tat,
    /// One more may begin this long after that.
    pub wait: Millis,
}

const NANOS: u128 = 1_000_000;

impl Rate {
    /// Whether it can be gone by.
    ///
    /// # Errors
    /// A member is out of its bounds, or the burst is more than the rate gives in a year.
    pub fn check(&self) -> Result<(), Unfit> {
        let counts = RATE_JOBS.contains(&self.jobs) && RATE_JOBS.contains(&self.burst);
        let fits = counts
            && (Millis(1)..=LONGEST_RATE).contains(&self.per)
            && self.room() <= u128::from(LONGEST_DELAY.0) * NANOS;
        if fits { Ok(()) } else { Err(Unfit::Bounds("rate")) }
    }

    /// How many of `wanted` jobs may begin now. Whoever finds that fewer can begin asks again with
    /// those, and keeps that answer: what is kept is what was used.
    ///
    /// In no time `t` do more begin than `burst + t * jobs / per`.
    #[must_use]
    pub fn allow(&self, tat: Tat, now: StoreTime, wanted: u32) -> Allowed {
        let now = u128::from(now.0) * NANOS;
        let (share, room) = (self.share(), self.room());
        // One that is ahead of a whole burst was kept by a rate that was set before this one.
        let used = u128::from(tat.0).clamp(now, now + room);
        let jobs = u128::from(wanted).min((now + room - used) / share);
        let used = used + jobs * share;
        let wait = (used + share).saturating_sub(now + room).div_ceil(NANOS);
        let narrow = |wide: u128| u64::try_from(wide).unwrap_or(u64::MAX);
        Allowed {
            jobs: u32::try_from(jobs).unwrap_or(wanted),
            tat: if jobs == 0 { tat } else { Tat(narrow(used)) },
            wait: Millis(narrow(wait)),
        }
    }

    /// A job's share of the time, in nanoseconds: rounded up, so that none begins too early.
    fn share(&self) -> u128 {
        (u128::from(self.per.0) * NANOS).div_ceil(u128::from(self.jobs.max(1))).max(1)
    }

    /// That of a whole burst.
    fn room(&self) -> u128 {
        u128::from(self.burst) * self.share()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = LONGEST_RATE;
    const MOST: u32 = *RATE_JOBS.end();
    const TEN_A_SECOND: Rate = Rate { jobs: 10, per: Millis(1_000), burst: 5 };

    #[test]
    fn a_burst_may_begin_at_once_and_then_one_in_each_share_of_the_time() {
        let first = TEN_A_SECOND.allow(Tat(0), StoreTime(1_000), 100);
        assert_eq!((first.jobs, first.wait), (5, Millis(100)));
        let early = TEN_A_SECOND.allow(first.tat, StoreTime(1_099), 100);
        assert_eq!((early.jobs, early.wait), (0, Millis(1)));
        assert_eq!(early.tat, first.tat, "who begins nothing uses nothing");
        let next = TEN_A_SECOND.allow(first.tat, StoreTime(1_100), 100);
        assert_eq!((next.jobs, next.wait), (1, Millis(100)));
        let later = TEN_A_SECOND.allow(next.tat, StoreTime(1_350), 100);
        assert_eq!((later.jobs, later.wait), (2, Millis(50)));
        let rested = TEN_A_SECOND.allow(later.tat, StoreTime(60_000), 100);
        assert_eq!(rested.jobs, 5, "what was not used is not saved up past the burst");
    }

    #[test]
    fn fewer_than_are_allowed_use_less() {
        let two = TEN_A_SECOND.allow(Tat(0), StoreTime(0), 2);
        assert_eq!((two.jobs, two.wait), (2, Millis(0)));
        assert_eq!(TEN_A_SECOND.allow(two.tat, StoreTime(0), 100).jobs, 3);
    }

    #[test]
    fn shares_that_are_no_whole_milliseconds_add_up() {
        let rate = Rate { jobs: 3_000, per: Millis(1_000), burst: 1 };
        let mut tat = Tat(0);
        let mut began = 0;
        for now in 0..10_000 {
            while let Allowed { jobs: 1, tat: after, .. } = rate.allow(tat, StoreTime(now), 1) {
                tat = after;
                began += 1;
            }
        }
        // The burst is one, so of what falls between two milliseconds only one is not lost.
        assert_eq!(began, 10_000);
        let rate = Rate { burst: 4, ..rate };
        let began: u32 = (0..10_000_u64)
            .scan(Tat(0), |tat, now| {
                let allowed = rate.allow(*tat, StoreTime(now), 9);
                *tat = allowed.tat;
                Some(allowed.jobs)
            })
            .sum();
        assert!((29_990..=30_004).contains(&began), "{began}");
    }

    #[test]
    fn a_share_that_is_no_whole_nanosecond_is_rounded_so_that_none_begins_too_early() {
        let rate = Rate { jobs: 999_999, per: Millis(1), burst: MOST };
        let first = rate.allow(Tat(0), StoreTime(0), MOST);
        assert_eq!(first.jobs, MOST);
        assert!(rate.allow(first.tat, StoreTime(1), MOST).jobs <= 999_999);
    }

    #[test]
    fn a_rate_that_is_set_anew_does_not_wait_for_the_one_before() {
        let slow = Rate { jobs: 1, per: DAY, burst: 1 };
        let used = slow.allow(Tat(0), StoreTime(5_000), 1);
        assert_eq!(used.wait, DAY);
        let allowed = TEN_A_SECOND.allow(used.tat, StoreTime(5_000), 1);
        assert_eq!((allowed.jobs, allowed.wait), (0, Millis(100)));
    }

    #[test]
    fn a_rate_that_never_lets_anything_begin_is_refused() {
        assert_eq!(TEN_A_SECOND.check(), Ok(()));
        assert_eq!(Rate { jobs: 1, per: DAY, burst: 365 }.check(), Ok(()));
        for rate in [
            Rate { jobs: 0, ..TEN_A_SECOND },
            Rate { jobs: MOST + 1, ..TEN_A_SECOND },
            Rate { per: Millis(0), ..TEN_A_SECOND },
            Rate { per: Millis(DAY.0 + 1), ..TEN_A_SECOND },
            Rate { burst: 0, ..TEN_A_SECOND },
            Rate { burst: MOST + 1, ..TEN_A_SECOND },
            Rate { jobs: 1, per: DAY, burst: 366 },
        ] {
            assert_eq!(rate.check(), Err(Unfit::Bounds("rate")), "{rate:?}");
        }
    }
}
