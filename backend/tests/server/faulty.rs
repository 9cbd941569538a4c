//! An engine that fails when it is told to.

mod passed_on;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, ready};
use holdfast_backend::engine::{Answer, Engine, Jobs, Recognised, Trimmed, memory::MemoryEngine};
use holdfast_common::{
    cursor::Offset,
    frame::{LatestSet, RoomInfo},
    id::{EventId, JobId, PersonId, RoomId},
    storage::{
        Append, Appended, FactsQuery, FactsRead, Fault, Folds, Greeted, Greeting, Inbox,
        Membership, Places, Registered, Registers, RegistersQuery, Slice,
        jobs::{
            Audit, AuditQuery, Claim, Claimed, End, Ended, Enqueue, Enqueued, Extend, Extended,
            Govern, Governed, How, JobRead, ListQuery, Listed, QueueInfo, QueueRead, QueueSpec,
            Tended, Word,
        },
    },
    time::Timestamp,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
};
use tokio::sync::{Notify, watch};

#[derive(Default)]
pub struct Faulty {
    inner: MemoryEngine,
    /// What every append and every greeting meets.
    pub fault: Mutex<Option<Fault>>,
    /// Appends with this text in them fail, or panic where that is wanted.
    pub spoiled: Mutex<Option<(&'static str, bool)>>,
    /// The next tending panics.
    pub untended: AtomicBool,
    /// Deeds that are being done, and the most that were at once.
    pub deeds: (AtomicU32, AtomicU32),
    /// How often facts were read.
    pub facts: AtomicU32,
    /// What every read of facts meets.
    pub bad_facts: Mutex<Option<Fault>>,
    /// Where the answers to greetings wait.
    gate: Mutex<Option<Arc<Gate>>>,
    /// Where the answer to the next join waits.
    join: Mutex<Option<Arc<Gate>>>,
    /// Where the next list of rooms waits.
    directory: Mutex<Option<Arc<Gate>>>,
    /// Where the answer to the next end waits.
    end: Mutex<Option<Arc<Gate>>>,
    /// Where the answer to the next claim waits.
    claim: Mutex<Option<Arc<Gate>>>,
    /// Where appends with this text in them wait.
    held: Mutex<Option<(&'static str, Arc<Gate>)>>,
    /// What every end meets, and nothing of it happens.
    pub bad_ends: Mutex<Option<Fault>>,
    /// Nothing is extended until this is over.
    pub extends_hang: watch::Sender<bool>,
    /// The namespace whose queues are told to nobody, until it is another one.
    pub queues_hang: watch::Sender<Option<&'static str>>,
    /// The names of the queues that were asked for one by one.
    pub queues_read: Mutex<Vec<String>>,
    /// Ends that are read behind those there are, after a job's number.
    pub more_ends: Mutex<Option<MoreEnds>>,
    /// What the next reads of a log meet, the last one first.
    pub bad_slices: Mutex<Vec<Fault>>,
    /// How often a log is read before any read meets that.
    pub good_slices: AtomicU32,
    /// In which ways leases were ended, in their order.
    pub ends: Mutex<Vec<How>>,
}

/// What a read of a log meets that may go well a moment later.
pub fn passing() -> [Fault; 3] {
    [Fault::Full, Fault::Overloaded, Fault::Unknown("standing still".to_owned())]
}

pub type MoreEnds = Box<dyn Fn(i64) -> Vec<JobRead> + Send>;

#[derive(Default)]
pub struct Gate {
    /// An answer has been read, and waits.
    pub reached: Notify,
    pub open: Notify,
}

impl Faulty {
    /// Greetings are answered from now on when the gate is opened, with what was true before.
    pub fn hold_greetings(&self) -> Arc<Gate> {
        let gate = Arc::<Gate>::default();
        *self.gate.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    /// The next list of rooms is answered when the gate is opened, with what was true before.
    pub fn hold_directory(&self) -> Arc<Gate> {
        let gate = Arc::<Gate>::default();
        *self.directory.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    /// The next end is answered when the gate is opened, although it has happened.
    pub fn hold_end(&self) -> Arc<Gate> {
        let gate = Arc::<Gate>::default();
        *self.end.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    /// The next claim is answered when the gate is opened, although it has happened.
    pub fn hold_claim(&self) -> Arc<Gate> {
        let gate = Arc::<Gate>::default();
        *self.claim.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    /// Appends with this text in them are answered when the gate is opened, although they have happened.
    pub fn hold_appends(&self, with: &'static str) -> Arc<Gate> {
        let gate = Arc::<Gate>::default();
        *self.held.lock().unwrap() = Some((with, Arc::clone(&gate)));
        gate
    }

    /// The next join is answered when the gate is opened, although it has happened.
    pub fn hold_join(&self) -> Arc<Gate> {
        let gate = Arc::<Gate>::default();
        *self.join.lock().unwrap() = Some(Arc::clone(&gate));
        gate
    }

    async fn until_told(&self, ns: &str) {
        let mut hangs = self.queues_hang.subscribe();
        let _ = hangs.wait_for(|hangs| *hangs != Some(ns)).await;
    }
}

/// An answer that waits at a gate.
async fn held<T>(answer: BoxFuture<'static, T>, gate: Option<Arc<Gate>>) -> T {
    if let Some(gate) = gate {
        gate.reached.notify_one();
        gate.open.notified().await;
    }
    answer.await
}

#[async_trait]
impl Jobs for Faulty {
    async fn ensure_queue(&self, spec: QueueSpec) -> Result<QueueInfo, Fault> {
        self.inner.ensure_queue(spec).await
    }

    fn enqueue(&self, enqueue: Enqueue) -> BoxFuture<'static, Answer<Enqueued>> {
        self.inner.enqueue(enqueue)
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'static, Answer<Claimed>> {
        let gate = self.claim.lock().unwrap().take();
        Box::pin(held(self.inner.claim(claim), gate))
    }

    fn end(&self, end: End) -> BoxFuture<'static, Answer<Ended>> {
        self.ends.lock().unwrap().push(end.how.clone());
        if let Some(fault) = self.bad_ends.lock().unwrap().clone() {
            return Box::pin(ready(Err(fault)));
        }
        let gate = self.end.lock().unwrap().take();
        Box::pin(held(self.inner.end(end), gate))
    }

    async fn extend(&self, extend: Extend) -> Answer<Vec<Extended>> {
        let _ = self.extends_hang.subscribe().wait_for(|hang| !hang).await;
        self.inner.extend(extend).await
    }

    async fn tend(&self) -> Answer<Tended> {
        assert!(!self.untended.swap(false, Ordering::SeqCst), "tending panics when it is told to");
        self.inner.tend().await
    }

    async fn job(&self, id: JobId) -> Result<Option<JobRead>, Fault> {
        self.inner.job(id).await
    }

    async fn queue(&self, ns: &str, name: &str) -> Result<Option<QueueRead>, Fault> {
        self.queues_read.lock().unwrap().push(name.to_owned());
        self.until_told(ns).await;
        self.inner.queue(ns, name).await
    }

    async fn queues(&self, ns: &str) -> Result<Vec<QueueRead>, Fault> {
        self.until_told(ns).await;
        self.inner.queues(ns).await
    }

    async fn govern(&self, govern: Govern) -> Answer<Governed> {
        let (now, most) = &self.deeds;
        let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(at_once, Ordering::SeqCst);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        now.fetch_sub(1, Ordering::SeqCst);
        self.inner.govern(govern).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<Option<Vec<Audit>>, Fault> {
        self.inner.audit(query).await
    }

    async fn list(&self, query: ListQuery) -> Result<Option<Listed>, Fault> {
        self.inner.list(query).await
    }

    async fn stands(&self, word: Word) -> Result<Option<Ended>, Fault> {
        self.inner.stands(word).await
    }

    async fn untold(&self, after: i64, limit: u32) -> Result<Vec<JobRead>, Fault> {
        let untold = self.inner.untold(after, limit).await?;
        let more = self.more_ends.lock().unwrap();
        match &*more {
            Some(more) if untold.is_empty() => Ok(more(after)),
            _ => Ok(untold),
        }
    }

    async fn told(&self, ends: Vec<(JobId, u64)>) -> Result<(), Fault> {
        self.inner.told(ends).await
    }
}

#[async_trait]
impl Engine for Faulty {
    async fn greet(&self, greeting: Greeting) -> Result<Greeted, Fault> {
        if let Some(fault) = self.fault.lock().unwrap().clone() {
            return Err(fault);
        }
        let greeted = self.inner.greet(greeting).await;
        let gate = self.gate.lock().unwrap().clone();
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.open.notified().await;
        }
        greeted
    }

    async fn recognise(
        &self,
        person: PersonId,
        secret_hash: [u8; 32],
        name: String,
        at: Timestamp,
    ) -> Result<Recognised, Fault> {
        self.inner.recognise(person, secret_hash, name, at).await
    }

    async fn directory(&self, person: PersonId) -> Result<Vec<RoomInfo>, Fault> {
        let directory = self.inner.directory(person).await;
        let gate = self.directory.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.open.notified().await;
        }
        directory
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Appended> {
        let spoiled = *self.spoiled.lock().unwrap();
        if let Some((_, panics)) = spoiled.filter(|(text, _)| append.data.contains(text)) {
            assert!(!panics, "appending panics when it is told to");
            return Box::pin(ready(Appended::Fault(Fault::Failed("spoiled".to_owned()))));
        }
        let gate = self.held.lock().unwrap().clone();
        let gate = gate.filter(|(text, _)| append.data.contains(text)).map(|(_, gate)| gate);
        match self.fault.lock().unwrap().clone() {
            Some(fault) => Box::pin(ready(Appended::Fault(fault))),
            None => Box::pin(held(self.inner.append(append), gate)),
        }
    }

    async fn facts(&self, query: FactsQuery) -> FactsRead {
        self.facts.fetch_add(1, Ordering::Relaxed);
        if let Some(fault) = self.bad_facts.lock().unwrap().clone() {
            return Err(fault);
        }
        self.inner.facts(query).await
    }

    async fn slice(
        &self,
        room: RoomId,
        after: Offset,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Option<Slice>, Fault> {
        let count = |left: u32| left.checked_sub(1);
        let good = self.good_slices.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count).is_ok();
        let bad = if good { None } else { self.bad_slices.lock().unwrap().pop() };
        if let Some(fault) = bad {
            return Err(fault);
        }
        self.inner.slice(room, after, max_entries, max_bytes).await
    }

    async fn page(
        &self,
        room: RoomId,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Result<Option<Folds>, Fault> {
        self.inner.page(room, before, limit, max_bytes, since).await
    }

    /// A bug.
    async fn find(&self, _: PersonId, _: RoomId, _: Vec<EventId>) -> Result<Places, Fault> {
        panic!("a bug, on purpose")
    }

    async fn join(
        &self,
        person: PersonId,
        room: RoomId,
        most: u32,
        at: Timestamp,
    ) -> Result<Membership, Fault> {
        let joined = self.inner.join(person, room, most, at).await;
        let gate = self.join.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.reached.notify_one();
            gate.open.notified().await;
        }
        joined
    }

    async fn leave(&self, person: PersonId, room: RoomId) -> Result<Membership, Fault> {
        self.inner.leave(person, room).await
    }

    async fn set_latest(&self, value: LatestSet) -> Result<Registered, Fault> {
        self.inner.set_latest(value).await
    }

    async fn registers(
        &self,
        query: RegistersQuery,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Registers, Fault> {
        self.inner.registers(query, max_entries, max_bytes).await
    }

    /// Another one, in the room "bug".
    async fn room_named(&self, namespace: &str, name: &str) -> Result<Option<RoomInfo>, Fault> {
        assert!(name != "bug", "a bug, on purpose");
        self.inner.room_named(namespace, name).await
    }

    async fn inbox(&self, person: PersonId, namespace: &str) -> Result<Inbox, Fault> {
        self.inner.inbox(person, namespace).await
    }

    async fn trim(&self, room: RoomId, first: Offset) -> Result<Option<Trimmed>, Fault> {
        self.inner.trim(room, first).await
    }

    async fn delete_room(&self, room: RoomId) -> Result<Option<RoomInfo>, Fault> {
        self.inner.delete_room(room).await
    }

    async fn ready(&self) -> Result<(), Fault> {
        self.fault.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn commits(&self) -> u64 {
        self.inner.commits()
    }
}
