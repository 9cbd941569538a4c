//! The namespace `work`: what people and services both do.

use crate::{event::Effect, id::JobId, job::JobState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The queue that everyone may take tasks from.
pub const INBOX: &str = "inbox";

/// Something to be done by a person or a service. What comes of it, and why it fails, is whatever
/// its doer says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// In a few words.
    pub title: String,
    /// All there is to know.
    #[serde(default)]
    pub body: String,
}

/// Stands in the inbox of the person who asked for a job: it has ended. The server alone says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobEnded {
    /// The job.
    pub job: JobId,
    /// Its queue: of this namespace, or of one that tells of no ends itself.
    pub queue: String,
    /// The name of its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// `done`, `dead` or `cancelled`.
    pub state: JobState,
    /// What came of it. One that is too large for an event is left out: the job itself has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Of a dead letter: what went wrong at last; left out like the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same in a sentence for people: with the result, a text as it is and all else as JSON, or with
    /// what went wrong. Of a long one it has the beginning.
    pub text: String,
}

crate::namespace! {
    /// What people and services both do.
    Work = "work";
    durable {
        /// A job that somebody asked for has ended.
        JobEnded = "job_ended", job_ended -> (), String, counts: true, effect: |_| Effect::Adds;
    }
    volatile {}
    latest {}
}

crate::queues! {
    "work" / "inbox" { Task = "task" -> Value, Value; }
}
