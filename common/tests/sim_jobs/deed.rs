//! What is asked of the store, what it answers, and what it has done: the last is what the ledger
//! is told.

use crate::disk::{Asked, By, Queue, Timed};
use holdfast_common::{
    dispatch::SeatId,
    id::{EventId, JobId, PersonId, ScheduleId},
    job::{Digest, Ending, Place, QueueSettings, Reason, Token},
    storage::schedules::{Fire, Schedule},
    time::{Millis, Timestamp},
};

/// A worker's number.
pub type Worker = usize;

/// Jobs are claimed.
#[derive(Debug, Clone)]
pub struct Claim {
    pub queue: Queue,
    /// This one alone, where it stands.
    pub job: Option<JobId>,
    pub worker: Worker,
    pub jobs: u32,
    pub length: Millis,
    /// Draws the keys.
    pub chance: u64,
}

/// A lease ends.
#[derive(Debug, Clone)]
pub struct End {
    pub job: JobId,
    pub token: Token,
    pub digest: Digest,
    pub how: Ending,
    pub events: Vec<EventId>,
    /// One of the events is refused by its rule.
    pub bad: bool,
    pub jobs: Vec<Asked>,
    pub then: Option<Claim>,
}

/// Where jobs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// They have their own ids, and are sent again with these.
    Ids,
    /// A key, with what it was used for.
    Key(Queue, u64, u64),
    /// An event whose handler enqueued them.
    Event(EventId),
    /// The end of a job's lease.
    End(JobId),
    /// An occurrence of a schedule.
    Occurrence(ScheduleId, Timestamp),
}

/// What a person decides.
#[derive(Debug, Clone)]
pub enum Govern {
    Cancel(JobId),
    Requeue(JobId),
    Discard(JobId),
    Pause(Queue, bool),
    Set(Queue, QueueSettings),
    Timed(usize, Change),
}

/// What a person decides about a schedule.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is there, in place of the one of its number.
    Set(Box<Timed>),
    Pause,
    /// With its next occurrence, if it is still this one.
    Resume(ScheduleId, Timestamp),
    Remove,
}

#[derive(Debug, Clone)]
pub enum Task {
    Enqueue {
        jobs: Vec<Asked>,
        source: Source,
        then: Vec<(SeatId, Claim)>,
    },
    Claim(Claim),
    End(Box<End>),
    Extend {
        job: JobId,
        token: Token,
        length: Option<Millis>,
        progress: u8,
    },
    Tend,
    Govern(Govern),
    /// The event that tells of an end is appended.
    Tell(JobId, u64),
    /// It was.
    Told(JobId, u64),
    /// A schedule is fired, by what the wall clock said when somebody looked.
    Fire {
        n: usize,
        fire: Fire,
        looked: Timestamp,
    },
    /// Of a fault to be planted: it goes on, once its job is there.
    Next(usize, Schedule),
}

/// A leased job, as its consumer gets it.
#[derive(Debug, Clone)]
pub struct Leased {
    pub job: JobId,
    pub queue: Queue,
    pub token: Token,
    pub length: Millis,
}

/// What became of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Done,
    Again,
    Late(Reason),
    Moved,
    Rejected,
    TooOften,
    Unknown,
}

/// What became of an enqueue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    Made(Vec<JobId>),
    Again(Vec<JobId>),
    Mismatch,
    Full,
}

/// Jobs that were claimed, and how long the rate lets nothing more begin.
pub type Got = (Vec<Leased>, Option<Millis>);

#[derive(Debug, Clone)]
pub enum Answer {
    Enqueued(Enqueued, Vec<(SeatId, Got)>),
    Claimed(Got),
    Ended(Ended, Vec<Leased>),
    Extended(Result<(), Option<Reason>>),
    Tended {
        more: bool,
    },
    Fired(Option<(usize, Schedule)>),
    Nothing,
    Fault,
    /// Nobody can say whether it was done.
    Unknown,
}

/// What became durable, one by one and in order.
#[derive(Debug, Clone)]
pub enum Deed {
    Gave(Millis),
    Made {
        asked: Asked,
        source: Source,
        most: u32,
    },
    Begun {
        job: JobId,
        token: Token,
        length: Millis,
    },
    Extended {
        job: JobId,
        token: Token,
        length: Millis,
    },
    Progressed {
        job: JobId,
        token: Token,
    },
    Ended {
        end: Box<End>,
        to: Place,
    },
    /// What was said to an end, or to another word about a lease, that was not carried out.
    Said {
        job: JobId,
        token: Token,
        digest: Option<Digest>,
        said: Ended,
    },
    Lapsed {
        job: JobId,
        to: Place,
    },
    Expired(JobId),
    Cancelled(JobId),
    Requeued(JobId, u64),
    Discarded(JobId),
    Appended(EventId, By),
    Heard(EventId),
    Removed(JobId),
    Set(Queue, QueueSettings),
    Paused(Queue, bool),
    /// An occurrence has come, and what comes next is written.
    Fired {
        n: usize,
        at: Timestamp,
        then: Timestamp,
        looked: Timestamp,
    },
    /// A schedule is there, is another one, or is gone.
    Timed(usize, Option<Schedule>),
    /// A person has a schedule count from now on.
    Resumed(usize),
    /// A refused act has changed something.
    Spoilt(JobId),
}

/// Who asked for a job, as a person.
pub fn person(n: u8) -> PersonId {
    PersonId::new(1, &[n; 10])
}
