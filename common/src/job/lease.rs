//! That a consumer has a job, and what is kept of it afterwards.

use super::{StoreTime, Token};
use crate::{
    id::PersonId,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// SHA-256 of how a lease was ended, so that the same word said again is known from another one.
pub type Digest = [u8; 32];

/// What ended an attempt whose lease ran out, as its [`Attempt`] says.
pub const LAPSED: &str = "lease ran out";
/// What ended a job that waited past the time until which it was of use, as its [`Attempt`] says.
pub const EXPIRED: &str = "expired";

/// Who has a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What the consumer calls itself, a [label](super::limits::label). It is shown and decides nothing.
    pub consumer: String,
    /// The person that it is or works for, if it said so.
    pub person: Option<PersonId>,
}

/// That a consumer has a job. When it runs out is the job's [`due`](super::Job::due).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who shows it speaks for the lease.
    pub token: Token,
    /// Who has it.
    pub holder: Holder,
    /// When the attempt began.
    pub since: StoreTime,
}

/// The lease that ended last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Its token.
    pub token: Token,
    /// What ended it.
    pub over: Over,
}

/// What ended a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Its consumer's word, of this digest.
    Ended(Digest),
    /// The store's clock.
    Lapsed,
    /// Somebody cancelled the job.
    Cancelled,
}

/// Why a token does not hold its job, for people: each is refused alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The lease ran out.
    Expired,
    /// The lease was ended in another way before, by this very token.
    Ended,
    /// The job was cancelled or discarded meanwhile.
    Cancelled,
    /// The lease was ended, and the job has gone on since.
    Old,
    /// It is no token of this job, as far as is still known; or a reason of a newer server.
    #[serde(other)]
    Other,
}

impl Reason {
    /// The reason for a token which the job says is [another's](Self::Other), but whose fence one of
    /// the job's [attempts](Attempt) has.
    #[must_use]
    pub const fn of(attempt: &Attempt) -> Self {
        if attempt.lapsed { Self::Expired } else { Self::Old }
    }
}

/// An attempt that did not complete its job, or what else ended the job, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1. Of a job that has expired that of the last one; 0 if none ever began.
    pub attempt: u32,
    /// The fence of its lease, which names the attempt in its job; 0 if it was the job that expired.
    pub fence: u64,
    /// When it ended, for people. Of a job that has expired: when its time was over, but not before the
    /// attempt that is kept of it last. A lease that outlasted its time and was snoozed or handed back left
    /// none, and is not seen in this.
    pub at: Timestamp,
    /// How long it took.
    pub took: Millis,
    /// Whether its lease ran out.
    pub lapsed: bool,
    /// Who had it; empty where nobody did.
    pub consumer: String,
    /// What its consumer said went wrong, [`LAPSED`] or [`EXPIRED`]; [cut](super::limits::reason).
    pub error: String,
}
