//! Schedules in a transaction: the real [`Fire`] decides.

use super::Tx;
use crate::{
    acts::job_of,
    deed::{Answer, Change, Deed, Source},
    disk::{Timed, next_of, occurrence_job},
};
use holdfast_common::{
    id::JobId,
    planted::{Planted, planted},
    storage::schedules::{Fire, Schedule, ScheduleState},
    time::Timestamp,
};

impl Tx<'_> {
    pub(super) fn fire(&mut self, n: usize, fire: &Fire, looked: Timestamp) -> Answer {
        let Some(timed) = self.disk.schedules.get(&n).cloned() else { return Answer::Nothing };
        let Some((at, then)) = fire.of(&timed.schedule) else { return Answer::Nothing };
        let mut id = occurrence_job(timed.schedule.id, at);
        let later = planted(Planted::NextAfterJob);
        if later {
            id = JobId::new(self.disk.seq, &[9; 10]);
        }
        let row = &self.disk.queues[timed.queue];
        let waiting: u64 = row.counters[..4].iter().sum();
        let known = self.disk.jobs.contains_key(&id);
        if !known && waiting >= row.settings.most {
            return Answer::Nothing;
        }
        if !known {
            let source = Source::Occurrence(timed.schedule.id, at);
            self.make(&job_of(timed.form, id, timed.queue), source);
        }
        if later {
            return Answer::Fired(Some((n, then)));
        }
        let next = next_of(&timed.schedule.cron, looked);
        debug_assert_eq!(then.next(), Some(next));
        self.deeds.push(Deed::Fired { n, at, then: next, looked });
        self.put(n, then);
        Answer::Fired(None)
    }

    /// It goes on, by itself.
    pub(super) fn goes_on(&mut self, n: usize, then: Schedule) {
        let there = self.disk.schedules.get(&n).filter(|it| it.schedule.id == then.id);
        if there.is_some() {
            self.deeds.push(Deed::Timed(n, Some(then.clone())));
            self.put(n, then);
        }
    }

    fn put(&mut self, n: usize, schedule: Schedule) {
        if let Some(timed) = self.disk.schedules.get_mut(&n) {
            timed.schedule = schedule;
        }
    }

    pub(super) fn schedule(&mut self, n: usize, change: &Change) {
        if let Change::Set(timed) = change {
            self.deeds.push(Deed::Timed(n, Some(timed.schedule.clone())));
            self.disk.schedules.insert(n, Timed::clone(timed));
            return;
        }
        let Some(mut schedule) = self.disk.schedules.get(&n).map(|it| it.schedule.clone()) else {
            return;
        };
        match change {
            Change::Pause => schedule.state = ScheduleState::Paused { reason: None },
            Change::Resume(id, _) if schedule.id != *id => return,
            Change::Resume(_, next) => {
                if schedule.next().is_some_and(|before| before <= *next) {
                    return;
                }
                schedule.state = ScheduleState::Active { next: *next };
                self.deeds.push(Deed::Resumed(n));
            }
            Change::Remove | Change::Set(_) => {
                self.disk.schedules.remove(&n);
                return self.deeds.push(Deed::Timed(n, None));
            }
        }
        self.deeds.push(Deed::Timed(n, Some(schedule.clone())));
        self.put(n, schedule);
    }
}
