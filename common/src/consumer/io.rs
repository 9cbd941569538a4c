//! What goes into the machine and comes out.

use super::Refusal;
use crate::{
    cursor::Offset,
    error::Code,
    frame::{
        Author,
        work::{Brings, Brought, Hello, Like, Request, Stands, Sub, Which},
    },
    id::{EventId, JobId},
    job::{Holder, JobState, NewJob, Place, Token, figures::Rates},
    storage::jobs::{
        Claim, Claimed, Ended, Enqueued, Extend, Extended, How, JobRead, LeasedJob, Moves,
        QueueName, QueueRead,
    },
    time::{Millis, Timestamp},
};
use std::sync::Arc;

/// What happens to a connection.
#[derive(Debug)]
pub enum Input<'a> {
    /// A text or binary message came.
    Frame(&'a [u8]),
    /// Something else came: the client is there.
    Heard,
    /// The answer to [`Output::Greet`].
    Greeted {
        /// The wall clock, for the welcome.
        now: Timestamp,
        /// What a person is called in rooms; or why it may not come: the connection is closed with it.
        result: Result<Option<String>, Code>,
    },
    /// The answer to [`Output::Consume`]. It comes before the subscription's jobs.
    Consuming {
        /// The subscription.
        sub: Sub,
        /// That it waits at `Dispatch`, for no job yet; or why not.
        result: Result<(), Refusal>,
    },
    /// A claim for a subscription has got these.
    Leased {
        /// The subscription.
        sub: Sub,
        /// The claim's [`Moves::version`].
        version: u64,
        /// What it has got.
        jobs: Vec<LeasedJob>,
    },
    /// The answer to [`Output::Enqueue`].
    Enqueued {
        /// As asked.
        req: Request,
        /// What became of it.
        result: Result<Enqueued, Refusal>,
    },
    /// The answer to [`Output::Take`].
    Taken {
        /// As asked.
        req: Request,
        /// What the claim has changed.
        moves: &'a Moves,
        /// What became of it.
        result: Result<Claimed, Refusal>,
    },
    /// The answer to [`Output::End`].
    Ended {
        /// As asked.
        req: Request,
        /// Its [`Moves::version`].
        version: u64,
        /// What it has brought, if it is so.
        ids: BroughtIds,
        /// What became of it.
        result: Result<Ended, Refusal>,
    },
    /// The answer to [`Output::Extend`].
    Extended {
        /// As asked.
        req: Request,
        /// What became of it.
        result: Result<Extended, Refusal>,
    },
    /// The answer to [`Output::Govern`].
    Governed {
        /// As asked.
        req: Request,
        /// How many jobs it was about.
        result: Result<u64, Refusal>,
    },
    /// The answer to [`Output::Board`]; `None` where there is no such queue.
    Board {
        /// The subscription.
        sub: Sub,
        /// What was read.
        result: Result<Option<BoardRead>, Refusal>,
    },
    /// The answer to [`Output::Jobs`].
    Jobs {
        /// The subscription.
        sub: Sub,
        /// Those of them that there still are.
        result: Result<JobsRead, Refusal>,
    },
    /// The answer to [`Output::Held`]: those of them that there still are.
    Held(Result<Vec<HeldRead>, Refusal>),
    /// The answer to [`Output::Page`].
    Page {
        /// As asked.
        req: Request,
        /// What was read.
        result: Result<PlaceRead, Refusal>,
    },
    /// Something was committed that is about a [followed](Output::Follow) queue. Others are passed over.
    Moves(&'a Moves),
    /// Some of that was dropped for want of room, or nobody could say what it was; none of it newer than
    /// this [version](Moves::version).
    Missed(u64),
    /// How much goes through a followed queue: once a second.
    Figures {
        /// The queue.
        queue: &'a QueueName,
        /// Of the last minute.
        rates: Rates,
        /// How long ago the oldest job that could begin now was enqueued.
        oldest: Option<Millis>,
    },
    /// Everything put out so far is on its way.
    Flushed,
    /// The server shuts down; clients come back after this time.
    Drain(Millis),
    /// The connection has ended, and nothing that was put out is on its way that was not
    /// [flushed](Self::Flushed).
    Gone,
    /// The deadline has come.
    Tick,
}

/// The ids of what an end brings, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BroughtIds {
    /// Of its events.
    pub events: Vec<EventId>,
    /// Of its further jobs.
    pub jobs: Vec<JobId>,
}

impl BroughtIds {
    /// What is told of it, once the events stand there.
    #[must_use]
    pub fn stand(self, offsets: impl IntoIterator<Item = Option<Offset>>) -> Brought {
        let events = self.events.into_iter().zip(offsets);
        let events = events.map(|(id, offset)| Stands { id, offset }).collect();
        Brought { events, enqueued: self.jobs }
    }
}

/// A board as it was read from one snapshot.
#[derive(Debug, Clone)]
pub struct BoardRead {
    /// The newest [change](Moves::version) that is surely in it.
    pub version: u64,
    /// The queue.
    pub queue: QueueRead,
    /// The first jobs of each place that was asked for.
    pub places: Vec<PlaceRead>,
}

