//! Those that wait for jobs of a queue.

use super::{desk::Desk, line::Waiting};
use holdfast_common::{
    dispatch::Consumer,
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

/// A place in a queue's line. Where it is dropped, what was on its way to it is given back.
struct Wait {
    desk: Arc<Desk>,
    consumer: Consumer,
    jobs: mpsc::UnboundedReceiver<LeasedJob>,
}

impl Wait {
    fn begin(
        desk: &Arc<Desk>,
        queue: (String, String),
        holder: Holder,
        lease: Option<Millis>,
        most: u32,
        once: bool,
    ) -> Result<Self, Code> {
        let (sink, jobs) = mpsc::unbounded_channel();
        let waiting = Waiting { queue: Arc::new(queue), holder, lease, once, sink };
        let waits = desk.state().line.wait(desk.now(), waiting, most);
        let (consumer, errands) = waits.ok_or(Code::Overloaded)?;
        desk.run(errands);
        Ok(Self { desk: Arc::clone(desk), consumer, jobs })
    }

    /// Waits no longer, but for what a claim still gets that is under way.
    fn leave(&self) {
        self.desk.state().line.gone(self.desk.now(), self.consumer);
    }
}

/// A long poll: it is over with the first jobs.
pub(crate) struct Poll(Wait);

impl Poll {
    /// Waits for up to so many jobs of a queue that exists.
    pub(crate) fn begin(
        desk: &Arc<Desk>,
        queue: (String, String),
        holder: Holder,
        lease: Option<Millis>,
        most: u32,
    ) -> Result<Self, Code> {
        Wait::begin(desk, queue, holder, lease, most.clamp(1, CLAIM_JOBS), true).map(Self)
    }

    /// The jobs, or none when so much time is over or `end` has come.
    pub(crate) async fn jobs(
        mut self,
        most: Duration,
        end: impl Future<Output = ()>,
    ) -> Vec<LeasedJob> {
        let first = tokio::select! {
            biased;
            first = self.0.jobs.recv() => first,
            () = tokio::time::sleep(most) => self.last().await,
            () = end => self.last().await,
        };
        let mut jobs = Vec::from_iter(first);
        // They are sent together.
        while let Ok(job) = self.0.jobs.try_recv() {
            jobs.push(job);
        }
        jobs
    }

    async fn last(&mut self) -> Option<LeasedJob> {
        self.0.leave();
        self.0.jobs.recv().await
    }
}

/// One that is sent jobs as long as it has credit for them.
pub(crate) struct Subscription(Wait);

impl Subscription {
    /// Waits for jobs of a queue that exists, with credit for so many.
    pub(crate) fn begin(
        desk: &Arc<Desk>,
        queue: (String, String),
        holder: Holder,
        lease: Option<Millis>,
        credit: u32,
    ) -> Result<Self, Code> {
        Wait::begin(desk, queue, holder, lease, credit.min(CREDIT), false).map(Self)
    }

    /// Waits for so many more.
    pub(crate) fn credit(&self, jobs: u32) {
        let Wait { desk, consumer, .. } = &self.0;
        let errands = desk.state().line.credit(desk.now(), *consumer, jobs);
        desk.run(errands);
    }

    /// The next job. It never ends before it is dropped.
    pub(crate) async fn next(&mut self) -> Option<LeasedJob> {
        self.0.jobs.recv().await
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.leave();
        self.jobs.close();
        let mut left = Vec::new();
        while let Ok(job) = self.jobs.try_recv() {
            left.push(job);
        }
        self.desk.give_back(left);
    }
}
