//! An engine whose reads wait for their turn.
//!
//! An engine answers what it cannot take with *overloaded*, at once. When a thousand clients come
//! back together, each with a resume and a log to read, that would send most of them away only to
//! come again: here they wait in line instead. The line is bounded by the connections, each of
//! which has one read of a log and a few requests under way.

use crate::{
    engine::{Answer, Engine, Hooks, Jobs, Recognised, Schedules, Trimmed},
    limits::CALLS_AT_ONCE,
};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use holdfast_common::{
    cursor::Offset,
    frame::{LatestSet, RoomInfo},
    id::{EventId, JobId, PersonId, RoomId, WebhookId},
    storage::{
        Append, Appended, FactsQuery, FactsRead, Fault, Folds, Greeted, Greeting, Inbox,
        Membership, Places, Registered, Registers, RegistersQuery, Slice,
        hooks::{HookChange, Hooked, Webhook},
        jobs::{
            Audit, AuditQuery, By, Claim, Claimed, End, Ended, Enqueue, Enqueued, Extend, Extended,
            Govern, Governed, JobRead, ListQuery, Listed, QueueInfo, QueueRead, QueueSpec, Tended,
            Word,
        },
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, Scheduled,
        },
    },
    time::Timestamp,
};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};

pub(crate) struct Patient {
    engine: Arc<dyn Engine>,
    turns: Semaphore,
}

impl Patient {
    pub(crate) fn new(engine: Arc<dyn Engine>) -> Self {
        Self { engine, turns: Semaphore::new(CALLS_AT_ONCE) }
    }

    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }
}

#[async_trait]
impl Jobs for Patient {
    async fn ensure_queue(&self, spec: QueueSpec) -> Result<QueueInfo, Fault> {
        let _turn = self.turn().await;
        self.engine.ensure_queue(spec).await
    }

