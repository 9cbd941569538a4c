//! The seam's part of schedules.

use super::Answer;
use async_trait::async_trait;
use holdfast_common::{
    storage::{
        Fault,
        jobs::By,
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, Scheduled,
        },
    },
    time::Timestamp,
};

/// A store of schedules, beside the jobs and in the same transactions. It keeps when each of them comes
/// next and does not know why: to read expressions is the driver's.
///
/// Each change is noted among the [audits](holdfast_common::storage::jobs::Audit) of the schedule's queue,
/// in its transaction.
#[async_trait]
pub trait Schedules: Send + Sync + 'static {
    /// What the wall clock says, by which schedules go.
    fn wall(&self) -> Timestamp;

    /// Makes a schedule, or has it stand in place of the one of its name.
    async fn set_schedule(&self, schedule: NewSchedule, by: By) -> Result<Scheduled, Fault>;

    /// A schedule.
    async fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Fault>;

    /// The schedules of a namespace, by their names.
    async fn schedules(&self, ns: &str) -> Result<Vec<Schedule>, Fault>;

    /// Changes a schedule; returns it as it is then, or as it was. `None` if there is none, or no longer.
    async fn change_schedule(
        &self,
        ns: &str,
        name: &str,
        change: ScheduleChange,
        by: By,
    ) -> Result<Option<Schedule>, Fault>;

    /// The schedules whose time has come. None does again once it was fired, whatever the wall clock does.
    async fn due(&self) -> Result<Due, Fault>;

    /// Enqueues the job of an occurrence and sets the next one, in one transaction; once, whoever asks
    /// and however often. The job's id follows from schedule and occurrence.
    async fn fire(&self, fire: Fire) -> Answer<Fired>;
}
