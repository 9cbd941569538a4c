//! What is said to the machine, and what it says.

use crate::time::Millis;

/// One that waits for jobs: a long poll, or a subscription of a connection. The driver names it, and
/// no two of a run have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u64);

/// How many jobs of a queue a claim could have behind some change of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Rises from 1 with each change, over all queues, and in one transaction too: of two counts the
    /// later one is known by it, in whatever order they are heard.
    pub version: u64,
    /// Jobs that are ready, no more than may be in flight beside those that are; none while the queue
    /// is paused. The queue's rate is left out: see [`Input::Claimed`].
    pub jobs: u64,
}

/// What has happened. `Q` names a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<Q> {
    /// A consumer waits for jobs.
    Wait {
        /// Who.
        consumer: SeatId,
        /// Of which queue, that exists.
        queue: Q,
        /// For how many, up to [`CREDIT`](crate::job::limits::CREDIT).
        jobs: u32,
        /// It is over with the first claim that has got something, as a long poll is. A subscription
        /// goes on, and waits for as many as it has [credit](Input::Credit) for.
        once: bool,
    },
    /// A consumer waits for so many more.
    Credit {
        /// Who.
        consumer: SeatId,
        /// How many more.
        jobs: u32,
    },
    /// A consumer waits no longer. What a claim for it that is under way still gets is handed back by
    /// the driver.
    Gone(SeatId),
    /// Something was committed that changed what a queue's claims could have.
    Counted {
        /// Which queue.
        queue: Q,
        /// What they could have now.
        count: Count,
    },
    /// Jobs are about to be enqueued. Claims that come of this are to be made in the same transaction,
    /// so that those who wait have their jobs with one commit and not with two.
    Offer {
        /// To which queue.
        queue: Q,
        /// How many that may begin at once.
        jobs: u32,
    },
    /// A claim was answered.
    Claimed {
        /// For whom.
        consumer: SeatId,
        /// How many jobs it got.
        jobs: u32,
        /// What the queue's claims could have after it.
        count: Count,
        /// How long the queue's rate lets nothing more begin.
        next: Option<Millis>,
    },
    /// A claim was not made, because what it was to be made [with](Input::Offer) was refused.
    Untried(SeatId),
    /// A claim failed, or the engine could not say.
    Failed(SeatId),
    /// The time of [`Dispatch::wake`](super::Dispatch::wake) has come.
    Time,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<Q> {
    /// Claim jobs for a consumer. The answer is [`Input::Claimed`], [`Input::Untried`] or
    /// [`Input::Failed`], also where the consumer has gone meanwhile.
    Claim {
        /// For whom.
        consumer: SeatId,
        /// Of which queue.
        queue: Q,
        /// At most how many: from 1 to [`CLAIM_JOBS`](crate::job::limits::CLAIM_JOBS).
        jobs: u32,
    },
    /// As many wait as may: this one does not.
    Full(SeatId),
}