    /// What is submitted by the call cannot wait here: who calls sees to that.
    fn enqueue(&self, enqueue: Enqueue) -> BoxFuture<'static, Answer<Enqueued>> {
        self.engine.enqueue(enqueue)
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'static, Answer<Claimed>> {
        self.engine.claim(claim)
    }

    fn end(&self, end: End) -> BoxFuture<'static, Answer<Ended>> {
        self.engine.end(end)
    }

    async fn extend(&self, extend: Extend) -> Answer<Vec<Extended>> {
        let _turn = self.turn().await;
        self.engine.extend(extend).await
    }

    /// The clock's looks wait for nobody.
    async fn tend(&self) -> Answer<Tended> {
        self.engine.tend().await
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRead>, Fault> {
        let _turn = self.turn().await;
        self.engine.job(id).await
    }

    async fn queue(&self, ns: &str, name: &str) -> Result<Option<QueueRead>, Fault> {
        let _turn = self.turn().await;
        self.engine.queue(ns, name).await
    }

    async fn queues(&self, ns: &str) -> Result<Vec<QueueRead>, Fault> {
        let _turn = self.turn().await;
        self.engine.queues(ns).await
    }

    async fn govern(&self, govern: Govern) -> Answer<Governed> {
        let _turn = self.turn().await;
        self.engine.govern(govern).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<Option<Vec<Audit>>, Fault> {
        let _turn = self.turn().await;
        self.engine.audit(query).await
    }

    async fn list(&self, query: ListQuery) -> Result<Option<Listed>, Fault> {
        let _turn = self.turn().await;
        self.engine.list(query).await
    }

    async fn stands(&self, word: Word) -> Result<Option<Ended>, Fault> {
        let _turn = self.turn().await;
        self.engine.stands(word).await
    }

    async fn untold(&self, after: i64, limit: u32) -> Result<Vec<JobRead>, Fault> {
        let _turn = self.turn().await;
        self.engine.untold(after, limit).await
    }

    async fn told(&self, ends: Vec<(JobId, u64)>) -> Result<(), Fault> {
        let _turn = self.turn().await;
        self.engine.told(ends).await
    }
}

#[async_trait]
impl Hooks for Patient {
    async fn add_webhook(&self, webhook: Webhook, by: By) -> Result<Hooked, Fault> {
        let _turn = self.turn().await;
        self.engine.add_webhook(webhook, by).await
    }

    async fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>, Fault> {
        let _turn = self.turn().await;
        self.engine.webhooks(room).await
    }

    async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Fault> {
        let _turn = self.turn().await;
        self.engine.webhook(id).await
    }

    async fn change_webhook(
        &self,
        id: WebhookId,
        change: HookChange,
        by: By,
    ) -> Result<bool, Fault> {
        let _turn = self.turn().await;
        self.engine.change_webhook(id, change, by).await
    }
}

#[async_trait]
impl Schedules for Patient {
    fn wall(&self) -> Timestamp {
        self.engine.wall()
    }

    async fn set_schedule(&self, schedule: NewSchedule, by: By) -> Result<Scheduled, Fault> {
        let _turn = self.turn().await;
        self.engine.set_schedule(schedule, by).await
    }

    async fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Fault> {
        let _turn = self.turn().await;
        self.engine.schedule(ns, name).await
    }

    async fn schedules(&self, ns: &str) -> Result<Vec<Schedule>, Fault> {
        let _turn = self.turn().await;
        self.engine.schedules(ns).await
    }

    async fn change_schedule(
        &self,
        ns: &str,
        name: &str,
        change: ScheduleChange,
        by: By,
    ) -> Result<Option<Schedule>, Fault> {
        let _turn = self.turn().await;
        self.engine.change_schedule(ns, name, change, by).await
    }

    async fn due(&self) -> Result<Due, Fault> {
        let _turn = self.turn().await;
        self.engine.due().await
    }

    async fn fire(&self, fire: Fire) -> Answer<Fired> {
        let _turn = self.turn().await;
        self.engine.fire(fire).await
    }
}

#[async_trait]
impl Engine for Patient {
    async fn greet(&self, greeting: Greeting) -> Result<Greeted, Fault> {
        let _turn = self.turn().await;
        self.engine.greet(greeting).await
    }

    async fn recognise(
        &self,
        person: PersonId,
        secret_hash: [u8; 32],
        name: String,
        at: Timestamp,
    ) -> Result<Recognised, Fault> {
        let _turn = self.turn().await;
        self.engine.recognise(person, secret_hash, name, at).await
    }

    async fn directory(&self, person: PersonId) -> Result<Vec<RoomInfo>, Fault> {
        let _turn = self.turn().await;
        self.engine.directory(person).await
    }

    /// Appends wait before they are submitted, see [`Committer`](crate::commit::Committer).
    fn append(&self, append: Append) -> BoxFuture<'static, Appended> {
        self.engine.append(append)
    }

    /// Who asks for facts has a place for the append that they are for.
    async fn facts(&self, query: FactsQuery) -> FactsRead {
        self.engine.facts(query).await
    }

    async fn slice(
        &self,
        room: RoomId,
        after: Offset,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Option<Slice>, Fault> {
        let _turn = self.turn().await;
        self.engine.slice(room, after, max_entries, max_bytes).await
    }

    async fn page(
        &self,
        room: RoomId,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Result<Option<Folds>, Fault> {
        let _turn = self.turn().await;
        self.engine.page(room, before, limit, max_bytes, since).await
    }

    async fn find(
        &self,
        person: PersonId,
        room: RoomId,
        ids: Vec<EventId>,
    ) -> Result<Places, Fault> {
        let _turn = self.turn().await;
        self.engine.find(person, room, ids).await
    }

    async fn join(
        &self,
        person: PersonId,
        room: RoomId,
        most: u32,
        at: Timestamp,
    ) -> Result<Membership, Fault> {
        let _turn = self.turn().await;
        self.engine.join(person, room, most, at).await
    }

    async fn leave(&self, person: PersonId, room: RoomId) -> Result<Membership, Fault> {
        let _turn = self.turn().await;
        self.engine.leave(person, room).await
    }

    async fn set_latest(&self, value: LatestSet) -> Result<Registered, Fault> {
        let _turn = self.turn().await;
        self.engine.set_latest(value).await
    }

    async fn registers(
        &self,
        query: RegistersQuery,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Registers, Fault> {
        let _turn = self.turn().await;
        self.engine.registers(query, max_entries, max_bytes).await
    }

    async fn room_named(&self, namespace: &str, name: &str) -> Result<Option<RoomInfo>, Fault> {
        let _turn = self.turn().await;
        self.engine.room_named(namespace, name).await
    }

    async fn inbox(&self, person: PersonId, namespace: &str) -> Result<Inbox, Fault> {
        let _turn = self.turn().await;
        self.engine.inbox(person, namespace).await
    }

    async fn trim(&self, room: RoomId, first: Offset) -> Result<Option<Trimmed>, Fault> {
        self.engine.trim(room, first).await
    }

    async fn delete_room(&self, room: RoomId) -> Result<Option<RoomInfo>, Fault> {
        self.engine.delete_room(room).await
    }

    async fn ready(&self) -> Result<(), Fault> {
        self.engine.ready().await
    }

    fn commits(&self) -> u64 {
        self.engine.commits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::memory::MemoryEngine;
    use futures_util::FutureExt;
    use holdfast_common::event::Effect;

    #[test]
    fn facts_wait_for_nobody_who_reads() {
        let patient = Patient::new(Arc::new(MemoryEngine::default()));
        let all = u32::try_from(CALLS_AT_ONCE).unwrap();
        let _turns = patient.turns.try_acquire_many(all).unwrap();
        assert!(patient.directory(PersonId::NIL).now_or_never().is_none());
        let query = FactsQuery {
            person: PersonId::NIL,
            namespace: "chat".to_owned(),
            room: RoomId::NIL,
            effect: Effect::Adds,
        };
        assert!(patient.facts(query).now_or_never().is_some());
    }
}
