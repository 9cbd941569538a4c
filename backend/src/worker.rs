//! Workers in the server: what an application writes to have jobs done, and how they are run.
//!
//! A worker is one more consumer of its queue, beside services and people, and held to the same rules: its
//! lease is extended while it runs, and where it was lost all the same, the worker is stopped, and
//! nothing that it wanted to emit or enqueue has happened.

mod refusal;
mod run;

pub(crate) use run::start;

use crate::queues::{Desk, EndDraft, Part, part_id};
use holdfast_common::{
    event::Durable,
    id::{EventId, JobId},
    job::{JobType, NewJob, Token},
    storage::{
        Fault,
        jobs::{Extend, Extended, How, Progress, WordEvent},
    },
    time::Millis,
};
use std::sync::Arc;

/// Does jobs of one type.
pub trait Worker: Send + Sync + 'static {
    /// The jobs that it does. Its queue has no others.
    type Job: JobType;

    /// Does one. It is dropped where the lease is lost or the server ends, and may be run again for the
    /// same job: what it does outside has to stand that, by the job's id or its fence.
    fn run(&self, job: &mut Leased<Self::Job>) -> impl Future<Output = Outcome<Self::Job>> + Send;
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub enum Outcome<J: JobType> {
    /// The job is done. What came of it has to be read back as its type from the JSON it is written as, and
    /// to be within [its bytes](holdfast_common::job::limits::RESULT_BYTES): else the attempt has failed.
    Done(J::Output),
    /// It is tried again after a while, if it has attempts left. A failure that cannot be kept in its typed
    /// form is kept as its text.
    Retry(J::Failure),
    /// The same, and not sooner than after this time.
    RetryAfter(J::Failure, Millis),
    /// It is a dead letter.
    Dead(J::Failure),
    /// It is handed back and comes again after this time; no attempt is lost. A job may be snoozed
    /// [so often](holdfast_common::job::limits::SNOOZES).
    Snooze(Millis),
    /// The same, however often: the server cannot for now, and that is nothing of the job's own.
    HandBack(Millis),
}

/// A job that a worker has.
pub struct Leased<J> {
    /// Its payload.
    pub data: J,
    id: JobId,
    token: Token,
    attempt: u32,
    lease: Millis,
    events: Vec<WordEvent>,
    jobs: Vec<NewJob>,
    desk: Arc<Desk>,
}

impl<J: JobType> Leased<J> {
    /// The job's id: the same at each attempt.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// A number that rises with each lease of any job: whoever writes elsewhere hands it on, and what
    /// comes with a lower one than was seen is refused there.
    #[must_use]
    pub const fn fence(&self) -> u64 {
        self.token.fence
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Emits an event to a room of its namespace, by the room's name, with the job's completion and as the
    /// server's own: it is appended if and only if the job is [done](Outcome::Done) by this attempt. Where
    /// there is no such room then, or the event's rule rejects it, the attempt fails with that as its
    /// reason. Up to [`END_EVENTS`](holdfast_common::job::limits::END_EVENTS); none of them goes by what
    /// another of them does.
    pub fn emit<E: Durable>(&mut self, room: &str, event: &E) {
        let data = serde_json::to_string(event);
        self.events.push(WordEvent {
            id: EventId::from_bytes(self.part(Part::Event, self.events.len())),
            namespace: E::NAMESPACE.to_owned(),
            room: room.to_owned(),
            kind: E::NAME.to_owned(),
            data: data.expect("a declared event has string keys and serializes"),
        });
    }

    /// Enqueues a job with this one's completion. What it returns can be changed: when it begins, its
    /// group, its attempts. Up to [`END_JOBS`](holdfast_common::job::limits::END_JOBS).
    pub fn enqueue<K: JobType>(&mut self, job: &K) -> &mut NewJob {
        let id = JobId::from_bytes(self.part(Part::Job, self.jobs.len()));
        self.jobs.push(NewJob::of(id, job));
        self.jobs.last_mut().expect("it was pushed just now")
    }

    fn part(&self, what: Part, index: usize) -> [u8; 16] {
        part_id(self.id, self.token, what, index)
    }

    /// Says how far it is, for people, and has the lease go on from now.
    ///
    /// # Errors
    /// The lease is lost, or the storage could not say.
    pub async fn progress(&self, percent: u8, note: Option<&str>) -> Result<(), NotTold> {
        let progress = Progress { percent: percent.min(100), note: note.map(str::to_owned) };
        let (jobs, lease) = (vec![(self.id, self.token)], Some(self.lease));
        let extend = Extend { jobs, lease, progress: Some(progress) };
        match self.desk.extend(extend).await?.first() {
            Some(Extended::Until(_)) => Ok(()),
            _ => Err(NotTold::Lost),
        }
    }

    fn done(&mut self, how: How) -> EndDraft {
        let (events, jobs) = (std::mem::take(&mut self.events), std::mem::take(&mut self.jobs));
        EndDraft { events, jobs, ..EndDraft::plain(self.id, self.token, how) }
    }
}

/// Why a worker's word was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTold {
    /// The lease ran out, or the job was cancelled.
    #[error("the job is no longer held by this worker")]
    Lost,
    /// The storage could not say.
    #[error(transparent)]
    Fault(#[from] Fault),
}
