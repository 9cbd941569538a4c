//! What an operator may set for a queue, and what is asked for a new job.

mod patch;

pub use patch::SettingsPatch;

use super::{
    limits::{ATTEMPTS, LONGEST_BACKOFF, LONGEST_DELAY, PRIORITY, label, lease},
    rate::Rate,
};
use crate::{
    error::Code,
    id::{JobId, PersonId},
    time::Millis,
};
use serde::{Deserialize, Serialize};

/// Why a job is not taken, or settings are not. Nothing is changed by either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The payload has more bytes than the limit.
    #[error("the payload is too large")]
    TooLarge,
    /// The member of this name, as it is on the wire, is out of its bounds.
    #[error("{0} is out of its bounds")]
    Bounds(&'static str),
}

impl Unfit {
    /// What the one who asked is told.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::TooLarge => Code::TooLarge,
            Self::Bounds(_) => Code::BadRequest,
        }
    }
}

/// What an operator may set for a queue. Whether it is paused is no setting but a state, which stands
/// beside them. The text form has these names and is both stored and shown; what is left out is as in
/// the [default](QueueSettings::default).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueSettings {
    /// How long a lease is where its consumer does not say.
    #[serde(rename = "lease_ms")]
    pub lease: Millis,
    /// How many attempts a job has where it does not say.
    #[serde(rename = "max_attempts")]
    pub attempts: u32,
    /// How long a job waits after its first failure where it does not say; see
    /// [`wait`](super::backoff::wait).
    #[serde(rename = "backoff_ms")]
    pub backoff: Millis,
    /// How many jobs may be leased at once; `None`: any number.
    pub in_flight: Option<u32>,
    /// How many may begin in a time; `None`: any number.
    pub rate: Option<Rate>,
    /// How long a job is kept after it was done or cancelled. Dead letters are kept until somebody
    /// decides about them.
    #[serde(rename = "keep_ms")]
    pub keep: Millis,
    /// How many jobs that have not ended the queue holds; one more is told to come again later.
    #[serde(rename = "max_jobs")]
    pub most: u64,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            lease: Millis(30_000),
            attempts: 5,
            backoff: Millis(1_000),
            in_flight: None,
            rate: None,
            keep: Millis(24 * 3_600 * 1_000),
            most: 2_000_000,
        }
    }
}

impl QueueSettings {
    /// Whether a queue can be run by them. None in flight is no setting either: that is a pause.
    ///
    /// # Errors
    /// A member is out of its bounds.
    pub fn check(&self) -> Result<(), Unfit> {
        bounds("lease_ms", lease(self.lease) == self.lease)?;
        bounds("max_attempts", ATTEMPTS.contains(&self.attempts))?;
        bounds("backoff_ms", self.backoff <= LONGEST_BACKOFF)?;
        bounds("in_flight", self.in_flight != Some(0))?;
        bounds("keep_ms", self.keep <= LONGEST_DELAY)?;
        bounds("max_jobs", self.most > 0)?;
        self.rate.map_or(Ok(()), |rate| rate.check())
    }
}

/// A job as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Its id, made by who asks or by the driver.
    pub id: JobId,
    /// The namespace of its queue.
    pub ns: String,
    /// The queue's name.
    pub queue: String,
    /// The name of its type.
    pub kind: String,
    /// Its payload, a text of JSON.
    pub data: String,
    /// How long it waits before it may begin.
    pub delay: Millis,
    /// Higher ones begin first; of the same, those that were enqueued first.
    pub priority: i8,
    /// Of the jobs of a group one is in flight, and they begin in the order of their enqueues.
    pub group: Option<String>,
    /// How many attempts it has; `None`: the queue's.
    pub most: Option<u32>,
    /// How long it waits after its first failure; `None`: the queue's.
    pub backoff: Option<Millis>,
    /// How long after its enqueue it is of no use any more: no attempt begins from then on.
    pub expires: Option<Millis>,
    /// Who is told of its end in their inbox.
    pub asker: Option<PersonId>,
}

impl NewJob {
    /// Whether it lies within all bounds, of which the payload's is `payload_bytes`. What the payload
    /// says is not looked at.
    ///
    /// # Errors
    /// The payload is too large, or a member is out of its bounds.
    pub fn check(&self, payload_bytes: usize) -> Result<(), Unfit> {
        if self.data.len() > payload_bytes {
            return Err(Unfit::TooLarge);
        }
        bounds("delay_ms", self.delay <= LONGEST_DELAY)?;
        bounds("priority", PRIORITY.contains(&self.priority))?;
        bounds("group", self.group.as_deref().is_none_or(label))?;
        bounds("max_attempts", self.most.is_none_or(|most| ATTEMPTS.contains(&most)))?;
        bounds("backoff_ms", self.backoff.is_none_or(|first| first <= LONGEST_BACKOFF))?;
        bounds("expires_ms", self.expires.is_none_or(|length| length <= LONGEST_DELAY))
    }
}

fn bounds(member: &'static str, within: bool) -> Result<(), Unfit> {
    if within { Ok(()) } else { Err(Unfit::Bounds(member)) }
}

#[cfg(test)]
mod tests;
