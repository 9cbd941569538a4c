//! What time alone brings.

use super::{
    Work,
    rows::{Overdue, Rows, Seq},
    work::Worked,
};
use crate::limits::KEYS_KEPT;
use holdfast_common::{
    job::{StoreTime, limits::TEND_JOBS},
    storage::jobs::{Move, Tended},
    time::Millis,
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn tend(&mut self) -> Worked<Tended, R> {
        let mut done = self.sweep()?;
        for queue in self.rows.all_queues()? {
            let (seq, keep) = (queue.seq, queue.info.settings.keep);
            if queue.info.startable() > 0 {
                self.touch(queue);
            }
            done += self.remove(seq, keep, TEND_JOBS.saturating_sub(done))?;
        }
        let (now, later) = (self.moment.now, self.moment.now + KEYS_KEPT);
        done += self.rows.tend_keys(now, later, TEND_JOBS.saturating_sub(done))?;
        let mut next: Option<Millis> = None;
        for what in Overdue::ALL {
            let first = self.rows.next(what)?.map(|at| at - now);
            next = first.into_iter().chain(next).min();
        }
        Ok(Tended { next, more: done >= TEND_JOBS })
    }

    /// Carries out what is overdue; returns how many jobs were.
    pub(super) fn sweep(&mut self) -> Worked<usize, R> {
        let mut done = 0;
        for what in Overdue::ALL {
            for id in self.rows.overdue(what, self.moment.now, TEND_JOBS - done)? {
                // Read now: another one of its group may have moved it.
                if let Some(mut row) = self.rows.job(id)? {
                    self.settle(&mut row)?;
                    done += 1;
                }
            }
        }
        self.swept = done < TEND_JOBS;
        Ok(done)
    }

    /// Removes jobs of a queue that are kept no longer.
    fn remove(&mut self, queue: Seq, keep: Millis, most: usize) -> Worked<usize, R> {
        let Some(by) = self.moment.now.0.checked_sub(keep.0) else {
            return Ok(0);
        };
        let ended = self.rows.ended(queue, StoreTime(by), most)?;
        self.rows.drop_jobs(&ended)?;
        for row in &ended {
            let (job, from, attempt) = (row.job.id, Some(row.job.place), row.job.attempt);
            let moved =
                Move { job, from, to: None, attempt, consumer: None, failed: false, took: None };
            self.moved(queue, moved)?;
        }
        Ok(ended.len())
    }
}
