//! What an engine keeps of queues and jobs, and how it finds them.

use super::list::At;
use holdfast_common::{
    cursor::Offset,
    id::{EventId, JobId, PersonId, RoomId, ScheduleId, WebhookId},
    job::{Attempt, Digest, Job, Place, StoreTime, limits::CLAIM_BYTES, rate::Tat},
    storage::{
        Append, Appended, Fault, Idempotency,
        hooks::Webhook,
        jobs::{Audit, Progress, QueueInfo, QueueSpec},
        schedules::{Schedule, ScheduleRead},
    },
    time::Timestamp,
};

/// A row's number in its table.
pub(in crate::engine) type Seq = i64;

/// A queue's row.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Queue {
    pub(in crate::engine) seq: Seq,
    pub(in crate::engine) info: QueueInfo,
    /// An operator has set its settings.
    pub(in crate::engine) own: bool,
    /// What its rate goes by.
    pub(in crate::engine) tat: Tat,
}

/// A job's row.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Row {
    /// Given when it is added: those of later jobs are higher.
    pub(in crate::engine) seq: Seq,
    pub(in crate::engine) queue: Seq,
    pub(in crate::engine) job: Job,
    pub(in crate::engine) kind: String,
    pub(in crate::engine) priority: i8,
    /// Where its payload is.
    pub(in crate::engine) content: Seq,
    /// Where the result or the typed failure of its last attempt is.
    pub(in crate::engine) outcome: Option<Seq>,
    /// Of its running attempt.
    pub(in crate::engine) progress: Option<Progress>,
    pub(in crate::engine) asker: Option<PersonId>,
    /// Its asker has been told of its end, or there is nothing to tell.
    pub(in crate::engine) told: bool,
    /// The last that was given for it, to a lease or to a requeue.
    pub(in crate::engine) fence: u64,
    /// When it was enqueued.
    pub(in crate::engine) made: StoreTime,
    /// Where it was enqueued by its id, which its asker has made: the digest of what was said with it.
    pub(in crate::engine) said: Option<Digest>,
}

/// What an idempotency key was used for.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Keyed {
    pub(in crate::engine) body_hash: [u8; 32],
    pub(in crate::engine) jobs: Vec<JobId>,
}

/// Which rows time alone moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Overdue {
    /// Jobs that have not begun, by when they expire.
    Expires,
    /// Leased jobs, by when their lease runs out.
    Lapses,
    /// Delayed jobs, by when they are due.
    Due,
}

impl Overdue {
    /// In the order in which they are carried out: what has expired does not become due.
    pub(in crate::engine) const ALL: [Self; 3] = [Self::Expires, Self::Lapses, Self::Due];
}

/// What has been carried out of what was overdue when the batch began.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::engine) struct Swept {
    /// Nothing is left.
    pub(in crate::engine) all: bool,
    /// So many jobs were. However many calls a batch has, and however much is overdue, it is to be over
    /// soon: those who write wait for it.
    pub(in crate::engine) jobs: usize,
}

/// Of jobs with their payloads as many as one claim gives.
pub(in crate::engine) fn fit<E>(
    found: impl Iterator<Item = Result<(Row, String), E>>,
) -> Result<Vec<(Row, String)>, E> {
    let (mut fit, mut bytes) = (Vec::new(), 0);
    for job in found {
        let job = job?;
        bytes += job.1.len();
        if bytes > CLAIM_BYTES && !fit.is_empty() {
            break;
        }
        fit.push(job);
    }
    Ok(fit)
}

/// Bytes of payloads and outcomes that one call removes, but for the last job of them: each is overwritten, and
/// those who write wait for it.
pub(in crate::engine) const REMOVE_BYTES: usize = 4 * 1024 * 1024;

/// An engine's tables in one transaction.
pub(in crate::engine) trait Rows {
    type Error: From<Fault>;
    /// What is needed to take back all that was done since.
    type Saved;

    /// Keeps how everything stands, the logs included.
    fn save(&mut self) -> Result<Self::Saved, Self::Error>;
    fn take_back(&mut self, saved: Self::Saved) -> Result<(), Self::Error>;
    /// It is not taken back.
    fn release(&mut self, saved: Self::Saved) -> Result<(), Self::Error>;

    /// Appends an event, without its jobs, and tells whether its room has webhooks that are active.
    fn append(&mut self, append: &Append) -> Result<(Appended, bool), Self::Error>;
    /// Where an event stands in a log, if it does or did.
    fn stands(&self, room: RoomId, event: EventId) -> Result<Option<Offset>, Self::Error>;

    fn queue(&self, seq: Seq) -> Result<Queue, Self::Error>;
    fn queue_named(&self, ns: &str, name: &str) -> Result<Option<Queue>, Self::Error>;
    /// All of them, by namespace and name.
    fn all_queues(&self) -> Result<Vec<Queue>, Self::Error>;
    fn add_queue(&mut self, spec: &QueueSpec) -> Result<Queue, Self::Error>;
    fn keep_queue(&mut self, queue: &Queue) -> Result<(), Self::Error>;

    /// Stores what a queue counts and what its rate goes by, which nearly every call changes; the rest of
    /// its row is as it was.
    fn count_queue(&mut self, queue: &Queue) -> Result<(), Self::Error>;

    fn job(&self, id: JobId) -> Result<Option<Row>, Self::Error>;
    /// Stores a new row and returns its number.
    fn add_job(&mut self, row: &Row) -> Result<Seq, Self::Error>;
    fn keep_job(&mut self, row: &Row) -> Result<(), Self::Error>;
    /// Deletes jobs' rows with their attempts and contents, until these have had so many bytes; returns how many
    /// jobs, and how many bytes.
    fn drop_jobs(&mut self, rows: &[Row], most: usize) -> Result<(usize, usize), Self::Error>;

