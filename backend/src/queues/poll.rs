//! One that waits for jobs of a queue.

use super::{
    desk::Desk,
    line::{Name, Waiting},
};
use holdfast_common::{
    dispatch::Consumer,
    error::Code,
    job::{Holder, limits::CLAIM_JOBS},
    storage::jobs::LeasedJob,
    time::Millis,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// A long poll. Where it is dropped, what was on its way to it is given back.
pub(crate) struct Poll {
    desk: Arc<Desk>,
    consumer: Consumer,
    jobs: mpsc::UnboundedReceiver<LeasedJob>,
}

impl Poll {
    /// Waits for up to so many jobs of a queue that exists.
    pub(crate) fn begin(
        desk: &Arc<Desk>,
        queue: (String, String),
        holder: Holder,
        lease: Option<Millis>,
        most: u32,
    ) -> Result<Self, Code> {
        let (sink, jobs) = mpsc::unbounded_channel();
        let queue: Name = Arc::new(queue);
        let waiting = Waiting { queue, holder, lease, once: true, sink };
        let most = most.clamp(1, CLAIM_JOBS);
        let waits = desk.state().line.wait(desk.now(), waiting, most);
        let (consumer, errands) = waits.ok_or(Code::Overloaded)?;
        desk.run(errands);
        Ok(Self { desk: Arc::clone(desk), consumer, jobs })
    }

    /// The jobs, or none when so much time is over or `end` has come.
    pub(crate) async fn jobs(
        mut self,
        most: Duration,
        end: impl Future<Output = ()>,
    ) -> Vec<LeasedJob> {
        let first = tokio::select! {
            biased;
            first = self.jobs.recv() => first,
            () = tokio::time::sleep(most) => self.last().await,
            () = end => self.last().await,
        };
        let mut jobs = Vec::from_iter(first);
        // They are sent together.
        while let Ok(job) = self.jobs.try_recv() {
            jobs.push(job);
        }
        jobs
    }

    /// What a claim still gets that is under way.
    async fn last(&mut self) -> Option<LeasedJob> {
        self.desk.state().line.gone(self.desk.now(), self.consumer);
        self.jobs.recv().await
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.desk.state().line.gone(self.desk.now(), self.consumer);
        self.jobs.close();
        let mut left = Vec::new();
        while let Ok(job) = self.jobs.try_recv() {
            left.push(job);
        }
        self.desk.give_back(left);
    }
}