/// The first jobs of a place.
#[derive(Debug, Clone)]
pub struct PlaceRead {
    /// The place.
    pub place: Place,
    /// In its order.
    pub jobs: Vec<JobRead>,
    /// With what the next page goes on, as a text of the driver's.
    pub after: Option<String>,
}

/// Jobs as they were read from one snapshot.
#[derive(Debug, Clone)]
pub struct JobsRead {
    /// The newest [change](Moves::version) that is surely in it.
    pub version: u64,
    /// The jobs.
    pub jobs: Vec<JobRead>,
}

/// What is read of a job that the client has, and no more: its payload may be large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldRead {
    /// The job.
    pub id: JobId,
    /// Where it is.
    pub place: Place,
    /// Of its newest lease.
    pub fence: u64,
}

/// What the driver is to do.
#[derive(Debug)]
pub enum Output {
    /// Send this frame.
    Send(String),
    /// Send a WebSocket ping: a browser answers it by itself, even in a hidden tab.
    Ping,
    /// Close with this code; nothing follows.
    Close(Code),
    /// See whether this person's secret is right. A service has none and is greeted at once.
    Greet(Hello),
    /// From now on feed what moves in this queue, and its figures, if there is such a queue.
    Follow(Arc<QueueName>),
    /// No longer.
    Unfollow(Arc<QueueName>),
    /// Have a subscription wait at `Dispatch`, for no job yet, if it may consume from this queue.
    Consume {
        /// The subscription.
        sub: Sub,
        /// The queue.
        queue: Arc<QueueName>,
        /// Whose name its jobs are claimed in.
        holder: Holder,
        /// For how long each; `None`: as the queue says.
        lease: Option<Millis>,
    },
    /// It waits for so many more.
    Credit {
        /// The subscription.
        sub: Sub,
        /// How many.
        jobs: u32,
    },
    /// It waits no longer. What a claim that is under way still gets is fed all the same.
    Gone(Sub),
    /// Nobody was told of these, as far as is known: they may begin again at once.
    HandBack(Vec<(JobId, Token)>),
    /// Enqueue a job, [within its bounds](NewJob::check) and of JSON, if its type takes it.
    Enqueue {
        /// The request.
        req: Request,
        /// The job.
        job: NewJob,
    },
    /// Claim a job by its id.
    Take {
        /// The request.
        req: Request,
        /// What is claimed.
        claim: Claim,
    },
    /// End a lease.
    End {
        /// The request.
        req: Request,
        /// The job.
        job: JobId,
        /// The lease's.
        token: Token,
        /// In which way. What it holds is JSON, or the beginning of what is too large. Whether it is
        /// within its bounds the driver looks, and tells it only where the lease stands: a late word is
        /// told to be late, whatever it says.
        how: How,
        /// What it brings. What that is was not looked at, nor whether there is one more than may be.
        brings: Brings,
        /// Who writes its events.
        author: Author,
        /// What is claimed in the same transaction, if it ends.
        then: Option<Claim>,
    },
    /// Set a lease's length anew. As for an end, the driver looks whether the progress can be.
    Extend {
        /// The request.
        req: Request,
        /// The one job.
        extend: Extend,
    },
    /// Carry out what a person has decided, if they may.
    Govern {
        /// The request.
        req: Request,
        /// Who decides.
        by: Holder,
        /// About which queue.
        queue: QueueName,
        /// What.
        what: Decided,
    },
    /// Read a queue and the first [`PAGE_JOBS`](super::PAGE_JOBS) jobs of each of
    /// [`PLACES`](super::PLACES).
    Board {
        /// The subscription.
        sub: Sub,
        /// The queue.
        queue: Arc<QueueName>,
    },
    /// Read these jobs.
    Jobs {
        /// The subscription.
        sub: Sub,
        /// Which.
        ids: Vec<JobId>,
    },
    /// Read these jobs, which the client has, unless what was missed has taken them.
    Held(Vec<JobId>),
    /// Read some [`PAGE_JOBS`](super::PAGE_JOBS) jobs of one place.
    Page {
        /// The request.
        req: Request,
        /// The queue.
        queue: Arc<QueueName>,
        /// The place.
        place: Place,
        /// What the page before gave; it may be any text.
        after: Option<String>,
        /// Of these alone.
        like: Like,
    },
}

/// What a person has decided about a queue or its jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// Nobody wants these jobs any more.
    Cancel(Vec<JobId>),
    /// These dead letters begin anew, where it is one: with this payload.
    Requeue(Which, Option<String>),
    /// These dead letters are dropped.
    Discard(Which),
    /// Nothing begins from now on.
    Pause,
    /// Jobs begin again.
    Resume,
    /// All jobs in this state are dropped: ready ones or dead ones.
    Purge(JobState),
    /// The queue goes by these settings, a text of JSON; what it does not name stays as it is.
    Set(String),
}
