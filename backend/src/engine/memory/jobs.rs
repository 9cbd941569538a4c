//! Queues and jobs in memory.

mod rows;

use super::{MemoryEngine, State};
use crate::engine::jobs::{Answer, Jobs, Work, clock::Ticks};
use async_trait::async_trait;
use futures_util::future::{BoxFuture, ready};
use holdfast_common::{
    id::JobId,
    storage::{
        Fault,
        jobs::{
            Audit, AuditQuery, Claim, Claimed, End, Ended, Enqueue, Enqueued, Extend, Extended,
            Govern, Governed, JobRead, ListQuery, Listed, QueueInfo, QueueRead, QueueSpec, Tended,
            Word, WordEvent,
        },
    },
};
pub(super) use rows::Tables;
use std::collections::BTreeMap;

impl MemoryEngine {
    /// Does one call's work. A fault leaves nothing of it.
    pub(super) fn work<T>(
        &self,
        call: impl FnOnce(&mut Work<&mut State>) -> Result<T, Fault>,
    ) -> Answer<T> {
        let mut state = self.state();
        look(&self.ticks, &mut state.jobs);
        let before = state.jobs.clone();
        let mut work = Work::new(&mut *state, self.ticks.moment());
        let answer = call(&mut work).and_then(|answer| Ok((answer, work.finish()?)));
        if answer.is_err() {
            state.jobs = before;
        }
        answer
    }

    pub(super) fn read<T>(
        &self,
        call: impl FnOnce(&Work<&mut State>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        call(&Work::new(&mut *self.state(), self.ticks.peek()))
    }
}

/// What the batches of other engines begin with.
fn look(ticks: &Ticks, jobs: &mut Tables) {
    let look = ticks.look();
    if let Some(gap) = look.gap {
        jobs.give(gap);
    }
    ticks.written(look);
}

#[async_trait]
impl Jobs for MemoryEngine {
    async fn ensure_queue(&self, spec: QueueSpec) -> Result<QueueInfo, Fault> {
        self.work(|work| work.ensure_queue(&spec)).map(|(info, _)| info)
    }

    fn enqueue(&self, enqueue: Enqueue) -> BoxFuture<'static, Answer<Enqueued>> {
        Box::pin(ready(self.work(|work| work.enqueue(&enqueue))))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'static, Answer<Claimed>> {
        Box::pin(ready(self.work(|work| work.claim(&claim))))
    }

    fn end(&self, end: End) -> BoxFuture<'static, Answer<Ended>> {
        Box::pin(ready(self.work(|work| work.end(&end))))
    }

    async fn extend(&self, extend: Extend) -> Answer<Vec<Extended>> {
        self.work(|work| work.extend(&extend))
    }

    async fn stands(&self, word: Word) -> Result<Option<Ended>, Fault> {
        let mut state = self.state();
        let named = |event: &WordEvent| state.ever_named(&event.namespace, &event.room);
        let rooms: BTreeMap<_, _> = word.events.iter().map(|it| (it.id, named(it))).collect();
        let work = Work::new(&mut *state, self.ticks.peek());
        work.stands(&word, |event| Ok(rooms.get(&event.id).cloned().unwrap_or_default()))
    }

    async fn tend(&self) -> Answer<Tended> {
        self.work(|work| work.tend())
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRead>, Fault> {
        self.read(|work| work.read_job(id))
    }

    async fn queue(&self, ns: &str, name: &str) -> Result<Option<QueueRead>, Fault> {
        self.read(|work| work.read_queue(ns, name))
    }

    async fn queues(&self, ns: &str) -> Result<Vec<QueueRead>, Fault> {
        self.read(|work| work.read_queues(ns))
    }
    async fn govern(&self, govern: Govern) -> Answer<Governed> {
        self.work(|work| work.govern(&govern))
    }

    async fn audit(&self, query: AuditQuery) -> Result<Option<Vec<Audit>>, Fault> {
        self.read(|work| work.audit(&query))
    }

    async fn list(&self, query: ListQuery) -> Result<Option<Listed>, Fault> {
        self.read(|work| work.list(&query))
    }

    async fn untold(&self, after: i64, limit: u32) -> Result<Vec<JobRead>, Fault> {
        self.read(|work| work.untold(after, limit))
    }

    async fn told(&self, ends: Vec<(JobId, u64)>) -> Result<(), Fault> {
        self.work(|work| work.told(&ends)).map(drop)
    }
}
