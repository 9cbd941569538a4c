//! Those who wait for jobs: the [`Dispatch`] machine, and the way back to each of them.

use holdfast_common::{
    dispatch::{Count, Dispatch, Input, Output, SeatId},
    job::{Holder, limits::WAITING},
    storage::jobs::{Claim, LeasedJob, Moves, QueueName, Wanted},
    time::{Instant, Millis},
};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::mpsc;

/// A queue, as the machine knows it.
pub(crate) type Name = Arc<QueueName>;

/// Where a consumer's jobs go. It has credit for each of them, so no more wait than that.
pub(crate) type Sink = mpsc::UnboundedSender<Handed>;

/// A job on its way to a consumer.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) seat: SeatId,
    /// The claim's [`Moves::version`].
    pub(crate) version: u64,
    pub(crate) job: LeasedJob,
}

/// One that waits.
pub(super) struct Waiting {
    pub(super) queue: Name,
    pub(super) holder: Holder,
    /// For how long it wants to have them.
    pub(super) lease: Option<Millis>,
    /// It is over with the first jobs.
    pub(super) once: bool,
    pub(super) sink: Sink,
}

/// A claim that is to be made for one that waits.
pub(super) struct Errand {
    pub(super) consumer: SeatId,
    pub(super) claim: Claim,
}

/// What became of an errand.
pub(super) enum Fetched {
    Jobs {
        jobs: Vec<LeasedJob>,
        count: Count,
        /// How long the queue's rate lets nothing more begin.
        next: Option<Millis>,
    },
    /// It was not tried.
    Untried,
    Failed,
}

pub(super) struct Line {
    dispatch: Dispatch<Name>,
    waiting: HashMap<SeatId, Waiting>,
    last: u64,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { dispatch: Dispatch::new(WAITING), waiting: HashMap::new(), last: 0 }
    }

    /// Has one more wait for so many jobs; `None` where as many wait as may.
    pub(super) fn wait(
        &mut self,
        now: Instant,
        waiting: Waiting,
        jobs: u32,
    ) -> Option<(SeatId, Vec<Errand>)> {
        self.last += 1;
        let consumer = SeatId(self.last);
        let (queue, once) = (Arc::clone(&waiting.queue), waiting.once);
        self.waiting.insert(consumer, waiting);
        let outputs = self.dispatch.handle(now, Input::Wait { consumer, queue, jobs, once });
        if outputs.contains(&Output::Full(consumer)) {
            self.waiting.remove(&consumer);
            return None;
        }
        Some((consumer, self.errands(outputs)))
    }

    /// One waits for so many more.
    pub(super) fn credit(&mut self, now: Instant, consumer: SeatId, jobs: u32) -> Vec<Errand> {
        let outputs = self.dispatch.handle(now, Input::Credit { consumer, jobs });
        self.errands(outputs)
    }

    /// One waits no longer. What a claim under way still gets it is sent all the same.
    pub(super) fn gone(&mut self, now: Instant, consumer: SeatId) {
        self.dispatch.handle(now, Input::Gone(consumer));
        if !self.dispatch.knows(consumer) {
            self.waiting.remove(&consumer);
        }
    }

    /// Jobs are about to be enqueued: who gets some of them with the same commit.
    pub(super) fn offer(&mut self, now: Instant, queue: Name, jobs: u32) -> Vec<Errand> {
        let outputs = self.dispatch.handle(now, Input::Offer { queue, jobs });
        self.errands(outputs)
    }

    /// The store has changed.
    pub(super) fn counted(&mut self, now: Instant, moves: &Moves) -> Vec<Errand> {
        let mut outputs = Vec::new();
        for moved in &moves.queues {
            let (ns, name) = (moved.queue.ns.clone(), moved.queue.name.clone());
            let queue = Arc::new(QueueName { ns, name });
            let count = Count { version: moves.version, jobs: moved.queue.startable() };
            outputs.extend(self.dispatch.handle(now, Input::Counted { queue, count }));
        }
        self.errands(outputs)
    }

    /// An errand is over. The jobs are sent; those that nobody takes any more are returned.
    pub(super) fn fetched(
        &mut self,
        now: Instant,
        consumer: SeatId,
        fetched: Fetched,
    ) -> (Vec<LeasedJob>, Vec<Errand>) {
        let (input, jobs) = match fetched {
            Fetched::Jobs { jobs, count, next } => {
                let got = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
                (Input::Claimed { consumer, jobs: got, count, next }, jobs)
            }
            Fetched::Untried => (Input::Untried(consumer), Vec::new()),
            Fetched::Failed => (Input::Failed(consumer), Vec::new()),
        };
        let version = match &input {
            Input::Claimed { count, .. } => count.version,
            _ => 0,
        };
        let left = match self.waiting.get(&consumer) {
            Some(waiting) => send(&waiting.sink, consumer, version, jobs),
            None => jobs,
        };
        let outputs = self.dispatch.handle(now, input);
        if !self.dispatch.knows(consumer) {
            self.waiting.remove(&consumer);
        }
        (left, self.errands(outputs))
    }

    /// A time has come that the machine had [named](Self::wake).
    pub(super) fn time(&mut self, now: Instant) -> Vec<Errand> {
        let outputs = self.dispatch.handle(now, Input::Time);
        self.errands(outputs)
    }

    /// How many wait, with those for whom a claim is under way.
    pub(super) fn waiting(&self) -> usize {
        self.dispatch.waiting()
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        self.dispatch.wake()
    }

    fn errands(&self, outputs: Vec<Output<Name>>) -> Vec<Errand> {
        let claims = outputs.into_iter().filter_map(|output| match output {
            Output::Claim { consumer, queue, jobs } => Some((consumer, queue, jobs)),
            // Said of one that has just come, who is answered there.
            Output::Full(_) => None,
        });
        let errands = claims.filter_map(|(consumer, queue, jobs)| {
            let waiting = self.waiting.get(&consumer)?;
            let QueueName { ns, name } = (*queue).clone();
            let wanted = Wanted::Of { ns, queue: name, most: jobs };
            let claim = Claim { wanted, holder: waiting.holder.clone(), lease: waiting.lease };
            Some(Errand { consumer, claim })
        });
        errands.collect()
    }
}

/// Sends jobs; returns those that nobody takes any more.
fn send(sink: &Sink, seat: SeatId, version: u64, jobs: Vec<LeasedJob>) -> Vec<LeasedJob> {
    let refused = jobs.into_iter().filter_map(|job| {
        let sent = sink.send(Handed { seat, version, job });
        sent.err().map(|refused| refused.0.job)
    });
    refused.collect()
}
