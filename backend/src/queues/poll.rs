//! Those that wait for jobs of a queue.

use super::{
    desk::Desk,
    line::{Handed, Name, Sink, Waiting},
};
use holdfast_common::{
    dispatch::SeatId,
    error::Code,
    job::{
        Holder,
        limits::{CLAIM_JOBS, CREDIT},
    },
    storage::jobs::LeasedJob,
    time::Millis,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// A place in a queue's line. Who drops it waits no longer, but for what a claim still gets that is under
/// way.
pub(crate) struct Seat {
    desk: Arc<Desk>,
    id: SeatId,
}

impl Seat {
    /// Waits for jobs of a queue that exists, which go to `sink`: for so many, or for the first ones
    /// alone.
    pub(crate) fn take(
        desk: &Arc<Desk>,
        queue: Name,
        holder: Holder,
        lease: Option<Millis>,
        (most, once): (u32, bool),
        sink: Sink,
    ) -> Result<Self, Code> {
        let waiting = Waiting { queue, holder, lease, once, sink };
        let waits = desk.state().line.wait(desk.now(), waiting, most.min(CREDIT));
        let (id, errands) = waits.ok_or(Code::Overloaded)?;
        desk.run(errands);
        Ok(Self { desk: Arc::clone(desk), id })
    }

    /// By what name its jobs come.
    pub(crate) fn id(&self) -> SeatId {
        self.id
    }

    /// Waits for so many more.
    pub(crate) fn credit(&self, jobs: u32) {
        let errands = self.desk.state().line.credit(self.desk.now(), self.id, jobs);
        self.desk.run(errands);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.desk.state().line.gone(self.desk.now(), self.id);
    }
}

/// Jobs that have come. Those that nobody has taken when it is dropped are given back.
pub(crate) struct Arrivals {
    desk: Arc<Desk>,
    jobs: mpsc::UnboundedReceiver<Handed>,
}

impl Arrivals {
    /// Where they come, and the way there.
    pub(crate) fn new(desk: &Arc<Desk>) -> (Sink, Self) {
        let (sink, jobs) = mpsc::unbounded_channel();
        (sink, Self { desk: Arc::clone(desk), jobs })
    }

    /// The next job. `None` when nobody can send one any more.
    pub(crate) async fn next(&mut self) -> Option<Handed> {
        self.jobs.recv().await
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        // Whoever is sending some has done so.
        let state = self.desk.state();
        self.jobs.close();
        drop(state);
        let mut left = Vec::new();
        while let Ok(handed) = self.jobs.try_recv() {
            left.push((handed.job.id, handed.job.token));
        }
        self.desk.give_back(left);
    }
}

/// A long poll: it is over with the first jobs.
pub(crate) struct Poll {
    seat: Option<Seat>,
    arrivals: Arrivals,
}

impl Poll {
    /// Waits for up to so many jobs of a queue that exists.
    pub(crate) fn begin(
        desk: &Arc<Desk>,
        queue: Name,
        holder: Holder,
        lease: Option<Millis>,
        most: u32,
    ) -> Result<Self, Code> {
        let (sink, arrivals) = Arrivals::new(desk);
        let most = (most.clamp(1, CLAIM_JOBS), true);
        let seat = Some(Seat::take(desk, queue, holder, lease, most, sink)?);
        Ok(Self { seat, arrivals })
    }

    /// The jobs, or none when so much time is over or `end` has come.
    pub(crate) async fn jobs(
        mut self,
        most: Duration,
        end: impl Future<Output = ()>,
    ) -> Vec<LeasedJob> {
        let first = tokio::select! {
            biased;
            first = self.arrivals.next() => first,
            () = tokio::time::sleep(most) => self.last().await,
            () = end => self.last().await,
        };
        let mut jobs = Vec::from_iter(first);
        // They are sent together, one by one under this lock.
        drop(self.arrivals.desk.state());
        while let Ok(handed) = self.arrivals.jobs.try_recv() {
            jobs.push(handed);
        }
        jobs.into_iter().map(|handed| handed.job).collect()
    }

    /// What a claim still gets that is under way.
    async fn last(&mut self) -> Option<Handed> {
        self.seat = None;
        self.arrivals.next().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queues::tests::{PATIENCE, server};
    use holdfast_common::{
        id::JobId,
        job::Token,
        storage::jobs::Given,
        time::{Millis, Timestamp},
    };
    use std::future::pending;

    fn handed(fence: u64) -> Handed {
        let job = LeasedJob {
            id: JobId::new(fence, &[7; 10]),
            token: Token { fence, key: 0 },
            attempt: 1,
            kind: "task".to_owned(),
            data: "{}".to_owned(),
            group: None,
            lease: Given { length: Millis(1_000), until: Timestamp(1_000) },
        };
        Handed { seat: SeatId(1), version: 1, job }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_poll_has_all_that_is_sent_with_its_first_job() {
        let shared = server().await;
        let desk = &shared.queues.desk;
        let (sink, arrivals) = Arrivals::new(desk);
        let poll = Poll { seat: None, arrivals };
        let jobs = {
            let _sending = desk.state();
            sink.send(handed(1)).unwrap();
            let jobs = tokio::spawn(poll.jobs(PATIENCE, pending()));
            // Time in which it would go on with the first alone.
            std::thread::sleep(Duration::from_millis(100));
            sink.send(handed(2)).unwrap();
            jobs
        };
        assert_eq!(jobs.await.unwrap().len(), 2);
    }
}
