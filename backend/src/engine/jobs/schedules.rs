//! Schedules, and the jobs of their occurrences.

use super::{Work, audit::Note, enqueue::Space, rows::Rows, work::Worked};
use crate::engine::occurrence_job;
use holdfast_common::{
    id::JobId,
    job::{NewJob, limits::SCHEDULES},
    storage::{
        jobs::{By, Did},
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, ScheduleState,
            Scheduled,
        },
    },
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn set_schedule(
        &mut self,
        new: &NewSchedule,
        by: &By,
    ) -> Worked<Scheduled, R> {
        let job = NewJob { id: JobId::NIL, ..new.job.clone() };
        let Some(queue) = self.queue_named(&job.ns, &job.queue)? else {
            return Ok(Scheduled::UnknownQueue);
        };
        let before = self.rows.schedule(&job.ns, &new.name)?;
        if let Some(before) = &before {
            if before.schedule.cron == new.cron && before.job == job {
                return Ok(Scheduled::Same(before.schedule.clone()));
            }
            self.rows.drop_schedule(before.schedule.id)?;
            if before.job.queue != job.queue {
                self.note_schedule(&before.schedule, by, Did::ScheduleRemoved, None)?;
            }
        } else if self.rows.count_schedules()? >= SCHEDULES {
            return Ok(Scheduled::TooMany);
        }
        let schedule = Schedule {
            id: new.id,
            ns: job.ns.clone(),
            name: new.name.clone(),
            cron: new.cron.clone(),
            queue: job.queue.clone(),
            kind: job.kind.clone(),
            state: ScheduleState::Active { next: new.next },
            last: None,
            made: self.moment.wall,
            by: by.person,
        };
        let read = ScheduleRead { schedule, job };
        self.rows.add_schedule(&read, queue)?;
        let ScheduleRead { schedule, .. } = read;
        let did = if before.is_some() { Did::ScheduleReplaced } else { Did::ScheduleMade };
        self.note_schedule(&schedule, by, did, Some(&schedule.cron))?;
        Ok(if before.is_some() { Scheduled::Replaced(schedule) } else { Scheduled::Made(schedule) })
    }

    pub(in crate::engine) fn schedule(
        &self,
        ns: &str,
        name: &str,
    ) -> Worked<Option<ScheduleRead>, R> {
        self.rows.schedule(ns, name)
    }

    pub(in crate::engine) fn schedules(&self, ns: &str) -> Worked<Vec<Schedule>, R> {
        self.rows.schedules(ns)
    }

    pub(in crate::engine) fn change_schedule(
        &mut self,
        ns: &str,
        name: &str,
        change: &ScheduleChange,
        by: &By,
    ) -> Worked<Option<Schedule>, R> {
        let Some(ScheduleRead { mut schedule, .. }) = self.rows.schedule(ns, name)? else {
            return Ok(None);
        };
        let did = match change {
            ScheduleChange::Remove => {
                self.rows.drop_schedule(schedule.id)?;
                Did::ScheduleRemoved
            }
            ScheduleChange::Pause => {
                if schedule.state == (ScheduleState::Paused { reason: None }) {
                    return Ok(Some(schedule));
                }
                schedule.state = ScheduleState::Paused { reason: None };
                self.rows.keep_schedule(&schedule)?;
                Did::SchedulePaused
            }
            ScheduleChange::Resume { id, .. } if schedule.id != *id => return Ok(None),
            ScheduleChange::Resume { next, .. } => {
                if schedule.next().is_some_and(|before| before <= *next) {
                    return Ok(Some(schedule));
                }
                schedule.state = ScheduleState::Active { next: *next };
                self.rows.keep_schedule(&schedule)?;
                Did::ScheduleResumed
            }
        };
        self.note_schedule(&schedule, by, did, None)?;
        Ok(Some(schedule))
    }

    pub(in crate::engine) fn due(&self) -> Worked<Due, R> {
        let now = self.moment.wall;
        let (schedules, next) = (self.rows.due_schedules(now)?, self.rows.next_schedule(now)?);
        Ok(Due { now, schedules, next })
    }

    pub(in crate::engine) fn fire(&mut self, fire: &Fire) -> Worked<Fired, R> {
        let there = self.rows.schedule(&fire.schedule.ns, &fire.schedule.name)?;
        let Some(ScheduleRead { schedule, job }) = there else {
            return Ok(Fired::Moved);
        };
        let Some((at, schedule)) = fire.of(&schedule) else {
            return Ok(Fired::Moved);
        };
        let jobs = [NewJob { id: occurrence_job(schedule.id, at), ..job }];
        let Ok(queues) = self.queues_of(&jobs)? else {
            return Ok(Fired::Moved);
        };
        // It is known already, while it is kept, where the clock was set back and the schedule told to go
        // by that.
        let new = self.not_there(&jobs, queues)?;
        if self.space(&new)? != Space::Free {
            return Ok(Fired::QueueFull);
        }
        self.add_all(&new)?;
        if let Err(reason) = &fire.then {
            self.note_schedule(&schedule, &fire.by, Did::SchedulePaused, Some(reason))?;
        }
        self.rows.keep_schedule(&schedule)?;
        let [job] = jobs;
        Ok(Fired::Job(job.id))
    }

    fn note_schedule(
        &mut self,
        schedule: &Schedule,
        by: &By,
        did: Did,
        more: Option<&str>,
    ) -> Worked<(), R> {
        let Some(queue) = self.queue_named(&schedule.ns, &schedule.queue)? else {
            return Ok(());
        };
        let name = &schedule.name;
        let detail = more.map_or_else(|| name.clone(), |more| format!("{name}: {more}"));
        self.note(queue, by, Note::plain(did, Some(detail))).map(drop)
    }
}
