//! What a server sends.

use super::{Away, Ping, Request, Sub};
use crate::{
    id::{ConnectionId, JobId, PersonId},
    job::{JobState, Place, QueueSettings, Reason, figures::Rates},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// From server to client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkServer {
    /// The answer to the hello.
    Welcome(Welcome),
    /// Jobs will be pushed.
    Consuming(Consuming),
    /// A job is yours for a time: pushed, or taken.
    Leased(Leased),
    /// The job is stored.
    Enqueued(Enqueued),
    /// It is so, durably.
    Did(Did),
    /// The request is refused.
    Refused(Refused),
    /// A queue as it stands: forget what is shown of it.
    Board(Board),
    /// What has changed of it.
    Moved(Moved),
    /// More jobs of one place.
    Page(Page),
    /// How much goes through a queue.
    Figures(Figures),
    /// A job is no longer yours.
    Lost(Lost),
    /// I am here.
    Pong(Ping),
    /// The server closes soon; come back after this time.
    Away(Away),
}

/// The name of every server frame of this version, as on the wire.
pub const SERVER_FRAMES: &[&str] = &[
    "welcome",
    "consuming",
    "leased",
    "enqueued",
    "did",
    "refused",
    "board",
    "moved",
    "page",
    "figures",
    "lost",
    "pong",
    "away",
];

/// What a client is told first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The connection's name.
    pub connection: ConnectionId,
    /// The server's version.
    pub server: String,
    /// The server's clock, for showing times only.
    pub now: Timestamp,
    /// What this server holds its clients to.
    pub limits: WorkLimits,
}

/// The limits of a connection that has jobs pushed, or watches a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkLimits {
    /// Bytes of one job's payload.
    pub payload_bytes: u32,
    /// Bytes of a result, or of a typed failure.
    pub result_bytes: u32,
    /// Requests under way.
    pub requests: u32,
    /// Subscriptions to jobs, and as many to boards.
    pub subscriptions: u32,
    /// Credit of one subscription.
    pub credit: u32,
    /// How often a client pings while it hears nothing.
    pub ping_every: Millis,
    /// How long a side waits in silence before it takes the other for dead.
    pub silence: Millis,
}

/// A subscription to jobs has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consuming {
    /// The request.
    pub req: Request,
    /// The subscription's name from now on.
    pub sub: Sub,
}

/// A job is yours for a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Leased {
    /// The subscription whose credit it has used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Sub>,
    /// The take that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<Request>,
    /// The job.
    pub job: JobLeased,
}

/// A job as its consumer gets it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobLeased {
    /// Its id.
    pub id: JobId,
    /// What its consumer shows to speak for it.
    pub token: String,
    /// The part of the token that rises with each lease: for what the consumer writes to elsewhere.
    pub fence: u64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its payload.
    pub data: Box<RawValue>,
    /// Its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How long from now: what the consumer goes by.
    pub lease_ms: Millis,
    /// Until when by the server's clock, for people.
    pub expires_at: Timestamp,
}

/// The job is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enqueued {
    /// The request.
    pub req: Request,
    /// The job.
    pub id: JobId,
    /// Whether it was stored before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// It is so, durably. Which members there are goes by what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Did {
    /// The request.
    pub req: Request,
    /// What the job is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
    /// Whether it was so before, by this very word.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// After how long the job may begin again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<Millis>,
    /// How long the lease is from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_ms: Option<Millis>,
    /// Until when by the server's clock, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How many jobs it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// A request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The request.
    pub req: Request,
    /// The code's name.
    pub code: String,
    /// The same for a person.
    pub detail: String,
    /// Why the token does not hold the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What the job is, where that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<JobState>,
}

/// A queue as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Board {
    /// The subscription.
    pub sub: Sub,
    /// The request that it answers; none: too much had changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<Request>,
    /// The queue.
    pub queue: QueueShown,
    /// How long ago the oldest job that could begin now was enqueued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<Millis>,
    /// The first jobs of each place.
    pub places: Vec<PlaceShown>,
}

/// A queue's counts and what it goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueShown {
    /// Its namespace.
    pub ns: String,
    /// Its name.
    pub name: String,
    /// Jobs that wait to begin, the delayed ones and those behind another of their group among them.
    pub ready: u64,
    /// Of those: the delayed ones.
    pub delayed: u64,
    /// Of those: the ones behind another.
    pub behind: u64,
    /// Jobs that somebody has.
    pub leased: u64,
    /// Jobs that are done, as long as they are kept.
    pub done: u64,
    /// Dead letters.
    pub dead: u64,
    /// Nothing begins while it is.
    pub paused: bool,
    /// What it goes by.
    pub settings: QueueSettings,
}

/// The first jobs of a place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlaceShown {
    /// The place.
    pub place: Place,
    /// In its order.
    pub jobs: Vec<JobShown>,
    /// With what [`More`](super::More) goes on; none: these are all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A job as a board shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobShown {
    /// Its id.
    pub id: JobId,
    /// Its number in the order of all enqueues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is.
    pub place: Place,
    /// Higher ones begin first.
    pub priority: i8,
    /// Its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Attempts that have begun.
    pub attempt: u32,
    /// How many it has.
    pub max_attempts: u32,
    /// Its payload, if it is a short one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// The person that this is or works for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// How far it is, of a hundred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<u8>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of a delayed one: in how long it may begin. Of a leased one: how long its lease goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_in_ms: Option<Millis>,
    /// How long ago it was enqueued.
    pub age_ms: Millis,
}

/// What has changed of a watched queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Moved {
    /// The subscription.
    pub sub: Sub,
    /// The queue as it stands.
    pub queue: QueueShown,
    /// Each job that has changed, as it is now.
    pub jobs: Vec<JobShown>,
    /// Jobs that were removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<JobId>,
}

/// More jobs of one place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// The request.
    pub req: Request,
    /// The subscription.
    pub sub: Sub,
    /// The place, with its jobs behind those that were asked to be left out.
    pub place: PlaceShown,
}

/// How much goes through a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// The subscription.
    pub sub: Sub,
    /// The figures.
    pub figures: Rates,
    /// How long ago the oldest job that could begin now was enqueued; none: none could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<Millis>,
}

/// A job is no longer its holder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The job.
    pub job: JobId,
    /// The lease's token's fence.
    pub fence: u64,
    /// Why.
    pub reason: Reason,
}
