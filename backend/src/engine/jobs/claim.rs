//! Giving jobs to consumers.

use super::{
    Work,
    rows::{Row, Rows, Seq},
    work::Worked,
};
use holdfast_common::{
    id::JobId,
    job::{Act, Place, Refused, StoreTime, Token, limits::CLAIM_JOBS},
    storage::{
        Fault,
        jobs::{Claim, Claimed, Given, LeasedJob, Wanted},
    },
    time::{Millis, Timestamp},
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn claim(&mut self, claim: &Claim) -> Worked<Claimed, R> {
        self.sweep_up()?;
        match &claim.wanted {
            Wanted::Of { ns, queue, most } => match self.queue_named(ns, queue)? {
                Some(queue) => self.claim_of(queue, *most, claim),
                None => Ok(Claimed::UnknownQueue),
            },
            Wanted::Job(id) => self.claim_one(*id, claim),
        }
    }

    fn claim_of(&mut self, queue: Seq, most: u32, claim: &Claim) -> Worked<Claimed, R> {
        // What is met that is overdue still is no reason to get nothing.
        let mut met = 0;
        loop {
            let (room, next) = self.room(queue, most)?;
            if room == 0 {
                return Ok(Claimed::Jobs { jobs: Vec::new(), next });
            }
            let found = self.rows.ready(queue, room)?;
            met += found.len();
            let is_last = found.is_empty() || met >= CLAIM_JOBS as usize;
            let claimed = self.lease(queue, found, claim)?;
            let got = matches!(&claimed, Claimed::Jobs { jobs, .. } if !jobs.is_empty());
            if got || is_last {
                return Ok(claimed);
            }
        }
    }

    fn claim_one(&mut self, id: JobId, claim: &Claim) -> Worked<Claimed, R> {
        let Some(mut row) = self.rows.job(id)? else {
            return Ok(Claimed::UnknownJob);
        };
        self.settle(&mut row)?;
        if row.job.place != Place::Ready {
            return Ok(Claimed::NotReady(row.job.place.state()));
        }
        let queue = row.queue;
        match self.room(queue, 1)? {
            (0, next) => Ok(Claimed::Jobs { jobs: Vec::new(), next }),
            _ => {
                let data = self.rows.content(row.content)?;
                self.lease(queue, vec![(row, data)], claim)
            }
        }
    }

    /// How many of so many jobs the queue lets begin now, and how long it is until it lets one more
    /// where its rate is what stands in the way.
    fn room(&mut self, queue: Seq, most: u32) -> Worked<(u32, Option<Millis>), R> {
        let now = self.moment.now;
        let queue = self.queue(queue)?;
        let startable = u32::try_from(queue.info.startable()).unwrap_or(u32::MAX);
        let wanted = most.min(CLAIM_JOBS).min(startable);
        let Some(rate) = queue.info.settings.rate.filter(|_| wanted > 0) else {
            return Ok((wanted, None));
        };
        let allowed = rate.allow(queue.tat, now, wanted);
        Ok((allowed.jobs, Some(allowed.wait).filter(|wait| *wait > Millis(0))))
    }

    /// Leases what was found.
    fn lease(
        &mut self,
        queue: Seq,
        found: Vec<(Row, String)>,
        claim: &Claim,
    ) -> Worked<Claimed, R> {
        let length = claim.lease.unwrap_or(self.queue(queue)?.info.settings.lease);
        let mut jobs = Vec::with_capacity(found.len());
        for (mut row, data) in found {
            let token = Token { fence: self.rows.fence()?, key: chance()? };
            let act = Act::Claim { token, holder: claim.holder.clone(), length };
            match self.act(&mut row, act, None)? {
                Ok(_) => {}
                // More has expired than a batch sweeps up.
                Err(Refused::Overdue) => {
                    self.settle(&mut row)?;
                    continue;
                }
                Err(refused) => {
                    let what = format!("a job that was found ready was not: {refused}");
                    return Err(Fault::Failed(what).into());
                }
            }
            jobs.push(LeasedJob {
                id: row.job.id,
                token,
                attempt: row.job.attempt,
                data,
                kind: row.kind,
                lease: self.given(row.job.due),
                group: row.job.group,
            });
        }
        let next = self.began(queue, jobs.len())?;
        Ok(Claimed::Jobs { jobs, next })
    }

    /// So many have begun: keeps what the rate goes by.
    fn began(&mut self, queue: Seq, jobs: usize) -> Worked<Option<Millis>, R> {
        let now = self.moment.now;
        let Some(rate) = self.queue(queue)?.info.settings.rate else {
            return Ok(None);
        };
        let queue = self.count(queue)?;
        let allowed = rate.allow(queue.tat, now, u32::try_from(jobs).unwrap_or(u32::MAX));
        queue.tat = allowed.tat;
        Ok(Some(allowed.wait).filter(|wait| *wait > Millis(0)))
    }

    /// What a lease's holder is told of its end.
    pub(super) fn given(&self, due: StoreTime) -> Given {
        let length = due - self.moment.now;
        let until = self.moment.wall.0.saturating_add(length.0);
        Given { length, until: Timestamp(until) }
    }
}

/// A number that nobody can guess.
pub(super) fn chance() -> Result<u64, Fault> {
    getrandom::u64().map_err(|error| Fault::Failed(format!("no randomness: {error}")))
}
