//! The seam's part of schedules.

use super::Answer;
use async_trait::async_trait;
use holdfast_common::{
    id::{JobId, ScheduleId},
    storage::{
        Fault,
        jobs::By,
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, Scheduled,
        },
    },
    time::Timestamp,
};
use sha2::{Digest, Sha256};

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

/// The one job of an occurrence. Its time is the occurrence's.
#[must_use]
pub fn occurrence_job(schedule: ScheduleId, at: Timestamp) -> JobId {
    let mut digest = Sha256::new();
    digest.update(schedule.as_bytes());
    digest.update(at.0.to_be_bytes());
    let bytes: [u8; 32] = digest.finalize().into();
    let (random, _) = bytes.split_first_chunk().expect("thirty-two bytes");
    JobId::new(at.0, random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_occurrence_of_a_schedule_has_one_job_of_its_own() {
        let schedule = ScheduleId::from_bytes([7; 16]);
        let at = Timestamp(1_760_000_000_000);
        assert_eq!(occurrence_job(schedule, at), occurrence_job(schedule, at));
        assert_ne!(
            occurrence_job(schedule, at),
            occurrence_job(schedule, Timestamp(at.0 + 60_000))
        );
        assert_ne!(occurrence_job(schedule, at), occurrence_job(ScheduleId::NIL, at));
    }
}
