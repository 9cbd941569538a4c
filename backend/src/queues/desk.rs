//! The desk: what every word about jobs goes over, on its way to the engine and back.
//!
//! Each call is carried out by a task of its own, so that a caller who leaves takes nothing along: what the
//! store has changed is told to those who [wait](super::line), and what they were about to get is given
//! back where they have gone.

use super::{
    follow::Followers,
    line::{Errand, Fetched, Line},
};
use crate::{
    clock::Clock,
    engine::{Answer, Engine},
    hub::Hub,
    limits::JOB_CALLS_AT_ONCE,
    metrics::Metrics,
};
use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use holdfast_common::{
    dispatch::{Count, SeatId},
    id::{JobId, RoomId},
    job::{Place, Token},
    storage::{
        Appended, Fault, Verdict,
        jobs::{Claim, Claimed, End, Ended, How, LeasedJob, Moves, QueueMoves, Wanted},
    },
    time::{Instant, Millis},
};
use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    task::JoinHandle,
};

/// The way to jobs.
pub(crate) struct Desk {
    pub(super) engine: Arc<dyn Engine>,
    hub: Arc<Hub>,
    pub(super) metrics: Arc<Metrics>,
    clock: Clock,
    turns: Arc<Semaphore>,
    /// Whose step it is of those that are done to many jobs.
    pub(super) steps: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Something is to be done earlier than the task that [tends](super::tend) knows.
    pub(super) sooner: Arc<Notify>,
    /// Jobs have ended.
    pub(crate) ended: Arc<Notify>,
    /// Heard by each call that is under way, whether or not its caller is there, and by what comes of it.
    under_way: watch::Sender<()>,
}

pub(super) struct State {
    pub(super) line: Line,
    /// What is known of the jobs that were given out by this process and are still held.
    held: HashMap<JobId, Arc<About>>,
    pub(super) followers: Followers,
    /// When time alone will change something next, as far as is known.
    pub(super) due: Instant,
}

/// What a word about a job is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) ns: String,
    pub(crate) queue: String,
    pub(crate) kind: String,
}

impl Desk {
    /// A desk over this engine. Needs a tokio runtime; its task ends when it is dropped.
    pub(crate) fn start(
        engine: Arc<dyn Engine>,
        hub: &Arc<Hub>,
        metrics: &Arc<Metrics>,
    ) -> Arc<Self> {
        let clock = Clock::start();
        let state = State {
            line: Line::new(),
            held: HashMap::new(),
            followers: Followers::default(),
            due: clock.now(),
        };
        let desk = Arc::new(Self {
            engine,
            hub: Arc::clone(hub),
            metrics: Arc::clone(metrics),
            clock,
            turns: Arc::new(Semaphore::new(JOB_CALLS_AT_ONCE)),
            steps: tokio::sync::Mutex::new(()),
            state: Mutex::new(state),
            sooner: Arc::new(Notify::new()),
            ended: Arc::new(Notify::new()),
            under_way: watch::Sender::new(()),
        });
        tokio::spawn(super::tend::tend(Arc::downgrade(&desk)));
        desk
    }

    /// A panic under the lock costs the call that met it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many long polls and subscriptions wait for jobs.
    pub(crate) fn waiting(&self) -> usize {
        self.state().line.waiting()
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(super) fn at(&self, instant: Instant) -> tokio::time::Instant {
        self.clock.at(instant)
    }

    /// A turn at the engine: what is submitted by the call must not wait there.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// Carries a call out whether or not its caller stays.
    pub(super) fn apart<T: Send + 'static>(
        &self,
        call: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let under_way = self.under_way();
        tokio::spawn(async move {
            let answer = call.await;
            drop(under_way);
            answer
        })
    }

    /// Counts as a call that is under way for as long as it is kept.
    pub(super) fn under_way(&self) -> watch::Receiver<()> {
        self.under_way.subscribe()
    }

    /// Completes when no call is under way, and nothing that comes of one: then nobody holds a job because of it.
    pub(crate) async fn calm(&self) {
        self.under_way.closed().await;
    }

    /// What is known of a job: of one that is held here without a read.
    pub(crate) async fn about(&self, job: JobId) -> Result<Option<Arc<About>>, Fault> {
        if let Some(about) = self.state().held.get(&job) {
            return Ok(Some(Arc::clone(about)));
        }
        let read = self.engine.job(job).await?;
        Ok(read.map(|read| Arc::new(About { ns: read.ns, queue: read.queue, kind: read.kind })))
    }

    /// The store has changed: who waits is told, and claimed for.
    pub(crate) fn moved(self: &Arc<Self>, moves: &Moves) {
        if moves.queues.is_empty() {
            // Versions go on where nothing moves.
            return self.state().followers.is_at(moves.version);
        }
        self.metrics.moved(moves);
        let now = self.now();
        let (mut delayed, mut ended) = (false, false);
        let mut state = self.state();
        for moved in moves.queues.iter().flat_map(|queue| &queue.jobs) {
            delayed |= moved.to == Some(Place::Delayed);
            ended |= moved.to.is_some_and(Place::ended);
            if moved.to != Some(Place::Leased) {
                state.held.remove(&moved.job);
            }
        }
        state.followers.moved(now, moves);
        let errands = state.line.counted(now, moves);
        drop(state);
        self.run(errands);
        if delayed {
            // Who tends learns until when.
            self.due_in(Millis(0));
        }
        if ended {
            self.ended.notify_one();
        }
    }

    pub(super) async fn ask<T>(&self, call: BoxFuture<'static, Answer<T>>) -> Answer<T> {
        self.heard(caught(call).await)
    }

