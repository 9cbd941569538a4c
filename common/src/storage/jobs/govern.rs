//! What people do to queues and jobs.

use super::{Ordered, Sieve};
use crate::{
    id::{JobId, PersonId},
    job::{JobState, QueueSettings, SettingsPatch},
};
use std::collections::VecDeque;

/// Something that somebody does to a queue or to jobs. It is done to up to
/// [`GOVERN_JOBS`](crate::job::limits::GOVERN_JOBS) of them in a call, so that appends need not wait
/// for a million: asked again with each answer's rest until there is none, it is done to all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Govern {
    /// Who.
    pub by: By,
    /// What.
    pub deed: Deed,
    /// Where the call before this one left off.
    pub rest: Option<Rest>,
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The person; [`PersonId::NIL`] for a service.
    pub person: PersonId,
    /// What they are called.
    pub name: String,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Jobs that have not ended are wanted no more. Whoever has one hears of it at their next word; its
    /// group goes on at once.
    Cancel(Chosen),
    /// Dead letters are tried again, whether or not there is room for them in the queue.
    Requeue {
        /// Which.
        jobs: Chosen,
        /// Their payload from now on, where it is mended; a text of JSON within the bounds.
        data: Option<String>,
    },
    /// Dead letters are wanted no more: their payloads and failures are gone for good.
    Discard(Chosen),
    /// Nothing of a queue begins any more. What has begun goes on.
    Pause(QueueName),
    /// A queue goes on.
    Resume(QueueName),
    /// A queue is emptied of jobs, whose payloads are gone for good.
    Purge(QueueName, Purge),
    /// A queue goes by these, which are [fit](QueueSettings::check) and the rest as before, and from now
    /// on by no others that [`ensure_queue`](super::QueueSpec) names.
    Set(QueueName, SettingsPatch),
}

/// A queue by its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueName {
    /// Its namespace.
    pub ns: String,
    /// Its name.
    pub name: String,
}

/// To which jobs something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// This one.
    One(JobId),
    /// These of a queue, up to [`CALL_JOBS`](crate::job::limits::CALL_JOBS). Those that are not there,
    /// or to which it cannot be done, are passed over. They are requeued in the order of their enqueues.
    Of(QueueName, Vec<JobId>),
    /// All dead letters of a queue that the sieve lets through: those that are there at the first call.
    /// They are requeued in the order of their enqueues.
    Dead(QueueName, Sieve),
}

/// Of what a queue is emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// Those that wait to begin are cancelled: as many as there are at the first call.
    Waiting,
    /// All dead letters are discarded.
    Dead,
}

/// Where a deed goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Its row among the [audits](super::Audit).
    pub audit: i64,
    /// To which it is to be done yet.
    pub left: Left,
}

/// To which jobs a deed is to be done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// These, the first first.
    These(VecDeque<JobId>),
    /// Dead letters behind this place, from the one that died last to the first.
    Died((i64, i64)),
    /// Dead letters in the order of their enqueues.
    Ordered(Ordered),
    /// So many of those that wait.
    Waiting(u64),
}

/// What became of a [`Govern`]. But for [`Done`](Self::Done) and
/// [`Set`](Self::Set) nothing is changed by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Governed {
    /// It is so.
    Done {
        /// To how many jobs it was done by this call.
        jobs: u64,
        /// With what it goes on.
        rest: Option<Rest>,
    },
    /// The queue goes by these now.
    Set(QueueSettings),
    /// The job is somewhere else than it would have to be.
    WrongState(JobState),
    /// There is no such job, or no longer.
    UnknownJob,
    /// There is no such queue.
    UnknownQueue,
}
