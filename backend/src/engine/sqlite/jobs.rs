//! Queues and jobs in SQLite.

mod attempts;
pub(super) mod clock;
pub(super) mod held;
mod keys;
mod row;
mod rows;
mod sql;

use super::{SqliteEngine, rooms, task::Problem};
use crate::engine::jobs::{Answer, Jobs, Work};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use holdfast_common::{
    event::Effect,
    id::JobId,
    storage::{
        Fault,
        jobs::{
            Audit, AuditQuery, Claim, Claimed, End, Ended, Enqueue, Enqueued, Extend, Extended,
            Govern, Governed, JobRead, ListQuery, Listed, Moves, QueueInfo, QueueRead, QueueSpec,
            Tended, Word, WordEvent,
        },
    },
};
use rusqlite::Connection;
use std::sync::Arc;
pub(super) use {rows::Tables, sql::statements};

impl SqliteEngine {
    /// Has one call's work done in a batch, by the batch's time.
    fn work<T: Send + 'static>(
        &self,
        call: impl FnMut(&mut Work<Tables<'_>>) -> Result<T, Problem> + Send + 'static,
    ) -> BoxFuture<'static, Answer<T>> {
        self.work_that(removed, call)
    }

    /// The same, and tells of its answer whether content was removed.
    pub(super) fn work_that<T: Send + 'static>(
        &self,
        removes: fn(&(T, Moves)) -> bool,
        mut call: impl FnMut(&mut Work<Tables<'_>>) -> Result<T, Problem> + Send + 'static,
    ) -> BoxFuture<'static, Answer<T>> {
        let (ticks, held) = (Arc::clone(&self.ticks), Arc::clone(&self.held));
        let answer = self.writer.submit(removes, move |db: &Connection| {
            let mut work = Work::new(Tables::write(db, &held), ticks.moment());
            let answer = call(&mut work)?;
            Ok((answer, work.finish()?))
        });
        Box::pin(answer)
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        mut call: impl FnMut(&Work<Tables<'_>>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Fault> {
        let moment = self.ticks.peek();
        self.readers.ask(move |db| call(&Work::new(Tables::read(db), moment))).await
    }
}

/// Whether jobs are there no more.
fn removed<T>((_, moves): &(T, Moves)) -> bool {
    let mut jobs = moves.queues.iter().flat_map(|queue| &queue.jobs);
    jobs.any(|moved| moved.to.is_none())
}

#[async_trait]
impl Jobs for SqliteEngine {
    async fn ensure_queue(&self, spec: QueueSpec) -> Result<QueueInfo, Fault> {
        let ensured = self.work(move |work| work.ensure_queue(&spec)).await;
        ensured.map(|(info, _)| info)
    }

    fn enqueue(&self, enqueue: Enqueue) -> BoxFuture<'static, Answer<Enqueued>> {
        self.work(move |work| work.enqueue(&enqueue))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'static, Answer<Claimed>> {
        self.work(move |work| work.claim(&claim))
    }

    fn end(&self, end: End) -> BoxFuture<'static, Answer<Ended>> {
        let empties = end.appends.iter().any(|append| matches!(append.effect, Effect::Removes(_)));
        let removes = if empties { |_: &_| true } else { removed };
        self.work_that(removes, move |work| work.end(&end))
    }

    async fn extend(&self, extend: Extend) -> Answer<Vec<Extended>> {
        self.work(move |work| work.extend(&extend)).await
    }

    async fn stands(&self, word: Word) -> Result<Option<Ended>, Fault> {
        let moment = self.ticks.peek();
        let read = self.readers.ask(move |db| {
            let rooms = |event: &WordEvent| rooms::ever_named(db, &event.namespace, &event.room);
            Work::new(Tables::read(db), moment).stands(&word, rooms)
        });
        read.await
    }

    async fn tend(&self) -> Answer<Tended> {
        self.work(|work| work.tend()).await
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRead>, Fault> {
        self.read(move |work| work.read_job(id)).await
    }

    async fn queue(&self, ns: &str, name: &str) -> Result<Option<QueueRead>, Fault> {
        let (ns, name) = (ns.to_owned(), name.to_owned());
        self.read(move |work| work.read_queue(&ns, &name)).await
    }

    async fn queues(&self, ns: &str) -> Result<Vec<QueueRead>, Fault> {
        let ns = ns.to_owned();
        self.read(move |work| work.read_queues(&ns)).await
    }
    async fn govern(&self, govern: Govern) -> Answer<Governed> {
        self.work_that(|_| true, move |work| work.govern(&govern)).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<Option<Vec<Audit>>, Fault> {
        self.read(move |work| work.audit(&query)).await
    }

    async fn list(&self, query: ListQuery) -> Result<Option<Listed>, Fault> {
        self.read(move |work| work.list(&query)).await
    }

    async fn untold(&self, after: i64, limit: u32) -> Result<Vec<JobRead>, Fault> {
        self.read(move |work| work.untold(after, limit)).await
    }

    async fn told(&self, ends: Vec<(JobId, u64)>) -> Result<(), Fault> {
        self.work(move |work| work.told(&ends)).await.map(drop)
    }
}
