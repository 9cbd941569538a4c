//! Queues and jobs as they are shown.

use super::{
    Work,
    rows::{Queue, Row, Rows},
    work::{Worked, ended, error_of_time},
};
use holdfast_common::{
    id::JobId,
    job::{Place, limits::ATTEMPTS_KEPT},
    storage::jobs::{JobRead, QueueInfo, QueueRead},
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn read_job(&self, id: JobId) -> Worked<Option<JobRead>, R> {
        let Some(row) = self.rows.job(id)? else {
            return Ok(None);
        };
        let queue = self.rows.queue(row.queue)?.info;
        self.show(row, queue).map(Some)
    }

    pub(super) fn show(&self, row: Row, queue: QueueInfo) -> Worked<JobRead, R> {
        let mut job = row.job;
        if let Some(gap) = self.moment.gap {
            job.give(gap);
        }
        let mut attempts = self.rows.attempts(row.seq)?;
        // As it is, and not as it was when somebody last tended to it.
        while let Some(act) = job.overdue(self.moment.now) {
            let (at, error) = (ended(&job, &act, self.moment.now), error_of_time(&act));
            let Ok(step) = job.act(self.moment.now, act) else { break };
            if let Some(error) = error {
                let attempt = self.attempt(&job, &step, at, error, attempts.last());
                attempts.push(attempt);
            }
        }
        attempts.drain(..attempts.len().saturating_sub(ATTEMPTS_KEPT));
        let waits = matches!(job.place, Place::Delayed | Place::Leased);
        Ok(JobRead {
            id: job.id,
            seq: row.seq,
            ns: queue.ns,
            queue: queue.name,
            kind: row.kind,
            data: self.rows.content(row.content)?,
            place: job.place,
            priority: row.priority,
            group: job.group,
            attempt: job.attempt,
            fence: row.fence,
            most: job.most,
            outcome: row.outcome.map(|outcome| self.rows.content(outcome)).transpose()?,
            attempts,
            progress: row.progress.filter(|_| job.lease.is_some()),
            holder: job.lease.map(|lease| lease.holder),
            due: waits.then(|| job.due - self.moment.now),
            asker: row.asker,
            age: self.moment.now - row.made,
        })
    }

    pub(in crate::engine) fn read_queue(
        &self,
        ns: &str,
        name: &str,
    ) -> Worked<Option<QueueRead>, R> {
        self.rows.queue_named(ns, name)?.map(|queue| self.shown(queue)).transpose()
    }

    pub(in crate::engine) fn read_queues(&self, ns: &str) -> Worked<Vec<QueueRead>, R> {
        let queues = self.rows.all_queues()?.into_iter();
        queues.filter(|queue| queue.info.ns == ns).map(|queue| self.shown(queue)).collect()
    }

    fn shown(&self, queue: Queue) -> Worked<QueueRead, R> {
        let made = self.rows.oldest(queue.seq)?;
        Ok(QueueRead { info: queue.info, oldest: made.map(|made| self.moment.now - made) })
    }
}
