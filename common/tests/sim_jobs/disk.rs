//! What the store holds of queues, as a model of its tables: plain maps, and every row small.

use holdfast_common::{
    id::{EventId, JobId, PersonId, ScheduleId},
    job::{
        Attempt, Digest, Job, Place, QueueSettings, StoreTime, Tat, Token, clock::Kept,
        settings::NewJob,
    },
    storage::schedules::Schedule,
    time::{Millis, Timestamp},
};
use std::{collections::BTreeMap, rc::Rc};

/// A queue's number.
pub type Queue = usize;

/// Queues of a run.
pub const QUEUES: usize = 3;

/// A queue's row.
#[derive(Debug, Clone, Default)]
pub struct QueueRow {
    pub settings: QueueSettings,
    pub paused: bool,
    pub tat: Tat,
    /// Jobs in each place.
    pub counters: [u64; 7],
}

/// A job's row.
#[derive(Debug, Clone)]
pub struct Row {
    pub job: Job,
    pub seq: u64,
    pub queue: Queue,
    pub urgency: i16,
    pub asker: Option<PersonId>,
    /// Of the last lease, or of the requeue since: with the id it names an end.
    pub fence: u64,
    /// Who asked has been told of the end.
    pub told: bool,
    pub result: Option<Digest>,
    pub progress: u8,
}

/// Why an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Somebody emitted it.
    Person,
    /// The end of a lease brought it.
    End(JobId, Token),
}

/// What is kept of an enqueue with a key: what was asked, the jobs, and how long at least.
#[derive(Debug, Clone)]
pub struct Key {
    pub body: u64,
    pub jobs: Vec<JobId>,
    pub until: StoreTime,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Disk {
    pub kept: Kept,
    pub fence: u64,
    pub seq: u64,
    pub queues: Vec<QueueRow>,
    pub jobs: BTreeMap<JobId, Rc<Row>>,
    pub attempts: BTreeMap<JobId, Rc<Vec<Attempt>>>,
    pub keys: BTreeMap<(Queue, u64), Key>,
    /// The rooms' logs, unique by the event's id.
    pub log: BTreeMap<EventId, By>,
    /// The askers' inboxes, likewise.
    pub inbox: BTreeMap<EventId, (JobId, u64)>,
    pub schedules: BTreeMap<usize, Timed>,
}

/// A schedule, and what its jobs are.
#[derive(Debug, Clone)]
pub struct Timed {
    pub schedule: Schedule,
    pub queue: Queue,
    pub form: u64,
}

impl Disk {
    pub fn new(wall: Timestamp) -> Self {
        Self {
            kept: Kept { at: StoreTime(0), wall },
            fence: 0,
            seq: 0,
            queues: vec![QueueRow::default(); QUEUES],
            jobs: BTreeMap::new(),
            attempts: BTreeMap::new(),
            keys: BTreeMap::new(),
            log: BTreeMap::new(),
            inbox: BTreeMap::new(),
            schedules: BTreeMap::new(),
        }
    }

    pub fn place(&self, id: JobId) -> Option<Place> {
        self.jobs.get(&id).map(|row| row.job.place)
    }

    /// How many jobs of a queue a claim could have.
    pub fn claimable(&self, queue: Queue) -> u64 {
        let row = &self.queues[queue];
        let leased = row.counters[Place::Leased as usize];
        let room =
            row.settings.in_flight.map_or(u64::MAX, |most| u64::from(most).saturating_sub(leased));
        if row.paused { 0 } else { row.counters[Place::Ready as usize].min(room) }
    }

    /// Whether a group has a job that has not ended.
    pub fn busy(&self, queue: Queue, group: Option<&str>) -> bool {
        group.is_some()
            && self.jobs.values().any(|row| {
                row.queue == queue && row.job.group.as_deref() == group && !row.job.place.ended()
            })
    }

    /// The first of a queue's jobs that are ready, in the order in which they begin.
    pub fn first_ready(&self, queue: Queue) -> Option<JobId> {
        let of = self.jobs.values().filter(|row| row.queue == queue);
        let ready = of.filter(|row| row.job.place == Place::Ready);
        ready.min_by_key(|row| (row.urgency, row.seq)).map(|row| row.job.id)
    }

    /// The first job of a group that is behind another.
    pub fn first_behind(&self, queue: Queue, group: &str) -> Option<JobId> {
        let of = self
            .jobs
            .values()
            .filter(|row| row.queue == queue && row.job.group.as_deref() == Some(group));
        let behind = of.filter(|row| row.job.place == Place::Behind);
        behind.min_by_key(|row| row.seq).map(|row| row.job.id)
    }

    pub fn untold(&self) -> impl Iterator<Item = (JobId, u64)> {
        self.jobs.values().filter(|row| !row.told).map(|row| (row.job.id, row.fence))
    }
}

/// The id of the event that tells of an end: it follows from the job and the fence.
pub fn end_event(job: JobId, fence: u64) -> EventId {
    let mut bytes = *job.as_bytes();
    for (byte, mixed) in bytes.iter_mut().zip(fence.to_le_bytes()) {
        *byte ^= mixed;
    }
    bytes[15] ^= 0x55;
    EventId::from_bytes(bytes)
}

/// The job of an occurrence: it follows from the schedule and the time.
pub fn occurrence_job(schedule: ScheduleId, at: Timestamp) -> JobId {
    let mut random = [0; 10];
    random.copy_from_slice(&schedule.as_bytes()[6..]);
    JobId::new(at.0, &random)
}

/// An expression that comes so often, and when it does next.
pub fn cron(period: Millis) -> String {
    format!("every {}", period.0)
}

pub fn period(cron: &str) -> u64 {
    cron.strip_prefix("every ").and_then(|it| it.parse().ok()).expect("an expression of this model")
}

pub fn next_of(cron: &str, after: Timestamp) -> Timestamp {
    let period = period(cron);
    Timestamp((after.0 / period + 1) * period)
}

/// A job to be enqueued, in which queue of the model.
#[derive(Debug, Clone)]
pub struct Asked {
    pub queue: Queue,
    pub new: NewJob,
}
