//! What may stand in a frame beside the members that its own type has.
//!
//! A page neither says nor shows any of it, but would load what stands in [`WorkClient`](super::WorkClient)
//! and [`WorkServer`](super::WorkServer). So it stands in types of its own, which
//! [`codec::work`](crate::codec::work) writes into the same object and reads out of it.

use crate::{
    cursor::Offset,
    few::few,
    id::{EventId, JobId},
    job::limits::{END_EVENTS, END_JOBS},
    time::Millis,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// Of [`Complete`](super::Complete): what happens with it, or not at all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Brings {
    /// What is appended to rooms. Of too many no more are kept than show that.
    #[serde(
        default,
        deserialize_with = "few::<_, _, END_EVENTS>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub events: Vec<EndEvent>,
    /// What is enqueued. Of too many no more are kept than show that.
    #[serde(
        default,
        deserialize_with = "few::<_, _, END_JOBS>",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub jobs: Vec<EndJob>,
}

/// An event of a completion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndEvent {
    /// The room's namespace; none: the job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The room's name.
    pub room: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its payload.
    pub data: Box<RawValue>,
}

/// A job of a completion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndJob {
    /// Its queue's namespace; none: that of the job that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its queue; none: that of the job that is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The job.
    pub job: AskedJob,
}

/// A job as it is asked for, in an object with its payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AskedJob {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its payload.
    pub data: Box<RawValue>,
    /// How long it waits before it may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<Millis>,
    /// Unix milliseconds: instead of a delay, where that can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<u64>,
    /// Higher ones begin first; 0 where none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Of the jobs of a group one is in flight, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// How many attempts it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// How long it waits after its first failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_ms: Option<Millis>,
    /// After how long no attempt begins any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_ms: Option<Millis>,
}

/// A completion brings more than one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("One completion has up to {most} {what}.")]
pub struct TooMuch {
    what: &'static str,
    most: usize,
}

impl TooMuch {
    /// Whether so many events and jobs are no more than a completion may bring.
    ///
    /// # Errors
    /// There are too many of either.
    pub const fn check(events: usize, jobs: usize) -> Result<(), Self> {
        if events > END_EVENTS {
            return Err(Self { what: "events", most: END_EVENTS });
        }
        if jobs > END_JOBS {
            return Err(Self { what: "jobs", most: END_JOBS });
        }
        Ok(())
    }
}

/// Of [`Fail`](super::Fail).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Patience {
    /// At least so long until the next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<Millis>,
}

/// Of [`Did`](super::Did): what a completion has brought, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Brought {
    /// Its events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Stands>,
    /// The further jobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enqueued: Vec<JobId>,
}

/// An event that stands by a completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// The event.
    pub id: EventId,
    /// Where it stands in its room's log; none: it was removed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Offset>,
}

/// Of [`Refused`](super::Refused): what of a completion is at fault, if it is one part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AtFault {
    /// The event, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<usize>,
    /// The job, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<usize>,
    /// What the rule that rejects the event says beside its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Value>,
}
