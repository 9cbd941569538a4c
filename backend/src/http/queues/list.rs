//! Lists: the jobs of a queue, and what was done to them.

use super::{Address, answer, queue_of, read::shown_job, sieve};
use crate::{
    app::Shared,
    limits::{READ_BYTES, READ_EVENTS},
    problem::Problem,
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use holdfast_common::{
    job::{self, JobState},
    storage::jobs::{Audit, AuditQuery, ListQuery, QueueName},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
pub(super) struct Jobs {
    state: JobState,
    #[serde(rename = "type")]
    kind: Option<String>,
    error: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/{namespace}/queues/{queue}/jobs`.
pub(super) async fn jobs(
    State(shared): State<Arc<Shared>>,
    address: Address,
    asked: Result<Query<Jobs>, QueryRejection>,
) -> Result<Response, Problem> {
    let spec = &queue_of(&shared, address)?.spec;
    let Query(asked) = asked.map_err(|error| Problem::bad_request(format!("{error}.")))?;
    let query = ListQuery {
        queue: QueueName { ns: spec.ns.clone(), name: spec.name.clone() },
        places: asked.state.places().to_vec(),
        sieve: sieve(asked.kind, asked.error)?,
        after: asked.after.map(|after| after.parse()).transpose().map_err(|_| not_after())?,
        limit: limit(asked.limit)?,
        last_attempt: false,
        max_bytes: READ_BYTES,
    };
    let listed = shared.engine.list(query).await?.ok_or(job::Code::UnknownQueue)?;
    let jobs = listed.jobs.iter().map(shown_job).collect();
    Ok(answer(StatusCode::OK, &Page { jobs, after: listed.rest.map(|rest| rest.to_string()) }))
}

/// A page of jobs. The next one begins behind `after`; where that is null this is the last one.
#[derive(Serialize)]
struct Page<J> {
    jobs: Vec<J>,
    after: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Audits {
    before: Option<i64>,
    limit: Option<u32>,
}

/// `GET /api/v1/{namespace}/queues/{queue}/audit`: what was done to the queue, the newest first.
pub(super) async fn audit(
    State(shared): State<Arc<Shared>>,
    address: Address,
    asked: Result<Query<Audits>, QueryRejection>,
) -> Result<Response, Problem> {
    let spec = &queue_of(&shared, address)?.spec;
    let Query(asked) = asked.map_err(|error| Problem::bad_request(format!("{error}.")))?;
    let query = AuditQuery {
        queue: QueueName { ns: spec.ns.clone(), name: spec.name.clone() },
        before: asked.before,
        limit: limit(asked.limit)?,
    };
    let audits = shared.engine.audit(query).await?.ok_or(job::Code::UnknownQueue)?;
    let audits: Vec<_> = audits.iter().map(shown_audit).collect();
    Ok(answer(StatusCode::OK, &json!({ "audit": audits })))
}

fn shown_audit(audit: &Audit) -> Value {
    json!({
        "seq": audit.seq,
        "at": audit.at,
        "by": { "id": audit.by.person, "name": audit.by.name },
        "deed": audit.did.name(),
        "job": audit.job,
        "count": audit.jobs,
        "detail": audit.detail,
    })
}

fn not_after() -> Problem {
    Problem::bad_request("after has to be what the page before gave.")
}

fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(100);
    if !(1..=READ_EVENTS).contains(&limit) {
        return Err(Problem::bad_request(format!("limit has to be 1 to {READ_EVENTS}.")));
    }
    Ok(limit)
}
