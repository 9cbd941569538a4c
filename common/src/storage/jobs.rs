//! What is asked of the engine about queues and jobs, and what it says.

mod audit;
mod end;
mod govern;
mod list;
mod ordered;

pub use audit::{Audit, AuditQuery, Did};
pub use end::{End, Ended, Extend, Extended, How, Progress, Word, WordEvent};
pub use govern::{By, Chosen, Deed, Govern, Governed, Left, Purge, QueueName, Rest};
pub use list::{BadAfter, ListAfter, ListQuery, Listed, LongText, Sieve};
pub use ordered::Ordered;

use super::Idempotency;
use crate::{
    id::{JobId, PersonId},
    job::{Attempt, Digest, Holder, JobState, NewJob, Place, QueueSettings, Token},
    time::{Millis, Timestamp},
};

/// A queue that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its namespace.
    pub ns: String,
    /// Its name.
    pub name: String,
    /// What it goes by until an operator sets something else.
    pub settings: QueueSettings,
}

/// How many jobs of a queue are in each place, the cancelled ones left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// In [`Place::Ready`].
    pub ready: u64,
    /// In [`Place::Delayed`].
    pub delayed: u64,
    /// In [`Place::Behind`].
    pub behind: u64,
    /// In [`Place::Leased`].
    pub leased: u64,
    /// In [`Place::Done`], as long as they are kept.
    pub done: u64,
    /// In [`Place::Dead`].
    pub dead: u64,
}

impl Counts {
    /// The jobs of a place; of the cancelled ones none are counted.
    pub const fn of(&mut self, place: Place) -> Option<&mut u64> {
        match place {
            Place::Ready => Some(&mut self.ready),
            Place::Delayed => Some(&mut self.delayed),
            Place::Behind => Some(&mut self.behind),
            Place::Leased => Some(&mut self.leased),
            Place::Done => Some(&mut self.done),
            Place::Dead => Some(&mut self.dead),
            Place::Cancelled => None,
        }
    }

    /// Jobs that have not ended.
    #[must_use]
    pub const fn unfinished(&self) -> u64 {
        self.ready + self.delayed + self.behind + self.leased
    }
}

/// A queue as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueInfo {
    /// Its namespace.
    pub ns: String,
    /// Its name.
    pub name: String,
    /// What it goes by.
    pub settings: QueueSettings,
    /// Nothing begins while it is.
    pub paused: bool,
    /// Its jobs.
    pub counts: Counts,
}

impl QueueInfo {
    /// How many jobs a claim could have now, its rate left out: [`Count::jobs`](crate::dispatch::Count::jobs).
    #[must_use]
    pub fn startable(&self) -> u64 {
        let Counts { ready, leased, .. } = self.counts;
        match self.settings.in_flight {
            _ if self.paused => 0,
            None => ready,
            Some(most) => ready.min(u64::from(most).saturating_sub(leased)),
        }
    }
}

/// A queue as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRead {
    /// The queue.
    pub info: QueueInfo,
    /// How long ago the oldest job that could begin now was enqueued.
    pub oldest: Option<Millis>,
}

/// Jobs to be enqueued, all of them or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueue {
    /// The jobs, in their order, each [within its bounds](NewJob::check). One whose id is known already
    /// is there, and is not enqueued again.
    pub jobs: Vec<NewJob>,
    /// By what a repeat is known for one.
    pub promise: Option<Promise>,
    /// What is claimed in the same transaction, in this order, once they are enqueued.
    pub then: Vec<Claim>,
}

/// A caller's promise that the repeat of an [`Enqueue`] is a repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Promise {
    /// By a key, which belongs to its caller and the first job's queue.
    Key(Idempotency),
    /// By the id of the only job, which its asker has made; with a digest of all that is asked for.
    Id(Digest),
}

/// What became of an [`Enqueue`]. But for [`Made`](Self::Made) nothing is changed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// They are enqueued.
    Made {
        /// The jobs, in the order of the asked ones.
        ids: Vec<JobId>,
        /// What the claims have got.
        claimed: Vec<Claimed>,
    },
    /// They were enqueued before, by this key or by these ids.
    Again(Vec<JobId>),
    /// The key was used with another body, or an id for another job.
    Mismatch,
    /// There is no such queue.
    UnknownQueue {
        /// Which job is for it.
        index: usize,
    },
    /// A queue has no room for all of them.
    QueueFull,
    /// They are more than a queue may have.
    TooLarge,
}

