//! The seam's part of queues and jobs.
//!
//! What may happen to a job is decided by its [machine](holdfast_common::job), and what a call does
//! to rows and queues is written once, here, over the [`Rows`] that an engine keeps. So an
//! engine's own part is to find rows by its indexes and to store them.

mod append;
mod audit;
mod claim;
pub(super) mod clock;
mod digest;
mod end;
mod enqueue;
mod govern;
mod hooks;
pub(super) mod list;
mod read;
pub(super) mod rows;
mod schedules;
mod stands;
mod tend;
mod told;
mod work;

pub use clock::Clocks;
pub(crate) use digest::digest_of_job;

pub(super) use {append::appended, work::Work};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use holdfast_common::{
    id::JobId,
    storage::{
        Fault,
        jobs::{
            Audit, AuditQuery, Claim, Claimed, End, Ended, Enqueue, Enqueued, Extend, Extended,
            Govern, Governed, JobRead, ListQuery, Listed, Moves, QueueInfo, QueueRead, QueueSpec,
            Tended, Word,
        },
    },
};

/// What a call answers once it is durable, and what it has changed.
pub type Answer<T> = Result<(T, Moves), Fault>;

/// A store of queues and jobs, beside the logs and in the same transactions.
///
/// Each call is one transaction, done as [`Engine`](super::Engine)'s are, and goes by the store's
/// [clock](holdfast_common::job::clock), which is looked at when the transaction begins. Enqueues,
/// claims and ends are *submitted by the call*, not by the first poll.
#[async_trait]
pub trait Jobs: Send + Sync + 'static {
    /// Makes the queue where there is none. Of one that is there the settings become these, unless an
    /// operator has set others. They are [fit](holdfast_common::job::QueueSettings::check).
    async fn ensure_queue(&self, spec: QueueSpec) -> Result<QueueInfo, Fault>;

    /// Enqueues jobs, and claims some in the same transaction. A job that may begin is behind those of
    /// its priority that were enqueued before; one whose group has a job that has not ended waits
    /// for that.
    ///
    /// The checks, in this order: the queues, the key, the ids, the room in the queues. A key is
    /// remembered as long as one of its jobs is, and at least [`KEYS_KEPT`](crate::limits::KEYS_KEPT).
    /// With a key that is not known, a known id is a mismatch if its job is another one.
    fn enqueue(&self, enqueue: Enqueue) -> BoxFuture<'static, Answer<Enqueued>>;

    /// Gives jobs to a consumer: those of the highest priority, and of these the first ones, no more
    /// than the queue lets begin. A token is never given twice.
    fn claim(&self, claim: Claim) -> BoxFuture<'static, Answer<Claimed>>;

    /// Ends a lease, appends its events and enqueues its jobs: all of it or nothing. Said twice in the
    /// same way it is done once; of the events and jobs all is compared but what the driver makes: ids,
    /// authors, times and what the rules said.
    ///
    /// The checks, in this order: the job and the token, the events in their order with what
    /// [their handlers](holdfast_common::storage::Append::jobs) enqueue, the queues, the room in them.
    /// The job has ended by then, so a full queue has room for one that comes after it.
    fn end(&self, end: End) -> BoxFuture<'static, Answer<Ended>>;

    /// Has leases go on from now, each by itself; the answers are in the order of the asked ones.
    async fn extend(&self, extend: Extend) -> Answer<Vec<Extended>>;

    /// What has become of the lease of a word that cannot be done, as it is now: `None` while it stands. Else
    /// it is [`Ended::Late`], [`Ended::UnknownJob`], or [`Ended::Again`] where an end was said in these words
    /// before: of each event counts the room of its name in which it stands, though that may be gone.
    async fn stands(&self, word: Word) -> Result<Option<Ended>, Fault>;

    /// Carries out what time alone has brought: delays and leases that are over, jobs that have
    /// expired, ended ones that are kept no longer. It moves up to
    /// [`TEND_JOBS`](holdfast_common::job::limits::TEND_JOBS) of them, and names each queue from which
    /// a claim could have something, moved or not. It is called at least every second: the
    /// clock takes a longer time without a look for one in which nothing could be done.
    async fn tend(&self) -> Answer<Tended>;

    /// The job, as it is now, whether or not somebody has tended to it.
    async fn job(&self, id: JobId) -> Result<Option<JobRead>, Fault>;

    /// The queue.
    async fn queue(&self, ns: &str, name: &str) -> Result<Option<QueueRead>, Fault>;

    /// The queues of a namespace, by their names.
    async fn queues(&self, ns: &str) -> Result<Vec<QueueRead>, Fault>;

    /// Does what an operator wants, and notes it in the same transaction: the newest
    /// [`AUDITS`](holdfast_common::job::limits::AUDITS) notes are kept. What a call leaves is done by
    /// the next one, with the answer's rest; its note counts on.
    async fn govern(&self, govern: Govern) -> Answer<Governed>;

    /// What people did to a queue and its jobs, the newest first. `None` if there is no such queue.
    async fn audit(&self, query: AuditQuery) -> Result<Option<Vec<Audit>>, Fault>;

    /// Jobs of a queue. `None` if there is no such queue.
    async fn list(&self, query: ListQuery) -> Result<Option<Listed>, Fault>;

    /// Jobs that have ended and whose asker has not been told, those that were enqueued first, behind
    /// the one of this [number](JobRead::seq): up to `limit`, and no more than [`LIST_JOBS`](holdfast_common::job::limits::LIST_JOBS) and
    /// [`LIST_BYTES`](holdfast_common::job::limits::LIST_BYTES) of them. They are kept
    /// until they are [told](Jobs::told). A dead letter that is requeued before is none of them.
    async fn untold(&self, after: i64, limit: u32) -> Result<Vec<JobRead>, Fault>;

    /// The askers have been told of these ends, each named by its job and its
    /// [fence](JobRead::fence). Of a job that has ended otherwise since they have not.
    async fn told(&self, ends: Vec<(JobId, u64)>) -> Result<(), Fault>;
}
