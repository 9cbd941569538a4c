//! Jobs that are asked for, checked.

use super::end::Refuses;
use crate::{app::Shared, clock};
use holdfast_common::{
    error::Code,
    frame::work::AskedJob,
    id::{JobId, PersonId},
    job::{NewJob, QueueType},
    time::Millis,
};

/// A job that is asked for, checked.
pub(crate) fn new_job<R: Refuses>(
    shared: &Shared,
    queue: &QueueType,
    id: JobId,
    asked: &AskedJob,
    asker: Option<PersonId>,
) -> Result<NewJob, R> {
    if asked.delay_ms.is_some() && asked.at.is_some() {
        return Err(R::because(Code::BadRequest, "It is either delay_ms or at."));
    }
    let at = asked.at.map(|at| Millis(at.saturating_sub(clock::wall().0)));
    let job = self::asked(asked, id, &queue.spec.ns, &queue.spec.name);
    let job = NewJob { asker, delay: at.unwrap_or(job.delay), ..job };
    fits::<R>(shared, queue, &job)?;
    Ok(job)
}

/// Whether a queue takes a job: its type, its bounds and its payload.
pub(super) fn fits<R: Refuses>(shared: &Shared, queue: &QueueType, job: &NewJob) -> Result<(), R> {
    let kind = queue.kind(&job.kind)?;
    job.check(shared.limits.payload_bytes as usize)?;
    Ok(kind.check(&job.data)?)
}

/// The job, whether or not it can be; what says when it may begin by the clock is not heard.
pub(super) fn asked(asked: &AskedJob, id: JobId, ns: &str, queue: &str) -> NewJob {
    NewJob {
        id,
        ns: ns.to_owned(),
        queue: queue.to_owned(),
        kind: asked.kind.clone(),
        data: asked.data.get().to_owned(),
        delay: asked.delay_ms.unwrap_or_default(),
        priority: nearest(asked.priority.unwrap_or_default()),
        group: asked.group.clone(),
        most: asked.max_attempts,
        backoff: asked.backoff_ms,
        expires: asked.expires_ms,
        asker: None,
    }
}

/// One that is out of its type's range is [out of its bounds](holdfast_common::job::limits::PRIORITY) still.
fn nearest(priority: i64) -> i8 {
    let outermost = if priority < 0 { i8::MIN } else { i8::MAX };
    priority.try_into().unwrap_or(outermost)
}
