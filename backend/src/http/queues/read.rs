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
    storage::jobs::{JobRead, QueueName, QueueRead},
    time::{Millis, Timestamp},
};
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use std::sync::Arc;

/// `GET /api/v1/queues`: those of every namespace that may be looked at.
pub(super) async fn everywhere(State(shared): State<Arc<Shared>>) -> Result<Response, Problem> {
    let mut queues = Vec::new();
    for ns in shared.queues.namespaces().filter(|ns| may(Right::Read, ns).is_ok()) {
        for read in shared.engine.queues(ns).await? {
            let mut shown = shown_queue(&shared, ns, &read);
            shown["namespace"] = json!(ns);
            queues.push(shown);
        }
    }
    Ok(answer(StatusCode::OK, &json!({ "queues": queues })))
}

/// `GET /api/v1/{namespace}/queues`.
pub(super) async fn queues(
    State(shared): State<Arc<Shared>>,
    namespace: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<Response, Problem> {
    let Path(ns) = namespace.map_err(|_| Problem::bad_request("The address is no UTF-8."))?;
    let queues = shared.engine.queues(&ns).await?;
    let queues: Vec<_> = queues.iter().map(|read| shown_queue(&shared, &ns, read)).collect();
    Ok(answer(StatusCode::OK, &json!({ "queues": queues })))
}

/// `GET /api/v1/{namespace}/queues/{queue}`.
pub(super) async fn queue(
    State(shared): State<Arc<Shared>>,
    address: Address,
) -> Result<Response, Problem> {
    let spec = &super::queue_of(&shared, address)?.spec;
    let read = shared.engine.queue(&spec.ns, &spec.name).await?;
    let read = read.ok_or(job::Code::UnknownQueue)?;
    Ok(answer(StatusCode::OK, &shown_queue(&shared, &spec.ns, &read)))
}

fn shown_queue(shared: &Shared, ns: &str, read: &QueueRead) -> Value {
    let (info, counts) = (&read.info, &read.info.counts);
    let name = QueueName { ns: ns.to_owned(), name: info.name.clone() };
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
        "rates": shared.queues.desk.rates(&name),
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
    Ok(answer(StatusCode::OK, &shown_job(&read)))
}

/// A job as it is told outside, its payload and what came of it to the letter.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    id: JobId,
    queue: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    state: JobState,
    attempt: u32,
    max_attempts: u32,
    priority: i8,
    group: Option<&'a str>,
    data: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    failure: Option<&'a RawValue>,
    errors: Vec<Wrong<'a>>,
    consumer: Option<&'a str>,
    progress: Option<u8>,
    note: Option<&'a str>,
    due_in_ms: Option<Millis>,
    behind: bool,
    age_ms: Millis,
}

/// What ended an attempt, or the job, other than well.
#[derive(Serialize)]
struct Wrong<'a> {
    attempt: u32,
    at: Timestamp,
    took_ms: Millis,
    consumer: &'a str,
    error: &'a str,
}

pub(super) fn shown_job(read: &JobRead) -> Shown<'_> {
    let state = read.place.state();
    let outcome = read.outcome.as_deref().and_then(raw);
    let done = state == JobState::Done;
    let progress = read.progress.as_ref();
    Shown {
        id: read.id,
        queue: &read.queue,
        kind: &read.kind,
        state,
        attempt: read.attempt,
        max_attempts: read.most,
        priority: read.priority,
        group: read.group.as_deref(),
        data: raw(&read.data),
        result: outcome.filter(|_| done),
        failure: outcome.filter(|_| !done),
        errors: read.attempts.iter().map(wrong).collect(),
        consumer: read.holder.as_ref().map(|holder| &*holder.consumer),
        progress: progress.map(|it| it.percent),
        note: progress.and_then(|it| it.note.as_deref()),
        due_in_ms: read.due,
        behind: read.place == Place::Behind,
        age_ms: read.age,
    }
}

fn wrong(attempt: &Attempt) -> Wrong<'_> {
    Wrong {
        attempt: attempt.attempt,
        at: attempt.at,
        took_ms: attempt.took,
        consumer: &attempt.consumer,
        error: &attempt.error,
    }
}

/// `None` where the content was blanked.
fn raw(text: &str) -> Option<&RawValue> {
    serde_json::from_str(text).ok()
}