    /// An answer of the engine. Where it cannot say whether it was done, those who follow look for
    /// themselves.
    pub(super) fn heard<T>(&self, answer: Answer<T>) -> Answer<T> {
        if matches!(answer, Err(Fault::Unknown(_))) {
            self.state().followers.doubt();
        }
        answer
    }

    /// What an end has brought is passed on to the rooms, as of any append.
    pub(super) fn publish(self: &Arc<Self>, rooms: &[RoomId], ended: &Ended) {
        match ended {
            Ended::Done { appended, .. } => {
                for (room, appended) in rooms.iter().zip(appended) {
                    if let Appended::Decided { verdict, entry, .. } = appended {
                        match (entry, verdict) {
                            (Some(entry), _) => self.hub.publish(entry),
                            (None, Verdict::Ack { offset, .. }) => self.hub.stands(*room, *offset),
                            (None, Verdict::Reject { .. }) => {}
                        }
                    }
                }
            }
            Ended::Again { stands, .. } => {
                for (room, offset) in rooms.iter().zip(stands) {
                    if let Some(offset) = offset {
                        self.hub.stands(*room, *offset);
                    }
                }
            }
            Ended::Late(_) => self.metrics.jobs.fenced.add(1),
            _ => {}
        }
    }

    /// Jobs were given out.
    pub(super) fn gave(&self, ns: &str, queue: &str, jobs: &[LeasedJob]) {
        let mut state = self.state();
        for job in jobs {
            let (ns, queue, kind) = (ns.to_owned(), queue.to_owned(), job.kind.clone());
            state.held.insert(job.id, Arc::new(About { ns, queue, kind }));
        }
        drop(state);
        if let Some(first) = jobs.iter().map(|job| job.lease.length).min() {
            self.due_in(first);
        }
    }

    /// Time alone will change something after this length.
    pub(super) fn due_in(&self, length: Millis) {
        let due = self.now() + length;
        let mut state = self.state();
        if due < state.due {
            state.due = due;
            self.sooner.notify_one();
        }
    }

    /// Makes claims for those who wait, each in a task of its own.
    pub(super) fn run(self: &Arc<Self>, errands: Vec<Errand>) {
        for Errand { consumer, claim } in errands {
            let desk = Arc::clone(self);
            self.apart(async move {
                let turn = desk.turn().await;
                let claimed = desk.ask(desk.engine.claim(claim.clone())).await;
                drop(turn);
                match claimed {
                    Ok((claimed, moves)) => {
                        desk.claimed(vec![(consumer, claim, claimed)], &moves);
                    }
                    Err(fault) => {
                        tracing::warn!(%fault, "jobs could not be claimed for one that waits");
                        desk.fetched(consumer, Fetched::Failed);
                    }
                }
            });
        }
    }

    /// Claims were made for those who wait, with one commit.
    pub(super) fn claimed(self: &Arc<Self>, claimed: Vec<(SeatId, Claim, Claimed)>, moves: &Moves) {
        for (consumer, claim, claimed) in claimed {
            let fetched = self.fetch(&claim, claimed, moves);
            self.fetched(consumer, fetched);
        }
        self.moved(moves);
    }

    fn fetch(&self, claim: &Claim, claimed: Claimed, moves: &Moves) -> Fetched {
        let Wanted::Of { ns, queue, .. } = &claim.wanted else {
            return Fetched::Failed;
        };
        let is_it = |it: &&QueueMoves| it.queue.ns == *ns && it.queue.name == *queue;
        match (claimed, moves.queues.iter().find(is_it)) {
            (Claimed::Jobs { jobs, next }, Some(moved)) => {
                self.gave(ns, queue, &jobs);
                let count = Count { version: moves.version, jobs: moved.queue.startable() };
                Fetched::Jobs { jobs, count, next }
            }
            _ => Fetched::Failed,
        }
    }

    pub(super) fn fetched(self: &Arc<Self>, consumer: SeatId, fetched: Fetched) {
        let mut state = self.state();
        let (left, errands) = state.line.fetched(self.now(), consumer, fetched);
        let wake = state.line.wake();
        drop(state);
        if let Some(wake) = wake {
            self.due_in(wake - self.now());
        }
        self.run(errands);
        self.give_back(left.iter().map(|job| (job.id, job.token)).collect());
    }

    /// Hands jobs back that nobody takes.
    pub(crate) fn give_back(self: &Arc<Self>, jobs: Vec<(JobId, Token)>) {
        if !jobs.is_empty() {
            let desk = Arc::clone(self);
            self.apart(async move { desk.hand_back(jobs).await });
        }
    }

    /// The same, and waits until they are: no attempt is lost by it.
    pub(crate) async fn hand_back(self: &Arc<Self>, jobs: Vec<(JobId, Token)>) {
        let ends = jobs.into_iter().map(async |(job, token)| {
            let how = How::HandBack { delay: Millis(0) };
            let end = End { job, token, how, appends: Vec::new(), jobs: Vec::new(), then: None };
            // Where this fails the lease runs out.
            if let Err(fault) = self.end(end).await {
                tracing::warn!(%fault, %job, "a job could not be handed back");
            }
        });
        join_all(ends).await;
    }
}

/// A call that ends by a panic counts as one of which nobody knows what became.
async fn caught<T>(call: BoxFuture<'static, Answer<T>>) -> Answer<T> {
    let answer = AssertUnwindSafe(call).catch_unwind().await;
    answer.unwrap_or_else(|_| Err(Fault::Unknown("the storage panicked".to_owned())))
}
