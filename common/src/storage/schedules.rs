//! What is asked of the engine about schedules, and what it says.

use super::jobs::By;
use crate::{
    id::{JobId, PersonId, ScheduleId},
    job::NewJob,
    planted::{Planted, planted},
    time::Timestamp,
};

/// Jobs that are enqueued by the wall clock: one for each time at which the expression comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its id. What is made anew under the same name has another one.
    pub id: ScheduleId,
    /// Its namespace, which is that of its queue.
    pub ns: String,
    /// Its name, which no other one of the namespace has.
    pub name: String,
    /// The expression. The engine does not read it.
    pub cron: String,
    /// The queue's name.
    pub queue: String,
    /// The name of the jobs' type.
    pub kind: String,
    /// Whether anything comes of it.
    pub state: ScheduleState,
    /// Its last occurrence that was fired.
    pub last: Option<Timestamp>,
    /// When it was made.
    pub made: Timestamp,
    /// Who made it.
    pub by: PersonId,
}

/// Whether anything comes of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleState {
    /// It does.
    Active {
        /// Its next occurrence.
        next: Timestamp,
    },
    /// It does not.
    Paused {
        /// Why, where nobody has paused it.
        reason: Option<String>,
    },
}

impl Schedule {
    /// Its next occurrence, if it has one.
    #[must_use]
    pub const fn next(&self) -> Option<Timestamp> {
        match self.state {
            ScheduleState::Active { next } => Some(next),
            ScheduleState::Paused { .. } => None,
        }
    }
}

/// A schedule with what it enqueues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRead {
    /// The schedule.
    pub schedule: Schedule,
    /// Each of its jobs, but for the id.
    pub job: NewJob,
}

/// A schedule that is to be there, in the namespace of its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    /// Its id, made by the driver.
    pub id: ScheduleId,
    /// Its name.
    pub name: String,
    /// The expression.
    pub cron: String,
    /// Each of its jobs, [within its bounds](NewJob::check); the id is of no matter.
    pub job: NewJob,
    /// Its first occurrence.
    pub next: Timestamp,
}

/// What became of a [`NewSchedule`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheduled {
    /// It is there.
    Made(Schedule),
    /// It is there in place of another one.
    Replaced(Schedule),
    /// It is there already, in the same words: nothing is changed, also if it is paused.
    Same(Schedule),
    /// There are [as many as there may be](crate::job::limits::SCHEDULES).
    TooMany,
    /// There is no such queue.
    UnknownQueue,
}

/// What is to be changed of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleChange {
    /// Nothing comes of it any more.
    Pause,
    /// It goes on, if it is still this one.
    Resume {
        /// Its id.
        id: ScheduleId,
        /// When it comes next. One that is active and comes before goes on as it is. An occurrence that was
        /// fired comes again by this only if its job is no longer kept.
        next: Timestamp,
    },
    /// It is there no more.
    Remove,
}

/// Schedules whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// What the wall clock says.
    pub now: Timestamp,
    /// Those that have come by then, the longest overdue first.
    pub schedules: Vec<Schedule>,
    /// When the first of the others comes.
    pub next: Option<Timestamp>,
}

/// An occurrence of which a job is to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fire {
    /// The schedule, as it was read.
    pub schedule: Schedule,
    /// Its next occurrence after this one, or why there is none: then it is paused.
    pub then: Result<Timestamp, String>,
    /// Who is noted as the one who has paused it.
    pub by: By,
}

impl Fire {
    /// The occurrence that comes by it, and the schedule from then on. `None` where the one that is there
    /// is another one by now, or has gone on: that occurrence was fired, or is not to be.
    #[must_use]
    pub fn of(&self, there: &Schedule) -> Option<(Timestamp, Schedule)> {
        let goes_on = there.state != self.schedule.state && !planted(Planted::StateUncompared);
        if there.id != self.schedule.id || goes_on {
            return None;
        }
        let at = self.schedule.next()?;
        let state = match &self.then {
            Ok(next) => ScheduleState::Active { next: *next },
            Err(reason) => ScheduleState::Paused { reason: Some(reason.clone()) },
        };
        Some((at, Schedule { state, last: Some(at), ..there.clone() }))
    }
}

/// What became of a [`Fire`]. But for [`Job`](Self::Job) nothing is changed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fired {
    /// It has this job.
    Job(JobId),
    /// The schedule is another one by now, or has gone on: the occurrence was fired, or is not to be.
    Moved,
    /// Its queue has no room. It may be fired later.
    QueueFull,
}