/// What is to be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The first jobs of a queue.
    Of {
        /// Its namespace.
        ns: String,
        /// Its name.
        queue: String,
        /// At most so many, up to [`CLAIM_JOBS`](crate::job::limits::CLAIM_JOBS) and to
        /// [`CLAIM_BYTES`](crate::job::limits::CLAIM_BYTES) of their payloads.
        most: u32,
    },
    /// This very job.
    Job(JobId),
}

/// Jobs that a consumer wants to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub wanted: Wanted,
    /// Who.
    pub holder: Holder,
    /// For how long; `None`: as the queue says.
    pub lease: Option<Millis>,
}

/// What became of a [`Claim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The consumer has these.
    Jobs {
        /// In the order in which they would begin.
        jobs: Vec<LeasedJob>,
        /// How long the queue's rate lets nothing more begin.
        next: Option<Millis>,
    },
    /// The wanted job cannot begin now.
    NotReady(JobState),
    /// There is no such queue.
    UnknownQueue,
    /// There is no such job, or no longer.
    UnknownJob,
}

/// A job as its consumer gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedJob {
    /// Its id.
    pub id: JobId,
    /// What its consumer shows to speak for it.
    pub token: Token,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The name of its type.
    pub kind: String,
    /// Its payload.
    pub data: String,
    /// Its group.
    pub group: Option<String>,
    /// How long the consumer has it.
    pub lease: Given,
}

/// How long a consumer has a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// From now: what the consumer goes by.
    pub length: Millis,
    /// Until when by the wall clock, for people.
    pub until: Timestamp,
}

/// What a call has changed, to be told to those who wait and to those who watch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moves {
    /// Rises with each call: [`Count::version`](crate::dispatch::Count::version).
    pub version: u64,
    /// The queues, as they stand after it.
    pub queues: Vec<QueueMoves>,
}

/// What a call has changed in one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMoves {
    /// The queue after it.
    pub queue: QueueInfo,
    /// Its jobs, in the order in which it happened.
    pub jobs: Vec<Move>,
}

/// That something happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The job.
    pub job: JobId,
    /// Where it was; `None`: it is new.
    pub from: Option<Place>,
    /// Where it is; `None`: it was removed.
    pub to: Option<Place>,
    /// Its last attempt.
    pub attempt: u32,
    /// Who has it, or had it until now.
    pub consumer: Option<String>,
    /// Whether an attempt has failed by it: by its consumer's word, for now or for good, or since its lease
    /// ran out. What was handed back, by whomever, has not.
    pub failed: bool,
    /// Of one that begins: how long it had been due, whatever held it up. Of one whose lease has ended:
    /// how long it ran.
    pub took: Option<Millis>,
}

/// What tending has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tended {
    /// In how long time alone will change something.
    pub next: Option<Millis>,
    /// More is to be done at once.
    pub more: bool,
}

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRead {
    /// Its id.
    pub id: JobId,
    /// Its number in the order of all enqueues.
    pub seq: i64,
    /// The namespace of its queue.
    pub ns: String,
    /// The queue's name.
    pub queue: String,
    /// The name of its type.
    pub kind: String,
    /// Its payload.
    pub data: String,
    /// Where it is.
    pub place: Place,
    /// Higher ones begin first.
    pub priority: i8,
    /// Its group.
    pub group: Option<String>,
    /// Attempts that have begun.
    pub attempt: u32,
    /// The last fence that was given for it, to a lease or to a requeue; 0 if there was none. With the
    /// job's id it names the end of one that has ended, for ever.
    pub fence: u64,
    /// How many it has.
    pub most: u32,
    /// Of one that is done, its result; of one that has failed, the typed failure.
    pub outcome: Option<String>,
    /// The attempts that did not complete it, the newest
    /// [`ATTEMPTS_KEPT`](crate::job::limits::ATTEMPTS_KEPT) of them, in order.
    pub attempts: Vec<Attempt>,
    /// Who has it.
    pub holder: Option<Holder>,
    /// How far that is.
    pub progress: Option<Progress>,
    /// Of a delayed job: in how long it may begin. Of a leased one: how long its lease goes on.
    pub due: Option<Millis>,
    /// Who is told of its end.
    pub asker: Option<PersonId>,
    /// How long ago it was enqueued.
    pub age: Millis,
}

impl JobRead {
    /// Drops what is known of its attempts but for the last one.
    pub fn keep_last_attempt(&mut self) {
        self.attempts.drain(..self.attempts.len().saturating_sub(1));
    }
}