    fn is_there(&self, id: JobId) -> Result<bool, Self::Error>;
    /// The first ready jobs of a queue with their payloads, in the order in which they begin: so many,
    /// and as many as [`CLAIM_BYTES`] hold, but the first one however large it is.
    fn ready(&self, queue: Seq, most: u32) -> Result<Vec<(Row, String)>, Self::Error>;
    /// When the oldest ready job of a queue was enqueued.
    fn oldest(&self, queue: Seq) -> Result<Option<StoreTime>, Self::Error>;
    /// Whether a job holds up the group.
    fn has_head(&self, queue: Seq, group: &str) -> Result<bool, Self::Error>;
    /// The first job of a group that waits behind another one.
    fn behind(&self, queue: Seq, group: &str) -> Result<Option<Row>, Self::Error>;
    /// Jobs whose time has come, the longest overdue first.
    fn overdue(
        &self,
        what: Overdue,
        now: StoreTime,
        most: usize,
    ) -> Result<Vec<JobId>, Self::Error>;
    /// When that time comes for the first of them.
    fn next(&self, what: Overdue) -> Result<Option<StoreTime>, Self::Error>;
    /// Jobs of a queue in a place, those behind this one in the order of [`list`](super::list).
    fn listed(
        &self,
        queue: Seq,
        place: Place,
        after: At,
        most: usize,
    ) -> Result<Vec<Row>, Self::Error>;
    /// Jobs whose askers have not been told of their end, those that were enqueued first.
    fn untold(&self, after: Seq, most: usize) -> Result<Vec<Row>, Self::Error>;
    /// Jobs of a queue that were done or cancelled by then, and of which nobody is to be told.
    fn ended(&self, queue: Seq, by: StoreTime, most: usize) -> Result<Vec<Row>, Self::Error>;

    fn store(&mut self, data: &str) -> Result<Seq, Self::Error>;
    fn content(&self, seq: Seq) -> Result<String, Self::Error>;
    /// Overwrites and deletes it; returns how many bytes it had.
    fn drop_content(&mut self, seq: Seq) -> Result<usize, Self::Error>;

    /// Adds what has ended an attempt or a job; of each job the newest are kept.
    fn add_attempt(&mut self, job: Seq, attempt: &Attempt) -> Result<(), Self::Error>;
    /// Those that are left, in order.
    fn attempts(&self, job: Seq) -> Result<Vec<Attempt>, Self::Error>;
    /// The newest of them, for who needs no other: there may be a hundred.
    fn last_attempt(&self, job: Seq) -> Result<Option<Attempt>, Self::Error>;

    fn keyed(&self, queue: Seq, promise: &Idempotency) -> Result<Option<Keyed>, Self::Error>;
    fn add_key(
        &mut self,
        queue: Seq,
        promise: &Idempotency,
        jobs: &[JobId],
        until: StoreTime,
    ) -> Result<(), Self::Error>;
    /// Forgets keys whose time is over, so many at most, and keeps those until `later` of which a job
    /// is left; returns how many it has looked at.
    fn tend_keys(
        &mut self,
        now: StoreTime,
        later: StoreTime,
        most: usize,
    ) -> Result<usize, Self::Error>;

    /// Notes a deed and returns its number; the newest are kept.
    fn add_audit(&mut self, queue: Seq, audit: &Audit) -> Result<i64, Self::Error>;
    /// It was done to so many jobs more.
    fn count_audit(&mut self, seq: i64, more: u64) -> Result<(), Self::Error>;
    /// Those of a queue that are older than this one, the newest first.
    fn audits(&self, queue: Seq, before: i64, most: u32) -> Result<Vec<Audit>, Self::Error>;

    /// The webhooks of a room, in the order in which they were made; `None` if there is no such room, or
    /// no longer, or it is an inbox.
    fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>, Self::Error>;
    fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Self::Error>;
    fn add_webhook(&mut self, webhook: &Webhook) -> Result<(), Self::Error>;
    fn keep_webhook(&mut self, webhook: &Webhook) -> Result<(), Self::Error>;
    fn drop_webhook(&mut self, webhook: &Webhook) -> Result<(), Self::Error>;

    fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Self::Error>;
    /// Those of a namespace, by their names.
    fn schedules(&self, ns: &str) -> Result<Vec<Schedule>, Self::Error>;
    fn count_schedules(&self) -> Result<u32, Self::Error>;
    fn add_schedule(&mut self, read: &ScheduleRead, queue: Seq) -> Result<(), Self::Error>;
    /// Stores what may change of it: its state and its last occurrence.
    fn keep_schedule(&mut self, schedule: &Schedule) -> Result<(), Self::Error>;
    /// Deletes it with its payload.
    fn drop_schedule(&mut self, id: ScheduleId) -> Result<(), Self::Error>;
    /// Those that come by then, the longest overdue first.
    fn due_schedules(&self, by: Timestamp) -> Result<Vec<Schedule>, Self::Error>;
    /// When the first of those comes that come later.
    fn next_schedule(&self, after: Timestamp) -> Result<Option<Timestamp>, Self::Error>;

    /// Counts a lease: a number that no lease ever had before.
    fn fence(&mut self) -> Result<u64, Self::Error>;

    /// What calls before this one, in the same batch, have carried out. Engines that do not know have
    /// each call look.
    fn swept(&self) -> Swept {
        Swept::default()
    }

    /// What this call has left.
    fn keep_swept(&mut self, _swept: Swept) {}
}
