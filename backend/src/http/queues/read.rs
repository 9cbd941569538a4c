//! Looking at queues and jobs.

use super::{Address, answer, parts};
use crate::{
    app::Shared,
    problem::Problem,
    rights::{Right, may},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use holdfast_common::{
    id::JobId,
    job::{self, Attempt, JobState, Place},
    storage::jobs::{JobRead, QueueRead},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /api/v1/{namespace}/queues`.
pub(super) async fn queues(
    State(shared): State<Arc<Shared>>,
    namespace: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let Path(ns) = namespace.map_err(|_| Problem::bad_request("The address is no UTF-8."))?;
    may(Right::Read, &ns)?;
    let queues = shared.engine.queues(&ns).await?;
    let queues: Vec<_> = queues.iter().map(shown_queue).collect();
    Ok(answer(StatusCode::OK, &json!({ "queues": queues })))
}

/// `GET /api/v1/{namespace}/queues/{queue}`.
pub(super) async fn queue(
    State(shared): State<Arc<Shared>>,
    address: Address,
) -> Result<Response, Problem> {
    let spec = &super::queue_of(&shared, address, Right::Read)?.spec;
    let read = shared.engine.queue(&spec.ns, &spec.name).await?;
    let read = read.ok_or(job::Code::UnknownQueue)?;
    Ok(answer(StatusCode::OK, &shown_queue(&read)))
}

fn shown_queue(read: &QueueRead) -> Value {
    let (info, counts) = (&read.info, &read.info.counts);
    json!({
        "name": info.name,
        // As a job's state is: whatever still waits.
        "ready": counts.ready + counts.delayed + counts.behind,
        "leased": counts.leased,
        "done": counts.done,
        "dead": counts.dead,
        "delayed": counts.delayed,
        "behind": counts.behind,
        "oldest_ms": read.oldest,
        "paused": info.paused,
        "settings": info.settings,
    })
}

/// `GET /api/v1/{namespace}/jobs/{id}`.
pub(super) async fn job(
    State(shared): State<Arc<Shared>>,
    address: Address,
) -> Result<Response, Problem> {
    let (ns, id) = parts(address)?;
    let id: JobId = id.parse().map_err(|_| job::Code::UnknownJob)?;
    let read = shared.engine.job(id).await?;
    let read = read.filter(|read| read.ns == ns).ok_or(job::Code::UnknownJob)?;
    may(Right::Read, &ns)?;
    Ok(answer(StatusCode::OK, &shown_job(&read)))
}

/// A job as it is told outside.
pub(super) fn shown_job(read: &JobRead) -> Value {
    let state = read.place.state();
    let outcome = read.outcome.as_deref().map_or(Value::Null, parsed);
    let (result, failure) = match state {
        JobState::Done => (outcome, Value::Null),
        _ => (Value::Null, outcome),
    };
    json!({
        "id": read.id,
        "queue": read.queue,
        "type": read.kind,
        "state": state,
        "attempt": read.attempt,
        "max_attempts": read.most,
        "priority": read.priority,
        "group": read.group,
        "data": parsed(&read.data),
        "result": result,
        "failure": failure,
        "errors": read.attempts.iter().map(shown_attempt).collect::<Vec<_>>(),
        "consumer": read.holder.as_ref().map(|holder| &holder.consumer),
        "progress": read.progress.as_ref().map(|it| it.percent),
        "note": read.progress.as_ref().and_then(|it| it.note.as_ref()),
        "due_in_ms": read.due,
        "behind": read.place == Place::Behind,
        "age_ms": read.age,
    })
}

fn shown_attempt(attempt: &Attempt) -> Value {
    json!({
        "attempt": attempt.attempt,
        "at": attempt.at,
        "took_ms": attempt.took,
        "consumer": attempt.consumer,
        "error": attempt.error,
    })
}

/// What was blanked is null.
fn parsed(data: &str) -> Value {
    serde_json::from_str(data).unwrap_or(Value::Null)
}
