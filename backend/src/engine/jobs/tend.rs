//! What time alone brings.

use super::{
    Work,
    rows::{Overdue, REMOVE_BYTES, Rows, Seq, Swept},
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
        let mut done = self.sweep(TEND_JOBS)?;
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

    /// For a call that is to find things as they are by the clock, however often the store is tended: as far
    /// as the calls of its batch may do so together.
    pub(super) fn sweep_up(&mut self) -> Worked<(), R> {
        let most = TEND_JOBS.saturating_sub(self.swept.jobs);
        if !self.swept.all && most > 0 {
            self.sweep(most)?;
        }
        Ok(())
    }

    /// Carries out what is overdue, up to so many jobs; returns how many were.
    fn sweep(&mut self, most: usize) -> Worked<usize, R> {
        let mut done = 0;
        for what in Overdue::ALL {
            for id in self.rows.overdue(what, self.moment.now, most - done)? {
                // Read now: another one of its group may have moved it.
                if let Some(mut row) = self.rows.job(id)? {
                    self.settle(&mut row)?;
                    done += 1;
                }
            }
        }
        self.swept = Swept { all: done < most, jobs: self.swept.jobs + done };
        Ok(done)
    }

    /// Removes jobs of a queue that are kept no longer. Returns how many; as many as may be where more would
    /// be too much at once.
    fn remove(&mut self, queue: Seq, keep: Millis, most: usize) -> Worked<usize, R> {
        let Some(by) = self.moment.now.0.checked_sub(keep.0) else {
            return Ok(0);
        };
        let ended = self.rows.ended(queue, StoreTime(by), most)?;
        let left = REMOVE_BYTES.saturating_sub(self.dropped);
        let (dropped, bytes) = self.rows.drop_jobs(&ended, left)?;
        self.dropped += bytes;
        for row in &ended[..dropped] {
            self.remember(row)?;
            let (job, from, attempt) = (row.job.id, Some(row.job.place), row.job.attempt);
            let moved =
                Move { job, from, to: None, attempt, consumer: None, failed: false, took: None };
            self.moved(queue, moved)?;
        }
        Ok(if dropped < ended.len() { most } else { dropped })
    }
}
