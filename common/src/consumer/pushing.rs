//! Jobs that are handed over, for as much credit as there is.

use super::{Consumer, Input, Output, PUSHED, QueueName, Refusal, asks::Asked, shown};
use crate::{
    error::Code,
    frame::work::{Consuming, Leased, Request, Sub, WorkServer},
    job::{self, JobState, limits::CREDIT},
    planted::{Planted, planted},
    storage::jobs::{Claimed, Ended, LeasedJob, Moves, QueueMoves},
    time::Millis,
};
use std::sync::Arc;

/// A subscription to the jobs of a queue.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) queue: Arc<QueueName>,
    pub(super) lease: Option<Millis>,
    /// The request, until it is answered.
    pub(super) opening: Option<Request>,
    /// Credit for which nothing was asked yet.
    credit: u32,
    /// Jobs that were asked for and are not there yet.
    asked: u32,
}

impl Subscription {
    pub(super) fn new(
        req: Request,
        queue: Arc<QueueName>,
        credit: u32,
        lease: Option<Millis>,
    ) -> Self {
        Self { queue, lease, opening: Some(req), credit: credit.min(CREDIT), asked: 0 }
    }
}

impl Consumer {
    pub(super) fn consuming(&mut self, sub: Sub, result: Result<(), Refusal>) {
        let Some(req) = self.subs.get_mut(&sub).and_then(|sub| sub.opening.take()) else {
            return;
        };
        self.answered(req, |it| *it == Asked::Consume(sub));
        match result {
            Ok(()) => self.send(&WorkServer::Consuming(Consuming { req, sub })),
            Err(refusal) => {
                self.remove(sub);
                self.refuse(req, refusal);
            }
        }
    }

    /// One that has ended is passed over: the credit was on its way meanwhile.
    pub(super) fn credit(&mut self, sub: Sub, jobs: u32) {
        if let Some(sub) = self.subs.get_mut(&sub).filter(|sub| sub.opening.is_none()) {
            sub.credit = sub.credit.saturating_add(jobs).min(CREDIT - sub.asked);
        }
    }

    pub(super) fn unconsume(&mut self, sub: Sub) {
        if self.subs.get(&sub).is_some_and(|sub| sub.opening.is_none()) {
            self.out.push(Output::Gone(sub));
            self.remove(sub);
        }
    }

    pub(super) fn unsubscribe_all(&mut self) {
        let subs: Vec<Sub> = self.subs.keys().copied().collect();
        for sub in subs {
            self.out.push(Output::Gone(sub));
            let opening = self.subs.get_mut(&sub).and_then(|sub| sub.opening.take());
            self.remove(sub);
            if let Some(req) = opening {
                self.open.remove(&req);
                self.refuse(req, Code::Draining);
            }
        }
    }

    fn remove(&mut self, sub: Sub) {
        if let Some(sub) = self.subs.remove(&sub) {
            self.unfollow(&sub.queue);
        }
    }

    /// Asks for jobs while what was sent before is on its way: who does not read has no more waiting
    /// than was asked for until then.
    pub(super) fn push(&mut self) {
        if !self.flushed || self.draining {
            return;
        }
        for (name, sub) in &mut self.subs {
            let jobs = sub.credit.min(PUSHED - sub.asked);
            if sub.opening.is_none() && jobs > 0 {
                if !planted(Planted::CreditTwice) {
                    sub.credit -= jobs;
                }
                sub.asked += jobs;
                self.out.push(Output::Credit { sub: *name, jobs });
            }
        }
    }

