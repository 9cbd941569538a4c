//! What a client sends.

use super::{Ping, Request, Sub};
use crate::{
    id::{JobId, PersonId},
    job::{JobState, Place},
    time::Millis,
};
use serde::{Deserialize, Serialize};

/// From client to server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkClient {
    /// The first frame of a connection.
    Hello(Hello),
    /// Push jobs of a queue.
    Consume(Consume),
    /// Push so many more.
    Credit(Credit),
    /// Push no more.
    Unconsume(Unsubscribe),
    /// A new job; its payload follows.
    Enqueue(EnqueueJob),
    /// This very job.
    Take(Take),
    /// The job is done; its result follows, if it has one.
    Complete(Complete),
    /// The attempt has failed; a typed failure follows, if there is one.
    Fail(Fail),
    /// The lease is to be longer, or shorter.
    Extend(ExtendLease),
    /// The job is handed back, and comes again later.
    Snooze(Snooze),
    /// Show a queue and what changes in it.
    Watch(Watch),
    /// Show it no longer.
    Unwatch(Unsubscribe),
    /// More of the jobs of one place.
    More(More),
    /// What a person decides about a queue or its jobs. A mended payload, or the settings, follow.
    Govern(Govern),
    /// Are you there?
    Ping(Ping),
}

/// Who speaks: a person who proves it, or a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The person it is or works for. None: it is a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// What proves it. It stands beside a person, and never without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// What it is called: by this name it holds its jobs.
    pub name: String,
}

/// Asks for pushed jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consume {
    /// The request.
    pub req: Request,
    /// The queue's namespace.
    pub ns: String,
    /// The queue.
    pub queue: String,
    /// For how many at first.
    #[serde(default)]
    pub credit: u32,
    /// For how long each; none: as the queue says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
}

/// Asks for more pushed jobs. It is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The subscription.
    pub sub: Sub,
    /// How many more.
    pub n: u32,
}

/// Ends a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsubscribe {
    /// The request.
    pub req: Request,
    /// The subscription.
    pub sub: Sub,
}

/// The head of a new job. Its id is its key: sent again, it is the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnqueueJob {
    /// The request.
    pub req: Request,
    /// The job.
    pub id: JobId,
    /// The queue's namespace.
    pub ns: String,
    /// The queue.
    pub queue: String,
    /// The job's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// How long it waits before it may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<Millis>,
    /// Higher ones begin first; 0 where none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Of the jobs of a group one is in flight, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How many attempts it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// How long it waits after its first failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<Millis>,
    /// After how long no attempt begins any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<Millis>,
}

/// Asks for one job by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The request.
    pub req: Request,
    /// The job.
    pub job: JobId,
    /// For how long; none: as the queue says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
}

/// The head of a completion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complete {
    /// The request.
    pub req: Request,
    /// The job.
    pub job: JobId,
    /// The lease's token.
    pub token: String,
    /// One credit more for this subscription, whose next job is taken in the same transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Sub>,
}

/// The head of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fail {
    /// The request.
    pub req: Request,
    /// The job.
    pub job: JobId,
    /// The lease's token.
    pub token: String,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Whether it is worth another attempt.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub retry: bool,
    /// As of [`Complete::next`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Sub>,
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_yes(retry: &bool) -> bool {
    *retry
}

/// Asks for another length of a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendLease {
    /// The request.
    pub req: Request,
    /// The job.
    pub job: JobId,
    /// The lease's token.
    pub token: String,
    /// From now; none: as the queue says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
    /// How far the attempt is, of a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<u8>,
    /// The same in words; it stands beside `progress`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Hands a job back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snooze {
    /// The request.
    pub req: Request,
    /// The job.
    pub job: JobId,
    /// The lease's token.
    pub token: String,
    /// After how long it may begin again; none: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<Millis>,
    /// As of [`Complete::next`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Sub>,
}

/// Asks to be shown a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The request.
    pub req: Request,
    /// The queue's namespace.
    pub ns: String,
    /// The queue.
    pub queue: String,
}

/// Asks for more jobs of a watched queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct More {
    /// The request.
    pub req: Request,
    /// The subscription.
    pub sub: Sub,
    /// The place whose jobs are asked for.
    pub place: Place,
    /// What the page before gave; none: from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Of these alone.
    #[serde(default, skip_serializing_if = "Like::is_all")]
    pub like: Like,
}

/// Which jobs are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Like {
    /// Those of this type; none: of any.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Those in whose last error this text stands, in capitals or not; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Like {
    /// Whether all are meant.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.kind.is_none() && self.error.is_none()
    }
}

/// The head of what a person decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Govern {
    /// The request.
    pub req: Request,
    /// The queue's namespace.
    pub ns: String,
    /// The queue.
    pub queue: String,
    /// What is decided.
    pub deed: Deed,
}

/// What a person decides about a queue or its jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Nobody wants these very jobs any more.
    Cancel(Which),
    /// These dead letters begin anew: one of them with the payload that follows, if one does.
    Requeue(Which),
    /// These dead letters are dropped.
    Discard(Which),
    /// Nothing begins from now on.
    Pause,
    /// Jobs begin again.
    Resume,
    /// All jobs that are in this state are dropped: those that are `ready`, or the `dead` ones.
    Purge(JobState),
    /// The queue goes by the settings that follow; what they do not name stays.
    Set,
}

/// About which jobs something is decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// These very ones.
    Jobs(Vec<JobId>),
    /// All that are like this.
    Like(Like),
}
