//! What is noted of what people do.

use super::{
    Work,
    rows::{Rows, Seq},
    work::Worked,
};
use holdfast_common::{
    id::JobId,
    job::limits::reason,
    storage::jobs::{Audit, AuditQuery, By, Did},
};

/// What somebody did at a queue.
pub(super) struct Note {
    pub(super) did: Did,
    pub(super) job: Option<JobId>,
    pub(super) jobs: u64,
    pub(super) detail: Option<String>,
}

impl Note {
    /// Of what was done to no job.
    pub(super) const fn plain(did: Did, detail: Option<String>) -> Self {
        Self { did, job: None, jobs: 0, detail }
    }
}

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn audit(&self, query: &AuditQuery) -> Worked<Option<Vec<Audit>>, R> {
        let Some(queue) = self.rows.queue_named(&query.queue.ns, &query.queue.name)? else {
            return Ok(None);
        };
        let before = query.before.unwrap_or(i64::MAX);
        self.rows.audits(queue.seq, before, query.limit).map(Some)
    }

    /// Keeps it and returns its number.
    pub(super) fn note(&mut self, queue: Seq, by: &By, note: Note) -> Worked<i64, R> {
        let Note { did, job, jobs, detail } = note;
        let (at, by, detail) = (self.moment.wall, by.clone(), detail.map(reason));
        self.rows.add_audit(queue, &Audit { seq: 0, at, by, did, job, jobs, detail })
    }
}
