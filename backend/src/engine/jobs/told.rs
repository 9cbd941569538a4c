//! Who is to be told of the end of a job.

use super::{Work, list::weight, rows::Rows, work::Worked};
use holdfast_common::{
    id::JobId,
    job::limits::{LIST_BYTES, LIST_JOBS},
    storage::jobs::JobRead,
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn untold(&self, after: i64, limit: u32) -> Worked<Vec<JobRead>, R> {
        let (mut untold, mut bytes) = (Vec::new(), 0);
        for row in self.rows.untold(after, (limit as usize).min(LIST_JOBS))? {
            let queue = self.rows.queue(row.queue)?.info;
            let job = self.show(row, queue)?;
            bytes += weight(&job);
            if bytes > LIST_BYTES && !untold.is_empty() {
                break;
            }
            untold.push(job);
        }
        Ok(untold)
    }

    pub(in crate::engine) fn told(&mut self, ends: &[(JobId, u64)]) -> Worked<(), R> {
        for (id, fence) in ends {
            let row = self.rows.job(*id)?;
            if let Some(mut row) = row.filter(|row| row.fence == *fence && !row.told) {
                row.told = true;
                self.rows.keep_job(&row)?;
            }
        }
        Ok(())
    }
}
