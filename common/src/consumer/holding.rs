//! Jobs that the client has, as far as is known; and that it hears when one of them is no longer its own.
//!
//! What moves in their queues says so. Where some of that was missed the jobs are read, a part at a time.

use super::{AGAIN, CHANGES, Consumer, EVERY, HELD, HeldRead, Output, QueueName, Refusal};
use crate::{
    frame::work::{Lost, WorkServer},
    id::JobId,
    job::{Place, Reason},
    planted::{Planted, planted},
    storage::jobs::{LeasedJob, Move},
    time::Instant,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A job that the client has.
#[derive(Debug)]
pub(super) struct Held {
    fence: u64,
    /// What came of the store before the client had it does not touch its lease.
    version: u64,
    queue: Arc<QueueName>,
    /// Its own words about it that are under way.
    ending: u32,
}

/// Jobs of which something may have been missed.
#[derive(Debug)]
pub(super) struct Doubts {
    jobs: BTreeSet<JobId>,
    /// Those that are being read, with the leases that they were held by when that began.
    reading: BTreeMap<JobId, u64>,
    /// Nothing is read before.
    rest: Instant,
}

impl Doubts {
    pub(super) const fn new() -> Self {
        Self { jobs: BTreeSet::new(), reading: BTreeMap::new(), rest: Instant(0) }
    }

    /// Whether there is something to read.
    fn wants(&self) -> bool {
        self.reading.is_empty() && !self.jobs.is_empty()
    }
}

impl Consumer {
    /// Who has had the job until now had it by an older lease, so this one stands in its place. What came
    /// of the store since then, and was heard before this, may have taken it: then it is read.
    pub(super) fn hold(&mut self, queue: Arc<QueueName>, version: u64, job: &LeasedJob) {
        self.let_go(job.id);
        if self.held.len() < HELD {
            let overtaken = version < self.newest || !self.followed.contains_key(&queue);
            if overtaken {
                self.doubts.jobs.insert(job.id);
            }
            self.follow(&queue);
            let held = Held { fence: job.token.fence, version, queue, ending: 0 };
            self.held.insert(job.id, held);
        }
    }

    /// A word that ends a lease is under way.
    pub(super) fn ending(&mut self, job: JobId, fence: u64) {
        if let Some(held) = self.held.get_mut(&job).filter(|held| held.fence == fence) {
            held.ending += 1;
        }
    }

    /// A word about a lease was answered; `over`: it has ended.
    pub(super) fn said(&mut self, job: JobId, fence: u64, over: bool) {
        if let Some(held) = self.held.get_mut(&job).filter(|held| held.fence == fence) {
            held.ending = held.ending.saturating_sub(1);
            if over {
                self.let_go(job);
            }
        }
    }

    pub(super) fn forget(&mut self, job: JobId, fence: u64) {
        if self.held.get(&job).is_some_and(|held| held.fence == fence) {
            self.let_go(job);
        }
    }

    fn let_go(&mut self, job: JobId) {
        if let Some(held) = self.held.remove(&job) {
            self.unfollow(&held.queue);
        }
    }

    pub(super) fn losses(&mut self, version: u64, moves: &[Move]) {
        for Move { job, from, to, .. } in moves {
            let ends = *from == Some(Place::Leased) && *to != Some(Place::Leased);
            if ends && self.held.get(job).is_some_and(|held| held.version < version) {
                self.lose(*job, *to);
            }
        }
    }

    /// A lease that has ended by its holder's own word is told by that word's answer.
    fn lose(&mut self, job: JobId, place: Option<Place>) {
        let Some(Held { fence, ending, .. }) = self.held.get(&job) else {
            return;
        };
        let (fence, own) = (*fence, *ending > 0);
        self.let_go(job);
        if !own && !planted(Planted::LossUntold) {
            let reason = match place {
                Some(Place::Cancelled) => Reason::Cancelled,
                Some(Place::Ready | Place::Behind | Place::Dead | Place::Leased) => Reason::Expired,
                _ => Reason::Ended,
            };
            self.send(&WorkServer::Lost(Lost { job, fence, reason }));
        }
    }

    /// Any of the jobs may have been lost.
    pub(super) fn doubt(&mut self) {
        self.doubts.jobs.extend(self.held.keys());
    }

    /// Reads jobs of which something was missed, while what was sent before is on its way.
    pub(super) fn look(&mut self, now: Instant) {
        if !self.flushed || !self.doubts.wants() || now < self.doubts.rest {
            return;
        }
        while self.doubts.reading.len() < CHANGES
            && let Some(job) = self.doubts.jobs.pop_first()
        {
            if let Some(held) = self.held.get(&job) {
                self.doubts.reading.insert(job, held.fence);
            }
        }
        if !self.doubts.reading.is_empty() {
            self.out.push(Output::Held(self.doubts.reading.keys().copied().collect()));
        }
    }

    /// When jobs are to be read that may not be yet.
    pub(super) fn looks(&self) -> Option<Instant> {
        (self.flushed && self.doubts.wants()).then_some(self.doubts.rest)
    }

    /// What was held when the read began and is no longer held by that lease is lost.
    pub(super) fn looked(&mut self, now: Instant, result: Result<Vec<HeldRead>, Refusal>) {
        let reading = std::mem::take(&mut self.doubts.reading);
        let Ok(read) = result else {
            self.doubts.jobs.extend(reading.into_keys());
            self.doubts.rest = now + AGAIN;
            return;
        };
        // Who misses something again and again does not have them read without end.
        self.doubts.rest = now + EVERY;
        let read: BTreeMap<JobId, HeldRead> = read.into_iter().map(|job| (job.id, job)).collect();
        for (job, fence) in reading {
            let read = read.get(&job);
            let is = read.is_some_and(|read| read.place == Place::Leased && read.fence == fence);
            if !is && self.held.get(&job).is_some_and(|held| held.fence == fence) {
                self.lose(job, read.map(|read| read.place));
            }
        }
    }
}