    pub(super) fn pushed(&mut self, sub: Sub, version: u64, jobs: Vec<LeasedJob>) {
        let opened = self.subs.get_mut(&sub).filter(|sub| sub.opening.is_none());
        let wanted = opened.map_or(0, |sub| {
            let wanted = sub.asked.min(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
            sub.asked -= wanted;
            wanted
        });
        let mut jobs = jobs.into_iter();
        for job in jobs.by_ref().take(wanted as usize) {
            self.tell(sub, version, job);
        }
        self.hand_back(jobs);
    }

    pub(super) fn tell(&mut self, sub: Sub, version: u64, job: LeasedJob) {
        let Some(queue) = self.subs.get(&sub).map(|sub| Arc::clone(&sub.queue)) else {
            return self.hand_back([job].into_iter());
        };
        self.hold(queue, version, &job);
        self.give(Some(sub), None, job);
    }

    /// Until this is on its way nobody was told of the job.
    fn give(&mut self, sub: Option<Sub>, req: Option<Request>, job: LeasedJob) {
        self.unsent.push((job.id, job.token));
        let leased = Leased { sub, req, job: shown::leased(job) };
        self.send(&WorkServer::Leased(leased));
    }

    /// The connection has ended: whom it was to tell of these jobs, it has not told.
    pub(super) fn hand_back_unsent(&mut self) {
        if !self.unsent.is_empty() && !planted(Planted::UntoldKept) {
            self.out.push(Output::HandBack(std::mem::take(&mut self.unsent)));
        }
    }

    pub(super) fn taken(&mut self, req: Request, moves: &Moves, result: Result<Claimed, Refusal>) {
        if self.answered(req, |it| *it == Asked::Take).is_none() {
            return self.hand_back_claimed(result.ok());
        }
        let refusal = match result {
            Ok(Claimed::Jobs { jobs, .. }) => {
                let mut jobs = jobs.into_iter();
                let first = jobs.next();
                self.hand_back(jobs);
                let Some(job) = first else {
                    return self.refuse(req, Refusal::wrong_state(JobState::Ready));
                };
                // What was overdue elsewhere may have moved with it.
                let its = |moved: &&QueueMoves| moved.jobs.iter().any(|it| it.job == job.id);
                if let Some(moved) = moves.queues.iter().find(its) {
                    let (ns, name) = (moved.queue.ns.clone(), moved.queue.name.clone());
                    self.hold(Arc::new(QueueName { ns, name }), moves.version, &job);
                }
                return self.give(None, Some(req), job);
            }
            Ok(Claimed::NotReady(state)) => Refusal::wrong_state(state),
            Ok(Claimed::UnknownQueue) => job::Code::UnknownQueue.into(),
            Ok(Claimed::UnknownJob) => job::Code::UnknownJob.into(),
            Err(refusal) => refusal,
        };
        self.refuse(req, refusal);
    }

    pub(super) fn hand_back(&mut self, jobs: impl Iterator<Item = LeasedJob>) {
        let jobs: Vec<_> = jobs.map(|job| (job.id, job.token)).collect();
        if !jobs.is_empty() {
            self.out.push(Output::HandBack(jobs));
        }
    }

    fn hand_back_claimed(&mut self, claimed: Option<Claimed>) {
        if let Some(Claimed::Jobs { jobs, .. }) = claimed {
            self.hand_back(jobs.into_iter());
        }
    }

    /// There is one more reason to hear what moves in a queue.
    pub(super) fn follow(&mut self, queue: &Arc<QueueName>) {
        if let Some(reasons) = self.followed.get_mut(queue) {
            *reasons += 1;
            return;
        }
        self.followed.insert(Arc::clone(queue), 1);
        self.out.push(Output::Follow(Arc::clone(queue)));
    }

    /// There is one less.
    pub(super) fn unfollow(&mut self, queue: &Arc<QueueName>) {
        if let Some(reasons) = self.followed.get_mut(queue) {
            *reasons -= 1;
            if *reasons == 0 {
                self.followed.remove(queue);
                self.out.push(Output::Unfollow(Arc::clone(queue)));
            }
        }
    }

    pub(super) fn hand_back_of(&mut self, ended: Option<Ended>) {
        if let Some(Ended::Done { then, .. }) = ended {
            self.hand_back_claimed(then);
        }
    }

    /// What a closed connection gets, nobody is told of.
    pub(super) fn too_late(&mut self, input: Input<'_>) {
        match input {
            Input::Leased { jobs, .. } => self.hand_back(jobs.into_iter()),
            Input::Taken { result, .. } => self.hand_back_claimed(result.ok()),
            Input::Ended { result, .. } => self.hand_back_of(result.ok()),
            Input::Flushed => self.unsent.clear(),
            Input::Gone => self.hand_back_unsent(),
            _ => {}
        }
    }
}
