//! Schedules: each time at which one comes has its job once, or is passed over behind one that has, as the
//! rule says.

use super::{Invariant, Ledger};
use crate::disk::{Disk, occurrence_job, period};
use holdfast_common::{
    id::ScheduleId,
    storage::schedules::Schedule,
    time::{Millis, Timestamp},
};
use std::collections::BTreeSet;

/// A schedule, as it is known.
#[derive(Debug, Clone)]
pub struct Times {
    id: ScheduleId,
    period: u64,
    next: Option<Timestamp>,
    /// Since it was made, or a person had it count anew.
    fired: BTreeSet<Timestamp>,
}

/// How long a time that has come may be without its job while nothing is wrong.
const SOON: Millis = Millis(2_000);

impl Ledger {
    pub(super) fn timed(&mut self, n: usize, schedule: Option<&Schedule>) {
        let Some(schedule) = schedule else {
            self.state.times.remove(&n);
            return;
        };
        let (id, next) = (schedule.id, schedule.next());
        match self.state.times.get_mut(&n).filter(|times| times.id == id) {
            Some(times) => times.next = next,
            None => {
                let (period, fired) = (period(&schedule.cron), BTreeSet::new());
                self.state.times.insert(n, Times { id, period, next, fired });
            }
        }
    }

    pub(super) fn resumed(&mut self, n: usize) {
        self.counts.add("schedule: resumed");
        if let Some(times) = self.state.times.get_mut(&n) {
            times.fired.clear();
        }
    }

    /// An occurrence has come, by what the wall clock said when somebody looked.
    pub(super) fn fired(&mut self, n: usize, at: Timestamp, then: Timestamp, looked: Timestamp) {
        self.counts.add("schedule: fired");
        let Some(times) = self.state.times.get_mut(&n) else {
            return self.breaks(Invariant::J10, || format!("schedule {n}, which is none, comes"));
        };
        let (was, period) = (times.next.replace(then), times.period);
        let again = !times.fired.insert(at);
        let job = occurrence_job(times.id, at);
        // Each time from this one on up to now is of this job, and no other one is.
        let first = looked.0 - looked.0 % period + period;
        let passed = (then.0 - at.0) / period - 1;
        let wrong = if was != Some(at) {
            Some(format!("{was:?} is next"))
        } else if again {
            Some("it has come before".to_owned())
        } else if looked < at {
            Some(format!("it is {looked:?}"))
        } else if then.0 != first {
            Some(format!("{then:?} is to be next, and {first} is"))
        } else if !self.state.jobs.contains_key(&job) && !self.state.removed.contains(&job) {
            Some("it has no job".to_owned())
        } else {
            None
        };
        if let Some(wrong) = wrong {
            self.breaks(Invariant::J10, || format!("schedule {n} comes at {at:?}: {wrong}"));
        }
        if passed > 0 {
            self.counts.add("schedule: what was missed is one job");
        }
    }

    /// What is kept of schedules is what has been done with them.
    pub(super) fn same_times(&mut self, disk: &Disk) {
        let next = |n: &usize| disk.schedules.get(n).map(|timed| timed.schedule.next());
        let wrong = self.state.times.iter().find(|(n, times)| next(n) != Some(times.next));
        if let Some((n, times)) = wrong.map(|(n, times)| (*n, times.clone())) {
            self.breaks(Invariant::J10, || {
                format!("schedule {n} is to come at {:?}, and {:?} is next", next(&n), times.next)
            });
        }
    }

    /// Nothing has been wrong for a while: what had to come has come.
    pub fn has_come(&mut self, wall: Timestamp) {
        let late = |times: &Times| times.next.is_some_and(|next| next.0 + SOON.0 <= wall.0);
        if let Some((n, times)) = self.state.times.iter().find(|(_, times)| late(times)) {
            let what = format!("schedule {n} does not come: {times:?} at {wall:?}");
            self.breaks(Invariant::J10, || what);
        }
    }
}
