//! The end of a lease, and that it goes on.

use super::{Claim, Claimed, Given};
use crate::{
    cursor::Offset,
    id::{EventId, JobId},
    job::{NewJob, Place, Reason, Token},
    storage::{Append, Appended, Verdict},
    time::Millis,
};

/// A consumer's end of its lease. Its bytes, its delay and its numbers are within their bounds.
#[derive(Debug, Clone)]
pub struct End {
    /// The job.
    pub job: JobId,
    /// The lease's.
    pub token: Token,
    /// In which way.
    pub how: How,
    /// The events that it appends, in this order: up to
    /// [`END_EVENTS`](crate::job::limits::END_EVENTS), without lanes and keys. One whose id stands in
    /// its log is there, and is not appended again.
    pub appends: Vec<Append>,
    /// The jobs that it enqueues, in this order: up to [`END_JOBS`](crate::job::limits::END_JOBS), each
    /// [within its bounds](NewJob::check). One whose id is known already is there.
    pub jobs: Vec<NewJob>,
    /// What is claimed in the same transaction, if it ends.
    pub then: Option<Claim>,
}

/// In which way a lease is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The job is done.
    Complete {
        /// What came of it, a text of JSON; `None` for `null`.
        result: Option<String>,
    },
    /// It has failed.
    Fail {
        /// Why, for people. It is [cut](crate::job::limits::reason).
        reason: String,
        /// Why, a text of JSON.
        failure: Option<String>,
        /// As in [`Ending::Fail`](crate::job::Ending::Fail).
        retry: Option<Millis>,
    },
    /// It is handed back, and comes again after this time.
    Snooze {
        /// How long.
        delay: Millis,
    },
    /// It is handed back by the server itself, since nobody is there to do it or the server cannot for
    /// now, and comes again after this time. That is no snooze, and may be as often as it likes.
    HandBack {
        /// How long.
        delay: Millis,
    },
}

/// What a consumer says of a lease, as it says it, where that cannot be done.
#[derive(Debug, Clone)]
pub struct Word {
    /// The job.
    pub job: JobId,
    /// The lease's token.
    pub token: Token,
    /// In which way it is ended; `None` of a word that ends none.
    pub how: Option<How>,
    /// The events that were to be appended.
    pub events: Vec<WordEvent>,
    /// The jobs that were to be enqueued.
    pub jobs: Vec<NewJob>,
}

impl Word {
    /// A word that brings nothing.
    #[must_use]
    pub const fn plain(job: JobId, token: Token, how: Option<How>) -> Self {
        Self { job, token, how, events: Vec::new(), jobs: Vec::new() }
    }
}

/// An event of a [`Word`].
#[derive(Debug, Clone)]
pub struct WordEvent {
    /// The id that it has, or would have.
    pub id: EventId,
    /// The room's namespace.
    pub namespace: String,
    /// The room's name. There may be no such room, or no longer.
    pub room: String,
    /// The event's type.
    pub kind: String,
    /// Its payload.
    pub data: String,
}

/// What became of an [`End`]. But for [`Done`](Self::Done) nothing is changed by it: no event is
/// appended, no job is enqueued, and who held the job holds it.
#[derive(Debug, Clone)]
pub enum Ended {
    /// It is so.
    Done {
        /// Where the job is.
        place: Place,
        /// How long it waits, where it does.
        wait: Option<Millis>,
        /// Of each of its events [`Appended::Decided`] with an ack, to be passed on. What has moved is
        /// told with the whole answer.
        appended: Vec<Appended>,
        /// What the claim has got.
        then: Option<Claimed>,
    },
    /// It was done before by this very word.
    Again {
        /// Where the job is now.
        place: Place,
        /// Where its events stand, by their ids and in their order: perhaps nobody was told of them.
        stands: Vec<Option<Offset>>,
    },
    /// The token does not hold the job.
    Late(Reason),
    /// It was snoozed as often as a job may be.
    TooOften,
    /// There is no such job, or no longer.
    UnknownJob,
    /// One of its events is rejected.
    Rejected {
        /// Which.
        index: usize,
        /// Why.
        verdict: Verdict,
    },
    /// What the rule of one of its events went by has changed: read the facts and ask the rules again.
    Moved,
    /// There is no queue for one of its jobs.
    UnknownQueue {
        /// Which.
        index: usize,
    },
    /// A queue has no room for all of its jobs, or for those of its events' handlers.
    QueueFull,
    /// Its jobs are more than a queue may have.
    TooLarge,
}

/// That consumers need longer, or less long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extend {
    /// The jobs, with the leases' tokens.
    pub jobs: Vec<(JobId, Token)>,
    /// From now; `None`: as the queue says.
    pub lease: Option<Millis>,
    /// What they say of how far they are; `None`: what they said stays.
    pub progress: Option<Progress>,
}

/// How far an attempt is, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Of a hundred.
    pub percent: u8,
    /// In words; [cut](crate::job::limits::reason).
    pub note: Option<String>,
}

/// What became of one job of an [`Extend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extended {
    /// The consumer has it for so long.
    Until(Given),
    /// The token does not hold the job.
    Late(Reason),
    /// There is no such job, or no longer.
    UnknownJob,
}
